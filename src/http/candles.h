/*
 * candles.h
 *	  /api/v1/crypto/{symbol}/candles, and the page at /.
 *
 * Both are not there yet, and say so.
 */
#ifndef CRYPTO_RT_HTTP_CANDLES_H
#define CRYPTO_RT_HTTP_CANDLES_H

#include "request.h"

extern enum MHD_Result candles_show(Request *request);
extern enum MHD_Result index_show(Request *request);

#endif /* CRYPTO_RT_HTTP_CANDLES_H */
