/*
 * rest_filter.c
 *	  See rest_filter.h.
 *
 * A parameter beside a column has no type of its own: PostgreSQL gives it the column's, and says what is wrong with a value.
 * Operators are found by search_path, so that those of an extension's types are.
 */
#include "rest_filter.h"

#include <string.h>

#include "rest_call.h"

#define LIKE_NAME 0.6

void
rest_filter_parameter(RestFilterWriter *writer, const char *value)
{
	writer->values =
		arena_more(writer->arena, writer->values, &writer->value_count, &writer->value_room, sizeof(char *));
	writer->values[writer->value_count - 1] = value;
	text_format(&writer->text, "$%d", writer->value_count);
}

/* As PostgreSQL would say it, if it were asked. */
static bool
fail_column(RestFilterWriter *writer, const char *name)
{
	const char *best = NULL;
	double most = LIKE_NAME;

	for (int i = 0; i < writer->count; i++)
	{
		double likeness = rest_error_likeness(name, writer->columns[i].name);

		if (likeness < most)
			continue;
		most = likeness;
		best = writer->columns[i].name;
	}
	rest_fail(writer->error, writer->arena, 400, "42703", "column %s.%s does not exist", writer->name, name);
	if (best != NULL)
		writer->error->hint = arena_format(
			writer->arena, "Perhaps you meant to reference the column \"%s.%s\".", writer->name, best);
	return false;
}

bool
rest_filter_field(RestFilterWriter *writer, const RestField *field, const RestColumn **column)
{
	bool steps = field->count > 0;
	bool convert;

	*column = field->name != NULL ? rest_catalog_column(writer->count, writer->columns, field->name) : NULL;
	if (*column == NULL)
		return fail_column(writer, field->name != NULL ? field->name : "*");
	convert = steps && (*column)->kind != REST_COLUMN_JSON;
	text_format(&writer->text, "%s%sr.%s%s", steps ? "(" : "", convert ? "pg_catalog.to_jsonb(" : "",
				(*column)->quoted, convert ? ")" : "");
	for (int i = 0; i < field->count; i++)
	{
		text_string(&writer->text, field->steps[i].as_text ? " ->> " : " -> ");
		rest_filter_parameter(writer, field->steps[i].key);
		text_string(&writer->text, field->steps[i].is_index ? "::pg_catalog.int4" : "::pg_catalog.text");
	}
	text_string(&writer->text, steps ? ")" : "");
	return true;
}

/* * stands for % in patterns. */
static const char *
pattern_of(RestFilterWriter *writer, const char *value)
{
	char *pattern = arena_string(writer->arena, value);

	for (char *c = pattern; *c != '\0'; c++)
		if (*c == '*')
			*c = '%';
	return pattern;
}

static void
write_comparison(RestFilterWriter *writer, const RestFilter *filter)
{
	static const char *const operators[REST_OPERATORS] = {
		[REST_EQ] = "=",
		[REST_NEQ] = "<>",
		[REST_GT] = ">",
		[REST_GTE] = ">=",
		[REST_LT] = "<",
		[REST_LTE] = "<=",
		[REST_LIKE] = "LIKE",
		[REST_ILIKE] = "ILIKE",
		[REST_MATCH] = "~",
		[REST_IMATCH] = "~*",
		[REST_CS] = "@>",
		[REST_CD] = "<@",
		[REST_OV] = "&&",
		[REST_SL] = "<<",
		[REST_SR] = ">>",
		[REST_NXR] = "&<",
		[REST_NXL] = "&>",
		[REST_ADJ] = "-|-",
		[REST_ISDISTINCT] = "IS DISTINCT FROM",
	};
	static const char *const quantifiers[] = {[REST_ONE] = "", [REST_ANY] = "ANY (", [REST_ALL] = "ALL ("};
	bool pattern = filter->op == REST_LIKE || filter->op == REST_ILIKE;

	text_format(&writer->text, " %s %s", operators[filter->op], quantifiers[filter->quantifier]);
	rest_filter_parameter(writer, pattern ? pattern_of(writer, filter->value) : filter->value);
	text_string(&writer->text, filter->quantifier != REST_ONE ? ")" : "");
}

static void
write_is(RestFilterWriter *writer, const RestFilter *filter)
{
	static const char *const words[] = {[REST_IS_NULL] = "NULL",
										[REST_IS_NOT_NULL] = "NOT NULL",
										[REST_IS_TRUE] = "TRUE",
										[REST_IS_FALSE] = "FALSE",
										[REST_IS_UNKNOWN] = "UNKNOWN"};

	text_format(&writer->text, " IS %s", words[filter->is]);
}

/* A list is one parameter, so that its length makes no difference to the text. */
static void
write_in(RestFilterWriter *writer, const RestFilter *filter)
{
	bool empty = filter->count == 1 && filter->values[0][0] == '\0';

	text_string(&writer->text, " = ANY (");
	rest_filter_parameter(writer, rest_call_array(empty ? 0 : filter->count, filter->values, writer->arena));
	text_string(&writer->text, ")");
}

static void
write_config(RestFilterWriter *writer, const RestFilter *filter)
{
	if (filter->config == NULL)
		return;
	rest_filter_parameter(writer, filter->config);
	text_string(&writer->text, "::pg_catalog.regconfig, ");
}

/* Text and JSON are made into what can be searched first. */
static bool
write_search(RestFilterWriter *writer, const RestFilter *filter)
{
	static const char *const functions[REST_OPERATORS] = {[REST_FTS] = "to_tsquery",
														  [REST_PLFTS] = "plainto_tsquery",
														  [REST_PHFTS] = "phraseto_tsquery",
														  [REST_WFTS] = "websearch_to_tsquery"};
	const RestColumn *column = rest_catalog_column(writer->count, writer->columns, filter->field.name);
	bool vector = column != NULL && column->kind == REST_COLUMN_TSVECTOR && filter->field.count == 0;

	if (!vector)
	{
		text_string(&writer->text, "pg_catalog.to_tsvector(");
		write_config(writer, filter);
	}
	if (!rest_filter_field(writer, &filter->field, &column))
		return false;
	text_format(&writer->text, "%s @@ pg_catalog.%s(", vector ? "" : ")", functions[filter->op]);
	write_config(writer, filter);
	rest_filter_parameter(writer, filter->value);
	text_string(&writer->text, ")");
	return true;
}

static bool
write_filter(RestFilterWriter *writer, const RestFilter *filter)
{
	const RestColumn *column;

	text_string(&writer->text, filter->negated ? "NOT (" : "");
	if (filter->op >= REST_FTS)
	{
		if (!write_search(writer, filter))
			return false;
	}
	else
	{
		if (!rest_filter_field(writer, &filter->field, &column))
			return false;
		if (filter->op == REST_IS)
			write_is(writer, filter);
		else if (filter->op == REST_IN)
			write_in(writer, filter);
		else
			write_comparison(writer, filter);
	}
	text_string(&writer->text, filter->negated ? ")" : "");
	return true;
}

static bool
write_joined(RestFilterWriter *writer, const RestLogic *first, const char *join)
{
	for (const RestLogic *logic = first; logic != NULL; logic = logic->next)
	{
		text_string(&writer->text, logic != first ? join : "");
		if (logic->kind == REST_FILTER)
		{
			if (!write_filter(writer, &logic->filter))
				return false;
			continue;
		}
		text_string(&writer->text, logic->negated ? "NOT (" : "(");
		/* reading has bounded the depth */
		if (!write_joined(writer, logic->first, logic->kind == REST_AND ? " AND " : " OR "))
			return false;
		text_string(&writer->text, ")");
	}
	return true;
}

bool
rest_filter_write(RestFilterWriter *writer, const RestLogic *logic)
{
	return write_joined(writer, logic, " AND ");
}
