/*
 * redis.h
 *	  One connection to Redis: pipelined, and never waiting for anything.
 *
 * The publisher queues commands and gets their replies, in the same order, through a handler.  Between
 * turns it waits on redis_conn_socket() until redis_conn_deadline().  A turn is
 *
 *		redis_conn_step();		moves on, reads, and calls the handler for each reply
 *		...queue commands, as long as redis_conn_room()...
 *		redis_conn_flush();		writes what the socket takes
 *
 * The connection belongs to the process that opened it; nothing of it is in shared memory.
 */
#ifndef CRYPTO_RT_REDIS_H
#define CRYPTO_RT_REDIS_H

#include "postgres.h"

struct redisReply; /* hiredis' */

/* A caller queues no more once so much waits; what it queues at one go may exceed this by REDIS_WINDOW commands. */
#define REDIS_WINDOW 4096                  /* commands without a reply */
#define REDIS_UNSENT_MAX (4 * 1024 * 1024) /* bytes */

#define REDIS_TIMEOUT 5 /* seconds without any answer that are taken for death */

/* The reply to a command that was queued with this tag, from 0 to REDIS_TAG_MAX.  It must not close the connection. */
typedef void (*RedisReplyHandler)(int tag, const struct redisReply *reply);

#define REDIS_TAG_MAX 99

/*
 * The connection; the publisher only.
 */

/*
 * Begin to connect and to log in.  password_file: "" or a file whose first line is the password, which goes before
 * that of the url.  Ready, or closed because of an error, is what redis_conn_step finds out.
 */
extern void redis_conn_open(const char *url, const char *password_file, RedisReplyHandler handler);
extern void redis_conn_close(void);

extern void redis_conn_step(void);
extern void redis_conn_flush(void);

extern bool redis_conn_ready(void);
extern bool redis_conn_closed(void);

/* Why it closed by itself; "" when redis_conn_close closed it. */
extern const char *redis_conn_error(void);

/* What to wait for: PGINVALID_SOCKET when there is no socket yet. */
extern pgsocket redis_conn_socket(uint32 *events);

/* When redis_conn_step must be called even if the socket is silent; INT64_MAX: never. */
extern int64 redis_conn_deadline(void);

/* Queue a command; only while ready. */
extern void redis_conn_command(int tag, int argc, const char *const *argv, const size_t *argvlen);

/* Whether more may be queued, and how many replies are still to come. */
extern bool redis_conn_room(void);
extern int redis_conn_awaited(void);

/*
 * What an error reply means and what to do, fit to be shown.  Returns true when a new connection may help, as it does
 * when a name leads to another server now.
 */
extern bool redis_explain(const struct redisReply *reply, char *buf, size_t size);

#endif /* CRYPTO_RT_REDIS_H */
