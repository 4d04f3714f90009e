# Whose tables they are and where: owners that are no superusers, other schemas.
use strict;
use warnings;
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

sub status_in
{
	my ($schema, $columns) = @_;
	return $node->safe_psql('postgres', "SELECT $columns FROM $schema.crypto_status()");
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
sql_is($node, 'SELECT count(*) > 100 FROM "My Schema".crypto_candles(\'DOGE\', \'1 day\', now()), "My Schema".crypto_coins', 't', 'candles, too');
# its functions know it by the name that it had, as those of any extension that is not relocatable
$node->safe_psql('postgres', 'ALTER SCHEMA "My Schema" RENAME TO prices');
moves('prices', 'the schema is renamed: tickers go on');
eventually(sub { status_in('prices', 'recorder_problem') =~ /schema "My Schema" does not exist/ }, 'crypto_status() tells what history lacks');
$node->safe_psql('postgres', 'ALTER SCHEMA prices RENAME TO "My Schema"');
eventually(sub { status_in('"My Schema"', 'recorder_problem IS NULL AND ticks_behind = 0 AND ticks_lost = 0') eq 't' }, 'renamed back: nothing is lost');
$node->safe_psql('postgres', 'DROP EXTENSION crypto_rt; DROP TABLE public.tickers, public.crypto_coins; DROP SCHEMA "My Schema"');

#
# Owned by a role that is no superuser, who must not become one by it
#

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION crypto_rt;
CREATE ROLE keeper LOGIN;
GRANT CREATE ON SCHEMA public TO keeper;
ALTER TABLE tickers OWNER TO keeper;
ALTER TABLE crypto_snapshots OWNER TO keeper;
ALTER TABLE crypto_candles OWNER TO keeper;
SELECT crypto_partitions_keep(NULL, NULL, NULL);
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
sql_becomes($node, "SELECT count(*) > 0 FROM seen WHERE tried LIKE 'crypto_snapshots_p%: %'", 't', 'and on crypto_snapshots');
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

$node->stop;

done_testing();
