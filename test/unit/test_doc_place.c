/*
 * test_doc_place.c
 *	  What is said of a body that is refused: what is wrong with it, and where.
 */
#include "bodies.h"

#define PAGE "{\"index\":0,\"tasks\":[{\"task_id\":\"a\",\"n\":1}"
#define LONG_NAME REPEAT_10("0123456789")

/* Bodies, and all that is said of them. */
static const struct
{
	const char *body;
	size_t		length;
	FailureKind kind;
	const char *message;
}			refused[] = {
#define NO(body, message) {body, sizeof(body) - 1, FAILURE_NOT_JSON, message}
#define LIMIT(body, message) {body, sizeof(body) - 1, FAILURE_UNREADABLE, message}

	/* nothing there */
	NO("", "the body is empty"),
	NO("\xEF\xBB\xBF", "the body is empty"),
	NO(" ", "the body ends too soon at byte 1"),

	/* cut short */
	NO("{", "the body ends too soon at byte 1, near \"{\""),
	NO("\"abc", "the body ends too soon at byte 4, near \"\"abc\""),
	NO("{\"tasks\":[{\"task_id\":\"a\"},",
	   "the body ends too soon at byte 26, in element 1 of \"tasks\""),
	NO(PAGE ",{\"task_id\":\"b\",\"na",
	   "the body ends too soon at byte 60, in element 1 of \"tasks\", "
	   "near \"{\"task_id\":\"b\",\"na\""),
	NO("{\"tasks\":[],\"x\":",
	   "the body ends too soon at byte 16, near \"{\"tasks\":[],\"x\":\""),

	/* something else */
	NO("<html>\n  <body>Bad Gateway</body>\n</html>",
	   "invalid token at byte 1, near \"<html> <body>Bad Gateway</body> </html>\""),
	NO("[1] x", "more text behind the end at byte 5, near \"[1] x\""),
	NO("[1][2]", "more text behind the end at byte 4, near \"[1][2]\""),
	NO("[1,]", "unexpected token at byte 4, near \"[1,]\""),
	NO("[\n\n  nul]", "invalid token at byte 8, near \"[ nul]\""),
	NO("[\"a\tb\"]", "control character 0x9 at byte 3, near \"[\"a b\"]\""),
	NO("[\"\\x\"]", "invalid escape at byte 4, near \"[\"\\x\"]\""),
	NO(PAGE ",{\"task_id\":\"b\" \"n\":1}]}",
	   "'}' expected at byte 60, in element 1 of \"tasks\", "
	   "near \"{\"task_id\":\"b\" \"n\":1}]}\""),

	/* broken UTF-8: alone, cut short */
	NO("\"\x80\"", "no UTF-8 at byte 2, near \"\"\x80\"\""),
	NO("\xFE\xFF", "no UTF-8 at byte 1, near \"\xFE\xFF\""),
	NO("[\"\xED\x95\x9C\xED\x95\"]",
	   "no UTF-8 at byte 6, near \"[\"\xED\x95\x9C\xED\x95\"]\""),
	NO(PAGE ",{\"task_id\":\"\xFF\"}]}",
	   "no UTF-8 at byte 55, in element 1 of \"tasks\", "
	   "near \"{\"task_id\":\"\xFF\"}]}\""),

	/* NUL */
	NO("\0", "NUL at byte 1"),
	NO("[1]\0", "NUL at byte 4, near \"[1]\""),
	NO("1\0", "NUL at byte 2, near \"1\""),
	NO("[1\0]", "NUL at byte 3, near \"[1 ]\""),
	NO("\xFF\xFE[\0", "NUL at byte 4, near \"\xFF\xFE[\""),
	NO(PAGE "\0", "NUL at byte 42, in element 0 of \"tasks\", "
	   "near \"{\"task_id\":\"a\",\"n\":1}\""),

	/* beyond what can be held */
	LIMIT("9223372036854775808",
		  "number out of range at byte 19, near \"9223372036854775808\""),
	LIMIT("[1e309]", "number out of range at byte 6, near \"[1e309]\""),
	LIMIT("\xEF\xBB\xBF[1e309]",
		  "number out of range at byte 6, near \"[1e309]\""),
	LIMIT("{\"total\":1e309,\"tasks\":[]}",
		  "number out of range at byte 14, "
		  "near \"{\"total\":1e309,\"tasks\":[]}\""),
	LIMIT("{\"a\\u0000b\":1}",
		  "\\u0000 in a key at byte 11, near \"{\"a\\u0000b\":1}\""),
	LIMIT("[\"\\ud83dx\"]",
		  "half a surrogate pair at byte 10, near \"[\"\\ud83dx\"]\""),
	LIMIT(PAGE ",{\"task_id\":\"b\",\"n\":-9223372036854775809},{}]}",
		  "number out of range at byte 81, in element 1 of \"tasks\", "
		  "near \"{\"task_id\":\"b\",\"n\":-9223372036854775809},{}]}\""),
	/* where the element's beginning is far, its id is there all the same */
	LIMIT(PAGE ",{}, {\"task_id\":\"c\",\"name\":\"" LONG_NAME "\",\"n\":1e400}]}",
		  "number out of range at byte 180, in element 2 of \"tasks\" that begins "
		  "\"{\"task_id\":\"c\",\"name\":\"0123456789012345678901234567890123456789"
		  "01234567\", near \"3456789012345678901234567890123456789\","
		  "\"n\":1e400}]}\""),
	/* commas, brackets and quotes in strings and in what is nested are none */
	LIMIT("{\"x\":[1,2,{\"y\":[3,4]}],\"a\\\"[\":\"t,[\",\"tasks\":[\"\\\\\",[1,2,{\"a\":5,\"b\":6}],"
		  "\"],[\\\"\",9223372036854775808]}",
		  "number out of range at byte 97, in element 3 of \"tasks\", "
		  "near \"9223372036854775808]}\""),
	LIMIT("{\"x\":[1,2],\"y\":{\"z\":[3,1e400]}}",
		  "number out of range at byte 28, "
		  "near \"{\"x\":[1,2],\"y\":{\"z\":[3,1e400]}}\""),
	LIMIT("[\"x\",[3,1e400]]",
		  "number out of range at byte 13, near \"[\"x\",[3,1e400]]\""),
	LIMIT("{\"" LONG_NAME "\":[1e400]}",
		  "number out of range at byte 110, in element 0 of "
		  "\"01234567890123456789012345678901234\", near \"1e400]}\""),
	/* a character is not cut in two */
	LIMIT("[\"" REPEAT_10("\xED\x95\x9C\xEA\xB8\x80") "x\",1e400,\""
		  REPEAT_10("\xED\x95\x9C\xEA\xB8\x80") "\"]",
		  "number out of range at byte 70, near \""
		  "\xEA\xB8\x80\xED\x95\x9C\xEA\xB8\x80\xED\x95\x9C\xEA\xB8\x80"
		  "\xED\x95\x9C\xEA\xB8\x80\xED\x95\x9C\xEA\xB8\x80\xED\x95\x9C"
		  "\xEA\xB8\x80\xED\x95\x9C\xEA\xB8\x80x\",1e400,\""
		  "\xED\x95\x9C\xEA\xB8\x80\xED\x95\x9C\xEA\xB8\x80\xED\x95\x9C"
		  "\xEA\xB8\x80\xED\x95\x9C\xEA\xB8\x80\xED\x95\x9C\xEA\xB8\x80\""),
	/* not even where jansson gives up inside it, and the element began before */
	NO("{\"tasks\":[\"0123456789012345678901234567890123456789012345678\\ud"
	   "\xE8\xB3\xBC\"]}",
	   "invalid escape at byte 64, in element 0 of \"tasks\" that begins "
	   "\"\"0123456789012345678901234567890123456789012345678\\ud"
	   "\xE8\xB3\xBC\"]}\", near \"567890123456789012345678901234567890123"
	   "45678\\ud\xE8\xB3\xBC\"]}\"")
#undef NO
#undef LIMIT
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
		assert_string_equal(failure.message, refused[i].message);
		assert_int_equal(failure.kind, refused[i].kind);
	}
}

/*
 * What is no JSON may be another's answer, so its beginning is shown; what we
 * cannot hold is the service's.
 */
static void
test_excerpts(void **state)
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

	assert_null(doc_parse("[1e400]", 7, &failure));
	failure.kind = before.kind;
	memcpy(failure.message, before.message, sizeof(failure.message));
	assert_memory_equal(&failure, &before, sizeof(failure));
}

/*
 * Nesting is told from where it is too deep on, however much follows.
 */
static void
test_deep(void **state)
{
	char	   *body = nested(100000, "[", "", "]");
	Failure		failure;

	(void) state;
	assert_null(doc_parse(body, strlen(body), &failure));
	free(body);
	assert_int_equal(failure.kind, FAILURE_UNREADABLE);
	assert_memory_equal(failure.message, "too deep nesting at byte 2049, near \"[[[",
						strlen("too deep nesting at byte 2049, near \"[[["));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_excerpts),
		cmocka_unit_test(test_deep)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
