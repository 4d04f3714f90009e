/*
 * reply_cache.c
 *	  See reply_cache.h.
 *
 * A body is compressed when the first client wants it so.
 */
#include "reply_cache.h"

#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "body.h"
#include "links.h"
#include "loop.h"
#include "memory.h"

#define BUCKETS 2048       /* a power of two */
#define WORTH_PACKING 1024 /* bytes */

struct CachedReply
{
	char *key;
	uint32_t hash;
	int64_t good_until; /* loop_now */
	size_t bytes;       /* what it takes */
	ReplyKept plain;
	ReplyKept packed;  /* without a blob: nobody has wanted it yet */
	CachedReply *next; /* in its bucket */
	Link in_uses;
};

static CachedReply *buckets[BUCKETS];
static Link uses = LINKS_EMPTY(uses); /* the last used is the last */
static int count;
static size_t bytes;

static uint32_t
hash_of(const char *key)
{
	return (uint32_t) crc32(0, (const Bytef *) key, (uInt) strlen(key));
}

static void
drop(CachedReply *cached)
{
	CachedReply **link = &buckets[cached->hash % BUCKETS];

	while (*link != cached)
		link = &(*link)->next;
	*link = cached->next;
	links_remove(&cached->in_uses);
	count--;
	bytes -= cached->bytes;
	reply_kept_free(&cached->plain);
	reply_kept_free(&cached->packed);
	free(cached->key);
	free(cached);
}

/* Make room by what was not used for the longest, but never by the last used. */
static void
shrink(void)
{
	while ((count > REPLY_CACHE_MAX || bytes > REPLY_CACHE_BYTES) && uses.next != uses.previous)
		drop(LINKS_OWNER(uses.next, CachedReply, in_uses));
}

static void
grow(CachedReply *cached, size_t more)
{
	cached->bytes += more;
	bytes += more;
	shrink();
}

CachedReply *
reply_cache_find(const char *key)
{
	uint32_t hash = hash_of(key);
	CachedReply *cached = buckets[hash % BUCKETS];

	while (cached != NULL && (cached->hash != hash || strcmp(cached->key, key) != 0))
		cached = cached->next;
	if (cached == NULL)
		return NULL;
	if (loop_now() >= cached->good_until)
	{
		drop(cached);
		return NULL;
	}
	links_append(&uses, &cached->in_uses);
	return cached;
}

/* One body of a text without its braces, which stand for themselves; NULL: there is no room. */
static Blob *
make_blob(BodyPiece *piece, bool gzip)
{
	Body body = {0};
	Blob *blob;

	text_string(&body.head, "{");
	text_string(&body.tail, "}");
	body_add(&body, piece);
	blob = body_blob(&body, gzip);
	body_free(&body);
	return blob;
}

CachedReply *
reply_cache_put(const char *key, Text *body, int64_t keep, int32_t max_age)
{
	uint32_t hash = hash_of(key);
	CachedReply *cached = reply_cache_find(key);
	BodyPiece piece = {0};
	Text inside = {0};
	Blob *blob;

	if (cached != NULL)
		drop(cached);
	text_add(&inside, body->bytes + 1, body->len - 2);
	text_free(body);
	body_piece_set(&piece, &inside);
	blob = make_blob(&piece, false);
	body_piece_free(&piece);
	if (blob == NULL)
		return NULL;

	cached = memory_get(sizeof(CachedReply));
	cached->key = memory_dup(key);
	cached->hash = hash;
	cached->good_until = loop_now() + keep;
	cached->plain.blob = blob;
	cached->plain.max_age = cached->packed.max_age = max_age;
	snprintf(cached->plain.etag, sizeof(cached->plain.etag), "\"%zx-%08lx\"", blob->len,
			 crc32(0, (const Bytef *) blob->bytes, (uInt) blob->len));
	cached->next = buckets[hash % BUCKETS];
	buckets[hash % BUCKETS] = cached;
	links_append(&uses, &cached->in_uses);
	count++;
	grow(cached, sizeof(CachedReply) + strlen(key) + blob->len);
	return cached;
}

/* Compress it; when there is no room, or nothing gained, the plain one does. */
static void
pack(CachedReply *cached)
{
	const Blob *plain = cached->plain.blob;
	ReplyKept *packed = &cached->packed;
	BodyPiece piece = {0};
	Text inside = {0};

	text_add(&inside, plain->bytes + 1, plain->len - 2);
	body_piece_set(&piece, &inside);
	packed->blob = make_blob(&piece, true);
	body_piece_free(&piece);
	if (packed->blob == NULL)
		return;
	packed->packed = true;
	snprintf(packed->etag, sizeof(packed->etag), "%.*s-gz\"", (int) strlen(cached->plain.etag) - 1,
			 cached->plain.etag);
	grow(cached, packed->blob->len);
}

enum MHD_Result
reply_cache_send(Request *request, CachedReply *cached)
{
	bool gzip = request->gzip && cached->plain.blob->len >= WORTH_PACKING;

	if (gzip && cached->packed.blob == NULL)
		pack(cached);
	return reply_kept(request, gzip && cached->packed.blob != NULL ? &cached->packed : &cached->plain);
}

int
reply_cache_count(void)
{
	return count;
}

size_t
reply_cache_bytes(void)
{
	return bytes;
}
