/*
 * extension_status.h
 *	  What the extension says of itself in PostgreSQL: crypto_status() and crypto_tiers, while somebody looks.
 *
 * Nobody waits for it: what is shown is the last answer, with its age and with what is wrong now.
 */
#ifndef CRYPTO_RT_HTTP_EXTENSION_STATUS_H
#define CRYPTO_RT_HTTP_EXTENSION_STATUS_H

#include "text.h"

extern void extension_status_init(void);

/*
 * Write it as JSON: {"age_seconds":…,"problem":…,"status":{…},"tiers":[…]}; null: no database is configured.  Before the first
 * answer age_seconds and status are null, and tiers is empty.  It is asked for from now on for a while, every two seconds.
 */
extern void extension_status_write(Text *text);

#endif /* CRYPTO_RT_HTTP_EXTENSION_STATUS_H */
