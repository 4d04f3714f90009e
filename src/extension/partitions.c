/*
 * partitions.c
 *	  See partitions.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/timestamp.h"

#include "partitions.h"
#include "settings.h"
#include "tables.h"

#define MINUTES_OF_DAY 1440

static const char *const kept[] = {"crypto_snapshots", "crypto_candles_1m", "crypto_candles_1h"};

/* Days since 1970, in UTC, that have their partitions; the newest found are remembered.  -1: none. */
static int64 ready[4] = {-1, -1, -1, -1};
static int next_ready;

static int64
day_of(int64 unix_us)
{
	return unix_us / USECS_PER_DAY - (unix_us % USECS_PER_DAY < 0);
}

static bool
is_ready(int64 day)
{
	for (int i = 0; i < lengthof(ready); i++)
		if (ready[i] == day)
			return true;
	return false;
}

static void
make(int64 day)
{
	StringInfoData sql;
	Oid type = TIMESTAMPTZOID;
	Datum noon = TimestampTzGetDatum((day - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)) * USECS_PER_DAY +
									 USECS_PER_DAY / 2);

	tables_require_history();
	initStringInfo(&sql);
	for (int i = 0; i < lengthof(kept); i++)
		appendStringInfo(&sql, "%s %s.crypto_partition_make('%s.%s', $1)", i == 0 ? "SELECT" : ",",
						 tables_schema(), tables_schema(), kept[i]);
	if (SPI_execute_with_args(sql.data, 1, &type, &noon, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not make partitions");
	ready[next_ready] = day;
	next_ready = (next_ready + 1) % lengthof(ready);
}

void
partitions_make(int64 time)
{
	if (!is_ready(day_of(time)))
		make(day_of(time));
}

/* An interval for SQL; NULL for ever. */
static void
append_minutes(StringInfo sql, int minutes)
{
	if (minutes > 0)
		appendStringInfo(sql, "make_interval(mins => %d)", minutes);
	else
		appendStringInfoString(sql, "NULL");
}

int
partitions_keep(void)
{
	Retention candles = settings_candle_retention();
	StringInfoData sql;
	bool isnull;

	partitions_forget();
	tables_require_history();
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s.crypto_partitions_keep(", tables_schema());
	append_minutes(&sql, settings_snapshot_retention());
	appendStringInfoString(&sql, ", ");
	append_minutes(&sql, candles.minutes * MINUTES_OF_DAY);
	appendStringInfoString(&sql, ", ");
	append_minutes(&sql, candles.hours * MINUTES_OF_DAY);
	appendStringInfoChar(&sql, ')');
	if (SPI_execute(sql.data, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not keep partitions");
	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

void
partitions_forget(void)
{
	for (int i = 0; i < lengthof(ready); i++)
		ready[i] = -1;
}
