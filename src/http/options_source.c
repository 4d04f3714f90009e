/*
 * options_source.c
 *	  See options_source.h.
 */
#include "options_source.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "options_value.h"
#include "../core/redis_url.h"
#include "text.h"

#define DATABASES_MAX 999999 /* that a number of Redis' may name */
#define KEY_MAX 16384        /* bytes */

/* A variable's value; an empty one counts as none. */
static char *
variable(const char *name)
{
	char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static void
hide(char *value)
{
	memset(value, '*', strlen(value));
}

/*
 * Redis.
 */

static const char *
dup_or_null(const char *text)
{
	return text[0] != '\0' ? memory_dup(text) : NULL;
}

static void
use_redis(Options *into, const RedisUrl *url)
{
	Text shown = {0};

	into->redis_host = dup_or_null(url->host);
	into->redis_port = url->port;
	into->redis_path = dup_or_null(url->path);
	into->redis_user = dup_or_null(url->user);
	into->redis_password = dup_or_null(url->password);
	into->redis_database = url->database;
	if (url->path[0] != '\0')
		text_string(&shown, url->path);
	else
		text_format(&shown, strchr(url->host, ':') != NULL ? "[%s]:%d" : "%s:%d", url->host, url->port);
	if (url->database != 0)
		text_format(&shown, " database %d", url->database);
	into->redis_shown = shown.bytes;
}

bool
source_redis(Options *into, const char *name, char *value)
{
	RedisUrl url = {0};
	const char *problem;

	if (value_none(value))
		return true;
	problem = redis_url_parse(value, &url);
	if (problem != NULL)
		return value_wrong("%s cannot be used: %s; it takes redis://[user[:password]@]host[:port][/db], "
						   "unix:///path[?db=N], or '' for none",
						   name, problem);
	use_redis(into, &url);
	if (url.password[0] != '\0')
		hide(value);
	return true;
}

bool
source_redis_password(Options *into, const char *name, const char *file_name)
{
	char line[REDIS_URL_PASSWORD_SIZE + 2] = "";
	FILE *file = fopen(file_name, "re");
	bool failed = file == NULL || (fgets(line, sizeof(line), file) == NULL && ferror(file));
	int err = errno;

	if (file != NULL)
		fclose(file);
	if (failed)
		return value_wrong("%s: cannot read \"%s\": %s", name, file_name, strerror(err));
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0' || strlen(line) >= REDIS_URL_PASSWORD_SIZE)
		return value_wrong("%s: the first line of \"%s\" should be the password, of 1 to %d bytes", name,
						   file_name, REDIS_URL_PASSWORD_SIZE - 1);
	if (into->redis_password != NULL)
		return value_wrong("%s: the url of Redis holds a password already; remove one of them", name);
	into->redis_password = memory_dup(line);
	return true;
}

static bool
read_redis_address(Options *into, const char *address)
{
	RedisUrl url;
	const char *problem = redis_url_parse_address(address, &url);

	if (problem != NULL)
		return value_wrong("REDIS_ADDR cannot be used: %s; it takes host:port, or the path of a socket",
						   problem);
	if (variable("REDIS_DB") != NULL &&
		!value_whole("REDIS_DB", variable("REDIS_DB"), 0, DATABASES_MAX, &url.database))
		return false;
	use_redis(into, &url);
	return true;
}

bool
source_find_redis(Options *into)
{
	char *address = variable("REDIS_ADDR");

	if (variable("REDIS_URL") != NULL)
		return source_redis(into, "REDIS_URL", variable("REDIS_URL"));
	if (address != NULL && strstr(address, "://") != NULL)
		return source_redis(into, "REDIS_ADDR", address);
	return read_redis_address(into, address != NULL ? address : "localhost");
}

bool
source_complete(Options *into)
{
	const char *user = variable("REDIS_USERNAME");
	const char *password = variable("REDIS_PASSWORD");

	if (into->redis_shown == NULL)
		return true;
	if (into->redis_password == NULL && password != NULL)
		into->redis_password = memory_dup(password);
	if (into->redis_user == NULL && user != NULL && into->redis_password != NULL)
		into->redis_user = memory_dup(user);
	if (into->redis_user != NULL && into->redis_password == NULL)
		return value_wrong("Redis is given a user, but no password: write user:password@ in its url, or set "
						   "--redis-password-file or REDIS_PASSWORD");
	return true;
}

/*
 * Keys.
 */

bool
source_rest_key(Options *into, const char *name, const char *key)
{
	bool pem = strncmp(key, "-----BEGIN", 10) == 0;
	size_t len = strlen(key);

	while (len > 0 && (key[len - 1] == '\n' || key[len - 1] == '\r'))
		len--;
	if (pem && strstr(key, "-----BEGIN PUBLIC KEY-----") == NULL)
		return value_wrong("%s holds PEM, but no public key", name);
	if (!pem && len < REST_JWT_SECRET_MIN)
		return value_wrong("%s: a secret has at least %d bytes, and this one has %zu", name,
						   REST_JWT_SECRET_MIN, len);
	into->rest_jwt.algorithm = pem ? REST_JWT_RS256 : REST_JWT_HS256;
	into->rest_jwt.bytes = memory_check(strndup(key, len));
	into->rest_jwt.len = len;
	return true;
}

bool
source_rest_secret(Options *into, const char *name, const char *file_name)
{
	char key[KEY_MAX + 1];
	FILE *file = fopen(file_name, "re");
	size_t len = file != NULL ? fread(key, 1, sizeof(key), file) : 0;
	bool failed = file == NULL || ferror(file);
	int err = errno;

	if (file != NULL)
		fclose(file);
	if (failed)
		return value_wrong("%s: cannot read \"%s\": %s", name, file_name, strerror(err));
	if (len > KEY_MAX || memchr(key, '\0', len) != NULL)
		return value_wrong("%s: \"%s\" is no key: it has more than %d bytes, or one that is zero", name,
						   file_name, KEY_MAX);
	key[len] = '\0';
	return source_rest_key(into, name, key);
}

/*
 * PostgreSQL.
 */

/* A part of a conninfo: the user's own, or what libpq takes without it; NULL: neither. */
static const char *
part(const PQconninfoOption *given, const PQconninfoOption *fallback, const char *keyword)
{
	const PQconninfoOption *const lists[] = {given, fallback};

	for (int i = 0; i < 2; i++)
		for (const PQconninfoOption *o = lists[i]; o != NULL && o->keyword != NULL; o++)
			if (strcmp(o->keyword, keyword) == 0 && o->val != NULL && o->val[0] != '\0')
				return o->val;
	return NULL;
}

static const char *
show_database(const PQconninfoOption *given)
{
	PQconninfoOption *fallback = PQconndefaults();
	const char *name = part(given, fallback, "dbname");
	const char *user = part(given, fallback, "user");
	const char *host = part(given, fallback, "host");
	const char *address = part(given, fallback, "hostaddr");
	const char *port = part(given, fallback, "port");
	Text shown = {0};

	/* libpq names the database after the user */
	if (part(given, NULL, "dbname") == NULL && variable("PGDATABASE") == NULL)
		name = user;
	if (host == NULL)
		host = address;
	text_format(&shown, "%s at ", name != NULL ? name : "the default database");
	if (host == NULL)
		text_string(&shown, "the local socket");
	else
		text_format(&shown, strchr(host, ':') != NULL ? "[%s]" : "%s", host);
	if (port != NULL && (host == NULL || host[0] != '/'))
		text_format(&shown, host != NULL ? ":%s" : " of port %s", port);
	PQconninfoFree(fallback);
	return shown.bytes;
}

bool
source_database(Options *into, const char *name, char *value)
{
	PQconninfoOption *given;
	char *problem = NULL;

	if (value_none(value))
		return true;
	given = PQconninfoParse(value, &problem);
	/* what libpq has to say repeats parts of the value, perhaps of the password */
	PQfreemem(problem);
	if (given == NULL)
		return value_wrong("%s cannot be used: libpq does not know a part of it; it takes "
						   "postgresql://user:password@host:port/name (special characters as %%xx), or "
						   "'host=... dbname=... user=...', or '' for none",
						   name);
	into->database = memory_dup(value);
	into->database_shown = show_database(given);
	if (part(given, NULL, "password") != NULL || part(given, NULL, "sslpassword") != NULL)
		hide(value);
	PQconninfoFree(given);
	return true;
}

/* Quoted as libpq's conninfo has it. */
static void
add_pair(Text *conninfo, const char *keyword, const char *value)
{
	text_format(conninfo, "%s%s='", conninfo->len > 0 ? " " : "", keyword);
	for (; *value != '\0'; value++)
	{
		if (*value == '\'' || *value == '\\')
			text_add(conninfo, "\\", 1);
		text_add(conninfo, value, 1);
	}
	text_add(conninfo, "'", 1);
}

bool
source_find_database(Options *into)
{
	static const char *const pairs[][2] = {{"DB_HOST", "host"},
										   {"DB_PORT", "port"},
										   {"DB_USER", "user"},
										   {"DB_PASSWORD", "password"},
										   {"DB_NAME", "dbname"}};
	Text conninfo = {0};
	int port;
	bool fine = true;

	if (variable("DATABASE_URL") != NULL)
		return source_database(into, "DATABASE_URL", variable("DATABASE_URL"));
	if (variable("DB_PORT") != NULL && !value_whole("DB_PORT", variable("DB_PORT"), 1, 65535, &port))
		return false;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (variable(pairs[i][0]) != NULL)
			add_pair(&conninfo, pairs[i][1], variable(pairs[i][0]));
	if (conninfo.len > 0)
		fine = source_database(into, "DB_HOST with its kin", conninfo.bytes);
	text_free(&conninfo);
	return fine;
}
