// The starred coins, by id, kept in the browser in the order in which they were starred.
import { useSyncExternalStore } from 'react'
import { stored, useStored } from './storage'

const MOST = 1000

function parse(value: unknown): readonly string[] | undefined {
	if (!Array.isArray(value)) return undefined
	return [...new Set(value.filter((id): id is string => typeof id === 'string' && id !== ''))].slice(0, MOST)
}

const list = stored<readonly string[]>('watchlist', [], parse)
let members = new Set(list.get())
list.subscribe(() => (members = new Set(list.get())))

export const watchlist = {
	ids: list.get,
	has: (id: string): boolean => members.has(id),
	/** true: it is on the list now */
	toggle(id: string): boolean {
		const on = !members.has(id)
		list.set(on ? [...list.get(), id].slice(-MOST) : list.get().filter(other => other !== id))
		return on
	},
	subscribe: list.subscribe
}

export function useWatched(id: string): boolean {
	return useSyncExternalStore(watchlist.subscribe, () => watchlist.has(id))
}

export function useWatchlist(): readonly string[] {
	return useStored(list)
}
