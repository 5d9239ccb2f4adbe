# Which requests the reading of a list costs, reckoned from the design's rule
# alone and not with the extension's code.
#
#	my $requests = Requests->new(size => 100, by_page => 0, heads => 0);
#	$requests->walk(250)			([0, 100], [99, 100], [198, 100])
#	$requests->walk(250, 120)		until row 120 has been seen
#	$requests->range(250, 10, 5)	LIMIT 5 OFFSET 10: ([10, 5])
#
# A page is [index, limit] as it is asked for.  The rows of a list that keeps
# still count from 0.

package Requests;

use strict;
use warnings;

use List::Util qw(max min);

# OFFSETs beyond what the API's integer holds find nothing.
my $last_index = 2**31 - 1;

# size: rows of a page; by_page: index counts pages; heads: a walk of several
# pages reads the head once more (no grand total, and nothing promised of the
# order).
sub new
{
	my ($class, %settings) = @_;
	return bless {%settings}, $class;
}

# Of the pages with a limit of 1 to the largest, the one that holds the row and
# reaches furthest, the larger if several do.
sub _furthest
{
	my ($row, $largest) = @_;
	my ($best, $limit) = (0, 1);

	foreach my $l (reverse 1 .. $largest)
	{
		my $reach = $l - $row % $l;
		($best, $limit) = ($reach, $l) if $reach > $best;
	}
	return ($best, [ int($row / $limit), $limit ]);
}

# The page for a row, and the row it begins with.
sub _cover
{
	my ($self, $row) = @_;

	return ([ $row, $self->{size} ], $row) unless $self->{by_page};
	my ($reach, $page) = _furthest($row, $self->{size});
	($reach, $page) = _furthest($row, 100) if $reach == 1;
	return ($page, $page->[0] * $page->[1]);
}

# Pages until that row (from 0) has been read; without it to the end.
sub walk
{
	my ($self, $objects, $until) = @_;
	my $edge = 0;
	my @pages;

	for (;;)
	{
		my ($page, $row) = $self->_cover($edge);
		my $rows = max(0, min($page->[1], $objects - $row));
		push @pages, $page;
		return @pages if defined $until && $row + $rows > $until;
		last if $rows < $page->[1];
		$edge = $row + $rows - 1;
	}
	push @pages, [ 0, $self->{size} ] if $self->{heads} && @pages > 1;
	return @pages;
}

# Pages of a range: LIMIT and OFFSET, undef where there is none.
sub range
{
	my ($self, $objects, $first, $want) = @_;
	my ($taken, $row) = (0, $first // 0);
	my @pages;

	$first = $row;
	$want //= 1e18;
	return @pages if $want == 0 || $first > $last_index;
	for (;;)
	{
		my $need = $want - $taken + (@pages ? 1 : 0);
		my ($page, $start) = $self->_cover($row);
		if ($need < $self->{size} && !$self->{by_page})
		{
			$page = [ $row, $need ];
		}
		elsif ($need < $self->{size})
		{
			foreach my $l ($need .. $self->{size})
			{
				my $begin = $row - $row % $l;
				next if $begin + $l < $row + $need;
				($page, $start) = ([ $begin / $l, $l ], $begin);
				last;
			}
		}
		push @pages, $page;
		my $rows = max(0, min($page->[1], $objects - $start));
		$taken = $start + $rows - $first;
		last if $rows < $page->[1] || $taken >= $want;
		$row = $start + $rows - 1;
	}
	return @pages;
}

# Pages of count(*), where total is the list's length: the first alone, unless
# it is full and total might be its own.
sub count
{
	my ($self, $objects, $grand) = @_;
	my @pages = $self->walk($objects);

	return $grand && $objects != $self->{size} ? $pages[0] : @pages;
}

1;
