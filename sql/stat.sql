-- View nclue_fdw_stat: what the requests of each mapping have come to, and who
-- may see it
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '1');
CREATE ROLE regress_nclue_boss;
CREATE USER MAPPING FOR regress_nclue_boss SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE SCHEMA nclue;
CREATE FOREIGN TABLE nclue.tasks (task_id text, task_name text, status text) SERVER nclue;
GRANT USAGE ON SCHEMA nclue TO PUBLIC;
GRANT SELECT ON nclue.tasks TO PUBLIC;
SET search_path = nclue, public;
SET ROLE regress_nclue_boss;
\pset format unaligned
\pset footer off
-- a line ":spent": the counts, and sets them to zero
\set spent 'SELECT requests, retries, throttled, waited, rows, reused FROM nclue_fdw_stat; RESET ROLE; SELECT nclue_fdw_stat_reset() \\g /dev/null \\\\ SET ROLE regress_nclue_boss;'

-- ---- what is counted ----

-- nobody has asked anything
EXPLAIN (COSTS OFF) SELECT * FROM tasks;
SELECT count(*) FROM nclue_fdw_stat;

-- a list: each object once
SELECT count(task_name) FROM tasks;
:spent
-- a range
SELECT count(*) FROM (SELECT * FROM tasks LIMIT 150 OFFSET 20) t;
:spent
-- a count: the page it came with
SELECT count(*) FROM tasks;
:spent
-- a cursor: what it has read
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM tasks;
MOVE 120 FROM c;
:spent
COMMIT;
-- look-ups, one of nothing
SELECT count(*) FROM tasks WHERE task_id IN (SELECT task_id FROM tasks LIMIT 1);
SELECT count(*) FROM tasks WHERE task_id = 'nosuch';
:spent
-- no request
SELECT count(*) FROM tasks WHERE task_id = NULL;
SELECT * FROM tasks LIMIT 0;
:spent

-- a list that another scan has begun: of the same statement
SELECT count(b.task_name) FROM tasks a JOIN tasks b USING (task_id);
:spent
-- ... of the transaction
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(task_name) FROM tasks;
SELECT count(task_name) FROM tasks;
SELECT count(*) FROM (SELECT * FROM tasks LIMIT 5) t;
COMMIT;
:spent
-- ... of the session
SET nclue_fdw.cache_ttl = '1h';
SELECT count(task_name) FROM tasks;
SELECT count(task_name) FROM tasks;
:spent
RESET nclue_fdw.cache_ttl;

-- requests that fail; 429 is throttled, also where it is not tried again
\set VERBOSITY sqlstate
:ctl fault status=401
SELECT * FROM tasks;
:ctl fault status=429 code=400
SELECT * FROM tasks;
:ctl fault html
SELECT * FROM tasks;
:spent
\set VERBOSITY default
-- a further attempt, for which it waited
:ctl fault status=503
SELECT count(*) FROM (SELECT * FROM tasks LIMIT 5) t;
SELECT requests, retries, throttled, waited BETWEEN 1 AND 30 AS waited, rows, reused FROM nclue_fdw_stat;
RESET ROLE;
SELECT nclue_fdw_stat_reset();
SET ROLE regress_nclue_boss;

-- bytes are those of the bodies, decompressed
SELECT count(task_name) FROM tasks;
SELECT bytes AS plain FROM nclue_fdw_stat \gset
:ctl set compress=gzip
SELECT count(task_name) FROM tasks;
SELECT bytes = 2 * :plain AS same, bytes > 100 * rows AS whole FROM nclue_fdw_stat;
:ctl set compress=off
RESET ROLE;
SELECT nclue_fdw_stat_reset();
-- also of one that is of no use
:ctl fault body=123456789
\set VERBOSITY sqlstate
SET ROLE regress_nclue_boss;
SELECT * FROM tasks;
\set VERBOSITY default
SELECT requests, bytes FROM nclue_fdw_stat;

-- ---- who sees it ----

RESET ROLE;
SELECT nclue_fdw_stat_reset();
CREATE ROLE regress_nclue_clerk;
CREATE ROLE regress_nclue_member IN ROLE regress_nclue_boss;
CREATE ROLE regress_nclue_watcher IN ROLE pg_read_all_stats;
CREATE SERVER other FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0');
CREATE USER MAPPING FOR PUBLIC SERVER other
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE others (task_id text) SERVER other;
GRANT SELECT ON others TO PUBLIC;
CREATE USER MAPPING FOR regress_nclue_clerk SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
SET ROLE regress_nclue_boss;
SELECT count(*) FROM tasks WHERE task_id = 'x';
SELECT count(*) FROM others WHERE task_id = 'x';
SET ROLE regress_nclue_clerk;
SELECT count(*) FROM tasks WHERE task_id = 'x';
SELECT count(*) FROM tasks WHERE task_id = 'x';
SELECT count(*) FROM others WHERE task_id = 'x';

\set who 'SELECT server, user_name, requests FROM nclue_fdw_stat ORDER BY 1, 2;'
-- one's own
:who
SELECT server, user_name, requests FROM nclue_fdw_stat();
-- that of PUBLIC, which counts for all who use it, with USAGE on the server
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER other TO regress_nclue_clerk;
SET ROLE regress_nclue_clerk;
:who
-- that of a role one is a member of
SET ROLE regress_nclue_member;
:who
-- all that is counted, with the rights of pg_read_all_stats
SET ROLE regress_nclue_watcher;
:who
RESET ROLE;
:who
-- nothing else, and no right to the functions hands it out
CREATE ROLE regress_nclue_nobody;
SET ROLE regress_nclue_nobody;
:who
SELECT count(*) FROM nclue_fdw_stat();

-- ---- who sets it to zero ----

\set VERBOSITY sqlstate
SELECT nclue_fdw_stat_reset();
SET ROLE regress_nclue_watcher;
SELECT nclue_fdw_stat_reset();
\set VERBOSITY default
RESET ROLE;
GRANT EXECUTE ON FUNCTION nclue_fdw_stat_reset() TO regress_nclue_watcher;
SET ROLE regress_nclue_watcher;
SELECT nclue_fdw_stat_reset();
:who
RESET ROLE;

-- ---- changes ----

-- with another access key it is another row of the function, and the same of the view
SET ROLE regress_nclue_boss;
SELECT count(*) FROM tasks WHERE task_id = 'x';
RESET ROLE;
ALTER USER MAPPING FOR regress_nclue_boss SERVER nclue OPTIONS (SET access_key 'AK_NEW');
SET ROLE regress_nclue_boss;
\set VERBOSITY sqlstate
SELECT count(*) FROM tasks WHERE task_id = 'x';
SELECT count(*) FROM tasks WHERE task_id = 'x';
\set VERBOSITY default
SELECT requests FROM nclue_fdw_stat() ORDER BY 1;
:who
RESET ROLE;
ALTER USER MAPPING FOR regress_nclue_boss SERVER nclue OPTIONS (SET access_key 'AK_TEST');
SET ROLE regress_nclue_boss;
SELECT count(*) FROM tasks WHERE task_id = 'x';
:who
RESET ROLE;

-- names are those of now
ALTER SERVER nclue RENAME TO "New Clue";
:who
ALTER SERVER "New Clue" RENAME TO nclue;

-- what is dropped is gone, and a new mapping begins anew
DROP USER MAPPING FOR regress_nclue_boss SERVER nclue;
:who
CREATE USER MAPPING FOR regress_nclue_boss SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
:who
SET ROLE regress_nclue_boss;
SELECT count(*) FROM tasks WHERE task_id = 'x';
RESET ROLE;
:who
SET client_min_messages = warning;
DROP SERVER nclue CASCADE;
:who
-- what was rolled back is gone, too
BEGIN;
CREATE USER MAPPING FOR CURRENT_USER SERVER other
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
SELECT count(*) FROM others WHERE task_id = 'x';
SELECT server, user_name = CURRENT_USER AS mine, requests FROM nclue_fdw_stat WHERE requests > 0;
ROLLBACK;
:who

RESET search_path;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA nclue CASCADE;
DROP ROLE regress_nclue_boss, regress_nclue_clerk, regress_nclue_member,
	regress_nclue_watcher, regress_nclue_nobody;
