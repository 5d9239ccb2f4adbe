/*
 * views.c
 *	  What the functions behind the extension's views return.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_server.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "account.h"
#include "shared.h"
#include "views.h"

PG_FUNCTION_INFO_V1(nclue_fdw_stat);
PG_FUNCTION_INFO_V1(nclue_fdw_stat_reset);

/* The columns of nclue_fdw_stat(), in their order. */
typedef enum StatColumn
{
	STAT_SERVER,
	STAT_USER,
	STAT_REQUESTS,
	STAT_RETRIES,
	STAT_THROTTLED,
	STAT_WAITED,
	STAT_BYTES,
	STAT_ROWS,
	STAT_REUSED,
	STAT_SHARED
} StatColumn;

#define STAT_COLUMNS (STAT_SHARED + 1)

/*
 * Whether the current user may see what was counted for a mapping: it is
 * theirs, or everybody's who may use the server, or they may see all that is
 * counted anywhere.
 */
static bool
may_see(Oid user, Oid server)
{
	if (has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS))
		return true;
	if (OidIsValid(user))
		return has_privs_of_role(GetUserId(), user);
	return compat_may_use_server(server, GetUserId());
}

/*
 * Fills the columns that say whose a tally is.  False where its mapping is gone
 * or not for the current user to see.
 */
static bool
fill_owner(const SharedTally *tally, Datum *values)
{
	ForeignServer *server;
	Oid			user;
	Oid			serverid;

	if (!account_mapping(tally->mapping, &user, &serverid))
		return false;
	server = GetForeignServerExtended(serverid, FSV_MISSING_OK);
	if (server == NULL || !may_see(user, serverid))
		return false;
	values[STAT_SERVER] = CStringGetTextDatum(server->servername);
	values[STAT_USER] =
		CStringGetTextDatum(OidIsValid(user) ?
							GetUserNameFromId(user, true) : "public");
	return true;
}

Datum
nclue_fdw_stat(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SharedTally *tallies;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	count = shared_tallies(&tallies);
	for (int i = 0; i < count; i++)
	{
		SharedTally *tally = &tallies[i];
		Datum		values[STAT_COLUMNS];
		bool		nulls[STAT_COLUMNS] = {0};
		int64		counts[SHARED_COUNTS];

		if (!fill_owner(tally, values))
			continue;
		for (int n = 0; n < SHARED_COUNTS; n++)
			counts[n] = (int64) pg_atomic_read_u64(&tally->counts[n]);
		values[STAT_REQUESTS] = Int64GetDatum(counts[COUNT_REQUESTS]);
		values[STAT_RETRIES] = Int64GetDatum(counts[COUNT_RETRIES]);
		values[STAT_THROTTLED] = Int64GetDatum(counts[COUNT_THROTTLED]);
		values[STAT_WAITED] = Float8GetDatum(counts[COUNT_WAITED_US] / 1e6);
		values[STAT_BYTES] = Int64GetDatum(counts[COUNT_BYTES]);
		values[STAT_ROWS] = Int64GetDatum(counts[COUNT_ROWS]);
		values[STAT_REUSED] = Int64GetDatum(counts[COUNT_REUSED]);
		values[STAT_SHARED] = BoolGetDatum(tally->shared);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
nclue_fdw_stat_reset(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	shared_reset();
	PG_RETURN_VOID();
}
