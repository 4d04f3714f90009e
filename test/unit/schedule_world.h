/*
 * schedule_world.h
 *	  A World is what the poller and CoinLore are to the schedule: it asks for pages, lets each answer
 *	  take its time, and writes down when each was started.  For schedule_test.c only.
 */
#ifndef CRYPTO_RT_SCHEDULE_WORLD_H
#define CRYPTO_RT_SCHEDULE_WORLD_H

#include "unit.h"

#include "schedule.h"

#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define MORNING (1000 * HOUR) /* when the clock of a test begins */

#define COINS 14993 /* in 150 pages */
#define STARTS_MAX 100000

typedef enum Answer
{
	ANSWER_GOOD,
	ANSWER_BAD,     /* a page that cannot be used */
	ANSWER_REFUSED, /* 429 */
	ANSWER_NONE     /* in flight until the world changes */
} Answer;

typedef struct World
{
	/* for the test to change */
	int coins;       /* what CoinLore says it has */
	Answer answer;   /* to every page */
	int bad_page;    /* but to this one always ANSWER_BAD; -1: to none */
	int64_t latency; /* of each answer */
	int64_t retry_after;

	/* what happened */
	int64_t now;
	int64_t answer_at[SCHEDULE_PAGES_MAX];   /* 0: not in flight */
	int64_t started_at[SCHEDULE_PAGES_MAX];  /* last; 0: never */
	int64_t longest_gap[SCHEDULE_PAGES_MAX]; /* from start to start */
	int64_t starts[STARTS_MAX];              /* of all pages */
	int nstarts;
	int sweeps;
	int pages; /* all that were ever started are below it */

	Schedule schedule;
} World;

static World world; /* too large for the stack of a sanitized program */

static inline TierList
tiers(const char *text)
{
	TierList list;
	char err[160];

	if (!tier_parse(text, &list, err, sizeof(err)))
		fail_msg("%s: %s", text, err);
	return list;
}

static inline World *
new_world(const char *list, double rate, int max_rank, int coins)
{
	World *w = &world;
	TierList parsed = tiers(list);

	memset(w, 0, sizeof(*w));
	w->coins = coins;
	w->bad_page = -1;
	w->latency = 200 * MS;
	w->now = MORNING;
	schedule_init(&w->schedule, &parsed, rate, max_rank, w->now);
	return w;
}

/* Take the counters back to nothing, to count from here on. */
static inline void
forget(World *w)
{
	memset(w->longest_gap, 0, sizeof(w->longest_gap));
	w->nstarts = 0;
	for (int i = 0; i < TIER_MAX; i++)
		w->schedule.tiers[i].polls = w->schedule.tiers[i].late = w->schedule.tiers[i].failed = 0;
}

static inline void
start(World *w, int page)
{
	int64_t gap = w->now - w->started_at[page];

	if (w->answer_at[page] != 0)
		fail_msg("page %d is given out while it is in flight", page);
	if (w->started_at[page] != 0 && gap > w->longest_gap[page])
		w->longest_gap[page] = gap;
	w->started_at[page] = w->now;
	w->answer_at[page] = w->now + w->latency;
	assert_true(w->nstarts < STARTS_MAX);
	w->starts[w->nstarts++] = w->now;
	if (page >= w->pages)
		w->pages = page + 1;
}

static inline void
answer(World *w, int page)
{
	Answer what = page == w->bad_page ? ANSWER_BAD : w->answer;
	Schedule *s = &w->schedule;

	w->answer_at[page] = 0;
	if (what == ANSWER_REFUSED)
		schedule_throttle(s, w->retry_after, w->now);
	else
		schedule_recover(s);
	if (what == ANSWER_GOOD)
		schedule_set_coins(s, w->coins, w->now);
	if (schedule_finish(s, page, what == ANSWER_GOOD))
		w->sweeps++;
}

/* Let the clock run for a while. */
static inline void
run(World *w, int64_t duration)
{
	int64_t end = w->now + duration;
	int idle = 0;

	for (;;)
	{
		int64_t next = end;
		int64_t wait;
		int page;

		while ((page = schedule_next(&w->schedule, w->now)) >= 0)
		{
			start(w, page);
			idle = 0;
		}
		wait = schedule_wait(&w->schedule, w->now);
		if (wait != SCHEDULE_NEVER && w->now + wait < next)
			next = w->now + wait;
		for (int i = 0; w->answer != ANSWER_NONE && i < w->pages; i++)
			if (w->answer_at[i] != 0 && w->answer_at[i] < next)
				next = w->answer_at[i];
		if (next > w->now)
			idle = 0;
		else if (++idle > 1000)
			fail_msg("schedule_wait says 0 and schedule_next has nothing, again and again");
		if (next >= end)
			break;
		if (next > w->now)
			w->now = next;
		for (int i = 0; w->answer != ANSWER_NONE && i < w->pages; i++)
			if (w->answer_at[i] != 0 && w->answer_at[i] <= w->now)
				answer(w, i);
	}
	w->now = end;
}

static inline uint64_t
late_polls(const World *w)
{
	uint64_t late = 0;

	for (int i = 0; i < w->schedule.list.count; i++)
		late += w->schedule.tiers[i].late;
	return late;
}

/* The longest time between two polls of any page of a tier, the time since the last one included. */
static inline int64_t
longest_gap(const World *w, int tier)
{
	int64_t longest = 0;

	for (int i = 0; i < w->schedule.npages; i++)
	{
		int64_t gap = w->now - w->started_at[i];

		if (w->schedule.pages[i].tier != tier)
			continue;
		longest = gap > longest ? gap : longest;
		longest = w->longest_gap[i] > longest ? w->longest_gap[i] : longest;
	}
	return longest;
}

static inline void
check_budget(const World *w, int64_t window, int most)
{
	for (int first = 0, last = 0; last < w->nstarts; last++)
	{
		while (w->starts[last] - w->starts[first] >= window)
			first++;
		if (last - first + 1 > most)
			fail_msg("%d requests within %lld ms", last - first + 1, (long long) (window / MS));
	}
}

/* All that must be true of a schedule at any time. */
static inline void
check_sound(const Schedule *s)
{
	int pages[TIER_MAX] = {0};
	int unswept = 0;

	assert_in_range(s->npages, 1, SCHEDULE_PAGES_MAX);
	for (int i = 0; i < s->npages; i++)
	{
		assert_in_range(s->pages[i].tier, 1, s->list.count);
		assert_int_equal(s->pages[i].tier, tier_of_rank(&s->list, i * SCHEDULE_PAGE_ROWS + 1));
		pages[s->pages[i].tier - 1]++;
		unswept += !s->pages[i].swept;
	}
	assert_int_equal(s->unswept, unswept);
	for (int i = 0; i < s->list.count; i++)
	{
		assert_int_equal(s->tiers[i].pages, pages[i]);
		assert_true(s->tiers[i].stretched >= s->tiers[i].interval);
	}
	assert_true(s->rate > 0 && s->rate <= s->max_rate);
}

#endif /* CRYPTO_RT_SCHEDULE_WORLD_H */
