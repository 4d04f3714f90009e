/*
 * recorder.c
 *	  The worker that follows the tick log and writes the tables.
 *
 * Its work is a row of steps, each with its own time, its own transaction and its own troubles: a table that is
 * locked, broken or full holds up its own step only, which is tried again after 1 s, 2 s, up to a minute.
 *
 * What a tick changed is marked at its coin's slot.  The steps for crypto_coins and tickers look at the marks and take
 * the quote from the board, so they always write the newest.  The step for crypto_snapshots takes the ticks themselves
 * and then moves the position in the log, with interrupts held from before the commit, so that no tick is written twice
 * or lost.  While that step is held up, the others see only the log's next ticks; if there are more, all coins are
 * marked instead, and a digest of what was written last tells which ones really differ.
 *
 * There is no last flush at the end: the position stays in shared memory, so a recorder that is started again goes on
 * where this one left off, and a server that stops does not wait for tables.
 *
 * Times are of a clock that only goes forward.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"

#include "board.h"
#include "partitions.h"
#include "settings.h"
#include "status.h"
#include "tables.h"
#include "ticklog.h"
#include "worker.h"

#define SECOND INT64CONST(1000000)
#define LOOK_ABSENT (SECOND / 4)   /* between looks for an extension that is not there */
#define LOOK_PRESENT SECOND        /* and for one that is */
#define BATCH 5000                 /* rows of a transaction */
#define BACKOFF_MAX 60             /* seconds */
#define KEEP_PERIOD (60 * SECOND)  /* between looks at the partitions' ages */
#define KEEP_AGAIN SECOND          /* when some are being read that are too old */
#define REFUSED_REST (60 * SECOND) /* a coin whose row was refused is left alone for so long */
#define TOLD_REST (60 * SECOND)    /* between log lines about refused rows of a table */
#define TOLD_SIZE 128

#define COIN_UNKNOWN 0 /* its row is still to be written */
#define COIN_LOST (-1) /* it has none and gets none */

typedef enum RecorderState
{
	WAITING,  /* the extension is not there; RECORDING when it is */
	RECORDING /* WAITING when the extension is gone, or is another one */
} RecorderState;

/* In the order in which they are taken: snapshots need a table of their day and their coins' numbers. */
typedef enum StepId
{
	STEP_PARTITIONS,
	STEP_COINS,
	STEP_SNAPSHOTS,
	STEP_TICKERS,
	STEP_SURPLUS,
	STEP_LOOK,
	STEPS
} StepId;

typedef struct Step
{
	const char *title; /* what it does, for messages and pg_stat_activity */
	bool (*run)(void); /* true: there is more of it to do at once */
	int64 due;
	int failures; /* in a row */
	char why[STATUS_TEXT_SIZE];

	/* rows that the table refused: the last reason that was logged, and when */
	char told[TOLD_SIZE];
	int64 told_at;
} Step;

/* What is remembered of a slot of the board. */
typedef struct Known
{
	uint32 generation; /* of the coin that the rest is about */
	int32 coin;        /* its number in crypto_coins, or COIN_UNKNOWN */
	uint32 former_generation;
	int32 former_coin; /* of the coin before it, whose ticks the log may still hold */

	uint64 coin_digest;   /* of its row in crypto_coins; 0: not written yet */
	uint64 ticker_digest; /* of its row in tickers; likewise */
	int64 coin_rest;      /* its row was refused: not before this time again; 0: it was not */
	int64 ticker_rest;
	bool has_ticker; /* its symbol is thought to be in tickers */
	bool listed;     /* its symbol was seen in tickers just now */
} Known;

/* Rows on their way, and the slots that they came from. */
typedef struct Batch
{
	TablesRows *rows;
	int *slots;
	uint64 *digests;
	bool *refused;
} Batch;

static bool keep_partitions(void);
static bool write_coins(void);
static bool append_snapshots(void);
static bool write_tickers(void);
static bool remove_surplus(void);
static bool look(void);

static Step steps[STEPS] = {
	[STEP_PARTITIONS] = {.title = "keeping partitions", .run = keep_partitions},
	[STEP_COINS] = {.title = "writing crypto_coins", .run = write_coins},
	[STEP_SNAPSHOTS] = {.title = "writing crypto_snapshots", .run = append_snapshots},
	[STEP_TICKERS] = {.title = "writing tickers", .run = write_tickers},
	[STEP_SURPLUS] = {.title = "removing rows from tickers", .run = remove_surplus},
	[STEP_LOOK] = {.title = "looking for the extension", .run = look},
};

static RecorderState state = WAITING;
static Step *step;      /* that is being taken */
static bool *refused;   /* by row: the step's table refused it */
static int64 now;       /* when this turn began */
static int64 looked_at; /* when the extension was last seen */

/* by slot; the marks, which are gone through at each flush, stand close together */
static Known *known;
static bool *coin_marked; /* its row may differ from the table's */
static bool *ticker_marked;
static int nknown;

static Tick *ticks; /* the log's next */
static int nticks;
static uint64 ticks_lost; /* as far as the consequences have been drawn */
static bool outdated;     /* partitions are too old, but are being read */
static int64 sweeps;      /* after as many, tickers was last gone through; -1: not yet */

static int64
period(StepId id)
{
	if (id == STEP_LOOK)
		return state == WAITING ? LOOK_ABSENT : LOOK_PRESENT;
	if (id == STEP_PARTITIONS)
		return outdated ? KEEP_AGAIN : KEEP_PERIOD;
	return (int64) settings_flush_interval() * 1000;
}

static void
mark_all(void)
{
	memset(coin_marked, true, nknown);
	memset(ticker_marked, true, nknown);
}

/* The only place where the state changes. */
static void
move_to(RecorderState next)
{
	state = next;
	memset(known, 0, nknown * sizeof(Known));
	nticks = 0;
	sweeps = -1;
	partitions_forget();
	for (int i = 0; i < STEPS; i++)
	{
		steps[i].due = now;
		steps[i].failures = 0;
		steps[i].told[0] = '\0';
	}
	if (next == RECORDING)
		mark_all();

	control_set_installed(next == RECORDING);
	control_wake(WORKER_LAUNCHER);
	control_wake(WORKER_POLLER);
	control_wake(WORKER_PUBLISHER);
}

/*
 * Transactions.
 */

/* Look for the extension in a transaction.  False: it is not to be had, and the transaction is over. */
static bool
begin(void)
{
	TablesFound found;

	worker_transaction_begin(step->title);
	found = tables_find();
	if (found == TABLES_FOUND)
	{
		looked_at = now;
		return true;
	}
	worker_transaction_end();
	if (found == TABLES_ABSENT && (state == RECORDING || control_installed()))
		move_to(WAITING);
	/* what was polled before the extension was there again is not for its tables */
	if (found == TABLES_ABSENT)
		ticklog_skip(TICK_RECORDER);
	return false;
}

static bool
begin_writing(TablesTable table)
{
	if (!begin())
		return false;
	tables_enter(table);
	return true;
}

static void
end_writing(void)
{
	tables_leave();
	worker_transaction_end();
}

/* Log that a row was refused, once per reason, and not too often when reasons vary. */
static void
tell_refused(const char *why, const char *detail)
{
	if (step->told[0] != '\0' &&
		(now - step->told_at < TOLD_REST || strncmp(step->told, why, TOLD_SIZE - 1) == 0))
		return;
	strlcpy(step->told, why, TOLD_SIZE);
	step->told_at = now;
	ereport(LOG, errmsg("crypto_rt recorder: %s: a row was refused: %s", step->title, why),
			detail != NULL ? errdetail_log("%s", detail) : 0);
}

static void
row_refused(int row, const char *why, const char *detail)
{
	refused[row] = true;
	status_add(STATUS_ROWS_REFUSED, 1);
	tell_refused(why, detail);
}

/*
 * What is known of the slots.
 */

/* Read a slot.  When it holds another coin than before, what was known of that one is put away. */
static bool
read_slot(int slot, BoardEntry *entry)
{
	Known *k = &known[slot];

	if (!board_read(slot, entry))
		return false;
	if (entry->generation != k->generation)
	{
		coin_marked[slot] = ticker_marked[slot] = true;
		*k = (Known){
			.generation = entry->generation,
			.former_generation = k->generation,
			.former_coin = k->coin,
		};
	}
	return true;
}

static inline bool
in_top(int rank, int top)
{
	return top == 0 || (rank > 0 && rank <= top);
}

/* The number of a tick's coin, COIN_UNKNOWN or COIN_LOST. */
static int32
coin_of(const Tick *tick)
{
	const Known *k = &known[tick->slot];

	if (tick->generation == k->generation && k->coin != COIN_UNKNOWN)
		return k->coin;
	if (tick->generation == k->former_generation && k->former_coin != COIN_UNKNOWN)
		return k->former_coin;
	/* the step for the coins has not come to it yet; but what that step could not write it does not wait for */
	return coin_marked[tick->slot] && k->coin_rest == 0 ? COIN_UNKNOWN : COIN_LOST;
}

/* Read the log's next ticks and mark their coins. */
static void
take_ticks(void)
{
	uint64 lost;

	nticks = ticklog_read(TICK_RECORDER, ticks, BATCH);
	for (int i = 0; i < nticks; i++)
		if (ticks[i].flags & (BOARD_CHANGED | BOARD_PRICE_CHANGED | BOARD_CREATED))
			coin_marked[ticks[i].slot] = ticker_marked[ticks[i].slot] = true;

	lost = ticklog_counts().lost[TICK_RECORDER];
	if (lost != ticks_lost ||
		(nticks == BATCH && (steps[STEP_SNAPSHOTS].failures > 0 || steps[STEP_COINS].failures > 0)))
		mark_all();
	ticks_lost = lost;
}

/* How many slots are marked, up to a batch. */
static int
count_marked(const bool *marked)
{
	int n = 0;

	for (int i = 0; i < nknown; i++)
		n += marked[i];
	return Min(n, BATCH);
}

static Batch
make_batch(TablesTable table, int capacity)
{
	Batch batch = {
		.rows = tables_rows(table, capacity),
		.slots = palloc(capacity * sizeof(int)),
		.digests = palloc(capacity * sizeof(uint64)),
		.refused = palloc0(capacity * sizeof(bool)),
	};

	refused = batch.refused;
	return batch;
}

/* Note where the row that was just added comes from. */
static void
put_in(Batch *batch, int slot, uint64 digest)
{
	batch->slots[batch->rows->count - 1] = slot;
	batch->digests[batch->rows->count - 1] = digest;
}

/*
 * The steps.
 */

/* Make tomorrow's partitions, and drop those of days that are not to be kept any longer. */
static bool
keep_partitions(void)
{
	if (!begin())
		return false;
	outdated = partitions_keep() > 0;
	worker_transaction_end();
	return false;
}

/* Gather what crypto_coins does not have as the board has it.  Returns false when it was more than a batch holds. */
static bool
gather_coins(Batch *batch)
{
	BoardEntry entry;

	for (int slot = 0; slot < nknown; slot++)
	{
		Known *k = &known[slot];
		uint64 digest;

		if (!coin_marked[slot] || k->coin_rest > now)
			continue;
		if (batch->rows->count == batch->rows->capacity)
			return false;
		if (!read_slot(slot, &entry))
		{
			coin_marked[slot] = false;
			continue;
		}
		digest = tables_coin_digest(&entry);
		if (k->coin != COIN_UNKNOWN && k->coin_digest == digest)
			coin_marked[slot] = false;
		else if (tables_add_coin(batch->rows, &entry))
			put_in(batch, slot, digest);
		else
		{
			k->coin_rest = now + REFUSED_REST;
			tell_refused("the database's encoding lacks the characters of its symbol", entry.quote.nameid);
		}
	}
	return true;
}

/* Insert new coins, which then have a number, and update changed ones. */
static bool
write_coins(void)
{
	Batch batch = make_batch(TABLES_COINS, count_marked(coin_marked));
	bool all = gather_coins(&batch);
	int n = batch.rows->count;
	int32 *numbers = palloc0(n * sizeof(int32));

	if (n == 0 || !begin_writing(TABLES_COINS))
		return false;
	tables_write(TABLES_INSERT_COINS, batch.rows, row_refused);
	tables_write(TABLES_UPDATE_COINS, batch.rows, row_refused);
	tables_coin_ids(batch.rows, numbers);
	end_writing();

	for (int i = 0; i < n; i++)
	{
		Known *k = &known[batch.slots[i]];

		k->coin = numbers[i];
		k->coin_digest = batch.digests[i];
		coin_marked[batch.slots[i]] = batch.refused[i] || k->coin == COIN_UNKNOWN;
		k->coin_rest = coin_marked[batch.slots[i]] ? now + REFUSED_REST : 0;
	}
	return !all;
}

/*
 * Append the prices that changed.  Afterwards the ticks are done with, also those that are of no interest here or whose
 * coin is lost.  A tick whose coin has no number yet, and all after it, stay in the log.
 */
static bool
append_snapshots(void)
{
	TablesRows *rows = tables_rows(TABLES_SNAPSHOTS, nticks);
	TablesRows *first = tables_rows(TABLES_SNAPSHOTS, nticks); /* of coins that may have been here before */
	int top = settings_snapshot_top();
	int n;
	int lost = 0;
	int64 written = 0;

	refused = palloc0(nticks * sizeof(bool));
	for (n = 0; n < nticks; n++)
	{
		const Tick *tick = &ticks[n];
		int32 coin;

		if (!(tick->flags & (BOARD_PRICE_CHANGED | BOARD_CREATED)) || !in_top(tick->rank, top))
			continue;
		coin = coin_of(tick);
		if (coin == COIN_UNKNOWN)
			break;
		if (coin == COIN_LOST)
			lost++;
		else
			tables_add_snapshot(tick->flags & BOARD_CREATED ? first : rows, coin, tick);
	}
	if (lost > 0)
		tell_refused("its coin is not in crypto_coins", NULL);

	if (rows->count > 0 || first->count > 0)
	{
		if (!begin())
			return false;
		for (int i = 0; i < n; i++)
			partitions_make(ticks[i].time);
		tables_enter(TABLES_SNAPSHOTS);
		written = tables_write(TABLES_BEGIN_SNAPSHOTS, first, row_refused);
		written += tables_write(TABLES_APPEND_SNAPSHOTS, rows, row_refused);
		tables_leave();
		HOLD_INTERRUPTS();
		worker_transaction_end();
		ticklog_advance(TICK_RECORDER, n);
		RESUME_INTERRUPTS();
	}
	else
		ticklog_advance(TICK_RECORDER, n);
	status_add(STATUS_SNAPSHOTS_WRITTEN, written);
	return n == BATCH;
}

/* Gather what tickers does not have as the board has it.  Returns false when it was more than a batch holds. */
static bool
gather_tickers(Batch *batch)
{
	int top = settings_ticker_top();
	BoardEntry entry;

	for (int slot = 0; slot < nknown; slot++)
	{
		Known *k = &known[slot];
		uint64 digest;

		if (!ticker_marked[slot] || k->ticker_rest > now)
			continue;
		if (batch->rows->count == batch->rows->capacity)
			return false;
		if (!read_slot(slot, &entry) || !entry.owns_symbol ||
			!(in_top(entry.quote.rank, top) || k->has_ticker))
		{
			ticker_marked[slot] = false;
			continue;
		}
		/* it comes from the table and is not confirmed yet */
		if (entry.quote.restored)
			continue;
		digest = tables_ticker_digest(&entry);
		if (k->ticker_digest == digest)
			ticker_marked[slot] = false;
		else if (tables_add_ticker(batch->rows, &entry))
			put_in(batch, slot, digest);
		else
			k->ticker_rest = now + REFUSED_REST;
	}
	return true;
}

/* Bring the best coins' rows up to date, and those that are still there of others. */
static bool
write_tickers(void)
{
	Batch batch = make_batch(TABLES_TICKERS, count_marked(ticker_marked));
	bool all = gather_tickers(&batch);
	bool insert = false;
	int64 written = 0;

	if (batch.rows->count == 0)
		return false;
	for (int i = 0; i < batch.rows->count; i++)
		insert = insert || !known[batch.slots[i]].has_ticker;

	if (!begin_writing(TABLES_TICKERS))
		return false;
	if (insert)
		written = tables_write(TABLES_INSERT_TICKERS, batch.rows, row_refused);
	written += tables_write(TABLES_UPDATE_TICKERS, batch.rows, row_refused);
	end_writing();

	for (int i = 0; i < batch.rows->count; i++)
	{
		Known *k = &known[batch.slots[i]];

		ticker_marked[batch.slots[i]] = batch.refused[i];
		k->ticker_rest = batch.refused[i] ? now + REFUSED_REST : 0;
		if (batch.refused[i])
			continue;
		k->ticker_digest = batch.digests[i];
		k->has_ticker = true;
	}
	status_add(STATUS_TICKERS_WRITTEN, written);
	return !all;
}

/*
 * After a sweep, delete the rows of coins that are not among the best any more or have lost their symbol.  A row that a
 * foreign key holds stays, and is kept up to date like the others.  The first time, only look which rows there are.
 */
static bool
remove_surplus(void)
{
	int64 swept = status_get(STATUS_SWEEPS);
	int top = settings_ticker_top();
	char **symbols;
	TablesRows *rows;
	int *slots;
	int n;

	if (swept == sweeps || !begin_writing(TABLES_TICKERS))
		return false;
	symbols = tables_ticker_symbols(&n);
	rows = tables_rows(TABLES_TICKERS, n);
	slots = palloc(n * sizeof(int));
	refused = palloc0(n * sizeof(bool));

	for (int i = 0; i < nknown; i++)
		known[i].listed = false;
	for (int i = 0; i < n; i++)
	{
		int slot = board_find_symbol(symbols[i], strlen(symbols[i]));
		BoardEntry entry;

		if (slot != BOARD_NO_SLOT && read_slot(slot, &entry) && entry.owns_symbol &&
			strcmp(entry.quote.symbol, symbols[i]) == 0)
		{
			known[slot].listed = true;
			if (in_top(entry.quote.rank, top))
				continue;
		}
		else
			slot = BOARD_NO_SLOT;
		slots[rows->count] = slot;
		tables_add_symbol(rows, symbols[i]);
	}
	if (sweeps >= 0)
	{
		tables_write(TABLES_DELETE_TICKERS, rows, row_refused);
		for (int i = 0; i < rows->count; i++)
			if (slots[i] != BOARD_NO_SLOT && !refused[i])
				known[slots[i]].listed = false;
	}
	end_writing();

	/* also when somebody else has deleted rows or brought some */
	for (int i = 0; i < nknown; i++)
	{
		Known *k = &known[i];

		if (k->has_ticker != k->listed)
		{
			k->has_ticker = k->listed;
			k->ticker_digest = 0;
			ticker_marked[i] = true;
		}
	}
	sweeps = swept;
	return false;
}

/* See whether the extension is there, unless a step has just seen it. */
static bool
look(void)
{
	if (state == RECORDING && now - looked_at < LOOK_PRESENT)
		return false;
	if (!begin())
		return false;
	worker_transaction_end();
	if (state == WAITING)
		move_to(RECORDING);
	return false;
}

/*
 * The worker.
 */

/* Take a step, and decide when it is due again. */
static void
take_step(StepId id)
{
	volatile bool more = false;
	volatile bool failed = false;

	step = &steps[id];
	PG_TRY();
	{
		more = step->run();
	}
	PG_CATCH();
	{
		failed = true;
		tables_leave();
		partitions_forget();
		worker_transaction_failed(step->why, sizeof(step->why));
	}
	PG_END_TRY();

	if (failed)
	{
		step->failures++;
		step->due = now + Min(1 << Min(step->failures - 1, 6), BACKOFF_MAX) * SECOND;
		status_add(STATUS_FLUSH_FAILURES, 1);
	}
	else
	{
		step->failures = 0;
		step->due = more ? now : now + period(id);
	}
}

/* Say what fails, or that nothing does, which it returns. */
static bool
report(void)
{
	char trouble[STATUS_TEXT_SIZE] = "";
	size_t len = 0;

	for (int i = 0; i < STEPS; i++)
		if (steps[i].failures > 0 && len < sizeof(trouble))
			len += snprintf(trouble + len, sizeof(trouble) - len, "%s%s: %s", len > 0 ? "; " : "",
							steps[i].title, steps[i].why);
	if (len == 0)
		status_ok(STATUS_RECORDER);
	else
		status_report(STATUS_RECORDER, "%s", trouble);
	return len == 0;
}

static bool
due(StepId id)
{
	return steps[id].due <= now;
}

/* Write what is due.  Returns whether anything was. */
static bool
flush(void)
{
	bool any = false;

	/* the best N may be others now, and so may their tiers */
	if (worker_reloaded())
	{
		mark_all();
		steps[STEP_PARTITIONS].due = Min(steps[STEP_PARTITIONS].due, now);
	}
	/* the log must not fill up, however long the flush interval is */
	if (steps[STEP_SNAPSHOTS].failures == 0 && ticklog_behind(TICK_RECORDER) > (uint64) nknown)
		steps[STEP_SNAPSHOTS].due = now;
	/* the ticks may be of new coins */
	if (due(STEP_SNAPSHOTS) && steps[STEP_COINS].failures == 0)
		steps[STEP_COINS].due = now;

	for (int id = 0; id < STEP_LOOK && state == RECORDING; id++)
	{
		if (!due(id))
			continue;
		if (!any)
			take_ticks();
		any = true;
		take_step(id);
	}
	return any;
}

/* One turn's work. */
static void
record(void)
{
	bool flushed;

	now = worker_clock();
	flushed = state == RECORDING && flush();
	if (due(STEP_LOOK))
		take_step(STEP_LOOK);
	if (report() && flushed)
		status_set(STATUS_LAST_FLUSH, worker_now());
}

/* Milliseconds until a step is due. */
static long
wait_time(void)
{
	int64 next = steps[STEP_LOOK].due;

	if (state == RECORDING)
		for (int i = 0; i < STEPS; i++)
			next = Min(next, steps[i].due);
	return (long) (Max(next - worker_clock(), 0) + 999) / 1000;
}

void
crypto_rt_recorder_main(Datum arg)
{
	worker_begin(WORKER_RECORDER, DatumGetObjectId(arg));
	tables_session();
	nknown = settings_max_coins();
	known = MemoryContextAllocZero(worker_memory(), nknown * sizeof(Known));
	coin_marked = MemoryContextAllocZero(worker_memory(), nknown);
	ticker_marked = MemoryContextAllocZero(worker_memory(), nknown);
	ticks = MemoryContextAlloc(worker_memory(), BATCH * sizeof(Tick));
	do
		record();
	while (worker_turn(wait_time(), PGINVALID_SOCKET, 0));
	proc_exit(0);
}
