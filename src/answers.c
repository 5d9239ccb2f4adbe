/*
 * answers.c
 *	  Objects asked for by their ids, one request each.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "core/doc.h"
#include "core/uri.h"
#include "answers.h"
#include "arrival.h"
#include "report.h"

#define SH_PREFIX table
#define SH_ELEMENT_TYPE Answer
#define SH_KEY_TYPE SignDigest
#define SH_KEY id
#define SH_HASH_KEY(tb, key) ((uint32) (key).low)
#define SH_EQUAL(tb, a, b) ((a).low == (b).low && (a).high == (b).high)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

struct Answers
{
	MemoryContext scratch;		/* for one request */
	Fetch	   *fetch;
	Store	   *store;
	const Resource *resource;
	table_hash *table;
	Own			doc;			/* the answer being read */
};

Answers *
answers_begin(MemoryContext context, Fetch *fetch, Store *store,
			  const Resource *resource)
{
	Answers    *answers = MemoryContextAllocZero(context, sizeof(Answers));

	answers->scratch = AllocSetContextCreate(context, "nclue_fdw look-up",
											 ALLOCSET_SMALL_SIZES);
	answers->fetch = fetch;
	answers->store = store;
	answers->resource = resource;
	answers->table = table_create(context, 16, NULL);
	own_init_doc(&answers->doc, context);
	return answers;
}

const Answer *
answers_find(const Answers *answers, SignDigest digest)
{
	return table_lookup(answers->table, digest);
}

int64
answers_made(const Answers *answers)
{
	return answers->table->members;
}

/*
 * Whether a failure only says that there is no such object.  That is the
 * service's to say: where its gateway knows no such URL, or something else
 * answered, the endpoint is wrong.
 */
static bool
is_absent(Failure *failure)
{
	if (failure->kind != FAILURE_NO_OBJECT)
		return false;
	if (strcmp(failure->origin, "APIGW") == 0 || failure->excerpt[0] != '\0')
	{
		failure->kind = FAILURE_UNKNOWN_URL;
		return false;
	}
	return true;
}

/*
 * Refuses an answer that is no object with an id.
 */
static void
check_object(Answers *answers, const char *body, size_t length,
			 Failure *failure)
{
	const char *id_key = answers->resource->id_key;
	Doc		   *doc = doc_parse(body, length, failure);
	DocValue	id;

	if (doc == NULL)
		report_failure(failure);
	own_set(&answers->doc, doc);
	if (!doc_find(doc_root(doc).node, id_key, &id, failure))
		report_failure(failure);
	if (id.kind != DOC_STRING && id.kind != DOC_INTEGER)
	{
		const char *message = psprintf("the answer is no object with a \"%s\"",
									   id_key);

		failure_say(failure, FAILURE_SHAPE, message);
		arrival_fault(body, length, failure);
		report_failure(failure);
	}
	own_set(&answers->doc, NULL);
}

void
answers_ask(Answers *answers, Budget *budget, const char *id, size_t length,
			SignDigest digest)
{
	Fetch	   *fetch = answers->fetch;
	size_t		size = FETCH_TARGET_SIZE + 3 * length;
	StoredBody	stored = {0};
	Answer	   *entry;
	Failure		failure;
	MemoryContext old;
	const char *body;
	char	   *target;
	bool		exists;
	bool		found;

	if (length > URI_ID_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an id is too long to be asked for"),
				 errdetail("It has %zu bytes; at most %d can be sent.",
						   length, URI_ID_MAX)));

	MemoryContextReset(answers->scratch);
	old = MemoryContextSwitchTo(answers->scratch);
	target = palloc(size);
	if (!uri_object(target, size, fetch->account->settings.endpoint.path,
					answers->resource->path, id, length))
		elog(ERROR, "request does not fit its buffer");
	exists = fetch_get(fetch, target, budget, &body, &size, &failure) == FAILURE_NONE;
	if (!exists && !is_absent(&failure))
		report_failure(&failure);
	if (exists)
	{
		check_object(answers, body, size, &failure);
		stored = store_put(answers->store, body, size);
		account_count(fetch->account, COUNT_ROWS, 1);
	}
	fetch_end(fetch);
	MemoryContextSwitchTo(old);

	entry = table_insert(answers->table, digest, &found);
	entry->exists = exists;
	entry->body = stored;
}
