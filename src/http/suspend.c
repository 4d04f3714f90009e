/*
 * suspend.c
 *	  See suspend.h.
 *
 * A client that goes while it is suspended is not noticed by libmicrohttpd, so our own loop watches for the end of its
 * socket.  One that ends only its own direction counts as gone: there is no telling them apart without sending something.
 */
#include "suspend.h"

#include <sys/epoll.h>

#include "loop.h"
#include "memory.h"
#include "server.h"

struct Suspended
{
	Request *request;
	void (*gone)(void *arg);
	void *arg;
	LoopWatch watch;
};

static int count;

void
suspend_resume(Request *request)
{
	LoopWatch *watch = &request->suspended->watch;

	loop_watch(watch, watch->fd, 0);
	count--;
	MHD_resume_connection(request->connection);
	server_wake();
}

/* The socket has ended.  libmicrohttpd asks our handler once more, which says that there is no reply. */
static void
notice_end(void *arg, uint32_t events)
{
	Suspended *suspended = arg;

	(void) events;
	suspended->gone(suspended->arg);
	suspend_resume(suspended->request);
}

void
suspend_request(Request *request, void (*gone)(void *arg), void *arg)
{
	Suspended *suspended = request->suspended;
	int fd = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

	if (suspended == NULL)
		suspended = request->suspended = memory_get(sizeof(Suspended));
	suspended->request = request;
	suspended->gone = gone;
	suspended->arg = arg;
	suspended->watch.ready = notice_end;
	suspended->watch.arg = suspended;
	loop_watch(&suspended->watch, fd, EPOLLRDHUP | EPOLLET);
	count++;
	MHD_suspend_connection(request->connection);
}

void
suspend_forget(Request *request)
{
	free(request->suspended);
	request->suspended = NULL;
}

int
suspend_count(void)
{
	return count;
}
