/*
 * api.c
 *	  See api.h.
 */
#include "api.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "row.h"

#define PAGES_KEPT 256        /* a whole market of 25,000 coins in pages of 100 */
#define PAGE_SIZE_GUESS 40000 /* bytes */
#define START_MAX 1000000000
#define MARKETS_PER_COIN 2.7

typedef struct Page
{
	int start;
	int limit;
	uint64_t version; /* of the market it shows */
	Answer *answer;   /* NULL: none yet */
} Page;

struct Api
{
	Market *market;
	Page pages[PAGES_KEPT];
	double volume_ath;
	double cap_ath;
};

Api *
api_new(Market *market)
{
	Api *api = memory_get(sizeof(Api));

	api->market = market;
	return api;
}

void
api_free(Api *api)
{
	for (int i = 0; i < PAGES_KEPT; i++)
		answer_drop(api->pages[i].answer);
	free(api);
}

static bool
path_is(const char *path, const char *name)
{
	size_t len = strlen(name);

	return strncmp(path, name, len) == 0 && (path[len] == '\0' || strcmp(path + len, "/") == 0);
}

static int
number_argument(struct MHD_Connection *connection, const char *name, int otherwise, int least, int most)
{
	const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
	char *end;
	long value;

	if (text == NULL)
		return otherwise;
	value = strtol(text, &end, 10);
	if (end == text || value < least)
		return otherwise;
	return value > most ? most : (int) value;
}

ApiQuery
api_query(struct MHD_Connection *connection, const char *path)
{
	ApiQuery query = {.endpoint = API_UNKNOWN};

	if (path_is(path, "/api/tickers"))
	{
		query.endpoint = API_TICKERS;
		query.start = number_argument(connection, "start", 0, 0, START_MAX);
		query.limit = number_argument(connection, "limit", API_PAGE_MAX, 1, API_PAGE_MAX);
	}
	else if (path_is(path, "/api/ticker"))
	{
		const char *shape = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "shape");

		query.endpoint = API_TICKER;
		query.ids = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "id");
		query.old_shape = shape != NULL && strcmp(shape, "old") == 0;
	}
	else if (path_is(path, "/api/global"))
		query.endpoint = API_GLOBAL;
	return query;
}

static Answer *
render_page(Market *market, int start, int limit)
{
	Text body = TEXT_EMPTY;
	Answer *answer;

	text_room(&body, PAGE_SIZE_GUESS);
	text_add(&body, "{\"data\":[");
	for (int i = start; i < start + limit && i < market->listed; i++)
	{
		if (i > start)
			text_add(&body, ",");
		row_add(&body, market->ranked[i]);
	}
	text_format(&body, "],\"info\":{\"coins_num\":%d,\"time\":%lld}}", market->listed,
				(long long) market->refreshed);
	answer = answer_new(MHD_HTTP_OK, ANSWER_JSON, &body);
	if (start < market->listed)
	{
		const Coin *first = market->ranked[start];
		char price[ROW_NUMBER_SIZE];

		answer->first_nameid = memory_dup(first->nameid);
		answer->first_price = memory_dup(row_price(first, price));
	}
	return answer;
}

static Answer *
tickers(Api *api, int start, int limit)
{
	Page *page = &api->pages[(unsigned) (start / limit + (limit != API_PAGE_MAX ? limit : 0)) % PAGES_KEPT];

	if (page->answer == NULL || page->start != start || page->limit != limit ||
		page->version != api->market->version)
	{
		answer_drop(page->answer);
		page->answer = render_page(api->market, start, limit);
		page->start = start;
		page->limit = limit;
		page->version = api->market->version;
	}
	return answer_share(page->answer);
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The coins of a list of ids, in the order of their ranks. */
static Answer *
ticker(const Api *api, const char *ids, bool old_shape)
{
	char *copy = memory_dup(ids != NULL ? ids : "");
	const char *wanted[API_PAGE_MAX] = {NULL};
	size_t count = 0;
	bool any = false;
	char *rest = NULL;
	Text body = TEXT_EMPTY;

	for (char *id = strtok_r(copy, ", ", &rest); id != NULL && count < API_PAGE_MAX;
		 id = strtok_r(NULL, ", ", &rest))
		wanted[count++] = id;
	qsort(wanted, count, sizeof(wanted[0]), compare_ids);
	text_add(&body, "[");
	for (int i = 0; i < api->market->listed && count > 0; i++)
	{
		Coin *coin = api->market->ranked[i];
		const char *id = coin_text(coin, COIN_ID);

		if (bsearch(&id, wanted, count, sizeof(wanted[0]), compare_ids) == NULL)
			continue;
		if (any)
			text_add(&body, ",");
		any = true;
		if (old_shape)
			row_add_old(&body, coin);
		else
			row_add(&body, coin);
	}
	text_add(&body, "]");
	free(copy);
	return answer_new(MHD_HTTP_OK, ANSWER_JSON, &body);
}

static double
share_of(const Market *market, const char *nameid, double total)
{
	const Coin *coin = market_find(market, nameid);

	return coin != NULL && coin->listed && total > 0 ? 100.0 * coin_weight(coin) / total : 0.0;
}

static Answer *
global(Api *api)
{
	const Market *market = api->market;
	double cap = 0;
	double cap_before = 0;
	double volume = 0;
	double volume_before = 0;
	double change = 0;
	Text body = TEXT_EMPTY;

	for (int i = 0; i < market->listed; i++)
	{
		const Coin *coin = market->ranked[i];

		volume += coin->volume;
		volume_before += coin->volume_before;
		if (coin->supply <= 0 || coin->price <= 0)
			continue;
		cap += coin_weight(coin);
		cap_before += coin->day_ago * coin->supply;
	}
	for (int i = 0; i < market->listed && i < API_PAGE_MAX; i++)
	{
		const Coin *coin = market->ranked[i];

		if (coin->day_ago > 0)
			change += (coin->price / coin->day_ago - 1.0) * 100.0 / API_PAGE_MAX;
	}
	if (cap > api->cap_ath)
		api->cap_ath = cap;
	if (volume > api->volume_ath)
		api->volume_ath = volume;
	text_format(&body,
				"[{\"coins_count\":%d,\"active_markets\":%d,\"total_mcap\":%.2f,\"total_volume\":%.2f,"
				"\"btc_d\":\"%.2f\",\"eth_d\":\"%.2f\",\"mcap_change\":\"%.2f\",\"volume_change\":\"%.2f\","
				"\"avg_change_percent\":\"%.2f\",\"volume_ath\":%.2f,\"mcap_ath\":%.2f}]",
				market->listed, (int) (market->listed * MARKETS_PER_COIN), cap, volume,
				share_of(market, "bitcoin", cap), share_of(market, "ethereum", cap),
				cap_before > 0 ? (cap / cap_before - 1.0) * 100.0 : 0.0,
				volume_before > 0 ? (volume / volume_before - 1.0) * 100.0 : 0.0, change, api->volume_ath,
				api->cap_ath);
	return answer_new(MHD_HTTP_OK, ANSWER_JSON, &body);
}

Answer *
api_answer(Api *api, const ApiQuery *query)
{
	Text body = TEXT_EMPTY;

	switch (query->endpoint)
	{
		case API_TICKERS:
			return tickers(api, query->start, query->limit);
		case API_TICKER:
			return ticker(api, query->ids, query->old_shape);
		case API_GLOBAL:
			return global(api);
		case API_UNKNOWN:
			break;
	}
	text_add(
		&body,
		"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n"
		"<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n");
	return answer_new(MHD_HTTP_NOT_FOUND, ANSWER_HTML, &body);
}
