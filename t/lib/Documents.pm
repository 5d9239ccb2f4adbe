# The documents' SQL, run as it stands there and compared with what they show.
#
#	my $document = Documents->read('README.md');
#	$document->run(sessions => sub { ... }, requests => sub { ... });
#
# A block marked ```sql is run.  Blocks without a mark that follow it, before the
# next heading, are what it gives: one that begins with "GET " or "(no requests)"
# is the requests it made, another what psql prints.  In a document that has SQL
# no block without a mark may be anything else; shell and configuration are marked
# ```sh and ```ini.  A block that shows no output must only not fail.
#
# Comments of HTML, which no reader sees, say more:
#
#	<!-- setup ... -->			SQL that is run here, and must print nothing
#	<!-- on: NAME -->			in which session blocks are run, from here on
#	<!-- needs: NAME -->		a section is left out where that is not there

package Documents;

use strict;
use warnings;

use IO::Select;
use IPC::Open3;
use Test::More;

my $end = "\x1d\x1d\x1d";

# ---- what a document holds ----

sub read
{
	my ($class, $file) = @_;
	my $self = bless { file => $file, blocks => [] }, $class;
	my ($current, $on, $needs) = (undef, 'main', undef);

	open(my $in, '<:raw', $file) or die "$file: $!";
	while (my $line = <$in>)
	{
		my $at = "$file:$.";
		if ($line =~ /^#+ /)
		{
			$current = $needs = undef;
		}
		elsif ($line =~ /^<!-- (on|needs): (.+) -->$/)
		{
			$on = $2 if $1 eq 'on';
			$needs = $2 if $1 eq 'needs';
		}
		elsif ($line =~ /^(?:```(\w*)|<!-- (setup))$/)
		{
			my $mark = $2 // $1;
			my $text = $self->_until($in, $at, $2 ? '-->' : '```');
			if ($mark eq 'sql' || $mark eq 'setup')
			{
				my $block = {
					at => $at,
					kind => $mark,
					sql => $text,
					on => $on,
					needs => $needs
				};
				push @{ $self->{blocks} }, $block;
				$current = $block if $mark eq 'sql';
			}
			elsif ($mark eq '')
			{
				my $what =
				  $text =~ /\A(?:GET |\(no requests\))/ ? 'requests' : 'output';
				if ($current && !defined $current->{$what})
				{
					$current->{$what} = $text;
				}
				else
				{
					push @{ $self->{loose} }, $at;
				}
			}
		}
		elsif ($line =~ /^\s*(?:```|<!--(?! bench\/run writes))/)
		{
			die "$at: a block or comment that this test does not know\n";
		}
	}
	close $in;
	return $self;
}

sub _until
{
	my ($self, $in, $at, $mark) = @_;
	my $text = '';

	while (my $line = <$in>)
	{
		return $text if $line eq "$mark\n";
		$text .= $line;
	}
	die "$at: never ends\n";
}

sub blocks { return @{ $_[0]{blocks} }; }

# The SQL that readers see.
sub sql
{
	my $self = shift;
	return grep { $_->{kind} eq 'sql' } $self->blocks;
}

# Blocks without a mark that are no output.
sub loose
{
	my $self = shift;
	return $self->sql ? @{ $self->{loose} // [] } : ();
}

# Its text without blocks and comments.
sub prose
{
	my $self = shift;

	open(my $in, '<:encoding(UTF-8)', $self->{file}) or die "$self->{file}: $!";
	my $text = do { local $/; <$in> };
	close $in;
	$text =~ s/^```.*?^```$|<!--.*?-->//msg;
	return $text;
}

# What it names as code, each once.
sub names
{
	my $self = shift;
	my %names = map { $_ => 1 } $self->prose =~ /`([^`\n]+)`/g;
	return sort keys %names;
}

# Links within the project that lead nowhere.
sub broken_links
{
	my $self = shift;
	my $directory = $self->{file} =~ s/[^\/]*\z//r;
	my @broken;

	foreach my $target ($self->prose =~ /\]\(([^)]+)\)/g)
	{
		next if $target =~ /^https?:/;
		my ($file, $anchor) = split /#/, $target;
		my $path = length $file ? "$directory$file" : $self->{file};
		push @broken, $target
		  unless -e $path
		  && (!defined $anchor || grep { $_ eq $anchor } _anchors($path));
	}
	return @broken;
}

sub _anchors
{
	my $path = shift;
	return map { lc(s/[^\w -]//gr) =~ tr/ /-/r }
	  (bless { file => $path }, __PACKAGE__)->prose =~ /^#+ (.+)$/mg;
}

# ---- running it ----

# sessions: gives a connection string for a session's name, and psql variables;
# requests: gives the request lines since its last call; lacks: names that
# sections may need, and why they are not there; directory: psql's.
sub run
{
	my ($self, %with) = @_;
	my %sessions;

	foreach my $block ($self->blocks)
	{
		my $needs = $block->{needs} // '';
	  SKIP:
		{
			skip "$block->{at}: $with{lacks}{$needs}", 1
			  if $with{lacks}{$needs};
			$sessions{ $block->{on} } //=
			  _session($with{sessions}->($block->{on}), $with{directory});
			$with{requests}->();
			my $output = _ask($sessions{ $block->{on} }, $block->{sql});
			_judge($block, $output, join '',
				map { "$_\n" } $with{requests}->());
		}
	}
	foreach my $session (values %sessions)
	{
		close $session->{in};
		waitpid $session->{pid}, 0;
	}
	return;
}

sub _judge
{
	my ($block, $output, $requests) = @_;
	my $at = $block->{at};

	$requests = "(no requests)\n" if $requests eq '';
	if ($block->{kind} eq 'setup')
	{
		is($output, '', "$at: prepared");
		return;
	}
	if (defined $block->{output})
	{
		is(normal($output), normal($block->{output}), "$at: output")
		  or diag $output;
	}
	else
	{
		unlike($output, qr/^(?:ERROR|FATAL|WARNING|\\)|^invalid/m, "$at: runs");
	}
	is($requests, $block->{requests}, "$at: requests")
	  if defined $block->{requests};
	return;
}

# A psql as readers have it, in Korea.
sub _session
{
	my ($connection, $variables, $directory) = @_;
	my ($in, $out);
	my @variables =
	  map { ('-v', "$_=$variables->{$_}") } sort keys %$variables;

	local @ENV{qw(PGTZ PGCLIENTENCODING)} = ('Asia/Seoul', 'UTF8');
	# errors come on the same way as rows, in their order
	my $pid = open3($in, $out, undef, 'psql', '-Xq', '-P', 'pager=off',
		@variables, '-d', $connection);
	binmode $_ foreach $in, $out;
	$in->autoflush(1);
	my $session = { pid => $pid, in => $in, out => $out };
	$session->{select} = IO::Select->new($out);
	_ask($session, "\\cd $directory\n") if $directory;
	return $session;
}

sub _ask
{
	my ($session, $sql) = @_;
	my ($in, $buffer) = ($session->{in}, '');

	# a statement without its end would be left waiting, unnoticed
	die "does not end: $sql" unless $sql =~ /(?:;|^[\\:].*|\\g.*)\s*\z/m;
	print $in $sql, "\\echo $end\n";
	until ($buffer =~ s/$end\n\z//)
	{
		die "no answer to: $sql" unless $session->{select}->can_read(180);
		sysread($session->{out}, $buffer, 1 << 18, length $buffer)
		  or die "psql has ended: $buffer\nafter: $sql";
	}
	return $buffer;
}

# The documents' servers are the service's.  In that database they get the
# stand-in, which is in no hurry, and one request after the other, so that their
# order is certain.
sub redirect
{
	my ($node, $database, $endpoint) = @_;
	$node->safe_psql($database, qq{
CREATE FUNCTION redirect() RETURNS event_trigger LANGUAGE plpgsql AS \$\$
DECLARE
  server name;
  known text[];
  more text;
BEGIN
  FOR server, known IN
    SELECT srvname, ARRAY(SELECT option_name FROM pg_options_to_table(srvoptions))
    FROM pg_event_trigger_ddl_commands() c
    JOIN pg_foreign_server s ON s.oid = c.objid
    JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw AND fdwname = 'nclue_fdw'
    WHERE c.classid = 'pg_foreign_server'::regclass
  LOOP
    SELECT string_agg(format('ADD %I %L', o, v), ', ') INTO more
    FROM (VALUES ('endpoint', '$endpoint'), ('rate_limit', '0'),
                 ('max_in_flight', '1')) AS t(o, v)
    WHERE o <> ALL (known);
    IF more IS NOT NULL THEN
      EXECUTE format('ALTER SERVER %I OPTIONS (%s)', server, more);
    END IF;
  END LOOP;
END \$\$;
CREATE EVENT TRIGGER redirect ON ddl_command_end
  WHEN TAG IN ('CREATE SERVER') EXECUTE FUNCTION redirect();});
	return;
}

# ---- what may differ ----

# What differs between two runs, or two versions of PostgreSQL, and is neither
# right nor wrong.
sub normal
{
	my $text = shift;
	my $loose = 0;

	$text =~ s/[ \t]+$//mg;
	$text =~ s/\n+\z/\n/;
	# times, process ids, ports (of five digits all)
	$text =~ s/\b\d+\.\d{3} s\b/0.000 s/g;
	$text =~ s/server process with PID \d+/server process with PID 1/g;
	$text =~ s/127\.0\.0\.1:\d+/127.0.0.1:40000/g;
	# whoever runs the test
	$text =~ s/\bof \S+, with both keys\b/of postgres, with both keys/g;
	# what the machine has installed; a clock between two seconds
	$loose = 1 if $text =~ s/\bnclue_fdw 1\.\d+\.\d+, libcurl.*/(versions)/g;
	$loose = 1
	  if $text =~
	  s/\b(?:the same as the service's, to the second|\d+ s (?:ahead of|behind) the service's)/(clock)/g;
	if ($text =~ /^ *QUERY PLAN$/m)
	{
		# 18 counts rows of loops in fractions, and shows more by default
		$text =~ s/\brows=(\d+)\.00\b/rows=$1/g;
		$text =~ s/^ *(?:Buffers|Index Searches): .*\n//mg;
		$text =~ s/^\(\d+ rows\)\n//m;
		$loose = 1;
	}
	if ($loose)
	{
		$text =~ s/(?<=\S) {2,}/ /g;
		$text =~ s/^ +(?=QUERY PLAN)//mg;
		$text =~ s/^(-+\+)*-+$/---/mg;
	}
	return $text;
}

1;
