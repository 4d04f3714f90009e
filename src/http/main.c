/*
 * main.c
 *	  crypto_rt_http: start, loop, stop.
 *
 * Order matters: nothing listens before its options are known to be right, and systemd hears READY=1 when clients can connect,
 * which is before there are quotes: a daemon that waits for Redis is up, and says 503.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "database.h"
#include "extension_status.h"
#include "feed.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "prices.h"
#include "quotes.h"
#include "rest_listen.h"
#include "samples.h"
#include "server.h"
#include "stats.h"
#include "stream.h"
#include "system.h"
#include "text.h"
#include "web.h"

#define FILES_BESIDE                                                                                         \
	128 /* open files that are no connections of clients: half of them may be the database's */
#define STATUS_INTERVAL (5 * LOOP_SECOND)

static LoopTimer status_timer;
static bool stopping;

/* Room for all connections, or else less connections. */
static void
make_room(void)
{
	rlim_t wanted = (rlim_t) options()->max_connections + FILES_BESIDE;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted)
		return;
	files.rlim_cur = files.rlim_max == RLIM_INFINITY || files.rlim_max >= wanted ? wanted : files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted)
		return;
	options_fit(files.rlim_cur > 2 * FILES_BESIDE ? (int) files.rlim_cur - FILES_BESIDE : FILES_BESIDE);
	log_warning("only %d connections are possible, since no more than %llu files may be open: raise "
				"LimitNOFILE= of the "
				"systemd unit, or ulimit -Hn, to %llu, or lower --max-connections",
				options()->max_connections, (unsigned long long) files.rlim_cur, (unsigned long long) wanted);
}

/* Written aside and renamed, so that whoever sees the file sees all of it. */
static bool
write_port_file(const char *path)
{
	const char *colon = strrchr(server_address(), ':');
	Text aside = {0};
	FILE *file;
	bool written;

	text_format(&aside, "%s.%ld", path, (long) getpid());
	file = fopen(aside.bytes, "we");
	written = file != NULL && fprintf(file, "%s\n", colon != NULL ? colon + 1 : "0") > 0;
	if (file != NULL && fclose(file) != 0)
		written = false;
	if (written && rename(aside.bytes, path) != 0)
		written = false;
	if (!written)
	{
		log_error("could not write the port file \"%s\": %s", path, strerror(errno));
		unlink(aside.bytes);
	}
	text_free(&aside);
	return written;
}

/* Tell systemd what systemctl status shows, when it has changed. */
static void
show_status(void *arg)
{
	static char shown[160];
	char state[sizeof(shown)];
	const FeedSource *source = feed_current();

	(void) arg;
	if (stopping)
		return;
	if (source != NULL)
		snprintf(state, sizeof(state), "STATUS=%d quotes from %s, %d streams", quotes_count(0), source->name,
				 stream_counts().open);
	else
		snprintf(state, sizeof(state), "STATUS=waiting for a source of quotes");
	if (strcmp(state, shown) != 0)
	{
		memcpy(shown, state, sizeof(shown));
		system_notify(state);
	}
	loop_after(&status_timer, STATUS_INTERVAL);
}

/* The first asks for an end, the second insists. */
static void
stop(int number)
{
	if (stopping)
	{
		log_warning("ending at once, at the second signal");
		log_flush();
		_exit(128 + number);
	}
	stopping = true;
	log_info("stopping, at SIG%s", number == SIGINT ? "INT" : "TERM");
	system_notify("STOPPING=1\nSTATUS=finishing replies");
	server_stop();
}

static void
reload_web(void)
{
	char err[WEB_ERROR_SIZE];

	if (web_load(err, sizeof(err)))
		log_info("read the dashboard in %s anew", options()->web_dir);
	else
		log_error("the dashboard stays as it was: %s", err);
}

static void
reload(int number)
{
	(void) number;
	if (options()->tls_cert == NULL && options()->web_dir == NULL)
		log_info("there is no certificate and no dashboard to read anew at SIGHUP");
	if (options()->tls_cert != NULL)
		server_reload_tls();
	if (options()->web_dir != NULL)
		reload_web();
	rest_listen_reload();
}

static void
announce(void)
{
	const char *redis = options()->redis_shown;
	const char *database = options()->database_shown;
	Text from = {0};

	if (redis != NULL)
		text_format(&from, "quotes from Redis at %s", redis);
	if (redis != NULL && database != NULL)
		text_format(&from, ", and while it is away from PostgreSQL, %s", database);
	else if (database != NULL)
		text_format(&from, "quotes from PostgreSQL, %s", database);
	else if (redis == NULL)
		text_string(&from, "without quotes");
	log_info("listening on %s%s, %s", options()->tls_cert != NULL ? "https://" : "http://", server_address(),
			 from.bytes);
	text_free(&from);
}

/* Returns what failed, or NULL. */
static const char *
start(void)
{
	static char err[WEB_ERROR_SIZE];
	const char *problem = loop_init();

	if (problem != NULL)
		return problem;
	loop_signal(SIGTERM, stop);
	loop_signal(SIGINT, stop);
	loop_signal(SIGHUP, reload);
	if (!web_load(err, sizeof(err)))
		return err;
	quotes_init();
	prices_init();
	database_init();
	stream_init();
	extension_status_init();
	samples_init();
	stats_init();
	return server_start(system_listen_fd());
}

int
main(int argc, char **argv)
{
	const char *problem;
	int code;

	log_init();
	code = options_read(argc, argv);
	if (code >= 0)
		return code;
	if (options()->quiet)
		log_quiet();
	if (geteuid() == 0 && !options()->allow_root)
	{
		log_error(
			"will not run as root, which it needs for nothing: start it as another user, as with "
			"\"setpriv --reuid=nobody --regid=nogroup --clear-groups crypto_rt_http\", or give --allow-root");
		return EXIT_FAILURE;
	}
	make_room();
	problem = start();
	if (problem != NULL)
	{
		log_error("%s", problem);
		return EXIT_FAILURE;
	}
	if (options()->port_file != NULL && !write_port_file(options()->port_file))
		return EXIT_FAILURE;
	feed_start();
	rest_listen_start();
	announce();
	system_notify("READY=1");
	status_timer.due = show_status;
	show_status(NULL);

	loop_run();

	server_close();
	feed_stop();
	rest_listen_stop();
	log_info("stopped");
	log_flush();
	return EXIT_SUCCESS;
}
