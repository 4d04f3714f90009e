/*
 * web.c
 *	  See web.h.
 *
 * Browsers may keep for ever what has a hash in its name; all else they ask for again, and mostly hear that it is the same.
 * The page may load nothing from elsewhere, and nobody may put it in a frame.
 */
#include "web.h"

#include <stdio.h>
#include <string.h>

#include "index.h"
#include "log.h"
#include "options.h"
#include "web_set.h"

#define HTML "text/html; charset=utf-8"
#define HASH_LEN 8
#define MAX_AGE 3600 /* seconds, of what has no hash in its name */

#define CONTENT_POLICY                                                                                       \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "    \
	"font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct
{
	const char *extension;
	const char *type;
} types[] = {
	{"html", HTML},
	{"js", "text/javascript; charset=utf-8"},
	{"mjs", "text/javascript; charset=utf-8"},
	{"css", "text/css; charset=utf-8"},
	{"svg", "image/svg+xml"},
	{"json", "application/json"},
	{"map", "application/json"},
	{"webmanifest", "application/manifest+json"},
	{"png", "image/png"},
	{"jpg", "image/jpeg"},
	{"jpeg", "image/jpeg"},
	{"gif", "image/gif"},
	{"webp", "image/webp"},
	{"ico", "image/x-icon"},
	{"woff2", "font/woff2"},
	{"woff", "font/woff"},
	{"wasm", "application/wasm"},
	{"txt", "text/plain; charset=utf-8"},
};

static WebSet held;

bool
web_load(char *err, size_t errsize)
{
	const char *folder = options()->web_dir;
	WebSet set = {0};
	char why[WEB_ERROR_SIZE / 2];

	if (folder == NULL)
	{
		if (held.count == 0)
			web_set_compiled(&held);
		return true;
	}
	if (!web_set_folder(&set, folder, why, sizeof(why)))
	{
		snprintf(err, errsize, "the folder %s cannot be served (--web-dir): %s", folder, why);
		return false;
	}
	web_set_free(&held);
	held = set;
	return true;
}

bool
web_there(void)
{
	return held.count > 0;
}

bool
web_has(const char *name)
{
	return web_set_find(&held, name) != NULL;
}

/*
 * Headers.
 */

static const char *
type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].extension, dot + 1) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* Whether a name has a hash of what is in the file: main-AB12CD34.js. */
static bool
has_hash(const char *name)
{
	for (const char *dash = strchr(name, '-'); dash != NULL; dash = strchr(dash + 1, '-'))
		if (strspn(dash + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == HASH_LEN && dash[1 + HASH_LEN] == '.')
			return true;
	return false;
}

/* What browsers shall not do with it. */
static void
add_restrictions(struct MHD_Response *response, bool html)
{
	reply_header(response, "X-Content-Type-Options", "nosniff");
	reply_header(response, "Referrer-Policy", "no-referrer");
	if (!html)
		return;
	reply_header(response, "Content-Security-Policy", "%s", CONTENT_POLICY);
	reply_header(response, "Cross-Origin-Opener-Policy", "same-origin");
}

static void
add_cache_control(struct MHD_Response *response, const char *name)
{
	if (strcmp(name, WEB_SET_INDEX) == 0)
		reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	else if (has_hash(name))
		reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "public, max-age=31536000, immutable");
	else
		reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "public, max-age=%d", MAX_AGE);
}

static struct MHD_Response *
make_response(const WebEntry *entry, const WebBody *body)
{
	struct MHD_Response *response =
		body->blob != NULL ? reply_of_blob(body->blob) : reply_of_constant(body->bytes, body->len);
	const char *type = type_of(entry->name);

	reply_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "%s", type);
	reply_header(response, MHD_HTTP_HEADER_ETAG, "%s", body->etag);
	add_cache_control(response, entry->name);
	if (entry->packed.bytes != NULL)
		reply_header(response, MHD_HTTP_HEADER_VARY, "%s", MHD_HTTP_HEADER_ACCEPT_ENCODING);
	if (body == &entry->packed)
		reply_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	add_restrictions(response, strcmp(type, HTML) == 0);
	return response;
}

/*
 * Replies.
 */

static enum MHD_Result
send_entry(Request *request, WebEntry *entry)
{
	WebBody *body = request->gzip && entry->packed.bytes != NULL ? &entry->packed : &entry->plain;
	bool same = reply_not_modified(request, body->etag);
	int status = same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK;

	if (!reply_sharable(request))
		return reply_response(request, status, make_response(entry, body));
	if (body->response == NULL)
	{
		body->response = make_response(entry, body);
		reply_share(body->response);
	}
	return reply_shared(request, status, body->response, same ? 0 : body->len);
}

enum MHD_Result
web_list(Request *request)
{
	Text text = {0};
	struct MHD_Response *response;

	index_write(&text, web_there());
	response = reply_of_text(&text, HTML);
	reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	add_restrictions(response, true);
	return reply_response(request, MHD_HTTP_OK, response);
}

enum MHD_Result
web_index(Request *request)
{
	WebEntry *entry = web_set_find(&held, WEB_SET_INDEX);

	return entry != NULL ? send_entry(request, entry) : web_list(request);
}

/* The route is found for names that there are only. */
enum MHD_Result
web_file(Request *request)
{
	return send_entry(request, web_set_find(&held, request->symbol));
}
