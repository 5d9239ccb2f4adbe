/*
 * plan.h
 *	  Sizes, paths, costs, and what a plan carries to its execution.
 */
#ifndef NCLUE_PLAN_H
#define NCLUE_PLAN_H

#include "foreign/fdwapi.h"

/* The slots of a ForeignScan's fdw_private. */
typedef enum PlanSlot
{
	PLAN_COLUMNS				/* IntList: attribute numbers to fill */
} PlanSlot;

/*
 * FdwRoutine's planning callbacks; fdwapi.h has their contract.  They send
 * nothing and need no user mapping.  Raise.
 */
extern void plan_size(PlannerInfo *root, RelOptInfo *rel, Oid table);
extern void plan_paths(PlannerInfo *root, RelOptInfo *rel, Oid table);
extern ForeignScan *plan_scan(PlannerInfo *root, RelOptInfo *rel, Oid table,
							  ForeignPath *path, List *targets,
							  List *conditions, Plan *outer);

#endif
