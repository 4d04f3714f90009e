/*
 * row.h
 *	  Building the rows that SQL functions return, column by column.
 */
#ifndef CRYPTO_RT_ROW_H
#define CRYPTO_RT_ROW_H

#include "postgres.h"

#include "funcapi.h"

#include "../core/decimal.h"

#define ROW_COLUMNS_MAX 40

typedef struct Row
{
	Datum values[ROW_COLUMNS_MAX];
	bool nulls[ROW_COLUMNS_MAX];
	int n; /* columns so far */
} Row;

extern void row_null(Row *row);
extern void row_bool(Row *row, bool value);
extern void row_int(Row *row, int32 value);
extern void row_int_or_null(Row *row, int32 value); /* NULL for 0 */
extern void row_bigint(Row *row, int64 value);
extern void row_double(Row *row, double value);
extern void
row_text(Row *row,
		 const char *value); /* NULL for ""; cut at a character where it ends in the middle of one */
extern void row_decimal(Row *row, Decimal value);       /* NULL when unknown */
extern void row_time(Row *row, int64 unix_us);          /* NULL for 0 */
extern void row_interval(Row *row, int64 microseconds); /* NULL for 0 */

/* Finish: as one more row of a materialized set, or as the result of a function that returns one. */
extern void row_put(Row *row, ReturnSetInfo *result);
extern Datum row_datum(Row *row, TupleDesc desc);

#endif /* CRYPTO_RT_ROW_H */
