/*
 * index.h
 *	  A plain page that lists what there is to ask for: /api, and / of a daemon without the dashboard.
 */
#ifndef CRYPTO_RT_HTTP_INDEX_H
#define CRYPTO_RT_HTTP_INDEX_H

#include <stdbool.h>

#include "text.h"

/* dashboard: whether / has it; otherwise the page says how to build it. */
extern void index_write(Text *text, bool dashboard);

#endif /* CRYPTO_RT_HTTP_INDEX_H */
