# A list that does not fit where temporary files go ends its statement with
# PostgreSQL's error.  Its file is gone, whoever else reads the list sees right
# rows or an error, and the next statement is right.
#
# It does not fit because temp_file_limit, the size of the disk or its number
# of files, or the system's limit on a file's size says so.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Life qw(create difference outcome session);
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# Some 1.5 MB in 31 pages; the first goes to memory.
my $standin = Standin->start(objects => 3000);
my $node = Life::node('main', 'fsync = off', "work_mem = '64kB'",
	"log_line_prefix = '%m [%p] %e '");
$node->safe_psql('postgres', create('tasks', $standin) . q{
ALTER FOREIGN TABLE tasks ADD COLUMN train_file_path text;
CREATE TABLE copy AS SELECT * FROM tasks;});

my $walk = 'SELECT count(status) FROM tasks';
my $rows = $node->safe_psql('postgres', 'SELECT * FROM tasks');

sub temporary_files
{
	return glob shift . '/*';
}

# Each way to use a list while it does not fit; PostgreSQL itself stores what
# FETCH returns and held cursors hold, so that is little.  Sessions begin with
# $settings; the error is $sqlstate; files would be in $directory; so many rows
# fit; enlarge() makes room.
sub does_not_fit
{
	my ($what, $settings, $sqlstate, $directory, $fits, $enlarge) = @_;
	my $error = "ERROR $sqlstate";
	my $session = session($node);
	my $pid = $session->pid;
	my $no_files = sub {
		is(join(' ', temporary_files($directory)), '', "$what: $_[0]: no file is left");
	};

	$session->query_safe($_) foreach 'SET client_min_messages = error', @$settings;
	foreach my $statement ($walk, 'SELECT * FROM tasks',
		'SELECT count(a.status) FROM tasks a JOIN tasks b ON a.task_id = b.task_id AND a.status <> b.task_id',
		'CREATE TEMPORARY TABLE copied AS SELECT * FROM tasks')
	{
		is(outcome($session, $statement), $error, "$what: $statement");
		$no_files->($statement);
	}
	is(outcome($session, "SELECT count(*) FROM (SELECT * FROM tasks LIMIT $fits) AS few"), $fits,
		"$what: a part that fits is read");

	# other readers of the same list
	$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	$session->query_safe('DECLARE c CURSOR FOR SELECT * FROM tasks');
	my $read = outcome($session, "FETCH $fits FROM c");
	$session->query_safe('SAVEPOINT before_walk');
	is(outcome($session, $walk), $error, "$what: a statement beside a cursor");
	$session->query_safe('ROLLBACK TO before_walk');
	my $more = outcome($session, "FETCH 30 FROM c");
	is(difference("$read\n$more", join("\n", (split /\n/, $rows)[ 0 .. $fits + 29 ])) // '', '',
		"$what: a cursor has the rows that were read");
	$session->query_safe('SAVEPOINT before_rest');
	is(outcome($session, 'MOVE ALL FROM c'), 'ERROR 40001', "$what: and says that it cannot go on");
	$session->query_safe('ROLLBACK TO before_rest');
	# the cursor's list still takes the room
	is(outcome($session, 'SELECT count(*) FROM (SELECT * FROM tasks LIMIT 50) AS few'), '50',
		"$what: the transaction goes on with another list");
	$session->query_safe('ROLLBACK');
	$no_files->('a transaction');

	# the cursor itself comes to the end of the room
	$session->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT * FROM tasks');
	is(outcome($session, 'MOVE ALL FROM c'), $error, "$what: a cursor");
	$session->query_safe('ROLLBACK');
	$no_files->('a cursor');
	$session->query_safe("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT status FROM tasks WHERE status = 'failed'; FETCH 1 FROM c");
	is(outcome($session, 'COMMIT'), $error, "$what: a cursor that is held");
	$session->query($_) foreach 'ROLLBACK', 'CLOSE ALL';
	$no_files->('a cursor that was held');

	# one that would be kept for the session
	$session->query_safe("SET nclue_fdw.cache_ttl = '1h'");
	is(outcome($session, $walk), $error, "$what: a list to be kept");
	$no_files->('a list to be kept');
	$session->query_safe('RESET nclue_fdw.cache_ttl');

	# in a function that goes on
	is( outcome($session, qq{
DO \$\$ BEGIN
  PERFORM count(status) FROM tasks;
  RAISE 'it fits';
EXCEPTION WHEN SQLSTATE '$sqlstate' THEN
  PERFORM * FROM tasks LIMIT $fits;
END \$\$}), '', "$what: a function catches the error and reads on");
	$no_files->('a function');

	$enlarge->($session);
	is(difference(outcome($session, 'SELECT * FROM tasks'), $rows) // '', '',
		"$what: with room for it the list is read");
	$no_files->('a list that fits');
	is(outcome($session, 'SELECT pg_backend_pid()'), $pid, "$what: all in one session");
	$session->close;
	return;
}

my $usual = $node->data_dir . '/base/pgsql_tmp';
does_not_fit('temp_file_limit', ["SET temp_file_limit = '500kB'"], '53400', $usual, 150,
	sub { $_[0]->query_safe('RESET temp_file_limit') });

# ---- a limit on the size of files ----

# Of the one session, which must not write anything else.
SKIP:
{
	my $session = session($node);
	my $pid = $session->pid;

	system("prlimit --pid $pid --fsize=250000: 2> /dev/null") == 0
	  or skip 'prlimit cannot limit the size of files', 5;
	# one write is cut short, the other one begins where the limit is
	foreach my $size ('250000', '0')
	{
		system_or_bail('prlimit', '--pid', $pid, "--fsize=$size:");
		is(outcome($session, $walk), 'ERROR 53100', "a file above $size bytes");
		is(join(' ', temporary_files($usual)), '', "a file above $size bytes: is not left");
	}
	system_or_bail('prlimit', '--pid', $pid, '--fsize=unlimited:');
	is(outcome($session, $walk), '3000', 'without the limit the list is read');
	$session->close;
}
$node->stop;

# ---- a small disk ----

my $uid = 1234;

# Starts the server where a file system of that kind is mounted; false where
# nobody may do that.
sub start_on_disk
{
	my $options = shift;
	my $mount = "mount -t tmpfs -o $options none $usual";
	my @namespace = ('unshare', '--map-root-user', '--mount', 'sh', '-c');
	my $user = "unshare --user --map-user=$uid --map-group=$uid";

	return 0 if system(@namespace, "{ $mount && $user true; } 2> /dev/null");
	system(@namespace, "$mount && exec $user \"\$@\"", 'sh', 'pg_ctl', '-s', '-w',
		'-D', $node->data_dir, '-l', $node->logfile, 'start') == 0
	  or die "the server does not start on a small disk\n";
	$node->_update_pid(1);
	return 1;
}

# Files of the server's own name space.
sub small_directory
{
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /\A(\d+)/;
	return "/proc/$pid/root$usual";
}

SKIP:
{
	start_on_disk('size=600k') or skip 'no name space for a small disk', 1;
	does_not_fit('full disk', [], '53100', small_directory(), 150,
		sub { $_[0]->query_safe("SET work_mem = '10MB'") });
	$node->stop;
	start_on_disk('nr_inodes=1') or die;
	does_not_fit('no file more', [], '53100', small_directory(), 60,
		sub { $_[0]->query_safe("SET work_mem = '10MB'") });
	$node->stop;
}

my $log = slurp_file($node->logfile);
unlike($log, qr/ XX\d\d\d /, 'no internal error');
unlike($log, qr/terminated by signal/, 'no crash');
unlike($log, qr/temporary file leak/, 'no file was forgotten');
done_testing();
