/*
 * option.h
 *	  The options of servers, user mappings, tables and columns.
 */
#ifndef NCLUE_OPTION_H
#define NCLUE_OPTION_H

#include "core/http.h"
#include "core/resource.h"
#include "foreign/foreign.h"
#include "nodes/pg_list.h"
#include "pgtime.h"
#include "utils/array.h"

/*
 * What the options of one object, or of several read one after the other, say.
 * Strings lie in the lists they were read from.
 */
typedef struct Settings
{
	HttpEndpoint endpoint;
	int64		timeout_us;
	int64		connect_timeout_us;
	int64		interval_us;	/* of rate_limit; 0: none */
	int			max_in_flight;
	int			max_retries;
	int64		max_response_size;
	pg_tz	   *time_zone;
	bool		by_page;		/* index_unit */
	bool		jumps;			/* list_order 'auto' */
	int			page_size;
	const char *ca_file;		/* NULL: the system's */
	const char *proxy;			/* NULL: none */
	const char *access_key;		/* NULL: missing */
	const char *secret_key;		/* NULL: missing */
	const Resource *resource;
	const char *json_key;		/* NULL: by the column's name */
} Settings;

/* A json_key that stands for the whole object. */
#define JSON_KEY_OBJECT "*"

/*
 * Puts the defaults of all options.  Raises.
 */
extern void option_defaults(Settings *settings);

/*
 * Reads the options (DefElem) of one object over what *settings says; options
 * it does not know are ignored, for they were validated when they were set.
 * Raises.
 */
extern void option_read(Settings *settings, List *options);

/*
 * Makes a list (DefElem) of options as catalogs keep them, like
 * untransformRelOptions(), and erases its values, which may be secret.  The
 * former raises.
 */
extern List *option_list(ArrayType *array);
extern void option_erase(List *options);

/*
 * Reads the options that hold for a table: the defaults, its server's, its own.
 * Raises.
 */
extern void option_of_table(Settings *settings, ForeignTable *table);

/*
 * Checks the options of an object whose catalog is given (pg_foreign_server,
 * ...).  Raises where a name or value is not valid there.
 */
extern void option_validate(List *options, Oid catalog);

#endif
