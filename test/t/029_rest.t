# /rest/v1, what a client cannot bring about alone: PostgreSQL busy, away and back; a schema that changes; roles; and 10,000 hostile
# strings, with the sanitizers, after which the database is as it was.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64 qw(encode_base64url);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use CryptoRt;
use CryptoRtHttp;

$ENV{ASAN_OPTIONS} = 'abort_on_error=0:exitcode=99:detect_leaks=1:quarantine_size_mb=16';
$ENV{UBSAN_OPTIONS} = 'print_stacktrace=1:halt_on_error=1:exitcode=99';
local $SIG{PIPE} = 'IGNORE';

my $node = server('rest', create => 0);
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE anon NOLOGIN;
CREATE ROLE trader NOLOGIN;
CREATE ROLE gate LOGIN NOINHERIT;
GRANT anon, trader TO gate;
CREATE SCHEMA api;
CREATE SCHEMA inner_circle;
GRANT USAGE ON SCHEMA api TO anon, trader;
GRANT USAGE ON SCHEMA inner_circle TO trader;
CREATE TABLE api.things (id int PRIMARY KEY, name text, data jsonb, tags text[]);
INSERT INTO api.things SELECT i, 'thing ' || i, jsonb_build_object('n', i), ARRAY['a', i::text] FROM generate_series(1, 50) i;
CREATE TABLE api.secrets AS SELECT 'x' AS secret;
CREATE TABLE inner_circle.shared AS SELECT 1 AS id;
GRANT SELECT ON api.things, inner_circle.shared TO anon, trader;
GRANT SELECT ON api.secrets TO trader;
CREATE FUNCTION api.who() RETURNS json LANGUAGE sql STABLE AS
	$$SELECT json_build_object('role', current_user, 'claims', current_setting('request.jwt.claims', true), 'zone', current_setting('timezone'))$$;
CREATE FUNCTION api.wait(seconds float) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN PERFORM pg_sleep(seconds); RETURN 1; END$$;
CREATE FUNCTION api.find(name text) RETURNS SETOF api.things LANGUAGE sql STABLE AS 'SELECT * FROM api.things t WHERE t.name = find.name';
CREATE FUNCTION api.sneak() RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN PERFORM dblink_free(); RETURN 1; END$$;
CREATE FUNCTION public.dblink_free() RETURNS void LANGUAGE plpgsql VOLATILE AS $$BEGIN DELETE FROM api.things; END$$;
GRANT DELETE ON api.things TO anon;
SQL

my $folder = File::Temp::tempdir(CLEANUP => 1);
my $secret = 'a secret that has more than 32 bytes';
append_to_file("$folder/secret", "$secret\n");

# The daemon connects as a role that may only become others.
package Gate { our @ISA = ('PostgreSQL::Test::Cluster'); sub connstr { return shift->SUPER::connstr(@_) . ' user=gate' } }
my $gate = bless {%$node}, 'Gate';

sub daemon
{
	my (@args) = @_;
	return CryptoRtHttp->start(node => $gate, program => "$CryptoRt::top/build/crypto_rt_http.asan",
		args => [ '--rate', 0, '--rest-schema', 'api,inner_circle', '--rest-role', 'anon', '--rest-jwt-secret-file', "$folder/secret", @args ]);
}

sub token
{
	my (%claims) = @_;
	my $text = join '.', map { encode_base64url(encode_json($_)) } { alg => 'HS256', typ => 'JWT' }, \%claims;
	return 'Bearer ' . $text . '.' . encode_base64url(hmac_sha256($text, $secret));
}

my $http = daemon('--database-connections', 2);

# A reply's status, and its code or body.
sub answer_is
{
	my ($answer, $status, $code, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is("$answer->{status} " . ($answer->{content} =~ /"code":"([^"]*)"/ ? $1 : ''), "$status $code", $name) || diag $answer->{content};
}

sub becomes
{
	my ($path, $status, $name, %headers) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return eventually(sub { $http->get("/rest/v1$path", %headers)->{status} == $status }, $name) || diag $http->log;
}

becomes('/things?id=eq.1', 200, 'the catalog is read');

#
# Roles
#

my %trader = (Authorization => token(role => 'trader', email => 'a@b.c'));
answer_is($http->get('/rest/v1/secrets'), 401, '42501', 'no token: not for everybody');
answer_is($http->get('/rest/v1/secrets', %trader), 200, '', 'a token that names a role');
answer_is($http->get('/rest/v1/secrets'), 401, '42501', 'and the next request without one is anon again');
answer_is($http->get('/rest/v1/things', Authorization => token(role => 'postgres')), 403, '42501', 'a role that gate may not become');
answer_is($http->get('/rest/v1/things', Authorization => token(role => 'nobody')), 401, '22023', 'a role that is not there');
answer_is($http->get('/rest/v1/things', Authorization => token(role => 'trader', exp => int(time) - 100)), 401, 'PGRST303', 'expired');

# A statement that a role has prepared is no way in for another one, which may read the table, but not use its schema.
answer_is($http->get('/rest/v1/shared', %trader, 'Accept-Profile' => 'inner_circle'), 200, '', 'a schema for traders');
answer_is($http->get('/rest/v1/shared', 'Accept-Profile' => 'inner_circle'), 401, '42501', 'and for nobody else') for 1 .. 4;

my $who = decode_json($http->get('/rest/v1/rpc/who', %trader, Prefer => 'timezone=Asia/Tokyo')->{content});
is("$who->{role} $who->{zone} " . decode_json($who->{claims})->{email}, 'trader Asia/Tokyo a@b.c', 'a request sees its role, zone and claims');
for (1 .. 4)
{
	$who = decode_json($http->get('/rest/v1/rpc/who')->{content});
	isnt($who->{zone}, 'Asia/Tokyo', 'nothing of it stays') unless $_ > 1;
	is("$who->{role} $who->{claims}", 'anon {"role":"anon"}', 'the next is itself');
}
answer_is($http->get('/rest/v1/rpc/sneak'), 405, '25006', 'a STABLE function cannot write by another one either');
sql_is($node, 'SELECT count(*) FROM api.things', 50, 'nothing was deleted');

#
# A schema that changes
#

answer_is($http->get('/rest/v1/fresh'), 404, 'PGRST205', 'a view that is not there');
$node->safe_psql('postgres', q{CREATE VIEW api.fresh AS SELECT 1 AS a; GRANT SELECT ON api.fresh TO anon});
answer_is($http->get('/rest/v1/fresh'), 404, 'PGRST205', 'and that the daemon has not heard of');
$node->safe_psql('postgres', q{NOTIFY crypto_rt, 'something else'; NOTIFY crypto_rt, 'reload schema'});
becomes('/fresh', 200, 'NOTIFY makes it look');
is($http->get('/rest/v1/fresh')->{content}, '[{"a":1}]', 'there it is');
$node->safe_psql('postgres', q{DROP VIEW api.fresh; CREATE VIEW api.fresh AS SELECT 'x'::text AS a, 2 AS b; GRANT SELECT ON api.fresh TO anon});
is($http->get('/rest/v1/fresh?select=a')->{content}, '[{"a":"x"}]', 'of another type: before the daemon hears of it');
is($http->get('/rest/v1/fresh')->{content}, '[{"a":"x","b":2}]', 'by the statement that it has prepared');
kill HUP => $http->{pid};
eventually(sub { $http->get('/rest/v1/fresh?select=b')->{status} == 200 }, 'SIGHUP makes it look');
$node->safe_psql('postgres', 'DROP VIEW api.fresh');
answer_is($http->get('/rest/v1/fresh?select=b'), 404, '42P01', 'a view that is gone');

#
# A database that is busy, away, back
#

# Send requests, each on a connection of its own; returns the connections.
sub ask_all { my ($path, $count) = @_; return map { my $s = $http->connect; print $s "GET /rest/v1$path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"; $s } 1 .. $count }

# The status of a reply to one of them, and its code.
sub first_line
{
	my ($s) = @_;
	my ($status) = (<$s> // '') =~ /^HTTP\/1\.1 (\d+)/;
	my ($code) = do { local $/; <$s> // '' } =~ /"code":"(\w+)"/;
	return join ' ', grep { defined } $status, $code;
}

my @busy = ask_all('/rpc/wait?seconds=4', 4);
sleep 0.3;
my $began = time;
my @late = ask_all('/things?id=eq.1', 1);
is(first_line($late[0]), '504 PGRST003', 'no connection was free in time');
cmp_ok(time - $began, '>', 3, 'and it was waited for');
is(first_line($_), '200', 'those before it have their answer') for @busy[ 0, 1 ];
first_line($_) for @busy[ 2, 3 ];

@busy = ask_all('/rpc/wait?seconds=4', 2);
sleep 0.3;
my @queued = ask_all('/things?id=eq.1', 270);
my ($refused) = IO::Select->new(@queued)->can_read(3);
ok($refused, 'who finds no place in the queue hears at once');
my %heard;
$heard{ first_line($_) }++ for @queued;
is_deeply(\%heard, { '200' => 256, '504 PGRST003' => 14 }, 'the queue is bounded');
first_line($_) for @busy;
answer_is($http->get('/rest/v1/rpc/wait?seconds=9'), 500, '57014', 'a statement that takes too long');

$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gate'});
answer_is($http->get('/rest/v1/things?id=eq.1'), 200, '', 'connections that were ended are made anew');

$node->stop('immediate');
my $away = $http->get('/rest/v1/things?id=eq.1');
answer_is($away, 503, 'PGRST000', 'PostgreSQL is away');
is($away->{headers}{'retry-after'}, 1, 'come again');
$node->start;
becomes('/things?id=eq.1', 200, 'it is back');
$node->safe_psql('postgres', q{CREATE VIEW api.late AS SELECT 1 AS a; GRANT SELECT ON api.late TO anon; NOTIFY crypto_rt, 'reload schema'});
becomes('/late', 200, 'and is listened to again');

#
# Hostile strings
#

sub picture
{
	my $dump = `pg_dump -h @{[ $node->host ]} -p @{[ $node->port ]} postgres --no-comments 2>&1 | grep -v '^\\\\\\(un\\)\\?restrict'`;
	return $dump . $node->safe_psql('postgres', q{SELECT rolname, rolsuper, rolconfig FROM pg_roles ORDER BY 1; SELECT * FROM pg_db_role_setting});
}

my $before = picture();
like($before, qr/thing 50/, 'the picture holds the rows');

srand 6;
my @bits = (
	q{'}, q{"}, q{''}, q{""}, '\\', '\\\\', '$1', '$$', '$a$', ';', '--', '/*', '*/', '(', ')', '{', '}', '[', ']', ',', '.', ':', '::', '->', '->>', '=', '&',
	'%', '%27', '%22', '%5C', '%00', '%', '+', ' ', "\t", "\n", "\xff", "\xc0\xaf", "\xe2\x80\x99", "\xf0\x9f\x98\x80", 'eq.', 'in.(', 'not.', 'or', 'and', 'is.null',
	'id', 'name', 'data', 'tags', 'a', '1', '-1', '0', '9' x 30, '1e999', 'NaN', 'null', '*', 'like.', 'fts(', 'any', 'select', 'order', 'limit', 'offset',
	q{'; DROP TABLE api.things; --}, q{" ; DELETE FROM api.things; --}, q{') OR 1=1 --}, 'UNION SELECT secret FROM api.secrets', 'pg_sleep(10)',
	q{1; SET ROLE postgres}, q{||(SELECT version())||}, q{pg_read_file('/etc/passwd')}, q{E'\\047'}, 'api.secrets', '"api"."secrets"', 'text', 'regclass', 'x' x 200);

sub hostile { return join '', map { $bits[ rand @bits ] } 1 .. 1 + int rand 5 }
sub escape { my ($text) = @_; $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ge; return $text }
# now and then as it is, where it is fit for a line
sub spell { my $text = hostile(); return rand() < 0.7 || $text =~ /[\x00-\x20\x7f-\xff#]/ ? escape($text) : $text }

my @places = (
	sub { return 'things?' . spell() . '=eq.' . spell() },
	sub { return 'things?name=' . (qw|eq. neq. like. ilike. match. in.( is. cs. fts. fts(english). not.eq. isdistinct. eq(any). adj.|, '')[ rand 15 ] . spell() },
	sub { return 'things?id=in.(' . spell() . ')' },
	sub { return 'things?select=' . spell() },
	sub { return 'things?select=' . spell() . ':name,data->' . spell() . '&limit=3' },
	sub { return 'things?select=name::' . spell() },
	sub { return 'things?select=' . escape('"' . hostile() . '"') . ':id&limit=1' },
	sub { return 'things?order=' . spell() },
	sub { return 'things?order=id.' . spell() . '&limit=' . spell() . '&offset=' . spell() },
	sub { return 'things?or=(' . spell() . ',id.eq.' . spell() . ')' },
	sub { return 'things?and=(name.eq.' . escape('"' . hostile() . '"') . ')' },
	sub { return 'things?data->>' . spell() . '=eq.' . spell() },
	sub { return spell() },
	sub { return 'rpc/' . spell() . '?name=x' },
	sub { return 'rpc/find?name=' . spell() },
	sub { return 'rpc/find?' . spell() . '=' . spell() . '&name=x' },
	sub { return 'rpc/find?name=x&select=' . spell() },
);
my @headers = ('Accept', 'Prefer', 'Range', 'Accept-Profile', 'Authorization', 'Content-Type');

# One request; the body of a POST is a string of its own.
sub make_request
{
	my $path = $places[ rand @places ]->();
	my $more = '';
	if (rand() < 0.2)
	{
		my $value = hostile() =~ s/[\x00-\x1f\x7f]//gr;
		$more = $headers[ rand @headers ] . ': ' . (rand() < 0.3 ? 'Bearer ' : '') . "$value\r\n";
	}
	return "GET /rest/v1/$path HTTP/1.1\r\nHost: x\r\n$more\r\n" if rand() < 0.9 || $path !~ /^rpc/;
	my $body = rand() < 0.5 ? hostile() : encode_json({ hostile() => hostile(), name => hostile() });
	return "POST /rest/v1/$path HTTP/1.1\r\nHost: x\r\n${more}Content-Length: @{[ length $body ]}\r\n\r\n$body";
}

# Read one reply; returns its status and body, or nothing when the connection has ended.
sub read_reply
{
	my ($s) = @_;
	my $head = '';
	while (defined(my $line = <$s>)) { $head .= $line; last if $line eq "\r\n" }
	return unless $head =~ /^HTTP\/1\.1 (\d+)/;
	my $status = $1;
	my ($length) = $head =~ /^content-length: (\d+)/mi;
	my $body = '';
	read $s, $body, $length if $length;
	return ($status, $body, $head =~ /^connection: close/mi);
}

my (%statuses, @strange);
my $connection = $http->connect;
for my $n (1 .. 10_000)
{
	my $request = make_request();
	my ($status, $body, $closes);
	print $connection $request;
	($status, $body, $closes) = read_reply($connection);
	$status //= 'none';
	$statuses{$status}++;
	my $json = $body && $body =~ /^[{\[]/ ? eval { JSON::PP->new->utf8->allow_nonref->decode($body); 1 } : 1;
	push @strange, "$status $request $body" if !$json || $status !~ /^(?:200|206|300|40[01346]|416|413|414|431)$/ && !($status == 500 && $body =~ /"code":"(?:PGRST300|54001|2201B|P0002|XX000)"/);
	$connection = $http->connect if $closes || $status eq 'none';
}
is(scalar(@strange), 0, '10,000 hostile strings: each has a reply that says something') || diag join "\n---\n", @strange[ 0 .. ($#strange < 5 ? $#strange : 5) ];
diag join ', ', map { "$_: $statuses{$_}" } sort keys %statuses;
cmp_ok($statuses{200} // 0, '>', 500, 'some of them are answered');
cmp_ok($statuses{400} // 0, '>', 3000, 'many are wrong');
ok(picture() eq $before, 'and the database is as it was');
is($http->get('/rest/v1/things?id=eq.7&select=name')->{content}, '[{"name":"thing 7"}]', 'the daemon serves');

#
# Bodies
#

answer_is($http->{http}->post($http->url('/rest/v1/rpc/find'), { content => '{"name":"' . ('x' x 1_100_000) . '"}', headers => { 'Content-Type' => 'application/json' } }),
	413, 'PGRST102', 'a body that is too long');
is($http->{http}->post($http->url('/rest/v1/rpc/find'), { content => '{"name":"' . ('x' x 1_000_000) . '"}', headers => { 'Content-Type' => 'application/json' } })->{content},
	'[]', 'and one that is not');

$http->end;
unlike($http->log, qr/Sanitizer|runtime error/, 'the sanitizers have nothing to say') || diag $http->log;

#
# A daemon that is there before the database
#

$node->stop;
$http = daemon();
answer_is($http->get('/rest/v1/things'), 503, 'PGRST002', 'without a catalog');
$node->start;
becomes('/things', 200, 'with the database comes the catalog');
$http->end;

$http = CryptoRtHttp->start;
answer_is($http->get('/rest/v1/things'), 503, 'PGRST000', 'no database is configured');
$http->end;

#
# A public key is no secret
#

SKIP:
{
	skip 'no openssl', 2 if system("openssl genrsa -out $folder/key.pem 2048 2>/dev/null && openssl rsa -in $folder/key.pem -pubout -out $folder/public.pem 2>/dev/null") != 0;
	$http = daemon('--rest-jwt-secret-file', "$folder/public.pem");
	becomes('/things?id=eq.1', 200, 'a daemon with a public key');
	$secret = slurp_file("$folder/public.pem");
	answer_is($http->get('/rest/v1/secrets', Authorization => token(role => 'trader')), 401, 'PGRST301', 'HS256 by the public key');
	chomp $secret;
	answer_is($http->get('/rest/v1/secrets', Authorization => token(role => 'trader')), 401, 'PGRST301', 'likewise');
	$http->end;
}

done_testing();
