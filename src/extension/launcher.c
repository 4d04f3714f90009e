/*
 * launcher.c
 *	  The worker that starts the other workers, and starts them again.
 *
 * It is connected to no database, so that it can wait for crypto_rt.database to exist without dying of its absence.
 * While the database is there it keeps a recorder running in it; while the recorder finds the extension there, a poller
 * and a publisher too.  A worker that ends early is started again after 1 s, then 2 s, up to a minute;
 * one that has run for a minute is given a new start.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "control.h"
#include "settings.h"
#include "status.h"
#include "worker.h"

#define LOOK_INTERVAL 1000 /* ms between looks for the database */
#define BACKOFF_FIRST 1000 /* ms */
#define BACKOFF_LAST 60000
#define RAN_WELL 60000 /* a run this long forgives the failures before it */

typedef struct Child
{
	const char *entry;
	BackgroundWorkerHandle *handle; /* NULL: not started, or by an earlier launcher */
	int64 started;                  /* by worker_clock */
	int64 not_before;
	int backoff; /* ms */
} Child;

static Child children[WORKER_KINDS] = {
	[WORKER_POLLER] = {.entry = "crypto_rt_poller_main"},
	[WORKER_PUBLISHER] = {.entry = "crypto_rt_publisher_main"},
	[WORKER_RECORDER] = {.entry = "crypto_rt_recorder_main"},
};

/*
 * The database to work in, InvalidOid while there is none that takes connections.  Outside of a database there may be no
 * index to be had, so this reads pg_database from end to end.
 */
static Oid
find_database(void)
{
	Oid oid = InvalidOid;
	Relation relation;
	TableScanDesc scan;
	HeapTuple tuple;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	relation = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(relation, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		if (database->datallowconn && strcmp(NameStr(database->datname), settings_database()) == 0)
			oid = database->oid;
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	CommitTransactionCommand();
	return oid;
}

/* False when the server has no process to spare. */
static bool
start(WorkerKind kind, Oid database, int64 now)
{
	Child *child = &children[kind];
	MemoryContext old = MemoryContextSwitchTo(worker_memory());
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART, /* that is our work */
		.bgw_main_arg = ObjectIdGetDatum(database),
		.bgw_notify_pid = MyProcPid,
	};
	bool started;

	strlcpy(worker.bgw_name, worker_name(kind), BGW_MAXLEN);
	strlcpy(worker.bgw_type, worker_name(kind), BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "crypto_rt", MAXPGPATH);
	strlcpy(worker.bgw_function_name, child->entry, BGW_MAXLEN);

	child->started = now;
	started = RegisterDynamicBackgroundWorker(&worker, &child->handle);
	if (!started)
		child->handle = NULL;
	MemoryContextSwitchTo(old);
	return started;
}

/* Whether the child runs or is about to.  When it has just ended, decide when it may start again. */
static bool
running(WorkerKind kind, int64 now)
{
	Child *child = &children[kind];
	pid_t pid;
	BgwHandleStatus state;

	if (child->handle == NULL)
		return control_pid(kind) != 0;
	state = GetBackgroundWorkerPid(child->handle, &pid);
	if (state == BGWH_STARTED || state == BGWH_NOT_YET_STARTED)
		return true;

	pfree(child->handle);
	child->handle = NULL;
	if (!control_failed(kind) || now - child->started > (int64) RAN_WELL * 1000)
		child->backoff = 0;
	if (control_failed(kind))
		child->backoff = child->backoff == 0 ? BACKOFF_FIRST : Min(child->backoff * 2, BACKOFF_LAST);
	child->not_before = now + (int64) child->backoff * 1000;
	return control_pid(kind) != 0;
}

/* See to it that a worker runs.  False when there is no process for it. */
static bool
keep(WorkerKind kind, Oid database, int64 now)
{
	if (running(kind, now) || now < children[kind].not_before)
		return true;
	return start(kind, database, now);
}

/* The workers that a database took with it have not failed. */
static void
forgive(int64 now)
{
	for (int kind = 0; kind < WORKER_KINDS; kind++)
	{
		if (children[kind].entry == NULL)
			continue;
		running(kind, now);
		children[kind].backoff = 0;
		children[kind].not_before = 0;
	}
}

void
crypto_rt_launcher_main(Datum arg)
{
	worker_begin(WORKER_LAUNCHER, InvalidOid);
	do
	{
		int64 now = worker_clock();
		Oid database = find_database();
		bool enough;

		if (!OidIsValid(database))
		{
			/* the workers in it were ended by DROP DATABASE; those outside must hear of it */
			control_set_installed(false);
			control_wake(WORKER_PUBLISHER);
			status_report(STATUS_LAUNCHER, "waiting for database \"%s\" (crypto_rt.database)",
						  settings_database());
			forgive(now);
			continue;
		}
		enough = keep(WORKER_RECORDER, database, now);
		if (control_installed())
		{
			enough = keep(WORKER_POLLER, database, now) && enough;
			enough = keep(WORKER_PUBLISHER, database, now) && enough;
		}
		if (enough)
			status_ok(STATUS_LAUNCHER);
		else
			status_report(STATUS_LAUNCHER, "no free background worker: raise max_worker_processes");
	} while (worker_turn(LOOK_INTERVAL, PGINVALID_SOCKET, 0));
	proc_exit(0);
}
