/*
 * attempt.c
 *	  One request's life on the caller's clock.
 */
#include "attempt.h"

void
attempt_begin(Attempt *attempt, int64_t timeout_us, int64_t connect_timeout_us)
{
	attempt->timeout_us = timeout_us;
	attempt->connect_timeout_us = connect_timeout_us;
	attempt->waited_us = 0;
}

void
attempt_waited(Attempt *attempt, int64_t us)
{
	if (us > 0)
		attempt->waited_us += us;
}

int64_t
attempt_left_us(const Attempt *attempt, bool sent)
{
	int64_t		limit = attempt->timeout_us;

	if (!sent && attempt->connect_timeout_us < limit)
		limit = attempt->connect_timeout_us;
	return limit > attempt->waited_us ? limit - attempt->waited_us : 0;
}

FailureKind
attempt_overdue(const Attempt *attempt, bool sent)
{
	if (attempt_left_us(attempt, sent) > 0)
		return FAILURE_NONE;

	/* of two limits that have passed, the one that was the tighter */
	if (!sent && attempt->connect_timeout_us < attempt->timeout_us)
		return FAILURE_CONNECT_TIMEOUT;
	return FAILURE_TIMEOUT;
}
