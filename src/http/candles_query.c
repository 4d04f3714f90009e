/*
 * candles_query.c
 *	  See candles_query.h.
 */
#include "candles_query.h"

#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define MINUTE 60
#define DAY 86400
#define ORIGIN INT64_C(978307200)          /* 2001-01-01, a Monday: candles are counted from there */
#define ORIGIN_MONTH (2001 * 12)           /* likewise, in months since the year 0 */
#define MINUTES_MAX (3653 * 24 * 60)       /* of one candle: ten years */
#define MONTHS_MAX 120                     /* likewise */
#define TIME_END INT64_C(253402300800)     /* unix seconds of the year 10000 */
#define MILLISECONDS INT64_C(100000000000) /* a larger number counts them */
#define FRACTION_DIGITS 6                  /* that count; more may be there */

#define INTERVAL_HINT "1m, 5m, 15m, 1h, 4h, 1d, 1w or 1M: minutes, hours, days, weeks, months of the calendar"
#define TIME_HINT "unix seconds, or a time as 2026-11-24T15:00:00Z"

/*
 * The calendar.
 */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days from 1970-01-01 to the first day of a month, counted from the year 0. */
static int64_t
days_of_month(int64_t month)
{
	/* years begin in March, so that a leap day ends one */
	int64_t year = floor_div(month - 2, 12);
	int64_t of_year = month - 2 - year * 12;
	int64_t leaps = floor_div(year, 4) - floor_div(year, 100) + floor_div(year, 400);

	return year * 365 + leaps + (of_year * 153 + 2) / 5 - 719468;
}

/* The month of a day, both counted as above. */
static int64_t
month_of_day(int64_t day)
{
	int64_t month = floor_div((day + 719528) * 4800, 146097); /* at the most one off */

	while (days_of_month(month) > day)
		month--;
	while (days_of_month(month + 1) <= day)
		month++;
	return month;
}

int64_t
candles_query_begin(const CandlesQuery *query, int64_t unix_us)
{
	int64_t at = floor_div(unix_us, SECOND);
	int64_t width = (int64_t) query->minutes * MINUTE;
	int64_t months;

	if (width > 0)
		return ORIGIN + floor_div(at - ORIGIN, width) * width;
	months = month_of_day(floor_div(at, DAY)) - ORIGIN_MONTH;
	return days_of_month(ORIGIN_MONTH + floor_div(months, query->months) * query->months) * DAY;
}

int64_t
candles_query_step(const CandlesQuery *query, int64_t begin, int32_t candles)
{
	if (query->minutes > 0)
		return begin + (int64_t) query->minutes * MINUTE * candles;
	return days_of_month(month_of_day(floor_div(begin, DAY)) + (int64_t) query->months * candles) * DAY;
}

/*
 * Texts.
 */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A whole number of up to 18 digits; *at moves behind it. */
static bool
read_whole(const char **at, int64_t *value)
{
	const char *p = *at;

	for (*value = 0; is_digit(*p) && p - *at < 18; p++)
		*value = *value * 10 + (*p - '0');
	if (p == *at || is_digit(*p))
		return false;
	*at = p;
	return true;
}

/* So many digits exactly. */
static bool
read_digits(const char **at, int count, int *value)
{
	*value = 0;
	for (; count > 0; count--, (*at)++)
	{
		if (!is_digit(**at))
			return false;
		*value = *value * 10 + (**at - '0');
	}
	return true;
}

static bool
read_interval(const char *text, CandlesQuery *query, char *err, const char **hint)
{
	static const struct
	{
		char unit;
		int32_t minutes;
		int32_t months;
	} units[] = {{'m', 1, 0}, {'h', 60, 0}, {'d', 24 * 60, 0}, {'w', 7 * 24 * 60, 0}, {'M', 0, 1}};
	int64_t n;

	*hint = INTERVAL_HINT;
	snprintf(err, CANDLES_ERROR_SIZE, "interval must be a whole number from 1 and a unit");
	if (!read_whole(&text, &n) || n == 0 || text[0] == '\0' || text[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (text[0] != units[i].unit)
			continue;
		if (n > MINUTES_MAX || n * units[i].minutes > MINUTES_MAX || n * units[i].months > MONTHS_MAX)
		{
			snprintf(err, CANDLES_ERROR_SIZE, "interval is longer than ten years");
			return false;
		}
		query->minutes = (int32_t) n * units[i].minutes;
		query->months = (int32_t) n * units[i].months;
		snprintf(query->interval, sizeof(query->interval), "%d%c", (int) n, units[i].unit);
		return true;
	}
	return false;
}

/* What follows a date: hours and minutes, perhaps seconds and their fraction.  In microseconds. */
static bool
read_clock(const char **at, int64_t *clock)
{
	int64_t fraction = 0;
	int hour;
	int minute;
	int second = 0;
	int digits = 0;

	if (!read_digits(at, 2, &hour) || *(*at)++ != ':' || !read_digits(at, 2, &minute))
		return false;
	if (**at == ':')
	{
		(*at)++;
		if (!read_digits(at, 2, &second))
			return false;
		if (**at == '.')
		{
			for ((*at)++; is_digit(**at); (*at)++, digits++)
				if (digits < FRACTION_DIGITS)
					fraction = fraction * 10 + (**at - '0');
			if (digits == 0)
				return false;
			for (; digits < FRACTION_DIGITS; digits++)
				fraction *= 10;
		}
	}
	/* 23:59:60 is a leap second, and 24:00 the end of the day */
	if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && (minute > 0 || second > 0 || fraction > 0)))
		return false;
	*clock = ((int64_t) hour * 3600 + minute * 60 + second) * SECOND + fraction;
	return true;
}

/* Z, or hours and minutes that it is later there, as +01:00; nothing is UTC.  In microseconds. */
static bool
read_zone(const char **at, int64_t *zone)
{
	char sign = **at;
	bool colon;
	int hour;
	int minute = 0;

	*zone = 0;
	if (sign == '\0')
		return true;
	(*at)++;
	if (sign == 'Z' || sign == 'z')
		return true;
	/* a + that was not encoded has become a blank */
	if ((sign != '+' && sign != '-' && sign != ' ') || !read_digits(at, 2, &hour))
		return false;
	colon = **at == ':';
	*at += colon;
	if ((colon || **at != '\0') && !read_digits(at, 2, &minute))
		return false;
	*zone = (int64_t) (hour * 3600 + minute * 60) * SECOND;
	if (sign == '-')
		*zone = -*zone;
	return hour < 24 && minute < 60;
}

/* A date, perhaps with a time.  In unix microseconds. */
static bool
read_iso(const char *text, int64_t *us)
{
	int64_t clock = 0;
	int64_t zone = 0;
	int64_t first;
	int year;
	int month;
	int day;

	if (!read_digits(&text, 4, &year) || *text++ != '-' || !read_digits(&text, 2, &month) || *text++ != '-' ||
		!read_digits(&text, 2, &day) || month < 1 || month > 12)
		return false;
	first = days_of_month((int64_t) year * 12 + month - 1);
	if (day < 1 || day > days_of_month((int64_t) year * 12 + month) - first)
		return false;
	if (*text == 'T' || *text == 't' || *text == ' ')
	{
		text++;
		if (!read_clock(&text, &clock) || !read_zone(&text, &zone))
			return false;
	}
	*us = (first + day - 1) * DAY * SECOND + clock - zone;
	return *text == '\0';
}

static bool
read_unix(const char *text, int64_t *us)
{
	int64_t n;

	if (!read_whole(&text, &n) || *text != '\0')
		return false;
	if (n > MILLISECONDS)
		*us = n < TIME_END * 1000 ? n * 1000 : INT64_MAX;
	else
		*us = n * SECOND;
	return true;
}

static bool
read_time(const char *name, const char *text, int64_t *us, char *err, const char **hint)
{
	*hint = TIME_HINT;
	if (!read_unix(text, us) && !read_iso(text, us))
	{
		snprintf(err, CANDLES_ERROR_SIZE, "%s must be a time", name);
		return false;
	}
	if (*us < 0 || *us >= TIME_END * SECOND)
	{
		snprintf(err, CANDLES_ERROR_SIZE, "%s must be from 1970 to 9999", name);
		return false;
	}
	return true;
}

static bool
read_limit(const char *text, int32_t *limit, char *err)
{
	int64_t n;

	if (!read_whole(&text, &n) || *text != '\0' || n < 1 || n > CANDLES_LIMIT_MAX)
	{
		snprintf(err, CANDLES_ERROR_SIZE, "limit must be a whole number from 1 to %d", CANDLES_LIMIT_MAX);
		return false;
	}
	*limit = (int32_t) n;
	return true;
}

static bool
read_fill(const char *text, bool *fill, char *err)
{
	*fill = strcmp(text, "true") == 0;
	if (*fill || strcmp(text, "false") == 0)
		return true;
	snprintf(err, CANDLES_ERROR_SIZE, "fill must be true or false");
	return false;
}

/*
 * All together.
 */

static bool
is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

bool
candles_query_read(const CandlesArguments *given, int64_t now, CandlesQuery *query,
				   char err[CANDLES_ERROR_SIZE], const char **hint)
{
	int64_t from = 0;
	int64_t to = now;
	int64_t filled;

	*query = (CandlesQuery){.limit = CANDLES_LIMIT_DEFAULT};
	*hint = NULL;
	err[0] = '\0';
	if (!read_interval(is_given(given->interval) ? given->interval : "1m", query, err, hint) ||
		(is_given(given->from) && !read_time("from", given->from, &from, err, hint)) ||
		(is_given(given->to) && !read_time("to", given->to, &to, err, hint)))
		return false;
	*hint = NULL;
	err[0] = '\0';
	if ((is_given(given->limit) && !read_limit(given->limit, &query->limit, err)) ||
		(is_given(given->fill) && !read_fill(given->fill, &query->fill, err)))
		return false;
	if (is_given(given->from) && from > to)
	{
		snprintf(err, CANDLES_ERROR_SIZE,
				 is_given(given->to) ? "from is later than to" : "from is in the future");
		return false;
	}

	/* candles that begin before `to`, which is one more when it is within a candle */
	query->to = candles_query_begin(query, to - 1);
	query->to = candles_query_step(query, query->to, 1);
	if (is_given(given->from))
		query->from = candles_query_begin(query, from);
	else
		query->from = candles_query_step(query, query->to, -query->limit);

	/* filled ones leave no gap, so no earlier ones can be among the newest that are wanted, nor are there any of the future */
	if (query->fill)
	{
		filled =
			candles_query_step(query, candles_query_begin(query, to < now ? to - 1 : now), 1 - query->limit);
		if (query->from < filled)
			query->from = filled;
	}
	return true;
}
