/*
 * recording.h
 *	  Answers written to a file, and given again from it.
 *
 * One JSON object per line:
 * {"at_us":…,"target":"/api/tickers/?start=0&limit=100","status":200,"content_type":"…","body":"…"},
 * with "retry_after" where there was one.  Bytes of a body that are no UTF-8 stand in the line as they are.
 */
#ifndef COINLORE_SIM_RECORDING_H
#define COINLORE_SIM_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"

#define RECORDING_ERROR_SIZE 512

typedef struct Recording Recording;
typedef struct Replay Replay;

/* A new file.  NULL and err (RECORDING_ERROR_SIZE bytes) when it cannot be made, or is there with something in it. */
extern Recording *recording_open(const char *path, char *err);
extern void recording_write(Recording *recording, const char *target, const Answer *answer);
extern void recording_close(Recording *recording);

/*
 * Read a whole recording for its index; the bodies stay in the file.  NULL and err when it cannot be
 * read, and with the number of the line when one of them is broken.
 */
extern Replay *replay_open(const char *path, char *err);
extern int replay_targets(const Replay *replay);

/*
 * What was recorded for this target at elapsed_us from the recording's beginning or last before that,
 * or its first answer when there is none so early.  To be dropped by the caller.
 */
extern Answer *replay_answer(Replay *replay, const char *target, int64_t elapsed_us);
extern void replay_close(Replay *replay);

#endif /* COINLORE_SIM_RECORDING_H */
