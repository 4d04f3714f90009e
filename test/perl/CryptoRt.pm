# CryptoRt.pm: what the Perl tests stand on: a server with the extension, a simulator, a Redis.
#
#   my $sim   = CryptoRt::Sim->start(coins => 300);
#   my $redis = CryptoRt::Redis->start;
#   my $node  = CryptoRt::server('name', sim => $sim, redis => $redis, conf => "crypto_rt.max_rank = 100\n");
#
# All of it lives in temporary folders on free ports, and ends with the test.
package CryptoRt;

use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(server eventually wait_for remains sql_is sql_becomes status log_lines set free_port workers
	redis_becomes_whole candles_differ candles_are_right node_tests);

our $top = dirname(__FILE__) . '/../..';
our $deadline = 30;    # seconds that anything may take

# A port that nobody listens on now.
sub free_port
{
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1) or die "no free port: $!";
	return $socket->sockport;
}

# Call $what until it returns true, or the deadline passes; returns its last value.
sub wait_for
{
	my ($what, $seconds) = @_;
	my $end = time() + ($seconds // $deadline);
	my $value;
	do
	{
		$value = $what->();
		return $value if $value;
		sleep 0.05;
	} while (time() < $end);
	return $value;
}

# A test that passes when $what returns true before the deadline.
sub eventually
{
	my ($what, $name, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(wait_for($what, $seconds), $name);
}

# A test that passes when $what stays true for so many seconds.
sub remains
{
	my ($what, $name, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $end = time() + $seconds;
	do
	{
		return fail($name) unless $what->();
		sleep 0.05;
	} while (time() < $end);
	return pass($name);
}

sub sql_is
{
	my ($node, $sql, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($node->safe_psql('postgres', $sql), $expected, $name // $sql);
}

# A test that passes when the query's result becomes $expected before the deadline.
sub sql_becomes
{
	my ($node, $sql, $expected, $name, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $got;
	my $ok = wait_for(
		sub {
			my ($code, $out) = $node->psql('postgres', $sql);
			$got = $code == 0 ? $out : undef;
			return defined $got && $got eq $expected;
		},
		$seconds);
	return is($got, $expected, $name // $sql) unless $ok;
	return pass($name // $sql);
}

# A running server with the extension loaded, and created unless create => 0.
sub server
{
	my ($name, %opt) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $source = $opt{sim} ? $opt{sim}->url : 'http://127.0.0.1:1/api';
	my $redis = $opt{redis} ? $opt{redis}->url : '';

	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
	$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'crypto_rt'
log_min_messages = info
crypto_rt.source_url = '$source'
crypto_rt.redis_url = '$redis'
CONF
	$node->append_conf('postgresql.conf', $opt{conf}) if $opt{conf};
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION crypto_rt') unless defined $opt{create} && !$opt{create};
	return $node;
}

# Columns of crypto_status().
sub status
{
	my ($node, $columns) = @_;
	return $node->safe_psql('postgres', "SELECT $columns FROM crypto_status()");
}

# Set settings and have the server reread them: set($node, 'crypto_rt.ticker_top' => 10)
sub set
{
	my ($node, %value) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $_ = '$value{$_}'") for sort keys %value;
	$node->reload;
	return;
}

# The lines of the server's log that match, but for the statements of the test itself.
sub log_lines
{
	my ($node, $regexp, $offset) = @_;
	my $log = slurp_file($node->logfile, $offset // 0);
	return grep { /$regexp/ && !/ (?:STATEMENT|LOG):  (?:statement: )?.*\b(?:SELECT|ALTER|CREATE|DROP)\b/ } split /\n/, $log;
}

# The pids of the workers by kind, as crypto_status() has them.
sub workers
{
	my ($node) = @_;
	my %pid;
	@pid{qw(launcher poller publisher recorder)} = split /\|/, $node->safe_psql('postgres',
		'SELECT launcher_pid, poller_pid, publisher_pid, recorder_pid FROM crypto_status()');
	return %pid;
}

# A test that passes when Redis holds all that the board does: the coins that are listed and own their symbol.
sub redis_becomes_whole
{
	my ($node, $redis, $name, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $sql = <<'SQL';
SELECT string_agg(q.symbol || E'\n' || q.rank, E'\n' ORDER BY q.rank, q.symbol COLLATE "C")
FROM crypto_quotes() q JOIN LATERAL crypto_quote(q.symbol) o ON o.nameid = q.nameid WHERE q.rank > 0
SQL
	my $ranked = sub { $redis->cli('ZRANGE', 'crypto:symbols:ranked', 0, -1, 'WITHSCORES') // '' };
	my $quotes = sub { scalar(my @keys = split /\n/, $redis->cli('KEYS', 'crypto:quote:*') // '') };
	my $whole = sub {
		my $expected = $node->safe_psql('postgres', $sql);
		return $ranked->() eq $expected && 2 * $quotes->() == split /\n/, $expected;
	};
	return eventually($whole, $name, $seconds // 12);
}

# How many candles differ from what the snapshots say, in plain SQL.
sub candles_differ
{
	my ($node, $database) = @_;
	return $node->safe_psql($database // 'postgres', <<'SQL');
WITH wanted AS (
	SELECT s.coin, r.resolution::crypto_resolution, crypto_bucket(r.width, s.time) AS time, min(s.time) AS first_at, max(s.time) AS last_at, count(*)::int AS ticks,
		bool_or(s.simulated) AS simulated, (array_agg(s.price ORDER BY s.time))[1] AS open, max(s.price) AS high, min(s.price) AS low,
		(array_agg(s.price ORDER BY s.time DESC))[1] AS close, (array_agg(s.volume_24h ORDER BY s.time DESC))[1] AS volume_24h
	FROM crypto_snapshots s, (VALUES ('1m', interval '1 minute'), ('1h', '1 hour'), ('1d', '24 hours')) r (resolution, width)
	GROUP BY 1, 2, 3)
SELECT count(*) FROM wanted w FULL JOIN crypto_candles c USING (coin, resolution, time)
WHERE (w.first_at, w.last_at, w.ticks, w.simulated, w.open, w.high, w.low, w.close, w.volume_24h)
	IS DISTINCT FROM (c.first_at, c.last_at, c.ticks, c.simulated, c.open, c.high, c.low, c.close, c.volume_24h)
SQL
}

sub candles_are_right
{
	my ($node, $name, $database) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(candles_differ($node, $database), '0', $name // 'candles are what the snapshots say');
}

# Run a file for Node.js' test runner with these variables in its environment: each of its tests is one of ours.
sub node_tests
{
	my ($file, %variables) = @_;
	local @ENV{ keys %variables } = values %variables;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($failed, $ran) = (0, 0);

	open my $node, '-|', 'timeout', 600, 'node', '--test-reporter=tap', $file or die "no node: $!";
	while (my $line = <$node>)
	{
		if ($line =~ /^(not )?ok \d+ - (.*)/)
		{
			$ran++;
			$failed = $1 ? 1 : 0;
			ok(!$failed, $2);
		}
		elsif ($failed || $line =~ /^# (?!Subtest|tests|suites|pass|fail|cancelled|skipped|todo|duration)/)
		{
			chomp $line;
			diag $line;
		}
	}
	close $node;
	ok($? == 0 && $ran > 0, "$ran tests of " . basename($file)) or diag "exit status $?";
	return $? == 0;
}

# A program in the background: started by a list, ended when the object goes.
package CryptoRt::Program;

use strict;
use warnings;
use POSIX qw(:sys_wait_h);

sub spawn
{
	my ($log, @command) = @_;
	my $pid = fork // die "cannot fork: $!";

	if ($pid == 0)
	{
		open STDIN,  '<',  '/dev/null';
		open STDOUT, '>>', $log;
		open STDERR, '>>', $log;
		exec @command or POSIX::_exit(127);
	}
	return $pid;
}

sub end
{
	my ($self, $signal) = @_;

	return unless $self->{pid};
	local $?;
	kill $signal // 'TERM', $self->{pid};
	kill 'CONT', $self->{pid};
	waitpid $self->{pid}, 0;
	delete $self->{pid};
	return;
}

sub pid { return $_[0]{pid} }
sub port { return $_[0]{port} }

sub DESTROY
{
	my ($self) = @_;
	$self->end('KILL') if $self->{pid} && ($self->{owner} // 0) == $$;
	return;
}

package CryptoRt::Sim;

use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
our @ISA = ('CryptoRt::Program');

# Start a simulator: coins, seed, refresh, trace, or any list in args.  It is frozen unless moving => 1.
sub start
{
	my ($class, %opt) = @_;
	my $folder = File::Temp::tempdir(CLEANUP => 1);
	my $self = bless { folder => $folder, owner => $$, http => HTTP::Tiny->new(timeout => 20), opt => \%opt }, $class;

	$self->{port} = $opt{port} // 0;
	$self->launch;
	return $self;
}

sub launch
{
	my ($self) = @_;
	my %opt = %{ $self->{opt} };
	my $portfile = "$self->{folder}/port";

	unlink $portfile;
	$self->{pid} = CryptoRt::Program::spawn(
		"$self->{folder}/log",
		"$CryptoRt::top/build/coinlore_sim",
		'--listen' => "127.0.0.1:$self->{port}",
		'--port-file' => $portfile,
		'--coins' => $opt{coins} // 300,
		'--seed' => $opt{seed} // 1,
		'--refresh' => $opt{refresh} // '10s',
		'--exit-with-parent',
		$opt{trace} ? ('--trace' => $opt{trace}) : (),
		@{ $opt{args} // [] });
	CryptoRt::wait_for(sub { -s $portfile }) or die "the simulator did not start: " . PostgreSQL::Test::Utils::slurp_file("$self->{folder}/log");
	($self->{port}) = PostgreSQL::Test::Utils::slurp_file($portfile) =~ /(\d+)/;
	$self->post('/sim/freeze') unless $opt{moving};
	return;
}

sub url { return "http://127.0.0.1:$_[0]{port}/api" }

# How many pages were asked for.
sub requests { return $_[0]->get('/sim/stats')->{tickers} }

sub request
{
	my ($self, $method, $path, $body) = @_;
	my $answer = $self->{http}->request($method, "http://127.0.0.1:$self->{port}$path", defined $body ? { content => $body } : {});
	die "$method $path: $answer->{status} $answer->{content}" unless $answer->{success};
	return JSON::PP->new->decode($answer->{content});
}

sub post { my ($self, @rest) = @_; return $self->request('POST', @rest) }
sub get { my ($self, @rest) = @_; return $self->request('GET', @rest) }
sub delete { my ($self, @rest) = @_; return $self->request('DELETE', @rest) }

# Pin fields of a coin: $sim->coin('bitcoin', price => '1.00')
sub coin
{
	my ($self, $nameid, %field) = @_;
	my $query = join '&', "nameid=" . escape($nameid), map { "$_=" . escape($field{$_}) } sort keys %field;
	return $self->post("/sim/coin?$query");
}

sub fault
{
	my ($self, $mode, %more) = @_;
	return $self->post('/sim/fault?' . join '&', "mode=$mode", map { "$_=" . escape($more{$_}) } sort keys %more);
}

sub well { my ($self) = @_; return $self->delete('/sim/fault') }

sub escape
{
	my ($text) = @_;
	utf8::encode($text) if utf8::is_utf8($text);
	$text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
	return $text;
}

package CryptoRt::Redis;

use strict;
use warnings;
our @ISA = ('CryptoRt::Program');

# Start a Redis: args => [...] for its command line, unix => 1 for a socket beside the port.
sub start
{
	my ($class, %opt) = @_;
	my $folder = File::Temp::tempdir(CLEANUP => 1);
	my $self = bless { folder => $folder, owner => $$, port => $opt{port} // CryptoRt::free_port(), opt => \%opt }, $class;

	$self->launch;
	return $self;
}

sub launch
{
	my ($self) = @_;
	my @socket = $self->{opt}{unix} ? ('--unixsocket' => $self->socket) : ();

	$self->{pid} = CryptoRt::Program::spawn("$self->{folder}/log", 'redis-server', '--port' => $self->{port}, '--bind' => '127.0.0.1',
		'--dir' => $self->{folder}, '--save' => '', '--appendonly' => 'no', @socket, @{ $self->{opt}{args} // [] });
	CryptoRt::wait_for(sub { ($self->cli('PING') // '') =~ /PONG|NOAUTH/ }) or die "Redis did not start";
	return;
}

sub socket { return "$_[0]{folder}/redis.sock" }
sub url { my ($self) = @_; return $self->{opt}{url} // "redis://127.0.0.1:$self->{port}/0" }

# The answer of redis-cli to a command, without its last newline.
sub cli
{
	my ($self, @command) = @_;
	my @auth = $self->{opt}{auth} ? @{ $self->{opt}{auth} } : ();
	open my $pipe, '-|', 'redis-cli', '-p', $self->{port}, '--no-auth-warning', @auth, @command or die "cannot run redis-cli: $!";
	local $/;
	my $answer = <$pipe>;
	{ local $?; close $pipe; }
	return unless defined $answer;
	$answer =~ s/\n\z//;    # chomp does nothing while $/ is undefined
	return $answer;
}

package CryptoRt::Session;

use strict;
use warnings;
use IPC::Open2;

# A session that stays open, for tests that ask much:
#   my $db = CryptoRt::Session->new($node); $db->ask('SELECT 1'); $db->is($sql, $expected, $name); $db->becomes(...);
sub new
{
	my ($class, $node, $database) = @_;
	my $self = bless { count => 0, owner => $$ }, $class;

	$self->{pid} = open2($self->{out}, $self->{in}, 'sh', '-c', 'exec "$@" 2>&1', 'sh',
		'psql', '-XAtqw', '-d', $node->connstr($database // 'postgres'));
	return $self;
}

# What psql prints, errors included, without the last newline.
sub ask
{
	my ($self, $sql) = @_;
	my $end = 'end of answer ' . ++$self->{count};
	my $answer = '';

	local $SIG{ALRM} = sub { die "no answer to: $sql\n" };
	alarm 60;
	print { $self->{in} } "$sql\n;\n\\echo $end\n";
	$self->{in}->flush;
	while (defined(my $line = readline $self->{out}))
	{
		if ($line eq "$end\n")
		{
			alarm 0;
			chomp $answer;
			return $answer;
		}
		$answer .= $line;
	}
	die "the session ended: $answer";
}

sub is
{
	my ($self, $sql, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return Test::More::is($self->ask($sql), $expected, $name // $sql);
}

sub becomes
{
	my ($self, $sql, $expected, $name, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $got;
	CryptoRt::wait_for(sub { ($got = $self->ask($sql)) eq $expected }, $seconds);
	return Test::More::is($got, $expected, $name // $sql);
}

sub DESTROY
{
	my ($self) = @_;
	return if $self->{owner} != $$;
	local ($?, $@);
	close $self->{in};
	waitpid $self->{pid}, 0;
	return;
}

1;
