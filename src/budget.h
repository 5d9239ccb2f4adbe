/*
 * budget.h
 *	  How many requests a statement may make.
 */
#ifndef NCLUE_BUDGET_H
#define NCLUE_BUDGET_H

/* Setting nclue_fdw.max_requests; 0: any number. */
extern int	budget_max_requests;

/* What one statement has spent. */
typedef struct Budget
{
	int64		spent;			/* requests */
} Budget;

/*
 * Whether another request may be made.  Never raises.
 */
extern bool budget_allows(const Budget *budget);

/*
 * Raises where a statement needs so many more requests and may not make them.
 */
extern void budget_afford(const Budget *budget, int64 requests);

#endif
