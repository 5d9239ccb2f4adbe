# What a hostile service sends is shown as text that does no harm, on a terminal
# and in the log; and nothing that a user writes gets out of its place in a request.
#
# Environment:
#	HOSTILE	how many random texts are sent in every way there is (20)
#	SEED	where they begin

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Control;
use Encode qw(decode encode);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# psql gets UTF-8 from every database.
$ENV{PGCLIENTENCODING} = 'UTF8';

my $standin = Standin->start(objects => 3);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "log_statement = 'none'");
$node->start;
sub prepare
{
	my ($database) = @_;

	$node->safe_psql($database, qq{
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint '@{[$standin->endpoint]}', rate_limit '0', max_retries '0', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (task_id text, task_name text, status text) SERVER nclue;
CREATE FOREIGN TABLE numbers (task_id text, task_name int) SERVER nclue;
CREATE TYPE mood AS ENUM ('sad');
CREATE FOREIGN TABLE moods (task_id text, task_name mood) SERVER nclue;
CREATE FOREIGN TABLE moments (task_id text, created_at timestamptz) SERVER nclue;
CREATE DOMAIN digits AS text CHECK (VALUE::int > 0);
CREATE FOREIGN TABLE held (task_id text, task_name digits) SERVER nclue;
CREATE FOREIGN TABLE computed (task_id text, task_name text,
  number int GENERATED ALWAYS AS (task_name::int) STORED) SERVER nclue;
CREATE FUNCTION run(text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
  'DECLARE i int; BEGIN EXECUTE format(''SELECT x, %L'', \$1) INTO i; RETURN i; END';
CREATE FOREIGN TABLE executed (task_id text, task_name text,
  number int GENERATED ALWAYS AS (run(task_name)) STORED) SERVER nclue;});
	return;
}
prepare('postgres');

# What clears a screen, sets a title or writes backwards, and a line that looks
# like the log's.  8-bit controls (U+009B) are escape sequences to terminals, too.
my @harms = (
	"\e[2J", "\e]0;title\a", "\x{9b}31m", "\x{90}q\x{9c}", "\b\b\b", "\x7f",
	"\x{202e}live", "\x{200f}x\x{200e}", "\x{2066}x\x{2069}", "\x{2028}", "\r",
	"\n2024-01-01 00:00:00 UTC [1] LOG:  forged", "\nERROR:  forged");
sub harm_of
{
	return encode('UTF-8', 'A' . join('x', @_) . 'Z');
}
my $harm = harm_of(@harms);

# The same in one line, for a header.
my $header = $harm =~ s/[\r\n]//gr;

# For JSON.
sub json_of
{
	my ($text) = @_;
	return $text =~ s/([\x00-\x1f\x7f])/sprintf '\\u%04x', ord $1/ger;
}

# The database that statements are run in, and the encoding of what it logs.
my ($database, $log_encoding) = ('postgres', 'UTF-8');

# Runs statements; what psql shows of their errors and what the log does is
# what comes back.
sub shown
{
	my ($sql, @psql) = @_;
	my $from = -s $node->logfile;
	my ($status, $out, $err) = $node->psql($database, "\\set VERBOSITY verbose\n$sql", @psql);
	my $log = slurp_file($node->logfile, $from);
	return ($err, $log);
}

# What a terminal obeys.
my $obeyed = qr/[^\n\t\x20-\x7e\xa0-\x{61b}\x{61d}-\x{200d}\x{2010}-\x{2027}\x{202f}-\x{2065}\x{206a}-\x{10ffff}]/;

sub is_harmless
{
	my ($name, $sql, $expected) = @_;

	my ($err, $log) = shown($sql);
	like($err, $expected, "$name: shown");
	foreach my $shown ([ 'to the client', $err, 'UTF-8' ], [ 'in the log', $log, $log_encoding ])
	{
		my ($where, $text, $encoding) = @$shown;
		$text = decode($encoding, $text) unless utf8::is_utf8($text);
		unlike($text, $obeyed, "$name: nothing in it is for the terminal, $where");
		unlike($text, qr/^(?:\S+ \S+ UTC \[1\] LOG|ERROR): +forged/m,
			"$name: no line is forged, $where");
		cmp_ok(length $text, '<', 10000, "$name: it is short, $where");
	}
	return;
}

my $list = 'SELECT task_name FROM tasks;';

# ---- what the service answers ----

$standin->ctl('fault', 'status=500', 'code=900', "message=$harm");
is_harmless('words of an error', $list, qr/message "A/);
$standin->ctl('fault', 'status=500', "code=$harm", "message=x");
is_harmless('code of an error', $list, qr/error code A/);
foreach my $name ('x-ncp-trace-id', 'x-ncp-apigw-response-origin')
{
	$standin->ctl('fault', 'status=500', "header=$name:$header");
	is_harmless("header $name", $list, qr/(?:trace id|origin) A/);
}
$standin->ctl('fault', "body=$harm");
is_harmless('a body that is no JSON', $list, qr/body begins "A/);
$standin->ctl('fault', 'status=502', "body=$harm");
is_harmless('the body of another status', $list, qr/body begins "A/);
$standin->ctl('fault', "redirect=http://127.0.0.1/$header");
is_harmless('a redirect', $list, qr/redirect/);

# ---- what objects hold ----

sub objects_are_harmless
{
	my ($what, $harm) = @_;
	my $json = json_of($harm);

	$standin->ctl('fault', qq{value=created_at:"$json"});
	is_harmless("${what}a text that is no time", 'SELECT created_at FROM moments;',
		qr/22007: invalid date and time: "A/);
	$standin->ctl('insert', 'tasks', 'position=0', "id=$harm", 'task_name=x');
	is_harmless("${what}an id", 'SELECT task_name FROM numbers;', qr/object with task_id A/);
	$standin->ctl('delete', 'tasks', 'position=0');

	my $number = qr/22P02: invalid input syntax for type integer: "/;
	foreach my $case (
		[ 'a text that is no number', 'numbers', $number ],
		[ 'a text of no word', 'moods', qr/22P02: invalid input value for enum mood: "/ ],
		[ 'a text that a domain casts', 'held', $number ],
		[ 'a text that a generated column casts', 'computed', $number ],
		[ 'a text in SQL that fails', 'executed', qr/QUERY:  SELECT x, E?'/ ])
	{
		my ($name, $table, $expected) = @$case;
		$standin->ctl('fault', qq{value=task_name:"$json"});
		is_harmless("$what$name", "SELECT * FROM $table;", qr/${expected}A/);
		$standin->ctl('fault', 'long=task_name');
		is_harmless("$what$name, long", "SELECT * FROM $table;", $expected);
	}
	return;
}
objects_are_harmless('', $harm);

# Other encodings have some of these characters, each in its own bytes.
foreach my $case (
	[ 'SQL_ASCII', 'UTF-8' ],
	[ 'LATIN1', 'iso-8859-1' ],
	[ 'WIN1256', 'cp1256' ],
	[ 'EUC_JIS_2004', 'iso-8859-1' ])
{
	my ($encoding, $characters) = @$case;

	($database, $log_encoding) = (lc $encoding, $characters);
	$node->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' "
		  . "LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0");
	prepare($database);
	objects_are_harmless("$encoding: ",
		harm_of(grep { my $text = $_; eval { encode($characters, $text, Encode::FB_CROAK); 1 } } @harms));
}
($database, $log_encoding) = ('postgres', 'UTF-8');

# Random ones: bytes that are no characters as well.
my $seed = $ENV{SEED} // (time ^ $$) % 1_000_000;
my $texts = $ENV{HOSTILE} // 20;
note "SEED=$seed HOSTILE=$texts";
srand $seed;
my $control = Control->new($standin->control);

my @turning = (0x61c, 0x200e, 0x200f, 0x2028 .. 0x202e, 0x2066 .. 0x2069);

sub random_character
{
	my @kinds = (
		sub { return chr(1 + int rand 31); },
		sub { return encode('UTF-8', chr(0x7f + int rand 0x21)); },
		sub { return encode('UTF-8', chr $turning[ rand @turning ]); },
		sub { return chr(0x80 + int rand 0x80); },
		sub { return encode('UTF-8', chr(0xa0 + int rand 0xd000)); },
		sub { return ('"', "'", '\\', '%s', '%n', '<', ',', "\r\n")[ rand 8 ]; },
		sub { return chr(0x20 + int rand 95); });
	return $kinds[ rand @kinds ]->();
}

my @harmful;
foreach my $number (1 .. $texts)
{
	my $text = join '', 'A', map { random_character() } 1 .. 1 + rand 60;
	my $line = $text =~ s/[\r\n]//gr;
	my $quoted = decode('UTF-8', $text);
	$quoted =~ s/(["\\\x00-\x1f\x7f])/sprintf '\\u%04x', ord $1/ge;
	$quoted = encode('UTF-8', $quoted);

	my @ways = (
		[ $list, 'status=500', "message=$text" ],
		[ $list, 'status=500', "code=$text" ],
		[ $list, "body=$text" ],
		[ $list, 'status=503', "body=$text" ],
		[ $list, 'status=500', "header=x-ncp-trace-id:$line" ],
		[ 'SELECT task_name FROM numbers;', qq{value=task_name:"$quoted"} ],
		[ 'SELECT * FROM computed;', qq{value=task_name:"$quoted"} ],
		[ 'SELECT created_at FROM moments;', qq{value=created_at:"$quoted"} ]);
	my $sql = '';
	my @faults;
	foreach my $way (@ways)
	{
		my ($statement, @fault) = @$way;
		$sql .= "$statement\n";
		push @faults, [ 'fault', @fault, 'request=+' . (1 + @faults) ];
	}
	$control->batch(@faults);
	foreach my $shown (shown($sql, on_error_stop => 0))
	{
		my $bytes = utf8::is_utf8($shown) ? encode('UTF-8', $shown) : $shown;
		my $characters = eval { decode('UTF-8', $bytes, Encode::FB_CROAK | Encode::LEAVE_SRC) };
		my $errors = () = $bytes =~ /ERROR: /g;
		next if defined $characters && $characters !~ $obeyed
		  && $errors == @ways && length $bytes < 20000;
		push @harmful, "text $number, $errors errors: $bytes";
	}
}
is(join("\n", @harmful), '', 'random texts do no harm in any way');

# ---- what a user looks up ----

# The request of an id; undef: there is none.
my @ids = (
	[ 'a slash', 'a/b', undef ],
	[ 'the directory above', '..', undef ],
	[ 'a way up', '../features/x', undef ],
	[ 'a query', 'x?index=0&limit=100', 'x%3Findex%3D0%26limit%3D100' ],
	[ 'a fragment', 'x#y', 'x%23y' ],
	[ 'an encoded slash', '..%2f..%2Fx', '..%252f..%252Fx' ],
	[ 'a line and a header', "x HTTP/1.1\r\nX-Evil: 1", undef ],
	[ 'a line and another', "x\r\nX-Evil: 1", 'x%0D%0AX-Evil%3A%201' ],
	[ 'quotes', q{'"`\\}, '%27%22%60%5C' ],
	[ 'unicode', encode('UTF-8', "\x{ac00}\x{1f600}\x{202e}"), '%EA%B0%80%F0%9F%98%80%E2%80%AE' ],
	[ 'control characters', "\e[2J\x01", '%1B%5B2J%01' ]);
$standin->requests;
foreach my $case (@ids)
{
	my ($name, $id, $sent) = @$case;
	(my $literal = $id) =~ s/'/''/g;

	is($node->safe_psql('postgres', "SELECT count(*) FROM tasks WHERE task_id = '$literal'"),
		'0', "an id with $name is none");
	is(join(', ', $standin->requests), defined $sent ? "GET /api/v1/tasks/$sent" : '',
		'... and stays in its place');
}
is($node->safe_psql('postgres', "SELECT count(*) FROM tasks WHERE task_id = repeat('x', 8192)"),
	'0', 'a long id is none');
is(join('', map { length } $standin->requests), 8192 + length 'GET /api/v1/tasks/', '... and is sent');
foreach my $size (8193, 1 << 20)
{
	my ($status, $out, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\nSELECT count(*) FROM tasks WHERE task_id = repeat('x', $size)");
	like($err, qr/ERROR:  54000: an id is too long/, "an id of $size bytes is refused");
	cmp_ok(length $err, '<', 1000, '... in a few words');
}
is(join('', $standin->requests), '', '... without a request');

done_testing();
