/*
 * fuzz_rest.c
 *	  Any text as a request to /rest/v1: what comes of it is an error, or SQL in which each name is the catalog's and nothing is the
 *	  request's: words of SQL that we use, names in quotes that the catalog has, a few literals, and parameters that there are.
 *
 * By lines: what kind of request it is, the query string, Accept, Prefer, Range, the function, and the body.
 */
#include "fuzz.h"

#include <ctype.h>
#include <string.h>

#include "rest_sql.h"
#include "../unit/rest_world.h"

#define LINES 7

static RestCatalog *world;

static const char *const words[] = {
	"AND",
	"ANY",
	"ALL",
	"AS",
	"ASC",
	"BY",
	"CASE",
	"CAST",
	"DESC",
	"DISTINCT",
	"ELSE",
	"END",
	"EXPLAIN",
	"FALSE",
	"FIRST",
	"FORMAT",
	"FROM",
	"ILIKE",
	"IS",
	"JSON",
	"LAST",
	"LATERAL",
	"LIKE",
	"LIMIT",
	"MATERIALIZED",
	"NOT",
	"NULL",
	"NULLS",
	"OFFSET",
	"OR",
	"ORDER",
	"SELECT",
	"THEN",
	"TRUE",
	"UNKNOWN",
	"VARIADIC",
	"WHEN",
	"WHERE",
	"WITH",
	"a",
	"bigint",
	"body",
	"c",
	"chr",
	"coalesce",
	"count",
	"int4",
	"int8",
	"j",
	"json",
	"json_agg",
	"json_strip_nulls",
	"json_to_record",
	"length",
	"n",
	"octet_length",
	"pg_catalog",
	"pgrst_scalar",
	"pgrst_source",
	"phraseto_tsquery",
	"plainto_tsquery",
	"q",
	"r",
	"regconfig",
	"replace",
	"string_agg",
	"substr",
	"t",
	"text",
	"to_json",
	"to_jsonb",
	"to_tsquery",
	"to_tsvector",
	"total",
	"websearch_to_tsquery",
};

static const char *const names[] = {
	"\"api\"",   "\"t\"",          "\"bare\"", "\"id\"",    "\"name\"",     "\"data\"",
	"\"ts\"",    "\"o\"\"d.d 😀\"", "\"add\"",  "\"rows\"",  "\"sum\"",      "\"echo\"",
	"\"twice\"", "\"nothing\"",    "\"a\"",    "\"b\"",     "\"min\"",      "\"v\"",
	"\"int4\"",  "\"int4[]\"",     "\"text\"", "\"jsonb\"", "\"tsvector\"", "\"float8\"",
};

static const char *const literals[] = {"'{'", "'}'", "'null'", "'[]'", "''"};

/* What this begins with, if it is one of these and nothing goes on behind it; 0: none. */
static size_t
match(const char *at, size_t len, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == len && strncmp(list[i], at, len) == 0)
			return len;
	return 0;
}

#define MATCH(at, len, list) match(at, len, list, sizeof(list) / sizeof((list)[0]))

/* To the end of quotes that are doubled within. */
static size_t
quoted_len(const char *at)
{
	size_t len = 1;

	for (; at[len] != '\0'; len++)
	{
		if (at[len] != at[0])
			continue;
		if (at[len + 1] != at[0])
			return len + 1;
		len++;
	}
	FUZZ_CHECK(!"quotes that do not end");
	return 0;
}

static size_t
check_token(const RestSqlStatement *statement, const char *at)
{
	size_t len;

	if (*at == '"')
		len = MATCH(at, quoted_len(at), names);
	else if (*at == '\'')
		len = MATCH(at, quoted_len(at), literals);
	else if (*at == '$')
	{
		char *end;
		long n = strtol(at + 1, &end, 10);

		FUZZ_CHECK(n >= 1 && n <= statement->count);
		len = (size_t) (end - at);
	}
	else if (isalpha((unsigned char) *at))
	{
		len = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
		len = MATCH(at, len, words);
	}
	else if (isdigit((unsigned char) *at))
	{
		/* substr(t::text, 2, …), chr(92), chr(10), ->0, and the largest body */
		static const char *const numbers[] = {"0", "2", "10", "92", "33554432"};

		len = MATCH(at, strspn(at, "0123456789"), numbers);
	}
	else
		len = strchr(" ().,:=<>@&|-~*", *at) != NULL ? 1 : 0;
	FUZZ_CHECK(len > 0);
	return len;
}

static void
check_statement(const RestSqlStatement *statement)
{
	const char *at = statement->text;

	while (at != NULL && *at != '\0')
	{
		/* no comments */
		FUZZ_CHECK(strncmp(at, "--", 2) != 0 && strncmp(at, "/*", 2) != 0);
		at += check_token(statement, at);
	}
	for (int i = 0; i < statement->count; i++)
		FUZZ_CHECK(statement->values[i] != NULL);
}

static void
check_error(const RestError *error)
{
	Text text = {0};

	FUZZ_CHECK(error->status >= 300 && error->status < 600 && error->code != NULL && error->message != NULL);
	rest_error_write(error, &text);
	text_free(&text);
}

static bool
make(char *const *lines, Arena *arena, RestSql *sql, RestError *error)
{
	char kind = lines[0][0];
	bool called = kind == 'c' || kind == 'p';
	RestQuery query;
	RestHeaders headers = {0};
	RestCall call;
	RestBody body = {.kind = REST_BODY_NONE, .bytes = lines[6], .len = strlen(lines[6])};
	RestSqlWish wish = {.catalog = world,
						.query = &query,
						.headers = &headers,
						.limit = kind == 'l' ? 5 : -1,
						.offset = kind == 'l' ? 5 : 0,
						.count_most = 10,
						.bare = kind == 'h'};

	rest_headers_prefer(&headers, lines[3], arena);
	rest_headers_range(&headers, lines[4]);
	if (kind == 'p')
		body.kind = (RestBodyKind) (1 + (unsigned char) lines[0][1] % 5);
	if (!rest_query_read(&query,
						 kind == 'p'   ? REST_QUERY_CALLED
						 : kind == 'c' ? REST_QUERY_CALL
									   : REST_QUERY_TABLE,
						 lines[1], arena, error) ||
		!rest_headers_accept(&headers, lines[2], false, arena, error))
		return false;
	if (!called)
		return rest_sql_read(sql, &wish, rest_catalog_relation(world, "api", kind == 'b' ? "bare" : "t"),
							 arena, error);
	return rest_call_choose(&call, world, "api", lines[5], &query, &body, arena, error) &&
		   rest_sql_call(sql, &wish, &call, arena, error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *rest = text;
	char *lines[LINES];
	Arena arena = {0};
	RestError error = {0};
	RestSql sql;

	if (world == NULL)
		world = rest_world();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (int i = 0; i < LINES; i++)
		lines[i] = rest != NULL ? strsep(&rest, "\n") : text + size;
	if (make(lines, &arena, &sql, &error))
	{
		check_statement(&sql.query);
		check_statement(&sql.plan);
	}
	else
		check_error(&error);
	arena_free(&arena);
	free(text);
	return 0;
}
