/*
 * web_files.h
 *	  The dashboard's files that are compiled in: src/web/embed writes the table, build/web_files.c.
 */
#ifndef CRYPTO_RT_HTTP_WEB_FILES_H
#define CRYPTO_RT_HTTP_WEB_FILES_H

typedef struct WebFile
{
	const char *name;
	const unsigned char *bytes;
	const unsigned char *end;
} WebFile;

/* By name; without the dashboard there are none. */
extern const WebFile web_files[];
extern const int web_file_count;

#endif /* CRYPTO_RT_HTTP_WEB_FILES_H */
