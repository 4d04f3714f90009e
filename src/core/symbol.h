/*
 * symbol.h
 *	  Symbols as keys: ASCII case folded, hashed, compared.
 *
 * A symbol is any UTF-8 without control characters, such as "BTC", "BDCL BSC", ":ZKT:", "喵喵喵喵喵".
 * CoinLore's are folded to ASCII upper case when they are read; what a user asks for is folded here.
 *
 * A key is two words and a length.  For up to 16 bytes, which is nearly every symbol, the words
 * hold the folded bytes themselves, so that equal keys mean equal symbols and no string is ever
 * compared.  Longer symbols are hashed into the words, and whoever finds an equal key compares
 * the strings too (symbol_key_is_exact tells).
 */
#ifndef CRYPTO_RT_SYMBOL_H
#define CRYPTO_RT_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SYMBOL_SIZE 64 /* bytes, NUL included; CoinLore's longest has 14 characters */
#define SYMBOL_EXACT 16

typedef struct SymbolKey
{
	uint64_t lo;
	uint64_t hi;
	uint32_t len; /* of the symbol, in bytes */
} SymbolKey;

/* Fold the ASCII letters among eight bytes to upper case, all at once. */
static inline uint64_t
symbol_fold_word(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t low7 = w & (ones * 0x7f);
	uint64_t above_z = low7 + ones * (0x7f - 'z');
	uint64_t from_a = low7 + ones * (0x80 - 'a');
	uint64_t lower = ~w & (from_a ^ above_z) & (ones * 0x80);

	return w ^ (lower >> 2);
}

static inline uint64_t
symbol_load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint64_t
symbol_load4(const char *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* The key of a symbol longer than SYMBOL_EXACT bytes. */
extern SymbolKey symbol_key_long(const char *s, size_t len);

/*
 * The key of len bytes at s.  Short ones are read by words that overlap, which takes no loop and
 * never reads outside of s; with the length beside them they stand for one string only.
 */
static inline SymbolKey
symbol_key(const char *s, size_t len)
{
	SymbolKey key = {.lo = 0, .hi = 0, .len = (uint32_t) len};

	if (len > SYMBOL_EXACT)
		return symbol_key_long(s, len);
	if (len >= 8)
	{
		key.lo = symbol_fold_word(symbol_load8(s));
		key.hi = symbol_fold_word(symbol_load8(s + len - 8));
	}
	else if (len >= 4)
		key.lo = symbol_fold_word(symbol_load4(s) | symbol_load4(s + len - 4) << 32);
	else if (len > 0)
		key.lo =
			symbol_fold_word((uint64_t) (unsigned char) s[0] | (uint64_t) (unsigned char) s[len / 2] << 8 |
							 (uint64_t) (unsigned char) s[len - 1] << 16);
	return key;
}

static inline bool
symbol_key_equal(SymbolKey a, SymbolKey b)
{
	return a.lo == b.lo && a.hi == b.hi && a.len == b.len;
}

static inline bool
symbol_key_is_exact(SymbolKey key)
{
	return key.len <= SYMBOL_EXACT;
}

static inline uint32_t
symbol_key_hash(SymbolKey key)
{
	uint64_t h = key.lo * UINT64_C(0x9e3779b97f4a7c15) + key.len;

	h ^= (h >> 32) ^ (key.hi * UINT64_C(0xc2b2ae3d27d4eb4f));
	h *= UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t) (h >> 32);
}

/* Fold len bytes to ASCII upper case where they stand. */
extern void symbol_fold(char *s, size_t len);

/* Whether two strings are the same symbol. */
extern bool symbol_equal(const char *a, size_t alen, const char *b, size_t blen);

/*
 * Whether len bytes are UTF-8 (no surrogates, no overlong forms, nothing beyond U+10FFFF) without
 * control characters.
 */
extern bool symbol_text_valid(const char *s, size_t len);

#endif /* CRYPTO_RT_SYMBOL_H */
