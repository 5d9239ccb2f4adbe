/*
 * failure.c
 *	  The one table of what can go wrong between us and the service.
 *
 * A kind is transient only if the same request may succeed a few seconds
 * later.  A TLS handshake that broke counts, since a gateway that restarts or
 * is overloaded breaks it too and nothing has been sent yet; a certificate
 * that is not trusted does not.
 */
#include "failure.h"

#include <string.h>

#define ROW(kind, transient, sqlstate, message, hint) \
	[kind] = {kind, #kind, transient, sqlstate, message, hint}

static const FailureRow rows[FAILURE_KINDS] = {
	ROW(FAILURE_NONE, false, "00000",
		"no failure",
		NULL),

	ROW(FAILURE_RESOLVE, true, "08001",
		"could not resolve the host name of the NCLUE service",
		"Check option \"endpoint\" of the foreign server and the name "
		"resolution of the machine that PostgreSQL runs on."),
	ROW(FAILURE_RESOLVE_PROXY, true, "08001",
		"could not resolve the host name of the proxy",
		"Check option \"proxy\" of the foreign server and the name "
		"resolution of the machine that PostgreSQL runs on."),
	ROW(FAILURE_CONNECT, true, "08001",
		"could not connect to the NCLUE service",
		"Check option \"endpoint\" of the foreign server and that the machine "
		"PostgreSQL runs on may connect to it; where it takes a proxy, name "
		"it in option \"proxy\"."),
	ROW(FAILURE_TLS, true, "08001",
		"could not establish a TLS connection to the NCLUE service",
		"Check that options \"endpoint\" and \"proxy\" of the foreign server "
		"name ports that speak TLS."),
	ROW(FAILURE_CERTIFICATE, false, "08001",
		"the certificate of the NCLUE service is not trusted",
		"Check option \"endpoint\" of the foreign server and the certificate "
		"authorities of the machine that PostgreSQL runs on; option "
		"\"ca_file\" names other authorities."),
	ROW(FAILURE_CA_FILE, false, "08001",
		"could not read the file of certificate authorities",
		"Option \"ca_file\" of the foreign server must name a PEM file that "
		"the operating system user of PostgreSQL can read."),
	ROW(FAILURE_CONNECT_TIMEOUT, true, "08006",
		"timed out while connecting to the NCLUE service",
		"Check the network and options \"endpoint\" and \"proxy\" of the "
		"foreign server, or raise option \"connect_timeout\"."),
	ROW(FAILURE_TIMEOUT, true, "08006",
		"the NCLUE service did not answer in time",
		"Raise option \"timeout\" of the foreign server, or lower option "
		"\"page_size\"."),
	ROW(FAILURE_LOST, true, "08006",
		"lost the connection to the NCLUE service",
		"Run the statement again; if it keeps failing, check the network and "
		"option \"proxy\" of the foreign server."),
	ROW(FAILURE_PROTOCOL, false, "08P01",
		"the answer of the NCLUE service is not valid HTTP",
		"Check options \"endpoint\" and \"proxy\" of the foreign server."),
	ROW(FAILURE_MEMORY, false, "53200",
		"out of memory for a request to the NCLUE service",
		NULL),
	ROW(FAILURE_DESCRIPTORS, false, "53000",
		"out of file descriptors for a request to the NCLUE service",
		"Raise max_files_per_process and the operating system's limit on open "
		"files, or lower option \"max_in_flight\" of the foreign server."),
	ROW(FAILURE_LIBRARY, false, "HV000",
		"libcurl refused a request to the NCLUE service",
		"Function nclue_fdw_version() shows which libcurl is in use."),

	ROW(FAILURE_BAD_REQUEST, false, "HV000",
		"NCLUE rejected the request as invalid",
		"Check options \"endpoint\" of the foreign server and \"page_size\"; "
		"if they are right, report the error with its trace id."),
	ROW(FAILURE_AUTHENTICATION, false, "28000",
		"NCLUE rejected the credentials",
		"Check options \"access_key\" and \"secret_key\" of the user mapping, "
		"and that the clock of the machine PostgreSQL runs on is right."),
	ROW(FAILURE_PERMISSION, false, "42501",
		"NCLUE does not permit the request",
		"Check that the account is approved for NCLUE, and that the owner of "
		"option \"access_key\" of the user mapping may view it."),
	ROW(FAILURE_UNKNOWN_URL, false, "HV00R",
		"the API gateway of NCLUE knows no such URL",
		"Check option \"endpoint\" of the foreign server: host and path must "
		"be those of the NCLUE API."),
	ROW(FAILURE_NO_OBJECT, false, "HV00R",
		"NCLUE found nothing under the requested URL",
		"Check option \"endpoint\" of the foreign server: host and path must "
		"be those of the NCLUE API."),
	ROW(FAILURE_REQUEST_TOO_LARGE, false, "HV000",
		"NCLUE rejected the request as too large",
		"If it keeps failing, report the error with its trace id."),
	ROW(FAILURE_QUOTA, false, "53000",
		"request quota of the NCLUE service is used up",
		"Wait until the quota is renewed, or have it raised in the console of "
		"NAVER Cloud."),
	ROW(FAILURE_THROTTLED, true, "53000",
		"the NCLUE service refuses further requests for now",
		"Others may use the same access key, or option \"rate_limit\" of the "
		"foreign server is above what the service allows. Run the statement "
		"again later."),
	ROW(FAILURE_SERVER, true, "HV000",
		"the NCLUE service failed",
		"Try again later; if it keeps failing, report the error with its "
		"trace id."),
	ROW(FAILURE_UNAVAILABLE, true, "HV000",
		"the NCLUE service is not available",
		"Try again later; if it keeps failing, report the error with its "
		"trace id."),
	ROW(FAILURE_REDIRECT, false, "HV000",
		"the NCLUE service answered with a redirect",
		"Redirects are not followed: set option \"endpoint\" of the foreign "
		"server to the address where the API is."),
	ROW(FAILURE_STATUS, false, "HV000",
		"the NCLUE service answered with an unexpected status",
		"Check options \"endpoint\" and \"proxy\" of the foreign server."),

	ROW(FAILURE_BODY_TOO_LARGE, false, "54000",
		"the answer of the NCLUE service is too large",
		"Lower option \"page_size\", or raise option \"max_response_size\" of "
		"the foreign server."),
	ROW(FAILURE_NOT_JSON, false, "22032",
		"the answer of the NCLUE service is not valid JSON",
		"If something else may have answered, check options \"endpoint\" and "
		"\"proxy\" of the foreign server; if not, report the error with its "
		"trace id."),
	ROW(FAILURE_UNREADABLE, false, "22032",
		"the answer of the NCLUE service holds a value that cannot be read",
		"Integers must fit 64 bits, other numbers double precision; halves of "
		"surrogate pairs, NUL in keys and nesting beyond 2048 are refused. "
		"Other objects can be read by id, other pages with OFFSET."),
	ROW(FAILURE_SHAPE, false, "HV021",
		"the answer of the NCLUE service is not of the documented form",
		"Check option \"endpoint\" of the foreign server and option "
		"\"resource\" of the foreign table."),
	ROW(FAILURE_NO_ID, false, "HV021",
		"NCLUE sent an object without an id",
		"Check option \"resource\" of the foreign table; if it is right, "
		"report the error with its trace id."),

	ROW(FAILURE_MOVES, false, "40001",
		"the list changes faster than it can be read",
		"Run the statement again when fewer objects are being created and "
		"deleted, with option \"page_size\" at 100."),
	ROW(FAILURE_TOTAL, false, "HV021",
		"the list ends before the total that the NCLUE service states",
		"Run the statement again; if it keeps failing, the total is wrong, and "
		"only the service can mend that."),
	ROW(FAILURE_UNIT, false, "HV021",
		"the pages of the list contradict option \"index_unit\"",
		"Set option \"index_unit\" of the foreign server to its other value, "
		"\"row\" or \"page\"."),

	ROW(FAILURE_BUDGET, false, "53400",
		"the statement takes more requests than nclue_fdw.max_requests allows",
		"Read less, with LIMIT or by id, or raise nclue_fdw.max_requests; 0 "
		"allows any number."),
	ROW(FAILURE_LINE, false, "53400",
		"too many sessions wait for the rate limit of NCLUE",
		"Run the statement again later, in fewer sessions at once."),
	ROW(FAILURE_DEADLINE, false, "57014",
		"canceling statement because its next request could not be sent in time",
		"Raise statement_timeout, or run fewer statements at once: all that "
		"use one access key share option \"rate_limit\" of the foreign server.")
};

const FailureRow *
failure_row(FailureKind kind)
{
	return &rows[kind];
}

void
failure_clear(Failure *failure)
{
	int			phase;

	memset(failure, 0, sizeof(*failure));
	failure->kind = FAILURE_NONE;
	failure->date_s = -1;
	for (phase = 0; phase < FAILURE_PHASES; phase++)
		failure->phase_us[phase] = -1;
}

/*
 * Codes that decide (API documentation: "common error codes" of the API
 * gateway, and NCLUE's own).  10100 is ACCESS_DENIED: it comes with HTTP 401,
 * but from the service, which is asked only after the gateway has accepted the
 * signature.  NCLUE's other codes are about what a client writes.
 */
static const struct
{
	const char *code;
	int			number;
	FailureKind kind;
}			codes[] = {
	{"100", 100, FAILURE_BAD_REQUEST},
	{"200", 200, FAILURE_AUTHENTICATION},
	{"210", 210, FAILURE_PERMISSION},
	{"230", 230, FAILURE_PERMISSION},
	{"300", 300, FAILURE_UNKNOWN_URL},
	{"400", 400, FAILURE_QUOTA},
	{"410", 410, FAILURE_THROTTLED},
	{"420", 420, FAILURE_THROTTLED},
	{"430", 430, FAILURE_REQUEST_TOO_LARGE},
	{"500", 500, FAILURE_UNAVAILABLE},
	{"510", 510, FAILURE_UNAVAILABLE},
	{"900", 900, FAILURE_SERVER},
	{"10100", 10100, FAILURE_PERMISSION}
};

static FailureKind
status_kind(int status)
{
	switch (status)
	{
		case 200:
			return FAILURE_NONE;
		case 400:
		case 422:
			return FAILURE_BAD_REQUEST;
		case 401:
			return FAILURE_AUTHENTICATION;
		case 403:
			return FAILURE_PERMISSION;
		case 404:
			return FAILURE_NO_OBJECT;
		case 413:
		case 414:
		case 431:
			return FAILURE_REQUEST_TOO_LARGE;
		case 429:
			return FAILURE_THROTTLED;
		case 500:
			return FAILURE_SERVER;
		case 502:
		case 503:
		case 504:
			return FAILURE_UNAVAILABLE;
		case 301:
		case 302:
		case 303:
		case 307:
		case 308:
			return FAILURE_REDIRECT;
		default:
			return FAILURE_STATUS;
	}
}

/*
 * The gateway's codes look like HTTP statuses and mean something else.  A body
 * that repeats its own status as its code ("code": 400 under 400, a habit of
 * web frameworks and proxies) is no gateway's: the table has no such pair, and
 * the status decides.  Under 200 a code always decides, 200 included: an error
 * body is all that makes anybody look for one there.
 */
FailureKind
failure_kind(int status, const char *code)
{
	size_t		i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
	{
		if (strcmp(codes[i].code, code) == 0 &&
			(codes[i].number != status || status == 200))
			return codes[i].kind;
	}
	return status_kind(status);
}

void
failure_clip(char *target, size_t size, const char *text, size_t length)
{
	if (size == 0)
		return;
	if (length >= size)
	{
		size_t		end;

		/*
		 * A sequence has at most three bytes after its first; where more seem
		 * to follow, this is no UTF-8 and any cut is as good.
		 */
		for (end = size - 1; end > 0 && end + 4 > size; end--)
		{
			if (((unsigned char) text[end] & 0xC0) !=0x80)
				break;
		}
		length = ((unsigned char) text[end] & 0xC0) !=0x80 ? end : size - 1;
	}
	/* What follows a NUL may be copied, but is not part of the string. */
	if (length > 0)
		memcpy(target, text, length);
	target[length] = '\0';
}

void
failure_say(Failure *failure, FailureKind kind, const char *message)
{
	failure->kind = kind;
	failure_clip(failure->message, sizeof(failure->message),
				 message, strlen(message));
}
