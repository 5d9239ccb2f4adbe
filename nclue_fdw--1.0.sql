/* nclue_fdw--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION nclue_fdw" to load this file. \quit

CREATE FUNCTION nclue_fdw_handler()
RETURNS fdw_handler
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

CREATE FUNCTION nclue_fdw_validator(text[], oid)
RETURNS void
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

CREATE FUNCTION nclue_fdw_version()
RETURNS text
AS 'MODULE_PATHNAME'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION nclue_fdw_version() IS
'versions of nclue_fdw and of the libraries it runs with';

CREATE FOREIGN DATA WRAPPER nclue_fdw
  HANDLER nclue_fdw_handler
  VALIDATOR nclue_fdw_validator;

COMMENT ON FOREIGN DATA WRAPPER nclue_fdw IS
'lists of NAVER Cloud NCLUE as foreign tables';

CREATE FUNCTION nclue_fdw_stat(
  OUT server text,
  OUT user_name text,
  OUT requests bigint,
  OUT retries bigint,
  OUT throttled bigint,
  OUT waited double precision,
  OUT bytes bigint,
  OUT rows bigint,
  OUT reused bigint,
  OUT shared boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT;

COMMENT ON FUNCTION nclue_fdw_stat() IS
'what the requests of each user mapping and access key have come to';

-- a mapping whose keys were changed has a row of the function for each
CREATE VIEW nclue_fdw_stat AS
SELECT server, user_name,
       sum(requests)::bigint AS requests,
       sum(retries)::bigint AS retries,
       sum(throttled)::bigint AS throttled,
       sum(waited) AS waited,
       sum(bytes)::bigint AS bytes,
       sum(rows)::bigint AS rows,
       sum(reused)::bigint AS reused,
       bool_and(shared) AS shared
FROM nclue_fdw_stat()
GROUP BY server, user_name;

COMMENT ON VIEW nclue_fdw_stat IS
'what the requests of each server and user mapping have come to since the start of the server, or of the session where it cannot be shared';
COMMENT ON COLUMN nclue_fdw_stat.server IS 'foreign server';
COMMENT ON COLUMN nclue_fdw_stat.user_name IS 'user of the mapping, or public';
COMMENT ON COLUMN nclue_fdw_stat.requests IS 'requests sent';
COMMENT ON COLUMN nclue_fdw_stat.retries IS 'of these, further attempts after a failure';
COMMENT ON COLUMN nclue_fdw_stat.throttled IS 'requests that the service refused with HTTP status 429';
COMMENT ON COLUMN nclue_fdw_stat.waited IS 'seconds that statements waited for the rate limit and before further attempts';
COMMENT ON COLUMN nclue_fdw_stat.bytes IS 'bytes of answers, decompressed';
COMMENT ON COLUMN nclue_fdw_stat.rows IS 'objects read';
COMMENT ON COLUMN nclue_fdw_stat.reused IS 'scans that read a list which had been begun before';
COMMENT ON COLUMN nclue_fdw_stat.shared IS 'whether all sessions count together, and share one rate limit';

GRANT SELECT ON nclue_fdw_stat TO PUBLIC;

CREATE FUNCTION nclue_fdw_stat_reset()
RETURNS void
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT;

COMMENT ON FUNCTION nclue_fdw_stat_reset() IS
'sets the counts of this database in nclue_fdw_stat to zero';

REVOKE ALL ON FUNCTION nclue_fdw_stat_reset() FROM PUBLIC;

CREATE FUNCTION nclue_fdw_check(
  server text,
  OUT step text,
  OUT ok boolean,
  OUT detail text,
  OUT advice text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT;

COMMENT ON FUNCTION nclue_fdw_check(text) IS
'tries whether a foreign server of nclue_fdw can be used, in at most three requests';

REVOKE ALL ON FUNCTION nclue_fdw_check(text) FROM PUBLIC;
