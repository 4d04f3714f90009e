-- What there is, by name and type: what programs may rely on.  More may be added, nothing may go.
\unset ECHO
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
BEGIN;
SELECT no_plan();

--
-- Functions: arguments, result, volatility, strict, parallel
--
CREATE TEMPORARY TABLE wanted (n serial, name text, args text[], result text, volatility text, strict boolean, parallel "char", language text DEFAULT 'c');
INSERT INTO wanted (name, args, result, volatility, strict, parallel) VALUES
	('crypto_price', '{text}', 'numeric', 'stable', true, 's'),
	('crypto_quote', '{text}', 'setof crypto_quote', 'stable', true, 's'),
	('crypto_quotes', '{integer}', 'setof crypto_quote', 'stable', false, 's'),
	('crypto_quotes_json', '{timestamp with time zone}', 'setof json', 'stable', true, 's'),
	('crypto_convert', '{numeric,text,text}', 'numeric', 'stable', true, 's'),
	('crypto_refresh', '{text}', 'boolean', 'volatile', true, 's'),
	('crypto_status', '{}', 'record', 'volatile', true, 's'),
	('crypto_pause', '{}', 'void', 'volatile', true, 'u'),
	('crypto_resume', '{}', 'void', 'volatile', true, 'u'),
	('crypto_redis_purge', '{}', 'bigint', 'volatile', true, 'u'),
	('crypto_price_at', '{text,timestamp with time zone}', 'numeric', 'stable', true, 's');
INSERT INTO wanted (name, args, result, volatility, strict, parallel, language) VALUES
	('crypto_coin', '{text}', 'integer', 'stable', true, 's', 'plpgsql'),
	('crypto_bucket', '{interval,timestamp with time zone}', 'timestamp with time zone', 'immutable', true, 's', 'sql'),
	('crypto_history', '{text,timestamp with time zone,timestamp with time zone}', 'setof record', 'stable', true, 's', 'sql'),
	('crypto_candles', '{text,interval,timestamp with time zone,timestamp with time zone,boolean}', 'setof record', 'stable', true, 's', 'plpgsql'),
	('crypto_candles_rebuild', '{text,timestamp with time zone,timestamp with time zone}', 'bigint', 'volatile', false, 'u', 'plpgsql'),
	('crypto_sync', '{integer,boolean,regclass}', 'bigint', 'volatile', false, 'u', 'plpgsql');

SELECT collect_tap(
		has_function(name::name, args::name[]),
		function_returns(name::name, args::name[], result),
		volatility_is(name::name, args::name[], volatility),
		CASE WHEN strict THEN is_strict(name::name, args::name[]) ELSE isnt_strict(name::name, args::name[]) END,
		is(proparallel, parallel, format('Function %s() should be parallel %s', name, parallel)),
		function_lang_is(name::name, args::name[], language::name))
	FROM wanted
	JOIN pg_proc ON oid = format('%s(%s)', name, array_to_string(args, ','))::regprocedure
	ORDER BY n;

SELECT lives_ok('SELECT count(*) FROM crypto_quotes()', 'max_rank can be left out');
SELECT lives_ok('SELECT count(*) FROM crypto_quotes_json() AS a, crypto_quotes_json(since => now()) AS b', 'and since');
SELECT lives_ok('SELECT crypto_price(symbol => ''x''), crypto_convert(amount => 1, "from" => ''x'', "to" => ''y'')',
	'the arguments have their names');

--
-- Columns of the type, the tables, the view and crypto_status()
--
CREATE FUNCTION pg_temp.columns_of(regclass) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s %s%s', attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' not null' END)
	FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
$$;

-- as it is where there are many rows
CREATE FUNCTION pg_temp.plan(text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text = '';
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_bitmapscan = off;
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) SELECT * FROM' || $1 LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END
$$;

SELECT has_type('crypto_quote');
SELECT results_eq('SELECT pg_temp.columns_of(''crypto_quote'')', ARRAY[
	'symbol text', 'name text', 'price numeric', 'price_btc numeric', 'rank integer', 'change_1h numeric',
	'change_24h numeric', 'change_7d numeric', 'volume_24h numeric', 'market_cap numeric', 'circulating_supply numeric',
	'total_supply numeric', 'max_supply numeric', 'last_updated timestamp with time zone', 'update_interval integer',
	'tier text', 'source text', 'id text', 'coinlore_id integer', 'nameid text', 'active boolean',
	'fetched_at timestamp with time zone', 'source_time timestamp with time zone', 'stale boolean'],
	'crypto_quote has its columns, in this order');

SELECT has_table('tickers');
SELECT set_has('SELECT pg_temp.columns_of(''tickers'')', $$ SELECT unnest(ARRAY[
	'symbol text not null', 'name text', 'asset_type text not null', 'price numeric', 'price_btc numeric',
	'rank integer', 'change_1h numeric', 'change_24h numeric', 'change_7d numeric', 'volume_24h numeric',
	'market_cap numeric', 'circulating_supply numeric', 'total_supply numeric', 'max_supply numeric', 'tier smallint',
	'active boolean not null', 'nameid text', 'coinlore_id integer', 'source text',
	'source_time timestamp with time zone', 'updated_at timestamp with time zone']) $$, 'tickers has its columns');
SELECT col_is_pk('tickers', 'symbol');
SELECT col_default_is('tickers', 'asset_type', 'crypto');

SELECT has_table('crypto_coins');
SELECT set_has('SELECT pg_temp.columns_of(''crypto_coins'')', $$ SELECT unnest(ARRAY[
	'coin integer not null', 'nameid text not null', 'coinlore_id integer', 'symbol text not null', 'name text',
	'owns_symbol boolean not null', 'active boolean not null', 'first_seen timestamp with time zone',
	'updated_at timestamp with time zone']) $$, 'crypto_coins has its columns');
SELECT col_is_pk('crypto_coins', 'coin');
SELECT col_is_unique('crypto_coins', 'nameid');

SELECT set_has('SELECT pg_temp.columns_of(''crypto_snapshots'')', $$ SELECT unnest(ARRAY[
	'time timestamp with time zone not null', 'coin integer not null', 'price numeric not null', 'volume_24h numeric']) $$,
	'crypto_snapshots has its columns');

SELECT is_partitioned('crypto_snapshots');
SELECT is_partitioned('crypto_candles');
SELECT set_has('SELECT pg_temp.columns_of(''crypto_candles'')', $$ SELECT unnest(ARRAY[
	'time timestamp with time zone not null', 'first_at timestamp with time zone not null', 'last_at timestamp with time zone not null',
	'coin integer not null', 'resolution crypto_resolution not null', 'ticks integer not null', 'simulated boolean not null', 'open numeric not null',
	'high numeric not null', 'low numeric not null', 'close numeric not null', 'volume_24h numeric']) $$, 'crypto_candles has its columns');
SELECT columns_are(view::name, columns::name[]) FROM (VALUES
	('crypto_movers', '{direction,place,symbol,name,price,change_1h,change_24h,change_7d,volume_24h,market_cap,rank,source}'),
	('crypto_market', '{coins,active_coins,market_cap,volume_24h,change_24h,btc_dominance,eth_dominance,fetched_at,simulated}'),
	('crypto_partitions', '{kept,partition,bounds,begins,ends,bytes}')) AS v (view, columns);

SELECT has_view('crypto_tiers');
SELECT set_has('SELECT pg_temp.columns_of(''crypto_tiers'')', $$ SELECT unnest(ARRAY[
	'tier text', 'first_rank integer', 'last_rank integer', 'coins integer', 'pages integer', 'interval_asked interval',
	'interval_allowed interval', 'interval_achieved interval', 'polls bigint', 'late bigint', 'failed bigint',
	'ttl interval']) $$, 'crypto_tiers has its columns');

CREATE TEMPORARY VIEW status AS SELECT * FROM crypto_status();
SELECT set_has('SELECT pg_temp.columns_of(''status'')', $$ SELECT unnest(ARRAY[
	'state text', 'database text', 'source text', 'coins integer', 'active_coins integer', 'refused_coins integer',
	'feed_problem text', 'requests_per_second double precision', 'pages_fetched bigint', 'pages_unchanged bigint',
	'pages_failed bigint', 'rows_rejected bigint', 'sweeps bigint', 'last_poll timestamp with time zone',
	'last_sweep timestamp with time zone', 'redis_connected boolean', 'redis_problem text', 'redis_connects bigint',
	'redis_quotes bigint', 'redis_messages bigint', 'redis_errors bigint', 'recorder_problem text', 'ticks bigint',
	'ticks_behind bigint', 'ticks_lost bigint', 'tickers_written bigint', 'snapshots_written bigint',
	'flush_failures bigint', 'last_flush timestamp with time zone', 'launcher_problem text', 'launcher_pid integer',
	'poller_pid integer', 'publisher_pid integer', 'recorder_pid integer']) $$, 'crypto_status() has its columns');

--
-- crypto_rt_api, whose names are in URLs
--
SELECT views_are('crypto_rt_api', '{tickers,coins,quotes,history,candles,movers,market,status,tiers}'::name[]);
SELECT columns_are('crypto_rt_api', view::name, columns::name[]) FROM (VALUES
	('tickers', '{symbol,name,asset_type,price,price_btc,rank,change_1h,change_24h,change_7d,volume_24h,market_cap,circulating_supply,total_supply,max_supply,tier,active,nameid,coinlore_id,source,source_time,updated_at}'),
	('coins', '{coin,nameid,coinlore_id,symbol,name,owns_symbol,active,first_seen,updated_at}'),
	('quotes', '{symbol,name,price,price_btc,rank,change_1h,change_24h,change_7d,volume_24h,market_cap,circulating_supply,total_supply,max_supply,last_updated,update_interval,tier,source,id,coinlore_id,nameid,active,fetched_at,source_time,stale}'),
	('history', '{symbol,nameid,time,price,volume_24h,simulated,coin}'),
	('candles', '{symbol,nameid,resolution,time,open,high,low,close,volume_24h,ticks,simulated,first_at,last_at,coin}'),
	('movers', '{direction,place,symbol,name,price,change_1h,change_24h,change_7d,volume_24h,market_cap,rank,source}'),
	('market', '{coins,active_coins,market_cap,volume_24h,change_24h,btc_dominance,eth_dominance,fetched_at,simulated}'),
	('status', '{state,source,coins,active_coins,refused_coins,problems,requests_per_second,pages_fetched,pages_unchanged,pages_failed,rows_rejected,sweeps,last_poll,last_sweep,redis_connected,redis_connects,redis_quotes,redis_messages,redis_errors,ticks,ticks_behind,ticks_lost,tickers_written,snapshots_written,rows_refused,flush_failures,last_flush}'),
	('tiers', '{tier,first_rank,last_rank,coins,pages,interval_asked,interval_allowed,interval_achieved,polls,late,failed,ttl}')) AS v (view, columns);
SELECT results_eq($$
	SELECT format('%s(%s) %s', proname, pg_get_function_arguments(oid), pg_get_function_result(oid)) COLLATE "default", provolatile::text
	FROM pg_proc WHERE pronamespace = 'crypto_rt_api'::regnamespace ORDER BY 1 $$, $$ VALUES
	('candles(symbol text, resolution interval, since timestamp with time zone, until timestamp with time zone DEFAULT now(), fill boolean DEFAULT false, OUT "time" timestamp with time zone, OUT open numeric, OUT high numeric, OUT low numeric, OUT close numeric, OUT volume_24h numeric, OUT ticks bigint, OUT simulated boolean) SETOF record', 's'),
	('convert(amount numeric, "from" text, "to" text) numeric', 's'),
	('history(symbol text, since timestamp with time zone, until timestamp with time zone DEFAULT now(), OUT "time" timestamp with time zone, OUT price numeric, OUT volume_24h numeric, OUT simulated boolean) SETOF record', 's'),
	('price(symbol text) numeric', 's'),
	('price_at(symbol text, at timestamp with time zone) numeric', 's'),
	('quote(symbol text) SETOF crypto_quote', 's'),
	('quotes(max_rank integer DEFAULT NULL::integer) SETOF crypto_quote', 's') $$, 'crypto_rt_api has its functions');

-- the planner puts these in the place of their call, so that orders and limits reach the tables
SELECT unalike(pg_temp.plan(call), '%Function Scan on ' || name || '%', name || '() is inlined') FROM (VALUES
	('history', $$ crypto_rt_api.history('BTC', '-infinity') ORDER BY time DESC LIMIT 1 $$),
	('quote', $$ crypto_rt_api.quote('BTC') $$), ('quotes', $$ crypto_rt_api.quotes(10) $$),
	('candles', $$ crypto_rt_api.candles('BTC', '1 hour', '-infinity') $$)) AS f (name, call);
SELECT unalike(pg_temp.plan(rows), '%Sort%', 'the index has the order of ' || rows) FROM unnest(ARRAY[
	$$ crypto_rt_api.history('BTC', '-infinity') ORDER BY time DESC LIMIT 1 $$,
	$$ crypto_rt_api.history WHERE coin = 1 ORDER BY time DESC LIMIT 1 $$,
	$$ crypto_rt_api.candles WHERE coin = 1 AND resolution = '1m' ORDER BY time DESC LIMIT 1 $$]) AS rows;
INSERT INTO crypto_coins (nameid, symbol, owns_symbol, active) SELECT 'regress ' || i, 'REGRESS' || i, true, true FROM generate_series(1, 10000) i;
ANALYZE crypto_coins;
SELECT alike(pg_temp.plan($$ crypto_rt_api.history WHERE symbol = 'BTC' AND time > now() $$), '%crypto_coins_owned_symbol%', 'symbols are looked up in an index');

--
-- Every object of the extension, and every column, tells what it is
--
CREATE TEMPORARY VIEW objects AS
	SELECT classid, objid, pg_describe_object(classid, objid, 0) AS object
	FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'crypto_rt');

SELECT isnt_empty('SELECT 1 FROM objects', 'the extension has objects');
SELECT is_empty($$
	SELECT object FROM objects
	WHERE obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)) IS NULL
		/* the sequence behind an identity column, partitions, and the rows' types speak for nobody else */
		AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = objects.classid AND d.objid = objects.objid
						AND d.deptype IN ('i', 'P'))
	ORDER BY object $$, 'every object has a comment');
SELECT is_empty($$
	SELECT attrelid::regclass, attname FROM pg_attribute
	JOIN (SELECT c.oid FROM pg_class c JOIN objects ON objid = c.oid AND classid = 'pg_class'::regclass
			WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
		  UNION ALL SELECT 'crypto_quote'::regclass) AS relations ON attrelid = relations.oid
	WHERE attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL $$, 'every column has a comment');
SELECT is_empty($$
	SELECT object FROM objects WHERE object !~ '\m(crypto_|tickers|crypto_rt)' $$, 'no name but crypto_* and tickers is taken');

SELECT * FROM finish();
ROLLBACK;
