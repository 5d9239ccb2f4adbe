# Every reading of the API's documents against every other: what total says,
# what index counts and what is believed of it, what becomes of limit, and what
# the envelope states.  Of a list that keeps still each must give exactly its
# rows, or an error that says what does not fit.
#
# Environment:
#	READINGS	only this one, as a failure names it

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Control;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Standin;
use Test::More;

# Failures after which nothing new is learned.
my $enough = 10;

# Pages, and lists, of these lengths; with large ones not everything.
my @series = (
	{
		size => 4,
		lengths => [ 0, 1, 4, 5, 9, 14 ],
		totals => [qw(grand string page missing null negative small 0 3 large huge 20)],
		stated => [qw(effective asked wrong string missing null)]
	},
	{
		size => 100,
		lengths => [ 99, 100, 101, 250 ],
		totals => [qw(grand page missing large)],
		stated => [qw(effective asked)]
	});

# The rows of a page: as asked, half of that at most, or always half as many more.
my @limits = qw(asked half more);
my @indexes = qw(asked row wrong string missing null);
my %resources = (
	tasks => 'task_id',
	features => 'feature_id',
	'task-runs' => 'run_id',
	'shopping-intents' => 'profile_id',
	'custom-attributes' => 'profile_id');
my @resources = sort keys %resources;

my $standin = Standin->start;
my $control = Control->new($standin->control);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $session = Session->new($node->connstr('postgres'));
my (%tally, $failures);

sub create_all
{
	$session->query_safe('SET client_min_messages = warning');
	$session->query_safe('CREATE EXTENSION nclue_fdw');
	foreach my $unit (qw(row page))
	{
		my $endpoint = $standin->endpoint;

		$session->query_safe($_) foreach (
			"CREATE SERVER $unit FOREIGN DATA WRAPPER nclue_fdw OPTIONS (
			 endpoint '$endpoint', rate_limit '0', max_retries '0',
			 max_in_flight '1', index_unit '$unit')",
			"CREATE USER MAPPING FOR PUBLIC SERVER $unit
			 OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST')");
		foreach my $resource (@resources)
		{
			foreach my $size (map { $_->{size} } @series)
			{
				$session->query_safe("CREATE FOREIGN TABLE \"$unit $resource $size $_\"
					(id text OPTIONS (json_key '$resources{$resource}'))
					SERVER $unit OPTIONS (resource '$resource', page_size '$size',
					list_order '$_')")
				  foreach qw(auto stable);
			}
		}
	}
	return;
}

# ---- what is to be expected ----

# The number of objects that total states; undef where it states none.
sub stated_total
{
	my ($reading) = @_;
	my %totals = (
		grand => $reading->{objects},
		string => $reading->{objects},
		small => int $reading->{objects} / 2,
		large => 2 * $reading->{objects} + 1,
		huge => 1e18);
	return $totals{ $reading->{total} }
	  // ($reading->{total} =~ /^\d+$/ ? $reading->{total} : undef);
}

sub rows_in_page
{
	my $reading = shift;
	my %rows = (asked => 1, half => 0.5, more => 1.5);
	return $rows{ $reading->{limit} } * $reading->{size};
}

# Pages are shorter than asked, and no envelope says so.
sub is_cut_silently
{
	my $reading = shift;
	return $reading->{limit} eq 'half' && $reading->{stated} !~ /effective|string/;
}

# What must be read, for nothing in the answers says anything else.
sub is_plain
{
	my $reading = shift;
	my $total = stated_total($reading);

	# one page may be all there is, and then nothing else matters but total
	return 0 if defined $total && $total > $reading->{objects};
	return 1 if $reading->{objects} < rows_in_page($reading)
	  && $reading->{objects} < $reading->{size};
	return 0 if $reading->{believed} ne $reading->{unit};
	return 1 if $reading->{limit} eq 'asked';

	# pages of another size begin elsewhere where index counts pages
	return 0 if $reading->{unit} ne 'row';
	return $reading->{limit} eq 'more' || !is_cut_silently($reading)
	  || (defined $total && $total >= $reading->{objects});
}

# Where nobody can tell that the list goes on: a page shorter than its limit,
# and no total that says more.
sub may_end_early
{
	my $reading = shift;
	my $total = stated_total($reading);

	return is_cut_silently($reading) && !(defined $total && $total >= $reading->{objects});
}

# ---- trying ----

sub name
{
	my $reading = shift;
	return join ' ', map { "$_:$reading->{$_}" } sort keys %$reading;
}

sub wrong
{
	my ($reading, $error, $rows, $truth) = @_;

	if ($error)
	{
		return "$error, though nothing contradicts" if is_plain($reading);

		# small pages, counted, or such of another size, look like a list that
		# moves
		return '' if $error eq 'ERROR:  40001' && $reading->{believed} eq 'page'
		  && ($reading->{size} == 4 || $reading->{limit} ne 'asked');
		return $error eq 'ERROR:  HV021' ? '' : $error;
	}
	return '' if "@$rows" eq "@$truth";
	return '' if may_end_early($reading) && "@$rows" eq "@$truth[0 .. $#$rows]";
	return 'wrong rows, without a word';
}

sub try
{
	my $reading = shift;
	my (undef, undef, undef, $truth) = $control->batch(
		['reset'],
		[ 'set', "index_unit=$reading->{unit}", "total=$reading->{total}",
			($reading->{limit} eq 'asked' ? () :
				($reading->{limit} eq 'half' ? 'limit_cap=' : 'limit_fixed=') . rows_in_page($reading)),
			"envelope_limit=$reading->{stated}",
			"envelope_index=$reading->{index}" ],
		[ 'objects', $reading->{objects}, $reading->{resource} ],
		[ 'ids', $reading->{resource} ]);
	my @rows = $session->query(
		"SELECT id FROM \"$reading->{believed} $reading->{resource} $reading->{size} $reading->{order}\"");
	my $error = $session->error;
	my $wrong = wrong($reading, $error, \@rows, $truth);

	$tally{ $error ? "refused with $error" : "@rows" eq "@$truth" ? 'right' : 'ended early' }++;
	$tally{'must be right'}++ if is_plain($reading);
	return unless $wrong;
	$failures++;
	my ($requests) = $control->batch([qw(requests all)]);
	diag(join "\n", $wrong, "READINGS='" . name($reading) . "'", @$requests,
		'rows: ' . scalar @rows, '');
	return;
}

create_all();
if ($ENV{READINGS})
{
	$failures = 0;
	try({ map { split /:/ } split / /, $ENV{READINGS} });
	is($failures, 0, $ENV{READINGS});
	done_testing();
	exit;
}

my $n = 0;

# All of a series for what index counts and what it is believed to count; what
# is not in the series, by turns.
sub try_series
{
	my ($series, %reading) = @_;

	foreach my $total (@{ $series->{totals} })
	{
		foreach my $limit (@limits)
		{
			foreach my $stated (@{ $series->{stated} })
			{
				foreach my $objects (@{ $series->{lengths} })
				{
					return if $failures >= $enough;
					try({
						%reading,
						size => $series->{size},
						total => $total,
						limit => $limit,
						stated => $stated,
						objects => $objects,
						index => $indexes[ $n % @indexes ],
						order => (qw(auto stable))[ $n / 7 % 2 ],
						resource => $resources[ $n % @resources ]
					});
					$n++;
				}
			}
		}
	}
	return;
}

foreach my $believed (qw(row page))
{
	foreach my $unit (qw(row page ignored))
	{
		$failures = 0;
		try_series($_, believed => $believed, unit => $unit) foreach @series;
		is($failures, 0, "index_unit $believed, the service's $unit");
	}
}
note("$n readings");
note("$_: $tally{$_}") foreach sort keys %tally;

$session->close;
$node->stop;
$standin->stop;
done_testing();
