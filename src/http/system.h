/*
 * system.h
 *	  systemd's protocols, as sd_listen_fds(3) and sd_notify(3) describe them.
 */
#ifndef CRYPTO_RT_HTTP_SYSTEM_H
#define CRYPTO_RT_HTTP_SYSTEM_H

/* The first socket that systemd passed, or -1.  Its variables are removed from the environment. */
extern int system_listen_fd(void);

/* Tell systemd, if it wants to know: "READY=1", "STOPPING=1", "STATUS=…". */
extern void system_notify(const char *state);

#endif /* CRYPTO_RT_HTTP_SYSTEM_H */
