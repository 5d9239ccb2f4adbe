/*
 * lookup.h
 *	  Conditions that name objects by their ids, so that these can be looked up.
 */
#ifndef NCLUE_LOOKUP_H
#define NCLUE_LOOKUP_H

#include "nodes/pathnodes.h"

/*
 * The other side of a condition "id = other" or "id = ANY (other)" on a column
 * of a relation, if a look-up finds what the condition means: it compares bytes,
 * and its other side is known before the relation is read.  NULL if not.
 * Raises only where there is no memory.
 */
extern Expr *lookup_match(RelOptInfo *rel, AttrNumber id, Expr *clause);

/*
 * The first such other side among conditions (RestrictInfo); NULL if there is
 * none.  Likewise.
 */
extern Expr *lookup_find(RelOptInfo *rel, AttrNumber id, List *conditions);

/*
 * The sets of relations whose rows together give an id to look up, each once,
 * as Relids.  Likewise.
 */
extern List *lookup_outer_sets(PlannerInfo *root, RelOptInfo *rel,
							   AttrNumber id);

/*
 * How many ids an other side is likely to give.  Likewise.
 */
extern double lookup_count(PlannerInfo *root, Expr *other);

/*
 * Why conditions on the id are not looked up, in words; NULL if there are none,
 * or they are.  Likewise.
 */
extern const char *lookup_refusal(RelOptInfo *rel, AttrNumber id,
								  List *conditions);

#endif
