/*
 * doc_private.h
 *	  What the files of doc share among themselves.
 *
 * doc.c reads a body, doc_place.c says what is wrong with one, doc_text.c writes
 * a value.  Only these include this header.
 */
#ifndef NCLUE_DOC_PRIVATE_H
#define NCLUE_DOC_PRIVATE_H

#include <jansson.h>

#include "doc.h"

/*
 * A value of jansson's as one of ours; NULL: absent.  Never raises.
 */
extern DocValue doc_value(const json_t *json);

/*
 * Makes *failure say what is wrong with a body: up to which byte (counted from
 * 1), in which element of the page, and what text is there.  Never raises.
 */
extern void doc_refuse(Failure *failure, FailureKind kind, const char *what,
					   const char *body, size_t length, size_t position);

/*
 * Copies the first bytes of a foreign text, each run of white space and control
 * characters folded into one space.  Never raises.
 */
extern void doc_fold(char *target, size_t size,
					 const char *text, size_t length);

#endif
