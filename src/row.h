/*
 * row.h
 *	  From an object of the service to a row of a foreign table.
 */
#ifndef NCLUE_ROW_H
#define NCLUE_ROW_H

#include "core/doc.h"
#include "core/resource.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"
#include "pgtime.h"
#include "utils/relcache.h"

typedef struct Row Row;			/* how the columns of one table are filled */

/*
 * The JSON key of each column of a table, by attribute number from 1 on; NULL
 * where the column is dropped or generated.  Raises where a column names no
 * field.
 */
extern const char **row_keys(Relation relation, const Resource *resource);

/*
 * Attribute numbers (from 1 on) of the columns that must be filled so that the
 * wanted ones are right: these, those a generated one among them is computed
 * from, and those declared NOT NULL, for the planner drops tests that rest on
 * it.  Raises.
 */
extern Bitmapset *row_needs(Relation relation, const Bitmapset *wanted);

/*
 * Prepares to fill the columns of a table, in the current context.  Raises.
 */
extern Row *row_begin(Relation relation, const Resource *resource,
					  const Bitmapset *columns, pg_tz *time_zone,
					  PlanState *parent);

/*
 * Fills a virtual slot from an object, in the current context, with NULL in
 * all other columns.  Raises, naming column and object, where a value is not
 * one of the column's type.
 */
extern void row_fill(Row *row, const DocValue *object, TupleTableSlot *slot,
					 ExprContext *econtext);

/*
 * Adds column and object to an error's context while one is being filled.
 * Raises only where there is no memory.
 */
extern void row_errcontext(const Row *row);

#endif
