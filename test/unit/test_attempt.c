/*
 * test_attempt.c
 *	  How long a request may still take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connecting_is_bounded_by_both_limits),
		cmocka_unit_test(the_whole_limit_holds_once_sent),
		cmocka_unit_test(the_tighter_limit_is_named),
		cmocka_unit_test(a_clock_that_steps_back_gives_no_time),
	};

	return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}
