# Who a coin is: symbols that change hands, numbers that are given to others, coins that move, go, come back, or find no room.

use strict;
use warnings;
use CryptoRt;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

# A sweep is one page here, and it is polled when the test asks for it.  The tiers end within the page.
my $sim = CryptoRt::Sim->start(coins => 90);
my $redis = CryptoRt::Redis->start;
$sim->coin('owner', symbol => 'DISPUTED', price => '1.00', volume24 => 1, rank => 20);
$sim->coin('rival', symbol => 'disputed', price => '2.00', volume24 => 1, rank => 30);
$sim->coin('wanderer', symbol => 'WANDER', price => '3.00', volume24 => 1, rank => 40, id => 4000);
$sim->coin('other', symbol => 'OTHER', price => '4.00', volume24 => 1, rank => 41, id => 4001);

my $node = CryptoRt::server('identity', sim => $sim, redis => $redis, conf => <<'CONF');
crypto_rt.tiers = '50:1800,*:3600'
crypto_rt.flush_interval = 100
CONF
my $db = CryptoRt::Session->new($node);
sub get { return $redis->cli('GET', "crypto:quote:$_[0]") }

# Let so many sweeps pass.  A page is polled once a second at the most, so that no sweep can slip in between.
sub sweep
{
	my ($n) = @_;
	for (1 .. $n // 1)
	{
		my $before = $db->ask('SELECT sweeps FROM crypto_status()');
		wait_for(sub { $db->ask("SELECT crypto_refresh('BTC')"); $db->ask('SELECT sweeps FROM crypto_status()') > $before })
			or die 'no sweep';
	}
	return;
}

sub owner_is
{
	my ($nameid, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $db->is("SELECT nameid, crypto_price('DISPUTED') = price FROM crypto_quote('DISPUTED')", "$nameid|t", $name);
}

sub takeovers { return scalar(() = slurp_file($node->logfile) =~ /the symbol DISPUTED passes/g) }

#
# One symbol, two coins
#
$db->becomes('SELECT sweeps FROM crypto_status()', '1', 'the first sweep');
owner_is('owner', 'a symbol belongs to the coin that ranks best');
$db->is("SELECT crypto_price('id:owner'), crypto_price('id:rival')", '1.00|2.00', 'each has its price by nameid');
$db->is("SELECT count(*) FROM crypto_quotes() WHERE symbol = 'DISPUTED'", '2', 'and is listed');
$db->becomes("SELECT nameid, price FROM tickers WHERE symbol = 'DISPUTED'", 'owner|1.00', 'tickers has the one that owns it');
$db->becomes("SELECT string_agg(nameid || ' ' || owns_symbol, ',' ORDER BY nameid) FROM crypto_coins WHERE symbol = 'DISPUTED'",
	'owner true,rival false', 'crypto_coins has both');
eventually(sub { (get('DISPUTED') // '') =~ /"price":1\.00,.*"id":"owner"/ }, 'Redis has the one that owns it');

#
# A rival that ranks better
#
$sim->coin('rival', rank => 10);
sweep;
owner_is('owner', 'to rank better once is not enough');
$sim->coin('rival', rank => 30);
sweep;
$sim->coin('rival', rank => 10);
sweep 2;
owner_is('owner', 'nor is twice after a pause');
is(takeovers, 0, 'and nothing is logged');
sweep;
owner_is('rival', 'after three sweeps the rival has it');
is(takeovers, 1, 'which is logged');
like(slurp_file($node->logfile), qr/LOG:  crypto_rt: the symbol DISPUTED passes from owner to rival$/m, 'with both names');
$db->is("SELECT crypto_price('id:owner'), crypto_price('id:rival')", '1.00|2.00', 'by nameid all is as before');
$db->becomes("SELECT nameid, price FROM tickers WHERE symbol = 'DISPUTED'", 'rival|2.00', 'tickers follows');
$db->becomes("SELECT string_agg(nameid || ' ' || owns_symbol, ',' ORDER BY nameid) FROM crypto_coins WHERE symbol = 'DISPUTED'",
	'owner false,rival true', 'crypto_coins follows');
eventually(sub { get('DISPUTED') =~ /"price":2\.00,.*"id":"rival"/ }, 'Redis follows');
$sim->coin('rival', rank => 30);
sweep;
owner_is('rival', 'and the former owner does not get it back at once');
is(takeovers, 1, 'nor is that logged');

#
# A new symbol, and a number that is given to another
#
my $coin = $db->ask("SELECT coin FROM crypto_coins WHERE nameid = 'wanderer'");
$sim->coin('wanderer', symbol => 'WONDER', id => 4001);
$sim->coin('other', id => 4000);
sweep;
$db->is("SELECT crypto_price('WANDER') IS NULL, crypto_price('WONDER'), crypto_price('id:wanderer')", 't|3.00|3.00', 'a coin changes its symbol');
$db->is("SELECT coinlore_id FROM crypto_quote('WONDER') UNION ALL SELECT coinlore_id FROM crypto_quote('OTHER')", "4001\n4000",
	'two coins change their numbers');
$db->is("SELECT crypto_price('OTHER'), (SELECT nameid FROM crypto_quote('OTHER'))", '4.00|other', 'and remain who they are');
$db->becomes("SELECT coin, symbol, coinlore_id FROM crypto_coins WHERE nameid = 'wanderer'", "$coin|WONDER|4001", 'in the tables, too');
$db->becomes("SELECT count(*) FROM tickers WHERE symbol = 'WANDER'", '0', 'tickers forgets the old symbol', 10);
eventually(sub { get('WONDER') && !get('WANDER') && $redis->cli('ZSCORE', 'crypto:symbols:ranked', 'WANDER') eq '' },
	'Redis forgets the old symbol');

#
# From tier to tier
#
$db->is("SELECT rank, tier, update_interval FROM crypto_quote('OTHER')", '41|tier1|1800', 'a coin of tier 1');
$sim->coin('other', rank => 60);
sweep;
$db->is("SELECT rank, tier, update_interval FROM crypto_quote('OTHER')", '60|tier2|3600', 'moves to tier 2');
eventually(sub { get('OTHER') =~ /"rank":60,.*"update_interval":3600,"tier":"tier2",/ }, 'in Redis');
is($redis->cli('ZSCORE', 'crypto:symbols:ranked', 'OTHER'), '60', 'in the ranking');
$db->becomes("SELECT rank, tier FROM tickers WHERE symbol = 'OTHER'", '60|2', 'and in tickers');
$db->is("SELECT tier, first_rank, last_rank, coins FROM crypto_tiers", "tier1|1|50|50\ntier2|51||44", 'crypto_tiers counts both');

#
# Gone, and back
#
sub other { return $db->ask("SELECT rank, active, price FROM crypto_quote('OTHER')") }
$sim->coin('other', present => 0);
sweep 2;
is(other, '60|t|4.00', 'a coin absent from two sweeps is still there');
sweep;
is(other, '|f|4.00', 'after three it has no rank and is not active');
$db->is("SELECT coins FROM crypto_status()", '93', 'and does not count');
$db->becomes("SELECT active FROM crypto_coins WHERE nameid = 'other'", 'f', 'crypto_coins says so');
$db->becomes("SELECT count(*) FROM tickers WHERE symbol = 'OTHER' AND active", '0', 'and so does tickers');
eventually(sub { !get('OTHER') }, 'Redis has it no more');
$db->is("SELECT count(*) FROM crypto_quotes(100) WHERE symbol = 'OTHER'", '0', 'crypto_quotes(100) has it no more');
$db->is("SELECT symbol FROM crypto_quotes() OFFSET 93", 'OTHER', 'crypto_quotes() has it last');
$db->is("SELECT crypto_refresh('OTHER')", 'f', 'nobody can refresh it');
$sim->coin('other', present => 1, price => '4.50');
sweep;
is(other, '60|t|4.50', 'it comes back');
$db->becomes("SELECT active FROM crypto_coins WHERE nameid = 'other'", 't', 'in the tables');
eventually(sub { (get('OTHER') // '') =~ /"price":4\.50,/ }, 'and in Redis');
$node->stop('fast');

#
# More coins than there is room for, or than are wanted
#
$sim = CryptoRt::Sim->start(coins => 300);
$node = CryptoRt::server('room', sim => $sim, conf => <<'CONF');
crypto_rt.max_coins = 150
crypto_rt.tiers = '100:200ms,*:300ms'
crypto_rt.max_requests_per_second = 100
CONF
$db = CryptoRt::Session->new($node);
$db->becomes('SELECT coins, refused_coins FROM crypto_status()', '150|150', 'as many coins as there is room for');
$db->becomes('SELECT sweeps > 5 FROM crypto_status()', 't', 'several sweeps');
$db->is('SELECT count(*), max(rank) FROM crypto_quotes()', '150|150', 'those that rank best');
$db->is('SELECT refused_coins FROM crypto_status()', '150', 'and the others are counted as long as they stay out');
my @warnings = slurp_file($node->logfile) =~ /^(.*WARNING:  .*)$/mg;
is(scalar @warnings, 1, 'one warning tells so');
like($warnings[0], qr/the board is full, so the coins that rank worst are left out/, 'why');
like(slurp_file($node->logfile), qr/HINT:  Raise crypto_rt\.max_coins/, 'and what to do');

$sim->coin('newcomer', symbol => 'NEWCOMER', price => '9.00', volume24 => 1, rank => 5);
$db->becomes("SELECT rank, crypto_price('NEWCOMER') FROM crypto_quote('NEWCOMER')", '5|9.00', 'one that ranks better comes in');
$db->becomes('SELECT count(*) FROM crypto_quotes() WHERE rank <= 150', '150', 'for the one that ranked worst');
$db->is('SELECT coins FROM crypto_status()', '150', 'and there are no more than before');
is(scalar(() = slurp_file($node->logfile) =~ /WARNING:  /g), 1, 'without another warning');

$node->append_conf('postgresql.conf', "crypto_rt.max_rank = 120\n");
$node->reload;
$db->becomes('SELECT coins FROM crypto_status()', '120', 'max_rank: others are not tracked any more');
$db->is('SELECT count(*), max(rank) FROM crypto_quotes(1000)', '120|120', 'but the best are');
$db->becomes('SELECT refused_coins FROM crypto_status()', '0', 'and now there is room for all');
$db->becomes("SELECT string_agg(coins::text, ',') FROM crypto_tiers", '100,20', 'crypto_tiers counts them');
sub requests { return $sim->get('/sim/stats')->{pages}{ $_[0] }{requests} }
my $requests = requests(200);
wait_for(sub { $db->ask('SELECT sweeps FROM crypto_status()') > 20 });
is(requests(200), $requests, 'and pages beyond max_rank are not asked for');

# tiers of several pages
$sim->coin('newcomer', rank => 115);
$db->becomes("SELECT rank, tier FROM crypto_quote('NEWCOMER')", '115|tier2', 'a coin that moves to another page moves to its tier');
$node->stop('fast');
done_testing();
