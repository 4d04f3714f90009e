/*
 * rest_query.h
 *	  The query string of a request to /rest/v1, read: what PostgREST's dialect says in it, as a tree.
 *
 * No name in it is known to be one of the database's yet, and no value to be of a type: rest_sql asks the catalog.  All of it
 * lives in the arena that it was read into; strings are UTF-8 without NULs.
 */
#ifndef CRYPTO_RT_HTTP_REST_QUERY_H
#define CRYPTO_RT_HTTP_REST_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "rest_error.h"

#define REST_QUERY_PAIRS_MAX 500 /* of name=value */
#define REST_QUERY_FILTERS_MAX 200
#define REST_QUERY_ITEMS_MAX 500   /* columns to select, or to order by */
#define REST_QUERY_DEPTH_MAX 16    /* of and() and or(), and of steps into JSON */
#define REST_QUERY_VALUES_MAX 5000 /* of one in.() */

/* Into JSON: ->key, ->>key, ->0 */
typedef struct RestStep
{
	const char *key; /* or digits, perhaps with a minus */
	bool is_index;
	bool as_text; /* ->> */
} RestStep;

typedef struct RestField
{
	const char *name; /* of a column */
	int count;
	const RestStep *steps;
} RestField;

typedef struct RestSelect
{
	RestField field;
	const char *alias; /* NULL: none */
	const char *cast;  /* the name of a type; NULL: none */
	bool all;          /* *, and nothing else */
} RestSelect;

typedef enum RestOperator
{
	REST_EQ,
	REST_NEQ,
	REST_GT,
	REST_GTE,
	REST_LT,
	REST_LTE,
	REST_LIKE,
	REST_ILIKE,
	REST_MATCH,
	REST_IMATCH,
	REST_CS,
	REST_CD,
	REST_OV,
	REST_SL,
	REST_SR,
	REST_NXR,
	REST_NXL,
	REST_ADJ,
	REST_IN,
	REST_IS,
	REST_ISDISTINCT,
	REST_FTS,
	REST_PLFTS,
	REST_PHFTS,
	REST_WFTS,
	REST_OPERATORS
} RestOperator;

typedef enum RestQuantifier
{
	REST_ONE,
	REST_ANY,
	REST_ALL
} RestQuantifier;

typedef enum RestIs
{
	REST_IS_NULL,
	REST_IS_NOT_NULL,
	REST_IS_TRUE,
	REST_IS_FALSE,
	REST_IS_UNKNOWN
} RestIs;

typedef struct RestFilter
{
	RestField field;
	bool negated;
	RestOperator op;
	RestQuantifier quantifier;
	RestIs is;                 /* of REST_IS */
	const char *value;         /* of all but REST_IN and REST_IS */
	int count;                 /* of REST_IN */
	const char *const *values; /* of REST_IN */
	const char *config;        /* of full-text search; NULL: none */
} RestFilter;

/* A filter, or some that are joined. */
typedef struct RestLogic
{
	enum
	{
		REST_FILTER,
		REST_AND,
		REST_OR
	} kind;
	bool negated;            /* of REST_AND and REST_OR */
	RestFilter filter;       /* of REST_FILTER */
	struct RestLogic *first; /* of the others */
	struct RestLogic *next;  /* beside it */
} RestLogic;

typedef struct RestOrder
{
	RestField field;
	enum
	{
		REST_ORDER_DEFAULT,
		REST_ASC,
		REST_DESC
	} direction;
	enum
	{
		REST_NULLS_DEFAULT,
		REST_NULLS_FIRST,
		REST_NULLS_LAST
	} nulls;
} RestOrder;

typedef struct RestArgument
{
	const char *name;
	const char *value;
} RestArgument;

typedef struct RestQuery
{
	int select_count;
	const RestSelect *select; /* not NULL; of "select=" there are none, and each row is {} */
	RestLogic *filters;       /* all of them hold; NULL: none */
	int order_count;
	const RestOrder *order;
	int argument_count; /* of a function, as often as they were given */
	const RestArgument *arguments;
	const char *embedded; /* a related table that is selected; NULL: none */

	int64_t offset; /* 0 or more */
	int64_t limit;  /* -1: none */
	bool negative;  /* the limit is, which is an error of its own */

	/* while it is read */
	int filter_count;
	int select_room;
	int order_room;
	int argument_room;
} RestQuery;

/*
 * What the request is for.  What is no filter is an argument of a function that is called by GET, and an error otherwise.
 */
typedef enum RestQueryKind
{
	REST_QUERY_TABLE,
	REST_QUERY_CALL,   /* by GET */
	REST_QUERY_CALLED, /* by POST */
} RestQueryKind;

/* Read what stands behind the ?, percent-encoded; NULL: nothing.  false: *error says why. */
extern bool rest_query_read(RestQuery *query, RestQueryKind kind, const char *text, Arena *arena,
							RestError *error);

/*
 * Read name=value&…, as of a form, into arguments.  false: *error says why.
 */
extern bool rest_query_form(const char *text, size_t len, RestQuery *query, Arena *arena, RestError *error);

/* Whether len bytes are UTF-8 without a NUL. */
extern bool rest_query_is_utf8(const char *s, size_t len);

#endif /* CRYPTO_RT_HTTP_REST_QUERY_H */
