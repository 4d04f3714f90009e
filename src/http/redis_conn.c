/*
 * redis_conn.c
 *	  See redis_conn.h.
 *
 * Any of the owner's functions may close the connection, and open it again: after each call the reader tells whether it is
 * still the same one.
 */
#include "redis_conn.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "options.h"

#define CONNECT_TIMEOUT (3 * LOOP_SECOND) /* of each address */
#define ANSWER_TIMEOUT (5 * LOOP_SECOND)  /* without any answer that are taken for death */
#define READ_SIZE 16384                   /* hiredis moves what it has not parsed yet, so more is slower */
#define READS_AT_ONCE 8
#define OUT_KEPT 65536 /* bytes of memory for commands that are kept when there are none */
#define PROBLEM_SIZE 200

/* What errors mean that are a state of the server, not of one command. */
static const struct
{
	const char *code;
	const char *meaning;
} refusals[] = {
	{"LOADING", "it is loading its data"},
	{"NOAUTH", "it wants a password: see REDIS_PASSWORD"},
	{"WRONGPASS", "it refuses the user or the password"},
	{"NOPERM", "the user may not read the keys and the channel crypto:*"},
	{"DENIED", "its protected mode lets in nobody from here"},
	{"MOVED", "it belongs to a Redis Cluster, where the keys are spread over servers"},
	{"CLUSTERDOWN", "it belongs to a Redis Cluster that is down"},
	{"MASTERDOWN", "it has lost its primary"},
	{"BUSY", "it is busy with a script"},
};

static void set_deadline(RedisConn *conn);

/*
 * Ending.
 */

void
redis_conn_close(RedisConn *conn)
{
	if (conn->state == REDIS_CONN_CLOSED)
		return;
	lookup_cancel(&conn->lookup);
	loop_at(&conn->deadline, LOOP_NEVER);
	if (conn->state >= REDIS_CONN_CONNECTING && conn->fd >= 0)
	{
		loop_watch(&conn->watch, conn->fd, 0);
		close(conn->fd);
	}
	if (conn->reader != NULL)
		redisReaderFree(conn->reader);
	conn->reader = NULL;
	text_free(&conn->out);
	conn->sent = 0;
	conn->awaited = 0;
	conn->state = REDIS_CONN_CLOSED;
}

static void __attribute__((format(printf, 2, 3))) fail(RedisConn *conn, const char *format, ...)
{
	char why[PROBLEM_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	redis_conn_close(conn);
	conn->closed(conn, why);
}

/*
 * Errors of the server's.
 */

static const char *
meaning_of(const redisReply *reply)
{
	size_t len = strcspn(reply->str, " ");

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strlen(refusals[i].code) == len && memcmp(refusals[i].code, reply->str, len) == 0)
			return refusals[i].meaning;
	return NULL;
}

void
redis_conn_explain(const redisReply *reply, char *buf, size_t size)
{
	const char *meaning = meaning_of(reply);

	if (meaning != NULL)
	{
		snprintf(buf, size, "%s", meaning);
		return;
	}
	if (strstr(reply->str, "max number of clients") != NULL)
	{
		snprintf(buf, size, "it has as many clients as its maxclients allows");
		return;
	}
	snprintf(buf, size, "it refused a command: %s", reply->str);
	/* it may repeat a part of a symbol, cut in the middle of a character */
	for (char *p = buf; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

/*
 * Commands.
 */

static void
watch_for(RedisConn *conn)
{
	uint32_t events = EPOLLIN;

	if (conn->state == REDIS_CONN_CONNECTING)
		events = EPOLLOUT;
	else if (conn->sent < conn->out.len)
		events |= EPOLLOUT;
	loop_watch(&conn->watch, conn->fd, events);
}

static void
queue(RedisConn *conn, int argc, const char *const *argv, const size_t *lengths)
{
	char *command = NULL;
	long long len = redisFormatCommandArgv(&command, argc, (const char **) argv, lengths);

	memory_check(len < 0 ? NULL : command);
	text_add(&conn->out, command, (size_t) len);
	redisFreeCommand(command);
	if (conn->awaited++ == 0)
		set_deadline(conn);
	watch_for(conn);
}

void
redis_conn_command(RedisConn *conn, int argc, const char *const *argv, const size_t *lengths)
{
	if (conn->state == REDIS_CONN_READY)
		queue(conn, argc, argv, lengths);
}

static void
queue_strings(RedisConn *conn, int argc, const char *const *argv)
{
	size_t lengths[4];

	for (int i = 0; i < argc; i++)
		lengths[i] = strlen(argv[i]);
	queue(conn, argc, argv, lengths);
}

static void
write_out(RedisConn *conn)
{
	while (conn->sent < conn->out.len)
	{
		ssize_t n = write(conn->fd, conn->out.bytes + conn->sent, conn->out.len - conn->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
		{
			fail(conn, "lost the connection: %s", strerror(errno));
			return;
		}
		if (n < 0)
			break;
		conn->sent += (size_t) n;
	}
	if (conn->sent == conn->out.len)
	{
		conn->sent = conn->out.len = 0;
		if (conn->out.room > OUT_KEPT)
			text_free(&conn->out);
	}
	watch_for(conn);
}

/*
 * Logging in: AUTH if there is a password, SELECT if there is a database, and PING.
 */

static int
login_length(void)
{
	return (options()->redis_password != NULL) + (options()->redis_database != 0) + 1;
}

static void
log_in(RedisConn *conn)
{
	const Options *o = options();
	char database[16];

	conn->state = REDIS_CONN_LOGIN;
	conn->reader = memory_check(redisReaderCreate());
	conn->unread = 0;
	if (o->redis_password != NULL && o->redis_user != NULL)
		queue_strings(conn, 3, (const char *[]){"AUTH", o->redis_user, o->redis_password});
	else if (o->redis_password != NULL)
		queue_strings(conn, 2, (const char *[]){"AUTH", o->redis_password});
	if (o->redis_database != 0)
	{
		snprintf(database, sizeof(database), "%d", o->redis_database);
		queue_strings(conn, 2, (const char *[]){"SELECT", database});
	}
	queue_strings(conn, 1, (const char *[]){"PING"});
}

/* conn->awaited is what comes after this reply. */
static void
take_login(RedisConn *conn, const redisReply *reply)
{
	bool answers_auth = options()->redis_password != NULL && conn->awaited == login_length() - 1;
	char why[PROBLEM_SIZE];

	if (reply->type == REDIS_REPLY_ERROR && answers_auth &&
		strstr(reply->str, "without any password") != NULL)
		fail(conn, "it has no password, and one is given: see REDIS_PASSWORD");
	else if (reply->type == REDIS_REPLY_ERROR && answers_auth && strstr(reply->str, "nknown") != NULL)
		/* not in the server's words, which may repeat what was sent */
		fail(conn, "it does not know AUTH");
	else if (reply->type == REDIS_REPLY_ERROR)
	{
		redis_conn_explain(reply, why, sizeof(why));
		fail(conn, "%s", why);
	}
	else if (conn->awaited == 0)
	{
		conn->state = REDIS_CONN_READY;
		conn->ready(conn);
	}
}

/*
 * Replies.
 */

static void
take_replies(RedisConn *conn)
{
	redisReader *reader = conn->reader;

	while (conn->reader == reader)
	{
		void *reply = NULL;

		if (redisReaderGetReply(reader, &reply) != REDIS_OK)
		{
			fail(conn, "it does not speak Redis' language: %s", reader->errstr);
			return;
		}
		if (reply == NULL)
			return;
		conn->unread = reader->len - reader->pos;
		if (conn->awaited == 0 && !conn->hears)
			fail(conn, "it sent an answer that nobody had asked for");
		else
		{
			if (conn->awaited > 0)
				conn->awaited--;
			if (conn->state == REDIS_CONN_LOGIN)
				take_login(conn, reply);
			else
				conn->take(conn, reply);
		}
		freeReplyObject(reply);
	}
}

static void
read_in(RedisConn *conn)
{
	redisReader *reader = conn->reader;
	char buf[READ_SIZE];
	ssize_t n = READ_SIZE;

	for (int i = 0; i < READS_AT_ONCE && n == READ_SIZE && conn->reader == reader; i++)
	{
		n = read(conn->fd, buf, sizeof(buf));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
		{
			fail(conn, "%s", n == 0 ? "it closed the connection" : strerror(errno));
			return;
		}
		conn->unread += (size_t) n;
		if (conn->unread > REDIS_CONN_REPLY_MAX)
		{
			fail(conn, "it sent an answer of more than %d MB", REDIS_CONN_REPLY_MAX / 1024 / 1024);
			return;
		}
		if (redisReaderFeed(reader, buf, (size_t) n) == REDIS_OK)
			set_deadline(conn);
		take_replies(conn);
	}
	if (conn->reader == reader && conn->taken != NULL && conn->state == REDIS_CONN_READY)
		conn->taken(conn);
}

/*
 * Connecting.
 */

/* Returns false, with errno, when that cannot even be begun. */
static bool
begin_connect(RedisConn *conn, const struct sockaddr *address, socklen_t len)
{
	int on = 1;
	int idle = 10;
	int interval = 5;
	int probes = 3;

	conn->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		return false;
	if (address->sa_family != AF_UNIX)
	{
		setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(conn->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(conn->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
		setsockopt(conn->fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
		setsockopt(conn->fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	}
	if (connect(conn->fd, address, len) == 0 || errno == EINPROGRESS)
	{
		conn->state = REDIS_CONN_CONNECTING;
		watch_for(conn);
		set_deadline(conn);
		return true;
	}
	close(conn->fd);
	conn->fd = -1;
	return false;
}

static bool
begin_tcp(RedisConn *conn, const char *address)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found;
	char port[16];
	bool begun;

	snprintf(port, sizeof(port), "%d", options()->redis_port);
	errno = EADDRNOTAVAIL;
	if (getaddrinfo(address, port, &hints, &found) != 0)
		return false;
	begun = begin_connect(conn, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return begun;
}

/* Begin with the first of the addresses left that lets us. */
static void
connect_next(RedisConn *conn)
{
	for (; conn->address < conn->lookup.count; conn->address++)
	{
		if (begin_tcp(conn, conn->lookup.addresses[conn->address]))
			return;
		conn->error = errno;
	}
	fail(conn, "could not connect: %s", strerror(conn->error));
}

static void
take_addresses(void *arg, const char *problem)
{
	RedisConn *conn = arg;

	if (problem != NULL)
	{
		fail(conn, "could not look up its name: %s", problem);
		return;
	}
	conn->address = 0;
	connect_next(conn);
}

/* The address that is tried is of no use. */
static void
give_up_address(RedisConn *conn, int error)
{
	loop_watch(&conn->watch, conn->fd, 0);
	close(conn->fd);
	conn->fd = -1;
	conn->error = error;
	conn->address++;
	connect_next(conn);
}

static void
connect_unix(RedisConn *conn)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	conn->lookup.count = 0;
	conn->error = ENAMETOOLONG;
	if (strlen(options()->redis_path) < sizeof(address.sun_path))
	{
		strcpy(address.sun_path, options()->redis_path);
		if (begin_connect(conn, (struct sockaddr *) &address, sizeof(address)))
			return;
		conn->error = errno;
	}
	fail(conn, "could not connect: %s", strerror(conn->error));
}

/*
 * Events.
 */

static void
set_deadline(RedisConn *conn)
{
	if (conn->state <= REDIS_CONN_CONNECTING)
		loop_after(&conn->deadline, CONNECT_TIMEOUT);
	else if (conn->awaited > 0)
		loop_after(&conn->deadline, ANSWER_TIMEOUT);
	else
		loop_at(&conn->deadline, LOOP_NEVER);
}

static void
too_late(void *arg)
{
	RedisConn *conn = arg;

	if (conn->state == REDIS_CONN_CONNECTING)
		give_up_address(conn, ETIMEDOUT);
	else if (conn->state == REDIS_CONN_RESOLVING && options()->redis_path != NULL)
		connect_unix(conn);
	else if (conn->state == REDIS_CONN_RESOLVING)
		fail(conn, "could not look up its name: no answer for %d s", (int) (CONNECT_TIMEOUT / LOOP_SECOND));
	else if (conn->awaited > 0)
		fail(conn, "no answer for %d s", (int) (ANSWER_TIMEOUT / LOOP_SECOND));
}

static void
socket_ready(void *arg, uint32_t events)
{
	RedisConn *conn = arg;
	const redisReader *reader;
	int error = 0;
	socklen_t size = sizeof(error);

	if (conn->state == REDIS_CONN_CONNECTING)
	{
		if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			error = errno;
		if (error != 0)
			give_up_address(conn, error);
		else
			log_in(conn);
		return;
	}
	/* first what it had to say, since to write to a closed connection may lose that */
	reader = conn->reader;
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		read_in(conn);
	if ((events & EPOLLOUT) != 0 && conn->reader == reader)
		write_out(conn);
}

void
redis_conn_open(RedisConn *conn)
{
	redis_conn_close(conn);
	conn->watch.ready = socket_ready;
	conn->watch.arg = conn;
	conn->deadline.due = too_late;
	conn->deadline.arg = conn;
	conn->lookup.done = take_addresses;
	conn->lookup.arg = conn;
	conn->fd = -1;
	conn->error = EADDRNOTAVAIL;
	conn->state = REDIS_CONN_RESOLVING;
	if (options()->redis_path != NULL)
	{
		/* no sooner than in the next turn, so that closed is never called from here */
		loop_after(&conn->deadline, 0);
		return;
	}
	set_deadline(conn);
	lookup_begin(&conn->lookup, options()->redis_host);
}
