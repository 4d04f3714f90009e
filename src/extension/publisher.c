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
 * it is when someone else emptied or spoiled Redis, which shows in the size of crypto:symbols:ranked, in
 * errors, and when ticks were lost.  The sorted set is then built beside the old one and renamed over it.
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
#include "../core/tier.h"
#include "board.h"
#include "redis.h"
#include "settings.h"
#include "status.h"
#include "ticklog.h"
#include "worker.h"

#define SECOND INT64CONST(1000000) /* of redis_clock */
#define HEARTBEAT (5 * SECOND)     /* of silence */
#define REWRITE_PAUSE (5 * SECOND) /* from one to the next */
#define STATS_PAUSE SECOND
#define ID_TTL "86400"  /* seconds */
#define ID_RENEWAL 3600 /* seconds */

#define TICKS_AT_ONCE 256
#define SLOTS_AT_ONCE 256 /* of a rewrite; up to two commands each, well within redis.h's slack */
#define RANKS_AT_ONCE 128
#define SCAN_COUNT "1000"

#define QUOTE_PREFIX "crypto:quote:"
#define ID_PREFIX "crypto:id_map:"
#define RANKED "crypto:symbols:ranked"
#define RANKED_NEW "crypto:symbols:ranked:new"
#define STATS "crypto:stats:last_update"
#define CHANNEL "crypto:updates"

#define HEAD_SIZE 80                           /* {"epoch":E,"seq":N,"quotes":[ */
#define MESSAGE_SIZE (100 * QUOTE_JSON_SIZE)   /* room for a page, whatever its names */

typedef enum PublisherState
{
	PUBLISHER_OFF,        /* no Redis is wanted */
	PUBLISHER_AWAY,       /* waits before it connects again */
	PUBLISHER_CONNECTING, /* and logs in */
	PUBLISHER_SETTLING,   /* a rewrite is wanted: waits for the replies to all before, and for its time */
	PUBLISHER_REWRITING,  /* writes the whole board */
	PUBLISHER_FOLLOWING,  /* follows the tick log */
	PUBLISHER_PURGING     /* removes all keys of ours */
} PublisherState;

#define TO(state) (1 << PUBLISHER_##state)

/* The moves that are allowed. */
static const int moves[] = {
	[PUBLISHER_OFF] = TO(AWAY),
	[PUBLISHER_AWAY] = TO(CONNECTING) | TO(AWAY) | TO(OFF),
	[PUBLISHER_CONNECTING] = TO(SETTLING) | TO(AWAY) | TO(OFF),
	[PUBLISHER_SETTLING] = TO(REWRITING) | TO(PURGING) | TO(AWAY) | TO(OFF),
	[PUBLISHER_REWRITING] = TO(FOLLOWING) | TO(SETTLING) | TO(AWAY) | TO(OFF),
	[PUBLISHER_FOLLOWING] = TO(SETTLING) | TO(PURGING) | TO(AWAY) | TO(OFF),
	[PUBLISHER_PURGING] = TO(FOLLOWING) | TO(SETTLING) | TO(AWAY) | TO(OFF),
};

/* What a reply answers. */
enum
{
	TAG_WRITE,  /* anything of which only an error matters */
	TAG_ADD,    /* ZADD */
	TAG_REMOVE, /* ZREM */
	TAG_COUNT,  /* ZCARD */
	TAG_RENAME, /* the end of a rewrite */
	TAG_SCAN,
	TAG_UNLINK
};

/* What has been written of a slot's coin. */
typedef struct Written
{
	uint32 generation;
	int32 id_due;             /* when its id is to be renewed, in seconds of redis_clock */
	char symbol[SYMBOL_SIZE]; /* "": nothing */
} Written;

/* A member of the sorted set as it was written last. */
typedef struct Ranked
{
	char symbol[SYMBOL_SIZE];
	int32 rank;
} Ranked;

static PublisherState state = PUBLISHER_OFF;

/* what we are connected by */
static char *used_url;
static char *used_password_file;
static int failures;       /* in a row, to connect or to rewrite */
static int64 reconnect_at; /* in AWAY */
static bool reconnect_wanted;

/* what is in Redis, as far as we know */
static Written *written;     /* by slot */
static HTAB *ranked;         /* by symbol */
static int64 ranked_members; /* by Redis' own count of what we added and removed; see take_reply */

static struct
{
	bool wanted;
	bool refused;    /* because the server refuses writes */
	int64 begun_at;  /* the last one */
	int slot;        /* the next; -1: the first commands have not been answered yet */
	bool empty;      /* it found no coin */
	uint64 ticks_lost; /* when it began */
} rewrite;

static struct
{
	bool scanning;
	int64 removed;
	char error[STATUS_TEXT_SIZE];
} purge;

/* the page that is being written */
static struct
{
	char text[HEAD_SIZE + MESSAGE_SIZE];
	size_t used; /* bytes of changed quotes, behind the head */
	int64 nquotes;
	const char *rank_key;
	int nranks;
	char scores[RANKS_AT_ONCE][12];
	char symbols[RANKS_AT_ONCE][SYMBOL_SIZE];
} page;

static int64 epoch; /* unix milliseconds */
static int64 seq;
static int64 message_at;
static int64 stats_at;

static void take_reply(int tag, const redisReply *reply);

/*
 * Commands.
 */

/* Queue a command whose arguments are strings. */
static void
command(int tag, int argc, const char *const *argv)
{
	size_t lengths[8];

	Assert(argc <= lengthof(lengths));
	for (int i = 0; i < argc; i++)
		lengths[i] = strlen(argv[i]);
	redis_conn_command(tag, argc, argv, lengths);
}

#define COMMAND(tag, ...) \
	command(tag, lengthof(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__})

/* Send the ranks that have been gathered. */
static void
flush_ranks(void)
{
	const char *argv[2 + 2 * RANKS_AT_ONCE] = {"ZADD", page.rank_key};
	size_t lengths[2 + 2 * RANKS_AT_ONCE] = {4, strlen(page.rank_key)};
	int n = 2;

	if (page.nranks == 0)
		return;
	for (int i = 0; i < page.nranks; i++)
	{
		argv[n] = page.scores[i];
		lengths[n++] = strlen(page.scores[i]);
		argv[n] = page.symbols[i];
		lengths[n++] = strlen(page.symbols[i]);
	}
	redis_conn_command(TAG_ADD, n, argv, lengths);
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
	redis_conn_command(TAG_WRITE, 3, (const char *[]){"PUBLISH", CHANNEL, message},
					   (const size_t[]){7, strlen(CHANNEL), n + page.used + 2});
	page.used = 0;
	message_at = redis_clock();
	status_add(STATUS_REDIS_MESSAGES, 1);
}

/* See whether someone else has changed the sorted set. */
static void
check_members(void)
{
	COMMAND(TAG_COUNT, "ZCARD", RANKED);
}

static void
write_stats(void)
{
	BoardCounts counts = board_counts();
	int64 sweep = status_get(STATUS_LAST_SWEEP);
	char time[QUOTE_TIME_SIZE];
	char json[256];

	quote_time(sweep, time);
	snprintf(json, sizeof(json),
			 "{\"total_coins\":%d,\"active_coins\":%d,\"last_full_update\":%s%s%s,\"pages_fetched\":" INT64_FORMAT
			 "}",
			 counts.coins, counts.active, sweep == 0 ? "" : "\"", sweep == 0 ? "null" : time,
			 sweep == 0 ? "" : "\"", status_get(STATUS_PAGES_FETCHED));
	COMMAND(TAG_WRITE, "SET", STATS, json);
	stats_at = redis_clock();
}

/*
 * Coins.
 */

/* Whether a coin that is listed owns a symbol, which so stays in Redis. */
static bool
symbol_is_owned(const char *symbol)
{
	int slot = board_find(symbol, strlen(symbol));
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
	strcpy(page.symbols[page.nranks], quote->symbol);
	page.nranks++;
}

static void
write_id(const Quote *quote)
{
	char key[sizeof(ID_PREFIX) + QUOTE_NAMEID_SIZE];

	snprintf(key, sizeof(key), ID_PREFIX "%s", quote->nameid);
	COMMAND(TAG_WRITE, "SET", key, quote->symbol, "EX", ID_TTL);
}

static void
delete_id(const Quote *quote)
{
	char key[sizeof(ID_PREFIX) + QUOTE_NAMEID_SIZE];

	snprintf(key, sizeof(key), ID_PREFIX "%s", quote->nameid);
	COMMAND(TAG_WRITE, "DEL", key);
}

/* Seconds for which a quote is still good; 0 or less when it is not. */
static int64
ttl_left(const Quote *quote, int64 now_unix_us)
{
	int64 ttl = settings_ttl(quote->rank);
	int64 age = Max(now_unix_us - quote->fetched_at, 0) / SECOND;

	return ttl - age;
}

/* Write a quote, and gather it for the message if it has changed. */
static void
write_quote(const Quote *quote, bool changed, int64 now_unix_us)
{
	const TierList *tiers = settings_tiers();
	int tier = tier_of_rank(tiers, quote->rank);
	int64 ttl = ttl_left(quote, now_unix_us);
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
	redis_conn_command(TAG_WRITE, 5, (const char *[]){"SET", key, json, "EX", seconds},
					   (const size_t[]){3, strlen(QUOTE_PREFIX) + symbol_len, len, 2,
										(size_t) pg_lltoa(ttl, seconds)});
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
	int64 now = redis_clock();
	int32 now_seconds = (int32) (now / SECOND);
	bool listed = board_read(slot, &entry) && entry.owns_symbol && entry.quote.rank > 0;
	bool same_coin = coin->symbol[0] != '\0' && coin->generation == entry.generation;

	if (coin->symbol[0] != '\0' && !(listed && same_coin && strcmp(coin->symbol, entry.quote.symbol) == 0))
	{
		if (!listed && same_coin)
			delete_id(&entry.quote);
		forget_symbol(coin);
	}
	if (!listed)
		return;
	if (coin->symbol[0] == '\0')
	{
		coin->generation = entry.generation;
		strcpy(coin->symbol, entry.quote.symbol);
		write_id(&entry.quote);
		/* spread over the slots, so that not all are renewed at a time */
		coin->id_due = now_seconds + 1 + slot % ID_RENEWAL;
	}
	else if (now_seconds >= coin->id_due)
	{
		write_id(&entry.quote);
		coin->id_due = now_seconds + ID_RENEWAL;
	}
	write_rank(&entry.quote);
	write_quote(&entry.quote, changed, worker_now());
}

/* A page, or a slice of the board, has been written. */
static void
end_page(void)
{
	flush_ranks();
	status_add(STATUS_REDIS_QUOTES, page.nquotes);
	page.nquotes = 0;
}

