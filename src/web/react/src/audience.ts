/**
 * Who listens, and to what.
 */
import { noTicks, type Book, type Entry } from './book.js'
import type { Lookup } from './lookup.js'
import { ALL, covers, isId, keyOf, refusal, type Asked } from './symbols.js'
import type { TickListener, Ticks } from './types.js'

export interface Subscriber {
	/** null: all. */
	keys: readonly string[] | null
	listener: TickListener
	/** It has been told where things stand. */
	told: boolean
}

export class Audience {
	readonly #book: Book
	readonly #lookup: Lookup
	readonly #subscribers = new Set<Subscriber>()
	/** Those who want single coins, by key. */
	readonly #byKey = new Map<string, Set<Subscriber>>()

	constructor(book: Book, lookup: Lookup) {
		this.#book = book
		this.#lookup = lookup
	}

	join(symbols: readonly string[] | typeof ALL, listener: TickListener): Subscriber {
		const keys = symbols === ALL ? null : [...new Set(symbols.map(keyOf))].filter(key => refusal(key) === null)
		const subscriber: Subscriber = { keys, listener, told: false }
		this.#subscribers.add(subscriber)
		for (const key of keys ?? []) {
			const those = this.#byKey.get(key)
			if (those === undefined) this.#byKey.set(key, new Set([subscriber]))
			else those.add(subscriber)
		}
		return subscriber
	}

	/** False: it had gone already. */
	leave(subscriber: Subscriber): boolean {
		if (!this.#subscribers.delete(subscriber)) return false
		for (const key of subscriber.keys ?? []) {
			const those = this.#byKey.get(key)
			if (those?.delete(subscriber) && those.size === 0) this.#byKey.delete(key)
		}
		return true
	}

	clear(): void {
		this.#subscribers.clear()
		this.#byKey.clear()
	}

	/** What all of them want together; null: nothing. */
	get wanted(): Asked | null {
		for (const { keys } of this.#subscribers) if (keys === null) return ALL
		return this.#byKey.size > 0 ? new Set(this.#byKey.keys()) : null
	}

	/** The single coins that are wanted. */
	keys(): IterableIterator<string> {
		return this.#byKey.keys()
	}

	entry(key: string): Entry | undefined {
		const symbol = isId(key) ? this.#lookup.symbolOf(key) : key
		return symbol === undefined ? undefined : this.#book.get(symbol)
	}

	/** From where on they are told everything again. */
	startAnew(isMeant: (subscriber: Subscriber) => boolean): void {
		for (const subscriber of this.#subscribers) if (isMeant(subscriber)) subscriber.told = false
	}

	/** Where things stand, for those who have not been told yet; `asked` is what has come. */
	tellStand(asked: Asked | null): void {
		for (const subscriber of [...this.#subscribers]) this.tellStandTo(subscriber, asked)
	}

	tellStandTo(subscriber: Subscriber, asked: Asked | null): void {
		if (subscriber.told || !this.#subscribers.has(subscriber)) return
		const ticks = noTicks()
		let count = 0
		for (const key of subscriber.keys ?? this.#book.symbols()) {
			const entry = this.entry(key)
			if (entry === undefined) continue
			ticks[key] = entry.tick
			count++
		}
		subscriber.told = count > 0 && covers(asked, subscriber.keys === null ? ALL : new Set(subscriber.keys))
		if (count > 0) call(subscriber, ticks, true)
	}

	/** What has changed, for the others. */
	tellChanged(changed: Ticks): void {
		const each = this.#byKey.size > 0 ? this.#sort(changed) : null
		for (const subscriber of [...this.#subscribers]) {
			const ticks = subscriber.keys === null ? changed : each?.get(subscriber)
			// a listener may have ended another
			if (subscriber.told && ticks !== undefined && this.#subscribers.has(subscriber)) call(subscriber, ticks, false)
		}
	}

	#sort(changed: Ticks): Map<Subscriber, Ticks> {
		const each = new Map<Subscriber, Ticks>()
		for (const symbol in changed)
			for (const key of [symbol, ...(this.#lookup.idsOf(symbol) ?? [])])
				for (const subscriber of this.#byKey.get(key) ?? []) {
					let ticks = each.get(subscriber)
					if (ticks === undefined) each.set(subscriber, (ticks = noTicks()))
					ticks[key] = changed[symbol]!
				}
		return each
	}
}

/** What a listener throws is its own affair, and not that of those after it. */
function call({ listener }: Subscriber, ticks: Ticks, snapshot: boolean): void {
	try {
		listener(ticks, snapshot)
	} catch (error) {
		queueMicrotask(() => {
			throw error
		})
	}
}
