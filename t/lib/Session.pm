# A psql that stays open, for thousands of statements: a statement costs what
# it takes, no process and no polling.
#
#	my $session = Session->new($node->connstr('postgres'));
#	my @rows = $session->query('SELECT 1, NULL');
#	my $error = $session->error;	'' or 'ERROR:  22012'
#
# A row is one string, its fields between "\x1f".  Everything is bytes.

package Session;

use strict;
use warnings;

use IO::Select;
use IPC::Open3;

my $end = "\x1d\x1d\x1d";

sub new
{
	my ($class, $connection) = @_;
	my ($in, $out);

	# errors come on the same way as rows, each before the mark that ends it
	my $pid = open3($in, $out, undef, 'psql', '-XAtq', '-F', "\x1f",
		'-R', "\x1e", '-P', "null=\x1a", '-v', 'VERBOSITY=sqlstate',
		'-d', $connection);
	$in->autoflush(1);
	return bless {
		pid => $pid,
		in => $in,
		out => $out,
		select => IO::Select->new($out),
		error => ''
	}, $class;
}

# Runs one statement, which may be data for COPY as well.
sub query
{
	my ($self, $sql) = @_;

	$self->send($sql);
	return $self->receive;
}

# Begins one and returns at once; handle() becomes readable when it has ended.
sub send
{
	my ($self, $sql) = @_;

	print { $self->{in} } $sql, $sql =~ /^\\\.\z/m ? '' : "\n;",
	  "\n\\echo $end\n";
	$self->{sql} = $sql;
	return;
}

sub handle { return $_[0]{out}; }

# Waits for it and returns its rows.
sub receive
{
	my $self = shift;
	my $buffer = '';

	until ($buffer =~ s/$end\n\z//)
	{
		die "no answer to: $self->{sql}\n" unless $self->{select}->can_read(180);
		sysread($self->{out}, $buffer, 1 << 18, length $buffer)
		  or die "psql has ended: $buffer\nafter: $self->{sql}\n";
	}
	$self->{error} = '';
	if ($buffer =~ s/^((?:ERROR|FATAL|PANIC):[^\n]*)\n(?:LINE[^\n]*\n[^\n]*\n)?//m)
	{
		$self->{error} = $1;
	}
	return unless $buffer =~ s/\n\z//;
	return length $buffer ? split(/\x1e/, $buffer, -1) : ('');
}

# The same, dying where the statement fails.
sub query_safe
{
	my ($self, $sql) = @_;
	my @rows = $self->query($sql);

	die "$self->{error}: $sql\n" if $self->{error};
	return @rows;
}

sub error { return $_[0]{error}; }

sub close
{
	my $self = shift;

	close $self->{in};
	local $?;
	waitpid $self->{pid}, 0;
	return;
}

1;
