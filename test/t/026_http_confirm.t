# Quotes that CoinLore confirms without a change: no message tells of them, and yet they stay young, and are no news to streams.
use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use CryptoRt;
use CryptoRtClock;
use CryptoRtHttp;

# A stream on a bare connection.
package Stream
{
	sub open
	{
		my ($class, $http, $query) = @_;
		my $self = bless { socket => $http->connect, bytes => '' }, $class;
		print { $self->{socket} } "GET /api/v1/crypto/stream$query HTTP/1.1\r\nHost: x\r\n\r\n";
		$self->{socket}->blocking(0);
		main::eventually(sub { $self->frames }, "a snapshot of stream$query");
		return $self;
	}

	# All frames so far, decoded.
	sub frames
	{
		my ($self) = @_;
		1 while sysread $self->{socket}, $self->{bytes}, 65536, length $self->{bytes};
		my $body = $self->{bytes} =~ s/^.*?\r\n\r\n//sr;
		$body =~ s/(?:^|\r\n)[0-9a-f]+\r\n//gi;    # chunks
		return map { JSON::PP::decode_json($_) } $body =~ /^data: (.*)\n\n/mg;
	}

	# The coins of all frames behind the first so many, each once.
	sub news
	{
		my ($self, $from) = @_;
		my @frames = $self->frames;
		my %coins = map { ($_ => 1) } map { keys %$_ } @frames[ $from .. $#frames ];
		return [ sort keys %coins ];
	}
}

CryptoRtClock::build();
my $sim = CryptoRt::Sim->start(coins => 250);
my $redis = CryptoRt::Redis->start;
my $node = CryptoRtClock::with(sub { server('confirm', sim => $sim, redis => $redis, conf => <<'CONF') });
crypto_rt.tiers = '100:100ms,*:60s'
crypto_rt.max_requests_per_second = 100
CONF
eventually(sub { CryptoRtClock::forward(1); status($node, 'coins') == 250 }, 'all coins are there');
redis_becomes_whole($node, $redis, 'Redis is whole');
my ($http, $alone) = CryptoRtClock::with(sub {
	map { CryptoRtHttp->start(@$_, args => [ '--rate', 0 ]) } [ redis => $redis ], [ node => $node ];
});
my %daemons = (Redis => $http, PostgreSQL => $alone);
$_->ready for values %daemons;
my $db = CryptoRt::Session->new($node);

#
# Time
#

my $round = 40;        # seconds in which the daemon has certainly read all quotes from Redis
my $channel = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $redis->port) // die "cannot connect: $!";
my $said = '';         # on the channel
my $silence = 0;       # seconds since the last message
my $publish = sub { };    # have the publisher look at its clock

# What the channel has said up to now, and Redis has answered all that it was asked before.
sub listen_to
{
	my ($command, $answer) = @_;
	my $bytes = '';
	local $SIG{ALRM} = sub { die "no answer to $command\n" };
	alarm 10;
	print $channel "$command\r\n";
	$channel->flush;
	sysread $channel, $bytes, 65536, length $bytes or die 'Redis went' until $bytes =~ /\Q$answer\E.*\r\n/;
	alarm 0;
	$said .= $bytes;
	$silence = 0 if $bytes =~ /"epoch"/;
	return $silence == 0;
}

# Whether nobody is behind the clock: pages are polled, and the daemon has the answers that it asked PostgreSQL for.
my $caught_up = <<'SQL';
SELECT (s.state = 'paused' OR now() - s.last_poll < interval '5 seconds')
	AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.state = 'active' AND a.pid <> pg_backend_pid() AND a.query ~ 'crypto_quotes_json')
FROM crypto_status() s
SQL

# A second passes, and each daemon does what it does then.  The clock waits for everybody: who finds the channel silent reads
# everything anew, and what takes no time must not seem to take ten seconds.
sub second
{
	CryptoRtClock::forward(1);
	$silence++;
	for (1 .. 2)
	{
		$_->get('/healthz') for values %daemons;
		listen_to('PING', 'pong');
	}
	CryptoRt::wait_for(sub { $db->ask($caught_up) eq 't' }) or die 'somebody is behind the clock';
	return if $silence < 7;
	$publish->();
	CryptoRt::wait_for(sub { listen_to('PING', 'pong') }) or die 'the publisher is silent';
	return;
}

listen_to('SUBSCRIBE crypto:updates', 'subscribe');

sub path { return '/api/v1/crypto/' . CryptoRt::Sim::escape($_[0]) . '/price' }
sub stats { my ($daemon) = @_; return $daemon->json('/api/v1/crypto/stats') }
sub header { my ($daemon, $symbol, $name) = @_; return $daemon->get(path($symbol))->{headers}{$name} }

# Let seconds pass; each of the daemons must find all quotes fresh, and be ready, all the time.
sub stays_fresh
{
	my ($seconds, $name, $each) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my %wrong;
	for my $second (1 .. $seconds)
	{
		$each->($second) if $each;
		second();
		for (keys %daemons)
		{
			my $stats = stats($daemons{$_});
			my $ready = $daemons{$_}->get('/readyz');
			$wrong{$_} //= "after $second s: " . JSON::PP->new->canonical->encode($stats) if $stats->{stale_coins} > 0;
			$wrong{$_} //= "after $second s: $ready->{content}" if $ready->{status} != 200;
		}
	}
	is($wrong{$_}, undef, "$name: from $_, all stay fresh, and the daemon ready") for sort keys %daemons;
	return;
}

# Nothing else than confirmations kept them fresh.
sub was_undisturbed
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my %feed = %{ stats($http)->{feed}{redis} };
	return is_deeply([ @feed{qw(connects rereads gaps)} ], [ 1, 0, 0 ], "$name: without reading everything anew");
}

#
# Nothing changes: each page comes with the bytes that it had
#

my $slow = $redis->cli('ZRANGE', 'crypto:symbols:ranked', 180, 180);
my %streams = map { my $name = $_; map { ("$name$_" => Stream->open($daemons{$name}, $_)) } '?symbols=*', '?symbols=*&fields=full', "?symbols=BTC,ETH&fields=full" } keys %daemons;
my %before = map { my $name = $_; map { ("$name $_" => $daemons{$name}->get(path($_))) } 'BTC', $slow } keys %daemons;
my $unchanged = status($node, 'pages_unchanged');
$said = '';
stays_fresh(330, 'nothing changes');
cmp_ok(status($node, 'pages_unchanged'), '>', $unchanged + 20, 'nothing changes: pages came with the same bytes');
like($said, qr/"quotes":\[\]/, 'nothing changes: there were heartbeats');
unlike($said, qr/"quotes":\[\{/, 'nothing changes: no message told of a quote');
was_undisturbed('nothing changes');
is_deeply($streams{$_}->news(1), [], "nothing changes: no news to $_") for sort keys %streams;
for my $name (sort keys %daemons)
{
	for my $symbol ('BTC', $slow)
	{
		my $old = $before{"$name $symbol"};
		my $new = $daemons{$name}->get(path($symbol), 'If-None-Match' => $old->{headers}{etag});
		my @updated = map { $_->{content} =~ /"last_updated":"([^"]+)"/ ? $1 : '' } $old, $new;
		is($new->{status}, 200, "$name, $symbol: its tag is another");
		cmp_ok($updated[1], 'gt', $updated[0], "$name, $symbol: last_updated has moved");
		is($new->{content} =~ s/"last_updated":"\K[^"]+//r, $old->{content} =~ s/"last_updated":"\K[^"]+//r, "$name, $symbol: and nothing else has");
	}
}

#
# One coin changes, and the others of its page do not
#

my %seen = map { ($_ => scalar $streams{$_}->frames) } keys %streams;
$unchanged = status($node, 'pages_fetched - pages_unchanged');
stays_fresh(90, 'one changes', sub { $sim->coin('dogecoin', volume24 => 1000000 + $_[0]) if $_[0] % 3 == 0 });
cmp_ok(status($node, 'pages_fetched - pages_unchanged'), '>', $unchanged + 5, 'one changes: pages came with other bytes');
was_undisturbed('one changes');
is_deeply($streams{$_}->news($seen{$_}), /\*/ ? ['DOGE'] : [], "one changes: it alone is news to $_") for sort keys %streams;

#
# Polling pauses, and somebody meddles with the keys
#

$db->ask('SELECT crypto_pause()');
$publish = sub { $db->ask('SELECT pg_reload_conf()') };
eventually(sub { my $n = $sim->requests; listen_to('PING', 'pong'); status($node, "state = 'paused'") eq 't' && $n == $sim->requests }, 'polling is paused');
second() for 1 .. $round;    # what was confirmed last is known
%before = map { ($_ => $http->get(path($_))->{content}) } qw(BTC ETH BNB XRP);
my $refused = stats($http)->{feed}{redis}{refused};
%seen = map { ($_ => scalar $streams{$_}->frames) } keys %streams;
$redis->cli('DEL', 'crypto:quote:ETH');
$redis->cli('SET', 'crypto:quote:BNB', '{"symbol":"BNB","price":1,"la');
$redis->cli('SET', 'crypto:quote:XRP', $before{XRP} =~ s/"price":\K[0-9.]+/7.77/r);
second() for 1 .. $round;
is(header($http, $_, 'x-data-status'), 'stale', "paused: $_ is stale") for qw(BTC ETH BNB XRP);
is(header($http, $slow, 'x-data-status'), 'fresh', 'paused: one with a long interval is not yet');
is($http->get('/readyz')->{status}, 503, 'paused: the daemon is not ready');
is($http->get(path($_))->{content}, $before{$_}, "paused: $_ is what it was") for qw(BTC ETH BNB);
cmp_ok(stats($http)->{feed}{redis}{refused}, '>', $refused, 'paused: what is no quote is counted');
like($http->get(path('XRP'))->{content}, qr/"price":7\.77,/, 'a change that no message told of is found');
for (grep { /^Redis.*\*/ } sort keys %streams)
{
	is_deeply($streams{$_}->news($seen{$_}), ['XRP'], "and is news to $_");
}
was_undisturbed('paused');

$db->ask('SELECT crypto_resume()');
my $paused = $before{BTC} =~ /"last_updated":"([^"]+)"/ ? $1 : '';
eventually(sub { ($redis->cli('GET', 'crypto:quote:BTC') =~ /"last_updated":"([^"]+)"/)[0] gt $paused }, 'polled again: Redis has younger quotes');
second() for 1 .. $round;
stays_fresh($round, 'polled again');
is($http->get(path($_))->{content} =~ s/"last_updated":"\K[^"]+//r, $before{$_} =~ s/"last_updated":"\K[^"]+//r, "polled again: $_ is what it was") for sort keys %before;
was_undisturbed('polled again');

done_testing();
