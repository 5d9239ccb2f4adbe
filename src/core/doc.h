/*
 * doc.h
 *	  A body as JSON: pages, objects, values, errors.  Nobody else knows jansson.
 */
#ifndef NCLUE_DOC_H
#define NCLUE_DOC_H

#include "failure.h"

typedef struct Doc Doc;			/* a parsed body */
typedef struct DocNode DocNode; /* a value inside one; lives as long as it */

typedef enum DocKind
{
	DOC_ABSENT,
	DOC_NULL,
	DOC_BOOL,
	DOC_INTEGER,
	DOC_REAL,
	DOC_STRING,
	DOC_OBJECT,
	DOC_ARRAY
} DocKind;

/* A value.  What it points to lives as long as its Doc. */
typedef struct DocValue
{
	DocKind		kind;
	bool		boolean;
	int64_t		integer;
	double		real;
	const char *text;			/* UTF-8, may contain NUL, terminated */
	size_t		length;			/* bytes of text */
	const DocNode *node;		/* NULL: absent */
} DocValue;

/* The envelope of a list. */
typedef struct DocPage
{
	const DocNode *array;
	int			rows;
	int64_t		index;			/* as the envelope states it; -1: not stated */
	int64_t		limit;			/* likewise */
	int64_t		total;			/* likewise */
} DocPage;

/*
 * Parses a body: one JSON value in UTF-8 (RFC 8259), a byte order mark before
 * it allowed.  Of equal keys the last counts.  The result is the caller's,
 * freed with doc_free().  NULL with
 *	FAILURE_NOT_JSON (message: what and where; excerpt),
 *	FAILURE_UNREADABLE (message likewise) for what RFC 8259 allows and leaves
 *	to us: nesting beyond 2,048 (a value inside the innermost array or object
 *	counts as one), integers beyond 64 bits, numbers beyond double precision,
 *	unpaired surrogates, NUL in a key; or
 *	FAILURE_MEMORY;
 * nothing else of *failure is touched.  A place is a byte counted from 1, after
 * the mark.  Never raises.
 */
extern Doc *doc_parse(const char *body, size_t length, Failure *failure);
extern void doc_free(Doc *doc);

/*
 * Gives a body to one user more: each frees it, the last one's doc_free() ends
 * it.  Returns the same.  Never raises.
 */
extern Doc *doc_share(Doc *doc);

/*
 * The body's value: of a look-up the object itself.  Never raises.
 */
extern DocValue doc_root(const Doc *doc);

/*
 * Reads a list's envelope.  index, limit and total count as stated where they
 * are integers from 0 on, or strings of such digits.  Keys are found as by
 * doc_find().  False where the body is not an object with an array under
 * array_key, with FAILURE_SHAPE and a message that says what is there instead.
 * Never raises.
 */
extern bool doc_page(const Doc *doc, const char *array_key, DocPage *page,
					 Failure *failure);

/*
 * The page's n-th element, 0 <= n < rows; whatever it is.  Never raises.
 */
extern DocValue doc_element(const DocPage *page, int n);

/*
 * The value of an object's key, exactly spelled; DOC_ABSENT where the node is
 * no object or has no such key.  Never raises.
 */
extern DocValue doc_get(const DocNode *object, const char *key);

/*
 * The same of a key that the API documents: where it is not there as it is
 * spelled, the one that differs from it in the case of ASCII letters only.
 * False where there are several of those, with FAILURE_SHAPE and a message that
 * names them; of *failure nothing else is touched.  Never raises.
 */
extern bool doc_find(const DocNode *object, const char *key, DocValue *value,
					 Failure *failure);

/*
 * Finds error code and message in a body of any shape that the API's
 * documentation and third parties have shown, and puts them, clipped, into
 * code and words of *failure: {"error":{"errorCode","message","details"}}, the same unwrapped,
 * {"responseError":{"returnCode","returnMessage"}}, {"code","msg"|"message"};
 * codes may be strings or integers, "error" may be the message itself; keys may
 * be in another case.  Where
 * nothing is found (HTML, XML, empty), fills the excerpt with the first bytes,
 * white space and control characters folded.  Nothing else of *failure is
 * touched.  Returns whether a code or message was found.  Never raises.
 */
extern bool doc_fault(const char *body, size_t length, Failure *failure);

/*
 * A value as compact JSON text, keys in their order, reals in the shortest
 * form that reads back as the same double (with a fraction or exponent, so
 * that they stay reals), NUL as \u0000.  malloc'ed, the caller's; *length bytes
 * and a terminator.  NULL if there is no memory.  Never raises.
 */
extern char *doc_text(const DocNode *node, size_t *length);

/*
 * jansson's version as it runs; static.  Never raises.
 */
extern const char *doc_version(void);

#endif
