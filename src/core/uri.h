/*
 * uri.h
 *	  What is asked: the path and query of a request, exactly as they are
 *	  signed and sent, and which page covers a row.
 */
#ifndef NCLUE_URI_H
#define NCLUE_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Objects in one answer at most (API documentation: limit is 1-100). */
#define URI_LIMIT_MAX 100

/* A page as it is asked for. */
typedef struct UriPage
{
	int64_t		row;			/* list position of the page's first row */
	int64_t		index;			/* the parameter: rows or pages before it */
	int			limit;
} UriPage;

/*
 * The page that covers a row, where size is the rows a page may have (2-100).
 * Counting rows it begins with that row and is size long.  Counting pages it
 * is, of the pages with a limit of 1 to size, the one that holds the row and
 * reaches furthest (the one with the larger limit if several do); if none of
 * them reaches past the row, likewise with limits up to URI_LIMIT_MAX.  Never
 * raises.
 */
extern UriPage uri_cover(int64_t row, int size, bool by_page);

/*
 * The page that covers as many as it can of so many rows (from 1) from a row
 * on, and few others: counting rows, these and at most size of them; counting
 * pages, the smallest page of up to size rows that holds them all, or else
 * uri_cover()'s.  Never raises.
 */
extern UriPage uri_cover_range(int64_t row, int64_t rows, int size,
							   bool by_page);

/*
 * Writes "<base><path>?index=<index>&limit=<limit>", base being the path of
 * the endpoint ("/api/v1").  Returns false, with an empty target, where it
 * does not fit.  Never raises.
 */
extern bool uri_list(char *target, size_t size, const char *base,
					 const char *path, const UriPage *page);

/*
 * The same as "<base><path>?index={index}&limit=<limit>", for a person to
 * read.  Never raises.
 */
extern bool uri_template(char *target, size_t size, const char *base,
						 const char *path, int limit);

/*
 * Bytes of an id that can be asked for.  Real ones have some dozens, and servers
 * take request lines of some thousands.
 */
#define URI_ID_MAX 8192

/*
 * Whether an id can be a segment of a path: one that is empty, "." or "..", or
 * has a slash or a NUL in it, would name something else.  Never raises.
 */
extern bool uri_is_segment(const char *id, size_t length);

/*
 * Writes "<base><path>/<id>", the id being such a segment, its bytes other than
 * letters, digits, "-", ".", "_" and "~" percent-encoded (RFC 3986).  Returns
 * false, with an empty target, where it does not fit: three bytes for each of
 * the id's suffice.  Never raises.
 */
extern bool uri_object(char *target, size_t size, const char *base,
					   const char *path, const char *id, size_t length);

#endif
