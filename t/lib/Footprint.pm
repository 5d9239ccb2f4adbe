# What a backend holds: memory, descriptors, temporary files, threads, and places
# in shared memory.
#
#	Footprint::start($node);
#	my $footprint = Footprint->new($session, $watcher, $node);
#	my $memory = $footprint->memory;
#	my $handles = $footprint->handles;
#	my $threads = $footprint->threads;
#
# Memory is in bytes:
#	libraries	what malloc() has handed out to others than PostgreSQL's memory
#				contexts; exact
#	used		in use in memory contexts; exact
#	caches		not part of that: in use in core's caches, which keep what the
#				catalogs were asked for, and its statistics, which are handed on
#				after some time
#	anonymous	pages that the process alone has: heap, stacks
#	resident	all its pages, those of programs and shared buffers too
# and contexts is the number of the extension's memory contexts.

package Footprint;

use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Utils ();
use Time::HiRes qw(sleep time);

# The statement that asks is part of what is measured, always the same.
my $contexts = q{
SELECT count(*) FILTER (WHERE name LIKE 'nclue\_fdw%'),
       sum(used_bytes) FILTER (WHERE NOT cache),
       sum(used_bytes) FILTER (WHERE cache),
       allocated() - sum(total_bytes)
FROM (SELECT *, name IN ('CacheMemoryContext', 'index info', 'CachedPlan',
                         'CachedPlanSource', 'CachedPlanQuery')
                OR name LIKE 'PgStat%' AS cache
      FROM pg_backend_memory_contexts) c};

# Starts a server in which memory can be measured exactly.
sub start
{
	my ($node) = @_;
	my $library = PostgreSQL::Test::Utils::tempdir() . '/allocated.so';
	my %config = map { $_ => (PostgreSQL::Test::Utils::run_command([ 'pg_config', "--$_" ]))[0] }
	  qw(cc includedir-server);

	system($config{cc}, qw(-O -fPIC -shared -I), $config{'includedir-server'},
		'-o', $library, dirname(__FILE__) . '/allocated.c') == 0
	  or die 'allocated.c does not compile';

	# what others do to the catalogs is told to all, and costs them memory
	$node->append_conf('postgresql.conf', 'autovacuum = off');
	# small, so that the process has soon touched all of them
	$node->append_conf('postgresql.conf', 'shared_buffers = 1MB');
	{
		# malloc() counts pieces that it keeps at hand as handed out, and does
		# not return all pages that it could
		local $ENV{GLIBC_TUNABLES} =
		  'glibc.malloc.tcache_count=0:glibc.malloc.trim_threshold=0';
		$node->start;
	}
	$node->safe_psql('postgres',
		"CREATE FUNCTION allocated() RETURNS bigint LANGUAGE C AS '$library'");
	return;
}

# The session is measured; another one is asked what is shared.
sub new
{
	my ($class, $session, $watcher, $node) = @_;

	return bless {
		session => $session,
		watcher => $watcher,
		pid => $session->pid,
		data => $node->data_dir
	}, $class;
}

sub memory
{
	my $self = shift;
	my %memory;

	@memory{qw(contexts used caches libraries)} =
	  split /\x1f/, ($self->{session}->query_safe($contexts))[0];
	open(my $in, '<', "/proc/$self->{pid}/smaps_rollup")
	  or die "smaps_rollup: $!";
	while (<$in>)
	{
		$memory{anonymous} = 1024 * $1 if /^Anonymous:\s+(\d+) kB/;
		$memory{resident} = 1024 * $1 if /^Rss:\s+(\d+) kB/;
	}
	close $in;
	return \%memory;
}

# How many of each kind are open, as one text.  Of the files that PostgreSQL keeps
# open, only temporary ones count; of the tallies in shared memory not that of
# server "mapped", whose mapping is made anew until there is no room for it.
sub handles
{
	my $self = shift;
	my %handles = ('temporary files' =>
		  scalar(() = glob "$self->{data}/base/pgsql_tmp/*"));

	foreach (glob "/proc/$self->{pid}/fd/*")
	{
		my $target = readlink($_) // next;
		next if $target =~ /^\Q$self->{data}\E/ && $target !~ /pgsql_tmp/;
		my ($kind) = $target =~ /^(?:anon_inode:)?\[?([a-z]\w*)/;
		$handles{ $kind // 'file' }++;
	}
	($handles{tallies}) = $self->{watcher}->query_safe(
		"SELECT count(*) FROM nclue_fdw_stat() WHERE server <> 'mapped'");
	return join ', ', map { "$handles{$_} $_" } sort keys %handles;
}

# Threads, once there is but one, or in vain: a resolver's ends when it can.
sub threads
{
	my $self = shift;

	return patiently(1, sub { return scalar(() = glob "/proc/$self->{pid}/task/*"); });
}

# What is seen, once it is what it should be, or in vain.
sub patiently
{
	my ($expected, $look) = @_;
	my $end = time + 30;
	my $seen = $look->();

	while ($seen != $expected && time < $end)
	{
		sleep 0.02;
		$seen = $look->();
	}
	return $seen;
}

1;
