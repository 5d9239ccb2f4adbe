# ALTER EXTENSION nclue_fdw UPDATE, from each version there is to the next one,
# which is made here: a script, and a control file that names it.
#
# The installation is left alone.  PostgreSQL finds its directories relative to
# its program, so a copy of the program beside links to everything else is an
# installation of its own; only the extension's directory is made anew.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Catalog;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

my $next = '1.0.99test';

sub pg_config
{
	my ($out) = run_command([ 'pg_config', "--$_[0]" ]);
	return $out;
}

sub write_file
{
	my ($file, $text) = @_;
	open(my $out, '>', $file) or die "$file: $!";
	print $out $text;
	close $out or die "$file: $!";
	return;
}

sub link_all
{
	my ($from, $to, %leave) = @_;

	make_path($to);
	foreach my $file (grep { !$leave{ basename($_) } } glob("$from/*"))
	{
		symlink($file, "$to/" . basename($file)) or die "$file: $!";
	}
	return;
}

# Makes it below $root, and returns its directories of programs and extensions.
sub second_installation
{
	my $root = shift;
	my ($bin, $lib, $share) = map { pg_config($_) } qw(bindir pkglibdir sharedir);
	my %copied = map { $_ => 1 } qw(postgres initdb pg_ctl);

	link_all($bin, "$root$bin", %copied);
	foreach my $program (keys %copied)
	{
		copy("$bin/$program", "$root$bin/$program") or die "$program: $!";
		chmod 0755, "$root$bin/$program";
	}
	link_all($share, "$root$share", extension => 1);
	link_all("$share/extension", "$root$share/extension",
		'nclue_fdw.control' => 1);
	if (!-e "$root$lib")
	{
		make_path(dirname("$root$lib"));
		symlink($lib, "$root$lib") or die "$lib: $!";
	}
	return ("$root$bin", "$root$share/extension");
}

my ($bin, $extensions) = second_installation(PostgreSQL::Test::Utils::tempdir());
my $control = slurp_file(pg_config('sharedir') . '/extension/nclue_fdw.control');
my ($last) = $control =~ /^default_version = '(.*)'$/m
  or die 'the control file names no version';

write_file("$extensions/nclue_fdw.control", $control);
my $change = <<'END';
\echo Use "ALTER EXTENSION nclue_fdw UPDATE" to load this file. \quit

CREATE FUNCTION nclue_fdw_upgraded() RETURNS text LANGUAGE sql
AS $$ SELECT 'now ' || nclue_fdw_version() $$;

CREATE OR REPLACE FUNCTION nclue_fdw_version() RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
END
write_file("$extensions/nclue_fdw--$last--$next.sql", $change);
write_file("$extensions/nclue_fdw--$next.sql",
	slurp_file("$extensions/nclue_fdw--$last.sql") . $change);
write_file("$extensions/nclue_fdw--$last--broken.sql", <<'END');
CREATE FUNCTION nclue_fdw_broken() RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT 1 / 0;
END

$ENV{PATH} = "$bin:$ENV{PATH}";
my $standin = Standin->start(objects => 150);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
is( abs_path($node->safe_psql('postgres',
		q{SELECT setting || '/extension' FROM pg_config WHERE name = 'SHAREDIR'})),
	abs_path($extensions),
	'the server is one of the second installation');

sub create_server
{
	my $database = shift;
	$node->safe_psql(
		$database, qq{
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint '@{[ $standin->endpoint ]}');
CREATE USER MAPPING FOR PUBLIC SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;});
	return;
}

sub version
{
	return $node->safe_psql($_[0],
		q{SELECT extversion FROM pg_extension WHERE extname = 'nclue_fdw'});
}

my $rows = 'SELECT task_id, status, auroc FROM nclue_tasks ORDER BY task_id';

# ---- the versions that have been released ----

my %paths = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres', qq{
SELECT v.version, p.path
FROM pg_available_extension_versions v
LEFT JOIN pg_extension_update_paths('nclue_fdw') p
  ON p.source = v.version AND p.target = '$next'
WHERE v.name = 'nclue_fdw' AND v.version NOT IN ('$next', 'broken')});
ok(exists $paths{'1.0'}, 'the first version is there');

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', "CREATE EXTENSION nclue_fdw VERSION '$next'");
my $fresh = Catalog::contents($node, 'fresh');
like($fresh, qr/nclue_fdw_upgraded/, 'the next version has something new');

foreach my $old (sort keys %paths)
{
	(my $database = "from_$old") =~ tr/./_/;
	ok($paths{$old}, "there is a way from $old: $paths{$old}");
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION nclue_fdw VERSION '$old'");
	create_server($database);
	is(version($database), $old, "$old: is what is there");
	my $before = Catalog::belongings($node, $database);
	my $answer = $node->safe_psql($database, $rows);
	is(scalar(split /\n/, $answer), 150, "$old: a list is read");

	# a session that has read goes on over the update
	my $session = $node->background_psql($database, on_error_stop => 1);
	is($session->query($rows), $answer, "$old: and in a session");
	$session->query("PREPARE tasks AS $rows");
	is($session->query('EXECUTE tasks'), $answer, "$old: and prepared");
	$node->safe_psql($database,
		"ALTER EXTENSION nclue_fdw UPDATE TO '$next'");
	is(version($database), $next, "$old: updated");
	is($session->query($rows), $answer, "$old: the session reads the same");
	is($session->query('EXECUTE tasks'),
		$answer, "$old: its prepared statement too");
	is( $session->query('SELECT nclue_fdw_upgraded() = '
			  . "'now ' || nclue_fdw_version()"),
		't', "$old: it has what is new");
	$session->quit;

	is(Catalog::contents($node, $database), $fresh, "$old: as if installed anew");
	is(Catalog::belongings($node, $database), $before, "$old: what users made is as it was");
	is($node->safe_psql($database, $rows),
		$answer, "$old: a new session reads the same");
	$node->safe_psql($database, 'DROP EXTENSION nclue_fdw CASCADE');
	is($node->safe_psql($database, q{SELECT count(*) FROM pg_proc
WHERE proname LIKE 'nclue%'}), 0, "$old: dropped, nothing is left");
}

# ---- the way users take it: a package brings the next version ----

$node->safe_psql('postgres', "CREATE EXTENSION nclue_fdw");
create_server('postgres');
is(version('postgres'), $last, 'the version of the control file is installed');
my $installed = Catalog::contents($node, 'postgres');

my ($status, $out, $error) = $node->psql('postgres', 'ALTER EXTENSION nclue_fdw UPDATE');
is($status, 0, 'UPDATE where there is nothing newer');
like($error, qr/version "\Q$last\E" of extension "nclue_fdw" is already installed/,
	'says so');

($status, $out, $error) = $node->psql('postgres', "ALTER EXTENSION nclue_fdw UPDATE TO 'broken'");
isnt($status, 0, 'an update that fails');
like($error, qr/division by zero/, 'says why');
is(version('postgres'), $last, 'leaves the version');
is(Catalog::contents($node, 'postgres'), $installed, 'and everything else as it was');

write_file("$extensions/nclue_fdw.control",
	$control =~ s/^(default_version = ').*'$/$1$next'/mr);
is( $node->safe_psql('postgres', q{SELECT default_version, installed_version
FROM pg_available_extensions WHERE name = 'nclue_fdw'}),
	"$next|$last", 'the next version comes with its package');
is(scalar(split /\n/, $node->safe_psql('postgres', $rows)),
	150, 'before the update the old one works on');
$node->safe_psql('postgres', 'ALTER EXTENSION nclue_fdw UPDATE');
is(version('postgres'), $next, 'UPDATE takes the newest');
is(Catalog::contents($node, 'postgres'), $fresh, 'as if installed anew');
is(scalar(split /\n/, $node->safe_psql('postgres', $rows)),
	150, 'and works');

($status, $out, $error) = $node->psql('postgres', "ALTER EXTENSION nclue_fdw UPDATE TO '$last'");
like($error, qr/has no update path/, 'there is no way back');

$node->stop;
done_testing();
