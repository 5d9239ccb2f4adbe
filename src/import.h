/*
 * import.h
 *	  IMPORT FOREIGN SCHEMA.
 */
#ifndef NCLUE_IMPORT_H
#define NCLUE_IMPORT_H

#include "foreign/fdwapi.h"

/*
 * FdwRoutine's callback; fdwapi.h has its contract.  Creates the tables and
 * their comments itself, and returns NIL: what it may return cannot hold
 * comments.  Raises.
 */
extern List *import_schema(ImportForeignSchemaStmt *stmt, Oid server);

#endif
