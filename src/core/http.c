/*
 * http.c
 *	  Several HTTP transfers behind one descriptor.
 *
 * libcurl tells through callbacks which sockets it waits for and until when;
 * they are kept in one epoll set and one time, so that the caller waits on a
 * single descriptor.  A transfer owns its easy handle, the list of its headers
 * and its body, and destroy() alone takes them down.  Nothing here has a
 * deadline: the caller's clock stands still while nobody waits, libcurl's
 * would not.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "http_private.h"
#include "sign.h"

/*
 * Rounds of one turn, and sockets served in a round.  Several rounds, so that
 * an answer that lies ready is read before its time is judged; not endless, so
 * that a fast sender cannot keep the caller from looking at its interrupts.
 */
#define TURN_ROUNDS 16
#define TURN_EVENTS 16

/*
 * Descriptors that a connection may take at one time beside its socket: those of
 * the resolver, and files that it and TLS read.
 */
#define SPARE_DESCRIPTORS 4

/*
 * Nobody says so: libcurl takes it for a host that cannot be reached, a name
 * without an address, a file that cannot be read.  What it had open is closed
 * by now, and may just not have been enough.
 */
FailureKind
http_shortage(FailureKind kind)
{
	int			spare[SPARE_DESCRIPTORS];
	int			n = 0;

	while (n < SPARE_DESCRIPTORS &&
		   (spare[n] = epoll_create1(EPOLL_CLOEXEC)) >= 0)
		n++;
	if (n < SPARE_DESCRIPTORS && (errno == EMFILE || errno == ENFILE))
		kind = FAILURE_DESCRIPTORS;
	while (n > 0)
		close(spare[--n]);
	return kind;
}

/*
 * Makes *failure say why nothing was started.
 */
static void
fail(Failure *failure, FailureKind kind, const char *message)
{
	failure_clear(failure);
	failure_say(failure, kind, message);
}

static FailureKind
kind_of_multi(CURLMcode code)
{
	/* our own callback aborts only where the kernel has no room in an epoll */
	return code == CURLM_OUT_OF_MEMORY || code == CURLM_ABORTED_BY_CALLBACK ?
		FAILURE_MEMORY : FAILURE_LIBRARY;
}

/*
 * libcurl's callback: which events of a socket it waits for.
 */
static int
socket_callback(CURL *easy, curl_socket_t fd, int what, void *argument,
				void *per_socket)
{
	Http	   *http = argument;
	struct epoll_event event;

	(void) easy;
	(void) per_socket;
	memset(&event, 0, sizeof(event));
	event.data.fd = fd;
	if (what == CURL_POLL_REMOVE)
	{
		/* fails where the socket is closed already, and then it is gone */
		epoll_ctl(http->epoll, EPOLL_CTL_DEL, fd, &event);
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		event.events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(http->epoll, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	if (errno == ENOENT &&
		epoll_ctl(http->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	return -1;
}

/*
 * libcurl's callback: when it wants to run again.
 */
static int
timer_callback(CURLM *multi, long timeout_ms, void *argument)
{
	Http	   *http = argument;

	(void) multi;
	http->due_us = timeout_ms < 0 ? -1 :
		http->now_us + (int64_t) timeout_ms * 1000;
	return 0;
}

bool
http_initialize(void)
{
	static bool ready = false;
	const int	needed = CURL_VERSION_SSL | CURL_VERSION_ASYNCHDNS;
	sigset_t	old;

	if (ready)
		return true;
	http_block_signals(&old);
	ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
		(curl_version_info(CURLVERSION_NOW)->features & needed) == needed;
	http_restore_signals(&old);
	return ready;
}

/*
 * Makes what runs a pool's transfers.
 */
static bool
open_multi(Http *http, Failure *failure)
{
	CURLM	   *multi = curl_multi_init();
	CURLMcode	code;

	if (multi == NULL)
	{
		fail(failure, http_shortage(FAILURE_MEMORY), "");
		return false;
	}
	if ((code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
								  socket_callback)) != CURLM_OK ||
		(code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA,
								  http)) != CURLM_OK ||
		(code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION,
								  timer_callback)) != CURLM_OK ||
		(code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA,
								  http)) != CURLM_OK ||
		(code = curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
								  http->kept)) != CURLM_OK)
	{
		fail(failure, kind_of_multi(code), curl_multi_strerror(code));
		curl_multi_cleanup(multi);
		return false;
	}
#if LIBCURL_VERSION_NUM >= 0x081400
	/* a library older than its header has no pool of threads to wait for */
	code = curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L);
	if (code != CURLM_OK && code != CURLM_UNKNOWN_OPTION)
	{
		fail(failure, kind_of_multi(code), curl_multi_strerror(code));
		curl_multi_cleanup(multi);
		return false;
	}
#endif
	http->multi = multi;
	return true;
}

/*
 * Fills a pool.  What it leaves unfilled is NULL, or -1 for the descriptor.
 */
static bool
fill_pool(Http *http, const HttpSettings *settings, Failure *failure)
{
	const char *proxy = settings->proxy == NULL ? "" : settings->proxy;

	http->max_body = settings->max_body;
	http->kept = settings->connections;
	http->user_agent = strdup(settings->user_agent);
	http->proxy = strdup(proxy);
	http->ca_file = settings->ca_file == NULL ? NULL :
		strdup(settings->ca_file);
	if (http->user_agent == NULL || http->proxy == NULL ||
		(http->ca_file == NULL && settings->ca_file != NULL) ||
		(http->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
	{
		fail(failure, http_shortage(FAILURE_MEMORY), "");
		return false;
	}
	return open_multi(http, failure);
}

Http *
http_open(const HttpSettings *settings, Failure *failure)
{
	Http	   *http;
	sigset_t	old;

	if (!http_initialize())
	{
		fail(failure, FAILURE_LIBRARY,
			 "libcurl does not start, or lacks TLS or asynchronous DNS");
		return NULL;
	}
	http = calloc(1, sizeof(Http));
	if (http == NULL)
	{
		fail(failure, FAILURE_MEMORY, "");
		return NULL;
	}
	http->epoll = -1;
	http->due_us = -1;
	http_block_signals(&old);
	if (!fill_pool(http, settings, failure))
	{
		http_close(http);
		http = NULL;
	}
	http_restore_signals(&old);
	return http;
}

/*
 * Takes a transfer down, however far it was built, with all signals blocked.
 */
static void
destroy(HttpTransfer *transfer)
{
	struct curl_slist *line;

	if (transfer->easy != NULL)
	{
		curl_multi_remove_handle(transfer->http->multi, transfer->easy);
		curl_easy_cleanup(transfer->easy);
	}
	/* the handle read them until here */
	for (line = transfer->headers; line != NULL; line = line->next)
		sign_erase(line->data, strlen(line->data));
	curl_slist_free_all(transfer->headers);
	free(transfer->body);
	free(transfer);
}

void
http_close(Http *http)
{
	HttpTransfer *transfer;
	HttpTransfer *next;
	sigset_t	old;

	if (http == NULL)
		return;
	http_block_signals(&old);
	for (transfer = http->first; transfer != NULL; transfer = next)
	{
		next = transfer->next;
		destroy(transfer);
	}
	/* closes connections, and takes their sockets out of the epoll set */
	if (http->multi != NULL)
		curl_multi_cleanup(http->multi);
	if (http->epoll >= 0)
		close(http->epoll);
	free(http->ca_file);
	free(http->proxy);
	free(http->user_agent);
	free(http);
	http_restore_signals(&old);
}

int
http_descriptor(const Http *http)
{
	return http->epoll;
}

int64_t
http_due_us(const Http *http)
{
	return http->due_us;
}

/*
 * Copies the headers of a transfer.
 */
static bool
copy_headers(HttpTransfer *transfer, const char *const *headers, int nheaders)
{
	int			i;

	for (i = 0; i < nheaders; i++)
	{
		struct curl_slist *longer = curl_slist_append(transfer->headers,
													  headers[i]);

		if (longer == NULL)
			return false;
		transfer->headers = longer;
	}
	return true;
}

/*
 * Fills a transfer and hands it to libcurl.
 */
static bool
launch(HttpTransfer *transfer, const char *url, const char *const *headers,
	   int nheaders, Failure *failure)
{
	CURLcode	code;
	CURLMcode	added;

	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL || !copy_headers(transfer, headers, nheaders))
	{
		fail(failure, FAILURE_MEMORY, "");
		return false;
	}
	code = http_equip(transfer, url);
	if (code != CURLE_OK)
	{
		fail(failure, http_kind(code, false), curl_easy_strerror(code));
		return false;
	}
	if (transfer->http->multi == NULL && !open_multi(transfer->http, failure))
		return false;
	added = curl_multi_add_handle(transfer->http->multi, transfer->easy);
	if (added != CURLM_OK)
	{
		fail(failure, kind_of_multi(added), curl_multi_strerror(added));
		return false;
	}
	return true;
}

HttpTransfer *
http_start(Http *http, const char *url, const char *const *headers,
		   int nheaders, int64_t until_us, int64_t now_us, Failure *failure)
{
	HttpTransfer *transfer = calloc(1, sizeof(HttpTransfer));
	sigset_t	old;

	if (transfer == NULL)
	{
		fail(failure, FAILURE_MEMORY, "");
		return NULL;
	}
	http->now_us = now_us;
	transfer->http = http;
	transfer->tls = curl_strnequal(url, "https://", 8);
	transfer->started_us = now_us;
	transfer->until_us = until_us;
	transfer->reason = "";

	http_block_signals(&old);
	if (launch(transfer, url, headers, nheaders, failure))
	{
		transfer->next = http->first;
		if (http->first != NULL)
			http->first->previous = transfer;
		http->first = transfer;
	}
	else
	{
		destroy(transfer);
		transfer = NULL;
	}
	http_restore_signals(&old);
	return transfer;
}

/*
 * Notes which transfers have ended.
 */
static void
collect(Http *http)
{
	const CURLMsg *message;
	int			left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL)
	{
		CURLcode	code = message->data.result;
		char	   *owner;

		if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
							  &owner) == CURLE_OK)
		{
			HttpTransfer *transfer = (HttpTransfer *) (void *) owner;

			transfer->finished = true;
			transfer->code = code;
		}
	}
}

/*
 * Ends everything under way.  A multi handle that has failed is not to be used
 * again: libcurl may have left a socket half noted for want of memory, and
 * divide by zero when it comes to it.
 */
static void
give_up(Http *http, CURLMcode code)
{
	HttpTransfer *transfer;

	collect(http);
	for (transfer = http->first; transfer != NULL; transfer = transfer->next)
	{
		if (!transfer->finished)
		{
			transfer->finished = true;
			http_refuse(transfer, kind_of_multi(code), curl_multi_strerror(code));
		}
		curl_multi_remove_handle(http->multi, transfer->easy);
	}
	curl_multi_cleanup(http->multi);
	http->multi = NULL;
	http->due_us = -1;
}

/*
 * Lets libcurl act on a socket, or on its time.  It is not told what happened
 * to the socket: the socket may have been closed, and its number given to
 * another one, since epoll was asked; so libcurl looks itself.
 */
static void
act(Http *http, curl_socket_t fd)
{
	int			running;
	CURLMcode	code;

	if (http->multi == NULL)
		return;
	code = curl_multi_socket_action(http->multi, fd, 0, &running);
	if (code != CURLM_OK)
		give_up(http, code);
}

/*
 * One round: everything that is ready now.  False where nothing was.
 */
static bool
turn_once(Http *http)
{
	struct epoll_event events[TURN_EVENTS];
	int			n = epoll_wait(http->epoll, events, TURN_EVENTS, 0);
	bool		due = http->due_us >= 0 && http->due_us <= http->now_us;
	int			i;

	for (i = 0; i < n; i++)
		act(http, events[i].data.fd);
	if (due)
	{
		/* once: libcurl sets the next time itself */
		http->due_us = -1;
		act(http, CURL_SOCKET_TIMEOUT);
	}
	return n > 0 || due;
}

void
http_turn(Http *http, int64_t now_us)
{
	sigset_t	old;
	int			round;

	http_block_signals(&old);
	http->now_us = now_us;
	for (round = 0; round < TURN_ROUNDS; round++)
		if (!turn_once(http))
			break;
	if (http->multi != NULL)
		collect(http);
	http_restore_signals(&old);
}

void
http_drop(HttpTransfer *transfer)
{
	sigset_t	old;

	if (transfer == NULL)
		return;
	if (transfer->previous != NULL)
		transfer->previous->next = transfer->next;
	else
		transfer->http->first = transfer->next;
	if (transfer->next != NULL)
		transfer->next->previous = transfer->previous;

	http_block_signals(&old);
	destroy(transfer);
	http_restore_signals(&old);
}

int64_t
http_connections(const Http *http)
{
	return http->connections;
}

const char *
http_version(void)
{
	return curl_version_info(CURLVERSION_NOW)->version;
}
