/*
 * rest_jwt.c
 *	  See rest_jwt.h.
 *
 * libjwt checks the signature, json-c reads the claims.  libjwt goes by the algorithm that the token names, and would take a public
 * key, which everybody has, as the secret of another one: so tokens of any but the key's own are refused before and after.
 *
 * Tokens that have been checked are kept for a while, since a signature costs more to check than a row to read; their times are
 * looked at each time.
 */
#include "rest_jwt.h"

#include <json-c/json.h>
#include <jwt.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

#define SKEW 30 /* seconds by which clocks may differ */
#define KEPT_MAX 256
#define TOKEN_MAX 16384 /* bytes */

typedef struct Kept
{
	char *token; /* NULL: the place is free */
	char *claims;
} Kept;

static Kept kept[KEPT_MAX];

/*
 * Errors.
 */

typedef struct Check
{
	const RestJwtKey *key;
	int64_t now;
	Arena *arena;
	RestError *error;
	const char **challenge;
} Check;

static bool
refuse(const Check *check, const char *code, const char *message, const char *details)
{
	rest_fail(check->error, check->arena, 401, code, "%s", message);
	check->error->details = details;
	*check->challenge =
		arena_format(check->arena, "Bearer error=\"invalid_token\", error_description=\"%s\"", message);
	return false;
}

/*
 * Claims.
 */

/* Seconds; *is_there tells whether it is. */
static bool
read_time(const Check *check, struct json_object *claims, const char *name, double *seconds, bool *is_there)
{
	struct json_object *claim = NULL;

	*is_there = json_object_object_get_ex(claims, name, &claim) && claim != NULL;
	if (!*is_there)
		return true;
	if (!json_object_is_type(claim, json_type_int) && !json_object_is_type(claim, json_type_double))
		return refuse(check, "PGRST303",
					  arena_format(check->arena, "The JWT '%s' claim must be a number", name), NULL);
	*seconds = json_object_get_double(claim);
	return true;
}

static bool
check_times(const Check *check, struct json_object *claims)
{
	double now = (double) check->now;
	double exp = 0;
	double nbf = 0;
	double iat = 0;
	bool has_exp;
	bool has_nbf;
	bool has_iat;

	if (!read_time(check, claims, "exp", &exp, &has_exp) ||
		!read_time(check, claims, "nbf", &nbf, &has_nbf) || !read_time(check, claims, "iat", &iat, &has_iat))
		return false;
	if (has_exp && !(now - SKEW <= exp))
		return refuse(check, "PGRST303", "JWT expired", NULL);
	if (has_nbf && !(now + SKEW >= nbf))
		return refuse(check, "PGRST303", "JWT not yet valid", NULL);
	if (has_iat && !(now + SKEW >= iat))
		return refuse(check, "PGRST303", "JWT issued at future", NULL);
	return true;
}

static bool
is_audience(const Check *check, struct json_object *audience)
{
	return json_object_is_type(audience, json_type_string) &&
		   strcmp(json_object_get_string(audience), check->key->audience) == 0;
}

/* A token that names no audience is for everybody. */
static bool
check_audience(const Check *check, struct json_object *claims)
{
	struct json_object *audience = NULL;
	size_t count;

	if (check->key->audience == NULL || !json_object_object_get_ex(claims, "aud", &audience) ||
		audience == NULL)
		return true;
	if (json_object_is_type(audience, json_type_string))
		return is_audience(check, audience) || refuse(check, "PGRST303", "JWT not in audience", NULL);
	if (!json_object_is_type(audience, json_type_array))
		return refuse(check, "PGRST303", "The JWT 'aud' claim must be a string or an array of strings", NULL);
	count = json_object_array_length(audience);
	for (size_t i = 0; i < count; i++)
		if (is_audience(check, json_object_array_get_idx(audience, i)))
			return true;
	return count == 0 || refuse(check, "PGRST303", "JWT not in audience", NULL);
}

static bool
take_claims(const Check *check, const char *text, RestJwtClaims *taken)
{
	struct json_object *claims = json_tokener_parse(text);
	struct json_object *role = NULL;
	bool fine = json_object_is_type(claims, json_type_object);

	if (!fine)
		refuse(check, "PGRST303", "Parsing claims failed", NULL);
	fine = fine && check_times(check, claims) && check_audience(check, claims);
	if (fine && json_object_object_get_ex(claims, "role", &role) &&
		json_object_is_type(role, json_type_string) &&
		strlen(json_object_get_string(role)) == (size_t) json_object_get_string_len(role))
		taken->role = arena_string(check->arena, json_object_get_string(role));
	taken->json = arena_string(check->arena, text);
	json_object_put(claims);
	return fine;
}

/*
 * Signatures.
 */

static Kept *
place_of(const char *token)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const char *c = token; *c != '\0'; c++)
		hash = (hash ^ (unsigned char) *c) * UINT64_C(0x100000001b3);
	return &kept[(hash >> 32) % KEPT_MAX];
}

/* What the token says of itself; libjwt's own word for it is "none" as long as there is no key. */
static bool
has_algorithm(jwt_t *jwt, const RestJwtKey *key)
{
	const char *algorithm = jwt_get_header(jwt, "alg");

	return algorithm != NULL && strcmp(algorithm, key->algorithm == REST_JWT_RS256 ? "RS256" : "HS256") == 0;
}

/* The claims of a token whose signature is right, for the caller to free; NULL: there is an error. */
static char *
verify(const Check *check, const char *token)
{
	static const char cannot[] = "JWT cryptographic operation failed";
	jwt_t *jwt = NULL;
	char *claims = NULL;
	bool known;

	/* without a key nothing is checked, and all that is read is which algorithm it names */
	if (jwt_decode(&jwt, token, NULL, 0) != 0)
	{
		refuse(check, "PGRST301", "JWT couldn't be decoded", NULL);
		return NULL;
	}
	known = has_algorithm(jwt, check->key);
	jwt_free(jwt);
	jwt = NULL;
	if (!known)
	{
		refuse(check, "PGRST301", "Wrong or unsupported encoding algorithm",
			   check->key->algorithm == REST_JWT_RS256 ? "RS256 is expected" : "HS256 is expected");
		return NULL;
	}
	if (jwt_decode(&jwt, token, (const unsigned char *) check->key->bytes, (int) check->key->len) != 0)
	{
		refuse(check, "PGRST301", cannot, NULL);
		return NULL;
	}
	if (jwt_get_alg(jwt) == (check->key->algorithm == REST_JWT_RS256 ? JWT_ALG_RS256 : JWT_ALG_HS256))
		claims = jwt_get_grants_json(jwt, NULL);
	jwt_free(jwt);
	if (claims == NULL)
		refuse(check, "PGRST301", cannot, NULL);
	return claims;
}

static int
count_parts(const char *token)
{
	int parts = 1;

	for (const char *dot = strchr(token, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
		parts++;
	return parts;
}

static bool
check_token(const Check *check, const char *token, RestJwtClaims *claims)
{
	Kept *place = place_of(token);
	int parts = count_parts(token);
	char *text;

	if (place->token != NULL && strcmp(place->token, token) == 0)
		return take_claims(check, place->claims, claims);
	if (*token == '\0')
		return refuse(check, "PGRST301", "Empty JWT is sent in Authorization header", NULL);
	if (parts != 3)
		return refuse(check, "PGRST301", arena_format(check->arena, "Expected 3 parts in JWT; got %d", parts),
					  NULL);
	if (strlen(token) > TOKEN_MAX)
		return refuse(check, "PGRST301", "JWT couldn't be decoded", NULL);
	text = verify(check, token);
	if (text == NULL)
		return false;
	free(place->token);
	free(place->claims);
	place->token = memory_dup(token);
	place->claims = memory_dup(text);
	free(text);
	return take_claims(check, place->claims, claims);
}

bool
rest_jwt_check(const RestJwtKey *key, const char *authorization, int64_t now, bool *shown,
			   RestJwtClaims *claims, Arena *arena, RestError *error, const char **challenge)
{
	const Check check = {key, now, arena, error, challenge};
	const char *token;
	size_t len;

	*claims = (RestJwtClaims){0};
	*challenge = NULL;
	*shown = authorization != NULL && strncasecmp(authorization, "Bearer", 6) == 0 &&
			 (authorization[6] == ' ' || authorization[6] == '\0');
	if (!*shown)
		return true;
	if (key->algorithm == REST_JWT_NONE)
		return rest_fail(error, arena, 500, "PGRST300", "Server lacks JWT secret");
	token = authorization + 6 + strspn(authorization + 6, " ");
	for (len = strlen(token); len > 0 && token[len - 1] == ' '; len--)
		;
	return check_token(&check, arena_copy(arena, token, len), claims);
}
