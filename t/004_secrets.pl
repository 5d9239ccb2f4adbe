# The secret key reaches no message, log, plan, view, catalog that others may read
# or list of processes, and is sent nowhere.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Pace;
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
my ($share) = run_command([ 'pg_config', '--sharedir' ]);
my $statements = -e "$share/extension/pg_stat_statements.control";
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_stat_statements'")
  if $statements;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements') if $statements;

$node->safe_psql('postgres', qq{
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint '@{[$standin->endpoint]}', rate_limit '0', max_retries '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
  OPTIONS (access_key '$access', secret_key '$secret');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;
CREATE ROLE reader LOGIN;
CREATE ROLE mapped LOGIN;
CREATE ROLE owner LOGIN;
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
foreach my $format (qw(TEXT JSON XML YAML))
{
	$seen .= talk("EXPLAIN (VERBOSE, ANALYZE, SETTINGS, FORMAT $format) $_;")
	  foreach 'SELECT * FROM nclue_tasks', 'SELECT count(*) FROM nclue_tasks',
	  'SELECT * FROM failed LIMIT 2', q{SELECT * FROM nclue_tasks WHERE task_id = 'x'};
}
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

# ---- statements that set it ----

# What PostgreSQL logs of statements is its own; what else happens is not to
# show them.
$logged_from = -s $node->logfile;
my $quiet = join '', map { "SET $_;\n" } 'log_min_messages = debug5',
  'client_min_messages = debug5', "log_statement = 'none'",
  'log_min_error_statement = panic', 'log_error_verbosity = verbose';
my %refused = (
	'an access key that is not valid' => "access_key 'a b', secret_key '$secret'",
	'a secret key of two lines' => "access_key 'x', secret_key E'$secret\\n'",
	'a secret key where the access key belongs' => "access_key '$secret $secret', secret_key 'x'",
	'an option that is not known' => "secret_kay '$secret'",
	'an option of servers' => "proxy '$secret'",
	'an option twice' => "secret_key '$secret', secret_key '$secret'");
foreach my $name (sort keys %refused)
{
	my ($status, $out, $err) = $node->psql('postgres',
		"$quiet\\set VERBOSITY verbose\nCREATE USER MAPPING FOR reader SERVER nclue OPTIONS ($refused{$name});");
	like($err, qr/ERROR:  (?:HV024|HV00D|42710)/, "$name is refused");
	unlike($err, qr/\Q$secret\E/, '... and not shown');
}
foreach my $option ("secret_key '$secret'", "endpoint 'https://x:$secret\@localhost/'",
	"proxy 'http://x:$secret\@localhost'")
{
	my ($status, $out, $err) = $node->psql('postgres',
		"${quiet}ALTER SERVER nclue OPTIONS ($option);");
	like($err, qr/ERROR: /, 'a secret in a server is refused');
	unlike($err, qr/\Q$secret\E/, '... and not shown');
}
$node->safe_psql('postgres', qq{$quiet
CREATE USER MAPPING FOR mapped SERVER nclue OPTIONS (access_key 'x', secret_key '$secret');
ALTER USER MAPPING FOR mapped SERVER nclue OPTIONS (SET access_key '$access', SET secret_key '$secret');
GRANT USAGE ON FOREIGN SERVER nclue TO mapped;
CREATE SERVER public FOREIGN DATA WRAPPER nclue_fdw;
CREATE USER MAPPING FOR PUBLIC SERVER public OPTIONS (access_key '$access', secret_key '$secret');
GRANT USAGE ON FOREIGN DATA WRAPPER nclue_fdw TO owner;
ALTER SERVER public OWNER TO owner;});
$log = slurp_file($node->logfile, $logged_from);
cmp_ok(length $log, '>', 10000, 'the log is talkative');
unlike($log, qr/\Q$secret\E/, '... and does not show what was set or refused');

# ---- everything that a role may read ----

# The relations in which a role finds a text, as one string.  It is given
# backwards, so that the search does not find itself in pg_stat_activity.
sub found
{
	my ($role, $text) = @_;
	my $reversed = reverse $text;
	my ($status, $out, $err) = $node->psql('postgres', qq{
SET client_min_messages = notice;
DO \$\$
DECLARE
  relation record;
  many bigint;
  looked int := 0;
BEGIN
  FOR relation IN
    SELECT c.oid::regclass AS name,
           string_agg(format('%I::text', attname), ',') AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    WHERE relkind IN ('r', 'v', 'm', 'p') AND has_schema_privilege(relnamespace, 'USAGE')
      AND c.oid <> 'failed'::regclass
      AND has_column_privilege(c.oid, attnum, 'SELECT')
    GROUP BY c.oid
  LOOP
    BEGIN
      EXECUTE format('SELECT count(*) FROM %s WHERE concat_ws(chr(1), %s) LIKE \$1', relation.name, relation.columns)
        INTO many USING '%' || reverse('$reversed') || '%';
      looked := looked + 1;
      IF many > 0 THEN RAISE NOTICE 'FOUND %', relation.name; END IF;
    EXCEPTION WHEN insufficient_privilege OR object_not_in_prerequisite_state OR feature_not_supported THEN
      NULL;
    END;
  END LOOP;
  RAISE NOTICE 'LOOKED %', looked;
END \$\$;}, extra_params => [ '-U', $role ]);
	my ($looked) = $err =~ /LOOKED (\d+)/;
	cmp_ok($looked // "0 $err", '>', 150, "$role looks into everything it may read");
	return join ' ', sort $err =~ /FOUND (\S+)/g;
}

is(found('reader', $secret), '', '... and finds no secret key');
is(found('reader', $access), '', '... and finds no access key');
note $statements ? 'pg_stat_statements is one of the views' : 'there is no pg_stat_statements';
# PostgreSQL's own rules: a mapping's user who may use the server, and the owner
# of a server with a mapping for PUBLIC
foreach my $role ('mapped', 'owner')
{
	is(found($role, $secret),
		'information_schema.user_mapping_options pg_user_mappings',
		"... and finds where PostgreSQL shows a secret key to the $role");
}

# ---- processes ----

SKIP:
{
	skip 'there is no /proc', 1 unless -r '/proc/self/cmdline';
	my $session = Pace->new($node->connstr('postgres'));
	$session->query_safe('SELECT count(*) FROM nclue_tasks');
	my $pid = $session->pid;
	my $shown = slurp_file("/proc/$pid/cmdline") . slurp_file("/proc/$pid/environ");
	like($shown, qr/postgres/, 'a backend has a command line');
	unlike($shown, qr/\Q$secret\E|\Q$access\E/, '... in which, as in its environment, there are no keys');
	$session->close;
}

done_testing();
