-- What script/demo shows.  Variables: endpoint, rate, and requests, a command that
-- prints the requests that came since it was last run, or how many there were.
-- The keys are in the environment, so that no list of processes shows them; nor do
-- the screen and the server's log.
\set ON_ERROR_STOP on
\getenv access_key NCLUE_ACCESS_KEY
\getenv secret_key NCLUE_SECRET_KEY

\echo
\echo === Five lines to the first row
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
    OPTIONS (endpoint :'endpoint', rate_limit :'rate');
\echo CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
\echo '    OPTIONS (access_key \'...\', secret_key \'...\');'
\set ECHO none
SET log_min_error_statement = panic;
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
    OPTIONS (access_key :'access_key', secret_key :'secret_key');
RESET log_min_error_statement;
\unset secret_key
\set ECHO queries
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;
SELECT task_name, status, created_at, auroc FROM nclue_tasks LIMIT 5;
\echo The requests that reached the service:
:requests

\echo
\echo === The tables that were imported
SELECT c.relname AS "table", obj_description(c.oid) AS comment
FROM pg_class c WHERE relkind = 'f' ORDER BY 1;

\echo
\echo === Failed tasks
SELECT task_id, left(task_name, 24) AS task, created_at,
       left(fail_message, 30) AS message
FROM nclue_tasks
WHERE status = 'failed'
ORDER BY created_at DESC;
:requests

\echo
\echo === A local table: which team owns which feature
CREATE TABLE team (feature_id text PRIMARY KEY, team text NOT NULL);
INSERT INTO team
SELECT feature_id,
       (ARRAY['Seoul', 'Tokyo', 'Boston'])[1 + row_number()
           OVER (ORDER BY created_at, feature_id) % 3]
FROM nclue_features;
:requests

\echo
\echo === Joined: how the tasks of each team went
SELECT team, t.status, count(*) AS tasks, max(t.created_at) AS latest
FROM nclue_tasks t
JOIN team ON team.feature_id = t.train_feature_id
GROUP BY team, t.status
ORDER BY team, tasks DESC;
:requests

\echo
\echo === Analysis by feature: which data make good models
SELECT left(f.feature_name, 30) AS feature,
       count(*) AS tasks,
       count(*) FILTER (WHERE t.status = 'failed') AS failed,
       round(avg(t.auroc)::numeric, 3) AS avg_auroc,
       date_trunc('minute', avg(t.completed_at - t.created_at)) AS avg_time
FROM nclue_features f
JOIN nclue_tasks t ON t.train_feature_id = f.feature_id
GROUP BY f.feature_id, f.feature_name
HAVING count(t.auroc) >= 3
ORDER BY avg_auroc DESC
LIMIT 10;
:requests

\echo
\echo === A prepared statement
PREPARE tasks_in(text) AS
    SELECT count(*), min(created_at), max(created_at)
    FROM nclue_tasks WHERE status = $1;
EXECUTE tasks_in('completed');
EXECUTE tasks_in('in_progress');
:requests

\echo
\echo === A cursor: rows are fetched when they are wanted
BEGIN;
DECLARE newest CURSOR FOR
    SELECT left(task_name, 30) AS task, status, created_at FROM nclue_tasks;
FETCH 3 FROM newest;
:requests
FETCH 3 FROM newest;
:requests
COMMIT;

\echo
\echo === What it came to
SELECT requests, retries, throttled, round(waited::numeric, 1) AS waited,
       bytes, rows, reused, shared
FROM nclue_fdw_stat;
