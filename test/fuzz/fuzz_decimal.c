/*
 * fuzz_decimal.c
 *	  Any bytes as a decimal: what is taken can be written, and read again as it was written.
 */
#include "fuzz.h"

#include <string.h>

#include "decimal.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *first = malloc(DECIMAL_TEXT_SIZE); /* so that one byte too many is seen */
	char *second = malloc(DECIMAL_TEXT_SIZE);
	Decimal d;
	Decimal again;
	size_t len;

	if (decimal_parse((const char *) data, size, &d) == DECIMAL_OK)
	{
		FUZZ_CHECK(d.known);
		FUZZ_CHECK(llabs(d.mantissa) < INT64_C(1000000000000000000));
		FUZZ_CHECK(d.scale >= DECIMAL_SCALE_MIN && d.scale <= DECIMAL_SCALE_MAX);

		len = decimal_print(d, first);
		FUZZ_CHECK(len == strlen(first) && len == strspn(first, "-.0123456789"));
		FUZZ_CHECK(decimal_parse(first, len, &again) == DECIMAL_OK);
		FUZZ_CHECK(decimal_print(again, second) == len && strcmp(first, second) == 0);
		FUZZ_CHECK(d.scale < 0 || decimal_same(d, again));
	}
	else
		FUZZ_CHECK(decimal_same(d, DECIMAL_UNKNOWN));

	free(first);
	free(second);
	return 0;
}
