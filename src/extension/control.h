/*
 * control.h
 *	  What the processes tell one another: who runs, what is wanted, and wake-up calls.
 *
 * Plain data in shared memory.  Flags are atomic; the table of workers stands under a spinlock.
 */
#ifndef CRYPTO_RT_CONTROL_H
#define CRYPTO_RT_CONTROL_H

#include "postgres.h"

typedef enum WorkerKind
{
	WORKER_LAUNCHER,
	WORKER_POLLER,
	WORKER_PUBLISHER,
	WORKER_RECORDER,
	WORKER_KINDS
} WorkerKind;

extern Size control_shmem_size(void);
extern void control_shmem_init(bool found, void *memory);

/* Error out, with the line to add to postgresql.conf, unless the library was loaded at server start. */
extern void control_require(void);

/*
 * Workers.  A process claims its kind when it starts (false: another one has it) and gives it back
 * when it exits, by itself.
 */
extern bool control_claim(WorkerKind kind);
extern int control_pid(WorkerKind kind); /* 0: does not run */
extern bool
control_failed(WorkerKind kind); /* the last one of this kind did not end because it was told to */
extern void control_wake(WorkerKind kind);

/* The extension exists in crypto_rt.database; set by the recorder, who looks. */
extern bool control_installed(void);
extern void control_set_installed(bool installed);

/* Counts the installations that were found: another one has empty tables. */
extern uint32 control_installation(void);

/* crypto_pause() and crypto_resume(). */
extern bool control_paused(void);
extern void control_set_paused(bool paused);

/* crypto_refresh(): pages asked for, by number; taking one clears it.  -1: none. */
extern void control_ask_page(int page);
extern int control_take_page(void);

/*
 * crypto_redis_purge(): a request and its answer.  The caller gets a ticket and waits for it; the publisher takes
 * requests, and answers all that it has taken.
 */
extern uint64 control_purge_request(void);
extern bool control_purge_wanted(void);
extern void control_purge_answer(int64 removed, const char *error); /* error: NULL, or why not */
extern bool control_purge_done(uint64 ticket, int64 *removed, char *error, Size errsize);

#endif /* CRYPTO_RT_CONTROL_H */
