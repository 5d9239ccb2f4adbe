# What PostgreSQL does with databases, roles, transactions and sessions, it does
# with those that use the extension: two-phase commit, parallel workers, copies
# of databases, procedures that commit, owners and roles that go, pools that
# hand a session on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Life qw(create difference outcome session);
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# Three pages a walk.
my $standin = Standin->start(objects => 250,
	key => [ 'AK_TEST:SK_TEST', map { "AK_$_:SK_TEST" } qw(ann ben) ]);
my $node = Life::node('main', 'fsync = off', 'max_prepared_transactions = 5',
	'wal_level = logical', 'autovacuum_naptime = 1s', "log_line_prefix = '%m [%p] %e '");
my $tables = create('tasks', $standin);
$node->safe_psql('postgres', $tables . q{
CREATE TABLE copy AS SELECT task_id, status FROM tasks;});

my ($session, $other) = map { session($node) } 1 .. 2;
$_->query_safe('SET client_min_messages = error') foreach $session, $other;
my $pid = $session->pid;
my $walk = 'SELECT count(status) FROM tasks';
my $all = outcome($session, 'SELECT * FROM tasks');

# The number of requests that statements make, and how the last one ends.
sub costs
{
	my @statements = @_;
	my $outcome;

	$standin->requests;
	$outcome = outcome($session, $_) foreach @statements;
	return scalar(my @made = $standin->requests) . ": $outcome";
}

sub temporary_files
{
	return scalar(my @files = glob $node->data_dir . '/base/pgsql_tmp/*');
}

# ---- two-phase commit ----

$session->query_safe($_) foreach "SET work_mem = '64kB'",
  'BEGIN ISOLATION LEVEL REPEATABLE READ';
is(costs($walk), '3: 250', 'a transaction with one snapshot reads a list');
is(costs($walk, 'CREATE TABLE taken AS SELECT * FROM tasks',
		'DECLARE c CURSOR FOR SELECT * FROM tasks', 'MOVE 120 FROM c'),
	'0: ', 'and reads it again');
is(temporary_files(), 1, 'it is in a file');
is(outcome($session, "PREPARE TRANSACTION 'one'"), '', 'the transaction can be prepared');
is(temporary_files(), 0, 'which is gone then');
is(costs($walk), '3: 250', 'the session reads the list anew');
is(outcome($other, "COMMIT PREPARED 'one'"), '', 'another one commits it');
is(outcome($other, 'SELECT count(*) FROM taken'), '250', 'all rows are there');
$session->query_safe('BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM tasks; MOVE 10 FROM c');
is(outcome($session, "PREPARE TRANSACTION 'two'"), 'ERROR 0A000',
	"a held cursor cannot be prepared, says PostgreSQL");
is(costs('RESET work_mem', $walk), '3: 250', 'and the session goes on');

# ---- transactions that end while a list is read ----

$session->query_safe(q{
CREATE PROCEDURE read_and_end(how text) LANGUAGE plpgsql AS $$
DECLARE
  r record;
  n int := 0;
BEGIN
  FOR r IN SELECT * FROM tasks LOOP
    n := n + 1;
    IF n % 60 = 0 AND how = 'commit' THEN
      COMMIT;
    ELSIF n % 60 = 0 THEN
      ROLLBACK;
    END IF;
    INSERT INTO taken VALUES (r.task_id, how);
  END LOOP;
END $$;
CREATE PROCEDURE read_and_alter() LANGUAGE plpgsql AS $$
DECLARE
  r record;
  n int := 0;
BEGIN
  FOR r IN SELECT * FROM tasks LOOP
    n := n + 1;
    IF n = 30 THEN
      ALTER SERVER tasks OPTIONS (ADD index_unit 'page', ADD page_size '20');
    END IF;
    INSERT INTO taken VALUES (r.task_id, 'alter');
  END LOOP;
  ALTER SERVER tasks OPTIONS (DROP index_unit, DROP page_size);
END $$;
CREATE PROCEDURE fail_and_go_on() LANGUAGE plpgsql AS $$
DECLARE
  r record;
  n int := 0;
BEGIN
  FOR r IN SELECT * FROM tasks LOOP
    n := n + 1;
    BEGIN
      INSERT INTO taken VALUES (r.task_id, 'fail');
      IF n % 50 = 0 THEN
        PERFORM 1 / (SELECT count(*) - 250 FROM tasks);
      END IF;
    EXCEPTION WHEN division_by_zero THEN
      INSERT INTO taken VALUES (r.task_id, 'fail');
    END;
  END LOOP;
END $$;});
is(costs("CALL read_and_end('commit')"), '3: ', 'a procedure commits while it reads');
is(costs("CALL read_and_end('rollback')"), '3: ', 'and rolls back');
is(costs('CALL read_and_alter()'), '3: ', 'and alters what it reads');
is(costs('CALL fail_and_go_on()'), '8: ', 'and goes on after errors');
is(outcome($session, 'SELECT status, count(DISTINCT task_id) FROM taken '
		  . "WHERE status IN ('commit', 'rollback', 'alter', 'fail') GROUP BY 1 ORDER BY 1"),
	# the last of each sixty are rolled back, and those before
	"alter|250\ncommit|250\nfail|250\nrollback|11", 'each has all rows');

# ---- parallel workers ----

$session->query_safe(q{
CREATE FUNCTION status_of(id text) RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS
'BEGIN RETURN (SELECT status FROM tasks WHERE task_id = id); END';
CREATE FUNCTION length_of_list(id text) RETURNS bigint LANGUAGE plpgsql PARALLEL SAFE AS
'BEGIN RETURN (SELECT count(status) FROM tasks); END';
CREATE TABLE few AS SELECT * FROM copy LIMIT 12;
ALTER TABLE few SET (parallel_workers = 2);
ANALYZE few;});
$session->query_safe($_) foreach 'SET parallel_setup_cost = 0',
  'SET parallel_tuple_cost = 0', 'SET min_parallel_table_scan_size = 0',
  'SET parallel_leader_participation = off';
my $look_ups = 'SELECT count(*) FROM few WHERE status_of(task_id) = status';
like(outcome($session, "EXPLAIN (ANALYZE, COSTS off, TIMING off) $look_ups"),
	qr/Workers Launched: [12]/, 'workers read foreign tables in functions');
is(costs($look_ups), '12: 12', 'they look up what is asked');
is(outcome($session, 'SELECT sum(length_of_list(task_id)) FROM few'), 12 * 250, 'and read lists');
$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
is(outcome($session, 'SELECT sum(length_of_list(task_id)) FROM few'), 12 * 250,
	'in a transaction with one snapshot, too');
$session->query_safe('COMMIT');
$standin->ctl('fault', 'status=500', 'next=1');
is(outcome($session, $look_ups), 'ERROR HV000', "a worker's error is the statement's");
$standin->ctl('fault', 'stall', 'next=1');
$standin->requests;
$session->start($look_ups);
ok($standin->wait_requests(1), 'a worker waits for an answer');
$other->query_safe("SELECT pg_cancel_backend($pid)");
$session->finish;
like($session->error, qr/57014/, 'it is cancelled with its statement');
is(outcome($other, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'"),
	'0', 'no worker is left');
is(costs($look_ups), '12: 12', 'and the session goes on');
$session->query_safe('RESET ALL; SET client_min_messages = error');

# ---- decoding, publications, vacuum ----

$session->query_safe("SELECT pg_create_logical_replication_slot('decoded', 'test_decoding')");
$session->query_safe('CREATE TABLE decoded AS SELECT * FROM tasks');
$session->query_safe($walk);
is(outcome($session, "SELECT count(*) FROM pg_logical_slot_get_changes('decoded', NULL, NULL) "
		  . "WHERE data ~ 'INSERT'"), '250', 'what is read into a table is decoded');
$session->query_safe("SELECT pg_drop_replication_slot('decoded')");
is(outcome($session, 'CREATE PUBLICATION foreign_one FOR TABLE tasks'), 'ERROR 22023',
	'a foreign table cannot be published, says PostgreSQL');
is(costs('CREATE PUBLICATION everything FOR ALL TABLES', 'VACUUM', 'ANALYZE', 'CHECKPOINT'),
	'0: ', 'neither publications nor VACUUM nor ANALYZE of everything ask for anything');
is(outcome($session, "SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ 'nclue'"),
	'0', 'the extension has no process of its own');

# ---- copies of a database ----

$node->safe_psql('postgres', 'CREATE DATABASE original');
$node->safe_psql('original', "CREATE EXTENSION nclue_fdw; $tables");
$node->safe_psql('original', $walk);
$node->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE original');
my $count = 'SELECT sum(requests) FROM nclue_fdw_stat';
is($node->safe_psql('copied', $count), '', 'a copy of a database has counted nothing');
is($node->safe_psql('copied', 'SELECT * FROM tasks'), $all =~ tr/~//dr, 'it reads the same');
is($node->safe_psql('copied', $count), '3', 'and counts by itself');
$node->safe_psql('copied', 'ALTER SERVER tasks OPTIONS (ADD page_size \'20\')');
$standin->requests;
$node->safe_psql('original', $walk);
is(scalar(my @requests = $standin->requests), 3, 'what is altered in it is altered there alone');
$node->safe_psql('postgres', 'DROP DATABASE copied');
is($node->safe_psql('original', $walk), '250', 'the original stays when it is dropped');
$node->safe_psql('postgres', 'ALTER DATABASE original RENAME TO renamed');
is($node->safe_psql('renamed', $walk), '250', 'and when it is renamed');

# ---- the extension's schema ----

$node->safe_psql('renamed', 'CREATE SCHEMA tools; ALTER EXTENSION nclue_fdw SET SCHEMA tools');
is($node->safe_psql('renamed', $walk), '250', 'the extension moves to another schema');
is($node->safe_psql('renamed', "SELECT count(*) > 5 FROM tools.nclue_fdw_check('tasks')"), 't',
	'its functions with it');
is($node->safe_psql('renamed', 'SELECT count(*) FROM tools.nclue_fdw_stat'), '1', 'and its view');

# ---- a lock that is waited for ----

$session->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT * FROM tasks; MOVE 120 FROM c');
$other->pid;
$other->start('DROP SERVER tasks CASCADE');
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_stat_activity '
	  . "WHERE pid = @{[ $other->pid ]} AND wait_event_type = 'Lock'") or die 'it does not wait';
is(scalar(my @rest = $session->query('FETCH ALL FROM c')), 130, 'DROP SERVER waits for a cursor');
$session->query_safe('COMMIT');
$other->finish;
is($other->error, '', 'and is done after it');
is(outcome($session, $walk), 'ERROR 42P01', 'the table is gone');
$session->query_safe($tables);
is(costs($walk), '3: 250', 'a new one of that name is read');
is(costs('DROP EXTENSION nclue_fdw CASCADE', 'CREATE EXTENSION nclue_fdw', $tables, $walk),
	'3: 250', 'even where the extension itself was made anew');

# ---- prepared statements ----

$session->query_safe($_) foreach 'SET plan_cache_mode = force_generic_plan', "PREPARE p AS $walk";
is(costs('EXECUTE p'), '3: 250', 'a prepared statement');
is(costs("ALTER SERVER tasks OPTIONS (ADD page_size '50')", 'EXECUTE p'), '6: 250',
	'reads by what was altered');
is(costs("ALTER FOREIGN TABLE tasks OPTIONS (ADD page_size '20')", 'EXECUTE p'), '14: 250',
	'in a server or in a table');
is(costs('DROP USER MAPPING FOR PUBLIC SERVER tasks', 'EXECUTE p'), '0: ERROR 42704',
	'says what is dropped');
is(costs('DROP SERVER tasks CASCADE', 'EXECUTE p'), '0: ERROR 42P01', 'all of it');
is(costs($tables, 'EXECUTE p'), '3: 250', 'and reads what takes its name');
$session->query_safe('DEALLOCATE ALL; RESET plan_cache_mode');

# ---- owners and roles ----

$session->query_safe(q{
CREATE ROLE maker; CREATE ROLE heir; CREATE ROLE ann; CREATE ROLE ben;
ALTER SERVER tasks OWNER TO maker;
ALTER FOREIGN TABLE tasks OWNER TO maker;
CREATE VIEW seen AS SELECT * FROM tasks;
ALTER VIEW seen OWNER TO maker;
GRANT SELECT ON tasks, seen TO ann, ben;
DROP USER MAPPING FOR PUBLIC SERVER tasks;
CREATE USER MAPPING FOR ann SERVER tasks OPTIONS (access_key 'AK_ann', secret_key 'SK_TEST');
CREATE USER MAPPING FOR ben SERVER tasks OPTIONS (access_key 'AK_ben', secret_key 'SK_TEST');
CREATE USER MAPPING FOR maker SERVER tasks OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE USER MAPPING FOR heir SERVER tasks OPTIONS (access_key 'AK_heir', secret_key 'SK_TEST');});

# Which access key a statement's requests have.
sub keys_of
{
	my @statements = @_;

	$session->query_safe('RESET ROLE; SELECT nclue_fdw_stat_reset()');
	my $outcome;
	$outcome = outcome($session, $_) foreach @statements;
	$session->query('ROLLBACK; RESET ROLE');
	return "$outcome by "
	  . outcome($session, q{SELECT string_agg(user_name, ' ' ORDER BY user_name) FROM nclue_fdw_stat WHERE requests > 0});
}

is(keys_of('SET ROLE ann', 'SELECT count(status) FROM seen'), '250 by maker', "a view reads as its owner");
is(keys_of('REASSIGN OWNED BY maker TO heir', 'SET ROLE ann', 'SELECT count(status) FROM seen'),
	'ERROR 28000 by heir', 'after REASSIGN OWNED as the new one');
is(outcome($session, 'DROP ROLE maker'), 'ERROR 2BP01', 'a role with a mapping cannot be dropped');
is(outcome($session, $_), '', $_) foreach 'DROP OWNED BY maker', 'DROP ROLE maker';
is(keys_of('SET ROLE ann', $walk), '250 by ann', 'the others read on');

# one that is dropped while it reads
$session->query_safe('SET ROLE ann; BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM tasks; MOVE 120 FROM c');
is(outcome($other, $_), '', $_) foreach 'DROP OWNED BY ann', 'DROP ROLE ann';
is(scalar(@rest = $session->query('FETCH ALL FROM c')), 130, 'a cursor of a role that is dropped reads on');
like(outcome($session, $walk), qr/\AERROR (?:42704|42501)\z/, 'another statement is refused');
$session->query_safe('ROLLBACK; RESET ROLE');
is(keys_of('SET ROLE ben', $walk), '250 by ben', 'and the session goes on');

# ---- pools ----

# What one user has read, the next one of the session does not see.
$session->query_safe(q{
CREATE USER MAPPING FOR CURRENT_USER SERVER tasks OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');});
my $role = outcome($session, 'SELECT current_user');
my $keep = "SET nclue_fdw.cache_ttl = '1h'";
is(keys_of($keep, 'SET ROLE ben', $walk, $walk), '250 by ben', 'a list that is kept');
is(keys_of('SET ROLE ben', $walk), '250 by ~', 'is there for its user');
is(keys_of($walk), "250 by $role", 'and for nobody else');
is(keys_of('SET ROLE ben', $walk), '250 by ~', 'to whom it is still there');
is(keys_of('SET ROLE ben', 'BEGIN ISOLATION LEVEL REPEATABLE READ', $walk, 'RESET ROLE', $walk),
	"250 by ben $role", 'nor in one transaction');
is(costs($keep, 'DISCARD ALL', $walk, $walk), '6: 250', 'DISCARD ALL keeps nothing');
$session->query_safe("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM tasks; PREPARE p AS $walk; MOVE 10 FROM c; COMMIT");
is(costs('DISCARD ALL', 'FETCH 1 FROM c'), '0: ERROR 34000', 'no cursor');
is(outcome($session, 'EXECUTE p'), 'ERROR 26000', 'no statement');
is(costs('DISCARD PLANS', 'DISCARD TEMP', 'DISCARD SEQUENCES', $walk), '3: 250', 'and the session goes on');
is(keys_of('SET SESSION AUTHORIZATION ben', $walk, 'RESET SESSION AUTHORIZATION', $walk),
	"250 by ben $role", 'sessions change hands');
is(outcome($session, 'SELECT pg_backend_pid()'), $pid, 'all in one session');

$_->close foreach $session, $other;
$node->stop;
is(join("\n", grep { / XX\d\d\d |terminated by signal|file leak/ } split /\n/, slurp_file($node->logfile)),
	'', 'no internal error, no crash');
done_testing();
