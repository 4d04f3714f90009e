/*
 * redis_conn.h
 *	  One connection to the Redis that options() names: pipelined, and never waiting for anything.
 *
 * hiredis reads the replies and writes the commands; the socket is ours.  hiredis' own asynchronous interface is not used,
 * since 0.14 ends the process by assert() when a server answers what nobody asked, and drops an error that answers SUBSCRIBE.
 */
#ifndef CRYPTO_RT_HTTP_REDIS_CONN_H
#define CRYPTO_RT_HTTP_REDIS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lookup.h"
#include "loop.h"
#include "text.h"

#define REDIS_CONN_REPLY_MAX (16 * 1024 * 1024) /* bytes */

struct redisReader;
struct redisReply;

typedef enum RedisConnState
{
	REDIS_CONN_CLOSED,     /* to RESOLVING or CONNECTING */
	REDIS_CONN_RESOLVING,  /* the name is looked up; to CONNECTING or CLOSED */
	REDIS_CONN_CONNECTING, /* to itself with the next address, LOGIN or CLOSED */
	REDIS_CONN_LOGIN,      /* to READY or CLOSED */
	REDIS_CONN_READY       /* to CLOSED */
} RedisConnState;

/* Zero it but for the owner's part.  All of the owner's functions may close the connection. */
typedef struct RedisConn
{
	/* the owner's */
	void (*ready)(struct RedisConn *conn); /* commands may be queued */
	void (*take)(struct RedisConn *conn, const struct redisReply *reply);
	void (*taken)(struct RedisConn *conn);                   /* all that had arrived; NULL: nothing to do */
	void (*closed)(struct RedisConn *conn, const char *why); /* by itself: lost, or never there */
	bool hears; /* replies come that nobody asked for: messages */

	/* the connection's; the owner may read them */
	RedisConnState state;
	int awaited; /* replies */

	/* the connection's */
	int fd; /* from CONNECTING on */
	LoopWatch watch;
	LoopTimer deadline;
	Lookup lookup;
	int address; /* of the lookup's, the one that is tried */
	int error;   /* errno of the last one */
	struct redisReader *reader;
	size_t unread; /* bytes since the last reply */
	Text out;
	size_t sent; /* of out */
} RedisConn;

/* Begin to connect and to log in. */
extern void redis_conn_open(RedisConn *conn);

/* At any time; closed is not called. */
extern void redis_conn_close(RedisConn *conn);

/* Queue a command; only while READY. */
extern void redis_conn_command(RedisConn *conn, int argc, const char *const *argv, const size_t *lengths);

/* What an error reply means, fit to be shown. */
extern void redis_conn_explain(const struct redisReply *reply, char *buf, size_t size);

#endif /* CRYPTO_RT_HTTP_REDIS_CONN_H */
