// Searching all coins as one types: each coin's name, symbol and id are folded once (case, accents), and a keystroke runs over them.
import type { Coin } from './market'

interface Entry {
	coin: Coin
	symbol: string
	name: string
	id: string
}

let of: readonly Coin[] = []
let index: Entry[] = []
const folded = new WeakMap<Coin, Entry>()

export function fold(text: string): string {
	const lower = text.toLowerCase()
	// eslint-disable-next-line no-control-regex -- ASCII needs no normalising, and most is ASCII
	return /^[\x00-\x7f]*$/.test(lower) ? lower : lower.normalize('NFKD').replace(/\p{M}/gu, '')
}

/** How well it matches, 0 the best, or -1. */
function score(entry: Entry, query: string): number {
	const { symbol, name, id } = entry
	if (symbol === query) return 0
	if (name === query || id === query) return 1
	if (symbol.startsWith(query)) return 2
	if (name.startsWith(query)) return 3
	const at = name.indexOf(query)
	if (at > 0) return name[at - 1] === ' ' ? 4 : 5
	return symbol.includes(query) || id.includes(query) ? 5 : -1
}

/** So that the first keystroke need not: when the field gets the focus. */
export function prepareSearch(coins: readonly Coin[]): void {
	if (of === coins) return
	of = coins
	index = coins.map(coin => {
		let entry = folded.get(coin)
		if (!entry) folded.set(coin, (entry = { coin, symbol: fold(coin.symbol), name: fold(coin.name), id: coin.id }))
		return entry
	})
}

/** The coins that match, the best first, by rank within. @param coins by rank */
export function searchCoins(coins: readonly Coin[], text: string): Coin[] {
	const query = fold(text.trim())
	if (!query) return [...coins]
	prepareSearch(coins)
	const found: Coin[][] = [[], [], [], [], [], []]
	for (const entry of index) {
		const how = score(entry, query)
		if (how >= 0) found[how]?.push(entry.coin)
	}
	return found.flat()
}
