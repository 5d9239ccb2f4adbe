/*
 * http_address.c
 *	  Endpoints and proxies, taken apart.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "http_private.h"

/* A URL, taken apart by libcurl. */
typedef struct Address
{
	char		host[256];		/* in lower case; IPv6 in brackets */
	char		port[8];		/* "": the scheme's own */
	char		path[201];		/* begins with a slash */
} Address;

static const char bad_host[] = "the host is not a name or an address";
static const char bad_port[] = "the port must be a number from 1 to 65535";
static const char no_memory[] = "there is no memory to read it";

/*
 * Copies one part of a parsed URL; the empty text where it has none.  NULL, or
 * what is wrong: what is given for that, where it is there and does not do.
 */
static const char *
copy_part(CURLU *url, CURLUPart which, unsigned int flags,
		  char *target, size_t size, const char *wrong)
{
	char	   *part;
	CURLUcode	code = curl_url_get(url, which, &part, flags);
	size_t		length;

	target[0] = '\0';
	if (code == CURLUE_NO_PORT)
		return NULL;
	if (code == CURLUE_OUT_OF_MEMORY)
		return no_memory;
	if (code != CURLUE_OK)
		return wrong;
	length = strlen(part);
	if (length < size)
		memcpy(target, part, length + 1);
	curl_free(part);
	return length < size ? NULL : wrong;
}

/*
 * Makes a host's letters small.  False where it has other characters than a
 * name or an address needs.
 */
static bool
fold_host(char *host)
{
	char	   *c;

	for (c = host; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return host[strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789"
					   "-._:[]")] == '\0';
}

/*
 * Takes the parts of a parsed URL out of it.  NULL, or what is wrong.
 */
static const char *
read_parts(CURLU *url, Address *address)
{
	const char *complaint;
	char	   *zone;

	switch (curl_url_get(url, CURLUPART_ZONEID, &zone, 0))
	{
		case CURLUE_OK:
			/* it would be lost from the origin */
			curl_free(zone);
			return "an address with a zone is not allowed";
		case CURLUE_OUT_OF_MEMORY:
			return no_memory;
		default:
			break;
	}
	complaint = copy_part(url, CURLUPART_HOST, 0, address->host,
						  sizeof(address->host), bad_host);
	if (complaint == NULL && !fold_host(address->host))
		complaint = bad_host;
	if (complaint == NULL)
		complaint = copy_part(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT,
							  address->port, sizeof(address->port), bad_port);
	if (complaint == NULL && strcmp(address->port, "0") == 0)
		complaint = bad_port;
	if (complaint == NULL)
		complaint = copy_part(url, CURLUPART_PATH, 0, address->path,
							  sizeof(address->path), "the path is too long");
	return complaint;
}

/*
 * Takes a URL apart; rest is what follows its "scheme://".  libcurl's own
 * parser does it, so that what is judged is what will be connected to; what it
 * is too lenient with is refused here.  NULL, or what is wrong.
 */
static const char *
take_apart(const char *text, const char *rest, Address *address)
{
	const char *complaint;
	CURLU	   *url;

	if (*rest == '\0' || *rest == '/')
		return "the host is missing";
	url = curl_url();
	if (url == NULL)
		return no_memory;
	switch (curl_url_set(url, CURLUPART_URL, text,
						 CURLU_DISALLOW_USER | CURLU_PATH_AS_IS |
						 CURLU_NON_SUPPORT_SCHEME))
	{
		case CURLUE_OK:
			complaint = read_parts(url, address);
			break;
		case CURLUE_USER_NOT_ALLOWED:
			complaint = "credentials are not allowed in it";
			break;
		case CURLUE_BAD_PORT_NUMBER:
			complaint = bad_port;
			break;
		case CURLUE_OUT_OF_MEMORY:
			complaint = no_memory;
			break;
		default:
			complaint = bad_host;
			break;
	}
	curl_url_cleanup(url);
	return complaint;
}

/*
 * What is wrong with a URL's characters; NULL: nothing.
 */
static const char *
judge_characters(const char *text)
{
	const char *c;

	for (c = text; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return "white space, control and non-ASCII characters are not allowed in it";
	if (strpbrk(text, "?#") != NULL)
		return "a query or a fragment is not allowed in it";
	return NULL;
}

/*
 * What follows a scheme ("https://") at the start of a URL; NULL: it starts
 * otherwise.
 */
static const char *
after_scheme(const char *text, const char *scheme)
{
	return curl_strnequal(text, scheme, strlen(scheme)) ?
		text	   +strlen(scheme) : NULL;
}

/*
 * Whether a host can only be this machine.  libcurl itself gives "localhost"
 * the loopback addresses, whatever a resolver says.
 */
static bool
is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return strcmp(host, "localhost") == 0;
}

/*
 * Puts an endpoint together from its parts.  NULL, or what is wrong.
 */
static const char *
fill_endpoint(const Address *address, bool tls, HttpEndpoint *endpoint)
{
	const char *host = address->host + strspn(address->host, "[");
	size_t		length = strlen(address->path);

	while (length > 0 && address->path[length - 1] == '/')
		length--;
	if (length >= sizeof(endpoint->path))
		return "the path is too long";
	memcpy(endpoint->path, address->path, length);
	endpoint->path[length] = '\0';

	snprintf(endpoint->origin, sizeof(endpoint->origin), "%s%s%s%s",
			 tls ? "https://" : "http://", address->host,
			 address->port[0] != '\0' ? ":" : "", address->port);
	/* the brackets of an IPv6 address are the URL's */
	snprintf(endpoint->host, sizeof(endpoint->host), "%.*s",
			 (int) strcspn(host, "]"), host);
	endpoint->tls = tls;
	endpoint->loopback = is_loopback(endpoint->host);
	if (!tls && !endpoint->loopback)
		return "the scheme must be https, or http for a loopback host";
	return NULL;
}

bool
http_endpoint(const char *text, HttpEndpoint *endpoint,
			  const char **complaint)
{
	const char *tls = after_scheme(text, "https://");
	const char *rest = tls != NULL ? tls : after_scheme(text, "http://");
	Address		address;

	memset(endpoint, 0, sizeof(*endpoint));
	*complaint = judge_characters(text);
	if (*complaint == NULL && rest == NULL)
		*complaint = "the scheme must be https, or http for a loopback host";
	if (*complaint == NULL)
		*complaint = take_apart(text, rest, &address);
	if (*complaint == NULL)
		*complaint = fill_endpoint(&address, tls != NULL, endpoint);
	return *complaint == NULL;
}

bool
http_proxy(const char *text, const char **complaint)
{
	static const char *const schemes[] = {
		"http://", "https://", "socks5://", "socks5h://"
	};
	const char *rest = NULL;
	Address		address;
	size_t		i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]) && rest == NULL; i++)
		rest = after_scheme(text, schemes[i]);
	*complaint = judge_characters(text);
	if (*complaint == NULL && rest == NULL)
		*complaint = "the scheme must be http, https, socks5 or socks5h";
	if (*complaint == NULL)
		*complaint = take_apart(text, rest, &address);
	if (*complaint == NULL && strcmp(address.path, "/") != 0)
		*complaint = "a path is not allowed in it";
	return *complaint == NULL;
}
