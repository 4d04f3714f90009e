/*
 * status.h
 *	  What the workers report of themselves, in shared memory; crypto_status() and crypto_tiers show it.
 *
 * Each number and each text is written by one worker and read by anybody.
 */
#ifndef CRYPTO_RT_STATUS_H
#define CRYPTO_RT_STATUS_H

#include "postgres.h"

#include "../core/schedule.h"

typedef enum StatusNumber
{
	/* written by the poller; times are unix microseconds, 0: never */
	STATUS_LAST_POLL,
	STATUS_LAST_SWEEP,
	STATUS_SWEEPS,
	STATUS_PAGES_FETCHED,
	STATUS_PAGES_UNCHANGED, /* of these, the same bytes as before */
	STATUS_PAGES_FAILED,
	STATUS_ROWS_REJECTED,
	STATUS_REQUEST_RATE, /* thousandths of a request per second that the budget allows now */
	STATUS_SIMULATED,    /* 1: the source is the simulator */

	/* written by the publisher */
	STATUS_REDIS_CONNECTED,
	STATUS_REDIS_CONNECTS,
	STATUS_REDIS_QUOTES,   /* quotes written */
	STATUS_REDIS_MESSAGES, /* published on crypto:updates */
	STATUS_REDIS_ERRORS,

	/* written by the recorder */
	STATUS_LAST_FLUSH,
	STATUS_TICKERS_WRITTEN,
	STATUS_SNAPSHOTS_WRITTEN,
	STATUS_ROWS_REFUSED, /* by a constraint or a trigger of the user's */
	STATUS_FLUSH_FAILURES,
	STATUS_NUMBERS
} StatusNumber;

typedef enum StatusText
{
	STATUS_FEED,     /* "" when all is well, otherwise what is wrong; written by the poller */
	STATUS_REDIS,    /* likewise, by the publisher */
	STATUS_RECORDER, /* likewise, by the recorder */
	STATUS_LAUNCHER, /* likewise, by the launcher */
	STATUS_TEXTS
} StatusText;

#define STATUS_TEXT_SIZE 256

extern Size status_shmem_size(void);
extern void status_shmem_init(bool found, void *memory);

extern void status_set(StatusNumber number, int64 value);
extern void status_add(StatusNumber number, int64 value);
extern int64 status_get(StatusNumber number);

/*
 * Report a change of state: logs once when text differs from what it was, at LOG, as "<who>: <text>", and when it
 * becomes "" that all is well again.  Secrets must not be in it.
 */
extern void status_report(StatusText which, const char *fmt, ...) pg_attribute_printf(2, 3);
extern void status_ok(StatusText which);
extern void status_read(StatusText which, char *buf); /* STATUS_TEXT_SIZE */

/* The schedule's state per tier, published by the poller after each change. */
extern void status_set_tiers(const Schedule *schedule);
extern int status_get_tiers(TierList *list, ScheduleTier tiers[TIER_MAX]);

#endif /* CRYPTO_RT_STATUS_H */
