/*
 * scope.c
 *	  Who shares a listing: the scans of one statement.
 *
 * Listings do not live in the statement's own context: children of a context
 * are deleted before its reset callbacks run, and a listing has things to end
 * in their order.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "scope.h"

/* A statement that reads listings; lies in its executor state's context. */
typedef struct Scope
{
	dlist_node	node;			/* in scopes */
	EState	   *estate;
	MemoryContext context;		/* the listings' parent */
	List	   *listings;
	MemoryContextCallback callback;
} Scope;

static dlist_head scopes = DLIST_STATIC_INIT(scopes);

static void
end_scope(void *arg)
{
	Scope	   *scope = arg;

	dlist_delete(&scope->node);
	MemoryContextDelete(scope->context);
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

static Scope *
find_scope(EState *estate)
{
	dlist_iter	iter;
	Scope	   *scope;
	MemoryContext context;

	dlist_foreach(iter, &scopes)
	{
		scope = dlist_container(Scope, node, iter.cur);
		if (scope->estate == estate)
			return scope;
	}

	scope = MemoryContextAllocZero(estate->es_query_cxt, sizeof(Scope));
	context = AllocSetContextCreate(TopMemoryContext, "nclue_fdw statement",
									ALLOCSET_SMALL_SIZES);
	scope->estate = estate;
	scope->context = context;
	scope->callback.func = end_scope;
	scope->callback.arg = scope;
	dlist_push_head(&scopes, &scope->node);
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &scope->callback);
	return scope;
}

Listing *
scope_listing(EState *estate, Account *account, const Resource *resource,
			  int page_size, bool jumps)
{
	Scope	   *scope;
	ListCell   *cell;
	Listing    *listing;
	MemoryContext old;

	estate = top_estate(estate);
	scope = find_scope(estate);
	foreach(cell, scope->listings)
	{
		listing = lfirst(cell);
		if (listing_is(listing, account, resource, page_size, jumps))
		{
			account_release(account);
			return listing;
		}
	}

	listing = listing_create(scope->context, account, resource, page_size,
							 jumps);
	old = MemoryContextSwitchTo(estate->es_query_cxt);
	scope->listings = lappend(scope->listings, listing);
	MemoryContextSwitchTo(old);
	return listing;
}
