/*
 * plan.c
 *	  Sizes, paths, costs, and what a plan carries to its execution.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "foreign/foreign.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/rel.h"

#include "compat.h"
#include "core/walk.h"
#include "option.h"
#include "plan.h"
#include "row.h"

/* Rows of a list nobody has seen yet. */
#define DEFAULT_ROWS 1000

/*
 * Cost of one request.  High beside any local work, for it takes a second; but
 * a walk of 100,000 objects must stay below jit_above_cost (100,000).
 */
#define REQUEST_COST 25.0

/*
 * The options that a plan depends on: the server's, then the table's.
 */
static void
read_settings(Oid table, Settings *settings)
{
	option_of_table(settings, GetForeignTable(table));
}

void
plan_size(PlannerInfo *root, RelOptInfo *rel, Oid table)
{
	Settings	settings;
	Relation	relation;

	read_settings(table, &settings);

	/* only now are all the columns known: the validator sees them one by one */
	relation = table_open(table, NoLock);
	row_keys(relation, settings.resource);
	table_close(relation, NoLock);

	if (rel->pages == 0 && rel->tuples <= 0)
		rel->tuples = DEFAULT_ROWS;
	set_baserel_size_estimates(root, rel);
}

void
plan_paths(PlannerInfo *root, RelOptInfo *rel, Oid table)
{
	Settings	settings;
	WalkSettings walk;
	double		requests;
	Cost		startup;
	Cost		total;

	read_settings(table, &settings);
	walk.size = settings.page_size;
	walk.ahead = 1;
	walk.jumps = settings.jumps;
	walk.by_page = settings.by_page;
	requests = walk_requests(&walk, (int64) Min(rel->tuples, 1e15));

	/* the first row comes with the first page */
	startup = REQUEST_COST + rel->baserestrictcost.startup;
	total = startup + REQUEST_COST * (requests - 1) +
		(cpu_tuple_cost + rel->baserestrictcost.per_tuple) * rel->tuples;

	add_path(rel, (Path *) compat_scan_path(root, rel, startup, total));
}

ForeignScan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, Oid table,
		  ForeignPath *path, List *targets, List *conditions, Plan *outer)
{
	Bitmapset  *used = NULL;
	Bitmapset  *wanted = NULL;
	Bitmapset  *needs;
	Relation	relation;
	List	   *columns = NIL;
	ListCell   *cell;
	int			member = -1;

	(void) root;
	(void) path;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &used);
	foreach(cell, rel->baserestrictinfo)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, cell)->clause,
					   rel->relid, &used);

	relation = table_open(table, NoLock);
	while ((member = bms_next_member(used, member)) >= 0)
	{
		AttrNumber	attno = member + FirstLowInvalidHeapAttributeNumber;

		if (attno > 0)
			wanted = bms_add_member(wanted, attno);
		else if (attno == 0)
		{
			/* the whole row */
			for (int i = 0; i < RelationGetDescr(relation)->natts; i++)
			{
				if (!TupleDescAttr(RelationGetDescr(relation), i)->attisdropped)
					wanted = bms_add_member(wanted, i + 1);
			}
		}
	}
	needs = row_needs(relation, wanted);
	table_close(relation, NoLock);

	member = -1;
	while ((member = bms_next_member(needs, member)) >= 0)
		columns = lappend_int(columns, member);

	return make_foreignscan(targets,
							extract_actual_clauses(conditions, false),
							rel->relid,
							NIL,
							list_make1(columns),	/* PLAN_COLUMNS */
							NIL, NIL, outer);
}
