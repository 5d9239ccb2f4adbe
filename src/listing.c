/*
 * listing.c
 *	  One list, many readers: its making, its sharing, its end.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "listing_private.h"

/*
 * Held pages: at least as many as requests may be under way.  A few save
 * requests where several rows vanish at once.
 */
#define HELD_MIN 4

static void
free_key(void *key)
{
	sign_key_free(key);
}

Listing *
listing_create(const ListingKey *key)
{
	MemoryContext context;
	Listing    *listing;
	WalkSettings settings;
	SignKey    *digests;
	char		bytes[32];

	/* until it is whole, it goes with whatever the caller works in */
	context = AllocSetContextCreate(CurrentMemoryContext, "nclue_fdw list",
									ALLOCSET_DEFAULT_SIZES);
	listing = MemoryContextAllocZero(context, sizeof(Listing));
	listing->context = context;
	listing->key = *key;
	own_init_account(&listing->account, context);
	own_set(&listing->account, account_pin(key->account));
	listing->pins = 1;
	listing->started = GetCurrentTimestamp();
	listing->total = listing->counted = -1;

	settings.size = key->page_size;
	settings.ahead = key->account->settings.max_in_flight;
	settings.jumps = key->jumps;
	settings.by_page = key->account->settings.by_page;
	if (key->want < 0)
		walk_begin(&listing->walk, &settings);
	else
		walk_begin_range(&listing->walk, &settings, key->first, key->want);

	listing->maxflights = settings.ahead;
	listing->flights = MemoryContextAllocZero(context,
											  listing->maxflights * sizeof(Flight));
	for (int i = 0; i < listing->maxflights; i++)
		fetch_init(&listing->flights[i].fetch, context, key->account,
				   &listing->tally);
	listing->maxheld = Max(HELD_MIN, settings.ahead);
	listing->held = MemoryContextAlloc(context,
									   listing->maxheld * sizeof(Arrival *));

	fetch_init(&listing->lookup, context, key->account, &listing->tally);
	store_init(&listing->store, context);
	own_init_doc(&listing->latest, context);
	own_init(&listing->digests, context, free_key);
	listing->latest_page = -1;
	listing->scratch = AllocSetContextCreate(context, "nclue_fdw request",
											 ALLOCSET_SMALL_SIZES);

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random key")));
	digests = sign_key_new(bytes, sizeof(bytes));
	if (digests == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("OpenSSL could not make a key.")));
	own_set(&listing->digests, digests);
	listing->ids = ids_create(context, 128, NULL);
	listing->answers = answers_begin(context, &listing->lookup,
									 &listing->store, key->resource);
	MemoryContextSetParent(context, TopMemoryContext);
	return listing;
}

void
listing_pin(Listing *listing)
{
	listing->pins++;
}

void
listing_unpin(Listing *listing)
{
	Assert(listing->pins > 0);
	if (--listing->pins == 0)
		MemoryContextDelete(listing->context);
}

bool
listing_serves(const Listing *listing, const ListingKey *key)
{
	const ListingKey *own = &listing->key;

	if (listing->failed || own->account != key->account ||
		own->resource != key->resource ||
		own->page_size != key->page_size || own->jumps != key->jumps)
		return false;
	return (own->first == key->first && own->want == key->want) ||
		(own->want < 0 &&
		 (listing->ended ||
		  (int64) listing->ids->members - key->want >= key->first));
}

bool
listing_failed(const Listing *listing)
{
	return listing->failed;
}

Account *
listing_account(const Listing *listing)
{
	return listing->key.account;
}

TimestampTz
listing_started(const Listing *listing)
{
	return listing->started;
}

const FetchTally *
listing_tally(const Listing *listing)
{
	return &listing->tally;
}

int64
listing_total(const Listing *listing)
{
	return listing->total;
}

int64
listing_repeats(const Listing *listing)
{
	return listing->repeats;
}

void
listing_errcontext(const Listing *listing)
{
	const Flight *flight = listing_oldest(listing);

	if (flight != NULL)
		errcontext("page with index=%lld&limit=%d of the list of %s",
				   (long long) flight->ask.index, flight->ask.limit,
				   listing->key.resource->name);
}
