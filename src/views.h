/*
 * views.h
 *	  What the functions behind the extension's views return.
 */
#ifndef NCLUE_VIEWS_H
#define NCLUE_VIEWS_H

#include "compat.h"

/*
 * SQL functions nclue_fdw_stat() and nclue_fdw_stat_reset().  Raise.
 */
extern PGDLLEXPORT Datum nclue_fdw_stat(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum nclue_fdw_stat_reset(PG_FUNCTION_ARGS);

#endif
