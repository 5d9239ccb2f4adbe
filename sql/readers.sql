-- One list, many readers: whatever reads a list within one statement shares one
-- walk, and a page is asked for when the first of them needs it.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (task_id text, task_name text, status text)
	SERVER nclue;
CREATE FOREIGN TABLE names (task_name text, task_id text) SERVER nclue;
CREATE FOREIGN TABLE features (feature_id text, feature_name text)
	SERVER nclue OPTIONS (resource 'features');
CREATE TEMP TABLE truth (n serial, id text);
\copy truth (id) from program 'test/standin/ctl ids tasks'
\pset tuples_only on
\pset format unaligned

-- ---- several scans in one plan ----

-- a self join
SELECT count(a.task_name), count(DISTINCT b.task_id)
FROM tasks a JOIN tasks b USING (task_id);
:requests

-- two tables over one list
SELECT count(n.task_name) FROM tasks t JOIN names n USING (task_id);
:requests

-- one after the other
SELECT count(id) FROM (SELECT task_id FROM tasks UNION ALL SELECT task_id FROM names) AS t (id);
:requests

-- two lists are two walks
SELECT count(id) FROM (SELECT task_id FROM tasks UNION ALL SELECT feature_id FROM features) AS t (id);
:requests

-- an empty list is read once, too
:ctl objects 0
SELECT count(task_name) FROM tasks a JOIN names b USING (task_name);
:requests
:ctl objects 250

-- a sub-select that is executed once, before
SELECT count(task_id) FROM tasks
WHERE task_name COLLATE "C" >= (SELECT max(task_name COLLATE "C") FROM tasks);
:requests

-- IN, NOT IN and EXISTS
SELECT count(task_name) FROM tasks WHERE status IN (SELECT status FROM tasks WHERE task_name LIKE '%1%');
:requests
SELECT count(task_name) FROM tasks WHERE task_name NOT IN (SELECT task_name FROM tasks WHERE status = 'failed');
:requests
SELECT count(task_name) FROM tasks a
WHERE NOT EXISTS (SELECT FROM tasks b WHERE b.status = a.status AND b.task_name COLLATE "C" > a.task_name);
:requests

-- a common table expression, used twice
WITH failed AS MATERIALIZED (SELECT * FROM tasks WHERE status = 'failed')
SELECT count(a.task_id) FROM failed a JOIN failed b USING (task_id);
:requests
WITH failed AS NOT MATERIALIZED (SELECT * FROM tasks WHERE status = 'failed')
SELECT count(a.task_id) FROM failed a JOIN failed b USING (task_id);
:requests

-- rows that are locked
SELECT count(task_id) FROM (SELECT task_id FROM tasks FOR UPDATE) AS t;
:requests

-- EXPLAIN ANALYZE is an execution
\o /dev/null
EXPLAIN ANALYZE SELECT * FROM tasks a JOIN tasks b USING (task_id);
\o
:requests

-- ---- reading again ----

-- a correlated sub-select, read again for each row
SELECT sum(n) FROM (
	SELECT (SELECT count(b.task_id) FROM tasks b WHERE b.status = a.status) AS n
	FROM tasks a) AS t;
SELECT sum(n * n) FROM (SELECT count(task_name) AS n FROM tasks GROUP BY status) AS t;
:requests

-- a nested loop without any helper
BEGIN;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_material = off;
SET LOCAL enable_memoize = off;
SELECT count(a.task_id), 250 * 249 / 2 AS wanted
FROM tasks a JOIN tasks b ON a.task_id COLLATE "C" < b.task_id;
:requests

-- ... as an outer join
SELECT count(a.task_id), count(b.task_id) FROM tasks a LEFT JOIN names b ON a.task_id = b.task_name;
:requests
COMMIT;

-- a merge join of equal keys
BEGIN;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_nestloop = off;
SELECT count(a.task_id) FROM tasks a JOIN tasks b USING (status);
:requests
COMMIT;

-- LATERAL
SELECT n, task_id = id AS right
FROM (VALUES (1), (3), (250)) AS v (number),
	LATERAL (SELECT task_id FROM tasks ORDER BY task_id COLLATE "C" LIMIT 1 OFFSET number - 1) AS t,
	LATERAL (SELECT number AS n, id FROM truth ORDER BY id COLLATE "C" LIMIT 1 OFFSET number - 1) AS w
ORDER BY n;
:requests

-- every reader has the rows in the list's order
SELECT bool_and(ids = (SELECT array_agg(id ORDER BY n) FROM truth))
FROM generate_series(1, 3) AS g,
	LATERAL (SELECT array_agg(task_id) AS ids FROM tasks WHERE g > 0) AS t;
:requests

-- ---- half read ----

-- where a reader stopped, the next goes on
SELECT count(task_id) FROM tasks
WHERE EXISTS (SELECT FROM tasks WHERE status = 'failed');
:requests
SELECT count(id) FROM (
	(SELECT task_id FROM tasks WHERE task_name <> '' LIMIT 110) UNION ALL
	(SELECT task_id FROM tasks WHERE task_name <> '' LIMIT 20) UNION ALL
	(SELECT task_id FROM tasks WHERE task_name <> '' LIMIT 150)) AS t (id);
:requests

-- and nobody asks for what nobody wants
SELECT EXISTS (SELECT FROM tasks WHERE status = 'failed'),
	EXISTS (SELECT FROM names WHERE task_name <> '');
:requests

-- ---- cursors and statements ----

-- a cursor reads a page at a time; another statement has a list of its own
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 5 FROM c;
:requests
SELECT count(task_name) FROM tasks;
:requests
MOVE 95 FROM c;
:requests
FETCH 1 FROM c;
SELECT id FROM truth WHERE n = 101;
:requests
MOVE ALL FROM c;
:requests
FETCH 1 FROM c;
:requests
COMMIT;

-- two cursors, each at its own place
BEGIN;
DECLARE a CURSOR FOR SELECT task_id FROM tasks;
DECLARE b CURSOR FOR SELECT task_id FROM tasks;
MOVE 150 FROM a;
FETCH 1 FROM b;
FETCH 1 FROM a;
SELECT id FROM truth WHERE n IN (1, 151) ORDER BY n;
:requests
CLOSE a;
MOVE ALL FROM b;
:requests
COMMIT;

-- a cursor that scrolls asks nothing twice
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT task_id FROM tasks;
MOVE FORWARD ALL FROM c;
MOVE ABSOLUTE 0 FROM c;
FETCH RELATIVE 120 FROM c;
FETCH LAST FROM c;
SELECT id FROM truth WHERE n IN (120, 250) ORDER BY n;
:requests
COMMIT;

-- a cursor that is held takes the rest at COMMIT, not from the start
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT task_id FROM tasks;
MOVE 3 FROM c;
:requests
COMMIT;
:requests
FETCH 1 FROM c;
SELECT id FROM truth WHERE n = 4;
MOVE ALL FROM c;
CLOSE c;
:requests

-- the statements of a function are statements of their own
:ctl objects 3
CREATE FUNCTION pg_temp.tasks() RETURNS bigint LANGUAGE plpgsql VOLATILE AS
$$BEGIN RETURN (SELECT count(task_name) FROM tasks); END$$;
SELECT pg_temp.tasks() FROM generate_series(1, 2);
:requests
:ctl objects 250

-- a list is read anew by each execution of a prepared statement
PREPARE failed AS SELECT count(task_id) FROM tasks WHERE status = 'failed';
EXECUTE failed;
:ctl delete tasks number=6
EXECUTE failed;
:requests
:ctl objects 250

-- ---- writing what is read ----
CREATE TEMP TABLE kept (id text, name text);
INSERT INTO kept SELECT task_id, task_name FROM tasks;
:requests
WITH moved AS (
	DELETE FROM kept USING tasks WHERE id = task_id RETURNING id)
SELECT count(id), count(task_name) FROM moved JOIN tasks ON id = task_id;
:requests
WITH filled AS (
	INSERT INTO kept SELECT task_id, task_name FROM tasks WHERE status = 'failed' RETURNING id)
SELECT count(task_name), (SELECT count(*) FROM filled) FROM tasks;
:requests
-- also where nobody reads the rows of the first
WITH filled AS (INSERT INTO kept SELECT task_id, task_name FROM tasks)
SELECT EXISTS (SELECT FROM tasks WHERE status = 'failed');
SELECT count(*) FROM kept;
:requests
UPDATE kept SET name = t.status FROM tasks t WHERE t.task_id = id;
:requests
CREATE TEMP TABLE copied AS SELECT * FROM tasks;
:requests
COPY (SELECT task_id FROM tasks WHERE status = 'in_progress' ORDER BY task_id COLLATE "C" LIMIT 2) TO STDOUT;
:requests

-- ---- errors on the way ----

-- caught, and read again
:ctl fault status=500 match=index=99
DO $$
DECLARE
	n int := 0;
	id text;
BEGIN
	BEGIN
		FOR id IN SELECT task_id FROM tasks LOOP
			n := n + 1;
		END LOOP;
	EXCEPTION WHEN OTHERS THEN
		RAISE NOTICE '% after % rows', SQLSTATE, n;
	END;
	SELECT count(task_id) INTO n FROM tasks;
	RAISE NOTICE '% rows', n;
END $$;
:requests

-- an error that is not the list's, half-way
DO $$
DECLARE
	n int := 0;
	id text;
BEGIN
	BEGIN
		FOR id IN SELECT task_id FROM tasks LOOP
			n := n + 1;
			PERFORM 1 / (120 - n);
		END LOOP;
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE 'caught';
	END;
	SELECT count(task_id) INTO n FROM tasks;
	RAISE NOTICE '% rows', n;
END $$;
:requests

-- caught in a function, while the statement around it reads the same list
:ctl objects 3
CREATE FUNCTION pg_temp.tolerant(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM task_name FROM tasks;
	RETURN 'read';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
:ctl fault status=503 code=500 request=+3
SELECT pg_temp.tolerant(task_id) FROM tasks;
:requests
:ctl objects 250

-- a cursor outlives what is rolled back after it was opened
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 50 FROM c;
:requests
SAVEPOINT s;
MOVE 60 FROM c;
:requests
ROLLBACK TO s;
FETCH 1 FROM c;
SELECT id FROM truth WHERE n = 111;
SAVEPOINT t;
SELECT 1 / 0;
ROLLBACK TO t;
MOVE ALL FROM c;
:requests
COMMIT;

-- one that was opened after it does not
BEGIN;
SAVEPOINT s;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 5 FROM c;
ROLLBACK TO s;
SELECT count(*) FROM pg_cursors;
SELECT count(task_name) FROM tasks;
COMMIT;
:requests

-- ---- more than work_mem ----
:ctl objects 1000
TRUNCATE truth RESTART IDENTITY;
\copy truth (id) from program 'test/standin/ctl ids tasks'
SET work_mem = '64kB';
CREATE VIEW temporary_files AS
SELECT name FROM pg_ls_tmpdir() WHERE name LIKE 'pgsql_tmp' || pg_backend_pid() || '.%';

-- pages lie in a file, as long as somebody may read them
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 90 FROM c;
SELECT count(*) FROM temporary_files;
MOVE 800 FROM c;
SELECT count(*) FROM temporary_files;
FETCH 1 FROM c;
SELECT id FROM truth WHERE n = 891;
CLOSE c;
SELECT count(*) FROM temporary_files;
COMMIT;
:requests

-- all rows come, in their order
SELECT count(*), array_agg(task_id) = (SELECT array_agg(id ORDER BY n) FROM truth) FROM tasks;
:requests

-- a self join
SELECT count(a.task_name), count(DISTINCT b.task_id)
FROM tasks a JOIN tasks b USING (task_id);
:requests

-- read again, five times
SELECT bool_and(ids = (SELECT array_agg(id ORDER BY n) FROM truth))
FROM generate_series(1, 5) AS g,
	LATERAL (SELECT array_agg(task_id) AS ids FROM tasks WHERE g > 0) AS t;
:requests

-- two readers at different places: a row and the one 500 behind it
SELECT count(*) FROM
	(SELECT task_id, row_number() OVER () AS n FROM tasks) a
	JOIN (SELECT task_id, row_number() OVER () AS n FROM tasks) b ON b.n = a.n + 500
	JOIN truth x ON x.n = a.n AND x.id = a.task_id
	JOIN truth y ON y.n = b.n AND y.id = b.task_id;
:requests

-- a cursor goes on after a rollback, from the file
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 450 FROM c;
SAVEPOINT s;
MOVE 100 FROM c;
SELECT 1 / 0;
ROLLBACK TO s;
FETCH 1 FROM c;
SELECT id FROM truth WHERE n = 551;
MOVE ALL FROM c;
SELECT count(*) FROM temporary_files;
ROLLBACK;
SELECT count(*) FROM temporary_files;
:requests

-- a held cursor
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT task_id FROM tasks;
MOVE 300 FROM c;
COMMIT;
FETCH 1 FROM c;
SELECT id FROM truth WHERE n = 301;
CLOSE c;
:requests

-- no room in the file: the statement ends, and the next one is whole
SET temp_file_limit = '100kB';
\set VERBOSITY sqlstate
SELECT count(task_name) FROM tasks;
:requests
BEGIN;
SAVEPOINT s;
SELECT count(task_name) FROM tasks;
ROLLBACK TO s;
SELECT count(*) FROM temporary_files;
COMMIT;
:requests
RESET temp_file_limit;
\set VERBOSITY default
SELECT count(task_name) FROM tasks;
:requests

-- an account that could not be made is not there for the next to find, though
-- the cursor that wanted it still is
\set VERBOSITY sqlstate
CREATE SERVER keyless FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0');
CREATE FOREIGN TABLE keyless (task_id text, task_name text) SERVER keyless;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM keyless;
SAVEPOINT s;
FETCH c;
ROLLBACK TO s;
SELECT count(task_name) FROM keyless;
ROLLBACK;
CREATE USER MAPPING FOR CURRENT_USER SERVER keyless OPTIONS (access_key 'AK_TEST');
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM keyless;
SAVEPOINT s;
FETCH c;
ROLLBACK TO s;
SELECT count(task_name) FROM keyless;
ROLLBACK;
ALTER USER MAPPING FOR CURRENT_USER SERVER keyless OPTIONS (ADD secret_key 'SK_TEST');
SELECT count(task_name) FROM keyless;
:requests

-- a request that was given up does not go on beside the next
:ctl fault stall next=1
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM keyless;
SAVEPOINT s;
SET LOCAL statement_timeout = '200ms';
FETCH c;
ROLLBACK TO s;
SELECT count(task_name) FROM keyless;
:ctl connections
COMMIT;
:requests
\set VERBOSITY default

SET client_min_messages = warning;
DROP VIEW temporary_files;
DROP EXTENSION nclue_fdw CASCADE;
