/*
 * retention.c
 *	  See retention.h.
 */
#include "retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
skip_spaces(const char *p)
{
	return p + strspn(p, " \t");
}

/* Read "30d" or "*"; NULL when it is neither. */
static const char *
read_days(const char *p, int *days)
{
	char *end;
	long n;

	if (*p == '*')
	{
		*days = RETENTION_FOR_EVER;
		return p + 1;
	}
	if (*p < '0' || *p > '9')
		return NULL;
	n = strtol(p, &end, 10);
	if (n < 1 || n > RETENTION_DAYS_MAX || *end != 'd')
		return NULL;
	*days = (int) n;
	return end + 1;
}

bool
retention_parse(const char *text, Retention *retention, char *err, size_t errsize)
{
	const char *p = skip_spaces(text);
	bool seen[2] = {false, false};

	*retention = (Retention){RETENTION_FOR_EVER, RETENTION_FOR_EVER};
	while (*p != '\0')
	{
		bool hours = strncmp(p, "1h", 2) == 0;
		const char *next;

		if (!hours && strncmp(p, "1m", 2) != 0)
		{
			snprintf(err, errsize, "\"%.20s\" begins with no resolution: 1m or 1h", p);
			return false;
		}
		if (seen[hours])
		{
			snprintf(err, errsize, "%.2s is there twice", p);
			return false;
		}
		seen[hours] = true;
		next = skip_spaces(p + 2);
		next = *next == ':'
				   ? read_days(skip_spaces(next + 1), hours ? &retention->hours : &retention->minutes)
				   : NULL;
		if (next == NULL)
		{
			snprintf(err, errsize, "%.2s is not followed by a colon and 1d to %dd, or *", p,
					 RETENTION_DAYS_MAX);
			return false;
		}
		next = skip_spaces(next);
		if (*next != '\0' && *next != ',')
		{
			snprintf(err, errsize, "there is no comma before \"%.20s\"", next);
			return false;
		}
		p = *next == ',' ? skip_spaces(next + 1) : next;
		if (*next == ',' && *p == '\0')
		{
			snprintf(err, errsize, "nothing follows the last comma");
			return false;
		}
	}
	return true;
}
