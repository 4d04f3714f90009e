/*
 * ticklog.c
 *	  The tick log; see ticklog.h.
 *
 * Positions count ticks since the server started and never wrap.  The writer announces in "reserved" how far it
 * is about to write, writes, and then moves "head".  A reader copies what lies between its position and head, and
 * then looks at reserved: what the writer may have begun to overwrite meanwhile is thrown away.
 */
#include "postgres.h"

#include "port/atomics.h"
#include "port/pg_bitutils.h"

#include "settings.h"
#include "ticklog.h"

#define TICKS_PER_COIN 8 /* at full load, about five minutes of ticks */

typedef struct Ticklog
{
	/* immutable after startup */
	uint64 size; /* a power of two */

	/* atomic; written by the poller */
	pg_atomic_uint64 reserved;
	pg_atomic_uint64 head;

	/* atomic; written by the reader */
	pg_atomic_uint64 position[TICK_READERS];
	pg_atomic_uint64 lost[TICK_READERS];

	Tick ticks[FLEXIBLE_ARRAY_MEMBER];
} Ticklog;

static Ticklog *ticklog;

static uint64
ring_size(void)
{
	return pg_nextpower2_64((uint64) settings_max_coins() * TICKS_PER_COIN);
}

Size
ticklog_shmem_size(void)
{
	return offsetof(Ticklog, ticks) + ring_size() * sizeof(Tick);
}

void
ticklog_shmem_init(bool found, void *memory)
{
	ticklog = memory;
	if (found)
		return;
	ticklog->size = ring_size();
	pg_atomic_init_u64(&ticklog->reserved, 0);
	pg_atomic_init_u64(&ticklog->head, 0);
	for (int i = 0; i < TICK_READERS; i++)
	{
		pg_atomic_init_u64(&ticklog->position[i], 0);
		pg_atomic_init_u64(&ticklog->lost[i], 0);
	}
}

void
ticklog_append(const Tick *ticks, int n)
{
	uint64 head = pg_atomic_read_u64(&ticklog->head);

	pg_atomic_write_u64(&ticklog->reserved, head + n);
	pg_write_barrier();
	for (int i = 0; i < n; i++)
		ticklog->ticks[(head + i) & (ticklog->size - 1)] = ticks[i];
	pg_write_barrier();
	pg_atomic_write_u64(&ticklog->head, head + n);
}

/* Move a reader that has fallen out of the ring to the oldest tick that is whole. */
static uint64
catch_up(TickReader reader, uint64 position)
{
	uint64 reserved = pg_atomic_read_u64(&ticklog->reserved);
	uint64 oldest = reserved > ticklog->size ? reserved - ticklog->size : 0;

	if (position >= oldest)
		return position;
	pg_atomic_fetch_add_u64(&ticklog->lost[reader], oldest - position);
	pg_atomic_write_u64(&ticklog->position[reader], oldest);
	return oldest;
}

int
ticklog_read(TickReader reader, Tick *ticks, int max)
{
	for (;;)
	{
		uint64 position = catch_up(reader, pg_atomic_read_u64(&ticklog->position[reader]));
		uint64 head = pg_atomic_read_u64(&ticklog->head);
		int n = (int) Min(head - position, (uint64) max);

		pg_read_barrier();
		for (int i = 0; i < n; i++)
			ticks[i] = ticklog->ticks[(position + i) & (ticklog->size - 1)];
		pg_read_barrier();
		if (catch_up(reader, position) == position)
			return n;
	}
}

void
ticklog_advance(TickReader reader, int n)
{
	pg_atomic_fetch_add_u64(&ticklog->position[reader], n);
}

void
ticklog_skip(TickReader reader)
{
	pg_atomic_write_u64(&ticklog->position[reader], pg_atomic_read_u64(&ticklog->head));
}

uint64
ticklog_behind(TickReader reader)
{
	return pg_atomic_read_u64(&ticklog->head) - pg_atomic_read_u64(&ticklog->position[reader]);
}

TicklogCounts
ticklog_counts(void)
{
	TicklogCounts counts = {.written = pg_atomic_read_u64(&ticklog->head)};

	for (int i = 0; i < TICK_READERS; i++)
	{
		counts.behind[i] = ticklog_behind((TickReader) i);
		counts.lost[i] = pg_atomic_read_u64(&ticklog->lost[i]);
	}
	return counts;
}
