/*
 * metrics.c
 *	  See metrics.h.
 *
 * A request is counted by adding to arrays: its route is found among a dozen pointers, and its status has a place in a table.
 * Text is made only when somebody asks, and no count is ever reset.
 *
 * What modules count themselves is asked of them then.  Names follow Prometheus' rules: base units, counters end in _total.
 */
#include "metrics.h"

#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "candles.h"
#include "database.h"
#include "feed.h"
#include "limiter.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "process.h"
#include "quotes.h"
#include "reply_cache.h"
#include "rest_listen.h"
#include "stream.h"
#include "suspend.h"
#include "text.h"

#define PREFIX "crypto_rt_http_"
#define ROUTES_MAX 32
#define STATUSES_MAX 32 /* different ones that are told apart; there are some twenty */
#define STATUS_FIRST 100
#define STATUS_LAST 599
#define STATUS_GONE 499 /* the client has gone before it had a reply */
#define CLASSES 6       /* 0: no valid status, then 1xx to 5xx */
#define READY_AGE (60 * LOOP_SECOND)
#define COUNTABLE_FILES 1000 /* more are not counted one by one */

typedef enum Method
{
	METHOD_GET,
	METHOD_HEAD,
	METHOD_OPTIONS,
	METHOD_POST,
	METHOD_OTHER,
	METHODS
} Method;

static const char *const method_names[METHODS] = {"GET", "HEAD", "OPTIONS", "POST", "other"};

/* Upper limits of the histogram; beyond the last there is +Inf. */
static const struct
{
	int64_t us;
	const char *seconds;
} buckets[] = {
	{50, "5e-05"},   {100, "0.0001"}, {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"}, {2500, "0.0025"},
	{5000, "0.005"}, {10000, "0.01"}, {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"}, {250000, "0.25"},
	{500000, "0.5"}, {1000000, "1"},  {2500000, "2.5"}, {10000000, "10"},
};

#define BUCKETS ((int) (sizeof(buckets) / sizeof(buckets[0])))

typedef struct Histogram
{
	uint64_t count[BUCKETS + 1]; /* each for itself; they are added up when they are shown */
	uint64_t sum;                /* microseconds */
} Histogram;

typedef struct RouteCounts
{
	const Route *route; /* NULL: the place is free */
	uint64_t requests[METHODS][STATUSES_MAX];
	uint64_t bytes;
	Histogram durations[CLASSES];
} RouteCounts;

static RouteCounts counts[ROUTES_MAX];

/* The status of each place, and the place of each status; place 0 is for those that have none. */
static int statuses[STATUSES_MAX];
static int status_count = 1;
static uint8_t status_places[STATUS_LAST - STATUS_FIRST + 1];

static int connections;
static uint64_t connections_total;

/*
 * Counting.
 */

/* The last place is shared by routes that come too late; there are less than that. */
static RouteCounts *
counts_of(const Route *route)
{
	int i = 0;

	while (i < ROUTES_MAX - 1 && counts[i].route != route && counts[i].route != NULL)
		i++;
	if (counts[i].route == NULL)
		counts[i].route = route;
	return &counts[i];
}

static int
status_place(int status)
{
	uint8_t *place;

	if (status < STATUS_FIRST || status > STATUS_LAST)
		return 0;
	place = &status_places[status - STATUS_FIRST];
	if (*place == 0 && status_count < STATUSES_MAX)
	{
		statuses[status_count] = status;
		*place = (uint8_t) status_count++;
	}
	return *place;
}

static Method
method_of(const char *name)
{
	int i = 0;

	while (i < METHOD_OTHER && strcmp(method_names[i], name) != 0)
		i++;
	return (Method) i;
}

void
metrics_request(const Request *request, int64_t us)
{
	int status = request->status != 0 ? request->status : STATUS_GONE;
	int class = status >= STATUS_FIRST && status <= STATUS_LAST ? status / 100 : 0;
	RouteCounts *c;
	int bucket = 0;

	if (request->route == NULL)
		return;
	c = counts_of(request->route);
	c->requests[method_of(request->method)][status_place(status)]++;
	c->bytes += request->bytes;
	/* how long a stream lasted says nothing of how fast we are */
	if (request->stream != NULL || (request->route->handle == stream_open && class == 2))
		return;
	while (bucket < BUCKETS && us > buckets[bucket].us)
		bucket++;
	c->durations[class].count[bucket]++;
	c->durations[class].sum += us > 0 ? (uint64_t) us : 0;
}

void
metrics_connections(int change)
{
	connections += change;
	if (change > 0)
		connections_total += (uint64_t) change;
}

MetricsCounts
metrics_counts(void)
{
	MetricsCounts sum = {.connections = connections > 0 ? connections : 0};

	for (int r = 0; r < ROUTES_MAX && counts[r].route != NULL; r++)
		for (int m = 0; m < METHODS; m++)
			for (int s = 0; s < status_count; s++)
			{
				uint64_t n = counts[r].requests[m][s];

				sum.requests += n;
				if (statuses[s] >= 500)
					sum.server_errors += n;
				else if (statuses[s] >= 400 && statuses[s] != STATUS_GONE)
					sum.client_errors += n;
			}
	return sum;
}

/*
 * Showing.
 */

/* What comes before a metric's values; units and words as Prometheus' own. */
static void
describe(Text *text, const char *name, const char *type, const char *help)
{
	text_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value with the characters escaped that need it. */
static void
add_label(Text *text, const char *name, const char *value)
{
	text_format(text, "%s=\"", name);
	for (; *value != '\0'; value++)
		if (*value == '"' || *value == '\\')
			text_format(text, "\\%c", *value);
		else if (*value == '\n')
			text_string(text, "\\n");
		else
			text_add(text, value, 1);
	text_string(text, "\"");
}

static void
add_count(Text *text, uint64_t count)
{
	text_format(text, " %llu\n", (unsigned long long) count);
}

/* A metric without labels. */
static void
show_count(Text *text, const char *name, const char *help, uint64_t count)
{
	size_t len = strlen(name);

	describe(text, name, len > 6 && strcmp(name + len - 6, "_total") == 0 ? "counter" : "gauge", help);
	text_string(text, name);
	add_count(text, count);
}

static void
show_requests(Text *text)
{
	describe(text, PREFIX "requests_total", "counter",
			 "Requests by route, method and status; 499: the client left before its reply.");
	for (int r = 0; r < ROUTES_MAX && counts[r].route != NULL; r++)
		for (int m = 0; m < METHODS; m++)
			for (int s = 0; s < status_count; s++)
			{
				if (counts[r].requests[m][s] == 0)
					continue;
				text_string(text, PREFIX "requests_total{");
				add_label(text, "route", counts[r].route->name);
				text_format(text, ",method=\"%s\",status=", method_names[m]);
				text_format(text, s > 0 ? "\"%d\"}" : "\"other\"}", statuses[s]);
				add_count(text, counts[r].requests[m][s]);
			}
	describe(text, PREFIX "response_bytes_total", "counter",
			 "Bytes of replies' bodies by route, without streams.");
	for (int r = 0; r < ROUTES_MAX && counts[r].route != NULL; r++)
	{
		text_string(text, PREFIX "response_bytes_total{");
		add_label(text, "route", counts[r].route->name);
		text_string(text, "}");
		add_count(text, counts[r].bytes);
	}
}

static void
show_histogram(Text *text, const char *route, int class, const Histogram *h)
{
	uint64_t count = 0;
	Text labels = {0};

	for (int b = 0; b <= BUCKETS; b++)
		count += h->count[b];
	if (count == 0)
		return;
	add_label(&labels, "route", route);
	text_format(&labels, class > 0 ? ",status=\"%dxx\"" : ",status=\"other\"", class);
	count = 0;
	for (int b = 0; b <= BUCKETS; b++)
	{
		count += h->count[b];
		text_format(text, PREFIX "request_duration_seconds_bucket{%s,le=\"%s\"}", labels.bytes,
					b < BUCKETS ? buckets[b].seconds : "+Inf");
		add_count(text, count);
	}
	text_format(text, PREFIX "request_duration_seconds_sum{%s} %llu.%06u\n", labels.bytes,
				(unsigned long long) (h->sum / 1000000), (unsigned) (h->sum % 1000000));
	text_format(text, PREFIX "request_duration_seconds_count{%s}", labels.bytes);
	add_count(text, count);
	text_free(&labels);
}

static void
show_durations(Text *text)
{
	describe(text, PREFIX "request_duration_seconds", "histogram",
			 "From a request's first line to the end of its reply, by route and class of status; without "
			 "streams.");
	for (int r = 0; r < ROUTES_MAX && counts[r].route != NULL; r++)
		for (int c = 0; c < CLASSES; c++)
			show_histogram(text, counts[r].route->name, c, &counts[r].durations[c]);
}

static void
show_clients(Text *text)
{
	static const char *const kinds[LIMITER_KINDS] = {[LIMITER_CONNECTIONS] = "connections",
													 [LIMITER_STREAMS] = "streams",
													 [LIMITER_REQUESTS] = "requests"};
	StreamCounts streams = stream_counts();

	show_count(text, PREFIX "connections", "Connections that are open.",
			   connections > 0 ? (uint64_t) connections : 0);
	show_count(text, PREFIX "connections_total", "Connections that were opened.", connections_total);
	show_count(text, PREFIX "streams", "Streams that are open.", (uint64_t) streams.open);
	show_count(text, PREFIX "stream_subscriptions", "Different lists of symbols that open streams follow.",
			   (uint64_t) streams.subscriptions);
	show_count(text, PREFIX "streams_opened_total", "Streams that were opened.", streams.opened);
	show_count(text, PREFIX "stream_frames_total", "Frames that were sent to streams.", streams.frames);
	show_count(text, PREFIX "stream_bytes_total", "Bytes that were sent to streams.", streams.bytes);
	show_count(text, PREFIX "stream_frames_conflated_total",
			   "Frames that a slow stream has skipped for a newer one.", streams.conflated);
	show_count(text, PREFIX "streams_stalled_total", "Streams that were closed because nobody read them.",
			   streams.stalled);
	describe(text, PREFIX "limiter_rejections_total", "counter",
			 "What was refused to an address that had its share.");
	for (int kind = 0; kind < LIMITER_KINDS; kind++)
	{
		text_format(text, PREFIX "limiter_rejections_total{kind=\"%s\"}", kinds[kind]);
		add_count(text, limiter_refused((LimiterKind) kind));
	}
	show_count(text, PREFIX "limiter_addresses", "Addresses that the limiter remembers.",
			   (uint64_t) limiter_addresses());
}

/* Microseconds since the freshest quote was fetched. */
static int64_t
age_of(int64_t updated_at)
{
	return loop_unix() > updated_at ? loop_unix() - updated_at : 0;
}

static void
show_quotes(Text *text)
{
	int rest = quotes_count(0);

	describe(text, PREFIX "quotes", "gauge", "Quotes that are held, by tier.");
	for (int tier = 1; tier < QUOTES_TIERS_MAX; tier++)
		if (quotes_count(tier) > 0)
		{
			text_format(text, PREFIX "quotes{tier=\"tier%d\"}", tier);
			add_count(text, (uint64_t) quotes_count(tier));
			rest -= quotes_count(tier);
		}
	text_string(text, PREFIX "quotes{tier=\"unknown\"}");
	add_count(text, rest > 0 ? (uint64_t) rest : 0);

	describe(text, PREFIX "quote_age_seconds", "gauge", "Age of the freshest quote, by tier.");
	for (int tier = 1; tier < QUOTES_TIERS_MAX; tier++)
		if (quotes_count(tier) > 0 && quotes_freshest(tier) > 0)
			text_format(text, PREFIX "quote_age_seconds{tier=\"tier%d\"} %.3f\n", tier,
						(double) age_of(quotes_freshest(tier)) / LOOP_SECOND);
	show_count(text, PREFIX "quote_changes_total", "Changes of quotes, ages aside.", quotes_seq());
}

static void
show_source(Text *text, const char *name, const FeedSource *source, int64_t count)
{
	text_format(text, "%s{source=\"%s\"} %lld\n", name, source->name, (long long) count);
}

static void
show_feed(Text *text)
{
	static const FeedSource *const sources[] = {&feed_redis, &feed_postgres};
	static const struct
	{
		const char *name;
		const char *help;
		size_t field;
	} totals[] = {
		{PREFIX "feed_connects_total", "Connections that were made to a source.",
		 offsetof(FeedSource, connects)},
		{PREFIX "feed_rereads_total", "How often everything was read anew.", offsetof(FeedSource, rereads)},
		{PREFIX "feed_gaps_total", "How often that was because messages were missing.",
		 offsetof(FeedSource, gaps)},
		{PREFIX "feed_refused_quotes_total", "Quotes that could not be read.", offsetof(FeedSource, refused)},
	};

	describe(text, PREFIX "feed_ready", "gauge", "Whether a source has been read and is followed.");
	for (int i = 0; i < 2; i++)
		show_source(text, PREFIX "feed_ready", sources[i], sources[i]->ready);
	describe(text, PREFIX "feed_current", "gauge", "Whether quotes come from this source now.");
	for (int i = 0; i < 2; i++)
		show_source(text, PREFIX "feed_current", sources[i], feed_current() == sources[i]);
	for (size_t t = 0; t < sizeof(totals) / sizeof(totals[0]); t++)
	{
		describe(text, totals[t].name, "counter", totals[t].help);
		for (int i = 0; i < 2; i++)
			show_source(text, totals[t].name, sources[i],
						*(const int64_t *) ((const char *) sources[i] + totals[t].field));
	}
}

/* A value with one label, of a metric that was described. */
static void
show_labelled(Text *text, const char *name, const char *label, const char *value, uint64_t count)
{
	text_format(text, "%s{%s=\"%s\"}", name, label, value);
	add_count(text, count);
}

static void
show_database(Text *text)
{
	DatabaseCounts database = database_counts();
	CandlesCounts candles = candles_counts();

	describe(text, PREFIX "database_queries_total", "counter", "Queries of PostgreSQL by how they ended.");
	for (int outcome = 0; outcome < DATABASE_OUTCOMES; outcome++)
		show_labelled(text, PREFIX "database_queries_total", "result",
					  database_outcome_name((DatabaseOutcome) outcome), database.queries[outcome]);
	describe(text, PREFIX "database_connections", "gauge", "Connections to PostgreSQL for queries.");
	show_labelled(text, PREFIX "database_connections", "state", "opening", (uint64_t) database.opening);
	show_labelled(text, PREFIX "database_connections", "state", "idle", (uint64_t) database.idle);
	show_labelled(text, PREFIX "database_connections", "state", "busy", (uint64_t) database.busy);
	show_count(text, PREFIX "database_connections_max", "Connections that there may be.",
			   (uint64_t) options()->database_connections);
	show_count(text, PREFIX "database_connects_total", "Connections that were made.", database.connects);
	show_count(text, PREFIX "database_queue", "Queries that wait for a connection.",
			   (uint64_t) database.queued);
	show_count(text, PREFIX "requests_suspended", "Requests that wait for PostgreSQL.",
			   (uint64_t) suspend_count());

	describe(text, PREFIX "candles_total", "counter",
			 "Requests for candles by where these came from: kept, shared with another request, or queried.");
	show_labelled(text, PREFIX "candles_total", "from", "kept", candles.kept);
	show_labelled(text, PREFIX "candles_total", "from", "shared", candles.shared);
	show_labelled(text, PREFIX "candles_total", "from", "query", candles.asked);
	show_count(text, PREFIX "reply_cache_replies", "Replies that are kept.", (uint64_t) reply_cache_count());
	show_count(text, PREFIX "reply_cache_bytes", "Bytes that they take.", reply_cache_bytes());
}

static void
show_rest(Text *text)
{
	const RestCatalog *catalog = rest_listen_catalog();

	show_count(text, PREFIX "rest_catalog_reads_total", "How often it was read what is exposed at /rest/v1.",
			   rest_listen_version());
	describe(text, PREFIX "rest_exposed", "gauge",
			 "Tables, views and functions that are exposed at /rest/v1.");
	show_labelled(text, PREFIX "rest_exposed", "kind", "tables",
				  catalog != NULL ? (uint64_t) catalog->relation_count : 0);
	show_labelled(text, PREFIX "rest_exposed", "kind", "functions",
				  catalog != NULL ? (uint64_t) catalog->function_count : 0);
}

/* Names that every program has, without our prefix. */
static void
show_process(Text *text)
{
	ProcessUsage usage = process_usage();
	int64_t open_files = process_open_files(connections < COUNTABLE_FILES);
	struct rlimit files;

	if (usage.virtual_bytes > 0)
	{
		show_count(text, "process_virtual_memory_bytes", "Virtual memory.", usage.virtual_bytes);
		show_count(text, "process_resident_memory_bytes", "Resident memory.", usage.resident_bytes);
	}
	describe(text, "process_cpu_seconds_total", "counter", "Processor time, user and system.");
	text_format(text, "process_cpu_seconds_total %.6f\n", usage.processor_seconds);
	describe(text, "process_start_time_seconds", "gauge", "When the process started, in unix time.");
	text_format(text, "process_start_time_seconds %.2f\n", process_started());
	if (open_files >= 0)
		show_count(text, "process_open_fds", "Open files.", (uint64_t) open_files);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		show_count(text, "process_max_fds", "Open files that there may be.", files.rlim_cur);
}

static enum MHD_Result
reply_text(Request *request, int status, const char *type, Text *text)
{
	struct MHD_Response *response = reply_of_text(text, type);

	reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	return reply_response(request, status, response);
}

enum MHD_Result
metrics_show(Request *request)
{
	Text text = {0};

	describe(&text, PREFIX "build_info", "gauge", "Always 1; the labels tell what runs.");
	text_string(&text, PREFIX "build_info{version=\"" OPTIONS_VERSION "\",");
	add_label(&text, "libmicrohttpd", MHD_get_version());
	text_string(&text, "} 1\n");
	show_requests(&text);
	show_durations(&text);
	show_clients(&text);
	show_quotes(&text);
	show_feed(&text);
	show_database(&text);
	show_rest(&text);
	show_count(&text, PREFIX "log_dropped_total", "Lines of the logs that nobody read fast enough.",
			   log_dropped());
	show_process(&text);
	return reply_text(request, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &text);
}

/*
 * Are we well?
 */

enum MHD_Result
metrics_health(Request *request)
{
	Text text = {0};

	text_string(&text, "{\"status\":\"ok\"}");
	return reply_text(request, MHD_HTTP_OK, "application/json", &text);
}

/*
 * Why there are no quotes.  What exactly a source's problem is may name hosts and users, and is for the log, not for everybody.
 */
static const char *
reason(void)
{
	if (feed_current() != NULL)
		return "the source is ready, and has none";
	if (options()->redis_shown == NULL && options()->database == NULL)
		return "neither Redis nor PostgreSQL is configured";
	if (options()->redis_shown == NULL)
		return "PostgreSQL is not ready";
	return options()->database == NULL ? "Redis is not ready" : "neither Redis nor PostgreSQL is ready";
}

enum MHD_Result
metrics_ready(Request *request)
{
	static const char hint[] = "the daemon's log says what is wrong with its sources";
	int64_t age = age_of(quotes_freshest(0));
	Text text = {0};

	if (quotes_count(0) == 0)
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, hint, "no quotes yet: %s", reason());
	if (age >= READY_AGE)
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, hint,
						   "the freshest quote is %lld s old: %s", (long long) (age / LOOP_SECOND),
						   feed_current() != NULL ? "its source has nothing newer" : reason());
	text_format(&text, "{\"status\":\"ready\",\"source\":\"%s\",\"quotes\":%d,\"age\":%lld}",
				feed_current() != NULL ? feed_current()->name : "none", quotes_count(0),
				(long long) (age / LOOP_SECOND));
	return reply_text(request, MHD_HTTP_OK, "application/json", &text);
}
