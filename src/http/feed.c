/*
 * feed.c
 *	  See feed.h.
 *
 * Which source runs is decided in one place, choose(), after each change of state.  A source is stopped only from there and
 * from feed_stop(), never from its own callbacks: Redis is never stopped while it runs, and PostgreSQL only when Redis is ready.
 */
#include "feed.h"

#include <stdarg.h>
#include <stdio.h>

#include "log.h"
#include "loop.h"
#include "options.h"
#include "quotes.h"

#define PATIENCE (LOOP_SECOND / 2) /* that Redis is given at the start */
#define PAUSE_MIN (LOOP_SECOND / 10)
#define PAUSE_MAX (5 * LOOP_SECOND)
#define STEADY (10 * LOOP_SECOND)        /* ready for so long, the next pause is short again */
#define REFUSAL_PAUSE (30 * LOOP_SECOND) /* from one line in the log to the next */
#define TEXT_SHOWN 60                    /* bytes of what was refused */

static LoopTimer patience;

/*
 * Which source runs.
 */

static void
run(FeedSource *source)
{
	if (source->running)
		return;
	source->running = true;
	source->pause = 0;
	source->start(source);
}

static void
halt(FeedSource *source)
{
	if (!source->running)
		return;
	source->stop(source);
	source->running = false;
	source->ready = false;
	source->problem[0] = '\0';
}

static void
choose(void)
{
	const Options *o = options();

	if (feed_redis.ready)
		halt(&feed_postgres);
	else if (o->database != NULL && !patience.set)
		run(&feed_postgres);
}

static void
patience_ends(void *arg)
{
	(void) arg;
	choose();
}

void
feed_start(void)
{
	const Options *o = options();

	patience.due = patience_ends;
	if (o->redis_shown != NULL)
	{
		loop_after(&patience, PATIENCE);
		run(&feed_redis);
	}
	if (o->redis_shown == NULL && o->database == NULL)
		log_warning(
			"there is neither a Redis nor a database to take quotes from: see --redis and --database");
	choose();
}

void
feed_stop(void)
{
	loop_at(&patience, LOOP_NEVER);
	halt(&feed_redis);
	halt(&feed_postgres);
}

const FeedSource *
feed_current(void)
{
	if (feed_redis.ready)
		return &feed_redis;
	return feed_postgres.ready ? &feed_postgres : NULL;
}

/*
 * States.
 */

static const char *
place_of(const FeedSource *source)
{
	const char *place = source == &feed_redis ? options()->redis_shown : options()->database_shown;

	return place != NULL ? place : "its place";
}

void
feed_ready(FeedSource *source)
{
	source->problem[0] = '\0';
	if (source->ready)
		return;
	source->ready = true;
	source->ready_at = loop_now();
	log_info("quotes come from %s (%s): %d", source->name, place_of(source), quotes_count(0));
	loop_at(&patience, LOOP_NEVER);
	choose();
}

void
feed_lost(FeedSource *source, const char *format, ...)
{
	char problem[FEED_PROBLEM_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(problem, sizeof(problem), format, args);
	va_end(args);
	if (source->ready || strcmp(problem, source->problem) != 0)
		log_warning("no quotes from %s (%s): %s", source->name, place_of(source), problem);
	strcpy(source->problem, problem);
	if (source->ready && loop_now() - source->ready_at >= STEADY)
		source->pause = 0;
	source->ready = false;
	/* Redis has had its chance */
	if (source == &feed_redis)
		loop_at(&patience, LOOP_NEVER);
	choose();
}

int64_t
feed_pause(FeedSource *source)
{
	if (source->pause == 0)
		source->pause = PAUSE_MIN;
	else
		source->pause = source->pause * 2 < PAUSE_MAX ? source->pause * 2 : PAUSE_MAX;
	return source->pause;
}

/*
 * Quotes.
 */

void
feed_refuse(FeedSource *source, const char *why, const char *text, size_t len)
{
	int64_t now = loop_now();

	source->refused++;
	if (source->refusal_logged_at != 0 && now - source->refusal_logged_at < REFUSAL_PAUSE)
		return;
	source->refusal_logged_at = now;
	log_warning("%s sent what is no quote (%lld times so far): %s: \"%.*s\"%s", source->name,
				(long long) source->refused, why, (int) (len < TEXT_SHOWN ? len : TEXT_SHOWN), text,
				len > TEXT_SHOWN ? "..." : "");
}

void
feed_take(FeedSource *source, const char *json, size_t len)
{
	const char *why = "";

	if (quotes_take(json, len, &why) == QUOTES_REFUSED)
		feed_refuse(source, why, json, len);
}

/*
 * Symbols.
 */

void
feed_symbols_clear(FeedSymbols *symbols)
{
	text_free(&symbols->bytes);
	free(symbols->ends);
	*symbols = (FeedSymbols){0};
}

void
feed_symbols_add(FeedSymbols *symbols, const char *symbol, size_t len)
{
	if (len == 0 || len >= SYMBOL_SIZE || symbols->count == QUOTES_MAX)
		return;
	if (symbols->count == symbols->room)
	{
		symbols->room = symbols->room * 2 + 1024;
		symbols->ends = memory_grow(symbols->ends, sizeof(uint32_t) * (size_t) symbols->room);
	}
	text_add(&symbols->bytes, symbol, len);
	symbols->ends[symbols->count++] = (uint32_t) symbols->bytes.len;
}

const char *
feed_symbols_get(const FeedSymbols *symbols, int i, size_t *len)
{
	uint32_t begin = i > 0 ? symbols->ends[i - 1] : 0;

	*len = symbols->ends[i] - begin;
	return symbols->bytes.bytes + begin;
}

void
feed_symbols_sweep(const FeedSymbols *symbols)
{
	HeldQuote *const *held;
	const char *symbol;
	size_t len;
	int count;

	for (int i = 0; i < symbols->count; i++)
	{
		symbol = feed_symbols_get(symbols, i, &len);
		quotes_mark(symbol, len);
	}
	/* after a restart the board fills within a minute or two, beginning with the best coins */
	held = quotes_ranked(&count);
	for (int i = 0; i < count; i++)
		if (!held[i]->marked && !quotes_stale(held[i]))
			quotes_mark(held[i]->symbol, strlen(held[i]->symbol));
	quotes_sweep();
}
