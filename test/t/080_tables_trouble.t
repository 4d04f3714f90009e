# Tables that are locked, constrained, read-only or gone; owners, schemas, dumps.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 200);
my $redis = CryptoRt::Redis->start;
my $node = server('trouble', sim => $sim, redis => $redis, conf => <<'CONF');
crypto_rt.tiers = '*:200ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
CONF
my $cents = 10;    # no price comes twice

sub history
{
	my ($since) = @_;
	return $node->safe_psql('postgres', "SELECT string_agg(price::text, ' ' ORDER BY time) FROM crypto_snapshots JOIN crypto_coins USING (coin)"
			. " WHERE nameid = 'dogecoin' AND price >= $since");
}

# A new price of DOGE, which is polled.
sub new_price
{
	my $price = sprintf '0.1%d', $cents++;
	$sim->coin('dogecoin', price => $price, rank => 10);
	wait_for(sub { $node->safe_psql('postgres', "SELECT crypto_price('DOGE')") eq $price }) or die "DOGE did not get to $price";
	return $price;
}

sub ticker_becomes
{
	my ($price, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return sql_becomes($node, "SELECT price FROM tickers WHERE symbol = 'DOGE'", $price, $name, 10);
}

sub redis_becomes
{
	my ($price, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return eventually(sub { ($redis->cli('GET', 'crypto:quote:DOGE') // '') =~ /"price":\Q$price\E,/ }, $name, 5);
}

sub problem_becomes
{
	my ($regexp, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $problem;
	wait_for(sub { $problem = status($node, 'recorder_problem'); return $problem =~ $regexp });
	return like($problem, $regexp, $name);
}

sub heals
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $price = new_price();
	ticker_becomes($price, "$name: the ticker is current again");
	sql_becomes($node, 'SELECT recorder_problem IS NULL FROM crypto_status()', 't', "$name: no problem is left");
	return sql_becomes($node, "SELECT count(*) FROM crypto_snapshots WHERE price = $price", '1', "$name: so are snapshots", 10);
}

#
# Locks: one table holds up nothing but itself
#

heals('at the start');
my $first = new_price();
my @sequence = ($first);
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN; LOCK TABLE crypto_snapshots');
my $locked = time();
while (@sequence < 12 || time() - $locked < 3)
{
	push @sequence, new_price();
}
ticker_becomes($sequence[-1], 'crypto_snapshots locked: tickers go on');
redis_becomes($sequence[-1], 'crypto_snapshots locked: Redis goes on');
problem_becomes(qr/^writing crypto_snapshots: canceling statement due to lock timeout$/, 'crypto_snapshots locked: crypto_status() says so');
$session->query_safe('COMMIT');
sql_becomes($node, 'SELECT ticks_behind = 0 FROM crypto_status()', 't', 'crypto_snapshots free again: it catches up');
is(history($first), join(' ', @sequence), 'every price is there, once and in order');

for my $mode ('ACCESS EXCLUSIVE', 'SHARE')
{
	$session->query_safe("BEGIN; LOCK TABLE tickers IN $mode MODE");
	my $price = new_price();
	problem_becomes(qr/tickers: canceling statement due to lock timeout/, "tickers locked, $mode: crypto_status() says so");
	redis_becomes($price, "tickers locked, $mode: Redis goes on");
	sql_becomes($node, "SELECT count(*) FROM crypto_snapshots WHERE price = $price", '1', "tickers locked, $mode: snapshots go on", 10);
	$session->query_safe('COMMIT');
	heals("tickers free again, $mode");
}
$session->quit;
sql_is($node, 'SELECT ticks_lost FROM crypto_status()', '0', 'no tick is lost in all of this');

#
# Rows that the table refuses
#

my $log = -s $node->logfile;
$node->safe_psql('postgres', <<'SQL');
ALTER TABLE tickers ADD CONSTRAINT cheap CHECK (symbol <> 'ETH' OR price < 10000) NOT VALID;
CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF new.symbol = 'XRP' THEN
		RAISE 'no % please', new.symbol;
	END IF;
	RETURN new;
END $$;
CREATE TRIGGER object BEFORE INSERT OR UPDATE ON tickers FOR EACH ROW EXECUTE FUNCTION object();
SQL
$sim->coin('ethereum', price => '12345.67', rank => 2);
sql_becomes($node, "SELECT crypto_price('ETH')", '12345.67', 'a price that a constraint refuses');
ticker_becomes(new_price(), 'other coins are written');
eventually(sub { log_lines($node, qr/a row was refused: .*violates check constraint "cheap"/, $log) == 1 }, 'the log says so');
$sim->coin('ethereum', price => '12345.68', rank => 2);
ticker_becomes(new_price(), 'others go on');
sql_is($node, "SELECT price < 10000 FROM tickers WHERE symbol = 'ETH'", 't', 'its own row stays as it was');
sql_becomes($node, "SELECT count(*) FROM crypto_snapshots WHERE price = 12345.68", '1', 'it has its snapshots');
$sim->coin('ripple', price => '2.77', rank => 4);
sql_becomes($node, "SELECT crypto_price('XRP')", '2.77', 'a price that a trigger refuses');
ticker_becomes(new_price(), 'others go on');
sql_is($node, "SELECT price <> 2.77 FROM tickers WHERE symbol = 'XRP'", 't', 'its own row stays');
cmp_ok(scalar(log_lines($node, qr/was refused/, $log)), '<=', 2, 'the log is told once per reason');
sql_is($node, 'SELECT recorder_problem IS NULL FROM crypto_status()', 't', 'it is no problem of the whole');
$node->safe_psql('postgres', 'ALTER TABLE tickers DROP CONSTRAINT cheap; DROP TRIGGER object ON tickers');

# a foreign key of the user's
my $last = $node->safe_psql('postgres', "SELECT symbol FROM tickers WHERE symbol ~ '^[A-Z]+\$' ORDER BY rank DESC LIMIT 1");
$node->safe_psql('postgres', "CREATE TABLE portfolio (symbol text REFERENCES tickers); INSERT INTO portfolio VALUES ('$last')");
set($node, 'crypto_rt.ticker_top' => 20);
sql_becomes($node, 'SELECT count(*) < 22 FROM tickers', 't', 'tickers shrink');
sql_is($node, "SELECT count(*) FROM tickers WHERE symbol = '$last'", '1', 'the one that the user refers to stays');
my ($nameid, $rank) = split /\|/, $node->safe_psql('postgres', "SELECT nameid, rank FROM crypto_quote('$last')");
$sim->coin($nameid, price => '7.77', rank => $rank);
sql_becomes($node, "SELECT price FROM tickers WHERE symbol = '$last'", '7.77', 'and is kept up to date');
$node->safe_psql('postgres', 'DROP TABLE portfolio');
sql_becomes($node, 'SELECT count(*) <= 20 FROM tickers', 't', 'until nobody refers to it any more');
set($node, 'crypto_rt.ticker_top' => 0);

#
# Tables that cannot be written
#

set($node, 'default_transaction_read_only' => 'on');
my $meanwhile = new_price();
problem_becomes(qr/read-only transaction/, 'read-only: crypto_status() says so');
redis_becomes($meanwhile, 'read-only: Redis goes on');
$node->safe_psql('postgres', "SET default_transaction_read_only = off; ALTER SYSTEM SET default_transaction_read_only = off");
$node->reload;
heals('writable again');

$node->safe_psql('postgres', 'ALTER TABLE tickers RENAME TO elsewhere');
problem_becomes(qr/tickers: table "public\.tickers" does not exist/, 'tickers is gone: crypto_status() says so');
redis_becomes(new_price(), 'tickers is gone: Redis goes on');
$node->safe_psql('postgres', 'ALTER TABLE elsewhere RENAME TO tickers');
heals('tickers is back');

$node->safe_psql('postgres', 'ALTER TABLE crypto_snapshots RENAME price TO usd');
$first = new_price();
problem_becomes(qr/crypto_snapshots: column "price"/, 'a column is gone: crypto_status() says so');
@sequence = ($first, map { new_price() } 1 .. 3);
ticker_becomes($sequence[-1], 'a column is gone: tickers go on');
$node->safe_psql('postgres', 'ALTER TABLE crypto_snapshots RENAME usd TO price');
sql_becomes($node, 'SELECT ticks_behind = 0 FROM crypto_status()', 't', 'the column is back: it catches up');
is(history($first), join(' ', @sequence), 'with every price, once and in order');
$node->stop;

done_testing();
