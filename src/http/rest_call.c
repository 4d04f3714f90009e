/*
 * rest_call.c
 *	  See rest_call.h.
 */
#include "rest_call.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#define JSON_DEPTH 64
#define LIKE_NAME 0.75 /* how alike a name must be to be told */
#define LIKE_NAMES 0.33

/* What is asked for. */
typedef struct Wanted
{
	const RestCatalog *catalog;
	const char *schema;
	const char *name;
	int count; /* of different names of arguments */
	const char **names;
	const RestBody *body;
	Arena *arena;
	RestError *error;
} Wanted;

bool
rest_call_body_kind(const char *content_type, RestBodyKind *kind, Arena *arena, RestError *error)
{
	static const struct
	{
		const char *type;
		RestBodyKind kind;
	} known[] = {{"application/json", REST_BODY_JSON},
				 {"application/x-www-form-urlencoded", REST_BODY_FORM},
				 {"text/plain", REST_BODY_TEXT},
				 {"text/xml", REST_BODY_XML},
				 {"application/octet-stream", REST_BODY_BYTES}};
	size_t len = content_type != NULL ? strcspn(content_type, "; \t") : 0;

	*kind = REST_BODY_JSON;
	if (len == 0)
		return true;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].type) == len && strncasecmp(known[i].type, content_type, len) == 0)
		{
			*kind = known[i].kind;
			return true;
		}
	return rest_fail(error, arena, 400, "PGRST102", "Content-Type not acceptable: %.*s", (int) len,
					 content_type);
}

const char *
rest_call_array(int count, const char *const *values, Arena *arena)
{
	size_t size = 3;
	char *array;
	char *to;

	for (int i = 0; i < count; i++)
		size += 2 * strlen(values[i]) + 3;
	array = to = arena_get(arena, size);
	*to++ = '{';
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			*to++ = ',';
		*to++ = '"';
		for (const char *c = values[i]; *c != '\0'; c++)
		{
			if (*c == '"' || *c == '\\')
				*to++ = '\\';
			*to++ = *c;
		}
		*to++ = '"';
	}
	*to++ = '}';
	*to = '\0';
	return array;
}

/*
 * Names of arguments.
 */

static bool
has_name(const Wanted *wanted, const char *name)
{
	for (int i = 0; i < wanted->count; i++)
		if (strcmp(wanted->names[i], name) == 0)
			return true;
	return false;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
take_names(Wanted *wanted, const RestQuery *query)
{
	wanted->names = arena_get(wanted->arena, (size_t) (query->argument_count + 1) * sizeof(char *));
	for (int i = 0; i < query->argument_count; i++)
		if (!has_name(wanted, query->arguments[i].name))
			wanted->names[wanted->count++] = query->arguments[i].name;
}

static bool
fail_json(const Wanted *wanted)
{
	return rest_fail(wanted->error, wanted->arena, 400, "PGRST102", "Empty or invalid json");
}

/* The members of an object; of anything else there are none. */
static bool
take_members(Wanted *wanted)
{
	struct json_tokener *tokener;
	struct json_object *object;
	bool whole;
	int room = 0;

	/* nothing is {} */
	if (wanted->body->len == 0)
		return true;
	if (!rest_query_is_utf8(wanted->body->bytes, wanted->body->len))
		return fail_json(wanted);
	tokener = memory_check(json_tokener_new_ex(JSON_DEPTH));
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, wanted->body->bytes, (int) wanted->body->len + 1);
	whole = json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	if (whole && json_object_is_type(object, json_type_object))
	{
		json_object_object_foreach(object, key, member)
		{
			(void) member;
			wanted->names = arena_more(wanted->arena, wanted->names, &wanted->count, &room, sizeof(char *));
			wanted->names[wanted->count - 1] = arena_string(wanted->arena, key);
		}
	}
	json_object_put(object);
	return whole || fail_json(wanted);
}

/* a, b and so on, between what begins and ends it. */
static const char *
list_names(Arena *arena, const char *begin, int count, const char *const *names, const char *end)
{
	const char *list = begin;

	for (int i = 0; i < count; i++)
		list = arena_format(arena, "%s%s%s", list, i > 0 ? ", " : "", names[i]);
	return arena_format(arena, "%s%s", list, end);
}

/*
 * Does a function fit?
 */

static bool
is_whole_body(const Wanted *wanted)
{
	return wanted->body->kind == REST_BODY_TEXT || wanted->body->kind == REST_BODY_XML ||
		   wanted->body->kind == REST_BODY_BYTES;
}

/* All that it needs is there, and nothing that it does not know. */
static bool
fits(const Wanted *wanted, const RestFunction *function)
{
	int found = 0;

	if (is_whole_body(wanted))
		return false;
	for (int i = 0; i < function->parameter_count; i++)
	{
		const RestParameter *parameter = &function->parameters[i];
		bool given = parameter->name[0] != '\0' && has_name(wanted, parameter->name);

		if (!given && parameter->required)
			return false;
		found += given;
	}
	return found == wanted->count;
}

/* Its only parameter, without a name, takes the whole body. */
static bool
takes_body(const Wanted *wanted, const RestFunction *function)
{
	const char *type;

	if (function->parameter_count != 1 || function->parameters[0].name[0] != '\0')
		return false;
	type = function->parameters[0].type;
	switch (wanted->body->kind)
	{
		case REST_BODY_JSON:
			return strcmp(type, "json") == 0 || strcmp(type, "jsonb") == 0;
		case REST_BODY_TEXT:
			return strcmp(type, "text") == 0;
		case REST_BODY_XML:
			return strcmp(type, "xml") == 0;
		case REST_BODY_BYTES:
			return strcmp(type, "bytea") == 0;
		default:
			return false;
	}
}

/*
 * What is said when none or too many fit.
 */

static const char *
show_signature(Arena *arena, const RestFunction *function)
{
	const char *text = arena_format(arena, "%s.%s(", function->schema->name, function->name);

	for (int i = 0; i < function->parameter_count; i++)
		text = arena_format(arena, "%s%s%s => %s", text, i > 0 ? ", " : "", function->parameters[i].name,
							function->parameters[i].type);
	return arena_format(arena, "%s)", text);
}

static bool
fail_ambiguous(const Wanted *wanted, const RestFunction *functions, int count,
			   bool (*wants)(const Wanted *wanted, const RestFunction *function))
{
	const char *list = "";

	for (int i = 0; i < count; i++)
		if (!functions[i].is_volatile && wants(wanted, &functions[i]))
			list = arena_format(wanted->arena, "%s%s%s", list, list[0] != '\0' ? ", " : "",
								show_signature(wanted->arena, &functions[i]));
	rest_fail(wanted->error, wanted->arena, 300, "PGRST203",
			  "Could not choose the best candidate function between: %s", list);
	wanted->error->hint = "Try renaming the parameters or the function itself in the database so function "
						  "overloading can be resolved";
	return false;
}

static const char *
show_parameters(Arena *arena, const RestFunction *function)
{
	const char **names = arena_get(arena, (size_t) (function->parameter_count + 1) * sizeof(char *));

	for (int i = 0; i < function->parameter_count; i++)
		names[i] = function->parameters[i].name;
	qsort(names, (size_t) function->parameter_count, sizeof(char *), compare_names);
	return list_names(arena, "(", function->parameter_count, names, ")");
}

/* A function of a name that is much like it, or else of this name with arguments that are like those. */
static const char *
hint_of(const Wanted *wanted, const RestFunction *functions, int count)
{
	static const char perhaps[] = "Perhaps you meant to call the function";
	const char *given = list_names(wanted->arena, "(", wanted->count, wanted->names, ")");
	const char *best = NULL;
	double most = count > 0 ? LIKE_NAMES : LIKE_NAME;

	for (int i = 0; i < count; i++)
	{
		const char *text = show_parameters(wanted->arena, &functions[i]);
		double likeness = rest_error_likeness(given, text);

		if (functions[i].is_volatile)
			return arena_format(wanted->arena,
								"The function %s.%s is VOLATILE, and only those that are STABLE or IMMUTABLE "
								"can be called",
								wanted->schema, wanted->name);
		if (likeness <= most)
			continue;
		most = likeness;
		best = arena_format(wanted->arena, "%s %s.%s%s", perhaps, wanted->schema, wanted->name, text);
	}
	for (int i = 0; count == 0 && i < wanted->catalog->function_count; i++)
	{
		const RestFunction *other = &wanted->catalog->functions[i];
		double likeness = rest_error_likeness(wanted->name, other->name);

		if (other->is_volatile || strcmp(other->schema->name, wanted->schema) != 0 || likeness < most)
			continue;
		most = likeness;
		best = arena_format(wanted->arena, "%s %s.%s", perhaps, wanted->schema, other->name);
	}
	return best;
}

static bool
fail_missing(Wanted *wanted, const RestFunction *functions, int count)
{
	static const char *const of_body[] = {
		[REST_BODY_TEXT] = " with a single unnamed text parameter",
		[REST_BODY_XML] = " with a single unnamed xml parameter",
		[REST_BODY_BYTES] = " with a single unnamed bytea parameter",
	};
	Arena *arena = wanted->arena;
	const char *in_message = "";
	const char *in_details = "";

	if (wanted->count > 0)
		qsort(wanted->names, (size_t) wanted->count, sizeof(char *), compare_names);
	if (is_whole_body(wanted))
		in_details = of_body[wanted->body->kind];
	else if (wanted->count == 0)
		in_message = in_details = " without parameters";
	else
	{
		in_message = list_names(arena, "(", wanted->count, wanted->names, ")");
		in_details = list_names(arena, wanted->count > 1 ? " with parameters " : " with parameter ",
								wanted->count, wanted->names, "");
	}
	rest_fail(wanted->error, arena, 404, "PGRST202",
			  "Could not find the function %s.%s%s in the schema cache", wanted->schema, wanted->name,
			  in_message);
	wanted->error->details = arena_format(
		arena, "Searched for the function %s.%s%s%s, but no matches were found in the schema cache.",
		wanted->schema, wanted->name, in_details,
		wanted->body->kind == REST_BODY_JSON ? " or with a single unnamed json/jsonb parameter" : "");
	wanted->error->hint = is_whole_body(wanted) ? NULL : hint_of(wanted, functions, count);
	return false;
}

/* The only one that fits; NULL: none does, or several do, and *found tells. */
static const RestFunction *
only_one(const Wanted *wanted, const RestFunction *functions, int count,
		 bool (*wants)(const Wanted *wanted, const RestFunction *function), int *found)
{
	const RestFunction *one = NULL;

	*found = 0;
	for (int i = 0; i < count; i++)
		if (!functions[i].is_volatile && wants(wanted, &functions[i]))
		{
			one = &functions[i];
			(*found)++;
		}
	return *found == 1 ? one : NULL;
}

/*
 * Arguments.
 */

/* Of a name that is given several times the last value counts; a variadic parameter takes all of them. */
static const char *
value_of(const RestParameter *parameter, const RestQuery *query, Arena *arena)
{
	const char **values = arena_get(arena, (size_t) (query->argument_count + 1) * sizeof(char *));
	int count = 0;

	for (int i = 0; i < query->argument_count; i++)
		if (strcmp(query->arguments[i].name, parameter->name) == 0)
			values[count++] = query->arguments[i].value;
	return parameter->variadic ? rest_call_array(count, values, arena) : values[count - 1];
}

static void
take_arguments(RestCall *call, const Wanted *wanted, const RestQuery *query)
{
	const RestFunction *function = call->function;
	size_t size = (size_t) (function->parameter_count + 1) * sizeof(char *);
	const RestParameter **parameters = arena_get(wanted->arena, size);
	const char **values = arena_get(wanted->arena, size);

	for (int i = 0; i < function->parameter_count; i++)
	{
		const RestParameter *parameter = &function->parameters[i];

		if (!has_name(wanted, parameter->name))
			continue;
		parameters[call->count] = parameter;
		if (call->how == REST_CALL_VALUES)
			values[call->count] = value_of(parameter, query, wanted->arena);
		call->count++;
	}
	call->parameters = parameters;
	call->values = values;
}

/* Bytes as PostgreSQL reads them: \x and hex digits. */
static const char *
hex_of(const RestBody *body, Arena *arena)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = arena_get(arena, 2 * body->len + 3);

	hex[0] = '\\';
	hex[1] = 'x';
	for (size_t i = 0; i < body->len; i++)
	{
		hex[2 + 2 * i] = digits[(unsigned char) body->bytes[i] >> 4];
		hex[3 + 2 * i] = digits[(unsigned char) body->bytes[i] & 15];
	}
	return hex;
}

static bool
take_whole(RestCall *call, const Wanted *wanted)
{
	const RestBody *body = wanted->body;

	call->how = REST_CALL_WHOLE;
	call->body = body->kind == REST_BODY_BYTES                    ? hex_of(body, wanted->arena)
				 : body->kind == REST_BODY_JSON && body->len == 0 ? "{}"
																  : body->bytes;
	if (body->kind == REST_BODY_BYTES || rest_query_is_utf8(body->bytes, body->len))
		return true;
	return rest_fail(wanted->error, wanted->arena, 400, "PGRST102", "the body is not UTF-8, or holds a NUL");
}

bool
rest_call_choose(RestCall *call, const RestCatalog *catalog, const char *schema, const char *name,
				 RestQuery *query, const RestBody *body, Arena *arena, RestError *error)
{
	Wanted wanted = {
		.catalog = catalog, .schema = schema, .name = name, .body = body, .arena = arena, .error = error};
	const RestFunction *functions;
	int count;
	int found;

	*call = (RestCall){.how = REST_CALL_VALUES};
	if (body->kind == REST_BODY_JSON && !take_members(&wanted))
		return false;
	if (body->kind == REST_BODY_FORM && !rest_query_form(body->bytes, body->len, query, arena, error))
		return false;
	if (body->kind == REST_BODY_NONE || body->kind == REST_BODY_FORM)
		take_names(&wanted, query);

	functions = rest_catalog_functions(catalog, schema, name, &count);
	call->function = only_one(&wanted, functions, count, fits, &found);
	if (found > 1)
		return fail_ambiguous(&wanted, functions, count, fits);
	if (found == 1)
	{
		if (body->kind == REST_BODY_JSON)
		{
			call->how = REST_CALL_JSON;
			call->body = body->len > 0 ? body->bytes : "{}";
		}
		take_arguments(call, &wanted, query);
		return true;
	}
	call->function = only_one(&wanted, functions, count, takes_body, &found);
	if (found > 1)
		return fail_ambiguous(&wanted, functions, count, takes_body);
	return found == 1 ? take_whole(call, &wanted) : fail_missing(&wanted, functions, count);
}
