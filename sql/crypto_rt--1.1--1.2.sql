-- crypto_rt 1.2: the schema crypto_rt_api, which the daemon serves to PostgREST's clients.

-- complain if the script is fed to psql rather than to ALTER EXTENSION
\echo Use "ALTER EXTENSION crypto_rt UPDATE TO '1.2'" to load this file. \quit

-- complain about what stands in the way
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = 'crypto_rt_api') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_schema',
			MESSAGE = 'schema "crypto_rt_api" already exists',
			DETAIL = 'crypto_rt makes a schema of this name, for the views and functions that crypto_rt_http serves.',
			HINT = 'Rename it: ALTER SCHEMA crypto_rt_api RENAME TO ...';
	END IF;
END
$$;

-- Only what is fit for strangers is in here; its names are what clients write in URLs.  Views read with the rights of the
-- extension's owner, functions with the caller's.
CREATE SCHEMA crypto_rt_api;
COMMENT ON SCHEMA crypto_rt_api IS 'Real-time cryptocurrency prices
Quotes of every coin that CoinLore lists, and their history. Prices are exact decimals, in USD.';

-- As owners of symbols are looked for by the views below.
CREATE INDEX crypto_coins_owned_symbol ON crypto_coins ((CASE WHEN owns_symbol THEN symbol END));
ANALYZE crypto_coins;

--
-- Views
--

CREATE VIEW crypto_rt_api.tickers AS
	SELECT t.symbol, t.name, t.asset_type, t.price, t.price_btc, t.rank, t.change_1h, t.change_24h, t.change_7d, t.volume_24h, t.market_cap,
		t.circulating_supply, t.total_supply, t.max_supply, t.tier, t.active, t.nameid, t.coinlore_id, t.source, t.source_time, t.updated_at
	FROM tickers t;
COMMENT ON VIEW crypto_rt_api.tickers IS 'The newest quote of the best coins, one row per symbol, from a table
At most a second behind. To look up many symbols, filter and sort, this is the fastest; coins beyond the best are in quotes.';

CREATE VIEW crypto_rt_api.coins AS
	SELECT c.coin, c.nameid, c.coinlore_id, c.symbol, c.name, c.owns_symbol, c.active, c.first_seen, c.updated_at
	FROM crypto_coins c;
COMMENT ON VIEW crypto_rt_api.coins IS 'Every coin that has ever been listed here';

CREATE VIEW crypto_rt_api.quotes AS
	SELECT q.symbol, q.name, q.price, q.price_btc, q.rank, q.change_1h, q.change_24h, q.change_7d, q.volume_24h, q.market_cap,
		q.circulating_supply, q.total_supply, q.max_supply, q.last_updated, q.update_interval, q.tier, q.source, q.id, q.coinlore_id, q.nameid,
		q.active, q.fetched_at, q.source_time, q.stale
	FROM crypto_quotes() q;
COMMENT ON VIEW crypto_rt_api.quotes IS 'The newest quote of every coin, from memory
Looks at all coins whatever is asked for: for one coin rpc/quote and rpc/price are faster.';

-- A symbol is the one coin's that owns it, as in crypto_history(): several may carry it.
--
-- Of one coin the planner follows the index of times, newest first, and stops at a limit; of one symbol it does not know that
-- this is one coin, and sorts all of its rows.  So the coin's number is here too, and history() looks it up by itself.
CREATE VIEW crypto_rt_api.history AS
	SELECT CASE WHEN c.owns_symbol THEN c.symbol END AS symbol, c.nameid, s.time, s.price, s.volume_24h, s.simulated, s.coin
	FROM crypto_snapshots s JOIN crypto_coins c ON c.coin = s.coin;
COMMENT ON VIEW crypto_rt_api.history IS 'Each price that a poll found changed, of the best coins, for as long as they are kept
Fast with a symbol or nameid and a time (time=gt.…), and with the number of a coin (coin=eq.…) and an order by time.';

CREATE VIEW crypto_rt_api.candles AS
	SELECT CASE WHEN c.owns_symbol THEN c.symbol END AS symbol, c.nameid, k.resolution, k.time, k.open, k.high, k.low, k.close, k.volume_24h,
		k.ticks, k.simulated, k.first_at, k.last_at, k.coin
	FROM crypto_candles k JOIN crypto_coins c ON c.coin = k.coin;
COMMENT ON VIEW crypto_rt_api.candles IS 'Candles of minutes, hours and days, of which the current ones are being made
Fast with a resolution, a symbol or nameid, and a time (time=gt.…), or with the number of a coin (coin=eq.…) in their place. Other resolutions are in rpc/candles.';

CREATE VIEW crypto_rt_api.movers AS
	SELECT m.direction, m.place, m.symbol, m.name, m.price, m.change_1h, m.change_24h, m.change_7d, m.volume_24h, m.market_cap, m.rank, m.source
	FROM crypto_movers m;
COMMENT ON VIEW crypto_rt_api.movers IS
	'The 20 coins that gained most in 24 hours, and the 20 that lost most, of those with a volume of a million USD or more';

CREATE VIEW crypto_rt_api.market AS
	SELECT m.coins, m.active_coins, m.market_cap, m.volume_24h, m.change_24h, m.btc_dominance, m.eth_dominance, m.fetched_at, m.simulated
	FROM crypto_market m;
COMMENT ON VIEW crypto_rt_api.market IS 'All coins together: one row';

-- The texts of problems name hosts and roles, and pids and the database's name are nobody's business either.
CREATE VIEW crypto_rt_api.status AS
	SELECT s.state, s.source, s.coins, s.active_coins, s.refused_coins,
		array_remove(ARRAY[CASE WHEN s.feed_problem IS NOT NULL THEN 'feed' END, CASE WHEN s.redis_problem IS NOT NULL THEN 'redis' END,
			CASE WHEN s.recorder_problem IS NOT NULL THEN 'recorder' END, CASE WHEN s.launcher_problem IS NOT NULL THEN 'launcher' END], NULL)
			AS problems,
		s.requests_per_second, s.pages_fetched, s.pages_unchanged, s.pages_failed, s.rows_rejected, s.sweeps, s.last_poll, s.last_sweep,
		s.redis_connected, s.redis_connects, s.redis_quotes, s.redis_messages, s.redis_errors, s.ticks, s.ticks_behind, s.ticks_lost,
		s.tickers_written, s.snapshots_written, s.rows_refused, s.flush_failures, s.last_flush
	FROM crypto_status() s;
COMMENT ON VIEW crypto_rt_api.status IS 'How the workers do: one row of states, and of counts since the server started';
COMMENT ON COLUMN crypto_rt_api.status.state IS 'What the poller does';
COMMENT ON COLUMN crypto_rt_api.status.source IS 'coinlore, or simulated when the prices come from the simulator';
COMMENT ON COLUMN crypto_rt_api.status.coins IS 'Coins that are known';
COMMENT ON COLUMN crypto_rt_api.status.active_coins IS 'Of these, listed with a price and a volume above zero';
COMMENT ON COLUMN crypto_rt_api.status.refused_coins IS 'Coins for which there was no room';
COMMENT ON COLUMN crypto_rt_api.status.problems IS 'Who has a problem, of feed, redis, recorder and launcher; crypto_status() tells what it is';
COMMENT ON COLUMN crypto_rt_api.status.requests_per_second IS 'Requests to CoinLore, of late';
COMMENT ON COLUMN crypto_rt_api.status.pages_fetched IS 'Pages that CoinLore answered with';
COMMENT ON COLUMN crypto_rt_api.status.pages_unchanged IS 'Of these, as they were before';
COMMENT ON COLUMN crypto_rt_api.status.pages_failed IS 'Requests without a usable answer';
COMMENT ON COLUMN crypto_rt_api.status.rows_rejected IS 'Coins on these pages that could not be read';
COMMENT ON COLUMN crypto_rt_api.status.sweeps IS 'Times that all pages were fetched';
COMMENT ON COLUMN crypto_rt_api.status.last_poll IS 'When CoinLore last answered';
COMMENT ON COLUMN crypto_rt_api.status.last_sweep IS 'When a sweep was last complete';
COMMENT ON COLUMN crypto_rt_api.status.redis_connected IS 'Whether Redis is there';
COMMENT ON COLUMN crypto_rt_api.status.redis_connects IS 'Connections made to Redis';
COMMENT ON COLUMN crypto_rt_api.status.redis_quotes IS 'Quotes written to Redis';
COMMENT ON COLUMN crypto_rt_api.status.redis_messages IS 'Messages published in Redis';
COMMENT ON COLUMN crypto_rt_api.status.redis_errors IS 'Connections to Redis lost, and replies that were errors';
COMMENT ON COLUMN crypto_rt_api.status.ticks IS 'Quotes that polls brought';
COMMENT ON COLUMN crypto_rt_api.status.ticks_behind IS 'Of these, still to be recorded';
COMMENT ON COLUMN crypto_rt_api.status.ticks_lost IS 'Of these, gone before they could be recorded';
COMMENT ON COLUMN crypto_rt_api.status.tickers_written IS 'Rows written to tickers';
COMMENT ON COLUMN crypto_rt_api.status.snapshots_written IS 'Rows appended to history';
COMMENT ON COLUMN crypto_rt_api.status.rows_refused IS 'Rows that a table did not take';
COMMENT ON COLUMN crypto_rt_api.status.flush_failures IS 'Transactions that failed, and were tried again';
COMMENT ON COLUMN crypto_rt_api.status.last_flush IS 'When the tables were last written';

CREATE VIEW crypto_rt_api.tiers AS
	SELECT t.tier, t.first_rank, t.last_rank, t.coins, t.pages, t.interval_asked, t.interval_allowed, t.interval_achieved, t.polls, t.late, t.failed, t.ttl
	FROM crypto_tiers t;
COMMENT ON VIEW crypto_rt_api.tiers IS 'How often the coins of each rank are polled, and whether that is on time';

-- a column is what it is where it comes from
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN
		SELECT v.view, a.attname, pg_catalog.col_description(o.attrelid, o.attnum) AS text
		FROM (VALUES ('crypto_rt_api.tickers'::regclass, 'tickers'::regclass, 1), ('crypto_rt_api.coins', 'crypto_coins', 1),
				('crypto_rt_api.quotes', 'crypto_quote', 1), ('crypto_rt_api.history', 'crypto_snapshots', 1),
				('crypto_rt_api.history', 'crypto_coins', 2), ('crypto_rt_api.candles', 'crypto_candles', 1),
				('crypto_rt_api.candles', 'crypto_coins', 2), ('crypto_rt_api.movers', 'crypto_movers', 1),
				('crypto_rt_api.market', 'crypto_market', 1), ('crypto_rt_api.tiers', 'crypto_tiers', 1)) AS v (view, origin, place)
			JOIN pg_catalog.pg_attribute a ON a.attrelid = v.view AND a.attnum > 0
			JOIN pg_catalog.pg_attribute o ON o.attrelid = v.origin AND o.attname = a.attname AND o.attnum > 0
		ORDER BY v.place DESC /* the table's own come last, and so stay */
	LOOP
		EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', c.view, c.attname, c.text);
	END LOOP;
END
$$;
COMMENT ON COLUMN crypto_rt_api.history.symbol IS 'Symbol that stands for the coin; NULL where it stands for another';
COMMENT ON COLUMN crypto_rt_api.candles.symbol IS 'Symbol that stands for the coin; NULL where it stands for another';
COMMENT ON COLUMN crypto_rt_api.history.nameid IS 'Identity of the coin';
COMMENT ON COLUMN crypto_rt_api.candles.nameid IS 'Identity of the coin';
COMMENT ON COLUMN crypto_rt_api.coins.nameid IS 'Identity of the coin';
COMMENT ON COLUMN crypto_rt_api.history.coin IS 'Number of the coin, as in coins';
COMMENT ON COLUMN crypto_rt_api.candles.coin IS 'Number of the coin, as in coins';
COMMENT ON COLUMN crypto_rt_api.coins.coin IS 'Number of the coin in history and candles, which a restore may change';

--
-- Functions.  Written so that the planner puts what they say in the place of their call: not STRICT, no search_path of their own.
--

CREATE FUNCTION crypto_rt_api.price(symbol text) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT crypto_price($1);
END;
COMMENT ON FUNCTION crypto_rt_api.price(text) IS 'Price in USD of a symbol, or of id:<nameid>
null for an unknown coin, 0 for one that is not traded.';

CREATE FUNCTION crypto_rt_api.quote(symbol text) RETURNS SETOF crypto_quote
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	SELECT q.* FROM crypto_quote($1) q;
END;
COMMENT ON FUNCTION crypto_rt_api.quote(text) IS 'Quote of a symbol, or of id:<nameid>: one row, or none for an unknown coin';

CREATE FUNCTION crypto_rt_api.quotes(max_rank integer DEFAULT NULL) RETURNS SETOF crypto_quote
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
	SELECT q.* FROM crypto_quotes($1) q;
END;
COMMENT ON FUNCTION crypto_rt_api.quotes(integer) IS 'Quotes of every coin, or of ranks up to max_rank, by rank';

CREATE FUNCTION crypto_rt_api.convert(amount numeric, "from" text, "to" text) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT crypto_convert($1, $2, $3);
END;
COMMENT ON FUNCTION crypto_rt_api.convert(numeric, text, text) IS 'Amount of one coin, or of USD, in another
null when a coin is unknown or has no price.';

CREATE FUNCTION crypto_rt_api.price_at(symbol text, at timestamptz) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT crypto_price_at($1, $2);
END;
COMMENT ON FUNCTION crypto_rt_api.price_at(text, timestamptz) IS 'Price in USD of a symbol, or of id:<nameid>, at a time
The last one at or before it, from history, or where that is gone from candles; null when none is known.';

CREATE FUNCTION crypto_rt_api.history(symbol text, since timestamptz, until timestamptz DEFAULT now(),
	OUT "time" timestamptz, OUT price numeric, OUT volume_24h numeric, OUT simulated boolean)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
	-- in the order that is asked for, which an order of its own would be in the way of
	SELECT s.time, s.price, s.volume_24h, s.simulated
	FROM crypto_snapshots s
	WHERE s.coin = (SELECT crypto_coin($1)) AND s.time >= $2 AND s.time < $3;
END;
COMMENT ON FUNCTION crypto_rt_api.history(text, timestamptz, timestamptz) IS 'Prices of a coin from since until before until
Each price that a poll found changed, of a symbol or of id:<nameid>; until now, if until is left out. In no order but the one that is asked for: order=time, or the newest with order=time.desc and a limit.';

CREATE FUNCTION crypto_rt_api.candles(symbol text, resolution interval, since timestamptz, until timestamptz DEFAULT now(),
	fill boolean DEFAULT false, OUT "time" timestamptz, OUT open numeric, OUT high numeric, OUT low numeric, OUT close numeric,
	OUT volume_24h numeric, OUT ticks bigint, OUT simulated boolean)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
	SELECT k.time, k.open, k.high, k.low, k.close, k.volume_24h, k.ticks, k.simulated FROM crypto_candles($1, $2, $3, $4, $5) k;
END;
COMMENT ON FUNCTION crypto_rt_api.candles(text, interval, timestamptz, timestamptz, boolean) IS
	'Candles of a coin that begin before until and end after since, oldest first
Of any multiple of a minute or a month (5 minutes, 4 hours, 1 week), in UTC, of a symbol or of id:<nameid>; fill: with flat ones where no price came.';

GRANT USAGE ON SCHEMA crypto_rt_api TO PUBLIC;
GRANT SELECT ON crypto_rt_api.quotes, crypto_rt_api.status TO PUBLIC;

-- what was taken from PUBLIC before there was this schema is not given back by it
DO $$
DECLARE
	v record;
BEGIN
	FOR v IN
		SELECT o.view FROM (VALUES ('tickers', '{tickers}'::regclass[]), ('coins', '{crypto_coins}'), ('history', '{crypto_coins,crypto_snapshots}'),
			('candles', '{crypto_coins,crypto_candles}'), ('movers', '{crypto_movers}'), ('market', '{crypto_market}'), ('tiers', '{crypto_tiers}'))
			AS o (view, origins)
		WHERE (SELECT pg_catalog.bool_and(pg_catalog.has_table_privilege('public', t, 'SELECT')) FROM pg_catalog.unnest(o.origins) t)
	LOOP
		EXECUTE pg_catalog.format('GRANT SELECT ON crypto_rt_api.%I TO PUBLIC', v.view);
	END LOOP;
END
$$;
