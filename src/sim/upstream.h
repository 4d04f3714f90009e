/*
 * upstream.h
 *	  Requests passed on to the real CoinLore, so that its answers can be recorded.
 *
 * Everything happens in the one thread: upstream_poll waits for these requests and for the caller's
 * descriptors alike, upstream_turn hands out what is done.
 */
#ifndef COINLORE_SIM_UPSTREAM_H
#define COINLORE_SIM_UPSTREAM_H

#include <poll.h>

#include "answer.h"

#define UPSTREAM_TIMEOUT_MS 30000L
#define UPSTREAM_BODY_MAX ((size_t) 32 << 20)

typedef struct Upstream Upstream;
typedef struct UpstreamFetch UpstreamFetch;

/* The answer, to be dropped by who is called; a failed request gives a 502 with real false. */
typedef void (*UpstreamDone)(void *context, Answer *answer, bool real);

/* url: scheme and host, with or without /api behind.  NULL: it is no such URL. */
extern Upstream *upstream_new(const char *url, const char *user_agent);
extern void upstream_free(Upstream *upstream);

extern UpstreamFetch *upstream_fetch(Upstream *upstream, const char *target, UpstreamDone done,
									 void *context);

/* Nobody is waiting for it any more: done will not be called. */
extern void upstream_cancel(UpstreamFetch *fetch);

/* Like poll(2). */
extern void upstream_poll(Upstream *upstream, struct pollfd *fds, unsigned count, int timeout_ms);
extern void upstream_turn(Upstream *upstream);

#endif /* COINLORE_SIM_UPSTREAM_H */
