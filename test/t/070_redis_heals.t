# Redis is stopped, frozen, emptied, spoiled, full, a replica: nothing else suffers, and it becomes whole again.
use strict;
use warnings;
use Test::More;
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 300);
my $redis = CryptoRt::Redis->start;
my $node = server('heals', sim => $sim, redis => $redis, conf => <<'CONF');
crypto_rt.tiers = '*:300ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
CONF
my $cents = 10;

sub whole
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	redis_becomes_whole($node, $redis, "$name: whole again");
	return sql_becomes($node, 'SELECT redis_connected, redis_problem FROM crypto_status()', 't|', "$name: all is well again", 8);
}

# A new price gets everywhere but to Redis.
sub others_go_on
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $price = sprintf '0.1%d', $cents++;
	$sim->coin('dogecoin', price => $price, rank => 10);
	sql_becomes($node, "SELECT crypto_price('DOGE')", $price, "$name: prices go on", 5);
	sql_becomes($node, "SELECT price FROM tickers WHERE symbol = 'DOGE'", $price, "$name: so do tickers", 5);
	return sql_becomes($node, "SELECT price FROM crypto_snapshots s JOIN crypto_coins c USING (coin) WHERE nameid = 'dogecoin' ORDER BY time DESC LIMIT 1",
		$price, "$name: and snapshots", 5);
}

# A price that came meanwhile is in Redis.
sub caught_up
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $price = sprintf '0.1%d', $cents - 1;
	return like($redis->cli('GET', 'crypto:quote:DOGE'), qr/"price":\Q$price\E,/, "$name: Redis has caught up");
}

# The log told of it once.
sub told_once
{
	my ($offset, $regexp, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @lines = log_lines($node, $regexp, $offset);
	return is(scalar @lines, 1, "$name: told once") || diag join "\n", @lines;
}

redis_becomes_whole($node, $redis, 'whole at the start');

#
# Stopped
#

my $log = -s $node->logfile;
$redis->end;
sql_becomes($node, "SELECT redis_connected, redis_problem ~ '^could not connect to 127.0.0.1:[0-9]+: Connection refused' FROM crypto_status()", 'f|t',
	'stopped: crypto_status() says so');
others_go_on('stopped');
told_once($log, qr/crypto_rt Redis: could not connect/, 'stopped');
$redis->launch;
whole('started again');
caught_up('started again');

#
# Frozen
#

kill 'STOP', $redis->pid;
others_go_on('frozen');
sql_becomes($node, 'SELECT redis_connected, redis_problem IS NOT NULL FROM crypto_status()', 'f|t', 'frozen: crypto_status() says so');
others_go_on('frozen for long');
kill 'CONT', $redis->pid;
whole('thawed');
caught_up('thawed');

#
# Emptied and spoiled
#

$redis->cli('FLUSHALL');
whole('emptied');

my $errors = status($node, 'redis_errors');
$redis->cli('SET', 'crypto:symbols:ranked', 'x');
sql_becomes($node, "SELECT redis_errors > $errors FROM crypto_status()", 't', 'the sorted set overwritten: errors are counted');
whole('the sorted set overwritten');

$redis->cli('DEL', 'crypto:quote:BTC');
$redis->cli('LPUSH', 'crypto:quote:BTC', 'x');
eventually(sub { ($redis->cli('GET', 'crypto:quote:BTC') // '') =~ /"symbol":"BTC"/ }, 'a quote overwritten: it comes back');
$redis->cli('ZADD', 'crypto:symbols:ranked', 1, 'INTRUDER');
whole('a symbol too many');
$redis->cli('ZREM', 'crypto:symbols:ranked', 'BTC', 'ETH');
whole('two symbols too few');

#
# Full
#

$log = -s $node->logfile;
$errors = status($node, 'redis_errors');
$redis->cli('CONFIG', 'SET', 'maxmemory', '1');
sql_becomes($node, 'SELECT redis_problem FROM crypto_status()', 'the server has no memory left: raise its maxmemory', 'full: crypto_status() says so');
others_go_on('full');
sql_becomes($node, "SELECT redis_errors > $errors FROM crypto_status()", 't', 'full: errors are counted');
remains(sub { status($node, 'redis_problem') =~ /no memory/ }, 'full: it stays so', 3);
told_once($log, qr/crypto_rt Redis: the server has no memory left/, 'full');
$redis->cli('CONFIG', 'SET', 'maxmemory', '0');
whole('not full any more');
caught_up('not full any more');

#
# A replica
#

my $primary = CryptoRt::Redis->start;
$log = -s $node->logfile;
$redis->cli('REPLICAOF', '127.0.0.1', $primary->port);
sql_becomes($node, 'SELECT redis_problem FROM crypto_status()', 'the server is a read-only replica: let crypto_rt.redis_url name its primary',
	'a replica: crypto_status() says so');
others_go_on('a replica');
told_once($log, qr/crypto_rt Redis: the server is a read-only replica/, 'a replica');
$redis->cli('REPLICAOF', 'NO', 'ONE');
whole('a primary again');
caught_up('a primary again');

is_deeply([ log_lines($node, qr/(?:PANIC|FATAL|ERROR|WARNING): /) ], [], 'no error in the log of all this');
$node->stop;

done_testing();
