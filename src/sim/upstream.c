/*
 * upstream.c
 *	  See upstream.h.
 */
#include "upstream.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

#define POLL_MAX 8
#define CONNECT_TIMEOUT_MS 10000L

struct UpstreamFetch
{
	Upstream *upstream;
	CURL *curl;
	Text body;
	UpstreamDone done;
	void *context;
	UpstreamFetch *next;
};

struct Upstream
{
	CURLM *multi;
	char *base;
	char *user_agent;
	UpstreamFetch *fetches;
};

Upstream *
upstream_new(const char *url, const char *user_agent)
{
	size_t len = strlen(url);
	size_t host = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
	Upstream *upstream;

	if (host == 0 || url[host] == '\0' || strpbrk(url, " ?#") != NULL)
		return NULL;
	while (len > host && url[len - 1] == '/')
		len--;
	if (len > host + 4 && strncmp(url + len - 4, "/api", 4) == 0)
		len -= 4;
	if (len == host)
		return NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	upstream = memory_get(sizeof(Upstream));
	upstream->multi = memory_check(curl_multi_init());
	upstream->base = memory_dup_bytes(url, len);
	upstream->user_agent = memory_dup(user_agent);
	return upstream;
}

/* Take a fetch out and free it. */
static void
end_fetch(UpstreamFetch *fetch)
{
	UpstreamFetch **at = &fetch->upstream->fetches;

	while (*at != fetch)
		at = &(*at)->next;
	*at = fetch->next;
	curl_multi_remove_handle(fetch->upstream->multi, fetch->curl);
	curl_easy_cleanup(fetch->curl);
	text_free(&fetch->body);
	free(fetch);
}

void
upstream_free(Upstream *upstream)
{
	while (upstream->fetches != NULL)
		end_fetch(upstream->fetches);
	curl_multi_cleanup(upstream->multi);
	curl_global_cleanup();
	free(upstream->base);
	free(upstream->user_agent);
	free(upstream);
}

static size_t
take_bytes(char *bytes, size_t size, size_t count, void *context)
{
	UpstreamFetch *fetch = context;

	if (fetch->body.len + size * count > UPSTREAM_BODY_MAX)
		return 0;
	text_bytes(&fetch->body, bytes, size * count);
	return size * count;
}

UpstreamFetch *
upstream_fetch(Upstream *upstream, const char *target, UpstreamDone done, void *context)
{
	UpstreamFetch *fetch = memory_get(sizeof(UpstreamFetch));
	Text url = TEXT_EMPTY;

	text_add(&url, upstream->base);
	text_add(&url, target);
	fetch->upstream = upstream;
	fetch->done = done;
	fetch->context = context;
	fetch->curl = memory_check(curl_easy_init());
	curl_easy_setopt(fetch->curl, CURLOPT_URL, url.bytes);
	curl_easy_setopt(fetch->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(fetch->curl, CURLOPT_USERAGENT, upstream->user_agent);
	curl_easy_setopt(fetch->curl, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(fetch->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(fetch->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(fetch->curl, CURLOPT_TIMEOUT_MS, UPSTREAM_TIMEOUT_MS);
	curl_easy_setopt(fetch->curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(fetch->curl, CURLOPT_WRITEDATA, fetch);
	curl_easy_setopt(fetch->curl, CURLOPT_PRIVATE, fetch);
	fetch->next = upstream->fetches;
	upstream->fetches = fetch;
	curl_multi_add_handle(upstream->multi, fetch->curl);
	text_free(&url);
	return fetch;
}

void
upstream_cancel(UpstreamFetch *fetch)
{
	end_fetch(fetch);
}

void
upstream_poll(Upstream *upstream, struct pollfd *fds, unsigned count, int timeout_ms)
{
	struct curl_waitfd waitfds[POLL_MAX] = {{0}};
	int ready;

	for (unsigned i = 0; i < count && i < POLL_MAX; i++)
	{
		waitfds[i].fd = fds[i].fd;
		waitfds[i].events = CURL_WAIT_POLLIN;
	}
	curl_multi_poll(upstream->multi, waitfds, count, timeout_ms, &ready);
	for (unsigned i = 0; i < count && i < POLL_MAX; i++)
		fds[i].revents = (waitfds[i].revents & CURL_WAIT_POLLIN) != 0 ? POLLIN : 0;
}

static char *
header_of(CURL *curl, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return memory_dup(header->value);
}

/* What a finished fetch has brought. */
static Answer *
harvest(UpstreamFetch *fetch, CURLcode result)
{
	char *type = NULL;
	long status = 0;
	char *simulated;
	Answer *answer;

	if (result != CURLE_OK)
		return answer_error(MHD_HTTP_BAD_GATEWAY, "%s: %s", fetch->upstream->base,
							curl_easy_strerror(result));
	curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(fetch->curl, CURLINFO_CONTENT_TYPE, &type);
	answer = answer_new((unsigned) status, type != NULL ? type : "application/octet-stream", &fetch->body);
	answer->retry_after = header_of(fetch->curl, "Retry-After");
	answer->location = header_of(fetch->curl, "Location");
	simulated = header_of(fetch->curl, "X-Simulated");
	answer->simulated = simulated != NULL;
	free(simulated);
	answer_read_first_row(answer);
	return answer;
}

void
upstream_turn(Upstream *upstream)
{
	int running;
	int left;
	CURLMsg *message;

	curl_multi_perform(upstream->multi, &running);
	while ((message = curl_multi_info_read(upstream->multi, &left)) != NULL)
	{
		UpstreamFetch *fetch;
		UpstreamDone done;
		CURLcode result = message->data.result;
		Answer *answer;
		void *context;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &fetch);
		answer = harvest(fetch, result);
		done = fetch->done;
		context = fetch->context;
		end_fetch(fetch);
		done(context, answer, result == CURLE_OK);
	}
}
