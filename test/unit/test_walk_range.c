/*
 * test_walk_range.c
 *	  What a range promises, in every schedule of a few changes.
 *
 * With WALK_LONG set in the environment the schedules are longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

/* The totals a campaign goes through, as bits. */
#define GRAND (1 << MODEL_GRAND)
#define ANY (GRAND | 1 << MODEL_PAGE | 1 << MODEL_MISSING)

/* How far a campaign goes, by default and in the long run. */
typedef struct Reach
{
	int			objects;
	int			changes;
} Reach;

/*
 * Ranges of every list of up to so many objects, from every row to one behind
 * the end, and of every length to one more than all.
 */
typedef struct Campaign
{
	const char *name;
	int			totals;
	int			size[2];
	int			held;
	int			clamp;			/* rows in a page at most; 0: as asked */
	int			cuts;			/* pages that may be cut short silently */
	Reach		usual;
	Reach		far;
} Campaign;

static const Campaign campaigns[] = {
	{"one change", ANY, {2, 5}, 1, 0, 0, {10, 1}, {12, 1}},
	{"two changes", ANY, {2, 5}, 1, 0, 0, {7, 2}, {8, 2}},
	{"three changes", GRAND, {2, 4}, 1, 0, 0, {5, 3}, {8, 3}},
	{"four changes", GRAND, {2, 3}, 1, 0, 0, {4, 4}, {7, 4}},
	{"pages held", GRAND, {2, 4}, 4, 0, 0, {6, 2}, {8, 3}},
	{"clamped", GRAND, {4, 5}, 1, 2, 0, {6, 1}, {7, 2}},
	{"cut short", GRAND, {2, 4}, 1, 0, 1, {6, 1}, {7, 2}},
};

static ModelCount count;

static void
check_ranges(Model *model)
{
	for (model->first = 0; model->first <= model->objects + 1; model->first++)
		for (model->want = 1; model->want <= model->objects + 1;
			 model->want++)
			assert_true(model_check(model, &count));
}

static void
run_campaign(const Campaign *campaign, Reach reach)
{
	Model		model;
	int			n;

	memset(&model, 0, sizeof(model));
	model.name = campaign->name;
	model.changes = reach.changes;
	model.walk.ahead = 1;
	model.walk.jumps = true;
	model.held = campaign->held;
	model.clamp = campaign->clamp;
	model.clamp_stated = true;
	model.cuts = campaign->cuts;
	model.may_fail = model.cuts > 0;
	model.free_cost = model.cuts > 0 || model.clamp > 0;

	/* Counting pages, a smaller limit is another page. */
	for (n = 0; n < (model.clamp > 0 ? 1 : 2) * MODEL_TOTALS; n++)
	{
		model.walk.by_page = n / MODEL_TOTALS;
		model.total = (ModelTotal) (n % MODEL_TOTALS);
		if (!(campaign->totals & 1 << n % MODEL_TOTALS))
			continue;
		for (model.walk.size = campaign->size[0];
			 model.walk.size <= campaign->size[1]; model.walk.size++)
			for (model.objects = 0; model.objects <= reach.objects;
				 model.objects++)
				check_ranges(&model);
	}
}

static void
test_every_schedule(void **state)
{
	uint64_t	schedules = 0;
	int			n;

	(void) state;
	for (n = 0; n < COUNT(campaigns); n++)
	{
		memset(&count, 0, sizeof(count));
		run_campaign(&campaigns[n], getenv("WALK_LONG") != NULL ?
					 campaigns[n].far : campaigns[n].usual);
		schedules += count.schedules;
		printf("ranges, %s: %llu schedules, %llu steps, %llu lost their "
			   "place, at most +%d +%d +%d +%d requests for 0..3 changes\n",
			   campaigns[n].name,
			   (unsigned long long) count.schedules,
			   (unsigned long long) count.steps,
			   (unsigned long long) count.failures,
			   count.excess[0], count.excess[1], count.excess[2],
			   count.excess[3]);
		fflush(stdout);
	}
	printf("%llu schedules of ranges checked\n",
		   (unsigned long long) schedules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
