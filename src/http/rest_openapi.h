/*
 * rest_openapi.h
 *	  What is exposed at /rest/v1, as OpenAPI 2.0 (Swagger), in the way of PostgREST.
 */
#ifndef CRYPTO_RT_HTTP_REST_OPENAPI_H
#define CRYPTO_RT_HTTP_REST_OPENAPI_H

#include <libpq-fe.h>

#include "rest_catalog.h"
#include "text.h"

/* The statement that asks what its role may read or call in a schema, $1: oids, in one column. */
extern const char *rest_openapi_query(void);

/* Of a schema, those things that are among the statement's rows.  host may be NULL. */
extern void rest_openapi_write(Text *text, const RestCatalog *catalog, const char *schema,
							   const PGresult *allowed, const char *host, bool tls, bool tokens);

#endif /* CRYPTO_RT_HTTP_REST_OPENAPI_H */
