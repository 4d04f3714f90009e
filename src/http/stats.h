/*
 * stats.h
 *	  /api/v1/crypto/stats: how the quotes, the streams, the feed, the daemon and the extension do, as JSON.
 *
 * A reply is kept for a second.  ?history=true adds the samples of the last hour.
 */
#ifndef CRYPTO_RT_HTTP_STATS_H
#define CRYPTO_RT_HTTP_STATS_H

#include "request.h"

/* The daemon's uptime counts from here. */
extern void stats_init(void);

extern enum MHD_Result stats_show(Request *request);

#endif /* CRYPTO_RT_HTTP_STATS_H */
