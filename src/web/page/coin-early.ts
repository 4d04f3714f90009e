// A coin by itself, for those who come by a link while the list is still on its way: the first hundred come at once, the others only
// with all, which is five megabytes. What the daemon says of this one is shown until the store has it.
import { useEffect, useState } from 'react'
import type { Quote } from './load'
import type { Coin } from './market'

export type Early = Coin | 'asking' | 'none' | 'failed'

/** @param wanted false when the store has the coin, or knows that there is none */
export function useEarly(id: string, wanted: boolean): Early {
	const [early, setEarly] = useState<Early>('asking')
	useEffect(() => {
		if (!wanted) return
		const left = new AbortController()
		async function ask(): Promise<void> {
			try {
				// not /price: its 404 for a coin that is not there would stand in the browser's console as an error
				const response = await fetch(`/api/v1/crypto/prices?symbols=${encodeURIComponent('id:' + id)}`, { signal: left.signal })
				const { prices } = (await response.json()) as { prices?: Record<string, Quote> }
				const quote = Object.values(prices ?? {})[0]
				if (!response.ok) setEarly('failed')
				else setEarly(quote?.id === id && typeof quote.price === 'number' ? coinOf(quote) : 'none')
			} catch {
				if (!left.signal.aborted) setEarly('failed')
			}
		}
		void ask()
		return () => left.abort()
	}, [id, wanted])
	return early
}

function coinOf(quote: Quote): Coin {
	return {
		id: quote.id, symbol: quote.symbol, name: quote.name ?? quote.symbol, rank: quote.rank ?? Infinity, price: quote.price,
		change1h: quote.change_1h ?? null, change24h: quote.change_24h ?? null, change7d: quote.change_7d ?? null,
		volume24h: quote.volume_24h ?? null, marketCap: quote.market_cap ?? null, circulatingSupply: quote.circulating_supply ?? null,
		totalSupply: quote.total_supply ?? null, maxSupply: quote.max_supply ?? null,
		updatedAt: Math.min(Date.now(), Date.parse(quote.last_updated)), interval: quote.update_interval ?? 60, tier: quote.tier ?? '',
		simulated: quote.source === 'simulated', direction: 0, movedAt: 0, moves: 0, version: 0, tickedAt: 0
	}
}
