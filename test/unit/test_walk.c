/*
 * test_walk.c
 *	  What the walk asks and costs, how it ends and fails, and long lists.
 *
 * With WALK_LONG set in the environment there are more random walks; WALK_SEED
 * is another start for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "churn.h"

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

static bool
long_run(void)
{
	return getenv("WALK_LONG") != NULL;
}

/* Objects, and what they cost by row and by page, pages of 100. */
static const struct
{
	int64_t		objects;
	int64_t		by_row;
	int64_t		by_page;
}			costs[] = {
	{0, 1, 1},
	{1, 1, 1},
	{99, 1, 1},
	{100, 2, 2},
	{198, 2, 3},
	{199, 3, 3},
	{500, 6, 6},
	{1000, 11, 12},
	{3000, 31, 34},
	{10000, 102, 114},
};

static WalkSettings
settings(int size, int ahead, bool jumps, bool by_page)
{
	WalkSettings made;

	made.size = size;
	made.ahead = ahead;
	made.jumps = jumps;
	made.by_page = by_page;
	return made;
}

static void
test_costs(void **state)
{
	WalkSettings by_row = settings(100, 1, true, false);
	WalkSettings by_page = settings(100, 1, true, true);
	WalkSettings least = settings(2, 1, true, false);
	int			n;

	(void) state;
	for (n = 0; n < COUNT(costs); n++)
	{
		assert_int_equal(walk_requests(&by_row, costs[n].objects),
						 costs[n].by_row);
		assert_int_equal(walk_requests(&by_page, costs[n].objects),
						 costs[n].by_page);
	}
	assert_int_equal(walk_requests(&least, 10), 10);
	assert_int_equal(walk_requests(&by_row, -1), 1);
}

/* total may be any number. */
static void
test_costs_of_any_total(void **state)
{
	WalkSettings by_row = settings(2, 1, true, false);
	WalkSettings by_page = settings(100, 1, true, true);
	int64_t		before = 0;
	int64_t		objects;

	(void) state;
	assert_true(walk_requests(&by_row, INT64_MAX) == INT64_MAX);
	assert_true(walk_requests(&by_page, INT64_MAX) > INT64_MAX / 100);
	assert_true(walk_requests(&by_page, INT64_MAX) < INT64_MAX / 80);
	for (objects = 99000; objects < 301000; objects += 500)
	{
		int64_t		requests = walk_requests(&by_page, objects);

		assert_true(requests >= before);
		assert_in_range(requests, objects / 100, objects / 80);
		before = requests;
	}
}

/*
 * A walk by hand: what is asked, and an answer to it.
 */
static void
expect_ask(Walk *walk, int64_t row, int limit)
{
	UriPage		page;

	assert_int_equal(walk_ask(walk, &page), WALK_SEND);
	assert_int_equal(page.row, row);
	assert_int_equal(page.limit, limit);
}

static WalkVerdict
answer(Walk *walk, int64_t row, int rows, int known, int64_t total)
{
	WalkPage	page;

	memset(&page, 0, sizeof(page));
	page.row = row;
	page.limit = walk->settings.size;
	page.rows = rows;
	page.known = known;
	page.total = total;
	return walk_judge(walk, &page);
}

static Walk
begin(WalkSettings made)
{
	Walk		walk;

	walk_begin(&walk, &made);
	return walk;
}

/* Whether there is more to ask, as long as that makes any sense. */
static bool
asks(Walk *walk, UriPage *page, int asked)
{
	return asked < 100 && walk_ask(walk, page) == WALK_SEND;
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

static void
test_end(void **state)
{
	Walk		walk = begin(settings(10, 1, true, false));

	(void) state;

	/* an empty list */
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 0, 0, 0), WALK_TAKE);
	expect_stays(&walk, WALK_END);

	/* a full page is not the end, whatever total says */
	walk = begin(settings(10, 1, true, false));
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 10, 0, 10), WALK_TAKE);
	expect_ask(&walk, 9, 10);
	assert_int_equal(answer(&walk, 9, 1, 1, 10), WALK_TAKE);
	expect_stays(&walk, WALK_END);

	/* nor is an empty page that shares nothing */
	walk = begin(settings(10, 1, true, false));
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 10, 0, 10), WALK_TAKE);
	expect_ask(&walk, 9, 10);
	assert_int_equal(answer(&walk, 9, 0, 0, 0), WALK_DROP);
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 9, 9, 9), WALK_TAKE);
	expect_stays(&walk, WALK_END);

	/* nor a short one where more is promised, also by an empty list */
	walk = begin(settings(10, 1, true, false));
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 0, 0, 3), WALK_TAKE);
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 3, 0, 3), WALK_TAKE);
	expect_stays(&walk, WALK_END);
}

static void
test_ahead(void **state)
{
	Walk		walk = begin(settings(10, 3, false, false));
	UriPage		page;

	(void) state;

	/* nothing is known before the first answer */
	expect_ask(&walk, 0, 10);
	expect_stays(&walk, WALK_WAIT);
	assert_int_equal(answer(&walk, 0, 10, 0, 38), WALK_TAKE);
	expect_ask(&walk, 9, 10);
	expect_ask(&walk, 18, 10);
	expect_ask(&walk, 27, 10);
	expect_stays(&walk, WALK_WAIT);
	assert_int_equal(answer(&walk, 9, 10, 1, 38), WALK_TAKE);
	expect_ask(&walk, 36, 10);

	/* and nothing more where total promises nothing more */
	assert_int_equal(answer(&walk, 18, 10, 1, 38), WALK_TAKE);
	expect_stays(&walk, WALK_WAIT);

	/* one at a time after a movement */
	assert_int_equal(answer(&walk, 27, 10, 1, 58), WALK_TAKE);
	expect_stays(&walk, WALK_WAIT);
	assert_int_equal(answer(&walk, 36, 10, 1, 58), WALK_TAKE);
	expect_ask(&walk, 45, 10);
	expect_stays(&walk, WALK_WAIT);
	assert_int_equal(answer(&walk, 45, 10, 1, 58), WALK_TAKE);
	expect_ask(&walk, 54, 10);
	assert_int_equal(walk_ask(&walk, &page), WALK_WAIT);
}

/* What was seen before the end does not stand between it and the head. */
static void
test_head(void **state)
{
	Walk		walk = begin(settings(10, 2, true, false));

	(void) state;
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 10, 0, 28), WALK_TAKE);
	expect_ask(&walk, 9, 10);
	expect_ask(&walk, 18, 10);
	assert_int_equal(answer(&walk, 9, 5, 1, 14), WALK_TAKE);
	assert_int_equal(answer(&walk, 18, 10, 0, 28), WALK_HOLD);
	expect_ask(&walk, 0, 10);
	assert_int_equal(answer(&walk, 0, 10, 9, 14), WALK_TAKE);
	expect_stays(&walk, WALK_END);
}

/* A server that counts pages where rows are asked for has nothing there. */
static void
test_wrong_unit(void **state)
{
	Walk		walk = begin(settings(100, 4, true, false));
	UriPage		page;
	int			asked = 0;

	(void) state;
	while (asks(&walk, &page, asked))
	{
		asked++;
		answer(&walk, page.row, page.row == 0 ? 100 : 0,
			   page.row == 0 && asked > 1 ? 100 : 0, 250);
	}
	assert_in_range(asked, 3, 14);
	expect_stays(&walk, WALK_UNIT);

	/* one that does not know index says the same over and over */
	walk = begin(settings(100, 1, true, false));
	for (asked = 0; asks(&walk, &page, asked); asked++)
		answer(&walk, page.row, 100, asked > 0 ? 100 : 0, 250);
	assert_int_equal(asked, 8);
	expect_stays(&walk, WALK_UNIT);

	/* and one page that links nothing after another is the bound */
	walk = begin(settings(100, 1, true, false));
	for (asked = 0; asks(&walk, &page, asked); asked++)
		answer(&walk, page.row == 0 && asked > 0 ? 1 : page.row, 100, 0, 250);
	assert_int_equal(asked, 14);
	expect_stays(&walk, WALK_UNIT);
}

static void
test_wrong_total(void **state)
{
	Walk		walk = begin(settings(100, 1, true, false));
	UriPage		page;
	int			asked;

	(void) state;
	for (asked = 0; asks(&walk, &page, asked); asked++)
		answer(&walk, page.row, asked == 0 ? 100 : 51,
			   asked == 0 ? 0 : asked == 1 ? 1 : 51, 1000);
	assert_int_equal(asked, 9);
	expect_stays(&walk, WALK_TOTAL);

	/* also of a list of one page: it is not the unit that is wrong */
	walk = begin(settings(100, 1, true, false));
	for (asked = 0; asks(&walk, &page, asked); asked++)
		answer(&walk, page.row, asked == 0 ? 50 : 1, asked > 0, 51);
	assert_int_equal(asked, 8);
	expect_stays(&walk, WALK_TOTAL);
}

/*
 * A list that loses its first row and gets a new last one before each request:
 * the row that links is never where it was, row 0 is read again and again, and
 * each time brings something.
 */
static void
test_sliding_list(void **state)
{
	Walk		walk = begin(settings(100, 1, true, false));
	UriPage		page;
	int			seen = 0;		/* all rows before it are known */
	int			first = 0;
	int			asked;

	(void) state;
	for (asked = 0; asked < 1000 && walk_ask(&walk, &page) == WALK_SEND; asked++)
	{
		int			from = first + (int) page.row;
		int			left = page.row < 300 ? 300 - (int) page.row : 0;
		int			rows = left < 100 ? left : 100;
		int			known = seen > from ? seen - from : 0;

		if (answer(&walk, page.row, rows, known < rows ? known : rows,
				   300) == WALK_TAKE && from + rows > seen)
			seen = from + rows;
		first++;
	}
	assert_in_range(asked, 5, 25);
	expect_stays(&walk, WALK_END);
	assert_in_range(seen, first + 297, first + 300);
}

/*
 * A list that gets a page of new rows at its head before each request: what was
 * the first page is the next one, and so on.
 */
static void
test_growing_list(void **state)
{
	Walk		walk = begin(settings(100, 1, true, false));
	UriPage		page;
	int			asked;

	(void) state;
	for (asked = 0; asked < 1000 && walk_ask(&walk, &page) == WALK_SEND; asked++)
		answer(&walk, page.row, 100, asked > 0, 250 + 100 * asked);
	assert_int_equal(asked, 12 + 100 + 4 * 3);
	expect_stays(&walk, WALK_MOVES);

	/* with one row less every page is the first: that is not the unit's fault */
	walk = begin(settings(100, 1, true, false));
	for (asked = 0; asks(&walk, &page, asked); asked++)
		answer(&walk, page.row, 100, asked > 0 ? 100 : 0, 250 + 99 * asked);
	assert_int_equal(asked, 8);
	expect_stays(&walk, WALK_MOVES);
}

/* A page that was cut short once makes the others no smaller. */
static void
test_short_once(void **state)
{
	Walk		walk = begin(settings(100, 1, false, false));

	(void) state;
	expect_ask(&walk, 0, 100);
	assert_int_equal(answer(&walk, 0, 2, 0, 250), WALK_TAKE);
	expect_ask(&walk, 1, 100);
	assert_int_equal(answer(&walk, 1, 100, 1, 250), WALK_TAKE);
	expect_ask(&walk, 100, 100);
	assert_int_equal(answer(&walk, 100, 100, 1, 250), WALK_TAKE);

	/* and stepping back is by the size that they have */
	expect_ask(&walk, 199, 100);
	assert_int_equal(answer(&walk, 199, 50, 0, 249), WALK_HOLD);
	expect_ask(&walk, 149, 100);
}

static void
test_moves_too_fast(void **state)
{
	Walk		walk = begin(settings(100, 1, true, false));
	UriPage		page;
	int			asked;

	(void) state;

	/* pages that bring nothing, and no total that promises more */
	for (asked = 0; asks(&walk, &page, asked); asked++)
		answer(&walk, page.row, 100, asked < 3 ? asked > 0 : 100, -1);
	assert_int_equal(asked, 10);
	expect_stays(&walk, WALK_MOVES);

	/* pages that link nothing */
	walk = begin(settings(100, 1, true, false));
	for (asked = 0; asks(&walk, &page, asked); asked++)
		answer(&walk, asked < 3 ? page.row : 500, 100,
			   asked < 3 ? asked > 0 : 0, -1);
	assert_int_equal(asked, 12 + 2 * 3);
	expect_stays(&walk, WALK_MOVES);
}

static ChurnResult
churn_run(const Churn *churn)
{
	ChurnResult result;

	assert_true(churn_walk(churn, &result));
	if (result.end != WALK_END || result.lost > 0)
		print_error("seed %llu, %d objects, pages of %d, %d ahead%s%s: "
					"step %d, %d lost, %d requests\n",
					(unsigned long long) churn->seed, churn->objects,
					churn->walk.size, churn->walk.ahead,
					churn->walk.jumps ? ", auto" : "",
					churn->walk.by_page ? ", by page" : "",
					(int) result.end, result.lost, result.asked);
	assert_int_equal(result.end, WALK_END);
	assert_int_equal(result.lost, 0);
	return result;
}

static void
check_still(const Churn *churn, int more)
{
	int64_t		requests = walk_requests(&churn->walk, churn->objects);

	if (requests > 1)
		requests += more;
	assert_int_equal(churn_run(churn).asked, requests);
}

/*
 * Exactly what walk_requests() says; with list_order auto and no grand total
 * one more where there are several pages.
 */
static void
test_still_lists(void **state)
{
	static const int sizes[] = {3, 7, 20, 99, 100};
	static const int lengths[] = {999, 1000, 1001, 2999, 3000, 10000};
	static const int aheads[] = {1, 4, 20, 60};
	Churn		churn;
	int			n;

	(void) state;
	memset(&churn, 0, sizeof(churn));
	churn.seed = 1;
	for (n = 0; n < COUNT(sizes) * COUNT(aheads) * 8; n++)
	{
		int			bits = n / COUNT(sizes) / COUNT(aheads);
		int			more;
		int			m;

		churn.walk = settings(sizes[n % COUNT(sizes)],
							  aheads[n / COUNT(sizes) % COUNT(aheads)],
							  bits & 1, bits & 2);
		churn.grand = bits & 4;
		more = churn.walk.jumps && !churn.grand;

		/* Small pages, counted, reach back to row 0, which is the head. */
		if (churn.walk.by_page && more && churn.walk.size < 20)
			continue;
		for (churn.objects = 0; churn.objects < 420; churn.objects++)
			check_still(&churn, more);
		for (m = 0; m < COUNT(lengths); m++)
		{
			churn.objects = lengths[m];
			check_still(&churn, more);
		}
	}
}

/* A server that gives fewer rows than asked for is soon asked for no more. */
static void
test_clamped_lists(void **state)
{
	Churn		churn;
	int			bits;

	(void) state;
	memset(&churn, 0, sizeof(churn));
	churn.seed = 1;
	churn.grand = true;
	churn.clamp = 20;
	for (bits = 0; bits < 16; bits++)
		for (churn.objects = 0; churn.objects <= 10000;
			 churn.objects += churn.objects < 420 ? 1 : 479)
		{
			WalkSettings clamped;
			int64_t		requests;

			churn.stated = bits & 8;

			churn.walk = settings(100, bits & 1 ? 4 : 1, bits & 2, bits & 4);
			clamped = churn.walk;
			clamped.size = 20;

			/* At the first page the end still shows without another one. */
			requests = walk_requests(&clamped, churn.objects);
			if (churn.objects == 20 && !churn.stated)
				requests--;
			assert_int_equal(churn_run(&churn).asked, requests);
		}
}

/*
 * One insertion or deletion, anywhere and at any time, costs at most one
 * request, and one for the head; with requests under way, those come for
 * nothing too.
 */
static void
test_one_change(void **state)
{
	static const int lengths[] = {1, 99, 100, 198, 199, 500, 1000};
	Churn		churn;
	int			n;

	(void) state;
	memset(&churn, 0, sizeof(churn));
	churn.seed = 1;
	churn.grand = true;
	for (n = 0; n < COUNT(lengths) * 16; n++)
	{
		int			bits = n / COUNT(lengths);
		int			usual;
		int			most;

		churn.walk = settings(100, bits & 1 ? 4 : 1, bits & 2, bits & 4);
		churn.deletes = bits & 8;
		churn.objects = lengths[n % COUNT(lengths)];
		usual = (int) walk_requests(&churn.walk, churn.objects);
		most = 1 + churn.walk.jumps + churn.walk.ahead - 1;
		for (churn.after = 1; churn.after <= usual; churn.after++)
			for (churn.place = 0;
				 churn.place < churn.objects + !churn.deletes;
				 churn.place += churn.objects < 500 ? 1 : 7)
				assert_true(churn_run(&churn).asked <= usual + most);
	}
}

static uint64_t
seed(void)
{
	const char *given = getenv("WALK_SEED");
	uint64_t	start = given != NULL ? strtoull(given, NULL, 10) : 1;

	print_message("WALK_SEED=%llu\n", (unsigned long long) start);
	return start;
}

/*
 * One insertion and one deletion a request, all through 3,000 objects: what it
 * costs on average.
 */
static void
test_churn(void **state)
{
	static const struct
	{
		ChurnOrder	order;
		int			least;
		int			most;
	}			rows[] = {
		{CHURN_NEWEST_FIRST, 0, 0},
		{CHURN_BY_NAME, 2, 6},
		{CHURN_OLDEST_FIRST, 5, 16},
	};
	uint64_t	start = seed();
	int			n;

	(void) state;
	for (n = 0; n < COUNT(rows) * 4; n++)
	{
		int			walks = 200;
		int			excess = 0;
		int			row = n % COUNT(rows);
		int			by_page = n / COUNT(rows) / 2;
		int			k;
		Churn		churn;

		memset(&churn, 0, sizeof(churn));
		churn.walk = settings(100, 1, n / COUNT(rows) % 2, by_page);
		churn.objects = 3000;
		churn.order = rows[row].order;
		churn.rates.created = churn.rates.deleted = 1000;
		churn.grand = true;
		for (k = 0; k < walks; k++)
		{
			ChurnResult result;

			churn.seed = start + (uint64_t) k;
			result = churn_run(&churn);
			excess += result.asked - churn.walk.jumps -
				(int) walk_requests(&churn.walk, result.longest);
		}
		assert_true(excess <= rows[row].most * walks);
		if (!by_page)
			assert_true(excess >= rows[row].least * walks);
	}
}

/* Every promise at random, with as many rows as there are in earnest. */
static void
test_random(void **state)
{
	uint64_t	start = seed();
	int			walks = long_run() ? 200000 : 4000;
	int			n;

	(void) state;
	for (n = 0; n < walks; n++)
	{
		static const int aheads[] = {1, 2, 4, 16};
		static const int rates[] = {0, 50, 300, 1000};
		Churn		churn;

		memset(&churn, 0, sizeof(churn));
		churn.seed = start + (uint64_t) n;
		churn.walk = settings(100, aheads[n % 4], n / 4 % 2, n / 8 % 2);
		churn.objects = (int) (churn.seed * 7919 % 3001);
		churn.order = (ChurnOrder) (n / 16 % 3);
		churn.rates.created = rates[n / 48 % 4];
		churn.rates.deleted = rates[n / 192 % 4];
		churn.grand = n % 5 > 0;
		if (churn.walk.jumps && n % 3 == 0)
		{
			churn.order = CHURN_NEWEST_FIRST;
			churn.rates.changed = rates[n / 64 % 4];
			churn.heads = churn.walk.size - 1;
		}
		churn_run(&churn);
	}
	print_message("%d random walks\n", walks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_costs),
		cmocka_unit_test(test_costs_of_any_total),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_wrong_unit),
		cmocka_unit_test(test_wrong_total),
		cmocka_unit_test(test_sliding_list),
		cmocka_unit_test(test_growing_list),
		cmocka_unit_test(test_short_once),
		cmocka_unit_test(test_moves_too_fast),
		cmocka_unit_test(test_still_lists),
		cmocka_unit_test(test_clamped_lists),
		cmocka_unit_test(test_one_change),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
