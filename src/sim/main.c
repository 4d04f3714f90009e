/*
 * main.c
 *	  coinlore_sim: options, start, loop, stop.
 *
 * One thread, one loop: it waits for the HTTP server's descriptor, for signals, for requests passed on
 * upstream, and for the time of the market's next step.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "gzip.h"
#include "market.h"
#include "memory.h"
#include "server.h"

#define VERSION "1.0"
#define EXIT_USAGE 2
#define BACKLOG 512
#define REFRESH_MIN_US (CLOCK_SECOND / 10)
#define REFRESH_MAX_US (24 * 3600 * CLOCK_SECOND)
#define ADDRESS_SIZE 256
#define WAIT_MAX_MS 60000

typedef struct Options
{
	char host[ADDRESS_SIZE];
	char port[16];
	const char *port_file;
	int coins;
	uint64_t seed;
	int64_t refresh_us;
	bool frozen;
	const char *record;
	const char *replay;
	const char *upstream;
	const char *trace;
	bool exit_with_parent;
	bool quiet;
} Options;

static const char usage[] =
	"coinlore_sim: a stand-in for the CoinLore API\n"
	"\n"
	"Usage: coinlore_sim [options]\n"
	"\n"
	"  --listen ADDR:PORT   where to listen (127.0.0.1:8087); port 0 takes a free one\n"
	"  --port-file FILE     write the port there once it listens\n"
	"  --coins N            how many coins the market has (14993), 1 to 100000\n"
	"  --seed N             which market it is (1): the same seed makes the same coins\n"
	"  --refresh DURATION   after how long each coin has changed, on average (10s), as 500ms, 10s, 1m\n"
	"  --frozen             start with a market that stands still; POST /sim/step moves it\n"
	"  --record FILE        write every answer of the API to a new file, one JSON object a line\n"
	"  --replay FILE        give the answers of such a file, at the pace they were recorded\n"
	"  --upstream URL       pass requests on, as to https://api.coinlore.net, and record the answers (with "
	"--record)\n"
	"  --trace FILE         a line of JSON for each page of tickers, when its last byte has been sent\n"
	"  --exit-with-parent   end when the process that started it ends\n"
	"  --quiet              say nothing but errors\n"
	"  --version, --help\n"
	"\n"
	"While it runs, GET /sim/ tells how to pin coins, freeze the market and make things go wrong.\n";

static void __attribute__((noreturn, format(printf, 1, 2))) bad_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("coinlore_sim: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\nTry coinlore_sim --help.\n", stderr);
	va_end(args);
	exit(EXIT_USAGE);
}

static uint64_t
parse_number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < least || value > most)
		bad_usage("%s takes a whole number from %llu to %llu, not \"%s\"", option, (unsigned long long) least,
				  (unsigned long long) most, text);
	return value;
}

static int64_t
parse_duration(const char *option, const char *text)
{
	static const struct
	{
		const char *unit;
		double us;
	} units[] = {{"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}};
	char *end;
	double value = strtod(text, &end);

	if (text[0] >= '0' && text[0] <= '9')
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (strcmp(end, units[i].unit) == 0 && value * units[i].us >= (double) REFRESH_MIN_US &&
				value * units[i].us <= (double) REFRESH_MAX_US)
				return (int64_t) (value * units[i].us);
	bad_usage("%s takes a duration from 100ms to 24h, such as 500ms, 10s or 1m, not \"%s\"", option, text);
}

/* ADDR:PORT, with brackets around an IPv6 address. */
static void
parse_listen(const char *text, Options *options)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t) (colon - text) : 0;

	if (len == 0 || len >= sizeof(options->host) || strlen(colon + 1) >= sizeof(options->port))
		bad_usage("--listen takes ADDR:PORT, such as 127.0.0.1:8087 or [::1]:8087, not \"%s\"", text);
	if (text[0] == '[' && text[len - 1] == ']' && len > 2)
		snprintf(options->host, sizeof(options->host), "%.*s", (int) len - 2, text + 1);
	else
		snprintf(options->host, sizeof(options->host), "%.*s", (int) len, text);
	parse_number("--listen's port", colon + 1, 0, 65535);
	snprintf(options->port, sizeof(options->port), "%s", colon + 1);
}

static Options
parse_options(int argc, char **argv)
{
	enum
	{
		LISTEN = 256,
		PORT_FILE,
		COINS,
		SEED,
		REFRESH,
		FROZEN,
		RECORD,
		REPLAY,
		UPSTREAM,
		TRACE,
		EXIT_WITH_PARENT,
		QUIET,
		SHOW_VERSION,
		HELP
	};
	static const struct option known[] = {
		{"listen", required_argument, NULL, LISTEN},
		{"port-file", required_argument, NULL, PORT_FILE},
		{"coins", required_argument, NULL, COINS},
		{"seed", required_argument, NULL, SEED},
		{"refresh", required_argument, NULL, REFRESH},
		{"frozen", no_argument, NULL, FROZEN},
		{"record", required_argument, NULL, RECORD},
		{"replay", required_argument, NULL, REPLAY},
		{"upstream", required_argument, NULL, UPSTREAM},
		{"trace", required_argument, NULL, TRACE},
		{"exit-with-parent", no_argument, NULL, EXIT_WITH_PARENT},
		{"quiet", no_argument, NULL, QUIET},
		{"version", no_argument, NULL, SHOW_VERSION},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0},
	};
	Options options = {
		.host = "127.0.0.1", .port = "8087", .coins = 14993, .seed = 1, .refresh_us = 10 * CLOCK_SECOND};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (option)
		{
			case LISTEN:
				parse_listen(optarg, &options);
				break;
			case PORT_FILE:
				options.port_file = optarg;
				break;
			case COINS:
				options.coins = (int) parse_number("--coins", optarg, 1, MINT_COINS_MAX);
				break;
			case SEED:
				options.seed = parse_number("--seed", optarg, 0, UINT64_MAX);
				break;
			case REFRESH:
				options.refresh_us = parse_duration("--refresh", optarg);
				break;
			case FROZEN:
				options.frozen = true;
				break;
			case RECORD:
				options.record = optarg;
				break;
			case REPLAY:
				options.replay = optarg;
				break;
			case UPSTREAM:
				options.upstream = optarg;
				break;
			case TRACE:
				options.trace = optarg;
				break;
			case EXIT_WITH_PARENT:
				options.exit_with_parent = true;
				break;
			case QUIET:
				options.quiet = true;
				break;
			case SHOW_VERSION:
				puts("coinlore_sim " VERSION);
				exit(EXIT_SUCCESS);
			case HELP:
				fputs(usage, stdout);
				exit(EXIT_SUCCESS);
			default: /* getopt_long has said what is wrong */
				fputs("Try coinlore_sim --help.\n", stderr);
				exit(EXIT_USAGE);
		}
	if (optind < argc)
		bad_usage("there are no arguments but options: \"%s\"", argv[optind]);
	if (options.replay != NULL && (options.record != NULL || options.upstream != NULL))
		bad_usage("--replay goes with neither --record nor --upstream");
	if (options.upstream != NULL && options.record == NULL)
		bad_usage("--upstream needs --record FILE, to write the answers to");
	return options;
}

/* A listening socket, -1 with a message when there can be none. */
static int
listen_on(const Options *options, struct sockaddr_storage *bound)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found;
	socklen_t len = sizeof(*bound);
	int on = 1;
	int status = getaddrinfo(options->host, options->port, &hints, &found);
	int fd = -1;

	if (status != 0)
	{
		fprintf(stderr, "coinlore_sim: cannot listen on %s: %s\n", options->host, gai_strerror(status));
		return -1;
	}
	fd = socket(found->ai_family, found->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, found->ai_protocol);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0 ||
		getsockname(fd, (struct sockaddr *) bound, &len) < 0)
	{
		if (errno == EADDRINUSE)
			fprintf(stderr,
					"coinlore_sim: port %s of %s is in use by another process; choose one with --listen\n",
					options->port, options->host);
		else
			fprintf(stderr, "coinlore_sim: cannot listen on %s port %s: %s\n", options->host, options->port,
					strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static unsigned
port_of(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *) address)->sin6_port);
	return ntohs(((const struct sockaddr_in *) address)->sin_port);
}

/* Written aside and renamed, so that whoever sees the file sees all of it. */
static bool
write_port_file(const char *path, unsigned port)
{
	Text aside = TEXT_EMPTY;
	FILE *file;
	bool written;

	text_format(&aside, "%s.%ld", path, (long) getpid());
	file = fopen(aside.bytes, "we");
	written = file != NULL && fprintf(file, "%u\n", port) > 0;
	if (file != NULL && fclose(file) != 0)
		written = false;
	if (written && rename(aside.bytes, path) != 0)
		written = false;
	if (!written)
	{
		fprintf(stderr, "coinlore_sim: cannot write the port file \"%s\": %s\n", path, strerror(errno));
		unlink(aside.bytes);
	}
	text_free(&aside);
	return written;
}

/* The signals that end it come through a descriptor. */
static int
catch_signals(void)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* false: the parent has ended already. */
static bool
follow_parent(void)
{
	pid_t parent = getppid();

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return getppid() == parent;
}

/* Open whatever files and URLs the options name; false with a message when one of them does not work. */
static bool
open_parts(const Options *options, ServerParts *parts)
{
	char err[RECORDING_ERROR_SIZE] = "";

	if (options->record != NULL && (parts->recording = recording_open(options->record, err)) == NULL)
		fprintf(stderr, "coinlore_sim: --record: %s\n", err);
	else if (options->replay != NULL && (parts->replay = replay_open(options->replay, err)) == NULL)
		fprintf(stderr, "coinlore_sim: --replay: %s\n", err);
	else if (options->trace != NULL && (parts->trace = fopen(options->trace, "we")) == NULL)
		fprintf(stderr, "coinlore_sim: --trace: cannot write \"%s\": %s\n", options->trace, strerror(errno));
	else
		return true;
	return false;
}

static void
close_parts(ServerParts *parts)
{
	if (parts->recording != NULL)
		recording_close(parts->recording);
	if (parts->replay != NULL)
		replay_close(parts->replay);
	if (parts->upstream != NULL)
		upstream_free(parts->upstream);
	if (parts->trace != NULL)
		fclose(parts->trace);
	if (parts->market != NULL)
		market_free(parts->market);
}

static void
announce(const Options *options, const ServerParts *parts, unsigned port)
{
	bool six = strchr(options->host, ':') != NULL;

	fprintf(stderr, "coinlore_sim: listening on http://%s%s%s:%u/api/, ", six ? "[" : "", options->host,
			six ? "]" : "", port);
	if (parts->replay != NULL)
		fprintf(stderr, "replaying %d targets of \"%s\"\n", replay_targets(parts->replay), options->replay);
	else if (parts->upstream != NULL)
		fprintf(stderr, "recording %s in \"%s\"\n", options->upstream, options->record);
	else
		fprintf(stderr, "%d coins%s\n", parts->market->listed, options->frozen ? ", frozen" : "");
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static void
run(Server *server, const ServerParts *parts, int signals)
{
	for (;;)
	{
		struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
							   {.fd = server_fd(server), .events = POLLIN}};
		int64_t wait = sooner(market_wait(parts->market), server_wait(server));
		int wait_ms = wait < 0 || wait / 1000 >= WAIT_MAX_MS ? WAIT_MAX_MS : (int) ((wait + 999) / 1000);

		if (parts->upstream != NULL)
			upstream_poll(parts->upstream, fds, 2, wait_ms);
		else
			poll(fds, 2, wait_ms);
		if (fds[0].revents != 0)
			return;
		market_turn(parts->market);
		if (parts->upstream != NULL)
			upstream_turn(parts->upstream);
		server_turn(server);
	}
}

int
main(int argc, char **argv)
{
	Options options = parse_options(argc, argv);
	Faults faults = {.dice = options.seed};
	Stats stats = {0};
	ServerParts parts = {.faults = &faults, .stats = &stats};
	struct sockaddr_storage bound;
	Server *server = NULL;
	int signals;
	int listener;
	int status = EXIT_FAILURE;

	if (options.exit_with_parent && !follow_parent())
		return EXIT_FAILURE;
	if (options.upstream != NULL &&
		(parts.upstream = upstream_new(options.upstream, "coinlore_sim/" VERSION " (recording)")) == NULL)
		bad_usage("--upstream takes a URL such as https://api.coinlore.net, not \"%s\"", options.upstream);
	signals = catch_signals();
	listener = listen_on(&options, &bound);
	if (listener >= 0 && open_parts(&options, &parts))
	{
		parts.market = market_new(options.seed, options.coins, options.refresh_us, options.frozen);
		server = server_start(listener, &parts);
		if (server == NULL)
			fputs("coinlore_sim: cannot start the HTTP server\n", stderr);
		else
			listener = -1;
	}
	if (server != NULL && (options.port_file == NULL || write_port_file(options.port_file, port_of(&bound))))
	{
		if (!options.quiet)
			announce(&options, &parts, port_of(&bound));
		run(server, &parts, signals);
		status = EXIT_SUCCESS;
	}
	if (server != NULL)
		server_stop(server);
	if (listener >= 0)
		close(listener);
	close(signals);
	close_parts(&parts);
	stats_free(&stats);
	faults_end();
	gzip_end();
	return status;
}
