/*
 * test_http_address.c
 *	  Tests of src/core/http_address.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SCHEME "the scheme must be https, or http for a loopback host"
#define PROXY_SCHEME "the scheme must be http, https, socks5 or socks5h"
#define CHARACTERS \
	"white space, control and non-ASCII characters are not allowed in it"
#define QUERY "a query or a fragment is not allowed in it"
#define MISSING "the host is missing"
#define HOST "the host is not a name or an address"
#define CREDENTIALS "credentials are not allowed in it"
#define PORT "the port must be a number from 1 to 65535"
#define ZONE "an address with a zone is not allowed"
#define LONG_PATH "the path is too long"
#define PATH "a path is not allowed in it"

static const struct
{
	const char *text;
	const char *origin;
	const char *path;
	const char *host;
	bool		tls;
	bool		loopback;
}			endpoints[] = {

	{"https://nclue.apigw.ntruss.com/api/v1",
		"https://nclue.apigw.ntruss.com", "/api/v1",
	"nclue.apigw.ntruss.com", true, false},
	/* slashes at the end */
	{"https://h", "https://h", "", "h", true, false},
	{"https://h/", "https://h", "", "h", true, false},
	{"https://h/a/", "https://h", "/a", "h", true, false},
	{"https://h/a//b//", "https://h", "/a//b", "h", true, false},
	/* a path is kept as it is written */
	{"https://h/A/../%7e%2F/./b", "https://h", "/A/../%7e%2F/./b", "h",
	true, false},
	/* one endpoint has one spelling */
	{"HTTPS://Api.Example.COM:443/V1", "https://api.example.com", "/V1",
	"api.example.com", true, false},
	{"https://h:0443", "https://h", "", "h", true, false},
	{"https://h:", "https://h", "", "h", true, false},
	{"https://h:8443/x", "https://h:8443", "/x", "h", true, false},
	{"https://h:80", "https://h:80", "", "h", true, false},
	{"https://h:65535", "https://h:65535", "", "h", true, false},
	/* loopback */
	{"http://localhost:8080/a", "http://localhost:8080", "/a", "localhost",
	false, true},
	{"http://LocalHost", "http://localhost", "", "localhost", false, true},
	{"http://127.0.0.1:80", "http://127.0.0.1", "", "127.0.0.1",
	false, true},
	{"http://127.255.0.9:1", "http://127.255.0.9:1", "", "127.255.0.9",
	false, true},
	{"http://127.1", "http://127.0.0.1", "", "127.0.0.1", false, true},
	{"http://[::1]:9/a", "http://[::1]:9", "/a", "::1", false, true},
	{"http://[0:0:0:0:0:0:0:1]", "http://[::1]", "", "::1", false, true},
	{"https://localhost", "https://localhost", "", "localhost", true, true},
	{"https://[2001:DB8::1]/a", "https://[2001:db8::1]", "/a",
	"2001:db8::1", true, false},
};

static const struct
{
	const char *text;
	const char *complaint;
}			bad_endpoints[] = {
	{"", SCHEME},
	{"nclue.apigw.ntruss.com", SCHEME},
	{"ftp://h", SCHEME},
	{"https:h", SCHEME},
	{"https:/h", SCHEME},
	{"file:///etc/passwd", SCHEME},
	/* plain text leaves this machine */
	{"http://h", SCHEME},
	{"http://128.0.0.1", SCHEME},
	{"http://126.0.0.1", SCHEME},
	{"http://[::2]", SCHEME},
	{"http://[::ffff:127.0.0.1]", SCHEME},
	{"http://localhost.example.com", SCHEME},
	{"http://127.0.0.1.example.com", SCHEME},
	{"http://notlocalhost", SCHEME},
	{"https://h/a b", CHARACTERS},
	{" https://h", CHARACTERS},
	{"https://h\n", CHARACTERS},
	{"https://h/\r\nX: y", CHARACTERS},
	{"https://h/\177", CHARACTERS},
	{"https://\355\225\234\352\265\255", CHARACTERS},
	{"https://h/a?b", QUERY},
	{"https://h?", QUERY},
	{"https://h/#", QUERY},
	{"https://", MISSING},
	{"https:///a", MISSING},
	{"https://:443/", HOST},
	{"https://a_b~c", HOST},
	{"https://a%00b", HOST},
	{"https://a,b", HOST},
	{"https://[::1", HOST},
	{"https://[::g]", HOST},
	{"https://u@h", CREDENTIALS},
	{"https://u:p@h", CREDENTIALS},
	{"http://localhost:80@example.com/", CREDENTIALS},
	{"https://h:0", PORT},
	{"https://h:65536", PORT},
	{"https://h:1x", PORT},
	{"https://h:-1", PORT},
	{"http://[fe80::1%25eth0]", ZONE},
};

static void
good_endpoints(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(endpoints); i++)
	{
		HttpEndpoint endpoint;
		const char *complaint;

		print_message("%s\n", endpoints[i].text);
		assert_true(http_endpoint(endpoints[i].text, &endpoint, &complaint));
		assert_null(complaint);
		assert_string_equal(endpoint.origin, endpoints[i].origin);
		assert_string_equal(endpoint.path, endpoints[i].path);
		assert_string_equal(endpoint.host, endpoints[i].host);
		assert_int_equal(endpoint.tls, endpoints[i].tls);
		assert_int_equal(endpoint.loopback, endpoints[i].loopback);
	}
}

static void
refused_endpoints(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(bad_endpoints); i++)
	{
		HttpEndpoint endpoint;
		const char *complaint;

		print_message("%s\n", bad_endpoints[i].text);
		assert_false(http_endpoint(bad_endpoints[i].text, &endpoint,
								   &complaint));
		assert_string_equal(complaint, bad_endpoints[i].complaint);
	}
}

/*
 * The longest host and path fit, one byte more does not.
 */
static void
lengths(void **state)
{
	HttpEndpoint endpoint;
	const char *complaint;
	char text[	300] = "https://h/";
	char		host[400] = "https://";

	(void) state;
	memset(text +10, 'a', 198);
	assert_true(http_endpoint(text, &endpoint, &complaint));
	assert_int_equal(strlen(endpoint.path), 199);
	text[		208] = '/';

	assert_true(http_endpoint(text, &endpoint, &complaint));
	assert_int_equal(strlen(endpoint.path), 199);
	text[		208] = 'a';

	assert_false(http_endpoint(text, &endpoint, &complaint));
	assert_string_equal(complaint, LONG_PATH);

	memset(host + 8, 'h', 255);
	strcat(host, ":65535");
	assert_true(http_endpoint(host, &endpoint, &complaint));
	assert_int_equal(strlen(endpoint.host), 255);
	assert_int_equal(strlen(endpoint.origin), 8 + 255 + 6);
	memset(host + 8, 'h', 256);
	host[8 + 256] = '\0';
	assert_false(http_endpoint(host, &endpoint, &complaint));
	assert_string_equal(complaint, HOST);
}

static const struct
{
	const char *text;
	const char *complaint;		/* NULL: it is a proxy */
}			proxies[] = {
	{"http://proxy:3128", NULL},
	{"http://proxy:3128/", NULL},
	{"HTTP://proxy", NULL},
	{"https://proxy:3129", NULL},
	{"socks5://10.0.0.1:1080", NULL},
	{"socks5h://[::1]:1080", NULL},
	{"proxy:3128", PROXY_SCHEME},
	{"socks4://proxy", PROXY_SCHEME},
	{"ftp://proxy", PROXY_SCHEME},
	{"", PROXY_SCHEME},
	{"http://proxy:3128/a", PATH},
	{"http://proxy:3128//", PATH},
	{"http://u:p@proxy:3128", CREDENTIALS},
	{"socks5h://u@proxy", CREDENTIALS},
	{"http://proxy:3128?x", QUERY},
	{"http://proxy:3128#x", QUERY},
	{"http://proxy:99999", PORT},
	{"http://", MISSING},
	{"http://pro xy", CHARACTERS},
};

static void
proxy_addresses(void **state)
{
	size_t		i;

	(void) state;
	for (i = 0; i < COUNT(proxies); i++)
	{
		const char *complaint;

		print_message("%s\n", proxies[i].text);
		assert_int_equal(http_proxy(proxies[i].text, &complaint),
						 proxies[i].complaint == NULL);
		if (proxies[i].complaint == NULL)
			assert_null(complaint);
		else
			assert_string_equal(complaint, proxies[i].complaint);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_endpoints),
		cmocka_unit_test(refused_endpoints),
		cmocka_unit_test(lengths),
		cmocka_unit_test(proxy_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
