/*
 * api.h
 *	  What CoinLore's own endpoints answer.
 *
 * Pages are kept as they were rendered until the market has changed.
 */
#ifndef COINLORE_SIM_API_H
#define COINLORE_SIM_API_H

#include <microhttpd.h>
#include <stdbool.h>

#include "answer.h"
#include "market.h"

#define API_PREFIX "/api/"
#define API_PAGE_MAX 100 /* rows; a larger limit silently gives this many */

typedef enum ApiEndpoint
{
	API_TICKERS,
	API_TICKER,
	API_GLOBAL,
	API_UNKNOWN
} ApiEndpoint;

typedef struct ApiQuery
{
	ApiEndpoint endpoint;
	int start;       /* of API_TICKERS */
	int limit;       /* of API_TICKERS, 1 to API_PAGE_MAX */
	const char *ids; /* of API_TICKER, NULL: none; lives as long as the connection's request */
	bool old_shape;  /* of API_TICKER */
} ApiQuery;

typedef struct Api Api;

extern Api *api_new(Market *market);
extern void api_free(Api *api);

/* What is asked for, with CoinLore's indulgence for values that are none. */
extern ApiQuery api_query(struct MHD_Connection *connection, const char *path);

/* To be dropped by the caller. */
extern Answer *api_answer(Api *api, const ApiQuery *query);

#endif /* COINLORE_SIM_API_H */
