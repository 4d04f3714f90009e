/*
 * tables.h
 *	  The tables: the rows that quotes and ticks become, and the statements that write them.
 *
 * Rows are gathered first, without a transaction.  A transaction then goes
 *
 *		worker_transaction_begin(...);
 *		if (tables_find() == TABLES_FOUND)
 *		{
 *			tables_enter(table);
 *			tables_write(...);
 *			tables_leave();
 *		}
 *		worker_transaction_end();
 *
 * with tables_leave() also on the way out of an error.
 */
#ifndef CRYPTO_RT_TABLES_H
#define CRYPTO_RT_TABLES_H

#include "postgres.h"

#include "access/htup_details.h"

#include "board.h"
#include "ticklog.h"

typedef enum TablesTable
{
	TABLES_COINS,
	TABLES_TICKERS,
	TABLES_SNAPSHOTS,
	TABLES_TABLES
} TablesTable;

typedef enum TablesStatement
{
	TABLES_INSERT_COINS, /* those whose nameid is not there yet */
	TABLES_UPDATE_COINS, /* those that differ */
	TABLES_COIN_IDS,
	TABLES_INSERT_TICKERS, /* those whose symbol is not there yet */
	TABLES_UPDATE_TICKERS, /* those that differ and are of asset_type crypto */
	TABLES_TICKER_SYMBOLS,
	TABLES_DELETE_TICKERS, /* by symbol, of asset_type crypto */
	TABLES_READ_TICKERS,
	TABLES_APPEND_SNAPSHOTS, /* and add them to the candles */
	TABLES_BEGIN_SNAPSHOTS,  /* likewise, those whose price is not the coin's newest there already */
	TABLES_STATEMENTS
} TablesStatement;

typedef enum TablesFound
{
	TABLES_FOUND,
	TABLES_ABSENT, /* there is no extension, or it is not the one found before; the next call looks anew */
	TABLES_BUSY    /* the extension is just being dropped or altered */
} TablesFound;

/* Rows of one table, column by column as the statements take them. */
typedef struct TablesRows
{
	TablesTable table;
	int count;
	int capacity;
	Datum *values; /* [column * capacity + row] */
	bool *nulls;
} TablesRows;

/* Told of a row that the table refuses: its number, why, and the detail (or NULL). */
typedef void (*TablesRefused)(int row, const char *why, const char *detail);

/* Set this session up: once, before the first transaction. */
extern void tables_session(void);

/*
 * Look for the extension.  When it is found it stays until the end of the transaction: DROP EXTENSION waits for that,
 * and is itself not waited for.
 */
extern TablesFound tables_find(void);

/* Errors out when the extension is of version 1.0 still, which had no partitions and no candles. */
extern void tables_require_history(void);

/*
 * Go on as the owner of the table, so that a trigger of his can do no more than he may, and with a limit to how long
 * the transaction's statements may take.  Errors out when the table is gone.
 */
extern void tables_enter(TablesTable table);

/* Be oneself again.  Does nothing after itself; never throws. */
extern void tables_leave(void);

extern const char *tables_name(TablesTable table);
extern int tables_columns(TablesTable table);

/* The extension's schema, quoted as an identifier; of the transaction that found it. */
extern const char *tables_schema(void);

/* Make room for rows, in the current memory context, which then must live until they are written. */
extern TablesRows *tables_rows(TablesTable table, int capacity);

/*
 * Append a row.  False, with no row appended: the database's encoding has no characters for its key.  The rows of
 * TABLES_DELETE_TICKERS are made by tables_add_symbol.
 */
extern bool tables_add_coin(TablesRows *rows, const BoardEntry *entry);
extern bool tables_add_ticker(TablesRows *rows, const BoardEntry *entry);
extern void tables_add_symbol(TablesRows *rows, const char *symbol);
extern void tables_add_snapshot(TablesRows *rows, int32 coin, const Tick *tick);

/* What tells one row from another, ages aside; never 0. */
extern uint64 tables_coin_digest(const BoardEntry *entry);
extern uint64 tables_ticker_digest(const BoardEntry *entry);

/*
 * Run a statement over all rows.  Returns how many rows it wrote.  When it fails for the data's sake (a constraint, a
 * trigger that objects), the rows at fault are found and left out, and refused() is called for each; when the
 * table takes no row at all, or on any other error, throws.
 */
extern int64 tables_write(TablesStatement statement, const TablesRows *rows, TablesRefused refused);

/* The number of each coin: ids[row], 0 for one that the table does not have. */
extern void tables_coin_ids(const TablesRows *rows, int32 *ids);

/* The symbols of all rows of asset_type crypto; good until the end of the transaction. */
extern char **tables_ticker_symbols(int *count);

/*
 * Read tickers, the best rank first.  The columns are those of TABLES_READ_TICKERS: texts, numerics, and whole numbers as
 * bigint; times in seconds (source_time) and microseconds (updated_at) of the unix epoch.
 */
extern void tables_read_tickers(void (*take)(HeapTuple tuple, TupleDesc desc));

#endif /* CRYPTO_RT_TABLES_H */
