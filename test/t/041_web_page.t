# The dashboard in Chromium; what is looked at stands in test/web/page.test.mjs.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use CryptoRt;
use CryptoRtHttp;

my $sim = CryptoRt::Sim->start(moving => 1, coins => 14993, refresh => '20s');
my $redis = CryptoRt::Redis->start;
my $node = server('web', sim => $sim, redis => $redis, conf => <<'CONF');
crypto_rt.tiers = '100:1s,*:10s'
crypto_rt.max_requests_per_second = 100
CONF
my $http = bless { port => free_port(), folder => File::Temp::tempdir(CLEANUP => 1), opt => { redis => $redis, node => $node } }, 'CryptoRtHttp';

sql_becomes($node, 'SELECT coins > 14000 FROM crypto_status()', 't', 'all coins are there', 60);
sql_becomes($node, 'SELECT redis_problem IS NULL AND sweeps > 1 FROM crypto_status()', 't', 'and in Redis', 60);
node_tests("$CryptoRt::top/test/web/page.test.mjs", DASHBOARD => JSON::PP->new->encode({
	daemon => [ $http->command ], url => $http->url, sim => $sim->url =~ s{/api$}{}r, log => $http->logfile }))
	or diag $http->log;
$node->stop;
done_testing();
