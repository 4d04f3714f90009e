/*
 * limiter.h
 *	  How much one address may ask for: connections, streams, requests per second.
 *
 * An IPv6 client has a /64 to itself, so that is what counts as an address there.  Memory is bounded: addresses that have
 * nothing open and a full bucket are forgotten.
 */
#ifndef CRYPTO_RT_HTTP_LIMITER_H
#define CRYPTO_RT_HTTP_LIMITER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum LimiterKind
{
	LIMITER_CONNECTIONS,
	LIMITER_STREAMS,
	LIMITER_REQUESTS,
	LIMITER_KINDS
} LimiterKind;

/* Take a connection or a stream of an address; false: it has its share already.  What was taken is given back. */
extern bool limiter_take(LimiterKind kind, const struct in6_addr *address);
extern void limiter_give(LimiterKind kind, const struct in6_addr *address);

/* Ask for one request.  0: go on; otherwise the seconds to wait, at least 1. */
extern int limiter_request(const struct in6_addr *address, int64_t now);

/* Refused so far, for metrics. */
extern uint64_t limiter_refused(LimiterKind kind);

/* Addresses that are remembered. */
extern int limiter_addresses(void);

#endif /* CRYPTO_RT_HTTP_LIMITER_H */
