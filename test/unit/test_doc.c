/*
 * test_doc.c
 *	  Bodies as JSON: what is read and written.
 */
#include <float.h>
#include <locale.h>
#include <math.h>

#include "bodies.h"

/* Parses and writes again. */
static void
expect_text_bytes(const char *body, size_t length, const char *expected)
{
	Failure		failure;
	Doc		   *doc = doc_parse(body, length, &failure);
	size_t		written;
	char	   *text;

	if (doc == NULL)
		fail_msg("\"%s\": %s", body, failure.message);
	text = doc_text(doc_root(doc).node, &written);

	assert_non_null(text);
	assert_string_equal(text, expected);
	assert_int_equal(written, strlen(expected));
	free(text);
	doc_free(doc);
}

static void
expect_text(const char *body, const char *expected)
{
	expect_text_bytes(body, strlen(body), expected);
}

/* ---- parsing ---- */

static const char *const accepted[][2] = {
	{"null", "null"},
	{" true\r\n\t", "true"},
	{"false", "false"},
	{"0", "0"},
	{"-0", "0"},
	{"9223372036854775807", "9223372036854775807"},
	{"-9223372036854775808", "-9223372036854775808"},
	{"\"\"", "\"\""},
	{"[]", "[]"},
	{"{}", "{}"},
	{"[1, 2 ,[3],{\"a\" : null}]", "[1,2,[3],{\"a\":null}]"},
	{"{\"b\":1,\"a\":2,\"\":3}", "{\"b\":1,\"a\":2,\"\":3}"},
	{"\xEF\xBB\xBF{\"a\":1}", "{\"a\":1}"},
	{"\xEF\xBB\xBF [1]", "[1]"},
	/* of equal keys the last counts */
	{"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
	{"{\"a\":1,\"\\u0061\":{}}", "{\"a\":{}}"},
	/* strings */
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
	{"\"\\u0001\\u000b\\u001F\\u007f\"", "\"\\u0001\\u000b\\u001f\x7F\""},
	{"\"\\u0000\"", "\"\\u0000\""},
	{"\"a\\u0000b\"", "\"a\\u0000b\""},
	{"\"\\ud55c\\uae00\"", "\"\xED\x95\x9C\xEA\xB8\x80\""},
	{"\"\\uD83D\\uDC36\"", "\"\xF0\x9F\x90\xB6\""},
	{"\"\xF0\x9F\x90\xB6\"", "\"\xF0\x9F\x90\xB6\""},
	{"\"\\uFFFF\"", "\"\xEF\xBF\xBF\""},
	{"{\"\xED\x95\x9C \\\"\\n\":1}", "{\"\xED\x95\x9C \\\"\\n\":1}"},
	/* reals keep a fraction or exponent, and are as short as can be */
	{"1.0", "1.0"},
	{"-0.0", "-0.0"},
	{"100.00", "1e+02"},
	{"1E2", "1e+02"},
	{"1e-7", "1e-07"},
	{"1.5", "1.5"},
	{"-12.25", "-12.25"},
	{"0.9054", "0.9054"},
	{"0.1", "0.1"},
	{"0.30000000000000004", "0.30000000000000004"},
	{"0.1000000000000000055511151231257827", "0.1"},
	{"123456789.0", "123456789.0"},
	{"9007199254740993.0", "9007199254740992.0"},
	{"1.7976931348623157e308", "1.7976931348623157e+308"},
	{"5e-324", "5e-324"},
	{"1e-400", "0.0"}
};

static void
test_accepted(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(accepted); i++)
		expect_text(accepted[i][0], accepted[i][1]);
}

static void
expect_depth(int depth, const char *open, const char *inner,
			 const char *close, bool fits)
{
	char	   *body = nested(depth, open, inner, close);
	Failure		failure;
	Doc		   *doc;
	size_t		length;

	failure_clear(&failure);
	doc = doc_parse(body, strlen(body), &failure);
	if (fits)
	{
		char	   *text;

		assert_non_null(doc);
		text = doc_text(doc_root(doc).node, &length);

		assert_string_equal(text, body);
		free(text);
		doc_free(doc);
	}
	else
	{
		assert_null(doc);
		assert_int_equal(failure.kind, FAILURE_UNREADABLE);
		assert_non_null(strstr(failure.message, "too deep nesting"));
	}
	free(body);
}

static void
test_depth(void **state)
{
	(void) state;
	expect_depth(2048, "[", "", "]", true);
	expect_depth(2049, "[", "", "]", false);
	expect_depth(2047, "{\"a\":", "1", "}", true);
	expect_depth(2048, "{\"a\":", "1", "}", false);
	expect_depth(100000, "[", "", "]", false);
	expect_depth(100000, "{\"a\":", "1", "}", false);
}

/* ---- values ---- */

static void
test_values(void **state)
{
	Doc		   *doc = parse("{\"null\":null,\"true\":true,\"false\":false,"
							"\"integer\":-5,\"real\":0.5,"
							"\"string\":\"a\\u0000b\",\"object\":{\"x\":1},"
							"\"array\":[1]}");
	const DocNode *root = doc_root(doc).node;
	DocValue	value;

	(void) state;
	value = doc_get(root, "null");
	assert_int_equal(value.kind, DOC_NULL);
	assert_non_null(value.node);
	value = doc_get(root, "true");
	assert_int_equal(value.kind, DOC_BOOL);
	assert_true(value.boolean);
	value = doc_get(root, "false");
	assert_int_equal(value.kind, DOC_BOOL);
	assert_false(value.boolean);
	value = doc_get(root, "integer");
	assert_int_equal(value.kind, DOC_INTEGER);
	assert_int_equal(value.integer, -5);
	value = doc_get(root, "real");
	assert_int_equal(value.kind, DOC_REAL);
	assert_true(value.real == 0.5);
	value = doc_get(root, "string");
	assert_int_equal(value.kind, DOC_STRING);
	assert_int_equal(value.length, 3);
	assert_memory_equal(value.text, "a\0b", 4);
	value = doc_get(root, "array");
	assert_int_equal(value.kind, DOC_ARRAY);
	value = doc_get(root, "object");
	assert_int_equal(value.kind, DOC_OBJECT);
	value = doc_get(value.node, "x");
	assert_int_equal(value.kind, DOC_INTEGER);
	assert_int_equal(value.integer, 1);

	value = doc_get(root, "absent");
	assert_int_equal(value.kind, DOC_ABSENT);
	assert_null(value.node);
	value = doc_get(root, "TRUE");
	assert_int_equal(value.kind, DOC_ABSENT);
	value = doc_get(doc_get(root, "array").node, "x");
	assert_int_equal(value.kind, DOC_ABSENT);
	value = doc_get(doc_get(root, "string").node, "x");
	assert_int_equal(value.kind, DOC_ABSENT);
	value = doc_get(NULL, "x");
	assert_int_equal(value.kind, DOC_ABSENT);
	doc_free(doc);
}

static void
test_last_key_counts(void **state)
{
	Doc		   *doc = parse("{\"a\":\"first\",\"b\":0,\"a\":\"last\"}");

	(void) state;
	assert_string_equal(doc_get(doc_root(doc).node, "a").text, "last");
	doc_free(doc);
}

static void
test_root(void **state)
{
	Doc		   *doc = parse("{\"task_id\":\"a\"}");

	(void) state;
	assert_int_equal(doc_root(doc).kind, DOC_OBJECT);
	assert_string_equal(doc_get(doc_root(doc).node, "task_id").text, "a");
	doc_free(doc);
	doc = parse("null");
	assert_int_equal(doc_root(doc).kind, DOC_NULL);
	doc_free(doc);
}

/* ---- pages ---- */

static void
test_page(void **state)
{
	Doc		   *doc = parse("{\"index\":20,\"limit\":\"0100\",\"total\":172,"
							"\"runs\":[{\"run_id\":\"a\"},null,7]}");
	Failure		failure;
	DocPage		page;

	(void) state;
	failure_clear(&failure);
	assert_true(doc_page(doc, "runs", &page, &failure));
	assert_int_equal(failure.kind, FAILURE_NONE);
	assert_int_equal(page.rows, 3);
	assert_int_equal(page.index, 20);
	assert_int_equal(page.limit, 100);
	assert_int_equal(page.total, 172);
	assert_string_equal(doc_get(doc_element(&page, 0).node, "run_id").text,
						"a");
	assert_int_equal(doc_element(&page, 1).kind, DOC_NULL);
	assert_int_equal(doc_element(&page, 2).kind, DOC_INTEGER);
	assert_int_equal(doc_element(&page, 3).kind, DOC_ABSENT);
	assert_int_equal(doc_element(&page, -1).kind, DOC_ABSENT);
	doc_free(doc);
}

/* What total may look like, and how it counts. */
static const struct
{
	const char *json;
	int64_t		number;
}			stated_as[] = {
	{"0", 0},
	{"172", 172},
	{"\"172\"", 172},
	{"\"0\"", 0},
	{"9223372036854775807", INT64_MAX},
	{"\"9223372036854775807\"", INT64_MAX},
	{"-1", -1},
	{"-172", -1},
	{"\"-1\"", -1},
	{"\"9223372036854775808\"", -1},
	{"\"99999999999999999999\"", -1},
	{"\"\"", -1},
	{"\" 1\"", -1},
	{"\"1 \"", -1},
	{"\"1.0\"", -1},
	{"\"1:\"", -1},
	{"\"1/\"", -1},
	{"\"1\\u0000\"", -1},
	{"1.0", -1},
	{"null", -1},
	{"true", -1},
	{"[1]", -1},
	{"{}", -1}
};

static void
test_page_numbers(void **state)
{
	static const char *const keys[] = {"index", "limit", "total"};
	size_t		i;
	size_t		k;

	(void) state;
	for (i = 0; i < COUNT(stated_as); i++)
	{
		for (k = 0; k < COUNT(keys); k++)
		{
			char		body[200];
			Failure		failure;
			DocPage		page;
			Doc		   *doc;

			snprintf(body, sizeof(body), "{\"%s\":%s,\"tasks\":[]}", keys[k],
					 stated_as[i].json);
			doc = parse(body);
			assert_true(doc_page(doc, "tasks", &page, &failure));
			assert_int_equal(page.rows, 0);
			assert_true(page.index == (k == 0 ? stated_as[i].number : -1));
			assert_true(page.limit == (k == 1 ? stated_as[i].number : -1));
			assert_true(page.total == (k == 2 ? stated_as[i].number : -1));
			doc_free(doc);
		}
	}
}

static const char *const shapes[][2] = {
	{"[]", "the body is an array instead of an object"},
	{"null", "the body is null instead of an object"},
	{"true", "the body is a boolean instead of an object"},
	{"1", "the body is a number instead of an object"},
	{"1.5", "the body is a number instead of an object"},
	{"\"tasks\"", "the body is a string instead of an object"},
	{"{}", "no \"tasks\" in the object"},
	{"{\"index\":0,\"runs\":[]}",
	"no \"tasks\" in the object; its keys are \"index\", \"runs\""},
	{"{\"tasks\":null}", "\"tasks\" is null instead of an array"},
	{"{\"tasks\":false}", "\"tasks\" is a boolean instead of an array"},
	{"{\"tasks\":0}", "\"tasks\" is a number instead of an array"},
	{"{\"tasks\":\"x\"}", "\"tasks\" is a string instead of an array"},
	{"{\"tasks\":{}}", "\"tasks\" is an object instead of an array"}
};

static void
test_page_shape(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(shapes); i++)
	{
		Doc		   *doc = parse(shapes[i][0]);
		Failure		failure;
		DocPage		page;

		failure_clear(&failure);
		assert_false(doc_page(doc, "tasks", &page, &failure));
		assert_int_equal(failure.kind, FAILURE_SHAPE);
		assert_string_equal(failure.message, shapes[i][1]);
		doc_free(doc);
	}
}

static void
test_page_long_key(void **state)
{
	Doc		   *doc = parse("{\"a\":1,\""
							REPEAT_10(REPEAT_10("\xED\x95\x9C"))
							"\":2,\"b\":{}}");
	Failure		failure;
	DocPage		page;
	size_t		length;

	(void) state;
	failure_clear(&failure);
	assert_false(doc_page(doc, "tasks", &page, &failure));
	length = strlen(failure.message);
	assert_in_range(length, sizeof(failure.message) - 4,
					sizeof(failure.message) - 1);
	/* ends with a whole character */
	assert_memory_equal(failure.message + length - 3, "\xED\x95\x9C", 3);
	doc_free(doc);
}

static void
test_example_page(void **state)
{
	char	   *body = example_page(100);
	Doc		   *doc = parse(body);
	DocPage		page;
	Failure		failure;
	char	   *text;
	size_t		length;

	(void) state;
	assert_true(doc_page(doc, "tasks", &page, &failure));
	assert_int_equal(page.rows, 100);
	assert_string_equal(doc_get(doc_element(&page, 99).node, "task_id").text,
						"7db18fb6-55ca-4774-94f5-1e8736757299");
	text = doc_text(doc_root(doc).node, &length);

	assert_string_equal(text, body);
	free(text);
	doc_free(doc);
	free(body);
}

/* ---- writing ---- */

static void
test_text_nul(void **state)
{
	Doc		   *doc = parse("[\"\\u0000\",\"\\u0000a\\u0000\"]");
	size_t		length;
	char	   *text = doc_text(doc_root(doc).node, &length);

	(void) state;
	assert_string_equal(text, "[\"\\u0000\",\"\\u0000a\\u0000\"]");
	assert_int_equal(length, strlen(text));
	free(text);
	doc_free(doc);
}

static void
test_text_of_part(void **state)
{
	Doc		   *doc = parse("{\"a\":{\"b\":[1,\"x\"]},\"c\":null}");
	size_t		length;
	char	   *text = doc_text(doc_get(doc_root(doc).node, "a").node, &length);

	(void) state;
	assert_string_equal(text, "{\"b\":[1,\"x\"]}");
	free(text);
	text = doc_text(doc_get(doc_root(doc).node, "c").node, &length);

	assert_string_equal(text, "null");
	free(text);
	doc_free(doc);
}

/*
 * Digits of a real's text, leading and trailing zeros apart.
 */
static int
digits_of(const char *text)
{
	char		digits[64];
	int			n = 0;

	for (; *text !='\0' && *text !='e'; text ++)
	{
		if (*text >='0' && *text <='9' && (n > 0 || *text !='0'))
			digits[n++] = *text;
	}
	while (n > 0 && digits[n - 1] == '0')
		n--;
	return n;
}

static void
expect_shortest(double real)
{
	char		body[64];
	size_t		length;
	int			digits;
	Doc		   *doc;
	char	   *text;

	snprintf(body, sizeof(body), "%.16e", real);
	doc = parse(body);
	text = doc_text(doc_root(doc).node, &length);

	assert_non_null(text);
	if (strtod(text, NULL) != real)
		fail_msg("%a is written as %s", real, text);
	assert_non_null(strpbrk(text, ".e"));
	digits = digits_of(text);
	if (digits > 1)
	{
		char		shorter[64];

		snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, real);
		if (strtod(shorter, NULL) == real)
			fail_msg("%a is written as %s", real, text);
	}
	free(text);
	doc_free(doc);
}

static void
test_shortest_reals(void **state)
{
	static const double reals[] = {
		DBL_MAX, DBL_MIN, DBL_EPSILON, 1.0 / 3, 2.0 / 3, 0.1, 123456.789,
		1e15, 1e16, 1e17, 1e21, 1e22, 1e23, 4503599627370496.5,
		9007199254740991.0, 5.684341886080802e-14
	};
	int			round;
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(reals); i++)
	{
		expect_shortest(reals[i]);
		expect_shortest(-reals[i]);
	}
	seed();
	for (round = 0; round < 5000; round++)
	{
		uint64_t	bits = 0;
		double		real;

		for (i = 0; i < 8; i++)
			bits = bits << 8 | (uint64_t) (rand() >> 4 & 0xFF);
		memcpy(&real, &bits, sizeof(real));
		if (isfinite(real))
			expect_shortest(real);
		expect_shortest((double) (rand() % 100000) / 10000);
	}
}

/*
 * A decimal comma must neither be expected nor written.
 */
static void
test_other_locale(void **state)
{
	static const char *const names[] = {
		"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE"
	};
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(names); i++)
	{
		if (setlocale(LC_NUMERIC, names[i]) != NULL)
			break;
	}
	if (i == COUNT(names))
	{
		print_message("no locale with a decimal comma is installed\n");
		skip();
	}
	expect_text("[1.5,1.0,1e+300]", "[1.5,1.0,1e+300]");
	setlocale(LC_NUMERIC, "C");
}

static void
test_version(void **state)
{
	(void) state;
	assert_true(doc_version()[0] >= '2' && doc_version()[0] <= '9');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_last_key_counts),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_page_numbers),
		cmocka_unit_test(test_page_shape),
		cmocka_unit_test(test_page_long_key),
		cmocka_unit_test(test_example_page),
		cmocka_unit_test(test_text_nul),
		cmocka_unit_test(test_text_of_part),
		cmocka_unit_test(test_shortest_reals),
		cmocka_unit_test(test_other_locale),
		cmocka_unit_test(test_version)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
