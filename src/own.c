/*
 * own.c
 *	  A library's handle that no error can leak.
 */
#include "postgres.h"

#include "core/doc.h"
#include "own.h"

static void
own_callback(void *arg)
{
	own_set(arg, NULL);
}

void
own_init(Own *own, MemoryContext context, void (*release) (void *handle))
{
	own->handle = NULL;
	own->release = release;
	own->callback.func = own_callback;
	own->callback.arg = own;
	MemoryContextRegisterResetCallback(context, &own->callback);
}

static void
free_doc(void *doc)
{
	doc_free(doc);
}

void
own_init_doc(Own *own, MemoryContext context)
{
	own_init(own, context, free_doc);
}

void
own_set(Own *own, void *handle)
{
	void	   *before = own->handle;

	own->handle = handle;
	if (before != NULL)
		own->release(before);
}
