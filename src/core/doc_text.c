/*
 * doc_text.c
 *	  A value as JSON text.
 */
#include "doc_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that grows. */
typedef struct Text
{
	char	   *bytes;
	size_t		used;
	size_t		size;
	bool		failed;			/* some is missing for want of memory */
} Text;

static void
append(Text *text, const char *bytes, size_t length)
{
	if (text->failed)
		return;
	if (text->bytes == NULL || length > text->size - text->used)
	{
		size_t		size = 2 * (text->used + length) +256;
		char	   *larger = realloc(text->bytes, size);

		if (larger == NULL)
		{
			text	  ->failed = true;

			return;
		}
		text	  ->bytes = larger;
		text	  ->size = size;
	}
	memcpy(text->bytes + text->used, bytes, length);
	text	  ->used += length;
}

static void
append_string(Text *text, const char *string, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	size_t		done = 0;
	size_t		i;

	append(text, "\"", 1);
	for (i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) string[i];
		char		escape[] = "\\u00..";

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		append(text, string + done, i - done);
		done = i + 1;
		if (c >= ' ')
		{
			escape[1] = (char) c;
			append(text, escape, 2);
		}
		else if (c >= '\b' && c <= '\r' && c != '\v')
		{
			escape[1] = "btn?fr"[c - '\b'];
			append(text, escape, 2);
		}
		else
		{
			escape[4] = hex[c >> 4];
			escape[5] = hex[c & 15];
			append(text, escape, 6);
		}
	}
	append(text, string + done, length - done);
	append(text, "\"", 1);
}

static void
append_real(Text *text, double real)
{
	char		digits[40];
	bool		integral = true;
	int			precision;
	char	   *c;

	/* 17 digits always read back (IEEE 754). */
	for (precision = 1; precision <= 17; precision++)
	{
		snprintf(digits, sizeof(digits), "%.*g", precision, real);
		if (strtod(digits, NULL) == real)
			break;
	}
	for (c = digits; *c != '\0'; c++)
	{
		if (*c >= '0' && *c <= '9')
			continue;
		if (*c != '-' && *c != '+' && *c != 'e')
			*c = '.';			/* the locale's point */
		if (*c != '-' || c > digits)
			integral = false;
	}
	append(text, digits, strlen(digits));
	if (integral)
		append(text, ".0", 2);
}

/*
 * Appends a value.  The recursion is as deep as the parser's, which is bounded.
 */
static void
append_value(Text *text, const json_t *json)	/* NOLINT(misc-no-recursion) */
{
	DocValue	value = doc_value(json);
	json_t	   *object = (json_t *) json;
	char		digits[24];
	void	   *at;
	size_t		i;

	switch (value.kind)
	{
		case DOC_ABSENT:
		case DOC_NULL:
			append(text, "null", 4);
			break;
		case DOC_BOOL:
			if (value.boolean)
				append(text, "true", 4);
			else
				append(text, "false", 5);
			break;
		case DOC_INTEGER:
			snprintf(digits, sizeof(digits), "%" PRId64, value.integer);
			append(text, digits, strlen(digits));
			break;
		case DOC_REAL:
			append_real(text, value.real);
			break;
		case DOC_STRING:
			append_string(text, value.text, value.length);
			break;
		case DOC_OBJECT:
			append(text, "{", 1);
			for (at = json_object_iter(object); at != NULL;
				 at = json_object_iter_next(object, at))
			{
				const char *key = json_object_iter_key(at);

				if (at != json_object_iter(object))
					append(text, ",", 1);
				append_string(text, key, strlen(key));
				append(text, ":", 1);
				append_value(text, json_object_iter_value(at));
			}
			append(text, "}", 1);
			break;
		case DOC_ARRAY:
			append(text, "[", 1);
			for (i = 0; i < json_array_size(json); i++)
			{
				if (i > 0)
					append(text, ",", 1);
				append_value(text, json_array_get(json, i));
			}
			append(text, "]", 1);
			break;
	}
}

char *
doc_text(const DocNode *node, size_t *length)
{
	Text text = {NULL, 0, 0, false};

	append_value(&text, (const json_t *) node);
	append(&text, "", 1);
	if (text.failed)
	{
		free(text.bytes);
		return NULL;
	}
	*length = text.used - 1;
	return text.bytes;
}
