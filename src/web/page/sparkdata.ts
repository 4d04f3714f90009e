// The last seven days of the coins that are looked at: candles of four hours, fetched when a row has been seen for a moment, at most four
// requests at a time, kept for ten minutes. Older than the candles go, three points are known all the same: the changes of 7 d, 24 h and
// 1 h tell the prices of then. Without a database the prices seen since the page was opened take the candles' place.
import { market, type Coin } from './market'

export interface Point { time: number; price: number }

const HOUR = 3_600_000
export const WEEK = 7 * 24 * HOUR
const GOOD_MS = 10 * 60_000
const AT_ONCE = 4
const MOST = 3000
const SEEN_EVERY_MS = 20_000
const SEEN_MOST = 200

interface Entry {
	at: number
	points: Point[]
	/** no candles to be had: prices are gathered here */
	seen: boolean
}

const entries = new Map<string, Entry>()
const listeners = new Map<string, Set<() => void>>()
/** the newest wish is served first: it is what is on screen */
const waiting: Coin[] = []
const running = new Set<string>()
let pausedUntil = 0

export function sparkVersion(id: string): number {
	return entries.get(id)?.at ?? 0
}

export function onSpark(id: string, listener: () => void): () => void {
	const set = listeners.get(id) ?? new Set()
	listeners.set(id, set.add(listener))
	return () => {
		set.delete(listener)
		if (!set.size && listeners.get(id) === set) listeners.delete(id)
	}
}

/** Fetch what is not there or old. @returns a function that takes the wish back */
export function wantSpark(coin: Coin): () => void {
	const entry = entries.get(coin.id)
	if ((!entry || Date.now() - entry.at > GOOD_MS) && !running.has(coin.id)) {
		waiting.push(coin)
		next()
	}
	return () => {
		const at = waiting.indexOf(coin)
		if (at >= 0) waiting.splice(at, 1)
	}
}

function next(): void {
	const wait = pausedUntil - Date.now()
	if (wait > 0) return void setTimeout(next, wait)
	while (running.size < AT_ONCE) {
		const coin = waiting.pop()
		if (!coin) return
		if (running.has(coin.id)) continue
		running.add(coin.id)
		void load(coin).finally(() => {
			running.delete(coin.id)
			next()
		})
	}
}

async function load(coin: Coin): Promise<void> {
	let points: Point[] = []
	let seen = false
	try {
		const response = await fetch(`/api/v1/crypto/${encodeURIComponent(`id:${coin.id}`)}/candles?interval=4h&limit=42`, { signal: AbortSignal.timeout(15_000) })
		if (response.ok) points = read(await response.json())
		else if (response.status === 429) {
			pausedUntil = Date.now() + 1000 * (Number(response.headers.get('Retry-After')) || 5)
			return
		} else seen = response.status >= 500
	} catch {
		seen = true
	}
	if (seen) points = entries.get(coin.id)?.points ?? []
	// the oldest are dropped: a Map keeps the order of insertion
	entries.delete(coin.id)
	entries.set(coin.id, { at: Date.now(), points, seen })
	if (entries.size > MOST) for (const id of entries.keys()) if (!listeners.has(id)) { entries.delete(id); break }
	tell(coin.id)
}

function tell(id: string): void {
	for (const listener of listeners.get(id) ?? []) listener()
}

/** `[begin, open, high, low, close, volume]` each; the close is the price at the candle's end. */
function read(reply: unknown): Point[] {
	const candles = (reply as { candles?: unknown })?.candles
	if (!Array.isArray(candles)) return []
	const points: Point[] = []
	for (const candle of candles as unknown[]) {
		if (!Array.isArray(candle)) continue
		const [begin, open, , , close] = candle as unknown[]
		if (typeof begin !== 'number' || typeof open !== 'number' || typeof close !== 'number') continue
		if (!points.length) points.push({ time: begin * 1000, price: open })
		points.push({ time: begin * 1000 + 4 * HOUR, price: close })
	}
	return points
}

/** What is known of the last week, oldest first, up to now. */
export function sparkPoints(coin: Coin, now = Date.now()): Point[] {
	const known = (entries.get(coin.id)?.points ?? []).filter(point => point.time > now - WEEK && point.time < now)
	const first = known[0]?.time ?? now
	const ago: [number, number | null][] = [[WEEK, coin.change7d], [24 * HOUR, coin.change24h], [HOUR, coin.change1h]]
	const before: Point[] = []
	for (const [age, change] of ago)
		if (change !== null && change > -100 && now - age < first - HOUR / 2) before.push({ time: now - age, price: coin.price / (1 + change / 100) })
	return [...before, ...known, { time: now, price: coin.price }]
}

// without candles: a price now and then
market.subscribe(changed => {
	if (!entries.size) return
	const now = Date.now()
	for (const coin of changed) {
		const entry = entries.get(coin.id)
		if (!entry?.seen || now - (entry.points.at(-1)?.time ?? 0) < SEEN_EVERY_MS) continue
		entry.points.push({ time: now, price: coin.price })
		if (entry.points.length > SEEN_MOST) entry.points.splice(0, 1)
	}
})
