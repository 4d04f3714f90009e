/*
 * retention.h
 *	  For how long candles are kept.
 *
 * Written as in the setting crypto_rt.candle_retention: "1m:30d,1h:730d" says that candles of minutes are kept for 30 days and
 * those of hours for two years.  * stands for ever, as does a resolution that is left out; candles of days are always kept.
 */
#ifndef CRYPTO_RT_RETENTION_H
#define CRYPTO_RT_RETENTION_H

#include <stdbool.h>
#include <stddef.h>

#define RETENTION_DEFAULT "1m:30d,1h:730d"
#define RETENTION_DAYS_MAX 36500
#define RETENTION_FOR_EVER 0

typedef struct Retention
{
	int minutes; /* days for which candles of minutes are kept; RETENTION_FOR_EVER */
	int hours;   /* likewise of hours */
} Retention;

/* Read one.  On failure returns false, with what was wrong and where in err. */
extern bool retention_parse(const char *text, Retention *retention, char *err, size_t errsize);

#endif /* CRYPTO_RT_RETENTION_H */
