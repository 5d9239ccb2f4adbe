/*
 * resource.h
 *	  The lists that the service has, as data.
 */
#ifndef NCLUE_RESOURCE_H
#define NCLUE_RESOURCE_H

#include <stddef.h>

typedef enum FieldKind
{
	FIELD_TEXT,
	FIELD_TIME,					/* ISO 8601, with or without an offset */
	FIELD_INTEGER,				/* 64 bits */
	FIELD_REAL					/* double precision */
} FieldKind;

typedef struct ResourceField
{
	const char *key;			/* in the JSON object, as the API spells it */
	const char *column;			/* name of the imported column */
	FieldKind	kind;
	const char *comment;		/* for the imported column */
} ResourceField;

typedef struct Resource
{
	const char *name;			/* value of the option "resource" */
	const char *table;			/* name of the imported table */
	const char *path;			/* below the endpoint, with its slash */
	const char *array_key;		/* of the list's envelope */
	const char *id_key;			/* one of the fields' keys, the first */
	const char *comment;		/* for the imported table */
	const ResourceField *fields;
	size_t		nfields;
} Resource;

/* All of them; the first is the default. */
#define RESOURCES 5
extern const Resource resources[RESOURCES];

/*
 * The resource of a name, exactly spelled; NULL if there is none.  Never
 * raises.
 */
extern const Resource *resource_find(const char *name);

/*
 * The field whose key or imported column equals a name, ASCII letters compared
 * without regard to case; NULL if there is none.  Never raises.
 */
extern const ResourceField *resource_field(const Resource *resource,
										   const char *name);

#endif
