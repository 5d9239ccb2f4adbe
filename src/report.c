/*
 * report.c
 *	  The only place that raises a remote failure.
 */
#include "postgres.h"

#include <time.h>

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "report.h"

/* Bytes of a quoted value that are enough to recognize it. */
#define QUOTE_MAX 1000

/*
 * Whether a character does no more than be seen.  Terminals obey 8-bit controls
 * (U+0080 to U+009F) as well, and some characters turn the direction in which
 * text is written, or begin a line.
 */
static bool
is_harmless(pg_wchar c)
{
	return !(c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c ||
			 c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
			 (c >= 0x2066 && c <= 0x2069));
}

/*
 * The character that a text begins with, of *n bytes: as Unicode where that
 * tells whether it is harmless, else any letter.  A byte that is no character,
 * or half of one, is what it is by itself to a terminal.
 */
static pg_wchar
first_character(int encoding, const char *text, size_t length, int *n)
{
	const unsigned char *bytes = (const unsigned char *) text;

	/* there the service's UTF-8 is as it came */
	if (encoding == PG_SQL_ASCII)
		encoding = PG_UTF8;
	*n = pg_encoding_verifymbchar(encoding, text,
								  Min(length, MAX_MULTIBYTE_CHAR_LEN));
	if (*n > 1)
		return encoding == PG_UTF8 ? utf8_to_unicode(bytes) : 'x';
	*n = 1;

	/* marks of direction */
	if ((*bytes == 0xfd || *bytes == 0xfe) &&
		(encoding == PG_ISO_8859_8 || encoding == PG_WIN1255 ||
		 encoding == PG_WIN1256))
		return *bytes == 0xfd ? 0x200e : 0x200f;
	switch (encoding)
	{
		case PG_WIN866:
		case PG_WIN874:
		case PG_WIN1250:
		case PG_WIN1251:
		case PG_WIN1252:
		case PG_WIN1253:
		case PG_WIN1254:
		case PG_WIN1255:
		case PG_WIN1256:
		case PG_WIN1257:
		case PG_WIN1258:
		case PG_KOI8R:
		case PG_KOI8U:
			/* letters where the others have controls */
			return IS_HIGHBIT_SET(*bytes) ? 'x' : *bytes;
		default:
			return *bytes;
	}
}

/*
 * Copies a text, perhaps to where it is, with spaces for what is not harmless;
 * line ends stay where it is made of lines.  In UTF-8, ? stands for a byte that
 * is no character.  Returns the copy's end, and terminates it.
 */
static char *
copy_harmless(char *to, int encoding, const char *from, size_t length,
			  bool lines)
{
	while (length > 0)
	{
		int			n;
		pg_wchar	c = first_character(encoding, from, length, &n);

		if (encoding == PG_UTF8 && n == 1 && IS_HIGHBIT_SET(*from))
			*to++ = '?';
		else if (is_harmless(c) || (lines && c == '\n'))
		{
			memmove(to, from, n);
			to += n;
		}
		else
			*to++ = ' ';
		from += n;
		length -= n;
	}
	*to = '\0';
	return to;
}

char *
report_text(const char *foreign, size_t length)
{
	char	   *clean = palloc(length + 1);
	char	   *end = copy_harmless(clean, PG_UTF8, foreign, length, false);

	/*
	 * A report must not fail because a word of it is unknown to the
	 * database's encoding.
	 */
	if (GetDatabaseEncoding() == PG_UTF8)
		return clean;
	if (GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		Oid			proc = FindDefaultConversionProc(PG_UTF8, GetDatabaseEncoding());

		if (OidIsValid(proc))
		{
			size_t		size = (end - clean) * MAX_CONVERSION_GROWTH + 1;
			const char *from = clean;
			int			left = end - clean;
			char	   *converted = palloc(size);
			char	   *to = converted;

			while (left > 0)
			{
				int			done = pg_do_encoding_conversion_buf(proc, PG_UTF8,
																 GetDatabaseEncoding(),
																 (unsigned char *) from, left,
																 (unsigned char *) to,
																 size - (to - converted), true);

				from += done;
				left -= done;
				to += strlen(to);
				if (left > 0)
				{
					int			n = Min(pg_utf_mblen((const unsigned char *) from), left);

					*to++ = '?';
					from += n;
					left -= n;
				}
			}
			*to = '\0';
			return converted;
		}
	}
	for (char *c = clean; *c; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	}
	return clean;
}

char *
report_excerpt(const char *text, size_t length)
{
	char		excerpt[101];

	failure_clip(excerpt, sizeof(excerpt), text, length);
	return report_text(excerpt, strlen(excerpt));
}

/*
 * Makes the text of an error, in the database's encoding, harmless in place;
 * several lines where it is made of such, else one that is not too long.
 */
static void
make_harmless(char *text, bool lines)
{
	static const char dots[] = "...";
	size_t		length;

	if (text == NULL)
		return;
	length = strlen(text);
	if (!lines && length > QUOTE_MAX + strlen(dots))
	{
		length = pg_mbcliplen(text, (int) length, QUOTE_MAX);
		memcpy(&text[length], dots, sizeof(dots));
		length += strlen(dots);
	}
	copy_harmless(text, GetDatabaseEncoding(), text, length, lines);
}

void
report_value_error(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	make_harmless(error->message, false);
	make_harmless(error->detail, false);
	make_harmless(error->hint, false);
	make_harmless(error->context, true);
	make_harmless(error->internalquery, false);
	ReThrowError(error);
}

/*
 * Adds a fact to others: a foreign text in its place in a format.
 */
static void
append_words(StringInfo facts, const char *format, const char *text)
{
	/* a header may be there and blank */
	if (text[strspn(text, " \t")] == '\0')
		return;
	if (facts->len > 0)
		appendStringInfoString(facts, ", ");
	appendStringInfo(facts, format, report_text(text, strlen(text)));
}

char *
report_detail(const Failure *failure)
{
	static const char *const phases[FAILURE_PHASES] = {
		"resolving", "connecting", "TLS", "waiting for the answer",
		"receiving it"
	};
	StringInfoData buf;
	StringInfoData facts;
	bool		first = true;

	initStringInfo(&buf);
	if (failure->message[0] != '\0')
		appendStringInfo(&buf, "%c%s. ", pg_toupper(failure->message[0]),
						 report_text(failure->message + 1,
									 strlen(failure->message + 1)));

	if (failure->history[0] != '\0')
		appendStringInfo(&buf, "Failed attempts: %s. ", failure->history);

	initStringInfo(&facts);
	if (failure->status != 0)
		appendStringInfo(&facts, "HTTP status %d", failure->status);
	append_words(&facts, "error code %s", failure->code);
	append_words(&facts, "message \"%s\"", failure->words);
	append_words(&facts, "body begins \"%s\"", failure->excerpt);
	append_words(&facts, "trace id %s", failure->trace_id);
	append_words(&facts, "origin %s", failure->origin);
	if (facts.len)
		appendStringInfo(&buf, "%s. ", facts.data);

	for (int i = 0; i < FAILURE_PHASES; i++)
	{
		if (failure->phase_us[i] < 0)
			continue;
		appendStringInfo(&buf, "%s%s %.3f s", first ? "Time spent: " : ", ",
						 phases[i], failure->phase_us[i] / 1e6);
		first = false;
	}
	if (!first)
		appendStringInfoString(&buf, ". ");

	/* the space after the last sentence */
	if (buf.len == 0)
		return NULL;
	buf.data[buf.len - 1] = '\0';
	return buf.data;
}

const char *
report_hint(const Failure *failure)
{
	if (failure->kind == FAILURE_AUTHENTICATION && failure->date_s >= 0)
	{
		int64		ahead = (int64) time(NULL) - failure->date_s;

		if (ahead > REPORT_SKEW_LIMIT_S || ahead < -REPORT_SKEW_LIMIT_S)
			return psprintf("The clock of this database server is %lld seconds %s the service's, which accepts at most %d. Set the clock.",
							(long long) (ahead > 0 ? ahead : -ahead),
							ahead > 0 ? "ahead of" : "behind", REPORT_SKEW_LIMIT_S);
	}
	if (failure->kind == FAILURE_DEADLINE && failure->history[0] != '\0')
		return "The statement was waiting for another attempt: see why the others failed, or raise statement_timeout.";
	return failure_row(failure->kind)->hint;
}

void
report_failure(const Failure *failure)
{
	const FailureRow *row = failure_row(failure->kind);
	const char *sqlstate = row->sqlstate;
	char	   *words = report_detail(failure);
	const char *advice = report_hint(failure);

	ereport(ERROR,
			(errcode(MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2],
								   sqlstate[3], sqlstate[4])),
			 errmsg("%s", row->message),
			 words ? errdetail_internal("%s", words) : 0,
			 advice ? errhint("%s", advice) : 0));
}

static void
set_errcode(void *arg)
{
	(void) arg;
	if (geterrcode() == ERRCODE_INTERNAL_ERROR)
		errcode_for_file_access();
}

void
report_errno(ErrorContextCallback *callback)
{
	callback->callback = set_errcode;
	callback->arg = NULL;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}
