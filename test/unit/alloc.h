/*
 * alloc.h
 *	  Memory that runs out: the n-th allocation fails, for every n.
 *
 * The linker puts these functions in place of the C library's (Makefile,
 * --wrap), in the core and in the test; alloc_openssl() and alloc_curl() give
 * them to these libraries as well, and doc.c gives its own to jansson.  So what
 * fails, and what is not given back, needs no special build, and a sanitizer
 * or valgrind still sees every block.
 */
#ifndef NCLUE_ALLOC_H
#define NCLUE_ALLOC_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

extern void *alloc_malloc(size_t size);
extern void *alloc_calloc(size_t count, size_t size);
extern void *alloc_realloc(void *memory, size_t size);
extern char *alloc_strdup(const char *text);
extern void alloc_free(void *memory);

/*
 * Give these functions to OpenSSL, and to libcurl, which starts it.  Before
 * anything else is asked of them: both keep what they had first.
 */
extern void alloc_openssl(void);
extern void alloc_curl(void);

/*
 * From now on this thread's allocations number first to last, counted from 0,
 * fail.
 */
extern void alloc_fail(long first, long last);

/* Whether one has failed since alloc_fail(). */
extern bool alloc_failed(void);

/*
 * None fails any more.  Returns whether one has, since alloc_fail().
 */
extern bool alloc_stop(void);

/*
 * Blocks that all threads have and have not given back; without OpenSSL's where
 * that may leak, as it does where a handshake lacks memory.
 */
extern long alloc_live(void);
extern bool alloc_openssl_may_leak;

/* Called with each block before it is given back, if set. */
extern void (*alloc_watch) (const void *memory);

/*
 * Runs attempt(argument) with each allocation failing in turn, alone, and then
 * each with all that follow it, until it is through before one fails.
 * attempt() calls alloc_stop() when it has what is to be judged, judges it, and
 * leaves no block behind; what a library keeps it keeps once only.  Of those
 * beyond the 300th some are left out unless MEMORY_LONG is in the environment.
 * Returns how many allocations there are.
 */
extern long alloc_each(void (*attempt) (void *argument), void *argument);

/*
 * The same for what a process does for the first time: each attempt, which
 * returns whether all was right, has a process of its own, and only one
 * allocation fails.  Returns the number of one that is not reached.
 */
extern long alloc_each_first(bool (*attempt) (void));

#endif
