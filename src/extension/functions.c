/*
 * functions.c
 *	  The SQL functions on quotes.  They read the board, and so they take no lock and touch no table.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "board.h"
#include "compat.h"
#include "control.h"
#include "row.h"
#include "settings.h"
#include "worker.h"

COMPAT_SQL_FUNCTION(crypto_rt_price);
COMPAT_SQL_FUNCTION(crypto_rt_quote);
COMPAT_SQL_FUNCTION(crypto_rt_quotes);
COMPAT_SQL_FUNCTION(crypto_rt_quotes_json);
COMPAT_SQL_FUNCTION(crypto_rt_convert);

/* crypto_price(symbol text) → numeric */
Datum
crypto_rt_price(PG_FUNCTION_ARGS)
{
	text *symbol = PG_GETARG_TEXT_PP(0);
	Numeric price;

	control_require();
	price = board_price(VARDATA_ANY(symbol), VARSIZE_ANY_EXHDR(symbol));
	if (price == NULL)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(price);
}

/* A row of the type crypto_quote: all its columns, in their order. */
static void
put_quote(ReturnSetInfo *result, const BoardEntry *entry, int64 now)
{
	const Quote *q = &entry->quote;
	const TierList *tiers = settings_tiers();
	int tier = tier_of_rank(tiers, q->rank);
	char tier_name[16];
	Row row = {.n = 0};

	snprintf(tier_name, sizeof(tier_name), "tier%d", tier);
	row_text(&row, q->symbol);
	row_text(&row, q->name);
	row_decimal(&row, q->price);
	row_decimal(&row, q->price_btc);
	row_int_or_null(&row, q->rank);
	row_decimal(&row, q->change_1h);
	row_decimal(&row, q->change_24h);
	row_decimal(&row, q->change_7d);
	row_decimal(&row, q->volume_24h);
	row_decimal(&row, q->market_cap);
	row_decimal(&row, q->circulating_supply);
	row_decimal(&row, q->total_supply);
	row_decimal(&row, q->max_supply);
	row_time(&row, q->fetched_at); /* last_updated */
	row_int(&row, tier_seconds(tier_get(tiers, tier)));
	row_text(&row, tier_name);
	row_text(&row, quote_source(q));
	row_text(&row, q->nameid); /* id */
	row_int_or_null(&row, q->coinlore_id);
	row_text(&row, q->nameid);
	row_bool(&row, quote_active(q));
	row_time(&row, q->fetched_at);
	row_time(&row, q->source_time * 1000000);
	row_bool(&row, board_stale(q, now));
	row_put(&row, result);
}

/* crypto_quote(symbol text) → SETOF crypto_quote: one row, or none */
Datum
crypto_rt_quote(PG_FUNCTION_ARGS)
{
	text *symbol = PG_GETARG_TEXT_PP(0);
	BoardEntry entry;
	int slot;

	control_require();
	InitMaterializedSRF(fcinfo, 0);
	slot = board_find(VARDATA_ANY(symbol), VARSIZE_ANY_EXHDR(symbol));
	if (slot != BOARD_NO_SLOT && board_read(slot, &entry))
		put_quote((ReturnSetInfo *) fcinfo->resultinfo, &entry, worker_now());
	return (Datum) 0;
}

/* From unix microseconds to a TimestampTz. */
#define UNIX_TO_POSTGRES ((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

typedef struct RankedSlot
{
	int32 rank;
	int32 slot;
} RankedSlot;

/* By rank; coins that are listed no more come last. */
static int
compare_rank(const void *a, const void *b)
{
	uint32 x = (uint32) ((const RankedSlot *) a)->rank - 1;
	uint32 y = (uint32) ((const RankedSlot *) b)->rank - 1;

	if (x != y)
		return x < y ? -1 : 1;
	return ((const RankedSlot *) a)->slot - ((const RankedSlot *) b)->slot;
}

/* crypto_quotes(max_rank int) → SETOF crypto_quote, by rank */
Datum
crypto_rt_quotes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool all = PG_ARGISNULL(0);
	int max_rank = all ? 0 : PG_GETARG_INT32(0);
	int64 now = worker_now();
	int nslots;
	RankedSlot *ranked;
	int n = 0;
	BoardEntry entry;
	MemoryContext row_memory;
	MemoryContext old;

	control_require();
	if (!all && max_rank < 0)
		ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_rank must not be negative"),
				errdetail("It is %d.", max_rank), errhint("Leave it out for all coins."));
	InitMaterializedSRF(fcinfo, 0);

	nslots = board_slots();
	ranked = palloc(sizeof(RankedSlot) * Max(nslots, 1));
	for (int slot = 0; slot < nslots; slot++)
		if (board_read(slot, &entry) && (all || (entry.quote.rank > 0 && entry.quote.rank <= max_rank)))
			ranked[n++] = (RankedSlot){entry.quote.rank, slot};
	qsort(ranked, n, sizeof(RankedSlot), compare_rank);

	row_memory = AllocSetContextCreate(CurrentMemoryContext, "crypto_quotes row", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(row_memory);
	for (int i = 0; i < n; i++)
	{
		if (board_read(ranked[i].slot, &entry))
			put_quote(result, &entry, now);
		MemoryContextReset(row_memory);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_memory);
	return (Datum) 0;
}

/*
 * crypto_quotes_json(since timestamptz) → SETOF json: of each coin that is listed, owns its symbol and was fetched at or
 * after since, by rank, the very bytes that the publisher writes to Redis.
 */
Datum
crypto_rt_quotes_json(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	/* infinity, too, is just beyond all that is on the board */
	TimestampTz since = PG_GETARG_TIMESTAMPTZ(0);
	const TierList *tiers;
	int nslots;
	RankedSlot *ranked;
	int n = 0;
	BoardEntry entry;
	struct
	{
		int32 header; /* of a varlena */
		char json[QUOTE_JSON_SIZE];
	} value;
	Datum column = PointerGetDatum(&value);
	bool is_null = false;

	control_require();
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	tiers = settings_tiers();
	nslots = board_slots();
	ranked = palloc(sizeof(RankedSlot) * Max(nslots, 1));
	for (int slot = 0; slot < nslots; slot++)
		if (board_read(slot, &entry) && entry.owns_symbol && entry.quote.rank > 0 &&
			entry.quote.fetched_at - UNIX_TO_POSTGRES >= since)
			ranked[n++] = (RankedSlot){entry.quote.rank, slot};
	qsort(ranked, n, sizeof(RankedSlot), compare_rank);

	for (int i = 0; i < n; i++)
	{
		int tier;
		size_t len;

		CHECK_FOR_INTERRUPTS();
		/* it may have changed meanwhile, or be another coin */
		if (!board_read(ranked[i].slot, &entry) || !entry.owns_symbol || entry.quote.rank == 0)
			continue;
		tier = tier_of_rank(tiers, entry.quote.rank);
		len = quote_json(&entry.quote, tier, tier_seconds(tier_get(tiers, tier)), value.json);
		SET_VARSIZE(&value, VARHDRSZ + len);
		tuplestore_putvalues(result->setResult, result->setDesc, &column, &is_null);
	}
	return (Datum) 0;
}

/* The price of a coin, or 1 for USD; NULL for an unknown coin. */
static Numeric
price_of(text *symbol)
{
	const char *s = VARDATA_ANY(symbol);
	size_t len = VARSIZE_ANY_EXHDR(symbol);

	if (symbol_equal(s, len, "USD", 3))
		return int64_to_numeric(1);
	return board_price(s, len);
}

/* crypto_convert(amount numeric, "from" text, "to" text) → numeric */
Datum
crypto_rt_convert(PG_FUNCTION_ARGS)
{
	Numeric amount = PG_GETARG_NUMERIC(0);
	Numeric from;
	Numeric to;
	Datum dollars;

	control_require();
	from = price_of(PG_GETARG_TEXT_PP(1));
	to = price_of(PG_GETARG_TEXT_PP(2));
	/* what has no price buys nothing, and cannot be bought */
	if (from == NULL || to == NULL ||
		DatumGetBool(
			DirectFunctionCall2(numeric_eq, NumericGetDatum(to), NumericGetDatum(int64_to_numeric(0)))))
		PG_RETURN_NULL();

	dollars = DirectFunctionCall2(numeric_mul, NumericGetDatum(amount), NumericGetDatum(from));
	if (symbol_equal(VARDATA_ANY(PG_GETARG_TEXT_PP(2)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(2)), "USD", 3))
		PG_RETURN_DATUM(dollars);
	PG_RETURN_DATUM(DirectFunctionCall2(numeric_div, dollars, NumericGetDatum(to)));
}
