/*
 * churn.c
 *	  Walks of long lists that move at random.
 */
#include "churn.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD_MAX 64
#define MADE_MAX (2 * CHURN_OBJECTS)

/* A request under way or a page held. */
typedef struct Answer
{
	UriPage		page;
	bool		served;
	int64_t		total;
	int			rows;
	int			objects[URI_LIMIT_MAX];
} Answer;

typedef struct Run
{
	const Churn *churn;
	ChurnResult *result;
	Walk		walk;
	uint64_t	random;
	int			list[MADE_MAX];
	int			length;
	int			made;
	int			heads;
	bool		stayed[MADE_MAX];
	bool		known[MADE_MAX];
	Answer		open[AHEAD_MAX];	/* in the order asked */
	int			nopen;
	Answer		held[AHEAD_MAX];	/* lowest first */
	int			nheld;
} Run;

static void ask(Run *run);
static void serve(Run *run, Answer *answer);
static void judge(Run *run);
static void hold(Run *run, const Answer *answer);
static void judge_held(Run *run);
static WalkPage seen_by_walk(const Run *run, const Answer *answer);
static void learn(Run *run, const Answer *answer);
static void move_list(Run *run);
static bool happens(Run *run, int per_thousand);
static int	below(Run *run, int bound);
static void create(Run *run, int place);
static void withdraw(Run *run, int place);
static void change(Run *run, int place);

bool
churn_walk(const Churn *churn, ChurnResult *result)
{
	Run		   *run = calloc(1, sizeof(Run));
	int			n;

	if (run == NULL)
		return false;
	memset(result, 0, sizeof(*result));
	run->churn = churn;
	run->result = result;
	run->random = churn->seed * 2 + 1;
	for (n = 0; n < churn->objects; n++)
	{
		run->list[n] = n;
		run->stayed[n] = true;
	}
	run->length = run->made = result->longest = churn->objects;

	walk_begin(&run->walk, &churn->walk);
	ask(run);
	while (run->nopen > 0)
	{
		do
			n = below(run, run->nopen);
		while (run->open[n].served);
		serve(run, &run->open[n]);
		move_list(run);
		while (run->nopen > 0 && run->open[0].served)
		{
			judge(run);
			ask(run);
		}
	}

	for (n = 0; n < run->made; n++)
		result->lost += run->stayed[n] && !run->known[n];
	free(run);
	return true;
}

static void
ask(Run *run)
{
	UriPage		page;

	while ((run->result->end = walk_ask(&run->walk, &page)) == WALK_SEND)
	{
		memset(&run->open[run->nopen], 0, sizeof(Answer));
		run->open[run->nopen].page = page;
		run->nopen++;
		run->result->asked++;
		if (run->nopen == AHEAD_MAX || run->result->asked > MADE_MAX)
			break;				/* no walk asks so much */
	}
	if (run->result->end != WALK_WAIT)
		run->nopen = 0;
}

static void
serve(Run *run, Answer *answer)
{
	const Churn *churn = run->churn;
	int64_t		place = answer->page.index;
	int			limit = answer->page.limit;

	if (churn->clamp > 0 && limit > churn->clamp)
		limit = churn->clamp;
	if (churn->walk.by_page)
		place *= limit;
	while (place < run->length && answer->rows < limit)
		answer->objects[answer->rows++] = run->list[place++];
	answer->total = churn->grand ? run->length : answer->rows;
	answer->served = true;
	run->result->answered++;
}

static void
judge(Run *run)
{
	Answer		answer = run->open[0];
	WalkPage	seen = seen_by_walk(run, &answer);

	run->nopen--;
	memmove(&run->open[0], &run->open[1],
			(size_t) run->nopen * sizeof(Answer));

	switch (walk_judge(&run->walk, &seen))
	{
		case WALK_TAKE:
			learn(run, &answer);
			judge_held(run);
			break;
		case WALK_HOLD:
			hold(run, &answer);
			break;
		case WALK_DROP:
			break;
	}
}

static void
hold(Run *run, const Answer *answer)
{
	int			n = run->nheld;

	if (n == run->churn->walk.ahead)
	{
		n--;
		if (run->held[n].page.row < answer->page.row)
			return;
	}
	else
		run->nheld++;
	for (; n > 0 && run->held[n - 1].page.row > answer->page.row; n--)
		run->held[n] = run->held[n - 1];
	run->held[n] = *answer;
}

static void
judge_held(Run *run)
{
	int			n = 0;

	while (n < run->nheld)
	{
		Answer		answer = run->held[n];
		WalkPage	seen = seen_by_walk(run, &answer);
		WalkVerdict verdict = walk_again(&run->walk, &seen);

		if (verdict == WALK_HOLD)
		{
			n++;
			continue;
		}
		run->nheld--;
		memmove(&run->held[n], &run->held[n + 1],
				(size_t) (run->nheld - n) * sizeof(Answer));
		if (verdict == WALK_TAKE)
		{
			learn(run, &answer);
			n = 0;
		}
	}
}

static WalkPage
seen_by_walk(const Run *run, const Answer *answer)
{
	WalkPage	seen;
	int			n;

	seen.row = answer->page.row;
	seen.limit = answer->page.limit;
	if (run->churn->stated && run->churn->clamp < seen.limit)
		seen.limit = run->churn->clamp;
	seen.rows = answer->rows;
	seen.known = 0;
	seen.lead = 0;
	for (n = 0; n < answer->rows; n++)
		seen.known += run->known[answer->objects[n]];
	seen.total = answer->total;
	return seen;
}

static void
learn(Run *run, const Answer *answer)
{
	int			n;

	for (n = 0; n < answer->rows; n++)
		run->known[answer->objects[n]] = true;
}

static void
move_list(Run *run)
{
	const Churn *churn = run->churn;

	if (run->result->answered == churn->after)
	{
		if (churn->deletes)
			withdraw(run, churn->place);
		else
			create(run, churn->place);
	}
	if (run->length > 0 && happens(run, churn->rates.deleted))
		withdraw(run, below(run, run->length));
	if (churn->heads > 0 && run->heads == churn->heads)
		return;
	if (run->made < MADE_MAX && happens(run, churn->rates.created))
	{
		switch (churn->order)
		{
			case CHURN_NEWEST_FIRST:
				create(run, 0);
				break;
			case CHURN_BY_NAME:
				create(run, below(run, run->length + 1));
				break;
			case CHURN_OLDEST_FIRST:
				create(run, run->length);
				break;
		}
		run->heads++;
	}
	if (churn->heads > 0 && run->heads == churn->heads)
		return;
	if (run->length > 0 && happens(run, churn->rates.changed))
	{
		change(run, below(run, run->length));
		run->heads++;
	}
}

static bool
happens(Run *run, int per_thousand)
{
	return below(run, 1000) < per_thousand;
}

/* xorshift64*: the same numbers everywhere. */
static int
below(Run *run, int bound)
{
	run->random ^= run->random >> 12;
	run->random ^= run->random << 25;
	run->random ^= run->random >> 27;
	return (int) ((run->random * 0x2545f4914f6cdd1d >> 33) % (uint64_t) bound);
}

static void
create(Run *run, int place)
{
	memmove(&run->list[place + 1], &run->list[place],
			(size_t) (run->length - place) * sizeof(int));
	run->list[place] = run->made++;
	run->length++;
	if (run->length > run->result->longest)
		run->result->longest = run->length;
}

static void
withdraw(Run *run, int place)
{
	run->stayed[run->list[place]] = false;
	run->length--;
	memmove(&run->list[place], &run->list[place + 1],
			(size_t) (run->length - place) * sizeof(int));
}

static void
change(Run *run, int place)
{
	int			object = run->list[place];

	memmove(&run->list[1], &run->list[0], (size_t) place * sizeof(int));
	run->list[0] = object;
}
