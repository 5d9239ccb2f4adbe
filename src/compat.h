/*
 * compat.h
 *	  What differs between PostgreSQL's major versions, 15 to 19.  No other
 *	  file tests PG_VERSION_NUM.
 *
 * The branches for 16 are written from its documentation and headers' history
 * and have not been compiled.
 */
#ifndef NCLUE_COMPAT_H
#define NCLUE_COMPAT_H

#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "optimizer/pathnode.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 200000
#error "nclue_fdw supports PostgreSQL 15 to 19"
#endif

/* 15 leaves PGDLLEXPORT empty with gcc, and we build with hidden symbols */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#if PG_VERSION_NUM >= 180000
#define COMPAT_MODULE_MAGIC(module, release) \
	PG_MODULE_MAGIC_EXT(.name = module, .version = release)
#else
#define COMPAT_MODULE_MAGIC(module, release) PG_MODULE_MAGIC
#endif

/* type of a syscache callback's second argument */
#if PG_VERSION_NUM >= 190000
typedef SysCacheIdentifier CompatCacheId;
#else
typedef int CompatCacheId;
#endif

/*
 * The user whose rights a foreign scan is checked for: a view's owner, else
 * the current user.  Never raises.
 */
static inline Oid
compat_scan_user(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	Oid			userid;

#if PG_VERSION_NUM >= 160000
	userid = plan->checkAsUser;
#else
	int			rtindex = plan->scan.scanrelid;

	if (rtindex == 0)
		rtindex = bms_next_member(plan->fs_relids, -1);
	userid = exec_rt_fetch(rtindex, node->ss.ps.state)->checkAsUser;
#endif
	return OidIsValid(userid) ? userid : GetUserId();
}

/*
 * A path that scans a foreign table, unsorted.  Raises.
 */
static inline ForeignPath *
compat_scan_path(PlannerInfo *root, RelOptInfo *rel, PathTarget *target,
				 double rows, Cost startup, Cost total, Relids outer,
				 List *fdw_private)
{
	return create_foreignscan_path(root, rel, target, rows,
#if PG_VERSION_NUM >= 180000
								   0,
#endif
								   startup, total, NIL, outer, NULL,
#if PG_VERSION_NUM >= 170000
								   NIL,
#endif
								   fdw_private);
}

/*
 * A path for an upper relation, which the service computes.  Raises.
 */
static inline ForeignPath *
compat_upper_path(PlannerInfo *root, RelOptInfo *rel, PathTarget *target,
				  double rows, Cost startup, Cost total, List *fdw_private)
{
	return create_foreign_upper_path(root, rel, target, rows,
#if PG_VERSION_NUM >= 180000
									 0,
#endif
									 startup, total, NIL, NULL,
#if PG_VERSION_NUM >= 170000
									 NIL,
#endif
									 fdw_private);
}

/*
 * How many elements an array expression is likely to have.  Raises.
 */
static inline double
compat_array_length(PlannerInfo *root, Node *array)
{
#if PG_VERSION_NUM >= 170000
	return estimate_array_length(root, array);
#else
	(void) root;
	return estimate_array_length(array);
#endif
}

#endif
