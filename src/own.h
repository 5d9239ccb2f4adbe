/*
 * own.h
 *	  A library's handle that no error can leak: it belongs to a memory context
 *	  and is released with it.
 *
 * The Own is registered before the handle exists, so that there is no moment
 * in which an error finds the handle without an owner.
 */
#ifndef NCLUE_OWN_H
#define NCLUE_OWN_H

#include "utils/palloc.h"

typedef struct Own
{
	void	   *handle;			/* NULL: none now */
	void		(*release) (void *handle);
	MemoryContextCallback callback;
} Own;

/*
 * Prepares an Own, without a handle.  It must lie in the context, or live
 * longer.  release must not raise.  Never raises.
 */
extern void own_init(Own *own, MemoryContext context,
					 void (*release) (void *handle));

/*
 * The same for a parsed body (Doc).  Never raises.
 */
extern void own_init_doc(Own *own, MemoryContext context);

/*
 * Hands over a handle (NULL: none), releasing the one before.  Never raises.
 */
extern void own_set(Own *own, void *handle);

#endif
