/*
 * lookup.c
 *	  Conditions that name objects by their ids.
 *
 * Only equality of texts under a deterministic collation means that the bytes
 * are the same, which is what the service compares.  The condition itself stays
 * in the plan and is checked again on the row.
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "compat.h"
#include "lookup.h"

static bool
is_column(Node *node, Index relid, AttrNumber attno)
{
	/* varchar is compared as text */
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node != NULL && IsA(node, Var) &&
		(Index) ((Var *) node)->varno == relid &&
		((Var *) node)->varattno == attno &&
		((Var *) node)->varlevelsup == 0;
}

static bool
is_known_before(RelOptInfo *rel, Node *other)
{
	return !bms_is_member(rel->relid, pull_varnos(NULL, other)) &&
		!contain_volatile_functions(other) && !contain_subplans(other);
}

static bool
compares_bytes(Oid operator, Oid collation)
{
	return operator == TextEqualOperator && OidIsValid(collation) &&
		get_collation_isdeterministic(collation);
}

Expr *
lookup_match(RelOptInfo *rel, AttrNumber id, Expr *clause)
{
	Node	   *left;
	Node	   *right;
	Node	   *other = NULL;

	if (IsA(clause, OpExpr) &&
		list_length(((OpExpr *) clause)->args) == 2 &&
		compares_bytes(((OpExpr *) clause)->opno,
					   ((OpExpr *) clause)->inputcollid))
	{
		left = linitial(((OpExpr *) clause)->args);
		right = lsecond(((OpExpr *) clause)->args);
		if (is_column(left, rel->relid, id))
			other = right;
		else if (is_column(right, rel->relid, id))
			other = left;
	}
	else if (IsA(clause, ScalarArrayOpExpr) &&
			 ((ScalarArrayOpExpr *) clause)->useOr &&
			 compares_bytes(((ScalarArrayOpExpr *) clause)->opno,
							((ScalarArrayOpExpr *) clause)->inputcollid))
	{
		left = linitial(((ScalarArrayOpExpr *) clause)->args);
		right = lsecond(((ScalarArrayOpExpr *) clause)->args);
		if (is_column(left, rel->relid, id))
			other = right;
	}
	if (other == NULL || !is_known_before(rel, other))
		return NULL;
	return (Expr *) other;
}

Expr *
lookup_find(RelOptInfo *rel, AttrNumber id, List *conditions)
{
	Expr	   *found = NULL;
	ListCell   *cell;

	if (id == 0)
		return NULL;
	foreach(cell, conditions)
	{
		RestrictInfo *condition = lfirst_node(RestrictInfo, cell);
		Expr	   *other = lookup_match(rel, id, condition->clause);

		/* one id is better than several */
		if (other != NULL &&
			(found == NULL || IsA(condition->clause, OpExpr)))
			found = other;
	}
	return found;
}

/* For generate_implied_equalities_for_column(). */
typedef struct IdColumn
{
	Index		relid;
	AttrNumber	attno;
} IdColumn;

static bool
member_is_id(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec,
			 EquivalenceMember *member, void *arg)
{
	IdColumn   *id = arg;

	(void) root;
	(void) rel;
	(void) ec;
	return is_column((Node *) member->em_expr, id->relid, id->attno);
}

List *
lookup_outer_sets(PlannerInfo *root, RelOptInfo *rel, AttrNumber id)
{
	IdColumn	column = {rel->relid, id};
	List	   *conditions = NIL;
	List	   *sets = NIL;
	ListCell   *cell;

	if (id == 0)
		return NIL;
	if (rel->has_eclass_joins)
		conditions = generate_implied_equalities_for_column(root, rel,
															member_is_id,
															&column,
															rel->lateral_referencers);
	conditions = list_concat(conditions, rel->joininfo);

	foreach(cell, conditions)
	{
		RestrictInfo *condition = lfirst_node(RestrictInfo, cell);
		Relids		outer;
		ListCell   *other;
		bool		known = false;

		if (!join_clause_is_movable_to(condition, rel) ||
			lookup_match(rel, id, condition->clause) == NULL)
			continue;
		outer = bms_union(condition->clause_relids, rel->lateral_relids);
		outer = bms_del_member(outer, rel->relid);
		if (bms_is_empty(outer))
			continue;
		foreach(other, sets)
			known = known || bms_equal(lfirst(other), outer);
		if (!known)
			sets = lappend(sets, outer);
	}
	return sets;
}

double
lookup_count(PlannerInfo *root, Expr *other)
{
	if (!type_is_array(exprType((Node *) other)))
		return 1;
	return compat_array_length(root, (Node *) other);
}

const char *
lookup_refusal(RelOptInfo *rel, AttrNumber id, List *conditions)
{
	ListCell   *cell;

	if (id == 0)
		return NULL;
	foreach(cell, conditions)
	{
		Expr	   *clause = lfirst_node(RestrictInfo, cell)->clause;
		List	   *args;
		Oid			operator;
		Oid			collation;

		if (IsA(clause, OpExpr))
		{
			args = ((OpExpr *) clause)->args;
			operator = ((OpExpr *) clause)->opno;
			collation = ((OpExpr *) clause)->inputcollid;
		}
		else if (IsA(clause, ScalarArrayOpExpr))
		{
			args = ((ScalarArrayOpExpr *) clause)->args;
			operator = ((ScalarArrayOpExpr *) clause)->opno;
			collation = ((ScalarArrayOpExpr *) clause)->inputcollid;
		}
		else
			continue;
		if (list_length(args) != 2 ||
			(!is_column(linitial(args), rel->relid, id) &&
			 !is_column(lsecond(args), rel->relid, id)))
			continue;
		if (operator != TextEqualOperator)
			return "only = of texts, IN and = ANY find an object by its id";
		if (!compares_bytes(operator, collation))
			return "the collation of the comparison is not deterministic";
		return "what the id is compared with is not known before the row";
	}
	return NULL;
}
