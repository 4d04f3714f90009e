/*
 * operations.c
 *	  The SQL functions that look at the workers and steer them.
 *
 * None of them touches a network or a table: they read shared memory, or leave a wish in it and wake who grants it.
 */
#include "postgres.h"

#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "board.h"
#include "compat.h"
#include "control.h"
#include "settings.h"
#include "status.h"
#include "ticklog.h"
#include "worker.h"

#define UNIX_EPOCH_OFFSET ((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)
#define PURGE_TIMEOUT 30000 /* ms */

COMPAT_SQL_FUNCTION(crypto_rt_refresh);
COMPAT_SQL_FUNCTION(crypto_rt_status);
COMPAT_SQL_FUNCTION(crypto_rt_tiers);
COMPAT_SQL_FUNCTION(crypto_rt_pause);
COMPAT_SQL_FUNCTION(crypto_rt_resume);
COMPAT_SQL_FUNCTION(crypto_rt_redis_purge);

/* crypto_refresh(symbol text) → boolean: whether the coin is known, and so its page was asked for */
Datum
crypto_rt_refresh(PG_FUNCTION_ARGS)
{
	text *symbol = PG_GETARG_TEXT_PP(0);
	BoardEntry entry;
	int slot;

	control_require();
	slot = board_find(VARDATA_ANY(symbol), VARSIZE_ANY_EXHDR(symbol));
	if (slot == BOARD_NO_SLOT || !board_read(slot, &entry) || entry.quote.rank == 0)
		PG_RETURN_BOOL(false);
	if (control_paused())
		ereport(NOTICE, errmsg("polling is paused, so the page will be fetched after crypto_resume()"));
	control_ask_page((entry.quote.rank - 1) / SCHEDULE_PAGE_ROWS);
	PG_RETURN_BOOL(true);
}

/* crypto_pause() → void */
Datum
crypto_rt_pause(PG_FUNCTION_ARGS)
{
	control_require();
	control_set_paused(true);
	PG_RETURN_VOID();
}

/* crypto_resume() → void */
Datum
crypto_rt_resume(PG_FUNCTION_ARGS)
{
	control_require();
	control_set_paused(false);
	PG_RETURN_VOID();
}

/* crypto_redis_purge() → bigint: how many keys the publisher removed */
Datum
crypto_rt_redis_purge(PG_FUNCTION_ARGS)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), PURGE_TIMEOUT);
	uint64 ticket;
	int64 removed;
	char error[STATUS_TEXT_SIZE];

	control_require();
	if (control_pid(WORKER_PUBLISHER) == 0)
		ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("the publisher does not run, so Redis cannot be purged"),
				errhint("It runs while the extension exists in the database that crypto_rt.database names."));
	ticket = control_purge_request();
	while (!control_purge_done(ticket, &removed, error, sizeof(error)))
	{
		if (GetCurrentTimestamp() > deadline)
			ereport(ERROR, errcode(ERRCODE_QUERY_CANCELED),
					errmsg("the publisher did not finish the purge in time"),
					errdetail("Keys may have been removed; the publisher goes on."),
					errhint("Look at crypto_status().redis_problem."));
		WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 20,
				  COMPAT_WAIT_EVENT("CryptoRtPurge"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	if (error[0] != '\0')
		ereport(ERROR, errcode(ERRCODE_CONNECTION_FAILURE), errmsg("Redis could not be purged: %s", error));
	PG_RETURN_INT64(removed);
}

/* The state of the whole in one word or two. */
static const char *
state_name(const char *feed_problem)
{
	if (control_pid(WORKER_POLLER) == 0)
		return control_installed() ? "starting" : "waiting for the extension";
	if (control_paused())
		return "paused";
	if (feed_problem[0] != '\0')
		return "feed failing";
	return status_get(STATUS_LAST_POLL) == 0 ? "starting" : "polling";
}

typedef struct Row
{
	Datum values[40];
	bool nulls[40];
	int n;
} Row;

static void
add(Row *row, Datum value)
{
	row->nulls[row->n] = false;
	row->values[row->n++] = value;
}

static void
add_null(Row *row)
{
	row->nulls[row->n] = true;
	row->values[row->n++] = (Datum) 0;
}

/* A text that may have been cut in the middle of a character; NULL when there is nothing to tell. */
static void
add_text(Row *row, const char *value)
{
	int len = (int) strlen(value);

	if (len == 0)
		add_null(row);
	else
		add(row, PointerGetDatum(cstring_to_text_with_len(value, pg_mbcliplen(value, len, len))));
}

static void
add_number(Row *row, StatusNumber number)
{
	add(row, Int64GetDatum(status_get(number)));
}

static void
add_time(Row *row, StatusNumber number)
{
	int64 unix_us = status_get(number);

	if (unix_us == 0)
		add_null(row);
	else
		add(row, TimestampTzGetDatum(unix_us - UNIX_EPOCH_OFFSET));
}

static void
add_pid(Row *row, WorkerKind kind)
{
	int pid = control_pid(kind);

	if (pid == 0)
		add_null(row);
	else
		add(row, Int32GetDatum(pid));
}

static void
add_interval(Row *row, int64 us)
{
	Interval *interval;

	if (us == 0)
	{
		add_null(row);
		return;
	}
	interval = palloc0(sizeof(Interval));
	interval->time = us;
	add(row, IntervalPGetDatum(interval));
}

/* crypto_status() → record */
Datum
crypto_rt_status(PG_FUNCTION_ARGS)
{
	Row row = {.n = 0};
	TupleDesc desc;
	char feed[STATUS_TEXT_SIZE];
	char redis[STATUS_TEXT_SIZE];
	char recorder[STATUS_TEXT_SIZE];
	char launcher[STATUS_TEXT_SIZE];
	BoardCounts board;
	TicklogCounts ticks;

	control_require();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "crypto_status must return a row");
	board = board_counts();
	ticks = ticklog_counts();
	status_read(STATUS_FEED, feed);
	status_read(STATUS_REDIS, redis);
	status_read(STATUS_RECORDER, recorder);
	status_read(STATUS_LAUNCHER, launcher);

	add_text(&row, state_name(feed));
	add_text(&row, settings_database());
	add_text(&row, status_get(STATUS_SIMULATED) ? "simulated" : "coinlore");
	add(&row, Int32GetDatum(board.coins));
	add(&row, Int32GetDatum(board.active));
	add(&row, Int32GetDatum(board.refused));

	add_text(&row, feed);
	add(&row, Float8GetDatum((double) status_get(STATUS_REQUEST_RATE) / 1000));
	add_number(&row, STATUS_PAGES_FETCHED);
	add_number(&row, STATUS_PAGES_UNCHANGED);
	add_number(&row, STATUS_PAGES_FAILED);
	add_number(&row, STATUS_ROWS_REJECTED);
	add_number(&row, STATUS_SWEEPS);
	add_time(&row, STATUS_LAST_POLL);
	add_time(&row, STATUS_LAST_SWEEP);

	add(&row, BoolGetDatum(status_get(STATUS_REDIS_CONNECTED) != 0));
	add_text(&row, redis);
	add_number(&row, STATUS_REDIS_CONNECTS);
	add_number(&row, STATUS_REDIS_QUOTES);
	add_number(&row, STATUS_REDIS_MESSAGES);
	add_number(&row, STATUS_REDIS_ERRORS);

	add_text(&row, recorder);
	add(&row, Int64GetDatum((int64) ticks.written));
	add(&row, Int64GetDatum((int64) ticks.behind[TICK_RECORDER]));
	add(&row, Int64GetDatum((int64) ticks.lost[TICK_RECORDER]));
	add_number(&row, STATUS_TICKERS_WRITTEN);
	add_number(&row, STATUS_SNAPSHOTS_WRITTEN);
	add_number(&row, STATUS_ROWS_REFUSED);
	add_number(&row, STATUS_FLUSH_FAILURES);
	add_time(&row, STATUS_LAST_FLUSH);

	add_text(&row, launcher);
	add_pid(&row, WORKER_LAUNCHER);
	add_pid(&row, WORKER_POLLER);
	add_pid(&row, WORKER_PUBLISHER);
	add_pid(&row, WORKER_RECORDER);
	Assert(row.n == desc->natts);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), row.values, row.nulls)));
}

/* Behind the view crypto_tiers: a row for each tier */
Datum
crypto_rt_tiers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TierList list;
	ScheduleTier tiers[TIER_MAX];
	int coins[TIER_MAX + 1] = {0};
	BoardEntry entry;
	int nslots;
	int n;

	control_require();
	InitMaterializedSRF(fcinfo, 0);
	n = status_get_tiers(&list, tiers);
	if (n == 0)
		return (Datum) 0; /* the poller has not run yet */

	nslots = board_slots();
	for (int slot = 0; slot < nslots; slot++)
		if (board_read(slot, &entry) && entry.quote.rank > 0)
			coins[tier_of_rank(&list, entry.quote.rank)]++;

	for (int i = 1; i <= n; i++)
	{
		const Tier *tier = tier_get(&list, i);
		const ScheduleTier *run = &tiers[i - 1];
		char name[16];
		Row row = {.n = 0};

		snprintf(name, sizeof(name), "tier%d", i);
		add_text(&row, name);
		add(&row, Int32GetDatum(tier_first_rank(&list, i)));
		if (tier->last_rank == TIER_NO_LIMIT)
			add_null(&row);
		else
			add(&row, Int32GetDatum(tier->last_rank));
		add(&row, Int32GetDatum(coins[i]));
		add(&row, Int32GetDatum(run->pages));
		add_interval(&row, run->interval);
		add_interval(&row, run->stretched);
		add_interval(&row, run->achieved);
		add(&row, Int64GetDatum((int64) run->polls));
		add(&row, Int64GetDatum((int64) run->late));
		add(&row, Int64GetDatum((int64) run->failed));
		add_interval(&row, (int64) (tier->ttl * settings_ttl_factor() * 1000000));
		Assert(row.n == result->setDesc->natts);
		tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
	}
	return (Datum) 0;
}
