/*
 * decimal.c
 *	  Text to decimal and back; see decimal.h.
 */
#include "decimal.h"

#include <string.h>

/* An exponent beyond this cannot be brought back into range by the digits of any sane input. */
#define EXPONENT_LIMIT 100000

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Drop the last digit of m, rounding half away from zero by the digit dropped. */
static int64_t
drop_digit(int64_t m)
{
	return m / 10 + (m % 10 >= 5 ? 1 : 0);
}

/* Bring an unsigned mantissa and any scale within the limits of Decimal. */
static DecimalStatus
normalise(int64_t m, long scale, Decimal *out)
{
	/* a carry may have made it 19 digits: 999999999999999999.5 */
	if (m >= INT64_C(1000000000000000000))
	{
		m = drop_digit(m);
		scale--;
	}
	if (m == 0)
	{
		/* 0.00 keeps its scale; 0e9 is plain 0 */
		out->scale = (int8_t) (scale < 0 ? 0 : scale > DECIMAL_SCALE_MAX ? DECIMAL_SCALE_MAX : scale);
		return DECIMAL_OK;
	}
	while (scale > DECIMAL_SCALE_MAX && m % 10 == 0)
	{
		m /= 10;
		scale--;
	}
	if (scale > DECIMAL_SCALE_MAX)
	{
		/* round once, at the last digit that stays: rounding at each would round twice */
		long drop = scale - DECIMAL_SCALE_MAX;
		int64_t unit = 1;

		if (drop > DECIMAL_DIGITS)
			return DECIMAL_RANGE;
		while (drop-- > 0)
			unit *= 10;
		m = m / unit + (m % unit >= unit / 2 ? 1 : 0);
		if (m == 0)
			return DECIMAL_RANGE;
		scale = DECIMAL_SCALE_MAX;
	}
	if (scale < DECIMAL_SCALE_MIN)
		return DECIMAL_RANGE;
	out->mantissa = m;
	out->scale = (int8_t) scale;
	return DECIMAL_OK;
}

DecimalStatus
decimal_parse(const char *text, size_t len, Decimal *out)
{
	const char *p = text;
	const char *end = text + len;
	bool negative = false;
	bool any = false;
	bool point = false;
	int digits = 0;       /* significant ones taken into m */
	bool dropped = false; /* the first digit beyond them has been seen */
	bool round_up = false;
	int64_t m = 0;
	long scale = 0;
	long exponent = 0;
	DecimalStatus status;

	*out = DECIMAL_UNKNOWN;

	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';

	for (; p < end && (is_digit(*p) || (*p == '.' && !point)); p++)
	{
		if (*p == '.')
		{
			point = true;
			continue;
		}
		any = true;
		if (digits < DECIMAL_DIGITS)
		{
			m = m * 10 + (*p - '0');
			if (m > 0)
				digits++;
			if (point)
				scale++;
		}
		else
		{
			if (!dropped)
				round_up = *p >= '5';
			dropped = true;
			if (!point)
				scale--;
		}
		/* the length is the caller's; a run of digits this long is no number of anybody's */
		if (scale > EXPONENT_LIMIT || scale < -EXPONENT_LIMIT)
			return DECIMAL_RANGE;
	}
	if (!any)
		return DECIMAL_SYNTAX;

	if (p < end && (*p == 'e' || *p == 'E'))
	{
		bool minus = false;

		p++;
		if (p < end && (*p == '+' || *p == '-'))
			minus = *p++ == '-';
		if (p == end)
			return DECIMAL_SYNTAX;
		for (; p < end && is_digit(*p); p++)
			if (exponent <= EXPONENT_LIMIT)
				exponent = exponent * 10 + (*p - '0');
		if (minus)
			exponent = -exponent;
	}
	if (p != end)
		return DECIMAL_SYNTAX;

	status = normalise(m + (round_up ? 1 : 0), scale - exponent, out);
	if (status != DECIMAL_OK)
	{
		*out = DECIMAL_UNKNOWN;
		return status;
	}
	out->known = true;
	if (negative)
		out->mantissa = -out->mantissa;
	return DECIMAL_OK;
}

size_t
decimal_print(Decimal d, char *buf)
{
	char digits[24];
	int n = 0;
	char *p = buf;
	uint64_t m = d.mantissa < 0 ? 0 - (uint64_t) d.mantissa : (uint64_t) d.mantissa;

	if (d.mantissa < 0)
		*p++ = '-';
	do
		digits[n++] = (char) ('0' + m % 10);
	while ((m /= 10) > 0);

	if (d.scale <= 0)
	{
		while (n > 0)
			*p++ = digits[--n];
		memset(p, '0', (size_t) -d.scale);
		p += -d.scale;
	}
	else
	{
		if (n <= d.scale)
			*p++ = '0';
		while (n > d.scale)
			*p++ = digits[--n];
		*p++ = '.';
		memset(p, '0', (size_t) (d.scale - n));
		p += d.scale - n;
		while (n > 0)
			*p++ = digits[--n];
	}
	*p = '\0';
	return (size_t) (p - buf);
}
