# A list that moves, as the stand-in has it: what is in it now, and where each
# object that ever was in it stands among all of them.
#
#	my $list = MovingList->new('newest', 8, \@rank);	objects 1 to 8
#	$list->insert; $list->insert(3); $list->delete(5); $list->touch(2);
#	$list->live			numbers of the objects, in the list's order
#	$list->place(5)		of an object among all that ever were, from 0
#
# Objects are numbered in the order of their creation.  $rank[n] says where
# object n stands by name.

package MovingList;

use strict;
use warnings;

sub new
{
	my ($class, $order, $objects, $rank) = @_;
	my @live = 1 .. $objects;

	@live = reverse @live if $order eq 'newest' || $order eq 'changed';
	@live = sort { $rank->[$a] <=> $rank->[$b] } @live if $order eq 'name';
	return bless {
		order => $order,
		rank => $rank,
		live => \@live,
		all => [@live],
		made => $objects,
		longest => $objects,
		heads => 0
	}, $class;
}

sub live { return @{ $_[0]{live} }; }

sub length { return scalar @{ $_[0]{live} }; }

# How long it was at most, how many objects there ever were, and how many came
# or went to the head.
sub longest { return $_[0]{longest}; }
sub made { return $_[0]{made}; }
sub heads { return $_[0]{heads}; }

# Where a new object belongs.
sub _natural
{
	my ($self, $number) = @_;

	return scalar @{ $self->{live} } if $self->{order} eq 'oldest';
	return 0 unless $self->{order} eq 'name';
	return scalar grep { $self->{rank}[$_] < $self->{rank}[$number] } @{ $self->{live} };
}

# A new object, where it belongs or at a place.
sub insert
{
	my ($self, $place) = @_;
	my $number = ++$self->{made};
	my $live = $self->{live};

	$place //= $self->_natural($number);

	# right behind the one before it, as far as those that are gone are concerned
	my $at = $place == 0 ? 0 : 1 + $self->place($live->[ $place - 1 ]);
	splice @{ $self->{all} }, $at, 0, $number;
	splice @$live, $place, 0, $number;
	$self->{longest} = @$live if @$live > $self->{longest};
	$self->{heads}++;
	return;
}

sub delete
{
	my ($self, $number) = @_;
	@{ $self->{live} } = grep { $_ != $number } @{ $self->{live} };
	return;
}

# Changes an object: to the head, where the last changed comes first.
sub touch
{
	my ($self, $number) = @_;

	return unless $self->{order} eq 'changed';
	@{ $self->{live} } = ($number, grep { $_ != $number } @{ $self->{live} });
	$self->{heads}++;
	return;
}

sub place
{
	my ($self, $number) = @_;
	my $all = $self->{all};

	foreach (0 .. $#$all)
	{
		return $_ if $all->[$_] == $number;
	}
	die "object $number was never there\n";
}

1;
