-- The service has 250 tasks; which ones, and when, is the same everywhere.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint :'endpoint');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
    OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
IMPORT FOREIGN SCHEMA nclue LIMIT TO (nclue_tasks) FROM SERVER nclue INTO public;
SET timezone = 'Asia/Seoul';

SELECT count(*) FROM nclue_tasks;
:requests

SELECT task_id, status, created_at FROM nclue_tasks LIMIT 2 OFFSET 100;
:requests

SELECT status FROM nclue_tasks
WHERE task_id = (SELECT task_id FROM nclue_tasks LIMIT 1);

DROP EXTENSION nclue_fdw CASCADE;
