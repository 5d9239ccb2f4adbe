/*
 * walk.c
 *	  How a moving list is read.
 *
 * Of a page only its numbers are known here: where it was asked, how many rows
 * it has, how many of them were read before, and total.  That is enough.  A
 * page shows everything between its first row and its last; two pages that
 * share a row show everything between the ends of both; so pages of which each
 * shares a row with those before, from row 0 to a page that shows the end, show
 * the whole list, whenever each of them was made.  What jumps to the head
 * meanwhile is seen by reading the head again.
 */
#include "walk.h"

#include <string.h>

#define NONE (-1)

/*
 * A request brings something, or goes back for what a deletion has shifted:
 * two for each page that brought something, and some for short lists.  More
 * are needed only where the list moves faster than it is read.
 */
#define REQUESTS_PER_GAIN 2
#define REQUESTS_SPARE 12

/*
 * A list that gets a page of new rows before each request brings something for
 * ever.  More than so many times what it would have cost at the beginning, and
 * for short lists a hundred, is not spent on it.
 */
#define GROWTH_TIMES 4
#define GROWTH_SPARE 100

/* Pages in a row that may bring nothing. */
#define IDLE_MAX 6

/*
 * Times that row 0 may be read without getting further than ever before.  Lists
 * of little more than a page that lose and gain a row with each request, at
 * random places, are read in the end; 60 was enough for 200,000 of them.
 */
#define ROOTS_MAX 60

/*
 * By page, more objects than this are not counted request by request: total
 * may be any number, and a plan waits for the answer.
 */
#define COUNTED_MAX 100000

static bool has_enough(const Walk *walk);
static UriPage cover(const Walk *walk, int64_t row);
static bool is_root(const Walk *walk, const WalkPage *page);
static bool head_is_due(const Walk *walk);
static void read_head(Walk *walk);
static int64_t next_row(const Walk *walk);
static bool overlaps_more(const Walk *walk);
static int64_t before_gap(const Walk *walk);
static bool may_read_ahead(const Walk *walk);
static int64_t requests_left(const Walk *walk);
static void take(Walk *walk, const WalkPage *page, int64_t edge);
static void count_roots(Walk *walk, const WalkPage *page);
static void learn_size(Walk *walk, const WalkPage *page);
static int	asked_size(const Walk *walk);
static int	full_size(const Walk *walk, int limit);
static void note_movement(Walk *walk);
static bool shows_movement(const Walk *walk, const WalkPage *page);
static bool shows_end(const Walk *walk, const WalkPage *page);
static WalkStep why_bound(const Walk *walk);
static WalkStep why_idle(const Walk *walk, const WalkPage *page);
static int64_t requests_by_page(int size, int64_t objects);

void
walk_begin(Walk *walk, const WalkSettings *settings)
{
	memset(walk, 0, sizeof(*walk));
	walk->settings = *settings;
	walk->size = settings->size;
	walk->want = NONE;
	walk->gap = NONE;
	walk->total = NONE;
	walk->began = NONE;
}

/*
 * The head of the list is none of a range's, so nothing is lost by what jumps
 * there that is not lost to the range anyway.
 */
void
walk_begin_range(Walk *walk, const WalkSettings *settings,
				 int64_t first, int64_t want)
{
	walk_begin(walk, settings);
	walk->settings.jumps = false;
	walk->settings.ahead = 1;
	walk->first = first;
	walk->want = want;
	walk->edge = first;
}

WalkStep
walk_ask(Walk *walk, UriPage *page)
{
	int64_t		row;

	if (walk->failed != WALK_SEND)
		return walk->failed;

	/*
	 * The end is believed only after the last answer: one that is under way
	 * may still bring rows.
	 */
	if (walk->open == 0 && has_enough(walk))
		return WALK_END;
	if (walk->open == 0 && walk->tail)
	{
		if (!head_is_due(walk))
			return WALK_END;
		read_head(walk);
	}

	if (walk->open > 0)
	{
		if (!may_read_ahead(walk))
			return WALK_WAIT;
		row = walk->far;
	}
	else if (walk->gap != NONE)
		row = before_gap(walk);
	else
		row = next_row(walk);
	*page = cover(walk, row);

	/*
	 * Row 0 stands for the head as it is after all that was judged before it,
	 * so it is never asked ahead.  (Small pages, counted, reach back to it.)
	 */
	if (walk->open > 0 && page->row == 0)
		return WALK_WAIT;

	if (requests_left(walk) == 0)
	{
		walk->failed = why_bound(walk);
		return walk->failed;
	}
	walk->far = page->row + full_size(walk, page->limit) - 1;
	walk->asked++;
	walk->open++;
	return WALK_SEND;
}

/*
 * Whether a range has all its rows.
 */
static bool
has_enough(const Walk *walk)
{
	return walk->want != NONE && walk->taken >= walk->want;
}

/*
 * The page to ask for.  Of a range no more than what it lacks, and the row to
 * link by; but a page that goes back is to reach as far as it can.
 */
static UriPage
cover(const Walk *walk, int64_t row)
{
	int			size = asked_size(walk);
	int64_t		rows = size;

	if (walk->want != NONE && walk->gap == NONE &&
		walk->want - walk->taken < rows)
		rows = walk->want - walk->taken + (walk->asked > 0 ? 1 : 0);
	return uri_cover_range(row, rows, size, walk->settings.by_page);
}

/*
 * An object that was not read yet and jumps to the head is gone from what is
 * still to come.  While every page begins with exactly the last row read and
 * total stays the same, there was none; else the head must be read once more.
 * When that is done nothing counts as moved.
 */
static bool
head_is_due(const Walk *walk)
{
	return walk->settings.jumps && walk->moved;
}

static void
read_head(Walk *walk)
{
	walk->head = true;
	walk->tail = false;
	walk->edge = 0;
	walk->gap = NONE;
}

/*
 * An overlap of one row, to link by.  Where the head was read again and again
 * because that was not enough, half a page, or a deletion before each second
 * request would have it read for ever; of a page of two that is one row still,
 * or it would bring nothing.  (Counting pages, where one begins is not for us
 * to choose.  A range lacks too few rows for that, and seldom reads row 0.)
 */
static int64_t
next_row(const Walk *walk)
{
	return overlaps_more(walk) ? walk->edge - (walk->size - 1) / 2 : walk->edge;
}

static bool
overlaps_more(const Walk *walk)
{
	return walk->want == NONE && walk->roots > 1 && !walk->settings.by_page &&
		walk->edge > (walk->size - 1) / 2;
}

/*
 * Half a page back from the lowest page that shares no row: so far that a few
 * deletions are passed at once, so near that the page reaches the gap.  But
 * among the first rows a page may show an object that jumped to the head, and
 * be linked by it to a held one where that object still has its old place.
 * Row 0 shows it as well, but held pages are not kept beyond that.  A range
 * begins anywhere, so from row 0 a page may not even reach the gap.
 */
static int64_t
before_gap(const Walk *walk)
{
	int64_t		row = walk->gap - walk->size / 2;
	int64_t		least = walk->want == NONE ? walk->size - 1 : 0;

	return row < least ? 0 : row;
}

/*
 * Ahead only while total says that more follows what was asked for, and never
 * on requests that may be needed to go back: those are for one at a time.
 */
static bool
may_read_ahead(const Walk *walk)
{
	return walk->open < walk->settings.ahead &&
		walk->far < walk->total &&
		requests_left(walk) > REQUESTS_SPARE / 2;
}

static int64_t
requests_left(const Walk *walk)
{
	int64_t		may = REQUESTS_PER_GAIN * walk->gains;

	if (walk->began != NONE)
	{
		WalkSettings settings = walk->settings;
		int64_t		most;

		/* in pages as they turned out to be */
		settings.size = walk->size;
		most = GROWTH_SPARE + GROWTH_TIMES *
			walk_requests(&settings, walk->began);

		may = may < most ? may : most;
	}
	return REQUESTS_SPARE + may - walk->asked;
}

WalkVerdict
walk_judge(Walk *walk, const WalkPage *page)
{
	walk->open--;

	if (is_root(walk, page) || page->known > 0)
	{
		walk->gap = NONE;
		take(walk, page, page->row + page->rows - 1);
		return WALK_TAKE;
	}

	/*
	 * The range's rows have all vanished: nothing links what follows them. Or
	 * there were none, and total does not say that the list is too short.
	 */
	if (page->row == 0)
	{
		walk->failed = walk->gains == 0 ? WALK_UNIT : WALK_MOVES;
		return WALK_DROP;
	}

	/*
	 * Something before it vanished.  Its rows are right, but there may be
	 * others between them and those read, so it must wait until a page that
	 * was asked further back links the two.
	 */
	note_movement(walk);
	if (walk->gap == NONE || page->row < walk->gap)
		walk->gap = page->row;
	return page->rows > 0 ? WALK_HOLD : WALK_DROP;
}

WalkVerdict
walk_again(Walk *walk, const WalkPage *page)
{
	/*
	 * The head was read since the page came.  What links it now may have
	 * jumped to the head: then it links nothing.
	 */
	if (walk->settings.jumps && !walk->moved)
		return WALK_DROP;

	if (page->known == 0)
		return WALK_HOLD;

	/*
	 * Its rows have other places by now: those not known follow the last one
	 * taken.
	 */
	take(walk, page, walk->edge + page->rows - page->known - page->lead);
	return WALK_TAKE;
}

/*
 * Whether a page needs no link: the head of the list, or the first of a range.
 */
static bool
is_root(const Walk *walk, const WalkPage *page)
{
	return walk->want == NONE ? page->row == 0 : walk->asked == 1;
}

/*
 * A page that links, and the row that is the last one taken with it.
 */
static void
take(Walk *walk, const WalkPage *page, int64_t edge)
{
	bool		end = shows_end(walk, page);
	int			gain = page->rows - page->known - page->lead;

	/* a total that is no more than the page has may be the page's own count */
	if (walk->asked == 1 && page->rows == page->limit &&
		page->total > page->rows && page->total < INT32_MAX)
		walk->began = page->total;
	learn_size(walk, page);
	if (is_root(walk, page))
		walk->moved = false;
	else if (shows_movement(walk, page))
		note_movement(walk);

	/* An empty page at row 0 has no last row. */
	walk->edge = edge > 0 ? edge : 0;
	walk->total = page->total;
	if (end)
		walk->tail = true;

	walk->taken += gain;
	if (gain > 0)
	{
		walk->gains++;
		walk->idle = 0;
	}
	else if (++walk->idle > IDLE_MAX)
		walk->failed = why_idle(walk, page);
	count_roots(walk, page);
}

/*
 * A list that loses its first row and gets a new last one before each request
 * is read from row 0 again and again, and every time that brings something.
 */
static void
count_roots(Walk *walk, const WalkPage *page)
{
	if (walk->edge > walk->reach)
	{
		walk->reach = walk->edge;
		walk->roots = 0;
	}
	else if (page->row == 0 && ++walk->roots > ROOTS_MAX &&
			 walk->failed == WALK_SEND)
		walk->failed = WALK_MOVES;
}

/*
 * A page at row 0 that has fewer rows than were asked for shows how many the
 * server gives, unless another one shows that it gives more (or it is the end).
 * All steps are made in pages of that size, or going back would go too far, and
 * the head would not be read by one of them.  With pages of one row there are
 * no steps to make.
 */
static void
learn_size(Walk *walk, const WalkPage *page)
{
	if (page->rows > 1 && (page->row == 0 || page->rows > walk->size))
		walk->size = page->rows < walk->settings.size ?
			page->rows : walk->settings.size;
}

/*
 * Counting rows, a page may as well have more than the server has given so far.
 * Counting pages, its limit decides where it begins, so it must be the server's.
 */
static int
asked_size(const Walk *walk)
{
	return walk->settings.by_page ? walk->size : walk->settings.size;
}

/*
 * Rows of a page that is not short: its limit, or what the server turned out to
 * give.  (Counting pages, a limit may be more than the size.)
 */
static int
full_size(const Walk *walk, int limit)
{
	if (walk->size < walk->settings.size && walk->size < limit)
		return walk->size;
	return limit;
}

/*
 * From the first movement on, one request at a time: where the next page starts
 * is known only when the last one is judged, and what was asked ahead mostly
 * comes for nothing.
 */
static void
note_movement(Walk *walk)
{
	walk->moved = true;
	walk->settings.ahead = 1;
}

/*
 * How far the page's first row has shifted, less the change of total, is the
 * number of rows not read that jumped or vanished.  A total that does not
 * reach the page's own end is no grand total and cannot tell: then every page
 * counts as a movement.  So does one that overlaps by more than a row: among
 * several known rows one that vanished can hide one that jumped.
 */
static bool
shows_movement(const Walk *walk, const WalkPage *page)
{
	return overlaps_more(walk) ||
		page->total != walk->total ||
		page->total < page->row + page->rows ||
		page->known != walk->edge + 1 - page->row;
}

/*
 * A short page is the end, unless total says that it was merely cut short;
 * total alone is not.  Of the head, read again, one full page is enough.
 */
static bool
shows_end(const Walk *walk, const WalkPage *page)
{
	if (page->rows < full_size(walk, page->limit))
		return page->total <= page->row + page->rows;
	return walk->head;
}

/*
 * Short pages of which total says that they are not the end show that total is
 * wrong.  A wrong unit shows in the first pages: one that counts pages finds
 * none where a row was asked for, one that counts nothing finds the first.
 */
static WalkStep
why_idle(const Walk *walk, const WalkPage *page)
{
	if (page->known > 0 && page->row > 0 && page->rows < page->limit &&
		walk->total > walk->edge + 1)
		return WALK_TOTAL;
	return why_bound(walk);
}

/*
 * Where little was brought it is likely the unit, unless the list was seen to
 * change.
 */
static WalkStep
why_bound(const Walk *walk)
{
	return walk->gains < 2 && (walk->began == NONE || walk->began == walk->total) ?
		WALK_UNIT : WALK_MOVES;
}

int64_t
walk_requests(const WalkSettings *settings, int64_t objects)
{
	int64_t		step = settings->size - 1;
	int64_t		counted;

	if (objects <= 0)
		return 1;
	if (!settings->by_page)
		return (objects - 1) / step + 1;
	if (objects <= COUNTED_MAX)
		return requests_by_page(settings->size, objects);

	counted = requests_by_page(settings->size, COUNTED_MAX);
	return objects / COUNTED_MAX * counted +
		objects % COUNTED_MAX * counted / COUNTED_MAX;
}

/*
 * The pages' borders follow no simple rule, so they are counted: each page
 * covers the last row of the one before, and a short one ends the list.
 */
static int64_t
requests_by_page(int size, int64_t objects)
{
	UriPage		page = uri_cover(0, size, true);
	int64_t		requests = 1;

	while (page.row + page.limit <= objects)
	{
		page = uri_cover(page.row + page.limit - 1, size, true);
		requests++;
	}
	return requests;
}
