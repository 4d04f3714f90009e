/*
 * feed_message.h
 *	  Messages of crypto:updates, cut into their quotes.
 *
 * A message is {"epoch":E,"seq":N,"quotes":[…]}.  Its quotes are taken out as the very bytes that they have there: a JSON
 * library would change the digits of long numbers.
 */
#ifndef CRYPTO_RT_HTTP_FEED_MESSAGE_H
#define CRYPTO_RT_HTTP_FEED_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FeedMessage
{
	int64_t epoch;
	int64_t seq;
	const char *at; /* where the next quote is looked for; points into the text */
	const char *end;
} FeedMessage;

/* Read a message; false: it is none.  Strings and brackets are checked, what is in a quote otherwise is not. */
extern bool feed_message_read(const char *text, size_t len, FeedMessage *message);

/* The next of its quotes; false: there is none. */
extern bool feed_message_next(FeedMessage *message, const char **json, size_t *len);

#endif /* CRYPTO_RT_HTTP_FEED_MESSAGE_H */
