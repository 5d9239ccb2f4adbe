/*
 * churn.h
 *	  Walks of long lists that move at random.
 *
 * The same as model.h, but one schedule instead of all, with as many objects
 * and rows as there are in earnest.
 */
#ifndef NCLUE_CHURN_H
#define NCLUE_CHURN_H

#include "walk.h"

/* What a request is followed by, on average, per thousand requests. */
typedef struct ChurnRates
{
	int			created;
	int			deleted;
	int			changed;
} ChurnRates;

/* Where created objects appear. */
typedef enum ChurnOrder
{
	CHURN_NEWEST_FIRST,
	CHURN_BY_NAME,
	CHURN_OLDEST_FIRST
} ChurnOrder;

typedef struct Churn
{
	WalkSettings walk;
	int			objects;		/* when the walk starts, up to CHURN_OBJECTS */
	ChurnOrder	order;
	ChurnRates	rates;
	int			heads;			/* created or changed ones, at most; 0: any
								 * number */
	bool		grand;			/* total is; else it is the page's */
	int			clamp;			/* rows in a page at most; 0: as asked */
	bool		stated;			/* which is said */
	uint64_t	seed;

	/* instead of rates, one change after so many answers: 0 for none */
	int			after;
	int			place;
	bool		deletes;		/* else it creates */
} Churn;

#define CHURN_OBJECTS 10000

typedef struct ChurnResult
{
	WalkStep	end;			/* WALK_END or a failure */
	int			asked;
	int			answered;
	int			lost;			/* objects there throughout and not returned */
	int			longest;		/* length of the list at most */
} ChurnResult;

/*
 * Walks a list.  False if there is no memory.
 */
extern bool churn_walk(const Churn *churn, ChurnResult *result);

#endif
