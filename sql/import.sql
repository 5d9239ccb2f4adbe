-- IMPORT FOREIGN SCHEMA
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
\pset format unaligned
\pset null ''

-- the whole schema: five tables, each of its resource
CREATE SCHEMA nclue_all;
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO nclue_all;
SELECT relname, srvname, ftoptions, obj_description(c.oid, 'pg_class') AS comment
FROM pg_class c JOIN pg_foreign_table ON ftrelid = c.oid JOIN pg_foreign_server s ON s.oid = ftserver
WHERE relnamespace = 'nclue_all'::regnamespace ORDER BY c.oid;
-- ... their columns: types, the id NOT NULL, a comment on each
SELECT attname AS nclue_tasks, format_type(atttypid, atttypmod) AS type,
       CASE WHEN attnotnull THEN 'NOT NULL' END AS "null", attfdwoptions AS options,
       col_description(attrelid, attnum) AS comment
FROM pg_attribute WHERE attrelid = 'nclue_all.nclue_tasks'::regclass AND attnum > 0 ORDER BY attnum;
SELECT attname AS nclue_features, format_type(atttypid, atttypmod) AS type,
       CASE WHEN attnotnull THEN 'NOT NULL' END AS "null", attfdwoptions AS options,
       col_description(attrelid, attnum) AS comment
FROM pg_attribute WHERE attrelid = 'nclue_all.nclue_features'::regclass AND attnum > 0 ORDER BY attnum;
SELECT attname AS nclue_task_runs, format_type(atttypid, atttypmod) AS type,
       CASE WHEN attnotnull THEN 'NOT NULL' END AS "null", attfdwoptions AS options,
       col_description(attrelid, attnum) AS comment
FROM pg_attribute WHERE attrelid = 'nclue_all.nclue_task_runs'::regclass AND attnum > 0 ORDER BY attnum;
SELECT attname AS nclue_shopping_intents, format_type(atttypid, atttypmod) AS type,
       CASE WHEN attnotnull THEN 'NOT NULL' END AS "null", attfdwoptions AS options,
       col_description(attrelid, attnum) AS comment
FROM pg_attribute WHERE attrelid = 'nclue_all.nclue_shopping_intents'::regclass AND attnum > 0 ORDER BY attnum;
SELECT attname AS nclue_custom_attributes, format_type(atttypid, atttypmod) AS type,
       CASE WHEN attnotnull THEN 'NOT NULL' END AS "null", attfdwoptions AS options,
       col_description(attrelid, attnum) AS comment
FROM pg_attribute WHERE attrelid = 'nclue_all.nclue_custom_attributes'::regclass AND attnum > 0 ORDER BY attnum;

-- LIMIT TO: these alone
CREATE SCHEMA nclue_some;
IMPORT FOREIGN SCHEMA nclue LIMIT TO (nclue_tasks, nclue_task_runs) FROM SERVER nclue INTO nclue_some;
SELECT foreign_table_name FROM information_schema.foreign_tables
WHERE foreign_table_schema = 'nclue_some' ORDER BY 1;
-- ... of what there is: a name that is no table's brings nothing
IMPORT FOREIGN SCHEMA nclue LIMIT TO (tasks, nclue_features) FROM SERVER nclue INTO nclue_some;
SELECT foreign_table_name FROM information_schema.foreign_tables
WHERE foreign_table_schema = 'nclue_some' ORDER BY 1;

-- EXCEPT: the others
CREATE SCHEMA nclue_others;
IMPORT FOREIGN SCHEMA nclue EXCEPT (nclue_tasks, nclue_task_runs) FROM SERVER nclue INTO nclue_others;
SELECT foreign_table_name FROM information_schema.foreign_tables
WHERE foreign_table_schema = 'nclue_others' ORDER BY 1;

-- names of schema and server that need quotes
CREATE SERVER "The ""NCLUE"" service; DROP" FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER "The ""NCLUE"" service; DROP"
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE SCHEMA "엔클루's ""select"".x";
IMPORT FOREIGN SCHEMA nclue FROM SERVER "The ""NCLUE"" service; DROP" INTO "엔클루's ""select"".x";
SELECT foreign_table_schema, foreign_table_name, foreign_server_name FROM information_schema.foreign_tables
WHERE foreign_table_schema ~ 'select' ORDER BY foreign_table_name;
-- ... nothing of this was asked of the service; a select is
:requests
SELECT count(*) FROM "엔클루's ""select"".x".nclue_tasks;
:requests

-- the schema to import into need not be in the search path, nor public be writable
SET search_path = pg_catalog;
CREATE SCHEMA nclue_path;
IMPORT FOREIGN SCHEMA nclue LIMIT TO (nclue_tasks) FROM SERVER nclue INTO nclue_path;
SELECT to_regclass('nclue_path.nclue_tasks') IS NOT NULL AS imported;
RESET search_path;

-- another remote schema
IMPORT FOREIGN SCHEMA public FROM SERVER nclue INTO public;
\echo :LAST_ERROR_SQLSTATE
-- ... the name is as written
IMPORT FOREIGN SCHEMA "NCLUE" FROM SERVER nclue INTO public;
\echo :LAST_ERROR_SQLSTATE
IMPORT FOREIGN SCHEMA nclue_tasks LIMIT TO (nclue_tasks) FROM SERVER nclue INTO public;
\echo :LAST_ERROR_SQLSTATE

-- options: there are none
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public OPTIONS (import_default 'true');
\echo :LAST_ERROR_SQLSTATE
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public OPTIONS (page_size '50');
\echo :LAST_ERROR_SQLSTATE

-- a second time: the error says where
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO nclue_all;
\echo :LAST_ERROR_SQLSTATE
-- ... and nothing is imported by half
DROP FOREIGN TABLE nclue_all.nclue_tasks, nclue_all.nclue_features;
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO nclue_all;
\echo :LAST_ERROR_SQLSTATE
SELECT to_regclass('nclue_all.nclue_tasks') AS tasks, to_regclass('nclue_all.nclue_features') AS features;
-- ... what is missing can be imported
IMPORT FOREIGN SCHEMA nclue EXCEPT (nclue_task_runs, nclue_shopping_intents, nclue_custom_attributes)
  FROM SERVER nclue INTO nclue_all;
-- ... a transaction that is rolled back leaves none
BEGIN;
IMPORT FOREIGN SCHEMA nclue EXCEPT (nclue_tasks) FROM SERVER nclue INTO nclue_path;
ROLLBACK;
SELECT foreign_table_name FROM information_schema.foreign_tables
WHERE foreign_table_schema = 'nclue_path';

-- an event trigger sees each command, once
CREATE SCHEMA nclue_seen;
CREATE TABLE seen (tag text, command_tag text, object_type text, object_identity text);
CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO seen SELECT tg_tag, c.command_tag, c.object_type, c.object_identity
  FROM pg_event_trigger_ddl_commands() c;
END $$;
CREATE EVENT TRIGGER regress_nclue_seen ON ddl_command_end
  WHEN tag IN ('IMPORT FOREIGN SCHEMA', 'CREATE FOREIGN TABLE', 'COMMENT') EXECUTE FUNCTION see();
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO nclue_seen;
DROP EVENT TRIGGER regress_nclue_seen;
SELECT tag, command_tag, object_type, count(*), count(DISTINCT object_identity)
FROM seen GROUP BY 1, 2, 3 ORDER BY 2 DESC, 3;
SELECT object_identity FROM seen WHERE command_tag = 'CREATE FOREIGN TABLE' ORDER BY object_identity COLLATE "C";
-- ... and may refuse it: then there is no table
CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is not wanted', tg_tag;
END $$;
CREATE EVENT TRIGGER regress_nclue_forbidden ON ddl_command_end
  WHEN tag IN ('IMPORT FOREIGN SCHEMA') EXECUTE FUNCTION forbid();
CREATE SCHEMA nclue_forbidden;
\set VERBOSITY terse
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO nclue_forbidden;
\set VERBOSITY default
DROP EVENT TRIGGER regress_nclue_forbidden;
SELECT count(*) FROM information_schema.foreign_tables WHERE foreign_table_schema = 'nclue_forbidden';

-- the tables belong to who imports, who needs USAGE of the server and CREATE in the schema
CREATE ROLE regress_nclue_importer;
CREATE SCHEMA nclue_owned;
SET ROLE regress_nclue_importer;
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO nclue_owned;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER nclue TO regress_nclue_importer;
SET ROLE regress_nclue_importer;
\set VERBOSITY sqlstate
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO nclue_owned;
\set VERBOSITY default
RESET ROLE;
GRANT CREATE, USAGE ON SCHEMA nclue_owned TO regress_nclue_importer;
SET ROLE regress_nclue_importer;
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO nclue_owned;
RESET ROLE;
SELECT relname, relowner::regrole FROM pg_class
WHERE relnamespace = 'nclue_owned'::regnamespace ORDER BY relname;

-- an import inside a function
CREATE SCHEMA nclue_inside;
DO $$ BEGIN
  IMPORT FOREIGN SCHEMA nclue LIMIT TO (nclue_features) FROM SERVER nclue INTO nclue_inside;
END $$;
SELECT to_regclass('nclue_inside.nclue_features');

-- none of this asked the service anything
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP OWNED BY regress_nclue_importer;
DROP ROLE regress_nclue_importer;
DROP SCHEMA nclue_all, nclue_some, nclue_others, "엔클루's ""select"".x", nclue_path, nclue_seen,
  nclue_forbidden, nclue_owned, nclue_inside;
DROP TABLE seen;
DROP FUNCTION see, forbid;
