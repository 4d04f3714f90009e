/*
 * recording.c
 *	  See recording.h.
 */
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"

struct Recording
{
	FILE *file;
	char *path;
	bool failed;
};

/* One line of the file. */
typedef struct ReplayEntry
{
	int64_t at_us; /* from the first */
	off_t offset;
	size_t len;
} ReplayEntry;

typedef struct ReplayTarget
{
	char *target;
	ReplayEntry *entries; /* by time */
	int count;
	int room;
	int current;    /* the entry that answer is of */
	Answer *answer; /* NULL: none was asked for yet */
} ReplayTarget;

struct Replay
{
	int fd;
	char *path;
	int64_t first_us;
	ReplayTarget *targets;
	int count;
};

/* What a line says; the texts belong to line. */
typedef struct Line
{
	struct json_object *line;
	int64_t at_us;
	const char *target;
	unsigned status;
	const char *type;
	const char *retry_after; /* NULL: none */
	const char *body;
	size_t body_len;
} Line;

Recording *
recording_open(const char *path, char *err)
{
	Recording *recording;
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0 || fstat(fd, &st) < 0)
	{
		snprintf(err, RECORDING_ERROR_SIZE, "cannot write \"%s\": %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (S_ISREG(st.st_mode) && st.st_size > 0)
	{
		snprintf(err, RECORDING_ERROR_SIZE, "\"%s\" already holds something; a recording is not written over",
				 path);
		close(fd);
		return NULL;
	}
	recording = memory_get(sizeof(Recording));
	recording->file = memory_check(fdopen(fd, "a"));
	recording->path = memory_dup(path);
	return recording;
}

void
recording_write(Recording *recording, const char *target, const Answer *answer)
{
	Text line = TEXT_EMPTY;

	text_format(&line, "{\"at_us\":%lld,\"target\":", (long long) clock_unix_us());
	text_json_string(&line, target);
	text_format(&line, ",\"status\":%u,\"content_type\":", answer->status);
	text_json_string(&line, answer->type);
	if (answer->retry_after != NULL)
	{
		text_add(&line, ",\"retry_after\":");
		text_json_string(&line, answer->retry_after);
	}
	text_add(&line, ",\"body\":");
	text_json(&line, answer->body, answer->len);
	text_add(&line, "}\n");
	errno = 0;
	if ((fwrite(line.bytes, 1, line.len, recording->file) != line.len || fflush(recording->file) != 0) &&
		!recording->failed)
	{
		fprintf(stderr, "coinlore_sim: cannot write \"%s\": %s; the recording is not complete\n",
				recording->path, strerror(errno));
		recording->failed = true;
	}
	text_free(&line);
}

void
recording_close(Recording *recording)
{
	fclose(recording->file);
	free(recording->path);
	free(recording);
}

static bool
get_text(struct json_object *line, const char *name, const char **text, size_t *len)
{
	struct json_object *value;

	if (!json_object_object_get_ex(line, name, &value) || !json_object_is_type(value, json_type_string))
		return false;
	*text = json_object_get_string(value);
	*len = (size_t) json_object_get_string_len(value);
	return true;
}

static bool
get_integer(struct json_object *line, const char *name, int64_t *number)
{
	struct json_object *value;

	if (!json_object_object_get_ex(line, name, &value) || !json_object_is_type(value, json_type_int))
		return false;
	*number = json_object_get_int64(value);
	return true;
}

/* NULL: good, and result->line is to be put back; otherwise what is wrong. */
static const char *
parse_line(const char *bytes, size_t len, Line *result)
{
	struct json_tokener *tokener = memory_check(json_tokener_new());
	struct json_object *line = json_tokener_parse_ex(tokener, bytes, (int) len);
	const char *wrong = NULL;
	int64_t status = 0;
	size_t ignored;

	memset(result, 0, sizeof(*result));
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		wrong = "the line ends before its JSON does";
	else if (json_tokener_get_error(tokener) != json_tokener_success)
		wrong = json_tokener_error_desc(json_tokener_get_error(tokener));
	else if (!json_object_is_type(line, json_type_object))
		wrong = "not a JSON object";
	else if (strspn(bytes + json_tokener_get_parse_end(tokener), " \t\r") +
				 json_tokener_get_parse_end(tokener) <
			 len)
		wrong = "something stands behind the JSON object";
	else if (!get_integer(line, "at_us", &result->at_us))
		wrong = "no integer \"at_us\"";
	else if (!get_text(line, "target", &result->target, &ignored))
		wrong = "no string \"target\"";
	else if (!get_integer(line, "status", &status) || status < 200 || status > 999)
		wrong = "no integer \"status\" from 200 to 999";
	else if (!get_text(line, "content_type", &result->type, &ignored))
		wrong = "no string \"content_type\"";
	else if (!get_text(line, "body", &result->body, &result->body_len))
		wrong = "no string \"body\"";
	get_text(line, "retry_after", &result->retry_after, &ignored);
	json_tokener_free(tokener);
	result->status = (unsigned) status;
	result->line = line;
	if (wrong != NULL)
		json_object_put(line);
	return wrong;
}

/* Targets are the same with and without the slash at the end of the path. */
static bool
same_target(const char *a, const char *b)
{
	size_t a_path = strcspn(a, "?");
	size_t b_path = strcspn(b, "?");
	const char *a_query = a + a_path;
	const char *b_query = b + b_path;

	while (a_path > 1 && a[a_path - 1] == '/')
		a_path--;
	while (b_path > 1 && b[b_path - 1] == '/')
		b_path--;
	return a_path == b_path && memcmp(a, b, a_path) == 0 && strcmp(a_query, b_query) == 0;
}

static ReplayTarget *
find_target(const Replay *replay, const char *target)
{
	for (int i = 0; i < replay->count; i++)
		if (same_target(replay->targets[i].target, target))
			return &replay->targets[i];
	return NULL;
}

static void
add_entry(Replay *replay, const char *target, ReplayEntry entry)
{
	ReplayTarget *at = find_target(replay, target);
	int i;

	if (at == NULL)
	{
		replay->targets = memory_grow(replay->targets, (size_t) (replay->count + 1) * sizeof(ReplayTarget));
		at = &replay->targets[replay->count++];
		*at = (ReplayTarget){.target = memory_dup(target)};
	}
	if (at->count == at->room)
	{
		at->room = at->room > 0 ? at->room * 2 : 8;
		at->entries = memory_grow(at->entries, (size_t) at->room * sizeof(ReplayEntry));
	}
	for (i = at->count++; i > 0 && at->entries[i - 1].at_us > entry.at_us; i--)
		at->entries[i] = at->entries[i - 1];
	at->entries[i] = entry;
}

Replay *
replay_open(const char *path, char *err)
{
	FILE *file = fopen(path, "re");
	Replay *replay = memory_get(sizeof(Replay));
	char *bytes = NULL;
	size_t room = 0;
	ssize_t len;
	off_t offset = 0;
	bool good = file != NULL;

	replay->fd = -1;
	replay->path = memory_dup(path);
	replay->first_us = INT64_MAX;
	if (!good)
		snprintf(err, RECORDING_ERROR_SIZE, "cannot read \"%s\": %s", path, strerror(errno));
	for (int number = 1; good && (len = getline(&bytes, &room, file)) > 0; number++)
	{
		ReplayEntry entry = {.offset = offset, .len = (size_t) len};
		Line line;
		const char *wrong;

		offset += len;
		if (bytes[entry.len - 1] == '\n')
			bytes[--entry.len] = '\0';
		if (strspn(bytes, " \t\r") == entry.len)
			continue;
		wrong = parse_line(bytes, entry.len, &line);
		if (wrong != NULL)
		{
			snprintf(err, RECORDING_ERROR_SIZE, "\"%s\", line %d: %s", path, number, wrong);
			good = false;
			break;
		}
		entry.at_us = line.at_us;
		if (entry.at_us < replay->first_us)
			replay->first_us = entry.at_us;
		add_entry(replay, line.target, entry);
		json_object_put(line.line);
	}
	if (good && ferror(file))
	{
		snprintf(err, RECORDING_ERROR_SIZE, "cannot read \"%s\": %s", path, strerror(errno));
		good = false;
	}
	if (good && replay->count == 0)
	{
		snprintf(err, RECORDING_ERROR_SIZE, "\"%s\" holds no answers", path);
		good = false;
	}
	free(bytes);
	if (file != NULL)
	{
		replay->fd = good ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 0) : -1;
		fclose(file);
	}
	if (good)
		return replay;
	replay_close(replay);
	return NULL;
}

int
replay_targets(const Replay *replay)
{
	return replay->count;
}

static Answer *
load_answer(const Replay *replay, const ReplayEntry *entry)
{
	char *bytes = memory_get(entry->len + 1);
	ssize_t got = pread(replay->fd, bytes, entry->len, entry->offset);
	Text body = TEXT_EMPTY;
	Answer *answer;
	Line line;
	const char *wrong =
		got == (ssize_t) entry->len ? parse_line(bytes, entry->len, &line) : "it has become shorter";

	if (wrong != NULL)
		answer = answer_error(MHD_HTTP_INTERNAL_SERVER_ERROR,
							  "the recording \"%s\" was changed meanwhile: %s", replay->path, wrong);
	else
	{
		text_bytes(&body, line.body, line.body_len);
		answer = answer_new(line.status, line.type, &body);
		answer->retry_after = memory_dup(line.retry_after);
		answer_read_first_row(answer);
		json_object_put(line.line);
	}
	free(bytes);
	return answer;
}

Answer *
replay_answer(Replay *replay, const char *target, int64_t elapsed_us)
{
	ReplayTarget *at = find_target(replay, target);
	int current;

	if (at == NULL)
		return answer_error(MHD_HTTP_NOT_FOUND, "the recording has no answer for %s", target);
	current = at->answer != NULL ? at->current : 0;
	while (current + 1 < at->count && at->entries[current + 1].at_us - replay->first_us <= elapsed_us)
		current++;
	if (at->answer == NULL || current != at->current)
	{
		answer_drop(at->answer);
		at->answer = load_answer(replay, &at->entries[current]);
		at->current = current;
	}
	return answer_share(at->answer);
}

void
replay_close(Replay *replay)
{
	for (int i = 0; i < replay->count; i++)
	{
		answer_drop(replay->targets[i].answer);
		free(replay->targets[i].target);
		free(replay->targets[i].entries);
	}
	if (replay->fd >= 0)
		close(replay->fd);
	free(replay->targets);
	free(replay->path);
	free(replay);
}
