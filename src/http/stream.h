/*
 * stream.h
 *	  Server-sent events: /api/v1/crypto/stream.
 *
 * Clients that ask for the same share a subscription, and its frames.  A frame goes out at once when a quote changes, at most
 * once a second for a subscription.  A client that lags gets the newest, not what it missed in between.
 */
#ifndef CRYPTO_RT_HTTP_STREAM_H
#define CRYPTO_RT_HTTP_STREAM_H

#include "request.h"

extern void stream_init(void);

extern enum MHD_Result stream_open(Request *request);

/* End all streams with a retry: hint; their connections close when it has been sent. */
extern void stream_end_all(void);

typedef struct StreamCounts
{
	int open;
	int subscriptions;  /* different ones */
	uint64_t opened;    /* so far */
	uint64_t frames;    /* sent so far, to one client each */
	uint64_t bytes;     /* sent so far */
	uint64_t conflated; /* frames that slow clients were not sent, since there was a newer one */
	uint64_t stalled;   /* closed because they did not read */
} StreamCounts;

extern StreamCounts stream_counts(void);

#endif /* CRYPTO_RT_HTTP_STREAM_H */
