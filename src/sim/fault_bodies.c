/*
 * fault_bodies.c
 *	  The bodies that faults send; see faults.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "gzip.h"
#include "memory.h"

#define BIG_BODY (UINT64_C(100) << 20)
#define BLOCK_SIZE 32768 /* what MHD asks a callback for at a time */
#define LONG_SYMBOL 10240
#define LONG_NUMBER 400

static const char data_open[] = "{\"data\":[";
static const char row_between[] = "},{";
static const char row_last[] = "}]";
static const char info_open[] = "],\"info\":";

/* One row of the huge body, again and again. */
static const char huge_row[] = "{\"id\":\"90\",\"symbol\":\"BTC\",\"name\":\"Bitcoin\",\"nameid\":"
							   "\"bitcoin\",\"rank\":1,\"price_usd\":\"1.00\","
							   "\"percent_change_24h\":\"0.00\",\"percent_change_1h\":\"0.00\",\"percent_"
							   "change_7d\":\"0.00\",\"price_btc\":\"1.00\","
							   "\"market_cap_usd\":\"1.00\",\"volume24\":1,\"volume24a\":1,\"csupply\":\"1\","
							   "\"tsupply\":\"1\",\"msupply\":\"\"},";

/* Every absurd row has these names but for what is absurd about it. */
typedef struct AbsurdRow
{
	const char *nameid;
	const char *symbol; /* these are JSON, quotes and all */
	const char *rank;
	const char *price;
	const char *change;
	const char *cap;
	const char *volume;
} AbsurdRow;

static const AbsurdRow absurd_rows[] = {
	{"absurd-negative", "\"NEGATIVE\"", "11", "\"-77146.66\"", "\"-100.01\"", "\"-1\"", "-5"},
	{"absurd-exponent", "\"EXPONENT\"", "12", "\"1e999999\"", "\"-1e999999\"", "\"1e-999999\"", "1e999999"},
	{"absurd-nan", "\"NOTANUMBER\"", "13", "\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "0"},
	{"absurd-hex", "\"HEX\"", "14", "\"0x1F\"", "\"1,5\"", "\"1 000\"", "1"},
	{"absurd-rank", "\"MINUSFIVE\"", "-5", "\"1.00\"", "\"0.00\"", "\"1.00\"", "1"},
	{"absurd-rank-huge", "\"HUGERANK\"", "99999999999999999999", "\"1.00\"", "\"0.00\"", "\"1.00\"", "1"},
	{"absurd-rank-text", "\"RANKTEXT\"", "\"first\"", "\"1.00\"", "\"0.00\"", "\"1.00\"", "1"},
	{"absurd-utf8", "\"\xff\xfe\xc3(\xed\xa0\x80\"", "15", "\"1.00\"", "\"0.00\"", "\"1.00\"", "1"},
	{"absurd-nul", "\"N\\u0000UL\"", "16", "\"1\\u00002\"", "\"0.00\"", "\"1.00\"", "1"},
	{"absurd-control", "\"A\\u001bB\\nC\"", "17", "\"1.00\"", "\"0.00\"", "\"1.00\"", "1"},
	{"absurd-surrogate", "\"\\ud800X\"", "18", "\"1.00\"", "\"0.00\"", "\"1.00\"", "1"},
	{"absurd-empty", "\"\"", "19", "\"1.00\"", "\"0.00\"", "\"1.00\"", "1"},
	{"absurd-object", "{\"a\":{\"b\":[1,2,3]}}", "20", "{\"usd\":\"1.00\"}", "[]", "{}", "{}"},
	{"absurd-types", "42", "1.5", "true", "false", "[\"1\"]", "\"many\""},
	{"absurd-spaces", "\"  \"", "21", "\" 1.00 \"", "\"+1.00\"", "\".5\"", "1"},
	{"bitcoin", "\"BTC\"", "1", "\"0.01\"", "\"0.00\"", "\"1.00\"", "1"}, /* once more, and cheap */
};

static char *bomb;
static size_t bomb_len;

bool
fault_needs_answer(FaultMode mode)
{
	switch (mode)
	{
		case FAULT_TRUNCATE:
		case FAULT_CUT_JSON:
		case FAULT_BAD_JSON:
		case FAULT_EMPTY:
		case FAULT_NULL_DATA:
		case FAULT_ABSURD:
			return true;
		default:
			return false;
	}
}

static const char *
phrase(unsigned status)
{
	switch (status)
	{
		case 403:
			return "Attention Required! | Cloudflare";
		case 429:
			return "You are being rate limited";
		case 520:
			return "Web server is returning an unknown error";
		case 521:
			return "Web server is down";
		case 522:
			return "Connection timed out";
		case 523:
			return "Origin is unreachable";
		case 524:
			return "A timeout occurred";
		default:
		{
			const char *usual = MHD_get_reason_phrase_for(status);

			return usual != NULL ? usual : "Error";
		}
	}
}

static void
cloudflare_page(Text *text, unsigned status)
{
	text_format(text,
				"<!DOCTYPE html>\n<html class=\"no-js\" lang=\"en-US\">\n<head>\n<title>api.coinlore.net | "
				"%u: %s</title>\n"
				"<meta charset=\"UTF-8\" />\n<meta name=\"robots\" content=\"noindex, nofollow\" "
				"/>\n</head>\n<body>\n"
				"<div id=\"cf-wrapper\">\n<h1><span class=\"inline-block\">%s</span> <span>Error code "
				"%u</span></h1>\n"
				"<p>Visit cloudflare.com for more information.</p>\n"
				"<p>Cloudflare Ray ID: <strong>8f0c0ffee0ddba11</strong> &bull; Performance &amp; security "
				"by Cloudflare</p>\n"
				"</div>\n</body>\n</html>\n",
				status, phrase(status), phrase(status), status);
}

static Answer *
redirect_to(const char *location, Text *body)
{
	Answer *answer;

	cloudflare_page(body, MHD_HTTP_FOUND);
	answer = answer_new(MHD_HTTP_FOUND, ANSWER_HTML, body);
	answer->location = memory_dup(location);
	return answer;
}

/* The target with the other spelling: without the slash at the end of its path. */
static Answer *
redirect_same(const char *target, Text *body)
{
	Text location = TEXT_EMPTY;
	size_t path = strcspn(target, "?");
	Answer *answer;

	text_bytes(&location, target, path > 0 && target[path - 1] == '/' ? path - 1 : path);
	text_add(&location, target + path);
	answer = redirect_to(location.bytes, body);
	text_free(&location);
	return answer;
}

static void
add_absurd_row(Text *text, const AbsurdRow *row)
{
	text_format(
		text,
		"{\"id\":\"666\",\"symbol\":%s,\"name\":\"Absurd\",\"nameid\":\"%s\",\"rank\":%s,\"price_usd\":%s,"
		"\"percent_change_24h\":%s,\"percent_change_1h\":%s,\"percent_change_7d\":%s,\"price_btc\":%s,"
		"\"market_cap_usd\":%s,\"volume24\":%s,\"volume24a\":%s,\"csupply\":%s,\"tsupply\":%s,\"msupply\":%s}"
		",",
		row->symbol, row->nameid, row->rank, row->price, row->change, row->change, row->change, row->price,
		row->cap, row->volume, row->volume, row->cap, row->cap, row->cap);
}

static void
add_absurd_rows(Text *text)
{
	Text symbol = TEXT_EMPTY;
	Text number = TEXT_EMPTY;
	AbsurdRow row = {"absurd-long-symbol", NULL, "22", "\"1.00\"", "\"0.00\"", "\"1.00\"", "1"};

	for (size_t i = 0; i < sizeof(absurd_rows) / sizeof(absurd_rows[0]); i++)
		add_absurd_row(text, &absurd_rows[i]);
	text_add(&symbol, "\"");
	text_repeat(&symbol, 'L', LONG_SYMBOL);
	text_add(&symbol, "\"");
	row.symbol = symbol.bytes;
	add_absurd_row(text, &row);
	text_add(&number, "\"");
	text_repeat(&number, '7', LONG_NUMBER);
	text_add(&number, ".");
	text_repeat(&number, '3', LONG_NUMBER);
	text_add(&number, "\"");
	row = (AbsurdRow){"absurd-long-number", "\"LONGNUMBER\"", "23", number.bytes,
					  number.bytes,         number.bytes,     "1"};
	add_absurd_row(text, &row);
	text_add(text, "null,42,\"row\",[],{},{\"nameid\":\"absurd-bare\"},");
	text_free(&symbol);
	text_free(&number);
}

/* The rows of the page, all of them, with the absurd ones behind the first, and the first once more. */
static void
absurd(Text *text, const Answer *answer)
{
	const char *rows = answer->body + strlen(data_open);
	const char *end;

	if (strncmp(answer->body, data_open, strlen(data_open)) != 0 || rows[0] != '{')
	{
		text_add(text, data_open);
		add_absurd_rows(text);
		text_add(text, "{}],\"info\":{\"coins_num\":-1,\"time\":\"now\"}}");
		return;
	}
	end = strstr(rows, row_between);
	if (end == NULL)
		end = strstr(rows, row_last);
	if (end == NULL)
		end = rows + strlen(rows) - 1;
	text_add(text, data_open);
	text_bytes(text, rows, (size_t) (end + 1 - rows));
	text_add(text, ",");
	add_absurd_rows(text);
	text_add(text, rows);
}

/* A page with something else for its rows; its info stays. */
static void
without_data(Text *text, const char *data, const Answer *answer)
{
	const char *info = NULL;

	for (const char *at = strstr(answer->body, info_open); at != NULL; at = strstr(at + 1, info_open))
		info = at;
	text_format(text, "{\"data\":%s%s", data,
				info != NULL ? info + 1 : ",\"info\":{\"coins_num\":0,\"time\":0}}");
}

/* An unknown text in place of what follows a field's name, halfway through. */
static void
bad_json(Text *text, const Answer *answer)
{
	const char *middle = answer->body + answer->len / 2;
	const char *colon = strstr(middle, "\":");
	size_t at = colon != NULL ? (size_t) (colon + 1 - answer->body) : answer->len / 2;

	text_bytes(text, answer->body, at);
	text_add(text, "= oops,,");
	text_bytes(text, answer->body + at, answer->len - at);
}

Answer *
fault_answer(const Fault *fault, const Answer *answer, const char *target)
{
	Text body = TEXT_EMPTY;
	Answer *result;

	switch (fault->mode)
	{
		case FAULT_STATUS:
			if (fault->status != MHD_HTTP_NO_CONTENT && fault->status != MHD_HTTP_NOT_MODIFIED)
				cloudflare_page(&body, fault->status);
			result = answer_new(fault->status, ANSWER_HTML, &body);
			if (fault->retry_after[0] != '\0')
				result->retry_after = memory_dup(fault->retry_after);
			return result;
		case FAULT_CUT_JSON:
			text_bytes(&body, answer->body, answer->len / 2);
			return answer_new(MHD_HTTP_OK, ANSWER_JSON, &body);
		case FAULT_BAD_JSON:
			bad_json(&body, answer);
			return answer_new(MHD_HTTP_OK, ANSWER_JSON, &body);
		case FAULT_WRONG_TYPE:
			cloudflare_page(&body, MHD_HTTP_OK);
			return answer_new(MHD_HTTP_OK, ANSWER_HTML, &body);
		case FAULT_EMPTY:
			without_data(&body, "[]", answer);
			return answer_new(MHD_HTTP_OK, ANSWER_JSON, &body);
		case FAULT_NULL_DATA:
			without_data(&body, "null", answer);
			return answer_new(MHD_HTTP_OK, ANSWER_JSON, &body);
		case FAULT_NO_BODY:
			return answer_new(MHD_HTTP_OK, ANSWER_JSON, &body);
		case FAULT_ABSURD:
			absurd(&body, answer);
			return answer_new(MHD_HTTP_OK, ANSWER_JSON, &body);
		case FAULT_REDIRECT:
			return redirect_to("http://127.0.0.2:1/", &body);
		case FAULT_REDIRECT_SAME:
			return redirect_same(target, &body);
		default:
			return NULL;
	}
}

typedef struct Truncated
{
	size_t len;
	char bytes[];
} Truncated;

static ssize_t
read_truncated(void *cls, uint64_t at, char *buf, size_t max)
{
	const Truncated *truncated = cls;
	size_t left = at < truncated->len ? truncated->len - (size_t) at : 0;

	if (left == 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (left > max)
		left = max;
	memcpy(buf, truncated->bytes + at, left);
	return (ssize_t) left;
}

static struct MHD_Response *
truncate_response(const Answer *answer)
{
	size_t len = answer->len / 2;
	Truncated *truncated = memory_get(sizeof(Truncated) + len);

	truncated->len = len;
	memcpy(truncated->bytes, answer->body, len);
	return MHD_create_response_from_callback(answer->len, BLOCK_SIZE, read_truncated, truncated, free);
}

static ssize_t
read_huge(void *cls, uint64_t at, char *buf, size_t max)
{
	const size_t head = strlen(data_open);
	const size_t row = strlen(huge_row);
	size_t n = 0;

	(void) cls;
	if (at >= BIG_BODY)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (at < head)
	{
		n = head - (size_t) at < max ? head - (size_t) at : max;
		memcpy(buf, data_open + at, n);
		return (ssize_t) n;
	}
	while (n < max)
	{
		size_t from = (size_t) ((at - head + n) % row);
		size_t piece = row - from < max - n ? row - from : max - n;

		memcpy(buf + n, huge_row + from, piece);
		n += piece;
	}
	return (ssize_t) n;
}

static struct MHD_Response *
bomb_response(void)
{
	struct MHD_Response *response;

	if (bomb == NULL)
		bomb = gzip_bomb("{\"data\":[{\"id\":\"90\",\"symbol\":\"", 'A', BIG_BODY, "\"}]}", &bomb_len);
	response = MHD_create_response_from_buffer(bomb_len, bomb, MHD_RESPMEM_PERSISTENT);
	if (response != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	return response;
}

struct MHD_Response *
fault_response(const Fault *fault, const Answer *answer)
{
	struct MHD_Response *response;

	switch (fault->mode)
	{
		case FAULT_TRUNCATE:
			response = truncate_response(answer);
			break;
		case FAULT_HUGE:
			response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_huge, NULL, NULL);
			break;
		case FAULT_GZIP_BOMB:
			response = bomb_response();
			break;
		default:
			return NULL;
	}
	answer_headers(memory_check(response), ANSWER_JSON, true);
	return response;
}

void
faults_end(void)
{
	free(bomb);
	bomb = NULL;
}
