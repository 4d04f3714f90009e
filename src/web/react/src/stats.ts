/**
 * /api/v1/crypto/stats, asked every 5 s while somebody listens and the page is seen, and at other times by who doubts the stream.
 */
import type { Stats } from './types.js'

const INTERVAL = 5_000
const PATIENCE = 10_000

/** The daemon, or something before it, has answered, but not with what was asked for. */
class Refusal extends Error {}

/** JSON from the daemon, no older than the question; an error when it is anything else, or late. */
export async function ask<T>(url: string): Promise<T> {
	const abort = new AbortController()
	const timer = setTimeout(() => abort.abort(), PATIENCE)
	try {
		const reply = await fetch(url, { cache: 'no-store', signal: abort.signal })
		if (!reply.ok) throw new Refusal(`The price server answers ${reply.status}`)
		return (await reply.json()) as T
	} finally {
		clearTimeout(timer)
	}
}

export class StatsPoller {
	value: Stats | null = null
	/** When the value came; and when anything came of asking, even an error.  In ms as Date.now(). */
	valueAt: number | null = null
	askedAt: number | null = null
	/** Of the last time that it was asked. */
	failed = false
	/** There was no answer whatever. */
	unreachable = false

	readonly #url: string
	readonly #listeners = new Set<() => void>()
	#timer: ReturnType<typeof setTimeout> | undefined
	#asking: Promise<void> | null = null

	constructor(base: string) {
		this.#url = `${base}/api/v1/crypto/stats`
	}

	get wanted(): boolean {
		return this.#listeners.size > 0
	}

	/** When the newest price of any coin came, by what is known here. */
	get lastPriceAt(): number | null {
		const age = this.value?.age_seconds
		return typeof age === 'number' && this.valueAt !== null ? this.valueAt - age * 1000 : null
	}

	listen(listener: () => void): () => void {
		const entry = () => listener()
		this.#listeners.add(entry)
		if (this.#listeners.size === 1) {
			document.addEventListener('visibilitychange', this.#turn)
			this.#turn()
		}
		return () => {
			if (!this.#listeners.delete(entry) || this.wanted) return
			document.removeEventListener('visibilitychange', this.#turn)
			clearTimeout(this.#timer)
		}
	}

	/** Ask now, unless it is being asked. */
	ask(): Promise<void> {
		this.#asking ??= this.#fetch().finally(() => {
			this.#asking = null
		})
		return this.#asking
	}

	askIfOld(): void {
		if (this.askedAt === null || Date.now() - this.askedAt >= INTERVAL) void this.ask()
	}

	close(): void {
		document.removeEventListener('visibilitychange', this.#turn)
		clearTimeout(this.#timer)
		this.#listeners.clear()
	}

	async #fetch(): Promise<void> {
		try {
			const value = await ask<Stats>(this.#url)
			if (typeof value !== 'object' || value === null) throw new Refusal('These are no statistics')
			this.value = value
			this.valueAt = Date.now()
			this.failed = this.unreachable = false
		} catch (error) {
			this.failed = true
			this.unreachable = !(error instanceof Refusal || error instanceof SyntaxError)
		}
		this.askedAt = Date.now()
		for (const listener of [...this.#listeners]) listener()
	}

	/** Ask, and again in 5 s, while there is somebody to see it. */
	readonly #turn = (): void => {
		clearTimeout(this.#timer)
		if (document.hidden || !this.wanted) return
		void this.ask().then(() => {
			clearTimeout(this.#timer)
			if (this.wanted && !document.hidden) this.#timer = setTimeout(this.#turn, INTERVAL)
		})
	}
}
