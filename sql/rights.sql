-- Rights: whose mapping a select reads with
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE SCHEMA nclue;
IMPORT FOREIGN SCHEMA nclue LIMIT TO (nclue_tasks) FROM SERVER nclue INTO nclue;
SET search_path = nclue;
:ctl objects 3

-- Alice has a key that the service knows, Bob one that it does not, Carol none.
-- So a request that succeeds was made with Alice's, one that fails with Bob's.
CREATE ROLE regress_nclue_alice;
CREATE ROLE regress_nclue_bob;
CREATE ROLE regress_nclue_carol;
CREATE USER MAPPING FOR regress_nclue_alice SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE USER MAPPING FOR regress_nclue_bob SERVER nclue
  OPTIONS (access_key 'AK_BOB', secret_key 'SK_BOB');
GRANT USAGE, CREATE ON SCHEMA nclue TO regress_nclue_alice, regress_nclue_bob, regress_nclue_carol;

-- errors of the service in one line; those of PostgreSQL, which differ between its releases, by SQLSTATE
\set service '\\set VERBOSITY terse'
\set core '\\set VERBOSITY sqlstate'

-- A mapping is not enough: SELECT on the table is needed
SET ROLE regress_nclue_alice;
:service
SELECT count(*) FROM nclue_tasks;
\echo :LAST_ERROR_SQLSTATE
:requests
-- ... and is enough: no USAGE of the server
RESET ROLE;
GRANT SELECT ON nclue_tasks TO regress_nclue_alice, regress_nclue_bob, regress_nclue_carol;
SET ROLE regress_nclue_alice;
SELECT has_server_privilege('nclue', 'USAGE') AS usage;
SELECT count(*) FROM nclue_tasks;
:requests

-- Everyone reads with a key of their own
SET ROLE regress_nclue_bob;
SELECT count(*) FROM nclue_tasks;
\echo :LAST_ERROR_SQLSTATE
:requests
-- ... or not at all
SET ROLE regress_nclue_carol;
:core
SELECT count(*) FROM nclue_tasks;
:requests
-- ... a plan needs none
EXPLAIN (COSTS OFF) SELECT count(*) FROM nclue_tasks;
:requests
-- ... superusers are no exception
RESET ROLE;
SELECT count(*) FROM nclue_tasks;
:requests

-- A view reads with its owner's mapping
SET ROLE regress_nclue_alice;
CREATE VIEW of_alice AS SELECT task_id, status FROM nclue_tasks;
GRANT SELECT ON of_alice TO regress_nclue_bob, regress_nclue_carol;
SET ROLE regress_nclue_bob;
CREATE VIEW of_bob AS SELECT task_id, status FROM nclue_tasks;
GRANT SELECT ON of_bob TO regress_nclue_alice, regress_nclue_carol;
SET ROLE regress_nclue_carol;
SELECT count(*) FROM of_alice;
:requests
:service
SELECT count(*) FROM of_bob;
\echo :LAST_ERROR_SQLSTATE
:requests
-- ... whatever the reader's own is
SET ROLE regress_nclue_bob;
SELECT count(*) FROM of_alice;
SET ROLE regress_nclue_alice;
SELECT count(*) FROM of_bob;
\echo :LAST_ERROR_SQLSTATE
:requests
-- ... unless it says that it is the invoker's
ALTER VIEW of_alice SET (security_invoker = true);
SET ROLE regress_nclue_bob;
SELECT count(*) FROM of_alice;
\echo :LAST_ERROR_SQLSTATE
:requests
SET ROLE regress_nclue_carol;
:core
SELECT count(*) FROM of_alice;
:requests
SET ROLE regress_nclue_alice;
SELECT count(*) FROM of_alice;
:requests
ALTER VIEW of_alice RESET (security_invoker);
-- ... a view over a view: the owner of the inner one
SET ROLE regress_nclue_bob;
CREATE VIEW of_both AS SELECT * FROM of_alice;
GRANT SELECT ON of_both TO regress_nclue_carol;
SET ROLE regress_nclue_carol;
SELECT count(*) FROM of_both;
:requests
-- ... an owner that has lost SELECT reads nothing
RESET ROLE;
REVOKE SELECT ON nclue_tasks FROM regress_nclue_alice;
SET ROLE regress_nclue_carol;
:service
SELECT count(*) FROM of_alice;
\echo :LAST_ERROR_SQLSTATE
:requests
RESET ROLE;
GRANT SELECT ON nclue_tasks TO regress_nclue_alice;
-- ... an owner that has no mapping, neither
SET ROLE regress_nclue_carol;
CREATE VIEW of_carol AS SELECT task_id, status FROM nclue_tasks;
GRANT SELECT ON of_carol TO regress_nclue_alice;
SET ROLE regress_nclue_alice;
:core
SELECT count(*) FROM of_carol;
:requests
-- ... it is the view's owner of now
RESET ROLE;
ALTER VIEW of_carol OWNER TO regress_nclue_alice;
GRANT SELECT ON of_carol TO regress_nclue_bob;
SET ROLE regress_nclue_bob;
SELECT count(*) FROM of_carol;
:requests

-- A function of SECURITY DEFINER reads with its owner's mapping
SET ROLE regress_nclue_alice;
CREATE FUNCTION definer() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = nclue AS
  'BEGIN RETURN (SELECT count(*) FROM nclue_tasks); END';
CREATE FUNCTION invoker() RETURNS bigint LANGUAGE plpgsql AS
  'BEGIN RETURN (SELECT count(*) FROM nclue_tasks); END';
SET ROLE regress_nclue_carol;
SELECT definer();
:requests
-- ... another with the caller's
SELECT invoker();
:requests
SET ROLE regress_nclue_bob;
:service
SELECT invoker();
\echo :LAST_ERROR_SQLSTATE
:requests
SET ROLE regress_nclue_alice;
SELECT invoker();
:requests

-- A statement prepared by one and executed by another: with the other's mapping
PREPARE tasks AS SELECT count(*) FROM nclue_tasks;
EXECUTE tasks;
:requests
SET ROLE regress_nclue_bob;
EXECUTE tasks;
\echo :LAST_ERROR_SQLSTATE
:requests
SET ROLE regress_nclue_carol;
:core
EXECUTE tasks;
:requests
SET ROLE regress_nclue_alice;
EXECUTE tasks;
:requests
-- ... with a generic plan
SET plan_cache_mode = force_generic_plan;
EXECUTE tasks;
SET ROLE regress_nclue_bob;
:service
EXECUTE tasks;
\echo :LAST_ERROR_SQLSTATE
:requests
RESET plan_cache_mode;
DEALLOCATE tasks;

-- A cursor reads with the mapping of who opened it
SET ROLE regress_nclue_alice;
BEGIN;
DECLARE c CURSOR FOR SELECT status FROM nclue_tasks;
SET ROLE regress_nclue_bob;
FETCH 1 FROM c;
COMMIT;
:requests

-- Two mappings in one statement are two lists, each with its key
SET ROLE regress_nclue_bob;
SELECT count(*) FROM of_alice JOIN nclue_tasks USING (task_id);
\echo :LAST_ERROR_SQLSTATE
:requests > /dev/null
:ctl set check=off
SET enable_nestloop = off;
SELECT count(*) FROM of_alice JOIN nclue_tasks USING (task_id);
RESET enable_nestloop;
:requests
-- ... one mapping is one list, through whatever it is read
SELECT count(*) FROM of_bob JOIN nclue_tasks USING (task_id);
:requests
SELECT count(*) FROM of_alice JOIN of_bob USING (task_id) JOIN of_carol USING (task_id);
:requests
:ctl set check=on

-- PUBLIC's mapping is for who has none
RESET ROLE;
CREATE USER MAPPING FOR PUBLIC SERVER nclue OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
SET ROLE regress_nclue_carol;
SELECT count(*) FROM nclue_tasks;
:requests
-- ... not for who has one, good or not
SET ROLE regress_nclue_bob;
SELECT count(*) FROM nclue_tasks;
\echo :LAST_ERROR_SQLSTATE
:requests
-- ... until it is dropped
RESET ROLE;
DROP USER MAPPING FOR regress_nclue_bob SERVER nclue;
SET ROLE regress_nclue_bob;
SELECT count(*) FROM nclue_tasks;
:requests
-- ... a new one of one's own goes before it
RESET ROLE;
CREATE USER MAPPING FOR regress_nclue_bob SERVER nclue OPTIONS (access_key 'AK_TEST', secret_key 'SK_WRONG');
SET ROLE regress_nclue_bob;
SELECT count(*) FROM nclue_tasks;
\echo :LAST_ERROR_SQLSTATE
:requests
-- ... a changed key is used at once
RESET ROLE;
ALTER USER MAPPING FOR regress_nclue_bob SERVER nclue OPTIONS (SET secret_key 'SK_TEST');
SET ROLE regress_nclue_bob;
SELECT count(*) FROM nclue_tasks;
:requests
RESET ROLE;
DROP USER MAPPING FOR PUBLIC SERVER nclue;

-- Rights on columns are PostgreSQL's
REVOKE SELECT ON nclue_tasks FROM regress_nclue_bob;
GRANT SELECT (task_id, status) ON nclue_tasks TO regress_nclue_bob;
SET ROLE regress_nclue_bob;
SELECT count(status) FROM nclue_tasks;
:requests
SELECT count(task_name) FROM nclue_tasks;
\echo :LAST_ERROR_SQLSTATE
:requests

-- Who may read the tables need not see the keys
SELECT srvname, usename, umoptions FROM pg_user_mappings WHERE srvname = 'nclue' ORDER BY usename COLLATE "C";
SELECT option_name, option_value FROM information_schema.user_mapping_options
WHERE foreign_server_name = 'nclue' AND option_value IS NOT NULL;

\set VERBOSITY default
RESET ROLE;
RESET search_path;
SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP OWNED BY regress_nclue_alice, regress_nclue_bob, regress_nclue_carol;
DROP ROLE regress_nclue_alice, regress_nclue_bob, regress_nclue_carol;
DROP SCHEMA nclue;
