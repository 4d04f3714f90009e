/*
 * answer.h
 *	  A whole answer, ready to be sent any number of times, plain or packed.
 *
 * Answers are shared by counting: whoever keeps one beyond the call that gave it to him shares it
 * and drops it.  The bytes live until the last connection that sends them is done.
 */
#ifndef COINLORE_SIM_ANSWER_H
#define COINLORE_SIM_ANSWER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "text.h"

#define ANSWER_JSON "application/json"
#define ANSWER_HTML "text/html; charset=UTF-8"
#define ANSWER_TEXT "text/plain; charset=utf-8"

typedef struct Answer
{
	unsigned status;
	char *type;
	const char *body; /* a NUL follows it */
	size_t len;
	bool simulated;     /* marked as such */
	char *retry_after;  /* NULL: no such header */
	char *location;     /* NULL: no such header */
	char *first_nameid; /* of a page: what its first row says; NULL: nothing */
	char *first_price;

	/* answer.c's own */
	int sharers;
	struct MHD_Response *plain;
	struct MHD_Response *packed;
} Answer;

/* Takes the bytes of body and leaves it empty. */
extern Answer *answer_new(unsigned status, const char *type, Text *body);

/* {"error": what the format says}. */
extern Answer *answer_error(unsigned status, const char *format, ...) __attribute__((format(printf, 2, 3)));

extern Answer *answer_share(Answer *answer);
extern void answer_drop(Answer *answer); /* NULL is nothing to drop */

/* Fill first_nameid and first_price from a body that somebody else wrote. */
extern void answer_read_first_row(Answer *answer);

/* Queue it on a connection, packed if that one accepts gzip. */
extern enum MHD_Result answer_send(Answer *answer, struct MHD_Connection *connection);

/* Give a response CoinLore's headers. */
extern void answer_headers(struct MHD_Response *response, const char *type, bool simulated);

extern bool answer_accepts_gzip(struct MHD_Connection *connection);

#endif /* COINLORE_SIM_ANSWER_H */
