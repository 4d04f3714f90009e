/*
 * history.c
 *	  crypto_price_at: the price of a coin at a time.
 *
 * It is called once for each row of a table of trades, so it looks where the answer most likely is first: in the snapshots of
 * the hour before, and only then in all that there are.  A scan of a few partitions is as quick as one of a
 * table, but one that must open fifty is not.  Where the snapshots of that time are gone, candles tell: of minutes, else of
 * hours, else of days.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "../core/symbol.h"
#include "board.h"
#include "compat.h"
#include "control.h"

COMPAT_SQL_FUNCTION(crypto_rt_price_at);

#define COINS_MAX 4096 /* that a query may name before it looks them up anew */
#define NAME_SIZE (SYMBOL_SIZE + 4)

typedef enum Lookup
{
	FIND_COIN,
	FIND_SNAPSHOT,
	FIND_MINUTE,
	FIND_HOUR,
	FIND_DAY,
	LOOKUPS
} Lookup;

/* %1$s is the schema.  Operators are named in full: the search path is the caller's. */
#define EQUAL "OPERATOR(pg_catalog.=)"
#define AFTER "OPERATOR(pg_catalog.>)"
#define UNTIL "OPERATOR(pg_catalog.<=)"
#define OF_COIN "WHERE coin " EQUAL " $1 AND time " AFTER " $2 AND time " UNTIL " $3"
#define NEWEST "ORDER BY time DESC LIMIT 1"
#define OF_CANDLES(width)                                                                                    \
	"SELECT CASE WHEN last_at " UNTIL " $3 THEN close ELSE open END FROM %1$s.crypto_candles " OF_COIN       \
	" AND first_at " UNTIL " $3 AND resolution " EQUAL " '" width "'::%1$s.crypto_resolution " NEWEST

static const char *const texts[LOOKUPS] = {
	[FIND_COIN] = "SELECT %1$s.crypto_coin($1)",
	[FIND_SNAPSHOT] = "SELECT price FROM %1$s.crypto_snapshots " OF_COIN " " NEWEST,
	[FIND_MINUTE] = OF_CANDLES("1m"),
	[FIND_HOUR] = OF_CANDLES("1h"),
	[FIND_DAY] = OF_CANDLES("1d"),
};

/* How far a lookup goes back at first, where it may have to go far. */
static const int64 likely[LOOKUPS] = {
	[FIND_SNAPSHOT] = USECS_PER_HOUR,
	[FIND_MINUTE] = USECS_PER_DAY,
	[FIND_HOUR] = 40 * USECS_PER_DAY,
};

typedef struct Coin
{
	char name[NAME_SIZE]; /* as it was asked for; the key */
	int32 number;         /* 0: there is none */
} Coin;

/* the plans, kept by the session for the schema of the function's */
static SPIPlanPtr plans[LOOKUPS];
static Oid planned_for;

static SPIPlanPtr
plan(Lookup lookup, Oid schema)
{
	Oid coin_types[] = {TEXTOID};
	Oid types[] = {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	char *name;
	SPIPlanPtr made;

	if (planned_for != schema)
	{
		for (int i = 0; i < LOOKUPS; i++)
		{
			if (plans[i] != NULL)
				SPI_freeplan(plans[i]);
			plans[i] = NULL;
		}
		planned_for = schema;
	}
	if (plans[lookup] != NULL)
		return plans[lookup];
	name = get_namespace_name(schema);
	made = SPI_prepare(psprintf(texts[lookup], quote_identifier(name)), lookup == FIND_COIN ? 1 : 3,
					   lookup == FIND_COIN ? coin_types : types);
	if (made == NULL)
		elog(ERROR, "could not prepare a lookup of a price: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(made);
	plans[lookup] = made;
	return made;
}

/* Execute a lookup.  False: no row, or NULL. */
static bool
find(Lookup lookup, Oid schema, Datum *arguments, Datum *value)
{
	bool isnull;

	if (SPI_execute_plan(plan(lookup, schema), arguments, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look a price up");
	if (SPI_processed == 0)
		return false;
	*value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return !isnull;
}

/* The coins that the query has named so far. */
static HTAB *
known_coins(FmgrInfo *flinfo)
{
	HASHCTL control = {.keysize = NAME_SIZE, .entrysize = sizeof(Coin), .hcxt = flinfo->fn_mcxt};

	if (flinfo->fn_extra == NULL)
		flinfo->fn_extra =
			hash_create("crypto_price_at", 64, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	return flinfo->fn_extra;
}

/* The number of a coin; 0: there is none. */
static int32
coin_number(HTAB *coins, Oid schema, const char *name)
{
	bool found;
	Datum argument;
	Datum value;
	Coin *coin = hash_search(coins, name, HASH_FIND, NULL);
	int32 number;

	if (coin != NULL)
		return coin->number;
	argument = CStringGetTextDatum(name);
	number = find(FIND_COIN, schema, &argument, &value) ? DatumGetInt32(value) : 0;
	if (hash_get_num_entries(coins) < COINS_MAX)
	{
		coin = hash_search(coins, name, HASH_ENTER, &found);
		coin->number = number;
	}
	return number;
}

static bool
price_before(Oid schema, int32 coin, TimestampTz at, Datum *price)
{
	Datum arguments[3] = {Int32GetDatum(coin), 0, TimestampTzGetDatum(at)};

	for (Lookup lookup = FIND_SNAPSHOT; lookup < LOOKUPS; lookup++)
	{
		if (likely[lookup] > 0 && !TIMESTAMP_NOT_FINITE(at))
		{
			arguments[1] = TimestampTzGetDatum(at - likely[lookup]);
			if (find(lookup, schema, arguments, price))
				return true;
		}
		arguments[1] = TimestampTzGetDatum(DT_NOBEGIN);
		if (find(lookup, schema, arguments, price))
			return true;
	}
	return false;
}

/* The board's price, when it was the price at that time already: nothing newer is known. */
static Numeric
board_price_at(const char *symbol, size_t len, TimestampTz at)
{
	int slot = board_find(symbol, len);
	BoardEntry entry;
	int64 at_unix_us = at + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

	if (TIMESTAMP_IS_NOBEGIN(at) || slot == BOARD_NO_SLOT || !board_read(slot, &entry) ||
		entry.quote.restored || (!TIMESTAMP_IS_NOEND(at) && at_unix_us < entry.quote.fetched_at))
		return NULL;
	return board_price(symbol, len);
}

/* crypto_price_at(symbol text, at timestamptz) → numeric */
Datum
crypto_rt_price_at(PG_FUNCTION_ARGS)
{
	text *symbol = PG_GETARG_TEXT_PP(0);
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	MemoryContext memory = CurrentMemoryContext;
	size_t len = VARSIZE_ANY_EXHDR(symbol);
	Oid schema = get_func_namespace(fcinfo->flinfo->fn_oid);
	Numeric price;
	Datum value;
	Datum result = (Datum) 0;
	int32 coin;

	control_require();
	if (len == 0 || len >= NAME_SIZE)
		PG_RETURN_NULL();
	price = board_price_at(VARDATA_ANY(symbol), len, at);
	if (price != NULL)
		PG_RETURN_NUMERIC(price);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	coin = coin_number(known_coins(fcinfo->flinfo), schema, pnstrdup(VARDATA_ANY(symbol), len));
	if (coin != 0 && price_before(schema, coin, at, &value))
	{
		MemoryContext spi = MemoryContextSwitchTo(memory);

		result = NumericGetDatum(DatumGetNumericCopy(value));
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	if (result == (Datum) 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
