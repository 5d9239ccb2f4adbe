# The stand-in's control port, without a process for each command.
#
#	my $control = Control->new($standin->control);
#	my @answers = $control->batch([ 'objects', 8, 'tasks' ], [ 'ids', 'tasks' ]);
#
# An answer is a reference to the lines that a command prints.

package Control;

use strict;
use warnings;

use IO::Socket::INET;

sub new
{
	my ($class, $port) = @_;
	return bless { port => $port }, $class;
}

# Runs commands, between which the stand-in serves nobody.
sub batch
{
	my ($self, @commands) = @_;
	my $words = join "\0", map { (@$_, ';') } @commands;
	my $socket = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $self->{port}) or die "no stand-in: $!\n";

	print $socket "POST /batch HTTP/1.1\r\nContent-Length: "
	  . length($words) . "\r\n\r\n$words";
	$socket->flush;
	my $answer = do { local $/; <$socket> } // '';
	close $socket;
	die "stand-in: $answer\n" unless $answer =~ s/\AHTTP\/1\.1 200 .*?\r\n\r\n//s;
	return map { [ split /\n/ ] } split /^;\n/m, $answer, -1;
}

1;
