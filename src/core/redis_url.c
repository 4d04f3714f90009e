/*
 * redis_url.c
 *	  See redis_url.h.
 *
 * The functions that read a part return what is wrong, or NULL when all is well.  Nothing that they say repeats what they
 * read: a part that is in the wrong place may be a password.
 */
#include "redis_url.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_DIGITS 6

/* Copy a part of a url with its %xx decoded. */
static const char *
decode(const char *in, char *out, size_t size)
{
	const char *end = out + size - 1;

	for (; *in != '\0'; in++, out++)
	{
		if (out == end)
			return "its user, password, host or path is too long";
		*out = *in;
		if (*in == '%')
		{
			const char digits[] = {in[1], in[1] == '\0' ? '\0' : in[2], '\0'};

			*out = (char) strtol(digits, NULL, 16);
			if (strspn(digits, "0123456789abcdefABCDEF") != 2 || *out == '\0')
				return "each % in it must be followed by two hexadecimal digits, and not by 00";
			in += 2;
		}
	}
	*out = '\0';
	return NULL;
}

static bool
read_number(const char *digits, int *value)
{
	size_t n = strspn(digits, "0123456789");

	*value = n > 0 && n <= NUMBER_DIGITS ? atoi(digits) : -1;
	return *value >= 0 && digits[n] == '\0';
}

/* Read host, host:port, [IPv6 address] or [IPv6 address]:port. */
static const char *
read_host(char *host, RedisUrl *url)
{
	bool bracket = host[0] == '[';
	char *host_end = strchr(host, bracket ? ']' : ':');
	const char *port = "";

	if (host_end != NULL)
	{
		port = host_end + bracket;
		if (*port != '\0' &&
			(*port != ':' || !read_number(port + 1, &url->port) || url->port < 1 || url->port > 65535))
			return "its port is not a number from 1 to 65535";
		*host_end = '\0';
	}
	else if (bracket)
		return "the [ before its IPv6 address is not closed";
	host += bracket;
	if (*host == '\0')
		return "it names no host";
	for (const char *p = host; *p != '\0'; p++)
		if (!isalnum((unsigned char) *p) && strchr(bracket ? ".:%-_" : ".-_", *p) == NULL)
			return "its host has a character that no host has";
	return decode(host, url->host, sizeof(url->host));
}

/* Read user or user:password. */
static const char *
read_user(char *user, RedisUrl *url)
{
	char *colon = strchr(user, ':');
	const char *wrong = NULL;

	if (colon != NULL)
	{
		*colon = '\0';
		wrong = decode(colon + 1, url->password, sizeof(url->password));
	}
	return wrong != NULL ? wrong : decode(user, url->user, sizeof(url->user));
}

/* Read /path or /path?db=number. */
static const char *
read_path(char *path, RedisUrl *url)
{
	char *query = path + strcspn(path, "?#");

	if (query - path < 2)
		return "it names no socket: write unix:///path";
	if (*query != '\0' && (strncmp(query, "?db=", 4) != 0 || !read_number(query + 4, &url->database)))
		return "only ?db= and the number of a database may follow its path";
	*query = '\0';
	return decode(path, url->path, sizeof(url->path));
}

const char *
redis_url_parse(const char *text, RedisUrl *url)
{
	bool local = strncasecmp(text, "unix://", 7) == 0;
	char head[REDIS_URL_SIZE]; /* [user[:password]@][host[:port]] */
	char rest[REDIS_URL_SIZE]; /* from the slash on */
	char *host = head;
	char *at;

	*url = (RedisUrl){.port = REDIS_URL_PORT};
	if (strncasecmp(text, "rediss://", 9) == 0)
		return "TLS (rediss://) is not supported";
	if (!local && strncasecmp(text, "redis://", 8) != 0)
		return "it must begin with redis:// or unix://";
	if (strlen(text) >= REDIS_URL_SIZE)
		return "it is too long";
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char) *p <= ' ' || *p == 0x7f)
			return "it must not hold spaces or control characters; write %20 and so on";

	snprintf(head, sizeof(head), "%s", text + (local ? 7 : 8));
	snprintf(rest, sizeof(rest), "%s", head + strcspn(head, "/?#"));
	head[strcspn(head, "/?#")] = '\0';
	at = strrchr(head, '@');
	if (at != NULL)
	{
		const char *wrong;

		*at = '\0';
		host = at + 1;
		wrong = read_user(head, url);
		if (wrong != NULL)
			return wrong;
	}
	if (local)
		return *host == '\0' ? read_path(rest, url) : "it names no socket: write unix:///path";
	if (strchr(rest, '@') != NULL)
		return "a /, ? or # in its user or password must be written as %2F, %3F or %23";
	if (rest[0] != '\0' && strcmp(rest, "/") != 0 &&
		(rest[0] != '/' || !read_number(rest + 1, &url->database)))
		return "only / and the number of a database may follow its host and port";
	return read_host(host, url);
}

const char *
redis_url_parse_address(const char *text, RedisUrl *url)
{
	char host[REDIS_URL_HOST_SIZE + 16];

	*url = (RedisUrl){.port = REDIS_URL_PORT};
	if (text[0] == '/')
	{
		if (strlen(text) >= sizeof(url->path))
			return "the path of its socket is too long";
		snprintf(url->path, sizeof(url->path), "%s", text);
		return NULL;
	}
	if (strlen(text) > REDIS_URL_HOST_SIZE)
		return "it is too long";
	snprintf(host, sizeof(host), "%s%s", text[0] == ':' ? "localhost" : "", text);
	return read_host(host, url);
}

void
redis_url_masked(const char *url, char *buf, size_t size)
{
	RedisUrl parsed;
	const char *authority;
	const char *colon;
	const char *at = NULL;

	if (url[0] != '\0' && redis_url_parse(url, &parsed) != NULL)
		url = "***";
	snprintf(buf, size, "%s", url);
	authority = strstr(url, "://");
	if (authority == NULL)
		return;
	authority += 3;
	for (const char *p = authority; *p != '\0' && strchr("/?#", *p) == NULL; p++)
		if (*p == '@')
			at = p;
	colon = at == NULL ? NULL : memchr(authority, ':', (size_t) (at - authority));
	if (colon != NULL)
		snprintf(buf, size, "%.*s***%s", (int) (colon + 1 - url), url, at);
}
