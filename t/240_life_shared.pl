# What sessions share has room for so many: 256 places in a line, 32 lines, 256
# tallies.  Whoever finds none gets an error that says so, or counts alone, and
# goes on when there is room; the others are not disturbed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run;
use Life qw(create outcome session);
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

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

# Uses the key of one once, and makes that count for long.  Returns how both
# ended.
sub occupy
{
	my $number = shift;
	my @outcomes = outcome($session, "SELECT count(*) FROM own_$number $look_up");

	$session->query_safe("ALTER SERVER own_$number OPTIONS (SET rate_limit '0.001')");
	return join ' ', @outcomes, outcome($session, "SELECT count(*) FROM own_$number $look_up");
}

my $occupied = '0 ERROR 57014';

# How a statement ends in a session of its own, in full.
sub told
{
	my (undef, undef, $error) = $node->psql('postgres', $_[0],
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $error;
}

my $no_room = qr/ERROR:  53400: too many sessions wait for the rate limit of NCLUE/;

# ---- lines ----

# A key that was used has a line for a request's interval: all but one for long.
my ($short, $next, $last) = ($lines, $lines + 1, $lines + 2);
$session->query_safe(own($_)) foreach 1 .. $last;
$session->query_safe(create_keyed('unlimited', 'AK_' . ($last + 1), max_retries => 1));
is(join(', ', map { occupy($_) } 1 .. $lines - 1),
	join(', ', ($occupied) x ($lines - 1)), 'all keys but one have a line for long');
is(outcome($session, "SELECT count(*) FROM own_$short $look_up"), '0', "$lines have one");

my $answer;
do
{
	$answer = outcome($session, "SELECT count(*) FROM own_$next $look_up");
} while ($answer eq 'ERROR 53400');
is($answer, '0', 'one more takes the place of a line that is idle');
do
{
	$answer = occupy($next);
} while ($answer eq '0 ERROR 53400');
like($answer, qr/57014$/, 'for long');

like(told("SELECT count(*) FROM own_$last $look_up"), $no_room, 'without one there is no room for it');
is(outcome($session, "SELECT count(*) FROM own_$short"), 'ERROR 53400', 'nor for the one that was idle');
is(outcome($session, 'SELECT count(*) FROM unlimited'), '250', 'a server without a limit needs none');
$standin->ctl('fault', 'status=429', 'code=420', 'next=1');
is(outcome($session, 'SELECT count(*) FROM unlimited'), '250', 'and tries again after a 429');
like(told("SET statement_timeout = '1s'; SELECT count(*) FROM own_1 $look_up"),
	qr/ERROR:  57014: .*\n.*It could be sent in/, 'the lines go on');

$session->close;
$node->restart;
$session = begin();
is(occupy($last), $occupied, 'after a restart there is room');

# ---- places ----

# All but the first wait, in sessions that one program has.
$session->query_safe(create_keyed('line', "AK_$last", rate_limit => 0.001));
my $script = PostgreSQL::Test::Utils::tempdir() . '/waits.sql';
append_to_file($script, "SELECT count(*) FROM line $look_up;\n");
my $waiting = 'SELECT count(*) FROM pg_stat_activity '
  . "WHERE application_name = 'crowd' AND state = 'active' AND wait_event_type = 'Extension'";
my ($out, $err) = ('', '');
my $crowd = IPC::Run::start [ 'pgbench', '-n', '-c', $places, '-t', 1, '-f', $script,
	$node->connstr('postgres') . ' application_name=crowd' ], '>', \$out, '2>', \$err, IPC::Run::timeout(180);
$node->poll_query_until('postgres', $waiting, $places) or die "they do not wait: $err";

like(told("SELECT count(*) FROM line $look_up"), $no_room, "$places sessions wait, one more cannot");
is(outcome($session, 'SELECT count(*) FROM unlimited'), '250', 'others are not disturbed');
$session->query_safe(q{
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE application_name = 'crowd' LIMIT 1});
$node->poll_query_until('postgres', $waiting, $places - 1);
like(told("SET statement_timeout = '1s'; SELECT count(*) FROM line $look_up"),
	qr/ERROR:  57014: .*\n.*It could be sent in/, 'who is cancelled leaves a place');
$session->query_safe(q{
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crowd'});
$crowd->finish;
$node->poll_query_until('postgres', $waiting, 0);
my ($earliest) = told("SET statement_timeout = '1s'; SELECT count(*) FROM line $look_up") =~
  /It could be sent in ([\d.]+) s at the earliest/;
cmp_ok($earliest // 1e9, '<=', 1000.1, 'and all of them theirs');

# ---- tallies ----

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
