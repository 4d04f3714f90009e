/*
 * web_set.c
 *	  See web_set.h.
 *
 * A folder is read whole or not at all: whatever cannot be read, or is too much, refuses all of it.  What is merely of no use
 * (folders, names that nobody could ask for) is left out, and the log says so.
 */
#include "web_set.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "log.h"
#include "web_files.h"

#define PACKED ".gz"
#define GZIP_FORMAT (15 + 16) /* window bits, and zlib's way of asking for gzip's header */

/*
 * One set.
 */

WebEntry *
web_set_find(const WebSet *set, const char *name)
{
	for (int i = 0; i < set->count; i++)
		if (strcmp(set->entries[i].name, name) == 0)
			return &set->entries[i];
	return NULL;
}

static void
free_body(WebBody *body)
{
	if (body->response != NULL)
		MHD_destroy_response(body->response);
	blob_drop(body->blob);
	*body = (WebBody){0};
}

static void
free_entry(WebEntry *entry)
{
	free_body(&entry->plain);
	free_body(&entry->packed);
	free(entry->name);
}

void
web_set_free(WebSet *set)
{
	for (int i = 0; i < set->count; i++)
		free_entry(&set->entries[i]);
	free(set->entries);
	*set = (WebSet){0};
}

static void
add(WebSet *set, const char *name, const WebBody *plain)
{
	set->entries = memory_grow(set->entries, (size_t) (set->count + 1) * sizeof(WebEntry));
	set->entries[set->count++] = (WebEntry){.name = memory_dup(name), .plain = *plain};
}

/*
 * NAME.gz.
 */

static bool
unpacks_to(const WebBody *packed, const WebBody *plain)
{
	z_stream stream = {.next_in = (Bytef *) packed->bytes, .avail_in = (uInt) packed->len};
	Bytef *out = memory_check(malloc(plain->len + 1)); /* the byte more tells what is longer */
	bool same;

	stream.next_out = out;
	stream.avail_out = (uInt) plain->len + 1;
	same = inflateInit2(&stream, GZIP_FORMAT) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END &&
		   stream.avail_in == 0 && stream.total_out == plain->len &&
		   memcmp(out, plain->bytes, plain->len) == 0;
	inflateEnd(&stream);
	free(out);
	return same;
}

static bool
is_packed(const char *name)
{
	size_t len = strlen(name);

	return len > strlen(PACKED) && strcmp(name + len - strlen(PACKED), PACKED) == 0;
}

/* The file that a NAME.gz belongs to; NULL: there is no NAME. */
static WebEntry *
owner_of(const WebSet *set, const char *name)
{
	char owner[WEB_SET_NAME_MAX + 1];

	snprintf(owner, sizeof(owner), "%.*s", (int) (strlen(name) - strlen(PACKED)), name);
	return is_packed(owner) ? NULL : web_set_find(set, owner);
}

static void
tag(WebBody *body, const char *suffix)
{
	snprintf(body->etag, sizeof(body->etag), "\"%zx-%08lx%s\"", body->len,
			 crc32(0, body->bytes, (uInt) body->len), suffix);
}

/* Put each NAME.gz to its NAME. */
static void
pair(WebSet *set)
{
	int kept = 0;

	for (int i = 0; i < set->count; i++)
	{
		WebEntry *entry = &set->entries[i];
		WebEntry *owner = is_packed(entry->name) ? owner_of(set, entry->name) : NULL;

		tag(&entry->plain, is_packed(entry->name) ? "-gz" : "");
		if (owner != NULL && unpacks_to(&entry->plain, &owner->plain))
		{
			owner->packed = entry->plain;
			entry->plain = (WebBody){0};
		}
		else if (is_packed(entry->name))
			log_warning("left out %s, which is not the file of that name as gzip", entry->name);
	}
	for (int i = 0; i < set->count; i++)
		if (is_packed(set->entries[i].name))
			free_entry(&set->entries[i]);
		else
			set->entries[kept++] = set->entries[i];
	set->count = kept;
}

/*
 * Compiled in.
 */

bool
web_set_compiled(WebSet *set)
{
	for (int i = 0; i < web_file_count; i++)
	{
		const WebFile *file = &web_files[i];

		add(set, file->name, &(WebBody){.bytes = file->bytes, .len = (size_t) (file->end - file->bytes)});
	}
	pair(set);
	if (web_set_find(set, WEB_SET_INDEX) != NULL)
		return true;
	web_set_free(set);
	return false;
}

/*
 * A folder.
 */

/* A reason not to use it. */
static bool __attribute__((format(printf, 3, 4))) refuse(char *err, size_t errsize, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, errsize, format, args);
	va_end(args);
	return false;
}

static bool
is_servable(const char *name)
{
	size_t len = strlen(name);

	if (len > WEB_SET_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if ((name[i] & 0x80) != 0 || (!isalnum((unsigned char) name[i]) && strchr("._-", name[i]) == NULL))
			return false;
	return true;
}

/* Read so many bytes and find the end behind them; NULL: it cannot be, and errno says why (0: there were more or less). */
static Blob *
read_bytes(int fd, size_t len)
{
	Blob *blob = blob_new(len);
	size_t at = 0;
	ssize_t n = -1;

	/* the byte behind the last is the blob's own, and gets its NUL again */
	while (at <= len && (n = read(fd, blob->bytes + at, len + 1 - at)) > 0)
		at += (size_t) n;
	if (n == 0 && at == len)
	{
		blob->bytes[len] = '\0';
		return blob;
	}
	if (n >= 0)
		errno = 0;
	blob_drop(blob);
	return NULL;
}

/* Read one file into the set.  *taken: it is one; false: the folder cannot be used. */
static bool
read_file(WebSet *set, int folder, const char *name, size_t *room, bool *taken, char *err, size_t errsize)
{
	/* what is no file might let us wait */
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	WebBody body = {0};

	*taken = false;
	if (fd < 0)
		return refuse(err, errsize, "could not open %s: %s", name, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
	{
		close(fd);
		return true;
	}
	if ((size_t) st.st_size > *room || set->count == WEB_SET_FILES_MAX)
	{
		close(fd);
		return refuse(err, errsize, "it holds more than %d files or %zu bytes", WEB_SET_FILES_MAX,
					  WEB_SET_BYTES_MAX);
	}
	body.blob = read_bytes(fd, (size_t) st.st_size);
	close(fd);
	if (body.blob == NULL)
		return refuse(err, errsize, "could not read %s: %s", name,
					  errno != 0 ? strerror(errno) : "it was changed meanwhile");
	body.bytes = (const unsigned char *) body.blob->bytes;
	body.len = body.blob->len;
	*room -= body.len;
	*taken = true;
	add(set, name, &body);
	return true;
}

static bool
read_folder(WebSet *set, DIR *folder, int *left_out, char *err, size_t errsize)
{
	size_t room = WEB_SET_BYTES_MAX;
	const struct dirent *found;

	while (errno = 0, (found = readdir(folder)) != NULL)
	{
		bool taken = false;

		if (found->d_name[0] == '.')
			continue;
		if (is_servable(found->d_name) &&
			!read_file(set, dirfd(folder), found->d_name, &room, &taken, err, errsize))
			return false;
		*left_out += !taken;
	}
	if (errno != 0)
		return refuse(err, errsize, "could not list it: %s", strerror(errno));
	pair(set);
	if (web_set_find(set, WEB_SET_INDEX) == NULL)
		return refuse(err, errsize, "it has no " WEB_SET_INDEX);
	return true;
}

bool
web_set_folder(WebSet *set, const char *path, char *err, size_t errsize)
{
	DIR *folder = opendir(path);
	int left_out = 0;
	bool fine;

	if (folder == NULL)
		return refuse(err, errsize, "could not open it: %s", strerror(errno));
	fine = read_folder(set, folder, &left_out, err, errsize);
	closedir(folder);
	if (!fine)
		web_set_free(set);
	else if (left_out > 0)
		log_warning("left out %d of what is in %s: only files are served whose names are made of letters, "
					"digits and . _ -",
					left_out, path);
	return fine;
}
