# From version 1.0 to the newest, while the workers run; and pg_upgrade.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 150, refresh => '500ms', moving => 1);
my $conf = <<'CONF';
crypto_rt.tiers = '*:200ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
crypto_rt.snapshot_top = 0
CONF
my $node = server('upgrade', sim => $sim, create => 0, conf => $conf);

# What the extension consists of.
my $objects = <<'SQL';
SELECT string_agg(t.line, E'\n' ORDER BY t.line COLLATE "C") FROM (
	SELECT pg_describe_object(d.classid, d.objid, 0) || ' ' || coalesce(obj_description(d.objid, c.relname), '') || ' '
		|| coalesce((SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, col_description(a.attrelid, a.attnum)), ',' ORDER BY a.attnum)
			FROM pg_attribute a WHERE d.classid = 'pg_class'::regclass AND a.attrelid = d.objid AND a.attnum > 0), '')
		|| coalesce((SELECT p.relacl::text FROM pg_class p WHERE d.classid = 'pg_class'::regclass AND p.oid = d.objid), '') AS line
	FROM pg_depend d JOIN pg_class c ON c.oid = d.classid
	WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'crypto_rt')) t
SQL

#
# ALTER EXTENSION ... UPDATE
#

$node->safe_psql('postgres', "CREATE EXTENSION crypto_rt VERSION '1.0'");
sql_becomes($node, 'SELECT count(*) > 50 FROM tickers', 't', '1.0 under the newer library: tickers are written');
like(wait_for(sub { status($node, 'recorder_problem') }), qr/ALTER EXTENSION crypto_rt UPDATE is needed/, 'and crypto_status() tells what to do');
$node->safe_psql('postgres', <<'SQL');
INSERT INTO crypto_snapshots (time, coin, price) SELECT t, c.coin, 1 + c.coin
FROM crypto_coins c, generate_series(now() - interval '3 days', now() - interval '10 minutes', interval '5 hours') t, generate_series(1, 2);
INSERT INTO tickers (symbol, asset_type) VALUES ('AAPL', 'stock');
SQL
my $rows = $node->safe_psql('postgres', 'SELECT count(DISTINCT (coin, time)) FROM crypto_snapshots');
$node->safe_psql('postgres', 'ALTER EXTENSION crypto_rt UPDATE');
sql_is($node, "SELECT extversion FROM pg_extension WHERE extname = 'crypto_rt'", '1.2', 'updated');
sql_is($node, "SELECT count(*) FROM crypto_snapshots WHERE time < now() - interval '9 minutes'", $rows, 'what was recorded is there, once');
sql_becomes($node, "SELECT count(*) > $rows + 100 FROM crypto_snapshots", 't', 'the recorder carries on, with what the log has held meanwhile');
sql_becomes($node, 'SELECT recorder_problem IS NULL AND ticks_lost = 0 FROM crypto_status()', 't', 'without trouble or loss');
candles_are_right($node);
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION crypto_rt');
# a table that somebody reads is dropped the next time
my $fresh = $node->safe_psql('fresh', $objects);
wait_for(sub { $node->safe_psql('postgres', "SELECT crypto_partitions_keep('0', '0', '0')"); return $node->safe_psql('postgres', $objects) eq $fresh });
is($node->safe_psql('postgres', $objects), $fresh, 'the same objects, columns, comments and rights as a new installation');
fails($node, 'CREATE TABLE crypto_candles (nonsense int)', 'CREATE EXTENSION crypto_rt', qr/relation "crypto_candles" already exists in schema "public"\nHINT:  Rename it/);
fails($node, 'CREATE SCHEMA crypto_rt_api', 'CREATE EXTENSION crypto_rt', qr/schema "crypto_rt_api" already exists\n.*HINT:  Rename it/s);

#
# From 1.1, in a schema of its own
#

$node->safe_psql('postgres', 'CREATE DATABASE second');
$node->safe_psql('second', <<'SQL');
CREATE SCHEMA "The coins";
CREATE EXTENSION crypto_rt SCHEMA "The coins" VERSION '1.1';
SET search_path = "The coins";
REVOKE SELECT ON crypto_candles FROM PUBLIC;
INSERT INTO tickers (symbol, asset_type) VALUES ('AAPL', 'stock');
SQL
is($node->safe_psql('second', 'CREATE SCHEMA crypto_rt_api; CREATE TABLE crypto_rt_api.mine (n int)'), '', 'a schema is in the way');
my ($code, $out, $err) = $node->psql('second', 'ALTER EXTENSION crypto_rt UPDATE');
like($err, qr/schema "crypto_rt_api" already exists/, 'which is told');
$node->safe_psql('second', 'ALTER SCHEMA crypto_rt_api RENAME TO mine; ALTER EXTENSION crypto_rt UPDATE');
is($node->safe_psql('second', 'SELECT symbol FROM crypto_rt_api.tickers'), 'AAPL', 'updated, whatever the search_path');
is($node->safe_psql('second', "SELECT crypto_rt_api.price('BTC') > 0, count(*) FROM crypto_rt_api.quotes('10')"), 't|10', 'and its functions');
is($node->safe_psql('second', "SELECT string_agg(v, ',') FROM unnest('{tickers,coins,quotes,history,candles,movers,market,status,tiers}'::text[]) v WHERE NOT has_table_privilege('public', 'crypto_rt_api.' || v, 'SELECT')"),
	'candles', 'what was taken from PUBLIC is not given back');
$node->safe_psql('second', 'CREATE VIEW crypto_rt_api.mine AS SELECT symbol FROM crypto_rt_api.tickers; GRANT SELECT ON crypto_rt_api.mine TO PUBLIC');
like(($node->psql('second', 'DROP EXTENSION crypto_rt'))[2], qr/view crypto_rt_api\.mine depends on/, 'a view of the owner in crypto_rt_api is not dropped with the extension');
my $dumped = $node->basedir . '/second.sql';
$node->command_ok([ 'pg_dump', '--no-sync', '--file', $dumped, '--dbname', $node->connstr('second') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dumped, '-d', $node->connstr('restored') ], 'restored');
is($node->safe_psql('restored', "SELECT symbol, has_table_privilege('public', 'crypto_rt_api.mine', 'SELECT') FROM crypto_rt_api.mine"), 'AAPL|t', 'it is restored');
$node->safe_psql('restored', 'DROP EXTENSION crypto_rt CASCADE');
is($node->safe_psql('restored', "SELECT count(*) FROM pg_namespace WHERE nspname = 'crypto_rt_api'"), '0', 'the schema goes with the extension');
$node->safe_psql('postgres', "DROP DATABASE $_") for qw(second restored);

sub fails
{
	my ($at, $before, $sql, $message) = @_;
	$at->safe_psql('postgres', 'CREATE DATABASE taken');
	$at->safe_psql('taken', $before);
	my ($code, $out, $err) = $at->psql('taken', $sql);
	$at->safe_psql('postgres', 'DROP DATABASE taken');
	return like($err, $message, "$sql after $before");
}

#
# pg_upgrade
#

my $counts = 'SELECT (SELECT count(*) FROM tickers), (SELECT count(*) FROM crypto_coins), (SELECT count(*) FROM crypto_snapshots), (SELECT count(*) FROM crypto_candles)';
$node->safe_psql('postgres', 'SELECT crypto_pause()');
sql_becomes($node, "SELECT state = 'paused' AND ticks_behind = 0 FROM crypto_status()", 't', 'paused');
my $before = $node->safe_psql('postgres', $counts);
$node->stop;
my $new = PostgreSQL::Test::Cluster->new('upgraded');
$new->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$new->append_conf('postgresql.conf', "shared_preload_libraries = 'crypto_rt'\ncrypto_rt.source_url = 'http://127.0.0.1:1/api'\ncrypto_rt.redis_url = ''\n");
chdir $new->basedir;
my $bindir = $node->config_data('--bindir');
$new->command_ok([ 'pg_upgrade', '--no-sync', '-b', $bindir, '-B', $bindir, '-d', $node->data_dir, '-D', $new->data_dir, '-s', $new->host, '-p', $node->port, '-P', $new->port ], 'pg_upgrade');
$new->start;
is($new->safe_psql('postgres', $counts), $before, 'every row is there');
is($new->safe_psql('postgres', "SELECT count(*) > 0 FROM crypto_candles('BTC', '1 hour', '-infinity')"), 't', 'and can be read');
$new->append_conf('postgresql.conf', sprintf "crypto_rt.source_url = '%s'\n%s", $sim->url, $conf);
$new->restart;
my ($snapshots) = $before =~ /^\d+\|\d+\|(\d+)/;
sql_becomes($new, "SELECT count(*) > $snapshots FROM crypto_snapshots", 't', 'the workers carry on');
$new->stop;

done_testing();
