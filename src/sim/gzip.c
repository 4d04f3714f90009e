/*
 * gzip.c
 *	  See gzip.h.
 *
 * One deflate state is kept and reset, since its quarter of a megabyte costs more to set up than a
 * page costs to pack.  Level 2 packs a page in 0.13 ms, level 6 takes 0.6 ms to make it a tenth smaller.
 */
#include "gzip.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "memory.h"
#include "text.h"

#define LEVEL 2
#define GZIP_FORMAT (15 + 16) /* window bits, and zlib's way of asking for a gzip header */
#define RAW_FORMAT (-15)
#define MEMORY_LEVEL 8
#define BLOCK ((size_t) 1 << 20) /* of filler that is packed once and repeated */

static z_stream packer;
static bool packer_ready;

static void
need_zlib(int status)
{
	if (status == Z_OK)
		return;
	fprintf(stderr, "coinlore_sim: zlib failed with %d\n", status);
	abort();
}

char *
gzip_pack(const char *bytes, size_t len, size_t *packed_len)
{
	size_t room;
	char *packed;

	if (!packer_ready)
		need_zlib(deflateInit2(&packer, LEVEL, Z_DEFLATED, GZIP_FORMAT, MEMORY_LEVEL, Z_FILTERED));
	else
		need_zlib(deflateReset(&packer));
	packer_ready = true;
	room = deflateBound(&packer, len);
	packed = memory_grow(NULL, room);
	packer.next_in = (Bytef *) (uintptr_t) bytes;
	packer.avail_in = (uInt) len;
	packer.next_out = (Bytef *) packed;
	packer.avail_out = (uInt) room;
	if (deflate(&packer, Z_FINISH) != Z_STREAM_END)
		need_zlib(Z_BUF_ERROR);
	*packed_len = packer.total_out;
	return memory_grow(packed, *packed_len);
}

/* Add bytes as deflate blocks of their own, which end at a byte and know nothing of what was before. */
static void
add_blocks(Text *text, const char *bytes, size_t len)
{
	z_stream stream = {0};
	size_t room;
	char *packed;

	need_zlib(
		deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, RAW_FORMAT, MEMORY_LEVEL, Z_DEFAULT_STRATEGY));
	room = deflateBound(&stream, len) + 64;
	packed = memory_get(room);
	stream.next_in = (Bytef *) (uintptr_t) bytes;
	stream.avail_in = (uInt) len;
	stream.next_out = (Bytef *) packed;
	stream.avail_out = (uInt) room;
	need_zlib(deflate(&stream, Z_FULL_FLUSH));
	text_bytes(text, packed, stream.total_out);
	free(packed);
	deflateEnd(&stream);
}

static void
add_word(Text *text, uint32_t word)
{
	char bytes[4] = {(char) word, (char) (word >> 8), (char) (word >> 16), (char) (word >> 24)};

	text_bytes(text, bytes, sizeof(bytes));
}

char *
gzip_bomb(const char *head, char filler, uint64_t size, const char *tail, size_t *packed_len)
{
	static const char gzip_header[10] = {0x1f, (char) 0x8b, 8, 0, 0, 0, 0, 0, 2, 3};
	static const char last_block[2] = {3, 0};
	Text text = TEXT_EMPTY;
	Text packed_block = TEXT_EMPTY;
	char *block = memory_get(BLOCK);
	uint64_t blocks = (size + BLOCK - 1) / BLOCK;
	uint64_t total = strlen(head) + blocks * BLOCK + strlen(tail);
	uLong block_crc;
	uLong crc;

	memset(block, filler, BLOCK);
	block_crc = crc32(0, (const Bytef *) block, BLOCK);
	crc = crc32(0, (const Bytef *) head, (uInt) strlen(head));
	text_bytes(&text, gzip_header, sizeof(gzip_header));
	add_blocks(&text, head, strlen(head));
	add_blocks(&packed_block, block, BLOCK);
	for (uint64_t i = 0; i < blocks; i++)
	{
		text_bytes(&text, packed_block.bytes, packed_block.len);
		crc = crc32_combine(crc, block_crc, (z_off_t) BLOCK);
	}
	add_blocks(&text, tail, strlen(tail));
	crc = crc32(crc, (const Bytef *) tail, (uInt) strlen(tail));
	text_bytes(&text, last_block, sizeof(last_block));
	add_word(&text, (uint32_t) crc);
	add_word(&text, (uint32_t) total);
	text_free(&packed_block);
	free(block);
	*packed_len = text.len;
	return text.bytes;
}

void
gzip_end(void)
{
	if (packer_ready)
		deflateEnd(&packer);
	packer_ready = false;
}
