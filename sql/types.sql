-- What each type of column makes of each kind of JSON value.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
\set ECHO none
\i test/sql/read_as.psql
\set ECHO all
\pset null (null)
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET bytea_output = 'hex';
CREATE FOREIGN TABLE whole (object json OPTIONS (json_key '*')) SERVER nclue;
CREATE VIEW members AS
	SELECT key, value FROM whole, json_each(object);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN short AS varchar(5);
CREATE DOMAIN shorter AS short CHECK (value <> 'abc');
CREATE DOMAIN ratio AS float8 CHECK (value BETWEEN 0 AND 1);
CREATE DOMAIN present AS text NOT NULL;
CREATE DOMAIN second AS timestamptz(0);
-- a base type that says it is a string
CREATE TYPE words;
CREATE FUNCTION words_in(cstring) RETURNS words
	LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION words_out(words) RETURNS cstring
	LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE words (INPUT = words_in, OUTPUT = words_out, LIKE = text,
	CATEGORY = 'S');

-- a row for each type: what it makes of each kind of value
CREATE FUNCTION pg_temp.kinds(VARIADIC types text[])
RETURNS TABLE (type text, string text, digits text, empty text, "integer" text,
	zero text, "real" text, bool text, "null" text, absent text)
LANGUAGE sql AS $$
	SELECT type, pg_temp.read_as('string', type),
		pg_temp.read_as('digits', type), pg_temp.read_as('empty', type),
		pg_temp.read_as('integer', type), pg_temp.read_as('zero', type),
		pg_temp.read_as('real', type), pg_temp.read_as('bool', type),
		pg_temp.read_as('null', type), pg_temp.read_as('absent', type)
	FROM unnest(types) type
$$;

-- ---- every kind of value ----
:ctl objects 1
:ctl update tasks position=0 string='"ok"' digits='"12"' empty='""' integer=12 zero=0 real=1.5 bool=true null=null object='{"b":[1,null],"a":"x"}' array='[1,2]' array0='[]'

-- texts take everything
SELECT * FROM pg_temp.kinds('text', 'varchar', 'varchar(2)', 'char(4)', 'name',
	'"char"', 'words', 'short');
:requests | sort | uniq -c

-- JSON types take them as JSON; null is no value
SELECT * FROM pg_temp.kinds('json', 'jsonb');

-- for any other type "" is no value
SELECT * FROM pg_temp.kinds('int2', 'int4', 'int8', 'numeric', 'numeric(4,1)',
	'float4', 'float8', 'bool', 'oid', 'uuid', 'date', 'time', 'timestamp',
	'timestamptz', 'interval', 'bytea', 'mood', 'pair', 'ratio', 'second',
	'int[]', 'text[]', 'int4range', 'int4multirange', 'inet', 'bit(2)', 'point',
	'tsvector');

-- objects and arrays are JSON: for texts and JSON types only, never the
-- literal of an array, a range or a point
SELECT type, pg_temp.read_as('object', type) AS object,
	pg_temp.read_as('array', type) AS array,
	pg_temp.read_as('array0', type) AS array0
FROM unnest(ARRAY['text', 'varchar', 'varchar(5)', 'char(8)', 'name', 'words',
	'short', 'json', 'jsonb', '"char"', 'int2', 'int4', 'int8', 'numeric',
	'float4', 'float8', 'bool', 'uuid', 'date', 'time', 'timestamp',
	'timestamptz', 'interval', 'bytea', 'mood', 'pair', 'ratio', 'second',
	'int[]', 'text[]', 'jsonb[]', 'int4range', 'int4multirange', 'numrange',
	'inet', 'bit(2)', 'point', 'tsvector']) type;

-- time with time zone: PostgreSQL would need a date for it
SELECT pg_temp.read_as('string', 'timetz'), pg_temp.read_as('null', 'timetz'),
	pg_temp.read_as('null', 'timetz(3)');
:requests | sort | uniq -c

-- ---- integers ----
:ctl update tasks position=0 int_01=32767 int_02=32768 int_03=-32768 int_04=-32769 int_05=2147483647 int_06=2147483648 int_07=-2147483648 int_08=-2147483649
:ctl update tasks position=0 int_09=9223372036854775807 int_10=-9223372036854775808 int_11='"9223372036854775807"' int_12='"9223372036854775808"' int_13='"-9223372036854775809"'
:ctl update tasks position=0 int_14=3.0 int_15=-0 int_16=1e3 int_17=1e30 int_18=1.5 int_19='" 42 "' int_20='"4 2"' int_21='"1e3"' int_22=9007199254740993
SELECT key, value AS json, pg_temp.read_as(key, 'int2') AS int2,
	pg_temp.read_as(key, 'int4') AS int4, pg_temp.read_as(key, 'int8') AS int8,
	pg_temp.read_as(key, 'numeric') AS numeric,
	pg_temp.read_as(key, 'float8') AS float8,
	pg_temp.read_as(key, 'text') AS text
FROM members WHERE key LIKE 'int\_%';
:requests | sort | uniq -c

-- ---- reals ----
:ctl update tasks position=0 real_01=0.9054 real_02=0.30000000000000004 real_03=0.8999999999999999 real_04=1e308 real_05=-1.7976931348623157e308 real_06=5e-324
:ctl update tasks position=0 real_07=2.2250738585072014e-308 real_08=0.1 real_09=1e22 real_10=123456789012345678.0 real_11=-0.0 real_12=1e-7 real_13=1E+2 real_14=1e39 real_15=16777217
:ctl update tasks position=0 real_16='"0.30000000000000004"' real_17='"NaN"' real_18='"Infinity"' real_19='"-inf"' real_20='"1e400"' real_21='"0,5"' real_22='"0.5abc"'
SELECT key, value AS json, pg_temp.read_as(key, 'float8') AS float8,
	pg_temp.read_as(key, 'float4') AS float4,
	pg_temp.read_as(key, 'text') AS text
FROM members WHERE key LIKE 'real\_%';
SELECT key, pg_temp.read_as(key, 'numeric') AS numeric
FROM members WHERE key LIKE 'real\_%' AND value::text !~ 'e[+-]?\d{3}';

-- a double is exact, and its text does not depend on the session
SET extra_float_digits = 0;
SELECT key, value AS json,
	pg_temp.read_as(key, 'text')::float8 = value::text::float8 AS text,
	pg_temp.read_as(key, 'varchar')::float8 = value::text::float8 AS varchar,
	pg_temp.read_as(key, 'numeric')::float8 = value::text::float8 AS numeric
FROM members
WHERE key IN ('real_02', 'real_03', 'real_04', 'real_05', 'real_06', 'real_07',
	'real_10');
:requests | sort | uniq -c

-- ---- numeric(p,s) ----
:ctl update tasks position=0 num_1=123.456 num_2='"123.455"' num_3=1234.5 num_4=99999 num_5='"NaN"' num_6=-0.004 num_7='"12345678901234567890.12"'
SELECT key, value AS json, pg_temp.read_as(key, 'numeric') AS numeric,
	pg_temp.read_as(key, 'numeric(5,2)') AS "numeric(5,2)",
	pg_temp.read_as(key, 'numeric(4,0)') AS "numeric(4,0)"
FROM members WHERE key LIKE 'num\_%';
:requests | sort | uniq -c

-- ---- texts with a length ----
:ctl update tasks position=0 len_1='"abc"' len_2='"abcd"' len_3='"abc    "' len_4='"가나다"' len_5='"가나다라"' len_6=1234 len_7='"a"' len_8='"가"' len_9=true
SELECT key, value AS json,
	quote_literal(pg_temp.read_as(key, 'varchar(3)')) AS "varchar(3)",
	quote_literal(pg_temp.read_as(key, 'char(3)')) AS "char(3)",
	quote_literal(pg_temp.read_as(key, 'char(5)')) AS "char(5)",
	quote_literal(pg_temp.read_as(key, 'char')) AS "char",
	quote_literal(pg_temp.read_as(key, '"char"')) AS """char"""
FROM members WHERE key LIKE 'len\_%';

-- name holds 63 bytes; more is an error, never cut short
:ctl update tasks position=0 name_1="\"$(printf 'n%.0s' $(seq 63))\"" name_2="\"$(printf 'n%.0s' $(seq 64))\"" name_3="\"$(printf '가%.0s' $(seq 21))\"" name_4="\"$(printf '가%.0s' $(seq 22))\""
SELECT key, octet_length(value #>> '{}'), pg_temp.read_as(key, 'name') AS name
FROM members WHERE key LIKE 'name\_%';
:requests | sort | uniq -c

-- ---- booleans ----
:ctl update tasks position=0 bool_1=true bool_2=false bool_3=1 bool_4=0 bool_5='"yes"' bool_6='"off"' bool_7='"T"' bool_8=2 bool_9='"maybe"'
SELECT key, value AS json, pg_temp.read_as(key, 'bool') AS bool,
	pg_temp.read_as(key, 'text') AS text, pg_temp.read_as(key, 'int4') AS int4,
	pg_temp.read_as(key, 'jsonb') AS jsonb
FROM members WHERE key LIKE 'bool\__';
:requests | sort | uniq -c

-- ---- uuid, also as the id ----
:ctl update tasks position=0 uuid_1='"7db18fb6-55ca-4774-94f5-1e8736757249"' uuid_2='"7DB18FB655CA477494F51E8736757249"' uuid_3='"7db18fb6-55ca-4774-94f5-1e873675724"' uuid_4='"x"' uuid_5=1 uuid_6='""'
SELECT key, value AS json, pg_temp.read_as(key, 'uuid') AS uuid
FROM members WHERE key LIKE 'uuid\_%';
SELECT pg_temp.read_as('task_id', 'uuid') = pg_temp.read_as('task_id', 'text')
	AS same;
:requests | sort | uniq -c

-- ---- bytea, interval, enum, composite, arrays, ranges: their literals ----
:ctl update tasks position=0 lit_01='"\\x00ff"' lit_02='"abc"' lit_03='"\\000"' lit_04='"1 day 02:03"' lit_05='"PT90M"' lit_06='"happy"' lit_07='"Happy"'
:ctl update tasks position=0 lit_08='"(1,x)"' lit_09='"(,)"' lit_10='"{1,2}"' lit_11='"{}"' lit_12='"[1,5)"' lit_13='"empty"' lit_14='"{[1,2),[5,6)}"'
SELECT key, value AS json, pg_temp.read_as(key, 'bytea') AS bytea,
	pg_temp.read_as(key, 'interval') AS interval,
	pg_temp.read_as(key, 'mood') AS mood, pg_temp.read_as(key, 'pair') AS pair
FROM members WHERE key LIKE 'lit\_%';
SELECT key, value AS json, pg_temp.read_as(key, 'int[]') AS "int[]",
	pg_temp.read_as(key, 'text[]') AS "text[]",
	pg_temp.read_as(key, 'int4range') AS int4range,
	pg_temp.read_as(key, 'int4multirange') AS int4multirange
FROM members WHERE key LIKE 'lit\_%';
:requests | sort | uniq -c

-- ---- domains: their checks, their NOT NULL, their base type's length ----
:ctl update tasks position=0 dom_1='"abc"' dom_2='"abcde"' dom_3='"abcdef"' dom_4=null dom_5='""' dom_6=1.5 dom_7='"0.5"' dom_8=0
SELECT key, value AS json, pg_temp.read_as(key, 'short') AS short,
	pg_temp.read_as(key, 'shorter') AS shorter,
	pg_temp.read_as(key, 'ratio') AS ratio,
	pg_temp.read_as(key, 'present') AS present
FROM members WHERE key LIKE 'dom\_%';
SELECT pg_temp.read_as('absent', 'present') AS absent;
:requests | sort | uniq -c

DROP TYPE words CASCADE;
DROP EXTENSION nclue_fdw CASCADE;
DROP TYPE mood, pair;
DROP DOMAIN shorter, short, ratio, present, second;
