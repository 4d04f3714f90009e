/*
 * subscription.h
 *	  Who listens to which coins, and the frames that they are sent.
 *
 * Clients that ask for the same share a subscription.  It gives out a frame at once when one of its coins changes and its
 * last frame is a second old, otherwise when the second is over.  The frames of lists of up to SUBSCRIPTION_WHOLE_MAX
 * symbols hold all of them, those of longer lists only what has changed since the frame before.
 *
 * Where a client stands is the number of the last change that it has been told of.  What it gets next follows from that
 * alone: the frame that is shared, when it reaches back so far, or one that does.
 *
 * Nothing here knows of connections.  Times are loop_now()'s.
 */
#ifndef CRYPTO_RT_HTTP_SUBSCRIPTION_H
#define CRYPTO_RT_HTTP_SUBSCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "blob.h"
#include "links.h"
#include "quotes.h"
#include "stream_query.h"

#define SUBSCRIPTION_WHOLE_MAX 50              /* symbols */
#define SUBSCRIPTION_INTERVAL INT64_C(1000000) /* microseconds from frame to frame, at least */

typedef enum SubscriptionState
{
	SUBSCRIPTION_RESTING, /* nothing has changed, the last frame is a second old: -> QUEUED */
	SUBSCRIPTION_QUEUED,  /* a frame is due: -> COOLING */
	SUBSCRIPTION_COOLING  /* the last frame is younger than a second: -> QUEUED or RESTING */
} SubscriptionState;

/* What has changed after `base` and up to `seq`; all that there is, when base is 0. */
typedef struct Frame
{
	Blob *bytes; /* NULL: nothing has */
	uint64_t base;
	uint64_t seq;
	uint64_t newest;  /* change in it; 0: none */
	uint64_t made_of; /* Subscription.changes at its making */
	uint64_t frames;  /* Subscription.frames then */
} Frame;

typedef struct Subscription
{
	/* immutable */
	char *symbols; /* as in StreamSymbols */
	int count;
	bool full;         /* whole quotes, in place of price and change */
	bool changes_only; /* frames hold what has changed */
	bool by_id;

	/* the stream's: who listens; it begins with an empty ring */
	Link clients;

	/* everybody's to read */
	uint64_t frames; /* given out so far */

	/* the coins: quotes[i] is the one of the i-th symbol; NULL: there is none, or another symbol has it already */
	HeldQuote **quotes;
	int missing;
	uint64_t membership; /* quotes_membership() when they were looked up */

	/* what is to be done */
	SubscriptionState state;
	bool changed;     /* while cooling */
	uint64_t changes; /* counts them */
	int64_t cool_at;
	Link in_state;
	Link in_wanting;

	/* rendered */
	Frame frame;    /* the last one given out */
	Frame whole;    /* everything */
	Frame since;    /* for those who have missed some frames */
	int since_made; /* of the same quotes */

	uint32_t hash;
	struct Subscription *next; /* in its bucket */
	int listeners;
} Subscription;

/* For quotes_listen. */
extern void subscription_changed(HeldQuote *quote);
extern void subscription_removed(HeldQuote *quote);
extern void subscription_settled(void);

/* The subscription to these symbols, made when there is none yet; takes symbols->list.  One more listens to it. */
extern Subscription *subscription_join(StreamSymbols *symbols, bool full);

/* One less listens; it is freed with the last. */
extern void subscription_leave(Subscription *subscription);

/* How many there are. */
extern int subscription_count(void);

/* When there will be something to do, LOOP_NEVER: nothing. */
extern int64_t subscription_next(int64_t now);

/*
 * Do one thing that is due.  False: there was none.  *due is set to a subscription when a frame of it has been made, for its
 * clients to take.  *work grows by what it took, in sends of a frame.
 */
extern bool subscription_work(int64_t now, Subscription **due, int *work);

/*
 * A frame for a client that stands at *seq, and its new place there; the caller holds the frame.  NULL: there is nothing
 * new for it.  subscription_frame follows the frames given out; subscription_newest is for one that has just come (0: it has
 * seen nothing), and as new as the quotes are, or for a long list at least newer than the last frame given out.
 */
extern Blob *subscription_frame(Subscription *subscription, uint64_t *seq);
extern Blob *subscription_newest(Subscription *subscription, uint64_t *seq);

#endif /* CRYPTO_RT_HTTP_SUBSCRIPTION_H */
