-- What each statement costs, row by row of the documentation's table
\set ECHO none
\i test/sql/cost.psql
\set ECHO all
\pset format unaligned
\pset footer off

-- W(N) requests for a list of N objects, each page from the last row of the
-- one before
CREATE FUNCTION pg_temp.walk(objects integer, size integer DEFAULT 100)
RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(format('GET /api/v1/tasks?index=%s&limit=%s', i, size) ORDER BY i)
  FROM generate_series(0, greatest(objects - 1, 0), size - 1) i
$$;
CREATE FUNCTION pg_temp.walks(statement text, VARIADIC lengths integer[])
RETURNS TABLE (objects integer, rows text, expected bigint, made bigint, each boolean) LANGUAGE plpgsql AS $$
DECLARE lines text[]; local_rows text[];
BEGIN
  FOREACH objects IN ARRAY lengths LOOP
    PERFORM pg_temp.objects(objects, 'tasks'), pg_temp.requests();
    rows := pg_temp.compared(pg_temp.result('remote', statement), pg_temp.result('local', statement));
    lines := ARRAY(SELECT pg_temp.ctl('requests'));
    expected := greatest(1, ceil(objects / 99.0));
    made := cardinality(lines);
    each := lines = pg_temp.walk(objects);
    RETURN NEXT;
  END LOOP;
END $$;

-- SELECT *, or with a filter that the service cannot apply: W(N)
SELECT * FROM pg_temp.walks('SELECT * FROM tasks', 0, 1, 99, 100, 101, 172, 199, 200, 1000, 10000);
SELECT * FROM pg_temp.walks('SELECT * FROM tasks WHERE status = ''failed''', 0, 1, 99, 100, 101, 172, 199, 200, 1000);
SELECT * FROM pg_temp.walks('SELECT status, count(*) FROM tasks GROUP BY status', 0, 100, 199);
SELECT * FROM pg_temp.walks('SELECT * FROM tasks ORDER BY task_name COLLATE "C"', 0, 100, 199);

-- LIMIT n: 1, with limit=n; over 100 ceil((n - 1) / 99)
SELECT * FROM pg_temp.many('SELECT * FROM tasks LIMIT 5', 0, 1, 4, 5, 6, 99, 100, 101, 1000);
SELECT * FROM pg_temp.many('SELECT * FROM tasks LIMIT 100', 0, 99, 100, 101, 1000);
SELECT n, greatest(1, ceil((n - 1) / 99.0)) AS expected, c.*
FROM unnest('{1,2,99,100,101,172,198,199,200,250,298,299,1000}'::int[]) n,
  LATERAL pg_temp.cost(format('SELECT * FROM tasks LIMIT %s', n)) c;
-- ... OFFSET
SELECT pg_temp.objects(10000, 'tasks');
SELECT o, c.* FROM unnest('{0,1,99,100,5000,9890,9990,9995,9999,10000,10001,20000}'::int[]) o,
  LATERAL pg_temp.cost(format('SELECT * FROM tasks LIMIT 10 OFFSET %s', o)) c;
SELECT o, c.* FROM unnest('{9700,9800,9801,9802,9900,9901,9950,9999,10000,20000}'::int[]) o,
  LATERAL pg_temp.cost(format('SELECT * FROM tasks OFFSET %s', o)) c;
-- ... as parameters: custom plan, generic plan, seven executions
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '10, 5000');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1', 'int', '5');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks OFFSET $1', 'int', '9950');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks OFFSET $1 FETCH FIRST $2 ROWS ONLY', 'int, int', '5000, 10');

-- Where LIMIT and OFFSET can be found
SELECT pg_temp.objects(250);
CREATE VIEW remote.page AS SELECT task_id, task_name FROM remote.tasks LIMIT 3 OFFSET 20;
CREATE VIEW local.page AS SELECT task_id, task_name FROM local.tasks LIMIT 3 OFFSET 20;
CREATE VIEW remote.tasks_view AS SELECT task_id, status FROM remote.tasks;
CREATE VIEW local.tasks_view AS SELECT task_id, status FROM local.tasks;
SELECT * FROM pg_temp.cost('TABLE page');
SELECT * FROM pg_temp.cost('SELECT * FROM page WHERE task_name IS NOT NULL');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks_view LIMIT 3 OFFSET 20');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM (SELECT FROM tasks LIMIT 3 OFFSET 20) t');
SELECT * FROM pg_temp.cost('SELECT max(created_at) FROM (SELECT * FROM tasks LIMIT 3 OFFSET 20) t');
SELECT * FROM pg_temp.cost('WITH t AS (SELECT * FROM tasks LIMIT 3 OFFSET 20) SELECT * FROM t');
SELECT * FROM pg_temp.cost('WITH t AS MATERIALIZED (SELECT * FROM tasks LIMIT 3 OFFSET 20) SELECT * FROM t ORDER BY task_id');
SELECT * FROM pg_temp.cost('WITH t AS MATERIALIZED (SELECT * FROM tasks LIMIT 3 OFFSET 20) SELECT a.* FROM t a JOIN t b USING (task_id)');
SELECT * FROM pg_temp.cost('(SELECT * FROM tasks LIMIT 3) UNION ALL (SELECT * FROM tasks LIMIT 3 OFFSET 20)');
SELECT * FROM pg_temp.cost('SELECT * FROM (VALUES (1), (30)) v (o), LATERAL (SELECT task_id FROM tasks LIMIT 2 OFFSET v.o) t');
SELECT * FROM pg_temp.cost('SELECT (SELECT task_id FROM tasks LIMIT 1 OFFSET 20)');
SELECT * FROM pg_temp.cost('SELECT ARRAY(SELECT task_id FROM tasks LIMIT 3 OFFSET 20)');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks LIMIT 1 + 2 OFFSET (SELECT 20)');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks FETCH FIRST ROW ONLY');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks OFFSET 20 FETCH NEXT 3 ROWS ONLY');
SELECT * FROM pg_temp.cost('SELECT FROM tasks LIMIT 3 OFFSET 20');
SELECT * FROM pg_temp.cost('SELECT 1 FROM tasks LIMIT 3 OFFSET 20');
SELECT * FROM pg_temp.cost('SELECT t FROM tasks t LIMIT 3 OFFSET 20');
SELECT * FROM pg_temp.cost('SELECT upper(task_name) || status AS x FROM tasks LIMIT 3 OFFSET 20');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks WHERE now() IS NOT NULL LIMIT 3 OFFSET 20');
CREATE FUNCTION pg_temp.pages(o bigint, n bigint) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT task_id FROM tasks LIMIT n OFFSET o;
END $$;
SELECT * FROM pg_temp.cost('SELECT * FROM pg_temp.pages(20, 3)');
SET plan_cache_mode = force_generic_plan;
SELECT * FROM pg_temp.cost('SELECT * FROM pg_temp.pages(20, 3)');
RESET plan_cache_mode;
-- ... in the list's order
SELECT array_agg(task_id) = (SELECT array_agg(task_id) FROM (SELECT task_id FROM local.tasks LIMIT 150 OFFSET 20) l) AS in_order
FROM (SELECT task_id FROM remote.tasks LIMIT 150 OFFSET 20) t;

-- Pages until satisfied, one at a time
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE status = ''failed'' LIMIT 5');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE status = ''failed'' LIMIT 12');
SELECT * FROM pg_temp.cost('SELECT EXISTS (SELECT FROM tasks WHERE status = ''failed'')');
SELECT * FROM pg_temp.cost('SELECT EXISTS (SELECT FROM tasks WHERE status = ''none'')');
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM remote.tasks;
SELECT count(*) FROM pg_temp.requests();
MOVE 10 FROM c;
SELECT pg_temp.requests();
MOVE 90 FROM c;
SELECT pg_temp.requests();
MOVE 10 FROM c;
SELECT pg_temp.requests();
COMMIT;

-- count(*): 1 where total proves itself
SELECT * FROM pg_temp.many('SELECT count(*) FROM tasks', 0, 1, 99, 100, 101, 172, 199, 200, 1000, 10000);
SELECT * FROM pg_temp.many('SELECT count(1) FROM tasks', 0, 100, 101);

-- WHERE task_id = ...: 1 request
SELECT pg_temp.objects(250);
SELECT task_id AS id FROM local.tasks LIMIT 1 OFFSET 200 \gset
SELECT * FROM pg_temp.cost(format('SELECT * FROM tasks WHERE task_id = %L', :'id'));
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = $1', 'text', quote_literal(:'id'));
SELECT * FROM pg_temp.cost(format('SELECT t.* FROM tasks t JOIN (VALUES (%L)) v (id) ON task_id = v.id', :'id'));
-- task_id IN (...): each distinct one that is not null, or the list where that is fewer
SELECT task_id AS id2 FROM local.tasks LIMIT 1 OFFSET 7 \gset
SELECT * FROM pg_temp.cost(format('SELECT * FROM tasks WHERE task_id IN (%L, NULL, %L, %L)', :'id', :'id2', :'id'));
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ANY ($1)', 'text[]', format('ARRAY[%L, NULL, %L, %L]', :'id', :'id2', :'id'));
SELECT pg_temp.cost('TABLE tasks');
SELECT k, c.* FROM generate_series(1, 5) k,
  LATERAL pg_temp.cost('SELECT * FROM tasks WHERE task_id = ANY ($1)', 'text[]',
    quote_literal(ARRAY(SELECT task_id FROM local.tasks ORDER BY task_id LIMIT k))) c;

-- One walk per statement and list
SELECT * FROM pg_temp.cost('SELECT a.task_id FROM tasks a JOIN tasks b USING (task_name)');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks UNION ALL SELECT task_name FROM tasks');
SELECT * FROM pg_temp.cost('SELECT task_id, (SELECT count(*) FROM tasks b WHERE b.status = a.status) FROM tasks a');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks a WHERE status = (SELECT min(status) FROM tasks)');
CREATE FOREIGN TABLE remote.again (task_name text, id text OPTIONS (json_key 'task_id')) SERVER nclue;
CREATE VIEW local.again AS SELECT task_name, task_id AS id FROM local.tasks;
SELECT * FROM pg_temp.cost('SELECT task_id, again.* FROM tasks JOIN again USING (task_name)');
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT * FROM pg_temp.cost('SELECT task_id, again.* FROM tasks JOIN again USING (task_name)');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- The same list again in a transaction with one snapshot, and in a session with
-- nclue_fdw.cache_ttl: 0
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
COMMIT;
SET nclue_fdw.cache_ttl = '1h';
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');
SET nclue_fdw.cache_ttl = 0;
SELECT * FROM pg_temp.cost('TABLE tasks');
SELECT * FROM pg_temp.cost('TABLE tasks');

-- PostgreSQL's to do: W(N)
SELECT * FROM pg_temp.cost('SELECT * FROM tasks ORDER BY created_at, task_id LIMIT 3');
SELECT * FROM pg_temp.cost(format('SELECT * FROM tasks WHERE task_id = %L OR task_id = %L', :'id', :'id2'));
SELECT * FROM pg_temp.cost(format('SELECT * FROM tasks WHERE task_id = %L OR status = %L', :'id', 'failed'));
CREATE FOREIGN TABLE remote.by_uuid (task_id uuid, status text) SERVER nclue;
CREATE VIEW local.by_uuid AS SELECT task_id::uuid, status FROM local.tasks;
SELECT * FROM pg_temp.cost(format('SELECT * FROM by_uuid WHERE task_id = %L', upper(:'id')));

-- 0 requests
EXPLAIN (COSTS OFF) SELECT * FROM remote.tasks;
PREPARE nothing AS SELECT * FROM remote.tasks;
CREATE VIEW remote.nothing AS SELECT * FROM remote.tasks;
\d remote.nothing
SELECT pg_temp.requests();
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE false');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 0');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 0 OFFSET 20');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1', 'bigint', '0');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = NULL');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = $1', 'text', 'NULL');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ANY ($1)', 'text[]', 'NULL');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ANY ($1)', 'text[]', quote_literal('{}'));
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id IN (NULL, NULL)');

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA remote, local CASCADE;
