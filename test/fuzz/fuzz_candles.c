/*
 * fuzz_candles.c
 *	  Any text as what a client asks candles for, one argument a line: what comes of it is a range of whole candles, or there is a
 *	  message.
 */
#include "fuzz.h"

#include <string.h>

#include "candles_query.h"

#define NOW INT64_C(1795532400500000)
#define ARGUMENTS 5

static void
check_range(const CandlesQuery *query)
{
	FUZZ_CHECK((query->minutes > 0) != (query->months > 0));
	FUZZ_CHECK(query->limit >= 1 && query->limit <= CANDLES_LIMIT_MAX);
	FUZZ_CHECK(query->from <= query->to);
	FUZZ_CHECK(candles_query_begin(query, query->from * 1000000) == query->from);
	FUZZ_CHECK(candles_query_begin(query, query->to * 1000000) == query->to);
	FUZZ_CHECK(candles_query_step(query, candles_query_step(query, query->to, -1), 1) == query->to);
}

/* What it has understood it understands again, when it is written plainly. */
static void
check_again(const CandlesQuery *query)
{
	char from[32];
	char to[32];
	char limit[32];
	char err[CANDLES_ERROR_SIZE];
	const char *hint;
	CandlesQuery again;

	if (query->from < 0 || query->to >= INT64_C(100000000000))
		return;
	snprintf(from, sizeof(from), "%lld", (long long) query->from);
	snprintf(to, sizeof(to), "%lld", (long long) query->to);
	snprintf(limit, sizeof(limit), "%d", query->limit);
	FUZZ_CHECK(candles_query_read(
		&(CandlesArguments){query->interval, from, to, limit, query->fill ? "true" : "false"}, NOW, &again,
		err, &hint));
	FUZZ_CHECK(strcmp(again.interval, query->interval) == 0);
	FUZZ_CHECK(again.from == query->from && again.to == query->to && again.limit == query->limit &&
			   again.fill == query->fill);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *lines[ARGUMENTS] = {0};
	char *rest = text;
	char err[CANDLES_ERROR_SIZE];
	const char *hint;
	CandlesQuery query;

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (int i = 0; i < ARGUMENTS && rest != NULL; i++)
		lines[i] = strsep(&rest, "\n");
	if (candles_query_read(&(CandlesArguments){lines[0], lines[1], lines[2], lines[3], lines[4]}, NOW, &query,
						   err, &hint))
	{
		check_range(&query);
		check_again(&query);
	}
	else
		FUZZ_CHECK(err[0] != '\0' && strlen(err) < sizeof(err) - 1);
	free(text);
	return 0;
}
