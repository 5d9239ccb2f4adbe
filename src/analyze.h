/*
 * analyze.h
 *	  ANALYZE of a foreign table.
 */
#ifndef NCLUE_ANALYZE_H
#define NCLUE_ANALYZE_H

#include "foreign/fdwapi.h"

/*
 * FdwRoutine's callback; fdwapi.h has its contract.  Raises.
 */
extern bool analyze_table(Relation relation, AcquireSampleRowsFunc *sample,
						  BlockNumber *pages);

#endif
