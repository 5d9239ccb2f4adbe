-- A field without a value, however it is written, in every column of every list.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;
SET TimeZone = 'UTC';
:ctl objects 90

-- the columns' values as texts; NULL: none
CREATE TEMP TABLE cells (written text, list text, kind text, id text, name text, value text);
CREATE FUNCTION pg_temp.read(how text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	list text;
BEGIN
	FOREACH list IN ARRAY '{nclue_tasks,nclue_features,nclue_task_runs,nclue_shopping_intents,nclue_custom_attributes}'::text[] LOOP
		EXECUTE format($sql$ INSERT INTO cells
			SELECT %1$L, %2$L, format_type(atttypid, NULL), row ->> first, attname, row ->> attname
			FROM (SELECT to_jsonb(t) AS row, (SELECT attname::text FROM pg_attribute
				WHERE attrelid = %2$L::regclass AND attnum = 1) AS first FROM %2$I t) t, pg_attribute
			WHERE attrelid = %2$L::regclass AND attnum > 1 $sql$, how, list);
	END LOOP;
END $$;
-- how many values differ from those where null is written null, and in what way
\set differ 'SELECT kind, count(*), format(''%s instead of %s'', coalesce(quote_literal(c.value), ''NULL''), coalesce(quote_literal(n.value), ''NULL'')) AS what, string_agg(DISTINCT name, '' '' ORDER BY name) AS columns FROM cells c JOIN cells n USING (list, kind, id, name) WHERE c.written = :\'how\' AND n.written = \'null\' AND c.value IS DISTINCT FROM n.value GROUP BY 1, 3 ORDER BY 1, 3;'

-- null
SELECT pg_temp.read('null') \g /dev/null
SELECT list, kind, count(*) AS values, count(value) AS "not null" FROM cells GROUP BY 1, 2 ORDER BY 1, 2;

-- the key is absent
:ctl set nulls=absent
\set how absent
SELECT pg_temp.read(:'how') \g /dev/null
:differ

-- "" in texts and times: a text is a text, a time is none
:ctl set nulls=empty
\set how empty
SELECT pg_temp.read(:'how') \g /dev/null
:differ

-- 0 in numbers: a number is a number
:ctl set nulls=zero
\set how zero
SELECT pg_temp.read(:'how') \g /dev/null
:differ

-- both
:ctl set nulls=blank
\set how blank
SELECT pg_temp.read(:'how') \g /dev/null
:differ

-- AUROC is a text: "" is no number
:ctl set nulls=empty auroc=string
SELECT count(*), count(auroc) FROM nclue_tasks;
:ctl set nulls=null auroc=number
SELECT count(*), count(auroc) FROM nclue_tasks;

-- 0, "", null in a time
:ctl objects 4 tasks
:ctl update tasks position=0 completed_at=0
:ctl update tasks position=1 completed_at='""'
:ctl update tasks position=2 completed_at='"2024-11-11T11:06:44"'
:ctl update tasks position=3 completed_at=null
SELECT completed_at FROM nclue_tasks;
:requests | sort | uniq -c

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
