/*
 * admin.c
 *	  See admin.h.
 *
 * A wrong call changes nothing and says what was wrong and what would have been right: every
 * parameter is checked before the first is used, unknown ones included.
 */
#include "admin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define DRIP_MS 100
#define MS_MAX 3600000
#define TEXT_MAX 65536 /* bytes of a pinned text */

static const char help_text[] =
	"coinlore_sim: a stand-in for the CoinLore API\n"
	"\n"
	"  GET /api/tickers/?start=0&limit=100   a page of coins by rank\n"
	"  GET /api/ticker/?id=90,80             coins by id; &shape=old gives the older fields\n"
	"  GET /api/global/                      the whole market\n"
	"\n"
	"  GET /sim/stats         what was asked for; requests to /sim/ do not count\n"
	"  POST /sim/freeze       nothing moves by itself any more\n"
	"  POST /sim/thaw         it moves again\n"
	"  POST /sim/step         move every coin that is not pinned now, also while frozen\n"
	"  POST "
	"/sim/coin?nameid=X[&price=][&market_cap=][&volume24=][&symbol=][&name=][&id=][&rank=][&present=0|1]\n"
	"                         hold a coin still with these values, verbatim; creates it if there is none\n"
	"  DELETE /sim/coin?nameid=X   let it go again, or remove it if it was created so\n"
	"  POST /sim/row?nameid=X      with a body: these bytes in place of the coin's row\n"
	"  DELETE /sim/row[?nameid=X]  its own row again; without nameid, of all\n"
	"  POST /sim/coins?n=N    list this many coins\n"
	"  POST /sim/fault?mode=M[&start=S][&share=0..1][&count=N][&ms=MS][&status=CODE][&retry_after=TEXT]\n"
	"                         start: of the one page it is for; count: of requests it hits; the first that "
	"fits is taken\n"
	"  GET /sim/fault         those that stand\n"
	"  DELETE /sim/fault[?mode=M]  away with them\n"
	"\n"
	"Modes: latency (ms), hang, status (status, retry_after), truncate, cut_json, bad_json, wrong_type, "
	"empty, null_data,\n"
	"no_body, drip (ms between two bytes, 100), reset, huge, gzip_bomb, absurd, redirect, redirect_same.\n"
	"\n";

/* One call to the administrator. */
typedef struct Call
{
	Admin *admin;
	struct MHD_Connection *connection;
	const char *body;
	size_t body_len;
	Answer *refusal; /* what was found wrong; NULL: nothing so far */
} Call;

typedef struct AdminRoute
{
	const char *method;
	const char *path;
	const char *parameters; /* the names allowed, a space behind each */
	void (*act)(Call *call, Text *reply);
} AdminRoute;

#define REFUSE(call, ...)                                                                                    \
	do                                                                                                       \
	{                                                                                                        \
		if ((call)->refusal == NULL)                                                                         \
			(call)->refusal = answer_error(MHD_HTTP_BAD_REQUEST, __VA_ARGS__);                               \
	} while (0)

static const char *
text_of(Call *call, const char *name)
{
	const char *text = MHD_lookup_connection_value(call->connection, MHD_GET_ARGUMENT_KIND, name);

	if (text != NULL && strlen(text) > TEXT_MAX)
	{
		REFUSE(call, "%s is longer than %d bytes", name, TEXT_MAX);
		return NULL;
	}
	return text;
}

static long
number_of(Call *call, const char *name, long otherwise, long least, long most)
{
	const char *text = text_of(call, name);
	char *end;
	long value;

	if (text == NULL)
		return otherwise;
	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || value < least || value > most)
	{
		REFUSE(call, "%s=%.40s is not a whole number from %ld to %ld", name, text, least, most);
		return otherwise;
	}
	return value;
}

static const char *
nameid_of(Call *call)
{
	const char *nameid = text_of(call, "nameid");

	if (nameid == NULL || nameid[0] == '\0')
	{
		REFUSE(call, "nameid is missing; give that of a coin, as in nameid=bitcoin");
		return NULL;
	}
	return nameid;
}

/* The coin that is named, NULL with a refusal when there is none. */
static Coin *
coin_of(Call *call)
{
	const char *nameid = nameid_of(call);
	Coin *coin = nameid != NULL ? market_find(call->admin->market, nameid) : NULL;

	if (nameid != NULL && coin == NULL && call->refusal == NULL)
		call->refusal = answer_error(
			MHD_HTTP_NOT_FOUND,
			"there is no coin with nameid=%.200s; POST /sim/coin?nameid=%.200s creates it", nameid, nameid);
	return coin;
}

static const char *
skip_digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Whether it can stand in JSON without quotes. */
static bool
is_json_number(const char *text)
{
	const char *p = text[0] == '-' ? text + 1 : text;
	const char *digits = p;

	p = skip_digits(p);
	if (p == digits || (*digits == '0' && p > digits + 1))
		return false;
	if (*p == '.')
	{
		digits = ++p;
		p = skip_digits(p);
		if (p == digits)
			return false;
	}
	if (*p == 'e' || *p == 'E')
	{
		p += p[1] == '+' || p[1] == '-' ? 2 : 1;
		digits = p;
		p = skip_digits(p);
		if (p == digits)
			return false;
	}
	return *p == '\0';
}

static enum MHD_Result
check_parameter(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	void **check = context;
	Call *call = check[0];
	const char *allowed = check[1];
	size_t len = strlen(name);

	(void) kind;
	(void) value;
	for (const char *at = strstr(allowed, name); len > 0 && at != NULL; at = strstr(at + 1, name))
		if ((at == allowed || at[-1] == ' ') && at[len] == ' ')
			return MHD_YES;
	if (allowed[0] == '\0')
		REFUSE(call, "unknown parameter %.60s; there are none here", name);
	else
		REFUSE(call, "unknown parameter %.60s; there are: %s", name, allowed);
	return MHD_NO;
}

static void
act_stats(Call *call, Text *reply)
{
	const Market *market = call->admin->market;

	text_add(reply, ",");
	stats_json(call->admin->stats, reply);
	text_format(reply, ",\"coins\":%d,\"step\":%llu,\"frozen\":%s,\"source\":\"%s\"", market->listed,
				(unsigned long long) market->steps, market->frozen ? "true" : "false", call->admin->source);
}

static void
act_freeze(Call *call, Text *reply)
{
	market_freeze(call->admin->market, true);
	text_add(reply, ",\"frozen\":true");
}

static void
act_thaw(Call *call, Text *reply)
{
	market_freeze(call->admin->market, false);
	text_add(reply, ",\"frozen\":false");
}

static void
act_step(Call *call, Text *reply)
{
	market_refresh(call->admin->market);
	text_format(reply, ",\"step\":%llu", (unsigned long long) call->admin->market->steps);
}

static void
act_pin_coin(Call *call, Text *reply)
{
	const char *fields[COIN_FIELDS] = {
		[COIN_ID] = text_of(call, "id"),
		[COIN_SYMBOL] = text_of(call, "symbol"),
		[COIN_NAME] = text_of(call, "name"),
		[COIN_PRICE] = text_of(call, "price"),
		[COIN_MARKET_CAP] = text_of(call, "market_cap"),
		[COIN_VOLUME24] = text_of(call, "volume24"),
	};
	const char *nameid = nameid_of(call);
	int rank = (int) number_of(call, "rank", 0, 1, MINT_COINS_MAX);
	long present = number_of(call, "present", -1, 0, 1);
	Coin *coin;

	if (fields[COIN_VOLUME24] != NULL && !is_json_number(fields[COIN_VOLUME24]) &&
		strcmp(fields[COIN_VOLUME24], "null") != 0)
		REFUSE(call, "volume24=%.60s is neither a JSON number nor null; POST /sim/row can send anything",
			   fields[COIN_VOLUME24]);
	if (call->refusal != NULL)
		return;
	coin = market_pin(call->admin->market, nameid, fields, rank,
					  present < 0 ? COIN_COMES_AND_GOES
					  : present   ? COIN_PRESENT
								  : COIN_ABSENT);
	text_add(reply, ",\"nameid\":");
	text_json_string(reply, coin->nameid);
	text_format(reply, ",\"rank\":%d,\"present\":%s,\"created\":%s", coin->rank,
				coin->listed ? "true" : "false", coin->pins->created ? "true" : "false");
}

static void
act_unpin_coin(Call *call, Text *reply)
{
	Coin *coin = coin_of(call);

	if (coin == NULL || call->refusal != NULL)
		return;
	text_add(reply, ",\"nameid\":");
	text_json_string(reply, coin->nameid);
	text_format(reply, ",\"removed\":%s", market_unpin(call->admin->market, coin) ? "false" : "true");
}

static void
act_pin_row(Call *call, Text *reply)
{
	Coin *coin = coin_of(call);

	if (coin == NULL || call->refusal != NULL)
		return;
	market_pin_row(call->admin->market, coin, call->body, call->body_len);
	text_format(reply, ",\"rank\":%d,\"bytes\":%zu", coin->rank, call->body_len);
}

static void
act_unpin_row(Call *call, Text *reply)
{
	Coin *coin;

	if (text_of(call, "nameid") == NULL)
	{
		text_format(reply, ",\"rows\":%d", market_unpin_rows(call->admin->market));
		return;
	}
	coin = coin_of(call);
	if (coin != NULL && call->refusal == NULL)
		text_format(reply, ",\"rows\":%d", market_unpin_row(call->admin->market, coin));
}

static void
act_list(Call *call, Text *reply)
{
	long n = number_of(call, "n", -1, 0, MINT_COINS_MAX);

	if (n < 0)
		REFUSE(call, "n is missing; give the number of coins to list, from 0 to %d", MINT_COINS_MAX);
	if (call->refusal != NULL)
		return;
	market_list(call->admin->market, (int) n);
	text_format(reply, ",\"coins\":%d", call->admin->market->listed);
}

/* The mode that is named; FAULT_MODES when none is. */
static FaultMode
mode_of(Call *call)
{
	const char *name = text_of(call, "mode");
	FaultMode mode = FAULT_MODES;

	if (name != NULL && !fault_mode(name, &mode))
	{
		Text names = TEXT_EMPTY;

		fault_names(&names);
		REFUSE(call, "mode=%.40s is unknown; there are: %s", name, names.bytes);
		text_free(&names);
	}
	return mode;
}

static double
share_of(Call *call)
{
	const char *text = text_of(call, "share");
	char *end;
	double share;

	if (text == NULL)
		return 1.0;
	share = strtod(text, &end);
	if (end == text || *end != '\0' || !(share >= 0.0 && share <= 1.0))
		REFUSE(call, "share=%.40s is not a number from 0 to 1", text);
	return share;
}

static void
act_set_fault(Call *call, Text *reply)
{
	const char *retry_after = text_of(call, "retry_after");
	Fault fault = {
		.mode = mode_of(call),
		.start = (int) number_of(call, "start", FAULT_ANY_START, 0, INT32_MAX),
		.share = share_of(call),
		.count = number_of(call, "count", FAULT_FOR_EVER, 1, INT32_MAX),
		.ms = (int) number_of(call, "ms", -1, 0, MS_MAX),
		.status = (unsigned) number_of(call, "status", 0, 200, 999),
	};

	if (fault.mode == FAULT_MODES)
		REFUSE(call, "mode is missing, as in mode=latency&ms=500");
	if (fault.mode == FAULT_LATENCY && fault.ms < 0)
		REFUSE(call, "ms is missing: how many milliseconds the answers are late");
	if (fault.mode == FAULT_STATUS && fault.status == 0)
		REFUSE(call, "status is missing, as in status=429");
	if (fault.mode == FAULT_DRIP && fault.ms <= 0)
		fault.ms = DRIP_MS;
	if (fault.mode != FAULT_LATENCY && fault.mode != FAULT_DRIP && fault.ms >= 0)
		REFUSE(call, "ms is for mode=latency and mode=drip");
	if (fault.mode != FAULT_STATUS && (fault.status != 0 || retry_after != NULL))
		REFUSE(call, "%s is for mode=status", fault.status != 0 ? "status" : "retry_after");
	if (retry_after != NULL &&
		(strlen(retry_after) >= sizeof(fault.retry_after) || strpbrk(retry_after, "\r\n") != NULL))
		REFUSE(call, "retry_after is one line of at most %zu bytes", sizeof(fault.retry_after) - 1);
	if (call->refusal != NULL)
		return;
	if (retry_after != NULL)
		snprintf(fault.retry_after, sizeof(fault.retry_after), "%s", retry_after);
	if (!faults_add(call->admin->faults, &fault))
		REFUSE(call, "there are %d faults already; DELETE /sim/fault takes them away", FAULTS_MAX);
	text_add(reply, ",\"faults\":");
	faults_json(call->admin->faults, reply);
}

static void
act_show_faults(Call *call, Text *reply)
{
	text_add(reply, ",\"faults\":");
	faults_json(call->admin->faults, reply);
}

static void
act_end_faults(Call *call, Text *reply)
{
	FaultMode mode = mode_of(call);

	if (call->refusal == NULL)
		text_format(reply, ",\"removed\":%d", faults_remove(call->admin->faults, mode));
}

static const AdminRoute routes[] = {
	{"GET", "/stats", "", act_stats},
	{"POST", "/freeze", "", act_freeze},
	{"POST", "/thaw", "", act_thaw},
	{"POST", "/step", "", act_step},
	{"POST", "/coin", "nameid price market_cap volume24 symbol name id rank present ", act_pin_coin},
	{"DELETE", "/coin", "nameid ", act_unpin_coin},
	{"POST", "/row", "nameid ", act_pin_row},
	{"DELETE", "/row", "nameid ", act_unpin_row},
	{"POST", "/coins", "n ", act_list},
	{"POST", "/fault", "mode start share count ms status retry_after ", act_set_fault},
	{"GET", "/fault", "", act_show_faults},
	{"DELETE", "/fault", "mode ", act_end_faults},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static bool
path_is(const char *path, const char *name)
{
	size_t len = strlen(name);

	return strncmp(path, name, len) == 0 && (path[len] == '\0' || strcmp(path + len, "/") == 0);
}

/* Why no route fits: the path is unknown, or it is but for the method. */
static Answer *
no_route(const char *method, const char *path)
{
	Text methods = TEXT_EMPTY;
	Answer *answer;

	for (size_t i = 0; i < ROUTES; i++)
		if (path_is(path, routes[i].path))
			text_format(&methods, "%s%s", methods.len > 0 ? " or " : "", routes[i].method);
	if (methods.len > 0)
		answer = answer_error(MHD_HTTP_BAD_REQUEST, "%.20s is not for /sim%.60s; it takes %s", method, path,
							  methods.bytes);
	else
		answer =
			answer_error(MHD_HTTP_NOT_FOUND, "there is no /sim%.60s; GET /sim/ shows what there is", path);
	text_free(&methods);
	return answer;
}

Answer *
admin_answer(Admin *admin, struct MHD_Connection *connection, const char *method, const char *path,
			 const char *body, size_t body_len)
{
	Call call = {.admin = admin, .connection = connection, .body = body, .body_len = body_len};
	const AdminRoute *route = NULL;
	const char *host;
	Text reply = TEXT_EMPTY;
	void *check[2];

	path += strlen(ADMIN_PREFIX);
	if (strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
		method = MHD_HTTP_METHOD_GET;
	if (path[0] == '\0' || strcmp(path, "/") == 0)
	{
		host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
		host = host != NULL ? host : "127.0.0.1:8087";
		text_add(&reply, help_text);
		text_format(&reply, "  curl -X POST 'http://%s/sim/coin?nameid=bitcoin&price=100000.00'\n", host);
		text_format(&reply,
					"  curl -X POST 'http://%s/sim/fault?mode=status&status=429&retry_after=3&count=5'\n",
					host);
		return answer_new(MHD_HTTP_OK, ANSWER_TEXT, &reply);
	}
	for (size_t i = 0; i < ROUTES && route == NULL; i++)
		if (strcmp(routes[i].method, method) == 0 && path_is(path, routes[i].path))
			route = &routes[i];
	if (route == NULL)
		return no_route(method, path);
	check[0] = &call;
	check[1] = (void *) (uintptr_t) route->parameters;
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, check_parameter, check);
	text_add(&reply, "{\"ok\":true");
	if (call.refusal == NULL)
		route->act(&call, &reply);
	if (call.refusal != NULL)
	{
		text_free(&reply);
		return call.refusal;
	}
	text_add(&reply, "}\n");
	return answer_new(MHD_HTTP_OK, ANSWER_JSON, &reply);
}
