/*
 * rest.h
 *	  /rest/v1: PostgREST's read dialect over what the database exposes.
 *
 *	  rest ── rest_jwt        who asks
 *	       ├─ rest_query, rest_headers   what is asked for (rest_syntax, rest_reader: the grammar)
 *	       ├─ rest_catalog    what there is (rest_listen keeps it up to date)
 *	       ├─ rest_call       which function it is
 *	       ├─ rest_sql        SQL of it all (rest_filter: the conditions)
 *	       ├─ database        asks
 *	       └─ rest_openapi    tells what there is; rest_error: what went wrong
 */
#ifndef CRYPTO_RT_HTTP_REST_H
#define CRYPTO_RT_HTTP_REST_H

#include "request.h"

#define REST_PREFIX "/rest/v1"

extern enum MHD_Result rest_root(Request *request);     /* /rest/v1 */
extern enum MHD_Result rest_table(Request *request);    /* /rest/v1/{table} */
extern enum MHD_Result rest_function(Request *request); /* /rest/v1/rpc/{function} */
extern enum MHD_Result rest_unknown(Request *request);  /* what else there is below */

#endif /* CRYPTO_RT_HTTP_REST_H */
