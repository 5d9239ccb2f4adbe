/*
 * import.c
 *	  IMPORT FOREIGN SCHEMA.
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

#include "core/resource.h"
#include "import.h"

/* The one remote schema: the service has no such thing, but SQL wants a name. */
#define REMOTE_SCHEMA "nclue"

static const char *
column_type(FieldKind kind)
{
	switch (kind)
	{
		case FIELD_TEXT:
			/* the others are words of the grammar, in whatever search_path */
			return "pg_catalog.text";
		case FIELD_TIME:
			return "timestamp with time zone";
		case FIELD_INTEGER:
			return "bigint";
		case FIELD_REAL:
			return "double precision";
	}
	return NULL;
}

static void
append_table(StringInfo sql, const Resource *resource, const char *schema,
			 const char *server)
{
	const char *table = quote_qualified_identifier(schema, resource->table);

	appendStringInfo(sql, "CREATE FOREIGN TABLE %s (", table);
	for (size_t i = 0; i < resource->nfields; i++)
	{
		const ResourceField *field = &resource->fields[i];

		appendStringInfo(sql, "%s\n    %s %s%s", i ? "," : "",
						 quote_identifier(field->column),
						 column_type(field->kind),
						 strcmp(field->key, resource->id_key) == 0 ?
						 " NOT NULL" : "");
	}
	appendStringInfo(sql, "\n) SERVER %s OPTIONS (resource %s);\n",
					 quote_identifier(server),
					 quote_literal_cstr(resource->name));

	appendStringInfo(sql, "COMMENT ON FOREIGN TABLE %s IS %s;\n", table,
					 quote_literal_cstr(resource->comment));
	for (size_t i = 0; i < resource->nfields; i++)
		appendStringInfo(sql, "COMMENT ON COLUMN %s.%s IS %s;\n", table,
						 quote_identifier(resource->fields[i].column),
						 quote_literal_cstr(resource->fields[i].comment));
}

static void
import_errcontext(void *arg)
{
	errcontext("importing foreign table \"%s\"", (const char *) arg);
}

/*
 * Runs statements as parts of the IMPORT, the way core runs those it gets
 * from us, so that event triggers see each.
 */
static void
run(const char *sql)
{
	ListCell   *cell;

	foreach(cell, pg_parse_query(sql))
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);
		PlannedStmt *planned = makeNode(PlannedStmt);

		planned->commandType = CMD_UTILITY;
		planned->canSetTag = false;
		planned->utilityStmt = raw->stmt;
		planned->stmt_location = raw->stmt_location;
		planned->stmt_len = raw->stmt_len;
		ProcessUtility(planned, sql, false, PROCESS_UTILITY_SUBCOMMAND,
					   NULL, NULL, None_Receiver, NULL);
		CommandCounterIncrement();
	}
}

List *
import_schema(ImportForeignSchemaStmt *stmt, Oid server)
{
	(void) server;

	if (strcmp(stmt->remote_schema, REMOTE_SCHEMA) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
				 errmsg("remote schema \"%s\" does not exist on server \"%s\"",
						stmt->remote_schema, stmt->server_name),
				 errhint("The only one is \"%s\": IMPORT FOREIGN SCHEMA %s FROM SERVER ...",
						 REMOTE_SCHEMA, REMOTE_SCHEMA)));
	if (stmt->options != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\" for IMPORT FOREIGN SCHEMA",
						linitial_node(DefElem, stmt->options)->defname),
				 errhint("There are no valid options for IMPORT FOREIGN SCHEMA.")));

	for (size_t i = 0; i < RESOURCES; i++)
	{
		const Resource *resource = &resources[i];
		ErrorContextCallback callback;
		StringInfoData sql;

		if (!IsImportableForeignTable(resource->table, stmt))
			continue;
		initStringInfo(&sql);
		append_table(&sql, resource, stmt->local_schema, stmt->server_name);

		callback.callback = import_errcontext;
		callback.arg = unconstify(char *, resource->table);
		callback.previous = error_context_stack;
		error_context_stack = &callback;
		run(sql.data);
		error_context_stack = callback.previous;
	}
	return NIL;
}
