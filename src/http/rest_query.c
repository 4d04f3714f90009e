/*
 * rest_query.c
 *	  See rest_query.h.
 */
#include "rest_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rest_syntax.h"

bool
rest_query_is_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *) s;
	const unsigned char *end = p + len;

	while (p < end)
	{
		uint32_t c = *p;
		int more = c < 0x80                ? 0
				   : c >= 0xc2 && c < 0xe0 ? 1
				   : (c & 0xf0) == 0xe0    ? 2
				   : c >= 0xf0 && c < 0xf5 ? 3
										   : -1;

		if (more < 0 || c == 0 || end - p <= more)
			return false;
		c &= 0xffu >> (more > 0 ? more + 2 : 1);
		for (int i = 1; i <= more; i++)
		{
			if ((p[i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (p[i] & 0x3fu);
		}
		if ((more == 2 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
			(more == 3 && (c < 0x10000 || c > 0x10ffff)))
			return false;
		p += more + 1;
	}
	return true;
}

/*
 * Pairs.
 */

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A % without two digits stands for itself, as it does in PostgREST. */
static const char *
decode(Arena *arena, const char *text, size_t len, RestError *error)
{
	char *decoded = arena_get(arena, len + 1);
	char *to = decoded;

	for (size_t i = 0; i < len; i++)
	{
		char c = text[i];

		if (c == '+')
			c = ' ';
		else if (c == '%' && i + 2 < len && digit_of(text[i + 1]) >= 0 && digit_of(text[i + 2]) >= 0)
		{
			c = (char) (digit_of(text[i + 1]) * 16 + digit_of(text[i + 2]));
			i += 2;
		}
		*to++ = c;
	}
	if (rest_query_is_utf8(decoded, (size_t) (to - decoded)))
		return decoded;
	rest_fail(error, arena, 400, "PGRST100", "\"failed to parse the query string\" (line 1, column 1)");
	error->details = "it is not UTF-8, or holds a NUL";
	return NULL;
}

/* What follows the last dot of a name that is not quoted, or all of it. */
static const char *
last_word(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL ? dot + 1 : name;
}

/* Of a related table, which are not to be had here. */
static bool
fail_embedded(RestReader *reader, const char *name)
{
	const char *table = arena_copy(reader->arena, name, strcspn(name, "."));

	rest_fail(reader->error, reader->arena, 400, "PGRST108",
			  "'%s' is not an embedded resource in this request", table);
	reader->error->hint =
		arena_format(reader->arena, "Verify that '%s' is included in the 'select' query parameter.", table);
	return false;
}

/* What is no whole number is passed over, as in PostgREST; what is too large for one is as large as it may be. */
static bool
read_number(const char *text, int64_t *number)
{
	char *end;

	text += strspn(text, " ");
	if (strspn(text + (*text == '-'), "0123456789") == 0)
		return false;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return end[strspn(end, " ")] == '\0';
}

static bool
take_argument(RestReader *reader, const char *name, const char *value)
{
	RestQuery *query = reader->query;
	RestArgument *arguments = arena_more(reader->arena, (void *) query->arguments, &query->argument_count,
										 &query->argument_room, sizeof(RestArgument));

	arguments[query->argument_count - 1] = (RestArgument){name, value};
	query->arguments = arguments;
	return true;
}

static bool
take_filter(RestReader *reader, RestQueryKind kind, const char *name, const char *value)
{
	bool is_filter;

	if (!rest_syntax_filter(reader, name, value, &is_filter))
		return false;
	if (is_filter)
		return true;
	if (kind != REST_QUERY_CALL)
		return rest_syntax_no_operator(reader, value);
	name = rest_syntax_name(reader, name);
	return name != NULL && take_argument(reader, name, value);
}

/* One of the words that are no columns, behind the name of a related table perhaps. */
static bool
is_word(const char *name, const char *word)
{
	return strcmp(last_word(name), word) == 0;
}

static bool
take_pair(RestReader *reader, RestQueryKind kind, const char *name, const char *value)
{
	RestQuery *query = reader->query;
	int64_t number;

	if (strcmp(name, "select") == 0)
		return query->select != NULL || rest_syntax_select(reader, value);
	if (strcmp(name, "columns") == 0 || strcmp(name, "on_conflict") == 0)
		return true; /* for writes */
	if (is_word(name, "and") || is_word(name, "or"))
		return rest_syntax_logic(reader, name, value);
	if (!is_word(name, "order") && !is_word(name, "limit") && !is_word(name, "offset"))
		return take_filter(reader, kind, name, value);
	if (strchr(name, '.') != NULL)
		return fail_embedded(reader, name);
	if (strcmp(name, "order") == 0)
		return query->order_count > 0 || rest_syntax_order(reader, value);
	if (!read_number(value, &number))
		return true;
	if (strcmp(name, "offset") == 0)
		query->offset = number < 0 ? 0 : number;
	else
	{
		query->negative = number < 0;
		query->limit = number < 0 ? -1 : number;
	}
	return true;
}

/* Cut the next name=value off; false: there is none, or it is not fit, and then there is an error. */
static bool
next_pair(const char **text, const char *end, Arena *arena, const char **name, const char **value,
		  RestError *error)
{
	while (*text < end)
	{
		const char *pair = *text;
		const char *stop = memchr(pair, '&', (size_t) (end - pair));
		const char *equals;

		if (stop == NULL)
			stop = end;
		*text = stop < end ? stop + 1 : end;
		equals = memchr(pair, '=', (size_t) (stop - pair));
		if (equals == NULL)
			continue; /* a name alone says nothing */
		*name = decode(arena, pair, (size_t) (equals - pair), error);
		*value = *name != NULL ? decode(arena, equals + 1, (size_t) (stop - equals) - 1, error) : NULL;
		return *value != NULL;
	}
	return false;
}

static bool
fail_pairs(RestError *error, Arena *arena)
{
	rest_fail(error, arena, 400, "PGRST100", "\"failed to parse the query string\" (line 1, column 1)");
	error->details = arena_format(arena, "it has more than %d parameters", REST_QUERY_PAIRS_MAX);
	return false;
}

bool
rest_query_read(RestQuery *query, RestQueryKind kind, const char *text, Arena *arena, RestError *error)
{
	static const RestSelect all[] = {{.all = true}};
	RestReader reader = {.query = query, .arena = arena, .error = error};
	const char *end = text != NULL ? text + strlen(text) : NULL;
	const char *name;
	const char *value;
	int pairs = 0;

	*query = (RestQuery){.limit = -1};
	*error = (RestError){0};
	while (next_pair(&text, end, arena, &name, &value, error))
	{
		if (++pairs > REST_QUERY_PAIRS_MAX)
			return fail_pairs(error, arena);
		if (!take_pair(&reader, kind, name, value))
			return false;
	}
	if (query->select == NULL)
	{
		query->select = all;
		query->select_count = 1;
	}
	return error->status == 0;
}

bool
rest_query_form(const char *text, size_t len, RestQuery *query, Arena *arena, RestError *error)
{
	RestReader reader = {.query = query, .arena = arena, .error = error};
	const char *end = text + len;
	const char *name;
	const char *value;

	while (next_pair(&text, end, arena, &name, &value, error))
	{
		if (query->argument_count >= REST_QUERY_PAIRS_MAX)
			return fail_pairs(error, arena);
		take_argument(&reader, name, value);
	}
	return error->status == 0;
}
