/*
 * scan.c
 *	  A scan of a foreign table: begin, iterate, rescan, end.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "option.h"
#include "plan.h"
#include "row.h"
#include "scan.h"
#include "scope.h"

/* An id to look for, in UTF-8. */
typedef struct WantedId
{
	const char *text;
	size_t		length;
} WantedId;

/* A scan that may read from the service. */
typedef struct RemoteScan
{
	PlanKind	kind;
	Oid			user;
	ForeignTable *table;
	Account    *account;		/* NULL before it is known */
	Settings	settings;		/* likewise */
	char	   *table_name;
	char	   *server_name;
	Row		   *row;
	Reader		reader;			/* its listing is NULL before it has one */
	List	   *expressions;	/* ExprState */
	ScanTally	tally;
	FetchTally	spent_before;	/* the listing's, when tally was up to date */
	int64		repeats_before; /* likewise */
	bool		whole;			/* the whole list will be read, for sure */

	/* from here on, of one run from the first row to the last */
	bool		started;
	bool		empty;			/* no row can come */
	MemoryContext ids_context;
	WantedId   *ids;			/* PLAN_FIND: distinct */
	int			nids;
	int			next_id;
	bool		counted;		/* PLAN_COUNT: its row was returned */
} RemoteScan;

void
scan_begin(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	RemoteScan *scan;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	scan = palloc0(sizeof(RemoteScan));
	scan->kind = intVal(list_nth(plan->fdw_private, PLAN_SLOT_KIND));
	scan->whole = intVal(list_nth(plan->fdw_private, PLAN_SLOT_WHOLE));
	scan->user = compat_scan_user(node);
	scan->expressions = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
	node->fdw_state = scan;
}

/*
 * Learns what is to be read, at the first row wanted.
 */
static void
open_scan(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	Oid			relid = (Oid) intVal(list_nth(plan->fdw_private, PLAN_SLOT_TABLE));
	MemoryContext context = node->ss.ps.state->es_query_cxt;
	MemoryContext old = MemoryContextSwitchTo(context);

	scan->table = GetForeignTable(relid);
	scan->server_name = GetForeignServer(scan->table->serverid)->servername;
	scan->table_name = get_rel_name(relid);
	scan->ids_context = AllocSetContextCreate(context, "nclue_fdw ids",
											  ALLOCSET_SMALL_SIZES);
	reader_init(&scan->reader, context, scope_budget(node->ss.ps.state));
	MemoryContextSwitchTo(old);
}

/*
 * Learns how, when there is something to read: by the options that the
 * statement reads all its lists by.
 */
static void
open_account(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	EState	   *estate = node->ss.ps.state;
	MemoryContext old;
	Bitmapset  *columns = NULL;
	ListCell   *cell;
	Account    *account = scope_account(estate, scan->table->serverid,
										scan->user);

	old = MemoryContextSwitchTo(estate->es_query_cxt);
	account_settings(account, scan->table, &scan->settings);
	foreach(cell, (List *) list_nth(plan->fdw_private, PLAN_SLOT_COLUMNS))
		columns = bms_add_member(columns, lfirst_int(cell));
	if (scan->kind != PLAN_COUNT)
		scan->row = row_begin(node->ss.ss_currentRelation,
							  scan->settings.resource, columns,
							  scan->settings.time_zone, &node->ss.ps);
	scan->account = account;
	MemoryContextSwitchTo(old);
}

/*
 * Finds or makes the listing that has a range (0, -1: all) and puts the reader
 * before it.
 */
static void
open_listing(ForeignScanState *node, int64 first, int64 want)
{
	RemoteScan *scan = node->fdw_state;
	ListingKey	key;
	Listing    *listing;

	if (scan->account == NULL)
		open_account(node);
	key.account = scan->account;
	key.resource = scan->settings.resource;
	key.page_size = scan->settings.page_size;
	key.jumps = scan->settings.jumps;
	key.first = first;
	key.want = want;
	listing = scope_listing(node->ss.ps.state, &key);
	if (!scan->tally.reused && listing_tally(listing)->requests > 0)
	{
		scan->tally.reused = true;
		account_count(key.account, COUNT_REUSED, 1);
	}
	scan->spent_before = *listing_tally(listing);
	scan->repeats_before = listing_repeats(listing);
	reader_open(&scan->reader, listing, first, want, scan->whole);
}

/*
 * Puts the reader before the first row of the whole list; a rescan, of the
 * listing that it has.
 */
static void
open_whole_listing(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;

	if (scan->reader.listing == NULL)
		open_listing(node, 0, -1);
	else
		reader_rewind(&scan->reader);
}

/*
 * The value of OFFSET or LIMIT, the same errors as PostgreSQL's in the same
 * order; NULL is otherwise.
 */
static int64
evaluate_rows(ForeignScanState *node, ExprState *state, int64 otherwise,
			  int sqlstate, const char *complaint)
{
	bool		isnull;
	Datum		value = ExecEvalExprSwitchContext(state,
												  node->ss.ps.ps_ExprContext,
												  &isnull);

	if (isnull)
		return otherwise;
	if (DatumGetInt64(value) < 0)
		ereport(ERROR, (errcode(sqlstate), errmsg("%s", complaint)));
	return DatumGetInt64(value);
}

static void
start_range(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;
	int64		first;
	int64		want;

	first = evaluate_rows(node, linitial(scan->expressions), 0,
						  ERRCODE_INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE,
						  "OFFSET must not be negative");
	want = evaluate_rows(node, lsecond(scan->expressions), PG_INT64_MAX,
						 ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
						 "LIMIT must not be negative");

	/* no list is longer, and the API's integer may hold no more */
	if (want == 0 || first > PG_INT32_MAX)
		scan->empty = true;
	else
		open_listing(node, first, want);
}

static int
compare_ids(const void *a, const void *b)
{
	const WantedId *x = a;
	const WantedId *y = b;
	int			order = memcmp(x->text, y->text, Min(x->length, y->length));

	return order != 0 ? order :
		x->length < y->length ? -1 : x->length > y->length ? 1 : 0;
}

/*
 * Takes an id among those wanted, in the service's encoding.
 */
static void
want_id(RemoteScan *scan, Datum value)
{
	text	   *id = DatumGetTextPP(value);
	WantedId   *wanted = &scan->ids[scan->nids++];

	wanted->text = pg_server_to_any(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id),
									PG_UTF8);
	wanted->length = wanted->text == VARDATA_ANY(id) ?
		VARSIZE_ANY_EXHDR(id) : strlen(wanted->text);
}

/*
 * Evaluates which ids are wanted, each once, in the current context.
 */
static void
evaluate_ids(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	bool		isnull;
	Datum		value = ExecEvalExpr(linitial(scan->expressions),
									 node->ss.ps.ps_ExprContext, &isnull);
	int			distinct = 0;

	scan->nids = scan->next_id = 0;
	if (isnull)
		return;
	if (!type_is_array(exprType(linitial(plan->fdw_exprs))))
	{
		scan->ids = palloc(sizeof(WantedId));
		want_id(scan, value);
		return;
	}
	else
	{
		ArrayType  *array = DatumGetArrayTypeP(value);
		Datum	   *elements;
		bool	   *nulls;
		int			count;

		deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT,
						  &elements, &nulls, &count);
		scan->ids = palloc_extended(Max(count, 1) * sizeof(WantedId),
									MCXT_ALLOC_HUGE);
		for (int i = 0; i < count; i++)
		{
			if (!nulls[i])
				want_id(scan, elements[i]);
		}
	}

	qsort(scan->ids, scan->nids, sizeof(WantedId), compare_ids);
	for (int i = 0; i < scan->nids; i++)
	{
		if (distinct == 0 ||
			compare_ids(&scan->ids[distinct - 1], &scan->ids[i]) != 0)
			scan->ids[distinct++] = scan->ids[i];
	}
	scan->nids = distinct;
}

static void
start_find(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;
	MemoryContext old;
	int64		unknown = 0;

	MemoryContextReset(scan->ids_context);
	old = MemoryContextSwitchTo(scan->ids_context);
	evaluate_ids(node);
	MemoryContextSwitchTo(old);
	if (scan->nids == 0)
	{
		scan->empty = true;
		return;
	}

	open_whole_listing(node);
	for (int i = 0; i < scan->nids; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!listing_knows(scan->reader.listing, scan->ids[i].text,
						   scan->ids[i].length))
			unknown++;
	}
	reader_expect(&scan->reader, unknown);
}

/*
 * Starts a run, from the first row on.
 */
static void
start(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;

	scan->empty = false;
	switch (scan->kind)
	{
		case PLAN_READ:
		case PLAN_COUNT:
			open_whole_listing(node);
			break;
		case PLAN_RANGE:
			start_range(node);
			break;
		case PLAN_FIND:
			start_find(node);
			break;
	}
	scan->started = true;
}

/*
 * The next object that the scan is to show.  False at the end.
 */
static bool
next_object(RemoteScan *scan, DocValue *object)
{
	if (scan->kind != PLAN_FIND)
		return reader_next(&scan->reader, object);
	while (scan->next_id < scan->nids)
	{
		const WantedId *id = &scan->ids[scan->next_id++];

		/* of ids that are known not to be there, no request is made */
		CHECK_FOR_INTERRUPTS();
		if (reader_find(&scan->reader, id->text, id->length, object))
			return true;
	}
	return false;
}

/*
 * The one row of a count: the same number in each column.
 */
static void
fill_count(RemoteScan *scan, TupleTableSlot *slot)
{
	int64		count;

	if (scan->counted)
		return;
	count = reader_count(&scan->reader);
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_values[i] = Int64GetDatum(count);
		slot->tts_isnull[i] = false;
	}
	ExecStoreVirtualTuple(slot);
	scan->counted = true;
}

/*
 * Says which column of which object, or else what was asked for, and of which
 * table.
 */
static void
errcontext_of_scan(void *arg)
{
	ForeignScanState *node = arg;
	RemoteScan *scan = node->fdw_state;

	if (scan->row != NULL)
		row_errcontext(scan->row);
	if (scan->reader.listing != NULL)
		listing_errcontext(scan->reader.listing);
	if (scan->table_name != NULL)
		errcontext("foreign table \"%s\" on server \"%s\"",
				   scan->table_name, scan->server_name);
}

/*
 * Brings the tally up to date.  Other scans may read the same listing, so only
 * what happens while this one is at work counts.
 */
static void
tally(RemoteScan *scan)
{
	Listing    *listing = scan->reader.listing;
	const FetchTally *spent = listing_tally(listing);
	const FetchTally *before = &scan->spent_before;

	scan->tally.spent.requests += spent->requests - before->requests;
	scan->tally.spent.retries += spent->retries - before->retries;
	scan->tally.spent.waited_us += spent->waited_us - before->waited_us;
	scan->tally.repeats += listing_repeats(listing) - scan->repeats_before;
}

TupleTableSlot *
scan_iterate(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	ErrorContextCallback callback;
	DocValue	object;

	callback.callback = errcontext_of_scan;
	callback.arg = node;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	ExecClearTuple(slot);
	if (scan->reader.listing != NULL)
	{
		scan->spent_before = *listing_tally(scan->reader.listing);
		scan->repeats_before = listing_repeats(scan->reader.listing);
	}
	if (scan->table == NULL)
		open_scan(node);
	if (!scan->started)
		start(node);
	if (!scan->empty)
	{
		if (scan->kind == PLAN_COUNT)
			fill_count(scan, slot);
		else if (next_object(scan, &object))
		{
			/* core sets it too, but later than generated columns may use it */
			slot->tts_tableOid = scan->table->relid;
			row_fill(scan->row, &object, slot, node->ss.ps.ps_ExprContext);
		}
		tally(scan);
	}

	error_context_stack = callback.previous;
	return slot;
}

void
scan_rescan(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;

	/*
	 * What was read stays read.  Ids and ranges may have changed with the
	 * parameters; for the others starting anew is going back to the first
	 * row.
	 */
	scan->started = false;
	scan->counted = false;
}

void
scan_end(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;

	if (scan != NULL && scan->table != NULL)
		own_set(&scan->reader.doc, NULL);
}

const ScanTally *
scan_tally(ForeignScanState *node)
{
	return &((RemoteScan *) node->fdw_state)->tally;
}
