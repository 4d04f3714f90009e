/*
 * body.c
 *	  See body.h.
 *
 * A large body lives until the last client has read it, and each second may bring another one.  So large ones are listed
 * here until nobody holds them, and what they take together is limited.  The memory of the last one is used again: to
 * get megabytes anew from the kernel, page by page, takes longer than to fill them.
 */
#include "body.h"

#include <malloc.h>
#include <string.h>
#include <zlib.h>

#define LEVEL 4
#define RAW_FORMAT (-15) /* window bits, and zlib's way of asking for no header */
#define MEMORY_LEVEL 8
#define STORED_HEAD 5    /* bytes before a block that is not compressed */
#define STORED_MAX 65535 /* bytes in it */

#define PACKED_AT_ONCE 262144 /* bytes that are compressed for one body, which takes some 4 ms */

#define LARGE 65536 /* bytes */
#define LIVING_MAX 1024
#define LIVING_BYTES ((size_t) 128 << 20)

static const char gzip_head[10] = {0x1f, (char) 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

static z_stream packer;
static bool packer_ready;

static Blob *living[LIVING_MAX];
static int living_count;
static size_t living_bytes;
static Blob *spare; /* held by nobody else; NULL: none */

/*
 * Pieces.
 */

void
body_piece_free(BodyPiece *piece)
{
	blob_drop(piece->plain);
	blob_drop(piece->packed);
	*piece = (BodyPiece){0};
}

void
body_piece_set(BodyPiece *piece, Text *text)
{
	body_piece_free(piece);
	piece->plain = text_blob(text);
}

static void
need_zlib(bool good)
{
	if (good)
		return;
	fputs("crypto_rt_http: zlib failed\n", stderr);
	abort();
}

/* One deflate state is kept and reset: its quarter of a megabyte costs more to set up than a piece costs to pack. */
void
body_piece_pack(BodyPiece *piece)
{
	static Text scratch;
	const Blob *plain = piece->plain;
	size_t room;

	if (piece->packed != NULL)
		return;
	if (packer_ready)
		need_zlib(deflateReset(&packer) == Z_OK);
	else
		need_zlib(deflateInit2(&packer, LEVEL, Z_DEFLATED, RAW_FORMAT, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) ==
				  Z_OK);
	packer_ready = true;
	room = deflateBound(&packer, plain->len) + 16; /* for the flush */
	packer.next_in = (Bytef *) (uintptr_t) plain->bytes;
	packer.avail_in = (uInt) plain->len;
	packer.next_out = (Bytef *) text_room(&scratch, room);
	packer.avail_out = (uInt) room;
	need_zlib(deflate(&packer, Z_FULL_FLUSH) == Z_OK && packer.avail_in == 0 && packer.avail_out > 0);
	piece->packed = blob_of(scratch.bytes, packer.total_out);
}

static uint32_t
sum(BodyPiece *piece)
{
	if (!piece->summed)
		piece->crc = (uint32_t) crc32(0, (const Bytef *) piece->plain->bytes, (uInt) piece->plain->len);
	piece->summed = true;
	return piece->crc;
}

/*
 * Large bodies.
 */

/* Keep the larger of two blobs for the next body. */
static void
set_aside(Blob *blob)
{
	if (spare == NULL || malloc_usable_size(blob) > malloc_usable_size(spare))
	{
		blob_drop(spare);
		spare = blob;
	}
	else
		blob_drop(blob);
}

void
body_sweep(void)
{
	int stay = 0;

	for (int i = 0; i < living_count; i++)
		if (living[i]->holders > 1)
			living[stay++] = living[i];
		else
		{
			living_bytes -= living[i]->len;
			set_aside(living[i]);
		}
	living_count = stay;
}

/* A large blob: the spare one where it fits without waste. */
static Blob *
large_blob(size_t len)
{
	size_t room = spare != NULL ? malloc_usable_size(spare) : 0;
	Blob *blob = spare;

	if (room < sizeof(Blob) + len + 1 || room / 2 > len)
		return blob_new(len + len / 64); /* so that the next one, somewhat longer, fits in its place */
	spare = NULL;
	return blob;
}

/* Room for a body; NULL: too much is alive. */
static Blob *
make_room(size_t len)
{
	Blob *blob;

	if (len < LARGE)
		return blob_new(len);
	body_sweep();
	if (living_count == LIVING_MAX || living_bytes + len > LIVING_BYTES)
		return NULL;
	blob = large_blob(len);
	blob->len = len;
	blob->bytes[len] = '\0';
	living[living_count++] = blob_share(blob);
	living_bytes += len;
	return blob;
}

/*
 * Bodies.
 */

void
body_add(Body *body, BodyPiece *piece)
{
	if (body->count == body->room)
	{
		body->room = body->room > 0 ? body->room * 2 : 16;
		body->pieces = memory_grow(body->pieces, (size_t) body->room * sizeof(BodyPiece *));
	}
	body->pieces[body->count++] = piece;
}

void
body_free(Body *body)
{
	text_free(&body->head);
	text_free(&body->tail);
	free(body->pieces);
	*body = (Body){0};
}

size_t
body_len(const Body *body)
{
	size_t len = body->head.len + body->tail.len;

	for (int i = 0; i < body->count; i++)
		len += body->pieces[i]->plain->len;
	return len;
}

bool
body_is_packed(const Body *body)
{
	for (int i = 0; i < body->count; i++)
		if (body->pieces[i]->packed == NULL)
			return false;
	return true;
}

static char *
put(char *p, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(p, bytes, len);
	return p + len;
}

static Blob *
join_plain(const Body *body)
{
	Blob *blob = make_room(body_len(body));
	char *p;

	if (blob == NULL)
		return NULL;
	p = put(blob->bytes, body->head.bytes, body->head.len);
	for (int i = 0; i < body->count; i++)
		p = put(p, body->pieces[i]->plain->bytes, body->pieces[i]->plain->len);
	put(p, body->tail.bytes, body->tail.len);
	return blob;
}

static char *
put_le(char *p, uint32_t n, int bytes)
{
	for (; bytes > 0; bytes--, n >>= 8)
		*p++ = (char) n;
	return p;
}

/* How long bytes are as deflate blocks that are not compressed. */
static size_t
stored_len(size_t len)
{
	return len + (len + STORED_MAX - 1) / STORED_MAX * STORED_HEAD;
}

static char *
put_stored(char *p, const char *bytes, size_t len, bool last)
{
	while (len > 0)
	{
		size_t n = len < STORED_MAX ? len : STORED_MAX;

		*p++ = last && n == len;
		p = put_le(p, (uint32_t) n, 2);
		p = put_le(p, ~(uint32_t) n, 2);
		p = put(p, bytes, n);
		bytes += n;
		len -= n;
	}
	return p;
}

static char *
put_piece(char *p, const BodyPiece *piece)
{
	if (piece->packed != NULL)
		return put(p, piece->packed->bytes, piece->packed->len);
	return put_stored(p, piece->plain->bytes, piece->plain->len, false);
}

/* Compress what can be done at once; returns what the pieces take. */
static size_t
pack_some(Body *body)
{
	size_t len = 0;
	size_t done = 0;

	for (int i = 0; i < body->count; i++)
	{
		BodyPiece *piece = body->pieces[i];
		size_t plain_len = piece->plain->len;

		if (piece->packed == NULL && (done == 0 || done + plain_len <= PACKED_AT_ONCE))
		{
			body_piece_pack(piece);
			done += plain_len;
		}
		len += piece->packed != NULL ? piece->packed->len : stored_len(plain_len);
	}
	return len;
}

static uint32_t
sum_all(const Body *body)
{
	uLong crc = crc32(0, (const Bytef *) body->head.bytes, (uInt) body->head.len);

	for (int i = 0; i < body->count; i++)
		crc = crc32_combine(crc, sum(body->pieces[i]), (z_off_t) body->pieces[i]->plain->len);
	return (uint32_t) crc32(crc, (const Bytef *) body->tail.bytes, (uInt) body->tail.len);
}

static Blob *
join_packed(Body *body)
{
	size_t len = sizeof(gzip_head) + stored_len(body->head.len) + stored_len(body->tail.len) + 8;
	Blob *blob = make_room(len + pack_some(body));
	char *p;

	if (blob == NULL)
		return NULL;
	p = put(blob->bytes, gzip_head, sizeof(gzip_head));
	p = put_stored(p, body->head.bytes, body->head.len, false);
	for (int i = 0; i < body->count; i++)
		p = put_piece(p, body->pieces[i]);
	p = put_stored(p, body->tail.bytes, body->tail.len, true);
	p = put_le(p, sum_all(body), 4);
	put_le(p, (uint32_t) body_len(body), 4);
	return blob;
}

Blob *
body_blob(Body *body, bool gzip)
{
	return gzip ? join_packed(body) : join_plain(body);
}
