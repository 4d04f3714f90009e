# Quotes: whatever CoinLore's rows hold reaches SQL, Redis and the tables digit by digit; and what may be asked for.

use strict;
use warnings;
use CryptoRt;
use Math::BigFloat;
use PostgreSQL::Test::Utils;
use Test::More;

# The market is as long as the samples' ranks need it, and nothing moves in it.
my $sim = CryptoRt::Sim->start(coins => 9100);
my $redis = CryptoRt::Redis->start;

# The numeric fields of a row, and the columns that they become.
my @numbers = (
	[ price => 'price_usd' ], [ price_btc => 'price_btc' ], [ change_1h => 'percent_change_1h' ],
	[ change_24h => 'percent_change_24h' ], [ change_7d => 'percent_change_7d' ], [ volume_24h => 'volume24' ],
	[ market_cap => 'market_cap_usd' ], [ circulating_supply => 'csupply' ], [ total_supply => 'tsupply' ],
	[ max_supply => 'msupply' ]);
my @columns = map { $_->[0] } @numbers;

# The fields of a row as they stand there: undef for null and missing.
sub fields_of
{
	my ($row) = @_;
	my %field;
	while ($row =~ /"(\w+)":(?:"((?:[^"\\]|\\.)*)"|([^",}\s]+))/g)
	{
		$field{$1} = defined $2 ? $2 : $3 eq 'null' ? undef : $3;
	}
	return %field;
}

# What becomes of a number's text: the same, but for CoinLore's oddities.
sub expected
{
	my ($text) = @_;
	return ''  if !defined $text || $text eq '';
	return '0' if $text eq '0?';
	return Math::BigFloat->new($text)->bstr if $text =~ /e/i;
	return $text;
}

# Have the simulator serve a row as it stands, at the rank that it names.
sub serve
{
	my ($row) = @_;
	my %field = fields_of($row);
	$sim->coin($field{nameid}, rank => $field{rank});
	$sim->post("/sim/row?nameid=" . CryptoRt::Sim::escape($field{nameid}), $row);
	return;
}

sub row
{
	my ($nameid, %more) = @_;
	my %field = (
		id => '"7"', symbol => '"ODD"', name => '"Odd"', rank => 50, price_usd => '"1.00"', volume24 => '1.5', %more);
	return '{"nameid":"' . $nameid . '",' . join(',', map { "\"$_\":$field{$_}" } sort keys %field) . '}';
}

# Rows from real answers, and made ones: numbers that are odd in other ways, and what becomes of them.
my @samples = slurp_file("$CryptoRt::top/test/unit/data/page.json") =~ /^(\{"id".*\}),?$/mg;
my @made = (
	[ '28 digits round at the 18th', { price_usd => '"12345.67890123456789012345678"' }, { price => '12345.6789012345679' } ],
	[ 'as numbers instead of strings', { price_usd => '0.10', percent_change_24h => '-3' }, { price => '0.10', change_24h => '-3' } ],
	[ 'a real volume of 2020', { volume24 => '17098667901.7057952880859375' }, { volume_24h => '17098667901.7057953' } ],
	[ '18 digits stay', { price_usd => '"0.123456789012345678"' }, { price => '0.123456789012345678' } ],
	[ 'a tiny price', { price_usd => '"1.5E-20"' }, { price => '0.000000000000000000015' } ],
	[ 'a huge price', { price_usd => '"9.99E+30"' }, { price => '9990000000000000000000000000000' } ],
	[ 'zeros at the end stay', { price_usd => '"3.1000"' }, { price => '3.1000' } ],
	[ 'a string as volume', { volume24 => '"42.50"' }, { volume_24h => '42.50' } ],
	[ 'what is no number is unknown', { market_cap_usd => '"many"', csupply => 'true', tsupply => '[1]' },
		{ market_cap => '', circulating_supply => '', total_supply => '' } ],
	[ 'a wild change', { percent_change_24h => '"22504260.24"' }, { change_24h => '22504260.24' } ]);

foreach my $sample (@samples)
{
	serve($sample);
}
foreach my $i (0 .. $#made)
{
	serve(row("made-$i", symbol => "\"MADE$i\"", rank => 201 + $i, %{ $made[$i][1] }));
}

# Symbols that need care wherever they go.
my @symbols = ('BDCL BSC', 'Q*', '1%', '!', ':ZKT:', 'W$C', '.ALPHA', 'DEFI+L', "ƎԀƎԀ", "喵喵喵喵喵", "LA´EEB", "ΑAI",
	"YONKŌ", 'BTC2.0', "O'DD", 'BACK\\\\SLASH', 'QU\\"OTE', 'SEVENTEENLETTERS!', 'X' x 63);
foreach my $i (0 .. $#symbols)
{
	serve(row("symbol-$i", symbol => "\"$symbols[$i]\"", rank => 301 + $i, price_usd => "\"$i.25\""));
}

my $node = CryptoRt::server('quotes', sim => $sim, redis => $redis, conf => <<'CONF');
crypto_rt.tiers = '500:250ms,*:2s'
crypto_rt.max_requests_per_second = 500
crypto_rt.flush_interval = 100
CONF
my $db = CryptoRt::Session->new($node);
sub sql { return $db->ask($_[0]) }
sub quoted { my ($s) = @_; $s =~ s/'/''/g; return "'$s'" }
sub get { my $json = $redis->cli('GET', "crypto:quote:$_[0]") // ''; return $json }

eventually(sub { sql('SELECT sweeps FROM crypto_status()') > 0 }, 'a sweep over all pages ends');

#
# Numbers
#
cmp_ok(scalar @samples, '>=', 9, 'there are samples');
foreach my $sample (@samples)
{
	my %field = fields_of($sample);
	my $id = quoted("id:$field{nameid}");
	my %row;
	@row{@columns} = split /\|/, sql("SELECT " . join(', ', map { "$_\::text" } @columns) . " FROM crypto_quote($id)"), -1;
	is_deeply(\%row, { map { $_->[0] => expected($field{ $_->[1] }) } @numbers }, "$field{symbol}: each number as CoinLore sent it");
	is(sql("SELECT symbol, name, nameid, id, coinlore_id, rank FROM crypto_quote($id)"),
		join('|', @field{qw(symbol name nameid nameid id rank)}), "$field{symbol}: who it is");
	is(sql("SELECT crypto_price($id)::text"), expected($field{price_usd}), "$field{symbol}: crypto_price");
	my $active = expected($field{price_usd}) > 0 && $field{volume24} > 0 ? 't' : 'f';
	is(sql("SELECT active FROM crypto_quote($id)"), $active, "$field{symbol}: active is $active");
}
is(sql("SELECT price::text, price_btc::text, active, volume_24h FROM crypto_quote('DGD')"), '0|0|f|0', 'a price of "0?" is 0 and not traded');
foreach my $i (0 .. $#made)
{
	my ($name, undef, $wanted) = @{ $made[$i] };
	my @wanted = sort keys %$wanted;
	is(sql("SELECT " . join(', ', map { "$_\::text" } @wanted) . " FROM crypto_quote('id:made-$i')"),
		join('|', @{$wanted}{@wanted}), $name);
}

#
# Symbols
#
foreach my $i (0 .. $#symbols)
{
	(my $symbol = $symbols[$i]) =~ s/\\(.)/$1/g;
	my $ask = quoted($symbol);
	is(sql("SELECT symbol, crypto_price($ask)::text, nameid FROM crypto_quote($ask)"), "$symbol|$i.25|symbol-$i", "symbol $symbol");
	like(get($symbol), qr/^\{"symbol":"\Q$symbols[$i]\E",.*"price":$i\.25,/, "and in Redis");
	is(sql("SELECT price::text FROM tickers WHERE symbol = $ask"), "$i.25", "and in tickers");
}
is(sql("SELECT crypto_price('btc') = crypto_price('BTC') AND crypto_price('Btc') = crypto_price('BTC')"), 't', 'ASCII case does not matter');
is(sql("SELECT crypto_price('bdcl bsc')::text, crypto_price('yonkŌ')::text"), '0.25|12.25', 'also beside what is not a letter or not ASCII');
is(sql("SELECT crypto_price('yonkō') IS NULL, crypto_price('aAI') IS NULL"), 't|t', 'other letters must match exactly');
is(sql("SELECT crypto_price('Q') IS NULL, crypto_price(' BTC') IS NULL, crypto_price('BTC ') IS NULL, crypto_price('1') IS NULL"),
	't|t|t|t', 'nothing is a pattern, and spaces count');
is(sql("SELECT crypto_price('id:bitcoin') = crypto_price('BTC'), crypto_price('ID:bitcoin') = crypto_price('BTC')"), 't|t', 'id:<nameid>');
is(sql("SELECT crypto_price('id:Bitcoin') IS NULL"), 't', 'a nameid is as it is written');
is(sql("SELECT crypto_price('NOPE') IS NULL, (SELECT count(*) FROM crypto_quote('NOPE'))"), 't|0', 'unknown: NULL, and no row');
is(sql("SELECT crypto_price(NULL) IS NULL, (SELECT count(*) FROM crypto_quote(NULL))"), 't|0', 'NULL: NULL, and no row');
is(sql("SELECT crypto_price('') IS NULL, crypto_price(repeat('B', 10240)) IS NULL, crypto_price('id:' || repeat('b', 10240)) IS NULL"),
	't|t|t', 'empty and long ones match nothing');

# Bytes that are no UTF-8 cannot come from a UTF8 database; from one in SQL_ASCII they can.  In other encodings it cannot be.
sql("CREATE DATABASE $_ TEMPLATE template0 ENCODING '$_' LC_COLLATE 'C' LC_CTYPE 'C'") for qw(SQL_ASCII LATIN1);
my $ascii = CryptoRt::Session->new($node, 'sql_ascii');
unlike($ascii->ask('CREATE EXTENSION crypto_rt'), qr/ERROR/, 'the extension in a database in SQL_ASCII');
$ascii->is("SELECT crypto_price('BTC')::text, crypto_price('YONKŌ')::text", '77146.66|12.25', 'has all prices');
$ascii->is("SELECT count(crypto_price(s)), sum((SELECT count(*) FROM crypto_quote(s)))
	FROM unnest(ARRAY[E'\\xff', E'\\xff\\xfe\\xc3(', E'BT\\xc3', E'\\xed\\xa0\\x80', E'id:\\xff', repeat(E'\\xff', 10240)]) AS s",
	'0|0', 'and bytes that are no UTF-8 match nothing');
like(CryptoRt::Session->new($node, 'latin1')->ask('CREATE EXTENSION crypto_rt'), qr/ERROR:  crypto_rt needs a database in UTF8/,
	'a database in LATIN1 is refused');

#
# crypto_convert
#
my @converted = (
	[ "2, 'BTC', 'USD'", '154293.32' ],
	[ "1, 'usd', 'USD'", '1' ],
	[ "154293.32, 'USD', 'btc'", '2' ],
	[ "1, 'BTC', 'ETH'", '25.3992' ],
	[ "0, 'BTC', 'ETH'", '0' ],
	[ "-1.5, 'id:ethereum', 'USD'", '-4556.055' ],
	[ "1, 'NOPE', 'USD'", undef ],
	[ "1, 'USD', 'NOPE'", undef ],
	[ "1, 'USD', 'DGD'", undef, 'what has no price cannot be bought' ],
	[ "1, 'DGD', 'USD'", '0', 'and is worth nothing' ],
	[ "NULL, 'BTC', 'USD'", undef ],
	[ "1, NULL, 'USD'", undef ],
	[ "1, 'BTC', NULL", undef ]);
foreach my $call (@converted)
{
	my ($arguments, $wanted, $name) = @$call;
	my $test = defined $wanted ? "round(crypto_convert($arguments), 4) = $wanted" : "crypto_convert($arguments) IS NULL";
	is(sql("SELECT $test"), 't', $name // "crypto_convert($arguments)");
}

#
# crypto_quotes
#
is(sql('SELECT string_agg(rank::text, \',\') FROM (SELECT rank FROM crypto_quotes(5)) AS q'), '1,2,3,4,5', 'crypto_quotes(5), by rank');
is(sql('SELECT count(*) FROM crypto_quotes() WHERE rank IS NOT NULL'), sql('SELECT coins FROM crypto_status()'), 'crypto_quotes() is all of them');
is(sql('SELECT bool_and(rank >= before) FROM (SELECT rank, lag(rank) OVER () AS before FROM crypto_quotes()) AS q'), 't', 'in order');
is(sql('SELECT count(*) FROM crypto_quotes(0)'), '0', 'nobody ranks up to 0');
like(sql('SELECT * FROM crypto_quotes(-1)'), qr/ERROR:  max_rank must not be negative/, 'a negative max_rank is an error');

#
# crypto_quotes_json
#
sql('SELECT crypto_pause()');
eventually(
	sub {
		my @json = split /\n/, sql('SELECT crypto_quotes_json()');
		my @symbols = map { /^\{"symbol":"((?:[^"\\]|\\.)*)"/ ? $1 =~ s/\\(.)/$1/gr : '' } @json;
		return @json > 8000 && join("\n", @json) eq $redis->cli('MGET', map { "crypto:quote:$_" } @symbols);
	},
	'crypto_quotes_json() has the very bytes that Redis has');
is(sql('SELECT bool_and(rank > before) FROM (SELECT rank, lag(rank) OVER () AS before FROM (SELECT (q->>\'rank\')::int AS rank FROM crypto_quotes_json() AS q) AS r) AS s'),
	't', 'by rank');
is(sql('SELECT count(*) FROM crypto_quotes_json()'), sql("SELECT count(*) FROM crypto_quotes() AS q, crypto_quote(q.symbol) AS o WHERE o.nameid = q.nameid"),
	'of the coins that own their symbol');
is(sql("SELECT string_agg(q->>'id', ',') FROM crypto_quotes_json((SELECT max(fetched_at) FROM crypto_quotes())) AS q"),
	sql("SELECT string_agg(q.nameid, ',') FROM crypto_quotes() AS q, crypto_quote(q.symbol) AS o WHERE o.nameid = q.nameid AND q.fetched_at = (SELECT max(fetched_at) FROM crypto_quotes())"),
	'fetched at or after a time');
sql('SELECT crypto_resume()');

is(sql("SELECT source FROM crypto_quote('BTC')"), 'simulated', 'the source says that prices are simulated');
is(sql("SELECT source FROM crypto_status()"), 'simulated', 'and so does crypto_status()');
is(sql("SELECT DISTINCT source FROM tickers"), 'simulated', 'and so do the tables');
is(sql("SELECT last_updated = fetched_at, fetched_at > now() - interval '20 s', source_time < now() + interval '1 s' FROM crypto_quote('BTC')"),
	't|t|t', 'a quote knows its times');

#
# One number all the way
#
foreach my $price ('0.123456789012345678', '123456789012345.678', '0.000000000000123456', '77146.00', '1000000')
{
	$sim->coin('ethereum', price => $price);
	$sim->delete('/sim/row?nameid=ethereum');
	$db->becomes("SELECT crypto_price('ETH')::text", $price, "$price arrives in SQL");
	eventually(sub { get('ETH') =~ /"price":\Q$price\E,/ }, 'and in Redis');
	$db->becomes("SELECT price::text FROM tickers WHERE symbol = 'ETH'", $price, 'and in tickers');
	$db->becomes("SELECT price::text FROM crypto_snapshots JOIN crypto_coins USING (coin) WHERE nameid = 'ethereum' ORDER BY time DESC LIMIT 1",
		$price, 'and in crypto_snapshots');
}

#
# Age
#
$node->append_conf('postgresql.conf', "crypto_rt.ttl_factor = 0.1\n");
$node->reload;
$db->becomes("SELECT ttl FROM crypto_tiers WHERE tier = 'tier1'", '00:00:06', 'a short TTL');
is(sql("SELECT stale FROM crypto_quote('BTC')"), 'f', 'what is polled all the time is fresh');
sql('SELECT crypto_pause()');
$db->becomes("SELECT stale FROM crypto_quote('BTC')", 't', 'without polls it is stale after the TTL');
is(sql("SELECT crypto_price('BTC')::text"), '77146.66', 'and still tells its price');
sql('SELECT crypto_resume()');
$db->becomes("SELECT stale FROM crypto_quote('BTC')", 'f', 'and fresh when polls go on');

$node->stop('fast');
done_testing();
