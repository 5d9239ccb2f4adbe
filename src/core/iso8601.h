/*
 * iso8601.h
 *	  The forms in which the service may write a time.
 */
#ifndef NCLUE_ISO8601_H
#define NCLUE_ISO8601_H

#include <stddef.h>

typedef enum Iso8601
{
	ISO8601_NONE,				/* not one of the forms below */
	ISO8601_LOCAL,				/* a date and time without an offset */
	ISO8601_OFFSET				/* with Z, +hh, +hhmm or +hh:mm */
} Iso8601;

/*
 * Tells the form of a text: YYYY-MM-DD, then T, t or one space, then hh:mm or
 * hh:mm:ss with an optional fraction of 1 to 9 digits after . or , and an
 * optional offset (Z, z, +hh, +hhmm, +hh:mm, or with -).  Judges the form and
 * the ranges of the numbers that depend on nothing else (month 1-12, day 1-31,
 * hour 0-23, minute 0-59, second 0-60, offset below 16 hours), not the calendar.  Never
 * raises.
 */
extern Iso8601 iso8601_form(const char *text, size_t length);

#endif
