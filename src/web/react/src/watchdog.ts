/**
 * Sees that a stream is dead where the browser does not: a laptop that slept, a network that changed, a proxy that forgot.
 *
 * A stream that is silent may be in order, since its coins may not have moved.  So the daemon is asked whether prices flow;
 * when they do, or it does not answer, a new connection is tried beside the old one.  Each time that this brings nothing new,
 * the silence that is accepted grows.
 */
import type { StatsPoller } from './stats.js'
import type { Stream } from './stream.js'

const PULSE = 1_000
/** Silence after which the daemon is asked, and how often. */
const SILENT = 10_000
const ASK_INTERVAL = 5_000
/** Silence that is accepted while prices flow. */
const SILENT_MOST = 30_000
const SILENT_EVER = 600_000
/** Prices flow when the freshest is no older, in seconds. */
const FLOWING = 10

export class Watchdog {
	readonly #stream: Stream
	readonly #stats: StatsPoller
	readonly #pulse: () => void
	#timer: ReturnType<typeof setInterval> | undefined
	#accepted = SILENT_MOST
	#checking = false

	/** @param pulse called each second. */
	constructor(stream: Stream, stats: StatsPoller, pulse: () => void) {
		this.#stream = stream
		this.#stats = stats
		this.#pulse = pulse
	}

	start(): void {
		if (this.#timer !== undefined) return
		this.#timer = setInterval(this.#beat, PULSE)
		addEventListener('online', this.#wake)
		addEventListener('offline', this.#check)
		addEventListener('pageshow', this.#wake)
		addEventListener('pagehide', this.#hide)
		document.addEventListener('visibilitychange', this.#wake)
	}

	stop(): void {
		clearInterval(this.#timer)
		this.#timer = undefined
		this.#accepted = SILENT_MOST
		removeEventListener('online', this.#wake)
		removeEventListener('offline', this.#check)
		removeEventListener('pageshow', this.#wake)
		removeEventListener('pagehide', this.#hide)
		document.removeEventListener('visibilitychange', this.#wake)
	}

	/** Something has changed, so the stream lives. */
	news(): void {
		this.#accepted = SILENT_MOST
	}

	get #silence(): number {
		return Date.now() - this.#stream.heardAt
	}

	readonly #beat = (): void => {
		this.#stream.pulse()
		const askedAt = this.#stats.askedAt
		if (this.#stream.isOpen && this.#silence >= SILENT && (askedAt === null || Date.now() - askedAt >= ASK_INTERVAL)) this.#check()
		else this.#judge()
		this.#pulse()
	}

	/** The page is seen again, or the network is back. */
	readonly #wake = (): void => {
		if (document.hidden) return
		if (!this.#stream.isOpen) this.#stream.hurry()
		else if (this.#silence >= SILENT) this.#check()
	}

	/** Put aside into the browser's cache of pages; where that holds no connections, it comes back without this one. */
	readonly #hide = (event: PageTransitionEvent): void => {
		if (event.persisted) this.#stream.suspend()
	}

	readonly #check = (): void => {
		if (this.#checking) return
		this.#checking = true
		void this.#stats.ask().then(() => {
			this.#checking = false
			this.#judge()
		})
	}

	#judge(): void {
		if (this.#timer === undefined || !this.#stream.isOpen || this.#stats.askedAt === null) return
		if (Date.now() - this.#stats.askedAt >= ASK_INTERVAL) return
		const age = this.#stats.value?.age_seconds
		const flows = !this.#stats.failed && typeof age === 'number' && age <= FLOWING
		if (this.#stats.unreachable) this.#stream.doubt()
		else if (flows && this.#silence >= this.#accepted && this.#stream.doubt()) this.#accepted = Math.min(this.#accepted * 2, SILENT_EVER)
	}
}
