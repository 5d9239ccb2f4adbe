/*
 * fetch.c
 *	  The only place that sends, waits and counts.
 */
#include "postgres.h"

#include <sys/time.h>
#include <time.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

#include "core/doc.h"
#include "core/sign.h"
#include "fetch.h"

static int64
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64CONST(1000000) + now.tv_nsec / 1000;
}

static int64
timestamp_ms(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return now.tv_sec * INT64CONST(1000) + now.tv_usec / 1000;
}

static void
drop_transfer(void *transfer)
{
	http_drop(transfer);
}

void
fetch_init(Fetch *fetch, MemoryContext context, Account *account)
{
	fetch->account = account;
	fetch->requests = 0;
	own_init(&fetch->transfer, context, drop_transfer);
}

FailureKind
fetch_start(Fetch *fetch, const char *target, Failure *failure)
{
	Account    *account = fetch->account;
	int64		timestamp = timestamp_ms();
	char		signature[SIGN_SIZE];
	const char *headers[4];
	char	   *url;

	failure_clear(failure);
	fetch_end(fetch);

	if (!sign_request(signature, "GET", target, timestamp,
					  account->access_key, account->secret_key))
		return failure->kind = FAILURE_MEMORY;

	url = psprintf("%s%s", account->settings.endpoint.origin, target);
	headers[0] = "Accept: application/json";
	headers[1] = psprintf("x-ncp-apigw-timestamp: %lld", (long long) timestamp);
	headers[2] = psprintf("x-ncp-iam-access-key: %s", account->access_key);
	headers[3] = psprintf("x-ncp-apigw-signature-v2: %s", signature);

	own_set(&fetch->transfer,
			http_start(account->http.handle, url, headers, lengthof(headers),
					   now_us(), failure));
	attempt_begin(&fetch->attempt, account->settings.timeout_us,
				  account->settings.connect_timeout_us);
	return failure->kind;
}

/*
 * Sleeps until something may have happened to the pool's transfers, an
 * interrupt has come, or so many microseconds have passed.
 */
static void
sleep_until_event(Http *http, int64 left_us)
{
	int64		due_us = http_due_us(http);

	if (due_us >= 0)
		left_us = Min(left_us, Max(due_us - now_us(), 0));

	/* round up: waking a little early would spin */
	(void) WaitLatchOrSocket(MyLatch,
							 WL_LATCH_SET | WL_SOCKET_READABLE | WL_TIMEOUT |
							 WL_EXIT_ON_PM_DEATH,
							 http_descriptor(http),
							 (long) ((left_us + 999) / 1000),
							 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

/*
 * Waits until the transfer has ended, or a limit of its time has passed, and
 * tells which.
 */
static FailureKind
wait_for_transfer(Fetch *fetch, HttpTransfer *transfer)
{
	Http	   *http = fetch->account->http.handle;
	int64		turned_us = now_us();

	/*
	 * What has come while nobody waited is taken in before time is counted.
	 */
	for (;;)
	{
		FailureKind overdue;
		int64		before_us = turned_us;
		bool		sent;

		CHECK_FOR_INTERRUPTS();
		http_turn(http, turned_us);
		if (http_finished(transfer))
			return FAILURE_NONE;

		sent = http_sent_us(transfer) > 0;
		overdue = attempt_overdue(&fetch->attempt, sent);
		if (overdue != FAILURE_NONE)
			return overdue;

		sleep_until_event(http, attempt_left_us(&fetch->attempt, sent));
		turned_us = now_us();
		attempt_waited(&fetch->attempt, turned_us - before_us);
	}
}

FailureKind
fetch_wait(Fetch *fetch, const char **body, size_t *length, Failure *failure)
{
	HttpTransfer *transfer = fetch->transfer.handle;
	FailureKind overdue;

	PG_TRY();
	{
		overdue = wait_for_transfer(fetch, transfer);
	}
	PG_CATCH();
	{
		/* who catches the error may live long without asking again */
		fetch_end(fetch);
		PG_RE_THROW();
	}
	PG_END_TRY();

	*failure = *http_outcome(transfer);
	if (overdue != FAILURE_NONE)
	{
		fetch_end(fetch);
		return failure->kind = overdue;
	}
	*body = http_body(transfer, length);
	if (failure->kind == FAILURE_NONE && failure->status != 200)
	{
		doc_fault(*body, *length, failure);
		failure->kind = failure_kind(failure->status, failure->code);
	}
	return failure->kind;
}

FailureKind
fetch_get(Fetch *fetch, const char *target, const char **body,
		  size_t *length, Failure *failure)
{
	if (fetch_start(fetch, target, failure) != FAILURE_NONE)
		return failure->kind;
	return fetch_wait(fetch, body, length, failure);
}

int64
fetch_requests(const Fetch *fetch)
{
	const HttpTransfer *transfer = fetch->transfer.handle;

	return fetch->requests + (transfer ? http_sends(transfer) : 0);
}

void
fetch_fault(const char *body, size_t length, Failure *failure)
{
	FailureKind kind;

	if (!doc_fault(body, length, failure))
		return;
	kind = failure_kind(failure->status, failure->code);
	if (kind == FAILURE_NONE)
		return;
	failure->kind = kind;
	failure->message[0] = '\0';
}

void
fetch_end(Fetch *fetch)
{
	if (fetch->transfer.handle != NULL)
		fetch->requests += http_sends(fetch->transfer.handle);
	own_set(&fetch->transfer, NULL);
}
