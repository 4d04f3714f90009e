/*
 * candles.c
 *	  See candles.h.
 *
 * A flight is a query on its way and all requests that wait for it.  When the last of them goes, the query is cancelled.
 *
 * To find the newest candles of a long range the database would read all of it.  So first it is asked for no more of the range
 * than the candles take if few are missing, and for all of it only when these were not enough.
 */
#include "candles.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "candles_query.h"
#include "database.h"
#include "links.h"
#include "loop.h"
#include "memory.h"
#include "reply_cache.h"
#include "suspend.h"
#include "../core/quote.h"

#define KEEP_OPEN                                                                                            \
	1 /* seconds, for a range whose last candle is not over: the recorder's default flush_interval */
#define KEEP_OVER 60                  /* for one that is */
#define LATECOMERS (10 * LOOP_SECOND) /* after its end a candle may still be waiting for the recorder */

#define ID "id:"
#define SYMBOL_LEN_MAX (sizeof(ID) - 1 + QUOTE_NAMEID_SIZE - 1) /* longer ones are nobody's */

#define MISSING(limit) ((limit) / 4 + 2) /* so many may be missing */

#define STATEMENT "candles"
#define VALUES 7

/* One row without candles for a coin that has none, and no row for a coin that is not there. */
static const char statement[] =
	"SELECT k.symbol, extract(epoch FROM c.time)::bigint, c.open, c.high, c.low, c.close, c.volume_24h, "
	"c.simulated "
	"FROM @extschema@.crypto_coins k LEFT JOIN LATERAL ("
	"SELECT n.* FROM @extschema@.crypto_candles($1, pg_catalog.make_interval(months => $2::integer, "
	"mins => $3::integer), pg_catalog.to_timestamp($4::double precision), "
	"pg_catalog.to_timestamp($5::double precision), $6::boolean) n "
	"ORDER BY n.time DESC LIMIT $7::bigint) c ON true "
	"WHERE k.coin OPERATOR(pg_catalog.=) @extschema@.crypto_coin($1) "
	"ORDER BY c.time";

enum
{
	COLUMN_SYMBOL,
	COLUMN_TIME,
	COLUMN_OPEN,
	COLUMN_HIGH,
	COLUMN_LOW,
	COLUMN_CLOSE,
	COLUMN_VOLUME,
	COLUMN_SIMULATED
};

typedef struct Flight
{
	char *key;
	char *symbol;
	CandlesQuery wanted;
	int64_t from; /* of what is asked for now: wanted.from, or later */
	DatabaseWait *query;
	Link waiting; /* for it */
	Link in_flights;
} Flight;

/* A request that waits. */
typedef struct Waiting
{
	Request *request;
	Flight *flight;
	Link in_flight;
} Waiting;

static Link flights = LINKS_EMPTY(flights);
static CandlesCounts counts;

/*
 * The reply.
 */

/* A number as PostgreSQL prints it; what JSON has no word for is null. */
static void
write_number(Text *text, const PGresult *rows, int row, int column)
{
	const char *number = PQgetvalue(rows, row, column);

	text_add(text, ",", 1);
	if (PQgetisnull(rows, row, column) || strpbrk(number, "NI") != NULL)
		text_string(text, "null");
	else
		text_add(text, number, (size_t) PQgetlength(rows, row, column));
}

static int
count_candles(const PGresult *rows)
{
	return PQgetisnull(rows, 0, COLUMN_TIME) ? 0 : PQntuples(rows);
}

static void
write_candles(Text *text, const CandlesQuery *wanted, const PGresult *rows)
{
	int count = count_candles(rows);
	bool simulated = false;

	for (int row = 0; row < count; row++)
		simulated |= PQgetvalue(rows, row, COLUMN_SIMULATED)[0] == 't';
	text_string(text, "{\"symbol\":");
	text_json(text, PQgetvalue(rows, 0, COLUMN_SYMBOL), (size_t) PQgetlength(rows, 0, COLUMN_SYMBOL));
	text_format(text, ",\"interval\":\"%s\",\"source\":\"%s\",\"candles\":[", wanted->interval,
				simulated ? "simulated" : "coinlore");
	for (int row = 0; row < count; row++)
	{
		text_string(text, row > 0 ? ",[" : "[");
		text_add(text, PQgetvalue(rows, row, COLUMN_TIME), (size_t) PQgetlength(rows, row, COLUMN_TIME));
		for (int column = COLUMN_OPEN; column <= COLUMN_VOLUME; column++)
			write_number(text, rows, row, column);
		text_add(text, "]", 1);
	}
	text_string(text, "]}");
}

static bool
is_over(const CandlesQuery *wanted)
{
	return wanted->to * LOOP_SECOND + LATECOMERS <= loop_unix();
}

/* Make the reply of rows and keep it; NULL: there is no room. */
static CachedReply *
keep_reply(const Flight *flight, const PGresult *rows)
{
	int32_t seconds = is_over(&flight->wanted) ? KEEP_OVER : KEEP_OPEN;
	Text text = {0};

	write_candles(&text, &flight->wanted, rows);
	return reply_cache_put(flight->key, &text, seconds * LOOP_SECOND, seconds);
}

/* Why there are no candles.  What exactly is wrong with the database may name hosts and users, and is for the log. */
static enum MHD_Result
reply_failure(Request *request, DatabaseOutcome outcome)
{
	static const char in_log[] = "the daemon's log says what is wrong";

	switch (outcome)
	{
		case DATABASE_NONE:
			return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "--database, or DATABASE_URL",
							   "candles need PostgreSQL, and none is configured");
		case DATABASE_NO_EXTENSION:
			return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
							   "CREATE EXTENSION crypto_rt, or ALTER EXTENSION crypto_rt UPDATE",
							   "candles need the extension crypto_rt 1.1 in the database");
		case DATABASE_LATE:
			return reply_error(request, MHD_HTTP_GATEWAY_TIMEOUT, NULL,
							   "PostgreSQL has not answered within %d seconds", DATABASE_SECONDS);
		case DATABASE_FULL:
			return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
							   "too many requests wait for PostgreSQL already");
		case DATABASE_AWAY:
			return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, in_log,
							   "candles need PostgreSQL, which is away");
		case DATABASE_STOPPING:
			return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, "the server is stopping");
		default:
			return reply_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, in_log,
							   "PostgreSQL could not answer");
	}
}

static enum MHD_Result
reply_candles(Request *request, CachedReply *cached)
{
	if (cached != NULL)
		return reply_cache_send(request, cached);
	return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
					   "too much is being sent to slow clients already");
}

/*
 * Flights.
 */

static void
free_flight(Flight *flight)
{
	links_remove(&flight->in_flights);
	free(flight->key);
	free(flight->symbol);
	free(flight);
}

static void land(void *arg, DatabaseOutcome outcome, const PGresult *result);

/* Ask the database for a flight's candles; false: it takes no query in, and *refused says why. */
static bool
ask(Flight *flight, DatabaseOutcome *refused)
{
	const CandlesQuery *wanted = &flight->wanted;
	char numbers[5][24];
	const char *values[VALUES] = {flight->symbol,           numbers[0], numbers[1], numbers[2], numbers[3],
								  wanted->fill ? "t" : "f", numbers[4]};
	const DatabaseQuery query = {.name = STATEMENT, .text = statement, .count = VALUES, .values = values};

	snprintf(numbers[0], sizeof(numbers[0]), "%d", wanted->months);
	snprintf(numbers[1], sizeof(numbers[1]), "%d", wanted->minutes);
	snprintf(numbers[2], sizeof(numbers[2]), "%" PRId64, flight->from);
	snprintf(numbers[3], sizeof(numbers[3]), "%" PRId64, wanted->to);
	snprintf(numbers[4], sizeof(numbers[4]), "%d", wanted->limit);
	flight->query = database_query(&query, land, flight, refused);
	return flight->query != NULL;
}

/* Where to begin to look for a range's newest candles. */
static int64_t
near_end(const CandlesQuery *wanted)
{
	int64_t now = candles_query_begin(wanted, loop_unix());
	int64_t end = wanted->to < now ? wanted->to : now;
	int64_t near = candles_query_step(wanted, end, -(wanted->limit + MISSING(wanted->limit)));

	return near > wanted->from ? near : wanted->from;
}

/* The query has ended. */
static void
land(void *arg, DatabaseOutcome outcome, const PGresult *result)
{
	Flight *flight = arg;
	bool known = outcome == DATABASE_OK && PQntuples(result) > 0;
	CachedReply *cached;

	if (known && flight->from > flight->wanted.from && count_candles(result) < flight->wanted.limit)
	{
		flight->from = flight->wanted.from;
		if (ask(flight, &outcome))
			return;
		known = false;
	}
	cached = known ? keep_reply(flight, result) : NULL;
	for (Link *link = flight->waiting.next, *next; link != &flight->waiting; link = next)
	{
		Waiting *waiting = LINKS_OWNER(link, Waiting, in_flight);
		Request *request = waiting->request;

		next = link->next;
		free(waiting);
		if (known)
			reply_candles(request, cached);
		else if (outcome == DATABASE_OK)
			reply_unknown_coin(request, "Candles");
		else
			reply_failure(request, outcome);
		suspend_resume(request);
	}
	free_flight(flight);
}

/* A client has gone. */
static void
leave(void *arg)
{
	Waiting *waiting = arg;
	Flight *flight = waiting->flight;

	links_remove(&waiting->in_flight);
	free(waiting);
	if (!links_empty(&flight->waiting))
		return;
	database_cancel(flight->query);
	free_flight(flight);
}

static Flight *
find_flight(const char *key)
{
	for (Link *link = flights.next; link != &flights; link = link->next)
	{
		Flight *flight = LINKS_OWNER(link, Flight, in_flights);

		if (strcmp(flight->key, key) == 0)
			return flight;
	}
	return NULL;
}

/* NULL: the database takes no query in, and *refused says why. */
static Flight *
begin_flight(const char *key, const char *symbol, const CandlesQuery *wanted, DatabaseOutcome *refused)
{
	Flight *flight = memory_get(sizeof(Flight));

	flight->key = memory_dup(key);
	flight->symbol = memory_dup(symbol);
	flight->wanted = *wanted;
	flight->from = near_end(wanted);
	links_init(&flight->waiting);
	links_append(&flights, &flight->in_flights);
	if (ask(flight, refused))
		return flight;
	free_flight(flight);
	return NULL;
}

static enum MHD_Result
join_flight(Request *request, Flight *flight)
{
	Waiting *waiting = memory_get(sizeof(Waiting));

	waiting->request = request;
	waiting->flight = flight;
	links_append(&flight->waiting, &waiting->in_flight);
	suspend_request(request, leave, waiting);
	return MHD_YES;
}

/*
 * The request.
 */

/* A symbol in upper case, an id in lower case, so that one coin is asked for in one way. */
static void
fold(char *symbol, size_t len)
{
	if (len < sizeof(ID) || strncasecmp(symbol, ID, sizeof(ID) - 1) != 0)
	{
		symbol_fold(symbol, len);
		return;
	}
	for (; *symbol != '\0'; symbol++)
		if (*symbol >= 'A' && *symbol <= 'Z')
			*symbol = (char) (*symbol + ('a' - 'A'));
}

static enum MHD_Result
show(Request *request, const char *symbol, const CandlesQuery *wanted)
{
	DatabaseOutcome refused = DATABASE_OK;
	Text key = {0};
	CachedReply *cached;
	Flight *flight;
	enum MHD_Result result;

	text_format(&key, "%s %" PRId64 " %" PRId64 " %d %d ", wanted->interval, wanted->from, wanted->to,
				wanted->limit, wanted->fill);
	text_string(&key, symbol);
	cached = reply_cache_find(key.bytes);
	if (cached != NULL)
	{
		counts.kept++;
		result = reply_candles(request, cached);
	}
	else if ((flight = find_flight(key.bytes)) != NULL)
	{
		counts.shared++;
		result = join_flight(request, flight);
	}
	else if ((flight = begin_flight(key.bytes, symbol, wanted, &refused)) != NULL)
	{
		counts.asked++;
		result = join_flight(request, flight);
	}
	else
		result = reply_failure(request, refused);
	text_free(&key);
	return result;
}

enum MHD_Result
candles_show(Request *request)
{
	const CandlesArguments given = {
		.interval = request_argument(request, "interval"),
		.from = request_argument(request, "from"),
		.to = request_argument(request, "to"),
		.limit = request_argument(request, "limit"),
		.fill = request_argument(request, "fill"),
	};
	char symbol[SYMBOL_LEN_MAX + 1];
	char err[CANDLES_ERROR_SIZE];
	CandlesQuery wanted;
	const char *hint;

	if (!candles_query_read(&given, loop_unix(), &wanted, err, &hint))
		return reply_error(request, MHD_HTTP_BAD_REQUEST, hint, "%s", err);
	if (request->symbol_len > SYMBOL_LEN_MAX || !symbol_text_valid(request->symbol, request->symbol_len))
		return reply_unknown_coin(request, "Candles");
	memcpy(symbol, request->symbol, request->symbol_len);
	symbol[request->symbol_len] = '\0';
	fold(symbol, request->symbol_len);
	return show(request, symbol, &wanted);
}

CandlesCounts
candles_counts(void)
{
	return counts;
}
