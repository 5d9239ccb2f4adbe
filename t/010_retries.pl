# Which failures are tried again, when, and what is told of it: each row of the
# core's table of failures, by its name.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Socket::INET;
use IPC::Run qw(start timeout);
use List::Util qw(sum0);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# Pauses have a least length; how much longer they take is the machine's
# affair, up to this many seconds.
my $patience = 10;

my @keys = map { "AK_$_:SK_TEST" } 0 .. 99;
my $standin = Standin->start(key => \@keys);
my $secure = Standin->start(tls => 1);
# one whose answers are slow, and one that looks at timestamps
my $slow = Standin->start(objects => 1600);
my $strict = Standin->start(objects => 3);
# one that closes its connections at once, and what never answers
my $rude = Standin->start;
$rude->ctl('set', 'accept=close');
my $deaf = IO::Socket::INET->new(
	Listen => 5,
	LocalAddr => '127.0.0.1',
	Proto => 'tcp') or die "listen: $!";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# from 17 on nothing has to be configured
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'nclue_fdw'")
  if $node->pg_version < 17;
$node->append_conf('postgresql.conf', 'max_connections = 100');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION nclue_fdw');

# A server, its mapping and its table, all of one name; each has an access key,
# hence a line, of its own.
my $keys = 0;

sub create_sql
{
	my ($name, %options) = @_;
	my $key = delete $options{access_key} // 'AK_' . $keys++;
	my $resource = delete $options{resource} // 'tasks';
	my $columns = delete $options{columns} // 'task_id text, task_name text';
	%options = (
		endpoint => $standin->endpoint,
		rate_limit => 0,
		max_in_flight => 1,
		%options);
	my $list = join ', ', map { "$_ '$options{$_}'" } sort keys %options;
	return qq{
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS ($list);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key '$key', secret_key 'SK_TEST');
CREATE FOREIGN TABLE $name ($columns) SERVER $name OPTIONS (resource '$resource');};
}

sub session
{
	my (@sql) = @_;
	my $session = { out => '', err => '' };
	$session->{run} = start [
		'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d',
		$node->connstr('postgres'), map { ('-c', $_) } @sql
	], '>', \$session->{out}, '2>', \$session->{err}, timeout(180);
	return $session;
}

sub finish
{
	my ($session) = @_;
	$session->{run}->finish;
	return $session;
}

# Seconds between requests whose target contains a text.
sub pauses
{
	my ($match, @arrivals) = @_;
	my @times = map { $_->{time} } grep { index($_->{line}, $match) >= 0 } @arrivals;
	return map { $times[$_] - $times[ $_ - 1 ] } 1 .. $#times;
}

# All pauses, and by how much of their least length they are longer.
my @longer;

sub is_pause
{
	my ($pause, $least, $what) = @_;
	push @longer, $pause / $least - 1;
	cmp_ok($pause, '>=', $least, "$what: not before its time");
	cmp_ok($pause, '<', $least * 1.25 + $patience, "$what: nor long after");
	return;
}

# ---- the table ----

# With max_retries 1: SQLSTATE; attempts; what the stand-in does; then if they
# differ from a look-up on the stand-in: options, statements, what its requests
# contain, how many are sent, and how an attempt is told of.
my $closed = 'http://127.0.0.1:1/api/v1';
my $nowhere = 'https://nosuch.invalid/api/v1';
my @cases = (
	[ RESOLVE => '08001', 2, '', endpoint => $nowhere, sent => 0,
		told => 'could not resolve the host name of the NCLUE service' ],
	[ RESOLVE_PROXY => '08001', 2, '', endpoint => $nowhere, sent => 0,
		proxy => 'http://nosuch.invalid:3128',
		told => 'could not resolve the host name of the proxy' ],
	[ CONNECT => '08001', 2, '', endpoint => $closed, sent => 0,
		told => 'could not connect to the NCLUE service' ],
	[ TLS => '08001', 2, '', sent => 0,
		endpoint => $rude->endpoint =~ s/http:/https:/r,
		told => 'could not establish a TLS connection to the NCLUE service' ],
	[ CERTIFICATE => '08001', 1, '', endpoint => $secure->endpoint, sent => 0 ],
	[ CA_FILE => '08001', 1, '', endpoint => $secure->endpoint, sent => 0,
		ca_file => '/nonexistent/ca.pem' ],
	[ CONNECT_TIMEOUT => '08006', 2, '', sent => 0, connect_timeout => '0.2',
		endpoint => 'https://127.0.0.1:' . $deaf->sockport,
		told => 'timed out while connecting to the NCLUE service' ],
	[ TIMEOUT => '08006', 2, 'stall', timeout => '0.5',
		told => 'the NCLUE service did not answer in time' ],
	[ TIMEOUT => '08006', 2, 'status=200 body={} stall_body', timeout => '0.5',
		told => 'the NCLUE service did not answer in time' ],
	[ LOST => '08006', 2, 'close',
		told => 'lost the connection to the NCLUE service' ],
	[ LOST => '08006', 2, 'reset',
		told => 'lost the connection to the NCLUE service' ],
	[ LOST => '08006', 2, 'status=200 body={} truncated',
		told => 'lost the connection to the NCLUE service' ],
	[ LOST => '08006', 2, 'status=200 body={} chunked_cut',
		told => 'lost the connection to the NCLUE service' ],
	[ PROTOCOL => '08P01', 1, 'raw=hello' ],
	[ BAD_REQUEST => 'HV000', 1, 'status=400 code=100' ],
	[ AUTHENTICATION => '28000', 1, 'status=401 code=200' ],
	[ PERMISSION => '42501', 1, 'status=401 code=210' ],
	[ PERMISSION => '42501', 1, 'status=403 code=230' ],
	[ UNKNOWN_URL => 'HV00R', 1, 'status=404 code=300' ],
	[ NO_OBJECT => 'HV00R', 1, 'status=404 code=10106', page_size => 11,
		sql => 'SELECT * FROM t', match => 'tasks?index=0&limit=11' ],
	[ REQUEST_TOO_LARGE => 'HV000', 1, 'status=413 code=430' ],
	[ QUOTA => '53000', 1, 'status=429 code=400', throttled => 1 ],
	[ THROTTLED => '53000', 2, 'status=429 code=410', throttled => 2 ],
	[ THROTTLED => '53000', 2, 'status=429 code=420', throttled => 2 ],
	[ THROTTLED => '53000', 2, 'status=429 shape=empty', throttled => 2 ],
	[ SERVER => 'HV000', 2, 'status=500 code=900' ],
	[ UNAVAILABLE => 'HV000', 2, 'status=502 shape=html' ],
	[ UNAVAILABLE => 'HV000', 2, 'status=503 code=500' ],
	[ UNAVAILABLE => 'HV000', 2, 'status=504 code=510' ],
	[ REDIRECT => 'HV000', 1, "redirect=$closed" ],
	[ STATUS => 'HV000', 1, 'status=418' ],
	[ STATUS => 'HV000', 1, 'status=501' ],
	[ BODY_TOO_LARGE => '54000', 1, 'huge=1', max_response_size => '1kB',
		page_size => 12, sql => 'SELECT * FROM t',
		match => 'tasks?index=0&limit=12' ],
	[ NOT_JSON => '22032', 1, 'html' ],
	[ UNREADABLE => '22032', 1, 'status=200 body=1e999' ],
	[ SHAPE => 'HV021', 1, 'status=200 body={}' ],
	[ NO_ID => 'HV021', 1, 'id_missing', page_size => 13,
		sql => 'SELECT * FROM t', match => 'tasks?index=0&limit=13' ],
	[ MOVES => '40001', 1, '', page_size => 10, resource => 'task-runs',
		columns => 'run_id text', sql => 'SELECT count(run_id) FROM t',
		match => '/task-runs', sent => 9 ],
	[ TOTAL => 'HV021', 1, 'envelope=total:999', page_size => 100,
		resource => 'features', columns => 'feature_id text',
		sql => 'SELECT count(feature_id) FROM t', match => '/features', sent => 10 ],
	[ UNIT => 'HV021', 1, 'envelope=total:1 empty_array', page_size => 100,
		resource => 'shopping-intents', columns => 'profile_id text',
		sql => 'SELECT count(profile_id) FROM t', match => '/shopping-intents',
		sent => 7 ],
	[ BUDGET => '53400', 1, '', resource => 'custom-attributes',
		columns => 'profile_id text',
		sql => 'SET nclue_fdw.max_requests = 2; SELECT count(profile_id) FROM t',
		match => '/custom-attributes' ],
	[ DEADLINE => '57014', 1, '', sent => 0, rate_limit => '0.001',
		access_key => 'AK_99',
		sql => "SELECT * FROM begin WHERE task_id = 'x'; SET statement_timeout = '1min'; SELECT count(task_name) FROM t" ]);

# no answer and no network brings these about; the core's own tests do
my %elsewhere = map { $_ => 1 } qw(NONE MEMORY LIBRARY);
# in 240_life_shared.pl and 240_life_descriptors.pl
$elsewhere{$_} = 1 foreach qw(LINE DESCRIPTORS);

open(my $table, '<', "$FindBin::RealBin/../src/core/failure.c")
  or die "failure.c: $!";
my @rows = map { /^\tROW\(FAILURE_(\w+),/ ? $1 : () } <$table>;
close $table;
my %shown = (%elsewhere, map { $_->[0] => 1 } @cases);
is_deeply([ sort keys %shown ], [ sort @rows ],
	'every row of the table of failures is shown');

# nine new objects before each request from the third on
$standin->ctl('objects', '100', 'task-runs');
$standin->ctl('batch',
	join(' ; ', map { "churn request=+$_ match=/task-runs insert task-runs" }
		  map { ($_) x 9 } 3 .. 9)
	  =~ /(\S+)/g);

# begins the line that one case waits in
my $setup = create_sql('begin', access_key => 'AK_99', rate_limit => '1000');
my $number = 0;
foreach my $case (@cases)
{
	my ($name, $sqlstate, $attempts, $fault, %more) = @$case;
	my $table = lc($name) . '_' . $number++;
	my %c = (
		name => $name,
		table => $table,
		what => "FAILURE_$name" . ($fault && " ($fault)"),
		sqlstate => $sqlstate,
		attempts => $attempts,
		match => delete $more{match} // "/tasks/$table-",
		sql => (delete $more{sql} // "SELECT * FROM t WHERE task_id = '$table-'")
		  =~ s/\bt\b/$table/r,
		sent => delete $more{sent} // $attempts,
		lasts => $more{timeout} // 0,
		throttled => delete $more{throttled} // 0,
		told => delete $more{told}
		  // ($fault =~ /status=(\d+)/ ? "HTTP status $1" : ''));
	$standin->ctl('fault', split(' ', $fault), 'always', "match=$c{match}")
	  if $fault;
	$setup .= create_sql($table, max_retries => 1, %more);
	$case = \%c;
}

# ---- beside it, since each of these waits as well ----

# three failures, then the answer
$setup .= create_sql('recovers', endpoint => $strict->endpoint,
	access_key => 'AK_TEST');
$strict->ctl('fault', 'status=503', 'request=1');
$strict->ctl('fault', 'status=500', 'request=2');
$strict->ctl('fault', 'status=429', 'request=3');
# a signature is good for five minutes: those of the attempts before, which are
# four seconds old at least, are not any more
$strict->ctl('churn', 'request=4', 'set', 'clock=297');

# failures of different kinds, with the default of max_retries
$setup .= create_sql('fails');
my $n = 0;
$standin->ctl('fault', split(' ', $_), 'request=+' . ++$n, 'match=/tasks/fails')
  foreach 'status=503', 'status=429 code=420', 'close', 'status=500';

# none
$setup .= create_sql('once', max_retries => 0);
$standin->ctl('fault', 'status=503', 'match=/tasks/once');

# as the answer asks for, in both of its forms; a date has whole seconds
$setup .= create_sql('seconds') . create_sql('date');
$standin->ctl('fault', 'status=503', 'retry_after=3', 'match=/tasks/seconds');
$standin->ctl('fault', 'status=503', 'retry_date=4', 'match=/tasks/date');
# less than the pause of its own is no reason for less
$setup .= create_sql('sooner');
$standin->ctl('fault', 'status=503', 'retry_after=1', 'next=2', 'match=/tasks/sooner');

# one by one, through the limiter
$setup .= create_sql('paced', rate_limit => '0.3');
$standin->ctl('fault', 'status=503', 'match=/tasks/paced');

# many pages under way, most of which fail
$setup .= create_sql('walk', endpoint => $slow->endpoint,
	access_key => 'AK_TEST', max_in_flight => 16);
$slow->ctl('set', 'latency=1000');
my @failing = map { $_ * 99 } 1 .. 12;
$slow->ctl('fault', 'status=503', "match=index=$_&") foreach @failing;

# a connection that is kept, and closed instead of an answer
$setup .= create_sql('kept') . create_sql('kept_once', max_retries => 0);
foreach my $table (qw(kept kept_once))
{
	$standin->ctl('fault', 'close', "match=/tasks/$table-second");
}

# what EXPLAIN says
$setup .= create_sql('explained');
$standin->ctl('fault', 'status=503', 'match=/tasks/explained');

$node->safe_psql('postgres', $setup);
my $stat = 'SELECT requests, retries, throttled FROM nclue_fdw_stat WHERE server =';

$_->{session} = session($_->{sql}, "$stat '$_->{table}'") foreach @cases;
my %session = (
	recovers => session(
		"SELECT string_agg(task_id, ' '), sum((task_name IS NOT NULL)::int) FROM recovers",
		"$stat 'recovers'"),
	walk => session(
		"SELECT string_agg(task_id, E'\\n') FROM walk", "$stat 'walk'"),
	explained => session(
		"EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM explained WHERE task_id = 'explained'",
		"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT * FROM explained WHERE task_id = 'other'"),
	map {
		$_ => session("SELECT count(*) FROM $_ WHERE task_id = '$_'",
			"$stat '$_'")
	} qw(fails once seconds date sooner paced));
foreach my $table (qw(kept kept_once))
{
	$session{$table} = session(
		"SELECT count(*) FROM $table WHERE task_id = '$table-first'",
		"SELECT count(*) FROM $table WHERE task_id = '$table-second'",
		"$stat '$table'",
		"SELECT count(*) FROM $table WHERE task_id = '$table-third'");
}
finish($_) foreach values %session, map { $_->{session} } @cases;

my @arrivals = $standin->arrivals;
foreach my $case (@cases)
{
	my ($state) = $case->{session}{err} =~ /^ERROR:  (\w{5}): /m;
	my ($history) =
	  $case->{session}{err} =~ /^DETAIL:.*Failed attempts: (.*?)\. /m;
	my @counts = split /\|/, $case->{session}{out} =~ s/\n//r;
	my @pauses = pauses($case->{match}, @arrivals);
	my $arrived = grep { index($_->{line}, $case->{match}) >= 0 } @arrivals;
	my $tried = $case->{attempts} > 1;

	is_deeply({
			sqlstate => $state,
			history => $history // '',
			arrived => $arrived,
			requests => $counts[0],
			retries => $counts[1],
			throttled => $counts[2] }, {
			sqlstate => $case->{sqlstate},
			history => $tried ? join(', ', ($case->{told}) x $case->{attempts}) : '',
			arrived => $case->{sent},
			requests => $case->{sent},
			retries => $tried && $case->{sent} ? 1 : 0,
			throttled => $case->{throttled} },
		$case->{what} . ($tried ? ' is tried again' : ' is not tried again'))
	  or diag $case->{session}{err};
	is_pause($pauses[0] - $case->{lasts}, 1, $case->{what})
	  if $tried && $case->{sent};
}

# ---- how long, and how often ----

sub is_doubled
{
	my ($what, @pauses) = @_;
	is(scalar(@pauses), 3, "$what: three further attempts");
	is_pause($pauses[$_], 2**$_, "$what: attempt @{[ $_ + 2 ]}") foreach 0 .. $#pauses;
	return;
}

is($session{recovers}{out},
	join(' ', $strict->ctl('ids', 'tasks')) . "|3\n4|3|1\n",
	'after three failures the rows are right, and the attempts counted');
unlike($session{recovers}{err}, qr/ERROR|WARNING/, 'of which nobody is told');
my @strict = $strict->arrivals;
is_doubled('success at last', pauses('/tasks', @strict));
is_deeply([ map { $_->{status} } @strict ], [ 503, 500, 429, 200 ],
	'each attempt is signed anew');

is($session{fails}{out}, "4|3|1\n", 'max_retries is 3 where nothing is set');
is_doubled('no success', pauses('/tasks/fails', @arrivals));
like($session{fails}{err},
	qr/^ERROR:  HV000: .*\nDETAIL:  Failed attempts: HTTP status 503, HTTP status 429, lost the connection to the NCLUE service, HTTP status 500\. HTTP status 500, /,
	'the error is the last one, and tells of all');

is($session{once}{out}, "1|0|0\n", 'max_retries 0: one attempt');
like($session{once}{err}, qr/^ERROR:  HV000: .*\nDETAIL:  HTTP status 503, /,
	'max_retries 0: the error does not tell of attempts');

is($session{$_}{out}, "0\n2|1|0\n", "Retry-After ($_): success") foreach qw(seconds date);
my ($seconds) = pauses('/tasks/seconds', @arrivals);
my ($date) = pauses('/tasks/date', @arrivals);
cmp_ok($seconds, '>=', 3, 'Retry-After in seconds is honoured');
cmp_ok($seconds, '<', 3 + $patience, '... and no more is added');
cmp_ok($date, '>=', 3, 'Retry-After as a date is honoured');
cmp_ok($date, '<', 4 + $patience, '... and no more is added');
is($session{sooner}{out}, "0\n3|2|0\n", 'Retry-After below the pause: success');
my @sooner = pauses('/tasks/sooner', @arrivals);
is_pause($sooner[$_], 2**$_, "Retry-After below the pause: attempt @{[ $_ + 2 ]}")
  foreach 0, 1;

is($session{paced}{out}, "0\n2|1|0\n", 'at a slow rate: success');
my ($paced) = pauses('/tasks/paced', @arrivals);
# the stand-in may be late with the first one's stamp
cmp_ok($paced, '>=', 2.5, 'each attempt waits for the limiter');
cmp_ok($paced, '<', 1 / 0.3 + $patience, '... and no longer');

# ---- in the midst of a walk ----

is($session{walk}{out},
	join("\n", $slow->ctl('ids', 'tasks')) . "\n" . (17 + @failing) . '|'
	  . @failing . "|0\n",
	'pages that fail while others are under way: the rows are right');
my @walk = $slow->arrivals;
my %count;
$count{$_}++ foreach map { $_->{line} =~ /index=(\d+)/ } @walk;
is_deeply(\%count,
	{ (map { $_ * 99 => 1 } 0 .. 16), (map { $_ => 2 } @failing) },
	'... and only those are asked for again');
foreach my $index (@failing)
{
	# the answer took a second itself
	my ($pause) = pauses("index=$index&", @walk);
	is_pause($pause - 1, 1, "page with index=$index");
}
my ($second) = grep { $_->{line} =~ /index=$failing[0]&/ } reverse @walk;
my $together = grep { $_->{time} < $second->{time} } @walk;
cmp_ok($together, '>', 2, '... which others were under way beside');

# ---- libcurl's own second attempt ----

foreach my $table (qw(kept kept_once))
{
	my @first = grep { $_->{line} =~ /$table-first/ } @arrivals;
	my @second = grep { $_->{line} =~ /$table-second/ } @arrivals;
	my @third = grep { $_->{line} =~ /$table-third/ } @arrivals;
	is($second[0]{connection}, $first[0]{connection},
		"$table: the connection was kept");
	is(scalar(@third), 1, "$table: the next statement is not disturbed");
	is(scalar(@second), $table eq 'kept' ? 2 : 1,
		"$table: nothing is sent in silence");
}
is($session{kept}{out}, "0\n0\n3|1|0\n0\n",
	'a kept connection that is closed costs a further attempt, which is counted');
is_pause((pauses('/tasks/kept-second', @arrivals))[0], 1, 'it comes after a pause');
is($session{kept_once}{out}, "0\n2|0|0\n0\n", 'max_retries 0: no further attempt');
like($session{kept_once}{err},
	qr/^ERROR:  08006: lost the connection/, '... but an error');

# ---- chance ----

# without it the mean would be 0 and what the machine adds
my $mean = sum0(@longer) / @longer;
note sprintf '%d pauses, %.3f of their least length longer on average',
  scalar(@longer), $mean;
cmp_ok($mean, '>', 0.05, 'pauses are lengthened by chance');

# ---- what EXPLAIN says ----

my ($waited) = $session{explained}{out} =~ /^ +Waited: (\d+\.\d{3}) s$/m;
cmp_ok($waited // 0, '>=', 1, 'EXPLAIN ANALYZE shows what it waited');
like($session{explained}{out},
	qr/^ +Requests: 2\n(?:.*\n)* +Retries: 1$/m, '... and its retries');
is(scalar(() = $session{explained}{out} =~ /Waited/g), 1,
	'... without TIMING no times');
like($session{explained}{out}, qr/^ +Requests: 1\n(?:.*\n)* +Retries: 0$/m,
	'... of each statement its own');

$node->stop;
done_testing();
