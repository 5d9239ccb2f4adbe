# What is altered while a cursor is open counts for the next statement.  The
# cursor goes on with what it began with, and where that cannot be, the change
# is refused: no cursor shows rows of two readings.
#
# Every option is changed, by the session that has the cursor and by another
# one, while cursors of every kind are half read.  The options are those that
# the validator names.
#
# Environment:
#	LIFE=all	every option with every cursor, instead of a part
#	SEED		which part

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Life qw(create difference outcome session);
use List::Util qw(shuffle);
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

my $seed = $ENV{SEED} // (time ^ $$) % 1_000_000;
note "SEED=$seed";
srand $seed;

# Three pages a walk; elsewhere are other objects.  Answers and connections
# take longer than the shortest time-outs.
my $standin = Standin->start(objects => 120, tls => 1);
my $elsewhere = Standin->start(objects => 70, tls => 1);
$elsewhere->ctl('set', 'times=Z');
$standin->ctl('set', 'latency=2', 'connect_latency=2');

# Both certificates in one file, so that the endpoint alone decides.
my $certificates = PostgreSQL::Test::Utils::tempdir() . '/both.pem';
append_to_file($certificates, slurp_file($_->ca_file))
  foreach $standin, $elsewhere;

# What each option is, what it is changed to, and how the next statement then
# ends ('': with rows, perhaps others).  A time-out that is too short may be met
# all the same by a machine that is slow to look at the clock.
my %options = (
	server => {
		endpoint => [ $standin->endpoint, $elsewhere->endpoint, '' ],
		rate_limit => [ 0, 1000, '' ],
		max_in_flight => [ 1, 8, '' ],
		max_retries => [ 0, 1, '' ],
		timeout => [ 20, 0.001, 'ERROR 08006' ],
		connect_timeout => [ 10, 0.001, 'ERROR 08006' ],
		max_response_size => [ '16MB', '1kB', 'ERROR 54000' ],
		time_zone => [ 'Asia/Seoul', 'America/New_York', '' ],
		index_unit => [ 'row', 'page', '' ],
		list_order => [ 'auto', 'stable', '' ],
		page_size => [ 50, 20, '' ],
		ca_file => [ $certificates, '/nonexistent', 'ERROR 08001' ],
		proxy => [ '', 'http://127.0.0.1:1', 'ERROR 08001' ],
	},
	'user mapping' => {
		access_key => [ 'AK_TEST', 'AK_WRONG', 'ERROR 28000' ],
		secret_key => [ 'SK_TEST', 'SK_WRONG', 'ERROR 28000' ],
	},
	'foreign table' => {
		list_order => [ 'auto', 'stable', '' ],
		page_size => [ 50, 30, '' ],
		resource => [ 'tasks', 'task-runs', '' ],
	},
	column => { json_key => [ 'task_name', 'status', '' ] });

my %alter = (
	server => 'ALTER SERVER tasks OPTIONS (%s)',
	'user mapping' => 'ALTER USER MAPPING FOR PUBLIC SERVER tasks OPTIONS (%s)',
	'foreign table' => 'ALTER FOREIGN TABLE tasks OPTIONS (%s)',
	column => 'ALTER FOREIGN TABLE tasks ALTER COLUMN label OPTIONS (%s)');

my $server = $options{server};
my $tables = create('tasks', $standin,
	map { $server->{$_}[0] ne '' ? ($_ => $server->{$_}[0]) : () }
	  keys %$server)
  . q{
ALTER FOREIGN TABLE tasks ADD COLUMN created_at timestamptz, ADD COLUMN label text;
ALTER FOREIGN TABLE tasks OPTIONS (resource 'tasks', page_size '50', list_order 'auto');
ALTER FOREIGN TABLE tasks ALTER COLUMN label OPTIONS (json_key 'task_name');
CREATE FOREIGN TABLE twins (task_id text, created_at timestamptz) SERVER tasks;};
my $node = Life::node('main');
$node->safe_psql('postgres', $tables . q{
CREATE TABLE number (n int, task_id text);
INSERT INTO number SELECT row_number() OVER () * 20, task_id
FROM (SELECT task_id FROM tasks OFFSET 40 LIMIT 3) AS few;
ANALYZE number;
CREATE ROLE owner SUPERUSER;
CREATE SCHEMA elsewhere;});

my ($reader, $other) = map { session($node) } 1 .. 2;
$_->query_safe('SET client_min_messages = error') foreach $reader, $other;
$reader->query_safe("SET enable_$_ = off") foreach qw(hashjoin mergejoin material);
$other->query_safe("SET lock_timeout = '20ms'");
my $pid = $reader->pid;

# ---- cursors ----

# What each reads, and how many rows of it before the change.
my %cursors = (
	'a walk' => [ 'SELECT * FROM tasks', 10 ],
	'a sorted one' => [ 'SELECT * FROM tasks ORDER BY label, task_id', 10 ],
	'one after another' => [ 'SELECT * FROM tasks UNION ALL SELECT * FROM tasks', 10 ],
	'one table after another' => [ 'SELECT task_id, created_at FROM tasks '
		  . 'UNION ALL SELECT task_id, created_at FROM twins', 10 ],
	'ranges' => [ 'SELECT * FROM number, '
		  . 'LATERAL (SELECT * FROM tasks OFFSET number.n LIMIT 1) AS found', 1 ],
	'look-ups' => [ 'SELECT * FROM number JOIN tasks USING (task_id)', 1 ],
	'sub-selects' => [ 'SELECT n, (SELECT created_at || label FROM tasks '
		  . 'WHERE tasks.task_id = number.task_id) FROM number', 1 ],
	'counts' => [ 'SELECT n, (SELECT count(*) FROM tasks WHERE n > 0 '
		  . "AND status <> 'x') FROM number", 1 ],
	'a walk and look-ups' => [ 'SELECT * FROM twins LEFT JOIN LATERAL '
		  . '(SELECT label FROM tasks WHERE tasks.task_id = twins.task_id '
		  . 'OFFSET 0) AS found ON true', 10 ]);

my %rows = map { $_ => outcome($reader, $cursors{$_}[0]) } keys %cursors;
unlike($rows{$_}, qr/\AERROR|\A\z/, "$_: is read") foreach sort keys %rows;

# Ways to read it: how the cursor is declared, the isolation, what else is done
# before the change and before the rest is read.
my %ways = (
	'' => [ 'c CURSOR', 'READ COMMITTED', [], [] ],
	', repeatably' => [ 'c CURSOR', 'REPEATABLE READ', [], [] ],
	', back and again' =>
	  [ 'c SCROLL CURSOR', 'READ COMMITTED', [], ['MOVE ABSOLUTE 0 FROM c'] ],
	', held later' =>
	  [ 'c CURSOR WITH HOLD', 'READ COMMITTED', [], ['COMMIT'] ],
	', held before' =>
	  [ 'c CURSOR WITH HOLD', 'READ COMMITTED', [ 'COMMIT', 'BEGIN' ], [] ]);

my $probe = 'SELECT * FROM tasks';

# One change while one cursor is half read; what is wrong about it.
sub wrong
{
	my ($change, $session, $cursor, $way) = @_;
	my ($declare, $isolation, $before, $after) = @{ $ways{$way} };
	my ($select, $count) = @{ $cursors{$cursor} };
	my $refused =
	    !$change->{locks} || @$before ? ''
	  : $session == $reader ? 'ERROR 55006'
	  : 'ERROR 55P03';
	my (@read, @wrong);

	$reader->query_safe("BEGIN ISOLATION LEVEL $isolation");
	$reader->query_safe("DECLARE $declare FOR $select");
	push @read, outcome($reader, "FETCH $count FROM c");
	$reader->query_safe($_) foreach @$before;
	$reader->query_safe('SAVEPOINT before_change') if $session == $reader;
	my $answer = outcome($session, $change->{sql});
	push @wrong, 'the change: ' . ($answer || 'done') if $answer ne $refused;
	$reader->query_safe('ROLLBACK TO before_change')
	  if $session == $reader && $answer;
	@read = () if $way =~ /back/;
	push @read, outcome($reader, $_) foreach @$after, 'FETCH ALL FROM c';
	push @wrong, difference(join("\n", grep { $_ ne '' } @read), $rows{$cursor});
	unless ($refused)
	{
		my $next = outcome($reader, $probe);
		my $kept = $change->{keeps} && $way =~ /repeatably/;
		push @wrong, "then: $next"
		  unless $kept ? $next eq $rows{'a walk'} : $change->{next}{$next};
	}
	return @wrong;
}

my $all = ($ENV{LIFE} // '') eq 'all';
my $cells = 0;

# A change (sql), what takes it back (revert), whether it locks the cursor's
# table (locks), how the next statement may end (next, a set), and whether it is
# nothing to a transaction that keeps its lists (keeps), under cursors.
sub try
{
	my $change = shift;
	my @cells;

	foreach my $cursor (sort keys %cursors)
	{
		push @cells, map { [ $reader, $cursor, $_ ], [ $other, $cursor, $_ ] }
		  sort keys %ways;
	}
	@cells = (shuffle @cells)[ 0 .. 7 ] unless $all;
	foreach my $cell (@cells)
	{
		my ($session, $cursor, $way) = @$cell;
		my @wrong = wrong($change, @$cell);

		$reader->query($reader->{error} ? 'ROLLBACK' : 'COMMIT');
		$reader->query_safe('CLOSE ALL');
		# what an error has undone already is not there
		$reader->query($change->{revert});
		push @wrong, map { "afterwards: $_" }
		  difference(outcome($reader, $probe), $rows{'a walk'});
		is(join('; ', @wrong), '', ($session == $reader ? 'this' : 'another')
			  . " session: $change->{sql}: $cursor$way");
		$cells++;
	}
	return;
}

foreach my $where (sort keys %options)
{
	my (undef, undef, $error) =
	  $node->psql('postgres', sprintf $alter{$where}, "ADD nonsense '1'");
	my ($valid) = $error =~ /Valid options for an? [a-z ]+ are: (.*)\.$/m;
	is( join(' ', sort split /, /, $valid // $error),
		join(' ', sort keys %{ $options{$where} }),
		"$where: all options are tried");

	foreach my $name (sort keys %{ $options{$where} })
	{
		my ($old, $new, $ends) = @{ $options{$where}{$name} };
		my $change = sprintf $alter{$where},
		  ($old eq '' ? 'ADD' : 'SET') . " $name '$new'";
		my $revert = sprintf $alter{$where},
		  $old eq '' ? "DROP $name" : "SET $name '$old'";

		$other->query_safe($change);
		my $next = outcome($other, $probe);
		my ($error) = $next =~ /\A(ERROR.*)/;
		is($error // '', $ends, "$change: " . ($ends || 'rows'))
		  unless $name =~ /timeout/;
		$other->query_safe($revert);
		try({
			sql => $change,
			revert => $revert,
			locks => $where =~ /table|column/ ? 1 : 0,
			keeps => $where eq 'server' && $name ne 'endpoint',
			next => {
				$next => 1,
				$name =~ /timeout/ ? ($rows{'a walk'} => 1, $ends => 1) : () }
		});
	}
}

# ---- what is dropped, and what else is altered ----

my $same = $rows{'a walk'};
my @others = (
	[ 'DROP USER MAPPING FOR PUBLIC SERVER tasks',
		"CREATE USER MAPPING FOR PUBLIC SERVER tasks OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST')",
		0, 'ERROR 42704' ],
	[ 'ALTER USER MAPPING FOR PUBLIC SERVER tasks OPTIONS (DROP secret_key)',
		"ALTER USER MAPPING FOR PUBLIC SERVER tasks OPTIONS (ADD secret_key 'SK_TEST')",
		0, 'ERROR 28000' ],
	[ 'DROP FOREIGN TABLE tasks, twins; DROP SERVER tasks CASCADE',
		$tables, 1, 'ERROR 42P01' ],
	[ 'DROP SERVER tasks CASCADE', $tables, 1, 'ERROR 42P01' ],
	[ 'DROP EXTENSION nclue_fdw CASCADE',
		"CREATE EXTENSION nclue_fdw; $tables", 1, 'ERROR 42P01' ],
	[ 'ALTER SERVER tasks RENAME TO jobs', 'ALTER SERVER jobs RENAME TO tasks', 0, $same ],
	[ 'ALTER SERVER tasks OWNER TO owner', 'ALTER SERVER tasks OWNER TO CURRENT_USER', 0, $same ],
	[ 'ALTER FOREIGN TABLE tasks DROP COLUMN label',
		"ALTER FOREIGN TABLE tasks ADD COLUMN label text OPTIONS (json_key 'task_name')", 1,
		$same =~ s/\|[^|]*$//gmr ],
	[ 'ALTER EXTENSION nclue_fdw SET SCHEMA elsewhere',
		'ALTER EXTENSION nclue_fdw SET SCHEMA public', 0, $same ]);

foreach my $other (@others)
{
	my ($sql, $revert, $locks, $next) = @$other;
	try({ sql => $sql, revert => $revert, locks => $locks, next => { $next => 1 } });
}

# ---- while it waits ----

# A page of a walk and of ANALYZE that comes late enough for others to change
# where it comes from.
foreach my $statement ('SELECT * FROM tasks', 'ANALYZE tasks')
{
	$standin->ctl('fault', 'slow=1000', 'match=limit=50', 'request=+2');
	$standin->requests;
	$elsewhere->requests;
	$reader->start($statement);
	ok($standin->wait_requests(2), "$statement: a page is being waited for");
	$other->query_safe(sprintf $alter{server}, "SET endpoint '@{[ $elsewhere->endpoint ]}'");
	my @rows = $reader->finish;
	is($reader->error, '', "$statement: goes on");
	is(join(' ', $elsewhere->requests), '', "$statement: where it began");
	is(outcome($reader, 'SELECT count(*) FROM tasks'), '70', "$statement: the next one elsewhere");
	$other->query_safe(sprintf $alter{server}, "SET endpoint '@{[ $standin->endpoint ]}'");
}
is(outcome($reader, "SELECT reltuples FROM pg_class WHERE relname = 'tasks'"), '120',
	'ANALYZE has seen one list');

is(outcome($reader, 'SELECT pg_backend_pid()'), $pid, 'all in one session');
note "$cells cursors";
done_testing();
