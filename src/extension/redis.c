/*
 * redis.c
 *	  One connection to Redis; see redis.h.
 *
 * hiredis formats commands and reads replies; the socket is ours.  Its own connect functions look names up in
 * the process, which can take half a minute, try only the first address that begins to connect, and leave the
 * socket open to child processes.  So the name is looked up by getaddrinfo_a, the socket is connected here, and
 * then given to a hiredis context, which closes it.
 *
 * getaddrinfo_a works in a thread.  All signals are blocked while it may be created, so that a handler of
 * PostgreSQL's never runs there.  A lookup cannot be taken back: its memory is static, and when the connection
 * is given up meanwhile, the next one first waits for it to end.
 *
 * Nothing here allocates PostgreSQL's memory.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* getaddrinfo_a */
#endif
#include "postgres.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "storage/latch.h"

#include "../core/redis_url.h"
#include "redis.h"
#include "worker.h"

#define ERROR_SIZE 256
#define COMMANDS_MAX (2 * REDIS_WINDOW)
#define LOOKUP_POLL (20 * 1000) /* microseconds */
#define TIMEOUT (REDIS_TIMEOUT * INT64CONST(1000000))

/* The tags of our own commands. */
enum
{
	TAG_AUTH = REDIS_TAG_MAX + 1,
	TAG_SELECT,
	TAG_PING
};

typedef enum LinkState
{
	LINK_CLOSED,     /* to RESOLVING or CONNECTING */
	LINK_RESOLVING,  /* the name is looked up; to CONNECTING or CLOSED */
	LINK_CONNECTING, /* to itself with the next address, LOGIN or CLOSED */
	LINK_LOGIN,      /* to READY or CLOSED */
	LINK_READY       /* to CLOSED */
} LinkState;

static struct
{
	LinkState state;
	int64 since; /* when it got there */
	RedisUrl url;
	char port[8];                         /* the url's, as getaddrinfo wants it */
	char place[REDIS_URL_HOST_SIZE + 16]; /* host:port or path, for messages */
	RedisReplyHandler handler;
	char error[ERROR_SIZE];

	/* addresses to try; the list is ours to free unless it is the one below */
	struct addrinfo *addresses;
	struct addrinfo *address;
	struct addrinfo unix_info;
	struct sockaddr_un unix_address;

	pgsocket fd; /* while connecting; then it is the context's */
	redisContext *context;

	/* commands without a reply: a ring of their tags */
	uint8 tags[COMMANDS_MAX];
	int first;
	int awaited;
	int64 progress_at; /* when the last reply came, or the oldest of them was queued */
	size_t unsent;     /* at the most: a part of it may be sent */
} conn = {
	.fd = PGINVALID_SOCKET,
	.unix_info = {.ai_family = AF_UNIX,
				  .ai_addr = (struct sockaddr *) &conn.unix_address,
				  .ai_addrlen = sizeof(conn.unix_address)},
	.unix_address = {.sun_family = AF_UNIX},
};

static struct
{
	bool running;
	struct gaicb request;
	struct addrinfo hints;
	char host[REDIS_URL_HOST_SIZE];
	char port[8];
} lookup;

/* What errors mean that are a state of the server, not of one command. */
static const struct
{
	const char *code;
	bool reconnect; /* the name may lead to another server, or the password may be another, by now */
	const char *meaning;
} known_errors[] = {
	{"LOADING", false, "the server is loading its data"},
	{"OOM", false, "the server has no memory left: raise its maxmemory"},
	{"READONLY", true, "the server is a read-only replica: let crypto_rt.redis_url name its primary"},
	{"MISCONF", false, "the server refuses writes because it cannot save to disk: see its log"},
	{"NOAUTH", true, "the server asks for a password: set crypto_rt.redis_password_file"},
	{"WRONGPASS", true, "the server refuses user or password of crypto_rt.redis_url or redis_password_file"},
	{"NOPERM", false, "the server does not let this user use the keys and the channel crypto:* fully"},
	{"MOVED", true, "the server belongs to a Redis Cluster, which crypto_rt cannot write to"},
	{"WRONGTYPE", false, "a key of crypto_rt was overwritten by someone else: writing all anew"},
};

/*
 * The state of the connection.
 */

static void
link_move(LinkState to)
{
	conn.state = to;
	conn.since = worker_clock();
}

/* Give back all that the connection holds; a lookup that still runs excepted. */
static void
shut(void)
{
	if (conn.context != NULL)
		redisFree(conn.context); /* its socket, too; also when its err is set */
	else if (conn.fd >= 0)
		close(conn.fd);
	if (conn.addresses != NULL && conn.addresses != &conn.unix_info)
		freeaddrinfo(conn.addresses);
	conn.context = NULL;
	conn.fd = PGINVALID_SOCKET;
	conn.addresses = NULL;
	conn.address = NULL;
	conn.first = 0;
	conn.awaited = 0;
	conn.unsent = 0;
	link_move(LINK_CLOSED);
}

static void pg_attribute_printf(1, 2) fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(conn.error, sizeof(conn.error), fmt, args);
	va_end(args);
	shut();
}

void
redis_conn_close(void)
{
	conn.error[0] = '\0';
	shut();
}

bool
redis_conn_ready(void)
{
	return conn.state == LINK_READY;
}

bool
redis_conn_closed(void)
{
	return conn.state == LINK_CLOSED;
}

const char *
redis_conn_error(void)
{
	return conn.error;
}

pgsocket
redis_conn_socket(uint32 *events)
{
	*events = conn.state == LINK_CONNECTING ? WL_SOCKET_WRITEABLE : WL_SOCKET_READABLE;
	if (conn.unsent > 0)
		*events |= WL_SOCKET_WRITEABLE;
	return conn.context != NULL ? conn.context->fd : conn.fd;
}

int64
redis_conn_deadline(void)
{
	if (conn.state == LINK_RESOLVING)
		return worker_clock() + LOOKUP_POLL;
	if (conn.state == LINK_CONNECTING)
		return conn.since + TIMEOUT;
	return conn.awaited > 0 ? conn.progress_at + TIMEOUT : PG_INT64_MAX;
}

/*
 * Connecting.
 */

/* Let the first line of a file be the password. */
static bool
read_password(const char *file)
{
	/* a file that is a pipe must not keep us waiting */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	char line[REDIS_URL_PASSWORD_SIZE + 1] = "";
	const char *wrong = NULL;

	if (fd < 0 || fstat(fd, &info) != 0)
		wrong = strerror(errno);
	else if (!S_ISREG(info.st_mode))
		wrong = "it is not a regular file";
	else if (read(fd, line, REDIS_URL_PASSWORD_SIZE) < 0)
		wrong = strerror(errno);
	else
	{
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '\0')
			wrong = "its first line is empty";
		else if (strlen(line) == REDIS_URL_PASSWORD_SIZE)
			wrong = "its first line is too long";
	}
	if (wrong != NULL)
		fail("could not read crypto_rt.redis_password_file \"%s\": %s", file, wrong);
	else
		strlcpy(conn.url.password, line, sizeof(conn.url.password));
	if (fd >= 0)
		close(fd);
	return wrong == NULL;
}

/* Begin to connect to the first of the addresses left that lets us. */
static void
connect_next(int error)
{
	for (; conn.address != NULL; conn.address = conn.address->ai_next)
	{
		const struct addrinfo *address = conn.address;
		int on = 1;

		conn.fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (conn.fd < 0)
		{
			error = errno;
			continue;
		}
		if (address->ai_family != AF_UNIX)
		{
			setsockopt(conn.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			setsockopt(conn.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		}
		if (connect(conn.fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS)
		{
			link_move(LINK_CONNECTING);
			return;
		}
		error = errno;
		close(conn.fd);
		conn.fd = PGINVALID_SOCKET;
	}
	fail("could not connect to %s: %s", conn.place, strerror(error));
}

static void
connect_first(struct addrinfo *addresses)
{
	conn.addresses = addresses;
	conn.address = addresses;
	connect_next(EADDRNOTAVAIL);
}

static void
lookup_begin(void)
{
	struct gaicb *requests[] = {&lookup.request};
	sigset_t all;
	sigset_t before;
	int error;

	strlcpy(lookup.host, conn.url.host, sizeof(lookup.host));
	strlcpy(lookup.port, conn.port, sizeof(lookup.port));
	memset(&lookup.hints, 0, sizeof(lookup.hints));
	lookup.hints.ai_family = AF_UNSPEC;
	lookup.hints.ai_socktype = SOCK_STREAM;
	memset(&lookup.request, 0, sizeof(lookup.request));
	lookup.request.ar_name = lookup.host;
	lookup.request.ar_service = lookup.port;
	lookup.request.ar_request = &lookup.hints;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = getaddrinfo_a(GAI_NOWAIT, requests, 1, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	lookup.running = error == 0;
	if (error != 0)
		fail("could not look up the host %s: %s", conn.url.host, gai_strerror(error));
}

/* Whether the lookup has ended; then it is done with. */
static bool
lookup_end(int *error, struct addrinfo **addresses)
{
	*error = gai_error(&lookup.request);
	*addresses = *error == 0 ? lookup.request.ar_result : NULL;
	lookup.running = *error == EAI_INPROGRESS;
	return !lookup.running;
}

static void
lookup_step(void)
{
	int error;
	struct addrinfo *addresses;

	if (!lookup_end(&error, &addresses))
	{
		if (worker_clock() - conn.since > TIMEOUT)
			fail("could not look up the host %s: no answer for %d s", conn.url.host, REDIS_TIMEOUT);
	}
	else if (strcmp(lookup.host, conn.url.host) != 0 || strcmp(lookup.port, conn.port) != 0)
	{
		/* it was begun for a connection that was given up */
		if (addresses != NULL)
			freeaddrinfo(addresses);
		lookup_begin();
	}
	else if (error != 0)
		fail("could not look up the host %s: %s", conn.url.host, gai_strerror(error));
	else
		connect_first(addresses);
}

static void
open_unix(void)
{
	strlcpy(conn.place, conn.url.path, sizeof(conn.place));
	strlcpy(conn.unix_address.sun_path, conn.url.path, sizeof(conn.unix_address.sun_path));
	connect_first(&conn.unix_info);
}

static void
open_tcp(void)
{
	const struct addrinfo numeric = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *addresses;
	int error;

	snprintf(conn.port, sizeof(conn.port), "%d", conn.url.port);
	snprintf(conn.place, sizeof(conn.place), strchr(conn.url.host, ':') != NULL ? "[%s]:%s" : "%s:%s",
			 conn.url.host, conn.port);
	if (getaddrinfo(conn.url.host, conn.port, &numeric, &addresses) == 0)
	{
		connect_first(addresses);
		return;
	}
	link_move(LINK_RESOLVING);
	/* what an earlier connection left behind is too old to be used */
	if (lookup.running && lookup_end(&error, &addresses) && addresses != NULL)
		freeaddrinfo(addresses);
	if (!lookup.running)
		lookup_begin();
}

void
redis_conn_open(const char *url, const char *password_file, RedisReplyHandler handler)
{
	const char *wrong;

	redis_conn_close();
	conn.handler = handler;
	wrong = redis_url_parse(url, &conn.url);
	if (wrong != NULL)
	{
		fail("crypto_rt.redis_url cannot be used: %s", wrong);
		return;
	}
	if (password_file[0] != '\0' && !read_password(password_file))
		return;
	if (conn.url.host[0] == '\0')
		open_unix();
	else
		open_tcp();
}

/*
 * Commands and replies.
 */

/* A command of about so many bytes was queued. */
static void
note_command(int tag, size_t size)
{
	if (conn.awaited == COMMANDS_MAX)
		elog(ERROR, "more than %d commands wait for Redis", COMMANDS_MAX);
	if (conn.awaited == 0)
		conn.progress_at = worker_clock();
	conn.tags[(conn.first + conn.awaited++) % COMMANDS_MAX] = (uint8) tag;
	conn.unsent += size;
}

void
redis_conn_command(int tag, int argc, const char *const *argv, const size_t *argvlen)
{
	size_t size = 16;

	Assert(conn.state == LINK_READY && tag >= 0 && tag <= REDIS_TAG_MAX);
	/* out of memory is the only failure; it stays in the context's err, where redis_conn_step finds it */
	redisAppendCommandArgv(conn.context, argc, (const char **) argv, argvlen);
	for (int i = 0; i < argc; i++)
		size += argvlen[i] + 16;
	note_command(tag, size);
}

bool
redis_conn_room(void)
{
	return conn.awaited < REDIS_WINDOW && conn.unsent < REDIS_UNSENT_MAX;
}

int
redis_conn_awaited(void)
{
	return conn.awaited;
}

/* The socket is connected: give it to hiredis, and queue what comes before anything else. */
static void
log_in(void)
{
	const RedisUrl *url = &conn.url;

	conn.context = redisConnectFd(conn.fd);
	if (conn.context == NULL)
	{
		fail("out of memory");
		return;
	}
	conn.fd = PGINVALID_SOCKET;
	conn.context->flags &= ~REDIS_BLOCK; /* which it takes for granted */
	link_move(LINK_LOGIN);

	if (url->user[0] != '\0' || url->password[0] != '\0')
	{
		if (url->user[0] != '\0')
			redisAppendCommand(conn.context, "AUTH %s %s", url->user, url->password);
		else
			redisAppendCommand(conn.context, "AUTH %s", url->password);
		note_command(TAG_AUTH, REDIS_URL_USER_SIZE + REDIS_URL_PASSWORD_SIZE);
	}
	if (url->database != 0)
	{
		redisAppendCommand(conn.context, "SELECT %d", url->database);
		note_command(TAG_SELECT, 32);
	}
	redisAppendCommand(conn.context, "PING");
	note_command(TAG_PING, 16);
}

static void
connect_step(void)
{
	struct pollfd writable = {.fd = conn.fd, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof(error);

	if (poll(&writable, 1, 0) > 0)
	{
		if (getsockopt(conn.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			error = errno;
		if (error == 0)
		{
			log_in();
			return;
		}
	}
	else if (worker_clock() - conn.since <= TIMEOUT)
		return;
	else
		error = ETIMEDOUT;
	close(conn.fd);
	conn.fd = PGINVALID_SOCKET;
	conn.address = conn.address->ai_next;
	connect_next(error);
}

/* An answer to AUTH, SELECT or PING. */
static void
take_login_reply(int tag, const redisReply *reply)
{
	char why[ERROR_SIZE];

	if (reply->type != REDIS_REPLY_ERROR)
	{
		if (tag == TAG_PING)
			link_move(LINK_READY);
		return;
	}
	/* a server that does not know AUTH may repeat what was sent, whole or cut short */
	if (tag == TAG_AUTH &&
		(strstr(reply->str, "nknown") != NULL || strstr(reply->str, conn.url.password) != NULL))
	{
		fail("%s does not know AUTH", conn.place);
		return;
	}
	redis_explain(reply, why, sizeof(why));
	fail("%s", why);
}

static void
take_replies(void)
{
	while (conn.state >= LINK_LOGIN)
	{
		void *reply = NULL;
		int tag;

		if (redisGetReplyFromReader(conn.context, &reply) != REDIS_OK)
		{
			fail("%s does not speak Redis' language: %s", conn.place, conn.context->errstr);
			return;
		}
		if (reply == NULL)
			return;
		if (conn.awaited == 0)
		{
			freeReplyObject(reply);
			fail("%s sent an answer that nobody had asked for", conn.place);
			return;
		}
		tag = conn.tags[conn.first];
		conn.first = (conn.first + 1) % COMMANDS_MAX;
		conn.awaited--;
		conn.progress_at = worker_clock();
		if (tag > REDIS_TAG_MAX)
			take_login_reply(tag, reply);
		else
			conn.handler(tag, reply);
		freeReplyObject(reply);
	}
}

/* An error of the socket, as the context has it. */
static void
fail_io(void)
{
	if (conn.context->err == REDIS_ERR_EOF)
		fail("%s closed the connection", conn.place);
	else
		fail("lost the connection to %s: %s", conn.place, conn.context->errstr);
}

void
redis_conn_step(void)
{
	if (conn.state == LINK_RESOLVING)
		lookup_step();
	if (conn.state == LINK_CONNECTING)
		connect_step();
	if (conn.state < LINK_LOGIN)
		return;
	if (conn.context->err != 0 || redisBufferRead(conn.context) != REDIS_OK)
	{
		fail_io();
		return;
	}
	take_replies();
	if (conn.state >= LINK_LOGIN && conn.awaited > 0 && worker_clock() - conn.progress_at > TIMEOUT)
		fail("no answer from %s for %d s", conn.place, REDIS_TIMEOUT);
}

void
redis_conn_flush(void)
{
	int done = 0;

	if (conn.state < LINK_LOGIN || conn.unsent == 0)
		return;
	if (redisBufferWrite(conn.context, &done) != REDIS_OK)
		fail_io();
	else if (done)
		conn.unsent = 0;
}

bool
redis_explain(const redisReply *reply, char *buf, size_t size)
{
	size_t code_len = strcspn(reply->str, " ");

	for (int i = 0; i < lengthof(known_errors); i++)
		if (strncmp(reply->str, known_errors[i].code, code_len) == 0 &&
			known_errors[i].code[code_len] == '\0')
		{
			strlcpy(buf, known_errors[i].meaning, size);
			return known_errors[i].reconnect;
		}
	snprintf(buf, size, "the server refused a command: %s", reply->str);
	/* it may repeat a part of a symbol, cut in the middle of a character */
	for (char *p = buf; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return false;
}
