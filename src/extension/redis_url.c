/*
 * redis_url.c
 *	  Urls of Redis; see redis_url.h.
 *
 * The functions that read a part return what is wrong, in a sentence, or NULL when all is well.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* memrchr */
#endif
#include "postgres.h"

#include <ctype.h>

#include "redis_url.h"

#define NUMBER_DIGITS 6

/* Copy a part of a url with its %xx decoded. */
static const char *
url_decode(const char *in, char *out, size_t size)
{
	const char *end = out + size - 1;

	for (; *in != '\0'; in++, out++)
	{
		if (out == end)
			return "Its user, password, host or path is too long.";
		*out = *in;
		if (*in == '%')
		{
			const char digits[] = {in[1], in[1] == '\0' ? '\0' : in[2], '\0'};

			*out = (char) strtol(digits, NULL, 16);
			if (strspn(digits, "0123456789abcdefABCDEF") != 2 || *out == '\0')
				return "Each % in it must be followed by two hexadecimal digits, and not by 00.";
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
parse_host(char *host, RedisUrl *url)
{
	bool bracket = host[0] == '[';
	char *host_end = strchr(host, bracket ? ']' : ':');
	const char *port = "";
	int number = REDIS_PORT;

	if (host_end != NULL)
	{
		port = host_end + bracket;
		if (*port != '\0' &&
			(*port != ':' || !read_number(port + 1, &number) || number < 1 || number > 65535))
			return "Its port is not a number from 1 to 65535.";
		*host_end = '\0';
	}
	else if (bracket)
		return "The [ before its IPv6 address is not closed.";
	host += bracket;
	if (*host == '\0')
		return "It names no host.";
	for (const char *p = host; *p != '\0'; p++)
		if (!isalnum((unsigned char) *p) && strchr(bracket ? ".:%-_" : ".-_", *p) == NULL)
			return "Its host has a character that no host has.";
	snprintf(url->port, sizeof(url->port), "%d", number);
	return url_decode(host, url->host, sizeof(url->host));
}

/* Read user or user:password. */
static const char *
parse_user(char *user, RedisUrl *url)
{
	char *colon = strchr(user, ':');
	const char *wrong = NULL;

	if (colon != NULL)
	{
		*colon = '\0';
		wrong = url_decode(colon + 1, url->password, sizeof(url->password));
	}
	return wrong != NULL ? wrong : url_decode(user, url->user, sizeof(url->user));
}

/* Read /path or /path?db=number. */
static const char *
parse_path(char *path, RedisUrl *url)
{
	char *query = path + strcspn(path, "?#");

	if (query - path < 2)
		return "It names no socket: write unix:///path.";
	if (*query != '\0' && (strncmp(query, "?db=", 4) != 0 || !read_number(query + 4, &url->database)))
		return "Only ?db= and the number of a database may follow its path.";
	*query = '\0';
	return url_decode(path, url->path, sizeof(url->path));
}

const char *
redis_url_parse(const char *given, RedisUrl *url)
{
	bool local = pg_strncasecmp(given, "unix://", 7) == 0;
	char head[REDIS_URL_TEXT_SIZE]; /* [user[:password]@][host[:port]] */
	char rest[REDIS_URL_TEXT_SIZE]; /* from the slash on */
	char *host = head;
	char *at;

	memset(url, 0, sizeof(*url));
	if (pg_strncasecmp(given, "rediss://", 9) == 0)
		return "TLS (rediss://) is not supported.";
	if (!local && pg_strncasecmp(given, "redis://", 8) != 0)
		return "It must begin with redis:// or unix://.";
	if (strlen(given) >= REDIS_URL_TEXT_SIZE)
		return "It is too long.";
	for (const char *p = given; *p != '\0'; p++)
		if ((unsigned char) *p <= ' ' || *p == 0x7f)
			return "It must not hold spaces or control characters; write %20 and so on.";

	strcpy(head, given + (local ? 7 : 8));
	strcpy(rest, head + strcspn(head, "/?#"));
	head[strcspn(head, "/?#")] = '\0';
	at = strrchr(head, '@');
	if (at != NULL)
	{
		const char *wrong;

		*at = '\0';
		host = at + 1;
		wrong = parse_user(head, url);
		if (wrong != NULL)
			return wrong;
	}
	if (local)
		return *host == '\0' ? parse_path(rest, url) : "It names no socket: write unix:///path.";
	if (strchr(rest, '@') != NULL)
		return "A /, ? or # in its user or password must be written as %2F, %3F or %23.";
	if (rest[0] != '\0' && strcmp(rest, "/") != 0 &&
		(rest[0] != '/' || !read_number(rest + 1, &url->database)))
		return "Only / and the number of a database may follow its host and port.";
	return parse_host(host, url);
}

bool
redis_url_check(const char *url, char *err, size_t errsize)
{
	RedisUrl parsed;
	const char *wrong = url[0] == '\0' ? NULL : redis_url_parse(url, &parsed);

	strlcpy(err, wrong != NULL ? wrong : "", errsize);
	return wrong == NULL;
}

void
redis_url_masked(const char *url, char *buf, size_t size)
{
	RedisUrl parsed;
	const char *authority;
	const char *colon;
	const char *at;

	if (url[0] != '\0' && redis_url_parse(url, &parsed) != NULL)
		url = "***";
	strlcpy(buf, url, size);
	authority = strstr(url, "://");
	if (authority == NULL)
		return;
	authority += 3;
	at = memrchr(authority, '@', strcspn(authority, "/?#"));
	colon = at == NULL ? NULL : memchr(authority, ':', at - authority);
	if (colon != NULL)
		snprintf(buf, size, "%.*s***%s", (int) (colon + 1 - url), url, at);
}
