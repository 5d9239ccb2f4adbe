/*
 * version.h
 *	  The extension's own version, and those of what it runs with.
 */
#ifndef NCLUE_VERSION_H
#define NCLUE_VERSION_H

#include "compat.h"

#define NCLUE_FDW_VERSION "1.0.0"

/*
 * All of them in one line, in memory of the current context.  Raises only where
 * there is no memory.
 */
extern char *version_text(void);

/*
 * SQL function nclue_fdw_version().  Raises only where there is no memory.
 */
extern PGDLLEXPORT Datum nclue_fdw_version(PG_FUNCTION_ARGS);

#endif
