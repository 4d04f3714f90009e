/*
 * server.c
 *	  See server.h.
 *
 * The way of a request to the API: find its fault, if it has one (decide); wait, when the fault says so;
 * get the answer it would have, perhaps from upstream (fetch); spoil it and send it (finish).  While it
 * waits its connection is suspended.  MHD calls handle again when it is resumed, and the stage tells
 * where to go on.
 *
 * MHD does not look at a suspended connection, so a client that has gone is noticed by a look at its socket
 * every now and then.
 */
#include "server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "admin.h"
#include "api.h"
#include "clock.h"
#include "memory.h"

#define NEVER INT64_MAX
#define LOOK_US (CLOCK_SECOND / 5) /* between two looks at the sockets of suspended connections */
#define CONNECTION_MEMORY 32768

typedef enum Stage
{
	STAGE_BEGIN,    /* the headers are there, the body is not */
	STAGE_DECIDE,   /* all of the request is there */
	STAGE_HANG,     /* to be held until the client gives up */
	STAGE_FETCH,    /* waiting is over */
	STAGE_FETCHING, /* upstream has been asked */
	STAGE_FINISH    /* the answer is there */
} Stage;

typedef struct Request
{
	Server *server;
	struct MHD_Connection *connection;
	char *target; /* path and query as sent */
	Stage stage;
	Text body; /* sent along, for the administrator */
	bool body_too_long;

	/* of requests to the API */
	ApiQuery query;
	bool faulty;
	Fault fault;
	Answer *answer;
	bool worth_recording;
	UpstreamFetch *fetch;
	Answer *traced; /* what is being sent, if that is to be traced; NULL: no */

	/* while suspended */
	bool held;
	bool gone;   /* the client is */
	int64_t due; /* monotonic; NEVER: somebody will resume it */
	struct Request *next;
	struct Request **link;

	/* of FAULT_DRIP */
	int64_t drip_due;
} Request;

struct Server
{
	ServerParts parts;
	struct MHD_Daemon *daemon;
	Api *api;
	Admin admin;
	Request *held;
	int64_t looked_us;
	int64_t started_us;
	int epoll_fd;
	bool stopping;
};

static void
hold(Request *request, int64_t due)
{
	Server *server = request->server;

	request->held = true;
	request->due = due;
	request->next = server->held;
	request->link = &server->held;
	if (request->next != NULL)
		request->next->link = &request->next;
	server->held = request;
	MHD_suspend_connection(request->connection);
}

static void
release(Request *request)
{
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	request->held = false;
	MHD_resume_connection(request->connection);
}

static int
socket_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info != NULL ? info->connect_fd : -1;
}

static bool
client_has_gone(const Request *request)
{
	char byte;

	return recv(socket_of(request->connection), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void
release_due(Server *server)
{
	int64_t now = clock_us();
	bool look = now - server->looked_us >= LOOK_US;
	Request *next;

	if (look)
		server->looked_us = now;
	for (Request *request = server->held; request != NULL; request = next)
	{
		next = request->next;
		if (look && client_has_gone(request))
			request->gone = true;
		if (request->gone || request->due <= now)
			release(request);
	}
}

/* End the connection by a RST, at once: an unspecified address dissolves it without the FIN that close sends. */
static void
reset_connection(struct MHD_Connection *connection)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int fd = socket_of(connection);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	(void) connect(fd, &nowhere, sizeof(nowhere));
}

static ssize_t
read_drip(void *cls, uint64_t at, char *buf, size_t max)
{
	static const char beginning[] = "{\"data\":[";
	Request *request = cls;
	int64_t now = clock_us();

	if (max == 0)
		return 0;
	if (request->server->stopping || request->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (now < request->drip_due)
	{
		hold(request, request->drip_due);
		return 0;
	}
	request->drip_due = now + (int64_t) request->fault.ms * 1000;
	buf[0] = at < strlen(beginning) ? beginning[at] : ' ';
	return 1;
}

static enum MHD_Result
send_response(Request *request, struct MHD_Response *response)
{
	enum MHD_Result result = MHD_queue_response(request->connection, MHD_HTTP_OK, response);

	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
drip(Request *request)
{
	struct MHD_Response *response =
		memory_check(MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, read_drip, request, NULL));

	answer_headers(response, ANSWER_JSON, true);
	return send_response(request, response);
}

/* Takes the answer. */
static enum MHD_Result
send_answer(Request *request, Answer *answer)
{
	enum MHD_Result result;

	if (answer->status >= 400 && !request->faulty)
		request->server->parts.stats->errors++;
	if (request->server->parts.recording != NULL && request->worth_recording)
		recording_write(request->server->parts.recording, request->target, answer);
	result = answer_send(answer, request->connection);
	answer_drop(answer);
	return result;
}

static void
take_fetched(void *context, Answer *answer, bool real)
{
	Request *request = context;

	request->fetch = NULL;
	request->answer = answer;
	request->worth_recording = real;
	request->stage = STAGE_FINISH;
	release(request);
}

/* Get the answer there would be without a fault; false: it will come. */
static bool
fetch(Request *request)
{
	Server *server = request->server;

	request->stage = STAGE_FINISH;
	request->worth_recording = true;
	if (server->parts.replay != NULL)
		request->answer =
			replay_answer(server->parts.replay, request->target, clock_us() - server->started_us);
	else if (server->parts.upstream == NULL)
		request->answer = api_answer(server->api, &request->query);
	else
	{
		request->stage = STAGE_FETCHING;
		request->fetch = upstream_fetch(server->parts.upstream, request->target, take_fetched, request);
		hold(request, NEVER);
		return false;
	}
	return true;
}

static enum MHD_Result
finish(Request *request)
{
	Answer *answer = request->answer;
	Answer *spoiled;
	struct MHD_Response *response;

	request->answer = NULL;
	if (request->faulty && request->fault.mode != FAULT_LATENCY)
	{
		spoiled = fault_answer(&request->fault, answer, request->target);
		response = spoiled == NULL ? fault_response(&request->fault, answer) : NULL;
		answer_drop(answer);
		/* a capture holds no made-up faults */
		request->worth_recording = request->server->parts.upstream == NULL;
		if (spoiled != NULL)
			return send_answer(request, spoiled);
		return response != NULL ? send_response(request, response) : MHD_NO;
	}
	if (request->query.endpoint == API_TICKERS && answer->status == MHD_HTTP_OK &&
		request->server->parts.trace != NULL)
		request->traced = answer_share(answer);
	return send_answer(request, answer);
}

static void
decide(Request *request)
{
	Server *server = request->server;
	bool tickers = request->query.endpoint == API_TICKERS;
	size_t path = strcspn(request->target, "?");

	if (tickers)
		stats_page(server->parts.stats, request->query.start);
	request->faulty = faults_hit(server->parts.faults, tickers ? request->query.start : FAULT_ANY_START,
								 path > 0 && request->target[path - 1] == '/', &request->fault);
	if (request->faulty && request->fault.mode != FAULT_LATENCY)
		server->parts.stats->errors++;
}

static enum MHD_Result
answer_api(Request *request, const char *method)
{
	switch (request->stage)
	{
		case STAGE_BEGIN:
		case STAGE_DECIDE:
			if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
				return send_answer(request, answer_error(MHD_HTTP_METHOD_NOT_ALLOWED, "the API takes GET"));
			decide(request);
			request->stage = STAGE_FETCH;
			if (!request->faulty)
				break;
			switch (request->fault.mode)
			{
				case FAULT_LATENCY:
					hold(request, clock_us() + (int64_t) request->fault.ms * 1000);
					return MHD_YES;
				case FAULT_HANG:
					request->stage = STAGE_HANG;
					hold(request, NEVER);
					return MHD_YES;
				case FAULT_RESET:
					reset_connection(request->connection);
					return MHD_NO;
				case FAULT_DRIP:
					request->drip_due = clock_us();
					return drip(request);
				default:
					if (!fault_needs_answer(request->fault.mode))
						return finish(request);
			}
			break;
		case STAGE_HANG:
			return MHD_NO;
		case STAGE_FETCHING: /* resumed before the answer was there: the client has gone */
			return MHD_NO;
		case STAGE_FETCH:
		case STAGE_FINISH:
			break;
	}
	if (request->stage == STAGE_FETCH && !fetch(request))
		return MHD_YES;
	return finish(request);
}

static enum MHD_Result
answer_admin(Request *request, const char *method, const char *path)
{
	if (request->body_too_long)
		return send_answer(request, answer_error(MHD_HTTP_CONTENT_TOO_LARGE,
												 "the body is longer than %zu bytes", ADMIN_BODY_MAX));
	text_add(&request->body, "");
	return send_answer(request, admin_answer(&request->server->admin, request->connection, method, path,
											 request->body.bytes, request->body.len));
}

static void *
begin_request(void *cls, const char *target, struct MHD_Connection *connection)
{
	Request *request = memory_get(sizeof(Request));

	request->server = cls;
	request->connection = connection;
	request->target = memory_dup(target);
	return request;
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *path, const char *method,
	   const char *version, const char *upload, size_t *upload_size, void **context)
{
	Server *server = cls;
	Request *request = *context;
	bool to_api = strncmp(path, API_PREFIX, strlen(API_PREFIX)) == 0;
	bool to_admin = strncmp(path, ADMIN_PREFIX, strlen(ADMIN_PREFIX)) == 0 &&
					(path[strlen(ADMIN_PREFIX)] == '\0' || path[strlen(ADMIN_PREFIX)] == '/');

	(void) version;
	if (request->stage == STAGE_BEGIN)
	{
		/* replying before the second call would close the connection behind the answer */
		request->stage = STAGE_DECIDE;
		if (to_api)
		{
			stats_request(
				server->parts.stats,
				MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_USER_AGENT),
				MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING));
			request->query = api_query(connection, path);
		}
		return MHD_YES;
	}
	if (*upload_size > 0)
	{
		if (!to_admin || request->body.len + *upload_size > ADMIN_BODY_MAX)
			request->body_too_long = true;
		else
			text_bytes(&request->body, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	if (server->stopping || request->gone)
		return MHD_NO;
	if (to_api)
		return answer_api(request, method);
	if (to_admin)
		return answer_admin(request, method, path);
	request->faulty = true; /* not the API's error */
	return send_answer(request, answer_error(MHD_HTTP_NOT_FOUND,
											 "there is no %.200s; the API is at /api/, help at /sim/", path));
}

static void
trace(const Request *request)
{
	FILE *file = request->server->parts.trace;
	Text line = TEXT_EMPTY;

	text_format(&line, "{\"sent_us\":%lld,\"start\":%d,\"limit\":%d,\"nameid\":", (long long) clock_unix_us(),
				request->query.start, request->query.limit);
	text_json_string(&line, request->traced->first_nameid);
	text_add(&line, ",\"price\":");
	text_json_string(&line, request->traced->first_price);
	text_add(&line, "}\n");
	fwrite(line.bytes, 1, line.len, file);
	fflush(file);
	text_free(&line);
}

static void
end_request(void *cls, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode how)
{
	Request *request = *context;

	(void) cls;
	(void) connection;
	if (request == NULL)
		return;
	if (request->traced != NULL && how == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		trace(request);
	if (request->fetch != NULL)
		upstream_cancel(request->fetch);
	answer_drop(request->traced);
	answer_drop(request->answer);
	text_free(&request->body);
	free(request->target);
	free(request);
	*context = NULL;
}

static void
count_connection(void *cls, struct MHD_Connection *connection, void **context,
				 enum MHD_ConnectionNotificationCode what)
{
	Server *server = cls;

	(void) connection;
	(void) context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
	{
		server->parts.stats->connections_now++;
		server->parts.stats->connections_total++;
	}
	else
		server->parts.stats->connections_now--;
}

Server *
server_start(int listener, const ServerParts *parts)
{
	Server *server = memory_get(sizeof(Server));

	server->parts = *parts;
	server->api = api_new(parts->market);
	server->admin = (Admin){
		.market = parts->market,
		.faults = parts->faults,
		.stats = parts->stats,
		.source = parts->replay != NULL     ? "replay"
				  : parts->upstream != NULL ? "upstream"
											: "market",
	};
	server->started_us = clock_us();
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, server, MHD_OPTION_LISTEN_SOCKET,
		listener, MHD_OPTION_URI_LOG_CALLBACK, begin_request, server, MHD_OPTION_NOTIFY_COMPLETED,
		end_request, server, MHD_OPTION_NOTIFY_CONNECTION, count_connection, server,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned) SERVER_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned) SERVER_IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY,
		MHD_OPTION_END);
	if (server->daemon == NULL)
	{
		api_free(server->api);
		free(server);
		return NULL;
	}
	server->epoll_fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	return server;
}

int
server_fd(const Server *server)
{
	return server->epoll_fd;
}

int64_t
server_wait(const Server *server)
{
	int64_t now = clock_us();
	int64_t wait = -1;
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
		wait = (int64_t) ms * 1000;
	for (const Request *request = server->held; request != NULL; request = request->next)
	{
		int64_t due = server->looked_us + LOOK_US;

		if (request->due < due)
			due = request->due;
		due = due > now ? due - now : 0;
		if (wait < 0 || due < wait)
			wait = due;
	}
	return wait;
}

void
server_turn(Server *server)
{
	release_due(server);
	MHD_run(server->daemon);
}

void
server_stop(Server *server)
{
	/* MHD aborts over a connection that is suspended when it stops */
	server->stopping = true;
	while (server->held != NULL)
		release(server->held);
	MHD_run(server->daemon);
	MHD_stop_daemon(server->daemon);
	api_free(server->api);
	free(server);
}
