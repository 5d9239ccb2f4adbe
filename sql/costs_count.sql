-- count(*): one request where total proves itself, else the walk goes on
\set ECHO none
\i test/sql/cost.psql
\set ECHO all
\pset format unaligned
\pset footer off

-- What total may be: a length, a page's own, or of no use
CREATE FUNCTION pg_temp.counts(what text)
RETURNS TABLE (total text, objects integer, rows text, requests text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.ctl('set', 'total=' || what);
  RETURN QUERY SELECT what, m.* FROM pg_temp.many('SELECT count(*) FROM tasks', 0, 1, 99, 100, 101, 250) m;
  PERFORM pg_temp.ctl('set', 'total=grand');
END $$;
SELECT * FROM pg_temp.counts('grand');
SELECT * FROM pg_temp.counts('page');
SELECT * FROM pg_temp.counts('missing');
SELECT * FROM pg_temp.counts('null');
SELECT * FROM pg_temp.counts('negative');
-- ... 'stable': the head is not read again
ALTER SERVER nclue OPTIONS (ADD list_order 'stable');
SELECT * FROM pg_temp.counts('page');
ALTER SERVER nclue OPTIONS (DROP list_order);
-- ... a number in quotes is one
SELECT * FROM pg_temp.counts('string');

-- The answer is the number itself, whatever it is taken for
SELECT pg_temp.objects(250);
SELECT * FROM pg_temp.cost('SELECT count(*) + 1 FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*), count(*) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*), count(1), count(''x''), count(*) * 2 FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*)::text || ''!'', now() IS NULL FROM tasks');
SELECT * FROM pg_temp.cost('SELECT ''x'', count(*) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT (SELECT count(*) FROM tasks)');
SELECT * FROM pg_temp.cost('SELECT n FROM (SELECT count(*) AS n FROM tasks) t WHERE n > 200');
SELECT * FROM pg_temp.cost('WITH t AS MATERIALIZED (SELECT count(*) AS n FROM tasks) SELECT a.n + b.n FROM t a, t b');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks UNION ALL SELECT count(*) FROM features');
SELECT * FROM pg_temp.cost('SELECT v, (SELECT count(*) + v FROM tasks) FROM generate_series(1, 3) v');
SELECT * FROM pg_temp.cost('SELECT v, n FROM generate_series(1, 3) v, LATERAL (SELECT count(*) + v AS n FROM tasks) t');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks WHERE true');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks LIMIT 1');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks LIMIT 1 OFFSET 1');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks ORDER BY 1');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks ORDER BY count(*) + 1');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM (SELECT * FROM tasks) t');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks', '', '');
SELECT * FROM pg_temp.cost('SELECT count(*) + $1 FROM tasks', 'int', '1');
SELECT * FROM pg_temp.cost('SELECT count($1) FROM tasks', 'int', 'NULL');
CREATE FUNCTION pg_temp.number() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  SELECT count(*) INTO n FROM tasks;
  RETURN n;
END $$;
SELECT * FROM pg_temp.cost('SELECT pg_temp.number()');
CREATE VIEW remote.number AS SELECT count(*) FROM remote.tasks;
CREATE VIEW local.number AS SELECT count(*) FROM local.tasks;
SELECT * FROM pg_temp.cost('TABLE number');
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT count(*) FROM remote.tasks;
FETCH c;
FETCH c;
FETCH BACKWARD c;
SELECT pg_temp.requests();
COMMIT;

-- Its first page is the walk's
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks UNION ALL SELECT line_count FROM tasks');
SELECT * FROM pg_temp.cost('SELECT line_count FROM tasks UNION ALL SELECT count(*) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT task_id, (SELECT count(*) FROM tasks) FROM tasks');
-- ... and what was read is not asked for again
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks');
COMMIT;

-- No rows are counted elsewhere
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks WHERE false');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM (SELECT FROM tasks LIMIT 3) t');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM (SELECT FROM tasks LIMIT 0) t');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks WHERE task_id = ''none''');

-- What total says nothing of is counted
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks WHERE status = ''failed''');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks GROUP BY status');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks GROUP BY ()');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks GROUP BY GROUPING SETS ((), (status))');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks GROUP BY GROUPING SETS ((), ())');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks HAVING count(*) > 300');
SELECT * FROM pg_temp.cost('SELECT 1 FROM tasks HAVING count(*) > 200');
SELECT * FROM pg_temp.cost('SELECT 1 FROM tasks HAVING true');
SELECT * FROM pg_temp.cost('SELECT count(*) FILTER (WHERE status = ''failed'') FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*) FILTER (WHERE false), count(*) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(DISTINCT 1) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(DISTINCT status) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(task_name), count(fail_message) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(NULL) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(1 ORDER BY status) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*), max(created_at) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT sum(1) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*) OVER () FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*), count(*) OVER () FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*), generate_series(1, 2) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT DISTINCT count(*) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks, features WHERE task_name = feature_name');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks TABLESAMPLE SYSTEM (100)');
-- ... an outer query's count is not this list's
SELECT * FROM pg_temp.cost('SELECT (SELECT count(v.x) FROM tasks LIMIT 1) FROM (VALUES (1), (2)) v (x)');
SELECT * FROM pg_temp.cost('SELECT (SELECT count(*) + max(v.x) FROM tasks LIMIT 1) FROM (VALUES (1), (2)) v (x) GROUP BY x');
-- ... of inheritance
CREATE FOREIGN TABLE remote.has_child (task_id text, status text) SERVER nclue;
CREATE TABLE remote.more () INHERITS (remote.has_child);
INSERT INTO remote.more VALUES ('more', 'more');
CREATE VIEW local.has_child AS SELECT task_id, status FROM local.tasks UNION ALL SELECT 'more', 'more';
SELECT * FROM pg_temp.cost('SELECT count(*) FROM has_child');
SELECT count(*) FROM ONLY remote.has_child;
SELECT pg_temp.requests();
-- ... of a table with a column that may not be null: its rows must be seen
CREATE FOREIGN TABLE remote.strict (task_id text NOT NULL, status text NOT NULL) SERVER nclue;
CREATE VIEW local.strict AS SELECT task_id, status FROM local.tasks;
SELECT * FROM pg_temp.cost('SELECT count(*) FROM strict');
CREATE FOREIGN TABLE remote.no_columns () SERVER nclue;
CREATE VIEW local.no_columns AS SELECT FROM local.tasks;
SELECT * FROM pg_temp.cost('SELECT count(*) FROM no_columns');

-- Pages of another size, and an index that counts pages
ALTER SERVER nclue OPTIONS (ADD page_size '10');
SELECT * FROM pg_temp.many('SELECT count(*) FROM tasks', 9, 10, 11, 250);
ALTER SERVER nclue OPTIONS (DROP page_size, ADD index_unit 'page');
SELECT pg_temp.ctl('set', 'index_unit=page');
SELECT * FROM pg_temp.many('SELECT count(*) FROM tasks', 0, 99, 100, 101, 250);

-- A list of exactly a page that grows before the page that is to prove it
ALTER SERVER nclue OPTIONS (DROP index_unit);
SELECT pg_temp.ctl('set', 'index_unit=row'), pg_temp.objects(100);
SELECT pg_temp.ctl('churn', 'request=+2', 'insert', 'tasks', 'position=-1'), pg_temp.requests();
SELECT count(*) FROM remote.tasks;
SELECT pg_temp.requests();

-- An error is an error
SELECT pg_temp.copies(), pg_temp.ctl('fault', 'status=403');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM tasks');

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA remote, local CASCADE;
