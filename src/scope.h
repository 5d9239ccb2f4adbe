/*
 * scope.h
 *	  Who shares a listing.
 */
#ifndef NCLUE_SCOPE_H
#define NCLUE_SCOPE_H

#include "listing.h"
#include "nodes/execnodes.h"

/*
 * The listing that all scans of one statement share which read the same
 * resource with the same account in the same way; made where there is none.  It
 * ends with the statement's executor state.  Takes over the caller's pin on the
 * account.  Raises.
 */
extern Listing *scope_listing(EState *estate, Account *account,
							  const Resource *resource, int page_size,
							  bool jumps);

#endif
