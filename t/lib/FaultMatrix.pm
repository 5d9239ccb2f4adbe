# The engine of the fault matrix: a fault at a place of a statement, on a way to
# the service.
#
#	my $matrix = FaultMatrix->new($node, $directory, 4);	4 lanes each way
#		... stop_nginx($directory) at the end, however the test ends
#	$matrix->run(@cells);		each has its result then
#
# The statement runs with the fault, and then again without it, in the same
# backend.  What came is compared with what FaultTable says: rows or SQLSTATE, how
# many requests; and the backend's memory with its limit.  Lanes, each a stand-in
# with a session, run next to one another, so that the cells that wait do not wait
# one after the other.

package FaultMatrix;

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use JSON::PP;
use Time::HiRes qw(time);

use Control;
use Pace qw(start_nginx);
use Standin;

our @EXPORT_OK = qw(@places @transports kind);

# A walk of these objects takes five requests: rows 0-9, 9-18, 18-27, 27-36 and,
# a short page, 36-44.
my $objects = 45;
my $page_size = 10;
my $pages = 5;

our @transports = qw(plain tls http2);

# kind: what is asked; request: of the statement's, the one that is hit.
my %places = (
	first => { kind => 'page', request => 1 },
	middle => { kind => 'page', request => 3 },
	last => { kind => 'page', request => $pages },
	lookup => { kind => 'lookup', request => 1 },
	count => { kind => 'count', request => 1 });
our @places = qw(first middle last lookup count);

# Servers of each lane, and one each that tries again.
my %servers = (
	patient => '',
	hasty => q{, timeout '1', connect_timeout '1'},
	small => q{, max_response_size '1MB'},
	nowhere => q{, timeout '170', connect_timeout '170'});

my @fields = qw(task_id task_name status line_count);
my $looked_up = 20;

# No statement takes so many seconds, however busy the machine.
my $patience = 180;

sub new
{
	my ($class, $node, $directory, $lanes) = @_;
	my $self = bless {
		node => $node,
		directory => $directory,
		lanes => [],
		stranger => Standin->start
	}, $class;
	my $number = 0;

	foreach my $transport (@transports)
	{
		push @{ $self->{lanes} }, $self->_lane($transport, $number++)
		  for 1 .. $lanes;
	}
	unshift @{ $self->{lanes}[-1]{queues} }, 'certificates';
	$self->_start_nginx;
	$node->safe_psql('postgres',
		join('', map { $self->_objects_sql($_) } @{ $self->{lanes} }));
	$self->_open($_) foreach @{ $self->{lanes} };
	return $self;
}

sub kind { return $places{ $_[0] }{kind}; }

# How many connections came to where the redirects lead.
sub strange_connections
{
	my $self = shift;
	return $self->{stranger}->ctl('connections') =~ /total=(\d+)/ ? $1 : -1;
}

# Of the requests through nginx, how many were HTTP/2, and how many there were.
sub http2_requests
{
	my $self = shift;

	open(my $in, '<', "$self->{directory}/access.log") or die "access.log: $!";
	my @protocols = <$in>;
	close $in;
	return (scalar(grep { /^HTTP\/2\.0$/ } @protocols), scalar @protocols);
}

# The names of the stand-in's faults, and "switch=value" of switches that are.
sub all_faults
{
	my $self = shift;
	my @help = $self->{stranger}->ctl('help');
	my ($start) = grep { $help[$_] eq 'faults:' } 0 .. $#help;
	my @names = map { /^([a-z]\w*)/ ? $1 : () } @help[ $start + 1 .. $#help ];

	foreach (@help[ 0 .. $start ])
	{
		next unless /^(accept|certificate)=(\S+) \(default (\w+)\)/;
		my ($switch, $default) = ($1, $3);
		push @names, map { "$switch=$_" } grep { $_ ne $default } split /\|/, $2;
	}
	return @names;
}

sub _lane
{
	my ($self, $transport, $number) = @_;
	my $standin = Standin->start(
		objects => $objects,
		base => "/lane$number/api/v1",
		tls => $transport eq 'tls');

	return {
		name => "lane$number",
		transport => $transport,
		queues => [$transport],
		standin => $standin,
		control => Control->new($standin->control),
		endpoint => $standin->endpoint,
		ca_file => $standin->ca_file
	};
}

# One nginx for all lanes that go through it.  Its certificate is read anew for
# each connection at its second port, where no connection is used twice.
sub _start_nginx
{
	my $self = shift;
	my @lanes = grep { $_->{transport} eq 'http2' } @{ $self->{lanes} };
	my $directory = $self->{directory};
	my $certified = $self->{certified} = Standin->start(tls => 1);
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $fresh_port = PostgreSQL::Test::Cluster::get_free_port();
	my $locations = '';

	($self->{certificates} = $certified->ca_file) =~ s/[^\/]+$//;
	foreach my $lane (@lanes)
	{
		my $upstream = $lane->{standin}->port;
		$locations .=
		  "location /$lane->{name}/ { proxy_pass http://127.0.0.1:$upstream; }\n";
		$lane->{endpoint} = "https://localhost:$port/$lane->{name}/api/v1";
		$lane->{fresh_endpoint} =
		  "https://localhost:$fresh_port/$lane->{name}/api/v1";
		$lane->{ca_file} = $certified->ca_file;
	}
	$self->_certify('good');
	start_nginx($directory, qq{
	log_format protocol '\$server_protocol';
	access_log $directory/access.log protocol;
	proxy_max_temp_file_size 0;
	server {
		listen 127.0.0.1:$port ssl http2;
		ssl_certificate $self->{certificates}/ca.pem;
		ssl_certificate_key $self->{certificates}/key.pem;
		$locations
	}
	map \$server_port \$shown { default $directory/shown; }
	server {
		listen 127.0.0.1:$fresh_port ssl http2;
		ssl_certificate \$shown.pem;
		ssl_certificate_key \$shown.key;
		ssl_session_tickets off;
		keepalive_timeout 0;
		$locations
	}
});
	return;
}

# Which certificate nginx shows at its second port from now on.
sub _certify
{
	my ($self, $kind) = @_;
	my @from = $kind eq 'good'
	  ? ('ca.pem', 'key.pem') : ("$kind.pem", "$kind.key");

	foreach my $to (qw(pem key))
	{
		my $new = "$self->{directory}/shown.new";
		unlink $new;
		symlink $self->{certificates} . shift(@from), $new or die "symlink: $!";
		rename $new, "$self->{directory}/shown.$to" or die "rename: $!";
	}
	return;
}

# Creates a lane's servers and tables.
sub _objects_sql
{
	my ($self, $lane) = @_;
	my $sql = "CREATE SCHEMA $lane->{name};";

	foreach my $server (sort keys %servers)
	{
		my $endpoint = $lane->{endpoint};
		# only on the loopback may it be http
		$endpoint =~ s{^\w+://[^:/]+}{https://nosuch.invalid}
		  if $server eq 'nowhere';
		$sql .= _server_sql($lane, $server, $endpoint,
			"max_retries '0'$servers{$server}");
		$sql .= _server_sql($lane, "${server}_again", $endpoint,
			"max_retries '1'$servers{$server}");
	}
	$sql .= _server_sql($lane, 'fresh', $lane->{fresh_endpoint},
		"max_retries '0'")
	  if $lane->{fresh_endpoint};
	return $sql;
}

# Opens its session.
sub _open
{
	my ($self, $lane) = @_;
	my ($ids, $dump) = $lane->{control}->batch([ 'ids', 'tasks' ],
		[ 'dump', 'tasks' ]);
	my $session = Pace->new($self->{node}->connstr('postgres'));

	$lane->{session} = $session;
	$lane->{id} = $ids->[$looked_up];
	$lane->{rows} = [ map { _row(JSON::PP->new->utf8->decode($_)) } @$dump ];
	$session->query_safe("SET search_path = $lane->{name}");
	$session->query_safe('SET nclue_fdw.progress_interval = 0');
	# what the first statements load is not a fault's memory
	$session->query_safe(_sql($lane, 'patient', $_))
	  foreach qw(page lookup count);
	# and what a sanitizer keeps is nobody's
	$lane->{weighed} = !grep { /lib[a-z]*asan/ } _proc($lane, 'maps');
	return;
}

sub _server_sql
{
	my ($lane, $table, $endpoint, $options) = @_;
	my $ca = $endpoint =~ /^https/ && $lane->{ca_file}
	  ? ", ca_file '$lane->{ca_file}'" : '';
	my $name = "$lane->{name}_$table";

	return qq{
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint '$endpoint', rate_limit '0', max_in_flight '1',
    page_size '$page_size', $options$ca);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE $lane->{name}.$table
  (task_id text, task_name text, status text, line_count bigint) SERVER $name;};
}

sub _row
{
	my $object = shift;
	my @values = map { $_ // "\x1a" } @$object{@fields};
	utf8::encode($_) foreach @values;
	return \@values;
}

sub _sql
{
	my ($lane, $table, $kind) = @_;
	my $list = join ', ', @fields;

	return "SELECT count(*) FROM $table" if $kind eq 'count';
	return "SELECT $list FROM $table" . ($kind eq 'lookup'
		? " WHERE task_id = '$lane->{id}'" : '');
}

# The rows that are right.
sub _right
{
	my ($lane, $place, $shown) = @_;
	my $kind = $places{$place}{kind};
	my @rows;

	return $objects if $kind eq 'count';
	@rows = map { [@$_] } @{ $lane->{rows} };
	if ($shown && defined $shown->{field})
	{
		my $row = $kind eq 'lookup' ? $looked_up
		  : ($places{$place}{request} - 1) * ($page_size - 1) + 1;
		my ($column) = grep { $fields[$_] eq $shown->{field} } 0 .. $#fields;
		$rows[$row][$column] = $shown->{value};
	}
	@rows = $rows[$looked_up] if $kind eq 'lookup';
	return map { join "\x1f", @$_ } @rows;
}

sub _usual_requests
{
	my $place = shift;
	return $places{$place}{kind} eq 'page' ? $pages : 1;
}

# ---- the steps of a cell ----

# A cell is { fault (a line of FaultTable), transport, place, again (tried again),
# expect (FaultTable's outcomes) }.  Each step prepares something and returns a
# statement, or undef; what that brought is given to the next step.
sub _steps
{
	my ($self, $lane, $cell) = @_;
	my $fault = $cell->{fault};
	my $kind = $places{ $cell->{place} }{kind};
	my $result = $cell->{result} = {};
	my $switch = $fault->{certificate} ? 'certificate'
	  : $fault->{accept} ? 'accept' : undef;
	my $good = _queue($cell) eq 'certificates' ? 'fresh' : 'patient';
	my $table = $fault->{ $cell->{transport} }{server} // $fault->{server}
	  // $good;

	$table .= '_again' if $cell->{again} || $fault->{retries};
	my @hit = $switch
	  ? $self->_switched($lane, $cell, $switch, _sql($lane, $table, $kind))
	  : $self->_ordered($lane, $cell, _sql($lane, $table, $kind));
	my $last = pop @hit;
	return (
		@hit,
		sub {
			my $sql = $last->(@_);

			$lane->{control}->batch(['requests']) unless $result->{begun};
			$result->{before} = _reset_peak($lane);
			$result->{start} = time;
			return $sql;
		},
		sub {
			$result->{seconds} = time - $result->{start};
			$result->{error} = _sqlstate($lane);
			$result->{rows} = [ @{ $result->{begun} // [] }, @_ ];
			$result->{growth} = _peak($lane) - $result->{before};
			$result->{requests} = _requests($lane);
			return unless $switch;
			$self->_turn($lane, $cell, $switch, 'normal');
			return 'ROLLBACK';
		},
		sub { return _sql($lane, $good, $kind) },
		sub {
			$result->{next} = [@_];
			$result->{next_error} = _sqlstate($lane);
			$result->{next_requests} = _requests($lane);
			return;
		});
}

# The fault is of an answer, and the stand-in told which.
sub _ordered
{
	my ($self, $lane, $cell, $sql) = @_;
	my $place = $places{ $cell->{place} };
	my $row = $place->{kind} eq 'lookup' ? 0 : 1;
	my $stranger = $self->{stranger}->endpoint;
	my @words = @{ $cell->{fault}{words} // [] };

	s/ROW/$row/, s/STRANGER/$stranger/ foreach @words;
	push @words, "request=+$place->{request}" if @words;
	return sub {
		$lane->{control}->batch([ 'fault', 'off' ],
			@words ? [ 'fault', @words ] : ());
		return $sql;
	};
}

# The fault is of the next connection: a cursor reads as far as the page before,
# so that it can be turned on in between.
sub _switched
{
	my ($self, $lane, $cell, $switch, $sql) = @_;
	my $place = $places{ $cell->{place} };
	my $rows = ($place->{request} - 1) * ($page_size - 1) + 1;
	my $turn = sub {
		$self->_turn($lane, $cell, $switch, $cell->{fault}{$switch});
		return;
	};
	my $alone = sub {
		$lane->{control}->batch([ 'fault', 'off' ], [ 'set', 'keep_alive=off' ]);
		return $sql;
	};

	return ($alone, sub { $turn->(); return $sql }) if $place->{request} == 1;
	return (
		$alone,
		sub { return 'BEGIN' },
		sub { return "DECLARE c CURSOR FOR $sql" },
		sub { $lane->{control}->batch(['requests']); return "FETCH $rows FROM c" },
		sub {
			$cell->{result}{begun} = [@_];
			$turn->();
			return 'FETCH ALL FROM c';
		});
}

sub _turn
{
	my ($self, $lane, $cell, $switch, $value) = @_;

	$value = 'good' if $switch eq 'certificate' && $value eq 'normal';
	return $self->_certify($value) if _queue($cell) eq 'certificates';
	my $keep = $value =~ /^(?:normal|good)$/ ? 'on' : 'off';
	# shorter than the pause before another attempt
	my $ms = $cell->{again} ? 500 : 0;
	$lane->{control}->batch(
		[ 'set', "accept_ms=$ms", "$switch=$value", "keep_alive=$keep" ]);
	return;
}

sub _sqlstate
{
	my $lane = shift;
	return $lane->{session}->error =~ s/^ERROR:  //r;
}

sub _requests
{
	my $lane = shift;
	my ($lines) = $lane->{control}->batch([ 'requests', 'json' ]);
	return [ map { JSON::PP->new->utf8->decode($_) } @$lines ];
}

# ---- memory ----

# Lines of a file in /proc, of a lane's backend.
sub _proc
{
	my ($lane, $name) = @_;
	my $file = '/proc/' . $lane->{session}->pid . "/$name";

	open(my $in, '<', $file) or die "$file: $!";
	my @lines = <$in>;
	close $in;
	return @lines;
}

# The most it has had, in kB.
sub _peak
{
	my $lane = shift;
	my ($line) = grep { /^VmHWM:/ } _proc($lane, 'status');
	return $line =~ /(\d+) kB/ ? $1 : die "no peak: $line";
}

# Forgets its peak and returns what it has now.
sub _reset_peak
{
	my $lane = shift;
	my $file = '/proc/' . $lane->{session}->pid . '/clear_refs';

	# where the kernel does not do that, a peak counts once
	if (open(my $out, '>', $file))
	{
		print $out "5\n";
		close $out;
	}
	return _peak($lane);
}

# ---- running ----

# Runs cells, as many at once as there are lanes; each is given its result.
sub run
{
	my ($self, @cells) = @_;
	my %waiting;
	my $select = IO::Select->new;
	my %busy;
	# the handler of PostgreSQL's modules would interrupt the reading
	local $SIG{CHLD} = 'DEFAULT';

	push @{ $waiting{ _queue($_) } }, $_ foreach @cells;
	$self->_feed($_, \%waiting, \%busy, $select) foreach @{ $self->{lanes} };
	while (%busy)
	{
		my @ready = $select->can_read($patience);
		die 'no end: ' . join(', ', map { _name($_->{cell}) } values %busy) . "\n"
		  unless @ready;
		foreach my $handle (@ready)
		{
			my $lane = $busy{$handle};
			my @rows = $lane->{session}->receive;
			next if $self->_advance($lane, @rows);
			$select->remove($handle);
			delete $busy{$handle};
			$self->_feed($lane, \%waiting, \%busy, $select);
		}
	}
	return;
}

sub _name
{
	my $cell = shift;
	return "$cell->{fault}{name}, $cell->{place}, $cell->{transport}"
	  . ($cell->{again} ? ', tried again' : '');
}

# One nginx shows one certificate at a time, so one lane alone asks for others.
sub _queue
{
	my $cell = shift;
	return $cell->{transport} eq 'http2' && $cell->{fault}{certificate}
	  ? 'certificates' : $cell->{transport};
}

# Gives a lane its next cell.
sub _feed
{
	my ($self, $lane, $waiting, $busy, $select) = @_;
	my ($queue) = grep { @{ $waiting->{$_} // [] } } @{ $lane->{queues} };
	return unless $queue;
	my $cell = shift @{ $waiting->{$queue} };
	my $handle = $lane->{session}->handle;

	$lane->{cell} = $cell;
	$lane->{steps} = [ $self->_steps($lane, $cell) ];
	$self->_advance($lane);
	$busy->{$handle} = $lane;
	$select->add($handle);
	return;
}

# Goes on to the next statement; false where there is none.
sub _advance
{
	my ($self, $lane, @rows) = @_;

	while (my $step = shift @{ $lane->{steps} })
	{
		my $sql = $step->(@rows);
		next unless defined $sql;
		$lane->{session}->send($sql);
		return 1;
	}
	$self->_judge($lane);
	return 0;
}

# ---- judging ----

# What may have come of a cell: [ 'rows', 'nothing' or SQLSTATE, requests ].
sub _allowed
{
	my $cell = shift;
	my ($fault, $place) = @$cell{qw(fault place)};
	my $sent = $fault->{sent} // 1;
	my $usual = $fault->{requests}{$place} // _usual_requests($place);
	my @any = @{ $cell->{expect}{any} };
	my @good = map { [ $_, $usual ] } grep { /^(?:rows|nothing)$/ } @any;

	return @good, [ 'rows', $usual + $sent ] if $cell->{again};
	return @good, map { [ $_, $places{$place}{request} - 1 + $sent ] }
	  grep { !/^(?:rows|nothing)$/ } @any;
}

# In the same form what did come.
sub _came
{
	my ($lane, $cell) = @_;
	my $result = $cell->{result};
	my $rows = "@{ $result->{rows} }";
	my $what = $result->{error} ne '' ? $result->{error}
	  : $rows eq '' ? 'nothing'
	  : $rows eq join(' ', _right($lane, $cell->{place}, $cell->{fault}{shown}))
	  ? 'rows' : 'wrong rows: ' . _few(@{ $result->{rows} });

	return $what . ' ' . @{ $result->{requests} };
}

sub _judge
{
	my ($self, $lane) = @_;
	my $cell = $lane->{cell};
	my $result = $cell->{result};
	my $most = ($cell->{fault}{memory} // 4) * 1024;
	my $place = $cell->{place};
	my @wrong;
	my @allowed = map { "@$_" } _allowed($cell);
	my $next = @{ $result->{next_requests} };
	my $cookies = join '', map { $_->{cookie} } @{ $result->{requests} },
	  @{ $result->{next_requests} };

	$result->{came} = _came($lane, $cell);
	push @wrong, "$result->{came} instead of " . join(' or ', @allowed)
	  unless grep { $_ eq $result->{came} } @allowed;
	push @wrong, "then $result->{next_error}" if $result->{next_error} ne '';
	push @wrong, 'then wrong rows: ' . _few(@{ $result->{next} })
	  unless "@{ $result->{next} }" eq join ' ', _right($lane, $place);
	push @wrong, "then $next requests" unless $next == _usual_requests($place);
	push @wrong, "cookies: $cookies" if $cookies ne '';
	push @wrong, "$result->{growth} kB, more than $most"
	  if $lane->{weighed} && $result->{growth} > $most;
	push @wrong, "$result->{seconds} s" if $result->{seconds} > $patience;
	$result->{wrong} = [ map { _name($cell) . ": $_" } @wrong ];
	delete @$result{qw(rows next begun)};
	return;
}

sub _few
{
	my $text = @_ . ' rows';
	$text .= ' "' . substr($_[0], 0, 60) . '"' if @_;
	return $text =~ s/[\x00-\x1f]/ /gr;
}

1;
