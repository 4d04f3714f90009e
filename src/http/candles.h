/*
 * candles.h
 *	  /api/v1/crypto/{symbol}/candles: open, high, low, close, from PostgreSQL.
 *
 * A reply is kept for a second while its newest candle can still change, and for a minute when all are of the past.  Requests for
 * the same candles at the same time share one query.
 */
#ifndef CRYPTO_RT_HTTP_CANDLES_H
#define CRYPTO_RT_HTTP_CANDLES_H

#include "request.h"

extern enum MHD_Result candles_show(Request *request);

/* How requests came by their candles: for metrics. */
typedef struct CandlesCounts
{
	uint64_t kept;   /* the reply was there */
	uint64_t shared; /* another request had asked for it already */
	uint64_t asked;  /* a query was made */
} CandlesCounts;

extern CandlesCounts candles_counts(void);

#endif /* CRYPTO_RT_HTTP_CANDLES_H */
