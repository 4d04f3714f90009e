// Which coins a list shows, and in which order. A column that moves is sorted anew at most once a second, and not while `held`: rows must
// not jump away under the pointer.
import { useEffect, useMemo, useReducer, useRef } from 'react'
import type { Column, Sort } from './liststate'
import { market, type Coin } from './market'
import { searchCoins } from './search'

const RESORT_MS = 1000
const LIVE: readonly Column[] = ['price', 'change24h', 'marketCap']
const byName = new Intl.Collator('en', { sensitivity: 'base', numeric: true })

export function compareBy({ column, descending }: Sort): (a: Coin, b: Coin) => number {
	const sign = descending ? -1 : 1
	if (column === 'name') return (a, b) => sign * byName.compare(a.name, b.name) || a.rank - b.rank
	return (a, b) => {
		const x = a[column]
		const y = b[column]
		if (x === y) return a.rank - b.rank
		// unknown ones are last, whichever way
		if (x === null) return 1
		if (y === null) return -1
		return sign * (x - y)
	}
}

interface Cache {
	coins: readonly Coin[]
	only: readonly string[] | null
	query: string
	sort: Sort | null
	turn: number
	rows: Coin[]
}

/** @param only ids that are shown, null: all */
export function useOrder(query: string, sort: Sort | null, only: readonly string[] | null, held: () => boolean): readonly Coin[] {
	const [turn, nextTurn] = useReducer((n: number) => n + 1, 0)
	const cache = useRef<Cache | null>(null)
	useEffect(() => {
		let timer = 0
		let dirty = false
		function due(): void {
			timer = 0
			if (held()) timer = window.setTimeout(due, RESORT_MS / 4)
			else {
				dirty = false
				nextTurn()
			}
		}
		// more coins than there were: the rest of the market has come, nothing to be held
		function onChange(changed: ReadonlySet<Coin>): void {
			const coins = market.coins()
			if (coins.length > (cache.current?.coins.length ?? 0) + 1000 || !cache.current?.coins.length) return nextTurn()
			if (dirty) return
			if (coins !== cache.current.coins || (sort && LIVE.includes(sort.column) && changed.size)) {
				dirty = true
				timer = window.setTimeout(due, RESORT_MS)
			}
		}
		const stop = market.subscribe(onChange)
		onChange(new Set())
		return () => {
			stop()
			clearTimeout(timer)
		}
	}, [sort, held])

	return useMemo(() => {
		const before = cache.current
		// what the user asks for is done with the coins of this moment; a turn as well
		const coins = market.coins()
		const same = before && before.coins === coins && before.only === only && before.query === query
		let rows: Coin[]
		// nearly in order already: sorting that takes a tenth of the time
		if (same && before.sort === sort && sort) rows = [...before.rows]
		else {
			const chosen = only ? new Set(only) : null
			rows = searchCoins(coins, query)
			if (chosen) rows = rows.filter(coin => chosen.has(coin.id))
		}
		if (sort && !(sort.column === 'rank' && !sort.descending && !query)) rows.sort(compareBy(sort))
		cache.current = { coins, only, query, sort, turn, rows }
		return rows
	}, [query, sort, only, turn])
}
