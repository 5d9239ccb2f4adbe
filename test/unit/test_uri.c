/*
 * test_uri.c
 *	  What is asked, byte for byte, and which page covers a row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

/* Ranges, and the pages that cover them, by row and by page. */
static const struct
{
	int64_t		row;
	int64_t		rows;
	int			size;
	int			by_row;			/* limit */
	int64_t		index;
	int			limit;
}			ranges[] = {
	{0, 1, 100, 1, 0, 1},
	{0, 99, 100, 99, 0, 99},
	{0, 100, 100, 100, 0, 100},
	/* more than one page */
	{0, 101, 100, 100, 0, 100},
	{0, INT64_MAX, 100, 100, 0, 100},
	{99, 101, 100, 100, 1, 99},
	/* no page of 10 rows begins with row 5,005 */
	{5000, 10, 100, 10, 500, 10},
	{5005, 10, 100, 10, 455, 11},
	/* the least that holds rows 47..51 is 45..53 */
	{47, 5, 10, 5, 5, 9},
	/* none holds rows 45..54: 45..53 reaches furthest */
	{45, 10, 10, 10, 5, 9},
	/* all pages of up to 6 that hold row 59 end with it */
	{59, 2, 100, 2, 8, 7},
	{59, 2, 6, 2, 1, 59},
	{1, 2, 2, 2, 0, 100},
};

static void
test_range(void **state)
{
	int			n;

	(void) state;
	for (n = 0; n < COUNT(ranges); n++)
	{
		UriPage		page;

		page = uri_cover_range(ranges[n].row, ranges[n].rows, ranges[n].size,
							   false);
		assert_int_equal(page.row, ranges[n].row);
		assert_int_equal(page.index, ranges[n].row);
		assert_int_equal(page.limit, ranges[n].by_row);

		page = uri_cover_range(ranges[n].row, ranges[n].rows, ranges[n].size,
							   true);
		assert_int_equal(page.index, ranges[n].index);
		assert_int_equal(page.limit, ranges[n].limit);
		assert_int_equal(page.row, page.index * page.limit);
	}
}

/*
 * The least limit, tried one by one, or what uri_cover() says.
 */
static void
check_range(int64_t row, int rows, int size)
{
	UriPage		page = uri_cover_range(row, rows, size, true);
	int			limit = 1;

	while (limit <= size && row / limit * limit + limit < row + rows)
		limit++;
	if (rows >= size || limit > size)
		limit = uri_cover(row, size, true).limit;
	assert_int_equal(page.limit, limit);
	assert_int_equal(page.index, row / limit);
	assert_int_equal(page.row, row / limit * limit);

	page = uri_cover_range(row, rows, size, false);
	assert_int_equal(page.row, row);
	assert_int_equal(page.index, row);
	assert_int_equal(page.limit, rows < size ? rows : size);
}

static void
test_range_all(void **state)
{
	int			size;
	int			rows;
	int			row;

	(void) state;
	for (size = 2; size <= 13; size++)
		for (rows = 1; rows <= size + 2; rows++)
			for (row = 0; row < 500; row++)
				check_range(row, rows, size);
	for (rows = 1; rows <= 102; rows++)
		for (row = 0; row < 500; row++)
			check_range(row, rows, URI_LIMIT_MAX);
}

static void
test_range_far_away(void **state)
{
	UriPage		page;

	(void) state;
	assert_true(uri_cover_range(INT64_MAX, 5, 10, false).row == INT64_MAX);
	page = uri_cover_range(INT64_MAX - 5, 6, 10, true);
	assert_in_range(page.limit, 6, 100);
	assert_true(page.index == (INT64_MAX - 5) / page.limit);
	assert_true(page.row == page.index * page.limit);
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

/* What can be in a path between slashes, and what means something else there. */
static const struct
{
	const char *id;
	int			length;
	bool		segment;
}			segments[] = {
	{"", 0, false},
	{".", 1, false},
	{"..", 2, false},
	{"...", 3, true},
	{".a", 2, true},
	{"a.", 2, true},
	{"..a", 3, true},
	{"a", 1, true},
	{" ", 1, true},
	{"%2F", 3, true},
	{"?", 1, true},
	{"\\", 1, true},
	{"\xEA\xB0\x80", 3, true},
	{"/", 1, false},
	{"/a", 2, false},
	{"a/b", 3, false},
	{"a/", 2, false},
	{"./.", 3, false},
	{"\0", 1, false},
	{"a\0b", 3, false},
	{"ab\0", 3, false},
	/* the length decides, not what follows */
	{"a/b", 1, true},
	{"..a", 2, false},
	{".a", 1, false},
	{"a\0", 1, true},
};

static void
test_segment(void **state)
{
	int			n;

	(void) state;
	for (n = 0; n < COUNT(segments); n++)
		assert_int_equal(uri_is_segment(segments[n].id,
										(size_t) segments[n].length),
						 segments[n].segment);
}

/* Every byte, and whether it stands for itself (RFC 3986, 2.3). */
static void
test_object_bytes(void **state)
{
	int			byte;

	(void) state;
	for (byte = 0; byte < 256; byte++)
	{
		bool		plain = (byte >= '0' && byte <= '9') ||
		(byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
		byte == '-' || byte == '.' || byte == '_' || byte == '~';
		char		id = (char) byte;
		char		target[40];
		char		expected[40];

		assert_true(uri_object(target, sizeof(target), "/api/v1", "/tasks",
							   &id, 1));
		snprintf(expected, sizeof(expected), plain ? "/api/v1/tasks/%c" :
				 "/api/v1/tasks/%%%02X", (unsigned) byte);
		assert_string_equal(target, expected);
	}
}

static const struct
{
	const char *base;
	const char *path;
	const char *id;
	const char *target;
}			objects[] = {

	{"/api/v1", "/tasks", "b0c5d5a0-3f5e-4c66-9d53-0f7f5e0f8b11",
	"/api/v1/tasks/b0c5d5a0-3f5e-4c66-9d53-0f7f5e0f8b11"},
	{"", "/features", "12345", "/features/12345"},
	{"/api/v1", "/profile/shopping-intents", "a b+c&d=e?f#g",
	"/api/v1/profile/shopping-intents/a%20b%2Bc%26d%3De%3Ff%23g"},
	{"/api/v1", "/tasks", "50%25", "/api/v1/tasks/50%2525"},
	{"/api/v1", "/tasks", "\xEA\xB0\x80", "/api/v1/tasks/%EA%B0%80"},
	/* what it is made of is nothing to printf */
	{"/api/v1", "/tasks", "%s%n", "/api/v1/tasks/%25s%25n"},
};

static void
test_object(void **state)
{
	char		target[200];
	int			n;

	(void) state;
	for (n = 0; n < COUNT(objects); n++)
	{
		assert_true(uri_object(target, sizeof(target), objects[n].base,
							   objects[n].path, objects[n].id,
							   strlen(objects[n].id)));
		assert_string_equal(target, objects[n].target);
	}

	/* the length decides where an id ends */
	assert_true(uri_object(target, sizeof(target), "/api/v1", "/tasks",
						   "abc", 2));
	assert_string_equal(target, "/api/v1/tasks/ab");
}

/*
 * An id that is cut short would be another one.  Room for three bytes for each
 * of its bytes is enough, and nothing is written where there is none.
 */
static void
test_object_no_room(void **state)
{
	static const char *const ids[] = {"abcd", "a cd", "   ", "abc/"};
	int			n;

	(void) state;
	for (n = 0; n < COUNT(ids); n++)
	{
		size_t		length = strlen(ids[n]);
		char		whole[60];
		size_t		size;

		assert_true(uri_object(whole, sizeof(whole), "/api/v1", "/tasks",
							   ids[n], length));
		for (size = 0; size < 50; size++)
		{
			char		target[51];
			bool		fits;

			memset(target, '#', sizeof(target));
			fits = uri_object(target, size, "/api/v1", "/tasks",
							  ids[n], length);
			assert_int_equal(target[size], '#');
			if (size > 0)
				assert_string_equal(target, fits ? whole : "");
			if (size <= strlen(whole))
				assert_false(fits);
			if (size > strlen("/api/v1/tasks/") + 3 * length)
				assert_true(fits);
		}
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
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_range_all),
		cmocka_unit_test(test_range_far_away),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_segment),
		cmocka_unit_test(test_object_bytes),
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_object_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
