# The secret key reaches no message, log, plan or view, and is sent nowhere.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# Long, so that no part of it comes up by chance.
my $secret = 'S3cr3tOfTheTestThatNobodyMaySee';
my $access = 'AK_THAT_ERRORS_DO_NOT_SHOW';
my $standin = Standin->start(key => "$access:$secret");
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

$node->safe_psql('postgres', qq{
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint '@{[$standin->endpoint]}', rate_limit '0', max_retries '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
  OPTIONS (access_key '$access', secret_key '$secret');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;
CREATE ROLE reader;
GRANT SELECT ON nclue_tasks TO reader;
CREATE VIEW failed AS SELECT * FROM nclue_tasks WHERE status = 'failed';
GRANT SELECT ON failed TO reader;});

# from here on everything that the server can log is logged
my $logged_from = -s $node->logfile;
my @settings = (
	'log_min_messages = debug5', 'client_min_messages = debug5',
	'log_min_error_statement = debug5', "log_statement = 'all'",
	'debug_print_parse = on', 'debug_print_rewritten = on',
	'debug_print_plan = on', 'log_error_verbosity = verbose');
my $settings = join '', map { "SET $_;\n" } @settings;

sub talk
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', $settings . $sql);
	return "$out\n$err";
}

my $seen = talk('SELECT count(*) FROM nclue_tasks;');
like($seen, qr/^250$/m, 'a query is answered while everything is logged');
$seen .= talk('EXPLAIN (VERBOSE, ANALYZE, FORMAT JSON) SELECT * FROM nclue_tasks;');
$seen .= talk('SELECT * FROM failed;');

foreach my $fault (
	['status=401', 'code=200', 'message=Authentication Failed'],
	['status=500', 'code=900'],
	['reset'], ['html'], ['truncated'], ['body=no JSON'])
{
	$standin->ctl('fault', @$fault, 'next=1');
	$seen .= talk('SELECT count(*) FROM nclue_tasks;');
}
my $errors = () = $seen =~ /ERROR: /g;
is($errors, 6, 'each fault was an error');

# a role that may use the view, and neither see nor change the mapping
$seen .= talk(q{
SET ROLE reader;
SELECT count(*) FROM failed;
SELECT * FROM pg_user_mappings;
SELECT umoptions FROM pg_user_mapping;
SELECT option_name, option_value FROM information_schema.user_mapping_options;
SELECT count(*) FROM nclue_tasks;});

unlike($seen, qr/\Q$secret\E/, 'no message shows the secret key');
unlike($seen =~ s/umoptions=.*//gr, qr/\Q$access\E/,
	'nor, where no right allows it, the access key');

my $log = slurp_file($node->logfile, $logged_from);
cmp_ok(length $log, '>', 100000, 'the log is as talkative as it can be');
unlike($log, qr/\Q$secret\E/, 'the log does not show the secret key');

unlike(join("\n", $standin->ctl('requests', 'all')), qr/\Q$secret\E/,
	'no request line holds it');

done_testing();
