/*
 * ranked.h
 *	  The quotes by rank, as JSON in pieces of 100 that lists share.
 *
 * A page of CoinLore is about one piece, so that a poll makes one piece new.  Whether a piece is up to date is told by the
 * versions of its quotes.  As long as somebody asks for them now and then, pieces are brought up to date in the background, one
 * at a time, so that no request has to wait for many of them.
 */
#ifndef CRYPTO_RT_HTTP_RANKED_H
#define CRYPTO_RT_HTTP_RANKED_H

#include "body.h"
#include "quotes.h"

/* Write a quote as a member of an object: "BTC":{…} */
extern void ranked_write(Text *text, const HeldQuote *quote);

/* Add the best `count` quotes, as members of an object.  What does not fill a shared piece goes into *rest, the caller's. */
extern void ranked_add(Body *body, int count, bool gzip, BodyPiece *rest);

#endif /* CRYPTO_RT_HTTP_RANKED_H */
