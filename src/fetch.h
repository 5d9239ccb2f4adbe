/*
 * fetch.h
 *	  The only place that sends, waits and counts.
 */
#ifndef NCLUE_FETCH_H
#define NCLUE_FETCH_H

#include "account.h"
#include "core/attempt.h"

/* Room for a path and query: the endpoint's path, a resource, two numbers. */
#define FETCH_TARGET_SIZE 512

/*
 * One request at a time, from its send to the end of its use.  It belongs to a
 * memory context; when that goes, a request under way is cancelled.
 */
typedef struct Fetch
{
	Account    *account;
	Own			transfer;		/* HttpTransfer */
	Attempt		attempt;
	int64		requests;		/* sent by those that have ended */
} Fetch;

/*
 * Prepares a Fetch that lies in the context.  The account must stay pinned as
 * long as the context lives.  Never raises.
 */
extern void fetch_init(Fetch *fetch, MemoryContext context, Account *account);

/*
 * Starts GET of a target (path and query), signed with the account's keys; a
 * request that was there before is dropped.  A failure to start is in *failure;
 * FAILURE_NONE otherwise.  Raises only where there is no memory.
 */
extern FailureKind fetch_start(Fetch *fetch, const char *target,
							   Failure *failure);

/*
 * Waits, interruptibly, until the request has ended.  With FAILURE_NONE there
 * is a body with status 200, which stays until fetch_end() or the next
 * fetch_start(); else *failure says why not.  Raises where it is interrupted;
 * then the request is cancelled.
 */
extern FailureKind fetch_wait(Fetch *fetch, const char **body, size_t *length,
							  Failure *failure);

/*
 * Both, one after the other.
 */
extern FailureKind fetch_get(Fetch *fetch, const char *target,
							 const char **body, size_t *length,
							 Failure *failure);

/*
 * Of a body that came with status 200 and is not what was asked for, as
 * *failure says: adds what the service says in it, and where that is an error
 * of a known kind, makes it *failure's.  Never raises.
 */
extern void fetch_fault(const char *body, size_t length, Failure *failure);

/*
 * Requests sent so far, libcurl's own resends included.  Never raises.
 */
extern int64 fetch_requests(const Fetch *fetch);

/*
 * Drops the request, if there is one; what it had received goes.  Never
 * raises.
 */
extern void fetch_end(Fetch *fetch);

#endif
