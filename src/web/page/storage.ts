// What the browser keeps (theme, watchlist, portfolio): localStorage that may be absent, full or hold rubbish. Each value has a parser that
// refuses rubbish; without storage it lives as long as the tab. Other tabs' changes arrive by the storage event.
import { useSyncExternalStore } from 'react'

const PREFIX = 'crypto_rt:'

export interface Stored<T> {
	get(): T
	/** false: it is not kept beyond this tab */
	set(value: T): boolean
	subscribe(listener: () => void): () => void
}

/** @param parse gets what JSON.parse made of it; undefined means rubbish */
export function stored<T>(key: string, initial: T, parse: (value: unknown) => T | undefined): Stored<T> {
	const name = PREFIX + key
	const listeners = new Set<() => void>()
	let value = read() ?? initial

	function read(): T | undefined {
		try {
			const text = localStorage.getItem(name)
			return text === null ? undefined : parse(JSON.parse(text))
		} catch {
			return undefined
		}
	}

	function tell(): void {
		for (const listener of listeners) listener()
	}

	window.addEventListener('storage', event => {
		// a null key: everything was cleared
		if (event.key !== name && event.key !== null) return
		value = read() ?? initial
		tell()
	})

	return {
		get: () => value,
		set(next) {
			value = next
			let kept = true
			try {
				localStorage.setItem(name, JSON.stringify(next))
			} catch {
				kept = false
			}
			tell()
			return kept
		},
		subscribe(listener) {
			listeners.add(listener)
			return () => void listeners.delete(listener)
		}
	}
}

export function useStored<T>(store: Stored<T>): T {
	return useSyncExternalStore(store.subscribe, store.get)
}
