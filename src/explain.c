/*
 * explain.c
 *	  What EXPLAIN says of a scan.
 */
#include "postgres.h"

#include "compat.h"
#include "core/uri.h"
#include "explain.h"
#include "foreign/foreign.h"
#include "nodes/nodeFuncs.h"
#include "option.h"
#include "plan.h"
#include "scan.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

/*
 * The request that a scan makes, with what changes from one to the next in
 * braces.
 */
static char *
request_template(PlanKind kind, const Settings *settings)
{
	const char *base = settings->endpoint.path;
	const Resource *resource = settings->resource;

	switch (kind)
	{
		case PLAN_READ:
		case PLAN_COUNT:
			return psprintf("GET %s%s?index={index}&limit=%d", base,
							resource->path, settings->page_size);
		case PLAN_RANGE:
			return psprintf("GET %s%s?index={index}&limit={limit}", base,
							resource->path);
		case PLAN_FIND:
			return psprintf("GET %s%s/{%s}", base, resource->path,
							resource->id_key);
	}
	return NULL;
}

static bool
has_internal_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind != PARAM_EXTERN)
		return true;
	return expression_tree_walker(node, has_internal_param, context);
}

/*
 * Shows OFFSET or LIMIT, if there is one.  Of what another part of the plan
 * computes only that part can tell more, and it is not known here.
 */
static void
show_rows(const char *label, Node *expression, ExplainState *es)
{
	Const	   *constant = (Const *) expression;

	if (has_internal_param(expression, NULL))
		ExplainPropertyText(label, "(computed by the plan)", es);
	else if (!IsA(expression, Const))
		ExplainPropertyText(label,
							deparse_expression(expression, NIL, false, false),
							es);
	else if (!constant->constisnull)
		ExplainPropertyInteger(label, NULL,
							   DatumGetInt64(constant->constvalue), es);
}

void
explain_scan(ForeignScanState *node, struct ExplainState *es)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	PlanKind	kind = intVal(list_nth(plan->fdw_private, PLAN_SLOT_KIND));
	Oid			relid = (Oid) intVal(list_nth(plan->fdw_private, PLAN_SLOT_TABLE));
	List	   *notes = list_nth(plan->fdw_private, PLAN_SLOT_NOT_SENT);
	ForeignTable *table = GetForeignTable(relid);
	Settings	settings;

	option_of_table(&settings, table);

	/* what core shows of a scan of no single relation is just its name */
	if (kind == PLAN_COUNT)
		ExplainPropertyText("Relations",
							psprintf("Aggregate on (%s)", get_rel_name(relid)),
							es);
	ExplainPropertyText("Request", request_template(kind, &settings), es);
	if (kind == PLAN_RANGE)
	{
		show_rows("Remote Offset", linitial(plan->fdw_exprs), es);
		show_rows("Remote Limit", lsecond(plan->fdw_exprs), es);
	}
	ExplainPropertyInteger("Estimated Requests", NULL,
						   (int64) floatVal(list_nth(plan->fdw_private,
													 PLAN_SLOT_REQUESTS)),
						   es);
	if (es->verbose && notes != NIL)
	{
		List	   *texts = NIL;
		ListCell   *cell;

		foreach(cell, notes)
			texts = lappend(texts, strVal(lfirst(cell)));
		ExplainPropertyList("Not Sent", texts, es);
	}
	if (es->analyze)
	{
		const ScanTally *tally = scan_tally(node);

		ExplainPropertyInteger("Requests", NULL, tally->spent.requests, es);
		ExplainPropertyBool("List Reused", tally->reused, es);
		ExplainPropertyInteger("Repeats Dropped", NULL, tally->repeats, es);
		if (es->timing)
			ExplainPropertyFloat("Waited", "s", tally->spent.waited_us / 1e6, 3,
								 es);
		ExplainPropertyInteger("Retries", NULL, tally->spent.retries, es);
	}
}
