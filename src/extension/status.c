/*
 * status.c
 *	  What the workers report of themselves; see status.h.
 */
#include "postgres.h"

#include "port/atomics.h"
#include "storage/spin.h"

#include "status.h"

typedef struct Status
{
	/* atomic */
	pg_atomic_uint64 numbers[STATUS_NUMBERS];

	/* under the mutex */
	slock_t mutex;
	char texts[STATUS_TEXTS][STATUS_TEXT_SIZE];
	TierList list;
	ScheduleTier tiers[TIER_MAX];
} Status;

static Status *status;

static const char *const speakers[STATUS_TEXTS] = {
	[STATUS_FEED] = "feed",
	[STATUS_REDIS] = "Redis",
	[STATUS_RECORDER] = "recorder",
	[STATUS_LAUNCHER] = "launcher",
};

Size
status_shmem_size(void)
{
	return sizeof(Status);
}

void
status_shmem_init(bool found, void *memory)
{
	status = memory;
	if (found)
		return;
	memset(status, 0, sizeof(*status));
	SpinLockInit(&status->mutex);
	for (int i = 0; i < STATUS_NUMBERS; i++)
		pg_atomic_init_u64(&status->numbers[i], 0);
}

void
status_set(StatusNumber number, int64 value)
{
	pg_atomic_write_u64(&status->numbers[number], (uint64) value);
}

void
status_add(StatusNumber number, int64 value)
{
	pg_atomic_fetch_add_u64(&status->numbers[number], value);
}

int64
status_get(StatusNumber number)
{
	return (int64) pg_atomic_read_u64(&status->numbers[number]);
}

/* Store a text; tells whether it differs from the one before. */
static bool
store(StatusText which, const char *text)
{
	bool differs;

	SpinLockAcquire(&status->mutex);
	differs = strcmp(status->texts[which], text) != 0;
	if (differs)
		strcpy(status->texts[which], text);
	SpinLockRelease(&status->mutex);
	return differs;
}

void
status_report(StatusText which, const char *fmt, ...)
{
	char text[STATUS_TEXT_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (store(which, text))
		ereport(LOG, errmsg("crypto_rt %s: %s", speakers[which], text));
}

void
status_ok(StatusText which)
{
	if (store(which, ""))
		ereport(LOG, errmsg("crypto_rt %s: all is well again", speakers[which]));
}

void
status_read(StatusText which, char *buf)
{
	SpinLockAcquire(&status->mutex);
	memcpy(buf, status->texts[which], STATUS_TEXT_SIZE);
	SpinLockRelease(&status->mutex);
}

void
status_set_tiers(const Schedule *schedule)
{
	SpinLockAcquire(&status->mutex);
	status->list = schedule->list;
	memcpy(status->tiers, schedule->tiers, sizeof(status->tiers));
	SpinLockRelease(&status->mutex);
}

int
status_get_tiers(TierList *list, ScheduleTier tiers[TIER_MAX])
{
	SpinLockAcquire(&status->mutex);
	*list = status->list;
	memcpy(tiers, status->tiers, sizeof(status->tiers));
	SpinLockRelease(&status->mutex);
	return list->count;
}
