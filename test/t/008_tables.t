# The tables: what is in them, and that nothing is written that did not change.
use strict;
use warnings;
use Test::More;
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 300, refresh => '1s');
my $node = server('tables', sim => $sim, conf => <<'CONF');
crypto_rt.tiers = '100:300ms,*:400ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
crypto_rt.ticker_top = 120
crypto_rt.snapshot_top = 50
CONF

# A ticker for each symbol whose coin is among the best N, with the values of the quote; and no other.
sub tickers_become
{
	my ($top, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return sql_becomes($node, <<"SQL", '0', $name);
WITH quotes AS (
	SELECT q.* FROM crypto_quotes() q, crypto_quote(q.symbol) o WHERE o.nameid = q.nameid AND ($top = 0 OR q.rank <= $top))
SELECT count(*) FROM quotes q FULL JOIN (SELECT * FROM tickers WHERE asset_type = 'crypto') t ON t.symbol = q.symbol
WHERE (t.symbol, t.name, t.price::text, t.price_btc::text, t.rank, t.change_1h, t.change_24h, t.change_7d, t.volume_24h::text, t.market_cap::text,
	t.circulating_supply, t.total_supply, t.max_supply, 'tier' || t.tier, t.active, t.nameid, t.coinlore_id, t.source)
	IS DISTINCT FROM (q.symbol, q.name, q.price::text, q.price_btc::text, q.rank, q.change_1h, q.change_24h, q.change_7d, q.volume_24h::text,
	q.market_cap::text, q.circulating_supply, q.total_supply, q.max_supply, q.tier, q.active, q.nameid, q.coinlore_id, q.source)
SQL
}

# Two more sweeps, and all of it written.
sub settle
{
	my $sweeps = status($node, 'sweeps') + 2;
	wait_for(sub { status($node, "sweeps >= $sweeps AND ticks_behind = 0") eq 't' });
	my $flushed = status($node, 'last_flush');
	wait_for(sub { status($node, "last_flush > '$flushed'") eq 't' });
	return;
}

# Rows that were written so far: inserted, updated, deleted.
sub writes
{
	my ($table) = @_;
	return $node->safe_psql('postgres', "SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE relname = '$table'");
}

sub history
{
	my ($nameid) = @_;
	return join ' ', split /\n/, $node->safe_psql('postgres',
		"SELECT price FROM crypto_snapshots JOIN crypto_coins USING (coin) WHERE nameid = '$nameid' ORDER BY time");
}

# Give a coin one price after another, each of which is polled.
sub prices
{
	my ($nameid, $rank, @prices) = @_;
	for my $price (@prices)
	{
		$sim->coin($nameid, price => $price, rank => $rank);
		wait_for(sub { $node->safe_psql('postgres', "SELECT crypto_price('id:$nameid')") eq $price }) or die "$nameid did not get to $price";
	}
	return;
}

#
# tickers
#

sql_becomes($node, 'SELECT count(*) FROM crypto_quotes()', '300', 'all coins are polled');
tickers_become(120, 'tickers has the best 120, with the values of their quotes');
for my $top (10, 0, 10, 300)
{
	set($node, 'crypto_rt.ticker_top' => $top);
	tickers_become($top, "ticker_top = $top by reload");
}
set($node, 'crypto_rt.ticker_top' => 0);

settle();
my %at_rest = map { $_ => writes($_) } qw(tickers crypto_coins crypto_snapshots);
my $sweeps = status($node, 'sweeps') + 3;
wait_for(sub { status($node, "sweeps >= $sweeps") eq 't' });
is(writes($_), $at_rest{$_}, "$_: nothing is written while the market stands still") for sort keys %at_rest;

$sim->coin('dogecoin', price => '0.1403', rank => 10);
sql_becomes($node, "SELECT price FROM tickers WHERE symbol = 'DOGE'", '0.1403', 'a price moves');
settle();
my ($inserted, $updated, $deleted) = split /\|/, $at_rest{tickers};
is(writes('tickers'), join('|', $inserted, $updated + 1, $deleted), 'one row is updated');
is(writes('crypto_coins'), $at_rest{crypto_coins}, 'and none of crypto_coins');
sql_is($node, "SELECT t.updated_at <= q.fetched_at FROM tickers t, crypto_quote('DOGE') q WHERE t.symbol = 'DOGE'", 't', 'it tells when');

$node->safe_psql('postgres', "DELETE FROM tickers WHERE symbol IN ('BTC', 'ETH')");
tickers_become(0, 'rows that somebody deletes come back');
$node->safe_psql('postgres', 'TRUNCATE tickers');
tickers_become(0, 'also when all are gone');

# HOT, while the whole market moves
my $count = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'tickers'";
settle();
my ($all, $hot) = split /\|/, $node->safe_psql('postgres', "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'tickers'");
for my $step (1 .. 12)
{
	my $before = $node->safe_psql('postgres', $count);
	$sim->post('/sim/step');
	wait_for(sub { $node->safe_psql('postgres', $count) > $before + 200 });
}
my ($all_now, $hot_now) = split /\|/, $node->safe_psql('postgres', "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'tickers'");
cmp_ok($all_now - $all, '>', 2400, 'thousands of updates');
cmp_ok(($hot_now - $hot) / ($all_now - $all), '>=', 0.95, 'nearly all of them HOT');
tickers_become(0, 'and right at the end');

#
# crypto_snapshots
#

prices('ripple', 4, '2.0600');
settle();
my $history = history('ripple');
prices('ripple', 4, '2.0700', '2.0650', '2.07', '0.00000001230', '2.0600');
settle();
is(history('ripple'), "$history 2.0700 2.0650 2.07 0.00000001230 2.0600", 'a snapshot for each price, in order, with its digits');
sql_is($node, <<'SQL', 't', 'its time is that of the poll');
SELECT abs(extract(epoch FROM s.time - t.updated_at)) < 1 FROM crypto_snapshots s JOIN crypto_coins c USING (coin) JOIN tickers t USING (nameid)
WHERE nameid = 'ripple' ORDER BY s.time DESC LIMIT 1
SQL
sql_is($node, 'SELECT bool_and(simulated) FROM crypto_snapshots', 't', 'simulated prices are marked');

$history = history('ripple');
$sim->coin('ripple', price => '2.0600', volume24 => '12345.67', rank => 4);
sql_becomes($node, "SELECT volume_24h FROM tickers WHERE symbol = 'XRP'", '12345.67', 'another volume');
settle();
is(history('ripple'), $history, 'is no other price');

my $beyond = $node->safe_psql('postgres', 'SELECT nameid FROM crypto_quotes() WHERE rank = 200');
is(history($beyond), '', 'no snapshot of a coin beyond snapshot_top');
set($node, 'crypto_rt.snapshot_top' => 0);
settle();
prices($beyond, 200, '1.01', '1.02');
settle();
is(history($beyond), '1.01 1.02', 'snapshot_top = 0 by reload: of all');
sql_is($node, 'SELECT count(*) FROM (SELECT FROM crypto_snapshots GROUP BY coin, time HAVING count(*) > 1) AS twice', '0', 'none is there twice');
sql_is($node, <<'SQL', '0', 'none tells the price of the one before it');
SELECT count(*) FROM (SELECT price::text, lag(price::text) OVER (PARTITION BY coin ORDER BY time) AS before FROM crypto_snapshots) AS s WHERE price = before
SQL

#
# crypto_coins
#

sql_is($node, <<'SQL', '0', 'a row for each coin');
SELECT count(*) FROM crypto_quotes() q FULL JOIN crypto_coins c USING (nameid)
WHERE (c.symbol, c.name, c.coinlore_id, c.active) IS DISTINCT FROM (q.symbol, q.name, q.coinlore_id, q.active)
SQL
my $owners = 'SELECT count(*) FROM (SELECT FROM crypto_coins GROUP BY symbol HAVING count(*) FILTER (WHERE owns_symbol) <> 1) AS wrong';
sql_is($node, $owners, '0', 'each symbol has one owner');

my $coin = $node->safe_psql('postgres', "SELECT coin FROM crypto_coins WHERE nameid = 'chainlink'");
$sim->coin('taker-of-link', symbol => 'LINK', rank => 5, price => '5.55', volume24 => '1');
sql_becomes($node, "SELECT string_agg(nameid || ' ' || owns_symbol, ' ' ORDER BY nameid) FROM crypto_coins WHERE nameid IN ('chainlink', 'taker-of-link')",
	'chainlink false taker-of-link true', 'a symbol is taken over');
sql_becomes($node, "SELECT nameid, price FROM tickers WHERE symbol = 'LINK'", 'taker-of-link|5.55', 'its ticker is the new owner\'s');
sql_is($node, $owners, '0', 'each symbol has one owner still');
sql_is($node, "SELECT coin FROM crypto_coins WHERE nameid = 'chainlink'", $coin, 'a coin keeps its number');
$sim->coin('taker-of-link', present => 0);
sql_becomes($node, "SELECT active FROM crypto_coins WHERE nameid = 'taker-of-link'", 'f', 'a coin that is listed no more is not active');
sql_becomes($node, "SELECT nameid FROM tickers WHERE symbol = 'LINK'", 'chainlink', 'and its symbol goes back');

#
# Rows of the user's own
#

$node->safe_psql('postgres', <<'SQL');
BEGIN;
DELETE FROM tickers WHERE symbol = 'DOGE';
INSERT INTO tickers (symbol, asset_type, price) VALUES ('DOGE', 'stock', 1.5), ('AAPL', 'stock', 250);
CREATE TABLE own AS SELECT symbol, xmin::text AS version, tickers::text AS content FROM tickers WHERE asset_type = 'stock';
COMMIT
SQL
prices('dogecoin', 10, '0.1501', '0.1502');
set($node, 'crypto_rt.ticker_top' => 5);
sql_becomes($node, "SELECT count(*) <= 5 FROM tickers WHERE asset_type = 'crypto'", 't', 'ticker_top = 5');
set($node, 'crypto_rt.ticker_top' => 0);
sql_becomes($node, "SELECT count(*) > 200 FROM tickers WHERE asset_type = 'crypto'", 't', 'ticker_top = 0');
$sim->post('/sim/step');
settle();
sql_is($node, 'SELECT count(*) FROM own o JOIN tickers t USING (symbol) WHERE (t.xmin::text, t::text) = (o.version, o.content)', '2',
	'the user\'s own rows are untouched, even one with a coin\'s symbol');
is((split / /, history('dogecoin'))[-1], '0.1502', 'its coin has snapshots all the same');
$node->safe_psql('postgres', "DELETE FROM tickers WHERE symbol = 'DOGE'");
sql_becomes($node, "SELECT price FROM tickers WHERE symbol = 'DOGE'", '0.1502', 'once it is gone, the coin takes its place');

is_deeply([ grep { !/LOG:  parameter |the symbol \S+ passes from/ } log_lines($node, qr/(?:PANIC|FATAL|ERROR|WARNING): |crypto_rt/) ], [], 'the log is quiet');
sql_is($node, 'SELECT recorder_problem, flush_failures, ticks_lost FROM crypto_status()', '|0|0', 'no failures');
$node->stop;

done_testing();
