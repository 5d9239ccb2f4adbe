# HTTP/2 is spoken where it is offered, over one connection, and answers may be
# compressed on the way.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

my $nginx = (grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin')[0]
  or die 'nginx is not installed';

# The certificate is one that a stand-in makes for itself.
my $certified = Standin->start(tls => 1);
my $standin = Standin->start;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $directory = PostgreSQL::Test::Utils::tempdir;
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $certificate = $certified->ca_file;
(my $key = $certificate) =~ s/[^\/]+$/key.pem/;
my $upstream = $standin->port;

append_to_file("$directory/nginx.conf", qq{
daemon on;
pid $directory/nginx.pid;
error_log $directory/error.log;
events { }
http {
	log_format protocol '\$server_protocol \$connection \$request_uri';
	access_log $directory/access.log protocol;
	client_body_temp_path $directory/body;
	proxy_temp_path $directory/proxy;
	fastcgi_temp_path $directory/fastcgi;
	uwsgi_temp_path $directory/uwsgi;
	scgi_temp_path $directory/scgi;
	server {
		listen 127.0.0.1:$port ssl http2;
		ssl_certificate $certificate;
		ssl_certificate_key $key;
		gzip on;
		gzip_proxied any;
		gzip_types application/json;
		location / { proxy_pass http://127.0.0.1:$upstream; }
	}
}
});
system_or_bail($nginx, '-c', "$directory/nginx.conf", '-e',
	"$directory/error.log");

$node->safe_psql('postgres', qq{
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint 'https://localhost:$port/api/v1', rate_limit '0', max_retries '0', max_in_flight '1', ca_file '$certificate');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
IMPORT FOREIGN SCHEMA nclue FROM SERVER nclue INTO public;});

is($node->safe_psql('postgres',
		'SELECT count(*), count(DISTINCT task_id) FROM nclue_tasks'),
	'250|250', 'the list is read');

# nginx logs a request when it has been answered
my @log;
for (1 .. 100)
{
	@log = split /\n/, slurp_file("$directory/access.log");
	last if @log == 3;
	select undef, undef, undef, 0.1;
}
is(scalar(@log), 3, 'in three requests');
is(scalar(grep { /^HTTP\/2\.0 / } @log), 3, 'over HTTP/2');
my %connections = map { (split / /)[1] => 1 } @log;
is(scalar(keys %connections), 1, 'on one connection');

done_testing();

END
{
	local $?;
	if ($directory && -s "$directory/nginx.pid")
	{
		chomp(my $pid = slurp_file("$directory/nginx.pid"));
		kill 'QUIT', $pid;
	}
}
