# sqlsmith's queries over foreign and local tables: nothing crashes, no error is
# internal (XX...) unless PostgreSQL raises it over local tables as well, and
# none is the service's while the service is well.
#
# Environment:
#	SQLSMITH	how many queries (default 2400, a quarter of a minute; a long run:
#				100000)
#	SEED		where to start (default 1); a failure prints what repeats its round
#
# Each round has a seed of its own, which decides what sqlsmith makes and under
# which settings it runs.  Every statement is rolled back by sqlsmith.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Standin;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'sqlsmith is not installed'
  unless eval { IPC::Run::run([qw(sqlsmith --version)], '>', \my $version) };

my $queries = $ENV{SQLSMITH} // 2400;
my $seed = $ENV{SEED} // 1;
my $per_round = 300;

# Failures after which nothing new is learned.
my $enough = 10;

# What the service's failures are told by; none may come while it is well.
my $of_service = qr/^(?:HV|08|28|40001|53000|22032)/;

my @standins = map { Standin->start(objects => 150) } qw(row page);
my $node = PostgreSQL::Test::Cluster->new('main');
my ($session, $log);
my (%errors, %own, %tally, %failed);

# ---- the database ----

my %remote = (
	tasks_typed => q{(task_id varchar, status status NOT NULL,
		loud text GENERATED ALWAYS AS (upper(status)) STORED,
		line_count numeric, auroc real, whole jsonb OPTIONS (json_key '*'))
		SERVER page OPTIONS (list_order 'stable')},
	features_typed => q{(feature_id uuid, user_count numeric, created_at date,
		whole json OPTIONS (json_key '*'))
		SERVER page OPTIONS (resource 'features', page_size '7')},
	runs_small => q{(run_id text, task_id text, created_at timestamp)
		SERVER row OPTIONS (resource 'task-runs', page_size '3')},
	parts_other => q{PARTITION OF remote.parts DEFAULT SERVER row});

sub create_server
{
	my ($unit, $standin, $size) = @_;
	my $endpoint = $standin->endpoint;

	$session->query_safe($_) foreach (
		"CREATE SERVER $unit FOREIGN DATA WRAPPER nclue_fdw OPTIONS (
		 endpoint '$endpoint', rate_limit '0', max_in_flight '1',
		 max_retries '0', index_unit '$unit', page_size '$size')",
		"CREATE USER MAPPING FOR PUBLIC SERVER $unit
		 OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST')");
	$standin->ctl('set', "index_unit=$unit");
	return;
}

# Foreign tables in one schema, local ones of the same names and rows in another.
sub create_all
{
	$session->query_safe($_) foreach (
		'SET client_min_messages = warning',
		'CREATE EXTENSION nclue_fdw', 'CREATE ROLE smith LOGIN',
		'CREATE SCHEMA remote', 'CREATE SCHEMA local',
		"CREATE DOMAIN status AS text CHECK (value <> 'gone')");
	create_server('row', $standins[0], 100);
	create_server('page', $standins[1], 20);
	$session->query_safe($_) foreach (
		'IMPORT FOREIGN SCHEMA nclue FROM SERVER row INTO remote',
		q{CREATE TABLE remote.parts (task_id text, status text,
		 created_at timestamptz) PARTITION BY LIST (status)},
		q{CREATE TABLE remote.parts_failed PARTITION OF remote.parts
		 FOR VALUES IN ('gone')},
		(map { "CREATE FOREIGN TABLE remote.$_ $remote{$_}" } sort keys %remote),
		q{CREATE VIEW remote.failed AS SELECT task_id, status, fail_message,
		 created_at FROM remote.nclue_tasks WHERE status = 'failed'},
		'CREATE TABLE numbers AS SELECT n, n::text AS t FROM generate_series(1, 50) n');
	my @relations = $session->query_safe(q{SELECT relname FROM pg_class
		WHERE relnamespace = 'remote'::regnamespace AND relkind IN ('f', 'p', 'r', 'v')});
	$session->query_safe($_) foreach (
		(map { "CREATE TABLE local.$_ AS SELECT * FROM remote.$_" } @relations),
		'ANALYZE',
		'GRANT USAGE ON SCHEMA remote, local TO smith',
		# all, for what locks and changes rows is planned with them, too
		'GRANT ALL ON ALL TABLES IN SCHEMA public, remote, local TO smith',
		# it would end its own session
		'REVOKE EXECUTE ON FUNCTION pg_terminate_backend(int, bigint),
		 pg_cancel_backend(int) FROM PUBLIC');
	return;
}

# ---- kinds of rounds ----

# Each: a name, the session's settings, faults of the service.
sub kinds
{
	return (
		[ 'as it is', {} ],
		[ 'nested loops', { enable_hashjoin => 'off', enable_mergejoin => 'off' } ],
		[ 'one snapshot', {
			default_transaction_isolation => 'repeatable\\ read',
			work_mem => '64kB' } ],
		[ 'kept lists', { 'nclue_fdw.cache_ttl' => '60s', enable_nestloop => 'off' } ],
		[ 'parallel', { max_parallel_workers_per_gather => 1, parallel_setup_cost => 0,
			parallel_tuple_cost => 0, min_parallel_table_scan_size => 0,
			enable_partitionwise_join => 'on', enable_partitionwise_aggregate => 'on' } ],
		[ 'genetic', { geqo_threshold => 2, enable_material => 'off',
			enable_memoize => 'off' } ],
		[ 'few requests', { 'nclue_fdw.max_requests' => 3 } ],
		[ 'faults', {}, [qw(fault status=503 every=5)] ]);
}

sub options
{
	my $settings = shift;
	my %all = ('nclue_fdw.max_requests' => 100, %$settings);

	return join ' ', map { "-c $_=$all{$_}" } sort keys %all;
}

# ---- the server's log ----

# What came since the last call.
sub read_log
{
	my $mark = "end of round $tally{rounds}";
	my $text = '';

	# after a crash it takes a moment
	$node->poll_query_until('postgres', 'SELECT true') or die "the server is gone\n";
	$node->safe_psql('postgres', qq{DO \$\$ BEGIN RAISE LOG '$mark'; END \$\$});
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$text = slurp_file($log);
		last if $text =~ s/("$mark"[^\n]*\n).*/$1/s;
		$text = '';
		Time::HiRes::sleep(0.1);
	}
	die "the log does not come\n" unless $text;

	# the server appends to it
	truncate $log, 0 or die "$log: $!";
	# bytes: some messages cut a character in two
	my $json = JSON::PP->new;
	return map { $json->decode($_) } split /\n/, $text;
}

# ---- a round ----

# The SQLSTATEs with which statements fail in one session, '' where they do not.
sub states_of
{
	my ($options, @statements) = @_;
	my $smith = Session->new($node->connstr('postgres') .
		" user=smith options='" . ($options =~ s/\\/\\\\/gr) . "'");
	my @states;

	foreach my $statement ("SET statement_timeout = '10s'", @statements)
	{
		$smith->query_safe('BEGIN');
		$smith->query($statement);
		push @states, $smith->error =~ /(\w{5})$/ ? $1 : '';
		$smith->query_safe($states[-1] ? 'ROLLBACK' : 'COMMIT');
	}
	$smith->close;
	return @states[ 1 .. $#states ];
}

# What is wrong with an error; '' if nothing is.
sub judge_error
{
	my ($error, $kind, $options) = @_;
	my $state = $error->{state_code};

	return 'the session ended' if $error->{error_severity} ne 'ERROR';
	return 'a failure of the service, which is well'
	  if $state =~ $of_service && !$kind->[2];
	return '' unless $state =~ /^XX/;

	# a session's own number is a value that another one does not have
	my $remote = $error->{statement} =~ s/\bpg_catalog\.pg_backend_pid\(\)/$error->{pid}/gr;
	my ($again, $local) = states_of($options, $remote, $remote =~ s/\bremote\./local./gr);
	return 'an internal error that does not come again' unless $again eq $state;
	return 'an internal error, and none over local tables' unless $local eq $state;
	$own{ $error->{message} }++;
	return '';
}

sub note_error
{
	my ($error, $kind, $options, $round_seed) = @_;
	my $wrong = judge_error($error, $kind, $options);

	$errors{ $error->{state_code} }++;
	$tally{errors}++;
	return unless $wrong;
	$failed{ $kind->[0] }++;
	diag("$wrong: $error->{state_code} $error->{message}\n",
		"$error->{func_name}, $error->{file_name}:$error->{file_line_num}\n",
		($error->{context} // ''), "\nPGOPTIONS='$options'\n", ($error->{statement} // ''),
		"\nRepeat its round with\nSEED=$round_seed SQLSMITH=$per_round make installcheck",
		" REGRESS= PROVE_TESTS=t/230_sqlsmith.pl\n");
	return;
}

sub run_round
{
	my ($round_seed, $kind) = @_;
	my $options = options($kind->[1]);
	my $limit = 30 * $PostgreSQL::Test::Utils::timeout_default;
	my ($output, $complaint) = ('', '');

	$_->ctl($kind->[2] ? @{ $kind->[2] } : qw(fault off)) foreach @standins;
	local $ENV{PGOPTIONS} = $options;
	my $ended = IPC::Run::run(
		[ 'sqlsmith', '--target=' . $node->connstr('postgres') . ' user=smith',
			"--seed=$round_seed", "--max-queries=$per_round", '--exclude-catalog' ],
		'>', \$output, '2>', \$complaint, IPC::Run::timeout($limit));
	$_->ctl(qw(fault off)) foreach @standins;
	$tally{rounds}++;
	$tally{queries} += $per_round;
	foreach my $line (read_log())
	{
		note_error($line, $kind, $options, $round_seed)
		  if $line->{error_severity} =~ /^(?:ERROR|FATAL|PANIC)$/;
		if ($line->{message} =~ /terminated by (?:signal|exception)/)
		{
			$failed{ $kind->[0] }++;
			diag("$line->{message}\n", $line->{detail} // '');
		}
	}
	die "sqlsmith has failed: $complaint\n" unless $ended || $failed{ $kind->[0] };
	$tally{requests} += $_->requests foreach @standins;
	return;
}

# ---- all of them ----

$node->init;
$node->append_conf('postgresql.conf', <<END);
log_destination = 'jsonlog'
logging_collector = on
log_filename = 'server'
log_rotation_age = 0
log_rotation_size = 0
log_error_verbosity = verbose
log_statement = none
restart_after_crash = on
END
$node->start;
$log = $node->data_dir . '/log/server.json';
$session = Session->new($node->connstr('postgres'));
%tally = map { $_ => 0 } qw(rounds queries errors requests);
create_all();
read_log();
$_->requests foreach @standins;

my @kinds = kinds();
my $start = time;
my %done;
note("SEED=$seed SQLSMITH=$queries");
while ($tally{queries} < $queries && keys %failed < $enough)
{
	my $round_seed = $seed + $tally{rounds};
	my $kind = $kinds[ $round_seed % @kinds ];

	run_round($round_seed, $kind);
	$done{ $kind->[0] }++;
}
is($failed{ $_->[0] } // 0, 0, "queries: $_->[0]") foreach grep { $done{ $_->[0] } } @kinds;

my $said = join '', map { slurp_file($_) } glob($node->data_dir . '/log/*');
unlike($said, qr/PANIC|TRAP|terminated by signal/, 'no process died');
is($node->safe_psql('postgres', 'SELECT count(*) FROM remote.nclue_tasks'), 150,
	'a list can be read');
cmp_ok($tally{requests}, '>', $tally{queries} / 20, 'the service was asked');

note(sprintf '%d queries in %.0f s, %d without an error, %d requests',
	$tally{queries}, time - $start, $tally{queries} - $tally{errors}, $tally{requests});
note("SQLSTATE $_: $errors{$_}") foreach sort keys %errors;
note("PostgreSQL's own: $own{$_} x $_") foreach sort keys %own;

$session->close;
$node->stop;
$_->stop foreach @standins;
done_testing();
