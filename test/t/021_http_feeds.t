# Where the HTTP daemon's quotes come from: Redis, PostgreSQL, and the change between them while clients read.
use strict;
use warnings;
use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use CryptoRt;
use CryptoRtClock;
use CryptoRtHttp;

my $secret = 'hush:/@%+word';
my $folder = tempdir(CLEANUP => 1);

# A stream on a bare connection.
package Stream
{
	sub open
	{
		my ($class, $http, $query) = @_;
		my $self = bless { socket => $http->connect, bytes => '' }, $class;
		print { $self->{socket} } "GET /api/v1/crypto/stream$query HTTP/1.1\r\nHost: x\r\n\r\n";
		$self->{socket}->blocking(0);
		return $self;
	}

	# Whether anything that has come so far matches.
	sub has
	{
		my ($self, $regexp) = @_;
		1 while sysread $self->{socket}, $self->{bytes}, 65536, length $self->{bytes};
		return $self->{bytes} =~ $regexp;
	}
}

# A client that asks all the time, from another process: for a price, and how many there are.
package Reader
{
	sub start
	{
		my ($class, $http, $coins) = @_;
		my $self = bless { log => "$folder/reader" }, $class;
		my $url = $http->url;
		$self->{pid} = fork // die "cannot fork: $!";
		return $self if $self->{pid};

		my $ended = 0;
		local $SIG{TERM} = sub { $ended = 1 };
		my $client = HTTP::Tiny->new(timeout => 5);
		my ($before, $asked, @wrong) = ('', 0);
		while (!$ended)
		{
			my $answer = $client->get("$url/api/v1/crypto/BTC/price");
			my ($updated) = ($answer->{content} // '') =~ /"last_updated":"([^"]+)"/;
			my $stats = $client->get("$url/api/v1/crypto/stats");
			my ($total) = ($stats->{content} // '') =~ /"total_coins":(\d+)/;
			last if $ended;
			push @wrong, "BTC: $answer->{status} $answer->{content}" if $answer->{status} != 200;
			push @wrong, "BTC went back from $before to $updated" if defined $updated && $updated lt $before;
			push @wrong, 'coins: ' . ($total // $stats->{status}) if ($total // 0) < $coins;
			$before = $updated if defined $updated;
			$asked++;
			Time::HiRes::sleep(0.01);
		}
		main::append_to_file($self->{log}, join "\n", $asked, @wrong);
		POSIX::_exit(0);
	}

	# How often it asked, and what was wrong.
	sub end
	{
		my ($self) = @_;
		local $?;
		kill 'TERM', $self->{pid};
		waitpid $self->{pid}, 0;
		delete $self->{pid};
		return split /\n/, main::slurp_file($self->{log});
	}

	sub DESTROY { my ($self) = @_; kill 'KILL', $self->{pid} if $self->{pid}; return }
}

# A daemon that is told of its sources by these arguments and variables only.
package Bare
{
	our @ISA = ('CryptoRtHttp');

	sub launch
	{
		my ($self) = @_;
		local %ENV = (%ENV, CryptoRtClock::environment(), %{ $self->{opt}{environment} });
		return $self->SUPER::launch;
	}

	sub command
	{
		my ($self) = @_;
		my ($program) = $self->SUPER::command;
		return ($program, '--listen' => '127.0.0.1:0', '--port-file' => "$self->{folder}/port", '--rate' => 0, @{ $self->{opt}{args} });
	}
}

sub daemon { my ($args, %environment) = @_; return Bare->start(args => $args, environment => \%environment) }

sub stats { my ($http) = @_; return $http->json('/api/v1/crypto/stats') // {} }
sub source_is { my ($http, $source) = @_; return (stats($http)->{source} // '') eq $source }

# A counter of its feed from Redis; /stats may be a second old.
sub counted { my ($http, $what) = @_; return $http->get('/metrics')->{content} =~ /^crypto_rt_http_feed_${what}_total\{source="redis"\} (\d+)$/m ? $1 : die "no counter $what" }
sub raw { my ($http, $symbol) = @_; return $http->get('/api/v1/crypto/' . CryptoRt::Sim::escape($symbol) . '/price')->{content} }
sub costs { my ($http, $symbol, $price) = @_; return raw($http, $symbol) =~ /"price":\Q$price\E,/ }

my $sim = CryptoRt::Sim->start(coins => 130);
my $redis = CryptoRt::Redis->start;
my $node = server('feeds', sim => $sim, redis => $redis, conf => <<'CONF');
crypto_rt.tiers = '*:250ms'
crypto_rt.max_requests_per_second = 100
CONF
CryptoRtClock::build();
sql_becomes($node, 'SELECT coins FROM crypto_status()', 130, 'all coins are there');
redis_becomes_whole($node, $redis, 'Redis is whole');
my $http = daemon([ '--redis', $redis->url, '--database', $node->connstr('postgres') ]);
my $alone = daemon([ '--redis', '', '--database', $node->connstr('postgres') ]);
eventually(sub { source_is($http, 'redis') }, 'with both, quotes come from Redis');
eventually(sub { source_is($alone, 'postgres') }, 'without Redis they come from PostgreSQL');
my $coins = stats($http)->{total_coins};
is($coins, $redis->cli('ZCARD', 'crypto:symbols:ranked'), 'all of them');
is(stats($alone)->{total_coins}, $coins, 'PostgreSQL has as many');

my $reader = Reader->start($http, $coins);
my $stream = Stream->open($http, '?symbols=BTC');
my $dollars = 70000;

# A new price in the simulator is a price and on the stream, within seconds.
sub follows
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $price = ++$dollars . '.25';
	$sim->coin('bitcoin', price => $price);
	eventually(sub { costs($http, 'BTC', $price) }, "$name: a new price arrives", 5);
	return eventually(sub { $stream->has(qr/"price":\Q$price\E,/) }, "$name: on the open stream, too", 5);
}

# All that Redis holds is what the daemon says, byte by byte; for while polling is paused.
sub whole
{
	my ($daemon, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @wrong;
	my $same = sub {
		my @symbols = split /\n/, $redis->cli('ZRANGE', 'crypto:symbols:ranked', 0, -1);
		my @quotes = split /\n/, $redis->cli('MGET', map { "crypto:quote:$_" } @symbols), -1;
		@wrong = grep { raw($daemon, $symbols[$_]) ne $quotes[$_] } 0 .. $#symbols;
		@wrong = map { "$symbols[$_]: $quotes[$_]" } @wrong;
		return !@wrong && @symbols == $coins && stats($daemon)->{total_coins} == $coins;
	};
	return eventually($same, $name, 8) || diag explain @wrong[ 0 .. ($#wrong < 3 ? $#wrong : 3) ];
}

follows('Redis');

#
# Redis goes and comes
#

$redis->end('KILL');
eventually(sub { source_is($http, 'postgres') }, 'killed: quotes come from PostgreSQL', 5);
follows('killed');
is($http->get('/readyz')->{status}, 200, 'killed: the daemon is ready');
like(stats($http)->{feed}{redis}{problem}, qr/^could not connect: Connection refused|closed|reset/, 'killed: /stats says why');
$redis->launch;
eventually(sub { source_is($http, 'redis') }, 'started again: they come from Redis', 20);
follows('started again');
eventually(sub { !stats($http)->{feed}{postgres}{problem} }, 'started again: PostgreSQL is nobody\'s problem', 5);

$redis->cli('FLUSHALL');
follows('emptied');
redis_becomes_whole($node, $redis, 'emptied: Redis is filled again');
ok(source_is($http, 'redis'), 'emptied: they still come from Redis');

#
# The same bytes from both; polling is paused, so that what is in Redis is the test's
#

# The epoch and the number of the next message.
sub message_numbers
{
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $redis->port, Timeout => 5) // die "cannot connect: $!";
	my $bytes = '';
	local $SIG{ALRM} = sub { die "no message\n" };
	alarm 10;
	print $socket "SUBSCRIBE crypto:updates\r\n";
	$socket->flush;
	sysread $socket, $bytes, 65536, length $bytes or die 'no subscription' until $bytes =~ /subscribe/;
	follows('a message');
	sysread $socket, $bytes, 65536, length $bytes or die 'no message' until $bytes =~ /\{"epoch":(\d+),"seq":(\d+)/;
	alarm 0;
	return ($1, $2);
}

my ($epoch, $seq) = message_numbers();

# A message by hand, of which the daemon shall not think that it follows the last one.
sub publish { my ($text) = @_; return $redis->cli('PUBLISH', 'crypto:updates', $text) }
sub publish_gap { $seq += 1000; return publish(qq({"epoch":$epoch,"seq":$seq,"quotes":[]})) }

# Change a price in Redis, and tell nobody.
my $cents = 10;
sub change_silently
{
	my ($symbol) = @_;
	my $price = '3.' . ++$cents;
	my $json = $redis->cli('GET', "crypto:quote:$symbol");
	$json =~ s/"price":[0-9.]+/"price":$price/;
	$redis->cli('SET', "crypto:quote:$symbol", $json, 'EX', 60);
	return $price;
}

# What was missed is found after something has happened.
sub rereads_after
{
	my ($what, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $rereads = counted($http, 'rereads');
	my $price = change_silently('ETH');
	$what->();
	CryptoRtClock::forward(5);    # it reads everything no sooner than that
	eventually(sub { costs($http, 'ETH', $price) }, "$name: everything is read anew", 5);
	return cmp_ok(counted($http, 'rereads'), '>', $rereads, "$name: which is counted");
}

$node->safe_psql('postgres', 'SELECT crypto_pause()');
whole($alone, 'PostgreSQL: byte by byte what is in Redis');

my $gaps = counted($http, 'gaps');
rereads_after(\&publish_gap, 'a gap');
is(counted($http, 'gaps'), $gaps + 1, 'a gap: it is counted');
whole($http, 'a gap: all is as in Redis');
rereads_after(sub { $epoch++; publish(qq({"epoch":$epoch,"seq":$seq,"quotes":[]})) }, 'a new epoch');
my $refused = counted($http, 'refused_quotes');
rereads_after(sub { publish('{"epoch":1,"seq":') }, 'a message that is no JSON');
cmp_ok(counted($http, 'refused_quotes'), '>', $refused, 'a message that is no JSON: it is counted');

#
# Rubbish
#

my $ether = raw($http, 'ETH');
my @rubbish = (
	[ 'no JSON' => 'SET', 'crypto:quote:ETH', 'rubbish' ],
	[ 'half a quote' => 'SET', 'crypto:quote:ETH', substr $ether, 0, 60 ],
	[ 'a price that is none' => 'SET', 'crypto:quote:ETH', $ether =~ s/"price":[0-9.]+/"price":"high"/r ],
	[ 'bytes' => 'SET', 'crypto:quote:ETH', "\xff\xfe\x01" ],
	[ 'a list' => 'RPUSH', 'crypto:quote:ETH', $ether ]);
for (@rubbish)
{
	my ($name, @command) = @$_;
	$refused = counted($http, 'refused_quotes');
	$redis->cli('DEL', 'crypto:quote:ETH');
	$redis->cli(@command);
	my $price = change_silently('DOGE');
	publish_gap();
	CryptoRtClock::forward(5);
	eventually(sub { costs($http, 'DOGE', $price) }, "$name: others are read", 5);
	eventually(sub { counted($http, 'refused_quotes') > $refused }, "$name: it is refused and counted", 5);
	is(raw($http, 'ETH'), $ether, "$name: the last one that was good stays");
}
my $newcomer = daemon([ '--redis', $redis->url ]);
eventually(sub { source_is($newcomer, 'redis') }, 'a daemon starts beside a quote that is none');
is(stats($newcomer)->{total_coins}, $coins - 1, 'it has all but this one');
is($newcomer->get('/api/v1/crypto/ETH/price')->{status}, 404, 'which is not found');
like($newcomer->log, qr/redis sent what is no quote .*symbol holds something else than a string: "ETH"/, 'the log names it');

$redis->cli('SET', 'crypto:symbols:ranked', 'x');
my $late = daemon([ '--redis', $redis->url ]);
eventually(sub { $late->log =~ /no quotes from redis \(127[^)]*\): the key crypto:symbols:ranked holds something else/ },
	'a ranked set of the wrong type: a daemon that starts now says so');
is($late->get('/readyz')->{status}, 503, 'a ranked set of the wrong type: and is not ready');
$redis->cli('PUBLISH', 'crypto:updates', $_) for 'null', '[]', "\xff", '{"epoch":"x","seq":1,"quotes":[]}', '{"epoch":1,"seq":1,"quotes":[null,1,{}]}';
publish_gap();
CryptoRtClock::forward(5);
remains(sub { source_is($http, 'redis') && stats($http)->{total_coins} == $coins }, 'a ranked set of the wrong type: what is held stays', 0.5);

$node->safe_psql('postgres', 'SELECT crypto_resume()');
redis_becomes_whole($node, $redis, 'polled again: Redis is whole');
follows('polled again');
$sim->coin('ethereum', price => '4321.25');
eventually(sub { costs($_, 'ETH', '4321.25') }, 'polled again: the quote is back', 10) for $http, $newcomer, $late;
$_->end for $newcomer, $late;

#
# A connection cut, silence, a Redis that stands still
#

my $connects = counted($http, 'connects');
$redis->cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
eventually(sub { counted($http, 'connects') > $connects && source_is($http, 'redis') }, 'the subscription cut: it is taken anew', 5);
follows('the subscription cut');

set($node, 'crypto_rt.redis_url' => '');
eventually(sub { CryptoRtClock::forward(1); source_is($http, 'postgres') }, 'nobody publishes: quotes come from PostgreSQL');
like(stats($http)->{feed}{redis}{problem}, qr/^nothing is published/, 'nobody publishes: /stats says so');
follows('nobody publishes');
my $old = $redis->cli('GET', 'crypto:quote:BTC');
publish(qq({"epoch":1,"seq":1,"quotes":[$old]}));
remains(sub { costs($http, 'BTC', "$dollars.25") }, 'nobody publishes: what Redis has from before does not come back', 0.5);
set($node, 'crypto_rt.redis_url' => $redis->url);
eventually(sub { source_is($http, 'redis') }, 'somebody publishes: they come from Redis');
follows('somebody publishes');

kill 'STOP', $redis->pid;
eventually(sub { CryptoRtClock::forward(1); source_is($http, 'postgres') }, 'Redis stands still: quotes come from PostgreSQL', 5);
follows('Redis stands still');
kill 'CONT', $redis->pid;
eventually(sub { source_is($http, 'redis') }, 'it moves again: they come from Redis', 20);
follows('it moves again');

my ($asked, @wrong) = $reader->end;
cmp_ok($asked, '>', 100, 'a client has asked all the time');
is_deeply(\@wrong, [], 'and got each time a price that is no older than the one before, of as many coins');

#
# A coin goes
#

my $gone = $redis->cli('ZRANGE', 'crypto:symbols:ranked', 99, 99);
my $id = $http->json("/api/v1/crypto/$gone/price")->{id};
$sim->coin($id, present => 0);
eventually(sub { $redis->cli('EXISTS', "crypto:quote:$gone") eq '0' }, "a coin leaves the simulator and Redis");
for ([ $http, 'Redis' ], [ $alone, 'PostgreSQL' ])
{
	my ($daemon, $name) = @$_;
	is($daemon->get("/api/v1/crypto/$gone/price")->{status}, 200, "$name: its last price stays while it is fresh");
}
CryptoRtClock::forward(61);
for ([ $http, 'Redis' ], [ $alone, 'PostgreSQL' ])
{
	my ($daemon, $name) = @$_;
	eventually(sub { !$daemon->json('/api/v1/crypto/prices')->{prices}{$gone} }, "$name: a minute later it has left the prices", 10);
	is($daemon->get("/api/v1/crypto/$gone/price")->{status}, 404, "$name: and is not found");
	eventually(sub { stats($daemon)->{total_coins} == $coins - 1 }, "$name: all others are there", 5);
}
$http->end;

#
# PostgreSQL goes and comes
#

sub follows_alone
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $price = ++$dollars . '.75';
	$sim->coin('bitcoin', price => $price);
	return eventually(sub { costs($alone, 'BTC', $price) }, "$name: a new price arrives", 15);
}

follows_alone('PostgreSQL alone');
$node->stop('immediate');
eventually(sub { !stats($alone)->{source} }, 'PostgreSQL stopped: no source', 5);
like(raw($alone, 'BTC'), qr/"symbol":"BTC"/, 'PostgreSQL stopped: what is held is served');
$node->start;
follows_alone('PostgreSQL started');
$node->safe_psql('postgres', 'DROP EXTENSION crypto_rt');
eventually(sub { (stats($alone)->{feed}{postgres}{problem} // '') =~ /CREATE EXTENSION crypto_rt/ }, 'the extension dropped: /stats says so', 5);
like(raw($alone, 'BTC'), qr/"symbol":"BTC"/, 'the extension dropped: what is held is served');
$node->safe_psql('postgres', 'CREATE SCHEMA "Odd Name"; CREATE EXTENSION crypto_rt SCHEMA "Odd Name"');
follows_alone('created again, in another schema');
eventually(sub { source_is($alone, 'postgres') }, 'created again: quotes come from PostgreSQL', 5);

#
# Neither
#

my $port = free_port();
my $neither = daemon([ '--redis', "redis://localhost:$port", '--database', "host=127.0.0.1 port=$port password=$secret" ]);
is($neither->get('/healthz')->{status}, 200, 'neither: /healthz');
for my $path (qw(/readyz /api/v1/crypto/BTC/price /api/v1/crypto/prices /api/v1/crypto /api/v1/crypto/prices?symbols=BTC))
{
	my $answer = $neither->get($path);
	is($answer->{status}, 503, "neither: $path");
	like($answer->{headers}{'retry-after'} // '', qr/^[1-9]\d*$/, 'with Retry-After');
	like($answer->{content}, qr/^\{"error":"[^"]+"/, 'and why');
}
my $waiting = Stream->open($neither, '?symbols=BTC');
eventually(sub { $waiting->has(qr/\n\n|\r\n\r\n/) }, 'neither: a stream waits', 5);
is($neither->get('/api/v1/crypto/stats')->{status}, 200, 'neither: /stats tells of the state');

# A Redis of the test's own, with one quote.
sub fill
{
	my ($into, $price) = @_;
	my $json = sprintf '{"symbol":"BTC","price":%s,"change_24h":1.5,"volume_24h":2,"last_updated":"%s","update_interval":5,"source":"coinlore","id":"bitcoin","rank":1}',
	  $price, POSIX::strftime('%Y-%m-%dT%H:%M:%S.000Z', gmtime time);
	$into->cli('SET', 'crypto:quote:BTC', $json);
	return $into->cli('ZADD', 'crypto:symbols:ranked', 1, 'BTC');
}

my $locked = CryptoRt::Redis->start(port => $port, unix => 1, args => [ '--requirepass', $secret ], auth => [ '-a', $secret ]);
eventually(sub { $neither->log =~ /no quotes from redis \(localhost:$port\): it wants a password/ }, 'a Redis with a password: the log asks for it', 10);
$locked->cli('CONFIG', 'SET', 'requirepass', '');
fill($locked, '1.50');
eventually(sub { costs($neither, 'BTC', '1.50') }, 'one comes: the price is there', 10);
eventually(sub { $waiting->has(qr/data: \{"BTC":\{"price":1\.50,/) }, 'one comes: the stream that waited has it');
eventually(sub { source_is($neither, 'redis') }, 'one comes: it is the source');

# Nothing else changes but a key: it is read within the half minute in which all are.
my $number = 0;
fill($locked, '1.75');
eventually(
	sub {
		CryptoRtClock::forward(1);
		$locked->cli('PUBLISH', 'crypto:updates', '{"epoch":1,"seq":' . ++$number . ',"quotes":[]}');
		costs($neither, 'BTC', '1.75');
	},
	'a quote that is overwritten silently is found in its turn');

#
# Passwords, and a socket
#

$locked->cli('CONFIG', 'SET', 'requirepass', $secret);
$locked->cli('ACL', 'SETUSER', 'reader', 'on', ">$secret", '~crypto:*', '&crypto:*', '+@read', '+@connection', '+subscribe', '+select');
append_to_file("$folder/password", "$secret\n");
my $escaped = CryptoRt::Sim::escape($secret);
my $plain = "redis://127.0.0.1:$port";
my $tcp = "127.0.0.1:$port";
my @ways = (
	[ 'a url', [ '--redis', "redis://:$escaped\@$tcp" ] ],
	[ 'a url with a user', [ '--redis', "redis://reader:$escaped\@$tcp" ] ],
	[ 'a file', [ '--redis', $plain, '--redis-password-file', "$folder/password" ] ],
	[ 'REDIS_PASSWORD', [ '--redis', $plain ], REDIS_PASSWORD => $secret ],
	[ 'REDIS_PASSWORD and REDIS_USERNAME', [ '--redis', $plain ], REDIS_PASSWORD => $secret, REDIS_USERNAME => 'reader' ],
	[ 'REDIS_URL', [], REDIS_URL => "redis://:$escaped\@$tcp" ],
	[ 'REDIS_ADDR', [], REDIS_ADDR => $tcp, REDIS_PASSWORD => $secret ],
	[ 'a socket', [ '--redis', 'unix://:' . $escaped . '@' . $locked->socket ] ],
	[ 'a socket in REDIS_ADDR', [], REDIS_ADDR => $locked->socket, REDIS_PASSWORD => $secret ],
	[ 'none', [ '--redis', $plain ] ],
	[ 'a wrong url', [ '--redis', "redis://:x$escaped\@$tcp" ] ],
	[ 'a wrong user', [ '--redis', "redis://nobody:$escaped\@$tcp" ] ],
	[ 'a wrong REDIS_PASSWORD', [ '--redis', $plain ], REDIS_PASSWORD => "x$secret" ]);
fill($locked, '2.50');
my @daemons = map { my (undef, $args, %environment) = @$_; daemon($args, %environment) } @ways;
for my $i (0 .. $#ways)
{
	my ($name, $daemon) = ($ways[$i][0], $daemons[$i]);
	if ($name =~ /^(?:none|a wrong)/)
	{
		my $problem = $name eq 'none' ? qr/it wants a password: see REDIS_PASSWORD/ : qr/it refuses the user or the password/;
		eventually(sub { $daemon->log =~ /no quotes from redis \($tcp\): $problem/ }, "password: $name: the log says what is wrong", 5);
		is($daemon->get('/readyz')->{status}, 503, "password: $name: not ready");
	}
	else
	{
		eventually(sub { costs($daemon, 'BTC', '2.50') }, "password: $name", 5) || diag $daemon->log;
	}
	unlike($daemon->log, qr/hush|%2Bword/, "password: $name: it is not in the log");
	unlike(slurp_file('/proc/' . $daemon->pid . '/cmdline'), qr/hush/, "password: $name: nor in the process list");
	unlike(join('', map { $daemon->get($_)->{content} } qw(/api/v1/crypto/stats /metrics /readyz)), qr/hush/, "password: $name: nor in an answer");
}
unlike($neither->log, qr/hush/, "PostgreSQL's password is not in the log");
unlike(slurp_file('/proc/' . $neither->pid . '/cmdline'), qr/hush/, 'nor in the process list');

done_testing();
