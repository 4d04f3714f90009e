/*
 * options.h
 *	  What the daemon is told by flags and environment; a flag wins over the environment.
 *
 * Read once at the start and constant afterwards.  Each flag --some-thing has a variable CRYPTO_RT_HTTP_SOME_THING.
 */
#ifndef CRYPTO_RT_HTTP_OPTIONS_H
#define CRYPTO_RT_HTTP_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "rest_jwt.h"

#define OPTIONS_VERSION "1.2" /* of the daemon */
#define OPTIONS_PROXIES_MAX 16
#define OPTIONS_ORIGINS_MAX 16
#define OPTIONS_SCHEMAS_MAX 16

/* Addresses that share their first bits.  IPv4 is kept as ::ffff:a.b.c.d, so that there is one kind. */
typedef struct Network
{
	struct in6_addr address;
	int bits; /* 0 to 128 */
} Network;

typedef struct Options
{
	/* where to listen */
	const char *listen_text;        /* 127.0.0.1:8080 */
	struct sockaddr_storage listen; /* the same, read; unused when a socket was passed by systemd */
	const char *tls_cert;           /* file; NULL: no TLS */
	const char *tls_key;
	const char *port_file; /* where the port is written; NULL: nowhere */

	/* where quotes come from */
	const char *redis_host; /* NULL: no Redis, or a unix socket */
	int redis_port;
	const char *redis_path;     /* unix socket; NULL: none */
	const char *redis_user;     /* NULL: none */
	const char *redis_password; /* NULL: none; never shown */
	int redis_database;
	const char *redis_shown;    /* for logs: host:port or path; NULL: no Redis */
	const char *database;       /* libpq's conninfo or url, holds a password perhaps; NULL: no PostgreSQL */
	const char *database_shown; /* for logs: database name, host and port; NULL: no PostgreSQL */
	int database_connections;   /* for queries, at the most */

	const char *web_dir; /* folder of the dashboard; NULL: the one that is compiled in */

	/* /rest/v1 */
	const char *rest_schemas[OPTIONS_SCHEMAS_MAX]; /* that are exposed; the first is the one that is meant */
	int rest_schema_count;
	const char *rest_role; /* of those who show no token; NULL: they are refused */
	int rest_max_rows;     /* of one reply; 0: no limit */
	RestJwtKey rest_jwt;

	/* limits */
	int max_connections;
	int max_connections_per_address;
	int max_streams_per_address;
	double rate; /* requests per second and address; 0: no limit */
	int burst;
	int max_header;     /* bytes of a request's line and headers */
	int max_url;        /* bytes of path and query */
	int header_timeout; /* seconds for the whole of it */

	Network trusted_proxies[OPTIONS_PROXIES_MAX];
	int trusted_proxy_count;

	/* who may read us in a browser */
	const char *cors_origins[OPTIONS_ORIGINS_MAX]; /* "*": everybody */
	int cors_origin_count;

	bool access_log;
	bool allow_root;
	bool quiet;
} Options;

/*
 * Read flags and environment.  Returns -1 to go on, or the exit code with which to end (0 after --help and --version, 2 after
 * a wrong flag, of which standard error has been told).
 */
extern int options_read(int argc, char **argv);

extern const Options *options(void);

/* Lower the limit on connections: the system has no room for as many. */
extern void options_fit(int connections);

/* Whether an address belongs to a network. */
extern bool options_network_has(const Network *network, const struct in6_addr *address);

#endif /* CRYPTO_RT_HTTP_OPTIONS_H */
