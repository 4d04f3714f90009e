// Fetching all quotes: the first hundred, then everything, then everything again each minute while the tab is seen, after a reconnect,
// and with backoff after errors; never two at a time. Five megabytes of JSON are parsed in slices, so that no frame is missed.
import type { Coin } from './market'

/** A quote as the daemon has it; what is unknown is left out. */
export interface Quote {
	id: string
	symbol: string
	name?: string
	price: number
	rank?: number
	change_1h?: number
	change_24h?: number
	change_7d?: number
	volume_24h?: number
	market_cap?: number
	circulating_supply?: number
	total_supply?: number
	max_supply?: number
	last_updated: string
	update_interval?: number
	tier?: string
	source?: string
}

export interface Reply {
	/** ms of this browser's clock: what is told is not older */
	asOf: number
	/** the daemon's clock minus this browser's, in ms */
	clockOffset: number
	/** all coins, not just the first */
	complete: boolean
	seen: Set<Coin>
}

interface Handlers {
	begin(): void
	quotes(quotes: Quote[], reply: Reply): void
	done(reply: Reply): void
	failed(error: string, retryAt: number): void
}

/** index.html preloads it, with the same words */
const FIRST_URL = '/api/v1/crypto/prices?limit=100'
const ALL_URL = '/api/v1/crypto/prices'
const EVERY_MS = 60_000
/** the first hundred are drawn before the rest takes the processor */
const FIRST_SHOWN_MS = 120
const TIMEOUT_MS = 30_000
const SLICE = 48 * 1024

export class Refresher {
	hadReply = false
	private busy = false
	private failures = 0
	private timer = 0
	private dueAt = 0
	private askedAt = 0
	private completeAt = 0
	private onTried: (() => void) | null = null

	constructor(private readonly handlers: Handlers) {}

	/** @param onTried called once, when all coins are there or could not be had
	 *  @returns when the first hundred are, or not */
	start(onTried: () => void): Promise<void> {
		this.onTried = onTried
		document.addEventListener('visibilitychange', () => this.plan())
		return this.run()
	}

	/** Ask at the latest in so many seconds (but see plan). */
	within(seconds: number): void {
		this.dueAt = Math.min(this.dueAt || Infinity, Date.now() + seconds * 1000)
		this.plan()
	}

	/** The time for which ages are known: now, or that of the last reply when it is recent (or the next one is on its way). */
	confirmedAt(now: number): number {
		const fresh = now - this.completeAt < EVERY_MS * 1.5 || (this.busy && now - this.askedAt < 10_000)
		return this.completeAt && fresh ? Math.min(now, this.completeAt) : now
	}

	private plan(): void {
		clearTimeout(this.timer)
		if (this.busy || (document.hidden && this.hadReply)) return
		this.timer = window.setTimeout(() => void this.run(), Math.max(0, this.dueAt - Date.now()))
	}

	private async run(): Promise<void> {
		const complete = this.hadReply
		this.busy = true
		this.dueAt = 0
		this.askedAt = Date.now()
		this.handlers.begin()
		let next: number
		try {
			await this.fetch(complete ? ALL_URL : FIRST_URL, complete)
			this.failures = 0
			this.hadReply = true
			next = Date.now() + (complete ? EVERY_MS : FIRST_SHOWN_MS)
		} catch (error) {
			next = Date.now() + Math.min(60, 2 ** ++this.failures) * (750 + Math.random() * 500)
			this.handlers.failed(explain(error), next)
		}
		this.busy = false
		// a shorter wish from meanwhile counts, if not right after an error
		this.dueAt = this.dueAt && !this.failures ? Math.min(this.dueAt, next) : next
		this.plan()
		if (complete && this.onTried) {
			this.onTried()
			this.onTried = null
		}
	}

	private async fetch(url: string, complete: boolean): Promise<void> {
		// the first one is the preloaded one; of the later ones no cache of the browser's, and of a proxy's the age is known
		const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), cache: complete ? 'no-cache' : 'default' })
		const cachedFor = 1000 * (Number(response.headers.get('Age')) || 0)
		const arrivedAt = Date.now()
		if (!response.ok) throw new Error(await refusal(response))
		const text = await response.text()
		const timestamp = Date.parse(/"timestamp":"([^"]*)"/.exec(text.slice(0, 200))?.[1] ?? '')
		if (Number.isNaN(timestamp)) throw new Error('The answer is not a list of prices')
		const reply: Reply = { asOf: this.askedAt - cachedFor, clockOffset: timestamp + cachedFor - arrivedAt, complete, seen: new Set() }
		for (const quotes of slices(text)) {
			this.handlers.quotes(quotes.filter(usable), reply)
			await pause()
		}
		if (complete) this.completeAt = this.askedAt
		this.handlers.done(reply)
	}
}

function usable(quote: Quote): boolean {
	return typeof quote?.id === 'string' && typeof quote.symbol === 'string' && typeof quote.price === 'number'
}

/** The quotes of `{…,"prices":{"BTC":{…},…}}`, some at a time. A cut in the midst of a name does not parse, and is moved on. */
export function* slices(text: string): Generator<Quote[]> {
	const start = text.indexOf('"prices":{')
	const end = text.lastIndexOf('}}')
	if (start < 0 || end < 0) throw new Error('The answer is not a list of prices')
	for (let from = start + 10; from < end; ) {
		let to = from + SLICE
		let part: Record<string, Quote> | null = null
		while (!part) {
			const cut = to < end ? text.indexOf('},"', to) : -1
			to = cut < 0 ? end : cut + 1
			try {
				part = JSON.parse(`{${text.slice(from, to)}}`) as Record<string, Quote>
			} catch (error) {
				if (to >= end) throw error
			}
		}
		yield Object.values(part)
		from = to + 1
	}
}

const channel = typeof MessageChannel === 'undefined' ? null : new MessageChannel()
let resume: (() => void) | null = null
if (channel) channel.port1.onmessage = () => resume?.()

/** Let the browser draw and hear the user; unlike a timer's, this pause is not drawn out. */
function pause(): Promise<void> {
	return new Promise(resolve => {
		if (!channel) return void setTimeout(resolve)
		resume = resolve
		channel.port2.postMessage(0)
	})
}

async function refusal(response: Response): Promise<string> {
	const said = (await response.json().catch(() => null)) as { error?: string; hint?: string } | null
	const why = [said?.error, said?.hint].filter(Boolean).join('. ')
	return `The server answered ${response.status}${why ? `: ${why}` : ''}`
}

function explain(error: unknown): string {
	if (error instanceof DOMException && error.name === 'TimeoutError') return 'The server did not answer within 30 seconds'
	if (error instanceof TypeError) return navigator.onLine ? 'The server cannot be reached' : 'This device is offline'
	if (error instanceof SyntaxError) return 'The answer was cut off or is not JSON'
	return error instanceof Error ? error.message : String(error)
}
