/*
 * attempt.h
 *	  One request's life on the caller's clock: how long it may still take, and
 *	  whether and when it is tried again.
 *
 * Only time spent waiting counts: a reader that pauses between two rows must
 * not make an answer late that came in the meantime.
 */
#ifndef NCLUE_ATTEMPT_H
#define NCLUE_ATTEMPT_H

#include "failure.h"

/* The most that max_retries may be. */
#define ATTEMPT_RETRIES_MAX 10

/*
 * Without pointers: a copy is a snapshot.  Times in microseconds, those that
 * are named a point of CLOCK_MONOTONIC.
 */
typedef struct Attempt
{
	int64_t		timeout_us;		/* for one whole attempt */
	int64_t		connect_timeout_us; /* until it is sent */
	int			retries;		/* further attempts that may follow the first */
	int64_t		waited_us;		/* by the attempt under way */
	int			failed;			/* attempts that have */
	int64_t		again_us;		/* a point: when the next may begin; 0: now */
	FailureKind kinds[ATTEMPT_RETRIES_MAX + 1]; /* of those that failed */
	int			statuses[ATTEMPT_RETRIES_MAX + 1];	/* HTTP's; 0: no whole
													 * answer */
} Attempt;

/*
 * Starts a request's life.  Never raises.
 */
extern void attempt_begin(Attempt *attempt, int64_t timeout_us,
						  int64_t connect_timeout_us, int retries);

/*
 * Starts the time of one attempt.  Never raises.
 */
extern void attempt_start(Attempt *attempt);

/*
 * Adds time that was spent waiting.  Never raises.
 */
extern void attempt_waited(Attempt *attempt, int64_t us);

/*
 * How long the attempt may still take, by the limit that holds before or after
 * it is sent; 0: its time is over.  Never raises.
 */
extern int64_t attempt_left_us(const Attempt *attempt, bool sent);

/*
 * What has passed: FAILURE_TIMEOUT, FAILURE_CONNECT_TIMEOUT, or FAILURE_NONE
 * while there is time left.  Never raises.
 */
extern FailureKind attempt_overdue(const Attempt *attempt, bool sent);

/*
 * Notes that an attempt has failed.  True where another is to follow: the
 * failure may pass and there are attempts left.  If it may pass, again_us is
 * set also where none are left: after a pause that doubles with each failure, lengthened by up to
 * a quarter by random (0 to 1), so that those who failed together do not come
 * back together; but not before the answer's Retry-After (seconds; 0: none),
 * up to a limit.  Never raises.
 */
extern bool attempt_failed(Attempt *attempt, const Failure *failure,
						   int64_t retry_after_s, double random,
						   int64_t now_us);

/*
 * Says in words how the attempts have failed, in their order ("HTTP status 503,
 * HTTP status 429"); the empty text if none has.  Terminated.  Never raises.
 */
extern void attempt_history(const Attempt *attempt, char *target, size_t size);

#endif
