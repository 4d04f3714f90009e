/*
 * redis_url.h
 *	  Urls of Redis: read, checked, and shown without their password.
 *
 * Urls are redis://[user[:password]@]host[:port][/database] and unix://[user[:password]@]/path[?db=database],
 * where user, password and path may hold %xx.  "" stands for no Redis.
 */
#ifndef CRYPTO_RT_REDIS_URL_H
#define CRYPTO_RT_REDIS_URL_H

#include "postgres.h"

#include <sys/un.h>

#define REDIS_PORT 6379
#define REDIS_URL_TEXT_SIZE 1024 /* the longest url, NUL included, as it is shown */
#define REDIS_HOST_SIZE 256
#define REDIS_USER_SIZE 128
#define REDIS_PASSWORD_SIZE 512

typedef struct RedisUrl
{
	char user[REDIS_USER_SIZE];         /* "": none */
	char password[REDIS_PASSWORD_SIZE]; /* "": none */
	char host[REDIS_HOST_SIZE];         /* "": a unix socket */
	char port[8];
	char path[sizeof(((struct sockaddr_un *) NULL)->sun_path)];
	int database;
} RedisUrl;

/* Read a url that is not empty.  Returns what is wrong, in a sentence that repeats nothing of it, or NULL. */
extern const char *redis_url_parse(const char *given, RedisUrl *url);

/* Whether a url can be used.  If not, err says why in a sentence that repeats nothing of the url. */
extern bool redis_url_check(const char *url, char *err, size_t errsize);

/* Copy a url with *** for its password. */
extern void redis_url_masked(const char *url, char *buf, size_t size);

#endif /* CRYPTO_RT_REDIS_URL_H */
