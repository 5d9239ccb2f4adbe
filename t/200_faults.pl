# The fault matrix: every fault of the stand-in, at every place of a statement,
# on every way to the service.  Right rows or the right error in bounded time and
# memory, as many requests as they take, and the same backend goes on.
#
# By default every fault is tried everywhere over plain HTTP as far as nothing
# has to be waited for, and at one place over each of the others.  FAULTS=all
# tries the whole matrix and shows it; FAULTS=TEXT the faults whose names contain
# the text.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FaultMatrix qw(@places @transports kind);
use FaultTable qw(@faults outcomes);
use List::Util qw(max);
use Pace qw(stop_nginx);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $wanted = $ENV{FAULTS} // '';
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION nclue_fdw');

my $directory = PostgreSQL::Test::Utils::tempdir;
my $matrix = FaultMatrix->new($node, $directory, 6);

# ---- what is tried ----

my @lines;
my @cells;
my $number = 0;
foreach my $fault (@faults)
{
	$number++;
	next
	  unless $wanted eq ''
	  || $wanted eq 'all'
	  || index($fault->{name}, $wanted) >= 0;
	foreach my $transport (@transports)
	{
		my $line = { fault => $fault, transport => $transport, cells => {} };
		add_cells($line, $number++);
		push @lines, $line if %{ $line->{cells} };
	}
}

# Adds a line's cells: at each place one, and one more where the fault may pass.
# Unless all are wanted, those are left out that the turn of the line does not
# choose.
sub add_cells
{
	my ($line, $turn) = @_;
	my ($fault, $transport) = @$line{qw(fault transport)};
	my %expect = map { $_ => outcomes($fault, $_, kind($_), $transport) } @places;
	my @there = grep { !$expect{$_}{none} } @places;

	foreach my $place (@there)
	{
		my $chosen = $wanted ne '' || $place eq $there[ $turn % @there ];

		foreach my $again (0 .. $expect{$place}{again} // 0)
		{
			next unless $chosen || ($transport eq 'plain' && !$again);
			push @{ $line->{cells}{$place} },
			  {
				fault => $fault,
				transport => $transport,
				place => $place,
				again => $again,
				expect => $expect{$place}
			  };
		}
	}
	push @cells, map { @$_ } values %{ $line->{cells} };
	return;
}

die "no fault's name contains \"$wanted\"\n" unless @cells;
my $start = time;
$matrix->run(@cells);
my $took = time - $start;

# ---- what came ----

foreach my $line (@lines)
{
	my $what = "$line->{fault}{name}, $line->{transport}";
	my @wrong = map { @{ $_->{result}{wrong} } } map { @$_ } values %{ $line->{cells} };

	is(join("\n", @wrong), '', $what);
}
is($matrix->strange_connections, 0, 'no redirect was followed');
my ($spoken, $of) = $matrix->http2_requests;
cmp_ok($spoken, '>', 0, 'nginx was spoken to');
is($spoken, $of, '... in HTTP/2');

# A new fault cannot be forgotten.
my %shown;
foreach my $fault (@faults)
{
	$shown{$_} = 1 foreach map { s/=.*//r } @{ $fault->{words} // [] };
	$shown{"$_=$fault->{$_}"} = 1
	  foreach grep { $fault->{$_} } qw(accept certificate);
}
is(join(' ', grep { !$shown{$_} } $matrix->all_faults), '',
	'every fault of the stand-in is in the table');

# ---- the table ----

sub shown
{
	my ($line, $place) = @_;
	my ($cell, $again) = map { $_->{result}{came} } @{ $line->{cells}{$place} // [] };

	return '-' unless defined $cell;
	return $cell . (defined $again ? ", $again" : '');
}

sub say_table
{
	my ($say) = @_;

	$say->('SQLSTATE or rows, and requests; behind a comma with another attempt');
	$say->(sprintf '%-42s %-5s' . ' %-14s' x @places . ' %6s %7s',
		'fault', 'over', @places, 's', 'MB');
	foreach my $line (@lines)
	{
		my @results = map { $_->{result} } map { @$_ } values %{ $line->{cells} };

		$say->(sprintf '%-42s %-5s' . ' %-14s' x @places . ' %6.2f %7.1f',
			$line->{fault}{name}, $line->{transport},
			(map { shown($line, $_) } @places),
			max(map { $_->{seconds} } @results),
			max(0, map { $_->{growth} } @results) / 1024);
	}
	return;
}

my %names = map { $_->{fault}{name} => 1 } @lines;
my %count;
$count{ $_->{transport} }++ foreach @cells;
my $summary = sprintf '%d cells of %d faults in %.0f s: %s', scalar @cells,
  scalar keys %names, $took,
  join ', ', map { "$_ " . ($count{$_} // 0) } @transports;
say_table($wanted eq '' ? \&note : \&diag);
diag $summary;

done_testing();

END
{
	local $?;
	stop_nginx($directory) if $directory;
}
