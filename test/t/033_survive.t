# What happens to history when processes are killed and tables locked: nothing twice, no hole that the log still held.
use strict;
use warnings;
use Test::More;
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 300, refresh => '300ms', moving => 1);
my $node = server('survive', sim => $sim, conf => <<'CONF');
crypto_rt.tiers = '*:200ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 50ms
crypto_rt.snapshot_top = 0
restart_after_crash = on
CONF

# Some more snapshots arrive, and all is as it should be.
sub goes_on
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $since;
	wait_for(sub { my ($code, $out) = $node->psql('postgres', 'SELECT now()'); $since = $out; return $code == 0 });
	sql_becomes($node, "SELECT count(*) > 500 FROM crypto_snapshots WHERE time > '$since'", 't', "$name: recording goes on");
	candles_are_right($node, "$name: candles are what the snapshots say");
	sql_is($node, 'SELECT count(*) FROM (SELECT FROM crypto_snapshots GROUP BY coin, time HAVING count(*) > 1) AS twice', '0', "$name: nothing is there twice");
	sql_is($node, <<'SQL', '0', "$name: each price differs from the one before it");
SELECT count(*) FROM (SELECT price::text, lag(price::text) OVER (PARTITION BY coin ORDER BY time) AS before FROM crypto_snapshots) AS s WHERE price = before
SQL
	return;
}

goes_on('at first');
for my $round (1 .. 3)
{
	my %pid = workers($node);
	kill 'KILL', $pid{recorder};
	wait_for(sub { my ($code, $out) = $node->psql('postgres', 'SELECT recorder_pid FROM crypto_status()'); return $code == 0 && $out ne '' && $out ne $pid{recorder} });
	goes_on("kill -9 of the recorder, $round");
}
for my $round (1 .. 3)
{
	$node->stop('immediate');
	$node->start;
	goes_on("pg_ctl stop -m immediate, $round");
}

# the log holds what tables cannot take
for my $table (qw(crypto_snapshots crypto_candles crypto_candles_1m crypto_candles_1d))
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query_safe("BEGIN; LOCK TABLE $table");
	eventually(sub { status($node, 'recorder_problem') =~ /writing crypto_snapshots: canceling statement due to lock timeout/ }, "$table locked: crypto_status() says so");
	$sim->coin('dogecoin', price => $_, rank => 10) && wait_for(sub { $node->safe_psql('postgres', "SELECT crypto_price('id:dogecoin')") eq $_ }) for '0.5001', '0.5002', '0.5003';
	$session->query_safe('COMMIT');
	$session->quit;
	sql_becomes($node, "SELECT count(DISTINCT price) FROM crypto_history('id:dogecoin', now() - interval '1 minute') WHERE price IN (0.5001, 0.5002, 0.5003)", '3', "$table free again: no tick is missing");
	sql_becomes($node, 'SELECT recorder_problem IS NULL AND ticks_lost = 0 FROM crypto_status()', 't', "$table free again: all is well");
	$node->safe_psql('postgres', "DELETE FROM crypto_snapshots WHERE coin = crypto_coin('id:dogecoin'); DELETE FROM crypto_candles WHERE coin = crypto_coin('id:dogecoin')");
	$sim->coin('dogecoin', price => '0.7', rank => 10);
	sql_becomes($node, "SELECT count(*) > 0 FROM crypto_history('id:dogecoin', '-infinity') WHERE price = 0.7", 't', "$table: the next round");
}
goes_on('after locks');

# a table of the day is gone
$node->safe_psql('postgres', 'SELECT crypto_pause()');
sql_becomes($node, 'SELECT ticks_behind FROM crypto_status()', '0', 'paused');
my $today = $node->safe_psql('postgres', "SELECT string_agg(format('ALTER EXTENSION crypto_rt DROP TABLE %s; DROP TABLE %s;', partition, partition), ' ') FROM crypto_partitions WHERE now() >= begins AND now() < ends AND kept <> 'crypto_candles_1h'::regclass");
$node->safe_psql('postgres', $today);
$node->safe_psql('postgres', 'DELETE FROM crypto_candles');
$node->reload;
sql_becomes($node, "SELECT count(*) FROM crypto_partitions WHERE kept = 'crypto_snapshots'::regclass AND now() >= begins AND now() < ends", '1', 'a table that was dropped is made anew after a reload');
$node->safe_psql('postgres', 'SELECT crypto_resume()');
goes_on('today\'s tables dropped');

$node->stop;
done_testing();
