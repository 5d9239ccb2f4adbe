# The fewest requests over the extended protocol, and in transactions that are
# prepared: what psql cannot show.

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
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;
$node->safe_psql(
	'postgres', qq{
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint '@{[ $standin->endpoint ]}', rate_limit '0', max_retries '0', max_in_flight '1');
CREATE USER MAPPING FOR PUBLIC SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;});

my @ids = $standin->ctl('ids', 'tasks');
my $walk = [ map { "GET /api/v1/tasks?index=$_&limit=100" } 0, 99, 198 ];

# More than the five executions after which PostgreSQL may take a generic plan.
my $times = 8;

# Runs a script of pgbench so many times in one session, and compares each
# time's requests.
sub bench
{
	my ($name, $script, $expected) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/script.sql';

	open(my $out, '>', $file) or die "$file: $!";
	print $out $script;
	close $out;
	foreach my $protocol ('simple', 'extended', 'prepared')
	{
		foreach my $plans ('auto', 'force_custom_plan', 'force_generic_plan')
		{
			next if $plans ne 'auto' && $protocol ne 'prepared';
			local $ENV{PGOPTIONS} = "-c plan_cache_mode=$plans";
			$standin->requests;
			$node->command_ok(
				[
					'pgbench', '-n', '-M', $protocol, '-t', $times,
					'-f', $file, 'postgres'
				],
				"$name is run, $protocol protocol, plans $plans");
			is_deeply(
				[ $standin->requests ],
				[ map { @$expected } 1 .. $times ],
				"$name: requests, $protocol protocol, plans $plans");
		}
	}
	unlink $file;
	return;
}

bench(
	'LIMIT and OFFSET',
	"\\set rows 10\n\\set first 120\n"
	  . "SELECT * FROM nclue_tasks LIMIT :rows OFFSET :first;\n",
	['GET /api/v1/tasks?index=120&limit=10']);
bench(
	'LIMIT of more than a page',
	"\\set rows 150\nSELECT * FROM nclue_tasks LIMIT :rows;\n",
	[
		'GET /api/v1/tasks?index=0&limit=100',
		'GET /api/v1/tasks?index=99&limit=51'
	]);
bench('LIMIT 0', "\\set rows 0\nSELECT * FROM nclue_tasks LIMIT :rows;\n",
	[]);
bench(
	'a look-up',
	"\\set number 4711\n"
	  . "SELECT * FROM nclue_tasks WHERE task_id = :number::text;\n",
	['GET /api/v1/tasks/4711']);
bench(
	'a look-up by a literal',
	"SELECT * FROM nclue_tasks WHERE task_id = '$ids[200]';\n",
	["GET /api/v1/tasks/$ids[200]"]);
bench('count(*)', "SELECT count(*) FROM nclue_tasks;\n",
	['GET /api/v1/tasks?index=0&limit=100']);
bench(
	'a filter',
	"\\set lines 0\n"
	  . "SELECT count(*) FROM nclue_tasks WHERE line_count > :lines;\n",
	$walk);

# What each statement of a script makes, between \echo lines, in one session.
sub session
{
	my ($sql) = @_;

	$standin->requests;
	my $out = $node->safe_psql('postgres', $sql);
	return ($out, [ $standin->requests ]);
}

# A list is the transaction's until it is prepared, and not the next one's.
my ($out, $requests) = session(q{
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(task_name) FROM nclue_tasks;
SELECT count(task_name) FROM nclue_tasks;
PREPARE TRANSACTION 'list';
SELECT name FROM pg_backend_memory_contexts WHERE name LIKE 'nclue_fdw%';
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(task_name) FROM nclue_tasks;
COMMIT;
COMMIT PREPARED 'list';});
is($out, "250\n250\nnclue_fdw account\n250",
	'PREPARE TRANSACTION ends the list of the transaction');
is_deeply($requests, [ @$walk, @$walk ],
	'... which was one, and the next transaction has its own');

($out, $requests) = session(q{
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM (SELECT FROM nclue_tasks WHERE status = 'failed' LIMIT 1) t;
PREPARE TRANSACTION 'half';
ROLLBACK PREPARED 'half';
SELECT count(task_name) FROM nclue_tasks;});
is($out, "1\n250", 'PREPARE TRANSACTION ends a list that was half read');
is_deeply($requests, [ $walk->[0], @$walk ], '... and it is not read on');

($out, $requests) = session(q{
SET nclue_fdw.cache_ttl = '1h';
BEGIN;
SELECT count(task_name) FROM nclue_tasks;
PREPARE TRANSACTION 'kept';
SELECT count(task_name) FROM nclue_tasks;
COMMIT PREPARED 'kept';
DISCARD ALL;
SELECT count(task_name) FROM nclue_tasks;});
is($out, "250\n250\n250", "a session's list outlives PREPARE TRANSACTION");
is_deeply($requests, [ @$walk, @$walk ], '... and ends with DISCARD ALL');

# Sessions share no list.
($out, $requests) = session(q{SET nclue_fdw.cache_ttl = '1h';
SELECT count(task_name) FROM nclue_tasks;});
is_deeply($requests, $walk, 'another session reads its own list');

done_testing();
