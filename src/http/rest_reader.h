/*
 * rest_reader.h
 *	  The words of PostgREST's dialect: names, quotes, columns with steps into JSON.
 *
 * A reader stands at a character, and leaves the next one that is not its.  What is wrong is told as PostgREST tells it: in which
 * parameter, at which character, what was found there, and what was expected.
 */
#ifndef CRYPTO_RT_HTTP_REST_READER_H
#define CRYPTO_RT_HTTP_REST_READER_H

#include "rest_query.h"

/* Zero it but for the first three. */
typedef struct RestReader
{
	RestQuery *query;
	Arena *arena;
	RestError *error;

	/* what is being read */
	const char *what;  /* as a message calls it */
	const char *shown; /* as the user wrote it */
	const char *text;
	const char *at;
} RestReader;

extern void rest_reader_begin(RestReader *reader, const char *what, const char *shown, const char *text);

/* An error at a character, or where the reader stands; and one of a number that is too large.  All return false. */
extern bool rest_reader_fail_at(RestReader *reader, const char *at, const char *expected);
extern bool rest_reader_fail(RestReader *reader, const char *expected);
extern bool rest_reader_fail_many(RestReader *reader, int most, const char *of_what);

/* Pass over blanks; and over a text, if it stands here. */
extern void rest_reader_skip(RestReader *reader);
extern bool rest_reader_take(RestReader *reader, const char *text);

/* Letters, digits, _, $, blanks, and all that is not ASCII. */
extern bool rest_reader_is_identifier(char c);

/* In quotes, where a backslash takes the next character as it is; NULL, without an error: the quotes do not end. */
extern const char *rest_reader_quoted(RestReader *reader);

/* A column's name, with quotes perhaps; that of a type or of a text search configuration.  NULL: there is an error. */
extern const char *rest_reader_name(RestReader *reader);
extern const char *rest_reader_identifier(RestReader *reader);

/* A column and its steps into JSON, with blanks around them. */
extern bool rest_reader_field(RestReader *reader, RestField *field);

#endif /* CRYPTO_RT_HTTP_REST_READER_H */
