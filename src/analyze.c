/*
 * analyze.c
 *	  ANALYZE of a foreign table: some pages, spread over the list.
 */
#include "postgres.h"

#include <math.h>

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

/*
 * Pages to read, a request each: a sample of a thousand rows, which ten seconds
 * are well spent on, tells enough of which values are frequent.
 */
#define SAMPLE_PAGES 10

/* A sample being taken. */
typedef struct Sample
{
	ForeignTable *table;
	Settings	settings;
	MemoryContext context;		/* of one page */
	Row		   *row;
	TupleTableSlot *slot;
	EState	   *estate;
	Budget		budget;
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
 * Reads a page's rows from one on.  Returns how many there were; *total is the
 * list's length, if its total states it, else -1.
 */
static int
read_page(Sample *sample, int64 first, int64 *total)
{
	MemoryContext context = AllocSetContextCreate(sample->context,
												  "nclue_fdw sample",
												  ALLOCSET_SMALL_SIZES);
	ListingKey	key = {
		.account = account_get(sample->table->serverid, GetUserId()),
		.resource = sample->settings.resource,
		.page_size = sample->settings.page_size,
		.jumps = sample->settings.jumps,
		.first = first,
		.want = sample->settings.page_size
	};
	Listing    *listing = listing_create(&key);
	Own		   *pin = MemoryContextAlloc(context, sizeof(Own));
	Reader	   *reader = MemoryContextAlloc(context, sizeof(Reader));
	DocValue	object;
	int			rows = 0;

	own_init(pin, context, unpin_listing);
	own_set(pin, listing);
	reader_init(reader, context, &sample->budget);
	reader_open(reader, listing, first, key.want, false);
	while (reader_next(reader, &object))
	{
		take_row(sample, &object);
		rows++;
	}
	*total = listing_total(listing);
	/* the reader's callback before the listing's */
	MemoryContextDelete(context);
	return rows;
}

/*
 * Reads the sample's pages.  Returns the number of rows in the list.
 */
static double
read_pages(Sample *sample)
{
	int			size = sample->settings.page_size;
	int64		total;
	int64		pages;
	int64		chosen;

	if (read_page(sample, 0, &total) < size)
		return sample->seen;

	/* a server that gives fewer rows than asked takes more requests a page */
	chosen = Max(SAMPLE_PAGES / sample->budget.spent, 1);
	if (total >= 0)
	{
		pages = (total + size - 1) / size;
		chosen = Min(chosen, pages);
		for (int64 i = 1; i < chosen; i++)
		{
			int64		unused;

			compat_vacuum_delay_point();
			read_page(sample, i * pages / chosen * size, &unused);
		}
		return total;
	}

	/* where it is not known how long the list is, its first pages */
	for (pages = 1; pages < chosen; pages++)
	{
		compat_vacuum_delay_point();
		if (read_page(sample, pages * size, &total) < size)
			return sample->seen;
	}
	return Max(sample->seen,
			   account_peek_total(sample->table->serverid, GetUserId(),
								  sample->settings.resource));
}

static int
sample_rows(Relation relation, int elevel, HeapTuple *rows, int targrows,
			double *totalrows, double *totaldeadrows)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);
	MemoryContext caller = CurrentMemoryContext;
	Bitmapset  *columns = NULL;
	Sample		sample = {
		.tuples = rows,
		.room = targrows,
		.to_skip = -1
	};

	sample.table = GetForeignTable(RelationGetRelid(relation));
	option_of_table(&sample.settings, sample.table);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (!TupleDescAttr(tupdesc, i)->attisdropped)
			columns = bms_add_member(columns, i + 1);
	}
	sample.context = AllocSetContextCreate(caller, "nclue_fdw sample",
										   ALLOCSET_SMALL_SIZES);
	sample.estate = CreateExecutorState();
	sample.row = row_begin(relation, sample.settings.resource, columns,
						   sample.settings.time_zone, NULL);
	sample.slot = MakeSingleTupleTableSlot(tupdesc, &TTSOpsVirtual);
	reservoir_init_selection_state(&sample.reservoir, targrows);

	*totalrows = read_pages(&sample);
	*totaldeadrows = 0;

	ExecDropSingleTupleTableSlot(sample.slot);
	FreeExecutorState(sample.estate);
	MemoryContextDelete(sample.context);
	ereport(elevel,
			(errmsg("\"%s\": list contains %.0f objects; %d rows in sample, %lld requests",
					RelationGetRelationName(relation), *totalrows, sample.count,
					(long long) sample.budget.spent)));
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
	total = account_peek_total(table->serverid, GetUserId(), settings.resource);
	*sample = sample_rows;
	*pages = (BlockNumber) walk_requests(&walk, total >= 0 ? total :
										 LISTING_DEFAULT_ROWS);
	return true;
}
