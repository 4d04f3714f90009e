/*
 * coin.c
 *	  See coin.h.
 */
#include "coin.h"

#include <math.h>
#include <stdlib.h>

double
coin_weight(const Coin *coin)
{
	const char *cap = coin_text(coin, COIN_MARKET_CAP);

	if (cap != NULL)
	{
		double value = strtod(cap, NULL);

		return isfinite(value) ? value : 0.0;
	}
	if (coin->supply > 0 && !coin_is_dead(coin))
		return coin->price * coin->supply;
	return coin->weight;
}

const char *
coin_text(const Coin *coin, CoinField field)
{
	if (coin->pins != NULL && coin->pins->fields[field] != NULL)
		return coin->pins->fields[field];
	switch (field)
	{
		case COIN_ID:
			return coin->id;
		case COIN_SYMBOL:
			return coin->symbol;
		case COIN_NAME:
			return coin->name;
		default:
			return NULL;
	}
}

bool
coin_is_dead(const Coin *coin)
{
	return (coin->quirks & COIN_DEAD) && coin_text(coin, COIN_PRICE) == NULL;
}

void
coin_touch(Coin *coin)
{
	free(coin->row);
	coin->row = NULL;
}

void
coin_free(Coin *coin)
{
	if (coin->pins != NULL)
	{
		for (int i = 0; i < COIN_FIELDS; i++)
			free(coin->pins->fields[i]);
		free(coin->pins->row);
		free(coin->pins);
	}
	free(coin->id);
	free(coin->symbol);
	free(coin->name);
	free(coin->nameid);
	free(coin->csupply);
	free(coin->tsupply);
	free(coin->msupply);
	free(coin->row);
	free(coin);
}
