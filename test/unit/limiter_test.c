/*
 * limiter_test.c
 *	  How much one address may ask for, by a clock that the test moves.
 *
 * The limiter remembers from test to test, so each has addresses of its own.
 */
#include "unit.h"

#include <arpa/inet.h>

#include "limiter.h"
#include "options.h"

#define SECOND INT64_C(1000000)
#define ADDRESSES_MAX 65536

static Options settings;
static int64_t now = SECOND;

const Options *
options(void)
{
	return &settings;
}

static struct in6_addr
address(const char *text)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, text, &a) != 1)
		fail_msg("%s is no address", text);
	return a;
}

/* The n-th of many, none of them of the same /64. */
static struct in6_addr
numbered(int n)
{
	struct in6_addr a = address("2001:db8::1");

	a.s6_addr[5] = (uint8_t) (n >> 16);
	a.s6_addr[6] = (uint8_t) (n >> 8);
	a.s6_addr[7] = (uint8_t) n;
	return a;
}

static int
begin(void **state)
{
	(void) state;
	settings = (Options){
		.max_connections_per_address = 3,
		.max_streams_per_address = 2,
		.rate = 10,
		.burst = 20,
	};
	return 0;
}

/* How many requests are let through until one is refused. */
static int
passes(const struct in6_addr *a, int tries)
{
	int n = 0;

	while (n < tries && limiter_request(a, now) == 0)
		n++;
	return n;
}

static void
lets_a_burst_pass_and_then_the_rate(void **state)
{
	struct in6_addr a = address("::ffff:192.0.2.1");
	uint64_t refused = limiter_refused(LIMITER_REQUESTS);

	(void) state;
	assert_int_equal(passes(&a, 100), 20);
	assert_int_equal(limiter_refused(LIMITER_REQUESTS), refused + 1);
	now += SECOND / 10;
	assert_int_equal(passes(&a, 100), 1);
	now += SECOND;
	assert_int_equal(passes(&a, 100), 10);
	now += 3600 * SECOND;
	assert_int_equal(passes(&a, 100), 20); /* and not more than a burst */
}

static void
keeps_to_the_rate_for_hours(void **state)
{
	struct in6_addr a = address("::ffff:192.0.2.2");
	int n = 0;

	(void) state;
	settings.rate = 7;
	settings.burst = 1;
	for (int64_t end = now + 3600 * SECOND; now < end; now += 50021)
		n += limiter_request(&a, now) == 0;
	assert_in_range(n, 3600 * 5, 3600 * 7 + 1);
	settings.burst = 5;
	n = 0;
	for (int64_t end = now + 3600 * SECOND; now < end; now += 50021)
		n += limiter_request(&a, now) == 0;
	assert_in_range(n, 3600 * 7 - 7, 3600 * 7 + 10);
}

static void
says_how_long_to_wait(void **state)
{
	static const struct
	{
		double rate;
		int seconds;
	} rows[] = {{10, 1}, {1, 1}, {0.5, 2}, {0.1, 10}, {0.01, 100}, {0.00001, 3600}};
	char label[32];

	(void) state;
	settings.burst = 1;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		struct in6_addr a = numbered(1000000 + (int) i);

		settings.rate = rows[i].rate;
		snprintf(label, sizeof(label), "rate %g", rows[i].rate);
		UNIT_CHECK_INT(limiter_request(&a, now), 0, label);
		UNIT_CHECK_INT(limiter_request(&a, now), rows[i].seconds, label);
		/* who waits as long as told is let in */
		UNIT_CHECK(rows[i].seconds == 3600 || limiter_request(&a, now + rows[i].seconds * SECOND) == 0,
				   label);
	}
	now += 3600 * SECOND;
}

static void
no_rate_is_no_limit(void **state)
{
	struct in6_addr a = address("::ffff:192.0.2.3");

	(void) state;
	settings.rate = 0;
	assert_int_equal(passes(&a, 10000), 10000);
}

static void
tells_addresses_apart(void **state)
{
	struct in6_addr a = address("::ffff:198.51.100.1");
	struct in6_addr b = address("::ffff:198.51.100.2");
	struct in6_addr c = address("2001:db8:1:1::1");
	struct in6_addr c2 = address("2001:db8:1:1:ffff:ffff:ffff:ffff");
	struct in6_addr d = address("2001:db8:1:2::1");

	(void) state;
	assert_int_equal(passes(&a, 100), 20);
	assert_int_equal(passes(&b, 100), 20);
	assert_int_equal(passes(&c, 100), 20);
	assert_int_equal(passes(&c2, 100), 0); /* the same /64 */
	assert_int_equal(passes(&d, 100), 20);
}

static void
counts_what_is_open(void **state)
{
	struct in6_addr a = address("::ffff:203.0.113.1");
	struct in6_addr b = address("::ffff:203.0.113.2");
	uint64_t refused = limiter_refused(LIMITER_CONNECTIONS);

	(void) state;
	for (int i = 0; i < 3; i++)
		assert_true(limiter_take(LIMITER_CONNECTIONS, &a));
	assert_false(limiter_take(LIMITER_CONNECTIONS, &a));
	assert_int_equal(limiter_refused(LIMITER_CONNECTIONS), refused + 1);
	assert_true(limiter_take(LIMITER_STREAMS, &a)); /* counted apart */
	assert_true(limiter_take(LIMITER_STREAMS, &a));
	assert_false(limiter_take(LIMITER_STREAMS, &a));
	assert_true(limiter_take(LIMITER_CONNECTIONS, &b));
	limiter_give(LIMITER_CONNECTIONS, &a);
	assert_true(limiter_take(LIMITER_CONNECTIONS, &a));
	assert_false(limiter_take(LIMITER_CONNECTIONS, &a));
	for (int i = 0; i < 3; i++)
		limiter_give(LIMITER_CONNECTIONS, &a);
	limiter_give(LIMITER_STREAMS, &a);
	limiter_give(LIMITER_STREAMS, &a);
	limiter_give(LIMITER_CONNECTIONS, &b);
	limiter_give(LIMITER_CONNECTIONS, &b); /* what was never taken changes nothing */
	assert_true(limiter_take(LIMITER_CONNECTIONS, &b));
	limiter_give(LIMITER_CONNECTIONS, &b);
}

static void
a_limit_of_nothing_is_none(void **state)
{
	struct in6_addr a = address("::ffff:203.0.113.3");

	(void) state;
	settings.max_streams_per_address = 0;
	for (int i = 0; i < 1000; i++)
		assert_true(limiter_take(LIMITER_STREAMS, &a));
	for (int i = 0; i < 1000; i++)
		limiter_give(LIMITER_STREAMS, &a);
}

static void
forgets_who_holds_nothing(void **state)
{
	(void) state;
	for (int i = 0; i < 10 * ADDRESSES_MAX; i++)
	{
		struct in6_addr a = numbered(i);

		now += SECOND / 1000;
		assert_int_equal(limiter_request(&a, now), 0);
	}
	assert_in_range(limiter_addresses(), 1, 1000);
}

static void
is_bounded_and_shuts_nobody_out(void **state)
{
	struct in6_addr stranger = address("::ffff:203.0.113.77");
	struct in6_addr first = numbered(0);

	(void) state;
	settings.rate = 0.001;
	settings.burst = 3;
	now += 3600 * SECOND;
	for (int i = 0; i < 2 * ADDRESSES_MAX; i++)
	{
		struct in6_addr a = numbered(i);

		if (i < ADDRESSES_MAX)
			assert_true(limiter_take(LIMITER_CONNECTIONS, &a));
		limiter_request(&a, now);
		assert_in_range(limiter_addresses(), 1, ADDRESSES_MAX);
	}
	assert_int_equal(limiter_addresses(), ADDRESSES_MAX);
	/* one of those inside still has its own limits, and one outside gets in */
	assert_true(limiter_take(LIMITER_CONNECTIONS, &first));
	assert_true(limiter_take(LIMITER_CONNECTIONS, &first));
	assert_false(limiter_take(LIMITER_CONNECTIONS, &first));
	assert_true(limiter_take(LIMITER_CONNECTIONS, &stranger));
	for (int i = 0; i < 100; i++)
		assert_true(limiter_take(LIMITER_STREAMS, &stranger));

	/* all is given back, also when there is room again by then */
	for (int i = 0; i < ADDRESSES_MAX; i++)
	{
		struct in6_addr a = numbered(i);

		limiter_give(LIMITER_CONNECTIONS, &a);
	}
	limiter_give(LIMITER_CONNECTIONS, &first);
	limiter_give(LIMITER_CONNECTIONS, &first);
	settings.rate = 10;
	now += 4000 * SECOND;
	for (int i = 0; i < 4 * ADDRESSES_MAX; i++)
	{
		struct in6_addr a = numbered(ADDRESSES_MAX + i);

		limiter_request(&a, now += 100);
	}
	assert_in_range(limiter_addresses(), 1, ADDRESSES_MAX - 1);
	assert_true(limiter_take(LIMITER_STREAMS, &stranger));
	for (int i = 0; i < 101; i++)
		limiter_give(LIMITER_STREAMS, &stranger);
	limiter_give(LIMITER_CONNECTIONS, &stranger);
	for (int i = 0; i < 2; i++)
		assert_true(limiter_take(LIMITER_STREAMS, &stranger));
	assert_false(limiter_take(LIMITER_STREAMS, &stranger));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lets_a_burst_pass_and_then_the_rate, begin),
		cmocka_unit_test_setup(keeps_to_the_rate_for_hours, begin),
		cmocka_unit_test_setup(says_how_long_to_wait, begin),
		cmocka_unit_test_setup(no_rate_is_no_limit, begin),
		cmocka_unit_test_setup(tells_addresses_apart, begin),
		cmocka_unit_test_setup(counts_what_is_open, begin),
		cmocka_unit_test_setup(a_limit_of_nothing_is_none, begin),
		cmocka_unit_test_setup(forgets_who_holds_nothing, begin),
		cmocka_unit_test_setup(is_bounded_and_shuts_nobody_out, begin),
	};

	return UNIT_RUN(tests);
}
