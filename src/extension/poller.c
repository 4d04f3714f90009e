/*
 * poller.c
 *	  The worker that fetches CoinLore's pages and writes the board and the tick log.
 *
 * The schedule says which page is due, fetch.c fetches it, the core parses it.  One page is one step: its quotes
 * go to the board, its ticks to the log, and the publisher is woken.  A page with the same bytes as before is not
 * parsed: its coins' ages are renewed.
 *
 * Failures stay where they are.  A row that cannot be used costs that row, a bad page that page; refusals and silence slow all
 * polling down until an answer comes.  SQL is used once, before the first poll: see restore.c.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "../core/coinlore.h"
#include "../core/schedule.h"
#include "board.h"
#include "control.h"
#include "fetch.h"
#include "restore.h"
#include "settings.h"
#include "status.h"
#include "ticklog.h"
#include "worker.h"

#define REPORT_INTERVAL (10 * INT64CONST(1000000)) /* between reports of changing troubles */

/* What is remembered of a page from poll to poll. */
typedef struct PolledPage
{
	uint64 hash; /* of the body */
	size_t len;  /* of the body; 0: nothing to compare with */
	bool simulated;
	bool failing; /* its last poll brought nothing */
	bool stored;  /* it was since this process, or this installation, began */
	int nrejected;
	int n; /* its coins that are on the board */
	int slots[COINLORE_PAGE_ROWS];
	uint32 generations[COINLORE_PAGE_ROWS];
} PolledPage;

static Schedule schedule;
static PolledPage *pages[SCHEDULE_PAGES_MAX]; /* made when first polled */
static CoinlorePage parsed;

/* what the schedule was last configured by */
static TierList used_tiers;
static double used_rate;
static int used_max_rank;
static char used_url[1024];

/* the feed as a whole */
static FetchVerdict trouble = FETCH_OK;
static int64 trouble_reported;

static PolledPage *
page_of(int number)
{
	if (pages[number] == NULL)
		pages[number] = MemoryContextAllocZero(worker_memory(), sizeof(PolledPage));
	return pages[number];
}

/*
 * What a page brought.
 */

static void
fill_tick(Tick *tick, int slot, uint32 flags, const Quote *q)
{
	*tick = (Tick){
		.slot = slot,
		.generation = board_generation(slot),
		.flags = flags,
		.rank = q->rank,
		.time = q->fetched_at,
		.price = q->price,
		.volume_24h = q->volume_24h,
		.simulated = q->simulated,
	};
}

static void
log_page(Tick *ticks, int n)
{
	if (n == 0)
		return;
	ticks[n - 1].flags |= TICK_PAGE_END;
	ticklog_append(ticks, n);
	control_wake(WORKER_PUBLISHER);
}

/* The same bytes as before: true when that was enough. */
static bool
renew_page(PolledPage *page, int64 now)
{
	Tick ticks[COINLORE_PAGE_ROWS];
	BoardEntry entry;

	for (int i = 0; i < page->n; i++)
		if (board_generation(page->slots[i]) != page->generations[i])
			return false;
	for (int i = 0; i < page->n; i++)
	{
		board_touch(page->slots[i], now);
		if (!board_read(page->slots[i], &entry))
			return false;
		fill_tick(&ticks[i], page->slots[i], 0, &entry.quote);
	}
	log_page(ticks, page->n);
	status_add(STATUS_PAGES_UNCHANGED, 1);
	return true;
}

/* Whether a page brought this coin when it was polled last. */
static bool
page_holds(int number, const char *nameid)
{
	const PolledPage *page = number < SCHEDULE_PAGES_MAX ? pages[number] : NULL;
	BoardEntry entry;

	for (int i = 0; page != NULL && i < page->n; i++)
		if (board_read(page->slots[i], &entry) && entry.generation == page->generations[i] &&
			strcmp(entry.quote.nameid, nameid) == 0)
			return true;
	return false;
}

/* False when some of its coins found no room. */
static bool
store_page(int number, bool simulated, int64 now)
{
	PolledPage *page = page_of(number);
	static bool warned;
	Tick ticks[COINLORE_PAGE_ROWS];
	int n = 0;
	bool whole = true;

	for (int i = 0; i < parsed.nquotes; i++)
	{
		Quote *q = &parsed.quotes[i];
		int home = (q->rank - 1) / COINLORE_PAGE_ROWS;
		uint32 flags;
		int slot;

		if (settings_max_rank() > 0 && q->rank > settings_max_rank())
			continue;
		/* a row whose rank belongs to another page does not speak for a coin that stands there */
		if (home != number && page_holds(home, q->nameid))
			continue;
		q->fetched_at = now;
		q->simulated = simulated;
		slot = board_put(q, &flags);
		if (slot == BOARD_NO_SLOT)
		{
			if (!warned)
				ereport(
					WARNING,
					errmsg("crypto_rt: the board is full, so the coins that rank worst are left out"),
					errdetail("It has room for %d coins.", settings_max_coins()),
					errhint("Raise crypto_rt.max_coins, which takes a restart, or set crypto_rt.max_rank."));
			warned = true;
			whole = false;
			continue;
		}
		/* to those who follow the log, a coin's first tick begins its history: they may have missed the board's own */
		if (!page->stored)
			flags |= BOARD_CREATED;
		page->slots[n] = slot;
		page->generations[n] = board_generation(slot);
		fill_tick(&ticks[n++], slot, flags, q);
	}
	page->n = n;
	page->stored = true;
	log_page(ticks, n);
	return whole;
}

/* Coins that a sweep's end changed. */
static void
log_changed(int slot)
{
	BoardEntry entry;
	Tick tick;

	if (!board_read(slot, &entry))
		return;
	fill_tick(&tick, slot, BOARD_CHANGED, &entry.quote);
	log_page(&tick, 1);
}

static void
page_failed(int number, FetchVerdict verdict, const char *error)
{
	PolledPage *page = page_of(number);
	int64 now = worker_clock();

	status_add(STATUS_PAGES_FAILED, 1);
	schedule_finish(&schedule, number, false);
	page->failing = true;
	page->len = 0;

	if (trouble == verdict || (trouble != FETCH_OK && now - trouble_reported < REPORT_INTERVAL))
		return;
	trouble = verdict;
	trouble_reported = now;
	status_report(STATUS_FEED, "ranks from %d: %s", number * COINLORE_PAGE_ROWS + 1, error);
}

static bool
any_failing(void)
{
	for (int i = 0; i < schedule.npages; i++)
		if (pages[i] != NULL && pages[i]->failing)
			return true;
	return false;
}

static void
page_succeeded(int number)
{
	PolledPage *page = page_of(number);

	status_add(STATUS_PAGES_FETCHED, 1);
	page->failing = false;
	if (trouble != FETCH_OK && !any_failing())
	{
		trouble = FETCH_OK;
		status_ok(STATUS_FEED);
	}
	if (schedule_finish(&schedule, number, true))
	{
		board_end_sweep(log_changed);
		status_add(STATUS_SWEEPS, 1);
		status_set(STATUS_LAST_SWEEP, worker_now());
	}
}

static void
take_parsed(const FetchResult *result, uint64 hash, int64 now)
{
	PolledPage *page = page_of(result->page);

	if (parsed.nquotes == 0 &&
		result->page * COINLORE_PAGE_ROWS < Max(parsed.coins_num > 0 ? parsed.coins_num : schedule.coins, 1))
	{
		page_failed(result->page, FETCH_UNUSABLE,
					parsed.nrejected > 0 ? "no row of the page can be used" : "the page has no coins");
		return;
	}
	/* coins without room must be offered again, also when the page is the same the next time */
	page->len = store_page(result->page, result->simulated, now) ? result->len : 0;
	page->hash = hash;
	page->simulated = result->simulated;

	status_set(STATUS_SIMULATED, result->simulated);
	status_add(STATUS_ROWS_REJECTED, parsed.nrejected);
	if (parsed.nrejected != page->nrejected && parsed.nrejected > 0)
		ereport(LOG,
				errmsg("crypto_rt feed: %d rows of the page from rank %d cannot be used", parsed.nrejected,
					   result->page * COINLORE_PAGE_ROWS + 1),
				errdetail_internal("The first: %s", parsed.rejected_why));
	page->nrejected = parsed.nrejected;
	if (parsed.coins_num > 0)
		schedule_set_coins(&schedule, parsed.coins_num, worker_clock());
	page_succeeded(result->page);
}

static void
take_page(const FetchResult *result, int64 now)
{
	PolledPage *page = page_of(result->page);
	uint64 hash = hash_bytes_extended((const unsigned char *) result->body, (int) result->len, 0);
	char err[FETCH_ERROR_SIZE];

	if (page->len == result->len && page->hash == hash && page->simulated == result->simulated &&
		renew_page(page, now))
	{
		page_succeeded(result->page);
		return;
	}
	if (coinlore_parse(result->body, result->len, &parsed, err, sizeof(err)))
		take_parsed(result, hash, now);
	else
		page_failed(result->page, FETCH_UNUSABLE, err);
	coinlore_free(&parsed);
}

static void
take_result(const FetchResult *result)
{
	int64 now = worker_now();

	status_set(STATUS_LAST_POLL, now);
	if (result->verdict == FETCH_OK)
	{
		schedule_recover(&schedule);
		take_page(result, now);
		return;
	}
	if (result->verdict == FETCH_REFUSED || result->verdict == FETCH_UNREACHABLE)
		schedule_throttle(&schedule, result->retry_after, worker_clock());
	page_failed(result->page, result->verdict, result->error);
}

/*
 * The loop.
 */

/* Take every page for a changed one when it comes next; and for a new one, when the tables are new. */
static void
forget_pages(bool anew)
{
	for (int i = 0; i < SCHEDULE_PAGES_MAX; i++)
	{
		if (pages[i] == NULL)
			continue;
		pages[i]->len = 0;
		if (anew)
			pages[i]->stored = false;
	}
}

static bool
same_tier(const TierList *a, const TierList *b, int n)
{
	return n <= a->count && n <= b->count && tier_first_rank(a, n) == tier_first_rank(b, n) &&
		   memcmp(tier_get(a, n), tier_get(b, n), sizeof(Tier)) == 0;
}

/* Begin anew to count and to measure where a tier's number stands for other ranks or another interval now. */
static void
forget_tiers(const TierList *tiers)
{
	for (int n = 1; n <= TIER_MAX; n++)
	{
		if (same_tier(&used_tiers, tiers, n))
			continue;
		schedule.tiers[n - 1] = (ScheduleTier){0};
		for (int i = 0; i < schedule.npages; i++)
			if (schedule.pages[i].tier == n)
				schedule.pages[i].started = 0;
	}
}

/* Take changed settings over. */
static void
configure(bool first)
{
	const TierList *tiers = settings_tiers();

	if (first)
		schedule_init(&schedule, tiers, settings_max_requests_per_second(), settings_max_rank(),
					  worker_clock());
	else if (memcmp(&used_tiers, tiers, sizeof(used_tiers)) != 0 ||
			 used_rate != settings_max_requests_per_second() || used_max_rank != settings_max_rank())
	{
		forget_tiers(tiers);
		schedule_configure(&schedule, tiers, settings_max_requests_per_second(), settings_max_rank(),
						   worker_clock());
	}
	forget_pages(false); /* other coins of the same bytes may be wanted now */
	used_tiers = *tiers;
	used_rate = settings_max_requests_per_second();
	used_max_rank = settings_max_rank();
	strlcpy(used_url, settings_source_url(), sizeof(used_url));
}

/* Put everything off by the time that polling was paused. */
static bool
polling(void)
{
	static int64 paused_at;
	int64 now = worker_clock();

	if (control_paused())
	{
		if (paused_at == 0)
			paused_at = now;
		return false;
	}
	if (paused_at != 0)
		schedule_put_off(&schedule, now - paused_at);
	paused_at = 0;
	return true;
}

/* Start what is due.  Returns how long nothing else will be, in milliseconds. */
static long
start_due(void)
{
	int page;
	int64 wait;

	if (!polling())
		return -1;
	while ((page = control_take_page()) >= 0)
		schedule_ask(&schedule, page, worker_clock());
	while (fetch_in_flight() < FETCH_MAX && (page = schedule_next(&schedule, worker_clock())) >= 0)
		fetch_start(page, used_url);
	if (fetch_in_flight() == FETCH_MAX)
		return -1;
	wait = schedule_wait(&schedule, worker_clock());
	return wait == SCHEDULE_NEVER ? -1 : (long) ((wait + 999) / 1000);
}

static long
shorter(long a, long b)
{
	if (a < 0 || b < 0)
		return Max(a, b);
	return Min(a, b);
}

void
crypto_rt_poller_main(Datum arg)
{
	uint32 installation = control_installation();
	long wait;

	worker_begin(WORKER_POLLER, DatumGetObjectId(arg));
	status_ok(STATUS_FEED);
	restore_board();
	fetch_init();
	configure(true);
	do
	{
		FetchResult result;

		if (worker_reloaded())
			configure(false);
		if (installation != control_installation())
			forget_pages(true);
		installation = control_installation();
		fetch_run();
		while (fetch_next(&result))
		{
			take_result(&result);
			CHECK_FOR_INTERRUPTS();
		}
		wait = start_due();
		status_set(STATUS_REQUEST_RATE, (int64) (schedule.rate * 1000));
		status_set_tiers(&schedule);
	} while (worker_turn(shorter(wait, fetch_wait()), fetch_descriptor(), WL_SOCKET_READABLE));
	proc_exit(0);
}
