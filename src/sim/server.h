/*
 * server.h
 *	  The HTTP server: which request gets which answer, and when.
 *
 * It runs in the caller's thread.  The caller waits for server_fd to become readable, at most
 * server_wait long, and then calls server_turn.  Nothing here blocks: a request that has to wait is
 * suspended, and resumed by a later turn.
 */
#ifndef COINLORE_SIM_SERVER_H
#define COINLORE_SIM_SERVER_H

#include <stdint.h>
#include <stdio.h>

#include "faults.h"
#include "market.h"
#include "recording.h"
#include "stats.h"
#include "upstream.h"

#define SERVER_CONNECTIONS_MAX 4000
#define SERVER_IDLE_SECONDS 300

typedef struct Server Server;

/* What it works with; all of it outlives the server. */
typedef struct ServerParts
{
	Market *market;
	Faults *faults;
	Stats *stats;
	Recording *recording; /* NULL: nothing is recorded */
	Replay *replay;       /* not NULL: answers come from it */
	Upstream *upstream;   /* not NULL: answers come from there */
	FILE *trace;          /* NULL: nothing is traced */
} ServerParts;

/* listener: a listening socket, which the server takes over.  NULL when the daemon cannot start. */
extern Server *server_start(int listener, const ServerParts *parts);
extern int server_fd(const Server *server);

/* Microseconds until server_turn has something to do; -1: nothing but what server_fd tells. */
extern int64_t server_wait(const Server *server);
extern void server_turn(Server *server);
extern void server_stop(Server *server);

#endif /* COINLORE_SIM_SERVER_H */
