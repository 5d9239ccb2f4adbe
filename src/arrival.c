/*
 * arrival.c
 *	  An answer read as a page of a list.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "arrival.h"
#include "report.h"

static void refuse(Failure *failure, FailureKind kind, const char *message) __attribute__((noreturn));

/*
 * Raises a failure of which *failure tells where its answer came from.
 */
static void
refuse(Failure *failure, FailureKind kind, const char *message)
{
	failure_say(failure, kind, message);
	report_failure(failure);
}

SignDigest
arrival_digest(SignKey *key, const char *id, size_t length)
{
	SignDigest	digest;

	if (!sign_digest(key, id, length, &digest))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("OpenSSL could not compute a digest.")));
	return digest;
}

/*
 * The digest of a row's id.
 */
static SignDigest
row_id(const Resource *resource, SignKey *key, const DocPage *envelope, int row,
	   Failure *failure)
{
	const char *id_key = resource->id_key;
	DocValue	object = doc_element(envelope, row);
	DocValue	id;
	char		number[32];

	if (object.kind != DOC_OBJECT)
		refuse(failure, FAILURE_SHAPE,
			   psprintf("element %d of the page is not an object", row));
	if (!doc_find(object.node, id_key, &id, failure))
		report_failure(failure);
	if (id.kind == DOC_INTEGER)
	{
		snprintf(number, sizeof(number), "%lld", (long long) id.integer);
		id.text = number;
		id.length = strlen(number);
	}
	else if (id.kind != DOC_STRING || id.length == 0)
		refuse(failure, FAILURE_NO_ID,
			   psprintf("element %d of the page has no usable \"%s\"",
						row, id_key));
	return arrival_digest(key, id.text, id.length);
}

static int
compare_digests(const void *a, const void *b)
{
	const SignDigest *x = a;
	const SignDigest *y = b;

	if (x->high != y->high)
		return x->high < y->high ? -1 : 1;
	return x->low < y->low ? -1 : x->low > y->low ? 1 : 0;
}

/*
 * Refuses a page that shows one object twice.  A page is the list at one
 * moment, so the ids do not identify, and dropping one as a repeat could lose
 * an object.
 */
static void
refuse_doubles(const Resource *resource, const DocPage *envelope,
			   const SignDigest *ids, Failure *failure)
{
	int			rows = envelope->rows;
	SignDigest *sorted = palloc(Max(rows, 1) * sizeof(SignDigest));

	memcpy(sorted, ids, rows * sizeof(SignDigest));
	qsort(sorted, rows, sizeof(SignDigest), compare_digests);
	for (int i = 1; i < rows; i++)
	{
		if (compare_digests(&sorted[i - 1], &sorted[i]) != 0)
			continue;
		for (int row = 0; row < rows; row++)
		{
			DocValue	id;

			if (compare_digests(&ids[row], &sorted[i]) != 0)
				continue;
			doc_find(doc_element(envelope, row).node, resource->id_key, &id,
					 failure);
			refuse(failure, FAILURE_SHAPE,
				   psprintf("one page shows the object with %s %s twice",
							resource->id_key,
							id.kind == DOC_STRING ? id.text :
							psprintf("%lld", (long long) id.integer)));
		}
	}
	pfree(sorted);
}

/*
 * Refuses an empty page that has an error's code beside it: what there is to
 * show may just not have been got.
 */
static void
refuse_error(const char *body, size_t length, const Failure *failure)
{
	Failure		fault = *failure;

	fault.kind = FAILURE_NONE;
	arrival_fault(body, length, &fault);
	if (fault.code[0] == '\0')
		return;
	if (fault.kind == FAILURE_NONE)
		fault.kind = FAILURE_SHAPE;
	report_failure(&fault);
}

/*
 * Reads a body as a page.
 */
Arrival *
arrival_read(const Resource *resource, SignKey *key, const UriPage *asked,
			 bool exact, const char *body, size_t length, Failure *failure)
{
	MemoryContext context;
	Arrival    *arrival;
	Doc		   *doc;
	DocPage		envelope;

	context = AllocSetContextCreate(CurrentMemoryContext, "nclue_fdw page",
									ALLOCSET_DEFAULT_SIZES);
	arrival = MemoryContextAllocZero(context, sizeof(Arrival));
	arrival->context = context;
	own_init_doc(&arrival->doc, context);

	doc = doc_parse(body, length, failure);
	if (doc == NULL)
		report_failure(failure);
	own_set(&arrival->doc, doc);
	if (!doc_page(doc, resource->array_key, &envelope, failure))
	{
		arrival_fault(body, length, failure);
		report_failure(failure);
	}

	if (envelope.rows == 0)
		refuse_error(body, length, failure);

	arrival->body = MemoryContextAllocHuge(context, length);
	memcpy(arrival->body, body, length);
	arrival->length = length;
	arrival->page.row = asked->row;
	arrival->page.limit = asked->limit;
	if (envelope.limit > 0 && envelope.limit < arrival->page.limit)
		arrival->page.limit = envelope.limit;
	arrival->page.rows = envelope.rows;

	/* where index counts pages, smaller ones begin elsewhere */
	if (exact && asked->index != asked->row &&
		arrival->page.limit < asked->limit)
		refuse(failure, FAILURE_SHAPE,
			   psprintf("the service gives pages of %d where %d were asked for; set page_size to that",
						arrival->page.limit, asked->limit));
	arrival->page.total = envelope.total;

	/* digests are kept in one piece of memory, and sorted in another */
	if ((size_t) envelope.rows > MaxAllocSize / sizeof(SignDigest))
		refuse(failure, FAILURE_SHAPE,
			   psprintf("the page has %d elements", envelope.rows));
	arrival->ids = MemoryContextAlloc(context,
									  Max(envelope.rows, 1) * sizeof(SignDigest));
	for (int row = 0; row < envelope.rows; row++)
	{
		/* a page has as many rows as fit into max_response_size */
		CHECK_FOR_INTERRUPTS();
		arrival->ids[row] = row_id(resource, key, &envelope, row, failure);
	}
	refuse_doubles(resource, &envelope, arrival->ids, failure);
	return arrival;
}

void
arrival_discard(Arrival *arrival)
{
	MemoryContextDelete(arrival->context);
}

void
arrival_fault(const char *body, size_t length, Failure *failure)
{
	FailureKind kind;

	if (!doc_fault(body, length, failure))
		return;
	kind = failure_kind(failure->status, failure->code);
	if (kind == FAILURE_NONE)
		return;
	failure->kind = kind;
	failure->message[0] = '\0';
}
