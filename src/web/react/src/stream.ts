/**
 * One connection to the daemon's stream, kept up.
 *
 * An EventSource reconnects by itself, and resumes where it was; but it gives up for good when it is answered anything but 200,
 * and does not see that a connection is dead, since the daemon's heartbeat is a comment.  Both are seen to here.  When other
 * symbols are wanted, a second connection is opened beside the first, which stays until the second is open.
 *
 * `current` is the line that frames come from; `next`, where there is one, takes its place when it opens.
 */
import { ALL, streamUrl, type Asked } from './symbols.js'
import type { Connection } from './types.js'

const RETRY_FIRST = 1_000
const RETRY_MOST = 30_000
/** The daemon's retry: hint, by which browsers reconnect. */
const RETRY_BROWSER = 2_000
/** For an answer to a connection. */
const PATIENCE = 20_000
/** One that was begun so recently is left to itself, however much somebody hurries. */
const HURRY_NOT = 2_000
/** At the most so often is everything asked for again, after a frame that could not be read. */
const REPAIR_INTERVAL = 30_000

interface Line {
	source: EventSource
	asked: Asked
	/** All coins for want of room in the address. */
	filtered: boolean
	resumed: boolean
	isOpen: boolean
	/** It took the place of one that was open. */
	tookOver: boolean
	/** Frames since it opened. */
	frames: number
	since: number
	/** Opened because the current one is in doubt: it takes its place even when it fails. */
	doubt: boolean
}

export interface Frame {
	data: Record<string, unknown>
	/** Everything that was asked for, not only what has changed. */
	whole: boolean
	/** So are the frames before it of no use any more. */
	anew: boolean
	/** The first after a connection: what it holds may have been for long. */
	first: boolean
	asked: Asked
}

export interface StreamListener {
	opened(asked: Asked): void
	frame(frame: Frame): void
	/** The connection's state has changed. */
	changed(): void
}

const now = () => Date.now()

function sameAsked(a: Asked, b: Asked): boolean {
	if (a === ALL || b === ALL) return a === b
	return a.size === b.size && [...a].every(key => b.has(key))
}

export class Stream {
	connection: Connection = { state: 'idle', since: now(), attempts: 0, retryAt: null, error: null }
	/** Frames that were no JSON. */
	badFrames = 0
	/** When a frame came, or the connection was opened. */
	heardAt = 0
	openedAt = 0

	readonly #base: string
	readonly #listener: StreamListener
	#wanted: Asked | null = null
	#current: Line | null = null
	#next: Line | null = null
	#lastEventId: string | null = null
	/** The symbols that it is of. */
	#lastAsked: Asked | null = null
	#failures = 0
	#repairedAt = 0
	/** While it waits to try again. */
	#timer: ReturnType<typeof setTimeout> | undefined

	constructor(base: string, listener: StreamListener) {
		this.#base = base
		this.#listener = listener
	}

	get isOpen(): boolean {
		return this.#current?.isOpen === true
	}

	/** What frames come for at present; null: none come. */
	get asked(): Asked | null {
		return this.#current?.isOpen ? this.#current.asked : null
	}

	/** What is to come. */
	get wanted(): Asked | null {
		return this.#wanted
	}

	/** Ask for these from now on. */
	want(asked: Asked): void {
		this.#wanted = asked
		if (this.#timer !== undefined) return
		const coming = this.#next ?? this.#current
		if (coming === null || !sameAsked(coming.asked, asked)) this.#open(false)
	}

	/** Open a connection beside the present one, which is in doubt.  False: that is being done. */
	doubt(): boolean {
		if (this.#wanted === null || this.#next?.doubt === true) return false
		this.#open(true)
		return true
	}

	/** Try at once, where it would wait. */
	hurry(): void {
		if (this.#wanted === null || this.isOpen) return
		if (this.#current !== null && this.connection.retryAt === null && now() - this.#current.since < HURRY_NOT) return
		this.#failures = 0
		this.#drop(this.#current)
		this.#current = null
		this.#open(false)
	}

	/** To be called each second: gives up what is not answered. */
	pulse(): void {
		for (const line of [this.#current, this.#next])
			if (line !== null && !line.isOpen && now() - line.since >= PATIENCE) this.#closed(line, 'The price server does not answer')
	}

	/** The page is put aside, and may come back. */
	suspend(): void {
		if (this.#wanted === null) return
		this.#end()
		this.#state('reconnecting', { error: null, retryAt: null })
	}

	close(): void {
		this.#wanted = null
		this.#lastEventId = null
		this.#failures = 0
		this.#end()
		this.#state('idle', { error: null, retryAt: null, attempts: 0 })
	}

	#end(): void {
		this.#wait(null)
		this.#drop(this.#current)
		this.#drop(this.#next)
		this.#current = this.#next = null
	}

	#resumable(asked: Asked): boolean {
		return this.#lastEventId !== null && this.#lastAsked !== null && sameAsked(this.#lastAsked, asked)
	}

	#drop(line: Line | null): void {
		if (line === null) return
		line.source.onopen = line.source.onerror = line.source.onmessage = null
		line.source.close()
	}

	#wait(ms: number | null): void {
		clearTimeout(this.#timer)
		this.#timer = ms === null ? undefined : setTimeout(() => this.#open(false), ms)
	}

	#open(doubt: boolean): void {
		this.#wait(null)
		this.#drop(this.#next)
		this.#next = null
		const wanted = this.#wanted
		if (wanted === null) return
		if (typeof EventSource === 'undefined') return this.#state('reconnecting', { error: 'This browser has no EventSource' })
		const resumeFrom = this.#resumable(wanted) ? this.#lastEventId : null
		const { url, asked } = streamUrl(this.#base, wanted, resumeFrom)
		const line: Line = {
			source: new EventSource(url),
			asked: wanted,
			filtered: asked !== wanted,
			resumed: resumeFrom !== null,
			isOpen: false,
			tookOver: false,
			frames: 0,
			since: now(),
			doubt
		}
		line.source.onopen = () => this.#opened(line)
		line.source.onerror = () => this.#failed(line)
		line.source.onmessage = event => this.#message(line, event)
		if (this.#current === null) {
			this.#current = line
			this.#state(this.connection.state === 'idle' || this.connection.state === 'connecting' ? 'connecting' : 'reconnecting', {
				attempts: this.connection.attempts + 1,
				retryAt: null
			})
		} else this.#next = line
	}

	#takeOver(line: Line): void {
		this.#drop(this.#current)
		this.#current = line
		this.#next = null
	}

	#opened(line: Line): void {
		line.tookOver = line === this.#next && this.isOpen
		if (line === this.#next) this.#takeOver(line)
		line.isOpen = true
		line.frames = 0
		this.#failures = 0
		// otherwise it waits to ask for other symbols
		if (this.#wanted !== null && sameAsked(line.asked, this.#wanted)) this.#wait(null)
		this.openedAt = this.heardAt = now()
		this.#listener.opened(line.asked)
		this.#state('open', { attempts: 0, retryAt: null, error: null })
	}

	#failed(line: Line): void {
		if (line.source.readyState === EventSource.CLOSED) return this.#closed(line, 'The price server refused the connection')
		// the browser tries again, and tells the daemon the last id that it has seen
		line.isOpen = false
		line.since = now()
		line.resumed = this.#resumable(line.asked)
		if (line === this.#next) {
			if (!line.doubt && this.isOpen) return
			this.#takeOver(line)
		}
		this.#state('reconnecting', {
			attempts: this.connection.attempts + 1,
			retryAt: now() + RETRY_BROWSER,
			error: navigator.onLine === false ? 'This device is offline' : 'No connection to the price server'
		})
	}

	/** The browser does not try again, so it is done here. */
	#closed(line: Line, error: string): void {
		this.#drop(line)
		const delay = Math.min(RETRY_FIRST * 2 ** this.#failures++, RETRY_MOST) * (0.75 + Math.random() / 2)
		if (line === this.#next) {
			this.#next = null
			if (!line.doubt && this.isOpen) {
				// the other symbols have to wait; those that are there stay
				this.#wait(delay)
				return
			}
			this.#drop(this.#current)
		}
		this.#current = null
		this.#wait(delay)
		this.#state('reconnecting', { attempts: Math.max(this.connection.attempts, 1), retryAt: now() + delay, error })
	}

	#message(line: Line, event: MessageEvent<string>): void {
		let data: unknown
		this.heardAt = now()
		try {
			data = JSON.parse(event.data)
		} catch {
			data = null
		}
		if (typeof data !== 'object' || data === null || Array.isArray(data)) {
			this.#bad()
			return
		}
		const first = line.frames++ === 0
		const epoch = (id: string | null) => id?.split('-')[0]
		const whole = first && (!line.resumed || epoch(event.lastEventId) !== epoch(this.#lastEventId))
		this.#lastEventId = event.lastEventId || null
		this.#lastAsked = line.asked
		const asked = line.filtered ? ALL : line.asked
		this.#listener.frame({ data: data as Record<string, unknown>, whole, anew: whole && !line.tookOver, first, asked })
	}

	/** Whatever it held is asked for anew, by a connection that does not go on where this one is. */
	#bad(): void {
		this.badFrames++
		this.#lastEventId = null
		if (now() - this.#repairedAt >= REPAIR_INTERVAL) {
			this.#repairedAt = now()
			this.#open(true)
		}
		this.#listener.changed()
	}

	#state(state: Connection['state'], rest: Partial<Connection>): void {
		const before = this.connection
		this.connection = { ...before, ...rest, state, since: state === before.state ? before.since : now() }
		this.#listener.changed()
	}
}
