/*
 * model.h
 *	  Every way in which a list can move while it is walked.
 *
 * A model server holds a list and answers what a walk asks.  Between any two
 * requests, and between the serving of requests under way, which are served in
 * any order, the list may change.  model_check() tries every schedule of up to
 * so many changes.
 */
#ifndef NCLUE_MODEL_H
#define NCLUE_MODEL_H

#include "walk.h"

/* What total says. */
typedef enum ModelTotal
{
	MODEL_GRAND,				/* objects in the list */
	MODEL_PAGE,					/* rows of the page */
	MODEL_MISSING,
	MODEL_CONSTANT,				/* always wrong_total */
	MODEL_OFF					/* objects in the list, and wrong_total */
} ModelTotal;

#define MODEL_TOTALS (MODEL_OFF + 1)

typedef struct Model
{
	const char *name;
	WalkSettings walk;
	int			objects;		/* when the walk starts, up to MODEL_OBJECTS */
	int			changes;		/* at most, up to MODEL_CHANGES */
	bool		jumping;		/* last changed first; else order-keeping */
	ModelTotal	total;
	int			wrong_total;
	int			clamp;			/* rows in a page at most; 0: as asked */
	bool		clamp_stated;	/* the envelope's limit says so */
	int			fixed;			/* rows in every page, whatever is asked, and
								 * stated; 0: as asked */
	int			cuts;			/* pages that may be cut short silently */
	int			heads;			/* objects created or changed, where they
								 * jump: at most; 0: as many as are promised */
	int			held;			/* pages the reader can hold; 0: ahead */
	int			first;			/* of a range: its first row */
	int			want;			/* and how many; 0: the whole list */
	bool		may_fail;		/* the walk may end with a failure */
	bool		free_cost;		/* the number of requests is not judged */
	bool		quiet;			/* says nothing of what it finds */
} Model;

#define MODEL_OBJECTS 16
#define MODEL_CHANGES 6
#define MODEL_AHEAD 4

/* What a check saw. */
typedef struct ModelCount
{
	uint64_t	schedules;
	uint64_t	steps;			/* answers served or changes made, as far as
								 * they differ */
	uint64_t	failures;		/* walks that ended with one */
	int			excess[MODEL_CHANGES + 1];	/* requests above those of a still
											 * list, at most, by changes */
} ModelCount;

/*
 * Checks every schedule and adds to *count.  False at the first one that
 * breaks a promise, which it prints to standard error.
 */
extern bool model_check(const Model *model, ModelCount *count);

#endif
