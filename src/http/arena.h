/*
 * arena.h
 *	  Memory for things that live and end together, as all that is made of one request.
 *
 * Nothing in it is freed by itself.  Start from {0}.
 */
#ifndef CRYPTO_RT_HTTP_ARENA_H
#define CRYPTO_RT_HTTP_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

#define ARENA_CHUNK 4000 /* bytes; what is larger has a chunk of its own */

typedef struct ArenaChunk
{
	struct ArenaChunk *next;
	size_t used;
	size_t size;
	max_align_t bytes[];
} ArenaChunk;

typedef struct Arena
{
	ArenaChunk *chunks; /* the first is being filled */
} Arena;

/* Zeroed. */
static inline void *
arena_get(Arena *arena, size_t size)
{
	ArenaChunk *chunk = arena->chunks;
	void *at;

	size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (chunk == NULL || chunk->size - chunk->used < size)
	{
		size_t room = size > ARENA_CHUNK / 4 ? size : ARENA_CHUNK;

		chunk = memory_get(sizeof(ArenaChunk) + room);
		chunk->size = room;
		/* a large one stands behind, so that the one being filled goes on to be */
		if (arena->chunks != NULL && room == size)
		{
			chunk->next = arena->chunks->next;
			arena->chunks->next = chunk;
		}
		else
		{
			chunk->next = arena->chunks;
			arena->chunks = chunk;
		}
	}
	at = (char *) chunk->bytes + chunk->used;
	chunk->used += size;
	return at;
}

/* With a NUL behind. */
static inline char *
arena_copy(Arena *arena, const char *bytes, size_t len)
{
	char *copy = arena_get(arena, len + 1);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

static inline char *
arena_string(Arena *arena, const char *s)
{
	return arena_copy(arena, s, strlen(s));
}

static inline char *__attribute__((format(printf, 2, 0)))
arena_vformat(Arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = arena_get(arena, len > 0 ? (size_t) len + 1 : 1);
	vsnprintf(text, len > 0 ? (size_t) len + 1 : 1, format, args);
	return text;
}

static inline char *__attribute__((format(printf, 2, 3))) arena_format(Arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vformat(arena, format, args);
	va_end(args);
	return text;
}

/* One more place at the end of an array of *count; returns the array, which may have moved. */
static inline void *
arena_more(Arena *arena, void *array, int *count, int *room, size_t size)
{
	if (*count == *room)
	{
		int more = *room > 0 ? *room * 2 : 4;
		void *moved = arena_get(arena, (size_t) more * size);

		if (array != NULL)
			memcpy(moved, array, (size_t) *count * size);
		array = moved;
		*room = more;
	}
	(*count)++;
	return array;
}

static inline void
arena_free(Arena *arena)
{
	ArenaChunk *next;

	for (ArenaChunk *chunk = arena->chunks; chunk != NULL; chunk = next)
	{
		next = chunk->next;
		free(chunk);
	}
	arena->chunks = NULL;
}

#endif /* CRYPTO_RT_HTTP_ARENA_H */
