# A database that uses the extension can be dumped and restored, and upgraded
# with pg_upgrade: what users made is what it was.  A dump by somebody who may
# not see the keys of others has their mappings without them; it restores, and
# the first query says which key is missing.  Nothing of this makes a request,
# unless a materialized view is read anew.
#
# Environment:
#	LIFE=all	pg_upgrade with and without the library preloaded, instead of
#				the usual one of both
#	PG_UPGRADE	the directory of an older PostgreSQL's bin, with the extension:
#				what is dumped and upgraded is of that version
#				(script/test --major N --pg-upgrade M)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Catalog;
use IPC::Run qw(run);
use Life qw(create difference);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

my $standin = Standin->start(objects => 120, key => [ 'AK_TEST:SK_TEST', 'AK_READER:SK_READER' ]);
my $dumps = PostgreSQL::Test::Utils::tempdir();
my @old = $ENV{PG_UPGRADE} ? (install_path => $ENV{PG_UPGRADE}) : ();
my $node = Life::start(PostgreSQL::Test::Cluster->new('main', @old), 'fsync = off');

$node->safe_psql('postgres', q{
CREATE ROLE maker;
CREATE ROLE reader LOGIN;
CREATE ROLE dumper LOGIN IN ROLE pg_read_all_data;
CREATE ROLE restorer LOGIN;
ALTER ROLE reader SET nclue_fdw.cache_ttl = '60s';
CREATE DATABASE source;
ALTER DATABASE source SET nclue_fdw.max_requests = 50;});

# Everything that can be given: options on each level, owners, rights,
# comments, what depends on the tables, statistics.
$node->safe_psql('source', q{
CREATE SCHEMA tools;
CREATE EXTENSION nclue_fdw SCHEMA tools;
GRANT USAGE ON FOREIGN DATA WRAPPER nclue_fdw TO maker;
GRANT ALL ON SCHEMA public TO maker;
GRANT EXECUTE ON FUNCTION tools.nclue_fdw_check(text) TO reader;
SET ROLE maker;}
	  . create('tasks', $standin, page_size => 50, time_zone => 'UTC',
		timeout => '15.5', connect_timeout => '500ms', max_response_size => '1MB',
		list_order => 'stable', index_unit => 'row', max_retries => 1)
	  . q{
COMMENT ON SERVER tasks IS 'the only one, "quoted" and ''so'' on';
CREATE USER MAPPING FOR reader SERVER tasks
  OPTIONS (access_key 'AK_READER', secret_key 'SK_READER');
CREATE USER MAPPING FOR maker SERVER tasks
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE USER MAPPING FOR dumper SERVER tasks;
GRANT USAGE ON FOREIGN SERVER tasks TO reader;
IMPORT FOREIGN SCHEMA nclue FROM SERVER tasks INTO public;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
CREATE DOMAIN short AS varchar(1000);
CREATE FOREIGN TABLE own (
  label short OPTIONS (json_key 'task_name'),
  task_id text NOT NULL,
  dropped text,
  "all" jsonb OPTIONS (json_key '*'),
  length int GENERATED ALWAYS AS (length(label)) STORED
) SERVER tasks OPTIONS (list_order 'auto', page_size '30', resource 'tasks');
ALTER FOREIGN TABLE own DROP COLUMN dropped;
ALTER FOREIGN TABLE own ALTER COLUMN label SET STATISTICS 50;
COMMENT ON COLUMN own.label IS 'its name';
CREATE VIEW failed AS SELECT task_id, task_name FROM nclue_tasks WHERE status = 'failed';
GRANT SELECT ON failed TO reader;
ANALYZE nclue_tasks;
ANALYZE own;});

my @tables = qw(tasks own nclue_tasks nclue_features nclue_task_runs
  nclue_shopping_intents nclue_custom_attributes failed);

# What the tables show.
sub rows
{
	my ($server, $database) = @_;
	return $server->safe_psql($database,
		join ' UNION ALL ',
		map { "SELECT '$_', t::text FROM $_ AS t" } @tables);
}

my %source = (
	contents => Catalog::contents($node, 'source'),
	belongings => Catalog::belongings($node, 'source'),
	statistics => Catalog::statistics($node, 'source'),
	rows => rows($node, 'source'));
like($source{statistics}, qr/^own\|120\|/m, 'there are statistics');
like($source{rows}, qr/^failed\|/m, 'there are rows');

# As of version 17 there is a right to MAINTAIN, the types of a view and its
# arrays are told of, and a view's columns where their table goes without saying.
sub of_any_version
{
	my $text = shift;
	$text =~ s/(?<=[a-zA-Z])m(?=\/)//g;
	$text =~ s/^type .*\n?//mg;
	$text =~ s/\bnclue_fdw_stat\.//g;
	return $text;
}

sub is_as_before
{
	my ($what, $server, $database, %unlike) = @_;

	my %now = (
		contents => Catalog::contents($server, $database),
		belongings => Catalog::belongings($server, $database),
		$unlike{rows} // 1 ? (rows => rows($server, $database)) : ());
	foreach my $part (sort keys %now)
	{
		my @both = ($now{$part}, $unlike{$part} // $source{$part});
		@both = map { of_any_version($_) } @both if @old && $part ne 'rows';
		is(difference(@both) // '', '', "$what: $part as before");
	}
	return;
}

# Runs a program; what it complains of, '' where it succeeds.
sub complaint
{
	my ($program, @arguments) = @_;
	my ($out, $err) = ('', '');
	my $done = run([ $program, @arguments ], '<', \undef, '>', \$out, '2>', \$err);

	return $done ? '' : $err || $out || 'failed';
}

sub done
{
	my ($what, @command) = @_;
	is(complaint(@command), '', $what);
	return;
}

sub fresh_database
{
	my $database = shift;
	$node->safe_psql('postgres', $_)
	  foreach "DROP DATABASE IF EXISTS $database", "CREATE DATABASE $database";
	return $node->connstr($database);
}

my $from = $node->connstr('source');
my @quiet = ('-X', '-q', '-v', 'ON_ERROR_STOP=1');

# Its own mapping, for a server on which it has no rights, is hidden as well.
sub dump_hides
{
	my ($what, $seen) = @_;
	my $belongings = $source{belongings} =~ s/^(tasks\|(?!$seen\|)\w+\|)\{.*\}$/$1/gmr;

	done("$what: dump", 'pg_dump', '-U', 'dumper', '-Fc', '-f', "$dumps/hidden", $from);
	unlike(slurp_file("$dumps/hidden"), qr/SK_TEST|SK_READER/, "$what: no key is in it")
	  unless $seen;
	done("$what: restore", 'pg_restore', '-e', '-d', fresh_database('hidden'), "$dumps/hidden");
	is_as_before($what, $node, 'hidden', belongings => $belongings, rows => 0);
	return;
}

# A newer pg_dump's output is not for an older server.
if (!@old)
{
	# ---- by a superuser ----

	$standin->requests;
	done('dump in plain form', 'pg_dump', '-f', "$dumps/plain.sql", $from);
	done("dump in form $_", 'pg_dump', "-F$_", '-f', "$dumps/$_", $from) foreach qw(c d t);
	is_deeply([ $standin->requests ], [], 'dumping makes no request');

	done('restore by psql', 'psql', @quiet, '-f', "$dumps/plain.sql", fresh_database('plain'));
	is_deeply([ $standin->requests ], [], 'restoring makes no request');
	is_as_before('plain', $node, 'plain');

	foreach my $form (qw(c d t))
	{
		my $target = fresh_database('restored');
		done("restore form $form", 'pg_restore', '-e', '-d', $target, "$dumps/$form");
		is_as_before("form $form", $node, 'restored');
	}
	done('restore over what there is', 'pg_restore', '-e', '--clean',
		'-d', $node->connstr('restored'), "$dumps/c");
	is_as_before('over what there is', $node, 'restored');

	# rows are dumped only where that is asked for, and cannot be put back
	$standin->requests;
	done('dump of a table with its rows', 'pg_dump', '-Fc', '--include-foreign-data=tasks',
		'-t', 'own', '-f', "$dumps/data", $from);
	cmp_ok(scalar(my @asked = $standin->requests), '>', 0, 'which reads the list');
	$node->safe_psql('plain', 'DROP FOREIGN TABLE own');
	like(complaint('pg_restore', '-d', $node->connstr('plain'), "$dumps/data"),
		qr/cannot insert into foreign table "own".*errors ignored on restore: 1$/s,
		'its rows cannot be restored');
	is($node->safe_psql('plain', 'SELECT count(*) FROM own'), 120, 'the table is');

	# ---- a materialized view is read anew ----

	$node->safe_psql('plain', 'CREATE MATERIALIZED VIEW kept AS SELECT task_id FROM tasks');
	done('dump with a materialized view', 'pg_dump', '-Fc', '-f', "$dumps/kept",
		$node->connstr('plain'));
	$standin->requests;
	done('restore it', 'pg_restore', '-e', '-d', fresh_database('kept'), "$dumps/kept");
	is(scalar(my @walk = $standin->requests), 3, 'which reads the list');
	is($node->safe_psql('kept', 'SELECT count(*) FROM kept'), 120, 'and has its rows');

	# ---- by a role that does not see the keys ----

	$node->safe_psql('postgres', 'GRANT CONNECT ON DATABASE source TO dumper');
	dump_hides('keys hidden', 'nobody');
	$standin->requests;
	foreach my $key (qw(access_key secret_key))
	{
		my ($status, undef, $error) = $node->psql('hidden', 'SELECT * FROM nclue_tasks',
			on_error_stop => 1, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		like($error, qr/ERROR:  28000: user mapping for server "tasks" has no $key$/m,
			"the first query says that the $key is missing");
		like($error, qr/HINT:  .*ALTER USER MAPPING .* OPTIONS \(ADD $key '...'\)/,
			'and how to give it');
		my ($value) = $key =~ /access/ ? 'AK_TEST' : 'SK_TEST';
		$node->safe_psql('hidden',
			"ALTER USER MAPPING FOR $_ SERVER tasks OPTIONS (ADD $key '$value')")
		  foreach qw(maker PUBLIC);
	}
	is_deeply([ $standin->requests ], [], 'without a request');
	is(rows($node, 'hidden'), $source{rows}, 'with the keys the tables show their rows');

	$node->safe_psql('plain', 'ALTER USER MAPPING FOR PUBLIC SERVER tasks OPTIONS (DROP secret_key)');
	done('dump of a materialized view without a key', 'pg_dump', '-Fc',
		'-f', "$dumps/keyless", $node->connstr('plain'));
	my $error = complaint('pg_restore', '-d', fresh_database('keyless'), "$dumps/keyless");
	like($error, qr/has no secret_key.*REFRESH MATERIALIZED VIEW.*errors ignored on restore: 1$/s,
		'without a key it alone is not restored');

	# ---- by a role that is no superuser, into a database of its own ----

	done('dump once more', 'pg_dump', '-Fc', '-f', "$dumps/mine", $from);
	fresh_database('mine');
	$node->safe_psql('postgres', 'ALTER DATABASE mine OWNER TO restorer');
	$node->safe_psql('mine', q{
CREATE SCHEMA tools AUTHORIZATION restorer;
	CREATE EXTENSION nclue_fdw SCHEMA tools;
	GRANT USAGE ON FOREIGN DATA WRAPPER nclue_fdw TO restorer;
	GRANT CREATE ON SCHEMA public TO restorer;});
	run([ 'pg_restore', '-l', "$dumps/mine" ], '>', \my $list);
	append_to_file("$dumps/list", join "\n", grep { !/SCHEMA - |EXTENSION/ } split /\n/, $list);
	done('restore without being superuser', 'pg_restore', '-e', '-O', '-x', '-U', 'restorer',
		'-L', "$dumps/list", '-d', $node->connstr('mine'), "$dumps/mine");
	is( $node->safe_psql('mine', 'SELECT count(*) FROM own'), 120, 'its tables show their rows');
	is( $node->safe_psql('mine', 'SELECT srvowner::regrole FROM pg_foreign_server'),
		'restorer', 'and its server is its own');
}

# ---- all databases of a server ----

my $other = PostgreSQL::Test::Cluster->new('other');
Life::init($other);
$other->append_conf('postgresql.conf', 'fsync = off');
$other->start;
$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $_") foreach qw(plain restored kept hidden keyless mine);
done('pg_dumpall', 'pg_dumpall', '-f', "$dumps/all.sql", '-d', $node->connstr('postgres'));
# the role that does it is there already
my ($restored, $complaints);
run([ 'psql', '-Xq', '-f', "$dumps/all.sql", '-d', $other->connstr('postgres') ],
	'>', \$restored, '2>', \$complaints);
is(join("\n", grep { /ERROR/ && !/role ".*" already exists/ } split /\n/, $complaints),
	'', 'restore all');
is_as_before('all databases', $other, 'source');
is($other->safe_psql('source', 'SHOW nclue_fdw.max_requests', extra_params => ['-U', 'reader']),
	50, "a database's setting is there");
is($other->safe_psql('source', 'SELECT count(task_id) FROM tasks; SHOW nclue_fdw.cache_ttl',
		extra_params => [ '-U', 'reader' ]),
	"120\n1min", "and a role's");
$other->stop;

# ---- pg_upgrade ----

# From the cluster to one of this version, all of whose sessions have the library
# from the start, or none.  Before 18 it leaves statistics behind.
sub upgraded
{
	my ($what, $preload) = @_;
	my $new = PostgreSQL::Test::Cluster->new($what);

	Life::init($new);
	$_->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\nfsync = off")
	  foreach $node, $new;
	# it must have been stopped in good order, and sees what is in no catalog
	$node->start;
	$node->stop;
	$standin->requests;
	done("$what: pg_upgrade", 'pg_upgrade', '--no-sync',
		'-b', $node->config_data('--bindir'), '-B', $new->config_data('--bindir'),
		'-d', $node->data_dir, '-D', $new->data_dir,
		'-p', $node->port, '-P', $new->port, '-s', $node->host);
	$new->start;
	is_as_before($what, $new, 'source', rows => 0);
	is_deeply([ $standin->requests ], [], "$what: no request");
	is(difference(Catalog::statistics($new, 'source'), $source{statistics}) // '',
		'', "$what: statistics as before")
	  if $new->pg_version >= 18;
	is(difference(rows($new, 'source'), $source{rows}) // '', '', "$what: rows as before");
	$new->safe_psql('source', 'DROP EXTENSION nclue_fdw CASCADE');
	$new->stop;
	return;
}

$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS restored');
$node->stop;
my $all = ($ENV{LIFE} // '') eq 'all';
upgraded('preloaded', 'nclue_fdw') if $all || $node->pg_version < 17;
upgraded('ordinary', '') if $all || $node->pg_version >= 17;

done_testing();
