/*
 * lookup.h
 *	  Names of hosts to addresses, without waiting for it.
 *
 * hiredis' and libpq's own ways to connect ask the name server and wait for its answer, which takes half a minute when it
 * has none.  Here it is asked in a thread of the C library's.
 */
#ifndef CRYPTO_RT_HTTP_LOOKUP_H
#define CRYPTO_RT_HTTP_LOOKUP_H

#include <stdbool.h>

#include "loop.h"

#define LOOKUP_ADDRESSES_MAX 8
#define LOOKUP_ADDRESS_SIZE 64

struct LookupRequest;

/* Always for the same host.  Zero it but for the first two. */
typedef struct Lookup
{
	/* the owner's */
	void (*done)(void *arg, const char *problem); /* NULL: there are addresses */
	void *arg;

	/* the lookup's; to be read once it is done */
	int count;
	char addresses[LOOKUP_ADDRESSES_MAX][LOOKUP_ADDRESS_SIZE]; /* as numbers */

	/* the lookup's */
	struct LookupRequest *request; /* that the thread has; NULL: none */
	bool wanted;
	LoopTimer timer;
} Lookup;

/* Ask.  done is called later, never from here; a name server that does not answer is waited for without an end. */
extern void lookup_begin(Lookup *lookup, const char *host);

/* The answer is not wanted any more. */
extern void lookup_cancel(Lookup *lookup);

#endif /* CRYPTO_RT_HTTP_LOOKUP_H */
