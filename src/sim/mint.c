/*
 * mint.c
 *	  See mint.h.
 */
#include "mint.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dice.h"
#include "known.h"
#include "memory.h"
#include "text.h"

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

#define SMALL_MARKET 200 /* below it there is no room for the known coins far down */
#define FIRST_MADE_UP_ID 50001
#define ID_STEP 9
#define NEWCOMER_RANK 1500 /* the best rank a newcomer can have */
#define ODD_FROM 0.12      /* where in the list the odd symbols begin */
#define IMPOSTORS 30       /* coins far down with the symbol of one of the best */
#define IMPOSTORS_FROM 0.35
#define DUPLICATE_EVERY 13 /* made-up coins with the symbol of another one */
#define DUPLICATE_REST 5
#define STRANGE_EVERY 61 /* made-up coins whose symbol has something outside A-Z 0-9 */
#define STRANGE_REST 7
#define SALT_NATURE UINT64_C(0x1000000000)
#define SALT_SYMBOL UINT64_C(0x2000000000)

/* Market cap by rank, as CoinLore's list has it; between the points along a power law. */
static const struct
{
	double rank;
	double cap;
} curve[] = {
	{1, 2.6e9},     {40, 2.0e9},   {100, 5.75e8}, {200, 1.8e8}, {500, 2.2e7}, {862, 4.8e6},
	{1072, 2.29e6}, {2000, 5.1e5}, {5313, 2.6e4}, {9001, 1500}, {14993, 4},   {MINT_COINS_MAX, 0.01},
};

static const char *const first_words[] = {
	"Astro", "Baby",   "Cyber",  "Dragon",  "Echo",  "Falcon", "Giga",  "Hyper",  "Ice",   "Jade",
	"Kilo",  "Luna",   "Mega",   "Nova",    "Orbit", "Pixel",  "Quant", "Rocket", "Solar", "Turbo",
	"Ultra", "Vortex", "Wave",   "Xeno",    "Yield", "Zen",    "Alpha", "Bamboo", "Cosmo", "Delta",
	"Ether", "Fusion", "Golden", "Harvest", "Iron",  "Jungle", "Karma", "Liquid", "Moon",  "Neon",
	"Omni",  "Panda",  "Quick",  "River",   "Safe",  "Tiger",  "Urban", "Velvet",
};

static const char *const second_words[] = {
	"swap", "chain", "coin", "verse", "pad",   "fi",    "bit",   "cash",  "dex",  "gold",  "link", "mint",
	"node", "pay",   "port", "rise",  "shift", "stack", "trade", "vault", "ware", "world", "yard", "zone",
	"apes", "bank",  "cats", "doge",  "edge",  "farm",  "gate",  "hash",  "inu",  "jet",   "king", "lab",
	"mars", "net",   "ore",  "pulse", "quest", "ring",  "star",  "tide",  "unit", "vibe",  "wolf", "x",
};

static const char *const last_words[] = {
	"",       " Token",   " Protocol", " Network",   " DAO",  " Finance",  " Games",   " Inu",
	" AI",    " Classic", " Cash",     " Capital",   " Labs", " Exchange", " Chain",   " Governance",
	" Share", " Bond",    " Meme",     " Fan Token", " Doge", " Index",    " Reserve", " Old",
};

#define NAMES (COUNT(first_words) * COUNT(second_words) * COUNT(last_words))

static const char *const suffixes[] = {".E", "_V2", " BSC", "+",  "*", "%",
									   "!",  "-LP", "/ETH", "'S", "@", "#1"};

static double
cap_at(double rank)
{
	int i = 1;
	double share;

	while (i < COUNT(curve) - 1 && rank > curve[i].rank)
		i++;
	share = log(rank / curve[i - 1].rank) / log(curve[i].rank / curve[i - 1].rank);
	return curve[i - 1].cap * pow(curve[i].cap / curve[i - 1].cap, share);
}

/* How many well-known coins have at least this market cap. */
static int
known_above(double cap)
{
	int n = 0;

	for (int i = 0; i < known_top; i++)
		if (known_coins[i].price * known_coins[i].supply >= cap)
			n++;
	return n;
}

/* Where made-up coin n (from 0) stands when the well-known ones are counted in. */
static int
rank_of_made_up(int n)
{
	int rank = n + 1 + known_top;

	for (;;)
	{
		int better = n + 1 + known_above(cap_at(rank));

		if (better >= rank)
			return rank;
		rank = better;
	}
}

/* Lower case, and a hyphen for whatever is between letters and digits; "coin" when nothing is left. */
static char *
slug(const char *name)
{
	Text text = TEXT_EMPTY;

	for (const char *p = name; *p != '\0'; p++)
	{
		char c = (char) tolower((unsigned char) *p);

		if (isalnum((unsigned char) c) && (unsigned char) c < 0x80)
			text_bytes(&text, &c, 1);
		else if (text.len > 0 && text.bytes[text.len - 1] != '-')
			text_add(&text, "-");
	}
	while (text.len > 0 && text.bytes[text.len - 1] == '-')
		text.bytes[--text.len] = '\0';
	if (text.len == 0)
		text_add(&text, "coin");
	return text.bytes;
}

static char *
number_text(const char *format, double value)
{
	char buf[400];

	snprintf(buf, sizeof(buf), format, value);
	return memory_dup(buf);
}

static Coin *
mint_known(const Mint *mint, const KnownCoin *known)
{
	Coin *coin = memory_get(sizeof(Coin));
	const KnownCapture *capture = known_capture(known->nameid);
	Dice dice = dice_for(mint->seed, SALT_NATURE ^ (uint64_t) (known - known_coins));
	double hour = 0.4 * known->volatility * dice_normal(&dice);
	double day = 3.0 * known->volatility * dice_normal(&dice);
	double week = 7.0 * known->volatility * dice_normal(&dice);

	coin->symbol = memory_dup(known->symbol);
	coin->name = memory_dup(known->name);
	coin->nameid = memory_dup(known->nameid);
	if (known->id > 0)
		coin->id = number_text("%.0f", known->id);
	else
		coin->id = number_text("%.0f", FIRST_MADE_UP_ID - ID_STEP * (double) (known - known_coins + 1));
	coin->csupply = memory_dup(known->csupply);
	coin->tsupply = memory_dup(known->tsupply);
	coin->msupply = memory_dup(known->msupply);
	coin->supply = known->supply;
	coin->price = known->price;
	coin->log_anchor = known->price > 0 ? log(known->price) : 0.0;
	coin->volatility = known->volatility;
	coin->volume = coin->volume_base = known->volume;
	coin->volume_before = known->volume * exp(0.15 * dice_normal(&dice));
	coin->quirks = COIN_WELL_KNOWN;
	if (capture != NULL)
	{
		hour = capture->hour;
		day = capture->day;
		week = capture->week;
		coin->volume_before = capture->volume_before;
		coin->quirks |= capture->quirks;
		if (capture->rank > 0)
			coin->weight = cap_at(capture->rank);
	}
	coin->hour_ago = coin->price / (1.0 + hour / 100.0);
	coin->day_ago = coin->price / (1.0 + day / 100.0);
	coin->week_ago = coin->price / (1.0 + week / 100.0);
	return coin;
}

static int
made_up_count(const Mint *mint)
{
	int known = mint->size < SMALL_MARKET ? known_top : known_count;

	return mint->size > known ? mint->size - known : 0;
}

static void
name_words(const Mint *mint, int n, const char **first, const char **second, const char **last)
{
	/* 31337 shares no factor with NAMES, so every name comes up once before any comes up again */
	uint64_t k = ((uint64_t) n * 31337 + mint->seed * 7919) % NAMES;

	*first = first_words[k % COUNT(first_words)];
	k /= COUNT(first_words);
	*second = second_words[k % COUNT(second_words)];
	*last = last_words[k / COUNT(second_words)];
}

/* A symbol made of letters of the name, and never that of a well-known coin. */
static char *
natural_symbol(const Mint *mint, int n)
{
	Dice dice = dice_for(mint->seed, SALT_SYMBOL ^ (uint64_t) n);
	const char *first;
	const char *second;
	const char *last;
	char word[64];
	char symbol[16];
	int len = 3 + (dice_chance(&dice, 0.9) ? 1 : 0) + (dice_chance(&dice, 0.5) ? 1 : 0) +
			  (dice_chance(&dice, 0.2) ? 1 : 0);
	int word_len;
	int at = 0;

	name_words(mint, n, &first, &second, &last);
	word_len = snprintf(word, sizeof(word), "%s%s%s", first, second, last[0] == ' ' ? last + 1 : last);
	for (int i = 0; i < len; i++)
	{
		int spare = word_len - at - (len - i);

		if (i > 0 && spare > 0)
			at += dice_below(&dice, spare + 1 < 4 ? spare + 1 : 4);
		symbol[i] = word[at] == ' ' ? 'X' : (char) toupper((unsigned char) word[at]);
		at++;
	}
	symbol[len] = '\0';
	for (int i = 0; i < known_count; i++)
		if (strcmp(known_coins[i].symbol, symbol) == 0)
		{
			symbol[len] = 'X';
			symbol[len + 1] = '\0';
			break;
		}
	return memory_dup(symbol);
}

/* Whether made-up coin n of count is number *k of some that are spread over the list from a share of it on. */
static bool
is_spread(int n, int count, double from, int some, int shift, int *k)
{
	for (int i = 0; i < some; i++)
		if (n == (int) (count * (from + (0.97 - from) * i / some)) + shift)
		{
			*k = i;
			return true;
		}
	return false;
}

static void
christen(const Mint *mint, int n, Coin *coin)
{
	int count = made_up_count(mint);
	Dice dice = dice_for(mint->seed, SALT_SYMBOL ^ SALT_NATURE ^ (uint64_t) n);
	const char *first;
	const char *second;
	const char *last;
	char name[128];
	int k;

	if (is_spread(n, count, ODD_FROM, known_odd_count, 0, &k))
	{
		coin->symbol = memory_dup(known_odd_symbols[k].symbol);
		coin->name = memory_dup(known_odd_symbols[k].name);
		coin->nameid = slug(coin->name);
		return;
	}
	if (is_spread(n, count, IMPOSTORS_FROM, IMPOSTORS, 1, &k))
	{
		coin->symbol = memory_dup(known_coins[k].symbol);
		snprintf(name, sizeof(name), "%s %s", known_coins[k].name,
				 k % 3 == 0   ? "Token"
				 : k % 3 == 1 ? "Wormhole"
							  : "Inu");
		coin->name = memory_dup(name);
		coin->nameid = slug(name);
		return;
	}
	name_words(mint, n, &first, &second, &last);
	if (n < NAMES)
		snprintf(name, sizeof(name), "%s%s%s", first, second, last);
	else
		snprintf(name, sizeof(name), "%s%s%s %d", first, second, last, 1 + n / NAMES);
	coin->name = memory_dup(name);
	coin->nameid = slug(name);
	if (n % DUPLICATE_EVERY == DUPLICATE_REST && n > DUPLICATE_EVERY)
		coin->symbol = natural_symbol(mint, dice_below(&dice, n - DUPLICATE_REST));
	else
		coin->symbol = natural_symbol(mint, n);
	if (n % STRANGE_EVERY == STRANGE_REST)
	{
		char *plain = coin->symbol;
		char strange[32];

		if (dice_chance(&dice, 0.3))
			snprintf(strange, sizeof(strange), "$%s", plain);
		else
			snprintf(strange, sizeof(strange), "%s%s", plain, suffixes[dice_below(&dice, COUNT(suffixes))]);
		coin->symbol = memory_dup(strange);
		free(plain);
	}
}

/* The supplies, and with them the price. */
static void
endow(Coin *coin, Dice *dice, double cap, int rank)
{
	double supply = round(pow(10.0, dice_between(dice, 5.0, 12.0)));
	double total = dice_chance(dice, 0.3) ? supply : round(supply * dice_between(dice, 1.0, 4.0));
	double choice;

	if (cap / supply > 50000.0) /* no made-up coin is dearer than that */
		supply = total = round(cap / dice_between(dice, 0.1, 900.0));
	coin->price = cap / supply;
	coin->supply = supply;
	coin->csupply = number_text("%.2f", supply);
	if (dice_chance(dice, 0.2))
		total += round(dice_unit(dice) * 1e8) / 1e8;
	choice = dice_unit(dice);
	if (choice < 0.9)
		coin->tsupply = number_text(total < 1e9 && total != floor(total) ? "%.4f" : "%.0f", total);
	else if (choice < 0.95 || rank <= 2000)
		coin->tsupply = memory_dup("");
	choice = dice_unit(dice);
	if (choice < 0.4)
		coin->msupply = number_text("%.0f", ceil(total) * (dice_chance(dice, 0.6) ? 1.0 : 2.0));
	else if (choice < 0.85)
		coin->msupply = memory_dup("");
	else if (choice > 0.95 && rank > 2000)
		coin->quirks |= COIN_MSUPPLY_MISSING;
	if (rank > 2500 && dice_chance(dice, 0.04))
	{
		/* nobody knows the supply, so there is no market cap either */
		free(coin->csupply);
		coin->csupply = memory_dup(dice_chance(dice, 0.5) ? "" : "0.00");
		coin->supply = 0.0;
		coin->weight = cap;
	}
}

static void
make_odd(Coin *coin, Dice *dice, double cap, int rank)
{
	double style = dice_unit(dice);

	if (style < 0.35)
		coin->quirks |= COIN_VOLUME_CENTS;
	else if (style > 0.9)
		coin->quirks |= COIN_VOLUME_EXACT;
	if (dice_chance(dice, 0.3))
		coin->quirks |= COIN_SCIENTIFIC;
	if (dice_chance(dice, 0.4))
		coin->quirks |= COIN_CAP_NULL;
	if (rank > 3000 && dice_chance(dice, 0.06))
	{
		coin->quirks |= COIN_DEAD;
		coin->weight = cap;
	}
	if (rank > 1500 && dice_chance(dice, 0.4 * (1.0 - 1500.0 / rank)))
		coin->quirks |= COIN_NO_VOLUME;
	if (rank > 2000)
	{
		if (dice_chance(dice, 0.02))
			coin->quirks |= COIN_HOUR_NULL;
		if (dice_chance(dice, 0.01))
			coin->quirks |= COIN_WEEK_EMPTY;
		else if (dice_chance(dice, 0.01))
			coin->quirks |= COIN_WEEK_MISSING;
		if (dice_chance(dice, 0.02))
			coin->quirks |= COIN_NEWLY_TRADED;
	}
}

static Coin *
mint_made_up(const Mint *mint, int n, int rank)
{
	Coin *coin = memory_get(sizeof(Coin));
	Dice dice = dice_for(mint->seed, SALT_NATURE ^ (uint64_t) (known_count + n));
	double cap = cap_at(rank) * exp(0.01 * dice_normal(&dice));

	christen(mint, n, coin);
	coin->id = number_text("%.0f", FIRST_MADE_UP_ID + (double) ID_STEP * n + dice_below(&dice, ID_STEP));
	endow(coin, &dice, cap, rank);
	make_odd(coin, &dice, cap, rank);
	coin->log_anchor = log(coin->price);
	coin->volatility = dice_between(&dice, 0.8, 2.0);
	coin->volume_base = cap * pow(10.0, dice_between(&dice, -4.0, -0.5));
	if (coin->quirks & (COIN_DEAD | COIN_NO_VOLUME))
		coin->volume_base = 0.0;
	coin->volume = coin->volume_base;
	coin->volume_before = coin->volume_base * exp(0.4 * dice_normal(&dice));
	coin->hour_ago = coin->price * exp(-0.004 * coin->volatility * dice_normal(&dice));
	coin->day_ago = coin->price * exp(-0.03 * coin->volatility * dice_normal(&dice));
	coin->week_ago = coin->price * exp(-0.07 * coin->volatility * dice_normal(&dice));
	if (rank > 1500 && dice_chance(&dice, 0.004))
		coin->day_ago = coin->price * exp(-dice_between(&dice, 2.0, 12.0));
	return coin;
}

Coin *
mint_coin(const Mint *mint, int n)
{
	Coin *coin;

	if (n < known_top)
		coin = mint_known(mint, &known_coins[n]);
	else if (n < known_count && mint->size >= SMALL_MARKET)
		coin = mint_known(mint, &known_coins[n]);
	else
	{
		int made_up = n - (mint->size < SMALL_MARKET ? known_top : known_count);
		int rank;

		if (n < mint->size)
			rank = rank_of_made_up(made_up);
		else
		{
			Dice dice = dice_for(mint->seed, SALT_SYMBOL ^ (SALT_NATURE << 2) ^ (uint64_t) n);
			int worst = mint->size > 2 * NEWCOMER_RANK ? mint->size : 2 * NEWCOMER_RANK;

			rank = NEWCOMER_RANK + dice_below(&dice, worst - NEWCOMER_RANK);
		}
		coin = mint_made_up(mint, made_up, rank);
	}
	/* the stronger it moves, the looser it is bound: about 30 % around its anchor for most, 0.1 % for a stable coin */
	coin->reversion = coin->volatility < 0.1 ? 120.0 : 8.0 * coin->volatility;
	return coin;
}

Coin *
mint_blank(const char *nameid)
{
	Coin *coin = memory_get(sizeof(Coin));

	coin->nameid = memory_dup(nameid);
	coin->id = memory_dup("0");
	coin->symbol = memory_dup("");
	coin->name = memory_dup("");
	coin->csupply = memory_dup("");
	coin->tsupply = memory_dup("");
	coin->msupply = memory_dup("");
	for (int i = 0; nameid[i] != '\0'; i++)
		if (nameid[i] != '-')
		{
			/* "my-coin" is called MYCOIN until told otherwise */
			size_t len = strlen(coin->symbol);

			coin->symbol = memory_grow(coin->symbol, len + 2);
			coin->symbol[len] = (char) toupper((unsigned char) nameid[i]);
			coin->symbol[len + 1] = '\0';
		}
	free(coin->name);
	coin->name = memory_dup(nameid);
	coin->volatility = 1.0;
	coin->reversion = 8.0;
	coin->quirks = COIN_WELL_KNOWN;
	return coin;
}
