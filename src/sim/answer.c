/*
 * answer.c
 *	  See answer.h.
 */
#include "answer.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gzip.h"
#include "memory.h"

#define WORTH_PACKING 200 /* bytes */

static struct MHD_Response *
response_of(const char *bytes, size_t len)
{
	return memory_check(MHD_create_response_from_buffer(len, (void *) bytes, MHD_RESPMEM_MUST_FREE));
}

Answer *
answer_new(unsigned status, const char *type, Text *body)
{
	Answer *answer = memory_get(sizeof(Answer));

	text_add(body, "");
	answer->status = status;
	answer->type = memory_dup(type);
	answer->body = body->bytes;
	answer->len = body->len;
	answer->simulated = true;
	answer->sharers = 1;
	answer->plain = response_of(body->bytes, body->len);
	*body = TEXT_EMPTY;
	return answer;
}

Answer *
answer_error(unsigned status, const char *format, ...)
{
	Text body = TEXT_EMPTY;
	char what[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	text_add(&body, "{\"error\":");
	text_json_string(&body, what);
	text_add(&body, "}\n");
	return answer_new(status, ANSWER_JSON, &body);
}

Answer *
answer_share(Answer *answer)
{
	answer->sharers++;
	return answer;
}

void
answer_drop(Answer *answer)
{
	if (answer == NULL || --answer->sharers > 0)
		return;
	MHD_destroy_response(answer->plain);
	if (answer->packed != NULL)
		MHD_destroy_response(answer->packed);
	free(answer->type);
	free(answer->retry_after);
	free(answer->location);
	free(answer->first_nameid);
	free(answer->first_price);
	free(answer);
}

void
answer_read_first_row(Answer *answer)
{
	struct json_object *page = json_tokener_parse(answer->body);
	struct json_object *rows;
	struct json_object *field;

	if (json_object_is_type(page, json_type_object) && json_object_object_get_ex(page, "data", &rows) &&
		json_object_is_type(rows, json_type_array) && json_object_array_length(rows) > 0)
	{
		struct json_object *row = json_object_array_get_idx(rows, 0);

		if (json_object_is_type(row, json_type_object))
		{
			if (json_object_object_get_ex(row, "nameid", &field) && field != NULL)
				answer->first_nameid = memory_dup(json_object_get_string(field));
			if (json_object_object_get_ex(row, "price_usd", &field) && field != NULL)
				answer->first_price = memory_dup(json_object_get_string(field));
		}
	}
	json_object_put(page);
}

void
answer_headers(struct MHD_Response *response, const char *type, bool simulated)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_SERVER, "cloudflare");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "Cf-Cache-Status", "DYNAMIC");
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	if (simulated)
		MHD_add_response_header(response, "X-Simulated", "true");
}

/* The response's headers, once it is first sent. */
static void
dress(const Answer *answer, struct MHD_Response *response)
{
	if (MHD_get_response_header(response, MHD_HTTP_HEADER_SERVER) != NULL)
		return;
	answer_headers(response, answer->type, answer->simulated);
	if (answer->retry_after != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, answer->retry_after);
	if (answer->location != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, answer->location);
}

enum MHD_Result
answer_send(Answer *answer, struct MHD_Connection *connection)
{
	struct MHD_Response *response = answer->plain;

	if (answer->len >= WORTH_PACKING && answer_accepts_gzip(connection))
	{
		if (answer->packed == NULL)
		{
			size_t len;
			char *bytes = gzip_pack(answer->body, answer->len, &len);

			answer->packed = response_of(bytes, len);
			MHD_add_response_header(answer->packed, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
		}
		response = answer->packed;
	}
	dress(answer, response);
	return MHD_queue_response(connection, answer->status, response);
}

bool
answer_accepts_gzip(struct MHD_Connection *connection)
{
	const char *accept =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);

	while (accept != NULL && *accept != '\0')
	{
		size_t len;

		accept += strspn(accept, " \t,");
		len = strcspn(accept, " \t;,");
		if (len == 4 && strncasecmp(accept, "gzip", 4) == 0)
		{
			accept += len + strspn(accept + len, " \t");
			/* "gzip;q=0" is a refusal, "gzip;q=0.5" is none */
			return *accept != ';' || strncasecmp(accept, ";q=0", 4) != 0 || strtod(accept + 3, NULL) > 0;
		}
		accept += strcspn(accept, ",");
	}
	return false;
}
