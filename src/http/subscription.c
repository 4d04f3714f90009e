/*
 * subscription.c
 *	  See subscription.h.
 *
 * A subscription that has nothing to give stands in no queue.  A change puts it into `stirred`, and the end of the batch
 * into `ready`, so that a frame holds all of a batch.  From there subscription_work takes it, makes its frame and puts
 * it into `cooling` for a second; all cool equally long, so that queue is in the order of time by itself.
 *
 * Symbols that are unknown wait in `wanting`.  When symbols have come or gone, those who wait look again, one by one and at
 * most once a second; and each looks before it makes a frame, so that a frame of number N holds all of its coins that there
 * are at N.  On that rests that a client at N needs nothing but changes after N.
 */
#include "subscription.h"

#include <inttypes.h>
#include <string.h>

#include "loop.h"
#include "memory.h"
#include "text.h"

#define BUCKETS 4096 /* a power of two */
#define SINCE_MAX                                                                                            \
	4 /* frames of their own for those behind, from the same quotes; further ones get everything */
#define WORK_COINS 128  /* coins rendered or looked up, in the time of one send */
#define SYMBOLS_FIRST 8 /* room of HeldQuote.subscriptions */

static Subscription *buckets[BUCKETS];
static int subscriptions;
static Subscription *everything[2]; /* those to all coins: without and with `full` */

static Link stirred = LINKS_EMPTY(stirred);
static Link ready = LINKS_EMPTY(ready);
static Link cooling = LINKS_EMPTY(cooling);

static Link wanting = LINKS_EMPTY(wanting); /* some symbols are unknown, or may become another coin's */
static Link looking = LINKS_EMPTY(looking); /* of those, the ones to look again now */
static uint64_t looked_membership;
static int64_t looked_at = INT64_MIN / 2;

/*
 * Changes.
 */

static void
stir(Subscription *subscription)
{
	subscription->changes++;
	if (subscription->state == SUBSCRIPTION_COOLING)
		subscription->changed = true;
	if (subscription->state != SUBSCRIPTION_RESTING)
		return;
	subscription->state = SUBSCRIPTION_QUEUED;
	links_append(&stirred, &subscription->in_state);
}

void
subscription_changed(HeldQuote *quote)
{
	for (int i = 0; i < quote->subscription_count; i++)
		stir(quote->subscriptions[i]);
	for (int i = 0; i < 2; i++)
		if (everything[i] != NULL)
			stir(everything[i]);
}

void
subscription_settled(void)
{
	links_append_all(&ready, &stirred);
}

/*
 * Symbols and their coins.
 */

static void
listen_to(Subscription *subscription, HeldQuote *quote)
{
	if (quote->subscription_count == quote->subscription_room)
	{
		quote->subscription_room =
			quote->subscription_room > 0 ? quote->subscription_room * 2 : SYMBOLS_FIRST;
		quote->subscriptions =
			memory_grow(quote->subscriptions, (size_t) quote->subscription_room * sizeof(Subscription *));
	}
	quote->subscriptions[quote->subscription_count++] = subscription;
}

static void
listen_no_more(Subscription *subscription, HeldQuote *quote)
{
	int i = quote->subscription_count;

	while (--i >= 0 && quote->subscriptions[i] != subscription)
		;
	if (i < 0)
		return;
	quote->subscriptions[i] = quote->subscriptions[--quote->subscription_count];
	if (quote->subscription_count > 0)
		return;
	free(quote->subscriptions);
	quote->subscriptions = NULL;
	quote->subscription_room = 0;
}

static bool
has_coin(const Subscription *subscription, const HeldQuote *quote)
{
	for (int i = 0; i < subscription->count; i++)
		if (subscription->quotes[i] == quote)
			return true;
	return false;
}

/* Look up what is missing, and what a nameid stands for now.  Whether there is a coin that was not there. */
static bool
look_up(Subscription *subscription)
{
	const char *symbol = subscription->symbols;
	bool found = false;

	subscription->membership = quotes_membership();
	for (int i = 0; i < subscription->count; i++)
	{
		size_t len = strcspn(symbol, ",");
		HeldQuote *before = subscription->quotes[i];
		HeldQuote *quote = before;

		if (before == NULL || subscription->by_id)
			quote = quotes_find(symbol, len);
		symbol += len + 1;
		if (quote == before)
			continue;
		if (before != NULL)
			listen_no_more(subscription, before);
		/* two symbols of a list are two coins, unless one is an id */
		if (quote != NULL && subscription->by_id && has_coin(subscription, quote))
			quote = NULL;
		subscription->quotes[i] = quote;
		subscription->missing += (quote == NULL) - (before == NULL);
		if (quote == NULL)
			continue;
		listen_to(subscription, quote);
		found = true;
	}
	if (subscription->missing == 0 && !subscription->by_id)
		links_remove(&subscription->in_wanting);
	else
		links_append(&wanting, &subscription->in_wanting);
	return found;
}

/* Before a frame is made.  A nameid may have moved to another symbol without one having come or gone. */
static void
look_up_if_needed(Subscription *subscription)
{
	bool missing = links_stands(&subscription->in_wanting) && subscription->membership != quotes_membership();

	if ((missing || subscription->by_id) && look_up(subscription))
		subscription->changes++;
}

void
subscription_removed(HeldQuote *quote)
{
	for (int i = 0; i < quote->subscription_count; i++)
	{
		Subscription *subscription = quote->subscriptions[i];

		for (int j = 0; j < subscription->count; j++)
			if (subscription->quotes[j] == quote)
			{
				subscription->quotes[j] = NULL;
				subscription->missing++;
			}
		subscription->changes++;
		links_append(&wanting, &subscription->in_wanting);
	}
	for (int i = 0; i < 2; i++)
		if (everything[i] != NULL)
			everything[i]->changes++;
	free(quote->subscriptions);
	quote->subscriptions = NULL;
	quote->subscription_count = quote->subscription_room = 0;
}

/*
 * Coming and going.
 */

static uint32_t
hash_of(const char *symbols, bool full)
{
	uint32_t h = 2166136261u ^ full;

	for (; *symbols != '\0'; symbols++)
		h = (h ^ (unsigned char) *symbols) * 16777619u;
	return h;
}

static Subscription *
make(StreamSymbols *symbols, bool full, uint32_t hash)
{
	Subscription *made = memory_get(sizeof(Subscription));

	made->symbols = symbols->list;
	made->count = symbols->count;
	made->by_id = symbols->by_id;
	made->full = full;
	made->changes_only = symbols->count == 0 || symbols->count > SUBSCRIPTION_WHOLE_MAX;
	made->hash = hash;
	made->changes = 1; /* none of the frames is of these */
	links_init(&made->clients);
	made->quotes = memory_get((size_t) made->count * sizeof(HeldQuote *));
	made->missing = made->count;
	look_up(made);
	if (made->count == 0)
		everything[full] = made;
	/* who comes gets all that there is now, so the first frame begins here */
	if (made->changes_only)
		made->frame.seq = made->frame.base = quotes_seq();
	return made;
}

Subscription *
subscription_join(StreamSymbols *symbols, bool full)
{
	uint32_t hash = hash_of(symbols->list, full);
	Subscription **link = &buckets[hash % BUCKETS];
	Subscription *found = *link;

	while (found != NULL &&
		   (found->hash != hash || found->full != full || strcmp(found->symbols, symbols->list) != 0))
		found = found->next;
	if (found == NULL)
	{
		found = make(symbols, full, hash);
		found->next = *link;
		*link = found;
		subscriptions++;
	}
	else
		free(symbols->list);
	symbols->list = NULL;
	found->listeners++;
	return found;
}

void
subscription_leave(Subscription *subscription)
{
	Subscription **link = &buckets[subscription->hash % BUCKETS];

	if (--subscription->listeners > 0)
		return;
	while (*link != subscription)
		link = &(*link)->next;
	*link = subscription->next;
	subscriptions--;
	if (subscription->count == 0)
		everything[subscription->full] = NULL;
	for (int i = 0; i < subscription->count; i++)
		if (subscription->quotes[i] != NULL)
			listen_no_more(subscription, subscription->quotes[i]);
	links_remove(&subscription->in_state);
	links_remove(&subscription->in_wanting);
	blob_drop(subscription->frame.bytes);
	blob_drop(subscription->whole.bytes);
	blob_drop(subscription->since.bytes);
	free(subscription->quotes);
	free(subscription->symbols);
	free(subscription);
}

int
subscription_count(void)
{
	return subscriptions;
}

/*
 * Frames.
 */

/* A line break among the data would end the frame; in JSON it can only be white space. */
static void
add_in_one_line(Text *text, const Blob *json)
{
	char *to = text_room(text, json->len);

	text_add(text, json->bytes, json->len);
	for (size_t i = 0; i < json->len; i++)
		if (to[i] == '\n' || to[i] == '\r')
			to[i] = ' ';
}

static void
add_number(Text *text, const char *name, const HeldQuote *quote, Span span)
{
	text_string(text, name);
	if (span.len > 0)
		text_add(text, quote->json->bytes + span.at, span.len);
	else
		text_string(text, "null");
}

static void
add_coin(Text *text, const HeldQuote *quote, bool full)
{
	text_json(text, quote->symbol, strlen(quote->symbol));
	if (full)
	{
		text_string(text, ":");
		add_in_one_line(text, quote->json);
	}
	else
	{
		add_number(text, ":{\"price\":", quote, quote->price);
		add_number(text, ",\"change\":", quote, quote->change_24h);
		text_string(text, "}");
	}
}

/* Put what has changed since base into a frame. */
static void
render(const Subscription *subscription, uint64_t base, Frame *frame)
{
	HeldQuote *const *quotes = subscription->quotes;
	int count = subscription->count;
	Text text = {0};
	uint64_t newest = 0;

	if (count == 0)
		quotes = quotes_ranked(&count);
	for (int i = 0; i < count; i++)
	{
		if (quotes[i] == NULL || (base > 0 && quotes[i]->seq <= base))
			continue;
		if (newest == 0)
			text_format(&text, "id: %" PRId64 "-%" PRIu64 "\ndata: {", quotes_epoch(), quotes_seq());
		else
			text_string(&text, ",");
		add_coin(&text, quotes[i], subscription->full);
		newest = quotes[i]->seq > newest ? quotes[i]->seq : newest;
	}
	if (newest > 0)
		text_string(&text, "}\n\n");
	blob_drop(frame->bytes);
	*frame = (Frame){
		.bytes = newest > 0 ? text_blob(&text) : NULL,
		.base = base,
		.seq = quotes_seq(),
		.newest = newest,
		.made_of = subscription->changes,
		.frames = subscription->frames,
	};
}

/*
 * Whether a frame still holds what it would if it were made now.  Then it stands for the newest number, whatever its id
 * says: nothing of its coins has changed in between.
 */
static bool
is_current(Frame *frame, const Subscription *subscription)
{
	if (frame->made_of != subscription->changes)
		return false;
	frame->seq = quotes_seq();
	return true;
}

/*
 * Everything.  Of a long list that is much, and clients that do not read hold on to it; so one will do between two frames:
 * the next one has what has changed since.
 */
static const Frame *
whole_frame(Subscription *subscription)
{
	Frame *whole = &subscription->whole;
	bool will_do =
		subscription->changes_only && whole->bytes != NULL && whole->frames == subscription->frames;

	if (!is_current(whole, subscription) && !will_do)
		render(subscription, 0, whole);
	return whole;
}

/*
 * A frame that reaches back to seq at least: the one made for somebody else, where that will do.  Clients that lag by
 * different lengths must not cost a rendering each.
 */
static const Frame *
since_frame(Subscription *subscription, uint64_t seq)
{
	Frame *since = &subscription->since;

	if (!is_current(since, subscription))
		subscription->since_made = 0;
	else if (since->base <= seq)
		return since;
	if (subscription->since_made == SINCE_MAX)
		return whole_frame(subscription);
	subscription->since_made++;
	render(subscription, seq, since);
	return since;
}

/* Nothing for one who has it all by other frames already; but it stands where the frame does. */
static Blob *
give(const Frame *frame, uint64_t *seq)
{
	bool is_new = *seq < frame->newest;

	*seq = frame->seq;
	return is_new ? blob_share(frame->bytes) : NULL;
}

Blob *
subscription_newest(Subscription *subscription, uint64_t *seq)
{
	look_up_if_needed(subscription);
	return give(*seq > 0 && subscription->changes_only ? since_frame(subscription, *seq)
													   : whole_frame(subscription),
				seq);
}

Blob *
subscription_frame(Subscription *subscription, uint64_t *seq)
{
	const Frame *frame = &subscription->frame;

	if (*seq >= frame->seq)
		return NULL;
	if (*seq >= frame->base)
		return give(frame, seq);
	return subscription_newest(subscription, seq);
}

/*
 * What is due.
 */

/* Those who wait for symbols look again, when some have come or gone, and a second after they did so the last time. */
static bool
look_again(int64_t now, int *work)
{
	Subscription *subscription;

	if (links_empty(&looking))
	{
		if (links_empty(&wanting) || looked_membership == quotes_membership() ||
			now - looked_at < SUBSCRIPTION_INTERVAL)
			return false;
		looked_membership = quotes_membership();
		looked_at = now;
		links_append_all(&looking, &wanting);
	}
	subscription = LINKS_OWNER(looking.next, Subscription, in_wanting);
	*work += 1 + subscription->count / WORK_COINS;
	if (look_up(subscription))
	{
		stir(subscription);
		subscription_settled();
	}
	return true;
}

static void
end_cooling(int64_t now)
{
	while (!links_empty(&cooling))
	{
		Subscription *subscription = LINKS_OWNER(cooling.next, Subscription, in_state);

		if (subscription->cool_at > now)
			return;
		links_remove(&subscription->in_state);
		subscription->state = SUBSCRIPTION_RESTING;
		if (!subscription->changed)
			continue;
		subscription->changed = false;
		subscription->state = SUBSCRIPTION_QUEUED;
		links_append(&ready, &subscription->in_state);
	}
}

static void
make_frame(Subscription *subscription)
{
	uint64_t base = subscription->changes_only ? subscription->frame.seq : 0;
	Frame *frame = &subscription->frame;

	look_up_if_needed(subscription);
	if (base > 0)
		render(subscription, base, frame);
	else
	{
		blob_drop(frame->bytes);
		*frame = *whole_frame(subscription);
		if (frame->bytes != NULL)
			blob_share(frame->bytes);
	}
	subscription->frames++;
}

bool
subscription_work(int64_t now, Subscription **due, int *work)
{
	Subscription *subscription;
	int all;

	*due = NULL;
	if (look_again(now, work))
		return true;
	end_cooling(now);
	if (links_empty(&ready))
		return false;
	subscription = LINKS_OWNER(ready.next, Subscription, in_state);
	make_frame(subscription);
	all = subscription->count;
	if (all == 0)
		quotes_ranked(&all);
	*work += 1 + all / WORK_COINS;
	subscription->state = SUBSCRIPTION_COOLING;
	subscription->cool_at = now + SUBSCRIPTION_INTERVAL;
	links_append(&cooling, &subscription->in_state);
	if (subscription->frame.bytes != NULL)
		*due = subscription;
	return true;
}

int64_t
subscription_next(int64_t now)
{
	int64_t next = LOOP_NEVER;

	if (!links_empty(&ready) || !links_empty(&looking))
		return now;
	if (!links_empty(&cooling))
		next = LINKS_OWNER(cooling.next, Subscription, in_state)->cool_at;
	if (!links_empty(&wanting) && looked_membership != quotes_membership() &&
		looked_at + SUBSCRIPTION_INTERVAL < next)
		next = looked_at + SUBSCRIPTION_INTERVAL;
	return next > now ? next : now;
}
