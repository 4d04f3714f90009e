/*
 * stream_query.c
 *	  See stream_query.h.
 *
 * The list is put in order, so that those who ask for the same symbols in another order or case share a subscription.
 */
#include "stream_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/quote.h"
#include "memory.h"

#define ID_PREFIX "id:"
#define ID_PREFIX_LEN 3

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Fold one entry where it stands, and say what is wrong with it.  A nameid is left as it was written. */
static bool
read_entry(char *entry, int number, bool *by_id, char *err, size_t errsize)
{
	size_t len = strlen(entry);
	bool is_id = len > ID_PREFIX_LEN && symbol_equal(entry, ID_PREFIX_LEN, ID_PREFIX, ID_PREFIX_LEN);
	size_t max = is_id ? ID_PREFIX_LEN + QUOTE_NAMEID_SIZE - 1 : SYMBOL_SIZE - 1;

	if (len > max)
		snprintf(err, errsize, "symbol %d of the list is longer than %zu bytes", number, max);
	else if (!symbol_text_valid(entry, len))
		snprintf(err, errsize, "symbol %d of the list is no UTF-8 text", number);
	else
	{
		if (is_id)
			memcpy(entry, ID_PREFIX, ID_PREFIX_LEN);
		else
			symbol_fold(entry, len);
		*by_id |= is_id;
		return true;
	}
	return false;
}

/* Cut the text into entries, which stay where they are; returns how many, or -1 and err. */
static int
cut(char *text, char **entries, bool *by_id, char *err, size_t errsize)
{
	int count = 0;
	char *next;

	for (char *entry = text; entry != NULL; entry = next)
	{
		char *end;

		next = strchr(entry, ',');
		end = next != NULL ? next : entry + strlen(entry);
		if (next != NULL)
			next++;
		while (is_space(*entry))
			entry++;
		while (end > entry && is_space(end[-1]))
			end--;
		*end = '\0';
		if (entry == end)
			continue;
		if (count == STREAM_SYMBOLS_MAX)
		{
			snprintf(err, errsize, "there are more than %d symbols in the list", STREAM_SYMBOLS_MAX);
			return -1;
		}
		if (!read_entry(entry, count + 1, by_id, err, errsize))
			return -1;
		entries[count++] = entry;
	}
	if (count == 0)
		snprintf(err, errsize, "there is no symbol in the list");
	return count > 0 ? count : -1;
}

static void
join(char **entries, int count, StreamSymbols *symbols)
{
	char *to = symbols->list;
	const char *last = NULL;

	qsort(entries, (size_t) count, sizeof(entries[0]), compare);
	for (int i = 0; i < count; i++)
	{
		if (last != NULL && strcmp(entries[i], last) == 0)
			continue;
		last = entries[i];
		if (symbols->count++ > 0)
			*to++ = ',';
		to = stpcpy(to, last);
	}
}

bool
stream_query_symbols(const char *text, StreamSymbols *symbols, char *err, size_t errsize)
{
	char *entries[STREAM_SYMBOLS_MAX];
	char *copy;
	int count;

	*symbols = (StreamSymbols){0};
	if (text == NULL || text[0] == '\0')
		text = STREAM_SYMBOLS_DEFAULT;
	if (strcmp(text, STREAM_SYMBOLS_ALL) == 0)
	{
		symbols->list = memory_dup(STREAM_SYMBOLS_ALL);
		return true;
	}
	copy = memory_dup(text);
	count = cut(copy, entries, &symbols->by_id, err, errsize);
	if (count > 0)
	{
		symbols->list = memory_get(strlen(text) + 1);
		join(entries, count, symbols);
	}
	free(copy);
	return count > 0;
}

/* Digits up to `end`; false: there are none, something else, or too many. */
static bool
read_number(const char **at, char end, uint64_t *value)
{
	const char *p = *at;

	for (*value = 0; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(*value, UINT64_C(10), value) ||
			__builtin_add_overflow(*value, (uint64_t) (*p - '0'), value))
			return false;
	if (p == *at || *p != end)
		return false;
	*at = p + 1;
	return true;
}

bool
stream_query_id(const char *text, int64_t *epoch, uint64_t *seq)
{
	uint64_t began;

	if (!read_number(&text, '-', &began) || began > INT64_MAX || !read_number(&text, '\0', seq))
		return false;
	*epoch = (int64_t) began;
	return true;
}
