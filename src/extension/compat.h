/*
 * compat.h
 *	  Every difference between PostgreSQL 15 and 19 that this extension meets.
 */
#ifndef CRYPTO_RT_COMPAT_H
#define CRYPTO_RT_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "crypto_rt needs PostgreSQL 15 or newer"
#endif

/* 17 lets extensions name their wait events; before, all are called "Extension". */
#if PG_VERSION_NUM >= 170000
#include "utils/wait_event.h"
#define COMPAT_WAIT_EVENT(name) WaitEventExtensionNew(name)
#else
#include "utils/wait_event.h"
#define COMPAT_WAIT_EVENT(name) PG_WAIT_EXTENSION
#endif

#endif /* CRYPTO_RT_COMPAT_H */
