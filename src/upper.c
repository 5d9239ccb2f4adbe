/*
 * upper.c
 *	  LIMIT, OFFSET and count(*), where the service can do them.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_aggregate.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/tlist.h"
#include "utils/fmgroids.h"

#include "compat.h"
#include "plan.h"
#include "upper.h"

/*
 * Whether all of a relation's conditions can be tested once for all rows.
 */
static bool
has_no_conditions(RelOptInfo *rel)
{
	ListCell   *cell;

	foreach(cell, rel->baserestrictinfo)
	{
		if (!lfirst_node(RestrictInfo, cell)->pseudoconstant)
			return false;
	}
	return true;
}

/*
 * The value of a LIMIT or OFFSET as far as the planner knows it.  Where it does
 * not, it is taken for a tenth of the rows, as core does for its own path.
 */
static double
estimate_rows(PlannerInfo *root, Node *node, double none, double rows)
{
	if (node == NULL)
		return none;
	node = estimate_expression_value(root, node);
	if (!IsA(node, Const))
		return rows * 0.1;
	if (((Const *) node)->constisnull)
		return none;
	return Max(DatumGetInt64(((Const *) node)->constvalue), 0);
}

/*
 * A path that asks for just the rows of LIMIT and OFFSET.  It is the base
 * relation's, not the upper one's: then everything that rests on the scanned
 * relation works unaided.
 */
static void
add_range_path(PlannerInfo *root, RelOptInfo *input, RelOptInfo *output)
{
	const PlanInfo *info = input->fdw_private;
	Query	   *parse = root->parse;
	double		offset = estimate_rows(root, parse->limitOffset, 0,
									   input->rows);
	double		left = Max(input->rows - offset, 1);
	double		count = Min(estimate_rows(root, parse->limitCount, left,
										  input->rows), left);
	double		pages;
	double		requests;

	/* to the end of the list a full last page is followed by one more */
	requests = Max(1, ceil((count < left ? count - 1 : left) /
						   (info->walk.size - 1)));

	/*
	 * In fractions of pages, and without the cost of the tuples: it must be
	 * cheaper than a Limit over the whole list, which reads as many pages.
	 */
	pages = Max(1, (count - 1) / (info->walk.size - 1));
	add_path(output,
			 (Path *) compat_scan_path(root, input,
									   root->upper_targets[UPPERREL_FINAL],
									   clamp_row_est(count),
									   PLAN_REQUEST_COST,
									   PLAN_REQUEST_COST * pages,
									   input->lateral_relids,
									   plan_path_private(PLAN_RANGE, info->table,
														 requests)));
}

/*
 * Whether an expression counts rows.
 */
static bool
counts_rows(Node *node)
{
	Aggref	   *aggref = (Aggref *) node;

	if (!IsA(node, Aggref) || aggref->aggfilter != NULL ||
		aggref->aggdistinct != NIL || aggref->aggorder != NIL ||
		aggref->aggsplit != AGGSPLIT_SIMPLE)
		return false;
	if (aggref->aggfnoid == F_COUNT_)
		return true;
	if (aggref->aggfnoid == F_COUNT_ANY)
	{
		TargetEntry *argument = linitial(aggref->args);

		return IsA(argument->expr, Const) &&
			!((Const *) argument->expr)->constisnull;
	}
	return false;
}

/*
 * A path that counts the list.
 */
static void
add_count_path(PlannerInfo *root, RelOptInfo *input, RelOptInfo *output)
{
	const PlanInfo *info = input->fdw_private;
	Query	   *parse = root->parse;
	PathTarget *target = root->upper_targets[UPPERREL_GROUP_AGG];
	ListCell   *cell;
	List	   *aggregates;

	if (parse->groupClause != NIL || parse->groupingSets != NIL ||
		parse->havingQual != NULL || parse->hasTargetSRFs ||
		input->baserestrictinfo != NIL || !parse->hasAggs || info->checked)
		return;
	aggregates = pull_var_clause((Node *) target->exprs,
								 PVC_INCLUDE_AGGREGATES |
								 PVC_INCLUDE_PLACEHOLDERS);
	foreach(cell, aggregates)
	{
		if (!counts_rows(lfirst(cell)))
			return;
	}
	add_path(output,
			 (Path *) compat_upper_path(root, output, target, 1,
										PLAN_REQUEST_COST, PLAN_REQUEST_COST,
										plan_path_private(PLAN_COUNT, info->table, 1)));
}

void
upper_paths(PlannerInfo *root, UpperRelationKind stage,
			RelOptInfo *input, RelOptInfo *output, void *extra)
{
	/*
	 * Only right above a table of ours; an inheritance parent is none, for
	 * its size was never asked for.
	 */
	if (input->reloptkind != RELOPT_BASEREL || input->fdw_private == NULL)
		return;

	if (stage == UPPERREL_FINAL)
	{
		if (((FinalPathExtraData *) extra)->limit_needed &&
			upper_limit_refusal(root, input) == NULL)
			add_range_path(root, input, output);
	}
	else if (stage == UPPERREL_GROUP_AGG)
		add_count_path(root, input, output);
}

const char *
upper_limit_refusal(PlannerInfo *root, RelOptInfo *rel)
{
	Query	   *parse = root->parse;

	if (parse->limitCount == NULL && parse->limitOffset == NULL)
		return NULL;
	if (parse->commandType != CMD_SELECT || root->rowMarks != NIL)
		return "rows are locked or changed";
	if (bms_membership(root->all_baserels) == BMS_MULTIPLE)
		return "rows are joined before they are limited";
	if (parse->hasAggs || parse->groupClause != NIL ||
		parse->groupingSets != NIL || parse->distinctClause != NIL ||
		parse->hasWindowFuncs || parse->havingQual != NULL)
		return "rows are grouped before they are limited";
	if (parse->sortClause != NIL || parse->limitOption == LIMIT_OPTION_WITH_TIES)
		return "rows are sorted before they are limited, and the service does not sort";
	if (parse->hasTargetSRFs)
		return "a function in the select list returns sets";
	if (!has_no_conditions(rel))
		return "a condition is tested before rows are limited, and the service does not filter";
	if (parse->setOperations != NULL || rel->reloptkind != RELOPT_BASEREL)
		return "rows of several tables are limited together";
	return NULL;
}
