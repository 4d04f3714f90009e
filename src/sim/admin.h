/*
 * admin.h
 *	  The administrator's endpoints, /sim/…: look at what was asked, move the market, make things go wrong.
 */
#ifndef COINLORE_SIM_ADMIN_H
#define COINLORE_SIM_ADMIN_H

#include <microhttpd.h>
#include <stddef.h>

#include "answer.h"
#include "faults.h"
#include "market.h"
#include "stats.h"

#define ADMIN_PREFIX "/sim"
#define ADMIN_BODY_MAX ((size_t) 1 << 20)

typedef struct Admin
{
	Market *market;
	Faults *faults;
	const Stats *stats;
	const char *source; /* of the answers: "market", "replay" or "upstream" */
} Admin;

/* body: what was sent along, a NUL behind it.  To be dropped by the caller. */
extern Answer *admin_answer(Admin *admin, struct MHD_Connection *connection, const char *method,
							const char *path, const char *body, size_t body_len);

#endif /* COINLORE_SIM_ADMIN_H */
