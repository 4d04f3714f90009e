/*
 * feed_redis.c
 *	  Quotes from Redis: what extension/publisher.c writes there.
 *
 * Two connections: one subscribes to crypto:updates, the other reads.  The channel is subscribed to first, so that no change
 * falls between what is read and what is heard; quotes_take refuses what is older than what is held.  Then everything is
 * read: the ranked set, and the quote of each of its symbols.  That is done again whenever a message may be missing: a gap in
 * seq, a new epoch, a message that makes no sense, a new subscription.
 *
 * Only changes are published.  So all quotes are also read all the time, a slice each second: that keeps their ages true and
 * heals what somebody has overwritten.
 *
 * A channel that is silent for longer than its heartbeats allow is subscribed to anew; when that does not help, nobody
 * publishes, and Redis does not count as a source until somebody does.
 *
 * Quotes are read by GETRANGE rather than MGET, so that one which somebody has made a gigabyte costs no more than any other.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#include "feed.h"
#include "feed_message.h"
#include "loop.h"
#include "quotes.h"
#include "redis_conn.h"

#define QUOTE_PREFIX "crypto:quote:"
#define RANKED "crypto:symbols:ranked"
#define CHANNEL "crypto:updates"

#define WINDOW 512                      /* quotes that are asked for ahead */
#define ROUND 30                        /* seconds for all quotes, a slice each second */
#define SILENCE (15 * LOOP_SECOND)      /* heartbeats come every 5 s */
#define REREAD_PAUSE (5 * LOOP_SECOND)  /* from one reading of everything to the next */
#define UNREADY_PAUSE (1 * LOOP_SECOND) /* likewise, while there was nothing to read */

static void subscriber_ready(RedisConn *conn);
static void subscriber_take(RedisConn *conn, const redisReply *reply);
static void reader_ready(RedisConn *conn);
static void reader_take(RedisConn *conn, const redisReply *reply);
static void reader_taken(RedisConn *conn);
static void conn_closed(RedisConn *conn, const char *why);

static RedisConn subscriber = {
	.ready = subscriber_ready, .take = subscriber_take, .closed = conn_closed, .hears = true};
static RedisConn reader = {
	.ready = reader_ready, .take = reader_take, .taken = reader_taken, .closed = conn_closed};

static LoopTimer retry; /* while there is no connection */
static LoopTimer tick;  /* each second while there is */

/* the channel */
static struct
{
	bool subscribed;
	int64_t heard_at;
	int silences; /* in a row */
	bool known;   /* the two below */
	int64_t epoch;
	int64_t seq; /* of the last message */
} channel;

/* what is read */
static struct
{
	bool wanted;         /* everything, as soon as the pause is over */
	bool everything;     /* it is being read; otherwise a slice now and then */
	bool ranked_awaited; /* the set has been asked for */
	int64_t begun_at;    /* when everything was begun to be read last; 0: not on this connection */
	FeedSymbols symbols;
	int asked;    /* symbols whose quotes have been asked for in this round */
	int answered; /* of these */
} reading;

static void step(void);

/*
 * The connections.
 */

static void
close_both(void)
{
	redis_conn_close(&subscriber);
	redis_conn_close(&reader);
	loop_at(&tick, LOOP_NEVER);
	feed_symbols_clear(&reading.symbols);
	memset(&reading, 0, sizeof(reading));
	memset(&channel, 0, sizeof(channel));
}

static void
open_both(void *arg)
{
	(void) arg;
	redis_conn_open(&subscriber);
	redis_conn_open(&reader);
	loop_after(&tick, LOOP_SECOND);
}

static void
lose(const char *why)
{
	close_both();
	feed_lost(&feed_redis, "%s", why);
	loop_after(&retry, feed_pause(&feed_redis));
}

static void
conn_closed(RedisConn *conn, const char *why)
{
	(void) conn;
	lose(why);
}

static void
lose_by_error(const redisReply *reply)
{
	char why[FEED_PROBLEM_SIZE];

	redis_conn_explain(reply, why, sizeof(why));
	lose(why);
}

/*
 * Reading.
 */

static void
ask_ranked(void)
{
	char last[16];
	size_t len = (size_t) snprintf(last, sizeof(last), "%d", QUOTES_MAX - 1);

	/* rubbish beyond what quotes.c would take is not even asked for */
	redis_conn_command(&reader, 4, (const char *[]){"ZRANGE", RANKED, "0", last},
					   (const size_t[]){6, strlen(RANKED), 1, len});
	reading.ranked_awaited = true;
	quotes_mark_none();
}

/* Ask for a quote, up to one byte more than a quote may have. */
static void
ask_quote(int i)
{
	char key[sizeof(QUOTE_PREFIX) + SYMBOL_SIZE] = QUOTE_PREFIX;
	char last[16];
	size_t last_len = (size_t) snprintf(last, sizeof(last), "%d", QUOTE_READ_MAX);
	size_t len;
	const char *symbol = feed_symbols_get(&reading.symbols, i, &len);

	memcpy(key + strlen(QUOTE_PREFIX), symbol, len);
	redis_conn_command(&reader, 4, (const char *[]){"GETRANGE", key, "0", last},
					   (const size_t[]){8, strlen(QUOTE_PREFIX) + len, 1, last_len});
}

static void
ask_quotes(int limit)
{
	while (reading.asked < reading.symbols.count && limit-- > 0)
		ask_quote(reading.asked++);
}

static void
read_everything(void)
{
	if (feed_redis.ready)
		feed_redis.rereads++;
	reading.wanted = false;
	reading.everything = true;
	reading.begun_at = loop_now();
	ask_ranked();
}

/* There is nothing to read.  What is held stays; what is ready goes on, as the publisher heals its keys. */
static void
find_nothing(const char *why)
{
	reading.everything = false;
	reading.wanted = true;
	if (!feed_redis.ready)
		feed_lost(&feed_redis, "%s", why);
}

/* The error that costs one key; any other one says that reading is not possible. */
static bool
is_wrong_type(const redisReply *reply)
{
	return strncmp(reply->str, "WRONGTYPE ", strlen("WRONGTYPE ")) == 0;
}

static void
take_ranked(const redisReply *reply)
{
	reading.ranked_awaited = false;
	if (reply->type == REDIS_REPLY_ERROR && !is_wrong_type(reply))
	{
		lose_by_error(reply);
		return;
	}
	if (reply->type != REDIS_REPLY_ARRAY)
	{
		find_nothing("the key " RANKED " holds something else than a sorted set");
		return;
	}
	if (reply->elements == 0)
	{
		find_nothing("there is no key " RANKED ": the publisher has not written to it yet");
		return;
	}
	feed_symbols_clear(&reading.symbols);
	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->type == REDIS_REPLY_STRING)
			feed_symbols_add(&reading.symbols, reply->element[i]->str, reply->element[i]->len);
	reading.asked = reading.answered = 0;
	/* when everything is read, that comes at its end, as what is there now may be of another source */
	if (!reading.everything)
		feed_symbols_sweep(&reading.symbols);
}

/* A reply to GETRANGE.  A key that is not there is a quote past its TTL: the one that is held stays. */
static void
take_quote(const redisReply *reply)
{
	size_t len;
	const char *symbol;

	if (reply->type == REDIS_REPLY_ERROR && !is_wrong_type(reply))
	{
		lose_by_error(reply);
		return;
	}
	symbol = feed_symbols_get(&reading.symbols, reading.answered++, &len);
	if (reply->type != REDIS_REPLY_STRING)
		feed_refuse(&feed_redis, "the key of this symbol holds something else than a string", symbol, len);
	else if (reply->len > 0)
		feed_take(&feed_redis, reply->str, reply->len);
}

static void
reader_take(RedisConn *conn, const redisReply *reply)
{
	(void) conn;
	if (reading.ranked_awaited)
		take_ranked(reply);
	else
		take_quote(reply);
}

static void
reader_ready(RedisConn *conn)
{
	(void) conn;
	feed_redis.connects++;
	step();
}

static void
reader_taken(RedisConn *conn)
{
	(void) conn;
	quotes_settle();
	step();
}

/* All that was asked for has come. */
static void
end_everything(void)
{
	reading.everything = false;
	feed_symbols_sweep(&reading.symbols);
	quotes_settle();
	if (channel.silences < 2)
		feed_ready(&feed_redis);
}

/* Go on with reading everything, or begin with it when it is wanted and may be done. */
static void
step(void)
{
	int64_t pause = feed_redis.ready ? REREAD_PAUSE : UNREADY_PAUSE;

	if (reader.state != REDIS_CONN_READY || reading.ranked_awaited)
		return;
	if (reading.everything)
	{
		if (reading.answered == reading.symbols.count)
			end_everything();
		else if (reader.awaited <= WINDOW / 2)
			ask_quotes(WINDOW - reader.awaited);
	}
	else if (reading.wanted && channel.subscribed && channel.silences < 2 && reader.awaited == 0 &&
			 (reading.begun_at == 0 || loop_now() >= reading.begun_at + pause))
		read_everything();
}

/* A slice of the round that never ends. */
static void
step_round(void)
{
	if (!feed_redis.ready || reading.everything || reading.wanted || reader.awaited > 0)
		return;
	if (reading.asked < reading.symbols.count)
		ask_quotes(reading.symbols.count / ROUND + 1);
	else
		ask_ranked();
}

/*
 * The channel.
 */

static void
want_everything(void)
{
	reading.wanted = true;
	step();
}

static void
subscriber_ready(RedisConn *conn)
{
	redis_conn_command(conn, 2, (const char *[]){"SUBSCRIBE", CHANNEL}, (const size_t[]){9, strlen(CHANNEL)});
}

/* What a message's numbers say: whether everything before it has been heard. */
static bool
follows(const FeedMessage *message)
{
	bool known = channel.known;
	int64_t epoch = channel.epoch;
	int64_t seq = channel.seq;

	channel.known = true;
	channel.epoch = message->epoch;
	channel.seq = message->seq;
	/* a publisher's first message comes when it has written everything anew */
	if (!known || message->epoch != epoch)
		return !known && message->seq > 1;
	if (message->seq == seq + 1)
		return true;
	feed_redis.gaps++;
	return false;
}

static void
take_message(const char *text, size_t len)
{
	FeedMessage message;
	const char *json;
	size_t json_len;

	if (!feed_message_read(text, len, &message))
	{
		feed_refuse(&feed_redis, "a message on " CHANNEL " that cannot be read", text, len);
		want_everything();
		return;
	}
	channel.heard_at = loop_now();
	channel.silences = 0;
	while (feed_message_next(&message, &json, &json_len))
		feed_take(&feed_redis, json, json_len);
	quotes_settle();
	if (!follows(&message) || (!feed_redis.ready && !reading.everything))
		want_everything();
}

static bool
is_text(const redisReply *reply, const char *text)
{
	return reply->type == REDIS_REPLY_STRING && reply->len == strlen(text) &&
		   memcmp(reply->str, text, reply->len) == 0;
}

static void
subscriber_take(RedisConn *conn, const redisReply *reply)
{
	(void) conn;
	if (reply->type == REDIS_REPLY_ERROR)
		lose_by_error(reply);
	else if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
		lose("it sent something else than messages");
	else if (is_text(reply->element[0], "subscribe"))
	{
		channel.subscribed = true;
		channel.heard_at = loop_now();
		want_everything();
	}
	else if (is_text(reply->element[0], "message") && reply->element[2]->type == REDIS_REPLY_STRING)
		take_message(reply->element[2]->str, reply->element[2]->len);
}

/* Nothing was heard for too long: the subscription may have died, so take a new one. */
static void
end_silence(void)
{
	channel.silences++;
	channel.subscribed = false;
	channel.known = false;
	redis_conn_open(&subscriber);
	if (channel.silences >= 2)
		feed_lost(&feed_redis, "nothing is published on " CHANNEL ", not even heartbeats");
}

static void
each_second(void *arg)
{
	(void) arg;
	loop_after(&tick, LOOP_SECOND);
	if (channel.subscribed && loop_now() - channel.heard_at > SILENCE)
		end_silence();
	step_round();
	step();
}

/*
 * The source.
 */

static void
redis_start(FeedSource *source)
{
	(void) source;
	retry.due = open_both;
	tick.due = each_second;
	open_both(NULL);
}

static void
redis_stop(FeedSource *source)
{
	(void) source;
	loop_at(&retry, LOOP_NEVER);
	close_both();
}

FeedSource feed_redis = {.name = "redis", .start = redis_start, .stop = redis_stop};
