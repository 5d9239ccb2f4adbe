-- What RFC 8259 allows comes rightly typed, what it forbids is refused, and
-- what it leaves to us is refused with its name; as a value in a page, and as
-- a page's whole body.  test_doc_rfc8259.c has all cases.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (
	x_text text OPTIONS (json_key 'task_name'),
	x_json json OPTIONS (json_key 'task_name'),
	task_id text) SERVER nclue;
CREATE FOREIGN TABLE numbers (
	line_count bigint, as_float float8 OPTIONS (json_key 'line_count'),
	as_numeric numeric OPTIONS (json_key 'line_count'), task_id text) SERVER nclue;
CREATE FOREIGN TABLE names (x jsonb OPTIONS (json_key '*'), task_id text) SERVER nclue;
\set ECHO none
\i test/sql/failure.psql
\set ECHO all
\pset null (null)
\pset format unaligned
\pset tuples_only on
:ctl set order=oldest
:ctl objects 1
:ctl update tasks number=1 task_id='"t"'

-- ---- literals ----
:ctl fault value='task_name:true'
SELECT x_text, x_json FROM tasks;
:ctl fault value='task_name:false'
SELECT x_text, x_json FROM tasks;
:ctl fault value='task_name:null'
SELECT x_text, x_json FROM tasks;

-- ---- structure and white space ----
:ctl fault value="$(printf 'task_name:\t{ "a" :\r\n[ 1 , {} ] }\n ')"
SELECT x_json FROM tasks;
-- names that are equal: the last counts
:ctl fault value='task_name:{"a":1,"b":2,"\u0061":3}'
SELECT x_json FROM tasks;
:ctl fault value='task_name:{"":[],"A":1,"a":2}'
SELECT x_json FROM tasks;

-- ---- numbers ----
:ctl fault value='line_count:9223372036854775807'
SELECT * FROM numbers;
:ctl fault value='line_count:-9223372036854775808'
SELECT line_count, as_numeric FROM numbers;
:ctl fault value='line_count:-0'
SELECT * FROM numbers;
:ctl fault value='line_count:9007199254740993'
SELECT line_count, as_numeric FROM numbers;
:ctl fault value='line_count:-0.0'
SELECT as_float, as_numeric FROM numbers;
:ctl fault value='line_count:1E+2'
SELECT as_float, as_numeric FROM numbers;
:ctl fault value='line_count:0.30000000000000004e0'
SELECT as_float, as_numeric FROM numbers;
:ctl fault value='line_count:1.7976931348623157e308'
SELECT as_float FROM numbers;
:ctl fault value='line_count:5e-324'
SELECT as_float FROM numbers;
:ctl fault value='line_count:1e-400'
SELECT as_float FROM numbers;
-- a whole number is one however it is written
:ctl fault value='line_count:1e3'
SELECT line_count, as_float, as_numeric FROM numbers;

-- ---- strings ----
:ctl fault value='task_name:"\"\\\/\b\f\n\r\t\u0001"'
SELECT to_json(x_text), x_json FROM tasks;
:ctl fault value='task_name:"\uD55C\uae00 \uD83D\uDC36"'
SELECT x_text, length(x_text), x_json FROM tasks;
:ctl fault value="$(printf 'task_name:"\177\302\205\357\273\277\364\217\277\277"')"
SELECT encode(convert_to(x_text, 'UTF8'), 'hex') FROM tasks;

-- ---- what is no JSON: one of each kind ----
CREATE FUNCTION pg_temp.refused() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(part, ' ' ORDER BY n)
	FROM pg_temp.failure('SELECT x_text FROM tasks', 'SELECT count(task_id) FROM tasks', false)
		WITH ORDINALITY failure (part, n)
	WHERE part ~ '^22032|^then|^no failure'
$$;
:ctl fault value='task_name:'
SELECT pg_temp.refused();
:ctl fault value='task_name:True'
SELECT pg_temp.refused();
:ctl fault value='task_name:[1,]'
SELECT pg_temp.refused();
:ctl fault value='task_name:{"a":1,}'
SELECT pg_temp.refused();
:ctl fault value="task_name:'x'"
SELECT pg_temp.refused();
:ctl fault value='task_name:{x:1}'
SELECT pg_temp.refused();
:ctl fault value='task_name:/* x */1'
SELECT pg_temp.refused();
:ctl fault value='task_name:01'
SELECT pg_temp.refused();
:ctl fault value='task_name:+1'
SELECT pg_temp.refused();
:ctl fault value='task_name:1.'
SELECT pg_temp.refused();
:ctl fault value='task_name:-Infinity'
SELECT pg_temp.refused();
:ctl fault value='task_name:0x10'
SELECT pg_temp.refused();
:ctl fault value='task_name:"\x41"'
SELECT pg_temp.refused();
:ctl fault value='task_name:"\u12"'
SELECT pg_temp.refused();
:ctl fault value="$(printf 'task_name:"a\nb"')"
SELECT pg_temp.refused();
:ctl fault value="$(printf 'task_name:"\300\200"')"
SELECT pg_temp.refused();
:ctl fault value='task_name:1]'
SELECT pg_temp.refused();
:ctl fault value='task_name:"x'
SELECT pg_temp.refused();

-- ---- what the RFC leaves to us: named, with its place ----
\set failure 'SELECT part FROM pg_temp.failure(''SELECT x_text FROM tasks'', ''SELECT count(task_id) FROM tasks'') part WHERE part !~ ''^(HINT|CONTEXT)'';'
:ctl fault value='task_name:9223372036854775808'
:failure
:ctl fault value='task_name:-1e309'
:failure
:ctl fault value='task_name:"\uDC36\uD83D"'
:failure
:ctl fault value='task_name:{"\u0000":1}'
:failure
-- and in a look-up
:ctl objects 0
:ctl insert tasks id=u
:ctl fault value='line_count:9223372036854775808'
SELECT pg_temp.failure('SELECT x_text FROM tasks WHERE task_id = ''u''', 'SELECT count(task_id) FROM tasks');
:requests | tail -n 2

-- ---- a page's whole body ----
:ctl fault bom
SELECT x->>'task_id' FROM names;
:ctl fault body="$(printf '\r\n\t {"tasks" : [ {"task_id":"b"} ]}\n ')"
SELECT x FROM names;
:ctl fault body='{"tasks":[{"task_id":"b"}]}]'
SELECT pg_temp.refused();
:ctl fault body='{"tasks":[{"task_id":"b"}]} {"tasks":[]}'
SELECT pg_temp.refused();
:ctl fault body='({"tasks":[]})'
SELECT pg_temp.refused();
:ctl fault body="$(printf '\357\273\277\357\273\277{"tasks":[]}')"
SELECT pg_temp.refused();

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
