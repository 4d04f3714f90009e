/*
 * body.h
 *	  Bodies that are put together of pieces, plain or as gzip.
 *
 * A piece is compressed once and can be part of many bodies: its deflate blocks know nothing of what stands before them, and
 * so pieces follow each other as they are; the checksum of the whole is made of theirs.
 */
#ifndef CRYPTO_RT_HTTP_BODY_H
#define CRYPTO_RT_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "text.h"

/* Start from {0}. */
typedef struct BodyPiece
{
	Blob *plain;
	Blob *packed; /* raw deflate without a last block; NULL: not yet */
	uint32_t crc; /* of plain */
	bool summed;  /* crc is known */
} BodyPiece;

/* Start from {0}.  Head and tail are never empty, and not compressed: they are short, and new each time. */
typedef struct Body
{
	Text head;
	Text tail;
	BodyPiece **pieces; /* not the body's own */
	int count;
	int room;
} Body;

/* Fill a piece with a text, which is empty again. */
extern void body_piece_set(BodyPiece *piece, Text *text);
extern void body_piece_free(BodyPiece *piece);

/* Compress it, unless it is compressed already: some 0.7 ms for 100 quotes. */
extern void body_piece_pack(BodyPiece *piece);

extern void body_add(Body *body, BodyPiece *piece);
extern void body_free(Body *body);

/* Its length when it is plain. */
extern size_t body_len(const Body *body);

/*
 * All of it in one blob, plain or as gzip; the caller drops it.  So that nobody else waits, only some of the pieces are
 * compressed now, and the others that are not yet go into the gzip as they are.  NULL: so much of this is held by replies that
 * clients are slow to read that no more is made.
 */
extern Blob *body_blob(Body *body, bool gzip);

/* Whether each of its pieces is compressed. */
extern bool body_is_packed(const Body *body);

/* Free what nobody reads any more; now and then. */
extern void body_sweep(void);

#endif /* CRYPTO_RT_HTTP_BODY_H */
