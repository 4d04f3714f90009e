/*
 * known.h
 *	  The coins that everybody knows, and the odd symbols that CoinLore really lists.
 */
#ifndef COINLORE_SIM_KNOWN_H
#define COINLORE_SIM_KNOWN_H

typedef struct KnownCoin
{
	const char *symbol;
	const char *name;
	const char *nameid;
	int id;        /* 0: not known here, any will do */
	double price;  /* USD */
	double supply; /* circulating; 0: unknown */
	const char *csupply;
	const char *tsupply;
	const char *msupply; /* NULL: null */
	double volume;       /* USD a day */
	double volatility;   /* of log price, per square root of a year */
} KnownCoin;

/* What was captured of a known coin beyond that, in per cent and USD. */
typedef struct KnownCapture
{
	const char *nameid;
	double hour;
	double day;
	double week;
	double volume_before;
	unsigned quirks;
	int rank; /* stands for an unknown market cap; 0: not needed */
} KnownCapture;

typedef struct OddSymbol
{
	const char *symbol;
	const char *name;
} OddSymbol;

/* By market cap, but for the last ones, which stand far down the list. */
extern const KnownCoin known_coins[];
extern const int known_count;

/* Of known_coins, how many stand at the top. */
extern const int known_top;

extern const OddSymbol known_odd_symbols[];
extern const int known_odd_count;

/* NULL: nothing was captured of this coin. */
extern const KnownCapture *known_capture(const char *nameid);

#endif /* COINLORE_SIM_KNOWN_H */
