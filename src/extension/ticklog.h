/*
 * ticklog.h
 *	  The tick log: a ring in shared memory of what the polls brought, in their order.
 *
 * The poller appends one tick for each coin of each page that it polled.  The publisher and the recorder
 * follow at their own pace, each with a position of its own in shared memory, so that a restarted
 * worker goes on where it left off.  Nobody waits for anybody: a reader that falls behind by more
 * than the ring holds loses the oldest ticks, and their number is counted.
 */
#ifndef CRYPTO_RT_TICKLOG_H
#define CRYPTO_RT_TICKLOG_H

#include "postgres.h"

#include "../core/decimal.h"

#define TICK_PAGE_END 0x100 /* beside BOARD_CHANGED and so on: the last tick of its page */

typedef struct Tick
{
	int32 slot;
	uint32 generation; /* of the slot: tells which coin it was */
	uint32 flags;      /* BOARD_* and TICK_PAGE_END */
	int32 rank;        /* 0: listed no more */
	int64 time;        /* unix microseconds: when the page was fetched */
	Decimal price;
	Decimal volume_24h;
	bool simulated;
} Tick;

typedef enum TickReader
{
	TICK_PUBLISHER,
	TICK_RECORDER,
	TICK_READERS
} TickReader;

typedef struct TicklogCounts
{
	uint64 written;
	uint64 behind[TICK_READERS]; /* ticks that the reader has not read yet */
	uint64 lost[TICK_READERS];   /* ticks that were overwritten before it read them */
} TicklogCounts;

extern Size ticklog_shmem_size(void);
extern void ticklog_shmem_init(bool found, void *memory);

/* Append n ticks; the poller only.  Readers see all of them at once. */
extern void ticklog_append(const Tick *ticks, int n);

/*
 * Copy up to max ticks from the reader's position on, without moving it.  Returns how many.  Ticks that the
 * ring has lost are skipped and counted.
 */
extern int ticklog_read(TickReader reader, Tick *ticks, int max);

/* Move the position past n ticks that have been read: they are done with. */
extern void ticklog_advance(TickReader reader, int n);

/* Move the position to the end: all that was logged until now is of no interest. */
extern void ticklog_skip(TickReader reader);

/* Ticks waiting for this reader. */
extern uint64 ticklog_behind(TickReader reader);

extern TicklogCounts ticklog_counts(void);

#endif /* CRYPTO_RT_TICKLOG_H */
