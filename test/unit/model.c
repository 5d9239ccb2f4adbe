/*
 * model.c
 *	  Every way in which a list can move while it is walked.
 *
 * The state of walk, server and reader is one struct without pointers, so
 * trying all that can happen next is a copy and a call.  Ways that lead to the
 * same state (most do: changes between two requests commute) are followed once
 * and counted as often as they come, as long as a table of states remembers.
 */
#include "model_range.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A request under way or a page held.  Objects are bits. */
typedef struct ModelPage
{
	int64_t		row;
	int64_t		index;
	int64_t		total;
	uint32_t	objects;
	int16_t		limit;			/* as asked; then as the walk sees it */
	int16_t		served;
} ModelPage;

typedef struct ModelState
{
	Walk		walk;
	ModelPage	open[MODEL_AHEAD];	/* in the order asked */
	ModelPage	held[MODEL_AHEAD];	/* lowest first */
	uint32_t	stayed;			/* objects in the list from the start */
	uint32_t	known;			/* to the reader */
	uint8_t		list[MODEL_EVER];
	uint8_t		length;
	uint8_t		longest;		/* length at most */
	uint8_t		made;			/* objects ever */
	uint8_t		nopen;
	uint8_t		nheld;
	uint8_t		changes;		/* made so far */
	uint8_t		heads;			/* of them, created or changed */
	uint8_t		cuts;			/* made so far */
	uint8_t		cut;			/* of the next page served: 1 + rows left */
	uint8_t		asked;
	uint8_t		gains;			/* pages that brought something */
	uint8_t		idle;			/* pages since that did not */
	uint8_t		served;			/* whether anything was */
	ModelRange	range;			/* where one is read; the last member */
} ModelState;

/*
 * States seen, and the schedules from there on.  Newer ones replace older.  One
 * table for all checks: each starts its hashes elsewhere.
 */
typedef struct Seen
{
	uint64_t	hash;
	uint64_t	schedules;
} Seen;

#define SEEN_BITS 20

static Seen states_seen[1 << SEEN_BITS];
static uint64_t checks;

/* What happened, to be printed where it ends badly. */
typedef struct Note
{
	const char *format;
	int			a;
	int			b;
} Note;

#define TRACE_MAX 200

typedef struct Checker
{
	const Model *model;
	ModelCount *count;
	Note		trace[TRACE_MAX];
	int			ntrace;
	bool		broken;
} Checker;

static uint64_t explore(Checker *checker, ModelState *state);
static uint64_t serve_each(Checker *checker, const ModelState *state);
static uint64_t change_each(Checker *checker, const ModelState *state);
static uint64_t finish(Checker *checker, ModelState *state, WalkStep step);
static bool ask(Checker *checker, ModelState *state, WalkStep *step);
static void serve(Checker *checker, ModelState *state, int n);
static void judge(Checker *checker, ModelState *state);
static void hold(Checker *checker, ModelState *state, const ModelPage *page);
static void judge_held(Checker *checker, ModelState *state);
static void learn(Checker *checker, ModelState *state, const ModelPage *page,
				  int lead);
static WalkPage seen_by_walk(const Model *model, const ModelState *state,
							 const ModelPage *page);
static void insert(ModelState *state, int place, int object);
static int	withdraw(ModelState *state, int place);
static int	heads(const Model *model);
static int	page_rows(const Model *model);
static int	still_cost(const Model *model, int objects);
static void judge_cost(Checker *checker, const ModelState *state);
static void complain(Checker *checker, const char *what);
static uint64_t hash_state(const Model *model, const ModelState *state);
static int	bits(uint32_t set);
static void note(Checker *checker, const char *format, int a, int b);

bool
model_check(const Model *model, ModelCount *count)
{
	Checker		checker;
	ModelState	state;
	int			i;

	memset(&checker, 0, sizeof(checker));
	checker.model = model;
	checker.count = count;
	checks++;

	memset(&state, 0, sizeof(state));
	if (model->want > 0)
	{
		walk_begin_range(&state.walk, &model->walk, model->first, model->want);
		range_begin(&state.range, model->objects);
	}
	else
		walk_begin(&state.walk, &model->walk);
	for (i = 0; i < model->objects; i++)
		state.list[i] = (uint8_t) i;
	state.length = state.longest = state.made = (uint8_t) model->objects;
	state.stayed = ((uint32_t) 1 << model->objects) - 1;

	count->schedules += explore(&checker, &state);
	return !checker.broken;
}

/*
 * Follows all that can happen from a state on.  Returns the number of ways.
 */
static uint64_t
explore(Checker *checker, ModelState *state)
{
	WalkStep	step;
	uint64_t	hash;
	uint64_t	schedules;
	Seen	   *seen;
	int			ntrace = checker->ntrace;

	if (!ask(checker, state, &step))
		schedules = 0;
	else if (step != WALK_WAIT)
		schedules = finish(checker, state, step);
	else
	{
		hash = hash_state(checker->model, state);
		seen = &states_seen[hash >> (64 - SEEN_BITS)];
		if (seen->hash == hash)
			schedules = seen->schedules;
		else
		{
			checker->count->steps++;
			schedules = serve_each(checker, state);
			schedules += change_each(checker, state);
			seen->hash = hash;
			seen->schedules = schedules;
		}
	}
	checker->ntrace = ntrace;
	return schedules;
}

static uint64_t
serve_each(Checker *checker, const ModelState *state)
{
	uint64_t	schedules = 0;
	int			ntrace = checker->ntrace;
	int			n;

	for (n = 0; n < state->nopen && !checker->broken; n++)
	{
		ModelState	next = *state;
		WalkStep	step = WALK_WAIT;

		if (next.open[n].served)
			continue;
		serve(checker, &next, n);
		while (step == WALK_WAIT && next.nopen > 0 && next.open[0].served)
		{
			judge(checker, &next);
			if (!ask(checker, &next, &step))
				break;
		}
		schedules += explore(checker, &next);
		checker->ntrace = ntrace;
	}
	return schedules;
}

/*
 * Before anything was served a change only makes another list to start with.
 */
static uint64_t
change_each(Checker *checker, const ModelState *state)
{
	const Model *model = checker->model;
	uint64_t	schedules = 0;
	int			ntrace = checker->ntrace;
	int			place;

	if (!state->served)
		return 0;

	for (place = 0; state->cuts < model->cuts && state->cut == 0 &&
		 place < model->walk.size && !checker->broken; place++)
	{
		ModelState	next = *state;

		next.cuts++;
		next.cut = (uint8_t) (1 + place);
		note(checker, "next page cut to %d", place, 0);
		schedules += explore(checker, &next);
		checker->ntrace = ntrace;
	}

	if (state->changes == model->changes)
		return schedules;

	for (place = 0; place < state->length && !checker->broken; place++)
	{
		ModelState	next = *state;
		int			object = withdraw(&next, place);

		next.changes++;
		next.stayed &= ~((uint32_t) 1 << object);
		note(checker, "delete %c", 'a' + object, 0);
		schedules += explore(checker, &next);
		checker->ntrace = ntrace;
	}

	if (model->jumping && state->heads == heads(model))
		return schedules;

	for (place = model->jumping ? 1 : state->length + 1;
		 model->jumping && place < state->length && !checker->broken; place++)
	{
		ModelState	next = *state;
		int			object = withdraw(&next, place);

		insert(&next, 0, object);
		next.changes++;
		next.heads++;
		note(checker, "change %c", 'a' + object, 0);
		schedules += explore(checker, &next);
		checker->ntrace = ntrace;
	}

	for (place = 0; place <= (model->jumping ? 0 : state->length) &&
		 !checker->broken; place++)
	{
		ModelState	next = *state;

		if (model->want > 0)
			range_insert(&next.range, next.made,
						 place > 0 ? next.list[place - 1] : -1);
		insert(&next, place, next.made);
		next.made++;
		next.changes++;
		next.heads++;
		note(checker, "create %c at %d", 'a' + state->made, place);
		schedules += explore(checker, &next);
		checker->ntrace = ntrace;
	}
	return schedules;
}

static uint64_t
finish(Checker *checker, ModelState *state, WalkStep step)
{
	const Model *model = checker->model;
	bool		cut_off = state->range.cut_off;
	UriPage		page;

	if (walk_ask(&state->walk, &page) != step)
		complain(checker, "the end did not stay");
	if (step == WALK_END)
	{
		if (model->want > 0)
		{
			const char *broken = range_broken(&state->range, model,
											  state->stayed,
											  state->changes == 0);

			if (broken != NULL)
				complain(checker, broken);
		}
		else if (state->stayed & ~state->known)
			complain(checker, "an object was lost");
		judge_cost(checker, state);
	}
	else
	{
		checker->count->failures++;
		if (!model->may_fail && !(cut_off && step == WALK_MOVES))
			complain(checker, "it failed");
	}
	if (cut_off && step != (state->gains > 0 ? WALK_MOVES : WALK_UNIT))
		complain(checker, "a range that lost its place went on");
	return 1;
}

/*
 * Asks all that can be asked now.  What cannot be anything but an answer to
 * come, an end or a failure, is the step.
 */
static bool
ask(Checker *checker, ModelState *state, WalkStep *step)
{
	const Model *model = checker->model;
	UriPage		page;

	while ((*step = walk_ask(&state->walk, &page)) == WALK_SEND)
	{
		ModelPage  *open = &state->open[state->nopen];

		note(checker, "ask %d+%d", (int) page.row, page.limit);
		if (state->nopen == model->walk.ahead)
			complain(checker, "more under way than allowed");
		else if (page.row < 0 || page.index < 0 || page.limit < 1 ||
				 page.limit > (model->walk.by_page ? URI_LIMIT_MAX :
							   model->walk.size))
			complain(checker, "no such page");
		else if (++state->asked > 12 + 2 * state->gains)
			complain(checker, "more requests than the bound");
		if (checker->broken)
			return false;

		open->row = page.row;
		open->index = page.index;
		open->limit = (int16_t) page.limit;
		state->nopen++;
	}
	if (*step == WALK_WAIT && state->nopen == 0)
		complain(checker, "it waits for nothing");
	else if (*step == WALK_END && state->nopen > 0)
		complain(checker, "it ends before the last answer");
	return !checker->broken;
}

static void
serve(Checker *checker, ModelState *state, int n)
{
	const Model *model = checker->model;
	ModelPage  *page = &state->open[n];
	int			limit = page->limit;
	int			rows = 0;
	int64_t		place;

	if (model->clamp > 0 && limit > model->clamp)
		limit = model->clamp;
	if (model->clamp_stated)
		page->limit = (int16_t) limit;
	if (model->fixed > 0)
	{
		limit = model->fixed;
		if (page->limit > limit)
			page->limit = (int16_t) limit;
	}
	if (model->want > 0)
		range_serve(&state->range, model, state->list, state->length);
	place = model->walk.by_page ? page->index * limit : page->index;
	if (state->cut > 0)
	{
		if (limit > state->cut - 1)
			limit = state->cut - 1;
		state->cut = 0;
	}

	for (; place < state->length && rows < limit; place++, rows++)
		page->objects |= (uint32_t) 1 << state->list[place];

	switch (model->total)
	{
		case MODEL_GRAND:
			page->total = state->length;
			break;
		case MODEL_PAGE:
			page->total = rows;
			break;
		case MODEL_MISSING:
			page->total = -1;
			break;
		case MODEL_CONSTANT:
			page->total = model->wrong_total;
			break;
		case MODEL_OFF:
			page->total = state->length + model->wrong_total;
			if (page->total < 0)
				page->total = 0;
			break;
	}
	page->served = 1;
	state->served = 1;
	note(checker, "serve row %d: %d rows", (int) page->row, rows);
}

/*
 * The reader: judges the oldest page under way, and all held ones after each
 * page that was taken.
 */
static void
judge(Checker *checker, ModelState *state)
{
	ModelPage	page = state->open[0];
	WalkPage	seen = seen_by_walk(checker->model, state, &page);

	state->range.cut_off = checker->model->want > 0 && state->asked > 1 &&
		seen.row == 0 && seen.known == 0;
	state->nopen--;
	memmove(&state->open[0], &state->open[1],
			state->nopen * sizeof(ModelPage));
	memset(&state->open[state->nopen], 0, sizeof(ModelPage));

	switch (walk_judge(&state->walk, &seen))
	{
		case WALK_TAKE:
			note(checker, "take row %d, %d known", (int) page.row, seen.known);
			learn(checker, state, &page, seen.lead);
			judge_held(checker, state);
			break;
		case WALK_HOLD:
			note(checker, "hold row %d", (int) page.row, 0);
			hold(checker, state, &page);
			break;
		case WALK_DROP:
			note(checker, "drop row %d", (int) page.row, 0);
			break;
	}
}

static void
hold(Checker *checker, ModelState *state, const ModelPage *page)
{
	int			room = checker->model->held;
	int			n;

	if (room == 0)
		room = checker->model->walk.ahead;
	for (n = state->nheld; n > 0 && state->held[n - 1].row > page->row; n--)
	{
		if (n < room)
			state->held[n] = state->held[n - 1];
	}
	if (n < room)
	{
		state->held[n] = *page;
		if (state->nheld < room)
			state->nheld++;
	}
}

static void
judge_held(Checker *checker, ModelState *state)
{
	int			n = 0;

	while (n < state->nheld)
	{
		ModelPage	page = state->held[n];
		WalkPage	seen = seen_by_walk(checker->model, state, &page);
		WalkVerdict verdict = walk_again(&state->walk, &seen);

		if (verdict == WALK_HOLD)
		{
			n++;
			continue;
		}
		state->nheld--;
		memmove(&state->held[n], &state->held[n + 1],
				(size_t) (state->nheld - n) * sizeof(ModelPage));
		memset(&state->held[state->nheld], 0, sizeof(ModelPage));
		if (verdict == WALK_TAKE)
		{
			note(checker, "take held row %d, %d known", (int) page.row,
				 seen.known);
			learn(checker, state, &page, seen.lead);
			n = 0;
		}
		else
			note(checker, "drop held row %d", (int) page.row, 0);
	}
}

static void
learn(Checker *checker, ModelState *state, const ModelPage *page, int lead)
{
	uint32_t	gain = checker->model->want > 0 ?
	range_learn(&state->range, lead, page->objects) :
	page->objects & ~state->known;

	if (gain != 0)
	{
		state->gains++;
		state->idle = 0;
	}
	else if (++state->idle > 7)
		complain(checker, "more idle pages than the bound");
	state->known |= gain;
}

static WalkPage
seen_by_walk(const Model *model, const ModelState *state,
			 const ModelPage *page)
{
	WalkPage	seen;

	seen.row = page->row;
	seen.limit = page->limit;
	seen.rows = bits(page->objects);
	seen.known = bits(page->objects & state->known);
	seen.lead = model->want == 0 ? 0 :
		range_lead(&state->range, model, page->row, page->objects);
	seen.total = page->total;
	return seen;
}

static void
insert(ModelState *state, int place, int object)
{
	memmove(&state->list[place + 1], &state->list[place],
			(size_t) (state->length - place));
	state->list[place] = (uint8_t) object;
	state->length++;
	if (state->length > state->longest)
		state->longest = state->length;
}

static int
withdraw(ModelState *state, int place)
{
	int			object = state->list[place];

	state->length--;
	memmove(&state->list[place], &state->list[place + 1],
			(size_t) (state->length - place));
	state->list[state->length] = 0;
	return object;
}

/*
 * More than these would push one of them out of the head's page.
 */
static int
heads(const Model *model)
{
	return model->heads > 0 ? model->heads : page_rows(model) - 1;
}

static int
page_rows(const Model *model)
{
	if (model->clamp > 0 && model->clamp < model->walk.size)
		return model->clamp;
	return model->walk.size;
}

/*
 * What the walk of a list that keeps still costs; where total is not grand, one
 * more for the head, unless the last page shows it anyway.
 */
static int
still_cost(const Model *model, int objects)
{
	int			size = page_rows(model);
	UriPage		page = uri_cover(0, size, model->walk.by_page);
	int			requests = 1;

	if (model->want > 0)
		return range_still_cost(model, objects);
	while (page.row + page.limit <= objects)
	{
		page = uri_cover(page.row + page.limit - 1, size, model->walk.by_page);
		requests++;
	}
	if (model->walk.jumps && model->total != MODEL_GRAND && page.row > 0)
		requests++;
	return requests;
}

static void
judge_cost(Checker *checker, const ModelState *state)
{
	const Model *model = checker->model;
	int			excess = state->asked - still_cost(model, state->longest);

	if (excess > checker->count->excess[state->changes])
		checker->count->excess[state->changes] = excess;
	if (model->free_cost)
		return;
	if (state->changes == 0 && excess != 0)
		complain(checker, "a list that kept still cost more or less");
	if (state->changes == 1 && model->walk.ahead == 1 &&
		excess > 1 + (model->walk.jumps && model->want == 0))
		complain(checker, "one change cost too much");
}

static void
complain(Checker *checker, const char *what)
{
	const Model *model = checker->model;
	int			n;

	if (checker->broken)
		return;
	checker->broken = true;
	if (model->quiet)
		return;
	fprintf(stderr, "%s: %s: %d objects, %d from %d on, pages of %d, "
			"%d ahead%s%s%s, total %d (%d)%s\n", model->name, what,
			model->objects, model->want, model->first,
			model->walk.size, model->walk.ahead,
			model->walk.jumps ? ", auto" : "",
			model->walk.by_page ? ", by page" : "",
			model->jumping ? ", jumping" : "",
			(int) model->total, model->wrong_total,
			model->clamp == 0 ? "" :
			model->clamp_stated ? ", clamped" : ", clamped silently");
	for (n = 0; n < checker->ntrace; n++)
	{
		fputs("\t", stderr);
		fprintf(stderr, checker->trace[n].format, checker->trace[n].a,
				checker->trace[n].b);
		fputs("\n", stderr);
	}
}

static void
note(Checker *checker, const char *format, int a, int b)
{
	Note	   *last = &checker->trace[checker->ntrace];

	if (checker->ntrace == TRACE_MAX)
		return;
	last->format = format;
	last->a = a;
	last->b = b;
	checker->ntrace++;
}

/*
 * Padding may differ between equal states: then one is followed twice.
 */
static uint64_t
hash_state(const Model *model, const ModelState *state)
{
	uint64_t	words[(sizeof(*state) + 7) / 8];
	size_t		size = model->want > 0 ? sizeof(*state) :
	offsetof(ModelState, range);
	uint64_t	hash = checks * 0x9e3779b97f4a7c15;
	size_t		n;

	words[(size - 1) / 8] = 0;
	memcpy(words, state, size);
	for (n = 0; n < (size + 7) / 8; n++)
	{
		hash = (hash ^ words[n]) * 0xff51afd7ed558ccd;
		hash ^= hash >> 32;
	}
	return hash;
}

static int
bits(uint32_t set)
{
	int			n = 0;

	for (; set != 0; set &= set - 1)
		n++;
	return n;
}
