/*
 * log.c
 *	  See log.h.
 *
 * Whoever reads our logs may be slow or stopped, and a write would then wait, and with it every client.  So no write is begun
 * that could wait: a pipe that poll() calls writable has room for PIPE_BUF bytes, a socket is told not to wait, and a file
 * takes what it gets.  O_NONBLOCK will not do: it would be shared with all who hold the same terminal or pipe.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../core/quote.h"
#include "loop.h"
#include "text.h"

#define LINE_SIZE 1024 /* the longest message; less than PIPE_BUF */
#define ACCESS_ROOM 65536
#define FLUSH_AFTER LOOP_SECOND

static const struct
{
	int priority; /* of syslog */
	const char *word;
	const char *colour;
} levels[] = {
	[LOG_LEVEL_ERROR] = {3, "error: ", "\033[1;31m"},
	[LOG_LEVEL_WARNING] = {4, "warning: ", "\033[1;33m"},
	[LOG_LEVEL_INFO] = {6, "", ""},
};

static bool quiet;
static bool journal; /* standard error is systemd's */
static bool colours;
static uint64_t dropped;

static struct
{
	char bytes[ACCESS_ROOM]; /* whole lines, but for a part of the first that has been written */
	size_t len;
	Text line; /* that is being made */
	LoopTimer timer;
	bool is_file;
	bool stuck;           /* the last lines found no room, and that has been told */
	uint64_t stuck_lines; /* since then */
} access_log;

/*
 * Writing without waiting.
 */

/* As much as goes without waiting; -1 with errno when it fails, EAGAIN when there is no room. */
static ssize_t
write_now(int fd, const char *bytes, size_t len, bool is_file)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	ssize_t n;

	if (is_file)
		return write(fd, bytes, len);
	n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0 || errno != ENOTSOCK)
		return n;
	if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0)
		return write(fd, bytes, len < PIPE_BUF ? len : PIPE_BUF);
	errno = (room.revents & (POLLERR | POLLHUP)) != 0 ? EPIPE : EAGAIN;
	return -1;
}

/*
 * Events.
 */

/* Whether standard error goes to systemd's journal, and not to a file that a shell has put in its place. */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device;
	unsigned long long inode;
	struct stat st;

	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
		   fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void
log_init(void)
{
	const char *terminal = getenv("TERM");
	const char *no_color = getenv("NO_COLOR");
	struct stat st;

	/* or a connection would become standard output, and be sent our log */
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void) !open("/dev/null", O_RDWR);
	journal = is_journal();
	colours = isatty(STDERR_FILENO) && (no_color == NULL || no_color[0] == '\0') && terminal != NULL &&
			  strcmp(terminal, "dumb") != 0;
	access_log.is_file = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
}

void
log_quiet(void)
{
	quiet = true;
}

static void
write_event(LogLevel level, const char *message)
{
	char line[LINE_SIZE + 128];
	char now[QUOTE_TIME_SIZE];
	const char *colour = colours ? levels[level].colour : "";
	int len;

	if (journal)
		len = snprintf(line, sizeof(line), "<%d>%s\n", levels[level].priority, message);
	else
	{
		/* loop_unix() stands still while the daemon starts */
		struct timespec t;

		clock_gettime(CLOCK_REALTIME, &t);
		quote_time((int64_t) t.tv_sec * LOOP_SECOND + t.tv_nsec / 1000, now);
		len = snprintf(line, sizeof(line), "%s crypto_rt_http: %s%s%s%s\n", now, colour, levels[level].word,
					   message, colour[0] != '\0' ? "\033[m" : "");
	}
	if (write_now(STDERR_FILENO, line, (size_t) len, false) < 0)
		dropped++;
}

void
log_line(LogLevel level, const char *format, ...)
{
	char message[LINE_SIZE];
	va_list args;

	if (quiet && level == LOG_LEVEL_INFO)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	for (char *p = message; *p != '\0'; p++)
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			*p = '?';
	write_event(level, message);
}

uint64_t
log_dropped(void)
{
	return dropped;
}

/*
 * Requests.
 */

/* Say once that lines are dropped, and once that they are not any more. */
static void
access_stuck(const char *why)
{
	if (why != NULL && !access_log.stuck)
		log_warning("lines of the access log are dropped: %s", why);
	else if (why == NULL && access_log.stuck)
		log_info("the access log goes on; %llu lines are missing",
				 (unsigned long long) access_log.stuck_lines);
	if (why == NULL)
		access_log.stuck_lines = 0;
	access_log.stuck = why != NULL;
}

static void
count_dropped(void)
{
	access_log.stuck_lines++;
	dropped++;
}

void
log_flush(void)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < access_log.len)
	{
		n = write_now(STDOUT_FILENO, access_log.bytes + done, access_log.len - done, access_log.is_file);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t) n;
	}
	/* what is left waits for its reader; where there can be none, it would wait for ever */
	if (n < 0 && errno != EAGAIN)
	{
		access_stuck(strerror(errno));
		for (; done < access_log.len; done++)
			if (access_log.bytes[done] == '\n')
				count_dropped();
	}
	else if (done == access_log.len)
		access_stuck(NULL);
	access_log.len -= done;
	memmove(access_log.bytes, access_log.bytes + done, access_log.len);
	if (access_log.len > 0)
		loop_after(&access_log.timer, FLUSH_AFTER);
}

static void
flush_due(void *arg)
{
	(void) arg;
	log_flush();
}

/* A JSON string; bytes that are no UTF-8 are written as the characters of their number. */
static void
add_string(Text *line, const char *name, const char *value)
{
	size_t len = strlen(value);

	text_format(line, ",\"%s\":", name);
	if (symbol_text_valid(value, len))
	{
		text_json(line, value, len);
		return;
	}
	text_add(line, "\"", 1);
	for (const char *p = value; *p != '\0'; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			text_format(line, "\\u%04x", c);
		else
			text_add(line, p, 1);
	}
	text_add(line, "\"", 1);
}

void
log_request(const LogRequest *request)
{
	Text *line = &access_log.line;
	char now[QUOTE_TIME_SIZE];

	quote_time(loop_unix(), now);
	line->len = 0;
	text_format(line, "{\"time\":\"%s\"", now);
	add_string(line, "address", request->address);
	add_string(line, "method", request->method);
	add_string(line, "target", request->target);
	text_format(line, ",\"status\":%d,\"bytes\":%llu,\"us\":%lld}\n", request->status,
				(unsigned long long) request->bytes, (long long) request->us);

	if (access_log.len + line->len > ACCESS_ROOM)
		log_flush();
	if (access_log.len + line->len > ACCESS_ROOM)
	{
		access_stuck("standard output takes them too slowly");
		count_dropped();
		return;
	}
	memcpy(access_log.bytes + access_log.len, line->bytes, line->len);
	if (access_log.len == 0)
	{
		access_log.timer.due = flush_due;
		loop_after(&access_log.timer, FLUSH_AFTER);
	}
	access_log.len += line->len;
}
