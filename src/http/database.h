/*
 * database.h
 *	  Queries of the PostgreSQL that options() names: a small pool of connections, and a queue before it.
 *
 * A query is a prepared statement, which each connection prepares when it first meets it.  Others may go before it, in the same
 * transaction and on the same way to the server.  Connections read only; they are made when they are needed, up to
 * options()->database_connections, and closed after a minute in which they were not.
 *
 * A query that is answered by a broken connection, or by one on which its statement has become invalid, is asked once more.
 */
#ifndef CRYPTO_RT_HTTP_DATABASE_H
#define CRYPTO_RT_HTTP_DATABASE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#define DATABASE_QUEUE_MAX 256
#define DATABASE_SECONDS 5 /* for which a query waits for a connection, and then may run */

#define DATABASE_BEFORE_MAX 2

typedef struct DatabaseStatement
{
	const char *text;          /* @extschema@ in it becomes the extension's schema, quoted */
	int count;                 /* of values */
	const char *const *values; /* for $1 and so on; NULL is NULL */
} DatabaseStatement;

typedef struct DatabaseQuery
{
	const char *name; /* for the log; statements of different names are different ones */
	const char *text; /* this and the next two: as of a DatabaseStatement */
	int count;
	const char *const *values;
	bool unlogged; /* whoever asks logs what the server refuses */

	/* what goes before it */
	int before_count; /* up to DATABASE_BEFORE_MAX */
	const DatabaseStatement *before;
	void (*take)(void *arg, int index, const PGresult *rows); /* of those; NULL: they are not wanted */

	bool of_client; /* it was made for a client, whose errors say nothing of our connections */
} DatabaseQuery;

typedef enum DatabaseOutcome
{
	DATABASE_OK,
	DATABASE_FAILED,       /* the server refuses the statement */
	DATABASE_NO_EXTENSION, /* or there is no such function: the extension is not there, or too old */
	DATABASE_LATE,      /* no connection was free, or no answer came, in time; or the server has ended it */
	DATABASE_FULL,      /* the queue is */
	DATABASE_AWAY,      /* there is no connection to be had */
	DATABASE_NONE,      /* none is configured */
	DATABASE_STOPPING,  /* we are */
	DATABASE_CANCELLED, /* counted, but told to nobody */
	DATABASE_OUTCOMES
} DatabaseOutcome;

/*
 * What is told of a query, later: from the loop, or from database_stop().  result holds the rows of DATABASE_OK or the error of
 * DATABASE_FAILED, DATABASE_NO_EXTENSION, and of DATABASE_LATE when it was the server that ended it, until done returns; otherwise
 * it is NULL.
 */
typedef void (*DatabaseDone)(void *arg, DatabaseOutcome outcome, const PGresult *result);

typedef struct DatabaseWait DatabaseWait;

extern void database_init(void);

/*
 * Ask.  What the query points to is copied.  Returns a handle, which is good until done is called; or NULL, when the query is not
 * taken in, and *refused says why.
 */
extern DatabaseWait *database_query(const DatabaseQuery *query, DatabaseDone done, void *arg,
									DatabaseOutcome *refused);

/* The answer is not wanted any more: done is not called.  A statement that runs already runs to its end. */
extern void database_cancel(DatabaseWait *wait);

/* Tell all who wait that we stop, and close all connections; from now on queries are refused. */
extern void database_stop(void);

/* For metrics. */
typedef struct DatabaseCounts
{
	uint64_t queries[DATABASE_OUTCOMES]; /* that have ended so */
	uint64_t connects;
	int opening; /* connections */
	int idle;
	int busy;
	int queued; /* queries that wait for one */
} DatabaseCounts;

extern DatabaseCounts database_counts(void);

/* ok, failed and so on: for metrics. */
extern const char *database_outcome_name(DatabaseOutcome outcome);

#endif /* CRYPTO_RT_HTTP_DATABASE_H */
