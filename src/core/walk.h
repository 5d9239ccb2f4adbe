/*
 * walk.h
 *	  How a moving list is read: what to ask next, what to make of an answer,
 *	  and when the list has been read.
 *
 * The list moves while it is read, so a page is believed only where it shares
 * a row with those read before (doc/architecture.md has the guarantee and why
 * it holds).  The walk is told how many rows of a page are known; which, and
 * the pages themselves, are kept by its caller.
 */
#ifndef NCLUE_WALK_H
#define NCLUE_WALK_H

#include "uri.h"

/* What a list promises and how it is asked. */
typedef struct WalkSettings
{
	int			size;			/* rows per page, 2-100 */
	int			ahead;			/* requests that may be under way, from 1 */
	bool		jumps;			/* objects may jump to the head */
	bool		by_page;		/* index counts pages */
} WalkSettings;

typedef enum WalkStep
{
	WALK_SEND,					/* send the page */
	WALK_WAIT,					/* nothing to ask before an answer is judged */
	WALK_END,					/* the list has been read */
	WALK_MOVES,					/* failure: it moves faster than it is read */
	WALK_TOTAL,					/* failure: total promises what does not come */
	WALK_UNIT					/* failure: index seems to count otherwise */
} WalkStep;

typedef enum WalkVerdict
{
	WALK_TAKE,					/* rows not known are new, the others repeats */
	WALK_HOLD,					/* keep it; judge it again after the next take */
	WALK_DROP					/* of no use */
} WalkVerdict;

/* An answer, as the walk sees it. */
typedef struct WalkPage
{
	int64_t		row;			/* as it was asked */
	int			limit;			/* the smaller of asked and stated */
	int			rows;
	int			known;			/* rows known, counted when it is judged */
	int			lead;			/* of a range: rows at the page's beginning
								 * that are not of it, likewise */
	int64_t		total;			/* -1: not stated */
} WalkPage;

/* The state.  Without pointers: a copy is a snapshot. */
typedef struct Walk
{
	/* all of it belongs to walk.c */
	WalkSettings settings;		/* size and ahead may shrink on the way */
	int64_t		first;			/* row that a range begins with */
	int64_t		want;			/* rows of a range; -1: the whole list */
	int64_t		taken;			/* rows of it, so far */
	int64_t		edge;			/* row the next page starts with: the last one
								 * taken */
	int64_t		gap;			/* lowest page that shares no row; -1: none */
	int64_t		far;			/* last row asked for */
	int64_t		total;			/* of the page taken last; -1: none stated */
	int64_t		began;			/* length of the list at its first page; -1:
								 * not for sure */
	int64_t		asked;			/* requests */
	int64_t		gains;			/* pages that brought something */
	int64_t		reach;			/* the furthest edge */
	int			roots;			/* times that row 0 was read since then */
	int			size;			/* rows that a page turned out to have */
	int			idle;			/* pages since then that brought nothing */
	int			open;			/* requests whose answers are to be judged */
	bool		moved;			/* the list has, since its head was read */
	bool		tail;			/* its end was seen */
	bool		head;			/* its head is being read again */
	WalkStep	failed;			/* WALK_SEND: it has not */
} Walk;

/*
 * Starts a walk of a whole list.  Never raises.
 */
extern void walk_begin(Walk *walk, const WalkSettings *settings);

/*
 * Starts a walk of a range: so many rows (from 1) from a row on.  The first page
 * decides where it begins: what is before it on other pages is not of the
 * range, so the rows before a page's first known one are its lead, and on the
 * first page those before the range's first row.  Never raises.
 */
extern void walk_begin_range(Walk *walk, const WalkSettings *settings,
							 int64_t first, int64_t want);

/*
 * What to do next; with WALK_SEND, *page is what to ask, and counts as asked.
 * A failure, and the end, stay.  Never raises.
 */
extern WalkStep walk_ask(Walk *walk, UriPage *page);

/*
 * Judges an answer; answers are judged in the order they were asked, and none
 * after walk_ask() gave the end or a failure.  After WALK_TAKE the caller
 * judges all pages it holds again, lowest row first, and from the lowest anew
 * whenever one of them is taken.  It has room for as many as requests may be
 * under way; where that is not enough the page with the highest row goes, which
 * costs requests but no rows.  Never raises.
 */
extern WalkVerdict walk_judge(Walk *walk, const WalkPage *page);

/*
 * Judges a held page again.  Never raises.
 */
extern WalkVerdict walk_again(Walk *walk, const WalkPage *page);

/*
 * Requests that a walk of so many objects costs while the list keeps still and
 * total is grand.  Counting pages, exact up to 100,000 objects and in proportion
 * from there on.  Never raises.
 */
extern int64_t walk_requests(const WalkSettings *settings, int64_t objects);

#endif
