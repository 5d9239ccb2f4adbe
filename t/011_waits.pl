# Waiting: what comes too late for the statement is not waited for; what takes
# long is told, to the user and in pg_stat_activity.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run qw(start timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;
use Time::HiRes qw(time);

# "At once" may take a loaded machine so many seconds; what would be waited for
# otherwise is longer.
my $patience = 15;

my @keys = map { "AK_$_:SK_TEST" } 0 .. 29;
my $standin = Standin->start(key => \@keys);
# lists of 11 pages; the other one does not tell how long they are
my $long = Standin->start(objects => 1000);
my $vague = Standin->start(objects => 1000);
$vague->ctl('set', 'total=page');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# from 17 on nothing has to be configured
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'nclue_fdw'")
  if $node->pg_version < 17;
$node->append_conf('postgresql.conf', 'max_connections = 50');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION nclue_fdw');

# A server, its mapping and its table, all of one name.
my $keys = 0;

sub create
{
	my ($name, %options) = @_;
	my $key = delete $options{access_key} // 'AK_' . $keys++;
	my $resource = delete $options{resource} // 'tasks';
	%options = (
		endpoint => $standin->endpoint,
		rate_limit => 0,
		max_in_flight => 1,
		%options);
	my $list = join ', ', map { "$_ '$options{$_}'" } sort keys %options;
	my $id = { tasks => 'task_id', features => 'feature_id' }->{$resource};
	$node->safe_psql('postgres', qq{
CREATE SERVER $name FOREIGN DATA WRAPPER nclue_fdw OPTIONS ($list);
CREATE USER MAPPING FOR PUBLIC SERVER $name
  OPTIONS (access_key '$key', secret_key 'SK_TEST');
CREATE FOREIGN TABLE $name ($id text, status text) SERVER $name OPTIONS (resource '$resource');});
	return;
}

# A psql that runs statements one after the other.
sub session
{
	my ($name, @sql) = @_;
	my $session = { name => $name, out => '', err => '' };
	$session->{run} = start [
		'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d',
		$node->connstr('postgres'),
		map { ('-c', $_) } "SET application_name = '$name'", @sql
	], '>', \$session->{out}, '2>', \$session->{err}, timeout(180);
	return $session;
}

# Waits until a session waits for something.
sub wait_until_waiting
{
	my ($name, $event) = @_;
	my ($type, $what) =
	  ('Extension', $node->pg_version < 17 ? 'Extension' : $event);
	return $node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '$name' "
		  . "AND state = 'active' AND wait_event_type = '$type' AND wait_event = '$what'");
}

sub cancel
{
	my ($session) = @_;
	$node->safe_psql('postgres',
		"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = '$session->{name}'");
	$session->{run}->finish;
	return;
}

my $look = 0;

# A look-up that nobody has made.
sub look
{
	my ($table) = @_;
	return "SELECT count(*) FROM $table WHERE task_id = '" . $look++ . "'";
}

create('good');

# ---- what comes too late ----

# Runs statements of which the last must be refused, then a good one.  Returns
# the seconds after which it could have been sent, and the report.
sub refused
{
	my ($what, $setting, $limit, @sql) = @_;
	my $last = pop @sql;
	my $from = time;
	my $session = session('refused', @sql, "SET $setting = '${limit}s'", $last,
		"RESET $setting", look('good'));
	$session->{run}->finish;
	my $seconds = time - $from;
	my ($at, $end) = $session->{err} =~
	  /^DETAIL:  It could be sent in (\d+\.\d) s at the earliest, and $setting ends the statement in (\d+\.\d) s\./m;

	like($session->{err},
		qr/^ERROR:  57014: canceling statement because its next request could not be sent in time$/m,
		"$what: it is refused");
	ok(defined $at && $at > $end && $end <= $limit && $end > $limit - $patience,
		"$what: the report says what it lacks")
	  or diag $session->{err};
	cmp_ok($seconds, '<', $patience, "$what: at once");
	like($session->{out}, qr/^0\n\z/m, "$what: the session goes on");
	return ($at // 0, $session->{err});
}

# the first server begins the line; who waits in it for the second one waits long
create('begin', rate_limit => '1000', access_key => 'AK_29');
create('line', rate_limit => '0.01', access_key => 'AK_29');
my ($at) = refused('limiter', 'statement_timeout', 60, look('begin'), look('line'));
cmp_ok($at, '<=', 100.1, 'limiter: it would be its turn');
is(scalar(my @requests = $standin->requests), 2, 'limiter: it sends nothing');

my $second = session('second', look('line'));
ok(wait_until_waiting('second', 'NclueRateLimit'),
	'a session without a limit waits');
($at) = refused('place in line', 'statement_timeout', 120, look('line'));
cmp_ok($at, '>', 120, 'place in line: others are before it');
cmp_ok($at, '<=', 200.1, 'place in line: one other is');
my $third = session('third', "SET statement_timeout = '1000s'", look('line'));
ok(wait_until_waiting('third', 'NclueRateLimit'),
	'a session with time enough waits');
($at) = refused('third place', 'statement_timeout', 220, look('line'));
cmp_ok($at, '<=', 300.1, 'third place: two others are');
cancel($second);
($at) = refused('a place that was left', 'statement_timeout', 60, look('line'));
cmp_ok($at, '<=', 200.1, 'a place that was left: nobody waits for it');
cancel($third);
($at) = refused('an empty line', 'statement_timeout', 60, look('line'));
cmp_ok($at, '<=', 100.1, 'an empty line: nobody is before it');
like($_->{err}, qr/^ERROR:  57014: canceling statement due to user request$/m,
	"$_->{name}: waited until it was cancelled")
  foreach $second, $third;
is_deeply([ grep { !/tasks\/\d+$/ } $standin->requests ], [],
	'nothing else is sent');

create('enough', rate_limit => '5');
is($node->safe_psql('postgres',
		"SET statement_timeout = '150s';" . look('enough') . ';' . look('enough')),
	"0\n0", 'a turn that comes in time is waited for');

# a walk, in its midst
create('walk', access_key => 'AK_TEST', endpoint => $long->endpoint,
	max_in_flight => 4);
$long->ctl('fault', 'status=503', 'retry_after=60', 'match=index=99&');
my (undef, $report) = refused('second page', 'statement_timeout', 40,
	'SELECT count(task_id) FROM walk');
like($report, qr/^CONTEXT:  page with index=99&limit=100 of the list of tasks\n/m,
	'second page: the report says which');

# what an answer asks for; the text also shows what is made of it
create('pause');

sub pause_asked
{
	my ($fault, $limit, $what) = @_;
	$standin->ctl('fault', 'status=503', $fault, "match=/tasks/$look");
	my ($at, $report) =
	  refused($what, 'statement_timeout', $limit, look('pause'));
	like($report, qr/ Failed attempts: HTTP status 503\. HTTP status 503, /,
		"$what: the report says why");
	return $at;
}

is(pause_asked('retry_after=40', 30, 'Retry-After'), '40.0',
	'Retry-After in seconds');
$at = pause_asked('retry_date=40', 30, 'Retry-After as a date');
ok($at >= 38 && $at <= 41, 'Retry-After as a date is the same')
  or diag $at;
is(pause_asked('retry_after=61', 30, 'long Retry-After'), '60.0',
	'Retry-After counts up to a minute');
is(pause_asked('retry_after=999999999', 30, 'endless Retry-After'), '60.0',
	'Retry-After counts up to a minute, whatever it is');
is(pause_asked('retry_date=86400', 30, 'late Retry-After'), '60.0',
	'Retry-After as a date counts up to a minute');

# a 429 holds back all who use the key, after its statement, too
create('held', max_retries => 0);
create('held_paced', rate_limit => '10', access_key => 'AK_' . ($keys - 1));
$standin->ctl('fault', 'status=429', 'code=420', 'retry_after=50',
	"match=/tasks/$look");
my ($status, $out, $err) = $node->psql('postgres', '\set VERBOSITY sqlstate
' . look('held'));
like($err, qr/ERROR:  53000/, 'a 429 is told');
foreach my $table (qw(held held_paced))
{
	($at) = refused("$table, another session", 'statement_timeout', 20, look($table));
	cmp_ok($at, '<=', 50, "$table, another session: held back as asked");
}

# also where no more than its head has come
create('cut', max_retries => 0);
$standin->ctl('fault', 'status=429', 'retry_after=50', 'truncated',
	"match=/tasks/$look");
($status, $out, $err) = $node->psql('postgres', '\set VERBOSITY sqlstate
' . look('cut'));
like($err, qr/ERROR:  08006/, 'a 429 that breaks off is told as lost');
($at) = refused('a 429 that breaks off', 'statement_timeout', 20, look('cut'));
cmp_ok($at, '<=', 50, 'a 429 that breaks off: held back as asked');

SKIP:
{
	skip 'transaction_timeout is of 17', 13 if $node->pg_version < 17;
	($at) = refused('transaction', 'transaction_timeout', 60, look('line'));
	cmp_ok($at, '<=', 100.1, 'transaction: it would be its turn');
	refused('earlier transaction', 'transaction_timeout', 50,
		"SET statement_timeout = '70s'", look('line'));
	refused('statement of a transaction', 'statement_timeout', 40,
		"SET transaction_timeout = '70s'", look('line'));
}

# ---- what is told ----

create('told', rate_limit => '2', access_key => 'AK_TEST',
	endpoint => $long->endpoint);
create('silent', rate_limit => '2');
create('vague', rate_limit => '2', access_key => 'AK_TEST',
	endpoint => $vague->endpoint);
create('short');
create('first');
create('paused');
$standin->ctl('fault', 'slow=2600', 'match=/features');
$node->safe_psql('postgres', 'DROP FOREIGN TABLE first;
CREATE FOREIGN TABLE first (feature_id text) SERVER first OPTIONS (resource \'features\')');

my $second_each = "SET nclue_fdw.progress_interval = '1s'";
my %told = (
	told => session('told', $second_each, 'SELECT count(task_id) FROM told'),
	silent => session('silent', 'SET nclue_fdw.progress_interval = 0',
		'SELECT count(task_id) FROM silent'),
	vague => session('vague', $second_each,
		"SELECT count(*) FROM (SELECT * FROM vague WHERE status <> 'x' LIMIT 550) t"),
	short => session('short', 'SELECT count(task_id) FROM short'),
	first => session('first', $second_each, 'SELECT count(feature_id) FROM first'),
	paused => session('paused', $second_each, 'BEGIN',
		'DECLARE c CURSOR FOR SELECT * FROM paused', 'MOVE 50 FROM c',
		'SELECT pg_sleep(1.5)', 'MOVE ALL FROM c'));
$_->{run}->finish foreach values %told;

sub notices
{
	my ($name) = @_;
	return map { /^NOTICE:  00000: (.*)/ ? $1 : () } split /\n/, $told{$name}{err};
}

is($told{told}{out}, "1000\n", 'a long walk');
my (@page, @pages, @seconds);
foreach (notices('told'))
{
	like($_, qr/^reading the list of tasks: page \d+ of 11, about (?:1 second|(?:0|[2-9]|\d\d+) seconds) left$/,
		"notice: $_");
	next unless /page (\d+) of (\d+), about (\d+)/;
	push @page, $1;
	push @pages, $2;
	push @seconds, $3;
}
cmp_ok(scalar(@page), '>=', 3, 'every second there is a notice');
cmp_ok(scalar(@page), '<=', 20, '... not more often');
is_deeply(\@page, [ sort { $a <=> $b } @page ], 'pages rise');
cmp_ok($page[0], '<', $page[-1], '... from notice to notice');
cmp_ok($page[0], '<=', 4, '... from the first ones on');
is_deeply(\@seconds, [ sort { $b <=> $a } @seconds ], 'seconds fall');
cmp_ok($seconds[0], '>', $seconds[-1], '... from notice to notice');
is(scalar(grep { $seconds[$_] < (12 - $page[$_]) / 2 } 0 .. $#page), 0,
	'no less than the rate allows');

is($told{silent}{out}, "250\n", 'a walk of more than a second');
is_deeply([ notices('silent') ], [], 'progress_interval 0: no notice');
is($told{vague}{out}, "550\n", 'a walk over a list of unknown length');
my @vague = notices('vague');
cmp_ok(scalar(@vague), '>=', 1, 'there are notices');
is(scalar(grep { !/^reading the list of tasks: page \d$/ } @vague), 0,
	'which tell the page only')
  or diag join "\n", @vague;
is($told{short}{out}, "250\n", 'a short walk');
is_deeply([ notices('short') ], [], 'no notice');
is($told{first}{out}, "250\n", 'a first page that takes long');
my @first = notices('first');
cmp_ok(scalar(@first), '>=', 1, 'there are notices');
is(scalar(grep { $_ ne 'reading the list of features: page 1' } @first), 0,
	'which tell as much as is known')
  or diag join "\n", @first;
is($told{paused}{out}, "\n", 'a cursor that is not read for a while');
is_deeply([ notices('paused') ], [], 'no notice, since nobody waited');

# ---- what pg_stat_activity says ----

create('request');
$standin->ctl('fault', 'stall', "match=/tasks/request");
create('backoff');
$standin->ctl('fault', 'status=503', 'retry_after=60', 'match=/tasks/backoff');
my %waits = (
	request => 'NclueRequest',
	backoff => 'NclueBackoff',
	line => 'NclueRateLimit',
	held => 'NclueRateLimit');
my @waiting = map {
	session("wait_$_", "SELECT count(*) FROM $_ WHERE task_id = '$_'")
} sort keys %waits;
foreach my $session (@waiting)
{
	my $name = $session->{name} =~ s/^wait_//r;
	ok(wait_until_waiting($session->{name}, $waits{$name}),
		"wait event of $name: $waits{$name}");
}
cancel($_) foreach @waiting;
like($_->{err}, qr/^ERROR:  57014/m, "$_->{name}: is cancelled")
  foreach @waiting;

$node->stop;
done_testing();
