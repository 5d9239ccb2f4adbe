# A row that another session has changed is rechecked (EvalPlanQual) without
# asking for anything again.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

my $standin = Standin->start(objects => 250);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', qq{
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint '@{[$standin->endpoint]}', rate_limit '0', max_retries '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;
CREATE TABLE note (task_id text PRIMARY KEY, times int NOT NULL, total int);
INSERT INTO note
SELECT task_id, 0 FROM (SELECT task_id FROM nclue_tasks LIMIT 100) t ORDER BY task_id LIMIT 3;});

# As many pages as look-ups: else the list would be read instead of the last one.
my @walk = (
	'GET /api/v1/tasks?index=0&limit=100',
	'GET /api/v1/tasks?index=99&limit=100',
	'GET /api/v1/tasks?index=198&limit=100');

# The update waits for a row that another session has updated, and is then
# done again on the row as that session left it.
sub rechecked
{
	my ($what, $update, @expected) = @_;
	my $first = $node->background_psql('postgres');
	my $second = $node->background_psql('postgres');
	my $name = $what =~ tr/a-z/_/cr;

	$node->safe_psql('postgres', 'UPDATE note SET times = 0, total = NULL');
	$first->query_safe('BEGIN; UPDATE note SET times = times + 10');
	$standin->requests;
	$second->query_safe("SET application_name = '$name'");
	$second->query_until(qr/waiting/, "\\echo waiting\n$update;\n\\echo done\n");
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE "
		  . "application_name = '$name' AND wait_event_type = 'Lock'")
	  or die 'the update does not wait';
	my @requests = $standin->requests;
	cmp_ok(scalar(@requests), '>', 0, "$what: the list is being read");
	$first->query_safe('COMMIT');
	$second->query_until(qr/done/, '');
	push @requests, $standin->requests;
	# look-ups come in the order of the rows, which updates change
	is_deeply(
		[ sort @requests ],
		[ sort @expected ],
		"$what: nothing is asked for again");
	$_->quit foreach $first, $second;
	return;
}

rechecked('join',
	'UPDATE note SET times = times + 1 FROM nclue_tasks t '
	  . 'WHERE t.task_id = note.task_id', @walk);
is( $node->safe_psql('postgres', 'SELECT DISTINCT times FROM note'),
	'11', 'join: on the rows as they were left');

rechecked('sub select',
	'UPDATE note SET times = times + 1, '
	  . 'total = (SELECT count(task_name) FROM nclue_tasks)', @walk);
is( $node->safe_psql('postgres', 'SELECT DISTINCT times, total FROM note'),
	'11|250', 'sub select: on the rows as they were left');

rechecked('count',
	'UPDATE note SET times = times + 1, total = (SELECT count(*) FROM nclue_tasks)',
	$walk[0]);
is( $node->safe_psql('postgres', 'SELECT DISTINCT times, total FROM note'),
	'11|250', 'count: on the rows as they were left');

rechecked('range',
	'UPDATE note SET times = times + 1, total = (SELECT count(*) FROM '
	  . '(SELECT FROM nclue_tasks LIMIT 5 OFFSET 20) t)',
	'GET /api/v1/tasks?index=20&limit=5');
is( $node->safe_psql('postgres', 'SELECT DISTINCT times, total FROM note'),
	'11|5', 'range: on the rows as they were left');

# From here on the planner knows that there are three.
$node->safe_psql('postgres', 'ANALYZE note');
my @lookups = map { "GET /api/v1/tasks/$_" } split /\n/,
  $node->safe_psql('postgres',
	'SELECT task_id FROM note ORDER BY task_id COLLATE "C"');

rechecked('join by look ups',
	'UPDATE note SET times = times + 1 FROM nclue_tasks t '
	  . 'WHERE t.task_id = note.task_id', @lookups);
is( $node->safe_psql('postgres', 'SELECT DISTINCT times FROM note'),
	'11', 'join by look ups: on the rows as they were left');

rechecked('correlated sub select',
	'UPDATE note SET times = times + 1 WHERE EXISTS '
	  . '(SELECT FROM nclue_tasks t WHERE t.task_id = note.task_id OFFSET 0)',
	@lookups);
is( $node->safe_psql('postgres', 'SELECT DISTINCT times FROM note'),
	'11', 'correlated sub select: on the rows as they were left');

rechecked('correlated walk',
	'UPDATE note SET times = times + 1 WHERE EXISTS '
	  . "(SELECT FROM nclue_tasks t WHERE t.task_id || '' = note.task_id OFFSET 0)",
	# the three are on the first page, and no other is wanted
	$walk[0]);
is( $node->safe_psql('postgres', 'SELECT DISTINCT times FROM note'),
	'11', 'correlated walk: on the rows as they were left');

done_testing();
