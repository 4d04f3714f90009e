/*
 * postgres_conn.h
 *	  One connection to the PostgreSQL that options() names, which never waits for anything.
 *
 * What all users of the database share: the host's name is looked up aside, the connection reads only, and it knows in which
 * schema the extension is.  One statement at a time, or one pipeline of them.
 *
 * None of these functions calls the owner: whatever happens is told later, from the loop.
 */
#ifndef CRYPTO_RT_HTTP_POSTGRES_CONN_H
#define CRYPTO_RT_HTTP_POSTGRES_CONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "lookup.h"
#include "loop.h"

#define POSTGRES_CONN_PROBLEM_SIZE 256

typedef enum PostgresConnState
{
	POSTGRES_CONN_CLOSED,     /* to RESOLVING, CONNECTING or LOST */
	POSTGRES_CONN_RESOLVING,  /* the host's name is looked up; to CONNECTING or LOST */
	POSTGRES_CONN_CONNECTING, /* to SCHEMA or LOST */
	POSTGRES_CONN_SCHEMA,     /* asks where the extension is; to IDLE or LOST */
	POSTGRES_CONN_IDLE,       /* takes a statement; to BUSY or LOST */
	POSTGRES_CONN_BUSY,       /* runs one; to IDLE or LOST */
	POSTGRES_CONN_LOST        /* the owner has not been told yet; to CLOSED */
} PostgresConnState;

/* Zero it but for the owner's part.  All of the owner's functions may close the connection. */
typedef struct PostgresConn
{
	/* the owner's */
	const char *settings;   /* the server's, for this connection: "-c statement_timeout=5s" */
	int64_t connect_within; /* microseconds, the lookup included */
	int64_t answer_within;  /* from one part of an answer to the next */
	void (*ready)(struct PostgresConn *conn);
	void (*take)(struct PostgresConn *conn, PGresult *result); /* who clears it */
	void (*taken)(struct PostgresConn *conn);                  /* all that had arrived; NULL: nothing to do */
	void (*answered)(struct PostgresConn *conn);               /* the whole of it; it is IDLE again */
	void (*closed)(struct PostgresConn *conn, const char *why);       /* by itself: lost, or never there */
	void (*notified)(struct PostgresConn *conn, const char *payload); /* while IDLE; NULL: nothing to do */

	/* the connection's; the owner may read them */
	PostgresConnState state;
	PGconn *pg;
	char *schema; /* the extension's, quoted, once it is IDLE; NULL: there is no extension */
	bool late;    /* in closed: an answer did not come in time */

	/* the connection's */
	LoopWatch watch;
	LoopTimer timer; /* the deadline of its state */
	Lookup lookup;
	char problem[POSTGRES_CONN_PROBLEM_SIZE];
	bool in_pipeline;
	bool sent; /* libpq has taken all of the pipeline until now */
} PostgresConn;

/* Begin to connect; only while CLOSED. */
extern void postgres_conn_open(PostgresConn *conn);

/* At any time; closed is not called. */
extern void postgres_conn_close(PostgresConn *conn);

/* Send a statement; only while IDLE.  Its rows come one by one, if they are to. */
extern void postgres_conn_ask(PostgresConn *conn, const char *sql, int count, const char *const *values,
							  bool one_by_one);

/*
 * A pipeline: statements that are sent together, in one transaction, and answered in their order.  begin, while IDLE; then any
 * number of the others; then end.  Each has one result, which of those behind one that failed is PGRES_PIPELINE_ABORTED.
 */
extern void postgres_conn_begin(PostgresConn *conn);
extern void postgres_conn_add(PostgresConn *conn, const char *sql);
extern void postgres_conn_add_prepare(PostgresConn *conn, const char *name, const char *sql);
extern void postgres_conn_add_run(PostgresConn *conn, const char *name, int count, const char *const *values);
extern void postgres_conn_end(PostgresConn *conn);

/* What an error says, in one line, fit for the log. */
extern void postgres_conn_explain(const PGresult *result, char *buf, size_t size);

#endif /* CRYPTO_RT_HTTP_POSTGRES_CONN_H */
