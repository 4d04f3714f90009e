/*
 * settings.c
 *	  The settings crypto_rt.*: definitions, checks, accessors.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "../core/redis_url.h"
#include "../core/schedule.h"
#include "compat.h"
#include "settings.h"

#define REDIS_URL_HIDDEN "(hidden)"

static char *database;
static char *source_url;
static double max_requests_per_second;
static int max_rank;
static int max_coins;
static char *tiers_text;
static TierList *tiers;         /* tiers_text, read */
static char *redis_url_setting; /* REDIS_URL_HIDDEN */
static const char *redis_url;   /* the url itself */
static char *redis_password_file;
static double ttl_factor;
static int ticker_top;
static int snapshot_top;
static int flush_interval;
static int snapshot_retention;
static char *candle_retention_text;
static Retention *candle_retention; /* candle_retention_text, read */

static bool
check_database(char **value, void **extra, GucSource source)
{
	if ((*value)[0] != '\0' && strlen(*value) < NAMEDATALEN)
		return true;
	GUC_check_errdetail("It must be the name of a database, of 1 to %d bytes.", NAMEDATALEN - 1);
	return false;
}

static bool
check_source_url(char **value, void **extra, GucSource source)
{
	const char *host = strncmp(*value, "https://", 8) == 0  ? *value + 8
					   : strncmp(*value, "http://", 7) == 0 ? *value + 7
															: NULL;
	size_t length = host == NULL ? 0 : strcspn(host, "/?#");

	if (host == NULL)
		GUC_check_errdetail("It must begin with https:// or http://.");
	else if (length == 0 || host[0] == ':')
		GUC_check_errdetail("It has no host after its scheme.");
	else if (memchr(host, '@', length) != NULL)
		GUC_check_errdetail("It must not hold a user name or a password.");
	else if (strpbrk(*value, "?# \t\r\n\"<>\\^`{|}") != NULL)
		GUC_check_errdetail("It must not hold a query, a fragment, spaces or any of \"<>\\^`{|}.");
	else if (strlen(*value) > 1000)
		GUC_check_errdetail("It is longer than 1000 bytes.");
	else
	{
		size_t end = strlen(*value);

		/* one form only, so that a path can be appended */
		while ((*value)[end - 1] == '/')
			(*value)[--end] = '\0';
		return true;
	}
	GUC_check_errhint("CoinLore's own is https://api.coinlore.net/api.");
	return false;
}

static bool
check_tiers(char **value, void **extra, GucSource source)
{
	char err[160];
	TierList list = {0}; /* all of it: lists are compared as a whole */
	TierList *copy;

	if (!tier_parse(*value, &list, err, sizeof(err)))
	{
		GUC_check_errdetail("In \"%s\", %s.", *value, err);
		GUC_check_errhint("Write ranks up to N : seconds (or milliseconds: 500ms), as in %s.", TIER_DEFAULT);
		return false;
	}
	copy = COMPAT_GUC_MALLOC(sizeof(TierList));
	if (copy == NULL)
		return false;
	*copy = list;
	*extra = copy;
	return true;
}

static void
assign_tiers(const char *value, void *extra)
{
	tiers = extra;
}

static bool
check_candle_retention(char **value, void **extra, GucSource source)
{
	char err[160];
	Retention retention;

	if (!retention_parse(*value, &retention, err, sizeof(err)))
	{
		GUC_check_errdetail("In \"%s\", %s.", *value, err);
		GUC_check_errhint("Write resolution : days, as in %s, or * for ever.", RETENTION_DEFAULT);
		return false;
	}
	*extra = COMPAT_GUC_MALLOC(sizeof(Retention));
	if (*extra == NULL)
		return false;
	*(Retention *) *extra = retention;
	return true;
}

static void
assign_candle_retention(const char *value, void *extra)
{
	candle_retention = extra;
}

/*
 * The url of Redis may hold a password.  The server itself logs a value that a reload changes, and pg_settings shows
 * it as reset_val.  So the setting's value is one text for every url, and the url is kept beside it.
 */
static bool
check_redis_url(char **value, void **extra, GucSource source)
{
	const char *url = *value;
	const char *wrong;
	RedisUrl parsed;
	char *kept;

	/* a parallel worker is handed its leader's settings, this text among them */
	if (strcmp(url, REDIS_URL_HIDDEN) == 0)
		url = redis_url != NULL ? redis_url : "";
	wrong = url[0] == '\0' ? NULL : redis_url_parse(url, &parsed);
	if (wrong != NULL)
	{
		/* the server's own message would repeat the value */
		GUC_check_errmsg("invalid value for parameter \"crypto_rt.redis_url\"");
		GUC_check_errdetail("%c%s.", pg_toupper((unsigned char) wrong[0]), wrong + 1);
		GUC_check_errhint(
			"Write redis://[user@]host[:port][/database], unix:///path, or nothing for no Redis.");
		return false;
	}
	kept = COMPAT_GUC_STRDUP(url);
	if (kept == NULL)
		return false;
	*extra = kept;
	COMPAT_GUC_FREE(*value);
	*value = COMPAT_GUC_STRDUP(REDIS_URL_HIDDEN);
	return *value != NULL;
}

static void
assign_redis_url(const char *value, void *extra)
{
	redis_url = extra;
}

static const char *
show_redis_url(void)
{
	static char masked[REDIS_URL_SIZE + 4];

	redis_url_masked(redis_url, masked, sizeof(masked));
	return masked;
}

void
settings_define(void)
{
	DefineCustomStringVariable("crypto_rt.database", "Database whose tables are written.", NULL, &database,
							   "postgres", PGC_POSTMASTER, 0, check_database, NULL, NULL);
	DefineCustomStringVariable("crypto_rt.source_url", "Base URL of the CoinLore API.", NULL, &source_url,
							   "https://api.coinlore.net/api", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_source_url, NULL, NULL);
	DefineCustomRealVariable(
		"crypto_rt.max_requests_per_second", "Requests per second sent to CoinLore at the most.",
		"CoinLore recommends 1. When this is too little for all tiers, low tiers are polled less often.",
		&max_requests_per_second, 4, 0.1, 1000, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("crypto_rt.max_rank", "Track only the best so many coins; 0 for all.", NULL,
							&max_rank, 0, 0, SCHEDULE_PAGES_MAX * SCHEDULE_PAGE_ROWS, PGC_SIGHUP, 0, NULL,
							NULL, NULL);
	DefineCustomIntVariable("crypto_rt.max_coins", "Coins that shared memory has room for.", NULL, &max_coins,
							20000, 100, SCHEDULE_PAGES_MAX * SCHEDULE_PAGE_ROWS, PGC_POSTMASTER, 0, NULL,
							NULL, NULL);
	DefineCustomStringVariable("crypto_rt.tiers",
							   "Which ranks are polled how often: ranks up to N : seconds, ....", NULL,
							   &tiers_text, TIER_DEFAULT, PGC_SIGHUP, 0, check_tiers, assign_tiers, NULL);
	DefineCustomStringVariable("crypto_rt.redis_url", "Redis to write quotes to; empty for none.",
							   "Its password, if any, is better kept in crypto_rt.redis_password_file.",
							   &redis_url_setting, "redis://127.0.0.1:6379/0", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_redis_url, assign_redis_url, show_redis_url);
	DefineCustomStringVariable("crypto_rt.redis_password_file",
							   "File whose first line is the password for Redis.", NULL, &redis_password_file,
							   "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomRealVariable("crypto_rt.ttl_factor", "Multiplies the time for which a quote is good.", NULL,
							 &ttl_factor, 1.0, 0.1, 1000, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("crypto_rt.ticker_top", "Best so many coins kept in tickers; 0 for all.", NULL,
							&ticker_top, 1000, 0, INT_MAX, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"crypto_rt.snapshot_top",
		"Best so many coins whose changed prices are appended to crypto_snapshots; 0 for all.", NULL,
		&snapshot_top, 1000, 0, INT_MAX, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("crypto_rt.flush_interval", "Time from commit to commit of the recorder.", NULL,
							&flush_interval, 1000, 50, 60000, PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"crypto_rt.snapshot_retention", "Time for which snapshots are kept, by whole days; 0 for ever.", NULL,
		&snapshot_retention, 7 * 1440, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MIN, NULL, NULL, NULL);
	DefineCustomStringVariable("crypto_rt.candle_retention",
							   "Time for which candles are kept: resolution : days, ....",
							   "Those of days are kept for ever.", &candle_retention_text, RETENTION_DEFAULT,
							   PGC_SIGHUP, 0, check_candle_retention, assign_candle_retention, NULL);
	MarkGUCPrefixReserved("crypto_rt");
}

const char *
settings_database(void)
{
	return database;
}

const char *
settings_source_url(void)
{
	return source_url;
}

double
settings_max_requests_per_second(void)
{
	return max_requests_per_second;
}

int
settings_max_rank(void)
{
	return max_rank;
}

int
settings_max_coins(void)
{
	return max_coins;
}

const TierList *
settings_tiers(void)
{
	return tiers;
}

const char *
settings_redis_url(void)
{
	return redis_url;
}

const char *
settings_redis_password_file(void)
{
	return redis_password_file;
}

double
settings_ttl_factor(void)
{
	return ttl_factor;
}

int
settings_ticker_top(void)
{
	return ticker_top;
}

int
settings_snapshot_top(void)
{
	return snapshot_top;
}

int
settings_flush_interval(void)
{
	return flush_interval;
}

int
settings_snapshot_retention(void)
{
	return snapshot_retention;
}

Retention
settings_candle_retention(void)
{
	return *candle_retention;
}

int
settings_ttl(int rank)
{
	int ttl = (int) (tier_get(tiers, tier_of_rank(tiers, rank))->ttl * ttl_factor);

	return ttl < 1 ? 1 : ttl;
}
