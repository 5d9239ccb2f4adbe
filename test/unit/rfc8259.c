/*
 * rfc8259.c
 *	  JSON by the grammar of RFC 8259.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rfc8259.h"

#define DEPTH_MAX 2048

/* What has not been read yet. */
typedef struct Rest
{
	const unsigned char *at;
	const unsigned char *end;
	bool		limit;			/* a value exceeded one */
	bool		deep;			/* it was that of nesting; nothing more is
								 * read */
} Rest;

static bool value(Rest *rest, int depth);

/* The next byte; -1 at the end. */
static int
peek(const Rest *rest)
{
	return rest->at < rest->end ? *rest->at : -1;
}

static bool
take(Rest *rest, int byte)
{
	if (peek(rest) != byte)
		return false;
	rest->at++;
	return true;
}

static void
white_space(Rest *rest)
{
	while (take(rest, ' ') || take(rest, '\t') || take(rest, '\n') ||
		   take(rest, '\r'))
		;
}

static bool
digits(Rest *rest)
{
	const unsigned char *from = rest->at;

	while (peek(rest) >= '0' && peek(rest) <= '9')
		rest->at++;
	return rest->at > from;
}

/*
 * Whether a number without fraction or exponent fits 64 bits with a sign.
 */
static bool
fits(const char *written, size_t length)
{
	const char *most = *written == '-' ? "9223372036854775808" :
	"9223372036854775807";

	if (*written == '-')
	{
		written++;
		length--;
	}
	return length < strlen(most) ||
		(length == strlen(most) && memcmp(written, most, length) <= 0);
}

static bool
number(Rest *rest)
{
	const char *from = (const char *) rest->at;
	bool		integral = true;
	size_t		length;
	char	   *copy;

	take(rest, '-');
	if (!take(rest, '0') && !digits(rest))
		return false;
	if (take(rest, '.'))
	{
		integral = false;
		if (!digits(rest))
			return false;
	}
	if (take(rest, 'e') || take(rest, 'E'))
	{
		integral = false;
		if (!take(rest, '+'))
			take(rest, '-');
		if (!digits(rest))
			return false;
	}
	length = (size_t) ((const char *) rest->at - from);
	if (integral)
		rest->limit |= !fits(from, length);
	else
	{
		copy = malloc(length + 1);
		if (copy == NULL)
			abort();
		memcpy(copy, from, length);
		copy[length] = '\0';
		rest->limit |= !isfinite(strtod(copy, NULL));
		free(copy);
	}
	return true;
}

/*
 * Takes one character in UTF-8 (RFC 3629: the shortest form, no surrogates, up
 * to U+10FFFF).
 */
static bool
character(Rest *rest)
{
	int			first = peek(rest);
	int			more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
	int			i;

	if (first < 0 || (first >= 0x80 && first < 0xC2) || first > 0xF4 ||
		rest->end - rest->at <= more)
		return false;
	for (i = 1; i <= more; i++)
		if ((rest->at[i] & 0xC0) != 0x80)
			return false;
	if ((first == 0xE0 && rest->at[1] < 0xA0) ||
		(first == 0xED && rest->at[1] > 0x9F) ||
		(first == 0xF0 && rest->at[1] < 0x90) ||
		(first == 0xF4 && rest->at[1] > 0x8F))
		return false;
	rest->at += more + 1;
	return true;
}

/* Takes "uXXXX"; -1 where it is something else. */
static long
escaped_unit(Rest *rest)
{
	long		unit = 0;
	int			i;

	if (!take(rest, 'u'))
		return -1;
	for (i = 0; i < 4; i++)
	{
		int			c = peek(rest);

		if (c < 0 || strchr("0123456789abcdefABCDEF", c) == NULL || c == 0)
			return -1;
		unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		rest->at++;
	}
	return unit;
}

/*
 * A string; it is beyond a limit with half a surrogate pair, and a key with
 * NUL.
 */
static bool
string(Rest *rest, bool key)
{
	bool		half = false;	/* the first of a pair has just been read */

	if (!take(rest, '"'))
		return false;
	while (!take(rest, '"'))
	{
		long		unit = 'x';

		if (take(rest, '\\'))
		{
			if (peek(rest) == 'u')
				unit = escaped_unit(rest);
			else if (peek(rest) <= 0 || strchr("\"\\/bfnrt", peek(rest)) == NULL)
				unit = -1;
			else
				rest->at++;
		}
		else if (peek(rest) < ' ' || !character(rest))
			unit = -1;
		if (unit < 0)
			return false;
		if (half != (unit >= 0xDC00 && unit <= 0xDFFF) ||
			(unit == 0 && key))
			rest->limit = true;
		half = unit >= 0xD800 && unit <= 0xDBFF;
	}
	rest->limit |= half;
	return true;
}

/*
 * What is between the brackets of an array or the braces of an object.
 */
static bool
members(Rest *rest, bool object, int depth)
{
	int			close = object ? '}' : ']';

	white_space(rest);
	if (take(rest, close))
		return true;
	do
	{
		white_space(rest);
		if (object)
		{
			if (!string(rest, true))
				return false;
			white_space(rest);
			if (!take(rest, ':'))
				return false;
			white_space(rest);
		}
		if (!value(rest, depth + 1))
			return false;
		white_space(rest);
	} while (take(rest, ','));
	return take(rest, close);
}

static bool
literal(Rest *rest, const char *word)
{
	size_t		length = strlen(word);

	if ((size_t) (rest->end - rest->at) < length ||
		memcmp(rest->at, word, length) != 0)
		return false;
	rest->at += length;
	return true;
}

/*
 * A value's place counts, whatever begins there, except that text which can
 * be no part of any JSON is that first.
 */
static bool
too_deep(Rest *rest)
{
	rest->deep = peek(rest) == '"' ? string(rest, false) :
		peek(rest) >= 0 && (peek(rest) < 0x80 || character(rest));
	return false;
}

static bool
value(Rest *rest, int depth)
{
	if (depth > DEPTH_MAX)
		return too_deep(rest);
	switch (peek(rest))
	{
		case '"':
			return string(rest, false);
		case 't':
			return literal(rest, "true");
		case 'f':
			return literal(rest, "false");
		case 'n':
			return literal(rest, "null");
		case '[':
		case '{':
			rest->at++;
			return members(rest, rest->at[-1] == '{', depth);
		default:
			return number(rest);
	}
}

Verdict
rfc8259_judge(const char *body, size_t length)
{
	Rest		rest;

	memset(&rest, 0, sizeof(rest));
	rest.at = (const unsigned char *) body;
	rest.end = rest.at + length;
	if (length > 0 && memchr(body, '\0', length) != NULL)
		return VERDICT_INVALID;
	if (length >= 3 && memcmp(body, "\xEF\xBB\xBF", 3) == 0)
		rest.at += 3;
	white_space(&rest);
	if (!value(&rest, 1))
		return rest.deep ? VERDICT_LIMIT : VERDICT_INVALID;
	white_space(&rest);
	if (rest.at < rest.end)
		return VERDICT_INVALID;
	return rest.limit ? VERDICT_LIMIT : VERDICT_VALID;
}
