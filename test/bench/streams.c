/*
 * streams.c
 *	  Many clients of the HTTP daemon's stream, and a publisher for them.
 *
 *	  streams fill REDIS_PORT COINS                          write so many quotes into Redis
 *	  streams feed REDIS_PORT SECONDS                        change the best 100 once a second
 *	  streams read HTTP_PORT REDIS_PORT CLIENTS SECONDS      do that, with so many clients of ten symbols each
 *
 * "read" prints: frames received, clients that were lost, and in milliseconds, from just before the message was published, the
 * median and the 99th percentile of the first byte at the first client, and the median, the 99th percentile and the largest
 * of the time between the first and the last client.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BEST 100
#define SYMBOLS 10
#define ROUNDS_MAX 1000

static redisContext *redis;
static int64_t epoch;
static int64_t seq;
static char message[BEST * 512 + 100];

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* The quote of a coin, as crypto_rt writes it. */
static int
quote(char *buf, size_t size, int rank, int64_t us)
{
	char time[32];
	time_t s = us / 1000000;
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(
		buf, size,
		"{\"symbol\":\"C%d\",\"name\":\"Coin number "
		"%d\",\"price\":%lld.%06d,\"price_btc\":0.00000123,\"rank\":%d,"
		"\"change_1h\":-0.08,\"change_24h\":%d.%02d,\"change_7d\":-2.38,\"volume_24h\":26551212429.49,"
		"\"market_cap\":1540684444015.40,\"circulating_supply\":19970852.00,\"total_supply\":19970852,"
		"\"max_supply\":21000000,\"last_updated\":\"%s.%03dZ\",\"update_interval\":%d,\"tier\":\"tier%d\","
		"\"source\":\"simulated\",\"id\":\"coin-%d\",\"coinlore_id\":%d}",
		rank, rank, (long long) (us / 1000000 % 100000), (int) (us % 1000000), rank, rank % 10,
		(int) (us % 100), time, (int) (us / 1000 % 1000), rank <= 100 ? 5 : 60, rank <= 100 ? 1 : 5, rank,
		rank + 90);
}

static void
command(const char *format, ...)
{
	va_list args;
	redisReply *reply;

	va_start(args, format);
	reply = redisvCommand(redis, format, args);
	va_end(args);
	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
	{
		fprintf(stderr, "streams: Redis: %s\n", reply != NULL ? reply->str : redis->errstr);
		exit(1);
	}
	freeReplyObject(reply);
}

static void
fill(int coins)
{
	char json[1024];

	command("DEL crypto:symbols:ranked");
	for (int rank = 1; rank <= coins; rank++)
	{
		quote(json, sizeof(json), rank, now_us());
		redisAppendCommand(redis, "SET crypto:quote:C%d %s EX 3600", rank, json);
		redisAppendCommand(redis, "ZADD crypto:symbols:ranked %d C%d", rank, rank);
	}
	for (int i = 0; i < 2 * coins; i++)
	{
		void *reply;

		if (redisGetReply(redis, &reply) != REDIS_OK)
			die("Redis");
		freeReplyObject(reply);
	}
}

/* Change the best coins; returns when the message was sent. */
static int64_t
publish(void)
{
	size_t len = (size_t) sprintf(message, "{\"epoch\":%lld,\"seq\":%lld,\"quotes\":[", (long long) epoch,
								  (long long) ++seq);
	int64_t now = now_us();

	for (int rank = 1; rank <= BEST; rank++)
	{
		if (rank > 1)
			message[len++] = ',';
		len += (size_t) quote(message + len, sizeof(message) - len, rank, now);
	}
	strcpy(message + len, "]}");
	now = now_us();
	command("PUBLISH crypto:updates %s", message);
	return now;
}

/*
 * Clients.
 */

typedef struct Client
{
	int fd;
	int round; /* the last one that it has seen a byte of */
} Client;

static Client *clients;
static int epoll_fd;
static int lost;
static int64_t frames;
static int64_t first_at[ROUNDS_MAX];
static int64_t last_at[ROUNDS_MAX];
static int64_t sent_at[ROUNDS_MAX];
static int seen[ROUNDS_MAX];

/*
 * Not to sleep as long as frames are to come: on one machine it is the server that pays for waking its client up, which no
 * client elsewhere has it do.
 */
static bool awake;

static void
open_client(int i, int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t) i};
	char request[512];
	int len = 0;
	int small = 8192;

	/* from many addresses, as clients come */
	from.sin_addr.s_addr = htonl(0x7f010001u + (uint32_t) (i % 20000));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	clients[i].fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(clients[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(clients[i].fd, (struct sockaddr *) &from, sizeof(from)) != 0 ||
		connect(clients[i].fd, (struct sockaddr *) &to, sizeof(to)) != 0)
		die("connect");
	len = sprintf(request, "GET /api/v1/crypto/stream?symbols=");
	for (int k = 0; k < SYMBOLS; k++)
		len += sprintf(request + len, "%sC%d", k > 0 ? "," : "", 1 + (i * 7 + k * 9) % BEST);
	len += sprintf(request + len, " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
	if (write(clients[i].fd, request, (size_t) len) != len)
		die("write");
	fcntl(clients[i].fd, F_SETFL, O_NONBLOCK);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, clients[i].fd, &event);
}

static void
read_client(Client *c, int round)
{
	char buf[16384];
	ssize_t n = read(c->fd, buf, sizeof(buf));

	if (n <= 0 && errno != EAGAIN)
	{
		lost++;
		close(c->fd);
		c->fd = -1;
	}
	if (n <= 0 || round < 0)
		return;
	if (c->round != round && memmem(buf, (size_t) n, "data:", 5) != NULL)
	{
		int64_t now = now_us();

		c->round = round;
		if (seen[round]++ == 0)
			first_at[round] = now;
		last_at[round] = now;
		frames++;
	}
}

static void
drain(int64_t until, int round, int count)
{
	struct epoll_event events[256];

	for (;;)
	{
		int64_t left = until - now_us();
		bool sleeping = !awake || round < 0 || seen[round] == count;
		int n;

		if (left <= 0)
			return;
		n = epoll_wait(epoll_fd, events, 256, sleeping ? (int) ((left + 999) / 1000) : 0);
		for (int i = 0; i < n; i++)
			read_client(&clients[events[i].data.u32], round);
	}
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
read_streams(int port, int count, int seconds)
{
	double first[ROUNDS_MAX];
	double spread[ROUNDS_MAX];
	int n = 0;
	int missing = 0;

	epoll_fd = epoll_create1(0);
	clients = calloc((size_t) count, sizeof(Client));
	for (int i = 0; i < count; i++)
	{
		clients[i].round = -1;
		open_client(i, port);
		if (i % 200 == 0)
			drain(now_us() + 2000, -1, count);
	}
	drain(now_us() + 2000000, -1, count);
	printf("open %d\n", count - lost);
	fflush(stdout);
	for (int round = 0; round < seconds && round < ROUNDS_MAX; round++)
	{
		sent_at[round] = publish();
		drain(sent_at[round] + 1050000, round, count);
		missing += count - seen[round];
		if (seen[round] == 0)
			continue;
		first[n] = (double) (first_at[round] - sent_at[round]) / 1000;
		spread[n++] = (double) (last_at[round] - first_at[round]) / 1000;
	}
	if (n == 0)
	{
		printf("0 %d 0 0 0 0 0\n", lost);
		return;
	}
	qsort(first, (size_t) n, sizeof(double), compare);
	qsort(spread, (size_t) n, sizeof(double), compare);
	printf("%lld %d %d %.2f %.2f %.2f %.2f %.2f\n", (long long) frames, lost, missing, first[n / 2],
		   first[n * 99 / 100], spread[n / 2], spread[n * 99 / 100], spread[n - 1]);
}

int
main(int argc, char **argv)
{
	struct rlimit files;

	if (argc < 4)
	{
		fprintf(stderr, "usage: streams fill REDIS_PORT COINS | feed REDIS_PORT SECONDS | read HTTP_PORT "
						"REDIS_PORT CLIENTS SECONDS [awake]\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	epoch = now_us() / 1000;
	redis = redisConnect("127.0.0.1", atoi(argv[strcmp(argv[1], "read") == 0 ? 3 : 2]));
	if (redis == NULL || redis->err)
		die("Redis");
	if (strcmp(argv[1], "fill") == 0)
		fill(atoi(argv[3]));
	else if (strcmp(argv[1], "feed") == 0)
		for (int i = 0; i < atoi(argv[3]); i++)
		{
			publish();
			sleep(1);
		}
	else if (argc >= 6)
	{
		awake = argc > 6 && strcmp(argv[6], "awake") == 0;
		read_streams(atoi(argv[2]), atoi(argv[4]), atoi(argv[5]));
	}
	return 0;
}
