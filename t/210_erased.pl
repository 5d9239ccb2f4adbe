# What stays of a secret key in the memory of a backend that has used it: what
# PostgreSQL's own caches keep, and nothing of ours.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Memory;
use Pace;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# Longer than a short datum, so that it is found in whatever form it is kept;
# new ones of the same length where copies of an older one may still lie about.
sub secret
{
	my $number = shift;
	return "${number}S3cr3tOfTheTestThatNobodyMaySee" x 2;
}

my $standin = Standin->start(key => [ 'AK_OTHER:SK_OTHER', map { "AK_$_:" . secret($_) } 1 .. 4 ]);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $options = "endpoint '" . $standin->endpoint
  . "', rate_limit '0', max_retries '0', max_in_flight '1'";
$node->safe_psql('postgres', qq{
CREATE EXTENSION nclue_fdw;
CREATE SERVER other FOREIGN DATA WRAPPER nclue_fdw OPTIONS ($options);
CREATE USER MAPPING FOR CURRENT_USER SERVER other
  OPTIONS (access_key 'AK_OTHER', secret_key 'SK_OTHER');
CREATE FOREIGN TABLE others (task_id text) SERVER other;});

# A server with a mapping and a table: "nclue1", "tasks1".
sub make_server
{
	my ($number, $keys) = @_;
	$node->safe_psql('postgres', qq{
CREATE SERVER nclue$number FOREIGN DATA WRAPPER nclue_fdw OPTIONS ($options);
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue$number OPTIONS ($keys);
CREATE FOREIGN TABLE tasks$number (task_id text, status text) SERVER nclue$number;});
	return $node->safe_psql('postgres',
		"SELECT umid FROM pg_user_mappings WHERE srvname = 'nclue$number'");
}

# A session, and its memory.
sub session
{
	my $session = Pace->new($node->connstr('postgres'));
	my ($pid) = $session->query_safe('SELECT pg_backend_pid()');
	return ($session, Memory->new($pid));
}

sub copies
{
	my ($memory, $text) = @_;
	return $memory->count(qr/\Q$text\E/);
}

my ($core, $core_memory) = session();
unless ($core_memory)
{
	plan skip_all => "the memory of another process cannot be read: $!";
}

# PostgreSQL alone: both of its caches that hold a mapping
my $mapping = make_server(1, "access_key 'AK_1', secret_key '@{[secret(1)]}'");
$core->query_safe("SELECT pg_describe_object('pg_user_mapping'::regclass, $mapping, 0)");
$core->query_safe('CREATE USER MAPPING IF NOT EXISTS FOR CURRENT_USER SERVER nclue1');
my $kept = copies($core_memory, secret(1));
is($kept, 2, "PostgreSQL's caches hold the secret key");

# The extension asks one of them.
my $cached = 1;

# ---- while it is used ----

my ($user, $memory) = session();
is(($user->query_safe('SELECT count(*) FROM tasks1'))[0], 250, 'a query is answered');
is(copies($memory, secret(1)), $cached + 1, 'one copy more is all that a session needs');
foreach my $pad (0x36, 0x5c)
{
	# what an HMAC makes of its key, which is as good as the key
	my $padded = substr(secret(1), 0, 64) ^ (chr($pad) x 64);
	is(copies($memory, $padded), 0, sprintf('none is left behind by a signature (%#x)', $pad));
}
# without its first bytes, which an allocator writes over when it is freed
my $signature = qr{ature-v2: [A-Za-z0-9+/=]{44}};
cmp_ok($memory->count($signature), '>', 0, 'libcurl does not erase what it has sent');
is($memory->count(qr/$signature\0/), 0, 'but we erase the signature that we gave it');

# ---- after that ----

# Lets the session notice what another one has changed.
sub notice
{
	$user->query_safe("SELECT count(*) FROM others WHERE task_id = 'nosuch'");
	return;
}

$node->safe_psql('postgres', q{ALTER SERVER nclue1 OPTIONS (ADD timeout '31')});
notice();
is(copies($memory, secret(1)), $cached, 'ours is erased when nobody has the account any more');

# an error in the middle
make_server(2, "access_key 'AK_2', secret_key '@{[secret(2)]}'");
$standin->ctl('fault', 'status=401');
$user->query('SELECT count(*) FROM tasks2');
like($user->error, qr/28000/, 'a statement fails');
$node->safe_psql('postgres', q{ALTER SERVER nclue2 OPTIONS (ADD timeout '31')});
notice();
is(copies($memory, secret(2)), $cached, '... and its secret key is erased, too');

# a cursor keeps the account until it is closed
make_server(3, "access_key 'AK_3', secret_key '@{[secret(3)]}'");
$user->query_safe('BEGIN');
$user->query_safe('DECLARE c CURSOR FOR SELECT task_id FROM tasks3');
$user->query_safe('FETCH 1 FROM c');
$node->safe_psql('postgres', q{ALTER SERVER nclue3 OPTIONS (ADD timeout '31')});
notice();
is(copies($memory, secret(3)), $cached + 1, 'a cursor keeps its account');
is(scalar($user->query_safe('FETCH ALL FROM c')), 249, '... and can be read on');
$user->query_safe('COMMIT');
is(copies($memory, secret(3)), $cached, '... which is erased when it is closed');

# half a mapping: an error before there is an account
make_server(4, "secret_key '@{[secret(4)]}'");
$user->query('SELECT count(*) FROM tasks4');
like($user->error, qr/28000/, 'a mapping without access key is of no use');
is(copies($memory, secret(4)), $cached, '... and its secret key is erased');

# ---- where it is set ----

# Statements are PostgreSQL's, and it erases nothing of them.  The validator's own
# copy is known by its form, taken apart at the equals sign.
foreach my $refused (0, 1)
{
	my ($maker, $maker_memory) = session();
	my $access = $refused ? 'not valid' : 'AK';

	$maker->query("CREATE USER MAPPING FOR PUBLIC SERVER other OPTIONS (access_key '$access', secret_key '@{[secret(5)]}')");
	is($maker->error =~ /HV024/ ? 1 : 0, $refused, 'a mapping is ' . ($refused ? 'refused' : 'made'));
	cmp_ok(copies($maker_memory, secret(5)), '>', 0, '... whose statement stays in memory');
	is(copies($maker_memory, "secret_key\0" . secret(5)), 0, '... and nothing of the validator');
	$maker->query('DROP USER MAPPING IF EXISTS FOR PUBLIC SERVER other');
	$maker->close;
}

done_testing();
