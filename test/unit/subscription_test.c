/*
 * subscription_test.c
 *	  Who is sent which frame and when, by a clock and quotes that the test moves.
 */
#include "unit.h"

#include "loop.h"
#include "subscription.h"

#define SECOND LOOP_SECOND
#define COINS_MAX 2000
#define EPOCH 1795525233959

/*
 * The quotes, as quotes.c would have them.
 */

static HeldQuote *coins[COINS_MAX];
static int coin_count;
static uint64_t last_seq;
static uint64_t membership;
static int64_t now = SECOND;

uint64_t
quotes_seq(void)
{
	return last_seq;
}

uint64_t
quotes_membership(void)
{
	return membership;
}

int64_t
quotes_epoch(void)
{
	return EPOCH;
}

HeldQuote *const *
quotes_ranked(int *count)
{
	*count = coin_count;
	return coins;
}

HeldQuote *
quotes_find(const char *symbol, size_t len)
{
	bool by_id = len > 3 && strncmp(symbol, "id:", 3) == 0;

	for (int i = 0; i < coin_count; i++)
		if (by_id ? strlen(coins[i]->nameid) == len - 3 && memcmp(coins[i]->nameid, symbol + 3, len - 3) == 0
				  : symbol_equal(coins[i]->symbol, strlen(coins[i]->symbol), symbol, len))
			return coins[i];
	return NULL;
}

static void
set_json(HeldQuote *quote, const char *json)
{
	const char *price = strstr(json, "\"price\":");
	const char *change = strstr(json, "\"change_24h\":");

	blob_drop(quote->json);
	quote->json = blob_of(json, strlen(json));
	price += strlen("\"price\":");
	change += strlen("\"change_24h\":");
	quote->price = (Span){(uint16_t) (price - json), (uint16_t) strcspn(price, ",}")};
	quote->change_24h = (Span){(uint16_t) (change - json), (uint16_t) strcspn(change, ",}")};
}

static HeldQuote *
set_quote(const char *symbol, const char *nameid, const char *price, const char *change)
{
	HeldQuote *quote = quotes_find(symbol, strlen(symbol));
	char json[256];

	if (quote == NULL)
	{
		assert_true(coin_count < COINS_MAX);
		quote = coins[coin_count++] = memory_get(sizeof(HeldQuote));
		strcpy(quote->symbol, symbol);
		membership++;
	}
	strcpy(quote->nameid, nameid);
	snprintf(json, sizeof(json), "{\"symbol\":\"%s\",\"price\":%s,\"change_24h\":%s}", symbol, price, change);
	set_json(quote, json);
	quote->seq = ++last_seq;
	subscription_changed(quote);
	return quote;
}

static void
set(const char *symbol, const char *price)
{
	set_quote(symbol, "", price, "-0.98");
	subscription_settled();
}

static void
free_quote(HeldQuote *quote)
{
	subscription_removed(quote);
	blob_drop(quote->json);
	free(quote);
}

static void
remove_coin(const char *symbol)
{
	for (int i = 0; i < coin_count; i++)
		if (strcmp(coins[i]->symbol, symbol) == 0)
		{
			HeldQuote *quote = coins[i];

			coins[i] = coins[--coin_count];
			free_quote(quote);
			membership++;
			subscription_settled();
			return;
		}
	fail_msg("there is no %s", symbol);
}

static int
begin(void **state)
{
	(void) state;
	while (coin_count > 0)
		free_quote(coins[--coin_count]);
	now += 100 * SECOND;
	set("BTC", "77146.66");
	set("ETH", "2800.10");
	return 0;
}

static int
end(void **state)
{
	(void) state;
	assert_int_equal(subscription_count(), 0);
	while (coin_count > 0)
		free_quote(coins[--coin_count]);
	return 0;
}

/*
 * Clients.
 */

static Subscription *
join_fields(const char *list, bool full)
{
	StreamSymbols symbols;
	char err[160];

	assert_true(stream_query_symbols(list, &symbols, err, sizeof(err)));
	return subscription_join(&symbols, full);
}

static Subscription *
join(const char *list)
{
	return join_fields(list, false);
}

/* A list of n symbols, C0 and on. */
static Subscription *
join_many(int n)
{
	char *list = malloc((size_t) n * 8);
	char *to = list;
	Subscription *joined;

	for (int i = 0; i < n; i++)
		to += sprintf(to, "%sC%d", i > 0 ? "," : "", i);
	joined = join(list);
	free(list);
	return joined;
}

static void
set_many(int n)
{
	char symbol[16];

	for (int i = 0; i < n; i++)
	{
		snprintf(symbol, sizeof(symbol), "C%d", i);
		set_quote(symbol, "", "1", "0");
	}
	subscription_settled();
}

/* Do all that is due; returns the number of subscriptions that have a frame for their clients. */
static int
work(void)
{
	Subscription *due;
	int done = 0;
	int cost = 0;
	int given = 0;

	while (subscription_work(now, &due, &cost))
	{
		given += due != NULL;
		assert_in_range(++done, 1, 1000);
		assert_in_range(cost, done, 100000);
	}
	assert_true(subscription_next(now) > now);
	return given;
}

/* The data of a frame, in a buffer that the next call uses again; "" when there is none.  Drops the frame. */
static const char *
data_of(Blob *frame)
{
	static char data[65536];
	long long epoch = 0;
	unsigned long long seq = 0;
	int at = 0;

	if (frame == NULL)
		return "";
	assert_int_equal(sscanf(frame->bytes, "id: %lld-%llu\ndata: %n", &epoch, &seq, &at), 2);
	assert_int_equal(epoch, EPOCH);
	assert_in_range(seq, 1, last_seq);
	assert_true(at > 0 && frame->len < sizeof(data) && frame->len == strlen(frame->bytes));
	strcpy(data, frame->bytes + at);
	blob_drop(frame);
	at = (int) strlen(data);
	assert_true(at > 2 && strcmp(data + at - 2, "\n\n") == 0);
	data[at - 2] = '\0';
	assert_null(strpbrk(data, "\r\n"));
	return data;
}

static const char *
newest(Subscription *s, uint64_t *seq)
{
	return data_of(subscription_newest(s, seq));
}

static const char *
next(Subscription *s, uint64_t *seq)
{
	return data_of(subscription_frame(s, seq));
}

#define BTC_AT(price) "{\"BTC\":{\"price\":" price ",\"change\":-0.98}}"

/*
 * The tests.
 */

static void
those_who_want_the_same_share(void **state)
{
	Subscription *a = join("BTC,eth");
	Subscription *others[] = {join("eth,BTC"), join(" ETH, btc,BTC")};
	Subscription *different[] = {join("BTC"), join_fields("BTC,ETH", true), join("*"),
								 join_fields("*", true)};

	(void) state;
	assert_int_equal(subscription_count(), 5);
	for (size_t i = 0; i < UNIT_COUNT(others); i++)
	{
		assert_ptr_equal(others[i], a);
		subscription_leave(others[i]);
	}
	for (size_t i = 0; i < UNIT_COUNT(different); i++)
	{
		assert_ptr_not_equal(different[i], a);
		subscription_leave(different[i]);
	}
	assert_int_equal(subscription_count(), 1);
	subscription_leave(a);
	assert_int_equal(subscription_count(), 0);
	assert_null(coins[0]->subscriptions);
}

static void
begins_with_everything_digit_by_digit(void **state)
{
	Subscription *two = join("ETH,BTC");
	Subscription *all = join("*");
	uint64_t seq = 0;
	Blob *a;
	Blob *b;

	(void) state;
	set_quote("BTC", "bitcoin", "0.00000003540", "1.00");
	subscription_settled();
	assert_string_equal(newest(two, &seq), "{\"BTC\":{\"price\":0.00000003540,\"change\":1.00},"
										   "\"ETH\":{\"price\":2800.10,\"change\":-0.98}}");
	assert_true(seq == last_seq);
	seq = 0;
	assert_non_null(strstr(newest(all, &seq), "\"ETH\":{\"price\":2800.10,\"change\":-0.98}"));
	/* those who come to the same get the same bytes */
	seq = 0;
	a = subscription_newest(two, &seq);
	seq = 0;
	b = subscription_newest(two, &seq);
	assert_ptr_equal(a, b);
	blob_drop(a);
	blob_drop(b);
	subscription_leave(two);
	subscription_leave(all);
}

static void
fields_full_is_the_quote_in_one_line(void **state)
{
	Subscription *s = join_fields("BTC", true);
	HeldQuote *quote = quotes_find("BTC", 3);
	uint64_t seq = 0;

	(void) state;
	set_json(quote, "{\"symbol\":\"BTC\",\r\n\n\"price\":1,\"change_24h\":2}");
	assert_string_equal(newest(s, &seq), "{\"BTC\":{\"symbol\":\"BTC\",   \"price\":1,\"change_24h\":2}}");
	subscription_leave(s);
}

static void
a_change_goes_out_at_once_and_then_once_a_second(void **state)
{
	Subscription *s = join("BTC");
	uint64_t seq = 0;

	(void) state;
	newest(s, &seq);
	assert_int_equal(work(), 0);
	set("BTC", "1");
	assert_true(subscription_next(now) == now);
	assert_int_equal(work(), 1);
	assert_string_equal(next(s, &seq), BTC_AT("1"));
	assert_string_equal(next(s, &seq), "");

	now += SECOND / 4;
	set("BTC", "2");
	set("BTC", "3");
	assert_int_equal(work(), 0);
	assert_string_equal(next(s, &seq), "");
	assert_true(subscription_next(now) == now + 3 * SECOND / 4);
	now += 3 * SECOND / 4;
	assert_int_equal(work(), 1);
	assert_string_equal(next(s, &seq), BTC_AT("3"));

	/* after a second of rest it is at once again */
	now += SECOND;
	assert_int_equal(work(), 0);
	assert_true(subscription_next(now) == LOOP_NEVER);
	set("BTC", "4");
	assert_int_equal(work(), 1);
	assert_string_equal(next(s, &seq), BTC_AT("4"));
	subscription_leave(s);
}

static void
a_frame_holds_all_of_a_batch(void **state)
{
	Subscription *s = join("BTC,ETH");
	uint64_t seq = 0;

	(void) state;
	newest(s, &seq);
	set_quote("BTC", "", "1", "0");
	assert_int_equal(work(), 0);
	set_quote("ETH", "", "2", "0");
	subscription_settled();
	assert_int_equal(work(), 1);
	assert_string_equal(next(s, &seq),
						"{\"BTC\":{\"price\":1,\"change\":0},\"ETH\":{\"price\":2,\"change\":0}}");
	subscription_leave(s);
}

static void
others_coins_do_not_matter(void **state)
{
	Subscription *s = join("BTC");
	uint64_t seq = 0;

	(void) state;
	newest(s, &seq);
	set("ETH", "1");
	assert_int_equal(work(), 0);
	assert_string_equal(next(s, &seq), "");
	subscription_leave(s);
}

static void
what_was_in_the_beginning_does_not_come_again(void **state)
{
	Subscription *s = join("BTC");
	uint64_t seqs[3] = {0};

	(void) state;
	newest(s, &seqs[0]);
	set("BTC", "1");
	work();
	set("BTC", "2");
	newest(s, &seqs[1]); /* between two frames, and has the second one's already */
	set("ETH", "1");
	newest(s, &seqs[2]); /* as above, by the same bytes */
	now += SECOND;
	assert_int_equal(work(), 1);
	assert_string_equal(next(s, &seqs[0]), BTC_AT("2"));
	assert_string_equal(next(s, &seqs[1]), "");
	assert_string_equal(next(s, &seqs[2]), "");
	subscription_leave(s);
}

static void
short_lists_are_sent_whole_and_long_ones_by_change(void **state)
{
	Subscription *fifty;
	Subscription *more;
	Subscription *all;
	uint64_t seqs[3] = {0};

	(void) state;
	set_many(SUBSCRIPTION_WHOLE_MAX + 1);
	fifty = join_many(SUBSCRIPTION_WHOLE_MAX);
	more = join_many(SUBSCRIPTION_WHOLE_MAX + 1);
	all = join("*");
	newest(fifty, &seqs[0]);
	newest(more, &seqs[1]);
	newest(all, &seqs[2]);
	set("C7", "5");
	assert_int_equal(work(), 3);
	assert_non_null(strstr(next(fifty, &seqs[0]), "\"C8\":{\"price\":1,"));
	assert_string_equal(next(more, &seqs[1]), "{\"C7\":{\"price\":5,\"change\":-0.98}}");
	assert_string_equal(next(all, &seqs[2]), "{\"C7\":{\"price\":5,\"change\":-0.98}}");
	subscription_leave(fifty);
	subscription_leave(more);
	subscription_leave(all);
}

static void
who_lags_gets_the_newest_of_all_that_it_missed(void **state)
{
	Subscription *all = join("*");
	uint64_t quick = 0;
	uint64_t slow = 0;

	(void) state;
	newest(all, &quick);
	newest(all, &slow);
	set("BTC", "1");
	work();
	assert_string_equal(next(all, &quick), BTC_AT("1"));
	now += SECOND;
	set("ETH", "2");
	work();
	now += SECOND;
	set("BTC", "3");
	work();
	assert_string_equal(next(all, &slow), "{\"BTC\":{\"price\":3,\"change\":-0.98},"
										  "\"ETH\":{\"price\":2,\"change\":-0.98}}");
	assert_string_equal(next(all, &slow), "");
	assert_true(slow == last_seq);
	subscription_leave(all);
}

/* Clients behind by all kinds of lengths must not cost a rendering each. */
static void
many_who_lag_share(void **state)
{
	Subscription *all = join("*");
	Blob *frames[100] = {NULL};
	int different = 0;

	(void) state;
	for (int i = 0; i < 100; i++)
	{
		set(i % 2 == 0 ? "BTC" : "ETH", "1");
		work();
		now += SECOND;
	}
	for (int i = 0; i < 100; i++)
	{
		uint64_t seq = last_seq - 1 - (uint64_t) i;

		frames[i] = subscription_frame(all, &seq);
		assert_non_null(frames[i]);
		assert_true(seq == last_seq);
		different += i == 0 || frames[i] != frames[i - 1];
	}
	for (int i = 0; i < 100; i++)
		blob_drop(frames[i]);
	assert_in_range(different, 1, 7);
	subscription_leave(all);
}

static void
who_comes_back_gets_what_it_missed(void **state)
{
	Subscription *two = join("BTC,ETH");
	Subscription *all = join("*");
	uint64_t left_at = last_seq;
	uint64_t seq = left_at;

	(void) state;
	assert_string_equal(newest(two, &seq), "");
	assert_true(seq == left_at);
	assert_string_equal(newest(all, &seq), "");
	set("BTC", "1");
	seq = left_at;
	assert_string_equal(newest(two, &seq), "{\"BTC\":{\"price\":1,\"change\":-0.98},"
										   "\"ETH\":{\"price\":2800.10,\"change\":-0.98}}");
	seq = left_at;
	assert_string_equal(newest(all, &seq), BTC_AT("1"));
	assert_true(seq == last_seq);
	subscription_leave(two);
	subscription_leave(all);
}

static void
an_unknown_symbol_is_sent_once_it_exists(void **state)
{
	Subscription *s = join("NEW,BTC");
	Subscription *later = join("LATER");
	uint64_t seq = 0;
	uint64_t later_seq = 0;

	(void) state;
	assert_string_equal(newest(s, &seq), BTC_AT("77146.66"));
	assert_string_equal(newest(later, &later_seq), "");
	work();
	now += SECOND;
	set("NEW", "5");
	assert_int_equal(work(), 1);
	assert_string_equal(next(s, &seq), "{\"BTC\":{\"price\":77146.66,\"change\":-0.98},"
									   "\"NEW\":{\"price\":5,\"change\":-0.98}}");
	/* all look at most once a second */
	now += SECOND / 2;
	set("LATER", "6");
	assert_int_equal(work(), 0);
	assert_true(subscription_next(now) == now + SECOND / 2);
	now += SECOND / 2;
	assert_int_equal(work(), 1);
	assert_string_equal(next(later, &later_seq), "{\"LATER\":{\"price\":6,\"change\":-0.98}}");
	subscription_leave(s);
	subscription_leave(later);
}

/* A symbol that has come before a frame was made is in it, so that the frame's number can stand for it. */
static void
a_new_symbol_is_not_jumped_over(void **state)
{
	Subscription *s;
	uint64_t seq = 0;

	(void) state;
	set_many(59);
	s = join_many(60);
	newest(s, &seq);
	set("OTHER", "1"); /* all look for what they miss */
	work();
	now += SECOND / 10;
	set("C59", "9"); /* and do not so soon again */
	set("C0", "8");
	assert_int_equal(work(), 1);
	assert_string_equal(next(s, &seq), "{\"C0\":{\"price\":8,\"change\":-0.98},"
									   "\"C59\":{\"price\":9,\"change\":-0.98}}");
	now += 2 * SECOND;
	assert_int_equal(work(), 0);
	subscription_leave(s);
}

static void
begins_when_there_are_quotes(void **state)
{
	Subscription *lists[2];
	uint64_t seqs[2] = {0};

	(void) state;
	while (coin_count > 0)
		remove_coin(coins[0]->symbol);
	lists[0] = join("BTC,ETH");
	lists[1] = join("*");
	for (int i = 0; i < 2; i++)
		assert_string_equal(newest(lists[i], &seqs[i]), "");
	work();
	now += SECOND;
	set("BTC", "1");
	assert_int_equal(work(), 2);
	for (int i = 0; i < 2; i++)
	{
		assert_string_equal(next(lists[i], &seqs[i]), BTC_AT("1"));
		subscription_leave(lists[i]);
	}
}

static void
a_coin_that_goes_is_left_out_until_it_is_back(void **state)
{
	Subscription *s = join("BTC,ETH");
	uint64_t seq = 0;

	(void) state;
	newest(s, &seq);
	remove_coin("ETH");
	assert_int_equal(work(), 0);
	set("BTC", "1");
	work();
	assert_string_equal(next(s, &seq), BTC_AT("1"));
	now += SECOND;
	set("ETH", "2");
	assert_int_equal(work(), 1);
	assert_string_equal(next(s, &seq), "{\"BTC\":{\"price\":1,\"change\":-0.98},"
									   "\"ETH\":{\"price\":2,\"change\":-0.98}}");
	/* its clients leave while a coin is away */
	remove_coin("ETH");
	subscription_leave(s);
}

static void
an_id_follows_its_coin(void **state)
{
	Subscription *s;
	uint64_t seq = 0;

	(void) state;
	set_quote("BTC", "bitcoin", "1", "0");
	subscription_settled();
	s = join("id:bitcoin,BTC,id:nothing");
	assert_string_equal(newest(s, &seq), "{\"BTC\":{\"price\":1,\"change\":0}}");
	work();
	now += SECOND;
	/* the symbol becomes a rival's, and the coin has another */
	set_quote("BTC", "rival", "2", "0");
	set_quote("XBT", "bitcoin", "3", "0");
	subscription_settled();
	work();
	assert_string_equal(next(s, &seq),
						"{\"BTC\":{\"price\":2,\"change\":0},\"XBT\":{\"price\":3,\"change\":0}}");
	now += SECOND;
	set_quote("XBT", "bitcoin", "4", "0");
	subscription_settled();
	assert_int_equal(work(), 1);
	assert_string_equal(next(s, &seq),
						"{\"BTC\":{\"price\":2,\"change\":0},\"XBT\":{\"price\":4,\"change\":0}}");
	subscription_leave(s);
}

/* Chance, for an hour: whatever the clients do, the newest of what each has been sent is what there is. */
static void
nothing_is_ever_lost(void **state)
{
#define CLIENTS 12
#define CHANCE_COINS 70
	static const char *const lists[] = {"*", "C1,C2,C3", NULL};
	Subscription *joined[CLIENTS];
	uint64_t seqs[CLIENTS] = {0};
	int64_t known[CLIENTS][CHANCE_COINS] = {0};
	int64_t prices[CHANCE_COINS] = {0};
	char symbol[16];
	char price[32];

	(void) state;
	for (int i = 0; i < CLIENTS; i++)
		joined[i] = lists[i % 3] != NULL ? join(lists[i % 3]) : join_many(CHANCE_COINS);
	for (int64_t turn = 1; turn <= 20000; turn++)
	{
		bool last = turn > 19900;

		for (int n = last ? 0 : (int) unit_random(4); n > 0; n--)
		{
			int coin = (int) unit_random(CHANCE_COINS);

			snprintf(symbol, sizeof(symbol), "C%d", coin);
			snprintf(price, sizeof(price), "%lld", (long long) turn);
			prices[coin] = turn;
			if (unit_random(20) == 0 && quotes_find(symbol, strlen(symbol)) != NULL)
				remove_coin(symbol);
			set_quote(symbol, "", price, "0");
			subscription_settled();
		}
		now += (int64_t) unit_random(SECOND / 4);
		work();
		for (int i = 0; i < CLIENTS; i++)
		{
			const char *data;

			/* some read seldom, and now and then one comes anew from where it was */
			if (!last && unit_random(1 + (uint64_t) i * 3) != 0)
				continue;
			data = unit_random(10) == 0 ? newest(joined[i], &seqs[i]) : next(joined[i], &seqs[i]);
			for (int coin = 0; data[0] != '\0' && coin < CHANCE_COINS; coin++)
			{
				const char *at;

				snprintf(symbol, sizeof(symbol), "\"C%d\":", coin);
				if ((at = strstr(data, symbol)) != NULL)
					known[i][coin] = atoll(at + strlen(symbol) + strlen("{\"price\":"));
			}
		}
	}
	for (int i = 0; i < CLIENTS; i++)
	{
		for (int coin = 0; coin < CHANCE_COINS; coin++)
			if (i % 3 != 1 || (coin >= 1 && coin <= 3))
				assert_int_equal(known[i][coin], prices[coin]);
		subscription_leave(joined[i]);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(those_who_want_the_same_share),
		TEST(begins_with_everything_digit_by_digit),
		TEST(fields_full_is_the_quote_in_one_line),
		TEST(a_change_goes_out_at_once_and_then_once_a_second),
		TEST(a_frame_holds_all_of_a_batch),
		TEST(others_coins_do_not_matter),
		TEST(what_was_in_the_beginning_does_not_come_again),
		TEST(short_lists_are_sent_whole_and_long_ones_by_change),
		TEST(who_lags_gets_the_newest_of_all_that_it_missed),
		TEST(many_who_lag_share),
		TEST(who_comes_back_gets_what_it_missed),
		TEST(an_unknown_symbol_is_sent_once_it_exists),
		TEST(a_new_symbol_is_not_jumped_over),
		TEST(begins_when_there_are_quotes),
		TEST(a_coin_that_goes_is_left_out_until_it_is_back),
		TEST(an_id_follows_its_coin),
		TEST(nothing_is_ever_lost),
	};

	return UNIT_RUN(tests);
}
