/*
 * rest_syntax.h
 *	  The parts of PostgREST's dialect, each read from a string of its own into the reader's query.
 *
 * All return false when something is wrong, and then there is an error.
 */
#ifndef CRYPTO_RT_HTTP_REST_SYNTAX_H
#define CRYPTO_RT_HTTP_REST_SYNTAX_H

#include "rest_reader.h"

/* a,alias:b::type,c->d->>e */
extern bool rest_syntax_select(RestReader *reader, const char *text);

/* a.desc.nullslast,b */
extern bool rest_syntax_order(RestReader *reader, const char *text);

/*
 * A filter on `name`, a column perhaps with steps into JSON: not.eq.5.  When *is_filter comes back false, the value begins with no
 * operator, which is for the caller to judge: rest_syntax_no_operator makes an error of it.
 */
extern bool rest_syntax_filter(RestReader *reader, const char *name, const char *text, bool *is_filter);
extern bool rest_syntax_no_operator(RestReader *reader, const char *text);

/* The (…) of and=(…), or=(…), not.and=(…), not.or=(…). */
extern bool rest_syntax_logic(RestReader *reader, const char *name, const char *text);

/* A name as it may stand in the place of a column, with quotes perhaps; NULL: it is none, and there is an error. */
extern const char *rest_syntax_name(RestReader *reader, const char *text);

#endif /* CRYPTO_RT_HTTP_REST_SYNTAX_H */
