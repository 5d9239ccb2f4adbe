/*
 * report.h
 *	  The only place that raises a remote failure, and the only one that shows
 *	  foreign text.
 */
#ifndef NCLUE_REPORT_H
#define NCLUE_REPORT_H

#include "core/failure.h"

/*
 * Raises a failure as an error: message and hint of its kind; detail with
 * status, code, the service's words, trace id, origin and the time each phase
 * took.  Raises.
 */
extern void report_failure(const Failure *failure) __attribute__((noreturn));

/*
 * A foreign text (UTF-8, perhaps broken) as one that can be shown: in the
 * database's encoding, without control characters, with ? for what cannot be
 * shown.  palloc'd.  Raises only where there is no memory.
 */
extern char *report_text(const char *text, size_t length);

/*
 * The same of a text's beginning, enough to recognize it by.
 */
extern char *report_excerpt(const char *text, size_t length);

#endif
