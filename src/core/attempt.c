/*
 * attempt.c
 *	  One request's life on the caller's clock.
 */
#include "attempt.h"

#include <stdio.h>

/*
 * Pauses in microseconds.  The gateway's documentation asks for a second after
 * a 429; what has not passed after some doublings is asked for twice a minute,
 * and who asks for patience is given a minute.
 */
#define PAUSE_FIRST_US 1000000
#define PAUSE_MAX_US 30000000
#define RETRY_AFTER_MAX_S 60

void
attempt_begin(Attempt *attempt, int64_t timeout_us, int64_t connect_timeout_us,
			  int retries)
{
	attempt->timeout_us = timeout_us;
	attempt->connect_timeout_us = connect_timeout_us;
	attempt->retries = retries;
	attempt->failed = 0;
	attempt->again_us = 0;
	attempt_start(attempt);
}

void
attempt_start(Attempt *attempt)
{
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

/*
 * The pause after so many failures.
 */
static int64_t
pause_us(int failed, double random)
{
	int64_t		pause = PAUSE_FIRST_US;

	while (--failed > 0 && pause < PAUSE_MAX_US)
		pause *= 2;
	pause += (int64_t) ((double) pause * 0.25 * random);
	return pause < PAUSE_MAX_US ? pause : PAUSE_MAX_US;
}

bool
attempt_failed(Attempt *attempt, const Failure *failure,
			   int64_t retry_after_s, double random, int64_t now_us)
{
	int64_t		pause;

	attempt->kinds[attempt->failed] = failure->kind;
	/* of an answer that did not come to its end the status tells nothing */
	attempt->statuses[attempt->failed] =
		failure->kind == FAILURE_LOST || failure->kind == FAILURE_TIMEOUT ?
		0 : failure->status;
	attempt->failed++;
	if (!failure_row(failure->kind)->transient)
		return false;

	pause = pause_us(attempt->failed, random);
	if (retry_after_s > RETRY_AFTER_MAX_S)
		retry_after_s = RETRY_AFTER_MAX_S;
	if (pause < retry_after_s * 1000000)
		pause = retry_after_s * 1000000;
	attempt->again_us = now_us + pause;
	return attempt->failed <= attempt->retries;
}

void
attempt_history(const Attempt *attempt, char *target, size_t size)
{
	size_t		used = 0;
	int			i;

	target[0] = '\0';
	for (i = 0; i < attempt->failed; i++)
	{
		const char *comma = i > 0 ? ", " : "";
		int			added;

		if (attempt->statuses[i] != 0)
			added = snprintf(target + used, size - used, "%sHTTP status %d",
							 comma, attempt->statuses[i]);
		else
			added = snprintf(target + used, size - used, "%s%s", comma,
							 failure_row(attempt->kinds[i])->message);
		if (added < 0 || (size_t) added >= size - used)
			return;
		used += (size_t) added;
	}
}
