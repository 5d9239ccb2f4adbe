/*
 * doc.c
 *	  A body as JSON: pages, objects, values, errors.  Only this file,
 *	  doc_place.c and doc_text.c know jansson.
 *
 * Nothing here may call json_object(): the PostgreSQL backend exports a
 * function of that name, and ours would be the one that is run.
 *
 * Memory.  jansson's lexer does not look whether its token buffer could grow;
 * where it could not, a value loses bytes, an assertion ends the process, or
 * memory behind the buffer is read.  So jansson is given its memory from
 * blocks that belong to the Doc, and a block that cannot be had leaves the
 * parser at once, by longjmp: all that it leaves behind is in the blocks.
 * This also makes doc_free() a few calls instead of one per value.  What
 * jansson frees while it parses stays in the blocks until then, about a third
 * of their bytes.
 */
#include "doc_private.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As aligned as anything that jansson allocates. */
typedef union Unit
{
	void	   *pointer;
	double		real;
	json_int_t	integer;
} Unit;

typedef struct Block
{
	struct Block *next;
	Unit		units[];
} Block;

/* 32 kB: most single objects fit in one, a page of 100 takes about ten. */
#define BLOCK_UNITS (32768 / sizeof(Unit))

struct Doc
{
	const json_t *root;
	Block	   *blocks;
	Unit	   *unused;			/* of the first block */
	size_t		nunused;
	int			users;
};

/* Set while json_loadb() runs. */
static Doc *parsing;
static jmp_buf no_memory;

static void *
take(size_t size)
{
	size_t		wanted = (size + sizeof(Unit) - 1) / sizeof(Unit);
	void	   *taken;

	if (wanted > parsing->nunused)
	{
		size_t		units = wanted > BLOCK_UNITS ? wanted : BLOCK_UNITS;
		Block	   *block;

		block = malloc(offsetof(Block, units) + units * sizeof(Unit));
		if (block == NULL)
			longjmp(no_memory, 1);
		block->next = parsing->blocks;
		parsing->blocks = block;
		parsing->unused = block->units;
		parsing->nunused = units;
	}
	taken = parsing->unused;
	parsing->unused += wanted;
	parsing->nunused -= wanted;
	return taken;
}

static void
keep(void *memory)
{
	(void) memory;
}

/*
 * Parses into doc->root.  Returns false if there is no memory.  The functions
 * found are put back, since the process may use jansson elsewhere.
 */
static bool
load(Doc *doc, const char *body, size_t length, json_error_t *error)
{
	json_malloc_t malloc_before;
	json_free_t free_before;
	bool		enough;

	json_get_alloc_funcs(&malloc_before, &free_before);
	json_set_alloc_funcs(take, keep);
	parsing = doc;
	if (setjmp(no_memory) == 0)
	{
		doc->root = json_loadb(body, length,
							   JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
		enough = true;
	}
	else
		enough = false;
	parsing = NULL;
	json_set_alloc_funcs(malloc_before, free_before);
	return enough;
}

/*
 * Makes *failure say that a body is no JSON.
 */
static void
set_not_json(Failure *failure, const char *what, const char *body,
			 size_t length, size_t position)
{
	doc_refuse(failure, FAILURE_NOT_JSON, what, body, length, position);
	doc_fold(failure->excerpt, sizeof(failure->excerpt), body, length);
}

/*
 * Makes *failure say why jansson refused a body.  What the grammar allows and
 * we cannot hold is told apart from what is no JSON: the former is the
 * service's own answer.
 */
static void
set_refused(Failure *failure, json_error_t *error, const char *body,
			size_t length)
{
	size_t		position = (size_t) error->position;
	const char *limit = NULL;
	const char *wrong = error->text;
	char	   *near;

	switch (json_error_code(error))
	{
		case json_error_numeric_overflow:
			limit = "number out of range";
			break;
		case json_error_stack_overflow:
			limit = "too deep nesting";
			break;
		case json_error_null_byte_in_key:
			limit = "\\u0000 in a key";
			break;
		case json_error_invalid_utf8:
			/* jansson stands before it */
			position++;
			wrong = "no UTF-8";
			break;
		case json_error_premature_end_of_input:
			wrong = "the body ends too soon";
			break;
		case json_error_end_of_input_expected:
			wrong = "more text behind the end";
			break;
		default:
			/* jansson has no code of its own for this */
			if (strncmp(error->text, "invalid Unicode", 15) == 0)
				limit = "half a surrogate pair";
			/* "near" what, is said below, and at length */
			near = strstr(error->text, " near ");
			if (near != NULL)
				*near = '\0';
			break;
	}
	if (limit != NULL)
		doc_refuse(failure, FAILURE_UNREADABLE, limit, body, length, position);
	else
		set_not_json(failure, wrong, body, length, position);
}

/*
 * Skips a byte order mark.
 */
static void
skip_mark(const char **body, size_t *length)
{
	if (*length >= 3 && memcmp(*body, "\xEF\xBB\xBF", 3) == 0)
	{
		*body += 3;
		*length -= 3;
	}
}

Doc *
doc_parse(const char *body, size_t length, Failure *failure)
{
	json_error_t error;
	const char *nul;
	Doc		   *doc;

	skip_mark(&body, &length);
	if (length == 0)
	{
		failure_say(failure, FAILURE_NOT_JSON, "the body is empty");
		failure->excerpt[0] = '\0';
		return NULL;
	}

	/* jansson overlooks a NUL that follows a number or a literal. */
	nul = memchr(body, '\0', length);
	if (nul != NULL)
	{
		set_not_json(failure, "NUL", body, length, (size_t) (nul - body) + 1);
		return NULL;
	}

	doc = malloc(sizeof(*doc));
	if (doc == NULL)
	{
		failure->kind = FAILURE_MEMORY;
		return NULL;
	}
	memset(doc, 0, sizeof(*doc));
	doc->users = 1;
	if (!load(doc, body, length, &error))
	{
		failure->kind = FAILURE_MEMORY;
		doc_free(doc);
		return NULL;
	}
	if (doc->root == NULL)
	{
		set_refused(failure, &error, body, length);
		doc_free(doc);
		return NULL;
	}
	return doc;
}

Doc *
doc_share(Doc *doc)
{
	doc->users++;
	return doc;
}

void
doc_free(Doc *doc)
{
	if (doc == NULL || --doc->users > 0)
		return;
	while (doc->blocks != NULL)
	{
		Block	   *block = doc->blocks;

		doc->blocks = block->next;
		free(block);
	}
	free(doc);
}

DocValue
doc_value(const json_t *json)
{
	DocValue	value;

	memset(&value, 0, sizeof(value));
	if (json == NULL)
	{
		value.kind = DOC_ABSENT;
		return value;
	}
	value.node = (const DocNode *) json;
	switch (json_typeof(json))
	{
		case JSON_NULL:
			value.kind = DOC_NULL;
			break;
		case JSON_TRUE:
		case JSON_FALSE:
			value.kind = DOC_BOOL;
			value.boolean = json_is_true(json);
			break;
		case JSON_INTEGER:
			value.kind = DOC_INTEGER;
			value.integer = json_integer_value(json);
			break;
		case JSON_REAL:
			value.kind = DOC_REAL;
			value.real = json_real_value(json);
			break;
		case JSON_STRING:
			value.kind = DOC_STRING;
			value.text = json_string_value(json);
			value.length = json_string_length(json);
			break;
		case JSON_OBJECT:
			value.kind = DOC_OBJECT;
			break;
		case JSON_ARRAY:
			value.kind = DOC_ARRAY;
			break;
	}
	return value;
}

DocValue
doc_root(const Doc *doc)
{
	return doc_value(doc->root);
}

DocValue
doc_get(const DocNode *object, const char *key)
{
	return doc_value(json_object_get((const json_t *) object, key));
}

static unsigned char
lower(char c)
{
	return (unsigned char) (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool
same_but_for_case(const char *a, const char *b)
{
	while (lower(*a) == lower(*b))
	{
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
	return false;
}

/*
 * A key's value, and how the key and, if there is one, another that might be
 * meant as well are spelled.  Many keys are not there at all, so the way for
 * those is short.
 */
static DocValue
find(const DocNode *node, const char *key, const char **spelled,
	 const char **other)
{
	json_t	   *object = (json_t *) node;	/* iterators take no const */
	const json_t *found = json_object_get(object, key);
	void	   *at;

	*spelled = key;
	*other = NULL;
	if (found != NULL)
		return doc_value(found);
	for (at = json_object_iter(object); at != NULL;
		 at = json_object_iter_next(object, at))
	{
		const char *candidate = json_object_iter_key(at);

		if (!same_but_for_case(candidate, key))
			continue;
		if (found != NULL)
		{
			*other = candidate;
			break;
		}
		found = json_object_iter_value(at);
		*spelled = candidate;
	}
	return doc_value(found);
}

bool
doc_find(const DocNode *object, const char *key, DocValue *value,
		 Failure *failure)
{
	char		message[sizeof(failure->message) + 4];
	const char *spelled;
	const char *other;

	*value = find(object, key, &spelled, &other);
	if (other == NULL)
		return true;
	snprintf(message, sizeof(message),
			 "\"%s\" may be the key \"%s\" or the key \"%s\"",
			 key, spelled, other);
	failure_say(failure, FAILURE_SHAPE, message);
	return false;
}

/*
 * A number of the envelope: an integer from 0 on, or its digits in a string;
 * -1 for anything else.
 */
static int64_t
number_of(DocValue value)
{
	int64_t		number = 0;
	size_t		i;

	if (value.kind == DOC_INTEGER)
		return value.integer < 0 ? -1 : value.integer;
	if (value.kind != DOC_STRING || value.length == 0)
		return -1;
	for (i = 0; i < value.length; i++)
	{
		int			digit = value.text[i] - '0';

		if (digit < 0 || digit > 9 || number > (INT64_MAX - digit) / 10)
			return -1;
		number = number * 10 + digit;
	}
	return number;
}

static const char *
kind_name(DocKind kind)
{
	switch (kind)
	{
		case DOC_ABSENT:
			return "absent";
		case DOC_NULL:
			return "null";
		case DOC_BOOL:
			return "a boolean";
		case DOC_INTEGER:
		case DOC_REAL:
			return "a number";
		case DOC_STRING:
			return "a string";
		case DOC_OBJECT:
			return "an object";
		case DOC_ARRAY:
			return "an array";
	}
	return "";
}

/*
 * Says which keys an object has instead of the one wanted.
 */
static void
name_keys(char *message, size_t size, const char *wanted,
		  const json_t *object)
{
	json_t	   *json = (json_t *) object;	/* iterators take no const */
	const char *before = "; its keys are";
	void	   *at;

	snprintf(message, size, "no \"%s\" in the object", wanted);
	for (at = json_object_iter(json); at != NULL;
		 at = json_object_iter_next(json, at))
	{
		size_t		used = strlen(message);

		snprintf(message + used, size - used, "%s \"%s\"", before,
				 json_object_iter_key(at));
		before = ",";
	}
}

bool
doc_page(const Doc *doc, const char *array_key, DocPage *page,
		 Failure *failure)
{
	DocValue	root = doc_root(doc);
	DocValue	array;
	DocValue	index;
	DocValue	limit;
	DocValue	total;
	char		message[sizeof(failure->message) + 4];

	if (!doc_find(root.node, array_key, &array, failure) ||
		!doc_find(root.node, "index", &index, failure) ||
		!doc_find(root.node, "limit", &limit, failure) ||
		!doc_find(root.node, "total", &total, failure))
		return false;
	if (array.kind == DOC_ARRAY)
	{
		page->array = array.node;
		page->rows = (int) json_array_size((const json_t *) array.node);
		page->index = number_of(index);
		page->limit = number_of(limit);
		page->total = number_of(total);
		return true;
	}

	if (root.kind != DOC_OBJECT)
		snprintf(message, sizeof(message),
				 "the body is %s instead of an object", kind_name(root.kind));
	else if (array.kind == DOC_ABSENT)
		name_keys(message, sizeof(message), array_key, doc->root);
	else
		snprintf(message, sizeof(message), "\"%s\" is %s instead of an array",
				 array_key, kind_name(array.kind));
	failure_say(failure, FAILURE_SHAPE, message);
	return false;
}

DocValue
doc_element(const DocPage *page, int n)
{
	return doc_value(json_array_get((const json_t *) page->array, (size_t) n));
}

/*
 * The value of an error's key, in whatever case; which of several is meant does
 * not matter where all is guessed.
 */
static DocValue
find_any(const DocNode *object, const char *key)
{
	const char *spelled;
	const char *other;

	return find(object, key, &spelled, &other);
}

/*
 * The code under one of the keys that have been seen, as text.
 */
static bool
find_code(const DocNode *object, Failure *failure)
{
	static const char *const keys[] = {"errorCode", "returnCode", "code"};
	char		digits[24];
	size_t		i;

	for (i = 0; i < COUNT(keys); i++)
	{
		DocValue	value = find_any(object, keys[i]);

		if (value.kind == DOC_INTEGER)
		{
			snprintf(digits, sizeof(digits), "%" PRId64, value.integer);
			value.text = digits;
			value.length = strlen(digits);
		}
		else if (value.kind != DOC_STRING || value.length == 0)
			continue;
		failure_clip(failure->code, sizeof(failure->code),
					 value.text, value.length);
		return true;
	}
	return false;
}

/*
 * Likewise the message, with what "details" adds to it.  An "error" that is a
 * string (web frameworks have it beside "message", or alone) comes last.
 */
static bool
find_message(const DocNode *object, Failure *failure)
{
	static const char *const keys[] = {
		"message", "returnMessage", "msg", "details", "error"
	};
	char		both[2 * sizeof(failure->words)];
	size_t		i;

	for (i = 0; i < COUNT(keys); i++)
	{
		DocValue	value = find_any(object, keys[i]);
		DocValue	details = find_any(object, "details");

		if (value.kind != DOC_STRING || value.length == 0)
			continue;
		failure_clip(both, sizeof(failure->words),
					 value.text, value.length);
		if (details.kind == DOC_STRING && details.length > 0 &&
			strcmp(details.text, both) != 0)
		{
			size_t		used = strlen(both);

			snprintf(both + used, sizeof(both) - used, ": %s", details.text);
		}
		failure_clip(failure->words, sizeof(failure->words),
					 both, strlen(both));
		return true;
	}
	return false;
}

bool
doc_fault(const char *body, size_t length, Failure *failure)
{
	Failure		unread;
	Doc		   *doc = doc_parse(body, length, &unread);
	bool		code = false;
	bool		message = false;

	if (doc != NULL)
	{
		const DocNode *root = doc_root(doc).node;
		const DocNode *holders[3];
		size_t		i;

		holders[0] = find_any(root, "error").node;
		holders[1] = find_any(root, "responseError").node;
		holders[2] = root;
		for (i = 0; i < COUNT(holders); i++)
		{
			code = code || find_code(holders[i], failure);
			message = message || find_message(holders[i], failure);
		}
		doc_free(doc);
	}
	if (code || message)
		return true;
	skip_mark(&body, &length);
	doc_fold(failure->excerpt, sizeof(failure->excerpt), body, length);
	return false;
}

const char *
doc_version(void)
{
	return jansson_version_str();
}
