-- Options: where each may stand, its values, what is said of others, its effect
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
SET TimeZone = 'UTC';
\pset null '(none)'
\pset format unaligned

-- Tries an option on a new object, of which nothing stays.
CREATE FUNCTION tried(object text, option text, value text,
                      OUT state text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(CASE object
    WHEN 'wrapper' THEN 'ALTER FOREIGN DATA WRAPPER nclue_fdw OPTIONS (ADD %I %L)'
    WHEN 'server' THEN 'CREATE SERVER scratch FOREIGN DATA WRAPPER nclue_fdw OPTIONS (%I %L)'
    WHEN 'mapping' THEN 'CREATE USER MAPPING FOR PUBLIC SERVER nclue OPTIONS (%I %L)'
    WHEN 'table' THEN 'CREATE FOREIGN TABLE scratch (status text) SERVER nclue OPTIONS (%I %L)'
    WHEN 'column' THEN 'CREATE FOREIGN TABLE scratch (status text OPTIONS (%I %L)) SERVER nclue'
  END, option, value);
  RAISE SQLSTATE 'TRIED';
EXCEPTION
  WHEN SQLSTATE 'TRIED' THEN
    state := 'ok';
  WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
      detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    detail := nullif(detail, '');
END $$;

-- a valid value of every option there is
CREATE TABLE valid (number serial, option text, value text);
INSERT INTO valid (option, value) VALUES
  ('endpoint', 'https://nclue.apigw.ntruss.com/api/v1'),
  ('rate_limit', '1'),
  ('max_in_flight', '4'),
  ('max_retries', '3'),
  ('timeout', '30'),
  ('connect_timeout', '10'),
  ('max_response_size', '16MB'),
  ('time_zone', 'Asia/Seoul'),
  ('index_unit', 'row'),
  ('list_order', 'auto'),
  ('page_size', '100'),
  ('ca_file', '/etc/ssl/certs/ca-certificates.crt'),
  ('proxy', 'http://proxy.example.com:3128'),
  ('access_key', 'AK_OTHER'),
  ('secret_key', 'SK_OTHER'),
  ('resource', 'tasks'),
  ('json_key', '*');

-- each option stands where it belongs and nowhere else
SELECT option,
       (tried('server', option, value)).state AS server,
       (tried('mapping', option, value)).state AS mapping,
       (tried('table', option, value)).state AS "table",
       (tried('column', option, value)).state AS "column",
       (tried('wrapper', option, value)).state AS wrapper
FROM valid ORDER BY number;

-- an unknown option: the message names the valid ones
SELECT object, (tried(object, 'colour', 'red')).*
FROM unnest('{server,mapping,table,column,wrapper}'::text[]) object;

-- a slip of the finger: the hint names the nearest
SELECT object, option, state, hint
FROM (VALUES ('server', 'endpiont'), ('server', 'pagesize'), ('server', 'time_zon'),
             ('server', 'max_responce_size'), ('server', 'list_ordre'), ('server', 'time_out'),
             ('mapping', 'acces_key'), ('mapping', 'secretkey'),
             ('table', 'ressource'), ('table', 'page_sise'),
             ('column', 'jsonkey')) v (object, option), tried(object, option, 'x');

-- nothing is suggested that is not near
SELECT object, option, hint ~ 'Perhaps' AS suggests
FROM (VALUES ('server', 'url'), ('server', 'user'), ('server', 'x'), ('server', ''),
             ('mapping', 'password'), ('table', 'schema_name'), ('column', 'column_name'))
     v (object, option), tried(object, option, 'x');

-- a name is as written: options have small letters
SELECT option, (tried('server', option, '50')).state
FROM (VALUES ('page_size'), ('PAGE_SIZE'), ('page_size '), (' page_size')) v (option);
CREATE SERVER unquoted FOREIGN DATA WRAPPER nclue_fdw OPTIONS (Page_Size '50');
DROP SERVER unquoted;

-- as psql shows it
CREATE FOREIGN TABLE wrong () SERVER nclue OPTIONS (pagesize '50');
ALTER SERVER nclue OPTIONS (ADD page_size '500');
ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET secret_key '');

-- a refused value: its message, and the valid ones
SELECT option, (tried(object, option, value)).*
FROM (VALUES ('server', 'endpoint', 'nclue'),
             ('server', 'timeout', 'soon'),
             ('server', 'connect_timeout', '-1'),
             ('server', 'max_response_size', 'big'),
             ('server', 'time_zone', 'KST'),
             ('server', 'index_unit', 'rows'),
             ('server', 'list_order', 'newest'),
             ('server', 'page_size', 'all'),
             ('server', 'ca_file', 'ca.pem'),
             ('server', 'proxy', 'proxy'),
             ('mapping', 'access_key', 'AK TEST'),
             ('mapping', 'secret_key', E'SK\nTEST'),
             ('table', 'resource', 'task'),
             ('table', 'list_order', ''),
             ('table', 'page_size', '1'),
             ('column', 'json_key', '')) v (object, option, value);

-- page_size: 2 to 100
SELECT object, value, state
FROM unnest('{server,table}'::text[]) object,
     unnest('{2,3,99,100,0,1,101,-5,1e9,99999999999,"",ten,50kB,"50 x"}'::text[])
       WITH ORDINALITY v (value, number),
     tried(object, 'page_size', value)
ORDER BY object, number;

-- rate_limit: requests a second with fractions, or none; how many may be under way; further attempts
SELECT option, value, state
FROM (VALUES ('rate_limit', '{0,0.001,0.5,1,1.5,1000,1e2,"",0.0009,1000.1,-1,NaN,Infinity,1/s,one,5s}'::text[]),
             ('max_in_flight', '{1,4,32,0,33,-1,1.5,all,""}'),
             ('max_retries', '{0,3,10,11,-1,0.5,none,""}')) o (option, vals),
     unnest(vals) WITH ORDINALITY v (value, number),
     tried('server', option, value)
ORDER BY option DESC, number;

-- timeout, connect_timeout: 1 ms to a day, with fractions or a unit
SELECT option, value, state
FROM unnest('{timeout,connect_timeout}'::text[]) option,
     unnest('{0.001,0.5,30,86400,1ms,500ms,2min,1.5h,1d,"10 s",0,0.0009,500us,-1,86400.1,2d,1e9,NaN,Infinity,"",soon,5kB,5sec,"5 5"}'::text[])
       WITH ORDINALITY v (value, number),
     tried('server', option, value)
ORDER BY option, number;

-- max_response_size: 1kB to 1023MB
SELECT value, state
FROM unnest('{1024,1kB,0.5MB,16MB,"16 MB",1023MB,1072693248B,1023,1023B,0,-1,1GB,1TB,1kb,16mb,16M,5s,big,""}'::text[])
       WITH ORDINALITY v (value, number),
     tried('server', 'max_response_size', value)
ORDER BY number;

-- time_zone: a name, not an abbreviation and not an offset, whose sign would be in doubt
SELECT value, state
FROM unnest('{UTC,GMT,Asia/Seoul,asia/seoul,America/New_York,Etc/GMT-9,"",KST,Asia/Nowhere,Seoul,"Asia/Seoul ",default,../../etc/passwd,+09,+09:00,-9,9,UTC+9,UTC-9,GMT+09:00,KST-9,<KST>-9}'::text[])
       WITH ORDINALITY v (value, number),
     tried('server', 'time_zone', value)
ORDER BY number;

-- index_unit, list_order, resource: words, as written
SELECT object, option, value, state
FROM (VALUES ('server', 'index_unit', '{row,page,Row,rows,"row ",""}'::text[]),
             ('server', 'list_order', '{auto,stable,AUTO,on,""}'),
             ('table', 'list_order', '{auto,stable,AUTO,on,""}'),
             ('table', 'resource', '{tasks,features,task-runs,shopping-intents,custom-attributes,Tasks,task_runs,nclue_tasks,profiles,""}'))
       v (object, option, vals),
     unnest(vals) value, tried(object, option, value);

-- json_key: any text
SELECT value, (tried('column', 'json_key', value)).state
FROM (VALUES ('*'), ('AUROC'), ('상태'), ('a b'), ('$.status'), ('')) v (value);

-- endpoint: https anywhere
SELECT value, state
FROM (VALUES ('https://nclue.apigw.ntruss.com/api/v1'),
             ('https://nclue.apigw.ntruss.com/api/v1/'),
             ('https://nclue.apigw.ntruss.com'),
             ('HTTPS://NCLUE.APIGW.NTRUSS.COM/api/v1'),
             ('https://nclue.example.com:8443/a/b/c'),
             ('https://192.0.2.1/api/v1'),
             ('https://[2001:db8::1]:8443/api/v1'),
             ('https://localhost/api/v1')) v (value), tried('server', 'endpoint', value);

-- ... http for a loopback host only
SELECT value, state, detail
FROM (VALUES ('http://localhost:8080/api/v1'),
             ('http://LocalHost/api/v1'),
             ('http://127.0.0.1:8080/api/v1'),
             ('http://127.255.255.254/api/v1'),
             ('http://[::1]:8080/api/v1'),
             ('http://[0:0:0:0:0:0:0:1]/api/v1'),
             ('http://nclue.apigw.ntruss.com/api/v1'),
             ('http://localhost.example.com/api/v1'),
             ('http://127.0.0.1.example.com/api/v1'),
             ('http://notlocalhost/api/v1'),
             ('http://128.0.0.1/api/v1'),
             ('http://0.0.0.0/api/v1'),
             ('http://192.168.0.1/api/v1'),
             ('http://[::]/api/v1'),
             ('http://[::2]/api/v1'),
             ('http://[::ffff:127.0.0.1]/api/v1'),
             ('http://[2001:db8::1]/api/v1')) v (value), tried('server', 'endpoint', value);

-- ... and nothing that is more or less than a base URL
SELECT to_json(left(value, 60)) AS value, state, detail
FROM (VALUES ('nclue.apigw.ntruss.com/api/v1'),
             ('//nclue.apigw.ntruss.com/api/v1'),
             ('/api/v1'),
             (''),
             ('ftp://nclue.apigw.ntruss.com/api/v1'),
             ('file:///etc/passwd'),
             ('https:nclue.apigw.ntruss.com'),
             ('https://'),
             ('https:///api/v1'),
             ('https://:443/api/v1'),
             ('https://nclue.example.com:0/api/v1'),
             ('https://nclue.example.com:65536/api/v1'),
             ('https://nclue.example.com:http/api/v1'),
             ('https://nclue.example.com/api/v1?index=0'),
             ('https://nclue.example.com/api/v1?'),
             ('https://nclue.example.com/api/v1#top'),
             ('https://user@nclue.example.com/api/v1'),
             ('https://user:password@nclue.example.com/api/v1'),
             ('http://localhost@nclue.example.com/api/v1'),
             (' https://nclue.example.com/api/v1'),
             ('https://nclue.example.com/api /v1'),
             (E'https://nclue.example.com/api\r\nX: y'),
             ('https://nclue.example.com/한국'),
             ('https://nclue_例.example.com/'),
             ('https://[fe80::1%25eth0]/api/v1'),
             ('https://[::1/api/v1'),
             ('https://nclue.example.com/' || repeat('x', 300))) v (value), tried('server', 'endpoint', value);

-- proxy
SELECT value, state, detail
FROM (VALUES ('http://proxy.example.com:3128'),
             ('http://proxy.example.com:3128/'),
             ('https://proxy.example.com'),
             ('socks5://192.0.2.1:1080'),
             ('socks5h://[2001:db8::1]:1080'),
             ('http://user:password@proxy.example.com:3128'),
             ('http://user@proxy.example.com:3128'),
             ('proxy.example.com:3128'),
             ('socks4://proxy.example.com'),
             ('http://'),
             ('http://proxy.example.com:99999'),
             ('http://proxy.example.com/path'),
             ('http://proxy.example.com/?a=b'),
             ('')) v (value), tried('server', 'proxy', value);

-- ca_file: an absolute path, which need not exist yet
SELECT value, (tried('server', 'ca_file', value)).state
FROM (VALUES ('/no/such/file.pem'), ('file.pem'), ('./file.pem'), ('~/file.pem'), ('')) v (value);

-- ... only from those who may read the server's files
CREATE ROLE regress_nclue_reader;
CREATE ROLE regress_nclue_files IN ROLE pg_read_server_files;
GRANT USAGE ON FOREIGN DATA WRAPPER nclue_fdw TO regress_nclue_reader, regress_nclue_files;
SET ROLE regress_nclue_reader;
CREATE SERVER own FOREIGN DATA WRAPPER nclue_fdw OPTIONS (ca_file '/no/such/file.pem');
\echo :LAST_ERROR_SQLSTATE
CREATE SERVER own FOREIGN DATA WRAPPER nclue_fdw OPTIONS (proxy 'http://proxy.example.com:3128');
ALTER SERVER own OPTIONS (ADD ca_file '/no/such/file.pem');
\echo :LAST_ERROR_SQLSTATE
DROP SERVER own;
SET ROLE regress_nclue_files;
CREATE SERVER own FOREIGN DATA WRAPPER nclue_fdw OPTIONS (ca_file '/no/such/file.pem');
DROP SERVER own;
RESET ROLE;
DROP OWNED BY regress_nclue_reader, regress_nclue_files;
DROP ROLE regress_nclue_reader, regress_nclue_files;

-- keys: what can stand in a header, any secret that is one line
SELECT option, to_json(value) AS value, state
FROM (VALUES ('access_key', 'x'),
             ('access_key', '!#$%&''*+-.^_`|~"\/=@'),
             ('access_key', ''),
             ('access_key', 'a b'),
             ('access_key', E'a\tb'),
             ('access_key', E'a\r\nX-Evil: yes'),
             ('access_key', '키'),
             ('secret_key', 'x'),
             ('secret_key', ' a b '),
             ('secret_key', '키'),
             ('secret_key', ''),
             ('secret_key', E'a\r'),
             ('secret_key', E'a\nb')) v (option, value), tried('mapping', option, value);

-- a key is never shown, wherever it was written and whatever is wrong with it
SELECT object, option, state, concat_ws(' ', message, detail, hint) ~ 'TOPSECRET' AS shown
FROM unnest('{server,mapping,table,column,wrapper}'::text[]) object,
     unnest('{access_key,secret_key,acces_key,secretkey}'::text[]) option,
     tried(object, option, E'TOP SECRET TOPSECRET\n') ORDER BY object, option;

-- an option changed, dropped: the default is back
ALTER SERVER nclue OPTIONS (ADD page_size '50', time_zone 'UTC');
ALTER SERVER nclue OPTIONS (SET page_size '60', DROP time_zone);
SELECT array_to_string(ARRAY(SELECT o FROM unnest(srvoptions) o WHERE o !~ '^endpoint='), ',') AS options
FROM pg_foreign_server WHERE srvname = 'nclue';
ALTER SERVER nclue OPTIONS (SET page_size '1');
ALTER SERVER nclue OPTIONS (DROP page_size);
-- none of this asked the service anything
:requests

-- Effects
CREATE FOREIGN TABLE tasks (task_id text, created_at timestamptz) SERVER nclue;
:ctl objects 30

-- page_size: of the server
ALTER SERVER nclue OPTIONS (ADD page_size '12');
SELECT count(task_id) FROM tasks;
:requests
-- ... a table's goes before
ALTER FOREIGN TABLE tasks OPTIONS (ADD page_size '20');
SELECT count(task_id) FROM tasks;
:requests
-- ... the smallest
:ctl objects 5
ALTER FOREIGN TABLE tasks OPTIONS (SET page_size '2');
SELECT count(task_id) FROM tasks;
:requests
ALTER FOREIGN TABLE tasks OPTIONS (DROP page_size);
ALTER SERVER nclue OPTIONS (DROP page_size);
-- ... 100 by default
:ctl objects 120
SELECT count(task_id) FROM tasks;
:requests

-- index_unit: pages
:ctl set index_unit=page
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
SELECT count(*), count(DISTINCT task_id) FROM tasks;
:requests
-- ... what the answers contradict is an error that names the option
ALTER SERVER nclue OPTIONS (SET index_unit 'row');
\set VERBOSITY terse
SELECT count(task_id) FROM tasks;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
ALTER SERVER nclue OPTIONS (DROP index_unit);
:ctl set index_unit=row
:requests > /dev/null

-- list_order: a list that may move has its head read again where total does not prove that it kept still
:ctl set total=missing
SELECT count(*) FROM tasks;
:requests
-- ... not one that keeps its order: of the server
ALTER SERVER nclue OPTIONS (ADD list_order 'stable');
SELECT count(*) FROM tasks;
:requests
-- ... a table's goes before
ALTER FOREIGN TABLE tasks OPTIONS (ADD list_order 'auto');
SELECT count(*) FROM tasks;
:requests
ALTER FOREIGN TABLE tasks OPTIONS (DROP list_order);
ALTER SERVER nclue OPTIONS (DROP list_order);
:ctl set total=grand

-- time_zone: of times without an offset
:ctl objects 1
SELECT created_at FROM tasks;
ALTER SERVER nclue OPTIONS (ADD time_zone 'UTC');
SELECT created_at FROM tasks;
ALTER SERVER nclue OPTIONS (SET time_zone 'America/New_York');
SELECT created_at FROM tasks;
-- ... and of no others
:ctl set times=+09:00
SELECT created_at FROM tasks;
:ctl set times=none
ALTER SERVER nclue OPTIONS (DROP time_zone);
:requests

-- resource: of the table
CREATE FOREIGN TABLE features (feature_id text) SERVER nclue OPTIONS (resource 'features');
CREATE FOREIGN TABLE runs (run_id text) SERVER nclue OPTIONS (resource 'task-runs');
CREATE FOREIGN TABLE intents (profile_id text) SERVER nclue OPTIONS (resource 'shopping-intents');
CREATE FOREIGN TABLE attributes (profile_id text) SERVER nclue OPTIONS (resource 'custom-attributes');
SELECT count(*) FROM features;
SELECT count(*) FROM runs;
SELECT count(*) FROM intents;
SELECT count(*) FROM attributes;
:requests

-- max_response_size: of one response
:ctl objects 100
ALTER SERVER nclue OPTIONS (ADD max_response_size '32kB');
\set VERBOSITY terse
SELECT count(*) FROM tasks;
\echo :LAST_ERROR_SQLSTATE
-- ... as it is when unpacked
:ctl set compress=gzip
SELECT count(*) FROM tasks;
\echo :LAST_ERROR_SQLSTATE
:ctl set compress=off
-- ... smaller pages fit
ALTER FOREIGN TABLE tasks OPTIONS (ADD page_size '40');
SELECT count(task_id) FROM tasks;
ALTER FOREIGN TABLE tasks OPTIONS (DROP page_size);
ALTER SERVER nclue OPTIONS (DROP max_response_size);
:requests

-- timeout: of a request that is not answered
ALTER SERVER nclue OPTIONS (ADD timeout '0.2');
:ctl fault stall
SELECT count(*) FROM tasks;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
ALTER SERVER nclue OPTIONS (DROP timeout);
:requests

-- proxy: asked for a tunnel, so that it sees no keys (this one has none)
SELECT substring(:'endpoint' from '^http://[^/]+') AS origin \gset
ALTER SERVER nclue OPTIONS (SET endpoint 'https://127.0.0.1:9/api/v1', ADD proxy :'origin');
\set VERBOSITY sqlstate
SELECT count(*) FROM tasks;
\set VERBOSITY default
ALTER SERVER nclue OPTIONS (SET endpoint :'endpoint', DROP proxy);
:requests

-- ... and what is sent in clear to this machine goes to no other
ALTER SERVER nclue OPTIONS (ADD proxy 'http://127.0.0.1:9');

-- endpoint: a slash at its end makes no difference
SELECT concat(:'endpoint', '//') AS slashes \gset
ALTER SERVER nclue OPTIONS (SET endpoint :'slashes');
SELECT count(*) FROM tasks;
:requests
-- ... its path is part of what is asked
SELECT concat(:'origin', '/other/') AS other \gset
ALTER SERVER nclue OPTIONS (SET endpoint :'other');
\set VERBOSITY terse
SELECT count(*) FROM tasks;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
:requests
ALTER SERVER nclue OPTIONS (SET endpoint :'endpoint');

-- Keys that are missing: no error before a request is to be made
CREATE SERVER keyless FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint :'endpoint', rate_limit '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER keyless;
CREATE FOREIGN TABLE keyless_tasks (task_id text) SERVER keyless;
EXPLAIN (COSTS OFF) SELECT * FROM keyless_tasks;
SELECT * FROM keyless_tasks;
\echo :LAST_ERROR_SQLSTATE
ALTER USER MAPPING FOR CURRENT_USER SERVER keyless OPTIONS (ADD access_key 'AK_TEST');
SELECT * FROM keyless_tasks;
\echo :LAST_ERROR_SQLSTATE
ALTER USER MAPPING FOR CURRENT_USER SERVER keyless
  OPTIONS (DROP access_key, ADD secret_key 'SK_TEST');
SELECT * FROM keyless_tasks;
\echo :LAST_ERROR_SQLSTATE
:requests
ALTER USER MAPPING FOR CURRENT_USER SERVER keyless OPTIONS (ADD access_key 'AK_TEST');
SELECT count(*) FROM keyless_tasks;
:requests

-- No mapping at all: likewise
DROP USER MAPPING FOR CURRENT_USER SERVER keyless;
EXPLAIN (COSTS OFF) SELECT * FROM keyless_tasks;
PREPARE keyless AS SELECT * FROM keyless_tasks;
SELECT * FROM keyless_tasks WHERE false;
SELECT * FROM keyless_tasks LIMIT 0;
-- ... the message is PostgreSQL's, and not the same in every release
\set VERBOSITY sqlstate
SELECT * FROM keyless_tasks;
\set VERBOSITY default
:requests

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
DROP FUNCTION tried;
DROP TABLE valid;
