/*
 * rest_world.h
 *	  A catalog for tests of /rest/v1: all that may stand in SQL has quotes around it, so that it is told from anything else.
 */
#ifndef CRYPTO_RT_REST_WORLD_H
#define CRYPTO_RT_REST_WORLD_H

#include "rest_catalog.h"

static inline RestCatalog *
rest_world(void)
{
	RestCatalog *catalog = rest_catalog_new(1);
	RestSchema *api = rest_catalog_add_schema(catalog, "api", "\"api\"");
	RestRelation *t = rest_catalog_add_relation(catalog, api, "t", "\"api\".\"t\"");
	RestFunction *f;

	rest_catalog_add_column(catalog, t, "id", "\"id\"", "\"int4\"");
	rest_catalog_add_column(catalog, t, "name", "\"name\"", "\"text\"");
	rest_catalog_add_column(catalog, t, "data", "\"data\"", "\"jsonb\"")->kind = REST_COLUMN_JSON;
	rest_catalog_add_column(catalog, t, "ts", "\"ts\"", "\"tsvector\"")->kind = REST_COLUMN_TSVECTOR;
	rest_catalog_add_column(catalog, t, "o\"d.d 😀", "\"o\"\"d.d 😀\"", "\"text\"");
	rest_catalog_add_relation(catalog, api, "bare", "\"api\".\"bare\"");

	f = rest_catalog_add_function(catalog, api, "add", "\"api\".\"add\"");
	f->result = REST_RESULT_SCALAR;
	rest_catalog_add_parameter(catalog, f, "a", "\"a\"", "\"int4\"");
	rest_catalog_add_parameter(catalog, f, "b", "\"b\"", "\"int4\"")->required = false;
	f = rest_catalog_add_function(catalog, api, "rows", "\"api\".\"rows\"");
	f->result = REST_RESULT_ROW;
	f->is_set = true;
	rest_catalog_add_parameter(catalog, f, "min", "\"min\"", "\"int4\"")->required = false;
	rest_catalog_add_result(catalog, f, "id", "\"id\"", "\"int4\"");
	f = rest_catalog_add_function(catalog, api, "sum", "\"api\".\"sum\"");
	f->result = REST_RESULT_SCALAR;
	rest_catalog_add_parameter(catalog, f, "v", "\"v\"", "\"int4[]\"")->variadic = true;
	f = rest_catalog_add_function(catalog, api, "echo", "\"api\".\"echo\"");
	f->result = REST_RESULT_SCALAR;
	rest_catalog_add_parameter(catalog, f, "", "\"\"", "json");
	f = rest_catalog_add_function(catalog, api, "twice", "\"api\".\"twice\"");
	f->result = REST_RESULT_SCALAR;
	rest_catalog_add_parameter(catalog, f, "a", "\"a\"", "\"int4\"");
	f = rest_catalog_add_function(catalog, api, "twice", "\"api\".\"twice\"");
	f->result = REST_RESULT_SCALAR;
	rest_catalog_add_parameter(catalog, f, "a", "\"a\"", "\"text\"");
	f = rest_catalog_add_function(catalog, api, "nothing", "\"api\".\"nothing\"");
	f->result = REST_RESULT_VOID;
	rest_catalog_add_function(catalog, api, "change", "\"api\".\"change\"")->is_volatile = true;

	rest_catalog_add_type(catalog, "text", "\"text\"");
	rest_catalog_add_type(catalog, "double precision", "\"float8\"");
	rest_catalog_add_zone(catalog, "Europe/Berlin");
	rest_catalog_finish(catalog);
	return catalog;
}

#endif /* CRYPTO_RT_REST_WORLD_H */
