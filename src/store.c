/*
 * store.c
 *	  Bodies kept as they came.
 *
 * The file is not a BufFile: that writes what it has buffered when it is
 * closed, which can fail where failing is not allowed.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "report.h"
#include "store.h"

/* A File is a number, and 0 is one: Own needs a pointer. */
typedef struct SpillFile
{
	File		file;
} SpillFile;

static void
close_file(void *file)
{
	FileClose(((SpillFile *) file)->file);
}

/*
 * A file, with the right SQLSTATE if there is none.
 */
static File
create_file(void)
{
	ErrorContextCallback callback;
	File		file;

	report_errno(&callback);
	file = OpenTemporaryFile(true);
	error_context_stack = callback.previous;
	return file;
}

void
store_init(Store *store, MemoryContext context)
{
	store->context = context;
	store->in_memory = 0;
	store->file_size = 0;
	own_init(&store->file, context, close_file);
}

StoredBody
store_put(Store *store, const char *body, size_t length)
{
	SpillFile  *spill = store->file.handle;
	StoredBody	stored = {.length = length};
	bool		no_room;

	if (store->in_memory + length <= (size_t) work_mem * 1024)
	{
		stored.body = MemoryContextAllocHuge(store->context, length);
		memcpy(stored.body, body, length);
		store->in_memory += length;
		return stored;
	}

	if (spill == NULL)
	{
		spill = MemoryContextAlloc(store->context, sizeof(SpillFile));
		spill->file = create_file();
		own_set(&store->file, spill);
	}
	errno = 0;
	if (FileWrite(spill->file, (char *) body, length, store->file_size,
				  WAIT_EVENT_BUFFILE_WRITE) != (int) length)
	{
		/* a write cut short says nothing of its own */
		if (errno == 0)
			errno = ENOSPC;
		/* core knows no SQLSTATE for a quota or a limit on a file's size */
		no_room = errno == EDQUOT || errno == EFBIG;
		ereport(ERROR,
				(no_room ? errcode(ERRCODE_DISK_FULL) :
				 errcode_for_file_access(),
				 errmsg("could not write to temporary file: %m")));
	}
	stored.offset = store->file_size;
	store->file_size += length;
	return stored;
}

Doc *
store_parse(const Store *store, const StoredBody *stored)
{
	const SpillFile *spill = store->file.handle;
	char	   *body = stored->body;
	Failure		failure;
	Doc		   *doc;

	if (body == NULL)
	{
		int			done;

		body = palloc_extended(stored->length, MCXT_ALLOC_HUGE);
		done = FileRead(spill->file, body, stored->length, stored->offset,
						WAIT_EVENT_BUFFILE_READ);
		if (done < 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read from temporary file: %m")));
		/* a read cut short says nothing of its own */
		if (done != (int) stored->length)
			ereport(ERROR,
					(errcode(ERRCODE_IO_ERROR),
					 errmsg("could not read from temporary file: read only %d of %zu bytes",
							done, stored->length)));
	}
	failure_clear(&failure);
	doc = doc_parse(body, stored->length, &failure);
	if (stored->body == NULL)
		pfree(body);
	if (doc == NULL)
		report_failure(&failure);
	return doc;
}
