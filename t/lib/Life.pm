# What tests of life and death share: a server that may be hurt, and sessions
# whose statements may fail.
#
#	my $node = Life::node('main', 'max_connections = 20');
#	my $session = session($node);
#	my $rows = outcome($session, 'SELECT ...');	rows, or "ERROR 42501"

package Life;

use strict;
use warnings;

use Exporter 'import';
use Pace;
use PostgreSQL::Test::Cluster;

our @EXPORT_OK = qw(create difference earliest outcome session told);

# A server whose sessions share a line, started.
sub node
{
	my ($name, @lines) = @_;
	return start(PostgreSQL::Test::Cluster->new($name), @lines);
}

sub start
{
	my ($node, @lines) = @_;

	init($node);
	unshift @lines, "shared_preload_libraries = 'nclue_fdw'"
	  if $node->pg_version < 17;
	$node->append_conf('postgresql.conf', join "\n", @lines, '');
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION nclue_fdw');
	return $node;
}

# The caller's locale may not go with names in all scripts; and what is upgraded
# must have checksums if what it becomes has them, as of version 18 by default.
sub init
{
	shift->init(extra => [ '--encoding=UTF8', '--locale=C', '--data-checksums' ]);
	return;
}

# SQL of a server, a mapping for everybody and a table of tasks, all with one
# name.
sub create
{
	my ($name, $standin, %more) = @_;
	my %options = (
		endpoint => $standin->endpoint,
		rate_limit => 0,
		max_in_flight => 1,
		max_retries => 0,
		$standin->ca_file ? (ca_file => $standin->ca_file) : (),
		%more);
	my $options = join ', ', map { "$_ '$options{$_}'" } sort keys %options;

	return "CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS ($options);"
	  . " CREATE USER MAPPING FOR PUBLIC SERVER $name"
	  . " OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');"
	  . " CREATE FOREIGN TABLE $name (task_id text, status text) SERVER $name;";
}

sub session
{
	my ($node, $database) = @_;
	return Pace->new($node->connstr($database // 'postgres'));
}

# The rows of a statement, one a line; or its error.
sub outcome
{
	my ($session, $sql) = @_;
	my @rows = $session->query($sql);

	return $session->error =~ s/:\s+/ /r if $session->error;
	return join "\n", map { tr/\x1f\x1a\n/|~ /r } @rows;
}

# How statements end in a session of their own, in full.
sub told
{
	my ($node, $sql, $role) = @_;
	my (undef, undef, $error) = $node->psql('postgres', $sql,
		extra_params => [ '-v', 'VERBOSITY=verbose', $role ? ('-U', $role) : () ]);
	return $error;
}

# In how many seconds a request could be sent; undef where that is not told, as
# it went or failed.
sub earliest
{
	my ($node, $sql, $role) = @_;
	return (told($node, "SET statement_timeout = '1s'; $sql", $role) =~
		  /ERROR:  57014: .*\n.*It could be sent in ([\d.]+) s at the earliest/)[0];
}

# What the first difference of two texts is, line by line; nothing if there is
# none.
sub difference
{
	my @got = split /\n/, $_[0];
	my @expected = split /\n/, $_[1];
	my $first = 0;

	return if $_[0] eq $_[1];
	$first++ while ($got[$first] // '') eq ($expected[$first] // '');
	return sprintf '%d lines of %d; number %d is %s, not %s', scalar @got,
	  scalar @expected, $first + 1, $got[$first] // 'missing',
	  $expected[$first] // 'none';
}

1;
