/*
 * lookup.c
 *	  See lookup.h.
 *
 * The thread is getaddrinfo_a's.  It takes no signal of ours, and touches nothing but its request.  A request cannot be
 * taken back: the next lookup waits for it, which does no harm since it is for the same host.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* getaddrinfo_a */
#endif
#include "lookup.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "memory.h"

#define LOOK (LOOP_SECOND / 50) /* from one look at the request to the next */

typedef struct LookupRequest
{
	struct gaicb control;
	struct addrinfo hints;
	char host[];
} LookupRequest;

static void
keep_addresses(Lookup *lookup, const struct addrinfo *found)
{
	lookup->count = 0;
	for (; found != NULL && lookup->count < LOOKUP_ADDRESSES_MAX; found = found->ai_next)
		if (getnameinfo(found->ai_addr, found->ai_addrlen, lookup->addresses[lookup->count],
						LOOKUP_ADDRESS_SIZE, NULL, 0, NI_NUMERICHOST) == 0)
			lookup->count++;
}

/* A host that is an address already. */
static bool
read_number(Lookup *lookup, const char *host)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST,
	};
	struct addrinfo *found;

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	keep_addresses(lookup, found);
	freeaddrinfo(found);
	return true;
}

/* Returns getaddrinfo_a's error, or 0. */
static int
send_request(Lookup *lookup, const char *host)
{
	LookupRequest *request = memory_get(sizeof(LookupRequest) + strlen(host) + 1);
	struct gaicb *list[] = {&request->control};
	sigset_t all;
	sigset_t before;
	int error;

	strcpy(request->host, host);
	request->hints.ai_family = AF_UNSPEC;
	request->hints.ai_socktype = SOCK_STREAM;
	request->control.ar_name = request->host;
	request->control.ar_request = &request->hints;

	/* the thread begins with the signals that are blocked here */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		free(request);
	else
		lookup->request = request;
	return error;
}

/* Returns EAI_INPROGRESS, the error, or 0. */
static int
take_answer(Lookup *lookup)
{
	LookupRequest *request = lookup->request;
	int error = gai_error(&request->control);

	if (error == EAI_INPROGRESS)
		return error;
	if (error == 0)
	{
		keep_addresses(lookup, request->control.ar_result);
		freeaddrinfo(request->control.ar_result);
	}
	free(request);
	lookup->request = NULL;
	return error;
}

static void
look(void *arg)
{
	Lookup *lookup = arg;
	int error = lookup->request != NULL ? take_answer(lookup) : 0;

	if (error == EAI_INPROGRESS)
	{
		loop_after(&lookup->timer, LOOK);
		return;
	}
	if (!lookup->wanted)
		return;
	lookup->wanted = false;
	if (error == 0 && lookup->count == 0)
		error = EAI_NONAME;
	lookup->done(lookup->arg, error != 0 ? gai_strerror(error) : NULL);
}

void
lookup_begin(Lookup *lookup, const char *host)
{
	lookup->timer.due = look;
	lookup->timer.arg = lookup;
	lookup->wanted = true;
	if (lookup->request == NULL)
	{
		lookup->count = 0;
		/* without an address and a request, look() says that there is none */
		if (!read_number(lookup, host))
			(void) send_request(lookup, host);
	}
	loop_after(&lookup->timer, lookup->request != NULL ? LOOK / 10 : 0);
}

void
lookup_cancel(Lookup *lookup)
{
	lookup->wanted = false;
	loop_at(&lookup->timer, LOOP_NEVER);
}
