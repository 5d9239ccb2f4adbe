# TLS is verified, and a proxy is used only where the server's option names one.

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

# What the environment says of proxies must not matter: nothing listens there.
$ENV{http_proxy} = $ENV{https_proxy} = $ENV{ALL_PROXY} = 'http://127.0.0.1:9';

my $standin = Standin->start(tls => 1);
my $stranger = Standin->start(tls => 1, tls_name => 'nclue.example.com');
my $plain = Standin->start;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION nclue_fdw');

sub create_server
{
	my ($name, $endpoint, %options) = @_;
	my $more = join '', map { ", $_ '$options{$_}'" } sort keys %options;

	$node->safe_psql('postgres', qq{
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS (endpoint '$endpoint', rate_limit '0', max_retries '0', max_in_flight '1'$more);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE $name (task_id text, status text) SERVER $name;});
	return;
}

sub is_readable
{
	my ($table, $what) = @_;
	is($node->safe_psql('postgres', "SELECT count(*) FROM $table"),
		'250', $what);
	return;
}

sub is_refused
{
	my ($table, $sqlstate, $message, $what) = @_;
	my ($status, $out, $err) =
	  $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT FROM $table");
	like($err, qr/ERROR:  $sqlstate: .*$message/, $what);
	return;
}

my $ca = $standin->ca_file;

create_server('trusted', $standin->endpoint, ca_file => $ca);
is_readable('trusted', 'a server whose authority ca_file names is read');
is(scalar(my @requests = $standin->requests), 1, '... in one request');

create_server('untrusted', $standin->endpoint);
is_refused('untrusted', '08001', 'certificate .* is not trusted',
	'a certificate of an unknown authority is refused');

create_server('other_ca', $standin->endpoint, ca_file => $stranger->ca_file);
is_refused('other_ca', '08001', 'certificate .* is not trusted',
	'ca_file replaces the known authorities');

(my $misnamed = $stranger->endpoint) =~ s/127\.0\.0\.1/localhost/;
create_server('misnamed', $misnamed, ca_file => $stranger->ca_file);
is_refused('misnamed', '08001', 'certificate .* is not trusted',
	'a certificate of another host is refused');
is(scalar(@requests = ($standin->requests, $stranger->requests)),
	0, '... and nothing was sent to any of these');

create_server('no_ca', $standin->endpoint, ca_file => '/nonexistent/ca.pem');
is_refused('no_ca', '08001', 'file of certificate authorities',
	'a missing ca_file is an error that says so');

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
	is_refused('no_tls', '08001', 'TLS',
		'a port that speaks no TLS is an error that says so');
	kill 'TERM', $pid;
	waitpid $pid, 0;
	$? = 0;
}

# a proxy, which the option alone names
{
	my $output = '';
	my $proxy = start ["$FindBin::RealBin/lib/connect_proxy"],
	  '<pipe', \*INPUT, '>', \$output, timeout(180);
	pump $proxy until $output =~ s/^(\d+)\n//;
	my $port = $1;

	create_server('proxied', $standin->endpoint,
		ca_file => $ca,
		proxy => "http://127.0.0.1:$port");
	is_readable('proxied', 'the service is read through a proxy');
	pump $proxy until $output =~ /\n/;
	is($output, 'CONNECT ' . $standin->port . "\n",
		'... which is asked for a tunnel, and so sees no keys');
	close INPUT;
	$proxy->finish;
}

create_server('no_proxy', $standin->endpoint,
	ca_file => $ca,
	proxy => 'http://127.0.0.1:9');
is_refused('no_proxy', '08001', 'could not connect',
	'a proxy that does not answer is an error');

done_testing();
