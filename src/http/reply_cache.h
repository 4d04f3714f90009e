/*
 * reply_cache.h
 *	  Replies that are kept for a short time, by what was asked for.
 *
 * Bounded in number and in bytes: what was not asked for the longest goes first.
 */
#ifndef CRYPTO_RT_HTTP_REPLY_CACHE_H
#define CRYPTO_RT_HTTP_REPLY_CACHE_H

#include <stdint.h>

#include "request.h"

#define REPLY_CACHE_MAX 1000 /* replies */
#define REPLY_CACHE_BYTES ((size_t) 32 << 20)

typedef struct CachedReply CachedReply;

/* The reply of a key, while it is good; NULL: there is none.  Good until the cache is used the next time. */
extern CachedReply *reply_cache_find(const char *key);

/*
 * Keep a body of JSON, which is an object, for so many microseconds; clients may keep it for max_age seconds.  Takes the text.
 * NULL: so much is being sent to slow clients that there is no room.
 */
extern CachedReply *reply_cache_put(const char *key, Text *body, int64_t keep, int32_t max_age);

/* Reply with it, as gzip to those who take it. */
extern enum MHD_Result reply_cache_send(Request *request, CachedReply *cached);

/* For metrics. */
extern int reply_cache_count(void);
extern size_t reply_cache_bytes(void);

#endif /* CRYPTO_RT_HTTP_REPLY_CACHE_H */
