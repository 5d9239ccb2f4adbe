# Random SELECTs on the foreign tables, with what they must give and may cost.
#
#	my $generator = RandomQuery->new(relations => {...}, ...);
#	my $query = $generator->query;
#	my @values = $generator->values($query);
#	$generator->sql($query, 'f', \@values)		on the foreign tables
#	$generator->sql($query, 'l', \@values)		on the local copies
#	$generator->sql($query, 'f')				the same with $1, $2, ...
#
# A query is a template.  In it "<<name>>" is a table, "<<order a.task_id>>" puts the
# rows of a local copy into the order of the list, in which the foreign table's
# come by themselves, and every literal is a parameter.  A query has
#
#	family		what kind it is
#	params		its parameters: { type, pick }
#	compare		rows (in any order), order, or subset: count rows of those that
#				the template "full" gives
#	lines		sub (values): exactly these requests, in any order if "unordered";
#				where it returns several lists, those of one of them
#	completes	the list that such requests read to its end
#	uses		{ list => { walk, ids, ranges } }, for the most that it may cost
#
# What is random comes from rand() alone, so srand() repeats it.

package RandomQuery;

use strict;
use warnings;

use List::Util qw(min sum0 uniq);
use RandomTree;

our @ISA = ('RandomTree');

my %paths = (
	'tasks' => 'tasks',
	'features' => 'features',
	'task-runs' => 'task-runs',
	'shopping-intents' => 'profile/shopping-intents',
	'custom-attributes' => 'profile/custom-attributes');

# Ids that no object has; those that cannot be a segment of a path are never
# sent.
my @unsendable = ('', '.', '..', 'a/b', '/');
my @unknown = (
	'no-such-id', 'a b', "o'clock", 'a%2Fb', 'a?b#c', '...', 'x' x 200,
	"\xec\x95\x84\xec\x9d\xb4\xeb\x94\x94", '00000000-0000-4000-8000-000000000000');

# relations: { name => { list, id, columns => { column => type }, lookup,
# filtered, checked } }; lists: { list => { objects, ids, values => { column =>
# [...] } } }; requests; grand: total is the list's length; note: rows of
# the local table note as [id, n, skip].
sub new
{
	my ($class, %facts) = @_;
	my $self = bless {%facts}, $class;

	$self->{weights} = [
		[ 14, 'filtered' ], [ 12, 'range' ], [ 7, 'range_inside' ],
		[ 9, 'filtered_limit' ], [ 5, 'sorted_limit' ], [ 5, 'counted' ],
		[ 8, 'by_id' ], [ 7, 'by_ids' ], [ 4, 'grouped' ],
		[ 4, 'windowed' ], [ 3, 'distinct' ], [ 4, 'set_returning' ],
		[ 4, 'nothing' ], [ 4, 'arms' ], [ 4, 'lateral' ], [ 40, 'tree' ]
	];
	$self->{weight} = sum0 map { $_->[0] } @{ $self->{weights} };
	return $self;
}

sub query
{
	my $self = shift;
	my $at = rand $self->{weight};

	foreach my $each (@{ $self->{weights} })
	{
		$at -= $each->[0];
		next if $at >= 0;
		my $query = { params => [], uses => {}, compare => 'rows' };
		my $family = $each->[1];
		$self->$family($query);
		return $query;
	}
	die 'no family';
}

# ---- texts and values ----

sub chance { return rand() < $_[0]; }

sub choose { return $_[ int rand @_ ]; }

sub quoted
{
	my ($value, $type) = @_;

	return "NULL::$type" unless defined $value;
	return "ARRAY[" . join(', ', map { quoted($_, 'text') } @$value) . "]::$type"
	  if ref $value;
	return $value if $type eq 'bigint' && $value =~ /^\d+$/;
	(my $text = $value) =~ s/'/''/g;
	return $type eq 'text' ? "'$text'" : "'$text'::$type";
}

sub literal
{
	my ($self, $query, $type, $pick) = @_;

	push @{ $query->{params} }, { type => $type, pick => $pick };
	return "\x01$#{ $query->{params} }\x02";
}

sub values
{
	my ($self, $query) = @_;
	return map { $_->{pick}->() } @{ $query->{params} };
}

sub sql
{
	my ($self, $query, $schema, $values, $template) = @_;
	my $sql = $template // $query->{sql};

	$sql =~ s/\x01(\d+)\x02/
	  $values ? quoted($values->[$1], $query->{params}[$1]{type})
	  : '$' . ($1 + 1)/ge;
	$sql =~ s/<<order ([\w.]+)>>/$schema eq 'l' ?
	  "ORDER BY (SELECT place.n FROM place WHERE place.id = $1\::text)" : ''/ge;
	$sql =~ s/<<(\w+)>>/$schema.$1/g;
	return $sql;
}

sub types
{
	my ($self, $query) = @_;
	return map { $_->{type} } @{ $query->{params} };
}

# ---- what it may cost ----

sub objects { return $_[0]{lists}{ $_[1] }{objects}; }

sub line { return "GET /api/v1/$paths{$_[0]}?index=$_[1][0]&limit=$_[1][1]"; }

sub lines_of
{
	my ($list, @pages) = @_;
	return [ map { line($list, $_) } @pages ];
}

sub walk
{
	my ($self, $list, $until) = @_;
	return $self->{requests}->walk($self->objects($list), $until);
}

# Requests to which the list's last known length compares look-ups.
sub walk_known
{
	my ($self, $list) = @_;
	my @pages = $self->walk($list);
	return @pages - ($self->{requests}{heads} && @pages > 1 ? 1 : 0);
}

sub use_walk { $_[1]{uses}{ $_[2]{list} }{walk} = 1; return; }

# An object of the relation may be asked for by its id, so many times at most.
sub use_ids
{
	my ($self, $query, $relation, $count) = @_;
	$query->{uses}{ $relation->{list} }{ids} += $count // 1e6
	  if $relation->{lookup};
	return;
}

# A range of the relation: subs of the values that give OFFSET and LIMIT.
sub use_range
{
	my ($self, $query, $relation, $first, $want) = @_;
	push @{ $query->{uses}{ $relation->{list} }{ranges} }, [ $first, $want ];
	return;
}

# The most requests, where these lists are at hand.
sub most
{
	my ($self, $query, $values, $held) = @_;
	my $most = 0;

	foreach my $list (keys %{ $query->{uses} })
	{
		my $use = $query->{uses}{$list};
		next if $held->{$list};
		$most += $self->walk($list) if $use->{walk};
		$most += min($use->{ids}, $self->walk_known($list)) if $use->{ids};
		foreach my $range (@{ $use->{ranges} // [] })
		{
			my ($first, $want) = map { $_->($values) } @$range;
			$most += !$first && !defined $want ? $self->walk($list) :
			  $self->{requests}->range($self->objects($list), $first, $want);
		}
	}
	return $most;
}

# Exactly a walk.
sub whole
{
	my ($self, $query, $relation) = @_;
	my $list = $relation->{list};

	$self->use_walk($query, $relation);
	$query->{completes} = $list;
	$query->{lines} = sub { lines_of($list, $self->walk($list)) };
	return;
}

# ---- pieces ----

sub relation
{
	my ($self, $test) = @_;
	my @names = grep { !$test || $test->($self->{relations}{$_}) }
	  sort keys %{ $self->{relations} };
	my $name = choose(@names);
	return ($name, $self->{relations}{$name});
}

# One whose rows come in the order of the list.
sub in_list_order
{
	my $self = shift;
	return $self->relation(sub { !$_[0]{filtered} });
}

sub columns
{
	my ($relation, $type) = @_;
	my $columns = $relation->{columns};
	return grep { !$type || $columns->{$_} eq $type } sort keys %$columns;
}

# A value of a column as objects have it, or sometimes another.
sub value_of
{
	my ($self, $query, $relation, $column) = @_;
	my $type = $relation->{columns}{$column};
	my $values = $self->{lists}{ $relation->{list} }{values}{$column} // [];
	my %other = (
		'text' => 'completed',
		'bigint' => '1000000',
		'double precision' => '0.75',
		'numeric' => '0.5',
		'uuid' => '00000000-0000-4000-8000-000000000000',
		'timestamp with time zone' => '2024-03-01 00:00:00+09');

	return $self->literal($query, $type,
		sub { @$values && chance(0.9) ? choose(@$values) : $other{$type} });
}

sub ids_of { return @{ $_[0]{lists}{ $_[1]{list} }{ids} }; }

sub an_id
{
	my ($self, $relation) = @_;
	my @ids = $self->ids_of($relation);

	return choose(@ids) if @ids && chance(0.75);
	return choose(@unknown) if chance(0.7);
	return chance(0.6) ? choose(@unsendable) : undef;
}

sub is_sendable
{
	my $id = shift;
	return defined $id && !grep { $_ eq $id } @unsendable;
}

sub lookup_line
{
	my ($relation, $id) = @_;
	(my $segment = $id) =~ s/([^A-Za-z0-9._~-])/sprintf('%%%02X', ord $1)/ge;
	return "GET /api/v1/$paths{$relation->{list}}/$segment";
}

# Look-ups of these ids, or the list where that is fewer requests; either where
# it is as many.
sub ids_or_walk
{
	my ($self, $relation, @ids) = @_;
	my $list = $relation->{list};
	my @either;

	push @either, [ map { lookup_line($relation, $_) } @ids ]
	  if @ids <= $self->walk_known($list);
	push @either, lines_of($list, $self->walk($list))
	  if @ids && @ids >= $self->walk_known($list);
	return @either;
}

# A condition that the service cannot test, true or false by the row.
sub condition
{
	my ($self, $query, $alias, $relation, $depth) = @_;

	$depth //= 0;
	if ($depth < 2 && chance(0.25))
	{
		my @two = map {
			$self->condition($query, $alias, $relation, $depth + 1)
		} 1 .. 2;
		my $operator = choose('AND', 'AND', 'OR', 'OR', 'AND NOT');
		return "($two[0] $operator $two[1])";
	}

	my $id = "$alias.$relation->{id}";
	my $id_value = sub {
		return $self->value_of($query, $relation, $relation->{id});
	};
	my @of_id = (
		# negated it would be a look-up
		sub { "$id " . ($depth ? '<' : '<>') . ' ' . $id_value->() },
		sub { "$id > " . $id_value->() },
		sub { "$id\::text || '' = " . $id_value->() . '::text' },
		sub { "substr($id\::text, 1, 1) < 'a'" },
		sub { "length($id\::text) <> 3" },
		sub { "md5($id\::text) LIKE '%a%'" });
	return choose(@of_id)->() if chance(0.15);

	my $column = choose(grep { $_ ne $relation->{id} } columns($relation));
	my $type = $relation->{columns}{$column};
	my $name = "$alias.$column";
	my $value = sub { $self->value_of($query, $relation, $column) };
	my @of_any = (
		sub { "$name > " . $value->() },
		sub { "$name <= " . $value->() },
		sub { "$name <> " . $value->() },
		sub { "$name IS NULL" },
		sub { "$name IS NOT NULL" },
		sub { "$name IS DISTINCT FROM " . $value->() });
	my %of_type = (
		'text' => [
			sub { "$name = " . $value->() },
			sub { "$name IN (" . join(', ', map { $value->() } 1 .. 3) . ')' },
			sub { "$name LIKE '%a%'" },
			sub { "$name ~ '[0-9]5'" },
			sub { "length($name) % 3 = 1" },
			sub { "public.same_volatile($name) = " . $value->() },
			sub { "public.same_stable($name) <> " . $value->() },
			sub { "upper($name) = upper(" . $value->() . ')' }
		],
		'bigint' => [
			sub { "$name % 7 = 2" },
			sub { "$name = " . $value->() },
			sub { "$name BETWEEN " . $value->() . ' AND ' . $value->() },
			sub { "COALESCE($name, 0) < " . $value->() }
		]);

	return choose(@of_any, @{ $of_type{$type} // [] })->();
}

# What to select of one table: columns, expressions, or the row.
sub targets
{
	my ($self, $query, $alias, $relation, $most) = @_;
	my @columns = columns($relation);
	my @targets;

	return choose("$alias.*", $alias) if chance(0.15);
	foreach my $number (1 .. 1 + int rand($most // 3))
	{
		my $column = choose(@columns);
		my $name = "$alias.$column";
		my $type = $relation->{columns}{$column};
		push @targets,
		  chance(0.7) ? $name
		  : $type eq 'text' ? choose(
			"upper($name)", "left($name, 3)", "COALESCE($name, '-')",
			"public.same_volatile($name)", "$name || '!'")
		  : $type eq 'bigint' ? choose("$name / 3", "COALESCE($name, -1)",
			"CASE WHEN $name % 2 = 0 THEN 'even' ELSE 'odd' END")
		  : choose("$name IS NULL", "$name\::text", $name);
	}
	return join(', ', map { "$targets[$_] AS c$_" } 0 .. $#targets);
}

sub direction { return choose('', '', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'); }

# In which no two rows are equal.
sub total_order
{
	my ($self, $alias, $relation) = @_;
	my $id = "$alias.$relation->{id}" . choose('', ' DESC');

	return "ORDER BY $id" if chance(0.3);
	return "ORDER BY $alias." . choose(columns($relation)) . direction() . ", $id";
}

# A number of rows to limit to, or to leave out, in a list of so many.
sub a_number
{
	my ($self, $objects) = @_;
	my $size = $self->{requests}{size};

	return choose(0, 1, 2, 3, 5, 10) if chance(0.4);
	return int rand($objects + 2) if chance(0.5);
	return choose($size - 1, $size, $size + 1, $size * 2 - 1, $size * 2)
	  if chance(0.5);
	return choose(
		$objects, $objects + 1, $objects > 0 ? $objects - 1 : 0, undef,
		'2147483647', '2147483648', '9223372036854775807');
}

# A LIMIT and OFFSET in one of their spellings; subs of the values for both.
sub limit
{
	my ($self, $query, $objects, $kind) = @_;
	my ($first, $want) = (sub { undef }, sub { undef });
	my ($limit, $offset) = ('', '');

	$kind //= choose('limit', 'limit', 'both', 'both', 'offset');
	if ($kind ne 'offset')
	{
		my $value = $self->literal($query, 'bigint',
			sub { $self->a_number($objects) });
		my $at = $#{ $query->{params} };
		$want = sub { $_[0][$at] };
		$limit = choose("LIMIT $value", "LIMIT $value", "LIMIT $value + 0",
			"FETCH FIRST ($value) ROWS ONLY");
	}
	if ($kind ne 'limit')
	{
		my $value = $self->literal($query, 'bigint',
			sub { $self->a_number($objects) });
		my $at = $#{ $query->{params} };
		$first = sub { $_[0][$at] };
		$offset = "OFFSET $value";
	}
	# the standard's spelling wants OFFSET before it
	return ("$offset $limit", $first, $want);
}

# ---- families ----

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
		my @either = lines_of($list,
			$self->{requests}->range($self->objects($list), @range));

		# as literals, OFFSET 0 and LIMIT NULL are as good as none
		push @either, lines_of($list, $self->walk($list))
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
		return lines_of($list, $self->walk($list, $until));
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
	  "SELECT $targets FROM <<$name>> a WHERE $condition <<order a.$relation->{id}>> $limit $lock";
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
		my $column = choose(columns($relation));
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
		  lines_of($list, $self->walk($list));
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
		return lines_of($list, $local ? $self->walk($list) :
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
		return [] unless is_sendable($id);
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
		my @ids = uniq grep { is_sendable($_) }
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
	my @group = map { "a.$_" } uniq map { choose(columns($relation)) } 1 .. 2;
	my $number = choose(columns($relation, 'bigint'), columns($relation, 'numeric'));
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
	$query->{sql} = "SELECT * FROM (SELECT $id, row_number() OVER (<<order a.$relation->{id}>>) AS n "
	  . "FROM <<$name>> a) numbered WHERE n % 10 = 3";
	return;
}

sub distinct
{
	my ($self, $query) = @_;
	my ($name, $relation) = $self->relation;
	my $column = 'a.' . choose(columns($relation));

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
	$query->{lines} = sub { [ map { @{ ($_->(@_))[0] } } @lines ] }
	  unless grep { $_ > 1 } CORE::values %lists;
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
		  . "SELECT r.n, (SELECT count(*) FROM <<$name>> a WHERE length(a.status) > r.n + 5) FROM r");
	return;
}

1;
