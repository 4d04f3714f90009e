/*
 * unit.h
 *	  What the unit tests share: cmocka, fixtures, buffers of exact size, and chance that repeats.
 */
#ifndef CRYPTO_RT_UNIT_H
#define CRYPTO_RT_UNIT_H

/* cmocka.h wants these before it, in this order */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Undefined behaviour that is only printed would pass unseen. */
extern const char *__ubsan_default_options(void);

const char *
__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

/* Run an array of CMUnitTest, printing TAP; the value is for main to return. */
#define UNIT_RUN(tests)                                                                                      \
	(cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests((tests), NULL, NULL))

/* Fail unless what holds, and say for which row of a table. */
#define UNIT_CHECK(what, label)                                                                              \
	do                                                                                                       \
	{                                                                                                        \
		if (!(what))                                                                                         \
			fail_msg("%s: not so: %s", (label), #what);                                                      \
	} while (0)

#define UNIT_CHECK_TEXT(got, expected, label)                                                                \
	do                                                                                                       \
	{                                                                                                        \
		if (strcmp((got), (expected)) != 0)                                                                  \
			fail_msg("%s: expected %s, got %s", (label), (expected), (got));                                 \
	} while (0)

#define UNIT_CHECK_INT(got, expected, label)                                                                 \
	do                                                                                                       \
	{                                                                                                        \
		if ((got) != (expected))                                                                             \
			fail_msg("%s: expected %lld, got %lld", (label), (long long) (expected), (long long) (got));     \
	} while (0)

/* A copy without one byte to spare, so that the address sanitizer sees who reads past its end. */
static inline char *
unit_exact(const char *bytes, size_t len)
{
	char *copy = malloc(len);

	assert_true(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

/* The whole of a fixture, without white space at its end; the path is seen from the repository's root. */
static inline char *
unit_read(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;

	*len = 0;
	if (file == NULL)
		fail_msg("cannot open %s: run the tests from the repository's root", path);
	for (;;)
	{
		text = realloc(text, *len + 4096);
		assert_non_null(text);
		size_t n = fread(text + *len, 1, 4096, file);
		if (n == 0)
			break;
		*len += n;
	}
	fclose(file);
	while (*len > 0 && strchr(" \r\n", text[*len - 1]) != NULL)
		(*len)--;
	return text;
}

/* From 0 to n - 1; the same row of numbers in every run. */
static inline uint64_t
unit_random(uint64_t n)
{
	static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

#endif /* CRYPTO_RT_UNIT_H */
