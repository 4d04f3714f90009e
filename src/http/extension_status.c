/*
 * extension_status.c
 *	  See extension_status.h.
 *
 * One query at a time.  After one that was refused the pause is longer, since some refusals cost the pool its connections.  A problem is
 * logged when it comes and when it goes; those with connecting are the pool's to log.
 */
#include "extension_status.h"

#include <inttypes.h>
#include <stdbool.h>

#include "database.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "postgres_conn.h"

#define PAUSE (2 * LOOP_SECOND)
#define PAUSE_REFUSED (10 * LOOP_SECOND)
#define LOOKING (15 * LOOP_SECOND) /* for which somebody looks, after the last request */

static const DatabaseQuery query = {
	.name = "extension_status",
	.text = "SELECT (SELECT pg_catalog.row_to_json(s) FROM @extschema@.crypto_status() s), "
			"pg_catalog.array_to_json(ARRAY(SELECT pg_catalog.row_to_json(t) "
			"FROM @extschema@.crypto_tiers t ORDER BY t.first_rank))",
	.unlogged = true,
};

static char *status; /* of the last answer; NULL: there was none */
static char *tiers;
static int64_t answered_at;
static const char *problem = "no answer yet";   /* NULL: none */
static char logged[POSTGRES_CONN_PROBLEM_SIZE]; /* what the server has refused; "": nothing */

static DatabaseWait *wait;
static int64_t ask_at;
static int64_t looked_at;
static LoopTimer timer;

/* What everybody may know; all that names hosts and users is for the log. */
static const char *
problem_of(DatabaseOutcome outcome)
{
	switch (outcome)
	{
		case DATABASE_OK:
			return NULL;
		case DATABASE_NO_EXTENSION:
			return "there is no extension crypto_rt in the database";
		case DATABASE_LATE:
			return "PostgreSQL has not answered in time";
		case DATABASE_FULL:
			return "too many requests wait for PostgreSQL";
		case DATABASE_AWAY:
			return "PostgreSQL is away";
		case DATABASE_STOPPING:
			return "the daemon is stopping";
		default:
			return "PostgreSQL could not answer: the daemon's log says why";
	}
}

static void
log_change(DatabaseOutcome outcome, const PGresult *result)
{
	char why[sizeof(logged)] = "";

	if (outcome == DATABASE_FAILED || outcome == DATABASE_NO_EXTENSION)
		postgres_conn_explain(result, why, sizeof(why));
	else if (outcome != DATABASE_OK)
		return;
	if (strcmp(why, logged) == 0)
		return;
	memcpy(logged, why, sizeof(logged));
	if (why[0] != '\0')
		log_warning("PostgreSQL (%s) does not tell how the extension does: %s", options()->database_shown,
					why);
	else
		log_info("PostgreSQL (%s) tells how the extension does again", options()->database_shown);
}

static void
take_answer(DatabaseOutcome outcome, const PGresult *result)
{
	problem = problem_of(outcome);
	ask_at =
		loop_now() + (outcome == DATABASE_FAILED || outcome == DATABASE_NO_EXTENSION ? PAUSE_REFUSED : PAUSE);
	log_change(outcome, result);
	if (outcome != DATABASE_OK)
		return;
	free(status);
	free(tiers);
	status = memory_dup(PQgetisnull(result, 0, 0) ? "null" : PQgetvalue(result, 0, 0));
	tiers = memory_dup(PQgetvalue(result, 0, 1));
	answered_at = loop_now();
}

static void look(void);

static void
answered(void *arg, DatabaseOutcome outcome, const PGresult *result)
{
	(void) arg;
	wait = NULL;
	take_answer(outcome, result);
	look();
}

/* Ask, now or when the pause is over, while somebody looks. */
static void
look(void)
{
	DatabaseOutcome refused;

	if (wait != NULL || loop_now() - looked_at >= LOOKING)
		return;
	if (loop_now() >= ask_at)
	{
		wait = database_query(&query, answered, NULL, &refused);
		if (wait != NULL)
			return;
		take_answer(refused, NULL);
	}
	loop_at(&timer, ask_at);
}

static void
pause_over(void *arg)
{
	(void) arg;
	look();
}

void
extension_status_init(void)
{
	timer.due = pause_over;
}

void
extension_status_write(Text *text)
{
	if (options()->database == NULL)
	{
		text_string(text, "null");
		return;
	}
	looked_at = loop_now();
	look();
	text_string(text, "{\"age_seconds\":");
	if (status != NULL)
		text_format(text, "%" PRId64, (loop_now() - answered_at) / LOOP_SECOND);
	else
		text_string(text, "null");
	text_string(text, ",\"problem\":");
	if (problem != NULL)
		text_json(text, problem, strlen(problem));
	else
		text_string(text, "null");
	text_string(text, ",\"status\":");
	text_string(text, status != NULL ? status : "null");
	text_string(text, ",\"tiers\":");
	text_string(text, tiers != NULL ? tiers : "[]");
	text_string(text, "}");
}
