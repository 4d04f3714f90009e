/*
 * retention_test.c
 *	  Retentions of candles, and what a user is told of a wrong one.
 */
#include "unit.h"

#include "retention.h"

static void
lists_are_read(void **state)
{
	static const struct
	{
		const char *text;
		int minutes;
		int hours;
	} rows[] = {
		{RETENTION_DEFAULT, 30, 730},
		{"", RETENTION_FOR_EVER, RETENTION_FOR_EVER},
		{"1m:1d", 1, RETENTION_FOR_EVER},
		{"1h:36500d", RETENTION_FOR_EVER, 36500},
		{" 1h : 5d ,\t1m : * ", RETENTION_FOR_EVER, 5},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		Retention retention;
		char err[160] = "";

		if (!retention_parse(rows[i].text, &retention, err, sizeof(err)))
			fail_msg("'%s' was refused: %s", rows[i].text, err);
		assert_int_equal(retention.minutes, rows[i].minutes);
		assert_int_equal(retention.hours, rows[i].hours);
	}
}

static void
wrong_ones_are_told(void **state)
{
	static const struct
	{
		const char *text;
		const char *why;
	} rows[] = {
		{"30d", "\"30d\" begins with no resolution: 1m or 1h"},
		{"1d:30d", "\"1d:30d\" begins with no resolution: 1m or 1h"},
		{"1m", "1m is not followed by a colon and 1d to 36500d, or *"},
		{"1m:0d", "1m is not followed by a colon and 1d to 36500d, or *"},
		{"1m:30", "1m is not followed by a colon and 1d to 36500d, or *"},
		{"1m:-1d", "1m is not followed by a colon and 1d to 36500d, or *"},
		{"1h:99999999999999999999d", "1h is not followed by a colon and 1d to 36500d, or *"},
		{"1m:1d,1m:2d", "1m is there twice"},
		{"1m:1d 1h:2d", "there is no comma before \"1h:2d\""},
		{"1m:1d,", "nothing follows the last comma"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		Retention retention;
		char err[160] = "";

		assert_false(retention_parse(rows[i].text, &retention, err, sizeof(err)));
		assert_string_equal(err, rows[i].why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(wrong_ones_are_told),
	};

	return UNIT_RUN(tests);
}
