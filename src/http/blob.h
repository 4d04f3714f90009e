/*
 * blob.h
 *	  Bytes that several hold at once: a quote's JSON that is being sent while a newer one has replaced it.
 *
 * Not for threads: the daemon has one.
 */
#ifndef CRYPTO_RT_HTTP_BLOB_H
#define CRYPTO_RT_HTTP_BLOB_H

#include <stddef.h>
#include <string.h>

#include "memory.h"

typedef struct Blob
{
	int holders;
	size_t len;
	char bytes[]; /* len of them, and a NUL */
} Blob;

/* Room for len bytes, to be filled by the caller, who holds it. */
static inline Blob *
blob_new(size_t len)
{
	Blob *blob = memory_check(malloc(sizeof(Blob) + len + 1));

	blob->holders = 1;
	blob->len = len;
	blob->bytes[len] = '\0';
	return blob;
}

static inline Blob *
blob_of(const char *bytes, size_t len)
{
	Blob *blob = blob_new(len);

	memcpy(blob->bytes, bytes, len);
	return blob;
}

static inline Blob *
blob_share(Blob *blob)
{
	blob->holders++;
	return blob;
}

/* NULL is nothing to drop. */
static inline void
blob_drop(Blob *blob)
{
	if (blob != NULL && --blob->holders == 0)
		free(blob);
}

#endif /* CRYPTO_RT_HTTP_BLOB_H */
