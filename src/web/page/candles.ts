// Candles as the daemon serves them, and what can be said of a list of them without a network: reading, merging, carrying on by a
// live price, the range of a day. All times are unix seconds of a candle's begin, in UTC.

export interface Candle {
	time: number
	open: number
	high: number
	low: number
	close: number
	/** rolling volume of 24 h at the candle's close, in dollars; not what was traded within the candle */
	volume: number | null
}

export type Interval = '1m' | '5m' | '1h' | '1d'

export const intervals: readonly { interval: Interval; seconds: number; label: string; name: string }[] = [
	{ interval: '1m', seconds: 60, label: '1m', name: '1 minute' },
	{ interval: '5m', seconds: 300, label: '5m', name: '5 minutes' },
	{ interval: '1h', seconds: 3600, label: '1h', name: '1 hour' },
	{ interval: '1d', seconds: 86400, label: '1d', name: '1 day' }
]

export const secondsOf = (interval: Interval): number => intervals.find(i => i.interval === interval)!.seconds

/** Begin of the candle that holds a time. Days begin at midnight UTC, as those of the daemon. */
export const beginOf = (time: number, step: number): number => Math.floor(time / step) * step

const finite = (n: unknown): n is number => typeof n === 'number' && Number.isFinite(n)

/** Read the daemon's arrays; what makes no candle is left out, and order is made sure of, for the chart would throw at it. */
export function readCandles(rows: unknown): Candle[] {
	const candles: Candle[] = []
	if (!Array.isArray(rows)) return candles
	for (const row of rows) {
		if (!Array.isArray(row)) continue
		const [time, open, high, low, close, volume] = row as unknown[]
		if (!finite(time) || !finite(open) || !finite(high) || !finite(low) || !finite(close)) continue
		if (time <= (candles.at(-1)?.time ?? -Infinity)) continue
		candles.push({ time, open, high, low, close, volume: finite(volume) ? volume : null })
	}
	return candles
}

/**
 * What is shown, with a newer reply put into it. The reply is right about all candles that are over; the one still being made has
 * seen live prices that the database may not have yet, so its close stays ours and its range is that of both.
 */
export function mergeNewer(shown: readonly Candle[], reply: readonly Candle[], now: number, step: number): Candle[] {
	const first = reply[0]
	if (first === undefined) return [...shown]
	const last = shown.at(-1)
	// after a long absence there would be a hole that no scrolling fills: begin anew
	if (last !== undefined && reply.length > 1 && last.time + step < first.time && reply.length >= pageSize) return [...reply]
	const newest = reply.at(-1)!
	const merged = [...shown.filter(candle => candle.time < first.time), ...reply]
	for (const ours of shown) {
		if (ours.time > newest.time) merged.push(ours) // the recorder is late with it
		else if (ours.time === newest.time && ours.time >= beginOf(now, step))
			merged[merged.length - 1] = {
				...newest,
				high: Math.max(newest.high, ours.high),
				low: Math.min(newest.low, ours.low),
				close: ours.close
			}
	}
	return merged
}

/** Older candles before what is shown. */
export function mergeOlder(shown: readonly Candle[], reply: readonly Candle[]): Candle[] {
	const first = shown[0]?.time ?? Infinity
	return [...reply.filter(candle => candle.time < first), ...shown]
}

/** The newest candle carried on by a price, or the next one opened by it; in place. Returns it. */
export function carryOn(candles: Candle[], price: number, volume: number | null, now: number, step: number): Candle {
	const last = candles.at(-1)
	const time = Math.max(beginOf(now, step), last?.time ?? 0)
	if (last !== undefined && last.time === time) {
		last.high = Math.max(last.high, price)
		last.low = Math.min(last.low, price)
		last.close = price
		last.volume = volume ?? last.volume
		return last
	}
	const opened = { time, open: price, high: price, low: price, close: price, volume }
	candles.push(opened)
	return opened
}

/** Candles asked for at once. */
export const pageSize = 500

export interface Range {
	high: number
	low: number
	/** unix seconds since when prices were known, or null for the whole of the last 24 h */
	since: number | null
}

/** Highest and lowest price of the last 24 h, as far as there are candles. */
export function dayRange(candles: readonly Candle[], step: number, price: number, now: number): Range {
	const from = now - 86400
	let high = price
	let low = price
	let since: number | null = null
	for (let i = candles.length - 1; i >= 0; i--) {
		const candle = candles[i]!
		if (candle.time + step <= from) return { high, low, since: null }
		high = Math.max(high, candle.high)
		low = Math.min(low, candle.low)
		since = candle.time
	}
	if (since === null) return { high, low, since: now }
	return { high, low, since: since <= from + step ? null : since }
}

/**
 * Decimals with which all prices of a coin's chart are written, so that they stand in columns: as many as formatPrice has for a
 * price like this.
 */
export function decimalsOf(price: number): number {
	const size = Math.abs(price)
	if (!(size > 0)) return 2
	if (size >= 10) return 2
	return Math.min(60, Math.max(4, 3 - Math.floor(Math.log10(size))))
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** A price with just so many decimals, no exponent, thousands grouped. */
export function fixedPrice(price: number, decimals: number): string {
	const [whole = '0', fraction] = Math.abs(price).toFixed(decimals).split('.')
	const sign = price < 0 ? '−' : ''
	return sign + (whole.length > 3 ? grouped.format(BigInt(whole)) : whole) + (fraction === undefined ? '' : '.' + fraction)
}
