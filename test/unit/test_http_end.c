/*
 * test_http_end.c
 *	  Tests of src/core/http.c: requests that are given up, and descriptors
 *	  that run out.
 *
 * epoll's calls are defined here as well, and so come before the C library's.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http_client.h"

static bool no_epoll;			/* the kernel has no room for it */

int
epoll_create1(int flags)
{
	if (no_epoll)
	{
		errno = EMFILE;
		return -1;
	}
	return (int) syscall(SYS_epoll_create1, flags);
}

int
epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (no_epoll && operation != EPOLL_CTL_DEL)
	{
		errno = ENOSPC;
		return -1;
	}
	return (int) syscall(SYS_epoll_ctl, epoll, operation, fd, event);
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
drop_when_connecting_and_later(void **state)
{
	int			fds[4];
	int			crowded = crowded_port(fds);
	struct
	{
		FailurePhase phase;
		const char *scheme;
		int			port;
		const char *target;
	}			rows[] = {
		{PHASE_CONNECT, "http", crowded, "/"},
		/* and in a handshake, which libcurl counts here until it is done */
		{PHASE_CONNECT, "https", silent_port, "/"},
		{PHASE_ANSWER, "http", plain_port, "/hang"},
		{PHASE_BODY, "http", plain_port, "/hang-body"},
	};
	size_t		i;

	for (i = 0; i < COUNT(rows); i++)
	{
		HttpTransfer *transfer = start(*state, url_of(rows[i].scheme,
													  "127.0.0.1",
													  rows[i].port,
													  rows[i].target));
		int			phase;

		http_turn(*state, now_us());
		reach(transfer, rows[i].phase);
		while (rows[i].port == silent_port && logged(*state, "silent") == 0)
			assert_false(http_finished(transfer));
		for (phase = rows[i].phase + 1; phase < FAILURE_PHASES; phase++)
			assert_int_equal(http_outcome(transfer)->phase_us[phase], -1);
		assert_int_equal(http_sent_us(transfer) > 0,
						 rows[i].phase >= PHASE_ANSWER);
		http_drop(transfer);
		assert_answer(get(*state, "/echo"), 200, NULL);
	}
	for (i = 0; i < COUNT(fds); i++)
		close(fds[i]);
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

	transfer = start(*state, "http://hang.invalid/");
	http_turn(*state, now_us());
	await_hanging(true);
	for (signo = 1; signo <= SIGRTMAX; signo++)
	{
		/* the two between belong to the C library */
		if (signo != SIGKILL && signo != SIGSTOP &&
			(signo < 32 || signo >= SIGRTMIN))
			assert_int_equal(sigismember(&resolver_mask, signo), 1);
	}
	http_drop(transfer);
	release_hanging();

	start(*state, "http://hang.invalid/");
	http_turn(*state, now_us());
	await_hanging(true);
	http_close(*state);
	*state = NULL;
	release_hanging();
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

static void
no_descriptor(void **state)
{
	HttpSettings settings = {NULL, NULL, "test_http/1", 100000, 4};
	int			before = descriptors();
	Failure		failure;
	Http	   *http;

	(void) state;
	no_epoll = true;
	http = http_open(&settings, &failure);
	no_epoll = false;
	assert_null(http);
	assert_int_equal(failure.kind, FAILURE_DESCRIPTORS);
	assert_int_equal(descriptors(), before);
}

/*
 * Lets the process have so many descriptors more.  Returns the limit there was.
 */
static struct rlimit
leave_descriptors(int left)
{
	struct rlimit before;
	struct rlimit lower;
	rlim_t		fd;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (fd = 0; left > 0 || fcntl((int) fd, F_GETFD) >= 0; fd++)
		left -= fcntl((int) fd, F_GETFD) < 0;
	lower = before;
	lower.rlim_cur = fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &lower), 0);
	return before;
}

/*
 * A pool and a request where so many descriptors are left: an answer, or the
 * failure that says what is lacking.
 */
static FailureKind
with_descriptors(int left, const char *ca_file, const char *url)
{
	HttpSettings settings = {ca_file, NULL, "test_http/1", 100000, 4};
	static const char *const headers[] = {SECRET};
	struct rlimit limit = leave_descriptors(left);
	HttpTransfer *transfer = NULL;
	Failure		failure;
	Http	   *http = http_open(&settings, &failure);

	if (http != NULL)
		transfer = http_start(http, url, headers, 1, HTTP_NEVER, now_us(),
							  &failure);
	if (transfer != NULL)
	{
		finish(transfer);
		failure = *http_outcome(transfer);
	}
	http_close(http);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return failure.kind;
}

static void
descriptors_run_out(void **state)
{
	int			before = descriptors();
	char		ca_file[250];
	char		urls[3][100];
	size_t		i;

	(void) state;
	snprintf(ca_file, sizeof(ca_file), "%s/cert.pem", directory);
	snprintf(urls[0], sizeof(urls[0]), "http://127.0.0.1:%d/echo", plain_port);
	snprintf(urls[1], sizeof(urls[1]), "http://localhost:%d/echo", plain_port);
	snprintf(urls[2], sizeof(urls[2]), "https://127.0.0.1:%d/echo", tls_port);
	for (i = 0; i < COUNT(urls); i++)
	{
		FailureKind kind = with_descriptors(100, ca_file, urls[i]);
		int			left;

		assert_int_equal(kind, FAILURE_NONE);
		assert_int_equal(with_descriptors(0, ca_file, urls[i]),
						 FAILURE_DESCRIPTORS);
		for (left = 1; left < 20; left++)
		{
			kind = with_descriptors(left, ca_file, urls[i]);
			assert_true(kind == FAILURE_NONE || kind == FAILURE_DESCRIPTORS);
		}
		assert_int_equal(kind, FAILURE_NONE);
	}
	assert_int_equal(descriptors(), before);
}

/*
 * Where a socket cannot be waited for everything under way ends, and the pool
 * works again once it can.
 */
static void
socket_not_watched(void **state)
{
	HttpTransfer *one = start(*state, url_of("http", "127.0.0.1",
											 plain_port, "/hang"));
	HttpTransfer *two;

	reach(one, PHASE_ANSWER);
	no_epoll = true;
	two = start(*state, url_of("http", "127.0.0.1", plain_port, "/echo"));
	finish(two);
	no_epoll = false;
	assert_true(http_finished(one));
	assert_failure(one, FAILURE_MEMORY);
	assert_string_not_equal(http_outcome(two)->message, "");
	assert_failure(two, FAILURE_MEMORY);
	assert_answer(get(*state, "/echo"), 200, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_POOL(drop_when_connecting_and_later),
		cmocka_unit_test(mask_is_restored),
		cmocka_unit_test(close_ends_everything),
		cmocka_unit_test(no_descriptor),
		cmocka_unit_test(descriptors_run_out),
		ON_POOL(socket_not_watched),
		/* last: its threads keep descriptors for a while */
		ON_POOL(drop_while_resolving),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
