# After a restart the prices are there at once, from the tables.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 250);
# the last tier waits, so that there is time between a rival's first poll and the third sweep
my $node = server('warm', sim => $sim, conf => <<'CONF');
crypto_rt.tiers = '100:300ms,*:2s'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
crypto_rt.ticker_top = 0
crypto_rt.snapshot_top = 0
CONF

# Everything that tickers keep of a quote.
my $quotes = <<'SQL';
SELECT md5(string_agg((q.symbol, q.name, q.price, q.price_btc, q.rank, q.change_1h, q.change_24h, q.change_7d, q.volume_24h,
	q.market_cap, q.circulating_supply, q.total_supply, q.max_supply, q.tier, q.source, q.nameid, q.coinlore_id, q.active,
	q.source_time)::text, ' ' ORDER BY q.symbol))
FROM tickers t, crypto_quote(t.symbol) q
SQL
my $count = 'SELECT count(*) FROM crypto_snapshots';

$sim->coin('first-of-dup', symbol => 'DUP', rank => 150, price => '11.10');
sql_becomes($node, "SELECT nameid FROM crypto_quote('DUP')", 'first-of-dup', 'a symbol has its owner');
sql_becomes($node, 'SELECT count(*) = (SELECT count(DISTINCT symbol) FROM crypto_quotes() WHERE rank > 0) FROM tickers', 't',
	'tickers are complete');

# a rival with a better rank appears, and the server stops before the rival has waited for its time
$sim->coin('second-of-dup', symbol => 'DUP', rank => 120, price => '22.20');
sql_becomes($node, "SELECT nameid FROM crypto_quote('id:second-of-dup')", 'second-of-dup', 'a rival is seen');
$node->safe_psql('postgres', 'SELECT crypto_pause()');
sql_is($node, "SELECT nameid FROM crypto_quote('DUP')", 'first-of-dup', 'and is not the owner');

# every coin that had a snapshot
sql_becomes($node, "$count WHERE coin = (SELECT coin FROM crypto_coins WHERE nameid = 'second-of-dup')", '1', 'the rival is recorded');
sql_becomes($node, 'SELECT ticks_behind FROM crypto_status()', '0', 'all is written');
my $before = $node->safe_psql('postgres', $quotes);
my $snapshots = $node->safe_psql('postgres', $count);

$sim->fault('hang');
$node->restart;
my $began = time();
sql_becomes($node, "SELECT crypto_price('BTC')", '77146.66', 'a price is there after a restart with a feed that hangs');
cmp_ok(time() - $began, '<', 2, 'at once');
sql_is($node, $quotes, $before, 'all quotes are what they were');
sql_is($node, 'SELECT count(*) FILTER (WHERE stale), count(*) FILTER (WHERE NOT stale) FROM crypto_quotes()',
	$node->safe_psql('postgres', 'SELECT count(*), 0 FROM tickers'), 'all of them are stale');
sql_is($node, "SELECT nameid, price FROM crypto_quote('DUP')", 'first-of-dup|11.10', 'symbols have the owners that they had');
sql_is($node, 'SELECT bool_and(t.updated_at = q.fetched_at) FROM tickers t, crypto_quote(t.symbol) q', 't',
	'the ages are those of the tables');
remains(sub { $node->safe_psql('postgres', 'SELECT bool_and(stale) FROM crypto_quotes()') eq 't' }, 'stale until a poll', 1);
sql_is($node, $count, $snapshots, 'no snapshot is written of what came from the tables');

# the feed answers again, with a price that has changed meanwhile
$sim->coin('ethereum', price => '3000.10');
$sim->well;
sql_becomes($node, 'SELECT bool_or(stale) FROM crypto_quotes() WHERE rank > 0', 'f', 'after a poll nothing is stale');
sql_becomes($node, "SELECT price FROM crypto_quote('ETH')", '3000.10', 'with the new price');
sql_becomes($node, 'SELECT sweeps >= 2 AND ticks_behind = 0 FROM crypto_status()', 't', 'swept twice, and written');
my $since = 'SELECT nameid, price FROM crypto_snapshots JOIN crypto_coins USING (coin) WHERE time > pg_postmaster_start_time()';
sql_is($node, "$since AND owns_symbol", 'ethereum|3000.10', 'a snapshot is written of the price that changed, and of no other');
sql_is($node, "$since AND NOT owns_symbol", '', 'also of the coins that are not in tickers, since another one has their symbol');

# a rival's wait is not shortened by the restart
sql_becomes($node, "SELECT nameid FROM crypto_quote('DUP')", 'second-of-dup', 'after three sweeps the rival has the symbol');
sql_becomes($node, "SELECT nameid FROM tickers WHERE symbol = 'DUP'", 'second-of-dup', 'also in tickers');
$node->stop;

done_testing();
