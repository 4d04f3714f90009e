-- What is unknown, empty, NULL or wrong: NULL, no row or a reason, and never a crash.  Whether prices come in does not matter here.
\unset ECHO
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT no_plan();

--
-- Symbols that no coin has
--
CREATE TEMPORARY TABLE nobody (n serial, what text, symbol text);
INSERT INTO nobody (what, symbol) VALUES
	('an unknown symbol', 'NO-SUCH-COIN'),
	('an unknown nameid', 'id:no such coin'),
	('nothing', ''),
	('a space', ' '),
	('spaces around a name', '  no such coin  '),
	('id: alone', 'id:'),
	('id: and a space', 'ID: '),
	('sixteen bytes', 'NO-SUCH-COIN-16!'),
	('seventeen bytes', 'NO-SUCH-COIN-17!!'),
	('63 bytes', repeat('Z', 63)),
	('64 bytes', repeat('Z', 64)),
	('10 kB', repeat('Z', 10240)),
	('10 kB of nameid', 'id:' || repeat('z', 10240)),
	('10 MB', repeat('Z', 10485760)),
	('ten thousand characters of three bytes', repeat('喵', 10000)),
	('a symbol with a quote', 'NO''SUCH"COIN'),
	('a pattern', '%'),
	('another pattern', 'NO-SUCH-*'),
	('control characters', E'NO\tSUCH\nCOIN'),
	('half a glob', 'NO[SUCH');

SELECT collect_tap(
		is(crypto_price(symbol), NULL, what || ' has no price'),
		is_empty(format('SELECT * FROM crypto_quote(%L)', symbol), what || ' has no quote'),
		is(crypto_convert(1, symbol, 'USD'), NULL, what || ' cannot be sold'),
		is(crypto_convert(1, 'USD', symbol), NULL, what || ' cannot be bought'),
		is(crypto_refresh(symbol), false, what || ' cannot be refreshed'))
	FROM nobody ORDER BY n;

--
-- NULL in, NULL out
--
SELECT is(crypto_price(NULL), NULL, 'NULL has no price');
SELECT is_empty('SELECT * FROM crypto_quote(NULL)', 'NULL has no quote');
SELECT is(crypto_convert(NULL, 'USD', 'USD'), NULL, 'NULL dollars');
SELECT is(crypto_convert(1, NULL, 'USD'), NULL, 'from NULL');
SELECT is(crypto_convert(1, 'USD', NULL), NULL, 'to NULL');
SELECT is(crypto_refresh(NULL), NULL, 'NULL is not refreshed');
SELECT lives_ok('SELECT * FROM crypto_quotes(NULL)', 'up to rank NULL is all of them');
SELECT is_empty('SELECT * FROM crypto_quotes_json(NULL)', 'since NULL is none');

--
-- Numbers
--
SELECT is(crypto_convert(1.50, 'USD', 'USD'), 1.50, 'dollars are worth themselves');
SELECT is(crypto_convert(1.50, 'usd', 'Usd'), 1.50, 'in any case');
SELECT is(crypto_convert(0, 'USD', 'USD'), 0::numeric, 'none of them, too');
SELECT is(crypto_convert(-1.50, 'USD', 'USD'), -1.50, 'debts, too');
SELECT is(crypto_convert('NaN', 'USD', 'USD'), 'NaN', 'what is no number remains none');
SELECT is(crypto_convert('Infinity', 'USD', 'USD'), 'Infinity', 'and without end without end');
SELECT is(crypto_convert(1e1000, 'USD', 'USD'), 1e1000, 'and much much');
SELECT is_empty('SELECT * FROM crypto_quotes(0)', 'nobody ranks up to 0');
SELECT throws_ok('SELECT * FROM crypto_quotes(-1)', '22023', 'max_rank must not be negative', 'less is an error');
SELECT throws_ok('SELECT * FROM crypto_quotes(-2147483648)', '22023', 'max_rank must not be negative', 'much less, too');
SELECT lives_ok('SELECT * FROM crypto_quotes(2147483647)', 'more than there are is not');
SELECT is_empty('SELECT * FROM crypto_quotes_json(''infinity'')', 'nothing was fetched since for ever');
SELECT is_empty('SELECT * FROM crypto_quotes_json(now() + interval ''1 day'')', 'nor since tomorrow');
SELECT lives_ok('SELECT * FROM crypto_quotes_json(''4714-11-24 00:00:00+00 BC'')', 'since the first day is all of them');
SELECT lives_ok('SELECT * FROM crypto_quotes_json(''294276-12-31 23:59:59+00'')', 'and since the last one is no error');

--
-- Places where a function that returns rows may stand
--
SELECT is_empty('SELECT crypto_quote(''NO-SUCH-COIN'')', 'in the select list');
SELECT is_empty('SELECT q.* FROM (VALUES (''NO-SUCH-COIN''), (NULL)) AS v (s), crypto_quote(v.s) AS q', 'beside a table');
SELECT lives_ok('SELECT symbol FROM crypto_quotes() LIMIT 1', 'behind a limit');
SELECT lives_ok('SELECT crypto_quotes_json(), crypto_quotes_json(NULL)', 'as text in the select list');
SELECT lives_ok('SELECT (SELECT count(*) FROM crypto_quotes()) FROM generate_series(1, 3)', 'again and again');
SELECT is((SELECT count(*) FROM crypto_status()), 1::bigint, 'crypto_status() is one row');
SELECT lives_ok('SELECT * FROM crypto_tiers', 'crypto_tiers can be read');

SELECT * FROM finish();
ROLLBACK;
