# A hot standby reads the tables as the primary does: it is a server of its own,
# with its own line and its own counts.  What writes is refused by PostgreSQL.
# It goes on reading while it is promoted.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Life qw(create outcome session);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# Three pages a walk, each in a body of its own.
my $standin = Standin->start(objects => 250);
my $primary = Life::node('primary', 'wal_level = replica', 'max_wal_senders = 4');
$primary->set_replication_conf;
$primary->reload;
$primary->safe_psql('postgres', create('tasks', $standin) . q{
IMPORT FOREIGN SCHEMA nclue FROM SERVER tasks INTO public;
CREATE TABLE wanted AS SELECT task_id FROM tasks LIMIT 2;
CREATE VIEW failed AS SELECT task_id FROM tasks WHERE status = 'failed';});
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

my ($here, $there) = map { session($_) } $primary, $standby;
$_->query_safe('SET client_min_messages = error') foreach $here, $there;
is(outcome($there, 'SELECT pg_is_in_recovery()'), 't', 'the standby is one');

# ---- what can be read ----

my @queries = (
	'SELECT * FROM tasks',
	'SELECT count(*) FROM tasks',
	'SELECT * FROM tasks LIMIT 10 OFFSET 120',
	'SELECT * FROM tasks WHERE task_id = (SELECT min(task_id) FROM wanted)',
	'SELECT * FROM wanted JOIN tasks USING (task_id)',
	'SELECT * FROM nclue_features ORDER BY feature_id',
	'SELECT * FROM failed',
	'SELECT count(*), (SELECT count(*) FROM tasks) FROM nclue_task_runs',
	'EXPLAIN (COSTS off) SELECT * FROM tasks LIMIT 5');

foreach my $query (@queries)
{
	$standin->requests;
	my $expected = outcome($here, $query);
	my @expected = $standin->requests;
	unlike($expected, qr/\AERROR|\A\z/, "$query: the primary reads it");
	is(outcome($there, $query), $expected, "$query: the standby reads the same");
	is_deeply([ $standin->requests ], \@expected, "$query: with the same requests");
}

sub cursor_reads
{
	my ($what, @before) = @_;

	$there->query_safe($_) foreach @before, 'BEGIN ISOLATION LEVEL REPEATABLE READ',
	  'DECLARE c SCROLL CURSOR FOR SELECT task_id FROM tasks', 'MOVE 120 FROM c';
	my $rest = outcome($there, 'FETCH ALL FROM c');
	$there->query_safe('MOVE ABSOLUTE 0 FROM c');
	my $all = outcome($there, 'FETCH ALL FROM c');
	is($all, outcome($here, 'SELECT task_id FROM tasks'), "$what: its rows");
	is($rest, join("\n", (split /\n/, $all)[ 120 .. 249 ]), "$what: half of them");
	$standin->requests;
	is(outcome($there, 'SELECT count(task_id) FROM tasks'), '250', "$what: read again");
	is_deeply([ $standin->requests ], [], "$what: of the same list");
	$there->query_safe('COMMIT');
	return;
}

sub temporary_files
{
	my $node = shift;
	return glob $node->data_dir . '/base/pgsql_tmp/*';
}

cursor_reads('a cursor');
$there->query_safe("SET work_mem = '64kB'");
$there->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT * FROM tasks; MOVE 240 FROM c');
is(scalar(my @files = temporary_files($standby)), 1, 'a long list goes to a temporary file');
$there->query_safe('COMMIT');
is(scalar(@files = temporary_files($standby)), 0, 'which is gone with it');
cursor_reads('a cursor with a file');
$there->query_safe('RESET work_mem');
$there->query_safe("SET nclue_fdw.cache_ttl = '60s'");
$there->query_safe('SELECT count(task_id) FROM tasks');
$standin->requests;
is(outcome($there, 'SELECT count(task_id) FROM tasks'), '250', 'a list is kept for the session');
is_deeply([ $standin->requests ], [], 'and read again without a request');
$there->query_safe('RESET nclue_fdw.cache_ttl');

is( outcome($there, q{SELECT string_agg(step, ' ' ORDER BY step) FROM nclue_fdw_check('tasks') WHERE NOT ok}),
	outcome($here, q{SELECT string_agg(step, ' ' ORDER BY step) FROM nclue_fdw_check('tasks') WHERE NOT ok}),
	'nclue_fdw_check() finds on the standby what it finds on the primary');
$there->query_safe('SELECT nclue_fdw_stat_reset()');
$there->query_safe('SELECT count(task_id) FROM tasks');
is(outcome($there, 'SELECT requests, rows, shared FROM nclue_fdw_stat'),
	'3|250|t', 'nclue_fdw_stat counts what the standby does');
cmp_ok(outcome($here, 'SELECT requests FROM nclue_fdw_stat'), '>', 3,
	'apart from the primary');

# ---- what cannot ----

foreach my $writes (
	"IMPORT FOREIGN SCHEMA nclue FROM SERVER tasks INTO public",
	'ANALYZE tasks',
	"ALTER SERVER tasks OPTIONS (SET rate_limit '5')",
	"INSERT INTO tasks VALUES ('x', 'y')",
	'CREATE TABLE kept AS SELECT * FROM tasks',
	'DROP EXTENSION nclue_fdw CASCADE')
{
	$standin->requests;
	is(outcome($there, $writes), 'ERROR 25006', "$writes: is refused");
	is_deeply([ $standin->requests ], [], "$writes: before it asks for anything");
}
is(outcome($there, 'SELECT count(*) FROM tasks'), '250', 'the session goes on');

# ---- what the primary changes ----

# A new statement reads by it, a cursor does not.
$there->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT * FROM tasks; MOVE 10 FROM c');
$here->query_safe("ALTER USER MAPPING FOR PUBLIC SERVER tasks OPTIONS (SET secret_key 'SK_WRONG')");
$primary->wait_for_catchup($standby);
my $second = session($standby);
is(outcome($second, 'SELECT count(*) FROM tasks'), 'ERROR 28000', 'a change of the mapping arrives');
is(outcome($there, 'SELECT count(*) FROM (SELECT 1) AS x'), '1', 'the session has seen it');
is(scalar(my @rest = $there->query('FETCH ALL FROM c')), 240, 'a cursor reads on');
is(outcome($there, 'SELECT count(*) FROM tasks'), 'ERROR 28000', 'the next statement reads by it');
$there->query_safe('ROLLBACK');
$here->query_safe("ALTER USER MAPPING FOR PUBLIC SERVER tasks OPTIONS (SET secret_key 'SK_TEST')");

# A table that is dropped under a reader: replay waits for it, or ends it.
$primary->wait_for_catchup($standby);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = '20ms'");
$standby->reload;
$here->query_safe('CREATE FOREIGN TABLE doomed (task_id text) SERVER tasks');
$primary->wait_for_catchup($standby);
$standin->ctl('fault', 'stall', 'next=1');
$standin->requests;
$there->start('SELECT count(task_id) FROM doomed');
ok($standin->wait_requests(1), 'a reader of a table waits for the service');
$here->query_safe('DROP FOREIGN TABLE doomed');
$there->finish;
like($there->error, qr/40001/, 'recovery that needs its table ends the wait');
is(outcome($there, 'SELECT count(*) FROM tasks'), '250', 'and the session goes on');

# ---- promotion ----

$there->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT task_id FROM tasks; MOVE 120 FROM c');
$standin->ctl('fault', 'slow_body=3000', 'match=index=99', 'next=1');
$standin->requests;
$second->start('SELECT count(task_id) FROM tasks');
ok($standin->wait_requests(2), 'another session waits for a page');
$standby->promote;
is(join(' ', $second->finish), '250', 'it has all rows, though the standby was promoted');
is(scalar(@rest = $there->query('FETCH ALL FROM c')), 130, 'so has a cursor');
$there->query_safe('COMMIT');
is(outcome($there, 'SELECT pg_is_in_recovery()'), 'f', 'it is a primary now');
is(outcome($there, 'ANALYZE tasks'), '', 'and writes');
is(outcome($there, "ALTER SERVER tasks OPTIONS (ADD page_size '50')"), '', 'and alters');
$standin->requests;
is(outcome($there, 'SELECT count(task_id) FROM tasks'), '250', 'and reads');
is(scalar(my @pages = $standin->requests), 6, 'by what was altered');

$_->stop foreach $standby, $primary;
done_testing();
