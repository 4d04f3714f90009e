/*
 * market.h
 *	  All coins, and what happens to them.
 *
 * Upstream, CoinLore refreshes in steps.  A step moves a random share of the coins, so that each
 * changes about once per refresh time, and now and then lets a coin come or go.  Between two steps
 * nothing changes but by the administrator's hand, and version tells whether anything has: what was
 * rendered of one version stays good for as long as that is the version.
 *
 * Not for use by several threads.
 */
#ifndef COINLORE_SIM_MARKET_H
#define COINLORE_SIM_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "coin.h"
#include "mint.h"

typedef struct Market
{
	/* to be read by all */
	Coin **ranked; /* the listed coins, best first */
	int listed;
	uint64_t version;
	uint64_t steps;
	int64_t refreshed; /* unix seconds of the last step */
	bool frozen;

	/* the market's own */
	Mint mint;
	int minted; /* number of the next coin to make */
	Coin **coins;
	int count;
	int room;
	Coin **by_weight; /* the listed coins whose rank is not pinned, by weight as of the last ranking */
	int by_weight_count;
	Coin **table; /* by nameid, open addressing */
	int table_size;
	Coin *bitcoin;
	uint64_t dice;
	int64_t refresh_us;
	int64_t step_us;
	int64_t next_step_us; /* monotonic */
	int64_t ranked_us;    /* monotonic */
	bool rank_due;
} Market;

/* refresh_us: the time after which a coin has changed once, on average. */
extern Market *market_new(uint64_t seed, int coins, int64_t refresh_us, bool frozen);
extern void market_free(Market *market);

/* Make the step that is due, if one is. */
extern void market_turn(Market *market);

/* Microseconds until market_turn has something to do; -1: never. */
extern int64_t market_wait(const Market *market);

extern void market_freeze(Market *market, bool frozen);

/* Move every coin that is not pinned, now, also in a frozen market.  Nobody comes or goes. */
extern void market_refresh(Market *market);

/* NULL: there is none, listed or not. */
extern Coin *market_find(const Market *market, const char *nameid);

/*
 * Hold a coin still, with those fields that are not NULL as given, verbatim.  A coin that does not
 * exist is created.  rank 0 and COIN_COMES_AND_GOES leave those two as they are.
 */
extern Coin *market_pin(Market *market, const char *nameid, const char *const fields[COIN_FIELDS], int rank,
						CoinPresence presence);

/* Have len bytes emitted in place of the coin's row, which also holds it still. */
extern void market_pin_row(Market *market, Coin *coin, const char *row, size_t len);

/* The coin's own row again, or that of every coin; both return how many that changes. */
extern int market_unpin_row(Market *market, Coin *coin);
extern int market_unpin_rows(Market *market);

/* Let go of a coin.  One that was created by a pin is gone then, and false is returned. */
extern bool market_unpin(Market *market, Coin *coin);

/* List n coins: the worst of them leave, or others come back and new ones are made. */
extern void market_list(Market *market, int n);

#endif /* COINLORE_SIM_MARKET_H */
