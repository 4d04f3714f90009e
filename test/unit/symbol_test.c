/*
 * symbol_test.c
 *	  Two symbols are the same when they differ in ASCII case only, and so say their keys.
 */
#include "unit.h"

#include "symbol.h"

/* From FACTS: symbols that CoinLore really has, and how a user may write them. */
static const char *const odd_symbols[][2] = {
	{"BDCL BSC", "bdcl bsc"},
	{"Q*", "q*"},
	{"1%", "1%"},
	{"!", "!"},
	{":ZKT:", ":zkt:"},
	{"W$C", "w$c"},
	{".ALPHA", ".Alpha"},
	{"A.O.T", "a.o.t"},
	{"ZERI_V2", "zeri_v2"},
	{"DEFI+L", "defi+l"},
	{"ƎԀƎԀ", "ƎԀƎԀ"},
	{"喵喵喵喵喵", "喵喵喵喵喵"},
	{"LA´EEB", "la´eeb"},
	{"ΑAI", "Αai"},
	{"YONKŌ", "yonkŌ"},
	{"BTC2.0", "btc2.0"},
	{"USDC.E", "usdc.e"},
	{"$MICHI", "$michi"},
	{"PRESIDENTDOGE", "PresidentDoge"},
	{"AF-PRESALEDAO", "af-presaledao"},
	{"PINETWORKDEFI", "piNetworkDefi"},
};

static SymbolKey
key_of(const char *s, size_t len)
{
	char *exact = unit_exact(s, len);
	SymbolKey key = symbol_key(exact, len);

	free(exact);
	return key;
}

/* What the key is for: equal symbols have equal keys, and short ones the other way round as well. */
static void
check_pair(const char *a, size_t alen, const char *b, size_t blen)
{
	SymbolKey ka = key_of(a, alen);
	SymbolKey kb = key_of(b, blen);
	bool same = symbol_equal(a, alen, b, blen);

	if (symbol_key_equal(ka, kb) != same && (same || symbol_key_is_exact(ka)))
		fail_msg("the keys of '%.*s' and '%.*s' are %s", (int) alen, a, (int) blen, b,
				 same ? "different" : "the same");
	if (same && symbol_key_hash(ka) != symbol_key_hash(kb))
		fail_msg("the hashes of '%.*s' and '%.*s' differ", (int) alen, a, (int) blen, b);
}

static void
folds_and_keys_odd_symbols(void **state)
{
	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(odd_symbols); i++)
	{
		const char *symbol = odd_symbols[i][0];
		char folded[SYMBOL_SIZE];

		UNIT_CHECK(strlen(symbol) < SYMBOL_SIZE, symbol);
		UNIT_CHECK(symbol_text_valid(symbol, strlen(symbol)), symbol);
		strcpy(folded, odd_symbols[i][1]);
		symbol_fold(folded, strlen(folded));
		UNIT_CHECK_TEXT(folded, symbol, symbol);

		for (size_t j = 0; j < UNIT_COUNT(odd_symbols); j++)
		{
			const char *other = odd_symbols[j][1];

			UNIT_CHECK(symbol_equal(symbol, strlen(symbol), other, strlen(other)) == (i == j), symbol);
			check_pair(symbol, strlen(symbol), other, strlen(other));
		}
	}
}

static void
folds_ascii_letters_only(void **state)
{
	(void) state;
	for (int c = 0; c < 256; c++)
	{
		char one = (char) c;
		char expected = c >= 'a' && c <= 'z' ? (char) (c - 32) : one;
		uint64_t word = 0;

		symbol_fold(&one, 1);
		assert_int_equal(one, expected);

		/* in each place of a word, with neighbours that must not carry into it */
		for (int place = 0; place < 8; place++)
		{
			uint64_t rest = UINT64_C(0xffffffffffffffff) ^ UINT64_C(0xff) << (8 * place);

			word = symbol_fold_word(rest | (uint64_t) c << (8 * place));
			assert_true(word == (rest | (uint64_t) (unsigned char) expected << (8 * place)));
		}
	}
}

static void
keys_agree_with_strings_of_all_lengths(void **state)
{
	(void) state;
	for (size_t len = 0; len <= 40; len++)
		for (int round = 0; round < 300; round++)
		{
			char a[40];
			char b[40];

			for (size_t i = 0; i < len; i++)
				a[i] = (char) unit_random(256);
			memcpy(b, a, len);
			check_pair(a, len, b, len);
			symbol_fold(b, len);
			check_pair(a, len, b, len);
			if (len > 0)
			{
				b[unit_random(len)] = (char) unit_random(256);
				check_pair(a, len, b, len);
				check_pair(a, len, b, len - 1);
			}
			memset(b, 0, len); /* NULs have a length too */
			check_pair(b, len, b, len / 2);
		}
}

static void
keys_differ_in_each_byte_of_a_short_symbol(void **state)
{
	(void) state;
	for (size_t len = 1; len <= SYMBOL_EXACT; len++)
		for (size_t i = 0; i < len; i++)
			for (int c = 0; c < 256; c++)
			{
				char a[SYMBOL_EXACT];
				char b[SYMBOL_EXACT];

				memset(a, 'M', len);
				memcpy(b, a, len);
				b[i] = (char) c;
				check_pair(a, len, b, len);
			}
}

/* Long symbols may share a key, but it should not happen among a few thousand. */
static void
long_symbols_scatter(void **state)
{
	enum
	{
		N = 2000
	};
	static SymbolKey keys[N];

	(void) state;
	for (int i = 0; i < N; i++)
	{
		char text[40];
		int len = snprintf(text, sizeof(text), "averylongsymbol%05dx%02d", i, i % 7);

		keys[i] = key_of(text, (size_t) len);
		assert_false(symbol_key_is_exact(keys[i]));
		for (int j = 0; j < i; j++)
			assert_false(symbol_key_equal(keys[i], keys[j]));
	}
}

static void
accepts_utf8_without_controls(void **state)
{
	static const struct
	{
		const char *text;
		bool valid;
	} rows[] = {
		{"", true},
		{"BTC", true},
		{" ", true},
		{"~", true},
		{"\xc2\xa0", true},
		{"\xdf\xbf", true},
		{"\xe0\xa0\x80", true},
		{"\xed\x9f\xbf", true},
		{"\xee\x80\x80", true},
		{"\xef\xbf\xbf", true},
		{"\xf0\x90\x80\x80", true},
		{"\xf4\x8f\xbf\xbf", true},
		{"\x01", false},
		{"A\x1f", false},
		{"A\n", false},
		{"\t", false},
		{"\x7f", false},
		{"\xc2\x80", false}, /* C1 controls */
		{"\xc2\x9f", false},
		{"\x80", false}, /* no lead */
		{"A\xbf", false},
		{"\xc0\x80", false}, /* overlong */
		{"\xc1\xbf", false},
		{"\xe0\x9f\xbf", false},
		{"\xf0\x8f\xbf\xbf", false},
		{"\xed\xa0\x80", false}, /* surrogates */
		{"\xed\xbf\xbf", false},
		{"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
		{"\xf5\x80\x80\x80", false},
		{"\xff", false},
		{"\xc3", false}, /* cut short */
		{"\xe5\x96", false},
		{"\xf0\x9f\x98", false},
		{"\xc3"
		 "A",
		 false},
		{"\xe5\x96"
		 "A",
		 false},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		size_t len = strlen(rows[i].text);
		char *exact = unit_exact(rows[i].text, len);
		char label[32];

		snprintf(label, sizeof(label), "row %zu", i);
		UNIT_CHECK_INT(symbol_text_valid(exact, len), rows[i].valid, label);
		free(exact);
	}
	assert_false(symbol_text_valid("A\0B", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds_and_keys_odd_symbols),
		cmocka_unit_test(folds_ascii_letters_only),
		cmocka_unit_test(keys_agree_with_strings_of_all_lengths),
		cmocka_unit_test(keys_differ_in_each_byte_of_a_short_symbol),
		cmocka_unit_test(long_symbols_scatter),
		cmocka_unit_test(accepts_utf8_without_controls),
	};

	return UNIT_RUN(tests);
}
