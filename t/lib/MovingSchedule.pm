# A schedule, from a seed: a list, how it is read, and what changes meanwhile.
#
#	my $schedule = MovingSchedule->new(61000, rank => {...}, ahead => [1]);
#	$schedule->{resource}, {order}, {objects}	the list
#	$schedule->{unit}, {total}, {cap}			how the service answers; cap: rows of a
#							page at most, 0: as asked
#	$schedule->{size}, {list_order}, {ahead}	the table's and server's options
#	$schedule->{first}, {want}					of a range; both undef: all
#	$schedule->{how}		select, cursor, or two: two cursors over one list
#	$schedule->{changes}	[request, kind, argument] before these requests, and
#	$schedule->{steps}		[cursor, rows (undef: all), changes] of cursors: the
#							changes come when the rows have been fetched
#	$schedule->{faults}		[request, word, ...]
#	$schedule->text			all of this
#
# A change's kind is insert, with a place or without, delete or touch, with the
# number of an object.

package MovingSchedule;

use strict;
use warnings;

use List::Util qw(max min);
use MovingList;
use RandomChoice;

our @RESOURCES = qw(tasks features task-runs shopping-intents custom-attributes);
our @SIZES = (2, 3, 4, 5, 7, 10, 100);

sub new
{
	my ($class, $seed, %given) = @_;
	my $self = bless { seed => $seed }, $class;

	srand $seed;
	$self->_choose_list;
	$self->{list_order} =
	  $self->{order} eq 'changed' ? 'auto' : choose(qw(auto stable));
	$self->{unit} = chance(0.75) ? 'row' : 'page';
	$self->{total} = choose(qw(grand grand page missing));
	$self->{ahead} = choose(@{ $given{ahead} });
	$self->{how} = choose(qw(select select select cursor two));

	# what is asked ahead: the whole of a list of several pages that says how
	# long it is
	if ($self->{ahead} > 1 && $self->{how} eq 'select' && chance(0.7))
	{
		$self->{total} = 'grand';
		$self->{objects} = max($self->{objects}, 3 * $self->{size});
	}
	elsif ($self->{order} ne 'changed' && $self->{how} ne 'two' && chance(0.5))
	{
		$self->_choose_range;
	}

	# a server that gives fewer rows than asked, and says so
	$self->{cap} = $self->{size} > 3
	  && $self->{total} eq 'grand'
	  && !$self->is_range
	  && chance(0.2) ? 2 + int rand $self->{size} - 2 : 0;

	$self->{list} = sub {
		return MovingList->new($self->{order}, $self->{objects},
			$given{rank}{ $self->{resource} });
	};
	$self->{moving} = $self->list;
	$self->_choose_pace;
	$self->{how} eq 'select' ? $self->_choose_changes : $self->_choose_steps;
	$self->_choose_faults if $self->{ahead} > 1 && $self->{how} eq 'select';
	$self->_choose_cut if $self->{total} eq 'grand' && !$self->{cap} && chance(0.1);
	delete $self->{moving};
	return $self;
}

# The list as it is when it is first asked for.
sub list { return $_[0]{list}->(); }

sub _choose_list
{
	my $self = shift;
	my $kind = rand;

	$self->{resource} = choose(@RESOURCES);
	$self->{order} = choose(qw(newest oldest name changed));
	if ($kind < 0.75)
	{
		$self->{size} = choose(2, 2, 3, 3, 4, 5);
		$self->{objects} = int rand 3 * $self->{size} + 4;
	}
	elsif ($kind < 0.97)
	{
		$self->{size} = choose(@SIZES[ 0 .. 5 ]);
		$self->{objects} = int rand 6 * $self->{size};
	}
	else
	{
		$self->{size} = 100;
		$self->{objects} = choose(99, 100, 199, 200, 298, 100 + int rand 300);
	}
	return;
}

sub _choose_range
{
	my $self = shift;
	my $objects = $self->{objects};

	$self->{first} = int rand $objects + 2;
	$self->{want} = 1 + int rand $objects + 2 if chance(0.9);
	return;
}

# Changes in all, or at each request, with what becomes of one at random.
sub _choose_pace
{
	my $self = shift;

	if (chance(0.8))
	{
		$self->{count} = choose(0, 1, 1, 2, 2, 3, 3, 4, 5);
	}
	else
	{
		$self->{rate} = choose(0.3, 1, 1, 2, 2, 4);
	}
	$self->{inserts} = choose(0, 0.3, 0.5, 0.5, 0.7, 1);
	return;
}

# Pages that a list that keeps still has.
sub pages
{
	my $self = shift;
	return 1 + int $self->{objects} / ($self->{size} - 1);
}

# Before these requests.
sub _choose_changes
{
	my $self = shift;
	my @requests;

	if (defined $self->{count})
	{
		@requests = sort { $a <=> $b }
		  map { 2 + int rand $self->pages + 3 } 1 .. $self->{count};
	}
	else
	{
		@requests = map { ($_) x $self->_times($self->{rate}) }
		  2 .. 12 + min(3 * $self->pages, 60);
	}
	$self->{changes} = [ map { $self->_change($_) } @requests ];
	return;
}

# So many times on average.
sub _times
{
	my ($self, $rate) = @_;
	return int($rate) + (chance($rate - int $rate) ? 1 : 0);
}

# One change, or none where there is nothing to change any more.
sub _change
{
	my ($self, $request) = @_;
	my $moving = $self->{moving};
	my $jumping = $self->{order} eq 'changed';
	my $kind = chance($self->{inserts}) ? 'insert' : 'delete';
	my $argument;

	$kind = 'touch' if $jumping && chance(0.5);

	# what is promised of lists whose objects jump: one less than a page has
	$kind = 'delete'
	  if $jumping && $kind ne 'delete'
	  && $moving->heads == ($self->{cap} || $self->{size}) - 1;
	if ($kind eq 'insert')
	{
		$argument = $self->_place($moving->length + 1)
		  if !$jumping && chance(0.4);
	}
	else
	{
		return unless $moving->length;
		$argument = ($moving->live)[ $self->_place($moving->length) ];
	}
	$moving->$kind($argument);
	return [ $request, $kind, $argument ];
}

# Anywhere, at an end, or where a page begins or ends.
sub _place
{
	my ($self, $length) = @_;
	my $step = $self->{size} - 1;
	my $place = choose(int rand $length, int rand $length, 0, $length - 1,
		$step * int(rand 1 + $length / $step) + choose(-1, 0, 1));

	return max(0, min($place, $length - 1));
}

# Rows by and by, and changes while nobody reads.
sub _choose_steps
{
	my $self = shift;
	my $steps = 2 + int rand 5;
	my @changes = (0) x $steps;
	my @steps;

	if (defined $self->{count})
	{
		$changes[ rand @changes ]++ foreach 1 .. $self->{count};
	}
	else
	{
		$_ = $self->_times(2 * $self->{rate}) foreach @changes;
	}
	foreach my $n (0 .. $steps - 1)
	{
		my $rows = 1 + int rand 2 * $self->{size};
		push @steps, [ $self->_cursor, $rows,
			[ map { $self->_change(0) } 1 .. $changes[$n] ] ];
	}
	if (chance(0.85))
	{
		push @steps, map { [ $_, undef, [] ] } 1 .. ($self->{how} eq 'two' ? 2 : 1);
		$self->{whole} = 1;
	}
	$self->{steps} = \@steps;
	return;
}

sub _cursor { return $_[0]{how} eq 'two' ? choose(1, 2) : 1; }

# Answers out of turn.
sub _choose_faults
{
	my $self = shift;

	foreach (1 .. choose(1, 2, 3))
	{
		my $request = 2 + int rand min(6, $self->pages);
		push @{ $self->{faults} }, [ $request,
			chance(0.7) ? 'later=' . choose(1, 2, 3) : 'slow=' . choose(1, 3) ];
	}
	return;
}

# A page cut short, though total says that more follows.
sub _choose_cut
{
	my $self = shift;

	$self->{cut} = 1;
	push @{ $self->{faults} },
	  [ 1 + int rand $self->pages, 'short=' . int rand $self->{size} ];
	return;
}

# A change as the stand-in's command; $ids->[n] is the id of object n.
sub command
{
	my ($self, $change, $ids) = @_;
	my (undef, $kind, $argument) = @$change;

	return ($kind, $self->{resource}, defined $argument ? "position=$argument" : ())
	  if $kind eq 'insert';
	return ($kind, $self->{resource}, $ids->[$argument]);
}

sub is_range { return defined $_[0]{first}; }

sub text
{
	my $self = shift;
	my $shown = sub {
		return join '', map { ' ' . $_->[1] . (defined $_->[2] ? "($_->[2])" : '') } @_;
	};
	my @lines = (
		"$self->{objects} objects of $self->{resource}, $self->{order} first; "
		  . "index counts $self->{unit}s, total $self->{total}"
		  . ($self->{cap} ? ", at most $self->{cap} in a page" : ''),
		"page_size $self->{size}, list_order $self->{list_order}, "
		  . "max_in_flight $self->{ahead}; $self->{how}"
		  . ($self->is_range ? " OFFSET $self->{first}" : '')
		  . (defined $self->{want} ? " LIMIT $self->{want}" : ''));

	push @lines, "before request $_->[0]:" . $shown->($_) foreach @{ $self->{changes} // [] };
	push @lines, "cursor $_->[0] fetches " . ($_->[1] // 'all') . ', then:'
	  . $shown->(@{ $_->[2] })
	  foreach @{ $self->{steps} // [] };
	push @lines, "request $_->[0]: $_->[1]" foreach @{ $self->{faults} // [] };
	return join "\n", @lines;
}

1;
