/*
 * attempt.h
 *	  One request's life on the caller's clock: how long it may still take.
 *
 * Only time spent waiting counts: a reader that pauses between two rows must
 * not make an answer late that came in the meantime.
 */
#ifndef NCLUE_ATTEMPT_H
#define NCLUE_ATTEMPT_H

#include "failure.h"

/* Without pointers: a copy is a snapshot.  Times in microseconds. */
typedef struct Attempt
{
	int64_t		timeout_us;		/* for the whole request */
	int64_t		connect_timeout_us; /* until it is sent */
	int64_t		waited_us;
} Attempt;

/*
 * Starts a request's time.  Never raises.
 */
extern void attempt_begin(Attempt *attempt, int64_t timeout_us,
						  int64_t connect_timeout_us);

/*
 * Adds time that was spent waiting.  Never raises.
 */
extern void attempt_waited(Attempt *attempt, int64_t us);

/*
 * How long the request may still take, by the limit that holds before or after
 * it is sent; 0: its time is over.  Never raises.
 */
extern int64_t attempt_left_us(const Attempt *attempt, bool sent);

/*
 * What has passed: FAILURE_TIMEOUT, FAILURE_CONNECT_TIMEOUT, or FAILURE_NONE
 * while there is time left.  Never raises.
 */
extern FailureKind attempt_overdue(const Attempt *attempt, bool sent);

#endif
