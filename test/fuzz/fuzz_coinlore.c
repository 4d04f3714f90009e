/*
 * fuzz_coinlore.c
 *	  Any body as CoinLore's answer: the quotes that come of it are sound, and so is their JSON.
 */
#include "fuzz.h"

#include <json-c/json.h>
#include <string.h>

#include "coinlore.h"

static void
check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	FUZZ_CHECK(len < size);
	FUZZ_CHECK(symbol_text_valid(text, len));
}

static void
check_amount(Decimal d)
{
	FUZZ_CHECK(d.mantissa >= 0);
	FUZZ_CHECK(d.known || decimal_same(d, DECIMAL_UNKNOWN));
}

static void
check_number(struct json_object *json, const char *name, Decimal d)
{
	struct json_object *value = json_object_object_get(json, name);
	char text[DECIMAL_TEXT_SIZE];

	decimal_print(d, text);
	FUZZ_CHECK(json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double));
	FUZZ_CHECK(json_object_get_type(value) == json_type_int ||
			   strcmp(json_object_to_json_string(value), text) == 0);
}

static void
check_json(const Quote *q)
{
	char *buf = malloc(QUOTE_JSON_SIZE);
	size_t len = quote_json(q, 5, 60, buf);
	enum json_tokener_error status;
	struct json_object *json;

	FUZZ_CHECK(len == strlen(buf) && len < QUOTE_JSON_SIZE);
	json = json_tokener_parse_verbose(buf, &status);
	FUZZ_CHECK(json != NULL && status == json_tokener_success);
	FUZZ_CHECK(strcmp(json_object_get_string(json_object_object_get(json, "symbol")), q->symbol) == 0);
	FUZZ_CHECK(strcmp(json_object_get_string(json_object_object_get(json, "id")), q->nameid) == 0);
	check_number(json, "price", q->price);
	check_number(json, "change_24h", q->change_24h);
	check_number(json, "volume_24h", q->volume_24h);
	json_object_put(json);
	free(buf);
}

static void
check_quote(const Quote *q)
{
	char folded[SYMBOL_SIZE];

	check_text(q->symbol, sizeof(q->symbol));
	check_text(q->nameid, sizeof(q->nameid));
	check_text(q->name, sizeof(q->name));
	FUZZ_CHECK(q->symbol[0] != '\0' && q->nameid[0] != '\0');
	strcpy(folded, q->symbol);
	symbol_fold(folded, strlen(folded));
	FUZZ_CHECK(strcmp(folded, q->symbol) == 0);

	FUZZ_CHECK(q->rank >= 1 && q->rank <= COINLORE_RANK_MAX);
	FUZZ_CHECK(q->coinlore_id >= 0);
	FUZZ_CHECK(q->price.known);
	check_amount(q->price);
	check_amount(q->price_btc);
	check_amount(q->volume_24h);
	check_amount(q->market_cap);
	check_amount(q->circulating_supply);
	check_amount(q->total_supply);
	check_amount(q->max_supply);
	FUZZ_CHECK(quote_same(q, q));
	check_json(q);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static CoinlorePage page;
	char err[160] = "";
	bool ok = coinlore_parse((const char *) data, size, &page, err, sizeof(err));

	FUZZ_CHECK(page.nquotes >= 0 && page.nquotes <= COINLORE_PAGE_ROWS);
	FUZZ_CHECK(page.nrejected >= 0 && (page.nrejected > 0) == (page.rejected_why[0] != '\0'));
	FUZZ_CHECK(page.coins_num >= -1 && page.time >= 0);
	FUZZ_CHECK(ok || (err[0] != '\0' && page.nquotes == 0));
	coinlore_free(&page);
	for (int i = 0; i < page.nquotes; i++)
	{
		check_quote(&page.quotes[i]);
		for (int j = 0; j < i; j++)
			FUZZ_CHECK(strcmp(page.quotes[i].nameid, page.quotes[j].nameid) != 0);
	}
	return 0;
}
