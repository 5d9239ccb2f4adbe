/*
 * limiter.h
 *	  One request after another, by all who use one access key: a queue, and
 *	  when its head may send.
 *
 * It is no table of reservations: who is first in line may send when a
 * request's interval has passed since the last one was sent, so leaving the
 * line costs those behind nothing.  The time of a send is that of the send
 * itself, not of the permission: until it is known, nobody else gets one.
 *
 * It never waits and knows no clock; who calls it holds whatever lock protects
 * it.  Times are microseconds of CLOCK_MONOTONIC, which all processes share.
 */
#ifndef NCLUE_LIMITER_H
#define NCLUE_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Places in one line.  At one request a second the last of so many would wait
 * for minutes.
 */
#ifndef LIMITER_PLACES
#define LIMITER_PLACES 256
#endif

/*
 * Added to each interval, since a request that overtakes on its way, or a clock
 * that runs a little fast on the other side, must not make two arrive too near.
 * Sleeps are rounded to whole milliseconds, which makes it five.
 */
#define LIMITER_MARGIN_US 4000

/*
 * For so long the head of the line may be silent.  Then its process has been
 * stopped: it loses its place, and its permission to send, if it had that.
 */
#define LIMITER_LAPSE_US 2000000

typedef struct LimiterPlace
{
	uint32_t	ticket;
	int			owner;			/* the caller's, to wake it by */
	bool		granted;		/* it may send, and has not yet said that it
								 * did */
	int64_t		interval_us;	/* at least so long after the last send */
	int64_t		seen_us;		/* when it last showed that it is alive; of a
								 * head that waits, when it is to do so */
} LimiterPlace;

/* Without pointers: it lies in shared memory, and a copy is a snapshot. */
typedef struct Limiter
{
	int64_t		sent_us;		/* the last send, or when that was possible
								 * last */
	int64_t		held_us;		/* until then nobody sends */
	int			count;
	LimiterPlace line[LIMITER_PLACES];	/* the head first */
} Limiter;

typedef enum LimiterAnswer
{
	LIMITER_GO,					/* send before *until_us, or ask again before */
	LIMITER_WAIT,				/* ask again at *until_us, or when woken */
	LIMITER_GONE				/* the place has lapsed: join anew */
} LimiterAnswer;

/*
 * Starts an empty line, as if something had been sent at sent_us.  Never
 * raises.
 */
extern void limiter_begin(Limiter *limiter, int64_t sent_us);

/*
 * Joins the line at its end, for one request, on behalf of an owner (not
 * negative).  Returns a ticket, never 0; 0 where there is no place left.
 * *tickets counts all that were handed out, by whatever line, and wraps round:
 * a line that was forgotten and begun anew knows nothing of those of before.
 * Others' places that have lapsed go, so whoever is now at the head is to be
 * woken.  Never raises.
 */
extern uint32_t limiter_join(Limiter *limiter, uint32_t *tickets, int owner,
							 int64_t interval_us, int64_t now_us);

/*
 * Whether a ticket's request may be sent now.  Once it may, each further call
 * renews the permission, which else ends at *until_us.  Others' places that
 * have lapsed go, so whoever is now at the head is to be woken.  Never raises.
 */
extern LimiterAnswer limiter_poll(Limiter *limiter, uint32_t ticket,
								  int64_t now_us, int64_t *until_us);

/*
 * A time before which a ticket's request cannot be sent, if all before it in
 * the line send theirs, whether those behind it stay or not; now where it may
 * already.  INT64_MAX: it has no place.  Never raises.
 */
extern int64_t limiter_turn_us(const Limiter *limiter, uint32_t ticket,
							   int64_t now_us);

/*
 * Notes that a ticket's request was sent, and gives up its place.  A late
 * report, of a place that has lapsed, counts too; sent_us may lie before
 * now_us.  Never raises.
 */
extern void limiter_sent(Limiter *limiter, uint32_t ticket, int64_t sent_us,
						 int64_t now_us);

/*
 * Gives up a place whose request was not sent; nothing happens if it is gone.
 * The head is to be woken, also if it is the same as before: it may be its turn
 * earlier now.  Never raises.
 */
extern void limiter_leave(Limiter *limiter, uint32_t ticket, int64_t now_us);

/*
 * Holds everybody back until then, or until later where that was so before.  A
 * permission that was given already stays.  Never raises.
 */
extern void limiter_hold(Limiter *limiter, int64_t until_us);

/*
 * Until when everybody is held back; in the past where nobody is.  Never
 * raises.
 */
extern int64_t limiter_held_us(const Limiter *limiter);

/*
 * The owner of the place at the head; -1: the line is empty.  Never raises.
 */
extern int	limiter_head(const Limiter *limiter);

/*
 * Whether nobody is in line.  A place that has lapsed goes, so whoever is now at
 * the head is to be woken.  Never raises.
 */
extern bool limiter_empty(Limiter *limiter, int64_t now_us);

/*
 * When something was sent last, or that was possible.  Begun anew at that time
 * an empty line forgets only until when everybody was held back.  Never raises.
 */
extern int64_t limiter_sent_us(const Limiter *limiter);

#endif
