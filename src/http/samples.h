/*
 * samples.h
 *	  How the daemon did over the last hour: a sample every ten seconds, of what its modules count.
 */
#ifndef CRYPTO_RT_HTTP_SAMPLES_H
#define CRYPTO_RT_HTTP_SAMPLES_H

#include "text.h"

#define SAMPLES_MAX 360
#define SAMPLES_INTERVAL 10 /* seconds */

/* Begin; the first sample comes an interval later. */
extern void samples_init(void);

/*
 * Write them as JSON: {"interval_seconds":10,"until":…,"requests_per_second":[…],…}.  until is the time of the newest in unix
 * seconds, null while there is none; the oldest is the first; what was not known is null.
 */
extern void samples_write(Text *text);

#endif /* CRYPTO_RT_HTTP_SAMPLES_H */
