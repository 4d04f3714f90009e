/*
 * server.c
 *	  See server.h.
 *
 * A request's way: begin_request (its first line is there), handle (its header is there; then its body, which few routes want;
 * then the reply, queued by its route), end_request.  libmicrohttpd has an epoll descriptor of its own, which our loop watches.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "database.h"
#include "limiter.h"
#include "log.h"
#include "loop.h"
#include "memory.h"
#include "metrics.h"
#include "options.h"
#include "request.h"
#include "routes.h"
#include "stream.h"
#include "suspend.h"
#include "system.h"
#include "tls.h"

#define IDLE_MAX 60u                     /* seconds for which a reply may not move */
#define BODY_MAX 65536                   /* bytes that somebody may send along for nothing */
#define BODIES_MAX (64 << 20)            /* bytes of all bodies that are kept */
#define POOL_EXTRA 1024                  /* of a connection's memory, beyond its header */
#define STOP_MAX (LOOP_SECOND * 5 / 2)   /* for replies to be finished; with a sweep it is less than 3 s */
#define SWEEP_INTERVAL (LOOP_SECOND / 2) /* between looks at deadlines */
#define COMPLAINT_INTERVAL (10 * LOOP_SECOND)
#define RUNS_MAX 8 /* of libmicrohttpd, before others have their turn */

static struct MHD_Daemon *mhd;
static LoopWatch watch;
static LoopTimer run_timer;
static LoopTimer sweep_timer;
static int64_t stop_by; /* 0: not stopping */
static int64_t complained_at;
static size_t bodies; /* bytes that are kept */
static char listening_at[INET6_ADDRSTRLEN + 16];

/*
 * What the request is.
 */

/* Decode %xx where they stand; false: a % without two digits, or a NUL. */
static bool
decode(char *s, size_t *len)
{
	char *to = s;

	for (size_t i = 0; i < *len; i++)
	{
		char c = s[i];

		if (c == '%')
		{
			char digits[3] = {0};
			char *end;

			if (*len - i < 3)
				return false;
			memcpy(digits, s + i + 1, 2);
			c = (char) strtoul(digits, &end, 16);
			if (end != digits + 2 || digits[0] == '+' || digits[0] == '-' || digits[0] == ' ')
				return false;
			i += 2;
		}
		if (c == '\0')
			return false;
		*to++ = c;
	}
	*len = (size_t) (to - s);
	*to = '\0';
	return true;
}

static bool
takes_gzip(const char *accepted)
{
	const char *at = accepted != NULL ? strcasestr(accepted, "gzip") : NULL;
	const char *q;

	if (at == NULL)
		return false;
	q = at + 4 + strspn(at + 4, " \t");
	if (*q != ';')
		return true;
	q += 1 + strspn(q + 1, " \t");
	return strncasecmp(q, "q=", 2) != 0 || strtod(q + 2, NULL) > 0;
}

/* The one that a browser may be told, of those that were configured. */
static const char *
allowed_origin(const char *origin)
{
	for (int i = 0; origin != NULL && i < options()->cors_origin_count; i++)
		if (strcmp(options()->cors_origins[i], "*") != 0 &&
			strcasecmp(options()->cors_origins[i], origin) == 0)
			return options()->cors_origins[i];
	return NULL;
}

static bool
read_address(const char *text, size_t len, struct in6_addr *address)
{
	char copy[INET6_ADDRSTRLEN + 8];

	if (len == 0 || len > INET6_ADDRSTRLEN)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, address) == 1)
		return true;
	memmove(copy + 7, copy, len + 1);
	memcpy(copy, "::ffff:", 7);
	return inet_pton(AF_INET6, copy, address) == 1;
}

/* The client behind trusted proxies: the last of X-Forwarded-For that is no such proxy itself. */
static void
look_behind_proxy(Request *request)
{
	const char *list = request_header(request, "X-Forwarded-For");
	size_t end = list != NULL ? strlen(list) : 0;

	while (end > 0)
	{
		size_t begin = end;
		struct in6_addr address;
		bool trusted = false;

		while (begin > 0 && list[begin - 1] != ',')
			begin--;
		while (list[begin] == ' ')
			begin++;
		while (end > begin && list[end - 1] == ' ')
			end--;
		if (!read_address(list + begin, end - begin, &address))
			return;
		request->address = address;
		for (int i = 0; i < options()->trusted_proxy_count; i++)
			trusted |= options_network_has(&options()->trusted_proxies[i], &address);
		if (!trusted)
			return;
		while (begin > 0 && list[begin - 1] != ',')
			begin--;
		end = begin > 0 ? begin - 1 : 0;
	}
}

/*
 * Replies that have no route.
 */

static enum MHD_Result
reply_options(Request *request)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	const char *methods =
		routes_any_method(request->target) ? "GET, HEAD, OPTIONS, POST" : "GET, HEAD, OPTIONS";

	reply_header(response, MHD_HTTP_HEADER_ALLOW, "%s", methods);
	if (request_header(request, "Access-Control-Request-Method") != NULL)
	{
		reply_header(response, "Access-Control-Allow-Methods", "%s", methods);
		reply_header(
			response, "Access-Control-Allow-Headers", "%s",
			"If-None-Match, Last-Event-ID, Cache-Control, Authorization, Content-Type, Prefer, Range, "
			"Range-Unit, Accept-Profile, Content-Profile, apikey, X-Client-Info");
		reply_header(response, "Access-Control-Max-Age", "86400");
	}
	return reply_response(request, MHD_HTTP_NO_CONTENT, response);
}

static enum MHD_Result
reply_not_found(Request *request, const char *path)
{
	const char *near = routes_near(path);
	char hint[128];

	if (near == NULL)
		return reply_error(request, MHD_HTTP_NOT_FOUND, "the endpoints are listed at /api",
						   "there is no %.200s", path);
	snprintf(hint, sizeof(hint), "did you mean %s?", near);
	return reply_error(request, MHD_HTTP_NOT_FOUND, hint, "there is no %.200s", path);
}

/* The header is there and the body, if there was one, has been read. */
static enum MHD_Result
answer(Request *request, const Connection *from)
{
	char *path = request->target;
	size_t path_len = strcspn(path, "?");
	char *query = path[path_len] == '?' ? path + path_len : NULL;
	const char *symbol;
	enum MHD_Result result;
	int wait;

	if (from->trusted)
		look_behind_proxy(request);
	request->origin = allowed_origin(request_header(request, "Origin"));
	if (from->refused)
		return reply_too_many(request, false, 5, "too many connections from this address");
	if (strlen(path) > (size_t) options()->max_url)
		return reply_error(request, MHD_HTTP_URI_TOO_LONG, NULL, "the url is longer than %d bytes",
						   options()->max_url);
	if (strcmp(request->method, MHD_HTTP_METHOD_OPTIONS) == 0)
		return reply_options(request);
	request->head = strcmp(request->method, MHD_HTTP_METHOD_HEAD) == 0;
	if (!request->head && strcmp(request->method, MHD_HTTP_METHOD_GET) != 0 && !routes_any_method(path))
		return reply_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, NULL,
						   "%.20s is not allowed here: nothing can be changed", request->method);
	if (strstr(path, "%00") != NULL && !routes_any_method(path))
		return reply_error(request, MHD_HTTP_BAD_REQUEST, NULL, "the url holds a NUL");

	/* the target is whole again before it is logged */
	path[path_len] = '\0';
	request->route = routes_find(path, &symbol, &request->symbol_len);
	if (request->route == NULL)
	{
		request->route = &routes_none;
		result = reply_not_found(request, path);
	}
	else
		result = MHD_NO;
	request->symbol = strndup(symbol, request->symbol_len);
	if (query != NULL)
		*query = '?';
	if (request->status != 0)
		return result;

	if (!decode(memory_check(request->symbol), &request->symbol_len))
		return reply_error(request, MHD_HTTP_BAD_REQUEST, NULL,
						   "the path holds a %% that is not followed by two hex digits");
	if (!request->route->unlimited && (wait = limiter_request(&request->address, loop_now())) > 0)
		return reply_too_many(request, true, wait, "too many requests from this address");
	request->gzip = takes_gzip(request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
	return request->route->handle(request);
}

/*
 * What libmicrohttpd calls.
 */

static void *
begin_request(void *cls, const char *target, struct MHD_Connection *connection)
{
	Request *request = memory_get(sizeof(Request));
	Connection *from = connection_of(connection);

	(void) cls;
	request->connection = connection;
	request->address = from->address;
	request->route = &routes_none;
	request->started = loop_clock();
	request->target = memory_dup(target);
	request->method = "";
	from->request = request;
	connection_enter(from, CONNECTION_HEADER);
	return request;
}

/* A part of the body.  MHD_NO: it is far too long, and the connection ends. */
static enum MHD_Result
take_body(Request *request, const char *part, size_t len)
{
	bool wanted = routes_any_method(request->target) && strcmp(request->method, MHD_HTTP_METHOD_POST) == 0;

	request->bytes += len;
	if (!wanted)
		return request->bytes <= BODY_MAX ? MHD_YES : MHD_NO;
	if (request->body.len + len > REQUEST_BODY_MAX || bodies + len > BODIES_MAX)
		request->body_too_long = true;
	if (!request->body_too_long)
	{
		text_add(&request->body, part, len);
		bodies += len;
	}
	/* it is read to its end, for the client to have its reply */
	return request->bytes <= 4 * REQUEST_BODY_MAX ? MHD_YES : MHD_NO;
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
	   const char *body, size_t *body_len, void **context)
{
	Request *request = *context;
	Connection *from = connection_of(connection);

	(void) cls;
	(void) url;
	(void) version;
	/* with a reply it would not be asked again: its client has gone while it waited */
	if (request->suspended != NULL)
		return MHD_NO;
	if (request->method[0] == '\0')
	{
		/* a reply from here would close the connection */
		request->method = method;
		request->bytes = 0;
		return MHD_YES;
	}
	if (*body_len != 0)
	{
		enum MHD_Result result = take_body(request, body, *body_len);

		*body_len = 0;
		return result;
	}
	request->bytes = 0;
	connection_enter(from, CONNECTION_REQUEST);
	return answer(request, from);
}

static void
log_answered(const Request *request, int64_t us)
{
	char text[INET6_ADDRSTRLEN];

	if (IN6_IS_ADDR_V4MAPPED(&request->address))
		inet_ntop(AF_INET, request->address.s6_addr + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &request->address, text, sizeof(text));
	log_request(&(LogRequest){
		.address = text,
		.method = request->method,
		.target = request->target,
		.status = request->status,
		.bytes = request->bytes,
		.us = us,
	});
}

static void
end_request(void *cls, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode how)
{
	Request *request = *context;
	Connection *from;
	int64_t us;

	(void) cls;
	if (request == NULL)
		return;
	from = connection_of(connection);
	/* its client has gone before it had its reply */
	if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK && request->stream == NULL)
		request->status = 0;
	us = loop_clock() - request->started;
	metrics_request(request, us);
	if (options()->access_log)
		log_answered(request, us);
	suspend_forget(request);
	bodies -= request->body.len;
	text_free(&request->body);
	free(request->symbol);
	free(request->target);
	free(request);
	*context = NULL;
	from->request = NULL;
	connection_enter(from, CONNECTION_PAUSE);
}

/* A request with more arguments than libmicrohttpd has memory for never ends, but its connection does. */
static void
notify(void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode what)
{
	void *left = what == MHD_CONNECTION_NOTIFY_CLOSED ? connection_of(connection)->request : NULL;

	end_request(NULL, connection, &left, MHD_REQUEST_TERMINATED_WITH_ERROR);
	connection_notify(cls, connection, context, what);
}

/* libmicrohttpd's own complaints, such as "too many open files": not more often than they are of use. */
static void __attribute__((format(printf, 2, 0))) complain(void *cls, const char *format, va_list args)
{
	char text[256];

	(void) cls;
	/* clients that leave, and those that we end, are no news */
	if (strstr(format, "socket is closed") != NULL || strstr(format, "ocket was disconnected") != NULL ||
		strncmp(format, "Failed to send", 14) == 0 ||
		strncmp(format, "Closing connection (application", 31) == 0)
		return;
	vsnprintf(text, sizeof(text), format, args);
	if (strncmp(text, "Application reported internal error, closing", 44) == 0)
		return;
	if (complained_at != 0 && loop_now() - complained_at < COMPLAINT_INTERVAL)
		return;
	complained_at = loop_now();
	text[strcspn(text, "\r\n")] = '\0';
	log_warning("http: %s", text);
}

/*
 * In our loop.
 */

static void
finish_stop(void)
{
	if (connection_count() == 0 || loop_now() >= stop_by)
		loop_end();
}

static void
run(void)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;
	int64_t wait = LOOP_NEVER;

	for (int i = 0; i < RUNS_MAX; i++)
	{
		MHD_run(mhd);
		wait = LOOP_NEVER;
		if (MHD_get_timeout(mhd, &ms) != MHD_YES)
			break;
		wait = (int64_t) ms * 1000;
		if (ms > 0)
			break;
	}
	loop_at(&run_timer, wait == LOOP_NEVER ? LOOP_NEVER : loop_now() + wait);
	if (stop_by != 0)
		finish_stop();
}

static void
ready(void *arg, uint32_t events)
{
	(void) arg;
	(void) events;
	run();
}

static void
run_due(void *arg)
{
	(void) arg;
	run();
}

static void
sweep(void *arg)
{
	(void) arg;
	connection_sweep();
	if (stop_by != 0)
		finish_stop();
	loop_after(&sweep_timer, SWEEP_INTERVAL);
}

void
server_wake(void)
{
	loop_after(&run_timer, 0);
}

/* A socket that listens at options()->listen, or -1. */
static int
make_listener(void)
{
	const struct sockaddr *at = (const struct sockaddr *) &options()->listen;
	int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = at->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int yes = 1;
	int no = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (at->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (bind(fd, at, len) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
note_address(int fd)
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);
	char host[INET6_ADDRSTRLEN] = "";

	getsockname(fd, (struct sockaddr *) &at, &len);
	if (at.ss_family == AF_INET)
	{
		const struct sockaddr_in *in = (const struct sockaddr_in *) &at;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(listening_at, sizeof(listening_at), "%s:%d", host, ntohs(in->sin_port));
	}
	else if (at.ss_family == AF_INET6)
	{
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *) &at;

		inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
		snprintf(listening_at, sizeof(listening_at), "[%s]:%d", host, ntohs(in->sin6_port));
	}
	else
		snprintf(listening_at, sizeof(listening_at), "a socket that was passed");
}

const char *
server_address(void)
{
	return listening_at;
}

const char *
server_start(int fd)
{
	static char err[512];
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	bool tls = options()->tls_cert != NULL;

	if (tls && !tls_load(err, sizeof(err)))
		return err;
	if (fd < 0)
		fd = make_listener();
	else
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (fd < 0)
	{
		snprintf(err, sizeof(err), "could not listen on %s: %s", options()->listen_text, strerror(errno));
		return err;
	}
	mhd = MHD_start_daemon(
		flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, handle, NULL, MHD_OPTION_EXTERNAL_LOGGER, complain,
		NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, begin_request, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, end_request, NULL, MHD_OPTION_NOTIFY_CONNECTION, notify, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int) options()->max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
		IDLE_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) options()->max_header + POOL_EXTRA,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, tls ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END,
		tls_retrieve, MHD_OPTION_END);
	if (mhd == NULL)
		return "could not start libmicrohttpd";

	note_address(fd);
	run_timer.due = run_due;
	sweep_timer.due = sweep;
	watch.ready = ready;
	loop_watch(&watch, MHD_get_daemon_info(mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EPOLLIN);
	loop_after(&sweep_timer, SWEEP_INTERVAL);
	return NULL;
}

bool
server_reload_tls(void)
{
	char err[512];

	if (options()->tls_cert == NULL)
		return true;
	if (tls_load(err, sizeof(err)))
	{
		log_info("read the certificate in %s anew", options()->tls_cert);
		return true;
	}
	log_error("the certificate stays as it was: %s", err);
	return false;
}

void
server_stop(void)
{
	int fd;

	if (stop_by != 0)
		return;
	stop_by = loop_now() + STOP_MAX;
	fd = MHD_quiesce_daemon(mhd);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	stream_end_all();
	database_stop();
	connection_end_all();
	server_wake();
}

void
server_close(void)
{
	MHD_stop_daemon(mhd);
}
