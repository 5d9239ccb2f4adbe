-- Lists that change while they are read, in other ways than moving.sql has them.
\set ECHO none
\i test/sql/moving.psql
\set ECHO all

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
