/*
 * nclue_fdw.c
 *	  PostgreSQL foreign-data wrapper for NAVER Cloud's NCLUE: where PostgreSQL
 *	  comes in.
 */
#include "postgres.h"

#include "foreign/fdwapi.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "src/analyze.h"
#include "src/budget.h"
#include "src/compat.h"
#include "src/explain.h"
#include "src/import.h"
#include "src/option.h"
#include "src/plan.h"
#include "src/scan.h"
#include "src/scope.h"
#include "src/shared.h"
#include "src/upper.h"
#include "src/version.h"

COMPAT_MODULE_MAGIC("nclue_fdw", NCLUE_FDW_VERSION);

extern PGDLLEXPORT void _PG_init(void);
extern PGDLLEXPORT Datum nclue_fdw_handler(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum nclue_fdw_validator(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(nclue_fdw_handler);
PG_FUNCTION_INFO_V1(nclue_fdw_validator);

/*
 * Who sets it to nothing wants nothing kept.
 */
static void
assign_cache_ttl(int seconds, void *extra)
{
	(void) extra;
	if (seconds == 0)
		scope_forget();
}

void
_PG_init(void)
{
	DefineCustomIntVariable("nclue_fdw.cache_ttl",
							"Time for which this session may reuse a list that it has read.",
							"0 reuses none, and drops what is kept.",
							&scope_cache_ttl, 0, 0, SCOPE_CACHE_TTL_MAX,
							PGC_USERSET, GUC_UNIT_S,
							NULL, assign_cache_ttl, NULL);
	DefineCustomIntVariable("nclue_fdw.max_requests",
							"Requests to NCLUE that one statement may make.",
							"A statement that needs more fails; 0 allows any number.",
							&budget_max_requests, 0, 0, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("nclue_fdw.progress_interval",
							"Time between notices of how far a long list has been read.",
							"0 shows none.",
							&listing_progress_interval, 5, 0, INT_MAX / 1000,
							PGC_USERSET, GUC_UNIT_S,
							NULL, NULL, NULL);
	MarkGUCPrefixReserved("nclue_fdw");
	shared_prepare();
}

Datum
nclue_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	(void) fcinfo;
	routine->GetForeignRelSize = plan_size;
	routine->GetForeignPaths = plan_paths;
	routine->GetForeignPlan = plan_scan;
	routine->BeginForeignScan = scan_begin;
	routine->IterateForeignScan = scan_iterate;
	routine->ReScanForeignScan = scan_rescan;
	routine->EndForeignScan = scan_end;
	routine->GetForeignUpperPaths = upper_paths;
	routine->ExplainForeignScan = explain_scan;
	routine->AnalyzeForeignTable = analyze_table;
	routine->ImportForeignSchema = import_schema;
	PG_RETURN_POINTER(routine);
}

Datum
nclue_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = option_list(PG_GETARG_ARRAYTYPE_P(0));

	PG_TRY();
	{
		option_validate(options, PG_GETARG_OID(1));
	}
	PG_FINALLY();
	{
		option_erase(options);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}
