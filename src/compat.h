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

#include "catalog/pg_foreign_server.h"
#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
#include "commands/vacuum.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "optimizer/pathnode.h"
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#endif
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/acl.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "utils/wait_event.h"

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
	PG_MODULE_MAGIC_EXT(.name = (module), .version = (release))
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
 * Whether a user may use a foreign server.  Raises only where there is none.
 */
static inline bool
compat_may_use_server(Oid server, Oid user)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ForeignServerRelationId, server, user,
						   ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_foreign_server_aclcheck(server, user, ACL_USAGE) == ACLCHECK_OK;
#endif
}

/*
 * Gives way to interrupts, and to the cost limit of vacuuming.  Raises.
 */
static inline void
compat_vacuum_delay_point(void)
{
#if PG_VERSION_NUM >= 180000
	vacuum_delay_point(true);
#else
	vacuum_delay_point();
#endif
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

/* Whether shared memory has to be asked for when the server starts. */
#define COMPAT_SHARED_AT_START (PG_VERSION_NUM < 170000)

/*
 * A named piece of shared memory, made and filled by the first who asks for it.
 * Raises.
 */
#if PG_VERSION_NUM >= 190000
static inline void
compat_fill(void *memory, void *fill)
{
	((void (*) (void *)) (uintptr_t) fill) (memory);
}
#endif

static inline void *
compat_shared_memory(const char *name, size_t size, void (*fill) (void *))
{
#if PG_VERSION_NUM >= 190000
	bool		found;

	return GetNamedDSMSegment(name, size, compat_fill, &found,
							  (void *) (uintptr_t) fill);
#elif PG_VERSION_NUM >= 170000
	bool		found;

	return GetNamedDSMSegment(name, size, fill, &found);
#else
	(void) name;
	(void) size;
	(void) fill;
	return NULL;
#endif
}

/*
 * A number for the waits on a kind of lock, and its name, which before 19 each
 * process says for itself.  Raise only where there is no room.
 */
static inline int
compat_new_tranche(const char *name)
{
#if PG_VERSION_NUM >= 190000
	return LWLockNewTrancheId(name);
#else
	(void) name;
	return LWLockNewTrancheId();
#endif
}

static inline void
compat_name_tranche(int tranche, const char *name)
{
#if PG_VERSION_NUM < 190000
	LWLockRegisterTranche(tranche, name);
#else
	(void) tranche;
	(void) name;
#endif
}

/*
 * This process among those that others may wake.  Never raises.
 */
static inline int
compat_my_number(void)
{
#if PG_VERSION_NUM >= 170000
	return MyProcNumber;
#else
	return MyProc->pgprocno;
#endif
}

/*
 * The number of a wait of ours in pg_stat_activity; before 17 all extensions
 * have one.  Raises.
 */
static inline uint32
compat_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	(void) name;
	return PG_WAIT_EXTENSION;
#endif
}

/*
 * When the statement or the transaction is ended by a timeout, if one of them
 * is set: the earlier time, and the setting's name.  Never raises.
 */
static inline bool
compat_deadline(TimestampTz *deadline, const char **setting)
{
	*setting = NULL;
	if (get_timeout_active(STATEMENT_TIMEOUT))
	{
		*setting = "statement_timeout";
		*deadline = get_timeout_finish_time(STATEMENT_TIMEOUT);
	}
#if PG_VERSION_NUM >= 170000
	if (get_timeout_active(TRANSACTION_TIMEOUT) &&
		(*setting == NULL ||
		 get_timeout_finish_time(TRANSACTION_TIMEOUT) < *deadline))
	{
		*setting = "transaction_timeout";
		*deadline = get_timeout_finish_time(TRANSACTION_TIMEOUT);
	}
#endif
	return *setting != NULL;
}

#endif
