# Random SELECTs on the foreign tables give what they give on local copies of
# the lists, and make no more requests than they may.
#
# Environment:
#	QUERIES		how many (default 2500, half a minute; a long run: 100000)
#	SEED		where to start (default 31000); a failure prints what repeats
#				its round
#
# Each round has a seed of its own, which decides all: the lengths of the lists,
# how the service answers, the server's options, and the queries.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Socket::INET;
use List::Util qw(min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RandomQuery;
use Requests;
use Session;
use Standin;
use Test::More;
use Time::HiRes qw(time);

my $queries = $ENV{QUERIES} // 2500;
my $seed = $ENV{SEED} // 31000;
my $per_round = 100;

# Failures after which nothing new is learned.
my $enough = 10;

my @sizes = (0, 1, 99, 100, 101, 250);
my %resources = (
	nclue_tasks => 'tasks',
	nclue_features => 'features',
	nclue_task_runs => 'task-runs',
	nclue_shopping_intents => 'shopping-intents',
	nclue_custom_attributes => 'custom-attributes');
my @planner = qw(enable_hashjoin enable_mergejoin enable_nestloop
  enable_memoize enable_material enable_sort enable_hashagg
  enable_incremental_sort enable_seqscan);

my $standin = Standin->start;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $session = Session->new($node->connstr('postgres'));
my (%relations, %tally);
my ($made, $failures) = (0, 0);

# ---- the database ----

sub create_all
{
	my $endpoint = $standin->endpoint;

	$session->query_safe($_) foreach (
		'SET client_min_messages = warning',
		# plans that are not wanted cost enough to wake it
		'SET jit = off',
		"SET DateStyle = 'ISO'", "SET TimeZone = 'UTC'",
		'CREATE EXTENSION nclue_fdw',
		'CREATE SCHEMA f', 'CREATE SCHEMA l',
		"CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (
		 endpoint '$endpoint', rate_limit '0', max_in_flight '1', page_size '100',
		 index_unit 'row', list_order 'auto')",
		"CREATE USER MAPPING FOR PUBLIC SERVER nclue
		 OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST')",
		'IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO f',

		# other types, another order of columns, and one that is never null
		'CREATE FOREIGN TABLE f.narrow (auroc numeric, status varchar(20),
		 task_id varchar, line_count numeric) SERVER nclue',
		'CREATE FOREIGN TABLE f.spelled (feature_id uuid, user_count bigint,
		 status text NOT NULL) SERVER nclue OPTIONS (resource \'features\')',
		'CREATE VIEW f.seen AS SELECT * FROM f.nclue_tasks',
		"CREATE VIEW f.failed AS SELECT task_id, status, fail_message,
		 created_at FROM f.nclue_tasks WHERE status = 'failed'",

		'CREATE TABLE raw (position int, object json)',
		(map { "CREATE TABLE l.$_ (LIKE f.$_)" }
			  sort(keys %resources), 'narrow', 'spelled'),
		'CREATE VIEW l.seen AS SELECT * FROM l.nclue_tasks',
		"CREATE VIEW l.failed AS SELECT task_id, status, fail_message,
		 created_at FROM l.nclue_tasks WHERE status = 'failed'",
		'CREATE TABLE place (id text PRIMARY KEY, n int)',
		'CREATE TABLE note (id text, n int, skip int)',
		q{CREATE FUNCTION same_volatile(text) RETURNS text LANGUAGE plpgsql VOLATILE
		 AS 'BEGIN RETURN $1; END'},
		q{CREATE FUNCTION same_stable(text) RETURNS text LANGUAGE plpgsql STABLE
		 AS 'BEGIN RETURN $1; END'},
		q{CREATE FUNCTION rows_of(query text) RETURNS SETOF text LANGUAGE plpgsql
		 AS 'DECLARE r record; BEGIN FOR r IN EXECUTE query LOOP RETURN NEXT r::text;
		 END LOOP; END'});
	return;
}

# What the generator is to know of a relation, from the catalog.
sub describe
{
	my ($name, $list, %more) = @_;
	my %columns = map { split /\x1f/ } $session->query_safe(
		"SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
		 WHERE attrelid = 'f.$name'::regclass AND attnum > 0");

	s/^character varying$/text/ foreach values %columns;
	my ($id) = grep { exists $columns{$_} }
	  $list eq 'features' ? 'feature_id' : qw(profile_id run_id task_id);
	$relations{$name} = {
		list => $list,
		id => $id,
		columns => \%columns,
		lookup => $columns{$id} eq 'text',
		%more
	};
	return;
}

# ---- a round's lists ----

sub copy_escaped
{
	my $text = shift;
	$text =~ s/\\/\\\\/g;
	$text =~ s/\t/\\t/g;
	return $text;
}

# Copies a list as the stand-in says that it is, in its order.
sub copy_list
{
	my ($table, $list) = @_;
	my @objects = $standin->ctl('dump', $list);
	my $position = 0;
	my $columns = $relations{$table}{columns};

	$session->query_safe('TRUNCATE raw');
	$session->query_safe(join "\n", 'COPY raw FROM STDIN;',
		(map { $position++ . "\t" . copy_escaped($_) } @objects), '\.')
	  if @objects;
	fill($table);
	$session->query_safe("INSERT INTO place
		 SELECT object->>'$relations{$table}{id}', position FROM raw");
	my %values = map {
		$_ => [ $session->query_safe("SELECT DISTINCT left($_\::text, 60) FROM l.$table
		 WHERE $_ IS NOT NULL ORDER BY 1 LIMIT 40") ]
	} sort keys %$columns;
	return {
		objects => scalar(@objects),
		ids => [ $session->query_safe(
			"SELECT $relations{$table}{id} FROM l.$table ORDER BY 1") ],
		values => \%values
	};
}

sub fill
{
	my $table = shift;
	my $columns = $relations{$table}{columns};
	my @columns = sort keys %$columns;
	my @sources = map {
		my $source = $_ eq 'auroc' ? "object->>'AUROC'" : "object->>'$_'";
		# A number is a double; times carry no offset.
		$columns->{$_} =~ /^timestamp/ ?
		  "($source)::timestamp AT TIME ZONE 'Asia/Seoul'" :
		  $_ eq 'auroc' ? "($source)::double precision::text::$columns->{$_}" :
		  "($source)::$columns->{$_}"
	} @columns;

	$session->query_safe("TRUNCATE l.$table");
	$session->query_safe("INSERT INTO l.$table (" . join(', ', @columns)
		  . ') SELECT ' . join(', ', @sources) . ' FROM raw ORDER BY position');
	return;
}

# Some ids of each list, some that are no object's, and numbers.
sub fill_note
{
	my $lists = shift;
	my @ids = ('', 'no-such-id', undef, '..');
	my @note;

	foreach my $list (sort keys %$lists)
	{
		my @all = @{ $lists->{$list}{ids} };
		push @ids, map { $all[ rand @all ] } 1 .. 8 if @all;
	}
	foreach (1 .. (0, 1, 3, 12, 40)[ rand 5 ])
	{
		push @note, [ $ids[ rand @ids ], int rand 5, int rand 120 ];
	}
	$session->query_safe('TRUNCATE note');
	$session->query_safe('INSERT INTO note VALUES ' . join ', ', map {
		'(' . RandomQuery::quoted($_->[0], 'text') . ", $_->[1], $_->[2])"
	} @note) if @note;
	$session->query_safe('ANALYZE note') if rand() < 0.5;
	return \@note;
}

sub begin_round
{
	my $number = shift;
	my $small = rand() < 0.3;
	my %options = (
		page_size => $small ? (10, 37, 50, 99)[ rand 4 ] : 100,
		index_unit => rand() < 0.3 ? 'page' : 'row',
		list_order => rand() < 0.3 ? 'stable' : 'auto');
	my $total = ('grand', 'grand', 'grand', 'page', 'missing', 'null')[ rand 6 ];
	my $order = ('newest', 'oldest', 'name')[ rand 3 ];
	my %lists;
	my $what = join ', ', (map { "$_ $options{$_}" } sort keys %options),
	  "total $total", "order $order";

	$standin->ctl('set', "index_unit=$options{index_unit}", "total=$total",
		"order=$order", 'nulls=' . ('null', 'absent')[ rand 2 ]);
	$session->query_safe('ALTER SERVER nclue OPTIONS ('
		  . join(', ', map { "SET $_ '$options{$_}'" } sort keys %options) . ')');
	$session->query_safe('TRUNCATE place');
	foreach my $table (sort keys %resources)
	{
		my $list = $resources{$table};
		my $size = $list eq 'tasks' ? $sizes[ $number % @sizes ] :
		  $sizes[ rand @sizes ];
		$standin->ctl('objects', $size, $list);
		$lists{$list} = copy_list($table, $list);
		fill('narrow') if $list eq 'tasks';
		fill('spelled') if $list eq 'features';
		$what .= ", $size $list";
		$session->query_safe("ANALYZE l.$table") if rand() < 0.5;

		# from here on the list's length is known
		my @foreign = $session->query_safe(
			"SELECT a FROM f.$table a WHERE a.status || '' <> ''");
		my @local = $session->query_safe("SELECT a FROM l.$table a ORDER BY "
			  . "(SELECT n FROM place WHERE id = a.$relations{$table}{id})");
		my $difference = difference({ compare => 'order' }, [], \@foreign, \@local);
		$failures++, diag("$table is not its copy: $difference") if $difference;
	}
	my $requests = Requests->new(
		size => $options{page_size},
		by_page => $options{index_unit} eq 'page',
		heads => $options{list_order} eq 'auto' && $total ne 'grand');
	return (
		$what,
		RandomQuery->new(
			relations => \%relations,
			lists => \%lists,
			requests => $requests,
			grand => $total eq 'grand',
			note => fill_note(\%lists)));
}

# Other plans for the same.
sub set_planner
{
	my @settings = map { "$_ = " . (rand() < 0.2 ? 'off' : 'on') } @planner;

	push @settings, 'work_mem = ' . ("'64kB'", "'4MB'")[ rand 2 ],
	  'join_collapse_limit = ' . (1, 8)[ rand 2 ],
	  'cursor_tuple_fraction = ' . (0.1, 1)[ rand 2 ],
	  'parallel_setup_cost = ' . (rand() < 0.2 ? 0 : 1000),
	  'min_parallel_table_scan_size = ' . ("'0'", "'8MB'")[ rand 2 ];
	$session->query_safe("SET $_") foreach @settings;
	return;
}

# ---- requests ----

# Requests since the last call.  The control port itself, for speed.
sub requests
{
	my $socket = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $standin->control) or die "control port: $!";

	print $socket "GET /requests HTTP/1.1\r\n\r\n";
	my $answer = do { local $/; <$socket> };
	$answer =~ s/\A.*?\r\n\r\n//s;
	return grep { $_ ne '(no requests)' } split /\n/, $answer;
}

# ---- one query ----

sub fail_with
{
	my ($query, $how, $foreign, $local, $what) = @_;

	$failures++;
	s/\x1f/|/g, s/\x1e/\n/g foreach $what;
	diag("$what\n  family: $query->{family}; $how\n  foreign: $foreign\n  local: $local");
	(my $explained = $foreign) =~ s/\A/EXPLAIN (VERBOSE) /;
	diag(join "\n", map { "  $_" } $session->query($explained))
	  unless $how =~ /cursor/;
	requests();
	return 0;
}

# Some rows, as far as one wants to see them.
sub shown
{
	my @rows = @_;

	splice @rows, 5;
	foreach my $row (@rows)
	{
		# not within a character
		$row =~ s/\A(.{400}[\x80-\xbf]*).*/$1 .../s;
		$row =~ s/\n/\\n/g;
	}
	return join "\n", map { "    $_" } @rows;
}

# Rows that are not the same, as text; '' if all are.
sub difference
{
	my ($query, $values, $got, $expected) = @_;
	my (%count, @more, @fewer);

	if ($query->{compare} eq 'order')
	{
		return '' if join("\x1e", @$got) eq join("\x1e", @$expected);
		my $at = 0;
		$at++ while $at < @$got && $at < @$expected && $got->[$at] eq $expected->[$at];
		return 'rows differ from number ' . ($at + 1) . " on; got:\n"
		  . shown($got->[$at] // 'none') . "\nexpected:\n"
		  . shown($expected->[$at] // 'none');
	}
	if ($query->{compare} eq 'subset')
	{
		my $count = @$expected - min(($query->{first}->($values) // 0), scalar @$expected);
		$count = min($count, $query->{want}->($values) // $count);
		return @$got . " rows instead of $count" if @$got != $count;
	}
	$count{$_}++ foreach @$got;
	$count{$_}-- foreach @$expected;
	@more = grep { $count{$_} > 0 } sort keys %count;
	@fewer = $query->{compare} eq 'subset' ? () :
	  grep { $count{$_} < 0 } sort keys %count;
	return '' unless @more || @fewer;
	return 'rows differ (' . @$got . ' instead of ' . @$expected . "); too many:\n"
	  . shown(@more) . "\nmissing:\n" . shown(@fewer);
}

# What is wrong with the requests; '' if nothing is.
sub excess
{
	my ($generator, $query, $values, $held, @requests) = @_;
	my $touched = grep { $held->{$_} } keys %{ $query->{uses} };
	my $most;

	if ($query->{lines} && !$touched)
	{
		my $order = sub {
			return join "\n", $query->{unordered} ? sort @_ : @_;
		};
		my $got = $order->(@requests);
		my @either = $query->{lines}->($values, sub { $session->query_safe(@_) });
		$query->{was_read} = @requests > 0;
		return '' if grep { $order->(@$_) eq $got } @either;

		# status = 'failed' AND status = 'pending' needs no rows
		return '' if !@requests && grep { /One-Time Filter: false/ }
		  $session->query_safe('EXPLAIN ' . $generator->sql($query, 'f', $values));

		# 17 and later do not test what is declared NOT NULL, so that there may
		# be no condition in the way of a range
		return '' if $generator->sql($query, 'f', $values) =~ /IS NOT NULL/ &&
		  grep { @requests <= @$_ } @either;
		return "requests:\n$got\ninstead of:\n"
		  . join("\nor:\n", map { $order->(@$_) } @either);
	}
	$most = $generator->most($query, $values, $held);
	return '' if @requests <= $most;
	return @requests . " requests instead of at most $most:\n" . join("\n", @requests);
}

# Runs it on both sides and compares.  $how is for who reads a failure.
sub compare
{
	my ($generator, $query, $values, $how, $foreign, $held, $wrap) = @_;
	my $plain = $generator->sql($query, 'l', $values, $query->{full});
	my $local = $wrap ? $wrap->($plain) : $plain;
	my @got = $session->query($foreign);
	my $error = $session->error;
	my @requests = requests();
	my @expected = $session->query($local);

	$made++;
	$tally{ $query->{family} }++;
	return fail_with($query, $how, $foreign, $local,
		"foreign: $error\nlocal: " . $session->error)
	  if $error ne $session->error || $error;

	my $difference = difference($query, $values, \@got, \@expected);
	return fail_with($query, $how, $foreign, $local, $difference) if $difference;
	my $excess = excess($generator, $query, $values, $held // {}, @requests);
	return fail_with($query, $how, $foreign, $local, $excess) if $excess;
	return 1;
}

sub no_requests
{
	my ($query, $what, $sql) = @_;

	$session->query_safe($sql);
	my @requests = requests();
	return @requests == 0 ||
	  fail_with($query, $what, $sql, '', "$what made requests:\n" . join("\n", @requests));
}

# ---- ways to run it ----

sub run_plain
{
	my ($generator, $query) = @_;
	my @values = $generator->values($query);
	my $foreign = $generator->sql($query, 'f', \@values);

	return no_requests($query, 'EXPLAIN', "EXPLAIN $foreign") if rand() < 0.05;
	return compare($generator, $query, \@values, 'plain', $foreign);
}

# As parameters, with other values each time.
sub run_prepared
{
	my ($generator, $query, $mode, $times) = @_;
	my @types = $generator->types($query);
	my $declared = @types ? '(' . join(', ', @types) . ')' : '';
	my $right = 1;

	$session->query_safe("SET plan_cache_mode = $mode");
	$right = no_requests($query, 'PREPARE',
		"PREPARE p $declared AS " . $generator->sql($query, 'f'));
	foreach (1 .. $times)
	{
		my @values = $generator->values($query);
		my $actual = @types ? '(' . join(', ',
			map { RandomQuery::quoted($values[$_], $types[$_]) } 0 .. $#types) . ')' : '';
		$right = $right && compare($generator, $query, \@values,
			"$mode, execution $_ of: PREPARE p $declared AS "
			  . $generator->sql($query, 'f'), "EXECUTE p $actual");
	}
	$session->query('DEALLOCATE p');
	$session->query('RESET plan_cache_mode');
	return $right;
}

sub run_cursor
{
	my ($generator, $query) = @_;
	my @values = $generator->values($query);
	my $sql = $generator->sql($query, 'f', \@values);
	my $hold = rand() < 0.3 && $sql !~ /FOR (?:UPDATE|SHARE)/;
	my $declare = 'DECLARE c ' . (rand() < 0.3 && !$hold ? 'NO SCROLL ' : '')
	  . 'CURSOR ' . ($hold ? 'WITH HOLD ' : '') . "FOR $sql";

	$session->query_safe('BEGIN');
	my $right = no_requests($query, 'DECLARE', $declare);
	# what is held is read at its transaction's end
	$session->query_safe('COMMIT') if $hold;
	$right = $right && compare($generator, $query, \@values, "cursor: $declare",
		'FETCH ALL FROM c');
	$session->query('CLOSE c');
	$session->query('COMMIT') unless $hold;
	return $right;
}

# The rows of a table by and by, forwards and backwards: pages as they are needed.
sub run_steps
{
	my ($generator) = @_;
	my ($name, $relation) = $generator->in_list_order;
	my $list = $relation->{list};
	my $query = { params => [], uses => { $list => { walk => 1 } },
		compare => 'order', family => 'cursor' };
	my $condition = $generator->condition($query, 'a', $relation);
	my @values = $generator->values($query);
	my $template = "SELECT a.$relation->{id} FROM <<$name>> a"
	  . (rand() < 0.5 ? " WHERE $condition" : '') . " <<order a.$relation->{id}>>";
	my ($foreign, $local) =
	  map { $generator->sql($query, $_, \@values, $template) } qw(f l);
	my $right = 1;
	my $before = 0;

	$session->query_safe('BEGIN');
	$session->query_safe("DECLARE f SCROLL CURSOR FOR $foreign");
	$session->query_safe("DECLARE l SCROLL CURSOR FOR $local");
	foreach (1 .. 6)
	{
		my $step = ('NEXT', 'PRIOR', 'FORWARD 3', 'BACKWARD 3', 'FORWARD 60',
			'RELATIVE 30', 'ABSOLUTE 5', 'LAST', 'FIRST', 'ABSOLUTE -2')[ rand 10 ];
		my @got = $session->query_safe("FETCH $step FROM f");
		my @expected = $session->query_safe("FETCH $step FROM l");
		$before += requests();
		$right = $right && (join("\x1e", @got) eq join("\x1e", @expected) ||
			fail_with($query, "cursor: $foreign", $step, $local,
				"got @got\nexpected @expected"));
	}
	$session->query_safe('COMMIT');
	$made++;
	$tally{cursor}++;
	my $most = $generator->most($query, \@values, {});
	return $right && ($before <= $most ||
		fail_with($query, 'cursor', $foreign, $local,
			"$before requests instead of at most $most"));
}

sub run_plpgsql
{
	my ($generator, $query) = @_;
	my @values = $generator->values($query);
	my $wrap = sub { "SELECT rows_of(\$query\$$_[0]\$query\$)" };

	return compare($generator, $query, \@values, 'PL/pgSQL',
		$wrap->($generator->sql($query, 'f', \@values)), {}, $wrap);
}

# With one snapshot the same again costs nothing, and what was read whole
# serves all.
sub run_transaction
{
	my ($generator, $query) = @_;
	my $level = ('REPEATABLE READ', 'SERIALIZABLE')[ rand 2 ];
	my @values = $generator->values($query);
	my $other = $generator->query;
	my @other_values = $generator->values($other);
	my %held;
	my $free = sub { return { %{ $_[0] }, uses => {}, lines => undef } };

	$session->query_safe("BEGIN ISOLATION LEVEL $level");
	my $foreign = $generator->sql($query, 'f', \@values);
	my $right = compare($generator, $query, \@values, $level, $foreign)
	  && compare($generator, $free->($query), \@values, "$level, again", $foreign);
	$held{ $query->{completes} } = 1
	  if $query->{completes} && $query->{was_read};
	if ($right)
	{
		my $shared = { %$other, lines => undef };
		$foreign = $generator->sql($other, 'f', \@other_values);
		$right = compare($generator, $shared, \@other_values,
			"$level, after " . $generator->sql($query, 'f', \@values), $foreign, \%held)
		  && compare($generator, $free->($other), \@other_values,
			"$level, again", $foreign);
	}
	$session->query('COMMIT');
	return $right;
}

# For some time what was read whole serves the session.
sub run_kept
{
	my ($generator, $query) = @_;
	my @values = $generator->values($query);
	my $other = $generator->query;
	my @other_values = $generator->values($other);
	my %held;

	$session->query_safe('SET nclue_fdw.cache_ttl = 600');
	my $foreign = $generator->sql($query, 'f', \@values);
	my $right = compare($generator, $query, \@values, 'cache_ttl', $foreign);
	$held{ $query->{completes} } = 1
	  if $query->{completes} && $query->{was_read};
	if ($right)
	{
		my $shared = { %$other, lines => undef };
		$right = compare($generator, $shared, \@other_values,
			'cache_ttl, after ' . $foreign,
			$generator->sql($other, 'f', \@other_values), \%held);
	}
	$session->query_safe('RESET nclue_fdw.cache_ttl');
	return $right;
}

sub run_one
{
	my $generator = shift;
	my $query = $generator->query;
	my $at = rand;

	return $at < 0.40 ? run_plain($generator, $query)
	  : $at < 0.52 ? run_prepared($generator, $query, 'force_custom_plan', 1)
	  : $at < 0.66 ? run_prepared($generator, $query, 'force_generic_plan', 2)
	  : $at < 0.69 ? run_prepared($generator, $query, 'auto', 7)
	  : $at < 0.77 ? run_cursor($generator, $query)
	  : $at < 0.81 ? run_steps($generator)
	  : $at < 0.88 ? run_plpgsql($generator, $query)
	  : $at < 0.95 ? run_transaction($generator, $query)
	  : run_kept($generator, $query);
}

create_all();
describe($_, $resources{$_}) foreach sort keys %resources;
describe('narrow', 'tasks');
describe('spelled', 'features', checked => 1);
describe('seen', 'tasks');
describe('failed', 'tasks', filtered => 1);

my $start = time;
for (my $number = 0; $made < $queries && $failures < $enough; $number++)
{
	my $round = $seed + $number;
	my $failed = $failures;
	my $target = min($made + $per_round, $queries);

	srand $round;
	set_planner();
	my ($what, $generator) = begin_round($round);
	requests();
	while ($made < $target && $failures < $enough)
	{
		set_planner() if rand() < 0.15;
		my $right = eval { run_one($generator) };
		next if $right;
		diag($@), $failures++ if $@;
		diag("repeat with SEED=$round QUERIES=$per_round");
		$session->query($_) foreach ('ROLLBACK', 'DEALLOCATE ALL',
			'RESET plan_cache_mode', 'RESET nclue_fdw.cache_ttl');
	}
	is($failures - $failed, 0, "SEED=$round: rows and requests with $what");
}
note sprintf('%d queries in %.0f s: %s', $made, time - $start,
	join ', ', map { "$tally{$_} $_" } sort keys %tally);

$session->close;
done_testing();
