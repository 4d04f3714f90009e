/*
 * rest_listen.h
 *	  Keeps the catalog of /rest/v1 up to date: a connection of its own, which listens.
 *
 * The catalog is read when the connection is made, when somebody says NOTIFY crypto_rt, 'reload schema', and when we are told to.
 * Until a new one is there, the old one serves.
 */
#ifndef CRYPTO_RT_HTTP_REST_LISTEN_H
#define CRYPTO_RT_HTTP_REST_LISTEN_H

#include <stdint.h>

#include "rest_catalog.h"

/* Connect, if there is a database. */
extern void rest_listen_start(void);

/* Read the catalog anew: SIGHUP. */
extern void rest_listen_reload(void);

extern void rest_listen_stop(void);

/* The catalog, until the loop's next turn; NULL: there is none yet. */
extern const RestCatalog *rest_listen_catalog(void);

/* How often it has been read, for those who keep what they made of it. */
extern uint64_t rest_listen_version(void);

#endif /* CRYPTO_RT_HTTP_REST_LISTEN_H */
