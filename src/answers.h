/*
 * answers.h
 *	  Objects asked for by their ids, one request each.
 */
#ifndef NCLUE_ANSWERS_H
#define NCLUE_ANSWERS_H

#include "core/resource.h"
#include "core/sign.h"
#include "fetch.h"
#include "store.h"

typedef struct Answers Answers;

/* What the service answered. */
typedef struct Answer
{
	SignDigest	id;
	char		status;			/* simplehash's */
	bool		exists;
	StoredBody	body;			/* if it does */
} Answer;

/*
 * Makes an empty set of answers in a context, whose requests are made and
 * bodies kept with what the caller gives; they must live as long.  Raises.
 */
extern Answers *answers_begin(MemoryContext context, Fetch *fetch,
							  Store *store, const Resource *resource);

/*
 * The answer that is kept for an id's digest; NULL if it was not asked for.
 * Lives until the next answers_ask().  Never raises.
 */
extern const Answer *answers_find(const Answers *answers,
								  SignDigest digest);

/*
 * Asks for an id (UTF-8) that can be a path segment, paying from a budget, and
 * keeps the answer.  Raises.
 */
extern void answers_ask(Answers *answers, Budget *budget, const char *id,
						size_t length, SignDigest digest);

/*
 * How many ids were asked for.  Never raises.
 */
extern int64 answers_made(const Answers *answers);

#endif
