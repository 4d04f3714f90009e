/*
 * symbol.c
 *	  The parts of symbol.h that are not in the way of every look-up.
 */
#include "symbol.h"

static char
fold_char(char c)
{
	return c >= 'a' && c <= 'z' ? (char) (c - ('a' - 'A')) : c;
}

static uint64_t
mix(uint64_t h, uint64_t w)
{
	h = (h ^ w) * UINT64_C(0x9fb21c651e98df25);
	return h ^ (h >> 35);
}

SymbolKey
symbol_key_long(const char *s, size_t len)
{
	SymbolKey key = {.lo = UINT64_C(0x27d4eb2f165667c5), .hi = len, .len = (uint32_t) len};
	size_t i;

	for (i = 0; i + 8 <= len; i += 8)
	{
		uint64_t w = symbol_fold_word(symbol_load8(s + i));

		key.lo = mix(key.lo, w);
		key.hi = mix(key.hi, w + i);
	}
	/* the last eight bytes again, whatever of them is left */
	key.lo = mix(key.lo, symbol_fold_word(symbol_load8(s + len - 8)));
	return key;
}

void
symbol_fold(char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s[i] = fold_char(s[i]);
}

bool
symbol_equal(const char *a, size_t alen, const char *b, size_t blen)
{
	if (alen != blen)
		return false;
	for (size_t i = 0; i < alen; i++)
		if (fold_char(a[i]) != fold_char(b[i]))
			return false;
	return true;
}

/* The length of the UTF-8 sequence at s with n bytes left, 0 when it is none. */
static size_t
sequence_length(const unsigned char *s, size_t n)
{
	unsigned char lead = s[0];
	size_t len = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((lead == 0xe0 && s[1] < 0xa0) || /* overlong */
		(lead == 0xed && s[1] > 0x9f) || /* surrogate */
		(lead == 0xf0 && s[1] < 0x90) || /* overlong */
		(lead == 0xf4 && s[1] > 0x8f))   /* beyond U+10FFFF */
		return 0;
	return len;
}

bool
symbol_text_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *) s;
	size_t step;

	for (size_t i = 0; i < len; i += step)
	{
		step = sequence_length(p + i, len - i);
		if (step == 0 || p[i] < 0x20 || p[i] == 0x7f)
			return false;
		if (step == 2 && p[i] == 0xc2 && p[i + 1] < 0xa0) /* C1 controls */
			return false;
	}
	return true;
}
