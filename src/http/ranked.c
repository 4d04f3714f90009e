/*
 * ranked.c
 *	  See ranked.h.
 */
#include "ranked.h"

#include <string.h>

#include "loop.h"
#include "memory.h"

#define PIECE_QUOTES 100
#define WANTED_FOR (300 * LOOP_SECOND) /* pieces are kept up to date after they were last asked for */
#define LOOK_INTERVAL (LOOP_SECOND / 4)

typedef struct RankedPiece
{
	BodyPiece piece;
	int count;
	uint64_t versions[PIECE_QUOTES];
} RankedPiece;

static RankedPiece *pieces;
static int piece_count; /* that there is room for; the last ones may be of no use now */

static int64_t plain_wanted_until;
static int64_t gzip_wanted_until;
static int next_piece; /* to be looked at in the background */

static void look(void *arg);
static LoopTimer timer = {.due = look};

void
ranked_write(Text *text, const HeldQuote *quote)
{
	text_json(text, quote->symbol, strlen(quote->symbol));
	text_add(text, ":", 1);
	text_add(text, quote->json->bytes, quote->json->len);
}

/* Each but the very first begins with a comma. */
static void
write_piece(BodyPiece *piece, HeldQuote *const *quotes, int from, int count)
{
	Text text = {0};

	for (int i = from; i < from + count; i++)
	{
		if (i > 0)
			text_add(&text, ",", 1);
		ranked_write(&text, quotes[i]);
	}
	body_piece_set(piece, &text);
}

/* The quotes that belong into a piece. */
static int
count_of(int i, int total)
{
	int left = total - i * PIECE_QUOTES;

	return left < PIECE_QUOTES ? left : PIECE_QUOTES;
}

/* Bring a piece up to date; false: it was. */
static bool
refresh(int i, HeldQuote *const *quotes, int total)
{
	RankedPiece *ranked = &pieces[i];
	int from = i * PIECE_QUOTES;
	int count = count_of(i, total);
	bool same = ranked->count == count;

	for (int k = 0; same && k < count; k++)
		same = ranked->versions[k] == quotes[from + k]->version;
	if (same)
		return false;
	ranked->count = count;
	for (int k = 0; k < count; k++)
		ranked->versions[k] = quotes[from + k]->version;
	write_piece(&ranked->piece, quotes, from, count);
	return true;
}

static void
make_room(int count)
{
	if (count <= piece_count)
		return;
	pieces = memory_grow(pieces, (size_t) count * sizeof(*pieces));
	memset(pieces + piece_count, 0, (size_t) (count - piece_count) * sizeof(*pieces));
	piece_count = count;
}

/* Look for one piece that is not up to date, and make it so. */
static void
look(void *arg)
{
	bool gzip = loop_now() < gzip_wanted_until;
	int total;
	HeldQuote *const *quotes = quotes_ranked(&total);
	int count = (total + PIECE_QUOTES - 1) / PIECE_QUOTES;

	(void) arg;
	if (!gzip && loop_now() >= plain_wanted_until)
		return;
	make_room(count);
	for (int n = 0; n < count; n++)
	{
		int i = (next_piece + n) % count;
		bool done = refresh(i, quotes, total);

		if (gzip && pieces[i].piece.packed == NULL)
		{
			body_piece_pack(&pieces[i].piece);
			done = true;
		}
		if (done)
		{
			next_piece = i + 1;
			loop_after(&timer, 0);
			return;
		}
	}
	loop_after(&timer, LOOK_INTERVAL);
}

void
ranked_add(Body *body, int count, bool gzip, BodyPiece *rest)
{
	int total;
	HeldQuote *const *quotes = quotes_ranked(&total);
	int full = count == total ? (count + PIECE_QUOTES - 1) / PIECE_QUOTES : count / PIECE_QUOTES;

	make_room(full);
	for (int i = 0; i < full; i++)
	{
		refresh(i, quotes, total);
		body_add(body, &pieces[i].piece);
	}
	if (full * PIECE_QUOTES < count)
	{
		write_piece(rest, quotes, full * PIECE_QUOTES, count - full * PIECE_QUOTES);
		body_add(body, rest);
	}
	*(gzip ? &gzip_wanted_until : &plain_wanted_until) = loop_now() + WANTED_FOR;
	if (!timer.set)
		loop_after(&timer, 0);
}
