# Where descriptors run out a statement ends with an error of class 53 that says
# so, whatever the descriptor was for, and its session goes on when there are
# some again.
#
# The system's limit is lowered under a session, to every number of descriptors
# that it can still have; PostgreSQL's own limit is lowered for a server.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Life qw(create outcome session);
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# Three pages a walk, of which the later ones go to a file.
my %standin = map { $_ => Standin->start(objects => 250, tls => $_ eq 'tls') } qw(plain tls);
my $node = Life::node('main', 'fsync = off', "work_mem = '64kB'",
	"log_line_prefix = '%m [%p] %e '");
my $by_name = $standin{plain}->endpoint =~ s/127\.0\.0\.1/localhost/r;
$node->safe_psql('postgres', join ' ',
	create('warm', $standin{plain}), create('address', $standin{plain}, timeout => 30),
	create('name', $standin{plain}, endpoint => $by_name, timeout => 30),
	create('tls', $standin{tls}, timeout => 30), create('ahead', $standin{plain}, max_in_flight => 8, timeout => 30),
	map { create("many_$_", $standin{plain}) } 1 .. 8);

# Lets a process open descriptors below a number; those above stay open.
sub limit
{
	my ($pid, $number) = @_;
	return system_log('prlimit', '--pid', $pid, "--nofile=$number:") == 0;
}

my $other = session($node);
my %seen;

SKIP:
{
	my $session = session($node);
	my $pid = $session->pid;
	my ($all) = slurp_file("/proc/$pid/limits") =~ /^Max open files\s+(\d+)/m;

	limit($pid, $all) or skip 'prlimit cannot limit descriptors', 1;
	$session->query_safe('SET client_min_messages = error');
	foreach my $server (qw(address name tls ahead))
	{
		my @wrong;
		my $number = 3;

		# everything but the connection is known by now
		outcome($session, "SELECT count(status) FROM $_") foreach 'warm', $server;
		for (my $enough = 0; $enough < 3 && $number < 100; $number++)
		{
			$other->query_safe("ALTER SERVER $server OPTIONS (SET timeout '" . (30 + $number % 2) . "')");
			limit($pid, $number);
			my $outcome = outcome($session, "SELECT count(status) FROM $server");
			limit($pid, $all);
			push @wrong, "$number: $outcome" unless $outcome =~ /\A(?:250|ERROR 53\d\d\d)\z/;
			$enough = $outcome eq '250' ? $enough + 1 : 0;
			$seen{$outcome}++;
			my $then = outcome($session, "SELECT count(status) FROM $server");
			push @wrong, "after $number: $then" unless $then eq '250';
		}
		is(join('; ', @wrong), '', "$server: an error of class 53 until there are enough");
		cmp_ok($number, '<', 100, "$server: a few are enough");
		cmp_ok($number, '>', 6, "$server: and none are not");
	}
	is(outcome($session, 'SELECT pg_backend_pid()'), $pid, 'all in one session');
}
note join ', ', map { "$_: $seen{$_}" } sort keys %seen;

# ---- PostgreSQL's own limit ----

$node->append_conf('postgresql.conf', 'max_files_per_process = 100');
$node->restart;

# All of a statement's connections are open at one time, those of several
# statements need not be.
{
	my $session = session($node);
	my $pid = $session->pid;
	my ($fit, @wrong) = (0);

	# so that they fill the room in every way
	foreach my $each (1 .. 7)
	{
		$node->safe_psql('postgres', join ';',
			map { "ALTER SERVER many_$_ OPTIONS (SET max_in_flight '$each')" } 1 .. 8);
		foreach my $count (1 .. 8)
		{
			my $some = join ' UNION ALL ', map { "SELECT * FROM many_$_" } 1 .. $count;
			my $outcome = outcome($session, "SELECT count(*) FROM ($some) AS t");
			my $right = 250 * $count;
			push @wrong, "$count with $each: $outcome" unless $outcome =~ /\A(?:$right|ERROR 53000)\z/;
			$fit++ if $outcome eq $right;
		}
		foreach my $number (1 .. 8)
		{
			my $outcome = outcome($session, "SELECT count(status) FROM many_$number");
			push @wrong, "$number with $each: $outcome" unless $outcome eq '250';
		}
	}
	is(join('; ', @wrong), '', 'servers in one statement: rows, or an error of class 53');
	cmp_ok($fit, '>', 7, 'some have room');
	cmp_ok($fit, '<', 50, 'others have none');
	is(outcome($session, 'SELECT pg_backend_pid()'), $pid, 'all in one session, too');
}

$node->stop;
my $log = slurp_file($node->logfile);
is(join("\n", grep { / XX\d\d\d |terminated by signal/ } split /\n/, $log), '',
	'no internal error, no crash');
done_testing();
