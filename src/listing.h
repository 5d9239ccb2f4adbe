/*
 * listing.h
 *	  One list, many readers: the pages read so far, and what it takes to read
 *	  on.
 */
#ifndef NCLUE_LISTING_H
#define NCLUE_LISTING_H

#include "core/doc.h"
#include "core/walk.h"
#include "fetch.h"

typedef struct Listing Listing;

/*
 * A position in a listing.  It holds the page it is on in parsed form, until
 * it moves on or its memory context goes.
 */
typedef struct Reader
{
	Listing    *listing;
	int			page;			/* of the listing's */
	int			row;			/* next one of the page's rows */
	Own			doc;			/* the page's body; Doc */
	int			doc_page;		/* the page that doc is of; -1: none */
	DocPage		envelope;		/* doc's */
} Reader;

/*
 * A listing that has read nothing yet.  It takes over the caller's pin on the
 * account, and ends with the parent context: what is under way is cancelled,
 * its pages and its file go, the account is let go.  Raises.
 */
extern Listing *listing_create(MemoryContext parent, Account *account,
							   const Resource *resource, int page_size,
							   bool jumps);

/*
 * Whether the listing is what listing_create() with the same arguments would
 * make.  Never raises.
 */
extern bool listing_is(const Listing *listing, const Account *account,
					   const Resource *resource, int page_size, bool jumps);

/*
 * Puts a reader, which lies in the context, before the first row.  Never
 * raises.
 */
extern void reader_begin(Reader *reader, MemoryContext context,
						 Listing *listing);

/*
 * Puts it there again.  Never raises.
 */
extern void reader_rewind(Reader *reader);

/*
 * The next object, fetching where the listing has not come that far; it stays
 * until the next call.  False at the end.  Raises.
 */
extern bool reader_next(Reader *reader, DocValue *object);

/*
 * Adds to an error's context which page was being asked for, if one was.
 * Never raises.
 */
extern void listing_errcontext(const Listing *listing);

#endif
