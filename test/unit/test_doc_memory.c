/*
 * test_doc_memory.c
 *	  What doc.c does where there is no memory, and what it gives back.
 *
 * doc.c is compiled into this program a second time, under other names, so
 * that its allocations can be counted and made to fail.
 */
#define doc_parse counted_doc_parse
#define doc_free counted_doc_free
#define doc_share counted_doc_share
#define doc_root counted_doc_root
#define doc_page counted_doc_page
#define doc_element counted_doc_element
#define doc_get counted_doc_get
#define doc_find counted_doc_find
#define doc_fault counted_doc_fault
#define doc_text counted_doc_text
#define doc_value counted_doc_value
#define doc_version counted_doc_version

#include <limits.h>
#include <stdbool.h>

#include <jansson.h>

#include "bodies.h"
#undef COUNT

static long allocations;		/* since the count was last set to 0 */
static long outstanding;		/* blocks not freed */
static long fail_first = -1;	/* the first that fails; -1: none */
static long fail_last = -1;		/* and the last */

static bool
allocation_fails(void)
{
	long		n = allocations++;

	return fail_first >= 0 && fail_first <= n && n <= fail_last;
}

static void *
counted_malloc(size_t size)
{
	void	   *memory;

	if (allocation_fails())
		return NULL;
	memory = malloc(size);
	outstanding += memory != NULL;
	return memory;
}

static void *
counted_realloc(void *memory, size_t size)
{
	void	   *larger;

	if (allocation_fails())
		return NULL;
	larger = realloc(memory, size);
	outstanding += memory == NULL && larger != NULL;
	return larger;
}

static void
counted_free(void *memory)
{
	outstanding -= memory != NULL;
	free(memory);
}

#define malloc counted_malloc
#define realloc counted_realloc
#define free counted_free

#include "../../src/core/doc.c"
#include "../../src/core/doc_text.c"

#undef malloc
#undef realloc
#undef free

/*
 * Parses and writes with some allocations failing.  Returns whether none of
 * them was needed.
 */
static bool
survives(const char *body, const char *expected, long first, long last)
{
	Failure		failure;
	char	   *text = NULL;
	size_t		length;
	bool		whole;
	Doc		   *doc;

	failure_clear(&failure);
	allocations = 0;
	outstanding = 0;
	fail_first = first;
	fail_last = last;
	doc = doc_parse(body, strlen(body), &failure);
	if (doc != NULL)
		text = doc_text(doc_root(doc).node, &length);

	fail_first = -1;

	whole = text !=NULL;

	if (whole)
		assert_string_equal(text, expected);
	if (doc == NULL)
	{
		assert_int_equal(failure.kind, FAILURE_MEMORY);
		assert_string_equal(failure.message, "");
		assert_string_equal(failure.excerpt, "");
	}
	counted_free(text);
	doc_free(doc);
	assert_int_equal(outstanding, 0);
	return whole;
}

/*
 * Each allocation fails in turn, alone and with all that follow.
 */
static void
expect_no_harm(const char *body, const char *expected, long least)
{
	long		n;

	for (n = 0; !survives(body, expected, n, n); n++)
		assert_true(n < 1000);
	assert_true(n >= least);
	for (n = 0; !survives(body, expected, n, LONG_MAX); n++)
		assert_true(n < 1000);
}

static void
test_no_memory(void **state)
{
	char	   *body = example_page(100);

	(void) state;
	expect_no_harm("[]", "[]", 3);
	expect_no_harm(body, body, 10);
	free(body);

	/*
	 * Tokens longer than a block: where its token buffer cannot grow, jansson
	 * by itself would lose bytes of the string and abort over the number.
	 */
	body = nested(100000, "x", "", "");
	memcpy(body, "[\"", 2);
	memcpy(body + 99998, "\"]", 2);
	expect_no_harm(body, body, 6);
	memset(body, '0', 100000);
	memcpy(body, "[1.", 3);
	body[99999] = ']';
	expect_no_harm(body, "[1.0]", 5);
	free(body);
}

static void
test_no_memory_for_fault(void **state)
{
	static const char body[] = "{\"code\":\"200\",\"message\":\"no\"}";
	long		n;

	(void) state;
	for (n = 0;; n++)
	{
		Failure		failure;
		bool		found;

		failure_clear(&failure);
		allocations = 0;
		outstanding = 0;
		fail_first = fail_last = n;
		found = doc_fault(body, sizeof(body) - 1, &failure);
		fail_first = -1;
		assert_int_equal(outstanding, 0);
		assert_string_equal(failure.code, found ? "200" : "");
		assert_string_equal(failure.excerpt, found ? "" : body);
		if (found)
			break;
	}
	assert_true(n > 0);
}

/*
 * The process may use jansson elsewhere, with functions of its own.
 */
static void
test_functions_put_back(void **state)
{
	json_malloc_t malloc_fn;
	json_free_t free_fn;
	Failure		failure;

	(void) state;
	json_set_alloc_funcs(counted_malloc, counted_free);
	doc_free(parse("[1]"));
	assert_null(doc_parse("[", 1, &failure));
	allocations = 0;
	fail_first = fail_last = 0;
	assert_null(doc_parse("[1]", 3, &failure));
	allocations = 0;
	fail_first = fail_last = 1;
	assert_null(doc_parse("[1]", 3, &failure));
	fail_first = -1;
	json_get_alloc_funcs(&malloc_fn, &free_fn);
	assert_true(malloc_fn == counted_malloc);
	assert_true(free_fn == counted_free);
	json_set_alloc_funcs(malloc, free);
}

/*
 * The last of those who share a body ends it.
 */
static void
test_share(void **state)
{
	Doc		   *doc;

	(void) state;
	outstanding = 0;
	doc = parse("[\"x\"]");
	assert_ptr_equal(doc_share(doc), doc);
	doc_free(doc);
	assert_true(outstanding > 0);
	assert_int_equal(doc_root(doc).kind, DOC_ARRAY);
	doc_free(doc);
	assert_int_equal(outstanding, 0);
}

static void
test_free_nothing(void **state)
{
	(void) state;
	doc_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_no_memory_for_fault),
		cmocka_unit_test(test_functions_put_back),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_free_nothing)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
