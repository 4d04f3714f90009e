/*
 * text.c
 *	  See text.h.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

/* Make room for more bytes and a NUL. */
static void
need(Text *text, size_t more)
{
	size_t room = text->room > 0 ? text->room : 256;

	if (text->len + more < text->room)
		return;
	while (room <= text->len + more)
		room *= 2;
	text->bytes = memory_grow(text->bytes, room);
	text->room = room;
}

void
text_room(Text *text, size_t more)
{
	if (text->len + more < text->room)
		return;
	text->room = text->len + more + 1;
	text->bytes = memory_grow(text->bytes, text->room);
}

void
text_bytes(Text *text, const char *bytes, size_t len)
{
	need(text, len);
	if (len > 0)
		memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

void
text_add(Text *text, const char *s)
{
	text_bytes(text, s, strlen(s));
}

void
text_repeat(Text *text, char c, size_t times)
{
	need(text, times);
	memset(text->bytes + text->len, c, times);
	text->len += times;
	text->bytes[text->len] = '\0';
}

void
text_format(Text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return;
	need(text, (size_t) len + 1);
	va_start(args, format);
	vsnprintf(text->bytes + text->len, (size_t) len + 1, format, args);
	va_end(args);
	text->len += (size_t) len;
}

void
text_json(Text *text, const char *s, size_t len)
{
	size_t start = 0;

	text_bytes(text, "\"", 1);
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_bytes(text, s + start, i - start);
		start = i + 1;
		switch (c)
		{
			case '"':
				text_add(text, "\\\"");
				break;
			case '\\':
				text_add(text, "\\\\");
				break;
			case '\n':
				text_add(text, "\\n");
				break;
			case '\r':
				text_add(text, "\\r");
				break;
			case '\t':
				text_add(text, "\\t");
				break;
			default:
				text_format(text, "\\u%04x", c);
		}
	}
	text_bytes(text, s + start, len - start);
	text_bytes(text, "\"", 1);
}

void
text_json_string(Text *text, const char *s)
{
	if (s == NULL)
		text_add(text, "null");
	else
		text_json(text, s, strlen(s));
}

void
text_clear(Text *text)
{
	text->len = 0;
	if (text->bytes != NULL)
		text->bytes[0] = '\0';
}

void
text_free(Text *text)
{
	free(text->bytes);
	*text = TEXT_EMPTY;
}
