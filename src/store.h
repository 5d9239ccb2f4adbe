/*
 * store.h
 *	  Bodies kept as they came: in memory up to work_mem, then in a temporary
 *	  file.
 */
#ifndef NCLUE_STORE_H
#define NCLUE_STORE_H

#include "core/doc.h"
#include "own.h"

typedef struct Store
{
	MemoryContext context;
	size_t		in_memory;		/* bytes */
	off_t		file_size;
	Own			file;
} Store;

typedef struct StoredBody
{
	size_t		length;
	char	   *body;			/* NULL: in the file */
	off_t		offset;			/* there */
} StoredBody;

/*
 * Prepares an empty store, which lies in the context and ends with it, its file
 * too.  Never raises.
 */
extern void store_init(Store *store, MemoryContext context);

/*
 * Keeps a copy of a body.  Raises, the store being as before.
 */
extern StoredBody store_put(Store *store, const char *body, size_t length);

/*
 * A kept body in parsed form, the caller's.  Raises.
 */
extern Doc *store_parse(const Store *store, const StoredBody *stored);

#endif
