/*
 * index.h
 *	  The page at /: what there is to ask for.
 */
#ifndef CRYPTO_RT_HTTP_INDEX_H
#define CRYPTO_RT_HTTP_INDEX_H

#include "request.h"

extern enum MHD_Result index_show(Request *request);

#endif /* CRYPTO_RT_HTTP_INDEX_H */
