/*
 * decimal.h
 *	  A decimal number kept exactly as CoinLore wrote it.
 *
 * CoinLore's prices span "0.0000000354" and "1540684444015.40".  A double would change their
 * last digits, so a price travels as a 64-bit mantissa and a scale from the page to SQL, Redis
 * and HTTP: value = mantissa / 10^scale.  Trailing zeros are kept ("1.00" has scale 2), and so
 * the text that comes out is the text that went in, written without an exponent.
 *
 * Limits: 18 significant digits; longer numbers are rounded half away from zero.
 */
#ifndef CRYPTO_RT_DECIMAL_H
#define CRYPTO_RT_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECIMAL_DIGITS 18     /* significant digits kept */
#define DECIMAL_SCALE_MAX 60  /* digits after the point */
#define DECIMAL_SCALE_MIN -40 /* zeros before the point that are not in the mantissa */
#define DECIMAL_TEXT_SIZE 80  /* what decimal_print needs at the most, NUL included */

typedef struct Decimal
{
	int64_t mantissa;
	int8_t scale;
	bool known; /* false: CoinLore did not say; the other fields are 0 then */
} Decimal;

typedef enum DecimalStatus
{
	DECIMAL_OK,
	DECIMAL_SYNTAX, /* not a number */
	DECIMAL_RANGE   /* a number beyond the scales above */
} DecimalStatus;

/* Zero without digits after the point. */
#define DECIMAL_ZERO ((Decimal){.mantissa = 0, .scale = 0, .known = true})
#define DECIMAL_UNKNOWN ((Decimal){.mantissa = 0, .scale = 0, .known = false})

/*
 * Read the len bytes at text: [+-] digits [. digits] [e|E [+-] digits], nothing before or after.
 * Anything but DECIMAL_OK leaves *out unknown.
 */
extern DecimalStatus decimal_parse(const char *text, size_t len, Decimal *out);

/*
 * Write d into buf (DECIMAL_TEXT_SIZE bytes) without an exponent, as valid JSON and as numeric's
 * own output has it.  Returns the length without the NUL.  An unknown decimal is written as 0.
 */
extern size_t decimal_print(Decimal d, char *buf);

/* Same digits and same scale: 1.0 and 1.00 differ, since their texts do. */
static inline bool
decimal_same(Decimal a, Decimal b)
{
	return a.mantissa == b.mantissa && a.scale == b.scale && a.known == b.known;
}

static inline bool
decimal_positive(Decimal d)
{
	return d.known && d.mantissa > 0;
}

#endif /* CRYPTO_RT_DECIMAL_H */
