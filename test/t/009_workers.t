# Workers that are killed, servers that are stopped: all comes back, once, and nothing hangs.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use CryptoRt;

my $load = "crypto_rt.tiers = '*:50ms'\ncrypto_rt.max_requests_per_second = 1000\ncrypto_rt.flush_interval = 100ms\n";
my @kinds = qw(launcher poller publisher recorder);

my $sim = CryptoRt::Sim->start(coins => 300, moving => 1, refresh => '1s');
my $redis = CryptoRt::Redis->start;
my $node = server('workers', sim => $sim, redis => $redis, conf => "$load\nrestart_after_crash = on\n");

sub one_of_each
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $sql = "SELECT string_agg(backend_type, ',' ORDER BY backend_type) FROM pg_stat_activity WHERE backend_type LIKE 'crypto_rt%'";
	return sql_becomes($node, $sql, join(',', map { "crypto_rt $_" } @kinds), $name);
}

# What moves while all is well: answers of the feed, messages in Redis, rows in the tables.
sub marks { return split /\|/, status($node, 'pages_fetched, redis_messages, tickers_written') }

sub all_moves
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @before = marks();
	return eventually(
		sub {
			my @now = marks();
			return !grep { $now[$_] <= $before[$_] } 0 .. $#before;
		},
		"$name: feed, Redis and tables move");
}

# Stop the server.  Within a second, pg_ctl's own start apart.
sub stops
{
	my ($mode, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $begin = time();
	$node->stop($mode);
	return cmp_ok(time() - $begin, '<', 1, $name);
}

one_of_each('one of each worker');
all_moves('at the start');

#
# SIGTERM
#

my %old = workers($node);
for my $kind (qw(poller publisher recorder))
{
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($old{$kind})");
	my $begin = time();
	sql_becomes($node, "SELECT ${kind}_pid <> $old{$kind} FROM crypto_status()", 't', "$kind terminated: another one comes", 5);
	all_moves("$kind terminated");
}

%old = workers($node);
$node->safe_psql('postgres', "SELECT pg_terminate_backend($old{launcher})");
sql_becomes($node, "SELECT launcher_pid <> $old{launcher} FROM crypto_status()", 't', 'launcher terminated: another one comes', 5);
remains(sub { my %now = workers($node); !grep { $now{$_} ne $old{$_} } qw(poller publisher recorder) },
	'the others stay', 2.5);
one_of_each('launcher terminated: one of each');

# the new launcher looks after those that it did not start itself
$node->safe_psql('postgres', "SELECT pg_terminate_backend($old{$_})") for qw(poller publisher recorder);
sql_becomes($node,
	"SELECT poller_pid <> $old{poller} AND publisher_pid <> $old{publisher} AND recorder_pid <> $old{recorder} FROM crypto_status()",
	't', 'all three terminated: others come', 8);
all_moves('all terminated');

# all at once, the launcher too
%old = workers($node);
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type ~ \'^crypto_rt\'');
eventually(sub { my %now = workers($node); !grep { !$now{$_} || $now{$_} eq $old{$_} } @kinds }, 'all four terminated: others come', 10);
one_of_each('all four terminated: one of each');

#
# SIGKILL: the server restarts by itself
#

for my $kind (qw(poller recorder))
{
	my $offset = -s $node->logfile;
	%old = workers($node);
	kill 'KILL', $old{$kind};
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';
	sql_becomes($node, "SELECT ${kind}_pid IS NOT NULL FROM crypto_status()", 't', "$kind killed: another one comes", 10);
	all_moves("$kind killed");
	one_of_each("$kind killed: one of each");
}
sql_is($node, 'SELECT count(*) FROM (SELECT FROM crypto_snapshots GROUP BY coin, time HAVING count(*) > 1) AS twice', '0',
	'no snapshot is there twice');
sql_is($node, 'SELECT count(*) FROM crypto_snapshots WHERE coin NOT IN (SELECT coin FROM crypto_coins)', '0', 'each is of a coin');

#
# Stopping
#

stops('fast', 'pg_ctl stop -m fast under load, within 1 s');
$node->start;
all_moves('started again');

stops('immediate', 'pg_ctl stop -m immediate');
$node->start;
all_moves('started after an immediate stop');
one_of_each('started after an immediate stop: one of each');

$sim->fault('hang');
kill 'STOP', $redis->pid;
wait_for(sub { my $before = status($node, 'pages_fetched'); select undef, undef, undef, 0.3; status($node, 'pages_fetched') eq $before });
stops('fast', 'pg_ctl stop -m fast with a feed that hangs and a Redis that is frozen, within 1 s');
$node->start;
one_of_each('started with both so: one of each');
stops('fast', 'stopped again at once, within 1 s');
kill 'CONT', $redis->pid;
$sim->well;

#
# Too few processes
#

$node->append_conf('postgresql.conf', "max_worker_processes = 3\n");
my $log = -s $node->logfile;
$node->start;
my $too_few = 'no free background worker: raise max_worker_processes';
sql_becomes($node, 'SELECT launcher_problem FROM crypto_status()', $too_few, 'max_worker_processes too small: crypto_status() says so');
remains(sub { log_lines($node, qr/$too_few/, $log) == 1 }, 'the log says so once', 3);
$node->append_conf('postgresql.conf', "max_worker_processes = 8\n");
$node->restart;
sql_becomes($node, 'SELECT launcher_problem IS NULL FROM crypto_status()', 't', 'raised, all is well');
all_moves('raised');
one_of_each('raised: one of each');
$node->stop;

done_testing();
