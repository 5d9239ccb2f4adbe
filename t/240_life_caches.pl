# What PostgreSQL keeps of its catalogs comes and goes: that changes nothing of
# what a statement, a transaction or a session has read, unless what it read by
# was altered.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Life qw(create outcome session);
use Standin;
use Test::More;

my $standin = Standin->start(objects => 250, key => [ 'AK_TEST:SK_TEST', 'AK_NEW:SK_NEW' ]);
my $other = Standin->start(objects => 7);
my $node = Life::node('main');

$node->safe_psql('postgres', create('tasks', $standin));

# More is changed than a session that waits can be told one by one.
my $flood = q{DO $$BEGIN FOR i IN 1..3000 LOOP
  EXECUTE 'CREATE FUNCTION pg_temp.f' || i || '() RETURNS int LANGUAGE SQL AS ''SELECT 1''';
END LOOP; END$$;};
my $read = q{SELECT count(*) FROM tasks WHERE status <> 'x'};

# What a session makes of statements before and after something, and the
# requests of the second.
sub around
{
	my ($before, $between, $after) = @_;
	my $session = session($node);
	my @outcomes = (outcome($session, $before));

	$between->();
	$standin->requests;
	push @outcomes, outcome($session, $after), scalar(my @sent = $standin->requests);
	return \@outcomes;
}

sub alter
{
	my $sql = shift;
	return sub { $node->safe_psql('postgres', $sql) };
}

my $begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ';

is_deeply(around("$begin; $read", alter($flood), $read),
	[ 250, 250, 0 ], 'a transaction keeps its list though everything may have changed');
is_deeply(around("SET nclue_fdw.cache_ttl = '60s'; $read", alter($flood), $read),
	[ 250, 250, 0 ], 'so does a session');
is_deeply(
	around("$begin; $read",
		alter("ALTER SERVER tasks OPTIONS (ADD timeout '29'); ALTER SERVER tasks OPTIONS (DROP timeout)"),
		$read),
	[ 250, 250, 0 ], 'a transaction keeps its list though an option has changed');
is_deeply(
	around("SET nclue_fdw.cache_ttl = '60s'; $read",
		alter("ALTER SERVER tasks OPTIONS (ADD timeout '29'); ALTER SERVER tasks OPTIONS (DROP timeout)"),
		$read),
	[ 250, 250, 3 ], 'a session does not');
is_deeply(
	around("$begin; $read",
		alter(q{ALTER USER MAPPING FOR PUBLIC SERVER tasks
		  OPTIONS (SET access_key 'AK_NEW', SET secret_key 'SK_NEW')}),
		$read),
	[ 250, 250, 3 ], 'a transaction does not see what was read with other keys');
is_deeply(
	around("SET nclue_fdw.cache_ttl = '60s'; $read",
		sub {
			alter($flood)->();
			alter("ALTER SERVER tasks OPTIONS (ADD timeout '29')")->();
			alter($flood)->();
			alter("ALTER SERVER tasks OPTIONS (DROP timeout)")->();
		},
		$read),
	[ 250, 250, 3 ], 'an option that was changed among much else is noticed');

# A mapping that was planned with and is gone, or another one, when it is used
my $mapping = q{CREATE USER MAPPING FOR PUBLIC SERVER tasks
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST')};
foreach my $again ('', "; $mapping")
{
	like(
		around("$begin; DECLARE c CURSOR FOR SELECT * FROM tasks",
			alter("DROP USER MAPPING FOR PUBLIC SERVER tasks$again"),
			'MOVE 300 IN c; SELECT 1')->[1],
		qr/^(1|ERROR 42704)$/,
		'a mapping that was dropped' . ($again && ' and made again')
		  . ' after planning is used or is not found');
	$node->safe_psql('postgres', $mapping) unless $again;
}

# Two users with one mapping, in one statement
$node->safe_psql('postgres', q{
CREATE TABLE number ();
CREATE ROLE one;
CREATE ROLE two;
GRANT USAGE ON FOREIGN SERVER tasks TO one, two;
GRANT SELECT ON tasks TO one, two;
CREATE VIEW of_one AS SELECT * FROM tasks;
CREATE VIEW of_two AS SELECT * FROM tasks;
ALTER VIEW of_one OWNER TO one;
ALTER VIEW of_two OWNER TO two;});
is_deeply(
	around('BEGIN; DECLARE c CURSOR FOR SELECT 1 FROM of_one UNION ALL SELECT 1 FROM of_two;'
		  . ' MOVE 10 IN c',
		alter("ALTER SERVER tasks OPTIONS (SET endpoint '" . $other->endpoint . "')"),
		# only a new lock has a session look at what others have changed
		'SELECT FROM number LIMIT 0; MOVE 1000 IN c; SELECT count(*) FROM pg_cursors')->[1],
	1, 'a cursor over views of two owners goes on');
is(scalar(my @moved = $other->requests), 0, 'and asks no other service');

done_testing();
