/*
 * rfc8259.h
 *	  JSON by the grammar of RFC 8259, written from it and knowing no parser:
 *	  what the tests of doc.c and its fuzz target hold it against.
 */
#ifndef NCLUE_RFC8259_H
#define NCLUE_RFC8259_H

#include <stddef.h>

typedef enum Verdict
{
	VERDICT_VALID,
	VERDICT_INVALID,
	VERDICT_LIMIT				/* valid, and beyond a limit that the RFC
								 * (section 9) leaves to the parser, and that
								 * doc.h names */
} Verdict;

/*
 * Judges a body, to its end or where it is nested too deep.  Of one that is
 * beyond a limit in one place and wrong further on a parser may say either.
 */
extern Verdict rfc8259_judge(const char *body, size_t length);

#endif
