/*
 * budget.c
 *	  How many requests a statement may make.
 */
#include "postgres.h"

#include "budget.h"
#include "report.h"

int			budget_max_requests = 0;

bool
budget_allows(const Budget *budget)
{
	return budget_max_requests == 0 || budget->spent < budget_max_requests;
}

void
budget_afford(const Budget *budget, int64 requests)
{
	Failure		failure;
	const char *words;

	if (budget_max_requests == 0 ||
		requests <= budget_max_requests - budget->spent)
		return;
	failure_clear(&failure);
	words = psprintf("it has made %lld, and needs %lld more",
					 (long long) budget->spent, (long long) requests);
	failure_say(&failure, FAILURE_BUDGET, words);
	report_failure(&failure);
}
