-- How long a list that was read is used: a statement, a transaction with one
-- snapshot, nclue_fdw.cache_ttl
\set ECHO none
\i test/sql/cost.psql
\set ECHO all
\pset format unaligned
\pset footer off
\pset tuples_only on
-- Objects named "new" appear at the head of the list
SELECT pg_temp.objects(250);
SET search_path = remote, public;
PREPARE look AS SELECT count(task_name), count(*) FILTER (WHERE task_name = 'new') AS new FROM tasks;

-- READ COMMITTED: each statement has its own, in a transaction as well
EXECUTE look;
SELECT pg_temp.requests();
BEGIN;
EXECUTE look;
SELECT pg_temp.ctl('insert', 'tasks', 'task_name=new', 'id=n1'), pg_temp.requests();
EXECUTE look;
SELECT pg_temp.requests();
COMMIT;
-- ... also where one message has two
SELECT count(task_name) FROM tasks\; SELECT count(task_name) FROM tasks;
SELECT pg_temp.requests();
-- ... and in a function
CREATE FUNCTION pg_temp.twice() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT count(task_name) FROM tasks) - (SELECT count(task_name) FROM tasks)
    + (SELECT count(status) FROM tasks);
END $$;
SELECT pg_temp.twice();
SELECT pg_temp.requests();
CREATE FUNCTION pg_temp.thrice() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE a bigint; b bigint;
BEGIN
  SELECT count(task_name) INTO a FROM tasks;
  SELECT count(task_name) INTO b FROM tasks;
  RETURN b - a;
END $$;
SELECT pg_temp.thrice();
SELECT pg_temp.requests();

-- REPEATABLE READ: one list, fixed by its first use
BEGIN ISOLATION LEVEL REPEATABLE READ;
EXECUTE look;
SELECT pg_temp.requests();
SELECT pg_temp.ctl('insert', 'tasks', 'task_name=new', 'id=n2'), pg_temp.ctl('delete', 'tasks', 'position=-1');
EXECUTE look;
SELECT pg_temp.thrice();
-- ... ranges, counts and look-ups are answered from it
SELECT task_name FROM tasks LIMIT 2;
SELECT count(*) FROM (SELECT FROM tasks OFFSET 249) t;
SELECT count(*) FROM tasks;
SELECT task_name FROM tasks WHERE task_id = 'n1';
SELECT task_name FROM tasks WHERE task_id = 'n2';
SELECT pg_temp.requests();
COMMIT;
-- ... and the next transaction reads anew
EXECUTE look;
SELECT pg_temp.requests();
-- SERIALIZABLE likewise
BEGIN ISOLATION LEVEL SERIALIZABLE;
EXECUTE look;
SELECT pg_temp.ctl('delete', 'tasks', 'n2'), pg_temp.requests();
EXECUTE look;
SELECT pg_temp.requests();
COMMIT;

-- Without the list each answer is kept by its request
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT task_name FROM tasks WHERE task_id = 'n1';
SELECT count(*) FROM tasks WHERE task_id = 'n3';
SELECT task_name FROM tasks LIMIT 1;
SELECT count(*) FROM features;
SELECT pg_temp.requests();
SELECT pg_temp.ctl('insert', 'tasks', 'task_name=new', 'id=n3'), pg_temp.ctl('update', 'tasks', 'n1', 'task_name=newer'),
  pg_temp.ctl('insert', 'features', 'id=f1');
SELECT task_name FROM tasks WHERE task_id = 'n1';
SELECT task_name FROM tasks WHERE task_id IN ('n1', 'n3');
SELECT task_name FROM tasks LIMIT 1;
SELECT count(*) FROM features;
SELECT pg_temp.requests();
-- ... another is another
SELECT task_name FROM tasks WHERE task_id = 'none';
SELECT count(*) FROM (SELECT FROM tasks LIMIT 2) t;
SELECT pg_temp.requests();
COMMIT;
SELECT task_name FROM tasks WHERE task_id = 'n1';
SELECT task_name FROM tasks WHERE task_id = 'n3';
SELECT pg_temp.requests();

-- A list half read is read on where it is needed
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM (SELECT FROM tasks WHERE status = 'failed' LIMIT 5) t;
SELECT pg_temp.requests();
EXECUTE look;
SELECT pg_temp.requests();
COMMIT;
-- ... a range within what was read costs nothing, one beyond is asked for
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM (SELECT FROM tasks WHERE status = 'failed' LIMIT 5) t;
SELECT pg_temp.requests();
SELECT count(*) FROM (SELECT FROM tasks LIMIT 10 OFFSET 90) t;
SELECT pg_temp.requests();
SELECT count(*) FROM (SELECT FROM tasks LIMIT 10 OFFSET 95) t;
SELECT pg_temp.requests();
COMMIT;
-- ... two cursors are two places in one list
BEGIN ISOLATION LEVEL REPEATABLE READ;
DECLARE a CURSOR FOR SELECT task_id FROM tasks;
DECLARE b CURSOR FOR SELECT task_id FROM tasks;
MOVE 150 FROM a;
SELECT pg_temp.requests();
MOVE 120 FROM b;
SELECT pg_temp.requests();
CLOSE a;
EXECUTE look;
SELECT pg_temp.requests();
MOVE ALL FROM b;
SELECT pg_temp.requests();
COMMIT;
SELECT pg_temp.objects(250);

-- A walk that fails midway goes on where it stopped
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.ctl('fault', 'status=403', 'request=+2');
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
COMMIT;
-- ... with an unreadable page as well
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.ctl('fault', 'no_array', 'request=+2');
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.ctl('fault', 'id_missing', 'row=50', 'request=+2');
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
COMMIT;
-- ... with a value that no row can have: the page is there, the row is refused again
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.ctl('fault', 'value=line_count:"many"', 'row=50', 'request=+2');
SELECT rows FROM pg_temp.cost('TABLE tasks');
SELECT rows FROM pg_temp.cost('TABLE tasks');
SELECT count(task_name) FROM tasks;
COMMIT;
-- ... within a statement that goes on after the failure
CREATE FUNCTION pg_temp.tries() RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  PERFORM pg_temp.ctl('fault', 'status=403', 'request=+2');
  FOR i IN 1 .. 2 LOOP
    BEGIN
      SELECT count(task_name) INTO n FROM tasks;
      RETURN NEXT n;
    EXCEPTION WHEN insufficient_privilege THEN
      RETURN NEXT -1;
    END;
  END LOOP;
END $$;
SELECT * FROM pg_temp.tries();
SELECT pg_temp.requests();
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM pg_temp.tries();
SELECT pg_temp.requests();
COMMIT;
-- ... a look-up and a range that failed are asked for again
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.ctl('fault', 'status=403', 'next=2');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ''none''');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 3 OFFSET 20');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ''none''');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 3 OFFSET 20');
COMMIT;
-- ... cancelled while a page is under way
SELECT pg_temp.ctl('fault', 'stall', 'request=+2');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SAVEPOINT s;
SET LOCAL statement_timeout = '300ms';
\set VERBOSITY sqlstate
EXECUTE look;
ROLLBACK TO s;
EXECUTE look;
SELECT pg_temp.requests();
COMMIT;
\set VERBOSITY default

-- A savepoint rolled back leaves the list, and cursors go on
BEGIN ISOLATION LEVEL REPEATABLE READ;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 10 FROM c;
SAVEPOINT s;
EXECUTE look;
DECLARE d CURSOR FOR SELECT task_id FROM tasks;
MOVE 10 FROM d;
ROLLBACK TO s;
MOVE 200 FROM c;
EXECUTE look;
SELECT pg_temp.requests();
COMMIT;
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
SAVEPOINT s;
MOVE 10 FROM c;
ROLLBACK TO s;
MOVE 240 FROM c;
FETCH c;
SELECT pg_temp.requests();
ROLLBACK;
-- ... a transaction rolled back drops it
BEGIN ISOLATION LEVEL REPEATABLE READ;
EXECUTE look;
ROLLBACK;
EXECUTE look;
SELECT pg_temp.requests();

-- A cursor WITH HOLD is read to its end by COMMIT
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT task_id FROM tasks;
MOVE 10 FROM c;
SELECT pg_temp.requests();
COMMIT;
SELECT pg_temp.requests();
MOVE ALL FROM c;
SELECT pg_temp.requests();
CLOSE c;
BEGIN ISOLATION LEVEL REPEATABLE READ;
DECLARE c CURSOR WITH HOLD FOR SELECT task_id FROM tasks;
MOVE 10 FROM c;
COMMIT;
MOVE ALL FROM c;
SELECT pg_temp.requests();
CLOSE c;

-- nclue_fdw.cache_ttl: what the session has read serves it again
SET nclue_fdw.cache_ttl = '1h';
EXECUTE look;
SELECT pg_temp.requests();
SELECT pg_temp.ctl('insert', 'tasks', 'task_name=new', 'id=n4');
EXECUTE look;
SELECT count(*) FROM tasks;
SELECT count(*) FROM (SELECT FROM tasks LIMIT 10 OFFSET 245) t;
SELECT count(*) FROM tasks WHERE task_id = 'n4';
SELECT pg_temp.thrice();
SELECT pg_temp.requests();
-- ... not a transaction with one snapshot, for it is older than that
BEGIN ISOLATION LEVEL REPEATABLE READ;
EXECUTE look;
SELECT pg_temp.requests();
EXECUTE look;
SELECT pg_temp.requests();
COMMIT;
-- ... nor another user
CREATE ROLE regress_nclue_dave;
CREATE USER MAPPING FOR regress_nclue_dave SERVER nclue OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
GRANT USAGE ON SCHEMA remote TO regress_nclue_dave;
GRANT SELECT ON tasks TO regress_nclue_dave;
SET ROLE regress_nclue_dave;
SELECT count(task_name), count(*) FILTER (WHERE task_name = 'new') AS new FROM remote.tasks;
:requests
SELECT count(task_name), count(*) FILTER (WHERE task_name = 'new') AS new FROM remote.tasks;
:requests
RESET ROLE;
SELECT count(task_name), count(*) FILTER (WHERE task_name = 'new') AS new FROM tasks;
SELECT pg_temp.requests();
-- ... but who reads through a view of that user's
CREATE VIEW theirs AS SELECT * FROM tasks;
ALTER VIEW theirs OWNER TO regress_nclue_dave;
SELECT count(task_name), count(*) FILTER (WHERE task_name = 'new') AS new FROM theirs;
SELECT pg_temp.requests();
-- ... 0 drops it, at once
SET nclue_fdw.cache_ttl = 0;
SET nclue_fdw.cache_ttl = '1h';
EXECUTE look;
SELECT pg_temp.requests();
RESET nclue_fdw.cache_ttl;
SET nclue_fdw.cache_ttl = '1h';
EXECUTE look;
SELECT pg_temp.requests();
-- ... as the end of a transaction that had set it does
SET nclue_fdw.cache_ttl = 0;
BEGIN;
SET LOCAL nclue_fdw.cache_ttl = '1h';
EXECUTE look;
EXECUTE look;
COMMIT;
EXECUTE look;
SELECT pg_temp.requests();
-- ... half read, by a cursor or by a statement that needed no more, it is read on
SET nclue_fdw.cache_ttl = '1h';
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 10 FROM c;
SELECT pg_temp.requests();
COMMIT;
EXECUTE look;
SELECT pg_temp.requests();
-- ... a transaction that fails takes nothing away
SET nclue_fdw.cache_ttl = 0;
SET nclue_fdw.cache_ttl = '1h';
SELECT pg_temp.copies(), pg_temp.ctl('fault', 'status=403', 'request=+3');
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
-- ... other tables over the list, and other ways to ask for it
CREATE FOREIGN TABLE names (task_name text) SERVER nclue;
SELECT count(task_name) FROM names;
SELECT pg_temp.requests();
ALTER FOREIGN TABLE names OPTIONS (ADD page_size '50');
SELECT count(task_name) FROM names LIMIT 0;
SELECT count(task_name) FROM names;
SELECT (pg_temp.requests() ~ '&limit=50')::text;
ALTER FOREIGN TABLE names OPTIONS (SET page_size '100', ADD resource 'features'), DROP COLUMN task_name;
SELECT count(*) FROM names;
SELECT pg_temp.requests();
DROP FOREIGN TABLE names;
-- ... a changed server or mapping is asked anew
ALTER SERVER nclue OPTIONS (ADD timeout '20');
EXECUTE look;
SELECT pg_temp.requests();
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET secret_key 'SK_WRONG');
\set VERBOSITY sqlstate
EXECUTE look;
SELECT pg_temp.requests();
\set VERBOSITY default
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET secret_key 'SK_TEST');
EXECUTE look;
SELECT pg_temp.requests();
EXECUTE look;
SELECT pg_temp.requests();
-- ... a cursor reads its own to the end, while the session has begun a new one
SET nclue_fdw.cache_ttl = 0;
SET nclue_fdw.cache_ttl = '1h';
SELECT pg_temp.objects(250);
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 10 FROM c;
SELECT pg_temp.requests();
SET LOCAL nclue_fdw.cache_ttl = 0;
SET LOCAL nclue_fdw.cache_ttl = '1h';
EXECUTE look;
SELECT pg_temp.requests();
MOVE 140 FROM c;
SELECT pg_temp.requests();
FETCH c \g /dev/null
ALTER SERVER nclue OPTIONS (SET timeout '21');
EXECUTE look;
SELECT pg_temp.requests();
MOVE ALL FROM c;
SELECT pg_temp.requests();
COMMIT;
-- ... it expires
SET nclue_fdw.cache_ttl = 0;
SET nclue_fdw.cache_ttl = '1s';
EXECUTE look;
SELECT pg_temp.requests();
SELECT pg_sleep(1.1);
EXECUTE look;
SELECT pg_temp.requests();
-- ... it may be set while a list is read, which is read on
SET nclue_fdw.cache_ttl = 0;
SET nclue_fdw.cache_ttl = '1h';
SELECT count(set_config('nclue_fdw.cache_ttl', '0', false)) FROM tasks;
SELECT pg_temp.requests();
EXECUTE look;
SELECT pg_temp.requests();
-- ... what is no time is refused
\set VERBOSITY sqlstate
SET nclue_fdw.cache_ttl = '-1s';
\set VERBOSITY default

-- A list larger than work_mem lies in a file and is read again from there
SET work_mem = '64kB';
SELECT pg_temp.objects(1000);
SET nclue_fdw.cache_ttl = 0;
SET nclue_fdw.cache_ttl = '1h';
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 3 OFFSET 990');
SELECT * FROM pg_temp.cost(format('SELECT * FROM tasks WHERE task_id = %L', (SELECT task_id FROM local.tasks LIMIT 1 OFFSET 500)));
SELECT * FROM pg_temp.cost('SELECT a.*, b.status FROM tasks a JOIN tasks b USING (task_id)');
RESET work_mem;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL work_mem = '64kB';
DECLARE c SCROLL CURSOR FOR SELECT task_id FROM tasks;
MOVE 500 FROM c;
SAVEPOINT s;
MOVE 300 FROM c;
ROLLBACK TO s;
MOVE ALL FROM c;
MOVE BACKWARD ALL FROM c;
SELECT pg_temp.requests();
COMMIT;

-- Nothing is left of a list that nobody may use: no memory, and no file
SET nclue_fdw.cache_ttl = 0;
SELECT name, count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'nclue_fdw%' GROUP BY name;
SELECT count(*) FROM pg_ls_tmpdir() WHERE name LIKE format('pgsql_tmp%s.%%', pg_backend_pid());
SET nclue_fdw.cache_ttl = '1h';

-- A server dropped while the session keeps its list
SET client_min_messages = warning;
SELECT count(task_name) FROM tasks;
DROP SERVER nclue CASCADE;
SET nclue_fdw.cache_ttl = 0;
RESET search_path;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA remote, local CASCADE;
DROP OWNED BY regress_nclue_dave;
DROP ROLE regress_nclue_dave;
