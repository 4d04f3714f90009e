/*
 * fetch.h
 *	  Fetching pages over HTTP without ever waiting: libcurl's multi interface on an epoll descriptor.
 *
 * The descriptor becomes readable whenever a transfer can go on, so the poller waits for its latch, for all
 * sockets and for the postmaster at once.
 */
#ifndef CRYPTO_RT_FETCH_H
#define CRYPTO_RT_FETCH_H

#include "postgres.h"

#define FETCH_MAX 8                      /* transfers under way */
#define FETCH_BODY_MAX (8 * 1024 * 1024) /* bytes, unpacked; a page has 37,100 */
#define FETCH_CONNECT_TIMEOUT 3000       /* ms */
#define FETCH_TIMEOUT 10000              /* ms, for all of it */
#define FETCH_ERROR_SIZE 200

typedef enum FetchVerdict
{
	FETCH_OK,          /* 200, and JSON by its Content-Type */
	FETCH_REFUSED,     /* 429, 403, 5xx: ask less often */
	FETCH_UNREACHABLE, /* no answer, or not a whole one */
	FETCH_UNUSABLE     /* an answer, but not what was asked for */
} FetchVerdict;

typedef struct FetchResult
{
	int page;
	FetchVerdict verdict;
	const char *body; /* FETCH_OK: valid until the next call of any function here */
	size_t len;
	bool simulated;    /* the answer says that it comes from the simulator */
	int64 retry_after; /* microseconds that the server asked us to wait; 0: it did not say */
	char error[FETCH_ERROR_SIZE];
} FetchResult;

extern void fetch_init(void);

/* Begin to fetch a page.  Only while fetch_in_flight() is below FETCH_MAX. */
extern void fetch_start(int page, const char *base_url);
extern int fetch_in_flight(void);

/* What to wait for: this descriptor to be readable, and this many milliseconds at most (-1: no limit). */
extern pgsocket fetch_descriptor(void);
extern long fetch_wait(void);

/* Let transfers go on as far as they can. */
extern void fetch_run(void);

/* Take the result of a transfer that has ended; false when there is none. */
extern bool fetch_next(FetchResult *result);

#endif /* CRYPTO_RT_FETCH_H */
