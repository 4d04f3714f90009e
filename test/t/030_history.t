# History: snapshots by day, candles equal to what they say, prices at a time.
use strict;
use warnings;
use Test::More;
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 200, refresh => '500ms', moving => 1);
my $node = server('history', sim => $sim, conf => <<'CONF');
crypto_rt.tiers = '*:200ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
crypto_rt.snapshot_top = 0
TimeZone = 'America/New_York'
CONF

sub value { return $node->safe_psql('postgres', $_[0]) }

# A test that passes when an SQL statement fails with this message.
sub fails
{
	my ($sql, $message, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($code, $out, $err) = $node->psql('postgres', $sql);
	return like($err, $message, $name // $sql);
}

#
# As ticks arrive
#

sql_becomes($node, 'SELECT count(*) > 2000 FROM crypto_snapshots', 't', 'prices move and are recorded');
candles_are_right($node, 'candles are what the snapshots say, while both are written');
sql_is($node, 'SELECT count(DISTINCT coin) > 150, bool_and(simulated), string_agg(DISTINCT resolution::text, \' \') FROM crypto_candles', 't|t|1d 1h 1m', 'of all coins');
sql_is($node, "SELECT count(*) FROM crypto_candles('BTC', '1 minute', now() - interval '1 hour') WHERE now() - time < interval '1 minute'", '1', 'the current minute is there');
sql_is($node, "SELECT count(*) > 1 FROM crypto_history('BTC', now() - interval '1 hour')", 't', 'and the snapshots of the hour');
sql_is($node, "SELECT bool_and(time >= now() - interval '1 hour' AND price > 0 AND simulated) FROM crypto_history('BTC', now() - interval '1 hour')", 't', 'with what is in them');
sql_is($node, "SELECT count(*) FROM crypto_history('no such coin', '-infinity')", '0', 'none of an unknown coin');

$sim->post('/sim/freeze');
sql_becomes($node, 'SELECT crypto_price(\'BTC\') = (SELECT close FROM crypto_candles(\'BTC\', \'1 day\', now() - interval \'1 day\') ORDER BY time DESC LIMIT 1)', 't', 'the close is the price');
value('SELECT crypto_pause()');
sql_becomes($node, "SELECT ticks_behind = 0 FROM crypto_status()", 't', 'the market stands still');

#
# Partitions
#

sql_is($node, "SELECT count(*) FROM crypto_partitions WHERE kept = 'crypto_snapshots'::regclass AND now() + interval '1 day' >= begins AND now() < ends", '2', 'today and tomorrow have a table');
sql_is($node, "SELECT count(*) FROM crypto_partitions WHERE kept = 'crypto_candles_1h'::regclass", '2', 'hours have one a month');
sql_is($node, <<'SQL', '0', 'all partitions are members of the extension');
SELECT count(*) FROM crypto_partitions p
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.partition AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
SQL
value("SELECT crypto_partition_make(k, now() - interval '20 days') FROM unnest('{crypto_snapshots,crypto_candles_1m,crypto_candles_1h}'::regclass[]) k");
value("SELECT crypto_partition_make(k, now() - interval '900 days') FROM unnest('{crypto_snapshots,crypto_candles_1m,crypto_candles_1h}'::regclass[]) k");
my $old = "SELECT string_agg(kept::text, ' ' ORDER BY kept::text) FROM crypto_partitions WHERE ends < now() - interval '10 days'";
my $reader = $node->background_psql('postgres', on_error_stop => 0);
$reader->query_safe('BEGIN; SELECT count(*) FROM crypto_snapshots');
set($node, 'crypto_rt.snapshot_retention' => '8d');
sql_becomes($node, $old, 'crypto_candles_1m crypto_snapshots crypto_snapshots', 'what is older than its time is dropped, but for a table that is being read');
my $began = time;
value('SELECT count(*) FROM crypto_snapshots');
ok(time - $began < 5, 'another reader does not wait meanwhile');
$reader->query_safe('COMMIT');
$reader->quit;
sql_becomes($node, $old, 'crypto_candles_1m', 'and that one when it is read no more');
set($node, 'crypto_rt.candle_retention' => '1m:10d, 1h:*');
sql_becomes($node, $old, '', 'candle_retention, by reload');
fails("ALTER SYSTEM SET crypto_rt.candle_retention = '2m:10d'", qr/"2m:10d" begins with no resolution: 1m or 1h/);
fails("ALTER SYSTEM SET crypto_rt.candle_retention = '1m'", qr/1m is not followed by a colon/);
fails("SELECT crypto_partition_make('tickers', now())", qr/crypto_rt makes no partitions of table "public.tickers"/);

#
# Times: weeks, months, leap days, daylight saving.  A coin with a made-up history.
#

sub record
{
	my (@ticks) = @_;
	my %day;
	for my $tick (@ticks)
	{
		value("SELECT crypto_partition_make(k, '$tick->[0]') FROM unnest('{crypto_snapshots,crypto_candles_1m,crypto_candles_1h}'::regclass[]) k");
		value("SELECT crypto_record(ARRAY['$tick->[0]'::timestamptz], ARRAY[crypto_coin('id:bitcoin')], '{f}', '{$tick->[1]}', '{$tick->[2]}', false)");
	}
	return;
}

set($node, 'crypto_rt.snapshot_retention' => '0', 'crypto_rt.candle_retention' => '');
record(
	[ '2024-02-28 23:59:59.999999+00', 10, 1 ],
	[ '2024-02-29 00:00:00+00', 11, 2 ],
	[ '2024-02-29 12:34:56+00', 9, 3 ],
	[ '2024-03-01 00:00:00+00', 12, 4 ],
	[ '2024-03-10 06:59:59+00', 13, 5 ],
	[ '2024-03-10 07:00:01+00', 14, 6 ],
	[ '2024-12-31 23:59:59+00', 15, 7 ],
	[ '2025-01-01 00:00:01+00', 16, 8 ]);
candles_are_right($node, 'candles of a made-up history');
my $candles = sub { my ($arguments) = @_; return join ' ', split /\n/, value("SET TimeZone = 'UTC'; SELECT to_char(time, 'YYYY-MM-DD\"T\"HH24:MI') || '=' || concat_ws(',', open, high, low, close, volume_24h, ticks) FROM crypto_candles('id:bitcoin', $arguments)") };
is($candles->("'1 day', '2024-02-01', '2024-03-02'"), '2024-02-28T00:00=10,10,10,10,1,1 2024-02-29T00:00=11,11,9,9,3,2 2024-03-01T00:00=12,12,12,12,4,1', 'the leap day is a day');
is($candles->("'1 month', '2024-02-01', '2024-04-01'"), '2024-02-01T00:00=10,11,9,9,3,3 2024-03-01T00:00=12,14,12,14,6,3', 'months of the calendar');
is($candles->("'3 months', '2024-02-15', '2025-02-01'"), '2024-01-01T00:00=10,14,9,14,6,6 2024-10-01T00:00=15,15,15,15,7,1 2025-01-01T00:00=16,16,16,16,8,1', 'quarters, the one of since included whole');
is($candles->("'1 year', '2024-06-01', '2026-01-01'"), '2024-01-01T00:00=10,15,9,15,7,7 2025-01-01T00:00=16,16,16,16,8,1', 'years');
is($candles->("'1 week', '2024-02-26', '2024-03-11'"), '2024-02-26T00:00=10,12,9,12,4,4 2024-03-04T00:00=13,14,13,14,6,2', 'weeks begin on Monday');
is($candles->("'4 hours', '2024-02-29', '2024-03-01'"), '2024-02-29T00:00=11,11,11,11,2,1 2024-02-29T12:00=9,9,9,9,3,1', 'four hours');
is($candles->("'5 minutes', '2024-02-29 12:32', '2024-02-29 12:33'"), '2024-02-29T12:30=9,9,9,9,3,1', 'five minutes, whole though until is within');
is($candles->("'1 minute', '2024-02-29 12:34', '2024-02-29 12:34'"), '', 'until is not included');
is($candles->("'1 day', '2024-02-28', '2024-03-02', fill => true"),
	'2024-02-28T00:00=10,10,10,10,1,1 2024-02-29T00:00=11,11,9,9,3,2 2024-03-01T00:00=12,12,12,12,4,1', 'nothing to fill');
is($candles->("'1 day', '2024-03-09', '2024-03-13', fill => true"),
	'2024-03-09T00:00=12,12,12,12,4,0 2024-03-10T00:00=13,14,13,14,6,2 2024-03-11T00:00=14,14,14,14,6,0 2024-03-12T00:00=14,14,14,14,6,0', 'gaps are filled with the last close');
is($candles->("'12 hours', '2024-02-28', '2024-02-29 12:00', fill => true"), '2024-02-28T12:00=10,10,10,10,1,1 2024-02-29T00:00=11,11,11,11,2,1', 'but not before the first price');
is($candles->("'1 month', '2024-02-01', '2024-12-01', fill => true"),
	'2024-02-01T00:00=10,11,9,9,3,3 2024-03-01T00:00=12,14,12,14,6,3' . join('', map { sprintf ' 2024-%02d-01T00:00=14,14,14,14,6,0', $_ } 4 .. 11), 'months, filled');
sql_is($node, "SELECT count(*), max(extract(epoch FROM time)::bigint % 86400) FROM crypto_candles('id:bitcoin', '1 day', '2024-03-09+00', '2024-03-13+00', true)", '4|0',
	'days are of UTC where daylight saving begins');
fails("SELECT crypto_candles('BTC', '90 seconds', now())", qr/a candle cannot be 00:01:30 wide\nHINT:  The resolution is a multiple of one minute, or of one month/);
fails("SELECT crypto_candles('BTC', '$_', now())", qr/a candle cannot be/, "resolution '$_'") for '0', '-1 day', '1 month 1 day', '-1 month', '1 second';
is(value("SELECT count(*) FROM crypto_candles(NULL, '1 day', now()), crypto_history('BTC', NULL)"), '0', 'NULL in, nothing out');
is($candles->("'1 year', '-infinity', '2025-01-01'"), '2024-01-01T00:00=10,15,9,15,7,7', 'years since ever');
is($candles->("'1 year', '-infinity', 'infinity', fill => true") =~ /^2024-01-01T00:00=10,15,9,15,7,7 2025-01-01T00:00=16,16,16,16,8,1 2026-01-01/, 1, 'years since ever and for ever');
is($candles->("'1 day', '-infinity', '2024-02-29'"), '2024-02-28T00:00=10,10,10,10,1,1', 'since ever');

# late, and out of order
record([ '2024-02-29 12:34:30+00', 8, 30 ], [ '2024-02-29 12:34:59+00', 99, 31 ], [ '2024-02-29 12:34:45+00', 7, 32 ]);
is($candles->("'1 minute', '2024-02-29 12:34', '2024-02-29 12:35'"), '2024-02-29T12:34=8,99,7,99,31,4', 'late ticks: open, high, low, close and volume are right');
candles_are_right($node, 'in hours and days, too');

#
# crypto_price_at
#

my $at = sub { my ($time) = @_; return value("SELECT crypto_price_at('id:bitcoin', '$time')") };
is($at->('2024-02-28 23:59:59.999998+00'), '', 'before the first price: NULL');
is($at->('2024-02-28 23:59:59.999999+00'), '10', 'at a price');
is($at->('2024-02-29 12:34:50+00'), '7', 'between two');
is($at->('2024-03-09 00:00+00'), '12', 'days after the last');
is($at->('2024-11-11 00:00+00'), '14', 'months after the last');
is($at->('-infinity'), '', '-infinity: NULL');
sql_is($node, "SELECT crypto_price_at('BTC', 'infinity') = crypto_price('BTC'), crypto_price_at('BTC', now()) = crypto_price('BTC')", 't|t', 'now: the price');
sql_is($node, "SELECT crypto_price_at('no such coin', now()) IS NULL, crypto_price_at('', now()) IS NULL, crypto_price_at(repeat('x', 10000), now()) IS NULL, crypto_price_at(NULL, now()) IS NULL",
	't|t|t|t', 'unknown, empty, long, NULL: NULL');
sql_is($node, "SELECT crypto_price_at('btc', s.time) = s.price, crypto_price_at('ID:Bitcoin', s.time) = s.price FROM crypto_history('BTC', now() - interval '1 hour') s ORDER BY s.time LIMIT 1", 't|t', 'in any case');
sql_is($node, <<'SQL', '0', 'as-of join: the same as by a lateral query, for each snapshot and a moment before it');
SELECT count(*) FROM crypto_snapshots s JOIN crypto_coins c USING (coin), unnest(ARRAY[interval '0', '1 microsecond', '-1 microsecond']) AS d
WHERE s.time > now() - interval '1 hour' AND crypto_price_at('id:' || c.nameid, s.time + d) IS DISTINCT FROM
	(SELECT o.price FROM crypto_snapshots o WHERE o.coin = s.coin AND o.time <= s.time + d ORDER BY o.time DESC LIMIT 1)
	AND s.time + d < (SELECT max(time) FROM crypto_snapshots n WHERE n.coin = s.coin)
SQL

# when the snapshots are gone
value("DELETE FROM crypto_snapshots WHERE time < '2025-06-01'");
is($at->('2024-02-29 12:34:30+00'), '8', 'no snapshots: the minute\'s open');
is($at->('2024-02-29 12:34:59+00'), '99', 'its close');
value("DELETE FROM crypto_candles_1m WHERE time < '2025-06-01'");
is($at->('2024-03-10 06:59:59+00'), '13', 'no minutes: the hour\'s');
is($at->('2024-02-28 23:59:00+00'), '', 'not before it began');
value("DELETE FROM crypto_candles_1h WHERE time < '2025-06-01'");
is($at->('2024-12-31 23:59:59+00'), '15', 'no hours: the day\'s');

# made anew
is(value("SELECT crypto_candles_rebuild('id:bitcoin') = count(*) FROM crypto_snapshots WHERE coin = crypto_coin('id:bitcoin')"), 't', 'rebuilt from the snapshots');
is(value("SELECT count(*) FROM crypto_candles WHERE time < '2025-06-01'"), '0', 'of the days that have a table');
candles_are_right($node, 'candles are what the snapshots say');
value("UPDATE crypto_candles SET high = 1e9");
is(value('SELECT crypto_candles_rebuild() = count(*) FROM crypto_snapshots'), 't', 'all of them rebuilt');
candles_are_right($node, 'and right again');
fails("SELECT crypto_candles_rebuild('no such coin')", qr/there is no coin "no such coin"/);

$node->stop;
done_testing();
