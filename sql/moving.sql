-- Lists that change while they are read: no object that is there all the time is
-- lost, none comes twice, none comes that never was.
\set ECHO none
\i test/sql/moving.psql
\set ECHO all

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

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
