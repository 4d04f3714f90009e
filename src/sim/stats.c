/*
 * stats.c
 *	  See stats.h.
 */
#include "stats.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "memory.h"

static void
replace(char **kept, const char *now)
{
	if (*kept != NULL && now != NULL && strcmp(*kept, now) == 0)
		return;
	free(*kept);
	*kept = memory_dup(now);
}

void
stats_request(Stats *stats, const char *user_agent, const char *accept_encoding)
{
	stats->requests++;
	replace(&stats->last_user_agent, user_agent);
	replace(&stats->last_accept_encoding, accept_encoding);
}

void
stats_page(Stats *stats, int start)
{
	int at = 0;

	stats->tickers++;
	while (at < stats->page_count && stats->pages[at].start < start)
		at++;
	if (at == stats->page_count || stats->pages[at].start != start)
	{
		if (stats->page_count == STATS_PAGES_MAX)
			return;
		stats->pages = memory_grow(stats->pages, (size_t) (stats->page_count + 1) * sizeof(StatsPage));
		memmove(&stats->pages[at + 1], &stats->pages[at],
				(size_t) (stats->page_count - at) * sizeof(StatsPage));
		stats->pages[at] = (StatsPage){.start = start};
		stats->page_count++;
	}
	stats->pages[at].requests++;
	stats->pages[at].last_us = clock_unix_us();
}

void
stats_json(const Stats *stats, Text *text)
{
	text_format(text,
				"\"requests\":%llu,\"tickers\":%llu,\"errors\":%llu,\"connections_now\":%llu,\"connections_"
				"total\":%llu",
				(unsigned long long) stats->requests, (unsigned long long) stats->tickers,
				(unsigned long long) stats->errors, (unsigned long long) stats->connections_now,
				(unsigned long long) stats->connections_total);
	text_add(text, ",\"last_user_agent\":");
	text_json_string(text, stats->last_user_agent);
	text_add(text, ",\"last_accept_encoding\":");
	text_json_string(text, stats->last_accept_encoding);
	text_add(text, ",\"pages\":{");
	for (int i = 0; i < stats->page_count; i++)
		text_format(text, "%s\"%d\":{\"requests\":%llu,\"last_us\":%lld}", i > 0 ? "," : "",
					stats->pages[i].start, (unsigned long long) stats->pages[i].requests,
					(long long) stats->pages[i].last_us);
	text_add(text, "}");
}

void
stats_free(Stats *stats)
{
	free(stats->last_user_agent);
	free(stats->last_accept_encoding);
	free(stats->pages);
}
