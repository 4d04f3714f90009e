/*
 * control.c
 *	  What the processes tell one another; see control.h.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/spin.h"
#include "utils/acl.h"
#include "utils/guc.h"

#include "../core/schedule.h"
#include "control.h"

#define PAGE_WORDS ((SCHEDULE_PAGES_MAX + 31) / 32)
#define PURGE_ERROR_SIZE 160

typedef struct Control
{
	/* atomic */
	pg_atomic_uint32 installed;
	pg_atomic_uint32 installation;
	pg_atomic_uint32 paused;
	pg_atomic_uint32 asked_pages[PAGE_WORDS]; /* a bit per page */

	/* under the mutex */
	slock_t mutex;
	struct
	{
		int pid;     /* 0: nobody */
		bool failed; /* how the last one ended */
		Latch *latch;
	} workers[WORKER_KINDS];
	uint64 purge_requested; /* tickets given out */
	uint64 purge_answered;  /* up to this ticket */
	int64 purge_removed;    /* by the last answer */
	char purge_error[PURGE_ERROR_SIZE];
} Control;

static Control *control;

/* the kind that this process has claimed, and the tickets that it has taken */
static WorkerKind claimed;
static uint64 purge_taken;

Size
control_shmem_size(void)
{
	return sizeof(Control);
}

void
control_shmem_init(bool found, void *memory)
{
	control = memory;
	if (found)
		return;
	memset(control, 0, sizeof(*control));
	SpinLockInit(&control->mutex);
	pg_atomic_init_u32(&control->installed, 0);
	pg_atomic_init_u32(&control->installation, 0);
	pg_atomic_init_u32(&control->paused, 0);
	for (int i = 0; i < PAGE_WORDS; i++)
		pg_atomic_init_u32(&control->asked_pages[i], 0);
}

void
control_require(void)
{
	const char *others = NULL;

	if (control != NULL)
		return;
	/* the setting is not for everybody's eyes */
	if (has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_SETTINGS))
		others = GetConfigOption("shared_preload_libraries", true, false);
	ereport(
		ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		errmsg("crypto_rt was not loaded when the server started"),
		others != NULL
			? errhint("Put this line into postgresql.conf and restart the server: "
					  "shared_preload_libraries = '%s%scrypto_rt'",
					  others, others[0] != '\0' ? ", " : "")
			: errhint("Put this line into postgresql.conf, added to what is there, and restart the server: "
					  "shared_preload_libraries = 'crypto_rt'"));
}

static void
give_back(int code, Datum arg)
{
	SpinLockAcquire(&control->mutex);
	control->workers[claimed].pid = 0;
	control->workers[claimed].failed = code != 0;
	control->workers[claimed].latch = NULL;
	SpinLockRelease(&control->mutex);
	control_wake(WORKER_LAUNCHER);
}

bool
control_claim(WorkerKind kind)
{
	bool free;

	SpinLockAcquire(&control->mutex);
	free = control->workers[kind].pid == 0;
	if (free)
	{
		control->workers[kind].pid = MyProcPid;
		control->workers[kind].latch = &MyProc->procLatch;
	}
	SpinLockRelease(&control->mutex);
	if (!free)
		return false;
	claimed = kind;
	before_shmem_exit(give_back, (Datum) 0);
	return true;
}

int
control_pid(WorkerKind kind)
{
	int pid;

	SpinLockAcquire(&control->mutex);
	pid = control->workers[kind].pid;
	SpinLockRelease(&control->mutex);
	return pid;
}

bool
control_failed(WorkerKind kind)
{
	bool failed;

	SpinLockAcquire(&control->mutex);
	failed = control->workers[kind].failed;
	SpinLockRelease(&control->mutex);
	return failed;
}

void
control_wake(WorkerKind kind)
{
	Latch *latch;

	SpinLockAcquire(&control->mutex);
	latch = control->workers[kind].latch;
	SpinLockRelease(&control->mutex);
	/* should the process be gone by now, the latch wakes whoever has its place, which harms nobody */
	if (latch != NULL)
		SetLatch(latch);
}

bool
control_installed(void)
{
	return pg_atomic_read_u32(&control->installed) != 0;
}

void
control_set_installed(bool installed)
{
	if (installed)
		pg_atomic_fetch_add_u32(&control->installation, 1);
	pg_atomic_write_u32(&control->installed, installed);
}

uint32
control_installation(void)
{
	return pg_atomic_read_u32(&control->installation);
}

bool
control_paused(void)
{
	return pg_atomic_read_u32(&control->paused) != 0;
}

void
control_set_paused(bool paused)
{
	pg_atomic_write_u32(&control->paused, paused);
	control_wake(WORKER_POLLER);
	control_wake(WORKER_PUBLISHER);
}

void
control_ask_page(int page)
{
	if (page < 0 || page >= SCHEDULE_PAGES_MAX)
		return;
	pg_atomic_fetch_or_u32(&control->asked_pages[page / 32], UINT32_C(1) << (page % 32));
	control_wake(WORKER_POLLER);
}

int
control_take_page(void)
{
	for (int word = 0; word < PAGE_WORDS; word++)
	{
		uint32 bits = pg_atomic_read_u32(&control->asked_pages[word]);

		for (int bit = 0; bits != 0 && bit < 32; bit++)
			if (bits & (UINT32_C(1) << bit))
			{
				pg_atomic_fetch_and_u32(&control->asked_pages[word], ~(UINT32_C(1) << bit));
				return word * 32 + bit;
			}
	}
	return -1;
}

uint64
control_purge_request(void)
{
	uint64 ticket;

	SpinLockAcquire(&control->mutex);
	ticket = ++control->purge_requested;
	SpinLockRelease(&control->mutex);
	control_wake(WORKER_PUBLISHER);
	return ticket;
}

bool
control_purge_wanted(void)
{
	bool wanted;

	SpinLockAcquire(&control->mutex);
	wanted = control->purge_requested > control->purge_answered;
	purge_taken = control->purge_requested;
	SpinLockRelease(&control->mutex);
	return wanted;
}

void
control_purge_answer(int64 removed, const char *error)
{
	char text[PURGE_ERROR_SIZE];

	strlcpy(text, error != NULL ? error : "", sizeof(text));
	SpinLockAcquire(&control->mutex);
	control->purge_answered = purge_taken;
	control->purge_removed = removed;
	memcpy(control->purge_error, text, sizeof(text));
	SpinLockRelease(&control->mutex);
}

bool
control_purge_done(uint64 ticket, int64 *removed, char *error, Size errsize)
{
	char text[PURGE_ERROR_SIZE];
	bool done;

	SpinLockAcquire(&control->mutex);
	done = control->purge_answered >= ticket;
	*removed = control->purge_removed;
	memcpy(text, control->purge_error, sizeof(text));
	SpinLockRelease(&control->mutex);
	strlcpy(error, text, errsize);
	return done;
}
