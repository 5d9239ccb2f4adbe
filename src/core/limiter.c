/*
 * limiter.c
 *	  One request after another, by all who use one access key.
 */
#include "limiter.h"

#include <string.h>

#define NOT_FOUND (-1)

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void
limiter_begin(Limiter *limiter, int64_t sent_us)
{
	memset(limiter, 0, sizeof(*limiter));
	limiter->sent_us = sent_us;
	limiter->held_us = sent_us;
}

static int
find(const Limiter *limiter, uint32_t ticket)
{
	int			i;

	for (i = 0; i < limiter->count; i++)
		if (limiter->line[i].ticket == ticket)
			return i;
	return NOT_FOUND;
}

/*
 * Whoever comes to the head has not been silent there yet; now_us was read
 * before the lock was taken, so it may lie before that place's joining.
 */
static void
remove_place(Limiter *limiter, int i, int64_t now_us)
{
	limiter->count--;
	memmove(&limiter->line[i], &limiter->line[i + 1],
			(size_t) (limiter->count - i) * sizeof(LimiterPlace));
	if (i == 0 && limiter->count > 0)
		limiter->line[0].seen_us = later(limiter->line[0].seen_us, now_us);
}

/*
 * When the head may send while so many stay in line, the head among them.  Of
 * different intervals the longest holds: they are told to be limits of one key.
 */
static int64_t
due_us(const Limiter *limiter, int places)
{
	int64_t		longest = 0;
	int			i;

	for (i = 0; i < places; i++)
		longest = later(longest, limiter->line[i].interval_us);
	return later(limiter->sent_us + longest + LIMITER_MARGIN_US,
				 limiter->held_us);
}

/*
 * When the head has been silent for too long.
 */
static int64_t
lapse_us(const Limiter *limiter)
{
	const LimiterPlace *head = &limiter->line[0];

	if (head->granted)
		return head->seen_us + LIMITER_LAPSE_US;
	return later(head->seen_us, due_us(limiter, limiter->count)) +
		LIMITER_LAPSE_US;
}

/*
 * Takes the head's place away if it has lapsed; the next one begins to count
 * only now.  If it was permitted to send, it may have done so at the last
 * moment.
 */
static void
drop_lapsed(Limiter *limiter, int64_t now_us)
{
	int64_t		lapse = lapse_us(limiter);

	if (limiter->count == 0 || now_us < lapse)
		return;
	if (limiter->line[0].granted)
		limiter->sent_us = later(limiter->sent_us, lapse);
	remove_place(limiter, 0, now_us);
}

uint32_t
limiter_join(Limiter *limiter, uint32_t *tickets, int owner,
			 int64_t interval_us, int64_t now_us)
{
	LimiterPlace *place;

	/* one that has lapsed makes room */
	drop_lapsed(limiter, now_us);
	if (limiter->count == LIMITER_PLACES)
		return 0;
	do
		++*tickets;
	while (*tickets == 0 || find(limiter, *tickets) != NOT_FOUND);
	place = &limiter->line[limiter->count++];
	place->ticket = *tickets;
	place->owner = owner;
	place->granted = false;
	place->interval_us = interval_us;
	place->seen_us = now_us;
	return place->ticket;
}

LimiterAnswer
limiter_poll(Limiter *limiter, uint32_t ticket, int64_t now_us,
			 int64_t *until_us)
{
	LimiterPlace *head = &limiter->line[0];

	/* who comes back before others have noticed has lost nothing */
	if (head->ticket != ticket)
		drop_lapsed(limiter, now_us);
	switch (find(limiter, ticket))
	{
		case NOT_FOUND:
			return LIMITER_GONE;
		case 0:
			*until_us = due_us(limiter, limiter->count);
			if (!head->granted && now_us < *until_us)
			{
				/* it is asleep until then, even if a slower one leaves */
				head->seen_us = *until_us;
				return LIMITER_WAIT;
			}
			head->granted = true;
			head->seen_us = now_us;
			*until_us = head->seen_us + LIMITER_LAPSE_US;
			return LIMITER_GO;
		default:
			*until_us = lapse_us(limiter);
			return LIMITER_WAIT;
	}
}

int64_t
limiter_turn_us(const Limiter *limiter, uint32_t ticket, int64_t now_us)
{
	int			place = find(limiter, ticket);
	int64_t		turn;
	int			i;

	if (place == NOT_FOUND)
		return INT64_MAX;
	/* those behind may leave; who may send had not when it last asked */
	if (limiter->line[0].granted)
		turn = limiter->line[0].seen_us;
	else
		turn = later(now_us, due_us(limiter, place + 1));
	for (i = 1; i <= place; i++)
		turn = later(turn + limiter->line[i].interval_us + LIMITER_MARGIN_US,
					 limiter->held_us);
	return later(turn, now_us);
}

void
limiter_sent(Limiter *limiter, uint32_t ticket, int64_t sent_us,
			 int64_t now_us)
{
	int			place = find(limiter, ticket);

	limiter->sent_us = later(limiter->sent_us, sent_us);
	if (place != NOT_FOUND)
		remove_place(limiter, place, now_us);
}

void
limiter_leave(Limiter *limiter, uint32_t ticket, int64_t now_us)
{
	int			place = find(limiter, ticket);

	if (place != NOT_FOUND)
		remove_place(limiter, place, now_us);
}

void
limiter_hold(Limiter *limiter, int64_t until_us)
{
	limiter->held_us = later(limiter->held_us, until_us);
}

int64_t
limiter_held_us(const Limiter *limiter)
{
	return limiter->held_us;
}

int
limiter_head(const Limiter *limiter)
{
	return limiter->count > 0 ? limiter->line[0].owner : -1;
}

bool
limiter_empty(Limiter *limiter, int64_t now_us)
{
	drop_lapsed(limiter, now_us);
	return limiter->count == 0;
}

int64_t
limiter_sent_us(const Limiter *limiter)
{
	return limiter->sent_us;
}
