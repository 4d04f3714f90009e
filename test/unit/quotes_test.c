/*
 * quotes_test.c
 *	  The HTTP daemon's copy of the quotes: what is a quote, what is a change, who is found, in what order.
 */
#include "unit.h"

#include "loop.h"
#include "quotes.h"
#include "tier.h"

#define NOW INT64_C(1764000000000000) /* 2025-11-24T16:00:00Z */

static int64_t unix_now = NOW;
static int changes;
static int removals;
static int batches;
static char last_removed[SYMBOL_SIZE];

/* the loop's clocks, for quotes.c; the test moves them */
int64_t
loop_now(void)
{
	return unix_now;
}

int64_t
loop_unix(void)
{
	return unix_now;
}

static void
note_change(HeldQuote *quote)
{
	assert_ptr_equal(quotes_find(quote->symbol, strlen(quote->symbol)), quote);
	changes++;
}

static void
note_removal(HeldQuote *quote)
{
	assert_null(quotes_find(quote->symbol, strlen(quote->symbol)));
	strcpy(last_removed, quote->symbol);
	removals++;
}

static void
note_batch(void)
{
	batches++;
}

static int
begin(void **state)
{
	static const QuotesListener listener = {note_change, note_removal, note_batch};
	static const QuotesListener deaf = {NULL, NULL, NULL};

	(void) state;
	unix_now = NOW;
	changes = removals = batches = 0;
	quotes_init();
	quotes_listen(&deaf);
	quotes_listen(&listener);
	return 0;
}

static QuotesTaken
take(const char *json)
{
	char *exact = unit_exact(json, strlen(json));
	const char *why = NULL;
	QuotesTaken taken = quotes_take(exact, strlen(json), &why);

	free(exact);
	assert_true((taken == QUOTES_REFUSED) == (why != NULL));
	return taken;
}

/* A quote with the fields that matter here. */
static QuotesTaken
take_quote(const char *symbol, const char *id, int rank, const char *price, int64_t updated_at)
{
	char json[512];
	char time[QUOTE_TIME_SIZE];

	quote_time(updated_at, time);
	snprintf(json, sizeof(json),
			 "{\"symbol\":\"%s\",\"price\":%s,\"rank\":%d,\"change_24h\":-0.98,\"volume_24h\":12.50,"
			 "\"last_updated\":\"%s\",\"update_interval\":%d,\"tier\":\"tier%d\",\"source\":\"coinlore\","
			 "\"id\":\"%s\"}",
			 symbol, price, rank, time, rank <= 100 ? 5 : 60, rank <= 100 ? 1 : 5, id);
	return take(json);
}

static HeldQuote *
find(const char *symbol)
{
	return quotes_find(symbol, strlen(symbol));
}

static void
check_span(const HeldQuote *quote, Span span, const char *expected)
{
	assert_int_equal(span.len, strlen(expected));
	assert_memory_equal(quote->json->bytes + span.at, expected, span.len);
}

static void
reads_what_the_publisher_writes(void **state)
{
	Quote q = {
		.symbol = "BTC",
		.name = "Bit\"coin\\",
		.nameid = "bitcoin",
		.coinlore_id = 90,
		.rank = 1,
		.price = {.mantissa = 7714666, .scale = 2, .known = true},
		.change_24h = {.mantissa = -98, .scale = 2, .known = true},
		.volume_24h = {.mantissa = 2655121242949, .scale = 2, .known = true},
		.fetched_at = NOW - 123000,
		.simulated = true,
	};
	char json[QUOTE_JSON_SIZE];
	size_t len = quote_json(&q, 2, 10, json);
	const HeldQuote *held;

	(void) state;
	assert_int_equal(take(json), QUOTES_CHANGED);
	held = find("btc");
	assert_non_null(held);
	assert_ptr_equal(find("id:bitcoin"), held);
	assert_string_equal(held->symbol, "BTC");
	assert_string_equal(held->nameid, "bitcoin");
	assert_int_equal(held->rank, 1);
	assert_int_equal(held->tier, 2);
	assert_int_equal(held->interval, 10);
	assert_true(held->simulated);
	assert_int_equal(held->updated_at, NOW - 123000);
	assert_int_equal(held->json->len, len);
	assert_memory_equal(held->json->bytes, json, len);
	check_span(held, held->price, "77146.66");
	check_span(held, held->change_24h, "-0.98");
	check_span(held, held->volume_24h, "26551212429.49");
}

static void
needs_symbol_price_and_time_only(void **state)
{
	const HeldQuote *held;

	(void) state;
	assert_int_equal(take("{ \"last_updated\" : \"2025-11-24T15:59:59Z\" , \"rank\":null, "
						  "\"x\":[{\"a\":[true,null]},1e3,\"\\u00e9\"],"
						  "\"price\":0,\"symbol\":\"\\u55B5 \\ud83d\\uDE00\\\"\\/x\" }"),
					 QUOTES_CHANGED);
	held = find("喵 😀\"/X");
	assert_non_null(held);
	assert_string_equal(held->nameid, "");
	assert_int_equal(held->rank, 0);
	assert_int_equal(held->tier, 0);
	assert_int_equal(held->interval, 60);
	assert_false(held->simulated);
	assert_int_equal(held->change_24h.len, 0);
	assert_int_equal(held->updated_at, NOW - LOOP_SECOND);
	assert_null(find("id:"));
}

static void
refuses_what_is_no_quote(void **state)
{
#define TIME "\"last_updated\":\"2025-11-24T06:00:00.123Z\""
#define REST "\"price\":1," TIME
	static const struct
	{
		const char *json;
		const char *why;
	} rows[] = {
		{"", "it is no JSON object"},
		{"rubbish", "it is no JSON object"},
		{"[]", "it is no JSON object"},
		{"{}", "it is no JSON"},
		{"{\"symbol\":\"A\"," REST "} ", "it is no JSON object"},
		{" {\"symbol\":\"A\"," REST "}", "it is no JSON object"},
		{"{\"symbol\":\"A\"," REST "}{}", "it is no JSON object"},
		{"{\"symbol\":\"A\"," REST, "it is no JSON object"},
		{"{\"symbol\":\"A\"," REST ",}", "it is no JSON"},
		{"{'symbol':\"A\"," REST "}", "it is no JSON"},
		{"{\"symbol\":\"A\",\n" REST "}", "it holds control characters or is not UTF-8"},
		{"{\"symbol\":\"A\xff\"," REST "}", "it holds control characters or is not UTF-8"},
		{"{" REST "}", "symbol is missing"},
		{"{\"symbol\":\"\"," REST "}", "symbol is empty"},
		{"{\"symbol\":7," REST "}", "symbol is no string"},
		{"{\"symbol\":null," REST "}", "symbol is no string"},
		{"{\"symbol\":\"A\\n\"," REST "}", "symbol holds control characters or is not UTF-8"},
		{"{\"symbol\":\"A\\u0000\"," REST "}", "symbol holds control characters or is not UTF-8"},
		{"{\"symbol\":\"A\\ud800\"," REST "}", "symbol holds control characters or is not UTF-8"},
		{"{\"symbol\":\"A\\ud800\\u0041\"," REST "}", "symbol holds control characters or is not UTF-8"},
		{"{\"symbol\":\"A\\x\"," REST "}", "a string holds a wrong escape"},
		{"{\"symbol\":\"A\\u12g4\"," REST "}", "a string holds a wrong escape"},
		{"{\"symbol\":\"A", "a string does not end"},
		{"{\"symbol\":\"A\\", "a string holds a wrong escape"},
		{"{\"symbol\":\"0123456789012345678901234567890123456789012345678901234567890123\"," REST "}",
		 "symbol is too long"},
		{"{\"symbol\":\"A\",\"symbol\":\"B\"," REST "}", "symbol is there twice"},
		{"{\"s\\u0079mbol\":\"A\"," REST "}", "the name of a field holds an escape"},
		{"{\"symbol\":\"A\"," TIME "}", "price is missing"},
		{"{\"symbol\":\"A\",\"price\":\"1\"," TIME "}", "price is no number"},
		{"{\"symbol\":\"A\",\"price\":-1," TIME "}", "price is negative"},
		{"{\"symbol\":\"A\",\"price\":NaN," TIME "}", "it is no JSON"},
		{"{\"symbol\":\"A\",\"price\":-Infinity," TIME "}", "it is no JSON"},
		{"{\"symbol\":\"A\",\"price\":01," TIME "}", "it is no JSON object"},
		{"{\"symbol\":\"A\",\"price\":1.," TIME "}", "it is no JSON"},
		{"{\"symbol\":\"A\",\"price\":.5," TIME "}", "it is no JSON"},
		{"{\"symbol\":\"A\",\"price\":+1," TIME "}", "it is no JSON"},
		{"{\"symbol\":\"A\",\"price\":1e," TIME "}", "it is no JSON"},
		{"{\"symbol\":\"A\",\"price\":1e999," TIME "}", "a number is out of range"},
		{"{\"symbol\":\"A\"," REST ",\"other\":1e999}", "a number is out of range"},
		{"{\"symbol\":\"A\"," REST ",\"other\":[NaN]}", "it is no JSON"},
		{"{\"symbol\":\"A\"," REST ",\"other\":[1,]}", "it is no JSON"},
		{"{\"symbol\":\"A\"," REST ",\"other\":{\"a\"}}", "it is no JSON"},
		{"{\"symbol\":\"A\"," REST ",\"other\":[[[[[[[[1]]]]]]]]}", "it is nested too deep"},
		{"{\"symbol\":\"A\",\"price\":1}", "last_updated is missing"},
		{"{\"symbol\":\"A\",\"price\":1,\"last_updated\":1764000000}", "last_updated is no string"},
		{"{\"symbol\":\"A\",\"price\":1,\"last_updated\":\"yesterday\"}", "last_updated is no time"},
		{"{\"symbol\":\"A\"," REST ",\"rank\":1.5}", "rank is no whole number in its range"},
		{"{\"symbol\":\"A\"," REST ",\"rank\":-1}", "rank is no whole number in its range"},
		{"{\"symbol\":\"A\"," REST ",\"rank\":3000000000}", "rank is no whole number in its range"},
		{"{\"symbol\":\"A\"," REST ",\"rank\":\"1\"}", "rank is no number"},
		{"{\"symbol\":\"A\"," REST ",\"change_24h\":\"1\"}", "change_24h is no number"},
		{"{\"symbol\":\"A\"," REST ",\"id\":1}", "id is no string"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char *exact = unit_exact(rows[i].json, strlen(rows[i].json));
		const char *why = "nothing";

		UNIT_CHECK_INT(quotes_take(exact, strlen(rows[i].json), &why), QUOTES_REFUSED, rows[i].json);
		UNIT_CHECK_TEXT(why, rows[i].why, rows[i].json);
		assert_int_equal(quotes_take(exact, strlen(rows[i].json), NULL), QUOTES_REFUSED);
		free(exact);
	}
	assert_int_equal(take("{\"symbol\":\"A\"," REST "}"), QUOTES_CHANGED);
	assert_int_equal(quotes_count(0), 1);
#undef TIME
#undef REST
}

static void
refuses_a_quote_of_many_bytes(void **state)
{
	static char json[QUOTE_READ_MAX + 2];
	int len = snprintf(json, sizeof(json),
					   "{\"symbol\":\"A\",\"price\":1,\"last_updated\":\"2025-11-24T06:00:00Z\"");

	(void) state;
	memset(json + len, ' ', sizeof(json) - (size_t) len);
	json[QUOTE_READ_MAX - 1] = '}';
	json[QUOTE_READ_MAX] = '\0';
	assert_int_equal(take(json), QUOTES_CHANGED);
	json[QUOTE_READ_MAX - 1] = ' ';
	json[QUOTE_READ_MAX] = '}';
	json[QUOTE_READ_MAX + 1] = '\0';
	assert_int_equal(take(json), QUOTES_REFUSED);
}

static void
reads_times(void **state)
{
	static const struct
	{
		const char *text;
		int64_t us;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2025-11-24T16:00:00.000Z", NOW},
		{"2025-11-24T16:00:00.123Z", NOW + 123000},
		{"2025-11-24T16:00:00.123456Z", NOW + 123456},
		{"2025-11-24T16:00:00.123456789Z", NOW + 123456},
		{"2024-02-29T00:00:00Z", INT64_C(1709164800000000)},
		{"2000-03-01T00:00:00Z", INT64_C(951868800000000)},
		{"9999-12-31T23:59:59.999Z", INT64_C(253402300799999000)},
		{"", -1},
		{"2025-11-24", -1},
		{"2025-11-24T16:00:00", -1},
		{"2025-11-24T16:00:00.Z", -1},
		{"2025-11-24T16:00:00+00", -1},
		{"2025-11-24T16:00:00ZZ", -1},
		{"2025-11-24 16:00:00Z", -1},
		{"2025-13-24T16:00:00Z", -1},
		{"2025-11-31T16:00:00Z", -1},
		{"2025-02-29T16:00:00Z", -1},
		{"2100-02-29T16:00:00Z", -1},
		{"2025-11-00T16:00:00Z", -1},
		{"2025-11-24T24:00:00Z", -1},
		{"2025-11-24T16:60:00Z", -1},
		{"2025-11-24T16:00:60Z", -1},
		{"1969-12-31T23:59:59Z", -1},
		{"2025-11-24T16:00:00.00000000000000000000000000000000000000000000000000000Z", -1},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char *exact = unit_exact(rows[i].text, strlen(rows[i].text));

		UNIT_CHECK_INT(quote_read_time(exact, strlen(rows[i].text)), rows[i].us, rows[i].text);
		free(exact);
	}
	for (int i = 0; i < 20000; i++)
	{
		int64_t us = (int64_t) unit_random(INT64_C(253402300800000)) * 1000;
		char text[QUOTE_TIME_SIZE];
		size_t len = quote_time(us, text);

		UNIT_CHECK_INT(quote_read_time(text, len), us, text);
	}
}

static void
numbers_changes_but_not_renewals(void **state)
{
	uint64_t version;

	(void) state;
	assert_int_equal(take_quote("BTC", "bitcoin", 1, "1.50", NOW), QUOTES_CHANGED);
	assert_int_equal(quotes_seq(), 1);
	assert_int_equal(find("BTC")->seq, 1);
	version = quotes_version();

	assert_int_equal(take_quote("BTC", "bitcoin", 1, "1.50", NOW + 1000), QUOTES_RENEWED);
	assert_int_equal(quotes_seq(), 1);
	assert_true(quotes_version() > version);
	assert_int_equal(find("BTC")->version, quotes_version());
	assert_int_equal(find("BTC")->updated_at, NOW + 1000);
	assert_int_equal(changes, 1);

	assert_int_equal(take_quote("BTC", "bitcoin", 1, "1.5", NOW + 2000), QUOTES_CHANGED);
	assert_int_equal(take_quote("BTC", "bitcoin", 2, "1.5", NOW + 2000), QUOTES_CHANGED);
	assert_int_equal(quotes_seq(), 3);
	assert_int_equal(find("BTC")->seq, 3);
	assert_int_equal(changes, 3);
}

static void
keeps_the_newer_one(void **state)
{
	(void) state;
	take_quote("BTC", "bitcoin", 1, "2", NOW);
	assert_int_equal(take_quote("BTC", "bitcoin", 1, "1", NOW - 1000), QUOTES_OLDER);
	check_span(find("BTC"), find("BTC")->price, "2");
	assert_int_equal(changes, 1);

	/* one from the future gives way */
	take_quote("BTC", "bitcoin", 1, "3", NOW + 3600 * LOOP_SECOND);
	assert_int_equal(quotes_age(find("BTC")), 0);
	assert_int_equal(take_quote("BTC", "bitcoin", 1, "4", NOW + 1000), QUOTES_CHANGED);
	check_span(find("BTC"), find("BTC")->price, "4");
	assert_int_equal(quotes_freshest(0), NOW + 1000);
}

static void
tells_of_whole_batches(void **state)
{
	(void) state;
	quotes_settle();
	assert_int_equal(batches, 0);
	take_quote("A", "a", 1, "1", NOW);
	take_quote("B", "b", 2, "1", NOW);
	quotes_settle();
	quotes_settle();
	assert_int_equal(batches, 1);
	take_quote("A", "a", 1, "1", NOW + 1000);
	quotes_settle();
	assert_int_equal(batches, 1); /* nothing has changed */
}

static void
finds_by_symbol_and_nameid(void **state)
{
	(void) state;
	take_quote("BTC", "bitcoin", 1, "1", NOW);
	take_quote(":ZKT:", "zkt", 2, "1", NOW);
	take_quote("A SYMBOL OF MORE BYTES", "long", 3, "1", NOW);
	assert_non_null(find("bTc"));
	assert_non_null(find(":zkt:"));
	assert_non_null(find("a symbol of more bytes"));
	assert_ptr_equal(find("ID:bitcoin"), find("BTC"));
	assert_null(find("id:Bitcoin"));
	assert_null(find(""));
	assert_null(find("BT"));
	assert_null(find("BTCC"));
	assert_null(find("0123456789012345678901234567890123456789012345678901234567890123456789"));
}

static void
a_nameid_may_move(void **state)
{
	(void) state;
	take_quote("OLD", "coin", 1, "1", NOW);
	take_quote("NEW", "coin", 1, "1", NOW + 1000);
	assert_int_equal(quotes_count(0), 2);
	assert_string_equal(find("id:coin")->symbol, "NEW");

	/* and the symbol may go to another coin */
	take_quote("NEW", "rival", 1, "1", NOW + 2000);
	assert_string_equal(find("id:coin")->symbol, "OLD");
	assert_string_equal(find("id:rival")->symbol, "NEW");
	assert_int_equal(quotes_count(0), 2);
}

static void
check_order(void)
{
	int count;
	HeldQuote *const *quotes = quotes_ranked(&count);

	assert_int_equal(count, quotes_count(0));
	for (int i = 0; i < count; i++)
	{
		assert_int_equal(quotes[i]->place, i);
		if (i > 0 && quotes[i]->rank != 0)
			assert_true(quotes[i - 1]->rank != 0 && quotes[i - 1]->rank <= quotes[i]->rank);
		if (i > 0 && quotes[i]->rank == quotes[i - 1]->rank)
			assert_true(strcmp(quotes[i - 1]->symbol, quotes[i]->symbol) < 0);
	}
}

static void
keeps_them_in_order(void **state)
{
	enum
	{
		COINS = 3000
	};
	char symbol[16];

	(void) state;
	check_order();
	for (int i = 0; i < COINS; i++)
	{
		snprintf(symbol, sizeof(symbol), "C%d", i);
		take_quote(symbol, symbol, (int) unit_random(COINS), "1", NOW); /* rank 0 too, and ties */
	}
	check_order();
	for (int round = 1; round <= 50; round++)
	{
		for (int i = 0; i < 100; i++)
		{
			int coin = (int) unit_random(COINS);

			snprintf(symbol, sizeof(symbol), "C%d", coin);
			take_quote(symbol, symbol, round % 2 == 0 ? coin : find(symbol)->rank + 1, "1",
					   NOW + round * 1000);
		}
		check_order();
	}
}

static void
sweeps_what_is_not_marked(void **state)
{
	uint64_t membership;

	(void) state;
	take_quote("A", "a", 1, "1", NOW);
	take_quote("B", "b", 2, "1", NOW);
	take_quote("C", "c", 3, "1", NOW);
	quotes_settle();
	membership = quotes_membership();

	/* without marks nothing goes */
	quotes_mark_none();
	assert_int_equal(quotes_sweep(), 0);
	assert_int_equal(quotes_count(0), 3);

	quotes_mark_none();
	quotes_mark("a", 1);
	quotes_mark("unknown", 7);
	take_quote("D", "d", 4, "1", NOW);        /* it comes in between, and stays */
	take_quote("C", "c", 3, "9", NOW - 1000); /* older, but there */
	assert_int_equal(quotes_sweep(), 1);
	assert_int_equal(removals, 1);
	assert_string_equal(last_removed, "B");
	assert_null(find("B"));
	assert_null(find("id:b"));
	assert_int_equal(quotes_count(0), 3);
	assert_int_equal(quotes_membership(), membership + 2);
	check_order();
	quotes_settle();
	assert_int_equal(batches, 2);

	/* all are marked */
	assert_int_equal(quotes_sweep(), 0);
	assert_int_equal(take_quote("B", "b", 2, "1", NOW - 5000), QUOTES_CHANGED);
}

static void
counts_tiers_and_ages(void **state)
{
	(void) state;
	assert_int_equal(quotes_freshest(0), 0);
	take_quote("A", "a", 1, "1", NOW - 3 * LOOP_SECOND);
	take_quote("B", "b", 2, "1", NOW - 2 * LOOP_SECOND);
	take_quote("C", "c", 5000, "1", NOW - LOOP_SECOND);
	assert_int_equal(quotes_count(0), 3);
	assert_int_equal(quotes_count(1), 2);
	assert_int_equal(quotes_count(5), 1);
	assert_int_equal(quotes_count(2), 0);
	assert_int_equal(quotes_count(-1), 0);
	assert_int_equal(quotes_count(99), 0);
	assert_int_equal(quotes_freshest(0), NOW - LOOP_SECOND);
	assert_int_equal(quotes_freshest(1), NOW - 2 * LOOP_SECOND);
	assert_int_equal(quotes_freshest(99), 0);

	/* the freshest of a tier leaves it, or goes */
	take_quote("B", "b", 5000, "1", NOW);
	assert_int_equal(quotes_freshest(1), NOW - 3 * LOOP_SECOND);
	assert_int_equal(quotes_freshest(5), NOW);
	assert_int_equal(quotes_count(1), 1);
	quotes_mark_none();
	quotes_mark("C", 1);
	assert_int_equal(quotes_sweep(), 2);
	assert_int_equal(quotes_freshest(0), NOW - LOOP_SECOND);
	assert_int_equal(quotes_freshest(1), 0);
	assert_int_equal(quotes_count(1), 0);
}

/* A page is confirmed coin by coin: the same figures, fetched later. */
static void
confirmations_keep_quotes_young(void **state)
{
	static const char *const symbols[] = {"A", "B", "C"};
	uint64_t version;

	(void) state;
	for (int i = 0; i < 3; i++)
		take_quote(symbols[i], symbols[i], i + 1, "1", NOW);
	quotes_settle();
	unix_now = NOW + 61 * LOOP_SECOND;
	assert_true(quotes_stale(find("A")));

	for (int i = 0; i < 3; i++)
	{
		version = quotes_version();
		assert_int_equal(take_quote(symbols[i], symbols[i], i + 1, "1", unix_now), QUOTES_RENEWED);
		assert_true(quotes_version() > version);
		assert_int_equal(quotes_freshest(0), unix_now);
		assert_int_equal(quotes_freshest(1), unix_now);
		assert_false(quotes_stale(find(symbols[i])));
	}
	quotes_settle();
	assert_int_equal(quotes_count(1), 3);
	assert_int_equal(quotes_seq(), 3);
	assert_int_equal(changes, 3);
	assert_int_equal(batches, 1);

	/* read again before it was confirmed again: there is nothing to render anew */
	version = quotes_version();
	assert_int_equal(take_quote("A", "A", 1, "1", unix_now), QUOTES_RENEWED);
	assert_int_equal(quotes_version(), version);

	/* other figures of the same time are a change, though no message told of it */
	assert_int_equal(take_quote("A", "A", 1, "2", unix_now), QUOTES_CHANGED);
	quotes_settle();
	assert_int_equal(batches, 2);
}

static void
goes_stale_by_its_interval(void **state)
{
	const HeldQuote *fast;
	const HeldQuote *slow;

	(void) state;
	take_quote("FAST", "fast", 1, "1", NOW);
	take_quote("SLOW", "slow", 5000, "1", NOW);
	fast = find("FAST");
	slow = find("SLOW");
	assert_int_equal(quotes_age(fast), 0);
	unix_now = NOW + 60 * LOOP_SECOND + 999999;
	assert_int_equal(quotes_age(fast), 60);
	assert_false(quotes_stale(fast));
	unix_now++;
	assert_int_equal(quotes_age(fast), 61);
	assert_true(quotes_stale(fast));
	assert_false(quotes_stale(slow));
	unix_now = NOW + (tier_default_ttl(60) + 1) * LOOP_SECOND;
	assert_true(quotes_stale(slow));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_what_the_publisher_writes, begin),
		cmocka_unit_test_setup(needs_symbol_price_and_time_only, begin),
		cmocka_unit_test_setup(refuses_what_is_no_quote, begin),
		cmocka_unit_test_setup(refuses_a_quote_of_many_bytes, begin),
		cmocka_unit_test_setup(reads_times, begin),
		cmocka_unit_test_setup(numbers_changes_but_not_renewals, begin),
		cmocka_unit_test_setup(keeps_the_newer_one, begin),
		cmocka_unit_test_setup(tells_of_whole_batches, begin),
		cmocka_unit_test_setup(finds_by_symbol_and_nameid, begin),
		cmocka_unit_test_setup(a_nameid_may_move, begin),
		cmocka_unit_test_setup(keeps_them_in_order, begin),
		cmocka_unit_test_setup(sweeps_what_is_not_marked, begin),
		cmocka_unit_test_setup(counts_tiers_and_ages, begin),
		cmocka_unit_test_setup(confirmations_keep_quotes_young, begin),
		cmocka_unit_test_setup(goes_stale_by_its_interval, begin),
	};
	int failed = UNIT_RUN(tests);

	quotes_init(); /* frees what the last one held */
	return failed;
}
