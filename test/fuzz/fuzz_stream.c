/*
 * fuzz_stream.c
 *	  Any text as a list of symbols, and as the id of a frame: what comes of it is sound and in order, or there is a message.
 */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "quote.h"
#include "stream_query.h"

static void
check_list(const StreamSymbols *symbols)
{
	const char *at = symbols->list;
	char last[QUOTE_NAMEID_SIZE + 3] = "";
	int count = 0;
	bool by_id = false;

	for (;;)
	{
		size_t len = strcspn(at, ",");
		char entry[QUOTE_NAMEID_SIZE + 3];

		FUZZ_CHECK(len > 0 && len < sizeof(entry));
		memcpy(entry, at, len);
		entry[len] = '\0';
		FUZZ_CHECK(symbol_text_valid(entry, len));
		FUZZ_CHECK(strcmp(last, entry) < 0);
		strcpy(last, entry);
		if (strncmp(entry, "id:", 3) == 0)
			by_id = true;
		else
		{
			FUZZ_CHECK(len < SYMBOL_SIZE);
			symbol_fold(entry, len);
			FUZZ_CHECK(strcmp(last, entry) == 0);
		}
		count++;
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	FUZZ_CHECK(count == symbols->count && count <= STREAM_SYMBOLS_MAX);
	FUZZ_CHECK(by_id == symbols->by_id);
}

static void
try_symbols(const char *text)
{
	char err[160] = "";
	StreamSymbols symbols;
	StreamSymbols again;

	if (!stream_query_symbols(text, &symbols, err, sizeof(err)))
	{
		FUZZ_CHECK(symbols.list == NULL && err[0] != '\0' && strlen(err) < sizeof(err) - 1);
		return;
	}
	FUZZ_CHECK((symbols.count == 0) == (strcmp(text, "*") == 0));
	if (symbols.count > 0)
		check_list(&symbols);
	/* in order it stays as it is; but a lone * in a list of its own would be all */
	if (symbols.count != 1 || strcmp(symbols.list, "*") != 0)
	{
		FUZZ_CHECK(stream_query_symbols(symbols.list, &again, err, sizeof(err)));
		FUZZ_CHECK(strcmp(symbols.list, again.list) == 0 && symbols.count == again.count);
		free(again.list);
	}
	free(symbols.list);
}

static void
try_id(const char *text)
{
	char printed[64];
	int64_t epoch;
	uint64_t seq;

	if (!stream_query_id(text, &epoch, &seq))
		return;
	FUZZ_CHECK(epoch >= 0);
	snprintf(printed, sizeof(printed), "%" PRId64 "-%" PRIu64, epoch, seq);
	/* the same again, but for zeros at the front */
	FUZZ_CHECK(text[0] == '0' || strchr(text, '-')[1] == '0' || strcmp(text, printed) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	try_symbols(text);
	try_id(text);
	free(text);
	return 0;
}
