/*
 * test_doc.c
 *	  Bodies as JSON: what is read, refused, found and written.
 *
 * doc.c is compiled into this program a second time, under other names, so
 * that its allocations can be counted and made to fail.
 */
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include <cmocka.h>

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

#define doc_parse counted_doc_parse
#define doc_free counted_doc_free
#define doc_share counted_doc_share
#define doc_page counted_doc_page
#define doc_element counted_doc_element
#define doc_get counted_doc_get
#define doc_fault counted_doc_fault
#define doc_text counted_doc_text
#define doc_version counted_doc_version
#define malloc counted_malloc
#define realloc counted_realloc
#define free counted_free

#include "../../src/core/doc.c"

#undef malloc
#undef realloc
#undef free

#define REPEAT_10(x) x x x x x x x x x x

static unsigned int
seeded(void)
{
	unsigned int seed = (unsigned int) time(NULL);

	if (getenv("SEED") != NULL)
		seed = (unsigned int) strtoul(getenv("SEED"), NULL, 10);
	print_message("SEED=%u\n", seed);
	srand(seed);
	return seed;
}

static Doc *
parse(const char *body)
{
	Failure		failure;
	Doc		   *doc;

	failure_clear(&failure);
	doc = doc_parse(body, strlen(body), &failure);
	if (doc == NULL)
		fail_msg("\"%s\": %s", body, failure.message);
	return doc;
}

static const DocNode *
root_of(const Doc *doc)
{
	return (const DocNode *) doc->root;
}

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
	text = doc_text(root_of(doc), &written);
	assert_non_null(text);
	assert_string_equal(text, expected);
	assert_int_equal(written, strlen(expected));
	counted_free(text);
	doc_free(doc);
}

static void
expect_text(const char *body, const char *expected)
{
	expect_text_bytes(body, strlen(body), expected);
}

static char *
nested(int depth, const char *open, const char *inner, const char *close)
{
	char	   *body = malloc((size_t) depth *
							  (strlen(open) + strlen(close)) +
							  strlen(inner) + 1);
	int			i;

	assert_non_null(body);
	body[0] = '\0';
	for (i = 0; i < depth; i++)
		memcpy(body + (size_t) i * strlen(open), open, strlen(open) + 1);
	strcat(body, inner);
	for (i = 0; i < depth; i++)
		memcpy(body + (size_t) depth * strlen(open) + strlen(inner) +
			   (size_t) i * strlen(close), close, strlen(close) + 1);
	return body;
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

/* Bodies, and what the message has to say. */
static const struct
{
	const char *body;
	size_t		length;
	const char *message;
}			refused[] = {
#define REFUSED(body, message) {body, sizeof(body) - 1, message}
	REFUSED("", "the body is empty"),
	REFUSED("\xEF\xBB\xBF", "the body is empty"),
	REFUSED(" ", "end of file"),
	REFUSED("{", "line 1, column 1"),
	REFUSED("{\"tasks\":[{\"task_id\":\"a\"},", "end of file"),
	REFUSED("[1,]", "']'"),
	REFUSED("[1 2]", "']' expected near '2'"),
	REFUSED("{\"a\":1,}", "'}'"),
	REFUSED("{\"a\" 1}", "':'"),
	REFUSED("{a:1}", "near 'a'"),
	REFUSED("{1:1}", "near '1'"),
	REFUSED("['a']", "near '''"),
	REFUSED("[\n\n  nul]", "near 'nul' (line 3, column 5)"),
	REFUSED("[NaN]", "NaN"),
	REFUSED("[Infinity]", "Infinity"),
	REFUSED("[TRUE]", "TRUE"),
	REFUSED("[01]", "column 2"),
	REFUSED("[+1]", "near '+'"),
	REFUSED("[.5]", "near '.'"),
	REFUSED("[1.]", "column 3"),
	REFUSED("[1e]", "column 3"),
	REFUSED("[-]", "column 2"),
	REFUSED("[0x10]", "near 'x'"),
	REFUSED("[1] x", "end of file expected"),
	REFUSED("[1][2]", "end of file expected"),
	REFUSED("/**/[1]", "near '/'"),
	REFUSED("<html><body>Bad Gateway</body></html>", "near '<'"),
	/* beyond what a column can hold */
	REFUSED("9223372036854775808", "too big integer"),
	REFUSED("-9223372036854775809", "too big negative integer"),
	REFUSED("[1e309]", "real number overflow"),
	REFUSED("[-1e309]", "real number overflow"),
	/* strings */
	REFUSED("\"abc", "end of input"),
	REFUSED("\"a\nb\"", "newline"),
	REFUSED("\"a\tb\"", "control character 0x9"),
	REFUSED("\"\\x\"", "invalid escape"),
	REFUSED("\"\\u12g4\"", "invalid escape"),
	REFUSED("\"\\ud83d\"", "invalid Unicode '\\uD83D'"),
	REFUSED("\"\\ud83dx\"", "invalid Unicode"),
	REFUSED("\"\\ud83d\\ud83d\"", "invalid Unicode"),
	REFUSED("\"\\udc36\"", "invalid Unicode '\\uDC36'"),
	REFUSED("{\"a\\u0000b\":1}", "NUL byte in object key"),
	/* broken UTF-8: alone, cut short, overlong, surrogate, too large */
	REFUSED("\"\x80\"", "0x80"),
	REFUSED("\"\xFF\"", "0xff"),
	REFUSED("\"\xED\x95\"", "unable to decode"),
	REFUSED("\"\xED\x95", "unable to decode"),
	REFUSED("\"\xC0\xAF\"", "unable to decode"),
	REFUSED("\"\xE0\x80\xAF\"", "unable to decode"),
	REFUSED("\"\xED\xA0\x80\"", "unable to decode"),
	REFUSED("\"\xF4\x90\x80\x80\"", "unable to decode"),
	REFUSED("{\"\xC3\":1}", "unable to decode"),
	REFUSED("\xFF\xFE[\0", "NUL at byte 4"),
	REFUSED("\xFE\xFF", "unable to decode"),
	/* NUL, everywhere */
	REFUSED("\0", "NUL at byte 1"),
	REFUSED("[1]\0", "NUL at byte 4"),
	REFUSED("1\0", "NUL at byte 2"),
	REFUSED("true\0", "NUL at byte 5"),
	REFUSED("[1\0]", "NUL at byte 3"),
	REFUSED("\"a\0b\"", "NUL at byte 3")
#undef REFUSED
};

static void
test_refused(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(refused); i++)
	{
		Failure		failure;
		char	   *body = malloc(refused[i].length + 1);

		assert_non_null(body);
		memcpy(body, refused[i].body, refused[i].length);
		failure_clear(&failure);
		assert_null(doc_parse(body, refused[i].length, &failure));
		free(body);
		assert_int_equal(failure.kind, FAILURE_NOT_JSON);
		if (strstr(failure.message, refused[i].message) == NULL)
			fail_msg("\"%s\": the message does not say \"%s\": %s",
					 refused[i].body, refused[i].message, failure.message);
	}
}

static void
test_refused_touches_nothing_else(void **state)
{
	Failure		failure;
	Failure		before;

	(void) state;
	memset(&failure, 0x5A, sizeof(failure));
	before = failure;
	assert_null(doc_parse("[1}", 3, &failure));
	assert_string_equal(failure.excerpt, "[1}");
	failure.kind = before.kind;
	memcpy(failure.message, before.message, sizeof(failure.message));
	memcpy(failure.excerpt, before.excerpt, sizeof(failure.excerpt));
	assert_memory_equal(&failure, &before, sizeof(failure));
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
		text = doc_text(root_of(doc), &length);
		assert_string_equal(text, body);
		counted_free(text);
		doc_free(doc);
	}
	else
	{
		assert_null(doc);
		assert_int_equal(failure.kind, FAILURE_NOT_JSON);
		assert_non_null(strstr(failure.message, "depth"));
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
	const DocNode *root = root_of(doc);
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
	assert_string_equal(doc_get(root_of(doc), "a").text, "last");
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

/* ---- errors in bodies ---- */

static const struct
{
	const char *body;
	const char *code;
	const char *message;
}			faults[] = {
	/* the gateway's, as third parties have seen them */
	{"{\"error\":{\"errorCode\":\"200\",\"message\":\"Authentication Failed\","
		"\"details\":\"Invalid authentication information.\"}}",
	"200", "Authentication Failed: Invalid authentication information."},
	{"{\"error\":{\"errorCode\":200,\"message\":\"Authentication Failed\"}}",
	"200", "Authentication Failed"},
	{"{\"errorCode\":\"420\",\"message\":\"Rate Limited\"}",
	"420", "Rate Limited"},
	{"{\"errorCode\":420,\"message\":\"Rate Limited\",\"details\":null}",
	"420", "Rate Limited"},
	{"{\"responseError\":{\"returnCode\":\"800\",\"returnMessage\":\"No\"}}",
	"800", "No"},
	{"{\"responseError\":{\"returnCode\":800,\"returnMessage\":\"No\"}}",
	"800", "No"},
	{"{\"returnCode\":\"800\",\"returnMessage\":\"No\"}", "800", "No"},
	{"{\"code\":10100,\"msg\":\"ACCESS_DENIED\"}", "10100", "ACCESS_DENIED"},
	{"{\"code\":\"10100\",\"message\":\"ACCESS_DENIED\"}",
	"10100", "ACCESS_DENIED"},
	{"{\"error\":{\"code\":\"x\",\"msg\":\"y\"}}", "x", "y"},
	{"\xEF\xBB\xBF{\"code\":1}", "1", ""},

	/* half of it, or more than one */
	{"{\"errorCode\":\"410\"}", "410", ""},
	{"{\"message\":\"only words\"}", "", "only words"},
	{"{\"error\":{\"errorCode\":\"410\"},\"message\":\"outside\"}",
	"410", "outside"},
	{"{\"code\":1,\"message\":\"outside\","
	"\"error\":{\"errorCode\":2,\"message\":\"inside\"}}", "2", "inside"},
	{"{\"errorCode\":\"\",\"code\":\"7\",\"message\":\"\",\"msg\":\"m\"}",
	"7", "m"},
	{"{\"errorCode\":null,\"message\":null,\"code\":[],\"msg\":{}}", "", ""},
	{"{\"message\":\"same\",\"details\":\"same\"}", "", "same"},
	{"{\"errorCode\":\"1\",\"details\":\"only details\"}",
	"1", "only details"},

	/* "error" as a string */
	{"{\"error\":\"invalid_token\"}", "", "invalid_token"},
	{"{\"status\":404,\"error\":\"Not Found\",\"path\":\"/x\"}",
	"", "Not Found"},
	{"{\"error\":\"Not Found\",\"message\":\"no such task\"}",
	"", "no such task"},
	{"{\"error\":\"Not Found\",\"code\":404}", "404", "Not Found"},

	/* foreign bytes */
	{"{\"message\":\"\\uc778\\uc99d \xEC\x8B\xA4\xED\x8C\xA8\"}",
	"", "\xEC\x9D\xB8\xEC\xA6\x9D \xEC\x8B\xA4\xED\x8C\xA8"},
	{"{\"message\":\"before\\u0000after\",\"code\":\"4\\u0000\"}",
	"4", "before"},
	{"{\"code\":-9223372036854775808}", "-9223372036854775808", ""},
	{"{\"code\":\"012345678901234567890123456789\"}",
	"01234567890123456789012", ""},

	/* nothing to find */
	{"{}", "", ""},
	{"[]", "", ""},
	{"[{\"code\":1}]", "", ""},
	{"\"error\"", "", ""},
	{"null", "", ""},
	{"{\"error\":null}", "", ""},
	{"{\"error\":true,\"responseError\":7}", "", ""},
	{"{\"error\":{\"error\":{\"code\":1}}}", "", ""},
	{"{\"code\":1.5}", "", ""},
	{"{\"code\":true}", "", ""},
	{"", "", ""},
	{"<error><code>200</code></error>", "", ""},
	{"{\"code\":1", "", ""}
};

static void
test_fault(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(faults); i++)
	{
		const char *body = faults[i].body;
		bool		found = faults[i].code[0] != '\0' ||
			faults[i].message[0] != '\0';
		Failure		failure;

		failure_clear(&failure);
		if (doc_fault(body, strlen(body), &failure) != found)
			fail_msg("\"%s\": found is wrong", body);
		assert_string_equal(failure.code, faults[i].code);
		assert_string_equal(failure.message, faults[i].message);
		assert_int_equal(failure.kind, FAILURE_NONE);
		if (found)
			assert_string_equal(failure.excerpt, "");
		else
			assert_string_equal(failure.excerpt, body);
	}
}

static void
test_fault_long_message(void **state)
{
	static const char part[] = REPEAT_10(REPEAT_10("\xED\x95\x9C"));
	char		body[1000];
	Failure		failure;

	(void) state;
	failure_clear(&failure);
	snprintf(body, sizeof(body), "{\"message\":\"%s\",\"details\":\"%s\"}",
			 part, part);
	assert_true(doc_fault(body, strlen(body), &failure));
	/* 85 whole characters are the most that 255 bytes hold */
	assert_int_equal(strlen(failure.message), 255);
	assert_memory_equal(failure.message, part, 255);

	/* a short message leaves room for some of its details */
	failure_clear(&failure);
	snprintf(body, sizeof(body), "{\"message\":\"ab\",\"details\":\"%s\"}",
			 part);
	assert_true(doc_fault(body, strlen(body), &failure));
	assert_memory_equal(failure.message, "ab: \xED\x95\x9C", 7);
	assert_int_equal(strlen(failure.message), 4 + 83 * 3);
}

static const struct
{
	const char *body;
	size_t		length;
	const char *excerpt;
}			excerpts[] = {
#define EXCERPT(body, excerpt) {body, sizeof(body) - 1, excerpt}
	EXCERPT("", ""),
	EXCERPT(" \r\n\t", ""),
	EXCERPT("<html>\r\n\r\n  <head>\t</head>\n", "<html> <head> </head>"),
	EXCERPT("\xEF\xBB\xBF <x/>", "<x/>"),
	EXCERPT("a\x01\x1B[31mb\x7F", "a [31mb"),
	EXCERPT("a\0b", "a b"),
	EXCERPT("\xFF\xFE<\0", "\xFF\xFE<"),
	EXCERPT(REPEAT_10("0123456789abcdef") "end",
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	"0123456789abcdef0123456789abcde"),
	EXCERPT(REPEAT_10("0123456789abcde") "      12345678",
	"0123456789abcde0123456789abcde0123456789abcde0123456789abcde"
	"0123456789abcde0123456789abcde0123456789abcde0123456789abcde"
	"0123456789abcde0123456789abcde 12345678"),
	/* a character is not cut in two */
	EXCERPT(REPEAT_10("0123456789abcde") "1234567\xED\x95\x9Cxyz",
	"0123456789abcde0123456789abcde0123456789abcde0123456789abcde"
	"0123456789abcde0123456789abcde0123456789abcde0123456789abcde"
	"0123456789abcde0123456789abcde1234567"),
	EXCERPT(REPEAT_10("0123456789abcde") "123456\xED\x95\x9Cxyz",
	"0123456789abcde0123456789abcde0123456789abcde0123456789abcde"
	"0123456789abcde0123456789abcde0123456789abcde0123456789abcde"
	"0123456789abcde0123456789abcde123456\xED\x95\x9C")
#undef EXCERPT
};

static void
test_excerpt(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(excerpts); i++)
	{
		Failure		failure;

		failure_clear(&failure);
		assert_false(doc_fault(excerpts[i].body, excerpts[i].length,
							   &failure));
		assert_string_equal(failure.excerpt, excerpts[i].excerpt);
	}
}

/* ---- writing ---- */

static void
test_text_nul(void **state)
{
	Doc		   *doc = parse("[\"\\u0000\",\"\\u0000a\\u0000\"]");
	size_t		length;
	char	   *text = doc_text(root_of(doc), &length);

	(void) state;
	assert_string_equal(text, "[\"\\u0000\",\"\\u0000a\\u0000\"]");
	assert_int_equal(length, strlen(text));
	counted_free(text);
	doc_free(doc);
}

static void
test_text_of_part(void **state)
{
	Doc		   *doc = parse("{\"a\":{\"b\":[1,\"x\"]},\"c\":null}");
	size_t		length;
	char	   *text = doc_text(doc_get(root_of(doc), "a").node, &length);

	(void) state;
	assert_string_equal(text, "{\"b\":[1,\"x\"]}");
	counted_free(text);
	text = doc_text(doc_get(root_of(doc), "c").node, &length);
	assert_string_equal(text, "null");
	counted_free(text);
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

	for (; *text != '\0' && *text != 'e'; text++)
	{
		if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0'))
			digits[n++] = *text;
	}
	while (n > 0 && digits[n - 1] == '0')
		n--;
	return n;
}

static void
expect_shortest(double real)
{
	Text		text;
	char		shorter[64];
	int			digits;

	memset(&text, 0, sizeof(text));
	append_real(&text, real);
	append(&text, "", 1);
	assert_false(text.failed);
	if (strtod(text.bytes, NULL) != real)
		fail_msg("%a is written as %s", real, text.bytes);
	assert_true(strpbrk(text.bytes, ".e") != NULL);
	digits = digits_of(text.bytes);
	if (digits > 1)
	{
		snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, real);
		if (strtod(shorter, NULL) == real)
			fail_msg("%a is written as %s", real, text.bytes);
	}
	counted_free(text.bytes);
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
	(void) seeded();
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

/* ---- memory ---- */

/* A page of the API's documented example, with enough to need many blocks. */
static char *
example_page(int objects)
{
	static const char object[] =
		"{\"task_id\":\"7db18fb6-55ca-4774-94f5-1e87367572%02d\","
		"\"task_name\":\"Prediction model for pet food purchase interest\","
		"\"status\":\"completed\",\"created_at\":\"2024-11-11T11:01:30\","
		"\"completed_at\":\"2024-11-11T11:06:44\","
		"\"train_feature_id\":\"79eb85b5-8ec5-4e1a-8617-64a1977c8062\","
		"\"train_feature_name\":\"Shopping behavior sequence - 2024\","
		"\"train_bucket\":\"your.bucket.name\","
		"\"train_file_path\":\"task_dataset/pet_food.tsv\","
		"\"test_feature_id\":null,\"test_feature_name\":null,"
		"\"test_bucket\":null,\"test_file_path\":null,\"AUROC\":0.9054,"
		"\"line_count\":1209478,\"disk_usage\":72582684,"
		"\"fail_message\":null}";
	size_t		size = (size_t) objects * sizeof(object) + 200;
	char	   *body = malloc(size);
	size_t		used;
	int			i;

	assert_non_null(body);
	used = (size_t) snprintf(body, size, "{\"index\":0,\"limit\":100,"
							 "\"total\":%d,\"tasks\":[", objects);
	for (i = 0; i < objects; i++)
	{
		if (i > 0)
			body[used++] = ',';
		used += (size_t) snprintf(body + used, size - used, object, i % 100);
	}
	memcpy(body + used, "]}", 3);
	return body;
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
	text = doc_text(root_of(doc), &length);
	assert_string_equal(text, body);
	counted_free(text);
	doc_free(doc);
	free(body);
}

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
		text = doc_text(root_of(doc), &length);
	fail_first = -1;

	whole = text != NULL;
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
	assert_int_equal(value_of(doc->root).kind, DOC_ARRAY);
	doc_free(doc);
	assert_int_equal(outstanding, 0);
}

static void
test_free_nothing(void **state)
{
	(void) state;
	doc_free(NULL);
}

/* ---- any bytes ---- */

static void
feed(const char *bytes, size_t length)
{
	char	   *body = malloc(length > 0 ? length : 1);
	Failure		failure;
	DocPage		page;
	Doc		   *doc;

	/* a block of its own, so that a sanitizer sees a read past its end */
	assert_non_null(body);
	memcpy(body, bytes, length);
	outstanding = 0;

	failure_clear(&failure);
	if (!doc_fault(body, length, &failure))
		assert_true(failure.code[0] == '\0' && failure.message[0] == '\0');

	failure_clear(&failure);
	doc = doc_parse(body, length, &failure);
	if (doc == NULL)
	{
		assert_int_equal(failure.kind, FAILURE_NOT_JSON);
		assert_true(failure.message[0] != '\0');
	}
	else
	{
		size_t		written;
		char	   *text = doc_text(root_of(doc), &written);
		Doc		   *again;

		/* what is written is read, and written the same */
		assert_non_null(text);
		again = parse(text);
		counted_free(text);
		doc_free(again);
		if (doc_page(doc, "tasks", &page, &failure))
			(void) doc_element(&page, page.rows - 1);
		doc_free(doc);
	}
	free(body);
	assert_int_equal(outstanding, 0);
}

static void
test_random_bytes(void **state)
{
	static const char *const pieces[] = {
		"{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d83d", "dc36",
		"0000", "\"error\"", "\"code\"", "\"message\"", "\"tasks\"",
		"\"errorCode\"", "\"total\"", "200", "-", "1e5", ".5", "true",
		"null", " ", "\n", "\xED\x95\x9C", "\xFF", "\xEF\xBB\xBF", "\x01"
	};
	char		bytes[400];
	int			round;

	(void) state;
	(void) seeded();
	for (round = 0; round < 20000; round++)
	{
		size_t		length = 0;
		size_t		wanted = (size_t) rand() % 300;

		while (length < wanted)
		{
			if (round % 2 == 0)
				bytes[length++] = (char) (rand() >> 4 & 0xFF);
			else
			{
				const char *piece = pieces[(size_t) rand() % COUNT(pieces)];

				memcpy(bytes + length, piece, strlen(piece));
				length += strlen(piece);
			}
		}
		feed(bytes, length);
	}
}

/*
 * Bodies that were right until some bytes changed or the rest was lost.
 */
static void
test_damaged_bodies(void **state)
{
	int			round;
	size_t		i;

	(void) state;
	(void) seeded();
	for (round = 0; round < 200; round++)
	{
		for (i = 0; i < COUNT(faults); i++)
		{
			char		bytes[1000];
			size_t		length = strlen(faults[i].body);
			int			changes = rand() % 4;

			memcpy(bytes, faults[i].body, length);
			for (; changes > 0 && length > 0; changes--)
				bytes[(size_t) rand() % length] = (char) (rand() >> 4 & 0xFF);
			feed(bytes, length > 0 ? (size_t) rand() % (length + 1) : 0);
			feed(bytes, length);
		}
	}
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
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_touches_nothing_else),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_last_key_counts),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_page_numbers),
		cmocka_unit_test(test_page_shape),
		cmocka_unit_test(test_page_long_key),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_fault_long_message),
		cmocka_unit_test(test_excerpt),
		cmocka_unit_test(test_text_nul),
		cmocka_unit_test(test_text_of_part),
		cmocka_unit_test(test_shortest_reals),
		cmocka_unit_test(test_other_locale),
		cmocka_unit_test(test_example_page),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_no_memory_for_fault),
		cmocka_unit_test(test_functions_put_back),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_free_nothing),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_damaged_bodies),
		cmocka_unit_test(test_version)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
