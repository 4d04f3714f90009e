/*
 * prices.c
 *	  See prices.h.
 *
 * Replies are kept: the reply with one quote on the quote itself, all others in a small table by what was asked for.  A
 * kept reply is good for a second, and longer as long as no quote has changed; what tells is the version of the quotes.
 */
#include "prices.h"

#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "body.h"
#include "feed.h"
#include "loop.h"
#include "memory.h"
#include "quotes.h"
#include "ranked.h"
#include "text.h"

#define PAGE_QUOTES 100
#define LISTED_MAX 1000    /* symbols in ?symbols= */
#define WORTH_PACKING 1024 /* bytes */
#define INTERVAL_BEST 5    /* seconds; until the best quote says otherwise */
#define INTERVAL_PAGE 60   /* for a page without quotes */

#define SHOWN_MAX 2048 /* quotes that have a reply at the same time */
#define KEPT_MAX 32    /* other replies */
#define KEPT_BYTES ((size_t) 24 << 20)
#define KEPT_FOR LOOP_SECOND

typedef enum Kind
{
	KIND_BEST,   /* the best ranked; number is the limit, 0: all */
	KIND_LISTED, /* those in list; number is the limit, 0: all */
	KIND_PAGE    /* number is the page */
} Kind;

typedef struct Wanted
{
	Kind kind;
	int64_t number;
	const char *list;
	bool gzip; /* the client takes it */
} Wanted;

/* A reply that is kept. */
typedef struct Kept
{
	char *key; /* what was asked for; NULL: this place is free */
	uint64_t version;
	int64_t made;
	int64_t used;
	bool best; /* rendering it again would make it no smaller */
	ReplyKept reply;
} Kept;

static HeldQuote *shown[SHOWN_MAX];
static int next_shown;

static Kept kept_replies[KEPT_MAX];
static size_t kept_bytes;

static uint64_t last_list;

/*
 * One quote.
 */

static void
drop_response(HeldQuote *quote)
{
	if (quote->response == NULL)
		return;
	MHD_destroy_response(quote->response);
	quote->response = NULL;
	shown[quote->response_slot] = NULL;
}

/* Put a quote's response in its place, and the oldest of all out of it. */
static void
keep_response(HeldQuote *quote, struct MHD_Response *response)
{
	if (shown[next_shown] != NULL)
		drop_response(shown[next_shown]);
	shown[next_shown] = quote;
	quote->response = response;
	quote->response_slot = next_shown;
	next_shown = (next_shown + 1) % SHOWN_MAX;
}

/* Its tag is made of its bytes alone, so that all daemons behind one name, and a restarted one, agree. */
static struct MHD_Response *
make_quote_response(const HeldQuote *quote, int64_t age)
{
	struct MHD_Response *response = reply_of_blob(quote->json);
	uLong crc = crc32(0, (const Bytef *) quote->json->bytes, (uInt) quote->json->len);

	reply_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	reply_header(response, MHD_HTTP_HEADER_ETAG, "\"%" PRIx64 "-%08lx\"", (uint64_t) quote->updated_at / 1000,
				 crc);
	reply_max_age(response, quote->interval);
	reply_header(response, "X-Data-Age", "%" PRId64, age);
	reply_header(response, "X-Data-Status", "%s", quotes_stale(quote) ? "stale" : "fresh");
	reply_header(response, "X-Data-Source", "%s", quote->simulated ? "simulated" : "coinlore");
	return response;
}

static struct MHD_Response *
quote_response(HeldQuote *quote)
{
	int64_t age = quotes_age(quote);
	struct MHD_Response *response;

	if (quote->response != NULL && quote->response_version == quote->version && quote->response_age == age)
		return quote->response;
	drop_response(quote);
	response = make_quote_response(quote, age);
	reply_share(response);
	keep_response(quote, response);
	quote->response_version = quote->version;
	quote->response_age = age;
	return response;
}

/* Whether there is nothing to answer with: no quotes, and no source that could know of any. */
static bool
without_quotes(void)
{
	return quotes_count(0) == 0 && feed_current() == NULL;
}

static enum MHD_Result
reply_without_quotes(Request *request)
{
	return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, "no prices have arrived yet");
}

enum MHD_Result
prices_one(Request *request)
{
	HeldQuote *quote = quotes_find(request->symbol, request->symbol_len);
	struct MHD_Response *response;
	bool same;

	if (quote == NULL)
		return without_quotes() ? reply_without_quotes(request)
								: reply_unknown_coin(request, "Real-time price");
	response =
		reply_sharable(request) ? quote_response(quote) : make_quote_response(quote, quotes_age(quote));
	same = reply_not_modified(request, MHD_get_response_header(response, MHD_HTTP_HEADER_ETAG));
	if (response == quote->response)
		return reply_shared(request, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response,
							same ? 0 : quote->json->len);
	return reply_response(request, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}

/*
 * Lists of quotes.
 */

static void
write_now(Text *text)
{
	char now[QUOTE_TIME_SIZE];
	size_t len = quote_time(loop_unix(), now);

	text_add(text, now, len);
}

static int32_t
best_interval(void)
{
	int count;
	HeldQuote *const *quotes = quotes_ranked(&count);

	return count > 0 ? quotes[0]->interval : INTERVAL_BEST;
}

static void
write_list_ends(Body *body, int count)
{
	text_string(&body->head, "{\"timestamp\":\"");
	write_now(&body->head);
	text_format(&body->head, "\",\"count\":%d,\"prices\":{", count);
	text_string(&body->tail, "}}");
}

static void
compose_best(Body *body, int64_t limit, bool gzip, BodyPiece *rest)
{
	int total = quotes_count(0);
	int count = limit > 0 && limit < total ? (int) limit : total;

	write_list_ends(body, count);
	ranked_add(body, count, gzip, rest);
}

/* Those that a list names, each once, in its order; unknown ones are left out. */
static void
compose_listed(Body *body, const char *list, int64_t limit, BodyPiece *rest)
{
	Text text = {0};
	int count = 0;

	last_list++;
	while (*list != '\0' && (limit == 0 || count < limit))
	{
		size_t len = strcspn(list += strspn(list, " "), ",");
		HeldQuote *quote = quotes_find(list, len);

		list += len + (list[len] == ',');
		if (quote == NULL || quote->listed == last_list)
			continue;
		quote->listed = last_list;
		if (count++ > 0)
			text_add(&text, ",", 1);
		ranked_write(&text, quote);
	}
	write_list_ends(body, count);
	body_piece_set(rest, &text);
	body_add(body, rest);
}

/*
 * A page of the table of coins, whose numbers are strings for the sake of the programs that read it.
 */

static Decimal
read_span(const HeldQuote *quote, Span span)
{
	Decimal d;

	decimal_parse(quote->json->bytes + span.at, span.len, &d);
	return d;
}

/* By how much the price has changed when it has changed by so many per cent, to the price's own last digit. */
static Decimal
price_change(Decimal price, Decimal percent)
{
	Decimal change = {.mantissa = 0, .scale = price.scale, .known = true};
	__int128 hundred = 100;
	__int128 was;
	__int128 amount;

	for (; percent.scale > 15; percent.scale--)
		percent.mantissa /= 10;
	for (; percent.scale < 0 && llabs(percent.mantissa) < INT64_C(100000000000000000); percent.scale++)
		percent.mantissa *= 10;
	for (int i = 0; i < percent.scale; i++)
		hundred *= 10;
	was = hundred + percent.mantissa; /* in the unit in which the price is 100 per cent now is percent more */
	if (!percent.known || percent.scale < 0 || was <= 0)
		return change;
	amount = (__int128) price.mantissa * percent.mantissa;
	amount = (amount + (amount < 0 ? -was / 2 : was / 2)) / was;
	if (amount > -INT64_C(1000000000000000000) && amount < INT64_C(1000000000000000000))
		change.mantissa = (int64_t) amount;
	return change;
}

static void
write_decimal(Text *text, const char *label, Decimal d)
{
	char digits[DECIMAL_TEXT_SIZE];
	size_t len = decimal_print(d, digits);

	text_string(text, label);
	text_add(text, digits, len);
}

/* A number as it is held, or what stands for an unknown one. */
static void
write_span(Text *text, const char *label, const HeldQuote *quote, Span span, const char *unknown)
{
	text_string(text, label);
	if (span.len > 0)
		text_add(text, quote->json->bytes + span.at, span.len);
	else
		text_string(text, unknown);
}

/* High and low are of now and of 24 hours ago, all that a quote knows, until there are candles to ask. */
static void
write_row(Text *text, const HeldQuote *quote)
{
	Decimal price = read_span(quote, quote->price);
	Decimal change = price_change(price, read_span(quote, quote->change_24h));
	Decimal before = price;

	before.mantissa -= change.mantissa;
	text_string(text, "{\"symbol\":");
	text_json(text, quote->symbol, strlen(quote->symbol));
	write_span(text, ",\"price\":\"", quote, quote->price, "0");
	write_decimal(text, "\",\"change\":\"", change);
	write_span(text, "\",\"changePercent\":\"", quote, quote->change_24h, "0");
	write_span(text, "\",\"volume\":", quote, quote->volume_24h, "null");
	write_decimal(text, ",\"high\":\"", change.mantissa < 0 ? before : price);
	write_decimal(text, "\",\"low\":\"", change.mantissa < 0 ? price : before);
	write_span(text, "\",\"timestamp\":\"", quote, quote->last_updated, "");
	if (quote->rank > 0)
		text_format(text, "\",\"market_cap_rank\":%d}", quote->rank);
	else
		text_string(text, "\",\"market_cap_rank\":null}");
}

/* Returns for how long it is good, in seconds. */
static int32_t
compose_page(Body *body, int64_t page, BodyPiece *rest)
{
	int total;
	HeldQuote *const *quotes = quotes_ranked(&total);
	int64_t from = (page - 1) * PAGE_QUOTES;
	Text text = {0};

	text_string(&body->head, "{\"data\":[");
	for (int64_t i = from; i < total && i < from + PAGE_QUOTES; i++)
	{
		if (i > from)
			text_add(&text, ",", 1);
		write_row(&text, quotes[i]);
	}
	body_piece_set(rest, &text);
	body_add(body, rest);
	text_format(&body->tail,
				"],\"meta\":{\"page\":%" PRId64
				",\"perPage\":%d,\"total\":%d,\"totalPages\":%d,\"timestamp\":\"",
				page, PAGE_QUOTES, total, (total + PAGE_QUOTES - 1) / PAGE_QUOTES);
	write_now(&body->tail);
	text_format(&body->tail, "\",\"source\":\"%s\"}}",
				total > 0 && quotes[0]->simulated ? "simulated" : "coinlore");
	return from < total ? quotes[from]->interval : INTERVAL_PAGE;
}

/*
 * Replies that are kept.
 */

static void
drop_kept(Kept *kept)
{
	if (kept->key == NULL)
		return;
	kept_bytes -= kept->reply.blob->len;
	reply_kept_free(&kept->reply);
	free(kept->key);
	*kept = (Kept){0};
}

static void
write_key(Text *key, const Wanted *wanted)
{
	text_format(key, "%d %d %" PRId64 " ", wanted->kind, wanted->gzip, wanted->number);
	if (wanted->list != NULL)
		text_string(key, wanted->list);
}

static Kept *
find_kept(const char *key)
{
	for (int i = 0; i < KEPT_MAX; i++)
		if (kept_replies[i].key != NULL && strcmp(kept_replies[i].key, key) == 0)
			return &kept_replies[i];
	return NULL;
}

static bool
still_good(const Kept *kept, Kind kind)
{
	if (loop_now() - kept->made < KEPT_FOR)
		return true;
	return (kind == KIND_BEST || kind == KIND_LISTED) && kept->version == quotes_version() && kept->best;
}

/* A free place, if need be that of what was not asked for the longest. */
static Kept *
make_place(size_t len)
{
	for (;;)
	{
		Kept *place = NULL;
		Kept *oldest = NULL;

		for (int i = 0; i < KEPT_MAX; i++)
		{
			Kept *kept = &kept_replies[i];

			if (kept->key == NULL)
				place = kept;
			else if (oldest == NULL || kept->used < oldest->used)
				oldest = kept;
		}
		if (oldest == NULL || (place != NULL && kept_bytes + len <= KEPT_BYTES))
			return place;
		drop_kept(oldest);
	}
}

/* Render what is wanted; *made gets the bytes and what goes with them.  false: there is no room for it. */
static bool
render(const Wanted *wanted, Kept *made)
{
	Body body = {0};
	BodyPiece rest = {0};
	ReplyKept *reply = &made->reply;

	reply->max_age = best_interval();
	switch (wanted->kind)
	{
		case KIND_BEST:
			compose_best(&body, wanted->number, wanted->gzip, &rest);
			break;
		case KIND_LISTED:
			compose_listed(&body, wanted->list, wanted->number, &rest);
			break;
		case KIND_PAGE:
			reply->max_age = compose_page(&body, wanted->number, &rest);
			break;
	}
	reply->packed = wanted->gzip && body.count > 0 && body_len(&body) >= WORTH_PACKING;
	reply->blob = body_blob(&body, reply->packed);
	made->best = !reply->packed || body_is_packed(&body);
	made->version = quotes_version();
	made->made = loop_now();
	snprintf(reply->etag, sizeof(reply->etag), "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "%s\"",
			 (uint64_t) quotes_epoch(), made->version, (uint64_t) loop_unix() / 1000,
			 reply->packed ? "-gz" : "");
	body_free(&body);
	body_piece_free(&rest);
	return reply->blob != NULL;
}

/* The reply to what is wanted: kept, or new.  NULL: there is no room for it. */
static Kept *
get_kept(const Wanted *wanted)
{
	Text key = {0};
	Kept made = {0};
	Kept *kept;

	write_key(&key, wanted);
	kept = find_kept(key.bytes);
	if ((kept == NULL || !still_good(kept, wanted->kind)) && render(wanted, &made))
	{
		if (kept != NULL)
			drop_kept(kept);
		kept = make_place(made.reply.blob->len);
		kept_bytes += made.reply.blob->len;
		*kept = made;
		kept->key = memory_dup(key.bytes);
	}
	text_free(&key);
	if (kept != NULL)
		kept->used = loop_now();
	return kept;
}

static enum MHD_Result
reply_wanted(Request *request, const Wanted *wanted)
{
	Kept *kept = get_kept(wanted);

	if (kept == NULL)
		return reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
						   "too much is being sent to slow clients already");
	return reply_kept(request, &kept->reply);
}

static int
count_listed(const char *list)
{
	int count = 1;

	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

enum MHD_Result
prices_many(Request *request)
{
	Wanted wanted = {.kind = KIND_BEST, .gzip = request->gzip};

	if (!request_number(request, "limit", 1, INT32_MAX, 0, &wanted.number))
		return reply_error(request, MHD_HTTP_BAD_REQUEST, NULL, "limit must be a whole number from 1");
	if (without_quotes())
		return reply_without_quotes(request);
	if (wanted.number >= quotes_count(0))
		wanted.number = 0;
	wanted.list = request_argument(request, "symbols");
	if (wanted.list != NULL)
	{
		wanted.kind = KIND_LISTED;
		if (count_listed(wanted.list) > LISTED_MAX)
			return reply_error(request, MHD_HTTP_BAD_REQUEST, NULL, "there are more than %d symbols",
							   LISTED_MAX);
	}
	return reply_wanted(request, &wanted);
}

enum MHD_Result
prices_page(Request *request)
{
	Wanted wanted = {.kind = KIND_PAGE, .gzip = request->gzip};

	if (!request_number(request, "page", 1, INT32_MAX, 1, &wanted.number))
		return reply_error(request, MHD_HTTP_BAD_REQUEST, NULL, "page must be a whole number from 1");
	if (without_quotes())
		return reply_without_quotes(request);
	return reply_wanted(request, &wanted);
}

void
prices_init(void)
{
	static const QuotesListener listener = {
		.changed = drop_response,
		.removed = drop_response,
		.settled = body_sweep,
	};

	quotes_listen(&listener);
}
