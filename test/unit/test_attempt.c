/*
 * test_attempt.c
 *	  How long a request may still take, and whether and when it is tried again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "attempt.h"

#define SECOND INT64_C(1000000)

static void
connecting_is_bounded_by_both_limits(void **state)
{
	Attempt		attempt;

	(void) state;
	attempt_begin(&attempt, 30 * SECOND, 10 * SECOND, 3);
	assert_int_equal(attempt_left_us(&attempt, false), 10 * SECOND);
	attempt_begin(&attempt, 5 * SECOND, 10 * SECOND, 3);
	assert_int_equal(attempt_left_us(&attempt, false), 5 * SECOND);
}

static void
the_whole_limit_holds_once_sent(void **state)
{
	Attempt		attempt;

	(void) state;
	attempt_begin(&attempt, 30 * SECOND, 10 * SECOND, 3);
	attempt_waited(&attempt, 12 * SECOND);
	assert_int_equal(attempt_left_us(&attempt, true), 18 * SECOND);
	assert_int_equal(attempt_overdue(&attempt, true), FAILURE_NONE);
	attempt_waited(&attempt, 18 * SECOND);
	assert_int_equal(attempt_left_us(&attempt, true), 0);
	assert_int_equal(attempt_overdue(&attempt, true), FAILURE_TIMEOUT);
}

static void
the_tighter_limit_is_named(void **state)
{
	Attempt		attempt;

	(void) state;
	attempt_begin(&attempt, 30 * SECOND, 10 * SECOND, 3);
	attempt_waited(&attempt, 10 * SECOND - 1);
	assert_int_equal(attempt_overdue(&attempt, false), FAILURE_NONE);
	attempt_waited(&attempt, 1);
	assert_int_equal(attempt_overdue(&attempt, false), FAILURE_CONNECT_TIMEOUT);
	attempt_begin(&attempt, 5 * SECOND, 10 * SECOND, 3);
	attempt_waited(&attempt, 40 * SECOND);
	assert_int_equal(attempt_left_us(&attempt, false), 0);
	assert_int_equal(attempt_overdue(&attempt, false), FAILURE_TIMEOUT);
}

static void
a_clock_that_steps_back_gives_no_time(void **state)
{
	Attempt		attempt;

	(void) state;
	attempt_begin(&attempt, SECOND, SECOND, 3);
	attempt_waited(&attempt, -5);
	assert_int_equal(attempt_left_us(&attempt, true), SECOND);
}

/* An attempt that fails with a kind; whether another follows. */
static bool
fails(Attempt *attempt, FailureKind kind, int status, int64_t retry_after_s,
	  double random, int64_t now)
{
	Failure		failure;

	failure_clear(&failure);
	failure.kind = kind;
	failure.status = status;
	return attempt_failed(attempt, &failure, retry_after_s, random, now);
}

/*
 * Each row of the failure table by name: what may pass is tried again.
 */
static void
what_may_pass_is_tried_again(void **state)
{
	static const FailureKind passing[] = {
		FAILURE_RESOLVE, FAILURE_RESOLVE_PROXY, FAILURE_CONNECT, FAILURE_TLS,
		FAILURE_CONNECT_TIMEOUT, FAILURE_TIMEOUT, FAILURE_LOST,
		FAILURE_THROTTLED, FAILURE_SERVER, FAILURE_UNAVAILABLE
	};
	int			kind;

	(void) state;
	for (kind = FAILURE_NONE + 1; kind < FAILURE_KINDS; kind++)
	{
		Attempt		attempt;
		bool		expected = false;
		size_t		i;

		for (i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
			expected = expected || passing[i] == (FailureKind) kind;
		attempt_begin(&attempt, SECOND, SECOND, 1);
		if (fails(&attempt, (FailureKind) kind, 0, 0, 0, 5 * SECOND) != expected)
			fail_msg("%s", failure_row((FailureKind) kind)->name);
		assert_int_equal(attempt.again_us, expected ? 6 * SECOND : 0);
		assert_false(fails(&attempt, (FailureKind) kind, 0, 0, 0, 5 * SECOND));
	}
}

static void
pauses_double_up_to_half_a_minute(void **state)
{
	static const int64_t pauses[ATTEMPT_RETRIES_MAX] = {
		1, 2, 4, 8, 16, 30, 30, 30, 30, 30
	};
	Attempt		calm;
	Attempt		jittery;
	int			i;

	(void) state;
	attempt_begin(&calm, SECOND, SECOND, ATTEMPT_RETRIES_MAX);
	attempt_begin(&jittery, SECOND, SECOND, ATTEMPT_RETRIES_MAX);
	for (i = 0; i < ATTEMPT_RETRIES_MAX; i++)
	{
		int64_t		longest = pauses[i] * SECOND * 5 / 4;

		assert_true(fails(&calm, FAILURE_SERVER, 500, 0, 0, 100 * SECOND));
		assert_int_equal(calm.again_us, (100 + pauses[i]) * SECOND);
		assert_true(fails(&jittery, FAILURE_SERVER, 500, 0, 1, 100 * SECOND));
		assert_int_equal(jittery.again_us - 100 * SECOND,
						 longest < 30 * SECOND ? longest : 30 * SECOND);
	}
	assert_false(fails(&calm, FAILURE_SERVER, 500, 0, 0, 100 * SECOND));
}

static void
retry_after_lengthens_a_pause_up_to_a_minute(void **state)
{
	static const struct
	{
		int64_t		asked;
		int64_t		pause;
	}			rows[] = {
		{0, 1}, {1, 1}, {2, 2}, {59, 59}, {60, 60}, {61, 60},
		{INT64_MAX / 2, 60}
	};
	Attempt		attempt;
	size_t		i;

	(void) state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		attempt_begin(&attempt, SECOND, SECOND, 1);
		assert_true(fails(&attempt, FAILURE_THROTTLED, 429, rows[i].asked, 0,
						  7 * SECOND));
		assert_int_equal(attempt.again_us, (7 + rows[i].pause) * SECOND);
	}

	/* it shortens none */
	attempt_begin(&attempt, SECOND, SECOND, 2);
	assert_true(fails(&attempt, FAILURE_THROTTLED, 429, 0, 0, 7 * SECOND));
	assert_true(fails(&attempt, FAILURE_THROTTLED, 429, 1, 0, 7 * SECOND));
	assert_int_equal(attempt.again_us, 9 * SECOND);
}

/*
 * Others are held back by a 429 also where this request is given up.
 */
static void
the_last_failure_asks_for_a_pause_too(void **state)
{
	Attempt		attempt;

	(void) state;
	attempt_begin(&attempt, SECOND, SECOND, 0);
	assert_false(fails(&attempt, FAILURE_THROTTLED, 429, 3, 0, 7 * SECOND));
	assert_int_equal(attempt.again_us, 10 * SECOND);
}

static void
each_attempt_has_its_own_time(void **state)
{
	Attempt		attempt;

	(void) state;
	/* the first begins with the request, whatever was in its memory */
	memset(&attempt, 0x55, sizeof(attempt));
	attempt_begin(&attempt, 5 * SECOND, SECOND, 1);
	assert_int_equal(attempt_left_us(&attempt, true), 5 * SECOND);
	attempt_waited(&attempt, 5 * SECOND);
	assert_int_equal(attempt_overdue(&attempt, true), FAILURE_TIMEOUT);
	assert_true(fails(&attempt, FAILURE_TIMEOUT, 0, 0, 0, 0));
	attempt_start(&attempt);
	assert_int_equal(attempt_left_us(&attempt, true), 5 * SECOND);
}

static void
what_failed_is_told(void **state)
{
	Attempt		attempt;
	char		words[256];
	char		little[64];
	int			i;

	(void) state;
	attempt_begin(&attempt, SECOND, SECOND, ATTEMPT_RETRIES_MAX);
	attempt_history(&attempt, words, sizeof(words));
	assert_string_equal(words, "");
	fails(&attempt, FAILURE_UNAVAILABLE, 503, 0, 0, 0);
	/* the head of an answer came, and no more */
	fails(&attempt, FAILURE_TIMEOUT, 200, 0, 0, 0);
	fails(&attempt, FAILURE_QUOTA, 429, 0, 0, 0);
	attempt_history(&attempt, words, sizeof(words));
	assert_string_equal(words, "HTTP status 503, "
						"the NCLUE service did not answer in time, "
						"HTTP status 429");

	/* as much as there is room for */
	memset(little, '#', sizeof(little));
	attempt_history(&attempt, little, 20);
	assert_memory_equal(little, "HTTP status 503", 15);
	assert_int_equal(little[19], '\0');
	for (i = 20; i < (int) sizeof(little); i++)
		assert_int_equal(little[i], '#');
	for (i = attempt.failed; i <= ATTEMPT_RETRIES_MAX; i++)
		fails(&attempt, FAILURE_UNAVAILABLE, 503, 0, 0, 0);
	attempt_history(&attempt, words, sizeof(words));
	assert_non_null(memchr(words, '\0', sizeof(words)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connecting_is_bounded_by_both_limits),
		cmocka_unit_test(the_whole_limit_holds_once_sent),
		cmocka_unit_test(the_tighter_limit_is_named),
		cmocka_unit_test(a_clock_that_steps_back_gives_no_time),
		cmocka_unit_test(what_may_pass_is_tried_again),
		cmocka_unit_test(pauses_double_up_to_half_a_minute),
		cmocka_unit_test(retry_after_lengthens_a_pause_up_to_a_minute),
		cmocka_unit_test(the_last_failure_asks_for_a_pause_too),
		cmocka_unit_test(each_attempt_has_its_own_time),
		cmocka_unit_test(what_failed_is_told),
	};

	return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}
