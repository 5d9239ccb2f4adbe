/*
 * model_range.h
 *	  What a range of a list that keeps its order promises.
 *
 * All objects ever listed have one order, the deleted ones kept as tombstones;
 * the list at any moment is a part of it.
 */
#ifndef NCLUE_MODEL_RANGE_H
#define NCLUE_MODEL_RANGE_H

#include "model.h"

#define MODEL_EVER (MODEL_OBJECTS + MODEL_CHANGES)

/* A part of the model's state, so without pointers.  Objects are bits. */
typedef struct ModelRange
{
	uint8_t		order[MODEL_EVER];	/* all objects ever */
	uint8_t		made;			/* how many */
	uint8_t		rows[MODEL_EVER];	/* as the reader returns them */
	uint8_t		nrows;
	uint8_t		origin;			/* 1 + the object that the range begins with;
								 * 0: the list was shorter */
	bool		begun;			/* its first page was made */
	bool		cut_off;		/* row 0 was read and showed no known row */
}			ModelRange;

/*
 * The list as it is when the walk starts.
 */
extern void range_begin(ModelRange * range, int objects);

/*
 * An object was created, behind another one (-1: before all).
 */
extern void range_insert(ModelRange * range, int object, int behind);

/*
 * The list, so long, at the moment when a page is made of it.
 */
extern void range_serve(ModelRange * range, const Model *model,
						const uint8_t *list, int length);

/*
 * Rows at the beginning of a page, asked for at a row, that are not of the range.
 */
extern int	range_lead(const ModelRange * range, const Model *model,
					   int64_t row, uint32_t objects);

/*
 * Returns the objects of a page that are new, after so many that are not of
 * the range, and adds them to the rows.
 */
extern uint32_t range_learn(ModelRange * range, int lead, uint32_t objects);

/*
 * The promise that the rows break, or NULL.  Stayed: the objects in the list
 * from the first request to the last answer.
 */
extern const char *range_broken(const ModelRange * range, const Model *model,
								uint32_t stayed, bool still);

/*
 * The requests that a range of a list that keeps still costs.
 */
extern int	range_still_cost(const Model *model, int objects);

#endif
