/*
 * board.c
 *	  The board; see board.h.
 *
 * Protocol.  The poller makes a cell's sequence odd, writes the cell and the slot, and makes it even again; in
 * between, nothing can throw or wait.  Readers copy, and copy again when the sequence was odd or has moved.
 *
 * The hash tables hold slot numbers plus one, written atomically, with linear probing; a removed entry becomes a
 * tombstone, so that a reader's probe never ends too early.  What a reader finds it checks against the slot, so a
 * hit is always right.  A miss is right unless the table was rebuilt meanwhile, which its version tells.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "storage/s_lock.h"

#include "board.h"
#include "settings.h"

#define SWEEPS_UNTIL_GONE 3     /* absent from so many in a row: listed no more */
#define SWEEPS_UNTIL_TAKEOVER 3 /* ranked better in so many in a row: takes the symbol */

#define ENTRY_EMPTY UINT32_C(0)
#define ENTRY_TOMBSTONE UINT32_MAX

#define SPINS_BEFORE_SLEEP 1000

/* One cache line: all that crypto_price needs. */
typedef struct BoardCell
{
	/* atomic */
	pg_atomic_uint32 sequence;

	/* written by the poller only, under the sequence */
	uint32 key_len;
	uint64 key_lo;
	uint64 key_hi;
	char price[BOARD_PRICE_SIZE]; /* a numeric, ready to be copied */
	uint32 generation;            /* 0: the slot has never held a coin */
	bool owns_symbol;
	char unused[11];
} BoardCell;

StaticAssertDecl(sizeof(BoardCell) == 64, "a cell must be one cache line");

typedef struct BoardSlot
{
	/* written by the poller only, under the cell's sequence */
	Quote quote;

	/* the poller's own */
	uint32 last_sweep;  /* when it was on a page last */
	uint32 rival_sweep; /* when it ranked better than the owner of its symbol last */
	uint32 rival_run;   /* sweeps in a row in which it did */
	bool settled;       /* it has been here for a sweep: its symbol is not taken at first sight */
} BoardSlot;

typedef struct BoardIndex
{
	/* atomic; odd while the table is rebuilt */
	pg_atomic_uint32 version;

	/* the poller's own */
	uint32 filled; /* entries that are not empty, tombstones included */
} BoardIndex;

typedef struct Board
{
	/* immutable after startup */
	uint32 max_coins;
	uint32 index_size; /* a power of two */

	/* atomic; written by the poller */
	pg_atomic_uint32 slots;
	pg_atomic_uint32 coins;
	pg_atomic_uint32 active;
	pg_atomic_uint32 refused;

	/* the poller's own */
	uint32 sweep;
	uint32 refused_now; /* in this sweep */
	int32 worst_rank;   /* at least that of the worst coin; tells when to look for it */

	BoardIndex by_symbol;
	BoardIndex by_nameid;
} Board;

static Board *board;
static BoardCell *cells;
static BoardSlot *slots;
static uint32 *symbol_entries;
static uint32 *nameid_entries;

static Size
index_bytes(void)
{
	return (Size) pg_nextpower2_32((uint32) settings_max_coins() * 2) * sizeof(uint32);
}

Size
board_shmem_size(void)
{
	Size coins = (Size) settings_max_coins();

	return PG_CACHE_LINE_SIZE + CACHELINEALIGN(sizeof(Board)) + coins * sizeof(BoardCell) +
		   2 * index_bytes() + coins * sizeof(BoardSlot);
}

void
board_shmem_init(bool found, void *memory)
{
	char *p = (char *) CACHELINEALIGN(memory);

	board = (Board *) p;
	p += CACHELINEALIGN(sizeof(Board));
	cells = (BoardCell *) p;
	p += (Size) settings_max_coins() * sizeof(BoardCell);
	symbol_entries = (uint32 *) p;
	p += index_bytes();
	nameid_entries = (uint32 *) p;
	p += index_bytes();
	slots = (BoardSlot *) p;
	if (found)
		return;

	memset(board, 0, sizeof(*board));
	board->max_coins = (uint32) settings_max_coins();
	board->index_size = (uint32) (index_bytes() / sizeof(uint32));
	board->worst_rank = PG_INT32_MAX;
	pg_atomic_init_u32(&board->slots, 0);
	pg_atomic_init_u32(&board->coins, 0);
	pg_atomic_init_u32(&board->active, 0);
	pg_atomic_init_u32(&board->refused, 0);
	pg_atomic_init_u32(&board->by_symbol.version, 0);
	pg_atomic_init_u32(&board->by_nameid.version, 0);
	memset(symbol_entries, 0, index_bytes());
	memset(nameid_entries, 0, index_bytes());
	/* the slots themselves are touched when they are filled, so that an empty board takes no memory */
}

/*
 * Reading.
 */

static inline uint32
read_begin(const BoardCell *cell)
{
	int spins = 0;

	for (;;)
	{
		uint32 sequence = pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &cell->sequence));

		if ((sequence & 1) == 0)
		{
			pg_read_barrier();
			return sequence;
		}
		/* the poller writes for less than a microsecond, unless it was stopped in the middle */
		if (++spins > SPINS_BEFORE_SLEEP)
		{
			CHECK_FOR_INTERRUPTS();
			pg_usleep(100);
		}
		SPIN_DELAY();
	}
}

static inline bool
read_done(const BoardCell *cell, uint32 sequence)
{
	pg_read_barrier();
	return pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &cell->sequence)) == sequence;
}

static inline bool
cell_has_key(const BoardCell *cell, SymbolKey key)
{
	return cell->key_lo == key.lo && cell->key_hi == key.hi && cell->key_len == key.len;
}

static inline uint32
entry_at(const uint32 *entries, uint32 i)
{
	return *(volatile const uint32 *) &entries[i];
}

static inline uint32
index_version(BoardIndex *index)
{
	uint32 version = pg_atomic_read_u32(&index->version);

	pg_read_barrier();
	return version;
}

/* A miss counts only if the table was whole all the while. */
static inline bool
index_stable(BoardIndex *index, uint32 version)
{
	pg_read_barrier();
	return (version & 1) == 0 && pg_atomic_read_u32(&index->version) == version;
}

static bool
slot_has_symbol(int slot, SymbolKey key, const char *symbol)
{
	uint32 sequence;
	bool same;

	do
	{
		sequence = read_begin(&cells[slot]);
		same = cell_has_key(&cells[slot], key) &&
			   (symbol_key_is_exact(key) || symbol_equal(symbol, key.len, slots[slot].quote.symbol,
														 strnlen(slots[slot].quote.symbol, SYMBOL_SIZE)));
	} while (!read_done(&cells[slot], sequence));
	return same;
}

static bool
slot_has_nameid(int slot, const char *nameid, size_t len)
{
	uint32 sequence;
	bool same;

	do
	{
		sequence = read_begin(&cells[slot]);
		same = len < QUOTE_NAMEID_SIZE && memcmp(slots[slot].quote.nameid, nameid, len) == 0 &&
			   slots[slot].quote.nameid[len] == '\0';
	} while (!read_done(&cells[slot], sequence));
	return same;
}

/* The place of a symbol's entry, or -1. */
static int64
find_symbol(SymbolKey key, const char *symbol)
{
	uint32 mask = board->index_size - 1;
	uint32 version;

	do
	{
		version = index_version(&board->by_symbol);
		for (uint32 i = symbol_key_hash(key) & mask;; i = (i + 1) & mask)
		{
			uint32 entry = entry_at(symbol_entries, i);

			if (entry == ENTRY_EMPTY)
				break;
			if (entry != ENTRY_TOMBSTONE && slot_has_symbol((int) entry - 1, key, symbol))
				return i;
		}
	} while (!index_stable(&board->by_symbol, version));
	return -1;
}

/* The place of a nameid's entry, or -1. */
static int64
find_nameid(const char *nameid, size_t len)
{
	uint32 mask = board->index_size - 1;
	SymbolKey key = symbol_key(nameid, len);
	uint32 version;

	do
	{
		version = index_version(&board->by_nameid);
		for (uint32 i = symbol_key_hash(key) & mask;; i = (i + 1) & mask)
		{
			uint32 entry = entry_at(nameid_entries, i);

			if (entry == ENTRY_EMPTY)
				break;
			if (entry != ENTRY_TOMBSTONE && slot_has_nameid((int) entry - 1, nameid, len))
				return i;
		}
	} while (!index_stable(&board->by_nameid, version));
	return -1;
}

static inline bool
names_coin(const char *symbol, size_t len)
{
	return len > 3 && (symbol[0] | 0x20) == 'i' && (symbol[1] | 0x20) == 'd' && symbol[2] == ':';
}

int
board_find_symbol(const char *symbol, size_t len)
{
	int64 at = len == 0 || len >= SYMBOL_SIZE ? -1 : find_symbol(symbol_key(symbol, len), symbol);

	return at < 0 ? BOARD_NO_SLOT : (int) entry_at(symbol_entries, (uint32) at) - 1;
}

int
board_find(const char *symbol, size_t len)
{
	int64 at;

	if (!names_coin(symbol, len))
		return board_find_symbol(symbol, len);
	at = find_nameid(symbol + 3, len - 3);
	return at < 0 ? BOARD_NO_SLOT : (int) entry_at(nameid_entries, (uint32) at) - 1;
}

/* Copy the price of a slot whose cell was found already. */
static Numeric
copy_price(int slot)
{
	char *price = palloc(BOARD_PRICE_SIZE);
	uint32 sequence;

	do
	{
		sequence = read_begin(&cells[slot]);
		memcpy(price, cells[slot].price, BOARD_PRICE_SIZE);
	} while (!read_done(&cells[slot], sequence));
	return (Numeric) price;
}

Numeric
board_price(const char *symbol, size_t len)
{
	uint32 mask = board->index_size - 1;
	SymbolKey key;
	int slot;

	/* the way of nearly every call: an exact key that is found, and all of it in one cache line */
	if (len > 0 && len <= SYMBOL_EXACT && !names_coin(symbol, len))
	{
		key = symbol_key(symbol, len);
		for (uint32 i = symbol_key_hash(key) & mask;; i = (i + 1) & mask)
		{
			uint32 entry = entry_at(symbol_entries, i);

			if (entry == ENTRY_EMPTY)
				break;
			if (entry != ENTRY_TOMBSTONE && cell_has_key(&cells[entry - 1], key))
				return copy_price((int) entry - 1);
		}
	}
	slot = board_find(symbol, len);
	return slot == BOARD_NO_SLOT ? NULL : copy_price(slot);
}

bool
board_read(int slot, BoardEntry *entry)
{
	BoardCell *cell = &cells[slot];
	uint32 sequence;

	if (slot < 0 || slot >= board_slots())
		return false;
	do
	{
		sequence = read_begin(cell);
		memcpy(&entry->quote, &slots[slot].quote, sizeof(Quote));
		entry->generation = cell->generation;
		entry->owns_symbol = cell->owns_symbol;
	} while (!read_done(cell, sequence));
	return entry->generation != 0;
}

int
board_slots(void)
{
	return (int) pg_atomic_read_u32(&board->slots);
}

BoardCounts
board_counts(void)
{
	return (BoardCounts){
		.coins = (int) pg_atomic_read_u32(&board->coins),
		.active = (int) pg_atomic_read_u32(&board->active),
		.refused = (int) pg_atomic_read_u32(&board->refused),
	};
}

bool
board_stale(const Quote *quote, int64 now_unix_us)
{
	return quote->restored || now_unix_us - quote->fetched_at > (int64) settings_ttl(quote->rank) * 1000000;
}

/*
 * Writing.  The poller is alone here, so what it reads of the board it reads plainly.
 */

static void
write_begin(BoardCell *cell)
{
	pg_atomic_write_u32(&cell->sequence, pg_atomic_read_u32(&cell->sequence) + 1);
	pg_write_barrier();
}

static void
write_end(BoardCell *cell)
{
	pg_write_barrier();
	pg_atomic_write_u32(&cell->sequence, pg_atomic_read_u32(&cell->sequence) + 1);
}

static void
index_insert(BoardIndex *index, uint32 *entries, SymbolKey key, int slot)
{
	uint32 mask = board->index_size - 1;
	uint32 i = symbol_key_hash(key) & mask;

	while (entries[i] != ENTRY_EMPTY && entries[i] != ENTRY_TOMBSTONE)
		i = (i + 1) & mask;
	if (entries[i] == ENTRY_EMPTY)
		index->filled++;
	pg_write_barrier();
	*(volatile uint32 *) &entries[i] = (uint32) slot + 1;
}

static SymbolKey
symbol_key_of(int slot)
{
	const char *symbol = slots[slot].quote.symbol;

	return symbol_key(symbol, strlen(symbol));
}

static SymbolKey
nameid_key_of(int slot)
{
	const char *nameid = slots[slot].quote.nameid;

	return symbol_key(nameid, strlen(nameid));
}

/* Fill a table anew, without tombstones, when they leave too little that is empty. */
static void
index_rebuild(BoardIndex *index, uint32 *entries)
{
	int n = board_slots();

	if (index->filled < board->index_size / 4 * 3)
		return;
	pg_atomic_write_u32(&index->version, pg_atomic_read_u32(&index->version) + 1);
	pg_write_barrier();
	memset(entries, 0, index_bytes());
	index->filled = 0;
	for (int slot = 0; slot < n; slot++)
	{
		if (index == &board->by_nameid)
			index_insert(index, entries, nameid_key_of(slot), slot);
		else if (cells[slot].owns_symbol)
			index_insert(index, entries, symbol_key_of(slot), slot);
	}
	pg_write_barrier();
	pg_atomic_write_u32(&index->version, pg_atomic_read_u32(&index->version) + 1);
}

static void
set_owner(int slot, bool owns)
{
	write_begin(&cells[slot]);
	cells[slot].owns_symbol = owns;
	write_end(&cells[slot]);
	slots[slot].rival_run = 0;
}

/* The slot that owns this slot's symbol, or BOARD_NO_SLOT. */
static int
owner_of_symbol(int slot)
{
	const char *symbol = slots[slot].quote.symbol;
	int64 at = find_symbol(symbol_key(symbol, strlen(symbol)), symbol);

	return at < 0 ? BOARD_NO_SLOT : (int) symbol_entries[at] - 1;
}

/* Give a symbol to one of its coins, from whoever has it. */
static void
take_symbol(int slot)
{
	SymbolKey key = symbol_key_of(slot);
	int64 at = find_symbol(key, slots[slot].quote.symbol);

	if (at < 0)
		index_insert(&board->by_symbol, symbol_entries, key, slot);
	else
	{
		set_owner((int) symbol_entries[at] - 1, false);
		*(volatile uint32 *) &symbol_entries[at] = (uint32) slot + 1;
	}
	set_owner(slot, true);
	index_rebuild(&board->by_symbol, symbol_entries);
}

/* Before a slot's symbol goes away: leave it to the best of its other coins. */
static void
release_symbol(int slot)
{
	int heir = BOARD_NO_SLOT;
	SymbolKey key = symbol_key_of(slot);
	int n = board_slots();

	if (!cells[slot].owns_symbol)
		return;
	for (int other = 0; other < n; other++)
		if (other != slot && slots[other].quote.rank > 0 &&
			slot_has_symbol(other, key, slots[slot].quote.symbol) &&
			(heir == BOARD_NO_SLOT || slots[other].quote.rank < slots[heir].quote.rank))
			heir = other;
	if (heir != BOARD_NO_SLOT)
		take_symbol(heir);
	else
	{
		int64 at = find_symbol(key, slots[slot].quote.symbol);

		set_owner(slot, false);
		if (at >= 0)
			*(volatile uint32 *) &symbol_entries[at] = ENTRY_TOMBSTONE;
	}
}

/*
 * A coin that does not own its symbol gets it when nobody does, and in the first sweep, when owners are only those that
 * happened to come first, when it ranks better.  Otherwise it waits as a rival: see rival_wins.
 */
static void
claim_symbol(int slot)
{
	int owner = owner_of_symbol(slot);

	if (owner == BOARD_NO_SLOT || slots[owner].quote.rank == 0 ||
		(!slots[owner].settled && slots[slot].quote.rank < slots[owner].quote.rank))
		take_symbol(slot);
}

/* The slot whose coin goes first when the board is full; BOARD_NO_SLOT when none is worse than rank. */
static int
find_victim(int rank)
{
	int victim = BOARD_NO_SLOT;
	int worst = 0;

	if (rank >= board->worst_rank)
		return BOARD_NO_SLOT;
	for (int slot = 0; slot < (int) board->max_coins; slot++)
	{
		int other = slots[slot].quote.rank == 0 ? PG_INT32_MAX : slots[slot].quote.rank;

		if (other > worst)
		{
			worst = other;
			victim = slot;
		}
	}
	board->worst_rank = worst;
	return rank < worst ? victim : BOARD_NO_SLOT;
}

static void
count(pg_atomic_uint32 *counter, bool before, bool after)
{
	if (before != after)
		pg_atomic_write_u32(counter, pg_atomic_read_u32(counter) + (after ? 1 : -1));
}

/* Store a quote in a slot, with its key and its numeric. */
static void
write_slot(int slot, const Quote *quote, bool new_coin)
{
	BoardCell *cell = &cells[slot];
	SymbolKey key = symbol_key(quote->symbol, strlen(quote->symbol));
	Quote *old = &slots[slot].quote;
	Numeric price;
	char bytes[BOARD_PRICE_SIZE] = {0};

	/* all that can fail is done before the sequence turns odd */
	price = int64_div_fast_to_numeric(quote->price.mantissa, quote->price.scale);
	if (VARSIZE(price) > BOARD_PRICE_SIZE)
		elog(ERROR, "a price of %u bytes does not fit the board", (unsigned) VARSIZE(price));
	memcpy(bytes, price, VARSIZE(price));
	pfree(price);

	count(&board->coins, cell->generation != 0 && old->rank > 0, quote->rank > 0);
	count(&board->active, cell->generation != 0 && quote_active(old), quote_active(quote));

	write_begin(cell);
	cell->key_lo = key.lo;
	cell->key_hi = key.hi;
	cell->key_len = key.len;
	memcpy(cell->price, bytes, BOARD_PRICE_SIZE);
	if (new_coin)
	{
		cell->generation++;
		cell->owns_symbol = false;
	}
	*old = *quote;
	write_end(cell);
}

/* A slot for a coin that is not on the board; BOARD_NO_SLOT when it must stay out. */
static int
make_room(const Quote *quote)
{
	int slot = board_slots();
	int64 at;

	if (slot < (int) board->max_coins)
	{
		memset(&cells[slot], 0, sizeof(BoardCell));
		pg_atomic_init_u32(&cells[slot].sequence, 0);
		memset(&slots[slot], 0, sizeof(BoardSlot));
		return slot;
	}
	slot = find_victim(quote->rank);
	if (slot == BOARD_NO_SLOT)
	{
		board->refused_now++;
		if (board->refused_now > pg_atomic_read_u32(&board->refused))
			pg_atomic_write_u32(&board->refused, board->refused_now);
		return BOARD_NO_SLOT;
	}
	release_symbol(slot);
	at = find_nameid(slots[slot].quote.nameid, strlen(slots[slot].quote.nameid));
	if (at >= 0)
		*(volatile uint32 *) &nameid_entries[at] = ENTRY_TOMBSTONE;
	return slot;
}

int
board_put(const Quote *quote, uint32 *flags)
{
	int64 at = find_nameid(quote->nameid, strlen(quote->nameid));
	int slot = at < 0 ? make_room(quote) : (int) nameid_entries[at] - 1;
	bool owned;

	*flags = 0;
	if (slot == BOARD_NO_SLOT)
		return BOARD_NO_SLOT;

	if (at < 0)
	{
		*flags = BOARD_CREATED | BOARD_CHANGED | BOARD_PRICE_CHANGED;
		write_slot(slot, quote, true);
		if (slot == board_slots())
			pg_atomic_write_u32(&board->slots, (uint32) slot + 1);
		index_insert(&board->by_nameid, nameid_entries, nameid_key_of(slot), slot);
		index_rebuild(&board->by_nameid, nameid_entries);
		slots[slot].settled = quote->restored;
		slots[slot].rival_run = 0;
	}
	else
	{
		const Quote *old = &slots[slot].quote;

		if (!quote_same(old, quote))
			*flags |= BOARD_CHANGED;
		if (!decimal_same(old->price, quote->price))
			*flags |= BOARD_PRICE_CHANGED;
		if (strcmp(old->symbol, quote->symbol) != 0)
			release_symbol(slot);
		write_slot(slot, quote, false);
	}
	slots[slot].last_sweep = board->sweep;
	owned = cells[slot].owns_symbol;
	if (!owned)
		claim_symbol(slot);
	if (cells[slot].owns_symbol != owned)
		*flags |= BOARD_CHANGED;
	return slot;
}

uint32
board_generation(int slot)
{
	return cells[slot].generation;
}

void
board_touch(int slot, int64 fetched_at)
{
	write_begin(&cells[slot]);
	slots[slot].quote.fetched_at = fetched_at;
	slots[slot].quote.restored = false;
	write_end(&cells[slot]);
	slots[slot].last_sweep = board->sweep;
}

/* Whether a rival has waited long enough for its symbol. */
static bool
rival_wins(int slot)
{
	BoardSlot *rival = &slots[slot];
	int owner = owner_of_symbol(slot);

	if (owner == slot || rival->quote.rank == 0 || rival->last_sweep != board->sweep)
		return false;
	if (owner == BOARD_NO_SLOT || slots[owner].quote.rank == 0)
		return true;
	if (rival->quote.rank >= slots[owner].quote.rank)
	{
		rival->rival_run = 0;
		return false;
	}
	rival->rival_run = rival->rival_sweep + 1 == board->sweep ? rival->rival_run + 1 : 1;
	rival->rival_sweep = board->sweep;
	return rival->rival_run >= SWEEPS_UNTIL_TAKEOVER;
}

void
board_end_sweep(void (*changed)(int slot))
{
	int n = board_slots();

	for (int slot = 0; slot < n; slot++)
	{
		slots[slot].settled = true;
		if (slots[slot].quote.rank > 0 && board->sweep - slots[slot].last_sweep >= SWEEPS_UNTIL_GONE)
		{
			Quote gone = slots[slot].quote;

			gone.rank = 0;
			write_slot(slot, &gone, false);
			changed(slot);
		}
	}
	for (int slot = 0; slot < n; slot++)
	{
		int owner;

		if (cells[slot].owns_symbol || !rival_wins(slot))
			continue;
		owner = owner_of_symbol(slot);
		ereport(LOG, errmsg("crypto_rt: the symbol %s passes from %s to %s", slots[slot].quote.symbol,
							owner == BOARD_NO_SLOT ? "nobody" : slots[owner].quote.nameid,
							slots[slot].quote.nameid));
		take_symbol(slot);
		if (owner != BOARD_NO_SLOT)
			changed(owner);
		changed(slot);
	}

	pg_atomic_write_u32(&board->refused, board->refused_now);
	board->refused_now = 0;
	board->worst_rank = PG_INT32_MAX;
	board->sweep++;
}
