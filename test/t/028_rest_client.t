# /rest/v1 as its clients see it: @supabase/postgrest-js as it comes from npm, each result beside the same query in SQL.
# What is asked, and what is to come, stands in test/js/rest.mjs.
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;
use CryptoRt;
use CryptoRtHttp;

my $sim = CryptoRt::Sim->start(coins => 250);
my $node = server('rest_client', sim => $sim, conf => <<'CONF');
crypto_rt.tiers = '*:250ms'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
crypto_rt.ttl_factor = 1000
CONF

#
# What the README tells an owner to do, and things of his own: every type, every operator, and names that have to be quoted
#

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE crypto_rt_anon NOLOGIN;
CREATE ROLE trader NOLOGIN;
CREATE ROLE stranger NOLOGIN;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT crypto_rt_anon, trader TO authenticator;

CREATE SCHEMA bazaar;
COMMENT ON SCHEMA bazaar IS E'The bazaar\nThings of all kinds.';
GRANT USAGE ON SCHEMA bazaar TO crypto_rt_anon, trader;
CREATE TYPE bazaar.mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE bazaar.pair AS (x int, y numeric);
CREATE TABLE bazaar.things (
	id int PRIMARY KEY,
	name text,
	flag boolean,
	n numeric,
	big bigint,
	f double precision,
	tags text[],
	nums int[],
	span int4range,
	period tstzrange,
	doc jsonb,
	raw json,
	ts tsvector,
	body text,
	at timestamptz,
	day date,
	took interval,
	mood bazaar.mood,
	pair bazaar.pair,
	bin bytea,
	key uuid,
	code varchar(5),
	"weird name" text,
	"quo""te" text,
	"a.b" text,
	"(in,side)" text,
	"😀" text,
	"MiXed" text
);
COMMENT ON TABLE bazaar.things IS E'Things\nOne of each kind.';
COMMENT ON COLUMN bazaar.things.n IS 'A number, exactly';
INSERT INTO bazaar.things VALUES
	(1, 'plain', true, 0.1, 9007199254740993, 0.1, '{a,b}', '{1,2,3}', '[1,3]', '[2026-01-01 00:00+00,2026-02-01 00:00+00)',
	 '{"a": {"b": "c"}, "n": 5, "list": [1, {"k": "v"}]}', '{"a" : 1, "a" : 2}', to_tsvector('english', 'The fat cats ate rats'), 'The fat cats ate rats',
	 '2026-01-01 12:00+00', '2026-01-01', '1 day 02:03:04', 'ok', '(1,2.50)', '\x6869', '123e4567-e89b-12d3-a456-426614174000', 'abc', 'w1', 'q1', 'd1', 'i1', 'e1', 'm1'),
	(2, 'comma, here', false, 12345678901234567890.123456789012345678, -9223372036854775808, -1.5e300, '{b,"c d"}', '{2,3,4}', '[3,6)', '[2026-02-01 00:00+00,)',
	 '{"a": {"b": "d"}, "n": 10}', '[1, 2]', to_tsvector('english', 'It is fun, and also possible'), 'It is fun, and also possible',
	 '2026-01-01 12:00:00.123456+00', '2026-06-30', '-00:00:01', 'happy', '(3,)', NULL, '00000000-0000-0000-0000-000000000000', NULL, 'w 2', 'q"2', 'd.2', 'i,2', '😀', 'M2'),
	(3, 'say "hi"', NULL, -0.0000000000000000001, 0, 'Infinity', '{}', '{}', 'empty', NULL, '[1, 2, 3]', 'null', NULL, NULL, 'infinity', 'infinity', NULL, 'sad', NULL, '\x', NULL, '', '', '', '', '', '', ''),
	(4, 'back\slash', true, 'NaN', 1, 'NaN', '{"x,y","q\"u"}', '{-1}', '(,5)', '(,)', '{"n": 7.50, "deep": {"list": [[1, 2], [3, 4]]}}', '{"e":1}', to_tsvector('simple', 'amusant'), 'fair enough',
	 '2025-12-31 23:59:59-05', '2025-12-31', '1 mon', NULL, '(-1,0)', NULL, NULL, 'x', NULL, NULL, NULL, NULL, NULL, NULL),
	(5, 'Ünïcödé 😀', false, 1e20, 42, 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'two\nlines', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(6, '(parens)', NULL, 100.00, 7, 0.30000000000000004, '{a,NULL}', '{1,NULL}', '[10,20)', '[2026-01-15 00:00+00,2026-03-01 00:00+00)', '{"a": null, "n": "5"}', '{"a":null}',
	 to_tsvector('english', 'nothing is impossible'), 'nothing is impossible', '2026-03-01 00:00+00', '2026-03-01', '00:00:00', 'ok', '(5,5)', '\xff00', NULL, 'é', 'w6', '%_*', 'a.b', '()', '::', '->'),
	(7, '', true, 0, NULL, NULL, '{a,b,c}', '{1,2}', '[20,30)', NULL, '{}', '{}', NULL, '', '2026-01-01 12:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'null', 'true', '1', NULL, NULL, NULL),
	(8, 'PLAIN', false, -5, -1, -0.5, '{z}', '{9}', '[4,5)', NULL, '"text"', '"text"', NULL, 'cats', NULL, NULL, NULL, 'happy', NULL, NULL, NULL, NULL, '*', '%', NULL, NULL, NULL, NULL);
CREATE VIEW bazaar."😀 view, (odd)" AS SELECT id, name FROM bazaar.things;
CREATE VIEW bazaar."fast things" AS SELECT id, n FROM bazaar.things WHERE flag;
CREATE TABLE bazaar.secrets (id int, what text);
INSERT INTO bazaar.secrets VALUES (1, 'hush');
CREATE TABLE bazaar.orders (id int PRIMARY KEY, owner text, thing int REFERENCES bazaar.things);
INSERT INTO bazaar.orders VALUES (1, 'ann', 1), (2, 'bob', 2), (3, 'ann', 3);
ALTER TABLE bazaar.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON bazaar.orders FOR SELECT TO trader USING (owner = current_setting('request.jwt.claims', true)::json->>'sub');
CREATE TABLE bazaar.many AS SELECT i AS id FROM generate_series(1, 1500) i;
CREATE TABLE bazaar.empty (id int);
GRANT SELECT ON ALL TABLES IN SCHEMA bazaar TO trader;
GRANT SELECT ON bazaar.things, bazaar."😀 view, (odd)", bazaar."fast things", bazaar.orders, bazaar.many, bazaar.empty TO crypto_rt_anon;
ANALYZE bazaar.things, bazaar.many;

CREATE FUNCTION bazaar.add_them(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
COMMENT ON FUNCTION bazaar.add_them(int, int) IS E'Adds\nTwo numbers.';
CREATE FUNCTION bazaar.defaults(a int, b int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a * 10 + b';
CREATE FUNCTION bazaar.things_above(min int) RETURNS SETOF bazaar.things LANGUAGE sql STABLE AS 'SELECT * FROM bazaar.things WHERE id > min';
CREATE FUNCTION bazaar.one_thing(which int) RETURNS bazaar.things LANGUAGE sql STABLE AS 'SELECT * FROM bazaar.things WHERE id = which';
CREATE FUNCTION bazaar.pairs() RETURNS TABLE (id int, pair bazaar.pair) LANGUAGE sql STABLE AS 'SELECT id, pair FROM bazaar.things WHERE pair IS NOT NULL';
CREATE FUNCTION bazaar.names() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT name FROM bazaar.things ORDER BY id';
CREATE FUNCTION bazaar.nothing() RETURNS void LANGUAGE sql STABLE AS 'SELECT';
CREATE FUNCTION bazaar.plus_one(arr int[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS 'SELECT array_agg(n + 1) FROM unnest(arr) n';
CREATE FUNCTION bazaar.total(VARIADIC v int[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT sum(n) FROM unnest(v) n';
CREATE FUNCTION bazaar.multiply(json) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT ($1->>'x')::int * ($1->>'y')::int $$;
CREATE FUNCTION bazaar.shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
CREATE FUNCTION bazaar.object() RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT '{"a": [1, 2.50, null]}'::jsonb $$;
CREATE FUNCTION bazaar."Mixed Case"("The Arg" text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'got ' || "The Arg" $$;
CREATE FUNCTION bazaar.overloaded(a int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'one' $$;
CREATE FUNCTION bazaar.overloaded(a int, b int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'two' $$;
CREATE FUNCTION bazaar.ambiguous(a int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'int' $$;
CREATE FUNCTION bazaar.ambiguous(a text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'text' $$;
CREATE FUNCTION bazaar.whoami() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_user::text';
CREATE FUNCTION bazaar.claims() RETURNS json LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('request.jwt.claims', true), '')::json $$;
CREATE FUNCTION bazaar.request() RETURNS TABLE (method text, path text, read_only text) LANGUAGE sql STABLE AS
	$$ SELECT current_setting('request.method', true), current_setting('request.path', true), current_setting('transaction_read_only') $$;
CREATE FUNCTION bazaar.refuse() RETURNS int LANGUAGE plpgsql STABLE AS
	$$ BEGIN RAISE EXCEPTION 'I refuse!' USING DETAIL = 'Pretty simple', HINT = 'There is nothing you can do.'; END $$;
CREATE FUNCTION bazaar.teapot() RETURNS int LANGUAGE plpgsql STABLE AS
	$$ BEGIN RAISE SQLSTATE 'PT418' USING MESSAGE = 'I am a teapot', DETAIL = 'Short and stout', HINT = 'Tip me over'; END $$;
CREATE FUNCTION bazaar.write() RETURNS int LANGUAGE sql VOLATILE AS $$ INSERT INTO bazaar.secrets VALUES (2, 'written') RETURNING id $$;
CREATE FUNCTION bazaar.lies() RETURNS int LANGUAGE plpgsql STABLE AS
	$$ BEGIN RETURN bazaar.write(); END $$;
SQL

sql_becomes($node, 'SELECT coins FROM crypto_status()', 250, 'all coins are there');
sql_becomes($node, 'SELECT count(*) > 200 FROM tickers', 't', 'and in tickers');
$node->safe_psql('postgres', <<'SQL');
SELECT crypto_pause();
SELECT crypto_partition_make(k, now() - interval '1 day') FROM unnest('{crypto_snapshots,crypto_candles_1m,crypto_candles_1h}'::regclass[]) k;
SELECT crypto_record(array_agg(t), array_agg(c.coin), array_agg(false), array_agg(round(c.coin + extract(minute FROM t) / 7, 12)), array_agg(1e6 + c.coin), false)
FROM crypto_coins c, generate_series(now() - interval '90 minutes', now() - interval '1 minute', interval '1 minute') t WHERE c.nameid IN ('bitcoin', 'ethereum');
INSERT INTO tickers (symbol, asset_type, price) VALUES ('AAPL', 'stock', 250.10);
SQL
sql_becomes($node, "SELECT state = 'paused' AND ticks_behind = 0 FROM crypto_status()", 't', 'paused: what is compared stands still');
my $flushed = status($node, 'tickers_written');
wait_for(sub { my $before = $flushed; $flushed = status($node, 'tickers_written'); return $before eq $flushed });

#
# The daemons: one with a secret, one with a public key, and one with neither
#

my $folder = tempdir(CLEANUP => 1);

# What the daemon connects as; the tests' other half connects as the superuser.
package Authenticator
{
	sub connstr { return $node->connstr('postgres') . ' user=authenticator' }
}
my $authenticator = bless {}, 'Authenticator';

sub file
{
	my ($name, $content) = @_;
	open my $file, '>', "$folder/$name" or die "$name: $!";
	print $file $content;
	close $file;
	return "$folder/$name";
}

sub daemon
{
	my (@args) = @_;
	my $http = CryptoRtHttp->start(node => $authenticator, args => [ '--rate', 0, '--rest-schema', 'crypto_rt_api,bazaar', @args ]);
	eventually(sub { $http->get('/rest/v1/')->{status} == 200 }, "the daemon serves /rest/v1 (@args)") || diag $http->log;
	return $http;
}

my $secret = 'a secret that is long enough for HS256';
system('openssl', 'genpkey', '-quiet', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', "$folder/private.pem") == 0 or die 'openssl';
system('openssl', 'pkey', '-in', "$folder/private.pem", '-pubout', '-out', "$folder/public.pem") == 0 or die 'openssl';

my $shared = daemon('--rest-jwt-secret-file', file('secret', $secret));
my $public = daemon('--rest-jwt-secret-file', "$folder/public.pem", '--rest-jwt-audience', 'bazaar', '--rest-max-rows', 3);
my $plain = daemon();

#
# The client
#

my $config = JSON::PP->new->encode({
	shared => $shared->url, public => $public->url, plain => $plain->url,
	secret => $secret, private_key => "$folder/private.pem", public_key => "$folder/public.pem",
	database => $node->connstr('postgres') });
open my $client, '-|', 'timeout', 240, 'node', "$CryptoRt::top/test/js/rest.mjs", $config or die "no node: $!";
my ($ran, $planned) = (0, -1);
while (my $line = <$client>)
{
	chomp $line;
	if ($line =~ /^(not )?ok \d+ - (.*)$/)
	{
		$ran++;
		ok(!$1, $2);
	}
	elsif ($line =~ /^1\.\.(\d+)$/)
	{
		$planned = $1;
	}
	else
	{
		diag $line;
	}
}
close $client;
is($?, 0, 'the client ended well');
is($ran, $planned, 'and came to its end');

is($node->safe_psql('postgres', 'SELECT count(*) FROM bazaar.secrets'), '1', 'nothing was written');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE usename = 'authenticator' AND state LIKE 'idle in transaction%'"), '0', 'no transaction is left open');
$_->end for $shared, $public, $plain;
$node->stop;
done_testing();
