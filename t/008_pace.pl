# All sessions together keep to the rate, come what may: kills, cancels, stopped
# processes, connections that are slow to be made.  Judged by when the requests
# arrive.  Where the pace is kept by each session alone (before version 17
# without shared_preload_libraries), it says so.
#
# Environment:
#	SEED	where the random part begins

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run qw(start timeout);
use List::Util qw(max min sum uniq);
use Pace qw(gaps ids spaced wait_until start_nginx stop_nginx);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime sleep time);

my $seed = $ENV{SEED} // (time ^ $$) % 1_000_000;
note "SEED=$seed";
srand $seed;

my @keys = map { "AK_$_" } qw(storm line leave rates other limit slow crash told);
my %standin = map {
	$_ => Standin->start(
		objects => 250,
		tls => $_ eq 'tls',
		key => [ map { "$_:SK" } @keys ])
} qw(plain tls);
my $nginx_directory = PostgreSQL::Test::Utils::tempdir;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
my $preload = $node->pg_version < 17;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nclue_fdw'")
  if $preload;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql($_, 'CREATE EXTENSION nclue_fdw') foreach qw(postgres other);

# A server, and a table in it that has its name.
sub create
{
	my ($name, $standin, $key, $rate, %more) = @_;
	my $options = join ', ', "endpoint '" . $standin->endpoint . "'",
	  "rate_limit '$rate'", "max_retries '0'",
	  $standin->ca_file ? "ca_file '" . $standin->ca_file . "'" : (),
	  $more{options} // ();

	($more{node} // $node)->safe_psql($more{database} // 'postgres', qq{
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS ($options);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key '$key', secret_key 'SK');
CREATE FOREIGN TABLE $name (task_id text, status text) SERVER $name;});
	return;
}

# A look-up of an object that there is not: one request that tells whose it is.
sub look_up
{
	my ($table, $id) = @_;
	return "SELECT count(*) FROM $table WHERE task_id = '$id'";
}

sub session
{
	my ($database, $server) = @_;
	return Pace->new(($server // $node)->connstr($database // 'postgres'));
}

my $observer = session();

# Waits until a session waits for the service, or for its turn.
sub await_waiting
{
	my $session = shift;
	my $pid = $session->pid;

	wait_until("process $pid waits",
		sub {
			($observer->query_safe(
				"SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND "
				  . "state = 'active' AND wait_event_type = 'Extension'"))[0];
		});
	return;
}

# Begins a look-up and returns when it waits.
sub start_waiting
{
	my ($session, $table, $id) = @_;

	$session->pid;
	$session->start(look_up($table, $id));
	await_waiting($session);
	return;
}

# A session that has been permitted to send and connects, which takes so many
# milliseconds, or has no end.
sub start_holder
{
	my ($table, $latency, $statement) = @_;
	my $standin = $standin{tls};
	my $holder = session();
	my $made = sub { ($standin->ctl('connections') =~ /total=(\d+)/)[0] };
	my $before = $made->();

	$standin->ctl('set', $latency ? "connect_latency=$latency" : 'accept=stall');
	$holder->pid;
	$holder->start($statement // look_up($table, 'holder'));
	await_waiting($holder);
	wait_until('the holder connects', sub { $made->() > $before });
	$standin->ctl('set', 'accept=normal', 'connect_latency=0');
	return $holder;
}

sub cancel
{
	my $session = shift;

	$observer->query_safe('SELECT pg_cancel_backend(' . $session->pid . ')');
	return;
}

sub terminate
{
	my $session = shift;

	$observer->query_safe('SELECT pg_terminate_backend(' . $session->pid . ')');
	return;
}

# ---- 8 sessions, two databases, two servers, one key ----

my $rate = 20;
my $storm_over = PostgreSQL::Test::Utils::tempdir . '/over';

foreach my $database (qw(postgres other))
{
	create($database eq 'other' ? 'twin' : 'nclue',
		$standin{plain}, 'AK_storm', $rate, database => $database);
	my $table = $database eq 'other' ? 'twin' : 'nclue';
	$node->safe_psql($database, qq{
CREATE FOREIGN TABLE walk (task_id text, status text) SERVER $table
  OPTIONS (page_size '7');
CREATE FUNCTION worker_looks_up(id text) RETURNS int
LANGUAGE plpgsql PARALLEL SAFE AS
\$\$
BEGIN
  PERFORM FROM $table WHERE task_id = id;
  RETURN pg_backend_pid();
END
\$\$;});
}
my $parallel =
  ($node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query')
  . ' = on';

{
	my $session = session();
	my $leader = $session->pid;

	$session->query_safe("SET $parallel");
	my ($worker) = $session->query_safe("SELECT worker_looks_up('from_a_worker')");
	isnt($worker, $leader, 'a parallel worker can make requests');
	is_deeply([ ids($standin{plain}->arrivals) ],
		['from_a_worker'], 'and does');
	$session->close;
}

# The statements of a session; each of them is one request, or a walk.
sub script
{
	my $number = shift;
	my $table = $number % 2 ? 'nclue' : 'twin';
	my @lines = ("SET application_name = 'storm_$number'");

	push @lines, "SET $parallel" if $number == 7;
	foreach my $i (1 .. 400)
	{
		my $id = "s${number}_$i";
		push @lines, 'SET statement_timeout = ' . (100 + int rand 900),
		  'SELECT pg_sleep(0.02)'
		  if $number == 6;
		push @lines,
		    $number == 7 ? "SELECT worker_looks_up('$id')"
		  : $number == 8 ? 'SELECT count(status) FROM walk'
		  :                look_up($table, $id);
	}
	return join ";\n", @lines, '';
}

# Sessions that begin anew when they have been killed.
my @storm = map {
	my $file = PostgreSQL::Test::Utils::tempdir . '/script.sql';
	append_to_file($file, script($_));
	start [
		'sh', '-c', 'while test ! -e "$0"; do psql -XAtq -d "$1" -f "$2" ; done',
		$storm_over, $node->connstr($_ % 2 ? 'postgres' : 'other'), $file
	  ],
	  '>', '/dev/null', '2>', '/dev/null', timeout(300);
} 1 .. 8;

# How late somebody is on this machine who only sleeps, on average.
sub start_sleeper
{
	my $seconds = shift;

	pipe(my $reader, my $writer) or die "pipe: $!";
	my $pid = fork();
	die "fork: $!" unless defined $pid;
	return ($reader, $pid) if $pid;
	my ($count, $late, $over) = (0, 0, 0);
	local $SIG{TERM} = sub { $over = 1; };
	until ($over)
	{
		my $from = time;
		sleep $seconds;
		next if $over;
		$late += max(0, time - $from - $seconds);
		$count++;
	}
	syswrite $writer, $late / max($count, 1);
	require POSIX;
	POSIX::_exit(0);
}

# Everybody alive
my (@calm, $lateness);
{
	wait_until(
		'all sessions have begun',
		sub {
			push @calm, $standin{plain}->arrivals;
			return (uniq map { /^s(\d)_/ ? $1 : () } ids(@calm)) == 7;
		});
	my $seen = @calm;
	my ($reader, $pid) = start_sleeper(0.05);
	wait_until(
		'some rounds are over',
		sub {
			push @calm, $standin{plain}->arrivals;
			sleep 0.1;
			return @calm > $seen + 75;
		});
	kill 'TERM', $pid;
	$lateness = <$reader>;
	waitpid $pid, 0;

	# Noise makes only late, so of a few stretches the best shows the pace.
	my @gaps = gaps(@calm[ $seen .. $#calm ]);
	my @means = map { sum(@gaps[ $_ * 25 .. $_ * 25 + 24 ]) / 25 }
	  0 .. @gaps / 25 - 1;
	my $allowed = 1.02 / $rate + 0.006;
	cmp_ok(min(@means), '<=', $allowed + 2 * $lateness + 0.005,
		'nobody waits longer than it must');
	diag sprintf('8 sessions at %d requests a second: mean spacing %.2f ms '
		  . '(best of %d stretches %.2f ms), allowed %.2f ms, a sleeper %.2f ms late',
		$rate, 1000 * sum(@gaps) / @gaps, scalar @means,
		1000 * min(@means), $allowed * 1000, $lateness * 1000);

	my %last;
	my $most = 0;
	my @whose = map { $_->{line} =~ m{/s(\d)_} ? $1 : 8 } @calm[ $seen .. $#calm ];
	foreach my $i (0 .. $#whose)
	{
		$most = max($most, $i - $last{ $whose[$i] }) if exists $last{ $whose[$i] };
		$last{ $whose[$i] } = $i;
	}
	is(scalar(keys %last), 8, 'every session has its turns');
	note "a session waits for at most $most others";
	spaced(1 / $rate, 'the rate is kept by 8 sessions', @calm);
}

# Kills, cancels, stops
{
	my (@arrivals, %stopped, %done);
	my $end = time + 5;

	while (time < $end || %stopped)
	{
		foreach my $pid (keys %stopped)
		{
			next if $stopped{$pid} > time;
			kill 'CONT', $pid;
			delete $stopped{$pid};
		}
		sleep 0.02 + rand 0.15;
		next if time >= $end;

		my @pids = grep { !$stopped{$_} } $observer->query_safe(
			"SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'storm%' "
			  . 'ORDER BY pid');
		next unless @pids;
		my $pid = $pids[ int rand @pids ];
		my $what = (qw(cancel cancel terminate stop))[ int rand 4 ];
		$done{$what}++;
		if ($what eq 'stop')
		{
			$stopped{$pid} = time + rand 0.6 if kill 'STOP', $pid;
			next;
		}
		$observer->query_safe("SELECT pg_${what}_backend($pid)");
	}
	note join ', ', map { "$_ $done{$_}" } sort keys %done;

	@arrivals = (@calm, $standin{plain}->arrivals);
	my $before = @arrivals;
	wait_until(
		'all sessions go on',
		sub {
			push @arrivals, $standin{plain}->arrivals;
			return (uniq map { /^s(\d)_/ ? $1 : () }
				  ids(@arrivals[ $before .. $#arrivals ])) == 7;
		});
	append_to_file($storm_over, '');
	$observer->query_safe("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
		  . "WHERE application_name LIKE 'storm%'");
	foreach my $worker (@storm)
	{
		# whoever had just begun anew
		wait_until('the session ends', sub {
			$observer->query_safe("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
				  . "WHERE application_name LIKE 'storm%'");
			return !$worker->pumpable;
		});
		$worker->finish;
	}
	my $counted = sum(map {
			$node->safe_psql($_, 'SELECT sum(requests) FROM nclue_fdw_stat')
	} qw(postgres other));

	# the stand-in may still have to look at the last ones
	foreach (1 .. 100)
	{
		push @arrivals, $standin{plain}->arrivals;
		last if $counted <= 1 + @arrivals;
		sleep 0.1;
	}
	is($counted, 1 + @arrivals, 'each request was counted');
	spaced(1 / $rate, 'and through kills, cancels and stops', @arrivals);
}

# ---- the line ----

# Eight sessions come, two of them leave, and at last the one they wait for.
# Returns all of them and what arrived.
sub stand_in_line
{
	my ($table, $leave) = @_;
	my $holder = start_holder($table);
	my @sessions = map { session() } 1 .. 8;

	start_waiting($sessions[ $_ - 1 ], $table, "b$_") foreach 1 .. 8;
	foreach my $leaver (@sessions[ 2, 5 ], $holder)
	{
		$leave->($leaver);
		$leaver->finish;
	}
	$_->finish foreach @sessions[ 0, 1, 3, 4, 6, 7 ];
	return ([ $holder, @sessions ], $standin{tls}->arrivals);
}

# First come, first served.  Noise makes only late, so the best of some rounds
# shows that nobody's turn is kept for those who have left.
foreach my $way ([ 'cancelled', \&cancel, qr/57014/ ],
	[ 'terminated', \&terminate, qr/57P01|gone/ ])
{
	my ($what, $leave, $error) = @$way;
	my $interval = 0.25;
	my $table = "line_$what";
	my $seconds;

	create($table, $standin{tls}, 'AK_line', 1 / $interval);
	foreach my $round (1 .. 3)
	{
		my ($all, @arrivals) = stand_in_line($table, $leave);

		is(scalar(grep { $_->error =~ $error } @$all[ 0, 3, 6 ]), 3,
			"three sessions are $what");
		is_deeply([ ids(@arrivals) ], [qw(b1 b2 b4 b5 b7 b8)],
			'the others are served in the order in which they came');
		spaced($interval, 'one by one', @arrivals);
		$seconds = sum(gaps(@arrivals));
		note sprintf('from first to last %.0f ms (%s), at best %.0f ms',
			1000 * $seconds,
			join(', ', map { sprintf '%.0f', 1000 * $_ } gaps(@arrivals)),
			5000 * ($interval + 0.005));
		$_->close foreach @$all;
		last if $seconds < 6 * $interval;
	}
	cmp_ok($seconds, '<', 6 * $interval, 'without a pause for those who have left');
}

# Nobody behind waits for those who have left: neither when they were first, nor
# when they were next, nor where their list would have outlived the statement.
{
	my $interval = 1.5;
	my $walk = q{SET nclue_fdw.cache_ttl = '60s'; SELECT count(status) FROM leaving};

	create('leaving', $standin{tls}, 'AK_leave', 1 / $interval);
	foreach my $way ([ 'cancel', \&cancel ], [ 'end', \&terminate ])
	{
		my ($what, $leave) = @$way;
		my $holder = start_holder('leaving', undef, $walk);
		my ($next, $last) = map { session() } 1 .. 2;

		start_waiting($next, 'leaving', 'next');
		start_waiting($last, 'leaving', 'last');
		$leave->($next);
		$next->finish;
		my $from = clock_gettime(CLOCK_MONOTONIC);
		$leave->($holder);
		$_->finish foreach $holder, $last;
		my @arrivals = $standin{tls}->arrivals;
		is_deeply([ ids(@arrivals) ], ['last'], "who is left sends ($what)");
		cmp_ok($arrivals[0]{time} - $from, '<', $interval, 'at once');
		note sprintf('%.0f ms after the others left', 1000 * ($arrivals[0]{time} - $from));
		$_->close foreach $holder, $next, $last;
	}
}

# What connects slowly keeps its turn, however long it takes.
create('connecting', $standin{tls}, 'AK_line', 4);
{
	my $holder = start_holder('connecting', 3000);
	my $second = session();

	start_waiting($second, 'connecting', 'second');
	$_->finish foreach $holder, $second;
	my @arrivals = $standin{tls}->arrivals;
	is_deeply([ ids(@arrivals) ], [qw(holder second)],
		'who takes three seconds to connect is first nevertheless');
	spaced(0.25, 'and the next follows in its time', @arrivals);
	$_->close foreach $holder, $second;
}

# A stopped process loses its permission after two seconds.  Then its request
# might have been sent at the last moment, so another interval passes.
{
	my $interval = 0.25;
	my $stopped = start_holder('connecting', 1000);
	my @others = map { session() } 1 .. 3;

	kill 'STOP', $stopped->pid;
	my $from = time;
	start_waiting($others[$_], 'connecting', "other$_") foreach 0 .. 2;
	$_->finish foreach @others;
	my $seconds = time - $from;
	kill 'CONT', $stopped->pid;
	$stopped->finish;
	my @arrivals = $standin{tls}->arrivals;
	is_deeply([ ids(@arrivals) ], [qw(other0 other1 other2 holder)],
		'a process that was stopped while it connected sends when it is its turn again');
	spaced($interval, 'and not by its old permission', @arrivals);
	cmp_ok($seconds, '>', 1.4 + 3 * $interval, 'that it had');
	cmp_ok($seconds, '<', 2.1 + 3 * $interval + 3,
		'the others wait for it no longer than two seconds');
	note sprintf('%.2f s, three turns included', $seconds);
	is_deeply([ map { $_->error } @others, $stopped ], [ ('') x 4 ], 'nobody fails');
	$_->close foreach @others, $stopped;
}

# One that has no permission yet loses its place likewise.
{
	my $interval = 0.25;
	my $holder = start_holder('connecting');
	my ($stopped, @others) = map { session() } 1 .. 4;

	start_waiting($stopped, 'connecting', 'stopped');
	kill 'STOP', $stopped->pid;
	start_waiting($others[$_], 'connecting', "other$_") foreach 0 .. 2;
	my $from = time;
	cancel($holder);
	$_->finish foreach @others;
	my $seconds = time - $from;
	kill 'CONT', $stopped->pid;
	$_->finish foreach $holder, $stopped;
	my @arrivals = $standin{tls}->arrivals;
	is_deeply([ ids(@arrivals) ], [qw(other0 other1 other2 stopped)],
		'a process that was stopped at the head of the line is served later');
	spaced($interval, 'everybody in turn', @arrivals);
	cmp_ok($seconds, '<', 2.1 + 2 * $interval + 3,
		'the others wait for it no longer than two seconds');
	note sprintf('%.2f s, two turns included', $seconds);
	is_deeply([ map { $_->error } @others, $stopped ], [ ('') x 4 ], 'nobody fails');
	$_->close foreach @others, $stopped, $holder;
}

# ---- several rates and keys ----

create('fast', $standin{tls}, 'AK_rates', 20);
create('slow', $standin{tls}, 'AK_rates', 2);
create('another', $standin{tls}, 'AK_other', 2);
{
	my $holder = start_holder('fast');
	my @sessions = map { session() } 1 .. 6;
	my @tables = qw(fast fast slow fast slow fast);

	start_waiting($sessions[$_], $tables[$_], "$tables[$_]$_") foreach 0 .. 5;

	# nothing that happens before this key's line concerns another's
	my $free = session();
	$free->query_safe(look_up('another', 'another'));
	is_deeply([ ids($standin{tls}->arrivals) ], ['another'],
		'a key that is waited for holds up no other');

	cancel($holder);
	$_->finish foreach $holder, @sessions;
	my @arrivals = $standin{tls}->arrivals;
	is_deeply([ ids(@arrivals) ],
		[ map { "$tables[$_]$_" } 0 .. 5 ],
		'servers with one key have one line');
	my @gaps = gaps(@arrivals);
	cmp_ok(min(@gaps[ 0 .. 3 ]), '>=', 0.5,
		'while a slow one waits its rate holds for all');
	cmp_ok($gaps[4], '>=', 0.05, 'then that of the fast ones');
	cmp_ok($gaps[4], '<', 0.5, 'and no longer the slow one\'s');
	$_->close foreach @sessions, $holder, $free;
}

# A slow one behind the head makes it wait longer, and no longer than it stays
create('quick', $standin{plain}, 'AK_told', 2);
create('lazy', $standin{plain}, 'AK_told', 0.1);
{
	my ($head, $behind) = map { session() } 1 .. 2;

	$behind->query_safe(look_up('quick', 'before'));
	start_waiting($head, 'quick', 'head');
	start_waiting($behind, 'lazy', 'behind');
	sleep 1;
	cancel($behind);
	$behind->finish;
	my $from = time;
	$head->finish;
	cmp_ok(time - $from, '<', 1, 'a slow one that leaves frees the head at once');
	$_->close foreach $head, $behind;
}

# Telling how far the list has been read does not cost the place in line
{
	my $walker = session();
	my @others = map { session() } 1 .. 3;

	$walker->query_safe('SET nclue_fdw.progress_interval = 1');
	foreach my $i (0 .. 2)
	{
		$others[$i]->pid;
		$others[$i]->start(join ';', map { look_up('quick', "o${i}_$_") } 1 .. 8);
		await_waiting($others[$i]);
	}
	$standin{plain}->arrivals;
	$walker->start('SELECT count(status) FROM quick');
	$_->finish foreach $walker, @others;
	my @lines = map { $_->{line} } sort { $a->{time} <=> $b->{time} }
	  $standin{plain}->arrivals;
	my ($place) = grep { $lines[$_] =~ /index=0/ } 0 .. $#lines;
	cmp_ok($place, '<=', 3, 'who is told of its progress keeps its place');
	$_->close foreach $walker, @others;
}

# A 429 that one session sees
{
	my ($first, $second, $unlimited) = map { session() } 1 .. 3;

	create('free', $standin{tls}, 'AK_rates', 0);
	$standin{tls}->ctl('fault', 'status=429', 'retry_after=1');
	$first->query(look_up('fast', 'refused'));
	is($first->error, 'ERROR:  53000', 'a 429 ends a statement without retries');
	$second->start(look_up('fast', 'second'));
	$unlimited->start(look_up('free', 'free'));
	$_->finish foreach $second, $unlimited;
	my @arrivals = $standin{tls}->arrivals;
	is((ids(@arrivals))[0], 'refused', 'it came first');
	cmp_ok((gaps(@arrivals))[0], '>=', 1, 'and holds back every session of the key');
	$_->close foreach $first, $second, $unlimited;
}

# What the service itself counts
{
	$standin{plain}->ctl('rate', $rate);
	$standin{plain}->arrivals;
	my @sessions = map { session($_ % 2 ? 'postgres' : 'other') } 1 .. 4;
	my $statements = sub {
		my $n = shift;
		join ';', map { look_up($n % 2 ? 'nclue' : 'twin', "t${n}_$_") } 1 .. 8;
	};
	$sessions[ $_ - 1 ]->start($statements->($_)) foreach 1 .. 4;
	$_->finish foreach @sessions;
	is_deeply([ map { $_->error } @sessions ],
		[ ('') x 4 ], 'a service that counts by arrival refuses nothing');
	my @arrivals = $standin{plain}->arrivals;
	is(scalar(grep { $_->{status} == 404 } @arrivals), 32, 'it answers all');
	$standin{plain}->ctl('set', 'rate=0');
	$_->close foreach @sessions;
}

# ---- connections that are slow to be made ----

create('reconnecting', $standin{tls}, 'AK_slow', 10);
{
	my $requests = 4;
	my @sessions = map { session() } 1 .. 4;

	$standin{tls}->ctl('set', 'keep_alive=off');
	$standin{tls}->ctl('churn', 'every=2', 'set', 'connect_latency=0');
	$standin{tls}->ctl('churn', 'every=3', 'set', 'connect_latency=250');
	$sessions[ $_ - 1 ]->start(join ';',
		map { look_up('reconnecting', 'r' . $_) } 1 .. $requests)
	  foreach 1 .. 4;
	$_->finish foreach @sessions;
	my @arrivals = $standin{tls}->arrivals;
	is(scalar(uniq map { $_->{connection} } @arrivals), 4 * $requests,
		'each request had a connection of its own');
	spaced(0.1, 'and none was nearer to the one before for that', @arrivals);
	$standin{tls}->ctl('churn', 'off');
	$standin{tls}->ctl('set', 'keep_alive=on', 'connect_latency=0');
	$_->close foreach @sessions;
}

# ---- somebody else's judgement ----

# nginx refuses what comes a millisecond too early.  It judges by when it gets
# to it, so on a busy machine a round may fail though all is well; not each.
{
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $certificate = $standin{tls}->ca_file;
	(my $key = $certificate) =~ s/[^\/]+$/key.pem/;
	my $upstream = $standin{plain}->port;
	my $refused;

	start_nginx($nginx_directory, qq{
	access_log off;
	limit_req_zone \$http_x_ncp_iam_access_key zone=keys:1m rate=${rate}r/s;
	limit_req_status 429;
	server {
		listen 127.0.0.1:$port ssl http2;
		keepalive_requests 3;
		ssl_certificate $certificate;
		ssl_certificate_key $key;
		location / {
			limit_req zone=keys;
			proxy_pass http://127.0.0.1:$upstream;
		}
	}});
	$node->safe_psql('postgres', qq{
CREATE SERVER nginx FOREIGN DATA WRAPPER nclue_fdw OPTIONS (
  endpoint 'https://localhost:$port/api/v1', rate_limit '$rate',
  max_retries '0', ca_file '$certificate');
CREATE USER MAPPING FOR PUBLIC SERVER nginx
  OPTIONS (access_key 'AK_limit', secret_key 'SK');
CREATE FOREIGN TABLE nginx (task_id text, status text) SERVER nginx;});

	foreach my $round (1 .. 5)
	{
		my @sessions = map { session() } 1 .. 4;
		$standin{plain}->arrivals;
		$sessions[ $_ - 1 ]->start(join ';',
			map { look_up('nginx', "n$_") } 1 .. 8)
		  foreach 1 .. 4;
		$_->finish foreach @sessions;
		$_->close foreach @sessions;
		$refused = 32 - $standin{plain}->arrivals;
		last unless $refused;
		diag "nginx has refused $refused of 32 requests in round $round";
	}
	is($refused, 0, 'nginx lets through what comes at the rate');
}

# ---- crashes ----

create('crashing', $standin{plain}, 'AK_crash', 0.5);
{
	my $session = session();

	$session->query_safe(look_up('crashing', 'before'));
	kill 'KILL', $session->pid;
	wait_until('the server is back', sub {
		my $ret = $node->psql('postgres', 'SELECT 1');
		return $ret == 0;
	});
	$node->safe_psql('postgres', look_up('crashing', 'after'));
	my @arrivals = grep { $_->{line} =~ /before|after/ } $standin{plain}->arrivals;
	is_deeply([ ids(@arrivals) ], [qw(before after)], 'the server restarts after a crash');
	spaced(2, 'what was sent before a crash counts after it', @arrivals);
}

# ---- whether it is shared ----

is($node->safe_psql('postgres', look_up('nclue', 'x') . ';'
		  . "SELECT shared FROM nclue_fdw_stat WHERE server = 'nclue'"),
	"0\nt", 'the pace is shared by all sessions, and it is said');

SKIP:
{
	skip 'the pace is shared without shared_preload_libraries', 2 unless $preload;
	my $alone = PostgreSQL::Test::Cluster->new('alone');
	$alone->init;
	$alone->start;
	$alone->safe_psql('postgres', 'CREATE EXTENSION nclue_fdw');
	create('alone', $standin{tls}, 'AK_line', 1, node => $alone);
	my @sessions = map { session('postgres', $alone) } 1 .. 2;
	$standin{tls}->arrivals;

	$sessions[0]->query_safe(look_up('alone', 'x'));
	is_deeply(
		[ $sessions[0]->query_safe('SELECT requests, shared FROM nclue_fdw_stat') ],
		["1\x1ff"],
		'where each session has a pace of its own, that is said');
	is_deeply([ $sessions[1]->query_safe('SELECT shared FROM nclue_fdw_stat') ],
		[], 'and it counts nothing of others');
	$_->close foreach @sessions;
	$alone->stop;
}

done_testing();

END
{
	local $?;
	stop_nginx($nginx_directory) if $nginx_directory;
}
