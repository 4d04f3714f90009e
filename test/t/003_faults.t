# Everything that may go wrong with CoinLore: prices stay, the status and one line of the log tell, and it heals by itself.

use strict;
use warnings;
use CryptoRt;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $conf = <<'CONF';
crypto_rt.tiers = '100:200ms,200:300ms,*:400ms'
crypto_rt.max_requests_per_second = 100
CONF

# One server's pages hang and drip, which takes the poller's whole patience; the other one goes through all the rest meanwhile.
my $slow_sim = CryptoRt::Sim->start(coins => 300);
my $slow = CryptoRt::server('slow', sim => $slow_sim, conf => $conf);
my $slow_db = CryptoRt::Session->new($slow);
$slow_db->becomes('SELECT sweeps > 1 FROM crypto_status()', 't', 'a sweep over all pages');
$slow_sim->fault('hang', start => 100);
$slow_sim->fault('drip', start => 200);
my $slow_since = time();

my $sim = CryptoRt::Sim->start(coins => 300);
my $node = CryptoRt::server('faults', sim => $sim, conf => $conf);
my $db = CryptoRt::Session->new($node);
$db->becomes('SELECT sweeps > 1 FROM crypto_status()', 't', 'likewise');
$CryptoRt::deadline = 10;
my %pid = workers($node);

sub pages { my ($what) = @_; return $db->ask("SELECT pages_$what FROM crypto_status()") }
sub pages_grow
{
	my ($what, $n, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $before = pages($what);
	return eventually(sub { pages($what) >= $before + $n }, $name);
}

# The poller's memory in MB: VmRSS now, VmHWM at the most so far.
sub memory
{
	my ($what) = @_;
	return slurp_file("/proc/$pid{poller}/status") =~ /^$what:\s+(\d+) kB/m ? $1 / 1024 : die "no $what";
}
my $memory = memory('VmRSS');

sub feed_lines
{
	my ($offset) = @_;
	return slurp_file($node->logfile, $offset) =~ /LOG:  (crypto_rt feed: .*)$/mg;
}

# Prices that tell one moment from another.
my $moment = 1000;
sub new_price
{
	my ($at) = @_;
	my $price = ++$moment . '.25';
	($at // $sim)->coin('bitcoin', price => $price, rank => 1);
	return $price;
}

#
# What is asked for, and what it costs when nothing has changed
#
my $stats = $sim->get('/sim/stats');
like($stats->{last_user_agent}, qr{^crypto_rt/\d}, 'the User-Agent names crypto_rt');
like($stats->{last_accept_encoding}, qr/\bgzip\b/, 'gzip is asked for');
cmp_ok($stats->{connections_total}, '<', 20, 'connections are kept');
pages_grow(unchanged => 3, 'pages with the same bytes are counted');
my $fetched = $db->ask("SELECT fetched_at FROM crypto_quote('BTC')");
$db->becomes("SELECT fetched_at > '$fetched' FROM crypto_quote('BTC')", 't', 'and renew the age of their coins');

#
# Faults that cost the page: until they end nothing changes, and then everything does
#
my @faults = (
	[ 'status', { status => 429 }, qr/status 429/ ],
	[ 'status', { status => 403 }, qr/status 403/ ],
	[ 'status', { status => 520 }, qr/status 520/ ],
	[ 'status', { status => 404 }, qr/status 404/ ],
	[ 'truncate', {}, qr/clos|partial|bytes/i ],
	[ 'cut_json', {}, qr/JSON ends in the middle/ ],
	[ 'bad_json', {}, qr/not JSON/ ],
	[ 'wrong_type', {}, qr{text/html.* in place of JSON} ],
	[ 'empty', {}, qr/./ ],
	[ 'null_data', {}, qr/./ ],
	[ 'no_body', {}, qr/body is empty/ ],
	[ 'reset', {}, qr/./ ],
	[ 'huge', {}, qr/larger than 8 MB/ ],
	[ 'gzip_bomb', {}, qr/larger than 8 MB/ ],
	[ 'redirect', {}, qr{redirects to http://127\.0\.0\.2:1/, which is not followed} ]);

foreach my $fault (@faults)
{
	my ($mode, $more, $problem) = @$fault;
	my $what = join ' ', $mode, values %$more;
	my $offset = -s $node->logfile;
	my $known = $db->ask("SELECT price, rank, active FROM crypto_quote('BTC')");
	my $failed = pages('failed');

	$sim->fault($mode, %$more);
	my $next = new_price;
	# all pages, several times
	eventually(sub { pages('failed') >= $failed + 9 }, "$what: pages_failed counts", 10);
	like($db->ask('SELECT state, feed_problem FROM crypto_status()'), qr/^feed failing\|ranks from \d+: .*$problem/, "$what: the status tells");
	$db->is("SELECT price, rank, active FROM crypto_quote('BTC')", $known, "$what: the quote stays as it was");

	$sim->well;
	$db->becomes("SELECT price, rank, active FROM crypto_quote('BTC')", "$next|1|t", "$what: all is well again");
	$db->becomes('SELECT state, feed_problem FROM crypto_status()', 'polling|', "$what: the status tells that, too");
	eventually(sub { (feed_lines($offset))[-1] =~ /all is well again/ }, "$what: and the log");
	is(scalar(() = feed_lines($offset)), 2, "$what: which has one line for each") or diag(join "\n", feed_lines($offset));
}
# as many too large pages at a time as the poller fetches
$sim->post('/sim/coins?n=1500');
$db->becomes('SELECT coins FROM crypto_status()', '1500', 'many more pages');
foreach my $mode ('huge', 'gzip_bomb')
{
	$sim->fault($mode);
	pages_grow(failed => 45, "$mode: on all of them");
	$sim->well;
}
$db->becomes('SELECT state FROM crypto_status()', 'polling', 'well again');
cmp_ok(memory('VmHWM') - $memory, '<', 64, 'none of this took the poller 64 MB');
eventually(sub { memory('VmRSS') - $memory < 16 }, 'and of what it took it gave most back') or diag(memory('VmRSS') - $memory);
is({ workers($node) }->{poller}, $pid{poller}, 'it is still the same process');
$sim->post('/sim/coins?n=300');

#
# Faults that cost nothing but time
#
foreach my $fault ([ 'latency', { ms => 400 } ], [ 'redirect_same', {} ])
{
	my ($mode, $more) = @$fault;
	my $failed = pages('failed');

	$sim->fault($mode, %$more);
	my $next = new_price;
	$db->becomes("SELECT crypto_price('BTC')", $next, "$mode: prices come through");
	pages_grow(fetched => 6, "$mode: and pages");
	is(pages('failed'), $failed, "$mode: none fails");
	$sim->well;
}

#
# Being asked to slow down
#
$db->becomes('SELECT requests_per_second FROM crypto_status()', '100', 'the full rate');
$sim->fault('status', status => 429, count => 1);
$db->becomes('SELECT requests_per_second <= 60 FROM crypto_status()', 't', 'a 429 halves it');
$db->becomes('SELECT requests_per_second FROM crypto_status()', '100', 'and success brings it back');

my $offset = -s $node->logfile;
$sim->fault('status', status => 429, retry_after => '2', count => 1);
eventually(sub { scalar(() = feed_lines($offset)) >= 1 }, 'a 429 with Retry-After');
my $since = time();
my $requests = $sim->requests;
my $next = new_price;
eventually(sub { $sim->requests > $requests }, 'pages are asked for again');
cmp_ok(time() - $since, '>', 1.5, 'but not before that time');
$db->becomes("SELECT crypto_price('BTC')", $next, 'and prices come in');

#
# A fault on one page is that page's
#
my $tiers = "SELECT string_agg((failed > 0)::text, ',' ORDER BY tier) FROM crypto_tiers";
$slow_db->is("SELECT string_agg(failed::text, ',' ORDER BY tier) FROM crypto_tiers WHERE tier = 'tier1'", '0', 'a page that hangs is of another tier');
$next = new_price($slow_sim);
$slow_db->becomes("SELECT crypto_price('BTC')", $next, 'while others hang, the first page goes on', 3);
$slow_db->becomes($tiers, 'false,true,true', 'pages that hang or drip are given up', 15);
cmp_ok(time() - $slow_since, '>', 9, 'after ten seconds');
like($slow_db->ask('SELECT state, feed_problem FROM crypto_status()'), qr/^feed failing\|ranks from [12]01: .*time.*out/i, 'and told');
$slow_db->is("SELECT crypto_price('BTC'), stale FROM crypto_quote('BTC')", "$next|f", 'the first page is as it was');
$slow_sim->well;
$slow_sim->coin('late', symbol => 'LATE', price => '7.00', volume24 => 1, rank => 250);
$slow_db->becomes("SELECT crypto_price('LATE')", '7.00', 'the others come back', 15);
$slow_db->becomes('SELECT state, feed_problem FROM crypto_status()', 'polling|', 'and all is well', 15);

#
# Absurd rows cost themselves: those beside them are read
#
$offset = -s $node->logfile;
my $rejected = $db->ask('SELECT rows_rejected FROM crypto_status()');
$sim->fault('absurd', start => 0);
$next = new_price;
$db->becomes("SELECT crypto_price('BTC')", $next, 'absurd rows: a row that is none is read');
$db->is("SELECT rows_rejected >= $rejected + 20 FROM crypto_status()", 't', 'the others are counted');
pages_grow(fetched => 9, 'several times');
is(scalar(grep { /rows of the page from rank 1 cannot be used/ } feed_lines($offset)), 1, 'and told once');
$db->is("SELECT count(*) FROM crypto_quotes() WHERE price < 0 OR rank < 1 OR symbol = '' OR symbol ~ '[[:cntrl:]]'", '0',
	'nothing absurd is on the board');
$db->is('SELECT state FROM crypto_status()', 'polling', 'the feed is well');
$sim->well;

# on every page, also those that their ranks do not belong to
$rejected = $db->ask('SELECT rows_rejected FROM crypto_status()');
$sim->fault('absurd', start => 100);
$db->becomes("SELECT rows_rejected > $rejected FROM crypto_status()", 't', 'absurd rows on the second page');
$db->is("SELECT price, rank FROM crypto_quote('BTC')", "$next|1", 'do not speak for a coin of the first');
$sim->well;

cmp_ok(memory('VmRSS') - $memory, '<', 16, 'at the end the poller has about as much memory as in the beginning');
$_->stop('fast') foreach $node, $slow;
done_testing();
