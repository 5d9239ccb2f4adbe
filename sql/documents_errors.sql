-- Error bodies of every shape with status 200, in place of a list and of an
-- object: an error each time, never no rows.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (task_id text, task_name text) SERVER nclue;
\set ECHO none
\i test/sql/failure.psql
\set ECHO all
\pset tuples_only on
\pset format unaligned
:ctl objects 3
SELECT task_id AS id FROM tasks LIMIT 1 \gset
:requests > /dev/null

-- a list, and an object: what became of it, without the hint
CREATE FUNCTION pg_temp.list() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT f FROM pg_temp.failure('SELECT * FROM tasks', 'SELECT 3', false) AS f WHERE f !~ '^(HINT|CONTEXT|then)';
$$;
CREATE FUNCTION pg_temp.object(id text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT f FROM pg_temp.failure(format('SELECT * FROM tasks WHERE task_id = %L', id), 'SELECT 3', false) AS f
	WHERE f !~ '^(HINT|CONTEXT|then)';
$$;

-- ---- wrapped ----
:ctl fault status=200 code=210 shape=wrapped next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');
:requests

-- ---- wrapped, the code as a number ----
:ctl fault status=200 code=210 shape=wrapped_number next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- not wrapped ----
:ctl fault status=200 code=210 shape=unwrapped next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- responseError ----
:ctl fault status=200 code=210 shape=responseError next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- code and msg ----
:ctl fault status=200 code=210 shape=code_msg next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- code and message ----
:ctl fault status=200 code=210 shape=code_message next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- a code of the service's own ----
:ctl fault status=200 code=10100 message=ACCESS_DENIED next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- a code that says that there is no such object, with status 200 ----
:ctl fault status=200 code=10199 message=OBJECT_NOT_FOUND
SELECT pg_temp.object(:'id');

-- ---- a message without a code ----
:ctl fault body='{"message":"no"}' next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- "error" as a text, as true, as a list ----
:ctl fault body='{"error":"no"}' next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');
:ctl fault body='{"error":true}' next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');
:ctl fault body='{"errors":[{"code":"900"}]}' next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- no JSON ----
:ctl fault status=200 shape=xml code=210 body='<error><code>210</code></error>' next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');
:ctl fault html next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');
:ctl fault empty_body next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- nothing at all ----
:ctl fault body=null next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');
:ctl fault body='{}' next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');
:ctl fault body='[]' next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');
:ctl fault body='""' next=2
SELECT pg_temp.list();
SELECT pg_temp.object(:'id');

-- ---- the one's answer in place of the other's ----
:ctl fault body='{"task_id":"a","task_name":"b"}'
SELECT pg_temp.list();
:ctl fault body='{"index":0,"limit":100,"total":1,"tasks":[{"task_id":"a"}]}'
SELECT pg_temp.object(:'id');
-- ... another object than the one that was asked for is not it
:ctl fault body='{"task_id":"a","task_name":"b"}'
SELECT * FROM tasks WHERE task_id = :'id';
:requests | sort | uniq -c | sed 's/tasks.[0-9a-f-]*$/tasks.../'

-- ---- an error beside a list ----
-- an empty one may be for want of what could not be read
:ctl fault body='{"error":{"errorCode":"900","message":"down"},"total":0,"tasks":[]}'
SELECT pg_temp.list();
:ctl fault body='{"errorCode":420,"message":"slow down","tasks":[]}'
SELECT pg_temp.list();
:ctl fault body='{"responseError":{"returnCode":"100","returnMessage":"bad"},"tasks":[]}'
SELECT pg_temp.list();
-- ... a message alone is none
:ctl fault body='{"message":"no tasks yet","tasks":[]}'
SELECT count(task_name) FROM tasks;
-- ... nor is a null
:ctl fault body='{"error":null,"tasks":[]}'
SELECT count(task_name) FROM tasks;
-- ... and where there are rows, they are the list
:ctl fault body='{"code":"0","message":"success","total":1,"tasks":[{"task_id":"a"}]}'
SELECT count(task_id) FROM tasks;
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
