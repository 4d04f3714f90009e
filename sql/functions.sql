--
-- Quotes
--

CREATE TYPE crypto_quote AS (
	symbol text,
	name text,
	price numeric,
	price_btc numeric,
	rank integer,
	change_1h numeric,
	change_24h numeric,
	change_7d numeric,
	volume_24h numeric,
	market_cap numeric,
	circulating_supply numeric,
	total_supply numeric,
	max_supply numeric,
	last_updated timestamptz,
	update_interval integer,
	tier text,
	source text,
	id text,
	coinlore_id integer,
	nameid text,
	active boolean,
	fetched_at timestamptz,
	source_time timestamptz,
	stale boolean
);
COMMENT ON TYPE crypto_quote IS 'What is known of one coin: the fields of the JSON in Redis, and more';
COMMENT ON COLUMN crypto_quote.symbol IS 'Symbol, in upper case';
COMMENT ON COLUMN crypto_quote.name IS 'Name, for people';
COMMENT ON COLUMN crypto_quote.price IS 'Price in USD, exactly as CoinLore sent it; 0 for a coin that is not traded';
COMMENT ON COLUMN crypto_quote.price_btc IS 'Price in BTC';
COMMENT ON COLUMN crypto_quote.rank IS 'Rank by market capitalisation, from 1; NULL for a coin that is listed no more';
COMMENT ON COLUMN crypto_quote.change_1h IS 'Change of the price over an hour, in per cent';
COMMENT ON COLUMN crypto_quote.change_24h IS 'Change of the price over 24 hours, in per cent';
COMMENT ON COLUMN crypto_quote.change_7d IS 'Change of the price over 7 days, in per cent';
COMMENT ON COLUMN crypto_quote.volume_24h IS 'Volume of the last 24 hours in USD';
COMMENT ON COLUMN crypto_quote.market_cap IS 'Market capitalisation in USD';
COMMENT ON COLUMN crypto_quote.circulating_supply IS 'Coins in circulation';
COMMENT ON COLUMN crypto_quote.total_supply IS 'Coins that exist';
COMMENT ON COLUMN crypto_quote.max_supply IS 'Coins that can ever exist; NULL when there is no limit, or it is not known';
COMMENT ON COLUMN crypto_quote.last_updated IS 'The same as fetched_at, under the name that it has in Redis';
COMMENT ON COLUMN crypto_quote.update_interval IS 'Seconds from poll to poll in the coin''s tier';
COMMENT ON COLUMN crypto_quote.tier IS 'The coin''s tier, as tier1';
COMMENT ON COLUMN crypto_quote.source IS 'coinlore, or simulated when the price comes from the simulator';
COMMENT ON COLUMN crypto_quote.id IS 'The same as nameid, under the name that it has in Redis';
COMMENT ON COLUMN crypto_quote.coinlore_id IS 'CoinLore''s number of the coin; reassigned at times';
COMMENT ON COLUMN crypto_quote.nameid IS 'CoinLore''s name of the coin: its identity';
COMMENT ON COLUMN crypto_quote.active IS 'Whether it is listed and has a price and a volume';
COMMENT ON COLUMN crypto_quote.fetched_at IS 'When it was fetched last';
COMMENT ON COLUMN crypto_quote.source_time IS 'When CoinLore made it, by its own word';
COMMENT ON COLUMN crypto_quote.stale IS 'Whether it is older than its tier''s TTL, or not confirmed since the server started';

CREATE FUNCTION crypto_price(symbol text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crypto_rt_price' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION crypto_price(text) IS 'USD price of a symbol, or of id:<nameid>; NULL for an unknown coin';

CREATE FUNCTION crypto_quote(symbol text) RETURNS SETOF crypto_quote
	AS 'MODULE_PATHNAME', 'crypto_rt_quote' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5 ROWS 1;
COMMENT ON FUNCTION crypto_quote(text) IS 'Quote of a symbol, or of id:<nameid>: one row, or none for an unknown coin';

CREATE FUNCTION crypto_quotes(max_rank integer DEFAULT NULL) RETURNS SETOF crypto_quote
	AS 'MODULE_PATHNAME', 'crypto_rt_quotes' LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 15000;
COMMENT ON FUNCTION crypto_quotes(integer) IS 'Quotes of every coin, or of ranks up to max_rank, by rank';

CREATE FUNCTION crypto_convert(amount numeric, "from" text, "to" text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crypto_rt_convert' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION crypto_convert(numeric, text, text) IS
	'Amount of one coin, or of USD, in another; NULL when a coin is unknown or has no price';

--
-- Operation
--

CREATE FUNCTION crypto_refresh(symbol text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crypto_rt_refresh' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crypto_refresh(text) IS 'Asks the poller for a coin''s page next; false for an unknown coin';

CREATE FUNCTION crypto_status(
	OUT state text,
	OUT database text,
	OUT source text,
	OUT coins integer,
	OUT active_coins integer,
	OUT refused_coins integer,
	OUT feed_problem text,
	OUT requests_per_second double precision,
	OUT pages_fetched bigint,
	OUT pages_unchanged bigint,
	OUT pages_failed bigint,
	OUT rows_rejected bigint,
	OUT sweeps bigint,
	OUT last_poll timestamptz,
	OUT last_sweep timestamptz,
	OUT redis_connected boolean,
	OUT redis_problem text,
	OUT redis_connects bigint,
	OUT redis_quotes bigint,
	OUT redis_messages bigint,
	OUT redis_errors bigint,
	OUT recorder_problem text,
	OUT ticks bigint,
	OUT ticks_behind bigint,
	OUT ticks_lost bigint,
	OUT tickers_written bigint,
	OUT snapshots_written bigint,
	OUT flush_failures bigint,
	OUT last_flush timestamptz,
	OUT launcher_problem text,
	OUT launcher_pid integer,
	OUT poller_pid integer,
	OUT publisher_pid integer,
	OUT recorder_pid integer)
	AS 'MODULE_PATHNAME', 'crypto_rt_status' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crypto_status() IS
	'How the workers do: one row of states, counts since the server started, and problems (NULL: none)';

CREATE FUNCTION crypto_tier_status(
	OUT tier text,
	OUT first_rank integer,
	OUT last_rank integer,
	OUT coins integer,
	OUT pages integer,
	OUT interval_asked interval,
	OUT interval_allowed interval,
	OUT interval_achieved interval,
	OUT polls bigint,
	OUT late bigint,
	OUT failed bigint,
	OUT ttl interval)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'crypto_rt_tiers' LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION crypto_tier_status() IS 'Behind the view crypto_tiers';

CREATE VIEW crypto_tiers AS SELECT * FROM crypto_tier_status();
COMMENT ON VIEW crypto_tiers IS 'How each tier does';
COMMENT ON COLUMN crypto_tiers.tier IS 'tier1 and so on';
COMMENT ON COLUMN crypto_tiers.first_rank IS 'Best rank in the tier';
COMMENT ON COLUMN crypto_tiers.last_rank IS 'Worst rank in the tier; NULL for the last tier';
COMMENT ON COLUMN crypto_tiers.coins IS 'Coins on the board with these ranks';
COMMENT ON COLUMN crypto_tiers.pages IS 'Pages of 100 coins that the tier polls';
COMMENT ON COLUMN crypto_tiers.interval_asked IS 'Time from poll to poll by crypto_rt.tiers';
COMMENT ON COLUMN crypto_tiers.interval_allowed IS 'Likewise, as far as crypto_rt.max_requests_per_second allows it';
COMMENT ON COLUMN crypto_tiers.interval_achieved IS 'Likewise, as measured';
COMMENT ON COLUMN crypto_tiers.polls IS 'Polls started';
COMMENT ON COLUMN crypto_tiers.late IS 'Of these, started later than 20 % of the interval';
COMMENT ON COLUMN crypto_tiers.failed IS 'Of these, without a usable answer';
COMMENT ON COLUMN crypto_tiers.ttl IS 'Time for which a quote is good';

CREATE FUNCTION crypto_pause() RETURNS void
	AS 'MODULE_PATHNAME', 'crypto_rt_pause' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION crypto_pause() IS 'Stops polling until crypto_resume(), or until the server restarts';

CREATE FUNCTION crypto_resume() RETURNS void
	AS 'MODULE_PATHNAME', 'crypto_rt_resume' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION crypto_resume() IS 'Goes on polling after crypto_pause()';

CREATE FUNCTION crypto_redis_purge() RETURNS bigint
	AS 'MODULE_PATHNAME', 'crypto_rt_redis_purge' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION crypto_redis_purge() IS
	'Removes all of crypto_rt''s keys from Redis and returns their number; unless polling is paused, they come back';

REVOKE EXECUTE ON FUNCTION crypto_refresh(text), crypto_pause(), crypto_resume(), crypto_redis_purge() FROM PUBLIC;
GRANT SELECT ON crypto_tiers TO PUBLIC;
