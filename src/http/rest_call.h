/*
 * rest_call.h
 *	  Which function a request to /rest/v1/rpc calls, and with what: by its name and the names of the arguments.
 */
#ifndef CRYPTO_RT_HTTP_REST_CALL_H
#define CRYPTO_RT_HTTP_REST_CALL_H

#include "rest_catalog.h"
#include "rest_query.h"

/* What a body is, by its Content-Type. */
typedef enum RestBodyKind
{
	REST_BODY_NONE, /* the request is a GET: arguments are in the query string */
	REST_BODY_JSON,
	REST_BODY_FORM,
	REST_BODY_TEXT,
	REST_BODY_XML,
	REST_BODY_BYTES
} RestBodyKind;

typedef struct RestBody
{
	RestBodyKind kind;
	const char *bytes; /* and a NUL */
	size_t len;
} RestBody;

typedef struct RestCall
{
	const RestFunction *function;
	enum
	{
		REST_CALL_VALUES, /* each argument for itself */
		REST_CALL_JSON,   /* members of an object, which PostgreSQL takes apart */
		REST_CALL_WHOLE   /* the body is the only argument, which has no name */
	} how;
	int count;
	const RestParameter *const *parameters; /* that are given */
	const char *const *values;              /* of REST_CALL_VALUES; of a variadic one an array */
	const char *body;                       /* of the others */
} RestCall;

/* The kind of a body by its Content-Type (NULL: JSON); false: it is none that can be read. */
extern bool rest_call_body_kind(const char *content_type, RestBodyKind *kind, Arena *arena, RestError *error);

/*
 * Choose.  The query's arguments are the function's, unless there is a body.  false: *error says why.  What the call points to is
 * the catalog's and the arena's.
 */
extern bool rest_call_choose(RestCall *call, const RestCatalog *catalog, const char *schema, const char *name,
							 RestQuery *query, const RestBody *body, Arena *arena, RestError *error);

/* An array as PostgreSQL reads it: {"a","b"} */
extern const char *rest_call_array(int count, const char *const *values, Arena *arena);

#endif /* CRYPTO_RT_HTTP_REST_CALL_H */
