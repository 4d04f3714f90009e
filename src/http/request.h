/*
 * request.h
 *	  A request on its way through the daemon, and the replies to it.
 *
 * server.c makes it of what libmicrohttpd knows, limits it, and finds its route; the route's handler queues one reply.
 */
#ifndef CRYPTO_RT_HTTP_REQUEST_H
#define CRYPTO_RT_HTTP_REQUEST_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define REQUEST_BODY_MAX (1 << 20) /* bytes that are kept, for routes that take a body */

typedef struct Route Route;
typedef struct Suspended Suspended;

typedef struct Request
{
	struct MHD_Connection *connection;
	const Route *route;
	const char *method;
	char *target; /* path and query as sent; the request's own */
	char *symbol; /* what stood for {symbol} or {file} in the route, decoded; "" when the route has none */
	size_t symbol_len;
	struct in6_addr address; /* the client's; behind a trusted proxy the one that it names */
	bool head;               /* HEAD: as GET, without the body */
	bool gzip;               /* the client takes it */
	const char *origin;      /* to be echoed to a browser; NULL: nothing, or "*" for everybody */
	int64_t started;         /* loop_clock */
	int status;              /* of the reply; 0: none yet */
	uint64_t bytes;          /* of the reply's body */
	void *stream;            /* stream.c's */
	Suspended *suspended;    /* suspend.c's; NULL: it never was */
	Text body;               /* what was sent, if the route takes it */
	bool body_too_long;      /* it was more than there is room for */
} Request;

/* What a route answers to.  Handlers return what MHD_queue_response returned. */
struct Route
{
	const char *name; /* its path, where {symbol} stands for one segment; metrics show it, too */
	enum MHD_Result (*handle)(Request *request);
	bool unlimited;  /* the limiter lets it pass: health checks */
	bool any_method; /* the handler looks at the method itself, and takes a body by POST */
};

/* The argument of the query string, decoded, or NULL.  An argument without a value is "". */
extern const char *request_argument(Request *request, const char *name);

/* A header of the request, or NULL. */
extern const char *request_header(Request *request, const char *name);

/* An argument as a number from min to max, or fallback when it is not there; false: it is something else, and *value is unset. */
extern bool request_number(Request *request, const char *name, int64_t min, int64_t max, int64_t fallback,
						   int64_t *value);

/* Queue a response for this request alone, with the headers that all replies carry (CORS), and drop it. */
extern enum MHD_Result reply_response(Request *request, int status, struct MHD_Response *response);

/*
 * Queue a response that is kept and shared among requests.  Once, when it is made, reply_share puts in the headers that all
 * replies carry.  A request whose origin is to be echoed cannot be given a shared response: reply_sharable tells.
 */
extern void reply_share(struct MHD_Response *response);
extern bool reply_sharable(const Request *request);
extern enum MHD_Result reply_shared(Request *request, int status, struct MHD_Response *response,
									uint64_t bytes);

/* {"error":"…"}, formatted; and {"error":"…","hint":"…"} when hint is not NULL. */
extern enum MHD_Result reply_error(Request *request, int status, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Whether If-None-Match holds the tag (with its quotes): the reply is 304 then, with the headers that 200 would have. */
extern bool reply_not_modified(Request *request, const char *etag);

/* 429: what there is too much of, and after how many seconds to come again; keep: on the same connection. */
extern enum MHD_Result reply_too_many(Request *request, bool keep, int seconds, const char *what);

/* 404: there is no such thing of this request's coin; or 400 when its symbol can be none. */
extern enum MHD_Result reply_unknown_coin(Request *request, const char *what);

/*
 * A body of JSON that is kept, and its response, which is made when it is first sent and then shared.  Start from {0}.
 */
typedef struct ReplyKept
{
	Blob *blob;
	bool packed;     /* as gzip */
	int32_t max_age; /* seconds */
	char etag[64];   /* with its quotes */

	/* request.c's */
	struct MHD_Response *response; /* NULL: not yet */
} ReplyKept;

extern void reply_kept_free(ReplyKept *kept);

/* 200, or 304 when the client has it already. */
extern enum MHD_Result reply_kept(Request *request, ReplyKept *kept);

/* For how long a reply is good: for everybody's caches. */
extern void reply_max_age(struct MHD_Response *response, int32_t seconds);

/* A response of a text, which is empty again. */
extern struct MHD_Response *reply_of_text(Text *text, const char *content_type);

/* A response of a blob's bytes, which it holds until it is destroyed; and one of bytes that are always there. */
extern struct MHD_Response *reply_of_blob(Blob *blob);
extern struct MHD_Response *reply_of_constant(const void *bytes, size_t len);

extern void reply_header(struct MHD_Response *response, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* CRYPTO_RT_HTTP_REQUEST_H */
