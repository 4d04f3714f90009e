/*
 * feed_message.c
 *	  See feed_message.h.
 *
 * The functions that skip something return what comes behind it, or NULL when it is not there.  They never look beyond end.
 */
#include "feed_message.h"

#include <string.h>

#define DEPTH_MAX 32
#define DIGITS_MAX 18 /* of a number that fits into an int64_t for certain */

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* A character between spaces. */
static const char *
skip_mark(const char *p, const char *end, char mark)
{
	p = skip_space(p, end);
	return p < end && *p == mark ? skip_space(p + 1, end) : NULL;
}

static const char *
skip_string(const char *p, const char *end)
{
	if (p == end || *p != '"')
		return NULL;
	for (p++; p < end; p++)
	{
		if (*p == '"')
			return p + 1;
		if (*p == '\\' && ++p == end)
			return NULL;
	}
	return NULL;
}

/* A number, true, false or null: whatever is made of their characters. */
static const char *
skip_word(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || *p == '-' || *p == '+' ||
					   *p == '.' || *p == 'E'))
		p++;
	return p > from ? p : NULL;
}

/* An object or an array, which begins at p: up to the bracket that closes it. */
static const char *
skip_nest(const char *p, const char *end)
{
	char closing[DEPTH_MAX] = {*p == '{' ? '}' : ']'};
	int depth = 1;

	for (p++; p < end && depth > 0; p++)
	{
		if (*p == '"')
		{
			p = skip_string(p, end);
			if (p == NULL)
				return NULL;
			p--;
		}
		else if (*p == '{' || *p == '[')
		{
			if (depth == DEPTH_MAX)
				return NULL;
			closing[depth++] = *p == '{' ? '}' : ']';
		}
		else if (*p == '}' || *p == ']')
		{
			if (*p != closing[depth - 1])
				return NULL;
			depth--;
		}
	}
	return depth == 0 ? p : NULL;
}

static const char *
skip_value(const char *p, const char *end)
{
	if (p == end)
		return NULL;
	if (*p == '"')
		return skip_string(p, end);
	return *p == '{' || *p == '[' ? skip_nest(p, end) : skip_word(p, end);
}

static bool
read_count(const char *p, const char *end, int64_t *count)
{
	if (p == end || end - p > DIGITS_MAX)
		return false;
	for (*count = 0; p < end; p++)
	{
		if (*p < '0' || *p > '9')
			return false;
		*count = *count * 10 + (*p - '0');
	}
	return true;
}

static bool
is(const char *p, const char *end, const char *text)
{
	return (size_t) (end - p) == strlen(text) && memcmp(p, text, (size_t) (end - p)) == 0;
}

bool
feed_message_next(FeedMessage *message, const char **json, size_t *len)
{
	const char *p = message->at;
	const char *behind = skip_value(p, message->end);

	if (behind == NULL)
		return false;
	*json = p;
	*len = (size_t) (behind - p);
	p = skip_space(behind, message->end);
	/* at the end of the quotes nothing is there for the next call */
	message->at = p < message->end && *p == ',' ? skip_space(p + 1, message->end) : message->end;
	return true;
}

/* The quotes are the array from p to end. */
static bool
read_quotes(const char *p, const char *end, FeedMessage *message)
{
	if (*p != '[')
		return false;
	message->at = skip_space(p + 1, end - 1);
	message->end = end - 1;

	/* values with commas between them, or nothing */
	p = message->at;
	while (p < message->end)
	{
		p = skip_value(p, message->end);
		if (p == NULL)
			return false;
		p = skip_space(p, message->end);
		if (p == message->end)
			return true;
		p = skip_mark(p, message->end, ',');
		if (p == NULL || p == message->end)
			return false;
	}
	return true;
}

bool
feed_message_read(const char *text, size_t len, FeedMessage *message)
{
	const char *end = text + len;
	const char *p = skip_mark(text, end, '{');
	bool epoch = false;
	bool seq = false;
	bool quotes = false;

	while (p != NULL)
	{
		const char *name = p;
		const char *name_end = skip_string(p, end);
		const char *value = name_end != NULL ? skip_mark(name_end, end, ':') : NULL;
		const char *value_end = value != NULL ? skip_value(value, end) : NULL;
		const char *last;

		if (value_end == NULL)
			return false;
		if (is(name, name_end, "\"epoch\""))
			epoch = read_count(value, value_end, &message->epoch);
		else if (is(name, name_end, "\"seq\""))
			seq = read_count(value, value_end, &message->seq);
		else if (is(name, name_end, "\"quotes\""))
			quotes = read_quotes(value, value_end, message);
		last = skip_mark(value_end, end, '}');
		if (last != NULL)
			return last == end && epoch && seq && quotes;
		p = skip_mark(value_end, end, ',');
	}
	return false;
}
