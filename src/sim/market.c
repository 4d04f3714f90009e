/*
 * market.c
 *	  See market.h.
 *
 * Ranks follow the market caps.  by_weight is nearly in order all the time, since caps move little
 * from one ranking to the next, so an insertion sort puts it right in about one pass.
 */
#include "market.h"

#include <math.h>
#include <string.h>

#include "clock.h"
#include "dice.h"
#include "memory.h"

#define YEAR (365.25 * 86400.0)
#define RANKING_US CLOCK_SECOND /* the shortest time between two rankings by market cap */
#define STEPS_PER_REFRESH 5
#define STEP_MIN_US (CLOCK_SECOND / 4)
#define STEP_MAX_US (2 * CLOCK_SECOND)
#define COMING_US (INT64_C(180) * CLOCK_SECOND) /* on average; going likewise */
#define UNLISTED_ENOUGH 100                     /* with so many to come back, no new ones are made */
#define MOVE_SECONDS_MIN 10.0                   /* a move shorter than that would vanish in rounding */

static uint32_t
hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char) *s) * 16777619u;
	return h;
}

static Coin **
slot_of(const Market *market, const char *nameid)
{
	uint32_t mask = (uint32_t) market->table_size - 1;
	uint32_t i = hash(nameid) & mask;

	while (market->table[i] != NULL && strcmp(market->table[i]->nameid, nameid) != 0)
		i = (i + 1) & mask;
	return &market->table[i];
}

static void
rebuild_table(Market *market, int size)
{
	free(market->table);
	market->table = memory_get((size_t) size * sizeof(Coin *));
	market->table_size = size;
	for (int i = 0; i < market->count; i++)
		*slot_of(market, market->coins[i]->nameid) = market->coins[i];
}

Coin *
market_find(const Market *market, const char *nameid)
{
	return *slot_of(market, nameid);
}

static bool
before(const Coin *a, double a_weight, const Coin *b, double b_weight)
{
	return a_weight != b_weight ? a_weight > b_weight : strcmp(a->nameid, b->nameid) < 0;
}

static int
compare_weight(const void *a, const void *b)
{
	const Coin *x = *(Coin *const *) a;
	const Coin *y = *(Coin *const *) b;

	return before(x, coin_weight(x), y, coin_weight(y)) ? -1 : 1;
}

static void
sort_nearly_sorted(Coin **coins, int n)
{
	double *weights = memory_get((size_t) n * sizeof(double));

	for (int i = 0; i < n; i++)
	{
		Coin *coin = coins[i];
		double weight = coin_weight(coin);
		int j = i;

		for (; j > 0 && before(coin, weight, coins[j - 1], weights[j - 1]); j--)
		{
			coins[j] = coins[j - 1];
			weights[j] = weights[j - 1];
		}
		coins[j] = coin;
		weights[j] = weight;
	}
	free(weights);
}

static int
compare_pinned_rank(const void *a, const void *b)
{
	return (*(Coin *const *) a)->pins->rank - (*(Coin *const *) b)->pins->rank;
}

static bool
rank_is_pinned(const Coin *coin)
{
	return coin->pins != NULL && coin->pins->rank > 0;
}

/* Put by_weight in order, and those with a pinned rank between them. */
static void
rank_now(Market *market)
{
	Coin **pinned = NULL;
	int pinned_count = 0;
	int next_pinned = 0;
	int next = 0;

	sort_nearly_sorted(market->by_weight, market->by_weight_count);
	if (market->listed > market->by_weight_count)
	{
		pinned = memory_get((size_t) market->listed * sizeof(Coin *));
		for (int i = 0; i < market->count; i++)
			if (market->coins[i]->listed && rank_is_pinned(market->coins[i]))
				pinned[pinned_count++] = market->coins[i];
		qsort(pinned, (size_t) pinned_count, sizeof(Coin *), compare_pinned_rank);
	}
	for (int i = 0; i < market->listed; i++)
	{
		if (next_pinned < pinned_count &&
			(pinned[next_pinned]->pins->rank <= i + 1 || next == market->by_weight_count))
			market->ranked[i] = pinned[next_pinned++];
		else
			market->ranked[i] = market->by_weight[next++];
		market->ranked[i]->rank = i + 1;
	}
	free(pinned);
	market->ranked_us = clock_us();
	market->rank_due = false;
	market->version++;
}

/* Gather the listed coins anew, after one has come, gone, or had its rank pinned. */
static void
relist(Market *market)
{
	int n = 0;

	market->by_weight = memory_grow(market->by_weight, (size_t) market->room * sizeof(Coin *));
	market->ranked = memory_grow(market->ranked, (size_t) market->room * sizeof(Coin *));
	/* those that were there keep their order, so that sorting stays cheap */
	for (int i = 0; i < market->by_weight_count; i++)
	{
		Coin *coin = market->by_weight[i];

		if (coin->listed && !rank_is_pinned(coin))
			market->by_weight[n++] = coin;
		else
			coin->rank = 0;
	}
	market->by_weight_count = n;
	market->listed = n;
	for (int i = 0; i < market->count; i++)
	{
		Coin *coin = market->coins[i];

		if (!coin->listed)
			coin->rank = 0;
		else if (rank_is_pinned(coin))
		{
			coin->rank = 0;
			market->listed++;
		}
		else if (coin->rank == 0)
		{
			market->by_weight[market->by_weight_count++] = coin;
			market->listed++;
		}
	}
	rank_now(market);
}

static void
set_price_btc(const Market *market, Coin *coin)
{
	double bitcoin = market->bitcoin != NULL ? market->bitcoin->price : 77000.0;

	coin->price_btc = coin == market->bitcoin ? 1.0 : bitcoin > 0 ? coin->price / bitcoin : 0.0;
}

static void
market_add(Market *market, Coin *coin)
{
	if (market->count == market->room)
	{
		market->room = market->room > 0 ? market->room * 2 : 1024;
		market->coins = memory_grow(market->coins, (size_t) market->room * sizeof(Coin *));
	}
	if (market->table_size < 2 * (market->count + 1))
		rebuild_table(market, market->table_size > 0 ? market->table_size * 2 : 2048);
	for (int i = 2; *slot_of(market, coin->nameid) != NULL; i++)
	{
		/* as CoinLore does: "luna-coin-2" */
		size_t len = strlen(coin->nameid);

		coin->nameid = memory_grow(coin->nameid, len + 12);
		snprintf(coin->nameid + len, 12, "-%d", i);
	}
	*slot_of(market, coin->nameid) = coin;
	market->coins[market->count++] = coin;
	set_price_btc(market, coin);
}

static Coin *
market_mint(Market *market)
{
	Coin *coin;

	if (market->minted >= MINT_COINS_MAX)
		return NULL;
	coin = mint_coin(&market->mint, market->minted++);
	if (market->bitcoin == NULL && strcmp(coin->nameid, "bitcoin") == 0)
		market->bitcoin = coin;
	market_add(market, coin);
	return coin;
}

Market *
market_new(uint64_t seed, int coins, int64_t refresh_us, bool frozen)
{
	Market *market = memory_get(sizeof(Market));

	market->mint.seed = seed;
	market->mint.size = coins;
	market->dice = dice_for(seed, UINT64_MAX).state;
	market->refresh_us = refresh_us;
	market->step_us = refresh_us / STEPS_PER_REFRESH;
	if (market->step_us < STEP_MIN_US)
		market->step_us = STEP_MIN_US;
	if (market->step_us > STEP_MAX_US)
		market->step_us = STEP_MAX_US;
	market->next_step_us = clock_us() + market->step_us;
	market->refreshed = clock_unix_us() / CLOCK_SECOND;
	market->frozen = frozen;
	while (market->minted < coins)
		market_mint(market)->listed = true;
	market->by_weight = memory_get((size_t) market->room * sizeof(Coin *));
	for (int i = 0; i < market->count; i++)
		market->by_weight[i] = market->coins[i];
	market->by_weight_count = market->count;
	qsort(market->by_weight, (size_t) market->count, sizeof(Coin *), compare_weight);
	for (int i = 0; i < market->count; i++)
		market->by_weight[i]->rank = i + 1;
	relist(market);
	return market;
}

void
market_free(Market *market)
{
	for (int i = 0; i < market->count; i++)
		coin_free(market->coins[i]);
	free(market->coins);
	free(market->by_weight);
	free(market->ranked);
	free(market->table);
	free(market);
}

/* Let a price of some time ago follow, so that it is about that much behind. */
static void
follow(double *ago, double price, double seconds, double horizon)
{
	if (*ago > 0)
		*ago *= pow(price / *ago, seconds < horizon ? seconds / horizon : 1.0);
}

static void
move(Market *market, Coin *coin, Dice *dice)
{
	double seconds = (double) market->refresh_us / CLOCK_SECOND;
	double years;
	double distance;
	double pull;

	if (coin->pins != NULL || coin->price <= 0 || (coin->quirks & COIN_DEAD))
		return;
	if (seconds < MOVE_SECONDS_MIN)
		seconds = MOVE_SECONDS_MIN;
	years = seconds / YEAR;
	distance = log(coin->price) - coin->log_anchor;
	pull = coin->reversion * years < 1.0 ? coin->reversion * years : 1.0;
	follow(&coin->hour_ago, coin->price, seconds, 3600.0);
	follow(&coin->day_ago, coin->price, seconds, 86400.0);
	follow(&coin->week_ago, coin->price, seconds, 7 * 86400.0);
	coin->price *= exp(coin->volatility * sqrt(years) * dice_normal(dice) - pull * distance);
	if (coin->volume_base > 0)
	{
		double usual = coin->volume_base * exp(distance);

		coin->volume *= exp(0.002 * dice_normal(dice) - 0.0005 * log(coin->volume / usual));
		if (coin->volume_before > 0)
			follow(&coin->volume_before, coin->volume, seconds, 86400.0);
	}
	set_price_btc(market, coin);
	coin_touch(coin);
}

static bool
may_leave(const Coin *coin)
{
	return coin->listed && coin->pins == NULL && !(coin->quirks & COIN_WELL_KNOWN);
}

static bool
may_come(const Coin *coin)
{
	return !coin->listed && (coin->pins == NULL || coin->pins->presence != COIN_ABSENT);
}

/* A random coin out of those that may, NULL when there is none. */
static Coin *
draw(const Market *market, Dice *dice, bool (*may)(const Coin *))
{
	int start = dice_below(dice, market->count);

	for (int i = 0; i < market->count; i++)
	{
		Coin *coin = market->coins[(start + i) % market->count];

		if (may(coin))
			return coin;
	}
	return NULL;
}

static void
come_and_go(Market *market, Dice *dice)
{
	double share = (double) market->step_us / COMING_US;
	bool changed = false;

	if (dice_chance(dice, share))
	{
		Coin *coin = NULL;
		int away = market->count - market->listed;

		if (away > UNLISTED_ENOUGH || (away > 0 && dice_chance(dice, 0.5)))
			coin = draw(market, dice, may_come);
		if (coin == NULL)
			coin = market_mint(market);
		if (coin != NULL)
			coin->listed = changed = true;
	}
	if (market->listed > market->mint.size / 2 && dice_chance(dice, share))
	{
		Coin *coin = draw(market, dice, may_leave);

		if (coin != NULL)
		{
			coin->listed = false;
			changed = true;
		}
	}
	if (changed)
		relist(market);
}

static void
step(Market *market, double share)
{
	Dice dice = {market->dice};

	for (int i = 0; i < market->listed; i++)
		if (share >= 1.0 || dice_chance(&dice, share))
			move(market, market->ranked[i], &dice);
	market->dice = dice.state;
	market->steps++;
	market->version++;
	market->refreshed = clock_unix_us() / CLOCK_SECOND;
	market->rank_due = true;
}

void
market_turn(Market *market)
{
	int64_t now = clock_us();
	Dice dice;

	if (market->frozen || now < market->next_step_us)
		return;
	step(market, (double) market->step_us / market->refresh_us);
	dice.state = market->dice;
	come_and_go(market, &dice);
	market->dice = dice.state;
	if (market->rank_due && now - market->ranked_us >= RANKING_US - STEP_MIN_US / 2)
		rank_now(market);
	market->next_step_us += market->step_us;
	if (market->next_step_us < now) /* it was away for longer than a step */
		market->next_step_us = now + market->step_us;
}

int64_t
market_wait(const Market *market)
{
	int64_t left;

	if (market->frozen)
		return -1;
	left = market->next_step_us - clock_us();
	return left > 0 ? left : 0;
}

void
market_freeze(Market *market, bool frozen)
{
	if (market->frozen && !frozen)
		market->next_step_us = clock_us() + market->step_us;
	market->frozen = frozen;
}

void
market_refresh(Market *market)
{
	step(market, 1.0);
	rank_now(market);
}

static CoinPins *
pins_of(Coin *coin)
{
	if (coin->pins == NULL)
	{
		coin->pins = memory_get(sizeof(CoinPins));
		coin->pins->price_before = coin->price;
		coin->pins->listed_before = coin->listed;
	}
	return coin->pins;
}

Coin *
market_pin(Market *market, const char *nameid, const char *const fields[COIN_FIELDS], int rank,
		   CoinPresence presence)
{
	Coin *coin = market_find(market, nameid);
	CoinPins *pins;

	if (coin == NULL)
	{
		coin = mint_blank(nameid);
		market_add(market, coin);
		pins = pins_of(coin);
		pins->created = true;
		coin->listed = true;
	}
	pins = pins_of(coin);
	for (int i = 0; i < COIN_FIELDS; i++)
		if (fields[i] != NULL)
		{
			free(pins->fields[i]);
			pins->fields[i] = memory_dup(fields[i]);
		}
	if (fields[COIN_PRICE] != NULL)
	{
		double price = strtod(fields[COIN_PRICE], NULL);

		coin->price = isfinite(price) ? price : 0.0;
		set_price_btc(market, coin);
	}
	if (rank > 0)
		pins->rank = rank;
	if (presence != COIN_COMES_AND_GOES)
	{
		pins->presence = presence;
		coin->listed = presence == COIN_PRESENT;
	}
	coin_touch(coin);
	relist(market);
	return coin;
}

void
market_pin_row(Market *market, Coin *coin, const char *row, size_t len)
{
	CoinPins *pins = pins_of(coin);

	free(pins->row);
	pins->row = memory_dup_bytes(row, len);
	pins->row_len = len;
	market->version++;
}

/* Whether nothing else was fixed, so that without its row the coin is as any other. */
static bool
only_row(const CoinPins *pins)
{
	for (int i = 0; i < COIN_FIELDS; i++)
		if (pins->fields[i] != NULL)
			return false;
	return !pins->created && pins->rank == 0 && pins->presence == COIN_COMES_AND_GOES;
}

int
market_unpin_row(Market *market, Coin *coin)
{
	if (coin->pins == NULL || coin->pins->row == NULL)
		return 0;
	free(coin->pins->row);
	coin->pins->row = NULL;
	market->version++;
	if (only_row(coin->pins))
		market_unpin(market, coin);
	return 1;
}

int
market_unpin_rows(Market *market)
{
	int n = 0;

	for (int i = 0; i < market->count; i++)
		n += market_unpin_row(market, market->coins[i]);
	return n;
}

bool
market_unpin(Market *market, Coin *coin)
{
	CoinPins *pins = coin->pins;
	bool stays = pins == NULL || !pins->created;

	if (pins == NULL)
		return stays;
	if (rank_is_pinned(coin))
		coin->rank = 0; /* so that relist finds it a place among the others */
	if (stays)
	{
		if (pins->fields[COIN_PRICE] != NULL)
			coin->price = pins->price_before;
		if (pins->presence != COIN_COMES_AND_GOES)
			coin->listed = pins->listed_before;
	}
	else
		coin->listed = false;
	for (int i = 0; i < COIN_FIELDS; i++)
		free(pins->fields[i]);
	free(pins->row);
	free(pins);
	coin->pins = NULL;
	set_price_btc(market, coin);
	coin_touch(coin);
	relist(market);
	if (!stays)
	{
		int i = 0;

		while (market->coins[i] != coin)
			i++;
		market->coins[i] = market->coins[--market->count];
		coin_free(coin);
		rebuild_table(market, market->table_size);
	}
	return stays;
}

void
market_list(Market *market, int n)
{
	/* worst first, but never one that was pinned to be there */
	for (int i = market->listed - 1, listed = market->listed; i >= 0 && listed > n; i--)
	{
		Coin *coin = market->ranked[i];

		if (coin->pins != NULL && coin->pins->presence == COIN_PRESENT)
			continue;
		coin->listed = false;
		listed--;
	}
	relist(market);
	for (int i = 0; i < market->count && market->listed < n; i++)
		if (may_come(market->coins[i]))
		{
			market->coins[i]->listed = true;
			market->listed++;
		}
	while (market->listed < n)
	{
		Coin *coin = market_mint(market);

		if (coin == NULL)
			break;
		coin->listed = true;
		market->listed++;
	}
	relist(market);
}
