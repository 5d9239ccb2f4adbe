/*
 * listing_walk.c
 *	  Reading a list on.
 *
 * The walk decides what to ask and what an answer is worth; here its pages are
 * kept, bodies as they came, and the ids seen.  A page is kept whole or not at
 * all: it is parsed, checked and stored before the walk's new state counts.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "clock.h"
#include "core/uri.h"
#include "listing_private.h"
#include "report.h"

int			listing_progress_interval = 5;

/* ---- what an answer is worth ---- */

/*
 * Counts a page's rows that are known, and those of its lead.
 */
static void
count_known(Listing *listing, Arrival *arrival)
{
	WalkPage   *page = &arrival->page;
	int			lead = page->rows;

	page->known = 0;
	for (int row = page->rows - 1; row >= 0; row--)
	{
		if (ids_lookup(listing->ids, arrival->ids[row]) == NULL)
			continue;
		page->known++;
		lead = row;
	}
	if (listing->key.want < 0)
		lead = 0;
	else if (listing->npages == 0)
		lead = Min(listing->key.first - page->row, page->rows);
	page->lead = lead;
}

/*
 * Notes what a page that is part of the list says of its length.  A total that
 * is more than the page has cannot be the page's own count; one that the API's
 * integers could not address is none.
 */
static void
note_total(Listing *listing, const WalkPage *page)
{
	if (page->total > page->rows && page->total <= PG_INT32_MAX)
		listing->total = page->total;
	if (listing->total >= 0)
		account_note_total(listing->key.account, listing->key.resource,
						   listing->total);
}

/*
 * Makes the new rows of a page part of the list.
 */
static void
keep(Listing *listing, Arrival *arrival)
{
	int			new_rows = arrival->page.rows - arrival->page.known -
	arrival->page.lead;
	KeptPage	kept = {0};

	if (new_rows == 0)
		return;
	if (listing->npages == listing->maxpages)
	{
		int			more = Max(listing->maxpages * 2, 16);

		if (listing->pages == NULL)
			listing->pages = MemoryContextAlloc(listing->context,
												more * sizeof(KeptPage));
		else
			listing->pages = repalloc(listing->pages, more * sizeof(KeptPage));
		listing->maxpages = more;
	}
	if (new_rows < arrival->page.rows)
		kept.rows = MemoryContextAlloc(listing->context,
									   new_rows * sizeof(int));
	kept.body = store_put(&listing->store, arrival->body, arrival->length);

	for (int row = arrival->page.lead; row < arrival->page.rows; row++)
	{
		bool		found;
		IdEntry    *entry;

		entry = ids_insert(listing->ids, arrival->ids[row], &found);
		if (found)
			continue;
		entry->page = listing->npages;
		entry->row = row;
		if (kept.rows != NULL)
			kept.rows[kept.nrows] = row;
		kept.nrows++;
	}
	Assert(kept.nrows == new_rows);

	account_count(listing->key.account, COUNT_ROWS, new_rows);
	own_set(&listing->latest, doc_share(arrival->doc.handle));
	listing->latest_page = listing->npages;
	listing->pages[listing->npages++] = kept;
}

/*
 * Puts a page among the held ones; where there is no room the furthest goes.
 */
static void
hold(Listing *listing, Arrival *arrival)
{
	int			place = listing->nheld;

	MemoryContextSetParent(arrival->context, listing->context);
	while (place > 0 && listing->held[place - 1]->page.row > arrival->page.row)
		place--;
	if (listing->nheld == listing->maxheld)
	{
		if (place == listing->maxheld)
		{
			arrival_discard(arrival);
			return;
		}
		arrival_discard(listing->held[--listing->nheld]);
	}
	memmove(&listing->held[place + 1], &listing->held[place],
			(listing->nheld - place) * sizeof(Arrival *));
	listing->held[place] = arrival;
	listing->nheld++;
}

/*
 * Judges the held pages again, after a page has been taken: from the lowest,
 * and from there anew after each that is taken itself.
 */
static void
judge_held(Listing *listing)
{
	int			i = 0;

	while (i < listing->nheld)
	{
		Arrival    *arrival = listing->held[i];
		WalkVerdict verdict;

		count_known(listing, arrival);
		verdict = walk_again(&listing->walk, &arrival->page);
		if (verdict == WALK_HOLD)
		{
			i++;
			continue;
		}
		listing->nheld--;
		memmove(&listing->held[i], &listing->held[i + 1],
				(listing->nheld - i) * sizeof(Arrival *));
		if (verdict == WALK_TAKE)
		{
			keep(listing, arrival);
			i = 0;
		}
		arrival_discard(arrival);
	}
}

/*
 * Lets the walk judge a page and does what it says.
 */
static void
judge(Listing *listing, Arrival *arrival)
{
	/*
	 * If an error escapes from here, ids may have been noted without their
	 * rows, and whoever read on would skip them.
	 */
	listing->failed = true;
	count_known(listing, arrival);
	switch (walk_judge(&listing->walk, &arrival->page))
	{
		case WALK_TAKE:
			keep(listing, arrival);
			note_total(listing, &arrival->page);
			if (arrival->page.row > 0)
				arrival->page.known--;
			listing->repeats += Max(arrival->page.known, 0);
			arrival_discard(arrival);
			judge_held(listing);
			break;
		case WALK_HOLD:
			hold(listing, arrival);
			break;
		case WALK_DROP:
			arrival_discard(arrival);
			break;
	}
	listing->failed = false;
}

/* ---- reading on ---- */

/*
 * What a walk that failed has come to, in words.
 */
static const char *
walk_so_far(const Listing *listing)
{
	char	   *requests = psprintf("%lld requests brought %llu objects",
									(long long) listing->walk.asked,
									(unsigned long long) listing->ids->members);

	if (listing->walk.total < 0)
		return psprintf("%s, the last without a total", requests);
	return psprintf("%s, the last with a total of %lld", requests,
					(long long) listing->walk.total);
}

/*
 * Notes that the list has been read to its end.
 */
static void
end(Listing *listing)
{
	listing->ended = true;
	if (listing->key.want < 0)
	{
		listing->total = listing->ids->members;
		account_note_total(listing->key.account, listing->key.resource,
						   listing->total);
	}
}

/* ---- pages under way ---- */

static Flight *
flight(const Listing *listing, int number)
{
	return &listing->flights[(listing->oldest + number) % listing->maxflights];
}

const Flight *
listing_oldest(const Listing *listing)
{
	return listing->nflights > 0 ? flight(listing, 0) : NULL;
}

/*
 * Raises a failure of the walk's; the listing stays failed.
 */
static void fail(Listing *listing, FailureKind kind)
			__attribute__((noreturn));

static void
fail(Listing *listing, FailureKind kind)
{
	Failure		failure;
	const char *words = walk_so_far(listing);

	failure_clear(&failure);
	failure_say(&failure, kind, words);
	report_failure(&failure);
}

/*
 * Lets the walk say which page to ask for, and begins with it.  False where
 * there is none: at the end of the list, or before what is under way has been
 * judged.
 */
static bool
ask(Listing *listing)
{
	Flight	   *next = flight(listing, listing->nflights);
	char		target[FETCH_TARGET_SIZE];

	/*
	 * If an error escapes from here, the walk may have counted a page that is
	 * not under way.
	 */
	listing->failed = true;
	switch (walk_ask(&listing->walk, &next->ask))
	{
		case WALK_SEND:
			break;
		case WALK_END:
			end(listing);
			listing->failed = false;
			return false;
		case WALK_WAIT:
			listing->failed = false;
			return false;
		case WALK_MOVES:
			fail(listing, FAILURE_MOVES);
		case WALK_TOTAL:
			fail(listing, FAILURE_TOTAL);
		case WALK_UNIT:
			fail(listing, FAILURE_UNIT);
	}

	if (!uri_list(target, sizeof(target),
				  listing->key.account->settings.endpoint.path,
				  listing->key.resource->path, &next->ask))
		elog(ERROR, "request does not fit its buffer");
	fetch_start(&next->fetch, target);
	next->refused = false;
	listing->nflights++;
	listing->failed = false;
	return true;
}

/*
 * Asks for a page more while others are under way, where the reader is certain
 * to want the whole list: one at a time, when the one before has been sent.
 */
static void
ask_ahead(Listing *listing, const Reader *reader)
{
	if (reader->whole && listing->nflights < listing->maxflights &&
		flight(listing, listing->nflights - 1)->fetch.state != FETCH_WAITING)
		(void) ask(listing);
}

/*
 * After an error nothing stays under way: it may be long until somebody asks
 * again.
 */
static void
begin_again(Listing *listing)
{
	for (int i = 0; i < listing->nflights; i++)
	{
		flight(listing, i)->refused = false;
		fetch_restart(&flight(listing, i)->fetch);
	}
}

/*
 * Requests that the list still takes, as far as it is known; 0 where it is not.
 */
static int64
requests_left(const Listing *listing)
{
	int64		total = listing->total;
	int64		rows;

	if (listing->walk.asked == 0)
		total = account_last_total(listing->key.account, listing->key.resource);
	if (total < 0)
		return 0;
	rows = Max(total - listing->key.first, 1);
	if (listing->key.want < 0)
		return walk_requests(&listing->walk.settings, rows) -
			listing->walk.asked;
	/* without the one request more that may show the list's end */
	rows = Max(Min(rows, listing->key.want) - 1, 1);
	return walk_requests(&listing->walk.settings, rows) - listing->walk.asked;
}

/*
 * Raises where it is known that a reader cannot pay for what it will need.  Of
 * a whole list that is known when its total has been seen, of a range before.
 */
static void
check_budget(const Listing *listing, const Reader *reader)
{
	if (listing->key.want < 0 && (!reader->whole || listing->walk.asked == 0))
		return;
	budget_afford(reader->budget, requests_left(listing));
}

/* ---- waiting for them ---- */

/*
 * Tells the user how far the list has been read.
 */
static void
tell_progress(Listing *listing)
{
	/* those under way have had some of their time */
	int64		left = requests_left(listing) + listing->nflights;
	int64		pace_us = Max(listing->key.account->settings.interval_us,
							  listing->waited_us / listing->walk.asked);
	int64		seconds = (int64) ceil((double) left * (double) pace_us / 1e6);

	if (listing->total >= 0 && left > 0)
		ereport(NOTICE,
				(errmsg_plural("reading the list of %s: page %lld of %lld, about %lld second left",
							   "reading the list of %s: page %lld of %lld, about %lld seconds left",
							   (unsigned long) seconds,
							   listing->key.resource->name,
							   (long long) (listing->walk.asked - listing->nflights + 1),
							   (long long) (listing->walk.asked - listing->nflights + left),
							   (long long) seconds)));
	else
		ereport(NOTICE,
				(errmsg("reading the list of %s: page %lld",
						listing->key.resource->name,
						(long long) (listing->walk.asked - listing->nflights + 1))));
}

/*
 * When to tell it next; 0: never.
 */
static int64
next_tell_us(Listing *listing, int64 now_us)
{
	int64		interval_us = listing_progress_interval * INT64CONST(1000000);

	if (interval_us == 0)
		return 0;
	/* a reader that paused is not kept waiting by the service */
	if (now_us - listing->awaited_us > interval_us)
		listing->tell_us = now_us + interval_us;
	return Min(listing->tell_us, now_us + interval_us);
}

/*
 * Waits for the oldest page under way.
 */
static void
await_page(Listing *listing, const Reader *reader)
{
	Fetch	  **fetches = palloc(listing->maxflights * sizeof(Fetch *));
	FetchEvent	event;

	do
	{
		int64		before_us = clock_now_us();
		int64		tell_us = next_tell_us(listing, before_us);

		ask_ahead(listing, reader);
		for (int i = 0; i < listing->nflights; i++)
			fetches[i] = &flight(listing, i)->fetch;
		event = fetch_wait(fetches, listing->nflights, reader->budget, tell_us);
		listing->awaited_us = clock_now_us();
		listing->waited_us += listing->awaited_us - before_us;
		if (event == FETCH_TICK)
		{
			tell_progress(listing);
			listing->tell_us = listing->awaited_us +
				listing_progress_interval * INT64CONST(1000000);
		}
	} while (event != FETCH_ENDED);
}

bool
listing_read_on(Listing *listing, const Reader *reader)
{
	MemoryContext old;
	Flight	   *oldest;
	Failure		failure;
	const char *body;
	size_t		length;

	if (listing->ended)
		return false;
	if (listing->failed)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the list of %s cannot be read on after an error",
						listing->key.resource->name),
				 errhint("Run the statement again.")));

	/* a page whose answer was of no use is asked for again */
	oldest = flight(listing, 0);
	if (listing->nflights > 0 && oldest->refused)
		begin_again(listing);

	check_budget(listing, reader);
	if (listing->nflights == 0 && !ask(listing))
		return false;

	MemoryContextReset(listing->scratch);
	old = MemoryContextSwitchTo(listing->scratch);
	await_page(listing, reader);
	if (fetch_result(&oldest->fetch, &body, &length,
					 &failure) != FAILURE_NONE)
	{
		begin_again(listing);
		report_failure(&failure);
	}
	oldest->refused = true;
	judge(listing, arrival_read(listing->key.resource, listing->digests.handle,
								&oldest->ask, listing->key.want >= 0,
								body, length, &failure));
	fetch_end(&oldest->fetch);
	listing->oldest = (listing->oldest + 1) % listing->maxflights;
	listing->nflights--;
	MemoryContextSwitchTo(old);
	return true;
}
