/**
 * What the hooks return of a coin, as React wants it: the same object as long as nothing in it has changed.
 */
import type { CryptoRtClient } from './client.js'
import { keyOf } from './symbols.js'
import type { CryptoPrice } from './types.js'

/** Before anything is known, and on a server. */
export function loadingPrice(symbol: string | null | undefined): CryptoPrice {
	return {
		symbol: keyOf(symbol ?? ''),
		price: null,
		change24h: null,
		previous: null,
		direction: 0,
		updatedAt: null,
		status: 'loading',
		stale: false,
		error: null
	}
}

function readPrice(client: CryptoRtClient, symbol: string): CryptoPrice {
	const problem = client.problem(symbol)
	const entry = client.entry(symbol)
	if (entry === undefined || problem !== null) {
		const error = problem ?? (client.stale ? (client.connection.error ?? 'No connection to the price server') : null)
		return { ...loadingPrice(symbol), status: error === null ? 'loading' : 'error', error }
	}
	return {
		symbol: entry.symbol,
		price: entry.tick.price,
		change24h: entry.tick.change,
		previous: entry.previous,
		direction: entry.direction,
		updatedAt: entry.at,
		status: client.stale ? 'stale' : 'live',
		stale: client.stale,
		error: client.stale ? client.connection.error : null
	}
}

function same(a: CryptoPrice, b: CryptoPrice): boolean {
	for (const key in a) if (a[key as keyof CryptoPrice] !== b[key as keyof CryptoPrice]) return false
	return true
}

export interface Source<T> {
	subscribe(onChange: () => void): () => void
	read(): T
	/** On a server, and while a server's page is taken over. */
	readonly first: T
}

export function priceSource(client: CryptoRtClient, symbol: string | null | undefined): Source<CryptoPrice> {
	const first = loadingPrice(symbol)
	if (symbol === null || symbol === undefined) return { subscribe: () => () => {}, read: () => first, first }
	let last = first
	return {
		subscribe: onChange => both(client.subscribe([symbol], onChange), client.onState(onChange)),
		read() {
			const price = readPrice(client, symbol)
			return same(last, price) ? last : (last = price)
		},
		first
	}
}

export function pricesSource(client: CryptoRtClient, symbols: readonly string[]): Source<Readonly<Record<string, CryptoPrice>>> {
	const record = () => Object.create(null) as Record<string, CryptoPrice>
	const first = record()
	for (const symbol of symbols) first[symbol] = loadingPrice(symbol)
	let last = first
	return {
		subscribe: onChange => both(client.subscribe(symbols, onChange), client.onState(onChange)),
		read() {
			const prices = record()
			let changed = false
			for (const symbol in last) {
				const before = last[symbol] as CryptoPrice
				const price = readPrice(client, symbol)
				prices[symbol] = same(before, price) ? before : price
				changed ||= prices[symbol] !== before
			}
			return changed ? (last = prices) : last
		},
		first
	}
}

export function both(first: () => void, second: () => void): () => void {
	return () => {
		first()
		second()
	}
}
