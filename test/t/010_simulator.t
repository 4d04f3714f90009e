# The simulator: CoinLore's shapes, and recordings.
use strict;
use warnings;
use lib 'test/perl';
use CryptoRt;
use HTTP::Tiny;
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my @fields = qw(id symbol name nameid rank price_usd percent_change_24h percent_change_1h percent_change_7d price_btc
  market_cap_usd volume24 volume24a csupply tsupply msupply);
my $http = HTTP::Tiny->new;

sub page
{
	my ($sim, $query) = @_;
	return $http->get($sim->url . "/tickers/?$query");
}

my $sim = CryptoRt::Sim->start(coins => 14993);
my $answer = page($sim, 'start=0&limit=1000');
my $body = JSON::PP->new->decode($answer->{content});

is(scalar @{ $body->{data} }, 100, 'a page has 100 rows at the most, whatever is asked for');
is($body->{info}{coins_num}, 14993, 'coins_num');
is($body->{data}[0]{price_usd}, '77146.66', 'Bitcoin costs what it did');
like($answer->{content}, qr/^\{"data":\[\{"id":"90","symbol":"BTC","name":"Bitcoin","nameid":"bitcoin","rank":1,"price_usd":"/,
	'the fields stand in CoinLore\'s order');
is($answer->{headers}{'x-simulated'}, 'true', 'every answer says that it is simulated');
is($answer->{headers}{server}, 'cloudflare', 'and otherwise looks like CoinLore\'s');
is(page($sim, 'start=0&limit=1000')->{content}, $answer->{content}, 'between two refreshes the bytes are the same');
unlike(page($sim, 'start=14900&limit=100')->{content}, qr/"data":\[\]/, 'the last page is short, not empty');
like(page($sim, 'start=15000&limit=100')->{content}, qr/"data":\[\]/, 'past the end there is nothing');

my ($rows, %symbols, %kinds, $incomplete) = (0);
for (my $start = 0; $start < 15000; $start += 100)
{
	for my $row (@{ JSON::PP->new->decode(page($sim, "start=$start&limit=100")->{content})->{data} })
	{
		$rows++;
		$symbols{ $row->{symbol} }++;
		$incomplete++ if grep { !exists $row->{$_} } @fields;
		$kinds{dead}++ if ($row->{price_usd} // '') eq '0?';
		$kinds{scientific}++ if ($row->{price_btc} // '') =~ /E-/;
		$kinds{untraded}++ unless $row->{volume24};
	}
}
is($rows, 14993, 'all coins are on the pages');
cmp_ok(scalar(grep { $_ > 1 } values %symbols), '>=', 200, 'symbols are not unique');
ok(exists $symbols{$_}, "the odd symbol $_ is there") for 'BDCL BSC', 'Q*', '1%', ':ZKT:', 'BTC2.0';
ok($kinds{$_}, "there are $_ coins") for sort keys %{ { dead => 1, scientific => 1, untraded => 1 } };

my $zipped = $http->get($sim->url . '/tickers/?start=0&limit=100', { headers => { 'Accept-Encoding' => 'gzip' } });
gunzip(\$zipped->{content} => \my $plain);
is($plain, page($sim, 'start=0&limit=100')->{content}, 'gzip where it is asked for');

my $few = JSON::PP->new->decode($http->get($sim->url . '/ticker/?id=90,80')->{content});
is_deeply([ map { $_->{symbol} } @$few ], [qw(BTC ETH)], '/ticker/ gives the coins asked for');
my $global = JSON::PP->new->decode($http->get($sim->url . '/global/')->{content});
is($global->[0]{coins_count}, 14993, '/global/ counts them');

is($sim->get('/sim/stats')->{frozen}, JSON::PP::true, 'the market stands still when it is told to');
$sim->coin('bitcoin', price => '12345.6789');
like(page($sim, 'start=0&limit=100')->{content}, qr/"price_usd":"12345.6789"/, 'a pinned price is sent as it was given');
my $wrong = $http->post("http://127.0.0.1:" . $sim->port . '/sim/fault?mode=nonsense');
is($wrong->{status}, 400, 'a fault that there is not is refused');
like($wrong->{content}, qr/latency/, 'with those that there are');

# recordings: a proxy of the simulator writes one, another simulator plays it
my $file = PostgreSQL::Test::Utils::tempdir() . '/capture.jsonl';
my $proxy = CryptoRt::Sim->start(args => [ '--record' => $file, '--upstream' => $sim->url ], moving => 1);
my $first = page($proxy, 'start=0&limit=100')->{content};
is($first, page($sim, 'start=0&limit=100')->{content}, 'the recording proxy passes answers on');
$proxy->end;
my $player = CryptoRt::Sim->start(args => [ '--replay' => $file ], moving => 1);
is(page($player, 'start=0&limit=100')->{content}, $first, 'a recording is played as it was');
is(page($player, 'start=100&limit=100')->{status}, 404, 'what it does not hold is not found');

append_to_file($file, "{not json\n");
my ($out, $err) = run_command([ "$CryptoRt::top/build/coinlore_sim", '--replay', $file, '--listen', '127.0.0.1:0' ]);
like($err, qr/capture\.jsonl.*2/, 'a broken line is told with its file and number');
($out, $err) = run_command([ "$CryptoRt::top/build/coinlore_sim", '--coins', 'many' ]);
like($err, qr/coins/, 'a wrong option is told');
($out, $err) = run_command([ "$CryptoRt::top/build/coinlore_sim", '--listen', '127.0.0.1:' . $sim->port ]);
like($err, qr/@{[ $sim->port ]}/, 'a busy port is told');

done_testing();
