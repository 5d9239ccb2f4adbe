-- What statements cost: N objects in pages of P take max(1, ceil(N / (P - 1)))
-- requests, and every object comes once, in the list's order.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (task_id text, task_name text, status text)
	SERVER nclue;
\set ECHO none
\i test/sql/failure.psql
\set ECHO all
\pset tuples_only on
\pset format unaligned

-- :truth gets the list's ids from the service; :read reads the table: how many
-- rows, and whether they are the list
CREATE TEMP TABLE truth (n serial, id text);
\set truth '\\copy truth (id) from program ''test/standin/ctl ids tasks'''
\set read 'SELECT count(*), array_agg(task_id) IS NOT DISTINCT FROM (SELECT array_agg(id ORDER BY n) FROM truth) FROM tasks;'

-- ---- pages of 100 ----

:ctl objects 0
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 1
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 2
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 98
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 99
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 100
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 101
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 172
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 197
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 198
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 199
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 200
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 250
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 1000
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

-- ---- pages of other sizes, set for the table ----
ALTER FOREIGN TABLE tasks OPTIONS (ADD page_size '2');

:ctl objects 0
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 1
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 2
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 5
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

ALTER FOREIGN TABLE tasks OPTIONS (SET page_size '3');

:ctl objects 2
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 3
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 6
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 7
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

ALTER FOREIGN TABLE tasks OPTIONS (SET page_size '50');

:ctl objects 49
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 50
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 147
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 148
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

ALTER FOREIGN TABLE tasks OPTIONS (DROP page_size);

-- and for the server, where the table has none
ALTER SERVER nclue OPTIONS (ADD page_size '50');
:read
:requests
ALTER SERVER nclue OPTIONS (DROP page_size);

-- ---- what total may be ----

:ctl objects 250
TRUNCATE truth RESTART IDENTITY;
:truth

-- the length of the list, or the same as a text
:ctl set total=grand
:read
:requests
:ctl set total=string
:read
:requests

-- the page's own count: the head again, once
:ctl set total=page
:read
:requests

-- no total
:ctl set total=missing
:read
:requests
:ctl set total=null
:read
:requests

-- a negative one is none
:ctl set total=negative
:read
:requests

-- half the length
:ctl set total=small
:read
:requests

-- 0
:ctl set total=0
:read
:requests

-- ... which stable order spares
ALTER SERVER nclue OPTIONS (ADD list_order 'stable');
:ctl set total=grand
:read
:requests
:ctl set total=page
:read
:requests
:ctl set total=missing
:read
:requests
:ctl set total=small
:read
:requests

-- the table has the last word
ALTER FOREIGN TABLE tasks OPTIONS (ADD list_order 'auto');
:read
:requests
ALTER FOREIGN TABLE tasks OPTIONS (DROP list_order);
ALTER SERVER nclue OPTIONS (SET list_order 'auto');

:ctl objects 99
TRUNCATE truth RESTART IDENTITY;
:truth

-- one page needs no second look, whatever total says
:ctl set total=page
:read
:requests
:ctl set total=missing
:read
:requests

:ctl objects 100
TRUNCATE truth RESTART IDENTITY;
:truth

-- a full page is never the end
:ctl set total=page
:read
:requests
:ctl set total=100
:read
:requests
:ctl set total=small
:read
:requests

:ctl objects 101
TRUNCATE truth RESTART IDENTITY;
:truth

-- nor is total
:ctl set total=100
:read
:requests

-- a total that promises more than comes is an error
:ctl objects 250
:ctl set total=large
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl set total=huge
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- likewise in one page
:ctl objects 3
:ctl set total=4
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- and a list that says it has one object, and has none
:ctl objects 0
:ctl set total=1
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl set total=grand

-- ---- what index may count ----
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
:ctl set index_unit=page

:ctl objects 0
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 1
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 99
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 100
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 199
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 500
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

:ctl objects 1000
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

-- in small pages
ALTER FOREIGN TABLE tasks OPTIONS (ADD page_size '2');

:ctl objects 7
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests
ALTER FOREIGN TABLE tasks OPTIONS (SET page_size '7');

:ctl objects 30
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests
ALTER FOREIGN TABLE tasks OPTIONS (DROP page_size);

:ctl objects 250
TRUNCATE truth RESTART IDENTITY;
:truth

-- without a total
:ctl set total=missing
:read
:requests
:ctl set total=grand

-- counting rows where the service counts pages
ALTER SERVER nclue OPTIONS (SET index_unit 'row');
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl set total=missing
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl set total=grand

-- ... which cannot show in a list of one page
:ctl objects 99
TRUNCATE truth RESTART IDENTITY;
:truth
:read
:requests

-- counting pages where the service counts rows
:ctl set index_unit=row
:ctl objects 250
ALTER SERVER nclue OPTIONS (SET index_unit 'page');
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl set total=missing
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl set total=grand

-- a service that does not look at index
:ctl set index_unit=ignored
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
ALTER SERVER nclue OPTIONS (DROP index_unit);
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl set index_unit=row

-- ---- what limit may come to ----

:ctl objects 250
TRUNCATE truth RESTART IDENTITY;
:truth

-- a service that gives 50 at most, and says so
:ctl set limit_cap=50
:read
:requests

-- ... and does not, but has a total
:ctl set envelope_limit=asked
:read
:requests
:ctl set envelope_limit=missing
:read
:requests
:ctl set limit_cap=0

-- a limit in the envelope that is larger than what was asked
:ctl set envelope_limit=wrong
:read
:requests

-- one that is none
:ctl set envelope_limit=null
:read
:requests
:ctl set envelope_limit=effective

-- a service that gives 100 whatever is asked
:ctl set limit_fixed=100
ALTER FOREIGN TABLE tasks OPTIONS (ADD page_size '10');
:read
:requests
ALTER FOREIGN TABLE tasks OPTIONS (DROP page_size);
:ctl set limit_fixed=0

-- an index in the envelope that is not the one asked for
:ctl set envelope_index=wrong
:read
:requests

-- keys that no document has
:ctl set envelope_index=asked
:ctl set extra=on
:read
:requests
:ctl set extra=off

-- ---- how it comes ----

-- compressed
:ctl set compress=gzip
:read
:requests
:ctl set compress=deflate
:read
:requests

-- in chunks
:ctl set compress=off
:ctl fault chunked always
:read
:requests

-- over a connection for each request
:ctl fault off
:ctl set keep_alive=off
:read
:requests

-- letters beyond ASCII as escapes
:ctl set keep_alive=on
:ctl set escapes=ascii
:read
:requests
:ctl set escapes=utf8

-- ---- no request at all ----
EXPLAIN (COSTS OFF) SELECT * FROM tasks;
PREPARE all_tasks AS SELECT count(task_name) FROM tasks;
SELECT task_id FROM tasks WHERE false;
SELECT task_id FROM tasks WHERE task_id = NULL;
SELECT task_id FROM tasks LIMIT 0;
SELECT task_id FROM tasks FETCH FIRST 0 ROWS ONLY;
CREATE VIEW task_view AS SELECT * FROM tasks;
SELECT CASE WHEN true THEN 'no' ELSE (SELECT max(task_id) FROM tasks) END;
BEGIN;
DECLARE unread CURSOR FOR SELECT * FROM tasks;
COMMIT;
\o /dev/null
EXPLAIN SELECT status, count(*) FROM tasks WHERE task_name LIKE 'a%' GROUP BY status;
EXPLAIN (VERBOSE) SELECT * FROM tasks a JOIN tasks b USING (task_id) ORDER BY 2;
\d tasks
\d+ task_view
\o
:requests

-- executing the prepared statement makes them
EXECUTE all_tasks;
:requests
EXECUTE all_tasks;
:requests

-- ---- no more than are needed ----

-- a page is asked for when a row of it is needed
SELECT count(task_id) FROM (SELECT task_id FROM tasks LIMIT 5) five;
:requests
SELECT count(task_id) FROM (SELECT task_id FROM tasks LIMIT 100) page;
:requests
SELECT count(task_id) FROM (SELECT task_id FROM tasks LIMIT 101) more;
:requests
SELECT EXISTS (SELECT FROM tasks WHERE status = 'failed');
:requests
SELECT status FROM (SELECT status FROM tasks WHERE status = 'failed' LIMIT 2) failed;
:requests

-- a filter that nothing passes takes them all
SELECT EXISTS (SELECT FROM tasks WHERE status = 'lost');
:requests

-- each list from its own place
:ctl objects 3
CREATE SCHEMA lists;
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO lists;
SELECT count(task_name), count(DISTINCT task_id) FROM lists.nclue_tasks;
SELECT count(feature_name), count(DISTINCT feature_id) FROM lists.nclue_features;
SELECT count(run_name), count(DISTINCT run_id) FROM lists.nclue_task_runs;
SELECT count(profile_name), count(DISTINCT profile_id) FROM lists.nclue_shopping_intents;
SELECT count(profile_name), count(DISTINCT profile_id) FROM lists.nclue_custom_attributes;
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP SCHEMA lists;
