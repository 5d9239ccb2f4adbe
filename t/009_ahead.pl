# Pages are asked for ahead where the whole list is certain to be wanted, and
# nowhere else: as many requests at once as allowed, none that is not needed, and
# as fast as the rate permits.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Control;
use List::Util qw(min uniq);
use Pace qw(gaps spaced start_nginx stop_nginx wait_until);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# A walk of 150 objects, page_size 10: 17 requests.
my $objects = 150;
my $walk = 17;

my $standin = Standin->start(objects => $objects);
my $control = Control->new($standin->control);
my $certified = Standin->start(tls => 1);
my $nginx_directory = PostgreSQL::Test::Utils::tempdir;
my $nginx_port = PostgreSQL::Test::Cluster::get_free_port();
my $certificate = $certified->ca_file;
(my $key = $certificate) =~ s/[^\/]+$/key.pem/;

start_nginx($nginx_directory, qq{
	log_format connections '\$server_protocol \$connection';
	access_log $nginx_directory/access.log connections;
	server {
		listen 127.0.0.1:$nginx_port ssl http2;
		ssl_certificate $certificate;
		ssl_certificate_key $key;
		location / { proxy_pass http://127.0.0.1:@{[ $standin->port ]}; }
	}});

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nclue_fdw'")
  if $node->pg_version < 17;
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION nclue_fdw;
CREATE TABLE local (id text);});

my $session = Pace->new($node->connstr('postgres'));

# A server, and a schema that has its name, with the lists in it.
sub create
{
	my ($name, $endpoint, $options) = @_;

	$session->query_safe($_) foreach split /;\n/, qq{
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS (
  endpoint '$endpoint', page_size '10', max_retries '0', ca_file '$certificate',
  $options);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE SCHEMA $name;
SET client_min_messages = warning;
IMPORT FOREIGN SCHEMA nclue FROM SERVER $name INTO $name};
	return;
}

# Runs a statement and returns its rows, the most requests that were under way
# at once, and when they arrived.  Before it the stand-in gets this latency.
sub observed
{
	my ($sql, $latency) = @_;

	$control->batch([ 'set', "latency=$latency" ], ['arrivals'], ['connections']);
	my @rows = $session->query_safe($sql);
	my ($arrivals, $connections) = $control->batch(['arrivals'], ['connections']);
	my ($most) = "@$connections" =~ /most=(\d+)/;
	return (\@rows, $most, map { Standin::arrival($_) } @$arrivals);
}

create("one_by_one", $standin->endpoint, "rate_limit '0', max_in_flight '1'");
create("four", $standin->endpoint, "rate_limit '0'");
create("eight", $standin->endpoint, "rate_limit '0', max_in_flight '8'");
create("multiplexed$_", "https://localhost:$nginx_port/api/v1",
	"rate_limit '0', max_in_flight '$_'")
  foreach 1, 4, 8;

# ---- how many at once ----

my @pages = map { 'GET /api/v1/tasks?index=' . 9 * $_ . '&limit=10' } 0 .. $walk - 1;

foreach my $server ([ one_by_one => 1 ], [ four => 4 ], [ eight => 8 ])
{
	my ($schema, $most) = @$server;
	my (undef, $seen, @arrivals) =
	  observed("SELECT task_id FROM $schema.nclue_tasks", 120);

	is($seen, $most, "max_in_flight $most over HTTP/1.1: so many at once");
	is(scalar(uniq map { $_->{connection} } @arrivals), $most,
		'each over a connection of its own');
	is_deeply([ sort map { $_->{line} } @arrivals ],
		[ sort @pages ], 'no page is asked for twice, and none in vain');
}
foreach my $most (1, 4, 8)
{
	my (undef, $seen, @arrivals) =
	  observed("SELECT task_id FROM multiplexed$most.nclue_tasks", 120);

	is($seen, $most, "max_in_flight $most over HTTP/2: so many at once");
	is_deeply([ sort map { $_->{line} } @arrivals ],
		[ sort @pages ], 'no page is asked for twice, and none in vain');
}

# nginx logs a request when it has been answered
my @log;
wait_until('nginx has written its log', sub {
	@log = split /\n/, slurp_file("$nginx_directory/access.log");
	return @log >= 3 * $walk;
});
is_deeply([ uniq map { (split / /)[0] } @log ], ['HTTP/2.0'], 'that was HTTP/2');
is(scalar(uniq @log), 3, 'over one connection for each server');

# ---- which statements ----

# A statement, the most requests at once, and how many requests in all.  TASKS
# is the foreign table; the rows must be the same with and without asking ahead.
my @statements = (
	# the whole list is certain to be wanted
	[ 'SELECT task_id, status FROM TASKS', 4, $walk ],
	[ q{SELECT task_id FROM TASKS WHERE status = 'failed'}, 4, $walk ],
	[ q{SELECT task_id FROM TASKS WHERE status = 'nothing'}, 4, $walk ],
	[ 'SELECT task_id FROM TASKS ORDER BY task_name, task_id', 4, $walk ],
	[ 'SELECT DISTINCT status FROM TASKS ORDER BY 1', 4, $walk ],
	[ 'SELECT status, count(*) FROM TASKS GROUP BY 1 ORDER BY 1', 4, $walk ],
	[ 'SELECT max(task_name) FROM TASKS', 4, $walk ],
	[ 'SELECT task_id, row_number() OVER () FROM TASKS', 4, $walk ],
	[ q{SELECT task_id FROM (SELECT * FROM TASKS) s WHERE status = 'failed'}, 4, $walk ],
	[ 'WITH t AS (SELECT * FROM TASKS) SELECT task_id FROM t', 4, $walk ],
	[ 'COPY (SELECT task_id FROM TASKS) TO STDOUT', 4, $walk ],
	[ 'INSERT INTO local SELECT task_id FROM TASKS', 4, $walk ],
	[ 'CREATE TEMP TABLE kept AS SELECT task_id FROM TASKS', 4, $walk ],
	[ q{SELECT task_id FROM TASKS JOIN (VALUES ('failed')) v (s) ON s = status}, 4, $walk ],

	# it is not all that the query reads
	[ 'SELECT task_id FROM TASKS UNION ALL SELECT task_id FROM TASKS', 1, $walk ],

	# a caller may stop before the end
	[ q{SELECT task_id FROM TASKS WHERE status = 'nothing' LIMIT 5}, 1, $walk ],
	[ q{SELECT task_id FROM TASKS WHERE status <> 'nothing' LIMIT 35}, 1, 4 ],
	[ 'SELECT task_id FROM TASKS LIMIT 35', 1, 4 ],
	[ 'SELECT task_id FROM TASKS OFFSET 30', 1, 14 ],
	[ 'BEGIN; DECLARE c CURSOR FOR SELECT task_id FROM TASKS; FETCH 25 FROM c; COMMIT', 1, 3 ],
	[ 'BEGIN; DECLARE c CURSOR FOR SELECT task_id FROM TASKS; FETCH ALL FROM c; COMMIT', 1, $walk ],
	[ q{SELECT EXISTS (SELECT FROM TASKS WHERE status = 'nothing')}, 1, $walk ],

	# it is not all that the query reads
	[ 'SELECT a.task_id FROM TASKS a JOIN TASKS b USING (task_id)', 1, $walk ],
	[ q{SELECT task_id FROM TASKS JOIN (VALUES ('failed'), ('pending')) v (s) ON s = status}, 1, $walk ],
	[ 'SELECT task_id FROM TASKS LEFT JOIN local ON id = task_id', 1, $walk ],
	[ 'SELECT task_id FROM TASKS WHERE task_name NOT IN (SELECT id FROM local)', 1, $walk ],
	[ 'SELECT task_id, (SELECT count(*) FROM local) FROM TASKS', 1, $walk ],
	[ 'SELECT (SELECT max(task_name) FROM TASKS)', 1, $walk ],
	[ 'WITH t AS MATERIALIZED (SELECT * FROM TASKS) SELECT task_id FROM t', 1, $walk ],
	[ 'SELECT task_id FROM TASKS UNION SELECT task_id FROM TASKS ORDER BY 1', 1, $walk ],
	[ 'SELECT sum(n) FROM (SELECT count(status) AS n FROM TASKS OFFSET 0) s', 1, $walk ],

	# one request
	[ 'SELECT count(*) FROM TASKS', 1, 1 ],
	[ q{SELECT task_id FROM TASKS WHERE task_id = 'x'}, 1, 1 ],

	# none
	[ 'EXPLAIN (COSTS OFF) SELECT task_id FROM TASKS', 0, 0 ],
	[ 'SELECT task_id FROM TASKS WHERE false', 0, 0 ],
	[ 'PREPARE p AS SELECT task_id FROM TASKS; DEALLOCATE p', 0, 0 ]);

sub clean_up
{
	$session->query_safe('TRUNCATE local; DROP TABLE IF EXISTS pg_temp.kept');
	return;
}

foreach my $statement (@statements)
{
	my ($template, $most, $requests) = @$statement;
	my (%rows, %count, $seen);

	foreach my $schema (qw(one_by_one four))
	{
		(my $sql = $template) =~ s/TASKS/$schema.nclue_tasks/g;
		# where one waits for the other, the time is not needed to see it
		($rows{$schema}, $seen, my @arrivals) =
		  observed($sql, $schema eq 'four' && $most > 1 ? 60 : 10);
		$count{$schema} = @arrivals;
		clean_up();
	}
	note "$template: at most $seen at once, $count{four} requests";
	is($seen, $most, "at most $most at once: $template");
	is($count{four}, $requests, 'no request in vain');
	is($count{one_by_one}, $count{four}, 'as many as one by one');
	s/(four|one_by_one)\.//g foreach map { @$_ } values %rows;
	is_deeply($rows{four}, $rows{one_by_one}, 'and the same rows');
}

# ---- who stops nevertheless ----

foreach my $schema (qw(one_by_one four eight))
{
	$session->query_safe(qq{
CREATE FUNCTION $schema.leave(after int) RETURNS int LANGUAGE plpgsql AS
\$\$
DECLARE
  n int := 0;
  task record;
BEGIN
  FOR task IN SELECT task_id FROM $schema.nclue_tasks
  LOOP
    n := n + 1;
    EXIT WHEN n = after;
  END LOOP;
  RETURN n;
END
\$\$;
CREATE FUNCTION $schema.find(name text) RETURNS text LANGUAGE plpgsql AS
\$\$
DECLARE
  id text;
BEGIN
  SELECT task_id INTO id FROM $schema.nclue_tasks WHERE task_name = name;
  RETURN id;
END
\$\$});
}

my @names = $session->query_safe('SELECT task_name FROM one_by_one.nclue_tasks');
foreach my $call (
	(map { [ "leave($_)", "FOR loop left after row $_" ] } 1, 12, 55, 100, 149, 150),
	(map {
		(my $name = $names[$_]) =~ s/'/''/g;
		[ "find(E'" . ($name =~ s/\\/\\\\/gr) . "')", "SELECT INTO that finds row $_" ]
	} 0, 9, 45, 100))
{
	my ($function, $what) = @$call;
	my (%count, %rows);

	foreach my $schema (qw(one_by_one four eight))
	{
		($rows{$schema}, undef, my @arrivals) =
		  observed("SELECT $schema.$function", 20);
		$count{$schema} = @arrivals;
	}
	note "$what: ", join ', ', map { "$count{$_} $_" } qw(one_by_one four eight);
	cmp_ok($count{four} - $count{one_by_one}, '<=', 3,
		"a $what: at most 3 requests of 4 at once in vain");
	cmp_ok($count{eight} - $count{one_by_one}, '<=', 7, 'at most 7 of 8 at once');
	cmp_ok(min(@count{qw(four eight)}), '>=', $count{one_by_one}, 'all are made');
	is_deeply([ @rows{qw(four eight)} ], [ ($rows{one_by_one}) x 2 ],
		'and it is the same');
}

# ---- at a rate ----

# A walk of 10 requests at a rate of 5, each answered after half a second: with
# 4 under way they leave as fast as the rate permits.  Noise makes only late, so
# the best of some rounds counts.
my $interval = 0.2;
my $latency = 0.5;
create('paced', $standin->endpoint, "rate_limit '5'");
$control->batch([ 'objects', 90 ]);
{
	my $allowed = 9 * ($interval + 0.005) + 2 * $latency;
	my ($seconds, $most, @arrivals);

	foreach my $round (1 .. 3)
	{
		(undef, $most, @arrivals) =
		  observed('SELECT count(status) FROM paced.nclue_tasks', 1000 * $latency);
		my @times = sort { $a <=> $b } map { $_->{time} } @arrivals;

		is(scalar @arrivals, 10, 'a walk of 10 requests');
		spaced($interval, 'keeps to the rate', @arrivals);
		$seconds = $times[-1] - $times[0] + $latency;
		diag sprintf('10 pages at 5 a second, answers in 0.5 s: %.3f s, allowed %.3f s',
			$seconds, $allowed);
		last if $seconds <= $allowed;
	}
	cmp_ok($seconds, '<=', $allowed,
		'it ends within its 9 intervals and two answers');
	cmp_ok($most, '<=', 4, 'with at most 4 under way');
}

# Where it is not certain that all is wanted each waits for the answer before.
foreach my $statement (
	q{SELECT task_id FROM TASKS WHERE status = 'nothing' LIMIT 5},
	'BEGIN; DECLARE c CURSOR FOR SELECT task_id FROM TASKS; FETCH ALL FROM c; COMMIT',
	'SELECT task_id FROM TASKS LEFT JOIN local ON id = task_id')
{
	$control->batch([ 'objects', 26 ]);
	(my $sql = $statement) =~ s/TASKS/paced.nclue_tasks/g;
	my (undef, $most, @arrivals) = observed($sql, 1000 * $latency);

	is(scalar @arrivals, 3, "3 pages: $statement");
	is($most, 1, 'one after the other');
	spaced($latency, 'each after the answer before', @arrivals);
}

# An answer that takes longer than so many intervals
{
	create('hurried', $standin->endpoint, "rate_limit '50', max_in_flight '3'");
	$control->batch([ 'objects', 90 ]);
	my (undef, $most, @arrivals) =
	  observed('SELECT count(status) FROM hurried.nclue_tasks', 200);
	is(scalar @arrivals, 10, 'slow answers at a high rate: all pages');
	is($most, 3, 'and never more under way than allowed');
	spaced(0.02, 'nor nearer', @arrivals);
}

$session->close;
done_testing();

END
{
	local $?;
	stop_nginx($nginx_directory) if $nginx_directory;
}
