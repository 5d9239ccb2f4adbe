-- Selects: the rows, and what they cost
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- A local copy of what the service holds, not made by the wrapper: its times
-- are Korean ones, and one of its keys is in capitals.
CREATE SCHEMA local;
CREATE FUNCTION local.load(resource text) RETURNS void LANGUAGE plpgsql SET TimeZone = 'Asia/Seoul' AS $$
BEGIN
  EXECUTE format('CREATE TABLE local.%1$I (LIKE public.%1$I)', resource);
  EXECUTE format('INSERT INTO local.%1$I SELECT r.* FROM dump,
      jsonb_populate_record(NULL::local.%1$I,
        line::jsonb || jsonb_build_object(''auroc'', line::jsonb -> ''AUROC'')) r', resource);
  TRUNCATE dump RESTART IDENTITY;
END $$;
CREATE TEMP TABLE dump (position serial, line text);
\copy dump (line) from program 'test/standin/ctl dump tasks' with (format csv, delimiter e'\x01', quote e'\x02')
CREATE TABLE local.task_order AS SELECT position, line::jsonb ->> 'task_id' AS task_id FROM dump;
SELECT local.load('nclue_tasks');
\copy dump (line) from program 'test/standin/ctl dump features' with (format csv, delimiter e'\x01', quote e'\x02')
SELECT local.load('nclue_features');
\copy dump (line) from program 'test/standin/ctl dump task-runs' with (format csv, delimiter e'\x01', quote e'\x02')
SELECT local.load('nclue_task_runs');
\copy dump (line) from program 'test/standin/ctl dump shopping-intents' with (format csv, delimiter e'\x01', quote e'\x02')
SELECT local.load('nclue_shopping_intents');
\copy dump (line) from program 'test/standin/ctl dump custom-attributes' with (format csv, delimiter e'\x01', quote e'\x02')
SELECT local.load('nclue_custom_attributes');
SELECT (SELECT count(*) FROM local.nclue_tasks) AS tasks,
       (SELECT count(*) FROM local.nclue_features) AS features,
       (SELECT count(*) FROM local.nclue_task_runs) AS task_runs,
       (SELECT count(*) FROM local.nclue_shopping_intents) AS shopping_intents,
       (SELECT count(*) FROM local.nclue_custom_attributes) AS custom_attributes;
-- ... it is no copy of nothing: every column has values, and most have none somewhere
SELECT key, count(value) AS "values"
FROM local.nclue_tasks t, jsonb_each_text(to_jsonb(t)) GROUP BY key ORDER BY key COLLATE "C";
:requests

-- Every row of all five lists is right, each once
(TABLE nclue_tasks EXCEPT ALL TABLE local.nclue_tasks) UNION ALL
(TABLE local.nclue_tasks EXCEPT ALL TABLE nclue_tasks);
:requests
(TABLE nclue_features EXCEPT ALL TABLE local.nclue_features) UNION ALL
(TABLE local.nclue_features EXCEPT ALL TABLE nclue_features);
:requests
(TABLE nclue_task_runs EXCEPT ALL TABLE local.nclue_task_runs) UNION ALL
(TABLE local.nclue_task_runs EXCEPT ALL TABLE nclue_task_runs);
:requests
(TABLE nclue_shopping_intents EXCEPT ALL TABLE local.nclue_shopping_intents) UNION ALL
(TABLE local.nclue_shopping_intents EXCEPT ALL TABLE nclue_shopping_intents);
:requests
(TABLE nclue_custom_attributes EXCEPT ALL TABLE local.nclue_custom_attributes) UNION ALL
(TABLE local.nclue_custom_attributes EXCEPT ALL TABLE nclue_custom_attributes);
:requests
-- ... in the list's order, where nobody asks for another
SELECT count(*), count(*) FILTER (WHERE t.position = l.position) AS in_order
FROM (SELECT row_number() OVER () AS position, task_id FROM nclue_tasks) t JOIN local.task_order l USING (task_id);
:requests

-- The main job: failed tasks
SELECT task_name, created_at, fail_message FROM nclue_tasks WHERE status = 'failed' ORDER BY task_name COLLATE "C" LIMIT 5;
:requests
(SELECT * FROM nclue_tasks WHERE status = 'failed' EXCEPT ALL SELECT * FROM local.nclue_tasks WHERE status = 'failed') UNION ALL
(SELECT * FROM local.nclue_tasks WHERE status = 'failed' EXCEPT ALL SELECT * FROM nclue_tasks WHERE status = 'failed');
:requests
-- ... a join with a local table
CREATE TABLE local.states (status text PRIMARY KEY, label text);
INSERT INTO local.states VALUES ('completed', '완료'), ('failed', '실패'), ('pending', '대기'), ('unknown', '모름');
SELECT label, count(task_id) FROM local.states LEFT JOIN nclue_tasks USING (status) GROUP BY label ORDER BY label COLLATE "C";
:requests
-- ... of two lists
SELECT f.status, count(*), count(DISTINCT f.feature_id) AS features
FROM nclue_tasks t JOIN nclue_features f ON f.feature_id = t.train_feature_id
GROUP BY f.status ORDER BY f.status COLLATE "C";
:requests
SELECT f.status, count(*), count(DISTINCT f.feature_id) AS features
FROM local.nclue_tasks t JOIN local.nclue_features f ON f.feature_id = t.train_feature_id
GROUP BY f.status ORDER BY f.status COLLATE "C";
-- ... aggregates
SELECT count(*), count(auroc), min(auroc), max(auroc), round(avg(auroc)::numeric, 6) AS avg,
       sum(line_count), max(disk_usage), min(created_at), max(completed_at - created_at)
FROM nclue_tasks \gx
:requests
SELECT count(*), count(auroc), min(auroc), max(auroc), round(avg(auroc)::numeric, 6) AS avg,
       sum(line_count), max(disk_usage), min(created_at), max(completed_at - created_at)
FROM local.nclue_tasks \gx
-- ... groups
SELECT status, count(*) FROM nclue_tasks GROUP BY status HAVING count(*) > 20 ORDER BY status COLLATE "C";
:requests
-- ... an order
SELECT auroc, task_name FROM nclue_tasks WHERE task_name LIKE 'He said%' ORDER BY auroc, task_name COLLATE "C" LIMIT 3;
:requests
SELECT auroc, task_name FROM local.nclue_tasks WHERE task_name LIKE 'He said%' ORDER BY auroc, task_name COLLATE "C" LIMIT 3;
-- ... conditions of every kind are PostgreSQL's to check
SELECT count(*) FROM nclue_tasks
WHERE auroc > 0.9 AND task_name LIKE '%사료%' OR completed_at IS NULL AND test_bucket IS NOT NULL;
:requests
SELECT count(*) FROM local.nclue_tasks
WHERE auroc > 0.9 AND task_name LIKE '%사료%' OR completed_at IS NULL AND test_bucket IS NOT NULL;

-- What asks nothing
EXPLAIN (COSTS OFF) SELECT task_name FROM nclue_tasks WHERE status = 'failed';
EXPLAIN (VERBOSE, COSTS OFF) SELECT task_name FROM nclue_tasks WHERE status = 'failed';
PREPARE by_status (text) AS SELECT count(*) FROM nclue_tasks WHERE status = $1;
CREATE VIEW failed AS SELECT task_id, task_name, fail_message FROM nclue_tasks WHERE status = 'failed';
SELECT count(*) FROM nclue_tasks WHERE false;
SELECT task_id FROM nclue_tasks LIMIT 0;
SELECT task_name FROM nclue_tasks WHERE task_id = NULL;
SELECT count(*) FROM local.states WHERE status = 'none' AND EXISTS (SELECT FROM nclue_tasks t WHERE t.status = states.status);
BEGIN;
DECLARE unread CURSOR FOR SELECT * FROM nclue_tasks;
CLOSE unread;
COMMIT;
:requests

-- As little as is needed: a page is asked for when a row of it is
SELECT count(*) FROM (SELECT FROM nclue_tasks LIMIT 5) t;
:requests
SELECT EXISTS (SELECT FROM nclue_tasks);
:requests
SELECT EXISTS (SELECT FROM nclue_tasks WHERE status = 'failed');
:requests
SELECT count(*) FROM (SELECT FROM nclue_tasks LIMIT 100) t;
:requests
SELECT count(*) FROM (SELECT FROM nclue_tasks LIMIT 101) t;
:requests
SELECT status FROM nclue_tasks WHERE status = 'failed' LIMIT 1;
:requests

-- Cursor: FETCH asks for the pages that it needs
BEGIN;
DECLARE c CURSOR FOR SELECT status FROM nclue_tasks;
FETCH 1 FROM c;
:requests
MOVE 98 FROM c;
:requests
FETCH 1 FROM c;
:requests
FETCH 1 FROM c;
:requests
MOVE ALL FROM c;
:requests
FETCH 1 FROM c;
COMMIT;
:requests
-- ... backwards: what was read is read
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT created_at, status FROM nclue_tasks;
FETCH 2 FROM c;
:requests
FETCH ABSOLUTE 150 FROM c;
:requests
FETCH RELATIVE -149 FROM c;
FETCH FIRST FROM c;
FETCH LAST FROM c;
:requests
FETCH BACKWARD 2 FROM c;
MOVE BACKWARD ALL FROM c;
FETCH 1 FROM c;
COMMIT;
:requests
-- ... one that was not declared so cannot: PostgreSQL's error
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT status FROM nclue_tasks;
FETCH 2 FROM c;
\set VERBOSITY terse
FETCH PRIOR FROM c;
\set VERBOSITY default
ROLLBACK;
:requests
-- ... WITH HOLD: read to its end at COMMIT
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT status FROM nclue_tasks;
FETCH 1 FROM held;
:requests
COMMIT;
:requests
MOVE FORWARD 248 IN held;
FETCH ALL FROM held;
CLOSE held;
:requests
-- ... two cursors are two statements
BEGIN;
DECLARE a CURSOR FOR SELECT task_id FROM nclue_tasks;
DECLARE b CURSOR FOR SELECT task_id FROM nclue_tasks;
MOVE 120 FROM a;
MOVE 1 FROM b;
:requests
MOVE ALL FROM a;
MOVE ALL FROM b;
COMMIT;
:requests
-- ... one that has failed leaves the session usable
BEGIN;
DECLARE c CURSOR FOR SELECT 1 / (auroc - auroc) FROM nclue_tasks WHERE auroc > 0;
\set VERBOSITY terse
FETCH 1 FROM c;
\set VERBOSITY default
ROLLBACK;
SELECT count(*) FROM nclue_tasks;
:requests

-- Prepared statements
EXECUTE by_status ('failed');
:requests
EXECUTE by_status ('completed');
:requests
-- ... what cannot be true asks nothing
EXECUTE by_status (NULL);
:requests
-- ... with a generic plan
SET plan_cache_mode = force_generic_plan;
EXECUTE by_status ('failed');
:requests
EXECUTE by_status ('no such');
:requests
EXPLAIN (COSTS OFF) EXECUTE by_status ('failed');
RESET plan_cache_mode;
DEALLOCATE by_status;
-- ... after the table has changed
CREATE FOREIGN TABLE changing (status text, task_name text) SERVER nclue;
PREPARE changing AS SELECT count(task_name) FROM changing WHERE status = 'failed';
EXECUTE changing;
:requests
ALTER FOREIGN TABLE changing OPTIONS (ADD page_size '90');
EXECUTE changing;
:requests
ALTER FOREIGN TABLE changing OPTIONS (ADD resource 'features');
\set VERBOSITY terse
EXECUTE changing;
\set VERBOSITY default
:requests
ALTER FOREIGN TABLE changing ALTER task_name OPTIONS (ADD json_key 'feature_name');
EXECUTE changing;
:requests
DROP FOREIGN TABLE changing;

-- View
SELECT count(*), count(fail_message) FROM failed;
:requests
CREATE MATERIALIZED VIEW kept AS SELECT status, count(*) FROM nclue_tasks GROUP BY status;
:requests
SELECT * FROM kept ORDER BY status COLLATE "C";
:requests
REFRESH MATERIALIZED VIEW kept;
:requests

-- Several readers in one statement: one list
WITH t AS (SELECT * FROM nclue_tasks)
SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM t WHERE status = 'failed') AS failed;
:requests
WITH t AS NOT MATERIALIZED (SELECT * FROM nclue_tasks)
SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM t WHERE status = 'failed') AS failed;
:requests
SELECT count(*) FROM nclue_tasks WHERE created_at = (SELECT max(created_at) FROM nclue_tasks);
:requests
SELECT count(*) FROM nclue_tasks a JOIN nclue_tasks b ON a.task_id = b.task_id;
:requests
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT count(*) FROM nclue_tasks a JOIN nclue_tasks b ON a.task_id = b.task_id;
:requests
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
SELECT count(*) FROM (TABLE nclue_tasks UNION ALL TABLE nclue_tasks) t;
:requests
SELECT status, (SELECT count(*) FROM nclue_tasks t WHERE t.status = s.status)
FROM local.states s ORDER BY status COLLATE "C";
:requests
SELECT s.status, t.n, t.latest
FROM local.states s, LATERAL (SELECT count(*) AS n, max(created_at) AS latest FROM nclue_tasks t WHERE t.status = s.status) t
ORDER BY s.status COLLATE "C";
:requests
SELECT s.status, t.created_at
FROM local.states s LEFT JOIN LATERAL (SELECT created_at FROM nclue_tasks t WHERE t.status = s.status LIMIT 1) t ON true
ORDER BY s.status COLLATE "C";
:requests
-- ... through two tables as well
CREATE FOREIGN TABLE other (id text OPTIONS (json_key 'task_id'), auroc numeric) SERVER nclue;
SELECT count(*), count(o.auroc) FROM nclue_tasks t JOIN other o ON o.id = t.task_id;
:requests
-- ... two lists are two
SELECT (SELECT count(*) FROM nclue_tasks) AS tasks, (SELECT count(*) FROM nclue_features) AS features;
:requests
-- ... two statements as well
SELECT count(*) FROM nclue_tasks\; SELECT count(*) FROM nclue_tasks;
:requests

-- ... and the next sees what has changed meanwhile
BEGIN;
SELECT count(*), count(*) FILTER (WHERE status = 'failed') AS failed FROM nclue_tasks;
:ctl insert tasks id=new status=failed
:ctl delete tasks position=-1
SELECT count(*), count(*) FILTER (WHERE status = 'failed') AS failed FROM nclue_tasks;
COMMIT;
:ctl objects 250 tasks
:requests

-- Into a table, out to a file
CREATE TABLE local.made AS SELECT * FROM nclue_tasks;
INSERT INTO local.made SELECT * FROM nclue_tasks;
SELECT count(*), count(DISTINCT task_id) FROM local.made;
:requests
UPDATE local.made SET status = 'lost' FROM nclue_tasks t WHERE made.task_id = t.task_id AND t.status = 'failed';
DELETE FROM local.made USING nclue_tasks t WHERE made.task_id = t.task_id AND t.status = 'completed';
SELECT status, count(*) FROM local.made GROUP BY status ORDER BY status COLLATE "C";
:requests
MERGE INTO local.states s USING (SELECT DISTINCT status FROM nclue_tasks) t ON t.status = s.status
  WHEN NOT MATCHED THEN INSERT VALUES (t.status, '-');
SELECT count(*) FROM local.states;
:requests
COPY (SELECT task_name, status, auroc FROM nclue_tasks LIMIT 3) TO STDOUT;
:requests
-- ... a foreign table itself is copied by a query alone
\set VERBOSITY terse
COPY nclue_tasks TO STDOUT;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- Functions
CREATE FUNCTION local.first_failed(OUT rows int, OUT failed text) LANGUAGE plpgsql AS $$
DECLARE
  task record;
BEGIN
  rows := 0;
  FOR task IN SELECT * FROM nclue_tasks LOOP
    rows := rows + 1;
    failed := task.fail_message;
    EXIT WHEN task.status = 'failed';
  END LOOP;
END $$;
SELECT * FROM local.first_failed();
:requests
CREATE FUNCTION local.all_tasks() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  task nclue_tasks;
  n bigint := 0;
BEGIN
  FOR task IN SELECT * FROM nclue_tasks LOOP
    n := n + 1;
  END LOOP;
  RETURN n;
END $$;
SELECT local.all_tasks();
:requests
-- ... what a function runs are statements of their own
SELECT local.all_tasks() FROM generate_series(1, 2);
:requests
-- ... of SQL, taken into the query
CREATE FUNCTION local.with_status(text) RETURNS SETOF nclue_tasks LANGUAGE sql STABLE AS
  'SELECT * FROM nclue_tasks WHERE status = $1';
SELECT count(*) FROM local.with_status('failed');
:requests

-- System columns and whole rows
SELECT DISTINCT tableoid::regclass FROM nclue_tasks;
:requests
-- ... a ctid tells nothing
SELECT DISTINCT ctid FROM nclue_tasks;
:requests
SELECT count(t), count(t.*), count(DISTINCT t) FROM nclue_tasks t;
:requests
SELECT count(*) FROM nclue_tasks t JOIN local.nclue_tasks l ON t.task_id = l.task_id AND to_jsonb(t) = to_jsonb(l);
:requests
SELECT (t).status, (t).task_id = t.task_id AS same FROM (SELECT t, task_id FROM nclue_tasks t LIMIT 1) t;
:requests
SELECT count(*) FROM nclue_tasks t WHERE t IS NOT DISTINCT FROM NULL;
:requests
-- ... no column at all
SELECT FROM nclue_tasks LIMIT 2;
:requests

-- Inheritance
CREATE TABLE local.history (LIKE nclue_tasks);
INSERT INTO local.history SELECT * FROM local.nclue_tasks WHERE status = 'failed';
ALTER FOREIGN TABLE nclue_tasks INHERIT local.history;
SELECT tableoid::regclass, count(*) FROM local.history GROUP BY 1 ORDER BY 2;
:requests
ALTER FOREIGN TABLE nclue_tasks NO INHERIT local.history;

-- FOR UPDATE: there is nothing to lock
SELECT count(*) FROM (SELECT task_id FROM nclue_tasks WHERE status = 'failed' FOR UPDATE) t;
:requests
SELECT count(*) FROM (SELECT label FROM local.states s JOIN nclue_tasks t USING (status) WHERE status = 'failed' FOR UPDATE) t;
:requests

-- Read only
\set VERBOSITY terse
INSERT INTO nclue_tasks (task_id) VALUES ('x');
\echo :LAST_ERROR_SQLSTATE
UPDATE nclue_tasks SET status = 'completed';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM nclue_tasks;
\echo :LAST_ERROR_SQLSTATE
TRUNCATE nclue_tasks;
\echo :LAST_ERROR_SQLSTATE
MERGE INTO nclue_tasks t USING local.states s ON s.status = t.status WHEN MATCHED THEN DELETE;
\echo :LAST_ERROR_SQLSTATE
COPY nclue_tasks (task_id) FROM '/dev/null';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
-- ... and says so
SELECT table_name, is_insertable_into FROM information_schema.tables WHERE table_name = 'nclue_tasks' AND table_schema = 'public';
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA local CASCADE;
DROP TABLE dump;
