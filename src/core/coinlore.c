/*
 * coinlore.c
 *	  A CoinLore body to quotes; see coinlore.h.
 *
 * json-c does the reading.  It keeps the source text of a number that has a point or an exponent,
 * so that no digit is lost in a double; a whole number comes as a 64-bit integer, and one beyond
 * that as its largest value, which is taken for unknown.
 */
#include "coinlore.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define JSON_DEPTH 8 /* a page has 4 levels */

/* Why a row is refused, for CoinlorePage.rejected_why. */
typedef struct Refusal
{
	const char *field;
	const char *why;
} Refusal;

/* A string or a number as text; NULL for null, missing, and anything else. */
static const char *
text_of(struct json_object *value, size_t *len)
{
	switch (json_object_get_type(value))
	{
		case json_type_string:
			*len = (size_t) json_object_get_string_len(value);
			return json_object_get_string(value);
		case json_type_int:
			if (json_object_get_int64(value) == INT64_MAX || json_object_get_int64(value) == INT64_MIN)
				return NULL;
			/* FALLTHROUGH */
		case json_type_double:
		{
			const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);

			*len = strlen(text);
			return text;
		}
		default:
			return NULL;
	}
}

static const char *
field_text(struct json_object *row, const char *name, size_t *len)
{
	struct json_object *value = NULL;

	*len = 0;
	return json_object_object_get_ex(row, name, &value) ? text_of(value, len) : NULL;
}

/* A number whose loss costs nothing but itself. */
static Decimal
field_decimal(struct json_object *row, const char *name)
{
	size_t len;
	const char *text = field_text(row, name, &len);
	Decimal d = DECIMAL_UNKNOWN;

	if (text != NULL)
		decimal_parse(text, len, &d);
	return d;
}

/* Amounts are never negative: one that is was garbled. */
static Decimal
field_amount(struct json_object *row, const char *name)
{
	Decimal d = field_decimal(row, name);

	return d.mantissa < 0 ? DECIMAL_UNKNOWN : d;
}

/*
 * A price.  "0?", CoinLore's mark of a dead coin, is 0.  Missing, null and "" are unknown.  Returns false
 * where there should be a price and it cannot be read.
 */
static bool
field_price(struct json_object *row, const char *name, Decimal *price)
{
	struct json_object *value = NULL;
	size_t len;
	const char *text;

	*price = DECIMAL_UNKNOWN;
	if (!json_object_object_get_ex(row, name, &value) || value == NULL)
		return true;
	text = text_of(value, &len);
	if (text == NULL)
		return false;
	if (len == 0)
		return true;
	if (len == 2 && memcmp(text, "0?", 2) == 0)
	{
		*price = DECIMAL_ZERO;
		return true;
	}
	return decimal_parse(text, len, price) == DECIMAL_OK && price->mantissa >= 0;
}

/* A whole number from min to max given as number or string; fallback where there is none. */
static int64_t
field_int(struct json_object *row, const char *name, int64_t min, int64_t max, int64_t fallback)
{
	Decimal d = field_decimal(row, name);

	while (d.known && d.scale > 0 && d.mantissa % 10 == 0)
	{
		d.mantissa /= 10;
		d.scale--;
	}
	if (!d.known || d.scale != 0 || d.mantissa < min || d.mantissa > max)
		return fallback;
	return d.mantissa;
}

/* The text without ASCII spaces around it. */
static const char *
trimmed(const char *text, size_t *len)
{
	while (*len > 0 && text[0] == ' ')
	{
		text++;
		(*len)--;
	}
	while (*len > 0 && text[*len - 1] == ' ')
		(*len)--;
	return text;
}

/*
 * Copy a string that makes up the coin's identity: it must be there whole.  Returns why not, or
 * NULL when all is well.
 */
static const char *
take_identity(struct json_object *row, const char *name, char *out, size_t size)
{
	size_t len;
	const char *text = field_text(row, name, &len);

	if (text == NULL)
		return "is missing";
	text = trimmed(text, &len);
	if (len == 0)
		return "is empty";
	if (len >= size)
		return "is too long";
	if (!symbol_text_valid(text, len))
		return "holds control characters or is not UTF-8";
	memcpy(out, text, len);
	out[len] = '\0';
	return NULL;
}

/* Copy a name for people: cut at a character where it is too long, dropped where it is garbled. */
static void
take_name(struct json_object *row, char *out, size_t size)
{
	size_t len;
	const char *text = field_text(row, "name", &len);

	out[0] = '\0';
	if (text == NULL)
		return;
	text = trimmed(text, &len);
	if (!symbol_text_valid(text, len))
		return;
	if (len >= size)
	{
		len = size - 1;
		while (len > 0 && ((unsigned char) text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

static bool
parse_row(struct json_object *row, Quote *q, Refusal *refusal)
{
	memset(q, 0, sizeof(*q));

	if (!json_object_is_type(row, json_type_object))
	{
		*refusal = (Refusal){"row", "is not an object"};
		return false;
	}
	refusal->field = "nameid";
	refusal->why = take_identity(row, "nameid", q->nameid, sizeof(q->nameid));
	if (refusal->why != NULL)
		return false;
	refusal->field = "symbol";
	refusal->why = take_identity(row, "symbol", q->symbol, sizeof(q->symbol));
	if (refusal->why != NULL)
		return false;
	symbol_fold(q->symbol, strlen(q->symbol));

	q->rank = (int32_t) field_int(row, "rank", 1, COINLORE_RANK_MAX, 0);
	if (q->rank == 0)
	{
		*refusal = (Refusal){"rank", "is not a whole number from 1 up"};
		return false;
	}
	if (!field_price(row, "price_usd", &q->price))
	{
		*refusal = (Refusal){"price_usd", "is not a price"};
		return false;
	}
	if (!q->price.known)
		q->price = DECIMAL_ZERO;

	take_name(row, q->name, sizeof(q->name));
	q->coinlore_id = (int32_t) field_int(row, "id", 1, INT32_MAX, 0);
	if (!field_price(row, "price_btc", &q->price_btc))
		q->price_btc = DECIMAL_UNKNOWN;
	q->change_1h = field_decimal(row, "percent_change_1h");
	q->change_24h = field_decimal(row, "percent_change_24h");
	q->change_7d = field_decimal(row, "percent_change_7d");
	q->volume_24h = field_amount(row, "volume24");
	q->market_cap = field_amount(row, "market_cap_usd");
	q->circulating_supply = field_amount(row, "csupply");
	q->total_supply = field_amount(row, "tsupply");
	q->max_supply = field_amount(row, "msupply");
	return true;
}

static bool
page_has(const CoinlorePage *page, const char *nameid)
{
	for (int i = 0; i < page->nquotes; i++)
		if (strcmp(page->quotes[i].nameid, nameid) == 0)
			return true;
	return false;
}

static void
parse_rows(struct json_object *rows, CoinlorePage *page)
{
	size_t n = json_object_array_length(rows);

	for (size_t i = 0; i < n; i++)
	{
		Refusal refusal = {"row", NULL};
		Quote row;

		row.nameid[0] = '\0';
		if (page->nquotes == COINLORE_PAGE_ROWS)
			refusal.why = "is beyond the 100 that a page can hold";
		else if (parse_row(json_object_array_get_idx(rows, i), &row, &refusal))
		{
			if (page_has(page, row.nameid))
				refusal = (Refusal){"nameid", "stands on the page twice"};
			else
			{
				row.source_time = page->time;
				page->quotes[page->nquotes++] = row;
				continue;
			}
		}
		if (page->nrejected++ == 0)
			snprintf(page->rejected_why, sizeof(page->rejected_why), "row %zu%s%s: %s %s", i + 1,
					 row.nameid[0] != '\0' ? " " : "", row.nameid, refusal.field, refusal.why);
	}
}

static bool
parse_root(struct json_object *root, CoinlorePage *page, char *err, size_t errsize)
{
	struct json_object *data = NULL;
	struct json_object *info = NULL;

	if (json_object_is_type(root, json_type_array))
	{
		parse_rows(root, page);
		return true;
	}
	if (!json_object_is_type(root, json_type_object))
	{
		snprintf(err, errsize, "the body is neither an object nor an array");
		return false;
	}
	if (!json_object_object_get_ex(root, "data", &data))
	{
		snprintf(err, errsize, "the body has no \"data\"");
		return false;
	}
	if (json_object_object_get_ex(root, "info", &info) && json_object_is_type(info, json_type_object))
	{
		page->coins_num = (int) field_int(info, "coins_num", 0, COINLORE_RANK_MAX, -1);
		page->time = field_int(info, "time", 1, INT64_C(253402300799), 0);
	}
	if (data == NULL)
		return true;
	if (!json_object_is_type(data, json_type_array))
	{
		snprintf(err, errsize, "\"data\" is neither an array nor null");
		return false;
	}
	parse_rows(data, page);
	return true;
}

bool
coinlore_parse(const char *body, size_t len, CoinlorePage *page, char *err, size_t errsize)
{
	struct json_tokener *tokener;
	struct json_object *root;
	enum json_tokener_error status;
	bool ok = false;

	page->nquotes = 0;
	page->nrejected = 0;
	page->rejected_why[0] = '\0';
	page->coins_num = -1;
	page->time = 0;
	page->document = NULL;

	if (len == 0)
	{
		snprintf(err, errsize, "the body is empty");
		return false;
	}
	if (len > INT_MAX)
	{
		snprintf(err, errsize, "the body is too long");
		return false;
	}
	tokener = json_tokener_new_ex(JSON_DEPTH);
	if (tokener == NULL)
	{
		snprintf(err, errsize, "out of memory");
		return false;
	}
	root = json_tokener_parse_ex(tokener, body, (int) len);
	status = json_tokener_get_error(tokener);
	if (status == json_tokener_success && root != NULL)
		ok = parse_root(root, page, err, errsize);
	else if (status == json_tokener_continue)
		snprintf(err, errsize, "the JSON ends in the middle, after %zu bytes", len);
	else
		snprintf(err, errsize, "the body is not JSON: %s at byte %zu",
				 status == json_tokener_success ? "null" : json_tokener_error_desc(status),
				 json_tokener_get_parse_end(tokener));
	page->document = root;
	json_tokener_free(tokener);
	return ok;
}

void
coinlore_free(CoinlorePage *page)
{
	json_object_put(page->document);
	page->document = NULL;
}
