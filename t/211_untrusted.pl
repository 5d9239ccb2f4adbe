# A role that may create servers of its own, and wants to keep others from using
# theirs: by the line before an access key, by the room for lines, by tallies.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Pace;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

my $standin = Standin->start(key => 'AK_ALICE:SK_ALICE');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nclue_fdw'")
  if $node->pg_version < 17;
$node->start;
$node->safe_psql('postgres', qq{
CREATE EXTENSION nclue_fdw;
CREATE ROLE alice LOGIN;
CREATE ROLE mallory LOGIN;
GRANT USAGE ON FOREIGN DATA WRAPPER nclue_fdw TO mallory;
GRANT CREATE ON DATABASE postgres TO mallory;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint '@{[$standin->endpoint]}', rate_limit '20', max_retries '0');
CREATE USER MAPPING FOR alice SERVER nclue
  OPTIONS (access_key 'AK_ALICE', secret_key 'SK_ALICE');
CREATE FOREIGN TABLE tasks (task_id text, status text) SERVER nclue;
GRANT SELECT ON tasks TO alice;});

sub session
{
	my $role = shift;
	return Pace->new($node->connstr('postgres') . " user=$role");
}

my $alice = session('alice');
my $mallory = session('mallory');

# A statement that fails at once where its request cannot be sent within a time
# that no machine takes for it.
my $look_up = "SELECT count(*) FROM TABLE WHERE task_id = 'nosuch'";
$_->query_safe("SET statement_timeout = '100s'") foreach $alice, $mallory;

# A server of Mallory's for the same endpoint, at a request in 1,000 seconds.
$mallory->query_safe('CREATE SCHEMA mallory');
sub make_slow
{
	my ($name, $access, $secret) = @_;
	$mallory->query_safe("CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint '@{[$standin->endpoint]}', rate_limit '0.001', max_retries '0')");
	$mallory->query_safe("CREATE USER MAPPING FOR mallory SERVER $name OPTIONS (access_key '$access', secret_key '$secret')");
	$mallory->query_safe("CREATE FOREIGN TABLE mallory.$name (task_id text) SERVER $name");
	return;
}

# ---- the line before somebody else's access key ----

$alice->query($look_up =~ s/TABLE/tasks/r);
is($alice->error, '', 'Alice can read');

# An access key is no secret: the console shows it, requests hold it.
make_slow('same_key', 'AK_ALICE', 'what Mallory does not know');
$mallory->query_safe('SET statement_timeout = 0');
$mallory->start($look_up =~ s/TABLE/mallory.same_key/r);
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity
WHERE usename = 'mallory' AND state = 'active' AND wait_event LIKE ANY ('{NclueRateLimit,Extension}')}),
	'Mallory waits in the slowest of lines');
$alice->query($look_up =~ s/TABLE/tasks/r);
is($alice->error, '', '... which is not that of Alice, whose access key it names');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid)
FROM pg_stat_activity WHERE usename = 'mallory'});
$mallory->finish;

# ---- the room for lines ----

# A line is kept for as long as the longest interval that was asked for there,
# after the start of the server, too.  So those who only stood in it do.
$mallory = session('mallory');
$mallory->query_safe("SET statement_timeout = '100s'");
my %errors;
foreach my $number (1 .. 40)
{
	$mallory->query_safe("ALTER USER MAPPING FOR mallory SERVER same_key OPTIONS (SET access_key 'AK_$number')");
	$mallory->query($look_up =~ s/TABLE/mallory.same_key/r);
	$errors{ $mallory->error }++;
}
is(join(', ', sort keys %errors), 'ERROR:  53400, ERROR:  57014',
	'Mallory waits in all lines that there is room for, and gets no more');
my @alice;
foreach (1 .. 5)
{
	$alice->query($look_up =~ s/TABLE/tasks/r);
	push @alice, $alice->error;
	$mallory->query($look_up =~ s/TABLE/mallory.same_key/r);
}
is(join('', @alice), '', '... but Alice gets some of it whenever she needs it');

done_testing();
