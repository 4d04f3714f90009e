/**
 * What the stream does not say: which symbol an 'id:bitcoin' has, and that a coin is unknown, which the stream just leaves out.
 */
import { ask } from './stats.js'
import { chunks, idOf, isId } from './symbols.js'

const RETRY = 5_000

interface Quotes {
	prices: Record<string, { symbol: string; id?: string }>
}

export class Lookup {
	readonly #base: string
	readonly #changed: (named: boolean) => void
	/** Keys that are being asked for, or have been since the last `renew`. */
	readonly #asked = new Set<string>()
	readonly #symbols = new Map<string, string>()
	/** The same the other way; an id that has another spelling is another key. */
	readonly #ids = new Map<string, Set<string>>()
	readonly #problems = new Map<string, string>()
	#failedAt = -RETRY

	/** @param changed what is known is other than before; `named`: an id has got another symbol. */
	constructor(base: string, changed: (named: boolean) => void) {
		this.#base = base
		this.#changed = changed
	}

	symbolOf(key: string): string | undefined {
		return this.#symbols.get(key)
	}

	/** The keys 'id:…' that stand for a symbol. */
	idsOf(symbol: string): ReadonlySet<string> | undefined {
		return this.#ids.get(symbol)
	}

	problem(key: string): string | null {
		return this.#problems.get(key) ?? null
	}

	/** Look up what has not been looked up yet. */
	need(keys: readonly string[]): void {
		const wanted = keys.filter(key => !this.#asked.has(key))
		if (wanted.length === 0 || Date.now() - this.#failedAt < RETRY) return
		for (const list of chunks(wanted, this.#base)) void this.#ask(list, list.split(',').map(decodeURIComponent))
	}

	/** It has come after all. */
	found(symbol: string): void {
		this.#problems.delete(symbol)
		for (const key of this.#ids.get(symbol) ?? []) this.#problems.delete(key)
	}

	/** What was found may be so no more. */
	renew(): void {
		this.#asked.clear()
	}

	forget(): void {
		this.#asked.clear()
		this.#symbols.clear()
		this.#ids.clear()
		this.#problems.clear()
		this.#failedAt = -RETRY
	}

	async #ask(list: string, keys: readonly string[]): Promise<void> {
		let named = false
		for (const key of keys) this.#asked.add(key)
		try {
			const { prices } = await ask<Quotes>(`${this.#base}/api/v1/crypto/prices?symbols=${list}`)
			const symbolById = new Map(Object.entries(prices).map(([symbol, quote]) => [quote.id, symbol]))
			for (const key of keys)
				if (isId(key)) named = this.#judge(key, symbolById.get(idOf(key))) || named
				else this.#judge(key, Object.hasOwn(prices, key) ? key : undefined)
		} catch {
			this.#failedAt = Date.now()
			for (const key of keys) this.#asked.delete(key)
			return
		}
		this.#changed(named)
	}

	/** Whether it has got another symbol. */
	#judge(key: string, symbol: string | undefined): boolean {
		if (!this.#asked.has(key)) return false // it was forgotten meanwhile
		if (symbol !== undefined) this.#problems.delete(key)
		else this.#problems.set(key, isId(key) ? `There is no coin with the id “${idOf(key)}”` : `There is no coin “${key}”`)
		if (!isId(key) || this.#symbols.get(key) === symbol) return false
		this.#name(key, symbol)
		return true
	}

	#name(key: string, symbol: string | undefined): void {
		const before = this.#symbols.get(key)
		if (before !== undefined) this.#ids.get(before)?.delete(key)
		this.#symbols.delete(key)
		if (symbol === undefined) return
		this.#symbols.set(key, symbol)
		const ids = this.#ids.get(symbol)
		if (ids === undefined) this.#ids.set(symbol, new Set([key]))
		else ids.add(key)
	}
}
