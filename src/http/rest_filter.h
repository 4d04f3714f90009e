/*
 * rest_filter.h
 *	  Columns and conditions as SQL.
 *
 * What is selected from is called r in it.
 */
#ifndef CRYPTO_RT_HTTP_REST_FILTER_H
#define CRYPTO_RT_HTTP_REST_FILTER_H

#include "rest_catalog.h"
#include "rest_query.h"
#include "text.h"

/* A text that is being written, and its parameters.  Zero it but for the first part. */
typedef struct RestFilterWriter
{
	const RestCatalog *catalog;
	const char *name; /* of what is selected from, as messages call it */
	int count;
	const RestColumn *columns; /* that there are */
	Arena *arena;
	RestError *error;

	Text text; /* whoever takes it frees it */
	const char **values;
	int value_count;
	int value_room;
} RestFilterWriter;

/* $1 and so on, for a value that lives as long as the arena. */
extern void rest_filter_parameter(RestFilterWriter *writer, const char *value);

/* A column and its steps into JSON.  false: *error says why. */
extern bool rest_filter_field(RestFilterWriter *writer, const RestField *field, const RestColumn **column);

/* All of the conditions hold. */
extern bool rest_filter_write(RestFilterWriter *writer, const RestLogic *logic);

#endif /* CRYPTO_RT_HTTP_REST_FILTER_H */
