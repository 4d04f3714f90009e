# crypto_sync: into tickers and into tables of the user's own, by hand and by pg_cron.
use strict;
use warnings;
use Test::More;
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 400);
my $node = server('sync', sim => $sim, conf => <<'CONF');
shared_preload_libraries = 'crypto_rt, pg_cron'
cron.use_background_workers = on
max_worker_processes = 20
crypto_rt.tiers = '*:200ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
crypto_rt.ticker_top = 50
crypto_rt.snapshot_top = 50
CONF

sub value { return $node->safe_psql('postgres', $_[0]) }

# A statement's result, and what it told beside.
sub told
{
	my ($sql, $result, $message, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($code, $out, $err) = $node->psql('postgres', $sql);
	is($out, $result, "$name: result") if defined $result;
	return like($err, $message, $name);
}

sql_becomes($node, 'SELECT sweeps > 1 AND active_coins > 200 FROM crypto_status()', 't', 'all coins are polled');
my $owners = 'SELECT count(*) FROM crypto_quotes(%s) q, crypto_quote(q.symbol) o WHERE o.nameid = q.nameid';

# every minute; looked at in the end
value('CREATE EXTENSION pg_cron');
value('CREATE TABLE synced (symbol text UNIQUE, price numeric)');
value("SELECT cron.schedule('crypto-sync', '* * * * *', \$\$SELECT crypto_sync(1000, target => 'synced')\$\$)");

#
# tickers
#

value('SELECT crypto_pause()');
sql_becomes($node, "SELECT ticks_behind = 0 AND tickers_written >= 50 FROM crypto_status()", 't', 'paused');
my $all = value(sprintf $owners, 'NULL');
my $best = value(sprintf $owners, '200');
is(value('SELECT crypto_sync(200)'), $best, 'crypto_sync(200) returns its number of rows');
is(value("SELECT count(*) FROM tickers WHERE asset_type = 'crypto'") >= $best, 1, 'they are in tickers');
is(value('SELECT crypto_sync(0, history => false)'), $all, 'crypto_sync(0): all of them');
sql_is($node, <<'SQL', '0', 'with the values of their quotes');
SELECT count(*) FROM crypto_quotes() q JOIN tickers t USING (nameid)
WHERE (t.symbol, t.name, t.price::text, t.rank, t.volume_24h, t.market_cap, t.change_24h, t.active, t.source, 'tier' || t.tier, t.updated_at, t.source_time)
	IS DISTINCT FROM (q.symbol, q.name, q.price::text, q.rank, q.volume_24h, q.market_cap, q.change_24h, q.active, q.source, q.tier, q.fetched_at, q.source_time)
SQL
is(value('SELECT count(DISTINCT coin) > 150 FROM crypto_snapshots'), 't', 'with a snapshot of those that the recorder takes none of');
my $snapshots = value('SELECT count(*) FROM crypto_snapshots');
value('SELECT crypto_sync(200)');
is(value('SELECT count(*) FROM crypto_snapshots'), $snapshots, 'and none of a price that has not changed');
is(value("SELECT count(*) FROM crypto_candles WHERE resolution = '1m'") >= value('SELECT count(DISTINCT coin) FROM crypto_snapshots'), 1, 'candles have them');
told('SELECT crypto_sync(-1)', undef, qr/top is -1; it must be 1 or more, or 0 for all coins/, 'a negative top');
told('SELECT crypto_sync(NULL)', undef, qr/top is NULL/, 'NULL');

#
# A table of the user's own
#

value(<<'SQL');
CREATE TYPE kind AS ENUM ('crypto', 'stock');
CREATE TABLE assets (id bigserial PRIMARY KEY, symbol varchar(10) UNIQUE NOT NULL, name varchar(255), asset_type kind NOT NULL, exchange varchar(50), sector text, industry text,
	country text, currency varchar(10), market_cap bigint, description text, base_currency_symbol text, base_currency_name text, currency_symbol text,
	locale text, market text, weighted_shares_outstanding bigint, active boolean, price double precision, volume numeric(30,2), note text DEFAULT 'untouched',
	updated_at timestamp DEFAULT now());
INSERT INTO assets (symbol, name, asset_type, price) VALUES ('ETH', 'Ethan Allen Interiors', 'stock', 29.1);
SQL
$sim->coin('bitcoin', symbol => 'ABCDEFGHIJKLM', rank => 1);
value('SELECT crypto_resume()');
sql_becomes($node, "SELECT symbol FROM crypto_quote('id:bitcoin')", 'ABCDEFGHIJKLM', 'a symbol that is too long for it');
my $fit = value(sprintf("$owners AND length(q.symbol) <= 10 AND q.symbol <> 'ETH'", '100'));
told("SELECT crypto_sync(100, target => 'assets')", $fit, qr/NOTICE:  1 of \d+ coins do not fit into table "public.assets" and were left out\nDETAIL:  The first of them, ABCDEFGHIJKLM: value too long/, 'the others are there');
is(value("SELECT count(*) FROM assets WHERE asset_type = 'crypto'"), $fit, 'as many as it said');
is(value("SELECT concat_ws('|', name, asset_type, exchange, sector, industry, country, currency, description, base_currency_symbol, base_currency_name, currency_symbol, locale, market, active, note) FROM assets WHERE symbol = 'DOGE'"),
	'Dogecoin|crypto|CRYPTO|Cryptocurrency|Cryptocurrency|Global|USD|Dogecoin (DOGE), cryptocurrency|DOGE|Dogecoin|USD|global|crypto|t|untouched', 'columns that it knows are filled');
is(value("SELECT a.price = q.price::float8 AND a.market_cap = round(q.market_cap) AND a.weighted_shares_outstanding = round(q.circulating_supply) AND a.volume = round(q.volume_24h, 2) FROM assets a JOIN crypto_quote('DOGE') q USING (symbol)"), 't', 'in the columns\' types');
is(value("SELECT name, asset_type, price FROM assets WHERE symbol = 'ETH'"), 'Ethan Allen Interiors|stock|29.1', 'a row of another asset_type is not touched');
value("UPDATE assets SET note = 'mine', price = 1 WHERE symbol = 'DOGE'");
told("SELECT crypto_sync(100, target => 'assets')", $fit, qr/NOTICE/, 'once more');
is(value("SELECT note, price > 1 OR price < 1 FROM assets WHERE symbol = 'DOGE'"), 'mine|t', 'what it does not know stays');
value('CREATE TABLE narrow (symbol text PRIMARY KEY)');
is(value("SELECT crypto_sync(10, target => 'narrow') > 5"), 't', 'a table of symbols only');
value('CREATE TABLE stubborn (symbol text PRIMARY KEY, must text NOT NULL)');
told("SELECT crypto_sync(100, target => 'stubborn')", '0', qr/NOTICE:  (\d+) of \1 coins do not fit into table "public.stubborn" and were left out\nDETAIL:  .*null value in column "must"/, 'a table that takes none');
value('CREATE TABLE loose (symbol text, price numeric)');
told("SELECT crypto_sync(target => 'loose')", undef, qr/table "public.loose" has no unique column "symbol"\nHINT:  ALTER TABLE public.loose ADD UNIQUE \(symbol\);/, 'no unique symbol');
value('CREATE TABLE partial (symbol text, price numeric); CREATE UNIQUE INDEX ON partial (symbol) WHERE price > 0');
told("SELECT crypto_sync(target => 'partial')", undef, qr/has no unique column "symbol"/, 'nor by an index over a part');
value('CREATE VIEW seen AS SELECT * FROM assets');
told("SELECT crypto_sync(target => 'seen')", undef, qr/has no unique column "symbol"/, 'nor a view');

# with the caller's rights
value('CREATE ROLE reader; CREATE SCHEMA own AUTHORIZATION reader; SET ROLE reader; CREATE TABLE own."My Assets" (symbol text UNIQUE, price numeric, "rank" int)');
is(value("SET ROLE reader; SELECT crypto_sync(100, target => 'own.\"My Assets\"') > 50"), 't', 'anybody, into a table of his');
is(value("SELECT count(*) = count(price) AND count(*) = count(rank) FROM own.\"My Assets\""), 't', 'is filled');
told('SET ROLE reader; SELECT crypto_sync(10)', undef, qr/permission denied for table tickers/, 'but not into tickers');

#
# pg_cron
#

sql_becomes($node, "SELECT status FROM cron.job_run_details WHERE status IN ('succeeded', 'failed') ORDER BY runid DESC LIMIT 1", 'succeeded', 'pg_cron runs it', 90);
is(value('SELECT count(*) > 100 FROM synced'), 't', 'and its rows are there');

$node->stop;
done_testing();
