/*
 * redis_url.h
 *	  Where Redis is, as users write it.
 *
 * A url is redis://[user[:password]@]host[:port][/database] or unix://[user[:password]@]/path[?db=database], where user,
 * password and path may hold %xx.  What is wrong with one is told in a clause, fit to follow "the url cannot be used: ".
 */
#ifndef CRYPTO_RT_REDIS_URL_H
#define CRYPTO_RT_REDIS_URL_H

#include <stddef.h>
#include <sys/un.h>

#define REDIS_URL_PORT 6379
#define REDIS_URL_SIZE 1024 /* the longest url, NUL included */
#define REDIS_URL_HOST_SIZE 256
#define REDIS_URL_USER_SIZE 128
#define REDIS_URL_PASSWORD_SIZE 512

typedef struct RedisUrl
{
	char user[REDIS_URL_USER_SIZE];         /* "": none */
	char password[REDIS_URL_PASSWORD_SIZE]; /* "": none */
	char host[REDIS_URL_HOST_SIZE];         /* "": a unix socket */
	int port;
	char path[sizeof(((struct sockaddr_un *) NULL)->sun_path)]; /* "": a host */
	int database;
} RedisUrl;

/* Read a url.  Returns what is wrong, in words that repeat nothing of it, or NULL. */
extern const char *redis_url_parse(const char *text, RedisUrl *url);

/* Read host, host:port, [IPv6 address]:port, :port or /path, as other programs take them.  Returns the same. */
extern const char *redis_url_parse_address(const char *text, RedisUrl *url);

/* Copy a url with *** for its password; "***" for one that cannot be read, "" for none. */
extern void redis_url_masked(const char *url, char *buf, size_t size);

#endif /* CRYPTO_RT_REDIS_URL_H */
