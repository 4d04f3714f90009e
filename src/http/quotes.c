/*
 * quotes.c
 *	  See quotes.h.
 *
 * The quotes are in two hash tables, by symbol and by nameid, and in one array that is sorted by rank when somebody asks for
 * it.  A page of new quotes leaves the array nearly in order, so that sorting it is mostly one look at it.
 */
#include "quotes.h"

#include <stdlib.h>
#include <string.h>

#include "../core/tier.h"
#include "loop.h"

#define BUCKETS 65536 /* of each hash table; a power of two */
#define LISTENERS_MAX 4
#define FUTURE_SLACK (5 * LOOP_SECOND) /* by which clocks may differ */
#define MOVES_PER_QUOTE 8 /* how far from sorted the array may be, before it is sorted from scratch */

static HeldQuote *by_symbol[BUCKETS];
static HeldQuote *by_nameid[BUCKETS];
static HeldQuote **ranked;
static int held_count;
static int ranked_room;
static bool ranked_dirty;

static uint64_t last_seq;
static uint64_t last_version;
static uint64_t membership;
static int64_t epoch;
static bool unsettled;

/* tiers from 1; 0 is all of them */
static int tier_counts[QUOTES_TIERS_MAX];
static int64_t tier_freshest[QUOTES_TIERS_MAX];
static bool tier_freshest_gone[QUOTES_TIERS_MAX]; /* the freshest has left: look for it again */

static const QuotesListener *listeners[LISTENERS_MAX];
static int listener_count;

/*
 * Finding them.
 */

static uint32_t
bucket_of(const char *s, size_t len)
{
	return symbol_key_hash(symbol_key(s, len)) & (BUCKETS - 1);
}

static HeldQuote *
find_symbol(const char *symbol, size_t len)
{
	char folded[SYMBOL_SIZE];
	HeldQuote *quote;

	if (len == 0 || len >= sizeof(folded))
		return NULL;
	memcpy(folded, symbol, len);
	folded[len] = '\0';
	symbol_fold(folded, len);
	quote = by_symbol[bucket_of(folded, len)];
	while (quote != NULL && (memcmp(quote->symbol, folded, len + 1) != 0))
		quote = quote->next_by_symbol;
	return quote;
}

static HeldQuote *
find_nameid(const char *nameid, size_t len)
{
	HeldQuote *found = NULL;

	if (len == 0 || len >= QUOTE_NAMEID_SIZE)
		return NULL;
	for (HeldQuote *quote = by_nameid[bucket_of(nameid, len)]; quote != NULL; quote = quote->next_by_nameid)
		if (memcmp(quote->nameid, nameid, len) == 0 && quote->nameid[len] == '\0' &&
			(found == NULL || quote->updated_at > found->updated_at))
			found = quote;
	return found;
}

HeldQuote *
quotes_find(const char *symbol, size_t len)
{
	if (len > 3 && (symbol[0] | 0x20) == 'i' && (symbol[1] | 0x20) == 'd' && symbol[2] == ':')
		return find_nameid(symbol + 3, len - 3);
	return find_symbol(symbol, len);
}

static void
link_symbol(HeldQuote *quote)
{
	HeldQuote **head = &by_symbol[bucket_of(quote->symbol, strlen(quote->symbol))];

	quote->next_by_symbol = *head;
	*head = quote;
}

static void
unlink_symbol(const HeldQuote *quote)
{
	HeldQuote **link = &by_symbol[bucket_of(quote->symbol, strlen(quote->symbol))];

	while (*link != quote)
		link = &(*link)->next_by_symbol;
	*link = quote->next_by_symbol;
}

static void
link_nameid(HeldQuote *quote)
{
	HeldQuote **head = &by_nameid[bucket_of(quote->nameid, strlen(quote->nameid))];

	quote->next_by_nameid = *head;
	*head = quote;
}

static void
unlink_nameid(const HeldQuote *quote)
{
	HeldQuote **link = &by_nameid[bucket_of(quote->nameid, strlen(quote->nameid))];

	while (*link != quote)
		link = &(*link)->next_by_nameid;
	*link = quote->next_by_nameid;
}

/*
 * Their order.
 */

/* By rank, those without one last; those of the same rank by symbol. */
static int
compare(const HeldQuote *a, const HeldQuote *b)
{
	uint32_t ranks[2] = {(uint32_t) a->rank - 1, (uint32_t) b->rank - 1};

	if (ranks[0] != ranks[1])
		return ranks[0] < ranks[1] ? -1 : 1;
	return strcmp(a->symbol, b->symbol);
}

static int
compare_places(const void *a, const void *b)
{
	return compare(*(HeldQuote *const *) a, *(HeldQuote *const *) b);
}

/* By insertion, as long as that takes few moves. */
static void
sort_ranked(void)
{
	int64_t moves = (int64_t) held_count * MOVES_PER_QUOTE;

	for (int i = 1; i < held_count && moves >= 0; i++)
	{
		HeldQuote *quote = ranked[i];
		int at = i;

		for (; at > 0 && compare(ranked[at - 1], quote) > 0; at--, moves--)
			ranked[at] = ranked[at - 1];
		ranked[at] = quote;
	}
	if (moves < 0)
		qsort(ranked, (size_t) held_count, sizeof(HeldQuote *), compare_places);
	for (int i = 0; i < held_count; i++)
		ranked[i]->place = i;
	ranked_dirty = false;
}

HeldQuote *const *
quotes_ranked(int *count)
{
	if (ranked_dirty)
		sort_ranked();
	*count = held_count;
	return ranked;
}

/*
 * Counts and ages.
 */

static void
note_freshest(int tier, int64_t updated_at)
{
	if (updated_at < tier_freshest[tier])
		return;
	tier_freshest[tier] = updated_at;
	tier_freshest_gone[tier] = false;
}

static void
enter_tier(const HeldQuote *quote)
{
	tier_counts[0]++;
	note_freshest(0, quote->updated_at);
	if (quote->tier == 0)
		return;
	tier_counts[quote->tier]++;
	note_freshest(quote->tier, quote->updated_at);
}

static void
leave_tier(const HeldQuote *quote)
{
	tier_counts[0]--;
	tier_freshest_gone[0] |= quote->updated_at == tier_freshest[0];
	if (quote->tier == 0)
		return;
	tier_counts[quote->tier]--;
	tier_freshest_gone[quote->tier] |= quote->updated_at == tier_freshest[quote->tier];
}

int
quotes_count(int tier)
{
	return tier >= 0 && tier < QUOTES_TIERS_MAX ? tier_counts[tier] : 0;
}

int64_t
quotes_freshest(int tier)
{
	if (tier < 0 || tier >= QUOTES_TIERS_MAX)
		return 0;
	if (tier_freshest_gone[tier])
	{
		tier_freshest[tier] = 0;
		for (int i = 0; i < held_count; i++)
			if (tier == 0 || ranked[i]->tier == tier)
				note_freshest(tier, ranked[i]->updated_at);
		tier_freshest_gone[tier] = false;
	}
	return tier_freshest[tier];
}

int64_t
quotes_age(const HeldQuote *quote)
{
	int64_t us = loop_unix() - quote->updated_at;

	return us > 0 ? us / LOOP_SECOND : 0;
}

bool
quotes_stale(const HeldQuote *quote)
{
	return quotes_age(quote) > tier_default_ttl(quote->interval);
}

uint64_t
quotes_seq(void)
{
	return last_seq;
}

uint64_t
quotes_version(void)
{
	return last_version;
}

uint64_t
quotes_membership(void)
{
	return membership;
}

int64_t
quotes_epoch(void)
{
	return epoch;
}

/*
 * Taking quotes in and out.
 */

void
quotes_listen(const QuotesListener *listener)
{
	if (listener_count < LISTENERS_MAX)
		listeners[listener_count++] = listener;
}

static void
tell_changed(HeldQuote *quote)
{
	unsettled = true;
	for (int i = 0; i < listener_count; i++)
		if (listeners[i]->changed != NULL)
			listeners[i]->changed(quote);
}

static void
tell_removed(HeldQuote *quote)
{
	unsettled = true;
	for (int i = 0; i < listener_count; i++)
		if (listeners[i]->removed != NULL)
			listeners[i]->removed(quote);
}

void
quotes_settle(void)
{
	if (!unsettled)
		return;
	unsettled = false;
	for (int i = 0; i < listener_count; i++)
		if (listeners[i]->settled != NULL)
			listeners[i]->settled();
}

/* Whether the JSON is what is held, but for its last_updated. */
static bool
same_but_age(const HeldQuote *held, const QuoteRead *read, const char *json, size_t len)
{
	size_t begin = read->last_updated.at;
	size_t end = begin + read->last_updated.len;
	size_t held_end = (size_t) held->last_updated.at + held->last_updated.len;

	return held->last_updated.at == begin && memcmp(held->json->bytes, json, begin) == 0 &&
		   held->json->len - held_end == len - end &&
		   memcmp(held->json->bytes + held_end, json + end, len - end) == 0;
}

/* An empty place for a quote; NULL: there are too many. */
static HeldQuote *
add_quote(const char *symbol)
{
	HeldQuote *quote;

	if (held_count >= QUOTES_MAX)
		return NULL;
	if (held_count == ranked_room)
	{
		ranked_room = ranked_room > 0 ? ranked_room * 2 : 1024;
		ranked = memory_grow(ranked, (size_t) ranked_room * sizeof(HeldQuote *));
	}
	quote = memory_get(sizeof(HeldQuote));
	strcpy(quote->symbol, symbol);
	link_symbol(quote);
	ranked[held_count++] = quote;
	ranked_dirty = true;
	membership++;
	return quote;
}

static void
fill_quote(HeldQuote *quote, const QuoteRead *read, const char *json, size_t len)
{
	if (strcmp(quote->nameid, read->nameid) != 0)
	{
		if (quote->nameid[0] != '\0')
			unlink_nameid(quote);
		strcpy(quote->nameid, read->nameid);
		if (quote->nameid[0] != '\0')
			link_nameid(quote);
	}
	ranked_dirty |= quote->rank != read->rank;
	quote->rank = read->rank;
	quote->tier = read->tier;
	quote->simulated = read->simulated;
	quote->interval = read->interval;
	quote->updated_at = read->updated_at;
	quote->price = read->price;
	quote->change_24h = read->change_24h;
	quote->volume_24h = read->volume_24h;
	quote->last_updated = read->last_updated;
	quote->version = ++last_version;
	blob_drop(quote->json);
	quote->json = blob_of(json, len);
}

QuotesTaken
quotes_take(const char *json, size_t len, const char **why)
{
	const char *reason = "there are too many quotes";
	QuoteRead read;
	HeldQuote *quote = NULL;
	bool renewed = false;

	if (quote_read(json, len, &read, &reason))
	{
		quote = find_symbol(read.symbol, strlen(read.symbol));
		if (quote == NULL)
			quote = add_quote(read.symbol);
	}
	if (quote == NULL)
	{
		if (why != NULL)
			*why = reason;
		return QUOTES_REFUSED;
	}
	quote->marked = true;
	if (quote->json != NULL)
	{
		if (quote->json->len == len && memcmp(quote->json->bytes, json, len) == 0)
			return QUOTES_RENEWED;
		/* what is from the future would keep all that is true out, until its time has come */
		if (read.updated_at < quote->updated_at && quote->updated_at <= loop_unix() + FUTURE_SLACK)
			return QUOTES_OLDER;
		renewed = same_but_age(quote, &read, json, len);
		leave_tier(quote);
	}
	fill_quote(quote, &read, json, len);
	enter_tier(quote);
	if (renewed)
		return QUOTES_RENEWED;
	quote->seq = ++last_seq;
	tell_changed(quote);
	return QUOTES_CHANGED;
}

void
quotes_mark_none(void)
{
	for (int i = 0; i < held_count; i++)
		ranked[i]->marked = false;
}

void
quotes_mark(const char *symbol, size_t len)
{
	HeldQuote *quote = find_symbol(symbol, len);

	if (quote != NULL)
		quote->marked = true;
}

static void
free_quote(HeldQuote *quote)
{
	blob_drop(quote->json);
	free(quote);
}

static void
remove_quote(HeldQuote *quote)
{
	unlink_symbol(quote);
	if (quote->nameid[0] != '\0')
		unlink_nameid(quote);
	leave_tier(quote);
	tell_removed(quote);
	free_quote(quote);
	last_version++;
	membership++;
}

/* Bring those that are marked to the front, in their order; returns their number. */
static int
part_marked(void)
{
	HeldQuote **others = memory_get((size_t) held_count * sizeof(HeldQuote *));
	int marked = 0;
	int other = 0;

	for (int i = 0; i < held_count; i++)
		if (ranked[i]->marked)
			ranked[marked++] = ranked[i];
		else
			others[other++] = ranked[i];
	memcpy(ranked + marked, others, (size_t) other * sizeof(HeldQuote *));
	free(others);
	return marked;
}

int
quotes_sweep(void)
{
	int before = held_count;
	int stay = part_marked();

	ranked_dirty |= stay < before;
	if (stay == 0)
		return 0;
	while (held_count > stay)
		remove_quote(ranked[--held_count]);
	return before - stay;
}

void
quotes_init(void)
{
	for (int i = 0; i < held_count; i++)
		free_quote(ranked[i]);
	free(ranked);
	ranked = NULL;
	held_count = ranked_room = 0;
	ranked_dirty = unsettled = false;
	memset(by_symbol, 0, sizeof(by_symbol));
	memset(by_nameid, 0, sizeof(by_nameid));
	memset(tier_counts, 0, sizeof(tier_counts));
	memset(tier_freshest, 0, sizeof(tier_freshest));
	memset(tier_freshest_gone, 0, sizeof(tier_freshest_gone));
	last_seq = last_version = membership = 0;
	listener_count = 0;
	epoch = loop_unix() / 1000;
}
