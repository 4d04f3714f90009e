/*
 * compat.h
 *	  Every difference between PostgreSQL 15 and 19 that this extension meets.
 */
#ifndef CRYPTO_RT_COMPAT_H
#define CRYPTO_RT_COMPAT_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 150000
#error "crypto_rt needs PostgreSQL 15 or newer"
#endif

/* 17 lets extensions name their wait events; before, all are called "Extension". */
#if PG_VERSION_NUM >= 170000
#define COMPAT_WAIT_EVENT(name) WaitEventExtensionNew(name)
#else
#define COMPAT_WAIT_EVENT(name) PG_WAIT_EXTENSION
#endif

/* 16 exports what PG_FUNCTION_INFO_V1 names; before, that is to be asked for. */
#define COMPAT_SQL_FUNCTION(name)                                                                            \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                                         \
	PG_FUNCTION_INFO_V1(name)

/* What a check hook hands over is freed by guc.c: by free() in 15, by its own function since. */
#if PG_VERSION_NUM >= 160000
#define COMPAT_GUC_MALLOC(size) guc_malloc(LOG, size)
#define COMPAT_GUC_STRDUP(text) guc_strdup(LOG, text)
#define COMPAT_GUC_FREE(p) guc_free(p)
#else
#define COMPAT_GUC_MALLOC(size) malloc(size)
#define COMPAT_GUC_STRDUP(text) strdup(text)
#define COMPAT_GUC_FREE(p) free(p)
#endif

#endif /* CRYPTO_RT_COMPAT_H */
