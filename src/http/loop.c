/*
 * loop.c
 *	  See loop.h.
 *
 * Timers are few, a dozen or so, and kept in one list by their time.  Signals come through a signalfd.
 */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64
#define SIGNALS 65

static int epoll_fd = -1;
static LoopTimer *timers; /* the next one first */
static sigset_t signals;
static void (*handlers[SIGNALS])(int signal);
static LoopWatch signal_watch;
static int64_t now;
static int64_t unix_now;
static bool running;

/* what epoll_wait returned and has not had its turn: a watch that ends meanwhile is taken out */
static LoopWatch *turn[EVENTS_AT_ONCE];

static int64_t
read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t) t.tv_sec * LOOP_SECOND + t.tv_nsec / 1000;
}

static void
read_clocks(void)
{
	now = read_clock(CLOCK_MONOTONIC);
	unix_now = read_clock(CLOCK_REALTIME);
}

static void
take_signals(void *arg, uint32_t events)
{
	struct signalfd_siginfo info;

	(void) arg;
	(void) events;
	while (read(signal_watch.fd, &info, sizeof(info)) == (ssize_t) sizeof(info))
		if (info.ssi_signo < SIGNALS && handlers[info.ssi_signo] != NULL)
			handlers[info.ssi_signo]((int) info.ssi_signo);
}

const char *
loop_init(void)
{
	int fd;

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sigemptyset(&signals);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (epoll_fd < 0 || fd < 0)
		return "could not create an epoll and a signal descriptor";
	signal(SIGPIPE, SIG_IGN);
	signal_watch.ready = take_signals;
	loop_watch(&signal_watch, fd, EPOLLIN);
	read_clocks();
	return NULL;
}

void
loop_watch(LoopWatch *watch, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (watch->events != 0 && (events == 0 || watch->fd != fd))
	{
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, &event);
		for (int i = 0; watch->listed && i < EVENTS_AT_ONCE; i++)
			if (turn[i] == watch)
				turn[i] = NULL;
		watch->listed = false;
		watch->events = 0;
	}
	if (events == 0 || (watch->events == events && watch->fd == fd))
		return;
	epoll_ctl(epoll_fd, watch->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
	watch->fd = fd;
	watch->events = events;
}

void
loop_at(LoopTimer *timer, int64_t at)
{
	LoopTimer **link = &timers;

	if (timer->set)
	{
		while (*link != timer)
			link = &(*link)->next;
		*link = timer->next;
	}
	timer->set = at != LOOP_NEVER;
	timer->at = at;
	if (!timer->set)
		return;
	for (link = &timers; *link != NULL && (*link)->at <= at; link = &(*link)->next)
		;
	timer->next = *link;
	*link = timer;
}

void
loop_after(LoopTimer *timer, int64_t us)
{
	loop_at(timer, now + us);
}

void
loop_signal(int signal, void (*handle)(int signal))
{
	handlers[signal] = handle;
	sigaddset(&signals, signal);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signalfd(signal_watch.fd, &signals, 0);
}

int64_t
loop_now(void)
{
	return now;
}

int64_t
loop_clock(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
loop_unix(void)
{
	return unix_now;
}

/* Milliseconds until the next timer, rounded up; -1: there is none. */
static int
time_left(void)
{
	int64_t left;

	if (timers == NULL)
		return -1;
	left = timers->at - read_clock(CLOCK_MONOTONIC);
	if (left <= 0)
		return 0;
	return left > 60 * LOOP_SECOND ? 60000 : (int) ((left + 999) / 1000);
}

/* Those that are due now.  What they set for now waits for the next turn, so that descriptors have theirs. */
static void
run_timers(void)
{
	int64_t until = now;
	LoopTimer *last = NULL;

	for (LoopTimer *t = timers; t != NULL && t->at <= until; t = t->next)
		last = t;
	while (last != NULL && timers != NULL && timers->at <= until)
	{
		LoopTimer *timer = timers;

		timers = timer->next;
		timer->set = false;
		timer->due(timer->arg);
		if (timer == last)
			return;
	}
}

void
loop_run(void)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	for (running = true; running;)
	{
		int n = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, time_left());

		read_clocks();
		for (int i = 0; i < n; i++)
		{
			turn[i] = events[i].data.ptr;
			turn[i]->listed = true;
		}
		for (int i = 0; i < n; i++)
		{
			LoopWatch *watch = turn[i];

			if (watch == NULL)
				continue;
			turn[i] = NULL;
			watch->listed = false;
			watch->ready(watch->arg, events[i].events);
		}
		run_timers();
	}
}

void
loop_end(void)
{
	running = false;
}
