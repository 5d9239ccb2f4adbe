# nclue_fdw_check() where psql alone cannot show it: TLS, proxies, the limiter,
# being interrupted, what is left behind.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Socket::INET;
use IPC::Run qw(start pump timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# Nothing listens there.
my $nowhere = 'http://127.0.0.1:9';
$ENV{http_proxy} = $ENV{https_proxy} = $ENV{ALL_PROXY} = $nowhere;

my $plain = Standin->start;
my $standin = Standin->start(tls => 1);
my $stranger = Standin->start(tls => 1, tls_name => 'nclue.example.com');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION nclue_fdw');
my $shared_at_start = $node->safe_psql('postgres',
	"SELECT current_setting('server_version_num')::int < 170000") eq 't';

sub create_server
{
	my ($name, $endpoint, %options) = @_;
	$options{rate_limit} //= '0';
	my $more = join '', map { ", $_ '$options{$_}'" } sort keys %options;

	$node->safe_psql('postgres', qq{
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint '$endpoint'$more);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');});
	return;
}

# The rows of a check: { step => [ok, detail, advice] }, '' where there is none.
sub check
{
	my ($server, $before) = @_;
	my $rows = $node->safe_psql('postgres', ($before // '') .
		"SELECT step, ok, detail, advice FROM nclue_fdw_check('$server')");

	unlike($rows, qr/[AS]K_TEST/, "$server: no key is shown");
	return { map { my ($step, @rest) = split /\|/, $_, 4; ($step => \@rest) }
		  split /\n/, $rows };
}

# The steps that are wrong, and those of which nothing is known, but the limiter.
sub verdict
{
	my $rows = shift;
	my @wrong = sort grep { $_ ne 'rate limiter' && $rows->{$_}[0] eq 'f' } keys %$rows;
	my @unknown = sort grep { $rows->{$_}[0] eq '' } keys %$rows;

	return "@wrong; @unknown";
}

# What is wrong with a server: the one step, its detail and its advice.
sub is_wrong
{
	my ($server, $step, $unknown, $detail, $advice, $what) = @_;
	my $rows = check($server);

	is(verdict($rows), "$step; $unknown", $what);
	like($rows->{$step}[1], $detail, '... and says so');
	like($rows->{$step}[2], $advice, '... with advice');
	return $rows;
}

my $beyond_tls = 'clock index list signature total';

# ---- TLS ----

create_server('trusted', $standin->endpoint, ca_file => $standin->ca_file);
my $rows = check('trusted');
is(verdict($rows), '; ', 'where all is well, nothing is wrong or unknown');
is($rows->{TLS}[1], 'certificate verified', '... and TLS was tried');
is(scalar(my @requests = $standin->requests), 2, '... in two requests');

create_server('untrusted', $standin->endpoint);
is_wrong('untrusted', 'TLS', $beyond_tls, qr/certificate .* is not trusted/,
	qr/"ca_file"/, 'an unknown authority, as of a self-signed certificate, is TLS');

create_server('other_ca', $standin->endpoint, ca_file => $stranger->ca_file);
is_wrong('other_ca', 'TLS', $beyond_tls, qr/certificate .* is not trusted/,
	qr/"ca_file"/, 'a ca_file of another authority is TLS');

(my $misnamed = $stranger->endpoint) =~ s/127\.0\.0\.1/localhost/;
create_server('misnamed', $misnamed, ca_file => $stranger->ca_file);
is_wrong('misnamed', 'TLS', $beyond_tls, qr/certificate .* is not trusted/,
	qr/"endpoint"/, 'a certificate of another host is TLS');

create_server('no_ca', $standin->endpoint, ca_file => '/nonexistent/ca.pem');
is_wrong('no_ca', 'TLS', $beyond_tls, qr/file of certificate authorities/,
	qr/"ca_file"/, 'a missing ca_file is TLS');
is(scalar(@requests = ($standin->requests, $stranger->requests)),
	0, 'nothing was sent to any of these');

# A server that speaks first, and not TLS.
{
	my $listener = IO::Socket::INET->new(
		Listen => 5,
		LocalAddr => '127.0.0.1',
		Proto => 'tcp') or die "listen: $!";
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		# the test's own handler would stop the server
		$SIG{TERM} = 'DEFAULT';
		while (my $client = $listener->accept)
		{
			syswrite($client, "220 mail.example.com ESMTP\r\n");
			sysread($client, my $ignored, 65536);
		}
		require POSIX;
		POSIX::_exit(0);
	}
	create_server('no_tls', 'https://127.0.0.1:' . $listener->sockport);
	is_wrong('no_tls', 'TLS', $beyond_tls, qr/could not establish a TLS/,
		qr/speak TLS/, 'a port that speaks no TLS is TLS');
	kill 'TERM', $pid;
	waitpid $pid, 0;
	$? = 0;
}

# ---- proxies ----

{
	my $output = '';
	my $proxy = start ["$FindBin::RealBin/lib/connect_proxy"],
	  '<pipe', \*INPUT, '>', \$output, timeout(180);
	pump $proxy until $output =~ s/^(\d+)\n//;
	my $port = $1;

	create_server('proxied', $standin->endpoint,
		ca_file => $standin->ca_file,
		proxy => "http://127.0.0.1:$port");
	is(verdict(check('proxied')), '; ', 'through a proxy all is well');
	$standin->requests;

	create_server('no_tunnel', 'https://127.0.0.1:1',
		proxy => "http://127.0.0.1:$port");
	is_wrong('no_tunnel', 'connection', "TLS $beyond_tls", qr/403/, qr/"proxy"/,
		'a proxy that refuses is the connection');
	close INPUT;
	$proxy->finish;
}

create_server('no_proxy', $standin->endpoint,
	ca_file => $standin->ca_file,
	proxy => $nowhere);
is_wrong('no_proxy', 'connection', "TLS $beyond_tls", qr/could not connect/,
	qr/"proxy"/, 'a proxy that does not listen is the connection');
is(scalar(@requests = $standin->requests), 0, '... and nothing was sent');

# ---- the limiter ----

create_server('any_rate', $plain->endpoint);
create_server('paced', $plain->endpoint, rate_limit => '4');
create_server('slow', $plain->endpoint, rate_limit => '0.01');

my $limiter = check('paced')->{'rate limiter'};
if ($shared_at_start)
{
	is($limiter->[0], 'f', 'without preloading the limiter is not shared');
	like($limiter->[1], qr/each session/, '... and says so');
	like($limiter->[2], qr/shared_preload_libraries/, '... with advice');
}
else
{
	is_deeply($limiter, [ 't',
			'shared by all sessions; option "rate_limit" is 4', '' ],
		'the limiter is shared without preloading');
}

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'nclue_fdw'");
$node->restart;
$plain->arrivals;
is_deeply(check('paced')->{'rate limiter'},
	[ 't', 'shared by all sessions; option "rate_limit" is 4', '' ],
	'with preloading the limiter is shared');
my @arrivals = $plain->arrivals;
is(scalar(@arrivals), 2, 'a check keeps to two requests');
cmp_ok($arrivals[1]{time} - $arrivals[0]{time}, '>=', 0.25,
	'... and to the rate');
is_deeply(check('any_rate')->{'rate limiter'},
	[ 't', 'shared by all sessions; option "rate_limit" allows any rate', '' ],
	'where there is no limit, it says so');
$node->safe_psql('postgres',
	q{CREATE SERVER unmapped FOREIGN DATA WRAPPER nclue_fdw});
is_deeply(check('unmapped')->{'rate limiter'},
	[ 't', 'shared by all sessions', '' ],
	'without a mapping it is told whether it is shared');
$plain->requests;

# One request in 100 s, and none yet since the server's start, so a statement
# that ends in 50 s makes no second one, or none at all: it is refused at once.
$rows = check('slow', "SET statement_timeout = '50s'; ");
is(join('', map { $_->[0] } @$rows{ 'rate limiter', 'index', 'total' }), 'f',
	'a request that the limiter would not let go in time is a row');
like($rows->{'rate limiter'}[1], qr/statement_timeout ends the statement/,
	'... and says so');
like($rows->{'rate limiter'}[2], qr/statement_timeout/, '... with advice');

# ---- interrupted ----

$plain->ctl('fault', 'stall');
{
	my ($out, $err) = ('', '');
	my $psql = start [
		'psql', '-XAtq', '-d', $node->connstr('postgres'),
		'-v', 'VERBOSITY=sqlstate',
		'-c', "SET application_name = 'interrupted'",
		'-c', q{SELECT * FROM nclue_fdw_check('any_rate')},
		'-c', q{SELECT bool_and(ok) FROM nclue_fdw_check('any_rate')}
	], '>', \$out, '2>', \$err, timeout(180);
	ok($plain->wait_requests(1, 60), 'a check waits for an answer');
	$node->safe_psql('postgres',
		q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE application_name = 'interrupted'});
	$psql->finish;
	is($err, "ERROR:  57014\n", 'one that is cancelled raises');
	is($out, "t\n", '... and the next one in the session is answered');
}
$plain->requests;

# ---- what is left behind ----

# Good ones, some refused on the way, without a mapping, and with answers that
# are no pages; and statistics, which some of these end.
$node->safe_psql('postgres', q{
CREATE FOREIGN TABLE tasks (task_id text, status text) SERVER any_rate;
CREATE FUNCTION work(times integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..times LOOP
    PERFORM nclue_fdw_check(s) FROM unnest('{any_rate,untrusted,no_proxy,unmapped}'::text[]) AS s;
    BEGIN
      ANALYZE tasks;
    EXCEPTION WHEN SQLSTATE 'HV021' THEN
      RAISE NOTICE 'refused';
    END;
    -- what held on to the mapping as it was would show
    ALTER USER MAPPING FOR PUBLIC SERVER any_rate OPTIONS (SET access_key 'AK_TEST');
  END LOOP;
END
$$;});
$plain->ctl('fault', 'body={"tasks":[7]}', 'every=7');
my $left = q{SELECT 'left', count(*), (SELECT count(*) FROM pg_ls_dir('/proc/self/fd'))
FROM pg_backend_memory_contexts WHERE name ~ '^nclue_fdw';};
my ($status, $out, $err) = $node->psql('postgres',
	"SELECT work(10); $left SELECT work(100); $left");
my ($before, $after) = map { [ split /\|/ ] } $out =~ /^left\|(.*)$/mg;
my $refused = () = $err =~ /refused/g;
ok($refused > 10 && $refused < 100,
	'some statistics were refused on the way, and some not');
is($after->[0], $before->[0], 'a hundred times more leave no memory behind');
# the server itself keeps some files of catalogs open
cmp_ok($after->[1] - $before->[1], '<', 30, '... and no connections');

done_testing();
