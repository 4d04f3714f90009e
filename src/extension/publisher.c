/*
 * publisher.c
 *	  The worker that follows the tick log and writes Redis.
 *
 * Each tick's coin is read from the board and written as it is there now: its quote, its rank, its id.  At the
 * end of a page its changed quotes go out as one message on crypto:updates, behind the quotes themselves in the
 * same pipeline, so that who hears of a quote can read it.  A coin is in Redis while it is listed and owns its
 * symbol.
 *
 * What has been written is remembered in this process only: after each connect everything is written anew.  So
 * it is after a purge (one while polling is paused: when it goes on), when ticks were lost, and when someone else
 * emptied or spoiled Redis, which shows in errors and in the size of crypto:symbols:ranked.  The sorted set is then
 * built beside the old one and renamed over it.
 *
 * Nothing here waits but worker_turn.  While Redis is away, the log is not followed, and nothing grows.
 */
#include "postgres.h"

#include <hiredis/hiredis.h>

#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "../core/quote.h"
#include "../core/redis_url.h"
#include "../core/tier.h"
#include "board.h"
#include "redis.h"
#include "settings.h"
#include "status.h"
#include "ticklog.h"
#include "worker.h"

#define SECOND INT64CONST(1000000) /* of worker_clock */
#define HEARTBEAT (5 * SECOND)     /* of silence */
#define REWRITE_PAUSE (5 * SECOND) /* from one to the next */
#define ID_TTL "86400"             /* seconds */
#define ID_RENEWAL 3600            /* seconds */

#define TICKS_AT_ONCE 256
#define SLOTS_AT_ONCE 256 /* of a rewrite; up to two commands each, well within redis.h's slack */
#define RANKS_AT_ONCE 128
#define ARGUMENTS_MAX (2 + 2 * RANKS_AT_ONCE)
#define SCAN_COUNT "1000"

#define QUOTE_PREFIX "crypto:quote:"
#define ID_PREFIX "crypto:id_map:"
#define RANKED "crypto:symbols:ranked"
#define RANKED_NEW "crypto:symbols:ranked:new"
#define STATS "crypto:stats:last_update"
#define CHANNEL "crypto:updates"

#define HEAD_SIZE 80                         /* {"epoch":E,"seq":N,"quotes":[ */
#define MESSAGE_SIZE (100 * QUOTE_JSON_SIZE) /* room for a page, whatever its names */

/* From CONNECTING on there is a connection: its loss leads to AWAY, a change of settings to OFF. */
typedef enum PublisherState
{
	PUBLISHER_OFF,        /* no Redis is wanted; to CONNECTING */
	PUBLISHER_AWAY,       /* waits before it connects again; to CONNECTING or OFF */
	PUBLISHER_CONNECTING, /* and logs in; to SETTLING */
	PUBLISHER_SETTLING,   /* waits for all replies, and to rewrite; to REWRITING, PURGING or EMPTY */
	PUBLISHER_REWRITING,  /* writes the whole board; to FOLLOWING, or SETTLING when there were errors */
	PUBLISHER_FOLLOWING,  /* follows the tick log; to PURGING, or SETTLING when a rewrite is wanted */
	PUBLISHER_PURGING,    /* removes all keys of ours; to SETTLING */
	PUBLISHER_EMPTY       /* purged while polling is paused; to PURGING, or REWRITING when it goes on */
} PublisherState;

/* What a reply answers. */
enum
{
	TAG_WRITE,  /* anything of which only an error matters */
	TAG_ADD,    /* ZADD */
	TAG_REMOVE, /* ZREM */
	TAG_COUNT,  /* ZCARD */
	TAG_PUBLISH,
	TAG_SCAN,
	TAG_UNLINK
};

/* What has been written of a slot's coin. */
typedef struct Written
{
	uint32 generation;
	int32 id_due;             /* when its id is to be renewed, in seconds of worker_clock */
	char symbol[SYMBOL_SIZE]; /* "": nothing */
} Written;

/* A member of the sorted set as it was written last. */
typedef struct Ranked
{
	char symbol[SYMBOL_SIZE];
	int32 rank;
} Ranked;

static PublisherState state = PUBLISHER_OFF;

/* the connection */
static char used_url[REDIS_URL_SIZE];
static char used_password_file[MAXPGPATH];
static int failures;       /* in a row, of connections that came to nothing */
static int64 reconnect_at; /* in AWAY */
static bool reconnect_wanted;

/* what is in Redis, as far as we know */
static Written *written;              /* by slot */
static HTAB *ranked;                  /* by symbol */
static int64 ranked_members;          /* as Redis counted what we added and removed; see take_reply */
static const char *rank_key = RANKED; /* RANKED_NEW in a rewrite */

static struct
{
	bool wanted;
	bool refused;      /* because the server refuses commands */
	int64 begun_at;    /* the last one */
	int slot;          /* the next to write; -1: the first commands have not been answered yet */
	bool empty;        /* it found no coin */
	uint64 ticks_lost; /* as counted when last looked at */
} rewrite;

static struct
{
	bool scanning;
	int64 removed;
	char error[STATUS_TEXT_SIZE];
	bool emptied; /* and nothing was written since */
} purge;

/* the page that is being written */
static struct
{
	char text[HEAD_SIZE + MESSAGE_SIZE];
	size_t used; /* bytes of changed quotes, behind the head */
	int64 nquotes;
	int nranks;
	char scores[RANKS_AT_ONCE][12];
	char symbols[RANKS_AT_ONCE][SYMBOL_SIZE];
} page;

static int64 epoch; /* unix milliseconds */
static int64 seq;
static int64 message_at;
static int64 stats_at;

/*
 * Commands.
 */

/* Queue a command whose arguments are strings. */
static void
command(int tag, int argc, const char *const *argv)
{
	size_t lengths[ARGUMENTS_MAX];

	Assert(argc <= ARGUMENTS_MAX);
	for (int i = 0; i < argc; i++)
		lengths[i] = strlen(argv[i]);
	redis_conn_command(tag, argc, argv, lengths);
}

#define COMMAND(tag, ...)                                                                                    \
	command(tag, lengthof(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__})

/* Send the ranks that have been gathered. */
static void
flush_ranks(void)
{
	const char *argv[ARGUMENTS_MAX] = {"ZADD", rank_key};
	int n = 2;

	if (page.nranks == 0)
		return;
	for (int i = 0; i < page.nranks; i++)
	{
		argv[n++] = page.scores[i];
		argv[n++] = page.symbols[i];
	}
	command(TAG_ADD, n, argv);
	page.nranks = 0;
}

/* Publish the changed quotes that have been gathered; without any it is a heartbeat. */
static void
publish(void)
{
	char head[HEAD_SIZE];
	int n = snprintf(head, sizeof(head), "{\"epoch\":" INT64_FORMAT ",\"seq\":" INT64_FORMAT ",\"quotes\":[",
					 epoch, ++seq);
	char *message = page.text + HEAD_SIZE - n;

	/* the head goes right before the quotes, which so need not be moved */
	memcpy(message, head, n);
	memcpy(page.text + HEAD_SIZE + page.used, "]}", 2);
	redis_conn_command(TAG_PUBLISH, 3, (const char *[]){"PUBLISH", CHANNEL, message},
					   (const size_t[]){7, strlen(CHANNEL), n + page.used + 2});
	page.used = 0;
	message_at = worker_clock();
	status_add(STATUS_REDIS_MESSAGES, 1);
}

static void
write_stats(void)
{
	BoardCounts counts = board_counts();
	int64 sweep = status_get(STATUS_LAST_SWEEP);
	char last[QUOTE_TIME_SIZE + 2] = "null";
	char json[256];

	if (sweep != 0)
	{
		last[0] = '"';
		strcpy(last + 1 + quote_time(sweep, last + 1), "\"");
	}
	snprintf(json, sizeof(json),
			 "{\"total_coins\":%d,\"active_coins\":%d,\"last_full_update\":%s,\"pages_fetched\":" INT64_FORMAT
			 "}",
			 counts.coins, counts.active, last, status_get(STATUS_PAGES_FETCHED));
	COMMAND(TAG_WRITE, "SET", STATS, json);
	stats_at = worker_clock();
}

/*
 * Coins.
 */

/* Whether a coin that is listed owns a symbol, which so stays in Redis. */
static bool
symbol_is_owned(const char *symbol)
{
	int slot = board_find_symbol(symbol, strlen(symbol));
	BoardEntry owner;

	return slot != BOARD_NO_SLOT && board_read(slot, &owner) && owner.owns_symbol && owner.quote.rank > 0 &&
		   strcmp(owner.quote.symbol, symbol) == 0;
}

/* A slot's coin goes by its symbol no more. */
static void
forget_symbol(Written *coin)
{
	char key[sizeof(QUOTE_PREFIX) + SYMBOL_SIZE];

	if (!symbol_is_owned(coin->symbol))
	{
		flush_ranks(); /* this symbol may be among them */
		hash_search(ranked, coin->symbol, HASH_REMOVE, NULL);
		COMMAND(TAG_REMOVE, "ZREM", RANKED, coin->symbol);
		snprintf(key, sizeof(key), QUOTE_PREFIX "%s", coin->symbol);
		COMMAND(TAG_WRITE, "DEL", key);
	}
	coin->symbol[0] = '\0';
}

static void
write_rank(const Quote *quote)
{
	bool found;
	Ranked *member = hash_search(ranked, quote->symbol, HASH_ENTER, &found);

	if (found && member->rank == quote->rank)
		return;
	member->rank = quote->rank;
	if (page.nranks == RANKS_AT_ONCE)
		flush_ranks();
	pg_ltoa(quote->rank, page.scores[page.nranks]);
	strcpy(page.symbols[page.nranks++], quote->symbol);
}

/* Write a coin's id, or delete it. */
static void
write_id(const Quote *quote, bool listed)
{
	char key[sizeof(ID_PREFIX) + QUOTE_NAMEID_SIZE];

	snprintf(key, sizeof(key), ID_PREFIX "%s", quote->nameid);
	if (listed)
		COMMAND(TAG_WRITE, "SET", key, quote->symbol, "EX", ID_TTL);
	else
		COMMAND(TAG_WRITE, "DEL", key);
}

/* Write a quote, and gather it for the message if it has changed. */
static void
write_quote(const Quote *quote, bool changed)
{
	const TierList *tiers = settings_tiers();
	int tier = tier_of_rank(tiers, quote->rank);
	int64 ttl = settings_ttl(quote->rank) - Max(worker_now() - quote->fetched_at, 0) / SECOND;
	size_t symbol_len = strlen(quote->symbol);
	char key[sizeof(QUOTE_PREFIX) + SYMBOL_SIZE] = QUOTE_PREFIX;
	char seconds[24];
	char *json;
	size_t len;

	if (ttl <= 0)
		return;
	/* what follows is a comma, this quote, and the message's end */
	if (page.used + QUOTE_JSON_SIZE + 3 > MESSAGE_SIZE)
		publish();
	json = page.text + HEAD_SIZE + page.used + (page.used > 0);
	len = quote_json(quote, tier, tier_seconds(tier_get(tiers, tier)), json);
	memcpy(key + strlen(QUOTE_PREFIX), quote->symbol, symbol_len);
	redis_conn_command(
		TAG_WRITE, 5, (const char *[]){"SET", key, json, "EX", seconds},
		(const size_t[]){3, strlen(QUOTE_PREFIX) + symbol_len, len, 2, (size_t) pg_lltoa(ttl, seconds)});
	page.nquotes++;
	if (changed)
	{
		if (page.used > 0)
			json[-1] = ',';
		page.used = json + len - (page.text + HEAD_SIZE);
	}
}

/* Bring Redis up to what the board says of a slot. */
static void
write_coin(int slot, bool changed)
{
	Written *coin = &written[slot];
	BoardEntry entry;
	int32 now = (int32) (worker_clock() / SECOND);
	bool listed;
	bool same_coin;

	if (!board_read(slot, &entry))
		return;
	listed = entry.owns_symbol && entry.quote.rank > 0;
	same_coin = coin->generation == entry.generation;
	if (coin->symbol[0] != '\0' && !(listed && same_coin && strcmp(coin->symbol, entry.quote.symbol) == 0))
	{
		if (!listed && same_coin)
			write_id(&entry.quote, false);
		forget_symbol(coin);
	}
	if (!listed)
		return;
	if (coin->symbol[0] == '\0')
	{
		coin->generation = entry.generation;
		strcpy(coin->symbol, entry.quote.symbol);
		write_id(&entry.quote, true);
		/* spread over the slots, so that not all are renewed at a time */
		coin->id_due = now + 1 + slot % ID_RENEWAL;
	}
	else if (now >= coin->id_due)
	{
		write_id(&entry.quote, true);
		coin->id_due = now + ID_RENEWAL;
	}
	write_rank(&entry.quote);
	write_quote(&entry.quote, changed);
}

/* A page, or a slice of the board, has been written. */
static void
end_page(void)
{
	flush_ranks();
	if (page.used > 0)
		publish();
	status_add(STATUS_REDIS_QUOTES, page.nquotes);
	page.nquotes = 0;
}

/*
 * Writing everything anew.
 */

/* Remember nothing of what is in Redis, or was on its way there. */
static void
forget_all(void)
{
	HASHCTL control = {.keysize = SYMBOL_SIZE, .entrysize = sizeof(Ranked), .hcxt = worker_memory()};

	if (ranked != NULL)
		hash_destroy(ranked);
	ranked = hash_create("crypto_rt ranked symbols", settings_max_coins(), &control,
						 HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	ranked_members = 0;
	rank_key = RANKED;
	page.used = 0;
	page.nranks = 0;
	memset(written, 0, sizeof(Written) * settings_max_coins());
}

static void
rewrite_begin(void)
{
	ticklog_skip(TICK_PUBLISHER);
	forget_all();
	rewrite.wanted = false;
	rewrite.refused = false;
	rewrite.begun_at = worker_clock();
	rewrite.slot = -1;
	purge.emptied = false;
	rewrite.ticks_lost = ticklog_counts().lost[TICK_PUBLISHER];
	rank_key = RANKED_NEW;
	epoch = Max(worker_now() / 1000, epoch + 1);
	seq = 0;

	/* a server that refuses writes says so here, before thousands of them are on their way */
	COMMAND(TAG_WRITE, "DEL", RANKED_NEW);
	write_stats();
}

/* Write a slice of the board.  Returns true when it was the last. */
static bool
rewrite_step(void)
{
	int end;

	if (rewrite.slot < 0 && redis_conn_awaited() == 0)
		rewrite.slot = 0;
	if (rewrite.slot < 0 || !redis_conn_room())
		return false;
	end = Min(board_slots(), rewrite.slot + SLOTS_AT_ONCE);
	for (; rewrite.slot < end; rewrite.slot++)
		write_coin(rewrite.slot, false);
	end_page();
	if (rewrite.slot < board_slots())
		return false;

	/* with no coin on the board yet, what is in Redis stays until the first comes */
	rewrite.empty = hash_get_num_entries(ranked) == 0;
	if (rewrite.empty)
		rewrite.begun_at -= REWRITE_PAUSE;
	else
		COMMAND(TAG_WRITE, "RENAME", RANKED_NEW, RANKED);
	rank_key = RANKED;
	return true;
}

/*
 * Following the tick log.
 */

static void
follow_step(void)
{
	Tick ticks[TICKS_AT_ONCE];
	uint64 lost;
	int n;

	if (!redis_conn_room())
		return;
	n = ticklog_read(TICK_PUBLISHER, ticks, TICKS_AT_ONCE);
	for (int i = 0; i < n; i++)
	{
		write_coin(ticks[i].slot, (ticks[i].flags & BOARD_CHANGED) != 0);
		if ((ticks[i].flags & TICK_PAGE_END) == 0)
			continue;
		end_page();
		COMMAND(TAG_COUNT, "ZCARD", RANKED);
		if (worker_clock() - stats_at >= SECOND)
			write_stats();
	}
	ticklog_advance(TICK_PUBLISHER, n);

	lost = ticklog_counts().lost[TICK_PUBLISHER];
	rewrite.wanted |= lost != rewrite.ticks_lost;
	rewrite.ticks_lost = lost;
}

/*
 * Removing all keys of ours.
 */

static void
purge_scan(const char *cursor)
{
	COMMAND(TAG_SCAN, "SCAN", cursor, "MATCH", "crypto:*", "COUNT", SCAN_COUNT);
}

static bool
key_is_ours(const redisReply *key)
{
	return key->type == REDIS_REPLY_STRING &&
		   (strncmp(key->str, QUOTE_PREFIX, strlen(QUOTE_PREFIX)) == 0 ||
			strncmp(key->str, ID_PREFIX, strlen(ID_PREFIX)) == 0 || strcmp(key->str, RANKED) == 0 ||
			strcmp(key->str, RANKED_NEW) == 0 || strcmp(key->str, STATS) == 0);
}

/* Remove what a SCAN has found, and go on with the next. */
static void
purge_take(const redisReply *reply)
{
	const redisReply *keys;
	const char **argv;
	size_t *lengths;
	int n = 0;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
		reply->element[0]->type != REDIS_REPLY_STRING || reply->element[1]->type != REDIS_REPLY_ARRAY)
	{
		strlcpy(purge.error, "the server's answer to SCAN makes no sense", sizeof(purge.error));
		purge.scanning = false;
		return;
	}
	keys = reply->element[1];
	argv = palloc(sizeof(char *) * (keys->elements + 1));
	lengths = palloc(sizeof(size_t) * (keys->elements + 1));
	argv[n] = "UNLINK";
	lengths[n++] = strlen("UNLINK");
	for (size_t i = 0; i < keys->elements; i++)
		if (key_is_ours(keys->element[i]))
		{
			argv[n] = keys->element[i]->str;
			lengths[n++] = keys->element[i]->len;
		}
	if (n > 1)
		redis_conn_command(TAG_UNLINK, n, argv, lengths);
	purge.scanning = strcmp(reply->element[0]->str, "0") != 0;
	if (purge.scanning)
		purge_scan(reply->element[0]->str);
}

/* Answer a request for a purge that cannot be granted. */
static void
refuse_purge(const char *why)
{
	if (control_purge_wanted())
		control_purge_answer(0, why);
}

/*
 * Replies.
 */

static void
take_error(int tag, const redisReply *reply)
{
	char why[STATUS_TEXT_SIZE];

	status_add(STATUS_REDIS_ERRORS, 1);
	if (redis_explain(reply, why, sizeof(why)))
		reconnect_wanted = true;
	if (tag == TAG_SCAN || tag == TAG_UNLINK)
	{
		purge.scanning = false;
		strlcpy(purge.error, why, sizeof(purge.error));
		return;
	}
	if (!rewrite.refused)
		status_report(STATUS_REDIS, "%s", why);
	rewrite.wanted = true;
	/* a rewrite heals what others did to our keys, but not what the server refuses */
	rewrite.refused |= strncmp(reply->str, "WRONGTYPE", strlen("WRONGTYPE")) != 0;
}

/*
 * Take the reply to a command.  The members of the sorted set are counted from Redis' own answers, which come in
 * the order of the commands: so ZCARD's answer differs only when someone else had a hand in it.
 */
static void
take_reply(int tag, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR)
	{
		take_error(tag, reply);
		return;
	}
	switch (tag)
	{
		case TAG_ADD:
			ranked_members += reply->integer;
			break;
		case TAG_REMOVE:
			ranked_members -= reply->integer;
			break;
		case TAG_COUNT:
			if (reply->integer == ranked_members || rewrite.wanted)
				break;
			status_report(STATUS_REDIS, "its keys were changed by someone else: writing all anew");
			rewrite.wanted = true;
			break;
		case TAG_PUBLISH:
			/* a message goes out behind all else: it all went well */
			if (!rewrite.wanted)
			{
				failures = 0;
				status_ok(STATUS_REDIS);
			}
			break;
		case TAG_SCAN:
			purge_take(reply);
			break;
		case TAG_UNLINK:
			purge.removed += reply->integer;
			break;
	}
}

/*
 * States.
 */

static void
publisher_move(PublisherState to)
{
	PublisherState from = state;
	int64 now = worker_clock();

	state = to;
	if (from == PUBLISHER_PURGING && to <= PUBLISHER_AWAY)
		control_purge_answer(0, purge.error[0] != '\0' ? purge.error : "the connection was lost");
	switch (to)
	{
		case PUBLISHER_OFF:
			redis_conn_close();
			failures = 0;
			status_set(STATUS_REDIS_CONNECTED, 0);
			break;
		case PUBLISHER_AWAY:
			if (redis_conn_error()[0] != '\0')
				status_report(STATUS_REDIS, "%s", redis_conn_error());
			status_set(STATUS_REDIS_CONNECTED, 0);
			/* after 1, 2, 4, 8, 10, 10... seconds */
			reconnect_at = now + Min(1 << Min(failures, 4), 10) * SECOND;
			failures++;
			break;
		case PUBLISHER_CONNECTING:
			ticklog_skip(TICK_PUBLISHER);
			reconnect_wanted = false;
			redis_conn_open(settings_redis_url(), settings_redis_password_file(), take_reply);
			break;
		case PUBLISHER_SETTLING:
			if (from != PUBLISHER_CONNECTING)
				break;
			status_set(STATUS_REDIS_CONNECTED, 1);
			status_add(STATUS_REDIS_CONNECTS, 1);
			forget_all();
			rewrite.wanted = true;
			rewrite.refused = false;
			rewrite.begun_at = now - REWRITE_PAUSE;
			break;
		case PUBLISHER_REWRITING:
			rewrite_begin();
			break;
		case PUBLISHER_FOLLOWING:
			if (from == PUBLISHER_REWRITING)
				publish(); /* the first message of this epoch */
			break;
		case PUBLISHER_PURGING:
			end_page();
			memset(&purge, 0, sizeof(purge));
			purge.scanning = true;
			purge_scan("0");
			break;
		case PUBLISHER_EMPTY:
			rewrite.wanted = false; /* what went wrong with a heartbeat needs none */
			break;
	}
}

/* Whether messages go out, if only heartbeats. */
static bool
speaking(void)
{
	return state >= PUBLISHER_FOLLOWING && (state != PUBLISHER_PURGING || !rewrite.wanted);
}

/* Do what the state asks for now. */
static void
act(void)
{
	int64 now = worker_clock();
	char why[STATUS_TEXT_SIZE];

	if (speaking() && now - message_at >= HEARTBEAT)
	{
		publish();
		/* paused or not, someone else may have emptied Redis */
		if (state == PUBLISHER_FOLLOWING && !rewrite.empty)
			COMMAND(TAG_COUNT, "ZCARD", RANKED);
	}
	switch (state)
	{
		case PUBLISHER_OFF:
			ticklog_skip(TICK_PUBLISHER);
			if (used_url[0] != '\0')
				publisher_move(PUBLISHER_CONNECTING);
			else
			{
				status_ok(STATUS_REDIS);
				refuse_purge("crypto_rt.redis_url is empty");
			}
			break;
		case PUBLISHER_AWAY:
			status_read(STATUS_REDIS, why);
			refuse_purge(why);
			if (now >= reconnect_at)
				publisher_move(PUBLISHER_CONNECTING);
			break;
		case PUBLISHER_CONNECTING:
			refuse_purge("there is no connection yet");
			if (redis_conn_ready())
				publisher_move(PUBLISHER_SETTLING);
			break;
		case PUBLISHER_SETTLING:
		case PUBLISHER_EMPTY:
			if (control_purge_wanted())
				publisher_move(PUBLISHER_PURGING);
			else if (purge.emptied && control_paused())
				publisher_move(PUBLISHER_EMPTY);
			else if (redis_conn_awaited() == 0 && now >= rewrite.begun_at + REWRITE_PAUSE)
				publisher_move(PUBLISHER_REWRITING);
			break;
		case PUBLISHER_REWRITING:
			if (rewrite.wanted)
				publisher_move(PUBLISHER_SETTLING);
			else if (rewrite_step())
				publisher_move(PUBLISHER_FOLLOWING);
			break;
		case PUBLISHER_FOLLOWING:
			rewrite.wanted |= rewrite.empty && ticklog_behind(TICK_PUBLISHER) > 0;
			if (control_purge_wanted())
				publisher_move(PUBLISHER_PURGING);
			else if (rewrite.wanted && (rewrite.refused || now >= rewrite.begun_at + REWRITE_PAUSE))
				publisher_move(PUBLISHER_SETTLING);
			else
				follow_step();
			break;
		case PUBLISHER_PURGING:
			if (!purge.scanning && redis_conn_awaited() == 0)
			{
				purge.emptied = purge.error[0] == '\0';
				control_purge_answer(purge.removed, purge.emptied ? NULL : purge.error);
				rewrite.begun_at = now - REWRITE_PAUSE;
				publisher_move(PUBLISHER_SETTLING);
			}
			break;
	}
}

/* Milliseconds until something is to be done, if neither socket nor latch has anything before; -1: never. */
static long
next_wait(void)
{
	int64 now = worker_clock();
	int64 until = redis_conn_deadline();

	/* the last flush may have met with an error */
	if (state >= PUBLISHER_CONNECTING && redis_conn_closed())
		return 0;
	if (redis_conn_room() && ((state == PUBLISHER_REWRITING && rewrite.slot >= 0) ||
							  (state == PUBLISHER_FOLLOWING && ticklog_behind(TICK_PUBLISHER) > 0)))
		return 0;
	if (state == PUBLISHER_AWAY)
		until = reconnect_at;
	if (speaking())
		until = Min(until, message_at + HEARTBEAT);
	if ((state == PUBLISHER_FOLLOWING && rewrite.wanted) ||
		(state == PUBLISHER_SETTLING && redis_conn_awaited() == 0))
		until = Min(until, rewrite.begun_at + REWRITE_PAUSE);
	if (until == PG_INT64_MAX)
		return -1;
	return until <= now ? 0 : (long) ((until - now + 999) / 1000);
}

/* Take the settings over.  Returns whether those of the connection are others now. */
static bool
configure(void)
{
	const char *url = settings_redis_url();
	const char *file = settings_redis_password_file();
	bool others = strcmp(used_url, url) != 0 || strcmp(used_password_file, file) != 0;

	strlcpy(used_url, url, sizeof(used_url));
	strlcpy(used_password_file, file, sizeof(used_password_file));
	return others;
}

void
crypto_rt_publisher_main(Datum arg)
{
	pgsocket socket;
	uint32 events;

	worker_begin(WORKER_PUBLISHER, InvalidOid);
	written = MemoryContextAllocZero(worker_memory(), sizeof(Written) * settings_max_coins());
	configure();
	status_set(STATUS_REDIS_CONNECTED, 0);
	do
	{
		PublisherState before;

		if (worker_reloaded() && configure() && state != PUBLISHER_OFF)
			publisher_move(PUBLISHER_OFF);
		redis_conn_step();
		do
		{
			before = state;
			if (state >= PUBLISHER_CONNECTING && reconnect_wanted)
				redis_conn_close();
			if (state >= PUBLISHER_CONNECTING && redis_conn_closed())
				publisher_move(PUBLISHER_AWAY);
			else
				act();
		} while (state != before);
		redis_conn_flush();
		socket = redis_conn_socket(&events);
	} while (worker_turn(next_wait(), socket, events));
	redis_conn_close();
	status_set(STATUS_REDIS_CONNECTED, 0);
	proc_exit(0);
}
