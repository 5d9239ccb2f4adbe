-- nclue_fdw.max_requests: how many requests one statement may make
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (task_id text, task_name text, status text) SERVER nclue;
CREATE FOREIGN TABLE features (feature_id text, feature_name text) SERVER nclue
	OPTIONS (resource 'features');
\set ECHO none
\i test/sql/failure.psql
\set ECHO all
\pset tuples_only on
\pset format unaligned
:ctl objects 500

-- ---- any number, if not told otherwise ----

SHOW nclue_fdw.max_requests;
SELECT count(task_name) FROM tasks;
:requests

-- no number below that
\set VERBOSITY sqlstate
SET nclue_fdw.max_requests = -1;
\set VERBOSITY default

-- ---- a whole list ----

-- exactly enough
SET nclue_fdw.max_requests = 6;
SELECT count(task_name) FROM tasks;
:requests

-- one too few: it stops as soon as total tells, and says what to do
SET nclue_fdw.max_requests = 5;
SELECT count(task_name) FROM tasks;
\echo :LAST_ERROR_SQLSTATE
:requests

-- the length it had before is no reason to refuse it
:ctl objects 120
SELECT count(task_name) FROM tasks;
:requests
:ctl objects 500

-- where total is of no use it stops at the last request it may make
:ctl set total=page
SELECT count(task_name) FROM tasks;
:requests
:ctl set total=grand

-- no row is shown
SELECT task_name IS NOT NULL FROM tasks;
:requests

-- ---- count(*) ----

SET nclue_fdw.max_requests = 1;
SELECT count(*) FROM tasks;
:requests

-- ---- ranges: known before anything is asked ----

SET nclue_fdw.max_requests = 3;
SELECT count(*) FROM (SELECT * FROM tasks LIMIT 300) t;
:requests
PREPARE range(int, int) AS SELECT count(*) FROM (SELECT * FROM tasks LIMIT $1 OFFSET $2) t;
EXECUTE range(300, 20);
:requests
SET nclue_fdw.max_requests = 4;
SELECT count(*) FROM (SELECT * FROM tasks LIMIT 300) t;
:requests
EXECUTE range(300, 20);
:requests

-- one page
SET nclue_fdw.max_requests = 1;
EXECUTE range(100, 20);
:requests

-- no more than there is
SET nclue_fdw.max_requests = 1;
EXECUTE range(1000, 450);
:requests

-- ---- look-ups: known before anything is asked ----

SELECT array_agg(task_id) AS ids FROM (SELECT task_id FROM tasks LIMIT 7) t \gset
:requests
SET nclue_fdw.max_requests = 3;
SELECT count(task_name) FROM tasks WHERE task_id = ANY ((:'ids'::text[])[1:4]);
:requests
SELECT count(task_name) FROM tasks WHERE task_id = ANY ((:'ids'::text[])[1:3]);
:requests
-- twice the same is one
SELECT count(task_name) FROM tasks WHERE task_id = ANY ((:'ids'::text[])[1:3] || (:'ids'::text[])[1:3]);
:requests
-- one
SET nclue_fdw.max_requests = 1;
SELECT count(task_name) FROM tasks WHERE task_id = (:'ids'::text[])[1];
:requests
-- so many that the list is read instead
SET nclue_fdw.max_requests = 5;
SELECT count(task_name) FROM tasks WHERE task_id = ANY (:'ids');
:requests
SET nclue_fdw.max_requests = 6;
SELECT count(task_name) FROM tasks WHERE task_id = ANY (:'ids');
:requests

-- of a join, one after the other
CREATE TEMP TABLE wanted AS SELECT unnest((:'ids'::text[])[1:4]) AS task_id;
ANALYZE wanted;
SET nclue_fdw.max_requests = 3;
SELECT count(task_name) FROM wanted JOIN tasks USING (task_id);
:requests
SET nclue_fdw.max_requests = 4;
SELECT count(task_name) FROM wanted JOIN tasks USING (task_id);
:requests

-- ---- until enough is found: not known before ----

SET nclue_fdw.max_requests = 2;
SELECT count(*) FROM (SELECT * FROM tasks WHERE status = 'failed' LIMIT 15) t;
:requests
SELECT count(*) FROM (SELECT * FROM tasks WHERE status = 'failed' LIMIT 25) t;
\echo :LAST_ERROR_SQLSTATE
:requests
SELECT EXISTS (SELECT FROM tasks WHERE status = 'failed');
:requests

-- ANALYZE is a statement
ANALYZE tasks;
\echo :LAST_ERROR_SQLSTATE
:requests

-- a cursor is one statement, however it is read
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 50 FROM c;
MOVE 140 FROM c;
MOVE 50 FROM c;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
:requests

-- ---- several parts of a statement ----

-- a list read twice is asked for once
SET nclue_fdw.max_requests = 6;
SELECT count(b.task_name) FROM tasks a JOIN tasks b USING (task_id);
:requests
SET nclue_fdw.max_requests = 5;
SELECT count(b.task_name) FROM tasks a JOIN tasks b USING (task_id);
:requests

-- two lists have one budget
:ctl objects 150
SET nclue_fdw.max_requests = 4;
SELECT (SELECT count(task_name) FROM tasks), (SELECT count(feature_name) FROM features);
:requests
SET nclue_fdw.max_requests = 3;
SELECT (SELECT count(task_name) FROM tasks), (SELECT count(feature_name) FROM features);
:requests

-- statements in a function have their own
CREATE FUNCTION pg_temp.names(n int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(task_name) FROM tasks);
END $$;
SET nclue_fdw.max_requests = 2;
SELECT pg_temp.names(n) FROM generate_series(1, 3) n;
:requests
:ctl objects 500

-- ---- lists that are kept ----

-- what others have read is free
SET nclue_fdw.max_requests = 6;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM (SELECT * FROM tasks WHERE status = 'failed' LIMIT 15) t;
:requests
SET LOCAL nclue_fdw.max_requests = 3;
SELECT count(task_name) FROM tasks;
:requests
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM (SELECT * FROM tasks WHERE status = 'failed' LIMIT 15) t;
:requests
SET LOCAL nclue_fdw.max_requests = 4;
SELECT count(task_name) FROM tasks;
:requests
SET LOCAL nclue_fdw.max_requests = 1;
SELECT count(task_name) FROM tasks;
:requests
COMMIT;

-- a statement that was stopped has read what it has
SET nclue_fdw.cache_ttl = '1h';
SET nclue_fdw.max_requests = 5;
SELECT count(task_name) FROM tasks;
:requests
SELECT count(task_name) FROM tasks;
:requests
RESET nclue_fdw.cache_ttl;

-- ---- further attempts count ----

-- one that may not be made is not waited for
SET nclue_fdw.max_requests = 1;
:ctl fault status=503 code=500 retry_after=3600
SELECT pg_temp.failure('SELECT task_name FROM tasks WHERE task_id = ''x''', good => 'SELECT 1');
:requests

-- one that is made leaves less for the rest
SET nclue_fdw.max_requests = 6;
:ctl fault status=503 match=index=99
SELECT count(task_name) FROM tasks;
:requests

-- what could not be sent does not
ALTER SERVER nclue OPTIONS (SET endpoint 'http://127.0.0.1:1/api/v1', ADD max_retries '1');
SET nclue_fdw.max_requests = 1;
SELECT pg_temp.failure(good => 'SELECT 1', words => false);

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
