/*
 * feed_postgres.c
 *	  Quotes from PostgreSQL, for when there is no Redis: what crypto_quotes_json() returns.
 *
 * First everything is read, then five times a second what was fetched since the newest of it, and everything anew once a
 * minute.  Rows come one by one, so that never more than a few are held.
 */
#include <stdio.h>
#include <string.h>

#include "feed.h"
#include "loop.h"
#include "memory.h"
#include "postgres_conn.h"
#include "quotes.h"

#define CONNECT_TIMEOUT (5 * LOOP_SECOND)
#define ANSWER_TIMEOUT (10 * LOOP_SECOND)
#define POLL (LOOP_SECOND / 5)
#define EVERYTHING (60 * LOOP_SECOND) /* from one reading of everything to the next */
#define EMPTY_PAUSE LOOP_SECOND       /* likewise, while there is nothing */

/* Never for long.  The rows of everything need not go through a file. */
#define SERVER_SETTINGS "-c statement_timeout=10s -c work_mem=32MB"

#define ASK_QUOTES                                                                                           \
	"SELECT q, q OPERATOR(pg_catalog.->>) 'symbol', q OPERATOR(pg_catalog.->>) 'last_updated' "              \
	"FROM %s.crypto_quotes_json($1) AS q"

typedef enum PostgresState
{
	POSTGRES_OFF,        /* to OPENING */
	POSTGRES_AWAY,       /* waits before it connects again; to OPENING */
	POSTGRES_OPENING,    /* to EVERYTHING or AWAY */
	POSTGRES_EVERYTHING, /* asks for all quotes; to RESTING or AWAY */
	POSTGRES_CHANGES,    /* asks for those fetched since; to RESTING or AWAY */
	POSTGRES_RESTING     /* until it asks again; to EVERYTHING, CHANGES or AWAY */
} PostgresState;

static PostgresState state = POSTGRES_OFF;
static PostgresConn conn;
static LoopTimer timer; /* the end of a pause */
static char *statement;

static FeedSymbols symbols; /* of this reading of everything */
static int64_t everything_at;
static char newest[40]; /* the last last_updated that came; texts of one length sort as their times do */
static char problem[FEED_PROBLEM_SIZE]; /* with this statement; "": none */

/*
 * Ending.
 */

static void
shut(void)
{
	postgres_conn_close(&conn);
	loop_at(&timer, LOOP_NEVER);
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

static void
take_loss(PostgresConn *lost, const char *why)
{
	(void) lost;
	lose(why);
}

/*
 * Asking.
 */

static void
ask(PostgresState to, const char *since)
{
	state = to;
	problem[0] = '\0';
	postgres_conn_ask(&conn, statement, 1, &since, true);
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
	ask(POSTGRES_EVERYTHING, "-infinity");
}

static void
rest(int64_t pause)
{
	state = POSTGRES_RESTING;
	loop_after(&timer, pause);
}

static void
begin(PostgresConn *ready)
{
	size_t size;

	feed_postgres.connects++;
	if (ready->schema == NULL)
	{
		lose("it has no extension crypto_rt: CREATE EXTENSION crypto_rt");
		return;
	}
	size = sizeof(ASK_QUOTES) + strlen(ready->schema);
	statement = memory_get(size);
	snprintf(statement, size, ASK_QUOTES, ready->schema);
	ask_everything();
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
take_error(const PGresult *result)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (code != NULL && strcmp(code, "42883") == 0) /* undefined function */
		snprintf(problem, sizeof(problem),
				 "it has no crypto_quotes_json(): CREATE EXTENSION crypto_rt, or ALTER EXTENSION crypto_rt "
				 "UPDATE");
	else
		postgres_conn_explain(result, problem, sizeof(problem));
}

static void
take_result(PostgresConn *from, PGresult *result)
{
	(void) from;
	switch (PQresultStatus(result))
	{
		case PGRES_SINGLE_TUPLE:
			take_row(result);
			break;
		case PGRES_TUPLES_OK: /* behind the last row */
			break;
		default:
			take_error(result);
	}
	PQclear(result);
}

static void
settle(PostgresConn *from)
{
	(void) from;
	quotes_settle();
}

/* The whole answer has been taken. */
static void
end_answer(PostgresConn *from)
{
	(void) from;
	if (problem[0] != '\0')
	{
		lose(problem);
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

/*
 * The source.
 */

static void
open_connection(void)
{
	state = POSTGRES_OPENING;
	postgres_conn_open(&conn);
}

static void
time_is_up(void *arg)
{
	(void) arg;
	if (state == POSTGRES_AWAY)
		open_connection();
	else if (conn.state != POSTGRES_CONN_IDLE)
		return; /* it is lost, and tells in a moment */
	else if (newest[0] == '\0' || loop_now() - everything_at >= EVERYTHING)
		ask_everything();
	else
		ask(POSTGRES_CHANGES, newest);
}

static void
postgres_start(FeedSource *source)
{
	(void) source;
	timer.due = time_is_up;
	conn.settings = SERVER_SETTINGS;
	conn.connect_within = CONNECT_TIMEOUT;
	conn.answer_within = ANSWER_TIMEOUT;
	conn.ready = begin;
	conn.take = take_result;
	conn.taken = settle;
	conn.answered = end_answer;
	conn.closed = take_loss;
	open_connection();
}

static void
postgres_stop(FeedSource *source)
{
	(void) source;
	shut();
	state = POSTGRES_OFF;
}

FeedSource feed_postgres = {.name = "postgres", .start = postgres_start, .stop = postgres_stop};
