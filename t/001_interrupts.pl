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
$node->start;

sub server_sql
{
	my ($name, $endpoint, $options) = @_;
	$options = $options ? ", $options" : '';
	return qq{
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint '$endpoint', rate_limit '0', max_retries '0', max_in_flight '1', timeout '1000', connect_timeout '1000'$options);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE $name (task_id text, status text) SERVER $name;};
}

# Runs a query on a table that stalls, then a good one in the same session, and
# interrupts the first by what the code given does with its process id.  Returns
# what psql printed, what it complained of, and the seconds from the
# interruption to psql's end.
sub interrupted
{
	my ($server, $table, $good, $interrupt, $settings) = @_;
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
			  . "wait_event_type = 'Extension'")
		  or die 'the query does not wait';
		my $pid = $server->safe_psql('postgres',
			"SELECT pid FROM pg_stat_activity WHERE application_name = '$name'");
		$from = time;
		$interrupt->($pid);
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

sub is_cancelled
{
	my ($what, $table) = @_;
	my ($out, $err, $seconds) = interrupted($node, $table,
		'SELECT count(*) FROM good', \&cancel);

	like($err, qr/^ERROR:  57014$/m, "$what: a cancel is reported as one");
	is($out, "250\n", "$what: the session goes on");
	cmp_ok($seconds, '<', $patience, "$what: the wait ends at once");
	note sprintf('%s: %.0f ms, a new psql session and four requests included',
		$what, $seconds * 1000);
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

{
	$standin->ctl('fault', 'stall_body', 'next=1');
	my ($out, $err, $seconds) = interrupted($node, 'tasks',
		'SELECT count(*) FROM good', undef,
		"; SET statement_timeout = '300ms'");
	like($err, qr/^ERROR:  57014$/m, 'statement_timeout ends the wait');
	is($out, "250\n", 'statement_timeout: the session goes on');
	cmp_ok($seconds, '<', $patience, 'statement_timeout: in its time');
}

{
	$standin->ctl('fault', 'stall', 'next=1');
	my ($out, $err, $seconds) = interrupted(
		$node, 'tasks',
		'SELECT 1',
		sub {
			my $pid = shift;
			$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
		});
	like($err, qr/57P01|terminating connection/, 'a session can be terminated');
	cmp_ok($seconds, '<', $patience, 'termination: the wait ends at once');
}

{
	$standin->ctl('fault', 'stall', 'next=1');
	my ($out, $err, $seconds) =
	  interrupted($node, 'tasks', 'SELECT 1',
		sub { $node->stop('fast'); });
	like($err, qr/57P01|terminating connection/, 'a fast shutdown ends the wait');
	cmp_ok($seconds, '<', $patience, 'shutdown: it ends at once');
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
