-- Connections that fail, break or do not answer: what each becomes.  Nothing is
-- tried again, and the session goes on.
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
-- each request gets a connection of its own: on one that has been used, libcurl
-- itself sends again what brought no answer at all
:ctl set keep_alive=off

-- ---- no connection ----

-- nobody listens
ALTER SERVER nclue OPTIONS (SET endpoint 'http://127.0.0.1:1/api/v1');
SELECT pg_temp.failure(good => 'SELECT 3', words => false);

-- a host that does not exist
ALTER SERVER nclue OPTIONS (SET endpoint 'https://nosuch.invalid/api/v1',
	ADD timeout '300', ADD connect_timeout '300');
SELECT pg_temp.failure(good => 'SELECT 3', words => false);

-- a proxy that does not exist
ALTER SERVER nclue OPTIONS (ADD proxy 'http://nosuch.invalid:3128');
SELECT pg_temp.failure(good => 'SELECT 3', words => false);

-- a proxy that does not listen
ALTER SERVER nclue OPTIONS (SET proxy 'http://127.0.0.1:1');
SELECT pg_temp.failure(good => 'SELECT 3', words => false);
ALTER SERVER nclue OPTIONS (DROP proxy);

-- who listens breaks off the TLS handshake
:ctl set accept=close
SELECT replace(:'endpoint', 'http:', 'https:') AS tls_endpoint \gset
ALTER SERVER nclue OPTIONS (SET endpoint :'tls_endpoint');
SELECT pg_temp.failure(good => 'SELECT 3', words => false);
:requests

-- who listens does not answer the TLS handshake
:ctl set accept=stall
ALTER SERVER nclue OPTIONS (SET connect_timeout '0.2');
SELECT pg_temp.failure(good => 'SELECT 3', words => false);
:requests
:ctl set accept=normal

-- a file of certificate authorities that is none
ALTER SERVER nclue OPTIONS (ADD ca_file '/nonexistent/ca.pem');
SELECT pg_temp.failure(good => 'SELECT 3', words => false);
:requests
ALTER SERVER nclue OPTIONS (DROP ca_file, DROP timeout, DROP connect_timeout,
	SET endpoint :'endpoint');

-- ---- the connection breaks ----

-- closed as soon as it is accepted
:ctl set accept=close
SELECT pg_temp.failure(good => 'SELECT 3', words => false);
:requests
:ctl set accept=normal

-- reset as soon as it is accepted: whether it ever stood depends on the moment
:ctl set accept=reset
SELECT left(f, 2) FROM pg_temp.failure(good => 'SELECT 3') WITH ORDINALITY AS t (f, line)
WHERE line = 1;
:requests
:ctl set accept=normal

-- closed without an answer
:ctl fault close
SELECT pg_temp.failure(words => false);
:requests

-- reset without an answer
:ctl fault reset
SELECT pg_temp.failure(words => false);
:requests

-- a body shorter than its Content-Length
:ctl fault truncated=10
SELECT pg_temp.failure(words => false);
:requests

-- a body cut in its chunks
:ctl fault chunked_cut=10
SELECT pg_temp.failure(words => false);
:requests

-- reset within the body
:ctl fault reset_body=10
SELECT pg_temp.failure(words => false);
:requests

-- a body cut after its first byte
:ctl fault truncated=1
SELECT pg_temp.failure(words => false);
:requests

-- compressed and cut
:ctl fault gzip truncated
SELECT pg_temp.failure(words => false);
:requests

-- of a refusal
:ctl fault status=503 code=500 truncated=10
SELECT pg_temp.failure(words => false);
:requests

-- closed behind a whole answer: no failure
:ctl fault close_after
SELECT count(task_name) FROM tasks;
:requests

-- an answer that closing ends: no failure
:ctl fault http10
SELECT count(task_name) FROM tasks;
:requests

-- ---- what comes is not HTTP, or broken ----

-- no HTTP
:ctl fault raw='hello'
SELECT pg_temp.failure(words => false);
:requests

-- HTTP/0.9: a body without a head
:ctl fault raw='{"tasks":[]}'
SELECT pg_temp.failure(words => false);
:requests

-- a chunk whose size is no number
:ctl fault chunked_bad
SELECT pg_temp.failure(words => false);
:requests

-- a corrupt compressed body
:ctl fault gzip_corrupt
SELECT pg_temp.failure(words => false);
:requests

-- a body that is not compressed, though it says so
:ctl fault header=Content-Encoding:gzip
SELECT pg_temp.failure(words => false);
:requests

-- a coding that nobody knows
:ctl fault header=Content-Encoding:zip7
SELECT pg_temp.failure(words => false);
:requests

-- headers without an end
:ctl fault big_headers=400
SELECT pg_temp.failure(words => false);
:requests

-- ---- no answer in time ----
:ctl set keep_alive=on
ALTER SERVER nclue OPTIONS (ADD timeout '0.2');

-- no byte of it
:ctl fault stall
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- not the whole body
ALTER SERVER nclue OPTIONS (SET timeout '1');
:ctl fault stall_body=10
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- less of the body than promised
:ctl fault length=10
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- byte by byte
:ctl fault drip=50
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- too late
ALTER SERVER nclue OPTIONS (SET timeout '0.2');
:ctl fault slow=20000
SELECT pg_temp.failure(good => 'SELECT 3');
:requests

-- the message says where the time went
:ctl fault stall
DO $$
DECLARE
	detail text;
BEGIN
	PERFORM task_id FROM tasks;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RAISE NOTICE '%', regexp_replace(detail, '0\.\d\d\d s', 'N s', 'g');
END $$;
:requests

-- without the limit a slow answer is an answer
ALTER SERVER nclue OPTIONS (DROP timeout);
:ctl fault slow=300
SELECT count(task_name) FROM tasks;
:requests

-- in the middle of a list
:ctl set keep_alive=off
:ctl objects 250
:ctl fault close match=index=99
SELECT pg_temp.failure(words => false);
:requests

-- on a connection that has been used before, with answers that do come
:ctl set keep_alive=on
:ctl objects 3
SELECT count(task_name) FROM tasks;
:ctl fault truncated=10
SELECT pg_temp.failure(words => false);
:requests

-- closed there without an answer: libcurl is not let to ask again by itself
:ctl fault close
SELECT pg_temp.failure(words => false);
:requests
:ctl fault close always
SELECT pg_temp.failure(good => 'SELECT 3', words => false);
:requests
:ctl fault off

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
