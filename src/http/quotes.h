/*
 * quotes.h
 *	  The daemon's own copy of the quotes, one per symbol: what the feeds write and all endpoints read.
 *
 * A quote comes as JSON (core/quote.h has its fields) and is kept as the very bytes that came, since they are what clients
 * get.  Each change gets the next number of one sequence, so that "what has changed since N" needs no log of changes: the
 * quotes whose number is above N.
 */
#ifndef CRYPTO_RT_HTTP_QUOTES_H
#define CRYPTO_RT_HTTP_QUOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "quote_read.h"

#define QUOTES_MAX 200000 /* more are refused: somebody fills Redis with rubbish */
#define QUOTES_TIERS_MAX QUOTE_READ_TIERS

typedef struct HeldQuote
{
	/* quotes.c's to write, everybody's to read */
	char symbol[SYMBOL_SIZE];
	char nameid[QUOTE_NAMEID_SIZE]; /* "": unknown */
	int32_t rank;                   /* 0: unknown */
	int16_t tier;                   /* 0: unknown */
	bool simulated;
	int32_t interval;   /* seconds from poll to poll */
	int64_t updated_at; /* unix microseconds of last_updated */
	uint64_t seq;       /* of the last change of more than its age */
	uint64_t version;   /* of the JSON's bytes: no two quotes, and no two of one, have the same */
	Blob *json;         /* valid JSON and UTF-8 without control characters, and so one line */
	Span price;         /* as it stands in the JSON, digit by digit; the others: len 0 is unknown */
	Span change_24h;    /* per cent */
	Span volume_24h;
	Span last_updated; /* without its quotes */
	int32_t place;     /* in the order of ranks, from 0; as of the last quotes_ranked */
	bool marked;       /* see quotes_sweep */
	struct HeldQuote *next_by_symbol;
	struct HeldQuote *next_by_nameid;

	/* prices.c's: a reply with this quote, of which version and age; and the last list that it was put in */
	struct MHD_Response *response;
	uint64_t response_version;
	int64_t response_age;
	int32_t response_slot;
	uint64_t listed;

	/* stream.c's: who wants to hear of it */
	struct Subscription **subscriptions;
	int32_t subscription_count;
	int32_t subscription_room;
} HeldQuote;

typedef enum QuotesTaken
{
	QUOTES_CHANGED, /* new, or different in more than its age */
	QUOTES_RENEWED, /* only younger, or the very same */
	QUOTES_OLDER,   /* than what is held already, which is not from the future: not taken */
	QUOTES_REFUSED  /* not a quote, or no room */
} QuotesTaken;

/* What is told of changes.  A call that is NULL is not made. */
typedef struct QuotesListener
{
	void (*changed)(HeldQuote *quote); /* it has changed, or is new; all of it is in its place already */
	void (*removed)(
		HeldQuote *quote); /* it goes, and cannot be found any more; after this call it is freed */
	void (*settled)(void); /* a batch of changes is complete */
} QuotesListener;

/* Begin with nothing, and without listeners. */
extern void quotes_init(void);

/* Call the listener from now on; there are at most four. */
extern void quotes_listen(const QuotesListener *listener);

/* Take a quote in.  When it is refused, *why (if not NULL) says what is wrong with it, until the next call. */
extern QuotesTaken quotes_take(const char *json, size_t len, const char **why);

/* What was taken or removed since the last call is one batch, and is complete. */
extern void quotes_settle(void);

/*
 * Forget what the source has no more: mark each symbol that it has, then sweep the others out.  A sweep that would remove
 * everything, or has no marks, removes nothing: an empty source is a source in trouble.  What quotes_take takes is marked, too,
 * so that a quote which comes between the two calls stays.  quotes_sweep returns how many it removed.
 */
extern void quotes_mark_none(void);
extern void quotes_mark(const char *symbol, size_t len);
extern int quotes_sweep(void);

/* A symbol in any case, or id:<nameid>; NULL: unknown.  Of two symbols with one nameid, id: finds the one fetched last. */
extern HeldQuote *quotes_find(const char *symbol, size_t len);

/* All of them, the best rank first, those without a rank last; valid until the next quotes_take or quotes_sweep. */
extern HeldQuote *const *quotes_ranked(int *count);

/*
 * The number of the last change.  quotes_version changes also when a quote only gets younger, or goes; quotes_membership when a
 * symbol comes or goes.
 */
extern uint64_t quotes_seq(void);
extern uint64_t quotes_version(void);
extern uint64_t quotes_membership(void);

/* When this copy began, in unix milliseconds: numbers of changes count from there. */
extern int64_t quotes_epoch(void);

/* Seconds since a quote was fetched, and whether that is longer than quotes of its interval are good for. */
extern int64_t quotes_age(const HeldQuote *quote);
extern bool quotes_stale(const HeldQuote *quote);

/* last_updated of the freshest quote, in unix microseconds; of one tier, or of all with tier 0; 0: there is none. */
extern int64_t quotes_freshest(int tier);
extern int quotes_count(int tier);

#endif /* CRYPTO_RT_HTTP_QUOTES_H */
