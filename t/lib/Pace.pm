# What tests of the pace share: sessions that are told something and not waited
# for, and judging when requests arrived.
#
#	my $session = Pace->new($node->connstr('postgres'));
#	$session->start('SELECT ...');
#	...
#	my @rows = $session->finish;	error() tells how it ended
#
# An arrival is what Standin's arrivals() returns.

package Pace;

use strict;
use warnings;

use parent 'Session';

use Exporter 'import';
use List::Util qw(min);
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(gaps ids spaced wait_until start_nginx stop_nginx);

# Clocks are printed in microseconds.
my $rounding = 2e-6;

# The handler that PostgreSQL's modules set (17 and later) would let the end of any
# program interrupt the reading.
sub query
{
	my ($self, $sql) = @_;
	local $SIG{CHLD} = 'DEFAULT';

	return $self->SUPER::query($sql);
}

# Begins statements and returns at once.
sub start
{
	my ($self, $sql) = @_;
	local $SIG{PIPE} = 'IGNORE';

	print { $self->{in} } "$sql;\n";
	return;
}

# Waits for them and returns their rows.  Where the session has come to its end,
# error() is "gone".
sub finish
{
	my $self = shift;
	local $SIG{PIPE} = 'IGNORE';
	my @rows = eval { $self->query('') };

	$self->{error} = 'gone' if $@ =~ /has ended/;
	die $@ if $@ && $self->{error} ne 'gone';
	return @rows;
}

# The process that serves it.
sub pid
{
	my $self = shift;

	($self->{backend}) = $self->query_safe('SELECT pg_backend_pid()')
	  unless $self->{backend};
	return $self->{backend};
}

# Seconds from each arrival to the next.
sub gaps
{
	my @times = sort { $a <=> $b } map { $_->{time} } @_;
	return map { $times[$_] - $times[ $_ - 1 ] } 1 .. $#times;
}

# The ids that were looked up, in the order of arrival.
sub ids
{
	return map { $_->{line} =~ m{/([^/?]+)$} ? $1 : () }
	  sort { $a->{time} <=> $b->{time} } @_;
}

# Tests that no two arrivals were nearer than some seconds.
sub spaced
{
	my ($least, $what, @arrivals) = @_;
	my $nearest = min(gaps(@arrivals));
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	cmp_ok($nearest, '>=', $least - $rounding, $what);
	note sprintf('%s: nearest %.1f ms of %.1f, %d requests',
		$what, $nearest * 1000, $least * 1000, scalar @arrivals);
	return;
}

# Waits until something is so, looking again after some seconds (0.01).
sub wait_until
{
	my ($what, $test, $pause) = @_;
	my $end = time + 180;

	until ($test->())
	{
		die "waited in vain: $what\n" if time > $end;
		sleep($pause // 0.01);
	}
	return;
}

# Starts an nginx that listens on a port, with these lines for its http block;
# everything it writes is in the directory.
sub start_nginx
{
	my ($directory, $http) = @_;
	my $nginx = (grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}),
		'/usr/sbin')[0] or die 'nginx is not installed';
	my $file = "$directory/nginx.conf";

	open(my $out, '>', $file) or die "$file: $!";
	print $out qq{
daemon on;
pid $directory/nginx.pid;
error_log $directory/error.log;
events { }
http {
	client_body_temp_path $directory/body;
	proxy_temp_path $directory/proxy;
	fastcgi_temp_path $directory/fastcgi;
	uwsgi_temp_path $directory/uwsgi;
	scgi_temp_path $directory/scgi;
$http
}
};
	close $out;
	system($nginx, '-c', $file, '-e', "$directory/error.log") == 0
	  or die "nginx does not start; see $directory/error.log";
	return;
}

sub stop_nginx
{
	my $directory = shift;

	open(my $in, '<', "$directory/nginx.pid") or return;
	chomp(my $pid = <$in> // '');
	close $in;
	kill 'QUIT', $pid if $pid;
	return;
}

1;
