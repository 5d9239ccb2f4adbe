/*
 * test_uri.c
 *	  What is asked, byte for byte, and which page covers a row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "uri.h"

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

static void
test_counting_rows(void **state)
{
	int64_t		row;

	(void) state;
	for (row = 0; row < 1000; row++)
	{
		UriPage		page = uri_cover(row, 100, false);

		assert_int_equal(page.row, row);
		assert_int_equal(page.index, row);
		assert_int_equal(page.limit, 100);
	}
	assert_int_equal(uri_cover(INT64_MAX, 2, false).row, INT64_MAX);
}

static const struct
{
	int64_t		row;
	int			size;
	int64_t		index;
	int			limit;
}			pages[] = {

	/* the first page is as long as it may be */
	{0, 100, 0, 100},
	{0, 2, 0, 2},
	{0, 10, 0, 10},
	/* its last row: 99..197 */
	{99, 100, 1, 99},
	/* of 3..5 and 4..5 the longer one reaches as far */
	{4, 3, 1, 3},
	{5, 4, 1, 4},
	/* every page of 1 or 2 that holds row 1 ends with it */
	{1, 2, 0, 100},
	{3, 2, 0, 100},
	{5, 3, 0, 100},
	{11, 4, 0, 100},
	{99, 2, 1, 99},
	/* row 4 is the first of a page of 2 and one of 4 */
	{4, 2, 2, 2},
	{4, 4, 1, 4},
};

static void
test_counting_pages(void **state)
{
	int			n;

	(void) state;
	for (n = 0; n < COUNT(pages); n++)
	{
		UriPage		page = uri_cover(pages[n].row, pages[n].size, true);

		assert_int_equal(page.index, pages[n].index);
		assert_int_equal(page.limit, pages[n].limit);
		assert_int_equal(page.row, page.index * page.limit);
	}
}

/*
 * Of the limits up to largest, the one that reaches furthest, tried one by one.
 */
static int
slow_cover(int64_t row, int largest, int64_t *last)
{
	int			found = 0;
	int			limit;

	*last = -1;
	for (limit = 1; limit <= largest; limit++)
	{
		int64_t		end = row / limit * limit + limit - 1;

		if (end >= *last)
		{
			*last = end;
			found = limit;
		}
	}
	return found;
}

static void
test_counting_pages_all(void **state)
{
	int			size;
	int64_t		row;

	(void) state;
	for (size = 2; size <= URI_LIMIT_MAX; size++)
		for (row = 0; row < 3000; row++)
		{
			UriPage		page = uri_cover(row, size, true);
			int64_t		last;
			int			limit = slow_cover(row, size, &last);

			if (last == row)
				limit = slow_cover(row, URI_LIMIT_MAX, &last);
			assert_int_equal(page.limit, limit);
			assert_int_equal(page.row, row / limit * limit);
			assert_int_equal(page.index, row / limit);
			assert_true(page.row + page.limit - 1 > row);
		}
}

static void
test_counting_pages_far_away(void **state)
{
	UriPage		page = uri_cover(INT64_MAX, 100, true);

	(void) state;
	assert_in_range(page.limit, 1, 100);
	assert_true(page.index == INT64_MAX / page.limit);
	assert_true(page.row <= INT64_MAX);
	assert_true(INT64_MAX - page.row < page.limit);
}

static UriPage
page_of(int64_t index, int limit)
{
	UriPage		page;

	page.row = 0;
	page.index = index;
	page.limit = limit;
	return page;
}

static const struct
{
	const char *base;
	const char *path;
	int64_t		index;
	int			limit;
	const char *target;
}			targets[] = {
	{"/api/v1", "/tasks", 0, 20, "/api/v1/tasks?index=0&limit=20"},
	{"/api/v1", "/tasks", 0, 100, "/api/v1/tasks?index=0&limit=100"},
	{"", "/task-runs", 99, 1, "/task-runs?index=99&limit=1"},
	{"/api/v1", "/profile/shopping-intents", INT64_MAX, 100,
	"/api/v1/profile/shopping-intents?index=9223372036854775807&limit=100"},
};

static void
test_list(void **state)
{
	char		target[200];
	int			n;

	(void) state;
	for (n = 0; n < COUNT(targets); n++)
	{
		UriPage		page = page_of(targets[n].index, targets[n].limit);

		assert_true(uri_list(target, sizeof(target), targets[n].base,
							 targets[n].path, &page));
		assert_string_equal(target, targets[n].target);
	}
}

static void
test_template(void **state)
{
	char		target[200];

	(void) state;
	assert_true(uri_template(target, sizeof(target), "/api/v1", "/tasks", 100));
	assert_string_equal(target, "/api/v1/tasks?index={index}&limit=100");
}

/* A target that is cut short would ask for something else. */
static void
test_no_room(void **state)
{
	const char *whole = "/api/v1/tasks?index=0&limit=20";
	const char *named = "/api/v1/tasks?index={index}&limit=20";
	UriPage		page = page_of(0, 20);
	size_t		size;

	(void) state;
	for (size = 0; size < 50; size++)
	{
		char		target[50];

		memset(target, '#', sizeof(target));
		assert_int_equal(uri_list(target, size, "/api/v1", "/tasks", &page),
						 size > strlen(whole));
		assert_string_equal(size == 0 ? "" : target,
							size > strlen(whole) ? whole : "");
		if (size < sizeof(target))
			assert_int_equal(target[size], '#');

		memset(target, '#', sizeof(target));
		assert_int_equal(uri_template(target, size, "/api/v1", "/tasks", 20),
						 size > strlen(named));
		assert_string_equal(size == 0 ? "" : target,
							size > strlen(named) ? named : "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counting_rows),
		cmocka_unit_test(test_counting_pages),
		cmocka_unit_test(test_counting_pages_all),
		cmocka_unit_test(test_counting_pages_far_away),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
