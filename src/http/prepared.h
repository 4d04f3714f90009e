/*
 * prepared.h
 *	  The statements that one connection has prepared: a number of them, of which the one that was used longest ago gives way.
 *
 * A statement is told by its key, all of it: names of the server's are numbers, so that no two texts ever share one.
 */
#ifndef CRYPTO_RT_HTTP_PREPARED_H
#define CRYPTO_RT_HTTP_PREPARED_H

#include <stddef.h>
#include <stdint.h>

#define PREPARED_MAX 100
#define PREPARED_NAME_SIZE 24

typedef struct Prepared
{
	char *key; /* NULL: the place is free */
	size_t key_len;
	uint64_t hash;
	uint64_t used; /* when it was last asked for, counted */
	char name[PREPARED_NAME_SIZE];
} Prepared;

/* Start from {0}. */
typedef struct PreparedSet
{
	Prepared places[PREPARED_MAX];
	uint64_t uses;
	uint64_t names;
} PreparedSet;

/* NULL: it is not prepared. */
extern Prepared *prepared_find(PreparedSet *set, const char *key, size_t len);

/* A place that is free, or the one that was used longest ago. */
extern Prepared *prepared_oldest(PreparedSet *set);

/* Put a key there, under a new name. */
extern void prepared_put(PreparedSet *set, Prepared *place, const char *key, size_t len);

extern void prepared_forget(Prepared *place);
extern void prepared_forget_all(PreparedSet *set);

#endif /* CRYPTO_RT_HTTP_PREPARED_H */
