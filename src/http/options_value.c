/*
 * options_value.c
 *	  See options_value.h.
 */
#include "options_value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_SIZE 256
#define RATE_LEAST 0.001 /* less would be a mistake */
#define RATE_MOST 1e6

bool
value_wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("crypto_rt_http: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\nTry crypto_rt_http --help.\n", stderr);
	va_end(args);
	return false;
}

bool
value_none(const char *value)
{
	return value[0] == '\0' || strcmp(value, "none") == 0;
}

/* Digits only, up to most. */
static bool
read_digits(const char *text, long most, long *number)
{
	char *end;

	errno = 0;
	*number = strtol(text, &end, 10);
	return isdigit((unsigned char) text[0]) && *end == '\0' && errno == 0 && *number <= most;
}

bool
value_whole(const char *name, const char *value, int least, int most, int *number)
{
	long read;

	if (!read_digits(value, most, &read) || read < least)
		return value_wrong("%s takes a whole number from %d to %d, not \"%s\"", name, least, most, value);
	*number = (int) read;
	return true;
}

bool
value_rate(const char *name, const char *value, double *rate)
{
	char *end;
	double read = strtod(value, &end);

	if (!isdigit((unsigned char) value[0]) || value[strspn(value, "0123456789.")] != '\0' || *end != '\0' ||
		read > RATE_MOST || (read > 0 && read < RATE_LEAST))
		return value_wrong("%s takes requests per second, %g to %.0f, or 0 for no limit, not \"%s\"", name,
						   RATE_LEAST, RATE_MOST, value);
	*rate = read;
	return true;
}

bool
value_switch(const char *name, const char *value, bool *on)
{
	static const char *const words[] = {"on", "off", "true", "false", "yes", "no", "1", "0"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(value, words[i]) == 0)
		{
			*on = i % 2 == 0;
			return true;
		}
	return value_wrong("%s takes on or off, not \"%s\"", name, value);
}

/* Every address of this machine: IPv6's wildcard takes IPv4 too, where there is IPv6. */
static void
listen_everywhere(uint16_t port, struct sockaddr_storage *address)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
	{
		close(fd);
		*(struct sockaddr_in6 *) address =
			(struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	}
	else
		*(struct sockaddr_in *) address =
			(struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
}

bool
value_listen(const char *name, const char *value, struct sockaddr_storage *address)
{
	static const char right[] = "HOST:PORT, such as 127.0.0.1:8080, [::1]:8080 or :8080";
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found;
	const char *colon = strrchr(value, ':');
	size_t len = colon != NULL ? (size_t) (colon - value) : 0;
	bool brackets = len > 2 && value[0] == '[' && value[len - 1] == ']';
	char host[HOST_SIZE];
	long port;
	int status;

	memset(address, 0, sizeof(*address));
	if (colon == NULL || len >= sizeof(host))
		return value_wrong("%s takes %s, not \"%s\"", name, right, value);
	if (!read_digits(colon + 1, 65535, &port))
		return value_wrong("%s: \"%s\" is not a port from 0 to 65535; it takes %s", name, colon + 1, right);
	if (len == 0 || (len == 1 && value[0] == '*'))
	{
		listen_everywhere((uint16_t) port, address);
		return true;
	}
	if (!brackets && memchr(value, ':', len) != NULL)
		return value_wrong("%s: an IPv6 address stands in brackets: it takes %s, not \"%s\"", name, right,
						   value);
	snprintf(host, sizeof(host), "%.*s", (int) len - 2 * brackets, value + brackets);
	status = getaddrinfo(host, colon + 1, &hints, &found);
	if (status != 0)
		return value_wrong("%s: there is no address of \"%s\" (%s); it takes %s", name, host,
						   status == EAI_SYSTEM ? strerror(errno) : gai_strerror(status), right);
	memcpy(address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return true;
}

/* Clear the bits of an address beyond the first ones.  Returns whether one of them was set. */
static bool
clear_tail(struct in6_addr *address, int bits)
{
	bool set = false;

	for (int i = 0; i < 16; i++)
	{
		int kept = bits - i * 8;
		uint8_t mask = kept >= 8 ? 0xff : kept <= 0 ? 0 : (uint8_t) (0xff << (8 - kept));

		set |= (address->s6_addr[i] & ~mask) != 0;
		address->s6_addr[i] &= mask;
	}
	return set;
}

bool
value_network(const char *name, const char *value, Network *network)
{
	char address[INET6_ADDRSTRLEN] = "";
	const char *slash = strchr(value, '/');
	size_t len = slash != NULL ? (size_t) (slash - value) : strlen(value);
	struct in_addr four;
	bool is_four;
	long bits;
	int most;

	if (len < sizeof(address))
		memcpy(address, value, len);
	is_four = inet_pton(AF_INET, address, &four) == 1;
	if (!is_four && inet_pton(AF_INET6, address, &network->address) != 1)
		return value_wrong(
			"%s takes an address or a network, such as 192.0.2.1, 10.0.0.0/8 or fd00::/8, not \"%s\"", name,
			value);
	bits = most = is_four ? 32 : 128;
	if (slash != NULL && !read_digits(slash + 1, most, &bits))
		return value_wrong("%s: \"%s\" should end with a number of bits from 0 to %d", name, value, most);
	network->bits = (int) bits + 128 - most;
	if (is_four)
	{
		memset(network->address.s6_addr, 0, 10);
		memset(network->address.s6_addr + 10, 0xff, 2);
		memcpy(network->address.s6_addr + 12, &four, 4);
	}
	if (!clear_tail(&network->address, network->bits))
		return true;
	inet_ntop(is_four ? AF_INET : AF_INET6, network->address.s6_addr + (is_four ? 12 : 0), address,
			  sizeof(address));
	return value_wrong("%s: \"%s\" has bits set beyond the first %ld; is %s/%ld meant?", name, value, bits,
					   address, bits);
}

bool
value_origin(const char *name, const char *value)
{
	const char *host = strstr(value, "://");
	bool fine = host != NULL && host > value && host[3] != '\0';

	for (const char *p = value; fine && p < host; p++)
		fine = isalnum((unsigned char) *p) || strchr("+-.", *p) != NULL;
	for (const char *p = fine ? host + 3 : ""; fine && *p != '\0'; p++)
		fine = isalnum((unsigned char) *p) || strchr("-._:[]", *p) != NULL;
	if (fine || strcmp(value, "*") == 0)
		return true;
	return value_wrong("%s takes *, or an origin as browsers send it, such as https://example.com or "
					   "http://localhost:3000, without a path; not \"%s\"",
					   name, value);
}

char *
value_next(char **list)
{
	char *item = strsep(list, ",");
	char *end;

	if (item == NULL)
		return NULL;
	item += strspn(item, " \t");
	for (end = item + strlen(item); end > item && isspace((unsigned char) end[-1]); end--)
		;
	*end = '\0';
	return item;
}
