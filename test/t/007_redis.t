# What is in Redis: keys, shapes, lifetimes, messages, whatever the symbol, and crypto_redis_purge().
use strict;
use warnings;
use IO::Select;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use CryptoRt;

my $json = JSON::PP->new->utf8;
my $sim = CryptoRt::Sim->start(coins => 300);
my $redis = CryptoRt::Redis->start;
my $node = server('redis', sim => $sim, redis => $redis, conf => <<'CONF');
crypto_rt.tiers = '100:1,200:20,*:60'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
CONF

# A subscriber: redis-cli, read line by line.
my ($subscriber, $messages, $reader);
my $received = '';
my @log;    # all messages so far, decoded
END { kill 'TERM', $subscriber if $subscriber; }

sub subscribe
{
	$subscriber = open($messages, '-|', 'redis-cli', '-p', $redis->port, 'subscribe', 'crypto:updates') or die "cannot run redis-cli: $!";
	$reader = IO::Select->new($messages);
	return;
}

# Wait for a message of which $what is true, from number $from on.
sub message
{
	my ($from, $what, $seconds) = @_;
	return wait_for(
		sub {
			while ($reader->can_read(0) && sysread $messages, $received, 65536, length $received) { }
			while ($received =~ s/\A(.*)\n//)
			{
				my $line = $1;
				push @log, { %{ $json->decode($line) }, text => $line, at => time() } if $line =~ /^\{/;
			}
			return (grep { $what->($_) } @log[ $from .. $#log ])[0];
		},
		$seconds);
}

sub key { return $json->decode($redis->cli('GET', $_[0]) || '{}') }
sub ttl { return $redis->cli('TTL', $_[0]) }

# The first symbol from a rank on that stands for the coin there.
sub symbol_from
{
	return $node->safe_psql('postgres',
		"SELECT q.symbol FROM crypto_quotes() q, crypto_quote(q.symbol) o WHERE q.rank >= $_[0] AND o.nameid = q.nameid ORDER BY q.rank LIMIT 1");
}

sql_becomes($node, 'SELECT count(*) FROM crypto_quotes()', '300', 'all coins are polled');
redis_becomes_whole($node, $redis, 'all are in Redis');

#
# Keys
#

like($redis->cli('GET', 'crypto:quote:BTC'), qr/^\{"symbol":"BTC","name":"Bitcoin","price":77146\.66,"price_btc":1\.00,"rank":1,"change_1h":-0\.08,"change_24h":-0\.98,"change_7d":-2\.38,"volume_24h":26551212429\.49,"market_cap":1540684444015\.40,"circulating_supply":19970852\.00,"total_supply":19970852,"max_supply":21000000,"last_updated":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","update_interval":1,"tier":"tier1","source":"simulated","id":"bitcoin","coinlore_id":90\}$/,
	'the JSON of a quote');
my $dead = $redis->cli('GET', 'crypto:quote:DGD');
like($dead, qr/"price":0,.*"tier":"tier3".*"update_interval":60|"price":0,.*"update_interval":60,"tier":"tier3"/, 'of a coin without a price');
unlike($dead, qr/null|:,|,,/, 'what is unknown is left out');

my ($second, $third) = map { symbol_from($_) } 150, 250;
is(key("crypto:quote:$second")->{update_interval}, 20, 'the interval of the second tier');
for (["crypto:quote:BTC", 55, 60], ["crypto:quote:$second", 95, 120], ["crypto:quote:$third", 235, 300], ['crypto:id_map:bitcoin', 86300, 86400])
{
	my ($name, $least, $most) = @$_;
	cmp_ok(ttl($name), '>=', $least, "$name lives long enough");
	cmp_ok(ttl($name), '<=', $most, "$name does not live too long");
}
is($redis->cli('GET', 'crypto:id_map:bitcoin'), 'BTC', 'symbol by nameid');
is($redis->cli('ZRANGE', 'crypto:symbols:ranked', 0, 2), "BTC\nETH\nUSDT", 'symbols by rank');

eventually(sub { (key('crypto:stats:last_update')->{pages_fetched} // 0) > 3 && key('crypto:stats:last_update')->{total_coins} == 300 },
	'the statistics follow');
my ($coins, $active) = split /\|/, status($node, 'coins, active_coins');
like($redis->cli('GET', 'crypto:stats:last_update'),
	qr/^\{"total_coins":$coins,"active_coins":$active,"last_full_update":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","pages_fetched":\d+\}$/,
	'and have their shape');

#
# Messages
#

subscribe();
my $heartbeat = sub { @{ $_[0]{quotes} } == 0 };
my $first = message(0, $heartbeat, 7);
ok($first, 'a heartbeat in silence');
my $second_beat = message(scalar @log, $heartbeat, 7);
my $silence = $second_beat->{at} - $first->{at};
cmp_ok($silence, '>', 4.5, 'heartbeats come not more often than every 5 s');
cmp_ok($silence, '<', 6, 'and not less often');
like($first->{text}, qr/^\{"epoch":\d+,"seq":\d+,"quotes":\[\]\}$/, 'their shape');

my $from = @log;
$sim->coin('dogecoin', price => '0.00000001230', rank => 10);
my $news = message($from, sub { @{ $_[0]{quotes} } > 0 });
is(join(' ', map { $_->{symbol} } @{ $news->{quotes} }), 'DOGE', 'a message has the quotes that changed, and no other');
like(substr($news->{text}, 0, 200), qr/"quotes":\[\{"symbol":"DOGE","name":"Dogecoin","price":0\.00000001230,/, 'with the price as it was sent');
like($redis->cli('GET', 'crypto:quote:DOGE'), qr/"price":0\.00000001230,/, 'who hears of a quote can read it');
sql_is($node, "SELECT crypto_price('DOGE')", '0.00000001230', 'the same as in SQL');

# many at once, over several pages
$from = @log;
set($node, 'crypto_rt.tiers' => '*:300ms');
$sim->post('/sim/step');
sql_becomes($node, 'SELECT min(fetched_at) > now() - interval \'2 s\' FROM crypto_quotes()', 't', 'a step of the whole market');
eventually(sub { message(0, sub { 1 }); my %seen; $seen{ $_->{id} }++ for map { @{ $_->{quotes} } } @log[ $from .. $#log ]; keys(%seen) > 250 },
	'messages tell of nearly all coins');
is(scalar(grep { @{ $_->{quotes} } > 100 } @log), 0, 'a page at a time');
is(join(' ', map { $_->{seq} - $first->{seq} } @log), join(' ', 0 .. $#log), 'seq counts by one');
is(scalar(grep { $_->{epoch} != $log[0]{epoch} } @log), 0, 'epoch stays');
cmp_ok($log[0]{epoch}, '>', 0, 'and is a number');

#
# Coins that leave, change their symbol, lose it
#

# two that share their symbol with no other
my ($leaver, $leaver_symbol, $changer, $changer_symbol) = split /[|\n]/, $node->safe_psql('postgres', <<'SQL');
SELECT min(nameid), symbol FROM crypto_quotes() WHERE symbol ~ '^[A-Z]+$' GROUP BY symbol HAVING count(*) = 1 ORDER BY min(rank) OFFSET 15 LIMIT 2
SQL

$sim->coin($leaver, present => 0);
eventually(sub { $redis->cli('ZSCORE', 'crypto:symbols:ranked', $leaver_symbol) eq '' }, 'a coin that is listed no more is not among the ranked');
is($redis->cli('EXISTS', "crypto:quote:$leaver_symbol", "crypto:id_map:$leaver"), '0', 'nor has a quote or an id');

$sim->coin($changer, symbol => 'NEWNAME');
eventually(sub { $redis->cli('GET', "crypto:id_map:$changer") eq 'NEWNAME' }, 'a coin has another symbol: its id leads there');
is(key('crypto:quote:NEWNAME')->{id}, $changer, 'its quote is there');
eventually(sub { $redis->cli('EXISTS', "crypto:quote:$changer_symbol") eq '0' && $redis->cli('ZSCORE', 'crypto:symbols:ranked', $changer_symbol) eq '' },
	'nothing is left under the old symbol');

$sim->coin('taker-of-link', symbol => 'LINK', rank => 5, price => '5.55');
eventually(sub { (key('crypto:quote:LINK')->{id} // '') eq 'taker-of-link' }, 'a symbol is taken over: the quote is the new owner\'s');
eventually(sub { $redis->cli('ZSCORE', 'crypto:symbols:ranked', 'LINK') eq '5' }, 'with its rank');
is($redis->cli('GET', 'crypto:id_map:taker-of-link'), 'LINK', 'and its id');
eventually(sub { $redis->cli('EXISTS', 'crypto:id_map:chainlink') eq '0' }, 'the former owner has no id any more');

#
# Symbols of all kinds
#

my @odd = ('A B', 'X:Y', '*', '[a-z]?', '喵喵喵', 'ÄÖ', '%41', '$1', 'Q"UO\\TE', "IT'S", '{"}', 'crypto:quote:BTC', 'W' x 60);
$sim->coin("odd-$_", symbol => $odd[$_], rank => 20 + $_, price => "1.0$_", volume24 => '5') for 0 .. $#odd;
sql_becomes($node, 'SELECT count(*) FROM crypto_quotes() WHERE nameid LIKE \'odd-%\'', scalar(@odd), 'coins with odd symbols');
for my $i (0 .. $#odd)
{
	(my $symbol = $odd[$i]) =~ tr/a-z/A-Z/;
	my $name = length $symbol < 20 ? $symbol : 'a long one';
	eventually(sub { (key("crypto:quote:$symbol")->{id} // '') eq "odd-$i" && $redis->cli('GET', "crypto:id_map:odd-$i") eq $symbol
			&& $redis->cli('ZSCORE', 'crypto:symbols:ranked', $symbol) eq 20 + $i }, "symbol $name", 5);
}
redis_becomes_whole($node, $redis, 'all are there');

#
# Purge
#

$node->safe_psql('postgres', 'CREATE ROLE reader');
my (undef, undef, $error) = $node->psql('postgres', 'SET ROLE reader; SELECT crypto_redis_purge()');
like($error, qr/permission denied for function crypto_redis_purge/, 'purging is for the owner');

my @foreign = ('crypto:mine', 'crypto:quotes', 'other', 'crypto:symbols:ranked:mine');
$redis->cli('SET', $_, 'x') for @foreign;
$node->safe_psql('postgres', 'SELECT crypto_pause()');
sql_becomes($node, 'SELECT state FROM crypto_status()', 'paused', 'polling is paused');
my $quotes;
wait_for(sub { my $now = status($node, 'redis_quotes'); my $same = $now eq ($quotes // ''); $quotes = $now; return $same });
my $ours = $redis->cli('DBSIZE') - @foreign;
cmp_ok($ours, '>', 500, 'there is something to remove');
sql_is($node, 'SELECT crypto_redis_purge()', $ours, 'the number of keys that were removed');
my $left = join ' ', sort @foreign;
my $empty = sub { join(' ', sort split /\n/, $redis->cli('KEYS', '*')) eq $left };
message(0, sub { 0 }, 0);
$from = @log;
remains($empty, 'keys of others stay; paused, ours stay away', 6);
ok(message($from, $heartbeat, 1), 'while heartbeats go on');
sql_is($node, 'SELECT crypto_redis_purge()', '0', 'nothing is left to remove');
$node->safe_psql('postgres', 'SELECT crypto_resume()');
redis_becomes_whole($node, $redis, 'resumed, all come back');

# paused and purged in one breath, with answers still under way, and the connection lost
my $requests = $sim->requests;
$sim->fault('latency', ms => 1500);
wait_for(sub { $sim->requests > $requests + 3 });
$node->safe_psql('postgres', 'SELECT crypto_pause(), crypto_redis_purge()');
remains($empty, 'what was under way when polling was paused does not come back', 3);
my $connects = status($node, 'redis_connects');
$redis->cli('CLIENT', 'KILL', 'TYPE', 'normal');
sql_becomes($node, "SELECT redis_connects > $connects, redis_connected, redis_problem FROM crypto_status()", 't|t|', 'connected again');
remains($empty, 'nor does anything with another connection', 1);
$sim->well;

# from the board and at once, however slow the polls
set($node, 'crypto_rt.tiers' => '*:3600');
sql_becomes($node, 'SELECT interval_asked FROM crypto_tiers', '01:00:00', 'polls become slow');
$node->safe_psql('postgres', 'SELECT crypto_resume()');
redis_becomes_whole($node, $redis, 'resumed, all come back at once', 3);
sql_becomes($node, 'SELECT polls = pages FROM crypto_tiers', 't', 'each page is polled once more');
my $pages = '';
wait_for(sub { my $now = status($node, 'pages_fetched'); my $same = $now eq $pages; $pages = $now; return $same });
message(0, sub { 0 }, 0);
my $epoch = $log[-1]{epoch};
cmp_ok($node->safe_psql('postgres', 'SELECT crypto_redis_purge()'), '>', 500, 'purged while polling');
redis_becomes_whole($node, $redis, 'all come back at once', 3);
is(status($node, 'pages_fetched'), $pages, 'without a poll');
ok(message(0, sub { $_[0]{epoch} > $epoch }), 'and messages say that all is new');
ok((grep { $redis->cli('EXISTS', $_) } @foreign) == @foreign, 'keys of others stay');

$redis->end;
sql_becomes($node, 'SELECT redis_connected FROM crypto_status()', 'f', 'Redis is gone');
(undef, undef, $error) = $node->psql('postgres', 'SELECT crypto_redis_purge()');
like($error, qr/Redis could not be purged: .*127\.0\.0\.1:\d+/, 'without Redis, purging says why it cannot');
$node->stop;

done_testing();
