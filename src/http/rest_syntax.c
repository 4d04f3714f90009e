/*
 * rest_syntax.c
 *	  See rest_syntax.h.
 *
 * Readers stand at a character and leave the next one that is not theirs.  They follow PostgREST's own grammar, down to what it
 * takes for a name; where that would let the rest of a text pass unread, it is an error here.
 */
#include "rest_syntax.h"

#include <string.h>
#include <strings.h>

#define OPERATOR "operator (eq, gt, ...)"

const char *
rest_syntax_name(RestReader *reader, const char *text)
{
	const char *name;

	rest_reader_begin(reader, "tree path", text, text);
	name = rest_reader_name(reader);
	if (name != NULL && *reader->at != '\0')
	{
		rest_reader_fail(reader, "end of input");
		return NULL;
	}
	return name;
}

/*
 * select
 */

static bool
fail_aggregate(RestReader *reader)
{
	return rest_fail(reader->error, reader->arena, 400, "PGRST123",
					 "Use of aggregate functions is not allowed");
}

/* sum() and so on, behind a column and a dot. */
static bool
is_aggregate(const char *text)
{
	static const char *const names[] = {"sum()", "avg()", "count()", "max()", "min()"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(text, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The parentheses of a related table are not read any further: it is not to be had. */
static bool
pass_parentheses(RestReader *reader)
{
	int depth = 0;

	do
	{
		char c = *reader->at;

		if (c == '\0')
			return rest_reader_fail(reader, "\")\"");
		if (c == '"' && rest_reader_quoted(reader) == NULL)
			return rest_reader_fail_at(reader, reader->at + strlen(reader->at), "\"\\\"\"");
		if (c != '"')
			reader->at++;
		depth += (c == '(') - (c == ')');
	} while (depth > 0);
	return true;
}

/* !hint, !inner, !left */
static bool
pass_hints(RestReader *reader)
{
	while (rest_reader_take(reader, "!"))
		if (rest_reader_name(reader) == NULL)
			return false;
	return true;
}

/* A table that is related, behind its name. */
static bool
read_embedded(RestReader *reader, const char *name)
{
	if (!pass_hints(reader))
		return false;
	if (*reader->at != '(')
		return rest_reader_fail(reader, "\"(\"");
	if (!pass_parentheses(reader))
		return false;
	if (reader->query->embedded == NULL)
		reader->query->embedded = name;
	return true;
}

/* Behind the alias, if there is one. */
static bool
read_selected(RestReader *reader, RestSelect *select)
{
	if (strncmp(reader->at, "count()", 7) == 0)
		return fail_aggregate(reader);
	if (!rest_reader_field(reader, &select->field))
		return false;
	if (select->field.count == 0 && (*reader->at == '(' || *reader->at == '!'))
		return read_embedded(reader, select->field.name);
	if (rest_reader_take(reader, "::") && (select->cast = rest_reader_identifier(reader)) == NULL)
		return false;
	if (*reader->at == '.' && is_aggregate(reader->at + 1))
		return fail_aggregate(reader);
	return true;
}

static bool
read_select(RestReader *reader, RestSelect *select)
{
	const char *begin;

	*select = (RestSelect){0};
	rest_reader_skip(reader);
	begin = reader->at;
	if (rest_reader_take(reader, "*"))
		select->all = true;
	else if (rest_reader_take(reader, "..."))
	{
		const char *name = rest_reader_name(reader);

		if (name == NULL || !read_embedded(reader, name))
			return false;
	}
	else
	{
		/* a name before a single colon is an alias */
		select->alias = rest_reader_name(reader);
		if (select->alias == NULL)
			return false;
		if (reader->at[0] == ':' && reader->at[1] != ':')
			reader->at++;
		else
		{
			select->alias = NULL;
			reader->at = begin;
		}
		if (!read_selected(reader, select))
			return false;
	}
	rest_reader_skip(reader);
	return true;
}

bool
rest_syntax_select(RestReader *reader, const char *text)
{
	RestQuery *query = reader->query;
	RestSelect *items = arena_get(reader->arena, sizeof(RestSelect));

	rest_reader_begin(reader, "select parameter", text, text);
	query->select = items;
	if (*text == '\0')
		return true;
	do
	{
		if (query->select_count == REST_QUERY_ITEMS_MAX)
			return rest_reader_fail_many(reader, REST_QUERY_ITEMS_MAX, "columns");
		items =
			arena_more(reader->arena, items, &query->select_count, &query->select_room, sizeof(RestSelect));
		query->select = items;
		if (!read_select(reader, &items[query->select_count - 1]))
			return false;
	} while (rest_reader_take(reader, ","));
	return *reader->at == '\0' ||
		   rest_reader_fail(
			   reader, "letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" or end of input");
}

/*
 * order
 */

static bool
read_direction(RestReader *reader, RestOrder *order)
{
	const char *word = reader->at + 1;

	if (*reader->at != '.')
		return true;
	reader->at++;
	if (rest_reader_take(reader, "asc"))
		order->direction = REST_ASC;
	else if (rest_reader_take(reader, "desc"))
		order->direction = REST_DESC;
	else if (rest_reader_take(reader, "nullsfirst"))
		order->nulls = REST_NULLS_FIRST;
	else if (rest_reader_take(reader, "nullslast"))
		order->nulls = REST_NULLS_LAST;
	else
		return rest_reader_fail_at(reader, word, "\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"");
	if (*reader->at != '.' || order->nulls != REST_NULLS_DEFAULT)
		return true;
	reader->at++;
	if (rest_reader_take(reader, "nullsfirst"))
		order->nulls = REST_NULLS_FIRST;
	else if (rest_reader_take(reader, "nullslast"))
		order->nulls = REST_NULLS_LAST;
	else
		return rest_reader_fail(reader, "\"nullsfirst\" or \"nullslast\"");
	return true;
}

static bool
read_order(RestReader *reader, RestOrder *order)
{
	*order = (RestOrder){0};
	if (!rest_reader_field(reader, &order->field))
		return false;
	if (*reader->at == '(')
	{
		rest_fail(reader->error, reader->arena, 400, "PGRST108",
				  "'%s' is not an embedded resource in this request", order->field.name);
		reader->error->hint =
			arena_format(reader->arena, "Verify that '%s' is included in the 'select' query parameter.",
						 order->field.name);
		return false;
	}
	if (!read_direction(reader, order))
		return false;
	rest_reader_skip(reader);
	if (*reader->at != '\0' && *reader->at != ',')
		return rest_reader_fail(reader, order->nulls != REST_NULLS_DEFAULT
											? "\",\" or end of input"
											: "delimiter (.), \",\" or end of input");
	return true;
}

bool
rest_syntax_order(RestReader *reader, const char *text)
{
	RestQuery *query = reader->query;
	RestOrder *items = NULL;

	rest_reader_begin(reader, "order", text, text);
	do
	{
		if (query->order_count == REST_QUERY_ITEMS_MAX)
			return rest_reader_fail_many(reader, REST_QUERY_ITEMS_MAX, "columns");
		items = arena_more(reader->arena, items, &query->order_count, &query->order_room, sizeof(RestOrder));
		query->order = items;
		if (!read_order(reader, &items[query->order_count - 1]))
			return false;
	} while (rest_reader_take(reader, ","));
	return true;
}

/*
 * Operators and values.  A value goes to the end of its text, or within and() and or() to a comma or a parenthesis.
 */

static const struct
{
	const char *word;
	RestOperator op;
	enum
	{
		SIMPLE,
		QUANTIFIED, /* takes (any) and (all) */
		SEARCH      /* takes (config) */
	} kind;
} operators[] = {
	{"eq", REST_EQ, QUANTIFIED},       {"neq", REST_NEQ, SIMPLE},
	{"gt", REST_GT, QUANTIFIED},       {"gte", REST_GTE, QUANTIFIED},
	{"lt", REST_LT, QUANTIFIED},       {"lte", REST_LTE, QUANTIFIED},
	{"like", REST_LIKE, QUANTIFIED},   {"ilike", REST_ILIKE, QUANTIFIED},
	{"match", REST_MATCH, QUANTIFIED}, {"imatch", REST_IMATCH, QUANTIFIED},
	{"cs", REST_CS, SIMPLE},           {"cd", REST_CD, SIMPLE},
	{"ov", REST_OV, SIMPLE},           {"sl", REST_SL, SIMPLE},
	{"sr", REST_SR, SIMPLE},           {"nxr", REST_NXR, SIMPLE},
	{"nxl", REST_NXL, SIMPLE},         {"adj", REST_ADJ, SIMPLE},
	{"fts", REST_FTS, SEARCH},         {"plfts", REST_PLFTS, SEARCH},
	{"phfts", REST_PHFTS, SEARCH},     {"wfts", REST_WFTS, SEARCH},
};

/* In and() and or(): quoted, or {…}, or as it is. */
static const char *
read_inner_value(RestReader *reader)
{
	const char *begin = reader->at;
	size_t len;

	if (*begin == '"')
	{
		const char *value = rest_reader_quoted(reader);

		if (value != NULL && (*reader->at == '\0' || *reader->at == ',' || *reader->at == ')'))
			return value;
		reader->at = begin;
	}
	len = *begin == '{' ? 1 + strcspn(begin + 1, "{}") : 0;
	if (len > 0 && begin[len] == '}')
		len++;
	else
		len = strcspn(begin, ",)");
	reader->at += len;
	return arena_copy(reader->arena, begin, len);
}

static const char *
read_value(RestReader *reader, bool inner)
{
	const char *value = reader->at;

	if (inner)
		return read_inner_value(reader);
	reader->at += strlen(value);
	return value;
}

static const char *
read_element(RestReader *reader)
{
	const char *begin = reader->at;
	size_t len;

	if (*begin == '"')
	{
		const char *value = rest_reader_quoted(reader);

		if (value != NULL && (*reader->at == '\0' || *reader->at == ',' || *reader->at == ')'))
			return value;
		reader->at = begin;
	}
	len = strcspn(begin, ",)");
	reader->at += len;
	return arena_copy(reader->arena, begin, len);
}

/* (a,"b,c") */
static bool
read_list(RestReader *reader, RestFilter *filter)
{
	const char **values = NULL;
	int room = 0;

	rest_reader_skip(reader);
	if (!rest_reader_take(reader, "("))
		return rest_reader_fail(reader, "\"(\"");
	rest_reader_skip(reader);
	do
	{
		if (filter->count == REST_QUERY_VALUES_MAX)
			return rest_reader_fail_many(reader, REST_QUERY_VALUES_MAX, "values");
		values = arena_more(reader->arena, values, &filter->count, &room, sizeof(char *));
		values[filter->count - 1] = read_element(reader);
	} while (rest_reader_take(reader, ","));
	filter->values = values;
	if (!rest_reader_take(reader, ")"))
		return rest_reader_fail(reader, "\",\" or \")\"");
	rest_reader_skip(reader);
	return true;
}

static bool
read_is(RestReader *reader, RestFilter *filter)
{
	static const char *const words[] = {[REST_IS_NULL] = "null",
										[REST_IS_NOT_NULL] = "not_null",
										[REST_IS_TRUE] = "true",
										[REST_IS_FALSE] = "false",
										[REST_IS_UNKNOWN] = "unknown"};

	for (int i = REST_IS_NULL; i <= REST_IS_UNKNOWN; i++)
		if (strncasecmp(reader->at, words[i], strlen(words[i])) == 0)
		{
			filter->is = (RestIs) i;
			reader->at += strlen(words[i]);
			return true;
		}
	return rest_reader_fail(reader, "isVal: (null, not_null, true, false, unknown)");
}

/* What stands in the parentheses behind an operator; false: it does not belong there. */
static bool
read_modifier(RestReader *reader, int kind, RestFilter *filter)
{
	if (kind == QUANTIFIED && rest_reader_take(reader, "(any)"))
		filter->quantifier = REST_ANY;
	else if (kind == QUANTIFIED && rest_reader_take(reader, "(all)"))
		filter->quantifier = REST_ALL;
	else if (kind == SEARCH && rest_reader_take(reader, "("))
	{
		size_t len = 0;

		while (rest_reader_is_identifier(reader->at[len]))
			len++;
		if (len == 0 || reader->at[len] != ')')
			return false;
		filter->config = rest_reader_identifier(reader);
		if (filter->config == NULL)
			return false;
		reader->at++;
	}
	else
		return false;
	return true;
}

/*
 * An operator that takes one value.  false: none stands here, and the reader is where it was.
 */
static bool
read_operator(RestReader *reader, RestFilter *filter)
{
	const char *begin = reader->at;
	size_t len = strspn(begin, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
	{
		if (strlen(operators[i].word) != len || strncmp(operators[i].word, begin, len) != 0)
			continue;
		filter->op = operators[i].op;
		reader->at += len;
		if ((*reader->at != '(' || read_modifier(reader, operators[i].kind, filter)) &&
			rest_reader_take(reader, "."))
			return true;
		break;
	}
	reader->at = begin;
	return false;
}

/* Behind the field.  *is_filter comes back false when there is no operator, which need not be an error. */
static bool
read_operation(RestReader *reader, bool inner, RestFilter *filter, bool *is_filter)
{
	*is_filter = true;
	filter->negated = rest_reader_take(reader, "not.");
	if (rest_reader_take(reader, "in."))
	{
		filter->op = REST_IN;
		return read_list(reader, filter);
	}
	if (rest_reader_take(reader, "is."))
	{
		filter->op = REST_IS;
		return read_is(reader, filter);
	}
	if (rest_reader_take(reader, "isdistinct."))
		filter->op = REST_ISDISTINCT;
	else if (!read_operator(reader, filter))
	{
		*reader->error = (RestError){0};
		*is_filter = filter->negated;
		return !filter->negated || rest_reader_fail(reader, OPERATOR);
	}
	filter->value = read_value(reader, inner);
	return true;
}

static bool
count_filter(RestReader *reader)
{
	if (reader->query->filter_count == REST_QUERY_FILTERS_MAX)
		return rest_reader_fail_many(reader, REST_QUERY_FILTERS_MAX, "filters");
	reader->query->filter_count++;
	return true;
}

/* Put it behind those that are there. */
static void
append(RestReader *reader, RestLogic *logic)
{
	RestLogic **last = &reader->query->filters;

	while (*last != NULL)
		last = &(*last)->next;
	*last = logic;
}

/* Fails for a filter on a related table, which has a name before it. */
static bool
read_filtered(RestReader *reader, const char *name, RestField *field)
{
	rest_reader_begin(reader, "tree path", name, name);
	if (!rest_reader_field(reader, field))
		return false;
	if (*reader->at == '.')
	{
		rest_fail(reader->error, reader->arena, 400, "PGRST108",
				  "'%s' is not an embedded resource in this request", field->name);
		reader->error->hint = arena_format(
			reader->arena, "Verify that '%s' is included in the 'select' query parameter.", field->name);
		return false;
	}
	return *reader->at == '\0' || rest_reader_fail(reader, "\"->>\", \"->\", delimiter (.) or end of input");
}

bool
rest_syntax_filter(RestReader *reader, const char *name, const char *text, bool *is_filter)
{
	RestLogic *logic = arena_get(reader->arena, sizeof(RestLogic));

	rest_reader_begin(reader, "filter", text, text);
	if (!read_operation(reader, false, &logic->filter, is_filter))
		return false;
	if (!*is_filter)
		return true;
	if (*reader->at != '\0')
		return rest_reader_fail(reader, "end of input");
	if (!count_filter(reader) || !read_filtered(reader, name, &logic->filter.field))
		return false;
	append(reader, logic);
	return true;
}

bool
rest_syntax_no_operator(RestReader *reader, const char *text)
{
	rest_reader_begin(reader, "filter", text, text);
	return rest_reader_fail(reader, "\"not\" or " OPERATOR);
}

/*
 * and() and or()
 */

static RestLogic *read_logic(RestReader *reader, int depth);

/* Between parentheses. */
static bool
read_members(RestReader *reader, RestLogic *logic, int depth)
{
	RestLogic **last = &logic->first;

	rest_reader_skip(reader);
	if (!rest_reader_take(reader, "("))
		return rest_reader_fail(reader, "\"(\"");
	do
	{
		rest_reader_skip(reader);
		*last = read_logic(reader, depth + 1);
		if (*last == NULL)
			return false;
		last = &(*last)->next;
		rest_reader_skip(reader);
	} while (rest_reader_take(reader, ","));
	if (!rest_reader_take(reader, ")"))
		return rest_reader_fail(reader, "\",\" or \")\"");
	rest_reader_skip(reader);
	return true;
}

/* and(, or(, not.and(, not.or(: up to the parenthesis. */
static bool
read_join(RestReader *reader, RestLogic *logic)
{
	const char *begin = reader->at;

	logic->negated = rest_reader_take(reader, "not.");
	logic->kind = REST_FILTER;
	if (rest_reader_take(reader, "and"))
		logic->kind = REST_AND;
	else if (rest_reader_take(reader, "or"))
		logic->kind = REST_OR;
	rest_reader_skip(reader);
	if (logic->kind != REST_FILTER && *reader->at == '(')
		return true;
	reader->at = begin;
	*logic = (RestLogic){0};
	return false;
}

static bool
read_inner_filter(RestReader *reader, RestFilter *filter)
{
	RestField field;
	bool is_filter;

	if (!count_filter(reader) || !rest_reader_field(reader, &field))
		return false;
	if (!rest_reader_take(reader, "."))
		return rest_reader_fail(reader, "delimiter (.)");
	if (!read_operation(reader, true, filter, &is_filter))
		return false;
	filter->field = field;
	return is_filter || rest_reader_fail(reader, "\"not\" or " OPERATOR);
}

/* NULL: there is an error. */
static RestLogic *
read_logic(RestReader *reader, int depth)
{
	RestLogic *logic = arena_get(reader->arena, sizeof(RestLogic));
	bool fine;

	if (depth > REST_QUERY_DEPTH_MAX)
		fine = rest_reader_fail_many(reader, REST_QUERY_DEPTH_MAX, "levels of and() and or()");
	else if (read_join(reader, logic))
		fine = read_members(reader, logic, depth);
	else if (*reader->at == ')')
		fine = rest_reader_fail(
			reader, "field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)");
	else
		fine = read_inner_filter(reader, &logic->filter);
	return fine ? logic : NULL;
}

bool
rest_syntax_logic(RestReader *reader, const char *name, const char *text)
{
	bool negated = strncmp(name, "not.", 4) == 0;
	const char *word = name + (negated ? 4 : 0);
	RestLogic *logic;

	if (strchr(word, '.') != NULL)
		return read_filtered(reader, name, &(RestField){0});
	rest_reader_begin(reader, "logic tree", text, arena_format(reader->arena, "%s%s", name, text));
	logic = read_logic(reader, 1);
	if (logic == NULL)
		return false;
	if (*reader->at != '\0')
		return rest_reader_fail(reader, "end of input");
	append(reader, logic);
	return true;
}
