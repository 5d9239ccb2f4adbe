# The kinds of queries that RandomQuery makes whose requests are known exactly,
# and some more.  Each fills in a query; RandomTree has the joins.

package RandomFamilies;

use strict;
use warnings;

use List::Util qw(min uniq);
use RandomChoice;

sub filtered
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->relation;
	my $targets = $self->targets($query, 'a', $relation);
	my $where = chance(0.8) ?
	  'WHERE ' . $self->condition($query, 'a', $relation) : '';
	my $order = chance(0.5) ? $self->total_order('a', $relation) : '';

	$query->{family} = 'filter';
	$query->{sql} = "SELECT $targets FROM <<$name>> a $where $order";
	$query->{compare} = 'order' if $order;
	$self->whole($query, $relation);
	return;
}

sub add_range
{
	my ($self, $query, $relation, $first, $want) = @_;
	my $list = $relation->{list};

	$self->use_range($query, $relation, $first, $want);
	$query->{lines} = sub {
		my $values = shift;
		my @range = ($first->($values), $want->($values));
		my @either = $self->lines_of($list,
			$self->{requests}->range($self->objects($list), @range));

		# as literals, OFFSET 0 and LIMIT NULL are as good as none
		push @either, $self->lines_of($list, $self->walk($list))
		  unless $range[0] || defined $range[1];
		return @either;
	};
	return;
}

sub range
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->in_list_order;
	my $targets = $self->targets($query, 'a', $relation);
	my ($limit, $first, $want) =
	  $self->limit($query, $self->objects($relation->{list}));

	$query->{family} = 'range';
	$query->{sql} = "SELECT $targets FROM <<$name>> a <<order a.$relation->{id}>> $limit";
	$query->{compare} = 'order';
	$self->add_range($query, $relation, $first, $want);
	return;
}

sub range_inside
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->in_list_order;
	my ($limit, $first, $want) =
	  $self->limit($query, $self->objects($relation->{list}));
	my $inner = "SELECT * FROM <<$name>> b <<order b.$relation->{id}>> $limit";
	my $targets = $self->targets($query, 'a', $relation);
	my $where = chance(0.4) ?
	  'WHERE ' . $self->condition($query, 'a', $relation) : '';
	my $materialized = choose('', '', 'MATERIALIZED', 'NOT MATERIALIZED');

	$query->{family} = 'range inside';
	$query->{sql} = choose(
		"SELECT $targets FROM ($inner) a $where",
		"WITH a AS $materialized ($inner) SELECT $targets FROM a $where",
		"SELECT $targets FROM (VALUES (1)) v (n), LATERAL ($inner) a $where",
		"SELECT count(*), count(DISTINCT a.status) FROM ($inner) a $where",
		"SELECT array_agg(a.$relation->{id} ORDER BY a.$relation->{id}) FROM ($inner) a");
	$self->add_range($query, $relation, $first, $want);
	return;
}

# Pages until rows enough meet the condition.
sub add_until
{
	my ($self, $query, $name, $relation, $condition, $first, $want) = @_;
	my $list = $relation->{list};

	$self->use_walk($query, $relation);
	$query->{lines} = sub {
		my ($values, $ask) = @_;
		my $wanted = $want->($values);
		my $until;

		return [] if defined $wanted && $wanted == 0;
		if (defined $wanted)
		{
			my $last = ($first->($values) // 0) + $wanted - 1;
			($until) = $ask->($self->sql($query, 'l', $values,
				"SELECT n FROM (SELECT row_number() OVER (<<order a.$relation->{id}>>) - 1 AS n, "
				  . "$condition AS met FROM <<$name>> a) met "
				  . "WHERE met ORDER BY n OFFSET $last LIMIT 1"))
			  if $last < 1e9;
		}
		return $self->lines_of($list, $self->walk($list, $until));
	};
	return;
}

sub filtered_limit
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->in_list_order;
	my $targets = $self->targets($query, 'a', $relation);
	my $condition = $self->condition($query, 'a', $relation);
	my ($limit, $first, $want) =
	  $self->limit($query, $self->objects($relation->{list}));
	my $lock = choose('', '', '', 'FOR UPDATE', 'FOR SHARE');

	$query->{family} = 'filter limit';
	$query->{sql} =
	  "SELECT $targets FROM <<$name>> a WHERE $condition "
	  . "<<order a.$relation->{id}>> $limit $lock";
	$query->{compare} = 'order';
	$self->add_until($query, $name, $relation, $condition, $first, $want);
	return;
}

sub sorted_limit
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->relation;
	my $list = $relation->{list};
	my $where = chance(0.5) ?
	  'WHERE ' . $self->condition($query, 'a', $relation) : '';
	my $targets = $self->targets($query, 'a', $relation);
	my $order = $self->total_order('a', $relation);
	my $want;

	$query->{family} = 'order limit';
	if (chance(0.25))
	{
		my $column = choose($self->columns($relation));
		my $value = $self->literal($query, 'bigint',
			sub { 1 + int rand $self->objects($list) + 1 });
		$query->{sql} = "SELECT $targets FROM <<$name>> a $where "
		  . "ORDER BY a.$column FETCH FIRST ($value) ROWS WITH TIES";
		$want = sub { undef };
	}
	else
	{
		(my $limit, undef, $want) = $self->limit($query, $self->objects($list));
		$query->{sql} = "SELECT $targets FROM <<$name>> a $where $order $limit";
		$query->{compare} = 'order';
	}
	$self->use_walk($query, $relation);
	$query->{lines} = sub {
		my $wanted = $want->($_[0]);
		return defined $wanted && $wanted == 0 ? [] :
		  $self->lines_of($list, $self->walk($list));
	};
	return;
}

sub counted
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->relation;
	my $list = $relation->{list};
	my $from = "FROM <<$name>> a";

	$query->{family} = 'count';
	if (chance(0.4))
	{
		my $condition = $self->condition($query, 'a', $relation);
		$query->{sql} = choose(
			"SELECT count(*) $from WHERE $condition",
			"SELECT count(*) FILTER (WHERE $condition) $from",
			"SELECT count(a.status), count(*) $from",
			"SELECT count(DISTINCT a.status) $from",
			"SELECT count(*) $from WHERE $condition HAVING count(*) > 3",
			"SELECT a.status, count(*) $from GROUP BY a.status");
		$self->whole($query, $relation);
		return;
	}
	$query->{sql} = choose(
		"SELECT count(*) $from",
		"SELECT count(1) $from",
		"SELECT count(*) + 1, count('x'), -count(*) $from",
		"SELECT n.k FROM (SELECT count(*) AS k $from) n",
		"WITH n AS MATERIALIZED (SELECT count(*) AS k $from) SELECT k, k FROM n",
		"SELECT (SELECT count(*) $from)");
	$self->use_walk($query, $relation);
	my $local = $relation->{filtered} || $relation->{checked};
	$query->{lines} = sub {
		return $self->lines_of($list, $local ? $self->walk($list) :
			$self->{requests}->count($self->objects($list), $self->{grand}));
	};
	return;
}

sub by_id
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->relation;
	my $targets = $self->targets($query, 'a', $relation);

	$query->{family} = 'id';
	unless ($relation->{lookup})
	{
		# as uuid it may be written otherwise than the service has it
		my $value = $self->value_of($query, $relation, $relation->{id});
		$query->{sql} = "SELECT $targets FROM <<$name>> a "
		  . "WHERE a.$relation->{id} = $value";
		$self->whole($query, $relation);
		return;
	}

	my $value = $self->literal($query, 'text', sub { $self->an_id($relation) });
	my $at = $#{ $query->{params} };
	my $test = choose("a.$relation->{id} = $value", "$value = a.$relation->{id}");
	$test .= ' AND ' . $self->condition($query, 'a', $relation) if chance(0.3);
	$query->{sql} = choose(
		"SELECT $targets FROM <<$name>> a WHERE $test",
		"SELECT $targets FROM <<$name>> a WHERE $test LIMIT 1",
		"SELECT count(*), min(a.status) FROM <<$name>> a WHERE $test",
		"SELECT EXISTS (SELECT FROM <<$name>> a WHERE $test)",
		"WITH a AS (SELECT * FROM <<$name>>) SELECT $targets FROM a WHERE $test");
	$self->use_ids($query, $relation, 1);
	$query->{lines} = sub {
		my $id = $_[0][$at];
		return [] unless $self->is_sendable($id);
		return $self->ids_or_walk($relation, $id);
	};
	return;
}

sub by_ids
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->relation(sub { $_[0]{lookup} });
	my $targets = $self->targets($query, 'a', $relation);
	my $first = @{ $query->{params} };
	my $column = "a.$relation->{id}";
	my $some = sub {
		return [ map { $self->an_id($relation) } 1 .. choose(0, 1, 2, 3, 5, 20, 60) ];
	};
	my $test;

	$query->{family} = 'ids';
	if (chance(0.5))
	{
		$test = "$column = ANY(" . $self->literal($query, 'text[]', $some) . ')';
	}
	else
	{
		$test = "$column IN (" . join(', ', map {
			$self->literal($query, 'text', sub { $self->an_id($relation) })
		} 1 .. choose(1, 2, 3, 8)) . ')';
	}
	my $last = $#{ $query->{params} };
	$test .= ' AND ' . $self->condition($query, 'a', $relation) if chance(0.3);
	$query->{sql} = "SELECT $targets FROM <<$name>> a WHERE $test";
	$query->{unordered} = 1;
	$self->use_walk($query, $relation);
	$self->use_ids($query, $relation);
	$query->{lines} = sub {
		my @ids = uniq grep { $self->is_sendable($_) }
		  map { ref $_ ? @$_ : $_ } @{ $_[0] }[ $first .. $last ];
		return $self->ids_or_walk($relation, @ids);
	};
	return;
}

sub grouped
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->relation;
	my $id = "a.$relation->{id}";
	my @group = map { "a.$_" } uniq map { choose($self->columns($relation)) } 1 .. 2;
	my $number = choose($self->columns($relation, 'bigint'), $self->columns($relation, 'numeric'));
	my @aggregates = (
		'count(*)', "min($id\::text)", "max(a.status)",
		"string_agg(DISTINCT a.status, ',' ORDER BY a.status)",
		$number ? ("sum(a.$number)", "avg(a.$number)", "count(a.$number)") : ());
	my $where = chance(0.4) ?
	  'WHERE ' . $self->condition($query, 'a', $relation) : '';
	my $having = chance(0.3) ? 'HAVING count(*) > 1' : '';
	my $by = join ', ', @group;
	$by = choose($by, $by, "ROLLUP ($by)", "GROUPING SETS (($by), ())");

	$query->{family} = 'group';
	$query->{sql} = "SELECT $group[0], " . choose(@aggregates) . ', '
	  . choose(@aggregates) . " FROM <<$name>> a $where GROUP BY $by $having";
	$self->whole($query, $relation);
	return;
}

sub windowed
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->in_list_order;
	my $id = "a.$relation->{id}";
	my $window = choose(
		"row_number() OVER (ORDER BY $id)",
		"rank() OVER (PARTITION BY a.status ORDER BY $id)",
		"lag($id) OVER (ORDER BY $id)",
		"count(*) OVER ()",
		"count(*) OVER (PARTITION BY a.status)",
		"first_value($id) OVER (PARTITION BY a.status ORDER BY $id DESC)");

	$query->{family} = 'window';
	$query->{sql} = "SELECT $id, $window FROM <<$name>> a";
	$self->whole($query, $relation);
	return unless chance(0.3);

	# a Limit on top of numbered rows does not reach the service
	$query->{sql} = "SELECT * FROM (SELECT $id, "
	  . "row_number() OVER (<<order a.$relation->{id}>>) AS n FROM <<$name>> a) numbered WHERE n % 10 = 3";
	return;
}

sub distinct
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->relation;
	my $column = 'a.' . choose($self->columns($relation));

	$query->{family} = 'distinct';
	if (chance(0.3))
	{
		$query->{sql} = "SELECT DISTINCT ON ($column) $column, a.$relation->{id} "
		  . "FROM <<$name>> a ORDER BY $column, a.$relation->{id}";
		$query->{compare} = 'order';
		$self->whole($query, $relation);
		return;
	}
	$query->{sql} = "SELECT DISTINCT $column, a.status FROM <<$name>> a";
	$self->whole($query, $relation);
	return if chance(0.5);

	my ($limit, $first, $want) = $self->limit($query, 5);
	$query->{full} = $query->{sql};
	$query->{sql} .= " $limit";
	$query->{compare} = 'subset';
	@$query{qw(first want)} = ($first, $want);
	delete @$query{qw(lines completes)};
	return;
}

sub set_returning
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->in_list_order;
	my ($limit, $first, $want) =
	  $self->limit($query, $self->objects($relation->{list}));

	$query->{family} = 'set returning';
	$query->{sql} = "SELECT a.$relation->{id}, generate_series(1, 2) "
	  . "FROM <<$name>> a <<order a.$relation->{id}>> $limit";
	$query->{compare} = 'order';
	my $half = sub {
		my $values = shift;
		my $wanted = $want->($values);
		return $wanted unless $wanted && $wanted < 1e9;
		my $skipped = min($first->($values) // 0, 1e9);
		return int(($skipped + $wanted + 1) / 2);
	};
	$self->add_until($query, $name, $relation, 'true', sub { 0 }, $half);
	return;
}

sub nothing
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->relation;
	my $id = "a.$relation->{id}";
	my $condition = $self->condition($query, 'a', $relation);

	$query->{family} = 'nothing';
	$query->{sql} = choose(
		"SELECT * FROM <<$name>> a WHERE false",
		"SELECT * FROM <<$name>> a WHERE $condition AND 1 = 2",
		"SELECT * FROM <<$name>> a WHERE $condition LIMIT 0",
		"SELECT * FROM <<$name>> a ORDER BY $id LIMIT 0",
		"SELECT * FROM <<$name>> a WHERE $id = NULL",
		"SELECT count(*) FROM <<$name>> a WHERE false",
		"SELECT * FROM note n JOIN <<$name>> a ON $id\::text = n.id WHERE false");
	$query->{lines} = sub { [] };
	return;
}

# Ranges in the arms of a UNION ALL.
sub arms
{
	my ($self, $query) = @_;
	my (@arms, %lists, @lines);

	foreach my $number (1 .. choose(2, 2, 3))
	{
		my $alias = "a$number";
		my ($name, $relation) = $self->in_list_order;
		my ($limit, $first, $want) =
		  $self->limit($query, $self->objects($relation->{list}));
		my $arm = { params => $query->{params}, uses => $query->{uses} };
		$self->add_range($arm, $relation, $first, $want);
		push @lines, $arm->{lines};
		$lists{ $relation->{list} }++;
		push @arms, "(SELECT $alias.$relation->{id}\::text, $alias.status "
		  . "FROM <<$name>> $alias <<order $alias.$relation->{id}>> $limit)";
	}
	$query->{family} = 'union of ranges';
	$query->{sql} = join ' UNION ALL ', @arms;
	$query->{unordered} = 1;

	# what one range has read serves another
	return if grep { $_ > 1 } CORE::values %lists;
	$query->{lines} = sub {
		my @either = ([]);
		foreach my $arm (map { [ $_->(@_) ] } @lines)
		{
			@either = map { my $one = $_; map { [ @$one, @$_ ] } @$arm } @either;
		}
		return @either;
	};
	return;
}

# A range for each row of a local table.
sub lateral
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->in_list_order;
	my $id = "a.$relation->{id}";

	$query->{family} = 'lateral';
	if (chance(0.5))
	{
		$query->{sql} = "SELECT note.n, note.skip, $id FROM note, LATERAL "
		  . "(SELECT a.* FROM <<$name>> a <<order a.$relation->{id}>> "
		  . 'LIMIT note.n OFFSET note.skip) a';
		foreach my $row (@{ $self->{note} })
		{
			$self->use_range($query, $relation,
				sub { $row->[2] }, sub { $row->[1] });
		}
		return;
	}
	$self->use_walk($query, $relation);
	$query->{sql} = choose(
		"SELECT note.n, $id FROM note CROSS JOIN LATERAL (SELECT a.* FROM <<$name>> a "
		  . "WHERE length(a.status) > note.n <<order a.$relation->{id}>> LIMIT 2) a",
		"SELECT note.n, (SELECT $id FROM <<$name>> a "
		  . "WHERE length(a.status) > note.n ORDER BY $id LIMIT 1) FROM note",
		'WITH RECURSIVE r (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 4) '
		  . "SELECT r.n, (SELECT count(*) FROM <<$name>> a "
		  . 'WHERE length(a.status) > r.n + 5) FROM r');
	return;
}

1;
