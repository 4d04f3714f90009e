# From CREATE EXTENSION to DROP EXTENSION, and what is done to the database meanwhile.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use CryptoRt;

my $load = "crypto_rt.tiers = '*:50ms'\ncrypto_rt.max_requests_per_second = 1000\ncrypto_rt.flush_interval = 100ms\n";

# Whether the tickers are there: all but a few, since some coins share their symbol with a better one.
my $complete = 'SELECT count(*) > 440 FROM tickers';

# The workers that run, launcher and recorder apart.
sub polling_workers
{
	my ($node) = @_;
	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type IN ('crypto_rt poller', 'crypto_rt publisher')");
}

# Polling ends within two seconds, and does not begin again.
sub polling_ends
{
	my ($node, $sim, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	eventually(sub { polling_workers($node) == 0 }, "$name: poller and publisher end", 3);
	my $requests = $sim->requests;
	return remains(sub { $sim->requests == $requests }, "$name: nothing is asked for any more", 1);
}

# Run it, which must not take longer than so many seconds.
sub quickly
{
	my ($what, $name, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $begin = time();
	$what->();
	return cmp_ok(time() - $begin, '<', $seconds, "$name within $seconds s");
}

my $sim = CryptoRt::Sim->start(coins => 500, moving => 1, refresh => '1s');
my $node = server('lifecycle', sim => $sim, create => 0, conf => $load);

#
# Polling begins with the commit
#

my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN; CREATE EXTENSION crypto_rt');
remains(sub { $sim->requests == 0 }, 'nothing is polled before the commit', 1.2);
$session->query_safe('ROLLBACK');
remains(sub { $sim->requests == 0 && polling_workers($node) == 0 }, 'nor after a rollback', 1.2);

$session->query_safe('BEGIN; CREATE EXTENSION crypto_rt');
$session->query_safe('COMMIT');
my $committed = time();
wait_for(sub { $sim->requests > 0 });
cmp_ok(time() - $committed, '<', 1, 'polling begins within a second of the commit');
sql_becomes($node, "SELECT crypto_price('BTC') > 0", 't', 'a price is there');
sql_becomes($node, $complete, 't', 'and all tickers');

#
# DROP EXTENSION, under load: 20 polls a second of each page
#

$session->query_safe('BEGIN; DROP EXTENSION crypto_rt; ROLLBACK');
my $before = $sim->requests;
eventually(sub { $sim->requests > $before + 20 }, 'a DROP EXTENSION that is rolled back stops nothing');

quickly(sub { $node->safe_psql('postgres', 'DROP EXTENSION crypto_rt') }, 'DROP EXTENSION', 2);
polling_ends($node, $sim, 'DROP EXTENSION');

my $slowest = 0;
for my $round (1 .. 10)
{
	my $asked = $sim->requests;
	$node->safe_psql('postgres', 'CREATE EXTENSION crypto_rt');
	# every other time it is dropped while all is just starting
	wait_for(sub { $sim->requests > $asked + 10 }) if $round % 2;
	my $begin = time();
	$node->safe_psql('postgres', 'DROP EXTENSION crypto_rt');
	$slowest = time() - $begin if time() - $begin > $slowest;
}
cmp_ok($slowest, '<', 2, 'created and dropped ten times, none took longer than 2 s');
polling_ends($node, $sim, 'after ten times');

$node->safe_psql('postgres', 'CREATE EXTENSION crypto_rt');
sql_becomes($node, $complete, 't', 'and the eleventh time all is there');
sql_becomes($node, 'SELECT recorder_problem IS NULL AND feed_problem IS NULL AND launcher_problem IS NULL FROM crypto_status()',
	't', 'with nothing to complain about');

# recreated in one transaction, so that nobody sees it gone
$session->query_safe('BEGIN; DROP EXTENSION crypto_rt; CREATE EXTENSION crypto_rt; COMMIT');
sql_becomes($node, $complete, 't', 'dropped and created in one transaction');
sql_becomes($node, 'SELECT count(*) > 0 FROM crypto_snapshots s JOIN crypto_coins c USING (coin)', 't', 'with snapshots of its coins');
$session->quit;

quickly(sub { $node->safe_psql('postgres', 'CREATE DATABASE other'); $node->safe_psql('postgres', 'DROP DATABASE other') },
	'another database is created and dropped under load', 5);
is_deeply([ log_lines($node, qr/PANIC|FATAL|ERROR/) ], [], 'no error in the log of all this');
my @told = log_lines($node, qr/crypto_rt /);
cmp_ok(scalar @told, '<', 8, 'and hardly a line of ours') or diag(join "\n", @told);
$node->stop;

#
# The database is missing; comes; goes; comes again
#

$node = server('databases', sim => $sim, create => 0, conf => "$load\ncrypto_rt.database = 'prices'\n");
my $waiting = qr/waiting for database "prices"/;
eventually(sub { log_lines($node, $waiting) }, 'the launcher says what it waits for');
remains(sub { log_lines($node, $waiting) == 1 }, 'once', 2.5);
$before = $sim->requests;

# in another database, and where its tables' names are taken
my ($code, undef, $said);
for my $table (qw(tickers crypto_coins crypto_snapshots))
{
	$node->safe_psql('postgres', "CREATE TABLE $table ()");
	($code, undef, $said) = $node->psql('postgres', 'CREATE EXTENSION crypto_rt');
	like($said, qr/ERROR:  relation "$table" already exists in schema "public"$/m, "there is a table $table already");
	unlike($said, qr/WARNING/, 'which is all that is said');
	my ($advice) = $said =~ /HINT:  .*: (CREATE SCHEMA crypto; CREATE EXTENSION crypto_rt SCHEMA crypto;)$/m;
	is($node->psql('postgres', $advice // 'no advice'), 0, 'the hint helps');
	$node->safe_psql('postgres', "DROP EXTENSION IF EXISTS crypto_rt; DROP SCHEMA IF EXISTS crypto; DROP TABLE $table");
}
($code, undef, $said) = $node->psql('postgres', 'CREATE TEMPORARY TABLE tickers (); CREATE EXTENSION crypto_rt');
is($code, 0, 'a temporary table is not in the way');
like($said, qr/WARNING:  no prices will be written to the tables of crypto_rt in database "postgres"$/m, 'created in another database, it warns');
like($said, qr/DETAIL:  crypto_rt\.database names "prices": /, 'says which one is written');
like($said, qr/HINT:  CREATE EXTENSION crypto_rt in database "prices", or set crypto_rt\.database = 'postgres' and restart the server\.$/m,
	'and what to do');
remains(sub { $sim->requests == $before }, 'the extension in another database starts nothing', 1.5);
sql_is($node, 'SELECT state, launcher_problem FROM crypto_status()',
	'waiting for the extension|waiting for database "prices" (crypto_rt.database)', 'crypto_status() says so, too');

sub create_prices
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->safe_psql('postgres', 'CREATE DATABASE prices');
	($code, undef, $said) = $node->psql('prices', 'CREATE EXTENSION crypto_rt');
	is("$code $said", '0 ', "$name: created there, it warns of nothing");
	eventually(sub { $node->safe_psql('prices', $complete) eq 't' }, "$name: tickers are filled");
	sql_becomes($node, 'SELECT state, launcher_problem IS NULL, recorder_problem IS NULL FROM crypto_status()', 'polling|t|t',
		"$name: all is well");
	return;
}

create_prices('the database comes');
sql_is($node, "SELECT crypto_price('BTC') > 0, (SELECT count(*) FROM crypto_quotes()) > 480, (SELECT count(*) FROM tickers)", 't|t|0',
	'functions work in the other database, too; tables are filled in one only');

($code, undef, $said) = $node->psql('postgres', 'DROP DATABASE prices');
like($said, qr/is being accessed by other users/, 'DROP DATABASE without FORCE is refused');
quickly(sub { $node->safe_psql('postgres', 'DROP DATABASE prices WITH (FORCE)') }, 'DROP DATABASE WITH (FORCE)', 5);
polling_ends($node, $sim, 'DROP DATABASE');
sql_becomes($node, 'SELECT recorder_pid IS NULL AND launcher_pid IS NOT NULL FROM crypto_status()', 't', 'only the launcher is left');
remains(sub { log_lines($node, $waiting) == 2 }, 'it waits again and says so once', 2);

create_prices('the database comes again');
$node->safe_psql('postgres', 'DROP EXTENSION crypto_rt');
$before = $sim->requests;
eventually(sub { $sim->requests > $before + 50 }, 'DROP EXTENSION in the other database stops nothing');
$node->stop;

done_testing();
