/*
 * rest_sql.c
 *	  See rest_sql.h.
 *
 * Rows are made into JSON by PostgreSQL.  With the catalog's names alone it makes objects of rows itself; where a request gives a
 * name of its own (an alias, a key of JSON), objects are put together, with the names as parameters.
 */
#include "rest_sql.h"

#include <inttypes.h>
#include <string.h>

#include "rest_filter.h"
#include "text.h"

#define ROW "r"
#define SCALAR "pgrst_scalar"

/* What is selected from, and how it is called in messages. */
typedef struct Source
{
	const char *from; /* SQL: a relation, or a common table expression */
	const RestCall *call;
	bool scalar;
} Source;

/*
 * What is selected.
 */

/* The name that an item has in JSON: its alias, or the last key of its path, or its column's. */
static const char *
key_of(const RestSelect *item)
{
	if (item->alias != NULL)
		return item->alias;
	for (int i = item->field.count - 1; i >= 0; i--)
		if (!item->field.steps[i].is_index)
			return item->field.steps[i].key;
	return item->field.name;
}

/* Whether all names are the catalog's. */
static bool
is_plain(const RestQuery *query)
{
	for (int i = 0; i < query->select_count; i++)
		if (query->select[i].alias != NULL || query->select[i].field.count > 0)
			return false;
	return true;
}

/* An item's value; *column is its column.  false: there is an error. */
static bool
write_value(RestFilterWriter *writer, const RestSelect *item, const RestColumn **column)
{
	const char *type = NULL;

	if (item->cast != NULL)
	{
		type = rest_catalog_type(writer->catalog, item->cast);
		if (type == NULL)
			return rest_fail(writer->error, writer->arena, 400, "42704", "type \"%s\" does not exist",
							 item->cast);
		text_string(&writer->text, "CAST(");
	}
	if (!rest_filter_field(writer, &item->field, column))
		return false;
	if (type != NULL)
		text_format(&writer->text, " AS %s)", type);
	return true;
}

static void
write_columns(RestFilterWriter *writer)
{
	for (int i = 0; i < writer->count; i++)
		text_format(&writer->text, "%s" ROW ".%s", i > 0 ? ", " : "", writer->columns[i].quoted);
}

/* As columns, under the catalog's names. */
static bool
write_row(RestFilterWriter *writer, const RestQuery *query, bool expand)
{
	const RestColumn *column;

	for (int i = 0; i < query->select_count; i++)
	{
		const RestSelect *item = &query->select[i];

		if (i > 0)
			text_string(&writer->text, ", ");
		if (item->all && expand && writer->count > 0)
			write_columns(writer);
		else if (item->all)
			text_string(&writer->text, ROW ".*");
		else if (!write_value(writer, item, &column))
			return false;
		else
			text_format(&writer->text, " AS %s", column->quoted);
	}
	return true;
}

/* The comma and the key before a member of an object, as a parameter. */
static void
write_key(RestFilterWriter *writer, const char *key, bool *first)
{
	Text text = {0};

	if (!*first)
		text_string(&text, ",");
	text_json(&text, key, strlen(key));
	text_string(&text, ":");
	text_string(&writer->text, " || ");
	rest_filter_parameter(writer, arena_copy(writer->arena, text.bytes, text.len));
	text_string(&writer->text, "::text || coalesce(pg_catalog.to_json(");
	text_free(&text);
	*first = false;
}

static void
end_member(RestFilterWriter *writer)
{
	text_string(&writer->text, ")::text, 'null')");
}

/* As one column of JSON, under the request's names. */
static bool
write_object(RestFilterWriter *writer, const RestQuery *query)
{
	const RestColumn *column;
	bool first = true;

	text_string(&writer->text, "('{'");
	for (int i = 0; i < query->select_count; i++)
	{
		const RestSelect *item = &query->select[i];

		for (int c = 0; item->all && c < writer->count; c++)
		{
			write_key(writer, writer->columns[c].name, &first);
			text_format(&writer->text, ROW ".%s", writer->columns[c].quoted);
			end_member(writer);
		}
		if (item->all)
			continue;
		write_key(writer, key_of(item), &first);
		if (!write_value(writer, item, &column))
			return false;
		end_member(writer);
	}
	text_string(&writer->text, " || '}')::json AS j");
	return true;
}

static void
add_csv_name(Text *text, const char *name, bool *first)
{
	bool quotes = strpbrk(name, "\",\r\n") != NULL;

	text_string(text, *first ? "" : ",");
	text_string(text, quotes ? "\"" : "");
	for (; *name != '\0'; name++)
		text_add(text, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1);
	text_string(text, quotes ? "\"" : "");
	*first = false;
}

static const char *
csv_head(RestFilterWriter *writer, const RestQuery *query, bool scalar)
{
	Text text = {0};
	bool first = true;
	const char *head;

	text_string(&text, "");
	for (int i = 0; i < query->select_count && !scalar; i++)
	{
		for (int c = 0; query->select[i].all && c < writer->count; c++)
			add_csv_name(&text, writer->columns[c].name, &first);
		if (!query->select[i].all)
			add_csv_name(&text, key_of(&query->select[i]), &first);
	}
	if (scalar)
		add_csv_name(&text, SCALAR, &first);
	head = arena_copy(writer->arena, text.bytes, text.len);
	text_free(&text);
	return head;
}

/*
 * Conditions, order, limits.
 */

static bool
write_where(RestFilterWriter *writer, const RestQuery *query)
{
	if (query->filters == NULL)
		return true;
	text_string(&writer->text, " WHERE ");
	return rest_filter_write(writer, query->filters);
}

static bool
write_order(RestFilterWriter *writer, const RestQuery *query)
{
	static const char *const directions[] = {
		[REST_ORDER_DEFAULT] = "", [REST_ASC] = " ASC", [REST_DESC] = " DESC"};
	static const char *const nulls[] = {
		[REST_NULLS_DEFAULT] = "", [REST_NULLS_FIRST] = " NULLS FIRST", [REST_NULLS_LAST] = " NULLS LAST"};
	const RestColumn *column;

	for (int i = 0; i < query->order_count; i++)
	{
		text_string(&writer->text, i == 0 ? " ORDER BY " : ", ");
		if (!rest_filter_field(writer, &query->order[i].field, &column))
			return false;
		text_string(&writer->text, directions[query->order[i].direction]);
		text_string(&writer->text, nulls[query->order[i].nulls]);
	}
	return true;
}

static void
write_number(RestFilterWriter *writer, const char *before, int64_t number)
{
	text_string(&writer->text, before);
	rest_filter_parameter(writer, arena_format(writer->arena, "%" PRId64, number));
}

static void
write_limits(RestFilterWriter *writer, const RestSqlWish *wish)
{
	if (wish->limit >= 0)
		write_number(writer, " LIMIT ", wish->limit);
	if (wish->offset > 0)
		write_number(writer, " OFFSET ", wish->offset);
}

/*
 * The call of a function.
 */

static void
write_type(RestFilterWriter *writer, const RestParameter *parameter)
{
	text_format(&writer->text, "::%s", parameter->type);
}

static void
write_call(RestFilterWriter *writer, const RestCall *call)
{
	text_format(&writer->text, "%s(", call->function->quoted);
	if (call->how == REST_CALL_WHOLE)
	{
		rest_filter_parameter(writer, call->body);
		write_type(writer, &call->function->parameters[0]);
	}
	for (int i = 0; i < call->count; i++)
	{
		const RestParameter *parameter = call->parameters[i];

		text_format(&writer->text, "%s%s%s => ", i > 0 ? ", " : "", parameter->variadic ? "VARIADIC " : "",
					parameter->quoted);
		if (call->how == REST_CALL_JSON)
			text_format(&writer->text, "a.%s", parameter->quoted);
		else
		{
			rest_filter_parameter(writer, call->values[i]);
			write_type(writer, parameter);
		}
	}
	text_string(&writer->text, ")");
}

/* The members of the body, as columns of `a`. */
static void
write_members(RestFilterWriter *writer, const RestCall *call)
{
	text_string(&writer->text, "pg_catalog.json_to_record(");
	rest_filter_parameter(writer, call->body);
	text_string(&writer->text, "::pg_catalog.json) AS a(");
	for (int i = 0; i < call->count; i++)
		text_format(&writer->text, "%s%s %s", i > 0 ? ", " : "", call->parameters[i]->quoted,
					call->parameters[i]->type);
	text_string(&writer->text, ")");
}

static void
write_result(RestFilterWriter *writer, const RestCall *call)
{
	bool members = call->how == REST_CALL_JSON && call->count > 0;

	text_string(&writer->text, "SELECT ");
	if (call->function->result != REST_RESULT_ROW)
	{
		write_call(writer, call);
		text_string(&writer->text, " AS " SCALAR);
		if (members)
		{
			text_string(&writer->text, " FROM ");
			write_members(writer, call);
		}
		return;
	}
	text_string(&writer->text, "c.* FROM ");
	if (members)
	{
		write_members(writer, call);
		text_string(&writer->text, ", LATERAL ");
	}
	write_call(writer, call);
	text_string(&writer->text, " AS c");
}

/* A function that returns no rows is called even where nobody looks at its value: it may have something to say. */
static void
write_source(RestFilterWriter *writer, const Source *source)
{
	text_format(&writer->text, "WITH %s AS %s(", source->from, source->scalar ? "MATERIALIZED " : "");
	write_result(writer, source->call);
	text_string(&writer->text, ") ");
}

/*
 * The whole.
 */

static void
write_total(RestFilterWriter *writer, const RestSqlWish *wish, const Source *source, bool *fine)
{
	bool some = wish->headers->count == REST_COUNT_ESTIMATED && wish->count_most > 0;

	if (wish->headers->count != REST_COUNT_EXACT && wish->headers->count != REST_COUNT_ESTIMATED)
	{
		text_string(&writer->text, "NULL::pg_catalog.int8");
		return;
	}
	text_format(&writer->text, "(SELECT pg_catalog.count(*) FROM (SELECT FROM %s AS " ROW, source->from);
	*fine &= write_where(writer, wish->query);
	if (some)
		write_number(writer, " LIMIT ", wish->count_most + 1);
	text_string(&writer->text, ") c)");
}

/* The one object of a result that is no set, or that was asked for as one. */
static bool
is_single(const RestSqlWish *wish, const Source *source)
{
	return wish->headers->media == REST_MEDIA_OBJECT ||
		   (source->call != NULL && !source->call->function->is_set);
}

static void
write_body(RestFilterWriter *writer, const RestSqlWish *wish, const Source *source, bool object)
{
	const char *row = source->scalar ? "t." SCALAR : object ? "t.j" : "t";
	bool single = is_single(wish, source);

	if (wish->bare)
		text_string(&writer->text, "NULL::text");
	else if (wish->headers->media == REST_MEDIA_CSV)
		/* a row's own text is quoted as CSV is, but that backslashes are doubled */
		text_string(&writer->text,
					"coalesce(pg_catalog.string_agg(pg_catalog.replace(pg_catalog.substr(t::text, 2, "
					"pg_catalog.length(t::text) - 2), pg_catalog.chr(92) || pg_catalog.chr(92), "
					"pg_catalog.chr(92)), pg_catalog.chr(10)), '')");
	else
		text_format(&writer->text, "coalesce((%spg_catalog.json_agg(%s)%s%s)::text, '%s')",
					wish->headers->without_nulls ? "pg_catalog.json_strip_nulls(" : "", row,
					single ? "->0" : "", wish->headers->without_nulls ? ")" : "", single ? "null" : "[]");
}

static bool
write_rows(RestFilterWriter *writer, const RestSqlWish *wish, const Source *source, bool object)
{
	bool csv = wish->headers->media == REST_MEDIA_CSV;

	text_string(&writer->text, "SELECT ");
	if (source->scalar && !(wish->query->select_count == 1 && wish->query->select[0].all))
	{
		const RestColumn *column;

		if (wish->query->select_count > 0 &&
			!rest_filter_field(writer, &wish->query->select[0].field, &column))
			return false;
	}
	if (source->scalar)
		text_string(&writer->text, ROW "." SCALAR);
	else if (!(object ? write_object(writer, wish->query) : write_row(writer, wish->query, csv)))
		return false;
	text_format(&writer->text, " FROM %s AS " ROW, source->from);
	if (!write_where(writer, wish->query) || !write_order(writer, wish->query))
		return false;
	write_limits(writer, wish);
	return true;
}

static bool
write_query(RestFilterWriter *writer, const RestSqlWish *wish, const Source *source)
{
	bool object =
		!is_plain(wish->query) && wish->headers->media != REST_MEDIA_CSV && !wish->bare && !source->scalar;
	bool fine = true;

	if (source->call != NULL)
		write_source(writer, source);
	text_format(&writer->text,
				"SELECT q.total, q.n, CASE WHEN pg_catalog.octet_length(q.body) <= %d THEN q.body END FROM "
				"(SELECT ",
				REST_SQL_BODY_MAX);
	write_total(writer, wish, source, &fine);
	text_string(&writer->text, " AS total, pg_catalog.count(*) AS n, ");
	write_body(writer, wish, source, object);
	text_string(&writer->text, " AS body FROM (");
	fine = fine && write_rows(writer, wish, source, object);
	text_string(&writer->text, ") t) q");
	return fine;
}

static bool
write_plan(RestFilterWriter *writer, const RestSqlWish *wish, const Source *source)
{
	text_string(&writer->text, "EXPLAIN (FORMAT JSON) ");
	if (source->call != NULL)
		write_source(writer, source);
	text_format(&writer->text, "SELECT FROM %s AS " ROW, source->from);
	return write_where(writer, wish->query);
}

/* Take what was written. */
static void
finish(RestFilterWriter *writer, RestSqlStatement *statement)
{
	statement->text = arena_copy(writer->arena, writer->text.bytes, writer->text.len);
	statement->count = writer->value_count;
	statement->values = writer->values;
	text_free(&writer->text);
	writer->values = NULL;
	writer->value_count = writer->value_room = 0;
}

static bool
write_all(RestSql *sql, RestFilterWriter *writer, const RestSqlWish *wish, const Source *source)
{
	bool planned = wish->headers->count == REST_COUNT_PLANNED ||
				   (wish->headers->count == REST_COUNT_ESTIMATED && wish->count_most > 0);
	bool fine = write_query(writer, wish, source);

	*sql = (RestSql){0};
	finish(writer, &sql->query);
	if (fine && planned)
	{
		fine = write_plan(writer, wish, source);
		finish(writer, &sql->plan);
	}
	if (wish->headers->media == REST_MEDIA_CSV)
		sql->csv_head = csv_head(writer, wish->query, source->scalar);
	return fine;
}

static bool
fail_embedded(const RestSqlWish *wish, const char *parent, const char *schema, Arena *arena, RestError *error)
{
	const char *child = wish->query->embedded;

	rest_fail(error, arena, 400, "PGRST200",
			  "Could not find a relationship between '%s' and '%s' in the schema cache", parent, child);
	error->details = arena_format(arena,
								  "Searched for a foreign key relationship between '%s' and '%s' in the "
								  "schema '%s', but no matches were found.",
								  parent, child, schema);
	error->hint =
		"Related tables cannot be embedded here: ask for them by requests of their own, or make a view";
	return false;
}

bool
rest_sql_read(RestSql *sql, const RestSqlWish *wish, const RestRelation *relation, Arena *arena,
			  RestError *error)
{
	const Source source = {.from = relation->quoted};
	RestFilterWriter writer = {.catalog = wish->catalog,
							   .name = relation->name,
							   .count = relation->count,
							   .columns = relation->columns,
							   .arena = arena,
							   .error = error};

	if (wish->query->embedded != NULL)
		return fail_embedded(wish, relation->name, relation->schema->name, arena, error);
	return write_all(sql, &writer, wish, &source);
}

bool
rest_sql_call(RestSql *sql, const RestSqlWish *wish, const RestCall *call, Arena *arena, RestError *error)
{
	const RestFunction *function = call->function;
	const Source source = {
		.from = "pgrst_source", .call = call, .scalar = function->result != REST_RESULT_ROW};
	RestFilterWriter writer = {.catalog = wish->catalog,
							   .name = "pgrst_source",
							   .count = function->count,
							   .columns = function->columns,
							   .arena = arena,
							   .error = error};

	if (wish->query->embedded != NULL)
		return fail_embedded(wish, function->name, function->schema->name, arena, error);
	return write_all(sql, &writer, wish, &source);
}
