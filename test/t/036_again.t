# Created, updated and dropped over and over while prices pour in; in any time zone; and users' locks in the worst order.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 300, refresh => '300ms', moving => 1);
my $node = server('again', sim => $sim, create => 0, conf => <<'CONF');
crypto_rt.tiers = '*:200ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 20ms
crypto_rt.snapshot_top = 0
CONF

my $left = <<'SQL';
SELECT (SELECT count(*) FROM pg_class WHERE relname LIKE 'crypto\_%' OR relname = 'tickers') + (SELECT count(*) FROM pg_type WHERE typname LIKE 'crypto\_%')
	+ (SELECT count(*) FROM pg_proc WHERE proname LIKE 'crypto\_%') + (SELECT count(*) FROM pg_depend d WHERE d.refclassid = 'pg_extension'::regclass
	AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.oid = d.refobjid))
SQL

#
# Six times over
#

my $problems = 0;
for my $round (1 .. 6)
{
	my $from = $round % 2 ? " VERSION '1.0'" : '';
	$node->safe_psql('postgres', "CREATE EXTENSION crypto_rt$from");
	if ($from)
	{
		wait_for(sub { status($node, 'recorder_problem') =~ /ALTER EXTENSION crypto_rt UPDATE is needed/ }) or $problems++;
		$node->safe_psql('postgres', 'ALTER EXTENSION crypto_rt UPDATE');
	}
	wait_for(sub { $node->safe_psql('postgres', 'SELECT count(*) > 400 FROM crypto_snapshots') eq 't' }) or $problems++;
	$problems++ if candles_differ($node) ne '0';
	$problems++ if $node->safe_psql('postgres', 'SELECT ticks_lost FROM crypto_status()') ne '0';
	$node->safe_psql('postgres', 'DROP EXTENSION crypto_rt');
	$problems++ if $node->safe_psql('postgres', $left) ne '0';
}
is($problems, 0, 'six times created, three of them as 1.0 and updated, and dropped: candles are right, nothing is lost or left');
is(scalar(log_lines($node, qr/ (?:ERROR|PANIC):  |terminated by signal|exited with exit code [^01]/)), 0, 'no error');

#
# Time zones: days are of UTC
#

my $bounds = <<'SQL';
SELECT count(*), bool_and(extract(epoch FROM begins)::bigint % 86400 = 0 AND extract(epoch FROM ends)::bigint % 86400 = 0 AND
	(kept = 'crypto_candles_1h'::regclass OR ends - begins = interval '24 hours')),
	bool_and(partition::text = kept || to_char(begins AT TIME ZONE 'UTC', CASE WHEN kept = 'crypto_candles_1h'::regclass THEN '"_p"YYYYMM' ELSE '"_p"YYYYMMDD' END))
FROM crypto_partitions
SQL
for my $zone ('Europe/Berlin', 'Asia/Kathmandu', 'Pacific/Kiritimati')
{
	set($node, TimeZone => $zone);
	wait_for(sub { $node->safe_psql('postgres', 'SHOW TimeZone') eq $zone });
	$node->safe_psql('postgres', 'CREATE EXTENSION crypto_rt');
	sql_becomes($node, "SELECT count(*) > 500 AND min(time) > now() - interval '1 minute' AND max(time) <= now() FROM crypto_snapshots", 't', "$zone: recording");
	candles_are_right($node, "$zone: candles are what the snapshots say");
	sql_is($node, $bounds, '6|t|t', "$zone: tables are of days of UTC");
	$node->safe_psql('postgres', 'DROP EXTENSION crypto_rt');
}

#
# Deadlocks: the recorder gives way
#

$node->safe_psql('postgres', 'CREATE EXTENSION crypto_rt');
sql_becomes($node, 'SELECT count(*) > 200 FROM tickers', 't', 'tickers are there');
my ($rounds, $errors) = (0, '');
my $offset = -s $node->logfile;
my $begin = time();
while (time() - $begin < 8 && !log_lines($node, qr/recorder: writing tickers: canceling statement due to lock timeout/, $offset))
{
	my ($code, $out, $err) = $node->psql('postgres', <<'SQL');
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT symbol FROM tickers ORDER BY rank DESC LOOP
		UPDATE tickers SET name = name WHERE symbol = r.symbol;
		PERFORM pg_sleep(0.005);
	END LOOP;
END $$
SQL
	$errors .= $err;
	$rounds++;
}
is($errors, '', 'who updates tickers in the recorder\'s way is never its victim');
is(scalar(log_lines($node, qr/deadlock detected/, $offset)), 0, "no deadlock in $rounds rounds");
sql_becomes($node, "SELECT recorder_problem IS NULL AND ticks_lost = 0 AND (SELECT max(now() - updated_at) < interval '5 seconds' FROM tickers WHERE rank <= 100) FROM crypto_status()", 't', 'tickers are current again', 60);
candles_are_right($node, 'candles are what the snapshots say');

$node->stop;
done_testing();
