/*
 * memory.h
 *	  Allocation that does not fail: a simulator without memory has nothing better to do than end.
 */
#ifndef COINLORE_SIM_MEMORY_H
#define COINLORE_SIM_MEMORY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *
memory_check(void *p)
{
	if (p == NULL)
	{
		fputs("coinlore_sim: out of memory\n", stderr);
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

/* NULL stays NULL. */
static inline char *
memory_dup(const char *s)
{
	return s == NULL ? NULL : memory_check(strdup(s));
}

static inline char *
memory_dup_bytes(const char *s, size_t len)
{
	char *copy = memory_get(len + 1);

	memcpy(copy, s, len);
	return copy;
}

#endif /* COINLORE_SIM_MEMORY_H */
