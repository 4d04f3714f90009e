/*
 * fuzz.h
 *	  What the fuzz targets share.
 */
#ifndef CRYPTO_RT_FUZZ_H
#define CRYPTO_RT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Die unless what holds: the fuzzer then keeps the input. */
#define FUZZ_CHECK(what)                                                                                     \
	do                                                                                                       \
	{                                                                                                        \
		if (!(what))                                                                                         \
		{                                                                                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                               \
			abort();                                                                                         \
		}                                                                                                    \
	} while (0)

/* Undefined behaviour that is only printed would pass unseen. */
extern const char *__ubsan_default_options(void);

const char *
__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* CRYPTO_RT_FUZZ_H */
