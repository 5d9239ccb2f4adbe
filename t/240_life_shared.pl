# What sessions share has room for so many: 256 places in a line, 32 lines, 256
# tallies.  Whoever finds none gets an error that says so, or counts alone, and
# goes on when there is room; the others are not disturbed.  A line in which
# nobody stands gives way, and no request is sent too early for that.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run;
use Life qw(create earliest outcome session told);
use Pace qw(spaced);
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;
use Time::HiRes qw(time);

# The extension's constants, so that the test moves with them.
sub constant
{
	my ($file, $name) = @_;
	my ($value) = slurp_file("$FindBin::RealBin/../src/$file") =~ /^#define $name (\d+)/m
	  or die "$file does not define $name";
	return $value;
}

my $places = constant('core/limiter.h', 'LIMITER_PLACES');
my $lines = constant('shared.c', 'SHARED_KEYS');
my $tallies = constant('shared.c', 'SHARED_TALLIES');

my $standin = Standin->start(objects => 250,
	key => [ 'AK_TEST:SK_TEST', map { "AK_$_:SK_TEST" } 1 .. 2 * $tallies + 10 ]);
my $node = Life::node('main', 'fsync = off', 'max_connections = ' . ($places + 20),
	"log_line_prefix = '%m [%p] %e '");
my $look_up = "WHERE task_id = 'x'";

sub create_keyed
{
	my ($name, $key, @options) = @_;
	return create($name, $standin, @options)
	  . " ALTER USER MAPPING FOR PUBLIC SERVER $name OPTIONS (SET access_key '$key');";
}

# A server of a number, with a key of its own.
sub own { return create_keyed("own_$_[0]", "AK_$_[0]", rate_limit => 1000); }

sub begin
{
	my $session = session($node);
	$session->query_safe($_)
	  foreach 'SET client_min_messages = error', "SET statement_timeout = '60s'";
	return $session;
}

my $session = begin();

my $no_room = qr/ERROR:  53400: too many sessions wait for the rate limit of NCLUE/;

# ---- lines ----

# The keys of more servers than there is room for, each used once; after that
# the first one has lost its line.
my ($next, $last) = ($lines + 1, $lines + 2);
$session->query_safe(own($_)) foreach 1 .. $last;
$session->query_safe(create_keyed('unlimited', "AK_$last", max_retries => 1));
my $from = time;
is(join(' ', map { outcome($session, "SELECT count(*) FROM own_$_ $look_up") } 1 .. $last),
	join(' ', (0) x $last), 'more keys than there is room for');
sub make_slow
{
	$session->query_safe("ALTER SERVER own_$_ OPTIONS (SET rate_limit '0.001')") foreach @_;
	return;
}
make_slow(1 .. $lines);
foreach my $number (1, $lines)
{
	my $seconds = earliest($node, "SELECT count(*) FROM own_$number $look_up") // 0;
	# it is told in tenths
	cmp_ok($seconds + time - $from, '>=', 999.9, "key $number sends no sooner than an interval after it did");
	cmp_ok($seconds, '<=', 1000.1, '... and no later than one from now');
}

# Sessions of one program that wait, each for its turn at what a script reads.
my $waiting = 'SELECT count(*) FROM pg_stat_activity '
  . "WHERE application_name = 'crowd' AND state = 'active' AND wait_event_type = 'Extension'";
my ($out, $err) = ('', '');
sub crowd
{
	my ($count, $script) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/waits.sql';

	append_to_file($file, $script);
	my $crowd = IPC::Run::start [ 'pgbench', '-n', '-c', $count, '-t', 1, '-f', $file,
		$node->connstr('postgres') . ' application_name=crowd' ], '>', \$out, '2>', \$err, IPC::Run::timeout(180);
	$node->poll_query_until('postgres', $waiting, $count) or die "they do not wait: $err";
	return $crowd;
}

sub disperse
{
	my $crowd = shift;
	$session->query_safe(q{
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crowd'});
	$crowd->finish;
	$node->poll_query_until('postgres', $waiting, 0);
	return;
}

# In all lines but one somebody stands: two keys take turns with that one.
my $crowd = crowd($lines - 1, "\\set number :client_id + 1\nSELECT count(*) FROM own_:number $look_up;\n");
$session->query_safe("ALTER SERVER own_$next OPTIONS (SET rate_limit '2')");
$standin->arrivals;
$session->query_safe("BEGIN; DECLARE walk CURSOR FOR SELECT task_id FROM own_$next; MOVE 1 IN walk");
my $other = begin();
is(outcome($other, "SELECT count(*) FROM own_$last $look_up"), '0', 'a key gets the line of a walk in progress');
is(outcome($session, 'MOVE ALL IN walk; SELECT task_id FROM own_' . "$next $look_up"), '', 'which goes on nevertheless');
is($session->error, '', 'without an error');
$session->query_safe('COMMIT');
my @pages = grep { $_->{line} =~ /index=/ } $standin->arrivals;
is(scalar @pages, 3, 'to its end');
spaced(0.5, 'and at its pace', @pages);

# In all of them.
$other->query_safe("SET application_name = 'crowd'");
$other->query_safe('SET statement_timeout = 0');
my $pid = $other->pid;
$other->start("SELECT count(*) FROM own_$lines $look_up");
$node->poll_query_until('postgres', $waiting, $lines) or die 'one more does not wait';
like(told($node, "SELECT count(*) FROM own_$last $look_up"), $no_room, 'if somebody stands in every line, there is no room for one more');
is(outcome($session, 'SELECT count(*) FROM unlimited'), '250', 'a server without a limit needs none');
$standin->ctl('fault', 'status=429', 'code=420', 'next=1');
is(outcome($session, 'SELECT count(*) FROM unlimited'), '250', 'and tries again after a 429');
cmp_ok(earliest($node, "SELECT count(*) FROM own_1 $look_up") // 0, '>', 900, 'the lines go on');
$session->query_safe("SELECT pg_cancel_backend($pid)");
$other->finish;
is(outcome($session, "SELECT count(*) FROM own_$last $look_up"), '0', 'who is cancelled leaves room');
disperse($crowd);
$other->close;

# ---- places ----

# All wait: what was sent last with the key counts for its slow server, too.
$session->query_safe(create_keyed('line', "AK_$last", rate_limit => 0.001));
$crowd = crowd($places, "SELECT count(*) FROM line $look_up;\n");

like(told($node, "SELECT count(*) FROM line $look_up"), $no_room, "$places sessions wait, one more cannot");
is(outcome($session, 'SELECT count(*) FROM unlimited'), '250', 'others are not disturbed');
$session->query_safe(q{
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE application_name = 'crowd' LIMIT 1});
$node->poll_query_until('postgres', $waiting, $places - 1);
cmp_ok(earliest($node, "SELECT count(*) FROM line $look_up") // 0, '>', 1000, 'who is cancelled leaves a place');
disperse($crowd);
cmp_ok(earliest($node, "SELECT count(*) FROM line $look_up") // 1e9, '<=', 1000.1, 'and all of them theirs');

# ---- tallies ----

# None is there after a restart.
$session->close;
$node->restart;
$session = begin();

# Every key of a mapping has one; those that find no room are the session's, and
# when it has no room either nobody's.
$session->query_safe('SELECT nclue_fdw_stat_reset()');
my @wrong;
$session->query_safe(create('tasks', $standin));
foreach my $number (1 .. 2 * $tallies + 10)
{
	$session->query_safe("ALTER USER MAPPING FOR PUBLIC SERVER tasks OPTIONS (SET access_key 'AK_$number')");
	my $answer = outcome($session, "SELECT count(*) FROM tasks $look_up");
	push @wrong, "$number: $answer" unless $answer eq '0';
}
is(join('; ', @wrong), '', 'all are served');
my $statistics = 'SELECT sum(requests), bool_and(shared) FROM nclue_fdw_stat';
my ($shared, $is_shared) = split /\|/, $node->safe_psql('postgres', $statistics);
cmp_ok($shared, '>', $tallies - 20, 'as many as there is room for count for all');
is($is_shared, 't', 'and say so');
is(outcome($session, $statistics), $shared + $tallies . '|f', 'as many more for the session, which says so');
$session->query_safe('SELECT nclue_fdw_stat_reset()');
is(outcome($session, $statistics), '0|f', 'all of them are reset');
$node->stop;
my $log = slurp_file($node->logfile);
is(join("\n", grep { / XX\d\d\d |terminated by signal/ } split /\n/, $log), '',
	'no internal error, no crash');
done_testing();
