/*
 * test_walk_range.c
 *	  What a range asks and costs, and what it promises in every schedule of a
 *	  few changes.
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
	{"two changes", ANY, {2, 5}, 1, 0, 0, {8, 2}, {9, 2}},
	{"three changes", GRAND, {2, 5}, 1, 0, 0, {7, 3}, {8, 3}},
	{"four changes", GRAND, {2, 4}, 1, 0, 0, {5, 4}, {7, 4}},
	{"no grand total", ANY & ~GRAND, {2, 4}, 1, 0, 0, {5, 3}, {7, 4}},
	{"pages held", GRAND, {2, 4}, 4, 0, 0, {6, 3}, {7, 4}},
	{"clamped", GRAND, {4, 5}, 1, 2, 0, {6, 2}, {7, 3}},
	{"cut short", GRAND, {2, 4}, 1, 0, 1, {6, 2}, {7, 3}},
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

static Walk
begin(int ahead, bool by_page, int size, int64_t first, int64_t want)
{
	WalkSettings settings;
	Walk		walk;

	settings.size = size;
	settings.ahead = ahead;
	settings.jumps = true;
	settings.by_page = by_page;
	walk_begin_range(&walk, &settings, first, want);
	return walk;
}

static void
expect_ask(Walk *walk, int64_t row, int limit)
{
	UriPage		page;

	assert_int_equal(walk_ask(walk, &page), WALK_SEND);
	assert_int_equal(page.row, row);
	assert_int_equal(page.limit, limit);
}

/* A failure and the end stay. */
static void
expect_stays(Walk *walk, WalkStep step)
{
	UriPage		page;
	int			n;

	for (n = 0; n < 3; n++)
		assert_int_equal(walk_ask(walk, &page), step);
}

/* A page of a list of 1,000 objects, full unless it is the last one. */
static WalkPage
page_at(int64_t row, int limit, int lead, int known)
{
	WalkPage	page;
	int64_t		left = row < 1000 ? 1000 - row : 0;

	page.row = row;
	page.limit = limit;
	page.rows = left < limit ? (int) left : limit;
	page.known = known;
	page.lead = lead;
	page.total = 1000;
	return page;
}

static WalkVerdict
answer(Walk *walk, int64_t row, int limit, int lead, int known)
{
	WalkPage	page = page_at(row, limit, lead, known);

	return walk_judge(walk, &page);
}

static WalkVerdict
answer_again(Walk *walk, int64_t row, int limit, int lead, int known)
{
	WalkPage	page = page_at(row, limit, lead, known);

	return walk_again(walk, &page);
}

/* Rows, and how many requests they cost where there are 1,000 in the list. */
static const struct
{
	int64_t		first;
	int64_t		want;
	int			requests;
	int			last_limit;
}			still_ranges[] = {
	{0, 1, 1, 1},
	{0, 5, 1, 5},
	{0, 100, 1, 100},
	{0, 101, 2, 2},
	{0, 199, 2, 100},
	{0, 200, 3, 2},
	{0, 500, 6, 5},
	{500, 10, 1, 10},
	{500, 199, 2, 100},
	{900, 100, 1, 100},
	{801, 199, 2, 100},
	{995, 10, 1, 10},
	{995, INT64_MAX, 1, 100},
	/* the end shows on a short page only */
	{900, 101, 2, 2},
	{801, 200, 3, 2},
	{900, INT64_MAX, 2, 100},
	{0, INT64_MAX, 11, 100},
	/* and behind it on an empty one */
	{1000, 10, 1, 10},
	{2000, 10, 1, 10},
	{2000, INT64_MAX, 1, 100},
	{INT32_MAX, INT64_MAX, 1, 100},
};

static void
test_costs(void **state)
{
	int			n;

	(void) state;
	for (n = 0; n < COUNT(still_ranges); n++)
	{
		Walk		walk = begin(1, false, 100, still_ranges[n].first,
								 still_ranges[n].want);
		UriPage		page;
		int			limit = 0;
		int			asked = 0;

		while (asked < 100 && walk_ask(&walk, &page) == WALK_SEND)
		{
			limit = page.limit;
			assert_int_equal(answer(&walk, page.row, limit, 0, asked > 0),
							 WALK_TAKE);
			asked++;
		}
		assert_int_equal(asked, still_ranges[n].requests);
		assert_int_equal(limit, still_ranges[n].last_limit);
		expect_stays(&walk, WALK_END);
	}
}

/*
 * Nothing is asked ahead, and the head is not read again, whatever moves.  What
 * insertions have pushed off the last page is asked for once more.
 */
static void
test_insertions(void **state)
{
	Walk		walk = begin(4, false, 10, 50, 22);

	(void) state;
	expect_ask(&walk, 50, 10);
	expect_stays(&walk, WALK_WAIT);
	assert_int_equal(answer(&walk, 50, 10, 0, 0), WALK_TAKE);
	expect_ask(&walk, 59, 10);
	expect_stays(&walk, WALK_WAIT);
	assert_int_equal(answer(&walk, 59, 10, 0, 3), WALK_TAKE);
	expect_ask(&walk, 68, 6);
	assert_int_equal(answer(&walk, 68, 6, 0, 2), WALK_TAKE);
	expect_ask(&walk, 73, 2);
	assert_int_equal(answer(&walk, 73, 2, 0, 1), WALK_TAKE);
	expect_stays(&walk, WALK_END);
}

/*
 * A page that goes back is as long as it can be, and what it shows from before
 * the range is none of its rows, nor of those of the page that was held.
 */
static void
test_going_back(void **state)
{
	Walk		walk = begin(1, false, 10, 50, 22);

	(void) state;
	expect_ask(&walk, 50, 10);
	assert_int_equal(answer(&walk, 50, 10, 0, 0), WALK_TAKE);
	expect_ask(&walk, 59, 10);
	assert_int_equal(answer(&walk, 59, 10, 10, 0), WALK_HOLD);
	expect_ask(&walk, 54, 10);
	assert_int_equal(answer(&walk, 54, 10, 10, 0), WALK_HOLD);
	expect_ask(&walk, 49, 10);

	/* three before the range, two of it that are known, and five new ones */
	assert_int_equal(answer(&walk, 49, 10, 3, 2), WALK_TAKE);

	/* one before, five known, four new ones: 19 in all */
	assert_int_equal(answer_again(&walk, 54, 10, 1, 5), WALK_TAKE);
	assert_int_equal(answer_again(&walk, 59, 10, 10, 0), WALK_HOLD);

	/* row 58 was the last one, and then four more */
	expect_ask(&walk, 62, 4);
	assert_int_equal(answer(&walk, 62, 4, 0, 1), WALK_TAKE);
	expect_stays(&walk, WALK_END);

	/*
	 * the last page, which was asked for no more than was lacking, did not
	 * link
	 */
	walk = begin(1, false, 10, 50, 12);
	expect_ask(&walk, 50, 10);
	assert_int_equal(answer(&walk, 50, 10, 0, 0), WALK_TAKE);
	expect_ask(&walk, 59, 3);
	assert_int_equal(answer(&walk, 59, 3, 3, 0), WALK_HOLD);
	expect_ask(&walk, 54, 10);
	assert_int_equal(answer(&walk, 54, 10, 0, 5), WALK_TAKE);
	expect_stays(&walk, WALK_END);
}

/*
 * Near the head going back is the same as anywhere, so that the page reaches the
 * gap; but row 0 links no more than any other.
 */
static void
test_near_the_head(void **state)
{
	Walk		walk = begin(1, false, 10, 3, 30);

	(void) state;
	expect_ask(&walk, 3, 10);
	assert_int_equal(answer(&walk, 3, 10, 0, 0), WALK_TAKE);
	expect_ask(&walk, 12, 10);
	assert_int_equal(answer(&walk, 12, 10, 10, 0), WALK_HOLD);
	expect_ask(&walk, 7, 10);
	assert_int_equal(answer(&walk, 7, 10, 10, 0), WALK_HOLD);
	expect_ask(&walk, 2, 10);
	assert_int_equal(answer(&walk, 2, 10, 10, 0), WALK_HOLD);
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 10, 10, 0), WALK_DROP);
	expect_stays(&walk, WALK_MOVES);

	/* also where the range begins with the list */
	walk = begin(1, false, 10, 0, 30);
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 10, 0, 0), WALK_TAKE);
	expect_ask(&walk, 9, 10);
	assert_int_equal(answer(&walk, 9, 10, 10, 0), WALK_HOLD);
	expect_ask(&walk, 4, 10);
	assert_int_equal(answer(&walk, 4, 10, 10, 0), WALK_HOLD);
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 10, 10, 0), WALK_DROP);
	expect_stays(&walk, WALK_MOVES);
}

/*
 * Counting pages, a page begins where it can; what it shows before the range's
 * first row, or behind its last, does no harm.
 */
static void
test_by_page(void **state)
{
	Walk		walk = begin(1, true, 10, 47, 5);

	(void) state;
	expect_ask(&walk, 45, 9);
	assert_int_equal(answer(&walk, 45, 9, 2, 0), WALK_TAKE);
	expect_stays(&walk, WALK_END);

	/* one row more than a page has, and the one to link by */
	walk = begin(1, true, 10, 45, 10);
	expect_ask(&walk, 45, 9);
	assert_int_equal(answer(&walk, 45, 9, 0, 0), WALK_TAKE);
	expect_ask(&walk, 52, 4);
	assert_int_equal(answer(&walk, 52, 4, 0, 2), WALK_TAKE);
	expect_stays(&walk, WALK_END);

	/* rows before the range are not what it lacks */
	walk = begin(1, true, 10, 46, 11);
	expect_ask(&walk, 45, 9);
	assert_int_equal(answer(&walk, 45, 9, 1, 0), WALK_TAKE);
	expect_ask(&walk, 50, 10);
	assert_int_equal(answer(&walk, 50, 10, 0, 4), WALK_TAKE);
	expect_stays(&walk, WALK_END);

	/* the list ends before the range begins */
	walk = begin(1, true, 10, 1003, 5);
	expect_ask(&walk, 1002, 6);
	assert_int_equal(answer(&walk, 1002, 6, 0, 0), WALK_TAKE);
	expect_stays(&walk, WALK_END);
}

/*
 * A server that counts pages has nothing at row 200, though total says that it
 * should; that is not the list's moving.
 */
static void
test_wrong_unit(void **state)
{
	static const int firsts[] = {11, 200, 500, 900};
	int			n;

	(void) state;
	for (n = 0; n < COUNT(firsts); n++)
	{
		Walk		walk = begin(1, false, 100, firsts[n], 10);
		UriPage		page;
		int			asked = 0;

		while (asked < 100 && walk_ask(&walk, &page) == WALK_SEND)
		{
			WalkPage	seen = page_at(page.row, page.limit, 0, 0);

			if (page.row > 0)
				seen.rows = 0;
			seen.lead = asked == 0 ? 0 : seen.rows;
			walk_judge(&walk, &seen);
			asked++;
		}
		assert_in_range(asked, 3, 12);
		expect_stays(&walk, WALK_UNIT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_costs),
		cmocka_unit_test(test_insertions),
		cmocka_unit_test(test_going_back),
		cmocka_unit_test(test_near_the_head),
		cmocka_unit_test(test_by_page),
		cmocka_unit_test(test_wrong_unit),
		cmocka_unit_test(test_every_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
