/*
 * http_client.c
 *	  What the tests of http share.
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "http_client.h"

int			plain_port;
int			tls_port;
int			silent_port;
int			proxy_port;
int			tls_proxy_port;
char		directory[200];
sigset_t	resolver_mask;

static pid_t server;
static int	server_input;

/* Look-ups that hang. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int	hanging;
static bool released;			/* they may return */
static bool expired;			/* one waited in vain */

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

void
await_hanging(bool some)
{
	struct timespec then = in_a_while();

	pthread_mutex_lock(&lock);
	while ((hanging > 0) != some)
		assert_int_equal(pthread_cond_timedwait(&changed, &lock, &then), 0);
	pthread_mutex_unlock(&lock);
}

void
release_hanging(void)
{
	pthread_mutex_lock(&lock);
	/* else somebody waited for the name who must not */
	assert_false(expired);
	released = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	await_hanging(false);
	released = false;
}

int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
wait_and_turn(Http *http)
{
	struct pollfd wanted = {http_descriptor(http), POLLIN, 0};
	int64_t		left_us = (int64_t) PATIENCE * 1000000;

	if (http_due_us(http) >= 0 && http_due_us(http) - now_us() < left_us)
		left_us = http_due_us(http) - now_us();
	if (left_us > 0)
		poll(&wanted, 1, (int) ((left_us + 999) / 1000));
	http_turn(http, now_us());
}

void
finish(HttpTransfer *transfer)
{
	int64_t		end = now_us() + (int64_t) PATIENCE * 1000000;

	while (!http_finished(transfer))
	{
		wait_and_turn(transfer->http);
		assert_true(now_us() < end);
	}
}

Http *
open_with(const char *ca_file, const char *proxy)
{
	HttpSettings settings = {NULL, NULL, "test_http/1", 100000, 4};
	Failure		failure;
	Http	   *http;

	settings.ca_file = ca_file;
	settings.proxy = proxy;
	http = http_open(&settings, &failure);
	assert_non_null(http);
	return http;
}

HttpTransfer *
start(Http *http, const char *url)
{
	static const char *const headers[] = {SECRET};
	Failure		failure;
	HttpTransfer *transfer = http_start(http, url, headers, 1, HTTP_NEVER,
										now_us(), &failure);

	assert_non_null(transfer);
	return transfer;
}

const char *
url_of(const char *scheme, const char *host, int port, const char *target)
{
	static char url[500];

	snprintf(url, sizeof(url), "%s://%s:%d%s", scheme, host, port, target);
	return url;
}

HttpTransfer *
get_url(Http *http, const char *url)
{
	HttpTransfer *transfer = start(http, url);

	finish(transfer);
	return transfer;
}

HttpTransfer *
get(Http *http, const char *target)
{
	return get_url(http, url_of("http", "127.0.0.1", plain_port, target));
}

void
reach(HttpTransfer *transfer, FailurePhase phase)
{
	while (http_outcome(transfer)->phase_us[phase] < 0)
	{
		assert_false(http_finished(transfer));
		wait_and_turn(transfer->http);
	}
}

void
assert_body(const HttpTransfer *transfer, const char *expected)
{
	size_t		length;
	const char *body = http_body(transfer, &length);

	assert_string_equal(body, expected);
	assert_int_equal(length, strlen(expected));
}

void
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

void
assert_failure(HttpTransfer *transfer, FailureKind kind)
{
	assert_string_equal(failure_row(http_outcome(transfer)->kind)->name,
						failure_row(kind)->name);
	http_drop(transfer);
}

int
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

int
descriptors(void)
{
	int			count = 0;
	int			fd;

	for (fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

int
open_pool(void **state)
{
	*state = open_with(NULL, NULL);
	return 0;
}

int
close_pool(void **state)
{
	http_close(*state);
	return 0;
}

int
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
	fields = fscanf(said, "plain %d tls %d silent %d proxy %d tls-proxy %d"
					" dir %199s", &plain_port, &tls_port, &silent_port,
					&proxy_port, &tls_proxy_port, directory);
	fclose(said);
	return fields == 6 ? 0 : -1;
}

/*
 * The server ends when its input does.
 */
int
stop_server(void **state)
{
	int			status;

	(void) state;
	close(server_input);
	return waitpid(server, &status, 0) == server && status == 0 ? 0 : -1;
}
