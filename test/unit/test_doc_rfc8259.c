/*
 * test_doc_rfc8259.c
 *	  Which bodies are JSON, by RFC 8259: as a body, and as a value in a page.
 *
 * A body is accepted and read rightly, refused as no JSON, or refused as
 * beyond a limit that the RFC allows (section 9) and doc.h names.
 */
#include "bodies.h"
#include "rfc8259.h"

typedef struct Case
{
	const char *text;
	size_t		length;
	const char *read;			/* as doc_text() writes it; NULL: refused */
	bool		limit;			/* refused as beyond a limit */
} Case;

#define YES(text, read) {text, sizeof(text) - 1, read, false}
#define SAME(text) YES(text, text)
#define NO(text) {text, sizeof(text) - 1, NULL, false}
#define LIMIT(text) {text, sizeof(text) - 1, NULL, true}

/* Right or wrong wherever a value may stand. */
static const Case values[] = {

	/* ---- section 3: values, literal names ---- */
	SAME("null"), SAME("true"), SAME("false"),
	NO("Null"), NO("NULL"), NO("nul"), NO("nulll"), NO("null0"), NO("n"),
	NO("nil"), NO("None"), NO("undefined"), NO("True"), NO("TRUE"),
	NO("tru"), NO("truee"), NO("true1"), NO("t"), NO("yes"), NO("FALSE"),
	NO("fals"), NO("falsey"), NO("f"), NO("no"), NO("tr ue"), NO("nu\\u006cl"),
	NO("-null"), NO("abc"), NO("_"), NO("\xED\x95\x9C"),

	/* ---- section 2: structure and white space ---- */
	SAME("[]"), SAME("{}"), SAME("[[]]"), SAME("[{}]"), SAME("{\"a\":{}}"),
	SAME("{\"a\":[]}"), SAME("[[[[[[]]]]]]"), SAME("[1]"),
	SAME("[1,\"a\",null,true,false,[],{}]"), SAME("[null]"),
	SAME("[[],[[]],{},{\"b\":[{}]}]"), SAME("{\"a\":1,\"b\":2,\"c\":3}"),
	YES("[ ]", "[]"), YES("{ }", "{}"), YES("[\n]", "[]"), YES("{\r}", "{}"),
	YES("[\t]", "[]"), YES(" [] ", "[]"), YES("\t\n\r []\r\n\t ", "[]"),
	YES("[ 1 , 2 ]", "[1,2]"), YES("[1\n,\n2\n]", "[1,2]"),
	YES("{ \"a\" : 1 , \"b\" : 2 }", "{\"a\":1,\"b\":2}"),
	YES("{\"a\"\t:\r\n1}", "{\"a\":1}"), YES(" null", "null"),
	YES("\n\n\ntrue\n", "true"), YES(" \"a\" ", "\"a\""),
	NO("[\v]"), NO("[\f]"), NO("\v[]"), NO("[]\f"), NO("[1\v]"),
	NO("[\xC2\xA0]"), NO("[\xE2\x80\x83]"), NO("[\xE3\x80\x80]"),
	NO("[\xE2\x80\xA8]"), NO("[\xEF\xBB\xBF]"), NO("[\xC2\x85]"),
	NO("[\b]"), NO("[\x1B]"), NO("[\x7F]"), NO("[\x1F]"), NO("[\x01]"),
	NO("["), NO("]"), NO("{"), NO("}"), NO("[[]"), NO("[]]"), NO("{{}"),
	NO("{}}"), NO("[}"), NO("{]"), NO("[1}"), NO("{\"a\":1]"), NO("[[1]}"),
	NO("([])"), NO("(1)"), NO("<1>"),

	/* ---- section 4: objects ---- */
	SAME("{\"\":0}"), SAME("{\"a b\":0}"), SAME("{\"\xED\x95\x9C\":0}"),
	YES("{\"\\u0061\":0}", "{\"a\":0}"), YES("{\"\\n\":0}", "{\"\\n\":0}"),
	/* names should be unique and need not be: of equal ones the last counts */
	YES("{\"a\":1,\"a\":2}", "{\"a\":2}"),
	YES("{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"),
	YES("{\"a\":1,\"b\":2,\"a\":null}", "{\"a\":null,\"b\":2}"),
	YES("{\"a\":{\"a\":1},\"a\":{}}", "{\"a\":{}}"),
	SAME("{\"a\":1,\"A\":2}"), SAME("{\"__proto__\":1}"),
	NO("{\"a\"}"), NO("{\"a\":}"), NO("{:1}"), NO("{\"a\" 1}"),
	NO("{\"a\"::1}"), NO("{\"a\":1,}"), NO("{,}"), NO("{,\"a\":1}"),
	NO("{\"a\":1,,\"b\":2}"), NO("{\"a\":1 \"b\":2}"), NO("{\"a\":1;\"b\":2}"),
	NO("{\"a\",1}"), NO("{\"a\"=1}"), NO("{\"a\"=>1}"), NO("{\"a\":1:2}"),
	NO("{\"a\":1 2}"), NO("{a:1}"), NO("{'a':1}"), NO("{1:1}"), NO("{null:1}"),
	NO("{[]:1}"), NO("{{}:1}"), NO("{\"a\":1,\"b\"}"), NO("{\"a\":1,\"b\":}"),
	NO("{\"a\":1,b:2}"), NO("{\"a\":\"b\",}"), NO("{\"a:1}"), NO("{\"a"),
	NO("{\"a\""), NO("{\"a\":"), NO("{\"a\":1"), NO("{\"a\":1,"), NO("{a"),
	NO("{ 'a"), NO("{\"a\":[}"), NO("{\"a\":tru}"), NO("{...}"), NO("{1}"),
	LIMIT("{\"\\u0000\":1}"), LIMIT("{\"a\\u0000b\":1}"),
	LIMIT("[{\"x\":{\"a\\u0000\":1}}]"), LIMIT("{\"\\uD800\":1}"),

	/* ---- section 5: arrays ---- */
	SAME("[1,2,3]"), SAME("[1,\"1\",[1]]"), SAME("[null,null]"),
	NO("[1,]"), NO("[,]"), NO("[,1]"), NO("[1,,2]"), NO("[1 2]"), NO("[1;2]"),
	NO("[1:2]"), NO("[1,2"), NO("[1,"), NO("[1"), NO("[\"a\""), NO("[\"a"),
	NO("[\"a\",]"), NO("[\"a\" \"b\"]"), NO("[[],]"), NO("[[] []]"),
	NO("[\"a\":1]"), NO("[a]"), NO("[..]"), NO("[1..2]"), NO("[true false]"),
	NO("[-]"), NO("[*]"), NO("[#]"), NO("[\\]"), NO("[\\n]"), NO("[@]"),

	/* ---- section 6: numbers ---- */
	SAME("0"), SAME("1"), SAME("-1"), SAME("10"), SAME("-10"), SAME("120"),
	YES("-0", "0"), SAME("1234567890"), SAME("9007199254740993"),
	SAME("9223372036854775807"), SAME("-9223372036854775808"),
	SAME("9223372036854775806"), SAME("-9223372036854775807"),
	YES("0.0", "0.0"), YES("-0.0", "-0.0"), SAME("0.5"), SAME("-0.5"),
	SAME("1.5"), YES("1.50", "1.5"), YES("1.0", "1.0"), YES("10.0", "1e+01"),
	YES("0.000001", "1e-06"), SAME("3.141592653589793"),
	YES("3.14159265358979323846264338327950288", "3.141592653589793"),
	YES("1e0", "1.0"), YES("1E0", "1.0"), YES("1e1", "1e+01"),
	YES("1E1", "1e+01"), YES("1e+1", "1e+01"), YES("1E+1", "1e+01"),
	YES("1e-1", "0.1"), YES("1E-1", "0.1"), YES("1e01", "1e+01"),
	YES("1e-00", "1.0"), YES("1.5e3", "1.5e+03"), YES("-1.5E-3", "-0.0015"),
	YES("0e0", "0.0"), YES("0E+5", "0.0"), YES("-0e1", "-0.0"),
	YES("0.0e0", "0.0"), YES("0e999999999999999999999", "0.0"),
	YES("-0e-999999999999999999999", "-0.0"),
	YES("1e-400", "0.0"), YES("-1e-400", "-0.0"),
	YES("1e-999999999999999999999", "0.0"),
	SAME("5e-324"), SAME("2.2250738585072014e-308"),
	SAME("1.7976931348623157e+308"), YES("1E308", "1e+308"),
	NO("123e10e"), NO("1.2e5."),
	YES("0.1000000000000000055511151231257827021181583404541015625", "0.1"),
	YES("9007199254740993.0", "9007199254740992.0"),
	YES("12345678901234567890.0", "1.2345678901234567e+19"),
	YES("100000000000000000000e0", "1e+20"),
	NO("01"), NO("00"), NO("-01"), NO("-00"), NO("007"), NO("00.5"),
	NO("-00.5"), NO("0123456789"), NO("08"), NO("+1"), NO("+0"), NO("++1"),
	NO("--1"), NO("-+1"), NO("- 1"), NO("-"), NO("+"), NO("."), NO("-."),
	NO(".5"), NO("-.5"), NO("5."), NO("-5."), NO("0."), NO("1.e1"),
	NO("1.-1"), NO("1..2"), NO("1.2.3"), NO("1 .5"), NO("1. 5"), NO("e1"),
	NO("E1"), NO("1e"), NO("1E"), NO("1e+"), NO("1e-"), NO("1.5e"),
	NO("1.5e+"), NO("0e"), NO("0e+"), NO("1ee1"), NO("1e1e1"), NO("1e1.5"),
	NO("1e+-1"), NO("1 e1"), NO("1e 1"), NO("1e1 0"), NO("0x1F"), NO("0xG"),
	NO("0b1"), NO("0o7"), NO("1_000"), NO("1'000"), NO("1 000"), NO("1f"),
	NO("1L"), NO("1n"), NO("1d"), NO("$1"), NO("1%"), NO("1/2"), NO("1+1"),
	NO("NaN"), NO("nan"), NO("-NaN"), NO("Infinity"), NO("-Infinity"),
	NO("+Infinity"), NO("Inf"), NO("inf"), NO("-inf"), NO("1.#INF"),
	NO("\xEF\xBC\x91"), NO("1\xEF\xBC\x91"), NO("\xD9\xA1"), NO("\xC2\xBD"),
	NO("\xE2\x88\x92" "1"), NO("\xE2\x88\x9E"),
	LIMIT("9223372036854775808"), LIMIT("-9223372036854775809"),
	LIMIT("9999999999999999999"), LIMIT("18446744073709551615"),
	LIMIT("18446744073709551616"), LIMIT("-18446744073709551616"),
	LIMIT("100000000000000000000"), LIMIT("-100000000000000000000"),
	LIMIT("[1,[9223372036854775808]]"), LIMIT("{\"a\":9223372036854775808}"),
	LIMIT("123456789012345678901234567890123456789012345678901234567890"),
	LIMIT("1e309"), LIMIT("-1e309"), LIMIT("1E+309"), LIMIT("1e400"),
	LIMIT("1.7976931348623159e308"), LIMIT("-1.7976931348623159e308"),
	LIMIT("0.1e310"), LIMIT("1e999999999999999999999"),
	LIMIT("-1e999999999999999999999"), LIMIT("[1.0,1e1000]"),

	/* ---- section 7: strings ---- */
	SAME("\"\""), SAME("\"a\""), SAME("\" \""), SAME("\"a b\""), SAME("\"'\""),
	SAME("\"\\\"\""), SAME("\"\\\\\""), YES("\"\\/\"", "\"/\""), SAME("\"/\""),
	SAME("\"\\b\\f\\n\\r\\t\""), SAME("\"\\\\n\""), SAME("\"\\\\u0041\""),
	SAME("\"null\""), SAME("\"1\""), SAME("\"[]\""), SAME("\"{\\\"a\\\":1}\""),
	SAME("\"a,b:c[d]{e}\""), SAME("\"// a\""), SAME("\"/* a */\""),
	YES("\"\\u0041\"", "\"A\""), YES("\"\\u004a\\u004A\"", "\"JJ\""),
	YES("\"\\u0020\"", "\" \""), YES("\"\\u0022\"", "\"\\\"\""),
	YES("\"\\u005C\"", "\"\\\\\""), YES("\"\\u002F\"", "\"/\""),
	YES("\"\\u000a\"", "\"\\n\""), YES("\"\\u001F\"", "\"\\u001f\""),
	YES("\"\\u0001\"", "\"\\u0001\""), YES("\"\\u007F\"", "\"\x7F\""),
	YES("\"\\u0080\"", "\"\xC2\x80\""), YES("\"\\u07FF\"", "\"\xDF\xBF\""),
	YES("\"\\u0800\"", "\"\xE0\xA0\x80\""),
	YES("\"\\uD7FF\"", "\"\xED\x9F\xBF\""),
	YES("\"\\uE000\"", "\"\xEE\x80\x80\""),
	YES("\"\\uFFFD\"", "\"\xEF\xBF\xBD\""),
	YES("\"\\uFFFE\"", "\"\xEF\xBF\xBE\""),
	YES("\"\\uFEFF\"", "\"\xEF\xBB\xBF\""),
	YES("\"\\u2028\\u2029\"", "\"\xE2\x80\xA8\xE2\x80\xA9\""),
	YES("\"\\u00410\"", "\"A0\""),
	YES("\"\\uD800\\uDC00\"", "\"\xF0\x90\x80\x80\""),
	YES("\"\\uDBFF\\uDFFF\"", "\"\xF4\x8F\xBF\xBF\""),
	YES("\"\\ud83d\\udc36\"", "\"\xF0\x9F\x90\xB6\""),
	YES("\"\\uD83D\\uDC36\\uD83D\\uDC36\"",
		"\"\xF0\x9F\x90\xB6\xF0\x9F\x90\xB6\""),
	SAME("\"\\u0000\""), SAME("\"a\\u0000\\u0000b\""), SAME("\"\x7F\""),
	SAME("\"\xC2\x80\""), SAME("\"\xC2\x85\""), SAME("\"\xC2\xA0\""),
	SAME("\"\xEF\xBB\xBF\""), SAME("\"\xE2\x80\xA8\""),
	NO("\"\n\""), NO("\"\r\""), NO("\"\t\""), NO("\"\b\""), NO("\"\f\""),
	NO("\"\v\""), NO("\"\x01\""), NO("\"\x1F\""), NO("\"\x1B[0m\""),
	NO("\"a\r\nb\""), NO("{\"a\tb\":1}"), NO("\"\\\t\""), NO("\"\\\n\""),
	NO("\"\\a\""), NO("\"\\v\""), NO("\"\\e\""), NO("\"\\0\""), NO("\"\\x41\""),
	NO("\"\\'\""), NO("\"\\ \""), NO("\"\\U0041\""), NO("\"\\u\""),
	NO("\"\\u0\""), NO("\"\\u00\""), NO("\"\\u004\""), NO("\"\\u004\\u0041\""),
	NO("\"\\u004G\""), NO("\"\\u{41}\""), NO("\"\\u+041\""),
	NO("\"\\u 041\""), NO("\"\\u-041\""), NO("\"\\uD83D\\u\""),
	NO("\"\\uD83D\\x\""), NO("\"\\\xED\x95\x9C\""), NO("\"\\N\""),
	NO("\""), NO("\"a"), NO("a\""), NO("\"a\"b\""), NO("\"a\"\"b\""),
	NO("\"a\" b"), NO("\"\\"), NO("\"\\\""), NO("\"\\u"), NO("\"\\u0041"),
	NO("'a'"), NO("''"), NO("`a`"), NO("\\\"a\\\""), NO("\"\"\"a\"\"\""),
	NO("\xE2\x80\x9C" "a\xE2\x80\x9D"), NO("\"a\"+\"b\""), NO("u\"a\""),
	LIMIT("\"\\uD800\""), LIMIT("\"\\uDBFF\""), LIMIT("\"\\uDC00\""),
	LIMIT("\"\\uDFFF\""), LIMIT("\"\\ud800\""), LIMIT("\"a\\uD800b\""),
	LIMIT("\"\\uD800\\uD800\""), LIMIT("\"\\uDC00\\uD800\""),
	LIMIT("\"\\uD800\\n\""), LIMIT("\"\\uD800\\u0041\""),
	LIMIT("\"\\uD800\xED\x95\x9C\""), LIMIT("\"\\uD83D\\uDC36\\uDC36\""),
	LIMIT("\"\\uD83D\\uD83D\\uDC36\""), LIMIT("[\"a\",\"\\uDC00\"]"),

	/* ---- section 8.1: UTF-8 ---- */
	SAME("\"\xED\x95\x9C\xEA\xB8\x80\""), SAME("\"\xC3\xA9\""),
	SAME("\"e\xCC\x81\""), SAME("\"\xDF\xBF\""), SAME("\"\xE0\xA0\x80\""),
	SAME("\"\xED\x9F\xBF\""), SAME("\"\xEE\x80\x80\""),
	SAME("\"\xEF\xBF\xBF\""), SAME("\"\xF0\x90\x80\x80\""),
	SAME("\"\xF4\x8F\xBF\xBF\""), SAME("\"\xF0\x9F\x87\xB0\xF0\x9F\x87\xB7\""),
	NO("\"\x80\""), NO("\"\xBF\""), NO("\"\xC0\x80\""), NO("\"\xC0\xAF\""),
	NO("\"\xC1\xBF\""), NO("\"\xC2\""), NO("\"\xC2 \""), NO("\"\xC2\xC2\""),
	NO("\"\xE0\x80\x80\""), NO("\"\xE0\x9F\xBF\""), NO("\"\xE0\xA0\""),
	NO("\"\xED\xA0\x80\""), NO("\"\xED\xBF\xBF\""),
	NO("\"\xED\xA0\xBD\xED\xB0\xB6\""), NO("\"\xED\x95\""), NO("\"\xED\""),
	NO("\"\xED\x95\x9C\x80\""), NO("\"\xF0\x80\x80\x80\""),
	NO("\"\xF0\x8F\xBF\xBF\""), NO("\"\xF0\x9F\x90\""), NO("\"\xF0\x9F\""),
	NO("\"\xF0\""), NO("\"\xF4\x90\x80\x80\""), NO("\"\xF5\x80\x80\x80\""),
	NO("\"\xF8\x88\x80\x80\x80\""), NO("\"\xFC\x84\x80\x80\x80\x80\""),
	NO("\"\xFE\""), NO("\"\xFF\""), NO("\"\xE9\""), NO("\"\xC7\xD1\""),
	NO("\"\xB0\xA1\""), NO("{\"\xC3\":1}"), NO("{\"\xFF\":1}"), NO("[\xFF]"),
	NO("\xFF"), NO("[1]\xFF"), NO("[1,\xED\xA0\x80]"),

	/* ---- section 9 and what others add to JSON ---- */
	NO("[1,/* a */2]"), NO("[1,// a\n2]"), NO("[1,# a\n2]"), NO("/* a */1"),
	NO("1/* a */"), NO("// a\n1"), NO("1 // a"), NO("# a\n1"), NO("[1]#"),
	NO("<!-- a -->1"), NO("1;"), NO("[1];"), NO("a([1])"),
	NO(")]}'\n[1]"), NO("while(1);[1]"), NO("&quot;a&quot;"), NO("{\"a\":0x1}"),
	NO("{\"a\":+1}"), NO("{\"a\":.1}"), NO("{\"a\":'b'}"), NO("{\"a\":b}"),
	NO("{\"a\":undefined}"), NO("{\"a\":function(){}}"), NO("new Date(0)"),
	NO("{\"a\":1}{\"b\":2}"), NO("[][]"), NO("[] []"), NO("1 2"), NO("true false"),
	NO("\"a\" \"b\""), NO("{} null"), NO("[]\n{}"),

	/* ---- NUL, which stands nowhere ---- */
	NO("\0"), NO("1\0"), NO("\0" "1"), NO("[1\0]"), NO("[\0]"), NO("\"a\0b\""),
	NO("\"\0\""), NO("true\0"), NO("tru\0e"), NO("[1]\0"), NO("{\"a\0\":1}"),
	NO("{\"a\":1}\0{}"), NO("-\0" "1"), NO("1\0.5"), NO("\"\\\0\""), NO("\"\\u\0041\"")
};

/* What is judged differently within a page. */
static const Case bodies[] = {
	NO(""), NO(" "), NO("\n\t\r "), NO("\xEF\xBB\xBF"), NO("\xEF\xBB\xBF "),
	YES("\xEF\xBB\xBFnull", "null"), YES("\xEF\xBB\xBF []", "[]"),
	YES("\xEF\xBB\xBF\n{\"a\":1}\n", "{\"a\":1}"),
	NO(" \xEF\xBB\xBF[]"), NO("[]\xEF\xBB\xBF"), NO("\xEF\xBB\xBF\xEF\xBB\xBF[]"),
	NO("\xEF\xBB[]"), NO("\xEF[]"), NO("\xBB\xBF[]"),
	NO("\xFE\xFF\0[\0]"), NO("\xFF\xFE[\0]\0"), NO("[\0]\0"), NO("\0[\0]"),
	NO("\xFF\xFE\0\0[\0\0\0]\0\0\0"), NO("+/v8-"),
	NO(",1"), NO("1,"), NO("1,2"), NO(":1"), NO("\"a\":1"), NO("\"a\":1,\"b\":2"),
	NO("]["), NO("}{"), NO("<html></html>"), NO("<?xml version=\"1.0\"?><a/>"),
	NO("OK"), NO("error: no"), NO("a=1&b=2"), NO("---\na: 1\n"), NO("%5B%5D"),
	NO("W10="), NO("\x1F\x8B\x08\0"), NO("data: []\n\n"), NO("\x1E[]\n")
};

static const char before[] =
"{\"index\":0,\"limit\":2,\"total\":2,\"tasks\":[{\"task_id\":\"a\",\"x\":";
static const char after[] = ",\"y\":\"z\"},{\"task_id\":\"b\"}]}";

static void
expect_text(const Case *wanted, const char *body, const DocNode *node)
{
	size_t		length;
	char	   *text = doc_text(node, &length);

	assert_non_null(text);
	if (strcmp(text, wanted->read) != 0 || length != strlen(wanted->read))
		fail_msg("\"%s\" is read as %s, not as %s", body, text, wanted->read);
	free(text);
}

/*
 * Parses a body and compares what comes of it with what is wanted, and with
 * the grammar.  NULL where it is refused, as wanted.
 */
static Doc *
judge(const Case *wanted, const char *body, size_t length)
{
	Failure		failure;
	Verdict		verdict = wanted->read != NULL ? VERDICT_VALID :
	wanted->limit ? VERDICT_LIMIT : VERDICT_INVALID;
	char	   *exact = malloc(length > 0 ? length : 1);
	Doc		   *doc;

	/* a block of its own, so that a sanitizer sees a read past its end */
	assert_non_null(exact);
	memcpy(exact, body, length);
	if (rfc8259_judge(exact, length) != verdict)
		fail_msg("\"%.300s\" is not what the grammar says", body);

	failure_clear(&failure);
	doc = doc_parse(exact, length, &failure);
	free(exact);
	if (doc != NULL && verdict != VERDICT_VALID)
		fail_msg("\"%s\" is accepted", body);
	if (doc == NULL && verdict == VERDICT_VALID)
		fail_msg("\"%s\" is refused: %s", body, failure.message);
	if (doc == NULL && failure.kind != (verdict == VERDICT_LIMIT ?
										FAILURE_UNREADABLE : FAILURE_NOT_JSON))
		fail_msg("\"%s\" is refused as %s: %s", body,
				 failure_row(failure.kind)->name, failure.message);
	if (doc == NULL && failure.message[0] == '\0')
		fail_msg("\"%s\" is refused without a word", body);
	return doc;
}

static void
judge_body(const Case *wanted)
{
	Doc		   *doc = judge(wanted, wanted->text, wanted->length);

	if (doc != NULL)
		expect_text(wanted, wanted->text, doc_root(doc).node);
	doc_free(doc);
}

static void
test_bodies(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(values); i++)
		judge_body(&values[i]);
	for (i = 0; i < COUNT(bodies); i++)
		judge_body(&bodies[i]);
}

/*
 * The same values in a page: rows and other fields stand as they did.
 */
static void
test_in_pages(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(values); i++)
	{
		const Case *wanted = &values[i];
		char		body[sizeof(before) + sizeof(after) + 200];
		size_t		length = sizeof(before) - 1;
		Failure		failure;
		DocPage		page;
		DocValue	first;
		Doc		   *doc;

		assert_true(wanted->length < 200);
		memcpy(body, before, length);
		memcpy(body + length, wanted->text, wanted->length);
		length += wanted->length;
		memcpy(body + length, after, sizeof(after));
		length += sizeof(after) - 1;
		doc = judge(wanted, body, length);
		if (doc == NULL)
			continue;
		assert_true(doc_page(doc, "tasks", &page, &failure));
		assert_int_equal(page.rows, 2);
		assert_int_equal(page.total, 2);
		first = doc_element(&page, 0);
		expect_text(wanted, body, doc_get(first.node, "x").node);
		assert_string_equal(doc_get(first.node, "task_id").text, "a");
		assert_string_equal(doc_get(first.node, "y").text, "z");
		doc_free(doc);
	}
}

/*
 * A whole page is no JSON if any of its end is lost.
 */
static void
test_truncated(void **state)
{
	char	   *body = example_page(2);
	size_t		length = strlen(body);
	Case		wanted = {NULL, 0, NULL, false};
	size_t		i;

	(void) state;
	for (i = 0; i < length; i++)
		assert_null(judge(&wanted, body, i));
	free(body);
}

static void
test_nesting(void **state)
{
	static const struct
	{
		int			depth;
		const char *open;
		const char *inner;
		const char *close;
		Case		wanted;
	}			nests[] = {
		{2048, "[", "", "]", {NULL, 0, "", false}},
		{2047, "[", "1", "]", {NULL, 0, "", false}},
		{2047, "{\"a\":", "{}", "}", {NULL, 0, "", false}},
		{1023, "[{\"a\":", "[]", "}]", {NULL, 0, "", false}},
		{2049, "[", "", "]", {NULL, 0, NULL, true}},
		{2048, "[", "1", "]", {NULL, 0, NULL, true}},
		{2048, "{\"a\":", "{}", "}", {NULL, 0, NULL, true}},
		{100000, "[", "", "]", {NULL, 0, NULL, true}},
		{100000, "{\"a\":", "1", "}", {NULL, 0, NULL, true}},
		{100000, "[", "", "", {NULL, 0, NULL, true}},
		{2048, "[", "", "", {NULL, 0, NULL, false}},
		{2048, "[", "\"\x01\"", "]", {NULL, 0, NULL, false}},
		{2048, "[", "\xFF", "]", {NULL, 0, NULL, false}}
	};
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(nests); i++)
	{
		char	   *body = nested(nests[i].depth, nests[i].open,
								  nests[i].inner, nests[i].close);

		doc_free(judge(&nests[i].wanted, body, strlen(body)));
		free(body);
	}
}

/*
 * Texts made of pieces of JSON, and the cases above with some bytes changed:
 * whatever comes of them is what the grammar says.
 */
static void
test_random(void **state)
{
	static const char *const pieces[] = {
		"{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d83d", "dc36",
		"0000", "\"a\":", "\"a\"", "0", "1", "-", "9223372036854775807", "e",
		"+", "308", ".", "true", "null", " ", "\n", "\t", "\xED\x95\x9C",
		"\xC3", "\x80", "\xFF"
	};
	long		verdicts[3] = {0, 0, 0};
	int			round;

	(void) state;
	seed();
	for (round = 0; round < 200000; round++)
	{
		const Case *pattern = &values[(size_t) rand() % COUNT(values)];
		char		body[600];
		size_t		length = 0;
		int			n = rand() % 8;
		Verdict		verdict;
		Failure		failure;
		Doc		   *doc;

		if (round % 2 == 0)
		{
			memcpy(body, pattern->text, pattern->length);
			length = pattern->length;
			for (; n > 5 && length > 0; n--)
				body[(size_t) rand() % length] = (char) (rand() >> 4 & 0xFF);
		}
		for (; n > 0; n--)
		{
			const char *piece = pieces[(size_t) rand() % COUNT(pieces)];
			size_t		size = strlen(piece);
			size_t		at = (size_t) rand() % (length + 1);

			memmove(body + at + size, body + at, length - at);
			memcpy(body + at, piece, size);
			length += size;
		}
		verdict = rfc8259_judge(body, length);
		verdicts[verdict]++;
		failure_clear(&failure);
		doc = doc_parse(body, length, &failure);
		doc_free(doc);
		/* one that is beyond a limit first, and wrong then, may be either */
		if (verdict == VERDICT_INVALID ? failure.kind == FAILURE_NONE :
			failure.kind != (verdict == VERDICT_VALID ? FAILURE_NONE :
							 FAILURE_UNREADABLE))
			fail_msg("\"%.*s\": %s: %s", (int) length, body,
					 failure_row(failure.kind)->name, failure.message);
	}
	print_message("%ld valid, %ld not, %ld beyond a limit\n", verdicts[0],
				  verdicts[1], verdicts[2]);
	assert_true(verdicts[0] > 1000 && verdicts[1] > 1000 && verdicts[2] > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_in_pages),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_random)
	};

	print_message("%d cases\n",
				  (int) (2 * COUNT(values) + COUNT(bodies)));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
