/*
 * limiter.c
 *	  See limiter.h.
 *
 * Addresses stand in a hash table of fixed size.  Of a bucket only the time is kept at which it will be full again: each
 * request moves it on by what one token takes to come back.  A few entries are looked at whenever a new address comes, and
 * forgotten when they hold nothing, so no call takes longer than another.
 *
 * When the table is full of addresses that do hold something, further ones share an entry, with the limits of many: nobody
 * is refused because others are many.
 */
#include "limiter.h"

#include <string.h>
#include <sys/random.h>

#include "loop.h"
#include "options.h"

#define ADDRESSES_MAX 65536
#define BUCKETS 65536    /* a power of two */
#define LOOKS 8          /* at entries that may be forgotten, for each new address */
#define SHARED_WORTH 256 /* addresses, as to its limits */
#define NONE (-1)

typedef struct Entry
{
	uint64_t key[2];
	int64_t full_at;                /* when the bucket will be full; loop_now()'s time */
	int32_t held[LIMITER_REQUESTS]; /* connections, streams */
	int32_t next;                   /* in its bucket, or among the free ones */
	bool used;
} Entry;

static Entry entries[ADDRESSES_MAX];
static int32_t buckets[BUCKETS]; /* the first entry's number + 1, so that 0 is none */
static int32_t free_ones = NONE;
static int begun;     /* entries that have been used at some time: the first ones */
static int addresses; /* that are used */
static int hand;      /* the next one to be looked at */
static Entry shared;
static uint64_t seed; /* 0: not yet */
static int64_t latest;
static uint64_t refused[LIMITER_KINDS];

static void
make_key(const struct in6_addr *address, uint64_t key[2])
{
	memcpy(key, address, 2 * sizeof(uint64_t));
	if (!IN6_IS_ADDR_V4MAPPED(address))
		key[1] = 0;
}

static int32_t *
bucket_of(const uint64_t key[2])
{
	uint64_t h;

	while (seed == 0)
		if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t) sizeof(seed))
			seed = (uint64_t) (uintptr_t) &h | 1;
	h = (key[0] ^ seed) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ (h >> 32) ^ key[1]) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ (h >> 32) ^ seed) * UINT64_C(0xc2b2ae3d27d4eb4f);
	return &buckets[(h >> 32) % BUCKETS];
}

static Entry *
find(const uint64_t key[2])
{
	for (int32_t i = *bucket_of(key) - 1; i >= 0; i = entries[i].next)
		if (entries[i].key[0] == key[0] && entries[i].key[1] == key[1])
			return &entries[i];
	return NULL;
}

static bool
is_idle(const Entry *entry)
{
	for (int kind = 0; kind < LIMITER_REQUESTS; kind++)
		if (entry->held[kind] > 0)
			return false;
	return entry->full_at <= latest;
}

static void
forget(int32_t i)
{
	int32_t *bucket = bucket_of(entries[i].key);
	int32_t at = *bucket - 1;

	if (at == i)
		*bucket = entries[i].next + 1;
	else
	{
		while (entries[at].next != i)
			at = entries[at].next;
		entries[at].next = entries[i].next;
	}
	entries[i].used = false;
	entries[i].next = free_ones;
	free_ones = i;
	addresses--;
}

static void
look_for_idle(void)
{
	for (int i = 0; i < LOOKS && i < begun; i++)
	{
		hand = hand + 1 < begun ? hand + 1 : 0;
		if (entries[hand].used && is_idle(&entries[hand]))
			forget(hand);
	}
}

/* The entry of an address, made when there is none; the shared one, when there is no room. */
static Entry *
entry_of(const struct in6_addr *address)
{
	uint64_t key[2];
	Entry *entry;
	int32_t *bucket;
	int32_t i;

	make_key(address, key);
	if ((entry = find(key)) != NULL)
		return entry;
	look_for_idle();
	if (free_ones != NONE)
	{
		i = free_ones;
		free_ones = entries[i].next;
	}
	else if (begun < ADDRESSES_MAX)
		i = begun++;
	else
		return &shared;
	bucket = bucket_of(key);
	entries[i] = (Entry){.key = {key[0], key[1]}, .next = *bucket - 1, .used = true};
	*bucket = i + 1;
	addresses++;
	return &entries[i];
}

static int64_t
worth(const Entry *entry)
{
	return entry == &shared ? SHARED_WORTH : 1;
}

/* 0: there is no limit. */
static int
limit_of(LimiterKind kind)
{
	return kind == LIMITER_CONNECTIONS ? options()->max_connections_per_address
									   : options()->max_streams_per_address;
}

bool
limiter_take(LimiterKind kind, const struct in6_addr *address)
{
	Entry *entry;

	if (limit_of(kind) <= 0)
		return true;
	entry = entry_of(address);
	if (entry->held[kind] >= limit_of(kind) * worth(entry))
	{
		refused[kind]++;
		return false;
	}
	entry->held[kind]++;
	return true;
}

void
limiter_give(LimiterKind kind, const struct in6_addr *address)
{
	uint64_t key[2];
	Entry *entry;

	if (limit_of(kind) <= 0)
		return;
	make_key(address, key);
	entry = find(key);
	/* what was taken while there was no room is the shared entry's, even if the address has one of its own now */
	if (entry == NULL || entry->held[kind] == 0)
		entry = &shared;
	if (entry->held[kind] > 0)
		entry->held[kind]--;
}

int
limiter_request(const struct in6_addr *address, int64_t now)
{
	double rate = options()->rate;
	int burst = options()->burst > 0 ? options()->burst : 1;
	double token; /* microseconds until one comes back */
	double full_in;
	double too_much;
	Entry *entry;

	latest = now;
	if (rate <= 0)
		return 0;
	entry = entry_of(address);
	token = (double) LOOP_SECOND / rate / (double) worth(entry);
	full_in = (entry->full_at > now ? (double) (entry->full_at - now) : 0) + token;
	too_much = full_in - token * burst * (double) worth(entry);
	if (too_much > 0.5)
	{
		double seconds = too_much / (double) LOOP_SECOND;

		refused[LIMITER_REQUESTS]++;
		return seconds < 1 ? 1 : seconds > 3600 ? 3600 : (int) (seconds + 0.999);
	}
	entry->full_at = now + (int64_t) (full_in + 0.5);
	return 0;
}

uint64_t
limiter_refused(LimiterKind kind)
{
	return refused[kind];
}

int
limiter_addresses(void)
{
	return addresses;
}
