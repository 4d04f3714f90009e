/*
 * web_set.h
 *	  A set of files that are served together: those that are compiled in, or those of a folder, read whole.
 *
 * NAME.gz is no file of its own but NAME as gzip, for clients that take it.  One that does not unpack to NAME (it may be of a
 * NAME before it was changed) is left out, and the log says so.
 */
#ifndef CRYPTO_RT_HTTP_WEB_SET_H
#define CRYPTO_RT_HTTP_WEB_SET_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "blob.h"

#define WEB_SET_FILES_MAX 500
#define WEB_SET_BYTES_MAX ((size_t) 32 << 20) /* of all files together, those as gzip included */
#define WEB_SET_NAME_MAX 128                  /* bytes */
#define WEB_SET_INDEX "index.html"            /* which each set has */

typedef struct WebBody
{
	Blob *blob;                 /* holds the bytes; NULL: they are compiled in */
	const unsigned char *bytes; /* NULL: there is no such body */
	size_t len;
	char etag[40];                 /* with its quotes; made of the bytes alone */
	struct MHD_Response *response; /* web.c's, to be destroyed with the set; NULL: not made yet */
} WebBody;

typedef struct WebEntry
{
	char *name; /* letters, digits, and . _ - , of which the first is no dot */
	WebBody plain;
	WebBody packed;
} WebEntry;

/* Start from {0}. */
typedef struct WebSet
{
	WebEntry *entries;
	int count;
} WebSet;

/* Those that are compiled in; false: there are none. */
extern bool web_set_compiled(WebSet *set);

/* All of a folder.  false: it cannot be used; err says why, and the set is empty. */
extern bool web_set_folder(WebSet *set, const char *path, char *err, size_t errsize);

/* NULL: there is none of this name. */
extern WebEntry *web_set_find(const WebSet *set, const char *name);

extern void web_set_free(WebSet *set);

#endif /* CRYPTO_RT_HTTP_WEB_SET_H */
