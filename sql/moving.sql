-- Lists that change while they are read: no object that is there all the time is
-- lost, none comes twice, none comes that never was.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', page_size '10');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (task_id text, task_name text) SERVER nclue;
\set ECHO none
\i test/sql/failure.psql
\set ECHO all
\pset tuples_only on
\pset format unaligned

-- the list's ids before and after :walk, those that it returned, and what
-- :judge says of them: how many came; how many of them twice; how many were
-- there all the time and did not come; how many came and never were there
CREATE TEMP TABLE before (id text);
CREATE TEMP TABLE after (id text);
CREATE TEMP TABLE seen (n serial, id text);
\set start 'TRUNCATE before, after, seen RESTART IDENTITY;'
\set before '\\copy before from program ''test/standin/ctl ids tasks'''
\set walk 'INSERT INTO seen (id) SELECT task_id FROM tasks;'
\set after '\\copy after from program ''test/standin/ctl ids tasks'''
\set judge 'SELECT count(*), count(*) - count(DISTINCT id), (SELECT count(*) FROM (SELECT id FROM before INTERSECT SELECT id FROM after EXCEPT SELECT id FROM seen) AS t), (SELECT count(*) FROM (SELECT id FROM seen EXCEPT SELECT id FROM before EXCEPT SELECT id FROM after) AS t) FROM seen;'

-- moves so many rows from a cursor to seen
CREATE FUNCTION pg_temp.take(c refcursor, rows int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	row record;
BEGIN
	FOR i IN 1..rows LOOP
		FETCH c INTO row;
		EXIT WHEN NOT FOUND;
		INSERT INTO seen (id) VALUES (row.task_id);
	END LOOP;
END $$;

-- ---- newest first ----

-- nothing moves
:ctl objects 40
:start
:before
:walk
:after
:judge
:requests

-- one appears: the row it shifts comes again and is dropped, the head is read again
:ctl objects 40
:start
:before
:ctl churn request=+2 insert tasks
:walk
:after
:judge
:requests

-- three appear at once
:ctl objects 40
:start
:before
\! for i in $(seq 3); do test/standin/ctl churn request=+3 insert tasks; done
:walk
:after
:judge
:requests

-- one that was read vanishes: no row is shared, half a page back
:ctl objects 40
:start
:before
:ctl churn request=+3 delete tasks position=0
:walk
:after
:judge
:requests

-- ... right after the first page: back to the head
:ctl objects 40
:start
:before
:ctl churn request=+2 delete tasks position=0
:walk
:after
:judge
:requests

-- the last row read vanishes itself
:ctl objects 40
:start
:before
:ctl churn request=+3 delete tasks position=18
:walk
:after
:judge
:requests

-- six vanish: two steps back
:ctl objects 40
:start
:before
\! for i in $(seq 6); do test/standin/ctl churn request=+4 delete tasks position=0; done
:walk
:after
:judge
:requests

-- one that was not read vanishes
:ctl objects 40
:start
:before
:ctl churn request=+2 delete tasks position=-1
:walk
:after
:judge
:requests

-- one appears and one vanishes: the boundary stays, and so does total
:ctl objects 40
:start
:before
:ctl churn request=+3 insert tasks
:ctl churn request=+3 delete tasks position=1
:walk
:after
:judge
:requests

-- ... one that was not read vanishes
:ctl objects 40
:start
:before
:ctl churn request=+3 insert tasks
:ctl churn request=+3 delete tasks position=30
:walk
:after
:judge
:requests

-- one appears before the last page
:ctl objects 40
:start
:before
:ctl churn request=+5 insert tasks
:walk
:after
:judge
:requests

-- the last one vanishes before the last page
:ctl objects 40
:start
:before
:ctl churn request=+5 delete tasks position=-1
:walk
:after
:judge
:requests

-- one vanishes before the last page
:ctl objects 40
:start
:before
:ctl churn request=+5 delete tasks position=0
:walk
:after
:judge
:requests

-- one vanishes, and the last page is empty
:ctl objects 37
:start
:before
:ctl churn request=+5 delete tasks position=0
:walk
:after
:judge
:requests

-- all vanish
:ctl objects 40
:start
:before
:ctl churn request=+2 objects 0 tasks
:walk
:after
:judge
:requests

-- many appear
:ctl objects 40
:start
:before
\! for i in $(seq 15); do test/standin/ctl churn request=+2 insert tasks; done
:walk
:after
:judge
:requests

-- most vanish
:ctl objects 40
:start
:before
\! for i in $(seq 30); do test/standin/ctl churn request=+3 delete tasks position=3; done
:walk
:after
:judge
:requests

-- one appears before each request
:ctl objects 40
:start
:before
:ctl churn every=1 insert tasks
:walk
:after
:judge
:requests

-- one vanishes at the head before each request
:ctl objects 40
:start
:before
:ctl churn every=1 delete tasks position=0
:walk
:after
:judge
:requests
:ctl churn off

-- one appears and one vanishes before each request
:ctl objects 40
:start
:before
:ctl churn every=1 insert tasks
:ctl churn every=1 delete tasks position=5
:walk
:after
:judge
:requests
:ctl churn off
:ctl set seed=4

-- likewise, anywhere
:ctl objects 60
:start
:before
:ctl churn every=1 insert tasks position=random
:ctl churn every=1 delete tasks position=random
:walk
:after
:judge
:requests
:ctl churn off

-- where objects keep their places the head need not be read again
ALTER SERVER nclue OPTIONS (ADD list_order 'stable');

-- one appears
:ctl objects 40
:start
:before
:ctl churn request=+2 insert tasks
:walk
:after
:judge
:requests

-- one vanishes
:ctl objects 40
:start
:before
:ctl churn request=+3 delete tasks position=0
:walk
:after
:judge
:requests

-- both, before each request
:ctl objects 40
:start
:before
:ctl churn every=1 insert tasks
:ctl churn every=1 delete tasks position=5
:walk
:after
:judge
:requests
:ctl churn off
ALTER SERVER nclue OPTIONS (DROP list_order);

-- without a total
:ctl set total=missing

-- one appears
:ctl objects 40
:start
:before
:ctl churn request=+2 insert tasks
:walk
:after
:judge
:requests

-- one vanishes
:ctl objects 40
:start
:before
:ctl churn request=+3 delete tasks position=0
:walk
:after
:judge
:requests
:ctl set total=page

-- with the page's own count: one vanishes
:ctl objects 40
:start
:before
:ctl churn request=+3 delete tasks position=0
:walk
:after
:judge
:requests
:ctl set total=grand

-- ---- oldest first ----
:ctl set order=oldest

-- one appears, at the end
:ctl objects 40
:start
:before
:ctl churn request=+2 insert tasks
:walk
:after
:judge
:requests

-- one appears after the last page was full
:ctl objects 36
:start
:before
:ctl churn request=+4 insert tasks
:walk
:after
:judge
:requests

-- one that was read vanishes
:ctl objects 40
:start
:before
:ctl churn request=+3 delete tasks position=4
:walk
:after
:judge
:requests

-- one appears and one vanishes before every third request
:ctl objects 40
:start
:before
:ctl churn every=3 insert tasks
:ctl churn every=3 delete tasks position=0
:walk
:after
:judge
:requests
:ctl churn off
ALTER SERVER nclue OPTIONS (ADD list_order 'stable');

-- before each request, where objects keep their places
:ctl objects 40
:start
:before
:ctl churn every=1 insert tasks
:ctl churn every=1 delete tasks position=0
:walk
:after
:judge
:requests
:ctl churn off
ALTER SERVER nclue OPTIONS (DROP list_order);

-- ---- by name ----
:ctl set order=name

-- one appears before what was read
:ctl objects 40
:start
:before
:ctl churn request=+3 insert tasks task_name=!first
:walk
:after
:judge
:requests

-- one appears between what was read and what was not
:ctl objects 40
:start
:before
:ctl churn request=+3 insert tasks position=19
:walk
:after
:judge
:requests

-- ... and right before the last row read
:ctl objects 40
:start
:before
:ctl churn request=+3 insert tasks position=18
:walk
:after
:judge
:requests

-- one vanishes
:ctl objects 40
:start
:before
:ctl churn request=+3 delete tasks position=7
:walk
:after
:judge
:requests

-- both before each request, anywhere
:ctl objects 60
:start
:before
:ctl churn every=1 insert tasks
:ctl churn every=1 delete tasks position=random
:walk
:after
:judge
:requests
:ctl churn off

-- ---- last changed first ----
:ctl set order=changed

-- one that was not read changes: the head has it
:ctl objects 40
:start
:before
:ctl churn request=+2 touch tasks position=-1
:walk
:after
:judge
:requests

-- one that was read changes: nothing is shifted
:ctl objects 40
:start
:before
:ctl churn request=+3 touch tasks position=4
:walk
:after
:judge
:requests

-- the last row read changes
:ctl objects 40
:start
:before
:ctl churn request=+3 touch tasks position=18
:walk
:after
:judge
:requests

-- the next row to be read changes
:ctl objects 40
:start
:before
:ctl churn request=+3 touch tasks position=19
:walk
:after
:judge
:requests

-- nine change, the most that is promised
:ctl objects 40
:start
:before
\! for i in $(seq 9); do test/standin/ctl churn request=+3 touch tasks position=-1; done
:walk
:after
:judge
:requests

-- one changes before each request
:ctl objects 40
:start
:before
:ctl churn every=1 touch tasks position=-1
:walk
:after
:judge
:requests
:ctl churn off

-- one appears, one vanishes, one changes
:ctl objects 40
:start
:before
:ctl churn request=+3 insert tasks
:ctl churn request=+4 delete tasks position=2
:ctl churn request=+4 touch tasks position=-1
:walk
:after
:judge
:requests

-- one that was read vanishes, one that was not changes: the numbers agree
:ctl objects 40
:start
:before
:ctl churn request=+3 delete tasks position=0
:ctl churn request=+3 touch tasks position=-1
:walk
:after
:judge
:requests

-- the same without a total: a b c in pages of two
:ctl set total=missing
ALTER SERVER nclue OPTIONS (SET page_size '2');

-- a vanishes, c changes
:ctl objects 3
:start
:before
:ctl churn request=+2 delete tasks position=0
:ctl churn request=+2 touch tasks position=-1
:walk
:after
:judge
:requests
:ctl set total=grand
ALTER SERVER nclue OPTIONS (SET page_size '10');
:ctl set order=newest

-- ---- where index counts pages ----
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
:ctl set index_unit=page

-- nothing moves
:ctl objects 40
:start
:before
:walk
:after
:judge
:requests

-- one appears
:ctl objects 40
:start
:before
:ctl churn request=+2 insert tasks
:walk
:after
:judge
:requests

-- one vanishes
:ctl objects 40
:start
:before
:ctl churn request=+3 delete tasks position=0
:walk
:after
:judge
:requests

-- both before each request, anywhere
:ctl objects 60
:start
:before
:ctl churn every=1 insert tasks position=random
:ctl churn every=1 delete tasks position=random
:walk
:after
:judge
:requests
:ctl churn off
ALTER SERVER nclue OPTIONS (DROP index_unit);
:ctl set index_unit=row

-- ---- a page cut short ----

-- within the list: total says that more follows
:ctl objects 40
:start
:before
\! test/standin/ctl fault short=4 request=+2
:walk
:after
:judge
:requests

-- ... and an empty one
:ctl objects 40
:start
:before
\! test/standin/ctl fault short=0 request=+2
:walk
:after
:judge
:requests

-- the first
:ctl objects 40
:start
:before
\! test/standin/ctl fault short=4 request=+1
:walk
:after
:judge
\! test/standin/ctl requests | sed 1q

-- ---- pages of 100 ----
ALTER SERVER nclue OPTIONS (SET page_size '100');

-- one appears and one vanishes before each request
:ctl objects 1000
:start
:before
:ctl churn every=1 insert tasks
:ctl churn every=1 delete tasks position=random
:walk
:after
:judge
:requests
:ctl churn off

-- three that were read vanish
:ctl objects 1000
:start
:before
\! for i in $(seq 3); do test/standin/ctl churn request=+5 delete tasks position=10; done
:walk
:after
:judge
:requests
ALTER SERVER nclue OPTIONS (SET page_size '10');

-- ---- a cursor that rests meanwhile ----

-- what vanishes while nobody reads
:ctl objects 40
:start
:before
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
SELECT pg_temp.take('c', 15);
:requests
:ctl delete tasks position=3
:ctl delete tasks position=12
:ctl delete tasks position=30
SELECT pg_temp.take('c', 100);
:after
COMMIT;
:judge
:requests

-- what appears among what was read
:ctl objects 40
:start
:before
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
SELECT pg_temp.take('c', 15);
:requests
:ctl insert tasks position=12 id=new
SELECT pg_temp.take('c', 100);
:after
COMMIT;
:judge
:requests

-- ---- fields ----

-- an object is as it was on the page that it was first read on
:ctl objects 40
:ctl churn request=+2 update tasks position=9 task_name=changed
:ctl churn request=+2 update tasks position=20 task_name=changed
SELECT n FROM (SELECT row_number() OVER () AS n, task_name FROM tasks) AS t WHERE task_name = 'changed';
:requests

-- ---- too fast ----

-- as many appear as can be read: the seventh page in a row that brings nothing
:ctl objects 100
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 15 FROM c;
:requests
\! for i in $(seq 9); do test/standin/ctl churn every=1 insert tasks; done
\set VERBOSITY sqlstate
MOVE ALL FROM c;
ROLLBACK;
\set VERBOSITY default
:requests
:ctl churn off

-- more vanish than going back reaches: 12 requests and two for each page that
-- brought something, 23 of which were made before
:ctl objects 1000
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 205 FROM c;
\! test/standin/ctl requests | wc -l
\! for i in $(seq 10); do test/standin/ctl churn every=1 delete tasks position=0; done
\set VERBOSITY sqlstate
MOVE ALL FROM c;
ROLLBACK;
\set VERBOSITY default
\! test/standin/ctl requests | wc -l
:ctl churn off

-- the first to vanish is the oldest, before each request: no walk goes on for ever
:ctl set order=oldest
:ctl objects 40
:start
:before
:ctl churn every=1 insert tasks
:ctl churn every=1 delete tasks position=0
SET statement_timeout = '20s';
DO $$
BEGIN
	INSERT INTO seen (id) SELECT task_id FROM tasks;
EXCEPTION WHEN serialization_failure THEN
	INSERT INTO seen (id) SELECT id FROM before;
END $$;
RESET statement_timeout;
:after
:ctl churn off
:ctl set order=newest
SELECT count(*) BETWEEN 40 AND 200, count(*) = count(DISTINCT id) FROM seen;
\! test "$(test/standin/ctl requests | wc -l)" -le 200 && echo few requests

-- the report
:ctl objects 100
CREATE FUNCTION pg_temp.too_fast() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c CURSOR FOR SELECT task_id FROM tasks;
BEGIN
	OPEN c;
	MOVE FORWARD 15 FROM c;
	MOVE FORWARD ALL FROM c;
END $$;
\! for i in $(seq 9); do for n in 3 4 5 6 7 8 9; do test/standin/ctl churn request=+$n insert tasks; done; done
SELECT pg_temp.failure('SELECT pg_temp.too_fast()', 'SELECT 3');
:requests

-- and the next statement has the whole list
:ctl objects 40
:start
:before
:walk
:after
:judge
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
