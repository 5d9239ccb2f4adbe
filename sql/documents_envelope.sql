-- What a list's envelope may say, and pages that do not fit: the right rows, or
-- an error that says what does not.  Of a list that keeps still.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0', page_size '10');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (task_id text, task_name text) SERVER nclue;
\set ECHO none
\i test/sql/failure.psql
\set ECHO all
\pset tuples_only on
\pset format unaligned

-- :read: how many rows come, and whether they are the list
CREATE TEMP TABLE truth (n serial, id text);
\set truth '\\copy truth (id) from program ''test/standin/ctl ids tasks'''
\set read 'SELECT count(*), array_agg(task_id) IS NOT DISTINCT FROM (SELECT array_agg(id ORDER BY n) FROM truth) FROM tasks;'
:ctl objects 40
:truth

-- ---- a total that changes, though the list does not ----

-- up and down by one: the head is read again
:ctl churn request=+2 set total=41
:ctl churn request=+3 set total=grand
:read
:requests

-- from the list's length to the page's, to none
:ctl churn request=+2 set total=page
:ctl churn request=+4 set total=missing
:read
:requests
:ctl set total=grand

-- from none to the list's length
:ctl set total=missing
:ctl churn request=+3 set total=grand
:read
:requests

-- far too large, but not on the last page
:ctl set total=huge
:ctl churn request=+5 set total=grand
:read
:requests

-- negative in between
:ctl churn request=+3 set total=negative
:ctl churn request=+4 set total=grand
:read
:requests

-- too small in between
:ctl churn request=+3 set total=7
:ctl churn request=+4 set total=grand
:read
:requests

-- too large on the last page: nothing more comes, however often it is asked
:ctl churn request=+5 set total=50
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl set total=grand

-- ---- a total that is simply wrong ----

-- count(*) asks once, and cannot tell
:ctl set total=25
SELECT count(*) FROM tasks;
:ctl set total=large
SELECT count(*) FROM tasks;
:requests
:ctl set total=grand

-- ---- a total that is no number ----

-- none of these is one: as if it were missing
:ctl fault envelope=total:40.0 always
:read
:requests
:ctl fault off
:ctl fault envelope=total:4e1 always
:read
:ctl fault off
:ctl fault envelope=total:true always
:read
:ctl fault off
:ctl fault envelope=total:[40] always
:read
:ctl fault off
:ctl fault envelope='total:{"value":40}' always
:read
:ctl fault off
:ctl fault envelope='total:"about 40"' always
:read
:ctl fault off
:ctl fault envelope='total:"40 "' always
:read
:ctl fault off
:ctl fault envelope='total:"-40"' always
:read
:ctl fault off
:requests | sort | uniq -c

-- these are: the head need not be read again
:ctl fault envelope='total:"40"' always
:read
:ctl fault off
:ctl fault envelope='total:"0040"' always
:read
:ctl fault off
:requests | sort | uniq -c

-- ---- limit ----

-- what is no limit says nothing
:ctl fault envelope=limit:0 always
:read
:ctl fault off
:ctl fault envelope=limit:-1 always
:read
:ctl fault off
:ctl fault envelope=limit:4.5 always
:read
:ctl fault off
:ctl fault envelope='limit:"many"' always
:read
:ctl fault off
:ctl fault envelope=limit:null always
:read
:ctl fault off
:ctl fault envelope=limit:1000000 always
:read
:ctl fault off
:requests | sort | uniq -c

-- less than what came, and no total: only a page shorter than that ends the list
:ctl fault envelope=limit:3 always
:ctl set total=missing
:read
:requests
:ctl fault off
:ctl set total=grand

-- 1: no page is shorter but an empty one, and that shares nothing
:ctl fault envelope=limit:1 always
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl fault off

-- a server that refuses more than 5 says so, and the hint names the option
:ctl fault status=400 message='limit must not exceed 5' always
SELECT pg_temp.failure(good => 'SELECT 3');
:requests
:ctl fault off
:ctl fault status=400 message='limit must not exceed 5' always match=limit=10
ALTER FOREIGN TABLE tasks OPTIONS (ADD page_size '5');
:read
:requests
ALTER FOREIGN TABLE tasks OPTIONS (DROP page_size);
:ctl fault off

-- it gives 4 where 10 are asked for, says neither so nor how long the list is:
-- the list seems to end, and nobody can tell
:ctl set limit_cap=4 envelope_limit=asked total=missing
:read
:requests
-- ... with a total it does not
:ctl set total=grand
:read
:requests
-- ... nor where it says what it gives
:ctl set envelope_limit=effective total=missing
:read
:requests
:ctl set limit_cap=0 total=grand

-- ---- index ----

-- what the envelope says of it is not believed, for documents differ
:ctl fault envelope=index:7 always
:read
:ctl fault off
:ctl fault envelope=index:-1 always
:read
:ctl fault off
:ctl fault envelope='index:"last"' always
:read
:ctl fault off
:ctl fault envelope=index:null always
:read
:ctl fault off
:requests | sort | uniq -c

-- ---- pages that do not fit ----

-- the first page once more in place of the second
:ctl churn request=+2 set index_unit=ignored
:ctl churn request=+3 set index_unit=row
:read
:requests

-- ... in place of the second and the third
:ctl churn request=+2 set index_unit=ignored
:ctl churn request=+4 set index_unit=row
:read
:requests

-- ... without a total
:ctl set total=missing
:ctl churn request=+2 set index_unit=ignored
:ctl churn request=+3 set index_unit=row
:read
:requests
:ctl set total=grand

-- the third page for a moment not there: no page shares a row with it
:ctl fault empty_array request=+3
:read
:requests
:ctl set total=missing
:ctl fault empty_array request=+3
:read
:requests

-- a page cut short, and no total: the list seems to end, and nobody can tell
:ctl fault short=4 request=+3
:read
:requests
:ctl set total=grand

-- two objects with one id on pages that are far apart are one object: it came
-- again because something moved, as far as anybody can tell
SELECT id AS third FROM truth WHERE n = 3 \gset
:ctl update tasks position=25 task_id=:third
SELECT count(*), count(DISTINCT task_id) FROM tasks;
:requests
:ctl objects 40

-- an id that is null on the third page
:ctl fault id_null row=4 request=+3
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- doubled within it
:ctl fault id_twice row=4 request=+3
SELECT * FROM pg_temp.failure(good => 'SELECT 3') AS f WHERE f !~ '^HINT';
:requests

-- ---- ranges ----

-- a total of no use costs a range nothing
:ctl set total=missing
SELECT array_agg(task_id) = (SELECT array_agg(id ORDER BY n) FROM truth WHERE n BETWEEN 6 AND 30)
FROM (SELECT task_id FROM tasks LIMIT 25 OFFSET 5) t;
:requests
:ctl set total=huge
SELECT array_agg(task_id) = (SELECT array_agg(id ORDER BY n) FROM truth WHERE n BETWEEN 6 AND 30)
FROM (SELECT task_id FROM tasks LIMIT 25 OFFSET 5) t;
:requests
-- ... but where it promises rows that do not come
SELECT pg_temp.failure('SELECT task_id FROM tasks LIMIT 10 OFFSET 35', 'SELECT 3');
:requests
:ctl set total=grand

-- a server that gives 4 at most, and says so
SELECT count(*) FROM tasks;
:ctl set limit_cap=4
SELECT array_agg(task_id) = (SELECT array_agg(id ORDER BY n) FROM truth WHERE n BETWEEN 6 AND 17)
FROM (SELECT task_id FROM tasks LIMIT 12 OFFSET 5) t;
:requests
:ctl set limit_cap=0

-- ... that always gives 20
:ctl set limit_fixed=20
SELECT array_agg(task_id) = (SELECT array_agg(id ORDER BY n) FROM truth WHERE n BETWEEN 6 AND 30)
FROM (SELECT task_id FROM tasks LIMIT 25 OFFSET 5) t;
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
