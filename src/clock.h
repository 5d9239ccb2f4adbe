/*
 * clock.h
 *	  The clock by which we wait, and the one by which we sign.
 */
#ifndef NCLUE_CLOCK_H
#define NCLUE_CLOCK_H

#include <sys/time.h>
#include <time.h>

/*
 * Microseconds of CLOCK_MONOTONIC: it does not step, all processes share it, and
 * http stamps its sends by it.  Never raises.
 */
static inline int64
clock_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64CONST(1000000) + now.tv_nsec / 1000;
}

/*
 * Milliseconds since the epoch, by the machine's clock.  Never raises.
 */
static inline int64
clock_wall_ms(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return now.tv_sec * INT64CONST(1000) + now.tv_usec / 1000;
}

#endif
