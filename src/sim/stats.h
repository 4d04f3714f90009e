/*
 * stats.h
 *	  What was asked for, for tests to look at.  Requests to /sim/ do not count.
 */
#ifndef COINLORE_SIM_STATS_H
#define COINLORE_SIM_STATS_H

#include <stdint.h>

#include "text.h"

#define STATS_PAGES_MAX 2048 /* different starts that are told apart */

typedef struct StatsPage
{
	int start;
	uint64_t requests;
	int64_t last_us; /* unix microseconds */
} StatsPage;

typedef struct Stats
{
	uint64_t requests;
	uint64_t tickers;
	uint64_t errors; /* answers hit by a fault other than latency, and those with a status from 400 up */
	uint64_t connections_now;
	uint64_t connections_total;
	char *last_user_agent; /* NULL: none was sent */
	char *last_accept_encoding;
	StatsPage *pages; /* by start */
	int page_count;
} Stats;

extern void stats_request(Stats *stats, const char *user_agent, const char *accept_encoding);
extern void stats_page(Stats *stats, int start);

/* The JSON fields of all that, without braces. */
extern void stats_json(const Stats *stats, Text *text);

extern void stats_free(Stats *stats);

#endif /* COINLORE_SIM_STATS_H */
