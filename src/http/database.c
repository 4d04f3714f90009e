/*
 * database.c
 *	  See database.h.
 *
 * What a query's owner is told is told from here only: answer() ends a query, and whatever it calls may ask anew.
 *
 * The server ends statements that take too long; should it be too far gone for that, the connection is given up a second later.
 * To cancel a statement, libpq would wait for a connection: so one that nobody wants any more goes on until then.
 */
#include "database.h"

#include <stdio.h>
#include <string.h>

#include "database_copy.h"
#include "links.h"
#include "log.h"
#include "loop.h"
#include "memory.h"
#include "options.h"
#include "postgres_conn.h"
#include "prepared.h"
#include "text.h"

#define MEMBERS_MAX 64
#define STATEMENTS_MAX (DATABASE_BEFORE_MAX + 1) /* of a query */
#define SENT_MAX (3 * STATEMENTS_MAX)

#define WAIT_MAX (DATABASE_SECONDS * LOOP_SECOND)
#define CONNECT_TIMEOUT                                                                                      \
	(4 * LOOP_SECOND) /* so that those who wait hear of it before their own time is over */
#define ANSWER_TIMEOUT ((DATABASE_SECONDS + 1) * LOOP_SECOND)
#define IDLE_MAX (60 * LOOP_SECOND)
#define PAUSE_MIN (LOOP_SECOND / 10)
#define PAUSE_MAX LOOP_SECOND /* after a connection that could not be made */

#define QUOTED(n) #n
#define TEXT_OF(n) QUOTED(n)
/* No JIT: to compile a statement of a few milliseconds takes longer than to run it.  Intervals look the same everywhere. */
#define SERVER_SETTINGS                                                                                      \
	"-c statement_timeout=" TEXT_OF(DATABASE_SECONDS) "s -c jit=off -c intervalstyle=postgres"

#define SCHEMA "@extschema@"
#define NO_SCHEMA "pg_catalog" /* where nothing of the extension's is found */

typedef struct Member Member;

/* A query that has not ended. */
struct DatabaseWait
{
	DatabaseQuery query;                          /* what it points to stands behind */
	DatabaseStatement statements[STATEMENTS_MAX]; /* in their order; the last is the query itself */
	DatabaseDone done;
	void *arg;
	int64_t deadline; /* for a connection */
	bool again;       /* it has been asked before */
	Link in_queue;
	Member *member; /* that runs it; NULL: none */
	const char *values[];
};

/* What has been sent of a query, in its order: each has one result. */
typedef enum SentKind
{
	SENT_FORGET,
	SENT_PREPARE,
	SENT_RUN
} SentKind;

typedef struct Sent
{
	SentKind kind;
	int index;       /* of the statement */
	Prepared *place; /* of SENT_PREPARE */
} Sent;

/* A place for a connection. */
struct Member
{
	PostgresConn conn;
	DatabaseWait *wait; /* whose query it runs */
	PGresult *result;   /* the query's own, or the first error; NULL: none yet */
	int64_t idle_since; /* 0: it has never been open */
	int sent_count;
	int taken; /* of those sent, how many have had their result */
	Sent sent[SENT_MAX];
	bool running;   /* a query, though perhaps of nobody any more */
	bool of_client; /* that query is */
	bool knew;      /* all statements were prepared before this query */
	PreparedSet prepared;
};

static Member members[MEMBERS_MAX];
static Link queue = LINKS_EMPTY(queue); /* the oldest first */
static int queued;
static LoopTimer queue_timer;
static LoopTimer idle_timer;

static bool stopping;
static int64_t last_pause;                       /* after a failure to connect; 0: there was none */
static int64_t connect_at;                       /* not before */
static char problem[POSTGRES_CONN_PROBLEM_SIZE]; /* with connecting; "": none */

static DatabaseCounts counts;

static void dispatch(void);

/*
 * Queries.
 */

static DatabaseWait *
make_wait(const DatabaseQuery *query)
{
	const DatabaseStatement last = {query->text, query->count, query->values};
	size_t size = database_copy_size(&last) + strlen(query->name) + 1;
	int count = last.count;
	const char **values;
	DatabaseWait *wait;
	char *to;

	for (int i = 0; i < query->before_count; i++)
	{
		size += database_copy_size(&query->before[i]);
		count += query->before[i].count;
	}
	wait = memory_get(sizeof(DatabaseWait) + size);
	wait->query = *query;
	values = wait->values;
	to = (char *) (values + count);
	wait->query.name = strcpy(to, query->name);
	to += strlen(to) + 1;
	for (int i = 0; i < query->before_count; i++)
		wait->statements[i] = database_copy(&query->before[i], &values, &to);
	wait->statements[query->before_count] = database_copy(&last, &values, &to);
	wait->query.text = wait->statements[query->before_count].text;
	return wait;
}

static void
enqueue(DatabaseWait *wait, bool first)
{
	wait->member = NULL;
	if (first)
		links_prepend(&queue, &wait->in_queue);
	else
		links_append(&queue, &wait->in_queue);
	queued++;
}

static void
dequeue(DatabaseWait *wait)
{
	links_remove(&wait->in_queue);
	queued--;
}

static DatabaseWait *
first_in_queue(void)
{
	return links_empty(&queue) ? NULL : LINKS_OWNER(queue.next, DatabaseWait, in_queue);
}

/* A query has ended; it stands in no queue and with no member. */
static void
answer(DatabaseWait *wait, DatabaseOutcome outcome, const PGresult *result)
{
	DatabaseDone done = wait->done;
	void *arg = wait->arg;

	counts.queries[outcome]++;
	free(wait);
	done(arg, outcome, result);
}

/* None of those that wait for a connection will get one. */
static void
answer_queue(DatabaseOutcome outcome)
{
	DatabaseWait *wait;

	while ((wait = first_in_queue()) != NULL)
	{
		dequeue(wait);
		answer(wait, outcome, NULL);
	}
}

/*
 * Members.
 */

static bool
is_idle(const Member *member)
{
	return member->conn.state == POSTGRES_CONN_IDLE && !member->running;
}

static bool
is_open(const Member *member)
{
	return member->conn.state == POSTGRES_CONN_IDLE || member->conn.state == POSTGRES_CONN_BUSY;
}

static int
member_count(void)
{
	return options()->database_connections < MEMBERS_MAX ? options()->database_connections : MEMBERS_MAX;
}

static void
clear_result(Member *member)
{
	PQclear(member->result);
	member->result = NULL;
}

/* Take a member's query from it. */
static DatabaseWait *
release(Member *member)
{
	DatabaseWait *wait = member->wait;

	member->wait = NULL;
	member->running = false;
	member->idle_since = loop_now();
	if (wait != NULL)
		wait->member = NULL;
	return wait;
}

static void
close_member(Member *member)
{
	postgres_conn_close(&member->conn);
	clear_result(member);
	prepared_forget_all(&member->prepared);
}

/* Close those that have been idle since then, or longer. */
static void
close_idle(int64_t since)
{
	for (int i = 0; i < member_count(); i++)
		if (is_idle(&members[i]) && members[i].idle_since <= since)
			close_member(&members[i]);
}

/* The text of a statement with the extension's schema in it. */
static char *
complete(const char *text, const char *schema)
{
	Text whole = {0};
	const char *hole;

	for (; (hole = strstr(text, SCHEMA)) != NULL; text = hole + strlen(SCHEMA))
	{
		text_add(&whole, text, (size_t) (hole - text));
		text_string(&whole, schema);
	}
	text_string(&whole, text);
	return whole.bytes;
}

static void
note_sent(Member *member, SentKind kind, int index, Prepared *place)
{
	member->sent[member->sent_count++] = (Sent){kind, index, place};
}

/* Put a statement in the place of the one that was used longest ago, if no other is free. */
static Prepared *
prepare(Member *member, int index, const char *key, size_t len)
{
	Prepared *place = prepared_oldest(&member->prepared);
	char command[PREPARED_NAME_SIZE + 16];
	char *text;

	if (place->key != NULL)
	{
		snprintf(command, sizeof(command), "DEALLOCATE %s", place->name);
		postgres_conn_add(&member->conn, command);
		note_sent(member, SENT_FORGET, index, NULL);
	}
	prepared_put(&member->prepared, place, key, len);
	text = complete(member->wait->statements[index].text,
					member->conn.schema != NULL ? member->conn.schema : NO_SCHEMA);
	postgres_conn_add_prepare(&member->conn, place->name, text);
	note_sent(member, SENT_PREPARE, index, place);
	free(text);
	return place;
}

/*
 * A statement is prepared where it is run, behind those before it: what they set is what it is understood by.
 */
static void
send_statement(Member *member, int index)
{
	const DatabaseWait *wait = member->wait;
	const DatabaseStatement *statement = &wait->statements[index];
	Text key = {0};
	Prepared *place;

	text_add(&key, wait->query.name, strlen(wait->query.name) + 1);
	text_string(&key, statement->text);
	place = prepared_find(&member->prepared, key.bytes, key.len);
	if (place == NULL)
	{
		member->knew = false;
		place = prepare(member, index, key.bytes, key.len);
	}
	postgres_conn_add_run(&member->conn, place->name, statement->count, statement->values);
	note_sent(member, SENT_RUN, index, NULL);
	text_free(&key);
}

static void
begin(Member *member, DatabaseWait *wait)
{
	dequeue(wait);
	wait->member = member;
	member->wait = wait;
	member->running = true;
	member->of_client = wait->query.of_client;
	member->knew = true;
	member->sent_count = member->taken = 0;
	clear_result(member);
	postgres_conn_begin(&member->conn);
	for (int i = 0; i <= wait->query.before_count; i++)
		send_statement(member, i);
	postgres_conn_end(&member->conn);
}

/*
 * What happens to connections.
 */

static Member *
member_of(PostgresConn *conn)
{
	return LINKS_OWNER(conn, Member, conn);
}

static void
take_ready(PostgresConn *conn)
{
	Member *member = member_of(conn);

	counts.connects++;
	if (problem[0] != '\0')
		log_info("queries go to PostgreSQL (%s) again", options()->database_shown);
	problem[0] = '\0';
	last_pause = 0;
	connect_at = 0;
	member->idle_since = loop_now();
	dispatch();
}

static bool
is_fine(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* Of those sent, in their turn.  The first error is the one that counts: what is behind it was not run. */
static void
take_result(PostgresConn *conn, PGresult *result)
{
	Member *member = member_of(conn);
	DatabaseWait *wait = member->wait;
	const Sent *sent = &member->sent[member->taken];
	bool fine = is_fine(result);

	/* more than there are: words of a server that ends the connection */
	if (member->taken == member->sent_count)
	{
		PQclear(result);
		return;
	}
	member->taken++;
	if (sent->kind == SENT_PREPARE && !fine)
		prepared_forget(sent->place);
	if (fine && sent->kind == SENT_RUN && wait != NULL && sent->index < wait->query.before_count &&
		wait->query.take != NULL)
		wait->query.take(wait->arg, sent->index, result);
	if (member->result != NULL || (fine && member->taken < member->sent_count))
	{
		PQclear(result);
		return;
	}
	member->result = result;
}

/* An error that a new connection may not have: what the statement names has been changed, or is not there. */
static bool
is_of_definitions(const char *code)
{
	if (strcmp(code, "42501") == 0) /* insufficient privilege */
		return false;
	return strncmp(code, "42", 2) == 0 || strncmp(code, "26", 2) == 0 || strncmp(code, "0A", 2) == 0 ||
		   strncmp(code, "3F", 2) == 0;
}

/* An error that may not come again: a deadlock, or, on a standby, what the primary has done. */
static bool
is_of_the_moment(const char *code)
{
	return strncmp(code, "40", 2) == 0;
}

static DatabaseOutcome
outcome_of(const char *code, bool of_extension)
{
	if (strcmp(code, "57014") == 0) /* cancelled by statement_timeout */
		return DATABASE_LATE;
	/* undefined function, schema, table */
	if (of_extension &&
		(strcmp(code, "42883") == 0 || strcmp(code, "3F000") == 0 || strcmp(code, "42P01") == 0))
		return DATABASE_NO_EXTENSION;
	return DATABASE_FAILED;
}

/* One line for each statement and change of what is wrong would need a memory; one now and then is enough. */
static void
log_failure(const DatabaseWait *wait, const PGresult *result)
{
	static int64_t logged_at;
	char text[POSTGRES_CONN_PROBLEM_SIZE];

	if (logged_at != 0 && loop_now() - logged_at < 30 * LOOP_SECOND)
		return;
	logged_at = loop_now();
	postgres_conn_explain(result, text, sizeof(text));
	log_warning("PostgreSQL (%s) refuses the query %s: %s", options()->database_shown, wait->query.name,
				text);
}

/* An error of a statement that was prepared before something was changed.  A client may bring others about, but not this one. */
static bool
is_of_preparing(const char *code, const PGresult *result)
{
	const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

	return strcmp(code, "26000") == 0 || (function != NULL && strcmp(function, "RevalidateCachedQuery") == 0);
}

/* The server has refused a member's query. */
static void
take_refusal(Member *member)
{
	PGresult *result = member->result;
	const char *field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *code = field != NULL ? field : "";
	DatabaseWait *wait = release(member);
	bool of_client = member->of_client;
	bool of_extension = wait != NULL && strstr(wait->query.text, SCHEMA) != NULL;
	bool renew = of_client ? is_of_preparing(code, result) && member->knew
						   : is_of_definitions(code) && (member->knew || of_extension);
	bool again = (renew && member->knew) || is_of_the_moment(code);
	DatabaseOutcome outcome = outcome_of(code, of_extension);

	if (wait != NULL && again && !wait->again)
	{
		wait->again = true;
		enqueue(wait, true);
		wait = NULL;
	}
	member->result = NULL;
	if (renew)
	{
		close_member(member);
		/* the others know no better */
		if (!of_client)
			close_idle(LOOP_NEVER);
	}
	if (wait != NULL && outcome != DATABASE_LATE && !wait->query.unlogged)
		log_failure(wait, result);
	if (wait != NULL)
		answer(wait, outcome, result);
	PQclear(result);
	dispatch();
}

static void
take_rows(Member *member)
{
	PGresult *result = member->result;
	DatabaseWait *wait = release(member);

	member->result = NULL;
	if (wait != NULL)
		answer(wait, DATABASE_OK, result);
	PQclear(result);
	dispatch();
}

static void
take_answer(PostgresConn *conn)
{
	Member *member = member_of(conn);

	if (is_fine(member->result))
		take_rows(member);
	else
		take_refusal(member);
}

/* A connection could not be made. */
static void
take_away(const char *why)
{
	if (strcmp(problem, why) != 0)
		log_warning("no queries to PostgreSQL (%s): %s", options()->database_shown, why);
	snprintf(problem, sizeof(problem), "%s", why);
	last_pause = last_pause == 0 ? PAUSE_MIN : last_pause * 2;
	if (last_pause > PAUSE_MAX)
		last_pause = PAUSE_MAX;
	connect_at = loop_now() + last_pause;
}

static void
take_loss(PostgresConn *conn, const char *why)
{
	Member *member = member_of(conn);
	bool running = member->running;
	bool was_open = running || member->idle_since != 0;
	DatabaseWait *wait = release(member);

	member->idle_since = 0;
	clear_result(member);
	prepared_forget_all(&member->prepared);
	if (!was_open)
		take_away(why);
	if (wait != NULL && conn->late)
		answer(wait, DATABASE_LATE, NULL);
	else if (wait != NULL && wait->again)
		answer(wait, DATABASE_AWAY, NULL);
	else if (wait != NULL)
	{
		/* the others may have ended as well, without our having heard of it */
		close_idle(LOOP_NEVER);
		wait->again = true;
		enqueue(wait, true);
	}
	dispatch();
}

/*
 * The first schema that is exposed at /rest/v1 is where names are looked for, so that it need not be said with each request.  Other
 * statements name their schemas.
 */
static const char *
server_settings(void)
{
	static Text text;

	if (text.len > 0)
		return text.bytes;
	text_string(&text, SERVER_SETTINGS " -c search_path=\"");
	for (const char *c = options()->rest_schemas[0]; *c != '\0'; c++)
	{
		/* for the list of names, and then for the list of options */
		text_string(&text, *c == '"' ? "\"" : *c == '\\' || *c == ' ' ? "\\" : "");
		text_add(&text, c, 1);
	}
	text_string(&text, "\",public");
	return text.bytes;
}

static void
open_member(Member *member)
{
	member->idle_since = 0;
	member->conn.settings = server_settings();
	member->conn.connect_within = CONNECT_TIMEOUT;
	member->conn.answer_within = ANSWER_TIMEOUT;
	member->conn.ready = take_ready;
	member->conn.take = take_result;
	member->conn.answered = take_answer;
	member->conn.closed = take_loss;
	postgres_conn_open(&member->conn);
}

/*
 * Who gets what.
 */

/* The one that was busy last, so that the others can be closed. */
static Member *
find_idle(void)
{
	Member *found = NULL;

	for (int i = 0; i < member_count(); i++)
		if (is_idle(&members[i]) && (found == NULL || members[i].idle_since > found->idle_since))
			found = &members[i];
	return found;
}

/* Make connections for those that wait; returns how many there are, or are being made. */
static int
open_members(void)
{
	int opening = 0;
	int used = 0;

	for (int i = 0; i < member_count(); i++)
		if (members[i].conn.state != POSTGRES_CONN_CLOSED)
		{
			used++;
			opening += !is_open(&members[i]);
		}
	for (int i = 0; i < member_count() && opening < queued && loop_now() >= connect_at; i++)
		if (members[i].conn.state == POSTGRES_CONN_CLOSED)
		{
			open_member(&members[i]);
			opening++;
			used++;
		}
	return used;
}

static void
set_timers(void)
{
	int64_t idle_since = LOOP_NEVER;

	for (int i = 0; i < member_count(); i++)
		if (is_idle(&members[i]) && members[i].idle_since < idle_since)
			idle_since = members[i].idle_since;
	loop_at(&idle_timer, idle_since != LOOP_NEVER ? idle_since + IDLE_MAX : LOOP_NEVER);
	loop_at(&queue_timer, !links_empty(&queue) ? first_in_queue()->deadline : LOOP_NEVER);
}

static void
dispatch(void)
{
	Member *member;

	if (stopping)
		return;
	while (!links_empty(&queue) && (member = find_idle()) != NULL)
		begin(member, first_in_queue());
	if (!links_empty(&queue) && open_members() == 0)
		answer_queue(DATABASE_AWAY);
	set_timers();
}

/* The first in the queue have waited for too long. */
static void
queue_due(void *arg)
{
	DatabaseWait *wait;

	(void) arg;
	while ((wait = first_in_queue()) != NULL && wait->deadline <= loop_now())
	{
		dequeue(wait);
		answer(wait, DATABASE_LATE, NULL);
	}
	dispatch();
}

static void
idle_due(void *arg)
{
	(void) arg;
	close_idle(loop_now() - IDLE_MAX);
	dispatch();
}

/*
 * For the others.
 */

void
database_init(void)
{
	queue_timer.due = queue_due;
	idle_timer.due = idle_due;
}

/* Why no query can be taken in now; DATABASE_OK: it can. */
static DatabaseOutcome
refusal(void)
{
	if (options()->database == NULL)
		return DATABASE_NONE;
	if (stopping)
		return DATABASE_STOPPING;
	if (queued >= DATABASE_QUEUE_MAX)
		return DATABASE_FULL;
	if (loop_now() >= connect_at)
		return DATABASE_OK;
	/* it was away a moment ago */
	for (int i = 0; i < member_count(); i++)
		if (members[i].conn.state != POSTGRES_CONN_CLOSED)
			return DATABASE_OK;
	return DATABASE_AWAY;
}

DatabaseWait *
database_query(const DatabaseQuery *query, DatabaseDone done, void *arg, DatabaseOutcome *refused)
{
	DatabaseWait *wait;

	*refused = refusal();
	if (*refused != DATABASE_OK)
	{
		counts.queries[*refused]++;
		return NULL;
	}
	wait = make_wait(query);
	wait->done = done;
	wait->arg = arg;
	wait->deadline = loop_now() + WAIT_MAX;
	enqueue(wait, false);
	/* there is a connection or one is made, so that nobody is answered from here */
	dispatch();
	return wait;
}

void
database_cancel(DatabaseWait *wait)
{
	counts.queries[DATABASE_CANCELLED]++;
	if (wait->member != NULL)
		wait->member->wait = NULL;
	else
		dequeue(wait);
	free(wait);
	set_timers();
}

void
database_stop(void)
{
	DatabaseWait *wait;

	stopping = true;
	loop_at(&queue_timer, LOOP_NEVER);
	loop_at(&idle_timer, LOOP_NEVER);
	answer_queue(DATABASE_STOPPING);
	for (int i = 0; i < MEMBERS_MAX; i++)
	{
		wait = release(&members[i]);
		close_member(&members[i]);
		if (wait != NULL)
			answer(wait, DATABASE_STOPPING, NULL);
	}
}

DatabaseCounts
database_counts(void)
{
	DatabaseCounts now = counts;

	for (int i = 0; i < member_count(); i++)
	{
		now.idle += is_idle(&members[i]);
		now.busy += members[i].running;
		now.opening +=
			members[i].conn.state != POSTGRES_CONN_CLOSED && !is_open(&members[i]) && !members[i].running;
	}
	now.queued = queued;
	return now;
}

const char *
database_outcome_name(DatabaseOutcome outcome)
{
	static const char *const names[DATABASE_OUTCOMES] = {
		[DATABASE_OK] = "ok",     [DATABASE_FAILED] = "failed",     [DATABASE_NO_EXTENSION] = "no_extension",
		[DATABASE_LATE] = "late", [DATABASE_FULL] = "queue_full",   [DATABASE_AWAY] = "away",
		[DATABASE_NONE] = "none", [DATABASE_STOPPING] = "stopping", [DATABASE_CANCELLED] = "cancelled",
	};

	return names[outcome];
}
