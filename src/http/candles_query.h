/*
 * candles_query.h
 *	  What a client asks for candles: how wide, from when, until when, how many.
 *
 * Candles begin where those of the extension do (crypto_bucket in SQL): weeks on Mondays, months and years as in the calendar,
 * multiples of them from 2001 on, all in UTC.  Times that a client gives are moved to such begins, so that requests for the
 * same candles are the same.
 */
#ifndef CRYPTO_RT_HTTP_CANDLES_QUERY_H
#define CRYPTO_RT_HTTP_CANDLES_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANDLES_LIMIT_MAX 1000
#define CANDLES_LIMIT_DEFAULT 500
#define CANDLES_INTERVAL_SIZE 16
#define CANDLES_ERROR_SIZE 128

/* As they stand in the url, decoded; NULL and "": not given. */
typedef struct CandlesArguments
{
	const char *interval;
	const char *from;
	const char *to;
	const char *limit;
	const char *fill;
} CandlesArguments;

typedef struct CandlesQuery
{
	char interval[CANDLES_INTERVAL_SIZE]; /* as 5m */
	int32_t minutes;                      /* that a candle is wide; 0: it is counted in months */
	int32_t months;
	int64_t from; /* unix seconds: where the first candle begins, which may be before 1970 */
	int64_t to;   /* likewise: where the one behind the last would begin */
	int32_t limit;
	bool fill;
} CandlesQuery;

/*
 * Read what was asked for at a time (unix microseconds).  On failure returns false, with what is wrong in err, and what would be
 * right in *hint, if there is anything to say.
 */
extern bool candles_query_read(const CandlesArguments *given, int64_t now, CandlesQuery *query,
							   char err[CANDLES_ERROR_SIZE], const char **hint);

/* Where the candle begins, in unix seconds, that holds a time; and where one begins that is so many later, or earlier. */
extern int64_t candles_query_begin(const CandlesQuery *query, int64_t unix_us);
extern int64_t candles_query_step(const CandlesQuery *query, int64_t begin, int32_t candles);

#endif /* CRYPTO_RT_HTTP_CANDLES_QUERY_H */
