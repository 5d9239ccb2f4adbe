/*
 * listing.h
 *	  One list, many readers: the pages read so far, the objects looked up, and
 *	  what it takes to read on.
 */
#ifndef NCLUE_LISTING_H
#define NCLUE_LISTING_H

#include "core/doc.h"
#include "core/walk.h"
#include "datatype/timestamp.h"
#include "fetch.h"

typedef struct Listing Listing;

/* Setting nclue_fdw.progress_interval, in seconds; 0: nothing is told. */
extern int	listing_progress_interval;

/* Rows of a list of which nothing is known. */
#define LISTING_DEFAULT_ROWS 1000

/* What is read, and how. */
typedef struct ListingKey
{
	Account    *account;
	const Resource *resource;
	int			page_size;
	bool		jumps;			/* list_order auto */
	int64		first;			/* row that a range begins with */
	int64		want;			/* rows of a range; -1: the whole list */
} ListingKey;

/*
 * A position in a listing.  It holds the page it is on in parsed form, until
 * it moves on or its memory context goes.
 */
typedef struct Reader
{
	Listing    *listing;
	int			page;			/* of the listing's */
	int			row;			/* next one of the page's rows */
	int64		first;			/* rows to pass over at the beginning */
	int64		want;			/* rows to show; -1: all */
	int64		skip;			/* of first, those still to pass over */
	int64		left;			/* of want, those still to show */
	bool		whole;			/* all of the list will be read, for sure */
	Budget	   *budget;			/* pays for its requests */
	Own			doc;			/* the page's body; Doc */
	int			doc_page;		/* the page that doc is of; -1: none */
	DocPage		envelope;		/* doc's */
} Reader;

/*
 * A listing that has read nothing yet.  It has a pin of its own on the key's
 * account.  The caller has its first pin.  Raises.
 */
extern Listing *listing_create(const ListingKey *key);

/*
 * One user more, and one less: with the last one the listing ends, what is
 * under way is cancelled, its pages and its file go, the account is let go, and
 * its readers must not be used again.  Never raise.
 */
extern void listing_pin(Listing *listing);
extern void listing_unpin(Listing *listing);

/*
 * Whether the listing can serve a key: it is one of that key, or of the whole
 * list and already has the rows wanted; and has not failed.  Never raises.
 */
extern bool listing_serves(const Listing *listing, const ListingKey *key);

/*
 * Whether it has failed for good: it shows no more than what it has.  Never
 * raises.
 */
extern bool listing_failed(const Listing *listing);

/*
 * The account it is read with, which it has pinned.  Never raises.
 */
extern Account *listing_account(const Listing *listing);

/*
 * When it was made, before its first request.  Never raises.
 */
extern TimestampTz listing_started(const Listing *listing);

/*
 * The length of the list as far as its pages state it or its end has been seen;
 * -1: they do not.  Never raises.
 */
extern int64 listing_total(const Listing *listing);

/*
 * What its requests have come to, and rows dropped as repeats, so far.  Lives
 * as long as the listing.  Never raise.
 */
extern const FetchTally *listing_tally(const Listing *listing);
extern int64 listing_repeats(const Listing *listing);

/*
 * Prepares a reader, which lies in the context, without a listing.  The budget
 * lives as long.  Never raises.
 */
extern void reader_init(Reader *reader, MemoryContext context, Budget *budget);

/*
 * Puts it before the first row of a range (0, -1: the whole list) that the
 * listing serves.  Where all of the list will be read for sure, pages are asked
 * for ahead.  Never raises.
 */
extern void reader_open(Reader *reader, Listing *listing, int64 first,
						int64 want, bool whole);

/*
 * Puts it there again.  Never raises.
 */
extern void reader_rewind(Reader *reader);

/*
 * The next object, fetching where the listing has not come that far; it stays
 * until the next call with this reader.  False at the end.  Raises.
 */
extern bool reader_next(Reader *reader, DocValue *object);

/*
 * The length of the list: as total states it where that is sure to be the
 * length, else counted.  Raises.
 */
extern int64 reader_count(Reader *reader);

/*
 * Whether an id's object (UTF-8), or that there is none, is known without a
 * request.  Raises.
 */
extern bool listing_knows(Listing *listing, const char *id, size_t length);

/*
 * Says that so many ids that are not known will be looked for.  Where reading
 * the list costs no more than they and those looked up before, it is read.
 * Raises, also where the budget does not allow them.
 */
extern void reader_expect(Reader *reader, int64 lookups);

/*
 * The object of an id, looked up if it is not known; it stays until the next
 * call with this reader.  False where there is none.  Raises.
 */
extern bool reader_find(Reader *reader, const char *id, size_t length,
						DocValue *object);

/*
 * Adds to an error's context what was being asked for, if anything was.  Never
 * raises.
 */
extern void listing_errcontext(const Listing *listing);

#endif
