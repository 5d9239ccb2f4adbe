/*
 * test_http_memory.c
 *	  What http does where there is no memory, libcurl's and OpenSSL's included,
 *	  and what it gives back.
 */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "http_client.h"

static bool secrets_freed;		/* a header's copy, as it was */

/*
 * What starts otherwise, such as a request, is not a copy of ours.
 */
static void
watch(const void *memory)
{
	if (*(const char *) memory == SECRET[0] && strcmp(memory, SECRET) == 0)
		secrets_freed = true;
}

static void
headers_are_erased(void **state)
{
	/* volatile: else the compiler leaves both out */
	char	   *volatile copy;

	alloc_watch = watch;
	copy = alloc_strdup(SECRET);
	alloc_free(copy);
	assert_true(secrets_freed);

	secrets_freed = false;
	assert_answer(get(*state, "/echo"), 200, NULL);
	http_drop(start(*state, url_of("http", "127.0.0.1", plain_port, "/a")));
	assert_false(secrets_freed);
	alloc_watch = NULL;
}

/* ---- addresses ---- */

static const struct
{
	const char *text;
	const char *origin;			/* NULL: refused */
}			addresses[] = {
	{"https://NCLUE.example:8443/api/v1/", "https://nclue.example:8443"},
	{"http://[::1]:80/", "http://[::1]"},
	{"https://[fe80::1%25eth0]/api", NULL},
	{"https://user:word@nclue.example/", NULL}
};

/*
 * What was not read for want of memory is not called wrong, nor taken for
 * absent.
 */
static void
read_address(void *argument)
{
	size_t		i = *(const size_t *) argument;
	HttpEndpoint endpoint;
	const char *complaint;
	bool		taken = http_endpoint(addresses[i].text, &endpoint, &complaint);

	if (alloc_stop())
	{
		assert_false(taken);
		/* libcurl has no other word for some of what we refuse anyway */
		if (addresses[i].origin != NULL ||
			strcmp(complaint, "the host is not a name or an address") != 0)
			assert_string_equal(complaint, "there is no memory to read it");
	}
	else
		assert_true(taken == (addresses[i].origin != NULL));
	if (taken)
		assert_string_equal(endpoint.origin, addresses[i].origin);
}

static void
no_memory_for_address(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(addresses); i++)
		print_message("%s: %ld allocations\n", addresses[i].text,
					  alloc_each(read_address, &i));
}

/* ---- a request ---- */

/* Turns in which a handshake that lacks memory must get on. */
#define STILL_TURNS 1000

typedef struct Request
{
	const char *authority;		/* NULL: no TLS */
	const char *target;
	size_t		length;			/* of the answer */
	long		kinds[FAILURE_KINDS];	/* how often it failed */
	long		still;			/* or stood still */
} Request;

static Request requests[] = {
	{NULL, "/large?50000", 50000, {0}, 0},
	{NULL, "/gzip?5000", 5000, {0}, 0},
	{NULL, "/chunked?50000", 50000, {0}, 0},
	{NULL, "/retry?9", 0, {0}, 0},
	{"cert.pem", "/large?50000", 50000, {0}, 0},
	/* not trusted, and not for want of memory either */
	{"other.pem", "/large?50000", 50000, {0}, 0}
};

/*
 * Turns until a transfer has ended, or its handshake does not get on.
 */
static void
await(HttpTransfer *transfer, bool tls)
{
	int64_t		end = now_us() + (int64_t) PATIENCE * 1000000;
	int			turns = 0;

	while (!http_finished(transfer) && turns < STILL_TURNS)
	{
		struct pollfd wanted = {http_descriptor(transfer->http), POLLIN, 0};

		assert_true(now_us() < end);
		http_turn(transfer->http, now_us());
		poll(&wanted, 1, 1);
		turns += tls && alloc_failed();
	}
}

static bool
untrusted(const Request *wanted)
{
	return wanted->authority != NULL && strcmp(wanted->authority, "cert.pem") != 0;
}

static void
expect_answer(HttpTransfer *transfer, const Request *wanted)
{
	const Failure *outcome = http_outcome(transfer);
	size_t		length;

	if (untrusted(wanted))
	{
		assert_int_equal(outcome->kind, FAILURE_CERTIFICATE);
		return;
	}
	assert_int_equal(outcome->kind, FAILURE_NONE);
	http_body(transfer, &length);
	if (outcome->status == 200)
		assert_int_equal(length, wanted->length);
	else
	{
		assert_int_equal(outcome->status, 503);
		assert_int_equal(http_retry_after_s(transfer), 9);
	}
}

/*
 * Failures of libcurl's and OpenSSL's that are for want of memory have other
 * names in places; and a handshake may stand still, which its caller's time
 * limit ends.
 */
static void
judge(Request *wanted, HttpTransfer *transfer)
{
	FailureKind kind = http_outcome(transfer)->kind;

	if (!http_finished(transfer))
	{
		assert_true(wanted->authority != NULL);
		wanted->still++;
		return;
	}
	wanted->kinds[kind]++;
	if (kind == FAILURE_NONE)
		expect_answer(transfer, wanted);
	else if (kind != FAILURE_MEMORY)
	{
		assert_string_not_equal(http_outcome(transfer)->message, "");
		assert_true(kind == FAILURE_RESOLVE || kind == FAILURE_PROTOCOL ||
					(wanted->authority != NULL && (kind == FAILURE_TLS ||
												   kind == FAILURE_CERTIFICATE ||
												   kind == FAILURE_CA_FILE ||
												   kind == FAILURE_LOST)));
	}
}

/*
 * A pool, and a request on it; and where there is a pool, once more with
 * memory.
 */
static void
request(void *argument)
{
	static const char *const headers[] = {SECRET, "a: b"};
	Request    *wanted = argument;
	int			before = descriptors();
	char		ca_file[300];
	char		url[200];
	HttpSettings settings = {NULL, NULL, "test_http/1", 100000, 4};
	HttpTransfer *transfer = NULL;
	Http	   *http;
	Failure		failure;
	bool		failed;
	int			times;

	snprintf(ca_file, sizeof(ca_file), "%s/%s", directory,
			 wanted->authority != NULL ? wanted->authority : "");
	snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s",
			 wanted->authority != NULL ? "https" : "http",
			 wanted->authority != NULL ? tls_port : plain_port, wanted->target);
	settings.ca_file = wanted->authority != NULL ? ca_file : NULL;
	failure_clear(&failure);
	http = http_open(&settings, &failure);
	if (http != NULL)
		transfer = http_start(http, url, headers, 2, HTTP_NEVER,
							  now_us(), &failure);
	if (transfer != NULL)
		await(transfer, wanted->authority != NULL);
	failed = alloc_stop();

	if (transfer == NULL)
	{
		assert_true(failed);
		assert_int_equal(failure.kind, FAILURE_MEMORY);
		wanted->kinds[FAILURE_MEMORY]++;
	}
	else
	{
		if (!failed)
			expect_answer(transfer, wanted);
		judge(wanted, transfer);
		http_drop(transfer);
	}

	/* a connection may have been left that is good for nothing */
	for (times = 0; http != NULL && times < 2; times++)
	{
		transfer = get_url(http, url);
		if (times > 0 || wanted->authority == NULL ||
			http_outcome(transfer)->kind != FAILURE_LOST)
			expect_answer(transfer, wanted);
		http_drop(transfer);
	}
	http_close(http);
	assert_int_equal(descriptors(), before);
}

static void
no_memory_for_request(void **state)
{
	size_t		i;
	int			kind;

	(void) state;
	alloc_openssl_may_leak = true;
	for (i = 0; i < COUNT(requests); i++)
	{
		print_message("%s %s: %ld allocations;",
					  requests[i].authority != NULL ? "https" : "http", requests[i].target,
					  alloc_each(request, &requests[i]));
		for (kind = 0; kind < FAILURE_KINDS; kind++)
			if (requests[i].kinds[kind] > 0)
				print_message(" %ld %s,", requests[i].kinds[kind],
							  failure_row((FailureKind) kind)->name + 8);
		print_message(" %ld still\n", requests[i].still);
	}
}

/* ---- libcurl's start ---- */

/*
 * OpenSSL's part of it: only that can be made to fail from here.
 */
static bool
initialize(void)
{
	HttpSettings settings = {NULL, NULL, "test_http/1", 100000, 4};
	bool		done = http_initialize();
	bool		failed = alloc_stop();
	Failure		failure;
	Http	   *http;

	if (!done && !failed)
		return false;
	http = http_open(&settings, &failure);
	if (http == NULL)
		return failure.kind == FAILURE_LIBRARY && failure.message[0] != '\0';
	http_close(http);
	return true;
}

static void
no_memory_to_start(void **state)
{
	(void) state;
	print_message("less than %ld allocations\n", alloc_each_first(initialize));
}

static int
give_memory_to_curl(void **state)
{
	alloc_curl();
	return open_pool(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* first: it has to be before libcurl's start */
		cmocka_unit_test(no_memory_to_start),
		cmocka_unit_test_setup_teardown(headers_are_erased,
										give_memory_to_curl, close_pool),
		cmocka_unit_test(no_memory_for_address),
		cmocka_unit_test(no_memory_for_request),
	};

	alloc_openssl();
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
