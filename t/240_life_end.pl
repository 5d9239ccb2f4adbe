# Sessions end at once, whatever they wait for and whatever ends them: the
# session, its client, the server in each of its ways, another process that
# crashes, the postmaster that is killed.  Nothing is left: no process, no
# connection, no temporary file, no place in line.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Life qw(create outcome session);
use Pace qw(wait_until);
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;
use Time::HiRes qw(time);

# At once, for a loaded machine; no time-out is as short.
my $patience = 20;

my $standin = Standin->start(objects => 250, key => [ 'AK_TEST:SK_TEST', 'AK_LINE:SK_TEST' ]);
my $node = Life::node('main', 'restart_after_crash = on', 'fsync = off',
	"log_line_prefix = '%m [%p] %e '");
$node->safe_psql('postgres', join ' ',
	create('tasks', $standin, timeout => 1000),
	create('refused', $standin, timeout => 1000, max_retries => 1),
	"ALTER FOREIGN TABLE refused OPTIONS (ADD resource 'features');",
	'ALTER FOREIGN TABLE refused DROP COLUMN task_id;',
	create('first', $standin, rate_limit => 1000),
	create('limited', $standin, rate_limit => '0.01'),
	map { "ALTER USER MAPPING FOR PUBLIC SERVER $_ OPTIONS (SET access_key 'AK_LINE');" }
	  qw(first limited));
my $open_line = "SELECT count(*) FROM first WHERE task_id = 'x'";

sub temporary_files
{
	return glob $node->data_dir . '/base/pgsql_tmp/*';
}

# What a session does when it ends: a statement, after others.
my %states = (
	'for a page' => [ ["SET work_mem = '64kB'"], 'SELECT count(status) FROM tasks' ],
	'in a cursor' => [
		[ "SET work_mem = '64kB'", 'BEGIN', 'DECLARE c CURSOR FOR SELECT status FROM tasks',
			'MOVE 150 FROM c' ],
		'MOVE ALL FROM c'
	],
	# its list is nobody's to end
	'in line' => [ ["SET nclue_fdw.cache_ttl = '1h'"], "SELECT count(*) FROM limited WHERE task_id = 'x'" ],
	'to try again' => [ [], 'SELECT count(status) FROM refused' ]);

# A session in each state, all waiting.
sub waiting
{
	my @settings = @_;
	my %sessions;

	outcome(session($node), $open_line);
	$standin->ctl('fault', 'stall_body=20000', 'match=index=198', 'next=2');
	$standin->ctl('fault', 'status=503', 'retry_after=600', 'match=features', 'next=1');
	foreach my $state (sort keys %states)
	{
		my $session = $sessions{$state} = session($node);
		my ($before, $statement) = @{ $states{$state} };

		$session->pid;
		$session->query_safe($_)
		  foreach @settings, "SET application_name = 'waiting'", @$before;
		$session->start($statement);
	}
	# the one that is refused waits for its answer first
	$node->poll_query_until('postgres', q{
SELECT count(*) = 4 AND (SELECT sum(bytes) > 0 FROM nclue_fdw_stat WHERE server = 'refused')
FROM pg_stat_activity WHERE application_name = 'waiting' AND state = 'active'
  AND wait_event_type = 'Extension'}) or die 'they do not wait';
	is(scalar(my @files = temporary_files()), 2, 'lists are in temporary files');
	return %sessions;
}

# That they end within patience, seconds from some time on.
sub are_ended
{
	my ($what, $from, %sessions) = @_;

	foreach my $state (sort keys %sessions)
	{
		my $pid = $sessions{$state}->pid;
		wait_until("$what: the end of a session that waits $state",
			sub { !kill 0, $pid });
	}
	my $seconds = time - $from;
	cmp_ok($seconds, '<', $patience, "$what: all sessions end at once");
	note sprintf '%s: %.0f ms', $what, $seconds * 1000;
	return;
}

# That nothing is left, on a server that runs.
sub nothing_is_left
{
	my $what = shift;
	my $session = session($node);

	wait_until("$what: no connections", sub { $standin->ctl('connections') =~ /open=0/ });
	is(scalar(my @files = temporary_files()), 0, "$what: no temporary file is left");
	is(outcome($session, 'SELECT count(*) FROM tasks'), '250', "$what: a list is read");
	is(outcome($session, 'SELECT count(*) FROM refused'), '250', "$what: nobody is held back");
	my (undef, undef, $error) = $node->psql('postgres',
		"SET statement_timeout = '1s'; SELECT count(*) FROM limited WHERE task_id = 'x'");
	my ($earliest) = $error =~ /It could be sent in ([\d.]+) s at the earliest/;
	ok(defined $earliest && $earliest <= 100.1, "$what: nobody is in line")
	  or diag $error;
	$session->close;
	$standin->ctl('fault', 'off');
	return;
}

# ---- the session ----

{
	my %sessions = waiting();
	my $from = time;
	$node->safe_psql('postgres', q{
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'waiting'});
	are_ended('terminated', $from, %sessions);
	nothing_is_left('terminated');
}

# ---- its client ----

{
	my %sessions = waiting("SET client_connection_check_interval = '100ms'");
	my $from = time;
	kill 'KILL', $_->{pid} foreach values %sessions;
	are_ended('client gone', $from, %sessions);
	nothing_is_left('client gone');
}

# ---- the server ----

foreach my $mode (qw(fast immediate))
{
	my %sessions = waiting();
	my $from = time;
	$node->stop($mode);
	are_ended("$mode shutdown", $from, %sessions);
	$node->start;
	nothing_is_left("$mode shutdown");
}

{
	# a walk of three pages, the last of them when the server is to end
	my $session = session($node);
	$session->pid;
	$standin->ctl('fault', 'slow_body=1000', 'match=index=99', 'next=1');
	$standin->requests;
	$session->start('SELECT count(task_id) FROM tasks');
	ok($standin->wait_requests(2), 'smart shutdown: a list is being read');
	system_or_bail('pg_ctl', '-s', '-W', '-m', 'smart', '-D', $node->data_dir, 'stop');
	is(join(' ', $session->finish), '250', 'smart shutdown: it is read to its end');
	is(outcome($session, 'SELECT count(*) FROM tasks LIMIT 1'), '250',
		'smart shutdown: and more, until the session ends');
	$session->close;
	wait_until('the end of the server',
		sub { !-e $node->data_dir . '/postmaster.pid' });
	$node->_update_pid(0);
	$node->start;
	nothing_is_left('smart shutdown');
}

# ---- another process ----

{
	my %sessions = waiting();
	my $victim = session($node);
	my $start = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
	my $from = time;
	kill 'KILL', $victim->pid;
	are_ended('crash of another session', $from, %sessions);
	$node->poll_query_until('postgres', 'SELECT 1', '1');
	is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'),
		$start, 'crash of another session: the server began anew by itself');
	nothing_is_left('crash of another session');
}

{
	my %sessions = waiting();
	my $from = time;
	kill 'KILL', $sessions{'for a page'}->pid;
	are_ended('crash of a reader', $from, %sessions);
	$node->poll_query_until('postgres', 'SELECT 1', '1');
	nothing_is_left('crash of a reader');
}

# ---- the postmaster ----

{
	# one cannot remove its file
	my %sessions = waiting();
	my $stopped = $sessions{'for a page'}->pid;
	my $from = time;
	kill 'STOP', $stopped;
	$node->kill9;
	kill 'KILL', $stopped;
	are_ended('death of the postmaster', $from, %sessions);
	is(scalar(my @files = temporary_files()), 1, 'death of the postmaster: a file is left');
	$node->start;
	nothing_is_left('death of the postmaster');
}

$node->stop;
my $log = slurp_file($node->logfile);
unlike($log, qr/ XX\d\d\d /, 'no internal error');
unlike($log, qr/terminated by signal (?!9)/, 'no crash but those made');
done_testing();
