/*
 * mint.h
 *	  Makes the coins a market starts with, and those that are listed later.
 *
 * Coin number n of a seed and a market size is always the same coin.  The numbers begin with the
 * well-known coins; the made-up ones follow, by market cap, with the odd and the duplicate symbols
 * spread among them.
 */
#ifndef COINLORE_SIM_MINT_H
#define COINLORE_SIM_MINT_H

#include <stdint.h>

#include "coin.h"

#define MINT_COINS_MAX 100000 /* the largest market there can be */

typedef struct Mint
{
	uint64_t seed;
	int size; /* coins the market starts with */
} Mint;

/*
 * Make coin number n.  Numbers from size on are newcomers, anywhere in the lower ranks.  The caller
 * makes sure that nameid and id are unique (market_add does).
 */
extern Coin *mint_coin(const Mint *mint, int n);

/* A coin with nothing but a nameid, for the administrator to fill. */
extern Coin *mint_blank(const char *nameid);

#endif /* COINLORE_SIM_MINT_H */
