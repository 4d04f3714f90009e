/*
 * options_test.c
 *	  The HTTP daemon's flags and variables: what they mean, which one wins, and what a user is told of a wrong one.
 *
 * Each row runs in a child of its own, with an environment of its own: options are read once in a process.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/http/options.h"

#define ARGUMENTS 6
#define VARIABLES 6
#define OUTPUT 8192

typedef struct Row
{
	const char *arguments[ARGUMENTS];
	const char *variables[VARIABLES];
	const char *expected;
} Row;

static char *copies[ARGUMENTS + 2];

static const char *
shown(const char *text)
{
	return text != NULL ? text : "-";
}

static void
show_address(void)
{
	const Options *o = options();
	char text[INET6_ADDRSTRLEN] = "";

	if (o->listen.ss_family == AF_INET)
	{
		const struct sockaddr_in *in = (const struct sockaddr_in *) &o->listen;

		printf("listen=%s:%d ", inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)), ntohs(in->sin_port));
	}
	else
	{
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *) &o->listen;

		printf("listen=[%s]:%d ", inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof(text)),
			   ntohs(in->sin6_port));
	}
}

/* Print all options on one line. */
static void
show_options(void)
{
	const Options *o = options();
	char text[INET6_ADDRSTRLEN];

	show_address();
	printf("port_file=%s tls=%s,%s ", shown(o->port_file), shown(o->tls_cert), shown(o->tls_key));
	printf("redis=%s|%d|%s|%s|%s|%d shown=%s; ", shown(o->redis_host), o->redis_port, shown(o->redis_path),
		   shown(o->redis_user), shown(o->redis_password), o->redis_database, shown(o->redis_shown));
	printf("database=%s shown=%s; ", shown(o->database), shown(o->database_shown));
	printf("connections=%d,%d streams=%d rate=%g,%d header=%d,%d,%d ", o->max_connections,
		   o->max_connections_per_address, o->max_streams_per_address, o->rate, o->burst, o->max_header,
		   o->max_url, o->header_timeout);
	printf("proxies=");
	for (int i = 0; i < o->trusted_proxy_count; i++)
		printf("%s/%d,", inet_ntop(AF_INET6, &o->trusted_proxies[i].address, text, sizeof(text)),
			   o->trusted_proxies[i].bits);
	printf(" origins=");
	for (int i = 0; i < o->cors_origin_count; i++)
		printf("%s,", o->cors_origins[i]);
	printf(" rest=");
	for (int i = 0; i < o->rest_schema_count; i++)
		printf("%s,", o->rest_schemas[i]);
	printf("%s,%d,%d:%zu,%s", shown(o->rest_role), o->rest_max_rows, o->rest_jwt.algorithm, o->rest_jwt.len,
		   shown(o->rest_jwt.audience));
	printf(" access_log=%d allow_root=%d quiet=%d argv=", o->access_log, o->allow_root, o->quiet);
	for (int i = 1; copies[i] != NULL; i++)
		printf("%s ", copies[i]);
}

static void __attribute__((noreturn)) run_child(const Row *row, int out)
{
	int argc = 1;
	int code;

	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	clearenv();
	for (int i = 0; i < VARIABLES && row->variables[i] != NULL; i++)
		putenv(strdup(row->variables[i]));
	copies[0] = strdup("crypto_rt_http");
	for (; argc <= ARGUMENTS && row->arguments[argc - 1] != NULL; argc++)
		copies[argc] = strdup(row->arguments[argc - 1]);
	code = options_read(argc, copies);
	if (code == -1)
		show_options();
	fflush(stdout);
	_exit(code == -1 ? 0 : code == 0 ? 99 : code);
}

/* Run a row; returns its exit code (99 for a 0 that is not "go on"), and what it said in output. */
static int
run(const Row *row, char *output)
{
	int fds[2];
	size_t len = 0;
	ssize_t n;
	int status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_child(row, fds[1]);
	close(fds[1]);
	while (len < OUTPUT - 1 && (n = read(fds[0], output + len, OUTPUT - 1 - len)) > 0)
		len += (size_t) n;
	output[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
check_right(const Row *rows, size_t count)
{
	static char output[OUTPUT];

	for (size_t i = 0; i < count; i++)
	{
		int code = run(&rows[i], output);

		if (code != 0 || strstr(output, rows[i].expected) == NULL)
			fail_msg("row %zu: expected %s, got %d and %s", i, rows[i].expected, code, output);
	}
}

#define CHECK_RIGHT(rows) check_right(rows, UNIT_COUNT(rows))

static void
defaults(void **state)
{
	static const Row rows[] = {
		{{0},
		 {0},
		 "listen=127.0.0.1:8080 port_file=- tls=-,- redis=localhost|6379|-|-|-|0 shown=localhost:6379; "
		 "database=- shown=-; connections=16384,1000 streams=100 rate=100,200 header=8192,4096,5 proxies= "
		 "origins=*, rest=crypto_rt_api,crypto_rt_anon,1000,0:0,- access_log=0 allow_root=0 quiet=0"},
		/* what compose files leave empty is not set */
		{{0},
		 {"REDIS_URL=", "REDIS_ADDR=", "DATABASE_URL=", "DB_HOST=", "CRYPTO_RT_HTTP_RATE="},
		 "redis=localhost|6379|-|-|-|0 shown=localhost:6379; database=- shown=-; connections=16384,"},
	};

	(void) state;
	CHECK_RIGHT(rows);
}

static void
listens(void **state)
{
	static const Row rows[] = {
		{{"--listen", "0.0.0.0:80"}, {0}, "listen=0.0.0.0:80 "},
		{{"--listen=[::1]:8443"}, {0}, "listen=[::1]:8443 "},
		{{"--listen", "127.0.0.1:0", "--port-file", "/tmp/p"}, {0}, "listen=127.0.0.1:0 port_file=/tmp/p "},
		{{"--tls-cert", "c.pem", "--tls-key", "k.pem"}, {0}, "tls=c.pem,k.pem "},
		{{0}, {"CRYPTO_RT_HTTP_LISTEN=127.0.0.1:81"}, "listen=127.0.0.1:81 "},
		/* a flag wins, and of two the last */
		{{"--listen", "127.0.0.1:82"}, {"CRYPTO_RT_HTTP_LISTEN=nonsense"}, "listen=127.0.0.1:82 "},
		{{"--listen", "127.0.0.1:82", "--listen", "127.0.0.1:83"}, {0}, "listen=127.0.0.1:83 "},
	};

	(void) state;
	CHECK_RIGHT(rows);
}

static void
finds_redis(void **state)
{
	static const Row rows[] = {
		{{"--redis", ""}, {"REDIS_URL=redis://a", "REDIS_PASSWORD=x"}, "redis=-|0|-|-|-|0 shown=-;"},
		{{"--redis", "none"}, {0}, "redis=-|0|-|-|-|0 shown=-;"},
		{{0}, {"CRYPTO_RT_HTTP_REDIS=", "REDIS_ADDR=a"}, "redis=-|0|-|-|-|0 shown=-;"},
		{{"--redis", "redis://h:1/2"}, {"REDIS_URL=redis://a"}, "redis=h|1|-|-|-|2 shown=h:1 database 2;"},
		{{"--redis", "REDIS://[::1]"}, {0}, "redis=::1|6379|-|-|-|0 shown=[::1]:6379;"},
		{{"--redis", "redis://u%40:p%2Fw@h"}, {0}, "redis=h|6379|-|u@|p/w|0 shown=h:6379;"},
		{{"--redis", "unix:///run/r.sock?db=3"},
		 {0},
		 "redis=-|6379|/run/r.sock|-|-|3 shown=/run/r.sock database 3;"},
		{{0}, {"CRYPTO_RT_HTTP_REDIS=redis://a", "REDIS_URL=redis://b"}, "redis=a|6379|"},
		{{0}, {"REDIS_URL=redis://b", "REDIS_ADDR=c"}, "redis=b|6379|"},
		{{0}, {"REDIS_ADDR=c:7", "REDIS_DB=4"}, "redis=c|7|-|-|-|4 "},
		{{0}, {"REDIS_ADDR=:7"}, "redis=localhost|7|-|-|-|0 "},
		{{0}, {"REDIS_ADDR=[::1]:7"}, "redis=::1|7|-|-|-|0 "},
		{{0}, {"REDIS_ADDR=/run/r.sock"}, "redis=-|6379|/run/r.sock|-|-|0 "},
		{{0}, {"REDIS_ADDR=redis://c:8"}, "redis=c|8|-|-|-|0 "},
		{{0}, {"REDIS_ADDR=c", "REDIS_USERNAME=u", "REDIS_PASSWORD=p"}, "redis=c|6379|-|u|p|0 "},
		/* a password need not stand in an argument */
		{{"--redis", "redis://u@h"}, {"REDIS_PASSWORD=p"}, "redis=h|6379|-|u|p|0 "},
		{{"--redis", "redis://:q@h"}, {"REDIS_PASSWORD=p"}, "redis=h|6379|-|-|q|0 "},
	};

	(void) state;
	CHECK_RIGHT(rows);
}

static void
reads_the_password_file(void **state)
{
	char name[] = "/tmp/options_test.XXXXXX";
	int fd = mkstemp(name);
	Row row = {
		{"--redis-password-file", name}, {"REDIS_PASSWORD=other"}, "redis=localhost|6379|-|-|s3 cret|0 "};
	Row twice = {{"--redis", "redis://:x@h", "--redis-password-file", name}, {0}, NULL};
	char output[OUTPUT];

	(void) state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "s3 cret\r\nmore\n", 14), 14);
	check_right(&row, 1);
	assert_int_equal(run(&twice, output), 2);
	assert_non_null(strstr(output, "--redis-password-file: the url of Redis holds a password already"));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(run(&row, output), 2);
	assert_non_null(strstr(output, "the first line of"));
	close(fd);
	unlink(name);
}

static void
finds_the_database(void **state)
{
	static const Row rows[] = {
		{{"--database", "host=db dbname=prices user=r"},
		 {0},
		 "=host=db dbname=prices user=r shown=prices at db:5432;"},
		{{"--database", "postgresql://r@db:6000/prices"}, {0}, "shown=prices at db:6000;"},
		{{"--database", "user=r"}, {0}, "shown=r at the local socket of port 5432;"},
		{{"--database", "host=/run/pg dbname=p"}, {0}, "shown=p at /run/pg;"},
		{{"--database", "dbname=p"}, {"PGHOST=env", "PGPORT=7"}, "shown=p at env:7;"},
		{{"--database", ""}, {"DATABASE_URL=postgresql:///x"}, "database=- shown=-;"},
		{{0}, {"CRYPTO_RT_HTTP_DATABASE=none", "DB_HOST=h"}, "database=- shown=-;"},
		{{0}, {"DATABASE_URL=postgres://a/b", "DB_HOST=c"}, "database=postgres://a/b shown=b at a:5432;"},
		{{0},
		 {"DB_HOST=h", "DB_PORT=6", "DB_USER=it's", "DB_PASSWORD=a b\\c=d", "DB_NAME=n"},
		 "database=host='h' port='6' user='it\\'s' password='a b\\\\c=d' dbname='n' shown=n at h:6;"},
		{{0}, {"DB_NAME=n"}, "database=dbname='n' shown=n at the local socket of port 5432;"},
	};

	(void) state;
	CHECK_RIGHT(rows);
}

static void
reads_limits(void **state)
{
	static const Row rows[] = {
		{{"--max-connections", "5", "--rate=0.5", "--burst=7"},
		 {0},
		 "connections=5,1000 streams=100 rate=0.5,7 "},
		{{"--rate", "0"}, {0}, "rate=0,200 "},
		{{"--max-header=4096"}, {0}, "header=4096,2048,5 "},
		{{"--max-header=16384", "--max-url=10000"}, {0}, "header=16384,10000,5 "},
		{{0},
		 {"CRYPTO_RT_HTTP_MAX_STREAMS_PER_ADDRESS=3", "CRYPTO_RT_HTTP_MAX_CONNECTIONS_PER_ADDRESS=4",
		  "CRYPTO_RT_HTTP_HEADER_TIMEOUT=9"},
		 "connections=16384,4 streams=3 rate=100,200 header=8192,4096,9 "},
		{{"--trusted-proxy", "10.0.0.0/8", "--trusted-proxy=::1, fd00::/8"},
		 {"CRYPTO_RT_HTTP_TRUSTED_PROXY=192.0.2.1"},
		 "proxies=::ffff:10.0.0.0/104,::1/128,fd00::/8, "},
		{{0},
		 {"CRYPTO_RT_HTTP_TRUSTED_PROXY=192.0.2.1,0.0.0.0/0"},
		 "proxies=::ffff:192.0.2.1/128,::ffff:0.0.0.0/96, "},
		{{"--cors-origin", "https://a.example", "--cors-origin", "http://localhost:3000"},
		 {0},
		 "origins=https://a.example,http://localhost:3000, "},
		{{"--cors-origin", "https://a.example,*"}, {0}, "origins=*, "},
		{{"--cors-origin", ""}, {0}, "origins= "},
		{{0}, {"CRYPTO_RT_HTTP_CORS_ORIGIN="}, "origins= "},
		{{"--access-log", "--allow-root", "--quiet"}, {0}, "access_log=1 allow_root=1 quiet=1 "},
		{{0},
		 {"CRYPTO_RT_HTTP_ACCESS_LOG=yes", "CRYPTO_RT_HTTP_QUIET=0"},
		 "access_log=1 allow_root=0 quiet=0 "},
	};

	(void) state;
	CHECK_RIGHT(rows);
}

static void
exposes(void **state)
{
	static const Row rows[] = {
		{{"--rest-schema", "a, b", "--rest-schema", "c,a"}, {0}, " rest=a,b,c,crypto_rt_anon,1000,0:0,- "},
		{{"--rest-role", "me", "--rest-max-rows", "0", "--rest-jwt-audience", "us"},
		 {0},
		 " rest=crypto_rt_api,me,0,0:0,us "},
		{{"--rest-role", ""}, {0}, " rest=crypto_rt_api,-,1000,"},
		{{0}, {"CRYPTO_RT_HTTP_REST_SCHEMA=x,y", "CRYPTO_RT_HTTP_REST_ROLE="}, " rest=x,y,-,1000,"},
		/* what a deployment of PostgREST says */
		{{0},
		 {"PGRST_DB_SCHEMAS=api, other", "PGRST_DB_ANON_ROLE=web_anon", "PGRST_DB_MAX_ROWS=50",
		  "PGRST_JWT_SECRET=0123456789abcdef0123456789abcdef", "PGRST_JWT_AUD=us"},
		 " rest=api,other,web_anon,50,1:32,us "},
		{{"--rest-max-rows", "7"}, {"PGRST_DB_MAX_ROWS=nonsense"}, ",7,0:0,- "},
	};

	(void) state;
	CHECK_RIGHT(rows);
}

static void
says_what_is_wrong(void **state)
{
	static const Row rows[] = {
		{{"--listen", "8080"},
		 {0},
		 "--listen takes HOST:PORT, such as 127.0.0.1:8080, [::1]:8080 or :8080, not \"8080\""},
		{{"--listen", "h:99999"}, {0}, "--listen: \"99999\" is not a port from 0 to 65535"},
		{{"--listen", "h:"}, {0}, "--listen: \"\" is not a port"},
		{{"--listen", "::1:80"}, {0}, "--listen: an IPv6 address stands in brackets"},
		{{"--listen", "no such host:80"}, {0}, "--listen: there is no address of \"no such host\""},
		{{"--listen", "127.0.0.1:0"}, {0}, "port 0 takes any free port, and needs --port-file"},
		{{0}, {"CRYPTO_RT_HTTP_LISTEN=x"}, "CRYPTO_RT_HTTP_LISTEN takes HOST:PORT"},
		{{"--tls-cert", "c"}, {0}, "--tls-cert and --tls-key go together: --tls-key is missing"},
		{{0}, {"CRYPTO_RT_HTTP_TLS_KEY=k"}, "--tls-cert is missing"},
		{{"--port-file", ""}, {0}, "--port-file takes a name, and it is empty"},
		{{"--redis", "localhost"},
		 {0},
		 "--redis cannot be used: it must begin with redis:// or unix://; it takes redis://["},
		{{"--redis", "rediss://h"}, {0}, "TLS (rediss://) is not supported"},
		{{"--redis", "redis://h:port"}, {0}, "its port is not a number from 1 to 65535"},
		{{"--redis", "redis://h/x"}, {0}, "only / and the number of a database may follow"},
		{{"--redis", "redis://u@h"}, {0}, "Redis is given a user, but no password"},
		{{"--redis", "redis://:%zz@h"}, {0}, "each % in it must be followed by two hexadecimal digits"},
		{{"--redis", "unix://"}, {0}, "it names no socket"},
		{{0}, {"REDIS_URL=http://h"}, "REDIS_URL cannot be used: it must begin with"},
		{{0}, {"REDIS_ADDR=h:x"}, "REDIS_ADDR cannot be used: its port is not"},
		{{0}, {"REDIS_ADDR=h", "REDIS_DB=x"}, "REDIS_DB takes a whole number from 0 to 999999, not \"x\""},
		{{"--redis-password-file", "/nowhere"},
		 {0},
		 "--redis-password-file: cannot read \"/nowhere\": No such file"},
		{{"--redis-password-file", "/tmp"},
		 {0},
		 "--redis-password-file: cannot read \"/tmp\": Is a directory"},
		{{"--rest-schema", "a,pg_catalog"}, {0}, "--rest-schema: pg_catalog cannot be exposed"},
		{{"--rest-schema", " , "}, {0}, "--rest-schema takes names of schemas, and there is none"},
		{{"--rest-max-rows", "-1"}, {0}, "--rest-max-rows takes a whole number from 0 to 1000000000"},
		{{"--rest-jwt-secret-file", "/nowhere"},
		 {0},
		 "--rest-jwt-secret-file: cannot read \"/nowhere\": No such file"},
		{{"--rest-jwt-secret-file", "/dev/null"},
		 {0},
		 "--rest-jwt-secret-file: a secret has at least 32 bytes, and this one has 0"},
		{{0},
		 {"PGRST_JWT_SECRET=short"},
		 "PGRST_JWT_SECRET: a secret has at least 32 bytes, and this one has 5"},
		{{0},
		 {"PGRST_JWT_SECRET=-----BEGIN RSA PRIVATE KEY-----"},
		 "PGRST_JWT_SECRET holds PEM, but no public key"},
		{{"--database", "prices"}, {0}, "--database cannot be used: libpq does not know a part of it"},
		{{0}, {"DATABASE_URL=postgresql://h/d?schema=x"}, "DATABASE_URL cannot be used"},
		{{0}, {"DB_HOST=h", "DB_PORT=x"}, "DB_PORT takes a whole number from 1 to 65535, not \"x\""},
		{{"--max-connections", "0"},
		 {0},
		 "--max-connections takes a whole number from 1 to 1000000, not \"0\""},
		{{"--burst", "1e3"}, {0}, "--burst takes a whole number"},
		{{"--burst", "99999999999999999999"}, {0}, "--burst takes a whole number"},
		{{"--header-timeout", "-1"}, {0}, "--header-timeout takes a whole number from 1 to 300"},
		{{"--rate", "fast"},
		 {0},
		 "--rate takes requests per second, 0.001 to 1000000, or 0 for no limit, not \"fast\""},
		{{"--rate", "nan"}, {0}, "--rate takes"},
		{{"--rate", "."}, {0}, "--rate takes"},
		{{"--max-header=2048", "--max-url=2048"},
		 {0},
		 "--max-url (2048) must be less than --max-header (2048)"},
		{{"--trusted-proxy", "proxy"}, {0}, "--trusted-proxy takes an address or a network"},
		{{"--trusted-proxy", ""}, {0}, "not \"\""},
		{{"--trusted-proxy", "10.0.0.0/33"},
		 {0},
		 "\"10.0.0.0/33\" should end with a number of bits from 0 to 32"},
		{{"--trusted-proxy", "10.1.2.3/8"},
		 {0},
		 "\"10.1.2.3/8\" has bits set beyond the first 8; is 10.0.0.0/8 meant?"},
		{{"--trusted-proxy", "fd00::1/8"}, {0}, "is fd00::/8 meant?"},
		{{0},
		 {"CRYPTO_RT_HTTP_TRUSTED_PROXY=::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1"},
		 "CRYPTO_RT_HTTP_TRUSTED_PROXY: there can be no more than 16 of them"},
		{{"--cors-origin", "https://a.example/"},
		 {0},
		 "--cors-origin takes *, or an origin as browsers send it"},
		{{"--cors-origin", "a.example"}, {0}, "not \"a.example\""},
		{{0}, {"CRYPTO_RT_HTTP_QUIET=very"}, "CRYPTO_RT_HTTP_QUIET takes on or off, not \"very\""},
		{{"--nonsense=1"}, {0}, "there is no option --nonsense, or"},
		{{"--quiet=1"}, {0}, "--quiet takes no value"},
		{{"--listen"}, {0}, "--listen needs a value"},
		{{"--quiet", "word", "--access-log"}, {0}, "argument 2 belongs to no option"},
	};
	char output[OUTPUT];

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		int code = run(&rows[i], output);

		if (code != 2 || strstr(output, rows[i].expected) == NULL)
			fail_msg("row %zu: expected %s, got %d and %s", i, rows[i].expected, code, output);
		assert_int_equal(strncmp(output, "crypto_rt_http: ", 16), 0);
		assert_non_null(strstr(output, "\nTry crypto_rt_http --help.\n"));
	}
}

/* Neither in a message, nor in the arguments as ps shows them. */
static void
hides_passwords(void **state)
{
	static const Row right[] = {
		{{"--redis", "redis://:SECRET@h", "--quiet"}, {0}, "argv=--redis ***************** --quiet "},
		{{"--redis=redis://:SECRET@h"}, {0}, "argv=--redis=***************** "},
		{{"--redis", "redis://h"}, {0}, "argv=--redis redis://h "},
		{{"--database", "host=h password=SECRET"}, {0}, "argv=--database ********************** "},
		{{"--database", "postgresql://u:SECRET@h/d"}, {0}, "argv=--database ************************* "},
		{{"--database", "postgresql://u@h/d?password=SECRET"}, {0}, "argv=--database ****"},
	};
	static const Row wrong[] = {
		{{"--redis", "redis://:SECRET@h:x"}, {0}, NULL},
		{{"--redis", "redis://:SEC/SECRET@h"}, {0}, NULL},
		{{"--redis", "http://:SECRET@h"}, {0}, NULL},
		{{"--redi=redis://:SECRET@h"}, {0}, NULL},
		{{"--redis-url=redis://:SECRET@h"}, {0}, NULL},
		{{"redis://:SECRET@h"}, {0}, NULL},
		{{"--database", "password=a SECRET"}, {0}, NULL},
		{{"--database", "password=a SECRET=b"}, {0}, NULL},
		{{"--database", "postgresql://u:SECRET@h/d?none=1"}, {0}, NULL},
		{{"--database", "SECRET"}, {0}, NULL},
		{{0}, {"REDIS_ADDR=h:SECRET"}, NULL},
	};
	char output[OUTPUT];

	(void) state;
	CHECK_RIGHT(right);
	for (size_t i = 0; i < UNIT_COUNT(wrong); i++)
	{
		int code = run(&wrong[i], output);

		if (code != 2 || strstr(output, "SECRET") != NULL)
			fail_msg("row %zu: got %d and %s", i, code, output);
	}
}

static void
helps(void **state)
{
	static const Row help = {{"--help"}, {0}, NULL};
	static const Row version = {{"--version"}, {0}, NULL};
	char output[OUTPUT];
	size_t width = 0;

	(void) state;
	assert_int_equal(run(&version, output), 99);
	assert_string_equal(output, "crypto_rt_http " OPTIONS_VERSION "\n");
	assert_int_equal(run(&help, output), 99);
	for (const char *line = output; *line != '\0'; line += width + 1)
	{
		width = strcspn(line, "\n");
		assert_true(width <= 80 && line[width] == '\n');
	}
}

static void
knows_networks(void **state)
{
	static const struct
	{
		const char *network;
		int bits;
		const char *address;
		bool inside;
	} rows[] = {
		{"::ffff:10.0.0.0", 104, "::ffff:10.255.0.1", true},
		{"::ffff:10.0.0.0", 104, "::ffff:11.0.0.1", false},
		{"::ffff:10.0.0.0", 104, "10::", false},
		{"::ffff:192.0.2.128", 121, "::ffff:192.0.2.255", true},
		{"::ffff:192.0.2.128", 121, "::ffff:192.0.2.127", false},
		{"::1", 128, "::1", true},
		{"::1", 128, "::2", false},
		{"::", 0, "ffff::", true},
	};

	(void) state;
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
	{
		Network network = {.bits = rows[i].bits};
		struct in6_addr address;

		assert_int_equal(inet_pton(AF_INET6, rows[i].network, &network.address), 1);
		assert_int_equal(inet_pton(AF_INET6, rows[i].address, &address), 1);
		UNIT_CHECK_INT(options_network_has(&network, &address), rows[i].inside, rows[i].address);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(listens),
		cmocka_unit_test(finds_redis),
		cmocka_unit_test(reads_the_password_file),
		cmocka_unit_test(finds_the_database),
		cmocka_unit_test(reads_limits),
		cmocka_unit_test(exposes),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(hides_passwords),
		cmocka_unit_test(helps),
		cmocka_unit_test(knows_networks),
	};

	return UNIT_RUN(tests);
}
