// The one store of all coins: plain objects, mutated in place, so that 15,000 of them and a thousand changes a second cost next to nothing.
// Ticks are gathered and applied once per animation frame; listeners get the set of coins that changed. In a hidden tab a timer applies
// them, and listeners hear of it when the tab is seen again. What is older never overwrites what is newer: see applyQuotes.
import { useCallback, useSyncExternalStore } from 'react'
import { defaultClient, type Tick } from 'crypto-rt-react'
import { Refresher, type Quote, type Reply } from './load'

export interface Coin {
	id: string
	symbol: string
	name: string
	rank: number
	price: number
	change1h: number | null
	change24h: number | null
	change7d: number | null
	volume24h: number | null
	marketCap: number | null
	circulatingSupply: number | null
	totalSupply: number | null
	maxSupply: number | null
	/** ms of this browser's clock: the last tick, or the last time the daemon confirmed the price */
	updatedAt: number
	/** s between polls of its tier */
	interval: number
	tier: string
	simulated: boolean
	/** of the last move */
	direction: -1 | 0 | 1
	/** performance.now() of the last move, 0: none yet */
	movedAt: number
	/** counts moves; rows flash when it grows */
	moves: number
	/** another number after each change of anything */
	version: number
	/** ms of the last tick, 0: none; quotes as of an earlier time leave price and change alone */
	tickedAt: number
}

export interface MarketState {
	/** partial: only the first hundred are there */
	state: 'loading' | 'partial' | 'ready' | 'error'
	count: number
	/** why the last request failed; with 'partial' and 'ready' what is there stays usable */
	error: string | null
	/** ms when it is tried again */
	retryAt: number | null
}

type Listener = (changed: ReadonlySet<Coin>) => void

const HIDDEN_FLUSH_MS = 1000

let list: Coin[] = []
let version = 0
const ids = new Map<string, Coin>()
const symbols = new Map<string, Coin>()
const pending = new Map<string, Tick>()
let changed = new Set<Coin>()
/** the list is another since listeners were told */
let relisted = false
let scheduled: { frame: number; timer: number } | null = null
const listeners = new Set<Listener>()
const watchers = new Map<string, Set<() => void>>()
const stateListeners = new Set<() => void>()
let state: MarketState = { state: 'loading', count: 0, error: null, retryAt: null }

const refresher = new Refresher({
	begin: () => setState({ error: state.count ? state.error : null, retryAt: null }),
	quotes: applyQuotes,
	done: finishReply,
	failed: (error, retryAt) => setState({ state: state.count ? state.state : 'error', error, retryAt })
})

function setState(change: Partial<MarketState>): void {
	state = { ...state, ...change }
	for (const listener of stateListeners) listener()
}

function touch(coin: Coin): void {
	coin.version = ++version
	changed.add(coin)
}

function move(coin: Coin, price: number): void {
	coin.direction = price > coin.price ? 1 : -1
	coin.price = price
	coin.movedAt = performance.now()
	coin.moves++
}

function schedule(): void {
	if (scheduled) return
	scheduled = { frame: 0, timer: 0 }
	if (document.hidden) scheduled.timer = window.setTimeout(flush, HIDDEN_FLUSH_MS)
	else scheduled.frame = requestAnimationFrame(flush)
}

function flush(): void {
	scheduled = null
	const now = Date.now()
	for (const [symbol, tick] of pending) {
		const coin = symbols.get(symbol)
		if (coin) applyTick(coin, tick, now)
		else refresher.within(15)
	}
	pending.clear()
	if (document.hidden || !(changed.size || relisted)) return
	relisted = false
	const told = changed
	changed = new Set()
	for (const listener of listeners) listener(told)
	if (watchers.size < told.size) {
		for (const [id, set] of watchers) {
			const coin = ids.get(id)
			if (!coin || told.has(coin)) for (const listener of set) listener()
		}
	} else for (const coin of told) for (const listener of watchers.get(coin.id) ?? []) listener()
}

function applyTick(coin: Coin, tick: Tick, now: number): void {
	if (tick.price !== coin.price) {
		move(coin, tick.price)
		if (coin.circulatingSupply !== null) coin.marketCap = tick.price * coin.circulatingSupply
	} else if (tick.change === coin.change24h && coin.updatedAt >= now - 1000) return
	coin.change24h = tick.change
	coin.tickedAt = now
	coin.updatedAt = now
	touch(coin)
}

/** A frame of the stream. A snapshot is what was there at connecting, however old: it confirms nothing, so only differences count. */
function onTicks(ticks: Record<string, Tick>, snapshot: boolean): void {
	for (const symbol in ticks) {
		const tick = ticks[symbol]
		if (!tick) continue
		if (snapshot && !pending.has(symbol)) {
			const coin = symbols.get(symbol)
			if (coin && coin.price === tick.price && coin.change24h === tick.change) continue
		}
		pending.set(symbol, tick)
	}
	if (pending.size) schedule()
}

/** Part of a reply. It is as of the time when it was asked for, or earlier when it came out of a cache; ticks since then win. */
function applyQuotes(quotes: Quote[], reply: Reply): void {
	for (const quote of quotes) {
		let coin = ids.get(quote.id)
		const updatedAt = Math.min(Date.parse(quote.last_updated) - reply.clockOffset, Date.now())
		if (!coin) {
			ids.set(quote.id, (coin = newCoin(quote, updatedAt)))
			touch(coin)
		} else if (updateCoin(coin, quote, updatedAt, reply.asOf)) touch(coin)
		symbols.set(quote.symbol, coin)
		reply.seen.add(coin)
	}
	if (changed.size) schedule()
}

function newCoin(quote: Quote, updatedAt: number): Coin {
	return {
		id: quote.id, symbol: quote.symbol, name: quote.name ?? quote.symbol, rank: quote.rank ?? Infinity,
		price: quote.price, change1h: quote.change_1h ?? null, change24h: quote.change_24h ?? null, change7d: quote.change_7d ?? null,
		volume24h: quote.volume_24h ?? null, marketCap: quote.market_cap ?? null,
		circulatingSupply: quote.circulating_supply ?? null, totalSupply: quote.total_supply ?? null, maxSupply: quote.max_supply ?? null,
		updatedAt, interval: quote.update_interval ?? 60, tier: quote.tier ?? '', simulated: quote.source === 'simulated',
		direction: 0, movedAt: 0, moves: 0, version: 0, tickedAt: 0
	}
}

function updateCoin(coin: Coin, quote: Quote, updatedAt: number, asOf: number): boolean {
	const next = newCoin(quote, Math.max(updatedAt, coin.updatedAt))
	if (coin.tickedAt > asOf) {
		next.price = coin.price
		next.change24h = coin.change24h
		if (coin.circulatingSupply !== null) next.marketCap = coin.marketCap
	}
	let differs = false
	if (next.price !== coin.price) {
		move(coin, next.price)
		differs = true
	}
	for (const key of QUOTED) {
		if (coin[key] === next[key]) continue
		differs = true
		;(coin as unknown as Record<string, unknown>)[key] = next[key]
	}
	return differs
}

const QUOTED = [
	'symbol', 'name', 'rank', 'change1h', 'change24h', 'change7d', 'volume24h', 'marketCap', 'circulatingSupply', 'totalSupply',
	'maxSupply', 'updatedAt', 'interval', 'tier', 'simulated'
] as const

/** The reply is whole: coins that it did not have are gone, and the list is by rank again. */
function finishReply(reply: Reply): void {
	if (reply.complete) {
		for (const coin of ids.values()) {
			if (reply.seen.has(coin)) continue
			ids.delete(coin.id)
			touch(coin)
		}
		for (const [symbol, coin] of symbols) if (coin.symbol !== symbol || !ids.has(coin.id)) symbols.delete(symbol)
	}
	const next = [...ids.values()].sort((a, b) => a.rank - b.rank)
	if (next.length !== list.length || next.some((coin, i) => coin !== list[i])) {
		list = next
		relisted = true
		schedule()
	}
	setState({ state: reply.complete ? 'ready' : state.state === 'ready' ? 'ready' : 'partial', count: list.length, error: null, retryAt: null })
}

function onVisibility(): void {
	if (scheduled) {
		cancelAnimationFrame(scheduled.frame)
		clearTimeout(scheduled.timer)
		scheduled = null
	}
	if (pending.size || changed.size || relisted) schedule()
}

/** Load and listen. The stream begins with all coins in one frame: it is asked for when these are known. */
function start(): Promise<void> {
	document.addEventListener('visibilitychange', onVisibility)
	const client = defaultClient()
	return refresher.start(() => {
		client.subscribe('*', onTicks)
		let opened = 0
		let open = false
		client.onConnection(() => {
			const wasOpen = open
			open = client.connection.state === 'open'
			// volumes and caps are not in the stream: what was missed of them comes with a reply
			if (open && !wasOpen && ++opened > 1) refresher.within(1)
		})
	})
}

export const market = {
	start,
	/** by rank; another array when coins came or went */
	coins: (): readonly Coin[] => list,
	byId: (id: string): Coin | undefined => ids.get(id),
	bySymbol: (symbol: string): Coin | undefined => symbols.get(symbol) ?? symbols.get(symbol.toUpperCase()),
	/** at most once per animation frame, never while the tab is hidden; also when the list is another one */
	subscribe(listener: Listener): () => void {
		listeners.add(listener)
		return () => void listeners.delete(listener)
	},
	watch(id: string, listener: () => void): () => void {
		const set = watchers.get(id) ?? new Set()
		watchers.set(id, set.add(listener))
		return () => {
			set.delete(listener)
			if (!set.size && watchers.get(id) === set) watchers.delete(id)
		}
	},
	state: (): MarketState => state,
	onState(listener: () => void): () => void {
		stateListeners.add(listener)
		return () => void stateListeners.delete(listener)
	},
	/** now, for a Retry button */
	retry: (): void => refresher.within(0)
}

/** For how many seconds a price of this interval is good. */
export function ttlSeconds(interval: number): number {
	return interval <= 10 ? 60 : interval <= 20 ? 120 : interval <= 30 ? 180 : 300
}

/** The age in seconds of a stale price, or null when it is fresh. An unchanged price comes without a tick and is confirmed by the
 *  minute's reply: as long as these come, what counts is the age that the last of them told. */
export function staleSeconds(coin: Coin, now = Date.now()): number | null {
	const asOf = refresher.confirmedAt(now)
	return asOf - coin.updatedAt > ttlSeconds(coin.interval) * 1000 ? Math.round((now - coin.updatedAt) / 1000) : null
}

/** The coin, kept current: the component renders again when it changes. */
export function useCoin(id: string): Coin | undefined {
	const subscribe = useCallback((listener: () => void) => market.watch(id, listener), [id])
	useSyncExternalStore(subscribe, () => ids.get(id)?.version ?? -1)
	return ids.get(id)
}

export function useMarket(): MarketState {
	return useSyncExternalStore(market.onState, market.state)
}
