-- Keys that come in another case than the documents have them: the same rows,
-- by the same requests; where two could be meant, an error.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0', page_size '10');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;
CREATE FOREIGN TABLE tasks (task_id text, task_name text) SERVER nclue;
\set ECHO none
\i test/sql/failure.psql
-- the lists' rows, as one text, and the same where keys are as documented
CREATE TEMP TABLE documented (list text, rows text);
CREATE FUNCTION pg_temp.rows_of(list text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rows text;
BEGIN
	EXECUTE format('SELECT string_agg(t::text, E''\n'') FROM %I t', list) INTO rows;
	RETURN rows;
END $$;
\set lists 'unnest(''{nclue_tasks,nclue_features,nclue_task_runs,nclue_shopping_intents,nclue_custom_attributes}''::text[]) AS list'
\set compare 'SELECT list, pg_temp.rows_of(list) = rows AS same FROM documented;'
\set ECHO all
\pset null (null)
:ctl objects 25

INSERT INTO documented SELECT list, pg_temp.rows_of(list) FROM :lists;
SELECT list, length(rows) > 3000 AS rows FROM documented;
:requests

-- ---- objects ----

-- in upper case
:ctl set keys=upper
:compare
:requests

-- in lower case: the documents have one key with capitals
:ctl set keys=lower
:compare
SELECT count(auroc) FROM nclue_tasks;
:requests

-- the fields that nothing is known of are NULL as ever
:ctl set keys=upper nulls=absent
:compare
:requests
:ctl set nulls=null

-- a look-up; the id and a field of an object that was looked up
SELECT task_id AS id FROM nclue_tasks LIMIT 1 \gset
SELECT task_id = :'id' AS it, task_name, status FROM nclue_tasks WHERE task_id = :'id';
:requests

-- a range, a count, and a column declared NOT NULL
SELECT left(task_name, 8) AS name FROM nclue_tasks LIMIT 2 OFFSET 5;
SELECT count(*) FROM nclue_tasks;
CREATE FOREIGN TABLE strict (status text NOT NULL, task_id text NOT NULL)
	SERVER nclue OPTIONS (page_size '30');
SELECT count(*) FROM strict;
:requests

-- the id also where json_key names it: look-ups rest on it
CREATE FOREIGN TABLE named (the_id text OPTIONS (json_key 'task_id'),
	task_name text) SERVER nclue;
SELECT the_id = :'id' AS it, task_name FROM named WHERE the_id = :'id';
:requests

-- the whole object keeps its keys
CREATE FOREIGN TABLE whole (o jsonb OPTIONS (json_key '*')) SERVER nclue;
SELECT o ->> 'TASK_NAME', o ->> 'task_name' FROM whole LIMIT 1;
:requests
:ctl set keys=documented

-- the key as it is documented is taken, whatever stands beside it
:ctl fault body='{"tasks":[{"TASK_ID":"no","task_id":"yes","Task_Name":"no","task_name":null}]}'
SELECT * FROM tasks;

-- twice in the same case: the last counts, as ever
:ctl fault body='{"tasks":[{"TASK_ID":"no","TASK_ID":"yes"}]}'
SELECT * FROM tasks;

-- only letters of ASCII have another case (the second key has a long s), and
-- only the whole key counts
:ctl fault body='{"tasks":[{"Task_id":"yes","ta\u017fk_name":"no","task_name_":"no","ask_name":"no"}]}'
SELECT * FROM tasks;
:requests

-- ---- two that could be meant ----

-- a field
:ctl fault body='{"tasks":[{"task_id":"a","task_name":"n"},{"task_id":"b","Task_Name":"x","TASK_NAME":"y"}]}'
SELECT pg_temp.failure();
:requests

-- ... that is not asked for harms nobody
:ctl fault body='{"tasks":[{"task_id":"b","Task_Name":"x","TASK_NAME":"y"}]}'
SELECT task_id FROM tasks;
:requests

-- ... and json_key can choose
CREATE FOREIGN TABLE chosen (task_name text OPTIONS (json_key 'TASK_NAME')) SERVER nclue;
:ctl fault body='{"tasks":[{"task_id":"b","Task_Name":"x","TASK_NAME":"y"}]}'
SELECT task_name FROM chosen;
:requests

-- the id, in a list and in a look-up
:ctl fault body='{"tasks":[{"Task_id":"a","TASK_ID":"b"}]}'
SELECT pg_temp.failure();
:ctl fault body='{"Task_id":"a","TASK_ID":"a"}'
:requests
SELECT pg_temp.failure(format('SELECT * FROM tasks WHERE task_id = %L', :'id'));
:requests

-- ---- the envelope ----

-- in upper case
:ctl set envelope_keys=upper
:compare
:requests

-- total is read: a count of one request
SELECT count(*) FROM nclue_tasks;
:requests

-- limit is read: a server that gives less than was asked, and says so
:ctl set total=page limit_cap=4
SELECT count(task_name) FROM nclue_tasks;
:requests
:ctl set total=grand limit_cap=0 envelope_keys=documented

-- two that could be meant
:ctl fault body='{"Tasks":[],"TASKS":[{"task_id":"a"}]}'
SELECT pg_temp.failure();
:ctl fault body='{"tasks":[{"task_id":"a"}],"Total":1,"TOTAL":2}'
SELECT pg_temp.failure();
:ctl fault body='{"tasks":[{"task_id":"a"}],"Limit":1,"LIMIT":10}'
SELECT pg_temp.failure();
:ctl fault body='{"tasks":[{"task_id":"a"}],"Index":0,"INDEX":0}'
SELECT pg_temp.failure();
:requests

-- ---- errors ----

-- an error beside an empty list is none of an empty list
:ctl fault body='{"tasks":[],"ErrorCode":"900","Message":"oops"}'
SELECT pg_temp.failure();
:ctl fault body='{"ERROR":{"ERRORCODE":200,"MESSAGE":"Authentication Failed"}}'
SELECT pg_temp.failure();
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
