# What the library shows to the backend, and what it takes from it: a name that
# both have is the wrong one for one of them.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

my ($pkglibdir) = run_command([ 'pg_config', '--pkglibdir' ]);
my ($bindir) = run_command([ 'pg_config', '--bindir' ]);

# the names that nm lists with the given options, without versions
sub names
{
	my (@options) = @_;
	my ($out, $err) = run_command([ 'nm', '-D', @options ]);
	die "nm @options: $err" if $err ne '' or $out eq '';
	return map { (split /\s+/)[-1] =~ s/@.*//r } split /\n/, $out;
}

my @exported = sort(names('--defined-only', "$pkglibdir/nclue_fdw.so"));
is_deeply(
	[ grep { !/^pg_finfo_/ } @exported ],
	[
		'Pg_magic_func', '_PG_init', 'nclue_fdw_check',
		'nclue_fdw_handler', 'nclue_fdw_stat', 'nclue_fdw_stat_reset',
		'nclue_fdw_validator', 'nclue_fdw_version'
	],
	'only what PostgreSQL calls is exported');

# jansson and the backend have some names in common
my %backend = map { $_ => 1 } names('--defined-only', "$bindir/postgres");
my @json = grep { /^json_/ } names('--undefined-only', "$pkglibdir/nclue_fdw.so");
cmp_ok(scalar(@json), '>', 0, 'jansson is used');
is_deeply([ grep { $backend{$_} } @json ],
	[], 'none of its functions is hidden by one of the backend');

done_testing();
