/*
 * operations.c
 *	  The SQL functions that look at the workers and steer them.
 *
 * None of them touches a network or a table: they read shared memory, or leave a wish in it and wake who grants it.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "board.h"
#include "compat.h"
#include "control.h"
#include "row.h"
#include "settings.h"
#include "status.h"
#include "ticklog.h"
#include "worker.h"

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

static void
add_number(Row *row, StatusNumber number)
{
	row_bigint(row, status_get(number));
}

static void
add_time(Row *row, StatusNumber number)
{
	row_time(row, status_get(number));
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

	row_text(&row, state_name(feed));
	row_text(&row, settings_database());
	row_text(&row, status_get(STATUS_SIMULATED) ? "simulated" : "coinlore");
	row_int(&row, board.coins);
	row_int(&row, board.active);
	row_int(&row, board.refused);

	row_text(&row, feed);
	row_double(&row, (double) status_get(STATUS_REQUEST_RATE) / 1000);
	add_number(&row, STATUS_PAGES_FETCHED);
	add_number(&row, STATUS_PAGES_UNCHANGED);
	add_number(&row, STATUS_PAGES_FAILED);
	add_number(&row, STATUS_ROWS_REJECTED);
	add_number(&row, STATUS_SWEEPS);
	add_time(&row, STATUS_LAST_POLL);
	add_time(&row, STATUS_LAST_SWEEP);

	row_bool(&row, status_get(STATUS_REDIS_CONNECTED) != 0);
	row_text(&row, redis);
	add_number(&row, STATUS_REDIS_CONNECTS);
	add_number(&row, STATUS_REDIS_QUOTES);
	add_number(&row, STATUS_REDIS_MESSAGES);
	add_number(&row, STATUS_REDIS_ERRORS);

	row_text(&row, recorder);
	row_bigint(&row, (int64) ticks.written);
	row_bigint(&row, (int64) ticks.behind[TICK_RECORDER]);
	row_bigint(&row, (int64) ticks.lost[TICK_RECORDER]);
	add_number(&row, STATUS_TICKERS_WRITTEN);
	add_number(&row, STATUS_SNAPSHOTS_WRITTEN);
	add_number(&row, STATUS_ROWS_REFUSED);
	add_number(&row, STATUS_FLUSH_FAILURES);
	add_time(&row, STATUS_LAST_FLUSH);

	row_text(&row, launcher);
	row_int_or_null(&row, control_pid(WORKER_LAUNCHER));
	row_int_or_null(&row, control_pid(WORKER_POLLER));
	row_int_or_null(&row, control_pid(WORKER_PUBLISHER));
	row_int_or_null(&row, control_pid(WORKER_RECORDER));
	PG_RETURN_DATUM(row_datum(&row, desc));
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
		row_text(&row, name);
		row_int(&row, tier_first_rank(&list, i));
		if (tier->last_rank == TIER_NO_LIMIT)
			row_null(&row);
		else
			row_int(&row, tier->last_rank);
		row_int(&row, coins[i]);
		row_int(&row, run->pages);
		row_interval(&row, run->interval);
		row_interval(&row, run->stretched);
		row_interval(&row, run->achieved);
		row_bigint(&row, (int64) run->polls);
		row_bigint(&row, (int64) run->late);
		row_bigint(&row, (int64) run->failed);
		row_interval(&row, (int64) (tier->ttl * settings_ttl_factor() * 1000000));
		row_put(&row, result);
	}
	return (Datum) 0;
}
