/*
 * routes.h
 *	  What the daemon answers to.
 */
#ifndef CRYPTO_RT_HTTP_ROUTES_H
#define CRYPTO_RT_HTTP_ROUTES_H

#include "request.h"

/*
 * The route of a path (as sent, without the query), or NULL.  *symbol and *len are the segment that stands for {symbol}, still
 * percent-encoded, or the name of the dashboard's file.
 */
extern const Route *routes_find(const char *path, const char **symbol, size_t *len);

/* The pattern that is closest to a path which has no route, or NULL when nothing is close. */
extern const char *routes_near(const char *path);

/* All of them but the dashboard's files: the number, and each by its index. */
extern int routes_count(void);
extern const Route *routes_get(int i);

/* Whether a path is of a route that looks at the method itself. */
extern bool routes_any_method(const char *path);

/* For requests that have none. */
extern const Route routes_none;

#endif /* CRYPTO_RT_HTTP_ROUTES_H */
