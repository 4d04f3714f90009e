/*
 * row.c
 *	  See row.h.  Numbers are printed with CoinLore's habits, which are half of what a client has to cope with.
 */
#include "row.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define SIGNIFICANT_DIGITS 28 /* the most that CoinLore was seen to send */

/* Cut the zeros after the last digit that matters, and a point that would be left over. */
static void
trim_zeros(char *number)
{
	size_t len = strlen(number);

	if (strchr(number, '.') == NULL)
		return;
	while (number[len - 1] == '0')
		len--;
	if (number[len - 1] == '.')
		len--;
	number[len] = '\0';
}

/* 3.54E-8: up to three digits, an exponent without padding. */
static void
print_scientific(double value, char *buf)
{
	char mantissa[32];
	char *e;

	snprintf(mantissa, sizeof(mantissa), "%.2e", value);
	e = strchr(mantissa, 'e');
	*e = '\0';
	trim_zeros(mantissa);
	snprintf(buf, ROW_NUMBER_SIZE, "%sE%d", mantissa, atoi(e + 1));
}

/* Two decimals from 1 up, six below, and one or two digits of what six decimals would not show. */
static void
print_price(double value, bool scientific, char *buf)
{
	if (value >= 1.0 || value <= 0.0)
		snprintf(buf, ROW_NUMBER_SIZE, "%.2f", value);
	else if (value >= 1e-6)
		snprintf(buf, ROW_NUMBER_SIZE, "%.6f", value);
	else if (scientific)
		print_scientific(value, buf);
	else
	{
		snprintf(buf, ROW_NUMBER_SIZE, "%.*f", 1 - (int) floor(log10(value)), value);
		trim_zeros(buf);
	}
}

static void
print_volume(const Coin *coin, double value, char *buf)
{
	if (value <= 0)
		snprintf(buf, ROW_NUMBER_SIZE, "0");
	else if (coin->quirks & COIN_VOLUME_CENTS)
		snprintf(buf, ROW_NUMBER_SIZE, "%.2f", value);
	else if (coin->quirks & COIN_VOLUME_EXACT)
	{
		int before_point = value >= 1.0 ? 1 + (int) log10(value) : 1;

		snprintf(buf, ROW_NUMBER_SIZE, "%.*f",
				 before_point < SIGNIFICANT_DIGITS ? SIGNIFICANT_DIGITS - before_point : 0, value);
		trim_zeros(buf);
	}
	else
		for (int digits = 15; digits <= 17; digits++)
		{
			snprintf(buf, ROW_NUMBER_SIZE, "%.*g", digits, value);
			if (strtod(buf, NULL) == value)
				break;
		}
}

const char *
row_price(const Coin *coin, char buf[ROW_NUMBER_SIZE])
{
	const char *pinned = coin_text(coin, COIN_PRICE);

	if (pinned != NULL)
		return pinned;
	if (coin_is_dead(coin))
		return "0?";
	print_price(coin->price, coin->quirks & COIN_SCIENTIFIC, buf);
	return buf;
}

static const char *
price_btc(const Coin *coin, char buf[ROW_NUMBER_SIZE])
{
	if (coin_is_dead(coin))
		return "0?";
	print_price(coin->price_btc, true, buf);
	return buf;
}

/* NULL: not known. */
static const char *
market_cap(const Coin *coin, char buf[ROW_NUMBER_SIZE])
{
	const char *pinned = coin_text(coin, COIN_MARKET_CAP);

	if (pinned != NULL)
		return pinned;
	if (coin->supply > 0 && !coin_is_dead(coin))
		snprintf(buf, ROW_NUMBER_SIZE, "%.2f", coin->price * coin->supply);
	else if (coin->quirks & COIN_CAP_NULL)
		return NULL;
	else
		snprintf(buf, ROW_NUMBER_SIZE, "0.00");
	return buf;
}

static void
add_field(Text *text, const char *name, const char *value)
{
	text_add(text, ",\"");
	text_add(text, name);
	text_add(text, "\":");
	text_json_string(text, value);
}

static void
add_change(Text *text, const char *name, const Coin *coin, double ago)
{
	char buf[ROW_NUMBER_SIZE];
	double change = ago > 0 ? (coin->price / ago - 1.0) * 100.0 : 0.0;

	if (fabs(change) < 0.005)
		change = 0.0; /* not -0.00 */
	snprintf(buf, sizeof(buf), "%.2f", change);
	add_field(text, name, buf);
}

static const char *
volume24(const Coin *coin, char buf[ROW_NUMBER_SIZE])
{
	const char *pinned = coin_text(coin, COIN_VOLUME24);

	if (pinned != NULL)
		return pinned;
	print_volume(coin, coin->volume, buf);
	return buf;
}

static const char *
volume24a(const Coin *coin, char buf[ROW_NUMBER_SIZE])
{
	print_volume(coin, coin->quirks & COIN_NEWLY_TRADED ? 0.0 : coin->volume_before, buf);
	return buf;
}

/* Up to where the rank goes. */
static void
add_head(Text *text, const Coin *coin)
{
	text_add(text, "{\"id\":");
	text_json_string(text, coin_text(coin, COIN_ID));
	add_field(text, "symbol", coin_text(coin, COIN_SYMBOL));
	add_field(text, "name", coin_text(coin, COIN_NAME));
	add_field(text, "nameid", coin->nameid);
	text_add(text, ",\"rank\":");
}

static void
add_rest(Text *text, const Coin *coin, bool old_shape)
{
	char buf[ROW_NUMBER_SIZE];

	add_field(text, "price_usd", row_price(coin, buf));
	add_change(text, "percent_change_24h", coin, coin->day_ago);
	if (coin->quirks & COIN_HOUR_NULL)
		add_field(text, "percent_change_1h", NULL);
	else
		add_change(text, "percent_change_1h", coin, coin->hour_ago);
	if (coin->quirks & COIN_WEEK_EMPTY)
		add_field(text, "percent_change_7d", "");
	else if (!(coin->quirks & COIN_WEEK_MISSING))
		add_change(text, "percent_change_7d", coin, coin->week_ago);
	add_field(text, "price_btc", price_btc(coin, buf));
	add_field(text, "market_cap_usd", market_cap(coin, buf));
	if (old_shape)
	{
		add_field(text, "volume24", volume24(coin, buf));
		add_field(text, "volume24_native", volume24a(coin, buf));
	}
	else
	{
		text_add(text, ",\"volume24\":");
		text_add(text, volume24(coin, buf));
		text_add(text, ",\"volume24a\":");
		text_add(text, volume24a(coin, buf));
	}
	add_field(text, "csupply", coin->csupply);
	add_field(text, "tsupply", coin->tsupply);
	if (!(coin->quirks & COIN_MSUPPLY_MISSING))
		add_field(text, "msupply", coin->msupply);
	text_add(text, "}");
}

static void
render(Coin *coin)
{
	Text text = TEXT_EMPTY;

	add_head(&text, coin);
	coin->rank_at = text.len;
	add_rest(&text, coin, false);
	coin->row_len = text.len;
	coin->row = memory_grow(text.bytes, text.len + 1);
}

static void
add_rank(Text *text, const Coin *coin)
{
	char digits[16];
	int len = snprintf(digits, sizeof(digits), "%d", coin->rank);

	text_bytes(text, digits, (size_t) len);
}

void
row_add(Text *text, Coin *coin)
{
	if (coin->pins != NULL && coin->pins->row != NULL)
	{
		text_bytes(text, coin->pins->row, coin->pins->row_len);
		return;
	}
	if (coin->row == NULL)
		render(coin);
	text_bytes(text, coin->row, coin->rank_at);
	add_rank(text, coin);
	text_bytes(text, coin->row + coin->rank_at, coin->row_len - coin->rank_at);
}

void
row_add_old(Text *text, const Coin *coin)
{
	add_head(text, coin);
	add_rank(text, coin);
	add_rest(text, coin, true);
}
