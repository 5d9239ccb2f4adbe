/*
 * test_http.c
 *	  Tests of src/core/http.c and http_transfer.c: what is sent, and what
 *	  comes of it.  test_http_end.c has what happens when it is given up.
 */
#define _POSIX_C_SOURCE 200809L

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http_client.h"

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
	assert_true(http_sent_us(transfer) == 0);
	assert_int_equal(http_sent_us(transfer), 0);
	assert_in_range(http_due_us(*state), now, now_us());
	assert_int_equal(http_outcome(transfer)->kind, FAILURE_NONE);
	assert_body(transfer, "");
	finish(transfer);
	assert_true(http_sent_us(transfer) > 0);
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
	{"/switch", FAILURE_PROTOCOL, 0, ""},
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
		assert_true(http_sent_us(transfer) > 0);
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

	assert_true(http_sent_us(transfer) == 0);
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
 * libcurl would send again where a kept connection is dead: who paces requests
 * must not be passed by.
 */
static void
resend_is_refused(void **state)
{
	HttpTransfer *transfer;
	const Failure *outcome;

	assert_answer(get(*state, "/echo"), 200, NULL);
	transfer = get(*state, "/second-close");
	outcome = http_outcome(transfer);
	assert_int_equal(outcome->kind, FAILURE_LOST);
	assert_string_equal(outcome->message,
						"the connection was closed before an answer came");
	assert_false(http_late(transfer));
	http_drop(transfer);
	assert_int_equal(logged(*state, "/second-close"), 1);
	assert_answer(get(*state, "/echo"), 200, NULL);
}

/*
 * A permission to send ends while the connection is being made, and may be
 * renewed.
 */
static void
late_send_is_refused(void **state)
{
	static const char *const headers[] = {SECRET};
	const char *url = url_of("http", "127.0.0.1", plain_port, "/echo?late");
	Failure		failure;
	HttpTransfer *transfer;

	transfer = http_start(*state, url, headers, 1, now_us() - 1, now_us(),
						  &failure);
	assert_non_null(transfer);
	finish(transfer);
	assert_true(http_late(transfer));
	assert_true(http_sent_us(transfer) == 0);
	http_drop(transfer);


	transfer = http_start(*state, url, headers, 1, now_us() - 1, now_us(),
						  &failure);
	assert_non_null(transfer);
	http_permit(transfer, HTTP_NEVER);
	finish(transfer);
	assert_false(http_late(transfer));
	assert_answer(transfer, 200, NULL);
	assert_int_equal(logged(*state, "/echo?late"), 1);
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

/*
 * A file of authorities that has been put right is right at the next request.
 */
static void
authorities_change(void **state)
{
	char		right[250];
	char		other[250];
	char		named[250];
	Http	   *http;

	(void) state;
	snprintf(right, sizeof(right), "%s/cert.pem", directory);
	snprintf(other, sizeof(other), "%s/other.pem", directory);
	snprintf(named, sizeof(named), "%s/named.pem", directory);
	assert_int_equal(symlink(other, named), 0);
	http = open_with(named, NULL);
	assert_failure(get_url(http, url_of("https", "127.0.0.1", tls_port,
										"/echo")), FAILURE_CERTIFICATE);
	assert_int_equal(unlink(named), 0);
	assert_int_equal(symlink(right, named), 0);
	assert_answer(get_url(http, url_of("https", "127.0.0.1", tls_port,
									   "/echo")), 200, NULL);
	http_close(http);
	assert_int_equal(unlink(named), 0);
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
	assert_true(http_sent_us(transfer) > 0);
	assert_answer(transfer, 200, NULL);

	/* what we say to the endpoint is not for the proxy */
	assert_int_equal(logged(*state, "leaked to the proxy"), 0);

	/* without TLS the request goes through a tunnel as well */
	transfer = get(http, "/%7e/../a?b");
	snprintf(target, sizeof(target), "CONNECT 127.0.0.1:%d", plain_port);
	assert_int_equal(logged(*state, target), 1);
	assert_int_equal(logged(*state, "/%7e/../a?b"), 1);
	assert_answer(transfer, 200, NULL);

	transfer = get_url(http, "https://127.0.0.1:1/");
	assert_int_equal(http_outcome(transfer)->status, 0);
	assert_true(http_sent_us(transfer) == 0);
	assert_failure(transfer, FAILURE_CONNECT);
	http_close(http);

	http = open_with(NULL, "http://nosuch.invalid:3128");
	assert_failure(get(http, "/a"), FAILURE_RESOLVE_PROXY);
	http_close(http);
	unsetenv("no_proxy");
}

/*
 * ca_file judges a proxy's certificate as well.
 */
static void
proxies_over_tls(void **state)
{
	char		right[250];
	char		other[250];
	char		proxy[100];
	Http	   *http;

	(void) state;
	snprintf(right, sizeof(right), "%s/cert.pem", directory);
	snprintf(other, sizeof(other), "%s/other.pem", directory);
	snprintf(proxy, sizeof(proxy), "https://127.0.0.1:%d", tls_proxy_port);

	http = open_with(right, proxy);
	assert_answer(get_url(http, url_of("https", "127.0.0.1", tls_port, "/a")),
				  200, NULL);
	http_close(http);

	http = open_with(other, proxy);
	assert_failure(get_url(http, url_of("http", "127.0.0.1", plain_port,
										"/a")), FAILURE_CERTIFICATE);
	http_close(http);
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

int
main(void)
{
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
		ON_POOL(resend_is_refused),
		ON_POOL(late_send_is_refused),
		ON_POOL(phases_of_an_answer),
		ON_POOL(keep_alive_is_on),
		ON_POOL(certificates),
		cmocka_unit_test(authorities_change),
		cmocka_unit_test(phases_over_tls),
		ON_POOL(proxies),
		cmocka_unit_test(proxies_over_tls),
		cmocka_unit_test(kinds_of_failure),
		cmocka_unit_test(version_is_a_number),
	};

	/* a proxy that refuses, for whoever believes the environment */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
