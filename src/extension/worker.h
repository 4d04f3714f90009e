/*
 * worker.h
 *	  The skeleton that the background workers share: start, wait, turn, stop.
 *
 * A worker is
 *
 *		worker_begin(WORKER_X, database);
 *		while (worker_turn(timeout, socket, events)) { ...one short piece of work... }
 *		proc_exit(0);
 *
 * worker_turn() waits, and deals with everything that a worker must not forget: signals, the postmaster's death,
 * configuration reload, memory of the last turn.  It returns false when the worker is not wanted any more.
 */
#ifndef CRYPTO_RT_WORKER_H
#define CRYPTO_RT_WORKER_H

#include "postgres.h"

#include "control.h"

/*
 * Set the handlers, claim the kind, connect (InvalidOid: to no database), name the process.  Exits when another
 * process has the kind.
 */
extern void worker_begin(WorkerKind kind, Oid database);

/*
 * Wait until the latch is set, timeout milliseconds have passed (-1: for ever), or events (WL_SOCKET_READABLE and so on;
 * 0: none) have come on the socket.  On return CurrentMemoryContext is the turn's own, just emptied.  False: stop now.
 */
extern bool worker_turn(long timeout, pgsocket socket, uint32 events);

/* Whether the last worker_turn reread the configuration. */
extern bool worker_reloaded(void);

/* For what lives as long as the worker does. */
extern MemoryContext worker_memory(void);

/* Transactions of the recorder and the poller: begin with a snapshot and SPI; end, and report to the statistics. */
extern void worker_transaction_begin(const char *activity);
extern void worker_transaction_end(void);

/* After an error was caught: abort, and be ready for the next turn.  Copies the message, for status_report to log. */
extern void worker_transaction_failed(char *message, Size size);

/* "crypto_rt poller" and so on. */
extern const char *worker_name(WorkerKind kind);

/* Now, as unix microseconds: for what people are shown. */
extern int64 worker_now(void);

/* Microseconds of a clock that only goes forward, whatever is done to the other: for all that waits. */
extern int64 worker_clock(void);

/* The entry points, called by name by the postmaster. */
extern PGDLLEXPORT void crypto_rt_launcher_main(Datum arg);
extern PGDLLEXPORT void crypto_rt_poller_main(Datum arg);
extern PGDLLEXPORT void crypto_rt_publisher_main(Datum arg);
extern PGDLLEXPORT void crypto_rt_recorder_main(Datum arg);

#endif /* CRYPTO_RT_WORKER_H */
