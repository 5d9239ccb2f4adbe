/*
 * analyze.c
 *	  ANALYZE of a foreign table: some pages, spread over the list.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"

#include "analyze.h"
#include "compat.h"
#include "listing.h"
#include "option.h"
#include "row.h"
#include "scope.h"

/*
 * Pages to read, a request each: a sample of a thousand rows, which ten seconds
 * are well spent on, tells enough of which values are frequent.
 */
#define SAMPLE_PAGES 10

/* A sample being taken. */
typedef struct Sample
{
	ForeignTable *table;
	const char *table_name;
	const char *server_name;
	Account    *account;		/* the table's owner's */
	Settings	settings;
	MemoryContext context;		/* parent of one page's */
	const Listing *listing;		/* being read; NULL: none */
	Row		   *row;			/* NULL: not yet */
	TupleTableSlot *slot;
	EState	   *estate;
	ReservoirStateData reservoir;
	HeapTuple  *tuples;			/* the caller's array, and its room */
	int			room;
	int			count;
	double		seen;			/* rows */
	double		to_skip;		/* rows until the next that is kept; < 0: to
								 * be drawn */
} Sample;

static void
unpin_listing(void *listing)
{
	listing_unpin(listing);
}

/*
 * Takes a row into the sample, or not: each row seen is in it with the same
 * chance.
 */
static void
take_row(Sample *sample, const DocValue *object)
{
	ExprContext *econtext = GetPerTupleExprContext(sample->estate);
	MemoryContext old;
	int			place;

	sample->seen++;
	if (sample->count < sample->room)
		place = sample->count++;
	else
	{
		if (sample->to_skip < 0)
			sample->to_skip = reservoir_get_next_S(&sample->reservoir,
												   sample->seen - 1,
												   sample->room);
		if (sample->to_skip-- > 0)
			return;
		place = (int) (sample->room *
					   sampler_random_fract(&sample->reservoir.randstate));
		heap_freetuple(sample->tuples[place]);
	}

	ExecClearTuple(sample->slot);
	sample->slot->tts_tableOid = sample->table->relid;
	old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	row_fill(sample->row, object, sample->slot, econtext);
	MemoryContextSwitchTo(old);
	sample->tuples[place] = ExecCopySlotHeapTuple(sample->slot);
	ResetExprContext(econtext);
}

/*
 * Says which column of which object, or else what was asked for, and of which
 * table.
 */
static void
errcontext_of_sample(void *arg)
{
	const Sample *sample = arg;

	if (sample->row != NULL)
		row_errcontext(sample->row);
	if (sample->listing != NULL)
		listing_errcontext(sample->listing);
	errcontext("foreign table \"%s\" on server \"%s\"",
			   sample->table_name, sample->server_name);
}

/* What a page shows. */
typedef struct SamplePage
{
	int			rows;
	int			limit;			/* the smaller of asked and stated */
	int64		total;			/* the list's length; -1: not stated for sure */
} SamplePage;

/*
 * Reads the rows of one page, in one request: from a row on as many as the
 * service gives, which may be fewer than asked.
 */
static void
read_page(Sample *sample, int64 first, SamplePage *page)
{
	MemoryContext context = AllocSetContextCreate(sample->context,
												  "nclue_fdw sample",
												  ALLOCSET_SMALL_SIZES);
	Own		   *pin = MemoryContextAlloc(context, sizeof(Own));
	Reader	   *reader = MemoryContextAlloc(context, sizeof(Reader));
	ListingKey	key = {
		.account = sample->account,
		.resource = sample->settings.resource,
		.page_size = sample->settings.page_size,
		.jumps = sample->settings.jumps,
		.first = first,
		.want = sample->settings.page_size
	};
	Listing    *listing;
	DocValue	object;

	own_init(pin, context, unpin_listing);
	reader_init(reader, context, scope_budget(sample->estate));
	listing = listing_create(&key);
	own_set(pin, listing);
	sample->listing = listing;
	reader_open(reader, listing, first, key.want, false);

	page->rows = 0;
	while ((page->rows == 0 || page->rows < reader->envelope.rows) &&
		   reader_next(reader, &object))
	{
		take_row(sample, &object);
		page->rows++;
	}
	page->limit = key.page_size;
	if (page->rows > 0 && reader->envelope.limit > 0)
		page->limit = Min(page->limit, reader->envelope.limit);
	page->total = listing_total(listing);
	sample->listing = NULL;
	/* the reader's callback before the listing's */
	MemoryContextDelete(context);
}

/*
 * Reads pages of a list whose length was stated with its first page, which had
 * so many rows.  Returns how long it turns out to be: where it ends before,
 * total is wrong, or the list has become shorter.
 */
static int64
read_spread(Sample *sample, int64 total, int usual)
{
	int			size = sample->settings.page_size;
	int64		pages = (total + size - 1) / size;
	int64		chosen = Min(SAMPLE_PAGES, pages);

	budget_afford(scope_budget(sample->estate), chosen - 1);
	for (int64 i = 1; i < chosen; i++)
	{
		int64		first = i * pages / chosen * size;
		SamplePage	page;

		compat_vacuum_delay_point();
		read_page(sample, first, &page);
		if (page.rows < usual && first + page.rows < total)
			return first + page.rows;
	}
	return total;
}

/*
 * Reads the sample's pages.  Returns the number of rows in the list; -1: it is
 * not known, but more than were seen.
 */
static int64
read_pages(Sample *sample)
{
	SamplePage	page;

	read_page(sample, 0, &page);

	/* a short page may be the server's doing, where total says more */
	if (page.total >= 0)
		return read_spread(sample, page.total, page.rows);

	/* where it is not known how long the list is, its first pages */
	for (int i = 1; page.rows >= page.limit; i++)
	{
		if (i == SAMPLE_PAGES)
			return -1;
		compat_vacuum_delay_point();
		read_page(sample, (int64) sample->seen, &page);
	}
	return (int64) sample->seen;
}

/*
 * The number of rows in the list, by the sample or by what was known before;
 * what the sample shows is known from now on.
 */
static double
settle_length(Sample *sample, int64 length)
{
	const Resource *resource = sample->settings.resource;

	if (length >= 0)
		account_note_total(sample->account, resource, length);
	else
		length = Max((int64) sample->seen,
					 account_last_total(sample->account, resource));
	return length;
}

static int
sample_rows(Relation relation, int elevel, HeapTuple *rows, int targrows,
			double *totalrows, double *totaldeadrows)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);
	MemoryContext caller = CurrentMemoryContext;
	Bitmapset  *columns = NULL;
	ErrorContextCallback callback;
	Sample		sample = {
		.tuples = rows,
		.room = targrows,
		.to_skip = -1
	};

	sample.table = GetForeignTable(RelationGetRelid(relation));
	sample.table_name = RelationGetRelationName(relation);
	sample.server_name = GetForeignServer(sample.table->serverid)->servername;
	callback.callback = errcontext_of_sample;
	callback.arg = &sample;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	/* all pages are read by the same options */
	sample.estate = CreateExecutorState();
	sample.account = scope_account(sample.estate, sample.table->serverid,
								   relation->rd_rel->relowner);
	account_settings(sample.account, sample.table, &sample.settings);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (!TupleDescAttr(tupdesc, i)->attisdropped)
			columns = bms_add_member(columns, i + 1);
	}
	sample.context = AllocSetContextCreate(caller, "nclue_fdw sample",
										   ALLOCSET_SMALL_SIZES);
	sample.row = row_begin(relation, sample.settings.resource, columns,
						   sample.settings.time_zone, NULL);
	sample.slot = MakeSingleTupleTableSlot(tupdesc, &TTSOpsVirtual);
	reservoir_init_selection_state(&sample.reservoir, targrows);

	*totalrows = settle_length(&sample, read_pages(&sample));
	error_context_stack = callback.previous;
	*totaldeadrows = 0;

	ereport(elevel,
			(errmsg("\"%s\": list contains %.0f objects; %d rows in sample, %lld requests",
					sample.table_name, *totalrows, sample.count,
					(long long) scope_budget(sample.estate)->spent)));
	ExecDropSingleTupleTableSlot(sample.slot);
	FreeExecutorState(sample.estate);
	MemoryContextDelete(sample.context);
	return sample.count;
}

bool
analyze_table(Relation relation, AcquireSampleRowsFunc *sample,
			  BlockNumber *pages)
{
	ForeignTable *table = GetForeignTable(RelationGetRelid(relation));
	Settings	settings;
	WalkSettings walk = {0};
	int64		total;

	option_of_table(&settings, table);
	walk.size = settings.page_size;
	walk.by_page = settings.by_page;
	/* the list is read with the owner's rights, whoever wants it analyzed */
	total = account_peek_total(table->serverid, relation->rd_rel->relowner,
							   settings.resource);
	*sample = sample_rows;
	*pages = (BlockNumber) walk_requests(&walk, total >= 0 ? total :
										 LISTING_DEFAULT_ROWS);
	return true;
}
