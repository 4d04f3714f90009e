# What `make run` starts: it says why CoinLore is not asked, starts again what dies, finds the extension wherever it is, and
# fits the terminal.
use strict;
use warnings;
use lib 'test/perl';
use CryptoRt;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir_short() . '/run';
my ($pg_port, $redis_port, $http_port, $nobody) = map { free_port() } 1 .. 4;
delete @ENV{qw(no_proxy NO_PROXY http_proxy SIM_PORT)};
@ENV{qw(RUN_DIR PG_PORT REDIS_PORT HTTP_PORT)} = ($dir, $pg_port, $redis_port, $http_port);
@ENV{qw(FEED https_proxy TERM)} = ('auto', "http://127.0.0.1:$nobody", 'xterm');

my $log = "$dir.log";
my $run;
my @psql = ('psql', '-XAtq', '-h' => '127.0.0.1', '-p' => $pg_port, '-U' => 'postgres', '-d' => 'postgres', '-c');

sub start
{
	$run = bless { pid => CryptoRt::Program::spawn($log, @_), owner => $$ }, 'CryptoRt::Program';
	return;
}

# Its output, or that from some place on; it may not have begun yet.
sub output { return -e $log ? slurp_file($log, $_[0] // 0) : '' }

sub says
{
	my ($regexp, $name, $offset, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return eventually(sub { output($offset) =~ $regexp }, $name, $seconds) || diag(output($offset));
}

sub pid_of
{
	my ($name) = @_;
	my ($pid) = slurp_file("$dir/$name") =~ /^(\d+)/;
	return $pid;
}

sub sql { my ($out) = run_command([ @psql, $_[0] ]); return $out }

#
# Plain lines
#

start('src/run/run');
says(qr/^ready; connect with$/m, 'it is ready');
like(output(), qr/\(CoinLore cannot be reached: Failed to connect to 127\.0\.0\.1 port $nobody.*; FEED=live/,
	'it says why there is the simulator');

my $now = sql('SELECT clock_timestamp()');
kill 'KILL', pid_of('redis.pid'), pid_of('simulator.pid');
for my $name ('redis', 'simulator')
{
	says(qr/  $name has stopped \(signal KILL\)/, "$name: that it ended is told");
	says(qr/  starting $name again$/m, "$name is started again");
}
eventually(sub { (run_command([ 'redis-cli', '-p' => $redis_port, 'GET', 'crypto:quote:BTC' ]))[0] =~ /"symbol":"BTC"/ },
	'and Redis is filled again');
eventually(sub { sql("SELECT fetched_at > '$now' AND NOT stale FROM crypto_quote('BTC')") eq 't' }, 'and prices come again');

my $offset = -s $log;
sql('DROP EXTENSION crypto_rt');
says(qr/PROBLEM: function crypto_\w+\(.*\) does not exist/, 'the extension is dropped', $offset);
$offset = -s $log;
sql('CREATE SCHEMA "my coins"');
sql('CREATE EXTENSION crypto_rt SCHEMA "my coins"');
# a page that failed while there was no simulator is a problem until its next turn, which may be a minute away
says(qr/ coins  BTC \d.*SIMULATED$/m, 'and is found in a schema of its own', $offset, 150);
$run->end('TERM');
like(output(), qr/^stopped; the data stays in \Q$dir\E$/m, 'it stops');

#
# The screen
#

# How many cells a line takes, the cursor's moves to columns included; -1 where they go back over text.
sub cells
{
	my ($line) = @_;
	my $at = 0;
	utf8::decode($line);
	while ($line =~ /\e\[(\d*)G|\e\[[\d;]*[A-Za-z]|([^\e]+)/g)
	{
		return -1 if defined $1 && $1 <= $at;
		$at = $1 - 1 if defined $1;
		$at += length $2 if defined $2;
	}
	return $at;
}

# The newest screen that is whole.
sub screen
{
	my @screens = output($_[0]) =~ /\e\[H(.*?)\e\[m\e\[J/gs;
	return $screens[-1] // '';
}

$offset = -s $log;
start('script', '-qefc', 'stty cols 80 rows 45; exec src/run/run', '/dev/null');
eventually(sub { screen($offset) =~ / BTC\b.*redis .*connected/s }, 'there is a screen, with the extension where it was');
eventually(sub { sql('SELECT active_coins > 1000 FROM "my coins".crypto_status()') eq 't' }, 'with many coins');
my $terminal = readlink '/proc/' . pid_of('run.pid') . '/fd/1';
for my $columns (80, 60, 120)
{
	$offset = -s $log;
	run_command([ 'stty', '-F', $terminal, 'cols', $columns ]);
	my ($title, @lines);
	eventually(sub { ($title, @lines) = split /\r+\n/, screen($offset); return cells($title // '') == $columns },
		"$columns columns: the title fits");
	like($title, qr/SIMULATED PRICES, not the market's .*\d\d:\d\d:\d\d$/, 'with the warning and the time in whole');
	is_deeply([ grep { cells($_) < 0 || cells($_) > $columns } @lines ], [], 'and so does every other line');
}

$offset = -s $log;
kill 'INT', pid_of('postgres/postmaster.pid');
says(qr/postgres has stopped \(exit status 0\)/, 'it ends with PostgreSQL', $offset);
says(qr/^stopped; the data stays in/m, 'and stops the rest', $offset);
$run->end;

done_testing();
