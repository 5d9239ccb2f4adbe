-- Rights: to the functions one by one; what an owner of a server may set; names
-- that lie in the way
CREATE EXTENSION nclue_fdw;
CREATE ROLE regress_nclue_user;
CREATE ROLE regress_nclue_owner;
CREATE ROLE regress_nclue_files IN ROLE pg_read_server_files;
\pset format unaligned
\pset footer off
\set core '\\set VERBOSITY sqlstate'
\set ours '\\set VERBOSITY default'

-- ---- functions ----

SELECT p.oid::regprocedure AS function, has_function_privilege('regress_nclue_user', p.oid, 'EXECUTE') AS public,
	prosecdef AS definer, proleakproof AS leakproof
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND extname = 'nclue_fdw'
ORDER BY p.proname COLLATE "C";
SELECT has_table_privilege('regress_nclue_user', 'nclue_fdw_stat', 'SELECT') AS read,
	has_table_privilege('regress_nclue_user', 'nclue_fdw_stat', 'INSERT, UPDATE, DELETE, TRUNCATE') AS write,
	has_foreign_data_wrapper_privilege('regress_nclue_user', 'nclue_fdw', 'USAGE') AS wrapper;

SET ROLE regress_nclue_user;
-- the handler says nothing, and makes no wrapper of whoever calls it
SELECT nclue_fdw_handler() IS NULL AS nothing;
:core
CREATE FOREIGN DATA WRAPPER mine HANDLER nclue_fdw_handler;
CREATE SERVER mine FOREIGN DATA WRAPPER nclue_fdw;
SELECT nclue_fdw_check('nclue');
SELECT nclue_fdw_stat_reset();
:ours
-- the validator knows no more than it is given, and stands anything
SELECT nclue_fdw_validator('{}', 'pg_foreign_server'::regclass);
SELECT nclue_fdw_validator('{rate_limit=1,page_size=50}', 'pg_foreign_server'::regclass);
SELECT nclue_fdw_validator('{access_key=x}', 0);
SELECT nclue_fdw_validator(NULL, NULL) IS NULL AS strict;
SELECT nclue_fdw_validator('{rate_limit}', 'pg_foreign_server'::regclass);
SELECT nclue_fdw_validator('{""}', 'pg_foreign_server'::regclass);
SELECT nclue_fdw_validator('{=}', 'pg_foreign_server'::regclass);
SELECT nclue_fdw_validator('{{json_key=a=b},{json_key=c}}', 'pg_attribute'::regclass);
SELECT nclue_fdw_validator('[5:5]={json_key=a}', 'pg_attribute'::regclass);
:core
SELECT nclue_fdw_validator('{NULL}', 'pg_foreign_server'::regclass);
SELECT nclue_fdw_validator(ARRAY[repeat('x', 100000) || '=1'], 'pg_user_mapping'::regclass);
:ours
SELECT nclue_fdw_validator(ARRAY['secret_key=' || repeat('x', 1000000)], 'pg_user_mapping'::regclass);
-- ... it reads no file for who may not
SELECT nclue_fdw_validator('{ca_file=/etc/passwd}', 'pg_foreign_server'::regclass);
-- versions are known to all
SELECT nclue_fdw_version() ~ '^nclue_fdw [0-9.]+' AS version;
RESET ROLE;

-- ---- ca_file: through ALTER and a change of owner ----

GRANT USAGE ON FOREIGN DATA WRAPPER nclue_fdw TO regress_nclue_owner, regress_nclue_files;
SET ROLE regress_nclue_files;
CREATE SERVER files FOREIGN DATA WRAPPER nclue_fdw OPTIONS (ca_file '/no/such/file.pem');
RESET ROLE;
ALTER SERVER files OWNER TO regress_nclue_owner;
SET ROLE regress_nclue_owner;
-- it stays, and its new owner can neither change it nor keep it beside another change
ALTER SERVER files OPTIONS (SET ca_file '/etc/passwd');
ALTER SERVER files OPTIONS (ADD endpoint 'https://nclue.example.com');
SELECT srvoptions FROM pg_foreign_server WHERE srvname = 'files';
-- ... only go without
ALTER SERVER files OPTIONS (DROP ca_file, ADD endpoint 'https://nclue.example.com');
ALTER SERVER files OPTIONS (ADD ca_file '/no/such/file.pem');
SELECT srvoptions FROM pg_foreign_server WHERE srvname = 'files';
DROP SERVER files;
-- a role that may read files, and is not to be had by SET ROLE alone
RESET ROLE;
CREATE ROLE regress_nclue_noinherit NOINHERIT IN ROLE pg_read_server_files;
GRANT USAGE ON FOREIGN DATA WRAPPER nclue_fdw TO regress_nclue_noinherit;
SET ROLE regress_nclue_noinherit;
CREATE SERVER files FOREIGN DATA WRAPPER nclue_fdw OPTIONS (ca_file '/no/such/file.pem');
RESET ROLE;

-- ---- keys: whose mappings an owner makes and sees ----

CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint :'endpoint', rate_limit '0');
ALTER SERVER nclue OWNER TO regress_nclue_owner;
CREATE USER MAPPING FOR regress_nclue_user SERVER nclue OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE USER MAPPING FOR PUBLIC SERVER nclue OPTIONS (access_key 'AK_PUBLIC', secret_key 'SK_PUBLIC');
SET ROLE regress_nclue_owner;
-- what PostgreSQL shows the owner of a server: the keys of PUBLIC's mapping
SELECT usename, umoptions FROM pg_user_mappings WHERE srvname = 'nclue' ORDER BY usename COLLATE "C";
RESET ROLE;
-- ... and a user with USAGE: their own
GRANT USAGE ON FOREIGN SERVER nclue TO regress_nclue_user;
SET ROLE regress_nclue_user;
SELECT usename, umoptions FROM pg_user_mappings WHERE srvname = 'nclue' ORDER BY usename COLLATE "C";
-- whoever may use a server may check it with their own mapping, if they may call the function
:core
SELECT * FROM nclue_fdw_check('nclue');
RESET ROLE;
GRANT EXECUTE ON FUNCTION nclue_fdw_check(text) TO regress_nclue_user;
REVOKE USAGE ON FOREIGN SERVER nclue FROM regress_nclue_user;
SET ROLE regress_nclue_user;
SELECT * FROM nclue_fdw_check('nclue');
:ours
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER nclue TO regress_nclue_user;
SET ROLE regress_nclue_user;
SELECT step, ok, detail FROM nclue_fdw_check('nclue') WHERE step = 'mapping';
RESET ROLE;
:requests | sed 's/index.*/index/' | uniq

-- ---- names that lie in the way ----

-- what would be called instead of PostgreSQL's own tells so
CREATE SCHEMA evil;
CREATE FUNCTION evil.trap() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE WARNING ''trapped''; RETURN true; END';
CREATE FUNCTION evil.trapped(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT evil.trap()::int::bigint';
CREATE FUNCTION evil.trapped(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap()';
CREATE AGGREGATE evil.sum(bigint) (SFUNC = evil.trapped, STYPE = bigint);
CREATE AGGREGATE evil.bool_and(boolean) (SFUNC = booland_statefunc, STYPE = boolean);
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.trapped);
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.trap());
CREATE DOMAIN evil.bigint AS pg_catalog.int8 CHECK (evil.trap());
SET search_path = evil, pg_catalog, public;
-- tables that are imported have PostgreSQL's types
IMPORT FOREIGN SCHEMA nclue LIMIT TO (nclue_tasks) FROM SERVER nclue INTO public;
SELECT DISTINCT typnamespace::regnamespace FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
WHERE attrelid = 'nclue_tasks'::regclass AND attnum > 0;
-- the view and queries, too
SET ROLE regress_nclue_user;
SELECT user_name, requests > 0 AS counted FROM public.nclue_fdw_stat;
RESET ROLE;
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
SELECT count(*) FROM nclue_tasks WHERE task_id OPERATOR(pg_catalog.=) 'nosuch';
SELECT count(*) FROM nclue_tasks;
RESET search_path;
SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
-- an extension that is made in a schema with traps does not step into them
SET search_path = evil;
CREATE EXTENSION nclue_fdw SCHEMA evil;
RESET search_path;
SELECT count(*) FROM evil.nclue_fdw_stat;
SELECT pg_get_viewdef('evil.nclue_fdw_stat') ~ 'evil\.(sum|bool_and)' AS trapped;
DROP EXTENSION nclue_fdw;
-- ... and takes nobody's function for its own
CREATE FUNCTION evil.nclue_fdw_stat_reset() RETURNS void LANGUAGE sql AS '';
:core
CREATE EXTENSION nclue_fdw SCHEMA evil;
:ours

DROP SCHEMA evil CASCADE;
DROP OWNED BY regress_nclue_user, regress_nclue_owner, regress_nclue_files, regress_nclue_noinherit;
DROP ROLE regress_nclue_user, regress_nclue_owner, regress_nclue_files, regress_nclue_noinherit;
