# Random joins and sub-selects, for RandomQuery.
#
# They are put together from items, each of which has an alias and columns; two
# columns may be compared where both are of one domain: ids of one list, or
# statuses.

package RandomTree;

use strict;
use warnings;

use RandomChoice;

# The lists to whose objects columns refer.
my %refers = (
	train_feature_id => 'features',
	test_feature_id => 'features',
	feature_id => 'features',
	task_id => 'tasks');

# The columns of a relation that have a domain.
sub domains
{
	my ($self, $relation, $alias) = @_;
	my @columns;

	foreach my $column (sort keys %{ $relation->{columns} })
	{
		my $is_id = $column eq $relation->{id};
		my $domain = $is_id ? $relation->{list} : $refers{$column};
		push @columns, {
			name => $relation->{columns}{$column} eq 'uuid' ?
			  "$alias.$column\::text" : "$alias.$column",
			domain => $domain,
			id_of => $is_id ? $relation : undef
		} if $domain;
	}
	return @columns;
}

# ---- items ----

sub table_item
{
	my ($self, $query, $alias) = @_;
	my ($name, $relation) = $self->relation;

	$self->use_walk($query, $relation);
	return {
		sql => "<<$name>> $alias",
		alias => $alias,
		relation => $relation,
		columns => [ $self->domains($relation, $alias) ],
		output => [ map { "$alias.$_" } sort keys %{ $relation->{columns} } ]
	};
}

sub note_item
{
	my ($self, $query, $alias) = @_;
	return {
		sql => "note $alias",
		alias => $alias,
		columns => [ map { { name => "$alias.id", domain => $_ } }
			  sort keys %{ $self->{lists} } ],
		output => [ "$alias.id", "$alias.n" ]
	};
}

# A sub-select that is limited, or not, in the order of the list.
sub limited_item
{
	my ($self, $query, $alias) = @_;
	my ($name, $relation) = $self->in_list_order;
	my $objects = $self->objects($relation->{list});
	my $where = '';
	my ($limit, $first, $want);

	$where = 'WHERE ' . $self->condition($query, 'i', $relation) if chance(0.4);
	($limit, $first, $want) = $self->limit($query, $objects);
	if ($where)
	{
		$self->use_walk($query, $relation);
	}
	else
	{
		$self->use_range($query, $relation, $first, $want);
	}

	# ids are known only when the rows are here, so none is looked up
	my @columns = map { { %$_, id_of => undef } } $self->domains($relation, $alias);
	return {
		sql => "(SELECT * FROM <<$name>> i $where <<order i.$relation->{id}>> $limit) $alias",
		alias => $alias,
		columns => \@columns,
		output => [ map { "$alias.$_" } sort keys %{ $relation->{columns} } ]
	};
}

sub grouped_item
{
	my ($self, $query, $alias) = @_;
	my ($name, $relation) = $self->relation;
	my $column = choose($self->domains($relation, 'i'));

	# a condition on what is grouped by reaches the table
	$self->use_walk($query, $relation);
	$self->use_ids($query, $relation) if $column->{id_of};
	return {
		sql => "(SELECT $column->{name} AS ref, count(*) AS k, min(i.status) AS s "
		  . "FROM <<$name>> i GROUP BY 1) $alias",
		alias => $alias,
		columns => [ {
			%$column,
			name => "$alias.ref"
		} ],
		output => [ "$alias.ref", "$alias.k", "$alias.s" ]
	};
}

sub union_item
{
	my ($self, $query, $alias) = @_;
	my @arms;
	my $list;

	foreach my $number (1 .. 2)
	{
		my ($name, $relation) = $self->relation(
			sub { $_[0]{lookup} && (!$list || $_[0]{list} eq $list) });
		$list = $relation->{list};
		my $where = chance(0.6) ?
		  'WHERE ' . $self->condition($query, "u$number", $relation) : '';
		$self->use_walk($query, $relation);
		$self->use_ids($query, $relation);
		push @arms, "SELECT u$number.$relation->{id}\::text AS ref, "
		  . "u$number.status AS s FROM <<$name>> u$number $where";
	}
	my $operator = choose('UNION ALL', 'UNION', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL');
	return {
		sql => "($arms[0] $operator $arms[1]) $alias",
		alias => $alias,
		columns => [ { name => "$alias.ref", domain => $list } ],
		output => [ "$alias.ref", "$alias.s" ]
	};
}

sub item
{
	my ($self, $query, $alias) = @_;
	my $at = rand;

	return $self->table_item($query, $alias) if $at < 0.5;
	return $self->note_item($query, $alias) if $at < 0.72;
	return $self->limited_item($query, $alias) if $at < 0.86;
	return $self->grouped_item($query, $alias) if $at < 0.93;
	return $self->union_item($query, $alias);
}

# ---- what joins them ----

# Two columns of one domain are compared: either may be looked up.
sub compared
{
	my ($self, $query, @columns) = @_;
	foreach my $column (@columns)
	{
		$self->use_ids($query, $column->{id_of}) if $column->{id_of};
	}
	return;
}

# A condition between an item and those before it; none where they have nothing
# in common.
sub edge
{
	my ($self, $query, $item, @before) = @_;
	my @pairs;

	foreach my $mine (@{ $item->{columns} })
	{
		foreach my $other (map { @{ $_->{columns} } } @before)
		{
			push @pairs, [ $mine, $other ] if $mine->{domain} eq $other->{domain};
		}
	}
	return unless @pairs;
	my $pair = choose(@pairs);
	$self->compared($query, @$pair);
	my ($left, $right) = map { $_->{name} } chance(0.5) ? @$pair : reverse @$pair;
	return "$left = $right";
}

# A condition with a sub-select, on one item.
sub subselect
{
	my ($self, $query, $item) = @_;
	my $mine = choose(@{ $item->{columns} });
	my $list = $mine->{domain};
	my @other = grep {
		my $relation = $self->{relations}{$_};
		grep { $_->{domain} eq $list } $self->domains($relation, 's')
	} sort keys %{ $self->{relations} };
	my $name = choose(@other);
	my $relation = $self->{relations}{$name};
	my $other = choose(grep { $_->{domain} eq $list } $self->domains($relation, 's'));
	my $where = chance(0.5) ?
	  'AND ' . $self->condition($query, 's', $relation) : '';
	my $not = choose('', 'NOT ');
	my $from = "FROM <<$name>> s WHERE";

	$self->use_walk($query, $relation);
	my $at = rand;
	if ($at < 0.3)
	{
		$self->compared($query, $mine, $other);
		return "${not}EXISTS (SELECT 1 $from $other->{name} = $mine->{name} $where)";
	}
	if ($at < 0.5)
	{
		$self->compared($query, $mine, $other);
		return "$mine->{name} ${not}IN (SELECT $other->{name} $from true $where)";
	}
	if ($at < 0.6)
	{
		$self->compared($query, $mine, $other);
		return "$mine->{name} = ANY (ARRAY (SELECT $other->{name} $from true $where))";
	}
	if ($at < 0.7)
	{
		$self->compared($query, $mine, $other);
		return "(SELECT count(*) $from $other->{name} = $mine->{name} $where) "
		  . choose('> 0', '= 1', '< 2', 'IS NOT NULL');
	}
	if ($at < 0.78)
	{
		$self->compared($query, $mine);
		return "$mine->{name} = (SELECT $other->{name} $from true $where "
		  . "ORDER BY $other->{name} NULLS LAST LIMIT 1)";
	}
	if ($at < 0.88)
	{
		return choose(
			"${not}EXISTS (SELECT $from true $where)",
			"(SELECT count(*) FROM <<$name>> s) > "
			  . $self->literal($query, 'bigint', sub { int rand 200 }));
	}
	return "${not}$mine->{name} >= ALL (SELECT $other->{name} $from "
	  . "$other->{name} IS NOT NULL $where)";
}

# A sub-select among the targets: at most one row, the same in both.
sub scalar_target
{
	my ($self, $query, $item) = @_;
	my $mine = choose(@{ $item->{columns} });
	my @others = grep { $self->{relations}{$_}{list} eq $mine->{domain} }
	  sort keys %{ $self->{relations} };
	my ($ordered) = $self->in_list_order;
	my $relation;

	if (@others && chance(0.6))
	{
		my $name = choose(@others);
		$relation = $self->{relations}{$name};
		$self->use_walk($query, $relation);
		$self->use_ids($query, $relation);
		my $cast = $relation->{lookup} ? '' : '::text';
		return "(SELECT t.status FROM <<$name>> t "
		  . "WHERE t.$relation->{id}$cast = $mine->{name})";
	}
	$relation = $self->{relations}{$ordered};
	my ($limit, $first) = $self->limit($query, $self->objects($relation->{list}),
		'offset');
	$self->use_range($query, $relation, $first, sub { 1 });
	return "(SELECT t.$relation->{id}\::text FROM <<$ordered>> t "
	  . "<<order t.$relation->{id}>> LIMIT 1 $limit)";
}

# ---- all together ----

sub tree
{
	my ($self, $query) = @_;
	my $wanted = choose(1, 2, 2, 2, 3);
	my (@items, @where, @ctes);
	my $commas = chance(0.3);
	my $from = '';

	foreach my $number (1 .. $wanted)
	{
		my $alias = chr(ord('a') + $number - 1);
		my $trial = { %$query, uses => {}, params => [ @{ $query->{params} } ] };
		my ($item, $edge);

		# until one is found that those before have something in common with
		foreach (1 .. 10)
		{
			$trial->{uses} = {};
			splice @{ $trial->{params} }, scalar @{ $query->{params} };
			$item = $self->item($trial, $alias);
			last unless @items;
			$edge = $self->edge($trial, $item, @items);
			last if $edge;
		}
		last if @items && !$edge;
		push @{ $query->{params} },
		  @{ $trial->{params} }[ @{ $query->{params} } .. $#{ $trial->{params} } ];
		$self->add_uses($query, $trial->{uses});

		if (chance(0.15) && $item->{sql} =~ /^\(/)
		{
			$item->{sql} =~ s/ $alias\z//;
			push @ctes, "$alias AS " . choose('', 'MATERIALIZED ', 'NOT MATERIALIZED ')
			  . $item->{sql};
			$item->{sql} = $alias;
		}
		if (!@items)
		{
			$from = $item->{sql};
		}
		elsif ($commas)
		{
			$from .= ", $item->{sql}";
			push @where, $edge;
		}
		else
		{
			my $join = choose('JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN');
			$from .= " $join $item->{sql} ON $edge";
		}
		push @items, $item;
	}

	foreach my $item (@items)
	{
		push @where, $self->condition($query, $item->{alias}, $item->{relation})
		  if $item->{relation} && chance(0.4);
	}
	push @where, $self->subselect($query, choose(@items))
	  if chance($wanted == 1 ? 0.8 : 0.35);

	my @output = map { choose(map { @{ $_->{output} } } @items) } 1 .. choose(2, 3, 4);
	push @output, $self->scalar_target($query, choose(@items)) if chance(0.2);
	my @named = map { "$output[$_] AS c$_" } 0 .. $#output;
	my $where = @where ? 'WHERE ' . join(' AND ', @where) : '';
	my $with = @ctes ? 'WITH ' . join(', ', @ctes) . ' ' : '';
	my $rest = "FROM $from $where";
	my $all = join ', ', 1 .. @output;

	$query->{family} = 'tree of ' . @items;
	my $at = rand;
	if ($at < 0.2)
	{
		$query->{sql} = "${with}SELECT count(*), count($output[0]), "
		  . "count(DISTINCT $output[1]), min($output[0]\::text) $rest";
	}
	elsif ($at < 0.3)
	{
		$query->{sql} = "${with}SELECT $output[0] AS c0, count(*) $rest GROUP BY 1";
	}
	elsif ($at < 0.4)
	{
		$query->{sql} = "${with}SELECT DISTINCT " . join(', ', @named) . " $rest";
	}
	elsif ($at < 0.55)
	{
		my ($limit) = $self->limit($query, 50);
		$query->{sql} = "${with}SELECT " . join(', ', @named)
		  . " $rest ORDER BY $all $limit";
		$query->{compare} = 'order';
	}
	elsif ($at < 0.75)
	{
		$query->{full} = "${with}SELECT " . join(', ', @named) . " $rest";
		(my $limit, @$query{qw(first want)}) = $self->limit($query, 50);
		$query->{sql} = "$query->{full} $limit";
		$query->{compare} = 'subset';

		# of a single table it may be a range, even where a condition is tested
		# once for all its rows
		$self->use_range($query, $items[0]{relation}, @$query{qw(first want)})
		  if @items == 1 && $items[0]{relation};
	}
	else
	{
		$query->{sql} = "${with}SELECT " . join(', ', @named) . " $rest";
	}
	return;
}

sub add_uses
{
	my ($self, $query, $uses) = @_;

	foreach my $list (keys %$uses)
	{
		my ($mine, $other) = ($query->{uses}{$list} //= {}, $uses->{$list});
		$mine->{walk} ||= $other->{walk};
		$mine->{ids} += $other->{ids} if $other->{ids};
		push @{ $mine->{ranges} }, @{ $other->{ranges} // [] };
	}
	return;
}

1;
