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
