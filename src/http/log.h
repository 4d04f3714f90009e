/*
 * log.h
 *	  One line per event on standard error, and the access log on standard output.
 *
 * Under systemd (JOURNAL_STREAM is set) lines begin with a priority in place of a time.  Nothing secret goes in: an
 * url is shown without its password.  Neither log waits for its reader: lines that find no room are dropped and counted.
 */
#ifndef CRYPTO_RT_HTTP_LOG_H
#define CRYPTO_RT_HTTP_LOG_H

#include <stdint.h>

typedef enum LogLevel
{
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO
} LogLevel;

extern void log_init(void);

/* From now on say nothing but warnings and errors. */
extern void log_quiet(void);

/* A message in PostgreSQL's style: lower case, no full stop.  Control characters are shown as ?. */
extern void log_line(LogLevel level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)

/* One request that has been answered: a line of JSON, written within a second. */
typedef struct LogRequest
{
	const char *address; /* of the client */
	const char *method;
	const char *target; /* path and query, as sent */
	int status;
	uint64_t bytes; /* of the body */
	int64_t us;     /* from its header to its end */
} LogRequest;

extern void log_request(const LogRequest *request);
extern void log_flush(void);

/* Lines of both logs that were dropped, for metrics. */
extern uint64_t log_dropped(void);

#endif /* CRYPTO_RT_HTTP_LOG_H */
