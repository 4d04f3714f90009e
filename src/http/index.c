/*
 * index.c
 *	  See index.h.
 */
#include "index.h"

#include <string.h>

#include "routes.h"
#include "text.h"

enum MHD_Result
index_show(Request *request)
{
	Text text = {0};
	struct MHD_Response *response;

	text_string(&text,
				"<!doctype html>\n<meta charset=\"utf-8\"><title>crypto_rt</title>\n"
				"<h1>crypto_rt</h1>\n<p>Real-time crypto prices.  What there is to ask for:</p>\n<ul>\n");
	for (int i = 0; i < routes_count(); i++)
	{
		const char *name = routes_get(i)->name;
		const char *hole = strstr(name, "{symbol}");

		if (hole == NULL)
			text_format(&text, "<li><a href=\"%s\">%s</a>\n", name, name);
		else
			text_format(&text, "<li><a href=\"%.*sBTC%s\">%s</a>\n", (int) (hole - name), name,
						hole + strlen("{symbol}"), name);
	}
	text_string(&text, "</ul>\n");
	response = reply_of_text(&text, "text/html; charset=utf-8");
	reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "public, max-age=60");
	return reply_response(request, MHD_HTTP_OK, response);
}
