/*
 * scan.h
 *	  A scan of a foreign table: begin, iterate, rescan, end.
 */
#ifndef NCLUE_SCAN_H
#define NCLUE_SCAN_H

#include "fetch.h"
#include "foreign/fdwapi.h"

/* What a scan has come to, for EXPLAIN ANALYZE. */
typedef struct ScanTally
{
	FetchTally	spent;			/* by this scan */
	int64		repeats;		/* rows dropped as repeats while it read */
	bool		reused;			/* its list had been begun before */
} ScanTally;

/*
 * FdwRoutine's execution callbacks; fdwapi.h has their contract.  Nothing is
 * sent, and no mapping looked up, before the first row is wanted.  Raise.
 */
extern void scan_begin(ForeignScanState *node, int eflags);
extern TupleTableSlot *scan_iterate(ForeignScanState *node);
extern void scan_rescan(ForeignScanState *node);
extern void scan_end(ForeignScanState *node);

/*
 * The tally of a scan that was begun to be executed.  Never raises.
 */
extern const ScanTally *scan_tally(ForeignScanState *node);

#endif
