/*
 * uri.c
 *	  What is asked: the path and query of a request.
 */
#include "uri.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static UriPage furthest(int64_t row, int largest);
static bool print(char *target, size_t size, const char *format,...)
			__attribute__((format(printf, 3, 4)));

UriPage
uri_cover(int64_t row, int size, bool by_page)
{
	UriPage		page;

	if (!by_page)
	{
		page.row = row;
		page.index = row;
		page.limit = size;
		return page;
	}

	/*
	 * A row before a common multiple of all limits up to size is the last of
	 * every page that holds it: with pages of 2 that is every second row.
	 * Only a larger page gets past it.
	 */
	page = furthest(row, size);
	if (row - page.row == page.limit - 1)
		page = furthest(row, URI_LIMIT_MAX);
	return page;
}

/*
 * Of the pages with a limit of 1 to largest that hold the row, the one that
 * reaches furthest.  A page of l rows reaches at most l rows from there on, so
 * once l is no more than the best, nothing better follows.
 */
static UriPage
furthest(int64_t row, int largest)
{
	UriPage		page;
	int			best = 0;
	int			limit;

	page.limit = 1;
	for (limit = largest; limit > best; limit--)
	{
		int			reach = limit - (int) (row % limit);

		if (reach > best)
		{
			best = reach;
			page.limit = limit;
		}
	}
	page.index = row / page.limit;
	page.row = page.index * page.limit;
	return page;
}

UriPage
uri_cover_range(int64_t row, int64_t rows, int size, bool by_page)
{
	UriPage		page;

	if (rows >= size)
		return uri_cover(row, size, by_page);
	if (!by_page)
		return uri_cover(row, (int) rows, false);
	for (page.limit = (int) rows; page.limit <= size; page.limit++)
	{
		page.index = row / page.limit;
		page.row = page.index * page.limit;
		if (row - page.row + rows <= page.limit)
			return page;
	}
	return uri_cover(row, size, true);
}

bool
uri_list(char *target, size_t size, const char *base, const char *path,
		 const UriPage *page)
{
	return print(target, size, "%s%s?index=%" PRId64 "&limit=%d",
				 base, path, page->index, page->limit);
}

bool
uri_template(char *target, size_t size, const char *base, const char *path,
			 int limit)
{
	return print(target, size, "%s%s?index={index}&limit=%d",
				 base, path, limit);
}

bool
uri_is_segment(const char *id, size_t length)
{
	if (length == 0 || (length <= 2 && memcmp(id, "..", length) == 0))
		return false;
	return memchr(id, '/', length) == NULL && memchr(id, '\0', length) == NULL;
}

/*
 * Whether a byte stands for itself in a path (RFC 3986, unreserved characters).
 */
static bool
is_unreserved(unsigned char byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
		(byte >= '0' && byte <= '9') ||
		byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

bool
uri_object(char *target, size_t size, const char *base, const char *path,
		   const char *id, size_t length)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t		used;
	size_t		i;

	if (!print(target, size, "%s%s/", base, path))
		return false;
	used = strlen(target);
	for (i = 0; i < length; i++)
	{
		unsigned char byte = (unsigned char) id[i];

		if (used + 4 > size)
		{
			target[0] = '\0';
			return false;
		}
		if (is_unreserved(byte))
		{
			target[used++] = (char) byte;
			continue;
		}
		target[used++] = '%';
		target[used++] = digits[byte >> 4];
		target[used++] = digits[byte & 15];
	}
	target[used] = '\0';
	return true;
}

/*
 * A target that is cut short would be a request for something else, so there
 * is none at all.
 */
static bool
print(char *target, size_t size, const char *format,...)
{
	va_list		arguments;
	int			length;

	va_start(arguments, format);
	length = vsnprintf(target, size, format, arguments);
	va_end(arguments);

	if (length >= 0 && (size_t) length < size)
		return true;
	if (size > 0)
		target[0] = '\0';
	return false;
}
