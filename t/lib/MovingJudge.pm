# What is wrong with what a schedule brought.
#
#	my $judge = MovingJudge->new($schedule, \%seen);
#	$judge->wrong		'' or what
#
# %seen: rows (a list of object numbers for each cursor, undef for what is no
# object), error ('' or "ERROR:  40001"), requests (request lines without what
# is before index=), changes (those that were made), local (the planner took the
# whole list for a range: with tiny pages, counted, that looks cheaper).

package MovingJudge;

use strict;
use warnings;

use List::Util qw(max min);
use Requests;

# A list that so few objects come to, vanish from and change in is read, in
# every schedule; beyond that it may be too much.
our $READABLE = 5;

sub new
{
	my ($class, $schedule, $seen) = @_;
	my $list = $schedule->list;
	my @before = $list->live;

	foreach (@{ $seen->{changes} })
	{
		my (undef, $kind, $argument) = @$_;
		$list->$kind($argument);
	}
	my %after = map { $_ => 1 } $list->live;
	return bless {
		schedule => $schedule,
		seen => $seen,
		list => $list,
		before => \@before,
		stayed => { map { $_ => 1 } grep { $after{$_} } @before },
		rows => $seen->{rows},
		changed => scalar @{ $seen->{changes} }
	}, $class;
}

sub list { return $_[0]{list}; }

sub wrong
{
	my $self = shift;
	my $whole = !$self->{seen}{error}
	  && ($self->{schedule}{how} eq 'select' || $self->{schedule}{whole});

	foreach my $rows (@{ $self->{rows} })
	{
		my $wrong = $self->_wrong_rows(@$rows)
		  || ($self->{schedule}->is_range
			? $self->_wrong_range($whole, @$rows)
			: $whole ? $self->_lost('', \@$rows, @{ $self->{before} }) : '');
		return $wrong if $wrong;
	}
	return 'the cursors differ' if $self->{schedule}{how} eq 'two' && $self->_differ;
	return $self->_wrong_error || $self->_wrong_requests($whole);
}

sub _wrong_rows
{
	my ($self, @rows) = @_;
	my %times;

	return 'an object that never was' if grep { !defined || $_ > $self->{list}->made } @rows;
	$times{$_}++ foreach @rows;
	my @twice = grep { $times{$_} > 1 } sort { $a <=> $b } keys %times;
	return @twice ? "twice: @twice" : '';
}

# Two readers of one list see the same, as far as both have come.
sub _differ
{
	my $self = shift;
	my ($one, $other) = @{ $self->{rows} };

	return grep { $one->[$_] != $other->[$_] } 0 .. min($#$one, $#$other);
}

# Of these objects those that stayed and did not come.
sub _lost
{
	my ($self, $where, $rows, @due) = @_;
	my %came = map { $_ => 1 } @$rows;
	my @lost = grep { $self->{stayed}{$_} && !$came{$_} } @due;

	return @lost ? "lost$where: @lost" : '';
}

# A range begins with the row that was there at the first request; from there
# to the furthest of its rows nothing that stayed is missing, and to the end of
# the list where there were fewer rows than wanted.
sub _wrong_range
{
	my ($self, $whole, @rows) = @_;
	my ($list, $schedule) = @$self{qw(list schedule)};
	my $want = $schedule->{want};
	my $begin = $self->{before}[ $schedule->{first} ];
	my @all = @{ $list->{all} };
	my %place = map { $all[$_] => $_ } 0 .. $#all;
	my $last = 0;

	return 'too many rows of a range' if defined $want && @rows > $want;

	# of a list that is read from its beginning, what is new before the range may
	# come late, and be counted by OFFSET
	if ($self->{seen}{local})
	{
		@rows = grep { $self->{stayed}{$_} } @rows;
		return '' unless @rows;
		$begin = $rows[0];
	}
	return 'rows of a range behind the end' if !defined $begin && @rows;
	return '' unless defined $begin;
	return $whole ? 'a range without rows' : '' unless @rows;
	return "the range begins with $rows[0] instead of $begin" if $rows[0] != $begin;
	return 'a row from before the range' if grep { $place{$_} < $place{$begin} } @rows;
	foreach my $n (0 .. $#rows)
	{
		# a reader may stop at any row
		$last = max($last, $place{ $rows[$n] });
		my $lost = $self->_lost(' from the range', [ @rows[ 0 .. $n ] ],
			@all[ $place{$begin} .. $last ]);
		return $lost if $lost;
	}
	return '' if !$whole || $self->{seen}{local} || defined $want && @rows == $want;
	return $self->_lost(' from the range, to the end', \@rows, @all[ $place{$begin} .. $#all ]);
}

# An error must be one of those that are documented for lists that move too
# fast, and the list must have moved.
sub _wrong_error
{
	my $self = shift;
	my $schedule = $self->{schedule};
	my $error = $self->{seen}{error};

	return '' unless $error;
	return $error unless $error =~ /^ERROR:  (?:40001|HV021)$/;
	return '' if $self->{changed} > $READABLE;

	# pages of another size begin elsewhere where index counts pages, and small
	# ones make small steps
	return '' if ($schedule->{cap} || $schedule->{cut})
	  && ($schedule->{unit} eq 'page' || $self->{changed});

	# a range whose first page has none of its rows has no place
	return '' if $schedule->{cut} && $schedule->is_range;

	# a range that has lost all rows of its first page has lost its place, or
	# where a page of new ones came before it
	if ($schedule->is_range)
	{
		my $inserts = grep { $_->[1] eq 'insert' } @{ $self->{seen}{changes} };
		return '' if $inserts >= $schedule->{size};
		my ($index, $limit) = $self->{seen}{requests}[0] =~ /(\d+)&limit=(\d+)/;
		my $end = ($schedule->{unit} eq 'page' ? $index * $limit : $index) + $limit;
		my @page = grep { defined } @{ $self->{before} }[ $schedule->{first} .. $end - 1 ];

		return '' unless grep { $self->{stayed}{$_} } @page;
	}
	return "$error though only $self->{changed} things changed";
}

sub _lines
{
	my ($self, $objects, $heads) = @_;
	my $schedule = $self->{schedule};
	my $requests = Requests->new(
		size => $schedule->{size},
		by_page => $schedule->{unit} eq 'page',
		heads => $heads);

	return map { "index=$_->[0]&limit=$_->[1]" }
	  $schedule->is_range && !$self->{seen}{local}
	  ? $requests->range($objects, @$schedule{qw(first want)})
	  : $requests->walk($objects);
}

# Requests of a list that keeps still; with what the head may cost.
sub usual
{
	my $self = shift;
	my @lines = $self->_lines($self->{list}->longest, 0);
	return scalar @lines;
}

sub excess { return @{ $_[0]{seen}{requests} } - $_[0]->usual; }

sub _wrong_requests
{
	my ($self, $whole) = @_;
	my ($schedule, $seen) = @$self{qw(schedule seen)};
	my @made = @{ $seen->{requests} };
	my $jumps = $schedule->{list_order} eq 'auto'
	  && (!$schedule->is_range || $seen->{local});
	my $objects = $self->{list}->made;
	my $most;

	# no grand total: the head once more
	my $heads = $jumps && $schedule->{total} ne 'grand' ? 1 : 0;

	if (!$self->{changed} && $whole && !$seen->{local}
		&& !$schedule->{cap} && !$schedule->{cut})
	{
		# those under way at once may come in any order
		my $order = sub { join "\n", $schedule->{ahead} > 1 ? sort @_ : @_ };
		my @either = map { $order->($self->_lines($schedule->{objects}, $_)) }
		  $heads && $schedule->{unit} eq 'page' ? (0, 1) : $heads;
		my $got = $order->(@made);

		return '' if grep { $_ eq $got } @either;
		return "requests of a list that kept still, instead of:\n$either[-1]";
	}

	# the bound, as far as it can be told from outside: each page that brought
	# something brought a row at least
	return 'more requests than the bound' if @made > 12 + 2 * $objects;
	return 'more requests than a growing list may have'
	  if $schedule->{total} eq 'grand'
	  && $schedule->{objects} > $schedule->{size}
	  && !$schedule->{cap}
	  && !$schedule->is_range
	  && @made > 112 + 4 * $self->_lines($schedule->{objects}, 0);
	return '' if $schedule->{cap} || $schedule->{cut};
	$most = $self->usual + $heads + $self->_most($jumps);
	return @made > $most ? @made . " requests instead of at most $most" : '';
}

# What changes may cost.  One costs at most one request, and with list_order
# 'auto' one for the head; more of them at most two each, as does one where what
# was asked ahead comes for nothing.
sub _most
{
	my ($self, $jumps) = @_;
	my $changed = $self->{changed};

	return 0 unless $changed;
	return $jumps + 1 if $changed == 1 && $self->{schedule}{ahead} == 1;
	return $jumps + $self->{schedule}{ahead} - 1 + 2 * $changed;
}

1;
