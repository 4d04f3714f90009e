# What pg_dump takes along, and that a restore brings it back, also where a recorder is at work.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 150, refresh => '500ms', moving => 1);
my $node = server('dump', sim => $sim, conf => <<'CONF');
crypto_rt.tiers = '*:200ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
crypto_rt.ticker_top = 100
crypto_rt.snapshot_top = 0
crypto_rt.snapshot_retention = 0
crypto_rt.candle_retention = ''
CONF

my %content = (
	coins => 'SELECT nameid, coinlore_id, symbol, name, owns_symbol, active, first_seen, updated_at FROM crypto_coins',
	tickers => 'SELECT * FROM tickers',
	snapshots => 'SELECT nameid, time, simulated, price, s.volume_24h FROM crypto_snapshots s JOIN crypto_coins USING (coin)',
	candles => 'SELECT nameid, resolution, time, first_at, last_at, ticks, simulated, open, high, low, close, volume_24h FROM crypto_candles JOIN crypto_coins USING (coin)',
);
my $source = 'postgres';

sub md5 { my ($database, $query) = @_; return $node->safe_psql($database, "SELECT count(*) || ' ' || md5(string_agg(t::text, ' ' ORDER BY t::text COLLATE \"C\")) FROM ($query) t") }

# A test that passes when the database has every row of the source, and the user's own.
sub has_all
{
	my ($database, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(md5($database, $content{$_}), md5($source, $content{$_}), "$name: $_") for sort keys %content;
	return is($node->safe_psql($database, "SELECT price, asset_type FROM tickers WHERE symbol = 'AAPL'"), '250.10|stock', "$name: the user's own rows");
}

sub dump_to
{
	my (@arguments) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $node->command_ok([ 'pg_dump', '--no-sync', @arguments, '--dbname', $node->connstr($source) ], "pg_dump @arguments[0 .. 1]");
}

# Restore into a database that is made for it.
sub restored
{
	my ($database, @command) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->safe_psql('template1', "CREATE DATABASE $database TEMPLATE template0");
	return $node->command_ok([ @command, '-d', $node->connstr($database) ], "restored into $database");
}

sql_becomes($node, 'SELECT count(*) > 2000 FROM crypto_snapshots', 't', 'prices are recorded');
# days and months ago, too, whose tables no new installation would have
$node->safe_psql('postgres', <<'SQL');
SELECT crypto_partition_make(k, t) FROM unnest('{crypto_snapshots,crypto_candles_1m,crypto_candles_1h}'::regclass[]) k,
	unnest(ARRAY[now() - interval '3 days', now() - interval '50 days', '2024-02-29 12:00+00']) t;
SELECT crypto_record(array_agg(t), array_agg(coin), array_agg(false), array_agg(100 + coin), array_agg(NULL::numeric), false)
FROM crypto_coins, unnest(ARRAY[now() - interval '3 days', now() - interval '50 days', '2024-02-29 12:00+00']) t;
INSERT INTO tickers (symbol, asset_type, price) VALUES ('AAPL', 'stock', 250.10);
SQL
$node->safe_psql('postgres', 'SELECT crypto_pause()');
sql_becomes($node, "SELECT state = 'paused' AND ticks_behind = 0 FROM crypto_status()", 't', 'paused');
my $flushed = status($node, 'tickers_written');
wait_for(sub { my $before = $flushed; $flushed = status($node, 'tickers_written'); return $before eq $flushed });

my $plain = $node->basedir . '/plain.sql';
my $custom = $node->basedir . '/custom';
my $folder = $node->basedir . '/folder';
dump_to('--file', $plain);
dump_to('--file', $custom, '--format=custom');
dump_to('--file', $folder, '--format=directory');
unlike(slurp_file($plain), qr/CREATE TABLE/, 'the dump makes no table: that is the extension\'s');

restored('from_plain', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $plain);
has_all('from_plain', 'plain');
restored('from_custom', 'pg_restore', '--exit-on-error', $custom);
has_all('from_custom', 'custom');
restored('in_parallel', 'pg_restore', '--exit-on-error', '--jobs=4', $folder);
has_all('in_parallel', 'directory, four at a time');
is($node->safe_psql('in_parallel', 'SELECT count(*) FROM crypto_dump_coins, crypto_dump_tickers, crypto_dump_snapshots, crypto_dump_candles'), '0', 'the doors are empty');
$source = 'from_custom';
dump_to('--file', $node->basedir . '/second', '--format=custom');
$source = 'postgres';
restored('second', 'pg_restore', '--exit-on-error', $node->basedir . '/second');
has_all('second', 'a dump of what was restored');
is($node->safe_psql('second', "SELECT count(*) FROM (SELECT coin FROM crypto_snapshots EXCEPT SELECT coin FROM crypto_coins) AS lost"), '0', 'each snapshot is of a coin');

# where a recorder finds the extension as soon as it is there, and moves on meanwhile
$node->append_conf('postgresql.conf', "crypto_rt.database = 'live'\n");
$node->restart;
for my $case ([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $plain ], [ 'pg_restore', '--exit-on-error', $custom ], [ 'pg_restore', '--exit-on-error', '--jobs=4', $folder ])
{
	my $name = "a running recorder, $case->[0] $case->[2]";
	restored('live', @$case);
	my $count = $node->safe_psql('live', 'SELECT count(*) FROM crypto_snapshots');
	eventually(sub { $node->safe_psql('live', 'SELECT count(*) FROM crypto_snapshots') > $count }, "$name: it carries on");
	is($node->safe_psql('live', "SELECT price, asset_type FROM tickers WHERE symbol = 'AAPL'"), '250.10|stock', "$name: the user's own rows");
	for my $what (qw(coins snapshots))
	{
		my ($columns) = $what eq 'coins' ? 'nameid, first_seen' : 'nameid, time, price';
		my @kept = split /\n/, $node->safe_psql('postgres', "SELECT $columns FROM ($content{$what}) AS t");
		my %live = map { $_ => 1 } split /\n/, $node->safe_psql('live', "SELECT $columns FROM ($content{$what}) AS t");
		is(scalar(grep { !$live{$_} } @kept), 0, "$name: every row of $what is there");
	}
	candles_are_right($node, "$name: candles are what the snapshots say", 'live');
	is($node->safe_psql('live', "SELECT recorder_problem FROM crypto_status()"), '', "$name: without trouble");
	$node->safe_psql('template1', 'DROP DATABASE live WITH (FORCE)');
}

$node->stop;
done_testing();
