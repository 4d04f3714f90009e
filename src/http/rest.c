/*
 * rest.c
 *	  See rest.h.
 *
 * A request is answered at once when something is wrong with it, and otherwise waits for the database, as an Asked.
 *
 * Each is one transaction, in one round trip.  Statements that are sent together are one transaction by themselves, without BEGIN and
 * COMMIT: the first sets what is the request's own (role, claims, search_path), for this transaction alone, so that the session keeps
 * nothing of it.  Statements are prepared for each role by itself, since PostgreSQL looks at the right to use a schema only then.
 */
#include "rest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "loop.h"
#include "memory.h"
#include "options.h"
#include "rest_call.h"
#include "rest_error.h"
#include "rest_headers.h"
#include "rest_jwt.h"
#include "rest_listen.h"
#include "rest_openapi.h"
#include "rest_query.h"
#include "rest_sql.h"
#include "suspend.h"

#define LIKE_NAME 0.75 /* how alike a table's name must be to be told */
#define METHOD_HEADERS "OPTIONS, GET, HEAD"

#define SETTINGS_MAX 6

typedef enum Target
{
	TARGET_ROOT,
	TARGET_TABLE,
	TARGET_FUNCTION
} Target;

/* A request on its way. */
typedef struct Asked
{
	Request *request;
	Target target;
	DatabaseWait *query;
	Arena arena;
	RestError error;
	const char *challenge; /* for WWW-Authenticate; NULL: none */
	const char *allow;     /* for Allow; NULL: nothing */

	/* who, and where */
	bool known;
	const char *role;
	const char *claims;
	const char *schema;
	bool by_profile; /* the schema was chosen by a header */

	/* what */
	const RestCatalog *catalog; /* until it waits */
	uint64_t version;           /* of the catalog */
	RestHeaders headers;
	RestSql sql;
	int64_t offset;
	bool is_void;
	bool is_set;
	int64_t planned; /* rows; -1: not known */
} Asked;

/*
 * Replies.
 */

static void
free_asked(Asked *asked)
{
	arena_free(&asked->arena);
	free(asked);
}

static void
add_content_range(const Asked *asked, struct MHD_Response *response, int64_t rows, int64_t total)
{
	char range[64] = "*";
	char of[32] = "*";

	if (rows > 0 && total != 0)
		snprintf(range, sizeof(range), "%" PRId64 "-%" PRId64, asked->offset, asked->offset + rows - 1);
	if (total >= 0)
		snprintf(of, sizeof(of), "%" PRId64, total);
	reply_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, "%s/%s", range, of);
}

static enum MHD_Result
reply_failure(Asked *asked, int64_t total)
{
	struct MHD_Response *response;
	Text text = {0};
	enum MHD_Result result;

	rest_error_write(&asked->error, &text);
	response = reply_of_text(&text, "application/json; charset=utf-8");
	reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (asked->challenge != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, asked->challenge);
	else if (asked->error.status == MHD_HTTP_UNAUTHORIZED)
		reply_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (asked->allow != NULL)
		reply_header(response, MHD_HTTP_HEADER_ALLOW, "%s", asked->allow);
	if (asked->error.status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
		add_content_range(asked, response, 0, total);
	if (asked->error.status == MHD_HTTP_SERVICE_UNAVAILABLE)
		reply_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	result = reply_response(asked->request, asked->error.status, response);
	free_asked(asked);
	return result;
}

/* Why there is no answer. */
static bool
fail_outcome(Asked *asked, DatabaseOutcome outcome)
{
	switch (outcome)
	{
		case DATABASE_NONE:
			rest_fail(&asked->error, &asked->arena, 503, "PGRST000", "No database is configured");
			asked->error.hint = "--database, or DATABASE_URL";
			break;
		case DATABASE_LATE:
		case DATABASE_FULL:
			rest_fail(&asked->error, &asked->arena, 504, "PGRST003",
					  "Timed out acquiring connection from connection pool.");
			break;
		case DATABASE_STOPPING:
			rest_fail(&asked->error, &asked->arena, 503, "PGRST001", "The server is stopping");
			break;
		default:
			rest_fail(&asked->error, &asked->arena, 503, "PGRST000",
					  "Database connection error. Retrying the connection.");
	}
	return false;
}

static const char *
error_field(Asked *asked, const PGresult *result, int field)
{
	const char *text = PQresultErrorField(result, field);

	return text != NULL ? arena_string(&asked->arena, text) : NULL;
}

/* What PostgreSQL says. */
static bool
fail_sql(Asked *asked, const PGresult *result)
{
	const char *code = error_field(asked, result, PG_DIAG_SQLSTATE);
	const char *message = error_field(asked, result, PG_DIAG_MESSAGE_PRIMARY);

	if (code == NULL)
		return fail_outcome(asked, DATABASE_AWAY);
	asked->error = (RestError){.status = rest_error_status(code, message, asked->known),
							   .code = code,
							   .message = message,
							   .details = error_field(asked, result, PG_DIAG_MESSAGE_DETAIL),
							   .hint = error_field(asked, result, PG_DIAG_MESSAGE_HINT)};
	return false;
}

static void
add_applied(const Asked *asked, struct MHD_Response *response)
{
	static const char *const counts[] = {[REST_COUNT_EXACT] = "count=exact",
										 [REST_COUNT_PLANNED] = "count=planned",
										 [REST_COUNT_ESTIMATED] = "count=estimated"};
	const RestHeaders *headers = &asked->headers;
	Text text = {0};

	if (headers->count != REST_COUNT_NONE)
		text_format(&text, ", %s", counts[headers->count]);
	if (headers->strict || headers->lenient)
		text_format(&text, ", handling=%s", headers->strict ? "strict" : "lenient");
	if (headers->timezone != NULL)
		text_format(&text, ", timezone=%s", headers->timezone);
	if (headers->strict && headers->has_max_affected && asked->target == TARGET_FUNCTION)
		text_format(&text, ", max-affected=%" PRId64, headers->max_affected);
	if (text.len > 2)
		reply_header(response, "Preference-Applied", "%s", text.bytes + 2);
	text_free(&text);
}

static enum MHD_Result
reply_body(Asked *asked, int status, Text *body, const char *type, int64_t rows, int64_t total)
{
	struct MHD_Response *response = reply_of_text(body, type);
	enum MHD_Result result;

	if (rows >= 0)
		add_content_range(asked, response, rows, total);
	add_applied(asked, response);
	/* it is this client's, and of this moment */
	reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (asked->by_profile)
		reply_header(response, "Content-Profile", "%s", asked->schema);
	result = reply_response(asked->request, status, response);
	free_asked(asked);
	return result;
}

/*
 * Answers.
 */

/* The first "Plan Rows" of EXPLAIN's JSON is that of all of it. */
static void
take_plan(void *arg, int index, const PGresult *rows)
{
	static const char name[] = "\"Plan Rows\":";
	Asked *asked = arg;
	const char *found;

	if (index == 0 || PQntuples(rows) == 0)
		return;
	found = strstr(PQgetvalue(rows, 0, 0), name);
	if (found != NULL)
		asked->planned = strtoll(found + sizeof(name) - 1, NULL, 10);
}

/* All rows that there are; -1: nobody has asked, or it is not known. */
static int64_t
total_of(const Asked *asked, const PGresult *result)
{
	int64_t counted = PQgetisnull(result, 0, REST_SQL_TOTAL)
						  ? -1
						  : strtoll(PQgetvalue(result, 0, REST_SQL_TOTAL), NULL, 10);

	if (asked->headers.count == REST_COUNT_PLANNED)
		return asked->planned;
	if (asked->headers.count == REST_COUNT_ESTIMATED && options()->rest_max_rows > 0 &&
		counted > options()->rest_max_rows && asked->planned > counted)
		return asked->planned;
	return counted;
}

/* What is wrong with rows that are all right to the database. */
static bool
check_rows(Asked *asked, int64_t rows, int64_t total, bool has_body)
{
	RestError *error = &asked->error;

	if (asked->headers.media == REST_MEDIA_OBJECT && rows != 1)
	{
		rest_fail(error, &asked->arena, 406, "PGRST116", "Cannot coerce the result to a single JSON object");
		error->details = arena_format(&asked->arena, "The result contains %" PRId64 " rows", rows);
		return false;
	}
	if (asked->target == TARGET_FUNCTION && asked->headers.strict && asked->headers.has_max_affected &&
		rows > asked->headers.max_affected)
	{
		rest_fail(error, &asked->arena, 400, "PGRST124",
				  "Query result exceeds max-affected preference constraint");
		error->details = arena_format(&asked->arena, "The query affects %" PRId64 " rows", rows);
		return false;
	}
	if (total >= 0 && asked->offset > total)
	{
		rest_fail(error, &asked->arena, 416, "PGRST103", "Requested range not satisfiable");
		error->details = arena_format(
			&asked->arena, "An offset of %" PRId64 " was requested, but there are only %" PRId64 " rows.",
			asked->offset, total);
		return false;
	}
	if (has_body || asked->request->head || asked->is_void)
		return true;
	rest_fail(error, &asked->arena, 500, "54000", "the result is larger than %d MiB",
			  REST_SQL_BODY_MAX >> 20);
	error->hint = "Ask for fewer rows or columns";
	return false;
}

static enum MHD_Result
reply_rows(Asked *asked, const PGresult *result)
{
	int64_t rows = strtoll(PQgetvalue(result, 0, REST_SQL_ROWS), NULL, 10);
	int64_t total = total_of(asked, result);
	bool has_body = !PQgetisnull(result, 0, REST_SQL_BODY);
	Text body = {0};

	if (!check_rows(asked, rows, total, has_body))
		return reply_failure(asked, total);
	if (asked->is_void)
		return reply_body(asked, MHD_HTTP_NO_CONTENT, &body, rest_headers_content_type(&asked->headers), rows,
						  total);
	if (has_body && asked->sql.csv_head != NULL)
		text_format(&body, "%s\n", asked->sql.csv_head);
	if (has_body)
		text_add(&body, PQgetvalue(result, 0, REST_SQL_BODY), (size_t) PQgetlength(result, 0, REST_SQL_BODY));
	return reply_body(asked, total >= 0 && rows < total ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, &body,
					  rest_headers_content_type(&asked->headers), rows, total);
}

static enum MHD_Result
reply_description(Asked *asked, const PGresult *result)
{
	const RestCatalog *catalog = rest_listen_catalog();
	const char *host = request_header(asked->request, MHD_HTTP_HEADER_HOST);
	Text body = {0};

	if (!asked->request->head && catalog != NULL)
		rest_openapi_write(&body, catalog, asked->schema, result, host, options()->tls_cert != NULL,
						   options()->rest_jwt.algorithm != REST_JWT_NONE);
	return reply_body(asked, MHD_HTTP_OK, &body, rest_headers_content_type(&asked->headers), -1, -1);
}

static void
land(void *arg, DatabaseOutcome outcome, const PGresult *result)
{
	Asked *asked = arg;
	Request *request = asked->request;

	if (outcome == DATABASE_OK && asked->target == TARGET_ROOT)
		reply_description(asked, result);
	else if (outcome == DATABASE_OK && PQntuples(result) == 1)
		reply_rows(asked, result);
	else
	{
		if (result != NULL && outcome != DATABASE_OK)
			fail_sql(asked, result);
		else
			fail_outcome(asked, outcome);
		reply_failure(asked, -1);
	}
	suspend_resume(request);
}

/* The client has gone. */
static void
leave(void *arg)
{
	Asked *asked = arg;

	database_cancel(asked->query);
	free_asked(asked);
}

/*
 * Asking.
 */

static const char *
path_of(Asked *asked)
{
	const char *path = asked->request->target + sizeof(REST_PREFIX) - 1;
	size_t len = strcspn(path, "?");

	return len > 0 ? arena_copy(&asked->arena, path, len) : "/";
}

/* What is set for this request alone.  search_path is the session's, but for other schemas than the first. */
static DatabaseStatement
settings_of(Asked *asked)
{
	const RestSchema *schema = rest_catalog_schema(asked->catalog, asked->schema);
	const char **values = arena_get(&asked->arena, SETTINGS_MAX * sizeof(char *));
	const char *text = "SELECT pg_catalog.set_config('transaction_read_only', 'on', true), "
					   "pg_catalog.set_config('role', $1, true), "
					   "pg_catalog.set_config('request.jwt.claims', $2, true), "
					   "pg_catalog.set_config('request.method', $3, true), "
					   "pg_catalog.set_config('request.path', $4, true)";
	int count = 0;

	values[count++] = asked->role;
	values[count++] = asked->claims;
	values[count++] = asked->request->method;
	values[count++] = path_of(asked);
	if (asked->schema != options()->rest_schemas[0] && schema != NULL)
	{
		values[count++] = arena_format(&asked->arena, "%s, public", schema->quoted);
		text =
			arena_format(&asked->arena, "%s, pg_catalog.set_config('search_path', $%d, true)", text, count);
	}
	if (asked->headers.timezone != NULL)
	{
		values[count++] = asked->headers.timezone;
		text = arena_format(&asked->arena, "%s, pg_catalog.set_config('timezone', $%d, true)", text, count);
	}
	return (DatabaseStatement){text, count, values};
}

static enum MHD_Result
ask(Asked *asked, const RestSqlStatement *statement)
{
	const DatabaseStatement before[] = {
		settings_of(asked), {asked->sql.plan.text, asked->sql.plan.count, asked->sql.plan.values}};
	const DatabaseQuery query = {
		.name = asked->role,
		.text = statement->text,
		.count = statement->count,
		.values = statement->values,
		.before = before,
		.before_count = asked->sql.plan.text != NULL ? 2 : 1,
		.take = take_plan,
		.unlogged = true,
		.of_client = true,
	};
	DatabaseOutcome refused;

	asked->planned = -1;
	asked->query = database_query(&query, land, asked, &refused);
	if (asked->query == NULL)
	{
		fail_outcome(asked, refused);
		return reply_failure(asked, -1);
	}
	suspend_request(asked->request, leave, asked);
	return MHD_YES;
}

/* All values of a header, by commas; NULL: there is none. */
typedef struct Joined
{
	const char *name;
	Arena *arena;
	const char *value;
} Joined;

static enum MHD_Result
join_value(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	Joined *joined = arg;

	(void) kind;
	if (value != NULL && strcasecmp(name, joined->name) == 0)
		joined->value =
			joined->value != NULL ? arena_format(joined->arena, "%s,%s", joined->value, value) : value;
	return MHD_YES;
}

static const char *
all_of_header(Asked *asked, const char *name)
{
	Joined joined = {name, &asked->arena, NULL};

	MHD_get_connection_values(asked->request->connection, MHD_HEADER_KIND, join_value, &joined);
	return joined.value;
}

static const char *
query_string(const Asked *asked)
{
	const char *mark = strchr(asked->request->target, '?');

	return mark != NULL ? mark + 1 : NULL;
}

/* The rows that are wanted: those that the headers and the query string both allow, and no more than there may be. */
static bool
choose_range(Asked *asked, const RestQuery *query, RestSqlWish *wish)
{
	const RestHeaders *headers = &asked->headers;
	int64_t last = headers->last;
	int64_t end;

	wish->offset = query->offset > headers->first ? query->offset : headers->first;
	if (query->limit == 0)
	{
		asked->offset = wish->offset = wish->limit = 0;
		return true;
	}
	if (query->limit > 0)
	{
		if (__builtin_add_overflow(query->offset, query->limit - 1, &end))
			end = INT64_MAX;
		last = last < 0 || end < last ? end : last;
	}
	if (query->negative || headers->reversed || (last >= 0 && last < wish->offset))
	{
		rest_fail(&asked->error, &asked->arena, 416, "PGRST103", "Requested range not satisfiable");
		asked->error.details =
			headers->reversed
				? "The lower boundary must be lower than or equal to the upper boundary in the Range header."
				: "Limit should be greater than or equal to zero.";
		return false;
	}
	asked->offset = wish->offset;
	wish->limit = last < 0 ? -1 : last - wish->offset == INT64_MAX ? INT64_MAX : last - wish->offset + 1;
	if (options()->rest_max_rows > 0 && (wish->limit < 0 || wish->limit > options()->rest_max_rows))
		wish->limit = options()->rest_max_rows;
	return true;
}

/* What is preferred, and whether all of it can be had if it must. */
static bool
read_preferences(Asked *asked)
{
	RestHeaders *headers = &asked->headers;

	rest_headers_prefer(headers, all_of_header(asked, "Prefer"), &asked->arena);
	if (headers->timezone != NULL && !rest_catalog_has_zone(asked->catalog, headers->timezone))
		rest_headers_refuse_timezone(headers, &asked->arena);
	if (!headers->strict || headers->unknown == NULL)
		return true;
	rest_fail(&asked->error, &asked->arena, 400, "PGRST122",
			  "Invalid preferences given with handling=strict");
	asked->error.details = arena_format(&asked->arena, "Invalid preferences: %s", headers->unknown);
	return false;
}

static bool
fail_table(Asked *asked, const char *name)
{
	const char *best = NULL;
	double most = LIKE_NAME;

	for (int i = 0; i < asked->catalog->relation_count; i++)
	{
		const RestRelation *relation = &asked->catalog->relations[i];
		double likeness = rest_error_likeness(name, relation->name);

		if (strcmp(relation->schema->name, asked->schema) != 0 || likeness < most)
			continue;
		most = likeness;
		best = relation->name;
	}
	rest_fail(&asked->error, &asked->arena, 404, "PGRST205",
			  "Could not find the table '%s.%s' in the schema cache", asked->schema, name);
	if (best != NULL)
		asked->error.hint =
			arena_format(&asked->arena, "Perhaps you meant the table '%s.%s'", asked->schema, best);
	return false;
}

/* The statement for a table. */
static bool
plan_table(Asked *asked)
{
	RestQuery query;
	RestSqlWish wish = {.catalog = asked->catalog,
						.query = &query,
						.headers = &asked->headers,
						.count_most = options()->rest_max_rows,
						.bare = asked->request->head};
	const RestRelation *relation;

	if (!rest_query_read(&query, REST_QUERY_TABLE, query_string(asked), &asked->arena, &asked->error) ||
		!choose_range(asked, &query, &wish))
		return false;
	relation = rest_catalog_relation(asked->catalog, asked->schema, asked->request->symbol);
	if (relation == NULL)
		return fail_table(asked, asked->request->symbol);
	return rest_headers_accept(&asked->headers, all_of_header(asked, MHD_HTTP_HEADER_ACCEPT), false,
							   &asked->arena, &asked->error) &&
		   read_preferences(asked) &&
		   rest_sql_read(&asked->sql, &wish, relation, &asked->arena, &asked->error);
}

static bool
read_body(Asked *asked, RestBody *body)
{
	Request *request = asked->request;

	*body = (RestBody){.kind = REST_BODY_NONE, .bytes = ""};
	if (strcmp(request->method, MHD_HTTP_METHOD_POST) != 0)
		return true;
	if (request->body_too_long)
		return rest_fail(&asked->error, &asked->arena, 413, "PGRST102", "The body is larger than %d KiB",
						 REQUEST_BODY_MAX >> 10);
	if (!rest_call_body_kind(request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE), &body->kind,
							 &asked->arena, &asked->error))
		return false;
	body->bytes = request->body.bytes != NULL ? request->body.bytes : "";
	body->len = request->body.len;
	return true;
}

static bool
check_call(Asked *asked, const RestCall *call)
{
	asked->is_void = call->function->result == REST_RESULT_VOID;
	asked->is_set = call->function->is_set;
	if (!asked->headers.strict || !asked->headers.has_max_affected || asked->is_set)
		return true;
	return rest_fail(&asked->error, &asked->arena, 400, "PGRST128",
					 "Function must return SETOF or TABLE when max-affected preference is used with "
					 "handling=strict");
}

/* The statement for a function. */
static bool
plan_call(Asked *asked)
{
	RestQuery query;
	RestBody body;
	RestCall call;
	RestSqlWish wish = {.catalog = asked->catalog,
						.query = &query,
						.headers = &asked->headers,
						.count_most = options()->rest_max_rows};
	bool posted = strcmp(asked->request->method, MHD_HTTP_METHOD_POST) == 0;

	if (!rest_query_read(&query, posted ? REST_QUERY_CALLED : REST_QUERY_CALL, query_string(asked),
						 &asked->arena, &asked->error) ||
		!choose_range(asked, &query, &wish) || !read_body(asked, &body) ||
		!rest_call_choose(&call, asked->catalog, asked->schema, asked->request->symbol, &query, &body,
						  &asked->arena, &asked->error) ||
		!rest_headers_accept(&asked->headers, all_of_header(asked, MHD_HTTP_HEADER_ACCEPT), false,
							 &asked->arena, &asked->error) ||
		!read_preferences(asked) || !check_call(asked, &call))
		return false;
	wish.bare = asked->request->head || asked->is_void;
	return rest_sql_call(&asked->sql, &wish, &call, &asked->arena, &asked->error);
}

/* The statement that asks what the role may see. */
static bool
plan_root(Asked *asked)
{
	const RestSchema *schema = rest_catalog_schema(asked->catalog, asked->schema);
	const char **values = arena_get(&asked->arena, sizeof(char *));

	if (!rest_headers_accept(&asked->headers, all_of_header(asked, MHD_HTTP_HEADER_ACCEPT), true,
							 &asked->arena, &asked->error))
		return false;
	values[0] = schema != NULL ? arena_string(&asked->arena, schema->quoted) : "pg_catalog";
	asked->sql.query = (RestSqlStatement){.text = rest_openapi_query(), .count = 1, .values = values};
	return true;
}

/*
 * Who asks, and where.
 */

/* The claims with a role in them, which is the request's. */
static const char *
claims_with_role(Asked *asked, const char *claims)
{
	Text text = {0};
	const char *rest = claims + 1 + strspn(claims + 1, " ");
	const char *copy;

	text_string(&text, "{\"role\":");
	text_json(&text, asked->role, strlen(asked->role));
	text_format(&text, "%s%s", *rest == '}' ? "" : ",", rest);
	copy = arena_copy(&asked->arena, text.bytes, text.len);
	text_free(&text);
	return copy;
}

static bool
check_who(Asked *asked)
{
	RestJwtClaims claims;

	if (!rest_jwt_check(&options()->rest_jwt, request_header(asked->request, MHD_HTTP_HEADER_AUTHORIZATION),
						loop_unix() / LOOP_SECOND, &asked->known, &claims, &asked->arena, &asked->error,
						&asked->challenge))
		return false;
	asked->role = claims.role != NULL ? claims.role : options()->rest_role;
	if (asked->role == NULL)
		return rest_fail(&asked->error, &asked->arena, 401, "PGRST302", "Anonymous access is disabled");
	asked->claims =
		claims.role != NULL ? claims.json : claims_with_role(asked, claims.json != NULL ? claims.json : "{}");
	return true;
}

static bool
choose_schema(Asked *asked)
{
	const Options *now = options();
	const char *list = now->rest_schemas[0];
	const char *wanted;

	asked->schema = now->rest_schemas[0];
	if (now->rest_schema_count == 1)
		return true;
	asked->by_profile = true;
	wanted = request_header(asked->request, strcmp(asked->request->method, MHD_HTTP_METHOD_POST) == 0
												? "Content-Profile"
												: "Accept-Profile");
	for (int i = 0; i < now->rest_schema_count; i++)
	{
		if (wanted == NULL || strcmp(now->rest_schemas[i], wanted) == 0)
		{
			asked->schema = now->rest_schemas[i];
			return true;
		}
		if (i > 0)
			list = arena_format(&asked->arena, "%s, %s", list, now->rest_schemas[i]);
	}
	rest_fail(&asked->error, &asked->arena, 406, "PGRST106", "Invalid schema: %s",
			  rest_query_is_utf8(wanted, strlen(wanted)) ? wanted : "it is not UTF-8");
	asked->error.hint = arena_format(&asked->arena, "Only the following schemas are exposed: %s", list);
	return false;
}

static bool
check_method(Asked *asked)
{
	const char *method = asked->request->method;

	if (asked->request->head || strcmp(method, MHD_HTTP_METHOD_GET) == 0)
		return true;
	if (asked->target == TARGET_FUNCTION && strcmp(method, MHD_HTTP_METHOD_POST) == 0)
		return true;
	asked->allow = asked->target == TARGET_FUNCTION ? METHOD_HEADERS ", POST" : METHOD_HEADERS;
	if (asked->target == TARGET_FUNCTION)
		return rest_fail(&asked->error, &asked->arena, 405, "PGRST101", "Cannot use the %.20s method on RPC",
						 method);
	rest_fail(&asked->error, &asked->arena, 405, "PGRST117", "Unsupported HTTP method: %.20s", method);
	asked->error.hint = "Nothing can be changed here: only GET and HEAD are served";
	return false;
}

static bool
find_catalog(Asked *asked)
{
	if (options()->database == NULL)
		return fail_outcome(asked, DATABASE_NONE);
	asked->catalog = rest_listen_catalog();
	if (asked->catalog != NULL)
		return true;
	return rest_fail(&asked->error, &asked->arena, 503, "PGRST002",
					 "Could not query the database for the schema cache. Retrying.");
}

static bool
plan(Asked *asked)
{
	Request *request = asked->request;

	if (!check_method(asked) || !find_catalog(asked) || !check_who(asked) || !choose_schema(asked))
		return false;
	if (!rest_query_is_utf8(request->symbol, request->symbol_len))
		return rest_fail(&asked->error, &asked->arena, 404, "PGRST125",
						 "Invalid path specified in request URL");
	if (strcmp(request->method, MHD_HTTP_METHOD_GET) == 0)
		rest_headers_range(&asked->headers, request_header(request, MHD_HTTP_HEADER_RANGE));
	else
		asked->headers.last = -1;
	switch (asked->target)
	{
		case TARGET_TABLE:
			return plan_table(asked);
		case TARGET_FUNCTION:
			return plan_call(asked);
		default:
			return plan_root(asked);
	}
}

static enum MHD_Result
serve(Request *request, Target target)
{
	Asked *asked = memory_get(sizeof(Asked));

	asked->request = request;
	asked->target = target;
	if (!plan(asked))
		return reply_failure(asked, -1);
	return ask(asked, &asked->sql.query);
}

enum MHD_Result
rest_root(Request *request)
{
	return serve(request, TARGET_ROOT);
}

enum MHD_Result
rest_table(Request *request)
{
	return serve(request, TARGET_TABLE);
}

enum MHD_Result
rest_function(Request *request)
{
	return serve(request, TARGET_FUNCTION);
}

enum MHD_Result
rest_unknown(Request *request)
{
	Asked *asked = memory_get(sizeof(Asked));

	asked->request = request;
	rest_fail(&asked->error, &asked->arena, 404, "PGRST125", "Invalid path specified in request URL");
	return reply_failure(asked, -1);
}
