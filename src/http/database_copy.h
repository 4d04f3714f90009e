/*
 * database_copy.h
 *	  Copies of statements and their values, for queries that wait.
 */
#ifndef CRYPTO_RT_HTTP_DATABASE_COPY_H
#define CRYPTO_RT_HTTP_DATABASE_COPY_H

#include <stddef.h>

#include "database.h"

/* The bytes that a copy takes, its array of values included. */
extern size_t database_copy_size(const DatabaseStatement *statement);

/* Copy a statement: its array of values to *values, its strings to *to; both move on. */
extern DatabaseStatement database_copy(const DatabaseStatement *statement, const char ***values, char **to);

#endif /* CRYPTO_RT_HTTP_DATABASE_COPY_H */
