/*
 * feed_postgres.c
 *	  Quotes from PostgreSQL, for when there is no Redis: what crypto_quotes_json() returns.
 *
 * First everything is read, then five times a second what was fetched since the newest of it, and everything anew once a
 * minute.  Rows come one by one, so that never more than a few are held.
 *
 * libpq's asynchronous functions are used throughout.  PQconnectPoll may close its socket and open another one with the same
 * number, of which epoll would not know: so the watch ends before each call.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "feed.h"
#include "loop.h"
#include "lookup.h"
#include "memory.h"
#include "options.h"
#include "quotes.h"
#include "text.h"

#define CONNECT_TIMEOUT (5 * LOOP_SECOND)
#define ANSWER_TIMEOUT (10 * LOOP_SECOND)
#define POLL (LOOP_SECOND / 5)
#define EVERYTHING (60 * LOOP_SECOND) /* from one reading of everything to the next */
#define EMPTY_PAUSE LOOP_SECOND       /* likewise, while there is nothing */
#define PARAMETERS_MAX 64             /* libpq knows some forty */

/* Reading only, and never for long.  The rows of everything need not go through a file. */
#define SERVER_OPTIONS "-c default_transaction_read_only=on -c statement_timeout=10s -c work_mem=32MB"

#define ASK_SCHEMA                                                                                           \
	"SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = "             \
	"e.extnamespace WHERE e.extname = 'crypto_rt'"
#define ASK_QUOTES                                                                                           \
	"SELECT q, q OPERATOR(pg_catalog.->>) 'symbol', q OPERATOR(pg_catalog.->>) 'last_updated' "              \
	"FROM %s.crypto_quotes_json($1) AS q"

typedef enum PostgresState
{
	POSTGRES_OFF,        /* to RESOLVING or CONNECTING */
	POSTGRES_AWAY,       /* waits before it connects again; to RESOLVING or CONNECTING */
	POSTGRES_RESOLVING,  /* the host's name is looked up; to CONNECTING or AWAY */
	POSTGRES_CONNECTING, /* to SCHEMA or AWAY */
	POSTGRES_SCHEMA,     /* asks where the extension is; to EVERYTHING or AWAY */
	POSTGRES_EVERYTHING, /* asks for all quotes; to RESTING or AWAY */
	POSTGRES_CHANGES,    /* asks for those fetched since; to RESTING or AWAY */
	POSTGRES_RESTING     /* until it asks again; to EVERYTHING, CHANGES or AWAY */
} PostgresState;

static PostgresState state = POSTGRES_OFF;
static PGconn *conn;
static LoopWatch watch;
static LoopTimer timer; /* the deadline, or the end of a pause */
static Lookup lookup;
static PQconninfoOption *given; /* options()->database, read */
static char *statement;

static FeedSymbols symbols; /* of this reading of everything */
static int64_t everything_at;
static char newest[40]; /* the last last_updated that came; texts of one length sort as their times do */
static char problem[FEED_PROBLEM_SIZE]; /* with this statement; "": none */

static void begin(void);
static void socket_ready(void *arg, uint32_t events);

/*
 * Ending.
 */

static void
shut(void)
{
	lookup_cancel(&lookup);
	loop_at(&timer, LOOP_NEVER);
	if (watch.events != 0)
		loop_watch(&watch, watch.fd, 0);
	if (conn != NULL)
		PQfinish(conn);
	conn = NULL;
	free(statement);
	statement = NULL;
	feed_symbols_clear(&symbols);
}

static void
lose(const char *why)
{
	shut();
	state = POSTGRES_AWAY;
	feed_lost(&feed_postgres, "%s", why);
	loop_after(&timer, feed_pause(&feed_postgres));
}

/* With the first line of what libpq says. */
static void
lose_by_libpq(void)
{
	char why[FEED_PROBLEM_SIZE];

	snprintf(why, sizeof(why), "%s", PQerrorMessage(conn));
	why[strcspn(why, "\n")] = '\0';
	lose(why[0] != '\0' ? why : "lost the connection");
}

/*
 * Asking.
 */

static void
flush(void)
{
	int left = PQflush(conn);

	if (left < 0)
		lose_by_libpq();
	else
		loop_watch(&watch, PQsocket(conn), left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void
ask(PostgresState to, const char *sql, const char *parameter)
{
	state = to;
	problem[0] = '\0';
	if (!PQsendQueryParams(conn, sql, parameter != NULL, NULL, &parameter, NULL, NULL, 0) ||
		!PQsetSingleRowMode(conn))
	{
		lose_by_libpq();
		return;
	}
	loop_after(&timer, ANSWER_TIMEOUT);
	flush();
}

static void
ask_everything(void)
{
	if (feed_postgres.ready)
		feed_postgres.rereads++;
	everything_at = loop_now();
	feed_symbols_clear(&symbols);
	newest[0] = '\0';
	quotes_mark_none();
	ask(POSTGRES_EVERYTHING, statement, "-infinity");
}

static void
rest(int64_t pause)
{
	state = POSTGRES_RESTING;
	loop_after(&timer, pause);
}

/*
 * Answers.
 */

/* A row of the statement: a quote, its symbol, its time. */
static void
take_row(const PGresult *result)
{
	const char *updated = PQgetvalue(result, 0, 2);

	feed_take(&feed_postgres, PQgetvalue(result, 0, 0), (size_t) PQgetlength(result, 0, 0));
	if (state == POSTGRES_EVERYTHING)
		feed_symbols_add(&symbols, PQgetvalue(result, 0, 1), (size_t) PQgetlength(result, 0, 1));
	if (strcmp(updated, newest) > 0)
		snprintf(newest, sizeof(newest), "%s", updated);
}

static void
take_schema(const PGresult *result)
{
	char *schema = PQescapeIdentifier(conn, PQgetvalue(result, 0, 0), (size_t) PQgetlength(result, 0, 0));
	size_t size;

	if (schema == NULL || statement != NULL)
	{
		PQfreemem(schema);
		return;
	}
	size = sizeof(ASK_QUOTES) + strlen(schema);
	statement = memory_get(size);
	snprintf(statement, size, ASK_QUOTES, schema);
	PQfreemem(schema);
}

static void
take_error(const PGresult *result)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (code != NULL && strcmp(code, "42883") == 0) /* undefined function */
		snprintf(problem, sizeof(problem),
				 "it has no crypto_quotes_json(): CREATE EXTENSION crypto_rt, or ALTER EXTENSION crypto_rt "
				 "UPDATE");
	else
		snprintf(problem, sizeof(problem), "%s", message != NULL ? message : PQresultErrorMessage(result));
	problem[strcspn(problem, "\n")] = '\0';
	if (problem[0] == '\0')
		strcpy(problem, "a statement failed");
}

static void
take_result(const PGresult *result)
{
	switch (PQresultStatus(result))
	{
		case PGRES_SINGLE_TUPLE:
			if (state == POSTGRES_SCHEMA)
				take_schema(result);
			else
				take_row(result);
			break;
		case PGRES_TUPLES_OK: /* behind the last row */
			break;
		default:
			take_error(result);
	}
}

/* The whole answer has been taken. */
static void
end_answer(void)
{
	if (problem[0] != '\0')
	{
		lose(problem);
		return;
	}
	if (state == POSTGRES_SCHEMA)
	{
		if (statement == NULL)
			lose("it has no extension crypto_rt: CREATE EXTENSION crypto_rt");
		else
			ask_everything();
		return;
	}
	if (state == POSTGRES_EVERYTHING && symbols.count == 0)
	{
		/* what is held stays */
		if (!feed_postgres.ready)
			feed_lost(&feed_postgres, "it has no quotes yet");
		rest(EMPTY_PAUSE);
		return;
	}
	if (state == POSTGRES_EVERYTHING)
	{
		feed_symbols_sweep(&symbols);
		feed_symbols_clear(&symbols);
	}
	quotes_settle();
	rest(POLL);
	feed_ready(&feed_postgres);
}

static void
take_answer(void)
{
	while (!PQisBusy(conn))
	{
		PGresult *result = PQgetResult(conn);

		if (result == NULL)
		{
			end_answer();
			return;
		}
		take_result(result);
		PQclear(result);
	}
	quotes_settle();
	loop_after(&timer, ANSWER_TIMEOUT);
}

/*
 * Connecting.
 */

static void
poll_connection(void)
{
	loop_watch(&watch, watch.fd, 0);
	switch (PQconnectPoll(conn))
	{
		case PGRES_POLLING_READING:
			loop_watch(&watch, PQsocket(conn), EPOLLIN);
			break;
		case PGRES_POLLING_WRITING:
			loop_watch(&watch, PQsocket(conn), EPOLLOUT);
			break;
		case PGRES_POLLING_OK:
			feed_postgres.connects++;
			PQsetnonblocking(conn, 1);
			ask(POSTGRES_SCHEMA, ASK_SCHEMA, NULL);
			break;
		default:
			lose_by_libpq();
	}
}

static void
ignore_notice(void *arg, const char *message)
{
	(void) arg;
	(void) message;
}

static const char *
given_value(const char *keyword)
{
	for (const PQconninfoOption *o = given; o != NULL && o->keyword != NULL; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val;
	return NULL;
}

/* The host of each address that was looked up, for libpq to check certificates and to find passwords by. */
static void
list_addresses(const char *host, Text *hosts, Text *addresses)
{
	for (int i = 0; i < lookup.count; i++)
	{
		text_format(hosts, "%s%s", i > 0 ? "," : "", host);
		text_format(addresses, "%s%s", i > 0 ? "," : "", lookup.addresses[i]);
	}
}

static void
begin_connect(void)
{
	const char *keywords[PARAMETERS_MAX + 1] = {0};
	const char *values[PARAMETERS_MAX + 1] = {0};
	Text hosts = {0};
	Text addresses = {0};
	Text server_options = {0};
	int n = 0;

	for (const PQconninfoOption *o = given; o->keyword != NULL && n < PARAMETERS_MAX - 5; o++)
		if (o->val != NULL)
		{
			keywords[n] = o->keyword;
			values[n++] = o->val;
		}
	/* of two values for one keyword the last one counts */
	if (lookup.count > 0)
	{
		list_addresses(given_value("host"), &hosts, &addresses);
		keywords[n] = "host";
		values[n++] = hosts.bytes;
		keywords[n] = "hostaddr";
		values[n++] = addresses.bytes;
	}
	if (given_value("options") != NULL)
		text_format(&server_options, "%s ", given_value("options"));
	text_string(&server_options, SERVER_OPTIONS);
	keywords[n] = "options";
	values[n++] = server_options.bytes;
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	keywords[n] = "fallback_application_name";
	values[n++] = "crypto_rt_http";

	state = POSTGRES_CONNECTING;
	conn = memory_check(PQconnectStartParams(keywords, values, 0));
	text_free(&hosts);
	text_free(&addresses);
	text_free(&server_options);
	PQsetNoticeProcessor(conn, ignore_notice, NULL);
	if (PQstatus(conn) == CONNECTION_BAD)
		lose_by_libpq();
	else
		loop_watch(&watch, PQsocket(conn), EPOLLOUT);
}

static void
take_addresses(void *arg, const char *why)
{
	char text[FEED_PROBLEM_SIZE];

	(void) arg;
	if (why == NULL)
	{
		begin_connect();
		return;
	}
	snprintf(text, sizeof(text), "could not look up its name: %s", why);
	lose(text);
}

/* One name of a host, which libpq would look up itself, and wait.  Of several names it still does. */
static bool
host_is_name(const char *host)
{
	return host != NULL && host[0] != '\0' && host[0] != '/' && host[0] != '@' && strchr(host, ',') == NULL &&
		   given_value("hostaddr") == NULL;
}

static void
begin(void)
{
	const char *host = given_value("host");

	if (given == NULL)
	{
		/* libpq's own words may repeat the password */
		lose("its url or conninfo cannot be read");
		return;
	}
	loop_after(&timer, CONNECT_TIMEOUT);
	lookup.count = 0;
	if (host_is_name(host))
	{
		state = POSTGRES_RESOLVING;
		lookup_begin(&lookup, host);
	}
	else
		begin_connect();
}

/*
 * Events.
 */

static void
socket_ready(void *arg, uint32_t events)
{
	(void) arg;
	if (state == POSTGRES_CONNECTING)
	{
		poll_connection();
		return;
	}
	if ((events & ~(uint32_t) EPOLLOUT) != 0 && !PQconsumeInput(conn))
	{
		lose_by_libpq();
		return;
	}
	flush();
	if (state >= POSTGRES_SCHEMA && state < POSTGRES_RESTING)
		take_answer();
}

static void
time_is_up(void *arg)
{
	(void) arg;
	switch (state)
	{
		case POSTGRES_OFF:
			break;
		case POSTGRES_AWAY:
			begin();
			break;
		case POSTGRES_RESOLVING:
			lose("could not look up its name: no answer");
			break;
		case POSTGRES_CONNECTING:
			lose("could not connect: no answer");
			break;
		case POSTGRES_SCHEMA:
		case POSTGRES_EVERYTHING:
		case POSTGRES_CHANGES:
			lose("no answer to a statement");
			break;
		case POSTGRES_RESTING:
			if (newest[0] == '\0' || loop_now() - everything_at >= EVERYTHING)
				ask_everything();
			else
				ask(POSTGRES_CHANGES, statement, newest);
			break;
	}
}

/*
 * The source.
 */

static void
postgres_start(FeedSource *source)
{
	(void) source;
	watch.ready = socket_ready;
	timer.due = time_is_up;
	lookup.done = take_addresses;
	if (given == NULL)
		given = PQconninfoParse(options()->database, NULL);
	begin();
}

static void
postgres_stop(FeedSource *source)
{
	(void) source;
	shut();
	state = POSTGRES_OFF;
}

FeedSource feed_postgres = {.name = "postgres", .start = postgres_start, .stop = postgres_stop};
