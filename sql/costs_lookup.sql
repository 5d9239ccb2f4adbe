-- Look-ups: which conditions find objects by their ids, and what is asked for
\set ECHO none
\i test/sql/cost.psql
\set ECHO all
\pset format unaligned
\pset footer off
SELECT pg_temp.objects(250);
SELECT pg_temp.cost('TABLE tasks'), pg_temp.cost('TABLE features');
SELECT task_id AS id FROM local.tasks LIMIT 1 OFFSET 200 \gset
SELECT task_id AS id2 FROM local.tasks LIMIT 1 OFFSET 7 \gset
-- pg_temp.find(condition): of tasks; $1 and $2 are the two ids
CREATE FUNCTION pg_temp.find(condition text)
RETURNS TABLE (rows text, requests text) LANGUAGE sql AS $$
  SELECT c.rows, replace(replace(c.requests, a, '$1'), b, '$2')
  FROM (SELECT (SELECT task_id FROM local.tasks LIMIT 1 OFFSET 200), (SELECT task_id FROM local.tasks LIMIT 1 OFFSET 7)) x (a, b),
    LATERAL pg_temp.cost('SELECT * FROM tasks WHERE ' ||
      replace(replace(condition, '$1', quote_literal(a)), '$2', quote_literal(b))) c
$$;

-- Equality of texts is equality of bytes, on either side and in any disguise
SELECT * FROM pg_temp.find('$1 = task_id');
SELECT * FROM pg_temp.find('task_id = $1::varchar');
SELECT * FROM pg_temp.find('task_id = $1::varchar(36)');
SELECT * FROM pg_temp.find('task_id::varchar = $1::varchar');
SELECT * FROM pg_temp.find('task_id = lower(upper($1))');
SELECT * FROM pg_temp.find('task_id = (SELECT $1)');
SELECT * FROM pg_temp.find('task_id = (SELECT min(id) FROM (VALUES ($2)) v (id))');
SELECT * FROM pg_temp.find('task_id COLLATE "C" = $1');
SELECT * FROM pg_temp.find('task_id = $1 COLLATE "POSIX"');
SELECT * FROM pg_temp.find('task_id = $1 AND status IS NOT NULL');
SELECT * FROM pg_temp.find('task_id = $1 AND status = ''none''');
SELECT * FROM pg_temp.find('task_id = ANY (ARRAY[$1, $2])');
SELECT * FROM pg_temp.find('task_id = ANY (ARRAY[$1, $2]::varchar[])');
SELECT * FROM pg_temp.find('task_id = ANY (ARRAY[[$1, $2], [$2, NULL]])');
SELECT * FROM pg_temp.find('task_id = ANY (ARRAY(SELECT id FROM (VALUES ($1), ($2), (NULL)) v (id)))');
SELECT * FROM pg_temp.find('task_id IN ($1, lower($2))');
SELECT * FROM pg_temp.find('task_id IN (SELECT id FROM (VALUES ($1), ($2)) v (id))');
SELECT * FROM pg_temp.find('EXISTS (SELECT FROM (VALUES ($1)) v (id) WHERE id = task_id)');
SELECT * FROM pg_temp.find('task_id = ANY (ARRAY[$1, $2]) AND task_id = $2');
SELECT * FROM pg_temp.find('task_id = ''none''');
SELECT * FROM pg_temp.find('task_id IN (''none'', $1)');
-- ... in columns by other names and of other types that compare as text
CREATE FOREIGN TABLE remote.other_name (name text OPTIONS (json_key 'task_name'), id varchar(40) OPTIONS (json_key 'task_id')) SERVER nclue;
CREATE VIEW local.other_name AS SELECT task_name AS name, task_id::varchar(40) AS id FROM local.tasks;
SELECT * FROM pg_temp.cost(format('SELECT * FROM other_name WHERE id = %L', :'id'));
SELECT * FROM pg_temp.cost('SELECT * FROM other_name WHERE id = $1', 'varchar', quote_literal(:'id'));
SELECT * FROM pg_temp.cost('SELECT * FROM other_name WHERE id = ANY ($1)', 'varchar[]', format('ARRAY[%L, %L]', :'id', :'id2'));
CREATE FOREIGN TABLE remote.icollated (task_id text COLLATE "C", status text) SERVER nclue;
CREATE VIEW local.icollated AS SELECT task_id, status FROM local.tasks;
SELECT * FROM pg_temp.cost(format('SELECT * FROM icollated WHERE task_id = %L', :'id'));
-- ... in the whole row's company, and without the id in the result
SELECT * FROM pg_temp.cost(format('SELECT t FROM tasks t WHERE task_id = %L', :'id'));
SELECT * FROM pg_temp.cost(format('SELECT status FROM tasks t WHERE task_id = %L', :'id'));
SELECT * FROM pg_temp.cost(format('SELECT count(*) FROM tasks t WHERE task_id = %L', :'id'));
SELECT * FROM pg_temp.cost(format('SELECT * FROM tasks t WHERE task_id = %L LIMIT 1', :'id'));
SELECT * FROM pg_temp.cost(format('SELECT * FROM tasks t WHERE task_id = %L FOR UPDATE', :'id'));
SELECT * FROM pg_temp.cost(format('SELECT * FROM features WHERE feature_id = %L', (SELECT feature_id FROM local.features LIMIT 1 OFFSET 120)));

-- Other comparisons are PostgreSQL's
SELECT * FROM pg_temp.find('task_id <> $1');
SELECT * FROM pg_temp.find('task_id >= $1 AND task_id <= $1');
SELECT * FROM pg_temp.find('task_id LIKE $1');
SELECT * FROM pg_temp.find('NOT task_id <> $1');
SELECT * FROM pg_temp.find('task_id NOT IN ($1, $2)');
SELECT * FROM pg_temp.find('task_id = ALL (ARRAY[$1, $1])');
SELECT * FROM pg_temp.find('task_id <> ANY (ARRAY[$1, $2])');
SELECT * FROM pg_temp.find('lower(task_id) = $1');
SELECT * FROM pg_temp.find('task_id = $1::name');
SELECT * FROM pg_temp.find('task_id::bpchar = $1::bpchar');
SELECT * FROM pg_temp.find('task_id::uuid = $1');
SELECT * FROM pg_temp.find('task_id = task_id');
SELECT * FROM pg_temp.find('task_id = task_name');
SELECT * FROM pg_temp.find('task_id = CASE WHEN status = ''none'' THEN $2 ELSE $1 END');
SELECT * FROM pg_temp.find('task_id = $1 OR task_id = $2');
SELECT * FROM pg_temp.find('task_id IN ($1, task_name)');
SELECT * FROM pg_temp.find('(task_id, status) IN (($1, ''none''), ($2, ''completed''))');
SELECT * FROM pg_temp.find('$1 IN (task_id, task_name)');
SELECT * FROM pg_temp.find('task_name = $1');
-- ... a volatile function is evaluated for each row
SELECT * FROM pg_temp.find('task_id = $1 || repeat(''x'', (0 * random())::int)');
-- ... and so are columns of types that compare otherwise
CREATE FOREIGN TABLE remote.typed (as_uuid uuid OPTIONS (json_key 'task_id'), as_name name OPTIONS (json_key 'task_id'),
  as_char char(40) OPTIONS (json_key 'task_id'), status text) SERVER nclue;
CREATE VIEW local.typed AS SELECT task_id::uuid AS as_uuid, task_id::name AS as_name, task_id::char(40) AS as_char, status FROM local.tasks;
SELECT * FROM pg_temp.cost(format('SELECT * FROM typed WHERE as_uuid = %L', upper(:'id')));
SELECT * FROM pg_temp.cost(format('SELECT * FROM typed WHERE as_name = %L', :'id'));
SELECT * FROM pg_temp.cost(format('SELECT * FROM typed WHERE as_char = %L', :'id'));
-- ... a collation under which different texts are equal
CREATE COLLATION remote.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FOREIGN TABLE remote.collated (task_id text COLLATE remote.any_case, status text) SERVER nclue;
CREATE VIEW local.collated AS SELECT task_id COLLATE remote.any_case AS task_id, status FROM local.tasks;
SELECT * FROM pg_temp.cost(format('SELECT * FROM collated WHERE task_id = %L', upper(:'id')));
SELECT * FROM pg_temp.cost('SELECT * FROM collated WHERE task_id = ANY ($1)', 'text[]', format('ARRAY[%L]', upper(:'id')));
SELECT * FROM pg_temp.cost(format('SELECT * FROM tasks WHERE task_id = %L COLLATE remote.any_case', upper(:'id')));
SELECT * FROM pg_temp.cost(format('SELECT * FROM collated WHERE task_id = %L COLLATE "C"', :'id'));

-- The id as it is: another case is another object
SELECT * FROM pg_temp.cost(format('SELECT * FROM tasks WHERE task_id = %L', upper(:'id')));
-- ... and an object of another id is not it
SELECT pg_temp.ctl('fault', 'value=task_id:"other"');
SELECT count(*) FROM remote.tasks WHERE task_id = :'id';
SELECT pg_temp.requests() = 'tasks/' || :'id' AS asked;

-- An id that would leave its place in the path is never sent, and finds nothing
SELECT i, c.* FROM unnest(ARRAY['', '.', '..', '/', 'a/b', '../tasks', 'a/..']) i,
  LATERAL pg_temp.cost(format('SELECT * FROM tasks WHERE task_id = %L', i)) c;
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ANY ($1)', 'text[]', quote_literal('{"",.,..,/,a/b}'));
-- ... but is found where the list is read
SELECT pg_temp.ctl('insert', 'tasks', 'id=a/b', 'task_name=slash'), pg_temp.copies();
SELECT * FROM pg_temp.cost('SELECT task_id, task_name FROM tasks WHERE task_id || '''' = ''a/b''');
SELECT pg_temp.ctl('delete', 'tasks', 'a/b');
-- Others are escaped
SELECT count(made) FROM unnest(ARRAY['작업 1', 'a b', '100%', 'a%2Fb', 'q?x=1&y', 'frag#1', 'a+b', '🙂', '~-._', 'it''s', 'a;b,c:d@e', '...', '.a', '42', 'ß', U&'e\0301', '(*)', '[0]|^`{}<>']) i,
  LATERAL pg_temp.ctl('insert', 'tasks', 'id=' || i) made;
SELECT pg_temp.copies(), pg_temp.requests();
SELECT i, c.* FROM unnest(ARRAY['작업 1', 'a b', '100%', 'a%2Fb', 'q?x=1&y', 'frag#1', 'a+b', '🙂', '~-._', 'it''s', 'a;b,c:d@e', '...', '.a', '42', 'ß', U&'e\0301', U&'\00e9', '(*)', '[0]|^`{}<>', 'a%20b']) i,
  LATERAL pg_temp.cost(format('SELECT task_id, task_name FROM tasks WHERE task_id = %L', i)) c;
SELECT rows, length(requests) FROM pg_temp.cost(format('SELECT * FROM tasks WHERE task_id = %L', repeat('가', 1000)));
-- ... an id may be a number
SELECT pg_temp.ctl('insert', 'tasks', 'id=4711');
SELECT pg_temp.ctl('update', 'tasks', '4711', 'task_id=4711');
SELECT task_id FROM remote.tasks WHERE task_id = '4711';
SELECT pg_temp.requests();
SELECT pg_temp.objects(250);

-- Only the service's own 404 means that there is none
CREATE FUNCTION pg_temp.unknown(VARIADIC answers text[])
RETURNS TABLE (answer text, rows text, requests text) LANGUAGE plpgsql AS $$
BEGIN
  FOREACH answer IN ARRAY answers LOOP
    PERFORM pg_temp.ctl('set', 'unknown_id=' || answer);
    RETURN QUERY SELECT answer, c.* FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ''none''') c;
  END LOOP;
END $$;
SELECT * FROM pg_temp.unknown('404', '404_empty', 'gateway', '400', 'empty', 'null');
SELECT pg_temp.ctl('set', 'unknown_id=404');
-- pg_temp.failing(fault, ...): the look-up of an object
CREATE FUNCTION pg_temp.failing(VARIADIC faults text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; message text; id text := (SELECT task_id FROM local.tasks LIMIT 1);
BEGIN
  PERFORM pg_temp.ctl(VARIADIC '{fault}' || faults);
  EXECUTE format('SELECT * FROM remote.tasks WHERE task_id = %L', id);
  RETURN 'no failure';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
  RETURN format('%s: %s', state, message);
END $$;
SELECT pg_temp.failing('status=404', 'html');
SELECT pg_temp.failing('id_missing');
SELECT pg_temp.failing('id_null');
SELECT pg_temp.failing('html');
SELECT pg_temp.failing('body=[]');
SELECT pg_temp.failing('body="x"');
SELECT pg_temp.failing('empty_body');
SELECT pg_temp.failing('bad_utf8=task_name');
SELECT pg_temp.failing('status=403');
SELECT pg_temp.failing('status=429', 'code=400');
SELECT pg_temp.failing('header=X-Anything:1');
SELECT pg_temp.requests();

-- Joins: each distinct id is asked for once
CREATE TABLE remote.wanted (id text);
CREATE VIEW local.wanted AS TABLE remote.wanted;
INSERT INTO remote.wanted VALUES (:'id'), (:'id'), (NULL), (:'id2'), (:'id');
ANALYZE remote.wanted;
SELECT * FROM pg_temp.cost('SELECT id, status FROM wanted JOIN tasks ON task_id = id');
SELECT * FROM pg_temp.cost('SELECT id, status FROM wanted LEFT JOIN tasks ON task_id = id');
SELECT * FROM pg_temp.cost('SELECT id, (SELECT status FROM tasks WHERE task_id = id) FROM wanted');
SELECT * FROM pg_temp.cost('SELECT id FROM wanted WHERE EXISTS (SELECT FROM tasks WHERE task_id = id)');
SELECT * FROM pg_temp.cost('SELECT id FROM wanted WHERE NOT EXISTS (SELECT FROM tasks WHERE task_id = id)');
SELECT * FROM pg_temp.cost('SELECT id, t.status FROM wanted, LATERAL (SELECT status FROM tasks WHERE task_id = id) t');
SELECT * FROM pg_temp.cost('SELECT id, t.status FROM wanted, LATERAL (SELECT status FROM tasks WHERE task_id = id OFFSET 0) t');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id IN (SELECT id FROM wanted)');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ANY (ARRAY(SELECT id FROM wanted))');
SELECT * FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = (SELECT id FROM wanted WHERE id IS NOT NULL ORDER BY id LIMIT 1)');
SELECT * FROM pg_temp.cost('WITH w AS MATERIALIZED (SELECT DISTINCT id FROM wanted) SELECT * FROM w JOIN tasks ON task_id = id');
SELECT * FROM pg_temp.cost('SELECT id, a FROM (SELECT ARRAY[id, id] AS a, id FROM wanted) w JOIN tasks ON task_id = ANY (a)');
SET enable_memoize = off;
SELECT * FROM pg_temp.cost('SELECT id, status FROM wanted JOIN tasks ON task_id = id');
RESET enable_memoize;
CREATE FUNCTION pg_temp.status_of(id text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT status FROM tasks WHERE task_id = id);
END $$;
SELECT * FROM pg_temp.cost(format('SELECT pg_temp.status_of(%L)', :'id'));
-- ... of two lists
SELECT * FROM pg_temp.cost(format('SELECT task_name, feature_name FROM tasks JOIN features ON feature_id = train_feature_id WHERE task_id = %L', :'id')) \gset two_
SELECT :'two_rows' AS rows, array_length(string_to_array(:'two_requests', ' '), 1) AS requests;

-- What a statement has read is not looked up
SELECT * FROM pg_temp.cost(format('SELECT line_count FROM tasks UNION ALL SELECT 1 FROM tasks WHERE task_id = %L', :'id'));
SELECT * FROM pg_temp.cost(format('SELECT 1 FROM tasks WHERE task_id = %L UNION ALL SELECT line_count FROM tasks', :'id'));
SELECT * FROM pg_temp.cost('SELECT line_count FROM tasks UNION ALL SELECT 1 FROM tasks WHERE task_id = ''none''');
SELECT * FROM pg_temp.cost(format('SELECT 1 FROM tasks WHERE task_id = %L UNION ALL SELECT 1 FROM tasks WHERE task_id = %1$L', :'id'));

-- More ids than W(last known N) pages: the list is read instead, after as many look-ups at most
INSERT INTO remote.wanted SELECT task_id FROM local.tasks LIMIT 20;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
SELECT rows, regexp_replace(requests, 'tasks/\S+', 'tasks/...', 'g') AS requests
FROM pg_temp.cost('SELECT id, (SELECT status FROM tasks WHERE task_id = id) FROM wanted');
-- ... where the list has grown meanwhile, or nothing is known of it
SELECT pg_temp.objects(1);
SELECT pg_temp.cost('TABLE tasks'), pg_temp.objects(250);
SELECT rows, regexp_replace(requests, 'tasks/\S+', 'tasks/...', 'g') AS requests
FROM pg_temp.cost('SELECT id, (SELECT status FROM tasks WHERE task_id = id) FROM wanted');
DROP USER MAPPING FOR CURRENT_USER SERVER nclue;
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
SELECT rows, regexp_replace(requests, 'tasks/\S+', 'tasks/...', 'g') AS requests
FROM pg_temp.cost('SELECT id, (SELECT status FROM tasks WHERE task_id = id) FROM wanted');
DROP USER MAPPING FOR CURRENT_USER SERVER nclue;
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
SELECT rows, regexp_replace(requests, 'tasks/\S+', 'tasks/...', 'g') AS requests
FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ANY (ARRAY(SELECT id FROM wanted))');
SELECT pg_temp.cost('TABLE tasks');
SELECT rows, regexp_replace(requests, 'tasks/\S+', 'tasks/...', 'g') AS requests
FROM pg_temp.cost('SELECT * FROM tasks WHERE task_id = ANY (ARRAY(SELECT id FROM wanted))');

-- of columns that are all equal another pair may be what is tested
CREATE TABLE local.pair (x text, n name);
INSERT INTO local.pair SELECT task_id, task_id FROM local.tasks LIMIT 1;
SELECT count(*) FROM local.pair l JOIN remote.tasks t ON t.task_id = l.n AND l.n = l.x;
SELECT count(*) FROM local.pair l JOIN remote.tasks t ON t.task_name = l.x AND t.task_id = l.x;

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA remote, local CASCADE;
