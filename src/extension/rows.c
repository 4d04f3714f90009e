/*
 * rows.c
 *	  What quotes and ticks become as rows of the tables; see tables.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/string.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "../core/tier.h"
#include "settings.h"
#include "tables.h"

/* A quote's numbers in the order of their columns in tickers. */
static const size_t ticker_decimals[] = {
	offsetof(Quote, price),      offsetof(Quote, price_btc),          offsetof(Quote, change_1h),
	offsetof(Quote, change_24h), offsetof(Quote, change_7d),          offsetof(Quote, volume_24h),
	offsetof(Quote, market_cap), offsetof(Quote, circulating_supply), offsetof(Quote, total_supply),
	offsetof(Quote, max_supply),
};

TablesRows *
tables_rows(TablesTable table, int capacity)
{
	TablesRows *rows = palloc(sizeof(TablesRows));
	Size cells = (Size) tables_columns(table) * capacity;

	rows->table = table;
	rows->count = 0;
	rows->capacity = capacity;
	rows->values = palloc(cells * sizeof(Datum));
	rows->nulls = palloc(cells * sizeof(bool));
	return rows;
}

/* Put a value into the row at the end, which the caller then counts. */
static void
put(TablesRows *rows, int column, Datum value)
{
	rows->values[column * rows->capacity + rows->count] = value;
	rows->nulls[column * rows->capacity + rows->count] = false;
}

static void
put_null(TablesRows *rows, int column)
{
	rows->values[column * rows->capacity + rows->count] = (Datum) 0;
	rows->nulls[column * rows->capacity + rows->count] = true;
}

/* Whether the database's encoding can be trusted to have these characters. */
static bool
encodable(const char *name)
{
	int encoding = GetDatabaseEncoding();

	return encoding == PG_UTF8 || encoding == PG_SQL_ASCII || pg_is_ascii(name);
}

static void
put_name(TablesRows *rows, int column, const char *name)
{
	if (name[0] != '\0' && encodable(name))
		put(rows, column, CStringGetTextDatum(name));
	else
		put_null(rows, column);
}

static void
put_decimal(TablesRows *rows, int column, Decimal d)
{
	if (d.known)
		put(rows, column, NumericGetDatum(int64_div_fast_to_numeric(d.mantissa, d.scale)));
	else
		put_null(rows, column);
}

/* A number for which 0 means unknown. */
static void
put_number(TablesRows *rows, int column, int32 number)
{
	if (number != 0)
		put(rows, column, Int32GetDatum(number));
	else
		put_null(rows, column);
}

/* A unix time in microseconds, 0 for unknown. */
static void
put_time(TablesRows *rows, int column, int64 unix_us)
{
	if (unix_us != 0)
		put(rows, column,
			TimestampTzGetDatum(unix_us - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY));
	else
		put_null(rows, column);
}

bool
tables_add_coin(TablesRows *rows, const BoardEntry *entry)
{
	const Quote *q = &entry->quote;

	if (!encodable(q->nameid) || !encodable(q->symbol))
		return false;
	put(rows, 0, CStringGetTextDatum(q->nameid));
	put_number(rows, 1, q->coinlore_id);
	put(rows, 2, CStringGetTextDatum(q->symbol));
	put_name(rows, 3, q->name);
	put(rows, 4, BoolGetDatum(entry->owns_symbol));
	put(rows, 5, BoolGetDatum(quote_active(q)));
	put_time(rows, 6, q->fetched_at);
	rows->count++;
	return true;
}

static inline Decimal
ticker_decimal(const Quote *q, int i)
{
	return *(const Decimal *) ((const char *) q + ticker_decimals[i]);
}

bool
tables_add_ticker(TablesRows *rows, const BoardEntry *entry)
{
	const Quote *q = &entry->quote;
	int column = 8;

	if (!encodable(q->nameid) || !encodable(q->symbol))
		return false;
	put(rows, 0, CStringGetTextDatum(q->symbol));
	put_name(rows, 1, q->name);
	put(rows, 2, CStringGetTextDatum(q->nameid));
	put_number(rows, 3, q->coinlore_id);
	put_number(rows, 4, q->rank);
	put(rows, 5, Int16GetDatum((int16) tier_of_rank(settings_tiers(), q->rank)));
	put(rows, 6, BoolGetDatum(quote_active(q)));
	put(rows, 7, CStringGetTextDatum(quote_source(q)));
	for (int i = 0; i < lengthof(ticker_decimals); i++)
		put_decimal(rows, column++, ticker_decimal(q, i));
	put_time(rows, column++, q->source_time * INT64CONST(1000000));
	put_time(rows, column, q->fetched_at);
	rows->count++;
	return true;
}

void
tables_add_symbol(TablesRows *rows, const char *symbol)
{
	put(rows, 0, CStringGetTextDatum(symbol));
	rows->count++;
}

void
tables_add_snapshot(TablesRows *rows, int32 coin, const Tick *tick)
{
	put_time(rows, 0, tick->time);
	put(rows, 1, Int32GetDatum(coin));
	put(rows, 2, BoolGetDatum(tick->simulated));
	put_decimal(rows, 3, tick->price);
	put_decimal(rows, 4, tick->volume_24h);
	rows->count++;
}

static uint64
digest_string(const char *s, uint64 seed)
{
	return hash_bytes_extended((const unsigned char *) s, (int) strlen(s), seed);
}

uint64
tables_coin_digest(const BoardEntry *entry)
{
	const Quote *q = &entry->quote;
	int32 numbers[] = {q->coinlore_id, entry->owns_symbol, quote_active(q)};
	uint64 digest = hash_bytes_extended((const unsigned char *) numbers, sizeof(numbers), 0);

	digest = digest_string(q->symbol, digest);
	digest = digest_string(q->name, digest);
	return digest != 0 ? digest : 1;
}

uint64
tables_ticker_digest(const BoardEntry *entry)
{
	const Quote *q = &entry->quote;
	int64 numbers[2 * lengthof(ticker_decimals) + 3];
	int n = 0;
	uint64 digest;

	for (int i = 0; i < lengthof(ticker_decimals); i++)
	{
		Decimal d = ticker_decimal(q, i);

		numbers[n++] = d.mantissa;
		numbers[n++] = d.scale * 2 + d.known;
	}
	numbers[n++] = q->rank;
	numbers[n++] = q->coinlore_id;
	numbers[n++] = tier_of_rank(settings_tiers(), q->rank) * 2 + q->simulated;
	digest = hash_bytes_extended((const unsigned char *) numbers, sizeof(numbers), 0);
	digest = digest_string(q->symbol, digest);
	digest = digest_string(q->nameid, digest);
	digest = digest_string(q->name, digest);
	return digest != 0 ? digest : 1;
}
