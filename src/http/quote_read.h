/*
 * quote_read.h
 *	  Reading a quote's JSON (core/quote.h has its fields), which nobody has checked yet.
 *
 * The rules are JSON's own and then some: no control characters, also between the fields, so that a quote is one line
 * wherever it is embedded; no number that is out of Decimal's range; no field that we know twice; nothing before or after.
 * Needed are symbol, price and last_updated.  Fields that we do not know may hold anything.
 */
#ifndef CRYPTO_RT_HTTP_QUOTE_READ_H
#define CRYPTO_RT_HTTP_QUOTE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../core/quote.h"

#define QUOTE_READ_MAX 8192 /* bytes; a longer one is no quote */
#define QUOTE_READ_TIERS 17 /* tiers are numbered from 1 */

/* Bytes within a quote's JSON. */
typedef struct Span
{
	uint16_t at;
	uint16_t len;
} Span;

typedef struct QuoteRead
{
	char symbol[SYMBOL_SIZE];       /* ASCII letters in upper case */
	char nameid[QUOTE_NAMEID_SIZE]; /* "": unknown */
	int32_t rank;                   /* 0: unknown */
	int16_t tier;                   /* 0: unknown */
	bool simulated;
	int32_t interval;   /* seconds from poll to poll */
	int64_t updated_at; /* unix microseconds of last_updated */
	Span price;         /* digit by digit; the others: len 0 is unknown */
	Span change_24h;    /* per cent */
	Span volume_24h;
	Span last_updated; /* without its quotes */
} QuoteRead;

/* false: it is no quote, and *why says what is wrong with it, until the next call. */
extern bool quote_read(const char *json, size_t len, QuoteRead *quote, const char **why);

/* Read a time as quote_time writes it, in unix microseconds; up to 1970 and from 10000, and what is no time: -1. */
extern int64_t quote_read_time(const char *text, size_t len);

#endif /* CRYPTO_RT_HTTP_QUOTE_READ_H */
