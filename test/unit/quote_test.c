/*
 * quote_test.c
 *	  A quote's JSON, byte for byte, since programs that exist already read it.
 */
#include "unit.h"

#include <json-c/json.h>
#include <time.h>

#include "quote.h"

#define SECOND INT64_C(1000000)
#define SIX_O_CLOCK INT64_C(1795500000123456) /* 2026-11-24T06:00:00.123456Z */

static Decimal
decimal(const char *text)
{
	Decimal d;

	assert_int_equal(decimal_parse(text, strlen(text), &d), DECIMAL_OK);
	return d;
}

static Quote
bitcoin(void)
{
	return (Quote){
		.symbol = "BTC",
		.name = "Bitcoin",
		.nameid = "bitcoin",
		.coinlore_id = 90,
		.rank = 1,
		.price = decimal("77146.66"),
		.price_btc = decimal("1.00"),
		.change_1h = decimal("-0.08"),
		.change_24h = decimal("-0.98"),
		.change_7d = decimal("-2.38"),
		.volume_24h = decimal("26551212429.49"),
		.market_cap = decimal("1540684444015.40"),
		.circulating_supply = decimal("19970852.00"),
		.total_supply = decimal("19970852"),
		.max_supply = decimal("21000000"),
		.fetched_at = SIX_O_CLOCK,
		.source_time = 1788363842,
	};
}

/* Only what a quote cannot be without. */
static Quote
bare(void)
{
	return (Quote){.symbol = "X", .nameid = "x", .price = DECIMAL_ZERO};
}

static void
check_json(const Quote *q, int tier, int interval, const char *expected)
{
	char *buf = malloc(QUOTE_JSON_SIZE);
	size_t len = quote_json(q, tier, interval, buf);

	UNIT_CHECK_TEXT(buf, expected, q->nameid);
	assert_int_equal(len, strlen(expected));
	free(buf);
}

static void
writes_bitcoin_as_documented(void **state)
{
	Quote q = bitcoin();

	(void) state;
	check_json(&q, 1, 5,
			   "{\"symbol\":\"BTC\",\"name\":\"Bitcoin\",\"price\":77146.66,\"price_btc\":1.00,\"rank\":1,"
			   "\"change_1h\":-0.08,\"change_24h\":-0.98,\"change_7d\":-2.38,\"volume_24h\":26551212429.49,"
			   "\"market_cap\":1540684444015.40,\"circulating_supply\":19970852.00,"
			   "\"total_supply\":19970852,\"max_supply\":21000000,"
			   "\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":5,\"tier\":\"tier1\","
			   "\"source\":\"coinlore\",\"id\":\"bitcoin\",\"coinlore_id\":90}");
}

static void
leaves_out_what_is_unknown(void **state)
{
	Quote q = bare();

	(void) state;
	check_json(&q, 16, 3600,
			   "{\"symbol\":\"X\",\"price\":0,\"change_24h\":0,\"volume_24h\":0,"
			   "\"last_updated\":\"1970-01-01T00:00:00.000Z\",\"update_interval\":3600,\"tier\":\"tier16\","
			   "\"source\":\"coinlore\",\"id\":\"x\"}");
}

static void
says_where_simulated_prices_come_from(void **state)
{
	Quote q = bare();

	(void) state;
	assert_string_equal(quote_source(&q), "coinlore");
	q.simulated = true;
	assert_string_equal(quote_source(&q), "simulated");
	check_json(&q, 1, 1,
			   "{\"symbol\":\"X\",\"price\":0,\"change_24h\":0,\"volume_24h\":0,"
			   "\"last_updated\":\"1970-01-01T00:00:00.000Z\",\"update_interval\":1,\"tier\":\"tier1\","
			   "\"source\":\"simulated\",\"id\":\"x\"}");
}

static void
escapes_what_json_wants_escaped(void **state)
{
	Quote q = bare();

	(void) state;
	strcpy(q.symbol, "\"Q\\*/");
	strcpy(q.name, "a\nb\x01\x1f 喵<&>");
	check_json(&q, 1, 1,
			   "{\"symbol\":\"\\\"Q\\\\*/\",\"name\":\"a\\u000ab\\u0001\\u001f 喵<&>\",\"price\":0,"
			   "\"change_24h\":0,\"volume_24h\":0,\"last_updated\":\"1970-01-01T00:00:00.000Z\","
			   "\"update_interval\":1,\"tier\":\"tier1\",\"source\":\"coinlore\",\"id\":\"x\"}");
}

static void
largest_quote_fits_its_buffer(void **state)
{
	const Decimal widest = {-999999999999999999, DECIMAL_SCALE_MAX, true};
	Quote q = {
		.coinlore_id = INT32_MAX,
		.rank = INT32_MAX,
		.price = widest,
		.price_btc = widest,
		.change_1h = widest,
		.change_24h = widest,
		.change_7d = widest,
		.volume_24h = widest,
		.market_cap = widest,
		.circulating_supply = widest,
		.total_supply = widest,
		.max_supply = widest,
		.fetched_at = INT64_MAX,
		.simulated = true,
	};
	char *buf = malloc(QUOTE_JSON_SIZE);
	struct json_object *json;

	(void) state;
	memset(q.symbol, 1, sizeof(q.symbol) - 1);
	memset(q.name, 1, sizeof(q.name) - 1);
	memset(q.nameid, 1, sizeof(q.nameid) - 1);
	assert_true(quote_json(&q, INT32_MAX, INT32_MAX, buf) < QUOTE_JSON_SIZE);
	json = json_tokener_parse(buf);
	assert_non_null(json);
	assert_string_equal(json_object_get_string(json_object_object_get(json, "id")), q.nameid);
	json_object_put(json);
	free(buf);
}

static void
writes_times(void **state)
{
	static const struct
	{
		int64_t us;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{999, "1970-01-01T00:00:00.000Z"},
		{1000, "1970-01-01T00:00:00.001Z"},
		{999999, "1970-01-01T00:00:00.999Z"},
		{SIX_O_CLOCK, "2026-11-24T06:00:00.123Z"},
		{951782399 * SECOND, "2000-02-28T23:59:59.000Z"},
		{951782400 * SECOND, "2000-02-29T00:00:00.000Z"}, /* 400 years: leap */
		{1709164800 * SECOND, "2024-02-29T00:00:00.000Z"},
		{1767225599 * SECOND + 999999, "2025-12-31T23:59:59.999Z"},
		{1767225600 * SECOND, "2026-01-01T00:00:00.000Z"},
		{1772323199 * SECOND, "2026-02-28T23:59:59.000Z"},
		{1772323200 * SECOND, "2026-03-01T00:00:00.000Z"},
		{1835395200 * SECOND, "2028-02-29T00:00:00.000Z"},
		{1835481599 * SECOND, "2028-02-29T23:59:59.000Z"},
		{1835481600 * SECOND, "2028-03-01T00:00:00.000Z"},
		{1861919999 * SECOND, "2028-12-31T23:59:59.000Z"},
		{1861920000 * SECOND, "2029-01-01T00:00:00.000Z"},
		{2147483648 * SECOND, "2038-01-19T03:14:08.000Z"},
		{4107542399 * SECOND, "2100-02-28T23:59:59.000Z"}, /* 100 years: not leap */
		{4107542400 * SECOND, "2100-03-01T00:00:00.000Z"},
		{253402300799 * SECOND + 999999, "9999-12-31T23:59:59.999Z"},
		{253402300800 * SECOND, "1970-01-01T00:00:00.000Z"}, /* beyond what it can write */
		{INT64_MAX, "1970-01-01T00:00:00.000Z"},
		{-1000, "1970-01-01T00:00:00.000Z"},
		{INT64_MIN, "1970-01-01T00:00:00.000Z"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char *buf = malloc(QUOTE_TIME_SIZE);

		UNIT_CHECK_INT(quote_time(rows[i].us, buf), 24, rows[i].text);
		UNIT_CHECK_TEXT(buf, rows[i].text, rows[i].text);
		free(buf);
	}
}

/* Noon of every day until 2400, and any second until 9999, as the C library has them. */
static void
agrees_with_the_c_library_about_dates(void **state)
{
	(void) state;
	for (int64_t i = 0; i < 157000 + 20000; i++)
	{
		time_t t = i < 157000 ? i * 86400 + 43200 : (time_t) unit_random(253402300800);
		struct tm tm;
		char expected[QUOTE_TIME_SIZE];
		char got[QUOTE_TIME_SIZE];

		gmtime_r(&t, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
		quote_time(t * SECOND, got);
		UNIT_CHECK_TEXT(got, expected, "quote_time");
	}
}

static void
sees_any_change_a_reader_would(void **state)
{
	const Quote q = bitcoin();
	Quote other;

	(void) state;
	assert_true(quote_same(&q, &q));

#define CHANGES(change)                                                                                      \
	do                                                                                                       \
	{                                                                                                        \
		other = q;                                                                                           \
		change;                                                                                              \
		UNIT_CHECK(!quote_same(&q, &other), #change);                                                        \
	} while (0)
	CHANGES(other.price = decimal("77146.660"));
	CHANGES(other.price_btc = DECIMAL_UNKNOWN);
	CHANGES(other.change_1h.mantissa++);
	CHANGES(other.change_24h.mantissa++);
	CHANGES(other.change_7d.mantissa++);
	CHANGES(other.volume_24h.mantissa++);
	CHANGES(other.market_cap.mantissa++);
	CHANGES(other.circulating_supply.mantissa++);
	CHANGES(other.total_supply.mantissa++);
	CHANGES(other.max_supply = DECIMAL_UNKNOWN);
	CHANGES(other.rank = 2);
	CHANGES(other.coinlore_id = 91);
	CHANGES(other.simulated = true);
	CHANGES(strcpy(other.symbol, "XBT"));
	CHANGES(strcpy(other.name, "bitcoin"));
#undef CHANGES

	other = q;
	other.fetched_at += SECOND;
	other.source_time++;
	assert_true(quote_same(&q, &other)); /* only older */
}

static void
active_is_listed_and_traded(void **state)
{
	static const struct
	{
		int rank;
		const char *price;
		const char *volume; /* NULL: unknown */
		bool active;
	} rows[] = {
		{1, "1.00", "0.01", true}, {1, "0", "0.01", false},  {1, "0.00", "0.01", false},
		{1, "1.00", "0", false},   {1, "1.00", NULL, false}, {0, "1.00", "0.01", false},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		Quote q = {.rank = rows[i].rank, .price = decimal(rows[i].price)};

		if (rows[i].volume != NULL)
			q.volume_24h = decimal(rows[i].volume);
		assert_int_equal(quote_active(&q), rows[i].active);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_bitcoin_as_documented),
		cmocka_unit_test(leaves_out_what_is_unknown),
		cmocka_unit_test(says_where_simulated_prices_come_from),
		cmocka_unit_test(escapes_what_json_wants_escaped),
		cmocka_unit_test(largest_quote_fits_its_buffer),
		cmocka_unit_test(writes_times),
		cmocka_unit_test(agrees_with_the_c_library_about_dates),
		cmocka_unit_test(sees_any_change_a_reader_would),
		cmocka_unit_test(active_is_listed_and_traded),
	};

	return UNIT_RUN(tests);
}
