/*
 * reader.c
 *	  Positions in a list: they fetch when they run past what has been read.
 */
#include "postgres.h"

#include "core/uri.h"
#include "listing_private.h"
#include "report.h"

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

void
reader_init(Reader *reader, MemoryContext context, Budget *budget)
{
	reader->budget = budget;
	own_init_doc(&reader->doc, context);
	reader->listing = NULL;
}

void
reader_open(Reader *reader, Listing *listing, int64 first, int64 want,
			bool whole)
{
	if (reader->listing != listing)
		reader->doc_page = -1;
	reader->listing = listing;
	reader->whole = whole;

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

static int
kept_row(const KeptPage *kept, int number)
{
	return kept->rows != NULL ? kept->rows[number] : number;
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
			if (!listing_read_on(listing, reader))
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

int64
reader_count(Reader *reader)
{
	Listing    *listing = reader->listing;

	while (listing->total < 0 && listing_read_on(listing, reader))
		 /* until total says it, or the end has come */ ;
	/* whoever asks again is told the same, though the list has gone on */
	if (listing->counted < 0)
		listing->counted = listing->total;
	return listing->counted;
}

/* ---- look-ups ---- */

bool
listing_knows(Listing *listing, const char *id, size_t length)
{
	return is_known(listing, id, length, arrival_digest(listing->digests.handle, id, length));
}

void
reader_expect(Reader *reader, int64 lookups)
{
	Listing    *listing = reader->listing;
	int64		made = answers_made(listing->answers);
	int64		objects = account_last_total(listing->key.account,
											 listing->key.resource);

	/*
	 * Where nothing is known of the list, those that are known to be wanted
	 * are made; but one by one, with no end in sight, not endlessly.
	 */
	if (lookups == 0)
		return;
	if (objects < 0)
		objects = lookups > 1 ? PG_INT32_MAX : LISTING_DEFAULT_ROWS;
	if (made + lookups <= walk_requests(&listing->walk.settings, objects))
	{
		budget_afford(reader->budget, lookups);
		return;
	}
	while (listing_read_on(listing, reader))
		 /* to the end: from then on every id is known */ ;
}

bool
reader_find(Reader *reader, const char *id, size_t length, DocValue *object)
{
	Listing    *listing = reader->listing;
	SignDigest	digest = arrival_digest(listing->digests.handle, id, length);
	const IdEntry *entry;
	const Answer *answer;

	if (!is_known(listing, id, length, digest))
		answers_ask(listing->answers, reader->budget, id, length, digest);

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
