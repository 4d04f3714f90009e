# The stream: frames, what is in them, resuming, and a client from npm that loses nothing.
use strict;
use warnings;
use IPC::Open2;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use CryptoRt;
use CryptoRtHttp;

my $sim = CryptoRt::Sim->start(coins => 250);
my $redis = CryptoRt::Redis->start;
my $node = server('stream', sim => $sim, redis => $redis, conf => <<'CONF');
crypto_rt.tiers = '*:250ms'
crypto_rt.max_requests_per_second = 100
CONF
sql_becomes($node, 'SELECT coins FROM crypto_status()', 250, 'all coins are there');
redis_becomes_whole($node, $redis, 'Redis is whole');
my $http = CryptoRtHttp->start(redis => $redis, args => [ '--rate', 0 ]);
$http->ready;

# A stream on a bare connection: its header, and what has come of its body so far.
package Stream
{
	sub open
	{
		my ($class, $query, @headers) = @_;
		my $self = bless { socket => $http->connect, bytes => '' }, $class;
		print { $self->{socket} } join "\r\n", "GET /api/v1/crypto/stream$query HTTP/1.1", 'Host: x', @headers, '', '';
		$self->until(qr/\r\n\r\n/);
		return $self;
	}

	# Read on until what has come matches; true if it did before the deadline.
	sub until
	{
		my ($self, $regexp, $seconds) = @_;
		my $end = Time::HiRes::time() + ($seconds // $CryptoRt::deadline);
		while ($self->{bytes} !~ $regexp)
		{
			my $left = $end - Time::HiRes::time();
			my $in = '';
			return 0 if $left <= 0;
			vec($in, fileno $self->{socket}, 1) = 1;
			select $in, undef, undef, $left or return 0;
			sysread $self->{socket}, $self->{bytes}, 65536, length $self->{bytes} or return $self->{bytes} =~ $regexp;
		}
		return 1;
	}

	# All frames so far: [id, data].
	sub frames
	{
		my ($self) = @_;
		my $body = $self->{bytes} =~ s/^.*?\r\n\r\n//sr;
		$body =~ s/(?:^|\r\n)[0-9a-f]+\r\n//gi;    # chunks
		return map { [ $_->[0], JSON::PP->new->utf8->allow_bignum->decode($_->[1]) ] }
		  map { /^id: (\S+)\ndata: (.*)$/m ? [ $1, $2 ] : () } split /\n\n/, $body;
	}
}

#
# Frames
#

my $stream = Stream->open('?symbols=BTC,eth,NOSUCH');
ok($stream->until(qr/data: .*\n\n/), 'a snapshot comes at once');
like($stream->{bytes}, qr/^HTTP\/1.1 200 /, 'status');
like($stream->{bytes}, qr/^$_\r$/mi, $_) for 'Content-Type: text/event-stream', 'Cache-Control: no-cache, no-transform', 'X-Accel-Buffering: no', 'Access-Control-Allow-Origin: \*';
my ($first) = $stream->frames;
like($first->[0], qr/^\d+-\d+$/, 'its id is epoch and sequence');
is_deeply([ sort keys %{ $first->[1] } ], [qw(BTC ETH)], 'it has the coins that are known');
is_deeply([ sort keys %{ $first->[1]{BTC} } ], [qw(change price)], 'and of each its price and change');

my $asked = time;
$sim->coin('bitcoin', price => '71234.50');
ok($stream->until(qr/"BTC":\{"price":71234\.50,/, 5), 'a new price comes, digit by digit');
my @frames = $stream->frames;
is_deeply([ sort keys %{ $frames[-1][1] } ], [qw(BTC ETH)], 'in a frame of all of a short list');

my $full = Stream->open('?symbols=BTC&fields=full');
ok($full->until(qr/data: .*\n\n/), 'fields=full');
is(($full->frames)[0][1]{BTC}{id}, 'bitcoin', 'has the whole quote');
my $default = Stream->open('');
ok($default->until(qr/data: .*\n\n/), 'without a list');
ok(exists +($default->frames)[0][1]{$_}, "has $_") for qw(BTC ETH DOGE);
my $everything = Stream->open('?symbols=*');
ok($everything->until(qr/data: .*\n\n/), '*');
is(scalar keys %{ ($everything->frames)[0][1] }, $redis->cli('ZCARD', 'crypto:symbols:ranked'), '* is all of them at first');
$sim->coin('ethereum', price => '4321.25');
ok($everything->until(qr/"ETH":\{"price":4321\.25,/, 5), '* has what changed');
cmp_ok(scalar keys %{ ($everything->frames)[-1][1] }, '<', 100, '* has only what changed then');

is($http->get("/api/v1/crypto/stream?$_")->{status}, 400, "$_ is refused") for 'fields=all', 'symbols=' . 'A' x 200;

#
# Resuming
#

my ($epoch, $seq) = split /-/, ($stream->frames)[-1][0];
my $resumed = Stream->open('?symbols=DOGE', "Last-Event-ID: $epoch-$seq");
ok(!$resumed->until(qr/data:/, 0.5), 'resumed: nothing, when nothing has changed');
$sim->coin('dogecoin', price => '0.77', rank => 9);
ok($resumed->until(qr/"DOGE":\{"price":0\.77,/, 5), 'then what changes');
$resumed = Stream->open('?symbols=DOGE', "Last-Event-ID: $epoch-$seq");
ok($resumed->until(qr/"DOGE":\{"price":0\.77,/, 5), 'resumed: what was missed');
for my $id ("1-$seq", "$epoch-99999999", 'rubbish', '-', '18446744073709551616-1')
{
	my $s = Stream->open('?symbols=BTC', "Last-Event-ID: $id");
	ok($s->until(qr/data: \{"BTC"/, 5), "an id that is not ours ($id): a snapshot");
}

#
# The package eventsource
#

my ($out, $in);
my $pid = open2($out, $in, 'node', "$CryptoRt::top/test/js/stream.mjs", $http->port, 'symbols=BTC,DOGE');
my %seen;

# Read what the client says until it has a price.
sub client_sees
{
	my ($symbol, $price, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $ok = eval {
		local $SIG{ALRM} = sub { die "time\n" };
		alarm 20;
		while (!$seen{"$symbol $price"})
		{
			my $line = readline $out // die "the client ended\n";
			my $event = JSON::PP->new->utf8->decode($line);
			$seen{"$_ $event->{data}{$_}{price}"} = 1 for keys %{ $event->{data} // {} };
		}
		alarm 0;
		1;
	};
	alarm 0;
	return ok($ok, $name) || diag $@;
}

client_sees('DOGE', '0.77', 'eventsource: the snapshot');
$sim->coin('dogecoin', price => '0.78', rank => 9);
client_sees('DOGE', '0.78', 'eventsource: a change');
print $in "cut\n";
$sim->coin('dogecoin', price => '0.79', rank => 9);
client_sees('DOGE', '0.79', 'eventsource: a change while it reconnects');
print $in "hold\n";
$sim->coin('dogecoin', price => '0.81', rank => 9);
eventually(sub { $http->get('/api/v1/crypto/DOGE/price')->{content} =~ /"price":0\.81,/ }, 'the daemon has a price that the client has not');
print $in "cut\n";
client_sees('DOGE', '0.81', 'eventsource: what it missed while nobody let it in');
$http->end;
$sim->coin('dogecoin', price => '0.82', rank => 9);
$http->launch;
client_sees('DOGE', '0.82', 'eventsource: what it missed while the daemon was started anew');
close $in;
waitpid $pid, 0;

#
# The end
#

$http->ready;
$stream = Stream->open('?symbols=BTC');
ok($stream->until(qr/data: .*\n\n/), 'a stream is open');
$asked = time;
kill 'TERM', $http->pid;
ok($stream->until(qr/data: .*\n\n.*retry: \d+/s, 5), 'at the end it is told when to come back');
$http->end;
cmp_ok(time - $asked, '<', 3, 'and the daemon ends within 3 s');

done_testing();
