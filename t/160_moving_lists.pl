# Lists that move while they are read: in every schedule each object that was
# there throughout comes exactly once, none twice, none that never was, within
# the requests that are allowed.
#
# Environment:
#	SCHEDULES	how many (default 3000, a quarter of a minute; script/test --schedules N)
#	SEED		where to start (default 61000); a failure prints what repeats it
#
# Each schedule has a seed of its own, which decides all.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Control;
use List::Util qw(max sum);
use MovingJudge;
use MovingSchedule;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Requests;
use Session;
use Standin;
use Test::More;
use Time::HiRes qw(time);

my $schedules = $ENV{SCHEDULES} // 3000;
my $seed = $ENV{SEED} // 61000;
my $per_test = max(500, int $schedules / 10);

# Failures after which nothing new is learned.
my $enough = 10;

# Requests that may be under way at once.
my @ahead = (1, 4);

# As many objects as a list has in a schedule, and more than may be added.
my $numbers = 900;

my %id_key = (
	tasks => 'task_id',
	features => 'feature_id',
	'task-runs' => 'run_id',
	'shopping-intents' => 'profile_id',
	'custom-attributes' => 'profile_id');

my $standin = Standin->start;
my $control = Control->new($standin->control);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $session = Session->new($node->connstr('postgres'));
my (%ids, %number, %rank, %tally, %errors, %excess);
my $failures = 0;

# ---- the database ----

sub server { return "s_$_[0]_$_[1]"; }

sub create_server
{
	my ($unit, $ahead) = @_;
	my $name = server($unit, $ahead);
	my $endpoint = $standin->endpoint;

	$session->query_safe($_) foreach (
		"CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS (
		 endpoint '$endpoint', rate_limit '0', max_retries '0',
		 max_in_flight '$ahead', index_unit '$unit')",
		"CREATE USER MAPPING FOR PUBLIC SERVER $name
		 OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST')");
	foreach my $resource (@MovingSchedule::RESOURCES)
	{
		foreach my $size (@MovingSchedule::SIZES)
		{
			$session->query_safe(
				"CREATE FOREIGN TABLE \"$name $resource $size $_\"
				 (id text OPTIONS (json_key '$id_key{$resource}')) SERVER $name
				 OPTIONS (resource '$resource', page_size '$size', list_order '$_')")
			  foreach qw(auto stable);
		}
	}
	return;
}

sub create_all
{
	$session->query_safe('SET client_min_messages = warning');
	$session->query_safe('CREATE EXTENSION nclue_fdw');
	foreach my $ahead (@ahead)
	{
		create_server($_, $ahead) foreach qw(row page);
	}
	return;
}

# Which object has which id, and where it stands by name.
sub learn_ids
{
	foreach my $resource (@MovingSchedule::RESOURCES)
	{
		my (undef, undef, $oldest, undef, $named) = $control->batch(
			[qw(set order=oldest)],
			[ 'objects', $numbers, $resource ],
			[ 'ids', $resource ],
			[qw(set order=name)],
			[ 'ids', $resource ]);
		my %place = map { $named->[$_] => $_ } 0 .. $#$named;

		$ids{$resource} = [ '', @$oldest ];
		$number{$resource} = { map { $oldest->[ $_ - 1 ] => $_ } 1 .. $numbers };
		$rank{$resource} = [ 0, map { $place{$_} } @$oldest ];
	}
	return;
}

# ---- running a schedule ----

sub table
{
	my $schedule = shift;
	return '"' . server(@$schedule{qw(unit ahead)}) . " $schedule->{resource}"
	  . " $schedule->{size} $schedule->{list_order}\"";
}

sub query
{
	my $schedule = shift;
	my $sql = 'SELECT id FROM ' . table($schedule);

	$sql .= " LIMIT $schedule->{want}" if defined $schedule->{want};
	$sql .= " OFFSET $schedule->{first}" if $schedule->is_range;
	return $sql;
}

sub prepare
{
	my $schedule = shift;
	my $ids = $ids{ $schedule->{resource} };

	$control->batch(
		['reset'],
		[ 'set', "order=$schedule->{order}", "total=$schedule->{total}",
			"index_unit=$schedule->{unit}", "limit_cap=$schedule->{cap}", 'patience=5' ],
		[ 'objects', $schedule->{objects}, $schedule->{resource} ],
		(map { [ 'churn', "request=$_->[0]", $schedule->command($_, $ids) ] }
			  @{ $schedule->{changes} // [] }),
		(map { [ 'fault', $_->[1], "request=$_->[0]" ] } @{ $schedule->{faults} // [] }));
	return;
}

# All of it in one statement.
sub run_select
{
	my $schedule = shift;
	my @rows = $session->query(query($schedule));

	return { rows => [ \@rows ], error => $session->error };
}

# Rows by and by; what changes, changes in between.
sub run_steps
{
	my $schedule = shift;
	my %seen = (rows => [ [], $schedule->{how} eq 'two' ? [] : () ], changes => []);
	my $query = query($schedule);
	my $ids = $ids{ $schedule->{resource} };

	$session->query_safe('BEGIN'
		  . ($schedule->{how} eq 'two' ? ' ISOLATION LEVEL REPEATABLE READ' : ''));
	$session->query_safe("DECLARE c$_ CURSOR FOR $query") foreach 1 .. @{ $seen{rows} };
	foreach my $step (@{ $schedule->{steps} })
	{
		my ($cursor, $rows, $changes) = @$step;

		push @{ $seen{rows}[ $cursor - 1 ] },
		  $session->query('FETCH ' . ($rows // 'ALL') . " FROM c$cursor");
		$seen{error} = $session->error;
		last if $seen{error};
		$control->batch(map { [ $schedule->command($_, $ids) ] } @$changes) if @$changes;
		push @{ $seen{changes} }, @$changes;
	}
	$session->query_safe('ROLLBACK');
	return \%seen;
}

# What is wrong with a schedule; '' if nothing is.
sub run
{
	my $schedule = shift;
	my $number = $number{ $schedule->{resource} };

	prepare($schedule);
	my $local = $schedule->is_range &&
	  !grep { /Remote/ } $session->query_safe('EXPLAIN ' . query($schedule));
	my $seen = $schedule->{how} eq 'select' ? run_select($schedule) : run_steps($schedule);
	my ($requests, $after) = $control->batch([qw(requests all json)], [ 'ids', $schedule->{resource} ]);

	$seen->{requests} = [ map { /(index=[^"]*)/ ? $1 : () } @$requests ];
	$seen->{answered} = [ map { /"answered": (\d+)/ ? $1 : () } @$requests ];
	$seen->{local} = $local;
	$seen->{changes} //= [ grep { $_->[0] <= @{ $seen->{requests} } } @{ $schedule->{changes} } ];
	$seen->{ids} = $seen->{rows};
	$seen->{rows} = [ map { [ map { $number->{$_} } @$_ ] } @{ $seen->{ids} } ];

	my $judge = MovingJudge->new($schedule, $seen);
	my @expected = map { $ids{ $schedule->{resource} }[$_] } $judge->list->live;
	die "the stand-in's list is another than the test's\n" . $schedule->text . "\n"
	  if "@expected" ne "@$after";
	my $wrong = $judge->wrong;
	show_failure($schedule, $seen, $wrong) if $wrong;
	note_run($schedule, $seen, $judge);
	return $wrong;
}

sub show_failure
{
	my ($schedule, $seen, $wrong) = @_;

	diag("$wrong\n", $schedule->text, "\nrequests:\n", join("\n", @{ $seen->{requests} }),
		map({ "\nrows: " . join(' ', map { $_ // '?' } @$_) } @{ $seen->{rows} }),
		"\n$seen->{error}",
		"\nRepeat it with\nSEED=$schedule->{seed} SCHEDULES=1 make installcheck",
		" REGRESS= PROVE_TESTS=t/160_moving_lists.pl\n");
	return;
}

# ---- what was tried ----

sub note_run
{
	my ($schedule, $seen, $judge) = @_;
	my $pace = $schedule->{rate} ? "rate $schedule->{rate}" : 'few changes';

	$tally{$_}++ foreach (
		(map { "$_ $schedule->{$_}" } qw(resource order list_order unit total how ahead size)),
		$seen->{local} ? 'range of the whole list' : $schedule->is_range ? 'range' : 'walk',
		$pace);
	$tally{'answered out of turn'}++
	  if grep { $seen->{answered}[$_] != $_ + 1 } 0 .. $#{ $seen->{answered} };
	$tally{'fewer rows than asked'}++ if $schedule->{cap};
	$tally{'a page cut short'}++ if $schedule->{cut};
	$tally{'something changed'}++ if @{ $seen->{changes} };
	$tally{requests} += @{ $seen->{requests} };
	$tally{rows} += @$_ foreach @{ $seen->{rows} };
	$errors{$pace}{ $seen->{error} }++ if $seen->{error};
	my $kind = $seen->{local} ? 'range of the whole list' : $schedule->is_range ? 'range' : 'walk';
	my $changed = @{ $seen->{changes} };
	$excess{$kind}{$changed} = max($excess{$kind}{$changed} // -99, $judge->excess)
	  if $changed <= 8 && !$seen->{error};
	return;
}

# ---- averages ----

# One comes and one goes before each request, all through 3000 objects: how
# many requests more than of a list that keeps still, and the head.
sub excess_of_churn
{
	my ($order, $seed) = @_;

	my (undef, undef, undef, $before) = $control->batch(
		['reset'],
		[ 'set', "order=$order", "seed=$seed" ],
		[qw(objects 3000 tasks)],
		[qw(ids tasks)],
		[qw(churn every=1 insert tasks)],
		[qw(churn every=1 delete tasks position=random)]);
	my @rows = $session->query_safe('SELECT id FROM "' . server('row', 1) . ' tasks 100 auto"');
	my ($requests, $after) = $control->batch([qw(requests all)], [qw(ids tasks)]);
	my %came = map { $_ => 1 } @rows;
	my %stays = map { $_ => 1 } @$after;

	die "$order first, seed $seed: " . @rows . " rows, some twice\n" if keys %came != @rows;
	my @lost = grep { $stays{$_} && !$came{$_} } @$before;
	die "$order first, seed $seed: @lost are lost\n" if @lost;
	return @$requests - 1 - 31;
}

sub average
{
	my ($order) = @_;
	my @excess = map { excess_of_churn($order, $_) } 1 .. 8;

	note("$order first, a change of each kind before each request: + @excess requests");
	return sum(@excess) / @excess;
}

# ---- lists that cannot be read ----

# More than can be read changes before each request, for ever: the statement
# ends, with all that stayed or with the error, within the requests that are
# allowed.
sub ends
{
	my ($size, $ahead, $order, @changes) = @_;
	my $objects = 5 * $size;

	# as long as it is when it is first answered for
	my $first = $objects + grep { $_->[0] eq 'insert' } @changes;
	my $usual = Requests->new(size => $size)->walk($first);

	my (undef, undef, undef, $before) = $control->batch(
		['reset'],
		[ 'set', "order=$order" ],
		[ 'objects', $objects, 'tasks' ],
		[qw(ids tasks)],
		map { [ 'churn', 'every=1', @$_ ] } @changes);
	my @rows = $session->query(
		'SELECT id FROM "' . server('row', $ahead) . " tasks $size auto\"");
	my $error = $session->error;
	my ($requests, $after) = $control->batch([qw(requests all)], [qw(ids tasks)]);
	my (%times, %stays);

	$times{$_}++ foreach @rows;
	$stays{$_} = 1 foreach @$after;
	note(@$requests . " requests, $order first, pages of $size, $ahead under way: "
		  . ($error || @rows . ' rows'));
	return @$requests . ' requests' if @$requests > 112 + 4 * $usual;
	return $error if $error && $error ne 'ERROR:  40001';
	return 'twice' if grep { $_ > 1 } values %times;

	# of objects that jump to the head only so many are promised
	return '' if $error || $order eq 'changed';
	return 'lost' if grep { $stays{$_} && !$times{$_} } @$before;
	return '';
}

sub try_ends
{
	my $size = shift;
	my $insert = [qw(insert tasks)];
	my $delete = [qw(delete tasks position=0)];
	my @ends = map {
		(ends($size, $_, 'newest', ($insert) x $size),
			ends($size, $_, 'newest', ($insert) x ($size - 1)),
			ends($size, $_, 'oldest', ($insert) x $size),
			ends($size, $_, 'oldest', $insert, $delete),
			ends($size, $_, 'oldest', ($insert) x $size, ($delete) x $size),
			ends($size, $_, 'changed', ([qw(touch tasks position=-1)]) x $size, $insert))
	} @ahead;

	return join ', ', grep { $_ } @ends;
}

# ---- all of them ----

create_all();
learn_ids();
note("SEED=$seed SCHEDULES=$schedules");
my $start = time;
for (my $done = 0; $done < $schedules && $failures < $enough;)
{
	my $failed = $failures;

	do
	{
		my $schedule = MovingSchedule->new($seed + $done, rank => \%rank, ahead => \@ahead);

		$failures++ if run($schedule);
		$done++;
	} while ($done < $schedules && $done % $per_test && $failures < $enough);
	is($failures, $failed, "$done schedules");
}
note(sprintf '%.0f s', time - $start);
note("$_: $tally{$_}") foreach sort keys %tally;
foreach my $pace (sort keys %errors)
{
	note("$pace: $errors{$pace}{$_} of $tally{$pace} ended with $_")
	  foreach sort keys %{ $errors{$pace} };
}
foreach my $kind (sort keys %excess)
{
	note("$kind, requests more than usual after so many changes, at most: "
		  . join ', ', map { "$_: $excess{$kind}{$_}" } sort keys %{ $excess{$kind} });
}

if ($schedules >= 1000)
{
	my @rare = grep { ($tally{$_} // 0) < $schedules / 100 } (
		(map { "resource $_" } @MovingSchedule::RESOURCES),
		(map { "order $_" } qw(newest oldest name changed)),
		(map { "total $_" } qw(grand page missing)),
		(map { "ahead $_" } @ahead),
		(map { "size $_" } 2, 3, 100),
		'unit page', 'list_order stable', 'how cursor', 'how two', 'range',
		'something changed', 'fewer rows than asked', 'a page cut short');
	is("@rare", '', 'every kind was tried');
}

is(try_ends($_), '', "lists that move too fast, in pages of $_") foreach 2, 3, 10, 100;
is(average('newest'), 0, 'requests of a list that moves: newest first');
my $named = average('name');
ok($named >= 2 && $named <= 6, 'by name');
my $oldest = average('oldest');
ok($oldest >= 5 && $oldest <= 16, 'oldest first');

$session->close;
$node->stop;
$standin->stop;
done_testing();
