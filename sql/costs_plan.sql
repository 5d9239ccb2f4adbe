-- EXPLAIN, and what the planner chooses
\set ECHO none
\i test/sql/cost.psql
\set ECHO all
\pset format unaligned
\pset footer off
\pset tuples_only on
SELECT pg_temp.objects(250);
SET search_path = remote, public;
-- a plan needs no mapping and sends nothing; nothing is known of the list
CREATE SERVER unmapped FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint 'http://127.0.0.1:1/base/path');
CREATE FOREIGN TABLE unmapped (task_id text, status text) SERVER unmapped;
EXPLAIN (COSTS OFF) SELECT * FROM unmapped;
EXPLAIN (COSTS OFF) SELECT * FROM unmapped LIMIT 3 OFFSET 200;
EXPLAIN (COSTS OFF) SELECT count(*) FROM unmapped;
EXPLAIN (COSTS OFF) SELECT * FROM unmapped WHERE task_id = 'x';
EXPLAIN SELECT * FROM unmapped;
DROP SERVER unmapped CASCADE;

-- The request, as a template; what is asked of it; how many are expected
SELECT count(task_name) FROM tasks;
SELECT pg_temp.requests();
EXPLAIN (COSTS OFF) SELECT * FROM tasks;
EXPLAIN (COSTS OFF) SELECT * FROM tasks WHERE status = 'failed';
EXPLAIN (COSTS OFF) SELECT * FROM tasks LIMIT 5;
EXPLAIN (COSTS OFF) SELECT * FROM tasks LIMIT 150 OFFSET 20;
EXPLAIN (COSTS OFF) SELECT * FROM tasks OFFSET 20;
EXPLAIN (COSTS OFF) SELECT count(*), count(1) + 1 FROM tasks;
EXPLAIN (COSTS OFF) SELECT * FROM tasks WHERE task_id = 'x';
EXPLAIN (COSTS OFF) SELECT * FROM tasks WHERE task_id IN ('x', 'y') AND status = 'failed';
EXPLAIN (COSTS OFF) SELECT * FROM nclue_shopping_intents WHERE profile_id = 'x';
ALTER SERVER nclue OPTIONS (ADD page_size '50');
EXPLAIN (COSTS OFF) SELECT * FROM tasks;
ALTER SERVER nclue OPTIONS (DROP page_size);
SELECT count(task_name) FROM tasks;
SELECT pg_temp.requests();
-- ... parameters stand as they are
SET plan_cache_mode = force_generic_plan;
PREPARE page AS SELECT * FROM tasks LIMIT $1 OFFSET $2 + 1;
EXPLAIN (COSTS OFF) EXECUTE page (10, 20);
PREPARE one AS SELECT * FROM tasks WHERE task_id = $1;
EXPLAIN (COSTS OFF) EXECUTE one ('x');
PREPARE several AS SELECT * FROM tasks WHERE task_id = ANY ($1);
EXPLAIN (COSTS OFF) EXECUTE several ('{x,y}');
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) EXECUTE page (10, 20);
EXPLAIN (COSTS OFF) EXECUTE page (10, NULL);
CREATE FUNCTION pg_temp.shown(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    IF line ~ '(Request|Remote)' THEN
      RETURN NEXT trim(line);
    END IF;
  END LOOP;
END $$;
SELECT pg_temp.shown('SELECT o, t.* FROM generate_series(1, 2) o, LATERAL (SELECT task_id FROM tasks LIMIT 1 OFFSET o) t');
SELECT pg_temp.shown('SELECT task_id FROM tasks LIMIT 2 OFFSET (SELECT 20)');
SELECT pg_temp.shown('SELECT (SELECT task_id FROM tasks LIMIT 1 OFFSET o + 1) FROM generate_series(1, 2) o');
SELECT pg_temp.shown('SELECT v.id, t.status FROM (VALUES (''x'')) v (id), LATERAL (SELECT status FROM tasks WHERE task_id = v.id OFFSET 0) t');
-- ... for programs
CREATE FUNCTION pg_temp.as_json(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
  -- core's own entries differ between versions
  EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) ' || statement INTO plan;
  plan := plan #> '{0,Plan}';
  RETURN jsonb_pretty(coalesce(plan #> '{Plans,0}', plan) - '{Node Type,Operation,Parallel Aware,Async Capable,Disabled,Schema,Alias,Output,Parent Relationship}'::text[]);
END $$;
SELECT pg_temp.as_json('SELECT task_id FROM tasks LIMIT 5 OFFSET 20');
SELECT pg_temp.as_json('SELECT count(*) FROM tasks');
SELECT pg_temp.as_json('SELECT status FROM tasks WHERE task_id LIKE ''x%'' LIMIT 1');
CREATE FUNCTION pg_temp.as_yaml(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE plan text;
BEGIN
  EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF, FORMAT YAML) ' || statement INTO plan;
  RETURN QUERY SELECT trim(line) FROM regexp_split_to_table(plan, E'\n') line
    WHERE line ~ '(Request|Remote|Relation|Filter|Not Sent|LIMIT:|look-up:)';
END $$;
SELECT pg_temp.as_yaml('SELECT count(*) FROM tasks');
SELECT pg_temp.as_yaml('SELECT status FROM tasks WHERE task_id LIKE ''x%'' LIMIT 1');
SELECT pg_temp.requests();

-- VERBOSE: why a LIMIT or a look-up is not the service's to do
CREATE FUNCTION pg_temp.not_sent(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; found text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || statement LOOP
    IF line ~ 'Not Sent: ' THEN
      found := concat_ws('; ', found, substring(line FROM 'Not Sent: (.*)'));
    END IF;
  END LOOP;
  RETURN coalesce(found, '(all is)');
END $$;
SELECT pg_temp.not_sent('SELECT * FROM tasks');
SELECT pg_temp.not_sent('SELECT * FROM tasks WHERE status = ''failed''');
SELECT pg_temp.not_sent('SELECT * FROM tasks LIMIT 3');
SELECT pg_temp.not_sent('SELECT * FROM tasks WHERE task_id = ''x''');
SELECT pg_temp.not_sent('SELECT count(*) FROM tasks');
SELECT pg_temp.not_sent('SELECT * FROM tasks WHERE status = ''failed'' LIMIT 3');
SELECT pg_temp.not_sent('SELECT * FROM tasks ORDER BY task_id LIMIT 3');
SELECT pg_temp.not_sent('SELECT * FROM tasks ORDER BY task_id FETCH FIRST 3 ROWS WITH TIES');
SELECT pg_temp.not_sent('SELECT * FROM tasks LIMIT 3 FOR UPDATE');
SELECT pg_temp.not_sent('SELECT generate_series(1, 2) FROM tasks LIMIT 3');
SELECT pg_temp.not_sent('SELECT row_number() OVER () FROM tasks LIMIT 3');
SELECT pg_temp.not_sent('SELECT DISTINCT status FROM tasks LIMIT 3');
SELECT pg_temp.not_sent('SELECT status FROM tasks GROUP BY status LIMIT 3');
SELECT pg_temp.not_sent('SELECT max(status) FROM tasks LIMIT 3');
SELECT pg_temp.not_sent('SELECT * FROM tasks, features LIMIT 3');
SELECT pg_temp.not_sent('SELECT task_id FROM tasks UNION ALL SELECT task_id FROM tasks LIMIT 3');
SELECT pg_temp.not_sent('SELECT * FROM tasks WHERE task_id LIKE ''x%''');
SELECT pg_temp.not_sent('SELECT * FROM tasks WHERE task_id = ''x''::name');
SELECT pg_temp.not_sent('SELECT * FROM tasks WHERE task_id = task_name');
SELECT pg_temp.not_sent('SELECT * FROM tasks WHERE task_id = random()::text');
SELECT pg_temp.not_sent('SELECT * FROM tasks WHERE task_id = ALL (''{x}'')');
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT pg_temp.not_sent('SELECT * FROM tasks WHERE task_id = ''x'' COLLATE any_case');
CREATE FOREIGN TABLE by_uuid (task_id uuid) SERVER nclue;
SELECT pg_temp.not_sent('SELECT * FROM by_uuid WHERE task_id = ''7db18fb6-55ca-4774-94f5-1e8736757249''') ~ 'look-up:';
SELECT pg_temp.requests();

-- ANALYZE: what was asked, whether the list was there, what came twice
CREATE FUNCTION pg_temp.analyzed(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
    IF line ~ '(Scan|Requests|Reused|Repeats)' THEN
      -- the number of rows has decimals from version 18 on
      RETURN NEXT regexp_replace(regexp_replace(line, '\.00( loops)', '\1'), '^ *(->)? *', '');
    END IF;
  END LOOP;
  RETURN NEXT pg_temp.requests();
END $$;
SELECT pg_temp.analyzed('SELECT * FROM tasks');
SELECT pg_temp.analyzed('SELECT * FROM tasks LIMIT 3');
SELECT pg_temp.analyzed('SELECT count(*) FROM tasks');
SELECT pg_temp.analyzed('SELECT * FROM tasks WHERE task_id = ''x''');
SELECT pg_temp.analyzed('SELECT * FROM tasks LIMIT 0');
SELECT pg_temp.analyzed('SELECT * FROM tasks WHERE status = ''failed'' LIMIT 3');
SELECT pg_temp.analyzed('SELECT line_count FROM tasks UNION ALL SELECT line_count FROM tasks');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.analyzed('SELECT * FROM tasks');
SELECT pg_temp.analyzed('SELECT * FROM tasks');
SELECT pg_temp.analyzed('SELECT * FROM tasks LIMIT 3');
COMMIT;
SELECT pg_temp.analyzed('SELECT o, t.* FROM (VALUES (0), (30), (0)) v (o), LATERAL (SELECT task_id FROM tasks LIMIT 1 OFFSET o) t');
SELECT pg_temp.ctl('churn', 'request=+2', 'insert', 'tasks', 'position=0');
SELECT pg_temp.analyzed('SELECT * FROM tasks');
SELECT pg_temp.objects(250);

-- What is estimated is what is made, for a list that keeps still
CREATE FUNCTION pg_temp.estimated(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE line text; n bigint := 0;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    n := n + coalesce(substring(line FROM 'Estimated Requests: (\d+)')::bigint, 0);
  END LOOP;
  RETURN n;
END $$;
CREATE FUNCTION pg_temp.made(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE r record; n bigint;
BEGIN
  PERFORM pg_temp.ctl('requests');
  FOR r IN EXECUTE statement LOOP
  END LOOP;
  SELECT count(*) INTO n FROM pg_temp.ctl('requests') line WHERE line <> '(no requests)';
  RETURN n;
END $$;
CREATE FUNCTION pg_temp.estimates(VARIADIC lengths integer[])
RETURNS TABLE (objects integer, statement text, estimated bigint, made bigint) LANGUAGE plpgsql AS $$
BEGIN
  FOREACH objects IN ARRAY lengths LOOP
    PERFORM pg_temp.objects(objects, 'tasks'), pg_temp.made('SELECT task_name FROM tasks');
    FOREACH statement IN ARRAY ARRAY['SELECT * FROM tasks', 'SELECT * FROM tasks LIMIT 5',
        'SELECT * FROM tasks LIMIT 150 OFFSET 20', 'SELECT * FROM tasks OFFSET 20', 'SELECT count(*) FROM tasks'] LOOP
      estimated := pg_temp.estimated(statement);
      made := pg_temp.made(statement);
      RETURN NEXT;
    END LOOP;
  END LOOP;
END $$;
SELECT * FROM pg_temp.estimates(0, 1, 99, 101, 120, 172, 199, 200, 1000);
-- ... also where index counts pages
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
SELECT pg_temp.ctl('set', 'index_unit=page');
SELECT * FROM pg_temp.estimates(99, 100, 500) WHERE statement = 'SELECT * FROM tasks';
SELECT pg_temp.ctl('set', 'index_unit=row');
ALTER SERVER nclue OPTIONS (DROP index_unit);

-- A join looks up as long as that is fewer requests
SELECT pg_temp.objects(1000), pg_temp.made('SELECT task_name FROM tasks');
CREATE TABLE wanted (id text);
CREATE FUNCTION pg_temp.joins(VARIADIC numbers integer[])
RETURNS TABLE (ids integer, look_ups boolean, requests bigint, fewest boolean, rows bigint) LANGUAGE plpgsql AS $$
DECLARE statement text := 'SELECT id, status FROM wanted JOIN tasks ON task_id = id';
BEGIN
  FOREACH ids IN ARRAY numbers LOOP
    TRUNCATE wanted;
    INSERT INTO wanted SELECT task_id FROM local.tasks ORDER BY task_id LIMIT ids;
    ANALYZE wanted;
    requests := pg_temp.made(statement);
    EXECUTE 'SELECT count(status) FROM (' || statement || ') j' INTO rows;
    look_ups := pg_temp.plan_has(statement, 'Request: GET /api/v1/tasks/{task_id}');
    fewest := requests <= least(ids, 11);
    RETURN NEXT;
  END LOOP;
END $$;
CREATE FUNCTION pg_temp.plan_has(statement text, part text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    IF strpos(line, part) > 0 THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END $$;
SELECT * FROM pg_temp.joins(1, 2, 5, 9, 10, 12, 13, 20, 100);
SELECT fewest, rows FROM pg_temp.joins(11);
-- ... of a filtered local table
CREATE TABLE labelled (id text PRIMARY KEY, label int);
INSERT INTO labelled SELECT task_id, row_number() OVER (ORDER BY task_id) FROM local.tasks;
ANALYZE labelled;
SELECT k, pg_temp.plan_has(s, '{task_id}') AS look_ups, pg_temp.made(s) <= least(k, 11) AS fewest
FROM unnest(ARRAY[1, 3, 8, 14, 30]) k,
  LATERAL format('SELECT label, status FROM labelled JOIN tasks ON task_id = id WHERE label <= %s', k) s;
-- ... of ids in an array
SELECT k, pg_temp.plan_has(s, '{task_id}') AS look_ups, pg_temp.made(s) AS requests
FROM unnest(ARRAY[1, 3, 10, 11, 12, 30]) k,
  LATERAL format('SELECT * FROM tasks WHERE task_id = ANY (%L)', ARRAY(SELECT id FROM labelled ORDER BY id LIMIT k)) s;

-- A walk of 100,000 objects wakes no JIT
SELECT pg_temp.ctl('set', 'total=100000');
SELECT count(*) FROM tasks;
SELECT pg_temp.estimated('SELECT * FROM tasks');
CREATE FUNCTION pg_temp.total_cost(statement text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
  RETURN plan -> 0 -> 'Plan' ->> 'Total Cost';
END $$;
SELECT pg_temp.total_cost('SELECT * FROM tasks') < current_setting('jit_above_cost')::numeric;
SELECT pg_temp.total_cost('SELECT * FROM tasks WHERE status = ''failed'' ORDER BY created_at') < current_setting('jit_above_cost')::numeric;
SELECT pg_temp.ctl('set', 'total=grand');
-- ... and one of a length that cannot be true is planned at all
SELECT pg_temp.ctl('set', 'total=huge');
SELECT count(*) > 0 FROM tasks;
SELECT pg_temp.total_cost('SELECT * FROM tasks JOIN features ON task_id = feature_id') > 0;
SELECT pg_temp.ctl('set', 'total=grand');

SET client_min_messages = warning;
RESET search_path;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA remote, local CASCADE;
