/*
 * faults.h
 *	  What goes wrong, on demand.
 *
 * The administrator sets faults up; each request to the API looks for the first that is meant for
 * it.  Those that are a matter of the body alone are made here (faults_answer, faults_response);
 * those of time and of the connection are the server's to carry out.
 */
#ifndef COINLORE_SIM_FAULTS_H
#define COINLORE_SIM_FAULTS_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "text.h"

#define FAULTS_MAX 64
#define FAULT_ANY_START (-1)
#define FAULT_FOR_EVER (-1)
#define FAULT_RETRY_AFTER_SIZE 128

typedef enum FaultMode
{
	FAULT_LATENCY,
	FAULT_HANG,
	FAULT_STATUS,
	FAULT_TRUNCATE,
	FAULT_CUT_JSON,
	FAULT_BAD_JSON,
	FAULT_WRONG_TYPE,
	FAULT_EMPTY,
	FAULT_NULL_DATA,
	FAULT_NO_BODY,
	FAULT_DRIP,
	FAULT_RESET,
	FAULT_HUGE,
	FAULT_GZIP_BOMB,
	FAULT_ABSURD,
	FAULT_REDIRECT,
	FAULT_REDIRECT_SAME,
	FAULT_MODES
} FaultMode;

typedef struct Fault
{
	FaultMode mode;
	int start;                                /* of the page it is for, FAULT_ANY_START: of everything */
	double share;                             /* of the requests it hits, above 0 to 1 */
	long count;                               /* of requests it still hits, FAULT_FOR_EVER: of all */
	int ms;                                   /* of FAULT_LATENCY; of FAULT_DRIP between two bytes */
	unsigned status;                          /* of FAULT_STATUS */
	char retry_after[FAULT_RETRY_AFTER_SIZE]; /* "": no such header */
	uint64_t hits;
} Fault;

typedef struct Faults
{
	Fault faults[FAULTS_MAX];
	int count;
	uint64_t dice;
} Faults;

/* NULL: no such mode. */
extern const char *fault_name(FaultMode mode);
extern bool fault_mode(const char *name, FaultMode *mode);

/* All names, with commas between them. */
extern void fault_names(Text *text);

/* Behind those that are there; false: there are FAULTS_MAX. */
extern bool faults_add(Faults *faults, const Fault *fault);

/* Those of one mode; FAULT_MODES: all.  Returns how many there were. */
extern int faults_remove(Faults *faults, FaultMode mode);

/*
 * The fault that hits a request, if one does.  start: of a page of tickers, FAULT_ANY_START for
 * other requests; redirectable: the path is one that FAULT_REDIRECT_SAME can spell differently.
 */
extern bool faults_hit(Faults *faults, int start, bool redirectable, Fault *hit);

/* A JSON array of those that stand. */
extern void faults_json(const Faults *faults, Text *text);

/* Whether the mode spoils the answer that would have been given, so that this has to be there first. */
extern bool fault_needs_answer(FaultMode mode);

/*
 * The answer of a fault, to be dropped by the caller; NULL: not of that kind.  answer: what would have been
 * given (see above); target: the path and query asked for.
 */
extern Answer *fault_answer(const Fault *fault, const Answer *answer, const char *target);

/* Likewise for those too big, or too broken, for an Answer; to be destroyed by the caller. */
extern struct MHD_Response *fault_response(const Fault *fault, const Answer *answer);

/* Free what was kept for the next time. */
extern void faults_end(void);

#endif /* COINLORE_SIM_FAULTS_H */
