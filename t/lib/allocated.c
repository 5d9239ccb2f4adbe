/*
 * allocated.c
 *	  How many bytes the process has from malloc() and has not given back.
 */
#include "postgres.h"

#include <malloc.h>

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(allocated);

PGDLLEXPORT Datum
allocated(PG_FUNCTION_ARGS)
{
	struct mallinfo2 info = mallinfo2();

	(void) fcinfo;
	PG_RETURN_INT64((int64) (info.uordblks + info.hblkhd));
}
