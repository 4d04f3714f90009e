/*
 * settings.h
 *	  The settings crypto_rt.*: one accessor each.
 *
 * A wrong value never gets this far: it is refused where it is set, with the reason, and the old
 * value stays.
 */
#ifndef CRYPTO_RT_SETTINGS_H
#define CRYPTO_RT_SETTINGS_H

#include "../core/retention.h"
#include "../core/tier.h"

/* Define them all.  Only while shared_preload_libraries are loaded. */
extern void settings_define(void);

extern const char *settings_database(void);
extern const char *settings_source_url(void); /* without a slash at its end */
extern double settings_max_requests_per_second(void);
extern int settings_max_rank(void);  /* 0: all */
extern int settings_max_coins(void); /* slots of the board */
extern const TierList *settings_tiers(void);
extern const char *settings_redis_url(void);           /* "": no Redis; with its password: never show it */
extern const char *settings_redis_password_file(void); /* "": none */
extern double settings_ttl_factor(void);
extern int settings_ticker_top(void);         /* 0: all */
extern int settings_snapshot_top(void);       /* 0: all */
extern int settings_flush_interval(void);     /* milliseconds */
extern int settings_snapshot_retention(void); /* minutes; 0: for ever */
extern Retention settings_candle_retention(void);

/* Seconds for which a quote of this rank is good. */
extern int settings_ttl(int rank);

#endif /* CRYPTO_RT_SETTINGS_H */
