/*
 * shared.c
 *	  What all sessions of the server share.
 *
 * One piece of memory, without pointers, under one lock that is held for
 * microseconds: nobody waits while holding it.  Where it cannot be shared the
 * same piece is this process's own.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "compat.h"
#include "shared.h"

/*
 * The name carries the layout's version: after an upgrade without a restart
 * sessions with the old and the new library must not share.
 */
#define SHARED_NAME "nclue_fdw 1"

/*
 * Access keys in use at once, and user mappings ever used since the start of
 * the server; for more there is an error, or another role's room, and tallies
 * of the session's own.
 */
#define SHARED_KEYS 32
#define SHARED_TALLIES 256

/* Before anything can have been sent. */
#define LONG_AGO (PG_INT64_MIN / 2)

/* The line before one access key. */
typedef struct SharedLine
{
	SignDigest	key;
	bool		used;
	Oid			role;			/* that logged in and made it */
	int64		longest_us;		/* of the intervals asked for */
	Limiter		limiter;
} SharedLine;

typedef struct Shared
{
	bool		shared;
	int			tranche;
	LWLock		lock;
	int64		began_us;		/* something may have been sent until then */
	SharedLine	lines[SHARED_KEYS];
	SharedTally tallies[SHARED_TALLIES + 1];	/* the last one is nobody's */
} Shared;

static Shared *memory = NULL;

#if COMPAT_SHARED_AT_START
static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;
#endif

static void
fill(Shared *shared, int64 began_us)
{
	memset(shared, 0, sizeof(Shared));
	shared->began_us = began_us;
	for (int i = 0; i <= SHARED_TALLIES; i++)
	{
		SharedTally *tally = &shared->tallies[i];

		for (int n = 0; n < SHARED_COUNTS; n++)
			pg_atomic_init_u64(&tally->counts[n], 0);
		for (int n = 0; n < RESOURCES; n++)
			pg_atomic_init_u64(&tally->totals[n], 0);
	}
}

static void
fill_shared(Shared *shared, int64 began_us)
{
	fill(shared, began_us);
	shared->shared = true;
	shared->tranche = compat_new_tranche("nclue_fdw");
	LWLockInitialize(&shared->lock, shared->tranche);
}

#if COMPAT_SHARED_AT_START
static void
request_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(Shared)));
}

static void
start_memory(void)
{
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	memory = ShmemInitStruct(SHARED_NAME, sizeof(Shared), &found);
	/* what was sent before a restart, or a crash, counts after it */
	if (!found)
		fill_shared(memory, clock_now_us());
	LWLockRelease(AddinShmemInitLock);
	compat_name_tranche(memory->tranche, "nclue_fdw");
}
#else

/*
 * Whoever asks first fills the memory.  If there was another before, it went
 * with a crash, and so did every process that could send by it: before this
 * one began.
 */
static void
fill_at_first_use(void *shared)
{
	int64		age_us = GetCurrentTimestamp() - MyStartTimestamp;

	fill_shared(shared, clock_now_us() - Max(age_us, 0));
}
#endif

void
shared_prepare(void)
{
#if COMPAT_SHARED_AT_START
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_memory;
#endif
}

/*
 * Memory of this process alone.
 */
static Shared *
own_memory(void)
{
	static Shared *own = NULL;

	if (own == NULL)
	{
		Shared	   *made = MemoryContextAlloc(TopMemoryContext, sizeof(Shared));

		fill(made, LONG_AGO);
		own = made;
	}
	return own;
}

static Shared *
get_memory(void)
{
	if (memory != NULL)
		return memory;
#if !COMPAT_SHARED_AT_START
	memory = compat_shared_memory(SHARED_NAME, sizeof(Shared),
								  fill_at_first_use);
	compat_name_tranche(memory->tranche, "nclue_fdw");
#else
	memory = own_memory();
#endif
	return memory;
}

static Shared *
lock(void)
{
	Shared	   *shared = get_memory();

	if (shared->shared)
		LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	return shared;
}

static void
unlock(Shared *shared)
{
	if (shared->shared)
		LWLockRelease(&shared->lock);
}

bool
shared_is_shared(void)
{
	return get_memory()->shared;
}

/* ---- lines ---- */

static bool
same_key(SignDigest a, SignDigest b)
{
	return a.low == b.low && a.high == b.high;
}

static SharedLine *
find_line(Shared *shared, SignDigest key)
{
	for (int i = 0; i < SHARED_KEYS; i++)
	{
		SharedLine *line = &shared->lines[i];

		if (line->used && same_key(line->key, key))
			return line;
	}
	return NULL;
}

static int
lines_of(const Shared *shared, Oid role)
{
	int			count = 0;

	for (int i = 0; i < SHARED_KEYS; i++)
		count += shared->lines[i].used && shared->lines[i].role == role;
	return count;
}

/*
 * Room for one more line of a role; NULL where there is none.  A line that
 * stands for nothing any more gives up its room.  Else the role that has made
 * most of them gives one in which nobody stands, as long as it keeps no fewer
 * than the other then has: or any role could keep all others from their keys,
 * with as many slow keys as there is room for.
 */
static SharedLine *
find_room(Shared *shared, Oid role, int64 now_us)
{
	SharedLine *room = NULL;
	int			most = lines_of(shared, role) + 1;

	for (int i = 0; i < SHARED_KEYS; i++)
	{
		SharedLine *line = &shared->lines[i];
		int			count;

		if (!line->used ||
			limiter_idle(&line->limiter, line->longest_us, now_us))
			return line;
		count = lines_of(shared, line->role);
		if (count > most && limiter_head(&line->limiter) < 0)
		{
			most = count;
			room = line;
		}
	}
	return room;
}

/*
 * The line before a key, made if there is none; NULL where there is no room.
 */
static SharedLine *
make_line(Shared *shared, SignDigest key, int64 now_us)
{
	Oid			role = GetSessionUserId();
	SharedLine *line = find_line(shared, key);

	if (line != NULL)
		return line;
	line = find_room(shared, role, now_us);
	if (line != NULL)
	{
		line->used = true;
		line->key = key;
		line->role = role;
		line->longest_us = 0;
		limiter_begin(&line->limiter, shared->began_us);
	}
	return line;
}

/*
 * Wakes who is at a line's head, if that is another process.
 */
static void
wake_head(const Shared *shared, const Limiter *limiter)
{
	int			head = limiter_head(limiter);

	if (shared->shared && head >= 0 && head != compat_my_number())
		SetLatch(&GetPGProcByNumber(head)->procLatch);
}

uint32
shared_join(SignDigest key, int64 interval_us, int64 now_us)
{
	Shared	   *shared = lock();
	SharedLine *line = make_line(shared, key, now_us);
	uint32		ticket = 0;

	if (line != NULL)
	{
		int			before = limiter_head(&line->limiter);

		line->longest_us = Max(line->longest_us, interval_us);
		ticket = limiter_join(&line->limiter, compat_my_number(), interval_us,
							  now_us);
		if (limiter_head(&line->limiter) != before)
			wake_head(shared, &line->limiter);
	}
	unlock(shared);
	return ticket;
}

LimiterAnswer
shared_poll(SignDigest key, uint32 ticket, int64 now_us, int64 *until_us)
{
	Shared	   *shared = lock();
	SharedLine *line = find_line(shared, key);
	LimiterAnswer answer = LIMITER_GONE;

	if (line != NULL)
	{
		int			before = limiter_head(&line->limiter);

		answer = limiter_poll(&line->limiter, ticket, now_us, until_us);
		if (limiter_head(&line->limiter) != before)
			wake_head(shared, &line->limiter);
	}
	unlock(shared);
	return answer;
}

int64
shared_turn_us(SignDigest key, uint32 ticket, int64 now_us)
{
	Shared	   *shared = lock();
	SharedLine *line = find_line(shared, key);
	int64		turn_us = now_us;

	if (line != NULL)
		turn_us = limiter_turn_us(&line->limiter, ticket, now_us);
	unlock(shared);
	return turn_us;
}

void
shared_sent(SignDigest key, uint32 ticket, int64 now_us)
{
	Shared	   *shared = lock();
	SharedLine *line = find_line(shared, key);

	if (line != NULL)
	{
		limiter_sent(&line->limiter, ticket, now_us, now_us);
		wake_head(shared, &line->limiter);
	}
	unlock(shared);
}

void
shared_leave(SignDigest key, uint32 ticket, int64 now_us)
{
	Shared	   *shared = lock();
	SharedLine *line = find_line(shared, key);

	if (line != NULL)
	{
		limiter_leave(&line->limiter, ticket, now_us);
		wake_head(shared, &line->limiter);
	}
	unlock(shared);
}

void
shared_hold(SignDigest key, int64 until_us, int64 now_us)
{
	Shared	   *shared = lock();
	SharedLine *line = make_line(shared, key, now_us);

	if (line != NULL)
		limiter_hold(&line->limiter, until_us);
	unlock(shared);
}

int64
shared_held_us(SignDigest key)
{
	Shared	   *shared = lock();
	SharedLine *line = find_line(shared, key);
	int64		held_us = LONG_AGO;

	if (line != NULL)
		held_us = limiter_held_us(&line->limiter);
	unlock(shared);
	return held_us;
}

/* ---- tallies ---- */

/*
 * The tally of a mapping with a key (NULL: whichever was made last) in a piece
 * of memory; NULL if there is none.
 */
static SharedTally *
find_tally(Shared *shared, Oid mapping, const SignDigest *key)
{
	SharedTally *found = NULL;

	for (int i = 0; i < SHARED_TALLIES; i++)
	{
		SharedTally *tally = &shared->tallies[i];

		if (tally->database == MyDatabaseId && tally->mapping == mapping &&
			(key == NULL || same_key(tally->key, *key)))
			found = tally;
	}
	return found;
}

/*
 * The same, made if there is none; NULL where there is no room.
 */
static SharedTally *
make_tally(Shared *shared, Oid mapping, SignDigest key)
{
	SharedTally *tally = find_tally(shared, mapping, &key);

	if (tally != NULL)
		return tally;
	for (int i = 0; i < SHARED_TALLIES; i++)
	{
		tally = &shared->tallies[i];
		if (OidIsValid(tally->database))
			continue;
		tally->shared = shared->shared;
		tally->database = MyDatabaseId;
		tally->mapping = mapping;
		tally->key = key;
		return tally;
	}
	return NULL;
}

SharedTally *
shared_tally(Oid mapping, SignDigest key)
{
	Shared	   *shared = lock();
	SharedTally *tally = make_tally(shared, mapping, key);

	unlock(shared);
	if (tally == NULL && shared->shared)
		tally = make_tally(own_memory(), mapping, key);
	return tally != NULL ? tally : &own_memory()->tallies[SHARED_TALLIES];
}

const SharedTally *
shared_find_tally(Oid mapping)
{
	Shared	   *shared = lock();
	const SharedTally *tally = find_tally(shared, mapping, NULL);

	unlock(shared);
	return tally;
}

int
shared_tallies(SharedTally **tallies)
{
	Shared	   *pieces[2] = {get_memory(), NULL};
	int			count = 0;

	if (pieces[0]->shared)
		pieces[1] = own_memory();
	*tallies = palloc(sizeof(SharedTally) * 2 * SHARED_TALLIES);
	for (int piece = 0; piece < 2; piece++)
	{
		for (int i = 0; pieces[piece] != NULL && i < SHARED_TALLIES; i++)
		{
			const SharedTally *tally = &pieces[piece]->tallies[i];

			if (tally->database == MyDatabaseId)
				(*tallies)[count++] = *tally;
		}
	}
	return count;
}

void
shared_reset(void)
{
	Shared	   *pieces[2] = {get_memory(), own_memory()};

	for (int piece = 0; piece < 2; piece++)
	{
		for (int i = 0; i < SHARED_TALLIES; i++)
		{
			SharedTally *tally = &pieces[piece]->tallies[i];

			if (tally->database != MyDatabaseId)
				continue;
			for (int n = 0; n < SHARED_COUNTS; n++)
				pg_atomic_write_u64(&tally->counts[n], 0);
		}
	}
}
