/*
 * http_private.h
 *	  What the files of http share among themselves.
 *
 * http_address.c takes URLs apart, http_transfer.c knows one transfer, http.c
 * the pool that runs them.  Only these include this header.
 */
#ifndef NCLUE_HTTP_PRIVATE_H
#define NCLUE_HTTP_PRIVATE_H

#include <signal.h>

#include <curl/curl.h>

#include "http.h"

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or later is needed"
#endif

struct Http
{
	CURLM	   *multi;			/* NULL: to be made */
	long		kept;			/* connections, while none is used */
	int			epoll;
	int64_t		now_us;			/* of the call under way, or the last one */
	int64_t		due_us;			/* -1: never */
	int64_t		connections;
	char	   *ca_file;		/* NULL: the system's authorities */
	char	   *proxy;			/* "": none */
	char	   *user_agent;
	int64_t		max_body;
	HttpTransfer *first;
};

struct HttpTransfer
{
	Http	   *http;
	HttpTransfer *next;
	HttpTransfer *previous;
	CURL	   *easy;
	struct curl_slist *headers;
	char	   *body;			/* NULL: nothing came yet */
	size_t		length;
	size_t		size;
	size_t		header_bytes;
	bool		tls;
	int64_t		started_us;
	int64_t		until_us;		/* may be sent until then */
	int64_t		sent_us;		/* 0: not yet */
	bool		late;			/* not sent, for that had passed */
	long		connects;		/* of these, counted in http->connections */
	bool		finished;
	CURLcode	code;			/* of a finished one */
	FailureKind refused;		/* why we ended it; NONE: we did not */
	const char *reason;			/* likewise in words; static */
	char		error[CURL_ERROR_SIZE];
	Failure		outcome;
};

/*
 * Blocks every signal, and restores the mask there was.  Never raises.
 */
extern void http_block_signals(sigset_t *old);
extern void http_restore_signals(const sigset_t *old);

/*
 * The kind of a failure that lies with this process, which has no descriptors
 * left if it is not this one.  Never raises.
 */
extern FailureKind http_shortage(FailureKind kind);

/*
 * The kind of what libcurl says of a transfer that was sent or not.  Never
 * raises.
 */
extern FailureKind http_kind(CURLcode code, bool sent);

/*
 * Notes why we end a transfer, in words that are static; they go before what
 * libcurl says of it.  Never raises.
 */
extern void http_refuse(HttpTransfer *transfer, FailureKind kind,
						const char *reason);

/*
 * Sets every option of a transfer whose easy handle and headers there are.
 * Never raises.
 */
extern CURLcode http_equip(HttpTransfer *transfer, const char *url);

#endif
