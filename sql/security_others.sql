-- Other users: their lists, counts and totals are not for others to see
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0');
-- The service takes any key: whose list it was shows in how often it was asked.
:ctl set check=off
CREATE ROLE regress_nclue_alice;
CREATE ROLE regress_nclue_bob;
CREATE USER MAPPING FOR regress_nclue_alice SERVER nclue OPTIONS (access_key 'AK_ALICE', secret_key 'SK');
CREATE USER MAPPING FOR regress_nclue_bob SERVER nclue OPTIONS (access_key 'AK_BOB', secret_key 'SK');
CREATE SCHEMA nclue;
GRANT USAGE, CREATE ON SCHEMA nclue TO regress_nclue_alice, regress_nclue_bob;
SET search_path = nclue, public;
CREATE FOREIGN TABLE tasks (task_id text, task_name text, status text) SERVER nclue;
GRANT SELECT ON tasks TO regress_nclue_alice, regress_nclue_bob;
:ctl objects 12
\pset format unaligned
\pset footer off

-- ---- a list that the session keeps ----

SET nclue_fdw.cache_ttl = '1h';
SET ROLE regress_nclue_alice;
SELECT count(task_name) FROM tasks;
:requests
SELECT count(task_name) FROM tasks;
:requests
-- another user in the same session asks for a list of their own
SET ROLE regress_nclue_bob;
SELECT count(task_name) FROM tasks;
:requests
-- ... and so does who has the same access key, but not the same mapping
RESET ROLE;
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (access_key 'AK_ALICE', secret_key 'SK');
SELECT count(task_name) FROM tasks;
:requests
DROP USER MAPPING FOR CURRENT_USER SERVER nclue;
-- a function of Alice's reads Alice's
SET ROLE regress_nclue_alice;
CREATE FUNCTION of_alice() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = nclue
	AS 'SELECT count(task_name) FROM tasks';
SET ROLE regress_nclue_bob;
SELECT of_alice();
:requests
-- with another key, or PUBLIC's mapping, it is another list
RESET ROLE;
ALTER USER MAPPING FOR regress_nclue_bob SERVER nclue OPTIONS (SET access_key 'AK_NEW');
SET ROLE regress_nclue_bob;
SELECT count(task_name) FROM tasks;
:requests
RESET ROLE;
CREATE USER MAPPING FOR PUBLIC SERVER nclue OPTIONS (access_key 'AK_NEW', secret_key 'SK');
DROP USER MAPPING FOR regress_nclue_bob SERVER nclue;
SET ROLE regress_nclue_bob;
SELECT count(task_name) FROM tasks;
:requests
-- without a mapping there is none
RESET ROLE;
DROP USER MAPPING FOR PUBLIC SERVER nclue;
SET ROLE regress_nclue_bob;
\set VERBOSITY sqlstate
SELECT count(task_name) FROM tasks;
:requests
-- nor without the right to read the table
RESET ROLE;
REVOKE SELECT ON tasks FROM regress_nclue_alice;
SET ROLE regress_nclue_alice;
SELECT count(task_name) FROM tasks;
SELECT of_alice();
EXPLAIN SELECT count(task_name) FROM tasks;
:requests
\set VERBOSITY default
RESET ROLE;
RESET nclue_fdw.cache_ttl;
GRANT SELECT ON tasks TO regress_nclue_alice;
CREATE USER MAPPING FOR regress_nclue_bob SERVER nclue OPTIONS (access_key 'AK_BOB', secret_key 'SK');

-- ---- a list that the transaction keeps ----

BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL ROLE regress_nclue_alice;
SELECT count(task_name) FROM tasks;
SELECT count(*) FROM tasks WHERE task_id = 'nosuch';
SELECT count(task_name) FROM (SELECT * FROM tasks LIMIT 3) t;
:requests
SET LOCAL ROLE regress_nclue_bob;
SELECT count(*) FROM tasks WHERE task_id = 'nosuch';
:requests
SELECT count(task_name) FROM (SELECT * FROM tasks LIMIT 3) t;
:requests
SELECT count(task_name) FROM tasks;
:requests
COMMIT;

-- ---- totals that plans rest on ----

-- Alice's is known, and stays hers; Bob's mapping is a new one
SET ROLE regress_nclue_alice;
EXPLAIN SELECT * FROM tasks;
RESET ROLE;
DROP USER MAPPING FOR regress_nclue_bob SERVER nclue;
CREATE USER MAPPING FOR regress_nclue_bob SERVER nclue OPTIONS (access_key 'AK_BOB', secret_key 'SK');
SET ROLE regress_nclue_bob;
EXPLAIN SELECT * FROM tasks;
-- ... whoever has no mapping knows nothing
RESET ROLE;
EXPLAIN SELECT * FROM tasks;
-- a view's reader plans with the owner's, whose rows they may count
SET ROLE regress_nclue_alice;
CREATE VIEW failed WITH (security_barrier) AS SELECT * FROM tasks WHERE status = 'failed';
GRANT SELECT ON failed TO regress_nclue_bob;
SET ROLE regress_nclue_bob;
EXPLAIN SELECT * FROM failed;
-- ANALYZE is for all who may read the table: the list is that of the table's owner
RESET ROLE;
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (access_key 'AK_ALICE', secret_key 'SK');
ANALYZE tasks;
:requests
SET ROLE regress_nclue_bob;
SELECT attname, most_common_vals IS NOT NULL AS seen FROM pg_stats WHERE tablename = 'tasks' AND attname = 'status';
RESET ROLE;
REVOKE SELECT ON tasks FROM regress_nclue_bob;
SET ROLE regress_nclue_bob;
SELECT count(*) FROM pg_stats WHERE tablename = 'tasks';

-- ---- rows that a view hides ----

-- a function that tells what it is given
CREATE FUNCTION told(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
	'BEGIN RAISE NOTICE ''told %'', $1; RETURN true; END';
SELECT count(*) FROM failed WHERE told(status);
:requests
-- ... by an id that the view hides: one is asked for, and not told
RESET ROLE;
SELECT task_id AS hidden FROM tasks WHERE status <> 'failed' LIMIT 1 \gset
:requests > /dev/null
SET ROLE regress_nclue_bob;
SELECT count(*) FROM failed WHERE told(status) AND task_id = :'hidden';
:requests | sed 's/tasks.*/tasks.../'
-- ... in a range, and in a count
SELECT count(*) FROM (SELECT * FROM failed WHERE told(status) LIMIT 1 OFFSET 0) t;
SELECT count(*) FROM failed;
:requests

-- ---- what is not there to be asked ----

-- no right to the table, none to what was counted or estimated
\set VERBOSITY sqlstate
EXPLAIN SELECT * FROM tasks;
SELECT * FROM tasks;
\set VERBOSITY default
SELECT server, user_name FROM nclue_fdw_stat;

RESET ROLE;
RESET search_path;
SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA nclue CASCADE;
DROP ROLE regress_nclue_alice, regress_nclue_bob;
