// The candles of one coin at one interval, kept up to date while somebody looks at them: fetched, carried on by live prices, fetched
// anew when a candle ends and after a lost connection. What is there stays there whatever fails. Without a database there are none:
// then the prices seen since the page was opened are what remains.
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { defaultClient } from 'crypto-rt-react'
import { beginOf, carryOn, mergeNewer, mergeOlder, pageSize, readCandles, secondsOf, type Candle, type Interval } from './candles'
import { market } from './market'

/** all: the list is another; last: its newest candle, or one more; state: only what is said about it. */
export type Change = 'all' | 'last' | 'state'

export interface Seen { time: number; value: number }

const seenMax = 7200
const settle = 1500 // ms after a candle's end until the recorder has it
const patience = 10_000 // ms for a reply
const feedsKept = 8

// the server's clock minus ours, in ms, when they differ by more than what a request takes
let skew = 0
const serverNow = (): number => (Date.now() + skew) / 1000

class Refusal extends Error {
	constructor(message: string, readonly status: number, readonly retryAfter: number) { super(message) }
}

async function fetchCandles(id: string, interval: Interval, args: Record<string, number>, signal: AbortSignal) {
	const query = new URLSearchParams({ interval, ...Object.fromEntries(Object.entries(args).map(([k, v]) => [k, String(v)])) })
	const both = new AbortController()
	const leave = () => both.abort(signal.reason)
	const timer = setTimeout(() => both.abort(new DOMException('no answer', 'TimeoutError')), patience)
	signal.addEventListener('abort', leave)
	try {
		const url = `/api/v1/crypto/${encodeURIComponent('id:' + id)}/candles?${query}`
		const response = await fetch(url, { signal: both.signal, cache: 'no-store' })
		const date = Date.parse(response.headers.get('Date') ?? '') + 500 + Number(response.headers.get('Age') ?? 0) * 1000
		if (Number.isFinite(date)) skew = Math.abs(date - Date.now()) > 2500 ? date - Date.now() : 0
		const body = await response.json().catch(() => null) as { error?: string; candles?: unknown; source?: string } | null
		if (!response.ok)
			throw new Refusal(body?.error ?? `status ${response.status}`, response.status, Number(response.headers.get('Retry-After')) || 0)
		return { candles: readCandles(body?.candles), simulated: body?.source === 'simulated' }
	} finally {
		clearTimeout(timer)
		signal.removeEventListener('abort', leave)
	}
}

export class CandleFeed {
	readonly step: number
	candles: Candle[] = []
	/** the daemon has answered once, be it with an empty list */
	loaded = false
	/** why nothing newer comes, in a sentence's words; null when all is well */
	problem: string | null = null
	simulated = false
	older: 'more' | 'loading' | 'end' = 'more'
	/** a price per second since the page was opened */
	seen: Seen[] = []
	version = 0

	#listeners = new Set<(change: Change) => void>()
	#holders = 0
	#stop: (() => void) | null = null
	#abort = new AbortController()
	#timer: ReturnType<typeof setTimeout> | undefined
	#loading = false
	#again = false
	#known: number | null = null // begin of the candle up to which the daemon was asked
	#failures = 0
	#price: number | null = null

	constructor(readonly id: string, readonly interval: Interval) { this.step = secondsOf(interval) }

	listen = (listener: (change: Change) => void): (() => void) => {
		this.#listeners.add(listener)
		return () => { this.#listeners.delete(listener) }
	}

	/** Keep it up to date until the function that is returned is called. */
	hold(): () => void {
		if (this.#holders++ === 0) this.#start()
		let held = true
		return () => {
			if (held && --this.#holders === 0) this.#stop?.()
			held = false
		}
	}

	get held(): boolean { return this.#holders > 0 }

	#start(): void {
		const client = defaultClient()
		let open = client.connection.state === 'open'
		this.#abort = new AbortController()
		const ends = [
			market.subscribe(() => this.#look()),
			client.onConnection(() => {
				const was = open
				open = client.connection.state === 'open'
				if (open && !was && this.#known !== null) void this.#load()
			})
		]
		const shown = () => { if (!document.hidden) void this.#load() }
		document.addEventListener('visibilitychange', shown)
		this.#stop = () => {
			for (const end of ends) end()
			document.removeEventListener('visibilitychange', shown)
			clearTimeout(this.#timer)
			this.#abort.abort()
			this.#loading = false
			if (this.older === 'loading') this.older = 'more'
			this.#stop = null
		}
		this.#look()
		void this.#load()
	}

	/** A price may have come. One that does not differ makes no candle, as it made none in the database. */
	#look(): void {
		const coin = market.byId(this.id)
		if (coin === undefined || coin.price === this.#price) return
		const now = serverNow()
		const second = Math.floor(now)
		const first = this.#price === null
		this.#price = coin.price
		if (this.seen.at(-1)?.time === second) this.seen.pop()
		this.seen.push({ time: second, value: coin.price })
		if (this.seen.length > seenMax) this.seen.shift()
		if (this.loaded && (!first || this.candles.at(-1)?.close !== coin.price))
			carryOn(this.candles, coin.price, coin.volume24h, now, this.step)
		this.#tell('last')
	}

	async #load(): Promise<void> {
		if (this.#loading) {
			this.#again = true
			return
		}
		const { signal } = this.#abort
		const now = serverNow()
		const limit = this.#known === null ? pageSize : Math.min(pageSize, Math.max(3, (beginOf(now, this.step) - this.#known) / this.step + 3))
		clearTimeout(this.#timer)
		this.#loading = true
		try {
			let reply = await fetchCandles(this.id, this.interval, { limit }, signal)
			// without `from` the daemon looks back only as far as `limit` candles would reach
			if (reply.candles.length === 0 && !this.loaded)
				reply = await fetchCandles(this.id, this.interval, { limit, from: 0 }, signal)
			if (signal.aborted) return
			this.candles = mergeNewer(this.candles, reply.candles, now, this.step)
			this.simulated ||= reply.simulated
			this.loaded = true
			this.problem = null
			this.#known = beginOf(now, this.step)
			this.#failures = 0
			this.#tell('all')
			this.#later((beginOf(serverNow(), this.step) + this.step - serverNow()) * 1000 + settle + Math.random() * 1000)
		} catch (error) {
			if (signal.aborted) return
			this.problem = explain(error)
			this.#tell('state')
			const pause = Math.min(30_000, 2000 * 2 ** this.#failures++)
			this.#later(Math.max(pause * (0.75 + Math.random() / 2), error instanceof Refusal ? error.retryAfter * 1000 : 0))
		} finally {
			if (!signal.aborted) {
				this.#loading = false
				if (this.#again) {
					this.#again = false
					void this.#load()
				}
			}
		}
	}

	#later(ms: number): void {
		clearTimeout(this.#timer)
		// a hidden page catches up when it is shown again
		this.#timer = setTimeout(() => { if (!document.hidden) void this.#load() }, ms)
	}

	/** Get the candles before the first. */
	async loadOlder(): Promise<void> {
		const first = this.candles[0]
		if (first === undefined || this.older !== 'more' || !this.held) return
		const { signal } = this.#abort
		const args = { to: first.time, limit: pageSize }
		this.older = 'loading'
		this.#tell('state')
		try {
			let reply = await fetchCandles(this.id, this.interval, args, signal)
			if (reply.candles.length === 0) reply = await fetchCandles(this.id, this.interval, { ...args, from: 0 }, signal)
			if (signal.aborted) return
			const before = this.candles.length
			this.candles = mergeOlder(this.candles, reply.candles)
			this.older = this.candles.length > before ? 'more' : 'end'
			this.#tell('all')
		} catch {
			if (signal.aborted) return
			// stays 'loading' for a moment, so that a finger that goes on scrolling does not ask a hundred times
			setTimeout(() => {
				if (this.older === 'loading') this.older = 'more'
				this.#tell('state')
			}, 3000)
		}
	}

	#tell(change: Change): void {
		this.version++
		for (const listener of [...this.#listeners]) listener(change)
	}
}

function explain(error: unknown): string {
	if (error instanceof Refusal) {
		if (error.status === 404) return 'the database has recorded nothing of this coin yet'
		if (error.status === 429) return 'too many requests, asking again in a moment'
		return error.message
	}
	if (error instanceof DOMException && error.name === 'TimeoutError') return 'the daemon has not answered within 10 s'
	return 'the daemon does not answer'
}

const feeds = new Map<string, CandleFeed>()

/** The feed of a coin and an interval; the last few are kept, so that going back and forth shows at once what was there. */
export function candleFeed(id: string, interval: Interval): CandleFeed {
	const key = `${interval} ${id}`
	const feed = feeds.get(key) ?? new CandleFeed(id, interval)
	feeds.delete(key)
	feeds.set(key, feed)
	for (const [old, it] of feeds) {
		if (feeds.size <= feedsKept) break
		if (!it.held) feeds.delete(old)
	}
	return feed
}

/** A feed, held while the component is there; it renders anew with each change. */
export function useCandles(id: string, interval: Interval): CandleFeed {
	const feed = useMemo(() => candleFeed(id, interval), [id, interval])
	useEffect(() => feed.hold(), [feed])
	useSyncExternalStore(feed.listen, () => feed.version, () => 0)
	return feed
}
