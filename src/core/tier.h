/*
 * tier.h
 *	  Tiers: which ranks are polled how often.
 *
 * A tier list is written as in the setting crypto_rt.tiers: "100:5,500:10,1000:20,5000:30,*:60"
 * says that ranks up to 100 are polled every 5 s, up to 500 every 10 s, and the rest every 60 s.  An interval may be given in
 * milliseconds too, as in "100:500ms".
 */
#ifndef CRYPTO_RT_TIER_H
#define CRYPTO_RT_TIER_H

#include <stdbool.h>
#include <stddef.h>

#define TIER_MAX 16               /* tiers in a list */
#define TIER_INTERVAL_MIN 20      /* milliseconds */
#define TIER_INTERVAL_MAX 3600000 /* milliseconds */
#define TIER_NO_LIMIT 0x7fffffff
#define TIER_DEFAULT "100:5,500:10,1000:20,5000:30,*:60"

typedef struct Tier
{
	int last_rank; /* TIER_NO_LIMIT in the last one */
	int interval;  /* milliseconds from poll to poll */
	int ttl;       /* seconds for which a quote is good, before crypto_rt.ttl_factor */
} Tier;

typedef struct TierList
{
	int count; /* 1 to TIER_MAX */
	Tier tiers[TIER_MAX];
} TierList;

/*
 * Read a list.  Limits must rise, intervals must be TIER_INTERVAL_MIN to TIER_INTERVAL_MAX,
 * and the last limit must be *.  On failure returns false, with what was wrong and where in err.
 */
extern bool tier_parse(const char *text, TierList *list, char *err, size_t errsize);

/* The number of the tier of a rank: 1 for the first.  Rank 0 (unknown) belongs to the last. */
extern int tier_of_rank(const TierList *list, int rank);

/* The first rank of tier number n. */
extern int tier_first_rank(const TierList *list, int n);

/* How long a quote that is polled every so many seconds is good, in seconds, before crypto_rt.ttl_factor. */
extern int tier_default_ttl(int seconds);

static inline const Tier *
tier_get(const TierList *list, int n)
{
	return &list->tiers[n - 1];
}

/* A tier's interval in whole seconds, at least 1, as quotes show it. */
static inline int
tier_seconds(const Tier *tier)
{
	return tier->interval < 1000 ? 1 : tier->interval / 1000;
}

#endif /* CRYPTO_RT_TIER_H */
