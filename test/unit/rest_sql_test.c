/*
 * rest_sql_test.c
 *	  What becomes of query strings: SQL and its parameters, or an error as PostgREST has it.
 */
#include "unit.h"

#include "rest_sql.h"
#include "rest_world.h"
#include "text.h"

static RestCatalog *world;

/* Parameters, by |. */
static void
join_values(const RestSqlStatement *statement, Text *text)
{
	text_string(text, "");
	for (int i = 0; i < statement->count; i++)
		text_format(text, "%s%s", i > 0 ? "|" : "", statement->values[i]);
}

static bool
make_read(const char *query_string, const RestHeaders *headers, Arena *arena, RestSql *sql, RestError *error)
{
	RestQuery query;
	RestSqlWish wish = {.catalog = world, .query = &query, .headers = headers, .limit = -1, .count_most = 10};

	return rest_query_read(&query, REST_QUERY_TABLE, query_string, arena, error) &&
		   rest_sql_read(sql, &wish, rest_catalog_relation(world, "api", "t"), arena, error);
}

/* What stands in `FROM (SELECT …) t` of the query. */
static void
reads(void **state)
{
	static const struct
	{
		const char *query;
		const char *rows;
		const char *values;
	} rows[] = {
		{NULL, "r.* FROM \"api\".\"t\" AS r", ""},
		{"select=*", "r.* FROM \"api\".\"t\" AS r", ""},
		{"select=", " FROM \"api\".\"t\" AS r", ""},
		{"select=id,name::text", "r.\"id\" AS \"id\", CAST(r.\"name\" AS \"text\") AS \"name\" FROM", ""},
		{"select=name::double+precision", "CAST(r.\"name\" AS \"float8\") AS \"name\" FROM", ""},
		{"select=%22o%5C%22d.d+%F0%9F%98%80%22", "r.\"o\"\"d.d 😀\" AS \"o\"\"d.d 😀\" FROM", ""},
		{"select=n:id", "('{' || $1::text || coalesce(pg_catalog.to_json(r.\"id\")::text, 'null') || '}')",
		 "\"n\":"},
		{"select=id,data->a->>0",
		 "r.\"id\")::text, 'null') || $2::text || coalesce(pg_catalog.to_json((r.\"data\" -> "
		 "$3::pg_catalog.text ->> "
		 "$4::pg_catalog.int4))",
		 "\"id\":|,\"a\":|a|0"},
		{"select=%22a'%5C%22%22:name->x", "(pg_catalog.to_jsonb(r.\"name\") -> $2::pg_catalog.text)", NULL},
		{"id=eq.5", "WHERE r.\"id\" = $1", "5"},
		{"id=not.eq.5", "WHERE NOT (r.\"id\" = $1)", "5"},
		{"id=eq.1;drop table t--'", "WHERE r.\"id\" = $1", "1;drop table t--'"},
		{"id=neq.1&id=gt.2&id=gte.3&id=lt.4&id=lte.5",
		 "r.\"id\" <> $1 AND r.\"id\" > $2 AND r.\"id\" >= $3 AND r.\"id\" < $4 AND r.\"id\" <= $5",
		 "1|2|3|4|5"},
		{"name=like.*a%25b*", "r.\"name\" LIKE $1", "%a%b%"},
		{"name=ilike(any).{a*,b}", "r.\"name\" ILIKE ANY ($1)", "{a%,b}"},
		{"name=match(all).{a*}", "r.\"name\" ~ ALL ($1)", "{a*}"},
		{"name=imatch.x", "r.\"name\" ~* $1", "x"},
		{"name=cs.{a}&name=cd.{b}&name=ov.{c}", "@> $1 AND r.\"name\" <@ $2 AND r.\"name\" && $3",
		 "{a}|{b}|{c}"},
		{"id=sl.a&id=sr.b&id=nxr.c&id=nxl.d&id=adj.e",
		 "<< $1 AND r.\"id\" >> $2 AND r.\"id\" &< $3 AND r.\"id\" &> $4 AND r.\"id\" -|- $5", "a|b|c|d|e"},
		{"id=isdistinct.7", "r.\"id\" IS DISTINCT FROM $1", "7"},
		{"id=is.null&id=is.NOT_NULL&id=not.is.true&id=is.False&id=is.unknown",
		 "r.\"id\" IS NULL AND r.\"id\" IS NOT NULL AND NOT (r.\"id\" IS TRUE) AND r.\"id\" IS FALSE AND "
		 "r.\"id\" IS "
		 "UNKNOWN",
		 ""},
		{"id=in.(1,2)", "r.\"id\" = ANY ($1)", "{\"1\",\"2\"}"},
		{"name=in.(%22a,b%22,c%5C%22,%22d%5C%22e%5C%5C%22)", "= ANY ($1)",
		 "{\"a,b\",\"c\\\\\\\"\",\"d\\\"e\\\\\"}"},
		{"id=in.()", "= ANY ($1)", "{}"},
		{"id=in.(%22%22,)", "= ANY ($1)", "{\"\",\"\"}"},
		{"ts=fts.cat", "r.\"ts\" @@ pg_catalog.to_tsquery($1)", "cat"},
		{"ts=plfts(german).cat", "r.\"ts\" @@ pg_catalog.plainto_tsquery($1::pg_catalog.regconfig, $2)",
		 "german|cat"},
		{"name=phfts(german).cat",
		 "pg_catalog.to_tsvector($1::pg_catalog.regconfig, r.\"name\") @@ "
		 "pg_catalog.phraseto_tsquery($2::pg_catalog.regconfig, $3)",
		 "german|german|cat"},
		{"name=wfts.cat", "pg_catalog.to_tsvector(r.\"name\") @@ pg_catalog.websearch_to_tsquery($1)", "cat"},
		{"data->>k=eq.v", "(r.\"data\" ->> $1::pg_catalog.text) = $2", "k|v"},
		{"data->0abc=eq.v", "(r.\"data\" -> $1::pg_catalog.text) = $2", "0abc|v"},
		{"data->-1=eq.v", "(r.\"data\" -> $1::pg_catalog.int4) = $2", "-1|v"},
		{"data->%22a.b-%3Ec%22=eq.v", "(r.\"data\" -> $1::pg_catalog.text) = $2", "a.b->c|v"},
		{"or=(id.eq.1,name.eq.%22a,)b%22)", "WHERE (r.\"id\" = $1 OR r.\"name\" = $2)", "1|a,)b"},
		{"not.or=(id.eq.1,id.in.(2,3),and(id.is.null,not.and(id.gt.5,id.lt.9)))",
		 "WHERE NOT (r.\"id\" = $1 OR r.\"id\" = ANY ($2) OR (r.\"id\" IS NULL AND NOT (r.\"id\" > $3 AND "
		 "r.\"id\" < "
		 "$4)))",
		 "1|{\"2\",\"3\"}|5|9"},
		{"and=(name.cs.{a,b},name.not.eq.x)", "(r.\"name\" @> $1 AND NOT (r.\"name\" = $2))", "{a,b}|x"},
		{"or=(+id.eq.1+,+name.eq.b+)", "(r.\"id\" = $1 OR r.\"name\" = $2)", "1 |b "},
		{"order=id,name.desc,data->x.asc.nullsfirst,id.nullslast",
		 "ORDER BY r.\"id\", r.\"name\" DESC, (r.\"data\" -> $1::pg_catalog.text) ASC NULLS FIRST, r.\"id\" "
		 "NULLS LAST",
		 "x"},
		{"columns=x&on_conflict=y&id&&=eq.1&id=eq.2", NULL, NULL},
		{"columns=x&on_conflict=y&name&&id=eq.2", "WHERE r.\"id\" = $1", "2"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		const char *label = rows[i].query != NULL ? rows[i].query : "nothing";
		Arena arena = {0};
		RestHeaders headers = {.last = -1};
		RestError error = {0};
		RestSql sql;
		Text values = {0};
		bool fine = make_read(rows[i].query, &headers, &arena, &sql, &error);

		UNIT_CHECK(fine == (rows[i].rows != NULL), label);
		if (fine)
		{
			join_values(&sql.query, &values);
			if (strstr(sql.query.text, rows[i].rows) == NULL)
				fail_msg("%s: %s is not in %s", label, rows[i].rows, sql.query.text);
			if (rows[i].values != NULL)
				UNIT_CHECK_TEXT(values.bytes, rows[i].values, label);
		}
		text_free(&values);
		arena_free(&arena);
	}
}

static void
says_what_is_wrong(void **state)
{
	static const struct
	{
		const char *query;
		const char *code;
		const char *message;
		const char *more; /* in details or hint */
	} rows[] = {
		{"id=5", "PGRST100", "\"failed to parse filter (5)\" (line 1, column 1)",
		 "unexpected \"5\" expecting \"not\" or operator (eq, gt, ...)"},
		{"id=noop.5", "PGRST100", "\"failed to parse filter (noop.5)\" (line 1, column 1)",
		 "unexpected \"n\""},
		{"id=", "PGRST100", "\"failed to parse filter ()\" (line 1, column 1)", "unexpected end of input"},
		{"id=eq().5", "PGRST100", NULL, NULL},
		{"id=fts().5", "PGRST100", NULL, NULL},
		{"id=in(any).5", "PGRST100", NULL, NULL},
		{"id=not.not.eq.5", "PGRST100", NULL, "operator (eq, gt, ...)"},
		{"id=is.nope", "PGRST100", "\"failed to parse filter (is.nope)\" (line 1, column 4)",
		 "isVal: (null, not_null, true, false, unknown)"},
		{"id=is.nullx", "PGRST100", NULL, "end of input"},
		{"id=in.1,2", "PGRST100", "\"failed to parse filter (in.1,2)\" (line 1, column 4)",
		 "expecting \"(\""},
		{"id=in.(1,2", "PGRST100", NULL, "unexpected end of input"},
		{"id=in.(1)x", "PGRST100", NULL, "unexpected \"x\""},
		{"i(d=eq.1", "PGRST100", "\"failed to parse tree path (i(d)\" (line 1, column 2)", NULL},
		{"%22id=eq.1", "PGRST100", NULL, NULL},
		{"select=id,", "PGRST100", "\"failed to parse select parameter (id,)\" (line 1, column 4)",
		 "field name (* or [a..z0..9_$])"},
		{"select=id::", "PGRST100", NULL, "letter or digit"},
		{"select=id[", "PGRST100", NULL, "unexpected \"[\""},
		{"select=data->>--3", "PGRST100", NULL, NULL},
		{"select=ä[", "PGRST100", "\"failed to parse select parameter (ä[)\" (line 1, column 2)", NULL},
		{"order=id.ac", "PGRST100", "\"failed to parse order (id.ac)\" (line 1, column 4)",
		 "\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""},
		{"order=id.asc.nope", "PGRST100", NULL, "\"nullsfirst\" or \"nullslast\""},
		{"order=id.descc", "PGRST100", "\"failed to parse order (id.descc)\" (line 1, column 8)",
		 "delimiter (.), \",\" or end of input"},
		{"order=id.nullslast.desc", "PGRST100", NULL, "\",\" or end of input"},
		{"or=()", "PGRST100", "\"failed to parse logic tree (())\" (line 1, column 4)",
		 "negation operator (not) or logic operator (and, or)"},
		{"or=(id.eq.1", "PGRST100", NULL, "\",\" or \")\""},
		{"or=(id.eq.1)x", "PGRST100", NULL, "end of input"},
		{"or=(id.1)", "PGRST100", NULL, "operator"},
		{"or=id.eq.1", "42703", "column t.orid does not exist", NULL}, /* as PostgREST reads it */
		{"select=%ff", "PGRST100", NULL, "UTF-8"},
		{"id=eq.a%00b", "PGRST100", NULL, "UTF-8"},
		{"select=rel(*)", "PGRST200",
		 "Could not find a relationship between 't' and 'rel' in the schema cache",
		 "Searched for a foreign key relationship between 't' and 'rel' in the schema 'api'"},
		{"select=id,x:rel!inner(a,b(c)),name", "PGRST200", NULL, NULL},
		{"select=...rel(*)", "PGRST200", NULL, NULL},
		{"select=id.sum()", "PGRST123", "Use of aggregate functions is not allowed", NULL},
		{"select=n:count()", "PGRST123", NULL, NULL},
		{"rel.id=eq.1", "PGRST108", "'rel' is not an embedded resource in this request",
		 "Verify that 'rel' is included in the 'select' query parameter."},
		{"rel.order=id", "PGRST108", NULL, NULL},
		{"rel.or=(id.eq.1)", "PGRST108", NULL, NULL},
		{"order=rel(id)", "PGRST108", NULL, NULL},
		{"idd=eq.1", "42703", "column t.idd does not exist", "\"t.id\""},
		{"select=*,zzzzz", "42703", "column t.zzzzz does not exist", NULL},
		{"order=nam", "42703", NULL, "\"t.name\""},
		{"or=(id.eq.1,nope->x.eq.2)", "42703", NULL, NULL},
		{"select=id::nope", "42704", "type \"nope\" does not exist", NULL},
		{"or=(or(or(or(or(or(or(or(or(or(or(or(or(or(or(or(or(id.eq.1)))))))))))))))))", "PGRST100", NULL,
		 "levels"},
		{"select=data->a->a->a->a->a->a->a->a->a->a->a->a->a->a->a->a->a", "PGRST100", NULL,
		 "steps into JSON"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		const char *label = rows[i].query;
		Arena arena = {0};
		RestHeaders headers = {.last = -1};
		RestError error = {0};
		RestSql sql;
		char both[1000];

		UNIT_CHECK(!make_read(rows[i].query, &headers, &arena, &sql, &error), label);
		UNIT_CHECK_TEXT(error.code, rows[i].code, label);
		if (rows[i].message != NULL)
			UNIT_CHECK_TEXT(error.message, rows[i].message, label);
		snprintf(both, sizeof(both), "%s %s", error.details != NULL ? error.details : "",
				 error.hint != NULL ? error.hint : "");
		if (rows[i].more != NULL && strstr(both, rows[i].more) == NULL)
			fail_msg("%s: %s is not in %s", label, rows[i].more, both);
		arena_free(&arena);
	}
}

/* Numbers are bounded, so that a short text does not become a long one. */
static void
bounds_numbers(void **state)
{
	static const char *const pieces[] = {"id=eq.1&", "x=1&"};
	Arena arena = {0};
	RestHeaders headers = {.last = -1};
	RestError error;
	RestSql sql;
	Text text = {0};

	(void) state;
	for (size_t p = 0; p < UNIT_COUNT(pieces); p++)
	{
		for (int i = 0; i < REST_QUERY_PAIRS_MAX + 1; i++)
			text_string(&text, pieces[p]);
		assert_false(make_read(text.bytes, &headers, &arena, &sql, &error));
		assert_string_equal(error.code, "PGRST100");
		text_free(&text);
	}
	text_string(&text, "select=id");
	for (int i = 0; i < REST_QUERY_ITEMS_MAX; i++)
		text_string(&text, ",id");
	assert_false(make_read(text.bytes, &headers, &arena, &sql, &error));
	text_free(&text);
	arena_free(&arena);
}

/* Bodies, totals and limits are of the shape that the headers ask for. */
static void
shapes(void **state)
{
	static const struct
	{
		RestHeaders headers;
		const char *query;
		bool bare;
		const char *in;
		const char *not_in;
		const char *plan;
		const char *csv;
	} rows[] = {
		{{.last = -1}, "", false, "SELECT NULL::pg_catalog.int8 AS total", "->0", NULL, NULL},
		{{.last = -1}, "", true, "NULL::text AS body", "json_agg", NULL, NULL},
		{{.last = -1, .media = REST_MEDIA_OBJECT},
		 "",
		 false,
		 "coalesce((pg_catalog.json_agg(t)->0)::text, 'null')",
		 NULL,
		 NULL,
		 NULL},
		{{.last = -1, .without_nulls = true},
		 "",
		 false,
		 "pg_catalog.json_strip_nulls(pg_catalog.json_agg(t))",
		 NULL,
		 NULL,
		 NULL},
		{{.last = -1, .media = REST_MEDIA_CSV},
		 "select=n:id,a%22:name",
		 false,
		 "string_agg",
		 "json",
		 NULL,
		 NULL},
		{{.last = -1, .media = REST_MEDIA_CSV},
		 "select=n:id,%22a,b%22:name",
		 false,
		 "SELECT r.\"id\" AS \"id\", r.\"name\"",
		 "json",
		 NULL,
		 "n,\"a,b\""},
		{{.last = -1, .media = REST_MEDIA_CSV},
		 "",
		 false,
		 "r.\"o\"\"d.d 😀\"",
		 NULL,
		 NULL,
		 "id,name,data,ts,\"o\"\"d.d 😀\""},
		{{.last = -1, .count = REST_COUNT_EXACT},
		 "id=gt.1",
		 false,
		 "(SELECT pg_catalog.count(*) FROM (SELECT FROM \"api\".\"t\" AS r WHERE r.\"id\" > $1) c)",
		 NULL,
		 NULL,
		 NULL},
		{{.last = -1, .count = REST_COUNT_PLANNED},
		 "id=gt.1",
		 false,
		 "NULL::pg_catalog.int8 AS total",
		 NULL,
		 "EXPLAIN (FORMAT JSON) SELECT FROM \"api\".\"t\" AS r WHERE r.\"id\" > $1",
		 NULL},
		{{.last = -1, .count = REST_COUNT_ESTIMATED},
		 "id=gt.1",
		 false,
		 "WHERE r.\"id\" > $1 LIMIT $2) c)",
		 NULL,
		 "EXPLAIN (FORMAT JSON) SELECT FROM \"api\".\"t\" AS r WHERE r.\"id\" > $1",
		 NULL},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char label[24];
		Arena arena = {0};
		RestError error = {0};
		RestQuery query;
		RestSql sql;
		RestSqlWish wish = {.catalog = world,
							.query = &query,
							.headers = &rows[i].headers,
							.limit = 7,
							.offset = 3,
							.count_most = 10,
							.bare = rows[i].bare};

		snprintf(label, sizeof(label), "row %zu", i);
		if (i == 4)
		{
			/* a quote ends no name that began without one */
			UNIT_CHECK(!rest_query_read(&query, REST_QUERY_TABLE, rows[i].query, &arena, &error), label);
			arena_free(&arena);
			continue;
		}
		UNIT_CHECK(rest_query_read(&query, REST_QUERY_TABLE, rows[i].query, &arena, &error), label);
		UNIT_CHECK(rest_sql_read(&sql, &wish, rest_catalog_relation(world, "api", "t"), &arena, &error),
				   label);
		if (strstr(sql.query.text, rows[i].in) == NULL)
			fail_msg("%s: %s is not in %s", label, rows[i].in, sql.query.text);
		UNIT_CHECK(rows[i].not_in == NULL || strstr(sql.query.text, rows[i].not_in) == NULL, label);
		UNIT_CHECK(strstr(sql.query.text, " LIMIT $") != NULL && strstr(sql.query.text, " OFFSET $") != NULL,
				   label);
		UNIT_CHECK((sql.plan.text != NULL) == (rows[i].plan != NULL), label);
		if (rows[i].plan != NULL)
			UNIT_CHECK_TEXT(sql.plan.text, rows[i].plan, label);
		UNIT_CHECK((sql.csv_head != NULL) == (rows[i].headers.media == REST_MEDIA_CSV), label);
		if (rows[i].csv != NULL)
			UNIT_CHECK_TEXT(sql.csv_head, rows[i].csv, label);
		arena_free(&arena);
	}
}

static void
calls(void **state)
{
	static const struct
	{
		const char *name;
		const char *query;
		RestBodyKind kind;
		const char *body;
		const char *in;   /* SQL; NULL: it is an error */
		const char *rest; /* parameters, or the error's code */
	} rows[] = {
		{"add", "a=1&b=2", REST_BODY_NONE, "",
		 "\"api\".\"add\"(\"a\" => $1::\"int4\", \"b\" => $2::\"int4\") AS pgrst_scalar", "1|2"},
		{"add", "a=1", REST_BODY_NONE, "", "(\"a\" => $1::\"int4\")", "1"},
		{"add", "b=1", REST_BODY_NONE, "", NULL, "PGRST202"},
		{"add", "a=1&c=1", REST_BODY_NONE, "", NULL, "PGRST202"},
		{"add", "a=1&a=2", REST_BODY_NONE, "", "(\"a\" => $1::\"int4\")", "2"},
		{"add", "", REST_BODY_JSON, "{\"a\":1}",
		 "\"api\".\"add\"(\"a\" => a.\"a\") AS pgrst_scalar FROM "
		 "pg_catalog.json_to_record($1::pg_catalog.json) AS a(\"a\" \"int4\")",
		 "{\"a\":1}"},
		{"add", "", REST_BODY_JSON, "{\"a\":1,\"x\":2}", NULL, "PGRST202"},
		{"add", "", REST_BODY_JSON, "{\"a\":1", NULL, "PGRST102"},
		{"add", "", REST_BODY_JSON, "{\"a\":1} x", NULL, "PGRST102"},
		{"add", "", REST_BODY_FORM, "a=3&b=4", "\"a\" => $1::\"int4\", \"b\" => $2::\"int4\"", "3|4"},
		{"sum", "v=1&v=2", REST_BODY_NONE, "", "VARIADIC \"v\" => $1::\"int4[]\"", "{\"1\",\"2\"}"},
		{"echo", "", REST_BODY_JSON, "[1,2]", "\"api\".\"echo\"($1::json)", "[1,2]"},
		{"echo", "", REST_BODY_TEXT, "x", NULL, "PGRST202"},
		{"rows", "min=1&id=eq.5", REST_BODY_NONE, "",
		 "WITH pgrst_source AS (SELECT c.* FROM \"api\".\"rows\"(\"min\" => $1::\"int4\") AS c)", "1|5"},
		{"rows", "id=eq.5&order=id.desc", REST_BODY_NONE, "",
		 "FROM pgrst_source AS r WHERE r.\"id\" = $1 ORDER BY r.\"id\" DESC", "5"},
		{"rows", "nope=eq.5", REST_BODY_NONE, "", NULL, "42703"},
		{"nothing", "", REST_BODY_NONE, "", "AS MATERIALIZED (SELECT \"api\".\"nothing\"() AS pgrst_scalar)",
		 ""},
		{"twice", "a=1", REST_BODY_NONE, "", NULL, "PGRST203"},
		{"change", "", REST_BODY_NONE, "", NULL, "PGRST202"},
		{"nope", "", REST_BODY_NONE, "", NULL, "PGRST202"},
		{"add", "a=in.x", REST_BODY_NONE, "", NULL, "PGRST100"},
		{"add", "a=1", REST_BODY_JSON, "{}", NULL, "PGRST100"},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		char label[64];
		Arena arena = {0};
		RestError error = {0};
		RestHeaders headers = {.last = -1};
		RestQuery query;
		RestCall call;
		RestSql sql;
		const RestBody body = {rows[i].kind, rows[i].body, strlen(rows[i].body)};
		RestSqlWish wish = {.catalog = world, .query = &query, .headers = &headers, .limit = -1};
		bool fine;

		snprintf(label, sizeof(label), "%zu: %s?%s", i, rows[i].name, rows[i].query);
		fine = rest_query_read(&query, rows[i].kind == REST_BODY_NONE ? REST_QUERY_CALL : REST_QUERY_CALLED,
							   rows[i].query, &arena, &error) &&
			   rest_call_choose(&call, world, "api", rows[i].name, &query, &body, &arena, &error) &&
			   rest_sql_call(&sql, &wish, &call, &arena, &error);
		UNIT_CHECK(fine == (rows[i].in != NULL), label);
		if (fine)
		{
			Text values = {0};

			join_values(&sql.query, &values);
			if (strstr(sql.query.text, rows[i].in) == NULL)
				fail_msg("%s: %s is not in %s", label, rows[i].in, sql.query.text);
			UNIT_CHECK_TEXT(values.bytes, rows[i].rest, label);
			text_free(&values);
		}
		else
			UNIT_CHECK_TEXT(error.code, rows[i].rest, label);
		arena_free(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),          cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(bounds_numbers), cmocka_unit_test(shapes),
		cmocka_unit_test(calls),
	};
	int failed;

	world = rest_world();
	failed = UNIT_RUN(tests);
	rest_catalog_free(world);
	return failed;
}
