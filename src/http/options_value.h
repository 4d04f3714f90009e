/*
 * options_value.h
 *	  What a user may write for an option, read and checked.
 *
 * `name` is what the user called it: --rate, or CRYPTO_RT_HTTP_RATE.  The readers return false after they have told standard
 * error what was wrong and what would be right.
 */
#ifndef CRYPTO_RT_HTTP_OPTIONS_VALUE_H
#define CRYPTO_RT_HTTP_OPTIONS_VALUE_H

#include <stdbool.h>

#include "options.h"

/* Tell standard error.  Returns false, for the caller to return. */
extern bool value_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether a value stands for none: '' or "none". */
extern bool value_none(const char *value);

extern bool value_whole(const char *name, const char *value, int least, int most, int *number);
extern bool value_rate(const char *name, const char *value, double *rate);
extern bool value_switch(const char *name, const char *value, bool *on);

/* HOST:PORT; a name is looked up. */
extern bool value_listen(const char *name, const char *value, struct sockaddr_storage *address);

/* An address, or a network as 10.0.0.0/8. */
extern bool value_network(const char *name, const char *value, Network *network);

/* scheme://host[:port], or *. */
extern bool value_origin(const char *name, const char *value);

/* Cut the next item off a list by commas, without blanks around it; NULL: there is none. */
extern char *value_next(char **list);

#endif /* CRYPTO_RT_HTTP_OPTIONS_VALUE_H */
