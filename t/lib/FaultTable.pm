# The table of the fault matrix: what comes of every fault, everywhere.
#
# A line: a name; what is done to the request, which is one of
#
#	words			of the stand-in's command "fault"; ROW stands for the second row
#					of a page or the only one of a look-up, STRANGER for another host
#	accept, certificate		a switch of the stand-in, turned before the request
#	server => 'nowhere'		a server with such an endpoint
#
# and its outcomes.  Those are looked for under the place (first, middle, last,
# lookup, count), then its kind (page), then "all"; before that likewise in what
# the transport (plain, tls, http2) has of its own.
#
#	rows			the right ones, at once
#	nothing			no row, and no error
#	HV000			this error, which is not tried again
#	HV000 again		this error where max_retries is 0, else the right rows at the
#					second attempt
#	A or B			either: what comes first, or which nginx, decides
#	none: why		there is no such cell
#
# More of a line, and what it is without: server (patient), sent, requests of
# the stricken attempt that reach the stand-in (1); requests, of the statement
# where rows come (those without a fault); memory in MB, which the backend may
# grow by (4); shown, a field and its value in the row; retries, so that what is
# lost on the way is asked for again (0).

package FaultTable;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(@faults outcomes);

# several that end alike; their names are their words
sub alike
{
	my ($more, @words) = @_;
	return map { { name => $_, words => [ split / / ], %$more } } @words;
}

# With an nginx in between, what goes wrong before an answer's end of headers is
# a 502 of its; what goes wrong later is passed on.
my $bad_gateway = { all => 'HV000 again' };

# servers with a timeout of a second, and with a limit of 1 MB to an answer
my %hasty = (server => 'hasty');
my %small = (server => 'small', memory => 3);

our @faults = (
	# ---- no connection ----
	{ name => 'connection refused', accept => 'refuse', sent => 0,
		all => '08001 again', http2 => $bad_gateway },
	{ name => 'name not resolved', server => 'nowhere', sent => 0,
		all => '08001',
		middle => 'none: libcurl keeps an address for a minute',
		last => 'none: libcurl keeps an address for a minute' },
	{ name => 'accepted, closed', accept => 'close', sent => 0,
		all => '08006 again', tls => { all => '08001 again' },
		http2 => $bad_gateway },
	{ name => 'accepted, reset', accept => 'reset', sent => 0,
		all => '08001 or 08006 again', tls => { all => '08001 again' },
		http2 => $bad_gateway },
	{ name => 'accepted, silent', accept => 'stall', %hasty, sent => 0,
		all => '08006 again' },
	(map { { name => "certificate $_", certificate => $_, sent => 0,
				all => '08001', plain => { all => 'none: no TLS' } } }
		  qw(expired other_host self_signed unknown_ca)),

	# ---- the connection breaks or stalls ----
	alike({ all => '08006 again', http2 => $bad_gateway }, qw(reset close)),
	# what has not been read yet goes with a reset
	alike({ all => '08006 again', http2 => { all => '08006 or HV000 again' } },
		'reset_body'),
	alike({ all => '08006 again' },
		qw(truncated chunked_cut chunked_bad)),
	alike({ all => '08006 again', %hasty },
		qw(stall stall_head drip_head stall_body drip length=10)),
	alike({ all => 'rows' }, qw(slow=100 slow_body=100 later=1)),
	# a request may be on its way when the end of its connection comes
	alike({ all => 'rows', retries => 1 }, 'close_after'),
	alike({ all => 'rows', retries => 1, tls => { all => "none: http10 is" } },
		'http10 close_after'),

	# ---- too much ----
	alike({ all => '54000', %small }, 'endless', 'flood', 'flood http10',
		'gzip_bomb=20', 'huge=2', 'wide=2', 'status=500 endless'),
	{ name => 'endless, to 16 MB', words => ['endless'], all => '54000',
		memory => 18 },
	# what fits is read; the tree of ten million brackets is large
	alike({ all => 'rows', memory => 64 }, 'huge=10', 'gzip_bomb=10'),
	alike({ all => 'rows', memory => 512 }, 'wide=10'),
	alike({ all => 'rows', http2 => $bad_gateway }, 'big_headers'),
	alike({ all => '08P01', http2 => $bad_gateway }, 'big_headers=400'),

	# ---- HTTP ----
	{ name => 'raw', words => ['raw=SSH-2.0-x'], all => '08P01',
		http2 => { all => 'HV000 or 08P01 or 08006' } },
	# newer libcurls want the end of what has no length announced by TLS
	alike({ all => 'rows', tls => { all => 'rows or 08006' } }, 'http10'),
	alike({ all => 'rows' }, 'gzip', 'deflate', 'bom', 'chunked',
		'chunked=1', 'set_cookie', 'header=Content-Type:text/x', 'date=-600',
		'retry_after=3', 'retry_date=60'),
	alike({ all => '08P01' }, 'gzip_corrupt', 'header=Content-Encoding:zip'),
	alike({ all => '22032' }, 'length=-10'),
	# what is no final status: not all nginx understand that
	alike({ all => 'rows', http2 => { all => 'rows or 08006 again', %hasty } },
		'early=100', 'early=102', 'early=103'),
	alike({ all => '08P01', http2 => { all => '08006 again', %hasty } },
		'early=101', 'status=101'),
	alike({ all => 'HV000' }, 'status=201', 'status=204', 'status=206',
		'status=304', 'status=418', 'status=599'),
	alike({ all => 'HV000' },
		map { "redirect=STRANGER/tasks status=$_" } 301, 302, 303, 307, 308),

	# ---- refusals ----
	alike({ all => 'HV000' }, 'status=400 code=100', 'status=413 code=430',
		'status=200 code=900'),
	alike({ all => '28000' }, 'status=401 code=200',
		'status=401 code=200 date=-600'),
	alike({ all => '42501' }, 'status=401 code=10100', 'status=401 code=210',
		'status=403 code=230'),
	alike({ all => 'HV00R' }, 'status=404 code=300'),
	alike({ all => 'HV00R', lookup => 'nothing' }, 'status=404 code=10199'),
	alike({ all => '53000' }, 'status=429 code=400'),
	alike({ all => '53000 again' }, 'status=429 code=410',
		'status=429 code=420 retry_after=1',
		'status=429 shape=empty retry_date=1'),
	alike({ all => 'HV000 again' }, 'status=500 code=900', 'status=502 html',
		'status=503 code=500 message=m details=d', 'status=504 shape=xml'),

	# ---- bodies ----
	alike({ all => '22032' }, 'html', 'empty_body', 'body=no', 'deep',
		'surrogate=task_name row=ROW', 'bad_utf8=task_name row=ROW',
		'bigint=line_count row=ROW', 'value=line_count:1e999 row=ROW'),
	alike({ all => '22032', lookup => 'rows' },
		'envelope=total:9223372036854775808'),
	alike({ all => 'HV021' }, 'body=[]', 'body={}', 'id_missing row=ROW',
		'id_null row=ROW'),
	alike({ all => 'HV021', lookup => 'rows' }, 'no_array', 'array={}',
		'array=null', 'id_twice row=ROW'),
	alike({ all => 'rows' }, 'duplicate_keys', 'deep=2000'),
	alike({ all => 'rows', requests => { first => 6, middle => 8, last => 8 } },
		'empty_array'),
	alike({ all => 'rows', requests => { first => 6, middle => 6, last => 6 } },
		'short=5'),
	# without a total to trust, a look at the head, and for count another page
	alike({ all => 'rows',
			requests => { first => 6, middle => 6, last => 6, count => 2 } },
		'envelope=total:-1'),
	alike({ all => 'rows', memory => 10,
			shown => { field => 'task_name', value => 'long' x 2**18 } },
		'long=task_name row=ROW'),
	# another object than the one that was asked for is not it
	alike({ all => 'rows', lookup => 'nothing',
			shown => { field => 'task_id', value => 4711 } },
		'id_number row=ROW'),
	alike({ all => '22P05', count => 'rows' }, 'nul=task_name row=ROW'),
	alike({ all => '42804', count => 'rows' }, 'value=line_count:{} row=ROW'));

# What may come of a fault: a list of "rows", "nothing" and SQLSTATEs; whether
# it is worth another attempt; or why there is no such cell.
sub outcomes
{
	my ($fault, $place, $kind, $transport) = @_;
	my ($said) = grep { defined } map {
		my $own = $_;
		map { $own->{$_} } $place, $kind, 'all'
	} $fault->{$transport} // {}, $fault;

	die "$fault->{name}: no outcome for $place\n" unless defined $said;
	return { none => $1 } if $said =~ /^none: (.*)/;
	my $again = $said =~ s/ again$// ? 1 : 0;
	my @any = split / or /, $said;
	/^(?:rows|nothing|[0-9A-Z]{5})$/ or die "$fault->{name}: $_ is no outcome\n"
	  foreach @any;
	return { any => \@any, again => $again };
}

1;
