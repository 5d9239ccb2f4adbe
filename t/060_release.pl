# What a release is made of agrees with itself: META.json is what PGXN
# specifies, and all places that name a version or the license say the same.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use Test::More;

my $top = "$FindBin::RealBin/..";

sub slurp
{
	my $file = shift;
	open(my $in, '<:raw', "$top/$file") or die "$file: $!";
	local $/;
	return <$in>;
}

# ---- the PGXN Meta Spec, version 1.0.0, as far as META.json goes ----

my $semver = qr/\A(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-[\dA-Za-z.-]+)?(?:\+[\dA-Za-z.-]+)?\z/;
my %licenses = map { $_ => 1 } qw(agpl_3 apache_1_1 apache_2_0 artistic_1
  artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0
  mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib
  open_source restricted unrestricted unknown);

sub is_text { return !ref $_[0] && length($_[0] // '') > 0; }
sub is_version { return is_text($_[0]) && $_[0] =~ $semver; }
sub is_term { return is_text($_[0]) && $_[0] =~ m{\A[^\s[:cntrl:]/\\]{2,}\z}; }

sub each_is
{
	my ($check, $list) = @_;
	return ref $list eq 'ARRAY' && @$list > 0 && !grep { !$check->($_) } @$list;
}

sub texts { return is_text($_[0]) || each_is(\&is_text, $_[0]); }

sub is_license
{
	my $known = sub { is_text($_[0]) && $licenses{ $_[0] } };
	return ref $_[0] ? each_is($known, $_[0]) : $known->($_[0]);
}

sub map_is
{
	my ($map, $key, $value) = @_;
	return
		 ref $map eq 'HASH'
	  && %$map
	  && !grep { !$key->($_) || !$value->($map->{$_}) } keys %$map;
}

# a range of versions: ">= 1.0.0, < 2.0.0", "1.0.0", 0
sub is_range
{
	my $range = shift;
	return is_text($range) && !grep
	{ $_ ne '0' && !(s/\A(?:[<>]=?|==|!=)\s*//r =~ $semver) }
	  split /\s*,\s*/, $range;
}

# What is wrong with an object, given the checks of its keys; those whose names
# end with "!" must be there.
sub wrong
{
	my ($object, %checks) = @_;
	my @wrong;

	return 'no object' unless ref $object eq 'HASH';
	foreach my $name (sort keys %checks)
	{
		my $key = $name =~ s/!$//r;
		push @wrong, "$key is missing"
		  if $name ne $key && !exists $object->{$key};
		push @wrong, "$key is not valid"
		  if exists $object->{$key} && !$checks{$name}->($object->{$key});
	}
	foreach my $key (sort keys %$object)
	{
		push @wrong, "$key is not known"
		  unless $checks{$key} || $checks{"$key!"} || $key =~ /^x_/i;
	}
	return @wrong;
}

sub provides_is
{
	return map_is(
		$_[0],
		\&is_term,
		sub {
			!wrong(
				$_[0],
				'file!' => \&is_text,
				'version!' => \&is_version,
				abstract => \&is_text,
				docfile => \&is_text);
		});
}

sub prereqs_is
{
	my $relation = sub { $_[0] =~ /\A(?:requires|recommends|suggests|conflicts)\z/ };
	my $phase = sub { $_[0] =~ /\A(?:configure|runtime|build|test|develop)\z/ };

	return map_is($_[0], $phase, sub {
		map_is($_[0], $relation, sub {
			map_is($_[0], \&is_term, \&is_range);
		});
	});
}

sub meta_is_wrong
{
	return wrong(
		$_[0],
		'name!' => \&is_term,
		'version!' => \&is_version,
		'abstract!' => \&is_text,
		'maintainer!' => \&texts,
		'license!' => \&is_license,
		'provides!' => \&provides_is,
		'meta-spec!' => sub {
			!wrong(
				$_[0],
				'version!' => sub { $_[0] eq '1.0.0' },
				url => sub { is_text($_[0]) && $_[0] =~ m{^https?://} });
		},
		description => \&is_text,
		generated_by => \&is_text,
		release_status => sub { $_[0] =~ /\A(?:stable|testing|unstable)\z/ },
		tags => sub { each_is(\&is_text, $_[0]) },
		no_index => sub {
			my $lists = sub { each_is(\&is_text, $_[0]) };
			map_is($_[0], sub { $_[0] =~ /\A(?:file|directory)\z/ }, $lists);
		},
		prereqs => \&prereqs_is,
		resources => sub { ref $_[0] eq 'HASH' });
}

my $text = slurp('META.json');
my $meta = decode_json($text);
is_deeply([ meta_is_wrong($meta) ], [], 'META.json is valid');

# and would not be without any of these, or with others
foreach my $key (qw(name version abstract maintainer license provides meta-spec))
{
	my $other = decode_json($text);
	delete $other->{$key};
	is_deeply([ meta_is_wrong($other) ],
		["$key is missing"], "META.json without $key is not valid");
}
my %invalid = (
	name => 'nclue/fdw',
	version => '1.0',
	maintainer => [],
	license => 'PostgreSQL',
	provides => { nclue_fdw => { file => 'a.sql' } },
	'meta-spec' => { version => '2.0.0' },
	prereqs => { runtime => { requires => { PostgreSQL => '15' } } },
	release_status => 'ready',
	tags => 'fdw');
foreach my $key (sort keys %invalid)
{
	my $other = decode_json($text);
	$other->{$key} = $invalid{$key};
	is_deeply([ meta_is_wrong($other) ],
		["$key is not valid"], "META.json with another $key is not valid");
}
is_deeply([ meta_is_wrong({ %$meta, licence => 'bsd' }) ],
	['licence is not known'], 'META.json with an unknown key is not valid');

# ---- versions ----

my ($version) = slurp('src/version.h') =~ /NCLUE_FDW_VERSION "(.*?)"/;
is($meta->{version}, $version, "META.json's version");
like($meta->{version}, $semver, 'it is a semantic version');
my ($change) = slurp('CHANGELOG.md') =~ /^## (\S+)/m;
is($change, $version, 'the newest one in CHANGELOG.md');

my ($default) = slurp('nclue_fdw.control') =~ /^default_version = '(.*)'$/m;
like($version, qr/\A\Q$default\E\./, "the control file's is its beginning");
my $provided = $meta->{provides}{nclue_fdw};
is($provided->{version}, $version, "the extension's version in META.json");
is($provided->{file}, "nclue_fdw--$default.sql", 'its script in META.json');
my ($data) = slurp('Makefile') =~ /^DATA = (.*)$/m;
is_deeply(
	[ sort split ' ', $data ],
	[ sort map { s{.*/}{}r } glob("$top/nclue_fdw--*.sql") ],
	'all scripts are installed');
ok(-s "$top/$_", "$_ is there") foreach $provided->{file}, $provided->{docfile};

# ---- Debian's ----

my ($packaged) = slurp('debian/changelog') =~ /\Anclue-fdw \((.*)-[^-]*\) /;
is($packaged, $version, 'the newest one in debian/changelog');

# It is made anew for the PostgreSQL that is packaged.
is( slurp('debian/control'),
	slurp('debian/control.in') =~ s/PGVERSION/15/gr,
	'debian/control is debian/control.in for 15');

# ---- the license ----

my ($copyright) = slurp('debian/copyright') =~ /^License: PostgreSQL\n( .*)\z/ms;
my ($license) = slurp('LICENSE') =~ /^(Permission .*)\z/ms;
is($copyright =~ s/^ \.$//gmr =~ s/^ //gmr,
	$license, 'debian/copyright quotes the license');

done_testing();
