/*
 * plan.c
 *	  Sizes, paths, costs, and what a plan carries to its execution.
 */
#include "postgres.h"

#include <math.h>

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "account.h"
#include "compat.h"
#include "listing.h"
#include "lookup.h"
#include "option.h"
#include "plan.h"
#include "row.h"
#include "upper.h"

/* More rows than any list has, and no more than a number of them can hold. */
#define ROWS_MAX 1e15

/* The slots of a path's fdw_private. */
typedef enum PathSlot
{
	PATH_SLOT_KIND,				/* Integer: PlanKind */
	PATH_SLOT_TABLE,			/* Integer: the table's oid */
	PATH_SLOT_REQUESTS			/* Float: requests expected */
} PathSlot;

List *
plan_path_private(PlanKind kind, Oid table, double requests)
{
	return list_make3(makeInteger(kind), makeInteger((int) table),
					  makeFloat(psprintf("%.0f", requests)));
}

/*
 * Finds the column that stands for the id.
 */
static void
find_id(PlanInfo *info, Relation relation, const char **keys,
		const Resource *resource)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);

	for (int i = 0; i < tupdesc->natts && !info->can_look_up; i++)
	{
		Oid			type = TupleDescAttr(tupdesc, i)->atttypid;

		if (keys[i + 1] == NULL || strcmp(keys[i + 1], resource->id_key) != 0)
			continue;
		info->id = i + 1;
		info->can_look_up = type == TEXTOID || type == VARCHAROID;
	}
}

/*
 * Whether rows may be refused for a null where none is allowed; an id is never
 * null.
 */
static bool
rows_are_checked(Relation relation, const char **keys, const Resource *resource)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(tupdesc, i);

		if (!attr->attisdropped && attr->attnotnull &&
			(keys[i + 1] == NULL || strcmp(keys[i + 1], resource->id_key) != 0))
			return true;
	}
	return false;
}

/*
 * The list's length as it was last seen by the user whose rights are checked;
 * -1: it was not.
 */
static int64
last_total(RelOptInfo *rel, Oid server, const Resource *resource)
{
	Oid			user = OidIsValid(rel->userid) ? rel->userid : GetUserId();

	return account_peek_total(server, user, resource);
}

void
plan_size(PlannerInfo *root, RelOptInfo *rel, Oid table)
{
	ForeignTable *foreign_table = GetForeignTable(table);
	PlanInfo   *info = palloc0(sizeof(PlanInfo));
	Settings	settings;
	Relation	relation;
	const char **keys;
	int64		total;

	option_of_table(&settings, foreign_table);

	/* only now are all the columns known: the validator sees them one by one */
	relation = table_open(table, NoLock);
	info->table = table;
	keys = row_keys(relation, settings.resource);
	find_id(info, relation, keys, settings.resource);
	info->checked = rows_are_checked(relation, keys, settings.resource);
	table_close(relation, NoLock);

	total = last_total(rel, foreign_table->serverid, settings.resource);
	if (total >= 0)
		rel->tuples = total;
	else if (rel->pages == 0 && rel->tuples <= 0)
		rel->tuples = LISTING_DEFAULT_ROWS;
	set_baserel_size_estimates(root, rel);

	info->walk.size = settings.page_size;
	info->walk.ahead = 1;
	info->walk.jumps = settings.jumps;
	info->walk.by_page = settings.by_page;
	info->requests = walk_requests(&info->walk,
								   (int64) Min(rel->tuples, ROWS_MAX));
	rel->pages = (BlockNumber) Min(info->requests, MaxBlockNumber);
	rel->fdw_private = info;
}

/*
 * Adds a path that looks ids up, for so many of them.
 */
static void
add_find_path(PlannerInfo *root, RelOptInfo *rel, double ids, Relids outer)
{
	const PlanInfo *info = rel->fdw_private;
	ParamPathInfo *param = outer ?
	get_baserel_parampathinfo(root, rel, outer) : NULL;
	double		rows = param ? param->ppi_rows : rel->rows;
	double		requests = Min(ceil(ids), info->requests);
	Cost		cost = PLAN_REQUEST_COST * requests +
	rel->baserestrictcost.startup +
	(cpu_tuple_cost + rel->baserestrictcost.per_tuple) * ids;

	add_path(rel, (Path *)
			 compat_scan_path(root, rel, NULL, rows,
							  Min(cost, PLAN_REQUEST_COST), cost, outer,
							  plan_path_private(PLAN_FIND, info->table,
												requests)));
}

void
plan_paths(PlannerInfo *root, RelOptInfo *rel, Oid table)
{
	const PlanInfo *info = rel->fdw_private;
	ListCell   *cell;
	Cost		startup;
	Cost		total;

	(void) table;

	/*
	 * Ids that are known beforehand are looked up or, where that costs less,
	 * found in the list: that is decided when they are known.
	 */
	if (info->can_look_up)
	{
		Expr	   *ids = lookup_find(rel, info->id, rel->baserestrictinfo);

		if (ids != NULL)
		{
			add_find_path(root, rel, lookup_count(root, ids),
						  rel->lateral_relids);
			return;
		}
	}

	/* the first row comes with the first page */
	startup = PLAN_REQUEST_COST + rel->baserestrictcost.startup;
	total = startup + PLAN_REQUEST_COST * (info->requests - 1) +
		(cpu_tuple_cost + rel->baserestrictcost.per_tuple) * rel->tuples;
	add_path(rel, (Path *)
			 compat_scan_path(root, rel, NULL, rel->rows, startup, total,
							  rel->lateral_relids,
							  plan_path_private(PLAN_READ, info->table,
												info->requests)));
	if (!info->can_look_up)
		return;
	foreach(cell, lookup_outer_sets(root, rel, info->id))
	{
		Relids		outer = lfirst(cell);

		/*
		 * Of columns that are all equal core tests one pair, and it may be
		 * another one than the one that was found.
		 */
		if (lookup_find(rel, info->id,
						get_baserel_parampathinfo(root, rel, outer)->ppi_clauses) != NULL)
			add_find_path(root, rel, 1, outer);
	}
}

/*
 * The columns that a scan has to fill.
 */
static List *
columns_to_fill(RelOptInfo *rel, Oid table)
{
	Bitmapset  *used = NULL;
	Bitmapset  *wanted = NULL;
	Bitmapset  *needs;
	Relation	relation;
	List	   *columns = NIL;
	ListCell   *cell;
	int			member = -1;

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
	return columns;
}

/*
 * What EXPLAIN VERBOSE says of things that are done here.
 */
static List *
not_sent(PlannerInfo *root, RelOptInfo *rel, PlanKind kind)
{
	const PlanInfo *info = rel->fdw_private;
	List	   *notes = NIL;
	const char *why;

	why = kind == PLAN_RANGE ? NULL : upper_limit_refusal(root, rel);
	if (why != NULL)
		notes = lappend(notes, makeString(psprintf("LIMIT: %s", why)));
	why = kind == PLAN_FIND ? NULL :
		lookup_refusal(rel, info->id, rel->baserestrictinfo);
	if (why != NULL)
		notes = lappend(notes, makeString(psprintf("look-up: %s", why)));
	return notes;
}

/*
 * Whether the whole list will be read for sure: the table is all that the query
 * reads, and all of the query's rows are wanted.
 */
static bool
is_whole(PlannerInfo *root, RelOptInfo *rel)
{
	/* the arms of a UNION ALL are other members of one relation */
	return !IS_OTHER_REL(rel) && root->query_level == 1 && root->tuple_fraction == 0 &&
		root->glob->subplans == NIL &&
		bms_membership(root->all_baserels) == BMS_SINGLETON;
}

static Node *
expression_or_null(Node *node)
{
	return node ? copyObject(node) : (Node *) makeNullConst(INT8OID, -1, InvalidOid);
}

ForeignScan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, Oid table,
		  ForeignPath *path, List *targets, List *conditions, Plan *outer)
{
	PlanKind	kind = intVal(list_nth(path->fdw_private, PATH_SLOT_KIND));
	List	   *columns = NIL;
	List	   *notes = NIL;
	List	   *expressions = NIL;
	List	   *scan_targets = NIL;

	(void) table;
	switch (kind)
	{
		case PLAN_READ:
			break;
		case PLAN_RANGE:
			expressions = list_make2(expression_or_null(root->parse->limitOffset),
									 expression_or_null(root->parse->limitCount));
			break;
		case PLAN_FIND:
			{
				const PlanInfo *info = rel->fdw_private;

				Expr	   *ids = lookup_find(rel, info->id, conditions);

				if (ids == NULL)
					elog(ERROR, "a look-up without an id was planned");
				expressions = list_make1(ids);
				break;
			}
		case PLAN_COUNT:
			scan_targets = add_to_flat_tlist(NIL,
											 pull_var_clause((Node *) path->path.pathtarget->exprs,
															 PVC_INCLUDE_AGGREGATES |
															 PVC_INCLUDE_PLACEHOLDERS));
			break;
	}
	if (kind != PLAN_COUNT)
	{
		columns = columns_to_fill(rel, table);
		notes = not_sent(root, rel, kind);
	}

	/* all conditions are tested here, whatever was asked for */
	return make_foreignscan(targets,
							extract_actual_clauses(conditions, false),
							kind == PLAN_COUNT ? 0 : rel->relid,
							expressions,
							lappend(list_make5(list_nth(path->fdw_private, PATH_SLOT_KIND),
											   list_nth(path->fdw_private, PATH_SLOT_TABLE),
											   columns,
											   list_nth(path->fdw_private, PATH_SLOT_REQUESTS),
											   notes),
									makeInteger(is_whole(root, rel))),
							scan_targets, NIL, outer);
}
