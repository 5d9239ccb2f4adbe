/*
 * test_walk_model.c
 *	  What the walk promises, in every schedule of a few changes.
 *
 * With WALK_LONG set in the environment the schedules are longer: half an hour.
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
#define NO_GRAND (1 << MODEL_PAGE | 1 << MODEL_MISSING)
#define WRONG (1 << MODEL_CONSTANT | 1 << MODEL_OFF)

static const int constants[] = {0, 1, 2, 3, 5, 8, 1000};
static const int offsets[] = {-2, -1, 1, 2};

/* How far a campaign goes, by default and in the long run. */
typedef struct Reach
{
	int			objects;
	int			changes;
} Reach;

/*
 * Models that differ in what is not said here: list_order, the unit, and
 * everything from the least to the most.
 */
typedef struct Campaign
{
	const char *name;
	bool		jumping;
	int			totals;
	int			size[2];
	int			ahead[2];
	int			clamp[2];
	bool		clamp_stated;
	int			cuts;
	Reach		usual;
	Reach		far;
} Campaign;

static const Campaign campaigns[] = {
	{"order-keeping", false, GRAND,
	{2, 4}, {1, 2}, {0, 0}, false, 0, {7, 3}, {8, 4}},
	{"order-keeping, short", false, GRAND | NO_GRAND,
	{2, 3}, {1, 1}, {0, 0}, false, 0, {4, 4}, {6, 4}},
	{"order-keeping, no grand total", false, NO_GRAND,
	{2, 4}, {1, 1}, {0, 0}, false, 0, {7, 3}, {8, 4}},
	{"order-keeping, larger pages", false, GRAND | NO_GRAND,
	{5, 6}, {1, 2}, {0, 0}, false, 0, {9, 3}, {9, 4}},
	{"order-keeping, more ahead", false, GRAND,
	{2, 3}, {3, 4}, {0, 0}, false, 0, {7, 2}, {7, 3}},
	{"order-keeping, wrong total", false, WRONG,
	{2, 4}, {1, 3}, {0, 0}, false, 0, {6, 2}, {7, 3}},
	{"order-keeping, long", false, GRAND | NO_GRAND,
	{2, 6}, {1, 4}, {0, 0}, false, 0, {12, 1}, {14, 2}},
	{"order-keeping, clamped", false, GRAND | NO_GRAND | WRONG,
	{4, 5}, {1, 2}, {2, 3}, true, 0, {6, 2}, {8, 3}},
	{"order-keeping, clamped silently", false, GRAND,
	{4, 5}, {1, 2}, {2, 3}, false, 0, {7, 2}, {8, 3}},
	{"order-keeping, cut short", false, GRAND,
	{2, 4}, {1, 2}, {0, 0}, false, 2, {6, 2}, {7, 3}},
	{"jumping", true, GRAND,
	{2, 5}, {1, 2}, {0, 0}, false, 0, {7, 5}, {9, 6}},
	{"jumping, no grand total", true, NO_GRAND,
	{2, 5}, {1, 1}, {0, 0}, false, 0, {7, 5}, {9, 6}},
	{"jumping, more ahead", true, GRAND,
	{2, 4}, {3, 4}, {0, 0}, false, 0, {7, 3}, {8, 4}},
	{"jumping, cut short", true, GRAND,
	{2, 4}, {1, 2}, {0, 0}, false, 2, {6, 2}, {7, 3}},
	{"jumping, long", true, GRAND | NO_GRAND,
	{3, 6}, {1, 4}, {0, 0}, false, 0, {12, 1}, {14, 3}},
	{"jumping, clamped", true, GRAND | NO_GRAND,
	{4, 5}, {1, 2}, {2, 4}, true, 0, {7, 3}, {8, 5}},
	{"jumping, clamped silently", true, GRAND,
	{4, 5}, {1, 2}, {2, 4}, false, 0, {7, 3}, {8, 5}},
};

static ModelCount count;

static bool
long_run(void)
{
	return getenv("WALK_LONG") != NULL;
}

/*
 * A clamp moves the pages of a list that is asked by page.  They are judged by
 * the rows they share, so nothing is lost, but it may not get far.
 */
static bool
may_fail(const Model *model)
{
	return model->total == MODEL_CONSTANT || model->total == MODEL_OFF ||
		model->cuts > 0 ||
		(model->clamp > 0 && model->walk.by_page);
}

static void
check_lengths(Model *model, int most)
{
	for (model->objects = 0; model->objects <= most; model->objects++)
		assert_true(model_check(model, &count));
}

static void
check_totals(const Campaign *campaign, Model *model, int most)
{
	int			n;

	for (n = 0; n < MODEL_TOTALS; n++)
	{
		int			v = 0;

		if (!(campaign->totals & 1 << n))
			continue;
		model->total = (ModelTotal) n;
		model->may_fail = may_fail(model);
		model->free_cost = model->may_fail || model->clamp > 0 ||
			model->cuts > 0;
		do
		{
			model->wrong_total = n == MODEL_CONSTANT ? constants[v] :
				n == MODEL_OFF ? offsets[v] : 0;
			check_lengths(model, most);
			v++;
		} while ((n == MODEL_CONSTANT && v < COUNT(constants)) ||
				 (n == MODEL_OFF && v < COUNT(offsets)));
	}
}

static void
run_campaign(const Campaign *campaign)
{
	Reach		reach = long_run() ? campaign->far : campaign->usual;
	Model		model;
	int			jumps;
	int			by_page;

	memset(&model, 0, sizeof(model));
	model.name = campaign->name;
	model.changes = reach.changes;
	model.jumping = campaign->jumping;
	model.clamp_stated = campaign->clamp_stated;
	model.cuts = campaign->cuts;

	for (jumps = campaign->jumping; jumps < 2; jumps++)
		for (by_page = 0; by_page < 2; by_page++)
			for (model.walk.size = campaign->size[0];
				 model.walk.size <= campaign->size[1]; model.walk.size++)
				for (model.walk.ahead = campaign->ahead[0];
					 model.walk.ahead <= campaign->ahead[1];
					 model.walk.ahead++)
					for (model.clamp = campaign->clamp[0];
						 model.clamp <= campaign->clamp[1]; model.clamp++)
					{
						model.walk.jumps = jumps;
						model.walk.by_page = by_page;
						check_totals(campaign, &model, reach.objects);
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
		run_campaign(&campaigns[n]);
		schedules += count.schedules;
		printf("%s: %llu schedules, %llu steps, %llu failures, at most "
			   "+%d +%d +%d +%d requests for 0..3 changes\n",
			   campaigns[n].name,
			   (unsigned long long) count.schedules,
			   (unsigned long long) count.steps,
			   (unsigned long long) count.failures,
			   count.excess[0], count.excess[1], count.excess[2],
			   count.excess[3]);
		fflush(stdout);
	}
	printf("%llu schedules checked\n", (unsigned long long) schedules);
}

/*
 * The pages a walk believes in most easily are those whose rule is needed least
 * often: these two take four and five changes.
 */
static void
test_held_page_after_its_rows_jumped(void **state)
{
	Model		model;

	(void) state;
	memset(&model, 0, sizeof(model));
	model.name = "held page";
	model.walk.size = 3;
	model.walk.ahead = 1;
	model.walk.jumps = true;
	model.jumping = true;
	model.objects = 5;
	model.changes = 4;
	assert_true(model_check(&model, &count));
}

static void
test_page_that_starts_inside_the_first(void **state)
{
	Model		model;

	(void) state;
	memset(&model, 0, sizeof(model));
	model.name = "inside the first page";
	model.walk.size = 4;
	model.walk.ahead = 1;
	model.walk.jumps = true;
	model.jumping = true;
	model.objects = 6;
	model.changes = 5;
	assert_true(model_check(&model, &count));
}

/*
 * A page that was cut short once does not say how long the others are: the head
 * is read until a page is full.
 */
static void
test_head_cut_short(void **state)
{
	Model		model;

	(void) state;
	memset(&model, 0, sizeof(model));
	model.name = "head cut short";
	model.walk.size = 4;
	model.walk.ahead = 1;
	model.walk.jumps = true;
	model.jumping = true;
	model.objects = 5;
	model.changes = 3;
	model.cuts = 2;
	model.may_fail = true;
	model.free_cost = true;
	assert_true(model_check(&model, &count));
}

/*
 * As many changes as a page has rows, and a deletion, can lose one: the promise
 * is as large as it can be, and the model sees it break.
 */
static void
test_promise_is_tight(void **state)
{
	Model		model;

	(void) state;
	memset(&model, 0, sizeof(model));
	model.name = "tight";
	model.walk.ahead = 1;
	model.walk.jumps = true;
	model.jumping = true;
	model.quiet = true;
	for (model.walk.size = 2; model.walk.size <= 4; model.walk.size++)
	{
		model.objects = model.walk.size + 2;
		model.heads = model.walk.size;
		model.changes = model.walk.size + 1;
		assert_false(model_check(&model, &count));
		model.heads = 0;
		assert_true(model_check(&model, &count));
	}
}

/*
 * A server that ignores limit.  The pages asked ahead then overlap by more than
 * a row, so that much of them comes for nothing.
 */
static void
test_limit_ignored(void **state)
{
	Model		model;
	int			n;

	(void) state;
	memset(&model, 0, sizeof(model));
	model.name = "limit ignored";
	model.changes = 3;
	model.free_cost = true;
	for (n = 0; n < 64; n++)
	{
		model.walk.size = 2 + n % 2;
		model.fixed = 3 + n / 2 % 2;
		model.walk.ahead = 1 + n / 4 % 2;
		model.walk.jumps = n / 8 % 2;
		model.jumping = n / 8 % 2 && n / 16 % 2;
		model.may_fail = model.walk.ahead > 1;
		model.total = n / 32 % 2 ? MODEL_MISSING : MODEL_GRAND;
		for (model.objects = 0; model.objects <= 7; model.objects++)
			assert_true(model_check(&model, &count));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_page_after_its_rows_jumped),
		cmocka_unit_test(test_page_that_starts_inside_the_first),
		cmocka_unit_test(test_head_cut_short),
		cmocka_unit_test(test_promise_is_tight),
		cmocka_unit_test(test_limit_ignored),
		cmocka_unit_test(test_every_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
