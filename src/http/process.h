/*
 * process.h
 *	  What the kernel says of this process.
 */
#ifndef CRYPTO_RT_HTTP_PROCESS_H
#define CRYPTO_RT_HTTP_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ProcessUsage
{
	uint64_t virtual_bytes; /* 0: unknown */
	uint64_t resident_bytes;
	double processor_seconds; /* user and system */
} ProcessUsage;

extern ProcessUsage process_usage(void);

/* When it was started, in unix seconds; 0: unknown. */
extern double process_started(void);

/* Open files; -1: unknown.  By older kernels they must be counted one by one, which is done when there are few. */
extern int64_t process_open_files(bool few);

#endif /* CRYPTO_RT_HTTP_PROCESS_H */
