/*
 * fuzz_quotes.c
 *	  Any bytes as quotes, one a line: what is taken is JSON for others too, and what is held fits together.
 */
#include "fuzz.h"

#include <json-c/json.h>
#include <string.h>

#include "loop.h"
#include "quotes.h"

#define NOW INT64_C(1764000000000000)

static int told;

int64_t
loop_now(void)
{
	return NOW;
}

int64_t
loop_unix(void)
{
	return NOW;
}

static void
note(HeldQuote *quote)
{
	FUZZ_CHECK(quote->json != NULL);
	told++;
}

/* A number that is held is one, and the one that the field has. */
static void
check_number(const HeldQuote *quote, Span span, struct json_object *object, const char *name)
{
	struct json_object *field;
	Decimal d;

	if (span.len == 0)
		return;
	FUZZ_CHECK((size_t) span.at + span.len <= quote->json->len);
	FUZZ_CHECK(decimal_parse(quote->json->bytes + span.at, span.len, &d) == DECIMAL_OK);
	FUZZ_CHECK(json_object_object_get_ex(object, name, &field));
	FUZZ_CHECK(json_object_is_type(field, json_type_double) || json_object_is_type(field, json_type_int));
}

/* Another reader finds the same in a quote's bytes. */
static void
check_json(const HeldQuote *quote)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;
	struct json_object *field;
	char symbol[SYMBOL_SIZE];

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, quote->json->bytes, (int) quote->json->len);
	FUZZ_CHECK(json_tokener_get_error(tokener) == json_tokener_success);
	FUZZ_CHECK(json_tokener_get_parse_end(tokener) == quote->json->len);
	FUZZ_CHECK(json_object_object_get_ex(object, "symbol", &field));
	FUZZ_CHECK(strlen(json_object_get_string(field)) < sizeof(symbol));
	strcpy(symbol, json_object_get_string(field));
	symbol_fold(symbol, strlen(symbol));
	FUZZ_CHECK(strcmp(symbol, quote->symbol) == 0);
	FUZZ_CHECK(quote->price.len > 0);
	check_number(quote, quote->price, object, "price");
	check_number(quote, quote->change_24h, object, "change_24h");
	check_number(quote, quote->volume_24h, object, "volume_24h");
	json_object_put(object);
	json_tokener_free(tokener);
}

static void
check_quote(const HeldQuote *quote, int place)
{
	for (size_t i = 0; i < quote->json->len; i++)
		FUZZ_CHECK((unsigned char) quote->json->bytes[i] >= 0x20);
	FUZZ_CHECK(
		quotes_find(quote->symbol, strlen(quote->symbol)) == quote ||
		((quote->symbol[0] | 0x20) == 'i' && (quote->symbol[1] | 0x20) == 'd' && quote->symbol[2] == ':'));
	FUZZ_CHECK(symbol_text_valid(quote->symbol, strlen(quote->symbol)));
	FUZZ_CHECK(quote->place == place);
	FUZZ_CHECK(quote->rank >= 0 && quote->tier >= 0 && quote->tier < QUOTES_TIERS_MAX);
	FUZZ_CHECK(quote->interval > 0 && quote->updated_at >= 0);
	FUZZ_CHECK(quote->updated_at <= quotes_freshest(0) && quotes_age(quote) >= 0);
	check_json(quote);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const QuotesListener listener = {.changed = note, .removed = note};
	const char *p = (const char *) data;
	const char *end = p + size;
	int count;
	HeldQuote *const *quotes;
	int tiers = 0;

	told = 0;
	quotes_init();
	quotes_listen(&listener);
	while (p < end)
	{
		const char *line_end = memchr(p, '\n', (size_t) (end - p));
		size_t len = (size_t) ((line_end != NULL ? line_end : end) - p);
		char *exact = malloc(len); /* so that a byte beyond it is seen */
		const char *why = NULL;
		int told_before = told;
		QuotesTaken taken;

		memcpy(exact, p, len);
		taken = quotes_take(exact, len, &why);
		FUZZ_CHECK((taken == QUOTES_REFUSED) == (why != NULL));
		FUZZ_CHECK((taken == QUOTES_CHANGED) == (told > told_before));
		if (taken == QUOTES_CHANGED || taken == QUOTES_RENEWED)
			FUZZ_CHECK(quotes_take(exact, len, NULL) == QUOTES_RENEWED);
		free(exact);
		p += len + 1;
	}
	quotes_settle();
	quotes = quotes_ranked(&count);
	FUZZ_CHECK(count == quotes_count(0) && quotes_seq() <= quotes_version());
	for (int i = 0; i < count; i++)
	{
		check_quote(quotes[i], i);
		tiers += quotes[i]->tier == 0;
	}
	for (int tier = 1; tier < QUOTES_TIERS_MAX; tier++)
		tiers += quotes_count(tier);
	FUZZ_CHECK(tiers == count);
	quotes_mark_none();
	if (count > 1)
	{
		quotes_mark(quotes[0]->symbol, strlen(quotes[0]->symbol));
		FUZZ_CHECK(quotes_sweep() == count - 1 && quotes_count(0) == 1);
	}
	quotes_init();
	return 0;
}
