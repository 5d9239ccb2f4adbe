/*
 * http_transfer.c
 *	  One transfer: what libcurl is told, what comes in, and what came of it.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http_private.h"

/* First size of a body's buffer. */
#define BODY_START 8192

/* Bytes of all header lines of one answer; real ones have some hundreds. */
#define HEADERS_MAX ((size_t) 256 * 1024)

typedef struct LongOption
{
	CURLoption	option;
	long		value;
} LongOption;

static const LongOption long_options[] = {
	{CURLOPT_NOSIGNAL, 1},
	/* else ending a transfer waits for its resolver's thread */
	{CURLOPT_QUICK_EXIT, 1},
	/* through a plain proxy too the request is the one to the endpoint */
	{CURLOPT_HTTPPROXYTUNNEL, 1},
	{CURLOPT_TCP_KEEPALIVE, 1},
	/* seconds; far above any deadline of the caller's, 0 would mean 300 */
	{CURLOPT_CONNECTTIMEOUT, 1000000},

	/*
	 * connections are kept, so sessions save little; and where libcurl lacks
	 * memory to note one it frees a name twice
	 */
	{CURLOPT_SSL_SESSIONID_CACHE, 0},
	/* these are libcurl's defaults, said because safety rests on them */
	{CURLOPT_SSL_VERIFYPEER, 1},
	{CURLOPT_SSL_VERIFYHOST, 2},
	{CURLOPT_FOLLOWLOCATION, 0},
	{CURLOPT_NETRC, CURL_NETRC_IGNORED},
	{CURLOPT_HTTP09_ALLOWED, 0},
};

#define NLONG_OPTIONS (sizeof(long_options) / sizeof(long_options[0]))

void
http_block_signals(sigset_t *old)
{
	sigset_t	all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, old);
}

void
http_restore_signals(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

FailureKind
http_kind(CURLcode code, bool sent)
{
	switch (code)
	{
		case CURLE_OK:
			return FAILURE_NONE;
		case CURLE_COULDNT_RESOLVE_HOST:
			return FAILURE_RESOLVE;
		case CURLE_COULDNT_RESOLVE_PROXY:
			return FAILURE_RESOLVE_PROXY;
		case CURLE_COULDNT_CONNECT:
		case CURLE_INTERFACE_FAILED:
		case CURLE_NO_CONNECTION_AVAILABLE:
		case CURLE_PROXY:
			return FAILURE_CONNECT;
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_SSL_CIPHER:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CLIENTCERT:
		case CURLE_SSL_ENGINE_NOTFOUND:
		case CURLE_SSL_ENGINE_SETFAILED:
		case CURLE_SSL_ENGINE_INITFAILED:
		case CURLE_USE_SSL_FAILED:
			return FAILURE_TLS;
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_SSL_INVALIDCERTSTATUS:
		case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
			return FAILURE_CERTIFICATE;
		case CURLE_SSL_CACERT_BADFILE:
			return FAILURE_CA_FILE;
		case CURLE_OPERATION_TIMEDOUT:
			return sent ? FAILURE_TIMEOUT : FAILURE_CONNECT_TIMEOUT;
		case CURLE_SEND_ERROR:
		case CURLE_RECV_ERROR:
		case CURLE_GOT_NOTHING:
		case CURLE_PARTIAL_FILE:
		case CURLE_HTTP2:
		case CURLE_HTTP2_STREAM:
		case CURLE_SSL_SHUTDOWN_FAILED:
			/* before the send it was a proxy that broke off */
			return sent ? FAILURE_LOST : FAILURE_CONNECT;
		case CURLE_UNSUPPORTED_PROTOCOL:
			/* after the send: an answer in HTTP/0.9 */
			return sent ? FAILURE_PROTOCOL : FAILURE_LIBRARY;
#if LIBCURL_VERSION_NUM >= 0x080600
		case CURLE_TOO_LARGE:
#endif
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_BAD_CONTENT_ENCODING:
		case CURLE_WRITE_ERROR:
			/* a write error that is not ours is one of decompressing */
			return FAILURE_PROTOCOL;
		case CURLE_OUT_OF_MEMORY:
			return FAILURE_MEMORY;
		default:
			return FAILURE_LIBRARY;
	}
}

void
http_refuse(HttpTransfer *transfer, FailureKind kind, const char *reason)
{
	transfer->refused = kind;
	transfer->reason = reason;
}

/*
 * libcurl's callback: the connection stands, the request goes out next.
 */
static int
send_callback(void *argument, char *remote_ip, char *local_ip,
			  int remote_port, int local_port)
{
	HttpTransfer *transfer = argument;
	struct timespec now;
	int64_t		now_us;
	long		connects;

	(void) remote_ip;
	(void) local_ip;
	(void) remote_port;
	(void) local_port;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_us = (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
	if (transfer->sent_us > 0)
	{
		/* who paces requests must know of each, and sign it anew */
		http_refuse(transfer, FAILURE_LOST,
					"the connection was closed before an answer came");
		return CURL_PREREQFUNC_ABORT;
	}
	if (now_us > transfer->until_us)
	{
		transfer->late = true;
		return CURL_PREREQFUNC_ABORT;
	}
	transfer->sent_us = now_us;
	if (curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS,
						  &connects) == CURLE_OK)
	{
		transfer->http->connections += connects - transfer->connects;
		transfer->connects = connects;
	}
	return CURL_PREREQFUNC_OK;
}

/*
 * libcurl's callback: a header line, of whatever answer on the way to ours.
 */
static size_t
header_callback(char *line, size_t size, size_t count, void *argument)
{
	HttpTransfer *transfer = argument;
	long		status;

	(void) line;
	transfer->header_bytes += size * count;
	if (transfer->header_bytes > HEADERS_MAX)
	{
		http_refuse(transfer, FAILURE_PROTOCOL,
					"the headers of the answer do not end");
		return 0;
	}
	/* libcurl would take what follows for a body without end */
	if (curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE,
						  &status) == CURLE_OK && status == 101)
	{
		http_refuse(transfer, FAILURE_PROTOCOL,
					"the service switched to another protocol unasked");
		return 0;
	}
	return size * count;
}

/*
 * A header of the answer itself (not of a proxy's or an informational one
 * before it, nor a trailer); NULL if it has none.
 */
static const char *
header(const HttpTransfer *transfer, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1,
						 &found) != CURLHE_OK)
		return NULL;
	return found->value;
}

/*
 * Whether the answer says of itself that it is too long.  What it says counts
 * compressed bytes where it is compressed.
 */
static bool
stated_too_long(const HttpTransfer *transfer)
{
	curl_off_t	stated;

	return curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
							 &stated) == CURLE_OK &&
		stated > transfer->http->max_body &&
		header(transfer, "Content-Encoding") == NULL;
}

/*
 * Makes room for more bytes and a terminator.  The limit is checked before, so
 * the buffer never grows beyond it.
 */
static bool
reserve(HttpTransfer *transfer, size_t more)
{
	size_t		needed = transfer->length + more + 1;
	size_t		size = transfer->size == 0 ? BODY_START : transfer->size;
	char	   *body;

	if (needed <= transfer->size)
		return true;
	while (size < needed)
		size *= 2;
	if (size > (size_t) transfer->http->max_body + 1)
		size = (size_t) transfer->http->max_body + 1;
	body = realloc(transfer->body, size);
	if (body == NULL)
		return false;
	transfer->body = body;
	transfer->size = size;
	return true;
}

/*
 * libcurl's callback: bytes of the body, decompressed.
 */
static size_t
body_callback(char *data, size_t size, size_t count, void *argument)
{
	HttpTransfer *transfer = argument;
	size_t		more = size * count;
	int64_t		left = transfer->http->max_body - (int64_t) transfer->length;

	if ((int64_t) more > left ||
		(transfer->length == 0 && stated_too_long(transfer)))
	{
		http_refuse(transfer, FAILURE_BODY_TOO_LARGE, "");
		return 0;
	}
	if (!reserve(transfer, more))
	{
		http_refuse(transfer, FAILURE_MEMORY, "");
		return 0;
	}
	memcpy(transfer->body + transfer->length, data, more);
	transfer->length += more;
	transfer->body[transfer->length] = '\0';
	return more;
}

/*
 * Sets what the pool's settings ask of a transfer.
 */
static CURLcode
apply_settings(CURL *easy, const Http *http)
{
	CURLcode	code;

	/* set even when empty: else the environment decides */
	if ((code = curl_easy_setopt(easy, CURLOPT_PROXY,
								 http->proxy)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_NOPROXY, "")) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_USERAGENT,
								 http->user_agent)) != CURLE_OK)
		return code;
	if (http->ca_file == NULL)
		return CURLE_OK;
	/* in place of the system's authorities, so not their directory either */
	if ((code = curl_easy_setopt(easy, CURLOPT_CAINFO,
								 http->ca_file)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL)) != CURLE_OK)
		return code;
	if (!curl_strnequal(http->proxy, "https://", 8))
		return CURLE_OK;
	if ((code = curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO,
								 http->ca_file)) != CURLE_OK)
		return code;
	return curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
}

/*
 * What is asked of a URL's host: from its path on.  libcurl is given it apart,
 * since it tidies a URL's (dots; the case of percent codes), and every byte is
 * signed.  NULL where there is none.
 */
static const char *
target_of(const char *url)
{
	const char *host = strstr(url, "://");

	return host == NULL ? NULL : strchr(host + 3, '/');
}

/* HTTP/2 over TLS, where offered, is libcurl's default. */
CURLcode
http_equip(HttpTransfer *transfer, const char *url)
{
	CURL	   *easy = transfer->easy;
	CURLcode	code;
	size_t		i;

	for (i = 0; i < NLONG_OPTIONS; i++)
		if ((code = curl_easy_setopt(easy, long_options[i].option,
									 long_options[i].value)) != CURLE_OK)
			return code;

	/*
	 * Authorities are read for each connection, which takes some 50 ms:
	 * libcurl would keep what it has read for a day, also from a file that
	 * has been put right since, or without enough memory.
	 */
	code = curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	if (code != CURLE_OK && code != CURLE_NOT_BUILT_IN)
		return code;
	if ((code = curl_easy_setopt(easy, CURLOPT_URL, url)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET,
								 target_of(url))) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
								 "http,https")) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING,
								 "")) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
								 transfer->headers)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER,
								 transfer->error)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_PRIVATE,
								 transfer)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION,
								 send_callback)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_PREREQDATA,
								 transfer)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
								 header_callback)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_HEADERDATA,
								 transfer)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION,
								 body_callback)) != CURLE_OK ||
		(code = curl_easy_setopt(easy, CURLOPT_WRITEDATA,
								 transfer)) != CURLE_OK)
		return code;
	return apply_settings(easy, transfer->http);
}

bool
http_finished(const HttpTransfer *transfer)
{
	return transfer->finished;
}

int64_t
http_sent_us(const HttpTransfer *transfer)
{
	return transfer->sent_us;
}

bool
http_late(const HttpTransfer *transfer)
{
	return transfer->late;
}

void
http_permit(HttpTransfer *transfer, int64_t until_us)
{
	transfer->until_us = until_us;
}

/*
 * One of libcurl's times, in microseconds since the transfer's start; 0: not
 * reached.
 */
static int64_t
mark(const HttpTransfer *transfer, CURLINFO which)
{
	curl_off_t	us;

	return curl_easy_getinfo(transfer->easy, which, &us) == CURLE_OK ? us : 0;
}

/*
 * Fills the time spent in each phase.  On a reused connection the phases
 * before the send took no time.
 */
static void
fill_phases(const HttpTransfer *transfer, bool whole, int64_t *phase_us)
{
	bool		sent = transfer->sent_us > 0;
	int64_t		sent_at = mark(transfer, CURLINFO_PRETRANSFER_TIME_T);
	int64_t		total = transfer->finished ?
	mark(transfer, CURLINFO_TOTAL_TIME_T) :
	transfer->http->now_us - transfer->started_us;
	int64_t		from = 0;
	int64_t		end[FAILURE_PHASES];
	int			phase;

	end[PHASE_RESOLVE] = mark(transfer, CURLINFO_NAMELOOKUP_TIME_T);
	end[PHASE_CONNECT] = mark(transfer, CURLINFO_CONNECT_TIME_T);
	end[PHASE_TLS] = mark(transfer, CURLINFO_APPCONNECT_TIME_T);
	end[PHASE_ANSWER] = mark(transfer, CURLINFO_STARTTRANSFER_TIME_T);
	end[PHASE_BODY] = whole ? total : 0;
	for (phase = 0; phase < FAILURE_PHASES; phase++)
	{
		bool		passed = end[phase] > 0 || (sent && phase < PHASE_ANSWER);

		if (phase == PHASE_TLS && !transfer->tls)
			continue;
		if (phase == PHASE_ANSWER)
			from = sent_at;
		if (!passed)
		{
			/* the one under way */
			phase_us[phase] = total > from ? total - from : 0;
			break;
		}
		phase_us[phase] = end[phase] > from ? end[phase] - from : 0;
		if (end[phase] > from)
			from = end[phase];
	}
}

/*
 * Copies a header of the answer; the empty text where it has none.
 */
static void
copy_header(const HttpTransfer *transfer, const char *name,
			char *target, size_t size)
{
	const char *value = header(transfer, name);

	if (value != NULL)
		failure_clip(target, size, value, strlen(value));
}

/*
 * Says why a finished transfer has no whole answer.
 */
static void
fill_failure(const HttpTransfer *transfer, Failure *outcome)
{
	const char *message = transfer->error[0] != '\0' ? transfer->error :
	curl_easy_strerror(transfer->code);

	if (transfer->refused != FAILURE_NONE)
	{
		outcome->kind = transfer->refused;
		message = transfer->reason;
	}
	else if (transfer->sent_us > 0)
		outcome->kind = http_kind(transfer->code, true);
	else
		outcome->kind = http_shortage(http_kind(transfer->code, false));
	failure_clip(outcome->message, sizeof(outcome->message),
				 message, strlen(message));
}

const Failure *
http_outcome(HttpTransfer *transfer)
{
	Failure    *outcome = &transfer->outcome;
	const char *date;
	sigset_t	old;
	bool		broken;
	long		status;

	http_block_signals(&old);
	failure_clear(outcome);
	/* an informational status is not an answer yet */
	if (curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE,
						  &status) == CURLE_OK && status >= 200)
		outcome->status = (int) status;
	copy_header(transfer, "x-ncp-trace-id",
				outcome->trace_id, sizeof(outcome->trace_id));
	copy_header(transfer, "x-ncp-apigw-response-origin",
				outcome->origin, sizeof(outcome->origin));
	date = header(transfer, "Date");
	if (date != NULL)
		outcome->date_s = (int64_t) curl_getdate(date, NULL);
	broken = transfer->refused != FAILURE_NONE || transfer->code != CURLE_OK;
	if (transfer->finished && broken)
		fill_failure(transfer, outcome);
	fill_phases(transfer, transfer->finished && !broken, outcome->phase_us);
	http_restore_signals(&old);
	return outcome;
}

int64_t
http_retry_after_s(const HttpTransfer *transfer)
{
	curl_off_t	seconds;
	sigset_t	old;
	bool		known;

	http_block_signals(&old);
	known = curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER,
							  &seconds) == CURLE_OK;
	http_restore_signals(&old);
	/* negative where it names a time that has passed */
	return known && seconds > 0 ? (int64_t) seconds : 0;
}

const char *
http_body(const HttpTransfer *transfer, size_t *length)
{
	*length = transfer->length;
	return transfer->length == 0 ? "" : transfer->body;
}
