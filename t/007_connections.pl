# Connections are kept over statements, one for each mapping of a session; what
# is changed in a server or a mapping gets a new one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use List::Util qw(uniq);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# Three requests a walk.
my $standin = Standin->start(
	objects => 250,
	key => [ 'AK_TEST:SK_TEST', 'AK_OTHER:SK_OTHER' ]);
my $elsewhere = Standin->start(objects => 7);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', qq{
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint '@{[$standin->endpoint]}', rate_limit '0', max_retries '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (task_id text, task_name text) SERVER nclue;
CREATE SERVER twin FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint '@{[$standin->endpoint]}', rate_limit '0', max_retries '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER twin
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE twins (task_id text) SERVER twin;
CREATE ROLE other;
CREATE USER MAPPING FOR other SERVER nclue
  OPTIONS (access_key 'AK_OTHER', secret_key 'SK_OTHER');
GRANT SELECT ON tasks TO other;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS
\$\$
DECLARE
  answer text;
BEGIN
  EXECUTE statement INTO answer;
  RETURN answer;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END
\$\$;});

my $count = 'SELECT count(task_id) FROM tasks';
my $session = $node->background_psql('postgres');

# a notice would count as a failure
$session->query_safe('SET client_min_messages = warning');

# Runs a query that must return what is given, and returns the connections that
# its requests came over.
sub connections_of
{
	my ($psql, $query, $expected, $what) = @_;

	$standin->arrivals;
	is($psql->query_safe($query), $expected, $what);
	return uniq map { $_->{connection} } $standin->arrivals;
}

# Waits until the stand-in has so many connections.
sub wait_open
{
	my ($expected, $what) = @_;
	my $shown;

	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		($shown) = $standin->ctl('connections') =~ /open=(\d+)/;
		last if $shown == $expected;
		select undef, undef, undef, 0.1;
	}
	is($shown, $expected, $what);
	return;
}

# The connection that the latest page came over.
sub latest_connection
{
	my @arrivals = $standin->arrivals;
	return $arrivals[-1]{connection};
}

# Keeping

my @first = connections_of($session, $count, '250', 'a list is read');
is(scalar @first, 1, 'its pages come over one connection');
is_deeply([ connections_of($session, $count, '250', 'it is read again') ],
	\@first, 'the next statement uses the same connection');

$standin->ctl('fault', 'status=500', 'match=index=99');
is_deeply(
	[ connections_of($session, "SELECT outcome('$count')", 'HV000', 'a statement fails') ],
	\@first, 'an answer that is an error comes over it');
is_deeply([ connections_of($session, $count, '250', 'the next succeeds') ],
	\@first, 'and does not end it');

$session->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT task_id FROM tasks; MOVE 5 FROM c; ROLLBACK');
is_deeply([ connections_of($session, $count, '250', 'a cursor was closed half-way') ],
	\@first, 'nor does a reader that stops half-way');

$session->query_safe('BEGIN');
$session->query_safe("DECLARE $_ CURSOR FOR SELECT task_id FROM tasks; MOVE 5 FROM $_")
  foreach qw(a b);
is_deeply(
	[ connections_of($session, 'MOVE 100 FROM a; MOVE 100 FROM b; SELECT 1', '1',
			'two cursors read in turn') ],
	\@first, 'over the same connection');
$session->query_safe('COMMIT');
$session->query_safe("ALTER SERVER twin OPTIONS (ADD page_size '50')");
is_deeply([ connections_of($session, $count, '250', 'another server was changed') ],
	\@first, 'which is no reason for a new connection');

# Whose it is

my @twin = connections_of($session, 'SELECT count(task_id) FROM twins', '250',
	'a second server at the same address is read');
is(scalar @twin, 1, 'it has one connection');
isnt($twin[0], $first[0], 'of its own');
$session->query_safe('SET ROLE other');
my @other = connections_of($session, $count, '250',
	'another user reads, with a mapping of his own');
is(scalar @other, 1, 'his mapping has one connection');
is(scalar(uniq(@first, @twin, @other)), 3, 'of its own');
is_deeply([ connections_of($session, $count, '250', 'he reads again') ],
	\@other, 'over it');
$session->query_safe('RESET ROLE');
is_deeply([ connections_of($session, $count, '250', 'the first user reads again') ],
	\@first, 'over the one that is his');

my $second = $node->background_psql('postgres');
my @second = connections_of($second, $count, '250', 'another session reads');
is(scalar(uniq(@first, @twin, @other, @second)), 4,
	'it has a connection of its own');
wait_open(4, 'nothing else is open');
$second->quit;
wait_open(3, 'the connection ends with its session');

# Changes

$session->query_safe("ALTER SERVER nclue OPTIONS (ADD page_size '50')");
$standin->requests;
my @altered = connections_of($session, $count, '250', 'the server was altered');
is(scalar @altered, 1, 'one connection');
isnt($altered[0], $first[0], 'is new');
is(($standin->requests)[0], 'GET /api/v1/tasks?index=0&limit=50',
	'the new options count');
wait_open(2, 'what was open for the server, for both its users, was closed');
is_deeply([ connections_of($session, $count, '250', 'the next statement') ],
	\@altered, 'keeps the new one');

$node->safe_psql('postgres', 'ALTER SERVER nclue OPTIONS (DROP page_size)');
$standin->requests;
isnt((connections_of($session, $count, '250', 'another session altered it'))[0],
	$altered[0], 'that makes a new connection, too');
is(($standin->requests)[0], 'GET /api/v1/tasks?index=0&limit=100',
	'and its options count');

my @before = connections_of($session, $count, '250', 'before the mapping changes');
$session->query_safe("ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET secret_key 'SK_WRONG')");
my @wrong = connections_of($session, "SELECT outcome('$count')", '28000',
	'a new secret is used: a wrong one is refused');
isnt($wrong[0], $before[0], 'over a new connection');
$session->query_safe("ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET access_key 'AK_OTHER', SET secret_key 'SK_OTHER')");
my @right = connections_of($session, $count, '250', 'a right one is not');
is(scalar(uniq(@before, @wrong, @right)), 3, 'over another new one');

$session->query_safe("BEGIN; ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET secret_key 'SK_WRONG')");
is($session->query_safe("SELECT outcome('$count')"), '28000',
	'a change counts within its transaction');
$session->query_safe('ROLLBACK');
is($session->query_safe($count), '250', 'and no longer when it is rolled back');

$session->query_safe(q{
DROP USER MAPPING FOR CURRENT_USER SERVER nclue;
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (access_key 'AK_TEST', secret_key 'SK_WRONG')});
is($session->query_safe("SELECT outcome('$count')"), '28000',
	'a mapping that was dropped and created again has its new key');
$session->query_safe('DROP USER MAPPING FOR CURRENT_USER SERVER nclue');
$standin->requests;
isnt($session->query_safe("SELECT outcome('$count')"), '250',
	'without a mapping nothing is read');
is_deeply([ $standin->requests ], [], 'nor asked');
$session->query_safe("CREATE USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST')");
is($session->query_safe($count), '250', 'with one it is, again');

$session->query_safe(qq{
DROP SERVER twin CASCADE;
CREATE SERVER twin FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint '@{[$elsewhere->endpoint]}', rate_limit '0', max_retries '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER twin
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE twins (task_id text) SERVER twin});
is($session->query_safe('SELECT count(task_id) FROM twins'), '7',
	'a server that was dropped and created again is read where it is now');
is(scalar(my @there = $elsewhere->requests), 1, 'with one request');

# A reader that is under way

$session->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT task_id FROM tasks; MOVE 5 FROM c');
my $old = latest_connection();
$node->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET secret_key 'SK_WRONG')");
is($session->query_safe("SELECT outcome('$count')"), '28000',
	'another session changed the key: a new reader uses the new one');
is_deeply([ connections_of($session, 'MOVE ALL FROM c; SELECT 1', '1',
			'a cursor that was open reads on') ],
	[$old], 'over the old connection, with the old key');
is($session->query_safe("SELECT outcome('$count')"), '28000',
	'which nobody else gets');
$session->query_safe('COMMIT');
$node->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER nclue OPTIONS (SET secret_key 'SK_TEST')");

$session->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT task_id FROM tasks; MOVE 5 FROM c');
$old = latest_connection();
$session->query_safe(qq{ALTER SERVER nclue OPTIONS (SET endpoint '@{[$elsewhere->endpoint]}')});
is($session->query_safe($count), '7',
	'its own session moved the server: a new reader goes there');
is_deeply([ connections_of($session, 'MOVE ALL FROM c; SELECT 1', '1',
			'a cursor that was open reads on') ],
	[$old], 'where it began');
$session->query_safe('COMMIT');
wait_open(0, 'the old connection ends with its last reader');
$session->query_safe(qq{ALTER SERVER nclue OPTIONS (SET endpoint '@{[$standin->endpoint]}')});

# What the service ends.  A libcurl that does not see it, and so loses the next
# request, is not let to repeat it by itself.

$session->query_safe(q{ALTER SERVER nclue OPTIONS (SET max_retries '3')});
my @ended = connections_of($session, $count, '250', 'a connection is open');
$standin->ctl('fault', 'close_after', 'match=index=198');
is_deeply([ connections_of($session, $count, '250', 'the service closes it behind a list') ],
	\@ended, 'that came over it');
wait_open(0, 'it is closed');
$standin->requests;
my @anew = connections_of($session, $count, '250', 'the next statement is not disturbed');
isnt($anew[0], $ended[0], 'it has a new connection');
is_deeply([ $standin->requests ],
	[ map { "GET /api/v1/tasks?index=$_&limit=100" } 0, 99, 198 ],
	'and asks nothing twice');

$standin->ctl('set', 'keep_alive=off');
is(scalar(connections_of($session, $count, '250', 'the service ends each connection')),
	3, 'each page has one');
$standin->ctl('set', 'keep_alive=on');

# Sessions side by side

my @sessions = map { $node->background_psql('postgres') } 1 .. 3;
my %used;
foreach my $round (1 .. 2)
{
	foreach my $i (0 .. $#sessions)
	{
		my ($connection) = connections_of($sessions[$i], $count, '250',
			"session $i reads, round $round");
		$used{$connection}{$i} = 1;
	}
}
is(scalar(keys %used), 3, 'three sessions have three connections');
is(scalar(grep { keys %$_ == 1 } values %used), 3, 'that they do not share');
$_->quit foreach @sessions;
$session->quit;
wait_open(0, 'all connections end with their sessions');

done_testing();
