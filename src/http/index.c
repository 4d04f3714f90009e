/*
 * index.c
 *	  See index.h.
 */
#include "index.h"

#include <string.h>

#include "routes.h"

static const char *
example_of(const char *hole)
{
	if (strncmp(hole, "{table}", 7) == 0)
		return "tickers?limit=10";
	return strncmp(hole, "{function}", 10) == 0 ? "price?symbol=BTC" : "BTC";
}

void
index_write(Text *text, bool dashboard)
{
	text_string(text, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>crypto_rt</title>\n"
					  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
					  "<h1>crypto_rt</h1>\n");
	if (!dashboard)
		text_string(
			text, "<p>This daemon was built without its dashboard.  With Node.js 18 or newer and npm there, "
				  "<code>make web</code> says what is missing or builds it, and <code>make</code> puts it "
				  "in; or <code>--web-dir</code> names a folder that holds it.\n");
	text_string(text, "<p>Real-time crypto prices.  What there is to ask for:\n<ul>\n");
	for (int i = 0; i < routes_count(); i++)
	{
		const char *name = routes_get(i)->name;
		const char *hole = strchr(name, '{');
		const char *rest = hole != NULL ? strchr(hole, '}') + 1 : "";

		/* something that there is on most days, in the place of what can be asked for */
		if (hole == NULL)
			text_format(text, "<li><a href=\"%s\">%s</a>\n", name, name);
		else
			text_format(text, "<li><a href=\"%.*s%s%s\">%s</a>\n", (int) (hole - name), name,
						example_of(hole), rest, name);
	}
	text_string(text, "</ul>\n");
}
