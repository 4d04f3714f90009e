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
sql_is($node, "SELECT extversion FROM pg_extension WHERE extname = 'crypto_rt'", '1.1', 'updated');
sql_is($node, "SELECT count(*) FROM crypto_snapshots WHERE time < now() - interval '9 minutes'", $rows, 'what was recorded is there, once');
sql_becomes($node, "SELECT count(*) > $rows + 100 FROM crypto_snapshots", 't', 'the recorder carries on, with what the log has held meanwhile');
sql_becomes($node, 'SELECT recorder_problem IS NULL AND ticks_lost = 0 FROM crypto_status()', 't', 'without trouble or loss');
candles_are_right($node);
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION crypto_rt');
$node->safe_psql('postgres', "SELECT crypto_partitions_keep('0', '0', '0')");
is($node->safe_psql('postgres', $objects), $node->safe_psql('fresh', $objects), 'the same objects, columns, comments and rights as a new installation');
fails($node, 'CREATE TABLE crypto_candles (nonsense int)', 'CREATE EXTENSION crypto_rt', qr/relation "crypto_candles" already exists in schema "public"\nHINT:  Rename it/);

sub fails
{
	my ($at, $before, $sql, $message) = @_;
	$at->safe_psql('postgres', 'CREATE DATABASE taken');
	$at->safe_psql('taken', $before);
	my ($code, $out, $err) = $at->psql('taken', $sql);
	return like($err, $message, "$sql after $before");
}

#
# pg_upgrade
#

my $counts = 'SELECT (SELECT count(*) FROM tickers), (SELECT count(*) FROM crypto_coins), (SELECT count(*) FROM crypto_snapshots), (SELECT count(*) FROM crypto_candles)';
$node->safe_psql('postgres', 'SELECT crypto_pause()');
sql_becomes($node, "SELECT state = 'paused' AND ticks_behind = 0 FROM crypto_status()", 't', 'paused');
my $before = $node->safe_psql('postgres', $counts);
$node->safe_psql('postgres', 'DROP DATABASE taken');
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
