/*
 * iso8601.c
 *	  The forms in which the service may write a time.
 *
 * PostgreSQL reads far more than these forms ("today", "Nov 11 2024", names of
 * zones).  Anything but them is refused before it gets there, so that a value
 * the API never documented cannot turn into a plausible time.
 */
#include "iso8601.h"

#include <stdbool.h>

/* What of the text has not been read yet. */
typedef struct Rest
{
	const char *at;
	const char *end;
} Rest;

static bool
next_is(const Rest *rest, const char *characters)
{
	if (rest->at == rest->end)
		return false;
	for (; *characters != '\0'; characters++)
	{
		if (*rest->at == *characters)
			return true;
	}
	return false;
}

static bool
skip(Rest *rest, const char *characters)
{
	if (!next_is(rest, characters))
		return false;
	rest->at++;
	return true;
}

/*
 * Reads exactly so many digits, as a number from lowest to highest.
 */
static bool
number(Rest *rest, int digits, int lowest, int highest)
{
	int			value = 0;

	for (; digits > 0; digits--)
	{
		if (!next_is(rest, "0123456789"))
			return false;
		value = value * 10 + (*rest->at++ - '0');
	}
	return lowest <= value && value <= highest;
}

static bool
fraction(Rest *rest)
{
	int			digits = 0;

	while (skip(rest, "0123456789"))
		digits++;
	return 1 <= digits && digits <= 9;
}

static bool
date(Rest *rest)
{
	return number(rest, 4, 0, 9999) && skip(rest, "-") &&
		number(rest, 2, 1, 12) && skip(rest, "-") &&
		number(rest, 2, 1, 31);
}

static bool
time_of_day(Rest *rest)
{
	if (!number(rest, 2, 0, 23) || !skip(rest, ":") ||
		!number(rest, 2, 0, 59))
		return false;
	if (!skip(rest, ":"))
		return true;
	if (!number(rest, 2, 0, 60))
		return false;
	return !skip(rest, ".,") || fraction(rest);
}

static bool
offset(Rest *rest)
{
	if (skip(rest, "Zz"))
		return true;
	if (!skip(rest, "+-") || !number(rest, 2, 0, 15))
		return false;
	if (rest->at == rest->end)
		return true;
	skip(rest, ":");
	return number(rest, 2, 0, 59);
}

Iso8601
iso8601_form(const char *text, size_t length)
{
	Rest		rest;

	rest.at = text;
	rest.end = text +length;

	if (!date(&rest) || !skip(&rest, "Tt ") || !time_of_day(&rest))
		return ISO8601_NONE;
	if (rest.at == rest.end)
		return ISO8601_LOCAL;
	if (!offset(&rest) || rest.at != rest.end)
		return ISO8601_NONE;
	return ISO8601_OFFSET;
}
