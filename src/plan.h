/*
 * plan.h
 *	  Sizes, paths, costs, and what a plan carries to its execution.
 */
#ifndef NCLUE_PLAN_H
#define NCLUE_PLAN_H

#include "core/walk.h"
#include "foreign/fdwapi.h"

/*
 * Cost of one request.  High beside any local work, for it takes a second; but
 * a walk of 100,000 objects must stay below jit_above_cost (100,000).
 */
#define PLAN_REQUEST_COST 25.0

/* What a scan does. */
typedef enum PlanKind
{
	PLAN_READ,					/* the whole list */
	PLAN_RANGE,					/* the rows of OFFSET and LIMIT */
	PLAN_FIND,					/* the objects of some ids */
	PLAN_COUNT					/* only the list's length */
} PlanKind;

/*
 * The slots of a ForeignScan's fdw_private.  Its fdw_exprs are OFFSET and LIMIT
 * of PLAN_RANGE (a null constant: none), and one id or an array of ids of
 * PLAN_FIND.
 */
typedef enum PlanSlot
{
	PLAN_SLOT_KIND,				/* Integer: PlanKind */
	PLAN_SLOT_TABLE,			/* Integer: the table's oid */
	PLAN_SLOT_COLUMNS,			/* IntList: attribute numbers to fill */
	PLAN_SLOT_REQUESTS,			/* Float: requests expected */
	PLAN_SLOT_NOT_SENT,			/* List of String: what is not the service's
								 * to do, and why */
	PLAN_SLOT_WHOLE				/* Integer: whether the whole list will be
								 * read, for sure */
} PlanSlot;

/* What planning knows of a table, in its RelOptInfo's fdw_private. */
typedef struct PlanInfo
{
	Oid			table;
	AttrNumber	id;				/* column that stands for the id; 0: none */
	bool		can_look_up;	/* by it: it shows the id as it is */
	bool		checked;		/* a column other than the id's is declared
								 * NOT NULL, so rows must be seen */
	WalkSettings walk;
	double		requests;		/* of a walk */
} PlanInfo;

/*
 * A path's fdw_private.  Raises only where there is no memory.
 */
extern List *plan_path_private(PlanKind kind, Oid table, double requests);

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
