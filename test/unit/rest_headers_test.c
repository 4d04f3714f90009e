/*
 * rest_headers_test.c
 *	  Accept, Prefer and Range of /rest/v1; statuses of errors; how alike names are.
 */
#include "unit.h"

#include "rest_headers.h"

static void
chooses_media(void **state)
{
	static const struct
	{
		const char *accept;
		bool root;
		const char *type; /* NULL: none is to be had */
	} rows[] = {
		{NULL, false, "application/json; charset=utf-8"},
		{"", false, "application/json; charset=utf-8"},
		{"*/*", false, "application/json; charset=utf-8"},
		{"application/json", false, "application/json; charset=utf-8"},
		{"APPLICATION/JSON;charset=utf-8", false, "application/json; charset=utf-8"},
		{"text/csv", false, "text/csv; charset=utf-8"},
		{"text/csv, application/json", false, "text/csv; charset=utf-8"},
		{"text/csv;q=0.5, application/json", false, "application/json; charset=utf-8"},
		{"text/html, text/csv; q=0.1", false, "text/csv; charset=utf-8"},
		{"text/html", false, NULL},
		{"text/csv;q=0", false, NULL},
		{"application/geo+json", false, NULL},
		{"application/vnd.pgrst.object+json", false, "application/vnd.pgrst.object+json; charset=utf-8"},
		{"application/vnd.pgrst.object", false, "application/vnd.pgrst.object+json; charset=utf-8"},
		{"application/vnd.pgrst.object+json;nulls=stripped", false,
		 "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"},
		{"application/vnd.pgrst.array+json;nulls=stripped", false,
		 "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"},
		{"application/vnd.pgrst.array+json", false, "application/json; charset=utf-8"},
		{"application/vnd.pgrst.plan+json", false, NULL},
		{"application/json;nulls=stripped", false, "application/json; charset=utf-8"},
		{"application/openapi+json", false, NULL},
		{"application/openapi+json", true, "application/openapi+json; charset=utf-8"},
		{"*/*", true, "application/openapi+json; charset=utf-8"},
		{"text/csv", true, NULL},
		{";;;,,,;q=", false, NULL},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		const char *label = rows[i].accept != NULL ? rows[i].accept : "nothing";
		Arena arena = {0};
		RestHeaders headers = {0};
		RestError error = {0};
		bool found = rest_headers_accept(&headers, rows[i].accept, rows[i].root, &arena, &error);

		UNIT_CHECK(found == (rows[i].type != NULL), label);
		if (found)
			UNIT_CHECK_TEXT(rest_headers_content_type(&headers), rows[i].type, label);
		else
			UNIT_CHECK(error.status == 406 && strcmp(error.code, "PGRST107") == 0, label);
		arena_free(&arena);
	}
}

static void
reads_preferences(void **state)
{
	Arena arena = {0};
	RestHeaders headers = {0};

	(void) state;
	rest_headers_prefer(&headers,
						"count=exact , count=planned,handling=strict,handling=lenient, return=minimal,foo, "
						"timezone=Europe/Berlin,max-affected=7,bar=1,tx=rollback",
						&arena);
	assert_int_equal(headers.count, REST_COUNT_EXACT);
	assert_true(headers.strict);
	assert_string_equal(headers.timezone, "Europe/Berlin");
	assert_true(headers.has_max_affected);
	assert_int_equal(headers.max_affected, 7);
	assert_string_equal(headers.unknown, "foo, bar=1");
	rest_headers_refuse_timezone(&headers, &arena);
	assert_null(headers.timezone);
	assert_string_equal(headers.unknown, "foo, bar=1, timezone=Europe/Berlin");

	headers = (RestHeaders){0};
	rest_headers_prefer(&headers, ",,  , max-affected=x", &arena);
	assert_null(headers.unknown);
	assert_false(headers.has_max_affected);
	rest_headers_prefer(&headers, NULL, &arena);
	arena_free(&arena);
}

static void
reads_ranges(void **state)
{
	static const struct
	{
		const char *text;
		int64_t first;
		int64_t last;
		bool reversed;
	} rows[] = {
		{NULL, 0, -1, false},       {"0-9", 0, 9, false},        {"10-", 10, -1, false},
		{"items=5-6", 5, 6, false}, {"9-0", 9, 0, true},         {"-5", 0, -1, false},
		{"a-b", 0, -1, false},      {"0-9,20-29", 0, -1, false}, {"bytes=0-9", 0, -1, false},
		{"1 - 2", 0, -1, false},    {"", 0, -1, false},          {"99999999999999999999-", 0, -1, false},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		const char *label = rows[i].text != NULL ? rows[i].text : "nothing";
		RestHeaders headers = {0};

		rest_headers_range(&headers, rows[i].text);
		UNIT_CHECK_INT(headers.first, rows[i].first, label);
		UNIT_CHECK_INT(headers.last, rows[i].last, label);
		UNIT_CHECK(headers.reversed == rows[i].reversed, label);
	}
}

static void
maps_errors(void **state)
{
	static const struct
	{
		const char *code;
		const char *message;
		bool known;
		int status;
	} rows[] = {
		{"42501", "", false, 401},   {"42501", "", true, 403},
		{"42P01", "", false, 404},   {"42883", "", false, 404},
		{"22P02", "", false, 400},   {"22003", "", false, 400},
		{"57014", "", false, 500},   {"57P01", "", false, 503},
		{"25006", "", false, 405},   {"25P02", "", false, 500},
		{"23505", "", false, 409},   {"53400", "", false, 500},
		{"53300", "", false, 503},   {"P0001", "", false, 400},
		{"P0002", "", false, 500},   {"PT402", "", false, 402},
		{"PTabc", "", false, 500},   {"PT100", "", false, 500},
		{"XX000", "", false, 500},   {"22023", "role \"x\" does not exist", false, 401},
		{"22023", "x", false, 400},  {"42703", "", false, 400},
		{"08006", NULL, false, 503},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		UNIT_CHECK_INT(rest_error_status(rows[i].code, rows[i].message, rows[i].known), rows[i].status,
					   rows[i].code);
}

static void
writes_errors(void **state)
{
	Text text = {0};

	(void) state;
	rest_error_write(&(RestError){400, "PGRST100", "a \"b\"\n", NULL, "c"}, &text);
	assert_string_equal(
		text.bytes,
		"{\"code\":\"PGRST100\",\"message\":\"a \\\"b\\\"\\u000a\",\"details\":null,\"hint\":\"c\"}");
	text_free(&text);
	rest_error_write(&(RestError){406, "PGRST107", "\xff\"ä", "ä", NULL}, &text);
	assert_string_equal(text.bytes,
						"{\"code\":\"PGRST107\",\"message\":\"?\\\"??\",\"details\":\"ä\",\"hint\":null}");
	text_free(&text);
	assert_true(rest_error_likeness("tickers", "tickers") == 1);
	assert_true(rest_error_likeness("ticker", "tickers") > 0.75);
	assert_true(rest_error_likeness("", "abc") == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_media), cmocka_unit_test(reads_preferences), cmocka_unit_test(reads_ranges),
		cmocka_unit_test(maps_errors),   cmocka_unit_test(writes_errors),
	};

	return UNIT_RUN(tests);
}
