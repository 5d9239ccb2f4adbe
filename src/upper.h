/*
 * upper.h
 *	  LIMIT, OFFSET and count(*), where the service can do them.
 */
#ifndef NCLUE_UPPER_H
#define NCLUE_UPPER_H

#include "foreign/fdwapi.h"

/*
 * FdwRoutine's callback; fdwapi.h has its contract.  Raises.
 */
extern void upper_paths(PlannerInfo *root, UpperRelationKind stage,
						RelOptInfo *input, RelOptInfo *output, void *extra);

/*
 * Why the query's LIMIT and OFFSET are not the service's, in words; NULL if it
 * has none.  Raises only where there is no memory.
 */
extern const char *upper_limit_refusal(PlannerInfo *root, RelOptInfo *rel);

#endif
