/*
 * fuzz_body.c
 *	  A libFuzzer target: any bytes as an answer's body, read as the extension
 *	  does: page, objects, values, and an error.
 *
 * Not to crash is the least.  Each check below is one that a wrong answer
 * could break in silence.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "iso8601.h"
#include "resource.h"
#include "rfc8259.h"
#include "uri.h"

#define CHECK(condition) \
	((condition) ? (void) 0 : broken(#condition, __LINE__))

extern int	LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
broken(const char *condition, int line)
{
	fprintf(stderr, "fuzz_body.c:%d: not so: %s\n", line, condition);
	abort();
}

/*
 * A copy of its own for each use, so that a read past its end is seen.
 */
static char *
copy_of(const void *bytes, size_t length)
{
	char	   *copy = malloc(length > 0 ? length : 1);

	CHECK(copy != NULL);
	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

/*
 * Whether a text is UTF-8: as a JSON string it would be valid, were it not for
 * what has to be escaped there.
 */
static bool
is_utf8(const char *text, size_t length)
{
	char	   *quoted = malloc(length + 2);
	bool		valid;
	size_t		i;

	CHECK(quoted != NULL);
	quoted[0] = quoted[length + 1] = '"';
	for (i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) text[i];

		quoted[i + 1] = c < ' ' || c == '"' || c == '\\' ? 'x' : text[i];
	}
	valid = rfc8259_judge(quoted, length + 2) == VERDICT_VALID;
	free(quoted);
	return valid;
}

/*
 * A text in an array of so many bytes: terminated, and where what it comes from
 * is UTF-8 it is too, for it is clipped between characters.
 */
static void
check_text(const char *text, size_t size, bool utf8)
{
	size_t		length = strnlen(text, size);

	CHECK(length < size);
	CHECK(!utf8 || is_utf8(text, length));
}

static void
check_failure(const Failure *failure, bool utf8)
{
	check_text(failure->code, sizeof(failure->code), utf8);
	check_text(failure->words, sizeof(failure->words), utf8);
	check_text(failure->message, sizeof(failure->message), utf8);
	check_text(failure->excerpt, sizeof(failure->excerpt), utf8);
}

/*
 * An id in a URL says the same, and nothing else.
 */
static void
check_segment(const char *id, size_t length)
{
	static const char start[] = "/api/v1/tasks/";
	size_t		size = sizeof(start) + 3 * length;
	char	   *target;
	const char *at;
	size_t		i;

	if (!uri_is_segment(id, length))
		return;
	target = malloc(size);
	CHECK(target != NULL);
	CHECK(uri_object(target, size, "/api/v1", "/tasks", id, length));
	CHECK(strncmp(target, start, sizeof(start) - 1) == 0);
	at = target + sizeof(start) - 1;
	CHECK(strcmp(at, ".") != 0 && strcmp(at, "..") != 0);
	for (i = 0; i < length; i++)
	{
		unsigned int byte = (unsigned char) *at;

		CHECK(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~%", *at) != NULL && *at != '\0');
		if (*at == '%')
		{
			CHECK(sscanf(at + 1, "%2X", &byte) == 1);
			at += 2;
		}
		at++;
		CHECK(byte == (unsigned char) id[i]);
	}
	CHECK(*at == '\0');
	free(target);
}

static void
check_value(DocValue value)
{
	size_t		length;
	char	   *written;
	char	   *copy;

	CHECK((value.kind == DOC_ABSENT) == (value.node == NULL));
	if (value.kind == DOC_ABSENT)
		return;
	if (value.kind == DOC_REAL)
		CHECK(isfinite(value.real));
	if (value.kind == DOC_STRING)
	{
		CHECK(value.text[value.length] == '\0');
		CHECK(is_utf8(value.text, value.length));
		copy = copy_of(value.text, value.length);
		/* from 2024-11-11T11:01 to 2024-11-11T11:01:30.123456789+09:00 */
		if (iso8601_form(copy, value.length) != ISO8601_NONE)
			CHECK(value.length >= 16 && value.length <= 35);
		check_segment(copy, value.length);
		free(copy);
	}
	written = doc_text(value.node, &length);
	CHECK(written != NULL && strlen(written) == length);
	CHECK(rfc8259_judge(written, length) == VERDICT_VALID);
	free(written);
}

/*
 * A key's value in one of two spellings that are not the documented one.
 */
static DocValue
spelled(const DocNode *object, const char *key, bool all)
{
	char		other[40];
	size_t		i;

	CHECK(strlen(key) < sizeof(other));
	strcpy(other, key);
	for (i = 0; other[i] != '\0' && (all || i == 0); i++)
		if (other[i] >= 'a' && other[i] <= 'z')
			other[i] -= 'a' - 'A';
	return doc_get(strcmp(other, key) == 0 ? NULL : object, other);
}

static void
check_object(const Resource *resource, DocValue object)
{
	size_t		i;

	check_value(object);
	for (i = 0; i < resource->nfields; i++)
	{
		const char *key = resource->fields[i].key;
		Failure		failure;
		DocValue	value;

		failure_clear(&failure);
		if (doc_find(object.node, key, &value, &failure))
		{
			CHECK(failure.kind == FAILURE_NONE);
			check_value(value);
			if (doc_get(object.node, key).kind != DOC_ABSENT)
				CHECK(doc_get(object.node, key).node == value.node);
			else
				CHECK(spelled(object.node, key, true).kind == DOC_ABSENT ||
					  spelled(object.node, key, false).kind == DOC_ABSENT);
		}
		else
		{
			CHECK(failure.kind == FAILURE_SHAPE);
			CHECK(failure.message[0] != '\0');
			check_failure(&failure, true);
		}
	}
}

static void
check_page(const Resource *resource, const Doc *doc)
{
	Failure		failure;
	DocPage		page;
	int			row;

	failure_clear(&failure);
	if (!doc_page(doc, resource->array_key, &page, &failure))
	{
		CHECK(failure.kind == FAILURE_SHAPE);
		CHECK(failure.message[0] != '\0');
		check_failure(&failure, true);
		return;
	}
	CHECK(failure.kind == FAILURE_NONE);
	CHECK(page.rows >= 0 && page.index >= -1 && page.limit >= -1 &&
		  page.total >= -1);
	for (row = 0; row < page.rows; row++)
	{
		DocValue	object = doc_element(&page, row);

		CHECK(object.kind != DOC_ABSENT);
		check_object(resource, object);
	}
	CHECK(doc_element(&page, page.rows).kind == DOC_ABSENT);
}

/*
 * What is written is read again as the same, and written the same.
 */
static void
check_again(const Doc *doc)
{
	size_t		length;
	size_t		length_again;
	char	   *written = doc_text(doc_root(doc).node, &length);
	char	   *text_again;
	char	   *copy;
	Failure		failure;
	Doc		   *again;

	CHECK(written != NULL);
	copy = copy_of(written, length);
	again = doc_parse(copy, length, &failure);
	free(copy);
	CHECK(again != NULL);
	text_again = doc_text(doc_root(again).node, &length_again);
	CHECK(text_again != NULL && length_again == length &&
		  memcmp(written, text_again, length) == 0);
	free(written);
	free(text_again);
	doc_free(again);
}

static void
check_parse(const unsigned char *data, size_t size, bool utf8)
{
	Verdict		verdict = rfc8259_judge((const char *) data, size);
	Failure		failure;
	Failure		failure_again;
	char	   *body = copy_of(data, size);
	Doc		   *doc;
	Doc		   *again;
	size_t		i;

	failure_clear(&failure);
	doc = doc_parse(body, size, &failure);
	failure_clear(&failure_again);
	again = doc_parse(body, size, &failure_again);
	CHECK((doc == NULL) == (again == NULL));
	CHECK(memcmp(&failure, &failure_again, sizeof(failure)) == 0);
	doc_free(again);
	/* nothing of the body is needed any more */
	free(body);

	CHECK((doc != NULL) == (verdict == VERDICT_VALID));
	if (doc == NULL)
	{
		CHECK(failure.kind == FAILURE_UNREADABLE ||
			  (failure.kind == FAILURE_NOT_JSON && verdict == VERDICT_INVALID));
		CHECK(failure.message[0] != '\0');
		check_failure(&failure, utf8);
		return;
	}
	CHECK(failure.kind == FAILURE_NONE);
	for (i = 0; i < RESOURCES; i++)
	{
		check_page(&resources[i], doc);
		/* a look-up's body is the object */
		check_object(&resources[i], doc_root(doc));
	}
	check_again(doc);
	doc_free(doc);
}

static void
check_fault(const unsigned char *data, size_t size, bool utf8)
{
	static const int statuses[] = {200, 401, 404, 429, 500};
	char	   *body = copy_of(data, size);
	Failure		failure;
	bool		found;
	size_t		i;

	failure_clear(&failure);
	found = doc_fault(body, size, &failure);
	free(body);
	CHECK(failure.kind == FAILURE_NONE);
	CHECK(found || (failure.code[0] == '\0' && failure.words[0] == '\0'));
	CHECK(!found || failure.excerpt[0] == '\0');
	check_failure(&failure, utf8);
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
	{
		FailureKind kind = failure_kind(statuses[i], failure.code);

		CHECK(kind < FAILURE_KINDS);
		/* only 200 can be no failure, and only without a known code */
		CHECK(kind != FAILURE_NONE || statuses[i] == 200);
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	bool		utf8 = is_utf8((const char *) data, size);

	check_parse(data, size, utf8);
	check_fault(data, size, utf8);
	return 0;
}
