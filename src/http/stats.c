/*
 * stats.c
 *	  See stats.h.
 */
#include "stats.h"

#include <inttypes.h>
#include <string.h>

#include "extension_status.h"
#include "feed.h"
#include "limiter.h"
#include "loop.h"
#include "metrics.h"
#include "options.h"
#include "process.h"
#include "quotes.h"
#include "reply_cache.h"
#include "samples.h"
#include "stream.h"
#include "text.h"
#include "../core/quote.h"

#define KEPT_FOR 1 /* seconds */

static int64_t started_at;

/*
 * The quotes.
 */

typedef struct TierStats
{
	int coins;
	int stale;
	int32_t interval; /* seconds; the shortest of its quotes */
	int64_t freshest; /* age in seconds */
	int64_t oldest;
} TierStats;

static void
count_quote(TierStats *tier, const HeldQuote *quote)
{
	int64_t age = quotes_age(quote);

	if (tier->coins == 0 || age < tier->freshest)
		tier->freshest = age;
	if (tier->coins == 0 || quote->interval < tier->interval)
		tier->interval = quote->interval;
	if (age > tier->oldest)
		tier->oldest = age;
	tier->coins++;
	tier->stale += quotes_stale(quote);
}

static void
write_tiers(Text *text, const TierStats *tiers)
{
	const char *comma = "";

	text_string(text, ",\"tiers\":[");
	for (int n = 1; n <= QUOTES_TIERS_MAX; n++)
	{
		const TierStats *tier = &tiers[n % QUOTES_TIERS_MAX]; /* the unknown one is the last */

		if (tier->coins == 0)
			continue;
		if (n < QUOTES_TIERS_MAX)
			text_format(text, "%s{\"tier\":\"tier%d\"", comma, n);
		else
			text_format(text, "%s{\"tier\":\"unknown\"", comma);
		text_format(text,
					",\"coins\":%d,\"interval\":%d,\"freshest_age_seconds\":%" PRId64
					",\"oldest_age_seconds\":%" PRId64 "}",
					tier->coins, tier->interval, tier->freshest, tier->oldest);
		comma = ",";
	}
	text_string(text, "]");
}

static void
write_freshest(Text *text)
{
	char time[QUOTE_TIME_SIZE];
	int64_t freshest = quotes_freshest(0);
	int64_t age = (loop_unix() - freshest) / LOOP_SECOND;

	if (quotes_count(0) == 0)
	{
		text_string(text, ",\"last_update\":null,\"age_seconds\":null");
		return;
	}
	quote_time(freshest, time);
	text_format(text, ",\"last_update\":\"%s\",\"age_seconds\":%" PRId64, time, age > 0 ? age : 0);
}

static void
write_quotes(Text *text)
{
	TierStats tiers[QUOTES_TIERS_MAX] = {0};
	int total;
	HeldQuote *const *quotes = quotes_ranked(&total);
	bool simulated = false;
	int stale = 0;

	for (int i = 0; i < total; i++)
	{
		count_quote(&tiers[quotes[i]->tier], quotes[i]);
		simulated |= quotes[i]->simulated;
	}
	for (int i = 0; i < QUOTES_TIERS_MAX; i++)
		stale += tiers[i].stale;
	text_format(text, ",\"total_coins\":%d,\"fresh_coins\":%d,\"stale_coins\":%d,\"simulated\":%s", total,
				total - stale, stale, simulated ? "true" : "false");
	write_freshest(text);
	write_tiers(text, tiers);
}

/*
 * All the rest.
 */

static void
write_streams(Text *text)
{
	StreamCounts counts = stream_counts();

	text_format(text,
				",\"streams\":{\"open\":%d,\"subscriptions\":%d,\"opened\":%" PRIu64 ",\"frames\":%" PRIu64
				",\"bytes\":%" PRIu64 ",\"conflated\":%" PRIu64 ",\"stalled\":%" PRIu64 "}",
				counts.open, counts.subscriptions, counts.opened, counts.frames, counts.bytes,
				counts.conflated, counts.stalled);
}

static void
write_source(Text *text, const FeedSource *source)
{
	text_json(text, source->name, strlen(source->name));
	text_format(text,
				":{\"ready\":%s,\"connects\":%" PRId64 ",\"rereads\":%" PRId64 ",\"gaps\":%" PRId64
				",\"refused\":%" PRId64 ",\"problem\":",
				source->ready ? "true" : "false", source->connects, source->rereads, source->gaps,
				source->refused);
	if (source->problem[0] != '\0')
		text_json(text, source->problem, strlen(source->problem));
	else
		text_string(text, "null");
	text_string(text, "}");
}

static void
write_daemon(Text *text)
{
	MetricsCounts requests = metrics_counts();
	ProcessUsage usage = process_usage();
	uint64_t limited = 0;

	for (int kind = 0; kind < LIMITER_KINDS; kind++)
		limited += limiter_refused((LimiterKind) kind);
	text_format(text,
				"{\"version\":\"%s\",\"uptime_seconds\":%" PRId64 ",\"requests\":%" PRIu64
				",\"client_errors\":%" PRIu64 ",\"server_errors\":%" PRIu64 ",\"limited\":%" PRIu64
				",\"connections\":%d,\"resident_bytes\":%" PRIu64 ",\"processor_seconds\":%.3f}",
				OPTIONS_VERSION, (loop_now() - started_at) / LOOP_SECOND, requests.requests,
				requests.client_errors, requests.server_errors, limited, requests.connections,
				usage.resident_bytes, usage.processor_seconds);
}

static void
write_stats(Text *text, bool history)
{
	const FeedSource *source = feed_current();
	char now[QUOTE_TIME_SIZE];

	quote_time(loop_unix(), now);
	text_format(text, "{\"timestamp\":\"%s\",\"source\":", now);
	if (source != NULL)
		text_json(text, source->name, strlen(source->name));
	else
		text_string(text, "null");
	write_quotes(text);
	write_streams(text);
	text_string(text, ",\"feed\":{");
	write_source(text, &feed_redis);
	text_string(text, ",");
	write_source(text, &feed_postgres);
	text_string(text, "},\"server\":");
	extension_status_write(text);
	text_string(text, ",\"daemon\":");
	write_daemon(text);
	if (history)
	{
		text_string(text, ",\"history\":");
		samples_write(text);
	}
	text_string(text, "}");
}

enum MHD_Result
stats_show(Request *request)
{
	const char *history = request_argument(request, "history");
	bool with_history = history != NULL && strcmp(history, "true") == 0;
	const char *key = with_history ? "stats history" : "stats";
	CachedReply *cached = reply_cache_find(key);
	Text text = {0};

	if (history != NULL && !with_history && history[0] != '\0' && strcmp(history, "false") != 0)
		return reply_error(request, MHD_HTTP_BAD_REQUEST, NULL, "history must be true or false");
	if (cached == NULL)
	{
		write_stats(&text, with_history);
		cached = reply_cache_put(key, &text, KEPT_FOR * LOOP_SECOND, KEPT_FOR);
	}
	if (cached != NULL)
		return reply_cache_send(request, cached);
	return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
					   "too much is being sent to slow clients already");
}

void
stats_init(void)
{
	started_at = loop_now();
}
