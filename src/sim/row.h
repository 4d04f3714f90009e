/*
 * row.h
 *	  A coin as CoinLore writes it: sixteen fields in JSON.
 */
#ifndef COINLORE_SIM_ROW_H
#define COINLORE_SIM_ROW_H

#include "coin.h"
#include "text.h"

#define ROW_NUMBER_SIZE 512 /* room for any number that row.c prints */

/* The coin's row, from the coin's own store if nothing but its rank has changed since it was rendered. */
extern void row_add(Text *text, Coin *coin);

/* The row in the shape that /api/ticker/ once had: volume24 a string, volume24_native for volume24a. */
extern void row_add_old(Text *text, const Coin *coin);

/* price_usd as it stands in the row. */
extern const char *row_price(const Coin *coin, char buf[ROW_NUMBER_SIZE]);

#endif /* COINLORE_SIM_ROW_H */
