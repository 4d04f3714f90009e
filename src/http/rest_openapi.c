/*
 * rest_openapi.c
 *	  See rest_openapi.h.
 */
#include "rest_openapi.h"

#include <string.h>

#include "options.h"
#include "rest_query.h"

#define TITLE "crypto_rt"

static const char query[] =
	"SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relnamespace = $1::pg_catalog.regnamespace "
	"AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') "
	"AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') "
	"OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT')) "
	"UNION ALL SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = $1::pg_catalog.regnamespace "
	"AND pg_catalog.has_schema_privilege(p.pronamespace, 'USAGE') "
	"AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')";

/* Parameters that all tables share. */
static const char parameters[] =
	"\"select\":{\"name\":\"select\",\"description\":\"Filtering Columns\",\"required\":false,"
	"\"in\":\"query\",\"type\":\"string\"},"
	"\"order\":{\"name\":\"order\",\"description\":\"Ordering\",\"required\":false,\"in\":\"query\","
	"\"type\":\"string\"},"
	"\"range\":{\"name\":\"Range\",\"description\":\"Limiting and Pagination\",\"required\":false,"
	"\"in\":\"header\",\"type\":\"string\"},"
	"\"rangeUnit\":{\"name\":\"Range-Unit\",\"description\":\"Limiting and Pagination\",\"required\":false,"
	"\"default\":\"items\",\"in\":\"header\",\"type\":\"string\"},"
	"\"offset\":{\"name\":\"offset\",\"description\":\"Limiting and Pagination\",\"required\":false,"
	"\"in\":\"query\",\"type\":\"string\"},"
	"\"limit\":{\"name\":\"limit\",\"description\":\"Limiting and Pagination\",\"required\":false,"
	"\"in\":\"query\",\"type\":\"string\"},"
	"\"preferCount\":{\"name\":\"Prefer\",\"description\":\"Preference\",\"required\":false,"
	"\"in\":\"header\",\"type\":\"string\",\"enum\":[\"count=exact\",\"count=planned\",\"count=estimated\"]}";

static const char media[] = "[\"application/json\",\"application/vnd.pgrst.object+json;nulls=stripped\","
							"\"application/vnd.pgrst.object+json\",\"text/csv\"]";

/* What is being written. */
typedef struct Writer
{
	Text *text;
	const RestCatalog *catalog;
	const char *schema;
	const PGresult *allowed;
} Writer;

const char *
rest_openapi_query(void)
{
	return query;
}

static void
write_string(Text *text, const char *s)
{
	text_json(text, s, strlen(s));
}

/* The comma before a member, if it is not the first. */
static void
begin_member(Text *text, bool *first)
{
	if (!*first)
		text_add(text, ",", 1);
	*first = false;
}

static void
write_member(Text *text, bool *first, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	begin_member(text, first);
	text_format(text, "\"%s\":", name);
	write_string(text, value);
}

static bool
is_allowed(const Writer *writer, const RestSchema *schema, const char *oid)
{
	if (strcmp(schema->name, writer->schema) != 0)
		return false;
	for (int row = 0; row < PQntuples(writer->allowed); row++)
		if (strcmp(PQgetvalue(writer->allowed, row, 0), oid) == 0)
			return true;
	return false;
}

/* A reference, where what is named may have any characters. */
static void
write_reference(Text *text, const char *path, const char *name, const char *more)
{
	Text whole = {0};

	text_format(&whole, "#/%s/", path);
	for (const char *c = name; *c != '\0'; c++)
		/* JSON pointers have two characters of their own, and URIs do not take some */
		if (*c == '~')
			text_string(&whole, "~0");
		else if (*c == '/')
			text_string(&whole, "~1");
		else if ((unsigned char) *c <= ' ' || (unsigned char) *c >= 0x7f ||
				 strchr("\"%<>\\^`{|}#", *c) != NULL)
			text_format(&whole, "%%%02X", (unsigned char) *c);
		else
			text_add(&whole, c, 1);
	text_string(&whole, more);
	text_string(text, "{\"$ref\":");
	text_json(text, whole.bytes, whole.len);
	text_string(text, "}");
	text_free(&whole);
}

/*
 * Types.
 */

/* JSON's name for a type; NULL: any. */
static const char *
json_type(const char *type, size_t len)
{
	static const struct
	{
		const char *type;
		const char *json;
	} known[] = {{"boolean", "boolean"},         {"smallint", "integer"}, {"integer", "integer"},
				 {"bigint", "integer"},          {"numeric", "number"},   {"real", "number"},
				 {"double precision", "number"}, {"json", NULL},          {"jsonb", NULL}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].type) == len && strncmp(known[i].type, type, len) == 0)
			return known[i].json;
	return len > 2 && strncmp(type + len - 2, "[]", 2) == 0 ? "array" : "string";
}

/* format, type and items. */
static void
write_type(Text *text, bool *first, const char *type)
{
	size_t len = strlen(type);
	const char *json = json_type(type, len);

	write_member(text, first, "format", type);
	write_member(text, first, "type", json);
	if (json == NULL || strcmp(json, "array") != 0)
		return;
	json = json_type(type, len - 2);
	text_string(text, ",\"items\":{");
	if (json != NULL && strcmp(json, "array") != 0)
		text_format(text, "\"type\":\"%s\"", json);
	text_string(text, "}");
}

/*
 * Tables.
 */

static void
write_column(Text *text, const RestColumn *column)
{
	bool first = true;
	Text comment = {0};

	text_string(&comment, column->comment != NULL ? column->comment : "");
	if (column->is_key)
		text_format(&comment, "%sNote:\nThis is a Primary Key.<pk/>", comment.len > 0 ? "\n\n" : "");
	write_string(text, column->name);
	text_string(text, ":{");
	write_member(text, &first, "description", comment.bytes);
	write_type(text, &first, column->type);
	if (column->max_length > 0)
		text_format(text, ",\"maxLength\":%d", column->max_length);
	if (column->choices != NULL)
		text_format(text, ",\"enum\":%s", column->choices);
	text_string(text, "}");
	text_free(&comment);
}

static void
write_definition(Text *text, const RestRelation *relation)
{
	bool first = true;
	bool required = true;

	write_string(text, relation->name);
	text_string(text, ":{");
	write_member(text, &first, "description", relation->comment);
	begin_member(text, &first);
	text_string(text, "\"type\":\"object\",\"properties\":{");
	for (int i = 0; i < relation->count; i++)
	{
		text_string(text, i > 0 ? "," : "");
		write_column(text, &relation->columns[i]);
	}
	text_string(text, "}");
	for (int i = 0; i < relation->count; i++)
	{
		if (!relation->columns[i].not_null)
			continue;
		text_string(text, required ? ",\"required\":[" : ",");
		write_string(text, relation->columns[i].name);
		required = false;
	}
	text_string(text, required ? "}" : "]}");
}

static void
write_row_filters(Text *text, const RestRelation *relation)
{
	for (int i = 0; i < relation->count; i++)
	{
		Text name = {0};
		bool first = true;

		text_format(&name, "rowFilter.%s.%s", relation->name, relation->columns[i].name);
		text_string(text, ",");
		text_json(text, name.bytes, name.len);
		text_string(text, ":{");
		write_member(text, &first, "name", relation->columns[i].name);
		write_member(text, &first, "description", relation->columns[i].comment);
		begin_member(text, &first);
		text_string(text, "\"required\":false,\"in\":\"query\",\"type\":\"string\"}");
		text_free(&name);
	}
}

/* The first line of a comment is the summary, the rest is told at length. */
static void
write_comment(Text *text, bool *first, const char *comment)
{
	size_t line = comment != NULL ? strcspn(comment, "\n") : 0;

	if (line == 0)
		return;
	begin_member(text, first);
	text_string(text, "\"summary\":");
	text_json(text, comment, line);
	comment += line;
	write_member(text, first, "description", comment + strspn(comment, "\n"));
}

static void
write_table(Text *text, const RestRelation *relation)
{
	static const char *const shared[] = {"select", "order", "range",      "rangeUnit",
										 "offset", "limit", "preferCount"};
	Text path = {0};
	bool first = true;

	text_format(&path, "/%s", relation->name);
	text_string(text, ",");
	text_json(text, path.bytes, path.len);
	text_free(&path);
	text_string(text, ":{\"get\":{");
	write_comment(text, &first, relation->comment);
	begin_member(text, &first);
	text_string(text, "\"tags\":[");
	write_string(text, relation->name);
	text_string(text, "],\"parameters\":[");
	for (int i = 0; i < relation->count; i++)
	{
		Text name = {0};

		text_format(&name, "rowFilter.%s.%s", relation->name, relation->columns[i].name);
		write_reference(text, "parameters", name.bytes, "");
		text_string(text, ",");
		text_free(&name);
	}
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
	{
		text_string(text, i > 0 ? "," : "");
		write_reference(text, "parameters", shared[i], "");
	}
	text_string(text,
				"],\"responses\":{\"200\":{\"description\":\"OK\",\"schema\":{\"type\":\"array\",\"items\":");
	write_reference(text, "definitions", relation->name, "");
	text_string(text, "}},\"206\":{\"description\":\"Partial Content\"}}}}");
}

/*
 * Functions.
 */

static void
write_query_parameter(Text *text, const RestParameter *parameter)
{
	const char *json = json_type(parameter->type, strlen(parameter->type));

	text_string(text, "{\"name\":");
	write_string(text, parameter->name);
	text_format(text,
				",\"required\":%s,\"in\":\"query\",\"format\":", parameter->required ? "true" : "false");
	write_string(text, parameter->type);
	/* arrays are written as {…} */
	text_format(text, ",\"type\":\"%s\"}", json == NULL || strcmp(json, "array") == 0 ? "string" : json);
}

static void
write_body_parameter(Text *text, const RestFunction *function)
{
	bool first = true;
	bool required = true;

	text_string(text, "{\"name\":\"args\",\"required\":true,\"in\":\"body\",\"schema\":{");
	write_member(text, &first, "description", function->comment);
	begin_member(text, &first);
	text_string(text, "\"type\":\"object\",\"properties\":{");
	for (int i = 0; i < function->parameter_count; i++)
	{
		bool inner = true;

		text_string(text, i > 0 ? "," : "");
		write_string(text, function->parameters[i].name);
		text_string(text, ":{");
		write_type(text, &inner, function->parameters[i].type);
		text_string(text, "}");
	}
	text_string(text, "}");
	for (int i = 0; i < function->parameter_count; i++)
	{
		if (!function->parameters[i].required)
			continue;
		text_string(text, required ? ",\"required\":[" : ",");
		write_string(text, function->parameters[i].name);
		required = false;
	}
	text_string(text, required ? "}}" : "]}}");
}

static void
write_operation(Text *text, const RestFunction *function, const char *method)
{
	bool first = true;
	Text tag = {0};

	text_format(text, "\"%s\":{", method);
	write_comment(text, &first, function->comment);
	begin_member(text, &first);
	text_format(&tag, "(rpc) %s", function->name);
	text_string(text, "\"tags\":[");
	text_json(text, tag.bytes, tag.len);
	text_free(&tag);
	text_string(text,
				"],\"produces\":[\"application/json\",\"application/vnd.pgrst.object+json;nulls=stripped\","
				"\"application/vnd.pgrst.object+json\"],\"parameters\":[");
	if (strcmp(method, "post") == 0)
		write_body_parameter(text, function);
	else
		for (int i = 0; i < function->parameter_count; i++)
		{
			text_string(text, i > 0 ? "," : "");
			write_query_parameter(text, &function->parameters[i]);
		}
	text_format(text, "],\"responses\":{\"%d\":{\"description\":\"%s\"}}}",
				function->result == REST_RESULT_VOID ? 204 : 200,
				function->result == REST_RESULT_VOID ? "No Content" : "OK");
}

/* Its only parameter has no name: it is called by POST alone. */
static bool
takes_body(const RestFunction *function)
{
	return function->parameter_count == 1 && function->parameters[0].name[0] == '\0';
}

static void
write_function(Text *text, const RestFunction *function)
{
	Text path = {0};

	text_format(&path, "/rpc/%s", function->name);
	text_string(text, ",");
	text_json(text, path.bytes, path.len);
	text_free(&path);
	text_string(text, ":{");
	if (!takes_body(function))
	{
		write_operation(text, function, "get");
		text_string(text, ",");
	}
	write_operation(text, function, "post");
	text_string(text, "}");
}

/*
 * The whole.
 */

static void
write_paths(const Writer *writer)
{
	const RestCatalog *catalog = writer->catalog;
	const char *last = "";

	text_string(writer->text, "\"paths\":{\"/\":{\"get\":{\"tags\":[\"Introspection\"],"
							  "\"summary\":\"OpenAPI description (this document)\","
							  "\"produces\":[\"application/openapi+json\",\"application/json\"],"
							  "\"responses\":{\"200\":{\"description\":\"OK\"}}}}");
	for (int i = 0; i < catalog->relation_count; i++)
		if (is_allowed(writer, catalog->relations[i].schema, catalog->relations[i].oid))
			write_table(writer->text, &catalog->relations[i]);
	for (int i = 0; i < catalog->function_count; i++)
	{
		const RestFunction *function = &catalog->functions[i];

		/* of several of one name the first is shown: a path stands once */
		if (function->is_volatile || strcmp(function->name, last) == 0 ||
			!is_allowed(writer, function->schema, function->oid))
			continue;
		write_function(writer->text, function);
		last = function->name;
	}
	text_string(writer->text, "}");
}

static void
write_definitions(const Writer *writer)
{
	const RestCatalog *catalog = writer->catalog;
	bool first = true;

	text_string(writer->text, ",\"definitions\":{");
	for (int i = 0; i < catalog->relation_count; i++)
		if (is_allowed(writer, catalog->relations[i].schema, catalog->relations[i].oid))
		{
			begin_member(writer->text, &first);
			write_definition(writer->text, &catalog->relations[i]);
		}
	text_format(writer->text, "},\"parameters\":{%s", parameters);
	for (int i = 0; i < catalog->relation_count; i++)
		if (is_allowed(writer, catalog->relations[i].schema, catalog->relations[i].oid))
			write_row_filters(writer->text, &catalog->relations[i]);
	text_string(writer->text, "}");
}

static void
write_info(Text *text, const RestSchema *schema)
{
	const char *comment = schema != NULL && schema->comment != NULL ? schema->comment : "";
	size_t line = strcspn(comment, "\n");

	text_string(text, "\"info\":{\"title\":");
	text_json(text, line > 0 ? comment : TITLE, line > 0 ? line : strlen(TITLE));
	comment += line;
	comment += strspn(comment, "\n");
	text_string(text, ",\"description\":");
	write_string(text, comment[0] != '\0' ? comment
										  : "What is read of the database over HTTP, in PostgREST's dialect");
	text_string(text, ",\"version\":\"" OPTIONS_VERSION "\"},");
}

/* What a client calls us; nothing that is no name of a host and a port. */
static void
write_host(Text *text, const char *host)
{
	if (host == NULL || host[0] == '\0' ||
		strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789.-:[]") != strlen(host))
		return;
	text_string(text, "\"host\":");
	write_string(text, host);
	text_string(text, ",");
}

void
rest_openapi_write(Text *text, const RestCatalog *catalog, const char *schema, const PGresult *allowed,
				   const char *host, bool tls, bool tokens)
{
	const Writer writer = {text, catalog, schema, allowed};

	text_string(text, "{\"swagger\":\"2.0\",");
	write_info(text, rest_catalog_schema(catalog, schema));
	write_host(text, host);
	text_format(text,
				"\"basePath\":\"/rest/v1\",\"schemes\":[\"%s\"],\"consumes\":[\"application/json\"],"
				"\"produces\":%s,",
				tls ? "https" : "http", media);
	write_paths(&writer);
	write_definitions(&writer);
	if (tokens)
		text_string(text, ",\"securityDefinitions\":{\"JWT\":{\"type\":\"apiKey\",\"name\":\"Authorization\","
						  "\"in\":\"header\",\"description\":"
						  "\"Add the token prepending \\\"Bearer \\\" (without quotes) to it\"}},"
						  "\"security\":[{\"JWT\":[]},{}]");
	text_string(text, ",\"externalDocs\":{\"description\":\"PostgREST Documentation\","
					  "\"url\":\"https://postgrest.org/en/stable/references/api.html\"}}");
}
