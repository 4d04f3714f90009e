/*
 * decimal_test.c
 *	  The text that goes in is the text that comes out.
 */
#include "unit.h"

#include "decimal.h"

static DecimalStatus
parse(const char *text, size_t len, char *printed)
{
	char *exact = unit_exact(text, len);
	Decimal d;
	DecimalStatus status = decimal_parse(exact, len, &d);
	size_t n = decimal_print(d, printed);

	free(exact);
	UNIT_CHECK(n == strlen(printed) && n < DECIMAL_TEXT_SIZE, text);
	UNIT_CHECK(d.known == (status == DECIMAL_OK), text);
	UNIT_CHECK(d.known || decimal_same(d, DECIMAL_UNKNOWN), text);
	return status;
}

static void
check_all(const char *const (*rows)[2], size_t n)
{
	char printed[DECIMAL_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
	{
		UNIT_CHECK_INT(parse(rows[i][0], strlen(rows[i][0]), printed), DECIMAL_OK, rows[i][0]);
		UNIT_CHECK_TEXT(printed, rows[i][1], rows[i][0]);
	}
}

static void
keeps_what_coinlore_writes(void **state)
{
	static const char *const texts[] = {"0",
										"1",
										"1.00",
										"77146.66",
										"1540684444015.40",
										"0.0000000354",
										"-0.98",
										"-2.38",
										"22504260.24",
										"999982367717358",
										"155986.90058764",
										"420689899999990.00",
										"0.033199",
										"26551212429.49",
										"0.00",
										"10",
										"10323889937.423626",
										"0.10",
										"100000000000000000",
										"999999999999999999",
										"-999999999999999999",
										"0.999999999999999999"};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(texts); i++)
		check_all(&(const char *const[2]){texts[i], texts[i]}, 1);
}

static void
writes_other_forms_plainly(void **state)
{
	static const char *const rows[][2] = {
		{"3.54E-8", "0.0000000354"},
		{"1.53e-7", "0.000000153"},
		{"1e5", "100000"},
		{"1.50e1", "15.0"},
		{"1.50E+2", "150"},
		{"1.5e3", "1500"},
		{"-2.5e-1", "-0.25"},
		{"+5", "5"},
		{".5", "0.5"},
		{"-.5", "-0.5"},
		{"5.", "5"},
		{"007.50", "7.50"},
		{"-0", "0"},
		{"-0.00", "0.00"},
		{"0e9", "0"},
		{"0.0e-1", "0.00"},
		{"1e0000000000000000000001", "10"},
	};

	(void) state;
	check_all(rows, UNIT_COUNT(rows));
}

static void
rounds_half_away_from_zero_at_18_digits(void **state)
{
	static const char *const rows[][2] = {
		{"17098667901.7057952880859375", "17098667901.7057953"}, /* ETH's volume on 2020-02-25 */
		{"1234567890123456789012345678", "1234567890123456790000000000"},
		{"1.000000000000000005", "1.00000000000000001"},
		{"-1.000000000000000005", "-1.00000000000000001"},
		{"1.0000000000000000049999999", "1.00000000000000000"},
		{"0.0000001234567890123456785", "0.000000123456789012345679"},
		{"999999999999999999.4", "999999999999999999"},
		{"999999999999999999.5", "1000000000000000000"},
		{"9999999999999999999999999999", "10000000000000000000000000000"},
		{"0.9999999999999999999", "1.00000000000000000"},
	};

	(void) state;
	check_all(rows, UNIT_COUNT(rows));
}

static void
refuses_what_is_no_number(void **state)
{
	static const char *const texts[] = {"",    " ",   "-",   "+",     ".",     "-.",    "0?",       "1?",
										" 1",  "1 ",  "1e",  "1e+",   "1E-",   "e5",    ".e5",      "1.2.3",
										"--1", "+-1", "1-",  "1,000", "0x10",  "1e5.0", "1e5e5",    "$1",
										"NaN", "nan", "inf", "null",  "1_000", "1\n",   "Infinity", "٣"};
	char printed[DECIMAL_TEXT_SIZE];

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(texts); i++)
	{
		UNIT_CHECK_INT(parse(texts[i], strlen(texts[i]), printed), DECIMAL_SYNTAX, texts[i]);
		UNIT_CHECK_TEXT(printed, "0", texts[i]);
	}
	assert_int_equal(parse("1\0002", 3, printed), DECIMAL_SYNTAX);
	assert_int_equal(parse("12\0", 3, printed), DECIMAL_SYNTAX);
}

static void
knows_its_range(void **state)
{
	static const struct
	{
		const char *text;
		DecimalStatus status;
	} rows[] = {
		{"1e-60", DECIMAL_OK},
		{"5e-61", DECIMAL_OK}, /* rounds to the last one */
		{"4e-61", DECIMAL_RANGE},
		{"1e-61", DECIMAL_RANGE},
		{"1e40", DECIMAL_OK},
		{"123456789012345678e40", DECIMAL_OK},
		{"123456789012345678e41", DECIMAL_RANGE},
		{"1e100", DECIMAL_RANGE},
		{"-1e100", DECIMAL_RANGE},
		{"1e-100", DECIMAL_RANGE},
		{"1e99999999999999999999", DECIMAL_RANGE},
		{"1e-99999999999999999999", DECIMAL_RANGE},
		{"0e99999999999999999999", DECIMAL_OK},
		{"0e-99999999999999999999", DECIMAL_OK},
	};
	char printed[DECIMAL_TEXT_SIZE];

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		UNIT_CHECK_INT(parse(rows[i].text, strlen(rows[i].text), printed), rows[i].status, rows[i].text);
}

static void
stands_numbers_of_any_length(void **state)
{
	static char text[300000];
	char printed[DECIMAL_TEXT_SIZE];

	(void) state;
	memset(text, '9', sizeof(text));
	assert_int_equal(parse(text, 400, printed), DECIMAL_RANGE);
	assert_int_equal(parse(text, sizeof(text), printed), DECIMAL_RANGE);
	text[1] = '.';
	assert_int_equal(parse(text, sizeof(text), printed), DECIMAL_OK);
	assert_string_equal(printed, "10.0000000000000000");

	memset(text, '0', sizeof(text));
	assert_int_equal(parse(text, sizeof(text), printed), DECIMAL_OK);
	assert_string_equal(printed, "0");
	text[399] = '7';
	assert_int_equal(parse(text, 400, printed), DECIMAL_OK);
	assert_string_equal(printed, "7");
	text[1] = '.';
	assert_int_equal(parse(text, 400, printed), DECIMAL_RANGE);
	text[0] = '1';
	assert_int_equal(parse(text, 400, printed), DECIMAL_OK);
	assert_string_equal(printed, "1.00000000000000000");
}

/* Any number of up to 18 digits, without needless zeros before it, comes out as it went in. */
static void
keeps_any_number_of_18_digits(void **state)
{
	char text[DECIMAL_TEXT_SIZE];
	char printed[DECIMAL_TEXT_SIZE];

	(void) state;
	for (int i = 0; i < 20000; i++)
	{
		int digits = 1 + (int) unit_random(18);
		int point = (int) unit_random((uint64_t) digits);
		char *p = text;

		if (unit_random(2) == 0)
			*p++ = '-';
		*p++ = (char) ('1' + unit_random(9));
		for (int d = 1; d < digits; d++)
		{
			if (d == point)
				*p++ = '.';
			*p++ = (char) ('0' + unit_random(10));
		}
		*p = '\0';
		UNIT_CHECK_INT(parse(text, strlen(text), printed), DECIMAL_OK, text);
		UNIT_CHECK_TEXT(printed, text, text);
	}
}

static void
prints_every_decimal_within_its_buffer(void **state)
{
	static const int64_t mantissas[] = {0,         1,        -1, 999999999999999999, -999999999999999999,
										INT64_MAX, INT64_MIN};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(mantissas); i++)
		for (int scale = DECIMAL_SCALE_MIN; scale <= DECIMAL_SCALE_MAX; scale++)
		{
			char *printed = malloc(DECIMAL_TEXT_SIZE);
			size_t len = decimal_print((Decimal){mantissas[i], (int8_t) scale, true}, printed);

			assert_int_equal(len, strlen(printed));
			free(printed);
		}
}

static void
compares_digits_and_scale(void **state)
{
	const Decimal one = {1, 0, true};
	const Decimal one_point_zero = {10, 1, true};

	(void) state;
	assert_true(decimal_same(one, one));
	assert_false(decimal_same(one, one_point_zero));
	assert_false(decimal_same(DECIMAL_ZERO, DECIMAL_UNKNOWN));
	assert_true(decimal_positive(one));
	assert_false(decimal_positive(DECIMAL_ZERO));
	assert_false(decimal_positive(DECIMAL_UNKNOWN));
	assert_false(decimal_positive((Decimal){-1, 0, true}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_coinlore_writes),
		cmocka_unit_test(writes_other_forms_plainly),
		cmocka_unit_test(rounds_half_away_from_zero_at_18_digits),
		cmocka_unit_test(refuses_what_is_no_number),
		cmocka_unit_test(knows_its_range),
		cmocka_unit_test(stands_numbers_of_any_length),
		cmocka_unit_test(keeps_any_number_of_18_digits),
		cmocka_unit_test(prints_every_decimal_within_its_buffer),
		cmocka_unit_test(compares_digits_and_scale),
	};

	return UNIT_RUN(tests);
}
