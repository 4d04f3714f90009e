/*
 * watch.c
 *	  How long a price takes from the last byte of CoinLore's answer to where people read it.
 *
 *	  watch TRACE SECONDS sql|tickers CONNINFO
 *	  watch TRACE SECONDS redis PORT
 *
 * The simulator's trace tells, for each page, when its last byte was sent and the price of the page's first coin.
 * Each time that price differs from the one before, this asks for it over and over until it is there.
 * Prints: changes seen, and the median, the 99th percentile and the largest of the times, in milliseconds.
 */
#define _GNU_SOURCE
#include <hiredis.h>
#include <libpq-fe.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGES 2000
#define SAMPLES 100000
#define GIVE_UP 15000000 /* us */
#define PAUSE 50         /* us */

static PGconn *pg;
static redisContext *redis;
static const char *statement;
static double samples[SAMPLES];
static int nsamples;
static int missed;

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* 1: the price is there, 0: not yet, -1: it will not be (the coin does not own its symbol, or is not kept there). */
static int
there_in_sql(const char *nameid, const char *price)
{
	const char *values[] = {nameid, price};
	PGresult *result = PQexecPrepared(pg, "look", 2, values, NULL, NULL, 0);
	int there;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		fprintf(stderr, "watch: %s", PQerrorMessage(pg));
		exit(1);
	}
	there = PQntuples(result) == 0 ? -1 : strcmp(PQgetvalue(result, 0, 0), "t") == 0;
	PQclear(result);
	return there;
}

static int
there_in_redis(const char *nameid, const char *price)
{
	redisReply *symbol = redisCommand(redis, "GET crypto:id_map:%s", nameid);
	redisReply *quote = NULL;
	const char *at;
	int there = -1;

	if (symbol != NULL && symbol->type == REDIS_REPLY_STRING)
		quote = redisCommand(redis, "GET crypto:quote:%b", symbol->str, symbol->len);
	if (quote != NULL && quote->type == REDIS_REPLY_STRING && (at = strstr(quote->str, "\"price\":")) != NULL)
		there = strtod(at + 8, NULL) == strtod(price, NULL);
	if (symbol != NULL)
		freeReplyObject(symbol);
	if (quote != NULL)
		freeReplyObject(quote);
	return there;
}

/* Those who look, this process and its backend, keep to the last processor: what is measured has the others. */
static void
keep_apart(pid_t pid)
{
	cpu_set_t last;

	CPU_ZERO(&last);
	CPU_SET((int) sysconf(_SC_NPROCESSORS_ONLN) - 1, &last);
	sched_setaffinity(pid, sizeof(last), &last);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
time_price(const char *nameid, const char *price, int64_t sent)
{
	int there;

	/* a pause between looks, or on two cores those who look take the time of those who work */
	while ((there = redis != NULL ? there_in_redis(nameid, price) : there_in_sql(nameid, price)) == 0 &&
		   now_us() - sent < GIVE_UP)
		usleep(PAUSE);
	if (there < 0)
		return;
	if (there == 0)
		missed++;
	else if (nsamples < SAMPLES)
		samples[nsamples++] = (double) (now_us() - sent) / 1000;
}

int
main(int argc, char **argv)
{
	static char last[PAGES][80];
	char line[1024];
	int64_t end;
	FILE *trace;

	if (argc != 5)
	{
		fprintf(stderr, "usage: watch TRACE SECONDS sql|tickers|redis CONNINFO|PORT\n");
		return 2;
	}
	keep_apart(0);
	if (strcmp(argv[3], "redis") == 0)
	{
		redis = redisConnect("127.0.0.1", atoi(argv[4]));
		if (redis == NULL || redis->err)
			return 1;
	}
	else
	{
		statement = strcmp(argv[3], "sql") == 0
						? "SELECT crypto_price('id:' || $1) = $2::numeric"
						: "SELECT price = $2::numeric FROM tickers WHERE symbol ="
						  " (SELECT symbol FROM crypto_quote('id:' || $1)) AND nameid = $1";
		pg = PQconnectdb(argv[4]);
		if (PQstatus(pg) != CONNECTION_OK)
		{
			fprintf(stderr, "watch: %s", PQerrorMessage(pg));
			return 1;
		}
		keep_apart(PQbackendPID(pg));
		PQclear(PQprepare(pg, "look", statement, 2, NULL));
	}
	trace = fopen(argv[1], "r");
	if (trace == NULL)
		return 1;

	/* what was polled before is known only as a price to compare with */
	end = now_us() + (int64_t) atoi(argv[2]) * 1000000;
	for (bool live = false; now_us() < end;)
	{
		long long sent;
		int start;
		int limit;
		char nameid[200];
		char price[80];
		long at = ftell(trace);

		if (fgets(line, sizeof(line), trace) == NULL || strchr(line, '\n') == NULL)
		{
			live = true;
			clearerr(trace);
			fseek(trace, at, SEEK_SET);
			usleep(PAUSE);
			continue;
		}
		if (sscanf(
				line,
				"{\"sent_us\":%lld,\"start\":%d,\"limit\":%d,\"nameid\":\"%199[^\"]\",\"price\":\"%79[^\"]\"",
				&sent, &start, &limit, nameid, price) != 5 ||
			start / 100 >= PAGES || strspn(price, "0123456789.eE+-") != strlen(price))
			continue; /* "0?" is the price of a dead coin */
		if (live && last[start / 100][0] != '\0' && strcmp(last[start / 100], price) != 0)
			time_price(nameid, price, sent);
		strcpy(last[start / 100], price);
	}

	if (nsamples == 0)
	{
		printf("0 0 0 0 %d\n", missed);
		return 0;
	}
	qsort(samples, (size_t) nsamples, sizeof(double), compare);
	printf("%d %.2f %.2f %.2f %d\n", nsamples, samples[nsamples / 2], samples[nsamples * 99 / 100],
		   samples[nsamples - 1], missed);
	return 0;
}
