/*
 * arrival.h
 *	  An answer read as a page of a list, before anybody has judged it.
 */
#ifndef NCLUE_ARRIVAL_H
#define NCLUE_ARRIVAL_H

#include "core/doc.h"
#include "core/resource.h"
#include "core/sign.h"
#include "core/walk.h"
#include "own.h"

typedef struct Arrival
{
	MemoryContext context;		/* everything here */
	WalkPage	page;			/* known and lead are not counted yet */
	char	   *body;
	size_t		length;
	Own			doc;			/* the body's; Doc */
	SignDigest *ids;			/* one per row */
} Arrival;

/*
 * Reads a body as the page that was asked for, in a context of its own below
 * the current one; its ids are digests under the key.  Raises where it is no
 * such page, or shows an object without an id, or one twice, or, if exact,
 * does not begin with the row asked for; *failure tells where the answer came
 * from.
 */
extern Arrival *arrival_read(const Resource *resource, SignKey *key,
							 const UriPage *asked, bool exact,
							 const char *body, size_t length,
							 Failure *failure);

/*
 * The digest of an id (UTF-8).  Raises only where there is no memory.
 */
extern SignDigest arrival_digest(SignKey *key, const char *id, size_t length);

/*
 * Ends an arrival.  Never raises.
 */
extern void arrival_discard(Arrival *arrival);

/*
 * Of a body that came with status 200 and is not what was asked for, as
 * *failure says: adds what the service says in it, and where that is an error
 * of a known kind, makes it *failure's.  Never raises.
 */
extern void arrival_fault(const char *body, size_t length, Failure *failure);

#endif
