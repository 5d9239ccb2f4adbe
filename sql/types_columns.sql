-- Which field a column shows, and what tables written by hand may look like.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
\set ECHO none
\i test/sql/failure.psql
\set ECHO all
\pset null (null)
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE FOREIGN TABLE tasks (task_id text, task_name text) SERVER nclue;
:ctl objects 2
:ctl update tasks position=0 task_id='"b"' task_name='"second"' status='"completed"' created_at='"2024-11-11T11:01:30"' AUROC=0.9054 line_count=1209478 fail_message=null
:ctl update tasks position=1 task_id='"a"' task_name='"first"' status='"failed"' created_at='"2024-11-10T09:00:00"' AUROC=null line_count=0 fail_message='"no data"'

-- ---- the columns of a table ----

-- fewer, in another order, of other types
CREATE FOREIGN TABLE few (line_count numeric(12,1), created_at date,
	task_name varchar(10), status name, task_id char(3)) SERVER nclue;
SELECT * FROM few;
:requests
SELECT task_id, line_count FROM few WHERE status = 'failed';
:requests

-- none at all: the rows are still counted
CREATE FOREIGN TABLE none () SERVER nclue;
SELECT count(*) FROM none;
:requests
SELECT * FROM none;
:requests

-- one field in several columns
CREATE FOREIGN TABLE again (name text OPTIONS (json_key 'task_name'),
	task_name text, bytes bytea OPTIONS (json_key 'task_name')) SERVER nclue;
SELECT name, task_name, convert_from(bytes, 'UTF8') FROM again;
:requests

-- a column is dropped
ALTER FOREIGN TABLE few DROP COLUMN created_at;
SELECT * FROM few;
SELECT few FROM few;
SELECT status, line_count FROM few;
:requests | sort | uniq -c

-- one is added: what it shows comes from the service, not from a default
ALTER FOREIGN TABLE few ADD COLUMN auroc float8 DEFAULT 7;
SELECT * FROM few;
SELECT few.*::text FROM few;

-- one is dropped and added again under its name
ALTER FOREIGN TABLE few DROP COLUMN status, ADD COLUMN status text;
SELECT * FROM few;

-- the first one and the last one are dropped
ALTER FOREIGN TABLE few DROP COLUMN line_count, DROP COLUMN status;
SELECT * FROM few;

-- one changes its type, under a plan that was made before
PREPARE names AS SELECT quote_literal(format('%s', task_name)) FROM few;
EXECUTE names;
ALTER FOREIGN TABLE few ALTER COLUMN task_name TYPE char(8);
EXECUTE names;
ALTER FOREIGN TABLE few ALTER COLUMN task_name TYPE text;
EXECUTE names;
DEALLOCATE names;

-- one is renamed to another field, and so shows that
ALTER FOREIGN TABLE few RENAME COLUMN task_name TO status;
SELECT status FROM few;

-- all of them are dropped
ALTER FOREIGN TABLE few DROP COLUMN task_id, DROP COLUMN status,
	DROP COLUMN auroc;
SELECT count(*), count(few) FROM few;
:requests | sort | uniq -c

-- a partition of a table with its columns in another order
CREATE TABLE parent (status text, task_id text, gone int)
	PARTITION BY LIST (status);
ALTER TABLE parent DROP COLUMN gone;
CREATE FOREIGN TABLE child (task_id text, status text) SERVER nclue;
ALTER TABLE parent ATTACH PARTITION child FOR VALUES IN ('completed', 'failed');
SELECT * FROM parent WHERE status = 'failed';
:requests

-- ---- names ----

-- fields are found by the column's name in any case
CREATE FOREIGN TABLE cased ("TASK_ID" text, "Task_Name" text, "AUROC" float8)
	SERVER nclue;
SELECT * FROM cased;
CREATE FOREIGN TABLE cased2 (auroc float8, "Auroc" text,
	"aUROC" numeric) SERVER nclue;
SELECT * FROM cased2;
:requests | sort | uniq -c

-- a column that names no field, when the query is planned
CREATE FOREIGN TABLE wrong (task_id text, model text) SERVER nclue;
SELECT task_id FROM wrong;
\echo :LAST_ERROR_SQLSTATE
EXPLAIN SELECT count(*) FROM wrong;
\echo :LAST_ERROR_SQLSTATE
PREPARE wrong AS SELECT FROM tasks, wrong;
EXECUTE wrong;
\echo :LAST_ERROR_SQLSTATE
DEALLOCATE wrong;
:requests
ALTER FOREIGN TABLE wrong DROP COLUMN model;
SELECT * FROM wrong;
:requests

-- each resource has its own fields
CREATE FOREIGN TABLE wrong_run (run_id text, auroc float8) SERVER nclue
	OPTIONS (resource 'task-runs');
SELECT * FROM wrong_run;
CREATE FOREIGN TABLE wrong_feature (task_id text) SERVER nclue
	OPTIONS (resource 'features');
SELECT * FROM wrong_feature;
:requests

-- json_key: any key, spelled exactly; a name that is a field's gives way
CREATE FOREIGN TABLE keyed (id text OPTIONS (json_key 'task_id'),
	status text OPTIONS (json_key 'task_name'),
	lower text OPTIONS (json_key 'auroc'),
	exact text OPTIONS (json_key 'AUROC'),
	odd text OPTIONS (json_key ' 이름 "x"')) SERVER nclue;
SELECT * FROM keyed;
ALTER FOREIGN TABLE keyed ALTER COLUMN status OPTIONS (SET json_key 'status');
SELECT status FROM keyed;
ALTER FOREIGN TABLE keyed ALTER COLUMN status OPTIONS (DROP json_key),
	ALTER COLUMN odd OPTIONS (SET json_key 'nothing');
SELECT status, odd FROM keyed;
ALTER FOREIGN TABLE keyed ALTER COLUMN lower OPTIONS (DROP json_key);
SELECT id FROM keyed;
:requests | sort | uniq -c

-- keys no document has are ignored, and can be had by name
:ctl set extra=on
CREATE FOREIGN TABLE extra (task_id text,
	model_type text, tags jsonb OPTIONS (json_key 'tags')) SERVER nclue;
ALTER FOREIGN TABLE extra ALTER COLUMN model_type OPTIONS (ADD json_key 'model_type');
SELECT * FROM extra;
SELECT * FROM tasks;
:ctl set extra=off
:requests | sort | uniq -c

-- a documented key is found in any case, one that json_key spells is not
:ctl set keys=upper
CREATE FOREIGN TABLE upper (task_name text, so text OPTIONS (json_key 'TASK_NAME'),
	not_so text OPTIONS (json_key 'task_name')) SERVER nclue;
SELECT * FROM upper;
:ctl set keys=lower
CREATE FOREIGN TABLE auroc (task_id text, auroc float8,
	lower float8 OPTIONS (json_key 'auroc'),
	upper float8 OPTIONS (json_key 'AUROC')) SERVER nclue;
SELECT * FROM auroc;
:ctl set keys=documented
SELECT * FROM auroc;
:requests | sort | uniq -c

-- ---- json_key '*': the whole object ----
:ctl objects 1 features
:ctl update features position=0 feature_id='"f"' feature_name='"특징 \"1\"\n"' created_at='"2024-11-11T11:01:30"' completed_at=null user_count=9223372036854775807 token_count=0 disk_usage=1.0 status='"pending"' other='{"z":1,"a":[true,null,0.1,{}]}' source_bucket='""' source_file_path='"a/b"' fail_message='"\u0001\\"'
CREATE FOREIGN TABLE whole (j json OPTIONS (json_key '*'),
	b jsonb OPTIONS (json_key '*'), t text OPTIONS (json_key '*'),
	feature_id text) SERVER nclue OPTIONS (resource 'features');
SELECT j FROM whole;
SELECT b FROM whole;
SELECT t = j::text AS text_is_json, t::jsonb = b AS jsonb_is_json, feature_id
	FROM whole;
:requests | sort | uniq -c
SELECT b -> 'other' -> 'a' ->> 2, (b ->> 'user_count')::bigint FROM whole
	WHERE b ->> 'feature_name' LIKE '특징%';
CREATE DOMAIN object AS jsonb CHECK (value ? 'feature_id');
ALTER FOREIGN TABLE whole ALTER COLUMN b TYPE object;
SELECT b ->> 'feature_id' FROM whole;
:requests | sort | uniq -c

-- no other type can hold it
CREATE FOREIGN TABLE whole_varchar (o varchar OPTIONS (json_key '*'),
	task_id text) SERVER nclue;
SELECT pg_temp.failure('SELECT o FROM whole_varchar', 'SELECT 0');
CREATE FOREIGN TABLE whole_int (o int OPTIONS (json_key '*')) SERVER nclue;
SELECT pg_temp.failure('SELECT o FROM whole_int', 'SELECT 0');
CREATE FOREIGN TABLE timetz (created_at timetz) SERVER nclue;
SELECT pg_temp.failure('SELECT * FROM timetz', 'SELECT 0');
:requests

-- ---- NOT NULL ----
CREATE FOREIGN TABLE strict (task_id text NOT NULL, task_name text,
	fail_message text NOT NULL) SERVER nclue;
SELECT pg_temp.failure('SELECT * FROM strict');
:requests
-- also where the column is not asked for
SELECT pg_temp.failure('SELECT task_name FROM strict');
SELECT pg_temp.failure('SELECT count(*) FROM strict');
SELECT pg_temp.failure('SELECT FROM strict WHERE task_name = ''first''');
:requests | sort | uniq -c
-- but only on rows that are read
BEGIN;
DECLARE one CURSOR FOR SELECT task_name FROM strict;
:ctl update tasks position=0 fail_message='"?"'
:ctl update tasks position=1 fail_message=null
FETCH one;
CLOSE one;
COMMIT;
:ctl delete tasks position=0
:ctl update tasks position=0 fail_message='"?"'
SELECT task_name FROM strict;
SELECT count(*) FROM strict;
:requests | sort | uniq -c
-- an absent key, and "" in a number, are null as well
:ctl remove-field tasks position=0 fail_message
SELECT pg_temp.failure('SELECT count(*) FROM strict');
:ctl update tasks position=0 fail_message='""' line_count='""'
SELECT task_name, fail_message = '' AS empty FROM strict;
ALTER FOREIGN TABLE strict ADD COLUMN line_count bigint NOT NULL;
SELECT pg_temp.failure('SELECT task_name FROM strict');
ALTER FOREIGN TABLE strict ALTER COLUMN line_count DROP NOT NULL;
SELECT * FROM strict;
:requests | sort | uniq -c

-- ---- generated columns ----
:ctl objects 2 tasks
:ctl update tasks position=0 task_id='"b"' task_name='"second"' status='"completed"' AUROC=0.9 line_count=7
:ctl update tasks position=1 task_id='"a"' task_name='"first"' status='"failed"' AUROC=null line_count=5
CREATE FOREIGN TABLE generated (
	shout text GENERATED ALWAYS AS (upper(task_name) || '!') STORED,
	task_id text, task_name text, auroc float8, line_count bigint,
	percent numeric GENERATED ALWAYS AS ((auroc * 100)::numeric) STORED,
	lines bigint GENERATED ALWAYS AS (line_count * 2 + length(task_id)) STORED)
	SERVER nclue;
SELECT * FROM generated;
-- computed from columns that are not asked for
SELECT shout FROM generated;
SELECT task_id, percent FROM generated;
:requests | sort | uniq -c
SELECT task_id FROM generated WHERE lines > 12;
SELECT sum(lines), count(*), count(shout) FROM generated;
SELECT generated FROM generated WHERE task_name = 'first';
-- one that is not asked for needs nothing
:ctl update tasks position=0 line_count='"x"'
SELECT shout, percent FROM generated;
SELECT pg_temp.failure('SELECT lines FROM generated');
:ctl update tasks position=0 line_count=9223372036854775807
-- an error inside the expression names column and object
SELECT pg_temp.failure('SELECT lines FROM generated');
:ctl update tasks position=0 line_count=7
-- after a column before them is dropped
ALTER FOREIGN TABLE generated DROP COLUMN shout;
SELECT * FROM generated;
-- NOT NULL, asked for or not
ALTER FOREIGN TABLE generated ALTER COLUMN lines SET NOT NULL;
SELECT task_id FROM generated;
ALTER FOREIGN TABLE generated ALTER COLUMN percent SET NOT NULL;
SELECT pg_temp.failure('SELECT task_id FROM generated');
SELECT pg_temp.failure('SELECT count(*) FROM generated');
-- from the whole object; a name that is no field needs no json_key
CREATE FOREIGN TABLE computed (object jsonb OPTIONS (json_key '*'),
	keys int GENERATED ALWAYS AS (jsonb_array_length(
		jsonb_path_query_array(object, '$.keyvalue()'))) STORED)
	SERVER nclue;
SELECT keys FROM computed;
-- the one system column that it may use
CREATE FOREIGN TABLE own_oid (task_id text,
	own bool GENERATED ALWAYS AS (tableoid <> 0) STORED) SERVER nclue;
SELECT * FROM own_oid;
SELECT tableoid::regclass, task_id FROM own_oid;
:requests | sort | uniq -c

DROP EXTENSION nclue_fdw CASCADE;
DROP TABLE parent;
DROP DOMAIN object;
