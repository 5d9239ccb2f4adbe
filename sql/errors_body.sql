-- Answers that came well and cannot be used: what each becomes.  Every failing
-- page costs one request, and the session goes on.
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

-- ---- not JSON ----

-- a web page with status 200
:ctl fault html
SELECT pg_temp.failure(words => false);
:requests

-- an empty body
:ctl fault empty_body
SELECT pg_temp.failure(words => false);
:requests

-- white space only
:ctl fault body='   '
SELECT pg_temp.failure(words => false);
:requests

-- words
:ctl fault body='not JSON at all'
SELECT pg_temp.failure(words => false);
:requests

-- JSON cut short, by the service itself
:ctl fault body='{"index":0,"limit":100,"total":3,"tasks":[{"task_id":"x"}'
SELECT pg_temp.failure(words => false);
:requests

-- something behind it
:ctl fault body='{"tasks":[]} {}'
SELECT pg_temp.failure(words => false);
:requests

-- bytes that are not UTF-8
:ctl fault body="$(printf '{"tasks":[{"task_id":"\377\303"}]}')"
SELECT pg_temp.failure(words => false);
:requests

-- nesting too deep
:ctl fault deep=10000
SELECT pg_temp.failure();
:requests

-- an integer beyond 64 bits
:ctl fault body='{"total":9223372036854775808,"tasks":[]}'
SELECT pg_temp.failure();
:requests

-- and in an object, which the detail names
:ctl fault bigint=line_count row=1
SELECT pg_temp.failure();
:requests

-- a byte order mark before it is allowed
:ctl fault bom
SELECT count(task_name) FROM tasks;
:requests

-- as is white space
:ctl fault body="$(printf '\n\t {"tasks":[]}\n ')"
SELECT count(task_name) FROM tasks;
:requests

-- keys that stand there twice: the last counts
:ctl fault duplicate_keys
SELECT count(task_name) FROM tasks;
:requests

-- a good list that calls itself a web page
:ctl set content_type=html
SELECT count(task_name) FROM tasks;
:requests
:ctl set content_type=json

-- ---- not of the documented form ----

-- null
:ctl fault body=null
SELECT pg_temp.failure();
:requests

-- a number
:ctl fault body=42
SELECT pg_temp.failure();
:requests

-- a text
:ctl fault body='"sorry"'
SELECT pg_temp.failure();
:requests

-- an array
:ctl fault body='[]'
SELECT pg_temp.failure();
:requests

-- no array: the message names the keys that are there
:ctl fault no_array
SELECT pg_temp.failure();
:requests

-- an empty object
:ctl fault body='{}'
SELECT pg_temp.failure();
:requests

-- an object in place of the array
:ctl fault array={}
SELECT pg_temp.failure();
:requests

-- null in place of the array
:ctl fault array=null
SELECT pg_temp.failure();
:requests

-- a text in place of the array
:ctl fault array='"none"'
SELECT pg_temp.failure();
:requests

-- another list's array
:ctl fault body='{"index":0,"limit":100,"total":0,"runs":[]}'
SELECT pg_temp.failure();
:requests

-- an element that is no object
:ctl fault array='[7]'
SELECT pg_temp.failure();
:requests

-- null for an element
:ctl fault array='[{"task_id":"a"},null]'
SELECT pg_temp.failure();
:requests

-- a bare array key is enough
:ctl fault body='{"tasks":[]}'
SELECT count(task_name) FROM tasks;
:requests

-- ---- ids ----

-- an object without its id
:ctl fault id_missing row=1
SELECT pg_temp.failure();
:requests

-- null
:ctl fault id_null row=2
SELECT pg_temp.failure();
:requests

-- an empty text
:ctl fault value=task_id:\"\" row=0
SELECT pg_temp.failure();
:requests

-- an object for an id
:ctl fault value=task_id:{}
SELECT pg_temp.failure();
:requests

-- a boolean
:ctl fault value=task_id:true
SELECT pg_temp.failure();
:requests

-- a fraction
:ctl fault value=task_id:1.5
SELECT pg_temp.failure();
:requests

-- an integer is one
:ctl fault id_number
SELECT task_id FROM tasks ORDER BY task_id COLLATE "C";
:requests

-- two objects of one page with one id
:ctl fault id_twice row=2
SELECT pg_temp.failure();
:requests

-- two objects with one number for an id
:ctl fault array='[{"task_id":7},{"task_id":8},{"task_id":7}]'
SELECT pg_temp.failure();
:requests

-- a number and a text of its digits are one id
:ctl fault array='[{"task_id":7},{"task_id":"7"}]'
SELECT pg_temp.failure();
:requests

-- in a table that does not show the id either
:ctl fault id_missing
CREATE FOREIGN TABLE names (task_name text) SERVER nclue;
SELECT pg_temp.failure('SELECT task_name FROM names');
:requests

-- ---- too large ----
ALTER SERVER nclue OPTIONS (ADD max_response_size '16kB');

-- by its Content-Length
:ctl fault huge=1
SELECT pg_temp.failure(words => false);
:requests

-- in chunks
:ctl fault huge=1 chunked=4096
SELECT pg_temp.failure(words => false);
:requests

-- ended by closing
:ctl fault huge=1 http10
SELECT pg_temp.failure(words => false);
:requests

-- that never ends
:ctl fault endless
SELECT pg_temp.failure(words => false);
:requests

-- after decompression, whatever it was before
:ctl fault gzip_bomb=1
SELECT pg_temp.failure(words => false);
:requests

-- a refusal with a large body
:ctl fault status=500 body="$(printf %020000d 7)"
SELECT pg_temp.failure(words => false);
:requests

-- one byte less than a kilobyte, a kilobyte, and one more
ALTER SERVER nclue OPTIONS (SET max_response_size '1kB');
:ctl fault body="$(printf '{"tasks":[]}%1011s' '')"
SELECT count(task_name) FROM tasks;
:requests
:ctl fault body="$(printf '{"tasks":[]}%1012s' '')"
SELECT count(task_name) FROM tasks;
:requests
:ctl fault body="$(printf '{"tasks":[]}%1013s' '')"
SELECT pg_temp.failure(good => 'SELECT 3', words => false);
:requests

-- likewise compressed
:ctl fault gzip body="$(printf '{"tasks":[]}%1012s' '')"
SELECT count(task_name) FROM tasks;
:ctl fault gzip body="$(printf '{"tasks":[]}%1013s' '')"
SELECT pg_temp.failure(good => 'SELECT 3', words => false);
:requests

-- an error beside an empty list is no empty list
ALTER SERVER nclue OPTIONS (DROP max_response_size);
:ctl fault body='{"tasks":[],"errorCode":"420","message":"Rate Limited"}'
SELECT pg_temp.failure();
:ctl fault body='{"total":0,"tasks":[],"error":{"errorCode":"99","message":"Something"}}'
SELECT pg_temp.failure();

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
