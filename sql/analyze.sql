-- ANALYZE of foreign tables: at most ten pages, spread over the list, and
-- estimates that follow.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', max_retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;
\set ECHO none
-- the rows that the last ANALYZE found
\set tuples 'SELECT reltuples FROM pg_class WHERE relname = ''nclue_tasks'';'
-- the rows that the planner expects
CREATE FUNCTION pg_temp.expected(statement text)
RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END
$$;
-- whether an estimate is within a third of the truth
CREATE FUNCTION pg_temp.follows(statement text, truth float8)
RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN rows BETWEEN truth / 1.5 AND truth * 1.5 THEN 'as it is'
		ELSE format('%s instead of %s', rows, truth) END
	FROM pg_temp.expected(statement) AS rows
$$;
\set ECHO all
\pset tuples_only on
\pset format unaligned

-- ---- which pages ----

:ctl objects 0
ANALYZE nclue_tasks;
:tuples
:requests

:ctl objects 5
ANALYZE nclue_tasks;
:tuples
:requests

-- a full page may be the last one
:ctl objects 100
ANALYZE nclue_tasks;
:tuples
:requests

:ctl objects 101
ANALYZE nclue_tasks;
:tuples
:requests

:ctl objects 250
ANALYZE nclue_tasks;
:tuples
:requests

-- ten of fifty pages, from the whole list
:ctl objects 5000
ANALYZE nclue_tasks;
:tuples
:requests

-- ten of eleven
:ctl objects 1001
ANALYZE nclue_tasks;
:tuples
:requests

-- smaller pages
:ctl objects 250
ALTER FOREIGN TABLE nclue_tasks OPTIONS (ADD page_size '10');
ANALYZE nclue_tasks;
:tuples
:requests
ALTER FOREIGN TABLE nclue_tasks OPTIONS (DROP page_size);

-- index counts pages
:ctl set index_unit=page
ALTER SERVER nclue OPTIONS (ADD index_unit 'page');
ANALYZE nclue_tasks;
:tuples
:requests
ALTER SERVER nclue OPTIONS (DROP index_unit);
:ctl set index_unit=row

-- total is the page's own count: the first pages, up to the end
:ctl set total=page
ANALYZE nclue_tasks;
:tuples
:requests

-- there is no total
:ctl set total=missing
ANALYZE nclue_tasks;
:tuples
:requests

-- ... and more pages than are read: as many rows at least, or as were known
:ctl objects 1500
ANALYZE nclue_tasks;
:tuples
:requests
SELECT count(task_name) FROM nclue_tasks;
ANALYZE nclue_tasks;
:tuples
:ctl requests | tail -1

-- total is too large: the end shows
:ctl set total=large
:ctl objects 250
ANALYZE nclue_tasks;
:tuples
:requests

-- the list becomes shorter meanwhile
:ctl set total=grand
:ctl objects 1000
:ctl churn request=+3 objects 250 tasks
ANALYZE nclue_tasks;
:tuples
:requests

-- ... so that nothing is left where a page begins
:ctl objects 1000
:ctl churn request=+3 objects 200 tasks
ANALYZE nclue_tasks;
:tuples
:requests

-- ... or much before
:ctl objects 1000
:ctl churn request=+8 objects 10 tasks
ANALYZE nclue_tasks;
:ctl requests | wc -l

-- ... or longer
:ctl objects 250
:ctl churn request=+2 objects 1000 tasks
ANALYZE nclue_tasks;
:ctl requests | wc -l
:ctl churn off

-- the service gives fewer than asked for: a request a page all the same
:ctl objects 250
:ctl set limit_cap=50
ANALYZE nclue_tasks;
:tuples
:requests
:ctl objects 5000
:ctl set limit_cap=5
ANALYZE nclue_tasks;
:tuples
:requests

-- ... without a total
:ctl set total=missing
:ctl objects 12
ANALYZE nclue_tasks;
:tuples
:requests

-- ... or silently
:ctl set total=grand envelope_limit=asked limit_cap=50
:ctl objects 250
ANALYZE nclue_tasks;
:tuples
:requests
:ctl set limit_cap=0 envelope_limit=effective

-- the service gives more than asked for
:ctl set limit_fixed=40
ALTER FOREIGN TABLE nclue_tasks OPTIONS (ADD page_size '20');
ANALYZE nclue_tasks;
:tuples
:requests
ALTER FOREIGN TABLE nclue_tasks OPTIONS (DROP page_size);
:ctl set limit_fixed=0

-- ---- what comes of it ----

-- before and after
CREATE FOREIGN TABLE fresh (task_id text, status text, train_feature_id text,
	created_at timestamptz) SERVER nclue;
:ctl objects 1000
ANALYZE fresh;
:ctl requests | wc -l
SELECT pg_temp.follows('SELECT FROM fresh', 1000);
SELECT pg_temp.follows($$SELECT FROM fresh WHERE status = 'failed'$$, 100);
SELECT pg_temp.follows($$SELECT FROM fresh WHERE status = 'completed'$$, 600);
SELECT pg_temp.follows($$SELECT FROM fresh WHERE status IN ('failed', 'pending')$$, 200);
SELECT pg_temp.expected($$SELECT FROM fresh WHERE status = 'nosuch'$$) < 20;
SELECT pg_temp.follows($$SELECT DISTINCT status FROM fresh$$, 5);
SELECT pg_temp.follows($$SELECT DISTINCT task_id FROM fresh$$, 1000);
:requests
SELECT pg_temp.follows($$SELECT DISTINCT train_feature_id FROM fresh$$, (SELECT count(DISTINCT train_feature_id) + 1 FROM fresh));
SELECT attname, n_distinct, null_frac, cardinality(most_common_freqs) FROM pg_stats
WHERE tablename = 'fresh' AND attname IN ('task_id', 'status') ORDER BY attname;
:ctl requests | wc -l

-- a list that has become shorter than a page
:ctl objects 60
ANALYZE fresh;
SELECT pg_temp.follows('SELECT FROM fresh', 60);
:requests

-- a sample of a part of the list speaks for the whole
:ctl objects 5000
ANALYZE fresh;
:ctl requests | wc -l
SELECT pg_temp.follows($$SELECT FROM fresh WHERE status = 'failed'$$, 500);
SELECT pg_temp.follows($$SELECT DISTINCT task_id FROM fresh$$, 5000);

-- fewer rows are kept than are read
ALTER FOREIGN TABLE fresh ALTER status SET STATISTICS 1, ALTER task_id SET STATISTICS 1,
	ALTER train_feature_id SET STATISTICS 1, ALTER created_at SET STATISTICS 1;
ANALYZE fresh;
SELECT reltuples FROM pg_class WHERE relname = 'fresh';
SELECT pg_temp.follows($$SELECT FROM fresh WHERE status = 'completed'$$, 3000);
-- ... each once
SELECT n_distinct FROM pg_stats WHERE tablename = 'fresh' AND attname = 'task_id';
-- ... and from any of the pages: the older half of the list is half of the sample
SELECT created_at AS median FROM fresh OFFSET 2500 LIMIT 1 \gset
SELECT pg_temp.follows(format('SELECT FROM fresh WHERE created_at < %L', :'median'), 2500);
SELECT pg_temp.follows(format('SELECT FROM fresh WHERE created_at > %L', :'median'), 2500);
:ctl requests | wc -l

-- one column only
ALTER FOREIGN TABLE fresh ALTER status SET STATISTICS 100;
ANALYZE fresh (status);
:ctl requests | wc -l
DROP FOREIGN TABLE fresh;

-- a table with other columns: dropped, generated, the whole object
:ctl objects 20
CREATE FOREIGN TABLE other (gone text OPTIONS (json_key 'task_name'), status text,
	loud text GENERATED ALWAYS AS (upper(status)) STORED,
	place oid GENERATED ALWAYS AS (tableoid) STORED,
	created timestamptz OPTIONS (json_key 'created_at'),
	object jsonb OPTIONS (json_key '*')) SERVER nclue;
ALTER FOREIGN TABLE other DROP COLUMN gone;
ANALYZE other;
SELECT attname, n_distinct, null_frac FROM pg_stats WHERE tablename = 'other' ORDER BY attname;
SELECT pg_temp.follows($$SELECT FROM other WHERE loud = 'FAILED'$$, 2);
SELECT most_common_vals::text = format('{%s}', 'other'::regclass::oid) FROM pg_stats WHERE tablename = 'other' AND attname = 'place';
DROP FOREIGN TABLE other;
:requests

-- a table without columns
CREATE FOREIGN TABLE bare () SERVER nclue;
ANALYZE bare;
SELECT reltuples FROM pg_class WHERE relname = 'bare';
DROP FOREIGN TABLE bare;
:requests

-- partitions
CREATE TABLE all_tasks (task_id text, status text) PARTITION BY LIST (status);
CREATE FOREIGN TABLE failed PARTITION OF all_tasks FOR VALUES IN ('failed') SERVER nclue;
ANALYZE all_tasks;
DROP TABLE all_tasks;
:ctl requests | sort | uniq -c | tr -s ' '

-- the whole database: foreign tables only where they are named
ANALYZE;
:requests

-- ---- whose list, and what goes wrong ----

-- the owner's mapping
CREATE ROLE regress_nclue_owner;
GRANT USAGE ON FOREIGN SERVER nclue TO regress_nclue_owner;
ALTER FOREIGN TABLE nclue_tasks OWNER TO regress_nclue_owner;
\set ECHO none
\i test/sql/failure.psql
\set ECHO all
SELECT CASE WHEN f ~ '^CONTEXT' THEN f ELSE left(f, 5) END
FROM pg_temp.failure('ANALYZE nclue_tasks', 'SELECT 1') AS f WHERE f ~ '^(42|CONTEXT)';
CREATE USER MAPPING FOR regress_nclue_owner SERVER nclue OPTIONS (access_key 'AK_OWNER');
SELECT pg_temp.failure('ANALYZE nclue_tasks', 'SELECT 1');
:requests
ALTER USER MAPPING FOR regress_nclue_owner SERVER nclue OPTIONS (ADD secret_key 'SK_TEST');
SELECT pg_temp.failure('ANALYZE nclue_tasks', 'SELECT 1');
:requests
ALTER USER MAPPING FOR regress_nclue_owner SERVER nclue OPTIONS (SET access_key 'AK_TEST');
:ctl objects 120
ANALYZE nclue_tasks;
:tuples
SELECT server, user_name = 'regress_nclue_owner' AS owner, requests > 0 FROM nclue_fdw_stat WHERE user_name ~ 'owner';
:requests
ALTER FOREIGN TABLE nclue_tasks OWNER TO CURRENT_USER;
DROP OWNED BY regress_nclue_owner;
DROP ROLE regress_nclue_owner;

-- a refusal
:ctl objects 250
:ctl fault status=401 code=200
SELECT pg_temp.failure('ANALYZE nclue_tasks', 'SELECT 1');
:requests

-- ... on the way: nothing is kept
:ctl fault status=503 code=500 request=+2
SELECT pg_temp.failure('ANALYZE nclue_tasks', 'SELECT 1');
:requests
:tuples

-- a value that is none of the column's type
:ctl fault value='line_count:"many"' row=3
SELECT pg_temp.failure('ANALYZE nclue_tasks', 'SELECT 1');
:requests

-- not more than the statement may make
SET nclue_fdw.max_requests = 2;
SELECT pg_temp.failure('ANALYZE nclue_tasks', 'SELECT 1');
:requests
SET nclue_fdw.max_requests = 3;
ANALYZE nclue_tasks;
:requests
RESET nclue_fdw.max_requests;

-- a cursor that is reading the list goes on
BEGIN;
DECLARE c CURSOR FOR SELECT task_id FROM nclue_tasks;
MOVE 50 IN c;
SAVEPOINT a;
ANALYZE nclue_tasks;
MOVE ALL IN c;
COMMIT;
:requests

-- a list that is kept is not the one that is analyzed, and stays
SET nclue_fdw.cache_ttl = '1h';
SELECT count(task_name) FROM nclue_tasks;
ANALYZE nclue_tasks;
SELECT count(task_name) FROM nclue_tasks;
:requests
RESET nclue_fdw.cache_ttl;

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
