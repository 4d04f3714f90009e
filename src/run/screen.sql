-- screen.sql: what the live screen shows, asked once a second over one connection.
--
-- Each row begins with a letter that says what it is: S status, T tier, C coin; "." ends the answer, and X
-- tells of a query that failed.  Texts come ready to print: no control characters, numbers formatted.

\if :{?prepared}
\else
CREATE FUNCTION pg_temp.clean(value text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT regexp_replace(value, '[\x01-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]', ' ', 'g') $$;

-- as many digits as tell prices apart
CREATE FUNCTION pg_temp.price(value numeric) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE
	WHEN value >= 1000000 THEN to_char(value, 'FM999,999,999,999,990')
	WHEN value >= 100 THEN to_char(value, 'FM999,990.00')
	WHEN value >= 1 THEN to_char(value, 'FM990.0000')
	WHEN value >= 0.000001 THEN round(value, 4 - floor(log(value))::int)::text
	WHEN value > 0 THEN ltrim(to_char(value, '9.999EEEE'))
	ELSE value::text END $$;

CREATE FUNCTION pg_temp.short(value numeric) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE
	WHEN value >= 1e15 THEN ltrim(to_char(value, '9.9EEEE'))
	WHEN value >= 1e12 THEN to_char(value / 1e12, 'FM990.00') || 'T'
	WHEN value >= 1e9 THEN to_char(value / 1e9, 'FM990.0') || 'B'
	WHEN value >= 1e6 THEN to_char(value / 1e6, 'FM990.0') || 'M'
	WHEN value >= 1e3 THEN to_char(value / 1e3, 'FM990.0') || 'k'
	ELSE to_char(value, 'FM990.0') END $$;

CREATE FUNCTION pg_temp.change(value numeric) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN abs(value) >= 1000 THEN to_char(value, 'FMSG99999990') ELSE to_char(value, 'FMSG990.00') END $$;

CREATE FUNCTION pg_temp.age(since timestamptz) RETURNS text LANGUAGE sql VOLATILE AS
$$ SELECT CASE
	WHEN seconds < 100 THEN greatest(seconds, 0)::int || 's'
	WHEN seconds < 6000 THEN (seconds / 60)::int || 'm'
	WHEN seconds < 360000 THEN (seconds / 3600)::int || 'h'
	ELSE (seconds / 86400)::int || 'd' END
   FROM (SELECT extract(epoch FROM clock_timestamp() - since) AS seconds) s $$;

CREATE FUNCTION pg_temp.seconds(value interval) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT to_char(extract(epoch FROM value), 'FM99990.0') || 's' $$;
\set prepared 1
\endif

-- the extension may have a schema of its own, and another one the next time
SELECT set_config('search_path', extnamespace::regnamespace::text, false) AS schema
FROM pg_catalog.pg_extension WHERE extname = 'crypto_rt' \gset

SELECT 'S', s.source, s.coins, s.active_coins, pg_temp.clean(s.state),
	pg_temp.clean(coalesce(s.feed_problem, s.launcher_problem,
		CASE WHEN s.launcher_pid IS NULL THEN 'the launcher does not run'
		WHEN s.poller_pid IS NULL THEN 'the poller does not run' END)),
	round(s.requests_per_second::numeric, 1), s.pages_fetched, s.pages_failed,
	coalesce(pg_temp.age(s.last_poll) || ' ago', 'never'),
	s.redis_connected, pg_temp.clean(coalesce(s.redis_problem,
		CASE WHEN s.publisher_pid IS NULL THEN 'the publisher does not run' END)),
	pg_temp.clean(coalesce(s.recorder_problem,
		CASE WHEN s.recorder_pid IS NULL THEN 'the recorder does not run' END)),
	s.tickers_written, s.snapshots_written, coalesce(pg_temp.age(s.last_flush) || ' ago', 'never'),
	s.ticks_lost, pg_temp.price(crypto_price('BTC')), pg_temp.price(crypto_price('ETH'))
FROM crypto_status() s;
\if :ERROR
\echo X :LAST_ERROR_MESSAGE
\endif

SELECT 'T', tier, first_rank, last_rank, coins, pg_temp.seconds(interval_asked), pg_temp.seconds(interval_achieved),
	polls, late, failed
FROM crypto_tiers ORDER BY tier;
\if :ERROR
\echo X :LAST_ERROR_MESSAGE
\endif

-- the seventh column grows with the price, in a number that the shell can compare
SELECT 'C', nameid, rank, pg_temp.clean(symbol), pg_temp.clean(name), pg_temp.price(price),
	CASE WHEN price > 0 THEN (ln(price::float8) * 1e13)::bigint END,
	pg_temp.change(change_1h), pg_temp.change(change_24h), pg_temp.change(change_7d),
	pg_temp.short(volume_24h), pg_temp.short(market_cap), pg_temp.age(fetched_at), stale
FROM crypto_quotes(20) ORDER BY rank;
\if :ERROR
\echo X :LAST_ERROR_MESSAGE
\endif
\echo .
