/*
 * worker.c
 *	  The skeleton of the background workers; see worker.h.
 */
#include "postgres.h"

#include <time.h>

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "worker.h"

static const char *const names[WORKER_KINDS] = {
	[WORKER_LAUNCHER] = "crypto_rt launcher",
	[WORKER_POLLER] = "crypto_rt poller",
	[WORKER_PUBLISHER] = "crypto_rt publisher",
	[WORKER_RECORDER] = "crypto_rt recorder",
};

static WorkerKind me;
static MemoryContext life_memory;
static MemoryContext turn_memory;
static uint32 wait_event;
static bool reloaded;

const char *
worker_name(WorkerKind kind)
{
	return names[kind];
}

void
worker_begin(WorkerKind kind, Oid database)
{
	me = kind;
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	pqsignal(SIGUSR1, procsignal_sigusr1_handler);
	BackgroundWorkerUnblockSignals();

	/* another one, left over by a launcher that died, does the work already */
	if (!control_claim(kind))
		proc_exit(0);

	if (OidIsValid(database))
		BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	else
		BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	SetConfigOption("application_name", names[kind], PGC_USERSET, PGC_S_SESSION);
	pgstat_report_activity(STATE_IDLE, NULL);
	wait_event = COMPAT_WAIT_EVENT("CryptoRtMain");

	life_memory = AllocSetContextCreate(TopMemoryContext, "crypto_rt life", ALLOCSET_DEFAULT_SIZES);
	turn_memory = AllocSetContextCreate(TopMemoryContext, "crypto_rt turn", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(turn_memory);
}

bool
worker_turn(long timeout, pgsocket socket, uint32 events)
{
	uint32 wanted = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

	if (timeout >= 0)
		wanted |= WL_TIMEOUT;
	if (socket != PGINVALID_SOCKET)
		wanted |= events;
	WaitLatchOrSocket(MyLatch, wanted, socket, timeout, wait_event);
	ResetLatch(MyLatch);
	/* pg_cancel_backend() has nothing to cancel here, and is no reason to end */
	QueryCancelPending = false;
	CHECK_FOR_INTERRUPTS();

	reloaded = ConfigReloadPending;
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
	MemoryContextReset(turn_memory);
	MemoryContextSwitchTo(turn_memory);

	/* the recorder itself finds out whether the extension is there; the launcher outlives it */
	return me == WORKER_RECORDER || me == WORKER_LAUNCHER || control_installed();
}

bool
worker_reloaded(void)
{
	return reloaded;
}

MemoryContext
worker_memory(void)
{
	return life_memory;
}

void
worker_transaction_begin(const char *activity)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	pgstat_report_activity(STATE_RUNNING, activity);
}

void
worker_transaction_end(void)
{
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	/* a commit leaves us in TopMemoryContext */
	MemoryContextSwitchTo(turn_memory);
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
}

void
worker_transaction_failed(char *message, Size size)
{
	ErrorData *error;

	MemoryContextSwitchTo(turn_memory);
	error = CopyErrorData();
	strlcpy(message, error->message != NULL ? error->message : "unknown error", size);
	FlushErrorState();
	FreeErrorData(error);
	/* ends SPI, snapshots, locks and the security context, too */
	AbortCurrentTransaction();
	MemoryContextSwitchTo(turn_memory);
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
}

int64
worker_now(void)
{
	return GetCurrentTimestamp() + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

int64
worker_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
