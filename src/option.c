/*
 * option.c
 *	  The options of servers, user mappings, tables and columns.
 *
 * One table serves the validator, its hints and the reading.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_attribute.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "core/attempt.h"
#include "core/sign.h"
#include "core/uri.h"
#include "option.h"

/* where an option may stand */
#define ON_SERVER	0x01
#define ON_MAPPING	0x02
#define ON_TABLE	0x04
#define ON_COLUMN	0x08

typedef enum OptionKind
{
	OPTION_ENDPOINT,
	OPTION_PROXY,
	OPTION_SECONDS,				/* with min and max, kept as microseconds */
	OPTION_RATE,				/* per second, 0 or with min and max, kept as
								 * the interval in microseconds */
	OPTION_SIZE,				/* bytes, with min and max */
	OPTION_INTEGER,				/* with min and max */
	OPTION_TIME_ZONE,
	OPTION_SWITCH,				/* choices[0]: false, choices[1]: true */
	OPTION_RESOURCE,
	OPTION_FILE,				/* only for those who may read server files */
	OPTION_HEADER,				/* a text that can stand in a header */
	OPTION_SECRET,				/* never shown */
	OPTION_TEXT
} OptionKind;

typedef struct Option
{
	const char *name;
	int			where;
	OptionKind	kind;
	size_t		field;			/* offset in Settings */
	const char *value;			/* the default; NULL: none */
	double		min;
	double		max;
	const char *choices[2];
} Option;

#define FIELD(name) offsetof(Settings, name)

/* A day: nothing sensible is longer, and its microseconds fit anywhere. */
#define SECONDS_MAX 86400.0

/* A request in a quarter of an hour, and more than any line lets through. */
#define RATE_MIN 0.001
#define RATE_MAX 1000.0

/* Each may be a connection, and a descriptor, of every session. */
#define IN_FLIGHT_MAX 32

/*
 * A page is copied into one palloc'd piece when it is kept, which bounds its
 * size.
 */
#define SIZE_MIN 1024.0
#define SIZE_MAX_BYTES ((double) (MaxAllocSize - 1))

static const Option option_table[] = {
	{"endpoint", ON_SERVER, OPTION_ENDPOINT, FIELD(endpoint),
	"https://nclue.apigw.ntruss.com/api/v1", 0, 0, {NULL, NULL}},
	{"rate_limit", ON_SERVER, OPTION_RATE, FIELD(interval_us),
	"1", RATE_MIN, RATE_MAX, {NULL, NULL}},
	{"max_in_flight", ON_SERVER, OPTION_INTEGER, FIELD(max_in_flight),
	"4", 1, IN_FLIGHT_MAX, {NULL, NULL}},
	{"max_retries", ON_SERVER, OPTION_INTEGER, FIELD(max_retries),
	"3", 0, ATTEMPT_RETRIES_MAX, {NULL, NULL}},
	{"timeout", ON_SERVER, OPTION_SECONDS, FIELD(timeout_us),
	"30", 0.001, SECONDS_MAX, {NULL, NULL}},
	{"connect_timeout", ON_SERVER, OPTION_SECONDS, FIELD(connect_timeout_us),
	"10", 0.001, SECONDS_MAX, {NULL, NULL}},
	{"max_response_size", ON_SERVER, OPTION_SIZE, FIELD(max_response_size),
	"16MB", SIZE_MIN, SIZE_MAX_BYTES, {NULL, NULL}},
	{"time_zone", ON_SERVER, OPTION_TIME_ZONE, FIELD(time_zone),
	"Asia/Seoul", 0, 0, {NULL, NULL}},
	{"index_unit", ON_SERVER, OPTION_SWITCH, FIELD(by_page),
	"row", 0, 0, {"row", "page"}},
	{"list_order", ON_SERVER | ON_TABLE, OPTION_SWITCH, FIELD(jumps),
	"auto", 0, 0, {"stable", "auto"}},
	{"page_size", ON_SERVER | ON_TABLE, OPTION_INTEGER, FIELD(page_size),
	"100", 2, URI_LIMIT_MAX, {NULL, NULL}},
	{"ca_file", ON_SERVER, OPTION_FILE, FIELD(ca_file),
	NULL, 0, 0, {NULL, NULL}},
	{"proxy", ON_SERVER, OPTION_PROXY, FIELD(proxy),
	NULL, 0, 0, {NULL, NULL}},
	{"access_key", ON_MAPPING, OPTION_HEADER, FIELD(access_key),
	NULL, 0, 0, {NULL, NULL}},
	{"secret_key", ON_MAPPING, OPTION_SECRET, FIELD(secret_key),
	NULL, 0, 0, {NULL, NULL}},
	{"resource", ON_TABLE, OPTION_RESOURCE, FIELD(resource),
	"tasks", 0, 0, {NULL, NULL}},
	{"json_key", ON_COLUMN, OPTION_TEXT, FIELD(json_key),
	NULL, 0, 0, {NULL, NULL}},
};

/* in words, for messages */
static int
where_of_catalog(Oid catalog, const char **object)
{
	switch (catalog)
	{
		case ForeignServerRelationId:
			*object = "a server";
			return ON_SERVER;
		case UserMappingRelationId:
			*object = "a user mapping";
			return ON_MAPPING;
		case ForeignTableRelationId:
			*object = "a foreign table";
			return ON_TABLE;
		case AttributeRelationId:
			*object = "a column";
			return ON_COLUMN;
		default:
			*object = "the foreign-data wrapper";
			return 0;
	}
}

/*
 * The valid values of an option, as a sentence.
 */
static char *
valid_values(const Option *option)
{
	StringInfoData buf;

	initStringInfo(&buf);
	switch (option->kind)
	{
		case OPTION_SECONDS:
			appendStringInfo(&buf, "Valid values are seconds from %g to %g, with fractions or a unit (\"500ms\", \"2min\").",
							 option->min, option->max);
			break;
		case OPTION_RATE:
			appendStringInfo(&buf, "Valid values are requests per second from %g to %g, with fractions, and 0 for no limit.",
							 option->min, option->max);
			break;
		case OPTION_SIZE:
			appendStringInfoString(&buf, "Valid values are sizes from 1kB to 1023MB, with a unit (\"16MB\") or in bytes.");
			break;
		case OPTION_INTEGER:
			appendStringInfo(&buf, "Valid values are integers from %d to %d.",
							 (int) option->min, (int) option->max);
			break;
		case OPTION_TIME_ZONE:
			appendStringInfoString(&buf, "Valid values are the names in view pg_timezone_names, for example \"Asia/Seoul\" or \"UTC\".");
			break;
		case OPTION_SWITCH:
			appendStringInfo(&buf, "Valid values are \"%s\" and \"%s\".",
							 option->choices[0], option->choices[1]);
			break;
		case OPTION_RESOURCE:
			appendStringInfoString(&buf, "Valid values are ");
			for (size_t i = 0; i < RESOURCES; i++)
				appendStringInfo(&buf, "%s\"%s\"",
								 i == 0 ? "" : i + 1 < RESOURCES ? ", " : " and ",
								 resources[i].name);
			appendStringInfoChar(&buf, '.');
			break;
		case OPTION_FILE:
			appendStringInfoString(&buf, "Valid values are absolute paths on the database server.");
			break;
		case OPTION_HEADER:
			appendStringInfoString(&buf, "Valid values are printable ASCII characters without white space.");
			break;
		case OPTION_SECRET:
			appendStringInfoString(&buf, "Valid values are not empty and hold no line breaks.");
			break;
		case OPTION_TEXT:
			appendStringInfoString(&buf, "Valid values are not empty.");
			break;
		case OPTION_ENDPOINT:
			appendStringInfoString(&buf, "Valid values are URLs like \"https://nclue.apigw.ntruss.com/api/v1\".");
			break;
		case OPTION_PROXY:
			appendStringInfoString(&buf, "Valid values are URLs like \"http://proxy.example.com:3128\".");
			break;
	}
	return buf.data;
}

/*
 * Refuses a value; the complaint, a sentence without its full stop, may be
 * NULL.
 */
static void refuse(const Option *option, const char *value,
				   const char *complaint) __attribute__((noreturn));

static void
refuse(const Option *option, const char *value, const char *complaint)
{
	/* a URL may hold credentials, which are one of the things refused */
	bool		shown = option->kind != OPTION_SECRET &&
	option->kind != OPTION_HEADER && strchr(value, '@') == NULL;

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
			 shown ?
			 errmsg("invalid value for option \"%s\": \"%s\"",
					option->name, value) :
			 errmsg("invalid value for option \"%s\"", option->name),
			 complaint ? errdetail_internal("%c%s.", pg_toupper(complaint[0]),
											complaint + 1) : 0,
			 errhint("%s", valid_values(option))));
}

/*
 * Whether PostgreSQL has a time zone of this name.  pg_tzset() also takes the
 * POSIX form, in which "UTC+9" lies nine hours west: who writes that here
 * means east.
 */
static bool
is_zone_name(const char *value)
{
	pg_tzenum  *zones;
	pg_tz	   *zone;
	bool		found = false;

	/* the other form has an offset; spare the search where there is none */
	if (strpbrk(value, "0123456789+-<") == NULL)
		return true;
	zones = pg_tzenumerate_start();
	while (!found && (zone = pg_tzenumerate_next(zones)) != NULL)
		found = pg_strcasecmp(pg_get_timezone_name(zone), value) == 0;
	pg_tzenumerate_end(zones);
	return found;
}

static bool
printable(const char *value, bool spaces)
{
	for (const char *c = value; *c; c++)
	{
		if ((unsigned char) *c > 0x7e || (unsigned char) *c < (spaces ? 0x20 : 0x21))
			return false;
	}
	return *value != '\0';
}

/*
 * Reads one value into its field, refusing what is not valid.
 */
static void
read_value(const Option *option, const char *value, Settings *settings)
{
	void	   *field = (char *) settings + option->field;
	const char *complaint = NULL;
	const char *hint;

	switch (option->kind)
	{
		case OPTION_ENDPOINT:
			if (!http_endpoint(value, field, &complaint))
				refuse(option, value, complaint);
			return;
		case OPTION_PROXY:
			if (!http_proxy(value, &complaint))
				refuse(option, value, complaint);
			*(const char **) field = value;
			return;
		case OPTION_SECONDS:
			{
				double		seconds;

				if (!parse_real(value, &seconds, GUC_UNIT_S, &hint) ||
					!(seconds >= option->min && seconds <= option->max))
					refuse(option, value, NULL);
				*(int64 *) field = (int64) rint(seconds * 1e6);
				return;
			}
		case OPTION_RATE:
			{
				double		rate;

				if (!parse_real(value, &rate, 0, &hint) ||
					!(rate == 0 || (rate >= option->min && rate <= option->max)))
					refuse(option, value, NULL);
				*(int64 *) field = rate == 0 ? 0 : (int64) rint(1e6 / rate);
				return;
			}
		case OPTION_SIZE:
			{
				int			bytes;

				if (!parse_int(value, &bytes, GUC_UNIT_BYTE, &hint) ||
					!(bytes >= option->min && bytes <= option->max))
					refuse(option, value, NULL);
				*(int64 *) field = bytes;
				return;
			}
		case OPTION_INTEGER:
			{
				int			number;

				/* parse_int() alone would round fractions */
				if (value[strspn(value, "0123456789")] != '\0' ||
					!parse_int(value, &number, 0, &hint) ||
					!(number >= option->min && number <= option->max))
					refuse(option, value, NULL);
				*(int *) field = number;
				return;
			}
		case OPTION_TIME_ZONE:
			{
				pg_tz	   *zone = pg_tzset(value);

				if (zone == NULL || !pg_tz_acceptable(zone))
					refuse(option, value, NULL);
				*(pg_tz **) field = zone;
				return;
			}
		case OPTION_SWITCH:
			if (strcmp(value, option->choices[0]) != 0 &&
				strcmp(value, option->choices[1]) != 0)
				refuse(option, value, NULL);
			*(bool *) field = strcmp(value, option->choices[1]) == 0;
			return;
		case OPTION_RESOURCE:
			{
				const Resource *resource = resource_find(value);

				if (resource == NULL)
					refuse(option, value, NULL);
				*(const Resource **) field = resource;
				return;
			}
		case OPTION_FILE:
			if (!is_absolute_path(value))
				refuse(option, value, NULL);
			*(const char **) field = value;
			return;
		case OPTION_HEADER:
			if (!printable(value, false))
				refuse(option, value, NULL);
			*(const char **) field = value;
			return;
		case OPTION_SECRET:
			if (value[0] == '\0' || strpbrk(value, "\r\n") != NULL)
				refuse(option, value, NULL);
			*(const char **) field = value;
			return;
		case OPTION_TEXT:
			if (value[0] == '\0')
				refuse(option, value, NULL);
			*(const char **) field = value;
			return;
	}
}

static const Option *
find_option(const char *name, int where)
{
	for (size_t i = 0; i < lengthof(option_table); i++)
	{
		if ((option_table[i].where & where) &&
			strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	}
	return NULL;
}

/*
 * Refuses an option that may not stand here, naming those that may and the one
 * most like it.
 */
static void refuse_option(const char *name, int where, const char *object)
			__attribute__((noreturn));

static void
refuse_option(const char *name, int where, const char *object)
{
	StringInfoData valid;
	const char *closest = NULL;
	int			nearest = 4;	/* edits from which a name is no slip of the
								 * finger */

	initStringInfo(&valid);
	for (size_t i = 0; i < lengthof(option_table); i++)
	{
		const Option *option = &option_table[i];
		int			distance;

		if (!(option->where & where))
			continue;
		appendStringInfo(&valid, "%s%s", valid.len ? ", " : "", option->name);
		/* varstr_levenshtein() refuses long strings */
		if (strlen(name) >= NAMEDATALEN)
			continue;
		distance = varstr_levenshtein(name, strlen(name),
									  option->name, strlen(option->name),
									  1, 1, 1, true);
		if (distance < nearest && distance * 2 <= (int) strlen(name))
		{
			nearest = distance;
			closest = option->name;
		}
	}

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\" for %s", name, object),
			 valid.len == 0 ?
			 errhint("There are no valid options for %s.", object) :
			 closest != NULL ?
			 errhint("Perhaps you meant the option \"%s\". Valid options for %s are: %s.",
					 closest, object, valid.data) :
			 errhint("Valid options for %s are: %s.", object, valid.data)));
}

void
option_defaults(Settings *settings)
{
	/* every statement asks for them, and they never change */
	static Settings defaults;
	static bool known = false;

	if (!known)
	{
		memset(&defaults, 0, sizeof(defaults));
		for (size_t i = 0; i < lengthof(option_table); i++)
		{
			if (option_table[i].value != NULL)
				read_value(&option_table[i], option_table[i].value, &defaults);
		}
		known = true;
	}
	*settings = defaults;
}

void
option_read(Settings *settings, List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *def = lfirst(cell);
		const Option *option = find_option(def->defname, ~0);

		if (option != NULL)
			read_value(option, defGetString(def), settings);
	}
}

List *
option_list(ArrayType *array)
{
	List	   *options = NIL;
	Datum	   *texts;
	int			count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &texts, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		/* name and value stay one piece of memory: a copy less to erase */
		char	   *name = TextDatumGetCString(texts[i]);
		char	   *value = strchr(name, '=');

		if (value != NULL)
			*value++ = '\0';
		options = lappend(options,
						  makeDefElem(name, value == NULL ? NULL :
									  (Node *) makeString(value), -1));
	}
	return options;
}

void
option_erase(List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		Node	   *value = lfirst_node(DefElem, cell)->arg;

		if (value != NULL)
			sign_erase(strVal(value), strlen(strVal(value)));
	}
}

void
option_of_table(Settings *settings, ForeignTable *table)
{
	option_defaults(settings);
	option_read(settings, GetForeignServer(table->serverid)->options);
	option_read(settings, table->options);
}

void
option_validate(List *options, Oid catalog)
{
	const char *object;
	int			where = where_of_catalog(catalog, &object);
	Settings	scratch;
	ListCell   *cell;

	option_defaults(&scratch);
	foreach(cell, options)
	{
		DefElem    *def = lfirst(cell);
		const Option *option = find_option(def->defname, where);

		if (option == NULL)
			refuse_option(def->defname, where, object);
		read_value(option, defGetString(def), &scratch);

		if (option->kind == OPTION_TIME_ZONE && !is_zone_name(defGetString(def)))
			refuse(option, defGetString(def), NULL);

		/* it tells whether a file exists and can be read as certificates */
		if (option->kind == OPTION_FILE &&
			!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to set the option \"%s\"",
							option->name),
					 errdetail("Only roles with privileges of the \"%s\" role may set it.",
							   "pg_read_server_files")));
	}

	/* what goes to this machine in clear must not leave it */
	if (where == ON_SERVER && scratch.proxy != NULL && !scratch.endpoint.tls)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"proxy\" cannot be used with an http endpoint"),
				 errdetail("Requests would leave this machine unencrypted."),
				 errhint("Use an https endpoint, or no proxy.")));
}
