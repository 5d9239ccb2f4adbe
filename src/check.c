/*
 * check.c
 *	  Whether a foreign server can be used, and if not, why.
 *
 * Two pages of two objects each, the second from index 1 on, tell all that can
 * be told: whether everything on the way works, what index counts and what total
 * is.  Where they do not fit together, the first is asked for again, for the list
 * may have changed.  A failure is a row, at the step that it shows to be wrong.
 */
#include "postgres.h"

#include <time.h>

#include "access/xact.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

#include "arrival.h"
#include "check.h"
#include "core/doc.h"
#include "core/uri.h"
#include "fetch.h"
#include "report.h"
#include "scan.h"
#include "version.h"

PG_FUNCTION_INFO_V1(nclue_fdw_check);

/* The steps, in the order in which they are shown. */
typedef enum Step
{
	STEP_OPTIONS,
	STEP_MAPPING,
	STEP_CONNECTION,
	STEP_TLS,
	STEP_SIGNATURE,
	STEP_CLOCK,
	STEP_LIST,
	STEP_INDEX,
	STEP_TOTAL,
	STEP_RATE_LIMITER,
	STEP_VERSIONS
} Step;

#define STEPS (STEP_VERSIONS + 1)

static const char *const step_names[STEPS] = {
	"options", "mapping", "connection", "TLS", "signature", "clock", "list",
	"index", "total", "rate limiter", "versions"
};

/* The columns of the function, in their order. */
typedef enum CheckColumn
{
	CHECK_STEP,
	CHECK_OK,
	CHECK_DETAIL,
	CHECK_ADVICE
} CheckColumn;

#define CHECK_COLUMNS (CHECK_ADVICE + 1)

/* What is known of a step. */
typedef struct Finding
{
	enum
	{
		UNKNOWN, RIGHT, WRONG
	}			state;
	const char *detail;
	const char *advice;			/* NULL: none */
} Finding;

/* Objects in a page of the check's: enough to tell rows from pages. */
#define PAGE_SIZE 2

/* A page of the check's. */
typedef struct CheckPage
{
	int			rows;
	int			limit;			/* the smaller of asked and stated */
	int64		total;			/* -1: none */
	char	   *ids[PAGE_SIZE]; /* of its first rows */
} CheckPage;

typedef struct Check
{
	Own			pin;			/* on the account */
	Account    *account;		/* NULL: there is none */
	Finding		findings[STEPS];
	Fetch		fetch;
	FetchTally	tally;
	Budget		budget;
	Own			doc;			/* the answer being read */
} Check;

static void
find_right(Check *check, Step step, const char *detail)
{
	check->findings[step].state = RIGHT;
	check->findings[step].detail = detail;
	check->findings[step].advice = NULL;
}

static void
find_wrong(Check *check, Step step, const char *detail, const char *advice)
{
	check->findings[step].state = WRONG;
	check->findings[step].detail = detail;
	check->findings[step].advice = advice;
}

/* ---- options and mapping ---- */

/*
 * Makes the server's account for the current user.  Where there is none, the
 * error that says why; *step is then what was being read.
 */
static ErrorData *
try_account(Check *check, const ForeignServer *server, Step *step)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	*step = STEP_OPTIONS;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		Settings	settings;

		option_defaults(&settings);
		option_read(&settings, server->options);
		*step = STEP_MAPPING;
		check->account = account_get(server->serverid, GetUserId());
		own_set(&check->pin, check->account);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/*
 * Makes the account, or says why there is none.
 */
static bool
check_account(Check *check, const ForeignServer *server)
{
	Step		step;
	ErrorData  *error = try_account(check, server, &step);
	const Settings *settings;
	Oid			user = InvalidOid;
	Oid			unused;

	if (error != NULL)
	{
		const char *advice = error->hint;

		/* whoever cancels the statement does not want rows */
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		if (step != STEP_OPTIONS)
			find_right(check, STEP_OPTIONS, "valid");
		if (error->sqlerrcode == ERRCODE_UNDEFINED_OBJECT)
			advice = psprintf("Make one with CREATE USER MAPPING FOR ... SERVER %s OPTIONS (access_key '...', secret_key '...').",
							  quote_identifier(server->servername));
		else if (step == STEP_MAPPING &&
				 error->sqlerrcode != ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION)
			step = STEP_CONNECTION;
		find_wrong(check, step, error->message, advice);
		return false;
	}

	settings = &check->account->settings;
	find_right(check, STEP_OPTIONS,
			   psprintf("endpoint %s%s", settings->endpoint.origin,
						settings->endpoint.path));
	(void) account_mapping(check->account->mapping, &user, &unused);
	find_right(check, STEP_MAPPING,
			   psprintf("of %s, with both keys", OidIsValid(user) ?
						GetUserNameFromId(user, false) : "PUBLIC"));
	return true;
}

/* ---- requests ---- */

/*
 * The step that a failure shows to be wrong.
 */
static Step
step_of(FailureKind kind)
{
	switch (kind)
	{
		case FAILURE_RESOLVE:
		case FAILURE_RESOLVE_PROXY:
		case FAILURE_CONNECT:
		case FAILURE_CONNECT_TIMEOUT:
		case FAILURE_LOST:
		case FAILURE_PROTOCOL:
		case FAILURE_MEMORY:
		case FAILURE_DESCRIPTORS:
		case FAILURE_LIBRARY:
			return STEP_CONNECTION;
		case FAILURE_TLS:
		case FAILURE_CERTIFICATE:
		case FAILURE_CA_FILE:
			return STEP_TLS;
		case FAILURE_AUTHENTICATION:
			return STEP_SIGNATURE;
		case FAILURE_BUDGET:
		case FAILURE_LINE:
		case FAILURE_DEADLINE:
			return STEP_RATE_LIMITER;
		case FAILURE_NONE:
		case FAILURE_TIMEOUT:
		case FAILURE_BAD_REQUEST:
		case FAILURE_PERMISSION:
		case FAILURE_UNKNOWN_URL:
		case FAILURE_NO_OBJECT:
		case FAILURE_REQUEST_TOO_LARGE:
		case FAILURE_QUOTA:
		case FAILURE_THROTTLED:
		case FAILURE_SERVER:
		case FAILURE_UNAVAILABLE:
		case FAILURE_REDIRECT:
		case FAILURE_STATUS:
		case FAILURE_BODY_TOO_LARGE:
		case FAILURE_NOT_JSON:
		case FAILURE_UNREADABLE:
		case FAILURE_SHAPE:
		case FAILURE_NO_ID:
		case FAILURE_MOVES:
		case FAILURE_TOTAL:
		case FAILURE_UNIT:
			return STEP_LIST;
	}
	return STEP_LIST;
}

/*
 * Whether the request got as far as being sent.
 */
static bool
was_sent(const Failure *failure)
{
	return failure->status != 0 || failure->phase_us[PHASE_ANSWER] >= 0;
}

static void
find_failure(Check *check, const Failure *failure)
{
	const char *message = failure_row(failure->kind)->message;
	const char *detail = report_detail(failure);
	Step		step = step_of(failure->kind);

	if (failure->kind == FAILURE_TIMEOUT && !was_sent(failure))
		step = STEP_CONNECTION;
	find_wrong(check, step,
			   detail != NULL ? psprintf("%s: %s", message, detail) : message,
			   report_hint(failure));
}

/*
 * How far the clocks are apart.  What the service accepts is right, whatever its
 * answers say.
 */
static void
find_clock(Check *check, const Failure *failure)
{
	int64		ahead = (int64) time(NULL) - failure->date_s;
	const char *detail = ahead == 0 ?
	"the same as the service's, to the second" :
	psprintf("%lld s %s the service's", llabs(ahead),
			 ahead > 0 ? "ahead of" : "behind");

	if (failure->date_s < 0)
		check->findings[STEP_CLOCK].detail = "the answer had no date";
	else if (llabs(ahead) <= REPORT_SKEW_LIMIT_S ||
			 check->findings[STEP_SIGNATURE].state == RIGHT)
		find_right(check, STEP_CLOCK, detail);
	else
		find_wrong(check, STEP_CLOCK, detail,
				   psprintf("The service refuses requests that are more than %d s off. Set the clock of the database server.",
							REPORT_SKEW_LIMIT_S));
}

/*
 * What any answer tells, even one that refuses: the way to the service works,
 * and what time it is there.
 */
static void
find_way(Check *check, const Failure *failure)
{
	bool		tls = check->account->settings.endpoint.tls;

	/* TLS comes after the connection, and the send after both */
	if (step_of(failure->kind) == STEP_TLS)
		find_right(check, STEP_CONNECTION, "made");
	if (!was_sent(failure))
		return;
	find_right(check, STEP_CONNECTION, "made");
	find_right(check, STEP_TLS, tls ? "certificate verified" :
			   "not used: the endpoint is on this machine");

	/*
	 * Only who is known can be refused a permission, but anybody on the way
	 * can answer with a status.
	 */
	if (failure->kind == FAILURE_NONE ||
		(failure->kind == FAILURE_PERMISSION && failure->code[0] != '\0'))
		find_right(check, STEP_SIGNATURE, "accepted");
	find_clock(check, failure);
}

static bool
same_id(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/*
 * Says why a page cannot be used, unless that has been said.  False.
 */
static bool
refuse(Failure *failure, FailureKind kind, const char *words)
{
	if (failure->kind == FAILURE_NONE)
	{
		failure_say(failure, kind, words);
	}
	return false;
}

/*
 * An id as the service writes it, to compare; NULL where there is none.
 */
static char *
id_text(const DocPage *envelope, int row, const char *id_key,
		Failure *failure)
{
	DocValue	object = doc_element(envelope, row);
	DocValue	id;

	if (object.kind != DOC_OBJECT ||
		!doc_find(object.node, id_key, &id, failure))
		return NULL;
	if (id.kind == DOC_STRING && id.length > 0)
		return pnstrdup(id.text, id.length);
	if (id.kind == DOC_INTEGER)
		return psprintf("%lld", (long long) id.integer);
	return NULL;
}

/*
 * Takes from a body what makes it a page.  False where it is none, as *failure
 * says.  A scan judges likewise.
 */
static bool
take_page(const Doc *doc, CheckPage *page, Failure *failure)
{
	const Resource *resource = &resources[0];
	DocPage		envelope;

	if (!doc_page(doc, resource->array_key, &envelope, failure))
		return false;
	page->rows = envelope.rows;
	page->limit = envelope.limit > 0 ?
		(int) Min(envelope.limit, PAGE_SIZE) : PAGE_SIZE;
	page->total = envelope.total;
	for (int row = 0; row < Min(page->rows, PAGE_SIZE); row++)
	{
		page->ids[row] = id_text(&envelope, row, resource->id_key, failure);
		if (page->ids[row] == NULL)
			return refuse(failure, FAILURE_NO_ID,
						  psprintf("element %d of the page has no usable \"%s\"",
								   row, resource->id_key));
	}
	if (same_id(page->ids[0], page->ids[1]))
		return refuse(failure, FAILURE_SHAPE,
					  "one page shows the same object twice");
	return true;
}

/*
 * Reads a body as a page.  False where it is none, or an error's beside an empty
 * one.
 */
static bool
read_page(Check *check, const char *body, size_t length, CheckPage *page,
		  Failure *failure)
{
	Doc		   *doc = doc_parse(body, length, failure);
	Failure		fault = *failure;
	bool		valid;

	own_set(&check->doc, doc);
	valid = doc != NULL && take_page(doc, page, failure);
	own_set(&check->doc, NULL);
	if (valid && page->rows > 0)
		return true;
	if (!valid)
	{
		arrival_fault(body, length, failure);
		return false;
	}
	arrival_fault(body, length, &fault);
	if (fault.code[0] == '\0')
		return true;
	*failure = fault;
	return refuse(failure, FAILURE_SHAPE, "there is an error beside the list");
}

/*
 * Asks for two objects from an index on, once.  False where that fails.
 */
static bool
ask(Check *check, int64 index, CheckPage *page)
{
	UriPage		asked = {.index = index,.limit = PAGE_SIZE};
	char		target[FETCH_TARGET_SIZE];
	Failure		failure;
	const char *body;
	size_t		length;
	Fetch	   *fetch = &check->fetch;

	if (!uri_list(target, sizeof(target),
				  check->account->settings.endpoint.path, resources[0].path,
				  &asked))
		elog(ERROR, "request does not fit its buffer");
	fetch_start(fetch, target);
	/* what is wrong is to be seen, not to be got over */
	fetch->attempt.retries = 0;
	while (fetch_wait(&fetch, 1, &check->budget, 0) != FETCH_ENDED)
		 /* until it is over */ ;

	memset(page, 0, sizeof(*page));
	if (fetch_result(fetch, &body, &length, &failure) == FAILURE_NONE)
		(void) read_page(check, body, length, page, &failure);
	find_way(check, &failure);
	if (failure.kind == FAILURE_NONE)
		return true;
	find_failure(check, &failure);
	return false;
}

/* ---- what the pages show ---- */

/*
 * What index counts: by rows the second page begins with the first one's second
 * row, by pages it shares none with it.
 */
static void
find_index(Check *check, const CheckPage *first, const CheckPage *second)
{
	bool		by_page = check->account->settings.by_page;
	const char *set = by_page ? "page" : "row";

	if (first->rows < PAGE_SIZE)
		check->findings[STEP_INDEX].detail =
			"it takes two objects in a page to tell what index counts";
	else if (same_id(second->ids[0], first->ids[0]))
		find_wrong(check, STEP_INDEX, "every page is the first: index is ignored",
				   "Only lists of one page can be read.");
	else if (same_id(second->ids[0], first->ids[1]) != by_page)
		find_right(check, STEP_INDEX, psprintf("counts %ss, as option \"index_unit\" says", set));
	else
		find_wrong(check, STEP_INDEX,
				   psprintf("does not count %ss, as option \"index_unit\" says", set),
				   psprintf("Set option \"index_unit\" of the foreign server to '%s'.",
							by_page ? "row" : "page"));
}

/*
 * A finding that only a list that keeps still can give: is it one?
 */
static void
confirm_index(Check *check, const CheckPage *first)
{
	CheckPage	again;
	Finding		finding = check->findings[STEP_INDEX];

	memset(&check->findings[STEP_INDEX], 0, sizeof(Finding));
	if (!ask(check, 0, &again))
		return;
	if (again.rows == first->rows && same_id(again.ids[0], first->ids[0]) &&
		same_id(again.ids[1], first->ids[1]))
		check->findings[STEP_INDEX] = finding;
	else
		check->findings[STEP_INDEX].detail =
			"the list has changed between the requests: try again";
}

/*
 * What total is.
 */
static void
find_total(Check *check, const CheckPage *first, const CheckPage *second)
{
	bool		both = check->findings[STEP_INDEX].state == RIGHT;
	const CheckPage *last = both ? second : first;
	bool		ends = last->rows < last->limit;
	int64		seen = first->rows;

	if (both)
		seen = last->rows + (check->account->settings.by_page ? first->rows : 1);
	if (last->total < 0)
		find_right(check, STEP_TOTAL,
				   "not stated: the end of the list is found by reading it, which may take a request more");
	else if (both && first->total == first->rows && second->total == second->rows &&
			 (seen > second->total || first->total > second->total))
		find_right(check, STEP_TOTAL,
				   "the number of objects in the page: the end of the list is found by reading it, which may take a request more");
	else if (last->total < seen)
		find_wrong(check, STEP_TOTAL,
				   psprintf("%lld, but the list has at least %lld objects",
							(long long) last->total, (long long) seen),
				   "The end of the list is found by reading it, which may take a request more.");
	else if (ends && last->total > seen)
		find_wrong(check, STEP_TOTAL,
				   psprintf("%lld, but the list ends after %lld",
							(long long) last->total, (long long) seen),
				   failure_row(FAILURE_TOTAL)->hint);
	else if (both || ends || last->total > seen)
		find_right(check, STEP_TOTAL,
				   psprintf("the length of the list of %s: %lld",
							resources[0].name, (long long) last->total));
}

static void
check_service(Check *check)
{
	CheckPage	first;
	CheckPage	second;

	if (!ask(check, 0, &first))
		return;
	find_right(check, STEP_LIST, first.rows > 0 ?
			   psprintf("the list of %s can be read", resources[0].name) :
			   psprintf("the list of %s can be read, and is empty",
						resources[0].name));
	memset(&second, 0, sizeof(second));
	if (first.rows >= PAGE_SIZE && !ask(check, 1, &second))
		return;
	find_index(check, &first, &second);
	if (check->findings[STEP_INDEX].state == WRONG)
		confirm_index(check, &first);
	find_total(check, &first, &second);
}

/* ---- the rest ---- */

static void
check_limiter(Check *check)
{
	int64		interval_us;

	if (check->findings[STEP_RATE_LIMITER].state != UNKNOWN)
		return;
	if (!shared_is_shared())
	{
		find_wrong(check, STEP_RATE_LIMITER,
				   "each session keeps to the rate by itself",
				   "Add nclue_fdw to shared_preload_libraries and restart PostgreSQL, so that all sessions keep to it together.");
		return;
	}
	if (check->account == NULL)
	{
		find_right(check, STEP_RATE_LIMITER, "shared by all sessions");
		return;
	}
	interval_us = check->account->settings.interval_us;
	find_right(check, STEP_RATE_LIMITER, interval_us == 0 ?
			   "shared by all sessions; option \"rate_limit\" allows any rate" :
			   psprintf("shared by all sessions; option \"rate_limit\" is %g",
						1e6 / interval_us));
}

static void
put_findings(const Check *check, ReturnSetInfo *result)
{
	for (int step = 0; step < STEPS; step++)
	{
		const Finding *finding = &check->findings[step];
		const char *detail = finding->detail != NULL ?
		finding->detail : "not known";
		Datum		values[CHECK_COLUMNS] = {0};
		bool		nulls[CHECK_COLUMNS] = {0};

		values[CHECK_STEP] = CStringGetTextDatum(step_names[step]);
		values[CHECK_OK] = BoolGetDatum(finding->state == RIGHT);
		nulls[CHECK_OK] = finding->state == UNKNOWN;
		values[CHECK_DETAIL] = CStringGetTextDatum(detail);
		if (finding->advice != NULL)
			values[CHECK_ADVICE] = CStringGetTextDatum(finding->advice);
		nulls[CHECK_ADVICE] = finding->advice == NULL;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * Whether a server is one of ours, whatever its wrapper is called.
 */
static bool
is_ours(const ForeignServer *server)
{
	Oid			handler = GetForeignDataWrapper(server->fdwid)->fdwhandler;

	return OidIsValid(handler) &&
		GetFdwRoutine(handler)->IterateForeignScan == scan_iterate;
}

Datum
nclue_fdw_check(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ForeignServer *server = GetForeignServerByName(name, false);
	MemoryContext context;
	MemoryContext old;
	Check	   *check;

	if (!compat_may_use_server(server->serverid, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_SERVER, name);
	if (!is_ours(server))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not one of nclue_fdw", name)));
	InitMaterializedSRF(fcinfo, 0);

	context = AllocSetContextCreate(CurrentMemoryContext, "nclue_fdw check",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	check = palloc0(sizeof(Check));
	own_init_account(&check->pin, context);
	own_init_doc(&check->doc, context);
	if (check_account(check, server))
	{
		fetch_init(&check->fetch, context, check->account, &check->tally);
		check_service(check);
	}
	check_limiter(check);
	find_right(check, STEP_VERSIONS, version_text());
	put_findings(check, result);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
