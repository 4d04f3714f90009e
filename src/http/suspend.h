/*
 * suspend.h
 *	  Requests that wait for an answer from elsewhere: libmicrohttpd lets them be until they have their reply.
 *
 * A handler suspends its request and returns MHD_YES.  Later the reply is queued as ever, and then the request resumed.  All
 * that are suspended must have been resumed before the server is closed.
 */
#ifndef CRYPTO_RT_HTTP_SUSPEND_H
#define CRYPTO_RT_HTTP_SUSPEND_H

#include <stdbool.h>

#include "request.h"

/*
 * Suspend a request.  When its client goes meanwhile, gone is called, and nothing else may be done with the request: it ends
 * without a reply.
 */
extern void suspend_request(Request *request, void (*gone)(void *arg), void *arg);

/* Its reply has been queued. */
extern void suspend_resume(Request *request);

/* It has ended; whether it was ever suspended or not. */
extern void suspend_forget(Request *request);

/* How many are suspended. */
extern int suspend_count(void);

#endif /* CRYPTO_RT_HTTP_SUSPEND_H */
