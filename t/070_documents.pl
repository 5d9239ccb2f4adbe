# What the documents show is what comes: their SQL is run as it stands there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Documents;
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

my $top = "$FindBin::RealBin/..";
my $standin_directory = "$top/test/standin";

chdir $top or die "$top: $!";
my @files = ('README.md', 'README.ko.md', glob('doc/*.md'));
my %document = map { $_ => Documents->read($_) } @files;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'nclue_fdw'")
  if $node->pg_version < 17;
$node->start;

# The translation shows the same and names the same.
{
	my ($english, $korean) = @document{qw(README.md README.ko.md)};
	my @blocks = map { [ map { "$_->{kind} $_->{sql}" } $_->blocks ] }
	  $english, $korean;
	is_deeply($blocks[1], $blocks[0], 'README.ko.md: the same SQL');
	is_deeply([ $korean->names ], [ $english->names ],
		'README.ko.md: the same names of code');
}

foreach my $file (@files, qw(CONTRIBUTING.md SECURITY.md CHANGELOG.md),
	'test/standin/README.md')
{
	my $document = $document{$file} // Documents->read($file);
	is(join(' ', $document->broken_links), '', "$file: links lead somewhere");
}

command_ok([ "$top/script/picture", '--check' ],
	'doc/flow.svg is what doc/flow.txt says');

my $number = 0;
foreach my $file (@files)
{
	my $document = $document{$file};
	my $database = 'document_' . ++$number;

	is(join(' ', $document->loose), '', "$file: each block says what it is");
	# its blocks are run by a test of their own
	next if $file eq 'doc/recipes.md' || !$document->sql;

	# the keys that the documents show
	my $standin = Standin->start(key => [ '...:...', 'AK_TEST:SK_TEST' ]);
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	Documents::redirect($node, $database, $standin->endpoint);
	$document->run(
		sessions => sub {
			return ($node->connstr($database),
				{
					endpoint => $standin->endpoint,
					ctl => "\\! NCLUE_STANDIN_CONTROL="
					  . $standin->control
					  . " '$standin_directory/ctl'"
				});
		},
		requests => sub { return $standin->requests; },
		directory => PostgreSQL::Test::Utils::tempdir());
	$standin->stop;
}

done_testing();
