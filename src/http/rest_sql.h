/*
 * rest_sql.h
 *	  From what a request asks for, and the catalog, to SQL.
 *
 * Names in a text are the catalog's own, quoted by PostgreSQL; all that comes of the request is a parameter.  So there is one text
 * for all requests of a shape, and nothing that is in a request can be taken for SQL.
 */
#ifndef CRYPTO_RT_HTTP_REST_SQL_H
#define CRYPTO_RT_HTTP_REST_SQL_H

#include "rest_call.h"
#include "rest_catalog.h"
#include "rest_headers.h"
#include "rest_query.h"

#define REST_SQL_BODY_MAX (32 << 20) /* bytes */

/* What is wanted of a relation or of a function's result. */
typedef struct RestSqlWish
{
	const RestCatalog *catalog;
	const RestQuery *query;
	const RestHeaders *headers;
	int64_t offset;
	int64_t limit;      /* rows that are returned; -1: all */
	int64_t count_most; /* rows that an estimated count counts, before it takes the plan's word; 0: all */
	bool bare;          /* no body: HEAD */
} RestSqlWish;

/* In the arena. */
typedef struct RestSqlStatement
{
	const char *text; /* NULL: there is none */
	int count;
	const char **values;
} RestSqlStatement;

/* The columns of the one row that the query returns. */
enum
{
	REST_SQL_TOTAL, /* NULL: not counted */
	REST_SQL_ROWS,
	REST_SQL_BODY /* NULL: it would be larger than REST_SQL_BODY_MAX, or none was wanted */
};

typedef struct RestSql
{
	RestSqlStatement query;
	RestSqlStatement plan; /* what the planner expects, as EXPLAIN's JSON */
	const char *csv_head;  /* the first line of CSV; NULL: it is none */
} RestSql;

/* false: *error says why. */
extern bool rest_sql_read(RestSql *sql, const RestSqlWish *wish, const RestRelation *relation, Arena *arena,
						  RestError *error);
extern bool rest_sql_call(RestSql *sql, const RestSqlWish *wish, const RestCall *call, Arena *arena,
						  RestError *error);

#endif /* CRYPTO_RT_HTTP_REST_SQL_H */
