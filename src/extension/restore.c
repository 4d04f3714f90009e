/*
 * restore.c
 *	  Filling an empty board from the tables, so that prices are at hand before the first poll.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "board.h"
#include "restore.h"
#include "status.h"
#include "tables.h"
#include "worker.h"

static Decimal
decimal_of(HeapTuple tuple, TupleDesc desc, int column)
{
	char *value = SPI_getvalue(tuple, desc, column);
	Decimal d = DECIMAL_UNKNOWN;

	if (value != NULL)
		decimal_parse(value, strlen(value), &d);
	return d;
}

static int64
int_of(HeapTuple tuple, TupleDesc desc, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(tuple, desc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* False when there is no text, or it is longer than a poll could have brought. */
static bool
text_of(HeapTuple tuple, TupleDesc desc, int column, char *out, size_t size)
{
	char *value = SPI_getvalue(tuple, desc, column);

	out[0] = '\0';
	return value != NULL && value[0] != '\0' && strlcpy(out, value, size) < size;
}

static void
restore_row(HeapTuple tuple, TupleDesc desc)
{
	Quote q = {.restored = true};
	uint32 flags;

	if (!text_of(tuple, desc, 1, q.symbol, sizeof(q.symbol)) ||
		!text_of(tuple, desc, 3, q.nameid, sizeof(q.nameid)))
		return;
	text_of(tuple, desc, 2, q.name, sizeof(q.name));
	q.coinlore_id = (int32) int_of(tuple, desc, 4);
	q.rank = (int32) int_of(tuple, desc, 5);
	q.price = decimal_of(tuple, desc, 6);
	q.price_btc = decimal_of(tuple, desc, 7);
	q.change_1h = decimal_of(tuple, desc, 8);
	q.change_24h = decimal_of(tuple, desc, 9);
	q.change_7d = decimal_of(tuple, desc, 10);
	q.volume_24h = decimal_of(tuple, desc, 11);
	q.market_cap = decimal_of(tuple, desc, 12);
	q.circulating_supply = decimal_of(tuple, desc, 13);
	q.total_supply = decimal_of(tuple, desc, 14);
	q.max_supply = decimal_of(tuple, desc, 15);
	q.simulated = int_of(tuple, desc, 16) != 0;
	q.source_time = int_of(tuple, desc, 17);
	q.fetched_at = int_of(tuple, desc, 18);

	/* the table is the user's to write, too: only what a poll could have brought comes back */
	if (q.price.known && q.price.mantissa >= 0 && symbol_text_valid(q.symbol, strlen(q.symbol)) &&
		symbol_text_valid(q.nameid, strlen(q.nameid)))
		board_put(&q, &flags);
}

void
restore_board(void)
{
	char message[STATUS_TEXT_SIZE];

	if (board_slots() > 0)
		return;
	tables_session();
	PG_TRY();
	{
		worker_transaction_begin("filling the board from tickers");
		if (tables_find() == TABLES_FOUND)
		{
			tables_enter(TABLES_TICKERS);
			tables_read_tickers(restore_row);
			tables_leave();
		}
		worker_transaction_end();
	}
	PG_CATCH();
	{
		tables_leave();
		worker_transaction_failed(message, sizeof(message));
		ereport(LOG, errmsg("crypto_rt poller: the board begins empty: %s", message));
	}
	PG_END_TRY();
}
