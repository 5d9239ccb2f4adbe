/*
 * test_http.c
 *	  Tests of src/core/http.c and http_transfer.c, against http_server.py.
 *
 * getaddrinfo, malloc and free are defined here as well, and so come before
 * the C library's for libcurl too: a name that hangs, memory that runs out and
 * a look at what is freed need no special build.
 */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Seconds after which a test that waits has failed. */
#define PATIENCE 30

#define SECRET "x-secret: 3b2f6a"

#if defined(__SANITIZE_ADDRESS__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#define OWN_MALLOC 1
#endif

/* The server. */
static pid_t server;
static int	server_input;
static int	plain_port;
static int	tls_port;
static int	silent_port;
static int	proxy_port;
static char directory[200];

/* What getaddrinfo was asked. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int	hanging;			/* calls that do not return */
static bool released;			/* they may */
static bool expired;			/* one waited in vain */
static sigset_t resolver_mask;

static struct timespec
in_a_while(void)
{
	struct timespec then;

	clock_gettime(CLOCK_REALTIME, &then);
	then.tv_sec += PATIENCE;
	return then;
}

int
getaddrinfo(const char *name, const char *service,
			const struct addrinfo *hints, struct addrinfo **found)
{
	int			(*real) (const char *, const char *, const struct addrinfo *,
						 struct addrinfo **);
	struct timespec then = in_a_while();

	if (strcmp(name, "nosuch.invalid") == 0)
		return EAI_NONAME;
	if (strcmp(name, "hang.invalid") != 0)
	{
		*(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");
		return real(name, service, hints, found);
	}
	pthread_mutex_lock(&lock);
	pthread_sigmask(SIG_BLOCK, NULL, &resolver_mask);
	hanging++;
	pthread_cond_broadcast(&changed);
	while (!released && !expired)
		expired = pthread_cond_timedwait(&changed, &lock, &then) != 0;
	hanging--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return EAI_AGAIN;
}

#if OWN_MALLOC

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static pthread_t armed_thread;
static bool armed;				/* the n-th allocation from now on fails */
static long countdown;
static bool secrets_freed;		/* a copy of a header was freed as it was */

static bool
fails(void)
{
	return armed && pthread_equal(pthread_self(), armed_thread) &&
		countdown-- == 0;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *memory, size_t size)
{
	return fails() ? NULL : __libc_realloc(memory, size);
}

void
free(void *memory)
{
	/* what starts otherwise, such as a request, is not a copy of ours */
	if (memory != NULL && *(const char *) memory == SECRET[0] &&
		strcmp(memory, SECRET) == 0)
		secrets_freed = true;
	__libc_free(memory);
}

#endif

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/*
 * Waits as the real loop does, and lets the pool work once.
 */
static void
wait_and_turn(Http *http)
{
	struct pollfd wanted = {http_descriptor(http), POLLIN, 0};
	int64_t		left_us = (int64_t) PATIENCE * 1000000;

	if (http_due_us(http) >= 0)
		left_us = http_due_us(http) - now_us();
	if (left_us > 0)
		poll(&wanted, 1, (int) ((left_us + 999) / 1000));
	http_turn(http, now_us());
}

static void
finish(HttpTransfer *transfer)
{
	int64_t		end = now_us() + (int64_t) PATIENCE * 1000000;

	while (!http_finished(transfer))
	{
		wait_and_turn(transfer->http);
		assert_true(now_us() < end);
	}
}

static Http *
open_with(const char *ca_file, const char *proxy)
{
	HttpSettings settings = {NULL, NULL, "test_http/1", 100000};
	Failure		failure;
	Http	   *http;

	settings.ca_file = ca_file;
	settings.proxy = proxy;
	http = http_open(&settings, &failure);
	assert_non_null(http);
	return http;
}

static HttpTransfer *
start(Http *http, const char *url)
{
	static const char *const headers[] = {SECRET};
	Failure		failure;
	HttpTransfer *transfer = http_start(http, url, headers, 1, now_us(),
										&failure);

	assert_non_null(transfer);
	return transfer;
}

static const char *
url_of(const char *scheme, const char *host, int port, const char *target)
{
	static char url[500];

	snprintf(url, sizeof(url), "%s://%s:%d%s", scheme, host, port, target);
	return url;
}

static HttpTransfer *
get_url(Http *http, const char *url)
{
	HttpTransfer *transfer = start(http, url);

	finish(transfer);
	return transfer;
}

static HttpTransfer *
get(Http *http, const char *target)
{
	return get_url(http, url_of("http", "127.0.0.1", plain_port, target));
}

static void
assert_body(const HttpTransfer *transfer, const char *expected)
{
	size_t		length;
	const char *body = http_body(transfer, &length);

	assert_string_equal(body, expected);
	assert_int_equal(length, strlen(expected));
}

/*
 * Asserts that an answer came, and drops the transfer.
 */
static void
assert_answer(HttpTransfer *transfer, int status, const char *body)
{
	const Failure *outcome = http_outcome(transfer);

	assert_int_equal(outcome->kind, FAILURE_NONE);
	assert_string_equal(outcome->message, "");
	assert_int_equal(outcome->status, status);
	if (body != NULL)
		assert_body(transfer, body);
	http_drop(transfer);
}

/*
 * Asserts that none came, and drops the transfer.
 */
static void
assert_failure(HttpTransfer *transfer, FailureKind kind)
{
	assert_string_equal(failure_row(http_outcome(transfer)->kind)->name,
						failure_row(kind)->name);
	http_drop(transfer);
}

/*
 * How often a target is in the server's log.
 */
static int
logged(Http *http, const char *target)
{
	HttpTransfer *transfer = get(http, "/log");
	size_t		length;
	const char *line = http_body(transfer, &length);
	size_t		size = strlen(target);
	int			count = 0;

	for (; line != NULL; line = strchr(line, '\n'))
	{
		line += *line == '\n';
		count += strncmp(line, target, size) == 0 &&
			(line[size] == '\n' || line[size] == '\0');
	}
	http_drop(transfer);
	return count;
}

static int
open_pool(void **state)
{
	*state = open_with(NULL, NULL);
	return 0;
}

static int
close_pool(void **state)
{
	http_close(*state);
	return 0;
}

static void
target_is_sent_as_given(void **state)
{
	static const char *const targets[] = {
		"/api/v1/tasks?index=0&limit=100",
		"/a/./b/../c//d", "/..", "/%7e%2f%2F%41?%7E=+%20", "/a?/../?b",
		"/a;b,c=d:e@f!$'()*~", "/a//", "/?", "/a?", "/[]{}|\\^`\"<>",
	};
	size_t		i;

	for (i = 0; i < COUNT(targets); i++)
	{
		HttpTransfer *transfer = get(*state, targets[i]);
		char		line[200];
		size_t		length;

		snprintf(line, sizeof(line), "GET %s HTTP/1.1\r\n", targets[i]);
		assert_memory_equal(http_body(transfer, &length), line,
							strlen(line));
		assert_answer(transfer, 200, NULL);
	}
}

static void
headers_are_sent(void **state)
{
	HttpTransfer *transfer = get(*state, "/echo");
	size_t		length;
	const char *head = http_body(transfer, &length);

	assert_non_null(strstr(head, "\r\n" SECRET "\r\n"));
	assert_non_null(strstr(head, "\r\nUser-Agent: test_http/1\r\n"));
	assert_non_null(strstr(head, "gzip"));
	assert_null(strstr(head, "Cookie"));
	assert_null(strstr(head, "Authorization"));
	assert_answer(transfer, 200, NULL);
}

static void
connection_is_kept(void **state)
{
	int			i;

	for (i = 0; i < 5; i++)
		assert_answer(get(*state, "/echo"), 200, NULL);
	assert_int_equal(http_connections(*state), 1);
	/* an answer that is not 200 ends no connection either */
	assert_answer(get(*state, "/nothing"), 204, "");
	assert_answer(get(*state, "/redirect"), 302, "elsewhere");
	assert_answer(get(*state, "/echo"), 200, NULL);
	assert_int_equal(http_connections(*state), 1);
}

static void
several_at_once(void **state)
{
	HttpTransfer *transfers[24];
	size_t		i;

	for (i = 0; i < COUNT(transfers); i++)
	{
		char		target[40];

		snprintf(target, sizeof(target), "/chunked?%d", (int) i * 1000);
		transfers[i] = start(*state, url_of("http", "127.0.0.1", plain_port,
											target));
	}
	for (i = 0; i < COUNT(transfers); i++)
	{
		size_t		length;

		finish(transfers[i]);
		http_body(transfers[i], &length);
		assert_int_equal(length, i * 1000);
		assert_answer(transfers[i], 200, NULL);
	}
}

/*
 * Nothing is done before a turn, and the pool asks for one.
 */
static void
start_does_not_send(void **state)
{
	int64_t		now = now_us();
	HttpTransfer *transfer = start(*state, url_of("http", "127.0.0.1",
												  plain_port, "/echo"));

	assert_false(http_finished(transfer));
	assert_int_equal(http_sends(transfer), 0);
	assert_int_equal(http_sent_us(transfer), 0);
	assert_in_range(http_due_us(*state), now, now_us());
	assert_int_equal(http_outcome(transfer)->kind, FAILURE_NONE);
	assert_body(transfer, "");
	finish(transfer);
	assert_int_equal(http_sends(transfer), 1);
	assert_in_range(http_sent_us(transfer), now, now_us());
	http_drop(transfer);
	assert_int_equal(http_connections(*state), 1);
}

static const struct
{
	const char *target;
	size_t		length;			/* 0: too large; the limit is 100,000 */
}			sizes[] = {
	{"/gzip?100000", 100000},
	{"/gzip?100001", 0},
	{"/gzip?60000000", 0},
	{"/large?100000", 100000},
	{"/large?100001", 0},
	{"/chunked?100000", 100000},
	{"/chunked?100001", 0},
	/* by what it says: the rest never comes */
	{"/huge", 0},
};

static void
body_is_limited(void **state)
{
	size_t		i;

	for (i = 0; i < COUNT(sizes); i++)
	{
		HttpTransfer *transfer = get(*state, sizes[i].target);
		size_t		length;
		const char *body = http_body(transfer, &length);

		print_message("%s\n", sizes[i].target);
		assert_true(length <= 100000);
		assert_true(transfer->size <= 100001);
		if (sizes[i].length > 0)
		{
			assert_int_equal(length, sizes[i].length);
			assert_int_equal(strspn(body, "a"), length);
			assert_answer(transfer, 200, NULL);
		}
		else
			assert_failure(transfer, FAILURE_BODY_TOO_LARGE);
	}
	assert_answer(get(*state, "/echo"), 200, NULL);
}

static const struct
{
	const char *target;
	FailureKind kind;
	int			status;
	const char *body;
}			breakages[] = {
	{"/cut-length", FAILURE_LOST, 200, "half"},
	{"/cut-chunk", FAILURE_LOST, 200, "half"},
	{"/reset-body", FAILURE_LOST, 200, NULL},
	{"/reset", FAILURE_LOST, 0, ""},
	{"/early-reset", FAILURE_LOST, 0, ""},
	{"/close", FAILURE_LOST, 0, ""},
	{"/garbage", FAILURE_PROTOCOL, 0, ""},
	{"/flood", FAILURE_PROTOCOL, 200, ""},
	{"/bad-gzip", FAILURE_PROTOCOL, 200, ""},
};

static void
broken_answers(void **state)
{
	size_t		i;

	for (i = 0; i < COUNT(breakages); i++)
	{
		HttpTransfer *transfer = get(*state, breakages[i].target);

		print_message("%s: %s\n", breakages[i].target,
					  http_outcome(transfer)->message);
		assert_int_equal(http_sends(transfer), 1);
		assert_int_equal(http_outcome(transfer)->status,
						 breakages[i].status);
		assert_string_not_equal(http_outcome(transfer)->message, "");
		if (breakages[i].body != NULL)
			assert_body(transfer, breakages[i].body);
		assert_failure(transfer, breakages[i].kind);
	}
	assert_answer(get(*state, "/echo"), 200, NULL);
}

static void
no_connection(void **state)
{
	HttpTransfer *transfer = get_url(*state, "http://127.0.0.1:1/");

	assert_int_equal(http_sends(transfer), 0);
	assert_true(http_outcome(transfer)->phase_us[PHASE_CONNECT] >= 0);
	assert_int_equal(http_outcome(transfer)->phase_us[PHASE_ANSWER], -1);
	assert_failure(transfer, FAILURE_CONNECT);
	assert_failure(get_url(*state, "http://nosuch.invalid/"),
				   FAILURE_RESOLVE);
	assert_int_equal(http_connections(*state), 0);
}

static void
other_protocols_are_refused(void **state)
{
	assert_failure(get_url(*state, "file:///etc/passwd"), FAILURE_LIBRARY);
	assert_failure(get_url(*state, "ftp://127.0.0.1/"), FAILURE_LIBRARY);
}

static void
redirect_is_not_followed(void **state)
{
	assert_answer(get(*state, "/redirect"), 302, "elsewhere");
	assert_int_equal(logged(*state, "/redirected"), 0);
}

static void
headers_are_read(void **state)
{
	HttpTransfer *transfer = get(*state, "/headers");
	const Failure *outcome = http_outcome(transfer);

	assert_string_equal(outcome->trace_id, "trace-1");
	assert_string_equal(outcome->origin, "ENDPOINT");
	assert_int_equal(outcome->date_s, 1700000000);
	assert_answer(transfer, 401, "{}");

	transfer = get(*state, "/echo");
	outcome = http_outcome(transfer);
	assert_string_equal(outcome->trace_id, "");
	assert_string_equal(outcome->origin, "");
	assert_int_equal(outcome->date_s, -1);
	assert_answer(transfer, 200, NULL);
}

/*
 * Headers are those of the answer, not of one before it or after its body.
 */
static void
headers_are_of_the_answer(void **state)
{
	HttpTransfer *transfer = get(*state, "/early");

	assert_string_equal(http_outcome(transfer)->trace_id, "late");
	assert_string_equal(http_outcome(transfer)->origin, "");
	assert_int_equal(http_outcome(transfer)->date_s, -1);
	assert_answer(transfer, 200, "late");

	transfer = get(*state, "/trailer");
	assert_string_equal(http_outcome(transfer)->trace_id, "head");
	assert_int_equal(http_outcome(transfer)->date_s, -1);
	assert_answer(transfer, 200, "body");

	transfer = get(*state, "/early-reset");
	assert_string_equal(http_outcome(transfer)->trace_id, "");
	http_drop(transfer);
}

static void
retry_after(void **state)
{
	HttpTransfer *transfer = get(*state, "/retry?7");
	char		target[100];
	time_t		then = time(NULL) + 1000;

	assert_int_equal(http_retry_after_s(transfer), 7);
	assert_answer(transfer, 503, "");

	strftime(target, sizeof(target),
			 "/retry?%a,%%20%d%%20%b%%20%Y%%20%H:%M:%S%%20GMT", gmtime(&then));
	transfer = get(*state, target);
	assert_in_range(http_retry_after_s(transfer), 1000 - PATIENCE, 1000);
	assert_answer(transfer, 503, "");

	transfer = get(*state, "/retry?Sat,%2001%20Jan%202000%2000:00:00%20GMT");
	assert_int_equal(http_retry_after_s(transfer), 0);
	assert_answer(transfer, 503, "");

	transfer = get(*state, "/retry?soon");
	assert_int_equal(http_retry_after_s(transfer), 0);
	assert_answer(transfer, 503, "");

	transfer = get(*state, "/echo");
	assert_int_equal(http_retry_after_s(transfer), 0);
	http_drop(transfer);
}

/*
 * libcurl sends again where a kept connection is dead, and that is counted.
 */
static void
resend_is_counted(void **state)
{
	HttpTransfer *transfer;
	int64_t		first_us;

	assert_answer(get(*state, "/echo"), 200, NULL);
	first_us = now_us();
	transfer = get(*state, "/second-close");
	assert_int_equal(http_sends(transfer), 2);
	assert_true(http_sent_us(transfer) >= first_us);
	assert_answer(transfer, 200, NULL);
	assert_int_equal(http_connections(*state), 2);
	assert_int_equal(logged(*state, "/second-close"), 2);
}

static void
phases_of_an_answer(void **state)
{
	HttpTransfer *transfer = get(*state, "/echo");
	const int64_t *phase_us = http_outcome(transfer)->phase_us;

	assert_true(phase_us[PHASE_RESOLVE] >= 0);
	assert_true(phase_us[PHASE_CONNECT] >= 0);
	assert_int_equal(phase_us[PHASE_TLS], -1);
	assert_true(phase_us[PHASE_ANSWER] > 0);
	assert_true(phase_us[PHASE_BODY] >= 0);
	http_drop(transfer);
}

static void
keep_alive_is_on(void **state)
{
	int			found = 0;
	int			fd;

	assert_answer(get(*state, "/echo"), 200, NULL);
	for (fd = 3; fd < 256; fd++)
	{
		struct sockaddr_in peer;
		socklen_t	size = sizeof(peer);
		int			on = 0;

		if (getpeername(fd, (struct sockaddr *) &peer, &size) != 0 ||
			peer.sin_family != AF_INET || ntohs(peer.sin_port) != plain_port)
			continue;
		size = sizeof(on);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE,
									&on, &size), 0);
		assert_int_equal(on, 1);
		found++;
	}
	assert_int_equal(found, 1);
}

static void
certificates(void **state)
{
	char		right[250];
	char		other[250];
	Http	   *http;

	snprintf(right, sizeof(right), "%s/cert.pem", directory);
	snprintf(other, sizeof(other), "%s/other.pem", directory);

	http = open_with(right, NULL);
	assert_answer(get_url(http, url_of("https", "127.0.0.1", tls_port,
									   "/echo")), 200, NULL);
	/* the certificate is for the address, not for the name */
	assert_failure(get_url(http, url_of("https", "localhost", tls_port,
										"/echo")), FAILURE_CERTIFICATE);
	/* a port that does not speak TLS */
	assert_failure(get_url(http, url_of("https", "127.0.0.1", plain_port,
										"/echo")), FAILURE_TLS);
	http_close(http);

	http = open_with(other, NULL);
	assert_failure(get_url(http, url_of("https", "127.0.0.1", tls_port,
										"/echo")), FAILURE_CERTIFICATE);
	http_close(http);

	http = *state;
	assert_failure(get_url(http, url_of("https", "127.0.0.1", tls_port,
										"/echo")), FAILURE_CERTIFICATE);

	http = open_with("/nonexistent/ca.pem", NULL);
	assert_failure(get_url(http, url_of("https", "127.0.0.1", tls_port,
										"/echo")), FAILURE_CA_FILE);
	http_close(http);
}

static void
phases_over_tls(void **state)
{
	char		right[250];
	HttpTransfer *transfer;
	Http	   *http;

	(void) state;
	snprintf(right, sizeof(right), "%s/cert.pem", directory);
	http = open_with(right, NULL);
	transfer = get_url(http, url_of("https", "127.0.0.1", tls_port, "/a"));
	assert_true(http_outcome(transfer)->phase_us[PHASE_TLS] > 0);
	assert_answer(transfer, 200, NULL);
	/* over the connection that is there the handshake took no time */
	transfer = get_url(http, url_of("https", "127.0.0.1", tls_port, "/a"));
	assert_int_equal(http_outcome(transfer)->phase_us[PHASE_TLS], 0);
	assert_true(http_outcome(transfer)->phase_us[PHASE_ANSWER] > 0);
	assert_answer(transfer, 200, NULL);
	assert_int_equal(http_connections(http), 1);
	http_close(http);
}

/*
 * The environment names a proxy that refuses: main() set it.  With one of our
 * own, it may not say for which hosts.
 */
static void
proxies(void **state)
{
	char		right[250];
	char		proxy[100];
	char		target[100];
	HttpTransfer *transfer;
	Http	   *http;

	assert_non_null(getenv("http_proxy"));
	assert_answer(get(*state, "/echo"), 200, NULL);

	setenv("no_proxy", "*", 1);
	snprintf(right, sizeof(right), "%s/cert.pem", directory);
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", proxy_port);
	http = open_with(right, proxy);
	transfer = get_url(http, url_of("https", "127.0.0.1", tls_port, "/a"));
	snprintf(target, sizeof(target), "CONNECT 127.0.0.1:%d", tls_port);
	assert_int_equal(logged(*state, target), 1);
	/* nothing of the proxy's own answer */
	assert_string_equal(http_outcome(transfer)->trace_id, "");
	assert_int_equal(http_outcome(transfer)->date_s, -1);
	assert_int_equal(http_sends(transfer), 1);
	assert_answer(transfer, 200, NULL);

	transfer = get_url(http, "https://127.0.0.1:1/");
	assert_int_equal(http_outcome(transfer)->status, 0);
	assert_int_equal(http_sends(transfer), 0);
	assert_failure(transfer, FAILURE_CONNECT);
	http_close(http);

	http = open_with(NULL, "http://nosuch.invalid:3128");
	assert_failure(get(http, "/a"), FAILURE_RESOLVE_PROXY);
	http_close(http);
	unsetenv("no_proxy");
}

/*
 * Turns until a transfer is in a phase.
 */
static void
reach(HttpTransfer *transfer, FailurePhase phase)
{
	while (http_outcome(transfer)->phase_us[phase] < 0)
	{
		assert_false(http_finished(transfer));
		wait_and_turn(transfer->http);
	}
}

/*
 * A listener that answers no further SYN: its queue is full.  Fills an array
 * of descriptors to close.
 */
static int
crowded_port(int fds[4])
{
	struct sockaddr_in address;
	socklen_t	size = sizeof(address);
	int			i;

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < 4; i++)
	{
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(fds[i] >= 0);
		if (i > 0)
			connect(fds[i], (struct sockaddr *) &address, size);
		else
		{
			assert_int_equal(bind(fds[0], (struct sockaddr *) &address,
								  size), 0);
			assert_int_equal(listen(fds[0], 0), 0);
			assert_int_equal(getsockname(fds[0],
										 (struct sockaddr *) &address,
										 &size), 0);
		}
	}
	return ntohs(address.sin_port);
}

static void
drop_in_every_phase(void **state)
{
	int			fds[4];
	int			crowded = crowded_port(fds);
	struct
	{
		FailurePhase phase;
		const char *scheme;
		const char *host;
		int			port;
		const char *target;
	}			rows[] = {
		{PHASE_RESOLVE, "http", "hang.invalid", 80, "/"},
		{PHASE_CONNECT, "http", "127.0.0.1", 0, "/"},
		{PHASE_TLS, "https", "127.0.0.1", 0, "/"},
		{PHASE_ANSWER, "http", "127.0.0.1", 0, "/hang"},
		{PHASE_BODY, "http", "127.0.0.1", 0, "/hang-body"},
	};
	size_t		i;

	rows[1].port = crowded;
	rows[2].port = silent_port;
	rows[3].port = plain_port;
	rows[4].port = plain_port;
	for (i = 0; i < COUNT(rows); i++)
	{
		HttpTransfer *transfer = start(*state, url_of(rows[i].scheme,
													  rows[i].host,
													  rows[i].port,
													  rows[i].target));
		int			phase;

		print_message("phase %d\n", (int) rows[i].phase);
		http_turn(*state, now_us());
		reach(transfer, rows[i].phase);
		for (phase = rows[i].phase + 1; phase < FAILURE_PHASES; phase++)
			assert_int_equal(http_outcome(transfer)->phase_us[phase], -1);
		assert_int_equal(http_sends(transfer), rows[i].phase >= PHASE_ANSWER);
		http_drop(transfer);
		assert_answer(get(*state, "/echo"), 200, NULL);
	}
	for (i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

static void
await_hanging(int calls)
{
	struct timespec then = in_a_while();

	pthread_mutex_lock(&lock);
	while (hanging != calls)
		assert_int_equal(pthread_cond_timedwait(&changed, &lock, &then), 0);
	pthread_mutex_unlock(&lock);
}

/*
 * A transfer that resolves a name does not wait for it when it is dropped, nor
 * does its pool; and the thread that resolves takes no signal of ours.
 */
static void
drop_while_resolving(void **state)
{
	HttpTransfer *transfer;
	int			signo;

	await_hanging(0);
	released = false;
	transfer = start(*state, "http://hang.invalid/");
	http_turn(*state, now_us());
	await_hanging(1);
	for (signo = 1; signo <= SIGRTMAX; signo++)
	{
		/* the two between belong to the C library */
		if (signo != SIGKILL && signo != SIGSTOP &&
			(signo < 32 || signo >= SIGRTMIN))
			assert_int_equal(sigismember(&resolver_mask, signo), 1);
	}
	http_drop(transfer);
	http_close(open_with(NULL, NULL));
	pthread_mutex_lock(&lock);
	assert_false(expired);
	assert_int_equal(hanging, 1);
	released = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	await_hanging(0);
}

/*
 * The mask is the caller's again after every call.
 */
static void
mask_is_restored(void **state)
{
	sigset_t	mask;
	sigset_t	left;
	HttpTransfer *transfer;
	Http	   *http;

	(void) state;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	http = open_with(NULL, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &left);
	assert_memory_equal(&left, &mask, sizeof(int64_t));
	transfer = get(http, "/echo");
	http_retry_after_s(transfer);
	http_outcome(transfer);
	pthread_sigmask(SIG_BLOCK, NULL, &left);
	assert_memory_equal(&left, &mask, sizeof(int64_t));
	http_drop(transfer);
	pthread_sigmask(SIG_BLOCK, NULL, &left);
	assert_memory_equal(&left, &mask, sizeof(int64_t));
	http_close(http);
	pthread_sigmask(SIG_BLOCK, NULL, &left);
	assert_memory_equal(&left, &mask, sizeof(int64_t));
	sigemptyset(&mask);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static int
descriptors(void)
{
	int			count = 0;
	int			fd;

	for (fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/*
 * Closing a pool ends its transfers and leaves nothing open.
 */
static void
close_ends_everything(void **state)
{
	int			before = descriptors();
	Http	   *http = open_with(NULL, NULL);

	(void) state;
	assert_int_equal(fcntl(http_descriptor(http), F_GETFD), FD_CLOEXEC);
	assert_answer(get(http, "/echo"), 200, NULL);
	get(http, "/echo");
	start(http, url_of("http", "127.0.0.1", plain_port, "/never"));
	reach(start(http, url_of("http", "127.0.0.1", plain_port, "/hang")),
		  PHASE_ANSWER);
	http_close(http);
	http_close(NULL);
	http_drop(NULL);
	assert_int_equal(descriptors(), before);
}

#if OWN_MALLOC

static void
headers_are_erased(void **state)
{
	secrets_freed = false;
	free(strdup(SECRET));
	assert_true(secrets_freed);

	secrets_freed = false;
	assert_answer(get(*state, "/echo"), 200, NULL);
	http_drop(start(*state, url_of("http", "127.0.0.1", plain_port, "/a")));
	assert_false(secrets_freed);
}

/*
 * What happens when the n-th allocation fails; FAILURE_NONE where the request
 * did without.  *reached tells whether there was an n-th.
 */
static FailureKind
starve(long n, bool *reached)
{
	static const char *const headers[] = {SECRET, "a: b"};
	HttpSettings settings = {NULL, NULL, "test_http/1", 100000};
	int64_t		end = now_us() + (int64_t) PATIENCE * 1000000;
	char		url[100];
	HttpTransfer *transfer = NULL;
	Http	   *http;
	Failure		failure;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/large?50000", plain_port);
	failure.kind = FAILURE_NONE;
	countdown = n;
	armed_thread = pthread_self();
	armed = true;
	http = http_open(&settings, &failure);
	if (http != NULL)
		transfer = http_start(http, url, headers, 2, now_us(), &failure);
	while (transfer != NULL && !http_finished(transfer) && now_us() < end)
		wait_and_turn(http);
	if (transfer != NULL)
		failure = *http_outcome(transfer);
	armed = false;
	*reached = countdown < 0;
	assert_true(transfer == NULL || http_finished(transfer));
	if (transfer != NULL && failure.kind == FAILURE_NONE)
		assert_int_equal(failure.status, 200);
	http_close(http);
	return failure.kind;
}

static void
memory_runs_out(void **state)
{
	int			before = descriptors();
	int			failures = 0;
	bool		reached;
	long		n;

	(void) state;
	for (n = 0;; n++)
	{
		FailureKind kind = starve(n, &reached);

		if (!reached)
			break;
		failures += kind == FAILURE_MEMORY;
		if (kind != FAILURE_MEMORY && kind != FAILURE_NONE)
			print_message("allocation %ld: %s\n", n, failure_row(kind)->name);
	}
	print_message("%ld allocations, %d failures\n", n, failures);
	assert_int_equal(descriptors(), before);
}

#endif

static void
no_descriptor(void **state)
{
	HttpSettings settings = {NULL, NULL, "test_http/1", 100000};
	int			before = descriptors();
	int			fds[1024];
	size_t		n = 0;
	Failure		failure;
	Http	   *http;

	(void) state;
	while (n < COUNT(fds) && (fds[n] = dup(0)) >= 0)
		n++;
	http = http_open(&settings, &failure);
	while (n > 0)
		close(fds[--n]);
	assert_null(http);
	assert_int_equal(failure.kind, FAILURE_MEMORY);
	assert_int_equal(descriptors(), before);
}

static const struct
{
	CURLcode	code;
	FailureKind before;			/* it is sent */
	FailureKind after;
}			kinds[] = {
	{CURLE_OK, FAILURE_NONE, FAILURE_NONE},
	{CURLE_COULDNT_RESOLVE_HOST, FAILURE_RESOLVE, FAILURE_RESOLVE},
	{CURLE_COULDNT_RESOLVE_PROXY, FAILURE_RESOLVE_PROXY,
	FAILURE_RESOLVE_PROXY},
	{CURLE_COULDNT_CONNECT, FAILURE_CONNECT, FAILURE_CONNECT},
	{CURLE_INTERFACE_FAILED, FAILURE_CONNECT, FAILURE_CONNECT},
	{CURLE_NO_CONNECTION_AVAILABLE, FAILURE_CONNECT, FAILURE_CONNECT},
	{CURLE_PROXY, FAILURE_CONNECT, FAILURE_CONNECT},
	{CURLE_SSL_CONNECT_ERROR, FAILURE_TLS, FAILURE_TLS},
	{CURLE_SSL_CIPHER, FAILURE_TLS, FAILURE_TLS},
	{CURLE_SSL_CERTPROBLEM, FAILURE_TLS, FAILURE_TLS},
	{CURLE_SSL_CLIENTCERT, FAILURE_TLS, FAILURE_TLS},
	{CURLE_SSL_ENGINE_NOTFOUND, FAILURE_TLS, FAILURE_TLS},
	{CURLE_SSL_ENGINE_SETFAILED, FAILURE_TLS, FAILURE_TLS},
	{CURLE_SSL_ENGINE_INITFAILED, FAILURE_TLS, FAILURE_TLS},
	{CURLE_USE_SSL_FAILED, FAILURE_TLS, FAILURE_TLS},
	{CURLE_PEER_FAILED_VERIFICATION, FAILURE_CERTIFICATE,
	FAILURE_CERTIFICATE},
	{CURLE_SSL_ISSUER_ERROR, FAILURE_CERTIFICATE, FAILURE_CERTIFICATE},
	{CURLE_SSL_INVALIDCERTSTATUS, FAILURE_CERTIFICATE, FAILURE_CERTIFICATE},
	{CURLE_SSL_PINNEDPUBKEYNOTMATCH, FAILURE_CERTIFICATE,
	FAILURE_CERTIFICATE},
	{CURLE_SSL_CACERT_BADFILE, FAILURE_CA_FILE, FAILURE_CA_FILE},
	{CURLE_OPERATION_TIMEDOUT, FAILURE_CONNECT_TIMEOUT, FAILURE_TIMEOUT},
	{CURLE_SEND_ERROR, FAILURE_CONNECT, FAILURE_LOST},
	{CURLE_RECV_ERROR, FAILURE_CONNECT, FAILURE_LOST},
	{CURLE_GOT_NOTHING, FAILURE_CONNECT, FAILURE_LOST},
	{CURLE_PARTIAL_FILE, FAILURE_CONNECT, FAILURE_LOST},
	{CURLE_HTTP2, FAILURE_CONNECT, FAILURE_LOST},
	{CURLE_HTTP2_STREAM, FAILURE_CONNECT, FAILURE_LOST},
	{CURLE_SSL_SHUTDOWN_FAILED, FAILURE_CONNECT, FAILURE_LOST},
	{CURLE_UNSUPPORTED_PROTOCOL, FAILURE_LIBRARY, FAILURE_PROTOCOL},
	{CURLE_WEIRD_SERVER_REPLY, FAILURE_PROTOCOL, FAILURE_PROTOCOL},
	{CURLE_BAD_CONTENT_ENCODING, FAILURE_PROTOCOL, FAILURE_PROTOCOL},
	{CURLE_WRITE_ERROR, FAILURE_PROTOCOL, FAILURE_PROTOCOL},
	{CURLE_OUT_OF_MEMORY, FAILURE_MEMORY, FAILURE_MEMORY},
	{CURLE_BAD_FUNCTION_ARGUMENT, FAILURE_LIBRARY, FAILURE_LIBRARY},
	{CURLE_TOO_MANY_REDIRECTS, FAILURE_LIBRARY, FAILURE_LIBRARY},
};

static void
kinds_of_failure(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(kinds); i++)
	{
		assert_int_equal(http_kind(kinds[i].code, false), kinds[i].before);
		assert_int_equal(http_kind(kinds[i].code, true), kinds[i].after);
	}
}

static void
version_is_a_number(void **state)
{
	(void) state;
	assert_true(http_initialize());
	assert_in_range(http_version()[0], '7', '9');
}

static int
start_server(void **state)
{
	int			input[2];
	int			output[2];
	FILE	   *said;
	int			fields;

	(void) state;
	assert_int_equal(pipe(input), 0);
	assert_int_equal(pipe(output), 0);
	server = fork();
	assert_true(server >= 0);
	if (server == 0)
	{
		dup2(input[0], 0);
		dup2(output[1], 1);
		close(input[0]);
		close(input[1]);
		close(output[0]);
		close(output[1]);
		execlp("python3", "python3", "http_server.py", (char *) NULL);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	server_input = input[1];
	fcntl(server_input, F_SETFD, FD_CLOEXEC);
	said = fdopen(output[0], "r");
	assert_non_null(said);
	fields = fscanf(said, "plain %d tls %d silent %d proxy %d dir %199s",
					&plain_port, &tls_port, &silent_port, &proxy_port,
					directory);
	fclose(said);
	return fields == 5 ? 0 : -1;
}

/*
 * The server ends when its input does.
 */
static int
stop_server(void **state)
{
	int			status;

	(void) state;
	close(server_input);
	return waitpid(server, &status, 0) == server && status == 0 ? 0 : -1;
}

#define ON_POOL(test) \
	cmocka_unit_test_setup_teardown(test, open_pool, close_pool)

int
main(void)
{
	const struct rlimit few = {200, 200};
	const struct CMUnitTest tests[] = {
		ON_POOL(target_is_sent_as_given),
		ON_POOL(headers_are_sent),
		ON_POOL(connection_is_kept),
		ON_POOL(several_at_once),
		ON_POOL(start_does_not_send),
		ON_POOL(body_is_limited),
		ON_POOL(broken_answers),
		ON_POOL(no_connection),
		ON_POOL(other_protocols_are_refused),
		ON_POOL(redirect_is_not_followed),
		ON_POOL(headers_are_read),
		ON_POOL(headers_are_of_the_answer),
		ON_POOL(retry_after),
		ON_POOL(resend_is_counted),
		ON_POOL(phases_of_an_answer),
		ON_POOL(keep_alive_is_on),
		ON_POOL(certificates),
		cmocka_unit_test(phases_over_tls),
		ON_POOL(proxies),
		ON_POOL(drop_in_every_phase),
		ON_POOL(drop_while_resolving),
		cmocka_unit_test(mask_is_restored),
		cmocka_unit_test(close_ends_everything),
#if OWN_MALLOC
		ON_POOL(headers_are_erased),
		cmocka_unit_test(memory_runs_out),
#endif
		cmocka_unit_test(no_descriptor),
		cmocka_unit_test(kinds_of_failure),
		cmocka_unit_test(version_is_a_number),
	};

	setrlimit(RLIMIT_NOFILE, &few);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
