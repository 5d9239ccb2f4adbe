-- nclue_fdw_check(): each usual mistake shows in the row that it belongs to, with
-- advice; it raises for none of them, makes at most three requests, and shows
-- no key.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0');
\set ECHO none
\i test/sql/check.psql
\set ECHO all
\pset tuples_only on
\pset format unaligned

-- ---- options and mapping ----

-- no mapping
SELECT pg_temp.checked();
:requests

-- no secret key
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (access_key 'AK_TEST');
SELECT pg_temp.checked();

-- no access key
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (DROP access_key, ADD secret_key 'SK_TEST');
SELECT pg_temp.checked();

-- neither
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (DROP secret_key);
SELECT pg_temp.checked();
:requests
DROP USER MAPPING FOR CURRENT_USER SERVER nclue;

-- a mapping of PUBLIC is one; all is well
CREATE USER MAPPING FOR PUBLIC SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
SELECT pg_temp.checked();
:requests
SELECT pg_temp.checked(steps => '^mapping');

-- one's own comes before it
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
SELECT replace(line, current_user, 'the user')
FROM pg_temp.checked(steps => '^mapping') AS line;
DROP USER MAPPING FOR PUBLIC SERVER nclue;
:requests

-- the steps, in their order
SELECT string_agg(step, ', ' ORDER BY n)
FROM nclue_fdw_check('nclue') WITH ORDINALITY AS c (step, ok, detail, advice, n);
SELECT detail = nclue_fdw_version() FROM nclue_fdw_check('nclue') WHERE step = 'versions';
SELECT detail = 'endpoint ' || :'endpoint' FROM nclue_fdw_check('nclue') WHERE step = 'options';
SELECT pg_temp.checked(steps => '^(conn|TLS|sig|clock|list|index|total)');
:requests

-- an option that is not valid, which only a change of the catalog can make
UPDATE pg_foreign_server SET srvoptions = srvoptions || '{timeout=soon}' WHERE srvname = 'nclue';
SELECT pg_temp.checked();
:requests
ALTER SERVER nclue OPTIONS (DROP timeout);

-- ---- keys ----

-- a wrong secret
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET secret_key 'SK_WRONG');
SELECT pg_temp.checked();
:requests

-- an unknown access key
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (SET access_key 'AK_WRONG', SET secret_key 'SK_TEST');
SELECT pg_temp.checked();
:requests
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET access_key 'AK_TEST');

-- not subscribed, as the gateway says it
:ctl fault status=401 code=210 message='Permission Denied'
SELECT pg_temp.checked();
:requests

-- not permitted, as NCLUE says it
:ctl fault status=401 code=10100 message=ACCESS_DENIED
SELECT pg_temp.checked();
:requests

-- a web page that forbids says nothing of the keys
:ctl fault html status=403
SELECT pg_temp.checked();
:requests

-- the clock is behind
:ctl set clock=605
SELECT pg_temp.checked();
:requests

-- the clock is ahead
:ctl set clock=-4005
SELECT pg_temp.checked();
:requests

-- within what the service allows
:ctl set clock=205
SELECT pg_temp.checked();
:requests
SELECT pg_temp.checked(steps => '^clock');
:ctl set clock=0

-- a service whose clock is wrong, and that accepts the requests
:ctl fault date=7205 next=2
SELECT pg_temp.checked();
:requests

-- answers without a date
:ctl fault header=Date: next=2
SELECT pg_temp.checked(steps => '^(clock|list)');
:requests

-- ---- the way to the service ----

-- an unknown host
ALTER SERVER nclue OPTIONS (SET endpoint 'https://nosuch.invalid/api/v1');
SELECT pg_temp.checked(words => false);

-- an unknown proxy
ALTER SERVER nclue OPTIONS (ADD proxy 'http://nosuch.invalid:3128');
SELECT pg_temp.checked(words => false);

-- a proxy that does not listen
ALTER SERVER nclue OPTIONS (SET proxy 'http://127.0.0.1:1');
SELECT pg_temp.checked(words => false);
ALTER SERVER nclue OPTIONS (DROP proxy);

-- nobody listens
ALTER SERVER nclue OPTIONS (SET endpoint 'http://127.0.0.1:1/api/v1');
SELECT pg_temp.checked(words => false);

-- who listens does not answer the TLS handshake
:ctl set accept=stall
SELECT replace(:'endpoint', 'http:', 'https:') AS tls_endpoint \gset
ALTER SERVER nclue OPTIONS (SET endpoint :'tls_endpoint', ADD connect_timeout '0.2');
SELECT pg_temp.checked(words => false);

-- ... and the limit of the whole request is the tighter one
ALTER SERVER nclue OPTIONS (DROP connect_timeout, ADD timeout '0.2');
SELECT pg_temp.checked(words => false);
:ctl set accept=normal
ALTER SERVER nclue OPTIONS (DROP timeout);

-- a file of certificate authorities that is none
ALTER SERVER nclue OPTIONS (ADD ca_file '/nonexistent/ca.pem');
SELECT pg_temp.checked(words => false);
ALTER SERVER nclue OPTIONS (DROP ca_file, SET endpoint :'endpoint');

-- closed as soon as it is accepted
:ctl set accept=close
SELECT pg_temp.checked(words => false);
:ctl set accept=normal
:requests

-- what answers does not speak HTTP
:ctl fault raw='220 mail.example.com ESMTP'
SELECT pg_temp.checked(words => false);
:requests

-- ---- answers ----

-- a wrong path, which the gateway does not know
SELECT replace(:'endpoint', 'v1', 'v9') AS wrong \gset
ALTER SERVER nclue OPTIONS (SET endpoint :'wrong');
SELECT pg_temp.checked();
:requests
ALTER SERVER nclue OPTIONS (SET endpoint :'endpoint');

-- a web page
:ctl fault html
SELECT pg_temp.checked(words => false);
:requests

-- JSON of another kind
:ctl fault body='{"items":[]}'
SELECT pg_temp.checked();
:requests
:ctl fault no_array
SELECT pg_temp.checked();
:requests

-- no body at all
:ctl fault empty_body
SELECT pg_temp.checked();
:requests

-- a redirect
:ctl fault redirect=https://www.example.com/
SELECT pg_temp.checked();
:requests

-- an error of the service's in an answer that has status 200
:ctl fault body='{"error":{"errorCode":"200","message":"Authentication Failed"}}'
SELECT pg_temp.checked();
:requests

-- an error's code beside an empty list
:ctl fault body='{"errorCode":"900","message":"Unexpected Error","total":0,"tasks":[]}'
SELECT pg_temp.checked();
:requests

-- too many requests
:ctl fault status=429 code=420 next=9
SELECT pg_temp.checked();
:requests
:ctl fault off

-- ... only the second: what the first one has shown holds, but the list
:ctl fault status=429 code=420 request=+2
SELECT pg_temp.checked();
:requests
:ctl fault off

-- no quota left
:ctl fault status=429 code=400
SELECT pg_temp.checked();
:requests

-- the service fails: nothing is tried again
:ctl fault status=500 code=900 next=9
SELECT pg_temp.checked();
:requests
:ctl fault status=503 code=500 next=9
SELECT pg_temp.checked();
:requests
:ctl fault off

-- no answer in time
ALTER SERVER nclue OPTIONS (ADD timeout '0.3');
:ctl fault stall
SELECT pg_temp.checked();
:requests
ALTER SERVER nclue OPTIONS (DROP timeout);

-- no answer at all
:ctl set keep_alive=off
:ctl fault close
SELECT pg_temp.checked(words => false);
:requests
:ctl set keep_alive=on

-- an object without an id, on the first page and on the second
:ctl fault id_missing row=1
SELECT pg_temp.checked();
:requests
:ctl fault id_null request=+2
SELECT pg_temp.checked();
:requests

-- an id twice on one page
:ctl fault id_twice row=1 next=9
SELECT pg_temp.checked();
:requests
:ctl fault off

-- ids that are numbers; keys in another case
:ctl fault id_number row=1
SELECT pg_temp.checked(steps => '^list');
:ctl set keys=upper envelope_keys=upper
SELECT pg_temp.checked(steps => '^(list|index|total)');
:ctl set keys=documented envelope_keys=documented
:requests

-- ---- what index counts ----

-- pages, and the option says rows
:ctl set index_unit=page
SELECT pg_temp.checked();
:requests

-- ... as the option says
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests

-- rows, and the option says pages
:ctl set index_unit=row
SELECT pg_temp.checked();
:requests

-- nothing
:ctl set index_unit=ignored
SELECT pg_temp.checked();
:requests
ALTER SERVER nclue OPTIONS (DROP index_unit);
SELECT pg_temp.checked();
:requests
:ctl set index_unit=row

-- the list changes between the requests: nothing is known, and nothing wrong
:ctl churn request=+2 insert tasks position=0
SELECT pg_temp.checked();
:requests
:ctl churn request=+2 delete tasks position=0
SELECT pg_temp.checked();
:requests
:ctl objects 2
:ctl churn request=+2 delete tasks position=0
SELECT pg_temp.checked();
:requests
:ctl churn off

-- an empty list
:ctl objects 0
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests

-- one object
:ctl objects 1
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests

-- two objects
:ctl objects 2
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests
:ctl set index_unit=page
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests
:ctl set index_unit=ignored
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests
:ctl set index_unit=page
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests
:ctl set index_unit=row
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests
ALTER SERVER nclue OPTIONS (DROP index_unit);

-- three objects
:ctl objects 3
SELECT pg_temp.checked(steps => '^(list|index|total)');
:ctl set index_unit=page
SELECT pg_temp.checked(steps => '^(list|index|total)');
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
SELECT pg_temp.checked(steps => '^(list|index|total)');
:ctl set index_unit=row
SELECT pg_temp.checked(steps => '^(list|index|total)');
ALTER SERVER nclue OPTIONS (DROP index_unit);
:requests

-- ---- what total is ----

-- the page's own count, with 250, 3, 2, 1 objects and none
:ctl set total=page
:ctl objects 250
SELECT pg_temp.checked(steps => '^total');
:ctl objects 3
SELECT pg_temp.checked(steps => '^total');
:ctl objects 2
SELECT pg_temp.checked(steps => '^total');
:ctl objects 1
SELECT pg_temp.checked(steps => '^total');
:ctl objects 0
SELECT pg_temp.checked(steps => '^total');
:requests

-- ... where index counts pages
:ctl set index_unit=page
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
:ctl objects 3
SELECT pg_temp.checked(steps => '^total');
:ctl objects 2
SELECT pg_temp.checked(steps => '^total');
ALTER SERVER nclue OPTIONS (DROP index_unit);
:ctl set index_unit=row
:requests

-- not there, null, no number, negative
:ctl objects 250
:ctl set total=missing
SELECT pg_temp.checked(steps => '^total');
:ctl set total=null
SELECT pg_temp.checked(steps => '^total');
:ctl set total=negative
SELECT pg_temp.checked(steps => '^total');

-- a string is read as a number
:ctl set total=string
SELECT pg_temp.checked(steps => '^total');
:requests

-- more than the list has, or less than the page
:ctl set total=large
:ctl objects 0
SELECT pg_temp.checked(steps => '^total');
:ctl objects 1
SELECT pg_temp.checked(steps => '^total');
:ctl objects 2
SELECT pg_temp.checked(steps => '^total');
:ctl set total=small
SELECT pg_temp.checked(steps => '^total');
:ctl objects 3
SELECT pg_temp.checked(steps => '^total');
:requests

-- a server that gives fewer objects than asked for, and says so
:ctl set total=grand limit_cap=1
SELECT pg_temp.checked(steps => '^(index|total)');
:requests

-- a server that gives more
:ctl set limit_cap=0 limit_fixed=20
:ctl objects 250
SELECT pg_temp.checked(steps => '^(list|index|total)');
:requests
:ctl set limit_fixed=0

-- ---- rights ----

CREATE ROLE regress_nclue_check;
SELECT has_function_privilege('regress_nclue_check', 'nclue_fdw_check(text)', 'EXECUTE');
SET ROLE regress_nclue_check;
\set VERBOSITY sqlstate
SELECT * FROM nclue_fdw_check('nclue');
RESET ROLE;
GRANT EXECUTE ON FUNCTION nclue_fdw_check(text) TO regress_nclue_check;

-- no right to use the server
SET ROLE regress_nclue_check;
\set VERBOSITY terse
SELECT * FROM nclue_fdw_check('nclue');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER nclue TO regress_nclue_check;

-- another's mapping is not used
SET ROLE regress_nclue_check;
SELECT pg_temp.checked(steps => '^(options|mapping|connection)');
RESET ROLE;
:requests

-- who owns a function that is run with their rights lends their mapping
CREATE FUNCTION pg_temp.lent() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS
	$$ SELECT ok FROM public.nclue_fdw_check('nclue') WHERE step = 'list' $$;
SET ROLE regress_nclue_check;
SELECT pg_temp.lent();
RESET ROLE;
:requests
DROP OWNED BY regress_nclue_check;
DROP ROLE regress_nclue_check;

-- no such server; no name; servers of another wrapper
SELECT * FROM nclue_fdw_check('nosuch');
SELECT count(*) FROM nclue_fdw_check(NULL);
CREATE FOREIGN DATA WRAPPER regress_other;
CREATE SERVER other FOREIGN DATA WRAPPER regress_other;
SELECT * FROM nclue_fdw_check('other');
DROP FOREIGN DATA WRAPPER regress_other CASCADE;
\set VERBOSITY default
:requests

-- ---- wherever it is run ----

-- in a transaction that only reads, and that goes on after a mistake was found
BEGIN READ ONLY;
SELECT bool_and(ok) FROM nclue_fdw_check('nclue') WHERE step <> 'rate limiter';
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
SELECT bool_and(ok) FROM nclue_fdw_check('nclue') WHERE step <> 'rate limiter';
COMMIT;
BEGIN;
DROP USER MAPPING FOR CURRENT_USER SERVER nclue;
SELECT step FROM nclue_fdw_check('nclue') WHERE NOT ok AND step <> 'rate limiter';
SELECT step FROM nclue_fdw_check('nclue') WHERE NOT ok AND step <> 'rate limiter';
ROLLBACK;
SELECT bool_and(ok) FROM nclue_fdw_check('nclue') WHERE step <> 'rate limiter';
:requests

-- for several servers in one statement
CREATE SERVER nclue2 FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint :'endpoint', rate_limit '0');
SELECT srvname, step, ok FROM pg_foreign_server, nclue_fdw_check(srvname)
WHERE srvname ~ '^nclue' AND step IN ('mapping', 'list') ORDER BY 1, 2;
SELECT count(*) FROM (SELECT nclue_fdw_check('nclue') LIMIT 3) AS c;
:requests

-- beside a scan of the same server
CREATE FOREIGN TABLE tasks (task_id text) SERVER nclue OPTIONS (page_size '100');
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM tasks;
MOVE 100 IN c;
SELECT bool_and(ok) FROM nclue_fdw_check('nclue') WHERE step <> 'rate limiter';
MOVE ALL IN c;
COMMIT;
:requests

-- what a statement may make is enough or not
SET nclue_fdw.max_requests = 1;
SELECT pg_temp.checked();
SELECT pg_temp.checked(steps => '^rate');
:requests
RESET nclue_fdw.max_requests;

-- it ends where it is interrupted: no row says so
ALTER SERVER nclue OPTIONS (ADD timeout '300');
:ctl fault stall
SET statement_timeout = '1s';
\set VERBOSITY sqlstate
SELECT * FROM nclue_fdw_check('nclue');
RESET statement_timeout;
\set VERBOSITY default
SELECT bool_and(ok) FROM nclue_fdw_check('nclue') WHERE step <> 'rate limiter';
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
