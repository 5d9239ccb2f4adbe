/*
 * report.h
 *	  The only place that raises a remote failure, and the only one that shows
 *	  foreign text.
 */
#ifndef NCLUE_REPORT_H
#define NCLUE_REPORT_H

#include "core/failure.h"
#include "utils/elog.h"

/*
 * Raises a failure as an error: message and hint of its kind; detail with
 * status, code, the service's words, trace id, origin and the time each phase
 * took.  Raises.
 */
extern void report_failure(const Failure *failure) __attribute__((noreturn));

/*
 * A foreign text (UTF-8, perhaps broken) as one that can be shown: in the
 * database's encoding, without what a terminal or a log would obey, with ? for
 * what cannot be shown.  palloc'd.  Raises only where there is no memory.
 */
extern char *report_text(const char *text, size_t length);

/*
 * The same of a text's beginning, enough to recognize it by.
 */
extern char *report_excerpt(const char *text, size_t length);

/*
 * Raises the error that has just been caught anew, in whose texts a value of the
 * service's may be quoted.  Raises.
 */
extern void report_value_error(MemoryContext context)
			__attribute__((noreturn));

/*
 * What is known of a failure, as sentences in memory of the current context:
 * what went wrong; what the service says and where the answer came from; the
 * time that each phase took.  NULL: nothing.  Raises only where there is no
 * memory.
 */
extern char *report_detail(const Failure *failure);

/*
 * What to do, in sentences; NULL: nothing is known.  Where credentials were
 * refused and the clocks differ, that is the likelier cause; where time ran out
 * between attempts, what they failed of.  Raises only where there is no memory.
 */
extern const char *report_hint(const Failure *failure);

/*
 * Seconds that a clock may differ from the service's (API documentation, common
 * headers: a timestamp more than five minutes off is refused).
 */
#define REPORT_SKEW_LIMIT_S 300

/*
 * Begins an error context in which PostgreSQL reports as an internal error what
 * the system refuses: it gets the SQLSTATE that fits.  It ends with
 * error_context_stack = callback->previous.  Never raises.
 */
extern void report_errno(ErrorContextCallback *callback);

#endif
