/*
 * rest_error.h
 *	  What goes wrong with a request to /rest/v1, as PostgREST tells it: {"code","message","details","hint"}.
 *
 * PGRST… are PostgREST's own codes, the others PostgreSQL's SQLSTATEs.  A status follows from the code.
 */
#ifndef CRYPTO_RT_HTTP_REST_ERROR_H
#define CRYPTO_RT_HTTP_REST_ERROR_H

#include <stdbool.h>

#include "arena.h"
#include "text.h"

/* All texts live as long as the arena that they were made in; NULL is null. */
typedef struct RestError
{
	int status; /* of HTTP; 0: nothing is wrong */
	const char *code;
	const char *message;
	const char *details;
	const char *hint;
} RestError;

/* Say what is wrong.  Returns false, for the caller to return. */
extern bool rest_fail(RestError *error, Arena *arena, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * The status that PostgREST gives to one of PostgreSQL's errors.  known: the client has shown who it is.  message may be NULL.
 */
extern int rest_error_status(const char *sqlstate, const char *message, bool known);

/* As JSON. */
extern void rest_error_write(const RestError *error, Text *text);

/*
 * How alike two names are: 1 for the same, 0 for nothing in common.  Hints are given for what is much alike.
 */
extern double rest_error_likeness(const char *a, const char *b);

#endif /* CRYPTO_RT_HTTP_REST_ERROR_H */
