/*
 * scope.h
 *	  Who shares a listing: a statement, a transaction, a session.
 */
#ifndef NCLUE_SCOPE_H
#define NCLUE_SCOPE_H

#include "listing.h"
#include "nodes/execnodes.h"

/* Setting nclue_fdw.cache_ttl: seconds for which a session may reuse a list. */
extern int	scope_cache_ttl;

/* A week; in milliseconds it still fits. */
#define SCOPE_CACHE_TTL_MAX (7 * 86400)

/*
 * The account of a server for a user that the statement has used before, even
 * if it was changed since; else the one there is now.  The statement keeps it
 * until its executor state goes.  Raises.
 */
extern Account *scope_account(EState *estate, Oid server, Oid user);

/*
 * The listing that a scan is to read: one that the statement reads already;
 * in a transaction with one snapshot, one that it has read before; within
 * cache_ttl, one that the session has; else a new one.  The statement keeps it
 * until its executor state goes.  Raises.
 */
extern Listing *scope_listing(EState *estate, const ListingKey *key);

/*
 * What the statement has spent on requests; lives as long as its executor
 * state.  Raises only where there is no memory.
 */
extern Budget *scope_budget(EState *estate);

/*
 * Lets go of what the session keeps for cache_ttl.  Never raises.
 */
extern void scope_forget(void);

#endif
