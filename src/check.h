/*
 * check.h
 *	  Whether a foreign server can be used, and if not, why.
 */
#ifndef NCLUE_CHECK_H
#define NCLUE_CHECK_H

#include "compat.h"

/*
 * SQL function nclue_fdw_check(server text).  What is wrong comes as rows;
 * raises where there is no such server, where the current user may not use it,
 * and where it is interrupted.
 */
extern PGDLLEXPORT Datum nclue_fdw_check(PG_FUNCTION_ARGS);

#endif
