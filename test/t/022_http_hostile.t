# The HTTP daemon and clients that mean no good, or mean well and do it badly.  It is built with AddressSanitizer and
# UndefinedBehaviorSanitizer here: whatever these find ends it, and is in its log.
use strict;
use warnings;
use Fcntl;
use HTTP::Tiny;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Utils;
use Socket qw(SOL_SOCKET SO_LINGER SO_RCVBUF SOCK_DGRAM);
use Test::More;
use Time::HiRes qw(sleep time);
use CryptoRt;
use CryptoRtHttp;

my $coins = 8000;
my $program = "$CryptoRt::top/build/crypto_rt_http.asan";
my $folder = File::Temp::tempdir(CLEANUP => 1);

$ENV{ASAN_OPTIONS} = 'abort_on_error=0:exitcode=99:detect_leaks=1:quarantine_size_mb=16:allocator_release_to_os_interval_ms=100';
$ENV{UBSAN_OPTIONS} = 'print_stacktrace=1:halt_on_error=1:exitcode=99';
local $SIG{PIPE} = 'IGNORE';
srand 1;

# A client on a bare connection; from => '127.0.0.5' is its address.
package Client
{
	sub open
	{
		my ($class, $http, $bytes, %opt) = @_;
		my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $http->port, LocalAddr => $opt{from}, Timeout => 5)
		  // die "cannot connect: $!";
		my $self = bless { socket => $socket, got => '', began => Time::HiRes::time() }, $class;
		setsockopt $socket, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 4096 if $opt{deaf};
		return $self->send($bytes // '');
	}

	sub send
	{
		my ($self, $bytes) = @_;
		while (length $bytes)
		{
			my $n = syswrite $self->{socket}, $bytes;
			last unless $n;    # it was closed on us
			substr $bytes, 0, $n, '';
		}
		return $self;
	}

	# Read until what has come matches, or the other side ends the connection; true: it matches.
	sub until
	{
		my ($self, $regexp, $seconds) = @_;
		my $end = Time::HiRes::time() + ($seconds // 10);
		while (!$self->{ended} && !($regexp && $self->{got} =~ $regexp))
		{
			my $left = $end - Time::HiRes::time();
			my $in = '';
			vec($in, fileno $self->{socket}, 1) = 1;
			last if $left <= 0 || !select $in, undef, undef, $left;
			$self->{ended} = 1 unless sysread $self->{socket}, $self->{got}, 65536, length $self->{got};
		}
		return $regexp && $self->{got} =~ $regexp;
	}

	# Read to the end; all that came, or undef when it does not end.
	sub rest
	{
		my ($self, $seconds) = @_;
		$self->until(undef, $seconds);
		return $self->{ended} ? $self->{got} : undef;
	}

	sub took { return Time::HiRes::time() - $_[0]{began} }
	sub statuses { return join ' ', $_[0]{got} =~ /HTTP\/1\.1 (\d+) /g }

	# End with a reset.
	sub reset
	{
		my ($self) = @_;
		setsockopt $self->{socket}, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'll', 1, 0;
		return close $self->{socket};
	}
}

# A request's bytes.
sub request
{
	my ($target, @headers) = @_;
	return join "\r\n", "GET $target HTTP/1.1", 'Host: x', @headers, '', '';
}

# What a daemon answers to a request that says that it is the last.
sub asks
{
	my ($http, $target, %opt) = @_;
	return Client->open($http, request($target, 'Connection: close', @{ $opt{headers} // [] }), %opt)->rest // 'no end';
}

# A daemon with the sanitizers.
sub daemon
{
	my ($redis, @args) = @_;
	return CryptoRtHttp->start(redis => $redis, program => $program, args => \@args);
}

# Wait for a daemon's end; its status, or undef.
sub ended
{
	my ($http, $seconds) = @_;
	my $done = wait_for(sub { waitpid($http->pid, POSIX::WNOHANG()) == $http->pid }, $seconds);
	delete $http->{pid} if $done;
	return $done ? $? : undef;
}

# End a daemon, which must have nothing to complain about.
sub ends_well
{
	my ($http, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	kill 'TERM', $http->pid if $http->pid;
	is(ended($http, 10), 0, "$name: ends by SIGTERM with 0");
	return unlike($http->log, qr/Sanitizer|runtime error|MHD_PANIC|Fatal error/, "$name: the sanitizers found nothing");
}

# A value of /metrics, several added up.
sub metric
{
	my ($http, $regexp) = @_;
	my $text = $http->get('/metrics')->{content};
	my $sum = 0;
	$sum += $1 while $text =~ /^$regexp (\d+)/mg;
	return $sum;
}

# Kilobytes.
sub resident { return slurp_file("/proc/$_[0]/status") =~ /^VmRSS:\s+(\d+)/m ? $1 : 0 }

#
# Quotes that change all the time: 100 each 100 ms
#

package Feeder
{
	our @ISA = ('CryptoRt::Program');

	sub start
	{
		my ($class, $redis, $password) = @_;
		my $pid = fork // die "cannot fork: $!";
		return bless { pid => $pid, owner => $$ }, $class if $pid;
		my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $redis->port) or POSIX::_exit(1);
		ask($socket, [ 'AUTH', $password ]);
		ask($socket, map { ([ 'SET', 'crypto:quote:' . symbol($_), quote($_) ], [ 'ZADD', 'crypto:symbols:ranked', $_, symbol($_) ]) } 1 .. $coins);
		for (my $seq = 1; getppid() != 1; $seq++)
		{
			my %quote = map { $_ => quote($_) } 1, 2, map { 1 + int rand $coins } 1 .. 98;
			ask($socket,
				(map { [ 'SET', 'crypto:quote:' . symbol($_), $quote{$_} ] } keys %quote),
				[ 'PUBLISH', 'crypto:updates', qq({"epoch":1,"seq":$seq,"quotes":[) . join(',', values %quote) . ']}' ]);
			Time::HiRes::sleep(0.1);
		}
		POSIX::_exit(0);
	}

	sub symbol { return $_[0] == 1 ? 'BTC' : $_[0] == 2 ? 'ETH' : "C$_[0]" }

	sub quote
	{
		my ($rank) = @_;
		my $now = Time::HiRes::time();
		my $time = POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime $now) . sprintf '.%03dZ', ($now - int $now) * 1000;
		return sprintf '{"symbol":"%s","name":"Coin %d %s","price":%.6f,"rank":%d,"change_24h":%.2f,"volume_24h":%d.00,'
		  . '"last_updated":"%s","update_interval":5,"tier":"tier1","source":"coinlore","id":"coin-%d","coinlore_id":%d}',
		  symbol($rank), $rank, 'x' x 60, rand 1000, $rank, rand(20) - 10, rand 1e9, $time, $rank, $rank;
	}

	# Send commands and read as many replies, of one line each.
	sub ask
	{
		my ($socket, @commands) = @_;
		for my $command (@commands)
		{
			print $socket join '', '*' . @$command . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @$command;
		}
		$socket->flush;
		readline $socket // POSIX::_exit(0) for @commands;
		return;
	}
}

my $port = free_port();
my $redis = CryptoRt::Redis->start(port => $port, args => [ '--requirepass', 'hush-redis' ], auth => [ '-a', 'hush-redis' ],
	url => "redis://:hush-redis\@127.0.0.1:$port/0");
my $feeder = Feeder->start($redis, 'hush-redis');
eventually(sub { ($redis->cli('ZCARD', 'crypto:symbols:ranked') // 0) == $coins }, 'Redis is filled');
my $http = daemon($redis, '--rate', 0, '--header-timeout', 1, '--access-log',
	'--database', 'postgresql://reader:hush-postgres@127.0.0.1:1/prices');
$http->ready;
unlike(slurp_file('/proc/' . $http->pid . '/cmdline'), qr/hush/, 'its command line shows no password');

#
# Slow to ask
#

my %slow = (
	'a client that says nothing' => [''],
	'a header that is dripped' => [ "GET /healthz HTTP/1.1\r\nHost: x\r\n", map { "X$_: 1\r\n" } 1 .. 200 ],
	'a request line that is dripped' => [ split //, 'GET /' . 'a' x 200 ],
	'a body that never ends' => [ "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", ('x') x 200 ],
	'a body in chunks that never ends' => [ "GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", ("1\r\nx\r\n") x 200 ]);
my %client = map { $_ => Client->open($http) } keys %slow;
my $end = time() + 6;
while (time() < $end && grep { !$_->{ended} } values %client)
{
	for my $name (grep { !$client{$_}{ended} } keys %client)
	{
		$client{$name}->send(shift @{ $slow{$name} } // '');
		$client{$name}->until(undef, 0.01);
		$client{$name}{end} = $client{$name}->took if $client{$name}{ended};
	}
}
for my $name (sort keys %client)
{
	ok($client{$name}{ended}, "$name is closed");
	cmp_ok($client{$name}{end} // 99, '<', 3, '... soon after its second is over');
	is($client{$name}{got}, '', '... without an answer');
}

#
# Too much, and what is no HTTP
#

like(asks($http, '/healthz', headers => [ 'X: ' . 'a' x 10_000 ]), qr/^HTTP\/1\.1 431 /, 'a header that is too long: 431');
like(asks($http, '/healthz', headers => [ map { "X$_: " . 'a' x 90 } 1 .. 200 ]), qr/^HTTP\/1\.1 431 /, 'headers that are too many: 431');
like(asks($http, '/' . 'a' x 5000), qr/^HTTP\/1\.1 414 .*\r\n\r\n\{"error":/s, 'an url that is too long: 414');
like(asks($http, '/' . 'a' x 50_000), qr/^HTTP\/1\.1 414 /, 'an url that is longer than all memory for it: 414');
like(asks($http, '/api/v1/crypto/prices?limit=1&' . join '&', map { "a$_" } 1 .. 50), qr/^HTTP\/1\.1 200 /, 'a query with 50 arguments');
# libmicrohttpd has no memory left for more of them, not even for an answer
my @many = map { Client->open($http, request('/api/v1/crypto/prices?' . $_ x 300)) } 'symbols=BTC&', '&=', 'a=b=c&';
like($_->rest // 'no end', qr/^(?:$|HTTP\/1\.1 4)/, 'a query with too many arguments is refused') for @many;
my $list = 'symbols=' . 'A,' x 1900;
like(asks($http, "/api/v1/crypto/prices?$list"), qr/^HTTP\/1\.1 (?:200|400) /, 'prices of 1900 times the same symbol');
$list = 'symbols=' . join ',', map { "C$_" } 1 .. 1500;
like(asks($http, "/api/v1/crypto/$_?$list"), qr/^HTTP\/1\.1 414 /, "$_ of 1500 symbols: 414") for qw(prices stream);
for my $path (qw(%00 %2 %zz %%%% %c3%28 %0d%0aX:1 %25%30%30 %ff%fe ../../etc/passwd %2e%2e%2f . %20), '{symbol}', "\xff\xfe", "<script>", "'--", '"', '\\')
{
	like(asks($http, "/api/v1/crypto/$path/price"), qr/^HTTP\/1\.1 40[04] (?!.*^X:1).*\{"error":"[^\r\n]*\}$/ms, 'a symbol ' . CryptoRt::Sim::escape($path));
	like(asks($http, "/api/v1/crypto/prices?symbols=$path&limit=$path"), qr/^HTTP\/1\.1 400 /, '... as limit');
	like(asks($http, "/api/v1/crypto/stream?symbols=BTC&fields=$path"), qr/^HTTP\/1\.1 400 /, '... as fields');
}
like(asks($http, '/api/v1/crypto/NOSUCH"\\/price'), qr/not available for NOSUCH\\"\\\\"/, 'what is shown of it is escaped');

my @rubbish = (
	"\r\n" x 500, "\0" x 500, "\n\n\n", "GET\r\n\r\n", "GET /healthz\r\n\r\n", " GET /healthz HTTP/1.1\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
	"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", "GET /healthz HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'r' x 300,
	"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://example.com/ HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /healthz HTTP/1.1\r\nHost\r\n\r\n", "GET /healthz HTTP/1.1\r\n: x\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
	"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n", "GET /he\0althz HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /metrics?\0 HTTP/1.1\r\nHost: x\r\n\r\n", ("Q" x 300) . " /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	(map { "POST /healthz HTTP/1.1\r\nHost: x\r\n$_\r\n\r\nGET /nosuch HTTP/1.1\r\nHost: x\r\n\r\n" }
		'Content-Length: -1', 'Content-Length: 99999999999999999999', 'Content-Length: 1x', 'Content-Length: 3, 5',
		"Content-Length: 3\r\nContent-Length: 5", "Content-Length: 3\r\nTransfer-Encoding: chunked", 'Transfer-Encoding: gzip',
		'Expect: 100-continue', 'Expect: nothing', 'Upgrade: h2c'),
	(map { "POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n$_" }
		"ffffffffffffffff\r\n", "fffffffffffffffff\r\n", "-1\r\n", "\r\n\r\n", "1;" . 'x' x 20_000, "zz\r\n", "3\r\nabcdef\r\n0\r\n\r\n", "0\r\nX: y\r\n\r\n"),
	(map { join '', map { chr int rand 256 } 1 .. 1 + int rand 3000 } 1 .. 40),
	(map { my $bytes = request('/api/v1/crypto/BTC/price?a=b', 'Accept-Encoding: gzip;q=', 'If-None-Match: "a", W/"b"', 'Last-Event-ID: 1-1');
		substr $bytes, rand length $bytes, 1, chr int rand 256 for 1 .. 4; $bytes } 1 .. 100));
my @open = map { my $client = Client->open($http, $_); shutdown $client->{socket}, 1; $client } @rubbish;
my @stays = grep { !defined $open[$_]->rest(5) } 0 .. $#open;
is(scalar(@stays), 0, 'what is no HTTP: each of ' . @open . ' connections is ended') or diag explain [ map { [ substr($rubbish[$_], 0, 300), $open[$_]{got} ] } @stays ];
is(scalar(grep { $_->statuses =~ /\b5(?!05)/ } @open), 0, 'no 5xx among the answers, but for 505');
is($http->get('/healthz')->{status}, 200, 'and the daemon lives');

my $body = Client->open($http, join '', map { "$_ /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" } qw(GET POST GET));
ok($body->until(qr/(?:HTTP.*){3}\r\n\r\n./s), 'bodies with GET and POST are read over');
is($body->statuses, '200 405 200', '... and what follows is the next request');
$body = Client->open($http, "GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" . request('/readyz', 'Connection: close'));
$body->rest;
is($body->statuses, '200 200', '... in chunks, too');
$body = Client->open($http, "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")->send('x' x 1_000_000);
ok(defined $body->rest(5), 'a body that is too long ends its connection');

#
# Many at once, and half of it
#

my $pipeline = Client->open($http, join('', map { request("/api/v1/crypto/C$_/price") } 3 .. 202) . request('/nosuch', 'Connection: close'));
my $answers = $pipeline->rest // '';
is($pipeline->statuses, join(' ', (200) x 200, 404), 'pipelined requests: all are answered');
is(join(' ', $answers =~ /"symbol":"(\w+)"/g), join(' ', map { "C$_" } 3 .. 202), '... in their order');
my $half = Client->open($http, request('/api/v1/crypto/prices', 'Connection: close'));
shutdown $half->{socket}, 1;
like($half->rest // '', qr/^HTTP\/1\.1 200 .*"count":$coins,.*\}\}$/s, 'a client that has closed its own side gets all of its reply');
my @trickle = map { Client->open($http) } 1 .. 3;
for my $byte (split //, request('/api/v1/crypto/BTC/price', 'Connection: close'))
{
	$_->send($byte) for @trickle;
}
is(join(' ', map { $_->rest; $_->statuses } @trickle), '200 200 200', 'requests that come byte by byte, but in time, are answered');

#
# Clients that do not read
#

# The price of BTC, when it is another one than the last time.
my $seen = '';
sub next_price
{
	return wait_for(
		sub {
			my ($price) = $http->get('/api/v1/crypto/BTC/price')->{content} =~ /"price":([\d.]+)/;
			return if $price eq $seen;
			return $seen = $price;
		});
}

my $before = resident($http->pid);
my @deaf = map { next_price(); Client->open($http, request('/api/v1/crypto/stream?symbols=*&fields=full'), deaf => 1) } 1 .. 30;
eventually(sub { metric($http, 'crypto_rt_http_streams') == 30 }, 'streams of everything that nobody reads');
my $most = resident($http->pid);
cmp_ok($most - $before, '<', 40 * 1024, '... do not each take memory for it');
note "resident: $before kB, $most kB";
$_->reset for @deaf;

$before = resident($http->pid);
$most = 0;
@deaf = map { my $n = $_; Client->open($http, join('', map { request('/api/v1/crypto/prices?limit=' . ($coins - 10 * $n - $_)) } 0 .. 9), deaf => 1) } 1 .. 60;
my $slowest = 0;
my $many = wait_for(
	sub {
		my $began = time;
		die 'no price' unless $http->get('/api/v1/crypto/BTC/price')->{status} == 200;
		$slowest = time - $began if time - $began > $slowest;
		$most = resident($http->pid) if resident($http->pid) > $most;
		return metric($http, 'crypto_rt_http_requests_total\{[^}]*status="503"[^}]*\}') > 0;
	},
	8);
ok($many, 'clients that ask for large bodies and do not read are refused some at last') or diag $http->get('/metrics')->{content};
cmp_ok($slowest, '<', 2, 'others are answered meanwhile');
cmp_ok($most - $before, '<', 400 * 1024, 'and its memory is bounded');
note "resident: $before kB, $most kB; slowest answer $slowest s";
$_->reset for @deaf;
eventually(sub { $http->get('/api/v1/crypto/prices?limit=' . ($coins - 1 - int rand 50))->{status} == 200 }, 'when they have gone there is room again', 5);

#
# Streams that come and go
#

my @queries = ('', '?symbols=*', '?symbols=BTC', '?symbols=*&fields=full', '?symbols=' . join(',', map { "C$_" } 1 .. 60), '?symbols=id:coin-7,NOSUCH', '?symbols=,,,', '?symbols=%00');
my @children;
for my $n (1 .. 4)
{
	my $pid = fork // die "cannot fork: $!";
	push @children, $pid;
	next if $pid;
	srand $n;
	my $until = time() + 4;
	my @streams;
	while (time() < $until)
	{
		my @id = rand() < 0.3 ? ('Last-Event-ID: ' . (rand() < 0.5 ? '1-' : '') . int rand 1e6) : ();
		push @streams, eval { Client->open($http, request('/api/v1/crypto/stream' . $queries[rand @queries], @id), deaf => rand() < 0.2) } // next;
		$streams[-1]->until(qr/\ndata:/, 0.5) if rand() < 0.5;
		$streams[rand @streams]->until(undef, 0.001) if rand() < 0.2;
		next if @streams < 15;
		my ($gone) = splice @streams, rand @streams, 1;
		my $how = rand;
		$how < 0.4 ? $gone->reset : $how < 0.6 ? shutdown($gone->{socket}, 1) : close $gone->{socket};
		push @streams, $gone if $how >= 0.4 && $how < 0.6 && rand() < 0.5;
	}
	POSIX::_exit(0);
}
my $answered = 0;
my $failed = 0;
while (waitpid($children[0], POSIX::WNOHANG()) == 0)
{
	$http->get('/api/v1/crypto/ETH/price')->{status} == 200 ? $answered++ : $failed++;
}
waitpid $_, 0 for @children[ 1 .. $#children ];
is($failed, 0, "streams opened and reset at random: $answered others are answered");
my $opened = metric($http, 'crypto_rt_http_streams_opened_total');
cmp_ok($opened, '>', 100, "... $opened streams were opened");
eventually(sub { metric($http, 'crypto_rt_http_streams') == 0 }, '... and none is left', 5) or diag $http->get('/metrics')->{content};

#
# Limits
#

my $limited = daemon($redis, '--rate', '0.1', '--burst', 10, '--max-connections-per-address', 20, '--max-streams-per-address', 3,
	'--trusted-proxy', '127.0.0.9/32');
$limited->ready;
my @connections = map { Client->open($limited, request('/healthz'), from => '127.0.0.5') } 1 .. 20;
is(scalar(grep { $_->until(qr/^HTTP\/1\.1 200 /, 5) } @connections), 20, 'as many connections as an address may have');
my $refused = Client->open($limited, request('/healthz'), from => '127.0.0.5');
like($refused->rest(5) // 'no end', qr/^HTTP\/1\.1 429 .*\r\nRetry-After: \d+\r\n.*\{"error":/s, 'one more: 429 with Retry-After, and closed');
like(asks($limited, '/healthz', from => '127.0.0.6'), qr/^HTTP\/1\.1 200 /, 'other addresses may still connect');
close((pop @connections)->{socket});
eventually(sub { asks($limited, '/healthz', from => '127.0.0.5') =~ /^HTTP\/1\.1 200 / }, 'one has gone: another may come', 5);

my @streams = map { Client->open($limited, request('/api/v1/crypto/stream'), from => '127.0.0.7') } 1 .. 3;
is(scalar(grep { $_->until(qr/\ndata: /, 5) } @streams), 3, 'as many streams as an address may have');
like(asks($limited, '/api/v1/crypto/stream', from => '127.0.0.7'), qr/^HTTP\/1\.1 429 .*\r\nRetry-After: \d+\r\n.*\{"error":/s, 'one more: 429 with Retry-After');
$streams[0]->reset;
eventually(sub { metric($limited, 'crypto_rt_http_streams') == 2 }, 'one has gone', 5);
ok(Client->open($limited, request('/api/v1/crypto/stream'), from => '127.0.0.7')->until(qr/\ndata: /, 5), '... another may come');

# Ask for so many prices; the statuses.
sub asks_often
{
	my ($count, $from, @headers) = @_;
	my $often = Client->open($limited, join('', map { request('/api/v1/crypto/BTC/price', @headers, $_ == $count ? 'Connection: close' : ()) } 1 .. $count), from => $from);
	$often->rest;
	return $often;
}

my $often = asks_often(12, '127.0.0.8');
is($often->statuses, join(' ', (200) x 10, 429, 429), 'more requests than an address may send at once: 429');
my ($seconds) = $often->{got} =~ /^Retry-After: (\d+)\r$/m;
ok($seconds && $seconds >= 5 && $seconds <= 10, '... with Retry-After, until there is one more');
like(asks($limited, '/healthz', from => '127.0.0.8'), qr/^HTTP\/1\.1 200 /, '... but healthz');
is(asks_often(1, '127.0.0.10')->statuses, '200', '... and other addresses');
is(asks_often(1, '127.0.0.8', 'X-Forwarded-For: 10.1.1.1')->statuses, '429', 'X-Forwarded-For from anybody counts for nothing');
is(asks_often(11, '127.0.0.9', 'X-Forwarded-For: 10.1.1.1')->statuses, join(' ', (200) x 10, 429), '... from a trusted proxy it is the address');
is(asks_often(1, '127.0.0.9', 'X-Forwarded-For: 10.1.1.2')->statuses, '200', '... each has requests of its own');
is(asks_often(1, '127.0.0.9', 'X-Forwarded-For: 10.1.1.2, 10.1.1.1')->statuses, '429', '... the last one, which the proxy has added');
is(asks_often(1, '127.0.0.9', 'X-Forwarded-For: 10.1.1.1, 127.0.0.9')->statuses, '429', '... that is no proxy itself');
is(asks_often(1, '127.0.0.9', "X-Forwarded-For: $_")->statuses, '200', "... '$_' is the proxy's own") for ' ', ', ,,', 'rubbish', '1' x 3000, '10.1.1.1,::ffff:1.2.3.4.5.6.7';
cmp_ok(metric($limited, 'crypto_rt_http_limiter_rejections_total\{[^}]*\}'), '>=', 7, 'metrics: how often');
ends_well($limited, 'limits');

#
# TLS
#

# A certificate and its key, at cert and key.
sub certificate
{
	my ($name) = @_;
	system_or_bail('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', 2, '-subj', "/CN=$name",
		'-keyout', "$folder/key", '-out', "$folder/cert");
	return;
}

# What openssl says of a connection on which the request is sent.
sub over_tls
{
	my ($port, $sent) = @_;
	append_to_file("$folder/request." . ++$CryptoRt::requests, $sent);
	return `timeout 10 openssl s_client -connect 127.0.0.1:$port -ign_eof < $folder/request.$CryptoRt::requests 2>&1`;
}

certificate('first.example');
my $tls = daemon($redis, '--tls-cert', "$folder/cert", '--tls-key', "$folder/key", '--header-timeout', 1);
my $last = request('/healthz', 'Connection: close');
like(over_tls($tls->port, $last), qr/first\.example.*HTTP\/1\.1 200 /s, 'TLS');
ok(defined Client->open($tls, $last)->rest(5), 'a client without TLS is shown the door');
ok(defined Client->open($tls)->rest(5), 'so is one that does not shake hands');
ok(defined Client->open($tls, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")->rest(5), 'and one that begins to');
certificate('second.example');
kill 'HUP', $tls->pid;
eventually(sub { over_tls($tls->port, $last) =~ /second\.example.*HTTP\/1\.1 200 /s }, 'SIGHUP: another certificate is served', 5);
for my $broken ('', "rubbish\n", slurp_file("$folder/cert") =~ s/[A-Z]/b/gr, slurp_file("$folder/key"))
{
	my $at = length $tls->log;
	open my $file, '>', "$folder/cert" or die $!;
	print $file $broken;
	close $file;
	kill 'HUP', $tls->pid;
	eventually(sub { substr($tls->log, $at) =~ /the certificate stays as it was: ./ }, 'SIGHUP with a broken one: it says so', 5) or diag $tls->log;
}
like(over_tls($tls->port, $last), qr/second\.example.*HTTP\/1\.1 200 /s, '... and the old one is served');
ends_well($tls, 'TLS');

#
# systemd
#

my $notified = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$folder/notify") or die "no socket: $!";
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 16) or die "no port: $!";
my $activated = bless { folder => File::Temp::tempdir(CLEANUP => 1), owner => $$, opt => { redis => $redis, program => $program }, http => HTTP::Tiny->new(timeout => 5), port => $listener->sockport },
  'CryptoRtHttp';
$activated->{pid} = fork // die "cannot fork: $!";
if ($activated->{pid} == 0)
{
	POSIX::dup2(fileno $listener, 3);
	fcntl $listener, F_SETFD, 0 if fileno $listener == 3;
	open STDOUT, '>>', $activated->logfile;
	open STDERR, '>>', $activated->logfile;
	@ENV{qw(LISTEN_FDS LISTEN_PID NOTIFY_SOCKET)} = (1, $$, "$folder/notify");
	exec $activated->command or POSIX::_exit(127);
}

# Wait until systemd has been told something that matches.
my $told = '';
sub is_told
{
	my ($regexp, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$notified->blocking(0);
	return eventually(sub { my $line; $told .= "$line\n" while defined $notified->recv($line, 4096); $told =~ $regexp }, $name, 5);
}

is_told(qr/^READY=1$/m, 'systemd is told that it is ready');
is($activated->get('/healthz')->{status}, 200, 'it answers on the socket that it was passed');
is(slurp_file($activated->{folder} . '/port'), $activated->port . "\n", '... and knows its port');
is_told(qr/^STATUS=./m, 'systemd is told what it does');
kill 'TERM', $activated->pid;
is_told(qr/^STOPPING=1$/m, 'systemd is told that it ends');
ends_well($activated, 'socket activation');

#
# The command line
#

# Run it; its exit code and what it says.
sub run
{
	my (@args) = @_;
	local $ENV{ASAN_OPTIONS} = "$ENV{ASAN_OPTIONS}:detect_leaks=0";    # it takes longer than all else
	my $pid = open my $pipe, '-|' // die "cannot fork: $!";
	if (!$pid)
	{
		open STDERR, '>&', \*STDOUT;
		exec 'timeout', 10, $program, @args or POSIX::_exit(127);
	}
	local $/;
	my $said = <$pipe> // '';
	close $pipe;
	return ($? >> 8, $said);
}

my ($code, $said) = run('--help');
is($code, 0, '--help: exit code 0');
like($said, qr/--listen HOST:PORT.*--trusted-proxy/s, '--help: the flags');
($code, $said) = run('--version');
is($code, 0, '--version: exit code 0');
like($said, qr/^crypto_rt_http \d+\.\d+\n$/, '--version: the version');
for my $wrong (
	['--nosuch'], ['-x'], [ '--redis', 'redis://:hush@localhost', '-xyz' ], ['argument'], ['--listen'], [ '--listen', 'nonsense' ], [ '--listen', '127.0.0.1:70000' ], [ '--listen', '127.0.0.1:0' ],
	[ '--rate', '-1' ], [ '--rate', 'many' ], [ '--burst', 0 ], [ '--max-url', 1 ], [ '--max-url', 9000 ], [ '--max-header', '1e9' ],
	[ '--header-timeout', 0 ], [ '--trusted-proxy', '10.0.0.0/99' ], [ '--trusted-proxy', 'host' ], [ '--cors-origin', 'example.com' ],
	[ '--tls-cert', "$folder/cert" ], [ '--tls-key', '' ], [ '--redis', 'http://localhost' ], [ '--redis-password-file', "$folder/none" ],
	[ '--database', 'nosuch=1' ], ['--access-log=on'], [ '--redis=redis://:hush@[bad' ], [ '--database=postgresql://u:hush@h:port:port/%' ], ['--pasword=hush'])
{
	($code, $said) = run(@$wrong);
	is($code, 2, "@$wrong: exit code 2");
	like($said, qr/^crypto_rt_http: (?!.*hush).{20,}\nTry crypto_rt_http --help\.\n$/, '... and a line that says why, without a password');
}

#
# The logs, the metrics and the end
#

eventually(sub { $http->log =~ /"target":"\/nosuch"/ }, 'the access log is written', 5);
my @lines = grep { /^\{/ } split /\n/, $http->log;
my $json = JSON::PP->new->utf8;
is(scalar(grep { !eval { $json->decode($_) } } @lines), 0, 'the access log: all of ' . @lines . ' lines are JSON');
my ($line) = map { $json->decode($_) } grep { m{"target":"/nosuch"} } @lines;
is_deeply([ sort keys %$line ], [ sort qw(time address method target status bytes us) ], '... with these fields');
is("$line->{address} $line->{method} $line->{status}", '127.0.0.1 GET 404', '... such as these');
unlike($_->log, qr/hush/, 'no password in a log') for $http, $limited, $tls, $activated;

SKIP:
{
	skip 'promtool is not installed', 1 unless grep { -x "$_/promtool" } split /:/, $ENV{PATH};
	open my $file, '>', "$folder/metrics" or die $!;
	print $file $http->get('/metrics')->{content};
	close $file;
	my $complaints = `promtool check metrics < $folder/metrics 2>&1`;
	is("$?$complaints", '0', 'promtool check metrics');
}

my @last = (
	(map { Client->open($http, request("/api/v1/crypto/stream?symbols=$_")) } ('BTC,ETH', '*') x 20),
	(map { Client->open($http, request("/api/v1/crypto/stream?symbols=*&fields=full"), deaf => 1) } 1 .. 10),
	(map { Client->open($http, request('/api/v1/crypto/prices') x 5, deaf => 1) } 1 .. 10),
	(map { Client->open($http, request('/healthz')) } 1 .. 10));
ok($last[0]->until(qr/\ndata: /), 'streams, slow readers and idle connections are open');
ok($last[-1]->until(qr/\r\n\r\n/), '... all of them');
my $asked = time;
kill 'TERM', $http->pid;
# the end of the process is later: the sanitizers look for leaks
eventually(sub { $http->log =~ / stopped$/m }, 'SIGTERM: it ends', 10);
cmp_ok(time - $asked, '<', 4, '... within 3 s, and one for the sanitizers') or diag $http->log =~ s/^\{.*\n//mgr;
is(ended($http, 10), 0, '... with 0');
like($last[0]->rest // '', qr/retry: \d+\n/, '... and its streams were told when to come back');
unlike($http->log, qr/Sanitizer|runtime error|MHD_PANIC|Fatal error/, 'the sanitizers have found nothing') or diag $http->log =~ s/^\{.*\n//mgr;

$feeder->end('KILL');
done_testing();
