/*
 * failure.h
 *	  The one table of what can go wrong between us and the service.
 *
 * A failure is a value until src/report.c raises it: it can be copied, kept
 * and compared, and owns nothing.
 */
#ifndef NCLUE_FAILURE_H
#define NCLUE_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum FailureKind
{
	FAILURE_NONE,

	/* no answer came */
	FAILURE_RESOLVE,			/* the host's name has no address */
	FAILURE_RESOLVE_PROXY,		/* the proxy's name has no address */
	FAILURE_CONNECT,			/* no connection: refused, unreachable */
	FAILURE_TLS,				/* the TLS handshake failed */
	FAILURE_CERTIFICATE,		/* the server's certificate is not trusted */
	FAILURE_CA_FILE,			/* ca_file cannot be read */
	FAILURE_CONNECT_TIMEOUT,	/* connect_timeout passed before the send */
	FAILURE_TIMEOUT,			/* timeout passed before the whole answer */
	FAILURE_LOST,				/* the connection broke, or the body was cut
								 * short */
	FAILURE_PROTOCOL,			/* what came is not HTTP */
	FAILURE_MEMORY,				/* no memory for the request */
	FAILURE_DESCRIPTORS,		/* no file descriptors for it */
	FAILURE_LIBRARY,			/* libcurl refused something it should not */

	/* an answer that refuses */
	FAILURE_BAD_REQUEST,
	FAILURE_AUTHENTICATION,
	FAILURE_PERMISSION,
	FAILURE_UNKNOWN_URL,		/* the gateway knows no such URL */
	FAILURE_NO_OBJECT,			/* the service knows no such object */
	FAILURE_REQUEST_TOO_LARGE,
	FAILURE_QUOTA,
	FAILURE_THROTTLED,
	FAILURE_SERVER,				/* the service failed */
	FAILURE_UNAVAILABLE,		/* the service is not reached by its gateway */
	FAILURE_REDIRECT,
	FAILURE_STATUS,				/* any other status */

	/* an answer that cannot be used */
	FAILURE_BODY_TOO_LARGE,
	FAILURE_NOT_JSON,
	FAILURE_UNREADABLE,			/* JSON, with a value that we cannot hold */
	FAILURE_SHAPE,				/* JSON, but not as documented */
	FAILURE_NO_ID,				/* an object without its id */

	/* answers that do not add up to a list */
	FAILURE_MOVES,				/* the list moves faster than it is read */
	FAILURE_TOTAL,				/* total promises rows that do not come */
	FAILURE_UNIT,				/* index does not count what index_unit says */

	/* requests that are not made */
	FAILURE_BUDGET,				/* the statement may make no more */
	FAILURE_LINE,				/* no place in the line for the next one */
	FAILURE_DEADLINE			/* the statement's time ends before its turn */
} FailureKind;

#define FAILURE_KINDS (FAILURE_DEADLINE + 1)

/* What is the same for every failure of one kind. */
typedef struct FailureRow
{
	FailureKind kind;
	const char *name;			/* the enum's name, for tests */
	bool		transient;		/* may pass if the request is sent again */
	const char *sqlstate;		/* five characters */
	const char *message;		/* lower case, no full stop */
	const char *hint;			/* sentences; NULL: none */
} FailureRow;

/* Phases of a request, in their order. */
typedef enum FailurePhase
{
	PHASE_RESOLVE,
	PHASE_CONNECT,
	PHASE_TLS,
	PHASE_ANSWER,				/* from the send to the first byte */
	PHASE_BODY					/* from the first byte to the last */
} FailurePhase;

#define FAILURE_PHASES (PHASE_BODY + 1)

/*
 * What happened, as far as it is known.  Texts are clipped to their arrays at
 * a character's border, always terminated, and foreign: neither trusted nor
 * necessarily valid in any encoding.
 */
typedef struct Failure
{
	FailureKind kind;
	int			status;			/* HTTP status; 0: no answer */
	char		code[24];		/* the body's error code; "": none */
	char		words[256];		/* the service's own, from the body */
	char		message[256];	/* what went wrong, in libcurl's words or ours */
	char		excerpt[160];	/* first bytes of an unreadable body */
	char		history[256];	/* how attempts failed, in words; "": there
								 * was only this one */
	char		trace_id[80];	/* header x-ncp-trace-id */
	char		origin[24];		/* header x-ncp-apigw-response-origin */
	int64_t		date_s;			/* header Date, seconds since the epoch; -1:
								 * none */
	int64_t		phase_us[FAILURE_PHASES];	/* time spent; -1: not reached */
} Failure;

/*
 * The table's row of a kind.  The row is static.  Never raises.
 */
extern const FailureRow *failure_row(FailureKind kind);

/*
 * Makes *failure say that nothing happened yet: kind NONE, texts empty, times
 * and date unknown.  Never raises.
 */
extern void failure_clear(Failure *failure);

/*
 * Sets a failure's kind and message, the latter clipped; what else is known of
 * it stays.  Never raises.
 */
extern void failure_say(Failure *failure, FailureKind kind,
						const char *message);

/*
 * The kind of an answer from its HTTP status and the error code in its body
 * ("" where none was found), by the tables of the API's documentation: the
 * gateway's codes and NCLUE's own.  A code of the gateway's decides also where
 * the status contradicts it or is 200, but not where it merely repeats another
 * status; FAILURE_NONE for 200 without a code.
 * An unknown code leaves the status to decide.  Never raises.
 */
extern FailureKind failure_kind(int status, const char *code);

/*
 * Copies at most size - 1 bytes of a foreign text into a terminated array,
 * never cutting a UTF-8 sequence in two and ending at the first NUL.  Never
 * raises.
 */
extern void failure_clip(char *target, size_t size,
						 const char *text, size_t length);

#endif
