/*
 * coinlore.h
 *	  CoinLore's answers: a body to quotes.
 *
 * What CoinLore sends is odd at times: numbers as strings, "", null or missing; "0?" for the price
 * of a dead coin; exponents; 28 digits.  A row that cannot be used costs that row, never its page.
 */
#ifndef CRYPTO_RT_COINLORE_H
#define CRYPTO_RT_COINLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quote.h"

#define COINLORE_PAGE_ROWS 100 /* CoinLore sends no more, whatever limit= says */
#define COINLORE_RANK_MAX 10000000

typedef struct CoinlorePage
{
	int nquotes;
	int nrejected;          /* rows that could not be used */
	char rejected_why[192]; /* of the first such row */
	int coins_num;          /* coins in all; -1 when the page does not say */
	int64_t time;           /* unix seconds of CoinLore's data; 0 when the page does not say */
	Quote quotes[COINLORE_PAGE_ROWS];
	struct json_object *document; /* coinlore.c's; see coinlore_free */
} CoinlorePage;

/*
 * Read the body of /api/tickers/ (an object with "data" and "info") or of /api/ticker/ (a bare
 * array).  Fills *page; the quotes lack fetched_at and simulated, which the body does not know.
 * An empty or null "data" is a page with no quotes.  On a body that is none of these, returns
 * false with what was wrong and where in err.  Either way the document is kept until coinlore_free.
 */
extern bool coinlore_parse(const char *body, size_t len, CoinlorePage *page, char *err, size_t errsize);

/*
 * Free the document behind a page; its quotes stay.  Apart from the parsing because it takes a quarter of the time, which the
 * quotes need not wait for.
 */
extern void coinlore_free(CoinlorePage *page);

#endif /* CRYPTO_RT_COINLORE_H */
