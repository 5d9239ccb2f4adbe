/*
 * test_limiter.c
 *	  Who may send when, fact by fact; test_limiter_model.c tries every order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limiter.h"

#define SECOND INT64_C(1000000)
#define SPACING (SECOND + LIMITER_MARGIN_US)

static Limiter limiter;
static uint32_t tickets;

static int
begin(void **state)
{
	(void) state;
	limiter_begin(&limiter, 0);
	tickets = 0;
	return 0;
}

static uint32_t
join(int owner, int64_t interval, int64_t now)
{
	return limiter_join(&limiter, &tickets, owner, interval, now);
}

static void
assert_goes(uint32_t ticket, int64_t now)
{
	int64_t		until = 0;

	assert_int_equal(limiter_poll(&limiter, ticket, now, &until), LIMITER_GO);
	assert_int_equal(until, now + LIMITER_LAPSE_US);
}

static void
assert_waits(uint32_t ticket, int64_t now, int64_t expected)
{
	int64_t		until = 0;

	assert_int_equal(limiter_poll(&limiter, ticket, now, &until),
					 LIMITER_WAIT);
	assert_int_equal(until, expected);
}

static void
assert_gone(uint32_t ticket, int64_t now)
{
	int64_t		until;

	assert_int_equal(limiter_poll(&limiter, ticket, now, &until),
					 LIMITER_GONE);
}

static void
an_idle_line_lets_go_at_once(void **state)
{
	(void) state;
	assert_int_equal(limiter_head(&limiter), -1);
	assert_goes(join(7, SECOND, 10 * SECOND), 10 * SECOND);
	assert_int_equal(limiter_head(&limiter), 7);
}

static void
the_interval_counts_from_the_send(void **state)
{
	uint32_t	first = join(1, SECOND, 10 * SECOND);
	uint32_t	second = join(2, SECOND, 10 * SECOND);
	int64_t		sent = 10 * SECOND + 300000;

	(void) state;
	assert_goes(first, 10 * SECOND);
	limiter_sent(&limiter, first, sent, sent + 50000);
	assert_int_equal(limiter_head(&limiter), 2);
	assert_waits(second, sent + 50000, sent + SPACING);
	assert_waits(second, sent + SPACING - 1, sent + SPACING);
	assert_goes(second, sent + SPACING);
}

static void
one_permission_at_a_time(void **state)
{
	uint32_t	first = join(1, SECOND, 10 * SECOND);
	uint32_t	second = join(2, SECOND, 10 * SECOND);
	int64_t		now;

	(void) state;
	/* however long it connects, as long as it renews */
	for (now = 10 * SECOND; now < 30 * SECOND; now += SECOND)
	{
		assert_goes(first, now);
		assert_waits(second, now, now + LIMITER_LAPSE_US);
	}
}

static void
first_come_first_served(void **state)
{
	uint32_t	given[5];
	int64_t		now = 10 * SECOND;
	int			i;
	int			j;

	(void) state;
	for (i = 0; i < 5; i++)
		given[i] = join(i, SECOND, now);
	for (i = 0; i < 5; i++)
	{
		int64_t		until;

		assert_int_equal(limiter_head(&limiter), i);
		for (j = i + 1; j < 5; j++)
			assert_int_equal(limiter_poll(&limiter, given[j], now, &until),
							 LIMITER_WAIT);
		assert_goes(given[i], now);
		limiter_sent(&limiter, given[i], now, now);
		now += SPACING;
	}
}

static void
leaving_costs_the_others_nothing(void **state)
{
	uint32_t	first = join(1, SECOND, 10 * SECOND);
	uint32_t	second = join(2, SECOND, 10 * SECOND);
	uint32_t	third = join(3, SECOND, 10 * SECOND);

	(void) state;
	assert_goes(first, 10 * SECOND);
	limiter_leave(&limiter, second, 10 * SECOND);
	/* also one that might have sent and did not */
	limiter_leave(&limiter, first, 10 * SECOND);
	assert_goes(third, 10 * SECOND);
	/* nobody is there twice */
	limiter_leave(&limiter, first, 10 * SECOND);
	assert_goes(third, 10 * SECOND);
	assert_gone(first, 10 * SECOND);
}

static void
a_permission_that_is_not_renewed_lapses(void **state)
{
	uint32_t	stopped = join(1, SECOND, 10 * SECOND);
	uint32_t	next = join(2, SECOND, 10 * SECOND);
	int64_t		lapse = 10 * SECOND + LIMITER_LAPSE_US;

	(void) state;
	assert_goes(stopped, 10 * SECOND);
	assert_waits(next, lapse - 1, lapse);
	/* it may have sent at the last moment */
	assert_waits(next, lapse, lapse + SPACING);
	assert_gone(stopped, lapse);
	assert_goes(next, lapse + SPACING);
}

static void
a_hold_makes_no_permission_last(void **state)
{
	uint32_t	stopped = join(1, SECOND, 10 * SECOND);
	uint32_t	next = join(2, SECOND, 10 * SECOND);
	int64_t		lapse = 10 * SECOND + LIMITER_LAPSE_US;

	(void) state;
	assert_goes(stopped, 10 * SECOND);
	limiter_hold(&limiter, 15 * SECOND);
	assert_waits(next, 11 * SECOND, lapse);
	assert_waits(next, lapse, 15 * SECOND);
}

static void
who_comes_back_unnoticed_goes_on(void **state)
{
	uint32_t	stopped = join(1, SECOND, 10 * SECOND);

	(void) state;
	assert_goes(stopped, 10 * SECOND);
	assert_goes(stopped, 60 * SECOND);
}

static void
a_late_report_counts(void **state)
{
	uint32_t	stopped = join(1, SECOND, 10 * SECOND);
	uint32_t	next;
	int64_t		later = 20 * SECOND;

	(void) state;
	assert_goes(stopped, 10 * SECOND);
	next = join(2, SECOND, later);
	assert_int_equal(limiter_head(&limiter), 2);
	limiter_sent(&limiter, stopped, later, later);
	assert_waits(next, later, later + SPACING);
	/* an earlier one takes nothing back */
	limiter_sent(&limiter, stopped, later - SECOND, later);
	assert_waits(next, later, later + SPACING);
	/* nor does a permission that lapsed before */
	assert_goes(next, 30 * SECOND);
	limiter_sent(&limiter, stopped, 40 * SECOND, 40 * SECOND);
	next = join(3, SECOND, 40 * SECOND);
	assert_int_equal(limiter_head(&limiter), 3);
	assert_waits(next, 40 * SECOND, 40 * SECOND + SPACING);
}

static void
a_head_that_does_not_come_loses_its_place(void **state)
{
	uint32_t	stopped = join(1, SECOND, 10 * SECOND);
	uint32_t	next = join(2, SECOND, 10 * SECOND);
	int64_t		lapse = 10 * SECOND + LIMITER_LAPSE_US;

	(void) state;
	assert_waits(next, 10 * SECOND, lapse);
	assert_goes(next, lapse);
	assert_gone(stopped, lapse);
}

static void
a_head_is_not_late_before_its_turn(void **state)
{
	uint32_t	first = join(1, 10 * SECOND, 20 * SECOND);
	uint32_t	second;
	uint32_t	third;
	int64_t		turn = 30 * SECOND + LIMITER_MARGIN_US;

	(void) state;
	assert_goes(first, 20 * SECOND);
	second = join(2, 10 * SECOND, 20 * SECOND);
	third = join(3, 10 * SECOND, 20 * SECOND);
	limiter_sent(&limiter, first, 20 * SECOND, 20 * SECOND);
	/* it has a while from then on, whether it was told so or not yet */
	assert_waits(third, 21 * SECOND, turn + LIMITER_LAPSE_US);
	assert_waits(second, 29 * SECOND, turn);
	assert_waits(third, turn, turn + LIMITER_LAPSE_US);
	assert_goes(second, turn + LIMITER_LAPSE_US - 1);
}

static void
a_head_that_waits_as_told_is_not_late(void **state)
{
	uint32_t	first = join(1, SECOND, 20 * SECOND);
	uint32_t	second;
	uint32_t	slow;
	int64_t		told = 30 * SECOND + LIMITER_MARGIN_US;

	(void) state;
	assert_goes(first, 20 * SECOND);
	limiter_sent(&limiter, first, 20 * SECOND, 20 * SECOND);
	first = join(1, SECOND, 20 * SECOND);
	second = join(2, SECOND, 20 * SECOND);
	slow = join(3, 10 * SECOND, 20 * SECOND);
	assert_waits(first, 20 * SECOND, told);
	/* now its turn is earlier, which it may not know */
	limiter_leave(&limiter, slow, 20 * SECOND);
	assert_waits(second, 29 * SECOND, told + LIMITER_LAPSE_US);
	assert_goes(first, told);
	/* from its turn on it is as quick to lapse as others */
	assert_waits(second, told, told + LIMITER_LAPSE_US);
}

static void
a_clock_that_was_read_early_makes_nobody_late(void **state)
{
	uint32_t	first = join(1, SECOND, 10 * SECOND);
	uint32_t	second = join(2, SECOND, 11 * SECOND);
	uint32_t	third = join(3, SECOND, 11 * SECOND);
	int64_t		lapse = 11 * SECOND + LIMITER_LAPSE_US;

	(void) state;
	limiter_leave(&limiter, first, 10 * SECOND);
	assert_waits(third, lapse - 1, lapse);
	assert_goes(second, lapse - 1);
}

static void
a_429_holds_everybody_back(void **state)
{
	uint32_t	first = join(1, SECOND, 10 * SECOND);

	(void) state;
	assert_true(limiter_held_us(&limiter) <= 10 * SECOND);
	limiter_hold(&limiter, 15 * SECOND);
	limiter_hold(&limiter, 12 * SECOND);
	assert_int_equal(limiter_held_us(&limiter), 15 * SECOND);
	assert_waits(first, 10 * SECOND, 15 * SECOND);
	assert_goes(first, 15 * SECOND);
	/* a permission that was given stays */
	limiter_hold(&limiter, 20 * SECOND);
	assert_goes(first, 16 * SECOND);
}

static void
the_slowest_in_line_holds(void **state)
{
	uint32_t	fast = join(1, SECOND / 10, 10 * SECOND);
	uint32_t	slow;

	(void) state;
	assert_goes(fast, 10 * SECOND);
	limiter_sent(&limiter, fast, 10 * SECOND, 10 * SECOND);
	fast = join(1, SECOND / 10, 10 * SECOND);
	assert_waits(fast, 10 * SECOND,
				 10 * SECOND + SECOND / 10 + LIMITER_MARGIN_US);
	slow = join(2, SECOND, 10 * SECOND);
	assert_waits(fast, 10 * SECOND, 10 * SECOND + SPACING);
	limiter_leave(&limiter, slow, 10 * SECOND);
	assert_waits(fast, 10 * SECOND,
				 10 * SECOND + SECOND / 10 + LIMITER_MARGIN_US);
}

static void
the_turn_counts_those_before(void **state)
{
	uint32_t	given[3];
	int			i;

	(void) state;
	for (i = 0; i < 3; i++)
		given[i] = join(i, SECOND, 10 * SECOND);
	for (i = 0; i < 3; i++)
		assert_int_equal(limiter_turn_us(&limiter, given[i], 10 * SECOND),
						 10 * SECOND + i * SPACING);
	limiter_hold(&limiter, 13 * SECOND);
	assert_int_equal(limiter_turn_us(&limiter, given[0], 10 * SECOND),
					 13 * SECOND);
	assert_int_equal(limiter_turn_us(&limiter, given[2], 10 * SECOND),
					 13 * SECOND + 2 * SPACING);
	limiter_leave(&limiter, given[0], 10 * SECOND);
	assert_int_equal(limiter_turn_us(&limiter, given[0], 10 * SECOND),
					 INT64_MAX);
}

/*
 * A statement ends at once if its turn comes too late, so it must not be said
 * to come later than it may.
 */
static void
the_turn_is_never_later_than_it_may_be(void **state)
{
	uint32_t	first;
	uint32_t	second;
	uint32_t	slow;

	(void) state;
	limiter_begin(&limiter, 10 * SECOND);
	first = join(1, SECOND, 10 * SECOND);
	second = join(2, SECOND, 10 * SECOND);
	slow = join(3, 10 * SECOND, 10 * SECOND);
	/* who is behind may leave */
	assert_int_equal(limiter_turn_us(&limiter, first, 10 * SECOND),
					 10 * SECOND + SPACING);
	assert_int_equal(limiter_turn_us(&limiter, second, 10 * SECOND),
					 10 * SECOND + 2 * SPACING);
	assert_int_equal(limiter_turn_us(&limiter, slow, 10 * SECOND),
					 30 * SECOND + SPACING + 2 * LIMITER_MARGIN_US);
	limiter_leave(&limiter, slow, 10 * SECOND);
	/* who may send may just have done so */
	assert_goes(first, 12 * SECOND);
	assert_int_equal(limiter_turn_us(&limiter, second, 12 * SECOND + 7),
					 12 * SECOND + SPACING);
	assert_int_equal(limiter_turn_us(&limiter, first, 12 * SECOND + 7),
					 12 * SECOND + 7);
	assert_int_equal(limiter_turn_us(&limiter, second, 20 * SECOND),
					 20 * SECOND);
}

static void
a_hold_during_a_permission_delays_the_next(void **state)
{
	uint32_t	first = join(1, SECOND, 10 * SECOND);
	uint32_t	second = join(2, SECOND, 10 * SECOND);

	(void) state;
	assert_goes(first, 10 * SECOND);
	limiter_hold(&limiter, 15 * SECOND);
	assert_int_equal(limiter_turn_us(&limiter, first, 10 * SECOND),
					 10 * SECOND);
	assert_int_equal(limiter_turn_us(&limiter, second, 10 * SECOND),
					 15 * SECOND);
}

static void
a_full_line_takes_nobody(void **state)
{
	int			i;

	(void) state;
	for (i = 0; i < LIMITER_PLACES; i++)
		assert_int_not_equal(join(i, SECOND, 10 * SECOND), 0);
	assert_int_equal(join(i, SECOND, 10 * SECOND), 0);
	/* one that has lapsed makes room */
	assert_int_not_equal(join(i, SECOND,
							  10 * SECOND + LIMITER_LAPSE_US), 0);
	assert_int_equal(limiter.count, LIMITER_PLACES);
}

static void
tickets_wrap_round(void **state)
{
	uint32_t	kept;

	(void) state;
	kept = join(1, SECOND, 10 * SECOND);
	tickets = UINT32_MAX;
	/* not 0, and not the one that is in line */
	assert_int_equal(join(2, SECOND, 10 * SECOND), kept + 1);
}

/* Somebody may still hold a ticket of the line as it was before. */
static void
a_line_that_is_made_anew_knows_no_old_ticket(void **state)
{
	uint32_t	stopped = join(1, SECOND, 10 * SECOND);
	int64_t		lapse = 10 * SECOND + LIMITER_LAPSE_US;
	uint32_t	next;

	(void) state;
	assert_goes(stopped, 10 * SECOND);
	assert_false(limiter_empty(&limiter, lapse - 1));
	assert_true(limiter_empty(&limiter, lapse));
	assert_true(limiter_sent_us(&limiter) == lapse);
	limiter_begin(&limiter, limiter_sent_us(&limiter));
	next = join(2, SECOND, lapse);
	assert_gone(stopped, lapse + SPACING);
	limiter_leave(&limiter, stopped, lapse);
	assert_int_equal(limiter_turn_us(&limiter, stopped, lapse), INT64_MAX);
	assert_waits(next, lapse, lapse + SPACING);
	limiter_sent(&limiter, stopped, lapse + 7, lapse + 7);
	assert_waits(next, lapse + 7, lapse + 7 + SPACING);
	assert_goes(next, lapse + 7 + SPACING);
}

#define FACT(test) cmocka_unit_test_setup(test, begin)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(an_idle_line_lets_go_at_once),
		FACT(the_interval_counts_from_the_send),
		FACT(one_permission_at_a_time),
		FACT(first_come_first_served),
		FACT(leaving_costs_the_others_nothing),
		FACT(a_permission_that_is_not_renewed_lapses),
		FACT(a_hold_makes_no_permission_last),
		FACT(who_comes_back_unnoticed_goes_on),
		FACT(a_late_report_counts),
		FACT(a_head_that_does_not_come_loses_its_place),
		FACT(a_head_is_not_late_before_its_turn),
		FACT(a_head_that_waits_as_told_is_not_late),
		FACT(a_clock_that_was_read_early_makes_nobody_late),
		FACT(a_429_holds_everybody_back),
		FACT(the_slowest_in_line_holds),
		FACT(the_turn_counts_those_before),
		FACT(the_turn_is_never_later_than_it_may_be),
		FACT(a_hold_during_a_permission_delays_the_next),
		FACT(a_full_line_takes_nobody),
		FACT(tickets_wrap_round),
		FACT(a_line_that_is_made_anew_knows_no_old_ticket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
