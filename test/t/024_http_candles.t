# Candles over HTTP: what is asked for, what is answered, and what happens to those who wait when PostgreSQL is busy, away or gone.
use strict;
use warnings;
use Compress::Zlib qw(memGunzip);
use IO::Select;
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use CryptoRt;
use CryptoRtClock;
use CryptoRtHttp;

delete $ENV{PGAPPNAME};    # which the daemon would be called by, too
my $node = server('http_candles');
my $sql = CryptoRt::Session->new($node);
my $locker = CryptoRt::Session->new($node);

# The first minute of a day some days ago, in unix seconds: far from what is being made now, and within all retentions.
my $day = $sql->ask("SELECT extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '3 days')::bigint");

$sql->ask(<<"SQL");
INSERT INTO crypto_coins (nameid, symbol, name, owns_symbol, active) VALUES
	('test-coin', 'TST', 'Test', true, true), ('odd-coin', 'BDCL BSC', 'Odd', true, true), ('umlaut', 'ÄÖ', 'Umlaut', true, true),
	('real-coin', 'REAL', 'Real', true, true), ('new-coin', 'NEW', 'New', true, true), ('many-coin', 'MANY', 'Many', true, true);
SELECT crypto_partition_make(p, t) FROM unnest(ARRAY['crypto_candles_1m', 'crypto_candles_1h']::regclass[]) p,
	unnest(ARRAY[to_timestamp($day), to_timestamp($day) + interval '1 day', now()]) t;
SQL

# Put snapshots into the candles: a coin's nameid, whether they are simulated, and seconds of $day => [price, volume].
sub add
{
	my ($nameid, $simulated, %at) = @_;
	my @times = sort { $a <=> $b } keys %at;
	my $list = sub { my ($of, $type) = @_; return 'ARRAY[' . join(',', map { $of->($_) } @times) . "]::$type\[]" };

	my $answer = $sql->ask("SELECT crypto_candles_add("
		  . $list->(sub { "to_timestamp($day + $_[0])" }, 'timestamptz') . ', '
		  . $list->(sub { "(SELECT coin FROM crypto_coins WHERE nameid = '$nameid')" }, 'integer') . ', '
		  . $list->(sub { $simulated ? 'true' : 'false' }, 'boolean') . ', '
		  . $list->(sub { $at{ $_[0] }[0] }, 'numeric') . ', '
		  . $list->(sub { $at{ $_[0] }[1] // 'NULL' }, 'numeric') . ')');
	die $answer if $answer ne '';
	return;
}

add('real-coin', 0,
	0 => [ '100.10', '5000.5' ], 20 => [ '101', '5001' ], 59 => [ '99.123456789012345678', '5002' ],
	60 => [ '0.00000001', undef ],
	240 => [ '120', '7' ], 299 => [ '110', '8.80' ],
	3600 => [ '200', '1' ]);
add('test-coin', 0, 0 => [ 1, 1 ]);
add('test-coin', 1, 60 => [ 2, 2 ]);
add('odd-coin', 0, 0 => [ 3, 3 ]);
add('umlaut', 0, 0 => [ 4, 4 ]);
add('many-coin', 0, map { 60 * $_ => [ 1000 + $_, $_ ] } 0 .. 1199);

my $http = CryptoRtHttp->start(node => $node, args => [ '--rate', 0, '--database-connections', 2 ]);

sub candles { my ($query, $symbol) = @_; return '/api/v1/crypto/' . ($symbol // 'REAL') . "/candles?$query" }

# A query string for a range of $day, by seconds.
sub range { my ($from, $to, $more) = @_; return sprintf 'from=%d&to=%d%s', $day + $from, $day + $to, $more // '' }

sub body_is
{
	my ($path, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $answer = $http->get($path);
	is($answer->{status}, 200, "$name: 200") or diag $answer->{content};
	return is($answer->{content}, $expected, $name);
}

sub error_is
{
	my ($path, $status, $error, $name, $daemon) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $answer = ($daemon // $http)->get($path);
	is($answer->{status}, $status, "$name: $status");
	return is($answer->{content}, $error, "$name: says why");
}

# A value of /metrics.
sub metric
{
	my ($what, $daemon) = @_;
	my ($value) = ($daemon // $http)->get('/metrics')->{content} =~ /^crypto_rt_http_\Q$what\E (\S+)$/m;
	return $value // -1;
}

sub queries { return metric('candles_total{from="query"}') }

# A request on a connection of its own, whose answer is read later.
sub ask
{
	my ($path, $daemon) = @_;
	my $socket = ($daemon // $http)->connect;

	print $socket "GET $path HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
	return $socket;
}

# All that comes on it, for no more than so many seconds.
sub answer
{
	my ($socket, $seconds) = @_;
	my $end = time() + ($seconds // 15);
	my $select = IO::Select->new($socket);
	my $text = '';

	while ((my $left = $end - time()) > 0)
	{
		next unless $select->can_read($left);
		last unless sysread $socket, $text, 65536, length $text;
	}
	return $text;
}

sub lock_candles
{
	my $answer = $locker->ask("BEGIN; LOCK TABLE crypto_candles IN ACCESS EXCLUSIVE MODE");
	die $answer if $answer ne '';
	return;
}

sub unlock_candles { $locker->ask('ROLLBACK'); return }

#
# What is answered
#

my $row = sub { my ($at, @numbers) = @_; return '[' . join(',', $day + $at, map { $_ // 'null' } @numbers) . ']' };
my $all = join ',', $row->(0, qw(100.10 101 99.123456789012345678 99.123456789012345678 5002)),
  $row->(60, qw(0.00000001 0.00000001 0.00000001 0.00000001), undef), $row->(240, qw(120 120 110 110 8.80));

body_is(candles(range(0, 3600)), qq({"symbol":"REAL","interval":"1m","source":"coinlore","candles":[$all]}),
	'candles of a minute, number by number, the newest last');
body_is(candles(range(0, 3600, '&interval=5m')),
	qq({"symbol":"REAL","interval":"5m","source":"coinlore","candles":[) . $row->(0, qw(100.10 120 0.00000001 110 8.80)) . ']}', 'of five minutes');
body_is(candles(range(0, 7200, '&interval=1h')),
	qq({"symbol":"REAL","interval":"1h","source":"coinlore","candles":[) . $row->(0, qw(100.10 120 0.00000001 110 8.80)) . ','
	  . $row->(3600, qw(200 200 200 200 1)) . ']}', 'of an hour');
for my $interval (qw(2h 4h 1d))
{
	body_is(candles(range(0, 7200, "&interval=$interval")),
		qq({"symbol":"REAL","interval":"$interval","source":"coinlore","candles":[) . $row->(0, qw(100.10 200 0.00000001 200 1)) . ']}', "of $interval");
}
for my $interval (qw(1w 1M))
{
	my $answer = $http->json(candles(range(0, 7200, "&interval=$interval")));
	my $begin = $sql->ask("SELECT extract(epoch FROM crypto_bucket('1 " . ($interval eq '1w' ? 'week' : 'month') . "', to_timestamp($day)))::bigint");
	is($answer->{candles}[0][0], $begin, "of $interval: from where the week or month begins");
}
body_is(candles(range(60, 240)), qq({"symbol":"REAL","interval":"1m","source":"coinlore","candles":[) . $row->(60, qw(0.00000001 0.00000001 0.00000001 0.00000001), undef) . ']}',
	'from is in the first candle, to begins the one behind the last');
body_is(candles(range(119, 241)), qq({"symbol":"REAL","interval":"1m","source":"coinlore","candles":[) . $row->(60, ('0.00000001') x 4, undef) . ','
	  . $row->(240, qw(120 120 110 110 8.80)) . ']}', 'also in the middle of them');
body_is(candles(range(0, 3600, '&limit=2')), qq({"symbol":"REAL","interval":"1m","source":"coinlore","candles":[) . $row->(60, ('0.00000001') x 4, undef) . ','
	  . $row->(240, qw(120 120 110 110 8.80)) . ']}', 'of more than limit, the newest');
body_is(candles(range(60, 300, '&fill=true')), qq({"symbol":"REAL","interval":"1m","source":"coinlore","candles":[)
	  . join(',', (map { $row->($_, ('0.00000001') x 4, undef) } 60, 120, 180), $row->(240, qw(120 120 110 110 8.80))) . ']}', 'fill=true leaves no gap');
body_is(candles(range(60, 300, '&fill=false')), qq({"symbol":"REAL","interval":"1m","source":"coinlore","candles":[) . $row->(60, ('0.00000001') x 4, undef) . ','
	  . $row->(240, qw(120 120 110 110 8.80)) . ']}', 'fill=false does');
my $iso = sub { my @t = gmtime($day + $_[0]); return sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ] };
my $whole = qq({"symbol":"REAL","interval":"1m","source":"coinlore","candles":[$all]});
body_is(candles('from=' . $iso->(0) . '&to=' . $iso->(3600)), $whole, 'times as ISO 8601');
body_is(candles("from=${day}000&to=" . ($day + 3600) . '000'), $whole, 'times in milliseconds');
body_is(candles('interval=&limit=&fill=&' . range(0, 3600)), $whole, 'empty arguments count as not given');
is(scalar @{ $http->json(candles('to=' . ($day + 72000), 'MANY'))->{candles} }, 500, 'without from and limit: the last 500 before to');
is(scalar @{ $http->json(candles('limit=1000&to=' . ($day + 72000), 'MANY'))->{candles} }, 1000, 'limit=1000');
is($http->json(candles('limit=1000&to=' . ($day + 72000), 'MANY'))->{candles}[-1][0], $day + 71940, 'and they end at to');
is(scalar @{ $http->json(candles("limit=1000&from=0", 'MANY'))->{candles} }, 1000, 'of a long time, the newest 1000');
for my $to (72000, 72060, 80000)
{    # where none are missing at the end, where one is, and where all are
	my $newest = $http->json(candles("limit=100&from=0&to=" . ($day + $to), 'MANY'))->{candles};
	is_deeply([ map { $_->[0] } @$newest ], [ map { $day + 71940 - 60 * $_ } reverse 0 .. 99 ], "the newest 100 to $to");
}

body_is(candles(range(0, 60), 'TST'), qq({"symbol":"TST","interval":"1m","source":"coinlore","candles":[) . $row->(0, 1, 1, 1, 1, 1) . ']}', 'none is simulated: coinlore');
body_is(candles(range(0, 120), 'TST'), qq({"symbol":"TST","interval":"1m","source":"simulated","candles":[) . $row->(0, 1, 1, 1, 1, 1) . ',' . $row->(60, 2, 2, 2, 2, 2) . ']}',
	'any is simulated: simulated');
is($http->json(candles(range(0, 60), $_))->{symbol}, 'TST', "$_ is TST") for qw(tst tSt %54st id:test-coin ID:Test-Coin id%3Atest-coin);
is($http->json(candles(range(0, 60), 'bdcl%20bsc'))->{symbol}, 'BDCL BSC', 'a symbol with a blank');
is($http->json(candles(range(0, 60), '%C3%84%C3%96'))->{candles}[0][1], 4, 'a symbol of UTF-8');
body_is(candles(''     , 'NEW'), '{"symbol":"NEW","interval":"1m","source":"coinlore","candles":[]}', 'a known coin without candles');
error_is(candles('', 'xyz'), 404, '{"error":"Candles not available for XYZ"}', 'an unknown coin');
error_is(candles('', 'id:xyz'), 404, '{"error":"Candles not available for ID:XYZ"}', 'an unknown id');
error_is(candles('', q(%27%3B%20DROP%20TABLE%20tickers)), 404, q({"error":"Candles not available for '; DROP TABLE TICKERS"}), 'SQL is but a symbol');
is($http->get(candles('', 'x' x 500))->{status}, 404, 'a symbol that is too long: 404');
error_is(candles('', '%FF'), 400, '{"error":"the symbol holds control characters or is not UTF-8"}', 'a symbol that is no text');

# now
my $second = $sql->ask('SELECT floor(extract(epoch FROM now()))');
add('new-coin', 1, $second - $day => [ '42.50', '9' ]);
like($http->get(candles('limit=3', 'NEW'))->{content}, qr/,42.50,42.50,42.50,42.50,9\]\]\}\z/, 'without from and to: up to now');

#
# What is refused
#

my $units = '"1m, 5m, 15m, 1h, 4h, 1d, 1w or 1M: minutes, hours, days, weeks, months of the calendar"';
my $times = '"unix seconds, or a time as 2026-11-24T15:00:00Z"';
error_is(candles("interval=$_"), 400, qq({"error":"interval must be a whole number from 1 and a unit","hint":$units}), "interval $_") for qw(0m 1x 5 m 1.5h);
error_is(candles('interval=500M'), 400, qq({"error":"interval is longer than ten years","hint":$units}), 'interval 500M');
error_is(candles('from=yesterday'), 400, qq({"error":"from must be a time","hint":$times}), 'from yesterday');
error_is(candles('to=2026-02-30'), 400, qq({"error":"to must be a time","hint":$times}), 'to the 30th of February');
error_is(candles('to=999999999999999'), 400, qq({"error":"to must be from 1970 to 9999","hint":$times}), 'to a far away day');
error_is(candles(range(60, 0)), 400, '{"error":"from is later than to"}', 'from after to');
error_is(candles("limit=$_"), 400, '{"error":"limit must be a whole number from 1 to 1000"}', "limit $_") for qw(0 -1 1001 ten);
error_is(candles('fill=maybe'), 400, '{"error":"fill must be true or false"}', 'fill maybe');

#
# Headers
#

my $answer = $http->get(candles(range(0, 72000, '&limit=1000'), 'MANY'));
my $etag = $answer->{headers}{etag};
is($answer->{headers}{'content-type'}, 'application/json', 'Content-Type');
is($answer->{headers}{'cache-control'}, 'public, max-age=60, stale-while-revalidate=60', 'Cache-Control of what has passed');
like($http->get(candles(''))->{headers}{'cache-control'}, qr/max-age=1,/, 'Cache-Control of what has not');
is($answer->{headers}{'access-control-allow-origin'}, '*', 'browsers may read it');
like($answer->{headers}{vary}, qr/Accept-Encoding/, 'Vary');
like($etag, qr/^"[^"]+"$/, 'a strong ETag');
my $same = $http->get(candles(range(0, 72000, '&limit=1000'), 'MANY'), 'If-None-Match' => $etag);
is($same->{status}, 304, 'If-None-Match: 304');
is($same->{content} // '', '', 'without a body');
my $packed = $http->get(candles(range(0, 72000, '&limit=1000'), 'MANY'), 'Accept-Encoding' => 'gzip');
is($packed->{headers}{'content-encoding'}, 'gzip', 'gzip');
is(memGunzip($packed->{content}), $answer->{content}, 'the same, unpacked');
isnt($packed->{headers}{etag}, $etag, 'with an ETag of its own');
cmp_ok(length $packed->{content}, '<', length($answer->{content}) / 3, 'and smaller');
is($http->get(candles(range(0, 60)), 'Accept-Encoding' => 'gzip')->{headers}{'content-encoding'}, undef, 'a small one is not worth it');
my $head = $http->request('HEAD', candles(range(0, 72000, '&limit=1000'), 'MANY'));
is("$head->{status} $head->{headers}{'content-length'} $head->{headers}{etag}", '200 ' . length($answer->{content}) . " $etag", 'HEAD, of what is kept');
$head = $http->request('HEAD', candles(range(0, 7200, '&limit=7')));
is($head->{status}, 200, 'HEAD, of what is to be queried');
is($head->{headers}{'content-length'}, length $http->get(candles(range(0, 7200, '&limit=7')))->{content}, 'its length is that of the body');

#
# What is kept, and shared
#

my $before = queries();
$http->get(candles(range(0, 1234))) for 1 .. 5;
is(queries() - $before, 1, 'five times the same: one query');
$http->get(candles(range(1, 1239), 'real'));
is(queries() - $before, 1, 'and none for the same candles in other words');
cmp_ok(metric('candles_total{from="kept"}'), '>=', 5, 'metrics count what was kept');
cmp_ok(metric('reply_cache_replies'), '>=', 5, 'and the replies that are');
cmp_ok(metric('reply_cache_bytes'), '>', 1000, 'and their bytes');
my $close = sub { return $http->json(candles('limit=3', 'NEW'))->{candles}[-1][4] };
$close->();
add('new-coin', 1, $second + 1 - $day => [ '43', '9' ]);
eventually(sub { $close->() eq '43' }, 'the newest candle is kept for a second at the most', 2.5);

lock_candles();
$before = queries();
my $shared = metric('candles_total{from="shared"}');
my @same = map { ask(candles(range(0, 3600, '&limit=9'))) } 1 .. 20;
eventually(sub { metric('requests_suspended') == 20 }, 'twenty ask for the same while PostgreSQL is busy');
is($http->get('/healthz')->{status}, 200, 'others are answered meanwhile');
unlock_candles();
is(scalar(grep { answer($_) =~ /\Q$whole\E\z/ } @same), 20, 'all of them are answered');
is(queries() - $before, 1, 'by one query');
is(metric('candles_total{from="shared"}') - $shared, 19, 'metrics say so');
is(metric('requests_suspended'), 0, 'and nobody waits any more');

#
# Clients that leave
#

my $cancelled = metric('database_queries_total{result="cancelled"}');
lock_candles();
my @leaving = map { ask(candles(range(0, 3600, "&limit=1$_"))) } 0 .. 5;
my $staying = ask(candles(range(0, 3600, '&limit=10')));
eventually(sub { metric('requests_suspended') == 7 }, 'seven wait');
eventually(sub { metric('database_connections{state="busy"}') == 2 }, 'two of them for an answer');
is(metric('database_queue'), 4, 'four for a connection, and one with another');
close $_ for @leaving;
eventually(sub { metric('requests_suspended') == 1 }, 'six leave');
is(metric('database_queue'), 0, 'their queries are not queued any more');
is(metric('database_queries_total{result="cancelled"}') - $cancelled, 5, 'but cancelled, unlike that which another waits for');
like($http->get('/metrics')->{content}, qr/candles",method="GET",status="499"\} 6$/m, 'and count as requests whose client left');
unlock_candles();
like(answer($staying), qr/^HTTP\/1\.1 200 .*\Q$whole\E\z/s, 'who has stayed is answered');
eventually(sub { metric('database_connections{state="busy"}') == 0 }, 'the connections are free again');

#
# PostgreSQL is slow
#

lock_candles();
my $began = time();
my @slow = map { ask(candles(range(0, 3600, "&limit=2$_"))) } 0 .. 5;
my @late = map { answer($_) } @slow;
is(scalar(grep { /^HTTP\/1\.1 504 .*\{"error":"PostgreSQL has not answered within 5 seconds"\}\z/s } @late), 6, 'with all connections blocked: 504') or diag explain \@late;
cmp_ok(time() - $began, '<', 11, 'after five seconds for a connection, or as many for an answer');
unlock_candles();
is($http->get(candles(range(0, 3600, '&limit=20')))->{status}, 200, 'then it goes on');
cmp_ok(metric('database_queries_total{result="late"}'), '>=', 6, 'metrics count the late ones');

lock_candles();
my @flood = map { ask(candles(range(0, 3600, "&limit=" . (100 + $_)))) } 1 .. 300;
eventually(sub { metric('database_queries_total{result="queue_full"}') == 300 - 256 - 2 }, 'of three hundred, the queue takes no more than it may');
unlock_candles();
my %statuses;
for my $socket (@flood)
{
	my $text = answer($socket);
	$statuses{ substr $text, 9, 3 }++;
	like($text, qr/^Retry-After: 1\r$/m, 'who is refused is told when to come again') if $text =~ /^HTTP\/1\.1 503/ && $statuses{503} == 1;
}
is_deeply(\%statuses, { 200 => 258, 503 => 42 }, 'the others are answered');

#
# PostgreSQL ends connections, or is away
#

$sql->ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crypto_rt_http'");
is($http->get(candles(range(0, 3600, '&limit=30')))->{status}, 200, 'idle connections have been ended: nobody notices');
lock_candles();
my $patient = ask(candles(range(0, 3600, '&limit=31')));
my $waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crypto_rt_http' AND wait_event_type = 'Lock'";
$sql->becomes($waits, 1, 'a query waits');
my $pid = $sql->ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'crypto_rt_http' AND wait_event_type = 'Lock'");
$sql->ask("SELECT pg_terminate_backend($pid)");
$sql->becomes("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crypto_rt_http' AND wait_event_type = 'Lock' AND pid <> $pid", 1,
	'its connection is ended: it is asked again on another');
unlock_candles();
like(answer($patient), qr/^HTTP\/1\.1 200 /, 'and answered');
$sql->is("SELECT count(*) > 0, bool_and(query_start IS NULL OR query NOT ILIKE '%real%') FROM pg_stat_activity WHERE application_name = 'crypto_rt_http'", 't|t',
	'what clients write is no part of any statement');

my $away = '{"error":"candles need PostgreSQL, which is away","hint":"the daemon\'s log says what is wrong"}';
$http->get(candles(range(0, 3600, '&limit=39')));
lock_candles();
$patient = ask(candles(range(0, 3600, '&limit=40')));
$sql->becomes($waits, 1, 'another query waits');
$began = time();
$node->stop('immediate');
undef $sql;
undef $locker;
like(answer($patient), qr/^HTTP\/1\.1 503 .*^Retry-After: 1\r\n.*\Q$away\E\z/ms, 'PostgreSQL stops: 503, come again');
error_is(candles(range(0, 3600, '&limit=41')), 503, $away, 'while it is away');
cmp_ok(time() - $began, '<', 5, 'at once');
body_is(candles(range(0, 3600, '&limit=39')), $whole, 'what is kept is answered still');
my @log = $http->log =~ /(no queries to PostgreSQL .*)/g;
ok(@log > 0 && @log < 5, 'the log has a line for each change') or diag explain \@log;
my $asking = time() + 2;
my %meanwhile;
my $n = 0;
while (time() < $asking) { $meanwhile{ $http->get(candles(range(0, 4000 + 60 * ++$n)))->{status} }++; sleep 0.02 }
is_deeply([ keys %meanwhile ], [503], 'clients that ask on get 503');
$node->start;
eventually(sub { $http->get(candles(range(0, 4000 + 60 * ++$n)))->{status} == 200 }, 'it is back: so are candles', 10);
like($http->log, qr/queries go to PostgreSQL \(.*\) again/, 'the log says so');
$sql = CryptoRt::Session->new($node);
$locker = CryptoRt::Session->new($node);

#
# The extension elsewhere, too old, or not there
#

my $other = sub { return $node->safe_psql('other', $_[0]) };
$node->safe_psql('postgres', 'CREATE DATABASE other');
my $elsewhere = CryptoRtHttp->start(args => [ '--rate', 0, '--database', $node->connstr('other') ]);
my $needs = '{"error":"candles need the extension crypto_rt 1.1 in the database","hint":"CREATE EXTENSION crypto_rt, or ALTER EXTENSION crypto_rt UPDATE"}';
error_is(candles('', 'TST'), 503, $needs, 'no extension', $elsewhere);
$other->("CREATE SCHEMA \"od d\"; CREATE EXTENSION crypto_rt SCHEMA \"od d\" VERSION '1.0'");
error_is(candles('', 'TST'), 503, $needs, 'an old one', $elsewhere);
$other->('ALTER EXTENSION crypto_rt UPDATE');
$other->("INSERT INTO \"od d\".crypto_coins (nameid, symbol, name, owns_symbol, active) VALUES ('test-coin', 'TST', 'Test', true, true)");
is($elsewhere->get(candles('', 'TST'))->{status}, 200, 'in a schema with an odd name');
{
	my $there = CryptoRt::Session->new($node, 'other');
	$there->ask('BEGIN; LOCK TABLE "od d".crypto_candles IN ACCESS EXCLUSIVE MODE');
	my @both = map { ask(candles("limit=1$_", 'TST'), $elsewhere) } 1 .. 2;
	eventually(sub { metric('database_connections{state="busy"}', $elsewhere) == 2 }, 'two connections know where it is');
	$there->ask('ROLLBACK');
	is(scalar(grep { answer($_) =~ /^HTTP\/1\.1 200/ } @both), 2, 'and ask there');
}
$other->("DROP EXTENSION crypto_rt; CREATE EXTENSION crypto_rt SCHEMA public");
error_is(candles('limit=2', 'TST'), 404, '{"error":"Candles not available for TST"}', 'made anew in another schema: it is found there', $elsewhere);
undef $elsewhere;

#
# Without a database, and with one that is not there
#

my $none = CryptoRtHttp->start(args => [ '--rate', 0 ]);
error_is(candles(''), 503, '{"error":"candles need PostgreSQL, and none is configured","hint":"--database, or DATABASE_URL"}', 'without a database', $none);
error_is(candles('limit=0'), 400, '{"error":"limit must be a whole number from 1 to 1000"}', 'a wrong wish is one there too', $none);
undef $none;
for my $conninfo ('host=127.0.0.1 port=1', 'host=/nowhere', 'host=no-such-host.invalid')
{
	my $daemon = CryptoRtHttp->start(args => [ '--rate', 0, '--database', $conninfo ]);
	error_is(candles(''), 503, $away, "with $conninfo", $daemon);
}

#
# A minute, and servers that say nothing
#

CryptoRtClock::build();
my $timed = sub { my @database = @_; return CryptoRtClock::with(sub { CryptoRtHttp->start(args => [ '--rate', 0, '--database', @database ]) }) };
my $daemon = $timed->($node->connstr('postgres'));
is($daemon->get(candles(range(0, 3600)))->{status}, 200, 'a daemon with a clock of its own');
is(metric('database_connections{state="idle"}', $daemon), 1, 'its connection is idle');
CryptoRtClock::forward(55);
sleep 0.5;
is(metric('database_connections{state="idle"}', $daemon), 1, 'and stays for a while');
is(metric('database_connects_total', $daemon), 1, 'it was the only one');
CryptoRtClock::forward(6);
eventually(sub { metric('database_connections{state="idle"}', $daemon) == 0 }, 'after a minute it is closed', 5);
is($daemon->get(candles(range(0, 3600, '&limit=60')))->{status}, 200, 'and another one made');
lock_candles();
my $silent = ask(candles(range(0, 3600, '&limit=61')), $daemon);
$sql->becomes($waits, 1, 'a query waits once more');
$pid = $sql->ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'crypto_rt_http' AND wait_event_type = 'Lock'");
kill 'STOP', $pid;
CryptoRtClock::forward(7);
like(answer($silent, 3), qr/^HTTP\/1\.1 504 /, 'its process says nothing any more: 504');
kill 'CONT', $pid;
unlock_candles();
is($daemon->get(candles(range(0, 3600, '&limit=62')))->{status}, 200, 'the next query has another connection');
$daemon->end;

my $deaf = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "cannot listen: $!";
$daemon = $timed->('host=127.0.0.1 port=' . $deaf->sockport);
$silent = ask(candles(''), $daemon);
eventually(sub { metric('database_connections{state="opening"}', $daemon) == 1 }, 'a server that takes connections and says nothing');
CryptoRtClock::forward(4);
like(answer($silent, 3), qr/^HTTP\/1\.1 503 .*\Q$away\E\z/s, 'counts as away');
$daemon->end;

for my $number (0, 65, 'many')
{
	my $said = `build/crypto_rt_http --database-connections $number 2>&1`;
	is($? >> 8, 2, "--database-connections $number: refused");
	like($said, qr/--database-connections.* 1 .* 64/, 'with what would be right');
}

#
# Stopping while requests wait
#

lock_candles();
my @stuck = map { ask(candles(range(0, 3600, "&limit=5$_"))) } 0 .. 4;
eventually(sub { metric('requests_suspended') == 5 }, 'five wait');
$began = time();
kill 'TERM', $http->pid;
is(scalar(grep { answer($_) =~ /^HTTP\/1\.1 503 .*\{"error":"the server is stopping"\}\z/s } @stuck), 5, 'the daemon stops: 503');
cmp_ok(time() - $began, '<', 1, 'at once');
eventually(sub { waitpid($http->pid, POSIX::WNOHANG) > 0 }, 'and it ends', 3);
is($?, 0, 'well');
delete $http->{pid};
unlike($http->log, qr/\berror\b|warning: http:|Sanitizer/, 'without a complaint');
unlock_candles();

done_testing();
