/*
 * row.c
 *	  Building rows; see row.h.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "row.h"

static void
add(Row *row, Datum value)
{
	Assert(row->n < ROW_COLUMNS_MAX);
	row->nulls[row->n] = false;
	row->values[row->n++] = value;
}

void
row_null(Row *row)
{
	Assert(row->n < ROW_COLUMNS_MAX);
	row->nulls[row->n] = true;
	row->values[row->n++] = (Datum) 0;
}

void
row_bool(Row *row, bool value)
{
	add(row, BoolGetDatum(value));
}

void
row_int(Row *row, int32 value)
{
	add(row, Int32GetDatum(value));
}

void
row_int_or_null(Row *row, int32 value)
{
	if (value == 0)
		row_null(row);
	else
		row_int(row, value);
}

void
row_bigint(Row *row, int64 value)
{
	add(row, Int64GetDatum(value));
}

void
row_double(Row *row, double value)
{
	add(row, Float8GetDatum(value));
}

void
row_text(Row *row, const char *value)
{
	int len = (int) strlen(value);

	if (len == 0)
		row_null(row);
	else
		add(row, PointerGetDatum(cstring_to_text_with_len(value, pg_mbcliplen(value, len, len))));
}

void
row_decimal(Row *row, Decimal value)
{
	if (!value.known)
		row_null(row);
	else
		add(row, NumericGetDatum(int64_div_fast_to_numeric(value.mantissa, value.scale)));
}

void
row_time(Row *row, int64 unix_us)
{
	if (unix_us == 0)
		row_null(row);
	else
		add(row, TimestampTzGetDatum(unix_us - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY));
}

void
row_interval(Row *row, int64 microseconds)
{
	Interval *interval;

	if (microseconds == 0)
	{
		row_null(row);
		return;
	}
	interval = palloc0(sizeof(Interval));
	interval->time = microseconds;
	add(row, IntervalPGetDatum(interval));
}

/* The library may be newer than the SQL objects, until ALTER EXTENSION UPDATE. */
static void
check_columns(const Row *row, TupleDesc desc)
{
	if (row->n != desc->natts)
		ereport(
			ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			errmsg("the function was created by another version of crypto_rt than the one that is loaded"),
			errdetail("It returns %d columns, and the library makes %d.", desc->natts, row->n),
			errhint("ALTER EXTENSION crypto_rt UPDATE, or restart the server after an upgrade."));
}

void
row_put(Row *row, ReturnSetInfo *result)
{
	check_columns(row, result->setDesc);
	tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
}

Datum
row_datum(Row *row, TupleDesc desc)
{
	check_columns(row, desc);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), row->values, row->nulls));
}
