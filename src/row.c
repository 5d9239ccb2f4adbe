/*
 * row.c
 *	  From an object of the service to a row of a foreign table.
 *
 * A JSON value reaches a column through its type's input function, but for
 * these: the types most columns have are made directly; dates and times are
 * read as the service writes them, whatever the session's settings; JSON types
 * get the value as JSON.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "common/shortest_dec.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "core/iso8601.h"
#include "option.h"
#include "own.h"
#include "report.h"
#include "row.h"

typedef enum Conversion
{
	CONVERT_TEXT,				/* text without a length */
	CONVERT_INT8,
	CONVERT_FLOAT8,
	CONVERT_TIMESTAMPTZ,
	CONVERT_TIMESTAMP,
	CONVERT_DATE,
	CONVERT_TIME,
	CONVERT_JSON,				/* through the type's input function */
	CONVERT_STRING,				/* likewise, of a type whose values are texts */
	CONVERT_INPUT				/* likewise, of any other type */
} Conversion;

typedef struct Column
{
	int			index;			/* in the slot */
	const char *name;
	const char *key;
	bool		exact;			/* the key is spelled by json_key */
	Conversion	conversion;
	Oid			type;			/* a domain's base type */
	int32		typmod;			/* its */
	Oid			domain;			/* InvalidOid: none */
	void	   *domain_cache;	/* domain_check()'s */
	bool		not_null;
	FmgrInfo	input;
	Oid			ioparam;
	ExprState  *generated;		/* its expression; NULL: not generated */
} Column;

struct Row
{
	const Resource *resource;
	pg_tz	   *time_zone;		/* of times without an offset */
	MemoryContext context;
	Own			json;			/* a JSON text on its way to an input function */
	int			natts;
	int			ncolumns;
	Column	   *columns;
	const Column *current;		/* being filled; NULL: none */
	const DocValue *object;		/* likewise */
	Failure		failure;		/* of the object's keys */
};

/* ---- columns ---- */

/*
 * The key of a column, and whether it must be spelled exactly so.  The id's
 * need not: look-ups and counts rest on every object having it.
 */
static const char *
column_key(Relation relation, Form_pg_attribute attr, const Resource *resource,
		   bool *exact)
{
	Settings	settings = {.json_key = NULL};
	const ResourceField *field;
	StringInfoData names;

	option_read(&settings, GetForeignColumnOptions(RelationGetRelid(relation),
												   attr->attnum));
	*exact = settings.json_key != NULL &&
		strcmp(settings.json_key, resource->id_key) != 0;
	if (settings.json_key != NULL)
		return pg_server_to_any(settings.json_key, strlen(settings.json_key),
								PG_UTF8);
	field = resource_field(resource, NameStr(attr->attname));
	if (field != NULL)
		return field->key;

	initStringInfo(&names);
	for (size_t i = 0; i < resource->nfields; i++)
		appendStringInfo(&names, "%s%s", i ? ", " : "",
						 resource->fields[i].column);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
			 errmsg("column \"%s\" of foreign table \"%s\" names no field of the resource \"%s\"",
					NameStr(attr->attname), RelationGetRelationName(relation),
					resource->name),
			 errdetail("Its fields are: %s.", names.data),
			 errhint("Rename the column, or name a key of the JSON object in its option json_key (\"%s\" for the whole object).",
					 JSON_KEY_OBJECT)));
}

const char **
row_keys(Relation relation, const Resource *resource)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);
	const char **keys = palloc0((tupdesc->natts + 1) * sizeof(char *));

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(tupdesc, i);
		bool		exact;

		if (!attr->attisdropped && !attr->attgenerated)
			keys[i + 1] = column_key(relation, attr, resource, &exact);
	}
	return keys;
}

Bitmapset *
row_needs(Relation relation, const Bitmapset *wanted)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);
	Bitmapset  *needs = bms_copy(wanted);

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(tupdesc, i);
		Bitmapset  *used = NULL;
		int			member = -1;

		if (attr->attisdropped)
			continue;
		if (attr->attnotnull)
			needs = bms_add_member(needs, i + 1);
		if (!attr->attgenerated || !bms_is_member(i + 1, needs))
			continue;
		pull_varattnos(build_column_default(relation, i + 1), 1, &used);
		while ((member = bms_next_member(used, member)) >= 0)
		{
			AttrNumber	attno = member + FirstLowInvalidHeapAttributeNumber;

			/* only a table's own columns, or its tableoid, can be used */
			if (attno > 0)
				needs = bms_add_member(needs, attno);
		}
	}
	return needs;
}

static Conversion
conversion_of(Oid type)
{
	char		category;
	bool		preferred;

	switch (type)
	{
		case TEXTOID:
			return CONVERT_TEXT;
		case INT8OID:
			return CONVERT_INT8;
		case FLOAT8OID:
			return CONVERT_FLOAT8;
		case TIMESTAMPTZOID:
			return CONVERT_TIMESTAMPTZ;
		case TIMESTAMPOID:
			return CONVERT_TIMESTAMP;
		case DATEOID:
			return CONVERT_DATE;
		case TIMEOID:
			return CONVERT_TIME;
		case JSONOID:
		case JSONBOID:
			return CONVERT_JSON;
		default:
			get_type_category_preferred(type, &category, &preferred);
			return category == TYPCATEGORY_STRING ?
				CONVERT_STRING : CONVERT_INPUT;
	}
}

static void
begin_column(Column *column, Relation relation,
			 Form_pg_attribute attr, const Resource *resource,
			 PlanState *parent)
{
	Oid			input;

	column->index = attr->attnum - 1;
	column->name = pstrdup(NameStr(attr->attname));
	column->not_null = attr->attnotnull;
	if (attr->attgenerated)
	{
		Expr	   *expr = (Expr *) build_column_default(relation, attr->attnum);

		column->generated = ExecInitExpr(expression_planner(expr), parent);
		return;
	}

	column->key = column_key(relation, attr, resource, &column->exact);
	column->typmod = attr->atttypmod;
	column->type = getBaseTypeAndTypmod(attr->atttypid, &column->typmod);
	column->domain = column->type == attr->atttypid ?
		InvalidOid : attr->atttypid;
	column->conversion = conversion_of(column->type);
	if (column->type == TIMETZOID)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" of foreign table \"%s\" cannot be of type %s",
						column->name, RelationGetRelationName(relation),
						format_type_be(attr->atttypid)),
				 errhint("Declare it as timestamp with time zone.")));
	if (strcmp(column->key, JSON_KEY_OBJECT) == 0 && column->type != TEXTOID &&
		column->conversion != CONVERT_JSON)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" of foreign table \"%s\" cannot hold a whole object",
						column->name, RelationGetRelationName(relation)),
				 errhint("Declare it as jsonb, json or text.")));
	getTypeInputInfo(column->type, &input, &column->ioparam);
	fmgr_info(input, &column->input);
}

static void
free_text(void *text)
{
	free(text);
}

Row *
row_begin(Relation relation, const Resource *resource,
		  const Bitmapset *columns, pg_tz *time_zone, PlanState *parent)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);
	Row		   *row = palloc0(sizeof(Row));
	int			member = -1;
	Bitmapset  *generated = NULL;

	row->resource = resource;
	row->time_zone = time_zone;
	failure_clear(&row->failure);
	row->context = CurrentMemoryContext;
	row->natts = tupdesc->natts;
	row->columns = palloc0(Max(tupdesc->natts, 1) * sizeof(Column));
	own_init(&row->json, CurrentMemoryContext, free_text);

	/* generated columns last: they are computed from the others */
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		Form_pg_attribute attr = TupleDescAttr(tupdesc, member - 1);

		if (attr->attgenerated)
			generated = bms_add_member(generated, member);
		else
			begin_column(&row->columns[row->ncolumns++], relation, attr,
						 resource, parent);
	}
	member = -1;
	while ((member = bms_next_member(generated, member)) >= 0)
		begin_column(&row->columns[row->ncolumns++], relation,
					 TupleDescAttr(tupdesc, member - 1), resource, parent);
	return row;
}

/* ---- values ---- */

static void raise_value(int sqlstate, const char *message) __attribute__((noreturn));

static void
raise_value(int sqlstate, const char *message)
{
	ereport(ERROR, (errcode(sqlstate), errmsg("%s", message)));
}

/*
 * A string in the database's encoding, terminated; *length its bytes.
 */
static char *
server_text(const char *text, size_t *length)
{
	char	   *converted;

	if (memchr(text, '\0', *length) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("the value holds \\u0000, which PostgreSQL's texts cannot"),
				 errhint("A column of type json shows it.")));
	converted = pg_any_to_server(text, *length, PG_UTF8);
	if (converted != text)
		*length = strlen(converted);
	return converted;
}

/*
 * A value as JSON text in the database's encoding.
 */
static char *
json_text(Row *row, const DocValue *value)
{
	size_t		length;
	char	   *text = doc_text(value->node, &length);
	char	   *converted;

	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	own_set(&row->json, text);
	converted = pg_any_to_server(text, length, PG_UTF8);
	if (converted == text)
		converted = pnstrdup(text, length);
	own_set(&row->json, NULL);
	return converted;
}

/*
 * A value as text for an input function, in the database's encoding.
 */
static char *
value_text(Row *row, const DocValue *value)
{
	size_t		length = value->length;
	char	   *text;

	switch (value->kind)
	{
		case DOC_STRING:
			return server_text(value->text, &length);
		case DOC_INTEGER:
			return psprintf(INT64_FORMAT, value->integer);
		case DOC_REAL:

			/*
			 * The shortest form that is exact, not float8out's, which depends
			 * on a setting.
			 */
			text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

			double_to_shortest_decimal_buf(value->real, text);
			return text;

		case DOC_BOOL:
			return pstrdup(value->boolean ? "true" : "false");
		case DOC_OBJECT:
		case DOC_ARRAY:
			return json_text(row, value);
		case DOC_ABSENT:
		case DOC_NULL:
			break;
	}
	elog(ERROR, "null has no text");
}

/*
 * A date and time as the service writes it.  What it says without an offset is
 * of the server's time zone, and a column without one gets that zone's time,
 * so that rows are comparable in either form.
 */
static Datum
convert_time(Row *row, const Column *column, const DocValue *value)
{
	Iso8601		form = value->kind == DOC_STRING ?
	iso8601_form(value->text, value->length) : ISO8601_NONE;
	TimestampTz moment = 0;
	Timestamp	local = 0;
	Datum		result;
	char	   *text;
	char	   *comma;

	if (form == ISO8601_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
				 errmsg("invalid date and time: \"%s\"",
						value->kind == DOC_STRING ?
						report_excerpt(value->text, value->length) :
						value_text(row, value)),
				 errdetail("The service's dates and times are ISO 8601, like 2024-11-11T11:01:30 or 2024-11-11T11:01:30.5+09:00.")));

	/* ISO 8601 has a comma or a full stop here, PostgreSQL only the latter */
	text = pstrdup(value->text);

	comma = strchr(text, ',');
	if (comma != NULL)
		*comma = '.';

	/* these texts mean the same under every setting of DateStyle */
	if (form == ISO8601_OFFSET)
		moment = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
														 CStringGetDatum(text),
														 ObjectIdGetDatum(InvalidOid),
														 Int32GetDatum(-1)));
	else
		local = DatumGetTimestamp(DirectFunctionCall3(timestamp_in,
													  CStringGetDatum(text),
													  ObjectIdGetDatum(InvalidOid),
													  Int32GetDatum(-1)));

	if (column->conversion == CONVERT_TIMESTAMPTZ)
	{
		if (form == ISO8601_LOCAL)
		{
			struct pg_tm tm;
			fsec_t		fsec;
			int			offset;

			if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
				raise_value(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
							"timestamp out of range");
			offset = DetermineTimeZoneOffset(&tm, row->time_zone);
			if (tm2timestamp(&tm, fsec, &offset, &moment) != 0)
				raise_value(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
							"timestamp out of range");
		}
		result = TimestampTzGetDatum(moment);
		if (column->typmod >= 0)
			result = DirectFunctionCall2(timestamptz_scale, result,
										 Int32GetDatum(column->typmod));
		return result;
	}

	if (form == ISO8601_OFFSET)
	{
		struct pg_tm tm;
		fsec_t		fsec;
		int			offset;

		if (timestamp2tm(moment, &offset, &tm, &fsec, NULL, row->time_zone) != 0 ||
			tm2timestamp(&tm, fsec, NULL, &local) != 0)
			raise_value(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
						"timestamp out of range");
	}
	result = TimestampGetDatum(local);
	if (column->conversion == CONVERT_DATE)
		return DirectFunctionCall1(timestamp_date, result);
	if (column->conversion == CONVERT_TIME)
	{
		result = DirectFunctionCall1(timestamp_time, result);
		if (column->typmod >= 0)
			result = DirectFunctionCall2(time_scale, result,
										 Int32GetDatum(column->typmod));
		return result;
	}
	if (column->typmod >= 0)
		result = DirectFunctionCall2(timestamp_scale, result,
									 Int32GetDatum(column->typmod));
	return result;
}

/*
 * A value through the input function of the column's type.
 */
static Datum
convert_input(Row *row, Column *column, const DocValue *value)
{
	char	   *text = column->conversion == CONVERT_JSON ?
	json_text(row, value) : value_text(row, value);

	/* these two cut a text short without a word */
	if ((column->type == NAMEOID && strlen(text) >= NAMEDATALEN) ||
		(column->type == CHAROID && strlen(text) > 1))
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("value too long for type %s",
						format_type_be(column->type))));
	return InputFunctionCall(&column->input, text, column->ioparam,
							 column->typmod);
}

/*
 * Whether a value says that there is none.  Fields that a job has not produced
 * yet may be null, absent, "" or 0 (the API's documentation says nothing of
 * them): "" is a text, and no value of any other type; 0 is a number, and no
 * time.
 */
static bool
is_null(const Column *column, const DocValue *value)
{
	switch (value->kind)
	{
		case DOC_ABSENT:
		case DOC_NULL:
			return true;
		case DOC_STRING:
			if (value->length > 0)
				return false;
			switch (column->conversion)
			{
				case CONVERT_TEXT:
				case CONVERT_STRING:
				case CONVERT_JSON:
					return false;
				case CONVERT_INT8:
				case CONVERT_FLOAT8:
				case CONVERT_TIMESTAMPTZ:
				case CONVERT_TIMESTAMP:
				case CONVERT_DATE:
				case CONVERT_TIME:
				case CONVERT_INPUT:
					return true;
			}
			return true;
		case DOC_INTEGER:
			return value->integer == 0 &&
				(column->conversion == CONVERT_TIMESTAMPTZ ||
				 column->conversion == CONVERT_TIMESTAMP ||
				 column->conversion == CONVERT_DATE ||
				 column->conversion == CONVERT_TIME);
		case DOC_BOOL:
		case DOC_REAL:
		case DOC_OBJECT:
		case DOC_ARRAY:
			return false;
	}
	return false;
}

/*
 * A value that is one, as the column's base type.
 */
static Datum
convert(Row *row, Column *column, const DocValue *value)
{
	/*
	 * The input functions of other types would read some JSON as something
	 * else: {} is an array, [1,2] a range.
	 */
	if ((value->kind == DOC_OBJECT || value->kind == DOC_ARRAY) &&
		column->conversion != CONVERT_TEXT &&
		column->conversion != CONVERT_STRING &&
		column->conversion != CONVERT_JSON)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a JSON %s is no value of type %s",
						value->kind == DOC_OBJECT ? "object" : "array",
						format_type_be(column->type)),
				 errhint("Declare the column as jsonb.")));

	switch (column->conversion)
	{
		case CONVERT_TEXT:
			if (value->kind == DOC_STRING)
			{
				size_t		length = value->length;
				char	   *text = server_text(value->text, &length);

				return PointerGetDatum(cstring_to_text_with_len(text, length));
			}
			return CStringGetTextDatum(value_text(row, value));
		case CONVERT_INT8:
			if (value->kind == DOC_INTEGER)
				return Int64GetDatum(value->integer);
			break;
		case CONVERT_FLOAT8:
			if (value->kind == DOC_REAL)
				return Float8GetDatum(value->real);
			if (value->kind == DOC_INTEGER)
				return Float8GetDatum((double) value->integer);
			break;
		case CONVERT_TIMESTAMPTZ:
		case CONVERT_TIMESTAMP:
		case CONVERT_DATE:
		case CONVERT_TIME:
			return convert_time(row, column, value);
		case CONVERT_JSON:
		case CONVERT_STRING:
		case CONVERT_INPUT:
			break;
	}
	return convert_input(row, column, value);
}

/*
 * What an object has for a column.
 */
static DocValue
column_value(Row *row, const Column *column)
{
	DocValue	value;

	if (strcmp(column->key, JSON_KEY_OBJECT) == 0)
		return *row->object;
	if (column->exact)
		return doc_get(row->object->node, column->key);
	if (!doc_find(row->object->node, column->key, &value, &row->failure))
		report_failure(&row->failure);
	return value;
}

static void
fill_column(Row *row, Column *column, TupleTableSlot *slot,
			ExprContext *econtext)
{
	Datum	   *datum = &slot->tts_values[column->index];
	bool	   *isnull = &slot->tts_isnull[column->index];

	if (column->generated != NULL)
		*datum = ExecEvalExpr(column->generated, econtext, isnull);
	else
	{
		DocValue	value = column_value(row, column);

		*isnull = is_null(column, &value);
		if (!*isnull)
			*datum = convert(row, column, &value);
		if (OidIsValid(column->domain))
			domain_check(*datum, *isnull, column->domain,
						 &column->domain_cache, row->context);
	}
	if (*isnull && column->not_null)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\", which is declared NOT NULL",
						column->name),
				 errhint("Drop the column's NOT NULL: the service gives no value here.")));
}

void
row_fill(Row *row, const DocValue *object, TupleTableSlot *slot,
		 ExprContext *econtext)
{
	MemoryContext context = CurrentMemoryContext;

	ExecClearTuple(slot);
	memset(slot->tts_values, 0, row->natts * sizeof(Datum));
	memset(slot->tts_isnull, true, row->natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);

	row->object = object;
	econtext->ecxt_scantuple = slot;
	/* types, domains and generated columns quote values in their errors */
	PG_TRY();
	{
		for (int i = 0; i < row->ncolumns; i++)
		{
			row->current = &row->columns[i];
			fill_column(row, &row->columns[i], slot, econtext);
		}
	}
	PG_CATCH();
	{
		report_value_error(context);
	}
	PG_END_TRY();
	row->current = NULL;
}

void
row_errcontext(const Row *row)
{
	Failure		ignored;
	DocValue	id;

	if (row->current == NULL)
		return;
	doc_find(row->object->node, row->resource->id_key, &id, &ignored);
	errcontext("column \"%s\", object with %s %s", row->current->name,
			   row->resource->id_key,
			   id.kind == DOC_STRING ? report_excerpt(id.text, id.length) :
			   id.kind == DOC_INTEGER ? psprintf(INT64_FORMAT, id.integer) :
			   "unknown");
}
