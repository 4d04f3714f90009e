# Ways to a Redis: urls, passwords, users, databases, sockets; changed while the server runs.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use CryptoRt;

my $sim = CryptoRt::Sim->start(coins => 100);
my $node = server('connection', sim => $sim, conf => <<'CONF');
crypto_rt.tiers = '*:300ms'
crypto_rt.max_requests_per_second = 100
CONF
my $secret = 'hush:/@%+word';
my $password_file = $node->basedir . '/redis-password';

# Whether Redis gets quotes now.
sub written { my ($redis, @select) = @_; return ($redis->cli(@select, 'GET', 'crypto:quote:BTC') // '') =~ /^\{"symbol":"BTC"/ }

# Go to this url: quotes arrive in that Redis.
sub moves_to
{
	my ($url, $redis, $name, @select) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	set($node, 'crypto_rt.redis_url' => $url);
	eventually(sub { written($redis, @select) }, $name);
	return sql_becomes($node, 'SELECT redis_connected, redis_problem FROM crypto_status()', 't|', "$name: connected, no problem");
}

sub problem_becomes
{
	my ($regexp, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $problem;
	wait_for(sub { $problem = status($node, 'redis_problem'); return $problem =~ $regexp });
	return like($problem, $regexp, $name);
}

#
# None; one that comes late
#

sql_becomes($node, "SELECT crypto_price('BTC') > 0", 't', 'no url: prices are there');
sql_is($node, 'SELECT redis_connected, redis_problem, redis_connects, redis_errors FROM crypto_status()', 'f||0|0', 'no url: no Redis, and no problem');
is_deeply([ log_lines($node, qr/Redis/) ], [], 'no url: not a word in the log');

my $port = free_port();
set($node, 'crypto_rt.redis_url' => "redis://localhost:$port");
problem_becomes(qr/^could not connect to localhost:$port: Connection refused$/, 'absent');
my $late = CryptoRt::Redis->start(port => $port);
eventually(sub { written($late) }, 'started later, it is found');

#
# Moving over
#

my $other = CryptoRt::Redis->start(unix => 1);
moves_to($other->url, $other, 'another one by reload');
$late->cli('FLUSHALL');
remains(sub { $late->cli('DBSIZE') eq '0' }, 'the former one is left alone', 1);

moves_to('redis://127.0.0.1:' . $other->port . '/3', $other, 'a database by its number', '-n', 3);
$other->cli('FLUSHDB');
remains(sub { $other->cli('DBSIZE') eq '0' }, 'database 0 is left alone', 1);

$other->cli('FLUSHALL');
moves_to('unix://' . $other->socket, $other, 'a unix socket');
$other->cli('FLUSHALL');
moves_to('unix://' . $other->socket . '?db=5', $other, 'with a database', '-n', 5);

set($node, 'crypto_rt.redis_url' => '');
sql_becomes($node, 'SELECT redis_connected, redis_problem FROM crypto_status()', 'f|', 'none again');
$other->cli('FLUSHALL');
remains(sub { $other->cli('DBSIZE') eq '0' && $other->cli('CLIENT', 'LIST') =~ /\A[^\n]*\z/ }, 'nobody is connected any more', 1);

#
# Passwords
#

my $locked = CryptoRt::Redis->start(args => [ '--requirepass', $secret ], auth => [ '-a', $secret ]);
set($node, 'crypto_rt.redis_url' => $locked->url);
problem_becomes(qr/^the server asks for a password: set crypto_rt\.redis_password_file/, 'a password is asked for');

append_to_file($password_file, "not-$secret\n");
chmod 0600, $password_file;
set($node, 'crypto_rt.redis_password_file' => $password_file);
problem_becomes(qr/refuses user or password/, 'a wrong password');

unlink $password_file;
problem_becomes(qr/^could not read crypto_rt\.redis_password_file "\Q$password_file\E": No such file/, 'a missing file');

append_to_file($password_file, "$secret\nof no interest\n");
eventually(sub { written($locked) }, 'the right password, without a reload');
sql_becomes($node, 'SELECT redis_problem IS NULL FROM crypto_status()', 't', 'no problem is left');

# a user with his own password, and no more rights than he needs
$locked->cli('ACL', 'SETUSER', 'feed', 'on', '>feed-pass', 'resetkeys', '~crypto:*', 'resetchannels', '&crypto:*', '-@all', '+@write', '+@read',
	'+ping', '+select', '+publish', '+scan');
$locked->cli('FLUSHALL');
unlink $password_file;
append_to_file($password_file, "feed-pass\n");
moves_to('redis://feed@127.0.0.1:' . $locked->port, $locked, 'a user by the url, his password by the file');
like($locked->cli('CLIENT', 'LIST'), qr/ user=feed /, 'connected as this user');
cmp_ok($node->safe_psql('postgres', 'SELECT crypto_redis_purge()'), '>', 150, 'his rights are enough for crypto_redis_purge()');

$locked->cli('ACL', 'SETUSER', 'feed', '-publish');
problem_becomes(qr/^the server does not let this user use the keys and the channel crypto:\* fully/, 'too few rights');
$locked->cli('ACL', 'SETUSER', 'feed', '+publish');
eventually(sub { status($node, 'redis_problem') eq '' }, 'enough rights again');

# user and password in the url
unlink $password_file;
set($node, 'crypto_rt.redis_password_file' => '');
$locked->cli('FLUSHALL');
moves_to('redis://default:hush%3A%2F%40%25%2Bword@127.0.0.1:' . $locked->port . '/0', $locked, 'a password in the url');
sql_is($node, 'SHOW crypto_rt.redis_url', 'redis://default:***@127.0.0.1:' . $locked->port . '/0', 'it is not shown');
sql_is($node, "SELECT count(*) FROM pg_settings WHERE pg_settings::text ~ 'hush'", '0', 'nor in pg_settings');
$node->safe_psql('postgres', 'CREATE ROLE reader');
my (undef, undef, $error) = $node->psql('postgres', 'SET ROLE reader; SHOW crypto_rt.redis_url');
like($error, qr/must be superuser|permission denied/, 'the url is for superusers only');

# a url that cannot be used
for my $url ('http://127.0.0.1', 'redis://', 'redis://:hushhush@h:port', 'redis://127.0.0.1/x', 'rediss://127.0.0.1')
{
	(undef, undef, $error) = $node->psql('postgres', "ALTER SYSTEM SET crypto_rt.redis_url = '$url'");
	like($error, qr/ERROR:  invalid value.*DETAIL:  \S/s, "refused: $url");
}
sql_becomes($node, 'SELECT redis_connected FROM crypto_status()', 't', 'and the connection stays');

# what the server itself says, statements of this test apart
my @shown = grep { /hush|feed-pass/ && !/statement: |STATEMENT: |ERROR:  invalid value/ } split /\n/, slurp_file($node->logfile);
is_deeply([ grep { !/parameter "crypto_rt.redis_url" changed to/ } @shown ], [], 'no password is in what the workers log');
is_deeply([ grep { /parameter "crypto_rt.redis_url" changed to/ } @shown ], [], 'nor in what the server logs of a reload');
my $status = $node->safe_psql('postgres', 'SELECT crypto_status(), (SELECT string_agg(pg_stat_activity::text, \' \') FROM pg_stat_activity WHERE backend_type ~ \'^crypto_rt\')');
unlike($status, qr/hush|feed-pass/, 'nor in crypto_status() and pg_stat_activity');
unlike(`ps -eo args`, qr/^postgres: .*(?:hush|feed-pass)/m, 'nor in the names of processes');
$node->stop;

done_testing();
