-- What each answer that refuses becomes: SQLSTATE, message, detail, hint.
-- Every failing page costs one request, and the session goes on.
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


-- ---- the gateway's codes ----

-- 400, 100: an invalid request
:ctl fault status=400 code=100
SELECT pg_temp.failure();
:requests

-- 401, 200: authentication
:ctl fault status=401 code=200 details='Invalid authentication information.'
SELECT pg_temp.failure();
:requests

-- 401, 210: permission
:ctl fault status=401 code=210
SELECT pg_temp.failure();
:requests

-- 403, 230: forbidden
:ctl fault status=403 code=230
SELECT pg_temp.failure();
:requests

-- 404, 300: a URL that the gateway does not know
:ctl fault status=404 code=300
SELECT pg_temp.failure();
:requests

-- 413, 430: too large a request
:ctl fault status=413 code=430
SELECT pg_temp.failure();
:requests

-- 429, 400: the quota
:ctl fault status=429 code=400
SELECT pg_temp.failure();
:requests

-- 429, 410: throttled
:ctl fault status=429 code=410
SELECT pg_temp.failure();
:requests

-- 429, 420: rate limited
:ctl fault status=429 code=420
SELECT pg_temp.failure();
:requests

-- 500, 900: an unexpected error
:ctl fault status=500 code=900
SELECT pg_temp.failure();
:requests

-- 503, 500: an error of the endpoint
:ctl fault status=503 code=500
SELECT pg_temp.failure();
:requests

-- 504, 510: the endpoint did not answer the gateway
:ctl fault status=504 code=510
SELECT pg_temp.failure();
:requests

-- ---- the service's own codes ----

-- 401, 10100: access denied by the service, not by the gateway
:ctl fault status=401 code=10100
SELECT pg_temp.failure();
:requests

-- 404 with a code of the service
:ctl fault status=404 code=10106
SELECT pg_temp.failure();
:requests

-- 409 with a code of the service
:ctl fault status=409 code=10102
SELECT pg_temp.failure();
:requests

-- 422 with a code of the service
:ctl fault status=422 code=10109
SELECT pg_temp.failure();
:requests

-- a code that nobody knows: the status decides
:ctl fault status=401 code=99999 message='Something new'
SELECT pg_temp.failure();
:requests

-- a code that is a word
:ctl fault status=403 code=NO_SUCH_PLAN message='No plan'
SELECT pg_temp.failure();
:requests

-- ---- shapes of error bodies ----

-- wrapped_number, 401 with 200
:ctl fault status=401 code=200 shape=wrapped_number
SELECT pg_temp.failure();
:requests

-- unwrapped, 429 with 420
:ctl fault status=429 code=420 shape=unwrapped
SELECT pg_temp.failure();
:requests

-- responseError, 401 with 210
:ctl fault status=401 code=210 shape=responseError
SELECT pg_temp.failure();
:requests

-- code_msg, 429 with 400
:ctl fault status=429 code=400 shape=code_msg
SELECT pg_temp.failure();
:requests

-- code_message, 403 with 230
:ctl fault status=403 code=230 shape=code_message
SELECT pg_temp.failure();
:requests

-- no body: the status decides
:ctl fault status=401 shape=empty
SELECT pg_temp.failure();
:requests

-- XML: the status decides, the detail shows where it begins
:ctl fault status=403 code=230 shape=xml
SELECT pg_temp.failure();
:requests

-- HTML
:ctl fault status=502 shape=html message='Bad Gateway'
SELECT pg_temp.failure();
:requests

-- JSON without code or message
:ctl fault status=503 body='{"sorry":true}'
SELECT pg_temp.failure();
:requests

-- JSON that is no object
:ctl fault status=400 body='["sorry"]'
SELECT pg_temp.failure();
:requests

-- a message without a code
:ctl fault status=429 body='{"message":"slow down"}'
SELECT pg_temp.failure();
:requests

-- a code without a message
:ctl fault status=429 body='{"errorCode":"400"}'
SELECT pg_temp.failure();
:requests

-- an "error" that is a text, as web frameworks have it
:ctl fault status=404 body='{"status":404,"error":"Not Found","path":"/api/v1/tasks"}'
SELECT pg_temp.failure();
:requests

-- a byte order mark before it
:ctl fault status=429 code=420 bom
SELECT pg_temp.failure();
:requests

-- text around it is not read as an error body
:ctl fault status=500 body='upstream said {"errorCode":"200"}'
SELECT pg_temp.failure();
:requests

-- ---- code and status that contradict each other ----

-- the gateway's code counts under another status
:ctl fault status=500 code=200
SELECT pg_temp.failure();
:requests

-- an error body under status 200
:ctl fault status=200 code=200
SELECT pg_temp.failure();
:requests

-- a rate limit under status 200
:ctl fault status=200 code=420
SELECT pg_temp.failure();
:requests

-- an unknown code under status 200: no list
:ctl fault status=200 code=99999 message='Something new'
SELECT pg_temp.failure();
:requests

-- ... in Korean
:ctl fault status=200 code=99999 message='알 수 없음'
SELECT pg_temp.failure();
:requests

-- a body that repeats its status as its code is no gateway's
:ctl fault status=400 code=400
SELECT pg_temp.failure();
:requests

-- likewise 500
:ctl fault status=500 code=500
SELECT pg_temp.failure();
:requests

-- ---- statuses ----

-- 204 has no body
:ctl fault status=204
SELECT pg_temp.failure();
:requests

-- 206 is not the list, though its body is
:ctl fault status=206 body='{"tasks":[]}'
SELECT pg_temp.failure();
:requests

-- 304 has no body
:ctl fault status=304
SELECT pg_temp.failure();
:requests

-- 418
:ctl fault status=418 code='' message=''
SELECT pg_temp.failure();
:requests

-- 502 without a body
:ctl fault status=502 shape=empty
SELECT pg_temp.failure();
:requests

-- 500 without a body
:ctl fault status=500 shape=empty
SELECT pg_temp.failure();
:requests

-- 503 without a body
:ctl fault status=503 shape=empty
SELECT pg_temp.failure();
:requests

-- 504 without a body
:ctl fault status=504 shape=empty
SELECT pg_temp.failure();
:requests

-- 429 without a body: may pass
:ctl fault status=429 shape=empty
SELECT pg_temp.failure();
:requests

-- 403 without a body
:ctl fault status=403 shape=empty
SELECT pg_temp.failure();
:requests

-- 404 without a body
:ctl fault status=404 shape=empty
SELECT pg_temp.failure();
:requests

-- 414
:ctl fault status=414 shape=empty
SELECT pg_temp.failure();
:requests

-- 507, unknown
:ctl fault status=507 shape=empty
SELECT pg_temp.failure();
:requests

-- an informational answer before the answer is none
:ctl fault early=103
SELECT count(task_name) FROM tasks;
:requests

-- ---- redirects are not followed ----

-- 301
:ctl fault status=301 redirect=/api/v1/tasks?index=0
SELECT pg_temp.failure();
:requests

-- 302
:ctl fault status=302 redirect=/api/v1/tasks?index=0
SELECT pg_temp.failure();
:requests

-- 307
:ctl fault status=307 redirect=/api/v1/tasks?index=0
SELECT pg_temp.failure();
:requests

-- 308
:ctl fault status=308 redirect=/api/v1/tasks?index=0
SELECT pg_temp.failure();
:requests

-- not to another host either
:ctl fault redirect=http://127.0.0.1:1/
SELECT pg_temp.failure();
:requests

-- ---- trace id and origin ----

-- no trace id, where the answer has none
:ctl set trace=none
:ctl fault status=500 code=900
SELECT pg_temp.failure();
:requests
:ctl set trace=constant

-- as the answer gives it
:ctl fault status=500 code=900 header=x-ncp-trace-id:a1b2-c3
SELECT pg_temp.failure();
:requests

-- a long one is cut
:ctl fault status=500 code=900 header=x-ncp-trace-id:$(printf %0300d 7)
SELECT pg_temp.failure();
:requests

-- ---- foreign text ----

-- control characters become spaces
:ctl fault status=500 body="$(printf '{"message":"one\\ntwo\\u001b[31mthree\\u007f"}')"
SELECT pg_temp.failure();
:requests

-- bytes that are not UTF-8 become question marks
:ctl fault status=500 body="$(printf 'broken \377\303 bytes')"
SELECT pg_temp.failure();
:requests

-- a long message is cut between characters
:ctl fault status=500 code=900 message="$(printf '가%.0s' $(seq 200))"
SELECT pg_temp.failure();
:requests

-- a long body is cut, its white space folded
:ctl fault status=500 body="$(printf 'word \n\t %.0s' $(seq 100))"
SELECT pg_temp.failure();
:requests

-- ---- clocks that differ ----

-- the hint gives the difference: the service's clock is ahead
:ctl set clock=3600
SELECT (regexp_match(f, 'is (\d+) seconds behind'))[1]::int BETWEEN 3590 AND 3610 AS near,
	regexp_replace(f, '\d+ seconds', 'N seconds')
FROM pg_temp.failure(good => 'SELECT 3') f;
:requests

-- the service's clock is behind
:ctl set clock=-3600
SELECT (regexp_match(f, 'is (\d+) seconds ahead'))[1]::int BETWEEN 3590 AND 3610 AS near,
	regexp_replace(f, '\d+ seconds', 'N seconds')
FROM pg_temp.failure(good => 'SELECT 3') f;
:requests
:ctl set clock=0

-- less than five minutes is no reason
:ctl fault status=401 code=200 date=280
SELECT f FROM pg_temp.failure() f WHERE f LIKE 'HINT%';
:requests

-- more is
:ctl fault status=401 code=200 date=320
SELECT regexp_replace(f, '\d+ seconds', 'N seconds') FROM pg_temp.failure() f WHERE f LIKE 'HINT%';
:requests

-- only where credentials were refused
:ctl fault status=403 code=230 date=3600
SELECT f FROM pg_temp.failure() f WHERE f LIKE 'HINT%';
:requests

-- an answer without a date says nothing of clocks
:ctl fault status=401 code=200 header=Date:
SELECT f FROM pg_temp.failure() f WHERE f LIKE 'HINT%';
:requests

-- nor does one with a date that is none
:ctl fault status=401 code=200 header=Date:yesterday
SELECT f FROM pg_temp.failure() f WHERE f LIKE 'HINT%';
:requests

-- ---- where it happened ----

-- the page, on the way through a list
:ctl objects 250
:ctl fault status=503 code=500 match=index=99
SELECT pg_temp.failure();
:requests

-- another list, another table, another server
:ctl fault status=503 code=500
CREATE SERVER "Other One" FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0', page_size '2');
CREATE USER MAPPING FOR CURRENT_USER SERVER "Other One"
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE "Task Runs" (run_id text) SERVER "Other One"
	OPTIONS (resource 'task-runs');
SELECT pg_temp.failure('SELECT * FROM "Task Runs"', 'SELECT 1');
:requests

-- the times of the phases, those that the request reached
:ctl fault status=503 code=500
DO $$
DECLARE
	detail text;
BEGIN
	PERFORM task_id FROM tasks;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RAISE NOTICE '%', regexp_replace(detail, '\d+\.\d\d\d s', 'N s', 'g');
END $$;
:requests

-- ---- as psql shows it ----
\set VERBOSITY terse
:ctl fault status=401 code=200
SELECT * FROM tasks;
\echo :LAST_ERROR_SQLSTATE
:requests

-- ---- keys that the service does not know ----

-- another key
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET access_key 'AK_OTHER');
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- another secret
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (SET access_key 'AK_TEST', SET secret_key 'SK_TEST2');
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- a path that the gateway does not know
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET secret_key 'SK_TEST');
SELECT replace(:'endpoint', 'v1', 'v9') AS wrong \gset
ALTER SERVER nclue OPTIONS (SET endpoint :'wrong');
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
