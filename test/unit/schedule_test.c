/*
 * schedule_test.c
 *	  The schedule, hour after hour, by a clock that the test moves.
 */
#include "schedule_world.h"

/* The day's work */

static void
begins_with_the_first_page(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);
	Schedule *s = &w->schedule;

	(void) state;
	assert_int_equal(schedule_wait(s, w->now), 0);
	assert_int_equal(schedule_next(s, w->now), 0);
	assert_int_equal(schedule_next(s, w->now), -1);
	assert_true(schedule_wait(s, w->now) == SCHEDULE_NEVER); /* nothing to wait for but the answer */
	assert_int_equal(schedule_next(s, w->now + HOUR), -1);
	assert_false(schedule_finish(s, 0, true)); /* no sweep, as nobody knows how many there are */
	schedule_set_coins(s, COINS, w->now);
	assert_int_equal(s->npages, 150);
	check_sound(s);
}

static void
polls_all_coins_on_time_for_an_hour(void **state)
{
	static const struct
	{
		int pages;
		int64_t interval;
	} expected[] = {{1, 5}, {4, 10}, {5, 20}, {40, 30}, {100, 60}};
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

	(void) state;
	run(w, HOUR);
	check_sound(&w->schedule);
	assert_int_equal(late_polls(w), 0);
	check_budget(w, 10 * SECOND, 4 * 10 + 2);
	check_budget(w, SECOND, 4 + 2);
	for (int n = 1; n <= 5; n++)
	{
		const ScheduleTier *tier = &w->schedule.tiers[n - 1];
		int64_t interval = expected[n - 1].interval;
		char label[32];

		snprintf(label, sizeof(label), "tier %d", n);
		UNIT_CHECK_INT(tier->pages, expected[n - 1].pages, label);
		UNIT_CHECK_INT(tier->interval, interval * SECOND, label);
		UNIT_CHECK_INT(tier->stretched, tier->interval, label);
		UNIT_CHECK(llabs(tier->achieved - tier->interval) < tier->interval / 20, label);
		UNIT_CHECK_INT(tier->failed, 0, label);
		UNIT_CHECK(longest_gap(w, n) <= tier->interval * 6 / 5, label);
		/* as often as asked, less what the first minute took to begin */
		UNIT_CHECK((int64_t) tier->polls >= tier->pages * (3600 / interval - 2), label);
		UNIT_CHECK((int64_t) tier->polls <= tier->pages * (3600 / interval + 1), label);
	}
}

static void
spreads_pages_evenly(void **state)
{
	World *w = new_world("*:60", 100, 0, COINS);

	(void) state;
	run(w, MINUTE);
	forget(w);
	run(w, 10 * MINUTE);
	assert_in_range(w->nstarts, 1499, 1501);
	check_budget(w, SECOND, 4);
	check_budget(w, 10 * SECOND, 26);
}

static void
ends_a_sweep_when_every_page_was_answered(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

	(void) state;
	run(w, 30 * SECOND);
	assert_int_equal(w->sweeps, 0);
	run(w, 35 * SECOND);
	assert_int_equal(w->sweeps, 1);
	run(w, HOUR);
	assert_in_range(w->sweeps, 58, 61); /* one a minute, as the slowest tier goes */
	assert_int_equal(w->sweeps, w->schedule.sweeps);
}

static void
a_page_that_fails_keeps_the_sweep_open(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

	(void) state;
	w->bad_page = 77;
	run(w, 10 * MINUTE);
	assert_int_equal(w->sweeps, 0);
	assert_int_equal(w->schedule.unswept, 1);
	assert_in_range(w->schedule.tiers[4].failed, 9, 10);
	check_sound(&w->schedule);
	w->bad_page = -1;
	run(w, MINUTE + SECOND);
	assert_int_equal(w->sweeps, 1);
}

static void
stretches_nothing_without_need(void **state)
{
	(void) state;
	for (int pages = 1; pages <= 150; pages++)
		for (int ms = 900; ms <= 60000; ms += 1970)
		{
			char list[32];
			World *w;

			snprintf(list, sizeof(list), "*:%dms", ms);
			w = new_world(list, 1000, 0, pages * 100);
			schedule_set_coins(&w->schedule, pages * 100, w->now);
			UNIT_CHECK_INT(w->schedule.tiers[0].stretched, ms * MS, list);
		}
}

/* Too small a budget */

static void
one_request_a_second_stretches_low_tiers(void **state)
{
	World *w = new_world(TIER_DEFAULT, 1, 0, COINS);
	const ScheduleTier *t = w->schedule.tiers;

	(void) state;
	run(w, 20 * MINUTE);
	forget(w);
	run(w, 2 * HOUR);
	check_sound(&w->schedule);
	check_budget(w, 10 * SECOND, 10 + 2);

	assert_true(t[0].stretched == 5 * SECOND && t[1].stretched == 10 * SECOND);
	assert_true(t[2].stretched > 20 * SECOND && t[2].stretched < 200 * SECOND); /* the budget ends here */
	assert_true(t[3].stretched > 299 * SECOND && t[4].stretched > 599 * SECOND);
	assert_true(longest_gap(w, 1) <= 6 * SECOND);
	assert_true(longest_gap(w, 2) <= 12 * SECOND);
	assert_int_equal(t[0].late, 0);
	for (int n = 1; n <= 5; n++)
	{
		char label[32];

		snprintf(label, sizeof(label), "tier %d", n);
		UNIT_CHECK(t[n - 1].stretched <= t[n - 1].interval * SCHEDULE_STRETCH_MAX, label);
		UNIT_CHECK(longest_gap(w, n) <= t[n - 1].interval * SCHEDULE_STRETCH_MAX * 6 / 5, label);
	}
}

static void
a_tiny_budget_starves_nobody(void **state)
{
	World *w = new_world(TIER_DEFAULT, 0.1, 0, COINS);

	(void) state;
	run(w, 10 * HOUR);
	check_sound(&w->schedule);
	check_budget(w, 100 * SECOND, 10 + 2);
	for (int i = 0; i < 150; i++)
		assert_true(w->started_at[i] != 0);
	/* 3.85 requests a second were asked for: all wait about 4 times longer than ten times as long */
	for (int n = 1; n <= 5; n++)
		assert_true(longest_gap(w, n) <= w->schedule.tiers[n - 1].interval * 60);
}

static void
a_large_budget_serves_many_fast_pages(void **state)
{
	World *w = new_world("*:100ms", 2000, 0, COINS);

	(void) state;
	w->latency = 20 * MS;
	run(w, 30 * SECOND);
	assert_int_equal(late_polls(w), 0);
	assert_in_range(w->nstarts, 44500, 45000);
	check_sound(&w->schedule);
}

static void
stretched_tiers_come_back_with_the_budget(void **state)
{
	World *w = new_world(TIER_DEFAULT, 0.5, 0, COINS);
	TierList list = tiers(TIER_DEFAULT);

	(void) state;
	run(w, HOUR);
	schedule_configure(&w->schedule, &list, 8, 0, w->now);
	run(w, 2 * MINUTE);
	forget(w);
	run(w, 10 * MINUTE);
	assert_int_equal(late_polls(w), 0);
	assert_true(longest_gap(w, 5) <= 72 * SECOND);
}

/* CoinLore refuses */

static void
throttle_halves_the_rate_once_a_second(void **state)
{
	static const struct
	{
		int64_t at;
		double rate;
	} rows[] = {
		{0, 2},
		{1, 2},
		{999 * MS, 2},
		{1000 * MS, 1},
		{1999 * MS, 1},
		{2000 * MS, 0.5},
		{3 * SECOND, 0.5}, /* the floor: an eighth */
		{9 * SECOND, 0.5},
	};
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		schedule_throttle(&w->schedule, 0, w->now + rows[i].at);
		assert_float_equal(w->schedule.rate, rows[i].rate, 1e-9);
		check_sound(&w->schedule);
	}
}

static void
throttle_slows_requests_down(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

	(void) state;
	run(w, 2 * MINUTE);
	w->answer = ANSWER_REFUSED;
	run(w, 10 * SECOND);
	forget(w);
	run(w, 10 * MINUTE);
	check_budget(w, 10 * SECOND, 5 + 2);
	assert_in_range(w->nstarts, 200, 302); /* and yet it keeps asking */
}

static void
success_restores_the_rate_step_by_step(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);
	Schedule *s = &w->schedule;
	double before;
	int steps = 0;

	(void) state;
	run(w, 2 * MINUTE);
	for (int i = 0; i < 5; i++)
		schedule_throttle(s, 0, w->now + i * SECOND);
	assert_true(s->tiers[4].stretched > s->tiers[4].interval);
	for (; s->rate < 4; steps++)
	{
		before = s->rate;
		schedule_recover(s);
		assert_true(s->rate > before && s->rate - before <= 0.5);
		check_sound(s);
	}
	assert_in_range(steps, 5, 50);
	assert_true(s->tiers[4].stretched == s->tiers[4].interval);
	schedule_recover(s);
	assert_float_equal(s->rate, 4, 0);
}

static void
retry_after_is_honoured_up_to_ten_minutes(void **state)
{
	static const struct
	{
		int64_t asked;
		int64_t kept;
	} rows[] = {{SECOND, SECOND},
				{30 * SECOND, 30 * SECOND},
				{600 * SECOND, 600 * SECOND},
				{HOUR, 600 * SECOND},
				{INT64_MAX, 600 * SECOND}};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

		run(w, 2 * MINUTE);
		schedule_throttle(&w->schedule, rows[i].asked, w->now);
		/* a shorter one, or none, does not cut it short */
		schedule_throttle(&w->schedule, SECOND, w->now);
		schedule_throttle(&w->schedule, 0, w->now);
		forget(w);
		run(w, rows[i].kept - 1);
		assert_int_equal(w->nstarts, 0);
		run(w, SECOND);
		assert_true(w->nstarts > 0);
	}
}

static void
a_refused_poller_recovers(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

	(void) state;
	run(w, 2 * MINUTE);
	w->answer = ANSWER_REFUSED;
	w->retry_after = 20 * SECOND;
	run(w, 5 * MINUTE);
	w->answer = ANSWER_GOOD;
	run(w, 5 * MINUTE);
	forget(w);
	run(w, HOUR);
	assert_float_equal(w->schedule.rate, 4, 0);
	assert_int_equal(late_polls(w), 0);
}

/* CoinLore does not answer at all for ten minutes, and then it does */

static void
tier_1_is_soon_on_time_after_an_outage(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

	(void) state;
	run(w, 2 * MINUTE);
	w->answer = ANSWER_NONE;
	run(w, 10 * MINUTE);
	w->answer = ANSWER_GOOD;
	run(w, 10 * SECOND);
	forget(w);
	run(w, 10 * MINUTE);
	if (longest_gap(w, 1) > 10 * SECOND)
		fail_msg("tier 1, asked for every 5 s, was not polled for %lld ms",
				 (long long) (longest_gap(w, 1) / MS));
}

static void
a_backlog_drains(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

	(void) state;
	run(w, 2 * MINUTE);
	schedule_throttle(&w->schedule, 10 * MINUTE, w->now);
	run(w, 10 * MINUTE);
	forget(w);
	run(w, 2 * MINUTE);
	check_budget(w, 10 * SECOND, 4 * 10 + 2);
	for (int i = 0; i < 150; i++)
		assert_true(w->now - w->started_at[i] <= 2 * MINUTE);
	run(w, 5 * MINUTE);
	forget(w);
	run(w, HOUR);
	assert_int_equal(late_polls(w), 0);
}

static void
a_pause_puts_everything_off(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);

	(void) state;
	run(w, 5 * MINUTE);
	w->now += HOUR;
	schedule_put_off(&w->schedule, HOUR);
	memset(w->started_at, 0, sizeof(w->started_at));
	forget(w);
	run(w, 5 * SECOND);
	w->coins = COINS + 3; /* as it may after an hour; no reason to hurry either */
	run(w, 10 * MINUTE);
	check_sound(&w->schedule);
	assert_int_equal(late_polls(w), 0);
	assert_true(longest_gap(w, 5) <= 72 * SECOND);
}

/* Changes under way */

static void
follows_the_number_of_coins(void **state)
{
	static const int counts[] = {1969, 3777, 14949, 14471, 14993, 100, 101, 99, 1, 6110, 500000};
	World *w = new_world(TIER_DEFAULT, 10, 0, COINS);

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(counts); i++)
	{
		int pages = (counts[i] + 99) / 100;

		pages = pages > SCHEDULE_PAGES_MAX ? SCHEDULE_PAGES_MAX : pages;
		w->coins = counts[i];
		run(w, 10 * SECOND); /* till tier 1 has told */
		w->sweeps = 0;
		assert_int_equal(w->schedule.npages, pages);
		check_sound(&w->schedule);
		memset(w->started_at, 0, sizeof(w->started_at));
		run(w, pages > 1000 ? 20 * MINUTE : 2 * MINUTE);
		for (int page = 0; page < SCHEDULE_PAGES_MAX; page++)
			assert_true((w->started_at[page] != 0) == (page < pages));
		assert_true(w->sweeps >= 1);
	}
}

static void
growing_by_a_page_disturbs_nobody(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, 14900);

	(void) state;
	run(w, 2 * MINUTE);
	for (int i = 0; i < 60; i++)
	{
		w->coins = i % 2 == 0 ? 14901 : 14900;
		run(w, MINUTE);
		check_sound(&w->schedule);
	}
	assert_int_equal(late_polls(w), 0);
	assert_in_range(w->sweeps, 55, 63);
}

static void
an_answer_for_a_page_that_is_gone_is_ignored(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, 300);
	Schedule *s = &w->schedule;

	(void) state;
	schedule_set_coins(s, 300, w->now);
	run(w, MINUTE);
	schedule_set_coins(s, 100, w->now);
	assert_false(schedule_finish(s, 2, true));
	assert_false(schedule_finish(s, 2, false));
	check_sound(s);
}

/* A page that goes and comes again while its answer is under way is not asked for twice. */
static void
a_page_that_comes_again_is_still_in_flight(void **state)
{
	World *w = new_world("*:1", 4, 0, 300);

	(void) state;
	run(w, MINUTE);
	w->latency = 10 * SECOND;
	run(w, 3 * SECOND);
	assert_true(w->answer_at[2] != 0);
	schedule_set_coins(&w->schedule, 100, w->now);
	schedule_set_coins(&w->schedule, 300, w->now);
	run(w, 5 * SECOND); /* start() fails when a page is given out twice */
}

static void
keeps_to_max_rank(void **state)
{
	static const struct
	{
		int max_rank;
		int pages;
	} rows[] = {{0, 150}, {1, 1}, {100, 1}, {101, 2}, {1000, 10}, {14993, 150}, {1000000, 150}};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		World *w = new_world(TIER_DEFAULT, 4, rows[i].max_rank, COINS);

		run(w, 2 * MINUTE);
		assert_int_equal(w->schedule.npages, rows[i].pages);
		for (int page = 0; page < 150; page++)
			assert_true((w->started_at[page] != 0) == (page < rows[i].pages));
		assert_true(w->sweeps >= 1);
		check_sound(&w->schedule);
	}
}

static void
asks_for_a_page_out_of_turn(void **state)
{
	World *w = new_world(TIER_DEFAULT, 8, 0, COINS);
	Schedule *s = &w->schedule;
	const int page = 140;
	int64_t asked_at;

	(void) state;
	run(w, 5 * MINUTE);
	while (w->now - w->started_at[page] < 20 * SECOND || w->now - w->started_at[page] > 40 * SECOND)
		run(w, SECOND);

	asked_at = w->now;
	schedule_ask(s, page, w->now);
	run(w, 500 * MS);
	assert_true(w->started_at[page] >= asked_at);

	/* polled within the last second: nothing to do */
	asked_at = w->now;
	schedule_ask(s, page, w->now);
	run(w, 10 * SECOND);
	assert_true(w->started_at[page] < asked_at);

	/* no such page */
	schedule_ask(s, -1, w->now);
	schedule_ask(s, 150, w->now);
	schedule_ask(s, INT32_MAX, w->now);

	run(w, 5 * MINUTE);
	assert_true(longest_gap(w, 5) <= 72 * SECOND); /* and it is back in its rhythm */
	check_sound(s);
}

/* Late is what the user would have had sooner; a favour is not. */
static void
a_page_asked_for_is_not_late(void **state)
{
	World *w = new_world(TIER_DEFAULT, 8, 0, COINS);

	(void) state;
	run(w, 5 * MINUTE);
	for (int i = 0; i < 20; i++)
	{
		run(w, 3 * SECOND);
		schedule_ask(&w->schedule, 120 + i, w->now);
		w->now += 20 * MS; /* the poller is busy for a moment */
	}
	assert_int_equal(late_polls(w), 0);
}

static void
takes_other_tiers_over_in_flight(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);
	TierList faster = tiers("200:1,*:120");
	TierList one = tiers("*:60");
	uint64_t in_flight = 0;

	(void) state;
	w->latency = 5 * SECOND;
	run(w, 2 * MINUTE);
	for (int i = 0; i < 150; i++)
		in_flight += w->schedule.pages[i].in_flight;
	assert_true(in_flight > 5);

	schedule_configure(&w->schedule, &faster, 4, 0, w->now);
	check_sound(&w->schedule);
	run(w, SECOND); /* start() fails when a page is given out twice */
	w->latency = 200 * MS;
	run(w, 3 * MINUTE);
	forget(w);
	run(w, 10 * MINUTE);
	assert_int_equal(w->schedule.tiers[0].pages, 2);
	assert_true(longest_gap(w, 1) <= 1200 * MS);
	assert_true(longest_gap(w, 2) <= 144 * SECOND);

	schedule_configure(&w->schedule, &one, 4, 200, w->now);
	check_sound(&w->schedule);
	run(w, 3 * MINUTE);
	forget(w);
	run(w, 10 * MINUTE);
	assert_int_equal(w->nstarts, 2 * 10);
}

/* Pages that were never polled must not wait for a date from before the change. */
static void
new_pages_follow_faster_settings_too(void **state)
{
	World *w = new_world("*:3600", 4, 0, COINS);
	TierList list = tiers(TIER_DEFAULT);

	(void) state;
	run(w, 10 * SECOND);
	schedule_configure(&w->schedule, &list, 4, 0, w->now);
	run(w, 2 * MINUTE);
	for (int page = 0; page < 150; page++)
		if (w->started_at[page] == 0)
			fail_msg("page %d, asked for every %lld s, was not polled in 120 s", page,
					 (long long) (w->schedule.tiers[w->schedule.pages[page].tier - 1].interval / SECOND));
	assert_int_equal(w->sweeps, 1);
}

static void
keeps_a_throttled_rate_when_reconfigured(void **state)
{
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);
	TierList list = tiers(TIER_DEFAULT);

	(void) state;
	schedule_throttle(&w->schedule, 0, w->now);
	schedule_configure(&w->schedule, &list, 8, 0, w->now);
	assert_float_equal(w->schedule.rate, 2, 0);
	schedule_configure(&w->schedule, &list, 1, 0, w->now);
	assert_float_equal(w->schedule.rate, 1, 0);
	schedule_configure(&w->schedule, &list, 4, 0, w->now);
	assert_float_equal(w->schedule.rate, 4, 0);
}

/* Whatever happens in whatever order, the books stay right. */
static void
any_life_keeps_it_sound(void **state)
{
	static const char *const lists[] = {TIER_DEFAULT, "*:1", "150:500ms,151:3600,*:20ms", "1:1,2:2,3:3,*:4"};
	static const double rates[] = {0.1, 1, 4, 100};
	World *w = new_world(TIER_DEFAULT, 4, 0, COINS);
	Schedule *s = &w->schedule;

	(void) state;
	for (int turn = 0; turn < 3000; turn++)
	{
		TierList list;
		double rate;
		int max_rank;

		switch (unit_random(7))
		{
			case 0:
				list = tiers(lists[unit_random(UNIT_COUNT(lists))]);
				rate = rates[unit_random(UNIT_COUNT(rates))];
				max_rank = unit_random(2) ? 0 : (int) unit_random(20000);
				schedule_configure(s, &list, rate, max_rank, w->now);
				break;
			case 1:
				w->coins = 1 + (int) unit_random(unit_random(2) ? 400 : 20000);
				break;
			case 2:
				w->answer = (Answer) unit_random(4);
				w->retry_after = (int64_t) unit_random((uint64_t) MINUTE);
				break;
			case 3:
				schedule_ask(s, (int) unit_random(200), w->now);
				break;
			case 4:
				w->latency = (int64_t) unit_random((uint64_t) (3 * SECOND));
				break;
			default:
				break;
		}
		w->nstarts = 0;
		run(w, (int64_t) unit_random((uint64_t) (3 * SECOND)));
		check_sound(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_the_first_page),
		cmocka_unit_test(polls_all_coins_on_time_for_an_hour),
		cmocka_unit_test(spreads_pages_evenly),
		cmocka_unit_test(ends_a_sweep_when_every_page_was_answered),
		cmocka_unit_test(a_page_that_fails_keeps_the_sweep_open),
		cmocka_unit_test(stretches_nothing_without_need),
		cmocka_unit_test(one_request_a_second_stretches_low_tiers),
		cmocka_unit_test(a_tiny_budget_starves_nobody),
		cmocka_unit_test(a_large_budget_serves_many_fast_pages),
		cmocka_unit_test(stretched_tiers_come_back_with_the_budget),
		cmocka_unit_test(throttle_halves_the_rate_once_a_second),
		cmocka_unit_test(throttle_slows_requests_down),
		cmocka_unit_test(success_restores_the_rate_step_by_step),
		cmocka_unit_test(retry_after_is_honoured_up_to_ten_minutes),
		cmocka_unit_test(a_refused_poller_recovers),
		cmocka_unit_test(tier_1_is_soon_on_time_after_an_outage),
		cmocka_unit_test(a_backlog_drains),
		cmocka_unit_test(a_pause_puts_everything_off),
		cmocka_unit_test(follows_the_number_of_coins),
		cmocka_unit_test(growing_by_a_page_disturbs_nobody),
		cmocka_unit_test(an_answer_for_a_page_that_is_gone_is_ignored),
		cmocka_unit_test(a_page_that_comes_again_is_still_in_flight),
		cmocka_unit_test(keeps_to_max_rank),
		cmocka_unit_test(asks_for_a_page_out_of_turn),
		cmocka_unit_test(a_page_asked_for_is_not_late),
		cmocka_unit_test(takes_other_tiers_over_in_flight),
		cmocka_unit_test(new_pages_follow_faster_settings_too),
		cmocka_unit_test(keeps_a_throttled_rate_when_reconfigured),
		cmocka_unit_test(any_life_keeps_it_sound),
	};

	return UNIT_RUN(tests);
}
