/*
 * fetch.c
 *	  The only place that sends, waits and counts.
 *
 * One loop waits for everything: the turn in the line before the access key,
 * the pause before another attempt, the sockets, interrupts.  Who does something
 * else leaves the line.  Only a request that is still connecting keeps its
 * permission, for as long as the limiter lets it be silent.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "core/doc.h"
#include "core/sign.h"
#include "fetch.h"
#include "report.h"

/*
 * A permission to send is renewed so often while the connection is made: often
 * enough not to lapse on a busy machine.
 */
#define RENEW_US (LIMITER_LAPSE_US / 4)

/* Longer than this nobody sleeps without looking again. */
#define SLEEP_MAX_US INT64CONST(60000000)

/* requests of this process that have a place in line */
static dlist_head in_line = DLIST_STATIC_INIT(in_line);

/* One call of fetch_wait(). */
typedef struct Wait
{
	Fetch	   *const *fetches;
	int			count;
	Budget	   *budget;
	int64		now_us;
	int64		wake_us;		/* something is to be done then */
	bool		started;		/* the last one has been */
} Wait;

/* ---- the place in line ---- */

static void
take_place(Fetch *fetch, uint32 ticket)
{
	fetch->ticket = ticket;
	dlist_push_head(&in_line, &fetch->node);
}

static uint32
lose_place(Fetch *fetch)
{
	uint32		ticket = fetch->ticket;

	if (ticket != 0)
		dlist_delete(&fetch->node);
	fetch->ticket = 0;
	return ticket;
}

static void
leave_line(Fetch *fetch)
{
	uint32		ticket = lose_place(fetch);

	if (ticket != 0)
		shared_leave(fetch->account->key, ticket, clock_now_us());
}

/*
 * Notes a send that nobody has noted yet, and tells whether there was one at
 * all.
 */
static bool
note_send(Fetch *fetch)
{
	uint32		ticket;

	if (http_sent_us(fetch->transfer) == 0)
		return false;
	if (fetch->counted)
		return true;
	fetch->counted = true;
	fetch->tally->requests++;
	account_count(fetch->account, COUNT_REQUESTS, 1);
	if (fetch->attempt.failed > 0)
	{
		fetch->tally->retries++;
		account_count(fetch->account, COUNT_RETRIES, 1);
	}
	ticket = lose_place(fetch);

	/*
	 * libcurl has asked before it wrote, and on a busy machine that may be
	 * long enough for the next request to arrive too near.  Now it has
	 * written.
	 */
	if (ticket != 0)
		shared_sent(fetch->account->key, ticket, clock_now_us());
	return true;
}

/*
 * Ends what a request has under way.
 */
static void
stop_work(void *argument)
{
	Fetch	   *fetch = argument;

	if (fetch->transfer != NULL)
		(void) note_send(fetch);
	leave_line(fetch);
	http_drop(fetch->transfer);
	fetch->transfer = NULL;
}

/*
 * From here on there may be something to end.
 */
static void
begin_work(Fetch *fetch)
{
	if (fetch->work.handle == NULL)
		own_set(&fetch->work, fetch);
}

/*
 * At the end of the process nobody else would do it: contexts are reset after
 * shared memory is left, or not at all.
 */
static void
leave_all_lines(int code, Datum argument)
{
	dlist_mutable_iter iter;

	(void) code;
	(void) argument;
	dlist_foreach_modify(iter, &in_line)
	{
		Fetch	   *fetch = dlist_container(Fetch, node, iter.cur);

		if (fetch->transfer == NULL || !note_send(fetch))
			leave_line(fetch);
	}
}

/* ---- one request ---- */

void
fetch_init(Fetch *fetch, MemoryContext context, Account *account,
		   FetchTally *tally)
{
	static bool registered = false;

	if (!registered)
	{
		before_shmem_exit(leave_all_lines, (Datum) 0);
		registered = true;
	}
	memset(fetch, 0, sizeof(*fetch));
	fetch->account = account;
	fetch->tally = tally;
	fetch->context = context;
	own_init(&fetch->work, context, stop_work);
}

/*
 * Lets a request wait for its turn again.
 */
static void
begin_again(Fetch *fetch)
{
	own_set(&fetch->work, NULL);
	fetch->state = FETCH_WAITING;
}

void
fetch_restart(Fetch *fetch)
{
	const Settings *settings = &fetch->account->settings;

	failure_clear(&fetch->failure);
	attempt_begin(&fetch->attempt, settings->timeout_us,
				  settings->connect_timeout_us, settings->max_retries);
	begin_again(fetch);
}

void
fetch_start(Fetch *fetch, const char *target)
{
	fetch_end(fetch);
	fetch->target = MemoryContextStrdup(fetch->context, target);
	fetch_restart(fetch);
}

void
fetch_end(Fetch *fetch)
{
	own_set(&fetch->work, NULL);
	if (fetch->target != NULL)
		pfree(fetch->target);
	fetch->target = NULL;
	fetch->state = FETCH_IDLE;
}

/*
 * Ends a request for good, without an answer, and tells of attempts that failed
 * if the failure does not say it all.
 */
static void
give_up(Fetch *fetch, int told)
{
	own_set(&fetch->work, NULL);
	if (fetch->attempt.failed > told)
		attempt_history(&fetch->attempt, fetch->failure.history,
						sizeof(fetch->failure.history));
	fetch->state = FETCH_OVER;
}

/*
 * The same, for a reason of ours.
 */
static void
refuse(Fetch *fetch, FailureKind kind, const char *words)
{
	failure_say(&fetch->failure, kind, words);
	give_up(fetch, 0);
}

/*
 * Signs a request and hands it to libcurl; it may be sent until a point of
 * time.
 */
static void
send_request(Wait *wait, Fetch *fetch, int64 until_us)
{
	Account    *account = fetch->account;
	int64		timestamp = clock_wall_ms();
	char		signature[32 + SIGN_SIZE] = "x-ncp-apigw-signature-v2: ";
	const char *headers[] = {
		"Accept: application/json",
		psprintf("x-ncp-apigw-timestamp: %lld", (long long) timestamp),
		psprintf("x-ncp-iam-access-key: %s", account->access_key),
		signature
	};
	char	   *url = psprintf("%s%s", account->settings.endpoint.origin,
							   fetch->target);

	failure_clear(&fetch->failure);
	if (!sign_request(signature + strlen(signature), "GET",
					  fetch->target, timestamp,
					  account->access_key, account->secret_key))
	{
		refuse(fetch, FAILURE_MEMORY, "");
		return;
	}

	begin_work(fetch);
	fetch->counted = false;
	fetch->transfer = http_start(account->pool, url, headers,
								 lengthof(headers), until_us, wait->now_us,
								 &fetch->failure);
	sign_erase(signature, sizeof(signature));
	if (fetch->transfer == NULL)
	{
		give_up(fetch, 0);
		return;
	}
	fetch->state = FETCH_UNDER_WAY;
	attempt_start(&fetch->attempt);
	wait->budget->spent++;
	wait->wake_us = wait->now_us;
	if (fetch == wait->fetches[wait->count - 1])
		wait->started = true;
}

/*
 * Takes what was not sent off the bill; another statement's is not on it.
 */
static void
refund(Wait *wait, const Fetch *fetch)
{
	for (int i = 0; i < wait->count; i++)
	{
		if (wait->fetches[i] == fetch && !fetch->counted)
			wait->budget->spent--;
	}
}

/*
 * Lets a request that was not sent in time wait for its turn again.
 */
static void
miss_turn(Wait *wait, Fetch *fetch)
{
	refund(wait, fetch);
	begin_again(fetch);
	wait->wake_us = wait->now_us;
}

/*
 * What became of an attempt: the end of the request, or another attempt.
 */
static void
judge(Wait *wait, Fetch *fetch, FailureKind overdue)
{
	Failure    *failure = &fetch->failure;
	int64		retry_after_s = http_retry_after_s(fetch->transfer);
	const char *body;
	size_t		length;

	*failure = *http_outcome(fetch->transfer);
	body = http_body(fetch->transfer, &length);
	if (overdue != FAILURE_NONE)
		failure->kind = overdue;
	else if (failure->kind == FAILURE_NONE && failure->status != 200)
	{
		doc_fault(body, length, failure);
		failure->kind = failure_kind(failure->status, failure->code);
	}
	account_count(fetch->account, COUNT_BYTES, length);
	if (failure->kind == FAILURE_NONE)
	{
		fetch->state = FETCH_OVER;
		return;
	}

	refund(wait, fetch);
	if (failure->status == 429)
		account_count(fetch->account, COUNT_THROTTLED, 1);
	if (attempt_failed(&fetch->attempt, failure, retry_after_s,
					   pg_prng_double(&pg_global_prng_state), wait->now_us))
		begin_again(fetch);
	else
		give_up(fetch, 1);
	/* an answer that broke off behind its head has refused all the same */
	if (failure->kind == FAILURE_THROTTLED ||
		(failure->status == 429 && failure_row(failure->kind)->transient))
		shared_hold(fetch->account->key, fetch->attempt.again_us, wait->now_us);
	wait->wake_us = wait->now_us;
}

/* ---- waiting ---- */

/*
 * Whether what comes at a point of time comes too late for the statement; then
 * the request is given up.
 */
static bool
comes_too_late(Wait *wait, Fetch *fetch, int64 point_us)
{
	TimestampTz deadline;
	const char *setting;
	int64		left_us;

	/* what is asked ahead may never be wanted */
	if (fetch != wait->fetches[0] || !compat_deadline(&deadline, &setting))
		return false;
	left_us = deadline - GetCurrentTimestamp();
	if (point_us - wait->now_us <= left_us)
		return false;
	refuse(fetch, FAILURE_DEADLINE,
		   psprintf("it could be sent in %.1f s at the earliest, and %s ends the statement in %.1f s",
					(point_us - wait->now_us) / 1e6, setting,
					Max(left_us, 0) / 1e6));
	return true;
}

static void
wake_at(Wait *wait, int64 point_us)
{
	wait->wake_us = Min(wait->wake_us, point_us);
}

/*
 * Whether the statement may make another request.
 */
static bool
has_budget(Wait *wait, Fetch *fetch)
{
	if (budget_allows(wait->budget))
		return true;
	leave_line(fetch);
	if (fetch == wait->fetches[0])
		refuse(fetch, FAILURE_BUDGET,
			   psprintf("it has made %lld, and more are needed",
						(long long) wait->budget->spent));
	return false;
}

/*
 * Takes a place in line, or asks there; *until_us is until when the request may
 * be sent.
 */
static bool
is_its_turn(Wait *wait, Fetch *fetch, int64 *until_us)
{
	SignDigest	key = fetch->account->key;
	int64		interval_us = fetch->account->settings.interval_us;

	if (interval_us == 0)
	{
		int64		held_us = shared_held_us(key);

		*until_us = HTTP_NEVER;
		if (held_us <= wait->now_us)
			return true;
		if (!comes_too_late(wait, fetch, held_us))
			wake_at(wait, held_us);
		return false;
	}

	if (fetch->ticket == 0)
	{
		uint32		ticket = shared_join(key, interval_us, wait->now_us);

		if (ticket == 0)
		{
			if (fetch == wait->fetches[0])
				refuse(fetch, FAILURE_LINE, "");
			return false;
		}
		begin_work(fetch);
		take_place(fetch, ticket);
	}
	switch (shared_poll(key, fetch->ticket, wait->now_us, until_us))
	{
		case LIMITER_GO:
			return true;
		case LIMITER_WAIT:
			if (!comes_too_late(wait, fetch,
								shared_turn_us(key, fetch->ticket,
											   wait->now_us)))
				wake_at(wait, *until_us);
			return false;
		case LIMITER_GONE:
			(void) lose_place(fetch);
			wait->wake_us = wait->now_us;
			return false;
	}
	return false;
}

static void
try_to_send(Wait *wait, Fetch *fetch)
{
	int64		until_us;

	/* first: nobody waits for a request that may not be made */
	if (!has_budget(wait, fetch))
		return;
	if (wait->now_us < fetch->attempt.again_us)
	{
		if (!comes_too_late(wait, fetch, fetch->attempt.again_us))
			wake_at(wait, fetch->attempt.again_us);
	}
	else if (is_its_turn(wait, fetch, &until_us))
		send_request(wait, fetch, until_us);
}

/*
 * Looks after a request that has been handed to libcurl.
 */
static void
look_after(Wait *wait, Fetch *fetch)
{
	bool		sent = note_send(fetch);
	FailureKind overdue;

	if (http_finished(fetch->transfer))
	{
		if (!http_late(fetch->transfer))
			judge(wait, fetch, FAILURE_NONE);
		else
			miss_turn(wait, fetch);
		return;
	}
	overdue = attempt_overdue(&fetch->attempt, sent);
	if (overdue != FAILURE_NONE)
		judge(wait, fetch, overdue);
	else
		wake_at(wait, wait->now_us + attempt_left_us(&fetch->attempt, sent));
}

/*
 * Renews the permissions of requests that are still connecting, whoever started
 * them, and notes those that were sent.
 */
static void
renew_permissions(Wait *wait, const Account *account)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &in_line)
	{
		Fetch	   *fetch = dlist_container(Fetch, node, iter.cur);
		int64		until_us;

		if (fetch->account != account || fetch->transfer == NULL ||
			note_send(fetch))
			continue;
		if (shared_poll(account->key, fetch->ticket, wait->now_us,
						&until_us) == LIMITER_GO)
		{
			http_permit(fetch->transfer, until_us);
			wake_at(wait, wait->now_us + RENEW_US);
		}
		else
			miss_turn(wait, fetch);
	}
}

/*
 * The wait's name in pg_stat_activity.
 */
static uint32
wait_event(const Wait *wait)
{
	static uint32 request = 0;
	static uint32 limit = 0;
	static uint32 backoff = 0;
	const Fetch *first = wait->fetches[0];

	if (request == 0)
	{
		limit = compat_wait_event("NclueRateLimit");
		backoff = compat_wait_event("NclueBackoff");
		request = compat_wait_event("NclueRequest");
	}
	if (first->state == FETCH_UNDER_WAY)
		return request;
	return wait->now_us < first->attempt.again_us ? backoff : limit;
}

/*
 * Sleeps until something may have happened to the pool's transfers, an
 * interrupt or a wake-up has come, or it is time.
 */
static void
sleep_until_event(Wait *wait, Http *http)
{
	ErrorContextCallback callback;
	int64		left_us;

	if (http_due_us(http) >= 0)
		wake_at(wait, http_due_us(http));
	left_us = Max(wait->wake_us - clock_now_us(), 0);

	/* waiting takes a descriptor */
	report_errno(&callback);
	/* round up: waking a little early would spin */
	(void) WaitLatchOrSocket(MyLatch,
							 WL_LATCH_SET | WL_SOCKET_READABLE | WL_TIMEOUT |
							 WL_EXIT_ON_PM_DEATH,
							 http_descriptor(http),
							 (long) ((left_us + 999) / 1000),
							 wait_event(wait));
	error_context_stack = callback.previous;
	ResetLatch(MyLatch);
}

/*
 * Adds time that has passed to what it was spent on.
 */
static void
spend_time(Wait *wait, int64 us)
{
	Fetch	   *first = wait->fetches[0];

	for (int i = 0; i < wait->count; i++)
	{
		if (wait->fetches[i]->state == FETCH_UNDER_WAY)
			attempt_waited(&wait->fetches[i]->attempt, us);
	}
	if (first->state == FETCH_WAITING)
	{
		first->tally->waited_us += us;
		account_count(first->account, COUNT_WAITED_US, us);
	}
}

static FetchEvent
serve(Wait *wait, int64 until_us)
{
	Fetch	   *first = wait->fetches[0];
	Http	   *http = first->account->pool;

	wait->now_us = clock_now_us();
	for (;;)
	{
		int64		before_us = wait->now_us;

		CHECK_FOR_INTERRUPTS();
		wait->wake_us = wait->now_us + SLEEP_MAX_US;

		/*
		 * What has come while nobody waited is taken in before time is
		 * counted.
		 */
		http_turn(http, wait->now_us);
		renew_permissions(wait, first->account);
		for (int i = 0; i < wait->count; i++)
		{
			Fetch	   *fetch = wait->fetches[i];

			if (fetch->state == FETCH_UNDER_WAY)
				look_after(wait, fetch);
			if (fetch->state == FETCH_WAITING)
				try_to_send(wait, fetch);
		}
		if (first->state == FETCH_OVER)
			return FETCH_ENDED;
		if (wait->started)
			return FETCH_STARTED;
		if (until_us > 0)
		{
			if (until_us <= wait->now_us)
				return FETCH_TICK;
			wake_at(wait, until_us);
		}
		if (wait->wake_us > wait->now_us)
			sleep_until_event(wait, http);
		wait->now_us = clock_now_us();
		spend_time(wait, wait->now_us - before_us);
	}
}

FetchEvent
fetch_wait(Fetch *const *fetches, int count, Budget *budget, int64 until_us)
{
	Wait		wait = {
		.fetches = fetches,
		.count = count,
		.budget = budget
	};
	FetchEvent	event;

	PG_TRY();
	{
		event = serve(&wait, until_us);
	}
	PG_CATCH();
	{
		/* who catches the error may live long without asking again */
		for (int i = 0; i < count; i++)
		{
			if (fetches[i]->state != FETCH_OVER)
				fetch_restart(fetches[i]);
		}
		PG_RE_THROW();
	}
	PG_END_TRY();

	/* or a long wait would begin anew with each notice of progress */
	for (int i = 0; i < count && event == FETCH_ENDED; i++)
	{
		if (fetches[i]->state == FETCH_WAITING)
			leave_line(fetches[i]);
	}
	return event;
}

FailureKind
fetch_result(const Fetch *fetch, const char **body, size_t *length,
			 Failure *failure)
{
	Assert(fetch->state == FETCH_OVER);
	*failure = fetch->failure;
	if (failure->kind == FAILURE_NONE)
		*body = http_body(fetch->transfer, length);
	return failure->kind;
}

FailureKind
fetch_get(Fetch *fetch, const char *target, Budget *budget,
		  const char **body, size_t *length, Failure *failure)
{
	fetch_start(fetch, target);
	while (fetch_wait(&fetch, 1, budget, 0) != FETCH_ENDED)
		 /* until it is over */ ;
	return fetch_result(fetch, body, length, failure);
}
