/*
 * stream_query.h
 *	  What a client asks a stream for: which symbols, and from where on.
 */
#ifndef CRYPTO_RT_HTTP_STREAM_QUERY_H
#define CRYPTO_RT_HTTP_STREAM_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_SYMBOLS_MAX 1000
#define STREAM_SYMBOLS_DEFAULT "BTC,ETH,BNB,XRP,SOL,ADA,DOGE,MATIC,DOT,SHIB"
#define STREAM_SYMBOLS_ALL "*"

typedef struct StreamSymbols
{
	char *
		list; /* sorted, each once, ASCII in upper case, with commas between; "*": all of them; the caller frees */
	int count;  /* 0: all */
	bool by_id; /* some are id:<nameid> */
} StreamSymbols;

/*
 * Read a list of symbols with commas between; NULL and "" are the default, "*" is all.  White space around a symbol and
 * empty entries are passed over.  On failure returns false, with what was wrong and where in err.
 */
extern bool stream_query_symbols(const char *text, StreamSymbols *symbols, char *err, size_t errsize);

/* Read <epoch>-<seq>, as the id of a frame is written; false: it is something else. */
extern bool stream_query_id(const char *text, int64_t *epoch, uint64_t *seq);

#endif /* CRYPTO_RT_HTTP_STREAM_QUERY_H */
