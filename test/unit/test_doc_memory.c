/*
 * test_doc_memory.c
 *	  What doc.c does where there is no memory, and what it gives back.
 */
#include <jansson.h>

#include "alloc.h"
#include "bodies.h"

/* A body, and how it is written again. */
typedef struct Body
{
	const char *body;
	const char *text;
} Body;

/*
 * Parses and writes.
 */
static void
read_and_write(void *argument)
{
	const Body *body = argument;
	Failure		failure;
	char	   *written = NULL;
	size_t		length;
	bool		failed;
	Doc		   *doc;

	failure_clear(&failure);
	doc = doc_parse(body->body, strlen(body->body), &failure);
	if (doc != NULL)
		written = doc_text(doc_root(doc).node, &length);
	failed = alloc_stop();

	if (written != NULL)
		assert_string_equal(written, body->text);
	else
		assert_true(failed);
	free(written);
	if (doc == NULL)
	{
		assert_int_equal(failure.kind, FAILURE_MEMORY);
		assert_string_equal(failure.message, "");
		assert_string_equal(failure.excerpt, "");
	}
	else
	{
		/* what could not be written can be, from the same */
		written = doc_text(doc_root(doc).node, &length);
		assert_string_equal(written, body->text);
		free(written);
	}
	doc_free(doc);
}

static void
expect_no_harm(const char *body, const char *text, long least)
{
	Body		both = {NULL, NULL};

	both.body = body;
	both.text = text;

	assert_true(alloc_each(read_and_write, &both) >= least);
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

/*
 * What is wrong with a body is said, or that there is no memory; nothing else.
 */
static void
refuse_body(void *argument)
{
	const char *body = argument;
	Failure		failure;
	bool		failed;

	failure_clear(&failure);
	assert_null(doc_parse(body, strlen(body), &failure));
	failed = alloc_stop();
	assert_int_equal(failure.kind, failed ? FAILURE_MEMORY : FAILURE_UNREADABLE);
	assert_true(failed == (failure.message[0] == '\0'));
}

static void
test_no_memory_for_refusal(void **state)
{
	char	   *body = example_page(100);

	(void) state;
	/* instead of "fail_message":null}]} */
	memcpy(body + strlen(body) - 17, "\":\"\\ud800\"    }]}", 17);
	assert_true(alloc_each(refuse_body, body) >= 10);
	free(body);
}

static void
find_fault(void *argument)
{
	const char *body = argument;
	Failure		failure;
	bool		found;

	failure_clear(&failure);
	found = doc_fault(body, strlen(body), &failure);
	assert_true(alloc_stop() != found);
	assert_string_equal(failure.code, found ? "200" : "");
	assert_string_equal(failure.words, found ? "no" : "");
	assert_string_equal(failure.excerpt, found ? "" : body);
}

static void
test_no_memory_for_fault(void **state)
{
	char		body[] = "{\"code\":\"200\",\"message\":\"no\"}";

	(void) state;
	assert_true(alloc_each(find_fault, body) > 0);
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
	long		n;

	(void) state;
	json_set_alloc_funcs(alloc_malloc, alloc_free);
	doc_free(parse("[1]"));
	assert_null(doc_parse("[", 1, &failure));
	for (n = 0; n < 2; n++)
	{
		alloc_fail(n, n);
		assert_null(doc_parse("[1]", 3, &failure));
		assert_true(alloc_stop());
	}
	json_get_alloc_funcs(&malloc_fn, &free_fn);
	assert_true(malloc_fn == alloc_malloc);
	assert_true(free_fn == alloc_free);
	json_set_alloc_funcs(malloc, free);
}

/*
 * The last of those who share a body ends it.
 */
static void
test_share(void **state)
{
	long		before = alloc_live();
	Doc		   *doc;

	(void) state;
	doc = parse("[\"x\"]");
	assert_ptr_equal(doc_share(doc), doc);
	doc_free(doc);
	assert_true(alloc_live() > before);
	assert_int_equal(doc_root(doc).kind, DOC_ARRAY);
	doc_free(doc);
	assert_int_equal(alloc_live(), before);
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
		cmocka_unit_test(test_no_memory_for_refusal),
		cmocka_unit_test(test_no_memory_for_fault),
		cmocka_unit_test(test_functions_put_back),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_free_nothing)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
