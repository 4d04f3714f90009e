/*
 * rest_jwt.h
 *	  Who sends a request to /rest/v1: the JSON web token that it shows, checked.
 *
 * Which algorithm is used is told by the key that is configured, never by the token.
 */
#ifndef CRYPTO_RT_HTTP_REST_JWT_H
#define CRYPTO_RT_HTTP_REST_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "rest_error.h"

#define REST_JWT_SECRET_MIN 32 /* bytes */

typedef enum RestJwtAlgorithm
{
	REST_JWT_NONE, /* there is no key */
	REST_JWT_HS256,
	REST_JWT_RS256
} RestJwtAlgorithm;

typedef struct RestJwtKey
{
	RestJwtAlgorithm algorithm;
	const char *bytes; /* a secret, or a public key as PEM; and a NUL */
	size_t len;
	const char *audience; /* NULL: any */
} RestJwtKey;

typedef struct RestJwtClaims
{
	const char *role; /* NULL: it names none */
	const char *json; /* all of them */
} RestJwtClaims;

/*
 * Check what Authorization says ("Bearer …"; anything else is no token).  now: unix seconds.  *shown: there was a token.  false:
 * *error says why, and *challenge is the reply's WWW-Authenticate.
 */
extern bool rest_jwt_check(const RestJwtKey *key, const char *authorization, int64_t now, bool *shown,
						   RestJwtClaims *claims, Arena *arena, RestError *error, const char **challenge);

#endif /* CRYPTO_RT_HTTP_REST_JWT_H */
