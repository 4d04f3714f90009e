/*
 * options.c
 *	  See options.h.
 *
 * Flags are collected first, then each setting takes its value from its flag, or else from its variable, or else keeps its
 * default.  A wrong value ends it all, with a message that names the flag or the variable.
 */
#include "options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "options_source.h"
#include "options_value.h"

#define EXIT_USAGE 2
#define VARIABLE_PREFIX "CRYPTO_RT_HTTP_"
#define VARIABLE_SIZE 64
#define FLAG_HELP 1
#define FLAG_VERSION 2
#define FLAG_FIRST 256 /* what getopt_long returns for the first setting */
#define LIST_SIZE 8192 /* bytes of a list, all its flags together */

static const char usage[] =
	"crypto_rt_http: crypto_rt's prices over HTTP and server-sent events\n"
	"\n"
	"Usage: crypto_rt_http [options]\n"
	"\n"
	"Where to listen\n"
	"  --listen HOST:PORT     (127.0.0.1:8080) also [IPV6]:PORT; :PORT is everywhere\n"
	"  --port-file FILE       write the port there once it listens; for port 0,\n"
	"                         which takes a free one\n"
	"  --tls-cert FILE        serve HTTPS with this chain of certificates (PEM), and\n"
	"  --tls-key FILE         this key; SIGHUP reads both anew\n"
	"\n"
	"Where quotes come from\n"
	"  --redis URL            redis://[user[:password]@]host[:port][/db], or\n"
	"                         unix:///path[?db=N], or '' for none.  Not given:\n"
	"                         REDIS_URL, or REDIS_ADDR=host:port and REDIS_DB, or\n"
	"                         localhost:6379.  REDIS_USERNAME and REDIS_PASSWORD\n"
	"                         count where the url has none\n"
	"  --redis-password-file FILE\n"
	"                         its first line is the password\n"
	"  --database CONNINFO    PostgreSQL, for candles and for while Redis is away:\n"
	"                         postgresql://..., or 'host=... dbname=...', or ''\n"
	"                         for none.  Not given: DATABASE_URL, or DB_HOST,\n"
	"                         DB_PORT, DB_USER, DB_PASSWORD and DB_NAME, or none\n"
	"  --database-connections N\n"
	"                         (4) to it at the most, for queries\n"
	"\n"
	"/rest/v1, for clients of PostgREST\n"
	"  --rest-schema NAME     (crypto_rt_api) whose tables, views and functions are\n"
	"                         exposed; more by commas, for Accept-Profile\n"
	"  --rest-role ROLE       (crypto_rt_anon) that requests without a token run as,\n"
	"                         or '' to refuse them\n"
	"  --rest-max-rows N      (1000) rows of one reply; 0: no limit\n"
	"  --rest-jwt-secret-file FILE\n"
	"                         what tokens are signed with: a secret of 32 bytes or\n"
	"                         more (HS256), or a public key as PEM (RS256)\n"
	"  --rest-jwt-audience A  that tokens must be for, if they are for any\n"
	"                         Not given, these are taken from PGRST_DB_SCHEMAS,\n"
	"                         PGRST_DB_ANON_ROLE, PGRST_DB_MAX_ROWS,\n"
	"                         PGRST_JWT_SECRET and PGRST_JWT_AUD\n"
	"\n"
	"Limits\n"
	"  --max-connections N    (16384) connections in all\n"
	"  --max-connections-per-address N\n"
	"                         (1000)\n"
	"  --max-streams-per-address N\n"
	"                         (100)\n"
	"  --rate N               (100) requests per second and address; 0: no limit\n"
	"  --burst N              (200) requests that an idle address may send at once\n"
	"  --max-header BYTES     (8192) of a request's line and headers\n"
	"  --max-url BYTES        (4096) of path and query\n"
	"  --header-timeout N     (5) seconds for the whole header of a request\n"
	"  --trusted-proxy CIDR   believe X-Forwarded-For from there, as 10.0.0.0/8 or\n"
	"                         ::1; may be given again\n"
	"\n"
	"Else\n"
	"  --web-dir DIR          serve the dashboard of this folder (index.html and the\n"
	"                         files beside it) in place of the one that is built in;\n"
	"                         SIGHUP reads it anew\n"
	"  --cors-origin ORIGIN   (*) whose pages may read us, as https://example.com;\n"
	"                         may be given again; '' for nobody's\n"
	"  --access-log           a line of JSON on standard output for each request\n"
	"  --allow-root           run as root, which it needs for nothing\n"
	"  --quiet                say nothing but warnings and errors\n"
	"  --help, --version\n"
	"\n"
	"Each flag can be given by a variable, as CRYPTO_RT_HTTP_MAX_URL=2048 or\n"
	"CRYPTO_RT_HTTP_ACCESS_LOG=on; lists by commas.  A flag wins.\n"
	"\n"
	"Examples\n"
	"  crypto_rt_http\n"
	"  crypto_rt_http --listen :8443 --tls-cert chain.pem --tls-key key.pem\n"
	"  crypto_rt_http --redis '' --database postgresql://reader@db.example.com/prices\n"
	"  REDIS_ADDR=redis:6379 DB_HOST=db DB_NAME=prices crypto_rt_http --listen :8080\n";

typedef struct Setting
{
	const char *flag;
	/* Read a value that the user calls `name`; false, with a message: it is wrong. */
	bool (*read)(const struct Setting *setting, const char *name, char *value);
	enum
	{
		PLAIN,    /* the last flag wins; an empty variable is none */
		OPTIONAL, /* the same, but an empty variable says: none */
		LIST,     /* flags add up; an empty variable is none */
		OPTIONAL_LIST,
		SWITCH /* a flag without a value */
	} kind;
	void *field; /* for readers that serve several settings */
	int least;
	int most;
} Setting;

static Options current;

/*
 * Readers.
 */

static bool
read_listen(const Setting *setting, const char *name, char *value)
{
	(void) setting;
	current.listen_text = memory_dup(value);
	return value_listen(name, value, &current.listen);
}

static bool
read_file_name(const Setting *setting, const char *name, char *value)
{
	if (value[0] == '\0')
		return value_wrong("%s takes a name, and it is empty", name);
	*(const char **) setting->field = memory_dup(value);
	return true;
}

static bool
read_switch(const Setting *setting, const char *name, char *value)
{
	return value_switch(name, value, setting->field);
}

static bool
read_number(const Setting *setting, const char *name, char *value)
{
	return value_whole(name, value, setting->least, setting->most, setting->field);
}

static bool
read_rate(const Setting *setting, const char *name, char *value)
{
	(void) setting;
	return value_rate(name, value, &current.rate);
}

static bool
read_proxies(const Setting *setting, const char *name, char *value)
{
	char *item;

	(void) setting;
	while ((item = value_next(&value)) != NULL)
	{
		if (current.trusted_proxy_count == OPTIONS_PROXIES_MAX)
			return value_wrong("%s: there can be no more than %d of them", name, OPTIONS_PROXIES_MAX);
		if (!value_network(name, item, &current.trusted_proxies[current.trusted_proxy_count]))
			return false;
		current.trusted_proxy_count++;
	}
	return true;
}

/* A list that holds * is kept as * alone. */
static bool
read_origins(const Setting *setting, const char *name, char *value)
{
	bool everybody = false;
	char *item;

	(void) setting;
	current.cors_origin_count = 0;
	if (value_none(value))
		return true;
	while ((item = value_next(&value)) != NULL)
	{
		if (current.cors_origin_count == OPTIONS_ORIGINS_MAX)
			return value_wrong("%s: there can be no more than %d of them", name, OPTIONS_ORIGINS_MAX);
		if (!value_origin(name, item))
			return false;
		everybody |= strcmp(item, "*") == 0;
		current.cors_origins[current.cors_origin_count++] = memory_dup(item);
	}
	if (everybody)
	{
		current.cors_origins[0] = "*";
		current.cors_origin_count = 1;
	}
	return true;
}

static bool
read_redis(const Setting *setting, const char *name, char *value)
{
	(void) setting;
	return source_redis(&current, name, value);
}

static bool
read_redis_password(const Setting *setting, const char *name, char *value)
{
	(void) setting;
	return source_redis_password(&current, name, value);
}

static bool
read_database(const Setting *setting, const char *name, char *value)
{
	(void) setting;
	return source_database(&current, name, value);
}

static bool
has_rest_schema(const char *name)
{
	for (int i = 0; i < current.rest_schema_count; i++)
		if (strcmp(current.rest_schemas[i], name) == 0)
			return true;
	return false;
}

static bool
read_rest_schemas(const Setting *setting, const char *name, char *value)
{
	char *item;

	(void) setting;
	current.rest_schema_count = 0;
	while ((item = value_next(&value)) != NULL)
	{
		if (current.rest_schema_count == OPTIONS_SCHEMAS_MAX)
			return value_wrong("%s: there can be no more than %d of them", name, OPTIONS_SCHEMAS_MAX);
		if (strcmp(item, "pg_catalog") == 0 || strcmp(item, "information_schema") == 0)
			return value_wrong("%s: %s cannot be exposed, since it tells too much: make views in a schema of "
							   "your own",
							   name, item);
		if (item[0] != '\0' && !has_rest_schema(item))
			current.rest_schemas[current.rest_schema_count++] = memory_dup(item);
	}
	return current.rest_schema_count > 0 || value_wrong("%s takes names of schemas, and there is none", name);
}

static bool
read_rest_role(const Setting *setting, const char *name, char *value)
{
	(void) setting;
	(void) name;
	current.rest_role = value_none(value) ? NULL : memory_dup(value);
	return true;
}

static bool
read_rest_secret(const Setting *setting, const char *name, char *value)
{
	(void) setting;
	return source_rest_secret(&current, name, value);
}

/* The secret itself, or a file after an @. */
static bool
read_rest_key(const Setting *setting, const char *name, char *value)
{
	(void) setting;
	if (value[0] == '@')
		return source_rest_secret(&current, name, value + 1);
	return source_rest_key(&current, name, value);
}

static bool
read_text(const Setting *setting, const char *name, char *value)
{
	(void) name;
	*(const char **) setting->field = memory_dup(value);
	return true;
}

/*
 * The settings.
 */

static const Setting settings[] = {
	{"listen", read_listen, PLAIN, NULL, 0, 0},
	{"port-file", read_file_name, PLAIN, &current.port_file, 0, 0},
	{"tls-cert", read_file_name, PLAIN, &current.tls_cert, 0, 0},
	{"tls-key", read_file_name, PLAIN, &current.tls_key, 0, 0},
	{"redis", read_redis, OPTIONAL, NULL, 0, 0},
	{"redis-password-file", read_redis_password, PLAIN, NULL, 0, 0},
	{"database", read_database, OPTIONAL, NULL, 0, 0},
	{"database-connections", read_number, PLAIN, &current.database_connections, 1, 64},
	{"rest-schema", read_rest_schemas, LIST, NULL, 0, 0},
	{"rest-role", read_rest_role, OPTIONAL, NULL, 0, 0},
	{"rest-max-rows", read_number, PLAIN, &current.rest_max_rows, 0, 1000000000},
	{"rest-jwt-secret-file", read_rest_secret, PLAIN, NULL, 0, 0},
	{"rest-jwt-audience", read_text, PLAIN, &current.rest_jwt.audience, 0, 0},
	{"max-connections", read_number, PLAIN, &current.max_connections, 1, 1000000},
	{"max-connections-per-address", read_number, PLAIN, &current.max_connections_per_address, 1, 1000000},
	{"max-streams-per-address", read_number, PLAIN, &current.max_streams_per_address, 1, 1000000},
	{"rate", read_rate, PLAIN, NULL, 0, 0},
	{"burst", read_number, PLAIN, &current.burst, 1, 1000000},
	{"max-header", read_number, PLAIN, &current.max_header, 1024, 1048576},
	{"max-url", read_number, PLAIN, &current.max_url, 64, 65536},
	{"header-timeout", read_number, PLAIN, &current.header_timeout, 1, 300},
	{"trusted-proxy", read_proxies, LIST, NULL, 0, 0},
	{"cors-origin", read_origins, OPTIONAL_LIST, NULL, 0, 0},
	{"web-dir", read_file_name, PLAIN, &current.web_dir, 0, 0},
	{"access-log", read_switch, SWITCH, &current.access_log, 0, 0},
	{"allow-root", read_switch, SWITCH, &current.allow_root, 0, 0},
	{"quiet", read_switch, SWITCH, &current.quiet, 0, 0},
};

#define SETTINGS ((int) (sizeof(settings) / sizeof(settings[0])))

static char *flag_values[SETTINGS];           /* NULL: the flag was not given */
static char list_values[SETTINGS][LIST_SIZE]; /* for those that add up */

static bool
collect_flag(int i, char *value)
{
	const Setting *setting = &settings[i];
	char *list = list_values[i];
	size_t len = strlen(list);

	if (setting->kind == SWITCH)
		snprintf(flag_values[i] = list, LIST_SIZE, "on");
	else if (setting->kind != LIST && setting->kind != OPTIONAL_LIST)
		flag_values[i] = value;
	else if (len + strlen(value) + 2 > LIST_SIZE)
		return value_wrong("--%s is too long", setting->flag);
	else
	{
		snprintf(list + len, LIST_SIZE - len, "%s%s", flag_values[i] != NULL ? "," : "", value);
		flag_values[i] = list;
	}
	return true;
}

/* What getopt_long could not read.  The value is not repeated: it may be a misspelt flag's password. */
static void
refuse_flag(int problem, const char *argument)
{
	const char *flag = argument != NULL ? argument : "";
	int len = (int) strcspn(flag, "=");

	/* options of one letter are unknown all, and `argument` need not be this one */
	if (optopt > FLAG_VERSION && optopt < FLAG_FIRST)
		value_wrong("there is no option -%c: all options begin with --", isprint(optopt) ? optopt : '?');
	else if (problem == ':')
		value_wrong("%.*s needs a value", len, flag);
	else if (optopt != 0)
		value_wrong("%.*s takes no value", len, flag);
	else
		value_wrong("there is no option %.*s, or more than one begins so", len, flag);
}

/* Returns the exit code, or -1 to go on. */
static int
read_flags(int argc, char **argv)
{
	struct option known[SETTINGS + 3] = {{"help", no_argument, NULL, FLAG_HELP},
										 {"version", no_argument, NULL, FLAG_VERSION}};
	int flag;

	for (int i = 0; i < SETTINGS; i++)
		known[i + 2] =
			(struct option){settings[i].flag, settings[i].kind == SWITCH ? no_argument : required_argument,
							NULL, FLAG_FIRST + i};
	opterr = 0;
	while ((flag = getopt_long(argc, argv, "+:", known, NULL)) != -1)
		switch (flag)
		{
			case FLAG_HELP:
				fputs(usage, stdout);
				return EXIT_SUCCESS;
			case FLAG_VERSION:
				puts("crypto_rt_http " OPTIONS_VERSION);
				return EXIT_SUCCESS;
			case '?':
			case ':':
				refuse_flag(flag, argv[optind - 1]);
				return EXIT_USAGE;
			default:
				if (!collect_flag(flag - FLAG_FIRST, optarg))
					return EXIT_USAGE;
		}
	if (optind < argc)
	{
		value_wrong("argument %d belongs to no option: all options begin with --", optind);
		return EXIT_USAGE;
	}
	return -1;
}

static void
variable_of(const Setting *setting, char *name)
{
	size_t len = (size_t) snprintf(name, VARIABLE_SIZE, VARIABLE_PREFIX "%s", setting->flag);

	for (size_t i = sizeof(VARIABLE_PREFIX) - 1; i < len; i++)
		name[i] = setting->flag[i - (sizeof(VARIABLE_PREFIX) - 1)] == '-' ? '_' : (char) toupper(name[i]);
}

/* What a deployment of PostgREST calls a setting by, and has the same meaning there. */
static bool
take_postgrest(const Setting *setting)
{
	static const struct
	{
		const char *flag;
		const char *variable;
		bool (*read)(const Setting *setting, const char *name, char *value);
	} theirs[] = {
		{"rest-schema", "PGRST_DB_SCHEMAS", read_rest_schemas},
		{"rest-role", "PGRST_DB_ANON_ROLE", read_rest_role},
		{"rest-max-rows", "PGRST_DB_MAX_ROWS", read_number},
		{"rest-jwt-secret-file", "PGRST_JWT_SECRET", read_rest_key},
		{"rest-jwt-audience", "PGRST_JWT_AUD", read_text},
	};

	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
	{
		char *value = getenv(theirs[i].variable);
		bool fine;

		if (strcmp(theirs[i].flag, setting->flag) != 0 || value == NULL || value[0] == '\0')
			continue;
		value = memory_dup(value);
		fine = theirs[i].read(setting, theirs[i].variable, value);
		free(value);
		return fine;
	}
	return true;
}

/* Take a setting's value from its flag or its variable.  *found: there was one. */
static bool
take_setting(int i, bool *found)
{
	const Setting *setting = &settings[i];
	char name[VARIABLE_SIZE];
	char *value = flag_values[i];
	bool fine;

	*found = true;
	if (value != NULL)
	{
		snprintf(name, sizeof(name), "--%s", setting->flag);
		return setting->read(setting, name, value);
	}
	variable_of(setting, name);
	value = getenv(name);
	*found =
		value != NULL && (value[0] != '\0' || setting->kind == OPTIONAL || setting->kind == OPTIONAL_LIST);
	if (!*found)
		return take_postgrest(setting);
	/* readers may cut it to pieces */
	value = memory_dup(value);
	fine = setting->read(setting, name, value);
	free(value);
	return fine;
}

/* What no setting can say alone. */
static bool
check_together(bool max_url_given)
{
	uint16_t port = current.listen.ss_family == AF_INET6
						? ((struct sockaddr_in6 *) &current.listen)->sin6_port
						: ((struct sockaddr_in *) &current.listen)->sin_port;

	if ((current.tls_cert == NULL) != (current.tls_key == NULL))
		return value_wrong("--tls-cert and --tls-key go together: --tls-%s is missing",
						   current.tls_cert == NULL ? "cert" : "key");
	if (port == 0 && current.port_file == NULL)
		return value_wrong("--listen: port 0 takes any free port, and needs --port-file FILE to tell which");
	if (!max_url_given && current.max_url > current.max_header / 2)
		current.max_url = current.max_header / 2;
	if (current.max_url >= current.max_header)
		return value_wrong("--max-url (%d) must be less than --max-header (%d), which counts the url too",
						   current.max_url, current.max_header);
	return source_complete(&current);
}

int
options_read(int argc, char **argv)
{
	char listen_default[] = "127.0.0.1:8080";
	int code = read_flags(argc, argv);
	bool max_url_given = false;

	if (code >= 0)
		return code;
	current = (Options){
		.database_connections = 4,
		.rest_schemas = {"crypto_rt_api"},
		.rest_schema_count = 1,
		.rest_role = "crypto_rt_anon",
		.rest_max_rows = 1000,
		.max_connections = 16384,
		.max_connections_per_address = 1000,
		.max_streams_per_address = 100,
		.rate = 100,
		.burst = 200,
		.max_header = 8192,
		.max_url = 4096,
		.header_timeout = 5,
		.cors_origins = {"*"},
		.cors_origin_count = 1,
	};
	for (int i = 0; i < SETTINGS; i++)
	{
		bool found;
		bool fine = take_setting(i, &found);

		if (fine && !found && settings[i].read == read_redis)
			fine = source_find_redis(&current);
		if (fine && !found && settings[i].read == read_database)
			fine = source_find_database(&current);
		if (!fine)
			return EXIT_USAGE;
		if (settings[i].field == &current.max_url)
			max_url_given = found;
	}
	if (current.listen_text == NULL && !read_listen(NULL, "--listen", listen_default))
		return EXIT_USAGE;
	return check_together(max_url_given) ? -1 : EXIT_USAGE;
}

const Options *
options(void)
{
	return &current;
}

void
options_fit(int connections)
{
	if (connections < current.max_connections)
		current.max_connections = connections;
}

bool
options_network_has(const Network *network, const struct in6_addr *address)
{
	int bytes = network->bits / 8;
	int rest = network->bits % 8;

	if (memcmp(network->address.s6_addr, address->s6_addr, (size_t) bytes) != 0)
		return false;
	return rest == 0 || ((network->address.s6_addr[bytes] ^ address->s6_addr[bytes]) >> (8 - rest)) == 0;
}
