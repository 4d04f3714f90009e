/*
 * text.h
 *	  A growing string of bytes, and JSON written into it.
 *
 * Start from TEXT_EMPTY.  bytes always ends with a NUL that len does not count, once anything has
 * been added.  text_free, or free(bytes) by whoever took them.
 */
#ifndef COINLORE_SIM_TEXT_H
#define COINLORE_SIM_TEXT_H

#include <stddef.h>

typedef struct Text
{
	char *bytes;
	size_t len;
	size_t room;
} Text;

#define TEXT_EMPTY ((Text){NULL, 0, 0})

/* Make room for more bytes at once. */
extern void text_room(Text *text, size_t more);

extern void text_bytes(Text *text, const char *bytes, size_t len);
extern void text_add(Text *text, const char *s);
extern void text_repeat(Text *text, char c, size_t times);
extern void text_format(Text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull(1, 2)));

/* A JSON string with its quotes.  Bytes beyond ASCII go in as they are, whether UTF-8 or not. */
extern void text_json(Text *text, const char *s, size_t len);

/* The same of a C string; NULL is written as null. */
extern void text_json_string(Text *text, const char *s);

extern void text_clear(Text *text);
extern void text_free(Text *text);

#endif /* COINLORE_SIM_TEXT_H */
