/*
 * quote_read.c
 *	  See quote_read.h.
 *
 * It is read by hand, since what is kept are the bytes themselves and where in them a number stands, which a JSON library
 * does not tell.
 */
#include "quote_read.h"

#include <stdio.h>
#include <string.h>

#include "../core/tier.h"
#include "loop.h"

#define DEPTH_MAX 8         /* of arrays and objects in each other */
#define INTERVAL_UNKNOWN 60 /* seconds */

typedef enum Field
{
	FIELD_SYMBOL,
	FIELD_PRICE,
	FIELD_LAST_UPDATED,
	FIELD_CHANGE_24H,
	FIELD_VOLUME_24H,
	FIELD_RANK,
	FIELD_INTERVAL,
	FIELD_TIER,
	FIELD_SOURCE,
	FIELD_ID,
	FIELDS
} Field;

typedef enum Kind
{
	KIND_STRING, /* its span is what stands between the quotes */
	KIND_NUMBER,
	KIND_NULL,
	KIND_OTHER
} Kind;

static const struct
{
	const char *name;
	Kind kind;
	bool needed;
} fields[FIELDS] = {
	[FIELD_SYMBOL] = {"symbol", KIND_STRING, true},
	[FIELD_PRICE] = {"price", KIND_NUMBER, true},
	[FIELD_LAST_UPDATED] = {"last_updated", KIND_STRING, true},
	[FIELD_CHANGE_24H] = {"change_24h", KIND_NUMBER, false},
	[FIELD_VOLUME_24H] = {"volume_24h", KIND_NUMBER, false},
	[FIELD_RANK] = {"rank", KIND_NUMBER, false},
	[FIELD_INTERVAL] = {"update_interval", KIND_NUMBER, false},
	[FIELD_TIER] = {"tier", KIND_STRING, false},
	[FIELD_SOURCE] = {"source", KIND_STRING, false},
	[FIELD_ID] = {"id", KIND_STRING, false},
};

/* A quote's JSON while it is read. */
typedef struct Scan
{
	const char *json;
	size_t len;
	size_t at;
	bool seen[FIELDS];
	Span spans[FIELDS];
	const char *why; /* what is wrong */
} Scan;

static char why_text[96];

/*
 * Reading a quote's JSON.
 */

static bool
wrong(Scan *scan, const char *why)
{
	scan->why = why;
	return false;
}

static bool
field_wrong(Scan *scan, Field field, const char *what)
{
	snprintf(why_text, sizeof(why_text), "%s %s", fields[field].name, what);
	return wrong(scan, why_text);
}

static char
peek(const Scan *scan)
{
	return scan->at < scan->len ? scan->json[scan->at] : '\0';
}

static void
skip_spaces(Scan *scan)
{
	while (peek(scan) == ' ')
		scan->at++;
}

static bool
take_char(Scan *scan, char c)
{
	if (peek(scan) != c)
		return false;
	scan->at++;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		return (c | 0x20) - 'a' + 10;
	return -1;
}

static bool
scan_escape(Scan *scan)
{
	char c = peek(scan);

	if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
		return wrong(scan, "a string holds a wrong escape");
	scan->at++;
	for (int i = 0; c == 'u' && i < 4; i++, scan->at++)
		if (hex_digit(peek(scan)) < 0)
			return wrong(scan, "a string holds a wrong escape");
	return true;
}

static bool
scan_string(Scan *scan, Span *span)
{
	size_t begin = ++scan->at;

	while (scan->at < scan->len)
	{
		char c = scan->json[scan->at++];

		if (c == '"')
		{
			*span = (Span){.at = (uint16_t) begin, .len = (uint16_t) (scan->at - 1 - begin)};
			return true;
		}
		if (c == '\\' && !scan_escape(scan))
			return false;
	}
	return wrong(scan, "a string does not end");
}

/* Skip digits; false: there are none. */
static bool
scan_digits(Scan *scan)
{
	size_t begin = scan->at;

	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->at++;
	return scan->at > begin;
}

static bool
scan_number(Scan *scan, Span *span)
{
	size_t begin = scan->at;
	Decimal d;
	bool good;

	take_char(scan, '-');
	good = take_char(scan, '0') || scan_digits(scan);
	if (good && take_char(scan, '.'))
		good = scan_digits(scan);
	if (good && (take_char(scan, 'e') || take_char(scan, 'E')))
	{
		if (!take_char(scan, '+'))
			take_char(scan, '-');
		good = scan_digits(scan);
	}
	if (!good)
		return wrong(scan, "it is no JSON");
	*span = (Span){.at = (uint16_t) begin, .len = (uint16_t) (scan->at - begin)};
	if (decimal_parse(scan->json + begin, span->len, &d) != DECIMAL_OK)
		return wrong(scan, "a number is out of range");
	return true;
}

static bool
scan_word(Scan *scan, const char *word)
{
	size_t len = strlen(word);

	if (scan->len - scan->at < len || memcmp(scan->json + scan->at, word, len) != 0)
		return wrong(scan, "it is no JSON");
	scan->at += len;
	return true;
}

static bool scan_value(Scan *scan, int depth, Kind *kind, Span *span);

/* The members of an array or an object within a quote; nobody wants to know them. */
static bool
scan_nested(Scan *scan, int depth)
{
	char end = scan->json[scan->at++] == '{' ? '}' : ']';
	Kind kind;
	Span span;

	if (depth == DEPTH_MAX)
		return wrong(scan, "it is nested too deep");
	skip_spaces(scan);
	if (take_char(scan, end))
		return true;
	do
	{
		skip_spaces(scan);
		if (end == '}')
		{
			if (peek(scan) != '"')
				return wrong(scan, "it is no JSON");
			if (!scan_string(scan, &span))
				return false;
			skip_spaces(scan);
			if (!take_char(scan, ':'))
				return wrong(scan, "it is no JSON");
			skip_spaces(scan);
		}
		if (!scan_value(scan, depth + 1, &kind, &span))
			return false;
		skip_spaces(scan);
	} while (take_char(scan, ','));
	return take_char(scan, end) || wrong(scan, "it is no JSON");
}

static bool
scan_value(Scan *scan, int depth, Kind *kind, Span *span)
{
	switch (peek(scan))
	{
		case '"':
			*kind = KIND_STRING;
			return scan_string(scan, span);
		case '{':
		case '[':
			*kind = KIND_OTHER;
			return scan_nested(scan, depth);
		case 't':
			*kind = KIND_OTHER;
			return scan_word(scan, "true");
		case 'f':
			*kind = KIND_OTHER;
			return scan_word(scan, "false");
		case 'n':
			*kind = KIND_NULL;
			return scan_word(scan, "null");
		default:
			*kind = KIND_NUMBER;
			return scan_number(scan, span);
	}
}

static Field
field_of(const char *name, size_t len)
{
	Field field = 0;

	while (field < FIELDS &&
		   (strlen(fields[field].name) != len || memcmp(fields[field].name, name, len) != 0))
		field++;
	return field;
}

/* A field of the quote itself: its name, a colon, its value. */
static bool
scan_field(Scan *scan)
{
	Span name;
	Span span;
	Kind kind;
	Field field;

	skip_spaces(scan);
	if (peek(scan) != '"')
		return wrong(scan, "it is no JSON");
	if (!scan_string(scan, &name))
		return false;
	if (memchr(scan->json + name.at, '\\', name.len) != NULL)
		return wrong(scan, "the name of a field holds an escape");
	field = field_of(scan->json + name.at, name.len);
	skip_spaces(scan);
	if (!take_char(scan, ':'))
		return wrong(scan, "it is no JSON");
	skip_spaces(scan);
	if (!scan_value(scan, 1, &kind, &span))
		return false;
	skip_spaces(scan);
	if (field == FIELDS)
		return true;
	if (scan->seen[field])
		return field_wrong(scan, field, "is there twice");
	if (kind == KIND_NULL && !fields[field].needed)
		return true;
	if (kind != fields[field].kind)
		return field_wrong(scan, field, fields[field].kind == KIND_STRING ? "is no string" : "is no number");
	scan->seen[field] = true;
	scan->spans[field] = span;
	return true;
}

/* The whole of it: one object, nothing before or after. */
static bool
scan_quote(Scan *scan)
{
	if (scan->len > QUOTE_READ_MAX)
		return wrong(scan, "it is too long");
	if (!symbol_text_valid(scan->json, scan->len))
		return wrong(scan, "it holds control characters or is not UTF-8");
	if (!take_char(scan, '{'))
		return wrong(scan, "it is no JSON object");
	do
	{
		if (!scan_field(scan))
			return false;
	} while (take_char(scan, ','));
	if (!take_char(scan, '}') || scan->at != scan->len)
		return wrong(scan, "it is no JSON object");
	for (Field field = 0; field < FIELDS; field++)
		if (fields[field].needed && !scan->seen[field])
			return field_wrong(scan, field, "is missing");
	return true;
}

static size_t
put_utf8(char *out, uint32_t c)
{
	if (c < 0x80)
	{
		out[0] = (char) c;
		return 1;
	}
	if (c < 0x800)
	{
		out[0] = (char) (0xc0 | c >> 6);
		out[1] = (char) (0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000)
	{
		out[0] = (char) (0xe0 | c >> 12);
		out[1] = (char) (0x80 | (c >> 6 & 0x3f));
		out[2] = (char) (0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char) (0xf0 | c >> 18);
	out[1] = (char) (0x80 | (c >> 12 & 0x3f));
	out[2] = (char) (0x80 | (c >> 6 & 0x3f));
	out[3] = (char) (0x80 | (c & 0x3f));
	return 4;
}

static uint32_t
read_hex4(const char *p)
{
	uint32_t c = 0;

	for (int i = 0; i < 4; i++)
		c = c << 4 | (uint32_t) hex_digit(p[i]);
	return c;
}

/* The character of the escape behind a backslash at p; *p goes on behind it. */
static uint32_t
read_escape(const char **p, const char *end)
{
	static const char letters[] = "bfnrt";
	static const char meanings[] = "\b\f\n\r\t";
	const char *letter;
	uint32_t c;

	if (**p != 'u')
	{
		letter = strchr(letters, **p);
		c = letter != NULL ? (unsigned char) meanings[letter - letters] : (unsigned char) **p;
		(*p)++;
		return c;
	}
	c = read_hex4(*p + 1);
	*p += 5;
	if (c >= 0xd800 && c < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u')
	{
		uint32_t low = read_hex4(*p + 2);

		if (low >= 0xdc00 && low < 0xe000)
		{
			*p += 6;
			return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return c; /* half of a pair is no UTF-8, as symbol_text_valid will find */
}

/* Copy a string that makes up who a coin is: whole, and plain text.  One that is not there is "". */
static bool
take_text(Scan *scan, Field field, char *out, size_t size)
{
	const char *p = scan->json + scan->spans[field].at;
	const char *end = p + scan->spans[field].len;
	size_t len = 0;

	while (p < end)
	{
		char piece[4];
		size_t n = 1;

		piece[0] = *p++;
		if (piece[0] == '\\')
			n = put_utf8(piece, read_escape(&p, end));
		if (len + n >= size)
			return field_wrong(scan, field, "is too long");
		memcpy(out + len, piece, n);
		len += n;
	}
	out[len] = '\0';
	if (!symbol_text_valid(out, len))
		return field_wrong(scan, field, "holds control characters or is not UTF-8");
	return true;
}

static bool
take_integer(Scan *scan, Field field, int32_t *value)
{
	const Span *span = &scan->spans[field];
	Decimal d;

	*value = 0;
	if (!scan->seen[field])
		return true;
	if (decimal_parse(scan->json + span->at, span->len, &d) != DECIMAL_OK || d.scale != 0 || d.mantissa < 0 ||
		d.mantissa > INT32_MAX)
		return field_wrong(scan, field, "is no whole number in its range");
	*value = (int32_t) d.mantissa;
	return true;
}

static bool
text_is(const Scan *scan, Field field, const char *text)
{
	const Span *span = &scan->spans[field];

	return scan->seen[field] && span->len == strlen(text) &&
		   memcmp(scan->json + span->at, text, span->len) == 0;
}

/* tier3 is 3; any other text is no tier of ours, which is no reason to refuse a quote. */
static int16_t
read_tier(const Scan *scan)
{
	for (int16_t n = 1; n < QUOTE_READ_TIERS; n++)
	{
		char name[16];

		snprintf(name, sizeof(name), "tier%d", n);
		if (text_is(scan, FIELD_TIER, name))
			return n;
	}
	return 0;
}

/*
 * Reading a time.
 */

static bool
read_digits(const char **p, int n, int min, int max, int *value)
{
	*value = 0;
	for (; n > 0; n--, (*p)++)
	{
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (**p - '0');
	}
	return *value >= min && *value <= max;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01, of the Gregorian calendar; years that begin in March have their leap day last. */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

int64_t
quote_read_time(const char *text, size_t len)
{
	char copy[48];
	const char *p = copy;
	int year;
	int month;
	int day;
	int hour;
	int minute;
	int second;
	int64_t us = 0;

	if (len >= sizeof(copy))
		return -1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!read_digits(&p, 4, 1970, 9999, &year) || *p++ != '-' || !read_digits(&p, 2, 1, 12, &month) ||
		*p++ != '-' || !read_digits(&p, 2, 1, days_of_month(year, month), &day) || *p++ != 'T' ||
		!read_digits(&p, 2, 0, 23, &hour) || *p++ != ':' || !read_digits(&p, 2, 0, 59, &minute) ||
		*p++ != ':' || !read_digits(&p, 2, 0, 59, &second))
		return -1;
	if (*p == '.')
	{
		int64_t unit = LOOP_SECOND / 10;

		for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
			us += unit * (*p - '0');
		if (p[-1] == '.')
			return -1;
	}
	if (*p != 'Z' || p + 1 != copy + len)
		return -1;
	return (days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * LOOP_SECOND + us;
}

/*
 * Reading a quote.
 */

static void
read_spans(const Scan *scan, QuoteRead *quote)
{
	quote->price = scan->spans[FIELD_PRICE];
	quote->change_24h = scan->spans[FIELD_CHANGE_24H];
	quote->volume_24h = scan->spans[FIELD_VOLUME_24H];
	quote->last_updated = scan->spans[FIELD_LAST_UPDATED];
}

static bool
read_fields(Scan *scan, QuoteRead *quote)
{
	read_spans(scan, quote);
	if (!take_text(scan, FIELD_SYMBOL, quote->symbol, sizeof(quote->symbol)) ||
		!take_text(scan, FIELD_ID, quote->nameid, sizeof(quote->nameid)) ||
		!take_integer(scan, FIELD_RANK, &quote->rank) ||
		!take_integer(scan, FIELD_INTERVAL, &quote->interval))
		return false;
	if (quote->symbol[0] == '\0')
		return field_wrong(scan, FIELD_SYMBOL, "is empty");
	if (scan->json[quote->price.at] == '-')
		return field_wrong(scan, FIELD_PRICE, "is negative");
	quote->updated_at = quote_read_time(scan->json + quote->last_updated.at, quote->last_updated.len);
	if (quote->updated_at < 0)
		return field_wrong(scan, FIELD_LAST_UPDATED, "is no time");
	symbol_fold(quote->symbol, strlen(quote->symbol));
	if (quote->interval == 0)
		quote->interval = INTERVAL_UNKNOWN;
	if (quote->interval > TIER_INTERVAL_MAX / 1000)
		quote->interval = TIER_INTERVAL_MAX / 1000;
	quote->tier = read_tier(scan);
	quote->simulated = text_is(scan, FIELD_SOURCE, "simulated");
	return true;
}

bool
quote_read(const char *json, size_t len, QuoteRead *quote, const char **why)
{
	Scan scan = {.json = json, .len = len};

	memset(quote, 0, sizeof(*quote));
	if (scan_quote(&scan) && read_fields(&scan, quote))
		return true;
	*why = scan.why;
	return false;
}
