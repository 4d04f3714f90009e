/*
 * stream_query_test.c
 *	  What a client may ask a stream for, and what it is told of a wrong wish.
 */
#include "unit.h"

#include "stream_query.h"

static void
puts_symbols_in_order(void **state)
{
#define DEFAULT_SORTED "ADA,BNB,BTC,DOGE,DOT,ETH,MATIC,SHIB,SOL,XRP"
	static const struct
	{
		const char *text;
		const char *list;
		int count;
		bool by_id;
	} rows[] = {
		{NULL, DEFAULT_SORTED, 10, false},
		{"", DEFAULT_SORTED, 10, false},
		{"*", "*", 0, false},
		{"btc", "BTC", 1, false},
		{"ETH,BTC", "BTC,ETH", 2, false},
		{"eth,Btc,BTC,ETH", "BTC,ETH", 2, false},
		{" ETH ,\tBTC ", "BTC,ETH", 2, false},
		{"BTC,,ETH,", "BTC,ETH", 2, false},
		{"BDCL BSC,:zkt:", ":ZKT:,BDCL BSC", 2, false},
		{"*,BTC", "*,BTC", 2, false}, /* a coin of that name */
		{"ä,Ä", "Ä,ä", 2, false},     /* only ASCII is folded */
		{"id:bitcoin", "id:bitcoin", 1, true},
		{"ID:Bitcoin,btc", "BTC,id:Bitcoin", 2, true},
		{"id:", "ID:", 1, false},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		const char *label = rows[i].text != NULL ? rows[i].text : "nothing";
		StreamSymbols symbols;
		char err[160] = "";

		UNIT_CHECK(stream_query_symbols(rows[i].text, &symbols, err, sizeof(err)), label);
		UNIT_CHECK_TEXT(symbols.list, rows[i].list, label);
		UNIT_CHECK_INT(symbols.count, rows[i].count, label);
		UNIT_CHECK_INT(symbols.by_id, rows[i].by_id, label);
		free(symbols.list);
	}
}

static void
says_what_is_wrong_and_where(void **state)
{
#define X16 "xxxxxxxxxxxxxxxx"
	static const char *const rows[][2] = {
		{",", "there is no symbol in the list"},
		{" , ,", "there is no symbol in the list"},
		{X16 X16 X16 X16, "symbol 1 of the list is longer than 63 bytes"},
		{"BTC,ETH," X16 X16 X16 X16, "symbol 3 of the list is longer than 63 bytes"},
		{"id:" X16 X16 X16 X16 X16 X16, "symbol 1 of the list is longer than 98 bytes"},
		{"BTC,\xff", "symbol 2 of the list is no UTF-8 text"},
		{"BTC,a\nb", "symbol 2 of the list is no UTF-8 text"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		StreamSymbols symbols;
		char err[160] = "";

		UNIT_CHECK(!stream_query_symbols(rows[i][0], &symbols, err, sizeof(err)), rows[i][0]);
		UNIT_CHECK_TEXT(err, rows[i][1], rows[i][0]);
		UNIT_CHECK(symbols.list == NULL, rows[i][0]);
	}
}

static void
takes_a_thousand(void **state)
{
	char *text = malloc(STREAM_SYMBOLS_MAX * 8 + 16);
	char *to = text;
	StreamSymbols symbols;
	char err[160] = "";

	(void) state;
	for (int i = 0; i < STREAM_SYMBOLS_MAX; i++)
		to += sprintf(to, "C%d,", i);
	assert_true(stream_query_symbols(text, &symbols, err, sizeof(err)));
	assert_int_equal(symbols.count, STREAM_SYMBOLS_MAX);
	assert_int_equal(strlen(symbols.list), strlen(text) - 1);
	free(symbols.list);
	strcpy(to, "C0");
	assert_false(stream_query_symbols(text, &symbols, err, sizeof(err)));
	assert_string_equal(err, "there are more than 1000 symbols in the list");
	free(text);
}

static void
reads_ids(void **state)
{
	static const struct
	{
		const char *text;
		bool ok;
		int64_t epoch;
		uint64_t seq;
	} rows[] = {
		{"1795525233959-300", true, 1795525233959, 300},
		{"0-0", true, 0, 0},
		{"9223372036854775807-18446744073709551615", true, INT64_MAX, UINT64_MAX},
		{"9223372036854775808-1", false, 0, 0},
		{"1-18446744073709551616", false, 0, 0},
		{"1-99999999999999999999999", false, 0, 0},
		{"", false, 0, 0},
		{"1", false, 0, 0},
		{"1-", false, 0, 0},
		{"-1", false, 0, 0},
		{"1--1", false, 0, 0},
		{"1-1 ", false, 0, 0},
		{" 1-1", false, 0, 0},
		{"+1-1", false, 0, 0},
		{"1-1-1", false, 0, 0},
		{"0x1-1", false, 0, 0},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char *exact = unit_exact(rows[i].text, strlen(rows[i].text) + 1);
		int64_t epoch = 0;
		uint64_t seq = 0;
		bool ok = stream_query_id(exact, &epoch, &seq);

		UNIT_CHECK_INT(ok, rows[i].ok, rows[i].text);
		UNIT_CHECK(!ok || (epoch == rows[i].epoch && seq == rows[i].seq), rows[i].text);
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_symbols_in_order),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(takes_a_thousand),
		cmocka_unit_test(reads_ids),
	};

	return UNIT_RUN(tests);
}
