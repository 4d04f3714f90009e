# Settings: what is refused and why, what a reload changes; secrets; roles; and a library that was not loaded.

use strict;
use warnings;
use CryptoRt;
use PostgreSQL::Test::Utils;
use Test::More;

my $secret = 'pa55w0rd-of-the-test';
my $sim = CryptoRt::Sim->start(coins => 300);
my $other_sim = CryptoRt::Sim->start(coins => 300);
my $redis = CryptoRt::Redis->start(args => [ '--requirepass', $secret ], auth => [ '-a', $secret ]);
$redis->{opt}{url} = "redis://:$secret\@127.0.0.1:$redis->{port}/0";

my $node = CryptoRt::server('settings', sim => $sim, redis => $redis, conf => <<'CONF');
crypto_rt.tiers = '100:300ms,*:300ms'
crypto_rt.max_requests_per_second = 100
CONF
my $db = CryptoRt::Session->new($node);
$db->becomes('SELECT coins FROM crypto_status()', '300', 'polling');

#
# Values that are refused, with the reason
#
my $default_tiers = quotemeta '100:5,500:10,1000:20,5000:30,*:60';
my @refused = (
	[ tiers => '', qr/tier 1 must begin with its last rank/ ],
	[ tiers => '100', qr/tier 1 lacks a colon/ ],
	[ tiers => '100:5', qr/last tier must be written with \*/ ],
	[ tiers => '*:0', qr/tier 1 needs an interval from 20ms to 3600s/ ],
	[ tiers => '*:10ms', qr/tier 1 needs an interval/ ],
	[ tiers => '*:-5', qr/tier 1 needs an interval/ ],
	[ tiers => '100:5,50:10,*:60', qr/last rank of tier 2 must be greater than 100/ ],
	[ tiers => '*:5,100:10', qr/no tier can follow the one with \*/ ],
	[ tiers => '100:5;*:10', qr/comma must follow tier 1/ ],
	[ tiers => 'x:5', qr/HINT:  .*as in $default_tiers/ ],
	[ tiers => '*:abc', qr/HINT:  .*seconds \(or milliseconds: 500ms\)/ ],
	[ source_url => '', qr{must begin with https:// or http://} ],
	[ source_url => 'api.coinlore.net/api', qr{must begin with https:// or http://} ],
	[ source_url => 'ftp://api.coinlore.net/api', qr{HINT:  CoinLore's own is https://api\.coinlore\.net/api} ],
	[ source_url => 'file:///etc/passwd', qr{must begin with https:// or http://} ],
	[ source_url => 'https://', qr/no host/ ],
	[ source_url => 'https://:443/api', qr/no host/ ],
	[ source_url => 'https://user:word@api.coinlore.net/api', qr/must not hold a user name or a password/ ],
	[ source_url => 'https://api.coinlore.net/api?key=1', qr/must not hold a query/ ],
	[ source_url => 'https://api.coinlore.net/a b', qr/must not hold .* spaces/ ],
	[ redis_url => 'rediss://localhost', qr/TLS \(rediss:\/\/\) is not supported/ ],
	[ redis_url => 'localhost:6379', qr{must begin with redis:// or unix://} ],
	[ redis_url => 'redis://', qr/names no host/ ],
	[ redis_url => 'redis://localhost:99999', qr/port is not a number from 1 to 65535/ ],
	[ redis_url => 'redis://localhost/x', qr/number of a database/ ],
	[ redis_url => 'unix://', qr/names no socket/ ],
	[ max_requests_per_second => '0', qr/outside the valid range/ ],
	[ max_requests_per_second => '-1', qr/outside the valid range/ ],
	[ max_requests_per_second => 'many', qr/invalid value/ ],
	[ max_rank => '-1', qr/outside the valid range/ ],
	[ max_coins => '-1', qr/outside the valid range/ ],
	[ max_coins => '99', qr/outside the valid range/ ],
	[ ttl_factor => '0', qr/outside the valid range/ ],
	[ ttl_factor => '-1', qr/outside the valid range/ ],
	[ ticker_top => '-1', qr/outside the valid range/ ],
	[ snapshot_top => '-1', qr/outside the valid range/ ],
	[ flush_interval => '0', qr/outside the valid range/ ],
	[ flush_interval => '-1s', qr/outside the valid range/ ],
	[ flush_interval => '1 parsec', qr/invalid value .*\nHINT:  Valid units/ ],
	[ database => '', qr/must be the name of a database/ ],
	[ database => 'x' x 64, qr/of 1 to 63 bytes/ ],
	[ no_such_setting => '1', qr/configuration parameter/ ]);
foreach my $case (@refused)
{
	my ($name, $value, $reason) = @$case;
	my $answer = $db->ask("ALTER SYSTEM SET crypto_rt.$name = '$value'");
	like($answer, qr/ERROR:  /, "$name = '$value' is refused");
	like($answer, $reason, 'with the reason');
}
$db->is("SELECT count(*) FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf'", '0', 'nothing of it is kept');

# a wrong value in the file leaves the old one in force
$node->append_conf('postgresql.conf', "crypto_rt.tiers = 'nonsense'");
my $offset = -s $node->logfile;
$node->reload;
eventually(sub { slurp_file($node->logfile, $offset) =~ /invalid value for parameter "crypto_rt.tiers": "nonsense"/ }, 'a wrong value in the file is logged');
$db->is('SHOW crypto_rt.tiers', '100:300ms,*:300ms', 'and the old one stays in force');
$node->append_conf('postgresql.conf', "crypto_rt.tiers = '100:300ms,*:300ms'");
like($db->ask('SET crypto_rt.max_rank = 5'), qr/ERROR:  parameter "crypto_rt.max_rank" cannot be changed now/, 'a session cannot change settings');

#
# What a reload changes
#
sub set_it
{
	my ($name, $value) = @_;
	$node->append_conf('postgresql.conf', "crypto_rt.$name = '$value'");
	$node->reload;
	return;
}
set_it(tiers => '150:400ms,*:2s');
$db->becomes("SELECT last_rank, interval_asked FROM crypto_tiers", "150|00:00:00.4\n|00:00:02", 'tiers');
$db->becomes("SELECT tier, update_interval FROM crypto_quotes() WHERE rank = 151", 'tier2|2', 'and the quotes follow');

# what was counted and measured speaks of a tier's ranks and its interval, and so it begins anew with others
sub counted { return $db->ask("SELECT polls FROM crypto_tiers WHERE tier = 'tier$_[0]'") }
my $counts = 'SELECT polls, late, failed, interval_achieved FROM crypto_tiers WHERE tier = ';
set_it(tiers => '100:300ms,200:300ms,*:300ms');
$db->becomes('SELECT bool_and(polls > 9 AND interval_achieved IS NOT NULL) FROM crypto_tiers HAVING count(*) = 3', 't', 'three tiers are polled');
my ($first, $third) = map { counted($_) } 1, 3;
set_it(tiers => '100:300ms,200:3600,*:300ms');
$db->becomes("$counts 'tier2'", '1|0|0|', 'another interval: what was counted of the tier begins anew');
cmp_ok(counted(1), '>=', $first, 'the tier before it keeps its counts');
cmp_ok(counted(3), '>=', $third, 'so does the one behind it');
set_it(tiers => '150:3600,200:3600,*:300ms');
$db->becomes("$counts 'tier1'", '1|0|0|', 'another last rank: the tier begins anew');
$db->becomes("$counts 'tier2'", '0|0|0|', 'and the one whose first rank is another');
cmp_ok(counted(3), '>=', $third, 'and no other');
set_it(max_requests_per_second => '60');
$db->becomes('SELECT requests_per_second FROM crypto_status()', '60', 'another budget');
cmp_ok(counted(3), '>=', $third, 'leaves them all');

set_it(tiers => '100:300ms,*:300ms');
set_it(max_requests_per_second => '50');
$db->becomes('SELECT requests_per_second FROM crypto_status()', '50', 'max_requests_per_second');
set_it(ttl_factor => '2');
$db->becomes("SELECT ttl FROM crypto_tiers WHERE tier = 'tier1'", '00:02:00', 'ttl_factor');
set_it(max_rank => '100');
# pages move on, as they do in life
eventually(sub { $sim->post('/sim/step'); $db->ask('SELECT coins FROM crypto_status()') == 100 }, 'max_rank');
set_it(max_rank => '0');
$db->becomes('SELECT coins FROM crypto_status()', '300', 'and all again');
$other_sim->coin('bitcoin', price => '4242.42', rank => 1);
set_it(source_url => $other_sim->url . '/');
$db->becomes("SELECT crypto_price('BTC')", '4242.42', 'source_url');
$db->becomes('SHOW crypto_rt.source_url', $other_sim->url, 'without the slash at its end');

set_it(max_coins => '500');
eventually(sub { slurp_file($node->logfile) =~ /parameter "crypto_rt.max_coins" cannot be changed without restarting the server/ }, 'max_coins says that it takes a restart');
$db->becomes("SELECT setting, pending_restart FROM pg_settings WHERE name = 'crypto_rt.max_coins'", '20000|t', 'and waits for it');
set_it(database => 'elsewhere');
$db->becomes("SELECT setting, pending_restart FROM pg_settings WHERE name = 'crypto_rt.database'", 'postgres|t', 'and so does database');
set_it(database => 'postgres');
set_it(max_coins => '20000');

#
# The password of Redis is nowhere
#
$db->becomes('SELECT redis_connected, redis_problem FROM crypto_status()', 't|', 'Redis is connected by a password in its url');
my $masked = "redis://:***\@127.0.0.1:$redis->{port}/0";
$db->is('SHOW crypto_rt.redis_url', $masked, 'SHOW masks it');
$db->is("SELECT current_setting('crypto_rt.redis_url')", $masked, 'and so does current_setting');
my %places = (
	'SHOW ALL' => 'SHOW ALL',
	'pg_settings' => 'SELECT * FROM pg_settings',
	'crypto_status()' => 'SELECT * FROM crypto_status()',
	'pg_stat_activity' => "SELECT string_agg(a::text, ',') FROM pg_stat_activity AS a WHERE pid <> pg_backend_pid()",
	'the processes\' titles' => sub {
		join "\n", map { my $title = eval { slurp_file("/proc/$_/cmdline") } // ''; $title } values %{ { workers($node) } };
	},
	'crypto_rt\'s tables' => 'SELECT * FROM tickers, crypto_coins LIMIT 10');
foreach my $place (sort keys %places)
{
	my $shown = ref $places{$place} ? $places{$place}->() : $db->ask($places{$place});
	ok(length $shown > 10 && index($shown, $secret) < 0, "$place does not show it");
}

# a wrong one, and a url that is wrong otherwise: problems and logs are silent about it, too
my $wrong = 'wr0ng-word-of-the-test';
my $later = -s $node->logfile;
ok(slurp_file($node->logfile) !~ /\Q$secret\E/, 'the log does not show it');
$redis->cli('CONFIG', 'SET', 'requirepass', $wrong);
$redis->{opt}{auth} = [ '-a', $wrong ];
$redis->cli('CLIENT', 'KILL', 'TYPE', 'normal');
eventually(sub { $db->ask('SELECT redis_problem FROM crypto_status()') =~ /refuses user or password/ }, 'a password that Redis refuses is told');
ok($db->ask('SELECT * FROM crypto_status()') !~ /\Q$secret\E/, 'but not shown');
set_it(redis_url => "rediss://:$wrong\@localhost");
eventually(sub { slurp_file($node->logfile, $later) =~ /TLS \(rediss:\/\/\) is not supported/ }, 'a wrong url in the file is logged');
ok(slurp_file($node->logfile, $later) !~ /\Q$secret\E|\Q$wrong\E/, 'without passwords');
set_it(redis_url => '');
$db->becomes('SELECT redis_connected, redis_problem FROM crypto_status()', 'f|', 'no url, no Redis');

#
# Roles
#
$db->ask('CREATE ROLE reader; CREATE ROLE operator; GRANT EXECUTE ON FUNCTION crypto_pause(), crypto_resume(), crypto_refresh(text), crypto_redis_purge() TO operator');
$db->ask('SET ROLE reader');
foreach my $query ("SELECT crypto_price('BTC')", "SELECT price FROM crypto_quote('BTC')", 'SELECT price FROM crypto_quotes(1)',
	"SELECT crypto_convert(1, 'BTC', 'USD')")
{
	$db->is($query, '4242.42', "a reader: $query");
}
foreach my $table (qw(crypto_status() crypto_tiers tickers crypto_coins crypto_snapshots))
{
	$db->is("SELECT count(*) > 0 FROM $table", 't', "a reader reads $table");
}
foreach my $call ('crypto_pause()', 'crypto_resume()', 'crypto_redis_purge()', "crypto_refresh('BTC')")
{
	like($db->ask("SELECT $call"), qr/ERROR:  permission denied for function/, "a reader must not call $call");
}
foreach my $name (qw(redis_url source_url redis_password_file))
{
	like($db->ask("SHOW crypto_rt.$name"), qr/ERROR:  must be superuser/, "nor see $name");
}
$db->ask('RESET ROLE; SET ROLE operator');
$db->is("SELECT crypto_refresh('BTC')", 't', 'an operator refreshes');
$db->is('SELECT crypto_pause(); SELECT state FROM crypto_status()', "\npaused", 'and pauses');
like($db->ask("SELECT crypto_refresh('BTC')"), qr/NOTICE:  polling is paused/, 'a refresh tells so');
$db->ask('SELECT crypto_resume()');
$db->becomes('SELECT state FROM crypto_status()', 'polling', 'and goes on');
like($db->ask('SELECT crypto_redis_purge()'), qr/ERROR:  Redis could not be purged: crypto_rt.redis_url is empty/, 'a purge without Redis tells why');
$db->ask('RESET ROLE');

#
# In a schema of its own
#
$db->ask('DROP EXTENSION crypto_rt; CREATE SCHEMA feeds; CREATE EXTENSION crypto_rt SCHEMA feeds');
my $polls = $db->ask('SELECT pages_fetched FROM feeds.crypto_status()');
$db->becomes("SELECT state, pages_fetched > $polls + 3 FROM feeds.crypto_status()", 'polling|t', 'in a schema of its own it polls');
$db->is("SELECT feeds.crypto_price('BTC'), (SELECT rank FROM feeds.crypto_quote('BTC'))", '4242.42|1', 'and answers');
$db->becomes("SELECT price FROM feeds.tickers WHERE symbol = 'BTC'", '4242.42', 'and writes its tables');
$db->is("SELECT count(*) > 0 FROM feeds.crypto_tiers", 't', 'its view works');
like($db->ask("SELECT crypto_price('BTC')"), qr/ERROR:  function crypto_price\(unknown\) does not exist/, 'the public schema has nothing of it');

#
# Not loaded at the start: every function says which line is missing
#
my @calls = ("crypto_price('BTC')", "crypto_quote('BTC')", 'crypto_quotes()', "crypto_convert(1, 'BTC', 'USD')", "crypto_refresh('BTC')",
	'crypto_status()', 'crypto_tier_status()', 'crypto_pause()', 'crypto_resume()', 'crypto_redis_purge()');
foreach my $others ('', 'pg_stat_statements', 'pg_stat_statements, auto_explain')
{
	my $line = $others eq '' ? 'crypto_rt' : "$others, crypto_rt";
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$others'");
	$node->restart;
	$db = CryptoRt::Session->new($node);
	if ($others eq '')
	{
		foreach my $call (@calls)
		{
			like($db->ask("SELECT * FROM feeds.$call"), qr/ERROR:  crypto_rt was not loaded when the server started/, "not loaded: $call");
		}
		$db->is('SELECT feeds.crypto_price(NULL)', '', 'NULL remains NULL');
		$db->is("SELECT count(*) FROM feeds.tickers WHERE symbol = 'BTC'", '1', 'tables can be read');
		$db->is("SET crypto_rt.database = 'elsewhere'; DROP EXTENSION crypto_rt; CREATE EXTENSION crypto_rt SCHEMA feeds", '',
			'and the extension dropped and created, without a word of settings that are not there');
		$db->ask('GRANT USAGE ON SCHEMA feeds TO PUBLIC; GRANT pg_read_all_settings TO operator');
	}
	like($db->ask("SELECT feeds.crypto_price('BTC')"),
		qr/HINT:  Put this line into postgresql.conf and restart the server: shared_preload_libraries = '\Q$line\E'$/m, "the hint's line: $line");
	$db->ask('SET ROLE operator');
	like($db->ask("SELECT feeds.crypto_price('BTC')"), qr/ restart the server: shared_preload_libraries = '\Q$line\E'$/m, 'for who may see the setting, too');
	$db->ask('SET ROLE reader');
	like($db->ask("SELECT feeds.crypto_price('BTC')"),
		qr/HINT:  Put this line into postgresql.conf, added to what is there, and restart the server: shared_preload_libraries = 'crypto_rt'$/m,
		'for who must not, without what is there');
}
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_stat_statements, auto_explain, crypto_rt'");
$node->restart;
$db = CryptoRt::Session->new($node);
$db->becomes("SELECT feeds.crypto_price('BTC')", '4242.42', 'with that line it works');

$node->stop('fast');
done_testing();
