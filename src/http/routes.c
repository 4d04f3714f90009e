/*
 * routes.c
 *	  See routes.h.
 */
#include "routes.h"

#include <string.h>

#include "candles.h"
#include "metrics.h"
#include "prices.h"
#include "rest.h"
#include "stats.h"
#include "stream.h"
#include "web.h"

#define NEAR_LEN 80 /* longer paths have no hint */

/* The most wanted first. */
static const Route routes[] = {
	{.name = "/api/v1/crypto/{symbol}/price", .handle = prices_one},
	{.name = "/api/v1/crypto/prices", .handle = prices_many},
	{.name = "/api/v1/crypto/stream", .handle = stream_open},
	{.name = "/api/v1/crypto", .handle = prices_page},
	{.name = "/api/v1/crypto/stats", .handle = stats_show},
	{.name = "/api/v1/crypto/{symbol}/candles", .handle = candles_show},
	{.name = "/healthz", .handle = metrics_health, .unlimited = true},
	{.name = "/readyz", .handle = metrics_ready, .unlimited = true},
	{.name = "/metrics", .handle = metrics_show, .unlimited = true},
	{.name = REST_PREFIX "/{table}", .handle = rest_table, .any_method = true},
	{.name = REST_PREFIX "/rpc/{function}", .handle = rest_function, .any_method = true},
	{.name = REST_PREFIX, .handle = rest_root, .any_method = true},
	{.name = "/api", .handle = web_list},
	{.name = "/", .handle = web_index},
};

/* One for all that is below REST_PREFIX and nothing there. */
static const Route rest_route = {.name = REST_PREFIX "/{path}", .handle = rest_unknown, .any_method = true};

/* One for all files of the dashboard. */
static const Route file_route = {.name = "/{file}", .handle = web_file};

const Route routes_none = {.name = "none"};

#define ROUTES ((int) (sizeof(routes) / sizeof(routes[0])))

/* Whether a path is of a pattern; a slash at its end does not count. */
static bool
matches(const char *pattern, const char *path, const char **symbol, size_t *len)
{
	const char *hole = strchr(pattern, '{');
	size_t before = hole != NULL ? (size_t) (hole - pattern) : strlen(pattern);

	if (strncmp(pattern, path, before) != 0)
		return false;
	path += before;
	if (hole != NULL)
	{
		*symbol = path;
		*len = strcspn(path, "/");
		path += *len;
		hole = strchr(hole, '}') + 1;
		if (*len == 0 || strncmp(hole, path, strlen(hole)) != 0)
			return false;
		path += strlen(hole);
	}
	return *path == '\0' || strcmp(path, "/") == 0;
}

const Route *
routes_find(const char *path, const char **symbol, size_t *len)
{
	*symbol = "";
	*len = 0;
	for (int i = 0; i < ROUTES; i++)
		if (matches(routes[i].name, path, symbol, len))
			return &routes[i];
	*symbol = "";
	*len = 0;
	if (routes_any_method(path))
		return &rest_route;
	if (path[0] != '/' || !web_has(path + 1))
		return NULL;
	*symbol = path + 1;
	*len = strlen(path + 1);
	return &file_route;
}

bool
routes_any_method(const char *path)
{
	size_t len = strlen(REST_PREFIX);

	return strncmp(path, REST_PREFIX, len) == 0 && strchr("/?", path[len]) != NULL;
}

/* Insertions, deletions and exchanges that make b of a; both are at most NEAR_LEN long. */
static int
distance(const char *a, size_t alen, const char *b, size_t blen)
{
	int row[NEAR_LEN + 1];

	for (size_t j = 0; j <= blen; j++)
		row[j] = (int) j;
	for (size_t i = 1; i <= alen; i++)
	{
		int diagonal = row[0];

		row[0] = (int) i;
		for (size_t j = 1; j <= blen; j++)
		{
			int best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[blen];
}

/* The pattern with this path's own segment in the place of {symbol}, where it has one there. */
static size_t
fill(const char *pattern, const char *path, char *filled)
{
	const char *hole = strchr(pattern, '{');
	size_t before;
	size_t segment;

	strcpy(filled, pattern);
	if (hole == NULL)
		return strlen(filled);
	before = (size_t) (hole - pattern);
	if (strlen(path) <= before)
		return strlen(filled);
	segment = strcspn(path + before, "/");
	memcpy(filled + before, path + before, segment);
	strcpy(filled + before + segment, strchr(hole, '}') + 1);
	return strlen(filled);
}

const char *
routes_near(const char *path)
{
	const char *near = NULL;
	size_t len = strlen(path);
	int best = 7; /* a missing /price is 6 away */

	if (len > NEAR_LEN)
		return NULL;
	for (int i = 0; i < ROUTES; i++)
	{
		char filled[2 * NEAR_LEN];
		size_t n = fill(routes[i].name, path, filled);
		int d = n <= NEAR_LEN ? distance(path, len, filled, n) : best;

		if (d < best && 2 * (size_t) d < n)
		{
			best = d;
			near = routes[i].name;
		}
	}
	return near;
}

int
routes_count(void)
{
	return ROUTES;
}

const Route *
routes_get(int i)
{
	return &routes[i];
}
