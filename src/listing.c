/*
 * listing.c
 *	  One list, many readers.
 *
 * The walk decides what to ask and what an answer is worth; here its pages are
 * kept, bodies as they came, and the ids seen.  A page is kept whole or not at
 * all: it is parsed, checked and stored before the walk's new state counts.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "answers.h"
#include "arrival.h"
#include "core/uri.h"
#include "listing.h"
#include "report.h"
#include "store.h"

/*
 * Held pages: at least as many as requests may be under way (walk.md's rule);
 * that is one.  A few more save requests where several rows vanish at once.
 */
#define HELD_MAX 4

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

struct Listing
{
	MemoryContext context;		/* everything here */
	int			pins;
	ListingKey	key;
	Own			account;		/* the key's, pinned */
	TimestampTz started;

	Walk		walk;
	bool		asked;			/* a page has been asked for and not judged */
	UriPage		ask;			/* that page */
	bool		ended;
	bool		failed;			/* it cannot go on */
	int64		total;			/* the list's length as last stated; -1: not
								 * for sure */
	int64		counted;		/* what listing_count() has said; -1: nothing */
	int64		repeats;		/* rows dropped, overlaps apart */
	Fetch		fetch;
	MemoryContext scratch;		/* for one page's asking */

	KeptPage   *pages;
	int			npages;
	int			maxpages;
	Store		store;

	Own			digests;		/* SignKey */
	ids_hash   *ids;

	Answers    *answers;

	Arrival    *held[HELD_MAX]; /* lowest row first */
	int			nheld;

	Own			latest;			/* Doc of the page taken last */
	int			latest_page;
};

static void
free_doc(void *doc)
{
	doc_free(doc);
}

static void
free_key(void *key)
{
	sign_key_free(key);
}

static void
release_account(void *account)
{
	account_release(account);
}

Listing *
listing_create(const ListingKey *key)
{
	MemoryContext context;
	Listing    *listing;
	WalkSettings settings;
	SignKey    *digests;
	char		bytes[32];

	/* until it is whole, it goes with whatever the caller works in */
	context = AllocSetContextCreate(CurrentMemoryContext, "nclue_fdw list",
									ALLOCSET_DEFAULT_SIZES);
	listing = MemoryContextAllocZero(context, sizeof(Listing));
	listing->context = context;
	listing->key = *key;
	own_init(&listing->account, context, release_account);
	own_set(&listing->account, key->account);
	listing->pins = 1;
	listing->started = GetCurrentTimestamp();
	listing->total = listing->counted = -1;

	settings.size = key->page_size;
	settings.ahead = 1;
	settings.jumps = key->jumps;
	settings.by_page = key->account->settings.by_page;
	if (key->want < 0)
		walk_begin(&listing->walk, &settings);
	else
		walk_begin_range(&listing->walk, &settings, key->first, key->want);

	fetch_init(&listing->fetch, context, key->account);
	store_init(&listing->store, context);
	own_init(&listing->latest, context, free_doc);
	own_init(&listing->digests, context, free_key);
	listing->latest_page = -1;
	listing->scratch = AllocSetContextCreate(context, "nclue_fdw request",
											 ALLOCSET_SMALL_SIZES);

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random key")));
	digests = sign_key_new(bytes, sizeof(bytes));
	if (digests == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("OpenSSL could not make a key.")));
	own_set(&listing->digests, digests);
	listing->ids = ids_create(context, 128, NULL);
	listing->answers = answers_begin(context, &listing->fetch,
									 &listing->store, key->resource);
	MemoryContextSetParent(context, TopMemoryContext);
	return listing;
}

void
listing_pin(Listing *listing)
{
	listing->pins++;
}

void
listing_unpin(Listing *listing)
{
	Assert(listing->pins > 0);
	if (--listing->pins == 0)
		MemoryContextDelete(listing->context);
}

bool
listing_serves(const Listing *listing, const ListingKey *key)
{
	const ListingKey *own = &listing->key;

	if (listing->failed || own->account != key->account ||
		own->resource != key->resource ||
		own->page_size != key->page_size || own->jumps != key->jumps)
		return false;
	return (own->first == key->first && own->want == key->want) ||
		(own->want < 0 &&
		 (listing->ended ||
		  (int64) listing->ids->members - key->want >= key->first));
}

bool
listing_usable(const Listing *listing)
{
	return !listing->failed && !listing->key.account->stale;
}

TimestampTz
listing_started(const Listing *listing)
{
	return listing->started;
}

int64
listing_requests(const Listing *listing)
{
	return fetch_requests(&listing->fetch);
}

int64
listing_repeats(const Listing *listing)
{
	return listing->repeats;
}

void
listing_errcontext(const Listing *listing)
{
	if (listing->asked)
		errcontext("page with index=%lld&limit=%d of the list of %s",
				   (long long) listing->ask.index, listing->ask.limit,
				   listing->key.resource->name);
}

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
 * is more than the page has cannot be the page's own count.
 */
static void
note_total(Listing *listing, const WalkPage *page)
{
	if (page->total > page->rows)
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

	own_set(&listing->latest, doc_share(arrival->doc.handle));
	listing->latest_page = listing->npages;
	listing->pages[listing->npages++] = kept;
}

static int
kept_row(const KeptPage *kept, int number)
{
	return kept->rows != NULL ? kept->rows[number] : number;
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
	if (listing->nheld == HELD_MAX)
	{
		if (place == HELD_MAX)
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
	listing->asked = false;
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

/*
 * Lets the walk say which page to ask for.  False at the end of the list.
 */
static bool
next_page(Listing *listing)
{
	FailureKind kind = FAILURE_NONE;
	Failure		failure;
	const char *words;

	switch (walk_ask(&listing->walk, &listing->ask))
	{
		case WALK_SEND:
			listing->asked = true;
			return true;
		case WALK_END:
			end(listing);
			return false;
		case WALK_WAIT:
			elog(ERROR, "the walk waits for an answer that was judged");
		case WALK_MOVES:
			kind = FAILURE_MOVES;
			break;
		case WALK_TOTAL:
			kind = FAILURE_TOTAL;
			break;
		case WALK_UNIT:
			kind = FAILURE_UNIT;
			break;
	}
	listing->failed = true;
	failure_clear(&failure);
	failure.kind = kind;
	words = walk_so_far(listing);
	failure_clip(failure.message, sizeof(failure.message),
				 words, strlen(words));
	report_failure(&failure);
}

/*
 * Reads one page more.  False at the end of the list.
 */
static bool
read_on(Listing *listing)
{
	MemoryContext old;
	char		target[FETCH_TARGET_SIZE];
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

	/* a page whose answer failed, or was not waited for, is asked for again */
	if (!listing->asked && !next_page(listing))
		return false;

	MemoryContextReset(listing->scratch);
	old = MemoryContextSwitchTo(listing->scratch);
	if (!uri_list(target, sizeof(target),
				  listing->key.account->settings.endpoint.path,
				  listing->key.resource->path, &listing->ask))
		elog(ERROR, "request does not fit its buffer");
	if (fetch_get(&listing->fetch, target, &body, &length,
				  &failure) != FAILURE_NONE)
		report_failure(&failure);
	judge(listing, arrival_read(listing->key.resource, listing->digests.handle,
								&listing->ask, listing->key.want >= 0,
								body, length, &failure));
	fetch_end(&listing->fetch);
	MemoryContextSwitchTo(old);
	return true;
}

int64
listing_count(Listing *listing)
{
	while (listing->total < 0 && read_on(listing))
		 /* until total says it, or the end has come */ ;
	/* whoever asks again is told the same, though the list has gone on */
	if (listing->counted < 0)
		listing->counted = listing->total;
	return listing->counted;
}

/* ---- look-ups ---- */

/*
 * Whether an id's object, or that there is none, is known without a request.
 */
static bool
is_known(Listing *listing, const char *id, size_t length, SignDigest digest)
{
	return listing->ended || !uri_is_segment(id, length) ||
		ids_lookup(listing->ids, digest) != NULL ||
		answers_find(listing->answers, digest) != NULL;
}

bool
listing_knows(Listing *listing, const char *id, size_t length)
{
	return is_known(listing, id, length, arrival_digest(listing->digests.handle, id, length));
}

void
listing_expect(Listing *listing, int64 lookups)
{
	int64		made = answers_made(listing->answers);
	int64		objects = account_last_total(listing->key.account,
											 listing->key.resource);

	/*
	 * Where nothing is known of the list, those that are known to be wanted
	 * are made; but one by one, with no end in sight, not endlessly.
	 */
	if (lookups == 0 || (objects < 0 && lookups > 1))
		return;
	if (objects < 0)
		objects = LISTING_DEFAULT_ROWS;
	if (made + lookups <= walk_requests(&listing->walk.settings, objects))
		return;
	while (read_on(listing))
		 /* to the end: from then on every id is known */ ;
}

/* ---- readers ---- */

void
reader_init(Reader *reader, MemoryContext context)
{
	own_init(&reader->doc, context, free_doc);
	reader->listing = NULL;
}

void
reader_open(Reader *reader, Listing *listing, int64 first, int64 want)
{
	if (reader->listing != listing)
		reader->doc_page = -1;
	reader->listing = listing;

	/* a listing of the range itself begins with it */
	reader->first = listing->key.want < 0 ? first : 0;
	reader->want = want;
	reader_rewind(reader);
}

void
reader_rewind(Reader *reader)
{
	reader->page = 0;
	reader->row = 0;
	reader->skip = reader->first;
	reader->left = reader->want;
}

/*
 * Puts a page, or another body, into the reader in parsed form.
 */
static void
open_page(Reader *reader, int page)
{
	Listing    *listing = reader->listing;
	Failure		failure;
	Doc		   *doc;

	if (reader->doc_page == page)
		return;
	doc = page == listing->latest_page ?
		doc_share(listing->latest.handle) :
		store_parse(&listing->store, &listing->pages[page].body);
	own_set(&reader->doc, doc);
	failure_clear(&failure);
	if (!doc_page(doc, listing->key.resource->array_key, &reader->envelope,
				  &failure))
		report_failure(&failure);
	reader->doc_page = page;
}

bool
reader_next(Reader *reader, DocValue *object)
{
	Listing    *listing = reader->listing;

	if (reader->left == 0)
		return false;
	for (;;)
	{
		KeptPage   *kept;
		int			rows;

		if (reader->page == listing->npages)
		{
			if (!read_on(listing))
				return false;
			continue;
		}
		kept = &listing->pages[reader->page];
		rows = kept->nrows - reader->row;
		if (rows > reader->skip)
			break;
		reader->skip -= rows;
		reader->page++;
		reader->row = 0;
	}
	reader->row += reader->skip;
	reader->skip = 0;

	open_page(reader, reader->page);
	*object = doc_element(&reader->envelope,
						  kept_row(&listing->pages[reader->page], reader->row));
	reader->row++;
	if (reader->left > 0)
		reader->left--;
	return true;
}

bool
reader_find(Reader *reader, const char *id, size_t length, DocValue *object)
{
	Listing    *listing = reader->listing;
	SignDigest	digest = arrival_digest(listing->digests.handle, id, length);
	const IdEntry *entry;
	const Answer *answer;

	if (!is_known(listing, id, length, digest))
		answers_ask(listing->answers, id, length, digest);

	entry = ids_lookup(listing->ids, digest);
	if (entry != NULL)
	{
		open_page(reader, entry->page);
		*object = doc_element(&reader->envelope, entry->row);
		return true;
	}
	answer = answers_find(listing->answers, digest);
	if (answer == NULL || !answer->exists || listing->ended)
		return false;
	own_set(&reader->doc, store_parse(&listing->store, &answer->body));
	reader->doc_page = -1;
	*object = doc_root(reader->doc.handle);
	return true;
}
