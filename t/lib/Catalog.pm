# What the catalogs say of the extension and of what was made with it, as text
# to be compared.
#
#	my $before = Catalog::belongings($node, 'postgres');

package Catalog;

use strict;
use warnings;

# Everything that belongs to the extension, with its comment and rights.
sub contents
{
	my ($node, $database) = @_;
	return $node->safe_psql($database, q{
SELECT pg_describe_object(d.classid, d.objid, d.objsubid),
  obj_description(d.objid, d.classid::regclass::name),
  pg_get_functiondef(p.oid), coalesce(p.proacl, w.fdwacl), c.relacl,
  pg_get_viewdef(c.oid)
FROM pg_depend d
LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
LEFT JOIN pg_foreign_data_wrapper w
  ON d.classid = 'pg_foreign_data_wrapper'::regclass AND w.oid = d.objid
WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'nclue_fdw')
ORDER BY 1});
}

# What users have made with it.
sub belongings
{
	my ($node, $database) = @_;
	return $node->safe_psql($database, q{
SELECT srvname, srvowner::regrole, srvoptions, srvacl,
  obj_description(oid, 'pg_foreign_server') FROM pg_foreign_server ORDER BY 1;
SELECT srvname, usename, umoptions FROM pg_user_mappings ORDER BY 1, 2;
SELECT ftrelid::regclass, relowner::regrole, srvname, ftoptions, relacl,
  obj_description(ftrelid, 'pg_class')
FROM pg_foreign_table JOIN pg_class c ON c.oid = ftrelid
JOIN pg_foreign_server s ON s.oid = ftserver ORDER BY relname;
SELECT attrelid::regclass, attname, atttypid::regtype, attnotnull, attfdwoptions,
  col_description(attrelid, attnum)
FROM pg_attribute WHERE attrelid IN (SELECT ftrelid FROM pg_foreign_table)
AND attnum > 0 AND NOT attisdropped
ORDER BY attrelid::regclass::text, attnum;});
}

# What ANALYZE has found of its tables.
sub statistics
{
	my ($node, $database) = @_;
	return $node->safe_psql($database, q{
SELECT relname, reltuples, relpages FROM pg_class
WHERE oid IN (SELECT ftrelid FROM pg_foreign_table) ORDER BY relname;
SELECT tablename, attname, null_frac, avg_width, n_distinct, most_common_vals,
  most_common_freqs, histogram_bounds, correlation
FROM pg_stats WHERE (schemaname || '.' || tablename)::regclass
  IN (SELECT ftrelid FROM pg_foreign_table)
ORDER BY tablename, attname;});
}

1;
