/*
 * samples.c
 *	  See samples.h.
 *
 * Samples stand at equal distances, so that one time and their number tell when each was taken.  Intervals that the process has
 * slept through (the machine was suspended, the process stopped) have samples of which nothing is known.
 */
#include "samples.h"

#include <inttypes.h>
#include <math.h>

#include "limiter.h"
#include "loop.h"
#include "metrics.h"
#include "process.h"
#include "quotes.h"
#include "stream.h"

#define INTERVAL (SAMPLES_INTERVAL * LOOP_SECOND)

typedef enum Kind
{
	KIND_REQUESTS, /* these begin at 0 and grow; samples are of their growth in a second */
	KIND_ERRORS,
	KIND_FRAMES,
	KIND_CHANGES,
	KIND_PROCESSOR,
	KIND_STREAMS, /* from here on samples are of what is now */
	KIND_QUOTE_AGE,
	KIND_RESIDENT,
	KINDS
} Kind;

#define KIND_FIRST_OF_NOW KIND_STREAMS

static const char *const names[KINDS] = {
	[KIND_REQUESTS] = "requests_per_second", [KIND_ERRORS] = "errors_per_second",
	[KIND_FRAMES] = "frames_per_second",     [KIND_CHANGES] = "changes_per_second",
	[KIND_PROCESSOR] = "processor_percent",  [KIND_STREAMS] = "streams",
	[KIND_QUOTE_AGE] = "quote_age_seconds",  [KIND_RESIDENT] = "resident_bytes",
};

static double ring[KINDS][SAMPLES_MAX]; /* NAN: not known */
static int count;
static int newest;          /* its place, once there is one */
static int64_t newest_unix; /* when it was due */

static double before[KINDS]; /* what was measured last, and when */
static int64_t before_at;
static int64_t due_at;
static LoopTimer timer;

static void
measure(double *now)
{
	MetricsCounts requests = metrics_counts();
	StreamCounts streams = stream_counts();
	ProcessUsage usage = process_usage();
	int64_t age = loop_unix() - quotes_freshest(0);

	now[KIND_REQUESTS] = (double) requests.requests;
	now[KIND_ERRORS] = (double) (requests.client_errors + requests.server_errors);
	now[KIND_FRAMES] = (double) streams.frames;
	now[KIND_CHANGES] = (double) quotes_seq();
	now[KIND_PROCESSOR] = usage.processor_seconds * 100;
	now[KIND_STREAMS] = streams.open;
	now[KIND_QUOTE_AGE] = quotes_count(0) > 0 ? (double) (age > 0 ? age : 0) / LOOP_SECOND : NAN;
	now[KIND_RESIDENT] = usage.resident_bytes > 0 ? (double) usage.resident_bytes : NAN;
}

/* values: NULL when nothing is known. */
static void
append(const double *values)
{
	newest = count > 0 ? (newest + 1) % SAMPLES_MAX : 0;
	for (int kind = 0; kind < KINDS; kind++)
		ring[kind][newest] = values != NULL ? values[kind] : NAN;
	if (count < SAMPLES_MAX)
		count++;
}

static void
take_sample(void *arg)
{
	int64_t missed = (loop_now() - due_at) / INTERVAL;
	double seconds = (double) (loop_now() - before_at) / LOOP_SECOND;
	double now[KINDS];
	double values[KINDS];

	(void) arg;
	for (int64_t i = 0; i < missed && i < SAMPLES_MAX; i++)
		append(NULL);
	measure(now);
	for (int kind = 0; kind < KINDS; kind++)
		values[kind] = kind < KIND_FIRST_OF_NOW ? (now[kind] - before[kind]) / seconds : now[kind];
	append(values);
	memcpy(before, now, sizeof(before));
	before_at = loop_now();
	due_at += missed * INTERVAL;
	newest_unix = (loop_unix() - (loop_now() - due_at)) / LOOP_SECOND;
	due_at += INTERVAL;
	loop_at(&timer, due_at);
}

void
samples_init(void)
{
	measure(before);
	before_at = loop_now();
	due_at = before_at + INTERVAL;
	timer.due = take_sample;
	loop_at(&timer, due_at);
}

/* With two digits behind the point at the most. */
static void
write_number(Text *text, double value)
{
	char digits[64];
	size_t len;

	if (isnan(value))
	{
		text_string(text, "null");
		return;
	}
	len = (size_t) snprintf(digits, sizeof(digits), "%.2f", value);
	while (digits[len - 1] == '0')
		len--;
	if (digits[len - 1] == '.')
		len--;
	text_add(text, digits, len);
}

void
samples_write(Text *text)
{
	text_format(text, "{\"interval_seconds\":%d,\"until\":", SAMPLES_INTERVAL);
	if (count > 0)
		text_format(text, "%" PRId64, newest_unix);
	else
		text_string(text, "null");
	for (int kind = 0; kind < KINDS; kind++)
	{
		text_format(text, ",\"%s\":[", names[kind]);
		for (int i = 0; i < count; i++)
		{
			if (i > 0)
				text_add(text, ",", 1);
			write_number(text, ring[kind][(newest + SAMPLES_MAX - count + 1 + i) % SAMPLES_MAX]);
		}
		text_string(text, "]");
	}
	text_string(text, "}");
}
