/*
 * listing_private.h
 *	  What the files of a listing share among themselves.
 *
 * listing.c makes and ends it, listing_walk.c reads it on, reader.c shows it.
 * Only these include this header.
 */
#ifndef NCLUE_LISTING_PRIVATE_H
#define NCLUE_LISTING_PRIVATE_H

#include "answers.h"
#include "arrival.h"
#include "listing.h"
#include "store.h"

/* An object of the list, and where its row is. */
typedef struct IdEntry
{
	SignDigest	id;
	int			page;			/* of the listing's */
	int			row;			/* element of the page's array */
	char		status;
} IdEntry;

#define SH_PREFIX ids
#define SH_ELEMENT_TYPE IdEntry
#define SH_KEY_TYPE SignDigest
#define SH_KEY id
#define SH_HASH_KEY(tb, key) ((uint32) (key).low)
#define SH_EQUAL(tb, a, b) ((a).low == (b).low && (a).high == (b).high)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

/* A page that is part of the list. */
typedef struct KeptPage
{
	int			nrows;			/* rows of it that are */
	int		   *rows;			/* which; NULL: all of them */
	StoredBody	body;
} KeptPage;

/* A page that was asked for and not judged yet. */
typedef struct Flight
{
	UriPage		ask;
	Fetch		fetch;
	bool		refused;		/* its answer is, unless judging succeeds */
} Flight;

struct Listing
{
	MemoryContext context;		/* everything here */
	int			pins;
	ListingKey	key;
	Own			account;		/* the key's, pinned */
	TimestampTz started;

	Walk		walk;
	bool		ended;
	bool		failed;			/* it cannot go on */
	int64		total;			/* the list's length as last stated; -1: not
								 * for sure */
	int64		counted;		/* what reader_count() has said; -1: nothing */
	int64		repeats;		/* rows dropped, overlaps apart */
	FetchTally	tally;
	MemoryContext scratch;		/* for one page's asking */

	Flight	   *flights;		/* a ring, in the order they were asked */
	int			maxflights;
	int			oldest;
	int			nflights;

	int64		tell_us;		/* when to tell how far it has come */
	int64		awaited_us;		/* when a page was awaited last */
	int64		waited_us;		/* for pages */

	KeptPage   *pages;
	int			npages;
	int			maxpages;
	Store		store;

	Own			digests;		/* SignKey */
	ids_hash   *ids;

	Fetch		lookup;
	Answers    *answers;

	Arrival   **held;			/* lowest row first */
	int			nheld;
	int			maxheld;

	Own			latest;			/* Doc of the page taken last */
	int			latest_page;
};

/*
 * Reads one page more for a reader, who pays for it.  False at the end of the
 * list.  Raises.
 */
extern bool listing_read_on(Listing *listing, const Reader *reader);

/*
 * The page under way that is the next to be judged; NULL: none is.  Never
 * raises.
 */
extern const Flight *listing_oldest(const Listing *listing);

#endif
