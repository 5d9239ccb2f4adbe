# A stand-in for the NCLUE service, for TAP tests.
#
#	my $standin = Standin->start(objects => 1000, tls => 1);
#	... OPTIONS (endpoint '@{[ $standin->endpoint ]}')
#	$standin->ctl('fault', 'reset', 'next=2');
#	is_deeply([ $standin->requests ], ['GET /api/v1/tasks?index=0&limit=100']);
#
# It ends with the object, and at the latest with the test.

package Standin;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $directory = abs_path(dirname(abs_path(__FILE__)) . '/../../test/standin');

# Process ids of all that run, for END.
my %running;

# Starts one.  Options are those of the program without their dashes, with _
# for -: a name with the value 1 for a flag (tls => 1), a reference to an array
# for an option given several times (key => ['A:B', 'C:D']).
sub start
{
	my ($class, %options) = @_;
	my %flag = (tls => 1);
	my @arguments;

	foreach my $name (sort keys %options)
	{
		my $value = $options{$name};
		(my $option = "--$name") =~ tr/_/-/;
		if ($flag{$name})
		{
			push @arguments, $option if $value;
			next;
		}
		push @arguments, $option, $_ foreach ref $value ? @$value : $value;
	}

	# Perl closes both pipes in the programs that the test starts, so the
	# stand-in sees the end of its input when the test is gone, however.
	pipe(my $in_reader, my $in_writer) or die "pipe: $!";
	pipe(my $out_reader, my $out_writer) or die "pipe: $!";
	my $pid = fork();
	die "fork: $!" unless defined $pid;
	if ($pid == 0)
	{
		open(STDIN, '<&', $in_reader) or die "stdin: $!";
		open(STDOUT, '>&', $out_writer) or die "stdout: $!";
		exec("$directory/standin", '--until-eof', @arguments)
		  or print STDERR "exec $directory/standin: $!\n";
		require POSIX;
		POSIX::_exit(127);
	}
	close $in_reader;
	close $out_writer;

	my $line = <$out_reader> // '';
	my $self = bless {
		pid => $pid,
		owner => $$,
		input => $in_writer,
		output => $out_reader,
		tls => $options{tls},
		base => $options{base} // '/api/v1',
		map { split /=/, $_, 2 } split ' ', $line
	}, $class;
	$running{$pid} = 1;
	unless ($self->{port})
	{
		$self->stop;
		die "the stand-in did not start\n";
	}
	return $self;
}

sub port { return $_[0]{port}; }

sub control { return $_[0]{control}; }

sub pid { return $_[0]{pid}; }

# The certificate's file, with tls.
sub ca_file { return $_[0]{ca_file}; }

# The value of the server's option.
sub endpoint
{
	my $self = shift;
	return $self->{tls}
	  ? "https://localhost:$self->{port}$self->{base}"
	  : "http://127.0.0.1:$self->{port}$self->{base}";
}

# SQL that makes a foreign server with these options, and everybody's mapping to it.
sub server_sql
{
	my ($name, %options) = @_;
	my $options = join ', ', map { "$_ '$options{$_}'" } sort keys %options;

	return qq{
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS ($options);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');};
}

# Runs a command and returns its output, as bytes: one string, or a list of
# lines without their ends.  Dies where the stand-in complains.
sub ctl
{
	my ($self, @arguments) = @_;
	my ($status, $output) = $self->_run(@arguments);
	die "ctl @arguments: exit status $status\n" if $status;
	return wantarray ? split(/\n/, $output) : $output;
}

# Request lines since the last call.
sub requests
{
	my $self = shift;
	return grep { $_ ne '(no requests)' } $self->ctl('requests');
}

# Requests since the last call, each as { number, time (monotonic seconds),
# connection, status (0: none was sent), line }.
sub arrivals
{
	my $self = shift;
	return map { arrival($_) } $self->ctl('arrivals');
}

# One of them, from the line that shows it.
sub arrival
{
	my %arrival;

	@arrival{qw(number time connection status line)} = split / /, $_[0], 5;
	return \%arrival;
}

# Waits until so many requests came that requests() has not returned; false
# after some seconds (10).
sub wait_requests
{
	my ($self, $count, $seconds) = @_;
	my ($status) = $self->_run('wait', $count, $seconds // 10);
	return $status == 0;
}

# Ends it; may be called again.
sub stop
{
	my $self = shift;

	return unless $self->{owner} == $$ && delete $running{ $self->{pid} };
	local $?;
	kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
	close $self->{input};
	close $self->{output};
	return;
}

sub DESTROY
{
	my $self = shift;
	$self->stop;
	return;
}

sub _run
{
	my ($self, @arguments) = @_;

	local $ENV{NCLUE_STANDIN_CONTROL} = $self->{control};
	local $?;
	open(my $pipe, '-|', "$directory/ctl", @arguments) or die "ctl: $!";
	my $output = do { local $/; <$pipe> };
	close $pipe;
	return ($? >> 8, $output // '');
}

# Global objects are destroyed too late for an orderly stop.
my $owner = $$;

END
{
	if ($$ == $owner)
	{
		local $?;
		foreach my $pid (keys %running)
		{
			kill 'TERM', $pid;
			waitpid $pid, 0;
		}
		%running = ();
	}
}

1;
