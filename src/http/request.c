/*
 * request.c
 *	  See request.h.
 */
#include "request.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "options.h"
#include "text.h"
#include "../core/symbol.h"

#define ERROR_SIZE 1024
#define SYMBOL_SHOWN_MAX 200 /* bytes of an unknown symbol in an error */

/* the size of the response that was made last, for reply_response to count */
static struct MHD_Response *newest;
static uint64_t newest_len;

const char *
request_argument(Request *request, const char *name)
{
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value,
									  NULL) != MHD_YES)
		return NULL;
	return value != NULL ? value : "";
}

const char *
request_header(Request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool
request_number(Request *request, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *value)
{
	const char *text = request_argument(request, name);
	char *end;
	long long n;

	if (text == NULL)
	{
		*value = fallback;
		return true;
	}
	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || strchr("0123456789-", text[0]) == NULL || n < min ||
		n > max)
		return false;
	*value = n;
	return true;
}

void
reply_header(struct MHD_Response *response, const char *name, const char *format, ...)
{
	char value[512];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	MHD_add_response_header(response, name, value);
}

static void
drop_blob(void *blob)
{
	blob_drop(blob);
}

struct MHD_Response *
reply_of_blob(Blob *blob)
{
	newest = MHD_create_response_from_buffer_with_free_callback_cls(blob->len, blob->bytes, drop_blob,
																	blob_share(blob));
	newest_len = blob->len;
	return memory_check(newest);
}

struct MHD_Response *
reply_of_constant(const void *bytes, size_t len)
{
	newest = MHD_create_response_from_buffer(len, (void *) bytes, MHD_RESPMEM_PERSISTENT);
	newest_len = len;
	return memory_check(newest);
}

struct MHD_Response *
reply_of_text(Text *text, const char *content_type)
{
	Blob *blob = text_blob(text);
	struct MHD_Response *response = reply_of_blob(blob);

	blob_drop(blob);
	reply_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "%s", content_type);
	return response;
}

/*
 * CORS.  With "*" every reply says so.  With a list of origins a reply says the one that asked, and so is of use to no
 * other.
 */

static bool
open_to_all(void)
{
	return options()->cors_origin_count > 0 && strcmp(options()->cors_origins[0], "*") == 0;
}

static void
add_common(struct MHD_Response *response, const char *origin)
{
	if (options()->cors_origin_count == 0)
		return;
	if (open_to_all())
		origin = "*";
	else
		MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Origin");
	if (origin == NULL)
		return;
	MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
	MHD_add_response_header(response, "Access-Control-Expose-Headers",
							"ETag, Retry-After, X-Data-Age, X-Data-Status, X-Data-Source, Content-Range, "
							"Content-Profile, Preference-Applied");
}

void
reply_share(struct MHD_Response *response)
{
	add_common(response, NULL);
}

bool
reply_sharable(const Request *request)
{
	return request->origin == NULL;
}

enum MHD_Result
reply_shared(Request *request, int status, struct MHD_Response *response, uint64_t bytes)
{
	request->status = status;
	request->bytes = request->head ? 0 : bytes;
	return MHD_queue_response(request->connection, (unsigned int) status, response);
}

enum MHD_Result
reply_response(Request *request, int status, struct MHD_Response *response)
{
	enum MHD_Result result;

	add_common(response, request->origin);
	result = reply_shared(request, status, response, response == newest ? newest_len : 0);
	MHD_destroy_response(response);
	newest = NULL;
	return result;
}

/* {"error":"…"} */
static struct MHD_Response *
response_of_error(const char *message, const char *hint)
{
	Text text = {0};
	struct MHD_Response *response;

	text_string(&text, "{\"error\":");
	text_json(&text, message, strlen(message));
	if (hint != NULL)
	{
		text_string(&text, ",\"hint\":");
		text_json(&text, hint, strlen(hint));
	}
	text_string(&text, "}");
	response = reply_of_text(&text, "application/json");
	reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	return response;
}

enum MHD_Result
reply_error(Request *request, int status, const char *hint, const char *format, ...)
{
	char message[ERROR_SIZE];
	va_list args;
	struct MHD_Response *response;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	response = response_of_error(message, hint);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		reply_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, OPTIONS");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		reply_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	return reply_response(request, status, response);
}

enum MHD_Result
reply_too_many(Request *request, bool keep, int seconds, const char *what)
{
	struct MHD_Response *response = response_of_error(what, NULL);

	reply_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "%d", seconds);
	if (!keep)
		reply_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return reply_response(request, MHD_HTTP_TOO_MANY_REQUESTS, response);
}

enum MHD_Result
reply_unknown_coin(Request *request, const char *what)
{
	char symbol[SYMBOL_SHOWN_MAX + 1];
	size_t len = request->symbol_len;

	if (!symbol_text_valid(request->symbol, len))
		return reply_error(request, MHD_HTTP_BAD_REQUEST, NULL,
						   "the symbol holds control characters or is not UTF-8");
	if (len > SYMBOL_SHOWN_MAX)
		len = SYMBOL_SHOWN_MAX;
	while (len > 0 && len < request->symbol_len && ((unsigned char) request->symbol[len] & 0xc0) == 0x80)
		len--;
	memcpy(symbol, request->symbol, len);
	symbol[len] = '\0';
	symbol_fold(symbol, len);
	return reply_error(request, MHD_HTTP_NOT_FOUND, NULL, "%s not available for %s", what, symbol);
}

/* Whether a list of tags, as If-None-Match has them, holds this one.  Tags that a proxy has weakened count, too. */
static bool
list_has(const char *list, const char *etag)
{
	size_t len = strlen(etag);

	while (*list != '\0')
	{
		list += strspn(list, " \t,");
		if (*list == '*')
			return true;
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		if (strncmp(list, etag, len) == 0)
			return true;
		if (*list == '"')
			list++;
		list += strcspn(list, "\"");
		if (*list == '"')
			list++;
		list += strcspn(list, ",");
	}
	return false;
}

bool
reply_not_modified(Request *request, const char *etag)
{
	const char *list = request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);

	return list != NULL && list_has(list, etag);
}

/*
 * Bodies that are kept.
 */

void
reply_max_age(struct MHD_Response *response, int32_t seconds)
{
	reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "public, max-age=%d, stale-while-revalidate=%d",
				 seconds, seconds);
	reply_header(response, MHD_HTTP_HEADER_VARY, "%s", MHD_HTTP_HEADER_ACCEPT_ENCODING);
}

static struct MHD_Response *
make_kept_response(const ReplyKept *kept)
{
	struct MHD_Response *response = reply_of_blob(kept->blob);

	reply_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	reply_header(response, MHD_HTTP_HEADER_ETAG, "%s", kept->etag);
	reply_max_age(response, kept->max_age);
	if (kept->packed)
		reply_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	return response;
}

enum MHD_Result
reply_kept(Request *request, ReplyKept *kept)
{
	bool same = reply_not_modified(request, kept->etag);
	int status = same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK;

	if (!reply_sharable(request))
		return reply_response(request, status, make_kept_response(kept));
	if (kept->response == NULL)
	{
		kept->response = make_kept_response(kept);
		reply_share(kept->response);
	}
	return reply_shared(request, status, kept->response, same ? 0 : kept->blob->len);
}

void
reply_kept_free(ReplyKept *kept)
{
	if (kept->response != NULL)
		MHD_destroy_response(kept->response);
	blob_drop(kept->blob);
	*kept = (ReplyKept){0};
}
