/*
 * clock.h
 *	  The two clocks: unix microseconds for what is shown, monotonic ones for what is waited for.
 */
#ifndef COINLORE_SIM_CLOCK_H
#define COINLORE_SIM_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND INT64_C(1000000)

static inline int64_t
clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t) ts.tv_sec * CLOCK_SECOND + ts.tv_nsec / 1000;
}

static inline int64_t
clock_unix_us(void)
{
	return clock_read(CLOCK_REALTIME);
}

static inline int64_t
clock_us(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

#endif /* COINLORE_SIM_CLOCK_H */
