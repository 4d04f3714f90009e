/*
 * feed.h
 *	  Where the quotes come from: Redis first; PostgreSQL without Redis, or while Redis is away.
 *
 * Both are one interface.  A source connects and goes on trying by itself, with pauses of 0.1 s to 5 s; it reads everything,
 * is ready from then on, and follows the changes, until it loses the connection.  The feed runs Redis always, and
 * PostgreSQL while Redis is not ready.  Nothing here blocks.
 */
#ifndef CRYPTO_RT_HTTP_FEED_H
#define CRYPTO_RT_HTTP_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define FEED_PROBLEM_SIZE 256

typedef struct FeedSource
{
	/* immutable */
	const char *name; /* redis, postgres */
	void (*start)(struct FeedSource *source);
	void (*stop)(struct FeedSource *source); /* closes the connection; start may come again */

	/* the source's to write, directly */
	int64_t connects;
	int64_t rereads; /* everything was read anew */
	int64_t gaps;    /* because messages were missing */

	/* the feed's to write, in the functions below */
	bool running;
	bool ready;
	int64_t refused;                 /* quotes that are none, and messages */
	char problem[FEED_PROBLEM_SIZE]; /* "": none */

	/* the feed's */
	int64_t ready_at; /* loop_now */
	int64_t pause;    /* the last one; 0: there was none */
	int64_t refusal_logged_at;
} FeedSource;

extern FeedSource feed_redis;
extern FeedSource feed_postgres;

/* Start with what options() names. */
extern void feed_start(void);
extern void feed_stop(void);

/*
 * For the sources: everything has been read; or it cannot be, or the connection is lost, and why (no secrets).  Logged once per
 * change.
 */
extern void feed_ready(FeedSource *source);
extern void feed_lost(FeedSource *source, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For the sources: how long to wait before the next attempt. */
extern int64_t feed_pause(FeedSource *source);

/* For the sources: a quote.  Refused ones are counted and logged now and then. */
extern void feed_take(FeedSource *source, const char *json, size_t len);

/* For the sources: something that cannot even be tried; counted and logged likewise. */
extern void feed_refuse(FeedSource *source, const char *why, const char *text, size_t len);

/* The source that quotes come from now; NULL: none is ready. */
extern const FeedSource *feed_current(void);

/*
 * For the sources: the symbols that they have.  Start from {0}.
 */
typedef struct FeedSymbols
{
	Text bytes;     /* one behind the other */
	uint32_t *ends; /* of each, in bytes */
	int count;
	int room;
} FeedSymbols;

extern void feed_symbols_clear(FeedSymbols *symbols);

/* What is too long for a symbol, or too many, is left out. */
extern void feed_symbols_add(FeedSymbols *symbols, const char *symbol, size_t len);

extern const char *feed_symbols_get(const FeedSymbols *symbols, int i, size_t *len);

/*
 * Forget the quotes of all others, but for those that came since quotes_mark_none(), and those that are not stale yet: so
 * they last as long as their keys in Redis would.
 */
extern void feed_symbols_sweep(const FeedSymbols *symbols);

#endif /* CRYPTO_RT_HTTP_FEED_H */
