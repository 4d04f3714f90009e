/*
 * candles_query_test.c
 *	  What a client may ask candles for: intervals, times, limits; where candles begin; and what it is told of a wrong wish.
 */
#include "unit.h"

#include <time.h>

#include "candles_query.h"

#define NOW_SECONDS INT64_C(1795532400) /* 2026-11-24T15:00:00Z, a Tuesday */
#define NOW (NOW_SECONDS * 1000000 + 500000)

static bool
read_query(CandlesArguments given, CandlesQuery *query)
{
	char err[CANDLES_ERROR_SIZE];
	const char *hint;

	return candles_query_read(&given, NOW, query, err, &hint);
}

static void
reads_intervals(void **state)
{
	static const struct
	{
		const char *text;
		const char *shown;
		int32_t minutes;
		int32_t months;
	} rows[] = {
		{NULL, "1m", 1, 0},     {"", "1m", 1, 0},         {"1m", "1m", 1, 0},
		{"5m", "5m", 5, 0},     {"15m", "15m", 15, 0},    {"60m", "60m", 60, 0},
		{"1h", "1h", 60, 0},    {"4h", "4h", 240, 0},     {"1d", "1d", 1440, 0},
		{"1w", "1w", 10080, 0}, {"1M", "1M", 0, 1},       {"3M", "3M", 0, 3},
		{"0005m", "5m", 5, 0},  {"120M", "120M", 0, 120}, {"3653d", "3653d", 5260320, 0},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		const char *label = rows[i].text != NULL ? rows[i].text : "nothing";
		CandlesQuery query;

		UNIT_CHECK(read_query((CandlesArguments){.interval = rows[i].text}, &query), label);
		UNIT_CHECK_TEXT(query.interval, rows[i].shown, label);
		UNIT_CHECK_INT(query.minutes, rows[i].minutes, label);
		UNIT_CHECK_INT(query.months, rows[i].months, label);
	}
}

/* With candles of a minute `from` stays what it is, but for its seconds. */
static void
reads_times(void **state)
{
	static const struct
	{
		const char *text;
		int64_t from; /* -1: it is none */
	} rows[] = {
		{"1795532400", NOW_SECONDS},
		{"1795532399", NOW_SECONDS - 60},
		{"1795532400000", NOW_SECONDS},
		{"1795532400499", NOW_SECONDS},
		{"0", 0},
		{"100000000000", -1}, /* seconds still, and in the future */
		{"100000000001", 99999960},
		{"2026-11-24T15:00:00Z", NOW_SECONDS},
		{"2026-11-24t15:00:00z", NOW_SECONDS},
		{"2026-11-24 15:00:00", NOW_SECONDS},
		{"2026-11-24T15:00Z", NOW_SECONDS},
		{"2026-11-24T15:00", NOW_SECONDS},
		{"2026-11-24T15:00:00.123456789Z", NOW_SECONDS},
		{"2026-11-24T16:00:00+01:00", NOW_SECONDS},
		{"2026-11-24T16:00:00 01:00", NOW_SECONDS}, /* a + in a url is a blank */
		{"2026-11-24T16:00:00+0100", NOW_SECONDS},
		{"2026-11-24T16:00:00+01", NOW_SECONDS},
		{"2026-11-24T09:30:00-05:30", NOW_SECONDS},
		{"2026-11-24", NOW_SECONDS - 15 * 3600},
		{"2026-11-23T24:00:00Z", NOW_SECONDS - 15 * 3600},
		{"2024-02-29", 1709164800},
		{"2000-02-29T00:00:00Z", 951782400},
		{"1970-01-01", 0},
		{"2016-12-31T23:59:60Z", 1483228800}, /* a leap second */
		{"2026-11-24T15:00:00", NOW_SECONDS},
		{"1969-12-31T23:59:59Z", -1},
		{"1970-01-01T00:00:00+01:00", -1},
		{"9999-12-31T23:59:59Z", -1}, /* in the future */
		{"2025-02-29", -1},
		{"2026-00-01", -1},
		{"2026-13-01", -1},
		{"2026-11-31", -1},
		{"2026-11-00", -1},
		{"2026-11-24T25:00:00Z", -1},
		{"2026-11-24T24:00:01Z", -1},
		{"2026-11-24T15:60:00Z", -1},
		{"2026-11-24T15:00:61Z", -1},
		{"2026-11-24T15Z", -1},
		{"2026-11-24T", -1},
		{"2026-11-24Z", -1},
		{"2026-11-24T15:00:00.Z", -1},
		{"2026-11-24T15:00:00Z ", -1},
		{"2026-11-24T15:00:00+", -1},
		{"2026-11-24T15:00:00+01:", -1},
		{"2026-11-24T15:00:00+24:00", -1},
		{"2026-11-24T15:00:00+01:60", -1},
		{"2026-11-24T15:00:00+01:000", -1},
		{"2026-1-24", -1},
		{"26-11-24", -1},
		{"-1", -1},
		{"+1", -1},
		{"1.5", -1},
		{"1e9", -1},
		{" 1", -1},
		{"now", -1},
		{"999999999999999999", -1},
		{"9999999999999999999999999", -1},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char *exact = unit_exact(rows[i].text, strlen(rows[i].text) + 1);
		CandlesQuery query;
		bool read = read_query((CandlesArguments){.from = exact}, &query);

		UNIT_CHECK_INT(read, rows[i].from >= 0, rows[i].text);
		if (read)
			UNIT_CHECK_INT(query.from, rows[i].from, rows[i].text);
		free(exact);
	}
}

/* `from` and `to` as they are given, and as ranges of whole candles. */
static void
moves_times_to_begins(void **state)
{
	static const struct
	{
		CandlesArguments given;
		const char *from;
		const char *to;
	} rows[] = {
		/* the candle that is being made is the last one */
		{{"1m", NULL, NULL, "1", NULL}, "2026-11-24T15:00:00", "2026-11-24T15:01:00"},
		{{"1m", NULL, NULL, NULL, NULL}, "2026-11-24T06:41:00", "2026-11-24T15:01:00"},
		{{"5m", NULL, NULL, "3", NULL}, "2026-11-24T14:50:00", "2026-11-24T15:05:00"},
		{{"1d", NULL, NULL, "2", NULL}, "2026-11-23T00:00:00", "2026-11-25T00:00:00"},
		{{"1w", NULL, NULL, "1", NULL}, "2026-11-23T00:00:00", "2026-11-30T00:00:00"},
		{{"1M", NULL, NULL, "1", NULL}, "2026-11-01T00:00:00", "2026-12-01T00:00:00"},
		{{"1M", NULL, NULL, "12", NULL}, "2025-12-01T00:00:00", "2026-12-01T00:00:00"},
		{{"5M", NULL, NULL, "2", NULL}, "2026-06-01T00:00:00", "2027-04-01T00:00:00"}, /* counted from 2001 */
		{{"7m", NULL, NULL, "1", NULL}, "2026-11-24T14:58:00", "2026-11-24T15:05:00"},
		/* candles that begin before `to`; the one that holds `from` is the first */
		{{"1h", "2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z", NULL, NULL},
		 "2026-11-24T10:00:00",
		 "2026-11-24T12:00:00"},
		{{"1h", "2026-11-24T10:59:59Z", "2026-11-24T12:00:00.000001Z", NULL, NULL},
		 "2026-11-24T10:00:00",
		 "2026-11-24T13:00:00"},
		{{"1h", "2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z", NULL, NULL},
		 "2026-11-24T10:00:00",
		 "2026-11-24T10:00:00"},
		{{"1M", "2024-02-29", "2024-03-01", NULL, NULL}, "2024-02-01T00:00:00", "2024-03-01T00:00:00"},
		{{"1h", NULL, "2026-11-24T12:30:00Z", "2", NULL}, "2026-11-24T11:00:00", "2026-11-24T13:00:00"},
		/* without a gap there is no need to look further back */
		{{"1m", "0", NULL, "3", "true"}, "2026-11-24T14:58:00", "2026-11-24T15:01:00"},
		{{"1m", "0", "2030-01-01", "3", "true"}, "2026-11-24T14:58:00", "2030-01-01T00:00:00"},
		{{"1m", "2026-11-24T14:59:00Z", NULL, "3", "true"}, "2026-11-24T14:59:00", "2026-11-24T15:01:00"},
		{{"1m", "0", NULL, "3", "false"}, "1970-01-01T00:00:00", "2026-11-24T15:01:00"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char label[32];
		char text[32];
		CandlesQuery query;
		struct tm tm;
		time_t at;

		snprintf(label, sizeof(label), "row %zu", i);
		UNIT_CHECK(read_query(rows[i].given, &query), label);
		at = query.from;
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&at, &tm));
		UNIT_CHECK_TEXT(text, rows[i].from, label);
		at = query.to;
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&at, &tm));
		UNIT_CHECK_TEXT(text, rows[i].to, label);
	}
}

/* The C library's calendar, for each month of four centuries and some days. */
static void
knows_the_calendar(void **state)
{
	CandlesQuery month = {.months = 1};

	(void) state;
	for (int year = 1800; year < 2200; year++)
		for (int mon = 0; mon < 12; mon++)
		{
			struct tm tm = {.tm_year = year - 1900, .tm_mon = mon, .tm_mday = 1};
			int64_t begin = timegm(&tm);
			int64_t next;

			tm = (struct tm){.tm_year = year - 1900, .tm_mon = mon + 1, .tm_mday = 1};
			next = timegm(&tm);
			assert_int_equal(candles_query_begin(&month, begin * 1000000), begin);
			assert_int_equal(candles_query_begin(&month, next * 1000000 - 1), begin);
			assert_int_equal(candles_query_step(&month, begin, 1), next);
			assert_int_equal(candles_query_step(&month, next, -1), begin);
		}
}

static void
reads_the_rest(void **state)
{
	CandlesQuery query;

	(void) state;
	assert_true(read_query((CandlesArguments){0}, &query));
	assert_int_equal(query.limit, 500);
	assert_false(query.fill);
	assert_true(read_query((CandlesArguments){.limit = "1", .fill = "true"}, &query));
	assert_int_equal(query.limit, 1);
	assert_true(query.fill);
	assert_true(read_query((CandlesArguments){.limit = "1000", .fill = "false"}, &query));
	assert_int_equal(query.limit, 1000);
	assert_false(query.fill);
	assert_true(read_query((CandlesArguments){"", "", "", "", ""}, &query));
	assert_int_equal(query.limit, 500);
}

static void
says_what_is_wrong(void **state)
{
#define INTERVAL "interval must be a whole number from 1 and a unit"
#define LIMIT "limit must be a whole number from 1 to 1000"
	static const struct
	{
		CandlesArguments given;
		const char *err;
		bool hint;
	} rows[] = {
		{{.interval = "m"}, INTERVAL, true},
		{{.interval = "5"}, INTERVAL, true},
		{{.interval = "0m"}, INTERVAL, true},
		{{.interval = "-1m"}, INTERVAL, true},
		{{.interval = "1.5h"}, INTERVAL, true},
		{{.interval = "1y"}, INTERVAL, true},
		{{.interval = "1mm"}, INTERVAL, true},
		{{.interval = "1 m"}, INTERVAL, true},
		{{.interval = "1H"}, INTERVAL, true},
		{{.interval = "99999999999999999999m"}, INTERVAL, true},
		{{.interval = "121M"}, "interval is longer than ten years", true},
		{{.interval = "3654d"}, "interval is longer than ten years", true},
		{{.interval = "999999999999999999M"}, "interval is longer than ten years", true},
		{{.from = "yesterday"}, "from must be a time", true},
		{{.to = "tomorrow"}, "to must be a time", true},
		{{.to = "253402300800000"}, "to must be from 1970 to 9999", true},
		{{.from = "1960-01-01"}, "from must be from 1970 to 9999", true},
		{{.from = "1795532401", .to = "1795532400"}, "from is later than to", false},
		{{.from = "1795532402"}, "from is in the future", false},
		{{.limit = "0"}, LIMIT, false},
		{{.limit = "1001"}, LIMIT, false},
		{{.limit = "-1"}, LIMIT, false},
		{{.limit = "ten"}, LIMIT, false},
		{{.limit = "1 "}, LIMIT, false},
		{{.fill = "yes"}, "fill must be true or false", false},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char err[CANDLES_ERROR_SIZE] = "";
		const char *hint = NULL;
		CandlesQuery query;

		UNIT_CHECK(!candles_query_read(&rows[i].given, NOW, &query, err, &hint), rows[i].err);
		UNIT_CHECK_TEXT(err, rows[i].err, rows[i].err);
		UNIT_CHECK_INT(hint != NULL, rows[i].hint, rows[i].err);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_intervals),       cmocka_unit_test(reads_times),
		cmocka_unit_test(moves_times_to_begins), cmocka_unit_test(knows_the_calendar),
		cmocka_unit_test(reads_the_rest),        cmocka_unit_test(says_what_is_wrong),
	};

	return UNIT_RUN(tests);
}
