/*
 * prices.h
 *	  Quotes as replies: one, many, all, a page.
 *
 * What can be shared is rendered once: one quote's reply once per change and second, the body with all of them at most once
 * per change and second, in pieces of 100 coins of which only the changed ones are written and compressed anew.
 */
#ifndef CRYPTO_RT_HTTP_PRICES_H
#define CRYPTO_RT_HTTP_PRICES_H

#include "request.h"

extern void prices_init(void);

extern enum MHD_Result prices_one(Request *request);  /* /api/v1/crypto/{symbol}/price */
extern enum MHD_Result prices_many(Request *request); /* /api/v1/crypto/prices */
extern enum MHD_Result prices_page(Request *request); /* /api/v1/crypto?page=N */

#endif /* CRYPTO_RT_HTTP_PRICES_H */
