/*
 * tier.c
 *	  Reading tier lists; see tier.h.
 */
#include "tier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Several polls may fail before a quote goes stale: at least a minute, and for slow tiers four
 * minutes more than their interval.  5, 10, 20, 30 and 60 seconds give 60, 60, 120, 180 and 300.
 */
int
tier_default_ttl(int seconds)
{
	int ttl = seconds * 6;

	if (ttl > seconds + 240)
		ttl = seconds + 240;
	return ttl < 60 ? 60 : ttl;
}

static const char *
skip_spaces(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Read a whole number from 1 to max; NULL when there is none. */
static const char *
read_number(const char *p, int max, int *value)
{
	char *end;
	long n;

	if (*p < '0' || *p > '9')
		return NULL;
	errno = 0;
	n = strtol(p, &end, 10);
	if (errno != 0 || n < 1 || n > max)
		return NULL;
	*value = (int) n;
	return end;
}

/* Read "60", "60s" or "500ms" into milliseconds; NULL when it is none or out of range. */
static const char *
read_interval(const char *p, int *interval)
{
	int n;
	int unit = 1000;

	p = read_number(p, TIER_INTERVAL_MAX, &n);
	if (p == NULL)
		return NULL;
	if (p[0] == 'm' && p[1] == 's')
	{
		unit = 1;
		p += 2;
	}
	else if (p[0] == 's')
		p++;
	if (n > TIER_INTERVAL_MAX / unit || n * unit < TIER_INTERVAL_MIN)
		return NULL;
	*interval = n * unit;
	return p;
}

bool
tier_parse(const char *text, TierList *list, char *err, size_t errsize)
{
	const char *p = text;
	int last = 0;

	list->count = 0;
	for (;;)
	{
		int position = list->count + 1;
		Tier *tier = &list->tiers[list->count];
		const char *next;

		if (list->count == TIER_MAX)
		{
			snprintf(err, errsize, "there are more than %d tiers", TIER_MAX);
			return false;
		}
		p = skip_spaces(p);
		if (*p == '*')
		{
			tier->last_rank = TIER_NO_LIMIT;
			next = p + 1;
		}
		else if ((next = read_number(p, TIER_NO_LIMIT - 1, &tier->last_rank)) == NULL)
		{
			snprintf(err, errsize, "tier %d must begin with its last rank, or with * for all that remain",
					 position);
			return false;
		}
		if (tier->last_rank <= last)
		{
			snprintf(err, errsize, "the last rank of tier %d must be greater than %d", position, last);
			return false;
		}
		last = tier->last_rank;

		next = skip_spaces(next);
		if (*next != ':')
		{
			snprintf(err, errsize, "tier %d lacks a colon between its last rank and its seconds", position);
			return false;
		}
		next = read_interval(skip_spaces(next + 1), &tier->interval);
		if (next == NULL)
		{
			snprintf(err, errsize, "tier %d needs an interval from %dms to %ds after the colon", position,
					 TIER_INTERVAL_MIN, TIER_INTERVAL_MAX / 1000);
			return false;
		}
		tier->ttl = tier_default_ttl(tier_seconds(tier));
		list->count++;

		p = skip_spaces(next);
		if (*p == '\0')
			break;
		if (*p != ',')
		{
			snprintf(err, errsize, "a comma must follow tier %d", position);
			return false;
		}
		if (last == TIER_NO_LIMIT)
		{
			snprintf(err, errsize, "no tier can follow the one with *, which is tier %d", position);
			return false;
		}
		p++;
	}
	if (last != TIER_NO_LIMIT)
	{
		snprintf(err, errsize, "the last tier must be written with * as its last rank");
		return false;
	}
	return true;
}

int
tier_of_rank(const TierList *list, int rank)
{
	int n = 1;

	if (rank < 1)
		return list->count;
	while (rank > list->tiers[n - 1].last_rank)
		n++;
	return n;
}

int
tier_first_rank(const TierList *list, int n)
{
	return n <= 1 ? 1 : list->tiers[n - 2].last_rank + 1;
}
