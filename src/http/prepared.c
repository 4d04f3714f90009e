/*
 * prepared.c
 *	  See prepared.h.
 */
#include "prepared.h"

#include <stdio.h>
#include <string.h>

#include "memory.h"

static uint64_t
hash_of(const char *key, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char) key[i]) * UINT64_C(0x100000001b3);
	return hash;
}

Prepared *
prepared_find(PreparedSet *set, const char *key, size_t len)
{
	uint64_t hash = hash_of(key, len);

	for (int i = 0; i < PREPARED_MAX; i++)
	{
		Prepared *place = &set->places[i];

		if (place->key == NULL || place->hash != hash || place->key_len != len ||
			memcmp(place->key, key, len) != 0)
			continue;
		place->used = ++set->uses;
		return place;
	}
	return NULL;
}

Prepared *
prepared_oldest(PreparedSet *set)
{
	Prepared *oldest = &set->places[0];

	for (int i = 0; i < PREPARED_MAX; i++)
	{
		if (set->places[i].key == NULL)
			return &set->places[i];
		if (set->places[i].used < oldest->used)
			oldest = &set->places[i];
	}
	return oldest;
}

void
prepared_put(PreparedSet *set, Prepared *place, const char *key, size_t len)
{
	prepared_forget(place);
	place->key = memory_check(malloc(len));
	memcpy(place->key, key, len);
	place->key_len = len;
	place->hash = hash_of(key, len);
	place->used = ++set->uses;
	snprintf(place->name, sizeof(place->name), "s%llu", (unsigned long long) ++set->names);
}

void
prepared_forget(Prepared *place)
{
	free(place->key);
	*place = (Prepared){0};
}

void
prepared_forget_all(PreparedSet *set)
{
	for (int i = 0; i < PREPARED_MAX; i++)
		prepared_forget(&set->places[i]);
}
