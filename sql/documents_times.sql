-- Times without an offset, in every hour in which the clocks of Korea were ever
-- changed: from 1908 on, the years of daylight saving time from 1948 to 1960, and
-- those of 1987 and 1988.
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1');
CREATE SERVER lord_howe FOREIGN DATA WRAPPER nclue_fdw
	OPTIONS (endpoint :'endpoint', rate_limit '0', max_in_flight '1', time_zone 'Australia/Lord_Howe');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE USER MAPPING FOR CURRENT_USER SERVER lord_howe
	OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (sent text OPTIONS (json_key 'created_at'),
	created_at timestamptz, local timestamp OPTIONS (json_key 'created_at')) SERVER nclue;
CREATE FOREIGN TABLE elsewhere (sent text OPTIONS (json_key 'created_at'),
	created_at timestamptz, local timestamp OPTIONS (json_key 'created_at')) SERVER lord_howe;
-- the session's zone is neither of them
SET TimeZone = 'America/Sao_Paulo';
SET DateStyle = 'German';

-- the days on which a zone's clocks are changed, and some hours around them, by
-- half hours; sent becomes the list
CREATE TEMP TABLE sent (n serial, at timestamp);
CREATE FUNCTION pg_temp.changes_of(zone text) RETURNS SETOF timestamp LANGUAGE sql AS $$
	SELECT DISTINCT at FROM generate_series(timestamp '1900-01-01', '2030-01-01', '1 day') AS day,
		generate_series(day - interval '6 hours', day + interval '30 hours', interval '00:29:59') AS at
	WHERE (day AT TIME ZONE zone) + interval '24 hours' <> (day + interval '1 day') AT TIME ZONE zone
$$;
\set as_sent 'to_char(at, ''YYYY-MM-DD"T"HH24:MI:SS'')'
\set send '\\copy (SELECT ''update'', ''tasks'', ''number='' || n, ''created_at="'' || to_char(at, ''YYYY-MM-DD"T"HH24:MI:SS'') || ''"'' FROM sent) TO PROGRAM ''test/standin/ctl batch - > /dev/null'''

-- ---- Korea ----
INSERT INTO sent (at) SELECT * FROM pg_temp.changes_of('Asia/Seoul');
:ctl objects 3000 tasks
:send

-- each is the moment that PostgreSQL itself takes it for
SELECT count(*) > 1000 AS many, count(*) = (SELECT count(*) FROM sent) AS all,
	count(*) FILTER (WHERE created_at IS DISTINCT FROM at AT TIME ZONE 'Asia/Seoul') AS others,
	count(*) FILTER (WHERE local IS DISTINCT FROM at) AS other_locals
FROM (SELECT sent, created_at, local FROM tasks) t JOIN sent ON sent = :as_sent;

-- and some of them are these
CREATE TEMP TABLE known (at timestamp, utc text);
INSERT INTO known VALUES
	('1900-01-01 00:00', '1899-12-31 15:32:08'),	-- the sun's time in Seoul
	('1910-07-01 12:00', '1910-07-01 03:30:00'),	-- +8:30
	('1930-07-01 12:00', '1930-07-01 03:00:00'),	-- +9
	('1949-07-01 12:00', '1949-07-01 02:00:00'),	-- and an hour of summer
	('1952-07-01 12:00', '1952-07-01 03:00:00'),
	('1955-01-01 12:00', '1955-01-01 03:30:00'),	-- +8:30 again
	('1955-07-01 12:00', '1955-07-01 02:30:00'),
	('1960-07-01 12:00', '1960-07-01 02:30:00'),
	('1961-07-01 12:00', '1961-07-01 03:30:00'),
	('1962-07-01 12:00', '1962-07-01 03:00:00'),	-- +9, for good
	('1987-05-09 12:00', '1987-05-09 03:00:00'),
	('1987-07-01 12:00', '1987-07-01 02:00:00'),	-- and an hour of summer
	('1987-10-12 12:00', '1987-10-12 03:00:00'),
	('1988-07-01 12:00', '1988-07-01 02:00:00'),
	('1989-07-01 12:00', '1989-07-01 03:00:00'),
	('2024-07-01 12:00', '2024-07-01 03:00:00');
TRUNCATE sent RESTART IDENTITY;
INSERT INTO sent (at) SELECT at FROM known;
:ctl objects 16 tasks
:send
SELECT sent, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS utc,
	to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') = utc AS right
FROM tasks JOIN known ON sent = :as_sent ORDER BY at;

-- ---- a zone whose summer is half an hour ----
TRUNCATE sent RESTART IDENTITY;
INSERT INTO sent (at) SELECT * FROM pg_temp.changes_of('Australia/Lord_Howe');
:ctl objects 8000 tasks
:send
SELECT count(*) > 1000 AS many, count(*) = (SELECT count(*) FROM sent) AS all,
	count(*) FILTER (WHERE created_at IS DISTINCT FROM at AT TIME ZONE 'Australia/Lord_Howe') AS others,
	count(*) FILTER (WHERE local IS DISTINCT FROM at) AS other_locals
FROM (SELECT sent, created_at, local FROM elsewhere) t JOIN sent ON sent = :as_sent;

SET client_min_messages = warning;
DROP EXTENSION nclue_fdw CASCADE;
