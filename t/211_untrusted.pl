# A role that may create servers of its own, and what it can do with them: keep
# others from using theirs, by the line before an access key, by the room for
# lines, by tallies; learn keys of those who ask its server; have the database
# machine ask others.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Socket::INET;
use Life qw(earliest);
use Pace;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;
use Time::HiRes qw(time);

my $standin = Standin->start(key => 'AK_ALICE:SK_ALICE');

# The operating system user may keep passwords for programs: none is to be sent.
$ENV{HOME} = PostgreSQL::Test::Utils::tempdir;
append_to_file("$ENV{HOME}/.netrc", "default login someone password something\n");
chmod 0600, "$ENV{HOME}/.netrc";
$ENV{NETRC} = "$ENV{HOME}/.netrc";

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

# What Mallory's look-up with a number of keys of its own comes to.
$mallory = session('mallory');
$mallory->query_safe("SET statement_timeout = '100s'");
sub use_keys
{
	my ($count, $rate) = @_;
	my %errors;

	$mallory->query_safe("ALTER SERVER same_key OPTIONS (SET rate_limit '$rate')");
	foreach my $number (1 .. $count)
	{
		$mallory->query_safe("ALTER USER MAPPING FOR mallory SERVER same_key OPTIONS (SET access_key 'AK_$number')");
		$mallory->query($look_up =~ s/TABLE/mallory.same_key/r);
		$errors{ $mallory->error }++;
	}
	return join ', ', sort keys %errors;
}
$alice->query_safe('BEGIN');
$alice->query_safe('DECLARE walk CURSOR FOR SELECT task_id FROM tasks');
$alice->query_safe('MOVE 1 IN walk');
is(use_keys(40, 0.001), 'ERROR:  57014', 'Mallory waits in more lines than there is room for');
is(use_keys(40, 1000), 'ERROR:  28000', '... and sends with more keys, which are wrong');
$alice->query('MOVE ALL IN walk');
is($alice->error, '', '... but Alice, whose line is gone, reads on');
$alice->query_safe('COMMIT');
my @alice;
foreach (1 .. 5)
{
	$alice->query($look_up =~ s/TABLE/tasks/r);
	push @alice, $alice->error;
	use_keys(1, 1000);
}
is(join('', @alice), '', '... and whenever she needs a line');

# Also one with a slow key of hers.
my $limit = 'ALTER SERVER nclue OPTIONS (SET rate_limit ';
my $from = time;
$alice->query_safe($look_up =~ s/TABLE/tasks/r);
$node->safe_psql('postgres', "$limit '0.001')");
foreach my $round (1 .. 3)
{
	use_keys(40, 1000);
	my $seconds = earliest($node, $look_up =~ s/TABLE/tasks/r, 'alice') // 0;
	# it is told in tenths
	cmp_ok($seconds + time - $from, '>=', 999.9, "round $round: a slow key of hers sends no sooner than it may");
	cmp_ok($seconds, '<=', 1000.1, '... and waits for one interval of its own at most');
}
$node->safe_psql('postgres', "$limit '20')");
use_keys(1, 0.001);

# ---- the room for tallies ----

# One is made for each mapping and pair of keys, and none is ever taken away:
# beyond 256 a session counts alone.
foreach my $number (1 .. 300)
{
	$mallory->query_safe("ALTER USER MAPPING FOR mallory SERVER same_key OPTIONS (SET access_key 'AK_$number')");
	$mallory->query($look_up =~ s/TABLE/mallory.same_key/r);
}
my $counted = 'SELECT requests, shared FROM nclue_fdw_stat';
my ($before) = $alice->query_safe('SELECT requests FROM nclue_fdw_stat');
$alice->query_safe($look_up =~ s/TABLE/tasks/r);
is(($alice->query_safe($counted))[0], $before + 1 . "\x1ft", 'what is counted for Alice is not touched by many tallies');
$node->safe_psql('postgres', q{
CREATE ROLE bob LOGIN;
GRANT SELECT ON tasks TO bob;
CREATE USER MAPPING FOR bob SERVER nclue OPTIONS (access_key 'AK_ALICE', secret_key 'SK_ALICE');});
my $bob = session('bob');
$bob->query_safe($look_up =~ s/TABLE/tasks/r);
is(($bob->query_safe($counted))[0], "1\x1ff", '... and Bob, who comes later, counts alone');
my $second = session('bob');
is(($second->query_safe('SELECT count(*) FROM nclue_fdw_stat'))[0], '0', '... each session for itself');

# ---- what a server's owner learns of who asks it ----

# Mallory's machine, as far as there is one.
my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', Timeout => 60) or die "listen: $!";
my $port = $listener->sockport;

# Runs a statement, which sends one request; answers it, and returns it.
sub answered
{
	my ($session, $sql, $answer) = @_;

	$session->start($sql);
	my $connection = $listener->accept or die "accept: $!";
	my $request = '';
	until ($request =~ /\r\n\r\n|^\x16/)
	{
		sysread($connection, $request, 65536, length $request) or last;
	}
	print $connection $answer;
	close $connection;
	$session->finish;
	return $request;
}

my $empty = '{"index":0,"limit":100,"total":0,"tasks":[]}';
sub http
{
	my ($body, $status, @headers) = @_;
	return join "\r\n", 'HTTP/1.1 ' . ($status // '200 OK'), @headers, 'Content-Length: ' . length $body, '', $body;
}

$mallory->query_safe("CREATE SERVER trap FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint 'http://127.0.0.1:$port/api/v1', rate_limit '0', max_retries '0')");
$mallory->query_safe('CREATE FOREIGN TABLE mallory.trap (task_id text, status text) SERVER trap');
$mallory->query_safe('GRANT USAGE ON SCHEMA mallory TO alice');
$mallory->query_safe('GRANT SELECT ON mallory.trap TO alice');
$alice->query($look_up =~ s/TABLE/mallory.trap/r);
is($alice->error, 'ERROR:  42704', 'a table of Mallory\'s does not get keys for another server');

# Alice makes a mapping for a server that is not hers.
$mallory->query_safe('GRANT USAGE ON FOREIGN SERVER trap TO alice');
$alice->query_safe("CREATE USER MAPPING FOR alice SERVER trap OPTIONS (access_key 'AK_ALICE', secret_key 'SK_ALICE')");
my $request = answered($alice, 'SELECT count(task_id) FROM mallory.trap', http($empty));
like($request, qr/^x-ncp-iam-access-key: AK_ALICE\r$/m, 'who answers a request learns the access key');
like($request, qr{^x-ncp-apigw-signature-v2: [A-Za-z0-9+/=]{44}\r$}m, '... and a signature');
unlike($request, qr/SK_ALICE/, '... and no secret key');
is(join(' ', sort map { lc } $request =~ /^([\w-]+): /mg),
	'accept accept-encoding host user-agent x-ncp-apigw-signature-v2 x-ncp-apigw-timestamp x-ncp-iam-access-key',
	'... nor anything else that is not meant for the service');
$request = answered($alice, 'SELECT count(task_id) FROM mallory.trap', http($empty, '200 OK', 'Set-Cookie: a=b'));
$request = answered($alice, 'SELECT count(task_id) FROM mallory.trap', http($empty));
unlike($request, qr/a=b/, '... no cookie either');

# The signature does not name the host: the service takes it from anybody, for
# five minutes, for just this request.
sub status_of
{
	my $sent = shift;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $standin->port) or die "connect: $!";
	print $socket $sent =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/r;
	my ($status) = (<$socket> // '') =~ /^HTTP\S+ (\d+)/;
	return $status;
}
is(status_of($request), 200, '... which the service itself would take from Mallory');
is(status_of($request =~ s/index=0/index=1/r), 401, '... for no other page');
is(status_of($request =~ s{/tasks}{/features}r), 401, '... nor list');
$standin->ctl('set', 'clock=301');
is(status_of($request), 401, '... nor after five minutes');
$standin->ctl('set', 'clock=0');

# ---- what it can have the database machine ask ----

# Services of this machine by http: what they say is seen as far as errors show it.
$mallory->query_safe("CREATE USER MAPPING FOR mallory SERVER trap OPTIONS (access_key 'x', secret_key 'y')");
my $list = 'SELECT * FROM mallory.trap';
my $reply = 'confidential ' x 100;
sub told
{
	my ($answer) = @_;
	my $from = -s $node->logfile;

	$request = answered($mallory, $list, $answer);
	my $log = slurp_file($node->logfile, $from);
	return join '', grep { /ERROR|DETAIL/ } split /^/, $log;
}
my $told = told(http($reply, '404 Not Found'));
like($told, qr/HTTP status 404, body begins "confidential/, 'of a local service an error shows status and first bytes');
cmp_ok(length(join '', $told =~ /(confidential ?)/g), '<=', 160, '... 160 at most');
like($request, qr{^GET /api/v1/tasks\?index=0&limit=100 HTTP/1\.1\r\nHost: 127\.0\.0\.1:$port\r\n},
	'... and it can be asked for nothing but such a path');
unlike(told("220 $reply\r\n"), qr/confidential/, 'of one that does not speak HTTP nothing is shown');
unlike(told(http('', '302 Found', "Location: http://127.0.0.1:$port/$reply")), qr/confidential/,
	'... nor of where one redirects to');
unlike(told(http('', '401 Unauthorized', 'WWW-Authenticate: Basic realm="x"', "X-Header: $reply")), qr/confidential/,
	'... nor of headers');
# what cannot be reached by http: machines and paths that are not of the API
foreach my $endpoint ("http://192.0.2.1:$port", "http://127.0.0.1:$port/x?y=", "http://127.0.0.1:$port/#",
	"https://u:p\@127.0.0.1:$port", "file:///etc/passwd", "gopher://127.0.0.1:$port", "ftp://127.0.0.1:$port")
{
	$mallory->query("ALTER SERVER trap OPTIONS (SET endpoint '$endpoint')");
	is($mallory->error, 'ERROR:  HV024', "$endpoint is refused");
}
$mallory->query("ALTER SERVER trap OPTIONS (ADD proxy 'http://127.0.0.1:$port')");
is($mallory->error, 'ERROR:  HV024', 'http does not go through a proxy');
# by https any host can be made to see the start of a connection, and no more
# unless its certificate is trusted
$mallory->query_safe("ALTER SERVER trap OPTIONS (SET endpoint 'https://localhost:$port')");
my $hello = answered($mallory, $list, "220 $reply\r\n");
like($hello, qr/^\x16\x03/, 'by https a service sees the start of TLS');
unlike($hello, qr/GET|x-ncp/, '... and no request');
# a proxy sees the name of the endpoint's host
$mallory->query_safe("ALTER SERVER trap OPTIONS (SET endpoint 'https://nclue.example.com', ADD proxy 'http://127.0.0.1:$port')");
$told = told("HTTP/1.1 403 $reply\r\nContent-Length: 0\r\n\r\n");
like($request, qr/^CONNECT nclue\.example\.com:443 HTTP\/1\.1\r\n/, 'a proxy is asked for a connection');
unlike($request, qr/x-ncp/, '... and given no keys');
unlike($told, qr/confidential/, '... and what it says is not shown');

done_testing();
