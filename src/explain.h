/*
 * explain.h
 *	  What EXPLAIN says of a scan.
 */
#ifndef NCLUE_EXPLAIN_H
#define NCLUE_EXPLAIN_H

#include "foreign/fdwapi.h"

/*
 * FdwRoutine's callback; fdwapi.h has its contract.  Needs no user mapping and
 * sends nothing.  Raises.
 */
extern void explain_scan(ForeignScanState *node, struct ExplainState *es);

#endif
