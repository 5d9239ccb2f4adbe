/*
 * scan.c
 *	  A scan of a foreign table: begin, iterate, rescan, end.
 */
#include "postgres.h"

#include "foreign/foreign.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

#include "compat.h"
#include "option.h"
#include "plan.h"
#include "row.h"
#include "scan.h"
#include "scope.h"

/* A scan that may read from the service. */
typedef struct RemoteScan
{
	Oid			user;
	char	   *server;			/* its name */
	Row		   *row;
	Reader		reader;			/* without a listing: nothing read yet */
} RemoteScan;

void
scan_begin(ForeignScanState *node, int eflags)
{
	RemoteScan *scan;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	scan = palloc0(sizeof(RemoteScan));
	scan->user = compat_scan_user(node);
	node->fdw_state = scan;
}

/*
 * Finds or makes the listing, and prepares to fill rows, at the first row
 * wanted.
 */
static void
open_reader(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;
	EState	   *estate = node->ss.ps.state;
	Relation	relation = node->ss.ss_currentRelation;
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	ForeignTable *table = GetForeignTable(RelationGetRelid(relation));
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	Bitmapset  *columns = NULL;
	Settings	settings;
	Account    *account;
	Listing    *listing;
	ListCell   *cell;

	foreach(cell, (List *) list_nth(plan->fdw_private, PLAN_COLUMNS))
		columns = bms_add_member(columns, lfirst_int(cell));

	option_of_table(&settings, table);
	scan->server = GetForeignServer(table->serverid)->servername;
	scan->row = row_begin(relation, settings.resource, columns,
						  settings.time_zone, &node->ss.ps);

	account = account_get(table->serverid, scan->user);
	listing = scope_listing(estate, account, settings.resource,
							settings.page_size, settings.jumps);
	reader_begin(&scan->reader, estate->es_query_cxt, listing);
	MemoryContextSwitchTo(old);
}

/*
 * Says which column of which object, or else which page, and of which table.
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
	errcontext("foreign table \"%s\" on server \"%s\"",
			   RelationGetRelationName(node->ss.ss_currentRelation),
			   scan->server ? scan->server : "?");
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

	if (scan->reader.listing == NULL)
		open_reader(node);
	if (reader_next(&scan->reader, &object))
	{
		/* core sets it too, but later than generated columns may use it */
		slot->tts_tableOid = RelationGetRelid(node->ss.ss_currentRelation);
		row_fill(scan->row, &object, slot, node->ss.ps.ps_ExprContext);
	}
	else
		ExecClearTuple(slot);

	error_context_stack = callback.previous;
	return slot;
}

void
scan_rescan(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;

	/* what has been read stays read: the list is the statement's */
	if (scan->reader.listing != NULL)
		reader_rewind(&scan->reader);
}

void
scan_end(ForeignScanState *node)
{
	RemoteScan *scan = node->fdw_state;

	if (scan != NULL && scan->reader.listing != NULL)
		own_set(&scan->reader.doc, NULL);
}
