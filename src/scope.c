/*
 * scope.c
 *	  Who shares a listing: a statement, a transaction, a session.
 *
 * Each of the three pins what it keeps, and a listing ends with its last pin.
 * So a cursor reads its list to the end while the session has begun a new one,
 * and a list outlives the statement that began it where others may go on.
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/ilist.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "scope.h"

/* What one keeps. */
typedef struct Shelf
{
	MemoryContext context;		/* of the list */
	List	   *listings;		/* Listing, each pinned once */
} Shelf;

/* With which account a statement reads for a user from a server. */
typedef struct Use
{
	Oid			server;
	Oid			user;
	Account    *account;		/* pinned; NULL: not known yet */
} Use;

/* A statement that reads listings; lies in its executor state's context. */
typedef struct Statement
{
	dlist_node	node;			/* in statements */
	EState	   *estate;
	Shelf		shelf;
	List	   *uses;			/* Use, in the executor state's context */
	Budget		budget;
	MemoryContextCallback callback;
} Statement;

int			scope_cache_ttl = 0;

static dlist_head statements = DLIST_STATIC_INIT(statements);
static Shelf transaction_shelf;
static Shelf session_shelf;

/*
 * Puts a listing on a shelf, which pins it.
 */
static void
shelve(Shelf *shelf, Listing *listing)
{
	MemoryContext old = MemoryContextSwitchTo(shelf->context);

	shelf->listings = lappend(shelf->listings, listing);
	listing_pin(listing);
	MemoryContextSwitchTo(old);
}

/*
 * Takes everything off a shelf.
 */
static void
clear(Shelf *shelf)
{
	List	   *listings = shelf->listings;
	ListCell   *cell;

	/* off the shelf first: ending a listing calls out */
	shelf->listings = NIL;
	foreach(cell, listings)
		listing_unpin(lfirst(cell));
	list_free(listings);
}

/*
 * The listing on a shelf that serves a key; NULL if there is none.
 */
static Listing *
find(const Shelf *shelf, const ListingKey *key)
{
	ListCell   *cell;

	foreach(cell, shelf->listings)
	{
		if (listing_serves(lfirst(cell), key))
			return lfirst(cell);
	}
	return NULL;
}

/*
 * Takes off what serves nobody any more: what has failed, and what the session
 * has kept for too long or has read with an account that was changed since.
 */
static void
tidy(Shelf *shelf)
{
	TimestampTz now = GetCurrentTimestamp();
	ListCell   *cell;

	foreach(cell, shelf->listings)
	{
		Listing    *listing = lfirst(cell);

		if (!listing_failed(listing) &&
			(shelf != &session_shelf ||
			 (!listing_account(listing)->stale &&
			  !TimestampDifferenceExceeds(listing_started(listing), now,
										  scope_cache_ttl * 1000))))
			continue;
		shelf->listings = foreach_delete_current(shelf->listings, cell);
		listing_unpin(listing);
	}
}

/* ---- the statement ---- */

static void
end_statement(void *arg)
{
	Statement  *statement = arg;
	ListCell   *cell;

	dlist_delete(&statement->node);
	clear(&statement->shelf);
	foreach(cell, statement->uses)
	{
		Use		   *use = lfirst(cell);

		if (use->account != NULL)
			account_release(use->account);
	}
	/* the file of a list that failed for want of room would take that room */
	tidy(&transaction_shelf);
	tidy(&session_shelf);
}

/*
 * The statement's own executor state: EvalPlanQual gives each recheck one of
 * its own, and they must not read the list again.
 */
static EState *
top_estate(EState *estate)
{
	while (estate->es_epq_active != NULL)
		estate = estate->es_epq_active->parentestate;
	return estate;
}

static Statement *
find_statement(EState *estate)
{
	dlist_iter	iter;
	Statement  *statement;

	dlist_foreach(iter, &statements)
	{
		statement = dlist_container(Statement, node, iter.cur);
		if (statement->estate == estate)
			return statement;
	}

	statement = MemoryContextAllocZero(estate->es_query_cxt, sizeof(Statement));
	statement->estate = estate;
	statement->shelf.context = estate->es_query_cxt;
	statement->callback.func = end_statement;
	statement->callback.arg = statement;
	dlist_push_head(&statements, &statement->node);
	MemoryContextRegisterResetCallback(estate->es_query_cxt,
									   &statement->callback);
	return statement;
}

Budget *
scope_budget(EState *estate)
{
	return &find_statement(top_estate(estate))->budget;
}

/*
 * What a statement keeps for a user on a server, made if there is nothing.
 */
static Use *
find_use(Statement *statement, Oid server, Oid user)
{
	MemoryContext old;
	ListCell   *cell;
	Use		   *use;

	foreach(cell, statement->uses)
	{
		use = lfirst(cell);
		if (use->server == server && use->user == user)
			return use;
	}

	old = MemoryContextSwitchTo(statement->shelf.context);
	use = palloc0(sizeof(Use));
	use->server = server;
	use->user = user;
	statement->uses = lappend(statement->uses, use);
	MemoryContextSwitchTo(old);
	return use;
}

/*
 * The account by which lists have been read that go together with those to be
 * read now; NULL if there is none.  In a statement that is the one of the same
 * mapping, which several users may have, PUBLIC's; in a transaction with one
 * snapshot, of the same keys as well.
 */
static Account *
earlier_account(const Statement *statement, const Account *account)
{
	ListCell   *cell;

	foreach(cell, statement->uses)
	{
		Account    *other = ((const Use *) lfirst(cell))->account;

		if (other != NULL && other->mapping == account->mapping)
			return other;
	}
	if (!IsolationUsesXactSnapshot())
		return NULL;
	foreach(cell, transaction_shelf.listings)
	{
		const Listing *listing = lfirst(cell);
		Account    *other = listing_account(listing);

		if (!listing_failed(listing) && other->mapping == account->mapping &&
			memcmp(&other->key, &account->key, sizeof(SignDigest)) == 0)
			return other;
	}
	return NULL;
}

Account *
scope_account(EState *estate, Oid server, Oid user)
{
	Statement  *statement = find_statement(top_estate(estate));
	Use		   *use = find_use(statement, server, user);

	if (use->account == NULL)
	{
		Account    *account = account_get(server, user);
		Account    *earlier = earlier_account(statement, account);

		use->account = account;
		if (earlier != NULL)
		{
			use->account = account_pin(earlier);
			account_release(account);
		}
	}
	return use->account;
}

/* ---- the transaction ---- */

static void
end_transaction(XactEvent event, void *arg)
{
	(void) arg;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PREPARE:
			clear(&transaction_shelf);
			break;
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:

			/*
			 * Cursors WITH HOLD are read to their end after this, and may
			 * need the list.
			 */
			break;
	}
}

/* ---- the session ---- */

void
scope_forget(void)
{
	clear(&session_shelf);
}

/* ---- all together ---- */

Listing *
scope_listing(EState *estate, const ListingKey *key)
{
	static bool registered = false;
	Shelf	   *statement = &find_statement(top_estate(estate))->shelf;
	bool		one_snapshot = IsolationUsesXactSnapshot();

	/* a range is cheap to ask again, and there may be many */
	bool		for_session = scope_cache_ttl > 0 && !one_snapshot &&
	key->want < 0;
	Listing    *listing;

	if (!registered)
	{
		RegisterXactCallback(end_transaction, NULL);
		transaction_shelf.context = TopMemoryContext;
		session_shelf.context = TopMemoryContext;
		registered = true;
	}

	listing = find(statement, key);
	if (listing != NULL)
		return listing;

	/*
	 * A transaction with one snapshot keeps to the list that it has read
	 * first, and that list must not be older than it is.
	 */
	if (one_snapshot)
		listing = find(&transaction_shelf, key);
	else if (scope_cache_ttl > 0)
	{
		tidy(&session_shelf);
		listing = find(&session_shelf, key);
	}
	if (listing != NULL)
	{
		shelve(statement, listing);
		return listing;
	}

	listing = listing_create(key);
	PG_TRY();
	{
		shelve(statement, listing);
		if (one_snapshot)
			shelve(&transaction_shelf, listing);
		else if (for_session)
			shelve(&session_shelf, listing);
	}
	PG_FINALLY();
	{
		/* the creator's */
		listing_unpin(listing);
	}
	PG_END_TRY();
	return listing;
}
