/*
 * schedule.h
 *	  Which page is due: tiers, the request budget, and sweeps.
 *
 * CoinLore's coins come in pages of 100 by rank.  A page belongs to the tier of its first rank and
 * falls due once per interval of that tier; a tier's pages are spread evenly over its interval.
 * Among pages that are due the one goes first that will be late first.
 *
 * A token bucket stands over all pages.  When it is too small for all of them, the low tiers'
 * intervals are stretched first, each to ten times at the most, so that tier 1 stays on time and
 * nobody starves.  When CoinLore refuses (429, 403, 5xx) or does not answer, the rate is halved,
 * once a second at the most; each success gives a part of it back.
 *
 * A sweep ends when every page has been polled since the last one ended.
 *
 * No clock, no I/O: the caller passes the time, in microseconds of any clock that only goes forward.
 */
#ifndef CRYPTO_RT_SCHEDULE_H
#define CRYPTO_RT_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "tier.h"

#define SCHEDULE_PAGE_ROWS 100
#define SCHEDULE_PAGES_MAX 2000 /* 200,000 coins */
#define SCHEDULE_STRETCH_MAX 10
#define SCHEDULE_NEVER INT64_MAX

typedef struct SchedulePage
{
	int64_t due;
	int64_t started; /* the last poll; 0 before the first */
	int64_t since;   /* the last poll, or when the page appeared */
	int tier;        /* number of its tier */
	bool in_flight;
	bool asked; /* out of turn: before all others, and never late */
	bool swept; /* polled in this sweep */
} SchedulePage;

typedef struct ScheduleTier
{
	int pages;
	int64_t interval;  /* as asked, in microseconds */
	int64_t stretched; /* as the budget allows; equal to interval when it allows all */
	int64_t achieved;  /* smoothed time from poll to poll; 0 before the second */
	uint64_t polls;    /* started */
	uint64_t late;     /* of these, started later than 20 % of the interval */
	uint64_t failed;   /* of these, without a usable answer */
} ScheduleTier;

typedef struct Schedule
{
	/* what was asked for */
	TierList list;
	double max_rate; /* requests per second */
	int max_rank;    /* 0: all */
	int coins;       /* that CoinLore has; 0 until it said so */

	/* the budget */
	double rate; /* as CoinLore lets us; max_rate when all is well */
	double tokens;
	int64_t tokens_at;
	int64_t hold_until;   /* no request before this */
	int64_t gap_until;    /* no request before this, so that pages due together do not come together */
	int64_t throttled_at; /* when the rate was halved last */

	/* the pages */
	int npages;
	int unswept;     /* pages not polled in this sweep yet */
	uint32_t sweeps; /* completed */
	ScheduleTier tiers[TIER_MAX];
	SchedulePage pages[SCHEDULE_PAGES_MAX];
} Schedule;

/* Begin with page 0 due at once; the others appear when schedule_set_coins tells how many there are. */
extern void schedule_init(Schedule *s, const TierList *list, double max_rate, int max_rank, int64_t now);

/* Take other settings over.  Pages keep their last poll and what is in flight. */
extern void schedule_configure(Schedule *s, const TierList *list, double max_rate, int max_rank, int64_t now);

/* Tell how many coins CoinLore has. */
extern void schedule_set_coins(Schedule *s, int coins, int64_t now);

/* The page to fetch now, which is then in flight; -1 when none is due or the budget is spent. */
extern int schedule_next(Schedule *s, int64_t now);

/* Microseconds until schedule_next may have something; SCHEDULE_NEVER while all is in flight. */
extern int64_t schedule_wait(const Schedule *s, int64_t now);

/* A page's answer is in, usable or not.  Returns true when this ends a sweep. */
extern bool schedule_finish(Schedule *s, int page, bool ok);

/* CoinLore refused or did not answer.  retry_after: microseconds it asked us to wait, or 0. */
extern void schedule_throttle(Schedule *s, int64_t retry_after, int64_t now);

/* CoinLore answered. */
extern void schedule_recover(Schedule *s);

/* Nothing was polled for a while, on purpose: put everything off by as much. */
extern void schedule_put_off(Schedule *s, int64_t duration);

/* Make a page due now, unless it was polled within the last second. */
extern void schedule_ask(Schedule *s, int page, int64_t now);

#endif /* CRYPTO_RT_SCHEDULE_H */
