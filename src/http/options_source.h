/*
 * options_source.h
 *	  Where quotes come from: options and variables that name Redis and PostgreSQL.
 *
 * No message repeats a url or a conninfo, and a value that holds a password is overwritten once it has been copied, so that
 * ps does not show it.  All return false after they have told standard error what is wrong.
 */
#ifndef CRYPTO_RT_HTTP_OPTIONS_SOURCE_H
#define CRYPTO_RT_HTTP_OPTIONS_SOURCE_H

#include <stdbool.h>

#include "options.h"

/* A url, or none. */
extern bool source_redis(Options *into, const char *name, char *value);

/* The file with its password. */
extern bool source_redis_password(Options *into, const char *name, const char *file);

/* A url or a conninfo, or none. */
extern bool source_database(Options *into, const char *name, char *value);

/* The same from REDIS_URL or REDIS_ADDR, and from DATABASE_URL or DB_HOST and its kin, when nothing else has told. */
extern bool source_find_redis(Options *into);
extern bool source_find_database(Options *into);

/* What tokens are signed with: a file's contents, or the thing itself. */
extern bool source_rest_secret(Options *into, const char *name, const char *file_name);
extern bool source_rest_key(Options *into, const char *name, const char *key);

/* At last: what REDIS_USERNAME and REDIS_PASSWORD add. */
extern bool source_complete(Options *into);

#endif /* CRYPTO_RT_HTTP_OPTIONS_SOURCE_H */
