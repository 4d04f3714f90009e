/**
 * What passes between the daemon, the client and the hooks.
 */

/** A coin's price in US dollars, and its change of 24 h in per cent. */
export interface Tick {
	price: number
	change: number | null
}

export interface Connection {
	/** idle: nobody listens.  connecting: for the first time.  reconnecting: it was lost, or refused. */
	state: 'idle' | 'connecting' | 'open' | 'reconnecting'
	/** Since when it is in this state, in ms as Date.now(). */
	since: number
	/** How often it was tried since it was open the last time. */
	attempts: number
	/** When it will be tried again, in ms as Date.now(); null: it is being tried, or open. */
	retryAt: number | null
	error: string | null
}

export interface TierStats {
	tier: string
	coins: number
	interval: number
	freshest_age_seconds: number
	oldest_age_seconds: number
}

export interface FeedStats {
	ready: boolean
	connects: number
	rereads: number
	gaps: number
	refused: number
	problem: string | null
}

/** /api/v1/crypto/stats.  What an older daemon does not tell is left out. */
export interface Stats {
	timestamp: string
	source: string | null
	total_coins: number
	fresh_coins: number
	stale_coins: number
	last_update: string | null
	/** Of the freshest price. */
	age_seconds: number | null
	tiers: TierStats[]
	streams: { open: number; subscriptions: number; opened: number; frames: number; bytes: number; conflated: number; stalled: number }
	feed: { redis: FeedStats; postgres: FeedStats }
	simulated?: boolean
	/** Rows as SQL has them: of crypto_status() and crypto_tiers; null: the daemon has no database. */
	server?: {
		age_seconds: number | null
		problem: string | null
		status: Record<string, unknown> | null
		tiers: Record<string, unknown>[] | null
	} | null
	daemon?: {
		version: string
		uptime_seconds: number
		requests: number
		client_errors: number
		server_errors: number
		limited: number
		connections: number
		resident_bytes: number
		processor_seconds: number
	}
}

/** By symbol. */
export type Ticks = Record<string, Tick>

/**
 * Called with what has changed.  `snapshot`: these are not news but where things stand: the first ticks for this listener, and
 * those after a connection that could not be resumed.
 */
export type TickListener = (ticks: Ticks, snapshot: boolean) => void

export type MarketStatus = {
	/** Never closed: coins are traded at all times. */
	state: 'connecting' | 'live' | 'delayed' | 'offline'
	/** To be shown: 'Live · 24/7', 'Delayed, last price 43 s ago', 'Reconnecting, last price 43 s ago', 'Connecting'. */
	label: string
	/** Seconds since the newest price of any coin. */
	age: number | null
	lastPriceAt: number | null
	simulated: boolean
	connection: Connection
}

export interface CryptoPrice {
	/** As the daemon writes it: 'BTC' for 'btc', and for 'id:bitcoin' once it is known. */
	symbol: string
	price: number | null
	/** In per cent. */
	change24h: number | null
	/** The price before this one; null: there was none yet. */
	previous: number | null
	/** Whether the price went up or down from the one before. */
	direction: -1 | 0 | 1
	/** When this price came, in ms as Date.now(). */
	updatedAt: number | null
	status: 'loading' | 'live' | 'stale' | 'error'
	stale: boolean
	error: string | null
}
