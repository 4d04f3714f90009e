/*
 * rest_catalog.c
 *	  See rest_catalog.h.
 */
#include "rest_catalog.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/*
 * Making one.
 */

RestCatalog *
rest_catalog_new(int schemas_max)
{
	RestCatalog *catalog = memory_get(sizeof(RestCatalog));

	/* relations and functions point to their schemas, which therefore never move */
	catalog->schemas = arena_get(&catalog->arena, (size_t) (schemas_max + 1) * sizeof(RestSchema));
	catalog->schema_room = schemas_max + 1;
	return catalog;
}

void
rest_catalog_free(RestCatalog *catalog)
{
	if (catalog == NULL)
		return;
	arena_free(&catalog->arena);
	free(catalog);
}

static const char *
keep(RestCatalog *catalog, const char *s)
{
	return s != NULL ? arena_string(&catalog->arena, s) : NULL;
}

RestSchema *
rest_catalog_add_schema(RestCatalog *catalog, const char *name, const char *quoted)
{
	RestSchema *schema;

	catalog->schemas = arena_more(&catalog->arena, catalog->schemas, &catalog->schema_count,
								  &catalog->schema_room, sizeof(RestSchema));
	schema = &catalog->schemas[catalog->schema_count - 1];
	*schema = (RestSchema){.name = keep(catalog, name), .quoted = keep(catalog, quoted)};
	return schema;
}

RestRelation *
rest_catalog_add_relation(RestCatalog *catalog, const RestSchema *schema, const char *name,
						  const char *quoted)
{
	RestRelation *relation;

	catalog->relations = arena_more(&catalog->arena, catalog->relations, &catalog->relation_count,
									&catalog->relation_room, sizeof(RestRelation));
	relation = &catalog->relations[catalog->relation_count - 1];
	*relation =
		(RestRelation){.schema = schema, .name = keep(catalog, name), .quoted = keep(catalog, quoted)};
	return relation;
}

static RestColumn *
add_column(RestCatalog *catalog, RestColumn **columns, int *count, int *room, RestColumn column)
{
	*columns = arena_more(&catalog->arena, *columns, count, room, sizeof(RestColumn));
	(*columns)[*count - 1] = (RestColumn){.name = keep(catalog, column.name),
										  .quoted = keep(catalog, column.quoted),
										  .type = keep(catalog, column.type)};
	return &(*columns)[*count - 1];
}

RestColumn *
rest_catalog_add_column(RestCatalog *catalog, RestRelation *relation, const char *name, const char *quoted,
						const char *type)
{
	return add_column(catalog, &relation->columns, &relation->count, &relation->room,
					  (RestColumn){.name = name, .quoted = quoted, .type = type});
}

RestFunction *
rest_catalog_add_function(RestCatalog *catalog, const RestSchema *schema, const char *name,
						  const char *quoted)
{
	RestFunction *function;

	catalog->functions = arena_more(&catalog->arena, catalog->functions, &catalog->function_count,
									&catalog->function_room, sizeof(RestFunction));
	function = &catalog->functions[catalog->function_count - 1];
	*function =
		(RestFunction){.schema = schema, .name = keep(catalog, name), .quoted = keep(catalog, quoted)};
	return function;
}

RestParameter *
rest_catalog_add_parameter(RestCatalog *catalog, RestFunction *function, const char *name, const char *quoted,
						   const char *type)
{
	RestParameter *parameter;

	function->parameters = arena_more(&catalog->arena, function->parameters, &function->parameter_count,
									  &function->parameter_room, sizeof(RestParameter));
	parameter = &function->parameters[function->parameter_count - 1];
	*parameter = (RestParameter){.name = keep(catalog, name),
								 .quoted = keep(catalog, quoted),
								 .type = keep(catalog, type),
								 .required = true};
	return parameter;
}

RestColumn *
rest_catalog_add_result(RestCatalog *catalog, RestFunction *function, const char *name, const char *quoted,
						const char *type)
{
	return add_column(catalog, &function->columns, &function->count, &function->room,
					  (RestColumn){.name = name, .quoted = quoted, .type = type});
}

void
rest_catalog_add_type(RestCatalog *catalog, const char *name, const char *type)
{
	catalog->types = arena_more(&catalog->arena, catalog->types, &catalog->type_count, &catalog->type_room,
								sizeof(RestType));
	catalog->types[catalog->type_count - 1] = (RestType){keep(catalog, name), keep(catalog, type)};
}

void
rest_catalog_add_zone(RestCatalog *catalog, const char *name)
{
	catalog->zones = arena_more(&catalog->arena, catalog->zones, &catalog->zone_count, &catalog->zone_room,
								sizeof(char *));
	catalog->zones[catalog->zone_count - 1] = keep(catalog, name);
}

/*
 * Order, and finding by it.
 */

typedef struct Key
{
	const char *schema;
	const char *name;
} Key;

static int
compare_keys(Key a, Key b)
{
	int schemas = strcmp(a.schema, b.schema);

	return schemas != 0 ? schemas : strcmp(a.name, b.name);
}

static int
compare_relations(const void *a, const void *b)
{
	const RestRelation *one = a;
	const RestRelation *other = b;

	return compare_keys((Key){one->schema->name, one->name}, (Key){other->schema->name, other->name});
}

static int
compare_functions(const void *a, const void *b)
{
	const RestFunction *one = a;
	const RestFunction *other = b;
	int keys = compare_keys((Key){one->schema->name, one->name}, (Key){other->schema->name, other->name});

	/* of one name in the order of their being made */
	return keys != 0 || one->oid == NULL || other->oid == NULL ? keys : atoi(one->oid) - atoi(other->oid);
}

static int
compare_types(const void *a, const void *b)
{
	return strcmp(((const RestType *) a)->name, ((const RestType *) b)->name);
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
sort(void *items, int count, size_t size, int (*compare)(const void *a, const void *b))
{
	if (count > 0)
		qsort(items, (size_t) count, size, compare);
}

void
rest_catalog_finish(RestCatalog *catalog)
{
	sort(catalog->relations, catalog->relation_count, sizeof(RestRelation), compare_relations);
	sort(catalog->functions, catalog->function_count, sizeof(RestFunction), compare_functions);
	sort(catalog->types, catalog->type_count, sizeof(RestType), compare_types);
	sort(catalog->zones, catalog->zone_count, sizeof(char *), compare_strings);
}

static const void *
find(const void *key, const void *items, int count, size_t size, int (*compare)(const void *a, const void *b))
{
	return count > 0 ? bsearch(key, items, (size_t) count, size, compare) : NULL;
}

const RestSchema *
rest_catalog_schema(const RestCatalog *catalog, const char *name)
{
	for (int i = 0; i < catalog->schema_count; i++)
		if (strcmp(catalog->schemas[i].name, name) == 0)
			return &catalog->schemas[i];
	return NULL;
}

const RestRelation *
rest_catalog_relation(const RestCatalog *catalog, const char *schema, const char *name)
{
	const RestSchema of = {.name = schema};
	const RestRelation key = {.schema = &of, .name = name};

	return find(&key, catalog->relations, catalog->relation_count, sizeof(RestRelation), compare_relations);
}

const RestFunction *
rest_catalog_functions(const RestCatalog *catalog, const char *schema, const char *name, int *count)
{
	const RestSchema of = {.name = schema};
	const RestFunction key = {.schema = &of, .name = name};
	const RestFunction *first =
		find(&key, catalog->functions, catalog->function_count, sizeof(RestFunction), compare_functions);
	const RestFunction *end = catalog->functions + catalog->function_count;

	*count = 0;
	if (first == NULL)
		return NULL;
	while (first > catalog->functions && compare_functions(first - 1, &key) == 0)
		first--;
	while (first + *count < end && compare_functions(first + *count, &key) == 0)
		(*count)++;
	return first;
}

const RestColumn *
rest_catalog_column(int count, const RestColumn *columns, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(columns[i].name, name) == 0)
			return &columns[i];
	return NULL;
}

const char *
rest_catalog_type(const RestCatalog *catalog, const char *name)
{
	const RestType key = {.name = name};
	const RestType *found = find(&key, catalog->types, catalog->type_count, sizeof(RestType), compare_types);

	return found != NULL ? found->type : NULL;
}

bool
rest_catalog_has_zone(const RestCatalog *catalog, const char *name)
{
	return find(&name, catalog->zones, catalog->zone_count, sizeof(char *), compare_strings) != NULL;
}
