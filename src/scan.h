/*
 * scan.h
 *	  A scan of a foreign table: begin, iterate, rescan, end.
 */
#ifndef NCLUE_SCAN_H
#define NCLUE_SCAN_H

#include "foreign/fdwapi.h"

/*
 * FdwRoutine's execution callbacks; fdwapi.h has their contract.  Nothing is
 * sent, and no mapping looked up, before the first row is wanted.  Raise.
 */
extern void scan_begin(ForeignScanState *node, int eflags);
extern TupleTableSlot *scan_iterate(ForeignScanState *node);
extern void scan_rescan(ForeignScanState *node);
extern void scan_end(ForeignScanState *node);

#endif
