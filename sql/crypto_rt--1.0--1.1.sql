-- crypto_rt 1.1: history.  CREATE EXTENSION runs the script of 1.0 and then this one.

-- complain if the script is fed to psql rather than to ALTER EXTENSION
\echo Use "ALTER EXTENSION crypto_rt UPDATE TO '1.1'" to load this file. \quit

-- complain about what stands in the way
DO $$
DECLARE
	taken name;
BEGIN
	SELECT c.relname INTO taken
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = pg_catalog.current_schema()
		AND c.relname IN ('crypto_candles', 'crypto_movers', 'crypto_market', 'crypto_dump_coins', 'crypto_dump_tickers',
			'crypto_dump_snapshots', 'crypto_dump_candles')
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_table',
			MESSAGE = pg_catalog.format('relation "%s" already exists in schema "%s"', taken, pg_catalog.current_schema()),
			HINT = 'Rename it, or give the extension a schema of its own: CREATE SCHEMA crypto; CREATE EXTENSION crypto_rt SCHEMA crypto;';
	END IF;
END
$$;

--
-- Coins
--

CREATE INDEX crypto_coins_symbol ON crypto_coins (symbol) WHERE owns_symbol;

CREATE FUNCTION crypto_coin(symbol text) RETURNS integer
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 50 SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	-- upper and lower of the collation C know ASCII only, as symbols want it
	IF lower(left($1, 3) COLLATE "C") = 'id:' THEN
		RETURN (SELECT c.coin FROM @extschema@.crypto_coins c WHERE c.nameid = lower(substr($1, 4) COLLATE "C") COLLATE "default");
	END IF;
	RETURN (SELECT c.coin FROM @extschema@.crypto_coins c
		WHERE c.symbol = upper($1 COLLATE "C") COLLATE "default" AND c.owns_symbol
		ORDER BY c.active DESC, c.updated_at DESC NULLS LAST LIMIT 1);
END
$$;
COMMENT ON FUNCTION crypto_coin(text) IS
	'Number of a coin in crypto_snapshots and crypto_candles, by symbol or id:<nameid>; NULL for an unknown coin';

--
-- Partitions.  Snapshots and candles are dropped by age, which only whole tables are without a trace.
--
-- Every partition is a member of the extension, so that pg_dump leaves it out; what is in it is dumped by another door
-- (see below).  Its name says its range: p20261124, p202611.
--

CREATE TYPE crypto_resolution AS ENUM ('1m', '1h', '1d');
COMMENT ON TYPE crypto_resolution IS 'Widths of the candles that are stored: a minute, an hour, a day of UTC';

ALTER TABLE crypto_snapshots RENAME TO crypto_snapshots_1_0;
ALTER INDEX crypto_snapshots_coin_time RENAME TO crypto_snapshots_1_0_coin_time;

CREATE TABLE crypto_snapshots (
	LIKE crypto_snapshots_1_0 INCLUDING DEFAULTS INCLUDING COMMENTS,
	CONSTRAINT crypto_snapshots_once UNIQUE (coin, time)
) PARTITION BY RANGE (time);

COMMENT ON TABLE crypto_snapshots IS
	'Each price that a poll found changed, of the best crypto_rt.snapshot_top coins, for crypto_rt.snapshot_retention';

-- no foreign key to crypto_coins here either, for speed
CREATE TABLE crypto_candles (
	time timestamptz NOT NULL,
	first_at timestamptz NOT NULL,
	last_at timestamptz NOT NULL,
	coin integer NOT NULL,
	resolution crypto_resolution NOT NULL,
	ticks integer NOT NULL,
	simulated boolean NOT NULL DEFAULT false,
	open numeric NOT NULL,
	high numeric NOT NULL,
	low numeric NOT NULL,
	close numeric NOT NULL,
	volume_24h numeric,
	CONSTRAINT crypto_candles_once UNIQUE (coin, resolution, time)
) PARTITION BY LIST (resolution);

COMMENT ON TABLE crypto_candles IS 'What the snapshots of each minute, hour and day say; kept up to date with each snapshot';
COMMENT ON COLUMN crypto_candles.time IS 'Beginning of the minute, the hour or the day (of UTC)';
COMMENT ON COLUMN crypto_candles.first_at IS 'Time of the snapshot that open is of';
COMMENT ON COLUMN crypto_candles.last_at IS 'Time of the snapshot that close and volume_24h are of';
COMMENT ON COLUMN crypto_candles.coin IS 'Number of the coin in crypto_coins, as crypto_coin(symbol) gives it';
COMMENT ON COLUMN crypto_candles.resolution IS '1m, 1h or 1d';
COMMENT ON COLUMN crypto_candles.ticks IS 'Number of snapshots';
COMMENT ON COLUMN crypto_candles.simulated IS 'Some of the prices come from the simulator';
COMMENT ON COLUMN crypto_candles.open IS 'First price in USD';
COMMENT ON COLUMN crypto_candles.high IS 'Highest price in USD';
COMMENT ON COLUMN crypto_candles.low IS 'Lowest price in USD';
COMMENT ON COLUMN crypto_candles.close IS 'Last price in USD';
COMMENT ON COLUMN crypto_candles.volume_24h IS 'Volume traded in the 24 hours before the last price, in USD';

CREATE TABLE crypto_candles_1m PARTITION OF crypto_candles FOR VALUES IN ('1m') PARTITION BY RANGE (time);
CREATE TABLE crypto_candles_1h PARTITION OF crypto_candles FOR VALUES IN ('1h') PARTITION BY RANGE (time);
-- today's rows are updated with each snapshot: room on each page for a second version of them keeps that HOT
CREATE TABLE crypto_candles_1d PARTITION OF crypto_candles FOR VALUES IN ('1d')
	WITH (fillfactor = 50, vacuum_truncate = off);
COMMENT ON TABLE crypto_candles_1m IS 'The candles of minutes, by day; kept for crypto_rt.candle_retention';
COMMENT ON TABLE crypto_candles_1h IS 'The candles of hours, by month; kept for crypto_rt.candle_retention';
COMMENT ON TABLE crypto_candles_1d IS 'The candles of days; kept for ever';

GRANT SELECT ON crypto_snapshots, crypto_candles, crypto_candles_1m, crypto_candles_1h, crypto_candles_1d TO PUBLIC;

CREATE FUNCTION crypto_partition_make(kept regclass, at timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	unit text := CASE WHEN kept = '@extschema@.crypto_candles_1h'::regclass THEN 'month' ELSE 'day' END;
	begins timestamp := date_trunc(unit, at AT TIME ZONE 'UTC');
	ends timestamp := begins + ('1 ' || unit)::interval;
	parent record;
	made text;
BEGIN
	IF kept NOT IN ('@extschema@.crypto_snapshots'::regclass, '@extschema@.crypto_candles_1m'::regclass,
		'@extschema@.crypto_candles_1h'::regclass) THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
			MESSAGE = format('crypto_rt makes no partitions of table "%s"', kept);
	END IF;
	SELECT c.relname AS name, c.relnamespace::regnamespace AS schema, c.relowner::regrole AS owner INTO parent
	FROM pg_class c WHERE c.oid = kept;
	made := format('%s.%I', parent.schema, parent.name || to_char(begins, CASE unit WHEN 'month' THEN '"_p"YYYYMM' ELSE '"_p"YYYYMMDD' END));
	IF to_regclass(made) IS NOT NULL THEN
		RETURN;
	END IF;

	-- whoever else makes partitions waits; readers and writers do not
	EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', kept);
	IF to_regclass(made) IS NOT NULL THEN
		RETURN;
	END IF;
	-- CREATE TABLE ... PARTITION OF would lock readers out
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)%s', made, kept,
		CASE WHEN parent.name = 'crypto_snapshots' THEN '' ELSE ' WITH (fillfactor = 80)' END);
	EXECUTE format('ALTER TABLE %s OWNER TO %s', made, parent.owner);
	EXECUTE format('GRANT SELECT ON %s TO PUBLIC', made);
	EXECUTE format('COMMENT ON TABLE %s IS %L', made, format('The part of %s from %s on', parent.name, begins::date));
	EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', kept, made, begins || '+00', ends || '+00');
	-- while a script of the extension runs, all that is made belongs to it already
	IF NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = made::regclass AND d.deptype = 'e') THEN
		EXECUTE format('ALTER EXTENSION crypto_rt ADD TABLE %s', made);
	END IF;
END
$$;
COMMENT ON FUNCTION crypto_partition_make(regclass, timestamptz) IS
	'Makes the partition of crypto_snapshots, crypto_candles_1m or crypto_candles_1h for a time, unless it is there';

CREATE VIEW crypto_partitions AS
	SELECT p.kept, c.oid::regclass AS partition, pg_get_expr(c.relpartbound, c.oid) AS bounds,
		substring(pg_get_expr(c.relpartbound, c.oid) FROM $re$FROM \('([^']+)'\)$re$)::timestamptz AS begins,
		substring(pg_get_expr(c.relpartbound, c.oid) FROM $re$TO \('([^']+)'\)$re$)::timestamptz AS ends,
		pg_total_relation_size(c.oid) AS bytes
	FROM unnest(ARRAY['crypto_snapshots'::regclass, 'crypto_candles_1m', 'crypto_candles_1h']) AS p (kept)
		JOIN pg_inherits i ON i.inhparent = p.kept
		JOIN pg_class c ON c.oid = i.inhrelid
	ORDER BY p.kept, begins;
COMMENT ON VIEW crypto_partitions IS 'The tables by day or month that hold snapshots and candles';
COMMENT ON COLUMN crypto_partitions.kept IS 'Partitioned table';
COMMENT ON COLUMN crypto_partitions.partition IS 'Its partition';
COMMENT ON COLUMN crypto_partitions.bounds IS 'Range of times, as PostgreSQL writes it';
COMMENT ON COLUMN crypto_partitions.begins IS 'Begin of the range';
COMMENT ON COLUMN crypto_partitions.ends IS 'End of the range, which is not within it';
COMMENT ON COLUMN crypto_partitions.bytes IS 'Size on disk, with its indexes';
GRANT SELECT ON crypto_partitions TO PUBLIC;

CREATE FUNCTION crypto_partitions_keep(snapshots interval, minutes interval, hours interval) RETURNS integer
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	present timestamptz;
	part record;
	busy integer := 0;
BEGIN
	PERFORM @extschema@.crypto_partition_make(p.kept, (now() AT TIME ZONE 'UTC' + p.ahead) AT TIME ZONE 'UTC')
	FROM (VALUES ('@extschema@.crypto_snapshots'::regclass, interval '0'), ('@extschema@.crypto_snapshots', '1 day'),
		('@extschema@.crypto_candles_1m', '0'), ('@extschema@.crypto_candles_1m', '1 day'),
		('@extschema@.crypto_candles_1h', '0'), ('@extschema@.crypto_candles_1h', '1 month')) AS p (kept, ahead);

	-- a clock that is years ahead must not cost the history of years: it is not later than the source says, either
	IF coalesce(snapshots, minutes, hours) IS NOT NULL THEN
		SELECT max(least(now(), coalesce(q.source_time, q.fetched_at))) INTO present FROM @extschema@.crypto_quotes(100) q;
	END IF;
	FOR part IN
		SELECT p.kept, p.partition, coalesce(p.ends <= present - k.for_time, false) AS old, parent.relowner::regrole AS owner
		FROM @extschema@.crypto_partitions p
			JOIN (VALUES ('@extschema@.crypto_snapshots'::regclass, snapshots), ('@extschema@.crypto_candles_1m', minutes),
				('@extschema@.crypto_candles_1h', hours)) AS k (kept, for_time) ON k.kept = p.kept
			JOIN pg_class parent ON parent.oid = p.kept
			JOIN pg_class child ON child.oid = p.partition
		WHERE p.ends <= present - k.for_time OR child.relowner <> parent.relowner
	LOOP
		BEGIN
			-- nobody is made to wait: who reads now is let finish, and it is done another time
			EXECUTE format('LOCK TABLE ONLY %s, %s IN ACCESS EXCLUSIVE MODE NOWAIT', part.kept, part.partition);
			IF part.old THEN
				EXECUTE format('ALTER EXTENSION crypto_rt DROP TABLE %s', part.partition);
				EXECUTE format('DROP TABLE %s', part.partition);
			ELSE
				EXECUTE format('ALTER TABLE %s OWNER TO %s', part.partition, part.owner);
			END IF;
		EXCEPTION WHEN lock_not_available THEN
			busy := busy + 1;
		END;
	END LOOP;
	RETURN busy;
END
$$;
COMMENT ON FUNCTION crypto_partitions_keep(interval, interval, interval) IS
	'Makes the partitions of today and tomorrow, gives those of before to the owner of their table, and drops those that are older (NULL: none), by the clock and by the source''s; returns how many are read just now and so are left for another time';

REVOKE EXECUTE ON FUNCTION crypto_partition_make(regclass, timestamptz),
	crypto_partitions_keep(interval, interval, interval) FROM PUBLIC;

--
-- Writing history.  Each snapshot comes in through crypto_record, which keeps the candles equal to what the snapshots say.
--

CREATE FUNCTION crypto_bucket(width interval, at timestamptz) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	-- months are counted, all else is binned from a Monday on; both in UTC
	SELECT CASE
		WHEN NOT isfinite(at) THEN at
		WHEN extract(year FROM width) = 0 AND extract(month FROM width) = 0
		THEN date_bin(width, at, timestamptz '2001-01-01 00:00:00+00')
		ELSE timezone('UTC', timestamp '2001-01-01' + make_interval(months => (
			floor(((extract(year FROM timezone('UTC', at)) - 2001) * 12 + extract(month FROM timezone('UTC', at)) - 1)
				/ (extract(year FROM width) * 12 + extract(month FROM width)))
			* (extract(year FROM width) * 12 + extract(month FROM width)))::integer))
	END;
END;
COMMENT ON FUNCTION crypto_bucket(interval, timestamptz) IS
	'Begin of the candle of this width that holds a time: weeks from Monday, months and years as in the calendar, all in UTC';

CREATE FUNCTION crypto_candles_merge(given crypto_candles[]) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO @extschema@.crypto_candles AS c SELECT g.* FROM unnest(given) AS g
	ON CONFLICT (coin, resolution, time) DO UPDATE SET
		first_at = least(c.first_at, excluded.first_at),
		last_at = greatest(c.last_at, excluded.last_at),
		ticks = c.ticks + excluded.ticks,
		simulated = c.simulated OR excluded.simulated,
		open = CASE WHEN excluded.first_at < c.first_at THEN excluded.open ELSE c.open END,
		high = greatest(c.high, excluded.high),
		low = least(c.low, excluded.low),
		close = CASE WHEN excluded.last_at > c.last_at THEN excluded.close ELSE c.close END,
		volume_24h = CASE WHEN excluded.last_at > c.last_at THEN excluded.volume_24h ELSE c.volume_24h END;
END
$$;
COMMENT ON FUNCTION crypto_candles_merge(crypto_candles[]) IS
	'Adds candles to those that are there; two of the same time become one, of which ever came first';

CREATE FUNCTION crypto_candles_add(times timestamptz[], coins integer[], simulated boolean[], prices numeric[], volumes numeric[])
	RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- of arrays the least begins with the least, so these find the first and the last price
	PERFORM @extschema@.crypto_candles_merge(array_agg((c.begins, c.first_at, c.last_at, c.coin, c.resolution, c.ticks, c.simulated,
		c.first[2], c.high, c.low, c.last[2], c.last[3])::@extschema@.crypto_candles))
	FROM (
		SELECT r.resolution, g.coin, date_bin(r.width, g.time, timestamptz '2001-01-01 00:00:00+00') AS begins,
			min(g.time) AS first_at, max(g.time) AS last_at, count(*)::integer AS ticks, bool_or(g.simulated) AS simulated,
			min(g.price) AS low, max(g.price) AS high,
			min(ARRAY[extract(epoch FROM g.time), g.price]) AS first,
			max(ARRAY[extract(epoch FROM g.time), g.price, g.volume_24h]) AS last
		FROM unnest(times, coins, simulated, prices, volumes) AS g (time, coin, simulated, price, volume_24h),
			(VALUES ('1m'::@extschema@.crypto_resolution, interval '1 minute'), ('1h', '1 hour'), ('1d', '24 hours')) AS r (resolution, width)
		GROUP BY 1, 2, 3
	) AS c;
END
$$;
COMMENT ON FUNCTION crypto_candles_add(timestamptz[], integer[], boolean[], numeric[], numeric[]) IS
	'Adds snapshots to the candles of minutes, hours and days';

CREATE FUNCTION crypto_record(times timestamptz[], coins integer[], simulated boolean[], prices numeric[], volumes numeric[],
	if_changed boolean) RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	added record;
BEGIN
	WITH added AS (
		INSERT INTO @extschema@.crypto_snapshots (time, coin, simulated, price, volume_24h)
		SELECT g.*
		FROM unnest(times, coins, simulated, prices, volumes) AS g (time, coin, simulated, price, volume_24h)
		WHERE NOT if_changed OR g.price IS DISTINCT FROM
			(SELECT s.price FROM @extschema@.crypto_snapshots s WHERE s.coin = g.coin ORDER BY s.time DESC LIMIT 1)
		-- a clock that was set back can bring the same microsecond again
		ON CONFLICT (coin, time) DO NOTHING
		RETURNING *
	)
	SELECT count(*) AS n, array_agg(a.time) AS times, array_agg(a.coin) AS coins, array_agg(a.simulated) AS simulated,
		array_agg(a.price) AS prices, array_agg(a.volume_24h) AS volumes
	INTO added
	FROM added a;
	PERFORM @extschema@.crypto_candles_add(added.times, added.coins, added.simulated, added.prices, added.volumes);
	RETURN added.n;
END
$$;
COMMENT ON FUNCTION crypto_record(timestamptz[], integer[], boolean[], numeric[], numeric[], boolean) IS
	'Appends snapshots, but for those of a coin and a time that are there already (if_changed: and those whose price is the coin''s newest already), and adds them to the candles; returns how many';

CREATE FUNCTION crypto_candles_rebuild(symbol text DEFAULT NULL, since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity')
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	only_coin integer := @extschema@.crypto_coin(crypto_candles_rebuild.symbol);
	part record;
	one record;
	n bigint := 0;
BEGIN
	IF crypto_candles_rebuild.symbol IS NOT NULL AND only_coin IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('there is no coin "%s"', crypto_candles_rebuild.symbol);
	END IF;
	-- the recorder waits; readers do not
	LOCK TABLE @extschema@.crypto_snapshots, @extschema@.crypto_candles IN SHARE ROW EXCLUSIVE MODE;

	FOR part IN
		SELECT p.begins, p.ends FROM @extschema@.crypto_partitions p
		WHERE p.kept = '@extschema@.crypto_snapshots'::regclass AND p.ends > since AND p.begins < until
	LOOP
		DELETE FROM @extschema@.crypto_candles c
		WHERE c.time >= part.begins AND c.time < part.ends AND (only_coin IS NULL OR c.coin = only_coin);
		FOR one IN
			SELECT count(*) AS n, array_agg(s.time) AS times, array_agg(s.coin) AS coins, array_agg(s.simulated) AS simulated,
				array_agg(s.price) AS prices, array_agg(s.volume_24h) AS volumes
			FROM @extschema@.crypto_snapshots s
			WHERE s.time >= part.begins AND s.time < part.ends AND (only_coin IS NULL OR s.coin = only_coin)
			GROUP BY s.coin
		LOOP
			PERFORM @extschema@.crypto_candles_add(one.times, one.coins, one.simulated, one.prices, one.volumes);
			n := n + one.n;
		END LOOP;
	END LOOP;
	RETURN n;
END
$$;
COMMENT ON FUNCTION crypto_candles_rebuild(text, timestamptz, timestamptz) IS
	'Makes the candles anew of the days (of UTC) from since to until whose snapshots are still there, of one coin or (NULL) all; returns the number of snapshots';

--
-- Reading history
--

CREATE FUNCTION crypto_price_at(symbol text, at timestamptz) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crypto_rt_price_at' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION crypto_price_at(text, timestamptz) IS
	'USD price of a symbol, or of id:<nameid>, at a time: the last one at or before it, from snapshots, or where they are gone from candles; NULL when none is known';

CREATE FUNCTION crypto_history(symbol text, since timestamptz, until timestamptz DEFAULT now(),
	OUT "time" timestamptz, OUT price numeric, OUT volume_24h numeric, OUT simulated boolean)
	RETURNS SETOF record
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
	SELECT s.time, s.price, s.volume_24h, s.simulated
	FROM crypto_snapshots s
	WHERE s.coin = crypto_coin($1) AND s.time >= $2 AND s.time < $3
	ORDER BY s.time;
END;
COMMENT ON FUNCTION crypto_history(text, timestamptz, timestamptz) IS
	'Snapshots of a coin from since until before until, oldest first';

CREATE FUNCTION crypto_candles(symbol text, resolution interval, since timestamptz, until timestamptz DEFAULT now(), fill boolean DEFAULT false,
	OUT "time" timestamptz, OUT open numeric, OUT high numeric, OUT low numeric, OUT close numeric, OUT volume_24h numeric,
	OUT ticks bigint, OUT simulated boolean)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 1000 SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	width ALIAS FOR $2;
	id integer := @extschema@.crypto_coin($1);
	months integer := extract(year FROM width) * 12 + extract(month FROM width);
	seconds numeric := extract(day FROM width) * 86400 + extract(hour FROM width) * 3600 + extract(minute FROM width) * 60
		+ extract(second FROM width);
	stored @extschema@.crypto_resolution;
	begins timestamptz;
	ends timestamptz; /* of the last candle */
	before record;
BEGIN
	IF months < 0 OR seconds < 0 OR (months > 0) = (seconds > 0) OR seconds % 60 <> 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('a candle cannot be %s wide', width),
			HINT = 'The resolution is a multiple of one minute, or of one month: 5 minutes, 4 hours, 1 week, 1 month.';
	END IF;
	stored := CASE WHEN months > 0 OR seconds % 86400 = 0 THEN '1d' WHEN seconds % 3600 = 0 THEN '1h' ELSE '1m' END;
	/* days have 24 hours here, whatever the time zone does */
	IF months = 0 THEN
		width := make_interval(secs => seconds::double precision);
	END IF;
	begins := @extschema@.crypto_bucket(width, $3);
	ends := CASE WHEN isfinite($4)
		THEN timezone('UTC', timezone('UTC', @extschema@.crypto_bucket(width, $4 - interval '1 microsecond')) + width) ELSE $4 END;

	IF fill THEN
		SELECT c.close, c.volume_24h, c.simulated INTO before
		FROM @extschema@.crypto_candles c
		WHERE c.coin = id AND c.resolution = stored AND c.time < begins
		ORDER BY c.time DESC LIMIT 1;
		IF NOT FOUND THEN
			begins := @extschema@.crypto_bucket(width, (SELECT min(c.time) FROM @extschema@.crypto_candles c
				WHERE c.coin = id AND c.resolution = stored AND c.time >= begins AND c.time < ends));
		END IF;
		RETURN QUERY
			SELECT f.time, coalesce(f.open, f.carried), coalesce(f.high, f.carried), coalesce(f.low, f.carried), f.carried,
				f.carried_volume, coalesce(f.ticks, 0), f.carried_simulated
			FROM (
				SELECT g.*,
					coalesce(first_value(g.close) OVER w, before.close) AS carried,
					CASE WHEN g.run = 0 THEN before.volume_24h ELSE first_value(g.volume_24h) OVER w END AS carried_volume,
					coalesce(first_value(g.simulated) OVER w, before.simulated) AS carried_simulated
				FROM (
					SELECT b.time, k.open, k.high, k.low, k.close, k.volume_24h, k.ticks, k.simulated, count(k.close) OVER (ORDER BY b.time) AS run
					FROM (SELECT timezone('UTC', s) FROM generate_series(timezone('UTC', begins),
							timezone('UTC', @extschema@.crypto_bucket(width, least(ends - interval '1 microsecond', now()))), width) s) AS b (time)
						LEFT JOIN @extschema@.crypto_candles($1, $2, begins, $4) AS k ON k.time = b.time
				) AS g
				WINDOW w AS (PARTITION BY g.run ORDER BY g.time)
			) AS f
			ORDER BY f.time;
	ELSIF width IN (interval '1 minute', interval '1 hour', interval '24 hours') THEN
		RETURN QUERY
			SELECT c.time, c.open, c.high, c.low, c.close, c.volume_24h, c.ticks::bigint, c.simulated
			FROM @extschema@.crypto_candles c
			WHERE c.coin = id AND c.resolution = stored AND c.time >= begins AND c.time < ends
			ORDER BY c.time;
	ELSE
		RETURN QUERY
			SELECT @extschema@.crypto_bucket(width, c.time), (array_agg(c.open ORDER BY c.time))[1], max(c.high), min(c.low),
				(array_agg(c.close ORDER BY c.time DESC))[1], (array_agg(c.volume_24h ORDER BY c.time DESC))[1], sum(c.ticks), bool_or(c.simulated)
			FROM @extschema@.crypto_candles c
			WHERE c.coin = id AND c.resolution = stored AND c.time >= begins AND c.time < ends
			GROUP BY 1
			ORDER BY 1;
	END IF;
END
$$;
COMMENT ON FUNCTION crypto_candles(text, interval, timestamptz, timestamptz, boolean) IS
	'Candles of a coin that begin before until and end after since, oldest first, of any multiple of a minute or a month, in UTC; fill: with flat ones where no price came';

--
-- Views over the board
--

CREATE VIEW crypto_movers AS
	WITH traded AS (
		SELECT q.* FROM crypto_quotes() q WHERE q.active AND NOT q.stale AND q.change_24h IS NOT NULL AND q.volume_24h >= 1000000
	), both_ways AS (
		SELECT 'gainer' AS direction, row_number() OVER (ORDER BY t.change_24h DESC, t.rank) AS place, t.* FROM traded t WHERE t.change_24h > 0
		UNION ALL
		SELECT 'loser', row_number() OVER (ORDER BY t.change_24h, t.rank), t.* FROM traded t WHERE t.change_24h < 0
	)
	SELECT m.direction, m.place::integer, m.symbol, m.name, m.price, m.change_1h, m.change_24h, m.change_7d, m.volume_24h, m.market_cap,
		m.rank, m.source
	FROM both_ways m
	WHERE m.place <= 20
	ORDER BY m.direction, m.place;
COMMENT ON VIEW crypto_movers IS 'The 20 coins that gained most in 24 hours, and the 20 that lost most, of those with a volume of a million USD or more';
COMMENT ON COLUMN crypto_movers.direction IS 'gainer or loser';
COMMENT ON COLUMN crypto_movers.place IS '1 for the one that moved furthest';
COMMENT ON COLUMN crypto_movers.symbol IS 'Symbol, in upper case';
COMMENT ON COLUMN crypto_movers.name IS 'Name, for people';
COMMENT ON COLUMN crypto_movers.price IS 'Price in USD';
COMMENT ON COLUMN crypto_movers.change_1h IS 'Change of the price over an hour, in per cent';
COMMENT ON COLUMN crypto_movers.change_24h IS 'Change of the price over 24 hours, in per cent';
COMMENT ON COLUMN crypto_movers.change_7d IS 'Change of the price over 7 days, in per cent';
COMMENT ON COLUMN crypto_movers.volume_24h IS 'Volume of the last 24 hours in USD';
COMMENT ON COLUMN crypto_movers.market_cap IS 'Market capitalisation in USD';
COMMENT ON COLUMN crypto_movers.rank IS 'Rank by market capitalisation';
COMMENT ON COLUMN crypto_movers.source IS 'coinlore, or simulated when the price comes from the simulator';

CREATE VIEW crypto_market AS
	SELECT count(*)::integer AS coins, count(*) FILTER (WHERE q.active)::integer AS active_coins,
		sum(q.market_cap) AS market_cap, sum(q.volume_24h) AS volume_24h,
		round(sum(q.market_cap * q.change_24h) / nullif(sum(q.market_cap) FILTER (WHERE q.change_24h IS NOT NULL), 0), 2) AS change_24h,
		round(100 * sum(q.market_cap) FILTER (WHERE q.nameid = 'bitcoin') / nullif(sum(q.market_cap), 0), 2) AS btc_dominance,
		round(100 * sum(q.market_cap) FILTER (WHERE q.nameid = 'ethereum') / nullif(sum(q.market_cap), 0), 2) AS eth_dominance,
		max(q.fetched_at) AS fetched_at, bool_or(q.source = 'simulated') AS simulated
	FROM crypto_quotes() q
	WHERE q.rank IS NOT NULL;
COMMENT ON VIEW crypto_market IS 'All coins together: one row';
COMMENT ON COLUMN crypto_market.coins IS 'Coins that are listed';
COMMENT ON COLUMN crypto_market.active_coins IS 'Of these, with a price and a volume above zero';
COMMENT ON COLUMN crypto_market.market_cap IS 'Market capitalisation of all of them, in USD';
COMMENT ON COLUMN crypto_market.volume_24h IS 'Volume of the last 24 hours of all of them, in USD';
COMMENT ON COLUMN crypto_market.change_24h IS 'Change of prices over 24 hours in per cent, each weighted by its market capitalisation';
COMMENT ON COLUMN crypto_market.btc_dominance IS 'Share of bitcoin in the market capitalisation, in per cent';
COMMENT ON COLUMN crypto_market.eth_dominance IS 'Share of ethereum, likewise';
COMMENT ON COLUMN crypto_market.fetched_at IS 'When the newest of these quotes was fetched';
COMMENT ON COLUMN crypto_market.simulated IS 'Some of the prices come from the simulator';

GRANT SELECT ON crypto_movers, crypto_market TO PUBLIC;

--
-- Synchronising on demand
--

CREATE FUNCTION crypto_sync(top integer DEFAULT 1000, history boolean DEFAULT true, target regclass DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	into_table regclass := coalesce(target, '@extschema@.tickers'::regclass);
	columns text;
	given text;
	changes text;
	is_crypto text;
	statement text;
	quotes @extschema@.crypto_quote[];
	n integer;
	pieces int4range[];
	piece int4range;
	size integer;
	changed integer;
	written bigint := 0;
	refused integer := 0;
	why text;
	recorded integer;
BEGIN
	IF top IS NULL OR top < 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('top is %s; it must be 1 or more, or 0 for all coins', coalesce(top::text, 'NULL'));
	END IF;
	IF NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		WHERE i.indrelid = into_table AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL AND a.attname = 'symbol') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
			MESSAGE = format('table "%s" has no unique column "symbol"', into_table),
			HINT = format('ALTER TABLE %s ADD UNIQUE (symbol);', into_table);
	END IF;

	-- the columns that the table has of those that we know; a literal becomes what the column is
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
		string_agg(CASE WHEN t.typtype = 'e' THEN format('(%s)::%s', k.source, a.atttypid::regtype) ELSE k.source END, ', ' ORDER BY a.attnum),
		string_agg(format('%1$I = excluded.%1$I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname <> 'symbol'),
		coalesce(max('t.asset_type::text = ''crypto''') FILTER (WHERE a.attname = 'asset_type'), 'true')
	INTO columns, given, changes, is_crypto
	FROM pg_attribute a
		JOIN pg_type t ON t.oid = a.atttypid
		JOIN (VALUES
			('symbol', 'q.symbol'), ('name', 'coalesce(q.name, q.symbol)'), ('asset_type', $q$'crypto'$q$), ('exchange', $q$'CRYPTO'$q$),
			('sector', $q$'Cryptocurrency'$q$), ('industry', $q$'Cryptocurrency'$q$), ('country', $q$'Global'$q$), ('currency', $q$'USD'$q$),
			('description', $q$format('%s (%s), cryptocurrency', coalesce(q.name, q.symbol), q.symbol)$q$),
			('base_currency_symbol', 'q.symbol'), ('base_currency_name', 'coalesce(q.name, q.symbol)'),
			('currency_symbol', $q$'USD'$q$), ('currency_name', $q$'United States Dollar'$q$), ('locale', $q$'global'$q$), ('market', $q$'crypto'$q$),
			('weighted_shares_outstanding', 'q.circulating_supply'), ('active', 'q.active'), ('updated_at', 'q.fetched_at'),
			('last_updated', 'q.fetched_at'), ('price', 'q.price'), ('price_btc', 'q.price_btc'), ('volume', 'q.volume_24h'),
			('volume_24h', 'q.volume_24h'), ('market_cap', 'q.market_cap'), ('rank', 'q.rank'), ('market_cap_rank', 'q.rank'),
			('change_1h', 'q.change_1h'), ('change_24h', 'q.change_24h'), ('change_7d', 'q.change_7d'),
			('circulating_supply', 'q.circulating_supply'), ('total_supply', 'q.total_supply'), ('max_supply', 'q.max_supply'),
			('tier', $q$nullif(substr(q.tier, 5), '')::smallint$q$), ('nameid', 'q.nameid'), ('coinlore_id', 'q.coinlore_id'),
			('source', 'q.source'), ('source_time', 'q.source_time')) AS k (name, source) ON k.name = a.attname
	WHERE a.attrelid = into_table AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = '';

	SELECT array_agg(q ORDER BY q.rank), count(*) INTO quotes, n
	FROM @extschema@.crypto_quotes(nullif(top, 0)) q, @extschema@.crypto_quote(q.symbol) o
	WHERE o.nameid = q.nameid AND q.rank IS NOT NULL AND q.price IS NOT NULL;

	-- a row that does not fit is found by halving, as often as there are such
	statement := format('INSERT INTO %s AS t (%s) SELECT %s FROM unnest($1) q ON CONFLICT (symbol) DO ', into_table, columns, given)
		|| CASE WHEN changes IS NULL THEN 'NOTHING' ELSE format('UPDATE SET %s WHERE %s', changes, is_crypto) END;
	pieces := ARRAY[int4range(1, n + 1)];
	WHILE cardinality(pieces) > 0 AND n > 0 LOOP
		piece := pieces[cardinality(pieces)];
		pieces := trim_array(pieces, 1);
		size := upper(piece) - lower(piece);
		BEGIN
			EXECUTE statement USING quotes[lower(piece):upper(piece) - 1];
			GET DIAGNOSTICS changed = ROW_COUNT;
			written := written + changed;
		EXCEPTION WHEN data_exception OR integrity_constraint_violation OR cardinality_violation OR with_check_option_violation
			OR program_limit_exceeded OR raise_exception OR triggered_action_exception THEN
			IF size = 1 THEN
				refused := refused + 1;
				why := coalesce(why, format('%s: %s', quotes[lower(piece)].symbol, SQLERRM));
			ELSE
				pieces := pieces || int4range(lower(piece), lower(piece) + size / 2) || int4range(lower(piece) + size / 2, upper(piece));
			END IF;
		END;
	END LOOP;
	IF refused > 0 THEN
		RAISE NOTICE USING
			MESSAGE = format('%s of %s coins do not fit into table "%s" and were left out', refused, n, into_table),
			DETAIL = format('The first of them, %s', why);
	END IF;

	-- the others are the recorder's
	recorded := current_setting('crypto_rt.snapshot_top')::integer;
	IF history AND recorded > 0 AND n > 0 AND has_table_privilege('@extschema@.crypto_snapshots', 'INSERT') THEN
		PERFORM @extschema@.crypto_record(array_agg(q.fetched_at), array_agg(c.coin), array_agg(q.source = 'simulated'), array_agg(q.price),
			array_agg(q.volume_24h), true)
		FROM unnest(quotes) q JOIN @extschema@.crypto_coins c ON c.nameid = q.nameid
		WHERE q.rank > recorded AND NOT q.stale;
	END IF;
	RETURN written;
END
$$;
COMMENT ON FUNCTION crypto_sync(integer, boolean, regclass) IS
	'Writes the best top coins (0: all) into tickers, or into a table with a unique column symbol, filling the columns that it has, now; with history also a snapshot of those that the recorder takes none of; returns the number of rows';

--
-- Dump and restore.
--
-- pg_dump knows nothing of partitions that came later, and a restore finds a recorder at work that has given the coins numbers
-- of its own.  So tables go through doors: empty tables whose rows, to pg_dump, are those of the real ones, with the coins'
-- identities in place of their numbers; and what a restore puts there goes to where it belongs.
--

CREATE TABLE crypto_dump_coins (
	nameid text PRIMARY KEY,
	coinlore_id integer,
	symbol text NOT NULL,
	name text,
	owns_symbol boolean NOT NULL,
	active boolean NOT NULL,
	first_seen timestamptz,
	updated_at timestamptz
);
COMMENT ON TABLE crypto_dump_coins IS 'Always empty: the way of crypto_coins through pg_dump and back';

CREATE TABLE crypto_dump_tickers (LIKE tickers INCLUDING COMMENTS);
COMMENT ON TABLE crypto_dump_tickers IS 'Always empty: the way of tickers through pg_dump and back';

-- The references have the coins dumped first; but pg_restore --jobs takes no notice of them.
CREATE TABLE crypto_dump_snapshots (
	time timestamptz NOT NULL,
	nameid text NOT NULL REFERENCES crypto_dump_coins,
	simulated boolean NOT NULL,
	price numeric NOT NULL,
	volume_24h numeric
);
COMMENT ON TABLE crypto_dump_snapshots IS 'Always empty: the way of crypto_snapshots through pg_dump and back';

CREATE TABLE crypto_dump_candles (
	time timestamptz NOT NULL,
	first_at timestamptz NOT NULL,
	last_at timestamptz NOT NULL,
	nameid text NOT NULL REFERENCES crypto_dump_coins,
	resolution crypto_resolution NOT NULL,
	ticks integer NOT NULL,
	simulated boolean NOT NULL,
	open numeric NOT NULL,
	high numeric NOT NULL,
	low numeric NOT NULL,
	close numeric NOT NULL,
	volume_24h numeric
);
COMMENT ON TABLE crypto_dump_candles IS 'Always empty: the way of crypto_candles through pg_dump and back';

DO $$
DECLARE
	c record;
BEGIN
	FOR c IN
		SELECT a.attrelid::regclass AS door, a.attname, pg_catalog.replace(a.attrelid::regclass::text, 'crypto_dump_', 'crypto_') AS of
		FROM pg_catalog.pg_attribute a
		WHERE a.attrelid IN ('crypto_dump_coins'::regclass, 'crypto_dump_snapshots'::regclass, 'crypto_dump_candles'::regclass) AND a.attnum > 0
	LOOP
		EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', c.door, c.attname,
			CASE WHEN c.attname = 'nameid' THEN 'Identity of the coin' ELSE 'As in ' || c.of END);
	END LOOP;
END
$$;

CREATE FUNCTION crypto_restore_coin() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO @extschema@.crypto_coins AS c (nameid, coinlore_id, symbol, name, owns_symbol, active, first_seen, updated_at)
	VALUES (new.*)
	ON CONFLICT (nameid) DO UPDATE SET first_seen = least(c.first_seen, excluded.first_seen);
	-- what crypto_restored_coin has made of it
	UPDATE @extschema@.crypto_coins c
	SET coinlore_id = new.coinlore_id, symbol = new.symbol, name = new.name, owns_symbol = new.owns_symbol, active = new.active,
		updated_at = new.updated_at
	WHERE c.nameid = new.nameid AND c.updated_at IS NULL;
	RETURN NULL;
END
$$;

CREATE FUNCTION crypto_restored_coin(nameid text) RETURNS integer
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	id integer;
BEGIN
	SELECT c.coin INTO id FROM @extschema@.crypto_coins c WHERE c.nameid = $1;
	IF NOT FOUND THEN
		-- snapshots and candles may be restored at the same time: one after the other, lest they block each other
		LOCK TABLE @extschema@.crypto_coins IN SHARE ROW EXCLUSIVE MODE;
		INSERT INTO @extschema@.crypto_coins (nameid, symbol, owns_symbol, active) VALUES ($1, $1, false, false) ON CONFLICT (nameid) DO NOTHING;
		SELECT c.coin INTO id FROM @extschema@.crypto_coins c WHERE c.nameid = $1;
	END IF;
	RETURN id;
END
$$;
COMMENT ON FUNCTION crypto_restored_coin(text) IS 'Number of a coin by its identity; one that is still to be restored gets its number now';
REVOKE EXECUTE ON FUNCTION crypto_restored_coin(text) FROM PUBLIC;

CREATE FUNCTION crypto_restore_ticker() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- rows of the user's own come back whatever the recorder has put there meanwhile
	DELETE FROM @extschema@.tickers t
	WHERE t.symbol = new.symbol AND (new.asset_type <> 'crypto' OR t.updated_at < new.updated_at);
	INSERT INTO @extschema@.tickers VALUES (new.*) ON CONFLICT (symbol) DO NOTHING;
	RETURN NULL;
END
$$;

CREATE FUNCTION crypto_restore_snapshot() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	day text := to_char(new.time AT TIME ZONE 'UTC', 'YYYY-MM-DD');
BEGIN
	IF current_setting('crypto_rt_restore.snapshots', true) IS DISTINCT FROM day THEN
		PERFORM @extschema@.crypto_partition_make('@extschema@.crypto_snapshots', new.time);
		PERFORM set_config('crypto_rt_restore.snapshots', day, true);
	END IF;
	INSERT INTO @extschema@.crypto_snapshots (time, coin, simulated, price, volume_24h)
	VALUES (new.time, @extschema@.crypto_restored_coin(new.nameid), new.simulated, new.price, new.volume_24h)
	ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;

CREATE FUNCTION crypto_restore_candle() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part text := new.resolution || to_char(new.time AT TIME ZONE 'UTC', 'YYYY-MM-DD');
BEGIN
	IF new.resolution <> '1d' AND current_setting('crypto_rt_restore.candles', true) IS DISTINCT FROM part THEN
		PERFORM @extschema@.crypto_partition_make(('@extschema@.crypto_candles_' || new.resolution)::regclass, new.time);
		PERFORM set_config('crypto_rt_restore.candles', part, true);
	END IF;
	PERFORM @extschema@.crypto_candles_merge(ARRAY[(new.time, new.first_at, new.last_at, @extschema@.crypto_restored_coin(new.nameid),
		new.resolution, new.ticks, new.simulated, new.open, new.high, new.low, new.close, new.volume_24h)::@extschema@.crypto_candles]);
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION crypto_restore_coin() IS 'Trigger: behind crypto_dump_coins';
COMMENT ON FUNCTION crypto_restore_ticker() IS 'Trigger: behind crypto_dump_tickers';
COMMENT ON FUNCTION crypto_restore_snapshot() IS 'Trigger: behind crypto_dump_snapshots';
COMMENT ON FUNCTION crypto_restore_candle() IS 'Trigger: behind crypto_dump_candles';

CREATE TRIGGER restore BEFORE INSERT ON crypto_dump_coins FOR EACH ROW EXECUTE FUNCTION crypto_restore_coin();
CREATE TRIGGER restore BEFORE INSERT ON crypto_dump_tickers FOR EACH ROW EXECUTE FUNCTION crypto_restore_ticker();
CREATE TRIGGER restore BEFORE INSERT ON crypto_dump_snapshots FOR EACH ROW EXECUTE FUNCTION crypto_restore_snapshot();
CREATE TRIGGER restore BEFORE INSERT ON crypto_dump_candles FOR EACH ROW EXECUTE FUNCTION crypto_restore_candle();

GRANT SELECT ON crypto_dump_coins, crypto_dump_tickers, crypto_dump_snapshots, crypto_dump_candles TO PUBLIC;

-- what 1.0 had dumped as it stands
ALTER EXTENSION crypto_rt DROP TABLE crypto_coins;
ALTER EXTENSION crypto_rt ADD TABLE crypto_coins;
ALTER EXTENSION crypto_rt DROP SEQUENCE crypto_coins_coin_seq;
ALTER EXTENSION crypto_rt ADD SEQUENCE crypto_coins_coin_seq;
ALTER EXTENSION crypto_rt DROP TABLE tickers;
ALTER EXTENSION crypto_rt ADD TABLE tickers;

-- pg_dump puts the condition behind the table's name, whatever it is
SELECT pg_catalog.pg_extension_config_dump('crypto_dump_coins',
	'WHERE false UNION ALL SELECT nameid, coinlore_id, symbol, name, owns_symbol, active, first_seen, updated_at FROM @extschema@.crypto_coins');
SELECT pg_catalog.pg_extension_config_dump('crypto_dump_tickers',
	'WHERE false UNION ALL SELECT symbol, name, asset_type, price, price_btc, rank, change_1h, change_24h, change_7d, volume_24h, market_cap,'
	' circulating_supply, total_supply, max_supply, tier, active, nameid, coinlore_id, source, source_time, updated_at FROM @extschema@.tickers');
SELECT pg_catalog.pg_extension_config_dump('crypto_dump_snapshots',
	'WHERE false UNION ALL SELECT s.time, c.nameid, s.simulated, s.price, s.volume_24h'
	' FROM @extschema@.crypto_snapshots s JOIN @extschema@.crypto_coins c ON c.coin = s.coin');
SELECT pg_catalog.pg_extension_config_dump('crypto_dump_candles',
	'WHERE false UNION ALL SELECT k.time, k.first_at, k.last_at, c.nameid, k.resolution, k.ticks, k.simulated, k.open, k.high, k.low, k.close, k.volume_24h'
	' FROM @extschema@.crypto_candles k JOIN @extschema@.crypto_coins c ON c.coin = k.coin');

--
-- What 1.0 has recorded
--

SELECT crypto_partitions_keep(NULL, NULL, NULL);
SELECT crypto_partition_make(p.kept, d.day)
FROM (SELECT DISTINCT date_trunc('day', s.time AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' FROM crypto_snapshots_1_0 s) AS d (day),
	unnest(ARRAY['crypto_snapshots', 'crypto_candles_1m', 'crypto_candles_1h']::regclass[]) AS p (kept);
INSERT INTO crypto_snapshots (time, coin, simulated, price, volume_24h)
	SELECT time, coin, simulated, price, volume_24h FROM crypto_snapshots_1_0
	ON CONFLICT DO NOTHING;
SELECT crypto_candles_rebuild() WHERE EXISTS (SELECT FROM crypto_snapshots);
ALTER EXTENSION crypto_rt DROP TABLE crypto_snapshots_1_0;
DROP TABLE crypto_snapshots_1_0;
