/*
 * uri.c
 *	  What is asked: the path and query of a request.
 */
#include "uri.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

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
