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
#define SHARED_NAME "nclue_fdw 2"

/*
 * Access keys whose last send is remembered, and user mappings ever used since
 * the start of the server; of more, those that were silent longest are
 * forgotten, and tallies are the session's own.
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
	Limiter		limiter;
} SharedLine;

typedef struct Shared
{
	bool		shared;
	int			tranche;
	LWLock		lock;
	int64		began_us;		/* until then something may have been sent
								 * with a key that has no line */
	uint32		tickets;		/* handed out so far, in all lines */
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

/*
 * Room for one more line; NULL where somebody stands in every one.  Where all of
 * it is used, that of the line which was silent longest: whoever uses many keys
 * takes room from others, and they from them.  What is forgotten is when its
 * key last sent, so from then on that counts for all that have no line: no key
 * sends too early by it, and each waits for one interval of its own at most.
 */
static SharedLine *
find_room(Shared *shared, int64 now_us)
{
	SharedLine *room = NULL;

	for (int i = 0; i < SHARED_KEYS; i++)
	{
		SharedLine *line = &shared->lines[i];
		int			before = limiter_head(&line->limiter);

		if (!line->used)
			return line;
		if (!limiter_empty(&line->limiter, now_us))
		{
			if (limiter_head(&line->limiter) != before)
				wake_head(shared, &line->limiter);
		}
		else if (room == NULL || limiter_sent_us(&line->limiter) <
				 limiter_sent_us(&room->limiter))
			room = line;
	}
	if (room != NULL)
		shared->began_us = Max(shared->began_us,
							   limiter_sent_us(&room->limiter));
	return room;
}

/*
 * The line before a key, made if there is none, as if something had been sent at
 * sent_us; NULL where there is no room.
 */
static SharedLine *
make_line(Shared *shared, SignDigest key, int64 sent_us, int64 now_us)
{
	SharedLine *line = find_line(shared, key);

	if (line != NULL)
		return line;
	line = find_room(shared, now_us);
	if (line != NULL)
	{
		line->used = true;
		line->key = key;
		limiter_begin(&line->limiter, Max(sent_us, shared->began_us));
	}
	return line;
}

uint32
shared_join(SignDigest key, int64 interval_us, int64 now_us)
{
	Shared	   *shared = lock();
	SharedLine *line = make_line(shared, key, LONG_AGO, now_us);
	uint32		ticket = 0;

	if (line != NULL)
	{
		int			before = limiter_head(&line->limiter);

		ticket = limiter_join(&line->limiter, &shared->tickets,
							  compat_my_number(), interval_us, now_us);
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
	else
	{
		/* a late report, of a place that had lapsed before the line went */
		shared->began_us = Max(shared->began_us, now_us);
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

	/* what is answered was sent, also with a key that stands in no line */
	SharedLine *line = make_line(shared, key, now_us, now_us);

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
