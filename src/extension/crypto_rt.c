/*
 * crypto_rt.c
 *	  Loading: settings, shared memory, and the launcher, who starts all else.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "board.h"
#include "control.h"
#include "settings.h"
#include "status.h"
#include "ticklog.h"
#include "worker.h"

PG_MODULE_MAGIC;

typedef struct Segment
{
	const char *name;
	Size (*size)(void);
	void (*init)(bool found, void *memory);
} Segment;

static const Segment segments[] = {
	{"crypto_rt control", control_shmem_size, control_shmem_init},
	{"crypto_rt status", status_shmem_size, status_shmem_init},
	{"crypto_rt board", board_shmem_size, board_shmem_init},
	{"crypto_rt ticklog", ticklog_shmem_size, ticklog_shmem_init},
};

static shmem_request_hook_type next_shmem_request;
static shmem_startup_hook_type next_shmem_startup;

PGDLLEXPORT void _PG_init(void);

static void
request_shared_memory(void)
{
	if (next_shmem_request != NULL)
		next_shmem_request();
	for (int i = 0; i < lengthof(segments); i++)
		RequestAddinShmemSpace(segments[i].size());
}

static void
start_shared_memory(void)
{
	if (next_shmem_startup != NULL)
		next_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < lengthof(segments); i++)
	{
		bool found;
		void *memory = ShmemInitStruct(segments[i].name, segments[i].size(), &found);

		segments[i].init(found, memory);
	}
	LWLockRelease(AddinShmemInitLock);
}

static void
register_launcher(void)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = 1,
	};

	strlcpy(worker.bgw_name, "crypto_rt launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "crypto_rt launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "crypto_rt", MAXPGPATH);
	strlcpy(worker.bgw_function_name, "crypto_rt_launcher_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

void
_PG_init(void)
{
	/* loaded later, by the first call of a function, there is no shared memory to be had: control_require tells */
	if (!process_shared_preload_libraries_in_progress)
		return;

	settings_define();
	next_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shared_memory;
	next_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = start_shared_memory;

	/* pg_upgrade moves tables about: nobody may write them meanwhile */
	if (!IsBinaryUpgrade)
		register_launcher();
}
