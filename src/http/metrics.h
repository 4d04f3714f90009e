/*
 * metrics.h
 *	  Counts and durations, in Prometheus' text format.
 */
#ifndef CRYPTO_RT_HTTP_METRICS_H
#define CRYPTO_RT_HTTP_METRICS_H

#include "request.h"

/* A request has been answered, or its client has gone (status 0 counts as 499). */
extern void metrics_request(const Request *request, int64_t us);

/* Connections that are open. */
extern void metrics_connections(int change);

/* The sums of it all. */
typedef struct MetricsCounts
{
	uint64_t requests;      /* that have ended */
	uint64_t client_errors; /* of these, answered with 400 to 498 */
	uint64_t server_errors; /* with 500 or more */
	int connections;        /* that are open */
} MetricsCounts;

extern MetricsCounts metrics_counts(void);

extern enum MHD_Result metrics_show(Request *request);   /* /metrics */
extern enum MHD_Result metrics_health(Request *request); /* /healthz: 200 as long as we answer */
extern enum MHD_Result
metrics_ready(Request *request); /* /readyz: 200 with quotes, the freshest younger than a minute */

#endif /* CRYPTO_RT_HTTP_METRICS_H */
