/*
 * text.h
 *	  A growing string of bytes, and JSON written into it.
 */
#ifndef CRYPTO_RT_HTTP_TEXT_H
#define CRYPTO_RT_HTTP_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#include "blob.h"

/* Start from {0}. */
typedef struct Text
{
	char *bytes;
	size_t len;
	size_t room;
} Text;

static inline char *
text_room(Text *text, size_t more)
{
	if (text->len + more + 1 > text->room)
	{
		text->room = (text->len + more + 1) * 2;
		text->bytes = memory_grow(text->bytes, text->room);
	}
	return text->bytes + text->len;
}

static inline void
text_add(Text *text, const char *bytes, size_t len)
{
	memcpy(text_room(text, len), bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

static inline void
text_string(Text *text, const char *s)
{
	text_add(text, s, strlen(s));
}

static inline void __attribute__((format(printf, 2, 3))) text_format(Text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text_room(text, 512), 513, format, args);
	va_end(args);
	if (n > 512)
	{
		va_start(args, format);
		vsnprintf(text_room(text, (size_t) n), (size_t) n + 1, format, args);
		va_end(args);
	}
	text->len += n > 0 ? (size_t) n : 0;
}

/* A JSON string with its quotes.  What is not ASCII goes in as it is. */
static inline void
text_json(Text *text, const char *s, size_t len)
{
	text_add(text, "\"", 1);
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) s[i];

		if (c == '"' || c == '\\')
			text_format(text, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			text_format(text, "\\u%04x", c);
		else
			text_add(text, s + i, 1);
	}
	text_add(text, "\"", 1);
}

/* What has been written, as a blob; the text is empty again. */
static inline Blob *
text_blob(Text *text)
{
	Blob *blob = blob_of(text->bytes != NULL ? text->bytes : "", text->len);

	free(text->bytes);
	*text = (Text){0};
	return blob;
}

static inline void
text_free(Text *text)
{
	free(text->bytes);
	*text = (Text){0};
}

#endif /* CRYPTO_RT_HTTP_TEXT_H */
