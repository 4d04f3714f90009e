/*
 * stream.c
 *	  See stream.h.
 *
 * A client that has been given all there is gets suspended: libmicrohttpd does not look at it until it is woken, and then
 * asks read_stream for more.  Many are due at once when a quote changes that many want, so they stand in `waking` and are
 * resumed in slices, one in each turn of the loop, with other requests in between.
 *
 * A client that is not suspended is one whose socket takes nothing; the frames of that time it is never given, since
 * read_stream takes the newest when it is called at last.
 *
 * A client that goes while it is suspended would be noticed with the next frame only, so our own loop watches for the end
 * of its socket.  One that ends only its own direction counts as gone.
 */
#include "stream.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "limiter.h"
#include "links.h"
#include "loop.h"
#include "memory.h"
#include "quotes.h"
#include "server.h"
#include "stream_query.h"
#include "subscription.h"

#define GREETING "retry: 2000\n\n"
#define HEARTBEAT ": heartbeat\n\n"
#define FAREWELL "retry: 2000\n: the server is stopping\n\n"

/*
 * Clients that are resumed in one turn of the loop: some 4 ms.  But each turn has libmicrohttpd go through all that are
 * suspended, so of many clients the turns must not be too many.
 */
#define SLICE 400
#define SLICES_MAX 10

#define LOOK_INTERVAL (15 * LOOP_SECOND) /* of silence, until a heartbeat */
#define STALL_MAX (30 * LOOP_SECOND)     /* without a byte taken, though there are some */
#define SOCKET_BUFFER 32768              /* bytes; with the kernel's own choice it hides a thousand frames */
/* bytes that are read at once; used for HTTP/1.0 only (a proxy's way to speak to us), but allocated for all */
#define BLOCK 1024
#define BLOCK_LONG 8192 /* for long lists */
#define RETRY_AFTER 10  /* seconds, for an address that has enough streams */

typedef struct Client
{
	/* immutable */
	struct MHD_Connection *connection;
	Request *request; /* it lives as long as read_stream is called */
	Subscription *subscription;
	struct in6_addr address;

	/* where it stands */
	uint64_t seq;     /* of the last change that it knows of; 0: none */
	uint64_t frames;  /* Subscription.frames then */
	Blob *piece;      /* what it is being sent; NULL: nothing */
	size_t sent;      /* of piece */
	int64_t given_at; /* when it took bytes the last time */
	int64_t look_at;  /* with its silence, or its stall */

	bool suspended;
	bool fresh;     /* its first frame is to be made */
	bool heartbeat; /* it is to be sent one */
	bool gone;      /* it has closed its socket, or we have */
	bool told;      /* the end */

	Link in_subscription; /* Subscription.clients */
	Link in_looks;        /* by look_at */
	Link in_waking;
	LoopWatch watch;
} Client;

static Link looks = LINKS_EMPTY(looks); /* all of them */
static Link waking = LINKS_EMPTY(waking);
static LoopTimer slice_timer;
static LoopTimer look_timer;
static Blob *greeting;
static Blob *heartbeat;
static Blob *farewell;
static StreamCounts counts;
static bool ending;

/*
 * Waking.
 */

static void
wake(Client *client)
{
	if (client->suspended && !links_stands(&client->in_waking))
		links_append(&waking, &client->in_waking);
}

static void
resume(Client *client)
{
	links_remove(&client->in_waking);
	client->suspended = false;
	MHD_resume_connection(client->connection);
	server_wake();
}

static void
wake_all(const Subscription *subscription)
{
	for (Link *link = subscription->clients.next; link != &subscription->clients; link = link->next)
		wake(LINKS_OWNER(link, Client, in_subscription));
}

/* Resume those who are to be woken; when there are none left, make the next frame that is due. */
static void
slice(void *arg)
{
	Subscription *due;
	int most = counts.open / SLICES_MAX > SLICE ? counts.open / SLICES_MAX : SLICE;

	(void) arg;
	for (int work = 0; work < most;)
	{
		if (!links_empty(&waking))
		{
			resume(LINKS_OWNER(waking.next, Client, in_waking));
			work++;
		}
		else if (ending || !subscription_work(loop_now(), &due, &work))
			break;
		else if (due != NULL)
			wake_all(due);
	}
	if (!links_empty(&waking))
		loop_after(&slice_timer, 0);
	else
		loop_at(&slice_timer, ending ? LOOP_NEVER : subscription_next(loop_now()));
}

static void
settled(void)
{
	subscription_settled();
	slice(NULL);
}

/*
 * Silence.
 */

static void
look_later(Client *client)
{
	client->look_at = loop_now() + LOOK_INTERVAL;
	links_append(&looks, &client->in_looks);
}

/* A client has been silent for a while: send it a heartbeat, or give it up when there is something that it does not take. */
static void
look(Client *client)
{
	look_later(client);
	if (client->suspended)
	{
		client->heartbeat = true;
		wake(client);
	}
	else if (!client->gone && loop_now() - client->given_at >= STALL_MAX)
	{
		counts.stalled++;
		client->gone = true;
		shutdown(client->watch.fd, SHUT_RDWR);
	}
}

static void
look_due(void *arg)
{
	(void) arg;
	while (!links_empty(&looks))
	{
		Client *client = LINKS_OWNER(looks.next, Client, in_looks);

		if (client->look_at > loop_now())
		{
			loop_at(&look_timer, client->look_at);
			break;
		}
		look(client);
	}
	if (!links_empty(&waking))
		slice(NULL);
}

/* The socket has ended. */
static void
notice_end(void *arg, uint32_t events)
{
	Client *client = arg;

	(void) events;
	client->gone = true;
	if (client->suspended)
		resume(client);
}

/*
 * What libmicrohttpd calls.
 */

static Blob *
next_frame(Client *client)
{
	Subscription *subscription = client->subscription;
	Blob *frame = NULL;

	if (client->fresh)
		frame = subscription_newest(subscription, &client->seq);
	else
	{
		frame = subscription_frame(subscription, &client->seq);
		if (frame != NULL && subscription->frames > client->frames + 1)
			counts.conflated += subscription->frames - client->frames - 1;
	}
	client->fresh = false;
	client->frames = subscription->frames;
	counts.frames += frame != NULL;
	return frame;
}

/* The next that it is to be sent; NULL: there is nothing. */
static Blob *
next_piece(Client *client)
{
	Blob *piece = ending ? NULL : next_frame(client);

	if (piece == NULL && ending && !client->told)
	{
		client->told = true;
		piece = blob_share(farewell);
	}
	else if (piece == NULL && client->heartbeat)
		piece = blob_share(heartbeat);
	client->heartbeat = false;
	return piece;
}

static size_t
copy_piece(Client *client, char *buf, size_t max)
{
	size_t left = client->piece->len - client->sent;
	size_t n = left < max ? left : max;

	memcpy(buf, client->piece->bytes + client->sent, n);
	client->sent += n;
	if (n < left)
		return n;
	blob_drop(client->piece);
	client->piece = NULL;
	client->sent = 0;
	return n;
}

static ssize_t
read_stream(void *cls, uint64_t at, char *buf, size_t max)
{
	Client *client = cls;
	size_t n = 0;

	(void) at;
	/* not an error, which libmicrohttpd would log: clients come and go */
	if (client->gone)
		return MHD_CONTENT_READER_END_OF_STREAM;
	while (n < max && (client->piece != NULL || (client->piece = next_piece(client)) != NULL))
		n += copy_piece(client, buf + n, max - n);
	if (n > 0)
	{
		client->given_at = loop_now();
		look_later(client);
		client->request->bytes += n;
		counts.bytes += n;
		return (ssize_t) n;
	}
	if (ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	client->suspended = true;
	MHD_suspend_connection(client->connection);
	return 0;
}

/* The response is no longer needed: the last that is heard of a client.  Its socket is still open. */
static void
close_client(void *cls)
{
	Client *client = cls;

	loop_watch(&client->watch, client->watch.fd, 0);
	links_remove(&client->in_subscription);
	links_remove(&client->in_looks);
	links_remove(&client->in_waking);
	subscription_leave(client->subscription);
	limiter_give(LIMITER_STREAMS, &client->address);
	blob_drop(client->piece);
	free(client);
	counts.open--;
}

/*
 * Opening.
 */

static void
add_headers(struct MHD_Response *response)
{
	reply_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
	reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache, no-transform");
	reply_header(response, "X-Accel-Buffering", "no");
}

/* Where it left off, if that is known and was ours; 0: it is to be sent everything. */
static uint64_t
resume_at(Request *request)
{
	const char *id = request_header(request, "Last-Event-ID");
	int64_t epoch;
	uint64_t seq;

	if (id == NULL)
		id = request_argument(request, "lastEventId");
	if (id == NULL || !stream_query_id(id, &epoch, &seq) || epoch != quotes_epoch() || seq > quotes_seq())
		return 0;
	return seq;
}

static void
prepare_socket(Client *client)
{
	int fd = MHD_get_connection_info(client->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	int size = SOCKET_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	MHD_set_connection_option(client->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	client->watch.ready = notice_end;
	client->watch.arg = client;
	loop_watch(&client->watch, fd, EPOLLRDHUP | EPOLLET);
}

/* Takes the symbols. */
static Client *
open_client(Request *request, StreamSymbols *symbols, bool full)
{
	Client *client = memory_get(sizeof(Client));

	client->connection = request->connection;
	client->request = request;
	client->address = request->address;
	client->seq = resume_at(request);
	client->fresh = true;
	client->piece = blob_share(greeting);
	client->given_at = loop_now();
	client->subscription = subscription_join(symbols, full);
	client->frames = client->subscription->frames;
	links_append(&client->subscription->clients, &client->in_subscription);
	if (links_empty(&looks))
		loop_after(&look_timer, LOOK_INTERVAL);
	look_later(client);
	prepare_socket(client);
	counts.open++;
	counts.opened++;
	/* it may have brought symbols that are to be looked for */
	loop_at(&slice_timer, links_empty(&waking) ? subscription_next(loop_now()) : loop_now());
	return client;
}

/* Neither a body nor a client, only the headers. */
static enum MHD_Result
reply_head(Request *request)
{
	struct MHD_Response *response =
		memory_check(MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, NULL, NULL));

	add_headers(response);
	return reply_response(request, MHD_HTTP_OK, response);
}

enum MHD_Result
stream_open(Request *request)
{
	const char *fields = request_argument(request, "fields");
	bool full = fields != NULL && strcmp(fields, "full") == 0;
	StreamSymbols symbols;
	char err[160];
	Client *client;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (ending)
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, "the server is stopping");
	if (fields != NULL && fields[0] != '\0' && !full)
		return reply_error(request, MHD_HTTP_BAD_REQUEST, NULL, "fields can be full, or left out");
	if (!stream_query_symbols(request_argument(request, "symbols"), &symbols, err, sizeof(err)))
		return reply_error(request, MHD_HTTP_BAD_REQUEST, "symbols=BTC,ETH, or symbols=* for all", "%s", err);
	if (request->head || !limiter_take(LIMITER_STREAMS, &request->address))
	{
		free(symbols.list);
		return request->head
				   ? reply_head(request)
				   : reply_too_many(request, true, RETRY_AFTER, "too many streams from this address");
	}

	client = open_client(request, &symbols, full);
	response = memory_check(MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, client->subscription->changes_only ? BLOCK_LONG : BLOCK, read_stream, client,
		close_client));
	add_headers(response);
	request->stream = client;
	result = reply_response(request, MHD_HTTP_OK, response);
	if (result != MHD_YES)
		request->stream = NULL;
	return result;
}

void
stream_init(void)
{
	static const QuotesListener listener = {
		.changed = subscription_changed,
		.removed = subscription_removed,
		.settled = settled,
	};

	greeting = blob_of(GREETING, strlen(GREETING));
	heartbeat = blob_of(HEARTBEAT, strlen(HEARTBEAT));
	farewell = blob_of(FAREWELL, strlen(FAREWELL));
	slice_timer.due = slice;
	look_timer.due = look_due;
	quotes_listen(&listener);
}

void
stream_end_all(void)
{
	ending = true;
	for (Link *link = looks.next; link != &looks; link = link->next)
		wake(LINKS_OWNER(link, Client, in_looks));
	slice(NULL);
}

StreamCounts
stream_counts(void)
{
	StreamCounts now = counts;

	now.subscriptions = subscription_count();
	return now;
}
