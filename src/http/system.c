/*
 * system.c
 *	  See system.h.
 */
#include "system.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

#define LISTEN_FIRST 3 /* the descriptor of the first socket */
#define LISTEN_MAX 64  /* more would be a mistake */

static long
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? strtol(value, NULL, 10) : 0;
}

/* A stream socket that listens. */
static int
is_listener(int fd)
{
	int type = 0;
	int listens = 0;
	socklen_t type_len = sizeof(type);
	socklen_t listens_len = sizeof(listens);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_STREAM &&
		   getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) == 0 && listens;
}

int
system_listen_fd(void)
{
	long count = variable("LISTEN_PID") == (long) getpid() ? variable("LISTEN_FDS") : 0;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (count < 1 || count > LISTEN_MAX)
		return -1;
	for (int fd = LISTEN_FIRST; fd < LISTEN_FIRST + count; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* one that nobody accepts from would keep its clients waiting */
	for (int fd = LISTEN_FIRST + 1; fd < LISTEN_FIRST + count; fd++)
		close(fd);
	if (count > 1)
		log_warning("systemd passed %ld sockets, of which the first is used", count);
	if (is_listener(LISTEN_FIRST))
		return LISTEN_FIRST;
	log_warning("what systemd passed is no stream socket that listens, and is not used");
	close(LISTEN_FIRST);
	return -1;
}

void
system_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(at.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(at.sun_path, path, len);
	if (path[0] == '@') /* the abstract name space: it begins with a NUL, and ends with no other */
		at.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *) &at,
		   (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}
