/*
 * postgres_conn.c
 *	  See postgres_conn.h.
 *
 * libpq's asynchronous functions are used throughout.  PQconnectPoll may close its socket and open another one with the same
 * number, of which epoll would not know: so the watch ends before each call.
 */
#include "postgres_conn.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "memory.h"
#include "options.h"
#include "text.h"

#define PARAMETERS_MAX 64 /* libpq knows some forty */

#define READ_ONLY "-c default_transaction_read_only=on "
#define ASK_SCHEMA                                                                                           \
	"SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = "             \
	"e.extnamespace WHERE e.extname = 'crypto_rt'"

static PQconninfoOption *given; /* options()->database, read */

/*
 * Ending.
 */

static void
shut(PostgresConn *conn)
{
	lookup_cancel(&conn->lookup);
	loop_at(&conn->timer, LOOP_NEVER);
	if (conn->watch.events != 0)
		loop_watch(&conn->watch, conn->watch.fd, 0);
	if (conn->pg != NULL)
		PQfinish(conn->pg);
	conn->pg = NULL;
	free(conn->schema);
	conn->schema = NULL;
	conn->in_pipeline = false;
}

void
postgres_conn_close(PostgresConn *conn)
{
	shut(conn);
	conn->state = POSTGRES_CONN_CLOSED;
}

/* The owner is told in the next turn of the loop. */
static void
lose(PostgresConn *conn, const char *why)
{
	snprintf(conn->problem, sizeof(conn->problem), "%s", why);
	conn->problem[strcspn(conn->problem, "\n")] = '\0';
	shut(conn);
	conn->state = POSTGRES_CONN_LOST;
	loop_after(&conn->timer, 0);
}

/* With the first line of what libpq says. */
static void
lose_by_libpq(PostgresConn *conn)
{
	const char *why = PQerrorMessage(conn->pg);

	lose(conn, why[0] != '\0' ? why : "lost the connection");
}

/*
 * Asking.
 */

static void
flush(PostgresConn *conn)
{
	int left = PQflush(conn->pg);

	if (left < 0)
		lose_by_libpq(conn);
	else
		loop_watch(&conn->watch, PQsocket(conn->pg), left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* libpq has taken a statement, or not. */
static void
send_statement(PostgresConn *conn, PostgresConnState state, int taken)
{
	conn->state = state;
	if (!taken)
	{
		lose_by_libpq(conn);
		return;
	}
	loop_after(&conn->timer, conn->answer_within);
	flush(conn);
}

void
postgres_conn_ask(PostgresConn *conn, const char *sql, int count, const char *const *values, bool one_by_one)
{
	int taken = PQsendQueryParams(conn->pg, sql, count, NULL, values, NULL, NULL, 0);

	if (taken && one_by_one)
		taken = PQsetSingleRowMode(conn->pg);
	send_statement(conn, POSTGRES_CONN_BUSY, taken);
}

void
postgres_conn_begin(PostgresConn *conn)
{
	conn->sent = conn->in_pipeline || PQenterPipelineMode(conn->pg);
	conn->in_pipeline = true;
}

void
postgres_conn_add(PostgresConn *conn, const char *sql)
{
	conn->sent = conn->sent && PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0);
}

void
postgres_conn_add_prepare(PostgresConn *conn, const char *name, const char *sql)
{
	conn->sent = conn->sent && PQsendPrepare(conn->pg, name, sql, 0, NULL);
}

void
postgres_conn_add_run(PostgresConn *conn, const char *name, int count, const char *const *values)
{
	conn->sent = conn->sent && PQsendQueryPrepared(conn->pg, name, count, values, NULL, NULL, 0);
}

void
postgres_conn_end(PostgresConn *conn)
{
	send_statement(conn, POSTGRES_CONN_BUSY, conn->sent && PQpipelineSync(conn->pg));
}

/*
 * Answers.
 */

void
postgres_conn_explain(const PGresult *result, char *buf, size_t size)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	snprintf(buf, size, "%s", message != NULL ? message : PQresultErrorMessage(result));
	buf[strcspn(buf, "\n")] = '\0';
	if (buf[0] == '\0')
		snprintf(buf, size, "a statement failed");
}

/* Returns false when that was the end of the connection. */
static bool
take_schema(PostgresConn *conn, const PGresult *result)
{
	char problem[POSTGRES_CONN_PROBLEM_SIZE];
	char *quoted;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		postgres_conn_explain(result, problem, sizeof(problem));
		lose(conn, problem);
		return false;
	}
	if (PQntuples(result) == 0 || conn->schema != NULL)
		return true;
	quoted = PQescapeIdentifier(conn->pg, PQgetvalue(result, 0, 0), (size_t) PQgetlength(result, 0, 0));
	if (quoted == NULL)
	{
		lose_by_libpq(conn);
		return false;
	}
	conn->schema = memory_dup(quoted);
	PQfreemem(quoted);
	return true;
}

/* Returns false when that was the end of the connection. */
static bool
take_result(PostgresConn *conn, PGresult *result)
{
	bool stays;

	if (conn->state == POSTGRES_CONN_SCHEMA)
	{
		stays = take_schema(conn, result);
		PQclear(result);
		return stays;
	}
	conn->take(conn, result);
	return conn->state == POSTGRES_CONN_BUSY;
}

static void
end_answer(PostgresConn *conn)
{
	bool first = conn->state == POSTGRES_CONN_SCHEMA;

	loop_at(&conn->timer, LOOP_NEVER);
	if (PQstatus(conn->pg) == CONNECTION_BAD)
	{
		lose_by_libpq(conn);
		return;
	}
	conn->state = POSTGRES_CONN_IDLE;
	if (first)
		conn->ready(conn);
	else
		conn->answered(conn);
}

/* Whether a result is the end of an answer: in a pipeline each statement's results end by a NULL, which is passed over. */
static bool
is_end(const PostgresConn *conn, const PGresult *result)
{
	if (conn->in_pipeline && PQstatus(conn->pg) != CONNECTION_BAD)
		return PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	return result == NULL;
}

static void
take_answer(PostgresConn *conn)
{
	int nothing = 0; /* in a row */

	while (!PQisBusy(conn->pg))
	{
		PGresult *result = PQgetResult(conn->pg);

		if (is_end(conn, result))
		{
			PQclear(result);
			end_answer(conn);
			return;
		}
		nothing = result == NULL ? nothing + 1 : 0;
		if (nothing > 2)
		{
			lose(conn, "a pipeline has no end");
			return;
		}
		if (result != NULL && !take_result(conn, result))
			return;
	}
	loop_after(&conn->timer, conn->answer_within);
	if (conn->state == POSTGRES_CONN_BUSY && conn->taken != NULL)
		conn->taken(conn);
}

/* The owner may close the connection at any of them. */
static void
take_notifications(PostgresConn *conn)
{
	PGnotify *notification;

	while (conn->state == POSTGRES_CONN_IDLE && (notification = PQnotifies(conn->pg)) != NULL)
	{
		if (conn->notified != NULL)
			conn->notified(conn, notification->extra);
		PQfreemem(notification);
	}
}

/*
 * Connecting.
 */

static void
poll_connection(PostgresConn *conn)
{
	loop_watch(&conn->watch, conn->watch.fd, 0);
	switch (PQconnectPoll(conn->pg))
	{
		case PGRES_POLLING_READING:
			loop_watch(&conn->watch, PQsocket(conn->pg), EPOLLIN);
			break;
		case PGRES_POLLING_WRITING:
			loop_watch(&conn->watch, PQsocket(conn->pg), EPOLLOUT);
			break;
		case PGRES_POLLING_OK:
			PQsetnonblocking(conn->pg, 1);
			send_statement(conn, POSTGRES_CONN_SCHEMA,
						   PQsendQueryParams(conn->pg, ASK_SCHEMA, 0, NULL, NULL, NULL, NULL, 0));
			break;
		default:
			lose_by_libpq(conn);
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
list_addresses(const Lookup *lookup, const char *host, Text *hosts, Text *addresses)
{
	for (int i = 0; i < lookup->count; i++)
	{
		text_format(hosts, "%s%s", i > 0 ? "," : "", host);
		text_format(addresses, "%s%s", i > 0 ? "," : "", lookup->addresses[i]);
	}
}

static void
begin_connect(PostgresConn *conn)
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
	if (conn->lookup.count > 0)
	{
		list_addresses(&conn->lookup, given_value("host"), &hosts, &addresses);
		keywords[n] = "host";
		values[n++] = hosts.bytes;
		keywords[n] = "hostaddr";
		values[n++] = addresses.bytes;
	}
	if (given_value("options") != NULL)
		text_format(&server_options, "%s ", given_value("options"));
	text_string(&server_options, READ_ONLY);
	text_string(&server_options, conn->settings);
	keywords[n] = "options";
	values[n++] = server_options.bytes;
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	keywords[n] = "fallback_application_name";
	values[n++] = "crypto_rt_http";

	conn->state = POSTGRES_CONN_CONNECTING;
	conn->pg = memory_check(PQconnectStartParams(keywords, values, 0));
	text_free(&hosts);
	text_free(&addresses);
	text_free(&server_options);
	PQsetNoticeProcessor(conn->pg, ignore_notice, NULL);
	if (PQstatus(conn->pg) == CONNECTION_BAD)
		lose_by_libpq(conn);
	else
		loop_watch(&conn->watch, PQsocket(conn->pg), EPOLLOUT);
}

static void
take_addresses(void *arg, const char *why)
{
	PostgresConn *conn = arg;
	char text[POSTGRES_CONN_PROBLEM_SIZE];

	if (why == NULL)
	{
		begin_connect(conn);
		return;
	}
	snprintf(text, sizeof(text), "could not look up its name: %s", why);
	lose(conn, text);
}

/* One name of a host, which libpq would look up itself, and wait.  Of several names it still does. */
static bool
host_is_name(const char *host)
{
	return host != NULL && host[0] != '\0' && host[0] != '/' && host[0] != '@' && strchr(host, ',') == NULL &&
		   given_value("hostaddr") == NULL;
}

/*
 * Events.
 */

static void
socket_ready(void *arg, uint32_t events)
{
	PostgresConn *conn = arg;

	if (conn->state == POSTGRES_CONN_CONNECTING)
	{
		poll_connection(conn);
		return;
	}
	if ((events & ~(uint32_t) EPOLLOUT) != 0 && !PQconsumeInput(conn->pg))
	{
		lose_by_libpq(conn);
		return;
	}
	flush(conn);
	if (conn->state == POSTGRES_CONN_SCHEMA || conn->state == POSTGRES_CONN_BUSY)
		take_answer(conn);
	if (conn->state == POSTGRES_CONN_IDLE)
		take_notifications(conn);
}

static void
time_is_up(void *arg)
{
	PostgresConn *conn = arg;

	switch (conn->state)
	{
		case POSTGRES_CONN_CLOSED:
		case POSTGRES_CONN_IDLE:
			break;
		case POSTGRES_CONN_RESOLVING:
			lose(conn, "could not look up its name: no answer");
			break;
		case POSTGRES_CONN_CONNECTING:
			lose(conn, "could not connect: no answer");
			break;
		case POSTGRES_CONN_SCHEMA:
			lose(conn, "no answer to a statement");
			break;
		case POSTGRES_CONN_BUSY:
			lose(conn, "no answer to a statement");
			conn->late = true;
			break;
		case POSTGRES_CONN_LOST:
			conn->state = POSTGRES_CONN_CLOSED;
			conn->closed(conn, conn->problem);
			break;
	}
}

void
postgres_conn_open(PostgresConn *conn)
{
	const char *host;

	conn->watch.ready = socket_ready;
	conn->watch.arg = conn;
	conn->timer.due = time_is_up;
	conn->timer.arg = conn;
	conn->lookup.done = take_addresses;
	conn->lookup.arg = conn;
	conn->late = false;
	if (given == NULL)
		given = PQconninfoParse(options()->database, NULL);
	if (given == NULL)
	{
		/* libpq's own words may repeat the password */
		lose(conn, "its url or conninfo cannot be read");
		return;
	}
	loop_after(&conn->timer, conn->connect_within);
	conn->lookup.count = 0;
	host = given_value("host");
	if (host_is_name(host))
	{
		conn->state = POSTGRES_CONN_RESOLVING;
		lookup_begin(&conn->lookup, host);
	}
	else
		begin_connect(conn);
}
