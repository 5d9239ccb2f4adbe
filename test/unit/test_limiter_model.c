/*
 * test_limiter_model.c
 *	  The limiter in every order of events: all states that some processes can
 *	  bring it to, whatever they do and whenever they do it.
 *
 * Time goes in steps of half a lapse, and is kept relative to now; what lies so
 * far back that it makes no difference any more is kept as just that far.  So
 * there are only so many states, and all of them are visited.
 *
 * A process that is stopped is one that does nothing while time passes.  One
 * that is killed leaves, or reports what it has sent.
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
#define INTERVAL_MAX 3
/* how far back a send, or that it was possible, still makes a difference */
#define SENT_BACK (INTERVAL_MAX + LAPSE_STEPS)
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
	int8_t		time;			/* until, or at; of one in line: when it is to
								 * ask again.  In steps from now */
	int8_t		place;			/* in line; -1: it has lapsed */
	int8_t		before;			/* who joined earlier and has not sent */
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
static const int64_t intervals[][PROCESSES] = {
	{INTERVAL(1), INTERVAL(1), INTERVAL(1)},
	{INTERVAL(1), INTERVAL(1), INTERVAL(2)},
	{INTERVAL(1), INTERVAL(2), INTERVAL(INTERVAL_MAX)}
};

static const int64_t *interval;
static Limiter limiter;
static Process processes[PROCESSES];
static uint32_t tickets[PROCESSES];
static uint32_t handed_out;
static int	joined[PROCESSES];	/* numbers in the order of joining */
static int	joins;
static int64_t truly_sent;
static int64_t truly_held;
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

/* Whether a process has joined and not sent. */
static bool
wants_to_send(int p)
{
	return processes[p].activity == IN_LINE ||
		processes[p].activity == MAY_SEND;
}

static int64_t
time_of(int p)
{
	return now + processes[p].time * (int64_t) STEP;
}

static State
save(void)
{
	State		state;
	int			i;
	int			j;

	memset(&state, 0, sizeof(state));
	state.sent = steps(limiter.sent_us, SENT_BACK);
	state.held = steps(limiter.held_us, 0);
	state.count = (int8_t) limiter.count;
	state.truly_sent = steps(truly_sent, INTERVAL_MAX);
	for (i = 0; i < PROCESSES; i++)
	{
		state.processes[i] = processes[i];
		state.processes[i].place = -1;
		state.processes[i].before = 0;
		for (j = 0; j < PROCESSES; j++)
			if (wants_to_send(i) && wants_to_send(j) && joined[j] < joined[i])
				state.processes[i].before++;
	}
	for (i = 0; i < limiter.count; i++)
	{
		const LimiterPlace *place = &limiter.line[i];

		if (place->ticket == tickets[place->owner] &&
			processes[place->owner].activity != OUT)
			state.processes[place->owner].place = (int8_t) i;
		state.line[i].owner = (int8_t) place->owner;
		state.line[i].granted = place->granted;
		state.line[i].seen = steps(place->seen_us,
								   place->granted ? SENT_BACK : LAPSE_STEPS);
	}
	return state;
}

static void
load(const State *state)
{
	int			i;

	now = 1000 * (int64_t) STEP;
	handed_out = 1000;
	limiter.sent_us = now + state->sent * (int64_t) STEP;
	limiter.held_us = now + state->held * (int64_t) STEP;
	limiter.count = state->count;
	truly_sent = now + state->truly_sent * (int64_t) STEP;
	truly_held = limiter.held_us;
	joins = PROCESSES;
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
		joined[i] = processes[i].before;
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

/* Where a ticket is in line; -1: nowhere. */
static int
place_of(uint32_t ticket)
{
	int			i;

	for (i = 0; i < limiter.count; i++)
		if (limiter.line[i].ticket == ticket)
			return i;
	return -1;
}

/*
 * Whether a process may have lost its place: it was silent for a lapse since it
 * was to ask again, or did not renew its permission.
 */
static bool
may_have_lapsed(int p)
{
	if (processes[p].activity == MAY_SEND)
		return time_of(p) <= now;
	return time_of(p) + LIMITER_LAPSE_US <= now;
}

static void
check_line(void)
{
	int			i;

	assert_true(limiter_held_us(&limiter) == truly_held);
	for (i = 1; i < limiter.count; i++)
		assert_false(limiter.line[i].granted);
	for (i = 0; i < PROCESSES; i++)
	{
		int			place = place_of(tickets[i]);

		/* nobody's ticket names another's place */
		if (processes[i].activity != OUT && place >= 0)
			assert_int_equal(limiter.line[place].owner, i);
		assert_true(!wants_to_send(i) || place >= 0 || may_have_lapsed(i));
	}
	assert_int_equal(limiter_head(&limiter),
					 limiter.count > 0 ? limiter.line[0].owner : -1);
}

/* A process is told that it may send. */
static void
check_permission(int p)
{
	int			i;

	assert_true(now >= truly_held);
	assert_true(now - truly_sent >= longest_in_line());
	for (i = 0; i < PROCESSES; i++)
	{
		if (i == p)
			continue;
		/* nobody else may send, not even at this moment */
		assert_false(processes[i].activity == MAY_SEND && time_of(i) >= now);
		/* who came first goes first */
		assert_false(wants_to_send(i) && joined[i] < joined[p] &&
					 !may_have_lapsed(i));
	}
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
	uint32_t	ticket = limiter_join(&limiter, &handed_out, p,
									  interval[p], now);

	assert_int_not_equal(ticket, 0);
	processes[p].activity = IN_LINE;
	processes[p].time = 0;
	tickets[p] = ticket;
	joined[p] = joins++;
}

static void
do_poll(int p)
{
	Process    *process = &processes[p];
	int64_t		until = 0;

	switch (limiter_poll(&limiter, tickets[p], now, &until))
	{
		case LIMITER_GO:
			if (process->activity == IN_LINE)
				check_permission(p);
			assert_int_equal(limiter.line[0].ticket, tickets[p]);
			assert_true(until == now + LIMITER_LAPSE_US);
			process->activity = MAY_SEND;
			process->time = steps(until, 0);
			break;
		case LIMITER_WAIT:
			assert_int_equal(process->activity, IN_LINE);
			assert_true(until > now);
			process->time = steps(until, 0);
			break;
		case LIMITER_GONE:
			assert_true(may_have_lapsed(p));
			process->activity = OUT;
			process->time = 0;
			break;
	}
}

static void
do_report(int p)
{
	limiter_sent(&limiter, tickets[p], time_of(p), now);
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

static void
pass_time(void)
{
	/* so far back makes a difference: OUT, IN_LINE, MAY_SEND, HAS_SENT */
	static const int back[] = {0, LAPSE_STEPS, 1, SENT_BACK};
	int			i;

	now += STEP;
	for (i = 0; i < PROCESSES; i++)
		if (processes[i].time > -back[processes[i].activity])
			processes[i].time--;
}

/* What a process may do: join or ask, send or report, leave. */
static void
act(int p, int action)
{
	switch (action)
	{
		case 0:
			if (processes[p].activity == OUT)
			{
				/* which of those that do not differ is all the same */
				if (p > 0 && interval[p - 1] == interval[p] &&
					processes[p - 1].activity == OUT)
					break;
				do_join(p);
			}
			else if (wants_to_send(p))
				do_poll(p);
			break;
		case 1:
			if (processes[p].activity == HAS_SENT)
				do_report(p);
			else if (processes[p].activity == MAY_SEND && time_of(p) >= now)
			{
				check_send(p);
				processes[p].activity = HAS_SENT;
				processes[p].time = 0;
			}
			break;
		case 2:
			if (wants_to_send(p))
				do_leave(p);
			break;
	}
}

#define ACTIONS 3

/* The caller's duty: whoever has come to the head is woken. */
static void
wake_head(int before)
{
	int			head = limiter_head(&limiter);

	if (head >= 0 && head != before && processes[head].activity == IN_LINE)
		processes[head].time = 0;
}

static void
act_and_wake(int p, int action)
{
	int			before = limiter_head(&limiter);

	act(p, action);
	wake_head(before);
}

/* An empty line is forgotten, and made anew by one who joins it. */
static void
make_anew(void)
{
	int			before = limiter_head(&limiter);
	bool		empty = limiter_empty(&limiter, now);
	int			p = 0;

	wake_head(before);
	while (p < PROCESSES && processes[p].activity != OUT)
		p++;
	if (p == PROCESSES || !empty)
		return;
	limiter_begin(&limiter, limiter_sent_us(&limiter));
	truly_held = limiter_held_us(&limiter);
	do_join(p);
}

/* What may happen in a state, by number; false: there is no such number. */
static bool
happen(int number)
{
	switch (number - ACTIONS * PROCESSES)
	{
		case 0:
			pass_time();
			return true;
		case 1:
			truly_held = now + HOLD_STEPS * (int64_t) STEP;
			limiter_hold(&limiter, truly_held);
			return true;
		case 2:
			/* one that is shorter, or has passed, changes nothing */
			limiter_hold(&limiter, now + STEP);
			if (truly_held < now + STEP)
				truly_held = now + STEP;
			return true;
		case 3:
			make_anew();
			return true;
		case 4:
			return false;
		default:
			act_and_wake(number / ACTIONS, number % ACTIONS);
			return true;
	}
}

/*
 * The same, and that no turn is nearer after it than was said before, unless
 * somebody left who was to send first.
 */
static bool
happen_as_told(int number)
{
	Limiter		was = limiter;
	int64_t		turns[PROCESSES];
	int			reporter = -1;
	int			i;
	int			j;

	for (i = 0; i < was.count; i++)
		turns[i] = limiter_turn_us(&limiter, was.line[i].ticket, now);
	if (number < ACTIONS * PROCESSES && number % ACTIONS == 1)
		reporter = number / ACTIONS;
	if (!happen(number))
		return false;
	for (i = 0; i < was.count; i++)
	{
		uint32_t	ticket = was.line[i].ticket;
		bool		all = place_of(ticket) >= 0;

		for (j = 0; j < i; j++)
			if (was.line[j].owner != reporter &&
				place_of(was.line[j].ticket) < 0)
				all = false;
		if (!all)
			continue;
		assert_true(limiter_turn_us(&limiter, ticket, now) >= turns[i]);
		/* it came true */
		if (limiter.line[0].ticket == ticket && limiter.line[0].granted)
			assert_true(turns[i] <= now);
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
		State	   *more;

		maxstates = maxstates == 0 ? 1 << 16 : maxstates * 2;
		more = realloc(states, maxstates * sizeof(State));
		assert_non_null(more);
		states = more;
	}
	states[nstates++] = *state;
	*place = nstates;
}

/*
 * When a process in line has sent at the latest, if all who are not stopped do
 * as they are told.  Each stopped one before it costs a lapse; if it may send,
 * another interval, since it may have done so.
 */
static int64_t
latest_send(int p, int stopped)
{
	const LimiterPlace *head = &limiter.line[0];
	int64_t		longest = INTERVAL(INTERVAL_MAX) + LIMITER_MARGIN_US;
	int64_t		latest = limiter.sent_us + longest;
	int			i;

	if (latest < truly_held)
		latest = truly_held;
	for (i = 0; limiter.line[i].ticket != tickets[p]; i++)
	{
		const LimiterPlace *place = &limiter.line[i];

		/* it begins to count when it is told to ask */
		if (latest < now)
			latest = now;
		if (!(stopped & 1 << place->owner))
			latest += longest;
		else if (place->granted)
			latest = head->seen_us + LIMITER_LAPSE_US + longest;
		else
		{
			if (latest < time_of(place->owner))
				latest = time_of(place->owner);
			latest += LIMITER_LAPSE_US;
		}
		if (latest < truly_held)
			latest = truly_held;
	}
	if (latest < time_of(p))
		latest = time_of(p);
	return latest < now ? now : latest;
}

/* From a state on, who is not stopped sends in time if it does as it is told. */
static void
check_progress(const State *state, int stopped)
{
	int64_t		latest[PROCESSES];
	int			waiting = 0;
	int			i;

	load(state);
	for (i = 0; i < PROCESSES; i++)
		if (!(stopped & 1 << i) && wants_to_send(i) &&
			place_of(tickets[i]) >= 0 && !may_have_lapsed(i))
		{
			waiting |= 1 << i;
			latest[i] = latest_send(i, stopped);
		}
	while (waiting != 0)
	{
		/* twice, for who is woken by one that comes later in this order */
		for (i = 0; i < 2 * PROCESSES; i++)
		{
			int			p = i % PROCESSES;

			if (stopped & 1 << p)
				continue;
			if (processes[p].activity == MAY_SEND ||
				(processes[p].activity == IN_LINE && time_of(p) <= now))
				act_and_wake(p, 0);
			if (processes[p].activity == MAY_SEND)
			{
				act_and_wake(p, 1);
				waiting &= ~(1 << p);
			}
			if (processes[p].activity == HAS_SENT)
				act_and_wake(p, 1);
		}
		for (i = 0; i < PROCESSES; i++)
			if (waiting & 1 << i)
			{
				assert_int_not_equal(processes[i].activity, OUT);
				assert_true(now < latest[i]);
			}
		check_line();
		pass_time();
	}
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
	truly_held = truly_sent;
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
			if (!happen_as_told(number))
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
		{"two intervals", every_state, NULL, NULL, (void *) &intervals[1]},
		{"three intervals", every_state, NULL, NULL, (void *) &intervals[2]},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
