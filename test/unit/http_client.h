/*
 * http_client.h
 *	  What the tests of http share: the server and requests to it.
 *
 * getaddrinfo is defined here as well, and so comes before the C library's for
 * libcurl too: "nosuch.invalid" is unknown at once, and "hang.invalid" hangs.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>

#include <cmocka.h>

#include "http_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Seconds after which a test that waits has failed. */
#define PATIENCE 30

/* The header that every request has. */
#define SECRET "x-secret: 3b2f6a"

/* What the server said of itself. */
extern int	plain_port;
extern int	tls_port;
extern int	silent_port;
extern int	proxy_port;
extern int	tls_proxy_port;
extern char directory[200];

/* cmocka's set-up and tear-down: the server, and a pool as the state. */
extern int	start_server(void **state);
extern int	stop_server(void **state);
extern int	open_pool(void **state);
extern int	close_pool(void **state);

#define ON_POOL(test) \
	cmocka_unit_test_setup_teardown(test, open_pool, close_pool)

extern int64_t now_us(void);

/* Waits as the real loop does, and lets the pool work once. */
extern void wait_and_turn(Http *http);

/* Opens a pool whose bodies have at most 100,000 bytes. */
extern Http *open_with(const char *ca_file, const char *proxy);

/* The text lives until the next call. */
extern const char *url_of(const char *scheme, const char *host, int port,
						  const char *target);

/* Starts a request; starts it and waits for its end. */
extern HttpTransfer *start(Http *http, const char *url);
extern HttpTransfer *get_url(Http *http, const char *url);
extern HttpTransfer *get(Http *http, const char *target);
extern void finish(HttpTransfer *transfer);

/* Turns until a transfer is in a phase. */
extern void reach(HttpTransfer *transfer, FailurePhase phase);

/* These two drop the transfer; a NULL body is any. */
extern void assert_answer(HttpTransfer *transfer, int status,
						  const char *body);
extern void assert_failure(HttpTransfer *transfer, FailureKind kind);
extern void assert_body(const HttpTransfer *transfer, const char *expected);

/* How often a target is in the server's log. */
extern int	logged(Http *http, const char *target);

/*
 * Waits until look-ups of hang.invalid hang, or none do; lets them return, and
 * waits until they have.
 */
extern void await_hanging(bool some);
extern void release_hanging(void);

/* The signal mask of the last look-up of hang.invalid. */
extern sigset_t resolver_mask;

/* How many descriptors are open. */
extern int	descriptors(void);

#endif
