/*
 * fetch.h
 *	  The only place that sends, waits and counts.
 */
#ifndef NCLUE_FETCH_H
#define NCLUE_FETCH_H

#include "account.h"
#include "budget.h"
#include "core/attempt.h"

/* Room for a path and query: the endpoint's path, a resource, two numbers. */
#define FETCH_TARGET_SIZE 512

/* What the requests for one purpose have come to. */
typedef struct FetchTally
{
	int64		requests;		/* sent */
	int64		retries;		/* of these, further attempts */
	int64		waited_us;		/* for the limit and before further attempts */
} FetchTally;

typedef enum FetchState
{
	FETCH_IDLE,
	FETCH_WAITING,				/* for its turn, or to be tried again */
	FETCH_UNDER_WAY,
	FETCH_OVER					/* with a body, or with a failure */
} FetchState;

/*
 * One request, through all its attempts.  It belongs to a memory context; when
 * that goes, it leaves the line and what is under way is cancelled.
 */
typedef struct Fetch
{
	Account    *account;
	FetchTally *tally;
	MemoryContext context;
	FetchState	state;
	char	   *target;			/* path and query; in the context */
	Attempt		attempt;
	Failure		failure;		/* of the last attempt */
	Own			work;			/* itself, while it has one of these: */
	HttpTransfer *transfer;
	uint32		ticket;			/* its place in line; 0: none */
	bool		counted;		/* the transfer, as sent */
	dlist_node	node;			/* of those in line; in fetch.c's list */
} Fetch;

typedef enum FetchEvent
{
	FETCH_ENDED,				/* the first is over */
	FETCH_STARTED,				/* the last is under way */
	FETCH_TICK					/* the time has come */
} FetchEvent;

/*
 * Prepares a Fetch that lies in the context; what it comes to is added to the
 * tally.  Both, and the account's pin, must live as long as the context.  Never
 * raises.
 */
extern void fetch_init(Fetch *fetch, MemoryContext context, Account *account,
					   FetchTally *tally);

/*
 * Begins GET of a target (path and query); a request that was there before is
 * dropped.  Nothing is sent before fetch_wait().  Raises only where there is no
 * memory.
 */
extern void fetch_start(Fetch *fetch, const char *target);

/*
 * Begins the same again, dropping what came of it.  Never raises.
 */
extern void fetch_restart(Fetch *fetch);

/*
 * Waits, interruptibly, for the first of some requests of one account, which
 * begin in this order, and serves them all meanwhile: each attempt takes its
 * place in line, is signed and sent, and is paid from the budget.  Returns when
 * the first is over; or has just been sent the last one; or, if a time is given
 * (not 0), when it has come: then the caller is to come back at once, since the
 * places in line are kept.  Raises where it is interrupted; then those that
 * were not over are back at their beginning.
 */
extern FetchEvent fetch_wait(Fetch *const *fetches, int count,
							 Budget *budget, int64 until_us);

/*
 * Of a request that is over: FAILURE_NONE where an answer with status 200 came,
 * and *body is it; else what *failure says.  Both live until the next
 * fetch_start() or fetch_end().  Never raises.
 */
extern FailureKind fetch_result(const Fetch *fetch, const char **body,
								size_t *length, Failure *failure);

/*
 * All of it, one after the other, for a single request.
 */
extern FailureKind fetch_get(Fetch *fetch, const char *target, Budget *budget,
							 const char **body, size_t *length,
							 Failure *failure);

/*
 * Drops the request, if there is one; what it had received goes.  Never
 * raises.
 */
extern void fetch_end(Fetch *fetch);

#endif
