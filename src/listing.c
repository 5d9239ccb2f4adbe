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
#include "pgstat.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "core/sign.h"
#include "core/uri.h"
#include "listing.h"
#include "report.h"

/*
 * Held pages: at least as many as requests may be under way (walk.md's rule);
 * that is one.  A few more save requests where several rows vanish at once.
 */
#define HELD_MAX 4

typedef struct IdEntry
{
	SignDigest	id;
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
	size_t		length;			/* of its body */
	char	   *body;			/* NULL: in the file */
	off_t		offset;			/* there */
} KeptPage;

/* A page that has come and is not, or not yet, part of the list. */
typedef struct Arrival
{
	MemoryContext context;		/* everything here */
	WalkPage	page;
	char	   *body;
	size_t		length;
	Own			doc;
	SignDigest *ids;			/* one per row */
} Arrival;

struct Listing
{
	MemoryContext context;		/* everything here */
	Own			pinned;			/* Account */
	Account    *account;
	const Resource *resource;
	WalkSettings settings;

	Walk		walk;
	bool		asked;			/* a page has been asked for and not judged */
	UriPage		ask;			/* that page */
	bool		ended;
	bool		broken;			/* an error left it half changed */
	Fetch		fetch;
	MemoryContext scratch;		/* for one page's asking */

	KeptPage   *pages;
	int			npages;
	int			maxpages;
	size_t		in_memory;		/* bytes of bodies */
	Own			file;			/* SpillFile */
	off_t		file_size;

	SignKey    *key;
	Own			key_owner;
	ids_hash   *ids;

	Arrival    *held[HELD_MAX]; /* lowest row first */
	int			nheld;

	Own			latest;			/* Doc of the page taken last */
	int			latest_page;
};

/* A File is a number, and 0 is one: Own needs a pointer. */
typedef struct SpillFile
{
	File		file;
} SpillFile;

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
close_file(void *file)
{
	FileClose(((SpillFile *) file)->file);
}

static void
release_account(void *account)
{
	account_release(account);
}

Listing *
listing_create(MemoryContext parent, Account *account,
			   const Resource *resource, int page_size, bool jumps)
{
	MemoryContext context;
	Listing    *listing;
	char		bytes[32];

	context = AllocSetContextCreate(parent, "nclue_fdw list",
									ALLOCSET_DEFAULT_SIZES);
	listing = MemoryContextAllocZero(context, sizeof(Listing));
	listing->context = context;
	own_init(&listing->pinned, context, release_account);
	own_set(&listing->pinned, account);
	listing->account = account;
	listing->resource = resource;
	listing->settings.size = page_size;
	listing->settings.ahead = 1;
	listing->settings.jumps = jumps;
	listing->settings.by_page = account->settings.by_page;
	walk_begin(&listing->walk, &listing->settings);

	fetch_init(&listing->fetch, context, account);
	own_init(&listing->file, context, close_file);
	own_init(&listing->latest, context, free_doc);
	own_init(&listing->key_owner, context, free_key);
	listing->latest_page = -1;
	listing->scratch = AllocSetContextCreate(context, "nclue_fdw request",
											 ALLOCSET_SMALL_SIZES);

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random key")));
	listing->key = sign_key_new(bytes, sizeof(bytes));
	if (listing->key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("OpenSSL could not make a key.")));
	own_set(&listing->key_owner, listing->key);
	listing->ids = ids_create(context, 128, NULL);
	return listing;
}

bool
listing_is(const Listing *listing, const Account *account,
		   const Resource *resource, int page_size, bool jumps)
{
	return listing->account == account && listing->resource == resource &&
		listing->settings.size == page_size &&
		listing->settings.jumps == jumps;
}

void
listing_errcontext(const Listing *listing)
{
	if (listing->asked)
		errcontext("page with index=%lld&limit=%d of the list of %s",
				   (long long) listing->ask.index, listing->ask.limit,
				   listing->resource->name);
}

/* ---- pages in memory and in the file ---- */

/*
 * Keeps a body where there is room for it.
 */
static void
store_body(Listing *listing, KeptPage *kept, const char *body, size_t length)
{
	SpillFile  *spill = listing->file.handle;

	kept->length = length;
	if (listing->in_memory + length <= (size_t) work_mem * 1024)
	{
		kept->body = MemoryContextAllocHuge(listing->context, length);
		memcpy(kept->body, body, length);
		listing->in_memory += length;
		return;
	}

	/*
	 * Not a BufFile: that writes what it has buffered when it is closed,
	 * which can fail where failing is not allowed.
	 */
	if (spill == NULL)
	{
		spill = MemoryContextAlloc(listing->context, sizeof(SpillFile));
		spill->file = OpenTemporaryFile(true);
		own_set(&listing->file, spill);
	}
	errno = 0;
	if (FileWrite(spill->file, (char *) body, length, listing->file_size,
				  WAIT_EVENT_BUFFILE_WRITE) != (int) length)
	{
		/* a write cut short says nothing of its own */
		if (errno == 0)
			errno = ENOSPC;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not write to temporary file: %m")));
	}
	kept->body = NULL;
	kept->offset = listing->file_size;
	listing->file_size += length;
}

/*
 * A kept page in parsed form, the caller's.
 */
static Doc *
parse_kept(Listing *listing, int number)
{
	KeptPage   *kept = &listing->pages[number];
	SpillFile  *spill = listing->file.handle;
	char	   *body = kept->body;
	Failure		failure;
	Doc		   *doc;

	if (body == NULL)
	{
		body = palloc_extended(kept->length, MCXT_ALLOC_HUGE);
		if (FileRead(spill->file, body, kept->length, kept->offset,
					 WAIT_EVENT_BUFFILE_READ) != (int) kept->length)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read from temporary file: %m")));
	}
	failure_clear(&failure);
	doc = doc_parse(body, kept->length, &failure);
	if (kept->body == NULL)
		pfree(body);
	if (doc == NULL)
		report_failure(&failure);
	return doc;
}

/* ---- what an answer is worth ---- */

static void refuse(Failure *failure, FailureKind kind, const char *message) __attribute__((noreturn));

/*
 * Raises a failure of which *failure tells where its answer came from.
 */
static void
refuse(Failure *failure, FailureKind kind, const char *message)
{
	failure->kind = kind;
	failure_clip(failure->message, sizeof(failure->message),
				 message, strlen(message));
	report_failure(failure);
}

/*
 * The digest of a row's id.
 */
static SignDigest
row_id(Listing *listing, const DocPage *envelope, int row, Failure *failure)
{
	const char *id_key = listing->resource->id_key;
	DocValue	object = doc_element(envelope, row);
	DocValue	id;
	SignDigest	digest;
	char		number[32];

	if (object.kind != DOC_OBJECT)
		refuse(failure, FAILURE_SHAPE,
			   psprintf("element %d of the page is not an object", row));
	id = doc_get(object.node, id_key);
	if (id.kind == DOC_INTEGER)
	{
		snprintf(number, sizeof(number), "%lld", (long long) id.integer);
		id.text = number;
		id.length = strlen(number);
	}
	else if (id.kind != DOC_STRING || id.length == 0)
		refuse(failure, FAILURE_NO_ID,
			   psprintf("element %d of the page has no usable \"%s\"",
						row, id_key));
	if (!sign_digest(listing->key, id.text, id.length, &digest))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("OpenSSL could not compute a digest.")));
	return digest;
}

static int
compare_digests(const void *a, const void *b)
{
	const SignDigest *x = a;
	const SignDigest *y = b;

	if (x->high != y->high)
		return x->high < y->high ? -1 : 1;
	return x->low < y->low ? -1 : x->low > y->low ? 1 : 0;
}

/*
 * Refuses a page that shows one object twice.  A page is the list at one
 * moment, so the ids do not identify, and dropping one as a repeat could lose
 * an object.
 */
static void
refuse_doubles(Listing *listing, const DocPage *envelope,
			   const SignDigest *ids, Failure *failure)
{
	int			rows = envelope->rows;
	SignDigest *sorted = palloc(Max(rows, 1) * sizeof(SignDigest));

	memcpy(sorted, ids, rows * sizeof(SignDigest));
	qsort(sorted, rows, sizeof(SignDigest), compare_digests);
	for (int i = 1; i < rows; i++)
	{
		if (compare_digests(&sorted[i - 1], &sorted[i]) != 0)
			continue;
		for (int row = 0; row < rows; row++)
		{
			DocValue	id;

			if (compare_digests(&ids[row], &sorted[i]) != 0)
				continue;
			id = doc_get(doc_element(envelope, row).node,
						 listing->resource->id_key);
			refuse(failure, FAILURE_SHAPE,
				   psprintf("one page shows the object with %s %s twice",
							listing->resource->id_key,
							id.kind == DOC_STRING ? id.text :
							psprintf("%lld", (long long) id.integer)));
		}
	}
	pfree(sorted);
}

static int
count_known(Listing *listing, const Arrival *arrival)
{
	int			known = 0;

	for (int row = 0; row < arrival->page.rows; row++)
	{
		if (ids_lookup(listing->ids, arrival->ids[row]) != NULL)
			known++;
	}
	return known;
}

/*
 * Makes the new rows of a page part of the list.
 */
static void
keep(Listing *listing, Arrival *arrival)
{
	int			new_rows = arrival->page.rows - arrival->page.known;
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
	if (arrival->page.known > 0)
		kept.rows = MemoryContextAlloc(listing->context,
									   new_rows * sizeof(int));
	store_body(listing, &kept, arrival->body, arrival->length);

	for (int row = 0; row < arrival->page.rows; row++)
	{
		bool		found;

		ids_insert(listing->ids, arrival->ids[row], &found);
		if (found)
			continue;
		if (kept.rows != NULL)
			kept.rows[kept.nrows] = row;
		kept.nrows++;
	}
	Assert(kept.nrows == new_rows);

	own_set(&listing->latest, doc_share(arrival->doc.handle));
	listing->latest_page = listing->npages;
	listing->pages[listing->npages++] = kept;
}

static void
discard(Arrival *arrival)
{
	MemoryContextDelete(arrival->context);
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
			discard(arrival);
			return;
		}
		discard(listing->held[--listing->nheld]);
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

		arrival->page.known = count_known(listing, arrival);
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
		discard(arrival);
	}
}

/*
 * Lets the walk judge a page and does what it says.
 */
static void
judge(Listing *listing, Arrival *arrival)
{
	listing->broken = true;
	arrival->page.known = count_known(listing, arrival);
	switch (walk_judge(&listing->walk, &arrival->page))
	{
		case WALK_TAKE:
			keep(listing, arrival);
			discard(arrival);
			judge_held(listing);
			break;
		case WALK_HOLD:
			hold(listing, arrival);
			break;
		case WALK_DROP:
			discard(arrival);
			break;
	}
	listing->asked = false;
	listing->broken = false;
}

/* ---- reading on ---- */

/*
 * Refuses an empty page that has an error's code beside it: what there is to
 * show may just not have been got.
 */
static void
refuse_error(const char *body, size_t length, const Failure *failure)
{
	Failure		fault = *failure;

	fault.kind = FAILURE_NONE;
	fetch_fault(body, length, &fault);
	if (fault.code[0] == '\0')
		return;
	if (fault.kind == FAILURE_NONE)
		fault.kind = FAILURE_SHAPE;
	report_failure(&fault);
}

/*
 * Reads a body as a page.
 */
static Arrival *
arrive(Listing *listing, const char *body, size_t length, Failure *failure)
{
	MemoryContext context;
	Arrival    *arrival;
	Doc		   *doc;
	DocPage		envelope;

	context = AllocSetContextCreate(CurrentMemoryContext, "nclue_fdw page",
									ALLOCSET_DEFAULT_SIZES);
	arrival = MemoryContextAllocZero(context, sizeof(Arrival));
	arrival->context = context;
	own_init(&arrival->doc, context, free_doc);

	doc = doc_parse(body, length, failure);
	if (doc == NULL)
		report_failure(failure);
	own_set(&arrival->doc, doc);
	if (!doc_page(doc, listing->resource->array_key, &envelope, failure))
	{
		fetch_fault(body, length, failure);
		report_failure(failure);
	}

	if (envelope.rows == 0)
		refuse_error(body, length, failure);

	arrival->body = MemoryContextAllocHuge(context, length);
	memcpy(arrival->body, body, length);
	arrival->length = length;
	arrival->page.row = listing->ask.row;
	arrival->page.limit = listing->ask.limit;
	if (envelope.limit > 0 && envelope.limit < arrival->page.limit)
		arrival->page.limit = envelope.limit;
	arrival->page.rows = envelope.rows;
	arrival->page.total = envelope.total;

	arrival->ids = MemoryContextAlloc(context,
									  Max(envelope.rows, 1) * sizeof(SignDigest));
	for (int row = 0; row < envelope.rows; row++)
		arrival->ids[row] = row_id(listing, &envelope, row, failure);
	refuse_doubles(listing, &envelope, arrival->ids, failure);
	return arrival;
}

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
 * Asks for one page more.  False at the end of the list.
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
	if (listing->broken)
		elog(ERROR, "the list of %s was left half read by an error",
			 listing->resource->name);

	/* a page whose answer failed, or was not waited for, is asked for again */
	if (!listing->asked)
	{
		failure_clear(&failure);
		switch (walk_ask(&listing->walk, &listing->ask))
		{
			case WALK_SEND:
				listing->asked = true;
				break;
			case WALK_END:
				listing->ended = true;
				return false;
			case WALK_WAIT:
				elog(ERROR, "the walk waits for an answer that was judged");
			case WALK_MOVES:
				refuse(&failure, FAILURE_MOVES, walk_so_far(listing));
			case WALK_TOTAL:
				refuse(&failure, FAILURE_TOTAL, walk_so_far(listing));
			case WALK_UNIT:
				refuse(&failure, FAILURE_UNIT, walk_so_far(listing));
		}
	}

	MemoryContextReset(listing->scratch);
	old = MemoryContextSwitchTo(listing->scratch);
	if (!uri_list(target, sizeof(target),
				  listing->account->settings.endpoint.path,
				  listing->resource->path, &listing->ask))
		elog(ERROR, "request does not fit its buffer");
	if (fetch_start(&listing->fetch, target, &failure) != FAILURE_NONE ||
		fetch_wait(&listing->fetch, &body, &length, &failure) != FAILURE_NONE)
		report_failure(&failure);
	judge(listing, arrive(listing, body, length, &failure));
	fetch_end(&listing->fetch);
	MemoryContextSwitchTo(old);
	return true;
}

/* ---- readers ---- */

void
reader_begin(Reader *reader, MemoryContext context, Listing *listing)
{
	own_init(&reader->doc, context, free_doc);
	reader->listing = listing;
	reader->doc_page = -1;
	reader_rewind(reader);
}

void
reader_rewind(Reader *reader)
{
	reader->page = 0;
	reader->row = 0;
}

/*
 * Gets the reader's page in parsed form: from the listing if it has just been
 * read, else out of its body.
 */
static void
open_page(Reader *reader)
{
	Listing    *listing = reader->listing;
	Failure		failure;
	Doc		   *doc;

	doc = reader->page == listing->latest_page ?
		doc_share(listing->latest.handle) : parse_kept(listing, reader->page);
	own_set(&reader->doc, doc);
	failure_clear(&failure);
	if (!doc_page(doc, listing->resource->array_key, &reader->envelope,
				  &failure))
		report_failure(&failure);
	reader->doc_page = reader->page;
}

bool
reader_next(Reader *reader, DocValue *object)
{
	Listing    *listing = reader->listing;
	KeptPage   *kept;

	for (;;)
	{
		if (reader->page < listing->npages)
		{
			kept = &listing->pages[reader->page];
			if (reader->row < kept->nrows)
				break;
			reader->page++;
			reader->row = 0;
		}
		else if (!read_on(listing))
			return false;
	}

	if (reader->doc_page != reader->page)
		open_page(reader);
	*object = doc_element(&reader->envelope,
						  kept->rows ? kept->rows[reader->row] : reader->row);
	reader->row++;
	return true;
}
