/*
 * rest_headers.c
 *	  See rest_headers.h.
 */
#include "rest_headers.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STRIPPED "nulls=stripped"

/* A piece of a list, without blanks around it; moves on.  false: the list is over. */
static bool
next_piece(const char **list, char separator, const char **piece, size_t *len)
{
	const char *begin = *list;
	const char *end;
	bool quoted = false;

	if (*begin == '\0')
		return false;
	for (end = begin; *end != '\0' && (quoted || *end != separator); end++)
		quoted ^= *end == '"';
	*list = *end != '\0' ? end + 1 : end;
	while (begin < end && isspace((unsigned char) *begin))
		begin++;
	while (end > begin && isspace((unsigned char) end[-1]))
		end--;
	*piece = begin;
	*len = (size_t) (end - begin);
	return true;
}

/*
 * Accept.
 */

static const struct
{
	const char *name;
	RestMedia media;
	bool strips; /* takes nulls=stripped */
	bool root;   /* also, or only, for the description of it all */
	bool rows;
} media_types[] = {
	{"application/json", REST_MEDIA_ARRAY, false, true, true},
	{"*/*", REST_MEDIA_ARRAY, false, true, true},
	{"application/*", REST_MEDIA_ARRAY, false, true, true},
	{"application/vnd.pgrst.object+json", REST_MEDIA_OBJECT, true, false, true},
	{"application/vnd.pgrst.object", REST_MEDIA_OBJECT, true, false, true},
	{"application/vnd.pgrst.array+json", REST_MEDIA_ARRAY, true, false, true},
	{"application/vnd.pgrst.array", REST_MEDIA_ARRAY, true, false, true},
	{"text/csv", REST_MEDIA_CSV, false, false, true},
	{"text/*", REST_MEDIA_CSV, false, false, true},
	{"application/openapi+json", REST_MEDIA_OPENAPI, false, true, false},
};

/* Read one type and its parameters; false: we do not have it. */
static bool
read_media(const char *text, size_t len, bool root, RestHeaders *headers, double *quality)
{
	const char *list = strndup(text, len);
	const char *rest = memory_check((void *) list);
	const char *piece;
	size_t size;
	bool stripped = false;
	bool found = false;

	*quality = 1;
	if (!next_piece(&rest, ';', &piece, &size))
	{
		free((void *) list);
		return false;
	}
	for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]) && !found; i++)
		if (strlen(media_types[i].name) == size && strncasecmp(media_types[i].name, piece, size) == 0 &&
			(root ? media_types[i].root : media_types[i].rows))
		{
			headers->media = root ? REST_MEDIA_OPENAPI : media_types[i].media;
			stripped = media_types[i].strips;
			found = true;
		}
	headers->without_nulls = false;
	while (next_piece(&rest, ';', &piece, &size))
		if (size > 2 && strncasecmp(piece, "q=", 2) == 0)
			*quality = strtod(piece + 2, NULL);
		else if (stripped && size == strlen(STRIPPED) && strncasecmp(piece, STRIPPED, size) == 0)
			headers->without_nulls = true;
	free((void *) list);
	return found;
}

bool
rest_headers_accept(RestHeaders *headers, const char *accept, bool root, Arena *arena, RestError *error)
{
	const char *list = accept != NULL && accept[strspn(accept, " \t")] != '\0' ? accept : "*/*";
	const char *all = list;
	const char *piece;
	size_t len;
	double best = 0;
	bool found = false;

	while (next_piece(&list, ',', &piece, &len))
	{
		RestHeaders one = *headers;
		double quality;

		if (!read_media(piece, len, root, &one, &quality) || quality <= best)
			continue;
		*headers = one;
		best = quality;
		found = true;
	}
	return found ||
		   rest_fail(error, arena, 406, "PGRST107", "None of these media types are available: %s", all);
}

const char *
rest_headers_content_type(const RestHeaders *headers)
{
	switch (headers->media)
	{
		case REST_MEDIA_OBJECT:
			return headers->without_nulls ? "application/vnd.pgrst.object+json;" STRIPPED "; charset=utf-8"
										  : "application/vnd.pgrst.object+json; charset=utf-8";
		case REST_MEDIA_CSV:
			return "text/csv; charset=utf-8";
		case REST_MEDIA_OPENAPI:
			return "application/openapi+json; charset=utf-8";
		default:
			return headers->without_nulls ? "application/vnd.pgrst.array+json;" STRIPPED "; charset=utf-8"
										  : "application/json; charset=utf-8";
	}
}

/*
 * Prefer.  Of two values for one preference the first counts.
 */

/* Those that are known, but have nothing to say of what is only read. */
static const char *const of_writes[] = {
	"resolution=merge-duplicates",
	"resolution=ignore-duplicates",
	"return=representation",
	"return=minimal",
	"return=headers-only",
	"tx=commit",
	"tx=rollback",
	"missing=default",
	"missing=null",
};

static bool
is(const char *piece, size_t len, const char *text)
{
	return strlen(text) == len && strncmp(piece, text, len) == 0;
}

static void
add_unknown(RestHeaders *headers, Arena *arena, const char *piece, size_t len)
{
	headers->unknown = arena_format(arena, "%s%s%.*s", headers->unknown != NULL ? headers->unknown : "",
									headers->unknown != NULL ? ", " : "", (int) len, piece);
}

static bool
read_count(RestHeaders *headers, const char *piece, size_t len)
{
	RestCount count = is(piece, len, "count=exact")       ? REST_COUNT_EXACT
					  : is(piece, len, "count=planned")   ? REST_COUNT_PLANNED
					  : is(piece, len, "count=estimated") ? REST_COUNT_ESTIMATED
														  : REST_COUNT_NONE;

	if (headers->count == REST_COUNT_NONE)
		headers->count = count;
	return count != REST_COUNT_NONE;
}

static bool
read_handling(RestHeaders *headers, const char *piece, size_t len)
{
	bool strict = is(piece, len, "handling=strict");

	if (!strict && !is(piece, len, "handling=lenient"))
		return false;
	if (!headers->strict && !headers->lenient)
	{
		headers->strict = strict;
		headers->lenient = !strict;
	}
	return true;
}

static bool
read_max_affected(RestHeaders *headers, const char *piece, size_t len)
{
	static const char name[] = "max-affected=";
	char *end;
	int64_t most;

	if (len < sizeof(name) - 1 || strncmp(piece, name, sizeof(name) - 1) != 0)
		return false;
	errno = 0;
	most = strtoll(piece + sizeof(name) - 1, &end, 10);
	if (end == piece + len && end > piece + sizeof(name) - 1 && errno == 0 && !headers->has_max_affected)
	{
		headers->has_max_affected = true;
		headers->max_affected = most;
	}
	return true;
}

static bool
read_timezone(RestHeaders *headers, const char *piece, size_t len, Arena *arena)
{
	static const char name[] = "timezone=";

	if (len < sizeof(name) - 1 || strncmp(piece, name, sizeof(name) - 1) != 0)
		return false;
	if (headers->timezone == NULL)
		headers->timezone = arena_copy(arena, piece + sizeof(name) - 1, len - (sizeof(name) - 1));
	return true;
}

static bool
is_of_writes(const char *piece, size_t len)
{
	for (size_t i = 0; i < sizeof(of_writes) / sizeof(of_writes[0]); i++)
		if (is(piece, len, of_writes[i]))
			return true;
	return false;
}

void
rest_headers_prefer(RestHeaders *headers, const char *prefer, Arena *arena)
{
	const char *piece;
	size_t len;

	while (prefer != NULL && next_piece(&prefer, ',', &piece, &len))
		if (len > 0 && !read_count(headers, piece, len) && !read_handling(headers, piece, len) &&
			!read_max_affected(headers, piece, len) && !read_timezone(headers, piece, len, arena) &&
			!is_of_writes(piece, len))
			add_unknown(headers, arena, piece, len);
}

void
rest_headers_refuse_timezone(RestHeaders *headers, Arena *arena)
{
	const char *text = arena_format(arena, "timezone=%s", headers->timezone);

	add_unknown(headers, arena, text, strlen(text));
	headers->timezone = NULL;
}

/*
 * Range: 0-9 or 10-, perhaps with the unit before it.  Anything else is passed over, as in PostgREST.
 */
void
rest_headers_range(RestHeaders *headers, const char *range)
{
	char *end;
	int64_t first;
	int64_t last = -1;

	headers->first = 0;
	headers->last = -1;
	headers->reversed = false;
	if (range == NULL)
		return;
	if (strncasecmp(range, "items=", 6) == 0)
		range += 6;
	errno = 0;
	if (!isdigit((unsigned char) *range))
		return;
	first = strtoll(range, &end, 10);
	if (*end++ != '-')
		return;
	if (isdigit((unsigned char) *end))
		last = strtoll(end, &end, 10);
	if (*end != '\0' || errno != 0)
		return;
	headers->first = first;
	headers->last = last;
	headers->reversed = last >= 0 && last < first;
}
