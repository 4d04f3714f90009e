/*
 * rest_catalog_take.h
 *	  The catalog of /rest/v1, from PostgreSQL's own.
 */
#ifndef CRYPTO_RT_HTTP_REST_CATALOG_TAKE_H
#define CRYPTO_RT_HTTP_REST_CATALOG_TAKE_H

#include <libpq-fe.h>

#include "rest_catalog.h"

/* The statement that asks for it; $1 is an array of the names of schemas.  search_path is to be pg_catalog. */
extern const char *rest_catalog_take_query(void);

/* A catalog of the statement's rows, for rest_catalog_free. */
extern RestCatalog *rest_catalog_take(const PGresult *rows);

#endif /* CRYPTO_RT_HTTP_REST_CATALOG_TAKE_H */
