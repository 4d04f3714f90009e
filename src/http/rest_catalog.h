/*
 * rest_catalog.h
 *	  What of the database is exposed at /rest/v1: the schema cache.
 *
 * rest_catalog_take makes it from PostgreSQL's catalogs, and it does not change afterwards: a newer one takes its place.  Of all
 * its texts only those called quoted, and types, may stand in SQL.
 */
#ifndef CRYPTO_RT_HTTP_REST_CATALOG_H
#define CRYPTO_RT_HTTP_REST_CATALOG_H

#include <stdbool.h>

#include "arena.h"

typedef enum RestColumnKind
{
	REST_COLUMN_OTHER,
	REST_COLUMN_JSON, /* or jsonb */
	REST_COLUMN_TSVECTOR
} RestColumnKind;

typedef struct RestColumn
{
	const char *name;
	const char *quoted;
	const char *type;     /* as SQL writes it */
	const char *comment;  /* NULL: none; likewise below */
	const char *fallback; /* its default, as SQL */
	const char *choices;  /* of an enum: a JSON array */
	RestColumnKind kind;
	bool not_null;
	bool is_key;    /* of the primary key */
	int max_length; /* 0: none */
} RestColumn;

typedef struct RestSchema
{
	const char *name;
	const char *quoted;
	const char *comment;
} RestSchema;

/* A table, view and so on. */
typedef struct RestRelation
{
	const RestSchema *schema;
	const char *name;
	const char *quoted; /* with its schema */
	const char *comment;
	const char *oid;
	int count;
	RestColumn *columns;
	int room;
} RestRelation;

typedef struct RestParameter
{
	const char *name; /* "": it has none */
	const char *quoted;
	const char *type;
	bool required;
	bool variadic;
} RestParameter;

typedef enum RestResult
{
	REST_RESULT_VOID,
	REST_RESULT_SCALAR,
	REST_RESULT_ROW
} RestResult;

typedef struct RestFunction
{
	const RestSchema *schema;
	const char *name;
	const char *quoted; /* with its schema */
	const char *comment;
	const char *oid;
	const char *type; /* what it returns */
	RestResult result;
	bool is_set;
	bool is_volatile; /* it is known, but not exposed */
	int parameter_count;
	RestParameter *parameters;
	int parameter_room;
	int count; /* of the result's columns */
	RestColumn *columns;
	int room;
} RestFunction;

typedef struct RestType
{
	const char *name; /* as a user may write it */
	const char *type; /* as SQL writes it */
} RestType;

typedef struct RestCatalog
{
	/* sorted by schema and name */
	int relation_count;
	RestRelation *relations;
	int function_count;
	RestFunction *functions;

	/* in the order of the setting; those that are there */
	int schema_count;
	RestSchema *schemas;

	/* sorted by name */
	int type_count;
	RestType *types;
	int zone_count;
	const char **zones;

	Arena arena;
	int schema_room;
	int relation_room;
	int function_room;
	int type_room;
	int zone_room;
} RestCatalog;

extern void rest_catalog_free(RestCatalog *catalog);

/* NULL: there is none. */
extern const RestSchema *rest_catalog_schema(const RestCatalog *catalog, const char *name);
extern const RestRelation *rest_catalog_relation(const RestCatalog *catalog, const char *schema,
												 const char *name);
extern const RestColumn *rest_catalog_column(int count, const RestColumn *columns, const char *name);
extern const char *rest_catalog_type(const RestCatalog *catalog, const char *name);
extern bool rest_catalog_has_zone(const RestCatalog *catalog, const char *name);

/* Those of one name, which stand side by side; *count may be 0. */
extern const RestFunction *rest_catalog_functions(const RestCatalog *catalog, const char *schema,
												  const char *name, int *count);

/*
 * To make one by hand, in this order.  Strings are copied; pointers into it are good until the next call.
 */
extern RestCatalog *rest_catalog_new(int schemas_max);
extern RestSchema *rest_catalog_add_schema(RestCatalog *catalog, const char *name, const char *quoted);
extern RestRelation *rest_catalog_add_relation(RestCatalog *catalog, const RestSchema *schema,
											   const char *name, const char *quoted);
extern RestColumn *rest_catalog_add_column(RestCatalog *catalog, RestRelation *relation, const char *name,
										   const char *quoted, const char *type);
extern RestFunction *rest_catalog_add_function(RestCatalog *catalog, const RestSchema *schema,
											   const char *name, const char *quoted);
extern RestParameter *rest_catalog_add_parameter(RestCatalog *catalog, RestFunction *function,
												 const char *name, const char *quoted, const char *type);
extern RestColumn *rest_catalog_add_result(RestCatalog *catalog, RestFunction *function, const char *name,
										   const char *quoted, const char *type);
extern void rest_catalog_add_type(RestCatalog *catalog, const char *name, const char *type);
extern void rest_catalog_add_zone(RestCatalog *catalog, const char *name);
extern void rest_catalog_finish(RestCatalog *catalog);

#endif /* CRYPTO_RT_HTTP_REST_CATALOG_H */
