-- Times: every form in which the service may write one, in every zone it may
-- mean, whatever the session's own settings.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');		-- Asia/Seoul
CREATE SERVER utc FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', time_zone 'UTC');
CREATE SERVER new_york FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', time_zone 'America/New_York');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE USER MAPPING FOR CURRENT_USER SERVER utc
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE USER MAPPING FOR CURRENT_USER SERVER new_york
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
\set ECHO none
\i test/sql/read_as.psql
\i test/sql/failure.psql
\set ECHO all
\pset null (null)
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

CREATE FUNCTION pg_temp.table_of_times(server text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE FOREIGN TABLE %1$I_times (
		sent text OPTIONS (json_key ''created_at''),
		tz timestamptz OPTIONS (json_key ''created_at''),
		ts timestamp OPTIONS (json_key ''created_at''),
		d date OPTIONS (json_key ''created_at''),
		t time OPTIONS (json_key ''created_at'')) SERVER %1$I', server);
	-- texts that no setting of the session changes
	EXECUTE format($sql$ CREATE VIEW %1$I AS SELECT sent,
		to_char(tz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US BC') AS tz_utc,
		to_char(ts, 'YYYY-MM-DD HH24:MI:SS.US') AS ts,
		to_char(d::timestamp, 'YYYY-MM-DD') AS d,
		to_char(t, 'HH24:MI:SS.US') AS t FROM %1$I_times $sql$, server);
END
$$;
DO $$
BEGIN
	PERFORM pg_temp.table_of_times('nclue');
	PERFORM pg_temp.table_of_times('utc');
	PERFORM pg_temp.table_of_times('new_york');
END
$$;

-- ---- the forms ----
:ctl set order=oldest
:ctl objects 25 tasks
:ctl update tasks number=1 created_at='"2024-11-11T11:01:30"'
:ctl update tasks number=2 created_at='"2024-11-11t11:01:30"'
:ctl update tasks number=3 created_at='"2024-11-11 11:01:30"'
:ctl update tasks number=4 created_at='"2024-11-11T11:01"'
:ctl update tasks number=5 created_at='"2024-11-11T11:01:30.5"'
:ctl update tasks number=6 created_at='"2024-11-11T11:01:30.123"'
:ctl update tasks number=7 created_at='"2024-11-11T11:01:30.123456"'
:ctl update tasks number=8 created_at='"2024-11-11T11:01:30.123456789"'
:ctl update tasks number=9 created_at='"2024-11-11T23:59:59.9999996"'
:ctl update tasks number=10 created_at='"2024-11-11T11:01:30Z"'
:ctl update tasks number=11 created_at='"2024-11-11T11:01:30z"'
:ctl update tasks number=12 created_at='"2024-11-11T11:01:30+0900"'
:ctl update tasks number=13 created_at='"2024-11-11T11:01:30+09:00"'
:ctl update tasks number=14 created_at='"2024-11-11T11:01:30+09"'
:ctl update tasks number=15 created_at='"2024-11-11T11:01:30.25+0900"'
:ctl update tasks number=16 created_at='"2024-11-11 11:01:30.25Z"'
:ctl update tasks number=17 created_at='"2024-11-11 11:01:30-05:00"'
:ctl update tasks number=18 created_at='"2024-11-11T11:01+0530"'
:ctl update tasks number=19 created_at='"2024-11-11T11:01:30-00:00"'
:ctl update tasks number=20 created_at='"2024-11-11T11:01:30+15:59"'
:ctl update tasks number=21 created_at='"2024-03-04T05:06:07"'
:ctl update tasks number=22 created_at='"2024-12-31T23:30:00-01:00"'
:ctl update tasks number=23 created_at='"2024-01-01T00:30:00+14:00"'
:ctl update tasks number=24 created_at='"2024-02-29T00:00:00"'
:ctl update tasks number=25 created_at='"2024-11-11T11:01Z"'

-- what carries no offset is of the zone that the server's option names
SELECT * FROM nclue;
:requests
SELECT * FROM utc;
:requests
SELECT * FROM new_york;
:requests

-- the fraction may follow a comma
:ctl objects 4 tasks
:ctl update tasks number=1 created_at='"2024-11-11T11:01:30,5"'
:ctl update tasks number=2 created_at='"2024-11-11 11:01:30,123456Z"'
:ctl update tasks number=3 created_at='"2024-11-11t11:01:30,25+0900"'
:ctl update tasks number=4 created_at='"2024-11-11T11:01:30,000-05:00"'
SELECT * FROM nclue;
:requests

-- ---- the ends of the range, and the seconds that are not in every minute ----
:ctl objects 16 tasks
:ctl update tasks number=1 created_at='"0001-01-01T00:00:00"'
:ctl update tasks number=2 created_at='"0001-01-01T00:00:00Z"'
:ctl update tasks number=3 created_at='"0031-02-03T04:05:06"'
:ctl update tasks number=4 created_at='"0099-12-11T10:09:08Z"'
:ctl update tasks number=5 created_at='"0100-01-02T03:04:05"'
:ctl update tasks number=6 created_at='"1582-10-10T00:00:00"'
:ctl update tasks number=7 created_at='"1900-02-28T23:59:59"'
:ctl update tasks number=8 created_at='"1969-12-31T23:59:59.999999Z"'
:ctl update tasks number=9 created_at='"1970-01-01T00:00:00Z"'
:ctl update tasks number=10 created_at='"2000-01-01T00:00:00"'
:ctl update tasks number=11 created_at='"2038-01-19T03:14:08Z"'
:ctl update tasks number=12 created_at='"9999-12-31T23:59:59"'
:ctl update tasks number=13 created_at='"9999-12-31T23:59:59.999999+15:59"'
:ctl update tasks number=14 created_at='"9999-12-31T23:59:59-15:59"'
:ctl update tasks number=15 created_at='"2016-12-31T23:59:60Z"'
:ctl update tasks number=16 created_at='"2017-01-01T08:59:60"'
SELECT * FROM nclue;
SELECT * FROM utc;
:requests | sort | uniq -c

-- ---- daylight saving time ----
-- Korea had it from 1988-05-08 02:00 to 1988-10-09 03:00, New York has it; of
-- a time that is skipped or comes twice PostgreSQL's reading counts
:ctl objects 17 tasks
:ctl update tasks number=1 created_at='"1988-05-08T01:59:59"'
:ctl update tasks number=2 created_at='"1988-05-08T02:00:00"'
:ctl update tasks number=3 created_at='"1988-05-08T02:30:00"'
:ctl update tasks number=4 created_at='"1988-05-08T03:00:00"'
:ctl update tasks number=5 created_at='"1988-07-01T12:00:00"'
:ctl update tasks number=6 created_at='"1988-10-09T01:59:59"'
:ctl update tasks number=7 created_at='"1988-10-09T02:30:00"'
:ctl update tasks number=8 created_at='"1988-10-09T03:00:00"'
:ctl update tasks number=9 created_at='"1988-07-01T12:00:00Z"'
:ctl update tasks number=10 created_at='"1988-07-01T12:00:00+0900"'
:ctl update tasks number=11 created_at='"1988-10-08T16:30:00Z"'
:ctl update tasks number=12 created_at='"1988-10-08T17:30:00Z"'
:ctl update tasks number=13 created_at='"1989-07-01T12:00:00"'
:ctl update tasks number=14 created_at='"2024-03-10T01:59:59"'
:ctl update tasks number=15 created_at='"2024-03-10T02:30:00"'
:ctl update tasks number=16 created_at='"2024-11-03T01:30:00"'
:ctl update tasks number=17 created_at='"2024-07-01T12:00:00Z"'
SELECT * FROM nclue;
SELECT * FROM new_york;
-- the moment of a time without an offset is AT TIME ZONE's
SELECT count(*),
	count(*) FILTER (WHERE tz = ts AT TIME ZONE 'Asia/Seoul') AS same
FROM nclue_times WHERE length(sent) = 19;
SELECT count(*),
	count(*) FILTER (WHERE tz = ts AT TIME ZONE 'America/New_York') AS same
FROM new_york_times WHERE length(sent) = 19;
-- and the time of a moment likewise
SELECT count(*),
	count(*) FILTER (WHERE ts = tz AT TIME ZONE 'Asia/Seoul') AS same
FROM nclue_times WHERE length(sent) > 19;
:requests | sort | uniq -c

-- ---- the session's settings change nothing ----
:ctl objects 6 tasks
:ctl update tasks number=1 created_at='"2024-03-04T05:06:07"'
:ctl update tasks number=2 created_at='"2024-03-04t05:06:07Z"'
:ctl update tasks number=3 created_at='"2024-03-04 05:06:07.5+0900"'
:ctl update tasks number=4 created_at='"2024-03-04T05:06"'
:ctl update tasks number=5 created_at='"0003-04-05T06:07:08"'
:ctl update tasks number=6 created_at='"0031-02-03T04:05:06Z"'
CREATE TEMP TABLE before AS
	SELECT 'nclue' AS server, * FROM nclue
	UNION ALL SELECT 'utc', * FROM utc
	UNION ALL SELECT 'new_york', * FROM new_york;
SELECT count(*) FROM before;
DO $$
DECLARE
	style text;
	zone text;
	others bigint;
	compared int := 0;
BEGIN
	FOREACH style IN ARRAY ARRAY['ISO, YMD', 'ISO, MDY', 'ISO, DMY',
		'German, DMY', 'German, YMD', 'SQL, DMY', 'SQL, MDY', 'SQL, YMD',
		'Postgres, DMY', 'Postgres, MDY']
	LOOP
		FOREACH zone IN ARRAY ARRAY['UTC', 'Asia/Seoul', 'America/New_York',
			'Asia/Kathmandu', 'Pacific/Kiritimati', 'Pacific/Marquesas', 'Etc/GMT+12']
		LOOP
			PERFORM set_config('DateStyle', style, true),
				set_config('TimeZone', zone, true);
			SELECT count(*) INTO others FROM (
				(SELECT 'nclue' AS server, * FROM nclue
				UNION ALL SELECT 'utc', * FROM utc
				UNION ALL SELECT 'new_york', * FROM new_york)
				EXCEPT ALL SELECT * FROM before) difference;
			IF others > 0 THEN
				RAISE EXCEPTION '% times differ under % in %',
					others, style, zone;
			END IF;
			compared := compared + 1;
		END LOOP;
	END LOOP;
	FOREACH zone IN ARRAY ARRAY['Australia', 'India'] LOOP
		PERFORM set_config('timezone_abbreviations', zone, true);
		SELECT count(*) INTO others FROM (
			SELECT 'nclue' AS server, * FROM nclue
			EXCEPT ALL SELECT * FROM before) difference;
		IF others > 0 THEN
			RAISE EXCEPTION '% times differ with abbreviations of %',
				others, zone;
		END IF;
		compared := compared + 1;
	END LOOP;
	RAISE WARNING 'the same under % settings', compared;
END
$$;
:requests | sort | uniq -c
-- what is shown is the session's affair, as everywhere
SET TimeZone = 'Asia/Seoul';
SET DateStyle = 'German';
SELECT tz, ts, d, t FROM nclue_times WHERE sent LIKE '2024%';
:requests
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- ---- lengths ----
:ctl objects 3 tasks
:ctl update tasks number=1 created_at='"2024-12-31T23:59:59.499999"'
:ctl update tasks number=2 created_at='"2024-12-31T23:59:59.5"'
:ctl update tasks number=3 created_at='"2024-12-31T23:59:59.123456Z"'
CREATE DOMAIN second AS timestamptz(0);
CREATE FOREIGN TABLE lengths (sent text OPTIONS (json_key 'created_at'),
	tz0 timestamptz(0) OPTIONS (json_key 'created_at'),
	tz3 timestamptz(3) OPTIONS (json_key 'created_at'),
	second second OPTIONS (json_key 'created_at'),
	ts0 timestamp(0) OPTIONS (json_key 'created_at'),
	ts1 timestamp(1) OPTIONS (json_key 'created_at'),
	t0 time(0) OPTIONS (json_key 'created_at'),
	t2 time(2) OPTIONS (json_key 'created_at'),
	d date OPTIONS (json_key 'created_at')) SERVER nclue;
SELECT * FROM lengths;
CREATE DOMAIN recent AS timestamptz CHECK (value > '2025-01-01 00:00:00+09');
:ctl objects 1 tasks
:ctl update tasks number=1 created_at='"2024-12-31T23:59:59.5"'
SELECT pg_temp.read_as('created_at', 'recent') AS recent,
	pg_temp.read_as('created_at', 'text') AS text,
	pg_temp.read_as('created_at', 'varchar(10)') AS "varchar(10)",
	pg_temp.read_as('created_at', 'jsonb') AS jsonb;
:requests | sort | uniq -c

-- ---- what is no time ----
-- no value: null, absent, "" and 0
:ctl update tasks number=1 no_1=null no_2='""' no_3=0
SELECT key, pg_temp.read_as(key, 'timestamptz') AS timestamptz,
	pg_temp.read_as(key, 'timestamp') AS timestamp,
	pg_temp.read_as(key, 'date') AS date, pg_temp.read_as(key, 'time') AS time,
	pg_temp.read_as(key, 'second') AS second
FROM unnest('{no_1,no_2,no_3,absent}'::text[]) key;
:requests | sort | uniq -c

-- never guessed: what PostgreSQL itself would read, and garbage
:ctl update tasks number=1 bad_01='"20241111"' bad_02='"2024-11-11"' bad_03='"20241111T110130"' bad_04='"2024-11-11T110130"' bad_05='"11/11/2024 11:01:30"' bad_06='"11.11.2024 11:01:30"' bad_07='"Nov 11 2024 11:01:30"'
:ctl update tasks number=1 bad_08='"now"' bad_09='"today"' bad_10='"infinity"' bad_11='"-infinity"' bad_12='"epoch"' bad_13='"2024-11-11T11:01:30 Asia/Seoul"' bad_14='"2024-11-11T11:01:30 KST"' bad_15='"2024-11-11T11:01:30 +09:00"'
:ctl update tasks number=1 bad_16='" 2024-11-11T11:01:30"' bad_17='"2024-11-11T11:01:30 "' bad_18='"2024-11-11  11:01:30"' bad_19='"2024-11-11T11"' bad_20='"2024-11-11T11:01:30."' bad_21='"2024-11-11T11:01:30.1234567890"' bad_22='"2024-11-11T11:01:30+9"'
:ctl update tasks number=1 bad_23='"2024-11-11T11:01:30+09:0"' bad_24='"2024-11-11T11:01:30+16:00"' bad_25='"2024-11-11T11:01:30+09:60"' bad_26='"2024-11-11T24:00:00"' bad_27='"2024-11-11T11:60:00"' bad_28='"2024-11-11T11:01:61"' bad_29='"2024-13-11T11:01:30"'
:ctl update tasks number=1 bad_30='"2024-00-11T11:01:30"' bad_31='"2024-11-32T11:01:30"' bad_32='"2024-11-00T11:01:30"' bad_33='"24-11-11T11:01:30"' bad_34='"12024-11-11T11:01:30"' bad_35='"-2024-11-11T11:01:30"' bad_36='"2024-1-1T11:01:30"' bad_37='"2024-W46-1T11:01:30"' bad_38='"2024-316T11:01:30"'
:ctl update tasks number=1 bad_39='"11:01:30"' bad_40='"2024-11-11T11:01:30 BC"' bad_41='"2024-11-11T11:01:30\n"' bad_42='"2024-11-11T11:01:30\u0001"' bad_43='"２０２４-11-11T11:01:30"' bad_44='"2024-11-11T11:01:30ZZ"' bad_45='"J2451187"' bad_46='" "'
:ctl update tasks number=1 bad_47=1731290490 bad_48=1731290490000 bad_49=0.0 bad_50=20241111 bad_51=-1 bad_52=true bad_53=false bad_54='["2024-11-11T11:01:30"]' bad_55='{}' bad_56='"0"' bad_57='"null"' bad_58='"1731290490"'
CREATE FOREIGN TABLE whole (object json OPTIONS (json_key '*')) SERVER nclue;
CREATE TEMP TABLE refused AS
SELECT key, value AS json, pg_temp.read_as(key, 'timestamptz') AS timestamptz,
	pg_temp.read_as(key, 'timestamp') AS timestamp,
	pg_temp.read_as(key, 'date') AS date, pg_temp.read_as(key, 'time') AS time
FROM whole, json_each(object) WHERE key LIKE 'bad\_%';
SELECT timestamptz, timestamp, date, time, count(*) FROM refused
	GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC;
SELECT key, json FROM refused WHERE timestamptz <> 'error 22007' ORDER BY key;
:requests | sort | uniq -c

-- nor is a text that goes on behind a NUL
:ctl update tasks number=1 nul='"2024-11-11T11:01:30\u0000"'
SELECT pg_temp.read_as('nul', 'timestamptz') AS timestamptz,
	pg_temp.read_as('nul', 'timestamp') AS timestamp,
	pg_temp.read_as('nul', 'date') AS date, pg_temp.read_as('nul', 'time') AS time;
:ctl remove-field tasks number=1 nul

-- the form is right, the day is not in the calendar
:ctl update tasks number=1 day_1='"2024-02-30T11:01:30"' day_2='"2023-02-29T11:01:30Z"' day_3='"2024-04-31T11:01:30"' day_4='"1900-02-29T00:00:00"' day_5='"0000-01-01T00:00:00"' day_6='"2016-12-31T23:59:60.5Z"' day_7='"2000-02-29T00:00:00+09:00"'
SELECT key, value AS json, pg_temp.read_as(key, 'timestamptz') AS timestamptz,
	pg_temp.read_as(key, 'timestamp') AS timestamp,
	pg_temp.read_as(key, 'date') AS date, pg_temp.read_as(key, 'time') AS time
FROM whole, json_each(object) WHERE key LIKE 'day\_%';
:requests | sort | uniq -c

-- the errors say where, and the session goes on
CREATE FOREIGN TABLE tasks (task_id text, task_name text, created_at date,
	completed_at timestamptz) SERVER nclue;
:ctl update tasks number=1 task_id='"t-1"' created_at='"2024-02-30T11:01:30"' completed_at='"2024-11-11"'
SELECT pg_temp.failure('SELECT created_at FROM tasks');
SELECT pg_temp.failure('SELECT completed_at FROM tasks');
:ctl update tasks number=1 created_at=1731290490 completed_at='"어제 '"'"'11시'"'"'\n"'
SELECT pg_temp.failure('SELECT created_at FROM tasks');
SELECT pg_temp.failure('SELECT completed_at FROM tasks');
-- a long text is cut
:ctl update tasks number=1 completed_at="\"$(printf '가%.0s' $(seq 200))\""
SELECT pg_temp.failure('SELECT completed_at FROM tasks');
:ctl update tasks number=1 created_at='["2024-11-11"]'
SELECT pg_temp.failure('SELECT created_at FROM tasks');
:requests | sort | uniq -c

-- ---- they are times: conditions, order ----
:ctl objects 3 tasks
SET TimeZone = 'America/New_York';
SELECT created_at, completed_at FROM tasks ORDER BY completed_at;
SELECT created_at FROM tasks WHERE completed_at < '2024-02-20T13:00:00+09:00';
:ctl set times=Z fraction=6
SELECT created_at, completed_at FROM tasks ORDER BY completed_at;
:ctl set times=+0900 fraction=0
SELECT created_at, completed_at FROM tasks ORDER BY completed_at;

-- no time is no time however it is written
:ctl set times=none
:ctl objects 50 tasks
CREATE TEMP TABLE moments AS SELECT task_id, completed_at FROM tasks;
SELECT count(*), count(completed_at) FROM moments;
:ctl set nulls=absent
SELECT task_id, completed_at FROM tasks EXCEPT SELECT * FROM moments;
:ctl set nulls=empty
SELECT task_id, completed_at FROM tasks EXCEPT SELECT * FROM moments;
:ctl set times=+09:00
SELECT task_id, completed_at FROM tasks EXCEPT SELECT * FROM moments;
:requests | sort | uniq -c

DROP EXTENSION nclue_fdw CASCADE;
DROP DOMAIN second, recent;
