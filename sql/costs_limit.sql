-- LIMIT and OFFSET: what the service does, and what stays PostgreSQL's
\set ECHO none
\i test/sql/cost.psql
\set ECHO all
\pset format unaligned
\pset footer off
SELECT pg_temp.objects(250);

-- NULL is no LIMIT, and no OFFSET
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT ALL');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT NULL OFFSET NULL');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT NULL OFFSET 240');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 3 OFFSET NULL');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', 'NULL, NULL');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', 'NULL, 240');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '3, NULL');
-- ... zero
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 3 OFFSET 0');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks OFFSET 0');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '3, 0');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '0, 3');
-- ... negative: PostgreSQL's errors, OFFSET's first
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT -1');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks OFFSET -1');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT -1 OFFSET -1');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '-1, 0');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '1, -1');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '-1, -1');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '0, -1');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', 'NULL, -9223372036854775808');
-- ... huge
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 9223372036854775807');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 9223372036854775807 OFFSET 240');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 3 OFFSET 2147483647');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 3 OFFSET 2147483648');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 9223372036854775807 OFFSET 9223372036854775807');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '9223372036854775807, 240');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'bigint, bigint', '9223372036854775807, 9223372036854775807');
-- ... any expression without columns of the row
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 2.5');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 3 + 0 * random() OFFSET length(''abc'')');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT (SELECT count(*) FROM features WHERE false) + 2');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 1 / $1', 'int', '0');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $2 OFFSET ($1)[2]', 'int[], int', 'ARRAY[1, 20], 3');

-- Parameters that change from rescan to rescan; the same range is asked for once
SELECT * FROM pg_temp.cost('SELECT v.o, t.task_id FROM (VALUES (0, 1), (20, 2), (0, 1)) v (o, n),
  LATERAL (SELECT task_id FROM tasks LIMIT n OFFSET o) t');
SET enable_memoize = off;
SELECT * FROM pg_temp.cost('SELECT v.o, t.task_id FROM (VALUES (0, 1), (20, 2), (0, 1)) v (o, n),
  LATERAL (SELECT task_id FROM tasks LIMIT n OFFSET o) t');
RESET enable_memoize;
SELECT * FROM pg_temp.cost('SELECT v.o, t.task_id FROM (VALUES (0, 0), (20, 2), (300, 1)) v (o, n),
  LATERAL (SELECT task_id FROM tasks LIMIT n OFFSET o) t');
SELECT * FROM pg_temp.cost('SELECT v.o, t.task_id FROM (VALUES (20, 2), (NULL, 1), (-1, 1)) v (o, n),
  LATERAL (SELECT task_id FROM tasks LIMIT n OFFSET o) t');
SELECT * FROM pg_temp.cost('SELECT o, (SELECT task_id FROM tasks LIMIT 1 OFFSET o) FROM generate_series(0, 2) o');
SELECT * FROM pg_temp.cost('SELECT v.n, t.c FROM (VALUES (120), (3)) v (n),
  LATERAL (SELECT count(*) AS c FROM (SELECT FROM tasks LIMIT n) i) t');
-- ... the columns of the outer row need not be in LIMIT
SELECT * FROM pg_temp.cost('SELECT v.n, t.* FROM (VALUES (1), (2)) v (n),
  LATERAL (SELECT task_id, v.n AS m FROM tasks LIMIT 2) t');

-- Other statements that read
SELECT set_config('search_path', 'remote, public', false);
CREATE TEMP TABLE taken AS SELECT task_id FROM tasks LIMIT 3 OFFSET 20;
SELECT pg_temp.requests();
INSERT INTO taken SELECT task_id FROM tasks LIMIT 2 OFFSET 30;
SELECT pg_temp.requests();
DELETE FROM taken WHERE task_id IN (SELECT task_id FROM tasks LIMIT 1 OFFSET 30);
SELECT pg_temp.requests();
UPDATE taken SET task_id = t.task_id FROM (SELECT task_id FROM tasks LIMIT 1) t;
SELECT pg_temp.requests();
COPY (SELECT 'copied' FROM tasks LIMIT 2 OFFSET 20) TO STDOUT;
SELECT pg_temp.requests();
SELECT count(*) FROM taken;
DROP TABLE taken;
-- ... a cursor goes back in what it has
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT left(task_id, 0) FROM tasks LIMIT 3 OFFSET 20;
MOVE ALL FROM c;
MOVE BACKWARD ALL FROM c;
MOVE ALL FROM c;
SELECT pg_temp.requests();
COMMIT;
-- ... one over more than a page asks for a page when a row of it is needed
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks LIMIT 120 OFFSET 20;
MOVE 100 FROM c;
SELECT pg_temp.requests();
MOVE 1 FROM c;
SELECT pg_temp.requests();
COMMIT;
RESET search_path;
-- ... system columns, generated ones and whole rows
SELECT * FROM pg_temp.cost('SELECT t IS NULL AS n FROM tasks t LIMIT 2');
SELECT tableoid::regclass, ctid FROM remote.tasks LIMIT 1;
SELECT pg_temp.requests();

-- Where PostgreSQL limits the rows, they are right, and no page more than needed is read
SELECT * FROM pg_temp.cost('SELECT * FROM tasks ORDER BY task_id FETCH FIRST 3 ROWS WITH TIES');
SELECT * FROM pg_temp.cost('SELECT status FROM tasks ORDER BY status FETCH FIRST 3 ROWS WITH TIES');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks LIMIT 3 FOR UPDATE');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks LIMIT 3 OFFSET 120 FOR SHARE');
SELECT * FROM pg_temp.cost('SELECT task_id, generate_series(1, 2) FROM tasks LIMIT 3');
SELECT * FROM pg_temp.cost('SELECT task_id, row_number() OVER () FROM tasks LIMIT 3');
SELECT * FROM pg_temp.cost('SELECT task_id, count(*) OVER () FROM tasks LIMIT 3');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM (SELECT DISTINCT status FROM tasks LIMIT 3) t');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM (SELECT status FROM tasks GROUP BY status LIMIT 3) t');
SELECT * FROM pg_temp.cost('SELECT min(task_id) FROM tasks LIMIT 1');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks WHERE status = ''failed'' LIMIT 3');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks WHERE random() > 2 LIMIT 3');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks UNION ALL SELECT task_id FROM tasks LIMIT 3');
SELECT rows FROM pg_temp.cost('SELECT count(*) FROM (SELECT FROM tasks t LEFT JOIN features f ON f.feature_name = t.task_name LIMIT 3) j');
SELECT * FROM pg_temp.cost('SELECT count(*) FROM (SELECT FROM tasks, (VALUES (1), (2)) v LIMIT 300) j');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks WHERE $1 LIMIT 3', 'boolean', 'false');
SELECT * FROM pg_temp.cost('SELECT task_id FROM tasks WHERE $1 LIMIT 3', 'boolean', 'true');
SELECT * FROM pg_temp.cost('SELECT task_id FROM (SELECT * FROM tasks LIMIT 5) t WHERE status <> ''none'' LIMIT 3');
SELECT * FROM pg_temp.cost('SELECT task_id FROM (SELECT * FROM tasks LIMIT 5 OFFSET 10) t LIMIT 2 OFFSET 1');
SELECT * FROM pg_temp.cost('SELECT task_id FROM (SELECT * FROM tasks LIMIT 5 OFFSET 10) t ORDER BY task_id');
-- ... of inheritance and partitions
CREATE TABLE remote.parent (LIKE remote.tasks);
CREATE FOREIGN TABLE remote.child () INHERITS (remote.parent) SERVER nclue;
CREATE VIEW local.parent AS SELECT * FROM local.tasks;
SELECT * FROM pg_temp.cost('SELECT * FROM parent LIMIT 3');
CREATE TABLE remote.partitioned (task_id text NOT NULL, status text) PARTITION BY LIST (status);
CREATE FOREIGN TABLE remote.part PARTITION OF remote.partitioned DEFAULT SERVER nclue;
CREATE VIEW local.partitioned AS SELECT task_id, status FROM local.tasks;
SELECT * FROM pg_temp.cost('SELECT * FROM partitioned LIMIT 3 OFFSET 1');
CREATE FOREIGN TABLE remote.has_child (task_id text, status text) SERVER nclue;
CREATE TABLE remote.more () INHERITS (remote.has_child);
CREATE VIEW local.has_child AS SELECT task_id, status FROM local.tasks;
SELECT * FROM pg_temp.cost('SELECT * FROM has_child LIMIT 3 OFFSET 1');
SELECT * FROM pg_temp.cost('SELECT * FROM ONLY has_child LIMIT 3 OFFSET 1');
-- ... a join that brings nothing is none
CREATE TABLE remote.unique_ids (id text PRIMARY KEY);
CREATE VIEW local.unique_ids AS SELECT * FROM remote.unique_ids;
SELECT pg_temp.cost('SELECT t.task_id FROM tasks t LEFT JOIN remote.unique_ids ON id = t.task_name LIMIT 3');

-- Pages of other sizes
ALTER FOREIGN TABLE remote.tasks OPTIONS (ADD page_size '10');
SELECT n, greatest(1, ceil((n - 1) / 9.0)) AS expected, c.* FROM unnest('{1,9,10,11,19,20}'::int[]) n,
  LATERAL pg_temp.cost(format('SELECT * FROM tasks LIMIT %s OFFSET 7', n)) c;
ALTER FOREIGN TABLE remote.tasks OPTIONS (SET page_size '2');
SELECT n, greatest(1, n - 1) AS expected, c.* FROM unnest('{1,2,3,4}'::int[]) n,
  LATERAL pg_temp.cost(format('SELECT * FROM tasks LIMIT %s OFFSET 7', n)) c;
ALTER FOREIGN TABLE remote.tasks OPTIONS (DROP page_size);

-- A list without a total: a range never reads the head again
SELECT pg_temp.ctl('set', 'total=missing');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 150');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 300');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks OFFSET 100');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks OFFSET 250');
SELECT pg_temp.ctl('set', 'total=page');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 150');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks OFFSET 100');
SELECT pg_temp.ctl('set', 'total=grand');

-- A service that gives less than it is asked for, and says so; or more
SELECT pg_temp.ctl('set', 'limit_cap=50');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 40');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 90 OFFSET 5');
SELECT pg_temp.ctl('set', 'limit_cap=0', 'limit_fixed=20');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 5');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 5 OFFSET 7');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 30 OFFSET 7');
SELECT pg_temp.ctl('set', 'limit_fixed=0');

-- A list that moves between the pages of a range: its rows are distinct, and
-- none is left out that was there throughout
SELECT pg_temp.ctl('churn', 'request=+2', 'insert', 'tasks', 'position=0');
SELECT count(DISTINCT t.task_id), count(l.task_id) AS as_they_were
FROM (SELECT task_id FROM remote.tasks LIMIT 150 OFFSET 20) t
  LEFT JOIN (SELECT task_id FROM local.tasks LIMIT 150 OFFSET 20) l USING (task_id);
SELECT pg_temp.requests();
SELECT pg_temp.objects(250, 'tasks'), pg_temp.ctl('churn', 'request=+2', 'delete', 'tasks', 'position=0');
SELECT count(DISTINCT t.task_id), count(l.task_id) AS as_they_were
FROM (SELECT task_id FROM remote.tasks LIMIT 150 OFFSET 20) t
  LEFT JOIN (SELECT task_id FROM local.tasks LIMIT 150 OFFSET 20) l USING (task_id);
SELECT pg_temp.requests();

-- Where index counts pages: one page, if there is one that holds the rows
SELECT pg_temp.ctl('set', 'index_unit=page'), pg_temp.objects(250);
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
SELECT o, n, (SELECT format('tasks?index=%s&limit=%s', o / l, l) FROM generate_series(n, 100) l
  WHERE o / l = (o + n - 1) / l ORDER BY l LIMIT 1) AS expected, c.*
FROM unnest('{0,0,0,0,7,20,25,99,99,100,150,240,245,300,300000}'::int[],
  '{1,5,99,100,3,10,10,1,2,100,50,10,10,10,10}'::int[]) x (o, n),
  LATERAL pg_temp.cost(format('SELECT * FROM tasks LIMIT %s OFFSET %s', n, o)) c;
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 150');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT 100 OFFSET 95');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks OFFSET 120');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks OFFSET 250');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks LIMIT $1 OFFSET $2', 'int, int', '10, 25');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks');

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA remote, local CASCADE;
