/*
 * http.h
 *	  Several HTTP transfers behind one descriptor.  The only file that knows
 *	  libcurl.
 *
 * Nothing here waits: the caller sleeps until http_descriptor() is readable or
 * http_due_us() has come, and then calls http_turn().  All times are
 * microseconds of CLOCK_MONOTONIC.  Every signal is blocked while libcurl runs,
 * since its resolver's thread would inherit an open mask and take the caller's
 * signals.
 */
#ifndef NCLUE_HTTP_H
#define NCLUE_HTTP_H

#include "failure.h"

typedef struct Http Http;		/* a pool of connections to one endpoint */
typedef struct HttpTransfer HttpTransfer;	/* one request and its answer */

/* An endpoint, taken apart. */
typedef struct HttpEndpoint
{
	char		origin[300];	/* scheme://host[:port] */
	char		path[200];		/* "" or "/api/v1": no slash at its end */
	char		host[256];
	bool		tls;
	bool		loopback;		/* localhost, 127.0.0.0/8, ::1 */
} HttpEndpoint;

/* What holds for all transfers of a pool; copied by http_open(). */
typedef struct HttpSettings
{
	const char *ca_file;		/* in place of the system's authorities; NULL:
								 * those */
	const char *proxy;			/* always by CONNECT or SOCKS; NULL: none,
								 * whatever the environment says */
	const char *user_agent;
	int64_t		max_body;		/* bytes after decompression */
	int			connections;	/* that are kept at most while none is used */
} HttpSettings;

/*
 * Prepares libcurl once per process; later calls do nothing.  False where it
 * cannot be, or lacks TLS or its threaded or asynchronous resolver.  Never
 * raises.
 */
extern bool http_initialize(void);

/*
 * Takes an endpoint apart.  *complaint is set, to a static sentence without
 * its full stop ("the scheme must be https, or http for a loopback host"),
 * where it is not of the form https://host[:port][/path], or http for a
 * loopback host: no credentials, query, fragment, white space, control or
 * non-ASCII characters.  NULL where it is.  Scheme and host come out in small
 * letters and the scheme's own port is left out, so that one endpoint has one
 * origin; host has no brackets round an IPv6 address.  Returns whether it is
 * an endpoint.  Never raises.
 */
extern bool http_endpoint(const char *text, HttpEndpoint *endpoint,
						  const char **complaint);

/*
 * The same for a proxy: http://, https://, socks5:// or socks5h:// host[:port],
 * without credentials, path (but for one slash), query or fragment.  Never
 * raises.
 */
extern bool http_proxy(const char *text, const char **complaint);

/*
 * Opens a pool, without a connection.  The caller's; closed with http_close(),
 * which ends its transfers too.  NULL with *failure filled where there is no
 * memory, descriptor or library.  Never raises.
 */
extern Http *http_open(const HttpSettings *settings, Failure *failure);
extern void http_close(Http *http);

/*
 * The descriptor to wait on: readable when http_turn() has something to do.
 * Never raises.
 */
extern int	http_descriptor(const Http *http);

/*
 * When http_turn() must be called even though the descriptor is not readable;
 * -1: not before it is.  Never raises.
 */
extern int64_t http_due_us(const Http *http);

/* A time that never comes. */
#define HTTP_NEVER INT64_MAX

/*
 * Starts a GET of a URL, an endpoint's origin and a target that begins with a
 * slash, sent byte for byte as given, with headers ("Name: value", copied;
 * their copies are erased when the transfer is dropped).  Redirects are not
 * followed.  Nothing is sent before the next http_turn(), and by http's own
 * clock not after until_us.  The caller's; ended with http_drop() at any time.  NULL with *failure filled where it cannot
 * start.  Never raises.
 */
extern HttpTransfer *http_start(Http *http, const char *url,
								const char *const *headers, int nheaders,
								int64_t until_us, int64_t now_us,
								Failure *failure);

/*
 * Until when the request may be sent, anew.  Never raises.
 */
extern void http_permit(HttpTransfer *transfer, int64_t until_us);

/*
 * Does what can be done without waiting.  Never raises.
 */
extern void http_turn(Http *http, int64_t now_us);

/*
 * Whether the transfer has ended, well or not.  Never raises.
 */
extern bool http_finished(const HttpTransfer *transfer);

/*
 * When the request was handed to its connection, by http's own clock; 0: it was
 * not.  Once only: libcurl would send it again by itself where a kept-alive
 * connection turns out to be dead, and is not let.  Never raises.
 */
extern int64_t http_sent_us(const HttpTransfer *transfer);

/*
 * Whether a finished transfer is one that was not sent because its permission
 * had ended.  Never raises.
 */
extern bool http_late(const HttpTransfer *transfer);

/*
 * Of a finished transfer: FAILURE_NONE where an answer came whole, whatever its
 * status; else why not.  Status, trace id, origin, date and phases are filled
 * either way as far as they came; of an unfinished one, the phases so far.
 * libcurl tells TCP's part of a connection from TLS's only when both are done:
 * until then their time is PHASE_CONNECT's.  Lives as long as the transfer.
 * Never raises.
 */
extern const Failure *http_outcome(HttpTransfer *transfer);

/*
 * Seconds that the answer's Retry-After asks to wait, of both its forms (a
 * number, or a time by this machine's clock); 0: it asks for nothing.  Never
 * raises.
 */
extern int64_t http_retry_after_s(const HttpTransfer *transfer);

/*
 * The body so far, decompressed; terminated.  Lives as long as the transfer.
 * Never raises.
 */
extern const char *http_body(const HttpTransfer *transfer, size_t *length);

/*
 * Ends a transfer, finished or not, without waiting, and erases its headers.
 * Never raises.
 */
extern void http_drop(HttpTransfer *transfer);

/*
 * Connections opened since http_open(), for tests and statistics.  Never
 * raises.
 */
extern int64_t http_connections(const Http *http);

/*
 * libcurl's version as it runs; static.  Never raises.
 */
extern const char *http_version(void);

#endif
