/*
 * doc_place.c
 *	  What is wrong with a body, and where.
 *
 * jansson says at which byte it gave up.  What a person can look for is the
 * object, so the text before that byte is gone through once more: it decides
 * nothing, and may be any bytes.
 */
#include "doc_private.h"

#include <stdio.h>
#include <string.h>

/* Bytes shown of an element's beginning, which has its id, and of the place. */
#define BEGIN_SIZE 72
#define NEAR_SIZE 80
#define NEAR_BEFORE 48

/* An element of an array that is a member of the body's object. */
typedef struct Place
{
	const char *key;			/* the array's; NULL: in no such element */
	size_t		key_length;
	long		element;
	size_t		begin;			/* where the element begins */
} Place;

/*
 * Where a string that begins with the quote at i ends: at its last quote, or
 * where the text does.
 */
static size_t
string_end(const char *text, size_t i, size_t length)
{
	for (i++; i < length && text[i] != '"'; i++)
		if (text[i] == '\\')
			i++;
	return i < length ? i : length;
}

static Place
find_place(const char *body, size_t position)
{
	Place		place = {NULL, 0, 0, 0};
	size_t		string = 0;		/* the last one in the outermost value */
	size_t		string_length = 0;
	bool		object = false; /* that value is an object */
	long		depth = 0;
	size_t		i;

	for (i = 0; i < position; i++)
	{
		size_t		end;

		switch (body[i])
		{
			case '"':
				end = string_end(body, i, position);
				if (depth == 1)
				{
					string = i + 1;
					string_length = end - string;
				}
				i = end;
				break;
			case '[':
			case '{':
				if (depth == 0)
					object = body[i] == '{';
				if (depth == 1 && object && body[i] == '[')
				{
					place.key = body + string;
					place.key_length = string_length;
					place.element = 0;
					place.begin = i + 1;
				}
				depth++;
				break;
			case ']':
			case '}':
				depth--;
				if (depth == 1)
					place.key = NULL;
				break;
			case ',':
				if (depth == 2)
				{
					place.element++;
					place.begin = i + 1;
				}
				break;
			default:
				break;
		}
	}
	return place;
}

void
doc_fold(char *target, size_t size, const char *text, size_t length)
{
	char		folded[sizeof(((Failure *) NULL)->message) + 1];
	size_t		used = 0;
	bool		gap = false;
	size_t		i;

	for (i = 0; i < length && used < sizeof(folded) - 1; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c <= ' ' || c == 0x7F)
		{
			gap = used > 0;
			continue;
		}
		if (gap)
			folded[used++] = ' ';
		gap = false;
		folded[used++] = (char) c;
	}
	failure_clip(target, size, folded, used);
}

/*
 * Appends to a message, as far as there is room.
 */
static void
say(char *message, size_t size, const char *format, const char *text)
{
	size_t		used = strlen(message);

	snprintf(message + used, size - used, format, text);
}

void
doc_refuse(Failure *failure, FailureKind kind, const char *what,
		   const char *body, size_t length, size_t position)
{
	Place		place = find_place(body, position);
	size_t		from = position > NEAR_BEFORE ? position - NEAR_BEFORE : 0;
	char		message[sizeof(failure->message) + 4];
	char		shown[NEAR_SIZE];

	snprintf(message, sizeof(message), "%s at byte %zu", what, position);
	if (place.key != NULL)
	{
		size_t		used = strlen(message);

		failure_clip(shown, BEGIN_SIZE / 2, place.key, place.key_length);
		snprintf(message + used, sizeof(message) - used,
				 ", in element %ld of \"%s\"", place.element, shown);
		if (place.begin >= from)
			from = place.begin;
		else
		{
			doc_fold(shown, BEGIN_SIZE, body + place.begin,
					 length - place.begin);
			say(message, sizeof(message), " that begins \"%s\"", shown);
		}
	}

	/* not from the middle of a character */
	while (from < position && ((unsigned char) body[from] & 0xC0) == 0x80)
		from++;
	doc_fold(shown, sizeof(shown), body + from, length - from);
	if (shown[0] != '\0')
		say(message, sizeof(message), ", near \"%s\"", shown);
	failure_say(failure, kind, message);
}
