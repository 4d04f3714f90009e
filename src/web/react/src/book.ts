/**
 * The coins, as they are known here: of each the newest tick, and the price before it.
 */
import type { Tick, Ticks } from './types.js'

export interface Entry {
	readonly symbol: string
	readonly tick: Tick
	readonly previous: number | null
	readonly direction: -1 | 0 | 1
	readonly at: number
}

/** A record in which any symbol can be a key, '__proto__' too. */
export const noTicks = () => Object.create(null) as Ticks

function readTick(value: unknown): Tick | null {
	if (typeof value !== 'object' || value === null) return null
	const { price, change } = value as { price?: unknown; change?: unknown }
	return typeof price === 'number' ? { price, change: typeof change === 'number' ? change : null } : null
}

export class Book {
	readonly #entries = new Map<string, Entry>()

	get(symbol: string): Entry | undefined {
		return this.#entries.get(symbol)
	}

	symbols(): IterableIterator<string> {
		return this.#entries.keys()
	}

	/** Enter what a frame holds; returns what of it has changed, and what is new. */
	enter(data: Record<string, unknown>): { changed: Ticks; count: number; added: string[] } {
		const at = Date.now()
		const changed = noTicks()
		const added: string[] = []
		let count = 0
		for (const [symbol, value] of Object.entries(data)) {
			const tick = readTick(value)
			const before = this.#entries.get(symbol)
			if (tick === null || (before !== undefined && before.tick.price === tick.price && before.tick.change === tick.change)) continue
			if (before === undefined) added.push(symbol)
			this.#entries.set(symbol, next(symbol, before, tick, at))
			changed[symbol] = tick
			count++
		}
		return { changed, count, added }
	}

	retain(isWanted: (symbol: string) => boolean): void {
		for (const symbol of this.#entries.keys()) if (!isWanted(symbol)) this.#entries.delete(symbol)
	}
}

function next(symbol: string, before: Entry | undefined, tick: Tick, at: number): Entry {
	if (before === undefined) return { symbol, tick, previous: null, direction: 0, at }
	// only its change of 24 h is another
	if (before.tick.price === tick.price) return { ...before, tick }
	return { symbol, tick, previous: before.tick.price, direction: tick.price > before.tick.price ? 1 : -1, at }
}
