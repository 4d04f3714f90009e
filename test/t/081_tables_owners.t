# Whose tables they are and where: owners that are no superusers, other schemas, dumps.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 150);
my $node = server('owners', sim => $sim, create => 0, conf => <<'CONF');
crypto_rt.tiers = '*:200ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
CONF

sub filled
{
	my ($schema, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	sql_becomes($node, "SELECT (SELECT count(*) FROM $schema.tickers) > 100 AND (SELECT count(*) FROM $schema.crypto_coins) = 150", 't', $name);
	return sql_becomes($node, "SELECT count(DISTINCT coin) FROM $schema.crypto_snapshots", '150', "$name: each coin has its first snapshot", 5);
}

# A new price arrives in tickers.
my $cents = 10;
sub moves
{
	my ($schema, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $price = sprintf '0.1%d', $cents++;
	$sim->coin('dogecoin', price => $price, rank => 10);
	return sql_becomes($node, "SELECT price FROM $schema.tickers WHERE symbol = 'DOGE'", $price, $name);
}

#
# In a schema of its own, beside tables of the same names
#

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE public.tickers (symbol text PRIMARY KEY, price numeric);
CREATE TABLE public.crypto_coins (nonsense int);
CREATE SCHEMA "My Schema";
CREATE EXTENSION crypto_rt SCHEMA "My Schema";
SQL
filled('"My Schema"', 'in a schema with an unusual name');
moves('"My Schema"', 'prices move there');
sql_is($node, 'SELECT "My Schema".crypto_price(\'DOGE\') = price FROM "My Schema".tickers WHERE symbol = \'DOGE\'', 't', 'functions are there');
sql_is($node, 'SELECT (SELECT count(*) FROM public.tickers), (SELECT count(*) FROM public.crypto_coins)', '0|0', 'tables of the same names stay as they are');
$node->safe_psql('postgres', 'ALTER SCHEMA "My Schema" RENAME TO prices');
moves('prices', 'the schema is renamed');
$node->safe_psql('postgres', 'DROP EXTENSION crypto_rt; DROP TABLE public.tickers, public.crypto_coins; DROP SCHEMA prices');

#
# Owned by a role that is no superuser, who must not become one by it
#

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION crypto_rt;
CREATE ROLE keeper LOGIN;
GRANT CREATE ON SCHEMA public TO keeper;
ALTER TABLE tickers OWNER TO keeper;
ALTER TABLE crypto_snapshots OWNER TO keeper;
ALTER TABLE crypto_coins OWNER TO keeper;
SET ROLE keeper;
CREATE TABLE seen (who name, super text, tried text, error text);
GRANT INSERT ON seen TO PUBLIC;
-- notes who runs it, and tries to become somebody else
CREATE FUNCTION spy(what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	statement text;
BEGIN
	FOREACH statement IN ARRAY ARRAY['SELECT 1', 'RESET ROLE', 'SET ROLE postgres', 'RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION postgres'] LOOP
		BEGIN
			EXECUTE statement;
			INSERT INTO public.seen VALUES (current_user, current_setting('is_superuser'), what || ': ' || statement, NULL);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO public.seen VALUES (current_user, current_setting('is_superuser'), what || ': ' || statement, sqlerrm);
		END;
	END LOOP;
END $$;
CREATE FUNCTION spy_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.spy(tg_table_name); RETURN new; END $$;
CREATE TRIGGER spy BEFORE INSERT OR UPDATE ON tickers FOR EACH ROW EXECUTE FUNCTION spy_row();
CREATE TRIGGER spy BEFORE INSERT OR UPDATE ON crypto_snapshots FOR EACH ROW EXECUTE FUNCTION spy_row();
CREATE CONSTRAINT TRIGGER spy_later AFTER INSERT OR UPDATE ON tickers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spy_row();
SQL
filled('public', 'tables of another owner are written');
moves('public', 'and kept up to date');
sql_becomes($node, "SELECT count(*) > 0 FROM seen WHERE tried LIKE 'tickers: %'", 't', 'triggers on tickers run');
sql_becomes($node, "SELECT count(*) > 0 FROM seen WHERE tried LIKE 'crypto_snapshots: %'", 't', 'and on crypto_snapshots');
sql_is($node, 'SELECT string_agg(DISTINCT who, \' \') FROM seen', 'keeper', 'as the owner of the table');
sql_is($node, "SELECT count(*) FROM seen WHERE error IS NULL AND tried NOT LIKE '%SELECT 1'", '0', 'who cannot become another');

# something else by the table's name, which the poller reads at its start
$node->safe_psql('postgres', <<'SQL');
SET ROLE keeper;
TRUNCATE seen;
DROP TRIGGER spy ON tickers;
DROP TRIGGER spy_later ON tickers;
DROP TRIGGER spy ON crypto_snapshots;
ALTER TABLE tickers RENAME TO real_tickers;
CREATE FUNCTION spy_text(value text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.spy('view'); RETURN value; END $$;
CREATE VIEW tickers AS SELECT *, spy_text(symbol) AS spied FROM (SELECT spy_text(symbol) AS symbol, name, asset_type, price, price_btc, rank,
	change_1h, change_24h, change_7d, volume_24h, market_cap, circulating_supply, total_supply, max_supply, tier, active, nameid, coinlore_id,
	source, source_time, updated_at FROM real_tickers LIMIT 3) AS few;
SQL
$node->restart;
sql_becomes($node, "SELECT sweeps > 2 FROM crypto_status()", 't', 'a view instead of the table: polling goes on');
sql_is($node, "SELECT count(*) FROM seen WHERE who <> 'keeper'", '0', 'functions in it do not run as superuser');
$node->safe_psql('postgres', 'DROP VIEW tickers; ALTER TABLE real_tickers RENAME TO tickers');
moves('public', 'the table is back');

#
# Dumped and restored
#

my $counts = 'SELECT (SELECT count(*) FROM tickers), (SELECT count(*) FROM crypto_coins), (SELECT count(*) FROM crypto_snapshots)';
my $content = "SELECT md5(string_agg(t::text, ' ' ORDER BY t::text COLLATE \"C\")) FROM";
$node->safe_psql('postgres', "INSERT INTO tickers (symbol, asset_type, price) VALUES ('AAPL', 'stock', 250.10)");
$node->safe_psql('postgres', 'SELECT crypto_pause()');
sql_becomes($node, "SELECT state = 'paused' AND ticks_behind = 0 FROM crypto_status()", 't', 'paused');
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '--no-sync', '--file', $dump, '--dbname', $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE template0');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('copy'), '-f', $dump ], 'restored into a fresh database');
is($node->safe_psql('copy', $counts), $node->safe_psql('postgres', $counts), 'all rows are there');
is($node->safe_psql('copy', "$content $_ AS t"), $node->safe_psql('postgres', "$content $_ AS t"), "$_ is the same")
	for qw(tickers crypto_coins crypto_snapshots);
is($node->safe_psql('copy', "SELECT price FROM tickers WHERE symbol = 'AAPL'"), '250.10', 'the user\'s own rows, too');
is($node->safe_psql('copy', "SELECT nextval('crypto_coins_coin_seq') > max(coin) FROM crypto_coins"), 't', 'new coins get new numbers');

# into the database that is written, whose recorder finds the extension as soon as it is there
$node->append_conf('postgresql.conf', "crypto_rt.database = 'live'\n");
$node->restart;
$node->safe_psql('postgres', 'CREATE DATABASE live TEMPLATE template0');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '--single-transaction', '-d', $node->connstr('live'), '-f', $dump ],
	'restored into crypto_rt.database, in one transaction');
$sim->coin('dogecoin', price => '0.1999', rank => 10);
eventually(sub { $node->safe_psql('live', "SELECT price FROM tickers WHERE symbol = 'DOGE'") eq '0.1999' }, 'where prices go on');
is($node->safe_psql('live', "SELECT count(*), count(DISTINCT nameid) FROM crypto_coins"), '150|150', 'with the coins that were there');
$node->stop;

done_testing();
