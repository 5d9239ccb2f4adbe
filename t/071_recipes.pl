# The recipes of doc/recipes.md: their SQL is run as it stands there, with two
# PostgreSQL servers, two accounts and whatever else they need.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Documents;
use IPC::Run qw(start pump timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

my $top = "$FindBin::RealBin/..";
chdir $top or die "$top: $!";
my $document = Documents->read('doc/recipes.md');

# the keys that the document shows
my @standins =
  map { Standin->start(key => '...:...', objects => $_) } 250, 30;

sub requests
{
	return map { $_->requests } @standins;
}

my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);
my $cron = -e "$sharedir/extension/pg_cron.control";

# ---- the servers ----

my $owner = PostgreSQL::Test::Cluster->new('owner');
$owner->init(
	allows_streaming => 'logical',
	extra => [ '--encoding=UTF8', '--no-locale' ]);
my @preload;
push @preload, 'nclue_fdw' if $owner->pg_version < 17;
push @preload, 'pg_cron' if $cron;
$owner->append_conf('postgresql.conf',
	"shared_preload_libraries = '" . join(',', @preload) . "'");
$owner->append_conf('postgresql.conf', <<'END') if $cron;
cron.database_name = 'app'
cron.use_background_workers = on
END
$owner->start;
$owner->safe_psql('postgres', 'CREATE DATABASE app');
Documents::redirect($owner, 'app', $standins[0]->endpoint);

# what tells the others where it is, before they start
my $services = PostgreSQL::Test::Utils::tempdir() . '/pg_service.conf';
append_to_file($services,
	    "[nclue_owner]\nhost="
	  . $owner->host
	  . "\nport="
	  . $owner->port
	  . "\ndbname=app\n");
$ENV{PGSERVICEFILE} = $services;

my $reader = PostgreSQL::Test::Cluster->new('reader');
$reader->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$reader->start;
$reader->safe_psql('postgres', 'CREATE DATABASE app');

# ---- the document ----

my %sessions = (
	main => $owner->connstr('app'),
	dashboard => $owner->connstr('app') . ' user=dashboard',
	reader => $reader->connstr('app'));

$document->run(
	sessions => sub {
		return ($sessions{ $_[0] },
			{
				endpoint2 => $standins[1]->endpoint,
				ctl => '\! NCLUE_STANDIN_CONTROL='
				  . $standins[0]->control
				  . " '$top/test/standin/ctl'"
			});
	},
	requests => \&requests,
	lacks => $cron ? {}
	: { pg_cron => 'the package of pg_cron for this PostgreSQL is not installed' },
	directory => PostgreSQL::Test::Utils::tempdir());

# ---- what takes its time ----

# A dashboard that is looked at for a while; as often as the document says would
# take too long.
{
	my ($watch) = $document->prose =~ /`\\watch (\d+)`/;
	my $out = '';

	is($watch, 10, 'the document shows \watch');
	requests();
	my $psql = start [ 'psql', '-XAtq', '-d', $sessions{dashboard} ],
	  '<', \"SELECT count(*) FROM nclue_tasks WHERE status > '' \\watch 0.05\n",
	  '>', \$out, timeout(180);
	pump $psql until (() = $out =~ /^\d+$/mg) >= 4;
	$psql->kill_kill;
	is(scalar(requests()), 3,
		'\watch repeats a query, and cache_ttl the list: three requests once');
}

# What the owner changes reaches the subscriber.
{
	$owner->safe_psql('app', "UPDATE tasks SET task_name = 'changed' WHERE task_id = 'new'");
	ok( $reader->poll_query_until('app',
			"SELECT task_name = 'changed' FROM tasks WHERE task_id = 'new'"),
		'a change is replicated');
	requests();
}

# Neither a dump nor what psql looks at reads a list; a standby can.
{
	my $standby = PostgreSQL::Test::Cluster->new('standby');

	$owner->command_ok(
		[
			'pg_dump', '--file', "$services.dump",
			'--dbname', $owner->connstr('app')
		],
		'pg_dump');
	like(slurp_file("$services.dump"), qr/secret_key '\.\.\.'/,
		'a dump holds the keys');
	is(join("\n", requests()), '', 'and makes no request');

	$owner->backup('backup');
	$standby->init_from_backup($owner, 'backup', has_streaming => 1);
	$standby->start;
	$owner->wait_for_catchup($standby);
	is($standby->safe_psql('app',
			"SELECT count(*) FROM nclue_tasks WHERE task_id <> ''"),
		251, 'a standby reads the list');
	is($standby->safe_psql('app',
			"SELECT count(*) FROM nclue_fdw_check('nclue') WHERE NOT ok"),
		0, 'and can be checked');
	$standby->stop;
	requests();
}

SKIP:
{
	skip 'the package of pg_cron for this PostgreSQL is not installed', 1
	  unless $cron;
	# the document's pause is too long; before 1.5 it is a minute at least
	my $pause = $owner->safe_psql('app',
		"SELECT CASE WHEN extversion IN ('1.4', '1.4-1') THEN '* * * * *' "
		  . "ELSE '1 second' END FROM pg_extension WHERE extname = 'pg_cron'");
	$owner->safe_psql('app',
		"SELECT cron.alter_job(jobid, schedule := '$pause', active := true) FROM cron.job");
	ok( $owner->poll_query_until('app',
			"SELECT count(*) > 0 FROM cron.job_run_details WHERE status = 'succeeded'"),
		'pg_cron refreshes the copy')
	  or diag $owner->safe_psql('app', 'SELECT * FROM cron.job_run_details');
	is_deeply(
		[ (requests())[ 0 .. 2 ] ],
		[
			'GET /api/v1/tasks?index=0&limit=100',
			'GET /api/v1/tasks?index=99&limit=100',
			'GET /api/v1/tasks?index=198&limit=100'
		],
		'which reads the list once');
}

done_testing();
