# What a process's own memory holds.
#
#	my $memory = Memory->new($pid);		undef where the system does not allow it
#	$memory->count(qr/\Q$secret\E/);
#
# Own is what no other process sees: the heap, the stack, the libraries' data.
# Shared memory, PostgreSQL's buffers above all, is left out.

package Memory;

use strict;
use warnings;

# addresses have 64 bits
no warnings q(portable);

sub new
{
	my ($class, $pid) = @_;

	open(my $file, '<:raw', "/proc/$pid/mem") or return;
	return bless { pid => $pid, file => $file }, $class;
}

# How often a pattern of at most 1 kB occurs.
sub count
{
	my ($self, $pattern) = @_;
	my $count = 0;

	foreach my $area ($self->_areas)
	{
		my ($from, $to) = @$area;
		my $rest = '';

		sysseek($self->{file}, $from, 0) or next;
		while ($from < $to)
		{
			my $size = $to - $from < 1 << 20 ? $to - $from : 1 << 20;
			my $got = sysread($self->{file}, my $buffer, $size) or last;
			my $end = 0;

			$from += $got;
			$buffer = $rest . $buffer;
			while ($buffer =~ /$pattern/g)
			{
				$count++;
				$end = pos $buffer;
			}
			# what begins here may end in the next piece
			my $keep = length($buffer) - $end;
			$rest = substr $buffer, -($keep < 1024 ? $keep : 1024), 1024;
			$rest = '' unless $keep;
		}
	}
	return $count;
}

sub _areas
{
	my $self = shift;
	my @areas;

	open(my $maps, '<', "/proc/$self->{pid}/maps") or die "maps: $!\n";
	while (<$maps>)
	{
		my ($from, $to, $rights) = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/ or next;

		# what is larger is a sanitizer's own, and mostly holes
		push @areas, [ hex $from, hex $to ]
		  if $rights =~ /^rw.p/ && hex($to) - hex($from) < 1 << 32;
	}
	close $maps;
	return @areas;
}

1;
