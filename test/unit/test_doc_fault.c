/*
 * test_doc_fault.c
 *	  Errors in bodies, and bodies of any bytes at all.
 */
#include "bodies.h"

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
	{"{\"code\":404,\"returnCode\":\"9\",\"errorCode\":\"300\"}", "300", ""},
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
		assert_string_equal(failure.words, faults[i].message);
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
	assert_int_equal(strlen(failure.words), 255);
	assert_memory_equal(failure.words, part, 255);

	/* a short message leaves room for some of its details */
	failure_clear(&failure);
	snprintf(body, sizeof(body), "{\"message\":\"ab\",\"details\":\"%s\"}",
			 part);
	assert_true(doc_fault(body, strlen(body), &failure));
	assert_memory_equal(failure.words, "ab: \xED\x95\x9C", 7);
	assert_int_equal(strlen(failure.words), 4 + 83 * 3);
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

	failure_clear(&failure);
	if (!doc_fault(body, length, &failure))
		assert_true(failure.code[0] == '\0' && failure.words[0] == '\0');

	failure_clear(&failure);
	doc = doc_parse(body, length, &failure);
	if (doc == NULL)
	{
		assert_true(failure.kind == FAILURE_NOT_JSON ||
					failure.kind == FAILURE_UNREADABLE);
		assert_true(failure.message[0] != '\0');
	}
	else
	{
		size_t		written;
		char	   *text = doc_text(doc_root(doc).node, &written);
		Doc		   *again;

		/* what is written is read, and written the same */
		assert_non_null(text);
		again = parse(text);
		free(text);
		doc_free(again);
		if (doc_page(doc, "tasks", &page, &failure))
			(void) doc_element(&page, page.rows - 1);
		doc_free(doc);
	}
	free(body);
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
	char		bytes[400] = "";
	int			round;

	(void) state;
	seed();
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
	seed();
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_fault_long_message),
		cmocka_unit_test(test_excerpt),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_damaged_bodies)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
