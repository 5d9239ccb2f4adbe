/*
 * test_limiter_model.c
 *	  The limiter in every order of events: all states that some processes can
 *	  bring it to, whatever they do and whenever they do it.
 *
 * Time goes in steps of half a lapse, and is kept relative to now; what lies so far
 * back that it makes no difference any more is kept as just that far.  So there
 * are only so many states, and all of them are visited.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "limiter.h"

#define LAPSE_STEPS 2
#define STEP (LIMITER_LAPSE_US / LAPSE_STEPS)
/* so many steps with the margin */
#define INTERVAL(steps) ((steps) * STEP - LIMITER_MARGIN_US)
#define INTERVAL_MAX 2
/* how far back a place and a send still make a difference */
#define SEEN_BACK (LAPSE_STEPS + 1)
#define SENT_BACK (INTERVAL_MAX + LAPSE_STEPS + 1)
#define PROCESSES 3
#define HOLD_STEPS 2

typedef enum Activity
{
	OUT,						/* not in line */
	IN_LINE,
	MAY_SEND,					/* until */
	HAS_SENT					/* at, and has not said so */
} Activity;

typedef struct Process
{
	int8_t		activity;
	int8_t		time;			/* until, or at; in steps from now */
	int8_t		place;			/* in line; -1: it has lapsed */
} Process;

typedef struct Place
{
	int8_t		owner;
	int8_t		granted;
	int8_t		seen;
} Place;

/* Everything there is, in steps from now.  Without padding: compared as bytes. */
typedef struct State
{
	int8_t		sent;			/* as the limiter has it */
	int8_t		held;
	int8_t		count;
	int8_t		truly_sent;		/* as it was */
	Place		line[PROCESSES];
	Process		processes[PROCESSES];
} State;

/* Each process's interval. */
static const int64_t intervals[2][PROCESSES] = {
	{INTERVAL(1), INTERVAL(1), INTERVAL(1)},
	{INTERVAL(1), INTERVAL(INTERVAL_MAX), INTERVAL(1)}
};

static const int64_t *interval;
static Limiter limiter;
static Process processes[PROCESSES];
static uint32_t tickets[PROCESSES];
static int64_t truly_sent;
static int64_t now;

static State *states;
static size_t nstates;
static size_t maxstates;
static size_t *table;
static size_t table_size;

/* ---- between states and the limiter ---- */

static int8_t
steps(int64_t us, int back)
{
	int64_t		from_now = us - now;

	assert_int_equal(from_now % STEP, 0);
	from_now /= STEP;
	return (int8_t) (from_now < -back ? -back : from_now);
}

static State
save(void)
{
	State		state;
	int			i;

	memset(&state, 0, sizeof(state));
	state.sent = steps(limiter.sent_us, SENT_BACK);
	state.held = steps(limiter.held_us, 0);
	state.count = (int8_t) limiter.count;
	state.truly_sent = steps(truly_sent, SENT_BACK);
	for (i = 0; i < PROCESSES; i++)
	{
		state.processes[i] = processes[i];
		state.processes[i].place = -1;
	}
	for (i = 0; i < limiter.count; i++)
	{
		const LimiterPlace *place = &limiter.line[i];

		if (place->ticket == tickets[place->owner] &&
			processes[place->owner].activity != OUT)
			state.processes[place->owner].place = (int8_t) i;
		state.line[i].owner = (int8_t) place->owner;
		state.line[i].granted = place->granted;
		state.line[i].seen = steps(place->seen_us, SEEN_BACK);
	}
	return state;
}

static void
load(const State *state)
{
	int			i;

	now = 1000 * (int64_t) STEP;
	limiter.tickets = 1000;
	limiter.sent_us = now + state->sent * (int64_t) STEP;
	limiter.held_us = now + state->held * (int64_t) STEP;
	limiter.count = state->count;
	truly_sent = now + state->truly_sent * (int64_t) STEP;
	for (i = 0; i < state->count; i++)
	{
		LimiterPlace *place = &limiter.line[i];

		place->ticket = (uint32_t) (1000 - state->count + i);
		place->owner = state->line[i].owner;
		place->granted = state->line[i].granted;
		place->interval_us = interval[place->owner];
		place->seen_us = now + state->line[i].seen * (int64_t) STEP;
	}
	for (i = 0; i < PROCESSES; i++)
	{
		processes[i] = state->processes[i];
		tickets[i] = processes[i].place < 0 ? 1 :
			limiter.line[processes[i].place].ticket;
	}
}

/* ---- what must hold ---- */

static int64_t
longest_in_line(void)
{
	int64_t		longest = 0;
	int			i;

	for (i = 0; i < limiter.count; i++)
		if (limiter.line[i].interval_us > longest)
			longest = limiter.line[i].interval_us;
	return longest + LIMITER_MARGIN_US;
}

static void
check_line(void)
{
	int			i;

	for (i = 1; i < limiter.count; i++)
	{
		/* whoever joined later stands further back, and has no permission */
		assert_true((int32_t) (limiter.line[i].ticket -
							   limiter.line[i - 1].ticket) > 0);
		assert_false(limiter.line[i].granted);
	}
	assert_int_equal(limiter_head(&limiter),
					 limiter.count > 0 ? limiter.line[0].owner : -1);
}

static void
check_send(int p)
{
	assert_true(now - truly_sent >= interval[p] + LIMITER_MARGIN_US);
	truly_sent = now;
}

/* ---- what may happen ---- */

static void
do_join(int p)
{
	uint32_t	ticket = limiter_join(&limiter, p, interval[p], now);

	assert_int_not_equal(ticket, 0);
	processes[p].activity = IN_LINE;
	processes[p].time = 0;
	tickets[p] = ticket;
}

static void
do_poll(int p)
{
	Process    *process = &processes[p];
	bool		first = limiter.line[0].ticket == tickets[p];
	int64_t		turn = limiter_turn_us(&limiter, tickets[p], now);
	int64_t		until = 0;

	switch (limiter_poll(&limiter, tickets[p], now, &until))
	{
		case LIMITER_GO:
			if (process->activity == IN_LINE)
			{
				assert_true(now >= limiter.held_us);
				assert_true(now - truly_sent >= longest_in_line());
				/* behind others it counts theirs, which may yet leave */
				assert_true(!first || turn <= now);
			}
			assert_int_equal(limiter.line[0].ticket, tickets[p]);
			assert_int_equal(until, now + LIMITER_LAPSE_US);
			process->activity = MAY_SEND;
			process->time = steps(until, SENT_BACK);
			break;
		case LIMITER_WAIT:
			assert_int_equal(process->activity, IN_LINE);
			assert_true(until > now);
			process->time = 0;
			break;
		case LIMITER_GONE:
			process->activity = OUT;
			process->time = 0;
			break;
	}
}

static void
do_report(int p)
{
	limiter_sent(&limiter, tickets[p],
				 now + processes[p].time * (int64_t) STEP, now);
	memset(&processes[p], 0, sizeof(Process));
}

static void
do_leave(int p)
{
	int64_t		turns[PROCESSES];
	int			i;

	for (i = 0; i < PROCESSES; i++)
		turns[i] = limiter_turn_us(&limiter, tickets[i], now);
	limiter_leave(&limiter, tickets[p], now);
	/* it costs the others nothing */
	for (i = 0; i < PROCESSES; i++)
		if (i != p && processes[i].activity == IN_LINE)
			assert_true(limiter_turn_us(&limiter, tickets[i], now) <= turns[i]);
	memset(&processes[p], 0, sizeof(Process));
}

/* The next thing that may happen in a state; false: there is no such number. */
static bool
happen(int number)
{
	int			p = number / 4;

	if (number == 4 * PROCESSES)
	{
		int			i;

		now += STEP;
		for (i = 0; i < PROCESSES; i++)
			if (processes[i].activity == MAY_SEND ||
				processes[i].activity == HAS_SENT)
				if (processes[i].time >
					(processes[i].activity == MAY_SEND ? -1 : -SENT_BACK))
					processes[i].time--;
		return true;
	}
	if (number == 4 * PROCESSES + 1)
	{
		limiter_hold(&limiter, now + HOLD_STEPS * (int64_t) STEP);
		return true;
	}
	if (number > 4 * PROCESSES + 1)
		return false;
	switch (number % 4)
	{
		case 0:
			if (processes[p].activity == OUT)
				do_join(p);
			break;
		case 1:
			if (processes[p].activity == IN_LINE ||
				processes[p].activity == MAY_SEND)
				do_poll(p);
			break;
		case 2:
			if (processes[p].activity == HAS_SENT)
				do_report(p);
			else if (processes[p].activity == MAY_SEND &&
					 processes[p].time >= 0)
			{
				check_send(p);
				processes[p].activity = HAS_SENT;
				processes[p].time = 0;
			}
			break;
		case 3:
			if (processes[p].activity == IN_LINE ||
				processes[p].activity == MAY_SEND)
				do_leave(p);
			break;
	}
	return true;
}

/* ---- all states ---- */

static size_t
hash(const State *state)
{
	const unsigned char *bytes = (const unsigned char *) state;
	uint64_t	sum = UINT64_C(14695981039346656037);
	size_t		i;

	for (i = 0; i < sizeof(State); i++)
		sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
	return (size_t) (sum ^ sum >> 29);
}

/* Where a state is in the table, or would be. */
static size_t *
find(const State *state)
{
	size_t		i = hash(state) & (table_size - 1);

	while (table[i] != 0 &&
		   memcmp(&states[table[i] - 1], state, sizeof(State)) != 0)
		i = (i + 1) & (table_size - 1);
	return &table[i];
}

static void
grow_table(void)
{
	size_t		i;

	free(table);
	table_size = table_size == 0 ? 1 << 16 : table_size * 2;
	table = calloc(table_size, sizeof(size_t));
	assert_non_null(table);
	for (i = 0; i < nstates; i++)
		*find(&states[i]) = i + 1;
}

static void
visit(const State *state)
{
	size_t	   *place;

	if (nstates * 2 >= table_size)
		grow_table();
	place = find(state);
	if (*place != 0)
		return;
	if (nstates == maxstates)
	{
		maxstates = maxstates == 0 ? 1 << 16 : maxstates * 2;
		states = realloc(states, maxstates * sizeof(State));
		assert_non_null(states);
	}
	states[nstates++] = *state;
	*place = nstates;
}

/*
 * From a state on, those that are not stopped do as they are told; a request of
 * each of them in line is sent before long.
 */
static void
check_progress(const State *state, int stopped)
{
	int			waiting = 0;
	int			limit;
	int			step;
	int			i;

	load(state);
	for (i = 0; i < PROCESSES; i++)
		if (!(stopped & 1 << i) && processes[i].activity == IN_LINE)
			waiting |= 1 << i;
	/* a hold; a lapse and an interval for each */
	limit = HOLD_STEPS + PROCESSES * (LAPSE_STEPS + INTERVAL_MAX + 1) + 1;
	for (step = 0; step < limit && waiting != 0; step++)
	{
		for (i = 0; i < PROCESSES; i++)
		{
			if (stopped & 1 << i)
				continue;
			if (processes[i].activity == IN_LINE ||
				processes[i].activity == MAY_SEND)
				do_poll(i);
			if (processes[i].activity == OUT && waiting & 1 << i)
				do_join(i);
			if (processes[i].activity == MAY_SEND)
			{
				check_send(i);
				processes[i].time = 0;
				do_report(i);
				waiting &= ~(1 << i);
			}
			else if (processes[i].activity == HAS_SENT)
				do_report(i);
		}
		happen(4 * PROCESSES);
	}
	assert_int_equal(waiting, 0);
}

static void
every_state(void **state)
{
	State		start;
	size_t		i;
	size_t		events = 0;

	interval = *state;
	nstates = 0;
	if (table != NULL)
		memset(table, 0, table_size * sizeof(size_t));
	now = 0;
	memset(processes, 0, sizeof(processes));
	truly_sent = -SENT_BACK * (int64_t) STEP;
	limiter_begin(&limiter, truly_sent);
	start = save();
	visit(&start);
	for (i = 0; i < nstates; i++)
	{
		State		from = states[i];
		int			stopped;
		int			number;

		for (number = 0;; number++)
		{
			State		to;

			load(&from);
			if (!happen(number))
				break;
			check_line();
			to = save();
			visit(&to);
			events++;
		}
		for (stopped = 0; stopped < 1 << PROCESSES; stopped++)
			check_progress(&from, stopped);
	}
	printf("%lu states, %lu events\n", (unsigned long) nstates,
		   (unsigned long) events);
	assert_true(nstates > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{"equal intervals", every_state, NULL, NULL, (void *) &intervals[0]},
		{"different intervals", every_state, NULL, NULL, (void *) &intervals[1]},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
