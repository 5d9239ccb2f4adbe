# Databases in other encodings than the service's UTF-8: values are converted
# or refused as PostgreSQL does, and an error is the same error even where its
# words cannot be shown.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Standin;
use Test::More;

# What this file holds is UTF-8 in bytes, and so is what psql reads and prints.
$ENV{PGCLIENTENCODING} = 'UTF8';

my $standin = Standin->start(objects => 3);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

foreach my $encoding (qw(EUC_KR LATIN1 SQL_ASCII UTF8))
{
	my $database = lc $encoding;
	$node->safe_psql('postgres',
			"CREATE DATABASE $database ENCODING '$encoding' "
		  . "LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0");
	$node->safe_psql(
		$database, qq{
CREATE EXTENSION nclue_fdw;
CREATE SERVER nclue FOREIGN DATA WRAPPER nclue_fdw
  OPTIONS (endpoint '@{[ $standin->endpoint ]}', rate_limit '0', max_retries '0', max_in_flight '1');
CREATE USER MAPPING FOR PUBLIC SERVER nclue
  OPTIONS (access_key 'AK_TEST', secret_key 'SK_TEST');
CREATE FOREIGN TABLE tasks (task_id text, task_name text, status varchar(5),
  auroc float8, line_count bigint, created_at timestamptz) SERVER nclue;
CREATE FOREIGN TABLE as_json (task_id text, task_name json, status jsonb,
  object json OPTIONS (json_key '*')) SERVER nclue;
CREATE FOREIGN TABLE other (bytes bytea OPTIONS (json_key 'task_name'),
  name name OPTIONS (json_key 'task_name'),
  array_of text[] OPTIONS (json_key 'array_of')) SERVER nclue;});
}

sub text_of
{
	my ($database, $query) = @_;
	return $node->safe_psql($database, $query);
}

# The words of an error, SQLSTATE first; then whether the session goes on.
sub error_of
{
	my ($database, $query) = @_;
	my ($status, $out, $error) = $node->psql($database,
		"\\set VERBOSITY verbose\n$query;\nSELECT count(*) FROM tasks;\n",
		on_error_stop => 0);
	is($out, 3, "$database: after the error of \"$query\" the session goes on");
	return $error;
}

sub set_values
{
	my ($number, @values) = @_;
	$standin->ctl('update', 'tasks', "number=$number", @values);
	return;
}

$standin->ctl('set', 'order=oldest');
# nothing in any language but what is set here
$standin->ctl('remove-field', 'tasks', "number=$_",
	map { ("train_$_", "test_$_") } qw(feature_name file_path))
  foreach 1 .. 3;
set_values(1, 'task_id="하나"', 'task_name="반려동물 사료 예측"',
	'status="완료"');
set_values(2, 'task_id="two"', 'task_name="pet food"', 'status="done"');
set_values(3, 'task_id="셋"', 'task_name="\uac00\ub098 \"다\" \\\\ A"',
	'status="가나다라마"');
my $names = qq{반려동물 사료 예측\npet food\n가나 "다" \\ A};

# ---- Korean text in EUC_KR ----

foreach my $database (qw(utf8 euc_kr))
{
	is(text_of($database, 'SELECT task_name FROM tasks'),
		$names, "$database: Korean names arrive");
	is( text_of(
			$database,
			q{SELECT task_id, status FROM tasks WHERE task_name = '반려동물 사료 예측'}),
		'하나|완료',
		"$database: a condition compares Korean text");
	is( text_of(
			$database,
			q{SELECT task_id FROM tasks WHERE task_name LIKE '%다%' AND status > '가'}),
		'셋',
		"$database: parts of Korean text are found");
	is(text_of($database, 'SELECT char_length(status) FROM tasks'),
		"2\n4\n5", "$database: a length counts characters");
	is( text_of($database, 'SELECT task_name::text FROM as_json LIMIT 1'),
		'"반려동물 사료 예측"',
		"$database: json shows Korean text");
	is( text_of(
			$database, q{SELECT status #>> '{}' FROM as_json LIMIT 1}),
		'완료', "$database: jsonb holds Korean text");
	is( text_of(
			$database,
			q{SELECT object ->> 'status' FROM as_json WHERE object ->> 'task_id' = '셋'}
		),
		'가나다라마',
		"$database: the whole object holds Korean text");
	is(text_of($database, 'SELECT name FROM other LIMIT 1'),
		'반려동물 사료 예측', "$database: a name holds Korean text");
}

# EUC_KR has two bytes where UTF-8 has three.
is(text_of('euc_kr', 'SELECT octet_length(status) FROM tasks LIMIT 1'),
	4, 'euc_kr: text is in the encoding of the database');
is( text_of('euc_kr',
		q{SELECT encode(convert_to(status, 'EUC_KR'), 'hex') FROM tasks LIMIT 1}),
	'bfcfb7e1',
	'euc_kr: and in its bytes');
is(text_of('utf8', 'SELECT octet_length(status) FROM tasks LIMIT 1'),
	6, 'utf8: text is in the encoding of the database');

# A length is of characters, not of UTF-8's bytes.
set_values(3, 'status="가나다라마바"');
foreach my $database (qw(utf8 euc_kr))
{
	like(
		error_of($database, 'SELECT status FROM tasks'),
		qr/ERROR:  22001:.*\n.*CONTEXT:  column "status", object with task_id 셋$/m,
		"$database: too long a text names column and object");
}
set_values(3, 'status="가나다라마"');

# 1 MB that changes its length when it is converted.
my $file = PostgreSQL::Test::Utils::tempdir . '/body';
append_to_file($file,
		'{"index":0,"limit":100,"total":1,"tasks":[{"task_id":"1","task_name":"'
	  . '가' x 262_144
	  . '"}]}');
$standin->ctl('fault', "body=\@$file");
is( text_of(
		'euc_kr',
		q{SELECT char_length(task_name), octet_length(task_name),
			task_name = repeat('가', 262144) FROM tasks LIMIT 1}),
	'262144|524288|t',
	'euc_kr: long texts are converted');

# A key of the JSON object and a column's name in the database's encoding.
set_values(1, '비고="메모"');
foreach my $database (qw(utf8 euc_kr))
{
	is( text_of(
			$database,
			q{CREATE FOREIGN TABLE remarks ("비고란" text OPTIONS (json_key '비고'))
				SERVER nclue; SELECT "비고란" FROM remarks LIMIT 1}),
		'메모',
		"$database: json_key names a Korean key");
}
set_values(1, '비고={"셈":"x"}');
$node->safe_psql('euc_kr',
	q{ALTER FOREIGN TABLE remarks ALTER COLUMN "비고란" TYPE int});
like(
	error_of('euc_kr', 'SELECT * FROM remarks'),
	qr/ERROR:  42804:.*CONTEXT:  column "비고란", object with task_id 하나$/ms,
	'euc_kr: a Korean column is named as it is written');
$standin->ctl('remove-field', 'tasks', 'number=1', '비고');

# ---- what an encoding does not have ----

my %unknown = (
	euc_kr => [ [ '🛒', 'an emoji' ], [ 'Größe', 'an umlaut' ] ],
	latin1 => [ [ '한', 'Korean' ], [ '🛒', 'an emoji' ], [ '€', 'a euro' ] ]);

foreach my $database (sort keys %unknown)
{
	foreach my $case (@{ $unknown{$database} })
	{
		my ($text, $name) = @$case;
		set_values(1, 'task_id="one"', "task_name=\"a $text b\"",
			"status=\"$text\"", "array_of=\"{$text}\"");
		set_values(3, 'task_id="three"', 'task_name="c"', 'status="d"');
		foreach my $column (
			[ tasks => 'task_name' ],
			[ tasks => 'status' ],
			[ as_json => 'task_name' ],
			[ as_json => 'status' ],
			[ as_json => 'object' ],
			[ other => 'name' ],
			[ other => 'bytes' ],
			[ other => 'array_of' ])
		{
			like(
				error_of($database, "SELECT $column->[1] FROM $column->[0]"),
				qr/ERROR:  22P05:.*CONTEXT:  column "$column->[1]", object with task_id one$/ms,
				"$database: $name in $column->[1] of $column->[0]"
				  . ' is refused, column and object are named');
		}
		is(text_of($database, 'SELECT task_id FROM tasks'),
			"one\ntwo\nthree",
			"$database: $name in a column that is not asked for harms nobody");
	}
}

# The id in the context cannot be shown; the error is the value's.
set_values(1, 'task_id="하나 é"', 'task_name="한"', 'line_count="많음"');
like(
	error_of('latin1', 'SELECT task_name FROM tasks'),
	qr/ERROR:  22P05:.*CONTEXT:  column "task_name", object with task_id \?\? é$/ms,
	'latin1: an id that cannot be shown has ? for its characters');
$node->safe_psql('latin1', 'CREATE FOREIGN TABLE ids ("task_id" bigint, '
	  . q{at timestamptz OPTIONS (json_key 'line_count')) SERVER nclue});
like(
	error_of('latin1', 'SELECT at FROM ids'),
	qr/ERROR:  22007: [^\n]*"\?\?"\n.*CONTEXT:  column "at", object with task_id \?\? é$/ms,
	'latin1: a time that is none is refused as such, with ? for what it says');
like(
	error_of('euc_kr', 'SELECT line_count FROM tasks'),
	qr/ERROR:  22P02: [^\n]*"많음"\n.*CONTEXT:  column "line_count", object with task_id 하나 \?$/ms,
	'euc_kr: a number that is none is shown');

# ---- LATIN1 ----

$standin->ctl('remove-field', 'tasks', 'number=1', 'array_of');
set_values(1, 'task_id="1"', 'task_name="Größe é\u00ff"', 'status="à"',
	'line_count=1');
is( text_of(
		'latin1',
		q{SELECT task_name, octet_length(task_name), status = 'à' FROM tasks LIMIT 1}),
	'Größe éÿ|8|t',
	'latin1: accents are converted');
is( text_of(
		'latin1',
		q{SELECT encode(convert_to(task_name, 'LATIN1'), 'hex') FROM tasks LIMIT 1}),
	'4772f6df6520e9ff',
	'latin1: to its bytes');
is( text_of(
		'latin1', q{SELECT task_id FROM tasks WHERE task_name LIKE 'Größe%'}),
	'1', 'latin1: a condition compares accents');
is( text_of(
		'latin1',
		q{SELECT task_name #>> '{}', status #>> '{}', object ->> 'status'
			FROM as_json LIMIT 1}),
	'Größe éÿ|à|à',
	'latin1: JSON holds accents');

# ---- SQL_ASCII: bytes as they come ----

set_values(1, 'task_id="하나"', 'task_name="한 é 🛒"', 'status="완료"');
set_values(2, 'status="완"');
is( text_of('sql_ascii', 'SELECT task_name FROM tasks LIMIT 1'),
	'한 é 🛒', 'sql_ascii: UTF-8 passes');
is( text_of(
		'sql_ascii',
		q{SELECT octet_length(task_name), char_length(task_name),
			task_name = '한 é 🛒' FROM tasks LIMIT 1}),
	'11|11|t',
	'sql_ascii: as bytes');
is( text_of(
		'sql_ascii',
		q{SELECT task_name #>> '{}', status #>> '{}' FROM as_json LIMIT 1}),
	'한 é 🛒|완료',
	'sql_ascii: in JSON too');
like(
	error_of('sql_ascii', 'SELECT status FROM tasks'),
	qr/ERROR:  22001:.*CONTEXT:  column "status", object with task_id \?{6}$/ms,
	'sql_ascii: a length counts bytes, and a report is ASCII');

# ---- errors of the service in a language that cannot be shown ----

my @services_errors = (
	[ [ 'status=401', 'code=200', 'message=인증 실패: é' ], '28000' ],
	[ [ 'status=403', 'code=230', 'message=금지됨: é' ], '42501' ],
	[ [ 'status=429', 'code=400', 'message=한도 초과: é' ], 53000 ],
	[ [ 'status=404', 'code=300', 'message=없음: é' ], 'HV00R' ]);
my %shown = (
	utf8 => sub { $_[0] },
	euc_kr => sub { $_[0] =~ s/é/?/gr },
	latin1 => sub { $_[0] =~ s/[\xe0-\xef][\x80-\xbf]{2}/?/gr },
	sql_ascii => sub { $_[0] =~ s/[\x80-\xff]/?/gr });

foreach my $database (sort keys %shown)
{
	foreach my $case (@services_errors)
	{
		my ($fault, $sqlstate) = @$case;
		my ($message) = $fault->[2] =~ /=(.*)/;
		my $expected = $shown{$database}->($message);
		$standin->ctl('fault', @$fault);
		my $error = error_of($database, 'SELECT task_id FROM tasks');
		like($error, qr/ERROR:  $sqlstate: /,
			"$database: $fault->[0] with a Korean message is $sqlstate");
		like($error, qr/message "\Q$expected\E"/,
			"$database: the message of $fault->[0] is shown as far as can be");
	}

	my $expected = $shown{$database}->('<h1>점검 중 é</h1>');
	$standin->ctl('fault', 'body=<h1>점검 중 é</h1>');
	my $error = error_of($database, 'SELECT task_id FROM tasks');
	like($error, qr/ERROR:  22032: /,
		"$database: a Korean web page is 22032");
	like($error, qr/body begins "\Q$expected\E"/,
		"$database: its beginning is shown as far as can be");

	$expected = $shown{$database}->('작업 é');
	$standin->ctl('fault', 'array=[{"task_id":"작업 é"},{"task_id":"작업 é"}]');
	$error = error_of($database, 'SELECT task_id FROM tasks');
	like($error, qr/ERROR:  HV021: .*\Q$expected\E twice/s,
		"$database: an id that is there twice is shown as far as can be");

	# bytes that are no text at all
	$standin->ctl('fault', "body=\xff\xfe{\x01}");
	$error = error_of($database, 'SELECT task_id FROM tasks');
	like($error, qr/ERROR:  22032: /,
		"$database: a body of other bytes is 22032");
	unlike($error, qr/[\xfe\xff]/, "$database: and not shown as it is");
}

done_testing();
