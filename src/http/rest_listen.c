/*
 * rest_listen.c
 *	  See rest_listen.h.
 *
 * One statement at a time: LISTEN, then the catalog, then, every half a minute, one that does nothing, since a connection that only
 * listens can die without a word.  What is wanted meanwhile waits until the connection is idle.
 */
#include "rest_listen.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "loop.h"
#include "memory.h"
#include "options.h"
#include "postgres_conn.h"
#include "rest_call.h"
#include "rest_catalog_take.h"
#include "text.h"

#define CONNECT_TIMEOUT (5 * LOOP_SECOND)
#define ANSWER_TIMEOUT (20 * LOOP_SECOND)
#define BEAT_INTERVAL (30 * LOOP_SECOND)
#define PAUSE_MIN (LOOP_SECOND / 4)
#define PAUSE_MAX (5 * LOOP_SECOND)

/* names of types come with their schemas, so that they mean the same to any session */
#define SERVER_SETTINGS "-c statement_timeout=15s -c jit=off -c search_path=pg_catalog"

#define RELOAD "reload schema"

static PostgresConn conn;
static LoopTimer timer; /* to connect, or to beat */
static int64_t last_pause;
static char problem[POSTGRES_CONN_PROBLEM_SIZE]; /* with the connection or the catalog; "": none */
static bool stopped;

static enum { DOING_NOTHING, DOING_LISTEN, DOING_CATALOG, DOING_BEAT } doing;

static bool wanted; /* the catalog is, anew */
static PGresult *result;

static RestCatalog *catalog;
static RestCatalog *replaced; /* somebody may still read it in this turn of the loop */
static uint64_t version;

static void
say(const char *what, const char *why)
{
	if (strcmp(problem, why) != 0)
		log_warning("%s (%s): %s", what, options()->database_shown, why);
	snprintf(problem, sizeof(problem), "%s", why);
}

/*
 * Asking.
 */

static void
ask_catalog(void)
{
	const char *array;
	Arena arena = {0};

	array = rest_call_array(options()->rest_schema_count, options()->rest_schemas, &arena);
	wanted = false;
	doing = DOING_CATALOG;
	postgres_conn_ask(&conn, rest_catalog_take_query(), 1, (const char *const[]){array}, false);
	arena_free(&arena);
}

static void
go_on(void)
{
	if (conn.state != POSTGRES_CONN_IDLE)
		return;
	if (wanted)
		ask_catalog();
	else
	{
		doing = DOING_NOTHING;
		loop_after(&timer, BEAT_INTERVAL);
	}
}

void
rest_listen_reload(void)
{
	if (options()->database == NULL || stopped)
		return;
	wanted = true;
	go_on();
}

/*
 * Answers.
 */

static void
take_catalog(void)
{
	char text[POSTGRES_CONN_PROBLEM_SIZE];

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		postgres_conn_explain(result, text, sizeof(text));
		say("cannot read what is exposed at /rest/v1", text);
		return;
	}
	rest_catalog_free(replaced);
	replaced = catalog;
	catalog = rest_catalog_take(result);
	version++;
	problem[0] = '\0';
	for (int i = 0; i < options()->rest_schema_count; i++)
		if (rest_catalog_schema(catalog, options()->rest_schemas[i]) == NULL)
			log_warning("there is no schema \"%s\" to expose at /rest/v1 in PostgreSQL (%s)",
						options()->rest_schemas[i], options()->database_shown);
	log_info("/rest/v1 exposes %d tables and views, and %d functions", catalog->relation_count,
			 catalog->function_count);
}

static void
take_result(PostgresConn *from, PGresult *taken)
{
	(void) from;
	PQclear(result);
	result = taken;
}

static void
take_answer(PostgresConn *from)
{
	char text[POSTGRES_CONN_PROBLEM_SIZE];

	(void) from;
	if (doing == DOING_CATALOG)
		take_catalog();
	else if (doing == DOING_LISTEN && PQresultStatus(result) != PGRES_COMMAND_OK)
	{
		/* a standby: SIGHUP remains */
		postgres_conn_explain(result, text, sizeof(text));
		say("cannot listen for changes of what is exposed at /rest/v1", text);
	}
	PQclear(result);
	result = NULL;
	go_on();
}

static void
take_notification(PostgresConn *from, const char *payload)
{
	(void) from;
	if (strcmp(payload, RELOAD) == 0)
		rest_listen_reload();
}

static void
take_ready(PostgresConn *from)
{
	(void) from;
	last_pause = 0;
	wanted = true;
	doing = DOING_LISTEN;
	postgres_conn_ask(&conn, "LISTEN crypto_rt", 0, NULL, false);
}

static void
take_loss(PostgresConn *from, const char *why)
{
	(void) from;
	PQclear(result);
	result = NULL;
	say("cannot watch what is exposed at /rest/v1", why);
	last_pause = last_pause == 0 ? PAUSE_MIN : last_pause * 2;
	if (last_pause > PAUSE_MAX)
		last_pause = PAUSE_MAX;
	doing = DOING_NOTHING;
	loop_after(&timer, last_pause);
}

static void
timer_due(void *arg)
{
	(void) arg;
	if (conn.state == POSTGRES_CONN_CLOSED)
		postgres_conn_open(&conn);
	else if (conn.state == POSTGRES_CONN_IDLE)
	{
		doing = DOING_BEAT;
		postgres_conn_ask(&conn, "SELECT", 0, NULL, false);
	}
}

/*
 * For the others.
 */

void
rest_listen_start(void)
{
	if (options()->database == NULL)
		return;
	timer.due = timer_due;
	conn.settings = SERVER_SETTINGS;
	conn.connect_within = CONNECT_TIMEOUT;
	conn.answer_within = ANSWER_TIMEOUT;
	conn.ready = take_ready;
	conn.take = take_result;
	conn.answered = take_answer;
	conn.closed = take_loss;
	conn.notified = take_notification;
	postgres_conn_open(&conn);
}

void
rest_listen_stop(void)
{
	stopped = true;
	loop_at(&timer, LOOP_NEVER);
	postgres_conn_close(&conn);
	PQclear(result);
	result = NULL;
	rest_catalog_free(replaced);
	rest_catalog_free(catalog);
	replaced = catalog = NULL;
}

const RestCatalog *
rest_listen_catalog(void)
{
	return catalog;
}

uint64_t
rest_listen_version(void)
{
	return version;
}
