/*
 * rest_catalog_take.c
 *	  See rest_catalog_take.h.
 *
 * Rows of all kinds come in one answer, so that they are of one moment.  Each kind's rows come after those that they belong to.
 */
#include "rest_catalog_take.h"

#include <stdlib.h>
#include <string.h>

/* In the order of the statement's columns. */
enum
{
	ROW_KIND,
	ROW_OWNER, /* of a schema's things its name, of columns and parameters an oid */
	ROW_OID,
	ROW_NAME,
	ROW_QUOTED,
	ROW_TYPE,
	ROW_COMMENT,
	ROW_MARK, /* relations: kind; columns: kind; functions: volatility; parameters: required */
	ROW_FLAG, /* columns: not null; functions: returns a set; parameters: variadic */
	ROW_MORE, /* columns: of the primary key; functions: what they return */
	ROW_SIZE,
	ROW_DEFAULT,
	ROW_CHOICES
};

enum
{
	KIND_SCHEMA = 1,
	KIND_RELATION,
	KIND_COLUMN,
	KIND_FUNCTION,
	KIND_PARAMETER,
	KIND_RESULT,
	KIND_TYPE,
	KIND_ZONE
};

/*
 * A type as -1 for its modifier is the one that cuts nothing off: bpchar, where character would be character(1).
 *
 * Functions are callable when all of their parameters have names, or when the only one is of a type that a request's body may be.
 */
static const char query[] =
	"WITH schemas AS MATERIALIZED ("
	" SELECT n.oid, n.nspname::text AS name, s.place"
	" FROM unnest($1::text[]) WITH ORDINALITY AS s (name, place) JOIN pg_namespace n ON n.nspname = s.name),"
	" relations AS MATERIALIZED ("
	" SELECT c.oid, c.relname, c.relkind, s.name AS schema, s.oid AS namespace FROM pg_class c"
	" JOIN schemas s ON s.oid = c.relnamespace"
	" WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition),"
	" arguments AS MATERIALIZED ("
	" SELECT p.oid, a.place, coalesce(a.name, '') AS name, a.type, coalesce(a.mode, 'i') AS mode,"
	"  count(*) FILTER (WHERE coalesce(a.mode, 'i') IN ('i', 'b', 'v'))"
	"   OVER (PARTITION BY p.oid ORDER BY a.place) <= p.pronargs - p.pronargdefaults AS required"
	" FROM pg_proc p JOIN schemas s ON s.oid = p.pronamespace, LATERAL unnest(p.proargnames,"
	"  coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)"
	"  WITH ORDINALITY AS a (name, type, mode, place)"
	" WHERE a.type IS NOT NULL),"
	" functions AS MATERIALIZED ("
	" SELECT p.oid, p.proname, p.provolatile, p.proretset, p.prorettype, s.name AS schema,"
	"  s.oid AS namespace, t.typrelid, CASE WHEN p.prorettype = 'void'::regtype THEN 'v'"
	"   WHEN t.typtype = 'c' OR coalesce(p.proargmodes::text[] && '{t,b,o}', false) THEN 'r' ELSE 's' END"
	"   AS returns"
	" FROM pg_proc p JOIN schemas s ON s.oid = p.pronamespace"
	" JOIN pg_type r ON r.oid = p.prorettype"
	" JOIN pg_type t ON t.oid = CASE WHEN r.typtype = 'd' THEN r.typbasetype ELSE r.oid END"
	" WHERE p.prokind = 'f' AND (r.typtype <> 'p' OR r.typname IN ('void', 'record', 'anyelement', "
	"'anyarray'))"
	"  AND NOT EXISTS (SELECT FROM arguments a JOIN pg_type y ON y.oid = a.type WHERE a.oid = p.oid"
	"   AND (y.typname = 'internal' OR a.name = '' AND a.mode IN ('i', 'b', 'v') AND (p.pronargs > 1"
	"    OR a.type NOT IN ('json'::regtype, 'jsonb'::regtype, 'text'::regtype, 'xml'::regtype,"
	"    'bytea'::regtype)))))"
	/* the rows */
	" SELECT kind::text, owner, oid, name, quoted, type, comment, mark, flag, more, size, fallback, choices"
	" FROM ("
	" SELECT 1 AS kind, NULL::text AS owner, s.oid::text, s.place, s.name, quote_ident(s.name) AS quoted,"
	"  NULL::text AS type, obj_description(s.oid, 'pg_namespace') AS comment, NULL::text AS mark,"
	"  NULL::text AS flag, NULL::text AS more, NULL::text AS size, NULL::text AS fallback,"
	"  NULL::text AS choices FROM schemas s"
	" UNION ALL"
	" SELECT 2, r.schema, r.oid::text, 0, r.relname, quote_ident(r.schema) || '.' || quote_ident(r.relname),"
	"  NULL, obj_description(r.oid, 'pg_class'), r.relkind::text, NULL, NULL, NULL, NULL, NULL"
	" FROM relations r"
	" UNION ALL"
	" SELECT 3, r.oid::text, NULL, a.attnum, a.attname, quote_ident(a.attname),"
	"  format_type(a.atttypid, -1), col_description(r.oid, a.attnum),"
	"  CASE WHEN a.atttypid IN ('json'::regtype, 'jsonb'::regtype) THEN 'j'"
	"   WHEN a.atttypid = 'tsvector'::regtype THEN 't' ELSE 'o' END, a.attnotnull::text,"
	"  (k.conkey IS NOT NULL)::text, CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype)"
	"   AND a.atttypmod > 4 THEN (a.atttypmod - 4)::text END, pg_get_expr(d.adbin, d.adrelid),"
	"  (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)::text FROM pg_enum e"
	"   WHERE e.enumtypid = a.atttypid)"
	" FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped"
	" LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum AND a.attgenerated = ''"
	" LEFT JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)"
	" UNION ALL"
	" SELECT 4, f.schema, f.oid::text, 0, f.proname, quote_ident(f.schema) || '.' || quote_ident(f.proname),"
	"  format_type(f.prorettype, -1), obj_description(f.oid, 'pg_proc'), f.provolatile::text,"
	"  f.proretset::text, f.returns, NULL, NULL, NULL FROM functions f"
	" UNION ALL"
	" SELECT 5, f.oid::text, NULL, a.place, a.name, quote_ident(a.name), format_type(a.type, -1), NULL,"
	"  a.required::text, (a.mode = 'v')::text, NULL, NULL, NULL, NULL"
	" FROM functions f JOIN arguments a ON a.oid = f.oid AND a.mode IN ('i', 'b', 'v')"
	" UNION ALL"
	" SELECT 6, f.oid::text, NULL, c.place, c.name, quote_ident(c.name), format_type(c.type, -1), NULL,"
	"  CASE WHEN c.type IN ('json'::regtype, 'jsonb'::regtype) THEN 'j'"
	"   WHEN c.type = 'tsvector'::regtype THEN 't' ELSE 'o' END, NULL, NULL, NULL, NULL, NULL"
	" FROM functions f, LATERAL ("
	"  SELECT a.attnum AS place, a.attname::text AS name, a.atttypid AS type FROM pg_attribute a"
	"   WHERE a.attrelid = f.typrelid AND f.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped"
	"  UNION ALL"
	"  SELECT a.place, coalesce(nullif(a.name, ''), 'column' || row_number() OVER (ORDER BY a.place)), a.type"
	"   FROM arguments a WHERE a.oid = f.oid AND f.typrelid = 0 AND a.mode IN ('t', 'b', 'o')) c"
	" WHERE f.returns = 'r'"
	" UNION ALL"
	" SELECT DISTINCT ON (t.name) 7, NULL, NULL, 0, t.name, NULL, t.type, NULL, NULL, NULL, NULL, NULL, NULL,"
	"  NULL FROM ("
	"  SELECT n.name, format_type(t.oid, -1) AS type, n.first FROM pg_type t"
	"   LEFT JOIN schemas s ON s.oid = t.typnamespace,"
	"   LATERAL (VALUES (t.typname::text, 1), (format_type(t.oid, NULL), 2)) n (name, first)"
	"   WHERE t.typtype IN ('b', 'd', 'e', 'r', 'm') AND t.typisdefined"
	"    AND (s.oid IS NOT NULL OR t.typnamespace = 'pg_catalog'::regnamespace"
	"     OR t.typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'public'))"
	"  UNION ALL SELECT v.name, format_type(v.type, -1), 0 FROM (VALUES ('int', 'int4'::regtype),"
	"   ('decimal', 'numeric'::regtype), ('dec', 'numeric'::regtype), ('float', 'float8'::regtype),"
	"   ('char', 'bpchar'::regtype), ('char varying', 'varchar'::regtype), ('timestamp', "
	"'timestamp'::regtype),"
	"   ('time', 'time'::regtype)) v (name, type)) t"
	" UNION ALL"
	" SELECT 8, NULL, NULL, 0, z.name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
	" FROM pg_timezone_names z"
	") rows ORDER BY rows.kind, rows.owner, rows.place";

const char *
rest_catalog_take_query(void)
{
	return query;
}

static const char *
value(const PGresult *rows, int row, int column)
{
	return PQgetisnull(rows, row, column) ? NULL : PQgetvalue(rows, row, column);
}

static bool
is_true(const PGresult *rows, int row, int column)
{
	return PQgetvalue(rows, row, column)[0] == 't';
}

static const char *
copy(RestCatalog *catalog, const PGresult *rows, int row, int column)
{
	const char *text = value(rows, row, column);

	return text != NULL ? arena_string(&catalog->arena, text) : NULL;
}

/* Rows of one owner follow each other, so that the last one that was found is mostly the one. */
static RestRelation *
relation_of(RestCatalog *catalog, const char *oid)
{
	static int last;

	for (int n = 0; n < catalog->relation_count; n++, last++)
	{
		if (last >= catalog->relation_count)
			last = 0;
		if (strcmp(catalog->relations[last].oid, oid) == 0)
			return &catalog->relations[last];
	}
	return NULL;
}

static RestFunction *
function_of(RestCatalog *catalog, const char *oid)
{
	static int last;

	for (int n = 0; n < catalog->function_count; n++, last++)
	{
		if (last >= catalog->function_count)
			last = 0;
		if (strcmp(catalog->functions[last].oid, oid) == 0)
			return &catalog->functions[last];
	}
	return NULL;
}

static RestColumnKind
kind_of(const char *mark)
{
	if (mark[0] == 'j')
		return REST_COLUMN_JSON;
	return mark[0] == 't' ? REST_COLUMN_TSVECTOR : REST_COLUMN_OTHER;
}

static void
take_column(RestCatalog *catalog, const PGresult *rows, int row)
{
	RestRelation *relation = relation_of(catalog, PQgetvalue(rows, row, ROW_OWNER));
	RestColumn *column;

	if (relation == NULL)
		return;
	column = rest_catalog_add_column(catalog, relation, value(rows, row, ROW_NAME),
									 value(rows, row, ROW_QUOTED), value(rows, row, ROW_TYPE));
	column->comment = copy(catalog, rows, row, ROW_COMMENT);
	column->fallback = copy(catalog, rows, row, ROW_DEFAULT);
	column->choices = copy(catalog, rows, row, ROW_CHOICES);
	column->kind = kind_of(PQgetvalue(rows, row, ROW_MARK));
	column->not_null = is_true(rows, row, ROW_FLAG);
	column->is_key = is_true(rows, row, ROW_MORE);
	column->max_length = atoi(PQgetvalue(rows, row, ROW_SIZE));
}

static void
take_function(RestCatalog *catalog, const PGresult *rows, int row)
{
	const RestSchema *schema = rest_catalog_schema(catalog, PQgetvalue(rows, row, ROW_OWNER));
	const char *returns = PQgetvalue(rows, row, ROW_MORE);
	RestFunction *function;

	if (schema == NULL)
		return;
	function =
		rest_catalog_add_function(catalog, schema, value(rows, row, ROW_NAME), value(rows, row, ROW_QUOTED));
	function->oid = copy(catalog, rows, row, ROW_OID);
	function->type = copy(catalog, rows, row, ROW_TYPE);
	function->comment = copy(catalog, rows, row, ROW_COMMENT);
	function->is_volatile = PQgetvalue(rows, row, ROW_MARK)[0] == 'v';
	function->is_set = is_true(rows, row, ROW_FLAG);
	function->result = returns[0] == 'v'   ? REST_RESULT_VOID
					   : returns[0] == 'r' ? REST_RESULT_ROW
										   : REST_RESULT_SCALAR;
}

static void
take_parameter(RestCatalog *catalog, const PGresult *rows, int row)
{
	RestFunction *function = function_of(catalog, PQgetvalue(rows, row, ROW_OWNER));
	RestParameter *parameter;

	if (function == NULL)
		return;
	parameter = rest_catalog_add_parameter(catalog, function, value(rows, row, ROW_NAME),
										   value(rows, row, ROW_QUOTED), value(rows, row, ROW_TYPE));
	parameter->required = is_true(rows, row, ROW_MARK);
	parameter->variadic = is_true(rows, row, ROW_FLAG);
}

static void
take_relation(RestCatalog *catalog, const PGresult *rows, int row)
{
	const RestSchema *schema = rest_catalog_schema(catalog, PQgetvalue(rows, row, ROW_OWNER));
	RestRelation *relation;

	if (schema == NULL)
		return;
	relation =
		rest_catalog_add_relation(catalog, schema, value(rows, row, ROW_NAME), value(rows, row, ROW_QUOTED));
	relation->oid = copy(catalog, rows, row, ROW_OID);
	relation->comment = copy(catalog, rows, row, ROW_COMMENT);
}

static void
take_result(RestCatalog *catalog, const PGresult *rows, int row)
{
	RestFunction *function = function_of(catalog, PQgetvalue(rows, row, ROW_OWNER));

	if (function != NULL)
		rest_catalog_add_result(catalog, function, value(rows, row, ROW_NAME), value(rows, row, ROW_QUOTED),
								value(rows, row, ROW_TYPE))
			->kind = kind_of(PQgetvalue(rows, row, ROW_MARK));
}

static void
take_row(RestCatalog *catalog, const PGresult *rows, int row)
{
	switch (atoi(PQgetvalue(rows, row, ROW_KIND)))
	{
		case KIND_SCHEMA:
			rest_catalog_add_schema(catalog, value(rows, row, ROW_NAME), value(rows, row, ROW_QUOTED))
				->comment = copy(catalog, rows, row, ROW_COMMENT);
			break;
		case KIND_RELATION:
			take_relation(catalog, rows, row);
			break;
		case KIND_COLUMN:
			take_column(catalog, rows, row);
			break;
		case KIND_FUNCTION:
			take_function(catalog, rows, row);
			break;
		case KIND_PARAMETER:
			take_parameter(catalog, rows, row);
			break;
		case KIND_RESULT:
			take_result(catalog, rows, row);
			break;
		case KIND_TYPE:
			rest_catalog_add_type(catalog, value(rows, row, ROW_NAME), value(rows, row, ROW_TYPE));
			break;
		case KIND_ZONE:
			rest_catalog_add_zone(catalog, value(rows, row, ROW_NAME));
			break;
		default:
			break;
	}
}

RestCatalog *
rest_catalog_take(const PGresult *rows)
{
	int schemas = 0;
	RestCatalog *catalog;

	while (schemas < PQntuples(rows) && atoi(PQgetvalue(rows, schemas, ROW_KIND)) == KIND_SCHEMA)
		schemas++;
	catalog = rest_catalog_new(schemas);
	for (int row = 0; row < PQntuples(rows); row++)
		take_row(catalog, rows, row);
	rest_catalog_finish(catalog);
	return catalog;
}
