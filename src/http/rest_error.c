/*
 * rest_error.c
 *	  See rest_error.h.
 */
#include "rest_error.h"

#include <ctype.h>
#include <string.h>

#include "rest_query.h"

#define LIKENESS_MAX 64 /* bytes; longer names are like no other */

bool
rest_fail(RestError *error, Arena *arena, int status, const char *code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*error = (RestError){.status = status, .code = code, .message = arena_vformat(arena, format, args)};
	va_end(args);
	return false;
}

/*
 * Statuses.  The first that fits counts: whole codes stand before their classes.
 */
static const struct
{
	const char *begin;
	int status;
} statuses[] = {
	{"08", 503},    {"09", 500}, {"0L", 403},    {"0P", 403},    {"23503", 409}, {"23505", 409},
	{"25006", 405}, {"25", 500}, {"28", 403},    {"2D", 500},    {"38", 500},    {"39", 500},
	{"3B", 500},    {"40", 500}, {"53400", 500}, {"53", 503},    {"54", 500},    {"55", 500},
	{"57P01", 503}, {"57", 500}, {"58", 500},    {"F0", 500},    {"HV", 500},    {"P0001", 400},
	{"P0", 500},    {"XX", 500}, {"42883", 404}, {"42P01", 404}, {"42P17", 500}, {"21000", 500},
};

/* PT and three digits: a function chose the status itself; 0: it did not. */
static int
chosen_status(const char *sqlstate)
{
	int status = 0;

	if (strncmp(sqlstate, "PT", 2) != 0 || strlen(sqlstate) != 5)
		return 0;
	for (int i = 2; i < 5; i++)
	{
		if (!isdigit((unsigned char) sqlstate[i]))
			return 500;
		status = status * 10 + (sqlstate[i] - '0');
	}
	/* what is below is not the end of a reply */
	return status >= 200 && status <= 599 ? status : 500;
}

static bool
is_of_missing_role(const char *message)
{
	static const char end[] = "does not exist";
	size_t len = message != NULL ? strlen(message) : 0;

	return len > sizeof(end) && strncmp(message, "role", 4) == 0 &&
		   strcmp(message + len - (sizeof(end) - 1), end) == 0;
}

int
rest_error_status(const char *sqlstate, const char *message, bool known)
{
	int chosen = chosen_status(sqlstate);

	if (chosen != 0)
		return chosen;
	if (strcmp(sqlstate, "42501") == 0)
		return known ? 403 : 401;
	if (strcmp(sqlstate, "22023") == 0 && is_of_missing_role(message))
		return 401;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strncmp(sqlstate, statuses[i].begin, strlen(statuses[i].begin)) == 0)
			return statuses[i].status;
	return 400;
}

/* What headers say may be any bytes, and JSON is UTF-8. */
static void
write_bytes(Text *text, const char *value)
{
	char *plain = memory_dup(value);

	for (char *c = plain; *c != '\0'; c++)
		if ((*c & 0x80) != 0)
			*c = '?';
	text_json(text, plain, strlen(plain));
	free(plain);
}

static void
write_member(Text *text, const char *name, const char *value)
{
	text_format(text, "\"%s\":", name);
	if (value == NULL)
		text_string(text, "null");
	else if (rest_query_is_utf8(value, strlen(value)))
		text_json(text, value, strlen(value));
	else
		write_bytes(text, value);
}

void
rest_error_write(const RestError *error, Text *text)
{
	text_string(text, "{");
	write_member(text, "code", error->code);
	text_string(text, ",");
	write_member(text, "message", error->message);
	text_string(text, ",");
	write_member(text, "details", error->details);
	text_string(text, ",");
	write_member(text, "hint", error->hint);
	text_string(text, "}");
}

/* Of the longer name, the part that need not be changed to make the other of it. */
double
rest_error_likeness(const char *a, const char *b)
{
	int row[LIKENESS_MAX + 1];
	size_t alen = strlen(a);
	size_t blen = strlen(b);
	size_t longer = alen > blen ? alen : blen;

	if (longer == 0)
		return 1;
	if (longer > LIKENESS_MAX)
		return 0;
	for (size_t j = 0; j <= blen; j++)
		row[j] = (int) j;
	for (size_t i = 1; i <= alen; i++)
	{
		int diagonal = row[0];

		row[0] = (int) i;
		for (size_t j = 1; j <= blen; j++)
		{
			int best = diagonal + (tolower((unsigned char) a[i - 1]) != tolower((unsigned char) b[j - 1]));

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return 1 - (double) row[blen] / (double) longer;
}
