# A backend that lives long: after thousands of scans, errors, cancels and
# rescans it holds the memory, descriptors, temporary files, threads and
# connections that it held before.
#
# Environment:
#	LEAKS	"all", or what part or multiple of that (default 0.1, half a minute):
#			10,000 scans, errors and cancels, 100,000 rescans

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Control;
use Footprint;
use IO::Socket::INET;
use List::Util qw(max);
use POSIX qw(ceil);
use Pace qw(start_nginx stop_nginx wait_until);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;
use Time::HiRes qw(time);

-r '/proc/self/smaps_rollup'
  or plan skip_all => 'the system does not tell how large a process is';

my $factor = ($ENV{LEAKS} // 0.1) eq 'all' ? 1 : $ENV{LEAKS} // 0.1;

# After one that nobody looks at.
my $rounds = 3;

# ---- the services ----

my $standin = Standin->start;
my $certified = Standin->start(tls => 1);
my $control = Control->new($standin->control);
my $certified_control = Control->new($certified->control);
my $certificate = $certified->ca_file;
(my $key = $certificate) =~ s/[^\/]+$/key.pem/;
my $nginx = PostgreSQL::Test::Utils::tempdir;
my $nginx_port = PostgreSQL::Test::Cluster::get_free_port();
start_nginx($nginx, qq{
	access_log off;
	server {
		listen 127.0.0.1:$nginx_port ssl http2;
		ssl_certificate $certificate;
		ssl_certificate_key $key;
		location / { proxy_pass http://127.0.0.1:@{[$standin->port]}; }
	}});

# Tasks are never answered, features half.  It may see a request only when that
# has been given up, so it is not the service that others use.
my $stalling = Standin->start;
$stalling->ctl('fault', @$_, 'always')
  foreach ([ 'stall', 'match=/tasks' ], [ 'stall_body', 'match=/features' ]);

# The kernel accepts its connections, and nobody reads.
my $deaf = IO::Socket::INET->new(Listen => 1000, LocalAddr => '127.0.0.1')
  or die "listen: $!";

# Its queue is full, so that not even the kernel answers.
my $full = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
  or die "listen: $!";
my @queue = map {
	IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $full->sockport,
		Blocking => 0)
} 1 .. 8;

# ---- the database ----

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# all sessions share one line; from 17 on nothing has to be configured
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'nclue_fdw'")
  if $node->pg_version < 17;
Footprint::start($node);

sub server_sql
{
	my ($name, %more) = @_;
	my %options = (
		endpoint => $standin->endpoint,
		rate_limit => 0,
		max_retries => 0,
		max_in_flight => 1,
		%more);
	return Standin::server_sql($name, %options) . qq{
CREATE FOREIGN TABLE $name (task_id text, task_name text, line_count bigint)
  SERVER $name;};
}

my @tls = (endpoint => $certified->endpoint, ca_file => $certificate);
my $closed_port = PostgreSQL::Test::Cluster::get_free_port();
$node->safe_psql('postgres', join '', 'CREATE EXTENSION nclue_fdw;',
	server_sql('tasks'),
	server_sql('twin'),
	server_sql('mapped'),
	server_sql('ahead', max_in_flight => 4),
	server_sql('tls', @tls),
	server_sql('altered', @tls),
	server_sql('http2', @tls, max_in_flight => 4,
		endpoint => "https://localhost:$nginx_port/api/v1"),
	server_sql('small', max_response_size => '20kB'),
	server_sql('stalling', endpoint => $stalling->endpoint),
	server_sql('impatient', endpoint => $stalling->endpoint, timeout => '0.01'),
	server_sql('refused', endpoint => "http://127.0.0.1:$closed_port"),
	server_sql('untrusted', endpoint => $certified->endpoint),
	server_sql('connecting', endpoint => 'http://127.0.0.1:' . $full->sockport),
	server_sql('handshake', @tls,
		endpoint => 'https://127.0.0.1:' . $deaf->sockport),
	server_sql('unlimited', rate_limit => 1000),
	server_sql('limited', rate_limit => '0.001'),
	server_sql('backing_off', max_retries => 1),
	q{
CREATE FOREIGN TABLE features (feature_id text, feature_name text NOT NULL)
  SERVER tasks OPTIONS (resource 'features');
CREATE FOREIGN TABLE objects (object jsonb OPTIONS (json_key '*')) SERVER tasks;
CREATE FOREIGN TABLE few (profile_id text, profile_name text, line_count bigint)
  SERVER tasks OPTIONS (resource 'shopping-intents');
CREATE FOREIGN TABLE few_in_pages (profile_id text, profile_name text)
  SERVER tasks OPTIONS (resource 'shopping-intents', page_size '3');
CREATE FOREIGN TABLE impatient_features (feature_id text) SERVER impatient
  OPTIONS (resource 'features');
CREATE FOREIGN TABLE wrong (no_such_field text) SERVER tasks;

CREATE ROLE other;
CREATE USER MAPPING FOR other SERVER tasks
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE ROLE keyless;
CREATE USER MAPPING FOR keyless SERVER tasks;
GRANT SELECT ON tasks TO other, keyless;
CREATE VIEW of_other AS SELECT * FROM tasks;
ALTER VIEW of_other OWNER TO other;
CREATE VIEW of_keyless AS SELECT * FROM tasks;
ALTER VIEW of_keyless OWNER TO keyless;

CREATE FUNCTION thrifty() RETURNS bigint SET nclue_fdw.max_requests = 2
BEGIN ATOMIC SELECT count(task_name) FROM tasks; END;
CREATE FUNCTION spilling() RETURNS bigint SET work_mem = '64kB'
BEGIN ATOMIC SELECT count(task_name) FROM tasks; END;

-- how a statement fails, and that the next one does not
CREATE FUNCTION failure(statement text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
  state text;
BEGIN
  BEGIN
    EXECUTE statement;
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    state := SQLSTATE;
  END;
  PERFORM task_name FROM tasks;
  RETURN state;
END
$$;

-- a loop that fails at a row
CREATE FUNCTION divide(rows bigint) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT task_id FROM tasks LOOP
    rows := rows - 1;
    PERFORM 1 / rows;
  END LOOP;
  RETURN 'no failure';
EXCEPTION WHEN division_by_zero THEN
  RETURN 'failure';
END
$$;});

$control->batch([ 'objects', 7, 'shopping-intents' ]);
my ($ids) = $control->batch([ 'ids', 'tasks', 0, 9 ]);
my ($few) = $control->batch([ 'ids', 'shopping-intents' ]);

my $session = Pace->new($node->connstr('postgres'));
my $watcher = Pace->new($node->connstr('postgres'));
my $pid = $session->pid;
$session->query_safe($_)
  foreach (
	'SET client_min_messages = warning',
	'SET jit = off',
	'PREPARE generic(text) AS SELECT task_name FROM tasks WHERE task_id = $1');
my $footprint = Footprint->new($session, $watcher, $node);

# ---- a campaign ----

# Bytes of the smallest pieces that malloc() and palloc() give: what loses one in
# each run grows by so much in a run, if not by more.  Texts in what libraries
# keep, such as times and ports, are longer or shorter by a few bytes; that comes
# to so much, however many the runs are.
my %piece = (libraries => 32, used => 16);
my %noise = (libraries => 192, used => 0);
my $least = 0.75;

# The heap shrinks only from its end, so a piece that is in use keeps pages
# before it.
my $pages = 256 * 1024;

# How much something grew from one measurement to another, in the middle of some
# pairs: what happens once, such as a hash table that becomes larger, does not
# count, what happens always does.
sub growth
{
	my ($thing, @pairs) = @_;
	my @growths =
	  sort { $a <=> $b } map { $_->[1]{$thing} - $_->[0]{$thing} } @pairs;

	return $growths[ $#growths / 2 ];
}

# The same in smallest pieces for each run, noise apart.
sub pieces_lost
{
	my ($runs, @pairs) = @_;
	return max map { (growth($_, @pairs) - $noise{$_}) / $piece{$_} / $runs }
	  keys %piece;
}

# Runs operations, each a name and what runs it so many times (a multiple of a
# step), in rounds, and tests that nothing grows: for each operation from its first
# step in a round to its last, and for all from one round to the next.
sub campaign
{
	my ($what, $count, $step, @operations) = @_;
	my $runs = $count * $factor / @operations / ($rounds + 1);
	my $each = $step * max(1, ceil($runs / $step) - 1);
	my $from = time;
	my ($handles, @ends, %pairs);

	foreach my $round (0 .. $rounds)
	{
		foreach my $operation (@operations)
		{
			my ($name, $run) = @$operation;

			$run->($step);
			my $before = $footprint->memory;
			$run->($each);
			push @{ $pairs{$name} }, [ $before, $footprint->memory ];
		}
		push @ends, $pairs{ $operations[-1][0] }[-1][1];
		$handles = $footprint->handles if $round == 0;
	}
	shift @$_ foreach values %pairs;

	my $seconds = time - $from;
	my $settled = $footprint->handles;
	my %lost = map { $_ => pieces_lost($each, @{ $pairs{$_} }) } keys %pairs;
	my @lost = sort { $lost{$b} <=> $lost{$a} } keys %lost;
	my @losers = map { sprintf '%s: %.1f pieces a run', $_, $lost{$_} }
	  grep { $lost{$_} > $least } @lost;
	my @rounds = map { [ @ends[ $_ - 1, $_ ] ] } 1 .. $rounds;

	is(join("\n", @losers), '', "$what: no operation loses memory");
	cmp_ok(pieces_lost($each * @operations, @rounds), '<=', $least,
		"$what: nor do all together");
	cmp_ok(growth('anonymous', @rounds), '<=', $pages,
		"$what: the process does not grow");
	is($ends[-1]{contexts}, $ends[0]{contexts},
		"$what: there are as many memory contexts");
	is($settled, $handles,
		"$what: there are as many descriptors, files and tallies");
	is($footprint->threads, 1, "$what: there is no thread");

	note sprintf '%s: %d runs, %.0f s; %s', $what,
	  ($rounds + 1) * @operations * ($each + $step), $seconds, $settled;
	foreach my $thing (qw(resident anonymous libraries used caches contexts))
	{
		note "$what: $thing ", join ' -> ', map { $_->{$thing} } @ends;
	}
	note sprintf '%s: most lost by "%s", %.2f pieces a run', $what, $lost[0],
	  $lost{ $lost[0] };
	return;
}

# ---- scans ----

# Runs statements that succeed.
sub statements
{
	my $sql = shift;
	return sub { $session->query_safe($sql) for 1 .. $_[0] };
}

my $from = 'SELECT count(task_name) FROM';
my $good = "$from tasks";
my $cursor = 'DECLARE c CURSOR FOR SELECT task_name FROM tasks; MOVE 120 FROM c';
my $two_lists = "SELECT ($from tasks), ($from twin), ($from of_other)";
my %scans = (
	'walk' => $good,
	'walk, whole objects' => 'SELECT count(object) FROM objects',
	'walk, four in flight' => "$from ahead",
	'walk by TLS' => "$from tls",
	'walk by HTTP/2' => "$from http2",
	'look-up' => "SELECT task_name FROM tasks WHERE task_id = '$ids->[0]'",
	'look-up of none' => "SELECT task_name FROM tasks WHERE task_id = 'none'",
	'IN' => "$from tasks WHERE task_id IN ('$ids->[0]', '$ids->[1]')",
	'IN, by the list' => "$from tasks WHERE task_id IN ("
	  . join(', ', map { "'$_'" } @$ids) . ')',
	'range' => 'SELECT task_name FROM tasks LIMIT 3 OFFSET 120',
	'count' => 'SELECT count(*) FROM tasks',
	'count, by the list' => 'SELECT count(*) FROM features',
	'generic plan' => "SET plan_cache_mode = force_generic_plan;
		EXECUTE generic('$ids->[1]'); RESET plan_cache_mode",
	'cursor half read' => "BEGIN; $cursor; CLOSE c; COMMIT",
	'cursor half read, rolled back' => "BEGIN; $cursor; ROLLBACK",
	'cursor WITH HOLD' => 'BEGIN;
		DECLARE c CURSOR WITH HOLD FOR SELECT task_name FROM tasks;
		MOVE 20 FROM c; COMMIT; MOVE ALL FROM c; CLOSE c',
	'cache_ttl' => "SET nclue_fdw.cache_ttl = '1h'; $two_lists; $two_lists;
		RESET nclue_fdw.cache_ttl",
	'temporary file' => 'SELECT spilling()',
	'temporary file, half read' => "SET work_mem = '64kB'; BEGIN; $cursor;
		MOVE 90 FROM c; COMMIT; RESET work_mem",
	'REPEATABLE READ' => "BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT task_name FROM tasks WHERE task_id = '$ids->[0]';
		SELECT task_name FROM tasks LIMIT 2 OFFSET 3; $good; $good; COMMIT",
	'EXPLAIN ANALYZE' => 'EXPLAIN (ANALYZE) SELECT * FROM tasks',
	'ANALYZE' => 'ANALYZE tasks',
	'IMPORT' => 'CREATE SCHEMA imported;
		IMPORT FOREIGN SCHEMA nclue FROM SERVER tasks INTO imported;
		DROP SCHEMA imported CASCADE',
	'nclue_fdw_check' => "SELECT count(*) FROM nclue_fdw_check('tasks')",
	'nclue_fdw_stat' => 'SELECT count(*) FROM nclue_fdw_stat',
	'ALTER SERVER' => "ALTER SERVER altered OPTIONS (ADD page_size '50');
		$from altered a JOIN altered b USING (task_id, task_name);
		SET nclue_fdw.cache_ttl = '1h'; $from altered; $from altered;
		ALTER SERVER altered OPTIONS (DROP page_size);
		$from altered; RESET nclue_fdw.cache_ttl",
	'ALTER SERVER, ANALYZE' => "ANALYZE altered;
		ALTER SERVER altered OPTIONS (ADD page_size '50'); ANALYZE altered;
		ALTER SERVER altered OPTIONS (DROP page_size)",
	'ALTER SERVER, nclue_fdw_check' => "SELECT nclue_fdw_check('altered');
		ALTER SERVER altered OPTIONS (ADD page_size '50');
		SELECT nclue_fdw_check('altered');
		ALTER SERVER altered OPTIONS (DROP page_size)",
	'ALTER SERVER below a cursor' => "BEGIN;
		DECLARE c CURSOR FOR SELECT task_name FROM altered; MOVE 5 FROM c;
		ALTER SERVER altered OPTIONS (ADD page_size '50'); $from altered;
		MOVE ALL FROM c; ROLLBACK",
	'another user mapping' => "DROP USER MAPPING FOR PUBLIC SERVER mapped;
		CREATE USER MAPPING FOR PUBLIC SERVER mapped
		OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST'); $from mapped",
	'subtransaction rolled back' => "BEGIN; SAVEPOINT s; $cursor; ROLLBACK TO s;
		SAVEPOINT t; $good; RELEASE t; COMMIT",
	'savepoint above a cursor' => "BEGIN; $cursor; SAVEPOINT s; MOVE 5 FROM c;
		ROLLBACK TO s; MOVE ALL FROM c; COMMIT",
	'exception block' => 'SELECT divide(7)');

# What is counted for this one is asked for below.  Those that are made later may
# find no room in shared memory, where mappings that are gone keep theirs.
$session->query_safe("$from backing_off");

# Where several are in flight, as many connections as they need are open from now
# on: the second page comes after the third.
$control->batch([qw(set patience=10000)], [qw(fault later request=+2)]);
$session->query_safe("$from ahead");

campaign('scans', 10000, 1,
	map { [ $_, statements($scans{$_}) ] } sort keys %scans);

# ---- errors ----

# How a statement that fails is run.
my @ways = (
	sub { return $_[0]; },
	sub { return "SELECT failure(\$statement\$$_[0]\$statement\$)"; },
	sub { return "BEGIN; SAVEPOINT s; $_[0]; ROLLBACK TO s; $good; COMMIT"; },
	sub { return "BEGIN ISOLATION LEVEL REPEATABLE READ; $_[0]; ROLLBACK"; },
	sub {
		return "SET nclue_fdw.cache_ttl = '1h'; $_[0]; RESET nclue_fdw.cache_ttl";
	});

# Dies unless a statement that has come to its end had a failure.
sub must_have_failed
{
	my ($expected, $statement, @rows) = @_;
	my ($shown) = ($session->error || "@rows") =~ /(\w{5})$/;

	die "$statement: ", $shown // 'no failure', "\n"
	  unless defined $shown && $shown =~ /^$expected$/;
	return;
}

# Runs a statement that fails.
sub failing
{
	my ($sqlstate, $sql, @fault) = @_;

	return sub {
		foreach my $run (1 .. $_[0])
		{
			my $statement = $ways[ $run % @ways ]->($sql);

			$control->batch([ 'fault', @fault ]) if @fault;
			must_have_failed($sqlstate, $statement,
				$session->query($statement));
		}
	};
}

my $sum = 'SELECT sum(line_count) FROM tasks';
my $lookup = "SELECT task_name FROM tasks WHERE task_id = '$ids->[0]'";
my %errors = (
	'status 400' => [ 'HV000', $good, 'status=400' ],
	'status 401' => [ '28000', $good, 'status=401', 'code=200' ],
	'status 404' => [ 'HV00R', $good, 'status=404', 'code=300' ],
	'status 429' => [ '53000', $good, 'status=429', 'code=400' ],
	'status 500' => [ 'HV000', $good, 'status=500' ],
	'status 503, second page' => [ 'HV000', $good, 'status=503', 'request=+2' ],
	'redirect' => [ 'HV000', $good, 'redirect=http://127.0.0.1/' ],
	'web page' => [ '22032', $good, 'html' ],
	'empty body' => [ '22032', $good, 'empty_body' ],
	'no JSON' => [ '22032', $good, 'body={"tasks":[{]}' ],
	'nested too deep' => [ '22032', $good, 'deep=100000' ],
	'broken UTF-8' => [ '22032', $good, 'bad_utf8=task_name', 'row=50' ],
	'integer beyond 64 bits' => [ '22032', $good, 'bigint=line_count', 'row=50' ],
	'error with status 200' =>
	  [ 'HV000', $good, 'body={"error":{"errorCode":"900"}}' ],
	'no array' => [ 'HV021', $good, 'no_array' ],
	'no id' => [ 'HV021', $good, 'id_missing', 'row=99' ],
	'an id twice' => [ 'HV021', $good, 'id_twice', 'request=+3' ],
	'NUL' => [ '22P05', $good, 'nul=task_name', 'row=50' ],
	'value refused' => [ '22P02', $sum, 'value=line_count:"x"', 'row=50' ],
	'null where NOT NULL' =>
	  [ '23502', 'SELECT count(*) FROM features', 'value=feature_name:null' ],
	'closed' => [ '08006', $good, 'close', 'request=+2' ],
	'reset' => [ '08006', $good, 'reset' ],
	'reset in the body' => [ '08006', $good, 'reset_body' ],
	'cut short' => [ '08006', $good, 'truncated' ],
	'chunks cut short' => [ '08006', $good, 'chunked_cut' ],
	'broken chunk' => [ '08006', $good, 'chunked_bad' ],
	'broken gzip' => [ '08P01', $good, 'gzip_corrupt' ],
	'no HTTP' => [ '08P01', $good, 'raw=hello' ],
	'endless headers' => [ '08P01', $good, 'big_headers=300' ],
	'too large' => [ '54000', "$from small" ],
	'endless' => [ '54000', "$from small", 'endless' ],
	'gzip bomb' => [ '54000', "$from small", 'gzip_bomb=1' ],
	'behind a temporary file' =>
	  [ '08006', 'SELECT spilling()', 'reset', 'request=+3' ],
	# on a busy machine it may be connecting still
	'timeout' => [ '0800[16]', 'TABLE impatient' ],
	'timeout in the body' => [ '0800[16]', 'TABLE impatient_features' ],
	'connection refused' => [ '08001', "$from refused" ],
	'unknown authority' => [ '08001', "$from untrusted" ],
	'max_requests' => [ '53400', 'SELECT thrifty()' ],
	'no key' => [ '28000', "$from of_keyless" ],
	'no such field' => [ 'HV005', 'SELECT * FROM wrong' ],
	'look-up' => [ 'HV000', $lookup, 'status=500' ],
	'look-up, no id' => [ 'HV021', $lookup, 'body={}' ],
	'range' =>
	  [ 'HV000', 'SELECT task_name FROM tasks LIMIT 2 OFFSET 2', 'status=500' ],
	'count' => [ 'HV000', 'SELECT count(*) FROM tasks', 'status=500' ],
	'ANALYZE' => [ 'HV000', 'ANALYZE tasks', 'status=500' ],
	'IMPORT' =>
	  [ 'HV00Q', 'IMPORT FOREIGN SCHEMA other FROM SERVER tasks INTO public' ]);

campaign('errors', 10000, scalar @ways,
	map { [ $_, failing(@{ $errors{$_} }) ] } sort keys %errors);

# ---- cancels ----

# Runs a statement that waits, and cancels it: when all its requests have come,
# and a condition holds.
sub cancelled
{
	my ($sql, %how) = @_;
	my $service = $how{service} // $control;
	my @faults = @{ $how{faults} // [] };
	my $wanted = $how{requests} // (@faults ? 1 : 0);

	return sub {
		foreach my $run (1 .. $_[0])
		{
			my $statement = $ways[ $run % @ways ]->($sql);
			my $when = $how{when} ? $how{when}->() : q{wait_event_type = 'Extension'};
			my $came = 0;

			$service->batch(['requests'], map { [ 'fault', @$_ ] } @faults)
			  if $wanted;
			$session->start($statement);
			wait_until($statement, sub {
				$came += grep { /^GET / } @{ ($service->batch(['requests']))[0] }
				  if $came < $wanted;
				return $came >= $wanted && $watcher->query_safe(
					"SELECT pg_cancel_backend(pid) FROM pg_stat_activity
					WHERE pid = $pid AND state = 'active' AND $when");
			}, 0.001);
			must_have_failed('57014', $statement, $session->finish);
		}
	};
}

# A condition: it waits for its second attempt.
sub is_backing_off
{
	my $bytes = q{(SELECT coalesce(sum(bytes), 0) FROM nclue_fdw_stat
		WHERE server = 'backing_off')};
	my ($before) = $watcher->query_safe("SELECT $bytes");

	return "$bytes > $before";
}

# Runs a statement that statement_timeout ends, wherever it finds it.
sub timed_out
{
	for (1 .. $_[0])
	{
		$session->query_safe("SET statement_timeout = '5ms'");
		must_have_failed('57014', 'TABLE stalling',
			$session->query('TABLE stalling'));
		# ended by it, perhaps, as well
		do { $session->query('RESET statement_timeout') } while $session->error;
	}
	return;
}

my @stall = (faults => [ ['stall'] ]);
my %cancels = (
	'connecting' => ["$from connecting"],
	'TLS handshake' => ["$from handshake"],
	'answer' => [ $good, @stall ],
	'answer by TLS' => [ "$from tls", @stall, service => $certified_control ],
	'answer by HTTP/2' => [ "$from http2", @stall ],
	'body' => [ $good, faults => [ ['stall_body'] ] ],
	'two answers' => [ "$from ahead", requests => 3,
		faults => [ [ 'stall', 'request=+2' ], [ 'stall', 'request=+3' ] ] ],
	'behind a temporary file' => [ 'SELECT spilling()', requests => 3,
		faults => [ [ 'stall', 'request=+3' ] ] ],
	'in line' => ["$from limited"],
	'backing off' => [ "$from backing_off", when => \&is_backing_off,
		faults => [ [ 'status=503', 'retry_after=60' ] ] ],
	'row consumed' => [ 'SELECT count(pg_sleep(1000)) FROM tasks',
		when => sub { return q{wait_event = 'PgSleep'} } ],
	'look-up' => [ $lookup, @stall ],
	'count' => [ 'SELECT count(*) FROM tasks', @stall ],
	'ANALYZE' => [ 'ANALYZE tasks', @stall ],
	'nclue_fdw_check' =>
	  [ q{SELECT count(*) FROM nclue_fdw_check('tasks')}, @stall ]);

# from a request on the next one is a thousand seconds away
$session->query_safe("$from unlimited WHERE task_id = 'none'");
campaign('cancels', 10000, scalar @ways, [ 'statement_timeout', \&timed_out ],
	map { [ $_, cancelled(@{ $cancels{$_} }) ] } sort keys %cancels);

my (undef, undef, $in_line) = $node->psql('postgres',
	"SET statement_timeout = '1s'; $from limited WHERE task_id = 'none'");
my ($turn) = $in_line =~ /It could be sent in ([\d.]+) s at the earliest/;
cmp_ok($turn // 1e9, '<=', 1000.1, 'cancels: nobody is left in line')
  or diag $in_line;

# ---- rescans ----

# For each number the other relation is read anew, from memory or a temporary
# file.
my $numbers = '(SELECT generate_series(1, 1000000000) AS g OFFSET 0) s';
my $an_id = "('{" . join(',', @$few) . "}'::text[])[1 + g % 9]";
my %rescans = (
	'sub-select' => "SELECT (SELECT max(profile_name) FROM few
		WHERE line_count > g) FROM $numbers",
	'several pages' => "SELECT (SELECT max(profile_name) FROM few_in_pages
		WHERE profile_name <> g::text) FROM $numbers",
	'temporary file' => "SELECT (SELECT max(task_name) FROM tasks
		WHERE line_count > g) FROM $numbers",
	'LATERAL' => "SELECT m FROM $numbers, LATERAL (SELECT max(profile_name) AS m
		FROM few WHERE line_count > g) x",
	'nested loop' => "SELECT g FROM $numbers
		JOIN few ON left(profile_id, 0) || g % 9 <> profile_id",
	'look-up' => "SELECT (SELECT profile_name FROM few
		WHERE profile_id = $an_id) FROM $numbers",
	'range' => "SELECT (SELECT profile_name FROM (SELECT * FROM few
		LIMIT 1 OFFSET g % 5) r) FROM $numbers",
	'count' => "SELECT (SELECT count(*) + g FROM few) FROM $numbers");
my %rows_each = ('nested loop' => scalar @$few);
my $before = $footprint->handles;

# Reads a cursor on, so many rows of numbers.
sub moved
{
	my $name = shift;
	my $rows = $rows_each{$name} // 1;

	return sub {
		my $count = $rows * $_[0];
		$session->query_safe("MOVE $count FROM \"$name\"");
	};
}

$session->query_safe($_)
  foreach ("SET work_mem = '64kB'", 'SET enable_material = off', 'BEGIN',
	(map { "DECLARE \"$_\" CURSOR FOR $rescans{$_}" } sort keys %rescans),
	'DECLARE scrolled SCROLL CURSOR FOR SELECT profile_name FROM few');
campaign('rescans', 100000, 10,
	[ 'scrolled', statements('MOVE ABSOLUTE 0 FROM scrolled; MOVE ALL FROM scrolled') ],
	map { [ $_, moved($_) ] } sort keys %rescans);
like($footprint->handles, qr/\b1 temporary files/,
	'rescans: of a list in a temporary file');
$session->query_safe('COMMIT');
is($footprint->handles, $before,
	'rescans: at the end of the transaction what they held is given back');

# ---- the end ----

$session->close;
foreach ($control, $certified_control)
{
	my $service = $_;

	is(Footprint::patiently(0, sub {
		return ($service->batch(['connections']))[0][0] =~ /open=(\d+)/ ? $1 : -1;
	}), 0, 'no connection outlives the session');
}

stop_nginx($nginx);
done_testing();

END
{
	local $?;
	stop_nginx($nginx) if $nginx;
}
