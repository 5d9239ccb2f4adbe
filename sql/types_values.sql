-- Values at the edges: AUROC as the documents have it, texts that are hard to
-- carry, JSON that is broken; and ids.  What cannot be read names its place,
-- and the session goes on.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
\set ECHO none
\i test/sql/read_as.psql
\i test/sql/failure.psql
\set ECHO all
\pset null (null)
SET client_min_messages = warning;
CREATE FOREIGN TABLE tasks (task_id text, task_name text, status varchar,
	auroc float8, line_count bigint, created_at timestamptz) SERVER nclue;
CREATE FOREIGN TABLE as_json (task_id text, task_name json, status jsonb)
	SERVER nclue;

-- how a statement fails, without the words of other libraries
CREATE FUNCTION pg_temp.place(query text) RETURNS TABLE (sqlstate text,
	place text, context text, afterwards text)
LANGUAGE sql AS $$
	SELECT max(left(part, 5)) FILTER (WHERE n = 1),
		max(substring(part FROM '(?:surrogate pair |out of range |in a key |UTF-8 )?at byte \d+, in element \d+ of "tasks"'))
			FILTER (WHERE part ~ '^DETAIL'),
		max(substring(part FROM '(?:column|page) .*'))
			FILTER (WHERE part ~ '^CONTEXT'),
		max(part) FILTER (WHERE part ~ '^then')
	FROM pg_temp.failure(query) WITH ORDINALITY failure (part, n)
$$;

-- ---- AUROC: a number, a string, null ----
:ctl set order=oldest
:ctl objects 9
:ctl update tasks number=1 task_id='"t-1"' AUROC=0.9054
:ctl update tasks number=2 task_id='"t-2"' AUROC='"0.9054"'
:ctl update tasks number=3 task_id='"t-3"' AUROC=null
:ctl update tasks number=4 task_id='"t-4"' AUROC='""'
:ctl update tasks number=5 task_id='"t-5"' AUROC=0
:ctl update tasks number=6 task_id='"t-6"' AUROC='"NaN"'
:ctl update tasks number=7 task_id='"t-7"' AUROC=1
:ctl update tasks number=8 task_id='"t-8"' AUROC='"0"'
:ctl update tasks number=9 task_id='"t-9"'
:ctl remove-field tasks number=9 AUROC
SELECT task_id, auroc FROM tasks;
:requests
SELECT avg(auroc) FROM tasks WHERE auroc <= 1;
:requests
:ctl update tasks number=4 AUROC='"n/a"'
SELECT pg_temp.failure('SELECT auroc FROM tasks');
:requests
:ctl update tasks number=4 AUROC='"0.9,"'
SELECT pg_temp.failure('SELECT task_name FROM tasks WHERE auroc > 0.5');
:ctl update tasks number=4 AUROC=true
SELECT pg_temp.failure('SELECT max(auroc) FROM tasks');
:ctl update tasks number=4 AUROC='{"value":0.9}'
SELECT pg_temp.failure('SELECT auroc FROM tasks');
-- one that is not asked for is not read
SELECT count(task_name) FROM tasks;
:requests | sort | uniq -c

-- the same under every switch of the stand-in
:ctl objects 50
CREATE TEMP TABLE aurocs AS SELECT task_id, auroc FROM tasks;
SELECT count(*), count(auroc), min(auroc), max(auroc) FROM aurocs;
:ctl set auroc=string
SELECT * FROM aurocs EXCEPT SELECT task_id, auroc FROM tasks;
:ctl set nulls=absent
SELECT * FROM aurocs EXCEPT SELECT task_id, auroc FROM tasks;
:ctl set nulls=empty
SELECT * FROM aurocs EXCEPT SELECT task_id, auroc FROM tasks;
:ctl set nulls=null auroc=null
SELECT count(*), count(auroc) FROM tasks;
:ctl set auroc=number
:requests | sort | uniq -c

-- ---- texts ----
:ctl objects 8
:ctl update tasks number=1 status='"Korean"' task_name='"반려동물 사료 구매 관심 예측"'
:ctl update tasks number=2 status='"escaped"' task_name='"\ubc18\ub824\ub3d9\ubb3c"'
:ctl update tasks number=3 status='"emoji"' task_name='"🛒 \ud83d\uded2 👨‍👩‍👧"'
:ctl update tasks number=4 status='"breaks"' task_name='"two\nlines\r\n\tand a tab"'
:ctl update tasks number=5 status='"quotes"' task_name='"\"double\" '"'"'single'"'"' \\back\\slash \/ \u0022 \\n"'
:ctl update tasks number=6 status='"controls"' task_name='"\u0001\u001f\u007f\b\f"'
:ctl update tasks number=7 status='"spaces"' task_name='"  spaces \u00a0\u3000\ufeff "'
:ctl update tasks number=8 status='"edges"' task_name='"\ufffd\uffff\udbff\udfff\u0800"'
CREATE TEMP TABLE names (status text, name text);
INSERT INTO names VALUES
	('Korean', '반려동물 사료 구매 관심 예측'),
	('escaped', '반려동물'),
	('emoji', U&'\+01F6D2 \+01F6D2 \+01F468\200D\+01F469\200D\+01F467'),
	('breaks', E'two\nlines\r\n\tand a tab'),
	('quotes', '"double" ''single'' \back\slash / " \n'),
	('controls', E'\x01\x1f\x7f\b\f'),
	('spaces', U&'  spaces \00a0\3000\feff '),
	('edges', U&'\fffd\ffff\+10ffff\0800');
SELECT status, task_name = name AS same, char_length(task_name),
	octet_length(task_name)
FROM tasks JOIN names USING (status) ORDER BY status COLLATE "C";
:requests
-- as JSON they are the same texts
SELECT count(*) FROM as_json a JOIN names n
	ON a.status #>> '{}' = n.status AND a.task_name #>> '{}' = n.name;
-- conditions compare them
SELECT status FROM tasks WHERE task_name = '반려동물';
SELECT status FROM tasks WHERE task_name LIKE '%🛒%' AND task_name ~ '👧$';
:requests | sort | uniq -c
-- and the same when they come escaped
:ctl objects 64
CREATE TEMP TABLE more_names AS SELECT task_id, task_name, status FROM tasks;
:ctl set escapes=ascii
SELECT count(*) FROM (SELECT * FROM more_names
	EXCEPT SELECT task_id, task_name, status FROM tasks) different;
:ctl set escapes=utf8
SELECT count(*) FROM tasks JOIN more_names USING (task_id, task_name, status);
:requests | sort | uniq -c

-- 1 MB
:ctl fault long=task_name row=3
SELECT max(length(task_name)) AS length,
	count(*) FILTER (WHERE task_name = repeat('long', 262144)) AS same
FROM tasks;
:ctl fault long=task_name row=3
SELECT max(length(task_name::text)) AS length,
	count(*) FILTER (WHERE task_name #>> '{}' = repeat('long', 262144)) AS same
FROM as_json;
:requests | sort | uniq -c

-- ---- \u0000 ----
:ctl objects 2
:ctl update tasks number=1 task_id='"t-1"'
:ctl update tasks number=2 task_id='"t-2"'
:ctl fault nul=task_name row=1
SELECT pg_temp.failure('SELECT * FROM tasks');
:ctl fault nul=status row=1
SELECT pg_temp.failure('SELECT status FROM tasks');
:ctl fault nul=line_count row=1
SELECT pg_temp.failure('SELECT line_count FROM tasks');
-- json shows it, jsonb refuses it as PostgreSQL does
:ctl fault nul=task_name row=1
SELECT task_id, task_name FROM as_json;
:ctl fault nul=status row=1
SELECT sqlstate, context, afterwards
FROM pg_temp.place('SELECT status FROM as_json');
-- inside an object as well
:ctl fault value='task_name:{"a":["\u0000"]}'
SELECT task_name FROM as_json LIMIT 1;
:ctl fault value='task_name:{"a":["\u0000"]}'
SELECT task_name FROM tasks LIMIT 1;
-- where the value is not asked for it harms nobody
:ctl fault nul=task_name row=1
SELECT task_id FROM tasks;
-- a key cannot have one
:ctl fault value='task_name:{"a\u0000":1}'
SELECT * FROM pg_temp.place('SELECT task_id FROM tasks');
:requests | sort | uniq -c

-- ---- what is no JSON, or cannot be held: the error names the place in the page's body ----
:ctl fault surrogate=task_name row=1
SELECT * FROM pg_temp.place('SELECT * FROM tasks');
:requests
-- also where the column is not asked for: the page cannot be read
:ctl fault surrogate=task_name row=1
SELECT * FROM pg_temp.place('SELECT task_id FROM tasks');
:ctl fault value='task_name:"\udc00 alone"'
SELECT * FROM pg_temp.place('SELECT * FROM as_json');
:ctl fault value='task_name:"\ud800\ud800"'
SELECT * FROM pg_temp.place('SELECT * FROM tasks');
:ctl fault bad_utf8=task_name row=1
SELECT * FROM pg_temp.place('SELECT * FROM tasks');
-- a surrogate in UTF-8, a character in too many bytes, one beyond the last
:ctl fault value="$(printf 'task_name:"\355\240\200"')"
SELECT * FROM pg_temp.place('SELECT * FROM tasks');
:ctl fault value="$(printf 'task_name:"\300\257"')"
SELECT * FROM pg_temp.place('SELECT * FROM tasks');
:ctl fault value="$(printf 'task_name:"\364\220\200\200"')"
SELECT * FROM pg_temp.place('SELECT * FROM tasks');
:ctl fault value="$(printf 'task_name:"cut \352\260"')"
SELECT * FROM pg_temp.place('SELECT * FROM tasks');
-- integers beyond 64 bits, numbers beyond a double, what is no number
:ctl fault bigint=line_count row=1
SELECT * FROM pg_temp.place('SELECT line_count FROM tasks');
:ctl fault value='line_count:-9223372036854775809'
SELECT * FROM pg_temp.place('SELECT line_count FROM tasks');
:ctl fault value='line_count:123456789012345678901234567890'
SELECT * FROM pg_temp.place('SELECT * FROM as_json');
:ctl fault value='AUROC:1e400'
SELECT * FROM pg_temp.place('SELECT auroc FROM tasks');
:ctl fault value='AUROC:NaN'
SELECT * FROM pg_temp.place('SELECT auroc FROM tasks');
:ctl fault value='AUROC:.5'
SELECT * FROM pg_temp.place('SELECT auroc FROM tasks');
:ctl fault value='line_count:007'
SELECT * FROM pg_temp.place('SELECT line_count FROM tasks');
:ctl fault value='task_name:"a raw	tab"'
SELECT * FROM pg_temp.place('SELECT task_name FROM tasks');
-- what is at the edge and allowed
:ctl fault value='line_count:-9223372036854775808'
SELECT line_count FROM tasks LIMIT 1;
:ctl fault value='AUROC:1.7976931348623157e308'
SELECT auroc > 1.797e308 AS biggest FROM tasks LIMIT 1;
:requests | sort | uniq -c

-- ---- ids ----
-- an id may be a number
:ctl fault id_number row=1
SELECT task_id FROM tasks;
CREATE FOREIGN TABLE numbered (task_id bigint NOT NULL, line_count int,
	"Task_Id" numeric) SERVER nclue;
:ctl update tasks number=1 task_id=9223372036854775807 line_count=1
:ctl update tasks number=2 task_id='"-1"' line_count=2
SELECT * FROM numbered;
:ctl update tasks number=1 line_count='"x"'
SELECT pg_temp.failure('SELECT line_count FROM numbered');
:requests | sort | uniq -c
-- but not missing, null, empty, or anything else
:ctl fault id_missing row=1
SELECT pg_temp.failure('SELECT task_id FROM tasks');
:requests
:ctl fault id_missing row=0
SELECT * FROM pg_temp.failure('SELECT count(*) FROM tasks') LIMIT 2;
:ctl fault id_null row=1
SELECT * FROM pg_temp.failure('SELECT task_name FROM tasks') LIMIT 2;
:ctl fault value='task_id:""'
SELECT * FROM pg_temp.failure('SELECT task_id FROM tasks') LIMIT 2;
:ctl fault value='task_id:true'
SELECT * FROM pg_temp.failure('SELECT task_id FROM tasks') LIMIT 2;
:ctl fault value='task_id:{"id":1}'
SELECT * FROM pg_temp.failure('SELECT task_id FROM tasks') LIMIT 2;
:ctl fault value='task_id:["t-1"]'
SELECT * FROM pg_temp.failure('SELECT task_id FROM tasks') LIMIT 2;
:ctl fault value='task_id:1.5'
SELECT * FROM pg_temp.failure('SELECT task_id FROM tasks') LIMIT 2;
:requests | sort | uniq -c
-- two objects of a page with one id
:ctl objects 2
:ctl fault id_twice row=1
SELECT pg_temp.failure('SELECT task_name FROM tasks');
:requests
:ctl update tasks number=1 task_id='"작업 1"'
:ctl update tasks number=2 task_id='"t-2"'
:ctl fault value='task_id:"작업 1"' row=1
SELECT pg_temp.failure('SELECT task_name FROM tasks');
-- a number and the same digits are one id
:ctl update tasks number=1 task_id=4711
:ctl fault value='task_id:"4711"' row=1
SELECT pg_temp.failure('SELECT count(*) FROM tasks');
-- ids that differ in case, in spaces, or behind a NUL are two
:ctl update tasks number=1 task_id='"T-2"'
SELECT task_id FROM tasks;
:ctl fault value='task_id:"t-2 "' row=0
SELECT task_id = 't-2' AS same FROM tasks;
:ctl fault value='task_id:"t-2\u0000"' row=0
SELECT count(*) FROM tasks;
:ctl fault value='task_id:"t-2\u0000"' row=0
SELECT pg_temp.failure('SELECT task_id FROM tasks');
-- of a key that stands there twice the last counts
:ctl fault duplicate_keys
SELECT task_id FROM tasks;
:requests | sort | uniq -c
-- elements that are no objects
:ctl fault array='[{"task_id":"a"},"b"]'
SELECT pg_temp.failure('SELECT task_id FROM tasks');
:ctl fault array='[null]'
SELECT pg_temp.failure('SELECT count(*) FROM tasks');
:ctl fault array='[["task_id","a"]]'
SELECT pg_temp.failure('SELECT count(*) FROM tasks');
-- an object with nothing but its id
:ctl fault array='[{"task_id":"a"}]' envelope=total:1
SELECT * FROM tasks;
:requests | sort | uniq -c

-- ---- errors in the middle of a list: on a later page, in a cursor ----
:ctl objects 250
:ctl update tasks position=150 task_id='"t-150"' line_count='"many"'
SELECT pg_temp.failure('SELECT sum(line_count) FROM tasks', 'SELECT count(*) FROM tasks');
:requests
SELECT count(line_count) FROM (SELECT line_count FROM tasks LIMIT 150) first;
:requests
BEGIN;
DECLARE c CURSOR FOR SELECT line_count FROM tasks OFFSET 148;
FETCH FORWARD 2 FROM c;
SAVEPOINT before;
FETCH c;
ROLLBACK TO before;
SELECT count(task_id) FROM tasks;
ROLLBACK;
:requests | sort | uniq -c
-- an id of some length in the context is cut
:ctl update tasks position=0 task_id="\"$(printf 'x%.0s' $(seq 300))\"" line_count='"y"'
SELECT pg_temp.failure('SELECT line_count FROM tasks', 'SELECT 0');
:requests

DROP EXTENSION nclue_fdw CASCADE;
