/*
 * rest_reader.c
 *	  See rest_reader.h.
 */
#include "rest_reader.h"

#include <string.h>

/*
 * Errors.
 */

void
rest_reader_begin(RestReader *reader, const char *what, const char *shown, const char *text)
{
	reader->what = what;
	reader->shown = shown;
	reader->text = reader->at = text;
}

bool
rest_reader_fail_at(RestReader *reader, const char *at, const char *expected)
{
	int column = 1;
	int len = 1;

	for (const char *c = reader->text; c < at; c++)
		column += ((unsigned char) *c & 0xc0) != 0x80;
	while (at[0] != '\0' && ((unsigned char) at[len] & 0xc0) == 0x80)
		len++;
	rest_fail(reader->error, reader->arena, 400, "PGRST100",
			  "\"failed to parse %s (%s)\" (line 1, column %d)", reader->what, reader->shown, column);
	if (at[0] == '\0')
		reader->error->details =
			arena_format(reader->arena, "unexpected end of input expecting %s", expected);
	else
		reader->error->details =
			arena_format(reader->arena, "unexpected \"%.*s\" expecting %s", len, at, expected);
	return false;
}

bool
rest_reader_fail(RestReader *reader, const char *expected)
{
	return rest_reader_fail_at(reader, reader->at, expected);
}

bool
rest_reader_fail_many(RestReader *reader, int most, const char *of_what)
{
	rest_reader_fail(reader, "the end of input");
	reader->error->details = arena_format(reader->arena, "there are more than %d %s", most, of_what);
	return false;
}

/*
 * Words.
 */

void
rest_reader_skip(RestReader *reader)
{
	reader->at += strspn(reader->at, " \t");
}

/* Pass over a text, if it stands here. */
bool
rest_reader_take(RestReader *reader, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(reader->at, text, len) != 0)
		return false;
	reader->at += len;
	return true;
}

bool
rest_reader_is_identifier(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		   c == '$' || c == ' ' || (c & 0x80) != 0;
}

/* What may stand in a key of JSON without quotes. */
static bool
is_key_char(char c)
{
	return c != '\0' && strchr("(-:.,>)", c) == NULL;
}

/* In quotes, where a backslash takes the next character as it is; NULL: the quotes do not end. */
const char *
rest_reader_quoted(RestReader *reader)
{
	const char *from = reader->at + 1;
	char *text = arena_get(reader->arena, strlen(from) + 1);
	char *to = text;

	for (; *from != '"'; from++)
	{
		if (*from == '\\')
			from++;
		if (*from == '\0')
			return NULL;
		*to++ = *from;
	}
	reader->at = from + 1;
	return text;
}

/* Parts of a name that dashes join, each without blanks around it; a dash before > is an arrow's.  NULL: there is none. */
static const char *
read_dashed(RestReader *reader, bool (*fits)(char c))
{
	char *name = arena_get(reader->arena, strlen(reader->at) + 1);
	size_t len = 0;
	const char *c = reader->at;

	while (fits(*c))
	{
		const char *begin = c;
		const char *end;

		while (fits(*c))
			c++;
		for (end = c; end > begin && (end[-1] == ' ' || end[-1] == '\t'); end--)
			;
		begin += strspn(begin, " \t") <= (size_t) (end - begin) ? strspn(begin, " \t") : 0;
		if (end > begin)
			memcpy(name + len, begin, (size_t) (end - begin));
		len += end > begin ? (size_t) (end - begin) : 0;
		reader->at = c;
		if (c[0] != '-' || !fits(c[1]))
			break;
		name[len++] = '-';
		c++;
	}
	return c == reader->at && len > 0 ? name : NULL;
}

const char *
rest_reader_name(RestReader *reader)
{
	static const char expected[] = "field name (* or [a..z0..9_$])";
	const char *begin = reader->at;
	const char *name =
		*begin == '"' ? rest_reader_quoted(reader) : read_dashed(reader, rest_reader_is_identifier);

	if (name == NULL)
		rest_reader_fail_at(reader, *begin == '"' ? begin + strlen(begin) : begin,
							*begin == '"' ? "\"\\\"\"" : expected);
	return name;
}

/* Letters, digits, _, $ and blanks: the name of a type, or of a text search configuration.  NULL: there is none. */
const char *
rest_reader_identifier(RestReader *reader)
{
	const char *begin = reader->at;
	const char *end;

	while (rest_reader_is_identifier(*reader->at))
		reader->at++;
	begin += strspn(begin, " ");
	for (end = reader->at; end > begin && end[-1] == ' '; end--)
		;
	if (end <= begin)
	{
		rest_reader_fail(reader, "letter or digit");
		return NULL;
	}
	return arena_copy(reader->arena, begin, (size_t) (end - begin));
}

/*
 * Fields: a column, and steps into its JSON.
 */

/* An index is one only up to where a step may end: ->0abc is a key. */
static bool
read_index(RestReader *reader, RestStep *step)
{
	const char *end = reader->at + (*reader->at == '-');
	size_t digits = strspn(end, "0123456789");

	end += digits;
	if (digits == 0 || (*end != '\0' && strchr(".,)", *end) == NULL && strncmp(end, "->", 2) != 0 &&
						strncmp(end, "::", 2) != 0))
		return false;
	step->key = arena_copy(reader->arena, reader->at, (size_t) (end - reader->at));
	step->is_index = true;
	reader->at = end;
	return true;
}

static bool
read_step(RestReader *reader, RestStep *step)
{
	const char *begin;

	step->as_text = rest_reader_take(reader, "->>") || !rest_reader_take(reader, "->");
	begin = reader->at;
	if (read_index(reader, step))
		return true;
	step->key = *begin == '"' ? rest_reader_quoted(reader) : read_dashed(reader, is_key_char);
	if (step->key == NULL)
		return rest_reader_fail_at(reader, begin, "any non reserved character different from: .,>()");
	return true;
}

static bool
read_steps(RestReader *reader, RestField *field)
{
	RestStep *steps = NULL;
	int room = 0;

	while (strncmp(reader->at, "->", 2) == 0)
	{
		if (field->count == REST_QUERY_DEPTH_MAX)
			return rest_reader_fail_many(reader, REST_QUERY_DEPTH_MAX, "steps into JSON");
		steps = arena_more(reader->arena, steps, &field->count, &room, sizeof(RestStep));
		if (!read_step(reader, &steps[field->count - 1]))
			return false;
	}
	field->steps = steps;
	return true;
}

bool
rest_reader_field(RestReader *reader, RestField *field)
{
	*field = (RestField){0};
	rest_reader_skip(reader);
	field->name = rest_reader_name(reader);
	if (field->name == NULL || !read_steps(reader, field))
		return false;
	rest_reader_skip(reader);
	return true;
}
