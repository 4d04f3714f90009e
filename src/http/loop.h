/*
 * loop.h
 *	  The one wait of the daemon: descriptors, timers, signals, over epoll.
 *
 * All of the daemon runs in one thread, in callbacks of this loop.  None may block.  Watches and timers belong to the
 * modules that declare them; the loop only links them.
 */
#ifndef CRYPTO_RT_HTTP_LOOP_H
#define CRYPTO_RT_HTTP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_SECOND INT64_C(1000000)
#define LOOP_NEVER INT64_MAX

/* A descriptor that is watched.  Zero it but for the first two. */
typedef struct LoopWatch
{
	/* the owner's */
	void (*ready)(void *arg, uint32_t events); /* EPOLLIN and so on */
	void *arg;

	/* the loop's */
	int fd;
	uint32_t events; /* 0: not watched */
	bool listed;     /* it waits for its turn among those that are ready */
} LoopWatch;

/* Something to be done at a time.  Zero it but for the first two. */
typedef struct LoopTimer
{
	/* the owner's */
	void (*due)(void *arg);
	void *arg;

	/* the loop's */
	int64_t at;
	struct LoopTimer *next;
	bool set;
} LoopTimer;

/* Before all else.  Returns what failed, or NULL. */
extern const char *loop_init(void);

/* Watch fd for events (EPOLLIN | EPOLLOUT); 0 ends the watch, which must come before the descriptor is closed. */
extern void loop_watch(LoopWatch *watch, int fd, uint32_t events);

/* Call the timer once, when loop_now() has reached `at`; LOOP_NEVER: not at all.  Takes the place of what was set before. */
extern void loop_at(LoopTimer *timer, int64_t at);
extern void loop_after(LoopTimer *timer, int64_t us);

/* Call handle in the loop, not in the signal's context, when the signal arrives. */
extern void loop_signal(int signal, void (*handle)(int signal));

/* Microseconds of a clock that only goes forward: for all that waits.  As of this turn of the loop. */
extern int64_t loop_now(void);

/* The same clock, read anew: for what is measured. */
extern int64_t loop_clock(void);

/* Unix microseconds: for what people are shown.  As of this turn of the loop. */
extern int64_t loop_unix(void);

/* Until loop_end(). */
extern void loop_run(void);
extern void loop_end(void);

#endif /* CRYPTO_RT_HTTP_LOOP_H */
