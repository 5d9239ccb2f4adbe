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

use List::Util qw(min sum0);
use RandomChoice;
use RandomFamilies;
use RandomTree;

our @ISA = ('RandomFamilies', 'RandomTree');

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
	my ($self, $list, @pages) = @_;
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
	$query->{lines} = sub { $self->lines_of($list, $self->walk($list)) };
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
	my ($self, $relation, $type) = @_;
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
	my ($self, $id) = @_;
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
	push @either, $self->lines_of($list, $self->walk($list))
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

	my $column = choose(grep { $_ ne $relation->{id} } $self->columns($relation));
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
	my @columns = $self->columns($relation);
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
	return "ORDER BY $alias." . choose($self->columns($relation)) . direction() . ", $id";
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

1;
