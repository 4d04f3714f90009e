# What a clock that jumps or stands still does to history: all is recorded at the time that the clock says, and nothing goes.
use strict;
use warnings;
use Test::More;
use CryptoRt;
use CryptoRtClock;

CryptoRtClock::build();
my $sim = CryptoRt::Sim->start(coins => 300, refresh => '300ms', moving => 1);
my $node = CryptoRtClock::with(sub { server('clock', sim => $sim, conf => <<'CONF') });
crypto_rt.tiers = '*:200ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 50ms
crypto_rt.snapshot_top = 0
crypto_rt.snapshot_retention = 1d
crypto_rt.candle_retention = '1m:1d, 1h:1d'
CONF
my $first;
my $began = $node->safe_psql('postgres', 'SELECT now()');

my $around = "time BETWEEN now() - interval '1 minute' AND now()";

# So many snapshots more come in at the time that it is now, candles are what they say, and all is well.
sub goes_on
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $n = $node->safe_psql('postgres', "SELECT count(*) FROM crypto_snapshots WHERE $around");
	sql_becomes($node, "SELECT count(*) > $n + 200 FROM crypto_snapshots WHERE $around", 't', "$name: recording goes on, at the clock's time");
	candles_are_right($node, "$name: candles are what the snapshots say");
	sql_becomes($node, "SELECT recorder_problem IS NULL AND ticks_behind < 1000 AND feed_problem IS NULL AND ticks_lost = 0 AND abs(extract(epoch FROM now() - last_flush)) < 5 FROM crypto_status()", 't', "$name: all is well");
	sql_becomes($node, "SELECT bool_and(abs(extract(epoch FROM now() - fetched_at)) < 5 AND NOT stale) FROM crypto_quotes(200)", 't', "$name: quotes are as old as they are");
	return;
}

# The ages of tables are looked at, which a table shows that is too old by any clock; what was recorded first is there still.
my $then = "time BETWEEN '$began' AND '$began'::timestamptz + interval '2 seconds'";
sub nothing_went
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->safe_psql('postgres', "SELECT crypto_partition_make('crypto_snapshots', '$began'::timestamptz - interval '5 days')");
	$node->reload;
	sql_becomes($node, "SELECT count(*) FROM crypto_partitions WHERE ends < '$began'::timestamptz - interval '2 days'", '0', "$name: what is too old goes");
	sql_is($node, "SELECT count(*) FROM crypto_snapshots WHERE $then", $first, "$name: nothing else does");
	sql_is($node, "SELECT count(*) FROM crypto_partitions WHERE kept = 'crypto_snapshots'::regclass AND now() + interval '1 day' >= begins AND now() < ends", '2', "$name: the day and the next have a table");
	return;
}

goes_on('at first');
sql_becomes($node, "SELECT now() > '$began'::timestamptz + interval '4 seconds' AND ticks_behind < 1000 FROM crypto_status()", 't', 'seconds pass');
$first = $node->safe_psql('postgres', "SELECT count(*) FROM crypto_snapshots WHERE $then");
cmp_ok($first, '>', 0, 'there is something');
for ([ 3600, 'an hour on' ], [ 0, 'and back' ], [ 86400, 'a day on' ], [ 3653 * 86400, 'ten years on' ])
{
	my ($ahead, $name) = @$_;
	CryptoRtClock::wall($ahead);
	goes_on($name);
	nothing_went($name);
}

# who starts the server now has its quotes from tables, and with them the source's time
$node->stop;
CryptoRtClock::with(sub { $node->start });
nothing_went('started ten years on');
CryptoRtClock::wall(-3600);
goes_on('an hour ago');
nothing_went('an hour ago');

# ticks of four days come at once
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe('BEGIN; LOCK TABLE crypto_snapshots');
for my $day (11, 12, 13, 0)
{
	CryptoRtClock::wall($day * 86400 - 3600);
	my $ticks = status($node, 'ticks');
	wait_for(sub { status($node, 'ticks') > $ticks + 600 });
}
$session->query_safe('COMMIT');
$session->quit;
goes_on('after a lock over four days');
sql_is($node, "SELECT count(DISTINCT date_trunc('day', time)) >= 3 FROM crypto_snapshots WHERE time BETWEEN now() + interval '10 days' AND now() + interval '14 days'", 't', 'each day has its snapshots');
sql_is($node, 'SELECT rows_refused FROM crypto_status()', '0', 'none is refused');

# a page is polled twice at the same microsecond: it is there already
my $stop = $node->safe_psql('postgres', 'SELECT (extract(epoch FROM now() + interval \'1 hour\') * 1000000)::bigint');
CryptoRtClock::wall(-3600, $stop);
my $ticks = status($node, 'ticks');
eventually(sub { status($node, 'ticks') > $ticks + 3000 && status($node, 'ticks_behind') < 1000 }, 'the clock stands still: ticks are taken all the same');
sql_is($node, 'SELECT recorder_problem IS NULL FROM crypto_status()', 't', 'the clock stands still: no problem');
CryptoRtClock::wall(-3600);
goes_on('the clock goes again');

$node->stop;
done_testing();
