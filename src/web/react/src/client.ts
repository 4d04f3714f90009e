/**
 * The prices of one daemon, for as many listeners as there are, over one connection.  No React in it.
 *
 * The stream is asked for the union of what the listeners want.  What it brings is kept by symbol, so that who comes later has
 * it at once, and each listener is told only of what has changed.
 */
import { Audience } from './audience.js'
import { Book, type Entry } from './book.js'
import { Lookup } from './lookup.js'
import { StatsPoller } from './stats.js'
import { Stream, type Frame } from './stream.js'
import { ALL, covers, isId, keyOf, refusal, type Asked } from './symbols.js'
import type { Connection, Stats, TickListener } from './types.js'
import { Watchdog } from './watchdog.js'

/** Listeners come in crowds: how long to wait for the rest of them, and how soon the symbols may change again. */
const GATHER = 30
const SPACING = 1_000
/** Symbols that nobody wants any more may still be back. */
const SHRINK_AFTER = 10_000
/** So may be everybody: a page that changes, React's StrictMode. */
const LINGER = 1_000

/** The first frame comes with the connection; who is not in it is not known, or so it seems. */
const ANSWER_WITHIN = 1_000
/** Without a connection for so long, prices are stale. */
const LOST_AFTER = 10_000
/** The market is delayed when no coin has got a price for so long. */
export const DELAYED_AFTER = 30_000

export class CryptoRtClient {
	readonly baseUrl: string
	readonly #book = new Book()
	readonly #lookup: Lookup
	readonly #audience: Audience
	readonly #connectionListeners = new Set<() => void>()
	readonly #stateListeners = new Set<() => void>()
	readonly #stats: StatsPoller
	readonly #stream: Stream
	readonly #watchdog: Watchdog
	#gathering: ReturnType<typeof setTimeout> | undefined
	#gatherAt = 0
	#wantedAt = 0
	#emptyAt = 0
	#newsAt: number | null = null
	#lostAt: number | null = null
	#stale = false

	/** @param options.baseUrl where the daemon is, such as 'https://prices.example.com'; '': where the page is from. */
	constructor(options: { baseUrl?: string } = {}) {
		this.baseUrl = (options.baseUrl ?? '').replace(/\/+$/, '')
		this.#stats = new StatsPoller(this.baseUrl)
		this.#lookup = new Lookup(this.baseUrl, named => this.#lookedUp(named))
		this.#audience = new Audience(this.#book, this.#lookup)
		this.#stream = new Stream(this.baseUrl, {
			opened: asked => this.#opened(asked),
			frame: frame => this.#frame(frame),
			changed: () => this.#connectionChanged()
		})
		this.#watchdog = new Watchdog(this.#stream, this.#stats, () => this.#pulse())
	}

	/**
	 * Be told of these coins, or of all.  What is known already comes at once (in a microtask), as a snapshot.  The ticks are
	 * by symbol in upper case, or by 'id:bitcoin' where a coin was asked for so.
	 */
	subscribe(symbols: readonly string[] | typeof ALL, listener: TickListener): () => void {
		const subscriber = this.#audience.join(symbols, listener)
		queueMicrotask(() => {
			this.#audience.tellStandTo(subscriber, this.#stream.asked)
			this.#lookUp()
		})
		this.#gather()
		return () => {
			if (this.#audience.leave(subscriber)) this.#gather()
		}
	}

	get connection(): Connection {
		return this.#stream.connection
	}

	onConnection(listener: () => void): () => void {
		return listen(this.#connectionListeners, listener)
	}

	/** The daemon's, at most 5 s old while somebody listens to them. */
	get stats(): Stats | null {
		return this.#stats.value
	}

	onStats(listener: () => void): () => void {
		return this.#stats.listen(listener)
	}

	/** Whether the last question for stats came to nothing; null: none has been answered yet. */
	get statsFailed(): boolean | null {
		return this.#stats.askedAt === null ? null : this.#stats.failed
	}

	/** When the newest price of any coin came, in ms as Date.now(); null: that is not known. */
	get lastPriceAt(): number | null {
		const told = this.#stats.lastPriceAt
		return told === null || this.#newsAt === null ? (told ?? this.#newsAt) : Math.max(told, this.#newsAt)
	}

	/** Whether what is known is old: the connection has been away for 10 s, or no coin has got a price for 30 s. */
	get stale(): boolean {
		return this.#stale
	}

	/** How many frames could not be read. */
	get badFrames(): number {
		return this.#stream.badFrames
	}

	/** Be told when `connection`, `stale`, `badFrames`, or the `entry` or `problem` of a coin without ticks, have changed. */
	onState(listener: () => void): () => void {
		return listen(this.#stateListeners, listener)
	}

	/** What is known of a coin that somebody has subscribed to. */
	entry(symbol: string): Entry | undefined {
		return this.#audience.entry(keyOf(symbol))
	}

	/** Why there is no price of a coin, and will be none; null: nothing speaks against it. */
	problem(symbol: string): string | null {
		const key = keyOf(symbol)
		return refusal(key) ?? this.#lookup.problem(key)
	}

	/** End everything now, all subscriptions too. */
	close(): void {
		clearTimeout(this.#gathering)
		this.#gathering = undefined
		this.#audience.clear()
		this.#shut()
		this.#connectionListeners.clear()
		this.#stateListeners.clear()
		this.#stats.close()
	}

	/*
	 * What is wanted.
	 */

	/** Those that come are soon asked for; those that go have time. */
	#gather(): void {
		const now = Date.now()
		const wanted = this.#audience.wanted
		if (wanted === null) this.#emptyAt = now
		const grows = wanted !== null && !covers(this.#stream.wanted, wanted)
		const at = now + (wanted === null ? LINGER : grows ? Math.max(GATHER, Math.min(SPACING, this.#wantedAt + SPACING - now)) : SHRINK_AFTER)
		if (this.#gathering !== undefined && this.#gatherAt <= at) return
		clearTimeout(this.#gathering)
		this.#gatherAt = at
		this.#gathering = setTimeout(() => this.#settle(), at - now)
	}

	#settle(): void {
		this.#gathering = undefined
		const wanted = this.#audience.wanted
		if (wanted !== null) {
			this.#wantedAt = Date.now()
			this.#watchdog.start()
			this.#stream.want(wanted)
			this.#lookUp()
		} else if (Date.now() - this.#emptyAt < LINGER) this.#gather()
		else this.#shut()
	}

	#shut(): void {
		this.#watchdog.stop()
		this.#stream.close()
		this.#lookup.forget()
		this.#book.retain(() => false)
		this.#wantedAt = 0
		this.#newsAt = this.#lostAt = null
		this.#stale = false
	}

	/*
	 * What comes.
	 */

	#opened(asked: Asked): void {
		if (asked !== ALL)
			this.#book.retain(symbol => asked.has(symbol) || [...(this.#lookup.idsOf(symbol) ?? [])].some(key => asked.has(key)))
		this.#stats.askIfOld()
	}

	#frame({ data, whole, anew, first, asked }: Frame): void {
		const { changed, count, added } = this.#book.enter(data)
		if (whole) this.#book.retain(symbol => Object.hasOwn(data, symbol))
		for (const symbol of added) this.#lookup.found(symbol)
		if (count > 0) {
			this.#watchdog.news()
			// what comes first may have been so for long
			if (!first) this.#newsAt = Date.now()
		}
		if (anew) this.#audience.startAnew(() => true)
		if (count > 0) this.#audience.tellChanged(changed)
		this.#audience.tellStand(asked)
		if (first) this.#lookUp()
		if (whole) this.#tell()
	}

	#lookedUp(named: boolean): void {
		if (named) {
			this.#audience.startAnew(({ keys }) => keys !== null && keys.some(isId))
			this.#audience.tellStand(this.#stream.asked)
		}
		this.#tell()
	}

	/** Coins of which nothing has come, though they have been asked for. */
	#lookUp(): void {
		const asked = this.#stream.asked
		const missing: string[] = []
		for (const key of this.#audience.keys()) {
			const isNamed = !isId(key) || this.#lookup.symbolOf(key) !== undefined
			if (!isNamed || (asked !== null && covers(asked, new Set([key])) && this.#audience.entry(key) === undefined)) missing.push(key)
		}
		if (missing.length > 0) this.#lookup.need(missing)
	}

	/*
	 * How things stand.
	 */

	#pulse(): void {
		// a coin that is known comes at once
		if (this.#stream.isOpen && Date.now() - this.#stream.openedAt >= ANSWER_WITHIN) this.#lookUp()
		this.#judge()
	}

	#connectionChanged(): void {
		const { state } = this.#stream.connection
		if (state === 'open' || state === 'idle') this.#lostAt = null
		else this.#lostAt ??= Date.now()
		if (state === 'reconnecting') this.#lookup.renew()
		this.#judge(true)
		for (const listener of [...this.#connectionListeners]) listener()
	}

	#judge(changed = false): void {
		const now = Date.now()
		const lastPriceAt = this.lastPriceAt
		const stale =
			this.#lostAt !== null ? now - this.#lostAt >= LOST_AFTER : lastPriceAt !== null && now - lastPriceAt > DELAYED_AFTER
		if (stale === this.#stale && !changed) return
		this.#stale = stale
		this.#tell()
	}

	#tell(): void {
		for (const listener of [...this.#stateListeners]) listener()
	}
}

function listen(listeners: Set<() => void>, listener: () => void): () => void {
	const entry = () => listener()
	listeners.add(entry)
	return () => void listeners.delete(entry)
}

let shared: CryptoRtClient | undefined

/** The page's own: of the daemon that the page is from. */
export function defaultClient(): CryptoRtClient {
	return (shared ??= new CryptoRtClient())
}
