/*
 * shared.h
 *	  What all sessions of the server share: the line before each access key,
 *	  and what was counted for each user mapping.
 *
 * Before version 17 that takes shared_preload_libraries; without it each
 * session has its own, which works alike for it alone.
 *
 * An access key is named by a digest of endpoint, access key and secret key.
 * Times are microseconds of CLOCK_MONOTONIC.
 */
#ifndef NCLUE_SHARED_H
#define NCLUE_SHARED_H

#include "core/limiter.h"
#include "core/resource.h"
#include "core/sign.h"
#include "port/atomics.h"

/* What is counted. */
typedef enum SharedCount
{
	COUNT_REQUESTS,				/* sent */
	COUNT_RETRIES,				/* of these, further attempts */
	COUNT_THROTTLED,			/* answered with 429 */
	COUNT_WAITED_US,			/* for the limit and before further attempts */
	COUNT_BYTES,				/* of bodies, decompressed */
	COUNT_ROWS,					/* objects read, repeats apart */
	COUNT_REUSED				/* lists begun by another scan */
} SharedCount;

#define SHARED_COUNTS (COUNT_REUSED + 1)

/* Of a user mapping with one access key. */
typedef struct SharedTally
{
	bool		shared;			/* by all sessions */
	Oid			database;		/* InvalidOid: a free one */
	Oid			mapping;
	SignDigest	key;
	pg_atomic_uint64 counts[SHARED_COUNTS];
	pg_atomic_uint64 totals[RESOURCES]; /* last known length of each list, and
										 * one more; 0: not known */
} SharedTally;

/*
 * Asks for shared memory where that has to be done when the server starts.  To
 * be called once, when the library is loaded.  Never raises.
 */
extern void shared_prepare(void);

/*
 * Whether it really is shared.  Raises.
 */
extern bool shared_is_shared(void);

/*
 * The tally of a mapping of this database with a key, made if there is none;
 * stays where it is.  Where there is no room it is this session's alone, and at
 * last nobody's: it has no database, and what it says means nothing.
 * Raises only where there is no memory.
 */
extern SharedTally *shared_tally(Oid mapping, SignDigest key);

/*
 * The tally that was made last for a mapping of this database; NULL if there is
 * none.  Raises only where there is no memory.
 */
extern const SharedTally *shared_find_tally(Oid mapping);

/*
 * Copies the tallies of this database into memory of the current context and
 * returns their number.  Raises only where there is no memory.
 */
extern int	shared_tallies(SharedTally **tallies);

/*
 * Sets the counts of this database's tallies to 0.  Raises only where there is
 * no memory.
 */
extern void shared_reset(void);

/*
 * What core/limiter.h says, of the line before a key, under its lock; who is
 * now at the head is woken.  0: no place there, or none for one more key.
 * Raise only where there is no memory.
 */
extern uint32 shared_join(SignDigest key, int64 interval_us, int64 now_us);
extern LimiterAnswer shared_poll(SignDigest key, uint32 ticket, int64 now_us,
								 int64 *until_us);
extern int64 shared_turn_us(SignDigest key, uint32 ticket, int64 now_us);
extern void shared_sent(SignDigest key, uint32 ticket, int64 now_us);
extern void shared_leave(SignDigest key, uint32 ticket, int64 now_us);
extern void shared_hold(SignDigest key, int64 until_us, int64 now_us);
extern int64 shared_held_us(SignDigest key);

#endif
