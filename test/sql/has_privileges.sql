-- Who may do what: everybody reads, the owner steers.
\unset ECHO
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT no_plan();

CREATE TEMPORARY VIEW functions AS
	SELECT p.* FROM pg_proc p
	JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'crypto_rt';
CREATE TEMPORARY VIEW relations AS
	SELECT c.* FROM pg_class c
	JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'crypto_rt';

--
-- PUBLIC
--
SELECT set_has($$ SELECT proname::text FROM functions WHERE has_function_privilege('public', oid, 'EXECUTE') $$,
	$$ SELECT unnest('{crypto_price,crypto_quote,crypto_quotes,crypto_quotes_json,crypto_convert,crypto_status,crypto_price_at,crypto_history,crypto_candles,crypto_coin,crypto_bucket}'::text[]) $$,
	'everybody may call what only reads');
SELECT is_empty($$
	SELECT oid::regprocedure FROM functions
	WHERE has_function_privilege('public', oid, 'EXECUTE') AND provolatile = 'v'
		AND proname NOT IN ('crypto_status', 'crypto_tier_status', 'crypto_sync', 'crypto_record', 'crypto_candles_add', 'crypto_candles_merge',
			'crypto_candles_rebuild') AND prorettype <> 'trigger'::regtype $$,
	'and nothing that does something, but for what writes tables with the caller''s own rights');
SELECT is_empty($$ SELECT oid::regprocedure FROM functions WHERE prosecdef $$, 'no function runs with its owner''s rights');
SELECT is_empty($$
	SELECT relname FROM relations WHERE relkind IN ('r', 'p', 'v') AND NOT has_table_privilege('public', oid, 'SELECT') $$,
	'everybody may read the tables and the view');
SELECT is_empty($$
	SELECT relname FROM relations
	WHERE relkind IN ('r', 'p', 'v') AND has_table_privilege('public', oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') $$,
	'and nobody else may write them');
SELECT is_empty($$
	SELECT relname FROM relations
	WHERE CASE WHEN relkind = 'S' THEN has_sequence_privilege('public', oid, 'USAGE, UPDATE') END $$,
	'nor take numbers from their sequences');

--
-- An ordinary role
--
CREATE ROLE regress_crypto_reader;
SET LOCAL ROLE regress_crypto_reader;
SELECT lives_ok($$ SELECT crypto_price('BTC'), crypto_convert(1, 'BTC', 'USD') $$, 'a reader asks for prices');
SELECT lives_ok($$ SELECT * FROM crypto_quote('BTC'), crypto_quotes(1), crypto_quotes_json() $$, 'and for quotes');
SELECT lives_ok('SELECT * FROM crypto_status(), crypto_tiers', 'and how the workers do');
SELECT lives_ok('SELECT (SELECT count(*) FROM tickers), (SELECT count(*) FROM crypto_coins), (SELECT count(*) FROM crypto_snapshots)',
	'and reads the tables');
SELECT lives_ok($$ SELECT crypto_price_at('BTC', now()), crypto_coin('BTC') $$, 'and what was');
SELECT lives_ok($$ SELECT * FROM crypto_history('BTC', '-infinity'), crypto_candles('BTC', '1 hour', '-infinity'), crypto_candles AS stored, crypto_movers, crypto_market, crypto_partitions $$,
	'by all that reads history');
SELECT throws_ok(format('SELECT %s', call), '42501', NULL, 'but must not call ' || call)
	FROM unnest('{crypto_pause(),crypto_resume(),crypto_redis_purge(),crypto_refresh(''BTC''),crypto_candles_rebuild(),"crypto_partitions_keep(NULL, NULL, NULL)"}'::text[]) AS call;
SELECT throws_ok(format(statement, name), '42501', NULL, 'nor ' || format(statement, name))
	FROM unnest('{tickers,crypto_coins,crypto_snapshots,crypto_candles,crypto_dump_tickers}'::text[]) AS name,
		unnest('{INSERT INTO %s DEFAULT VALUES,DELETE FROM %s,TRUNCATE %s}'::text[]) AS statement;
SELECT lives_ok(format('SELECT * FROM crypto_rt_api.%s', name), 'reads crypto_rt_api.' || name)
	FROM unnest('{tickers,coins,quotes,history,candles,movers,market,status,tiers}'::text[]) AS name;
SELECT lives_ok(format('SELECT * FROM crypto_rt_api.%s', call), 'and calls crypto_rt_api.' || call)
	FROM unnest(ARRAY['price(''BTC'')', 'quote(''BTC'')', 'quotes()', 'convert(1, ''BTC'', ''USD'')', 'price_at(''BTC'', now())',
		'history(''BTC'', ''-infinity'')', 'candles(''BTC'', ''1 hour'', ''-infinity'')']) AS call;
SELECT throws_ok(format(statement, name), '42501', NULL, 'but not ' || format(statement, name))
	FROM unnest('{tickers,coins}'::text[]) AS name,
		unnest('{INSERT INTO crypto_rt_api.%s DEFAULT VALUES,DELETE FROM crypto_rt_api.%s}'::text[]) AS statement;
SELECT throws_ok('CREATE VIEW crypto_rt_api.mine AS SELECT 1', '42501', NULL, 'nor adds to it');
RESET ROLE;
SELECT is_empty($$
	SELECT attname FROM pg_attribute
	WHERE attrelid = 'crypto_rt_api.status'::regclass AND (attname ~ '_(problem|pid)$' OR attname = 'database') $$,
	'crypto_rt_api.status names no host, process or database');

-- what the tables' owner shows through crypto_rt_api is his to decide
REVOKE SELECT ON tickers FROM PUBLIC;
SET LOCAL ROLE regress_crypto_reader;
SELECT throws_ok('SELECT * FROM tickers', '42501', NULL, 'a table that was taken from PUBLIC');
SELECT lives_ok('SELECT * FROM crypto_rt_api.tickers', 'is read through crypto_rt_api all the same');
RESET ROLE;
REVOKE SELECT ON crypto_rt_api.tickers FROM PUBLIC;
SET LOCAL ROLE regress_crypto_reader;
SELECT throws_ok('SELECT * FROM crypto_rt_api.tickers', '42501', NULL, 'until that is taken, too');
RESET ROLE;

GRANT EXECUTE ON FUNCTION crypto_refresh(text) TO regress_crypto_reader;
SET LOCAL ROLE regress_crypto_reader;
SELECT is(crypto_refresh('id:no such coin'), false, 'what is granted, it may call');
SELECT throws_ok('SELECT crypto_pause()', '42501', NULL, 'and nothing else');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
