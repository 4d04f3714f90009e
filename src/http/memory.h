/*
 * memory.h
 *	  Allocation that does not fail: a daemon that holds a copy has nothing to save when memory is out, and its
 *	  supervisor starts it again.  Sizes that a client chooses are bounded before they come here.
 */
#ifndef CRYPTO_RT_HTTP_MEMORY_H
#define CRYPTO_RT_HTTP_MEMORY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *
memory_check(void *p)
{
	if (p == NULL)
	{
		fputs("crypto_rt_http: out of memory\n", stderr);
		abort();
	}
	return p;
}

/* Zeroed; the caller frees. */
static inline void *
memory_get(size_t size)
{
	return memory_check(calloc(1, size > 0 ? size : 1));
}

static inline void *
memory_grow(void *p, size_t size)
{
	return memory_check(realloc(p, size > 0 ? size : 1));
}

static inline char *
memory_dup(const char *s)
{
	return memory_check(strdup(s));
}

#endif /* CRYPTO_RT_HTTP_MEMORY_H */
