/*
 * server.h
 *	  libmicrohttpd in our loop: connections, their limits and deadlines, and which route a request takes.
 */
#ifndef CRYPTO_RT_HTTP_SERVER_H
#define CRYPTO_RT_HTTP_SERVER_H

#include <stdbool.h>

/* Listen.  fd is a socket that listens already (passed by systemd), or -1.  Returns what failed, or NULL. */
extern const char *server_start(int fd);

/* Where it listens, with the port that it got: 127.0.0.1:8080. */
extern const char *server_address(void);

/* Let libmicrohttpd work before the loop waits again: something was resumed. */
extern void server_wake(void);

/* Read the certificate and key anew; false: they cannot be used, the old ones stay, and the log says why. */
extern bool server_reload_tls(void);

/* Stop accepting, finish replies, end streams; when nothing is open, or after 3 s, loop_end(). */
extern void server_stop(void);

/* After the loop's end: close what is left. */
extern void server_close(void);

#endif /* CRYPTO_RT_HTTP_SERVER_H */
