/*
 * coinlore_test.c
 *	  What CoinLore sends, real and odd, and what becomes of it.
 */
#include "unit.h"

#include <json-c/json.h>

#include "coinlore.h"
#include "tier.h"

#define SIX_O_CLOCK INT64_C(1795500000123456) /* 2026-11-24T06:00:00.123456Z */

/* 200 kB; too much for the stack of a sanitized program */
static CoinlorePage page;
static char error[256];

static bool
parse(const char *body, size_t len)
{
	char *exact = unit_exact(body, len);
	bool ok;

	memset(&page, 0x55, sizeof(page));
	error[0] = '\0';
	ok = coinlore_parse(exact, len, &page, error, sizeof(error));
	coinlore_free(&page);
	free(exact);
	assert_in_range(page.nquotes, 0, COINLORE_PAGE_ROWS);
	assert_true(ok || (error[0] != '\0' && page.nquotes == 0));
	return ok;
}

static void
must_parse(const char *body)
{
	if (!parse(body, strlen(body)))
		fail_msg("%s: %s", body, error);
}

/* A page of one row: a sound one, with the given fields instead of its own, since the last of a name counts. */
static void
parse_row(const char *fields)
{
	char *body = malloc(strlen(fields) + 512);

	sprintf(body,
			"{\"data\":[{\"id\":\"7\",\"symbol\":\"AAA\",\"name\":\"Triple A\",\"nameid\":\"aaa\",\"rank\":7,"
			"\"price_usd\":\"1.50\",\"percent_change_24h\":\"0.10\",\"price_btc\":\"0.1\",\"volume24\":9.5,"
			"\"msupply\":\"21\"%s%s}]}",
			fields[0] != '\0' ? "," : "", fields);
	must_parse(body);
	free(body);
}

static const char *
printed(Decimal d)
{
	static char text[4][DECIMAL_TEXT_SIZE];
	static int turn;
	char *buf = text[turn++ % 4];

	if (!d.known)
		return "unknown";
	decimal_print(d, buf);
	return buf;
}

static void
check_row_refused(const char *fields, const char *why)
{
	parse_row(fields);
	UNIT_CHECK_INT(page.nquotes, 0, fields);
	UNIT_CHECK_INT(page.nrejected, 1, fields);
	UNIT_CHECK_TEXT(page.rejected_why, why, fields);
}

/* Whole pages */

static void
reads_a_real_page(void **state)
{
	static const char *const expected[] = {
		"{\"symbol\":\"BTC\",\"name\":\"Bitcoin\",\"price\":77146.66,\"price_btc\":1.00,\"rank\":1,"
		"\"change_1h\":-0.08,\"change_24h\":-0.98,\"change_7d\":-2.38,\"volume_24h\":26551212429.49,"
		"\"market_cap\":1540684444015.40,\"circulating_supply\":19970852.00,\"total_supply\":19970852,"
		"\"max_supply\":21000000,\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":5,"
		"\"tier\":\"tier1\",\"source\":\"coinlore\",\"id\":\"bitcoin\",\"coinlore_id\":90}",
		"{\"symbol\":\"ETH\",\"name\":\"Ethereum\",\"price\":3037.37,\"price_btc\":0.033199,\"rank\":2,"
		"\"change_1h\":-0.37,\"change_24h\":1.63,\"change_7d\":7.70,\"volume_24h\":10323889937.423626,"
		"\"market_cap\":366622528003.66,\"circulating_supply\":120703849.62,\"total_supply\":122375302,"
		"\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":5,"
		"\"tier\":\"tier1\",\"source\":\"coinlore\",\"id\":\"ethereum\",\"coinlore_id\":80}",
		"{\"symbol\":\"CELO\",\"name\":\"Celo\",\"price\":3.10,\"price_btc\":0.000064,\"rank\":101,"
		"\"change_1h\":0.13,\"change_24h\":-0.49,\"change_7d\":-2.03,\"volume_24h\":10985575.460062979,"
		"\"market_cap\":571184401.01,\"circulating_supply\":184447717.00,\"total_supply\":1000000000,"
		"\"max_supply\":1000000000,\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":10,"
		"\"tier\":\"tier2\",\"source\":\"coinlore\",\"id\":\"celo\",\"coinlore_id\":44425}",
		"{\"symbol\":\"CRV\",\"name\":\"Curve DAO Token\",\"price\":2.22,\"price_btc\":0.000046,\"rank\":102,"
		"\"change_1h\":1.90,\"change_24h\":0.29,\"change_7d\":-5.40,\"volume_24h\":226689020.86659354,"
		"\"market_cap\":562497971.18,\"circulating_supply\":253834039.00,\"total_supply\":1459000697.8068,"
		"\"max_supply\":3303030299,\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":10,"
		"\"tier\":\"tier2\",\"source\":\"coinlore\",\"id\":\"curve-dao-token\",\"coinlore_id\":48581}",
		"{\"symbol\":\"FRAX\",\"name\":\"Frax\",\"price\":0.997055,\"price_btc\":0.000015,\"rank\":103,"
		"\"change_1h\":0.00,\"change_24h\":0.02,\"change_7d\":0.05,\"volume_24h\":2960669.54311165,"
		"\"market_cap\":647549394.95,\"circulating_supply\":649462235.00,\"total_supply\":1044853133.2588,"
		"\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":10,"
		"\"tier\":\"tier2\",\"source\":\"coinlore\",\"id\":\"frax\",\"coinlore_id\":46968}",
		"{\"symbol\":\"BLZ\",\"name\":\"Bluzelle\",\"price\":0.010176,\"price_btc\":0.000000153,\"rank\":862,"
		"\"change_1h\":0.01,\"change_24h\":-82.07,\"change_7d\":-82.07,\"volume_24h\":353554.96,"
		"\"market_cap\":4790084.31,\"circulating_supply\":470730576.78,\"total_supply\":500000000,"
		"\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":20,"
		"\"tier\":\"tier3\",\"source\":\"coinlore\",\"id\":\"bluzelle\",\"coinlore_id\":1276}",
		"{\"symbol\":\"BLY\",\"name\":\"Blocery\",\"price\":0.002352,\"price_btc\":0.0000000354,\"rank\":"
		"1072,"
		"\"change_1h\":26.13,\"change_24h\":430.09,\"change_7d\":115.77,\"volume_24h\":55022290.69,"
		"\"market_cap\":2293341.40,\"circulating_supply\":974999995.64,\"total_supply\":1000000000,"
		"\"max_supply\":1000000000,\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":30,"
		"\"tier\":\"tier4\",\"source\":\"coinlore\",\"id\":\"blocery\",\"coinlore_id\":45080}",
		"{\"symbol\":\"DGD\",\"name\":\"DigixDAO\",\"price\":0,\"price_btc\":0,\"rank\":5313,"
		"\"change_1h\":0.00,\"change_24h\":0.00,\"change_7d\":0.00,\"volume_24h\":0,"
		"\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":60,"
		"\"tier\":\"tier5\",\"source\":\"coinlore\",\"id\":\"digixdao\",\"coinlore_id\":111}",
		"{\"symbol\":\"BPX\",\"name\":\"Black Phoenix\",\"price\":2.81,\"price_btc\":0.000036,\"rank\":9001,"
		"\"change_24h\":22504260.24,\"volume_24h\":51000.5,"
		"\"market_cap\":0.00,\"circulating_supply\":0.00,\"total_supply\":0,"
		"\"last_updated\":\"2026-11-24T06:00:00.123Z\",\"update_interval\":60,"
		"\"tier\":\"tier5\",\"source\":\"coinlore\",\"id\":\"black-phoenix\",\"coinlore_id\":184771}",
	};
	size_t len;
	char *body = unit_read("test/unit/data/page.json", &len);
	TierList tiers;

	(void) state;
	assert_true(tier_parse(TIER_DEFAULT, &tiers, error, sizeof(error)));
	assert_true(parse(body, len));
	assert_int_equal(page.nquotes, UNIT_COUNT(expected));
	assert_int_equal(page.nrejected, 0);
	assert_int_equal(page.coins_num, 14993);
	assert_int_equal(page.time, 1788363842);
	for (int i = 0; i < page.nquotes; i++)
	{
		Quote *q = &page.quotes[i];
		int tier = tier_of_rank(&tiers, q->rank);
		char json[QUOTE_JSON_SIZE];

		UNIT_CHECK(q->fetched_at == 0 && !q->simulated && !q->restored, q->nameid);
		UNIT_CHECK_INT(q->source_time, 1788363842, q->nameid);
		UNIT_CHECK(quote_active(q) == (strcmp(q->symbol, "DGD") != 0), q->nameid);
		q->fetched_at = SIX_O_CLOCK;
		quote_json(q, tier, tier_seconds(tier_get(&tiers, tier)), json);
		UNIT_CHECK_TEXT(json, expected[i], q->nameid);
	}
	free(body);
}

static void
reads_the_older_shape(void **state)
{
	size_t len;
	char *body = unit_read("test/unit/data/ticker_old.json", &len);

	(void) state;
	assert_true(parse(body, len));
	assert_int_equal(page.nquotes, 2);
	assert_int_equal(page.nrejected, 0);
	assert_int_equal(page.coins_num, -1);
	assert_int_equal(page.time, 0);
	assert_string_equal(page.quotes[0].nameid, "bitcoin");
	assert_string_equal(printed(page.quotes[0].volume_24h), "26551212429.49");
	assert_string_equal(page.quotes[1].nameid, "ethereum");
	assert_string_equal(printed(page.quotes[1].volume_24h), "17098667901.7057953");
	free(body);
}

static void
accepts_pages_past_the_end(void **state)
{
	static const struct
	{
		const char *body;
		int coins_num;
		int64_t time;
	} rows[] = {
		{"{\"data\":[],\"info\":{\"coins_num\":14993,\"time\":1788363842}}", 14993, 1788363842},
		{"{\"data\":null,\"info\":{\"coins_num\":14471,\"time\":1}}", 14471, 1},
		{"{\"info\":{\"coins_num\":\"14993\",\"time\":\"1788363842\"},\"data\":[]}", 14993, 1788363842},
		{"{\"data\":[],\"info\":{\"coins_num\":0,\"time\":0}}", 0, 0},
		{"{\"data\":[],\"info\":{\"coins_num\":-1,\"time\":-1}}", -1, 0},
		{"{\"data\":[],\"info\":{\"coins_num\":99999999999,\"time\":99999999999999999999}}", -1, 0},
		{"{\"data\":[],\"info\":{\"coins_num\":\"many\",\"time\":null}}", -1, 0},
		{"{\"data\":[],\"info\":{\"coins_num\":14993.5,\"time\":17.5}}", -1, 0},
		{"{\"data\":[],\"info\":{}}", -1, 0},
		{"{\"data\":[],\"info\":null}", -1, 0},
		{"{\"data\":[],\"info\":[1]}", -1, 0},
		{"{\"data\":[]}", -1, 0},
		{"{\"data\":null}", -1, 0},
		{"[]", -1, 0},
		{" \r\n\t[ ] \n", -1, 0},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		must_parse(rows[i].body);
		UNIT_CHECK_INT(page.nquotes, 0, rows[i].body);
		UNIT_CHECK_INT(page.nrejected, 0, rows[i].body);
		UNIT_CHECK_INT(page.coins_num, rows[i].coins_num, rows[i].body);
		UNIT_CHECK_INT(page.time, rows[i].time, rows[i].body);
	}
}

static void
says_what_is_wrong_with_a_body(void **state)
{
	static const char *const rows[][2] = {
		{"", "the body is empty"},
		{"{}", "the body has no \"data\""},
		{"{\"error\":\"rate limited\"}", "the body has no \"data\""},
		{"{\"data\":{}}", "\"data\" is neither an array nor null"},
		{"{\"data\":\"\"}", "\"data\" is neither an array nor null"},
		{"{\"data\":false}", "\"data\" is neither an array nor null"},
		{"\"data\"", "the body is neither an object nor an array"},
		{"true ", "the body is neither an object nor an array"},
		{"12 ", "the body is neither an object nor an array"},
		{" ", "the JSON ends in the middle, after 1 bytes"},
		{"{\"data\":[", "the JSON ends in the middle, after 9 bytes"},
		{"null ", "the body is not JSON: null at byte 5"},
		{"<!DOCTYPE html><title>Just a moment...</title>",
		 "the body is not JSON: unexpected character at byte 0"},
		{"{\"data\":[}", "the body is not JSON: unexpected character at byte 9"},
		{"{\"data\":[1 2]}", "the body is not JSON: array value separator ',' expected at byte 11"},
		{"[[[[[[[[[[]]]]]]]]]]", "the body is not JSON: nesting too deep at byte 8"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		UNIT_CHECK(!parse(rows[i][0], strlen(rows[i][0])), rows[i][0]);
		UNIT_CHECK_TEXT(error, rows[i][1], rows[i][0]);
	}
	assert_false(parse("{\"data\":[]\0}", 12)); /* a NUL between tokens */
	assert_false(coinlore_parse("", (size_t) INT32_MAX + 1, &page, error, sizeof(error)));
	assert_string_equal(error, "the body is too long");
}

static void
no_part_of_a_body_is_a_page(void **state)
{
	static const char *const paths[] = {"test/unit/data/page.json", "test/unit/data/ticker_old.json"};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(paths); i++)
	{
		size_t len;
		char *body = unit_read(paths[i], &len);

		for (size_t part = 0; part < len; part++)
			if (parse(body, part))
				fail_msg("the first %zu bytes of %s are taken for a page", part, paths[i]);
		assert_true(parse(body, len));
		free(body);
	}
}

static void
stands_any_damaged_byte(void **state)
{
	static const char damage[] = {'\0', '"', '\\', '{', '}', '[', ',', '9', '-', '\n', '\x80', '\xff'};
	size_t len;
	char *body = unit_read("test/unit/data/page.json", &len);

	(void) state;
	for (size_t i = 0; i < len; i++)
	{
		char whole = body[i];

		body[i] = damage[unit_random(sizeof(damage))];
		parse(body, len);
		for (int q = 0; q < page.nquotes; q++)
			assert_true(page.quotes[q].price.mantissa >= 0 &&
						symbol_text_valid(page.quotes[q].symbol, strlen(page.quotes[q].symbol)));
		body[i] = whole;
	}
	free(body);
}

/* One row */

static void
reads_prices(void **state)
{
	/* NULL: a row that must be refused */
	static const char *const rows[][2] = {
		{"\"77146.66\"", "77146.66"},
		{"\"0.000024\"", "0.000024"},
		{"3.10", "3.10"},
		{"1E5", "100000"},
		{"3.54e-8", "0.0000000354"},
		{"7", "7"},
		{"\"3.54E-8\"", "0.0000000354"},
		{"\"0?\"", "0"}, /* dead */
		{"\"\"", "0"},
		{"null", "0"},
		{"\"0.00\"", "0.00"},
		{"\"1234567890123456789012345678\"", "1234567890123456790000000000"},
		{"1234567890123456789.012345678", "1234567890123456790"},
		{"\"1.000000000000000005\"", "1.00000000000000001"},
		{"\"-0.00\"", "0.00"},
		{"\"-1.00\"", NULL},
		{"-1.00", NULL},
		{"-1e-9", NULL},
		{"\"1?\"", NULL},
		{"\"0?0\"", NULL},
		{"\"?\"", NULL},
		{"\" 1\"", NULL},
		{"\"1,000.00\"", NULL},
		{"\"NaN\"", NULL},
		{"NaN", NULL},
		{"Infinity", NULL},
		{"\"1\\u00002\"", NULL},
		{"\"0?\\u0000\"", NULL},
		{"\"1e999\"", NULL},
		{"\"1e-999\"", NULL},
		{"1e999", NULL},
		{"12345678901234567890", NULL},
		{"99999999999999999999999999", NULL},
		{"-99999999999999999999999999", NULL},
		{"true", NULL},
		{"[]", NULL},
		{"{\"usd\":1}", NULL},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char fields[128];

		snprintf(fields, sizeof(fields), "\"price_usd\":%s", rows[i][0]);
		if (rows[i][1] == NULL)
			check_row_refused(fields, "row 1 aaa: price_usd is not a price");
		else
		{
			parse_row(fields);
			UNIT_CHECK_INT(page.nquotes, 1, rows[i][0]);
			UNIT_CHECK_TEXT(printed(page.quotes[0].price), rows[i][1], rows[i][0]);
		}
	}

	must_parse("[{\"symbol\":\"AAA\",\"nameid\":\"aaa\",\"rank\":7}]"); /* no price at all */
	assert_int_equal(page.nquotes, 1);
	assert_string_equal(printed(page.quotes[0].price), "0");
	assert_false(quote_active(&page.quotes[0]));
}

static void
refuses_prices_of_400_digits(void **state)
{
	char fields[512] = "\"price_usd\":\"";

	(void) state;
	memset(fields + strlen(fields), '7', 400);
	strcat(fields, "\"");
	check_row_refused(fields, "row 1 aaa: price_usd is not a price");
	fields[strlen("\"price_usd\":")] = ' ';
	fields[strlen(fields) - 1] = ' ';
	check_row_refused(fields, "row 1 aaa: price_usd is not a price");
}

/* Figures beside the price: one that cannot be read is unknown, and costs nothing else. */
static void
reads_other_figures(void **state)
{
	static const char *const rows[][3] = {
		/* value, a percentage's text, an amount's text */
		{"\"0.00\"", "0.00", "0.00"},
		{"\"22504260.24\"", "22504260.24", "22504260.24"},
		{"-82.07", "-82.07", "unknown"},
		{"\"-82.07\"", "-82.07", "unknown"},
		{"26551212429.49", "26551212429.49", "26551212429.49"},
		{"17098667901.7057952880859375", "17098667901.7057953", "17098667901.7057953"},
		{"\"17098667901.7057952880859375\"", "17098667901.7057953", "17098667901.7057953"},
		{"\"589289410812691.00\"", "589289410812691.00", "589289410812691.00"},
		{"9223372036854775806", "9223372036854775810", "9223372036854775810"},
		{"9223372036854775807", "unknown", "unknown"}, /* json-c's largest */
		{"99999999999999999999", "unknown", "unknown"},
		{"1e30", "1000000000000000000000000000000", "1000000000000000000000000000000"},
		{"\"1e99\"", "unknown", "unknown"},
		{"\"\"", "unknown", "unknown"},
		{"null", "unknown", "unknown"},
		{"\"0?\"", "unknown", "unknown"},
		{"\"n/a\"", "unknown", "unknown"},
		{"\"1\\u0000\"", "unknown", "unknown"},
		{"NaN", "unknown", "unknown"},
		{"false", "unknown", "unknown"},
		{"[1]", "unknown", "unknown"},
		{"{}", "unknown", "unknown"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		const char *value = rows[i][0];
		const Quote *q = &page.quotes[0];
		char fields[512];

		snprintf(
			fields, sizeof(fields),
			"\"percent_change_1h\":%s,\"percent_change_24h\":%s,\"percent_change_7d\":%s,\"volume24\":%s,"
			"\"market_cap_usd\":%s,\"csupply\":%s,\"tsupply\":%s,\"msupply\":%s",
			value, value, value, value, value, value, value, value);
		parse_row(fields);
		UNIT_CHECK_INT(page.nquotes, 1, value);
		UNIT_CHECK_TEXT(printed(q->price), "1.50", value);
		UNIT_CHECK_TEXT(printed(q->change_1h), rows[i][1], value);
		UNIT_CHECK_TEXT(printed(q->change_24h), rows[i][1], value);
		UNIT_CHECK_TEXT(printed(q->change_7d), rows[i][1], value);
		UNIT_CHECK_TEXT(printed(q->volume_24h), rows[i][2], value);
		UNIT_CHECK_TEXT(printed(q->market_cap), rows[i][2], value);
		UNIT_CHECK_TEXT(printed(q->circulating_supply), rows[i][2], value);
		UNIT_CHECK_TEXT(printed(q->total_supply), rows[i][2], value);
		UNIT_CHECK_TEXT(printed(q->max_supply), rows[i][2], value);
	}
}

static void
a_bad_price_in_btc_is_unknown(void **state)
{
	(void) state;
	parse_row("\"price_btc\":\"-1\"");
	assert_string_equal(printed(page.quotes[0].price_btc), "unknown");
	parse_row("\"price_btc\":\"abc\"");
	assert_string_equal(printed(page.quotes[0].price_btc), "unknown");
	parse_row("\"price_btc\":\"0?\"");
	assert_string_equal(printed(page.quotes[0].price_btc), "0");
}

static void
reads_ids(void **state)
{
	static const struct
	{
		const char *value;
		int32_t id;
	} rows[] = {
		{"\"90\"", 90}, {"90", 90},    {"\"90.00\"", 90},     {"\"2147483647\"", INT32_MAX},
		{"\"0\"", 0},   {"\"-1\"", 0}, {"\"2147483648\"", 0}, {"\"1.5\"", 0},
		{"\"\"", 0},    {"null", 0},   {"\"ninety\"", 0},     {"true", 0},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char fields[64];

		snprintf(fields, sizeof(fields), "\"id\":%s", rows[i].value);
		parse_row(fields);
		UNIT_CHECK_INT(page.nquotes, 1, rows[i].value);
		UNIT_CHECK_INT(page.quotes[0].coinlore_id, rows[i].id, rows[i].value);
	}
}

static void
folds_symbols_and_keeps_names(void **state)
{
	static const char *const rows[][2] = {
		{"btc", "BTC"},
		{"bdcl bsc", "BDCL BSC"},
		{" Q* ", "Q*"},
		{"1%", "1%"},
		{":zkt:", ":ZKT:"},
		{"w$c", "W$C"},
		{"喵喵喵喵喵", "喵喵喵喵喵"},
		{"\\u55b5", "喵"},
		{"la´eeb", "LA´EEB"},
		{"ΑAI", "ΑAI"},
		{"yonkō", "YONKō"},
		{"ƎԀƎԀ", "ƎԀƎԀ"},
		{"\\\"\\\\/", "\"\\/"},
		{"\\ud83d\\ude80", "\xf0\x9f\x9a\x80"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char fields[160];

		snprintf(fields, sizeof(fields), "\"symbol\":\"%s\",\"name\":\" Mixed Case \",\"nameid\":\"Mixed\"",
				 rows[i][0]);
		parse_row(fields);
		UNIT_CHECK_INT(page.nquotes, 1, rows[i][0]);
		UNIT_CHECK_TEXT(page.quotes[0].symbol, rows[i][1], rows[i][0]);
		UNIT_CHECK_TEXT(page.quotes[0].name, "Mixed Case", rows[i][0]);
		UNIT_CHECK_TEXT(page.quotes[0].nameid, "Mixed", rows[i][0]);
	}
}

static void
refuses_rows_without_identity(void **state)
{
	static const char *const rows[][2] = {
		{"\"nameid\":null", "row 1: nameid is missing"},
		{"\"nameid\":[]", "row 1: nameid is missing"},
		{"\"nameid\":\"\"", "row 1: nameid is empty"},
		{"\"nameid\":\"   \"", "row 1: nameid is empty"},
		{"\"nameid\":\"a\\u0000b\"", "row 1: nameid holds control characters or is not UTF-8"},
		{"\"nameid\":\"\\u0000\"", "row 1: nameid holds control characters or is not UTF-8"},
		{"\"nameid\":\"a\\nb\"", "row 1: nameid holds control characters or is not UTF-8"},
		{"\"nameid\":\"\xff\"", "row 1: nameid holds control characters or is not UTF-8"},
		{"\"symbol\":null", "row 1 aaa: symbol is missing"},
		{"\"symbol\":true", "row 1 aaa: symbol is missing"},
		{"\"symbol\":\"\"", "row 1 aaa: symbol is empty"},
		{"\"symbol\":\"BT\\u0000C\"", "row 1 aaa: symbol holds control characters or is not UTF-8"},
		{"\"symbol\":\"\\u007f\"", "row 1 aaa: symbol holds control characters or is not UTF-8"},
		{"\"symbol\":\"\\u0085\"", "row 1 aaa: symbol holds control characters or is not UTF-8"},
		{"\"symbol\":\"B\xc3\"", "row 1 aaa: symbol holds control characters or is not UTF-8"},
		{"\"symbol\":\"\xed\xa0\x80\"", "row 1 aaa: symbol holds control characters or is not UTF-8"},
		{"\"symbol\":\"\xc0\x80\"", "row 1 aaa: symbol holds control characters or is not UTF-8"},
		{"\"rank\":null", "row 1 aaa: rank is not a whole number from 1 up"},
		{"\"rank\":0", "row 1 aaa: rank is not a whole number from 1 up"},
		{"\"rank\":-1", "row 1 aaa: rank is not a whole number from 1 up"},
		{"\"rank\":1.5", "row 1 aaa: rank is not a whole number from 1 up"},
		{"\"rank\":\"first\"", "row 1 aaa: rank is not a whole number from 1 up"},
		{"\"rank\":10000001", "row 1 aaa: rank is not a whole number from 1 up"},
		{"\"rank\":99999999999999999999", "row 1 aaa: rank is not a whole number from 1 up"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		check_row_refused(rows[i][0], rows[i][1]);
}

static void
knows_the_longest_names(void **state)
{
	enum
	{
		KILOBYTES = 10240
	};
	static char fields[KILOBYTES + 64];
	static char text[KILOBYTES + 1];
	static const struct
	{
		const char *field;
		size_t size;
		const char *refusal; /* NULL: it is cut */
	} rows[] = {
		{"symbol", SYMBOL_SIZE, "row 1 aaa: symbol is too long"},
		{"nameid", QUOTE_NAMEID_SIZE, "row 1: nameid is too long"},
		{"name", QUOTE_NAME_SIZE, NULL},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		const size_t lengths[] = {rows[i].size - 1, rows[i].size, KILOBYTES};

		for (size_t j = 0; j < UNIT_COUNT(lengths); j++)
		{
			memset(text, 'A', lengths[j]);
			text[lengths[j]] = '\0';
			sprintf(fields, "\"%s\":\"%s\"", rows[i].field, text);
			if (j > 0 && rows[i].refusal != NULL)
				check_row_refused(fields, rows[i].refusal);
			else
			{
				const Quote *q = &page.quotes[0];

				parse_row(fields);
				UNIT_CHECK_INT(page.nquotes, 1, rows[i].field);
				UNIT_CHECK_INT(strlen(i == 0   ? q->symbol
									  : i == 1 ? q->nameid
											   : q->name),
							   rows[i].size - 1, rows[i].field);
			}
		}
	}
}

static void
cuts_names_at_a_character(void **state)
{
	char fields[256];

	(void) state;
	for (int ahead = 0; ahead < 4; ahead++)
	{
		const char *name = page.quotes[0].name;
		char *p = fields + sprintf(fields, "\"name\":\"%.*s", ahead, "abc");

		for (int i = 0; i < 40; i++)
			p += sprintf(p, "喵");
		strcpy(p, "\"");
		parse_row(fields);
		assert_true(symbol_text_valid(name, strlen(name)));
		assert_in_range(strlen(name), QUOTE_NAME_SIZE - 3, QUOTE_NAME_SIZE - 1);
	}
}

static void
drops_garbled_names(void **state)
{
	static const char *const values[] = {"null", "\"\"", "[]", "\"a\\u0000b\"", "\"\xff\"", "\"\xe5\x96\""};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(values); i++)
	{
		char fields[64];

		snprintf(fields, sizeof(fields), "\"name\":%s", values[i]);
		parse_row(fields);
		UNIT_CHECK_INT(page.nquotes, 1, values[i]);
		UNIT_CHECK_TEXT(page.quotes[0].name, "", values[i]);
	}
}

/* Rows beside each other */

static void
a_bad_row_costs_that_row(void **state)
{
	(void) state;
	must_parse("[{\"symbol\":\"A\",\"nameid\":\"a\",\"rank\":1},"
			   "null, 7, \"row\", [], {},"
			   "{\"symbol\":\"B\",\"nameid\":\"b\",\"rank\":2,\"price_usd\":\"-1\"},"
			   "{\"symbol\":\"C\",\"nameid\":\"c\",\"rank\":3}]");
	assert_int_equal(page.nquotes, 2);
	assert_int_equal(page.nrejected, 6);
	assert_string_equal(page.rejected_why, "row 2: row is not an object"); /* the first */
	assert_string_equal(page.quotes[0].nameid, "a");
	assert_string_equal(page.quotes[1].nameid, "c");
}

static void
keeps_the_first_of_duplicates(void **state)
{
	(void) state;
	must_parse("[{\"symbol\":\"A\",\"nameid\":\"a\",\"rank\":1,\"price_usd\":\"1\"},"
			   "{\"symbol\":\"B\",\"nameid\":\"a\",\"rank\":2,\"price_usd\":\"2\"},"
			   "{\"symbol\":\"A\",\"nameid\":\"A\",\"rank\":1,\"price_usd\":\"3\"}]");
	assert_int_equal(page.nquotes, 2); /* symbols and ranks need not be unique, and nameids have case */
	assert_int_equal(page.nrejected, 1);
	assert_string_equal(page.rejected_why, "row 2 a: nameid stands on the page twice");
	assert_string_equal(printed(page.quotes[0].price), "1");
	assert_string_equal(printed(page.quotes[1].price), "3");
}

static void
takes_a_hundred_rows(void **state)
{
	static const int counts[] = {99, 100, 101, 250};
	static char body[16384];

	(void) state;
	for (size_t row = 0; row < UNIT_COUNT(counts); row++)
	{
		int n = counts[row];
		char *p = body + sprintf(body, "{\"data\":[");

		for (int i = 1; i <= n; i++)
			p += sprintf(p, "%s{\"symbol\":\"S%d\",\"nameid\":\"n%d\",\"rank\":%d}", i > 1 ? "," : "", i, i,
						 i);
		strcpy(p, "]}");
		must_parse(body);
		assert_int_equal(page.nquotes, n < 100 ? n : 100);
		assert_int_equal(page.nrejected, n < 100 ? 0 : n - 100);
		assert_string_equal(page.rejected_why,
							n <= 100 ? "" : "row 101: row is beyond the 100 that a page can hold");
		assert_string_equal(page.quotes[page.nquotes - 1].nameid, n < 100 ? "n99" : "n100");
	}
}

/* It goes to the log and to SQL, where half a character is an error. */
static void
reason_is_valid_text(void **state)
{
	char fields[256];

	(void) state;
	for (int ahead = 0; ahead < 3; ahead++)
	{
		char *p = fields + sprintf(fields, "\"rank\":0,\"nameid\":\"%.*s", ahead, "ab");

		for (int i = 0; i < 30; i++)
			p += sprintf(p, "喵");
		strcpy(p, "\"");
		parse_row(fields);
		assert_int_equal(page.nrejected, 1);
		assert_true(symbol_text_valid(page.rejected_why, strlen(page.rejected_why)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_real_page),
		cmocka_unit_test(reads_the_older_shape),
		cmocka_unit_test(accepts_pages_past_the_end),
		cmocka_unit_test(says_what_is_wrong_with_a_body),
		cmocka_unit_test(no_part_of_a_body_is_a_page),
		cmocka_unit_test(stands_any_damaged_byte),
		cmocka_unit_test(reads_prices),
		cmocka_unit_test(refuses_prices_of_400_digits),
		cmocka_unit_test(reads_other_figures),
		cmocka_unit_test(a_bad_price_in_btc_is_unknown),
		cmocka_unit_test(reads_ids),
		cmocka_unit_test(folds_symbols_and_keeps_names),
		cmocka_unit_test(refuses_rows_without_identity),
		cmocka_unit_test(knows_the_longest_names),
		cmocka_unit_test(cuts_names_at_a_character),
		cmocka_unit_test(drops_garbled_names),
		cmocka_unit_test(a_bad_row_costs_that_row),
		cmocka_unit_test(keeps_the_first_of_duplicates),
		cmocka_unit_test(takes_a_hundred_rows),
		cmocka_unit_test(reason_is_valid_text),
	};

	return UNIT_RUN(tests);
}
