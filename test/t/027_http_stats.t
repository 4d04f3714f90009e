# /stats: what the daemon tells of itself, of the extension in PostgreSQL, and of the last hour.
use strict;
use warnings;
use Compress::Zlib qw(memGunzip);
use JSON::PP;
use Test::More;
use CryptoRt;
use CryptoRtClock;
use CryptoRtHttp;

CryptoRtClock::build();
my $stats = '/api/v1/crypto/stats';
my $sim = CryptoRt::Sim->start(coins => 250);
my $node = server('http_stats', sim => $sim, conf => "crypto_rt.max_requests_per_second = 100\n");
my $sql = CryptoRt::Session->new($node);
sql_becomes($node, 'SELECT coins FROM crypto_status()', 250, 'all coins are there');
$sql->ask('CREATE ROLE plain LOGIN');
my $database = $node->connstr('postgres') . ' user=plain';

# A daemon with this clock.
sub daemon { my (@args) = @_; return CryptoRtClock::with(sub { CryptoRtHttp->start(args => [ '--rate', 0, @args ]) }) }

# /stats, which is kept for a second: as new as the clock is.
sub fresh
{
	my ($http, $query) = @_;
	CryptoRtClock::forward(2);
	return $http->json($stats . ($query // '')) // {};
}

sub queries { my ($http) = @_; return ($http->get('/metrics')->{content} =~ /^crypto_rt_http_database_queries_total\{result="ok"\} (\d+)/m)[0] }

#
# Without anything
#

my $bare = daemon();
my $got = $bare->json($stats);
is($got->{server}, undef, 'without a database: server is null');
ok(exists $got->{server}, 'and there');
is($got->{simulated}, JSON::PP::false, 'without quotes: nothing is simulated');
ok(!exists $got->{history}, 'no history, unless it is asked for');
my $began = fresh($bare)->{daemon};
is_deeply([ sort keys %$began ], [ sort qw(version uptime_seconds requests client_errors server_errors limited connections resident_bytes processor_seconds) ], 'daemon: what there is');
is("crypto_rt_http $began->{version}\n", `$CryptoRt::top/build/crypto_rt_http --version`, 'daemon: its version');
cmp_ok($began->{resident_bytes}, '>', 1 << 20, 'daemon: its memory');
cmp_ok($began->{processor_seconds}, '>', 0, 'daemon: its time');
cmp_ok($began->{connections}, '>=', 1, 'daemon: connections');
is($bare->get('/nothing')->{status}, 404, 'a mistake of ours') for 1 .. 3;
is($bare->get('/readyz')->{status}, 503, 'and one of its own');
my $then = fresh($bare)->{daemon};
is($then->{client_errors} - $began->{client_errors}, 3, 'daemon: mistakes of clients are counted');
is($then->{server_errors} - $began->{server_errors}, 1, 'daemon: and those of the server');
is($then->{requests} - $began->{requests}, 5, 'daemon: and all requests');
cmp_ok($then->{uptime_seconds} - $began->{uptime_seconds}, '>=', 2, 'daemon: time goes by');
is(fresh($bare, "?history=$_")->{history}, undef, "history=$_: none") for 'false', '';
my $answer = $bare->get("$stats?history=perhaps");
is($answer->{status}, 400, 'history=perhaps: 400');
is($answer->{content}, '{"error":"history must be true or false"}', 'and why');
is($bare->get($stats)->{headers}{'cache-control'}, 'public, max-age=1, stale-while-revalidate=1', 'it is good for a second');
my $kept = $bare->get($stats);
is($bare->get($stats)->{headers}{etag}, $kept->{headers}{etag}, 'and kept for as long');
is($bare->get($stats, 'If-None-Match' => $kept->{headers}{etag})->{status}, 304, 'with 304 for who has it');

#
# The last hour
#

my @series = qw(requests_per_second errors_per_second streams frames_per_second changes_per_second quote_age_seconds processor_percent resident_bytes);
my $young = daemon();
my $history = $young->json("$stats?history=true")->{history};
is_deeply([ sort keys %$history ], [ sort qw(interval_seconds until), @series ], 'history: what there is');
is($history->{until}, undef, 'history: nothing yet');
is($history->{interval_seconds}, 10, 'history: every ten seconds');
is_deeply($history->{$_}, [], "history: no $_") for @series;

# Move the clock and wait until there are so many samples.
sub samples_become
{
	my ($http, $forward, $count, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	CryptoRtClock::forward($forward);
	eventually(sub { $history = fresh($http, '?history=true')->{history}; @{ $history->{streams} } >= $count }, $name);
	return;
}

$young->get('/nothing') for 1 .. 40;
my $stream = $young->connect;
print $stream "GET /api/v1/crypto/stream HTTP/1.1\r\nHost: test\r\n\r\n";
eventually(sub { fresh($young)->{streams}{open} == 1 }, 'a stream is open');
samples_become($young, 10, 1, 'history: a first sample');
is(scalar @{ $history->{$_} }, scalar @{ $history->{streams} }, "history: $_ has as many as the others") for @series;
cmp_ok($history->{errors_per_second}[0], '>', 0.5, 'history: errors of a second') or diag explain $history;
cmp_ok($history->{requests_per_second}[0], '>=', $history->{errors_per_second}[0], 'history: of the requests');
is($history->{streams}[-1], 1, 'history: streams');
is($history->{quote_age_seconds}[-1], undef, 'history: without quotes their age is not known');
cmp_ok($history->{resident_bytes}[-1], '>', 1 << 20, 'history: memory');
cmp_ok($history->{processor_percent}[-1], '>=', 0, 'history: time');
like($history->{until}, qr/^\d+$/, 'history: when the newest was taken');
my $taken = @{ $history->{streams} };
my $until = $history->{until};
CryptoRtClock::forward(100);
samples_become($young, 0, $taken + 10, 'history: after a sleep as many as time went by');
is((grep { !defined } @{ $history->{streams} }) >= 9, 1, 'history: of which most are not known') or diag explain $history->{streams};
cmp_ok(abs($history->{until} - $until - 10 * (@{ $history->{streams} } - $taken)), '<=', 2, 'history: the newest is as much later as there are more');
samples_become($young, 7200, 360, 'history: an hour');
is(scalar @{ $history->{$_} }, 360, "history: no more of $_") for @series;
$answer = $young->get("$stats?history=true", 'Accept-Encoding' => 'gzip');
is($answer->{headers}{'content-encoding'}, 'gzip', 'history: as gzip');
ok(decode_json(memGunzip($answer->{content}))->{history}, 'history: the same, unpacked');
$young->end;

#
# What the extension says
#

my $http = daemon('--database', $database);
eventually(sub { $http->get('/api/v1/crypto/BTC/price')->{status} == 200 }, 'there are quotes');
$got = $http->json($stats);
is_deeply($got->{server}, { age_seconds => undef, problem => 'no answer yet', status => undef, tiers => [] }, 'at first there is no answer');
my $server;
eventually(sub { $server = fresh($http)->{server}; defined $server->{age_seconds} }, 'then there is one') || diag explain $server, $http->log;
is($server->{problem}, undef, 'and no problem');
is_deeply([ sort keys %{ $server->{status} } ], [ sort split /\n/, $sql->ask("SELECT unnest(proargnames) FROM pg_proc WHERE proname = 'crypto_status'") ],
	'status is what crypto_status() says, to a role that may do nothing');
is($server->{status}{state}, 'polling', 'status: the state');
is($server->{status}{coins}, 250, 'status: numbers are numbers');
is_deeply([ map { $_->{tier} } @{ $server->{tiers} } ], [ split /\n/, $sql->ask('SELECT tier FROM crypto_tiers') ], 'tiers are those of crypto_tiers');
is($server->{tiers}[0]{interval_asked}, '00:00:05', 'tiers: intervals');
is(fresh($http)->{simulated}, JSON::PP::true, 'the quotes are simulated');
eventually(sub { my $now = fresh($http)->{server}; defined $now->{age_seconds} && $now->{age_seconds} <= 4 }, 'an answer is as old as the time between two looks');

# Whoever looks does not make it ask more often than every two seconds, and nobody makes it ask nothing.
my $before = queries($http);
$http->get("$stats?history=" . ($_ % 2 ? 'true' : 'false')) for 1 .. 30;
cmp_ok(queries($http) - $before, '<=', 2, 'thirty looks at once ask once');
CryptoRtClock::forward(20);
remains(sub { queries($http) <= $before + 2 }, 'when nobody looks nothing is asked', 1);
fresh($http);
eventually(sub { queries($http) > $before }, 'the next look asks again');

# Trouble.
sub problem_becomes
{
	my ($problem, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return eventually(sub { $server = fresh($http)->{server}; ($server->{problem} // '') eq $problem }, $name) || diag explain $server;
}

$sql->ask('DROP EXTENSION crypto_rt');
problem_becomes('there is no extension crypto_rt in the database', 'without the extension: it is said');
is($server->{status}{coins}, 250, 'without the extension: the last answer is still there');
cmp_ok($server->{age_seconds}, '>=', 1, 'without the extension: with its age');
fresh($http) for 1 .. 20;
is(scalar(() = $http->log =~ /does not tell how the extension does/g), 1, 'without the extension: the log says so once');
$sql->ask('CREATE EXTENSION crypto_rt');
problem_becomes('', 'with the extension again: all is well');
like($http->log, qr/tells how the extension does again/, 'with the extension again: the log says so');
$sql->ask('REVOKE EXECUTE ON FUNCTION crypto_status() FROM PUBLIC');
problem_becomes("PostgreSQL could not answer: the daemon's log says why", 'without the right: it is said');
like($http->log, qr/does not tell how the extension does: permission denied for function crypto_status/, 'without the right: the log says why');
$sql->ask('GRANT EXECUTE ON FUNCTION crypto_status() TO PUBLIC');
problem_becomes('', 'with the right: all is well');
undef $sql;
$node->stop('immediate');
problem_becomes('PostgreSQL is away', 'PostgreSQL away: it is said');
ok(defined $server->{status}, 'PostgreSQL away: the last answer is still there');
unlike(encode_json($server), qr/password|user=|host=/, 'PostgreSQL away: nothing of where it is');
$node->start;
problem_becomes('', 'PostgreSQL back: all is well');
$http->end;

done_testing();
