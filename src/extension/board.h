/*
 * board.h
 *	  The board: every coin's newest quote, in shared memory.
 *
 * Only the poller writes it.  Readers take no lock and never wait for it: each slot has a sequence
 * counter that is odd while the slot is being written, and a reader copies the slot again when the
 * counter was odd or has changed meanwhile.
 *
 * A slot is two parts.  The cell is one cache line with the symbol as a key and the price as the
 * bytes of a numeric, so that crypto_price is a hash, a compare and a copy.  The rest holds the
 * whole quote.  Two hash tables of slot numbers lead there: by symbol, to the one coin that owns
 * the symbol, and by nameid.
 */
#ifndef CRYPTO_RT_BOARD_H
#define CRYPTO_RT_BOARD_H

#include "postgres.h"
#include "utils/numeric.h"

#include "../core/quote.h"

#define BOARD_NO_SLOT (-1)
#define BOARD_PRICE_SIZE 24 /* a numeric of 18 digits takes 18 bytes, wherever its point is */

/* What a poll changed of a coin. */
#define BOARD_CHANGED 0x01       /* anything that a reader is shown, ages aside */
#define BOARD_PRICE_CHANGED 0x02 /* the price */
#define BOARD_CREATED 0x04       /* the coin was not on the board */

/* A slot's content as a reader gets it. */
typedef struct BoardEntry
{
	Quote quote;
	uint32 generation; /* counts the coins that this slot has held */
	bool owns_symbol;  /* the symbol stands for this coin */
} BoardEntry;

typedef struct BoardCounts
{
	int coins;   /* on the board */
	int active;  /* of these */
	int refused; /* kept out by max_coins in the last sweep */
} BoardCounts;

/* Shared memory: asked for and laid out by crypto_rt.c. */
extern Size board_shmem_size(void);
extern void board_shmem_init(bool found, void *memory);

/*
 * Readers; any process.
 */

/* The price of a symbol, or of id:<nameid>, palloc'd; NULL for a coin that is not on the board. */
extern Numeric board_price(const char *symbol, size_t len);

/* The slot of a symbol, or of id:<nameid>; BOARD_NO_SLOT for a coin that is not on the board. */
extern int board_find(const char *symbol, size_t len);

/* The slot of a symbol and nothing else, were it to begin with "ID:". */
extern int board_find_symbol(const char *symbol, size_t len);

/* Copy a slot.  False when it holds no coin. */
extern bool board_read(int slot, BoardEntry *entry);

/* One more than the highest slot in use; slots below it may be empty. */
extern int board_slots(void);

extern BoardCounts board_counts(void);

/* Whether a quote is past its time: older than its tier's TTL, or not confirmed since the restart. */
extern bool board_stale(const Quote *quote, int64 now_unix_us);

/*
 * The writer; the poller only.
 */

/* Write a quote.  *flags tells what changed.  Returns its slot, or BOARD_NO_SLOT when there was no room. */
extern int board_put(const Quote *quote, uint32 *flags);

/* Which of the coins that the slot has held it holds now; see BoardEntry. */
extern uint32 board_generation(int slot);

/* A poll that brought the same: only the times move on. */
extern void board_touch(int slot, int64 fetched_at);

/*
 * A sweep has ended: coins absent from three in a row are listed no more (rank 0), rivals that ranked
 * better than a symbol's owner in three take it over.  Calls changed(slot) for each coin that differs now.
 */
extern void board_end_sweep(void (*changed)(int slot));

#endif /* CRYPTO_RT_BOARD_H */
