# crypto_pause(), crypto_resume(), crypto_refresh(), and a log that is quiet while all is well.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 250, moving => 1, refresh => '1s');
my $redis = CryptoRt::Redis->start;
my $node = server('operations', sim => $sim, redis => $redis, create => 0, conf => <<'CONF');
log_statement = none
log_checkpoints = off
crypto_rt.tiers = '*:2s'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
CONF
my $started = -s $node->logfile;
my $began = time();
$node->safe_psql('postgres', 'CREATE EXTENSION crypto_rt');
sql_becomes($node, 'SELECT count(*) > 240 FROM crypto_quotes()', 't', 'all coins are polled');

#
# Pause
#

my $late = 'SELECT sum(late) FROM crypto_tiers';
sql_becomes($node, 'SELECT sweeps >= 2 FROM crypto_status()', 't', 'polling goes its way');
my $late_before = $node->safe_psql('postgres', $late);
$node->safe_psql('postgres', 'SELECT crypto_pause()');
sql_is($node, 'SELECT state FROM crypto_status()', 'paused', 'paused: crypto_status() says so');
my $requests = $sim->requests;
wait_for(sub { my $now = $sim->requests; my $same = $now == $requests; $requests = $now; return $same });
remains(sub { $sim->requests == $requests }, 'paused: nothing is asked for', 4);
sql_is($node, "SELECT crypto_price('BTC') > 0", 't', 'paused: prices are there');
like($redis->cli('PUBSUB', 'CHANNELS') . $redis->cli('GET', 'crypto:quote:BTC'), qr/"symbol":"BTC"/, 'paused: Redis is there');

my $polls = $node->safe_psql('postgres', 'SELECT sum(polls) FROM crypto_tiers');
$node->safe_psql('postgres', 'SELECT crypto_resume()');
eventually(sub { $sim->requests > $requests }, 'resumed: polling goes on', 3);
sql_becomes($node, "SELECT sum(polls) > $polls + 6 FROM crypto_tiers", 't', 'resumed: on and on');
sql_is($node, $late, $late_before, 'the pause is not counted as late');
sql_is($node, 'SELECT state FROM crypto_status()', 'polling', 'resumed: crypto_status() says so');

#
# A healthy run leaves no lines in the log
#

sql_becomes($node, 'SELECT sweeps >= 6 AND tickers_written > 1000 AND redis_messages > 10 FROM crypto_status()', 't', 'a good run');
my @lines = split /\n/, slurp_file($node->logfile, $started);
is_deeply(\@lines, [], sprintf('no line in the log of %.0f s', time() - $began));

#
# Refresh: the coins' page at once, however slow its tier
#

$sim->post('/sim/freeze');
set($node, 'crypto_rt.tiers' => '100:1,*:60');
sql_becomes($node, "SELECT interval_asked FROM crypto_tiers WHERE tier = 'tier2'", '00:01:00', 'a slow tier');
my ($symbol, $nameid, $rank) = split /\|/, $node->safe_psql('postgres', <<'SQL');
SELECT q.symbol, q.nameid, q.rank FROM crypto_quotes() q, crypto_quote(q.symbol) o WHERE o.nameid = q.nameid AND q.rank >= 220 LIMIT 1
SQL
for my $asked ($symbol, lc $symbol, "id:$nameid")
{
	my $price = $node->safe_psql('postgres', "SELECT crypto_price('id:$nameid') + 0.5");
	# a page is not fetched twice within a second
	sql_becomes($node, "SELECT fetched_at < now() - interval '1.1 s' FROM crypto_quote('id:$nameid')", 't', 'its last poll was a while ago');
	$sim->coin($nameid, price => $price, rank => $rank);
	remains(sub { $node->safe_psql('postgres', "SELECT crypto_price('id:$nameid')") ne $price }, 'its next poll is not due', 0.5);
	sql_is($node, "SELECT crypto_refresh('$asked')", 't', "crypto_refresh('$asked')");
	sql_becomes($node, "SELECT crypto_price('id:$nameid')", $price, 'the new price is there', 2);
}
sql_is($node, "SELECT crypto_refresh('no such coin')", 'f', 'of an unknown coin');

my $waited = "SELECT fetched_at < now() - interval '%s s' FROM crypto_quote('id:$nameid')";
$node->safe_psql('postgres', 'SELECT crypto_pause()');
sql_becomes($node, sprintf($waited, 1.5), 't', 'paused, and a while later');
my (undef, undef, $notice) = $node->psql('postgres', "SELECT crypto_refresh('$symbol')");
like($notice, qr/NOTICE:  polling is paused, so the page will be fetched after crypto_resume\(\)/, 'paused, it says when');
sql_becomes($node, sprintf($waited, 3.5), 't', 'a while later');
$sim->coin($nameid, price => '12.34', rank => $rank);
$node->safe_psql('postgres', 'SELECT crypto_resume()');
sql_becomes($node, "SELECT crypto_price('id:$nameid')", '12.34', 'and keeps its word at once', 1);

#
# For whom they are
#

$node->safe_psql('postgres', 'CREATE ROLE reader');
for my $call ('crypto_pause()', 'crypto_resume()', "crypto_refresh('BTC')")
{
	my ($code, undef, $error) = $node->psql('postgres', "SET ROLE reader; SELECT $call");
	like($error, qr/permission denied for function/, "$call is for the owner");
}
$node->safe_psql('postgres', 'SELECT crypto_pause()');
$node->restart;
sql_becomes($node, 'SELECT state FROM crypto_status()', 'polling', 'a pause ends with the server');
$node->stop;

done_testing();
