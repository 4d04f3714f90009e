/*
 * quote.h
 *	  A quote: what is known of one coin at one time; and its JSON.
 */
#ifndef CRYPTO_RT_QUOTE_H
#define CRYPTO_RT_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decimal.h"
#include "symbol.h"

#define QUOTE_NAME_SIZE 96   /* bytes, NUL included; longer names are cut at a character */
#define QUOTE_NAMEID_SIZE 96 /* longer ones are refused: they are the coin's identity */

/* What quote_json and quote_time need at the most: six bytes for each byte of a name, and slack. */
#define QUOTE_JSON_SIZE 2560
#define QUOTE_TIME_SIZE 32

typedef struct Quote
{
	/* who */
	char symbol[SYMBOL_SIZE];       /* ASCII letters in upper case; not unique */
	char name[QUOTE_NAME_SIZE];     /* "" when unknown */
	char nameid[QUOTE_NAMEID_SIZE]; /* the coin's identity */
	int32_t coinlore_id;            /* 0 when unknown; reassigned at times */
	int32_t rank;                   /* by market cap from 1; 0 when the coin is listed no more */

	/* what; amounts are in USD unless the name says otherwise */
	Decimal price; /* always known; 0 for a coin that is not traded */
	Decimal price_btc;
	Decimal change_1h; /* per cent */
	Decimal change_24h;
	Decimal change_7d;
	Decimal volume_24h;
	Decimal market_cap;
	Decimal circulating_supply; /* in coins */
	Decimal total_supply;
	Decimal max_supply;

	/* when and whence */
	int64_t fetched_at;  /* unix time in microseconds */
	int64_t source_time; /* unix time in seconds of CoinLore's own data; 0 when unknown */
	bool simulated;      /* it comes from the simulator */
	bool restored;       /* it comes from the tables, and no poll has confirmed it yet */
} Quote;

/* Traded: a price and a volume, and still listed. */
static inline bool
quote_active(const Quote *q)
{
	return q->rank > 0 && decimal_positive(q->price) && decimal_positive(q->volume_24h);
}

/* Whether anything that a reader is shown differs, ages aside. */
extern bool quote_same(const Quote *a, const Quote *b);

static inline const char *
quote_source(const Quote *q)
{
	return q->simulated ? "simulated" : "coinlore";
}

/*
 * Write a quote's JSON into buf (QUOTE_JSON_SIZE bytes): one object, fields in a fixed order,
 * unknown ones left out.  tier is the number of the coin's tier, interval its seconds.  Returns
 * the length without the NUL.
 */
extern size_t quote_json(const Quote *q, int tier, int interval, char *buf);

/* Write a unix time in microseconds as "2026-11-24T06:00:00.123Z".  Returns the length. */
extern size_t quote_time(int64_t unix_us, char *buf);

#endif /* CRYPTO_RT_QUOTE_H */
