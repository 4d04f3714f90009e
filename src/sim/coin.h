/*
 * coin.h
 *	  One coin of the simulated market.
 *
 * The market makes and moves coins, rows render them, the admin pins them.  Texts are owned by the
 * coin.  Prices here are doubles, since a simulated price has no exact value before it is printed;
 * what a test pins is kept as the text it was given.
 */
#ifndef COINLORE_SIM_COIN_H
#define COINLORE_SIM_COIN_H

#include <stdbool.h>
#include <stddef.h>

/* What is odd about a coin; see FACTS on rows. */
enum
{
	COIN_DEAD = 1 << 0,            /* price and price_btc are "0?", nothing is traded */
	COIN_NO_VOLUME = 1 << 1,       /* listed, never traded */
	COIN_CAP_NULL = 1 << 2,        /* market_cap_usd null where it is unknown, else "0.00" */
	COIN_HOUR_NULL = 1 << 3,       /* percent_change_1h null */
	COIN_WEEK_EMPTY = 1 << 4,      /* percent_change_7d "" */
	COIN_WEEK_MISSING = 1 << 5,    /* no percent_change_7d */
	COIN_MSUPPLY_MISSING = 1 << 6, /* no msupply */
	COIN_VOLUME_CENTS = 1 << 7,    /* volumes with two decimals */
	COIN_VOLUME_EXACT = 1 << 8,    /* volumes as all the digits of a double, up to 28 */
	COIN_SCIENTIFIC = 1 << 9,      /* a tiny price as 4.2E-9 */
	COIN_WELL_KNOWN = 1 << 10,     /* never leaves by itself */
	COIN_NEWLY_TRADED = 1 << 11    /* volume24a is 0 */
};

/* The fields that can be pinned to a text, in the order of a row. */
typedef enum CoinField
{
	COIN_ID,
	COIN_SYMBOL,
	COIN_NAME,
	COIN_PRICE,
	COIN_MARKET_CAP,
	COIN_VOLUME24,
	COIN_FIELDS
} CoinField;

typedef enum CoinPresence
{
	COIN_COMES_AND_GOES,
	COIN_PRESENT,
	COIN_ABSENT
} CoinPresence;

/* What an administrator has fixed. */
typedef struct CoinPins
{
	char *fields[COIN_FIELDS]; /* NULL: not pinned */
	double price_before;       /* the price to go back to */
	int rank;                  /* 0: not pinned */
	CoinPresence presence;
	bool listed_before;
	bool created; /* the coin exists by the pin only */
	char *row;    /* emitted in place of the coin's own row, NULL: none */
	size_t row_len;
} CoinPins;

typedef struct Coin
{
	/* immutable after it was made */
	char *id;
	char *symbol;
	char *name;
	char *nameid;
	char *csupply; /* the supplies as shown; NULL is null */
	char *tsupply;
	char *msupply;
	double supply;     /* circulating; 0: unknown */
	double log_anchor; /* of the price it keeps near to */
	double volatility; /* of log price, per square root of a year */
	double reversion;  /* towards the anchor, per year */
	double volume_base;
	double weight; /* stands for a market cap that is unknown when ranks are made */
	unsigned quirks;

	/* moved by the market */
	double price;
	double price_btc;
	double hour_ago;
	double day_ago;
	double week_ago;
	double volume;
	double volume_before;
	bool listed;
	int rank; /* from 1; 0: not listed */

	/* set by the administrator; NULL: nothing */
	CoinPins *pins;

	/* kept by row.c: the rendered row without the digits of its rank; NULL: to be rendered */
	char *row;
	size_t row_len;
	size_t rank_at;
} Coin;

/* A market cap or what stands for it. */
extern double coin_weight(const Coin *coin);

/* The coin's text for a field: the pinned one or, for id, symbol and name, its own; else NULL. */
extern const char *coin_text(const Coin *coin, CoinField field);

/* Whether its price is "0?", which it is not while another one is pinned. */
extern bool coin_is_dead(const Coin *coin);

/* Have the row rendered anew. */
extern void coin_touch(Coin *coin);

extern void coin_free(Coin *coin);

#endif /* COINLORE_SIM_COIN_H */
