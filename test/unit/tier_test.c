/*
 * tier_test.c
 *	  Tier lists, and what a user is told of a wrong one.
 */
#include "unit.h"

#include "tier.h"

static TierList
parse(const char *text)
{
	TierList list;
	char err[160] = "";

	if (!tier_parse(text, &list, err, sizeof(err)))
		fail_msg("'%s' was refused: %s", text, err);
	return list;
}

static void
default_list_has_five_tiers(void **state)
{
	static const struct
	{
		int first_rank;
		int last_rank;
		int seconds;
		int ttl;
	} rows[] = {
		{1, 100, 5, 60},
		{101, 500, 10, 60},
		{501, 1000, 20, 120},
		{1001, 5000, 30, 180},
		{5001, TIER_NO_LIMIT, 60, 300},
	};
	TierList list = parse(TIER_DEFAULT);

	(void) state;
	assert_int_equal(list.count, UNIT_COUNT(rows));
	for (int n = 1; n <= list.count; n++)
	{
		const Tier *tier = tier_get(&list, n);

		assert_int_equal(tier_first_rank(&list, n), rows[n - 1].first_rank);
		assert_int_equal(tier->last_rank, rows[n - 1].last_rank);
		assert_int_equal(tier->interval, rows[n - 1].seconds * 1000);
		assert_int_equal(tier_seconds(tier), rows[n - 1].seconds);
		assert_int_equal(tier->ttl, rows[n - 1].ttl);
		assert_int_equal(tier_of_rank(&list, rows[n - 1].first_rank), n);
		assert_int_equal(tier_of_rank(&list, rows[n - 1].last_rank), n);
	}
	assert_int_equal(tier_of_rank(&list, 0), 5); /* unknown */
	assert_int_equal(tier_of_rank(&list, -1), 5);
	assert_int_equal(tier_of_rank(&list, 14993), 5);
}

static void
reads_intervals(void **state)
{
	static const struct
	{
		const char *text;
		int interval; /* milliseconds */
		int seconds;
		int ttl;
	} rows[] = {
		{"*:60", 60000, 60, 300},
		{"*:60s", 60000, 60, 300},
		{"*:500ms", 500, 1, 60},
		{"*:20ms", 20, 1, 60},
		{"*:1", 1000, 1, 60},
		{"*:1500ms", 1500, 1, 60},
		{"*:12", 12000, 12, 72},
		{"*:48", 48000, 48, 288},
		{"*:49", 49000, 49, 289},
		{"*:3600", 3600000, 3600, 3840},
		{"*:3600000ms", 3600000, 3600, 3840},
		{" * : 60 ", 60000, 60, 300},
		{"\t*\t:\t60s\t", 60000, 60, 300},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		TierList list = parse(rows[i].text);

		UNIT_CHECK_INT(list.count, 1, rows[i].text);
		UNIT_CHECK_INT(list.tiers[0].interval, rows[i].interval, rows[i].text);
		UNIT_CHECK_INT(tier_seconds(&list.tiers[0]), rows[i].seconds, rows[i].text);
		UNIT_CHECK_INT(list.tiers[0].ttl, rows[i].ttl, rows[i].text);
	}
}

static void
says_what_is_wrong_and_where(void **state)
{
#define NO_RANK(n) "tier " n " must begin with its last rank, or with * for all that remain"
#define NO_COLON(n) "tier " n " lacks a colon between its last rank and its seconds"
#define NO_INTERVAL(n) "tier " n " needs an interval from 20ms to 3600s after the colon"
#define NO_STAR "the last tier must be written with * as its last rank"
	static const char *const rows[][2] = {
		{"", NO_RANK("1")},
		{"abc", NO_RANK("1")},
		{",*:60", NO_RANK("1")},
		{":5", NO_RANK("1")},
		{"0:5,*:60", NO_RANK("1")},
		{"-1:5,*:60", NO_RANK("1")},
		{"+1:5,*:60", NO_RANK("1")},
		{"2147483647:5,*:60", NO_RANK("1")},
		{"99999999999999999999:5,*:60", NO_RANK("1")},
		{"100:5,", NO_RANK("2")},
		{"100:5,,*:60", NO_RANK("2")},
		{"100:5,-:60", NO_RANK("2")},
		{"100", NO_COLON("1")},
		{"*", NO_COLON("1")},
		{"**:5", NO_COLON("1")},
		{"1.5:5,*:60", NO_COLON("1")},
		{"100:5,500=10,*:60", NO_COLON("2")},
		{"*:", NO_INTERVAL("1")},
		{"*:x", NO_INTERVAL("1")},
		{"*:0", NO_INTERVAL("1")},
		{"*:-5", NO_INTERVAL("1")},
		{"*:3601", NO_INTERVAL("1")},
		{"*:19ms", NO_INTERVAL("1")},
		{"*:3600001ms", NO_INTERVAL("1")},
		{"*:99999999999999999999", NO_INTERVAL("1")},
		{"100:5,500:,*:60", NO_INTERVAL("2")},
		{"100:5 *:60", "a comma must follow tier 1"},
		{"100:5;*:60", "a comma must follow tier 1"},
		{"*:5m", "a comma must follow tier 1"},
		{"*:5.5", "a comma must follow tier 1"},
		{"100:5,*:60s.", "a comma must follow tier 2"},
		{"100:5,100:10,*:60", "the last rank of tier 2 must be greater than 100"},
		{"100:5,500:10,499:20,*:60", "the last rank of tier 3 must be greater than 500"},
		{"*:60,", "no tier can follow the one with *, which is tier 1"},
		{"100:5,*:60,*:60", "no tier can follow the one with *, which is tier 2"},
		{"100:5", NO_STAR},
		{"100:5,500:10", NO_STAR},
		{"1:1,2:1,3:1,4:1,5:1,6:1,7:1,8:1,9:1,10:1,11:1,12:1,13:1,14:1,15:1,16:1,*:1",
		 "there are more than 16 tiers"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		TierList list;
		char err[160] = "";
		char *exact = unit_exact(rows[i][0], strlen(rows[i][0]) + 1);

		UNIT_CHECK(!tier_parse(exact, &list, err, sizeof(err)), rows[i][0]);
		UNIT_CHECK_TEXT(err, rows[i][1], rows[i][0]);
		free(exact);
	}
}

static void
takes_as_many_as_it_says(void **state)
{
	TierList list = parse("1:1,2:1,3:1,4:1,5:1,6:1,7:1,8:1,9:1,10:1,11:1,12:1,13:1,14:1,15:1,*:1");

	(void) state;
	assert_int_equal(list.count, TIER_MAX);
	for (int rank = 1; rank <= 20; rank++)
		assert_int_equal(tier_of_rank(&list, rank), rank < TIER_MAX ? rank : TIER_MAX);
	assert_int_equal(tier_of_rank(&list, TIER_NO_LIMIT), TIER_MAX);
}

static void
cuts_its_message_to_the_buffer(void **state)
{
	TierList list;
	char *err = malloc(8);

	(void) state;
	assert_false(tier_parse("", &list, err, 8));
	assert_string_equal(err, "tier 1 ");
	free(err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_list_has_five_tiers),    cmocka_unit_test(reads_intervals),
		cmocka_unit_test(says_what_is_wrong_and_where),   cmocka_unit_test(takes_as_many_as_it_says),
		cmocka_unit_test(cuts_its_message_to_the_buffer),
	};

	return UNIT_RUN(tests);
}
