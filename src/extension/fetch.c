/*
 * fetch.c
 *	  Fetching pages; see fetch.h.
 *
 * libcurl resolves names in threads of its own.  Signals are blocked while it runs, so that those threads inherit the
 * block and none of them ever executes one of PostgreSQL's signal handlers.  Nothing in a callback may throw: memory is
 * malloc'd here, and a failure ends the transfer.  Handles belong to this process and end with it.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "miscadmin.h"

#include "fetch.h"
#include "worker.h"

#define REDIRECTS_MAX 3
#define BODY_KEPT (1024 * 1024)       /* a larger buffer is freed after use */
#define BODIES_MAX (32 * 1024 * 1024) /* bytes of all buffers together */
#define USER_AGENT "crypto_rt/1.0 (PostgreSQL " PG_VERSION ")"

typedef struct Transfer
{
	CURL *handle;
	bool busy;
	int page;
	int redirects;
	bool simulated;
	bool too_large;
	char *body;
	size_t len;
	size_t size;
	char error[CURL_ERROR_SIZE];
} Transfer;

static CURLM *multi;
static int epoll_descriptor = -1;
static Transfer transfers[FETCH_MAX];
static int in_flight;
static size_t bodies_size; /* of all buffers */
static int64 deadline;     /* when libcurl wants to run by itself, by worker_clock; 0: never */

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	Transfer *t = arg;

	n *= size;
	if (t->len + n > FETCH_BODY_MAX)
	{
		t->too_large = true;
		return 0;
	}
	if (t->len + n > t->size)
	{
		size_t larger = Max(t->len + n, t->size * 2);
		char *body;

		larger = Max(larger, 64 * 1024);
		if (bodies_size - t->size + larger > BODIES_MAX)
		{
			t->too_large = true;
			return 0;
		}
		body = realloc(t->body, larger);
		if (body == NULL)
			return 0;
		bodies_size += larger - t->size;
		t->body = body;
		t->size = larger;
	}
	memcpy(t->body + t->len, data, n);
	t->len += n;
	return n;
}

static size_t
take_header(char *data, size_t size, size_t n, void *arg)
{
	static const char mark[] = "x-simulated:";
	Transfer *t = arg;

	if (n * size >= sizeof(mark) - 1 && pg_strncasecmp(data, mark, sizeof(mark) - 1) == 0)
		t->simulated = true;
	return n * size;
}

static int
watch_socket(CURL *handle, curl_socket_t socket, int what, void *arg, void *socket_arg)
{
	struct epoll_event event = {.data.fd = socket};

	if (what == CURL_POLL_REMOVE)
	{
		epoll_ctl(epoll_descriptor, EPOLL_CTL_DEL, socket, &event);
		return 0;
	}
	if (what != CURL_POLL_OUT)
		event.events |= EPOLLIN;
	if (what != CURL_POLL_IN)
		event.events |= EPOLLOUT;
	if (epoll_ctl(epoll_descriptor, EPOLL_CTL_MOD, socket, &event) < 0 && errno == ENOENT)
		epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, socket, &event);
	return 0;
}

static int
set_timer(CURLM *handle, long timeout, void *arg)
{
	deadline = timeout < 0 ? 0 : worker_clock() + (int64) timeout * 1000;
	return 0;
}

static void
set_up(Transfer *t)
{
	CURL *h = curl_easy_init();

	if (h == NULL)
		ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not create a libcurl handle"));
	t->handle = h;
	curl_easy_setopt(h, CURLOPT_PRIVATE, t);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(h, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long) FETCH_CONNECT_TIMEOUT);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long) FETCH_TIMEOUT);
	curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(h, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L); /* see follow() */
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(h, CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	/* never wait for a thread that resolves a name */
	curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L);
#endif
}

void
fetch_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (multi = curl_multi_init()) == NULL)
		ereport(ERROR, errmsg("could not initialise libcurl"));
	epoll_descriptor = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_descriptor < 0)
		ereport(ERROR, errcode_for_socket_access(), errmsg("could not create an epoll descriptor: %m"));
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long) CURLPIPE_MULTIPLEX);
	for (int i = 0; i < FETCH_MAX; i++)
		set_up(&transfers[i]);
}

static void
begin(Transfer *t, const char *url)
{
	sigset_t all;
	sigset_t old;
	CURLMcode code;

	t->len = 0;
	t->simulated = false;
	t->too_large = false;
	t->error[0] = '\0';
	curl_easy_setopt(t->handle, CURLOPT_URL, url);

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	code = curl_multi_add_handle(multi, t->handle);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (code != CURLM_OK)
		ereport(ERROR, errmsg("could not start a transfer: %s", curl_multi_strerror(code)));
}

void
fetch_start(int page, const char *base_url)
{
	Transfer *t = transfers;
	char *url = psprintf("%s/tickers/?start=%d&limit=100", base_url, page * 100);

	while (t->busy)
		t++;
	t->busy = true;
	t->page = page;
	t->redirects = 0;
	in_flight++;
	begin(t, url);
}

int
fetch_in_flight(void)
{
	return in_flight;
}

pgsocket
fetch_descriptor(void)
{
	return epoll_descriptor;
}

long
fetch_wait(void)
{
	int64 left;

	if (deadline == 0)
		return -1;
	left = deadline - worker_clock();
	return left <= 0 ? 0 : Min((long) ((left + 999) / 1000), FETCH_TIMEOUT);
}

void
fetch_run(void)
{
	struct epoll_event events[FETCH_MAX * 2];
	int n = epoll_wait(epoll_descriptor, events, lengthof(events), 0);
	int running;
	sigset_t all;
	sigset_t old;

	if (n <= 0 && (deadline == 0 || worker_clock() < deadline))
		return;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (int i = 0; i < n; i++)
	{
		int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
				   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
				   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

		curl_multi_socket_action(multi, events[i].data.fd, what, &running);
	}
	if (deadline != 0 && worker_clock() >= deadline)
	{
		deadline = 0;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static bool
same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = NULL;
	char *y = NULL;
	bool same;

	curl_url_get(a, part, &x, CURLU_DEFAULT_PORT);
	curl_url_get(b, part, &y, CURLU_DEFAULT_PORT);
	same = x != NULL && y != NULL && pg_strcasecmp(x, y) == 0;
	curl_free(x);
	curl_free(y);
	return same;
}

/* Follow a redirect that stays on the same server.  libcurl itself would follow any. */
static bool
follow(Transfer *t)
{
	char *target = NULL;
	char *url = NULL;
	CURLU *from = curl_url();
	CURLU *to = curl_url();
	bool same = false;

	curl_easy_getinfo(t->handle, CURLINFO_REDIRECT_URL, &target);
	curl_easy_getinfo(t->handle, CURLINFO_EFFECTIVE_URL, &url);
	if (t->redirects < REDIRECTS_MAX && target != NULL && url != NULL && from != NULL && to != NULL &&
		curl_url_set(from, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_set(to, CURLUPART_URL, target, 0) == CURLUE_OK)
		same = same_part(from, to, CURLUPART_SCHEME) && same_part(from, to, CURLUPART_HOST) &&
			   same_part(from, to, CURLUPART_PORT);
	curl_url_cleanup(from);
	curl_url_cleanup(to);
	if (!same)
		return false;

	t->redirects++;
	begin(t, pstrdup(target));
	return true;
}

static bool
is_json(const char *content_type)
{
	/* where there is no type, the parser decides */
	return content_type == NULL || strstr(content_type, "json") != NULL;
}

/* What a server sent may stand in an error; it goes into logs as plain ASCII. */
static void
clean(char *p)
{
	for (; *p != '\0'; p++)
		if ((unsigned char) *p < 0x20 || (unsigned char) *p > 0x7e)
			*p = '?';
}

static void
judge(Transfer *t, CURLcode code, FetchResult *result)
{
	long status = 0;
	char *content_type = NULL;
	curl_off_t retry_after = 0;

	curl_easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->handle, CURLINFO_CONTENT_TYPE, &content_type);
	curl_easy_getinfo(t->handle, CURLINFO_RETRY_AFTER, &retry_after);

	*result = (FetchResult){.page = t->page, .simulated = t->simulated};
	result->retry_after = (int64) Min(retry_after, (curl_off_t) 86400) * 1000000;

	if (t->too_large)
	{
		result->verdict = FETCH_UNUSABLE;
		snprintf(result->error, FETCH_ERROR_SIZE, "the answer is larger than %d MB", FETCH_BODY_MAX >> 20);
	}
	else if (code != CURLE_OK)
	{
		result->verdict = FETCH_UNREACHABLE;
		snprintf(result->error, FETCH_ERROR_SIZE, "%s",
				 t->error[0] != '\0' ? t->error : curl_easy_strerror(code));
	}
	else if (status == 429 || status == 403 || status >= 500)
	{
		result->verdict = FETCH_REFUSED;
		snprintf(result->error, FETCH_ERROR_SIZE, "the server answers with status %ld", status);
	}
	else if (status >= 300 && status < 400)
	{
		char *target = NULL;

		curl_easy_getinfo(t->handle, CURLINFO_REDIRECT_URL, &target);
		result->verdict = FETCH_UNUSABLE;
		snprintf(result->error, FETCH_ERROR_SIZE, "the server redirects to %.100s, which is not followed",
				 target != NULL ? target : "nowhere");
	}
	else if (status != 200)
	{
		result->verdict = FETCH_UNUSABLE;
		snprintf(result->error, FETCH_ERROR_SIZE, "the server answers with status %ld", status);
	}
	else if (!is_json(content_type))
	{
		result->verdict = FETCH_UNUSABLE;
		snprintf(result->error, FETCH_ERROR_SIZE, "the server sends %.60s in place of JSON", content_type);
	}
	else
	{
		result->body = t->body;
		result->len = t->len;
	}
}

static void
free_body(Transfer *t)
{
	free(t->body);
	bodies_size -= t->size;
	t->body = NULL;
	t->size = 0;
}

bool
fetch_next(FetchResult *result)
{
	CURLMsg *message;
	int left;

	for (int i = 0; i < FETCH_MAX; i++)
		if (!transfers[i].busy && transfers[i].size > BODY_KEPT)
			free_body(&transfers[i]);

	while ((message = curl_multi_info_read(multi, &left)) != NULL)
	{
		Transfer *t;
		CURLcode code = message->data.result;
		long status = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &t);
		curl_easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &status);
		curl_multi_remove_handle(multi, t->handle);
		if (code == CURLE_OK && status >= 300 && status < 400 && follow(t))
			continue;

		judge(t, code, result);
		clean(result->error);
		t->busy = false;
		in_flight--;
		return true;
	}
	return false;
}
