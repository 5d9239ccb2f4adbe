/*
 * test_doc_keys.c
 *	  Keys that the API documents, and that come in another case.
 */
#include "bodies.h"

/* What is under a key of an object: its integer, or one of these. */
#define NOTHING (-1)
#define SEVERAL (-2)

static const struct
{
	const char *object;
	const char *key;
	int			found;
	const char *message;
}			cases[] = {

	/* as it is spelled, whatever stands beside it */
	{"{\"task_id\":1}", "task_id", 1, ""},
	{"{\"TASK_ID\":2,\"task_id\":1,\"Task_Id\":3}", "task_id", 1, ""},
	{"{\"auroc\":2,\"AUROC\":1}", "AUROC", 1, ""},
	{"{\"a\":2,\"a\":1}", "a", 1, ""},

	/* in another case */
	{"{\"TASK_ID\":1}", "task_id", 1, ""},
	{"{\"task_Id\":1,\"task_idx\":2,\"task_i\":3}", "task_id", 1, ""},
	{"{\"x\":0,\"auroc\":1}", "AUROC", 1, ""},
	{"{\"x\":0,\"Auroc\":1,\"y\":0}", "AUROC", 1, ""},
	{"{\"A\":2,\"A\":1}", "a", 1, ""},

	/* not there */
	{"{}", "task_id", NOTHING, ""},
	{"{\"task_ids\":1,\"task_i\":1,\"\":1,\"task-id\":1}", "task_id", NOTHING, ""},
	{"{\"taskid\":1,\"task id\":1}", "task_id", NOTHING, ""},
	{"[1]", "task_id", NOTHING, ""},
	{"\"task_id\"", "task_id", NOTHING, ""},
	{"null", "task_id", NOTHING, ""},

	/* only letters have a case, and only those of ASCII */
	{"{\"A@[`{_\":1}", "a@[`{_", 1, ""},
	{"{\"@\":1}", "`", NOTHING, ""},
	{"{\"[\":1}", "{", NOTHING, ""},
	{"{\"`\":1,\"{\":1}", "@", NOTHING, ""},
	{"{\"\xC3\x89\":1}", "\xC3\xA9", NOTHING, ""},
	{"{\"\xE2\x84\xAA\":1}", "k", NOTHING, ""}, /* the Kelvin sign */
	{"{\"ta\xC5\xBFk_id\":1}", "task_id", NOTHING, ""}, /* a long s */

	/* several, and none of them exactly */
	{"{\"Task_id\":1,\"x\":2,\"TASK_ID\":3}", "task_id", SEVERAL,
	"\"task_id\" may be the key \"Task_id\" or the key \"TASK_ID\""},
	{"{\"auroc\":null,\"Auroc\":null,\"aUROC\":1}", "AUROC", SEVERAL,
	"\"AUROC\" may be the key \"auroc\" or the key \"Auroc\""}
};

static void
test_find(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(cases); i++)
	{
		Doc		   *doc = parse(cases[i].object);
		Failure		failure;
		DocValue	value;
		int			found;

		failure_clear(&failure);
		if (!doc_find(doc_root(doc).node, cases[i].key, &value, &failure))
			found = SEVERAL;
		else
			found = value.kind == DOC_INTEGER ? (int) value.integer : NOTHING;
		if (found != cases[i].found)
			fail_msg("%s: %d", cases[i].object, found);
		if (found == NOTHING)
		{
			assert_int_equal(value.kind, DOC_ABSENT);
			assert_null(value.node);
		}
		assert_int_equal(failure.kind,
						 found == SEVERAL ? FAILURE_SHAPE : FAILURE_NONE);
		assert_string_equal(failure.message, cases[i].message);
		doc_free(doc);
	}
}

/* No node at all, as doc_get() gives it of what is absent. */
static void
test_find_nothing(void **state)
{
	Failure		failure;
	DocValue	value;

	(void) state;
	failure_clear(&failure);
	assert_true(doc_find(NULL, "a", &value, &failure));
	assert_int_equal(value.kind, DOC_ABSENT);
	assert_int_equal(failure.kind, FAILURE_NONE);
}

/* A null is a value: the key is there. */
static void
test_null_is_there(void **state)
{
	Doc		   *doc = parse("{\"status\":null,\"STATUS\":\"failed\"}");
	Failure		failure;
	DocValue	value;

	(void) state;
	assert_true(doc_find(doc_root(doc).node, "status", &value, &failure));
	assert_int_equal(value.kind, DOC_NULL);
	doc_free(doc);
}

static void
test_exact_key_stays_exact(void **state)
{
	Doc		   *doc = parse("{\"TASK_ID\":1}");

	(void) state;
	assert_int_equal(doc_get(doc_root(doc).node, "task_id").kind, DOC_ABSENT);
	assert_int_equal(doc_get(doc_root(doc).node, "TASK_ID").kind, DOC_INTEGER);
	doc_free(doc);
}

/* Keys are foreign: as long as they like, and not cut within a character. */
static void
test_long_keys(void **state)
{
	static const char wanted[] = REPEAT_10(REPEAT_10("a")) "\xED\x95\x9C";
	Doc		   *doc = parse("{\"A" REPEAT_10("aaaaaaaaa") "aaaaaaaaa\xED\x95\x9C\":1,"
							"\"aA" REPEAT_10("aaaaaaaaa") "aaaaaaaa\xED\x95\x9C\":2}");
	Failure		failure;
	DocValue	value;

	(void) state;
	failure_clear(&failure);
	assert_false(doc_find(doc_root(doc).node, wanted, &value, &failure));
	assert_in_range(strlen(failure.message), sizeof(failure.message) - 4,
					sizeof(failure.message) - 1);
	doc_free(doc);
}

/* ---- the envelope ---- */

static void
test_envelope(void **state)
{
	Doc		   *doc = parse("{\"Index\":3,\"LIMIT\":\"20\",\"toTal\":172,"
							"\"TASKS\":[{\"Task_Id\":\"a\"},{}]}");
	Failure		failure;
	DocPage		page;

	(void) state;
	failure_clear(&failure);
	assert_true(doc_page(doc, "tasks", &page, &failure));
	assert_int_equal(failure.kind, FAILURE_NONE);
	assert_int_equal(page.rows, 2);
	assert_int_equal(page.index, 3);
	assert_int_equal(page.limit, 20);
	assert_int_equal(page.total, 172);
	doc_free(doc);
}

static const char *const unclear[][2] = {
	{"{\"Tasks\":[],\"TASKS\":[]}",
	"\"tasks\" may be the key \"Tasks\" or the key \"TASKS\""},
	{"{\"Index\":0,\"INDEX\":0,\"tasks\":[]}",
	"\"index\" may be the key \"Index\" or the key \"INDEX\""},
	{"{\"Limit\":9,\"LIMIT\":9,\"tasks\":[]}",
	"\"limit\" may be the key \"Limit\" or the key \"LIMIT\""},
	{"{\"tasks\":[],\"Total\":1,\"TOTAL\":2}",
	"\"total\" may be the key \"Total\" or the key \"TOTAL\""}
};

static void
test_unclear_envelope(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(unclear); i++)
	{
		Doc		   *doc = parse(unclear[i][0]);
		Failure		failure;
		DocPage		page;

		failure_clear(&failure);
		assert_false(doc_page(doc, "tasks", &page, &failure));
		assert_int_equal(failure.kind, FAILURE_SHAPE);
		assert_string_equal(failure.message, unclear[i][1]);
		doc_free(doc);
	}
}

/* ---- errors ---- */

static const char *const faults[][3] = {
	{"{\"Error\":{\"ErrorCode\":\"200\",\"Message\":\"no\",\"Details\":\"why\"}}",
	"200", "no: why"},
	{"{\"ERRORCODE\":420,\"MESSAGE\":\"slow\"}", "420", "slow"},
	{"{\"responseerror\":{\"returncode\":1,\"returnmessage\":\"x\"}}", "1", "x"},
	{"{\"Code\":\"a\",\"MSG\":\"b\"}", "a", "b"},
	/* whichever is first: an error it is */
	{"{\"Code\":\"a\",\"CODE\":\"b\"}", "a", ""},
};

static void
test_faults(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(faults); i++)
	{
		Failure		failure;

		failure_clear(&failure);
		assert_true(doc_fault(faults[i][0], strlen(faults[i][0]), &failure));
		assert_string_equal(failure.code, faults[i][1]);
		assert_string_equal(failure.words, faults[i][2]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_nothing),
		cmocka_unit_test(test_null_is_there),
		cmocka_unit_test(test_exact_key_stays_exact),
		cmocka_unit_test(test_long_keys),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_unclear_envelope),
		cmocka_unit_test(test_faults)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
