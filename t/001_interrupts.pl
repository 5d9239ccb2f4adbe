# A wait for the service ends at once when it is interrupted, whatever the
# request is waiting for, and leaves the session usable.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Socket::INET;
use IPC::Run qw(start timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;
use Time::HiRes qw(time);

# Ended within 100 ms is what users are promised; a loaded machine gets this
# many seconds, far below any time-out that could end the wait instead.
my $patience = 5;

my $standin = Standin->start;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# all sessions share one line; from 17 on nothing has to be configured
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'nclue_fdw'")
  if $node->pg_version < 17;
$node->start;

sub server_sql
{
	my ($name, $endpoint, %more) = @_;
	my %options = (
		endpoint => $endpoint,
		rate_limit => 0,
		max_retries => 0,
		max_in_flight => 1,
		timeout => 1000,
		connect_timeout => 1000,
		%more);
	return Standin::server_sql($name, %options) . qq{
CREATE FOREIGN TABLE $name (task_id text, status text) SERVER $name;};
}

# Runs a query on a table that stalls, then a good one in the same session, and
# interrupts the first by what the code given does with its process id, once a
# condition holds.  Returns what psql printed, what it complained of, and the
# seconds from the interruption to psql's end.
sub interrupted
{
	my ($server, $table, $good, $interrupt, $settings, $condition) = @_;
	my ($out, $err) = ('', '');
	my $name = "stalled_$table";
	my $psql = start [
		'psql', '-XAtq', '-d', $server->connstr('postgres'),
		'-v', 'VERBOSITY=sqlstate',
		'-c', "SET application_name = '$name'" . ($settings // ''),
		'-c', "SELECT count(*) FROM $table",
		'-c', $good
	], '>', \$out, '2>', \$err, timeout(180);
	my $from = time;

	if ($interrupt)
	{
		$server->poll_query_until('postgres',
			"SELECT count(*) = 1 FROM pg_stat_activity WHERE "
			  . "application_name = '$name' AND state = 'active' AND "
			  . "wait_event_type = 'Extension' AND "
			  . ($condition // 'true'))
		  or die 'the query does not wait';
		my $pid = $server->safe_psql('postgres',
			"SELECT pid FROM pg_stat_activity WHERE application_name = '$name'");
		$from = time;
		$interrupt->($pid, $psql);
	}
	$psql->finish;
	return ($out, $err, time - $from);
}

sub cancel
{
	my $pid = shift;
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	return;
}

sub press_control_c
{
	my ($pid, $psql) = @_;
	$psql->signal('INT');
	return;
}

sub terminate
{
	my $pid = shift;
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	return;
}

sub is_cancelled
{
	my ($what, $table, $condition) = @_;
	my ($out, $err, $seconds) = interrupted($node, $table,
		'SELECT count(*) FROM good', \&cancel, undef, $condition);

	is($err, "ERROR:  57014\n", "$what: a cancel is reported as one");
	is($out, "250\n", "$what: the session goes on");
	cmp_ok($seconds, '<', $patience, "$what: the wait ends at once");
	note sprintf('%s: %.0f ms, a new psql session and four requests included',
		$what, $seconds * 1000);
	return;
}

# The same by the user's hand; a psql that reads no terminal ends with it.
sub is_broken_off
{
	my ($what, $table, $condition) = @_;
	my ($out, $err, $seconds) = interrupted($node, $table, 'SELECT 1',
		\&press_control_c, undef, $condition);

	like($err, qr/^ERROR:  57014$/m, "$what: Ctrl-C is reported as a cancel");
	cmp_ok($seconds, '<', $patience, "$what: Ctrl-C ends the wait at once");
	return;
}

# A listening socket whose connections the kernel accepts and nobody reads.
my $deaf = IO::Socket::INET->new(
	Listen => 5,
	LocalAddr => '127.0.0.1',
	Proto => 'tcp') or die "listen: $!";

# One whose queue is full, so that not even the kernel answers.
my $full = IO::Socket::INET->new(
	Listen => 1,
	LocalAddr => '127.0.0.1',
	Proto => 'tcp') or die "listen: $!";
my @queue = map {
	IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $full->sockport,
		Proto => 'tcp',
		Blocking => 0)
} 1 .. 8;

$node->safe_psql('postgres',
		'CREATE EXTENSION nclue_fdw;'
	  . server_sql('good', $standin->endpoint)
	  . server_sql('tasks', $standin->endpoint)
	  . server_sql('handshake', 'https://127.0.0.1:' . $deaf->sockport)
	  . server_sql('connecting', 'http://127.0.0.1:' . $full->sockport));

is_cancelled('connecting', 'connecting');
is_cancelled('TLS handshake', 'handshake');

$standin->ctl('fault', 'stall', 'next=1');
is_cancelled('headers', 'tasks');

$standin->ctl('fault', 'stall_body', 'next=1');
is_cancelled('body', 'tasks');

$standin->ctl('fault', 'stall', 'next=1');
is_broken_off('headers', 'tasks');

# ---- waiting for the limiter ----

# When the first server has sent a request, the next one of the second, which
# has the same line, may be made in 100 s, if nobody is before it; one that may
# not wait so long is told when it could be made.
$node->safe_psql('postgres',
	server_sql('unlimited', $standin->endpoint, rate_limit => '1000')
	  . server_sql('limited', $standin->endpoint, rate_limit => '0.01'));
my $begin_line = "SELECT count(*) FROM unlimited WHERE task_id = 'x'";

sub line_is_free
{
	my ($what) = @_;
	my ($status, $out, $err) = $node->psql('postgres',
		"SET statement_timeout = '1s'; SELECT count(*) FROM limited WHERE task_id = 'x'");
	my ($seconds) = $err =~ /It could be sent in ([\d.]+) s at the earliest/;
	ok(defined $seconds && $seconds <= 100.1, "$what: the line is not blocked")
	  or diag $err;
	return;
}

$node->safe_psql('postgres', $begin_line);
is_cancelled('in line', 'limited');
line_is_free('cancel in line');
is_broken_off('in line', 'limited');
line_is_free('Ctrl-C in line');

# ---- backing off ----

# One that has failed is tried again in a minute.  That it has is counted
# before.
$node->safe_psql('postgres',
	server_sql('backing_off', $standin->endpoint, max_retries => 1));
my $has_failed =
  "(SELECT sum(bytes) > 0 FROM nclue_fdw_stat WHERE server = 'backing_off')";

sub back_off
{
	$node->safe_psql('postgres', 'SELECT nclue_fdw_stat_reset()');
	$standin->ctl('fault', 'status=503', 'retry_after=60', 'next=1');
	return;
}

back_off();
is_cancelled('backing off', 'backing_off', $has_failed);
back_off();
is_broken_off('backing off', 'backing_off', $has_failed);
is($node->safe_psql('postgres', 'SELECT count(*) FROM backing_off'),
	'250', 'backing off: others are not kept waiting');

{
	$standin->ctl('fault', 'stall_body', 'next=1');
	my ($out, $err, $seconds) = interrupted($node, 'tasks',
		'SELECT count(*) FROM good', undef,
		"; SET statement_timeout = '300ms'");
	like($err, qr/^ERROR:  57014$/m, 'statement_timeout ends the wait');
	is($out, "250\n", 'statement_timeout: the session goes on');
	cmp_ok($seconds, '<', $patience, 'statement_timeout: in its time');
}

# What ends a session, in each of the states.
my @states = (
	[ 'headers', 'tasks', sub { $standin->ctl('fault', 'stall', 'next=1'); } ],
	[ 'in line', 'limited', sub { $node->safe_psql('postgres', $begin_line); } ],
	[ 'backing off', 'backing_off', \&back_off, $has_failed ]);

sub is_ended
{
	my ($what, $interrupt, $state) = @_;
	my ($name, $table, $prepare, $condition) = @$state;

	$prepare->();
	my ($out, $err, $seconds) = interrupted($node, $table, 'SELECT 1',
		$interrupt, undef, $condition);
	like($err, qr/57P01|terminating connection/, "$what, $name: it is reported");
	cmp_ok($seconds, '<', $patience, "$what, $name: the wait ends at once");
	return;
}

is_ended('termination', \&terminate, $states[0]);
is_ended('termination', \&terminate, $states[1]);
line_is_free('termination in line');
is_ended('termination', \&terminate, $states[2]);
is($node->safe_psql('postgres', 'SELECT count(*) FROM backing_off'),
	'250', 'termination while backing off: others are not kept waiting');

foreach my $state (@states)
{
	is_ended('shutdown', sub { $node->stop('fast'); }, $state);
	$node->start unless $state == $states[-1];
}

SKIP:
{
	my $resolver = "$FindBin::RealBin/lib/deaf_resolver";
	my @namespace = ('unshare', '--map-root-user', '--mount', '--net');
	my $resolv_conf = $node->data_dir . '/resolv.conf';
	my $uid = 1234;

	system(join ' ', @namespace, $resolver, $resolv_conf, $uid,
		'true 2> /dev/null') == 0
	  or skip 'no namespace for a resolver that never answers', 3;
	system(@namespace, $resolver, $resolv_conf, $uid, 'pg_ctl', '-s', '-w',
		'-D', $node->data_dir, '-l', $node->logfile, 'start') == 0
	  or die 'the server does not start beside the resolver';

	# what can be reached there is nothing, so the good query is a local one
	$node->safe_psql('postgres',
		server_sql('resolving', 'https://nclue.example.com/api/v1'));
	my ($out, $err, $seconds) =
	  interrupted($node, 'resolving', 'SELECT 250', \&cancel);
	system('pg_ctl', '-s', '-w', '-m', 'fast', '-D', $node->data_dir, 'stop');

	like($err, qr/^ERROR:  57014$/m, 'resolving: a cancel is reported as one');
	is($out, "250\n", 'resolving: the session goes on');
	cmp_ok($seconds, '<', $patience, 'resolving: the wait ends at once');
	note sprintf('resolving: %.0f ms, a new psql session included',
		$seconds * 1000);
}

done_testing();
