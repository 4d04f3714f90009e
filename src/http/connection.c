/*
 * connection.c
 *	  See connection.h.
 *
 * All connections in one state wait equally long, so each state's list is in the order of its deadlines, and a sweep looks at
 * the heads only.  To end a connection is to shut its socket down: libmicrohttpd sees that and closes it.
 */
#include "connection.h"

#include <sys/socket.h>

#include "limiter.h"
#include "loop.h"
#include "memory.h"
#include "metrics.h"
#include "options.h"

#define PAUSE_MAX (75 * LOOP_SECOND) /* between two requests */

typedef struct List
{
	Connection *first;
	Connection *last;
} List;

static List lists[CONNECTION_STATES];
static int count;
static bool ending;
static int64_t looked_at; /* at those that pause */

static void
append(Connection *c, ConnectionState state)
{
	List *list = &lists[state];

	c->state = state;
	c->next = NULL;
	c->previous = list->last;
	if (list->last != NULL)
		list->last->next = c;
	else
		list->first = c;
	list->last = c;
}

static void
take_out(Connection *c)
{
	List *list = &lists[c->state];

	*(c->previous != NULL ? &c->previous->next : &list->first) = c->next;
	*(c->next != NULL ? &c->next->previous : &list->last) = c->previous;
}

/* One kind of address for all: IPv4 becomes ::ffff:a.b.c.d, and a unix socket ::1. */
static struct in6_addr
address_of(const struct sockaddr *from)
{
	struct in6_addr address = IN6ADDR_LOOPBACK_INIT;

	if (from != NULL && from->sa_family == AF_INET6)
		address = ((const struct sockaddr_in6 *) from)->sin6_addr;
	else if (from != NULL && from->sa_family == AF_INET)
	{
		memset(&address, 0, sizeof(address));
		memset(address.s6_addr + 10, 0xff, 2);
		memcpy(address.s6_addr + 12, &((const struct sockaddr_in *) from)->sin_addr, 4);
	}
	return address;
}

static bool
is_trusted_proxy(const struct in6_addr *address)
{
	for (int i = 0; i < options()->trusted_proxy_count; i++)
		if (options_network_has(&options()->trusted_proxies[i], address))
			return true;
	return false;
}

static void
begin(struct MHD_Connection *connection, void **context)
{
	Connection *c = memory_get(sizeof(Connection));

	c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	c->address =
		address_of(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	c->trusted = is_trusted_proxy(&c->address);
	/* a proxy connects for many */
	c->refused = !c->trusted && !limiter_take(LIMITER_CONNECTIONS, &c->address);
	append(c, CONNECTION_HEADER);
	c->deadline = loop_now() + options()->header_timeout * LOOP_SECOND;
	count++;
	metrics_connections(1);
	*context = c;
}

static void
end(void **context)
{
	Connection *c = *context;

	if (c == NULL)
		return;
	if (!c->trusted && !c->refused)
		limiter_give(LIMITER_CONNECTIONS, &c->address);
	take_out(c);
	free(c);
	*context = NULL;
	count--;
	metrics_connections(-1);
}

void
connection_notify(void *cls, struct MHD_Connection *connection, void **context,
				  enum MHD_ConnectionNotificationCode what)
{
	(void) cls;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		begin(connection, context);
	else
		end(context);
}

Connection *
connection_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void
connection_enter(Connection *c, ConnectionState state)
{
	if (c->state == state)
		return;
	take_out(c);
	append(c, state);
	if (state == CONNECTION_HEADER)
		c->deadline = loop_now() + options()->header_timeout * LOOP_SECOND;
	else
		c->deadline = state == CONNECTION_PAUSE ? loop_now() + PAUSE_MAX : LOOP_NEVER;
	if (ending && state == CONNECTION_PAUSE)
		shutdown(c->fd, SHUT_RDWR);
}

int
connection_count(void)
{
	return count;
}

/*
 * End those that pause and whose client has closed its side.  libmicrohttpd reads on only after an edge, and has none left when
 * that end came together with the request.  Each is looked at once, in the sweep that follows its request.
 */
static void
end_half_closed(void)
{
	char byte;

	for (Connection *c = lists[CONNECTION_PAUSE].last; c != NULL && c->deadline >= looked_at + PAUSE_MAX;
		 c = c->previous)
		if (recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
			shutdown(c->fd, SHUT_RDWR);
	looked_at = loop_now();
}

void
connection_sweep(void)
{
	for (int state = 0; state < CONNECTION_STATES; state++)
		for (Connection *c = lists[state].first; c != NULL && c->deadline <= loop_now(); c = c->next)
			shutdown(c->fd, SHUT_RDWR);
	end_half_closed();
}

void
connection_end_all(void)
{
	ending = true;
	for (int state = 0; state < CONNECTION_STATES; state++)
		for (Connection *c = lists[state].first; state != CONNECTION_REQUEST && c != NULL; c = c->next)
			shutdown(c->fd, SHUT_RDWR);
}
