/*
 * schedule.c
 *	  Which page is due; see schedule.h.
 */
#include "schedule.h"

#include <string.h>

#define SECOND INT64_C(1000000)

#define LATE_PART 5      /* late: after a fifth of the interval */
#define USE_MAX 0.98     /* of the budget: what is planned, so that a queue drains */
#define GAP_PART 4       /* requests are at least a fourth of their mean distance apart */
#define RATE_FLOOR 0.125 /* of max_rate: where halving ends */
#define RATE_STEP 0.0625 /* of max_rate: given back by each success */
#define RETRY_AFTER_MAX (600 * SECOND)

static int64_t
at_most(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static ScheduleTier *
tier_of(Schedule *s, const SchedulePage *page)
{
	return &s->tiers[page->tier - 1];
}

/* When a page's poll starts to count as late. */
static int64_t
deadline(const Schedule *s, const SchedulePage *page)
{
	return page->due + s->tiers[page->tier - 1].stretched / LATE_PART;
}

/* Spend the budget on the tiers from the top, and stretch the intervals of those it does not reach. */
static void
stretch(Schedule *s)
{
	double demand[TIER_MAX] = {0};
	double total = 0;
	double excess;

	for (int i = 0; i < s->list.count; i++)
	{
		demand[i] = (double) s->tiers[i].pages * SECOND / (double) s->tiers[i].interval;
		total += demand[i];
	}
	excess = total - s->rate * USE_MAX;
	for (int i = s->list.count - 1; i >= 0; i--)
	{
		double cut = demand[i] * (1.0 - 1.0 / SCHEDULE_STRETCH_MAX);

		if (cut > excess)
			cut = excess > 0 ? excess : 0;
		excess -= cut;
		if (cut > 0)
			s->tiers[i].stretched = (int64_t) ((double) s->tiers[i].interval * demand[i] / (demand[i] - cut));
		else
			s->tiers[i].stretched = s->tiers[i].interval;
		total -= cut;
	}
	if (excess > 0)
		for (int i = 0; i < s->list.count; i++)
			s->tiers[i].stretched = (int64_t) ((double) s->tiers[i].stretched * total / (s->rate * USE_MAX));

	/* what was put off for a longer interval comes back when the interval shrinks */
	for (int i = 0; i < s->npages; i++)
	{
		SchedulePage *page = &s->pages[i];

		page->due = at_most(page->due, page->since + tier_of(s, page)->stretched);
	}
}

/* Lay out the pages anew: their number, their tiers, and first dates for new ones. */
static void
lay_out(Schedule *s, int64_t now)
{
	int ranks = s->coins;
	int old_npages = s->npages;
	int position[TIER_MAX] = {0};

	if (s->max_rank > 0 && ranks > s->max_rank)
		ranks = s->max_rank;
	s->npages = (ranks + SCHEDULE_PAGE_ROWS - 1) / SCHEDULE_PAGE_ROWS;
	if (s->npages < 1)
		s->npages = 1;
	if (s->npages > SCHEDULE_PAGES_MAX)
		s->npages = SCHEDULE_PAGES_MAX;

	for (int i = 0; i < TIER_MAX; i++)
		s->tiers[i].pages = 0;
	for (int i = 0; i < s->list.count; i++)
		s->tiers[i].interval = (int64_t) s->list.tiers[i].interval * 1000;
	for (int i = old_npages; i < s->npages; i++)
		s->pages[i] = (SchedulePage){.in_flight = s->pages[i].in_flight, .since = now};
	for (int i = 0; i < s->npages; i++)
	{
		s->pages[i].tier = tier_of_rank(&s->list, i * SCHEDULE_PAGE_ROWS + 1);
		tier_of(s, &s->pages[i])->pages++;
	}
	stretch(s);

	s->unswept = 0;
	for (int i = 0; i < s->npages; i++)
	{
		SchedulePage *page = &s->pages[i];
		const ScheduleTier *tier = tier_of(s, page);
		int64_t phase = tier->stretched * position[page->tier - 1]++ / tier->pages;

		if (i >= old_npages)
			page->due = now + phase;
		s->unswept += !page->swept;
	}
}

void
schedule_init(Schedule *s, const TierList *list, double max_rate, int max_rank, int64_t now)
{
	memset(s, 0, sizeof(*s));
	s->tokens = 1;
	s->tokens_at = now;
	s->rate = max_rate;
	schedule_configure(s, list, max_rate, max_rank, now);
}

void
schedule_configure(Schedule *s, const TierList *list, double max_rate, int max_rank, int64_t now)
{
	/* a tier's counters speak of its number, so they stay */
	s->list = *list;
	s->rate = s->rate >= s->max_rate || s->rate > max_rate ? max_rate : s->rate;
	s->max_rate = max_rate;
	s->max_rank = max_rank;
	lay_out(s, now);
}

void
schedule_set_coins(Schedule *s, int coins, int64_t now)
{
	if (coins == s->coins)
		return;
	s->coins = coins;
	lay_out(s, now);
}

static double
bucket_size(const Schedule *s)
{
	return s->rate > 20 ? s->rate / 10 : 2;
}

int
schedule_next(Schedule *s, int64_t now)
{
	int best = -1;
	int64_t best_urgency = SCHEDULE_NEVER;
	int64_t urgency;
	SchedulePage *page;
	ScheduleTier *tier;

	if (now > s->tokens_at)
	{
		s->tokens += s->rate * (double) (now - s->tokens_at) / SECOND;
		if (s->tokens > bucket_size(s))
			s->tokens = bucket_size(s);
		s->tokens_at = now;
	}
	if (s->tokens < 1 || now < s->hold_until || now < s->gap_until)
		return -1;

	for (int i = 0; i < s->npages; i++)
	{
		page = &s->pages[i];
		if (page->in_flight || page->due > now)
			continue;
		/* what is late already goes by rank: after an outage the best coins are first */
		urgency = page->asked ? INT64_MIN : deadline(s, page) > now ? deadline(s, page) : now;
		if (urgency >= best_urgency)
			continue;
		best = i;
		best_urgency = urgency;
	}
	if (best < 0)
		return -1;

	page = &s->pages[best];
	tier = tier_of(s, page);
	s->tokens -= 1;
	s->gap_until = now + (int64_t) (SECOND / s->max_rate / GAP_PART);
	tier->polls++;
	if (page->started > 0)
	{
		int64_t gap = now - page->started;

		tier->achieved = tier->achieved == 0 ? gap : tier->achieved + (gap - tier->achieved) / 16;
	}
	/* on time, the page keeps its place among its fellows; late, it takes a new one */
	if (now <= deadline(s, page))
		page->due += tier->stretched;
	else
	{
		tier->late += !page->asked;
		page->due = now + tier->stretched;
	}
	page->started = page->since = now;
	page->asked = false;
	page->in_flight = true;
	return best;
}

int64_t
schedule_wait(const Schedule *s, int64_t now)
{
	int64_t first = SCHEDULE_NEVER;
	int64_t ready = s->hold_until > s->gap_until ? s->hold_until : s->gap_until;

	for (int i = 0; i < s->npages; i++)
		if (!s->pages[i].in_flight)
			first = at_most(first, s->pages[i].due);
	if (first == SCHEDULE_NEVER)
		return SCHEDULE_NEVER;

	if (s->tokens < 1)
	{
		int64_t token = s->tokens_at + (int64_t) ((1 - s->tokens) * SECOND / s->rate) + 1;

		if (token > ready)
			ready = token;
	}
	if (ready > first)
		first = ready;
	return first > now ? first - now : 0;
}

bool
schedule_finish(Schedule *s, int number, bool ok)
{
	SchedulePage *page = &s->pages[number];

	page->in_flight = false;
	if (number >= s->npages)
		return false; /* CoinLore's list has become shorter meanwhile */
	if (!ok)
	{
		tier_of(s, page)->failed++;
		return false;
	}
	if (!page->swept)
	{
		page->swept = true;
		s->unswept--;
	}
	if (s->unswept > 0 || s->coins == 0)
		return false;

	for (int i = 0; i < s->npages; i++)
		s->pages[i].swept = false;
	s->unswept = s->npages;
	s->sweeps++;
	return true;
}

void
schedule_throttle(Schedule *s, int64_t retry_after, int64_t now)
{
	if (retry_after > 0)
	{
		int64_t until = now + at_most(retry_after, RETRY_AFTER_MAX);

		if (until > s->hold_until)
			s->hold_until = until;
	}
	/* answers to requests that were under way together count as one refusal */
	if (s->throttled_at != 0 && now - s->throttled_at < SECOND)
		return;
	s->throttled_at = now;
	s->rate /= 2;
	if (s->rate < s->max_rate * RATE_FLOOR)
		s->rate = s->max_rate * RATE_FLOOR;
	s->tokens = 0;
	s->tokens_at = now;
	stretch(s);
}

void
schedule_recover(Schedule *s)
{
	if (s->rate >= s->max_rate)
		return;
	s->rate += s->max_rate * RATE_STEP;
	if (s->rate > s->max_rate)
		s->rate = s->max_rate;
	stretch(s);
}

void
schedule_put_off(Schedule *s, int64_t duration)
{
	for (int i = 0; i < s->npages; i++)
	{
		s->pages[i].due += duration;
		s->pages[i].since += duration; /* or the next change of an interval calls it back */
	}
}

void
schedule_ask(Schedule *s, int number, int64_t now)
{
	SchedulePage *page;

	if (number < 0 || number >= s->npages)
		return;
	page = &s->pages[number];
	if (page->in_flight || (page->started > 0 && now - page->started < SECOND))
		return;
	page->due = at_most(page->due, now);
	page->asked = true;
}
