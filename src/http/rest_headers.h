/*
 * rest_headers.h
 *	  What the headers of a request to /rest/v1 ask for: Accept, Prefer, Range.
 *
 * Texts live in the arena that is given.
 */
#ifndef CRYPTO_RT_HTTP_REST_HEADERS_H
#define CRYPTO_RT_HTTP_REST_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "rest_error.h"

typedef enum RestMedia
{
	REST_MEDIA_ARRAY,  /* a JSON array of rows */
	REST_MEDIA_OBJECT, /* the one row */
	REST_MEDIA_CSV,
	REST_MEDIA_OPENAPI
} RestMedia;

typedef enum RestCount
{
	REST_COUNT_NONE,
	REST_COUNT_EXACT,
	REST_COUNT_PLANNED,
	REST_COUNT_ESTIMATED
} RestCount;

typedef struct RestHeaders
{
	/* Accept */
	RestMedia media;
	bool without_nulls; /* JSON has no members that are null */

	/* Prefer */
	RestCount count;
	bool strict;          /* handling=strict: what is wrong here is an error */
	bool lenient;         /* handling=lenient, said aloud */
	const char *timezone; /* NULL: none was given */
	bool has_max_affected;
	int64_t max_affected;
	const char *unknown; /* what it says that nobody knows, separated by ", "; NULL: nothing */

	/* Range */
	int64_t first;
	int64_t last;  /* -1: there is no end */
	bool reversed; /* the last is before the first */
} RestHeaders;

/*
 * Choose the best of what is accepted (NULL: anything).  root: of the description of it all; otherwise of rows.  false: nothing is
 * to be had.
 */
extern bool rest_headers_accept(RestHeaders *headers, const char *accept, bool root, Arena *arena,
								RestError *error);

/* Several headers are joined by commas; NULL: there is none. */
extern void rest_headers_prefer(RestHeaders *headers, const char *prefer, Arena *arena);
extern void rest_headers_range(RestHeaders *headers, const char *range);

/* The name of what is sent, as Content-Type. */
extern const char *rest_headers_content_type(const RestHeaders *headers);

/* Take it out of what is preferred, since it is none: then it is unknown. */
extern void rest_headers_refuse_timezone(RestHeaders *headers, Arena *arena);

#endif /* CRYPTO_RT_HTTP_REST_HEADERS_H */
