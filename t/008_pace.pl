# One rate for all who use an access key: sessions, databases and servers
# together, whatever becomes of them meanwhile.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run qw(start timeout);
use List::Util qw(min max sum0);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;
use Time::HiRes qw(time usleep);

my $seed = $ENV{SEED} // time() % 100000;
diag "SEED=$seed";
srand $seed;

my $standin = Standin->start;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# from 17 on nothing has to be configured
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'nclue_fdw'")
  if $node->pg_version < 17;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE other');

# A server, its mapping and its table, all of one name.
sub create
{
	my ($name, $rate, %more) = @_;
	my $endpoint = $more{endpoint} // $standin->endpoint;
	my $options = $more{options} ? ", $more{options}" : '';
	my $key = $more{key} // 'AK_TEST';
	$node->safe_psql($more{database} // 'postgres', qq{
CREATE EXTENSION IF NOT EXISTS nclue_fdw;
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint '$endpoint', rate_limit '$rate'$options);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE $name (task_id text, status text) SERVER $name;});
	return;
}

# A session that looks ids up one after the other: "NAME-1", "NAME-2", ...
sub looker
{
	my ($name, $count, %more) = @_;
	my $table = $more{table} // 'nclue';
	return start [
		'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate',
		'-d', $node->connstr($more{database} // 'postgres'),
		'-c', "SET application_name = '$name'",
		map { ('-c', "SELECT * FROM $table WHERE task_id = '$name-$_'") }
		  1 .. $count
	], '>', '/dev/null', '2>', '/dev/null', timeout(180);
}

# Waits until a session waits for its turn.
sub in_line
{
	my ($name) = @_;
	return $node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = "
		  . "'$name' AND state = 'active' AND wait_event_type = 'Extension'")
	  || die "$name does not wait";
}

# What has arrived since the last call; wait_requests() counts from here on.
sub arrivals
{
	my ($service) = @_;
	$service //= $standin;
	$service->requests;
	return $service->arrivals;
}

# Arrivals by their session's name.
sub by_name
{
	return map { $_->{line} =~ /tasks\/([^-]+)-/ ? $1 : '' } @_;
}

# Seconds between arrivals.
sub spacings
{
	my @times = sort { $a <=> $b } map { $_->{time} } @_;
	return map { $times[$_] - $times[ $_ - 1 ] } 1 .. $#times;
}

# What the stand-in's own clock may err by: it stamps a request when its thread
# has come to it.  It cannot tell more exactly on a machine that is busy.
my $error = 0.004;

sub keeps_pace
{
	my ($rate, $name, @arrivals) = @_;
	my @spacings = spacings(@arrivals);
	my $least = min(@spacings);
	diag sprintf('%s: %d requests, least spacing %.4f s of %.4f, mean %.4f',
		$name, scalar(@arrivals), $least, 1 / $rate,
		sum0(@spacings) / @spacings);
	cmp_ok($least, '>=', 1 / $rate - $error, "$name: never faster than allowed");
	return @spacings;
}

create('nclue', 20);
create('twin', 20);
create('nclue', 20, database => 'other');

# ---- eight sessions, undisturbed ----

my @names = map { "s$_" } 1 .. 8;
my @sessions = map {
	looker($names[$_], 10,
		table => $_ % 3 ? 'nclue' : 'twin',
		database => $_ % 3 && $_ % 2 ? 'other' : 'postgres')
} 0 .. 7;
$_->finish foreach @sessions;
my @arrivals = arrivals();
my %served;
$served{$_}++ foreach by_name(@arrivals);
is_deeply(\%served, { map { $_ => 10 } @names },
	'eight sessions of two databases and two servers: all are served');
keeps_pace(20, 'eight sessions', @arrivals);

# while all of them wait, none is passed over: between two requests of one each
# of the others has some
my @order = by_name(@arrivals);
my @longest;
foreach my $name (@names)
{
	my @at = grep { $order[$_] eq $name } 0 .. $#order;
	push @longest, max(map { $at[$_] - $at[ $_ - 1 ] } 1 .. $#at);
}
cmp_ok(max(@longest), '<=', 24, 'nobody starves');

# ---- the order of the line ----

create('slow', 2);
my $first = looker('a', 4, table => 'slow');
$standin->wait_requests(1);
my @line;
foreach my $name (qw(b c d e))
{
	push @line, looker($name, 1, table => 'slow');
	in_line($name);
}
$_->finish foreach $first, @line;
@arrivals = arrivals();
like(join('', by_name(@arrivals)), qr/b.*c.*d.*e/,
	'who comes first is served first');
keeps_pace(2, 'a line', @arrivals);

# ---- kills, cancels and stopped processes ----

sub pid_of
{
	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE application_name = '$_[0]'");
}

@sessions = map { looker($_, 12) } @names;
$standin->wait_requests(8);
my %disturbed;
foreach my $round (1 .. 6)
{
	my $name = $names[ rand @names ];
	my $pid = pid_of($name) or next;
	my $how = int rand 3;
	$disturbed{$name} = 1;
	if ($how == 0) { $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)"); }
	elsif ($how == 1) { $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)"); }
	else
	{
		kill 'STOP', $pid;
		usleep(300_000);
		kill 'CONT', $pid;
	}
	usleep(100_000);
}
$_->finish foreach @sessions;
@arrivals = arrivals();
%served = ();
$served{$_}++ foreach by_name(@arrivals);
is_deeply({ map { $_ => $served{$_} } grep { !$disturbed{$_} } @names },
	{ map { $_ => 12 } grep { !$disturbed{$_} } @names },
	'those that are left alone get all they asked for');
keeps_pace(20, 'kills, cancels, stops', @arrivals);

# a process that is stopped at the head of the line is passed after two seconds
create('slower', 0.5);
$first = looker('a', 1, table => 'slower');
$standin->wait_requests(1);
my $stopped = looker('b', 1, table => 'slower');
in_line('b');
my $pid = pid_of('b');
kill 'STOP', $pid;
my $next = looker('c', 1, table => 'slower');
ok($standin->wait_requests(2, 20), 'a stopped process does not hold the line up');
kill 'CONT', $pid;
$_->finish foreach $first, $stopped, $next;
@arrivals = arrivals();
is(join('', by_name(@arrivals)), 'acb', 'it is served when it comes back');
keeps_pace(0.5, 'a stopped process', @arrivals);
cmp_ok($arrivals[1]{time} - $arrivals[0]{time}, '<=', 2.005 + 2 + 2,
	'it is passed after two seconds');

# so is one that is stopped with a permission, before its connection stands
my $secure = Standin->start(tls => 1);
create('secure', 2, endpoint => $secure->endpoint,
	options => "connect_timeout '4', ca_file '@{[ $secure->ca_file ]}'");
$secure->ctl('set', 'accept=stall');
$stopped = looker('b', 1, table => 'secure');
in_line('b');
usleep(100_000);
$pid = pid_of('b');
kill 'STOP', $pid;
$secure->ctl('set', 'accept=normal');
$next = looker('c', 1, table => 'secure');
ok($secure->wait_requests(1, 20), 'nor does one that was about to send');
kill 'CONT', $pid;
$_->finish foreach $stopped, $next;
@arrivals = arrivals($secure);
is(join('', by_name(@arrivals)), 'cb', 'it makes a new connection later');
keeps_pace(2, 'a stopped permission', @arrivals);
$secure->stop;

# a killed one takes the server down; what was sent before counts afterwards
$first = looker('a', 1, table => 'slow');
$standin->wait_requests(1);
$first->finish;
$stopped = looker('b', 1, table => 'slow');
in_line('b');
$pid = pid_of('b');
kill 'KILL', $pid if $pid;
$stopped->finish;
$node->poll_query_until('postgres', 'SELECT true');
looker('c', 1, table => 'slow')->finish;
keeps_pace(2, 'after a crash', arrivals());

# ---- servers and keys ----

# a 429 that one session sees holds back the others
$standin->ctl('fault', 'status=429', 'code=420', 'retry_after=2', 'match=held-');
$first = looker('held', 1);
$standin->wait_requests(1);
$node->poll_query_until('postgres', 'SELECT sum(throttled) = 1 FROM nclue_fdw_stat');
$next = looker('other', 1);
$_->finish foreach $first, $next;
@arrivals = arrivals();
is(scalar(@arrivals), 3, 'a refused request is made again');
cmp_ok($arrivals[1]{time} - $arrivals[0]{time}, '>=', 2 - $error,
	'a 429 holds back everybody');

# of different rates the slowest of those that wait
create('fast', 50);
$first = looker('a', 4, table => 'slow');
$standin->wait_requests(1);
$next = looker('b', 20, table => 'fast');
in_line('b');
$first->finish;
my $until = time;
$next->finish;
@arrivals = arrivals();
@order = by_name(@arrivals);
my ($last) = grep { $order[$_] eq 'a' } reverse 0 .. $#order;
my @both = map { $arrivals[$_]{time} - $arrivals[ $_ - 1 ]{time} } 1 .. $last;
cmp_ok(min(@both), '>=', 0.5 - $error, 'of two rates the slower one holds');
cmp_ok(scalar(@order), '==', 24, 'all are served in the end');

# parallel workers are as good as sessions
$node->safe_psql('postgres', q{
CREATE TABLE numbers AS SELECT n FROM generate_series(1, 4) AS n;
CREATE FUNCTION look(n int) RETURNS bigint LANGUAGE sql PARALLEL SAFE
AS $$ SELECT count(*) FROM nclue WHERE task_id = 'w-' || n $$;});
my $force = $node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
is($node->safe_psql('postgres',
		"SET $force = on; SELECT sum(look(n)) FROM numbers"),
	'0', 'a parallel worker asks');
@arrivals = arrivals();
is(scalar(@arrivals), 4, 'as often as it must');
keeps_pace(20, 'a parallel worker', @arrivals);

# connections that are made anew take their time
$standin->ctl('set', 'keep_alive=off');
@sessions = map { looker("n$_", 5) } 1 .. 4;
$_->finish foreach @sessions;
$standin->ctl('set', 'keep_alive=on');
keeps_pace(20, 'new connections', arrivals());

is($node->safe_psql('postgres',
		'SELECT bool_and(shared) FROM nclue_fdw_stat'),
	't', 'all sessions count together');

# ---- without shared memory ----

SKIP:
{
	skip 'nothing has to be configured', 1 if $node->pg_version >= 17;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
	$node->restart;
	is($node->safe_psql('postgres', "SELECT count(*) FROM nclue;"
			. 'SELECT bool_and(shared) FROM nclue_fdw_stat'),
		"250\nf", 'without preloading each session counts for itself');
}

$standin->stop;
$node->stop;
done_testing();
