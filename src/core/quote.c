/*
 * quote.c
 *	  Comparing quotes and writing them as JSON.
 *
 * The JSON's field names and order are read by programs that exist already: none may change.
 * It is written by hand because a number must come out with the digits that it came in with, which
 * JSON libraries do not promise, and because it is written for every coin of every poll.
 */
#include "quote.h"

#include <string.h>

bool
quote_same(const Quote *a, const Quote *b)
{
	return decimal_same(a->price, b->price) && decimal_same(a->volume_24h, b->volume_24h) &&
		   decimal_same(a->market_cap, b->market_cap) && decimal_same(a->change_1h, b->change_1h) &&
		   decimal_same(a->change_24h, b->change_24h) && decimal_same(a->change_7d, b->change_7d) &&
		   decimal_same(a->price_btc, b->price_btc) && a->rank == b->rank &&
		   decimal_same(a->circulating_supply, b->circulating_supply) &&
		   decimal_same(a->total_supply, b->total_supply) && decimal_same(a->max_supply, b->max_supply) &&
		   a->coinlore_id == b->coinlore_id && a->simulated == b->simulated &&
		   strcmp(a->symbol, b->symbol) == 0 && strcmp(a->name, b->name) == 0;
}

static char *
put_raw(char *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

static char *
put_string(char *p, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	*p++ = '"';
	for (const unsigned char *s = (const unsigned char *) text; *s != '\0'; s++)
	{
		if (*s == '"' || *s == '\\')
		{
			*p++ = '\\';
			*p++ = (char) *s;
		}
		else if (*s < 0x20)
		{
			p = put_raw(p, "\\u00");
			*p++ = hex[*s >> 4];
			*p++ = hex[*s & 15];
		}
		else
			*p++ = (char) *s;
	}
	*p++ = '"';
	return p;
}

static char *
put_int(char *p, int64_t n)
{
	return p + decimal_print((Decimal){.mantissa = n, .scale = 0, .known = true}, p);
}

/* A field that is left out when it is unknown; label holds the comma, the name and the colon. */
static char *
put_known(char *p, const char *label, Decimal d)
{
	if (!d.known)
		return p;
	p = put_raw(p, label);
	return p + decimal_print(d, p);
}

/* A field that is always there. */
static char *
put_decimal(char *p, const char *label, Decimal d)
{
	p = put_raw(p, label);
	return p + decimal_print(d, p);
}

size_t
quote_json(const Quote *q, int tier, int interval, char *buf)
{
	char *p = put_raw(buf, "{\"symbol\":");

	p = put_string(p, q->symbol);
	if (q->name[0] != '\0')
		p = put_string(put_raw(p, ",\"name\":"), q->name);
	p = put_decimal(p, ",\"price\":", q->price);
	p = put_known(p, ",\"price_btc\":", q->price_btc);
	if (q->rank > 0)
		p = put_int(put_raw(p, ",\"rank\":"), q->rank);
	p = put_known(p, ",\"change_1h\":", q->change_1h);
	p = put_decimal(p, ",\"change_24h\":", q->change_24h);
	p = put_known(p, ",\"change_7d\":", q->change_7d);
	p = put_decimal(p, ",\"volume_24h\":", q->volume_24h);
	p = put_known(p, ",\"market_cap\":", q->market_cap);
	p = put_known(p, ",\"circulating_supply\":", q->circulating_supply);
	p = put_known(p, ",\"total_supply\":", q->total_supply);
	p = put_known(p, ",\"max_supply\":", q->max_supply);
	p = put_raw(p, ",\"last_updated\":\"");
	p += quote_time(q->fetched_at, p);
	p = put_int(put_raw(p, "\",\"update_interval\":"), interval);
	p = put_int(put_raw(p, ",\"tier\":\"tier"), tier);
	p = put_string(put_raw(p, "\",\"source\":"), quote_source(q));
	p = put_string(put_raw(p, ",\"id\":"), q->nameid);
	if (q->coinlore_id != 0)
		p = put_int(put_raw(p, ",\"coinlore_id\":"), q->coinlore_id);
	*p++ = '}';
	*p = '\0';
	return (size_t) (p - buf);
}

/* Days since 1970-01-01 to year, month and day of the Gregorian calendar. */
static void
civil_date(int64_t days, int *year, int *month, int *day)
{
	/* count from 0000-03-01, so that a leap day ends its year; 400 years have 146,097 days */
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;

	*day = (int) (day_of_year - (153 * march_month + 2) / 5 + 1);
	*month = (int) (march_month < 10 ? march_month + 3 : march_month - 9);
	*year = (int) (year_of_era + era * 400 + (*month <= 2));
}

/* Write n in at least width digits, zeros before it. */
static char *
put_digits(char *p, int n, int width)
{
	for (int i = width - 1; i >= 0; i--)
	{
		p[i] = (char) ('0' + n % 10);
		n /= 10;
	}
	return p + width;
}

size_t
quote_time(int64_t unix_us, char *buf)
{
	int64_t ms = unix_us / 1000;
	int64_t seconds = ms / 1000;
	int second_of_day;
	int year;
	int month;
	int day;
	char *p = buf;

	if (ms < 0 || seconds > INT64_C(253402300799)) /* 1970 to 9999 */
		ms = seconds = 0;
	second_of_day = (int) (seconds % 86400);
	civil_date(seconds / 86400, &year, &month, &day);

	p = put_digits(p, year, 4);
	*p++ = '-';
	p = put_digits(p, month, 2);
	*p++ = '-';
	p = put_digits(p, day, 2);
	*p++ = 'T';
	p = put_digits(p, second_of_day / 3600, 2);
	*p++ = ':';
	p = put_digits(p, second_of_day / 60 % 60, 2);
	*p++ = ':';
	p = put_digits(p, second_of_day % 60, 2);
	*p++ = '.';
	p = put_digits(p, (int) (ms % 1000), 3);
	*p++ = 'Z';
	*p = '\0';
	return (size_t) (p - buf);
}
