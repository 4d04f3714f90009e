/*
 * connection.h
 *	  The connections that are open: whose they are, and until when they may be silent.
 *
 * libmicrohttpd knows only how long a connection has been idle, and a client that drips a byte now and then never is.  So
 * each connection has a deadline for what it is in: the whole header of a request, or the pause until the next one.  While a
 * request is answered it has none; there libmicrohttpd's idle time and the stream's own rules hold.
 */
#ifndef CRYPTO_RT_HTTP_CONNECTION_H
#define CRYPTO_RT_HTTP_CONNECTION_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>

typedef enum ConnectionState
{
	CONNECTION_HEADER,  /* a request has begun, or the first one is awaited */
	CONNECTION_REQUEST, /* it is answered */
	CONNECTION_PAUSE,   /* between two requests */
	CONNECTION_STATES
} ConnectionState;

typedef struct Connection
{
	int fd;
	struct in6_addr address; /* of the peer; IPv4 as ::ffff:a.b.c.d */
	bool trusted;            /* it is a proxy whose X-Forwarded-For is believed */
	bool refused;            /* its address has enough of them */
	void *request;           /* server.c's: the one that has begun and not ended; NULL: none */

	/* connection.c's */
	ConnectionState state;
	int64_t deadline;
	struct Connection *previous; /* in the list of its state, the oldest first */
	struct Connection *next;
} Connection;

/* For MHD_OPTION_NOTIFY_CONNECTION. */
extern void connection_notify(void *cls, struct MHD_Connection *connection, void **context,
							  enum MHD_ConnectionNotificationCode what);

extern Connection *connection_of(struct MHD_Connection *connection);

extern void connection_enter(Connection *connection, ConnectionState state);

/* How many are open. */
extern int connection_count(void);

/* End those whose deadline is over, or whose client has closed its side and has had its reply. */
extern void connection_sweep(void);

/* From now on a connection ends with the request that it is in; those that are in none end now. */
extern void connection_end_all(void);

#endif /* CRYPTO_RT_HTTP_CONNECTION_H */
