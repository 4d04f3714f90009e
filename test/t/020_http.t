# Every endpoint of the HTTP daemon: shapes, headers, errors.
use strict;
use warnings;
use Compress::Zlib qw(memGunzip);
use JSON::PP;
use Test::More;
use CryptoRt;
use CryptoRtHttp;

my $sim = CryptoRt::Sim->start(coins => 250);
my $redis = CryptoRt::Redis->start;
my $node = server('http', sim => $sim, redis => $redis, conf => "crypto_rt.max_requests_per_second = 100\n");
sql_becomes($node, 'SELECT coins FROM crypto_status()', 250, 'all coins are there');
redis_becomes_whole($node, $redis, 'Redis is whole');
my $http = CryptoRtHttp->start(redis => $redis, args => [ '--rate', 0 ]);
$http->ready;

# The status and the error of an answer.
sub error_is
{
	my ($path, $status, $error, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $answer = $http->get($path);
	is($answer->{status}, $status, "$name: $status");
	is($answer->{headers}{'content-type'}, 'application/json', "$name: as JSON");
	return like(eval { decode_json($answer->{content})->{error} } // "no JSON: $answer->{content}", $error, "$name: says why");
}

#
# One price
#

my $answer = $http->get('/api/v1/crypto/BTC/price');
is($answer->{status}, 200, 'a price');
is($answer->{content}, $redis->cli('GET', 'crypto:quote:BTC'), 'its body is the JSON in Redis, byte by byte');
is($answer->{headers}{'content-type'}, 'application/json', 'Content-Type');
like($answer->{headers}{'x-data-age'}, qr/^\d+$/, 'X-Data-Age');
is($answer->{headers}{'x-data-status'}, 'fresh', 'X-Data-Status');
is($answer->{headers}{'x-data-source'}, 'simulated', 'X-Data-Source');
is($answer->{headers}{'cache-control'}, 'public, max-age=5, stale-while-revalidate=5', 'Cache-Control is of its tier');
is($answer->{headers}{'access-control-allow-origin'}, '*', 'browsers may read it');
like($answer->{headers}{etag}, qr/^"[^"]+"$/, 'a strong ETag');
my $again = $http->get('/api/v1/crypto/BTC/price', 'If-None-Match' => $answer->{headers}{etag});
if ($again->{status} == 200)
{    # it was polled in between
	$again = $http->get('/api/v1/crypto/BTC/price', 'If-None-Match' => $again->{headers}{etag});
}
is($again->{status}, 304, 'If-None-Match: 304');
is($again->{content} // '', '', 'without a body');
is($http->json("/api/v1/crypto/$_/price")->{id}, 'bitcoin', "$_ is bitcoin") for qw(btc bTc %42TC id:bitcoin id%3Abitcoin);
for my $odd ($node->safe_psql('postgres', "SELECT string_agg(q.symbol, E'\\n') FROM crypto_quotes() q WHERE q.symbol !~ '^[A-Z0-9]*\$' AND q.id = (SELECT id FROM crypto_quote(q.symbol))") =~ /(.+)/g)
{
	utf8::decode($odd);
	my $got = $http->json('/api/v1/crypto/' . CryptoRt::Sim::escape($odd) . '/price');
	is($got && $got->{symbol}, $odd, 'the odd symbol ' . CryptoRt::Sim::escape($odd));
}
$answer = $http->get('/api/v1/crypto/xyz/price');
is($answer->{status}, 404, 'an unknown symbol: 404');
is($answer->{content}, '{"error":"Real-time price not available for XYZ"}', 'with the words that clients know');
error_is('/api/v1/crypto/%4/price', 400, qr/%/, 'a broken escape');
error_is('/api/v1/crypto/a%00b/price', 400, qr/NUL/, 'a NUL');
error_is('/api/v1/crypto/' . 'a' x 1000 . '/price', 404, qr/not available/, 'a long symbol');
error_is('/api/v1/crypto/' . 'a' x 6000 . '/price', 414, qr/longer than/, 'a long url');

#
# Many
#

my $all = $http->json('/api/v1/crypto/prices');
is($all->{count}, $redis->cli('ZCARD', 'crypto:symbols:ranked'), 'prices: all of them');
is(scalar keys %{ $all->{prices} }, $all->{count}, 'prices: as many as it says');
like($all->{timestamp}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'prices: a time');
is($all->{prices}{BTC}{id}, 'bitcoin', 'prices: by symbol');
$answer = $http->get('/api/v1/crypto/prices', 'Accept-Encoding' => 'gzip');
is($answer->{headers}{'content-encoding'}, 'gzip', 'prices: gzip');
like($answer->{headers}{vary}, qr/Accept-Encoding/i, 'prices: Vary');
is(decode_json(memGunzip($answer->{content}))->{count}, $all->{count}, 'prices: the same, unpacked');
is(join(',', sort keys %{ $http->json('/api/v1/crypto/prices?symbols=eth,BTC,NOSUCH')->{prices} }), 'BTC,ETH', 'prices: those asked for');
is(join(',', sort keys %{ $http->json('/api/v1/crypto/prices?limit=2')->{prices} }), 'BTC,ETH', 'prices: the best two');
error_is('/api/v1/crypto/prices?limit=abc', 400, qr/limit/, 'prices: a limit that is none');
error_is('/api/v1/crypto/prices?limit=-1', 400, qr/limit/, 'prices: a limit below one');
$answer = $http->get('/api/v1/crypto/prices');
is($http->get('/api/v1/crypto/prices', 'If-None-Match' => $answer->{headers}{etag})->{status}, 304, 'prices: 304')
  or diag explain $answer->{headers};

#
# A page
#

my $page = $http->json('/api/v1/crypto?page=1');
is(scalar @{ $page->{data} }, 100, 'a page has 100 coins');
is_deeply([ sort keys %{ $page->{data}[0] } ],
	[ sort qw(symbol price change changePercent volume high low timestamp market_cap_rank) ], 'a page: the fields of a coin');
is($page->{data}[0]{symbol}, 'BTC', 'a page: by rank');
like($http->get('/api/v1/crypto?page=1')->{content}, qr/"price":"[0-9.]+","change":"-?[0-9.]+","changePercent":"-?[0-9.]+","volume":[0-9.]+,"high":"[0-9.]+","low":"[0-9.]+"/,
	'a page: prices are strings');
is_deeply([ sort keys %{ $page->{meta} } ], [ sort qw(page perPage total totalPages timestamp source) ], 'a page: the fields of meta');
is($page->{meta}{total}, $all->{count}, 'a page: the total');
is(scalar @{ $http->json('/api/v1/crypto?page=99')->{data} }, 0, 'a page beyond the end has no coins');
is_deeply($http->json('/api/v1/crypto')->{data}[0]{symbol}, 'BTC', 'without a number it is the first');
error_is('/api/v1/crypto?page=0', 400, qr/page/, 'page 0');

#
# The rest
#

my $stats = $http->json('/api/v1/crypto/stats');
is($stats->{total_coins}, $all->{count}, 'stats: coins');
is($stats->{source}, 'redis', 'stats: where they come from');
is($stats->{tiers}[0]{tier}, 'tier1', 'stats: tiers');
error_is('/api/v1/crypto/BTC/candles', 503, qr/candles need PostgreSQL, and none is configured/, 'candles without a database');
is($http->get('/healthz')->{status}, 200, 'healthz');
like($http->get('/metrics')->{content}, qr/^crypto_rt_http_requests_total\{.*route="\/api\/v1\/crypto\/\{symbol\}\/price".*\} \d+$/m, 'metrics: requests by route');
like($http->get('/')->{content}, qr/crypto_rt/, 'the page at /');

#
# Methods, and what is not there
#

$answer = $http->request('HEAD', '/api/v1/crypto/BTC/price');
is($answer->{status}, 200, 'HEAD');
cmp_ok($answer->{headers}{'content-length'}, '>', 100, 'HEAD: the length of what GET would bring');
$answer = $http->request('OPTIONS', '/api/v1/crypto/BTC/price');
is($answer->{status}, 204, 'OPTIONS');
is($answer->{headers}{allow}, 'GET, HEAD, OPTIONS', 'OPTIONS: Allow');
for my $method (qw(POST PUT DELETE PATCH))
{
	$answer = $http->request($method, '/api/v1/crypto/BTC/price');
	is($answer->{status}, 405, "$method: 405");
	is($answer->{headers}{allow}, 'GET, HEAD, OPTIONS', "$method: Allow");
}
$answer = $http->get('/api/v1/crypto/BTC/prise');
is($answer->{status}, 404, 'a path that is not there: 404');
is(decode_json($answer->{content})->{hint}, 'did you mean /api/v1/crypto/{symbol}/price?', 'with a hint for what is close');

done_testing();
