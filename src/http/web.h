/*
 * web.h
 *	  The dashboard: index.html at /, and the files beside it.
 *
 * They are compiled in, or come from the folder that --web-dir names, of which all is read at the start and again on SIGHUP.  A
 * request is looked up among the names that are held; it never reaches the file system.
 */
#ifndef CRYPTO_RT_HTTP_WEB_H
#define CRYPTO_RT_HTTP_WEB_H

#include "request.h"

#define WEB_ERROR_SIZE 1024

/* Read what there is, anew.  false: the folder cannot be used; err says why, and what was held before stays. */
extern bool web_load(char *err, size_t errsize);

/* Whether there is a dashboard. */
extern bool web_there(void);

/* Whether it has a file of this name. */
extern bool web_has(const char *name);

extern enum MHD_Result
web_index(Request *request); /* /: without the dashboard, what else there is to ask for */
extern enum MHD_Result web_list(Request *request); /* /api: that always */
extern enum MHD_Result web_file(Request *request); /* /{file} */

#endif /* CRYPTO_RT_HTTP_WEB_H */
